"""How many bytes of a vector register a variable takes, and the instructions that load and store that many."""

from __future__ import annotations

from septet.base.symbols import Line, Symbol
from septet.x86 import forms
from septet.x86.forms import LEA, MOV
from septet.x86.instructions import Mem, Pool, Variable
from septet.x86.registers import GENERAL, RSP, VECTOR
from septet.x86.targets import FEATURES, features

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.instructions import Instruction, Op

MOVED_BYTES = {"mov": 8, "movsd": 8, "movaps": 16, "movups": 16}  # what copies so many bytes and no others
MOVED_BYTES |= {f"v{name}": size for name, size in MOVED_BYTES.items() if name != "mov"}
MOVED_BYTES |= {"vmovaps256": 32, "vmovups256": 32, "vmovaps512": 64, "vmovups512": 64}
_SPILL = {(8, False): "movsd", (16, False): "movups", (8, True): "vmovsd", (16, True): "vmovups"}
_SPILL |= {
    (size, vex): f"vmovups{8 * size}" for size in (32, 64) for vex in (False, True)
}  # whatever the target: L2 text has them


def bytes_named(op: Op, number: int) -> int:
    """How many bytes of its operand `number` an instruction names; 8 at least."""
    widths = op.widths
    return max(widths[number], 8) if number < len(widths) else 8


def remade(instruction: Instruction) -> bool:
    """Whether an instruction only writes a constant, so that it can be done again anywhere: a number, an address, a constant
    from the pool."""
    operands = instruction.operands
    if len(operands) != 2 or operands[0].__class__ is Mem:
        return False
    op, source = instruction.op, operands[1]
    if op is MOV:
        return source.__class__ is int or source.__class__ is Symbol or source.__class__ is Line
    if op is LEA:
        return source[0] is RSP and source[1] is None  # type: ignore[index]
    return source.__class__ is Pool and op.access == ("w", "r")


class Moves:
    """The opcodes that load and store the variables of one function, which `measure` has seen.

    The size of a variable of the vector bank is the largest width that an instruction names it with, or that what it is moved
    to needs: 8, 16, 32 or 64 bytes.  All of the function's vector instructions are VEX ones where the target has them.
    """

    __slots__ = ("vex", "sizes")

    def __init__(self, target: str) -> None:
        self.vex = bool(features(target) & FEATURES["avx"])
        self.sizes: dict[object, int] = {}

    def measure(self, body: list[Instruction]) -> None:
        """Find the sizes of all variables of the vector bank."""
        sizes = self.sizes
        moves: list[tuple[Variable, Variable]] = []
        for instruction in body:
            op = instruction.op
            operands = instruction.operands
            if op.is_move and operands[0].__class__ is Variable and operands[1].__class__ is not Mem:
                if operands[0].bank == VECTOR:
                    sizes.setdefault(operands[0], 8)
                    if operands[1].__class__ is Variable:
                        sizes.setdefault(operands[1], 8)
                        moves.append((operands[0], operands[1]))
                continue
            for number, operand in enumerate(operands):
                if operand.__class__ is Variable and operand.bank == VECTOR:
                    sizes[operand] = max(sizes.get(operand, 8), bytes_named(op, number))
        changed = True
        while changed:
            changed = False
            for target, source in reversed(moves):
                if sizes[source] < sizes[target]:
                    sizes[source] = sizes[target]
                    changed = True

    def words(self, variable: Variable) -> int:
        """How many 8-byte words a variable's slot has."""
        return 1 if variable.bank == GENERAL else self.sizes[variable] // 8

    def of(self, variable: Variable) -> Op:
        """The opcode that loads and stores a variable."""
        return MOV if variable.bank == GENERAL else forms.op(_SPILL[self.sizes[variable], self.vex])

    @property
    def scalar(self) -> Op:
        """The opcode that loads and stores 8 bytes of a vector register."""
        return forms.op(_SPILL[8, self.vex])
