"""An element that a loop writes again and again in one place is kept in a register, and written when the loop is left.

    :before                                   :before
      br :loop                                  int64 %old <- %a[%n]
    :loop                                       br :loop
      ...                                     :loop
      int64 %x <- %a[%n]               =>       int64 %x <- phi (:before %old, :loop %y)
      int64 %y <- %x + %i                       ...
      %a[%n] <- %y                              int64 %y <- %x + %i
      br %c :loop :out                          br %c :loop :out_stored
    :out                                      :out_stored
                                                %a[%n] <- %y
                                                br :out

Trigger: an innermost loop writes an element of an array that is the same in every round, and nothing in the loop may read or
write that element under another name.  The first round surely gets to one of the accesses, before it may leave the loop or
fail, so that the element is there.  What the loop prints or fails with does not depend on memory; calls may read and write only
other places.  Where other arrays might be the same one, a test before the loop finds out, and a copy of the loop is for that.
Gain: a load and a store in every round, and the wait of one for the other.  Cost: a register; a block on each way out.  Guard:
at most PLACES elements a loop, TESTS tests, LARGEST values copied for a loop and TOTAL in all.  Level 2, phase arrays.  Ends: a
place is looked at once, and loops that were not there at the start are not.
"""

from __future__ import annotations

from septet.base.graph import reverse_postorder
from septet.base.types import BOOL, INT64, VOID
from septet.ir.analyses.alias import Alias
from septet.ir.analyses.loops import Loops
from septet.ir.clone import clone_blocks, copy_edge
from septet.ir.copy import copy_value
from septet.ir.effects import Effects
from septet.ir.forward import forward, resolve, stands_for
from septet.ir.loop_shape import Shape
from septet.ir.nodes import ARRAYS, Block, Branch, Compare, Phi, Value
from septet.ir.redefine import redefine
from septet.ops import table as ops
from septet.ops.table import BR, ELEMENT, SET_ELEMENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.alias import Location
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Function
    from septet.ir.redefine import Versions

NAME = "store-promotion"
PLACES = 4
TESTS = 3
LARGEST = 60
TOTAL = 300
DEEPEST = 4  # operations on indices that are copied before the loop, one inside the other


def run(function: Function, facts: Facts) -> bool:
    """Promote what can be promoted; whether there was anything."""
    if function.phase != ARRAYS:
        return False
    loops = facts.get(Loops)
    promotion: _Promotion | None = None
    for loop in loops.loops:
        if loop.children or not loop.natural:
            continue
        writes = [value for block in loop.own for value in block.body if value.op is SET_ELEMENT]
        if not writes:
            continue
        home = {value: block for block in loop.own for value in (*block.phis, *block.body)}
        if any(value.args[0].type.rank and _steady(value, home) for value in writes) and _early(loop, loops):
            promotion = promotion or _Promotion(function, facts, loops)
            promotion.loop(loop, home)
    if promotion is None or not promotion.changed:
        return False
    promotion.shape.close()
    facts.drop()
    redefine(function, promotion.versions, NAME)
    resolve(function)
    return True


def _early(loop: Loop, loops: Loops) -> bool:
    """Whether an access is executed whenever the loop is entered, with no check before it: a look at less than `_reached`
    takes into account, before the analyses that it needs are asked for."""
    block = loop.header
    while True:
        for value in block.body:
            if value.op is ELEMENT or value.op is SET_ELEMENT:
                return True
            if value.op.check:
                return False
        if block.body[-1].op is not BR:
            return False
        (block,) = block.successors
        if block is loop.header or not loops.contains(loop, block):
            return False


def _steady(access: Value, home: dict[Value, Block]) -> bool:
    """Whether an access is to the same place in every round."""
    indices = access.args[1:-1] if access.op is SET_ELEMENT else access.args[1:]
    return access.args[0] not in home and all(_available(index, home, DEEPEST) for index in indices)


def _available(value: Value, home: dict[Value, Block], depth: int) -> bool:
    """Whether `value` is the same in every round, and can be computed before the loop."""
    if value not in home:
        return True
    if not value.op.pure or value.op is ops.PHI or not depth:
        return False
    return all(_available(arg, home, depth - 1) for arg in value.args)


def _may_differ(one: Value, other: Value, home: dict[Value, Block]) -> bool:
    """Whether two arrays can be compared before the loop."""
    return one is not other and one not in home and one.type is other.type


class _Promotion:
    """One run of the pass."""

    def __init__(self, function: Function, facts: Facts, loops: Loops) -> None:
        self.function = function
        self.facts = facts
        self.loops = loops
        self.alias = facts.get(Alias)
        self.effects = Effects(function, facts)
        self.shape = Shape(function, loops, NAME)
        self.changed = False
        self.left = TOTAL
        self.versions: Versions = {}

    def loop(self, loop: Loop, home: dict[Value, Block]) -> None:
        """Promote what can be promoted in one loop."""
        found: dict[Location, list[Value]] = {}
        for value in home:
            if value.op is ELEMENT or value.op is SET_ELEMENT:
                location = self.alias.location(value)
                if location is not None and value.args[0].type.rank and _steady(value, home):
                    found.setdefault(location, []).append(value)
        done = 0
        for location, accesses in found.items():
            stores = [value for value in accesses if value.op is SET_ELEMENT]
            if not stores or done == PLACES:
                continue
            others: dict[Value, None] = {}
            why = self._obstacle(loop, location, accesses, home, others)
            span = stores[0].span
            size = sum([len(block.body) for block in loop.own]) if others else 0
            if others and (len(others) > TESTS or size > min(LARGEST, self.left) or done):
                why = why or "arrays may be the same, and it is too large to be copied"
            if why:
                self.facts.remark(self.function.name, span, "element not kept in a register", why)
            elif self.facts.fuel.spend():
                done += 1
                self.changed = True
                self.facts.remark(self.function.name, span, "element kept in a register", "it is the same in every round")
                if others:
                    self.left -= size
                    self._version(loop, location.base, others)
                    done = PLACES
                self._promote(loop, home, accesses)

    def _obstacle(
        self, loop: Loop, location: Location, accesses: list[Value], home: dict[Value, Block], others: dict[Value, None]
    ) -> str:
        """Why the place stays in memory; "" if it need not, as long as its array is none of `others`."""
        for value in accesses:
            type = value.args[-1].type if value.op is SET_ELEMENT else value.type
            if not stands_for(INT64, type) or not stands_for(type, INT64):
                return "it is no plain word"
        bit = location.number
        mine = set(accesses)
        for block in loop.own:
            for value in block.body:
                if value in mine or not (self.alias.writes(value) | self.alias.reads(value)) >> bit & 1:
                    continue
                if (value.op is ELEMENT or value.op is SET_ELEMENT) and _may_differ(value.args[0], location.base, home):
                    others[value.args[0]] = None
                else:
                    return "other accesses may be to the same place"
        return "" if self._reached(loop, mine) else "the first round may not get to it"

    def _reached(self, loop: Loop, accesses: set[Value]) -> bool:
        """Whether one of the accesses is executed whenever the loop is entered."""
        block = loop.header
        while True:
            for value in block.body:
                if value in accesses:
                    return True
                if not value.op.ends and (value.op.check or self.effects.of(value).stops):
                    return False
            if block.body[-1].op is not BR:
                return False
            (block,) = block.successors
            if block is loop.header or not self.loops.contains(loop, block):
                return False

    def _version(self, loop: Loop, base: Value, others: dict[Value, None]) -> None:
        """Put a test before the loop, and a copy of it where `base` is one of `others`."""
        shape, header = self.shape, loop.header
        before = shape.preheader(loop)
        span = header.body[0].span
        values: dict[Value, Value] = {}
        copies = clone_blocks(loop.own, values, shape.fresh)
        enter, same = (Block(shape.fresh(f"{header.name}_{name}")) for name in ("apart", "same"))
        for block, to in ((enter, header), (same, copies[header])):
            block.body.append(Branch(BR, [], [to], span, NAME))
            for phi in to.phis:
                phi.blocks = [block if origin is before else origin for origin in phi.blocks]
        for block, target in loop.exits:
            copy_edge(target, block, copies[block], values)
            shape.reach(target, copies[block])
        for block, copy in copies.items():
            for value in (*block.phis, *block.body):
                if value.type is not VOID:
                    self.versions[value] = {block: value, copy: values[value]}
        before.body.pop()
        condition: Value | None = None
        for other in others:
            test: Value = Compare(ops.NE, base.type, [base, other], span, NAME)
            before.body.append(test)
            if condition is not None:
                test = Value(ops.AND, BOOL, [condition, test], span, NAME)
                before.body.append(test)
            condition = test
        assert condition is not None
        before.body.append(Branch(ops.BR_IF, [condition], [enter, same], span, NAME))
        shape.insert_before(header, enter, loop.parent)
        place = next(reversed(loop.blocks))
        for block in (same, *copies.values()):
            shape.insert_after(place, block, loop.parent)
            place = block
        shape.before[enter] = shape.before[same] = [before]
        shape.before[header] = [enter if origin is before else origin for origin in shape.before[header]]
        loop.preheader = enter

    def _promote(self, loop: Loop, home: dict[Value, Block], accesses: list[Value]) -> None:
        before = self.shape.preheader(loop)
        sample = accesses[0]
        indices = sample.args[1:-1] if sample.op is SET_ELEMENT else sample.args[1:]
        made: dict[Value, Value] = {}
        place = [sample.args[0], *(_before(index, home, before, made) for index in indices)]
        old = Value(ELEMENT, INT64, list(place), sample.span, NAME)
        before.body.insert(-1, old)
        ends = self._thread(loop, before, old, set(accesses))
        targets: dict[Block, list[Block]] = {}
        for block, target in loop.exits:
            targets.setdefault(target, []).append(block)
        for target, origins in targets.items():
            self._leave(loop, target, origins, ends, place, sample.span)

    def _thread(self, loop: Loop, before: Block, old: Value, accesses: set[Value]) -> dict[Block, Value]:
        """Let values take the place of accesses; what is in the place at the end of each block."""
        blocks = [loop.header, *(block for block in loop.own if block is not loop.header)]
        number = {block: index for index, block in enumerate(blocks)}
        order = reverse_postorder([[number[to] for to in block.successors if to in number] for block in blocks])
        first = Phi(INT64, [], [], old.span, NAME)
        ends: dict[Block, Value] = {}
        for index in order:
            block = blocks[index]
            origins = self.shape.before[block]
            now: Value
            if block is loop.header:
                now = first
                block.phis.append(first)
            else:
                now = ends[origins[0]]
                if any(ends[origin] is not now for origin in origins):
                    now = Phi(INT64, [ends[origin] for origin in origins], list(origins), old.span, NAME)
                    block.phis.append(now)
            body: list[Value] = []
            for value in block.body:
                if value not in accesses:
                    body.append(value)
                elif value.op is ELEMENT:
                    forward(value, now)
                    body.append(value)
                else:
                    now = value.args[-1]
            block.body = body
            ends[block] = now
        first.args = [old, *(ends[latch] for latch in loop.latches)]
        first.blocks = [before, *loop.latches]
        return ends

    def _leave(
        self, loop: Loop, target: Block, origins: list[Block], ends: dict[Block, Value], place: list[Value], span: int
    ) -> None:
        """Store what is in the place on the way from the loop to `target`."""
        around = self.loops.innermost(target)
        while around is not None and not self.loops.contains(around, loop.header):
            around = around.parent
        block = self.shape.join(target, origins, f"{target.name}_stored", around)
        self.shape.replace_latch(target, origins[0], block)
        what = ends[origins[0]]
        if any(ends[origin] is not what for origin in origins):
            what = Phi(INT64, [ends[origin] for origin in origins], list(origins), span, NAME)
            block.phis.append(what)
        block.body.insert(0, Value(SET_ELEMENT, VOID, [*place, what], span, NAME))


def _before(value: Value, home: dict[Value, Block], block: Block, made: dict[Value, Value]) -> Value:
    """`value`, computed at the end of `block`, before the loop."""
    if value not in home:
        return value
    found = made.get(value)
    if found is None:
        found = made[value] = copy_value(value)
        found.args = [_before(arg, home, block, made) for arg in value.args]
        found.by = NAME
        block.body.insert(-1, found)
    return found
