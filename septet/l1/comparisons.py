"""Comparisons of what has just been compared: the flags still say it.

    cjump rax < rcx :less                cmp rax, rcx
    cjump rax = rcx :same     becomes    jl :less
                                         je :same

    cmp rax, rcx                         cmp rax, rcx
    rdx <- rax                           rdx <- rax
    cmovg rdx, rcx                       cmovg rdx, rcx
    cmp rax, rcx              becomes    cmovl rax, rcx
    cmovl rax, rcx

Between the two nothing sets the flags, writes to a register that is compared, or can be jumped to.
"""

from __future__ import annotations

from septet.x86 import forms
from septet.x86.forms import CJUMP, JCC, SWAPPED
from septet.x86.instructions import Instruction
from septet.x86.registers import Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.x86.instructions import Op

    Pair = tuple[Any, Any]

BY = "comparisons"
_CONDITION: dict[Op, str] = {op: condition for condition, op in CJUMP.items()}


def share(body: list[Instruction]) -> list[Instruction]:
    """The body without comparisons that are known already; `body` itself where there are none."""
    result: list[Instruction] = []
    pair: Pair | None = None  # what was compared last: the flags are those of `cmp pair[0], pair[1]`
    first = -1  # where in the result the jump is that compared, if it was one
    changed = False
    cmp, conditions = forms.CMP, _CONDITION
    for instruction in body:
        op, operands = instruction.op, instruction.operands
        condition = conditions.get(op)
        if op is cmp or condition is not None:
            asked = _pair(operands)
            if pair is not None and asked is not None and (asked == pair or asked == pair[::-1] and condition is not None):
                if condition is None:  # the flags are there
                    changed = True
                    continue
                if first >= 0:
                    result[first : first + 1] = _split(result[first])
                    first = -1
                if asked != pair:
                    condition = SWAPPED[condition]
                instruction = Instruction(JCC[condition], operands[2:], instruction.span, BY)
                changed = True
            else:
                pair, first = asked, len(result) if condition is not None else -1
        elif pair is not None and (op.writes_flags or op.is_call or op is forms.LABEL or _writes(instruction, pair)):
            pair = None
        result.append(instruction)
    return result if changed else body


def _pair(operands: tuple[Any, ...]) -> Pair | None:
    """What a comparison compares, if it is registers and numbers, a register first."""
    a, b = operands[:2]
    if isinstance(a, Register) and (b.__class__ is int or isinstance(b, Register)):
        return a, b
    return None


def _split(jump: Instruction) -> list[Instruction]:
    """A comparison and a jump, of a jump that compares."""
    a, b, label = jump.operands
    op, *compared = (forms.TEST, a, a) if b.__class__ is int and b == 0 else (forms.CMP, a, b)
    return [
        Instruction(op, tuple(compared), jump.span, BY),
        Instruction(JCC[_CONDITION[jump.op]], (label,), jump.span, BY),
    ]


def _writes(instruction: Instruction, pair: Pair) -> bool:
    """Whether it writes to a register that was compared."""
    op = instruction.op
    for register in pair:
        if not isinstance(register, Register):
            continue
        if op.writes & register.bit:
            return True
        for access, operand in zip(op.access, instruction.operands, strict=False):
            if operand is register and "w" in access:
                return True
    return False
