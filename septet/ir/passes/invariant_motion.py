"""What a loop computes anew in every round, and always the same, is computed before it.

    :entry                                     :entry
      br :loop                                   check-null %a
    :loop                                        int64 %n <- length %a 0
      %i <- phi (:entry 1, :loop %j)    =>       br :loop
      check-null %a                            :loop
      int64 %n <- length %a 0                    %i <- phi (:entry 1, :loop %j)
      check-index %i, %n                         check-index %i, %n
      ...                                        ...

Trigger: operands made outside the loop, and one of
  * no effect and no way to fail;
  * a load of what the loop does not write, from an object and an index that are checked before the loop, or in a place that
    is reached whenever the loop is entered, with nothing before it that may end the program;
  * a check in such a place, with nothing before it that prints or reads input either.
Gain: less in every round; versioning finds its bounds before the loop.  Cost: a register for each value that is needed in the
loop.  Guard: of what one machine operation computes, nothing moves in phase arrays but what something else that moves needs, in
phase words nothing where the loop has MANY values already, comparisons and what an address does for free never.
Level 2, both phases.  A loop is done after those inside it, so a value moves at most as often as it is in loops.
"""

from __future__ import annotations

from septet.base.graph import reverse_postorder
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.effects import UNCHANGING, Effects, is_allocation, number_of
from septet.ir.loop_shape import Shape
from septet.ir.nodes import ARRAYS, Const, Length, Memory
from septet.ops import table as ops
from septet.ops.table import ADD, CHECK_INDEX, ELEMENT, LENGTH, LOAD, SET_ELEMENT, SHL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.alias import Alias
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Block, Function, Value

NAME = "invariant-motion"
KEEPS = (Dominators, PostDominators, Loops)
MANY = 11  # values that live through a loop, beyond which cheap ones are computed again in every round
FAR = 40
_FREE = frozenset((ops.BITCAST, ops.CONVERT, *(op for op in ops.OPS if op.compares)))
_SLOW = frozenset((ops.MUL, ops.FADD, ops.FSUB, ops.FMUL, ops.FDIV, ops.FSQRT))
_NEW = (ops.NEW_ARRAY, ops.NEW_TUPLE)


def run(function: Function, facts: Facts) -> bool:
    """Move what can be moved; whether there was anything."""
    loops = facts.get(Loops)
    if not loops.loops:
        return False
    motion = _Motion(function, loops, facts)
    for loop in loops.loops:
        if loop.natural:
            motion.loop(loop)
    if motion.shape.changed:
        motion.shape.close()
        facts.drop()
    return motion.changed or motion.shape.changed


class _Motion:
    """One run of the pass."""

    def __init__(self, function: Function, loops: Loops, facts: Facts) -> None:
        self.function = function
        self.loops = loops
        self.facts = facts
        self.spend = facts.fuel.spend
        self.shape = Shape(function, loops, NAME)
        self.dominators = facts.get(Dominators)
        self.effects = Effects(function, facts)
        self.arrays = function.phase == ARRAYS
        self.alias: Alias | None = None
        self.changed = False
        self.home: dict[Value, Block] = {}
        self.checked: dict[object, dict[Block, None]] = {}  # where a reference, or a pair of index and length, is checked
        for block in function.blocks:
            for value in (*block.phis, *block.body):
                self.home[value] = block
                op = value.op
                if op.check:
                    self.checked.setdefault(_checked(value), {})[block] = None
                elif op is LENGTH or op is ELEMENT or op is LOAD and isinstance(value, Memory) and value.alias in UNCHANGING:
                    self.checked.setdefault(value.args[0], {})[block] = None  # no object, no load
        if self.arrays and any(self._disputed(loop) for loop in loops.loops):
            from septet.ir.analyses.alias import Alias

            self.alias = facts.get(Alias)  # now, before anything moves
        blocks = function.blocks
        number = {block: index for index, block in enumerate(blocks)}
        order = reverse_postorder([[number[target] for target in block.successors] for block in blocks])
        self.place = {blocks[index]: position for position, index in enumerate(order)}
        # Of the loop that is looked at:
        self.current: Loop = loops.loops[0]
        self.here: dict[Block, None] = {}
        self.preheader: Block | None = None
        self.same: dict[Value, None] = {}  # values in it that are the same in every round and may be computed before it
        self.writes: list[Value] = []
        self.moved: dict[Value, None] = {}
        self.room = False  # whether there are registers left, for all that is known here

    def loop(self, loop: Loop) -> None:
        """Move what can be moved out of one loop."""
        self.current = loop
        self.here = loop.blocks
        self.preheader = None
        self.same = {}
        self.moved = {}
        self.writes = self.effects.writes(loop)
        self.room = not self.arrays and self._pressure(loop) < MANY
        order = sorted(loop.own, key=lambda block: self.place.get(block, -1))
        open_edges, sure, clear = 0, True, True
        inner = False
        for block in order:
            if block is not loop.header:
                origins = self.shape.before[block]
                inner = inner or any(self.loops.innermost(origin) is not loop for origin in origins)
                open_edges -= len(origins)
            always = not inner and open_edges == 0
            sure, clear = self._block(block, sure, clear, always)
            open_edges += len(block.successors)
        if self.moved:
            self.changed = True
            for block in loop.own:
                if any(value in self.moved for value in block.body):
                    block.body = [value for value in block.body if value not in self.moved]

    def _block(self, block: Block, sure: bool, clear: bool, always: bool) -> tuple[bool, bool]:
        """Go through one block.  `always`: it is reached in every round that no exit ends before; `sure`: nothing before may
        end the program; `clear`: nor print or read.  The latter two for what follows."""
        for value in block.body:
            op = value.op
            if op.pure:
                if self._invariant(value):
                    self.same[value] = None
                    if self._worth(value):
                        self._move(value)
            elif op.check:
                if not (always and clear and self._invariant(value) and self._move(value)):
                    sure = clear = False
            elif op is LENGTH or op is ELEMENT or op is LOAD:
                if self._invariant(value) and (always and sure or self._safe(value)) and self._unwritten(value):
                    self._move(value)
            elif not op.ends:
                effect = self.effects.of(value)
                sure = sure and not effect.stops
                clear = clear and not effect.stops and not effect.shows
        return sure, clear

    def _disputed(self, loop: Loop) -> bool:
        """Whether a loop of its own reads an element that could move, and writes elements."""
        reads = writes = False
        for block in loop.own:
            for value in block.body:
                if value.op is SET_ELEMENT:
                    writes = True
                elif value.op is ELEMENT and not reads:
                    numbers = [arg.args[0] if arg.op is ops.UNTAG else arg for arg in value.args]
                    reads = not any(self.loops.contains(loop, self.home[arg]) for arg in numbers if arg in self.home)
        return reads and (writes or bool(loop.children))

    def _outside(self, value: Value) -> bool:
        return self.home.get(value) not in self.here

    def _invariant(self, value: Value) -> bool:
        same, home, here = self.same, self.home, self.here
        for arg in value.args:
            at = home.get(arg)
            if at in here and arg not in same:
                return False
        return True

    def _worth(self, value: Value) -> bool:
        """Whether to move a value without effect, though nothing else that moves needs it."""
        op = value.op
        if op in _SLOW:
            return True
        if self.arrays or not self.room or op in _FREE:
            return False
        return not (op is SHL or op is ADD and value.type is not value.args[0].type)

    def _safe(self, value: Value) -> bool:
        """Whether a load may be executed before the loop: from an object that is one, and an element that it has."""
        args = value.args
        base = args[0]
        if isinstance(value, Memory):
            return value.alias in UNCHANGING and self._is_reference(base)
        if not self._is_reference(base):
            return False
        if value.op is LENGTH:
            return len(args) == 1
        return all(self._in_range(base, index, dimension) for dimension, index in enumerate(args[1:]))

    def _is_reference(self, base: Value) -> bool:
        return base.op in _NEW or is_allocation(base) or self._checked_before(base)

    def _in_range(self, base: Value, raw: Value, dimension: int) -> bool:
        index = raw.number if isinstance(raw, Const) else number_of(raw)
        if base.op in _NEW and self._checked_before((index, base.args[dimension])):
            return True
        return index is not None and self._checked_before((index, base, dimension))

    def _checked_before(self, key: object) -> bool:
        """Whether a check stands where every way to the loop comes through; of many, only those not FAR above are looked at."""
        checked = self.checked.get(key)
        if checked is None:
            return False
        if self.preheader in checked:
            return True
        above, top = self.dominators.parent, self.function.blocks[0]
        block = self.current.header
        if len(checked) <= FAR:
            dominates = self.dominators.dominates
            return any(at in above and at not in self.here and dominates(at, block) for at in checked)
        for _ in range(FAR):
            if block is top:
                break
            block = above[block]
            if block in checked:
                return True
        return False

    def _unwritten(self, value: Value) -> bool:
        if value.op is LENGTH:
            return True
        return not any(self.effects.may_write(write, value) and self._meet(write, value) for write in self.writes)

    def _meet(self, write: Value, load: Value) -> bool:
        """Whether a write in the loop may be to the place of a load whose operands do not change in it."""
        alias = self.alias
        location = alias.location(load) if alias is not None else None
        return alias is None or location is None or bool(alias.writes(write) >> location.number & 1)

    def _move(self, root: Value) -> bool:
        """Move a value, and what it needs, before the loop, if there is fuel."""
        if root in self.moved:
            return True
        if not self.spend():
            return False
        if self.preheader is None:
            self.preheader = self.shape.preheader(self.current)
        preheader = self.preheader
        todo: list[tuple[Value, bool]] = [(root, False)]
        while todo:
            value, ready = todo.pop()
            if value in self.moved:
                continue
            if not ready:
                todo.append((value, True))
                todo += [(arg, False) for arg in reversed(value.args) if arg in self.same]
                continue
            self.moved[value] = None
            value.by = NAME
            preheader.body.insert(-1, value)
            self.home[value] = preheader
        if root.op.check:
            self.checked.setdefault(_checked(root), {})[preheader] = None
        if not root.op.pure:
            why = "it is the same in every round"
            self.facts.remark(self.function.name, root.span, f"{root.op} moved out of the loop", why)
        return True

    def _pressure(self, loop: Loop) -> int:
        """How many values live through a round: those that change from round to round, and those that come from outside."""
        found: dict[Value, None] = {}
        for block in loop.blocks:
            for value in block.body:
                for arg in value.args:
                    if not isinstance(arg, Const) and arg.op is not ops.SYMBOL_ADDRESS and self._outside(arg):
                        found[arg] = None
        return len(found) + len(loop.header.phis)


def _checked(check: Value) -> object:
    """What a check makes sure of: of a reference, itself; for an index, (word or raw number, length) or (.., object,
    dimension)."""
    op = check.op
    if op is not CHECK_INDEX:
        return check.args[0] if op is ops.CHECK_NULL or op is ops.CHECK_KIND else (op, check.args[0])
    word, length = check.args
    index = word.number >> 1 if isinstance(word, Const) else word
    if isinstance(length, Length) and len(length.args) == 1:
        return index, length.args[0], max(length.dimension, 0)
    return index, length
