"""A linker: relocatable ELF objects, from here or from other compilers, to one static executable.

    file header, program headers
    .text           code                                    read, execute
    .rodata         constants                               read
    .data, .bss     writable data; the table of addresses   read, write
                    that code for shared objects wants
    .debug_*        as they are, put together; not loaded

Sections of a kind stand in the order of the files.  Execution starts at `_start`, or, where no file has one but one has `main`,
at a few instructions that call it as C does, and then what `.fini_array` names.  Formats: System V ABI, chapter 4; the psABI.
"""

from __future__ import annotations

from struct import error, iter_unpack, pack, pack_into, unpack_from

from septet.base.diagnostics import Diagnostic, Rejected
from septet.link import elf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UNDEFINED, _ABSOLUTE, _COMMON = 0, 0xFFF1, 0xFFF2  # sections of symbols that are in none
_LOCAL, _WEAK = 0, 2
_INIT_ARRAY, _NOTE, _GROUP, _TLS = 14, 7, 17, 0x400
_TEXT, _CONSTANT, _WRITABLE, _ZERO, _DEBUG = range(5)  # what a section becomes part of
_NAMES = (".text", ".rodata", ".data", ".bss")
_PC64, _PLT32, _ABSOLUTE32S, _GOTPCRELX, _REX_GOTPCRELX = 24, 4, 11, 41, 42
_FROM_TABLE = (elf.GOTPCREL, _GOTPCRELX, _REX_GOTPCRELX)
_RELATIVE = (elf.PC32, _PLT32, *_FROM_TABLE)
_START = bytes.fromhex(
    "31ed"  # xor ebp, ebp: the outermost frame
    "488b3c24"  # mov rdi, [rsp]
    "488d742408"  # lea rsi, [rsp + 8]
    "4883e4f0"  # and rsp, -16
    "e800000000"  # call main
    "89c3"  # mov ebx, eax
    "488d2d00000000"  # lea rbp, [__fini_array_start]
    "4c8d2500000000"  # lea r12, [__fini_array_end]
    "4c39e5"  # cmp rbp, r12
    "7409"  # je past the loop
    "ff5500"  # call [rbp]
    "4883c508"  # add rbp, 8
    "ebf2"  # jmp to the comparison
    "89df"  # mov edi, ebx
    "b8e7000000"  # mov eax, exit_group
    "0f05"  # syscall
)
_START_FIELDS = ((16, "main"), (25, "__fini_array_start"), (32, "__fini_array_end"))
_FINI_ARRAY_BOUNDS = ("__fini_array_start", "__fini_array_end", "__init_array_start", "__init_array_end")


class Section:
    """A section of an object; `address` is where it came to stand, for one that is not loaded in its output section."""

    __slots__ = ("name", "kind", "flags", "content", "size", "alignment", "relocations", "address")

    def __init__(self, name: str, kind: int, flags: int, content: bytearray, size: int, alignment: int) -> None:
        self.name = name
        self.kind = kind
        self.flags = flags
        self.content = content
        self.size = size
        self.alignment = max(alignment, 1)
        self.relocations: list[tuple[int, int, int, int]] = []  # offset, type, symbol, addend
        self.address = 0

    @property
    def part(self) -> int:
        """What it becomes part of; -1 where it is left out."""
        if not self.flags & elf.ALLOC:
            return _DEBUG if self.name.startswith(".debug_") else -1
        if self.kind == _NOTE:
            return -1
        if self.flags & elf.EXECUTE:
            return _TEXT
        if self.flags & elf.WRITE:
            return _ZERO if self.kind == elf.NOBITS else _WRITABLE
        return _CONSTANT


class Symbol:
    """A symbol of an object: in `section`, or with none an address (`is_absolute`) or something that another file has."""

    __slots__ = ("name", "kind", "binding", "section", "value", "size", "is_absolute")

    def __init__(
        self, name: str, kind: int, binding: int, section: Section | None, value: int, size: int, is_absolute: bool = False
    ) -> None:
        self.name = name
        self.kind = kind
        self.binding = binding
        self.section = section
        self.value = value
        self.size = size
        self.is_absolute = is_absolute

    @property
    def address(self) -> int:
        """Where it is, once sections have their places."""
        return self.value + (self.section.address if self.section is not None else 0)


class Object:
    """A relocatable object file, called `name` in messages.  Rejected where `content` is none that can be linked."""

    __slots__ = ("name", "sections", "symbols")

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        wanted = pack("<HH", elf.RELOCATABLE, 62)
        if len(content) < 64 or content[:7] != b"\x7fELF\x02\x01\x01" or content[16:20] != wanted:
            raise Rejected([Diagnostic(f"{name} is no relocatable ELF object for x86-64")])
        try:
            self._read(content)
        except (IndexError, ValueError, error) as problem:
            raise Rejected([Diagnostic(f"{name} is damaged: {problem}")]) from problem

    def _read(self, content: bytes) -> None:
        at, count, names = unpack_from("<Q", content, 40)[0], *unpack_from("<HH", content, 60)
        rows = list(iter_unpack("<IIQQQQIIQQ", content[at : at + 64 * count]))
        if len(rows) != count or any(row[1] != elf.NOBITS and row[4] + row[5] > len(content) for row in rows):
            raise ValueError("it is cut off")
        bodies = [b"" if row[1] in (0, elf.NOBITS) else content[row[4] : row[4] + row[5]] for row in rows]
        self.sections = [
            Section(_text(bodies[names], row[0]), row[1], row[2], bytearray(body), row[5], row[8])
            for row, body in zip(rows, bodies, strict=True)
        ]
        for section in self.sections:
            if section.flags & _TLS:
                raise Rejected([Diagnostic(f"{self.name} has variables that are each thread's own, which cannot be linked")])
            _check(section)
        self.symbols: list[Symbol] = []
        for row, body in zip(rows, bodies, strict=True):
            if row[1] == elf.SYMTAB:
                self.symbols = [self._symbol(entry, bodies[row[6]]) for entry in iter_unpack("<IBBHQQ", body)]
        for row, body in zip(rows, bodies, strict=True):
            if row[1] == elf.RELA:
                section = self.sections[row[7]]
                for offset, info, addend in iter_unpack("<QQq", body):
                    if offset >= section.size or info >> 32 >= len(self.symbols):
                        raise ValueError(f"a relocation of {section.name} is of a place or symbol that is not there")
                    section.relocations.append((offset, info & 0xFFFFFFFF, info >> 32, addend))

    def _symbol(self, entry: tuple[int, int, int, int, int, int], strings: bytes) -> Symbol:
        at, info, _, index, value, size = entry
        name, kind, binding = _text(strings, at), info & 15, info >> 4
        if index == _COMMON:  # its value is its alignment
            section = Section(".bss", elf.NOBITS, elf.ALLOC | elf.WRITE, bytearray(), size, value)
            _check(section)
            self.sections.append(section)
            return Symbol(name, elf.OBJECT, _WEAK, section, 0, size)
        section_of = self.sections[index] if 0 < index < _ABSOLUTE else None
        if section_of is not None and value > section_of.size:
            raise ValueError(f"'{name}' lies outside {section_of.name}")
        return Symbol(name, kind, binding, section_of, value, size, index == _ABSOLUTE)


def _check(section: Section) -> None:
    """ValueError where a section cannot be given a place."""
    if section.size >> 31 or section.alignment & section.alignment - 1 or section.alignment > 1 << 24:
        raise ValueError(f"{section.name} is of {section.size} bytes, aligned by {section.alignment}")
    if section.kind == elf.NOBITS and section.part not in (-1, _ZERO):
        raise ValueError(f"{section.name} has no content")


def _text(strings: bytes, at: int) -> str:
    return strings[at : strings.index(b"\0", at)].decode("utf-8", "surrogateescape")


def link(files: Sequence[tuple[str, bytes]]) -> bytes:
    """The executable made of object files, each with its name.  Rejected where one cannot be read, a symbol is missing or
    defined twice, or something is too far away."""
    return _Linker([Object(name, content) for name, content in files]).executable()


class _Linker:
    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects
        self.problems: list[str] = []
        self.parts: list[list[Section]] = [[] for _ in range(4)]
        self.debug: dict[str, list[Section]] = {}
        self.globals: dict[str, Symbol] = {}
        self.entries: dict[str, int] = {}  # of the table of addresses: symbol to number
        self.table = Section(".got", elf.PROGBITS, elf.ALLOC | elf.WRITE, bytearray(), 0, 8)

    def executable(self) -> bytes:
        self._resolve()
        self._start()
        self._gather()
        content, bounds = self._place()
        for object in self.objects:
            for section in object.sections:
                if section.part >= 0:
                    for relocation in section.relocations:
                        self._relocate(object, section, *relocation)
        for name, number in self.entries.items():
            pack_into("<Q", self.table.content, 8 * number, self.globals[name].address)
        if self.problems:
            raise Rejected([Diagnostic(problem) for problem in dict.fromkeys(self.problems)])
        for part in self.parts[:_ZERO]:
            for section in part:
                at = section.address - elf.ADDRESS
                content[at : at + len(section.content)] = section.content
        return self._file(content, bounds)

    def _resolve(self) -> None:
        """Find who defines each global symbol."""
        owner: dict[str, str] = {}
        for object in self.objects:
            for symbol in object.symbols:
                if symbol.binding == _LOCAL or symbol.section is None and not symbol.is_absolute:
                    continue
                known = self.globals.get(symbol.name)
                if known is None or known.binding == _WEAK != symbol.binding:
                    self.globals[symbol.name] = symbol
                    owner[symbol.name] = object.name
                elif symbol.binding != _WEAK:
                    self.problems.append(f"'{symbol.name}' is defined twice: in {owner[symbol.name]} and in {object.name}")

    def _start(self) -> None:
        """Where only `main` is defined, define `_start`."""
        for name in _FINI_ARRAY_BOUNDS:
            self.globals.setdefault(name, Symbol(name, 0, 1, None, 0, 0, True))
        if "_start" in self.globals:
            return
        if "main" not in self.globals:
            raise Rejected([Diagnostic("no file has '_start' or 'main', where execution could start")])
        section = Section(".text", elf.PROGBITS, elf.ALLOC | elf.EXECUTE, bytearray(_START), len(_START), 16)
        start = Object.__new__(Object)
        start.name, start.sections = "_start", [section]
        start.symbols = [Symbol(name, 0, 1, None, 0, 0) for _, name in _START_FIELDS]
        section.relocations = [(at, elf.PC32, number, -4) for number, (at, _) in enumerate(_START_FIELDS)]
        self.globals["_start"] = Symbol("_start", elf.FUNC, 1, section, 0, len(_START))
        self.objects.insert(0, start)

    def _gather(self) -> None:
        """Sort sections by what they become part of, and make the table of addresses as large as it will be."""
        for object in self.objects:
            for section in object.sections:
                if section.part < 0:
                    continue
                ones = self.debug.setdefault(section.name, []) if section.part == _DEBUG else self.parts[section.part]
                ones.append(section)
                for _, kind, number, _ in section.relocations:
                    if kind in _FROM_TABLE:
                        self._entry(object, number)
        self.table.content = bytearray(8 * len(self.entries))
        self.table.size = len(self.table.content)
        for kind in (_INIT_ARRAY, elf.FINI_ARRAY):  # each stands together
            ones = [section for section in self.parts[_WRITABLE] if section.kind == kind]
            self.parts[_WRITABLE] = [section for section in self.parts[_WRITABLE] if section.kind != kind] + ones
        self.parts[_WRITABLE].insert(0, self.table)

    def _entry(self, object: Object, number: int) -> int:
        """The number in the table of a symbol's address."""
        symbol = object.symbols[number]
        name = symbol.name
        if symbol.binding == _LOCAL:  # under a name that no other has
            name = f"{name}\0{self.objects.index(object)}\0{number}"
        if name not in self.entries:
            if symbol.binding == _LOCAL or name not in self.globals:
                self.globals.setdefault(name, symbol)
            self.entries[name] = len(self.entries)
        return self.entries[name]

    def _place(self) -> tuple[bytearray, list[tuple[int, int]]]:
        """Give every section its address; the file so far, and where each part is in it, from and to."""
        at = elf.ADDRESS + 64 + 56 * 4  # behind the headers
        bounds = []
        for number, part in enumerate(self.parts):
            if number in (_CONSTANT, _WRITABLE):
                at = (at + elf.PAGE - 1) & -elf.PAGE
            first = at
            for section in part:
                at = -(-at // section.alignment) * section.alignment
                section.address = at
                at += section.size
            bounds.append((first, at))
        for name, kind in (("init", _INIT_ARRAY), ("fini", elf.FINI_ARRAY)):
            ones = [section for section in self.parts[_WRITABLE] if section.kind == kind]
            if ones:
                self.globals[f"__{name}_array_start"].value = ones[0].address
                self.globals[f"__{name}_array_end"].value = ones[-1].address + ones[-1].size
        for sections in self.debug.values():
            at = 0
            for section in sections:
                at = -(-at // section.alignment) * section.alignment
                section.address = at
                at += section.size
        return bytearray(bounds[_WRITABLE][1] - elf.ADDRESS), bounds

    def _relocate(self, object: Object, section: Section, offset: int, kind: int, number: int, addend: int) -> None:
        symbol = object.symbols[number]
        if symbol.binding != _LOCAL:
            found = self.globals.get(symbol.name)
            if found is None and symbol.binding != _WEAK:
                self.problems.append(f"'{symbol.name}' is used in {object.name} but not defined")
                return
            symbol = found or symbol
        value = symbol.address + addend
        here = section.address + offset
        if kind in _FROM_TABLE:
            value = self.table.address + 8 * self._entry(object, number) + addend
        try:
            if kind == elf.ABSOLUTE64:
                pack_into("<Q", section.content, offset, value & 0xFFFFFFFFFFFFFFFF)
            elif kind == _PC64:
                pack_into("<q", section.content, offset, value - here)
            elif kind in _RELATIVE:
                pack_into("<i", section.content, offset, value - here)
            elif kind in (elf.ABSOLUTE32, _ABSOLUTE32S):
                pack_into("<I" if kind == elf.ABSOLUTE32 else "<i", section.content, offset, value)
            elif kind:
                self.problems.append(f"{object.name} has a relocation of type {kind}, which cannot be done")
        except error:
            self.problems.append(f"'{symbol.name}' is too far from where {object.name} uses it")

    def _file(self, content: bytearray, bounds: list[tuple[int, int]]) -> bytes:
        base = elf.ADDRESS
        (_, text), constants, data, zero = bounds[0], *bounds[1:]
        rows = (
            (elf.LOAD, elf.R | elf.X, base, text, text),
            (elf.LOAD, elf.R, *constants, constants[1]),
            (elf.LOAD, elf.R | elf.W, *data, zero[1]),
            (elf.STACK, elf.R | elf.W, 0, 0, 0),
        )
        kept = [row for row in rows if row[4] > row[2] or row[0] == elf.STACK]
        head = elf.file_header(elf.EXECUTABLE, self.globals["_start"].address, len(kept))
        for kind, flags, first, end, memory in kept:
            offset = first - base if first else 0
            head += pack("<IIQQQQQQ", kind, flags, offset, first, first, end - first, memory - first, elf.PAGE if first else 16)
        content[: len(head)] = head
        access = (elf.EXECUTE, 0, elf.WRITE, elf.WRITE)
        sections = [
            elf.Section(
                _NAMES[number], elf.NOBITS if number == _ZERO else elf.PROGBITS, b"", elf.ALLOC | access[number],
                address=first, offset=first - base, size=last - first, alignment=16,
            )
            for number, (first, last) in enumerate(bounds)
        ]  # fmt: skip
        for name, ones in self.debug.items():
            joined = bytearray()
            for section in ones:
                joined += bytes(section.address - len(joined)) + section.content
            sections.append(elf.Section(name, elf.PROGBITS, joined, alignment=max(section.alignment for section in ones)))
        return elf.with_sections(bytes(content), sections + self._symbols().sections())

    def _symbols(self) -> elf.Symbols:
        symbols = elf.Symbols()
        for visible in (False, True):
            for symbol in self._defined(visible):
                part = symbol.section.part if symbol.section is not None else -1
                if 0 <= part < _DEBUG:
                    symbols.add(symbol.name, symbol.kind, part + 1, symbol.address, symbol.size, visible)
        return symbols

    def _defined(self, visible: bool) -> Iterator[Symbol]:
        if visible:
            yield from (symbol for name, symbol in self.globals.items() if "\0" not in name)
            return
        for object in self.objects:
            yield from (s for s in object.symbols if s.binding == _LOCAL and s.name and s.kind in (0, elf.FUNC, elf.OBJECT))
