"""Which memory accesses may be to one place.

An access is to a *location*: an object and indices (phase arrays), or an address and an offset (phase words).  Locations are
numbered; a mask is a set of them.  An index is taken apart into something that varies and a constant, so that `a[i]` and
`a[i + 1]` are known to differ.  Two locations differ where

* their alias classes do: arrays of one rank, tuples, what a `Memory` names (where neither is `any`);
* their objects do: of two allocations, or one that nothing in memory refers to and one from elsewhere (`ir.analyses.escape`);
* an index does, by a constant: indices inside an object, as LAc has them checked, name different elements of whatever object.

Locations are meaningful where their operands are defined, and always speak of the operands' values of now: going on past the
definition of an operand (`depends`) a location means nothing.
"""

from __future__ import annotations

from septet.base.symbols import ROUTINE
from septet.base.types import TUPLE
from septet.ir.analyses.escape import Escape, callees
from septet.ir.analyses.representation import Words
from septet.ir.nodes import Address, Call, Const, Memory
from septet.ops import table as ops
from septet.ops.table import ADD, CALL, CALL_INDIRECT, ELEMENT, LOAD, SET_ELEMENT, STORE, SUB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

    from septet.ir.nodes import Function, Value

    Index = tuple[Value | None, bool, int]  # what varies, whether its number is meant (untag), and what is added

_FAR = 1 << 32  # constants beyond it are not looked at: sums of two stay far from wrapping around
_MOST_OBJECTS = 200  # above that many different sets of roots, objects are not told apart
CONSTANT_CLASSES = ("length", "descriptor")  # never change once made


class Location:
    """`kind`: the rank of an array, or an alias class; `base`: the object or address; `indices` into it."""

    __slots__ = ("kind", "base", "indices", "number", "size")

    def __init__(self, kind: int | str, base: Value, indices: tuple[Index, ...], number: int, size: int) -> None:
        self.kind = kind
        self.base = base
        self.indices = indices
        self.number = number
        self.size = size  # in bytes, where the constant in its one index counts bytes; else 0


class Terms:
    """Locations that have what varies in an index in common: `masks` by the constant, and `all` of them."""

    __slots__ = ("masks", "all")

    def __init__(self) -> None:
        self.masks: dict[int, int] = {}
        self.all = 0


class Alias:
    """The locations of a function, and what may change or read them."""

    __slots__ = (
        "locations", "depends", "escape", "_facts", "_of", "_overlaps", "_objects", "_kinds", "_terms", "_groups", "_private",
        "_words", "_function", "_addresses",
    )  # fmt: skip

    def __init__(self, function: Function, facts: Any = None) -> None:
        self._facts = facts
        self._function = function
        self._words: Words | None = None
        self.escape: Escape = facts.get(Escape) if getattr(facts, "function", None) is function else Escape(function, facts)
        self.locations: list[Location] = []
        self.depends: dict[Value, int] = {}  # of each value, the locations that it is an operand of
        self._of: dict[Value, Location] = {}
        self._overlaps: dict[int, int] = {}
        self._kinds: dict[int | str, int] = {}  # masks
        self._objects: dict[tuple[int | str, int], int] = {}
        self._terms: dict[Hashable, Terms] = {}  # by kind, dimension and what varies
        self._groups: dict[int, int] = {}  # by roots of the base
        self._private = 0
        self._addresses: dict[Hashable, Value] = {}  # one value for each symbol and type
        known: dict[Hashable, Location] = {}
        for block in function.blocks:
            for value in block.body:
                op = value.op
                if op is ELEMENT or op is SET_ELEMENT:
                    self._array(value, known)
                elif op is LOAD or op is STORE:
                    assert isinstance(value, Memory)
                    if value.alias not in CONSTANT_CLASSES:
                        self._word(value, known)

    # Making locations.

    def _array(self, value: Value, known: dict[Hashable, Location]) -> None:
        base = value.args[0]
        kind: int | str = "tuple" if base.type is TUPLE else base.type.rank
        indices = tuple([_index(arg) for arg in (value.args[1:] if value.op is ELEMENT else value.args[1:-1])])
        key = (base, indices)
        found = known.get(key)
        if found is None:
            found = known[key] = self._new(kind, base, indices, 0)
        self._of[value] = found

    def _word(self, value: Memory, known: dict[Hashable, Location]) -> None:
        base, term, number, offset = _address(value.args[0])
        if isinstance(base, Address):
            base = self._addresses.setdefault((base.symbol, base.type), base)
        index = (term, number, offset + value.offset)
        size = (value.on.bits + 7) // 8
        key = (value.alias, base, index, size, value.on.is_word or value.on)
        found = known.get(key)
        if found is None:
            found = known[key] = self._new(value.alias, base, (index,), size)
        self._of[value] = found

    def _new(self, kind: int | str, base: Value, indices: tuple[Index, ...], size: int) -> Location:
        number = len(self.locations)
        bit = 1 << number
        made = Location(kind, base, indices, number, size)
        self.locations.append(made)
        self._kinds[kind] = self._kinds.get(kind, 0) | bit
        self.depends[base] = self.depends.get(base, 0) | bit
        roots = self.escape.roots(base)
        self._groups[roots] = self._groups.get(roots, 0) | bit
        if self.escape.private(base):
            self._private |= bit
        whose = base if size else None
        for dimension, (term, untag, constant) in enumerate(indices):
            if term is not None:
                self.depends[term] = self.depends.get(term, 0) | bit
            terms = self._terms.setdefault((kind, whose, dimension, term, untag), Terms())
            terms.all |= bit
            terms.masks[constant] = terms.masks.get(constant, 0) | bit
        return made

    # Questions.

    def location(self, value: Value) -> Location | None:
        """Where a load or store is to; None for what has no location: other values, and what never changes."""
        return self._of.get(value)

    def overlaps(self, location: Location) -> int:
        """The locations that may be the same place as this one, itself among them."""
        found = self._overlaps.get(location.number)
        if found is None:
            found = self.objects(location)
            whose = location.base if location.size else None
            for dimension, (term, untag, constant) in enumerate(location.indices):
                terms = self._terms[location.kind, whose, dimension, term, untag]
                if len(terms.masks) > 1:
                    found &= ~(self._apart(location, constant, terms) if location.size else terms.all ^ terms.masks[constant])
            self._overlaps[location.number] = found
        return found

    def _apart(self, location: Location, constant: int, terms: Terms) -> int:
        """The locations whose offsets are far enough from that of `location`, which is `constant`."""
        found = 0
        for other, mask in terms.masks.items():
            if other >= constant + location.size:
                found |= mask
            elif other < constant:
                for place in self.members(mask):
                    if other + place.size <= constant:
                        found |= 1 << place.number
        return found

    def objects(self, location: Location) -> int:
        """The locations that may be in the same object, whatever the indices."""
        kind = location.kind
        roots = self.escape.roots(location.base)
        found = self._objects.get((kind, roots))
        if found is None:
            found = 0
            for other, mask in self._kinds.items():
                if other == kind or _share(kind, other):
                    found |= mask
            if len(self._groups) <= _MOST_OBJECTS:
                for root, mask in self._groups.items():
                    if not self.escape.may_share(roots, root):
                        found &= ~mask
            self._objects[kind, roots] = found
        return found

    def of_base(self, base: Value) -> int:
        """The locations whose object or address is that value."""
        mask = self.depends.get(base, 0)
        for location in self.members(mask):
            if location.base is not base:
                mask &= ~(1 << location.number)
        return mask

    def members(self, mask: int) -> list[Location]:
        """The locations in a mask."""
        result = []
        while mask:
            low = mask & -mask
            result.append(self.locations[low.bit_length() - 1])
            mask ^= low
        return result

    def may_alias(self, access: Value, other: Value) -> bool:
        """Whether two loads or stores may be to one place, as long as no operand of theirs is defined anew in between."""
        here, there = self._of.get(access), self._of.get(other)
        return here is not None and there is not None and bool(self.overlaps(here) >> there.number & 1)

    def writes(self, value: Value) -> int:
        """The locations that may change where `value` is executed."""
        return self._affected(value, SET_ELEMENT, STORE, True)

    def reads(self, value: Value) -> int:
        """The locations that `value` may read."""
        return self._affected(value, ELEMENT, LOAD, False)

    def _affected(self, value: Value, element: ops.Op, word: ops.Op, writes: bool) -> int:
        """The locations that `value` may write or read, if accesses with these opcodes do."""
        op = value.op
        if op is element or op is word:
            location = self._of.get(value)
            return 0 if location is None else self.overlaps(location)
        if op is CALL or op is CALL_INDIRECT:
            assert isinstance(value, Call)
            return self._touched(value, writes)
        return (1 << len(self.locations)) - 1 if op is ops.CALL_C or op is ops.SYSCALL else 0

    def _prints_number(self, call: Call) -> bool:
        """Whether what a call prints is no object."""
        if self._words is None:
            asked = self._facts is not None and self._facts.function is self._function
            self._words = self._facts.get(Words) if asked else Words(self._function, self._facts)
        return self._words.odd(call.args[0])

    def _touched(self, call: Call, writes: bool) -> int:
        """What a call may write, or read."""
        if not self.locations:
            return 0
        callee = call.callee
        if callee is not None and callee.kind == ROUTINE:
            if writes or callee.name != "print" or self._prints_number(call):
                return 0  # what allocating writes is new; errors read no objects
            classes: frozenset[str] = frozenset(("any",))
        else:
            summaries = callees(call, self._facts)
            if summaries is None:
                classes = frozenset(("any",))
            else:
                classes = frozenset().union(*[one.writes if writes else one.reads for one in summaries])
        if not classes:
            return 0
        found = 0
        for kind, mask in self._kinds.items():
            name = "element" if kind.__class__ is int else kind
            if name in classes or "any" in classes or name == "any":
                found |= mask
        if self._private:
            passed = 0
            for arg in call.args:
                passed |= self.escape.roots(arg)
            untouched = 0
            for roots, mask in self._groups.items():
                if not roots & passed:
                    untouched |= mask
            found &= ~(self._private & untouched)
        return found


def _share(kind: int | str, other: int | str) -> bool:
    """Whether accesses of two different kinds may be to one place: arrays and loads and stores of the class of elements."""
    if kind == "any" or other == "any":
        return True
    return (kind.__class__ is int and other == "element") or (other.__class__ is int and kind == "element")


def _index(value: Value) -> Index:
    """An index taken apart: what varies, whether it stands for its number, and the constant."""
    constant = 0
    if value.__class__ is Const:
        return (None, False, value.number)
    while (value.op is ADD or value.op is SUB) and value.args[1].__class__ is Const and value.type.is_word:
        number: int = value.args[1].number
        if not -_FAR < number < _FAR or not -_FAR < constant < _FAR:
            break
        constant += number if value.op is ADD else -number
        value = value.args[0]
    if value.op is not ops.UNTAG or not value.type.is_word or not value.args[0].type.is_word:
        return (value, False, constant)
    value = value.args[0]
    while (value.op is ADD or value.op is SUB) and value.args[1].__class__ is Const and value.type.is_word:
        number = value.args[1].number
        if number & 1 or not -_FAR < number < _FAR or not -_FAR < constant < _FAR:
            break
        constant += number >> 1 if value.op is ADD else -(number >> 1)
        value = value.args[0]
    return (value, True, constant)


def _address(value: Value) -> tuple[Value, Value | None, bool, int]:
    """An address taken apart: a base, what varies in the index of a word, whether that stands for its number, and bytes."""
    offset = 0
    term: Value | None = None
    number = False
    while value.op is ADD and value.type.is_word:
        left, right = value.args
        if right.__class__ is Const:
            constant: int = right.number
            if not -_FAR < constant < _FAR or not -_FAR < offset < _FAR:
                break
            offset += constant
        elif term is None and right.op is ops.SHL and _is_three(right.args[1]):
            term, number, words = _index(right.args[0])
            offset += 8 * words
        else:
            break
        value = left
    return value, term, number, offset


def _is_three(value: Value) -> bool:
    return isinstance(value, Const) and value.number == 3
