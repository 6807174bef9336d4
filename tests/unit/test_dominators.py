"""Dominance frontiers and postdominators, against their definitions, on random graphs."""

from __future__ import annotations

import random

import pytest

from septet.base.types import BOOL, VOID
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.nodes import Block, Branch, Const, Function, Value
from septet.ir.unreachable import drop_unreachable
from septet.ops import table as ops


def graph(seed: int) -> Function:
    """A function of up to 12 blocks with random edges; the entry has no predecessors."""
    pick = random.Random(seed)
    blocks = [Block(f"b{n}") for n in range(pick.randrange(2, 12))]
    for block in blocks:
        targets = pick.sample(blocks[1:], min(pick.choice((0, 1, 1, 2, 2, 2)), len(blocks) - 1))
        if len(targets) == 2:
            block.body = [Branch(ops.BR_IF, [Const(BOOL, 1)], targets)]
        else:
            block.body = [Branch(ops.BR, [], targets)] if targets else [Value(ops.RETURN, VOID, [])]
    function = Function("f", VOID, [], blocks)
    drop_unreachable(function)
    return function


def reached(start: list[Block], without: Block, edges: dict[Block, list[Block]]) -> set[Block]:
    """What can be reached from `start` without going through `without`."""
    found = {block for block in start if block is not without}
    todo = list(found)
    while todo:
        for target in edges[todo.pop()]:
            if target is not without and target not in found:
                found.add(target)
                todo.append(target)
    return found


@pytest.mark.parametrize("seed", range(150))
def test_frontiers(seed: int) -> None:
    function = graph(seed)
    dominators = Dominators(function)
    for block in function.blocks:
        wanted = [
            join
            for join in function.blocks
            if any(dominators.dominates(block, before) for before in function.blocks if join in before.successors)
            and (join is block or not dominators.dominates(block, join))
        ]
        assert sorted(map(repr, dominators.frontier(block))) == sorted(map(repr, wanted))


@pytest.mark.parametrize("seed", range(150))
def test_postdominators(seed: int) -> None:
    """A block comes after another in any case if, without it, no end can be reached from there."""
    function = graph(seed)
    after = PostDominators(function)
    ends = [block for block in function.blocks if not block.successors or block in after.stuck]
    edges = {block: block.successors for block in function.blocks}

    def always(block: Block, later: Block) -> bool:
        return block is later or not any(end in reached([block], later, edges) for end in ends)

    chains: dict[Block, list[Block]] = {}
    for block in function.blocks:
        chain = [block]
        while chain[-1] in after.parent:
            chain.append(after.parent[chain[-1]])
        chains[block] = chain
        assert set(chain) == {later for later in function.blocks if always(block, later)}
    for block in function.blocks:
        wanted = {
            branch
            for branch in function.blocks
            if any(block in chains[target] for target in branch.successors) and (branch is block or block not in chains[branch])
        }
        assert set(after.frontier(block)) == wanted
