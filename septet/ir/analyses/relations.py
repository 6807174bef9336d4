"""Proving that one value is at most another plus a number, at a point.

    check-length %n
    int64[] %a <- new Array(%n)              below(%i, %n, -1) in :body: the branch says so;
  :while                                     below(%k, %n, 1) too: %k is %i + 2, and %i < %n means %i <= %n - 2 for odd words
    int64 %i <- phi (:entry 1, :body %k)
    bool %c <- %i < %n
    br %c :body :end

A search backwards from the value through the facts that hold at the point (`analyses.conditions`), through additions,
subtractions and halvings, and through phis, all of whose operands must be so bounded where they come from; a phi that is met
again is bounded already if no more is asked (Bodik, Gupta, Sarkar: ABCD, 2000, section 4).  That is an induction over time:
going through a phi goes back in time, and the other value must not change meanwhile, so it must be there above the phi.

Nothing is assumed of wrapping: `x + 2` is at most 2 above x even if it wraps; `x - 2` is below x only where `analyses.ranges`
says that it does not wrap.  A question costs at most `STEPS` steps.
"""

from __future__ import annotations

from septet.ir.analyses.conditions import END, INDEX, LOWER, UPPER
from septet.ir.analyses.ranges import Ranges
from septet.ir.nodes import Const, Phi
from septet.ops import table as ops
from septet.ops.table import ADD, AND, CONST, OR, PHI, SHR, SUB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.facts import Facts
    from septet.ir.analyses.conditions import Point
    from septet.ir.nodes import Function, Value

    Active = dict[tuple[Value, Value | None], int]

STEPS = 120
DEEP = 14


class Relations:
    """Questions about a function's words."""

    __slots__ = ("ranges", "conditions", "_left")

    def __init__(self, function: Function, facts: Facts | None = None) -> None:
        self.ranges = Ranges(function, facts) if facts is None else facts.get(Ranges)
        self.conditions = self.ranges.conditions
        self._left = 0

    def below(self, value: Value, other: Value, number: int, point: Point) -> bool:
        """Whether `value` <= `other` + `number` for certain at `point`, as natural numbers."""
        self._left = STEPS
        return self._below(self.conditions.same(value), self.conditions.same(other), number, point, DEEP, {})

    def above(self, value: Value, number: int, point: Point) -> bool:
        """Whether `value` >= `number` for certain at `point`."""
        self._left = STEPS
        return self._above(self.conditions.same(value), number, point, DEEP, {})

    # value <= other + number

    def _below(self, value: Value, other: Value, number: int, point: Point, deep: int, active: Active) -> bool:
        """`below` with at most `deep` more steps on the way, `active` being what is asked of phis on the way here."""
        if value is other:
            return number >= 0
        self._left -= 1
        if not deep or self._left < 0 or value.type.signed != other.type.signed or value.type.bits != other.type.bits:
            return False
        most, least = self.ranges.here(value, point), self.ranges.here(other, point)
        if most[1] <= least[0] + number or most[1] <= self._least(other, point) + number:
            return True
        if most[0] > least[1] + number or value.op is CONST and other.op is CONST:
            return False
        deep -= 1
        same = self.conditions.same
        for kind, bound, distance in self.conditions.said(value, point):
            if bound is not None and (kind == UPPER or kind == INDEX and self.ranges.here(bound, point)[0] >= 0):
                distance = self._rounded(value, bound, distance)
                if self._below(bound, other, number - distance, point, deep, active):
                    return True
        step = _BELOW.get(value.op)
        if step is not None and step(self, value, other, number, point, deep, active):
            return True
        for kind, bound, distance in self.conditions.said(other, point):
            if bound is not None and kind == LOWER:
                distance = -self._rounded(bound, other, -distance)
                if self._below(value, bound, number + distance, point, deep, active):
                    return True
        if deep >= DEEP - 3:
            for bound in self.conditions.passed(other, point)[:6]:
                distance = -self._rounded(bound, other, -1)
                if self._below(value, bound, number + distance, point, deep - 6, active):
                    return True
        below = self._parts_of_sum(other, False)
        return below is not None and self._below(value, same(below[0]), number + below[1], point, deep, active)

    def _least(self, value: Value, point: Point) -> int:
        """A number that `value` is at least, by what is known of sums of it and a constant."""
        least = value.type.low
        where = self.conditions.where
        for offset in self.conditions.offsets.get(value, ()):
            constant = offset.args[1]
            if isinstance(constant, Const) and self.conditions.holds((*where[offset], 0, None, 0), point):
                if self._is_exact(offset):
                    number = constant.number if offset.op is ADD else -constant.number
                    least = max(least, self.ranges.here(offset, point)[0] - number)
        return least

    def _rounded(self, value: Value, bound: Value, distance: int) -> int:
        """The least number that value <= bound + distance implies instead: one less where parities say so."""
        if value.op is CONST or bound.op is CONST:
            return distance
        one, two = self.ranges.range(value)[2], self.ranges.range(bound)[2]
        return distance - ((one ^ two ^ distance) & 1) if one != 2 and two != 2 else distance

    def _parts_of_sum(self, value: Value, upper: bool) -> tuple[Value, int] | None:
        """A part of the sum or difference `value`, and a number, so that value <= part + number (or, not `upper`, >=)."""
        op = value.op
        if op is not ADD and op is not SUB:
            return None
        left, right = value.args
        if left.op is CONST and op is ADD:
            left, right = right, left
        if left.type.signed != value.type.signed or right.type.signed != value.type.signed:
            return None
        where = self.conditions.where.get(value)
        if where is None:
            return None
        point: Point = (where[0], where[1], [])
        if op is ADD and self.ranges.here(left, point)[0] >= 0 and right.op is not CONST:
            if self.ranges.here(right, point)[1] > self.ranges.here(left, point)[1]:
                left, right = right, left  # the wider is the part
        low, high, _ = self.ranges.here(right, point)
        if op is SUB:
            low, high = -high, -low
        whole = self.ranges.here(left, point)
        if upper:
            return (left, high) if whole[0] + low >= value.type.low else None
        return (left, low) if whole[1] + high <= value.type.high else None

    def _below_sum(self, value: Value, other: Value, number: int, point: Point, deep: int, active: Active) -> bool:
        """x + y <= x + the greatest y, if no sum falls below the type and so wraps to great numbers."""
        part = self._parts_of_sum(value, True)
        return part is not None and self._below(self.conditions.same(part[0]), other, number - part[1], point, deep, active)

    def _below_phi(self, value: Value, other: Value, number: int, point: Point, deep: int, active: Active) -> bool:
        """A choice of values all of which are below."""
        assert isinstance(value, Phi)
        asked = active.get((value, other))
        if asked is not None:
            return number >= asked
        conditions = self.conditions
        block = conditions.where[value][0]
        others = dict.fromkeys(value.blocks, other)
        if isinstance(other, Phi) and conditions.where[other][0] is block:  # both are chosen at once
            others = dict(zip(other.blocks, other.args, strict=True))
        elif not conditions.above(other, block):
            return False
        active[value, other] = number
        for arg, before in zip(value.args, value.blocks, strict=True):
            edge: Point = (before, END, conditions.edge(before, block))
            if not self._below(conditions.same(arg), conditions.same(others[before]), number, edge, deep, active):
                del active[value, other]
                return False
        del active[value, other]
        return True

    def _below_either(self, value: Value, other: Value, number: int, point: Point, deep: int, active: Active) -> bool:
        """A conjunction of bits is at most each operand that is not negative; a shift right, what is not negative."""
        for part in value.args[:1] if value.op is SHR else value.args:
            if self.ranges.here(part, point)[0] >= 0 and part.type.signed == value.type.signed:
                if self._below(self.conditions.same(part), other, number, point, deep, active):
                    return True
        if value.op is SHR and isinstance(count := value.args[1], Const) and count.number == 1:
            return self._below_half(value.args[0], 0, other, number, point, deep, active)
        return False

    def _below_or(self, value: Value, other: Value, number: int, point: Point, deep: int, active: Active) -> bool:
        """v | 1: at most v + 1, and v where that is odd; and (x >> n) | 1 <= x for positive x and n."""
        part, one = value.args
        if not (isinstance(one, Const) and one.number == 1 and part.type.signed == value.type.signed):
            return False
        same = self.conditions.same
        if part.op is SHR and isinstance(count := part.args[1], Const) and 0 < count.number < 64:
            whole = part.args[0]
            if self.ranges.here(whole, point)[0] >= 1 and part.type.signed == whole.type.signed:
                if self._below(same(whole), other, number, point, deep, active):
                    return True
            if count.number == 1 and self._below_half(whole, 1, other, number, point, deep, active):
                return True
        odd = self.ranges.range(part)[2] == 1
        return self._below(same(part), other, number - (not odd), point, deep, active)

    def _below_half(self, whole: Value, more: int, other: Value, number: int, point: Point, deep: int, active: Active) -> bool:
        """(x + y + k) / 2 + `more` <= the greater of x and y, plus k/2 + `more`; and less where x and y differ."""
        terms: list[Value] = []
        constant = 0
        todo = [whole]
        while todo and len(terms) <= 2:
            value = todo.pop()
            if isinstance(value, Const):
                constant += value.number
            elif value.op is ADD and self._is_exact(value):
                todo += value.args
            elif value.op is SUB and isinstance(right := value.args[1], Const) and self._is_exact(value):
                constant -= right.number
                todo.append(value.args[0])
            else:
                terms.append(value)
        if todo or len(terms) != 2:
            return False
        constant += 2 * more
        one, two = (self.conditions.same(term) for term in terms)
        for less, greater in ((one, two), (two, one)):
            if self._below(less, greater, -1, point, deep, active):
                distance = constant + self._rounded(less, greater, -1)
                return self._below(greater, other, number - distance // 2, point, deep, active)
        number -= constant // 2
        return all(self._below(term, other, number, point, deep, active) for term in (one, two))

    def _is_exact(self, value: Value) -> bool:
        """Whether a sum or difference of two never wraps."""
        where = self.conditions.where.get(value)
        if where is None or any(arg.type.signed != value.type.signed for arg in value.args):
            return False
        (a, b, _), (c, d, _) = (self.ranges.here(arg, (where[0], where[1], [])) for arg in value.args)
        low, high = (a + c, b + d) if value.op is ADD else (a - d, b - c)
        return value.type.low <= low and high <= value.type.high

    def _below_choice(self, value: Value, other: Value, number: int, point: Point, deep: int, active: Active) -> bool:
        """A choice between two that are below."""
        same = self.conditions.same
        return all(self._below(same(arg), other, number, point, deep, active) for arg in value.args[1:])

    # value >= number

    def _above(self, value: Value, number: int, point: Point, deep: int, active: Active) -> bool:
        """`above` with at most `deep` more steps on the way."""
        self._left -= 1
        low, high, _ = self.ranges.here(value, point)
        if low >= number:
            return True
        if not deep or self._left < 0 or high < number or value.op is CONST:
            return False
        deep -= 1
        conditions = self.conditions
        for kind, bound, distance in self.conditions.said(value, point):
            if bound is not None and kind == LOWER and self._above(bound, number - distance, point, deep, active):
                return True
        if value.op is SUB and value.args[1].op is not CONST and self._is_exact(value):
            left, right = (conditions.same(arg) for arg in value.args)
            if self._below(right, left, -number, point, deep, active):
                return True
        part = self._parts_of_sum(value, False)
        if part is not None and self._above(conditions.same(part[0]), number - part[1], point, deep, active):
            return True
        if value.op is PHI and isinstance(value, Phi):
            return self._above_phi(value, number, deep, active)
        return False

    def _above_phi(self, phi: Phi, number: int, deep: int, active: Active) -> bool:
        asked = active.get((phi, None))
        if asked is not None:
            return number <= asked
        active[phi, None] = number
        conditions = self.conditions
        block = conditions.where[phi][0]
        result = True
        for arg, before in zip(phi.args, phi.blocks, strict=True):
            edge: Point = (before, END, conditions.edge(before, block))
            if not self._above(conditions.same(arg), number, edge, deep, active):
                result = False
                break
        del active[phi, None]
        return result


_BELOW: dict[ops.Op, Callable[[Relations, Value, Value, int, Point, int, Active], bool]] = {
    ADD: Relations._below_sum,
    SUB: Relations._below_sum,
    PHI: Relations._below_phi,
    AND: Relations._below_either,
    SHR: Relations._below_either,
    OR: Relations._below_or,
    ops.SELECT: Relations._below_choice,
}
