"""Changes to a function that no choice of registers could spare: shift counts go to rcx, wide immediates to variables.

%x <<= %n          rcx <- %n ; %x <<= rcx              (around a live rcx: %keep <- rcx ... rcx <- %keep)
rcx <<= %n         %t <- rcx ; rcx <- %n ; %t <<= rcx ; rcx <- %t
%x &= 5000000000   %wide <- 5000000000 ; %x &= %wide
"""

from __future__ import annotations

from septet.base.names import Fresh
from septet.l2.allocate.access import accesses, implicit
from septet.l2.allocate.intervals import IMM32, KINDS, SHIFT, count_elsewhere, wide_move
from septet.l2.allocate.liveness import block_starts, solve, successors
from septet.x86.forms import CJUMP, IMUL, IMUL3, MOV, SET, form_for
from septet.x86.instructions import Instruction, Mem, Variable
from septet.x86.registers import RCX, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.forms import Operand
    from septet.x86.instructions import Op

COMPARISONS = frozenset([*CJUMP.values(), *SET.values()])


def legalise(body: list[Instruction]) -> list[Instruction]:
    """The body with every instruction in a form that registers can be chosen for."""
    legaliser = _Legaliser(body)
    append = legaliser.result.append
    for position, instruction in enumerate(body):
        if KINDS[instruction.op] & SHIFT and count_elsewhere(instruction.operands):
            legaliser.shift(instruction, position)
            continue
        for operand in instruction.operands:
            if operand.__class__ is int and not -IMM32 <= operand < IMM32:
                legaliser.immediates(instruction)
                break
        else:
            append(instruction)
    return legaliser.result


def fresh_names(body: list[Instruction]) -> Fresh:
    """Names for variables that the body does not use."""
    taken: dict[str, None] = {}
    for instruction in body:
        for operand in instruction.operands:
            for cell in operand if isinstance(operand, Mem) else (operand,):
                if isinstance(cell, Variable):
                    taken[cell.name] = None
    return Fresh(taken)


def live_registers(body: list[Instruction]) -> list[int]:
    """The registers that are live behind each instruction, as bit sets."""
    gens, kills = [], []
    for instruction in body:
        gen, kill = implicit(instruction)
        reads, writes = accesses(instruction)
        for cell in reads:
            gen |= cell.bit if isinstance(cell, Register) else 0
        for cell in writes:
            kill |= cell.bit if isinstance(cell, Register) else 0
        gens.append(gen)
        kills.append(kill)
    starts = block_starts(body)
    ends = [*starts[1:], len(body)]
    block_gen, block_kill = [], []
    for start, end in zip(starts, ends, strict=True):
        live = killed = 0
        for position in range(end - 1, start - 1, -1):
            live = live & ~kills[position] | gens[position]
            killed |= kills[position]
        block_gen.append(live)
        block_kill.append(killed)
    _, out = solve(block_gen, block_kill, successors(body, starts))
    result = [0] * len(body)
    for start, end, live in zip(starts, ends, out, strict=True):
        for position in range(end - 1, start - 1, -1):
            result[position] = live
            live = live & ~kills[position] | gens[position]
    return result


class _Legaliser:
    __slots__ = ("body", "result", "names", "live")

    def __init__(self, body: list[Instruction]) -> None:
        self.body = body
        self.result: list[Instruction] = []
        self.names: Fresh | None = None
        self.live: list[int] | None = None  # registers live behind each instruction

    def _variable(self, stem: str) -> Variable:
        if self.names is None:
            self.names = fresh_names(self.body)
        return Variable(self.names(stem))

    def _emit(self, op: Op, operands: tuple[Operand, ...], like: Instruction) -> None:
        self.result.append(Instruction(op, operands, like.span))

    def _rcx_is_live(self, position: int) -> bool:
        if self.live is None:
            self.live = live_registers(self.body)
        return bool(self.live[position] & RCX.bit)

    def shift(self, instruction: Instruction, position: int) -> None:
        """Put the count of a shift into rcx."""
        *values, count = instruction.operands
        shifted = any(value is RCX or isinstance(value, Mem) and RCX in value[:2] for value in values)
        kept = self._variable("rcx") if shifted or self._rcx_is_live(position) else None
        if kept is not None:
            self._emit(MOV, (kept, RCX), instruction)
            values = [_with(value, kept) for value in values]
        self._emit(MOV, (RCX, count), instruction)
        self._emit(instruction.op, (*values, RCX), instruction)
        if kept is not None:
            self._emit(MOV, (RCX, kept), instruction)

    def immediates(self, instruction: Instruction) -> None:
        """Put immediates that the instruction cannot hold into variables."""
        op = instruction.op
        operands = instruction.operands
        wide = [n for n, o in enumerate(operands) if isinstance(o, int) and not -IMM32 <= o < IMM32]
        if not wide or wide_move(instruction):
            self.result.append(instruction)
        elif op is IMUL3 and 2 in wide:
            product = self._variable("wide")
            self._emit(MOV, (product, operands[2]), instruction)
            self._emit(IMUL, (product, operands[1]), instruction)
            self._emit(MOV, (operands[0], product), instruction)
        elif op not in COMPARISONS and form_for(op, operands) is not None:
            self.result.append(instruction)
        else:
            changed = list(operands)
            for number in wide:
                variable = changed[number] = self._variable("wide")
                self._emit(MOV, (variable, operands[number]), instruction)
            self._emit(op, tuple(changed), instruction)


def _with(operand: Operand, kept: Variable) -> Operand:
    """The operand with `kept` in the place of rcx."""
    if isinstance(operand, Mem):
        base, index, scale, displacement = operand
        return Mem(kept if base is RCX else base, displacement, kept if index is RCX else index, scale)
    return kept if operand is RCX else operand
