"""Turning functions of machine instructions into blocks of steps, once, before they are interpreted."""

from __future__ import annotations

from septet.base.symbols import LABEL as LABEL_SYMBOL
from septet.base.symbols import ROUTINE, Line, Symbol
from septet.base.words import encode, wrap
from septet.x86 import forms, semantics, steps
from septet.x86.abi import c_words
from septet.x86.blocks import (
    BRANCH,
    C_CALL,
    CALL,
    FLAG_BRANCH,
    JUMP_CALL,
    NEXT,
    RETURN,
    ROUTINE_CALL,
    STOP,
    VALUE_CALL,
    VALUE_JUMP,
    Block,
    Prepared,
)
from septet.x86.instructions import Mem, Pool, Variable
from septet.x86.registers import RSP, Register
from septet.x86.rows import FAMILIES
from septet.x86.steps import RAX, RCX, SCRATCH, VARIABLES, ZERO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.x86.forms import Operand
    from septet.x86.instructions import Instruction, Op
    from septet.x86.memory import MemorySteps
    from septet.x86.steps import Step


class Translator:
    """Makes the blocks of functions.  Constants are cells too, from `constants_at` on, appended to `cells` as they come up."""

    __slots__ = ("cells", "constants", "memory", "resolve", "functions", "block", "steps", "function", "flags_used", "mixed")

    def __init__(
        self,
        cells: list[object],
        memory: MemorySteps,
        functions: dict[str, Prepared],
        resolve: Callable[[Symbol], int],
        mixed: bool = True,
    ) -> None:
        """`resolve` gives the address of a function, label or data.  `mixed` says that there are VEX instructions, so that
        others may find something above the lower 128 bits of vector registers, which they keep."""
        self.mixed = mixed
        self.cells = cells
        self.constants: dict[int, int] = {0: ZERO}
        self.memory = memory
        self.resolve = resolve
        self.functions = functions
        self.block = Block()
        self.function: Prepared
        self.flags_used = False  # whether anything in the function reads flags
        self.steps = self.block.steps

    def prepare(self, function: Prepared) -> None:
        """Make `function`'s blocks."""
        self.function = function
        self.flags_used = any(instruction.op.reads_flags for instruction in function.body)
        labels = function.labels
        for instruction in function.body:
            if instruction.op is forms.LABEL:
                labels[_label_name(instruction.operands[0])] = Block()
        self.block = function.entry = Block()
        self.steps = self.block.steps
        for instruction in function.body:
            op = instruction.op
            if op is forms.LABEL:
                following = labels[_label_name(instruction.operands[0])]
                if self.block.kind == NEXT:
                    self.block.next = following
                self.block = following
                self.steps = following.steps
                continue
            self.block.count += 1
            enders = _ENDERS.get(op)
            if enders is not None:
                enders(self, instruction)
                self._end(instruction)
            elif op.jumps:
                self._conditional(instruction)
                self._end(instruction)
            else:
                self._straight(instruction)
        end = self.block
        if end.kind == NEXT:
            end.kind = STOP
        function.blank = [None] * len(function.variables)

    def _end(self, instruction: Instruction) -> None:
        block = self.block
        block.end = instruction
        self.block = Block()
        self.steps = self.block.steps
        if instruction.op is not forms.JMP:
            block.next = self.block

    # Operands

    def cell(self, operand: Operand) -> int:
        if isinstance(operand, Register):
            return operand.index
        if isinstance(operand, Variable):
            variables = self.function.variables
            return variables.setdefault(operand, VARIABLES + len(variables))
        if isinstance(operand, int):
            return self._constant(wrap(operand))
        if isinstance(operand, Line):
            function = self.functions[operand.function] if operand.function else self.function
            return self._constant(encode(function.line + operand.line))
        if isinstance(operand, Pool):
            return self._constant(int.from_bytes(operand, "little", signed=len(operand) == 8))
        assert isinstance(operand, Symbol)
        return self._constant(self.resolve(operand))

    def _constant(self, number: int) -> int:
        cell = self.constants.get(number)
        if cell is None:
            cell = self.constants[number] = len(self.cells)
            self.cells.append(number)
        return cell

    def where(self, memory: Mem) -> tuple[int, int, int]:
        base, index, scale, _ = memory
        return self.cell(base), ZERO if index is None else self.cell(index), scale

    def read(self, operand: Operand, n: int, scratch: int, instruction: Instruction, is_signed: bool = True) -> int:
        """The cell that holds an operand that is read; memory of `n` bits is loaded into a scratch cell first."""
        if not isinstance(operand, Mem):
            return self.cell(operand)
        base, index, _, displacement = operand
        if n == 64 and index is None and is_signed:
            self.emit(self.memory.load, scratch, self.cell(base), displacement, instruction)
        else:
            self.emit(self.memory.loading(n, is_signed), scratch, self.where(operand), displacement, instruction)
        return scratch

    def write(self, operand: Operand, n: int, cell: int, instruction: Instruction) -> None:
        """Store a scratch cell where an operand is memory."""
        if isinstance(operand, Mem):
            base, index, _, displacement = operand
            if n == 64 and index is None:
                below = base is RSP and displacement < 0
                self.emit(
                    self.memory.store_below if below else self.memory.store, self.cell(base), displacement, cell, instruction
                )
            else:
                self.emit(self.memory.storing(n), self.where(operand), displacement, cell, instruction)

    def emit(self, step: Step, d: object, a: object, b: object, instruction: Instruction) -> None:
        self.steps.append((step, d, a, b))
        self.block.origins.append(instruction)

    # Straight code

    def _straight(self, instruction: Instruction) -> None:
        op = instruction.op
        special = _SPECIAL.get(op.name)
        if special is not None:
            special(self, instruction)
            return
        row = FAMILIES.get(op.name)
        if row is None:
            if op.name[:3] == "set":
                self._compare(instruction)
            else:
                self.unknown(instruction)
            return
        mnemonic = "imul" if row[0] == "imul3" else row[0]
        if mnemonic == "imul1":
            self.emit(steps.wide_product(op.width, True), 0, self._operand(instruction, 0), 0, instruction)
        elif mnemonic in semantics.RESULTS:
            self._result(instruction, mnemonic)
        elif mnemonic in ("cmp", "test", "bt"):
            a, b = self._operand(instruction, 0), self._operand(instruction, 1)
            self.emit(steps.record(mnemonic, op.width), 0, a, b, instruction)
        elif mnemonic in semantics.CARRY_RESULTS:
            self._carried(instruction, mnemonic)
        elif mnemonic in ("mul", "div", "idiv"):
            a = self._operand(instruction, 0)
            step = steps.wide_product(op.width, False) if mnemonic == "mul" else steps.divide(op.width, mnemonic == "idiv")
            self.emit(step, 0, a, 0, instruction)
        elif mnemonic in ("xchg", "xadd", "lock-xadd", "cmpxchg", "lock-cmpxchg"):
            self._exchange(instruction, mnemonic)
        elif mnemonic[:4] == "cmov":
            a, b = self._operand(instruction, 0), self._operand(instruction, 1)
            self.emit(steps.move_if(mnemonic[4:], op.width), a, a, b, instruction)
        elif mnemonic[:3] == "set":
            self._target(instruction, steps.set_if(mnemonic[3:]), ZERO, ZERO, 8)
        else:
            from septet.x86.prepare_vectors import vector  # most programs have no such instruction

            vector(self, instruction, mnemonic)

    def _operand(self, instruction: Instruction, index: int) -> int:
        """The cell of a general operand that is read."""
        return self.read(instruction.operands[index], instruction.op.width, SCRATCH + index % 2, instruction)

    def _target(self, instruction: Instruction, step: Step, a: int, b: int, n: int) -> None:
        """Take `step` into operand 0."""
        target = instruction.operands[0]
        if isinstance(target, Mem):
            self.emit(step, SCRATCH, a, b, instruction)
            self.write(target, n, SCRATCH, instruction)
        else:
            self.emit(step, self.cell(target), a, b, instruction)

    def _result(self, instruction: Instruction, mnemonic: str) -> None:
        op, n = instruction.op, instruction.op.width
        reads = [index for index, access in enumerate(op.access) if "r" in access]
        a = self._operand(instruction, reads[0])
        b = ZERO
        if len(reads) > 1:
            b = self._operand(instruction, reads[1])
        if self.flags_used and op.writes_flags:
            self.emit(steps.record(mnemonic, n), 0, a, b, instruction)
        if mnemonic in ("inc", "dec"):
            mnemonic, b = ("add" if mnemonic == "inc" else "sub"), self._constant(1)
        self._target(instruction, steps.result(mnemonic, n), a, b, n)

    def _carried(self, instruction: Instruction, mnemonic: str) -> None:
        n = instruction.op.width
        a, b = self._operand(instruction, 0), self._operand(instruction, 1)
        # The flags are recorded last, as the result needs the old carry.
        self.emit(steps.move, SCRATCH + 2, a, 0, instruction)
        target = instruction.operands[0]
        d = SCRATCH if isinstance(target, Mem) else self.cell(target)
        self.emit(steps.carried(mnemonic, n), d, a, b, instruction)
        self.emit(steps.record(mnemonic, n), 0, SCRATCH + 2, SCRATCH + 2 if b == a else b, instruction)
        self.write(target, n, SCRATCH, instruction)

    def _exchange(self, instruction: Instruction, mnemonic: str) -> None:
        n = instruction.op.width
        a, b = self._operand(instruction, 0), self._operand(instruction, 1)
        make = steps.exchange if mnemonic == "xchg" else steps.exchange_add if "xadd" in mnemonic else steps.compare_exchange
        self.emit(make(n), 0, a, b, instruction)
        for index in (0, 1):
            self.write(instruction.operands[index], n, SCRATCH + index, instruction)

    def _compare(self, instruction: Instruction) -> None:
        target, left, right = instruction.operands
        step = steps.compare(instruction.op.name[3:])
        self.emit(step, self.cell(target), self.cell(left), self.cell(right), instruction)
        if self.flags_used:
            self.emit(steps.forget_flags, 0, 0, 0, instruction)

    def _move(self, instruction: Instruction) -> None:
        target, source = instruction.operands
        if isinstance(source, Mem):
            self._read_into(instruction, 64, True)
        elif isinstance(target, Mem):
            self.write(target, 64, self.cell(source), instruction)
        else:
            self.emit(steps.move, self.cell(target), self.cell(source), 0, instruction)

    def _read_into(self, instruction: Instruction, n: int, is_signed: bool) -> None:
        """Load memory straight into operand 0."""
        target, source = instruction.operands
        self.read(source, n, self.cell(target), instruction, is_signed)

    def _narrow_move(self, instruction: Instruction) -> None:
        """mov32, mov16 and mov8: stores, and 32-bit moves, which clear the upper half."""
        target, source = instruction.operands
        n = instruction.op.width
        if isinstance(target, Mem):
            self.write(target, n, self.cell(source), instruction)
        elif isinstance(source, Mem):
            self._read_into(instruction, n, False)
        else:
            self.emit(steps.extend(n, False), self.cell(target), self.cell(source), 0, instruction)

    def _insert(self, instruction: Instruction) -> None:
        n = instruction.op.width
        self.emit(steps.insert(n), self.cell(instruction.operands[0]), self._operand(instruction, 1), 0, instruction)

    def _extend(self, instruction: Instruction) -> None:
        name = instruction.op.name
        n = int(name[5:])
        if isinstance(instruction.operands[1], Mem):
            self._read_into(instruction, n, name[3] == "s")
        else:
            target, source = instruction.operands
            self.emit(steps.extend(n, name[3] == "s"), self.cell(target), self.cell(source), 0, instruction)

    def _wide_product(self, instruction: Instruction) -> None:
        high, low, _ = instruction.operands
        n = instruction.op.width
        b = self._operand(instruction, 2)
        self.emit(steps.wide_product_into(n), self.cell(high), self.cell(low), b, instruction)

    def _double_shift(self, instruction: Instruction) -> None:
        n = instruction.op.width
        a, b, c = self._operand(instruction, 0), self._operand(instruction, 1), self.cell(instruction.operands[2])
        step = steps.double_shift(n, instruction.op.name[2] == "l")
        target = instruction.operands[0]
        self.emit(step, SCRATCH if isinstance(target, Mem) else self.cell(target), a, (b, c), instruction)
        self.write(target, n, SCRATCH, instruction)

    def _set_carry(self, instruction: Instruction) -> None:
        self.emit(steps.record(instruction.op.name, 1), 0, ZERO, ZERO, instruction)

    def _checksum(self, instruction: Instruction) -> None:
        n = 8 * instruction.op.widths[1]
        d = self.cell(instruction.operands[0])
        b = self.read(instruction.operands[1], n, SCRATCH, instruction)
        self.emit(steps.checksum(n), d, d, b, instruction)

    def _lea(self, instruction: Instruction) -> None:
        target, memory = instruction.operands
        assert isinstance(memory, Mem)
        step = steps.address_of if instruction.op is forms.LEA else steps.address_of_32
        self.emit(step, self.cell(target), self.where(memory), memory[3], instruction)

    def _push(self, instruction: Instruction) -> None:
        cell = self.read(instruction.operands[0], 64, SCRATCH, instruction)
        self.emit(steps.move, SCRATCH, cell, 0, instruction)
        self.emit(steps.sub, RSP.index, RSP.index, self._constant(8), instruction)
        self.emit(self.memory.store, RSP.index, 0, SCRATCH, instruction)

    def _pop(self, instruction: Instruction) -> None:
        self.emit(self.memory.load, SCRATCH, RSP.index, 0, instruction)
        self.emit(steps.add, RSP.index, RSP.index, self._constant(8), instruction)
        self._target(instruction, steps.move, SCRATCH, 0, 64)

    def _stack_arg(self, instruction: Instruction) -> None:
        target, displacement = instruction.operands
        self.emit(self.memory.load, self.cell(target), RSP.index, displacement, instruction)

    def _string(self, instruction: Instruction) -> None:
        self.emit(self.memory.string(instruction.op.name), 0, RCX, RAX, instruction)

    def _spread(self, instruction: Instruction) -> None:
        name = instruction.op.name
        if name in ("cqo", "cdq"):
            self.emit(steps.spread_sign(64 if name == "cqo" else 32), 0, RAX, 0, instruction)
        else:
            step = steps.extend(32, True) if name == "cdqe" else steps.extend(16, True, 32)
            self.emit(step, RAX, RAX, 0, instruction)

    def _nothing(self, instruction: Instruction) -> None:
        """An instruction without an effect that shows."""

    def unknown(self, instruction: Instruction) -> None:
        def step(cells: object, d: object, a: object, b: object) -> None:
            raise steps.Undefined("is not an instruction that can be interpreted")

        self.emit(step, 0, 0, 0, instruction)

    # Ends of blocks

    def _conditional(self, instruction: Instruction) -> None:
        block = self.block
        operands = instruction.operands
        block.taken = self._place(operands[-1])
        if instruction.op.name[0] == "c":
            block.kind = BRANCH
            block.test = semantics.COMPARISONS[instruction.op.name[5:]]
            block.a, block.b = self.cell(operands[0]), self.cell(operands[1])
            if self.flags_used:
                self.emit(steps.forget_flags, 0, 0, 0, instruction)
        else:
            block.kind = FLAG_BRANCH
            block.name = instruction.op.name[1:]

    def _place(self, label: Operand) -> Block:
        found = self.function.labels.get(_label_name(label))
        if found is None:
            found = Block()
            found.kind = STOP
        return found

    def _goto(self, instruction: Instruction) -> None:
        self.block.next = self._place(instruction.operands[0])

    def _value_jump(self, instruction: Instruction) -> None:
        self.block.kind = VALUE_JUMP
        self.block.a = self.read(instruction.operands[0], 64, SCRATCH, instruction)

    def _stop(self, instruction: Instruction) -> None:
        self.block.kind = STOP

    def _return(self, instruction: Instruction) -> None:
        self.block.kind = RETURN
        self.block.a = 0 if instruction.op is forms.RET else self.function.frame

    def _call(self, instruction: Instruction) -> None:
        callee, *registers = instruction.operands
        block = self.block
        if isinstance(callee, Symbol) and callee.kind == ROUTINE:
            block.kind = ROUTINE_CALL
            block.name = callee.name
            block.arguments = [self.cell(register) for register in registers]
        elif isinstance(callee, Symbol) and callee.name in self.functions:
            block.kind = CALL
            block.target = self.functions[callee.name]
        else:
            block.kind = VALUE_CALL
            block.a = self.read(callee, 64, SCRATCH, instruction)

    def _call_c(self, instruction: Instruction) -> None:
        caller = instruction.operands[0]
        assert isinstance(caller, Symbol)
        self.block.kind = C_CALL
        self.block.arguments = [c_words(caller)]

    def _call_jump(self, instruction: Instruction) -> None:
        self.block.kind = JUMP_CALL
        self.block.a = self.cell(instruction.operands[0])


def _label_name(operand: Operand) -> str:
    assert isinstance(operand, Symbol) and operand.kind == LABEL_SYMBOL, operand
    return operand.name


_ENDERS: dict[Op, Callable[[Translator, Instruction], None]] = {
    forms.JMP: Translator._goto,
    forms.op("jmp-indirect"): Translator._value_jump,
    forms.op("ud2"): Translator._stop,
    forms.RETURN: Translator._return,
    forms.RET: Translator._return,
    forms.CALL: Translator._call,
    forms.CALL_ERROR: Translator._call,
    forms.CALL_C: Translator._call_c,
    forms.CALL_JUMP: Translator._call_jump,
}

_SPECIAL: dict[str, Callable[[Translator, Instruction], None]] = {
    "mov": Translator._move,
    **dict.fromkeys(["mov32", "mov16", "mov8"], Translator._narrow_move),
    **dict.fromkeys(["insert16", "insert8"], Translator._insert),
    **dict.fromkeys(["movzx8", "movzx16", "movsx8", "movsx16", "movsx32"], Translator._extend),
    **dict.fromkeys(["lea", "lea32"], Translator._lea),
    "push": Translator._push,
    "pop": Translator._pop,
    "stack-arg": Translator._stack_arg,
    **dict.fromkeys(["rep-movsb", "rep-movsq", "rep-stosb", "rep-stosq"], Translator._string),
    **dict.fromkeys(["cqo", "cdq", "cdqe", "cwde"], Translator._spread),
    **dict.fromkeys(["mulx", "mulx32"], Translator._wide_product),
    **dict.fromkeys(["shld", "shld32", "shld16", "shrd", "shrd32", "shrd16"], Translator._double_shift),
    **dict.fromkeys(["clc", "stc", "cmc"], Translator._set_carry),
    **dict.fromkeys(["crc32", "crc3232", "crc328"], Translator._checksum),
    **dict.fromkeys(
        ["roots", "nop", "long-nop", "long-nop16", "pause", "mfence", "sfence", "lfence"]
        + ["prefetcht0", "prefetcht1", "prefetcht2", "prefetchnta"],
        Translator._nothing,
    ),
}
