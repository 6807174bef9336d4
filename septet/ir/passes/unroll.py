"""Small loops whose number of rounds is known become their rounds, one after the other.

    :before                                   :before
      br :loop                                  br :loop
    :loop                                     :loop
      %i <- phi (:before 1, :loop %j)   =>      call print(1)
      call print(%i)                            %j <- 1 + 2
      %j <- %i + 2                              br :loop_1
      bool %c <- %j < 5                       :loop_1
      br %c :loop :out                          call print(%j)
                                                br :out

(The phis stay, with one operand each, until `simplify` comes.)  Trigger: a loop without inner loops whose latch decides by an
induction variable with a constant start, step and bound.  Gain: no counting, no branches, indices that are constants.  Cost:
copies of the body.  Guard: at most ROUNDS rounds, of at most LARGEST values in all (thrice as many at -O3), TOTAL a function.
Level 2, both phases.  Ends: an unrolled loop is none any more.
"""

from __future__ import annotations

from septet.base.types import VOID
from septet.ir.analyses.induction import SMALL, Inductions
from septet.ir.analyses.loops import Loops
from septet.ir.clone import clone_blocks, copy_edge
from septet.ir.loop_shape import Shape, operand_for
from septet.ir.nodes import Branch
from septet.ir.redefine import redefine
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Function, Value
    from septet.ir.redefine import Versions

NAME = "unroll"
ROUNDS = 8
LARGEST = 80
TOTAL = 400


def run(function: Function, facts: Facts) -> bool:
    """Unroll what can be unrolled; whether there was anything."""
    loops = facts.get(Loops)
    wanted = [loop for loop in loops.loops if not loop.children and _may_unroll(loop, loops)]
    if not wanted:
        return False
    inductions = facts.get(Inductions)
    times = 3 if facts.opt >= 3 else 1
    left = TOTAL * times
    shape = Shape(function, loops, NAME)
    versions: Versions = {}
    for loop in wanted:
        rounds = _rounds(loop, inductions)
        if rounds is None:
            continue
        span = loop.latches[0].body[-1].span
        size = rounds * sum([len(block.body) for block in loop.own])
        if rounds > ROUNDS or size > min(LARGEST * times, left):
            limit = min(LARGEST * times, left)
            why = f"{rounds} rounds > {ROUNDS}" if rounds > ROUNDS else f"size {size} > {limit}"
            facts.remark(function.name, span, "loop not unrolled", why, rounds=rounds, size=size, limit=limit)
        elif facts.fuel.spend():
            left -= size
            facts.remark(function.name, span, "loop unrolled", "its rounds are known", rounds=rounds, size=size)
            _unroll(loop, rounds, shape, versions)
    if not versions:
        return False
    shape.close()
    facts.drop()
    redefine(function, versions, NAME)
    return True


def _may_unroll(loop: Loop, loops: Loops) -> bool:
    if not loop.natural or loop.preheader is None or len(loop.latches) != 1:
        return False
    last = loop.latches[0].body[-1]
    return last.op is ops.BR_IF and not all(loops.contains(loop, target) for target in loop.latches[0].successors)


def _rounds(loop: Loop, inductions: Inductions) -> int | None:
    """How many rounds there are if no other exit is taken; None if that is not known, ROUNDS + 1 for all larger numbers."""
    for test in inductions.tests(loop):
        if test.block is not loop.latches[0]:
            continue
        for variable in inductions.variables(loop):
            step = variable.constant_step
            if list(test.sum.terms) != [variable.phi] or step is None or variable.begin.terms:
                continue
            factor, at = test.sum.terms[variable.phi], variable.begin.number
            if max(abs(at), abs(step), abs(test.sum.number)) >= SMALL:
                return None
            for rounds in range(1, ROUNDS + 1):
                if factor * at + test.sum.number >= 0:
                    return rounds
                at += step
            return ROUNDS + 1
    return None


def _unroll(loop: Loop, rounds: int, shape: Shape, versions: Versions) -> None:
    """Put the rounds one after the other; uses of what the loop defines are left to `versions`."""
    header, latch = loop.header, loop.latches[0]
    last = latch.body[-1]
    assert isinstance(last, Branch) and loop.preheader is not None
    (out,) = (target for target in last.targets if target is not header)
    again = {phi: operand_for(phi, latch) for phi in header.phis}
    others = [(block, target) for block, target in loop.exits if block is not latch]
    mine = [value for block in loop.own for value in (*block.phis, *block.body) if value.type is not VOID]
    home = {value: block for block in loop.own for value in (*block.phis, *block.body)}
    for value in mine:
        versions[value] = {home[value]: value}
    before, place = latch, loop.own[-1]
    values: dict[Value, Value] = {}
    for _ in range(rounds - 1):
        earlier = values
        values = {}
        copies = clone_blocks(loop.own, values, shape.fresh)
        for phi in header.phis:
            copy = copies[header].phis[header.phis.index(phi)]
            copy.args, copy.blocks = [earlier.get(again[phi], again[phi])], [before]
        for value in mine:
            versions[value][copies[home[value]]] = values[value]
        for block, target in others:
            copy_edge(target, block, copies[block], values)
        for copied in copies.values():
            shape.insert_after(place, copied, loop.parent)
            place = copied
        before.body[-1] = Branch(ops.BR, [], [copies[header]], last.span, NAME)
        before = copies[latch]
    before.body[-1] = Branch(ops.BR, [], [out], last.span, NAME)
    for phi in out.phis:
        arg = operand_for(phi, latch)
        at = phi.blocks.index(latch)
        phi.args = [*phi.args[:at], values.get(arg, arg), *phi.args[at + 1 :]]
        phi.blocks = [*phi.blocks[:at], before, *phi.blocks[at + 1 :]]
    for phi in header.phis:
        start = operand_for(phi, loop.preheader)
        phi.args, phi.blocks = [start], [loop.preheader]
