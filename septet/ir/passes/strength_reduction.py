"""Addresses in innermost loops become a pointer before the loop and a scaled counter, or a pointer that is moved on.

    :loop                                           i64 %row <- %m * 8 + %a       (before the loop)
      %k <- phi (:before 1, :loop %next)            ptr %start <- ...
      i64 %raw <- untag %k                        :loop
      i64 %x <- %m + %raw                           %k <- phi (:before 1, :loop %next)
      i64 %byte <- %x << 3                          ptr %p <- phi (:before %start, :loop %moved)
      ptr %at <- %a + %byte                   =>    i64 %byte <- %k << 2
      int64 %v <- load %at + 24                     ptr %at <- %row + %byte
      i64 %y <- %raw * %n                           int64 %v <- load %at + 20
      i64 %far <- %y << 3                           int64 %w <- load %p + 24
      ptr %there <- %b + %far                       ptr %moved <- %p + %by
      int64 %w <- load %there + 24                  %next <- %k + 2
      %next <- %k + 2

Trigger: a load or store whose address is a sum of what does not change in the loop, of an induction variable times a constant,
and of such a variable times what does not change.  Without the last, and with a factor that addresses can have (1, 2, 4, 8),
it becomes base plus scaled variable; else a pointer of its own.  Gain: a multiplication or some additions less for each access.
Cost: a register for each different pointer.  Guard: at most POINTERS of them a loop.  All arithmetic is modulo 2^64, so nothing
can overflow that did not before.  Level 2, phase words.  Ends: an address is looked at once.
"""

from __future__ import annotations

from septet.base.types import I64, PTR
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.induction import Inductions
from septet.ir.analyses.linear import Linear
from septet.ir.analyses.loops import Loops
from septet.ir.loop_shape import Shape
from septet.ir.nodes import WORDS, Const, Memory, Phi, Value
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.induction import Induction
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Block, Function

NAME = "strength-reduction"
KEEPS = (Dominators, PostDominators, Loops)
POINTERS = 6  # new values that live through one loop
_SCALES = {1: 0, 2: 1, 4: 2, 8: 3}


def run(function: Function, facts: Facts) -> bool:
    """Reduce what can be reduced; whether there was anything."""
    if function.phase != WORDS:
        return False
    loops = facts.get(Loops)
    wanted = [loop for loop in loops.loops if loop.natural and not loop.children and len(loop.latches) == 1]
    wanted = [loop for loop in wanted if any(isinstance(value, Memory) for block in loop.own for value in block.body)]
    if not wanted:
        return False
    shape = Shape(function, loops, NAME)
    for loop in wanted:
        if loop.preheader is None:
            shape.preheader(loop)
    made = shape.changed
    if made:
        shape.close()
        facts.drop()
        headers = {loop.header for loop in wanted}
        wanted = [loop for loop in facts.get(Loops).loops if loop.header in headers]
    inductions = facts.get(Inductions)
    changed = False
    for loop in wanted:
        if inductions.variables(loop):
            changed |= _Reduction(function, facts, inductions, loop).run()
    return changed or made


class _Form:
    """An address: `fixed`, which does not change in the loop, plus `factor` times an induction variable, plus for each of
    `products` a number, a sum with that variable in it, and a value that does not change: all three multiplied."""

    __slots__ = ("fixed", "factor", "products")

    def __init__(self, fixed: Linear) -> None:
        self.fixed = fixed
        self.factor = 0
        self.products: list[tuple[int, Linear, Value]] = []

    def key(self) -> object:
        """What equal forms have in common, but for the constant."""
        products = tuple((times, sum.key(), value) for times, sum, value in self.products)
        return frozenset(self.fixed.terms.items()), self.factor, products


class _Reduction:
    """The pass over one loop."""

    def __init__(self, function: Function, facts: Facts, inductions: Inductions, loop: Loop) -> None:
        assert loop.preheader is not None
        self.function = function
        self.facts = facts
        self.sums = inductions.sums
        self.inductions = inductions
        self.loop = loop
        self.preheader: Block = loop.preheader
        self.variables = inductions.variables(loop)
        self.pointers: dict[object, Value] = {}  # by form
        self.bases: dict[object, Value] = {}  # by what does not change
        self.moved: list[Value] = []  # what the latch computes for the next round
        self.costs = 0
        self.span = 0

    def run(self) -> bool:
        """Whether anything changed."""
        changed = False
        for block in self.loop.own:
            body: list[Value] = []
            scaled: dict[object, Value] = {}
            for value in block.body:
                if isinstance(value, Memory) and self._reduce(value, body, scaled):
                    changed = True
                body.append(value)
            block.body = body
        self.loop.latches[0].body[-1:-1] = self.moved
        if changed:
            what = "addresses in the loop made cheaper"
            self.facts.remark(self.function.name, self.span, what, "they go on by the same step", pointers=self.costs)
        return changed

    def _reduce(self, access: Memory, body: list[Value], scaled: dict[object, Value]) -> bool:
        address = access.args[0]
        if not self._inside(address):
            return False
        sum = self.sums.of(address)
        for induction in self.variables:
            form = self._form(sum, induction)
            if form is not None:
                break
        else:
            return False
        offset = access.offset + form.fixed.number
        if not -(1 << 31) <= offset < 1 << 31:
            return False
        scale = _SCALES.get(form.factor) if not form.products else None
        if scale is None and induction.step.terms and form.factor:
            return False
        if self._is_new(form, scale) and self.costs >= POINTERS or not self.facts.fuel.spend():
            return False
        self.span = access.span
        if scale is None:
            at = self._pointer(form, induction)
        else:
            at = self._indexed(form, induction, scale, body, scaled)
        access.args = [at, *access.args[1:]]
        access.offset = offset
        access.by = NAME
        return True

    def _inside(self, value: Value) -> bool:
        return self.inductions.inside(self.loop, value)

    def _is_new(self, form: _Form, scale: int | None) -> bool:
        """Whether a form needs another value that lives through the loop."""
        if scale is None:
            return form.key() not in self.pointers
        terms = form.fixed.terms
        return frozenset(terms.items()) not in self.bases and not (len(terms) == 1 and 1 in terms.values())

    def _form(self, sum: Linear, induction: Induction) -> _Form | None:
        """`sum` in terms of one induction variable; None where it is not of that form, or does not change at all."""
        form = _Form(Linear({}, sum.number))
        phi = induction.phi
        for value, factor in sum.terms.items():
            if value is phi:
                form.factor = factor
            elif not self._inside(value):
                form.fixed.terms[value] = factor
            else:
                product = self._product(value, factor, induction)
                if product is None:
                    return None
                form.products.append(product)
        return form if form.factor or form.products else None

    def _product(self, value: Value, factor: int, induction: Induction) -> tuple[int, Linear, Value] | None:
        """A multiplication of a sum of the variable and a constant by what does not change, `factor` times."""
        if value.op is not ops.MUL or induction.step.terms:
            return None
        left, right = value.args
        if self._inside(right):
            left, right = right, left
        if self._inside(right):
            return None
        if factor % 2:
            sum, times = self.sums.of(left), factor
        else:
            sum, times = self.sums.twice(left), factor // 2
        return (times, sum, right) if list(sum.terms) == [induction.phi] else None

    # What is computed before the loop.

    def _put(self, op: ops.Op, left: Value, right: Value) -> Value:
        made = Value(op, I64, [left, right], self.span, NAME)
        self.preheader.body.insert(-1, made)
        return made

    def _times(self, value: Value, factor: int) -> Value:
        if factor == 1:
            return value
        if factor in _SCALES:
            return self._put(ops.SHL, value, Const(I64, _SCALES[factor]))
        return self._put(ops.MUL, value, Const(I64, I64.wrap(factor)))

    def _sum(self, sum: Linear) -> Value | None:
        """A sum, but for its constant; None if nothing else is in it."""
        total: Value | None = None
        for value, factor in sum.terms.items():
            term = self._times(value, factor)
            total = term if total is None else self._put(ops.ADD, total, term)
        return total

    def _whole(self, sum: Linear) -> Value:
        total = self._sum(sum)
        number = Const(I64, I64.wrap(sum.number))
        if total is None:
            return number
        return self._put(ops.ADD, total, number) if number.number else total

    def _indexed(self, form: _Form, induction: Induction, scale: int, body: list[Value], scaled: dict[object, Value]) -> Value:
        """The base before the loop, and a scaled variable in it."""
        phi = induction.phi
        key = frozenset(form.fixed.terms.items())
        base = self.bases.get(key)
        if base is None:
            if self._is_new(form, scale):
                self.costs += 1
            base = self.bases[key] = self._sum(form.fixed) or Const(I64, 0)
        found = scaled.get((key, phi, scale))
        if found is None:
            index: Value = phi
            if scale:
                index = Value(ops.SHL, I64, [phi, Const(I64, scale)], self.span, NAME)  # one each, to be part of addresses
                body.append(index)
            found = scaled[key, phi, scale] = Value(ops.ADD, PTR, [base, index], self.span, NAME)
            body.append(found)
        return found

    def _pointer(self, form: _Form, induction: Induction) -> Value:
        """A pointer that each round moves on."""
        key = form.key()
        found = self.pointers.get(key)
        if found is not None:
            return found
        self.costs += 1
        phi = induction.phi
        step = induction.step.number
        start = Linear(form.fixed.terms).plus(induction.begin, form.factor)
        begin = self._whole(start)
        move = Const(I64, I64.wrap(form.factor * step))
        moves: Value = move
        for times, sum, value in form.products:
            first = self._put(ops.MUL, self._whole(sum.replaced(phi, induction.begin)), value)
            begin = self._put(ops.ADD, begin, self._times(first, times))
            by = self._times(value, times * sum.terms[phi] * step)
            moves = by if moves is move and not move.number else self._put(ops.ADD, moves, by)
        latch = self.loop.latches[0]
        pointer = Phi(PTR, [begin], [self.preheader], self.span, NAME)
        moved = Value(ops.ADD, PTR, [pointer, moves], self.span, NAME)
        pointer.args = [begin, moved]
        pointer.blocks = [self.preheader, latch]
        self.loop.header.phis.append(pointer)
        self.moved.append(moved)
        self.pointers[key] = pointer
        return pointer
