"""Debugging information: lines, functions and frames, as DWARF has it: version 4, which every reader knows.

    .debug_line     for each function, the source line from which address on: `Code.places`
    .debug_info     the source file, and for each function its name, line and extent; .debug_abbrev is its grammar
    .debug_frame    how to find each frame's caller and its registers: `Code.frames`; .eh_frame is the same for unwinders

Lines are those of the file as it was given.  What was inlined stands on the line of its call.  No date, folder or machine is
in them: the same program gives the same bytes.
"""

from __future__ import annotations

from struct import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from septet.link.code import Code, Frame
    from septet.link.layout import Image

REGISTERS = (
    0,
    2,
    1,
    3,
    7,
    6,
    4,
    5,
    *range(8, 16),
)  # DWARF's number of each general register, by ours (the psABI's figure 3.36)
_RSP, _RETURN_ADDRESS = 7, 16
_LINE_BASE, _LINE_RANGE, _OPCODE_BASE = -5, 14, 13
_ARGUMENTS = bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1))  # of the standard opcodes of line programs
_ADVANCE_PC, _ADVANCE_LINE, _COPY = b"\x02", b"\x03", b"\x01"
_END_SEQUENCE = b"\x00\x01\x01"
_SET_ADDRESS = b"\x00\x09\x02"
_C99 = 0x0C  # the language that debuggers take it for: LB has C's operators and integers
_CFA_NOP, _CFA_DEF_CFA, _CFA_DEF_CFA_OFFSET, _CFA_UNDEFINED = b"\0", b"\x0c", b"\x0e", b"\x07"


class Part:
    """The content of a section, and the fields in it that name places elsewhere: (offset, bytes, section, offset there)."""

    __slots__ = ("content", "references")

    def __init__(self, content: bytes | bytearray = b"") -> None:
        self.content = bytearray(content)
        self.references: list[tuple[int, int, str, int]] = []

    def refer(self, size: int, section: str, offset: int, base: int = 0) -> None:
        """Append a field of `size` bytes that names `offset` of `section`, which stands at address `base`."""
        self.references.append((len(self.content), size, section, offset))
        self.content += (base + offset).to_bytes(size, "little")


class Extent:
    """A function where it was placed: its name, entry and end as offsets in .text, how to unwind it, and for one of the
    source its code.  An `outermost` function has no caller."""

    __slots__ = ("name", "first", "last", "frames", "code", "outermost")

    def __init__(
        self, name: str, first: int, last: int, frames: Sequence[Frame], code: Code | None = None, outermost: bool = False
    ) -> None:
        self.name = name
        self.first = first
        self.last = last
        self.frames = frames
        self.code = code
        self.outermost = outermost


def sections(extents: Sequence[Extent], source: str, text: int = 0) -> dict[str, Part]:
    """The sections for functions of the file `source`, .text being at address `text`, by name.  Without `source` no lines."""
    ours = [extent for extent in extents if extent.code is not None]
    parts = {".debug_frame": frames(extents, text)}
    if ours and source:
        parts[".debug_line"] = lines(ours, source, text)
        parts[".debug_info"] = _information(ours, source, text)
        parts[".debug_abbrev"] = Part(_ABBREVIATIONS)
    return parts


def extents(image: Image, codes: Iterable[Code]) -> list[Extent]:
    """The functions of an image, the runtime's and those of `codes`."""
    from septet.runtime.image import load

    known = {code.name: code for code in codes}
    runtime = load().frames
    result = []
    for name, first, last in image.functions:
        code = known.get(name)
        frames = runtime.get(name, ()) if code is None else code.frames
        outermost = first == image.entry
        result.append(Extent(name, first - image.start, last - image.start, frames, code, outermost))
    return result


def lines(extents: Iterable[Extent], source: str, text: int) -> Part:
    """The line table, one sequence a function.

    All rows begin a statement.  A function's first row is its header's line, so that its second is where debuggers stop.
    """
    head = pack("<BBBbBB", 1, 1, 1, _LINE_BASE, _LINE_RANGE, _OPCODE_BASE) + _ARGUMENTS
    head += b"\0" + _string(source) + b"\0\0\0" + b"\0"  # no folders; one file
    part = Part(bytes(4) + pack("<HI", 4, len(head)) + head)
    content = part.content
    known: dict[tuple[int, int], bytes] = {}
    for extent in extents:
        assert extent.code is not None
        content += _SET_ADDRESS
        part.refer(8, ".text", extent.first, text)
        at, line = 0, 1
        for offset, number in ((0, extent.code.line), *extent.code.lines()):
            step = (offset - at, number - line)
            row = known.get(step)
            if row is None:
                row = known[step] = _row(*step)
            content += row
            at, line = offset, number
        content += _ADVANCE_PC + uleb(extent.last - extent.first - at) + _END_SEQUENCE
    content[:4] = pack("<I", len(content) - 4)
    return part


def _row(advance: int, lines: int) -> bytes:
    """The opcodes that go so many bytes and lines on and append a row."""
    opcode = lines - _LINE_BASE + _LINE_RANGE * advance + _OPCODE_BASE
    if 0 <= lines - _LINE_BASE < _LINE_RANGE and opcode < 256:
        return bytes((opcode,))
    moved = (_ADVANCE_PC + uleb(advance) if advance else b"") + (_ADVANCE_LINE + sleb(lines) if lines else b"")
    return moved + _COPY


# .debug_info, and its grammar: number, tag, whether it has children, pairs of attribute and form

_ADDRESS, _DATA2, _DATA8, _UDATA, _STRING, _SECTION_OFFSET, _EXPRESSION, _FLAG = 0x01, 0x05, 0x07, 0x0F, 0x08, 0x17, 0x18, 0x19
_NAME, _STATEMENTS, _LOW_PC, _HIGH_PC, _LANGUAGE, _PRODUCER = 0x03, 0x10, 0x11, 0x12, 0x13, 0x25
_DECLARED_IN, _DECLARED_AT, _EXTERNAL, _FRAME_BASE = 0x3A, 0x3B, 0x3F, 0x40
_UNIT = bytes((1, 0x11, 1))
_UNIT += bytes((_PRODUCER, _STRING, _LANGUAGE, _DATA2, _NAME, _STRING, _LOW_PC, _ADDRESS, _HIGH_PC, _DATA8))
_UNIT += bytes((_STATEMENTS, _SECTION_OFFSET, 0, 0))
_SUBPROGRAM = bytes((2, 0x2E, 0))
_SUBPROGRAM += bytes((_EXTERNAL, _FLAG, _NAME, _STRING, _DECLARED_IN, _UDATA, _DECLARED_AT, _UDATA))
_SUBPROGRAM += bytes((_LOW_PC, _ADDRESS, _HIGH_PC, _DATA8, _FRAME_BASE, _EXPRESSION, 0, 0))
_ABBREVIATIONS = _UNIT + _SUBPROGRAM + b"\0"
_CALL_FRAME_CFA = b"\x01\x9c"  # a block of one byte


def _information(extents: Sequence[Extent], source: str, text: int) -> Part:
    from septet import __version__

    part = Part(bytes(4) + pack("<H", 4))
    part.refer(4, ".debug_abbrev", 0)
    content = part.content
    content += b"\x08\x01" + _string(f"septet {__version__}") + pack("<H", _C99) + _string(source)
    first, last = min(extent.first for extent in extents), max(extent.last for extent in extents)
    part.refer(8, ".text", first, text)
    content += pack("<Q", last - first)
    part.refer(4, ".debug_line", 0)
    for extent in extents:
        assert extent.code is not None
        content += b"\x02" + _string(extent.name) + b"\x01" + uleb(max(extent.code.line, 0))
        part.refer(8, ".text", extent.first, text)
        content += pack("<Q", extent.last - extent.first) + _CALL_FRAME_CFA
    content += b"\0"
    content[:4] = pack("<I", len(content) - 4)
    return part


# Frames


def frames(extents: Iterable[Extent], text: int) -> Part:
    """.debug_frame."""
    start = _CFA_DEF_CFA + bytes((_RSP, 8, 0x80 | _RETURN_ADDRESS, 1))
    part = Part(_entry(b"\xff\xff\xff\xff" + bytes((1, 0, 1)) + sleb(-8) + bytes((_RETURN_ADDRESS,)) + start))
    for extent in extents:
        body = pack("<Q", extent.last - extent.first) + _rules(extent)
        body += _CFA_NOP * (-len(body) % 8)
        part.content += pack("<I", len(body) + 12)
        part.refer(4, ".debug_frame", 0)
        part.refer(8, ".text", extent.first, text)
        part.content += body
    return part


def exception_frames(extents: Iterable[Extent], text: int, here: int) -> bytes:
    """.eh_frame, at address `here`: frames by distance, so that it may be loaded anywhere."""
    start = _CFA_DEF_CFA + bytes((_RSP, 8, 0x80 | _RETURN_ADDRESS, 1))
    head = bytes(4) + b"\x01zR\0\x01" + sleb(-8) + bytes((_RETURN_ADDRESS, 1, 0x1B))  # 4-byte distances from where they stand
    content = bytearray(_entry(head + start))
    for extent in extents:
        at = len(content) + 8
        body = pack("<iI", text + extent.first - (here + at), extent.last - extent.first) + b"\0" + _rules(extent)
        body += _CFA_NOP * (-(len(body) + 8) % 8)
        content += pack("<II", len(body) + 4, at - 4) + body
    return bytes(content) + bytes(4)


def search_table(extents: Iterable[Extent], exception_frames: bytes, text: int, frames_at: int, here: int) -> bytes:
    """.eh_frame_hdr, at address `here`, for an .eh_frame at `frames_at`: what unwinders search, sorted by address."""
    rows = []
    at = 4 + int.from_bytes(exception_frames[:4], "little")
    for extent in extents:
        rows.append((text + extent.first - here, frames_at + at - here))
        at += 4 + int.from_bytes(exception_frames[at : at + 4], "little")
    head = pack("<BBBBiI", 1, 0x1B, 0x03, 0x3B, frames_at - (here + 4), len(rows))
    return head + b"".join(pack("<ii", *row) for row in sorted(rows))


def _entry(body: bytes) -> bytes:
    body += _CFA_NOP * (-(len(body) + 4) % 8)
    return pack("<I", len(body)) + body


def _rules(extent: Extent) -> bytes:
    """The call frame instructions of a function."""
    if extent.outermost:
        return _CFA_UNDEFINED + bytes((_RETURN_ADDRESS,))
    out = bytearray()
    at, frame = 0, 8
    saved: dict[int, int] = {}
    for offset, size, now in extent.frames:
        wanted = dict(now)
        if size == frame and wanted == saved:
            continue
        if offset > at:
            out += _advance(offset - at)
            at = offset
        if size != frame:
            out += _CFA_DEF_CFA_OFFSET + uleb(size)
            frame = size
        for number, place in now:
            if saved.get(number) != place:
                out += bytes((0x80 | REGISTERS[number],)) + uleb(-place // 8)
        for number in saved:
            if number not in wanted:
                out.append(0xC0 | REGISTERS[number])  # as the caller has it
        saved = wanted
    return bytes(out)


def _advance(delta: int) -> bytes:
    if delta < 64:
        return bytes((0x40 | delta,))
    if delta < 256:
        return pack("<BB", 2, delta)
    return pack("<BH", 3, delta) if delta < 65536 else pack("<BI", 4, delta)


def uleb(number: int) -> bytes:
    """An unsigned LEB128 number."""
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def sleb(number: int) -> bytes:
    """A signed LEB128 number."""
    out = bytearray()
    while not -64 <= number < 64:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number & 127)
    return bytes(out)


def _string(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape") + b"\0"
