"""Copies of blocks inside their function, for passes that duplicate code.

    values = {}
    blocks = clone_blocks(region, values, fresh)      blocks[b] is the copy of b, values[v] the copy of v
    copy_edge(target, b, blocks[b], values)           for every edge out of the region: the phis there get an operand
    redefine(function, {v: {b: v, blocks[b]: values[v]}}, ...)       see `ir.redefine`, for what is used behind the region

Edges inside the region lead to copies, edges out of it where the originals lead; edges into the copies, and the operands that
copied phis have for predecessors outside the region (still those of the originals), are up to the caller.
"""

from __future__ import annotations

from septet.ir.copy import copy_value
from septet.ir.nodes import Block, Branch, Phi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from septet.base.names import Fresh
    from septet.ir.nodes import Value


def clone_blocks(region: Iterable[Block], values: dict[Value, Value], fresh: Fresh, by: str = "") -> dict[Block, Block]:
    """Copies of the blocks of `region`, with fresh names, by original; they belong to no function yet.

    `values` says what operands become, and gets every value's copy; copies of values that `by` is given for say that.
    """
    blocks = {block: Block(fresh(block.name)) for block in region}
    for block, new in blocks.items():
        for phi in block.phis:
            copy = Phi(phi.type, phi.args, [blocks.get(origin, origin) for origin in phi.blocks], phi.span, phi.by, phi.name)
            values[phi] = copy
            new.phis.append(copy)
        new.body = copies(block.body, values)
    get = values.get
    for new in blocks.values():
        for phi in new.phis:
            phi.args = [get(arg, arg) for arg in phi.args]
        for value in new.body:
            value.args = [get(arg, arg) for arg in value.args]
        last = new.body[-1]
        if isinstance(last, Branch):
            last.targets = [blocks.get(target, target) for target in last.targets]
        if by:
            for value in (*new.phis, *new.body):
                value.by = by
    return blocks


def copies(body: list[Value], values: dict[Value, Value]) -> list[Value]:
    """Copies of the values of one block, entered into `values`; an operand that comes later is not replaced."""
    made: list[Value] = []
    get = values.get
    for value in body:
        copy = values[value] = copy_value(value)
        copy.args = [get(arg, arg) for arg in value.args]
        made.append(copy)
    return made


def copy_edge(target: Block, block: Block, new: Block, values: dict[Value, Value]) -> None:
    """Let `new`, the copy of `block`, lead to `target` too: its phis get what they have for `block`, as `values` says."""
    for phi in target.phis:
        arg = phi.args[phi.blocks.index(block)]
        phi.args = [*phi.args, values.get(arg, arg)]
        phi.blocks = [*phi.blocks, new]


def move_edge(block: Block, old: Block, new: Block) -> None:
    """Let the edge from `block` to `old` lead to `new`.  Phis are up to the caller."""
    last = block.body[-1]
    assert isinstance(last, Branch)
    last.targets = [new if target is old else target for target in last.targets]
