"""Checks that ranges, relations or facts that dominate them prove go.

    :while                                              :while
      int64 %i <- phi (:entry 1, :body %j)                int64 %i <- phi (:entry 1, :body %j)
      bool %c <- %i < %n                                  bool %c <- %i < %n
      br %c :body :end                             =>     br %c :body :end
    :body                                               :body
      check-index %i, %n, array                           int64 %x <- %a[%k]
      int64 %x <- %a[%k]

Trigger: an index that is not negative (`analyses.ranges`) and below the length (`analyses.relations`); a length, a divisor in
range; an object that was made or checked on every way.  The length of any of several objects of one size is that size.
Cost: time linear in the checks, a search of bounded length for each; gain: the compare and branch, and what they kept in
registers.  Guard: a check goes if it never fails in the program as it is; so all that never fail may go together.
Phase arrays; level 2.  It only removes, so it ends.
"""

from __future__ import annotations

from septet.base.symbols import ROUTINE
from septet.base.types import INT, INTEGERS, VALUE
from septet.ir.analyses.conditions import END, UNEQUAL
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.relations import Relations
from septet.ir.forward import forward, resolve
from septet.ir.nodes import Address, Call, Check
from septet.ops import table as ops
from septet.ops.table import CHECK_INDEX, CHECK_KIND, CHECK_NULL, LENGTH, PHI
from septet.x86.abi import ARRAY, TUPLE, descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.conditions import Conditions, Point
    from septet.ir.nodes import Block, Function, Value

NAME = "range-checks"
KEEPS = (Dominators, PostDominators, Loops)
WEB = 24  # phis and operands looked at to tell what an object is


def run(function: Function, facts: Facts) -> bool:
    """Remove the checks of `function` that cannot fail; whether there were any."""
    checks = [
        (block, position, value)
        for block in function.blocks
        for position, value in enumerate(block.body)
        if isinstance(value, Check) or value.op is LENGTH
    ]
    if not checks:
        return False
    prover = _Prover(facts.get(Relations), checks)
    removed: set[Value] = set()
    forwarded: list[tuple[Value, Value]] = []
    for block, position, check in checks:
        if check.op is LENGTH:
            size = prover.conditions.same(check)
            if size.op is not LENGTH and facts.fuel.spend():
                forwarded.append((check, size))
                facts.remark(function.name, check.span, "length removed", "all that it may be of were made with one size")
            continue
        assert isinstance(check, Check)
        why, sure = prover.reason(check, (block, position, []))
        if sure and facts.fuel.spend():
            removed.add(check)
            facts.remark_check(function.name, check, "removed", why)
        elif not sure:
            facts.remark_check(function.name, check, "kept", why)
    if removed:
        for block in function.blocks:
            if any(value in removed for value in block.body):
                block.body = [value for value in block.body if value not in removed]
    for length, size in forwarded:  # only now: lengths are looked at as they were
        forward(length, size)
    if forwarded:
        resolve(function)
    return bool(forwarded or removed)


class _Prover:
    """Says whether checks can fail."""

    __slots__ = ("relations", "ranges", "conditions", "references")

    def __init__(self, relations: Relations, checks: list[tuple[Block, int, Value]]) -> None:
        self.relations = relations
        self.ranges = relations.ranges
        self.conditions: Conditions = relations.conditions
        self.references: dict[Value, list[tuple[Block, int, int, None, int]]] = {}  # checks of references, by what they check
        for block, position, check in checks:
            if isinstance(check, Check) and (check.op is CHECK_NULL or check.op is CHECK_KIND):
                made = self.references.setdefault(check.args[0], [])
                if len(made) < WEB:
                    made.append((block, position, 0, None, check.detail if check.op is CHECK_KIND else 0))

    def reason(self, check: Check, point: Point) -> tuple[str, bool]:
        """Why `check` is not needed, or is; and whether it is not."""
        op, value = check.op, check.args[0]
        if op is CHECK_INDEX:
            return self._index(value, check.args[1], point)
        if op is CHECK_NULL or op is CHECK_KIND:
            sure = self._is_reference(value, check.detail if op is CHECK_KIND else 0, point)
            return ("made or checked on every way" if sure else "it may be something else"), sure
        if value.type.kind not in (INT, VALUE):
            return f"it is of {value.type}", False
        low, high, _ = self.ranges.here(value, point)
        if op is ops.CHECK_CONVERT:
            type = INTEGERS[check.detail]
            return f"[{_number(low)}, {_number(high)}]", type.low <= low and high <= type.high
        if op is ops.CHECK_LENGTH:
            sure = low >= 0 and high < 1 << 32
            return ("" if sure else "may be negative or too large: ") + _numbers(low, high), sure
        sure = low > 0 or high < 0 or self._is_unequal(value, point)
        return ("divisor is not 0" if sure else f"divisor in [{low}, {high}]"), sure

    def _index(self, index: Value, length: Value, point: Point) -> tuple[str, bool]:
        low, high, _ = self.ranges.here(index, point)
        if low < 0 and not self.relations.above(index, 0, point):
            return f"index may be negative: {_numbers(low, high)}", False
        least = self.ranges.here(length, point)[0]
        if high < least:
            return f"index in {_numbers(max(low, 0), high)}, length at least {least >> 1}", True
        if self.relations.below(index, length, -1, point):
            return "index in [0, n-1]", True
        return f"index may reach the length: {_numbers(low, high)}", False

    def _is_unequal(self, value: Value, point: Point) -> bool:
        """Whether a branch or check says that `value` is not 0."""
        return (UNEQUAL, None, 0) in self.conditions.said(value, point)

    def _is_reference(self, value: Value, wanted: int, point: Point) -> bool:
        """Whether `value` surely refers to an object, of descriptor `wanted` where that is not 0.  All that phis may choose
        must do so; a check of a phi counts for what comes later."""
        seen = {value: None}
        todo = [(value, point)]
        holds = self.conditions.holds
        while todo:
            value, point = todo.pop()
            if _made(value, wanted) or any(
                holds(fact, point) and (not wanted or fact[4] == wanted) for fact in self.references.get(value, ())
            ):
                continue
            if value.op is not PHI or len(seen) > WEB:
                return False
            block = self.conditions.where[value][0]
            for arg, before in zip(value.args, value.blocks, strict=True):  # type: ignore[attr-defined]
                if arg.op is not PHI or arg not in seen:
                    seen[arg] = None
                    todo.append((arg, (before, END, self.conditions.edge(before, block))))
        return True


def _made(value: Value, wanted: int) -> bool:
    """Whether `value` is a new object, of descriptor `wanted` where that is not 0."""
    if value.op is ops.NEW_ARRAY:
        return not wanted or wanted == descriptor(ARRAY, len(value.args))
    if value.op is ops.NEW_TUPLE:
        return not wanted or wanted == descriptor(TUPLE)
    if isinstance(value, Address):
        return not wanted
    return isinstance(value, Call) and value.callee is not None and value.callee.kind == ROUTINE and _allocates(value, wanted)


def _allocates(call: Call, wanted: int) -> bool:
    return call.callee is not None and call.callee.name == "allocate" and not wanted


def _numbers(low: int, high: int) -> str:
    """A range of encoded numbers, for a reader."""
    small, great = low >> 1, high >> 1
    if small == great:
        return f"it is {small}"
    return f"[{_number(small)}, {_number(great)}]"


def _number(number: int) -> str:
    """A number, large ones next to powers of two as such."""
    size = abs(number)
    if size < 1 << 40:
        return str(number)
    sign = "-" if number < 0 else ""
    for off, said in ((0, ""), (1, "-1"), (-1, "+1")):
        if (size + off) & (size + off - 1) == 0:
            return f"{sign}2^{(size + off).bit_length() - 1}{said if not sign else said.translate({43: 45, 45: 43})}"
    return str(number)
