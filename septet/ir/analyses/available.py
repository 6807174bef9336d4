"""Which locations' contents are known values, and which: what memory SSA answers, by data flow over sets of locations.

    :entry                          :then              at :join  %a[0] holds 7, or %x, or what is loaded here
      %a[0] <- 7                      %a[0] <- %x
      br %c :then :join               br :join

A location is available at a place if on every way to it, it was last loaded or stored, or its object made, and nothing that
may overlap it was written since, nor an operand of it defined anew.  Masks are sets of locations (`ir.analyses.alias`).  The
value there is found when asked for, with phis where blocks meet (Braun et al. 2013); phis that are not needed go afterwards.
"""

from __future__ import annotations

from septet.base.graph import reverse_postorder
from septet.base.types import INT64
from septet.ir.analyses.alias import Alias
from septet.ir.forward import final, stands_for
from septet.ir.nodes import Const, Phi, Value
from septet.ir.phis import remove_redundant
from septet.ops import table as ops
from septet.ops.table import COPY, ELEMENT, LOAD, SET_ELEMENT, STORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.types import Type
    from septet.ir.nodes import Block, Function

_ZERO = Const(INT64, 1)  # what the elements of a new object are


class Available:
    """Available locations of a function: `start[block]` is the mask of them where `block` begins."""

    __slots__ = ("function", "alias", "start", "before", "phis", "_all", "_ends", "_kills", "_found", "_new")

    def __init__(self, function: Function, alias: Alias) -> None:
        self.function = function
        self.alias = alias
        self._all = (1 << len(alias.locations)) - 1
        self._ends: dict[Block, dict[int, Value]] = {}  # what locations hold at a block's end, if it says so
        self._kills: dict[Block, int] = {}
        self._new: dict[Value, list[int]] = {}  # the locations of allocations
        for location in alias.locations:
            new = location.base.op is ops.NEW_ARRAY or location.base.op is ops.NEW_TUPLE
            if new and not any(varies is None and constant < 0 for varies, _, constant in location.indices):  # not its header
                self._new.setdefault(location.base, []).append(location.number)
        for block in function.blocks:
            self._summarise(block)
        self.before: dict[Block, list[Block]] = {block: [] for block in function.blocks}
        for block in function.blocks:
            for target in block.successors:
                self.before[target].append(block)
        self.start: dict[Block, int] = {}
        self._flow()
        self._found: dict[tuple[Block, int], Value] = {}
        self.phis: dict[Phi, Block] = {}  # made here; in no block yet

    def step(self, value: Value, here: dict[int, Value], live: int) -> int:
        """Go past `value`: what is known in this block is `here`, what was at its start and still is, `live`, given back."""
        alias = self.alias
        killed = alias.depends.get(value, 0)
        op = value.op
        if not op.pure and (op.writes or op.reads):
            killed |= alias.writes(value)
        if killed:
            live &= ~killed
            if here:
                for number in [number for number in here if killed >> number & 1]:
                    del here[number]
        if op is ELEMENT or op is LOAD:
            location = alias.location(value)
            if location is not None and location.number not in here and not live >> location.number & 1 and _plain(value.type):
                here[location.number] = value
        elif op is SET_ELEMENT or op is STORE:
            location = alias.location(value)
            if location is not None and _plain(value.args[-1].type):
                here[location.number] = value.args[-1]
        elif value in self._new:
            here.update(dict.fromkeys(self._new[value], _ZERO))
        return live

    def entering(self, block: Block) -> int:
        """What is available in `block` behind its phis."""
        live = self.start[block]
        for phi in block.phis:
            live &= ~self.alias.depends.get(phi, 0)
        return live

    def _summarise(self, block: Block) -> None:
        """What a block kills, and what it makes available."""
        here: dict[int, Value] = {}
        live = self._all
        for phi in block.phis:
            live &= ~self.alias.depends.get(phi, 0)
        alias, depends = self.alias, self.alias.depends
        for value in block.body:
            op = value.op
            if op.pure and value not in depends:
                continue
            live = self.step(value, here, live)
            if op is ELEMENT or op is LOAD:  # it holds its value whatever was known at the start
                location = alias.location(value)
                if location is not None and _plain(value.type):
                    here.setdefault(location.number, value)
        self._ends[block] = here
        self._kills[block] = self._all & ~live

    def _flow(self) -> None:
        """The greatest solution, from everything down; `start` of each block."""
        blocks = self.function.blocks
        number = {block: index for index, block in enumerate(blocks)}
        order = [blocks[index] for index in reverse_postorder([[number[to] for to in b.successors] for b in blocks])]
        makes = {}
        for block in order:
            mask = 0
            for location in self._ends[block]:
                mask |= 1 << location
            makes[block] = mask
        end = dict.fromkeys(order, self._all)
        changed = True
        while changed:
            changed = False
            for block in order:
                start = self._all if self.before[block] else 0
                for origin in self.before[block]:
                    start &= end[origin]
                self.start[block] = start
                new = start & ~self._kills[block] | makes[block]
                if new != end[block]:
                    end[block] = new
                    changed = True

    def at_start(self, block: Block, number: int, type: Type) -> Value:
        """What an available location holds where `block` begins.  Phis are made as needed: int64 for words, else of `type`."""
        if type.is_word:
            type = INT64
        waiting: list[tuple[Phi, Block]] = []
        found = self._look(block, number, type, waiting)
        while waiting:
            phi, join = waiting.pop()
            phi.args = [self._at_end(origin, number, type, waiting) for origin in phi.blocks]
        return found

    def _at_end(self, block: Block, number: int, type: Type, waiting: list[tuple[Phi, Block]]) -> Value:
        found = self._ends[block].get(number)
        return self._look(block, number, type, waiting) if found is None else found

    def _look(self, block: Block, number: int, type: Type, waiting: list[tuple[Phi, Block]]) -> Value:
        """Go up while there is one way to come, to a value or to where ways meet."""
        passed = []
        found = self._found.get((block, number))
        while found is None:
            passed.append(block)
            before = self.before[block]
            if len(before) > 1:
                phi = Phi(type, [], list(before))
                waiting.append((phi, block))
                self.phis[phi] = block
                found = phi
            else:
                block = before[0]
                found = self._ends[block].get(number)
                if found is None:
                    found = self._found.get((block, number))
        for block in passed:
            self._found[block, number] = found
        return found

    def place_phis(self, by: str) -> None:
        """Put the phis that are needed into their blocks, as made by pass `by`.  `resolve` must follow."""
        made = list(self.phis)
        for phi in made:
            phi.by = by
            phi.args = [final(arg) for arg in phi.args]
        remove_redundant([phi for phi in made if phi.op is not COPY])
        used = self._used() if made else set()
        for phi, block in self.phis.items():
            if phi.op is not COPY and phi in used:
                block.phis.append(phi)

    def _used(self) -> set[Value]:
        """The new phis that values in blocks use, or that such phis do."""
        used: set[Value] = set()
        todo: list[Value] = []
        for block in self.function.blocks:
            for values in (block.phis, block.body):
                for value in values:
                    if value.op is not COPY:
                        todo.append(value)
        new = set(self.phis)
        while todo:
            for arg in todo.pop().args:
                if arg.op is COPY:
                    arg = final(arg)
                if arg in new and arg not in used:
                    used.add(arg)
                    todo.append(arg)
        return used


def replacement(load: Value, known: Value, by: str) -> Value | None:
    """What takes the place of a load of what is `known`: that, a constant or a new bitcast; None where types forbid it."""
    if known is load:
        return None
    if stands_for(load.type, known.type):
        return known
    if not (load.type.is_word and known.type.is_word):
        return None
    if isinstance(known, Const) and load.type.signed == known.type.signed:
        return Const(load.type, known.number)
    return Value(ops.BITCAST, load.type, [known], load.span, by, load.name)


def _plain(type: Type) -> bool:
    """Whether values of that type are what is kept: of words the signed ones, so that one may stand for the other."""
    return type.signed or not type.is_word
