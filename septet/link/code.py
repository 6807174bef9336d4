"""Machine code of one function, before linking: what L1c makes and the linker takes."""

from __future__ import annotations

from septet.base.source import COLUMN_BITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.base.symbols import Symbol

    Frame = tuple[int, int, tuple[tuple[int, int], ...]]


class Relocation:
    """The 4 bytes at `offset` become target + addend - (address of these 4 bytes); ELF's R_X86_64_PC32."""

    __slots__ = ("offset", "target", "addend")

    def __init__(self, offset: int, target: Symbol, addend: int = -4) -> None:
        self.offset = offset
        self.target = target  # a FUNCTION, DATA, LABEL or ROUTINE symbol; routines are named `print/1`, by arity
        self.addend = addend


class Code:
    """One function's bytes.  The linker puts an 8-byte header in front (descriptor and encoded first line).

    `places` is the provenance of every byte: (offset, span, by) where instructions of another span or pass begin, in order.
    `labels` are the offsets of labels, for other functions that refer to them by address.
    `frames` say how to unwind: (offset, CFA - rsp, saved) from that offset on, with saved = (register number, offset from the
    CFA) of the callee-saved registers whose entry values are in slots there; the first is (0, 8, ()).
    `alignment` is that of the entry, a power of two of 16 or more.
    `end` is where the instructions end, `constants` where the function's constants begin behind them.
    `maps` are stack maps: (return offset, places of the values that live across the call), for calls that may collect.
    """

    __slots__ = (
        "name", "arity", "line", "content", "relocations", "labels", "places", "alignment", "end", "constants", "maps",
        "_frames",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        arity: int,
        line: int,
        content: bytes,
        relocations: list[Relocation],
        labels: dict[str, int],
        places: list[tuple[int, int, str]],
        frames: Callable[[], list[Frame]] | None = None,
        alignment: int = 16,
        end: int = -1,
        constants: int = -1,
    ) -> None:
        self.name = name
        self.arity = arity
        self.line = line
        self.content = content
        self.relocations = relocations
        self.labels = labels
        self.places = places
        self.alignment = alignment
        self.end = end if end >= 0 else len(content)
        self.constants = constants if constants >= 0 else len(content)
        self.maps: list[tuple[int, list[Any]]] = []
        self._frames: Callable[[], list[Frame]] | list[Frame] | None = frames

    @property
    def frames(self) -> list[Frame]:
        """Worked out when first asked for: most programs are neither debugged nor collected."""
        known = self._frames
        if not isinstance(known, list):
            known = self._frames = [(0, 8, ())] if known is None else known()
        return known

    def lines(self) -> list[tuple[int, int]]:
        """(offset, source line) where the line changes; places without a span belong to the line before."""
        last = -1
        result = []
        for offset, span, _ in self.places:
            relative = span >> COLUMN_BITS
            if span and relative != last:
                last = relative
                result.append((offset, self.line + last))
        return result
