"""Stack maps in the image: what the collector (`runtime/collector.ir`) knows of the frames on the stack, and what it is told.

A *site* is a call that may collect.  Its map says how large its frame is, where the values are that live across the call, and
where the frame keeps its caller's callee-saved registers.  In the image stand, as numbers of 32 bits: the distances of the
return addresses from the runtime's constant `collector`, in rising order; for each where its map begins, in bytes from the
first of all; then the maps, each content once.
"""

from __future__ import annotations

from bisect import bisect_right
from struct import pack, pack_into

from septet.base.symbols import DATA, FUNCTION, Data, symbol
from septet.x86.abi import CALLEE_SAVED
from septet.x86.registers import RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from septet.base.options import Options
    from septet.base.symbols import Symbol
    from septet.link.block import Block
    from septet.link.code import Code, Frame
    from septet.x86.instructions import Mem

    Map = tuple[int, ...]

NAME = "runtime.maps"  # of the table among the image's constants
SETTINGS = "runtime.collector"  # of the constant that says where the table is, and more: see `settle`
STRESS, REPORT, LIBRARY = 1, 2, 4  # its flags
DATA_FIELD = 32  # where in it the distance of the program's data is
_NUMBER = {register: -1 - number for number, register in enumerate(CALLEE_SAVED)}
_NUMBERED = {register.number: number for register, number in _NUMBER.items()}


class Collection:
    """How a program collects: `limit` on the bytes of its heap (0: none), and `flags`."""

    __slots__ = ("limit", "flags")

    def __init__(self, limit: int = 0, flags: int = 0) -> None:
        self.limit = limit
        self.flags = flags


def collection(options: Options) -> Collection:
    """What the options say about it; a limit is rounded up to whole pages."""
    limit = min(options.heap_limit + 4095, 1 << 62) & -4096
    return Collection(limit, STRESS if options.gc_stress else 0)


def sites(code: Code) -> list[tuple[int, Map]]:
    """The return offset and the map of each site of a function."""
    if not code.maps:
        return []
    frames = code.frames
    starts = [offset for offset, _, _ in frames]
    return [(offset, _map(frames[bisect_right(starts, offset - 1) - 1], places)) for offset, places in code.maps]


def _map(frame: Frame, places: list[Register | Mem]) -> Map:
    """The numbers that `mark_frame` of the collector reads."""
    _, size, saved = frame
    roots = [_NUMBER[place] if isinstance(place, Register) else _offset(place) for place in places]
    saves = [number for register, offset in saved for number in (_NUMBERED[register], size + offset)]
    return (size, len(roots), *roots, len(saved), *saves)


def _offset(place: Mem) -> int:
    base, index, _, displacement = place
    assert base is RSP and index is None
    return displacement


class Table:
    """The table of a program: `data` is what the linker places, empty until `fill`.  Without sites it has no bytes."""

    __slots__ = ("data", "_sites", "_begin", "_maps")

    def __init__(self, codes: Iterable[Code], runtime: list[tuple[int, Map]]) -> None:
        """`runtime` are the sites of the runtime, by their offsets in it."""
        self._sites: list[tuple[Symbol | None, int, Map]] = []  # function or None for the runtime, offset, map
        for code in codes:
            if code.maps:
                name = symbol(FUNCTION, code.name)
                self._sites += [(name, offset, map) for offset, map in sites(code)]
        if self._sites:
            self._sites += [(None, offset, map) for offset, map in runtime]
        self._begin: dict[Map, int] = {}
        self._maps = bytearray()
        for _, _, map in self._sites:
            if map not in self._begin:
                self._begin[map] = 8 * len(self._sites) + len(self._maps)
                self._maps += pack(f"<{len(map)}i", *map)
        self.data = Data(NAME, 8 * len(self._sites) + len(self._maps), b"\0" if self._sites else b"")

    def fill(self, block: Block, here: int, runtime: int) -> tuple[int, int]:
        """Write the table into a linked block; `here` is where the constant `collector` is, `runtime` where the runtime is.

        Gives how far from `here` the table is, and how many sites it has.
        """
        count = len(self._sites)
        if not count:
            return 0, 0
        symbols = block.symbols
        rows = [((runtime if name is None else symbols[name]) + at - here, self._begin[map]) for name, at, map in self._sites]
        rows.sort()
        keys, begins = zip(*rows, strict=True)
        table = symbols[symbol(DATA, NAME)]
        pack_into(f"<{2 * count}i", block.content, table, *keys, *begins)
        block.content[table + 8 * count : table + self.data.size] = self._maps
        return table - here, count


def settle(image: bytearray, here: int, table: tuple[int, int], collection: Collection, data: int) -> None:
    """Write the constant `collector` at offset `here`, but for the reference at `DATA_FIELD`: what is wanted, what `Table.fill`
    gave, and how many bytes of writable data the program has."""
    pack_into("<6q", image, here, collection.limit, collection.flags, *table, 0, data)
