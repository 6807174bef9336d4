"""Taking out blocks that nothing leads to."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Block, Function


def drop_unreachable(function: Function) -> bool:
    """Take out the blocks that cannot be reached, and their operands of phis; whether there were any."""
    entry = function.blocks[0]
    reached = {entry}
    todo: list[Block] = [entry]
    while todo:
        for target in todo.pop().successors:
            if target not in reached:
                reached.add(target)
                todo.append(target)
    if len(reached) == len(function.blocks):
        return False
    for block in function.blocks:
        if block not in reached:
            for target in dict.fromkeys(block.successors):
                if target in reached:
                    drop_edge(block, target)
    function.blocks = [block for block in function.blocks if block in reached]
    return True


def drop_edge(block: Block, target: Block) -> None:
    """Take out the operands that phis of `target` have for `block`."""
    for phi in target.phis:
        index = phi.blocks.index(block)
        phi.args = phi.args[:index] + phi.args[index + 1 :]
        phi.blocks = phi.blocks[:index] + phi.blocks[index + 1 :]
