"""Who uses each value, and in which block each stands.

    i64 %a <- %n * 2
    i64 %b <- %a + %a          of(%a) is [%b, %b's user ...]: each user once an operand, in program order

Linear in the function's size.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value


class Uses:
    """The users and the block of every value."""

    __slots__ = ("users", "blocks")

    def __init__(self, function: Function, facts: Facts | None = None) -> None:
        users: dict[Value, list[Value]] = {}
        blocks: dict[Value, Block] = {}
        for block in function.blocks:
            for values in (block.phis, block.body):
                for value in values:
                    blocks[value] = block
                    for arg in value.args:
                        found = users.get(arg)
                        if found is None:
                            users[arg] = [value]
                        else:
                            found.append(value)
        self.users = users
        self.blocks = blocks

    def of(self, value: Value) -> list[Value]:
        """The values, phis and terminators that have `value` as an operand, in program order, as often as they have it."""
        return self.users.get(value, [])

    def block_of(self, value: Value) -> Block | None:
        """The block that `value` stands in; None for constants, addresses and parameters."""
        return self.blocks.get(value)
