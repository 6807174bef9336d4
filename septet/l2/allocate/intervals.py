"""Live intervals for linear scan, in one pass over the instructions.

Between two instructions is a *gap*: gap p is behind the instruction at position p (from 1), gap 0 in front of the first.  A
variable that is written at d and last read at u is live in gaps d to u-1; so two things that share no gap can share a register.
An interval is the hull start <= gap < end of a *piece* of a variable.  What a variable does in a block is one piece, if no
block reads it before writing it; such variables need no dataflow.  All pieces of another variable are one interval, which
reaches over the blocks that liveness says it is live in.

Registers that instructions name are busy in the gaps in which they are live, and those that a call clobbers in the one behind
it.  `busy[gap]` is the set of them.
"""

from __future__ import annotations

from septet.base.bits import members
from septet.l2.allocate.busy import Busy
from septet.l2.allocate.liveness import solve, successors
from septet.x86.forms import CALL_JUMP, LABEL, MOV, STACK_ARG
from septet.x86.instructions import Mem, Variable
from septet.x86.registers import RCX, RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.instructions import Instruction, Op

# What `Kinds` says of an opcode: a sum of these
MOVE, SHIFT, IMPLICIT, ENDS_BLOCK, BEGINS_BLOCK = 1, 2, 4, 8, 16
BATCH = 4096  # variables whose liveness is found together
SHIFTS = ("shl", "sar", "shr", "rol", "ror", "rcl", "rcr")
IMM32 = 1 << 31


class Kinds(dict["Op", int]):
    """The kind of each opcode, found when first asked for."""

    def __missing__(self, op: Op) -> int:
        kind = MOVE * op.is_move | IMPLICIT * bool(op.reads | op.writes) | ENDS_BLOCK * (op.jumps or op.ends or op is CALL_JUMP)
        if op.name.rstrip("123468") in SHIFTS or op.name[:4] in ("shld", "shrd"):
            kind |= SHIFT
        if op is LABEL:
            kind = BEGINS_BLOCK
        elif op is STACK_ARG:
            kind = IMPLICIT
        self[op] = kind
        return kind


KINDS = Kinds()


class Intervals:
    """Pieces of variables, in program order, and their intervals: `start[k] <= gap < end[k]`.

    `same[k]` is the first piece of the variable whose interval stands for piece k, or k.  `want[k]` are registers that would
    make moves vanish, `like[k]` a piece that it is copied from, or -1.  Block b starts at position `starts[b]` with piece
    `first[b]` (`finish` adds an entry to both, for the end).  `busy[gap]` are the registers that are not free there.
    """

    __slots__ = (
        "variables", "start", "end", "upward", "same", "want", "like", "starts", "first", "busy", "named", "piece_of",
        "has_arguments",
    )  # fmt: skip

    def __init__(self, size: int) -> None:
        self.variables: list[Variable] = []
        self.start: list[int] = []
        self.end: list[int] = []
        self.upward: list[bool] = []  # whether its block reads it before writing it
        self.same: list[int] = []
        self.want: list[int] = []
        self.like: list[int] = []
        self.starts: list[int] = []
        self.first: list[int] = []
        self.busy = [0] * (size + 2)
        self.named = 0  # the registers that instructions name
        self.has_arguments = False  # whether there are `stack-arg`s
        self.piece_of: dict[object, int] = {}  # in the present block

    def begin(self, position: int) -> dict[object, int]:
        """Begin a block."""
        self.starts.append(position)
        self.first.append(len(self.end))
        self.piece_of = {}
        return self.piece_of

    def add(self, variable: Variable, position: int, upward: bool) -> None:
        """A first access in the present block."""
        self.piece_of[variable] = len(self.end)
        self.variables.append(variable)
        self.start.append(position)
        self.end.append(position)
        self.upward.append(upward)
        self.want.append(0)
        self.like.append(-1)

    def finish(self, body: list[Instruction], busy: Busy) -> None:
        """Extend everything over the blocks that it is live in."""
        self.named = busy.named
        self.has_arguments = busy.has_arguments
        self.same = list(range(len(self.end)))
        after = successors(body, [start - 1 for start in self.starts]) if self.starts else []
        self.starts.append(len(body) + 1)
        self.first.append(len(self.end))
        busy.end_block()
        crossing: dict[Variable, int] = {}  # variables that some block reads before writing, and their first pieces
        for piece, upward in enumerate(self.upward):
            if upward:
                crossing.setdefault(self.variables[piece], -1)
        if crossing:
            self._merge(crossing)
            everything = list(crossing)
            for at in range(0, len(everything), BATCH):
                self._extend(everything[at : at + BATCH], crossing, after)
        busy.extend(self.starts, after)

    def _merge(self, crossing: dict[Variable, int]) -> None:
        """One interval for all pieces of a variable that crosses blocks."""
        end = self.end
        for piece, variable in enumerate(self.variables):
            one = crossing.get(variable)
            if one is None:
                continue
            if one < 0:
                crossing[variable] = piece
                continue
            self.same[piece] = one
            if end[piece] > end[one]:
                end[one] = end[piece]
            self.want[one] |= self.want[piece]
            if self.like[one] < 0:
                self.like[one] = self.like[piece]

    def _extend(self, batch: list[Variable], crossing: dict[Variable, int], after: list[list[int]]) -> None:
        """Find out where the variables of a batch are live, and extend their intervals."""
        bit_of = {variable: 1 << number for number, variable in enumerate(batch)}
        gen, kill = [], []
        get, variables, upward = bit_of.get, self.variables, self.upward
        for block in range(len(after)):
            reads = writes = 0
            for piece in range(self.first[block], self.first[block + 1]):
                bit = get(variables[piece])
                if bit is not None:
                    if upward[piece]:
                        reads |= bit
                    else:
                        writes |= bit
            gen.append(reads)
            kill.append(writes)
        into, out = solve(gen, kill, after)
        pieces = [crossing[variable] for variable in batch]
        seen = 0
        for block, live in enumerate(into):
            for number in members(live & ~seen):
                self.start[pieces[number]] = min(self.start[pieces[number]], self.starts[block] - 1)
            seen |= live
        seen = 0
        for block in range(len(after) - 1, -1, -1):
            live = out[block] | into[block]
            for number in members(live & ~seen):
                least = self.starts[block + 1] if out[block] >> number & 1 else self.starts[block]
                self.end[pieces[number]] = max(self.end[pieces[number]], least)
            seen |= live


def intervals(body: list[Instruction], legal: bool = False) -> Intervals | None:
    """The intervals of a function's variables; None where `legalise` must change something first (never if `legal`)."""
    result = Intervals(len(body))
    busy = Busy(result.busy)
    end, want, like, add, touch, kinds = result.end, result.want, result.like, result.add, busy.touch, KINDS
    piece_of: dict[object, int] = {}  # in this block
    begins = True
    for position, instruction in enumerate(body, 1):
        op = instruction.op
        operands = instruction.operands
        kind = kinds[op]
        if begins or kind & BEGINS_BLOCK:
            begins = False
            piece_of = result.begin(position)
            get = piece_of.get
            busy.begin(position - 1)
            if kind & BEGINS_BLOCK:
                continue
        physical = kind & IMPLICIT
        for operand in operands:
            piece = get(operand)
            if piece is not None:
                end[piece] = position
                continue
            what = operand.__class__
            if what is Variable:
                add(operand, position, operand is not operands[0] or _reads_first(op, operands))  # type: ignore[arg-type]
            elif what is Mem:
                for cell in operand[:2]:  # type: ignore[index]
                    piece = get(cell)
                    if piece is not None:
                        end[piece] = position
                    elif cell.__class__ is Variable:
                        add(cell, position, True)
                    elif cell is not None and cell is not RSP:
                        physical = IMPLICIT
            elif what is Register:
                physical = IMPLICIT
            elif what is int and not legal and not -IMM32 <= operand < IMM32 and not wide_move(instruction):  # type: ignore[operator]
                return None
        if kind & MOVE:
            target, source = operands
            into, piece = get(target), get(source)
            if piece is None:
                if into is not None and source.__class__ is Register:
                    want[into] |= source.bit
            elif into is not None:
                if like[into] < 0 and into != piece:
                    like[into] = piece
            elif target.__class__ is Register:
                want[piece] |= target.bit
        elif kind & SHIFT and not legal and count_elsewhere(operands):
            return None
        if physical:
            touch(instruction, position)
        if kind & ENDS_BLOCK:
            begins = True
    result.finish(body, busy)
    return result


def _reads_first(op: Op, operands: tuple[object, ...]) -> bool:
    """Whether an instruction reads the variable that is its first operand."""
    if op.access and op.access[0] == "w":
        variable = operands[0]
        return any(operand is variable or operand.__class__ is Mem and variable in operand[:2] for operand in operands[1:])
    return True


def wide_move(instruction: Instruction) -> bool:
    """Whether an instruction is one that may have an immediate of 64 bits."""
    return instruction.op is MOV and instruction.operands[0].__class__ is not Mem


def count_elsewhere(operands: tuple[object, ...]) -> bool:
    """Whether a shift by a register has its count elsewhere than in rcx."""
    count = operands[-1]
    return count.__class__ is Variable or count.__class__ is Register and count is not RCX
