"""Stack slots for spilled variables: the same for several whose lives do not overlap."""

from __future__ import annotations

from heapq import heappop, heappush

from septet.x86.instructions import Mem
from septet.x86.registers import RSP

TYPE_CHECKING = False
if TYPE_CHECKING:
    Extent = tuple[int, int, int, int]  # start, end, words, and what stands for the variable


class Slots:
    """The slots of one function, of as many 8-byte words each as the variables in it need."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def assign(self, extents: list[Extent]) -> dict[int, Mem]:
        """A slot for each, disjoint from those assigned before."""
        homes: dict[int, Mem] = {}
        for words in sorted({extent[2] for extent in extents}):
            taken: list[tuple[int, int]] = []  # end, slot
            for start, end, _, key in sorted([extent for extent in extents if extent[2] == words]):
                if taken and taken[0][0] <= start:
                    slot = heappop(taken)[1]
                else:
                    slot = self.count
                    self.count += words
                homes[key] = Mem(RSP, 8 * slot)
                heappush(taken, (max(end, start + 1), slot))
        return homes
