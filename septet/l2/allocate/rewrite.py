"""From variables to where they live: the last step of every allocation."""

from __future__ import annotations

from septet.l2.allocate.spill import readdress, reload, reload_pair
from septet.x86.abi import CALLEE_SAVED
from septet.x86.forms import LABEL, MOV, RETURN, STACK_ARG
from septet.x86.instructions import Instruction, Mem, Variable
from septet.x86.registers import GENERAL, RSP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l2.allocate.moves import Moves
    from septet.l2.allocate.spill import Fresh, Scratch
    from septet.l2.allocate.wrap import Wrapped
    from septet.x86.registers import Register

    Allocated = tuple[list[Instruction], int]  # a body in L1, and how many stack slots it has
    Homes = list[tuple[int, list[Variable], list[Register | Mem]]]  # from a position (from 1) on, variables live at places

END: tuple[int, list[Variable], list[Register | Mem]] = (0, [], [])


class Frame:
    """The stack slots of a function: those of variables, then those of the callee-saved registers it uses."""

    __slots__ = ("slots", "saved", "arguments", "late", "place", "early")

    def __init__(self, slots: int, used: int, arguments: bool) -> None:
        self.arguments = arguments  # whether there are `stack-arg`s
        saved = [register for register in CALLEE_SAVED if register.bit & used]
        self.saved = [(register, Mem(RSP, 8 * (slots + number))) for number, register in enumerate(saved)]
        self.slots = slots + len(saved)
        self.late: list[tuple[Register, Mem]] = []  # those that are saved at a place behind the entry
        self.place = 0  # the position (from 1) of that place
        self.early: dict[int, None] = {}  # the positions of the returns that come before it

    def wrap(self, starts: list[int], body: list[Instruction], wrapped: Wrapped, used: int) -> None:
        """Save the registers that are not `used` before the place there."""
        self.late = [pair for pair in self.saved if not pair[0].bit & used]
        self.saved = [pair for pair in self.saved if pair[0].bit & used]
        start = starts[wrapped.place]
        self.place = start + 2 if body[start].op is LABEL else start + 1
        for block, end in enumerate([*starts[1:], len(body)]):
            if not wrapped.late[block] and body[end - 1].op is RETURN:
                self.early[end] = None

    def saves(self, span: int) -> list[Instruction]:
        """What keeps the callee-saved registers, at the entry."""
        return [Instruction(MOV, (slot, register), span) for register, slot in self.saved]

    def late_saves(self, span: int) -> list[Instruction]:
        """What keeps the others, at the place."""
        return [Instruction(MOV, (slot, register), span) for register, slot in self.late]

    def restores(self, span: int, position: int) -> list[Instruction]:
        """What brings them back, before the return at `position`."""
        saved = self.saved if position in self.early else self.saved + self.late
        return [Instruction(MOV, (register, slot), span) for register, slot in saved]

    def resolved(self, instruction: Instruction, moves: Moves) -> Instruction:
        """A `stack-arg` as the load that it is."""
        target, displacement = instruction.operands
        move = MOV if target.bank == GENERAL else moves.scalar  # type: ignore[union-attr]
        return Instruction(move, (target, Mem(RSP, displacement + 8 * self.slots)), instruction.span)  # type: ignore[operator]


def rewrite(body: list[Instruction], homes: Homes, frame: Frame, scratch: Scratch | Fresh) -> Allocated:
    """The L1 body, whose variables live where `homes` says, and how many slots it has.

    Instructions that name no variables are shared with L2.
    """
    out = frame.saves(body[0].span) if body else []
    append = out.append
    place = frame.place
    home: dict[object, object] = {}
    get = home.get
    begins = iter(homes)
    next_start, variables, places = next(begins)
    for position, instruction in enumerate(body, 1):
        if position == place:
            out += frame.late_saves(instruction.span)
        if position == next_start:
            home.update(zip(variables, places, strict=True))
            next_start, variables, places = next(begins, END)
        operands = instruction.operands
        if len(operands) == 2 and instruction.op is not RETURN:  # which may name two
            first, second = operands
            if first.__class__ is Mem or second.__class__ is Mem:
                readdress(instruction, home, scratch, out)  # type: ignore[arg-type]
                continue
            target = get(first, first)
            source = get(second, second)
            if target.__class__ is Mem or source.__class__ is Mem:
                reload_pair(instruction, home, scratch, out)  # type: ignore[arg-type]
            elif target is source and instruction.op.is_move:
                pass
            elif target is first and source is second:
                append(instruction)
            else:
                append(Instruction(instruction.op, (target, source), instruction.span))  # type: ignore[arg-type]
            continue
        op = instruction.op
        if op is RETURN:
            out += frame.restores(instruction.span, position)
            append(instruction)
        elif operands:
            new = tuple(map(get, operands, operands))
            if new == operands and Mem not in map(type, new):
                append(instruction)
            elif Mem in map(type, new):
                out += reload(instruction, home, scratch)  # type: ignore[arg-type]
            else:
                append(Instruction(op, new, instruction.span))  # type: ignore[arg-type]
        else:
            append(instruction)
    if frame.arguments:
        out = [
            frame.resolved(instruction, scratch.moves) if instruction.op is STACK_ARG else instruction for instruction in out
        ]
    return out, frame.slots
