"""The test before a loop that has two versions (`passes.versioning`): what has to hold, and the blocks that find out.

br :loop                       bool %some <- %a != null
                               br %some :next :slow
                             :next
                        =>     int64 %n <- length %a
                               bool %fits <- %n >= %last
                               br %fits :loop :slow
"""

from __future__ import annotations

from septet.base.types import BOOL, I64, U32, U64
from septet.ir.copy import copy_value
from septet.ir.nodes import Block, Branch, Compare, Const, Memory, Value
from septet.ops import table as ops
from septet.ops.table import LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.types import Type
    from septet.ir.analyses.linear import Linear
    from septet.ir.analyses.loops import Loop
    from septet.ir.passes.versioning import Versioning

BY = "versioning"
TESTED = 1 << 29  # what counts as small in a test: less than what `analyses.induction` needs, for shorter instructions
NEW = (ops.NEW_ARRAY, ops.NEW_TUPLE)


class Plan:
    """What a test before one loop could do away with."""

    __slots__ = ("loop", "covered", "sums", "small", "references", "kinds")

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.covered: dict[Value, None] = {}  # checks
        self.sums: dict[object, Linear] = {}  # what must not be negative, by key
        self.small: dict[Value, None] = {}  # values that must be SMALL
        self.references: dict[Value, None] = {}  # values that must not be null
        self.kinds: dict[tuple[Value, int], None] = {}  # values that must be references to objects with a descriptor

    def need(self, sum: Linear) -> None:
        """Note that `sum` must not be negative; of sums that differ in the constant alone, the least is kept."""
        key = frozenset(sum.terms.items())
        known = self.sums.get(key)
        if known is None or sum.number < known.number:
            self.sums[key] = sum


class Guard:
    """Makes the test before one loop, block by block."""

    def __init__(self, plan: Plan, block: Block, slow: Block, span: int, versioning: Versioning) -> None:
        self.versioning = versioning
        self.plan = plan
        self.block = block  # the one that is being made; it ends with a jump to be replaced
        self.slow = slow
        self.span = span
        self.conditions: list[Value] = []
        self.made: dict[Value, Value] = {}
        self.known: dict[Value, None] = {}  # values tested for being references here
        block.body.pop()

    def bases(self) -> list[Value]:
        """The objects whose lengths are needed."""
        found: dict[Value, None] = {}
        loop = self.plan.loop
        todo = [value for sum in self.plan.sums.values() for value in sum.terms] + list(self.plan.small)
        while todo:
            value = todo.pop()
            if self.versioning.inside(loop, value):
                if value.op is LENGTH:
                    found[value.args[0]] = None
                else:
                    todo += value.args
        return [base for base in found if not self.versioning.is_reference(base, loop)]

    def put(self, value: Value) -> Value:
        """Append a value to the block."""
        self.block.body.append(value)
        return value

    def compare(self, op: ops.Op, on: Type, left: Value, right: Value) -> Value:
        """Append a comparison."""
        return self.put(Compare(op, on, [left, right], self.span, BY))

    def operation(self, op: ops.Op, left: Value, right: Value) -> Value:
        """Append an operation on plain words."""
        return self.put(Value(op, I64, [left, right], self.span, BY))

    def leave(self, condition: Value, on: Block) -> None:
        """End the block: to `on` if the condition holds, else to the slow loop."""
        self.put(Branch(ops.BR_IF, [condition], [on, self.slow], self.span, BY))

    def next(self, condition: Value) -> None:
        """Go on in a new block if the condition holds."""
        shape = self.versioning.shape
        following = Block(shape.fresh(f"{self.plan.loop.header.name}_test"))
        shape.insert_after(self.block, following, self.plan.loop.parent)
        self.leave(condition, following)
        self.block = following

    def reference(self, value: Value) -> None:
        """`value` must not be null."""
        if value not in self.known and value.op not in NEW:
            self.known[value] = None
            self.next(self.compare(ops.NE, value.type, value, Const(I64, 0)))

    def kind(self, value: Value, wanted: int) -> None:
        """`value` must be a reference to an object with the descriptor `wanted`, which stands 8 bytes before it."""
        low = self.operation(ops.AND, value, Const(I64, 7))
        aligned = self.compare(ops.EQ, I64, low, Const(I64, 0))
        some = self.compare(ops.NE, I64, value, Const(I64, 0))
        self.next(self.put(Value(ops.AND, BOOL, [aligned, some], self.span, BY)))
        kind = self.put(Memory(ops.LOAD, U32, [value], -8, "descriptor", self.span, BY))
        self.next(self.compare(ops.EQ, U32, kind, Const(U32, wanted)))
        self.known[value] = None

    def value(self, value: Value) -> Value:
        """`value`, computed before the loop; see `_available`, which says how deep this goes."""
        if not self.versioning.inside(self.plan.loop, value):
            return value
        made = self.made.get(value)
        if made is None:
            made = copy_value(value)
            made.args = [self.value(arg) for arg in value.args]
            made.by = BY
            self.made[value] = self.put(made)
        return made

    def side(self, sum: Linear, sign: int, constant: int) -> Value:
        """The sum of the terms that have that sign, negative ones negated, plus `constant`."""
        total: Value | None = None
        for value, factor in sum.terms.items():
            if factor * sign > 0:
                term = self.value(value)
                if factor * sign > 1:
                    term = self.operation(ops.MUL, term, Const(I64, factor * sign))
                total = term if total is None else self.operation(ops.ADD, total, term)
        number = Const(I64, constant)
        if total is None or number.number:
            return number if total is None else self.operation(ops.ADD, total, number)
        return total

    def bounded(self, value: Value) -> tuple[bool, bool]:
        """Whether the sums that are tested keep `value` from being very small, and from being very great."""
        lower = upper = False
        for sum in self.plan.sums.values():
            factor = sum.terms.get(value)
            if factor == 1 and len(sum.terms) == 1:
                lower = True
            elif factor == -1 and len(sum.terms) <= 2:
                upper = upper or all(term is value or term.op is LENGTH and sum.terms[term] == 1 for term in sum.terms)
        return lower, upper

    def small(self, value: Value, bounded: tuple[bool, bool]) -> Value:
        """The condition that `value` is small, as far as the sums leave that open."""
        word = self.value(value)
        if bounded[0]:
            return self.compare(ops.LT, I64, word, Const(I64, 2 * TESTED))
        if bounded[1]:
            return self.compare(ops.GE, I64, word, Const(I64, -2 * TESTED))
        shifted = self.operation(ops.ADD, word, Const(I64, TESTED))
        return self.compare(ops.LT, U64, shifted, Const(U64, 2 * TESTED))

    def not_negative(self, sum: Linear) -> Value:
        """The condition that `sum` is not negative.  The constant goes where it cannot make a sum wrap around: to lengths."""
        lengths = all(value.op is LENGTH for value, factor in sum.terms.items() if factor > 0)
        compares = any(factor < 0 for factor in sum.terms.values())
        left = sum.number if lengths and compares else max(sum.number, 0)
        return self.compare(ops.GE, I64, self.side(sum, 1, left), self.side(sum, -1, left - sum.number))

    def finish(self) -> Value:
        """The condition that all is well, as far as it is not tested yet: the last of several, each with a block of its own."""
        last: Value | None = None
        for value in self.plan.small:
            bounded = self.bounded(value)
            if bounded != (True, True):
                if last is not None:
                    self.next(last)
                last = self.small(value, bounded)
        for sum in self.plan.sums.values():
            if last is not None:
                self.next(last)
            last = self.not_negative(sum)
        return last or Const(BOOL, 1)
