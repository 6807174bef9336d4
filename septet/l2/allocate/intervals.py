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

from functools import reduce
from operator import or_

from septet.base.bits import members
from septet.l2.allocate.busy import Busy
from septet.l2.allocate.liveness import solve, successors
from septet.x86.forms import CALL_ERROR, CALL_JUMP, LABEL, MOV, STACK_ARG
from septet.x86.instructions import Mem, Variable
from septet.x86.registers import RCX, RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.x86.instructions import Instruction, Op

# What `Kinds` says of an opcode: a sum of these
MOVE, SHIFT, IMPLICIT, ENDS_BLOCK, BEGINS_BLOCK, WRITES, FAILS, WRITES_TWO = 1, 2, 4, 8, 16, 32, 64, 128
BATCH = 4096  # variables whose liveness is found together
SHIFTS = ("shl", "sar", "shr", "rol", "ror", "rcl", "rcr")
IMM32 = 1 << 31
CELLS = (Variable, Register)


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
        elif op is CALL_ERROR:
            kind |= FAILS
        if op.access[:1] == ("w",):
            kind |= WRITES  # the first operand, without reading it
        if op.access[1:2] == ("w",):
            kind |= WRITES_TWO  # the second one, too
        self[op] = kind
        return kind


KINDS = Kinds()


class Intervals:
    """Pieces of variables, in program order, and their intervals: `start[k] <= gap < end[k]`.

    `same[k]` is the piece of the same variable whose interval stands for piece k, or k.  `hint[k]` is a piece that k is moved
    to or from, or -2 - the index of such a register, or -1.  `barred[k]` are registers k must not be in.  Block b starts at
    position `starts[b]` with piece `first[b]` (`finish` adds an entry to both, for the end).  `busy[gap]` are the registers
    that are not free there.
    """

    __slots__ = (
        "variables", "start", "end", "upward", "same", "hint", "barred", "starts", "first", "aside", "busy", "named",
        "has_arguments",
    )  # fmt: skip

    def __init__(self, size: int) -> None:
        self.variables: list[Variable] = []
        self.start: list[int] = []
        self.end: list[int] = []
        self.upward: list[int] = []  # the pieces of variables that their block reads before writing them
        self.same: list[int] = []
        self.hint: list[int] = []
        self.barred: dict[int, int] = {}
        self.starts: list[int] = []
        self.first: list[int] = []
        self.aside: dict[int, None] = {}  # blocks that are not on the line
        self.busy = [0] * (size + 2)
        self.named = 0  # the registers that instructions name
        self.has_arguments = False  # whether there are `stack-arg`s

    def add_address(self, memory: Mem, piece_of: dict[object, int], position: int) -> int:
        """Reads of a base and an index; IMPLICIT if one of them is a register that matters."""
        named = 0
        base, index, _, _ = memory
        for cell in (base,) if index is None else (base, index):
            piece = piece_of.get(cell)
            if piece is not None:
                self.end[piece] = position
            elif isinstance(cell, Variable):
                piece_of[cell] = piece = len(self.end)
                self.upward.append(piece)
                self.variables.append(cell)
                self.start.append(position)
                self.end.append(position)
                self.hint.append(-1)
            elif cell is not RSP:
                named = IMPLICIT
        return named

    def write_second(self, operands: tuple[object, ...], piece: int, position: int) -> None:
        """The second operand, which was taken for a read, is written: even if dead, it shares no register with the first."""
        if self.start[piece] == position and piece in self.upward and not _reads(operands[1:], operands[1]):
            self.upward.remove(piece)
        self.end[piece] = max(self.end[piece], position + 1)

    def set_aside(self, position: int) -> None:
        """Take the block that ends here out of the line, as control never comes out of it, unless it has variables of its own.

        So a variable that is used in an error block at the end of the function does not live until there.  It must only keep
        out of the registers that the block writes before its last use.
        """
        first, count = self.first[-1], len(self.end)
        if len(self.upward) < count - first or count > first and self.upward[first - count] != first:
            return
        begin = self.starts[-1]
        for piece in range(first, count):
            self.barred[piece] = reduce(or_, self.busy[begin : self.end[piece]], 0)
        self.busy[begin : position + 1] = [0] * (position + 1 - begin)
        self.aside[len(self.first) - 1] = None

    def finish(self, body: list[Instruction], busy: Busy) -> None:
        """Extend everything over the blocks that it is live in."""
        self.named = busy.named
        self.has_arguments = busy.has_arguments
        self.same = list(range(len(self.end)))
        after = successors(body, [start - 1 for start in self.starts]) if self.starts else []
        self.starts.append(len(body) + 1)
        self.first.append(len(self.end))
        busy.end_block()
        if self.upward:
            variables = self.variables
            crossing = dict.fromkeys([variables[piece] for piece in self.upward], -1)  # and the piece that stands for all
            self._merge(crossing)
            everything = list(crossing)
            for at in range(0, len(everything), BATCH):
                self._extend(everything[at : at + BATCH], crossing, after)
        busy.extend(self.starts, after)

    def _merge(self, crossing: dict[Variable, int]) -> None:
        """One interval for all pieces of a variable that crosses blocks."""
        end, hint, same = self.end, self.hint, self.same
        aside = dict(self.barred)
        get = crossing.get
        for piece, variable in enumerate(self.variables):
            one = get(variable)
            if one is None or piece in aside:
                continue
            if one < 0:
                crossing[variable] = piece
                continue
            same[piece] = one
            if end[piece] > end[one]:
                end[one] = end[piece]
            if hint[one] == -1:
                hint[one] = hint[piece]
        for piece, barred in aside.items():
            variable = self.variables[piece]
            one = crossing[variable]
            if one < 0:
                crossing[variable] = piece
            else:
                same[piece] = one
                self.barred[one] = self.barred.get(one, 0) | barred

    def _extend(self, batch: list[Variable], crossing: dict[Variable, int], after: list[list[int]]) -> None:
        """Find out where the variables of a batch are live, and extend their intervals."""
        bit_of = {variable: 1 << number for number, variable in enumerate(batch)}
        gen, kill = [], []
        get, variables = bit_of.get, self.variables
        upward = bytearray(len(variables))
        for piece in self.upward:
            upward[piece] = 1
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
        self._stretch([crossing[variable] for variable in batch], into, out)

    def _stretch(self, pieces: list[int], into: list[int], out: list[int]) -> None:
        """Extend intervals over the blocks that variables are live into and out of."""
        for block in self.aside:
            into[block] = 0
        seen = 0
        for block, live in enumerate(into):
            for number in members(live & ~seen):
                self.start[pieces[number]] = min(self.start[pieces[number]], self.starts[block] - 1)
            seen |= live
        seen = 0
        for block in range(len(into) - 1, -1, -1):
            live = out[block] | into[block]
            for number in members(live & ~seen):
                least = self.starts[block + 1] if out[block] >> number & 1 else self.starts[block]
                self.end[pieces[number]] = max(self.end[pieces[number]], least)
            seen |= live


def intervals(body: list[Instruction], legal: bool = False) -> Intervals | None:
    """The intervals of a function's variables; None where `legalise` must change something first (never if `legal`)."""
    result = Intervals(len(body))
    busy = Busy(result.busy)
    start, end, hint, upward, kinds = result.start, result.end, result.hint, result.upward, KINDS
    append = result.variables.append
    begins = True
    for position, instruction in enumerate(body, 1):
        op = instruction.op
        operands = instruction.operands
        kind = kinds[op]
        if begins or kind & BEGINS_BLOCK:
            begins = False
            result.starts.append(position)
            result.first.append(len(end))
            piece_of: dict[object, int] = {}
            get = piece_of.get
            busy.begin(position - 1)
            if kind & BEGINS_BLOCK:
                continue
        physical = kind & IMPLICIT
        for operand in operands:
            what = operand.__class__
            if what is Variable:
                piece = get(operand)
                if piece is not None:
                    end[piece] = position
                    continue
                piece_of[operand] = piece = len(end)
                append(operand)  # type: ignore[arg-type]
                start.append(position)
                end.append(position)
                hint.append(-1)
                if not kind & WRITES or operand is not operands[0] or len(operands) > 1 and _reads(operands, operand):
                    upward.append(piece)
            elif what is Mem:
                physical |= result.add_address(operand, piece_of, position)  # type: ignore[arg-type]
            elif what is Register:
                physical |= IMPLICIT
            elif what is int and not legal and not -IMM32 <= operand < IMM32 and not wide_move(instruction):  # type: ignore[operator]
                return None
        if kind & WRITES_TWO and operands[1].__class__ is Variable:
            result.write_second(operands, piece_of[operands[1]], position)
        if kind & MOVE:
            if operands[1].__class__ in CELLS:
                _note_move(operands, get, hint)
        elif kind & SHIFT and not legal and count_elsewhere(operands):
            return None
        if physical:
            busy.touch(instruction, position)
        if kind & ENDS_BLOCK:
            begins = True
            if kind & FAILS:
                result.set_aside(position)
    result.finish(body, busy)
    return result


def _note_move(operands: tuple[object, ...], get: Callable[[object], int | None], hint: list[int]) -> None:
    """Note what the ends of a move would like.  A register's wish counts more than a variable's."""
    target, source = operands
    if target.__class__ is Variable:
        into = get(target)
        assert into is not None
        if source.__class__ is Register:
            hint[into] = -2 - source.index
        elif source.__class__ is Variable and hint[into] == -1 and source is not target:
            hint[into] = get(source)  # type: ignore[assignment]
    elif target.__class__ is Register and source.__class__ is Variable:
        hint[get(source)] = -2 - target.index  # type: ignore[index]


def _reads(operands: tuple[object, ...], variable: object) -> bool:
    """Whether a variable that is the first operand is also among the others, or in their addresses."""
    if len(operands) == 2:
        second = operands[1]
        return second is variable or second.__class__ is Mem and variable in second[:2]
    return any(operand is variable or operand.__class__ is Mem and variable in operand[:2] for operand in operands[1:])


def wide_move(instruction: Instruction) -> bool:
    """Whether an instruction is one that may have an immediate of 64 bits."""
    return instruction.op is MOV and instruction.operands[0].__class__ is not Mem


def count_elsewhere(operands: tuple[object, ...]) -> bool:
    """Whether a shift by a register has its count elsewhere than in rcx."""
    count = operands[-1]
    return count.__class__ is Variable or count.__class__ is Register and count is not RCX
