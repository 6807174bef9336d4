"""The course's dumps of one function: liveness, interference, and the spilling of one variable.

They follow the course's definitions to the letter, callee-saved registers and explicit return labels included, and so are
written apart from the allocator, which has its own ways (it needs neither sets an instruction nor spills by text).
"""

from __future__ import annotations

from septet.base.bits import members
from septet.base.diagnostics import Diagnostic, Rejected
from septet.l2.allocate.access import accesses, implicit
from septet.l2.allocate.liveness import block_starts, solve, successors
from septet.l2.text import parse_fragment
from septet.x86.forms import MOV, MOVSD, SAR, SHL
from septet.x86.instructions import Instruction, Mem, Variable
from septet.x86.registers import GENERAL, RCX, REGISTERS, RSP, VECTOR
from septet.x86.spell import spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.source import Source
    from septet.l2.nodes import Function
    from septet.x86.forms import Operand


class _Dump:
    """The cells of a function, numbered (registers first), and their live sets before and after each instruction."""

    __slots__ = ("names", "variables", "gen", "kill", "into", "out")

    def __init__(self, function: Function) -> None:
        body = function.body
        self.variables: dict[Variable, int] = {}
        self.gen: list[int] = []
        self.kill: list[int] = []
        for instruction in body:
            reads, writes = accesses(instruction)
            gen, kill = implicit(instruction)
            for cell in reads:
                gen |= self._bit(cell)
            for cell in writes:
                kill |= self._bit(cell)
            self.gen.append(gen)
            self.kill.append(kill)
        self.names = [register.name for register in REGISTERS] + [f"%{variable.name}" for variable in self.variables]
        self._flow(body)

    def _bit(self, cell: object) -> int:
        if isinstance(cell, Variable):
            return 1 << self.variables.setdefault(cell, len(REGISTERS) + len(self.variables))
        return cell.bit  # type: ignore[attr-defined, no-any-return]

    def _flow(self, body: list[Instruction]) -> None:
        starts = block_starts(body)
        ends = [*starts[1:], len(body)]
        block_gen, block_kill = [], []
        for start, end in zip(starts, ends, strict=True):
            gen = kill = 0
            for position in range(end - 1, start - 1, -1):
                gen = gen & ~self.kill[position] | self.gen[position]
                kill |= self.kill[position]
            block_gen.append(gen)
            block_kill.append(kill)
        _, block_out = solve(block_gen, block_kill, successors(body, starts, back_anywhere=False))
        self.into = [0] * len(body)
        self.out = [0] * len(body)
        for start, end, live in zip(starts, ends, block_out, strict=True):
            for position in range(end - 1, start - 1, -1):
                self.out[position] = live
                live = live & ~self.kill[position] | self.gen[position]
                self.into[position] = live

    def spell(self, bits: int) -> str:
        """The names in a set, blank-separated, sorted."""
        return " ".join(sorted([self.names[number] for number in members(bits)], key=_order))


def _order(line: str) -> tuple[str, str]:
    """The order of the course's files, which a `sort` made that looks at letters and digits first."""
    return "".join([character for character in line if character.isalnum()]).lower(), line


def liveness(source: Source) -> str:
    """The in and out sets of each instruction of the function in `source`.  Raises Rejected."""
    function, _ = parse_fragment(source)
    dump = _Dump(function)
    into = "\n".join([f"({dump.spell(bits)})" for bits in dump.into])
    out = "\n".join([f"({dump.spell(bits)})" for bits in dump.out])
    return f"(\n(in\n{into}\n)\n\n(out\n{out}\n)\n\n)\n"


def interference(source: Source) -> str:
    """The interference graph of the function in `source`: a line a node, first itself and then its neighbours."""
    function, _ = parse_fragment(source)
    dump = _Dump(function)
    general, vector = _by_bank(dump, GENERAL), _by_bank(dump, VECTOR)
    if not vector & (-1 << len(REGISTERS)):
        vector = 0
    neighbours = [0] * len(dump.names)

    def connect(some: int, others: int) -> None:
        for bank in (general, vector):
            for number in members(some & bank):
                neighbours[number] |= others & bank

    registers = (1 << len(REGISTERS)) - 1
    connect(registers, registers)
    for position, instruction in enumerate(function.body):
        for live in (dump.into[position], dump.out[position]):
            connect(live, live)
        connect(dump.kill[position], dump.out[position])
        connect(dump.out[position], dump.kill[position])
        if instruction.op in (SHL, SAR) and isinstance(instruction.operands[1], Variable):
            count = 1 << dump.variables[instruction.operands[1]]
            connect(count, registers & ~RCX.bit)
            connect(registers & ~RCX.bit, count)
    lines = [f"{dump.names[n]} {dump.spell(neighbours[n] & ~(1 << n))}" for n in members(general | vector)]
    return "".join([line.rstrip() + "\n" for line in sorted(lines, key=_order)])


def _by_bank(dump: _Dump, bank: int) -> int:
    """The set of the registers, rsp left out, and variables of a bank."""
    cells = [register.bit for register in REGISTERS if register.bank == bank and register is not RSP]
    cells += [1 << number for variable, number in dump.variables.items() if variable.bank == bank]
    return sum(cells)


def spill(source: Source) -> str:
    """The function in `source` after the variable named behind it is kept in memory; the word after that is what the
    variables that this takes are named by.  Raises Rejected."""
    function, words = parse_fragment(source)
    if len(words) != 2 or words[0][0] != "%" or words[1][0] != "%":
        raise Rejected([Diagnostic("expected, after the function, the variable to spill and the prefix of new names")])
    name, prefix = words[0][1:], words[1][1:]
    lines: list[Instruction] = []
    count = 0
    for instruction in function.body:
        reads, writes = accesses(instruction)
        found = [cell for cell in reads + writes if isinstance(cell, Variable) and cell.name == name]
        if not found:
            lines.append(instruction)
            continue
        old = found[0]
        new = Variable(f"{prefix}{count}", old.bank)
        count += 1
        move = MOV if old.bank == GENERAL else MOVSD
        if old in reads:
            lines.append(Instruction(move, (new, Mem(RSP, 0))))
        lines.append(Instruction(instruction.op, tuple([_replaced(operand, old, new) for operand in instruction.operands])))
        if old in writes:
            lines.append(Instruction(move, (Mem(RSP, 0), new)))
    text = "".join([f"\t{spell(instruction)}\n" for instruction in lines])
    return f"(@{function.name}\n\t{function.words} {int(count > 0)}\n{text})\n"


def _replaced(operand: Operand, old: Variable, new: Variable) -> Operand:
    if isinstance(operand, Mem):
        base, index, scale, displacement = operand
        return Mem(new if base is old else base, displacement, new if index is old else index, scale)
    return new if operand is old else operand
