"""ELF files: the header that makes an image a static executable, and relocatable objects.

Layouts are those of the System V ABI's generic part and its AMD64 supplement.
"""

from __future__ import annotations

from struct import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.link.layout import Image

HEADER = 256  # bytes in front of an image's code
ADDRESS = 0x400000  # where executables are loaded
PAGE = 4096
_EXEC, _RELOCATABLE = 2, 1
_X86_64 = 62
_LOAD, _STACK = 1, 0x6474E551
_R, _W, _X = 4, 2, 1


def _file_header(kind: int, entry: int, programs: int, sections: int, section_offset: int, names: int) -> bytes:
    identification = b"\x7fELF" + bytes((2, 1, 1, 0)) + bytes(8)  # 64 bits, little endian, version 1, System V
    return identification + pack(
        "<HHIQQQIHHHHHH", kind, _X86_64, 1, entry, 64 if programs else 0, section_offset, 0,
        64, 56, programs, 64 if sections else 0, sections, names,
    )  # fmt: skip


def header(entry: int, size: int, writable: int, writable_size: int) -> bytes:
    """The first `HEADER` bytes of an image: entry and regions are offsets in it.

    The code is one segment, readable and executable, the writable region another with no bytes in the file; the stack that
    the kernel makes must not be executable.
    """
    programs = (
        (_LOAD, _R | _X, 0, ADDRESS, ADDRESS, size, size, PAGE),
        (_LOAD, _R | _W, 0, ADDRESS + writable, ADDRESS + writable, 0, writable_size, PAGE),
        (_STACK, _R | _W, 0, 0, 0, 0, 0, 16),
    )
    content = _file_header(_EXEC, ADDRESS + entry, len(programs), 0, 0, 0)
    content += b"".join(pack("<IIQQQQQQ", *program) for program in programs)
    return content.ljust(HEADER, b"\0")


def executable(image: Image) -> bytes:
    """An image as an executable file: as it stands."""
    return image.content


_PROGBITS, _SYMTAB, _STRTAB, _RELA, _NOBITS = 1, 2, 3, 4, 8
_ALLOC, _EXECUTE, _WRITE, _INFO_LINK = 2, 4, 1, 0x40
_OBJECT, _FUNC, _SECTION = 1, 2, 3
_PC32 = 2
_TEXT, _BSS, _NOTE, _SYMBOLS, _STRINGS, _RELOCATIONS, _NAMES = range(1, 8)  # sections, in order


def relocatable(image: Image) -> bytes:
    """An object file of the whole program, runtime and constants in .text, writable data in .bss; `ld` makes a program of it.

    Every function and datum has a local symbol; `_start` alone is global.
    """
    strings = bytearray(b"\0")
    symbols = [bytes(24), pack("<IBBHQQ", 0, _SECTION, 0, _TEXT, 0, 0), pack("<IBBHQQ", 0, _SECTION, 0, _BSS, 0, 0)]

    def add(name: str, info: int, section: int, value: int, size: int) -> None:
        symbols.append(pack("<IBBHQQ", len(strings), info, 0, section, value, size))
        strings.extend(name.encode() + b"\0")

    for name, first, last in image.functions:
        add(name, _FUNC, _TEXT, first - image.start, last - first)
    for name, at, size in image.constants:
        add(name, _OBJECT, _TEXT, at - image.start, size)
    for name, at, size in image.data:
        add(name, _OBJECT, _BSS, at - image.writable, size)
    local = len(symbols)
    add("_start", 1 << 4 | _FUNC, _TEXT, image.entry - image.start, 0)
    relocations = b"".join(
        pack("<QQq", where - image.start, 2 << 32 | _PC32, target - image.writable) for where, target in image.references
    )
    sections = (
        (".text", _PROGBITS, _ALLOC | _EXECUTE, image.content[image.start :], 0, 0, 0, 64, 0),
        (".bss", _NOBITS, _ALLOC | _WRITE, b"", image.writable_size, 0, 0, PAGE, 0),
        (".note.GNU-stack", _PROGBITS, 0, b"", 0, 0, 0, 1, 0),
        (".symtab", _SYMTAB, 0, b"".join(symbols), 0, _STRINGS, local, 8, 24),
        (".strtab", _STRTAB, 0, bytes(strings), 0, 0, 0, 1, 0),
        (".rela.text", _RELA, _INFO_LINK, relocations, 0, _SYMBOLS, _TEXT, 8, 24),
    )
    return _with_sections(sections)


def _with_sections(sections: tuple[tuple[str, int, int, bytes, int, int, int, int, int], ...]) -> bytes:
    """A relocatable file of sections: name, type, flags, content, size where it has none, link, info, alignment, entry size."""
    names = bytearray(b"\0")
    table = [bytes(64)]
    content = bytearray(64)
    for name, kind, flags, body, size, link, info, alignment, each in (
        *sections,
        (".shstrtab", _STRTAB, 0, b"", 0, 0, 0, 1, 0),
    ):
        at = len(names)
        names += name.encode() + b"\0"
        if name == ".shstrtab":
            body = bytes(names)
        content += bytes(-len(content) % alignment if kind != _NOBITS else 0)
        table.append(pack("<IIQQQQIIQQ", at, kind, flags, 0, len(content), len(body) or size, link, info, alignment, each))
        content += body
    content += bytes(-len(content) % 8)
    content[:64] = _file_header(_RELOCATABLE, 0, 0, len(table), len(content), _NAMES)
    return bytes(content + b"".join(table))
