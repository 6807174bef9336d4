"""What an instruction reads and writes: variables and registers, named and implicit.

Linear scan has its own fast way over the same facts (`intervals.py`); everything else asks here.
"""

from __future__ import annotations

from septet.x86.abi import ARGUMENTS
from septet.x86.forms import CALL_JUMP
from septet.x86.instructions import Mem, Variable
from septet.x86.registers import REGISTERS, RSP, XMM, Register, bits_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from septet.x86.forms import Operand
    from septet.x86.instructions import Instruction

    Cell = Variable | Register

GENERAL_BITS = bits_of(REGISTERS[:16]) & ~RSP.bit  # where variables may be
VECTOR_BITS = bits_of(XMM)
REGISTER_OF_BIT: dict[int, Register] = {register.bit: register for register in REGISTERS}
ARGUMENT_BITS = [bits_of(ARGUMENTS[:count]) for count in range(len(ARGUMENTS) + 1)]


def accesses(instruction: Instruction) -> tuple[list[Cell], list[Cell]]:
    """The variables and registers that the operands read, and those they write, in the order of the operands.  rsp is left
    out, and so is what the opcode uses besides (`implicit`)."""
    op = instruction.op
    operands = instruction.operands
    reads: list[Cell] = []
    writes: list[Cell] = []
    access = op.access or ("r",) * len(operands)
    for how, operand in zip(access, operands, strict=False):
        kind = operand.__class__
        if kind is Variable or kind is Register:
            if operand is not RSP:
                if how[0] == "r":
                    reads.append(operand)  # type: ignore[arg-type]
                if how[-1] == "w":
                    writes.append(operand)  # type: ignore[arg-type]
        elif kind is Mem:
            base, index, _, _ = operand  # type: ignore[misc]
            if base is not RSP:
                reads.append(base)  # type: ignore[arg-type]
            if index is not None:
                reads.append(index)  # type: ignore[arg-type]
    return reads, writes


def renamed(operand: Operand, names: Mapping[object, Cell]) -> Operand:
    """An operand with other cells for those in `names`."""
    if operand.__class__ is Mem:
        base, index, scale, displacement = operand
        return Mem(names.get(base, base), displacement, names.get(index, index), scale)
    return names.get(operand, operand)


def implicit(instruction: Instruction) -> tuple[int, int]:
    """The registers that an instruction reads and writes besides its operands, as bit sets without rsp."""
    op = instruction.op
    reads = op.reads
    if op is CALL_JUMP:
        count = instruction.operands[1]
        assert isinstance(count, int)
        reads |= ARGUMENT_BITS[min(count, 6)]
    return reads & ~RSP.bit, op.writes & ~RSP.bit


def never_falls(instruction: Instruction) -> bool:
    """Whether a block ends after this instruction."""
    op = instruction.op
    return op.jumps or op.ends or op is CALL_JUMP
