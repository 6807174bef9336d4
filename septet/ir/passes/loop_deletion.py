"""Loops that only count go: what they leave behind is computed at once.

    :entry                                         :entry
      bool %b <- %s < %n                             bool %b <- %s < %n
      br %b :loop :out                               br %b :loop :out
    :loop                                          :loop
      %i <- phi (:entry %s, :loop %j)      =>        i64 %d <- %n - %s
      %x <- phi (:entry 5, :loop %y)                 i64 %y <- %d * 3
      %j <- %i + 2                                   i64 %y_1 <- %y + 5
      %y <- %x + 6                                   br :out
      bool %c <- %j < %n
      br %c :loop :out

Trigger: a loop without inner loops, without stores, calls and checks, and with one exit, whose test provably fails in the end:
a counter that goes up by 1, or by 2 through odd numbers, compared by < with what does not change, which gets over no number
without standing on it.  What is used behind the loop must be a sum of the bound, of other induction variables, whose steps are
multiples of the counter's, and of what does not change; for that the loop must be entered only if the test holds for the
start.  Gain: the whole loop.  Guard: at most MOST values are computed in its place.  Level 2, both phases.  Ends: a loop goes
each time.
"""

from __future__ import annotations

from septet.base.types import I64
from septet.ir.analyses.induction import Inductions
from septet.ir.analyses.linear import Linear
from septet.ir.analyses.loops import Loops
from septet.ir.forward import forward, resolve, stands_for
from septet.ir.loop_shape import operand_for
from septet.ir.nodes import Branch, Compare, Const, Value
from septet.ir.unreachable import drop_unreachable
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.induction import Induction
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Block, Function

NAME = "loop-deletion"
MOST = 16
_READS = (ops.ELEMENT, ops.LENGTH, ops.LOAD)


def run(function: Function, facts: Facts) -> bool:
    """Delete what can be deleted; whether there was anything."""
    loops = facts.get(Loops)
    idle = [loop for loop in loops.loops if not loop.children and loop.preheader is not None and _is_idle(loop)]
    if not idle:
        return False
    inductions = facts.get(Inductions)
    changed = False
    for loop in idle:
        deletion = _Deletion(function, facts, inductions, loop)
        if deletion.run():
            changed = True
    if changed:
        resolve(function)
        drop_unreachable(function)
    return changed


def _is_idle(loop: Loop) -> bool:
    """Whether a loop does nothing but compute, and has one latch and one exit."""
    if not loop.natural or len(loop.latches) != 1 or len(loop.exits) != 1:
        return False
    return all(value.op.pure or value.op.ends or value.op in _READS for block in loop.own for value in block.body)


class _Deletion:
    """The pass over one loop."""

    def __init__(self, function: Function, facts: Facts, inductions: Inductions, loop: Loop) -> None:
        assert loop.preheader is not None
        self.function = function
        self.facts = facts
        self.inductions = inductions
        self.sums = inductions.sums
        self.loop = loop
        self.preheader: Block = loop.preheader

    def run(self) -> bool:
        """Whether the loop is gone."""
        found = self._counter()
        if found is None:
            return False
        counter, bound, exact = found
        ends: list[tuple[Value, Linear]] = []
        for value in self._used_outside():
            end = self._end(value, counter, bound) if exact else None
            if end is None or not stands_for(value.type, I64):
                return False
            ends.append((value, end))
        inside, outside = self.loop.exits[0]
        if sum([len(end.terms) * 2 + 1 for _, end in ends]) > MOST or not self.facts.fuel.spend():
            return False
        span = inside.body[-1].span
        why = "it, or a copy of it, only counts"
        self.facts.remark(self.function.name, span, "loop deleted", why, values=len(ends))
        for value, end in ends:
            forward(value, self._whole(end, span))
        self.preheader.body[-1] = Branch(ops.BR, [], [outside], span, NAME)
        for phi in outside.phis:
            arg = operand_for(phi, inside)
            phi.args = [*phi.args, arg]
            phi.blocks = [*phi.blocks, self.preheader]
        return True

    def _counter(self) -> tuple[Induction, Linear, bool] | None:
        """The variable that ends the loop, the sum that it is in the last round, and whether it surely is; or None."""
        inside, outside = self.loop.exits[0]
        tests = self.inductions.tests(self.loop)
        condition = inside.body[-1].args[0]
        if not any(test.block is inside for test in tests) or not isinstance(condition, Compare) or condition.op is not ops.LT:
            return None
        next, limit = condition.args
        if inside.successors[0] is outside or self.inductions.inside(self.loop, limit):
            return None
        sum = self.sums.of(next)
        for counter in self.inductions.variables(self.loop):
            step = counter.constant_step
            if sum.terms != {counter.phi: 1} or step not in (1, 2):
                continue
            parities = self.sums.parity(counter.begin.add(sum.number)), self.sums.odd(limit)
            if step == 2 and (parities[0] != 1):
                return None
            exact = sum.number == step and (step == 1 or parities == (1, 1)) and self._entered(counter, limit)
            return counter, self.sums.of(limit).add(-step), exact
        return None

    def _entered(self, counter: Induction, limit: Value) -> bool:
        """Whether the loop is entered only if its start is below the limit."""
        block = self.preheader
        before = self.inductions.loops.before[block]
        if len(before) != 1:
            return False
        last = before[0].body[-1]
        if last.op is not ops.BR_IF or not isinstance(last, Branch):
            return False
        test, start = last.args[0], counter.start
        if not isinstance(test, Compare) or not test.on.signed or not test.on.is_word:
            return False
        if test.op in _MIRRORED:
            op, left, right = _MIRRORED[test.op], test.args[1], test.args[0]
        else:
            op, left, right = test.op, test.args[0], test.args[1]
        if last.targets[0] is not block or op is not ops.LT:
            return False
        return _same(left, start) and _same(right, limit)

    def _used_outside(self) -> list[Value]:
        """The values of the loop that are used outside it."""
        blocks = self.loop.blocks
        mine = {value for block in blocks for value in (*block.phis, *block.body)}
        found: dict[Value, None] = {}
        for block in self.function.blocks:
            if block in blocks:
                continue
            for value in (*block.phis, *block.body):
                for arg in value.args:
                    if arg in mine:
                        found[arg] = None
        return list(found)

    def _end(self, value: Value, counter: Induction, last: Linear) -> Linear | None:
        """What `value` is in the last round, in terms of what does not change; None where nobody knows."""
        result = Linear({}, 0)
        sum = self.sums.of(value)
        rounds = last.plus(counter.begin, -1)  # times the step
        for term, factor in sum.terms.items():
            if not self.inductions.inside(self.loop, term):
                result = result.plus(Linear({term: 1}), factor)
                continue
            variable = self.inductions.of(term)
            own = counter.constant_step
            step = variable.constant_step if variable is not None else None
            if variable is None or variable.loop is not self.loop or not own or step is None or step % own:
                return None
            result = result.plus(variable.begin.plus(rounds, step // own), factor)
        return result.add(sum.number)

    def _whole(self, sum: Linear, span: int) -> Value:
        """A sum, computed before the loop."""
        total: Value | None = None
        for value, factor in sum.terms.items():
            term = value
            if factor != 1:
                term = self._put(ops.MUL, value, Const(I64, I64.wrap(factor)), span)
            total = term if total is None else self._put(ops.ADD, total, term, span)
        number = Const(I64, I64.wrap(sum.number))
        if total is None:
            return number
        return self._put(ops.ADD, total, number, span) if number.number else total

    def _put(self, op: ops.Op, left: Value, right: Value, span: int) -> Value:
        made = Value(op, I64, [left, right], span, NAME)
        self.preheader.body.insert(-1, made)
        return made


_MIRRORED = {ops.GT: ops.LT, ops.GE: ops.LE}


def _same(one: Value, other: Value) -> bool:
    """Whether two operands are the same value, or equal constants."""
    return one is other or isinstance(one, Const) and isinstance(other, Const) and one.number == other.number
