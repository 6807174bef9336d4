"""VEX and EVEX: the prefixes that give an instruction a third operand, and vectors of 256 and 512 bits.

    VEX   C5 R vvvv L pp                            X, B and W are 0 and the map is 0F
          C4 RXB mmmmm  W vvvv L pp
    EVEX  62 RXBR' 0mmm  W vvvv 1 pp  z LL b V' aaa

RXB, R', V' and vvvv are kept inverted.  R' and V' would be for the registers 16 to 31, z and b for clearing and broadcasting:
none of these is used.  `aaa` is the mask that chooses lanes, 0 for all of them.  In EVEX a displacement of one byte counts in
units of the memory operand ("disp8*N"; N is its size, as nothing is broadcast).
"""

from __future__ import annotations

from septet.x86.encode import REGISTER_BYTES, memory_bytes
from septet.x86.forms import EVEX, VEX, forms_of_all
from septet.x86.registers import MASK, MASKS, REGISTERS, XMM, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.forms import Form, Operand

    Fields = tuple[int, int, int]  # bits W and RXB (as a REX has them), vvvv, aaa

_BY_OPCODE: dict[tuple[int, int, int, int, int], list[Form]] = {}  # scheme, pp, map, length, opcode


def emit(form: Form, operands: tuple[Operand, ...]) -> bytes:
    """The bytes of an instruction whose operands the form takes."""
    reg: int = operands[form.reg].number if form.reg >= 0 else max(form.digit, 0)  # type: ignore[union-attr]
    vvvv: int = operands[form.vvvv].number if form.vvvv >= 0 else 0  # type: ignore[union-attr]
    bits, tail = 0, b""
    if form.modrm:
        rm = operands[form.rm]
        if type(rm) is Register:
            bits = (reg & 8) >> 1 | rm.number >> 3
            tail = REGISTER_BYTES[(reg & 7) << 3 | rm.number & 7]
        else:
            unit = form.places[form.rm].memory >> 3 if form.scheme == EVEX else 1
            bits, tail = memory_bytes(reg, rm, unit)  # type: ignore[arg-type]
    if form.is4 >= 0:
        tail += bytes((operands[form.is4].number << 4,))  # type: ignore[union-attr]
    elif form.immediate >= 0:
        size = form.places[form.immediate].bytes
        value: int = operands[form.immediate]  # type: ignore[assignment]
        tail += (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    last = (~vvvv & 15) << 3 | form.pp
    if form.scheme == EVEX:
        aaa: int = operands[form.mask].number if form.mask >= 0 else 0  # type: ignore[union-attr]
        first = (~bits & 7) << 5 | 0x10 | form.map
        return bytes((0x62, first, form.wide << 7 | 4 | last, form.length << 5 | 8 | aaa)) + form.opcode + tail
    last |= form.length << 2
    if bits & 3 or form.wide or form.map != 1:
        return bytes((0xC4, (~bits & 7) << 5 | form.map, form.wide << 7 | last)) + form.opcode + tail
    return bytes((0xC5, (~bits & 4) << 5 | last)) + form.opcode + tail


def find(code: bytes, at: int) -> tuple[list[Form], int, Fields]:
    """What a prefix at `at` leads to: the forms that its opcode byte may be, W excepted; where ModRM is; what else it says.

    There are no forms where Septet never writes such a prefix.
    """
    first = code[at]
    if first == 0x62:
        p0, p1, p2 = code[at + 1], code[at + 2], code[at + 3]
        scheme, bits, end = EVEX, ~p0 >> 5 & 7, at + 4
        opcode_map, length, aaa = p0 & 7, p2 >> 5, p2 & 7
        if p0 & 0x18 != 0x10 or not p1 & 4 or p2 & 0x98 != 8:
            length = 4  # there is none
    else:
        short = first == 0xC5
        p0, p1 = (code[at + 1] & 0x80 | 0x61, code[at + 1] & 0x7F) if short else (code[at + 1], code[at + 2])
        scheme, bits, end = VEX, ~p0 >> 5 & 7, at + (2 if short else 3)
        opcode_map, length, aaa = p0 & 31, p1 >> 2 & 1, 0
    if not _BY_OPCODE:
        for form in forms_of_all():
            if form.scheme and not form.encode_only:
                _BY_OPCODE.setdefault((form.scheme, form.pp, form.map, form.length, form.opcode[0]), []).append(form)
    forms = _BY_OPCODE.get((scheme, p1 & 3, opcode_map, length, code[end]), [])
    return forms, end + 1, (p1 >> 7 << 3 | bits, ~p1 >> 3 & 15, aaa)


def suits(form: Form, code: bytes, at: int, fields: Fields) -> bool:
    """Whether the form has such a prefix, and ModRM at `at` as far as the prefix is about it."""
    bits, vvvv, aaa = fields
    if not form.ignores_w and form.wide != bits >> 3:
        return False
    if (form.vvvv < 0 and vvvv) or (form.mask < 0) != (aaa == 0):
        return False
    if not form.modrm or code[at] < 0xC0:
        return True
    return form.scheme == VEX or not bits & 2  # X would be for the registers 16 to 31


def fill(form: Form, operands: list[Operand | None], code: bytes, at: int, fields: Fields) -> int | None:
    """Put in the operands that ModRM does not hold, the immediate excepted; the offset of what follows.  None where there is no
    such register.  `at` is behind ModRM and memory."""
    _, vvvv, aaa = fields
    if form.vvvv >= 0:
        bank = form.places[form.vvvv].bank
        if bank == MASK and vvvv > 7:
            return None
        operands[form.vvvv] = REGISTERS[vvvv + 16 * bank]
    if form.mask >= 0:
        operands[form.mask] = MASKS[aaa]
    if form.is4 >= 0:
        if code[at] & 15:
            return None
        operands[form.is4] = XMM[code[at] >> 4]
        at += 1
    return at
