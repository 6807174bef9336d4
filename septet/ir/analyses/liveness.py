"""Which values are live on entry to and at the end of each block.

    :while                          live_in(:while) has %n and %sum, not %i: a phi is defined on the way in
      int64 %i <- phi (...)         live_out of a predecessor has what the phi takes from it

Sets are Python integers: bit `number[value]` is set for a value that is live.  Backward over the blocks until nothing changes
(Aho, Lam, Sethi, Ullman: Compilers, section 9.2.5, for SSA); two or three sweeps for reducible graphs in program order.
"""

from __future__ import annotations

from septet.ops.table import CONST, SYMBOL_ADDRESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value


class Liveness:
    """Bit sets over the values of a function that are used."""

    __slots__ = ("number", "values", "_in", "_out")

    def __init__(self, function: Function, facts: Facts | None = None) -> None:
        self.number: dict[Value, int] = {}
        self.values: list[Value] = []  # by number
        used: dict[Block, int] = {}
        defined: dict[Block, int] = {}
        through: dict[Block, int] = dict.fromkeys(function.blocks, 0)  # what phis of successors take
        for block in function.blocks:
            for phi in block.phis:
                for arg, before in zip(phi.args, phi.blocks, strict=True):
                    through[before] |= self._bit(arg)
        for block in function.blocks:
            here = 0
            for phi in block.phis:
                here |= self._bit(phi)
            uses = 0
            for value in block.body:
                for arg in value.args:
                    uses |= self._bit(arg) & ~here
                here |= self._bit(value)
            used[block], defined[block] = uses, here
        self._in: dict[Block, int] = dict.fromkeys(function.blocks, 0)
        self._out = dict(through)
        changed = True
        while changed:
            changed = False
            for block in reversed(function.blocks):
                out = through[block]
                for target in block.successors:
                    out |= self._in[target]
                needed = used[block] | out & ~defined[block]
                if needed != self._in[block] or out != self._out[block]:
                    self._in[block], self._out[block] = needed, out
                    changed = True

    def _bit(self, value: Value) -> int:
        if value.op is CONST or value.op is SYMBOL_ADDRESS:
            return 0
        number = self.number.get(value)
        if number is None:
            number = self.number[value] = len(self.values)
            self.values.append(value)
        return 1 << number

    def live_in(self, block: Block) -> int:
        """What is needed in `block` or behind it and defined before it; its phis are not."""
        return self._in[block]

    def live_out(self, block: Block) -> int:
        """What is needed behind `block`, operands of its successors' phis among it."""
        return self._out[block]

    def state(self) -> tuple[dict[Block, int], dict[Block, int]]:
        """All that is known, to compare."""
        return self._in, self._out
