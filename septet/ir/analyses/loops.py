"""The loops of a function: what is in them, how they nest, how they are entered and left.

    :loop                        Loop(header :loop, latches [:more], blocks :loop :body :more, depth 1,
      br %c :body :out                preheader :entry if it leads nowhere else, exits [(:loop, :out)])
    :body
      ...
    :more
      br :loop

Havlak: Nesting of Reducible and Irreducible Loops (1997).  Headers are visited innermost first; from the back edges of each
everything that leads there is gathered, inner loops counting as single blocks, and becomes one block with the header.  A loop
with several entries counts as the one of its header that is met first, and is not `natural`.  Near-linear time.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function


class Loop:
    """One loop.  Its lists are of the function as it was when `Loops` looked at it."""

    __slots__ = ("header", "latches", "parent", "children", "depth", "preheader", "natural", "own", "_order", "_blocks")

    def __init__(self, header: Block, parent: Loop | None, order: dict[Block, int]) -> None:
        self.header = header
        self.latches: list[Block] = []  # inside, with an edge to the header
        self.parent = parent
        self.children: list[Loop] = []
        self.depth: int = 1 if parent is None else parent.depth + 1  # 1 is outermost
        self.preheader: Block | None = None  # the only block outside that leads to the header, if it leads nowhere else
        self.natural = True  # whether the header is the only entry
        self.own: list[Block] = []  # those of its blocks that are in no inner loop, in program order
        self._order = order
        self._blocks: dict[Block, None] | None = None

    @property
    def blocks(self) -> dict[Block, None]:
        """Its blocks in program order, those of inner loops among them."""
        if self._blocks is None:
            found: list[Block] = []
            todo = [self]
            while todo:
                loop = todo.pop()
                found += loop.own
                todo += loop.children
            found.sort(key=self._order.__getitem__)
            self._blocks = dict.fromkeys(found)
        return self._blocks

    @property
    def exits(self) -> list[tuple[Block, Block]]:
        """The edges that leave it, from inside to outside, in program order."""
        blocks = self.blocks
        return [(block, target) for block in blocks for target in block.successors if target not in blocks]

    def __repr__(self) -> str:
        return f"<loop {self.header} of depth {self.depth}>"


class Loops:
    """All loops of a function whose blocks can all be reached."""

    __slots__ = ("loops", "before", "_innermost")

    def __init__(self, function: Function, facts: Facts | None = None) -> None:
        self.loops: list[Loop] = []  # inner ones before those around them
        self.before: dict[Block, list[Block]] = {}  # the predecessors of each block; empty where there are no loops
        self._innermost: dict[Block, Loop] = {}
        blocks = function.blocks
        number = {block: index for index, block in enumerate(blocks)}
        successors = [[number[target] for target in block.successors] for block in blocks]
        if all(index < target for index, targets in enumerate(successors) for target in targets):
            return
        order, header, latches = _forest(successors)
        made: dict[int, Loop] = {}
        for position, index in enumerate(order):  # headers come before what is in their loops
            outer = made.get(header[position])
            if latches[position]:
                made[position] = Loop(blocks[index], outer, number)
                if outer is not None:
                    outer.children.append(made[position])
        places = {index: position for position, index in enumerate(order)}
        for index, block in enumerate(blocks):
            position = places[index]
            loop = made.get(position) or made.get(header[position])
            if loop is not None:
                self._innermost[block] = loop
                loop.own.append(block)
        self.loops = [made[position] for position in sorted(made, reverse=True)]
        self._edges(function)

    def _edges(self, function: Function) -> None:
        """Fill in latches, preheaders and entries."""
        before = self.before = {block: [] for block in function.blocks}
        for block in function.blocks:
            for target in block.successors:
                before[target].append(block)
        for loop in self.loops:
            header = loop.header
            outside: list[Block] = []
            for block in before[header]:
                (loop.latches if self.contains(loop, block) else outside).append(block)
            if len(outside) == 1 and len(outside[0].successors) == 1:
                loop.preheader = outside[0]
        for block, inner in self._innermost.items():  # an edge into a loop leads to its header or makes it unnatural
            for start in before[block]:
                around: Loop | None = inner
                while around is not None and not self.contains(around, start):
                    if block is not around.header:
                        around.natural = False
                    around = around.parent

    def state(self) -> list[tuple[object, ...]]:
        """All that it says, to be compared."""
        return [
            (loop.header, loop.latches, loop.parent and loop.parent.header, loop.preheader, loop.natural, list(loop.blocks))
            for loop in self.loops
        ]

    def innermost(self, block: Block) -> Loop | None:
        """The innermost loop that `block` is in."""
        return self._innermost.get(block)

    def place(self, block: Block, loop: Loop | None) -> None:
        """Note that a block is in `loop` now: for passes that go on asking while they change the graph."""
        if loop is not None:
            self._innermost[block] = loop

    def contains(self, loop: Loop, block: Block) -> bool:
        """Whether `block` is in `loop` or in one inside it."""
        inner = self._innermost.get(block)
        while inner is not None and inner.depth > loop.depth:
            inner = inner.parent
        return inner is loop


def depths(function: Function) -> list[int]:
    """For each block, all of which can be reached, how many loops it is in."""
    blocks = function.blocks
    number = {block: index for index, block in enumerate(blocks)}
    successors = [[number[target] for target in block.successors] for block in blocks]
    if all(index < target for index, targets in enumerate(successors) for target in targets):
        return [0] * len(blocks)
    order, header, latches = _forest(successors)
    depth = [0] * len(blocks)
    result = [0] * len(blocks)
    for position, index in enumerate(order):  # headers come before what is in their loops
        outer = header[position]
        result[index] = depth[position] = (depth[outer] if outer >= 0 else 0) + bool(latches[position])
    return result


def _forest(successors: list[list[int]]) -> tuple[list[int], list[int], list[list[int]]]:
    """The nodes in the order in which a depth-first search meets them; for each place in that order, the place of the header
    of the innermost loop around it (for a header, around its loop) or -1, and the places of its latches."""
    order, last = _descend(successors)
    place = [0] * len(successors)
    for position, index in enumerate(order):
        place[index] = position
    before: list[list[int]] = [[] for _ in successors]  # by place, edges from below left out
    latches: list[list[int]] = [[] for _ in successors]
    for index, targets in enumerate(successors):
        start = place[index]
        for target in targets:
            end = place[target]
            (latches if end <= start <= last[end] else before)[end].append(start)
    return order, _headers(before, latches, last), latches


def _descend(successors: list[list[int]]) -> tuple[list[int], list[int]]:
    """The nodes in the order in which a depth-first search from node 0 meets them; for each place in that order, the last
    place that is below it in the search's tree."""
    order: list[int] = []
    place = [-1] * len(successors)
    last = [0] * len(successors)
    stack = [(0, iter(successors[0]))]
    place[0] = 0
    order.append(0)
    while stack:
        node, rest = stack[-1]
        for target in rest:
            if place[target] < 0:
                place[target] = len(order)
                order.append(target)
                stack.append((target, iter(successors[target])))
                break
        else:
            stack.pop()
            last[place[node]] = len(order) - 1
    return order, last


def _headers(before: list[list[int]], latches: list[list[int]], last: list[int]) -> list[int]:
    """For each place, the place of the header of the innermost loop around it, for a header around its loop; or -1."""
    header = [-1] * len(before)
    merged = list(range(len(before)))  # a forest: what each has become one with
    for head in range(len(before) - 1, -1, -1):
        if not latches[head]:
            continue
        body: set[int] = set()
        todo = [_root(merged, latch) for latch in latches[head]]
        while todo:
            node = todo.pop()
            if node == head or node in body:
                continue
            body.add(node)
            for other in before[node]:
                root = _root(merged, other)
                if head <= root <= last[head]:
                    todo.append(root)
                else:  # another entry
                    before[head].append(root)
        for node in body:
            header[node] = head
            merged[node] = head
    return header


def _root(merged: list[int], node: int) -> int:
    while merged[node] != node:
        merged[node] = merged[merged[node]]
        node = merged[node]
    return node
