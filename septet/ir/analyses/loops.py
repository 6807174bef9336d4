"""How deep in loops blocks are."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Block, Function


def depths(function: Function) -> list[int]:
    """For each block how many natural loops it is in (Aho, Sethi, Ullman).

    A back edge leads to a block that dominates it.  Found without dominators: from the edge's start everything that leads
    there is gathered, up to its end; if that meets the entry, the end does not dominate the start.
    """
    blocks = function.blocks
    number = {block: index for index, block in enumerate(blocks)}
    before: list[list[int]] = [[] for _ in blocks]
    retreating: dict[int, list[int]] = {}
    edges: list[tuple[int, int]] = []
    for index, block in enumerate(blocks):
        for target in block.successors:
            to = number[target]
            before[to].append(index)
            edges.append((index, to))
    if all(start < end for start, end in edges):
        return [0] * len(blocks)
    for start, end in _retreating(blocks, number, before, edges):
        retreating.setdefault(end, []).append(start)
    depth = [0] * len(blocks)
    for header, latches in retreating.items():
        body = {header}
        for latch in latches:
            part = _leading_to(latch, header, before)
            if 0 not in part or header == 0:
                body |= part
        if len(body) > 1 or header in latches:
            for index in body:
                depth[index] += 1
    return depth


def _retreating(
    blocks: list[Block], number: dict[Block, int], before: list[list[int]], edges: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Edges among which all back edges are: those that lead back in an order in which dominators come first."""
    if all(any(p < index for p in before[index]) for index in range(1, len(blocks))):
        return [(start, end) for start, end in edges if end <= start]
    from septet.base.graph import reverse_postorder

    order = reverse_postorder([[number[target] for target in block.successors] for block in blocks])
    position = {index: place for place, index in enumerate(order)}
    return [(start, end) for start, end in edges if position[end] <= position[start]]


def _leading_to(start: int, end: int, before: list[list[int]]) -> set[int]:
    """`start` and all blocks from which it can be reached without passing `end`."""
    found = {end}
    todo = [start]
    while todo:
        index = todo.pop()
        if index not in found:
            found.add(index)
            todo += before[index]
    return found
