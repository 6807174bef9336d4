"""Induction variables: what a loop adds the same to in every round, and how far they go.

    :loop
      %i <- phi (:before %s, :loop %j)         of(%i): start %s, step 2; at most the greater of %s and %n - 1,
      ...                                        for only with %j < %n there is another round
      %j <- %i + 2
      bool %c <- %j < %n
      br %c :loop :out

Bounds hold for the words as signed numbers, as long as neither they nor the start are so large that a step wraps around:
whoever uses them makes sure that all values they are made of are SMALL.  (By induction then: no value is out of bounds, so the
next one does not wrap, so it is on the far side of the start, and on the near side of the bound if there is another round.)
"""

from __future__ import annotations

from septet.ir.analyses.dominators import Dominators
from septet.ir.analyses.linear import Linear, Sums
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.representation import ODD, Words
from septet.ir.nodes import Branch, Compare, Phi
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Block, Function, Value

SMALL = 1 << 40  # values of less magnitude, times factors, summed up, never come near 2^63


class Induction:
    """One induction variable: `phi` is `start` in the first round and `step` more in each that follows.

    `step` is a sum of what does not change in the loop.  `most`: with a positive step, `phi` is never greater than both this
    and `start`; `least`: with a negative one, never less than both; None if nobody knows.  `reaches`: `most` or `least` is at
    or behind `start` whenever the loop is entered.
    """

    __slots__ = ("phi", "loop", "start", "begin", "step", "most", "least", "reaches")

    def __init__(self, phi: Phi, loop: Loop, start: Value, begin: Linear, step: Linear) -> None:
        self.phi = phi
        self.loop = loop
        self.start = start
        self.begin = begin  # the sum that `start` is
        self.step = step
        self.most: Linear | None = None
        self.least: Linear | None = None
        self.reaches = False

    @property
    def constant_step(self) -> int | None:
        """The step, if it is a constant."""
        return None if self.step.terms else self.step.number


class Test:
    """A branch that every round passes before the next: there is another one only if `sum` < 0."""

    __slots__ = ("block", "sum", "span")

    def __init__(self, block: Block, sum: Linear, span: int) -> None:
        self.block = block
        self.sum = sum
        self.span = span


class Inductions:
    """The induction variables of all natural loops with a preheader and a single latch."""

    __slots__ = ("loops", "sums", "_found", "_by_loop", "_tests", "_home", "_dominators")

    def __init__(self, function: Function, facts: Facts) -> None:
        self.loops = facts.get(Loops)
        self._found: dict[Value, Induction] = {}
        self._by_loop: dict[Loop, list[Induction]] = {}
        self._tests: dict[Loop, list[Test]] = {}
        self._home: dict[Value, Block] = {}
        loops = [loop for loop in self.loops.loops if loop.natural and loop.preheader is not None and len(loop.latches) == 1]
        self.sums = Sums()
        if not loops:
            return
        self._dominators = facts.get(Dominators)
        self.sums = Sums(lambda value: 1 if facts.get(Words).mask(value) == ODD else None)  # computed if anyone asks
        for block in function.blocks:
            for value in (*block.phis, *block.body):
                self._home[value] = block
        for loop in loops:
            self._look_at(loop)

    def of(self, phi: Value) -> Induction | None:
        """The induction variable that a phi is, if it is one."""
        return self._found.get(phi)

    def tests(self, loop: Loop) -> list[Test]:
        """The tests that every round of a loop passes."""
        return self._tests.get(loop, [])

    def variables(self, loop: Loop) -> list[Induction]:
        """The induction variables of a loop."""
        return self._by_loop.get(loop, [])

    def inside(self, loop: Loop, value: Value) -> bool:
        """Whether `value` is computed in a loop."""
        home = self._home.get(value)
        return home is not None and self.loops.contains(loop, home)

    def _look_at(self, loop: Loop) -> None:
        latch = loop.latches[0]
        found: list[Induction] = []
        for phi in loop.header.phis:
            if not phi.type.is_word:
                continue
            at = phi.blocks.index(latch)
            next, start = phi.args[at], phi.args[1 - at]
            step = self.sums.of(next).plus(Linear({phi: 1}), -1)
            if (step.terms or step.number) and not any(self.inside(loop, value) for value in step.terms):
                found.append(Induction(phi, loop, start, self.sums.of(start), step))
        self._by_loop[loop] = found
        for induction in found:
            self._found[induction.phi] = induction
        self._tests[loop] = list(self._all_tests(loop, latch))
        for induction in found:
            for test in self._tests[loop]:
                if self._bound(induction, test):
                    break

    def _all_tests(self, loop: Loop, latch: Block) -> list[Test]:
        tests: list[Test] = []
        for block in loop.own:
            last = block.body[-1]
            if last.op is not ops.BR_IF or not isinstance(last, Branch) or not self._dominators.dominates(block, latch):
                continue
            first, second = last.targets
            stays = self.loops.contains(loop, first)
            if stays != self.loops.contains(loop, second):
                sum = self.below_zero(last.args[0], stays)
                if sum is not None:
                    tests.append(Test(block, sum, last.span))
        return tests

    def below_zero(self, condition: Value, wanted: bool) -> Linear | None:
        """What is less than 0 exactly if `condition` is `wanted`; None where it is no comparison of signed words."""
        if not isinstance(condition, Compare) or not condition.on.is_word or not condition.on.signed:
            return None
        left, right = (self.sums.of(arg) for arg in condition.args)
        if max(abs(left.number), abs(right.number)) >= SMALL or any(left.terms.get(v) == f for v, f in right.terms.items()):
            return None  # a value that is on both sides can be so large that one of them wraps around
        op = condition.op if wanted else _OPPOSITE.get(condition.op)
        if op is ops.GT or op is ops.GE:
            left, right = right, left
        if op is ops.LT or op is ops.GT:
            return left.plus(right, -1)
        if op is ops.LE or op is ops.GE:
            return left.plus(right, -1).add(-1)
        return None

    def _bound(self, induction: Induction, test: Test) -> bool:
        """Whether a test bounds an induction variable on the side that it goes to."""
        phi = induction.phi
        factor = test.sum.terms.get(phi)
        if factor not in (1, -1):
            return False
        rest = test.sum.without(phi)
        if any(self.inside(induction.loop, value) for value in rest.terms):
            return False
        # With factor 1 there is another round only if phi < -rest, and then phi is that, and a step, at most.
        constant = induction.constant_step
        if factor == 1 and (constant is None or constant > 0):
            induction.most = self._even_out(Linear({}, -1).plus(rest, -1).plus(induction.step), induction, -1)
        elif factor == -1 and (constant is None or constant < 0):
            induction.least = self._even_out(Linear({}, 1).plus(rest).plus(induction.step), induction, 1)
        else:
            return False
        induction.reaches = self._entered(induction, test)
        return True

    def _even_out(self, bound: Linear, induction: Induction, by: int) -> Linear:
        """A bound, sharpened by one where it is odd and the variable even, or the other way around."""
        if self.sums.parity(induction.step) == 0:
            mine, its = self.sums.parity(induction.begin), self.sums.parity(bound)
            if mine is not None and its is not None and mine != its:
                return bound.add(by)
        return bound

    def _entered(self, induction: Induction, test: Test) -> bool:
        """Whether the loop is entered only if the test holds for the round before the first."""
        block = induction.loop.preheader
        assert block is not None
        wanted = test.sum.replaced(induction.phi, induction.begin.plus(induction.step, -1))
        for _ in range(4):
            before = self.loops.before[block]
            if len(before) != 1:
                break
            last = before[0].body[-1]
            if last.op is ops.BR_IF and isinstance(last, Branch):
                known = self.below_zero(last.args[0], last.targets[0] is block)
                if known is not None and known.terms == wanted.terms and known.number >= wanted.number:
                    return True
            block = before[0]
        return not wanted.terms and wanted.number < 0


_OPPOSITE = {ops.LT: ops.GE, ops.GE: ops.LT, ops.LE: ops.GT, ops.GT: ops.LE}
