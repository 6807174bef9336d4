"""What branches taken and checks passed say about values, and where that holds.

    bool %c <- %i < %n                 in :then, which only this branch leads to:   %i <= %n - 1,  %n >= %i + 1
    br %c :then :other                 in :other:                                   %i >= %n,      %n <= %i

    check-index %i, %len               behind it:  0 <= %i <= %len - 1  (where %len is not negative)

A fact is (block, position, kind, other, number): it holds behind `position` of `block` and in the blocks that this dominates.
`kind` is UPPER (value <= other + number), LOWER (value >= other + number), INDEX (0 <= value <= other + number if other is not
negative) or UNEQUAL (value != number); `other` is None where the bound is `number` alone.  Bounds are those of the values as
natural numbers, nothing wraps.  Facts whose other side is a computed value are kept for both sides.
"""

from __future__ import annotations

from septet.base.types import BOOL, INT, VALUE
from septet.ir.analyses.dominators import Dominators
from septet.ir.nodes import Branch, Compare, Const, Length, Value
from septet.ops import table as ops
from septet.ops.table import ADD, AND, CONVERT, EQ, GE, GT, LE, LENGTH, LT, NE, NEW_ARRAY, NEW_TUPLE, OR, SUB, TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from septet.base.facts import Facts
    from septet.base.types import Type
    from septet.ir.nodes import Block, Function
    from septet.ops.table import Op

    Fact = tuple[Block, int, int, Value | None, int]
    Bound = tuple[int, Value | None, int]  # kind, other, number
    Said = tuple[Value, int, Value | None, int]  # value and a bound
    Point = tuple[Block, int, list[Said]]  # a place in a block, and what holds there besides the facts (on an edge)

UPPER, LOWER, INDEX, UNEQUAL, PASSED = range(5)
ENTRY, END = -2, 1 << 60  # positions before a block's phis, and behind its terminator
LONGEST = (1 << 32) - 1  # the encoded length of the longest object
MOST = 24  # facts kept about a value; what else is said about it is forgotten
_DEEP = 6
_NONE: list[Bound] = []
_OPPOSITE = {LT: GE, GE: LT, LE: GT, GT: LE, EQ: NE, NE: EQ}


class Conditions:
    """The facts of a function; `where` says for each value its block and position (phis -1; none for leaves)."""

    __slots__ = ("where", "dominates", "about", "_at", "_edges", "_lengths", "_passed", "offsets")

    def __init__(self, function: Function, facts: Facts | None = None) -> None:
        self.dominates = (Dominators(function) if facts is None else facts.get(Dominators)).dominates
        self.where: dict[Value, tuple[Block, int]] = {}
        self.about: dict[Value, list[tuple[Block, int, Bound]]] = {}
        self.offsets: dict[Value, list[Value]] = {}  # of values, sums of each and a constant that something is said about
        self._passed: dict[Value, list[Fact]] = {}  # of lengths, indices that were below them
        self._at: dict[tuple[Value, Block], tuple[list[Bound], list[tuple[int, Bound]]]] = {}  # from above, and own places
        self._edges: dict[tuple[Block, Block], list[Said]] = {}
        self._lengths: dict[tuple[Value, int], Value] = {}
        where = self.where
        entered: dict[Block, int] = {}
        for block in function.blocks:
            for phi in block.phis:
                where[phi] = (block, -1)
            for position, value in enumerate(block.body):
                where[value] = (block, position)
            for target in block.successors:
                entered[target] = entered.get(target, 0) + 1
        for block in function.blocks:
            for position, value in enumerate(block.body):
                said = _SAID.get(value.op)
                if said is not None:
                    for item in said(self, value):
                        self._learn(block, position, item)
            last = block.body[-1]
            if last.op is ops.BR_IF and isinstance(last, Branch):
                for target in last.targets:
                    if entered[target] == 1:
                        for item in self.edge(block, target):
                            self._learn(target, ENTRY, item)

    def said(self, value: Value, point: Point) -> list[Bound]:
        """What is known about `value` at `point`."""
        facts = self.about.get(value)
        if facts is None:
            found = _NONE
        else:
            block, position, _ = point
            known = self._at.get((value, block))
            if known is None:
                above = [bound for start, _, bound in facts if start is not block and self.dominates(start, block)]
                here = [(place, bound) for start, place, bound in facts if start is block]
                here.sort(key=_first)
                known = self._at[value, block] = (above, here)
            found, own = known
            if own and own[0][0] < position:
                if own[-1][0] < position:
                    found = found + [bound for _, bound in own]
                else:
                    found = found + [bound for place, bound in own if place < position]
        if point[2]:
            found = found + [said[1:] for said in point[2] if said[0] is value]
        return found

    def passed(self, length: Value, point: Point) -> list[Value]:
        """Indices that are below `length` for certain at `point`, as checks of them were passed."""
        return [fact[3] for fact in self._passed.get(length, ()) if fact[3] is not None and self.holds(fact, point)]

    def holds(self, fact: Fact, point: Point) -> bool:
        """Whether control has come through where the fact begins when it is at `point`."""
        block = fact[0]
        return fact[1] < point[1] if block is point[0] else self.dominates(block, point[0])

    def edge(self, block: Block, target: Block) -> list[Said]:
        """What the branch at the end of `block` says where it goes to `target`."""
        found = self._edges.get((block, target))
        if found is None:
            last = block.body[-1]
            found = []
            if last.op is ops.BR_IF and isinstance(last, Branch):
                found = list(self._true(last.args[0], target is last.targets[0], _DEEP))
            self._edges[block, target] = found
        return found

    def same(self, value: Value) -> Value:
        """The value that stands for all that are surely equal to `value`: lengths of one array, sizes arrays are made of."""
        while value.op is LENGTH and isinstance(value, Length) and len(value.args) == 1:
            base = value.args[0]
            key = (base, value.dimension)
            found = self._lengths.get(key)
            if found is None:
                found = self._lengths[key] = self._length(base, value)
            if found is value:
                break
            value = found
        return value

    def above(self, value: Value, block: Block) -> bool:
        """Whether `value` (of a length: its object) is there before control comes to `block`, and does not change in it."""
        while value.op is LENGTH and len(value.args) == 1:
            value = value.args[0]
        where = self.where.get(value)
        return where is None or where[0] is not block and self.dominates(where[0], block)

    def _length(self, base: Value, length: Length) -> Value:
        """The one value that is `length`, of an object or of any of those that a phi chooses from."""
        sizes: dict[Value, None] = {}
        webs: dict[Value, None] = {base: None}
        todo = [base]
        while todo:
            value = todo.pop()
            if value.op is ops.PHI and len(webs) < MOST:
                todo += [arg for arg in value.args if arg not in webs]
                webs.update(dict.fromkeys(value.args))
            elif value.op is NEW_TUPLE or value.op is NEW_ARRAY and 0 <= length.dimension < len(value.args):
                sizes[value.args[max(length.dimension, 0)]] = None
            elif not (isinstance(value, Const) and value.number == 0):  # null has no length: a check stands before
                return length
        (size, *more) = sizes or {length: None}
        if more or size is length or not all(self.above(size, self.where[phi][0]) for phi in webs if phi.op is ops.PHI):
            return length
        return size

    def _learn(self, block: Block, position: int, said: Said) -> None:
        value, kind, other, number = said
        if kind == PASSED:
            passed = self._passed.setdefault(value, [])
            if len(passed) < MOST:
                passed.append((block, position, kind, other, number))
            return
        found = self.about.get(value)
        if found is None:
            found = self.about[value] = []
            if (value.op is ADD or value.op is SUB) and isinstance(value.args[1], Const):
                sums = self.offsets.setdefault(self.same(value.args[0]), [])
                if len(sums) < _DEEP:
                    sums.append(value)
        if len(found) < MOST:
            found.append((block, position, (kind, other, number)))

    # What conditions and checks say

    def _true(self, condition: Value, truth: bool, deep: int) -> Iterator[Said]:
        """What `condition`, a bool, says by being `truth`."""
        if not deep:
            return
        if isinstance(condition, Compare):
            op = condition.op if truth else _OPPOSITE.get(condition.op)
            left, right = condition.args
            if op is EQ and (isinstance(right, Const) and right.number == 3):
                yield from self._encoded(left, deep - 1)
            if (op is EQ or op is NE) and condition.on is BOOL and isinstance(right, Const):
                yield from self._true(left, (op is EQ) == bool(right.number), deep - 1)
            elif op is not None:
                yield from self._compared(op, condition.on, self.same(left), self.same(right))
        elif condition.op is (AND if truth else OR):
            for part in condition.args:
                yield from self._true(part, truth, deep - 1)
        elif condition.op is ops.NOT:
            yield from self._true(condition.args[0], not truth, deep - 1)

    def _encoded(self, word: Value, deep: int) -> Iterator[Said]:
        """What `word` says by being 3, LB's true."""
        if word.op is TAG and word.args[0].op is CONVERT and word.args[0].args[0].type is BOOL:
            yield from self._true(word.args[0].args[0], True, deep)
        elif word.op is AND and deep:
            for part in word.args:
                if not isinstance(part, Const) and _is_truth(part):
                    yield from self._encoded(part, deep - 1)

    def _compared(self, op: Op, on: Type, left: Value, right: Value) -> Iterator[Said]:
        """What a comparison says that came out true."""
        if on.kind not in (VALUE, INT) or on is BOOL:
            return
        if isinstance(left, Const):
            left, right, op = right, left, _MIRRORED[op]
        if isinstance(left, Const):
            return
        if isinstance(right, Const):
            if _natural(left, on):
                yield from _bounded(op, left, on.wrap(right.number))
            elif not on.signed and on.bits == left.type.bits and op in (LT, LE) and right.number >= 0:
                yield left, LOWER, None, 0
                yield left, UPPER, None, right.number - (op is LT)
            return
        if not (_natural(left, on) and _natural(right, on)):
            if not on.signed and on.bits == left.type.bits == right.type.bits and left.type.signed and right.type.signed:
                if op in (GT, GE):
                    left, right, op = right, left, _MIRRORED[op]
                if op in (LT, LE):
                    yield left, INDEX, right, -(op is LT)
            return
        strict = op is LT or op is GT
        if op in (LT, LE, EQ):
            yield left, UPPER, right, -strict
            yield right, LOWER, left, int(strict)
        if op in (GT, GE, EQ):
            yield left, LOWER, right, int(strict)
            yield right, UPPER, left, -strict

    def _index_passed(self, check: Value) -> Iterator[Said]:
        index, length = check.args[0], self.same(check.args[1])
        if isinstance(index, Const):
            if length.op is LENGTH:
                yield length, LOWER, None, index.number + 1
            return
        if isinstance(length, Const):
            if length.number >= 0:
                yield from _between(index, 0, length.number - 1)
            return
        yield index, INDEX, length, -1
        if length.op is LENGTH:
            yield length, PASSED, index, 1
            yield from _between(index, 0, LONGEST - 1)

    def _length_passed(self, check: Value) -> Iterator[Said]:
        return _between(check.args[0], 0, LONGEST)

    def _divisor_passed(self, check: Value) -> Iterator[Said]:
        yield check.args[0], UNEQUAL, None, 0


def _first(placed: tuple[int, Bound]) -> int:
    return placed[0]


def _bounded(op: Op, left: Value, number: int) -> Iterator[Said]:
    """What a true comparison with a number says."""
    if op is EQ:
        yield from _between(left, number, number)
    elif op is NE:
        yield left, UNEQUAL, None, number
    elif op in (LT, LE):
        yield left, UPPER, None, number - (op is LT)
    else:
        yield left, LOWER, None, number + (op is GT)


def _between(value: Value, low: int, high: int) -> Iterator[Said]:
    """That `value` is in [low, high], and so what it is made of by adding a constant or setting its lowest bit.  (Adding wraps,
    but an interval has one origin where that is an interval, too.)"""
    for _ in range(_DEEP):
        if isinstance(value, Const) or low > high:
            return
        yield value, LOWER, None, low
        yield value, UPPER, None, high
        if len(value.args) != 2 or not isinstance(right := value.args[1], Const):
            return
        type, origin = value.type, value.args[0]
        if origin.type.signed != type.signed or origin.type.bits != type.bits:
            return
        if value.op is ADD or value.op is SUB:
            number = right.number if value.op is ADD else -right.number
            low, high = low - number, high - number
        elif value.op is OR and right.number == 1:
            low -= 1
        else:
            return
        if low < type.low or high > type.high:
            return
        value = origin


def _natural(value: Value, on: Type) -> bool:
    """Whether `value` compared as `on` is the natural number that it is."""
    return value.type.signed == on.signed and value.type.bits == on.bits and value.type.kind in (VALUE, INT)


def _is_truth(word: Value) -> bool:
    """Whether `word` is 1 or 3, and so 3 if a conjunction with it is."""
    return word.op is TAG and word.args[0].op is CONVERT and word.args[0].args[0].type is BOOL or word.op is AND


_MIRRORED = {LT: GT, GT: LT, LE: GE, GE: LE, EQ: EQ, NE: NE}
_SAID: dict[Op, Callable[[Conditions, Value], Iterator[Said]]] = {
    ops.CHECK_INDEX: Conditions._index_passed,
    ops.CHECK_LENGTH: Conditions._length_passed,
    ops.CHECK_DIVISOR: Conditions._divisor_passed,
}
