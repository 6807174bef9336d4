"""One test before a loop stands for the checks in it: if it holds, a copy of the loop without them runs.

    :before                                    :before
      br :loop                                   (a test of 0 <= 0 and %n - 1 < length %a)
    :loop                                        br %fine :loop :slow
      %i <- phi (:before 0, :loop %j)          :loop
      int64 %len <- length %a 0                  %i <- phi (:before 0, :loop %j)
      check-index %i, %len              =>       ...
      ...                                        br %c :loop :out
      br %c :loop :out                         :slow
                                                 %i_1 <- phi (:before 0, :slow %j_1)
                                                 check-index %i_1, %len_1
                                                 ...

Where the test fails, which it may do too often, the slow loop is the old one, so errors come as they came: the same message,
line and output before it.  Tested are index checks on sums of induction variables, at both ends of how far these go
(`analyses.induction`), and checks of values that do not change in the loop for null and for their kind.

Trigger: such a check in an innermost loop.  A whole nest of loops gets one test, before the outermost loop where everything
can be tested that can be tested further in.  Cost: a second copy of the loop, away from the others; the test.  Gain: no check
is left in the loop but those of indices that come from memory or the like.  Guard: innermost loops that call something in
every round do not count, as a call costs more than the checks around it; at most LARGEST values are copied a loop and TOTAL a
function (thrice as many at -O3), at most TESTS comparisons.  Level 2, phase arrays.  Ends, as no loop is copied twice in one
run.
"""

from __future__ import annotations

from septet.base.types import VOID
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.induction import SMALL, Inductions
from septet.ir.analyses.linear import Linear
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.representation import Words
from septet.ir.clone import clone_blocks, copy_edge
from septet.ir.loop_guard import NEW, Guard, Plan
from septet.ir.loop_shape import Shape
from septet.ir.nodes import ARRAYS, Block, Branch, Check, Value
from septet.ir.redefine import redefine
from septet.ops import table as ops
from septet.ops.table import CALL, CALL_INDIRECT, CHECK_INDEX, CHECK_KIND, CHECK_NULL, LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Function
    from septet.ir.redefine import Versions

NAME = "versioning"
KEEPS = (Dominators, PostDominators, Loops)
LARGEST = 300
TOTAL = 1200
TESTS = 24
DEEPEST = 8  # operations that are copied before the loop, one inside the other


def run(function: Function, facts: Facts) -> bool:
    """Version what can be versioned; whether there was anything."""
    if function.phase != ARRAYS:
        return False
    loops = facts.get(Loops)
    worth = {loop.header: loop for loop in loops.loops if not loop.children and _is_worth_it(loop, function, facts)}
    if not worth:
        return False
    around = {outer for loop in worth.values() for outer in _nest(loop)}
    shape = Shape(function, loops, NAME)
    for loop in loops.loops:
        if loop.natural and loop.preheader is None and loop in around:
            shape.preheader(loop)
    made = shape.changed
    if made:
        shape.close()
        facts.drop()
        loops = facts.get(Loops)
        shape = Shape(function, loops, NAME)
    versioning = Versioning(function, facts, shape, [loop for loop in loops.loops if loop.header in worth])
    for loop in loops.loops:
        if loop.parent is None and loop in versioning.wanted:
            versioning.nest(loop)
    if versioning.versions:
        shape.close()
        function.blocks += versioning.cold
        facts.drop()
        redefine(function, versioning.versions, NAME, facts.get(Dominators))
    return made or versioning.changed or bool(versioning.versions)


def _is_worth_it(loop: Loop, function: Function, facts: Facts) -> bool:
    """Whether an innermost loop has checks, and no call in every round."""
    checks = 0
    calls: list[Block] = []
    for block in loop.own:
        for value in block.body:
            if value.op.check:
                checks += 1
            elif value.op is CALL or value.op is CALL_INDIRECT:
                calls.append(block)
    if not checks:
        return False
    dominates = facts.get(Dominators).dominates
    if any(dominates(block, latch) for block in calls for latch in loop.latches):
        why = "it makes a call in every round"
        facts.remark(function.name, loop.header.body[0].span, "loop not versioned", why, checks=checks)
        return False
    return True


def _nest(loop: Loop) -> list[Loop]:
    """A loop and those around it."""
    found: list[Loop] = []
    around: Loop | None = loop
    while around is not None:
        found.append(around)
        around = around.parent
    return found


class Versioning:
    """One run of the pass."""

    def __init__(self, function: Function, facts: Facts, shape: Shape, worth: list[Loop]) -> None:
        self.function = function
        self.facts = facts
        self.shape = shape
        self.loops = shape.loops
        self.inductions = facts.get(Inductions)
        facts.get(Words)  # which sums ask for: of the function as it is before anything is copied
        self.dominators = facts.get(Dominators)
        self.worth = set(worth)  # innermost loops
        self.wanted = {outer for loop in worth for outer in _nest(loop)}
        self.plans: dict[Loop, Plan] = {}
        self.sums = self.inductions.sums
        self.inside = self.inductions.inside
        self.times = 3 if facts.opt >= 3 else 1
        self.left = TOTAL * self.times
        self.changed = False
        self.versions: Versions = {}
        self.cold: list[Block] = []
        self.checked: dict[Value, list[Block]] = {}
        for block in function.blocks:
            for value in block.body:
                if value.op is CHECK_NULL or value.op is CHECK_KIND:
                    self.checked.setdefault(value.args[0], []).append(block)

    # Which loops.

    def nest(self, outermost: Loop) -> None:
        """Version the loops of a nest, each at the outermost place where as much can be tested as further in."""
        todo = [outermost]
        while todo:
            loop = todo.pop()
            plan = self.plan(loop) if self._is_simple(loop) else None
            if plan is not None and self._is_best(plan):
                self._version(plan)
            else:
                todo += [child for child in reversed(loop.children) if child in self.wanted]

    def _is_simple(self, loop: Loop) -> bool:
        if loop.preheader is None:
            return False
        todo = [loop]
        while todo:
            inner = todo.pop()
            if not inner.natural:
                return False
            todo += inner.children
        return True

    def _is_best(self, plan: Plan) -> bool:
        """Whether a plan covers a check in an innermost loop, and all that could be covered there."""
        useful = False
        todo = [plan.loop]
        while todo:
            loop = todo.pop()
            if loop.children:
                todo += loop.children
                continue
            if loop not in self.worth:
                continue
            useful = useful or any(value in plan.covered for block in loop.own for value in block.body)
            around: Loop | None = loop
            while around is not None and around is not plan.loop:
                if any(check not in plan.covered for check in self.plan(around).covered):
                    return False
                around = around.parent
        return useful

    # What a test can do away with.

    def plan(self, loop: Loop) -> Plan:
        """What a test before `loop` could do away with."""
        known = self.plans.get(loop)
        if known is not None:
            return known
        plan = self.plans[loop] = Plan(loop)
        for block in loop.blocks:
            for value in block.body:
                if value.op.check and isinstance(value, Check):
                    self._cover(value, plan)
        return plan

    def _cover(self, check: Check, plan: Plan) -> None:
        value = check.args[0]
        if check.op is CHECK_NULL or check.op is CHECK_KIND:
            if self.inside(plan.loop, value):
                return
            if check.op is CHECK_NULL:
                plan.references[value] = None
            else:
                plan.kinds[value, check.detail] = None
            plan.covered[check] = None
        elif check.op is CHECK_INDEX:
            index, length = self.sums.of(value), self.sums.of(check.args[1])
            trial = Plan(plan.loop)
            if self._never_negative(index, trial) and self._never_negative(length.plus(index, -1).add(-1), trial):
                for sum in trial.sums.values():
                    plan.need(sum)
                plan.small.update(trial.small)
                plan.covered[check] = None

    def _never_negative(self, sum: Linear, plan: Plan) -> bool:
        """Note what must hold before the loop for a sum not to be negative in it; False where nobody knows."""
        leasts = self._least(sum, plan)
        for least in leasts or ():
            if least.terms:
                plan.need(least)
            elif least.number < 0:
                return False
        return leasts is not None

    def _least(self, sum: Linear, plan: Plan) -> list[Linear] | None:
        """Sums of what does not change in the loop, the least of which is not greater than `sum` ever is."""
        loop = plan.loop
        done: list[Linear] = []
        todo = [sum]
        while todo:
            sum = todo.pop()
            inner = [value for value in sum.terms if self.inside(loop, value) and not self._available(value, loop)]
            if not inner:
                if not self._fits(sum, plan):
                    return None
                done.append(sum)
                continue
            value = max(inner, key=self._depth)  # bounds of inner loops' variables are made of outer ones'
            ends = self._ends(value, sum.terms[value] < 0, plan)
            if ends is None or len(todo) + len(done) > TESTS:
                return None
            todo += [sum.replaced(value, end) for end in ends]
        return done

    def _depth(self, value: Value) -> int:
        induction = self.inductions.of(value)
        return induction.loop.depth if induction is not None else 1 << 30

    def _ends(self, value: Value, upper: bool, plan: Plan) -> list[Linear] | None:
        """Sums that an induction variable is never above (or below) the greatest (or least) of; None where nobody knows."""
        induction = self.inductions.of(value)
        if induction is None:
            return None
        step = induction.constant_step
        rises = induction.most is not None if step is None else step > 0
        if step is None:
            one_way = induction.step.add(-1) if rises else Linear({}, -1).plus(induction.step, -1)
            if not self._never_negative(one_way, plan):
                return None
        elif abs(step) >= SMALL:
            return None
        far = induction.most if rises else induction.least
        if far is None or upper is rises and not self._both_fit(far, plan) or not self._both_fit(induction.begin, plan):
            return None
        if not self._both_fit(far, plan):  # without a bound the variable may wrap around
            return None
        if upper is not rises:
            return [induction.begin]
        return [far] if induction.reaches else [induction.begin, far]

    def _both_fit(self, sum: Linear, plan: Plan) -> bool:
        """Whether a sum is surely of small magnitude where all values tested are."""
        return self._least(sum, plan) is not None and self._least(Linear({}).plus(sum, -1), plan) is not None

    def _fits(self, sum: Linear, plan: Plan) -> bool:
        """Note that the values in a sum must be SMALL; False where it could overflow all the same."""
        if abs(sum.number) >= SMALL or sum.weight >= 1 << 20:
            return False
        for value in sum.terms:
            if value.op is not LENGTH:
                plan.small[value] = None
        return True

    def _available(self, value: Value, loop: Loop, depth: int = 0) -> bool:
        """Whether `value` is the same in every round, and can be computed before the loop once bases are checked."""
        if not self.inside(loop, value):
            return True
        if value.op is LENGTH:
            return len(value.args) == 1 and not self.inside(loop, value.args[0])
        if not value.op.pure or value.op is ops.PHI or depth > DEEPEST:
            return False
        return all(self._available(arg, loop, depth + 1) for arg in value.args)

    # The copy.

    def _version(self, plan: Plan) -> None:
        loop = plan.loop
        name = self.function.name
        span = loop.header.body[0].span
        size = sum([len(block.body) for block in loop.blocks])
        tests = len(plan.sums) + len(plan.small) + len(plan.kinds) + len(plan.references)
        if not tests:
            self._drop(plan)
            return
        limit = min(LARGEST * self.times, self.left)
        if size > limit or tests > TESTS:
            why = f"{tests} tests > {TESTS}" if tests > TESTS else f"size {size} > {limit}"
            self.facts.remark(name, span, "loop not versioned", why, size=size, limit=limit, tests=tests)
            return
        if not self.facts.fuel.spend():
            return
        self.left -= size
        checks = len(plan.covered)
        what = "checks became one test" if checks > 1 else "check became a test"
        self.facts.remark(name, span, f"loop versioned: {checks} {what} before it", checks=checks, tests=tests)
        for check in plan.covered:
            self.facts.remark_check(name, check, "removed", "the test before the loop stands for it")
        slow = self._copy(loop)
        self._test(plan, slow)
        for block in loop.blocks:
            if any(value in plan.covered for value in block.body):
                block.body = [value for value in block.body if value not in plan.covered]

    def _drop(self, plan: Plan) -> None:
        """Take out checks that cannot fail, test or no test."""
        for block in plan.loop.blocks:
            gone: dict[Value, None] = {}
            for value in block.body:
                if value in plan.covered and self.facts.fuel.spend():
                    gone[value] = None
                    why = "how far the loop's counters go"
                    self.facts.remark_check(self.function.name, value, "removed", why)
            if gone:
                block.body = [value for value in block.body if value not in gone]
                self.changed = True

    def _copy(self, loop: Loop) -> Block:
        """The entry of a copy of the loop, to which nothing leads yet."""
        assert loop.preheader is not None
        values: dict[Value, Value] = {}
        copies = clone_blocks(loop.blocks, values, self.shape.fresh)
        entry = Block(self.shape.fresh(f"{loop.header.name}_slow"))
        entry.body.append(Branch(ops.BR, [], [copies[loop.header]], loop.header.body[0].span, NAME))
        for phi in copies[loop.header].phis:
            phi.blocks = [entry if block is loop.preheader else block for block in phi.blocks]
        for block, target in loop.exits:
            copy_edge(target, block, copies[block], values)
        for block, copy in copies.items():
            for value in (*block.phis, *block.body):
                if value.type is not VOID:
                    self.versions[value] = {block: value, copy: values[value]}
        self.cold += [entry, *copies.values()]
        return entry

    def _test(self, plan: Plan, slow: Block) -> None:
        """Put the test at the end of the preheader; a new one leads to the loop."""
        loop = plan.loop
        header, block = loop.header, loop.preheader
        assert block is not None
        span = header.body[0].span
        guard = Guard(plan, block, slow, span, self)
        for value, kind in plan.kinds:
            guard.kind(value, kind)
        for value in dict.fromkeys([*plan.references, *guard.bases()]):
            guard.reference(value)
        last = guard.finish()
        enter = Block(self.shape.fresh(f"{header.name}_fast"))
        enter.body.append(Branch(ops.BR, [], [header], span, NAME))
        self.shape.insert_before(header, enter, loop.parent)
        guard.leave(last, enter)
        for phi in header.phis:
            phi.blocks = [enter if origin is block else origin for origin in phi.blocks]

    def is_reference(self, value: Value, loop: Loop) -> bool:
        """Whether `value` is known to be a reference wherever the loop is entered."""
        if value.op in NEW:
            return True
        dominates = self.dominators.dominates
        return any(
            not self.loops.contains(loop, block) and dominates(block, loop.header) for block in self.checked.get(value, ())
        )
