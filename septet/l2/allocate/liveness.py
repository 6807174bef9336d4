"""The control-flow graph of a body, and live variables by backward dataflow over its blocks.

Sets are ints: bit r for register r (0 to 31), higher bits as the caller numbers its variables.
"""

from __future__ import annotations

from septet.base.graph import solve as solve
from septet.base.symbols import LABEL as LABEL_KIND
from septet.base.symbols import Symbol
from septet.x86.forms import CALL_JUMP, LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.instructions import Instruction


def block_starts(body: list[Instruction]) -> list[int]:
    """Where the basic blocks start: at 0, at labels and after whatever may go elsewhere."""
    starts: list[int] = []
    begins = True
    for position, instruction in enumerate(body):
        op = instruction.op
        if begins or op is LABEL:
            starts.append(position)
        begins = op.jumps or op.ends or op is CALL_JUMP
    return starts


def successors(body: list[Instruction], starts: list[int], back_anywhere: bool = True) -> list[list[int]]:
    """The blocks that control may go to from each.

    A `call-jump` comes back to a label whose address was stored.  That is meant to be the one behind it, but could be any:
    all labels with their address taken are its successors, unless not `back_anywhere`, and those of an indirect jump.  Labels
    of other functions are left out.
    """
    at: dict[object, int] = {body[start].operands[0]: block for block, start in enumerate(starts) if body[start].op is LABEL}
    addressed: list[int] | None = None
    result = []
    for block, end in enumerate([*starts[1:], len(body)]):
        last = body[end - 1]
        op = last.op
        targets: list[int] = []
        if op.jumps:
            target = at.get(last.operands[-1])
            if target is not None:
                targets.append(target)
        if not op.ends and block + 1 < len(starts):
            targets.append(block + 1)
        if op is CALL_JUMP and back_anywhere or op.name == "jmp-indirect":
            if addressed is None:
                addressed = _addressed(body, at)
            targets += [target for target in addressed if target not in targets]
        result.append(targets)
    return result


def _addressed(body: list[Instruction], at: dict[object, int]) -> list[int]:
    found: dict[int, None] = {}
    for instruction in body:
        op = instruction.op
        if op is LABEL or op.jumps:
            continue
        for operand in instruction.operands:
            if isinstance(operand, Symbol) and operand.kind == LABEL_KIND and operand in at:
                found[at[operand]] = None
    return list(found)


def loop_depths(body: list[Instruction], starts: list[int], after: list[list[int]]) -> list[int]:
    """How many loops each block is in: as its labels say, or, where no label says anything, by backward jumps, each of which
    is taken for a loop over the blocks in between."""
    depths: list[int] = []
    depth = 0
    for start in starts:
        first = body[start]
        if first.op is LABEL:
            depth = first.operands[1]  # type: ignore[assignment]
        depths.append(depth)
    if any(depths):
        return depths
    last_jump = [-1] * len(starts)
    for block, targets in enumerate(after):
        for target in targets:
            if target <= block:
                last_jump[target] = block
    change = [0] * (len(starts) + 1)
    for block, end in enumerate(last_jump):
        if end >= 0:
            change[block] += 1
            change[end + 1] -= 1
    depth = 0
    for block in range(len(starts)):
        depth += change[block]
        depths[block] = depth
    return depths
