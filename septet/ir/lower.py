"""IRc: from the words phase to L3.  SSA goes away, and so do checks.

* Blocks keep their order; a jump to the next block is left out.
* A phi becomes copies at the ends of the predecessors, all at once: where they form a cycle a temporary breaks it.  On an edge
  from a branch to a block with several predecessors they get a place of their own.
* A check becomes a comparison and a branch to a cold block at the end of the function, which calls the error routine; checks
  with the same line and operands share one.  A division by what may be 0 gets a check.
* A comparison that only branches and selects use is computed in front of each of them, where the machine wants it; and a word
  times 2, 4 or 8 that only sums use is computed in front of each of these: an address or a `lea` does it for nothing.
* What has no effect and no use is left out; a BITCAST between values, or between plain words, is the same variable.
"""

from __future__ import annotations

from septet.base.graph import reverse_postorder
from septet.base.names import Fresh
from septet.base.symbols import DATA, ROUTINE, External, Line, Symbol, symbol
from septet.base.types import BOOL, FLOAT, I64, INT64, PTR, U32, VECTOR, VOID, Type
from septet.ir import nodes as ir
from septet.ir.analyses.loops import depths
from septet.ir.copies import in_sequence
from septet.ir.expand import EXPANSIONS, check_divisor
from septet.ir.fold import divides
from septet.ir.roots import with_roots
from septet.l3 import nodes as l3
from septet.ops import meaning
from septet.ops import table as ops
from septet.ops.routines import trap_kind
from septet.ops.table import BR, BR_IF, CONST, COPY, LOAD, SYMBOL_ADDRESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.options import Options
    from septet.base.symbols import Data
    from septet.ops.table import Op

    Operand = l3.Variable | int | Symbol | Line

_TRAP = symbol(ROUTINE, "trap")
_OPPOSITE: dict[Op, Op] = {
    ops.EQ: ops.NE,
    ops.NE: ops.EQ,
    ops.LT: ops.GE,
    ops.GE: ops.LT,
    ops.LE: ops.GT,
    ops.GT: ops.LE,
    ops.FEQ: ops.FNE,
    ops.FNE: ops.FEQ,
}


def lower_program(program: ir.Program, options: Options) -> l3.Program:
    """The L3 program that does what `program` does."""
    functions = {name: lower(function, program, options) for name, function in program.functions.items()}
    data: dict[str, Data] = dict(program.data)
    return l3.Program(functions, data, program.source)


def lower(function: ir.Function, program: ir.Program, options: Options) -> l3.Function:
    """The L3 function that does what `function`, which is not changed, does."""
    if function.phase == ir.ARRAYS:
        from septet.ir.copy import copy_function
        from septet.ir.passes.linearise import run

        function = copy_function(function)
        run(function)
    function, roots = with_roots(function, program, options.opt)
    return Lowering(function, roots, program).run()


def _scaled(value: ir.Value) -> ir.Value | None:
    """The operand of a sum of words that is another word times 2, 4 or 8."""
    if value.type.is_word:
        for arg in reversed(value.args):
            if arg.op is ops.SHL and arg.type.is_word:
                count = arg.args[1]
                if isinstance(count, ir.Const) and 1 <= count.number <= 3:
                    return arg
    return None


class Lowering:
    """Lowers one function."""

    __slots__ = (
        "function", "fresh", "homes", "out", "used", "live", "decides", "labels", "fresh_label", "before", "cold",
        "edges", "scaled", "opposite", "turned", "checked", "positions", "hosted", "externals", "roots",
    )  # fmt: skip

    def __init__(self, function: ir.Function, roots: dict[ir.Value, list[ir.Value]], program: ir.Program) -> None:
        self.function = function
        self.roots = roots  # of calls that may collect, what must be found across them
        self.hosted = program.hosted
        self.externals = [name for name, data in program.data.items() if isinstance(data, External)]
        self.fresh = Fresh()
        self.fresh_label = Fresh()
        self.homes: dict[ir.Value, Operand] = {}  # where values are
        self.out: list[l3.Instruction] = []
        self.used: set[ir.Value] = set()  # values with a use other than as a condition
        self.live: dict[ir.Block, list[ir.Value]] = {}  # the values with a use or an effect, but for the last
        self.decides: dict[ir.Value, int] = {}  # how many branches and selects a value is the condition of
        self.scaled: dict[ir.Value, None] = {}  # shifts that sums use
        self.labels = {block: self.fresh_label(block.name or "b") for block in function.blocks}
        self.before = dict.fromkeys(function.blocks, 0)  # how many predecessors blocks have
        self.cold: dict[tuple[Symbol, tuple[Operand, ...]], tuple[str, int]] = {}  # error calls: their labels and spans
        self.edges: list[tuple[str, ir.Block, ir.Block, int]] = []  # places for copies on edges: label, from, to, depth
        self.opposite: ir.Value | None = None  # the comparison that this block's branch wants the other way round
        self.turned = False  # whether it was made so
        self.checked: set[ir.Value] = set()  # divisors checked in this block
        self.positions: dict[ir.Block, dict[ir.Block, int]] = {}  # where a predecessor stands in a block's first phi

    def run(self) -> l3.Function:
        """The whole function."""
        function = self.function
        blocks = function.blocks
        parameters = [l3.Variable(self.fresh(value.name or "v"), value.type) for value in function.parameters]
        self.homes.update(zip(function.parameters, parameters, strict=True))
        self._find_uses()
        depth = dict(zip(blocks, depths(function), strict=True))
        falls = True  # from the block before into this one
        last_depth = 0
        for block, after in zip(blocks, [*blocks[1:], None], strict=True):
            if not falls or self.before[block] > 1 or depth[block] != last_depth:
                last_depth = depth[block]
                self.out.append(l3.Label(self.labels[block], last_depth))
            if block.phis and self.before[block] == 1:
                self._rename(block)
            self._choose(block, after)
            self._body(block)
            falls = self._end(block, after, depth)
        self._place_edges()
        self._place_cold()
        lowered = l3.Function(function.name, function.result, parameters, self.out, function.line)
        lowered.convention = function.convention
        lowered.written = True
        return lowered

    # What is used, and how often.

    def _find_uses(self) -> None:
        used = self.used
        before = self.before
        for block in self.function.blocks:
            for phi in block.phis:
                used.update(phi.args)
            last = block.body[-1]
            if isinstance(last, ir.Branch):
                for target in last.targets:
                    before[target] += 1
        decides, roots = self.decides, self.roots
        for block in reversed(self._dominators_first()):
            live = self.live[block] = []
            body = block.body
            last = body[-1]
            if last.op is BR_IF:
                condition = last.args[0]
                decides[condition] = decides.get(condition, 0) + 1
            else:
                used.update(last.args)
            for value in body[-2::-1]:
                op = value.op
                if value in used or value in decides or not (op.pure or op is LOAD):
                    if op is ops.SELECT and value.args[0].type is BOOL:
                        condition = value.args[0]
                        decides[condition] = decides.get(condition, 0) + 1
                        used.update(value.args[1:])
                    elif op is ops.ADD and (scaled := _scaled(value)) is not None:
                        used.update(scaled.args)
                        used.update([arg for arg in value.args if arg is not scaled])
                        self.scaled[scaled] = None
                    else:
                        used.update(value.args)
                    if not op.compares or value in used:
                        live.append(value)
                    if roots and value in roots:
                        used.update(roots[value])
            live.reverse()

    def _dominators_first(self) -> list[ir.Block]:
        """The blocks in an order in which each comes after its dominators: the function's own order, where that is one."""
        blocks = self.function.blocks
        seen = {blocks[0]}
        for block in blocks:
            if block not in seen:
                break
            seen.update(block.successors)
        else:
            return blocks
        number = {block: index for index, block in enumerate(blocks)}
        return [blocks[index] for index in reverse_postorder([[number[b] for b in block.successors] for block in blocks])]

    def _is_used(self, value: ir.Value) -> bool:
        return value in self.used or value in self.decides

    # Operands.

    def operand(self, value: ir.Value, type: Type) -> Operand:
        """`value` as an L3 operand where something of `type` is wanted."""
        op = value.op
        if op is CONST:
            if isinstance(value, ir.Const):
                number = value.number
                return number if type.low <= number <= type.high else type.wrap(number)
            assert isinstance(value, ir.Line)
            return value.line
        home = self.homes.get(value)
        if home is None:
            if op is SYMBOL_ADDRESS:
                assert isinstance(value, ir.Address)
                if value.symbol.kind == DATA and value.symbol.name in self.externals:
                    return self._loaded(value)
                home = value.symbol
            else:
                home = l3.Variable(self.fresh(value.name or "v"), value.type)
            self.homes[value] = home
        return home

    def _loaded(self, value: ir.Address) -> l3.Variable:
        """The address of a function of C, from where it is kept."""
        target = l3.Variable(self.fresh(value.symbol.name), PTR)
        self.out.append(l3.Memory(LOAD, PTR, target, [value.symbol], 0, "any"))
        return target

    def variable(self, value: ir.Value) -> l3.Variable:
        """The variable that `value` goes to."""
        home = self.homes.get(value)
        if home is None:
            home = self.homes[value] = l3.Variable(self.fresh(value.name or "v"), value.type)
        assert isinstance(home, l3.Variable)
        return home

    # Blocks.

    def _rename(self, block: ir.Block) -> None:
        """A phi of a block with one predecessor is another name, unless a block in front of this one has used it."""
        for phi in block.phis:
            if self._is_used(phi):
                if phi.args[0].op is CONST or phi in self.homes:
                    self.out.append(self._copy(self.variable(phi), self.operand(phi.args[0], phi.type), phi.span))
                else:
                    self.homes[phi] = self.operand(phi.args[0], phi.type)

    def _body(self, block: ir.Block) -> None:
        self.checked.clear()
        out = self.out
        homes = self.homes
        scaled = self.scaled
        for value in self.live[block]:
            op = value.op
            handler = _HANDLERS.get(op)
            if handler is not None:
                handler(self, value)
                continue
            type = value.on if op.compares else value.type  # type: ignore[attr-defined]
            args: list[Operand] = []
            for arg in value.args:
                home = homes.get(arg)
                if home is None:
                    home = self._times(arg) if arg in scaled and arg not in self.used else self.operand(arg, type)
                args.append(home)
            home = homes.get(value)
            if home is None:
                home = homes[value] = l3.Variable(self.fresh(value.name or "v"), value.type)
            out.append(l3.Instruction(op, type, home, args, value.span))  # type: ignore[arg-type]

    def _times(self, value: ir.Value) -> Operand:
        """A word times 2, 4 or 8 for one sum alone."""
        target = l3.Variable(self.fresh(value.name or "v"), value.type)
        args = [self.operand(arg, value.type) for arg in value.args]
        self.out.append(l3.Instruction(value.op, value.type, target, args, value.span))
        return target

    def _condition(self, value: ir.Value, turn: bool) -> Operand:
        """What decides a branch or a select: a comparison for that alone is made here, each time anew; with `turn` its
        opposite."""
        if isinstance(value, ir.Compare) and value not in self.used:
            op = value.op
            if turn:
                op = _OPPOSITE[op]
            args = [self.operand(arg, value.on) for arg in value.args]
            target = l3.Variable(self.fresh(value.name or "v"), BOOL)
            self.out.append(l3.Instruction(op, value.on, target, args, value.span))
            return target
        return self.operand(value, BOOL)

    def _needs_copies(self, block: ir.Block) -> bool:
        return bool(block.phis) and self.before[block] > 1

    def _choose(self, block: ir.Block, after: ir.Block | None) -> None:
        """Set `opposite` where the block's branch had better be the other way round."""
        self.opposite = None
        self.turned = False
        last = block.body[-1]
        if last.op is BR_IF and isinstance(last, ir.Branch):
            condition = last.args[0]
            if condition.op in _OPPOSITE and condition not in self.used:
                then, other = last.targets
                then_copies, other_copies = self._needs_copies(then), self._needs_copies(other)
                if then_copies and not other_copies or then is after and not (other_copies and not then_copies):
                    self.opposite = condition

    def _end(self, block: ir.Block, after: ir.Block | None, depth: dict[ir.Block, int]) -> bool:
        """The end of a block; whether it falls through to block `after`, and does not jump there."""
        last = block.body[-1]
        span = last.span
        if last.op is ops.RETURN:
            args = [self.operand(arg, self.function.result) for arg in last.args]
            self.out.append(l3.Instruction(last.op, VOID, None, args, span))
            return False
        assert isinstance(last, ir.Branch)
        to = last.targets[0]
        away: ir.Block | None = None
        if last.op is BR_IF:
            away, to = last.targets
            self.turned = last.args[0] is self.opposite
            decides = self._condition(last.args[0], self.turned)
            if self.turned:
                away, to = to, away
            label = self.labels[away]
            if self._needs_copies(away):
                label = self.fresh_label(f"{block.name}_{away.name}")
                self.edges.append((label, block, away, min(depth[block], depth[away])))
            self.out.append(l3.Branch(BR_IF, [decides], label, span))
        if to.phis and self.before[to] > 1:
            self._copies(block, to)
        if to is after:
            return away is not after
        self.out.append(l3.Branch(BR, [], self.labels[to], span))
        return False

    def _copies(self, block: ir.Block, to: ir.Block) -> None:
        """The copies on the edge from `block` to `to`."""
        positions = self.positions.get(to)
        if positions is None:
            positions = self.positions[to] = {b: index for index, b in enumerate(to.phis[0].blocks)}
        position = positions[block]
        pairs: list[tuple[l3.Variable, Operand]] = []
        for phi in to.phis:
            if self._is_used(phi):
                arg = phi.args[position if phi.blocks[position] is block else phi.blocks.index(block)]
                pairs.append((self.variable(phi), self.operand(arg, phi.type)))
        span = block.body[-1].span
        if len(pairs) > 1:
            pairs = in_sequence(pairs, lambda v: l3.Variable(self.fresh(v.name), v.type))
        for target, source in pairs:
            self.out.append(self._copy(target, source, span))

    def _copy(self, target: l3.Variable, source: Operand, span: int) -> l3.Instruction:
        return l3.Instruction(COPY, target.type, target, [source], span)

    def _place_edges(self) -> None:
        for label, block, to, depth in self.edges:
            self.out.append(l3.Label(label, depth, block.body[-1].span))
            self._copies(block, to)
            self.out.append(l3.Branch(BR, [], self.labels[to], block.body[-1].span))

    def _place_cold(self) -> None:
        """The calls of error routines, none of which returns."""
        for (routine, args), (label, span) in self.cold.items():
            self.out.append(l3.Label(label, 0, span))
            self.out.append(l3.Call(routine, None, list(args), span))

    # What the expansions of checks are made of.

    def error(self, routine: Symbol, args: tuple[Operand, ...], span: int) -> str:
        """The label of the cold block that calls `routine`; there is one for each routine and operands.  A hosted function
        calls `trap`."""
        if self.hosted:
            kind = trap_kind(routine.name, len(args))
            what, other = (*args[1:], 0, 0)[max(len(args) - 3, 0) :][:2]
            routine, args = _TRAP, (self.homes[self.function.parameters[0]], kind, args[0], what, other)
        found = self.cold.get((routine, args))
        if found is None:
            label = self.fresh_label(routine.name.replace("-", "_"))
            found = self.cold[routine, args] = (label, span)
        return found[0]

    def compute(self, op: Op, type: Type, name: str, args: list[Operand], result: Type, span: int) -> l3.Variable:
        """A new variable of type `result` that is what `op`, working in `type`, gives."""
        target = l3.Variable(self.fresh(name), result)
        self.out.append(l3.Instruction(op, type, target, args, span))
        return target

    def leave(self, op: Op, type: Type, left: Operand, right: Operand, label: str, span: int) -> None:
        """To `label` where left op right."""
        bad = l3.Variable(self.fresh("bad"), BOOL)
        self.out.append(l3.Instruction(op, type, bad, [left, right], span))
        self.out.append(l3.Branch(BR_IF, [bad], label, span))

    def descriptor(self, word: Operand, span: int) -> l3.Variable:
        """The descriptor of the object or function that `word` refers to."""
        target = l3.Variable(self.fresh("kind"), U32)
        self.out.append(l3.Memory(LOAD, U32, target, [word], -8, "descriptor", span))
        return target

    # Single operations.

    def _memory(self, value: ir.Value) -> None:
        assert isinstance(value, ir.Memory)
        args = [self.operand(value.args[0], INT64)]
        if value.op is LOAD:
            target = self.variable(value)
        else:
            target = None
            args.append(self.operand(value.args[1], value.on))
        self.out.append(l3.Memory(value.op, value.on, target, args, value.offset, value.alias, value.span))

    def _call(self, value: ir.Value) -> None:
        assert isinstance(value, ir.Call)
        args = [self._argument(arg, value.span) for arg in value.args]
        callee: Operand | None = value.callee
        if callee is None:
            callee = args.pop(0)
            if not isinstance(callee, l3.Variable):  # of a known function with other parameters perhaps: its check fails before
                variable = l3.Variable(self.fresh("callee"), value.args[0].type)
                self.out.append(self._copy(variable, callee, value.span))
                callee = variable
        assert isinstance(callee, (l3.Variable, Symbol))
        target = self.variable(value) if value.type is not VOID and self._is_used(value) else None
        self.out.append(l3.Call(callee, target, args, value.span))
        if value in self.roots:
            kept = [self.operand(root, root.type) for root in self.roots[value]]
            self.out.append(
                l3.Instruction(ops.ROOTS, VOID, None, [each for each in kept if type(each) is l3.Variable], value.span)
            )

    def _argument(self, value: ir.Value, span: int) -> Operand:
        """An argument of a call.  A number there is a word, so a constant of another kind goes through a variable."""
        return self._kept(value, "argument", span) if value.type.kind in (FLOAT, VECTOR) else self.operand(value, value.type)

    def _kept(self, value: ir.Value, name: str, span: int) -> Operand:
        """`value` in a variable, for where a number would not say its type."""
        operand = self.operand(value, value.type)
        if isinstance(operand, int):
            variable = l3.Variable(self.fresh(name), value.type)
            self.out.append(self._copy(variable, operand, span))
            return variable
        return operand

    def _call_c(self, value: ir.Value) -> None:
        callee = self.operand(value.args[0], PTR)
        if not isinstance(callee, l3.Variable):
            variable = l3.Variable(self.fresh("callee"), PTR)
            self.out.append(self._copy(variable, callee, value.span))
            callee = variable
        args = [self._argument(arg, value.span) for arg in value.args[1:]]
        target = self.variable(value) if value.type is not VOID and self._is_used(value) else None
        self.out.append(l3.Instruction(ops.CALL_C, value.type, target, [callee, *args], value.span))

    def _syscall(self, value: ir.Value) -> None:
        args = [self.operand(arg, I64) for arg in value.args]
        self.out.append(l3.Instruction(value.op, I64, self.variable(value), args, value.span))

    def _divide(self, value: ir.Value) -> None:
        divisor = value.args[1]
        if not divides(value) and divisor not in self.checked:
            check_divisor(self, divisor, value.span, None)
        args = [self.operand(arg, value.type) for arg in value.args]
        self.out.append(l3.Instruction(value.op, value.type, self.variable(value), args, value.span))

    def _select(self, value: ir.Value) -> None:
        condition, then, other = value.args
        if condition.type is not BOOL:
            args = [self._kept(condition, "mask", value.span), *[self.operand(arg, value.type) for arg in (then, other)]]
            self.out.append(l3.Instruction(value.op, value.type, self.variable(value), args, value.span))
            return
        turn = then.op is CONST and other.op is not CONST and condition.op in _OPPOSITE and condition not in self.used
        if turn:  # a number can be moved to the target before, and only a variable after
            then, other = other, then
        args = [self._condition(condition, turn), self.operand(then, value.type), self.operand(other, value.type)]
        self.out.append(l3.Instruction(value.op, value.type, self.variable(value), args, value.span))

    def _convert(self, value: ir.Value) -> None:
        arg = value.args[0]
        target = self.variable(value)
        self.out.append(l3.Instruction(value.op, arg.type, target, [self.operand(arg, arg.type)], value.span))

    def _lanes(self, value: ir.Value) -> None:
        """An operation on a vector that is not done lane by lane."""
        op = value.op
        whole = value.args[0].type if op.inward else value.type
        types = {"V": whole, "E": whole.element}
        args = [self.operand(arg, types.get(letter, arg.type)) for letter, arg in zip(op.operands, value.args, strict=True)]
        self.out.append(l3.Instruction(op, whole, self.variable(value), args, value.span))

    def _bitcast(self, value: ir.Value) -> None:
        arg = value.args[0]
        source = self.operand(arg, arg.type)
        if isinstance(source, int):
            source = meaning.bitcast(arg.type, value.type)(source)
            self.out.append(self._copy(self.variable(value), source, value.span))
        elif value not in self.homes and value.type.is_word and arg.type.is_word and value.type.is_value == arg.type.is_value:
            self.homes[value] = source
        else:
            target = self.variable(value)
            self.out.append(l3.Instruction(value.op, value.type, target, [source], value.span))


_HANDLERS: dict[Op, Callable[[Lowering, ir.Value], None]] = EXPANSIONS | {
    ops.LOAD: Lowering._memory,
    ops.STORE: Lowering._memory,
    ops.CALL: Lowering._call,
    ops.CALL_INDIRECT: Lowering._call,
    ops.CALL_C: Lowering._call_c,
    ops.SYSCALL: Lowering._syscall,
    ops.DIV: Lowering._divide,
    ops.REM: Lowering._divide,
    ops.SELECT: Lowering._select,
    ops.CONVERT: Lowering._convert,
    ops.BITCAST: Lowering._bitcast,
    **{op: Lowering._lanes for op in ops.OPS if "V" in (*op.operands, op.result)},
}
