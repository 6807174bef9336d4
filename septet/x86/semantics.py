"""What instructions compute: for each mnemonic its result and its flags, as pure functions of a width and of numbers.

General operands are integers of which the low `n` bits count, and so are results.  A mnemonic's arguments are the operands
it reads, in their order: `add` takes destination and source, `popcnt` its source, `imul w, x, 5` the last two.  What vector
instructions compute is in `vectors`.

Flags are an int: the bits of RFLAGS (`CARRY` ... `OVERFLOW`), and 16 bits higher those of them that are undefined.
The auxiliary carry is left out, as no instruction here reads it.  Source: Intel, Software Developer's Manual, volume 2.
"""

from __future__ import annotations

import operator

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


def _deposited(n: int, a: int, b: int) -> int:
    """`pdep`: the low bits of a, in order, where b has ones."""
    r, left = 0, unsigned(n, b)
    while left:
        if a & 1:
            r |= left & -left
        left &= left - 1
        a >>= 1
    return r


def _gathered(n: int, a: int, b: int) -> int:
    """`pext`: the bits of a where b has ones, in order, as the low bits."""
    r, at, left = 0, 0, unsigned(n, b)
    while left:
        if a & left & -left:
            r |= 1 << at
        left &= left - 1
        at += 1
    return r


def crc32(n: int, a: int, b: int) -> int:
    """`crc32`: the sum `a` of what came before, with the `n` bits of `b`: the polynomial 0x11EDC6F41, bits reflected."""
    r = unsigned(32, a) ^ unsigned(n, b)
    for _ in range(n):
        r = r >> 1 ^ (0x82F63B78 if r & 1 else 0)
    return r


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
    "andn": lambda n, a, b: ~a & b,
    "bextr": lambda n, a, b: unsigned(n, a) >> (b & 255) & ((1 << (b >> 8 & 255)) - 1),
    "blsr": lambda n, a, b: a & a - 1,
    "blsmsk": lambda n, a, b: a ^ a - 1,
    "blsi": lambda n, a, b: a & -a,
    "bzhi": lambda n, a, b: a & (1 << (b & 255)) - 1,
    "shlx": lambda n, a, b: a << _count(n, b),
    "shrx": lambda n, a, b: unsigned(n, a) >> _count(n, b),
    "sarx": lambda n, a, b: signed(n, a) >> _count(n, b),
    "rorx": lambda n, a, b: _rotated(n, a, -_count(n, b)),
    "pdep": _deposited,
    "pext": _gathered,
    "movbe": _swapped,
    "bts": lambda n, a, b: a | 1 << b % n,
    "btr": lambda n, a, b: a & ~(1 << b % n),
    "btc": lambda n, a, b: a ^ 1 << b % n,
    "bsf": lambda n, a, b: _trailing_zeros(n, a),  # for a = 0 the destination stays as it was
    "bsr": lambda n, a, b: unsigned(n, a).bit_length() - 1,  # likewise
}
"""(n, first, second) -> result; those with one argument ignore the second."""


def _through_carry(n: int, a: int, count: int, carry: int) -> int:
    """`a` with the carry above it, rotated left in these n + 1 bits."""
    whole, count = unsigned(n, a) | carry << n, count % (n + 1)
    return (whole << count | whole >> (n + 1 - count)) & ((2 << n) - 1)


CARRY_RESULTS: dict[str, Callable[[int, int, int, int], int]] = {
    "adc": lambda n, a, b, carry: a + b + carry,
    "sbb": lambda n, a, b, carry: a - b - carry,
    "rcl": lambda n, a, b, carry: _through_carry(n, a, _count(n, b), carry),
    "rcr": lambda n, a, b, carry: _through_carry(n, a, -_count(n, b), carry),
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


def _without_parity(n: int, r: int, carry: bool = False) -> int:
    """Sign, zero and a carry; parity is undefined, and no overflow."""
    return _of_result(n, r) & ~PARITY | PARITY << 16 | carry


def _bextr_flags(n: int, a: int, b: int) -> int:
    return (0 if RESULTS["bextr"](n, a, b) else ZERO) | (SIGN | PARITY) << 16


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
    "andn": lambda n, a, b: _without_parity(n, ~a & b),
    "bextr": _bextr_flags,
    "blsr": lambda n, a, b: _without_parity(n, a & a - 1, not unsigned(n, a)),
    "blsmsk": lambda n, a, b: _without_parity(n, a ^ a - 1, not unsigned(n, a)),
    "blsi": lambda n, a, b: _without_parity(n, a & -a, bool(unsigned(n, a))),
    "bzhi": lambda n, a, b: _without_parity(n, RESULTS["bzhi"](n, a, b), b & 255 >= n),
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


def _rcl_flags(n: int, a: int, b: int, old: int) -> int:
    r = _through_carry(n, a, _count(n, b), old & CARRY)
    return _rotate_flags(n, b, old, r >> n, r >> n ^ r >> (n - 1))


def _rcr_flags(n: int, a: int, b: int, old: int) -> int:
    r = _through_carry(n, a, -_count(n, b), old & CARRY)
    return _rotate_flags(n, b, old, r >> n, r >> (n - 1) ^ r >> (n - 2))


def double_shift(n: int, left: bool, a: int, b: int, c: int, old: int) -> tuple[int, int]:
    """`shld` and `shrd`: `a` shifted by c, bits of `b` coming in, and the flags.  Of 16 bits, c past 16 is undefined."""
    count, a, b = _count(n, c), unsigned(n, a), unsigned(n, b)
    if not count:
        return a, old
    r = a << count | b >> (n - count) if left else a >> count | b << (n - count)
    out = a >> (n - count) if left else a >> (count - 1)
    return r, _shift_flags(n, unsigned(n, r), count, out, (a ^ r) >> (n - 1))


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
    "rcl": _rcl_flags,
    "rcr": _rcr_flags,
    "clc": lambda n, a, b, old: old & ~(CARRY * 0x10001),
    "stc": lambda n, a, b, old: old & ~(CARRY << 16) | CARRY,
    "cmc": lambda n, a, b, old: old ^ CARRY,
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
