"""Machine code of one function, before linking: what L1c makes and the linker takes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.symbols import Symbol


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
    `alignment` is that of the entry, a power of two of 16 or more.
    `labels` are the offsets of labels, for other functions that refer to them by address.
    """

    __slots__ = ("name", "arity", "line", "content", "relocations", "labels", "places", "alignment")

    def __init__(
        self,
        name: str,
        arity: int,
        line: int,
        content: bytes,
        relocations: list[Relocation],
        labels: dict[str, int],
        places: list[tuple[int, int, str]],
        alignment: int = 16,
    ) -> None:
        self.name = name
        self.arity = arity
        self.line = line
        self.content = content
        self.relocations = relocations
        self.labels = labels
        self.places = places
        self.alignment = alignment
