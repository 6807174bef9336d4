"""What float instructions compute in one lane: functions of the width `n` (32 or 64) and of bit patterns.

Source: Intel, Software Developer's Manual, volume 2.
"""

from __future__ import annotations

from math import ceil, floor
from struct import pack, unpack

from septet.ops import meaning as m
from septet.x86.semantics import CARRY, PARITY, ZERO, signed, unsigned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def smaller(n: int, a: int, b: int) -> int:
    """`min`: the second where they are equal or one is a NaN."""
    return a if m.float_lt(n, a, b) else b


def larger(n: int, a: int, b: int) -> int:
    """`max`: the second where they are equal or one is a NaN."""
    return a if m.float_lt(n, b, a) else b


_ROUNDINGS = (m.float_nearest, m.float_floor, m.float_ceil, m.float_trunc)


def rounded(n: int, a: int, control: int) -> int:
    """`round`: the float `a` as a whole number: to nearest even, down, up or towards zero, as the low bits of `control` say."""
    return _ROUNDINGS[0 if control & 4 else control & 3](n, a)


def scaled(n: int, a: int, control: int) -> int:
    """`vrndscale`: as `rounded`, to a multiple of 2^-M, where M is what the upper 4 bits of `control` say."""
    factor = 1 << (control >> 4)
    value = m.to_float(n, a)
    if factor == 1 or m.is_nan(n, a) or abs(value) >= 2.0**52:
        return rounded(n, a, control)
    whole = (round, floor, ceil, int)[0 if control & 4 else control & 3](value * factor)
    return m.from_float(n, whole / factor) | a & 1 << (n - 1)


# Of less, equal, greater and unordered (bits 0 to 3), those for which each of the sixteen predicates holds.
_PREDICATES = (2, 1, 3, 8, 13, 14, 12, 7, 10, 9, 11, 0, 5, 6, 4, 15)


def compared(n: int, a: int, b: int, predicate: int) -> int:
    """`cmp`: all bits set where the predicate holds, else none."""
    if m.is_nan(n, a) or m.is_nan(n, b):
        relation = 8
    else:
        relation = 1 if m.float_lt(n, a, b) else 2 if m.float_eq(n, a, b) else 4
    return (1 << n) - 1 if _PREDICATES[predicate & 15] & relation else 0


def flags(n: int, a: int, b: int) -> int:
    """The flags of `ucomis` and `comis`: all three of zero, parity and carry where a NaN is involved."""
    if m.is_nan(n, a) or m.is_nan(n, b):
        return ZERO | PARITY | CARRY
    return CARRY if m.float_lt(n, a, b) else ZERO if m.float_eq(n, a, b) else 0


def multiply_add(order: str, negate_product: bool, negate_sum: bool) -> Callable[..., int]:
    """`vfmadd`, `vfmsub`, `vfnmadd`, `vfnmsub`: +-(x * y) +- z of operands that the digits of `order` number from 1.

    A NaN is not negated; where there are several the first counts, in the order of the digits."""
    first, second, third = [int(digit) - 1 for digit in order]

    def lane(n: int, *operands: int) -> int:
        x, y, z = operands[first], operands[second], operands[third]
        if not (m.is_nan(n, x) or m.is_nan(n, y) or m.is_nan(n, z)):
            top = 1 << (n - 1)
            x ^= top if negate_product else 0
            z ^= top if negate_sum else 0
        return m.float_fma(n, x, y, z)

    return lane


def from_half(a: int) -> int:
    """`vcvtph2ps`: the 16-bit float `a` as one of 32 bits; a NaN is made quiet."""
    if a & 0x7FFF > 0x7C00:
        return (a & 0x8000) << 16 | 0x7FC00000 | (a & 0x3FF) << 13
    (value,) = unpack("<e", a.to_bytes(2, "little"))
    return m.from_float(32, value)


def to_half(a: int, control: int) -> int:
    """`vcvtps2ph`: the 32-bit float `a` as one of 16 bits, rounded as the low bits of `control` say (see `rounded`)."""
    sign = a >> 16 & 0x8000
    if m.is_nan(32, a):
        return sign | 0x7E00 | a >> 13 & 0x1FF
    value = abs(m.to_float(32, a))
    try:
        found = int.from_bytes(pack("<e", value), "little")
    except OverflowError:
        found = 0x7C00
    (nearest,) = unpack("<e", found.to_bytes(2, "little"))
    up = not control & 4 and control & 3 == (1 if sign else 2)  # away from zero: down for negative numbers, up for others
    if control & 7 and not control & 4 and not up and nearest > value:
        found -= 1
    elif up and nearest < value:
        found += 1
    return sign | found


def to_integer(n: int, a: int, bits: int, is_signed: bool, truncates: bool) -> int:
    """`cvtt` and `cvt` to an integer of `bits` bits, towards zero or to nearest even.

    What does not fit becomes the lowest number, or of unsigned ones the highest: only the top bit set, or all."""
    lowest, highest = (-1 << (bits - 1), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    invalid = lowest if is_signed else highest
    if m.is_nan(n, a):
        return invalid
    value = m.to_float(n, a)
    if not -(2.0**65) < value < 2.0**65:
        return invalid
    number = int(value) if truncates else round(value)
    return number if lowest <= number <= highest else invalid


def from_integer(bits: int, a: int, n: int, is_signed: bool = True) -> int:
    """`cvtsi2sd` and so on: the low `bits` bits of `a`, a signed or unsigned number, as a float of `n` bits."""
    return m.int_to_float(signed(bits, a) if is_signed else unsigned(bits, a), n)
