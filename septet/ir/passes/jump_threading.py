"""A branch that is decided already for those who come from one side is passed by: they jump to where it leads.

    :a                                           :a
      br :join                                     br :join_2
    :b                                           :b
      call print(3)                                call print(3)
      br :join                            =>       br :join
    :join                                        :join_2
      bool %c <- phi (:a 1, :b %d)                 br :yes
      br %c :yes :no                             :join
                                                   br %d :yes :no

Runs in both phases.  Trigger: a block that ends in a branch, and predecessors for which its condition is known: with what the
phis are for them it is a constant, or the branches that led to them have decided it (see `control_flow.Decided`).
What the block computes is copied for them (one copy for those that go on to the same place), so it has few operations and no
calls; and what is used behind it gets phis (`ir.redefine`).
Guard: heads of loops are left alone, as the loop would have two entries.  A copy leads to what the block itself leads to, and
comes from what leads to the block, so loops stay loops with one entry.
Gain: the branch, for those who come that way.  Level 2.  Limits: MOST values in the block, FROM predecessors, and in one run no
more than a quarter of the function's size, or GROWTH.
"""

from __future__ import annotations

from septet.base.names import Fresh
from septet.ir.clone import clone_blocks, copy_edge, move_edge
from septet.ir.copy import copy_value
from septet.ir.fold import computed
from septet.ir.nodes import Branch, Const
from septet.ir.passes.control_flow import Decided, loop_heads
from septet.ir.redefine import redefine
from septet.ir.unreachable import drop_edge, drop_unreachable
from septet.ops import table as ops
from septet.ops.table import BR, BR_IF

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value

NAME = "jump-threading"
_CALLS = (ops.CALL, ops.CALL_INDIRECT, ops.CALL_C, ops.SYSCALL)
MOST, FROM, UP, GROWTH = 6, 16, 6, 48  # UP: how many branches above a predecessor are looked at


def run(function: Function, facts: Facts) -> bool:
    """Thread what can be threaded; whether anything was."""
    candidates = [block for block in function.blocks[1:] if _may_thread(block)]
    if not candidates:
        return False
    threading = _Threading(function, facts)
    for block in candidates:
        threading.thread(block)
    if not threading.versions and not threading.made:
        return False
    threading.finish()
    return True


def _may_thread(block: Block) -> bool:
    """Whether a block ends in a branch that may differ by where control comes from, and little else is in it."""
    body = block.body
    if body[-1].op is not BR_IF or len(body) - 1 > MOST:
        return False
    return body[-1].args[0].op is not ops.CONST and all(value.op not in _CALLS for value in body)


class _Threading:
    """One run over a function."""

    def __init__(self, function: Function, facts: Facts) -> None:
        self.function = function
        self.facts = facts
        self.before: dict[Block, list[Block]] = {block: [] for block in function.blocks}
        size = 0
        for block in function.blocks:
            size += len(block.body)
            for target in block.successors:
                self.before[target].append(block)
        self.left = max(GROWTH, size // 4)
        self.heads = loop_heads(function)
        self.fresh = Fresh(block.name for block in function.blocks)
        self.versions: dict[Value, dict[Block, Value]] = {}
        self.made: dict[Block, list[Block]] = {}  # copies by original

    def thread(self, block: Block) -> None:
        """Let those predecessors of `block` that know where its branch leads go there."""
        before = self.before[block]
        if block in self.heads or not 2 <= len(before) <= FROM:
            return
        ways: dict[bool, list[Block]] = {}
        for above in before:
            truth = self._outcome(block, above)
            if truth is not None:
                ways.setdefault(truth, []).append(above)
        for truth, origins in ways.items():
            if len(block.body) + len(block.phis) > self.left:
                span = block.body[-1].span
                self.facts.remark(self.function.name, span, "branch not threaded", "the function has grown enough")
            elif self.facts.fuel.spend():
                self.left -= len(block.body) + len(block.phis)
                self._copy(block, origins, truth)

    def _outcome(self, block: Block, above: Block) -> bool | None:
        """Where the branch of `block` leads those who come from `above`, if that is known."""
        known: dict[Value, Value] = {phi: phi.args[phi.blocks.index(above)] for phi in block.phis}
        last = block.body[-1]
        for value in block.body[:-1]:
            if value.op.pure and any(arg in known for arg in value.args):
                copy = copy_value(value)
                copy.args = [known.get(arg, arg) for arg in value.args]
                constant = all(isinstance(arg, Const) for arg in copy.args)
                number = computed(copy) if constant else None
                known[value] = copy if number is None else Const(value.type, number)
        condition = known.get(last.args[0], last.args[0])
        if isinstance(condition, Const):
            return condition.number == 1
        return self._learned(above, block).of(condition)

    def _learned(self, block: Block, to: Block) -> Decided:
        """What the branches on the way to the edge from `block` to `to` have decided."""
        decided = Decided()
        for _ in range(UP):
            last = block.body[-1]
            if last.op is BR_IF and isinstance(last, Branch):
                decided.learn(last.args[0], last.targets[0] is to)
            if len(self.before[block]) != 1:
                break
            block, to = self.before[block][0], block
        return decided

    def _copy(self, block: Block, origins: list[Block], truth: bool) -> None:
        """A copy of `block` for `origins` that goes on to where the branch leads if its condition is `truth`."""
        last = block.body[-1]
        assert isinstance(last, Branch)
        target = last.targets[0 if truth else 1]
        values: dict[Value, Value] = {}
        new = clone_blocks([block], values, self.fresh, NAME)[block]
        for phi in new.phis:
            operands = dict(zip(phi.blocks, phi.args, strict=True))
            phi.blocks = list(origins)
            phi.args = [operands[origin] for origin in origins]
        new.body[-1] = Branch(BR, [], [target], last.span, NAME)
        for origin in origins:
            move_edge(origin, block, new)
            drop_edge(origin, block)
        copy_edge(target, block, new, values)
        self.before[block] = [above for above in self.before[block] if above not in origins]
        self.before[new] = origins
        self.before[target].append(new)
        self.made.setdefault(block, []).append(new)
        for value in (*block.phis, *block.body[:-1]):
            if value.type.bits:
                self.versions.setdefault(value, {block: value})[new] = values[value]
        self.facts.remark(self.function.name, last.span, "branch threaded", "some predecessors decide it", count=len(origins))

    def finish(self) -> None:
        """Put the copies behind their originals and every use in order."""
        function = self.function
        function.blocks = [one for block in function.blocks for one in (block, *self.made.get(block, ()))]
        drop_unreachable(function)
        redefine(function, self.versions, NAME)
