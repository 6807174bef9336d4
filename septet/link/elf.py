"""ELF files: the header that makes an image a static executable, sections and symbols, and relocatable objects.

Layouts are those of the System V ABI's generic part and its AMD64 supplement.
"""

from __future__ import annotations

from struct import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from septet.link.dwarf import Part
    from septet.link.layout import Image

HEADER = 256  # bytes in front of an image's code
ADDRESS = 0x400000  # where executables are loaded
PAGE = 4096
RELOCATABLE, EXECUTABLE, SHARED = 1, 2, 3
_X86_64 = 62
LOAD, STACK = 1, 0x6474E551  # program headers
R, W, X = 4, 2, 1
PROGBITS, SYMTAB, STRTAB, RELA, HASH, DYNAMIC, NOBITS, DYNSYM, FINI_ARRAY = 1, 2, 3, 4, 5, 6, 8, 11, 15  # sections
WRITE, ALLOC, EXECUTE, INFO_LINK = 1, 2, 4, 0x40
OBJECT, FUNC, SECTION = 1, 2, 3  # symbols
ABSOLUTE64, PC32, GLOB_DAT, GOTPCREL, ABSOLUTE32 = 1, 2, 6, 9, 10  # relocations


def file_header(kind: int, entry: int = 0, programs: int = 0) -> bytes:
    """The 64 bytes that a file begins with; program headers, if any, follow it."""
    identification = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)  # 64 bits, little endian, version 1, System V
    return identification + pack(
        "<HHIQQQIHHHHHH", kind, _X86_64, 1, entry, 64 if programs else 0, 0, 0, 64, 56 if programs else 0, programs, 0, 0, 0
    )


def header(entry: int, size: int, writable: int, writable_size: int) -> bytes:
    """The first `HEADER` bytes of an image: entry and regions are offsets in it.

    The code is one segment, readable and executable, the writable region another with no bytes in the file; the stack that
    the kernel makes must not be executable.
    """
    programs = (
        (LOAD, R | X, 0, ADDRESS, ADDRESS, size, size, PAGE),
        (LOAD, R | W, 0, ADDRESS + writable, ADDRESS + writable, 0, writable_size, PAGE),
        (STACK, R | W, 0, 0, 0, 0, 0, 16),
    )
    content = file_header(EXECUTABLE, ADDRESS + entry, len(programs))
    content += b"".join(pack("<IIQQQQQQ", *program) for program in programs)
    return content.ljust(HEADER, b"\0")


_NUMBER, _OFFSET = 60, 40  # in the file header: of sections, and of their table


class Section:
    """A section: `content`, or `size` bytes where it has none in the file.  One that stands in the file already has its
    `offset`.  `link` is another section's name, and so is `info` where it is not a number."""

    __slots__ = ("name", "kind", "content", "flags", "address", "offset", "size", "link", "info", "alignment", "each")

    def __init__(
        self,
        name: str,
        kind: int = PROGBITS,
        content: bytes | bytearray = b"",
        flags: int = 0,
        *,
        address: int = 0,
        offset: int = -1,
        size: int = 0,
        link: str = "",
        info: str | int = 0,
        alignment: int = 1,
        each: int = 0,
    ) -> None:
        self.name = name
        self.kind = kind
        self.content = content
        self.flags = flags
        self.address = address
        self.offset = offset
        self.size = size or len(content)
        self.link = link
        self.info = info
        self.alignment = alignment
        self.each = each


def with_sections(file: bytes, sections: list[Section]) -> bytes:
    """`file`, which begins with a file header, with sections behind what it has, and the table of all."""
    content = bytearray(file)
    names = bytearray(b"\0")
    sections = [*sections, Section(".shstrtab", STRTAB)]
    starts = []
    for section in sections:
        starts.append(len(names))
        names += section.name.encode("utf-8", "surrogateescape") + b"\0"
    sections[-1].content, sections[-1].size = names, len(names)
    number = {section.name: index for index, section in enumerate(sections, 1)}
    table = [bytes(64)]
    for at, section in zip(starts, sections, strict=True):
        offset = section.offset
        if offset < 0:
            content += bytes(-len(content) % section.alignment if section.kind != NOBITS else 0)
            offset = len(content)
            content += section.content
        info = number[section.info] if isinstance(section.info, str) else section.info
        table.append(
            pack(
                "<IIQQQQIIQQ", at, section.kind, section.flags, section.address, offset, section.size,
                number.get(section.link, 0), info, section.alignment, section.each,
            )
        )  # fmt: skip
    content += bytes(-len(content) % 8)
    content[_OFFSET : _OFFSET + 8] = pack("<Q", len(content))
    content[_NUMBER - 2 : _NUMBER + 4] = pack("<HHH", 64, len(table), len(table) - 1)
    return bytes(content + b"".join(table))


class Symbols:
    """A symbol table in the making; local symbols are added before global ones."""

    __slots__ = ("rows", "strings", "local")

    def __init__(self) -> None:
        self.rows = [bytes(24)]
        self.strings = bytearray(b"\0")
        self.local = 0

    def add(self, name: str, kind: int, section: int, value: int, size: int, visible: bool = False) -> int:
        """Add a symbol of that section's number, seen from other files if `visible`; its number."""
        at = 0
        if name:
            at = len(self.strings)
            self.strings += name.encode("utf-8", "surrogateescape") + b"\0"
        if not visible:
            self.local = len(self.rows) + 1
        self.rows.append(pack("<IBBHQQ", at, kind | visible << 4, 0, section, value, size))
        return len(self.rows) - 1

    def sections(self) -> list[Section]:
        """.symtab and .strtab."""
        table = b"".join(self.rows)
        return [
            Section(".symtab", SYMTAB, table, link=".strtab", info=max(self.local, 1), alignment=8, each=24),
            Section(".strtab", STRTAB, self.strings),
        ]


_TEXT, _BSS = 1, 2  # sections that symbols are in, by number


def executable(image: Image, parts: dict[str, Part] | None = None) -> bytes:
    """An image as an executable file: as it stands, or with `parts` (see `dwarf.sections`) also with sections and symbols.
    Sections stand behind what is loaded and cost nothing when the program runs."""
    if parts is None:
        return image.content
    start, size, bss = image.start, len(image.content) - image.start, ADDRESS + image.writable
    sections = [
        Section(".text", PROGBITS, b"", ALLOC | EXECUTE, address=ADDRESS + start, offset=start, size=size, alignment=16),
        Section(".bss", NOBITS, b"", ALLOC | WRITE, address=bss, size=image.writable_size, alignment=PAGE),
        *[Section(name, PROGBITS, part.content, alignment=8 if name == ".debug_frame" else 1) for name, part in parts.items()],
        *image_symbols(image, ADDRESS, ADDRESS).sections(),
    ]  # fmt: skip
    return with_sections(image.content, sections)


def in_memory(image: Image, parts: dict[str, Part], address: int) -> bytes:
    """An object file about an image that is loaded at `address`, for debuggers."""
    start, size = image.start, len(image.content) - image.start
    text = Section(".text", PROGBITS, image.content[start:], ALLOC | EXECUTE, address=address + start, size=size, alignment=16)
    data = Section(
        ".bss", NOBITS, b"", ALLOC | WRITE, address=address + image.writable, size=image.writable_size, alignment=PAGE
    )
    more = [Section(name, PROGBITS, part.content, alignment=8 if name == ".debug_frame" else 1) for name, part in parts.items()]
    symbols = image_symbols(image, address, address).sections()
    return with_sections(file_header(EXECUTABLE), [text, data, *more, *symbols])


def relocatable(
    image: Image,
    parts: dict[str, Part] | None = None,
    visible: Sequence[tuple[str, int, int]] = (),
    finish: int = 0,
    externals: Sequence[str] = (),
) -> bytes:
    """An object file of all that is in an image, runtime and constants in .text, writable data in .bss.

    Every function and datum has a local symbol.  Global are `visible`, a library's functions as (name, offset, size), or else
    `_start` alone; then `ld` makes a program of it.  At `finish`, if that is not 0, is what to call when the process ends.
    What refers to the addresses of `externals`, functions of others, refers to the linker's table of addresses.
    """
    table = {at: name for name, at, _ in image.data if name in externals}
    fields = [
        (where - image.start, PC32, ".bss", target - image.writable)
        if target + 4 not in table
        else (where - image.start, GOTPCREL, table[target + 4], -4)
        for where, target in image.references
    ]
    without = {*[name for name, _, _ in visible], *externals}
    symbols = image_symbols(image, -image.start, -image.writable, without=without)
    sections = [
        Section(".text", PROGBITS, image.content[image.start :], ALLOC | EXECUTE, alignment=64),
        Section(".bss", NOBITS, b"", ALLOC | WRITE, size=image.writable_size, alignment=PAGE),
        Section(".note.GNU-stack"),
    ]
    relocations = {".text": fields}
    if finish:
        sections.append(Section(".fini_array", FINI_ARRAY, bytes(8), ALLOC | WRITE, alignment=8, each=8))
        relocations[".fini_array"] = [(0, ABSOLUTE64, ".text", finish - image.start)]
    sections += object_parts(sections, symbols, parts or {}, relocations, externals)
    for name, at, size in visible or [("_start", image.entry, 0)]:
        symbols.add(name, FUNC, _TEXT, at - image.start, size, visible=True)
    return with_sections(file_header(RELOCATABLE), sections + symbols.sections())


def object_parts(
    sections: list[Section],
    symbols: Symbols,
    parts: dict[str, Part],
    fields: dict[str, list[tuple[int, int, str, int]]],
    externals: Sequence[str] = (),
) -> list[Section]:
    """The sections that come behind the first ones of an object file: its debugging information, and the relocations of all.

    `fields` are relocations by section: (offset, type, section or one of `externals`, offset there).  Adds a local symbol for
    each section, and undefined ones for `externals`.
    """
    more = [Section(name, PROGBITS, part.content, alignment=8 if name == ".debug_frame" else 1) for name, part in parts.items()]
    for name, part in parts.items():
        types = {4: ABSOLUTE32, 8: ABSOLUTE64}
        fields[name] = [(offset, types[size], section, to) for offset, size, section, to in part.references]
        for offset, size, _, _ in part.references:
            part.content[offset : offset + size] = bytes(size)
    number = {s.name: symbols.add("", SECTION, index, 0, 0) for index, s in enumerate((*sections, *more), 1)}
    number |= {name: symbols.add(name, 0, 0, 0, 0, visible=True) for name in externals}
    for name, rows in fields.items():
        if rows:
            content = b"".join([pack("<QQq", at, number[section] << 32 | kind, to) for at, kind, section, to in rows])
            more.append(Section(".rela" + name, RELA, content, INFO_LINK, link=".symtab", info=name, alignment=8, each=24))
    return more


def image_symbols(
    image: Image, text: int, bss: int, code: int = _TEXT, data: int = _BSS, without: Container[str] = ()
) -> Symbols:
    """Local symbols of all functions and data of an image, but for those `without` and the runtime's texts.

    They are in the sections of numbers `code` and `data`; `text` and `bss` are added to their offsets.
    """
    symbols = Symbols()
    for name, first, last in image.functions:
        if name not in without:
            symbols.add(name, FUNC, code, first + text, last - first)
    for name, at, size in image.constants:
        if not name.startswith("runtime."):  # its texts
            symbols.add(name, OBJECT, code, at + text, size)
    for name, at, size in image.data:
        if name in without:
            continue
        symbols.add(name, OBJECT, data, at + bss, size)
    return symbols
