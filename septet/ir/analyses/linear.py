"""Words as sums: constant multiples of other values, plus a constant.

    %a <- %i + 2
    %b <- %a + %a          linear(%b) is 2 * %i + 4

Equal modulo 2^64, as words are; so where the sum, computed over the integers, is the number of a word, it is that word.
"""

from __future__ import annotations

from septet.base.types import I64
from septet.ir.nodes import Const
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.ir.nodes import Value

LARGEST = 1 << 20  # a factor
MOST = 6  # terms
DEEPEST = 12  # operations that are looked through, one inside the other


class Linear:
    """`number` plus, for each value in `terms`, that value times a factor that is not 0."""

    __slots__ = ("terms", "number")

    def __init__(self, terms: dict[Value, int], number: int = 0) -> None:
        self.terms = terms
        self.number = number

    def plus(self, other: Linear, times: int = 1) -> Linear:
        """This sum and `times` the other."""
        terms = dict(self.terms)
        for value, factor in other.terms.items():
            total = terms.get(value, 0) + times * factor
            if total:
                terms[value] = total
            else:
                terms.pop(value, None)
        return Linear(terms, self.number + times * other.number)

    def add(self, number: int) -> Linear:
        """This sum and a constant."""
        return Linear(self.terms, self.number + number)

    def without(self, value: Value) -> Linear:
        """This sum without the term for `value`."""
        return Linear({term: factor for term, factor in self.terms.items() if term is not value}, self.number)

    def replaced(self, value: Value, by: Linear) -> Linear:
        """This sum with `by` for `value`."""
        return self.without(value).plus(by, self.terms.get(value, 0))

    @property
    def weight(self) -> int:
        """The sum of the factors' magnitudes."""
        return sum([abs(factor) for factor in self.terms.values()])

    def key(self) -> tuple[frozenset[tuple[Value, int]], int]:
        """What equal sums have in common."""
        return frozenset(self.terms.items()), self.number

    def __repr__(self) -> str:
        return " + ".join([*(f"{factor} {value!r}" for value, factor in self.terms.items()), str(self.number)])


class Sums:
    """The sums that the words of a function are.  `parity` says of a value 1 if it is odd, 0 if it is even, None if unknown."""

    __slots__ = ("_known", "_parity")

    def __init__(self, parity: Callable[[Value], int | None] | None = None) -> None:
        self._known: dict[Value, Linear] = {}
        self._parity = parity

    def of(self, value: Value, depth: int = 0) -> Linear:
        """What `value`, a word, is."""
        if isinstance(value, Const):
            return Linear({}, I64.wrap(value.number))
        found = self._known.get(value)
        if found is None:
            found = self._expand(value, depth) if depth < DEEPEST and value.type.is_word else None
            if found is None or len(found.terms) > MOST or any(abs(factor) > LARGEST for factor in found.terms.values()):
                found = Linear({value: 1})
            elif not I64.low <= found.number <= I64.high:
                found = Linear(found.terms, I64.wrap(found.number))
            if depth < DEEPEST:
                self._known[value] = found
        return found

    def _expand(self, value: Value, depth: int) -> Linear | None:
        op = value.op
        args = value.args
        if op is ops.ADD or op is ops.SUB:
            return self.of(args[0], depth + 1).plus(self.of(args[1], depth + 1), 1 if op is ops.ADD else -1)
        if op is ops.SHL:
            count = args[1]
            if not isinstance(count, Const) or not 1 <= count.number <= 20:
                return None
            return Linear({}).plus(self.twice(args[0], depth + 1), 1 << (count.number - 1))
        if op is ops.MUL:
            left, right = self.of(args[0], depth + 1), self.of(args[1], depth + 1)
            if not left.terms:
                left, right = right, left
            if right.terms:
                return None
            times = right.number
            return Linear({}).plus(left, times) if abs(times) <= LARGEST and times else None
        if op is ops.TAG:
            return Linear({}, 1).plus(self.of(args[0], depth + 1), 2)
        if op is ops.NEG:
            return Linear({}).plus(self.of(args[0], depth + 1), -1)
        if op is ops.OR or op is ops.AND:
            mask = args[1]
            if isinstance(mask, Const) and I64.wrap(mask.number) == (1 if op is ops.OR else -2):
                odd = self.odd(args[0])
                if odd is not None:
                    return self.of(args[0], depth + 1).add(1 - odd if op is ops.OR else -odd)
        return None

    def twice(self, value: Value, depth: int = 0) -> Linear:
        """What twice `value` is: of half an odd word, that word less one."""
        if value.op is ops.UNTAG and depth < DEEPEST:
            odd = self.odd(value.args[0])
            if odd is not None:
                return self.of(value.args[0], depth + 1).add(-odd)
        if (value.op is ops.ADD or value.op is ops.SUB) and depth < DEEPEST:
            left, right = (self.twice(arg, depth + 1) for arg in value.args)
            return left.plus(right, 1 if value.op is ops.ADD else -1)
        return Linear({}).plus(self.of(value, depth + 1), 2)

    def odd(self, value: Value) -> int | None:
        """1 if `value` is odd, 0 if it is even, None if that is not known."""
        if isinstance(value, Const):
            return value.number & 1
        op = value.op
        if op is ops.TAG or op is ops.LENGTH and value.type.is_value:
            return 1
        if op is ops.OR and isinstance(value.args[1], Const) and value.args[1].number & 1:
            return 1
        if op is ops.AND and isinstance(value.args[1], Const) and not value.args[1].number & 1:
            return 0
        return self._parity(value) if self._parity is not None else None

    def parity(self, sum: Linear) -> int | None:
        """1 if a sum is odd, 0 if it is even, None if that is not known."""
        result = sum.number & 1
        for value, factor in sum.terms.items():
            if factor & 1:
                odd = self.odd(value)
                if odd is None:
                    return None
                result ^= odd
        return result
