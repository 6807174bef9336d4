"""Machine instructions to bytes: the shortest form of an opcode that takes the operands.

    prefix  REX 0100WRXB  opcode  ModRM mod:2 reg:3 rm:3  SIB scale:2 index:3 base:3  displacement  immediate

R, X and B are the top bits of the register numbers in ModRM's reg, SIB's index, and ModRM's rm (or SIB's base, or the opcode).
mod 3 is a register in rm; mods 0, 1 and 2 are memory with 0, 1 and 4 bytes of displacement, where rm 4 means that SIB follows,
SIB's index 4 means no index, and rm 5 in mod 0 means rip + displacement, so that a base rbp or r13 needs a displacement.
Where a form has VEX or EVEX, `vex.py` makes what is in front of ModRM.
"""

from __future__ import annotations

from septet.x86.instructions import Mem
from septet.x86.registers import GENERAL, RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.forms import Form, Operand
    from septet.x86.instructions import Op

    Check = tuple[int, int, Register | None, bool]  # operand, its bank, the one register it must be, not number 0
    Plan = tuple[Form, list[Check], list[int]]  # with the operands that are 8-bit registers

RIP = Register("rip", 5, 3)  # the base of memory relative to the next instruction: `Mem(RIP, displacement)`
KNOWN_LIMIT = 1 << 17


class Unencodable(ValueError):
    """No form of the opcode takes the operands; says why."""


_KNOWN: dict[tuple[Op, tuple[Operand, ...]], bytes] = {}
_PLANS: dict[tuple[Op, tuple[type, ...]], list[Plan]] = {}


def encode(op: Op, operands: tuple[Operand, ...]) -> bytes:
    """The bytes of one machine instruction; operands are registers, ints and memory.

    The int operand of a jump or call is its displacement, counted from the end of the instruction.  Unencodable where no
    form takes the operands.
    """
    code = _KNOWN.get((op, operands))
    if code is None:
        if len(_KNOWN) >= KNOWN_LIMIT:
            _KNOWN.clear()
        code = _KNOWN[op, operands] = _encode(op, operands)
    return code


def encode_rip(op: Op, operands: tuple[Operand, ...]) -> tuple[bytes, int]:
    """The bytes of an instruction with an operand `Mem(RIP, ...)`, and the offset of its 4-byte displacement in them.

    The displacement counts from the end of the instruction, which is the end of the displacement unless there is an immediate.
    """
    code = encode(op, operands)
    for form, checks, _ in _PLANS[op, tuple(map(type, operands))]:
        if _fits(form, checks, operands):
            after = form.places[form.immediate].bytes if form.immediate >= 0 else int(form.is4 >= 0)
            return code, len(code) - 4 - after
    raise AssertionError("what was encoded has a form")


def encode_form(form: Form, operands: tuple[Operand, ...]) -> bytes:
    """The bytes of an instruction in this very form.  Unencodable where it does not take the operands."""
    for plan in _plans((form,), tuple(map(type, operands))):
        if _fits(form, plan[1], operands):
            return _emit(form, operands, plan[2])
    raise Unencodable(f"{form!r} does not take {operands}")


def jump_short(op: Op) -> bytes:
    """The opcode bytes of a jump's form with one byte of displacement, which follows.  Unencodable where there is none."""
    return _jump(op, "rel8")


def jump_near(op: Op) -> bytes:
    """The opcode bytes of a jump's or call's form with four bytes of displacement, which follow."""
    return _jump(op, "rel32")


def _jump(op: Op, place: str) -> bytes:
    for form in op.forms:
        if form.places and form.places[0].text == place:
            return form.opcode
    raise Unencodable(f"{op} has no form with {place}")


# The manual's recommended sequences of 1 to 9 bytes that do nothing
_NOPS = [b"", b"\x90", b"\x66\x90", b"\x0f\x1f\x00", b"\x0f\x1f\x40\x00", b"\x0f\x1f\x44\x00\x00", b"\x66\x0f\x1f\x44\x00\x00"]
_NOPS += [b"\x0f\x1f\x80" + bytes(4), b"\x0f\x1f\x84" + bytes(5), b"\x66\x0f\x1f\x84" + bytes(5)]


def nops(count: int) -> bytes:
    """`count` bytes of as few instructions as can be that do nothing."""
    return _NOPS[9] * (count // 9) + _NOPS[count % 9]


def _encode(op: Op, operands: tuple[Operand, ...]) -> bytes:
    kinds = tuple(map(type, operands))
    plans = _PLANS.get((op, kinds))
    if plans is None:
        plans = _PLANS[op, kinds] = _plans(op.forms, kinds)
    for form, checks, byte_registers in plans:
        if _fits(form, checks, operands):
            return _emit(form, operands, byte_registers)
    raise Unencodable(_why_not(op, operands, plans))


def _plans(forms: tuple[Form, ...], kinds: tuple[type, ...]) -> list[Plan]:
    """Those of the forms that take operands of these kinds, shortest first, with what is left to check."""
    plans = []
    for form in forms:
        places = form.places
        if len(places) != len(kinds):
            continue
        for place, kind in zip(places, kinds, strict=True):
            if not (
                (kind is Register and place.bank >= 0)
                or (kind is int and place.low <= place.high)
                or (kind is Mem and place.memory >= 0)
            ):
                break
        else:
            registers = [index for index, kind in enumerate(kinds) if kind is Register]
            checks = [(index, places[index].bank, places[index].fixed, places[index].chooses) for index in registers]
            byte_registers = [index for index in registers if places[index].width == 8 and places[index].fixed is None]
            plans.append((form, checks, byte_registers))
    plans.sort(key=lambda plan: _length(plan[0]))
    return plans


def _length(form: Form) -> int:
    """The length of a form's encoding, apart from what its operands add alike in every form."""
    immediate = form.places[form.immediate].bytes if form.immediate >= 0 else 0
    return len(form.prefix) + form.wide + len(form.opcode) + form.modrm + immediate


def _fits(form: Form, checks: list[Check], operands: tuple[Operand, ...]) -> bool:
    for index, bank, fixed, chooses in checks:
        operand = operands[index]
        if operand.bank != bank or (fixed is not None and operand is not fixed):  # type: ignore[union-attr]
            return False
        if chooses and operand.number == 0:  # type: ignore[union-attr]
            return False
    if form.number_at >= 0:
        place = form.places[form.number_at]
        value: int = operands[form.number_at]  # type: ignore[assignment]
        return place.low <= place.number(value, form.width) <= place.high
    return True


def _emit(form: Form, operands: tuple[Operand, ...], byte_registers: list[int]) -> bytes:
    if form.scheme:
        from septet.x86.vex import emit

        return emit(form, operands)
    rex = 0x48 if form.wide else 0
    code = form.opcode
    if form.modrm:
        reg: int = operands[form.reg].number if form.digit < 0 else form.digit  # type: ignore[union-attr]
        rm = operands[form.rm]
        if type(rm) is Register:
            rex |= (reg & 8) >> 1 | rm.number >> 3
            code += REGISTER_BYTES[(reg & 7) << 3 | rm.number & 7]
        else:
            bits, body = memory_bytes(reg, rm)  # type: ignore[arg-type]
            rex |= bits
            code += body
    elif form.plus >= 0:
        number: int = operands[form.plus].number  # type: ignore[union-attr]
        rex |= number >> 3
        code = code[:-1] + bytes((code[-1] | number & 7,))
    for index in byte_registers:
        if operands[index].number > 3:  # type: ignore[union-attr]
            rex |= 0x40  # without a REX, 4..7 would be ah, ch, dh and bh
    if rex:
        code = bytes((rex | 0x40,)) + code
    if form.immediate >= 0:
        size = form.places[form.immediate].bytes
        value: int = operands[form.immediate]  # type: ignore[assignment]
        code += (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    return form.prefix + code if form.prefix else code


REGISTER_BYTES = [bytes((0xC0 | number,)) for number in range(64)]
_SCALES = {1: 0, 2: 0x40, 4: 0x80, 8: 0xC0}


def memory_bytes(reg: int, memory: Mem, unit: int = 1) -> tuple[int, bytes]:
    """The REX bits R, X and B, and ModRM with all that follows it but an immediate.  A displacement of one byte counts in
    `unit` bytes."""
    base, index, scale, displacement = memory
    if not -0x80000000 <= displacement <= 0x7FFFFFFF:
        raise Unencodable(f"the displacement of {memory} is more than 32 bits")
    rex = (reg & 8) >> 1
    reg = (reg & 7) << 3
    if type(base) is not Register or base.bank != GENERAL:
        if base is RIP and index is None:
            return rex, bytes((reg | 5,)) + displacement.to_bytes(4, "little", signed=True)
        raise Unencodable(f"{base} cannot be the base of {memory}")
    number = base.number
    rex |= number >> 3
    number &= 7
    if displacement == 0 and number != 5:
        tail = b""
    elif -128 * unit <= displacement <= 127 * unit and displacement % unit == 0:
        tail = bytes((displacement // unit & 255,))
        reg |= 0x40
    else:
        tail = displacement.to_bytes(4, "little", signed=True)
        reg |= 0x80
    if index is None:
        if number != 4:
            return rex, bytes((reg | number,)) + tail
        return rex, bytes((reg | 4, 0x24)) + tail
    if type(index) is not Register or index.bank != GENERAL or index is RSP or scale not in _SCALES:
        raise Unencodable(f"{index}*{scale} cannot be the index of {memory}")
    return rex | (index.number & 8) >> 2, bytes((reg | 4, _SCALES[scale] | (index.number & 7) << 3 | number)) + tail


def _why_not(op: Op, operands: tuple[Operand, ...], plans: list[Plan]) -> str:
    """Why no form of the opcode takes these operands."""
    shown = f"{op} {', '.join([repr(operand) for operand in operands])}".strip()
    if not op.forms:
        return f"{op} is not one machine instruction"
    numbers = [form for form, checks, _ in plans if form.number_at >= 0 and not _fits(form, [], operands)]
    if numbers:
        widest = max([form.places[form.number_at] for form in numbers], key=lambda place: place.high)
        return f"{shown}: {operands[numbers[0].number_at]!r} is not in {widest.low}..{widest.high}"
    return f"{shown}: the forms are {'; '.join([repr(form).partition(' |')[0] for form in op.forms])}"
