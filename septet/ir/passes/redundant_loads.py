"""Loads of what is known: stored before, loaded before, or never stored since the object was made.

    %a[%i] <- %x                              %a[%i] <- %x
    int64 %y <- %a[%i]                        int64 %s <- %x + %x
    int64 %s <- %x + %y              =>
    tuple %t <- new Tuple(5)                  tuple %t <- new Tuple(5)
    int64 %z <- %t[1]                         (every use of %z is 1, the encoded number 0)

Trigger: on every way to a load its location was loaded, stored or made, and nothing that may overlap it was written since
(`ir.analyses.available`); where the ways bring different values, phis choose.  Works in both phases, on elements and on loads.
Cost: near-linear data flow over sets of locations.  Gain: a load each, and what follows from knowing its value.
Guard: a load becomes at most phis for places where ways meet.  It ends: every application removes a load and none is made.
Level 2.
"""

from __future__ import annotations

from septet.ir.analyses.alias import Alias
from septet.ir.analyses.available import Available, replacement
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.forward import final, forward, resolve
from septet.ops import table as ops
from septet.ops.table import ELEMENT, LOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value

NAME = "redundant-loads"
KEEPS = (Dominators, PostDominators, Loops)


def run(function: Function, facts: Facts) -> bool:
    """Remove loads; whether any was."""
    if not any(value.op is ELEMENT or value.op is LOAD for block in function.blocks for value in block.body):
        return False
    alias = facts.get(Alias)
    if not alias.locations:
        return False
    found = Available(function, alias)
    changed = False
    for block in function.blocks:
        if _visit(block, found, facts, function.name):
            changed = True
    if changed:
        found.place_phis(NAME)
        resolve(function)
    return changed


def _visit(block: Block, found: Available, facts: Facts, name: str) -> bool:
    """Replace loads of one block."""
    alias = found.alias
    depends = alias.depends
    here: dict[int, Value] = {}
    live = found.entering(block)
    changed = False
    for position, value in enumerate(block.body):
        op = value.op
        if op.pure and value not in depends:
            continue
        if op is ELEMENT or op is LOAD:
            location = alias.location(value)
            if location is not None:
                number = location.number
                known = here.get(number)
                if known is None and live >> number & 1:
                    known = here[number] = found.at_start(block, number, value.type)
                if known is not None:
                    known = final(known)
                    instead = replacement(value, known, NAME)
                    if instead is not None and facts.fuel.spend():
                        facts.remark(name, value.span, "load removed", "what is there is known on every way to it")
                        changed = True
                        live = found.step(value, here, live)
                        if instead is not known and instead.op is ops.BITCAST:
                            block.body[position] = instead
                        forward(value, instead)
                        continue
        live = found.step(value, here, live)
    return changed
