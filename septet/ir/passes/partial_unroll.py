"""Short innermost loops make several rounds at a time; what is left over is for the loop as it was.

    :before                                   :before
      br :loop                                  int64 %most <- %n - 6                (that is %n less 3 steps)
    :loop                                       (if %most < %n and %i < %most: br :rounds, else br :rest)
      %i <- phi (:before %a, :loop %j)  =>    :rounds
      store %p + %i                             store %p + %i
      %j <- %i + 2                              store %p + %i + 2 ... store %p + %i + 6
      bool %c <- %j < %n                        (%i grows by 8; again while it is below %most; then :rest, if it is below %n)
      br %c :loop :out                        :rest
                                                br :loop

Trigger: an innermost loop without calls, whose only latch compares a counter that has just grown by a constant with what does
not change in the loop.  While a counter is below the bound less the steps of all rounds but the last, these rounds all take
place, whatever their other exits do; the bound must not wrap around when it is made less, or there are no rounds at a time.
Gain: one comparison and one addition for all the rounds; addresses that differ in a constant.  Cost: copies of the body, a test
before the loop.  Guard: FOUR values in a body are copied four times, TWO twice, TOTAL a function (LEAST at -O2), deep loops
first; at most CHECKS checks a body.  Level 2, phase words.  Ends: the loops that were there at the start are looked at once.
"""

from __future__ import annotations

from septet.base.types import BOOL, VOID
from septet.ir.analyses.loops import Loops
from septet.ir.clone import clone_blocks, copy_edge
from septet.ir.forward import forward, resolve
from septet.ir.loop_shape import Shape, operand_for
from septet.ir.nodes import WORDS, Block, Branch, Compare, Const, Memory, Phi, Value
from septet.ir.redefine import redefine
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Function
    from septet.ir.redefine import Versions

NAME = "partial-unroll"
FOUR = 16
TWO = 40
TOTAL = 600
LEAST = 192
CHECKS = 1
_FAR = 1 << 20  # steps of this magnitude are not looked at
_OPPOSITE = {ops.LT: ops.GE, ops.GE: ops.LT, ops.LE: ops.GT, ops.GT: ops.LE}
_TURNED = {ops.LT: ops.GT, ops.GT: ops.LT, ops.LE: ops.GE, ops.GE: ops.LE}
_CALLS = (ops.CALL, ops.CALL_INDIRECT, ops.CALL_C, ops.SYSCALL)


def run(function: Function, facts: Facts) -> bool:
    """Unroll what can be unrolled; whether there was anything."""
    if function.phase != WORDS:
        return False
    loops = facts.get(Loops)
    wanted: list[tuple[Loop, _Counter, int]] = []
    left = TOTAL if facts.opt >= 3 else LEAST
    for loop in sorted(loops.loops, key=_shallowness):
        counter = _counter(loop, loops)
        if counter is None:
            continue
        size = sum([len(block.body) for block in loop.own])
        times = 4 if size <= FOUR else 2 if size <= TWO else 0
        what = "loop not unrolled in part"
        if not times or times * size > left:
            limit = min(TWO, left // 2)
            facts.remark(function.name, counter.span, what, "too large", size=size, limit=limit)
        elif any(value.op in _CALLS for block in loop.own for value in block.body):
            facts.remark(function.name, counter.span, what, "there is a call in it")
        elif sum([value.op.check for block in loop.own for value in block.body]) > CHECKS:
            facts.remark(function.name, counter.span, what, "there are checks in it")
        elif facts.fuel.spend():
            left -= times * size
            facts.remark(function.name, counter.span, "loop unrolled in part", "it is short", times=times, size=size)
            wanted.append((loop, counter, times))
    if not wanted:
        return False
    shape = Shape(function, loops, NAME)
    versions: Versions = {}
    for loop, counter, times in wanted:
        _Unrolling(loop, counter, times, shape, versions).run()
    shape.close()
    facts.drop()
    redefine(function, versions, NAME)
    resolve(function)
    return True


def _shallowness(loop: Loop) -> int:
    return -loop.depth


class _Counter:
    """What ends a loop: `phi` becomes `next`, by `step`, in each round, and there is another if `next op bound`."""

    __slots__ = ("phi", "next", "step", "op", "on", "bound", "span")

    def __init__(self, phi: Value, next: Value, step: int, op: ops.Op, compare: Compare, bound: Value, span: int) -> None:
        self.phi = phi
        self.next = next
        self.step = step
        self.op = op
        self.on = compare.on
        self.bound = bound
        self.span = span


def _counter(loop: Loop, loops: Loops) -> _Counter | None:
    """The counter that ends a loop; None where it is not of the kind that can be unrolled."""
    if loop.children or not loop.natural or loop.preheader is None or len(loop.latches) != 1:
        return None
    latch = loop.latches[0]
    last = latch.body[-1]
    if last.op is not ops.BR_IF or not isinstance(last, Branch):
        return None
    condition, (then, other) = last.args[0], last.targets
    if not isinstance(condition, Compare) or not condition.on.is_word or not condition.on.signed:
        return None
    if loops.contains(loop, other if then is loop.header else then):
        return None
    op = condition.op if then is loop.header else _OPPOSITE.get(condition.op)
    for (next, bound), way in ((condition.args, op), (reversed(condition.args), _TURNED.get(op) if op else None)):
        if way not in _TURNED or not _outside(bound, loop):
            continue
        for phi in loop.header.phis:
            step = _step(phi, latch)
            if step and operand_for(phi, latch) is next and (step > 0) is (way is ops.LT or way is ops.LE):
                number = bound.number if isinstance(bound, Const) else 0
                if abs(number) < 1 << 60:
                    assert way is not None
                    return _Counter(phi, next, step, way, condition, bound, last.span)
    return None


def _outside(value: Value, loop: Loop) -> bool:
    return not any(value is phi for phi in loop.header.phis) and not any(
        value is other for block in loop.own for other in (*block.phis, *block.body)
    )


def _step(phi: Phi, latch: Block) -> int:
    """What a phi grows by in each round, if that is a constant; else 0."""
    next = operand_for(phi, latch)
    if next.op is not ops.ADD or next.args[0] is not phi or not phi.type.is_word or not next.type.is_word:
        return 0
    by = next.args[1]
    return by.number if isinstance(by, Const) and abs(by.number) < _FAR else 0


class _Unrolling:
    """The unrolling of one loop."""

    def __init__(self, loop: Loop, counter: _Counter, times: int, shape: Shape, versions: Versions) -> None:
        assert loop.preheader is not None
        self.loop = loop
        self.header: Block = loop.header
        self.latch: Block = loop.latches[0]
        self.before: Block = loop.preheader
        self.counter = counter
        self.times = times
        self.shape = shape
        self.versions = versions
        self.steps = {phi: step for phi in loop.header.phis if (step := _step(phi, self.latch))}
        self.again = {phi: operand_for(phi, self.latch) for phi in loop.header.phis}

    def run(self) -> None:
        """Put the rounds before the loop; uses of what the loop defines are left to `versions`."""
        loop, header, shape, span = self.loop, self.header, self.shape, self.counter.span
        (out,) = (target for target in self.latch.successors if target is not header)
        others = [(block, target) for block, target in loop.exits if block is not self.latch]
        home = {value: block for block in loop.own for value in (*block.phis, *block.body) if value.type is not VOID}
        for value, block in home.items():
            self.versions[value] = {block: value}
        enter, more, rest = (Block(shape.fresh(f"{header.name}_{name}")) for name in ("rounds", "more", "rest"))
        made: list[tuple[dict[Block, Block], dict[Value, Value]]] = []
        for _ in range(self.times):
            values: dict[Value, Value] = {}
            copies = clone_blocks(loop.own, values, shape.fresh, NAME)
            made.append((copies, values))
            for value, block in home.items():
                self.versions[value][copies[block]] = values[value]
            for block, target in others:
                copy_edge(target, block, copies[block], values)
        first, last = made[0][0], made[-1][0]
        self._link(made, enter)
        copy_edge(out, self.latch, more, made[-1][1])
        limit = self._enter(enter, rest)
        next = made[-1][1][self.counter.next]
        self._branch(last[self.latch], next, limit, first[header], more)
        self._branch(more, next, self.counter.bound, rest, out)
        for phi in header.phis:
            at = phi.blocks.index(self.before)
            final = made[-1][1].get(self.again[phi], self.again[phi])
            choice = Phi(phi.type, [phi.args[at], final], [self.before, more], phi.span, NAME, phi.name)
            rest.phis.append(choice)
            phi.args = [*phi.args[:at], choice, *phi.args[at + 1 :]]
            phi.blocks = [*phi.blocks[:at], rest, *phi.blocks[at + 1 :]]
        enter.body.append(Branch(ops.BR, [], [first[header]], span, NAME))
        rest.body.append(Branch(ops.BR, [], [header], span, NAME))
        for block in (enter, *[copy for copies, _ in made for copy in copies.values()], more, rest):
            shape.insert_before(header, block, loop.parent)

    def _link(self, made: list[tuple[dict[Block, Block], dict[Value, Value]]], enter: Block) -> None:
        """Let each copy follow the one before it, and the first the last."""
        header, latch, span = self.header, self.latch, self.counter.span
        start = made[0][1]
        end, ends = made[-1]
        for phi, copy in zip(header.phis, made[0][0][header].phis, strict=True):
            copy.args = [operand_for(phi, self.before), ends.get(self.again[phi], self.again[phi])]
            copy.blocks = [enter, end[latch]]
        for number in range(1, self.times):
            copies, values = made[number]
            before, earlier = made[number - 1]
            before[latch].body[-1] = Branch(ops.BR, [], [copies[header]], span, NAME)
            for phi in header.phis:
                forward(values[phi], earlier.get(self.again[phi], self.again[phi]))
            for phi, step in self.steps.items():
                by = phi.type.wrap(step * (number + 1))
                values[self.again[phi]].args = [start[phi], Const(phi.type, by)]
            for block in copies.values():
                self._addresses(block, values, start, number)

    def _addresses(self, block: Block, values: dict[Value, Value], start: dict[Value, Value], number: int) -> None:
        """Let the accesses in copy `number` of a block be at an offset from what the first copy's counters say."""
        counters = {values[phi]: phi for phi in self.steps}
        changing = set(values.values())
        body: list[Value] = []
        for value in block.body:
            if isinstance(value, Memory):
                address = value.args[0]
                parts = [address] if address in counters else address.args if address.op is ops.ADD else []
                scale = 0
                index = parts[-1] if parts else address
                if index.op is ops.SHL and isinstance(index.args[1], Const):
                    scale, index = index.args[1].number, index.args[0]
                phi = counters.get(index)
                if phi is not None and parts and scale <= 3 and (len(parts) == 1 or parts[0] not in changing):
                    offset = value.offset + (self.steps[phi] * number << scale)
                    if abs(offset) < 1 << 30:
                        at: Value = start[phi]
                        if scale:
                            at = Value(ops.SHL, parts[-1].type, [at, parts[-1].args[1]], value.span, NAME)
                            body.append(at)
                        if len(parts) == 2:
                            at = Value(ops.ADD, address.type, [parts[0], at], value.span, NAME)
                            body.append(at)
                        value.offset = offset
                        value.args = [at, *value.args[1:]]
            body.append(value)
        block.body = body

    def _enter(self, enter: Block, rest: Block) -> Value:
        """End the block before the loop with the choice; the bound for several rounds at a time."""
        counter, body, span = self.counter, self.before.body, self.counter.span
        bound, on = counter.bound, counter.on
        less = -counter.step * (self.times - 1)
        start = operand_for(self.header.phis[[phi is counter.phi for phi in self.header.phis].index(True)], self.before)
        body.pop()
        limit: Value
        if isinstance(bound, Const):
            limit = Const(bound.type, bound.number + less)
            condition: Value = Compare(counter.op, on, [start, limit], span, NAME)
            body.append(condition)
        else:
            limit = Value(ops.ADD, bound.type, [bound, Const(bound.type, bound.type.wrap(less))], span, NAME)
            way = ops.LT if less < 0 else ops.GT
            fits = Compare(way, on, [limit, bound], span, NAME)
            several = Compare(counter.op, on, [start, limit], span, NAME)
            condition = Value(ops.AND, BOOL, [fits, several], span, NAME)
            body += (limit, fits, several, condition)
        body.append(Branch(ops.BR_IF, [condition], [enter, rest], span, NAME))
        return limit

    def _branch(self, block: Block, next: Value, bound: Value, then: Block, other: Block) -> None:
        """End a block with a branch on whether the counter is on the near side of a bound."""
        span = self.counter.span
        if block.body:
            block.body.pop()
        condition = Compare(self.counter.op, self.counter.on, [next, bound], span, NAME)
        block.body += (condition, Branch(ops.BR_IF, [condition], [then, other], span, NAME))
