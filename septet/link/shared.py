"""Shared objects: an image with what the dynamic linker reads in front of it and behind.

    0           file header and program headers, .hash, .dynsym, .dynstr, .eh_frame_hdr, .eh_frame, .rela.dyn
    `start`     the image's code and constants
    a page before `writable`: .dynamic
    `writable`  the image's writable region, not in the file

All references are relative, so nothing is relocated when it is loaded but the addresses of functions of other objects, which
the dynamic linker writes into the writable region (R_X86_64_GLOB_DAT).  Layouts: System V ABI, chapter 5 (dynamic linking).
"""

from __future__ import annotations

from struct import pack

from septet.link import dwarf, elf
from septet.link.elf import Section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from septet.link.dwarf import Extent
    from septet.link.layout import Image

_ALIGNMENT = 64
_DYNAMIC, _NOTE_EH_FRAME = 2, 0x6474E550  # program headers
_PROGRAMS = 5
_SONAME, _HASH, _STRTAB, _SYMTAB, _STRSZ, _SYMENT, _FINI = 14, 4, 5, 6, 10, 11, 13  # entries of .dynamic
_NEEDED, _RELA, _RELASZ, _RELAENT = 1, 7, 8, 9
_C_LIBRARIES = ("libc.so.6", "libm.so.6")  # what an object that imports anything depends on
_TEXT, _BSS = 6, 8  # the numbers of these sections


class Exported:
    """A symbol that others may use: a function, or a datum of the writable region; `at` is its offset in the image."""

    __slots__ = ("name", "at", "size", "is_function")

    def __init__(self, name: str, at: int = 0, size: int = 0, is_function: bool = True) -> None:
        self.name = name
        self.at = at
        self.size = size
        self.is_function = is_function


class Linkage:
    """What a shared object says of itself and of others: its SONAME, what it exports, the functions it imports, each with the
    offset in the image of the eight bytes for its address, and the libraries that it needs beside C's."""

    __slots__ = ("soname", "exports", "imports", "needs")

    def __init__(
        self, soname: str, exports: Sequence[Exported], imports: Sequence[str] = (), needs: Sequence[str] = ()
    ) -> None:
        self.soname = soname
        self.exports = exports
        self.imports = dict.fromkeys(imports, 0)
        self.needs = list(dict.fromkeys((*needs, *(_C_LIBRARIES if imports else ()))))

    @property
    def symbols(self) -> list[str]:
        """The names of all dynamic symbols, in their order."""
        return [*[export.name for export in self.exports], *self.imports]


class _Places:
    """Where the parts in front of the code stand."""

    __slots__ = ("hash", "symbols", "strings", "table", "frames", "relocations", "start", "names")

    def __init__(self, linkage: Linkage, frames: int, count: int) -> None:
        symbols = linkage.symbols
        self.names = b"\0" + b"".join([name.encode() + b"\0" for name in (*symbols, linkage.soname, *linkage.needs)])
        self.hash = 64 + 56 * _PROGRAMS
        self.symbols = (self.hash + 4 * (2 + _buckets(len(linkage.exports)) + 1 + len(symbols)) + 7) & -8
        self.strings = self.symbols + 24 * (1 + len(symbols))
        self.table = (self.strings + len(self.names) + 3) & -4
        self.frames = (self.table + 12 + 8 * count + 7) & -8
        self.relocations = (self.frames + frames + 7) & -8
        self.start = (self.relocations + 24 * len(linkage.imports) + _ALIGNMENT - 1) & -_ALIGNMENT


def start(linkage: Linkage, extents: Sequence[Extent]) -> int:
    """Where the code of an image that exports these begins.  Only names and frames matter, not where things are."""
    return _places(linkage, extents).start


def _places(linkage: Linkage, extents: Sequence[Extent]) -> _Places:
    return _Places(linkage, len(dwarf.exception_frames(extents, 0, 0)), len(extents))


def shared_object(image: Image, linkage: Linkage, extents: Sequence[Extent], source: str = "", finish: int = 0) -> bytes:
    """The file.  `image` was linked to begin at `start(...)`; `extents` are its functions; at `finish`, if that is not 0, is
    one to call when the process ends or the object is unloaded.  With `source` it has sections for debuggers."""
    places = _places(linkage, extents)
    assert places.start == image.start
    frames = dwarf.exception_frames(extents, image.start, places.frames)
    table = dwarf.search_table(extents, frames, image.start, places.frames, places.table)
    symbols = _symbols(linkage)
    hashes = _hash_table([export.name for export in linkage.exports], len(linkage.imports))
    dynamic = _dynamic(places, linkage, finish)
    relocations = _relocations(linkage)
    content = bytearray(image.content) + bytes(image.writable - elf.PAGE - len(image.content)) + dynamic
    head = elf.file_header(elf.SHARED, 0, _PROGRAMS) + _program_headers(image, places, len(table), len(dynamic))
    for offset, part in (
        (0, head), (places.hash, hashes), (places.symbols, symbols), (places.strings, places.names),
        (places.table, table), (places.frames, frames), (places.relocations, relocations),
    ):  # fmt: skip
        content[offset : offset + len(part)] = part
    sections = _sections(image, places, len(hashes), len(symbols), len(table), len(frames), len(dynamic))
    if relocations:
        sections.append(_section(".rela.dyn", elf.RELA, elf.ALLOC, places.relocations, len(relocations), ".dynsym", 0, 8, 24))
    if source:
        parts = dwarf.sections(extents, source, image.start)
        del parts[".debug_frame"]  # .eh_frame says it
        sections += [Section(name, elf.PROGBITS, part.content) for name, part in parts.items()]
        sections += elf.image_symbols(image, 0, 0, _TEXT, _BSS).sections()
    return elf.with_sections(bytes(content), sections)


def _symbols(linkage: Linkage) -> bytes:
    """.dynsym; the names are the first in .dynstr, in the same order."""
    rows = [bytes(24)]
    at = 1
    for export in linkage.exports:
        kind, section = (elf.FUNC, _TEXT) if export.is_function else (elf.OBJECT, _BSS)
        rows.append(pack("<IBBHQQ", at, 1 << 4 | kind, 0, section, export.at, export.size))
        at += len(export.name.encode()) + 1
    for name in linkage.imports:
        rows.append(pack("<IBBHQQ", at, 1 << 4 | elf.FUNC, 0, 0, 0, 0))
        at += len(name.encode()) + 1
    return b"".join(rows)


def _relocations(linkage: Linkage) -> bytes:
    """.rela.dyn: the addresses of imported functions."""
    first = 1 + len(linkage.exports)
    rows = enumerate(linkage.imports.values(), first)
    return b"".join([pack("<QQq", at, number << 32 | elf.GLOB_DAT, 0) for number, at in rows])


def _dynamic(places: _Places, linkage: Linkage, finish: int) -> bytes:
    """.dynamic.  In .dynstr the SONAME and the libraries needed stand behind the symbols' names."""
    at = 1 + sum([len(name.encode()) + 1 for name in linkage.symbols])
    offsets = []
    for name in (linkage.soname, *linkage.needs):
        offsets.append(at)
        at += len(name.encode()) + 1
    soname, *needed = offsets
    entries = [
        *[(_NEEDED, name) for name in needed],
        (_SONAME, soname),
        (_HASH, places.hash),
        (_STRTAB, places.strings),
        (_SYMTAB, places.symbols),
    ]
    entries += [(_STRSZ, len(places.names)), (_SYMENT, 24), *([(_FINI, finish)] if finish else [])]
    if linkage.imports:
        entries += [(_RELA, places.relocations), (_RELASZ, 24 * len(linkage.imports)), (_RELAENT, 24)]
    entries.append((0, 0))
    return b"".join(pack("<QQ", *entry) for entry in entries)


def _sections(image: Image, places: _Places, hashes: int, symbols: int, table: int, frames: int, dynamic: int) -> list[Section]:
    """The sections of what is loaded, of these sizes."""
    read = elf.ALLOC
    size = len(image.content) - image.start
    return [
        _section(".hash", elf.HASH, read, places.hash, hashes, ".dynsym", 0, 4, 4),
        _section(".dynsym", elf.DYNSYM, read, places.symbols, symbols, ".dynstr", 1, 8, 24),
        _section(".dynstr", elf.STRTAB, read, places.strings, len(places.names)),
        _section(".eh_frame_hdr", elf.PROGBITS, read, places.table, table, alignment=4),
        _section(".eh_frame", elf.PROGBITS, read, places.frames, frames, alignment=8),
        _section(".text", elf.PROGBITS, read | elf.EXECUTE, image.start, size, alignment=16),
        _section(".dynamic", elf.DYNAMIC, read | elf.WRITE, image.writable - elf.PAGE, dynamic, ".dynstr", 0, 8, 16),
        _section(".bss", elf.NOBITS, read | elf.WRITE, image.writable, image.writable_size, alignment=16),
    ]


def _section(
    name: str, kind: int, flags: int, at: int, size: int, link: str = "", info: int = 0, alignment: int = 1, each: int = 0
) -> Section:
    """One that stands in the file at its address."""
    return Section(
        name, kind, b"", flags, address=at, offset=at, size=size, link=link, info=info, alignment=alignment, each=each
    )  # fmt: skip


def _program_headers(image: Image, places: _Places, table: int, dynamic: int) -> bytes:
    at = image.writable - elf.PAGE
    rows = (
        (elf.LOAD, elf.R | elf.X, 0, len(image.content), len(image.content), elf.PAGE),
        (elf.LOAD, elf.R | elf.W, at, dynamic, elf.PAGE + image.writable_size, elf.PAGE),
        (_DYNAMIC, elf.R | elf.W, at, dynamic, dynamic, 8),
        (_NOTE_EH_FRAME, elf.R, places.table, table, table, 4),
        (elf.STACK, elf.R | elf.W, 0, 0, 0, 16),
    )
    return b"".join(pack("<IIQQQQQQ", kind, flags, at, at, at, file, memory, a) for kind, flags, at, file, memory, a in rows)


def _buckets(count: int) -> int:
    return count // 2 + 1


def _hash_table(names: Sequence[str], others: int = 0) -> bytes:
    """.hash: buckets of chains of symbol numbers; behind those of `names` come `others`, which are not looked for here."""
    buckets = [0] * _buckets(len(names))
    chains = [0] * (len(names) + 1 + others)
    for number, name in enumerate(names, 1):
        bucket = _hash(name) % len(buckets)
        chains[number] = buckets[bucket]
        buckets[bucket] = number
    return pack(f"<{2 + len(buckets) + len(chains)}I", len(buckets), len(chains), *buckets, *chains)


def _hash(name: str) -> int:
    """The System V ABI's hash of a symbol's name."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte & 0xFFFFFFFF
        value = (value ^ (value & 0xF0000000) >> 24) & 0x0FFFFFFF
    return value
