"""An independent proof that an allocation is right: the L2 and the L1 function are run side by side on symbols.

Each side has an environment from its cells (variables, registers, stack slots) to *values*.  A value is an opaque symbol, a
constant, or an address computed from values.  Moves, loads of constants and `lea` only change the environment of their own
side; every other instruction must stand in the same order on both sides, read equal values, and then gives both sides the
same new symbols.  So the allocator may move, reload and recompute as it likes, as long as each use reads the right variable.

Where control joins, cells keep a common value if they had one on every path: values are refined over the blocks until
nothing changes.  What a variable holds that is not written on some path is unspecified and not compared.

The idea is that of Fallin's checker for regalloc2 (2021), with values in the place of sets of variables.
"""

from __future__ import annotations

from septet.base.symbols import Symbol
from septet.l2.allocate.access import implicit, never_falls
from septet.x86.forms import CALL_JUMP, CJUMP, CMP, IMUL, IMUL3, JCC, LABEL, LEA, MOV, MOVAPS, MOVSD, STACK_ARG, SWAPPED, op
from septet.x86.instructions import Instruction, Mem, Variable
from septet.x86.registers import REGISTERS, RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.l1.nodes import Function as L1Function
    from septet.l2.nodes import Function

    Value = Any  # hashable
    Environment = dict[object, Value]
    State = tuple[Environment, Environment]  # of L2 and L1

UNKNOWN = "unknown"
JMP_INDIRECT = op("jmp-indirect")
CONDITION_OF = {op: condition for condition, op in CJUMP.items()}
MOVES = (MOV, MOVAPS, MOVSD, op("movups"))


class Mismatch(Exception):
    """The allocation is wrong: says where and why."""


def check(function: Function, allocated: L1Function) -> None:
    """Raise Mismatch if `allocated` is not `function` with registers and slots for variables."""
    Checker(function, allocated).run()


class Side:
    """One of the two functions: its blocks, and how its operands name cells."""

    __slots__ = ("slots", "blocks", "after")

    def __init__(self, body: list[Instruction], slots: int) -> None:
        self.slots = slots
        self.blocks: list[list[Instruction]] = [[]]  # one begins at each label and behind each jump; some are empty
        for instruction in body:
            if instruction.op is LABEL:
                self.blocks.append([])
            self.blocks[-1].append(instruction)
            if never_falls(instruction):
                self.blocks.append([])
        self.after = self._successors(body)

    def _successors(self, body: list[Instruction]) -> list[list[int]]:
        at = {block[0].operands[0]: number for number, block in enumerate(self.blocks) if block and block[0].op is LABEL}
        plain = [instruction for instruction in body if not instruction.op.jumps and instruction.op is not LABEL]
        stored = [at[o] for instruction in plain for o in instruction.operands if o.__class__ is Symbol and o in at]
        result = []
        for number, block in enumerate(self.blocks):
            op = block[-1].op if block else LABEL
            targets = [] if op.ends or number + 1 == len(self.blocks) else [number + 1]
            if op.jumps and block[-1].operands[-1] in at:
                targets.append(at[block[-1].operands[-1]])
            if op is CALL_JUMP or op is JMP_INDIRECT:
                targets += stored
            result.append(list(dict.fromkeys(targets)))
        return result

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
        if op is LABEL:
            return True
        if len(instruction.operands) != 2:
            return False
        target, source = instruction.operands
        to = self.cell(target)
        if to is None:
            return False
        if op is LEA:
            environment[to] = self.address(source, environment)
        elif op in MOVES and (source.__class__ is not Mem or self.cell(source) is not None):
            environment[to] = self.value(source, environment)
        else:
            return False
        return True


class Checker:
    """The state of a check."""

    __slots__ = ("function", "allocated", "left", "right", "entries")

    def __init__(self, function: Function, allocated: L1Function) -> None:
        self.function = function
        self.allocated = allocated
        self.left = Side(function.body, 0)
        self.right = Side(allocated.body, allocated.slots)
        self.entries: list[tuple[Environment, Environment] | None] = [None] * len(self.left.blocks)

    def fail(self, why: str) -> Mismatch:
        return Mismatch(f"@{self.function.name}: {why}")

    def run(self) -> None:
        """Go over the blocks until what is known at their entries does not change any more, then compare."""
        left, right = self.left, self.right
        if len(left.blocks) != len(right.blocks) or left.after != right.after:
            raise self.fail("the control-flow graphs differ")
        start: Environment = {register: ("entry", register) for register in REGISTERS}
        self.entries[0] = (dict(start), dict(start))
        todo = [0]
        while todo:
            block = todo.pop()
            entry = self.entries[block]
            assert entry is not None
            state = (dict(entry[0]), dict(entry[1]))
            self._block(block, state, compare=False)
            for target in left.after[block]:
                if self._join(target, state) and target not in todo:
                    todo.append(target)
        for block, entry in enumerate(self.entries):
            if entry is not None:
                self._block(block, (dict(entry[0]), dict(entry[1])), compare=True)

    def _join(self, block: int, state: State) -> bool:
        """Merge a state into what is known at a block's entry; whether that changed it."""
        known = self.entries[block]
        numbers: dict[Value, Value] = {}
        merged: list[Environment] = []
        for side in (0, 1):
            environment: Environment = {}
            old = known[side] if known is not None else state[side]
            for cell, value in state[side].items():
                was = old.get(cell, UNKNOWN)
                if value == UNKNOWN or was == UNKNOWN:
                    continue
                if value == was and value[0] == "constant":
                    environment[cell] = value
                    continue
                key = (was, value)
                number = numbers.get(key)
                if number is None:
                    number = numbers[key] = ("joined", block, len(numbers))
                environment[cell] = number
            merged.append(environment)
        if known is not None and _same_partition(known, merged):
            return False
        self.entries[block] = (merged[0], merged[1])
        return True

    def _block(self, block: int, state: State, compare: bool) -> None:
        """Carry out a block on both sides, comparing if `compare`."""
        left, right = iter(self.left.blocks[block]), iter(self.right.blocks[block])
        serial = 0
        while True:
            one = _next(left, self.left, state[0])
            other = _next(right, self.right, state[1])
            if one is None and other is None:
                return
            if one is None or other is None:
                raise self.fail(f"in block {block} one side ends before {one or other}")
            serial += 1
            if one.op in CONDITION_OF and other.op is CMP:
                one = self._two_step_jump(one, other, next(right, None), state)
            self._both(one, other, state, (block, serial), compare)

    def _two_step_jump(self, jump: Instruction, compare: Instruction, after: Instruction | None, state: State) -> Instruction:
        """The comparison of a `cjump` that has become a comparison, either way round, and a jump on flags."""
        left, right, label = jump.operands
        condition = CONDITION_OF[jump.op]
        swapped = SWAPPED[condition]
        if after is None or after.op not in (JCC[condition], JCC[swapped]) or after.operands != (label,):
            raise self.fail(f"{jump} became {compare}, {after}")
        one = self.left.value(left, state[0]) != self.right.value(compare.operands[0], state[1])
        if one if swapped == condition else after.op is JCC[swapped]:
            left, right = right, left
        return Instruction(CMP, (left, right))

    def _both(self, one: Instruction, other: Instruction, state: State, serial: tuple[int, int], compare: bool) -> None:
        """Carry out an instruction on both sides."""
        ours, theirs = list(one.operands), list(other.operands)
        access = list(one.op.access) or ["r"] * len(ours)
        if one.op is STACK_ARG:
            ours = [ours[0], Mem(RSP, ours[1])]  # type: ignore[arg-type]
            access = ["w", "a"]
        elif one.op is IMUL3 and other.op is IMUL:
            ours, theirs, access = [ours[2], ours[1], ours[0]], [*theirs, theirs[0]], ["r", "r", "w"]
        elif one.op is not other.op:
            raise self.fail(f"{one} became {other}")
        if len(ours) != len(theirs):
            raise self.fail(f"{one} became {other}: another number of operands")
        if compare:
            self._reads(one, other, ours, theirs, access, state)
        reads, writes = implicit(one)
        for register in REGISTERS:
            if compare and register.bit & reads:
                self._equal(one, other, state[0].get(register, UNKNOWN), state[1].get(register, UNKNOWN))
            if register.bit & writes:
                state[0][register] = state[1][register] = ("made", *serial, register)
        for number, (our, their, how) in enumerate(zip(ours, theirs, access, strict=True)):
            if how[-1] != "w":
                continue
            to, into = self.left.cell(our), self.right.cell(their)
            if to is not None and into is not None:
                state[0][to] = state[1][into] = ("made", *serial, number)
            elif (to is None) != (into is None):
                raise self.fail(f"{one} became {other}: one of them writes to memory")

    def _reads(
        self, one: Instruction, other: Instruction, ours: list[Any], theirs: list[Any], access: list[str], state: State
    ) -> None:
        """Compare what two instructions read."""
        for our, their, how in zip(ours, theirs, access, strict=True):
            is_memory = our.__class__ is Mem and self.left.cell(our) is None
            if is_memory:
                if their.__class__ is not Mem or self.right.cell(their) is not None:
                    raise self.fail(f"{one} became {other}: where one uses memory, the other does not")
                self._equal(one, other, self.left.address(our, state[0]), self.right.address(their, state[1]))
            elif how[0] == "r":
                self._equal(one, other, self.left.value(our, state[0]), self.right.value(their, state[1]))
            elif how == "-" and our != their:
                raise self.fail(f"{one} became {other}")

    def _equal(self, one: Instruction, other: Instruction, ours: Value, theirs: Value) -> None:
        if ours != theirs and ours != UNKNOWN and not _has_unknown(ours):
            raise self.fail(f"{one} became {other}: one reads {ours}, the other {theirs}")


def _has_unknown(value: Value) -> bool:
    while isinstance(value, tuple) and value[0] == "address":
        if value[2] == UNKNOWN or isinstance(value[2], tuple) and _has_unknown(value[2]):
            return True
        value = value[1]
    return bool(value == UNKNOWN)


def _same_partition(one: tuple[Environment, Environment], other: list[Environment]) -> bool:
    """Whether two pairs of environments say the same of which cells are equal."""
    forth: dict[Value, Value] = {}
    back: dict[Value, Value] = {}
    for side in (0, 1):
        if len(one[side]) != len(other[side]):
            return False
        for cell, value in one[side].items():
            was = other[side].get(cell)
            if was is None or forth.setdefault(value, was) != was or back.setdefault(was, value) != value:
                return False
            if (value[0] == "constant") != (was[0] == "constant"):
                return False
    return True


def _next(instructions: Any, side: Side, environment: Environment) -> Instruction | None:
    """The next instruction that both sides must have, after carrying out those before it."""
    for instruction in instructions:
        if not side.silent(instruction, environment):
            return instruction  # type: ignore[no-any-return]
    return None
