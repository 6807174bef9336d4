"""Small objects that never leave the function become values.

    tuple %t <- new Tuple(5)
    %t[0] <- %x                        br %c :then :join
    br %c :then :join             => :then
  :then                                br :join
    %t[0] <- %y                      :join
    br :join                           int64 %z <- phi (:entry %x, :then %y)
  :join                                int64 %n <- 5
    int64 %z <- %t[0]
    int64 %n <- length %t

Trigger: an array or tuple of constant sizes, all in all at most `_MOST_ELEMENTS`, that is used for nothing but its lengths, and
loads and stores at constant indices inside it.  What an element is, is then known everywhere (`ir.analyses.available`).  What
was stored in such an object alone may be such an object itself afterwards, so this is repeated, at most `_MOST_ROUNDS` times.
Cost: a walk over the function and, where there are such objects, data flow over its locations.  Gain: the allocation, all
loads and stores.  Guard: the number of elements, for each may need a register.  Phase arrays.  Level 2.
"""

from __future__ import annotations

from septet.ir.analyses.alias import Alias
from septet.ir.analyses.available import Available, replacement
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.forward import final, forward, resolve
from septet.ir.nodes import Check, Const, Length
from septet.ops import table as ops
from septet.ops.table import CHECK_KIND, CHECK_NULL, ELEMENT, LENGTH, NEW_ARRAY, NEW_TUPLE, SET_ELEMENT
from septet.x86 import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value

NAME = "scalar-replacement"
KEEPS = (Dominators, PostDominators, Loops)
_MOST_ELEMENTS = 16
_MOST_ROUNDS = 4


def run(function: Function, facts: Facts) -> bool:
    """Replace objects by values; whether any was."""
    changed = False
    for _ in range(_MOST_ROUNDS):
        objects = [made for made in _candidates(function) if facts.fuel.spend()]
        if not objects:
            break
        if changed:
            facts.drop()
        if not _replace(function, facts, dict.fromkeys(objects)):
            break
        changed = True
    return changed


def _candidates(function: Function) -> list[Value]:
    """The objects that may be replaced, in program order."""
    found: dict[Value, list[int]] = {}
    for block in function.blocks:
        for value in block.body:
            if value.op is NEW_ARRAY or value.op is NEW_TUPLE:
                sizes = _sizes(value)
                if sizes is not None:
                    found[value] = sizes
    if not found:
        return []
    for block in function.blocks:
        for values in (block.phis, block.body):
            for value in values:
                for position, arg in enumerate(value.args):
                    if arg in found and (position or not _is_inside(value, found[arg])):
                        del found[arg]
    return list(found)


def _sizes(made: Value) -> list[int] | None:
    """The numbers of elements of a new object's dimensions, if they are constants, and few."""
    sizes: list[int] = []
    total = 1
    for size in made.args:
        if not isinstance(size, Const) or not size.number & 1 or size.number < 0:
            return None
        sizes.append(size.number >> 1)
        total *= sizes[-1]
    return sizes if total <= _MOST_ELEMENTS else None


def _is_inside(value: Value, sizes: list[int]) -> bool:
    """Whether `value` does nothing with its first operand, an object, that values could not do."""
    op = value.op
    if op is ELEMENT or op is SET_ELEMENT:
        indices = value.args[1:] if op is ELEMENT else value.args[1:-1]
        if len(indices) != len(sizes):
            return False
        for index, size in zip(indices, sizes, strict=True):
            if not isinstance(index, Const) or not 0 <= index.number < size:
                return False
        return True
    if isinstance(value, Length):
        return len(value.args) == 1 and value.dimension < len(sizes)
    if op is CHECK_KIND and isinstance(value, Check):
        made = value.args[0]
        wanted = abi.descriptor(abi.TUPLE) if made.op is NEW_TUPLE else abi.descriptor(abi.ARRAY, len(sizes))
        return value.detail == wanted
    return op is CHECK_NULL


def _replace(function: Function, facts: Facts, objects: dict[Value, None]) -> bool:
    """Replace the loads from `objects`, and take them out where that could be done for all loads."""
    found = Available(function, facts.get(Alias))
    stay: set[Value] = set()
    changed = False
    for block in function.blocks:
        if _loads(block, found, objects, stay):
            changed = True
    gone = {made for made in objects if made not in stay}
    for made in objects:
        if made in gone:
            facts.remark(function.name, made.span, "object replaced by values", "it never leaves the function")
    if gone:
        changed = True
        for block in function.blocks:
            block.body = [value for value in block.body if not _vanishes(value, gone)]
    found.place_phis(NAME)
    resolve(function)
    return changed


def _loads(block: Block, found: Available, objects: dict[Value, None], stay: set[Value]) -> bool:
    """Replace the loads and lengths of one block; objects that some load must stay of are added to `stay`."""
    alias = found.alias
    here: dict[int, Value] = {}
    live = found.entering(block)
    changed = False
    for position, value in enumerate(block.body):
        op = value.op
        if op.pure and value not in alias.depends:
            continue
        if op is LENGTH and isinstance(value, Length) and value.args[0] in objects:
            forward(value, value.args[0].args[max(value.dimension, 0)])
            changed = True
            continue
        if op is ELEMENT and value.args[0] in objects:
            location = alias.location(value)
            assert location is not None
            number = location.number
            if number not in here and live >> number & 1:
                here[number] = found.at_start(block, number, value.type)
            known = final(here[number]) if number in here else value
            instead = replacement(value, known, NAME)
            live = found.step(value, here, live)
            if instead is None:
                stay.add(value.args[0])
                continue
            if instead is not known and instead.op is ops.BITCAST:
                block.body[position] = instead
            forward(value, instead)
            changed = True
            continue
        live = found.step(value, here, live)
    return changed


def _vanishes(value: Value, gone: set[Value]) -> bool:
    """Whether `value` is one of the objects, or a store into one or a check of one."""
    if value in gone:
        return True
    op = value.op
    return (op is SET_ELEMENT or op is CHECK_NULL or op is CHECK_KIND) and value.args[0] in gone
