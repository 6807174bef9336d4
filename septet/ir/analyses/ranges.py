"""Between which numbers each value is: sparse, sharpened by branches and checks, with widening and narrowing in loops.

    :while                                                       of(%i) = (0, 100), of(%j) = (1, 100)
      i64 %i <- phi (:entry 0, :body %j)
      bool %c <- %i < 100
      br %c :body :end                                           at(%i, :body) = (0, 99)
    :body
      i64 %j <- %i + 1
      br :while

Ranges are found when asked for, with those of the values that they depend on: the components of the dependence graph (Tarjan),
operands first; in a cycle ascending with widening, then descending twice (Cousot, Cousot 1977; in this order Rodrigues,
Campos, Pereira: A Fast and Low-Overhead Technique to Secure Programs Against Integer Overflows, CGO 2013).  Branches and checks
sharpen an operand where it is used (`analyses.conditions`), which is what e-SSA renames variables for.

A range is (low, high, parity) of natural numbers of the value's type; parity is 0 (even), 1 (odd) or 2 (either): an encoded
integer is odd.  Wrapping is exact: a sum that may leave its type is anything.
"""

from __future__ import annotations

from septet.base.symbols import FUNCTION
from septet.ir.analyses.conditions import END, ENTRY, INDEX, LOWER, UPPER, Conditions
from septet.ir.analyses.range_steps import STEPS, top
from septet.ir.nodes import Call, Compare, Const, Memory, Phi
from septet.ops import table as ops
from septet.ops.table import CONST, PHI

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.base.types import Type
    from septet.ir.analyses.conditions import Point
    from septet.ir.analyses.range_steps import Range
    from septet.ir.nodes import Block, Function, Value

LOWS = (1, 0, -1, -(1 << 33))  # where widening stops on its way down, and up
HIGHS = (0, 1, (1 << 32) - 1, 1 << 34)
PATIENCE = 2  # times a phi may grow before it is widened
ROUNDS = 24  # of one component; then everything in it is anything
_LENGTH: Range = (1, (1 << 32) - 1, 1)


class Ranges:
    """The ranges of a function's integers; for anything else, all that its type has."""

    __slots__ = ("conditions", "_facts", "_known", "_here", "_solving")

    def __init__(self, function: Function, facts: Facts | None = None) -> None:
        self.conditions = Conditions(function, facts) if facts is None else facts.get(Conditions)
        self._facts = facts
        self._here: dict[tuple[Value, Block, int], Range] = {}
        self._solving = False
        self._known: dict[Value, Range | None] = {}  # None while nothing is known to reach the value

    def of(self, value: Value) -> tuple[int, int]:
        """The least and the greatest number that `value` is, wherever it is."""
        return self.range(value)[:2]

    def at(self, value: Value, block: Block) -> tuple[int, int]:
        """The same, sharpened by what is known on entry to `block`."""
        return self.here(value, (block, ENTRY + 1, []))[:2]

    def range(self, value: Value) -> Range:
        """Low, high and parity of `value`, wherever it is."""
        if value.op is CONST:
            return _constant(value)
        found = self._known.get(value)
        if found is None:
            self._solve(value)
            found = self._known[value]
            assert found is not None
        return found

    def here(self, value: Value, point: Point) -> Range:
        """Low, high and parity of `value` at a point."""
        if value.op is CONST:
            return _constant(value)
        if not point[2] and value not in self.conditions.about:
            return self._known.get(value) or self.range(value)
        key = (value, point[0], point[1])
        found = None if point[2] else self._here.get(key)
        if found is None:
            found = self._sharpened(value, point, 2) or top(value.type)
            if not point[2]:
                self._here[key] = found
        return found

    # One component after the other

    def _solve(self, root: Value) -> None:
        """Find the ranges of `root` and of everything that it depends on."""
        self._solving = True
        known = self._known
        number: dict[Value, int] = {root: 0}
        lowest = {root: 0}
        stack = [root]
        path = [(root, iter(self._needed(root)))]
        while path:
            value, rest = path[-1]
            for need in rest:
                if need in known or need.op is CONST:
                    continue
                if need not in number:
                    number[need] = lowest[need] = len(number)
                    stack.append(need)
                    path.append((need, iter(self._needed(need))))
                    break
                lowest[value] = min(lowest[value], number[need])
            else:
                path.pop()
                if path and lowest[value] < lowest[path[-1][0]]:
                    lowest[path[-1][0]] = lowest[value]
                if lowest[value] == number[value]:
                    at = len(stack) - 1
                    while stack[at] is not value:
                        at -= 1
                    component = stack[at:]
                    del stack[at:]
                    if len(component) == 1 and value.op is not PHI:
                        known[value] = None
                        known[value] = self._evaluated(value) or top(value.type)
                    else:
                        self._iterate(component)
        self._solving = False

    def _iterate(self, component: list[Value]) -> None:
        """Find the ranges of values that depend on each other."""
        known, where = self._known, self.conditions.where
        phis = [value for value in component if value.op is PHI]
        rest = [value for value in component if value.op is not PHI]
        component = phis + rest[::-1] if len(rest) > 1 else phis + rest
        for value in component:
            known[value] = None
        assert where
        changed = True
        rounds = 0
        while changed and rounds < ROUNDS:
            changed = False
            rounds += 1
            for value in component:
                new, old = self._evaluated(value), known[value]
                if new is None or new == old:
                    continue
                if old is not None:
                    new = _join(old, new)
                    if new == old:
                        continue
                    if value.op is PHI and rounds > PATIENCE:
                        new = _widened(old, new, value.type)
                known[value] = new
                changed = True
        for value in component:
            if changed or known[value] is None:
                known[value] = top(value.type)
        if not changed:
            for value in component * 2:
                new, old = self._evaluated(value), known[value]
                assert old is not None
                if new is not None:
                    low, high = max(old[0], new[0]), min(old[1], new[1])
                    if low <= high:
                        known[value] = (low, high, min(old[2], new[2]) if old[2] == 2 or new[2] == 2 else old[2])

    def _needed(self, value: Value) -> list[Value]:
        """What the range of `value` depends on."""
        where = self.conditions.where.get(value)
        if where is None:
            return []
        if isinstance(value, Phi):
            needed = []
            for arg, block in zip(value.args, value.blocks, strict=True):
                needed += self._deciding(arg, (block, END, self.conditions.edge(block, where[0])), 2)
            return needed
        if value.op not in STEPS:
            return []
        needed = []
        for arg in value.args:
            if arg.op is not CONST:
                needed += self._deciding(arg, (where[0], where[1], []), 2)
        return needed

    def _deciding(self, value: Value, point: Point, deep: int) -> list[Value]:
        """`value` and what it is compared with on the way to `point`."""
        found = [value]
        if deep and value.op is not CONST:
            for kind, other, _ in self.conditions.said(value, point):
                if other is not None and (deep > 1 or kind == UPPER):
                    found += self._deciding(other, point, deep - 1)
        return found

    def _evaluated(self, value: Value) -> Range | None:
        """The range of `value` by those of its operands; None where one of them has none yet."""
        where = self.conditions.where.get(value)
        if isinstance(value, Phi):
            assert where is not None
            result: Range | None = None
            for arg, block in zip(value.args, value.blocks, strict=True):
                new = self._sharpened(arg, (block, END, self.conditions.edge(block, where[0])), 2)
                if new is not None:
                    result = new if result is None else _join(result, new)
            return result
        step = STEPS.get(value.op)
        if step is None or where is None or value.type.lanes > 1:
            return self._leaf(value)
        point: Point = (where[0], where[1], [])
        ranges = []
        on = value.on if isinstance(value, Compare) else value.type
        for arg in value.args:
            new = self._sharpened(arg, point, 2)
            if new is None:
                return None
            ranges.append(_as_type(new, arg.type, on, value.op))
        return step(value, ranges)

    def _leaf(self, value: Value) -> Range:
        """What is known of a value that is not computed from integers."""
        op = value.op
        if op is ops.LENGTH:
            return _LENGTH
        if isinstance(value, Memory) and value.alias == "length" and value.type.is_value:
            return _LENGTH
        if isinstance(value, Call) and value.callee is not None:
            if value.callee.kind == FUNCTION:
                summary = self._facts.summary(value.callee.name) if self._facts is not None else None
                if summary is not None and value.type.is_word:
                    low, high = summary.returned or (value.type.low, value.type.high)
                    return (max(low, value.type.low), min(high, value.type.high), 1 if summary.odd_result else 2)
            elif value.callee.name == "input":
                return (value.type.low | 1, value.type.high, 1)
        return top(value.type)

    def _sharpened(self, value: Value, point: Point, deep: int) -> Range | None:
        """The range of `value` at `point`, for all that is known by now."""
        if value.op is CONST:
            return _constant(value)
        known = self._known.get(value)
        if known is None:
            if value in self._known:
                return None
            if self._solving:  # never asked for: a fact's other side, deep down
                return top(value.type)
            known = self.range(value)
        if not deep or not point[2] and value not in self.conditions.about:
            return known
        said = self.conditions.said(value, point)
        if not said:
            return known
        low, high, parity = known
        for kind, other, number in said:
            if other is not None and deep < 2 and kind != UPPER:
                continue
            least = most = 0
            if other is not None:
                bound = self._sharpened(other, point, deep - 1)
                if bound is None:
                    continue
                least, most, odd = bound
                if parity != 2 and odd != 2 and (parity ^ odd ^ number) & 1:  # both odd and i < n: i <= n - 2
                    number += 1 if kind == LOWER else -1
            if kind == UPPER:
                high = min(high, most + number)
            elif kind == LOWER:
                low = max(low, least + number)
            elif kind == INDEX:
                if least >= 0:
                    low, high = max(low, 0), min(high, most + number)
            else:
                low, high = low + (low == number), high - (high == number)
        if parity != 2:
            low, high = low + ((low ^ parity) & 1), high - ((high ^ parity) & 1)
        return (low, high, parity) if low <= high else known


def _constant(value: Value) -> Range:
    if isinstance(value, Const):
        return (value.number, value.number, value.number & 1)
    return (1, 1 << 40, 1)  # an encoded line


def _as_type(range: Range, source: Type, type: Type, op: ops.Op) -> Range:
    """`range` of a word of type `source` as it takes part in an operation on `type`."""
    if op is ops.CONVERT or op is ops.SELECT or source is type or source.signed == type.signed and source.bits == type.bits:
        return range
    if type.low <= range[0] and range[1] <= type.high:
        return range
    return (type.low, type.high, range[2])


def _join(left: Range, right: Range) -> Range:
    return (min(left[0], right[0]), max(left[1], right[1]), left[2] if left[2] == right[2] else 2)


def _widened(old: Range, new: Range, type: Type) -> Range:
    """`new`, which contains `old`, with the bounds that moved at the next threshold."""
    low, high, parity = new
    if low < old[0]:
        low = next((bound for bound in LOWS if type.low <= bound <= low), type.low)
    if high > old[1]:
        high = next((bound for bound in HIGHS if high <= bound <= type.high), type.high)
    if parity == 1:
        low, high = low | 1, high - (~high & 1)
    return (low, high, parity)
