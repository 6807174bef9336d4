"""Places functions and constant data one behind the other: the part of linking that needs neither a runtime nor a file."""

from __future__ import annotations

from struct import pack, pack_into

from septet.base.diagnostics import Diagnostic, Rejected
from septet.base.symbols import DATA, FUNCTION, LABEL, symbol
from septet.x86 import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from septet.base.symbols import Data, Symbol
    from septet.link.code import Code

PAGE = 4096
ALIGNMENT = 16  # of entries and data
TRAP = b"\xcc"  # fills gaps: running into one stops the program


class Block:
    """Code and constant data that stand together; all offsets, also those in `open`, are in the image.

    `open` are its references to symbols, not filled in yet.
    """

    __slots__ = ("content", "symbols", "functions", "open", "constants")

    def __init__(
        self,
        content: bytearray,
        symbols: dict[Symbol, int],
        functions: list[tuple[str, int, int]],
        open: list[tuple[int, Symbol, int]],
        constants: list[tuple[str, int, int]],
    ) -> None:
        self.content = content
        self.symbols = symbols
        self.functions = functions  # name, entry, end
        self.open = open  # where, of what, addend; as in `Relocation`
        self.constants = constants  # name, offset, size: what functions have behind their instructions

    def relocate(self, relocations: list[tuple[int, Symbol, int]]) -> None:
        """Fill in those references.  Rejected where a symbol is unknown."""
        content, symbols = self.content, self.symbols
        unknown: dict[Symbol, None] = {}
        for where, target, addend in relocations:
            at = symbols.get(target)
            if at is None:
                unknown[target] = None
            else:
                pack_into("<i", content, where, at + addend - where)
        if unknown:
            raise Rejected([Diagnostic(f"'{target!r}' is used but not defined") for target in unknown])


def place(codes: Iterable[Code], data: Iterable[Data], start: int = 0) -> Block:
    """Functions, then constant data, one behind the other; `start` is where the block will stand, a multiple of 16."""
    parts: list[bytes] = []
    at = start
    symbols: dict[Symbol, int] = {}
    functions: list[tuple[str, int, int]] = []
    constants: list[tuple[str, int, int]] = []
    placed: list[tuple[int, Code]] = []
    for code in codes:
        entry = (at + 8 + code.alignment - 1) & -code.alignment
        header = pack("<II", abi.descriptor(abi.FUNCTION, code.arity), (2 * code.line + 1) & 0xFFFFFFFF)
        parts += (TRAP * (entry - 8 - at), header, code.content)
        at = entry + len(code.content)
        symbols[symbol(FUNCTION, code.name)] = entry
        functions.append((code.name, entry, entry + code.end))
        if code.constants < len(code.content):
            constants.append((f"{code.name}.constants", entry + code.constants, len(code.content) - code.constants))
        placed.append((entry, code))
    for item in data:
        if item.content:
            gap = -at % min(item.size & -item.size, ALIGNMENT)  # as its elements are, if it is an array of them
            parts += (TRAP * gap, item.content, bytes(item.size - len(item.content)))
            symbols[symbol(DATA, item.name)] = at + gap
            at += gap + item.size
    parts.append(TRAP * (-at % ALIGNMENT))
    return Block(bytearray().join(parts), symbols, functions, _resolve_later(placed, symbols), constants)


def _resolve_later(placed: list[tuple[int, Code]], symbols: dict[Symbol, int]) -> list[tuple[int, Symbol, int]]:
    """All relocations, at offsets in the block.  Labels are looked for only if one is wanted."""
    result = [(entry + r.offset, r.target, r.addend) for entry, code in placed for r in code.relocations]
    if any(target.kind == LABEL for _, target, _ in result):
        for entry, code in placed:
            for name, offset in code.labels.items():
                symbols[symbol(LABEL, name)] = entry + offset
    return result
