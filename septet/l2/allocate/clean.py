"""Loads of stack slots whose content is still in a register, and stores of what a slot already holds.

    mem rsp 0 <- rax                  mem rsp 0 <- rax
    rcx <- mem rsp 0         becomes  rcx <- rax
    mem rsp 0 <- rcx

Spilling handles each instruction by itself and leaves these behind.  Within a block alone.
"""

from __future__ import annotations

from septet.l2.allocate.access import implicit, never_falls
from septet.x86.forms import LABEL, MOV
from septet.x86.instructions import Instruction, Mem
from septet.x86.registers import RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.forms import Operand


def clean(body: list[Instruction]) -> list[Instruction]:
    """The L1 body without such loads and stores."""
    held: dict[int, Register] = {}  # by the offset of a slot: the register that has the same content
    result: list[Instruction] = []
    append = result.append
    for instruction in body:
        op, operands = instruction.op, instruction.operands
        if op is MOV:
            target, source = operands
            if target.__class__ is Register:
                at = _slot(source)
                if at in held:
                    if held[at] is target:
                        continue
                    instruction = Instruction(MOV, (target, held[at]), instruction.span, instruction.by)
                _forget(held, target.bit)
                if at >= 0:
                    held.setdefault(at, target)
                append(instruction)
                continue
            at = _slot(target)
            if at >= 0 and source.__class__ is Register:
                if held.get(at) is source:
                    continue
                held[at] = source
                append(instruction)
                continue
        append(instruction)
        if op is LABEL or op.writes & RSP.bit or never_falls(instruction):
            held.clear()
        elif held:
            written = implicit(instruction)[1]
            for how, operand in zip(op.access, operands, strict=False):
                if how[-1] == "w":
                    if operand.__class__ is Register:
                        written |= operand.bit
                    elif _slot(operand) >= 0:
                        held.clear()
            _forget(held, written)
    return result


def _slot(operand: Operand) -> int:
    """The offset of a stack slot; -1 for what is none."""
    if operand.__class__ is Mem and operand[0] is RSP and operand[1] is None:
        return operand[3]
    return -1


def _forget(held: dict[int, Register], written: int) -> None:
    """Registers are written."""
    if written and held:
        for at in [at for at, register in held.items() if register.bit & written]:
            del held[at]
