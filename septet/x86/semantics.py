"""What instructions compute: for each mnemonic its result and its flags, as pure functions of a width and of numbers.

General operands are integers of which the low `n` bits count, and so are results.  A mnemonic's arguments are the operands
it reads, in their order: `add` takes destination and source, `popcnt` its source, `imul w, x, 5` the last two.  Vector
operands are the unsigned bit patterns of floats of `n` bits.

Flags are an int: the bits of RFLAGS (`CARRY` ... `OVERFLOW`), and 16 bits higher those of them that are undefined.
The auxiliary carry is left out, as no instruction here reads it.  Source: Intel, Software Developer's Manual, volume 2.
"""

from __future__ import annotations

import operator
from math import ceil, floor

from septet.base.types import I32, I64
from septet.ops import meaning as m

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Result = Callable[[int, int, int], int]
    Flags = Callable[[int, int, int], int]

CARRY, PARITY, ZERO, SIGN, OVERFLOW = 1, 4, 64, 128, 2048
ALL_FLAGS = CARRY | PARITY | ZERO | SIGN | OVERFLOW
UNDEFINED = ALL_FLAGS << 16  # flags of which none is defined

_PARITY = bytes(0 if n.bit_count() & 1 else PARITY for n in range(256))


def signed(n: int, a: int) -> int:
    """The signed number in the low `n` bits of `a`."""
    a &= (1 << n) - 1
    return a - (1 << n) if a >> (n - 1) else a


def unsigned(n: int, a: int) -> int:
    """The unsigned number in the low `n` bits of `a`."""
    return a & ((1 << n) - 1)


def _count(n: int, b: int) -> int:
    """How far a shift by `b` goes: the hardware looks at 6 bits of it for 64-bit operands, else at 5."""
    return b & (63 if n == 64 else 31)


# Results


def _rotated(n: int, a: int, left: int) -> int:
    a = unsigned(n, a)
    left %= n
    return a << left | a >> (n - left)


def _swapped(n: int, a: int, b: int) -> int:
    return int.from_bytes(unsigned(n, a).to_bytes(n // 8, "little"), "big")


def _trailing_zeros(n: int, a: int) -> int:
    a = unsigned(n, a)
    return (a & -a).bit_length() - 1 if a else n


RESULTS: dict[str, Result] = {
    "add": lambda n, a, b: a + b,
    "sub": lambda n, a, b: a - b,
    "imul": lambda n, a, b: a * b,
    "and": lambda n, a, b: a & b,
    "or": lambda n, a, b: a | b,
    "xor": lambda n, a, b: a ^ b,
    "neg": lambda n, a, b: -a,
    "not": lambda n, a, b: ~a,
    "inc": lambda n, a, b: a + 1,
    "dec": lambda n, a, b: a - 1,
    "shl": lambda n, a, b: a << _count(n, b),
    "shr": lambda n, a, b: unsigned(n, a) >> _count(n, b),
    "sar": lambda n, a, b: signed(n, a) >> _count(n, b),
    "rol": lambda n, a, b: _rotated(n, a, _count(n, b)),
    "ror": lambda n, a, b: _rotated(n, a, -_count(n, b)),
    "bswap": _swapped,
    "popcnt": lambda n, a, b: unsigned(n, a).bit_count(),
    "lzcnt": lambda n, a, b: n - unsigned(n, a).bit_length(),
    "tzcnt": lambda n, a, b: _trailing_zeros(n, a),
    "bts": lambda n, a, b: a | 1 << b % n,
    "btr": lambda n, a, b: a & ~(1 << b % n),
    "btc": lambda n, a, b: a ^ 1 << b % n,
    "bsf": lambda n, a, b: _trailing_zeros(n, a),  # for a = 0 the destination stays as it was
    "bsr": lambda n, a, b: unsigned(n, a).bit_length() - 1,  # likewise
}
"""(n, first, second) -> result; those with one argument ignore the second."""

CARRY_RESULTS: dict[str, Callable[[int, int, int, int], int]] = {
    "adc": lambda n, a, b, carry: a + b + carry,
    "sbb": lambda n, a, b, carry: a - b - carry,
}
"""(n, first, second, carry flag as 0 or 1) -> result."""


def halves(n: int, number: int) -> tuple[int, int]:
    """The low and the high `n` bits of a product, unsigned."""
    mask = (1 << n) - 1
    return number & mask, number >> n & mask


def product(n: int, a: int, b: int, is_signed: bool) -> int:
    """The whole product of two `n`-bit numbers, which `mul` and the one-operand `imul` put in two registers."""
    view = signed if is_signed else unsigned
    return view(n, a) * view(n, b)


def division(n: int, low: int, high: int, divisor: int, is_signed: bool) -> tuple[int, int] | None:
    """Quotient and remainder of high:low by `divisor`, as `div` and `idiv` make them; None where the processor traps."""
    view = signed if is_signed else unsigned
    number, by = view(n, high) << n | unsigned(n, low), view(n, divisor)
    if by == 0:
        return None
    quotient = m.quotient(number, by)
    if view(n, quotient) != quotient:
        return None
    return quotient, number - quotient * by


# Flags


def _of_result(n: int, r: int) -> int:
    """Sign, zero and parity."""
    flags = _PARITY[r & 255]
    if r >> (n - 1) & 1:
        return flags | SIGN
    return flags if r & ((1 << n) - 1) else flags | ZERO


def sum_flags(n: int, a: int, b: int, carry: int = 0) -> int:
    """The flags of a + b + carry."""
    a, b = unsigned(n, a), unsigned(n, b)
    r = a + b + carry
    flags = _of_result(n, r) | r >> n
    return flags | OVERFLOW if ((a ^ r) & (b ^ r)) >> (n - 1) & 1 else flags


def difference_flags(n: int, a: int, b: int, borrow: int = 0) -> int:
    """The flags of a - b - borrow."""
    a, b = unsigned(n, a), unsigned(n, b)
    r = a - b - borrow
    flags = _of_result(n, r) | int(r < 0)
    return flags | OVERFLOW if ((a ^ b) & (a ^ r)) >> (n - 1) & 1 else flags


def product_flags(n: int, a: int, b: int, is_signed: bool = True) -> int:
    """The flags of a product: carry and overflow where its upper half says something."""
    whole = product(n, a, b, is_signed)
    lost = (signed if is_signed else unsigned)(n, whole) != whole
    return (CARRY | OVERFLOW if lost else 0) | (SIGN | ZERO | PARITY) << 16


def _zero_flags(n: int, a: int, b: int) -> int:
    """Zero says whether the source is zero; the rest is undefined."""
    return (0 if unsigned(n, a) else ZERO) | (ALL_FLAGS ^ ZERO) << 16


def _counted_flags(n: int, result: int) -> int:
    flags = CARRY if result == n else 0
    return flags | (0 if result else ZERO) | (SIGN | PARITY | OVERFLOW) << 16


FLAGS: dict[str, Flags] = {
    "add": sum_flags,
    "xadd": sum_flags,
    "sub": difference_flags,
    "cmp": difference_flags,
    "and": lambda n, a, b: _of_result(n, a & b),
    "test": lambda n, a, b: _of_result(n, a & b),
    "or": lambda n, a, b: _of_result(n, a | b),
    "xor": lambda n, a, b: _of_result(n, a ^ b),
    "neg": lambda n, a, b: difference_flags(n, 0, a),
    "imul": product_flags,
    "popcnt": lambda n, a, b: 0 if unsigned(n, a) else ZERO,
    "lzcnt": lambda n, a, b: _counted_flags(n, n - unsigned(n, a).bit_length()),
    "tzcnt": lambda n, a, b: _counted_flags(n, _trailing_zeros(n, a)),
    "bsf": _zero_flags,
    "bsr": _zero_flags,
}
"""(n, first, second) -> flags, of the mnemonics whose flags do not depend on the flags before."""


def _shift_flags(n: int, r: int, count: int, carry: int, overflow: int) -> int:
    """`overflow` is what it is after a shift by one; after others it is undefined, and carry is where count > n."""
    flags = _of_result(n, r)
    if count > n:
        flags |= CARRY << 16
    else:
        flags |= carry & 1
    if count > 1:
        return flags | OVERFLOW << 16
    return flags | OVERFLOW if overflow & 1 else flags


def _shl_flags(n: int, a: int, b: int, old: int) -> int:
    count = _count(n, b)
    if not count:
        return old
    r = unsigned(n, a) << count
    return _shift_flags(n, r, count, r >> n, r >> n ^ r >> (n - 1))


def _shr_flags(n: int, a: int, b: int, old: int) -> int:
    count = _count(n, b)
    a = unsigned(n, a)
    return _shift_flags(n, a >> count, count, a >> (count - 1), a >> (n - 1)) if count else old


def _sar_flags(n: int, a: int, b: int, old: int) -> int:
    count = _count(n, b)
    a = signed(n, a)
    return _shift_flags(n, a >> count, min(count, n), a >> (count - 1), 0) if count else old


def _rotate_flags(n: int, b: int, old: int, carry: int, overflow: int) -> int:
    count = _count(n, b)
    if not count:
        return old
    flags = old & ~((CARRY | OVERFLOW) * 0x10001) | carry & 1
    if count > 1:
        return flags | OVERFLOW << 16
    return flags | OVERFLOW if overflow & 1 else flags


def _rol_flags(n: int, a: int, b: int, old: int) -> int:
    r = _rotated(n, a, _count(n, b))
    return _rotate_flags(n, b, old, r, r ^ r >> (n - 1))


def _ror_flags(n: int, a: int, b: int, old: int) -> int:
    r = _rotated(n, a, -_count(n, b))
    return _rotate_flags(n, b, old, r >> (n - 1), r >> (n - 1) ^ r >> (n - 2))


def _bt_flags(n: int, a: int, b: int, old: int) -> int:
    return old & (ZERO * 0x10001) | a >> (b % n) & 1 | (ALL_FLAGS ^ CARRY ^ ZERO) << 16


def _keeping_carry(flags: int, old: int) -> int:
    return flags & ~CARRY | old & (CARRY * 0x10001)


MIXED_FLAGS: dict[str, Callable[[int, int, int, int], int]] = {
    "adc": lambda n, a, b, old: sum_flags(n, a, b, old & CARRY),
    "sbb": lambda n, a, b, old: difference_flags(n, a, b, old & CARRY),
    "inc": lambda n, a, b, old: _keeping_carry(sum_flags(n, a, 1), old),
    "dec": lambda n, a, b, old: _keeping_carry(difference_flags(n, a, 1), old),
    "shl": _shl_flags,
    "shr": _shr_flags,
    "sar": _sar_flags,
    "rol": _rol_flags,
    "ror": _ror_flags,
    "bt": _bt_flags,
    "bts": _bt_flags,
    "btr": _bt_flags,
    "btc": _bt_flags,
}
"""(n, first, second, flags before) -> flags, of the mnemonics that keep some of the flags or read them."""

FLAGS_UNDEFINED = frozenset(["div", "idiv"])  # these leave no flag defined


# Conditions: what `jb`, `setb` and `cmovb` ask of the flags


CONDITIONS: dict[str, tuple[int, Callable[[int], bool]]] = {
    "o": (OVERFLOW, lambda f: f & OVERFLOW != 0),
    "no": (OVERFLOW, lambda f: f & OVERFLOW == 0),
    "b": (CARRY, lambda f: f & CARRY != 0),
    "ae": (CARRY, lambda f: f & CARRY == 0),
    "e": (ZERO, lambda f: f & ZERO != 0),
    "ne": (ZERO, lambda f: f & ZERO == 0),
    "be": (CARRY | ZERO, lambda f: f & (CARRY | ZERO) != 0),
    "a": (CARRY | ZERO, lambda f: f & (CARRY | ZERO) == 0),
    "s": (SIGN, lambda f: f & SIGN != 0),
    "ns": (SIGN, lambda f: f & SIGN == 0),
    "p": (PARITY, lambda f: f & PARITY != 0),
    "np": (PARITY, lambda f: f & PARITY == 0),
    "l": (SIGN | OVERFLOW, lambda f: f & (SIGN | OVERFLOW) in (SIGN, OVERFLOW)),
    "ge": (SIGN | OVERFLOW, lambda f: f & (SIGN | OVERFLOW) in (0, SIGN | OVERFLOW)),
    "le": (SIGN | OVERFLOW | ZERO, lambda f: f & ZERO != 0 or f & (SIGN | OVERFLOW) in (SIGN, OVERFLOW)),
    "g": (SIGN | OVERFLOW | ZERO, lambda f: f & ZERO == 0 and f & (SIGN | OVERFLOW) in (0, SIGN | OVERFLOW)),
}
"""The flags that a condition looks at, and whether it holds."""

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": lambda a, b: a - b == 0,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": lambda a, b: a - b != 0,
    "<u": lambda a, b: a & 0xFFFFFFFFFFFFFFFF < b & 0xFFFFFFFFFFFFFFFF,
    "<=u": lambda a, b: a & 0xFFFFFFFFFFFFFFFF <= b & 0xFFFFFFFFFFFFFFFF,
    ">u": lambda a, b: a & 0xFFFFFFFFFFFFFFFF > b & 0xFFFFFFFFFFFFFFFF,
    ">=u": lambda a, b: a & 0xFFFFFFFFFFFFFFFF >= b & 0xFFFFFFFFFFFFFFFF,
}
"""The comparisons of `cjump` and `w <- t cmp t` on signed words.  None, an unwritten word, raises TypeError in each."""


# Vector registers


def _smaller(n: int, a: int, b: int) -> int:
    return a if m.float_lt(n, a, b) else b


def _larger(n: int, a: int, b: int) -> int:
    return a if m.float_lt(n, b, a) else b


SCALARS: dict[str, Result] = {
    "adds": m.float_add,
    "subs": m.float_sub,
    "muls": m.float_mul,
    "divs": m.float_div,
    "mins": _smaller,  # the second where they are equal or one is a NaN
    "maxs": _larger,
    "sqrts": lambda n, a, b: m.float_sqrt(n, a),
}
"""(n, first, second) -> result, for addsd and addss and so on, which change the low `n` bits of a register alone."""


def _lanes(meaning: Result, n: int) -> Callable[[int, int], int]:
    """`meaning` on each `n` bits of 128."""
    mask = (1 << n) - 1

    def packed(a: int, b: int) -> int:
        r = 0
        for shift in range(0, 128, n):
            r |= (meaning(n, a >> shift & mask, b >> shift & mask) & mask) << shift
        return r

    return packed


def _interleaved(n: int) -> Callable[[int, int], int]:
    """The `n`-bit parts of the lower halves of a and b, taken in turn."""
    mask = (1 << n) - 1

    def unpack(a: int, b: int) -> int:
        r = 0
        for number in range(64 // n):
            r |= ((a >> number * n & mask) | (b >> number * n & mask) << n) << 2 * n * number
        return r

    return unpack


def _packed() -> dict[str, Callable[[int, int], int]]:
    table: dict[str, Callable[[int, int], int]] = {}
    for names, meaning in (
        ("andps andpd pand", lambda a, b: a & b),
        ("andnps andnpd pandn", lambda a, b: ~a & b & ((1 << 128) - 1)),
        ("orps orpd por", lambda a, b: a | b),
        ("xorps xorpd pxor", lambda a, b: a ^ b),
    ):
        table |= dict.fromkeys(names.split(), meaning)
    for name, scalar in SCALARS.items():
        table[name[:-1] + "ps"] = _lanes(scalar, 32)
        table[name[:-1] + "pd"] = _lanes(scalar, 64)
    for letter, n in (("b", 8), ("w", 16), ("d", 32), ("q", 64)):
        table["padd" + letter] = _lanes(lambda n, a, b: a + b, n)
        table["psub" + letter] = _lanes(lambda n, a, b: a - b, n)
        table["pcmpeq" + letter] = _lanes(lambda n, a, b: -int(a == b), n)
    return table | {"unpcklps": _interleaved(32), "unpcklpd": _interleaved(64), "punpcklqdq": _interleaved(64)}


PACKED = _packed()
"""On whole registers of 128 bits: bit by bit, or lane by lane."""


def _shuffled(low: int, high: int, control: int) -> int:
    """Four 32-bit lanes that `control` picks, two bits each: two of `low`, then two of `high`."""
    r = 0
    for number, source in enumerate((low, low, high, high)):
        r |= (source >> 32 * (control >> 2 * number & 3) & 0xFFFFFFFF) << 32 * number
    return r


def _rounded(n: int, a: int, control: int) -> int:
    """The float `a` as a whole number: to nearest even, down, up or towards zero, as the low bits of `control` say."""
    value = m.to_float(n, a)
    if m.is_nan(n, a):
        return m.quiet(n, a)
    if abs(value) >= 2.0**52:
        return a
    number = (round, floor, ceil, int)[0 if control & 4 else control & 3](value)
    return m.from_float(n, float(number)) | (a & 1 << (n - 1) if number == 0 else 0)


CONTROLLED: dict[str, tuple[int, Callable[[int, int, int], int]]] = {
    "pshufd": (128, lambda a, b, control: _shuffled(b, b, control)),
    "shufps": (128, _shuffled),
    "roundsd": (64, lambda a, b, control: _rounded(64, b & (1 << 64) - 1, control)),
    "roundss": (32, lambda a, b, control: _rounded(32, b & (1 << 32) - 1, control)),
}
"""(bits of the source, (target, source, control) -> result)"""


def float_flags(n: int, a: int, b: int) -> int:
    """The flags of `ucomisd` and `ucomiss`: all three of zero, parity and carry where a NaN is involved."""
    if m.is_nan(n, a) or m.is_nan(n, b):
        return ZERO | PARITY | CARRY
    x, y = m.to_float(n, a), m.to_float(n, b)
    return CARRY if x < y else ZERO if x == y else 0


def float_to_integer(n: int, a: int, bits: int) -> int:
    """`cvttsd2si` and `cvttss2si`: the float `a` of `n` bits towards zero; the lowest number where that does not fit."""
    lowest = -1 << (bits - 1)
    if m.is_nan(n, a):
        return lowest
    value = m.to_float(n, a)
    if not -(2.0**64) < value < 2.0**64:
        return lowest
    number = int(value)
    return number if lowest <= number < -lowest else lowest


def float_to_nearest(n: int, a: int, bits: int) -> int:
    """`cvtsd2si` and `cvtss2si`: the float `a` to the nearest integer, ties to even; the lowest where that does not fit."""
    return float_to_integer(n, a if m.is_nan(n, a) else _rounded(n, a, 0), bits)


def integer_to_float(bits: int, a: int, n: int) -> int:
    """`cvtsi2sd` and `cvtsi2ss`: the signed `bits`-bit number `a` as a float of `n` bits."""
    return m.int_to_float((I64 if bits == 64 else I32).wrap(a), n)


CONVERSIONS: dict[str, tuple[int, int, bool, Callable[[int], int]]] = {
    "cvtsi2sd": (64, 0, True, lambda a: integer_to_float(64, a, 64)),
    "cvtsi2sd32": (32, 0, True, lambda a: integer_to_float(32, a, 64)),
    "cvtsi2ss": (64, 0, True, lambda a: integer_to_float(64, a, 32)),
    "cvtsi2ss32": (32, 0, True, lambda a: integer_to_float(32, a, 32)),
    "cvttsd2si": (64, 64, False, lambda a: float_to_integer(64, a, 64)),
    "cvttsd2si32": (64, 32, False, lambda a: float_to_integer(64, a, 32)),
    "cvttss2si": (32, 64, False, lambda a: float_to_integer(32, a, 64)),
    "cvttss2si32": (32, 32, False, lambda a: float_to_integer(32, a, 32)),
    "cvtsd2si": (64, 64, False, lambda a: float_to_nearest(64, a, 64)),
    "cvtsd2si32": (64, 32, False, lambda a: float_to_nearest(64, a, 32)),
    "cvtss2si": (32, 64, False, lambda a: float_to_nearest(32, a, 64)),
    "cvtss2si32": (32, 32, False, lambda a: float_to_nearest(32, a, 32)),
    "cvtsd2ss": (64, 0, False, lambda a: m.float_to_float(64, 32, a)),
    "cvtss2sd": (32, 0, False, lambda a: m.float_to_float(32, 64, a)),
}
"""(bits of the source, bits of a general target or 0, whether the source is a signed integer, what it computes)"""
