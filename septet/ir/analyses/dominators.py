"""Which block dominates which: control comes to the second only through the first; and which come after which in any case."""

from __future__ import annotations

from septet.base.graph import dominators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function


class Dominators:
    """The dominator tree of a function all of whose blocks can be reached.

    Blocks are numbered on the way down and up the tree, so that a question costs two comparisons.
    """

    __slots__ = ("parent", "children", "_blocks", "_enter", "_leave", "_frontiers")

    def __init__(self, function: Function, facts: Facts | None = None) -> None:
        self._blocks = blocks = function.blocks
        number = {block: index for index, block in enumerate(blocks)}
        parents = dominators([[number[target] for target in block.successors] for block in blocks])
        self.parent: dict[Block, Block] = {block: blocks[parents[number[block]]] for block in blocks}
        self.children: dict[Block, list[Block]] = {block: [] for block in blocks}
        for block in blocks[1:]:
            self.children[self.parent[block]].append(block)
        self._frontiers: dict[Block, list[Block]] | None = None
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

    def frontier(self, block: Block) -> list[Block]:
        """Where the dominance of `block` ends: the blocks that it does not dominate properly, but a predecessor of them; in
        the function's order.

        All are found when the first is asked for (Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm, 2001): from each
        predecessor of a join up to the join's parent.  Their sizes together can be quadratic, for deep nests of loops.
        """
        if self._frontiers is None:
            before: dict[Block, list[Block]] = {other: [] for other in self._blocks}
            for other in self._blocks:
                for target in other.successors:
                    before[target].append(other)
            self._frontiers = _frontiers(before, self.parent)
        return self._frontiers[block]

    def state(self) -> object:
        """What two analyses of the same function have alike."""
        return self.parent


def _frontiers(before: dict[Block, list[Block]], parent: dict[Block, Block]) -> dict[Block, list[Block]]:
    """The frontier of each block, of which those `before` it are given; a block without a parent is the root."""
    frontiers: dict[Block, dict[Block, None]] = {block: {} for block in before}
    for block, others in before.items():
        top = parent.get(block)
        for other in others:
            runner: Block | None = other
            while runner is not None and (runner is not top or runner is block):
                if block in frontiers[runner]:
                    break
                frontiers[runner][block] = None
                above = parent.get(runner)
                runner = None if above is runner else above
    return {block: list(frontier) for block, frontier in frontiers.items()}


class PostDominators:
    """Which block comes after which in any case, if the function returns.

    `parent` is the nearest block through which control comes on every way from a block to a return; it is missing where there
    is none.  Loops without a way out count as if they could return from their blocks that come last in the function (the least
    that makes every block reach an end), listed in `stuck`.
    """

    __slots__ = ("parent", "stuck", "_after", "_frontiers")

    def __init__(self, function: Function, facts: Facts | None = None) -> None:
        blocks = function.blocks
        number = {block: index for index, block in enumerate(blocks, 1)}  # 0 is the end of all
        backwards: list[list[int]] = [[] for _ in range(len(blocks) + 1)]
        for block in blocks:
            targets = block.successors
            for target in targets:
                backwards[number[target]].append(number[block])
            if not targets:
                backwards[0].append(number[block])
        self.stuck: list[Block] = []
        reached = bytearray(len(blocks) + 1)
        todo = [0]
        for index in range(len(blocks), -1, -1):
            while todo:
                node = todo.pop()
                if not reached[node]:
                    reached[node] = 1
                    todo += backwards[node]
            if index and not reached[index]:
                backwards[0].append(index)
                self.stuck.append(blocks[index - 1])
                todo.append(index)
        found = dominators(backwards)
        self.parent: dict[Block, Block] = {block: blocks[found[n] - 1] for block, n in number.items() if found[n] > 0}
        self._after = {block: block.successors for block in blocks}
        self._frontiers: dict[Block, list[Block]] | None = None

    def frontier(self, block: Block) -> list[Block]:
        """The blocks whose branch decides whether control comes to `block`: the branches it is control dependent on
        (Cytron, Ferrante, Rosen, Wegman, Zadeck: Efficiently Computing Static Single Assignment Form, 1991, section 6)."""
        if self._frontiers is None:
            self._frontiers = _frontiers(self._after, self.parent)
        return self._frontiers[block]

    def state(self) -> object:
        """What two analyses of the same function have alike."""
        return self.parent
