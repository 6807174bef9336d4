"""Values without a use go, if they have no effect; and phis that only each other use.

    i64 %a <- %n * 2
    i64 %b <- %n + 1           =>     i64 %b <- %n + 1
    call print(%b)                    call print(%b)

Trigger: nobody uses it.  What must stay (calls, stores, checks, ends of blocks) is marked, then all that it uses, and what they
use; the rest is dead. Then branches between whose ways nothing tells a difference, which are looked for only where one leads to
a block without effect and no phi is right behind.  A branch is needed if what it decides about is (Cytron and others:
Efficiently Computing Static Single Assignment Form, 1991, section 7.1); one that is not becomes a jump to where its ways meet
in any case.  Whether a loop ends can be observed, and is not looked into here: branches out of loops are always needed, and so
is what leads to a loop without a way out.  Both phases; level 1, branches from level 2.  Gain: whatever goes.  Guard: effects
stay; every application removes something.
"""

from __future__ import annotations

from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.fold import divides
from septet.ir.nodes import Branch, Phi
from septet.ir.unreachable import drop_unreachable
from septet.ops.table import BR, BR_IF, DIV, LENGTH, LOAD, OPS, REM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value

NAME = "dead-code"
IDEMPOTENT = True
REGION = 8  # blocks between a branch and where its ways meet, for a quick look at whether it is needed
ASK = 2
_GOES = bytearray(op.pure or op is LOAD or op is LENGTH or (ASK if op is DIV or op is REM else 0) for op in OPS)
"""By opcode, whether nobody notices if a value is not computed; or ASK."""
KEEPS = (Dominators, PostDominators, Loops)


def run(function: Function, facts: Facts) -> bool:
    """Take out what is dead; whether there was any."""
    changed = _drop_values(function, facts)
    if facts.opt > 1 and _has_candidate(function, facts) and _drop_branches(function, facts):
        facts.drop()
        changed = True
    return changed


def _drop_values(function: Function, facts: Facts) -> bool:
    live: set[Value] = set()
    todo: list[Value] = []
    for block in function.blocks:
        for value in block.body:
            goes = _GOES[value.op.code]
            if not goes or goes == ASK and not divides(value):
                todo.append(value)
    live.update(todo)
    while todo:
        for arg in todo.pop().args:
            if arg not in live:
                live.add(arg)
                todo.append(arg)
    spared: list[Value] = []
    changed = False
    for block in function.blocks:
        for value in [value for values in (block.phis, block.body) for value in values if value not in live]:
            if facts.fuel.spend():
                changed = True
            else:
                spared.append(value)
    if not changed:
        return False
    while spared:  # and so is what they use
        value = spared.pop()
        if value not in live:
            live.add(value)
            spared += value.args
    for block in function.blocks:
        block.phis = [phi for phi in block.phis if phi in live]
        block.body = [value for value in block.body if value in live]
    return True


def _may_go(value: Value) -> bool:
    """Whether nobody notices if the value is not computed."""
    goes = _GOES[value.op.code]
    return goes == 1 or goes == ASK and divides(value)


# Branches


def _has_candidate(function: Function, facts: Facts) -> bool:
    """Whether there may be a branch that nothing needs."""
    entered: dict[Block, int] = {}
    branches: list[Block] = []
    for block in function.blocks:
        targets = block.successors
        for target in targets:
            entered[target] = entered.get(target, 0) + 1
        if len(targets) > 1:
            branches.append(block)
    if not branches:
        return False
    headers = {loop.header for loop in facts.get(Loops).loops}
    return any(_is_candidate(block, entered, headers) for block in branches)


def _is_candidate(block: Block, entered: dict[Block, int], headers: set[Block]) -> bool:
    """Whether the ways from `block` have no effect as far as only they are concerned, and no phi where they meet others.

    Says yes where they are long.  Where one way begins a loop the branch decides about that loop, which is always needed.
    """
    todo = block.successors[:]
    seen = 0
    while todo and seen < REGION:
        target = todo.pop()
        if target in headers or target.phis:
            return False
        if entered[target] == 1:
            after = target.successors
            if not after or not all(map(_may_go, target.body[:-1])):
                return False
            seen += 1
            todo += after
    return True


def _drop_branches(function: Function, facts: Facts) -> bool:
    """Make jumps of the branches that nothing needs; whether there were any."""
    needs = _Needs(function, facts)
    doomed: list[Block] = []
    for block in function.blocks:
        last = block.body[-1]
        if last.op is BR_IF and last not in needs.live:
            if block in needs.after.parent and facts.fuel.spend():
                doomed.append(block)
            else:
                needs.mark(last)
    changed = False
    for block in doomed:
        last = block.body[-1]
        if last not in needs.live:
            facts.remark(function.name, last.span, "branch removed", "nothing tells its ways apart")
            block.body[-1] = Branch(BR, [], [needs.after.parent[block]], last.span, NAME)
            changed = True
    if changed:
        for block in function.blocks:
            block.phis = [phi for phi in block.phis if phi in needs.live]
            block.body = [value for value in block.body if value.op.ends or value in needs.live]
        _drop_operands(function)
        drop_unreachable(function)
    return changed


def _drop_operands(function: Function) -> None:
    """Take out the operands of phis for edges that are no more."""
    before: dict[Block, set[Block]] = {block: set() for block in function.blocks}
    for block in function.blocks:
        for target in block.successors:
            before[target].add(block)
    for block in function.blocks:
        for phi in block.phis:
            if len(before[block]) < len(phi.blocks):
                kept = [at for at, origin in enumerate(phi.blocks) if origin in before[block]]
                phi.args = [phi.args[at] for at in kept]
                phi.blocks = [phi.blocks[at] for at in kept]


class _Needs:
    """What is needed: values with an effect, what they use, and the branches that decide whether control comes to them."""

    def __init__(self, function: Function, facts: Facts) -> None:
        self.after = facts.get(PostDominators)
        self.live: set[Value] = set()
        self.home: dict[Value, Block] = {}
        self.reached: set[Block] = set()  # the blocks whose deciding branches are live
        for block in function.blocks:
            for value in (*block.phis, *block.body):
                self.home[value] = block
        for loop in facts.get(Loops).loops:
            for block in (loop.header, *(inside for inside, _ in loop.exits)):
                self.mark(block.body[-1])
        for block in self.after.stuck:
            self.mark(block.body[-1])
        for block in function.blocks:
            for value in block.body:
                if value.op is not BR and value.op is not BR_IF and not _may_go(value):
                    self.mark(value)

    def reach(self, block: Block) -> list[Value]:
        """The branches that decide whether control comes to `block`, when it is asked for first."""
        if block in self.reached:
            return []
        self.reached.add(block)
        return [above.body[-1] for above in self.after.frontier(block)]

    def mark(self, value: Value) -> None:
        """`value` is needed, and what it needs."""
        todo = [value]
        while todo:
            value = todo.pop()
            if value in self.live:
                continue
            self.live.add(value)
            block = self.home.get(value)
            todo += value.args
            if block is not None:
                todo += self.reach(block)
                if isinstance(value, Phi):
                    for origin in value.blocks:
                        todo.append(origin.body[-1])
                        todo += self.reach(origin)
