"""Algorithms on control-flow graphs whose nodes are numbered 0..n-1, the entry being 0."""

from __future__ import annotations


def predecessors(successors: list[list[int]]) -> list[list[int]]:
    """For each node its predecessors, in the order of the nodes; an edge that stands twice counts twice."""
    result: list[list[int]] = [[] for _ in successors]
    for node, targets in enumerate(successors):
        for target in targets:
            result[target].append(node)
    return result


def reverse_postorder(successors: list[list[int]]) -> list[int]:
    """The nodes reachable from node 0, each before its successors but for back edges."""
    order: list[int] = []
    seen = bytearray(len(successors))
    if not successors:
        return order
    seen[0] = 1
    stack = [(0, iter(successors[0]))]
    while stack:
        node, rest = stack[-1]
        for target in rest:
            if not seen[target]:
                seen[target] = 1
                stack.append((target, iter(successors[target])))
                break
        else:
            stack.pop()
            order.append(node)
    order.reverse()
    return order


def dominators(successors: list[list[int]]) -> list[int]:
    """The immediate dominator of each node; 0 for node 0, -1 for unreachable ones.

    Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm (2001).
    """
    order = reverse_postorder(successors)
    number = [-1] * len(successors)
    for position, node in enumerate(order):
        number[node] = position
    before = predecessors(successors)
    parent = [-1] * len(successors)
    if order:
        parent[0] = 0
    changed = True
    while changed:
        changed = False
        for node in order[1:]:
            best = -1
            for other in before[node]:
                if parent[other] < 0:
                    continue
                if best < 0:
                    best = other
                    continue
                while other != best:
                    while number[other] > number[best]:
                        other = parent[other]
                    while number[best] > number[other]:
                        best = parent[best]
            if parent[node] != best:
                parent[node] = best
                changed = True
    return parent


def loop_depths(successors: list[list[int]]) -> list[int]:
    """How many natural loops each node is in (Aho, Sethi, Ullman); 0 for unreachable nodes."""
    parent = dominators(successors)
    before = predecessors(successors)
    depth = [0] * len(successors)
    for header in range(len(successors)):
        latches = [p for p in before[header] if parent[p] >= 0 and _dominates(parent, header, p)]
        if parent[header] < 0 or not latches:
            continue
        body = {header}
        todo = latches
        while todo:
            node = todo.pop()
            if node not in body:
                body.add(node)
                todo.extend(p for p in before[node] if parent[p] >= 0)
        for node in body:
            depth[node] += 1
    return depth


def _dominates(parent: list[int], node: int, other: int) -> bool:
    while other != node and other != 0:
        other = parent[other]
    return other == node
