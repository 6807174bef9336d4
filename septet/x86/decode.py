"""Bytes to machine instructions, by the rows that encode them, and a listing of them in Intel's syntax.

What the table has no row for is not decoded: this reads what Septet emits, not every program.
"""

from __future__ import annotations

from septet.x86 import vex
from septet.x86.encode import RIP
from septet.x86.forms import EVEX, forms_of_all
from septet.x86.instructions import Mem
from septet.x86.registers import MASK, NAMES, REGISTERS, VECTOR, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from septet.x86.forms import Form, Operand, Place

_PREFIXES = (0x66, 0xF0, 0xF2, 0xF3)
_VEX = (0x62, 0xC4, 0xC5)
_SIZES = {
    0: "",
    8: "BYTE PTR ",
    16: "WORD PTR ",
    32: "DWORD PTR ",
    64: "QWORD PTR ",
    128: "XMMWORD PTR ",
    256: "YMMWORD PTR ",
    512: "ZMMWORD PTR ",
}
_VECTORS = {128: "xmm", 256: "ymm", 512: "zmm"}

_BY_OPCODE: dict[bytes, list[Form]] = {}


def forms_by_opcode() -> dict[bytes, list[Form]]:
    """The forms that decode and have no VEX or EVEX, by their opcode bytes; those with a register in the opcode stand there
    eight times."""
    if not _BY_OPCODE:
        for form in forms_of_all():
            if not form.encode_only and not form.scheme:
                last = form.opcode[-1]
                for byte in range(last, last + (8 if form.plus >= 0 else 1)):
                    _BY_OPCODE.setdefault(form.opcode[:-1] + bytes((byte,)), []).append(form)
    return _BY_OPCODE


def decode(code: bytes, offset: int = 0) -> tuple[Form, tuple[Operand, ...], int]:
    """The form, the operands and the length of the instruction at `offset`; ValueError where the table has none.

    The operand of a jump or call is its displacement, counted from the end of the instruction.
    """
    try:
        found = _decode(code, offset)
    except IndexError:
        raise ValueError(f"the instruction at offset {offset} is cut short") from None
    if found is None or offset + found[2] > len(code):
        raise ValueError(f"no instruction known at offset {offset}: {code[offset : offset + 8].hex(' ')}")
    return found


def _decode(code: bytes, offset: int) -> tuple[Form, tuple[Operand, ...], int] | None:
    at = offset
    if code[at] in _VEX:
        return _decode_vex(code, offset)
    while code[at] in _PREFIXES:
        at += 1
    prefix = bytes(sorted(set(code[offset:at])))
    rex = 0
    if code[at] & 0xF0 == 0x40:
        rex = code[at]
        at += 1
    table = forms_by_opcode()
    for length in (1, 2, 3):
        for form in table.get(code[at : at + length], ()):
            if form.prefix == prefix and form.wide == (rex & 8 != 0):
                found = _operands(form, code, at + length, rex)
                if found is not None:
                    return form, found[0], found[1] - offset
    return None


def _decode_vex(code: bytes, offset: int) -> tuple[Form, tuple[Operand, ...], int] | None:
    forms, at, fields = vex.find(code, offset)
    for form in forms:
        if vex.suits(form, code, at, fields):
            found = _operands(form, code, at, fields[0], fields)
            if found is not None:
                return form, found[0], found[1] - offset
    return None


def _operands(
    form: Form, code: bytes, at: int, rex: int, fields: vex.Fields | None = None
) -> tuple[tuple[Operand, ...], int] | None:
    """The operands and the offset of the end, if ModRM (at `at`, if there is one) and the registers suit the form."""
    places = form.places
    operands: list[Operand | None] = [place.fixed or 1 for place in places]
    if form.modrm:
        modrm = code[at]
        if form.digit >= 0 and modrm >> 3 & 7 != form.digit:
            return None
        if form.reg >= 0:
            operands[form.reg] = _register(places[form.reg], modrm >> 3 & 7 | (rex & 4) << 1)
        place = places[form.rm]
        if modrm < 0xC0:
            if place.memory < 0:
                return None
            operands[form.rm], at = _memory(code, at, rex, place.memory >> 3 if form.scheme == EVEX else 1)
        elif place.bank < 0:
            return None
        else:
            operands[form.rm] = _register(place, modrm & 7 | (rex & 1) << 3)
            at += 1
    elif form.plus >= 0:
        operands[form.plus] = _register(places[form.plus], code[at - 1] & 7 | (rex & 1) << 3)
    if (
        None in operands
        or not rex
        and fields is None
        and any(_is_high_byte(operand, place) for operand, place in zip(operands, places, strict=True))
    ):
        return None
    if fields is not None:
        found = vex.fill(form, operands, code, at, fields)
        if found is None:
            return None
        at = found
    if form.immediate >= 0:
        place = places[form.immediate]
        operands[form.immediate] = int.from_bytes(code[at : at + place.bytes], "little", signed=place.low < 0)
        at += place.bytes
    return tuple(operands), at  # type: ignore[arg-type]


def _register(place: Place, number: int) -> Register | None:
    if place.bank == MASK and number > 7:
        return None  # there are but eight
    return REGISTERS[number + 16 * place.bank]


def _is_high_byte(operand: Operand | None, place: Place) -> bool:
    """Whether this, where there is no REX, is ah, ch, dh or bh, which have no Register."""
    return place.width == 8 and isinstance(operand, Register) and 4 <= operand.number < 8


def _memory(code: bytes, at: int, rex: int, unit: int) -> tuple[Mem, int]:
    """The memory operand whose ModRM is at `at`, and where it ends; a displacement of one byte counts in `unit` bytes.
    ValueError where it has no base register."""
    modrm = code[at]
    mod, rm = modrm >> 6, modrm & 7
    at += 1
    index, scale = None, 1
    if rm == 4:
        sib = code[at]
        at += 1
        rm = sib & 7
        number = sib >> 3 & 7 | (rex & 2) << 2
        if number != 4:
            index, scale = REGISTERS[number], 1 << (sib >> 6)
        if mod == 0 and rm == 5:
            raise ValueError(f"memory without a base at offset {at}")
        base = REGISTERS[rm | (rex & 1) << 3]
    elif mod == 0 and rm == 5:
        return Mem(RIP, int.from_bytes(code[at : at + 4], "little", signed=True)), at + 4
    else:
        base = REGISTERS[rm | (rex & 1) << 3]
    size = (0, 1, 4)[mod]
    displacement = int.from_bytes(code[at : at + size], "little", signed=True)
    return Mem(base, displacement * unit if mod == 1 else displacement, index, scale), at + size


def disassemble(
    code: bytes, address: int = 0, name: Callable[[int], str | None] | None = None
) -> Iterator[tuple[int, int, str]]:
    """(offset, length, text) of each instruction, in Intel's syntax as the GNU assembler takes it.

    `address` is where the code stands.  `name` may name the target of a jump or call, or what rip-relative memory is, given
    its address; otherwise it is written as a number.  Bytes that are no known instruction are `.byte`.
    """
    offset = 0
    while offset < len(code):
        try:
            form, operands, length = decode(code, offset)
        except ValueError:
            yield offset, 1, f".byte {code[offset]:#04x}"
            offset += 1
            continue
        yield offset, length, text(form, operands, address + offset + length, name)
        offset += length


def text(form: Form, operands: tuple[Operand, ...], end: int = 0, name: Callable[[int], str | None] | None = None) -> str:
    """One instruction in Intel's syntax; `end` is the address behind it.  `name` is as for `disassemble`."""
    mnemonic = form.mnemonic
    shown = []
    for place, operand in zip(form.places, operands, strict=True):
        if place.is_label:
            assert isinstance(operand, int)
            target = end + operand & 0xFFFFFFFFFFFFFFFF
            shown.append((name and name(target)) or f"{target:#x}")
        elif isinstance(operand, Register):
            if place.chooses:
                shown[-1] += f"{{{operand.name}}}"
            else:
                shown.append(_register_text(operand, place.width))
        elif isinstance(operand, Mem):
            shown.append(_SIZES[place.memory] + _memory_text(operand, end, name))
        else:
            if place.bytes == 8:
                mnemonic = "movabs"
            shown.append(str(operand))
    return f"{mnemonic} {', '.join(shown)}" if shown else mnemonic


def _register_text(register: Register, width: int) -> str:
    if register.bank == VECTOR:
        return f"{_VECTORS[width]}{register.number}"
    return register.name if register.bank == MASK else NAMES[width][register.number]


def _memory_text(memory: Mem, end: int, name: Callable[[int], str | None] | None) -> str:
    base, index, scale, displacement = memory
    if base is RIP and name is not None:
        named = name(end + displacement & 0xFFFFFFFFFFFFFFFF)
        if named is not None:
            return f"[rip+{named}]"
    middle = "" if index is None else f"+{index.name}*{scale}"
    return f"[{base.name}{middle}{displacement:+}]" if displacement else f"[{base.name}{middle}]"
