"""Splits variables that are written again and again into one variable a value, so that each can have its own register.

    %t <- 1 ; rdi <- %t ; %t <- 2 ; rsi <- %t      becomes      %t <- 1 ; rdi <- %t ; %t' <- 2 ; rsi <- %t'

Only what is plain to see within a block is split: a value of a variable is on its own if another write follows in the block,
or if no block reads the variable before writing it.  Chains over several blocks stay one variable.
"""

from __future__ import annotations

from septet.l2.allocate.access import accesses, renamed
from septet.l2.allocate.liveness import block_starts
from septet.x86.instructions import Instruction, Mem, Variable


def split_webs(body: list[Instruction]) -> list[Instruction]:
    """The body with such variables renamed; the body itself where there are none."""
    starts = block_starts(body)
    ends = [*starts[1:], len(body)]
    counts, crossing = _writes(body, starts, ends)
    total: dict[Variable, int] = {}
    split: dict[Variable, None] = {}
    for writes in counts:
        for variable, count in writes.items():
            if variable in crossing:
                if count > 1:
                    split[variable] = None
            else:
                total[variable] = count = total.get(variable, 0) + count
                if count > 1:
                    split[variable] = None
    if not split:
        return body
    result: list[Instruction] = []
    for start, end, writes in zip(starts, ends, counts, strict=True):
        if split.keys().isdisjoint(writes):
            result += body[start:end]
        else:
            result += _rename_block(body[start:end], {v: count for v, count in writes.items() if v in split}, crossing)
    return result


def _writes(
    body: list[Instruction], starts: list[int], ends: list[int]
) -> tuple[list[dict[Variable, int]], dict[Variable, None]]:
    """For each block how often it writes variables afresh; and the variables that some block reads before writing them."""
    counts: list[dict[Variable, int]] = []
    crossing: dict[Variable, None] = {}
    for start, end in zip(starts, ends, strict=True):
        written: dict[Variable, int] = {}
        for instruction in body[start:end]:
            operands = instruction.operands
            fresh = None
            if operands and operands[0].__class__ is Variable and instruction.op.access[:1] == ("w",):
                fresh = operands[0]
                operands = operands[1:]
            for operand in operands:
                for cell in operand if operand.__class__ is Mem else (operand,):
                    if cell.__class__ is Variable:
                        if cell not in written:
                            crossing[cell] = None
                        if cell is fresh:
                            fresh = None
            if fresh is not None:
                written[fresh] = written.get(fresh, 0) + 1
        counts.append(written)
    return counts, crossing


def _rename_block(block: list[Instruction], left: dict[Variable, int], crossing: dict[Variable, None]) -> list[Instruction]:
    """One block with its variables renamed; `left` says how often each is still written."""
    now: dict[object, Variable] = {}
    result = []
    for instruction in block:
        reads, writes = accesses(instruction)
        if not reads and not writes:
            result.append(instruction)
            continue
        operands = [renamed(operand, now) for operand in instruction.operands]
        for cell in writes:
            if cell in left and cell not in reads:
                left[cell] -= 1
                if left[cell] or cell not in crossing:
                    now[cell] = Variable(cell.name, cell.bank)
                else:
                    now[cell] = cell
                operands = [now[cell] if o is cell else n for o, n in zip(instruction.operands, operands, strict=True)]
        result.append(Instruction(instruction.op, tuple(operands), instruction.span, instruction.by))
    return result
