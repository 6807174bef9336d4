"""The arithmetic behind the opcode table: what Python's own operators do not say.

Floats are bit patterns here.  NaNs follow SSE: an operation with a NaN operand gives the first such operand made quiet;
one that invents a NaN gives the default one, whose sign is set.
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from struct import pack, unpack

from septet.base.types import BOOL, FLOAT, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Trap(Exception):
    """An operation that stops the program; the text says why."""


def reduced(meaning: Callable[..., Any], type: Type, compares: bool) -> Callable[..., int]:
    """`meaning` on natural numbers of `type`, its result reduced to `type`, or to bool for a comparison."""
    if type.lanes > 1:
        return lanes(reduced(meaning, type.element, compares), type, compares)
    bits = type.bits
    wrap = type.wrap
    if compares:
        return lambda *args: int(meaning(bits, *args))
    if type.is_float:
        return lambda *args: int(meaning(bits, *args))
    return lambda *args: wrap(meaning(bits, *args))


_LANES = {8: "B", 16: "H", 32: "I", 64: "Q"}  # struct's letters for unsigned numbers


def unpacked(type: Type, number: int) -> tuple[int, ...]:
    """The natural numbers of the lanes of a vector, the lowest first."""
    letter = _LANES.get(type.element.bits)
    if letter is None:  # lanes of a few bits, that proofs try all numbers of
        return tuple([type.element.wrap(number >> at) for at in range(0, type.bits, type.element.bits)])
    return unpack(
        f"<{type.lanes}{letter.lower() if type.element.signed else letter}", number.to_bytes(type.bits // 8, "little")
    )


def packed(type: Type, numbers: Iterable[int]) -> int:
    """The natural number of the vector that has these lanes; of each, its low bits."""
    bits = type.element.bits
    low = (1 << bits) - 1
    if bits not in _LANES:
        return sum([(number & low) << bits * lane for lane, number in enumerate(numbers)])
    return int.from_bytes(pack(f"<{type.lanes}{_LANES[bits]}", *[number & low for number in numbers]), "little")


def lanes(function: Callable[..., int], type: Type, compares: bool) -> Callable[..., int]:
    """`function` of natural numbers of the lanes, done lane by lane; what a comparison gives as a mask."""

    def whole(*args: int) -> int:
        rows = zip(*[unpacked(type, arg) for arg in args], strict=True)
        return packed(type, [-function(*row) if compares else function(*row) for row in rows])

    return whole


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


def popcount(bits: int, a: int) -> int:
    """How many of the low `bits` bits are 1."""
    return (a & (1 << bits) - 1).bit_count()


def trailing_zeros(bits: int, a: int) -> int:
    """How many zeros are below the lowest 1; `bits` for 0."""
    return (a & -a).bit_length() - 1 if a else bits


def leading_zeros(bits: int, a: int) -> int:
    """How many zeros are above the highest 1; `bits` for 0."""
    return bits - (a & (1 << bits) - 1).bit_length()


def byte_swap(bits: int, a: int) -> int:
    """The bytes in the opposite order."""
    return int.from_bytes((a & (1 << bits) - 1).to_bytes(bits // 8, "little"), "big") if bits > 8 else a


def rotate_left(bits: int, a: int, b: int) -> int:
    """The low `bits` bits of `a`, a power of two of them, moved up by b modulo `bits`; those that leave come in below."""
    count = b & bits - 1
    a &= (1 << bits) - 1
    return a << count | a >> bits - count


def minimum(a: Any, b: Any) -> Any:
    """The lesser one."""
    return b if b < a else a


def maximum(a: Any, b: Any) -> Any:
    """The greater one."""
    return a if b < a else b


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


def _parts(bits: int, pattern: int) -> tuple[bool, int, int]:
    """Sign, significand and exponent of a finite float: it is (-1)^sign * significand * 2^exponent."""
    digits, lowest = (52, -1074) if bits == 64 else (23, -149)
    exponent = pattern >> digits & ((1 << bits - 1 - digits) - 1)
    significand = pattern & ((1 << digits) - 1)
    sign = bool(pattern >> (bits - 1))
    return (sign, significand | 1 << digits, exponent - 1 + lowest) if exponent else (sign, significand, lowest)


def _nearest(bits: int, negative: bool, significand: int, exponent: int) -> int:
    """The pattern of the float nearest to +-significand * 2^exponent, ties to even; an infinity past the largest."""
    digits, lowest = (52, -1074) if bits == 64 else (23, -149)
    drop = max(significand.bit_length() - digits - 1, lowest - exponent)
    if drop > 0:
        rest = significand & ((1 << drop) - 1)
        significand >>= drop
        significand += rest << 1 > (1 << drop) - (significand & 1)
    else:
        significand <<= -drop
    # the hidden bit, where there is one, and a carry out of rounding both count the exponent up by one
    pattern = (exponent + drop - lowest << digits) + significand
    return min(pattern, _infinity(bits)) | negative << (bits - 1)


def _infinity(bits: int) -> int:
    return 0x7FF0000000000000 if bits == 64 else 0x7F800000


def float_fma(bits: int, a: int, b: int, c: int) -> int:
    """a * b + c, rounded once, to nearest even: computed in whole numbers.

    The first NaN among a, b and c is the result, made quiet, also where a * b is inf * 0.  Processors take them in the order
    in which the digits of the mnemonic name the operands (measured on Zen 5 and in Intel's manual): `vfmadd213sd x, y, z`
    looks at y, x, z, `231` at y, z, x and `132` at x, z, y.  So compiled code agrees if there is one NaN; if there are more,
    which of them it is depends on the form chosen.
    """
    for operand in (a, b, c):
        if is_nan(bits, operand):
            return quiet(bits, operand)
    infinity = _infinity(bits)
    top = 1 << (bits - 1)
    x, y, z = a & ~top, b & ~top, c & ~top
    sign = (a ^ b) & top
    if infinity in (x, y):
        return default_nan(bits) if not (x and y) or z == infinity and (c ^ sign) & top else infinity | sign
    if z == infinity:
        return c
    (x_negative, x, e), (y_negative, y, f), (z_negative, z, g) = _parts(bits, a), _parts(bits, b), _parts(bits, c)
    x, e = x * y, e + f
    low = min(e, g)
    total = (-x if x_negative != y_negative else x) << (e - low)
    total += (-z if z_negative else z) << (g - low)
    if not total:
        return sign & c & top if not (x or z) else 0
    return _nearest(bits, total < 0, abs(total), low)


def float_min(bits: int, a: int, b: int) -> int:
    """The smaller of a and b, -0 before +0; the first NaN, made quiet: IEEE 754-2019's minimum."""
    nan = _nan_of(bits, a, b)
    return nan if nan is not None else a if _order(bits, a) <= _order(bits, b) else b


def float_max(bits: int, a: int, b: int) -> int:
    """The larger of a and b, -0 before +0; the first NaN, made quiet: IEEE 754-2019's maximum."""
    nan = _nan_of(bits, a, b)
    return nan if nan is not None else a if _order(bits, a) >= _order(bits, b) else b


def _order(bits: int, a: int) -> int:
    """A number that orders floats as IEEE 754's totalOrder does."""
    top = 1 << (bits - 1)
    return a if a < top else top - 1 - a


def _whole(bits: int, a: int, round: Callable[[float], int]) -> int:
    """The float `a` as a whole number, which keeps its sign where it is 0."""
    digits = 52 if bits == 64 else 23
    if is_nan(bits, a):
        return quiet(bits, a)
    if (a >> digits & ((1 << bits - 1 - digits) - 1)) >= (1 << bits - 2 - digits) - 1 + digits:
        return a  # at least 2^digits, so whole
    number = round(to_float(bits, a))
    return from_float(bits, float(number)) | a & (1 << (bits - 1))


def float_floor(bits: int, a: int) -> int:
    """The largest whole number that is not larger than a."""
    return _whole(bits, a, floor)


def float_ceil(bits: int, a: int) -> int:
    """The smallest whole number that is not smaller than a; -0 between -1 and 0."""
    return _whole(bits, a, ceil)


def float_trunc(bits: int, a: int) -> int:
    """The float a towards zero, with its sign."""
    return _whole(bits, a, int)


def float_nearest(bits: int, a: int) -> int:
    """The nearest whole number, ties to even, with a's sign."""
    return _whole(bits, a, round)


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
    if source.lanes > 1:
        one = convert(source.element, target.element)
        return lambda a: packed(target, [one(lane) for lane in unpacked(source, a)])
    if source.kind == FLOAT:
        if target.kind == FLOAT:
            return lambda a: float_to_float(source.bits, target.bits, a)
        return lambda a: float_to_int(source.bits, a, target)
    if target.kind == FLOAT:
        return lambda a: int_to_float(a, target.bits)
    if target is BOOL:
        return lambda a: a & 1
    return target.wrap


def is_in(a: int, source: Type, target: Type) -> bool:
    """Whether `a` of type `source`, towards zero if it is a float, is one of the numbers of the integer type `target`."""
    if not source.is_float:
        return target.low <= a <= target.high
    value = to_float(source.bits, a)
    return value - value == 0 and target.low <= int(value) <= target.high


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


def select(choice: Type, type: Type) -> Callable[[int, int, int], int]:
    """The function that gives its second argument where the first, of type `choice`, is 1 (or a mask's lane negative), else
    the third."""
    if choice.lanes == 1:
        return lambda condition, a, b: a if condition else b
    return lambda mask, a, b: packed(
        type,
        [x if m < 0 else y for m, x, y in zip(unpacked(choice, mask), unpacked(type, a), unpacked(type, b), strict=True)],
    )


def splat(source: Type, target: Type) -> Callable[[int], int]:
    """The function that gives the vector whose lanes all are its argument."""
    return lambda a: packed(target, [a] * target.lanes)


def extract(source: Type, target: Type) -> Callable[[int, int], int]:
    """The function of a vector and the number of a lane that gives the lane."""
    return lambda a, lane: unpacked(source, a)[lane]


def insert(source: Type, target: Type) -> Callable[[int, int, int], int]:
    """The function that gives a vector with one lane, whose number comes before the new one, replaced."""
    bits = source.element.bits
    low = (1 << bits) - 1
    return lambda a, lane, new: a & ~(low << bits * lane) | (new & low) << bits * lane


def shuffle(source: Type, target: Type) -> Callable[[int, int, int], int]:
    """The function of two vectors, and the numbers of the lanes wanted of both, as bytes of a number."""

    def whole(a: int, b: int, wanted: int) -> int:
        given = unpacked(source, a) + unpacked(source, b)
        return packed(target, [given[lane] for lane in wanted.to_bytes(target.lanes, "little")])

    return whole


def sign_bits(source: Type, target: Type) -> Callable[[int], int]:
    """The function that gives the sign bits of the lanes, that of lane i as bit i."""
    width = source.element.bits
    return lambda a: sum([(a >> width * lane + width - 1 & 1) << lane for lane in range(source.lanes)])


def reduction(meaning: Callable[..., Any] | None) -> Callable[[Type, Type], Callable[[int], int]]:
    """What reduces vectors by an operation: upper half op lower half, until one lane is left."""
    assert meaning is not None

    def between(source: Type, target: Type) -> Callable[[int], int]:
        function = reduced(meaning, target, False)

        def whole(a: int) -> int:
            left = list(unpacked(source, a))
            while len(left) > 1:
                half = len(left) // 2
                left = [function(upper, lower) for lower, upper in zip(left[:half], left[half:], strict=True)]
            return left[0]

        return whole

    return between
