"""Stack slots for spilled variables: the same for several whose lives do not overlap."""

from __future__ import annotations

from heapq import heappop, heappush

from septet.x86 import forms
from septet.x86.instructions import Mem
from septet.x86.registers import GENERAL, RSP, VECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.instructions import Instruction, Op

    Extent = tuple[int, int, int, int]  # start, end, bank, and what stands for the variable

BITWISE = ("andps", "andnps", "orps", "xorps", "andpd", "andnpd", "orpd", "xorpd", "pand", "pandn", "por", "pxor", "movaps")


class Slots:
    """The slots of one function.  One of a vector register is 8 bytes, or 16 if the function computes on whole vectors."""

    __slots__ = ("count", "vector_size")

    def __init__(self) -> None:
        self.count = 0
        self.vector_size = 0  # in words; 0 as long as nobody has asked

    def assign(self, extents: list[Extent], body: list[Instruction]) -> dict[int, Mem]:
        """A slot for each, disjoint from those assigned before."""
        homes: dict[int, Mem] = {}
        for bank in (GENERAL, VECTOR):
            mine = sorted([extent for extent in extents if extent[2] == bank])
            if bank == VECTOR and mine and not self.vector_size:
                self.vector_size = 2 if _whole_vectors(body) else 1
            size = 1 if bank == GENERAL else self.vector_size
            taken: list[tuple[int, int]] = []  # end, slot
            for start, end, _, key in mine:
                if taken and taken[0][0] <= start:
                    slot = heappop(taken)[1]
                else:
                    slot = self.count
                    self.count += size
                homes[key] = Mem(RSP, 8 * slot)
                heappush(taken, (max(end, start + 1), slot))
        return homes

    @property
    def vector_move(self) -> Op:
        """The opcode that loads and stores vector registers."""
        if self.vector_size == 2:
            return forms.op("movups")
        return forms.MOVSD


def _whole_vectors(body: list[Instruction]) -> bool:
    """Whether a function computes on more than the low 64 bits of vector registers.  Bit operations and moves do not tell."""
    for op in dict.fromkeys([instruction.op for instruction in body]):
        if op.name not in BITWISE and any(place.memory == 128 for form in op.forms for place in form.places):
            return True
    return False
