"""Cutting a block in two, for passes that put blocks in the place of one of its values."""

from __future__ import annotations

from septet.ir.nodes import Memory
from septet.ops.table import STORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Block


def may_cut(block: Block) -> bool:
    """Whether no object is made in `block` bit by bit: what is stored in classes `length` and `descriptor` must stay in the
    block that allocates the object."""
    return not any(
        value.op is STORE and isinstance(value, Memory) and value.alias in ("length", "descriptor") for value in block.body
    )


def rename_before(blocks: list[Block], old: Block, new: Block) -> None:
    """Let the phis of `blocks` that name the predecessor `old` name `new`."""
    for block in blocks:
        for phi in block.phis:
            phi.blocks = [new if before is old else before for before in phi.blocks]
