"""Values that only some ways out of their block need are computed on these alone.

    :a                                      :a
      i64 %x <- %n << 4                       br %c :b :d
      br %c :b :d                    =>     :b
    :b                                        i64 %x <- %n << 4
      call print(%x)                          call print(%x)
      return                                  return

Runs in the words phase (before that, what a check knows of an index would be hidden).  Trigger: a value without effect, all of
whose uses are dominated by one block further down (an operand of a phi is used at the end of its predecessor), behind a branch.
It goes to the lowest such block that is in no loop that the value was not in: so it may leave loops, and never enters one.
Gain: ways that do without the value do without computing it, and registers are free for longer.
Cost: operands live on; so all but one of them must be needed there or below anyhow.
Guard: loads stay, as something might be stored in between; so do comparisons, which are computed where they decide.
Level 2.  Nothing is duplicated, and every application moves one value down the dominator tree.
"""

from __future__ import annotations

from itertools import islice

from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ops.table import BR_IF, CONST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value

NAME = "sink"
KEEPS = (Dominators, PostDominators, Loops)
USERS = 8  # of an operand are looked at, to see whether it is needed further down
CLIMB = 64  # steps up the dominator tree in search of one place


def run(function: Function, facts: Facts) -> bool:
    """Sink what can be; whether anything was."""
    if len(function.blocks) < 3:
        return False
    sinking = _Sinking(function, facts)
    order = list(sinking.height)
    for block in reversed(order):
        sinking.look_at(block)
    if not sinking.arrived:
        return False
    for block in function.blocks:
        block.body = [value for value in block.body if value not in sinking.gone]
        block.body[:0] = reversed(sinking.arrived.get(block, ()))
    return True


class _Sinking:
    """One run over a function."""

    def __init__(self, function: Function, facts: Facts) -> None:
        self.facts = facts
        self.name = function.name
        self.dominators = facts.get(Dominators)
        self.loops = facts.get(Loops)
        self.users: dict[Value, dict[Block, int]] = {}  # the blocks in which values are used, and how often
        self.behind: set[Block] = set()  # the blocks that a branch leads to and nothing else
        self.arrived: dict[Block, list[Value]] = {}  # what has sunk where, the last first
        self.gone: set[Value] = set()
        before = dict.fromkeys(function.blocks, 0)
        for block in function.blocks:
            for target in block.successors:
                before[target] += 1
            for phi in block.phis:
                for arg, origin in zip(phi.args, phi.blocks, strict=True):
                    self._use(arg, origin)
            for value in block.body:
                for arg in value.args:
                    self._use(arg, block)
        for block in function.blocks:
            if block.body[-1].op is BR_IF:
                self.behind.update(target for target in block.successors if before[target] == 1)
        self.height: dict[Block, int] = {function.blocks[0]: 0}  # in the dominator tree; parents first
        todo = [function.blocks[0]]
        for block in todo:
            for child in self.dominators.children[block]:
                self.height[child] = self.height[block] + 1
                todo.append(child)

    def _use(self, value: Value, block: Block) -> None:
        if value.op is not CONST:
            users = self.users.setdefault(value, {})
            users[block] = users.get(block, 0) + 1

    def look_at(self, block: Block) -> None:
        """Sink what can be of the values of `block`, the last first, so that operands may follow."""
        if not self.dominators.children[block]:
            return
        for value in reversed(block.body[:-1]):
            users = self.users.get(value)
            if not users or not value.op.pure or value.op.compares or block in users:
                continue
            to = self._place(block, users)
            if to is None or not self._pays(value, to) or not self.facts.fuel.spend():
                continue
            self.arrived.setdefault(to, []).append(value)
            self.gone.add(value)
            for arg in value.args:
                if arg.op is not CONST:
                    self._use(arg, to)
                    left = self.users[arg]
                    left[block] -= 1
                    if not left[block]:
                        del left[block]

    def _place(self, block: Block, users: dict[Block, int]) -> Block | None:
        """Where a value of `block` with these users sinks; None if nowhere."""
        height, parent, behind, innermost = self.height, self.dominators.parent, self.behind, self.loops.innermost
        low = next(iter(users))
        climbed = 0
        for user in users:
            while low is not user:
                climbed += 1
                if climbed > CLIMB:
                    return None
                if height[low] > height[user]:
                    low = parent[low]
                else:
                    user = parent[user]
        place: Block | None = None
        while low is not block:
            loop = innermost(low)
            if loop is None or self.loops.contains(loop, block):
                place = place or low
                if low in behind:
                    return place
            else:
                place = None
            low = parent[low]
            climbed += 1
            if climbed > 2 * CLIMB:
                break
        return None

    def _pays(self, value: Value, to: Block) -> bool:
        """Whether no more than one operand has to live on for it."""
        needed = 0
        for arg in dict.fromkeys(value.args):
            if arg.op is CONST:
                continue
            users = islice(self.users[arg], USERS)
            if not any(self.dominators.dominates(to, user) for user in users):
                needed += 1
        return needed <= 1
