"""How deep in loops blocks are."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Function


def depths(function: Function) -> list[int]:
    """For each block, all of which can be reached, how many loops it is in; near-linear time.

    Havlak: Nesting of Reducible and Irreducible Loops (1997).  Headers are visited innermost first; from the back edges of
    each everything that leads there is gathered, inner loops counting as single blocks, and becomes one block with the header.
    A loop with several entries counts as the one of its header that is met first.
    """
    blocks = function.blocks
    number = {block: index for index, block in enumerate(blocks)}
    successors = [[number[target] for target in block.successors] for block in blocks]
    if all(index < target for index, targets in enumerate(successors) for target in targets):
        return [0] * len(blocks)
    order, last = _descend(successors)
    place = [0] * len(blocks)
    for position, index in enumerate(order):
        place[index] = position
    before: list[list[int]] = [[] for _ in blocks]  # by place, edges from below left out
    latches: list[list[int]] = [[] for _ in blocks]
    for index, targets in enumerate(successors):
        start = place[index]
        for target in targets:
            end = place[target]
            (latches if end <= start <= last[end] else before)[end].append(start)
    header = _headers(before, latches, last)
    depth = [0] * len(blocks)
    for position in range(len(blocks)):  # headers come before what is in their loops
        outer = header[position]
        depth[position] = (depth[outer] if outer >= 0 else 0) + bool(latches[position])
    return [depth[place[index]] for index in range(len(blocks))]


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
