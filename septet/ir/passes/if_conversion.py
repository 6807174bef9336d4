"""Small branches that only choose between values become selects, which the processor cannot mispredict.

    bool %c <- %a < %b                        bool %c <- %a < %b
    br %c :then :end                          int64 %y <- %x + 2
    :then                              =>     int64 %z <- select %c, %y, %x
      int64 %y <- %x + 2                      br :end
      br :end
    :end
      int64 %z <- phi (:then %y, :a %x)

Runs late in the words phase: what ranges are known from a branch is not known from a select.

Trigger: a branch of which one side, or both, is a block that nothing else leads to, with nothing but cheap values without
effect (no loads: their addresses may be valid on that side alone), and both come together right after.
Cost: the values of both sides are always computed, and a select waits for its condition, where a branch is predicted.  Gain: a
mispredicted branch costs some fifteen cycles, a jump one.  So at most four simple operations on the sides (a product counts as
three) and two selects; two operations where the condition is an equality, which mostly comes out the same way.
Guard: nothing on the sides may trap; floats and vectors stay, compared or chosen between (no tile is cheap for them).
Level 2.  Every application removes a branch; the function never grows by more than the selects.
"""

from __future__ import annotations

from septet.base.types import BOOL
from septet.ir.nodes import Branch, Compare, Const, Value
from septet.ops import table as ops
from septet.ops.table import BR, BR_IF

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Phi

NAME = "if-conversion"
MOST, MOST_PREDICTED, MOST_SELECTS = 4, 2, 2
COST = {
    ops.ADD: 1, ops.SUB: 1, ops.MUL: 3, ops.AND: 1, ops.OR: 1, ops.XOR: 1, ops.SHL: 1, ops.SHR: 1, ops.NOT: 1, ops.NEG: 1,
    ops.UNTAG: 1, ops.TAG: 1, ops.CONVERT: 1, ops.BITCAST: 0, ops.SELECT: 2, ops.MIN: 2, ops.MAX: 2, ops.ROTL: 1, ops.ROTR: 1,
    ops.BYTE_SWAP: 1,
} | dict.fromkeys((ops.EQ, ops.NE, ops.LT, ops.LE, ops.GT, ops.GE), 2)  # fmt: skip
"""What may be computed though it is not needed, in simple operations."""


def run(function: Function, facts: Facts) -> bool:
    """Convert what pays; whether anything changed."""
    if len(function.blocks) < 3:
        return False
    before = dict.fromkeys(function.blocks, 0)
    for block in function.blocks:
        for target in block.successors:
            before[target] += 1
    gone: set[Block] = set()
    for block in reversed(function.blocks):  # inner branches first
        last = block.body[-1]
        if last.op is BR_IF and isinstance(last, Branch):
            found = _shape(last.targets, before)
            if found is not None:
                _convert(function, block, last, *found, before, gone, facts)
    if gone:
        function.blocks = [block for block in function.blocks if block not in gone]
    return bool(gone)


def _shape(targets: list[Block], before: dict[Block, int]) -> tuple[list[Block], Block] | None:
    """The sides of a branch to `targets`, and where they come together; None if they are anything but cheap to compute."""
    sides: list[Block] = []
    ends: list[Block] = []
    for target in targets:
        to = _leads_to(target, before)
        if to is not None:
            sides.append(target)
            ends.append(to)
    if len(sides) == 2:
        if ends[0] is ends[1]:
            return sides, ends[0]
        at = 0 if ends[0] is targets[1] else 1  # or one of them leads to the other
        sides, ends = [sides[at]], [ends[at]]
    if len(sides) == 1:
        other = targets[1] if sides[0] is targets[0] else targets[0]
        if ends[0] is other:
            return sides, other
    return None


def _leads_to(block: Block, before: dict[Block, int]) -> Block | None:
    """Where a side leads; None if it is not one."""
    body = block.body
    if before[block] != 1 or block.phis or body[-1].op is not BR or len(body) > MOST + 1:
        return None
    for value in body:
        if value.op not in COST and value is not body[-1] or value.type.element.is_float or value.type.lanes > 1:
            return None
    (to,) = block.successors
    return to if to is not block else None


def _convert(
    function: Function,
    block: Block,
    branch: Branch,
    sides: list[Block],
    end: Block,
    before: dict[Block, int],
    gone: set[Block],
    facts: Facts,
) -> None:
    """Convert the branch that `block` ends in, if it pays."""
    condition = branch.args[0]
    then, other = (target if target in sides else block for target in branch.targets)
    chosen = _chosen(end, then, other)
    cost = sum(COST[value.op] for side in sides for value in side.body[:-1])
    most = MOST_PREDICTED if condition.op is ops.EQ or condition.op is ops.NE else MOST
    selects = len({(yes, no) for _, yes, no in chosen})
    on_floats = isinstance(condition, Compare) and condition.on.is_float
    on_floats = on_floats or any(phi.type.is_float or phi.type.lanes > 1 for phi, _, _ in chosen)
    if on_floats or cost > most or selects > MOST_SELECTS:
        why = "on floats or vectors" if on_floats else "computing both sides costs more than it may"
        facts.remark(function.name, branch.span, "branch not made a select", why, cost=cost, limit=most, selects=selects)
        return
    if not facts.fuel.spend():
        return
    facts.remark(function.name, branch.span, "branch made a select", "both sides are cheap", cost=cost, selects=selects)
    body = block.body
    body.pop()
    for side in sides:
        body += side.body[:-1]
        gone.add(side)
    made: dict[tuple[Value, Value], Value] = {}
    for phi, yes, no in chosen:
        value = made.get((yes, no))
        if value is None:
            value = made[yes, no] = choose(condition, yes, no, phi, body)
        phi.args[phi.blocks.index(then)] = value
    _join(end, block, then, other)
    body.append(Branch(BR, [], [end], branch.span, NAME))
    before[end] -= 1


def _chosen(end: Block, then: Block, other: Block) -> list[tuple[Phi, Value, Value]]:
    """The phis of `end` that differ for two of its predecessors, and what they are for these."""
    found: list[tuple[Phi, Value, Value]] = []
    if end.phis:
        blocks = end.phis[0].blocks
        first, second = blocks.index(then), blocks.index(other)
        for phi in end.phis:
            if phi.blocks is not blocks and phi.blocks != blocks:
                first, second = phi.blocks.index(then), phi.blocks.index(other)
                blocks = phi.blocks
            yes, no = phi.args[first], phi.args[second]
            if yes is not no and not (isinstance(yes, Const) and isinstance(no, Const) and yes.number == no.number):
                found.append((phi, yes, no))
    return found


def _join(end: Block, block: Block, then: Block, other: Block) -> None:
    """Let `block` lead to `end` where `then` and `other` did, of which it may be one; what is for `then` is for it."""
    for phi in end.phis:
        args, blocks = list(phi.args), list(phi.blocks)
        at = blocks.index(other)
        del args[at], blocks[at]
        blocks[blocks.index(then)] = block
        phi.args, phi.blocks = args, blocks


def choose(condition: Value, yes: Value, no: Value, phi: Phi, body: list[Value]) -> Value:
    """A value, put at the end of `body`, that is `yes` if `condition` and else `no`: the condition itself, or a number made
    of it, where that does."""
    numbers = (yes.number, no.number) if isinstance(yes, Const) and isinstance(no, Const) else None
    if numbers == (1, 0):
        if phi.type is BOOL:
            return condition
        body.append(Value(ops.CONVERT, phi.type, [condition], phi.span, NAME, phi.name))
    elif numbers == (3, 1) and phi.type.is_word:
        number = Value(ops.CONVERT, phi.type, [condition], phi.span, NAME)
        body += (number, Value(ops.TAG, phi.type, [number], phi.span, NAME, phi.name))
    else:
        body.append(Value(ops.SELECT, phi.type, [condition, yes, no], phi.span, NAME, phi.name))
    return body[-1]
