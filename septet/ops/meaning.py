"""The arithmetic behind the opcode table: what Python's own operators do not say.

Floats are bit patterns here.  NaNs follow SSE: an operation with a NaN operand gives the first such operand made quiet;
one that invents a NaN gives the default one, whose sign is set.
"""

from __future__ import annotations

from math import sqrt
from struct import pack, unpack

from septet.base.types import BOOL, FLOAT, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Trap(Exception):
    """An operation that stops the program; the text says why."""


def reduced(meaning: Callable[..., Any], type: Type, compares: bool) -> Callable[..., int]:
    """`meaning` on natural numbers of `type`, its result reduced to `type`, or to bool for a comparison."""
    bits = type.bits
    wrap = type.wrap
    if compares:
        return lambda *args: int(meaning(bits, *args))
    if type.is_float:
        return lambda *args: int(meaning(bits, *args))
    return lambda *args: wrap(meaning(bits, *args))


def high(bits: int, a: Any, b: Any) -> Any:
    """The upper half of the product of two numbers of `bits` bits: floor(a * b / 2^bits)."""
    return (a * b) >> bits


def quotient(a: Any, b: Any) -> Any:
    """a / b, rounded towards zero.  Trap where b is 0."""
    if b == 0:
        raise Trap("division by zero")
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


def remainder(a: Any, b: Any) -> Any:
    """a - b * quotient(a, b), which has the sign of a.  Trap where b is 0."""
    return a - b * quotient(a, b)


def to_float(bits: int, pattern: int) -> float:
    """The float whose `bits`-bit pattern is `pattern`."""
    value: float
    if bits == 64:
        (value,) = unpack("<d", pack("<Q", pattern))
    else:
        (value,) = unpack("<f", pack("<I", pattern))
    return value


def from_float(bits: int, value: float) -> int:
    """The `bits`-bit pattern of `value`, rounded to nearest even; the default NaN for any NaN."""
    if value != value:
        return default_nan(bits)
    pattern: int
    if bits == 64:
        (pattern,) = unpack("<Q", pack("<d", value))
        return pattern
    try:
        (pattern,) = unpack("<I", pack("<f", value))
    except OverflowError:  # past the largest f32 and its rounding range
        pattern = 0x7F800000 if value > 0 else 0xFF800000
    return pattern


def default_nan(bits: int) -> int:
    """The pattern of the NaN that SSE gives for an invalid operation."""
    return 0xFFF8000000000000 if bits == 64 else 0xFFC00000


def is_nan(bits: int, pattern: int) -> bool:
    """Whether `pattern` is a NaN."""
    if bits == 64:
        return pattern & 0x7FFFFFFFFFFFFFFF > 0x7FF0000000000000
    return pattern & 0x7FFFFFFF > 0x7F800000


def quiet(bits: int, pattern: int) -> int:
    """A NaN's pattern with the quiet bit set."""
    return pattern | (1 << (51 if bits == 64 else 22))


def _nan_of(bits: int, a: int, b: int) -> int | None:
    return quiet(bits, a) if is_nan(bits, a) else quiet(bits, b) if is_nan(bits, b) else None


def float_add(bits: int, a: int, b: int) -> int:
    """a + b.  (An f32 sum, product or quotient rounded first to double and then to single is rounded right: Figueroa 1995.)"""
    nan = _nan_of(bits, a, b)
    return nan if nan is not None else from_float(bits, to_float(bits, a) + to_float(bits, b))


def float_sub(bits: int, a: int, b: int) -> int:
    """a - b."""
    nan = _nan_of(bits, a, b)
    return nan if nan is not None else from_float(bits, to_float(bits, a) - to_float(bits, b))


def float_mul(bits: int, a: int, b: int) -> int:
    """a * b."""
    nan = _nan_of(bits, a, b)
    return nan if nan is not None else from_float(bits, to_float(bits, a) * to_float(bits, b))


def float_div(bits: int, a: int, b: int) -> int:
    """a / b, where x/0 is an infinity and 0/0 a NaN."""
    nan = _nan_of(bits, a, b)
    if nan is not None:
        return nan
    x, y = to_float(bits, a), to_float(bits, b)
    if y == 0:
        if x == 0:
            return default_nan(bits)
        infinity = 0x7FF0000000000000 if bits == 64 else 0x7F800000
        return infinity | ((a ^ b) & (1 << (bits - 1)))
    return from_float(bits, x / y)


def float_sqrt(bits: int, a: int) -> int:
    """The square root of a; -0 for -0, a NaN for other negative numbers."""
    if is_nan(bits, a):
        return quiet(bits, a)
    value = to_float(bits, a)
    return default_nan(bits) if value < 0 else from_float(bits, sqrt(value))


def float_eq(bits: int, a: int, b: int) -> int:
    """a == b as 0 or 1; 0 with a NaN."""
    return int(not (is_nan(bits, a) or is_nan(bits, b)) and to_float(bits, a) == to_float(bits, b))


def float_lt(bits: int, a: int, b: int) -> int:
    """a < b as 0 or 1; 0 with a NaN."""
    return int(not (is_nan(bits, a) or is_nan(bits, b)) and to_float(bits, a) < to_float(bits, b))


def float_le(bits: int, a: int, b: int) -> int:
    """a <= b as 0 or 1; 0 with a NaN."""
    return int(not (is_nan(bits, a) or is_nan(bits, b)) and to_float(bits, a) <= to_float(bits, b))


def convert(source: Type, target: Type) -> Callable[[int], int]:
    """The function that turns natural numbers of `source` into those of `target`, keeping the value where it can."""
    if source.kind == FLOAT:
        if target.kind == FLOAT:
            return lambda a: float_to_float(source.bits, target.bits, a)
        return lambda a: float_to_int(source.bits, a, target)
    if target.kind == FLOAT:
        return lambda a: int_to_float(a, target.bits)
    if target is BOOL:
        return lambda a: a & 1
    return target.wrap


def float_to_float(source: int, target: int, a: int) -> int:
    """A float of `source` bits as one of `target` bits; a NaN keeps its sign and the top of its payload, made quiet."""
    if source == target:
        return a
    if is_nan(source, a):
        if target == 64:
            return (a >> 31) << 63 | 0x7FF8000000000000 | (a & 0x3FFFFF) << 29
        return (a >> 63) << 31 | 0x7FC00000 | (a >> 29 & 0x3FFFFF)
    return from_float(target, to_float(source, a))


def float_to_int(bits: int, a: int, target: Type) -> int:
    """The float `a` towards zero, saturating at the ends of `target`; 0 for a NaN."""
    if is_nan(bits, a):
        return 0
    value = to_float(bits, a)
    if value >= target.high:
        return target.high
    return target.low if value <= target.low else int(value)


def int_to_float(a: int, bits: int) -> int:
    """The integer `a` as the nearest float of `bits` bits, ties to even, in one rounding."""
    if bits == 32 and abs(a) >= 1 << 53:  # keep double's rounding from being a second one: round to odd first
        shift = a.bit_length() - 53
        a = (a >> shift | int(a & ((1 << shift) - 1) != 0)) << shift
    return from_float(bits, float(a))


def bitcast(source: Type, target: Type) -> Callable[[int], int]:
    """The function that keeps the bits of natural numbers of `source` and reads them as `target`; equal widths."""
    mask = (1 << source.bits) - 1
    if target.is_float:
        return lambda a: a & mask
    return lambda a: target.wrap(a & mask)
