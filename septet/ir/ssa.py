"""Building a function in SSA form from code that assigns to variables, while reading it once.

Braun, Buchwald, Hack, Leißa, Mallon, Zwinkau: Simple and Efficient Construction of Static Single Assignment Form (2013).

    b = Builder("f", INT64, labels=["loop", "out"])
    n = Variable("n", INT64)                              # anything hashable with a name and a type
    b.write(n, b.parameter("n", INT64))
    loop, out = b.block("loop", 2), b.block("out", 1)     # 2 and 1 edges will arrive
    b.start(b.new_block("entry")); b.jump(loop)
    b.start(loop)
    b.write(n, b.emit(Value(ops.SUB, I64, [b.read(n), b.const(I64, 1)])))
    b.branch(b.emit(Compare(ops.GT, I64, [b.read(n), b.const(I64, 0)])), loop, out)
    b.start(out); b.ret(b.read(n))
    function = b.finish()

Code that cannot be reached (after a jump, before the next `start`; in a block no edge leads to) may be emitted all the same
and vanishes.  A variable read before it is written is 0.
"""

from __future__ import annotations

from septet.base.names import Fresh
from septet.base.symbols import FUNCTION, Symbol
from septet.base.types import CODE, PTR, VOID, Type
from septet.ir.forward import final, forward, resolve, stands_for
from septet.ir.nodes import ARRAYS, Address, Block, Branch, Const, Function, Line, Phi, Value
from septet.ir.phis import remove_redundant
from septet.ops import table as ops
from septet.ops.table import COPY, PHI

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from typing import Protocol

    from septet.base.symbols import Line as Where

    class Variable(Hashable, Protocol):
        """What the code assigns to."""

        @property
        def name(self) -> str: ...
        @property
        def type(self) -> Type: ...


NEAR = 4  # blocks that are looked at on each way to a join before a phi is made


class OpenBlock(Block):
    """A block under construction."""

    __slots__ = ("before", "values", "incomplete", "waiting")

    def __init__(self, name: str, waiting: int) -> None:
        super().__init__(name)
        self.before: list[OpenBlock] = []  # predecessors so far, in the order of their edges
        self.values: dict[Variable, Value] = {}  # what variables are at its end, as far as known
        self.incomplete: list[tuple[Variable, Phi]] = []  # phis that wait for the last predecessor
        self.waiting = waiting  # edges still to come; negative where nobody knows; 0 where sealed


class Builder:
    """Builds one function, block by block.

    `body` and `values` are the current block's list of values and its map from variables to values: a front end in a hurry
    may append to the one and write to the other directly, the latter where value and variable have one type.
    """

    __slots__ = (
        "function",
        "body",
        "values",
        "here",
        "fresh",
        "_constants",
        "_symbols",
        "_pending",
        "_made",
        "_searching",
        "_nowhere",
    )

    def __init__(self, name: str, result: Type, line: int = 1, phase: str = ARRAYS, labels: Iterable[str] = ()) -> None:
        """`labels` are block names that `new_block` must keep away from."""
        self.function = Function(name, result, [], [], line, phase)
        self.fresh = Fresh(labels)
        self._constants: dict[tuple[Type, int], Const] = {}
        self._symbols: dict[Symbol | Where, Value] = {}
        self._pending: list[tuple[Variable, Phi, OpenBlock]] = []
        self._made: list[Value] = []  # every phi that reading variables took
        self._searching = Const(VOID, 0)  # marks the blocks that a search has passed
        self._nowhere = OpenBlock("", 0)
        self._leave()

    # Values that stand in no block.

    def parameter(self, name: str, type: Type) -> Value:
        """The next parameter."""
        value = Value(ops.PARAM, type, [], name=name)
        self.function.parameters.append(value)
        return value

    def const(self, type: Type, number: int) -> Const:
        """The constant `number` (natural for `type`); one object a function."""
        found = self._constants.get((type, number))
        if found is None:
            found = self._constants[type, number] = Const(type, number)
        return found

    def address(self, symbol: Symbol) -> Value:
        """The address of a function (of type `code`) or of data (`ptr`); one object a function."""
        found = self._symbols.get(symbol)
        if found is None:
            found = self._symbols[symbol] = Address(symbol, CODE if symbol.kind == FUNCTION else PTR)
        return found

    def line(self, where: Where) -> Value:
        """The encoded absolute line that `where` says; one object a function."""
        found = self._symbols.get(where)
        if found is None:
            found = self._symbols[where] = Line(where)
        return found

    # Blocks.

    def block(self, name: str, edges: int = -1) -> OpenBlock:
        """A block to `start` later.  Where it is known how many edges will lead there, counting those from code that cannot
        be reached and both of a branch with equal targets, it is sealed by itself; else by `seal`, or when finishing."""
        self.fresh.taken.add(name)
        return OpenBlock(name, edges)

    def new_block(self, stem: str, edges: int = -1) -> OpenBlock:
        """A block with a fresh name."""
        return OpenBlock(self.fresh(stem), edges)

    def start(self, block: OpenBlock) -> None:
        """Go on in `block`.  The first one started is the entry; the order of starting is the blocks' order."""
        blocks = self.function.blocks
        if not blocks:
            block.waiting = 0
        elif not block.waiting and not block.before:
            self._leave()
            return
        blocks.append(block)
        self.here = block
        self.body = block.body
        self.values = block.values

    def seal(self, block: OpenBlock) -> None:
        """No more edges will lead to `block`."""
        block.waiting = 0
        if block.incomplete:
            self._pending += [(variable, phi, block) for variable, phi in block.incomplete]
            block.incomplete = []
            self._fill()

    @property
    def ended(self) -> bool:
        """Whether code emitted now cannot be reached."""
        return self.here is self._nowhere

    # Code.

    def emit(self, value: Value) -> Value:
        """Append an instruction to the current block."""
        self.body.append(value)
        return value

    def write(self, variable: Variable, value: Value) -> None:
        """Assign to a variable.  Where the value's type would mislead later uses a BITCAST comes between."""
        if not stands_for(variable.type, value.type):
            value = self.emit(Value(ops.BITCAST, variable.type, [value], value.span, "", variable.name))
        self.values[variable] = value

    def read(self, variable: Variable) -> Value:
        """What a variable is here."""
        value = self.values.get(variable)
        if value is None:
            value = self._find(variable, self.here)
            if self._pending:
                self._fill()
        return final(value) if value.op is COPY else value

    def read_end(self, variable: Variable, block: OpenBlock) -> Value:
        """What a variable is at the end of `block`, which has ended."""
        value = block.values.get(variable)
        if value is None:
            value = self._find(variable, block)
            if self._pending:
                self._fill()
        return final(value) if value.op is COPY else value

    def jump(self, target: OpenBlock, span: int = 0) -> None:
        """End the block with a jump."""
        self.body.append(Branch(ops.BR, [], [target], span))
        self._edge(target)
        self._leave()

    def branch(self, condition: Value, then: OpenBlock, other: OpenBlock, span: int = 0) -> None:
        """End the block: to `then` where the bool is 1, else to `other`.  With equal targets it becomes a jump."""
        if then is other:
            if then.waiting > 0:
                then.waiting -= 1
            self.jump(then, span)
            return
        self.body.append(Branch(ops.BR_IF, [condition], [then, other], span))
        self._edge(then)
        self._edge(other)
        self._leave()

    def ret(self, value: Value | None = None, span: int = 0) -> None:
        """End the block and the function."""
        self.body.append(Value(ops.RETURN, VOID, [] if value is None else [value], span))
        self._leave()

    def finish(self) -> Function:
        """The function: what cannot be reached dropped, no phi that is not needed.  Every block started must have ended."""
        blocks: list[OpenBlock] = self.function.blocks  # type: ignore[assignment]
        assert self.ended, f"block {self.here} has no end"
        for block in blocks:
            if block.waiting:
                self.seal(block)
        self._drop_unreachable(blocks)
        if self._made:
            made = set(self._made)  # those of the text stay, and those of dropped blocks are gone
            remove_redundant([phi for block in blocks for phi in block.phis if phi in made and phi.op is PHI])
        resolve(self.function)
        for block in blocks:
            block.values = {}
            block.before = []
        return self.function

    # How it is done.

    def _leave(self) -> None:
        nowhere = self._nowhere
        nowhere.body = []
        nowhere.values = {}
        self.here = nowhere
        self.body = nowhere.body
        self.values = nowhere.values

    def _edge(self, target: OpenBlock) -> None:
        if self.here is not self._nowhere:
            target.before.append(self.here)
        if target.waiting > 0:
            target.waiting -= 1
            if not target.waiting and target.incomplete:
                self.seal(target)

    def _find(self, variable: Variable, block: OpenBlock) -> Value:
        """What `variable` is at the end of `block`, which does not say itself; new phis with all predecessors known go to
        `_pending`, to be filled by the caller."""
        path = [block]
        value: Value | None
        searching = self._searching
        while True:
            block.values[variable] = searching
            before = block.before
            if block.waiting or len(before) > 1:
                value = None if block.waiting else self._agreed(variable, before)
                if value is None:
                    value = self._phi(variable, block)
                break
            if not before:
                value = self.const(variable.type, 0)
                break
            block = before[0]
            found = block.values.get(variable)
            if found is None:
                path.append(block)
            elif found is searching:  # round a loop that nothing enters
                value = self.const(variable.type, 0)
                break
            else:
                value = found
                break
        for block in path:
            block.values[variable] = value
        return value

    def _agreed(self, variable: Variable, before: list[OpenBlock]) -> Value | None:
        """The value that `variable` has at the ends of all of `before`, if a short look finds one: then no phi is needed."""
        only: Value | None = None
        for block in before:
            value = block.values.get(variable)
            steps = NEAR
            while value is None:
                if not steps or block.waiting or len(block.before) != 1:
                    return None
                steps -= 1
                block = block.before[0]
                value = block.values.get(variable)
            if value.op is COPY:
                value = final(value)
            if value is self._searching or only is not None and value is not only:
                return None
            only = value
        return only

    def _phi(self, variable: Variable, block: OpenBlock) -> Phi:
        phi = Phi(variable.type, [], [], name=variable.name)
        block.phis.append(phi)
        self._made.append(phi)
        if block.waiting:
            block.incomplete.append((variable, phi))
        else:
            self._pending.append((variable, phi, block))
        return phi

    def _fill(self) -> None:
        """Give the pending phis their operands, and those that turn up meanwhile; then forward the trivial ones."""
        pending = self._pending
        for variable, phi, block in pending:  # grows
            args = phi.args
            for before in block.before:
                value = before.values.get(variable)
                args.append(self._find(variable, before) if value is None else value)
            phi.blocks = list(block.before)
        for _, phi, _ in reversed(pending):
            only: Value | None = None
            for arg in phi.args:
                if arg.op is COPY:
                    arg = final(arg)
                if arg is not phi and arg is not only:
                    if only is not None:
                        break
                    only = arg
            else:
                forward(phi, self.const(phi.type, 0) if only is None else only)
        pending.clear()

    def _drop_unreachable(self, blocks: list[OpenBlock]) -> None:
        reached = {blocks[0]}
        todo: list[Block] = [blocks[0]]
        while todo:
            for target in todo.pop().successors:
                if target not in reached:
                    assert isinstance(target, OpenBlock)
                    reached.add(target)
                    todo.append(target)
        if len(reached) == len(blocks):
            return
        blocks[:] = [block for block in blocks if block in reached]
        for block in blocks:
            keep = [block in reached for block in block.before]
            if block.phis and not all(keep):
                for phi in block.phis:
                    if phi.op is PHI:
                        phi.args = [arg for arg, kept in zip(phi.args, keep, strict=True) if kept]
                        phi.blocks = [b for b, kept in zip(phi.blocks, keep, strict=True) if kept]
