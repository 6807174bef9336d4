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

    Lengauer, Tarjan: A Fast Algorithm for Finding Dominators in a Flowgraph (1979), the simple form: m log n for m edges.
    (The iterative method of Cooper, Harvey and Kennedy is quadratic where many branches lead to one exit.)
    """
    order, parent = _search(successors)  # from here on nodes are places in `order`
    count = len(order)
    place = dict(zip(order, range(count), strict=True))
    before: list[list[int]] = [[] for _ in order]
    for start, node in enumerate(order):
        for target in successors[node]:
            before[place[target]].append(start)
    semi = list(range(count))
    best = list(range(count))  # the node with the least semidominator on the way up the forest
    above = [-1] * count  # the forest
    bucket: list[list[int]] = [[] for _ in order]
    immediate = [0] * count
    for node in range(count - 1, 0, -1):
        for start in before[node]:
            semi[node] = min(semi[node], semi[_least(start, semi, best, above)])
        bucket[semi[node]].append(node)
        top = above[node] = parent[node]
        for other in bucket[top]:
            found = _least(other, semi, best, above)
            immediate[other] = found if semi[found] < semi[other] else top
        bucket[top].clear()
    result = [-1] * len(successors)
    for node in range(count):
        if immediate[node] != semi[node]:
            immediate[node] = immediate[immediate[node]]
        result[order[node]] = order[immediate[node]]
    return result


def _search(successors: list[list[int]]) -> tuple[list[int], list[int]]:
    """The nodes as a depth-first search from node 0 meets them; for each place in that order, its parent's place."""
    order: list[int] = []
    parent: list[int] = []
    if not successors:
        return order, parent
    seen = bytearray(len(successors))
    stack = [(0, 0)]
    while stack:
        node, above = stack.pop()
        if not seen[node]:
            seen[node] = 1
            stack += [(target, len(order)) for target in reversed(successors[node]) if not seen[target]]
            order.append(node)
            parent.append(above)
    return order, parent


def _least(node: int, semi: list[int], best: list[int], above: list[int]) -> int:
    """The node with the least semidominator on the way from `node` to its root, the root left out; shortens the way."""
    if above[node] < 0:
        return node
    path: list[int] = []
    while above[above[node]] >= 0:
        path.append(node)
        node = above[node]
    root = above[node]
    for lower in reversed(path):
        upper = above[lower]
        if semi[best[upper]] < semi[best[lower]]:
            best[lower] = best[upper]
        above[lower] = root
    return best[path[0]] if path else best[node]


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


def solve(gen: list[int], kill: list[int], after: list[list[int]]) -> tuple[list[int], list[int]]:
    """What is live into and out of each block: the least solution of in = gen | (out - kill), out = union of the successors'
    in, by a worklist that starts at the last block."""
    count = len(gen)
    before = predecessors(after)
    keep = [~bits for bits in kill]
    into = list(gen)
    out = [0] * count
    queued = bytearray(b"\1") * count
    todo = list(range(count))
    while todo:
        block = todo.pop()
        queued[block] = 0
        live = 0
        for successor in after[block]:
            live |= into[successor]
        out[block] = live
        live = gen[block] | live & keep[block]
        if live != into[block]:
            into[block] = live
            for predecessor in before[block]:
                if not queued[predecessor]:
                    queued[predecessor] = 1
                    todo.append(predecessor)
    return into, out
