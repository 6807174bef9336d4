"""Makes a function's vectors those that the target has: splits the wide, expands operations that no tile is for.

It runs at the beginning of L3c for functions that have vectors.  A vector wider than the target's registers becomes several
variables, lowest lanes first, and what works on it works on them one after the other.  An operation for which the table has
no tile (its generated `LEGAL` says so) is expanded to others by a rule of `expand`, and where there is none done lane by lane.
"""

from __future__ import annotations

from septet.base.names import Fresh
from septet.base.types import I64, VECTOR, Type, vector
from septet.l3.expand import RULES, by_lanes
from septet.l3.nodes import Call, Function, Instruction, Memory, Variable
from septet.l3.shapes import is_splat
from septet.ops import table as ops
from septet.x86.abi import FLOAT_ARGUMENTS
from septet.x86.targets import FEATURES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.symbols import Line, Symbol
    from septet.l3.lower import Legal
    from septet.l3.nodes import Program
    from septet.ops.table import Op

    Operand = Variable | int | Symbol | Line

_ALWAYS = frozenset((ops.LOAD, ops.STORE, ops.COPY, ops.SHUFFLE, ops.EXTRACT, ops.INSERT, ops.SPLAT, ops.BITCAST))
_REDUCTIONS = {
    ops.REDUCE_ADD: ops.ADD, ops.REDUCE_MUL: ops.MUL, ops.REDUCE_AND: ops.AND, ops.REDUCE_OR: ops.OR, ops.REDUCE_XOR: ops.XOR,
    ops.REDUCE_MIN: ops.MIN, ops.REDUCE_MAX: ops.MAX, ops.FREDUCE_ADD: ops.FADD, ops.FREDUCE_MUL: ops.FMUL,
    ops.FREDUCE_MIN: ops.FMIN, ops.FREDUCE_MAX: ops.FMAX,
}  # fmt: skip


class WideCall(Call):
    """A call whose result is in several vector registers: in its target, then in `more`."""

    __slots__ = ("more",)
    more: list[Variable]


def register_bits(features: int) -> int:
    """How many bits the vector registers of a target have."""
    if features & FEATURES["avx512f"]:
        return 512
    return 256 if features & FEATURES["avx2"] else 128


def legal(function: Function, features: int, tiles: Legal, program: Program) -> Function:
    """The function with vectors and operations that there are tiles for."""
    return Legaliser(function, features, tiles, program).run()


class Legaliser:
    """One function on its way; rules of `expand` work on it."""

    __slots__ = ("function", "features", "tiles", "program", "bits", "out", "parts", "fresh", "span", "by", "known")

    def __init__(self, function: Function, features: int, tiles: Legal, program: Program) -> None:
        self.function = function
        self.features = features
        self.tiles = tiles
        self.program = program
        self.bits = register_bits(features)
        self.out: list[Instruction] = []
        self.parts: dict[Variable, list[Variable]] = {}
        names = [i.target.name for i in function.body if i.target is not None]
        self.fresh = Fresh([*names, *[parameter.name for parameter in function.parameters]])
        self.span = 0
        self.by = ""
        self.known: dict[tuple[Op, Type, Type | None], bool] = {}

    def run(self) -> Function:
        """Do it."""
        old = self.function
        parameters = self._parameters()
        for i in old.body:
            self.span, self.by = i.span, i.by
            if i.type.kind == VECTOR or i.target is not None and i.target.type.kind == VECTOR:
                if type(i) is Call:
                    self._call(i)
                elif type(i) is Memory:
                    self._memory(i)
                else:
                    self.put(i.op, i.type, i.target, i.args)
            elif type(i) is Call:
                self._call(i)
            elif i.op is ops.RETURN and old.result.kind == VECTOR:
                self._return(i.args[0] if i.args else 0)
            else:
                self.out.append(i)
        result = self.piece(old.result, 0) if old.result.kind == VECTOR else old.result
        made = Function(old.name, result, parameters, self.out, old.line)
        made.convention = old.convention
        made.written = old.written
        return made

    # Making instructions

    def variable(self, kind: Type) -> Variable:
        """A new variable."""
        return Variable(self.fresh("v"), kind)

    def make(self, op: Op, kind: Type, args: list[Operand], result: Type | None = None) -> Variable:
        """`op` on operands of type `kind`; gives the new variable that its result, of that type or `result`, is in."""
        target = self.variable(result or kind)
        self.put(op, kind, target, args)
        return target

    def put(self, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> None:
        """Append an operation, in whatever form the target has it."""
        if kind.kind != VECTOR and (target is None or target.type.kind != VECTOR):
            if not any(type(arg) is Variable and arg.type.kind == VECTOR for arg in args):
                self.append(op, kind, target, args)
                return
        if op is ops.SELECT and type(args[0]) is not Variable:
            op, args = ops.COPY, [args[1] if args[0] == 1 else args[2]]
        if self._is_wide(kind) or target is not None and self._is_wide(target.type) or any(map(self._wide_operand, args)):
            self._split(op, kind, target, args)
        elif op in _ALWAYS or self._has_tile(op, kind, target, args):
            self.append(op, kind, target, args)
        elif op in _REDUCTIONS:
            self._reduce(op, kind, target, args)
        else:
            rule = RULES.get(op)
            if rule is None or not rule(self, op, kind, target, args):
                by_lanes(self, op, kind, target, args)

    def append(self, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> None:
        """Append an operation as it is."""
        self.out.append(Instruction(op, kind, target, args, self.span, self.by))

    def has(self, op: Op, kind: Type) -> bool:
        """Whether there is a tile for `op` on any operands of type `kind`."""
        row = self.tiles.get(op)
        return row is not None and bool(row(self.features, kind, kind))

    def _has_tile(self, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
        made = target.type if target is not None else None
        if op is ops.SELECT and (type(args[0]) is not Variable or args[0].type.kind != VECTOR):
            return False
        if op in (ops.SHL, ops.SHR) and type(args[1]) is int and is_splat(args[1], kind):
            return True
        found = self.known.get((op, kind, made))
        if found is None:
            row = self.tiles.get(op)
            found = self.known[op, kind, made] = row is not None and bool(row(self.features, kind, made))
        return found

    # Splitting

    def _is_wide(self, kind: Type) -> bool:
        return kind.kind == VECTOR and kind.bits > self.bits

    def _wide_operand(self, operand: Operand) -> bool:
        return type(operand) is Variable and self._is_wide(operand.type)

    def piece(self, kind: Type, pieces: int) -> Type:
        """The type of one of so many pieces of a vector; 0 stands for as many as its registers are."""
        pieces = pieces or max(kind.bits // self.bits, 1)
        return vector(kind.element, kind.lanes // pieces)

    def parts_of(self, variable: Variable) -> list[Variable]:
        """The variables that hold a vector, lowest lanes first."""
        if not self._is_wide(variable.type):
            return [variable]
        found = self.parts.get(variable)
        if found is None:
            kind = self.piece(variable.type, 0)
            count = variable.type.bits // kind.bits
            found = self.parts[variable] = [Variable(self.fresh(variable.name), kind) for _ in range(count)]
        return found

    def pieces(self, operand: Operand, kind: Type, count: int) -> list[Operand]:
        """An operand of vector type `kind` in so many pieces."""
        made = self.piece(kind, count)
        if type(operand) is not Variable:
            assert type(operand) is int
            return [operand >> made.bits * n & (1 << made.bits) - 1 for n in range(count)]
        parts = self.parts_of(operand)
        if len(parts) == count:
            return list(parts)
        return [self.lanes(parts[n * len(parts) // count], n * made.lanes % parts[0].type.lanes, made) for n in range(count)]

    def lanes(self, operand: Variable, first: int, made: Type) -> Variable:
        """The lanes of a vector from `first` on, as a vector of type `made`."""
        return self.make(ops.SHUFFLE, operand.type, [operand, operand, lane_bytes(range(first, first + made.lanes))], made)

    def join(self, found: list[Variable], target: Variable) -> None:
        """Put vectors one behind the other into `target`, whose registers are no more than these."""
        parts = self.parts_of(target)
        while len(found) > len(parts):
            kind = found[0].type
            made = vector(kind.element, 2 * kind.lanes)
            every = lane_bytes(range(2 * kind.lanes))
            found = [self.make(ops.SHUFFLE, kind, [*found[n : n + 2], every], made) for n in range(0, len(found), 2)]
        for part, value in zip(parts, found, strict=True):
            self.put(ops.COPY, part.type, part, [value])

    def _split(self, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> None:
        """Append an operation some of whose vectors are too wide."""
        if op is ops.SPLAT:
            assert target is not None
            first, *others = self.parts_of(target)
            self.put(op, first.type, first, args)
            for part in others:
                self.put(ops.COPY, part.type, part, [first])
        elif op is ops.EXTRACT:
            lane = _number(args[1])
            parts = self.pieces(args[0], kind, kind.bits // self.bits)
            each = kind.lanes // len(parts)
            self.put(op, self.piece(kind, 0), target, [parts[lane // each], lane % each])
        elif op is ops.INSERT:
            self._insert(kind, target, args)
        elif op is ops.SHUFFLE:
            self._shuffle(kind, target, args)
        elif op in _REDUCTIONS:
            self._reduce(op, kind, target, args)
        elif op is ops.SIGN_BITS:
            self._sign_bits(kind, target, args)
        elif op is ops.CONVERT and target is not None and not kind.bits <= 2 * target.type.bits <= 4 * kind.bits:
            RULES[op](self, op, kind, target, args)
        else:
            self._lanewise(op, kind, target, args)

    def _lanewise(self, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> None:
        """An operation that does the same in all lanes."""
        assert target is not None
        kinds = [arg.type if type(arg) is Variable else kind for arg in args]
        widest = max(each.bits for each in [kind, target.type, *kinds])
        count = widest // self.bits
        columns = [
            self.pieces(arg, each, count) if each.kind == VECTOR else [arg] * count
            for arg, each in zip(args, kinds, strict=True)
        ]
        inner = self.piece(kind, count) if kind.kind == VECTOR else kind
        made = self.piece(target.type, count)
        parts = self.parts_of(target)
        found = parts if len(parts) == count else [self.variable(made) for _ in range(count)]
        if len(parts) == count and any(part in column[n + 1 :] for column in columns for n, part in enumerate(parts)):
            found = [self.variable(made) for _ in range(count)]
        for n in range(count):
            self.put(op, inner, found[n], [column[n] for column in columns])
        if found is not parts:
            self.join(found, target)

    def _insert(self, kind: Type, target: Variable | None, args: list[Operand]) -> None:
        assert target is not None
        lane = _number(args[1])
        parts = self.parts_of(target)
        each = kind.lanes // len(parts)
        for n, (part, old) in enumerate(zip(parts, self.pieces(args[0], kind, len(parts)), strict=True)):
            if n == lane // each:
                self.put(ops.INSERT, part.type, part, [old, lane % each, args[2]])
            else:
                self.put(ops.COPY, part.type, part, [old])

    def _shuffle(self, kind: Type, target: Variable | None, args: list[Operand]) -> None:
        """Each register of the result takes lanes from the registers of the operands, two at a time."""
        assert target is not None
        wanted = list(_number(args[2]).to_bytes(target.type.lanes, "little"))
        count = max(kind.bits // self.bits, 1)
        sources = self.pieces(args[0], kind, count) + self.pieces(args[1], kind, count)
        each = kind.lanes // count
        parts = self.parts_of(target)
        found = []
        for n in range(len(parts)):
            lanes = wanted[n * parts[0].type.lanes : (n + 1) * parts[0].type.lanes]
            found.append(self._gather(self.piece(kind, count), sources, [(lane // each, lane % each) for lane in lanes]))
        for part, value in zip(parts, found, strict=True):
            self.put(ops.COPY, part.type, part, [value])

    def _gather(self, kind: Type, sources: list[Operand], wanted: list[tuple[int, int]]) -> Variable:
        """The vector whose lanes are those `wanted`: of which source, and which there.  Sources are of type `kind`."""
        made = vector(kind.element, len(wanted))
        used = list(dict.fromkeys([source for source, _ in wanted]))
        wide = made if made.lanes >= kind.lanes else kind
        padded = wanted + [wanted[0]] * (wide.lanes - len(wanted))
        first, second = used[0], used[1] if len(used) > 1 else used[0]
        index = [lane + kind.lanes * (source == second != first) if source in (first, second) else 0 for source, lane in padded]
        pair: list[Operand] = [sources[first], sources[second], lane_bytes(index)]
        found = self.make(ops.SHUFFLE, kind, pair, wide)
        for source in used[2:]:
            more = sources[source]
            if wide is not kind:
                more = self.make(ops.SHUFFLE, kind, [more, more, lane_bytes(n % kind.lanes for n in range(wide.lanes))], wide)
            index = [wide.lanes + lane if of == source else n for n, (of, lane) in enumerate(padded)]
            found = self.make(ops.SHUFFLE, wide, [found, more, lane_bytes(index)])
        return found if wide is made else self.lanes(found, 0, made)

    def _reduce(self, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> None:
        """The upper half with the lower half, until one lane is left."""
        step = _REDUCTIONS[op]
        found = self.pieces(args[0], kind, max(kind.bits // self.bits, 1))
        part = self.piece(kind, 0)
        while len(found) > 1:
            half = len(found) // 2
            found = [self.make(step, part, [found[half + n], found[n]]) for n in range(half)]
        (value,) = found
        while part.bits > 128:
            half_kind = vector(part.element, part.lanes // 2)
            if type(value) is not Variable:
                value = self.make(ops.COPY, part, [value])
            upper, lower = self.lanes(value, half_kind.lanes, half_kind), self.lanes(value, 0, half_kind)
            part = half_kind
            value = self.make(step, part, [upper, lower])
        lanes = part.lanes
        while lanes > 1:
            lanes //= 2
            index = [lanes + n if n < lanes else n for n in range(part.lanes)]
            upper = self.make(ops.SHUFFLE, part, [value, value, lane_bytes(index)])
            value = self.make(step, part, [upper, value])
        self.put(ops.EXTRACT, part, target, [value, 0])

    def _sign_bits(self, kind: Type, target: Variable | None, args: list[Operand]) -> None:
        assert target is not None
        word = target.type
        parts = self.pieces(args[0], kind, kind.bits // self.bits)
        each = kind.lanes // len(parts)
        found: Variable | None = None
        for n, part in enumerate(parts):
            bits = self.make(ops.SIGN_BITS, self.piece(kind, 0), [part], word)
            if n:
                bits = self.make(ops.SHL, word, [bits, n * each])
            found = bits if found is None else self.make(ops.OR, word, [found, bits])
        self.append(ops.COPY, word, target, [found or 0])

    # Memory, calls

    def _memory(self, i: Memory) -> None:
        what = i.target if i.op is ops.LOAD else i.args[1]
        kind = what.type if type(what) is Variable else i.type
        count = max(kind.bits // self.bits, 1)
        parts = self.parts_of(what) if i.op is ops.LOAD and type(what) is Variable else self.pieces(what or 0, kind, count)
        base = i.args[0]
        size = kind.bits // 8 // count
        for n, part in enumerate(parts):
            target, args = (part, [base]) if i.op is ops.LOAD else (None, [base, part])
            assert target is None or type(target) is Variable
            made = Memory(i.op, self.piece(kind, count), target, args, i.offset + n * size, i.alias, i.span, i.by)
            self.out.append(made)

    def _parameters(self) -> list[Variable]:
        """The parameters in registers that there are; what has no vector register is in words."""
        made: list[Variable] = []
        rebuild: list[tuple[Variable, list[Variable]]] = []
        free = len(FLOAT_ARGUMENTS)
        for parameter in self.function.parameters:
            if parameter.type.is_float:
                free -= 1
            if parameter.type.kind != VECTOR:
                made.append(parameter)
                continue
            for part in self.parts_of(parameter):
                free -= 1
                if free >= 0:
                    made.append(part)
                    continue
                words = [Variable(self.fresh(part.name)) for _ in range(part.type.bits // 64)]
                made += words
                rebuild.append((part, words))
        for part, words in rebuild:
            as_words = vector(I64, len(words)) if len(words) > 1 else None
            if as_words is None:
                self.put(ops.BITCAST, part.type, part, [words[0]])
                continue
            value: Operand = 0
            for n, word in enumerate(words):
                value = self.make(ops.INSERT, as_words, [value, n, word])
            self.put(ops.BITCAST, part.type, part, [value])
        return made

    def _call(self, i: Call) -> None:
        """The same for the arguments, and a result in several registers."""
        args: list[Operand] = []
        free = len(FLOAT_ARGUMENTS)
        for arg in i.args:
            if type(arg) is not Variable or arg.type.kind != VECTOR:
                free -= type(arg) is Variable and arg.type.is_float
                args.append(arg)
                continue
            for part in self.parts_of(arg):
                free -= 1
                if free >= 0:
                    args.append(part)
                    continue
                count = part.type.bits // 64
                if count == 1:
                    args.append(self.make(ops.BITCAST, I64, [part]))
                    continue
                words = self.make(ops.BITCAST, vector(I64, count), [part])
                args += [self.make(ops.EXTRACT, words.type, [words, n], I64) for n in range(count)]
        parts = self.parts_of(i.target) if i.target is not None else []
        if len(parts) > 1:
            call = WideCall(i.callee, parts[0], args, i.span, i.by)
            call.more = parts[1:]
            self.out.append(call)
        else:
            self.out.append(Call(i.callee, i.target, args, i.span, i.by))

    def _return(self, operand: Operand) -> None:
        kind = self.function.result
        args = self.pieces(operand, kind, max(kind.bits // self.bits, 1))
        self.append(ops.RETURN, self.piece(kind, 0), None, args)


def lane_bytes(lanes: object) -> int:
    """The third operand of a SHUFFLE that gives these lanes."""
    return int.from_bytes(bytes(lanes), "little")  # type: ignore[call-overload]


def _number(operand: Operand) -> int:
    assert type(operand) is int
    return operand
