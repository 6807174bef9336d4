"""Stores that nobody reads, and objects that nothing is read from.

    %a[0] <- 1                                tuple %t <- new Tuple(5)
    tuple %t <- new Tuple(5)           =>     %a[0] <- 2
    %t[1] <- %x                               check-null %p
    check-null %p                             return %y
    %a[0] <- 2
    return %y                                 (and %t goes, too)

Trigger: on every way from a store its location is overwritten, the function returns and nobody else has the object, or the
program ends: memory cannot be seen then, so checks do not keep stores, but in hosted functions, whose callers go on.  What is
live is found backwards over sets of locations (`ir.analyses.alias`); going up past the definition of an operand, whatever may
be in the same object becomes live.  An allocation without uses goes if its sizes cannot be wrong.  Works in both phases;
allocations go in phase arrays.
Cost: near-linear data flow.  Gain: the stores, allocations, and the values that they kept alive.  Guard: none needed; every
application removes something.  Level 2.
"""

from __future__ import annotations

from septet.base.graph import reverse_postorder
from septet.ir.analyses.alias import Alias
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.representation import Words
from septet.ir.nodes import Const
from septet.ops.table import (
    CALL,
    CALL_C,
    CALL_INDIRECT,
    CHECK_LENGTH,
    ELEMENT,
    LOAD,
    NEW_ARRAY,
    NEW_TUPLE,
    RETURN,
    SET_ELEMENT,
    STORE,
    SYSCALL,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value

    Event = tuple[int, int, Value | None]  # what, locations, the store

NAME = "dead-stores"
KEEPS = (Dominators, PostDominators, Loops)
_STORES, _READS, _DEFINES, _MAKES, _LEAVES = range(5)
_LONGEST = 1 << 32  # of an object, encoded
_EFFECTS = (CALL, CALL_INDIRECT, CALL_C, SYSCALL)


def run(function: Function, facts: Facts) -> bool:
    """Remove stores and allocations; whether any was."""
    stores = makes = False
    for block in function.blocks:
        for value in block.body:
            if value.op is SET_ELEMENT or value.op is STORE:
                stores = True
            elif value.op is NEW_ARRAY or value.op is NEW_TUPLE:
                makes = True
    changed = stores and _remove_stores(function, facts)
    if makes and _remove_allocations(function, facts):
        changed = True
    return changed


def _remove_stores(function: Function, facts: Facts) -> bool:
    alias = facts.get(Alias)
    if not alias.locations:
        return False
    flow = _Liveness(function, alias, facts.program.hosted)
    dead: set[Value] = set()
    for block in function.blocks:
        for store in flow.dead(block):
            if facts.fuel.spend():
                dead.add(store)
                facts.remark(function.name, store.span, "store removed", "nobody reads what it stores")
    for block in function.blocks if dead else ():
        block.body = [value for value in block.body if value not in dead]
    return bool(dead)


class _Liveness:
    """Which locations may be read before they are overwritten."""

    __slots__ = ("alias", "hosted", "events", "begin", "successors")

    def __init__(self, function: Function, alias: Alias, hosted: bool) -> None:
        self.alias = alias
        self.hosted = hosted
        blocks = function.blocks
        seen = 0  # where the function returns: what somebody else has
        for location in alias.locations:
            if alias.escape.escapes(location.base):
                seen |= 1 << location.number
        self.events: dict[Block, list[Event]] = {block: self._events(block, seen) for block in blocks}
        self.successors = {block: block.successors for block in blocks}
        self.begin = dict.fromkeys(blocks, 0)  # what is live where a block begins
        number = {block: index for index, block in enumerate(blocks)}
        order = [blocks[i] for i in reverse_postorder([[number[to] for to in self.successors[b]] for b in blocks])]
        order.reverse()
        changed = True
        while changed:
            changed = False
            for block in order:
                live = self._up(block, None)
                if live != self.begin[block]:
                    self.begin[block] = live
                    changed = True

    def dead(self, block: Block) -> list[Value]:
        """The stores of a block that nobody reads, in program order."""
        found: list[Value] = []
        self._up(block, found)
        found.reverse()
        return found

    def _events(self, block: Block, seen: int) -> list[Event]:
        """What matters in a block, last first."""
        alias, depends = self.alias, self.alias.depends
        result: list[Event] = []
        for value in (*block.phis, *block.body):
            op = value.op
            if op is SET_ELEMENT or op is STORE:
                location = alias.location(value)
                if location is not None:
                    result.append((_STORES, 1 << location.number, value))
            elif op is RETURN or self.hosted and (op.check or op in _EFFECTS):
                result.append((_LEAVES, alias.reads(value) | seen, None))
            elif op is ELEMENT or op is LOAD or op in _EFFECTS:
                mask = alias.reads(value)
                if mask:
                    result.append((_READS, mask, None))
            operand = depends.get(value, 0)
            if operand:
                own = alias.of_base(value) if value in alias.escape.allocations else 0
                result += [(_MAKES, own, None)] if own else []
                result += [(_DEFINES, operand & ~own, None)] if operand & ~own else []
        result.reverse()
        return result

    def _up(self, block: Block, dead: list[Value] | None) -> int:
        """What is live at the beginning of a block."""
        live = 0
        for target in self.successors[block]:
            live |= self.begin[target]
        for what, mask, store in self.events[block]:
            if what == _STORES:
                if not live & mask and dead is not None and store is not None:
                    dead.append(store)
                live &= ~mask
            elif what == _MAKES:
                live = self._redefined(live & ~mask, mask)  # nobody reads what an object held before it was made
            elif what == _DEFINES:
                live = self._redefined(live, mask)
            else:
                live |= mask
        return live

    def _redefined(self, live: int, mask: int) -> int:
        """What is live above the definition of an operand of some locations, which mean other places there."""
        for location in self.alias.members(mask):
            objects = self.alias.objects(location)
            if live >> location.number & 1:
                live |= objects
            elif live & objects:
                live |= 1 << location.number
        return live


def _remove_allocations(function: Function, facts: Facts) -> bool:
    """Remove the objects that nothing but their making speaks of."""
    made: dict[Value, tuple[Block, int]] = {}
    checks: dict[Value, list[tuple[Block, int]]] = {}
    for block in function.blocks:
        for position, value in enumerate(block.body):
            if value.op is NEW_ARRAY or value.op is NEW_TUPLE:
                made[value] = block, position
            elif value.op is CHECK_LENGTH:
                checks.setdefault(value.args[0], []).append((block, position))
    for block in function.blocks:
        for values in (block.phis, block.body):
            for value in values:
                for arg in value.args:
                    if arg in made:
                        del made[arg]
    gone: set[Value] = set()
    for value, home in made.items():
        if _cannot_fail(value, home, facts, checks) and facts.fuel.spend():
            facts.remark(function.name, value.span, "allocation removed", "nothing is read from the object")
            gone.add(value)
    for block in function.blocks if gone else ():
        block.body = [value for value in block.body if value not in gone]
    return bool(gone)


def _cannot_fail(made: Value, home: tuple[Block, int], facts: Facts, checks: dict[Value, list[tuple[Block, int]]]) -> bool:
    """Whether the sizes of a new object are such as there may be: constants, or checked on every way to it."""
    sizes = made.args
    if len(sizes) > 2:
        return False  # products of sizes are checked as well
    for size in sizes:
        if isinstance(size, Const):
            if not (0 <= size.number < _LONGEST and size.number & 1):
                return False
        elif made.op is NEW_TUPLE and not facts.get(Words).odd(size) or not _dominated(home, checks.get(size, []), facts):
            return False
    return True


def _dominated(home: tuple[Block, int], checks: list[tuple[Block, int]], facts: Facts) -> bool:
    """Whether one of the checks is made on every way to `home`."""
    block, position = home
    dominators = facts.get(Dominators)
    return any(place < position if other is block else dominators.dominates(other, block) for other, place in checks)
