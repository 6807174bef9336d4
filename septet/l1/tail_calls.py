"""Which calls are the last thing a function does, so that L1c makes them jumps.

    call @f (rdi, rsi)                 add rsp, 24
    rbx <- mem rsp 16       becomes    mov rbx, [rsp - 8]     (in front of the add, so [rsp + 16])
    return                             jmp f

The callee returns to this function's caller then, and this function's frame is gone while it runs: so no address in the frame
may be kept, and no argument may be on the stack, below the frame.
"""

from __future__ import annotations

from septet.base.symbols import FUNCTION, Symbol
from septet.x86 import forms
from septet.x86.abi import CALLEE_SAVED_BITS
from septet.x86.instructions import Mem
from septet.x86.registers import RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.instructions import Instruction

MOST_ARGUMENTS = 5  # with one more there may be others on the stack
_NEAR = 16  # instructions that are looked at behind a call


def restores(body: list[Instruction], at: int) -> tuple[list[Instruction], int] | None:
    """The loads of callee-saved registers that alone stand between the call at `at` and a `return`, and where what is reached
    by the call alone ends: behind the return, or where a label stands before.  None where something else stands between them,
    or where the call cannot be a jump."""
    callee, *arguments = body[at].operands
    if not isinstance(callee, Symbol) or callee.kind != FUNCTION or len(arguments) > MOST_ARGUMENTS:
        return None
    found: list[Instruction] = []
    end = 0
    for position, instruction in enumerate(body[at + 1 : at + _NEAR], at + 1):
        op, operands = instruction.op, instruction.operands
        if op is forms.RETURN:
            return (found, end or position + 1) if not operands else None
        if op is forms.LABEL:
            end = end or position
            continue
        if op is forms.ROOTS or op.is_move and len(operands) == 2 and operands[0] is operands[1]:
            continue
        if op is not forms.MOV or not isinstance(operands[0], Register) or not operands[0].bit & CALLEE_SAVED_BITS:
            return None
        if not isinstance(operands[1], Mem) or operands[1][0] is not RSP or operands[1][1] is not None:
            return None
        found.append(instruction)
    return None


def keeps_addresses(body: list[Instruction]) -> bool:
    """Whether an address in the frame may be anywhere but in rsp: rsp is read by itself, other than to be compared, or used to
    compute one."""
    return any(
        operand is RSP
        and instruction.op is not forms.CMP
        or instruction.op is forms.LEA
        and isinstance(operand, Mem)
        and RSP in operand[:2]
        for instruction in body
        for operand in instruction.operands
    )
