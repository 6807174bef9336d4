"""Blocks are placed so that control mostly falls through, and loops lie together.

    :entry                                   :entry
      br %c :rare :loop                        br %c :rare :loop
    :rare                                    :loop
      ...                                      ...
      br :out                        =>        br %d :loop :out
    :loop                                    :out
      ...                                      return
      br %d :loop :out                       :rare
    :out                                       ...
      return                                   br :out

Trigger: more than two blocks.  Method: Pettis and Hansen, Profile guided code positioning (1990), section 4, with frequencies
guessed from loops: a round of a loop happens ten times, an edge that stays in it nine times as often as one that leaves it.
A short block that a branch goes around stays between the two, as a store that is made now and then.
Heavy edges first, chains are joined; then the chains follow in program order of what they are reached from.  Gain: fewer taken
jumps, in loops above all.  Guard: blocks are moved, never copied; the entry stays first.  Phase words, last, level 2.  One
application a function.  n log n time.
"""

from __future__ import annotations

from septet.ir.analyses.loops import Loops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function

NAME = "placement"
DEEPEST = 8  # deeper loops count like this
SHORT = 4  # values of a block that a jump goes around at no greater cost than through it
STAY, LEAVE, BACK = 90, 10, 95  # per cent


def run(function: Function, facts: Facts) -> bool:
    """Place the blocks; whether any moved."""
    blocks = function.blocks
    if len(blocks) < 3:
        return False
    loops = facts.get(Loops)
    chains = _chains(blocks, _weights(blocks, loops))
    order = _follow(blocks, chains)
    if order == blocks or not facts.fuel.spend():
        return False
    function.blocks = order
    return True


def _weights(blocks: list[Block], loops: Loops) -> list[tuple[int, int, Block, Block]]:
    """Every edge as (minus how often, position, from, to), heaviest first."""
    edges: list[tuple[int, int, Block, Block]] = []
    for position, block in enumerate(blocks):
        loop = loops.innermost(block)
        often = 10 ** min(loop.depth if loop else 0, DEEPEST)
        targets = block.successors
        shares = [_share(block, target, loops) for target in targets]
        total = sum(shares) or 1
        for target, share in zip(targets, shares, strict=True):
            weight = 100 if _is_aside(target, targets) else share * 100 // total
            edges.append((-often * weight, position, block, target))
    edges.sort(key=lambda edge: edge[:2])
    return edges


def _is_aside(target: Block, targets: list[Block]) -> bool:
    """Whether a branch to `targets` goes around `target`, which is short, to where that leads."""
    return len(targets) == 2 and len(target.body) <= SHORT and target.successors == [targets[target is targets[0]]]


def _share(block: Block, target: Block, loops: Loops) -> int:
    """How likely `block` goes to `target`, for all that loops say."""
    loop, other = loops.innermost(block), loops.innermost(target)
    if loop is None or loop is other and target is not loop.header:
        return STAY
    if target is loop.header:
        return BACK
    return STAY if other is not None and loops.contains(loop, target) else LEAVE


def _chains(blocks: list[Block], edges: list[tuple[int, int, Block, Block]]) -> dict[Block, list[Block]]:
    """For each block the chain that it is in."""
    chain = {block: [block] for block in blocks}
    entry = blocks[0]
    for _, _, block, target in edges:
        first, second = chain[block], chain[target]
        if first is not second and first[-1] is block and second[0] is target and target is not entry:
            if len(first) < len(second) and first[0] is not entry:
                second[:0] = first
                for each in first:
                    chain[each] = second
            else:
                first += second
                for each in second:
                    chain[each] = first
    return chain


def _follow(blocks: list[Block], chain: dict[Block, list[Block]]) -> list[Block]:
    """The chains one after the other: next the one that the latest placed chain leads to, in its order."""
    order: list[Block] = []
    placed: dict[Block, None] = {}
    todo = [blocks[0]]
    while todo:
        block = todo.pop()
        if block in placed:
            continue
        order += chain[block]
        placed.update(dict.fromkeys(chain[block]))
        for each in chain[block]:
            todo += [target for target in each.successors if target not in placed]
    return order
