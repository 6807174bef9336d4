"""Which block dominates which: control comes to the second only through the first."""

from __future__ import annotations

from septet.base.graph import dominators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Block, Function


class Dominators:
    """The dominator tree of a function all of whose blocks can be reached.

    Blocks are numbered on the way down and up the tree, so that a question costs two comparisons.
    """

    __slots__ = ("parent", "children", "_enter", "_leave")

    def __init__(self, function: Function) -> None:
        blocks = function.blocks
        number = {block: index for index, block in enumerate(blocks)}
        parents = dominators([[number[target] for target in block.successors] for block in blocks])
        self.parent: dict[Block, Block] = {block: blocks[parents[number[block]]] for block in blocks}
        self.children: dict[Block, list[Block]] = {block: [] for block in blocks}
        for block in blocks[1:]:
            self.children[self.parent[block]].append(block)
        self._enter: dict[Block, int] = {}
        self._leave: dict[Block, int] = {}
        clock = 0
        todo: list[tuple[Block, bool]] = [(blocks[0], False)]
        while todo:
            block, done = todo.pop()
            clock += 1
            if done:
                self._leave[block] = clock
            else:
                self._enter[block] = clock
                todo.append((block, True))
                todo += [(child, False) for child in reversed(self.children[block])]

    def dominates(self, upper: Block, lower: Block) -> bool:
        """Whether control comes to `lower` only through `upper`; every block dominates itself."""
        return self._enter[upper] <= self._enter[lower] and self._leave[lower] <= self._leave[upper]
