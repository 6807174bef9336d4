"""How constants of each type are written: decimal for integers; for floats the shortest decimal, or hexadecimal bits."""

from __future__ import annotations

from struct import pack, unpack

from septet.base.types import Type


def spell(number: int, type: Type) -> str:
    """The text of natural `number` of `type`.  Infinities and NaNs are hexadecimal bit patterns."""
    if not type.is_float:
        return str(number)
    value: float
    (value,) = unpack("<d", pack("<Q", number)) if type.bits == 64 else unpack("<f", pack("<I", number))
    if value - value != 0:
        return f"0x{number:0{type.bits // 4}x}"
    return repr(value)


def read(text: str, type: Type) -> int | None:
    """The natural number of `type` that `text` (sign included) spells, or None where it spells none that fits."""
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
