"""An independent proof that an allocation is right: the L2 and the L1 function are run side by side on symbols.

Each side has an environment from its cells (variables, registers, stack slots) to *values*.  A value is an opaque symbol, a
constant, an address computed from values, or the low bytes of a value.  Labels, jumps, moves, loads of constants and `lea`
are *silent*: they only change where their own side is and what its environment says.  Every other instruction is an *event*:
both sides come to the same events, in the same order, read equal values in them, and then get the same new symbols.  So the
allocator may move, reload, recompute, turn branches and copy blocks as it likes, as long as each use reads the right variable.
A callee-saved register must hold what it held at the entry at every return, as `return` reads it.

At the first event behind a label cells keep a common value if they had one on every way there: values are refined until
nothing changes.  What a variable holds that is not written on some way is unspecified and not compared.

The idea is that of Fallin's checker for regalloc2 (2021), with values in the place of sets of variables.
"""

from __future__ import annotations

from septet.base.symbols import Symbol
from septet.l2.allocate.access import implicit
from septet.l2.allocate.moves import MOVED_BYTES, bytes_named
from septet.l2.jumps import OPPOSITE
from septet.x86.forms import CALL_JUMP, CJUMP, CMP, IMUL, IMUL3, JCC, JMP, LABEL, LEA, ROOTS, STACK_ARG, SWAPPED, op
from septet.x86.instructions import Instruction, Mem, Pool, Variable
from septet.x86.registers import REGISTERS, RSP, VECTOR, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.l1.nodes import Function as L1Function
    from septet.l2.nodes import Function

    Value = Any  # hashable
    Environment = dict[object, Value]
    State = tuple[Environment, Environment]  # of L2 and L1
    Pair = tuple[int, int]  # positions of an event, in L2 and in L1

UNKNOWN = "unknown"
JMP_INDIRECT = op("jmp-indirect")
CONDITION_OF = {op: condition for condition, op in CJUMP.items()}
CIRCLE = -1  # where control goes in a circle and never comes to an event
WIDEST = 64


class Mismatch(Exception):
    """The allocation is wrong: says where and why."""


def check(function: Function, allocated: L1Function) -> None:
    """Raise Mismatch if `allocated` is not `function` with registers and slots for variables."""
    Checker(function, allocated).run()


class Side:
    """One of the two functions: its body, and how its operands name cells."""

    __slots__ = ("slots", "body", "at", "addressed")

    def __init__(self, body: list[Instruction], slots: int) -> None:
        self.slots = slots
        self.body = body
        self.at = {i.operands[0]: position for position, i in enumerate(body) if i.op is LABEL}
        plain = [instruction for instruction in body if not instruction.op.jumps and instruction.op is not LABEL]
        stored = [o for instruction in plain for o in instruction.operands if o.__class__ is Symbol and o in self.at]
        self.addressed = list(dict.fromkeys(stored))  # the labels that an indirect jump may go to

    def advance(self, position: int, environment: Environment) -> tuple[int, bool]:
        """The position of the next event, after carrying out what is silent before it, and whether a label was passed."""
        body = self.body
        passed = False
        for _ in range(len(body) + 1):
            if position == len(body):
                return position, passed
            instruction = body[position]
            if instruction.op is LABEL:
                passed = True
            elif instruction.op is JMP and instruction.operands[0] in self.at:
                position = self.at[instruction.operands[0]]
                continue
            elif not self.silent(instruction, environment):
                return position, passed
            position += 1
        return CIRCLE, passed

    def cell(self, operand: object) -> object | None:
        """What an operand that is a cell is called in the environment; None where it is none."""
        if operand.__class__ is Variable or operand.__class__ is Register:
            return operand
        if operand.__class__ is Mem:
            base, index, _, displacement = operand
            if base is RSP and index is None and 0 <= displacement < 8 * self.slots:
                return ("slot", displacement)
        return None

    def value(self, operand: object, environment: Environment) -> Value:
        """The value that an operand stands for; of memory, its address."""
        cell = self.cell(operand)
        if cell is not None:
            return environment.get(cell, UNKNOWN)
        if operand.__class__ is Mem:
            return self.address(operand, environment)
        return ("constant", operand)

    def address(self, operand: Any, environment: Environment) -> Value:
        """The value of the address of a memory operand."""
        base, index, scale, displacement = operand
        at = environment.get(base, UNKNOWN)
        if base is RSP:
            at = ("frame", displacement - 8 * self.slots if displacement >= 0 else displacement)
            displacement = 0
        if index is None:
            return ("address", at, None, 0, displacement) if displacement else at
        return ("address", at, environment.get(index, UNKNOWN), scale, displacement)

    def silent(self, instruction: Instruction, environment: Environment) -> bool:
        """Carry out an instruction that only moves values between cells of this side; False if it is another one."""
        op = instruction.op
        if len(instruction.operands) != 2:
            return False
        target, source = instruction.operands
        to = self.cell(target)
        if to is None:
            return False
        if op is LEA:
            environment[to] = self.address(source, environment)
            return True
        if source.__class__ is Pool:
            if op.access != ("w", "r"):
                return False
            self.write(to, ("constant", (op.name, source)), WIDEST, environment)
            return True
        size = MOVED_BYTES.get(op.name)
        if size is None or source.__class__ is Mem and self.cell(source) is None:
            return False
        value = self.value(source, environment)
        value = _low(value, size) if target.__class__ is Mem or target.bank == VECTOR else _whole(value)  # type: ignore[union-attr]
        self.write(to, value, size, environment)
        return True

    def write(self, to: object, value: Value, size: int, environment: Environment) -> None:
        """Give a cell a value of `size` bytes: other slots that it reaches into have none any more."""
        if to.__class__ is tuple:
            start: int = to[1]
            if start + size > 8 * self.slots:
                raise Mismatch(f"{size} bytes are written to slot {start // 8} of {self.slots}")
            for displacement in range(start + 8 - WIDEST, start + size, 8):
                other = environment.get(("slot", displacement))
                if other is not None and displacement + _extent(other) > start:
                    del environment["slot", displacement]
        environment[to] = value


class Checker:
    """The state of a check."""

    __slots__ = ("function", "allocated", "left", "right", "entries", "todo")

    def __init__(self, function: Function, allocated: L1Function) -> None:
        self.function = function
        self.allocated = allocated
        self.left = Side(function.body, 0)
        self.right = Side(allocated.body, allocated.slots)
        self.entries: dict[Pair, State] = {}  # what is known at the first events behind labels and jumps
        self.todo: dict[Pair, None] = {}

    def fail(self, why: str) -> Mismatch:
        return Mismatch(f"@{self.function.name}: {why}")

    def run(self) -> None:
        """Go over the function until what is known behind labels does not change any more, then compare."""
        start: Environment = {register: ("entry", register) for register in REGISTERS[:32]}
        try:
            self._arrive(0, 0, (dict(start), dict(start)))
            while self.todo:
                pair = next(iter(self.todo))
                del self.todo[pair]
                left, right = self.entries[pair]
                self._walk(pair, (dict(left), dict(right)), compare=False)
            for pair, (left, right) in list(self.entries.items()):
                self._walk(pair, (dict(left), dict(right)), compare=True)
        except Mismatch as mismatch:
            if str(mismatch)[:1] == "@":
                raise
            raise self.fail(str(mismatch)) from None

    def _arrive(self, left: int, right: int, state: State) -> None:
        """Control comes to these positions: note what is known at the events that follow."""
        one, _ = self.left.advance(left, state[0])
        other, _ = self.right.advance(right, state[1])
        if (one == CIRCLE) != (other == CIRCLE):
            raise self.fail("only one side goes in a circle")
        pair = (one, other)
        if one != CIRCLE and self._join(pair, state):
            self.todo[pair] = None

    def _join(self, pair: Pair, state: State) -> bool:
        """Merge a state into what is known at a pair of events; whether that changed it."""
        known = self.entries.get(pair)
        numbers: dict[Value, Value] = {}
        merged: list[Environment] = []
        for side in (0, 1):
            environment: Environment = {}
            old = known[side] if known is not None else state[side]
            for cell, value in state[side].items():
                was = old.get(cell, UNKNOWN)
                if value == UNKNOWN or was == UNKNOWN:
                    continue
                size = min(_extent(value), _extent(was))
                key = was, value = _whole(was), _whole(value)
                environment[cell] = _low(_joined(*key, pair, numbers), size)
            merged.append(environment)
        if known is not None and _same_partition(known, merged):
            return False
        self.entries[pair] = (merged[0], merged[1])
        return True

    def _walk(self, pair: Pair, state: State, compare: bool) -> None:
        """Carry out events on both sides, comparing if `compare`, until control goes elsewhere or meets a label."""
        left, right = pair
        while True:
            after = self._event(left, right, state, compare)
            if len(after) != 1:
                if not compare:
                    for one, other in after:
                        self._arrive(one, other, (dict(state[0]), dict(state[1])))
                return
            one, other = after[0]
            left, passed = self.left.advance(one, state[0])
            if passed or left == CIRCLE:
                if not compare:
                    self._arrive(left if left != CIRCLE else one, other, state)
                return
            right, _ = self.right.advance(other, state[1])
            if right == CIRCLE:
                raise self.fail("only one side goes in a circle")

    def _event(self, left: int, right: int, state: State, compare: bool) -> list[Pair]:
        """Carry out one event on both sides; the positions where control may go from it."""
        if left == len(self.left.body) or right == len(self.right.body):
            raise self.fail(f"one side ends: {self.left.body[left:][:1]} became {self.right.body[right:][:1]}")
        one, other = self.left.body[left], self.right.body[right]
        serial = (left, right)
        if one.op in CONDITION_OF and other.op is CMP:
            jump = self.right.body[right + 1] if right + 1 < len(self.right.body) else None
            compared, turned = self._two_step_jump(one, other, jump, state)
            self._both(compared, other, state, serial, compare)
            return self._branched(one, jump, left, right + 1, turned)  # type: ignore[arg-type]
        if one.op.jumps:
            turned = OPPOSITE.get(one.op) is other.op
            if not turned and one.op is not other.op:
                raise self.fail(f"{one} became {other}")
            self._both(one, other, state, serial, compare)
            return self._branched(one, other, left, right, turned)
        self._both(one, other, state, serial, compare)
        after = [] if one.op.ends else [(left + 1, right + 1)]
        if one.op is CALL_JUMP or one.op is JMP_INDIRECT:
            after += [(self.left.at[label], self.right.at[label]) for label in self.left.addressed if label in self.right.at]
        return after

    def _branched(self, one: Instruction, other: Instruction, left: int, right: int, turned: bool) -> list[Pair]:
        """Where control goes from a branch that stands at `left` and `right`, opposite conditions if `turned`."""
        goal, aim = one.operands[-1], other.operands[-1]
        if goal not in self.left.at or aim not in self.right.at:
            if goal != aim or turned:
                raise self.fail(f"{one} became {other}")
            return [(left + 1, right + 1)]
        ways, yours = (self.left.at[goal], left + 1), (self.right.at[aim], right + 1)
        return list(zip(ways, yours[::-1] if turned else yours, strict=True))

    def _two_step_jump(
        self, jump: Instruction, compare: Instruction, after: Instruction | None, state: State
    ) -> tuple[Instruction, bool]:
        """The comparison of a `cjump` that has become a comparison, either way round, and a jump on flags; and whether that
        jumps on the opposite condition."""
        left, right, _ = jump.operands
        condition = CONDITION_OF[jump.op]
        wanted, swapped = JCC[condition], JCC[SWAPPED[condition]]
        found = after.op if after is not None else None
        ours = self.left.value(left, state[0])
        straight = _same(ours, self.right.value(compare.operands[0], state[1]))
        for turned in (False, True):
            if found is (OPPOSITE[wanted] if turned else wanted) and (straight or wanted is not swapped):
                return Instruction(CMP, (left, right)), turned
            if found is (OPPOSITE[swapped] if turned else swapped):
                return Instruction(CMP, (right, left)), turned
        raise self.fail(f"{jump} became {compare}, {after}")

    def _both(self, one: Instruction, other: Instruction, state: State, serial: Pair, compare: bool) -> None:
        """Carry out an instruction on both sides."""
        if one.op is ROOTS and other.op is one.op:
            if compare:
                self._roots(one, other, state)
            return
        ours, theirs = list(one.operands), list(other.operands)
        access = list(one.op.access) or ["r"] * len(ours)
        widths = [bytes_named(one.op, number) for number in range(len(ours))]
        if one.op is STACK_ARG:
            if other.op.name not in MOVED_BYTES:
                raise self.fail(f"{one} became {other}")
            ours = [ours[0], Mem(RSP, ours[1])]  # type: ignore[arg-type]
            access = ["w", "a"]
        elif one.op is IMUL3 and other.op is IMUL:
            ours, theirs, access = [ours[2], ours[1], ours[0]], [*theirs, theirs[0]], ["r", "r", "w"]
        elif one.op.jumps:
            ours, theirs, access = ours[:-1], theirs[:-1], access[:-1]
        elif one.op is not other.op:
            raise self.fail(f"{one} became {other}")
        if len(ours) != len(theirs):
            raise self.fail(f"{one} became {other}: another number of operands")
        if compare:
            self._reads(one, other, list(zip(ours, theirs, access, widths, strict=False)), state)
        reads, writes = implicit(one)
        for register in REGISTERS[:32]:
            if compare and register.bit & reads:
                self._equal(one, other, state[0].get(register, UNKNOWN), state[1].get(register, UNKNOWN))
            if register.bit & writes:
                state[0][register] = state[1][register] = ("made", *serial, register)
        for number, (our, their, how) in enumerate(zip(ours, theirs, access, strict=True)):
            if how[-1] != "w":
                continue
            to, into = self.left.cell(our), self.right.cell(their)
            if to is not None and into is not None:
                state[0][to] = ("made", *serial, number)
                self.right.write(into, _low(state[0][to], 8) if their.__class__ is Mem else state[0][to], 8, state[1])
            elif (to is None) != (into is None):
                raise self.fail(f"{one} became {other}: one of them writes to memory")

    def _reads(self, one: Instruction, other: Instruction, operands: list[tuple[Any, Any, str, int]], state: State) -> None:
        """Compare what two instructions read."""
        for our, their, how, width in operands:
            is_memory = our.__class__ is Mem and self.left.cell(our) is None
            if is_memory:
                if their.__class__ is not Mem or self.right.cell(their) is not None:
                    raise self.fail(f"{one} became {other}: where one uses memory, the other does not")
                self._equal(one, other, self.left.address(our, state[0]), self.right.address(their, state[1]))
            elif how[0] == "r":
                self._equal(one, other, self.left.value(our, state[0]), self.right.value(their, state[1]), width)
            elif how == "-" and our != their:
                raise self.fail(f"{one} became {other}")

    def _roots(self, one: Instruction, other: Instruction, state: State) -> None:
        """Every root that is not a constant is still named."""
        named = [_whole(self.right.value(operand, state[1])) for operand in other.operands]
        for operand in one.operands:
            value = _whole(self.left.value(operand, state[0]))
            if value not in named and value[0] != "constant" and not _has_unknown(value):
                raise self.fail(f"{one} became {other}: {operand!r} is not named any more")

    def _equal(self, one: Instruction, other: Instruction, ours: Value, theirs: Value, width: int = 8) -> None:
        if not _same(ours, theirs, width) and not _has_unknown(_whole(ours)):
            raise self.fail(f"{one} became {other}: one reads {ours}, the other {theirs}")


def _low(value: Value, size: int) -> Value:
    """The low `size` bytes of a value, of which what is above is not known; the value itself where it is no longer."""
    if value == UNKNOWN or size >= WIDEST or _extent(value) <= size:
        return value
    return ("low", size, _whole(value))


def _joined(was: Value, value: Value, pair: Pair, numbers: dict[Value, Value]) -> Value:
    """What stands for both values: constants and the sums in addresses stay what they are, as one side may have made an
    address before the place where the other one names it."""
    if value == was and value[0] == "constant":
        return value
    number = numbers.get((was, value))
    if number is None:
        if was[0] == value[0] == "address" and was[3:] == value[3:] and not _has_unknown(was) and not _has_unknown(value):
            base = _joined(was[1], value[1], pair, numbers)
            if (was[2] is None) == (value[2] is None):
                index = None if was[2] is None else _joined(was[2], value[2], pair, numbers)
                number = numbers[was, value] = ("address", base, index, *was[3:])
                return number
        number = numbers[was, value] = ("joined", pair, len(numbers))
    return number


def _whole(value: Value) -> Value:
    """The value that this one is the low bytes of, or itself."""
    return value[2] if value[0] == "low" else value


def _extent(value: Value) -> int:
    """How many bytes of a value there are."""
    return value[1] if value[0] == "low" else WIDEST


def _same(ours: Value, theirs: Value, width: int = 8) -> bool:
    """Whether two values agree in their low `width` bytes."""
    return bool(_whole(ours) == _whole(theirs) and _extent(theirs) >= min(width, _extent(ours)))


def _has_unknown(value: Value) -> bool:
    while isinstance(value, tuple) and value[0] == "address":
        if value[2] == UNKNOWN or isinstance(value[2], tuple) and _has_unknown(value[2]):
            return True
        value = value[1]
    return bool(value == UNKNOWN)


def _same_partition(one: State, other: list[Environment]) -> bool:
    """Whether two pairs of environments say the same of which cells are equal."""
    forth: dict[Value, Value] = {}
    back: dict[Value, Value] = {}
    for side in (0, 1):
        if len(one[side]) != len(other[side]):
            return False
        for cell, value in one[side].items():
            was = other[side].get(cell)
            if was is None or _extent(was) != _extent(value):
                return False
            if not _corresponds(_whole(value), _whole(was), forth, back):
                return False
    return True


def _corresponds(value: Value, was: Value, forth: dict[Value, Value], back: dict[Value, Value]) -> bool:
    """Whether two values may stand for each other, given which others do; notes that they do."""
    for kind in ("constant", "address"):
        if (value[0] == kind) != (was[0] == kind):
            return False
    if value[0] == "address":
        if value[3:] != was[3:] or (value[2] is None) != (was[2] is None):
            return False
        parts = [(value[1], was[1])] if value[2] is None else [(value[1], was[1]), (value[2], was[2])]
        if not all(_corresponds(one, other, forth, back) for one, other in parts):
            return False
    return bool(forth.setdefault(value, was) == was and back.setdefault(was, value) == value)
