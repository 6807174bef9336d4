"""Jumps to jumps, jumps over jumps and jumps to the next instruction, once registers are known.

      cjump rax < rbx :l                    cjump rax >= rbx :out
      goto :out                             ...
      :l                          =>        :out
      ...                                   return
      goto :end ; :end
      :out ; return

Moves on edges that coalescing has made empty leave such jumps behind.
"""

from __future__ import annotations

from septet.base.symbols import LABEL as LABEL_SYMBOL
from septet.base.symbols import Symbol
from septet.x86.forms import CJUMP, JCC, JMP, LABEL
from septet.x86.instructions import Instruction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.instructions import Op

_OPPOSITES = {
    "<": ">=",
    "<=": ">",
    "=": "!=",
    ">=": "<",
    ">": "<=",
    "!=": "=",
    "<u": ">=u",
    "<=u": ">u",
    ">=u": "<u",
    ">u": "<=u",
}
OPPOSITE: dict[Op, Op] = {ops[one]: ops[other] for ops in (CJUMP, JCC) for one, other in _OPPOSITES.items()}


def straighten(body: list[Instruction]) -> list[Instruction]:
    """The body with such jumps removed or turned, and without what nothing leads to any more."""
    if not any(instruction.op.jumps for instruction in body):
        return body
    body = _reached(_threaded(body))
    turned = _turned(body)
    return body if turned == body else _reached(_threaded(turned))


def _threaded(body: list[Instruction]) -> list[Instruction]:
    """Every jump goes where it ends up at last."""
    ends: dict[Symbol, Symbol] = {}
    waiting: list[Symbol] = []
    for instruction in body:
        op = instruction.op
        if op is LABEL:
            waiting.append(instruction.operands[0])  # type: ignore[arg-type]
        elif waiting:
            goal = instruction.operands[0] if op is JMP else None
            for label in waiting:
                ends[label] = goal if isinstance(goal, Symbol) and goal.kind == LABEL_SYMBOL else waiting[0]
            waiting = []
    result = []
    for instruction in body:
        if instruction.op.jumps:
            target = instruction.operands[-1]
            assert isinstance(target, Symbol)
            end = _last(target, ends)
            if end is not target:
                instruction = Instruction(instruction.op, (*instruction.operands[:-1], end), instruction.span, instruction.by)
        result.append(instruction)
    return result


def _last(label: Symbol, ends: dict[Symbol, Symbol]) -> Symbol:
    """The end of a chain of jumps; any label of it where it goes in a circle."""
    seen: dict[Symbol, None] = {}
    while label in ends and ends[label] is not label and label not in seen:
        seen[label] = None
        label = ends[label]
    return label


def _reached(body: list[Instruction]) -> list[Instruction]:
    """Without jumps to what follows, without labels that nothing names, and without what stands behind the end of a block."""
    named: dict[object, None] = {}
    for instruction in body:
        if instruction.op is not LABEL:
            for operand in instruction.operands:
                if operand.__class__ is Symbol:
                    named[operand] = None
    result: list[Instruction] = []
    ended = False
    for instruction in body:
        op = instruction.op
        if op is LABEL:
            if instruction.operands[0] not in named:
                continue
            ended = False
            at = len(result)
            while at and result[at - 1].op is LABEL:
                at -= 1
            if at and result[at - 1].op is JMP and result[at - 1].operands[0] is instruction.operands[0]:
                del result[at - 1]
        elif ended:
            continue
        elif op.ends:
            ended = True
        result.append(instruction)
    return result


def _turned(body: list[Instruction]) -> list[Instruction]:
    """A branch over a jump is the opposite branch; and of a branch and a jump the branch goes to the deeper loop."""
    depth = {instruction.operands[0]: instruction.operands[1] for instruction in body if instruction.op is LABEL}
    result: list[Instruction] = []
    for index, instruction in enumerate(body):
        if instruction.op is JMP and result and instruction.operands[0].__class__ is Symbol:
            branch = result[-1]
            opposite = OPPOSITE.get(branch.op)
            if opposite is not None and _follows(body, index + 1, branch.operands[-1]):
                result[-1] = Instruction(opposite, (*branch.operands[:-1], instruction.operands[0]), branch.span, branch.by)
                continue
            if opposite is not None and depth[instruction.operands[0]] > depth[branch.operands[-1]]:  # type: ignore[operator]
                result[-1] = Instruction(opposite, (*branch.operands[:-1], instruction.operands[0]), branch.span, branch.by)
                instruction = Instruction(JMP, branch.operands[-1:], instruction.span, instruction.by)
        result.append(instruction)
    return result


def _follows(body: list[Instruction], index: int, label: object) -> bool:
    """Whether control falls from `index` into `label`."""
    while index < len(body) and body[index].op is LABEL:
        if body[index].operands[0] is label:
            return True
        index += 1
    return False
