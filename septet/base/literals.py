"""How constants of each type are written: decimal for integers; for floats the shortest decimal, or hexadecimal bits; for
vectors their lanes between braces, the lowest first, or hexadecimal bits."""

from __future__ import annotations

from struct import pack, unpack

from septet.base.types import VECTOR, Type


def spell(number: int, type: Type) -> str:
    """The text of natural `number` of `type`.  Infinities and NaNs are hexadecimal bit patterns."""
    if type.kind == VECTOR:
        lane = type.element
        return "{" + ", ".join([spell(lane.wrap(number >> at), lane) for at in range(0, type.bits, lane.bits)]) + "}"
    if not type.is_float:
        return str(number)
    value: float
    (value,) = unpack("<d", pack("<Q", number)) if type.bits == 64 else unpack("<f", pack("<I", number))
    if value - value != 0:
        return f"0x{number:0{type.bits // 4}x}"
    return repr(value)


def read(text: str, type: Type) -> int | None:
    """The natural number of `type` that `text` (sign included) spells, or None where it spells none that fits."""
    if type.kind == VECTOR:
        return _vector(text, type)
    body = text.lstrip("+-")
    negative = text.startswith("-")
    if type.is_float:
        return _float(body, negative, type.bits)
    if body.startswith("0x"):
        value = int(body, 16) if len(body) <= 18 else None
    else:
        digits = body.lstrip("0")
        value = int(digits or "0") if body.isdigit() and len(digits) <= 20 else None
    if value is None:
        return None
    value = -value if negative else value
    return value if type.low <= value <= type.high else None


def _vector(text: str, type: Type) -> int | None:
    if text.startswith("0x"):
        pattern = int(text, 16)
        return None if pattern >> type.bits else pattern
    lane = type.element
    lanes = [read(part.strip(), lane) for part in text[1:-1].split(",")] if text.startswith("{") else []
    if len(lanes) != type.lanes:
        return None
    number = 0
    for one in reversed(lanes):
        if one is None:
            return None
        number = number << lane.bits | one & (1 << lane.bits) - 1
    return number


def _float(body: str, negative: bool, bits: int) -> int | None:
    sign = 1 << (bits - 1)
    pattern: int
    if body.startswith("0x"):
        pattern = int(body, 16) if len(body) <= 18 else sign << 1
        return None if pattern >> bits else pattern ^ (sign if negative else 0)
    if len(body) > 400:
        return None
    value = float(body)
    try:
        (pattern,) = unpack("<Q", pack("<d", value)) if bits == 64 else unpack("<I", pack("<f", value))
    except OverflowError:
        return None
    if value - value != 0:
        return None
    return pattern | (sign if negative else 0)
