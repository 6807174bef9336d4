"""Loops that test first become loops that test last, behind one test whether to begin at all.

    :head                                          :before
      %i <- phi (:before 0, :body %j)                bool %d <- 0 < %n
      bool %c <- %i < %n                             br %d :enter :out
      br %c :body :out                             :enter
    :body                                   =>       br :body
      ...                                          :body
      %j <- %i + 1                                   %k <- phi (:enter 0, :head %j)
      br :head                                       ...
                                                     %j <- %k + 1
                                                     br :head
                                                   :head
                                                     bool %c <- %j < %n
                                                     br %c :body :out

Trigger: a natural loop whose header ends with a branch out of it, and whose only latch does not.  Cost: a second copy of the
header, of at most LARGEST values.  Gain: one jump less in every round, and a body that is surely executed once entered, so
that loads and checks can leave it.  Guard: larger headers, and loops nested DEEPEST deep, stay.  Level 2, both phases.  Each
loop is rotated once; afterwards its latch leaves it.
"""

from __future__ import annotations

from septet.base.types import VOID
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.clone import copies, copy_edge, move_edge
from septet.ir.loop_shape import Shape, operand_for
from septet.ir.nodes import Block, Branch
from septet.ir.redefine import redefine
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Function, Value
    from septet.ir.redefine import Versions

NAME = "rotate"
KEEPS = (Dominators, PostDominators, Loops)
LARGEST = 24  # values in a header that is copied, calls counting CALL_COST
CALL_COST = 8
DEEPEST = 60


def run(function: Function, facts: Facts) -> bool:
    """Rotate what can be rotated; whether there was anything."""
    loops = facts.get(Loops)
    shape: Shape | None = None
    versions: Versions = {}
    for loop in loops.loops:
        if _wanted(loop, loops, function, facts) and facts.fuel.spend():
            shape = shape or Shape(function, loops, NAME)
            _rotate(loop, shape, versions)
    if shape is None:
        return False
    shape.close()
    facts.drop()
    redefine(function, versions, NAME, facts.get(Dominators))
    return True


def _wanted(loop: Loop, loops: Loops, function: Function, facts: Facts) -> bool:
    header = loop.header
    last = header.body[-1]
    if not loop.natural or last.op is not ops.BR_IF or loop.depth > DEEPEST:
        return False
    inside = [target for target in header.successors if loops.contains(loop, target)]
    if len(inside) != 1 or inside[0] is header:
        return False
    if len(loop.latches) == 1 and any(not loops.contains(loop, target) for target in loop.latches[0].successors):
        return False
    cost = sum(CALL_COST if value.op is ops.CALL or value.op is ops.CALL_INDIRECT else 1 for value in header.body)
    if cost > LARGEST:
        facts.remark(function.name, last.span, "loop not rotated", "its test is too large", cost=cost, limit=LARGEST)
        return False
    return True


def _rotate(loop: Loop, shape: Shape, versions: Versions) -> None:
    """Rotate one loop; uses of what its header defines are left to `versions`."""
    header = loop.header
    latch = shape.latch(loop)
    before = shape.preheader(loop)
    loops = shape.loops
    body, out = header.successors if loops.contains(loop, header.successors[0]) else reversed(header.successors)
    outer = loops.innermost(out)
    if outer is not None and outer.header is out:  # the edge out is a back edge of a loop around this one
        out = shape.join(out, [header], f"{out.name}_next", outer)
        shape.replace_latch(outer.header, header, out)
    if len(shape.before[body]) > 1:
        body = shape.join(body, [header], f"{header.name}_body", loop)

    values: dict[Value, Value] = {}
    for phi in header.phis:
        values[phi] = operand_for(phi, before)
        versions[phi] = {before: values[phi], header: phi}
        phi.args = [operand_for(phi, latch)]
        phi.blocks = [latch]
    copied = copies(header.body, values)
    for value, copy in zip(header.body, copied, strict=True):
        copy.by = NAME
        if value.type is not VOID:
            versions[value] = {before: copy, header: value}
    before.body[-1:] = copied
    enter = Block(shape.fresh(f"{body.name}_entry"))
    enter.body.append(Branch(ops.BR, [], [body], header.body[-1].span, NAME))
    shape.insert_before(body, enter, loop.parent)
    copy_edge(out, header, before, values)
    copy_edge(body, header, enter, values)
    move_edge(before, body, enter)

    shape.before[header] = [latch]
    shape.before[enter] = [before]
    shape.reach(out, before)
    shape.reach(body, enter)
    shape.move_after(latch, header)
    loop.header, loop.latches, loop.preheader = body, [header], enter
