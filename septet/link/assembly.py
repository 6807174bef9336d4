"""Images as text: a program for the GNU assembler, and a listing of addresses, bytes and instructions.

Both are read back from the image's bytes, so they show what is there.  Programs' names get an underscore in front, which keeps
them apart from registers and operators.
"""

from __future__ import annotations

from bisect import bisect_right
from struct import unpack_from

from septet.link.elf import ADDRESS
from septet.x86.decode import disassemble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from septet.base.source import Source
    from septet.link.code import Code
    from septet.link.layout import Image

HEADER = 8  # bytes in front of a function's entry
_COMMENT = 48  # the column of comments


def assembly(image: Image, codes: Iterable[Code] = (), source: Source | None = None) -> str:
    """The whole program, runtime included, for `as`; `ld` makes an executable of what comes out.

    `codes` tell of lines, and with `source` these stand in front of what they became.
    """
    names = _Names(image)
    lines = _lines(codes)
    out = [".intel_syntax noprefix", ".globl _start", ".text"]
    for name, first, last in image.functions:
        out += _function(image, names, name, first, last, lines.get(name, {}), source)
    out.append(".section .rodata")
    for name, at, size in image.constants:
        out += [f".p2align {min(max(at & -at, 16), 64).bit_length() - 1}", f"{names.of(name)}:"]
        out += [f"  .byte {', '.join(map(str, image.content[i : min(i + 16, at + size)]))}" for i in range(at, at + size, 16)]
    out += [".bss", ".p2align 12"]
    for name, _, size in image.data:
        out += [".p2align 4", f"{names.of(name)}:", f"  .skip {size}"]
    out += ['.section .note.GNU-stack, "", @progbits', ""]
    return "\n".join(out)


def _function(
    image: Image, names: _Names, name: str, first: int, last: int, lines: dict[int, int], source: Source | None
) -> Iterator[str]:
    descriptor, header_line = unpack_from("<II", image.content, first - HEADER)
    yield ""
    yield ".p2align 4, 0xcc"
    yield f"  .fill {HEADER}, 1, 0xcc"
    yield f"  .long {descriptor}, {header_line}".ljust(_COMMENT) + "# what it is, and its encoded first line"
    yield f"{names.of(name)}:"
    if first == image.entry:
        yield "_start:"
    code = image.content[first:last]
    names.find_labels(code, first)
    for offset, _, text in disassemble(code, first, names.at):
        label = names.labels.get(first + offset)
        if label:
            yield f"{label}:"
        line = lines.get(offset, 0)
        if not line:
            yield f"  {text}"
        elif source is not None and 0 < line <= len(source.lines):
            yield f"  # {source.name}:{line}: {_comment(source.lines[line - 1])}"
            yield f"  {text}"
        else:
            yield f"{f'  {text}'.ljust(_COMMENT)}# line {line}"


def _comment(line: str) -> str:
    """A source line as it may stand in a comment."""
    return "".join([c if c.isprintable() else " " for c in line.strip()])


def listing(image: Image, codes: Iterable[Code]) -> str:
    """The program's own functions: address in an executable, bytes, instruction; the source's line where it changes."""
    names = _Names(image)
    ends = {name: (first, last) for name, first, last in image.functions}
    out = []
    for code in codes:
        first, last = ends[code.name]
        lines = _lines([code])[code.name]
        names.find_labels(image.content[first:last], first)
        out.append(f"{code.name}:  # {code.arity} argument{'' if code.arity == 1 else 's'}, {last - first} bytes")
        for offset, length, text in disassemble(image.content[first:last], first, names.at):
            label = names.labels.get(first + offset)
            if label:
                out.append(f"{label}:")
            content = image.content[first + offset : first + offset + length].hex(" ")
            row = f"  {ADDRESS + first + offset:x}  {content:30} {text}"
            out.append(f"{row.ljust(_COMMENT + 36)}# line {lines[offset]}" if offset in lines else row)
        out.append("")
    return "\n".join(out)


def _lines(codes: Iterable[Code]) -> dict[str, dict[int, int]]:
    """For each function, the absolute source lines at the offsets where they change."""
    return {code.name: dict(code.lines()) for code in codes}


class _Names:
    """What to call the addresses of an image: functions, data, and the labels of the function being shown."""

    def __init__(self, image: Image) -> None:
        self.entries = {first: self.of(name) for name, first, _ in image.functions}
        self.items = sorted((at, size, name) for name, at, size in (*image.constants, *image.data))
        self.starts = [at for at, _, _ in self.items]
        self.labels: dict[int, str] = {}
        self.functions = sorted((first, last) for _, first, last in image.functions)

    def of(self, name: str) -> str:
        """The name in assembler text of a program's or the runtime's function or datum."""
        return name if "." in name else f"_{name}"

    def at(self, address: int) -> str | None:
        """What stands at an address of the image."""
        found = self.entries.get(address) or self.labels.get(address)
        if found is not None:
            return found
        if address + 4 in self.entries:
            return f"{self.entries[address + 4]}-4"
        index = bisect_right(self.starts, address) - 1
        if index >= 0:
            start, size, name = self.items[index]
            if address <= start + size:
                return self.of(name) if address == start else f"{self.of(name)}+{address - start}"
        index = bisect_right(self.functions, (address, 1 << 62)) - 1
        first, last = self.functions[index]
        return f"{self.entries[first]}+{address - first}" if first <= address < last else None

    def find_labels(self, code: bytes, start: int) -> None:
        """Name the places in a function's code that its own instructions refer to."""
        wanted: set[int] = set()

        def note(address: int) -> None:
            if start < address <= start + len(code) and address not in self.entries:
                wanted.add(address)

        for _ in disassemble(code, start, note):
            pass
        self.labels = {address: f".L{start:x}_{number}" for number, address in enumerate(sorted(wanted), 1)}
