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
    negative = text.startswith("-")
    body = text[1:] if text[:1] in ("+", "-") else text
    if "_" in body or not body.isascii():
        return None  # which int and float would take
    if type.is_float:
        return _float(body, negative, type.bits)
    if body.startswith("0x"):
        value = _pattern(body, 64)
    else:
        digits = body.lstrip("0")
        value = int(digits or "0") if body.isdigit() and len(digits) <= 20 else None
    if value is None:
        return None
    value = -value if negative else value
    return value if type.low <= value <= type.high else None


def _pattern(body: str, bits: int) -> int | None:
    """The number of at most `bits` bits that `0x` and digits spell."""
    try:
        number = int(body, 16) if len(body) <= bits // 4 + 2 else None
    except ValueError:
        return None
    return None if number is None or number >> bits else number


def _vector(text: str, type: Type) -> int | None:
    if text.startswith("0x"):
        return _pattern(text, type.bits)
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
    pattern: int | None
    if body.startswith("0x"):
        pattern = _pattern(body, bits)
        return None if pattern is None else pattern ^ (sign if negative else 0)
    if len(body) > 400 or not body[:1].isdigit():
        return None
    try:
        value = float(body)
        (pattern,) = unpack("<Q", pack("<d", value)) if bits == 64 else unpack("<I", pack("<f", value))
    except (ValueError, OverflowError):
        return None
    if value - value != 0:
        return None
    return pattern | (sign if negative else 0)
