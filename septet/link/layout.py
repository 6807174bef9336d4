"""Places machine code and data in one image: the same bytes are an executable file and a program in this process.

    offset 0         ELF header, so that the image is a file as it stands
           256       the runtime
           ...       functions: an 8-byte header (descriptor, encoded first line), then code at an aligned entry
           ...       constant data
    `writable`       page-aligned, not in the file: the stack, which runs into the code above when it overflows, then the
                     runtime's state, then the program's writable data

Nothing in it depends on where it is loaded.
"""

from __future__ import annotations

from struct import pack_into

from septet.base.diagnostics import Diagnostic, Rejected
from septet.base.symbols import DATA, FUNCTION, ROUTINE, symbol
from septet.link import elf
from septet.link.block import ALIGNMENT, PAGE, Block, place
from septet.link.maps import DATA_FIELD, LIBRARY, SETTINGS, Collection, Table, settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from septet.base.symbols import Data
    from septet.link.code import Code, Frame
    from septet.link.maps import Map

HUGE_PAGE = 1 << 21
STACK = 1 << 28  # bytes; the runtime's first data
MOST_DATA = 1 << 30  # bytes; relative references reach 2 GiB
OUTSIDE = symbol(FUNCTION, "program")  # what the runtime calls: the program's entry


class Runtime:
    """The runtime, linked but for where its writable region and the program's entry are."""

    __slots__ = ("content", "symbols", "functions", "constants", "references", "calls", "writable", "entry", "frames", "maps")

    def __init__(
        self,
        content: bytes,
        symbols: dict[str, int],
        functions: list[tuple[str, int, int]],
        constants: list[tuple[str, int, int]],
        references: list[tuple[int, int]],
        calls: list[int],
        writable: list[tuple[str, int, int]],
        entry: int,
        frames: dict[str, list[Frame]],
        maps: list[tuple[int, Map]],
    ) -> None:
        self.content = content
        self.symbols = symbols  # offset of each routine, `print/1`
        self.functions = functions  # name, entry, end
        self.constants = constants  # name, offset, size
        self.references = references  # where, offset in the writable region plus addend
        self.calls = calls  # where the program's entry is called
        self.writable = writable  # name, offset, size; the stack is first
        self.entry = entry  # where execution starts
        self.frames = frames  # of each function, as in `Code`
        self.maps = maps  # of calls that may collect: return offset, map (see `link.maps`)


class Image:
    """A linked program: `content` from offset 0 on, `writable_size` zero bytes from offset `writable` on."""

    __slots__ = ("content", "start", "entry", "functions", "constants", "writable", "writable_size", "data", "references")

    def __init__(
        self,
        content: bytes,
        start: int,
        entry: int,
        functions: list[tuple[str, int, int]],
        constants: list[tuple[str, int, int]],
        writable: int,
        writable_size: int,
        data: list[tuple[str, int, int]],
        references: list[tuple[int, int]],
    ) -> None:
        self.content = content
        self.start = start  # the end of the ELF header
        self.entry = entry
        self.functions = functions  # name, entry, end: the runtime's (names with a dot), then the program's
        self.constants = constants  # name, offset, size
        self.writable = writable
        self.writable_size = writable_size
        self.data = data  # name, offset in the image, size: what is in the writable region
        self.references = references  # the places of 4-byte relative references to it, and the offset in the image meant


def link(
    codes: Iterable[Code],
    data: dict[str, Data],
    entry: str,
    runtime: Runtime | None = None,
    start: int = elf.HEADER,
    collection: Collection | None = None,
) -> Image:
    """The image of a program that starts at function `entry`.  Rejected where a name is not defined.

    Without an entry it is a library's: nothing calls it, it has no stack of its own, and its first `start` bytes are left zero.
    """
    if runtime is None:
        from septet.runtime.image import load

        runtime = load()
    if sum([item.size for item in data.values()]) > MOST_DATA:
        raise Rejected([Diagnostic(f"the program has more than {MOST_DATA >> 20} MiB of data")])
    maps = Table(codes, runtime.maps)
    block = place(codes, [*data.values(), maps.data], start + len(runtime.content))
    symbols = block.symbols
    for name, offset in runtime.symbols.items():
        symbols[symbol(ROUTINE, name)] = start + offset
    main = symbols.get(symbol(FUNCTION, entry))
    if main is None and entry:
        raise Rejected([Diagnostic(f"the entry function '@{entry}' is not defined")])
    constants = [(name, start + offset, size) for name, offset, size in runtime.constants]
    constants += [(item.name, symbols[symbol(DATA, item.name)], item.size) for item in data.values() if item.content]
    constants += block.constants
    if maps.data.size:
        constants.append((maps.data.name, symbols[symbol(DATA, maps.data.name)], maps.data.size))
    size = start + len(runtime.content) + len(block.content)
    writable = _writable_offset(size) if entry else (size + 2 * PAGE - 1) & -PAGE
    missing = 0 if entry else _stack_size(runtime)
    variables = [(name, writable + offset - missing, size) for name, offset, size in runtime.writable if size != missing]
    own = len(variables)
    for item in data.values():
        if not item.content:
            at = -(-(variables[-1][1] + variables[-1][2]) // ALIGNMENT) * ALIGNMENT if variables else writable
            symbols[symbol(DATA, item.name)] = at
            variables.append((item.name, at, item.size))
    block.content[:0] = bytes(start) + runtime.content
    block.relocate(block.open)
    image = block.content
    references = _tell(maps, runtime, block, start, collection or Collection(0, 0 if entry else LIBRARY), variables[own:])
    wanted = [(where, target - missing) for where, target in runtime.references if target >= missing - 4]
    references += [(start + where, writable + target) for where, target in wanted]
    for where, target in references:
        pack_into("<i", image, where, target - where)
    for where in runtime.calls:
        if main is not None:
            pack_into("<i", image, start + where, main - 4 - (start + where))
    references += [(where, symbols[s] + addend) for where, s, addend in block.open if symbols[s] >= writable]
    functions = [(name, start + first, start + last) for name, first, last in runtime.functions] + block.functions
    writable_size = variables[-1][1] + variables[-1][2] - writable if variables else 0
    if entry:
        image[:start] = elf.header(start + runtime.entry, size, writable, writable_size)
    return Image(
        bytes(image), start, start + runtime.entry, functions, constants, writable, writable_size, variables, references
    )  # fmt: skip


def no_runtime() -> Runtime:
    """What stands for the runtime in a library that calls none of its routines."""
    return Runtime(b"", {}, [], [], [], [], [], 0, {}, [])


def _stack_size(runtime: Runtime) -> int:
    """The bytes of the stack, the first of the runtime's writable data."""
    return runtime.writable[0][2] if runtime.writable else 0


def _tell(
    maps: Table, runtime: Runtime, block: Block, start: int, collection: Collection, variables: list[tuple[str, int, int]]
) -> list[tuple[int, int]]:
    """Tell the collector what it must know; `variables` are the program's writable data.  Gives the references made."""
    here = next((start + offset for name, offset, _ in runtime.constants if name == SETTINGS), 0)
    if not here:
        return []
    table = maps.fill(block, here, start)
    first, last = (variables[0][1], variables[-1][1] + variables[-1][2]) if variables else (0, 0)
    settle(block.content, here, table, collection, last - first)
    return [(here + DATA_FIELD, first)] if variables else []


def _writable_offset(size: int) -> int:
    """Where the writable region of an image of `size` bytes begins: at the next page, but so that the end of the stack and
    the runtime's state share a huge page that is not all in the region.  Linux then backs a small program with small pages;
    clearing a huge one would take longer than the whole program."""
    at = (size + PAGE - 1) & -PAGE
    wanted = HUGE_PAGE // 2
    return at + (wanted - (at + elf.ADDRESS + STACK)) % HUGE_PAGE
