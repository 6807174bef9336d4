"""The arithmetic behind the opcode table, against exact fractions and against strings of bits."""

import math
import random
from fractions import Fraction

import pytest

from septet.ops import meaning as m

DIGITS = {64: 52, 32: 23}
INFINITY = {64: 0x7FF0000000000000, 32: 0x7F800000}
DEFAULT_NAN = {64: 0xFFF8000000000000, 32: 0xFFC00000}


def specials(bits):
    """Zeros, the smallest and largest of each kind, infinities and NaNs, of both signs."""
    digits, infinity = DIGITS[bits], INFINITY[bits]
    one = m.from_float(bits, 1.0)
    found = [0, 1, (1 << digits) - 1, 1 << digits, one - 1, one, one + 1, infinity - 1, infinity]
    found += [infinity | 1, infinity | 1 << (digits - 1), infinity | 1 << (digits - 1) | 5]
    return found + [number | 1 << (bits - 1) for number in found]


def some_float(pick, bits):
    digits = DIGITS[bits]
    kind = pick.random()
    if kind < 0.3:
        return pick.choice(specials(bits))
    if kind < 0.4:
        return pick.getrandbits(bits)
    exponent = pick.choice([0, 1, pick.randint(1, digits), m.from_float(bits, 1.0) >> digits])
    exponent = max(0, exponent + pick.randint(-2, 2))
    return (
        pick.getrandbits(1) << (bits - 1)
        | exponent << digits
        | pick.getrandbits(digits) & pick.choice([-1, -1 << (digits - 3)])
    )


def is_nearest(bits, found, exact):
    """Whether a float is nearest to a fraction other than 0, ties to even: half way to the neighbours is the limit."""
    top = 1 << (bits - 1)
    if bool(found & top) != (exact < 0):
        return False
    size, exact = found & ~top, abs(exact)
    largest = INFINITY[bits] - 1
    beyond = 2 * value(bits, largest) - value(bits, largest - 1)  # what would follow the largest
    above = (value(bits, size) + (value(bits, size + 1) if size < largest else beyond)) / 2 if size <= largest else None
    below = ((beyond if size > largest else value(bits, size)) + value(bits, size - 1)) / 2 if size else None
    even = not size & 1
    return (above is None or exact < above or even and exact == above) and (
        below is None or exact > below or even and exact == below
    )


def value(bits, pattern):
    return Fraction(m.to_float(bits, pattern))


@pytest.mark.parametrize("bits", [32, 64])
def test_fma_is_rounded_once(bits):
    pick = random.Random(bits)
    rounded = 0
    for _ in range(6000):
        a, b = some_float(pick, bits), some_float(pick, bits)
        c = m.float_mul(bits, a, b) ^ 1 << (bits - 1) if pick.random() < 0.3 else some_float(pick, bits)
        numbers = [m.to_float(bits, pattern) for pattern in (a, b, c)]
        if not all(map(math.isfinite, numbers)):
            continue
        x, y, z = map(Fraction, numbers)
        if x * y + z:
            rounded += 1
            assert is_nearest(bits, m.float_fma(bits, a, b, c), x * y + z), (hex(a), hex(b), hex(c))
    assert rounded > 2000


@pytest.mark.parametrize("bits", [32, 64])
def test_fma_of_zeros_infinities_and_nans(bits):
    top, infinity, one = 1 << (bits - 1), INFINITY[bits], m.from_float(bits, 1.0)
    quiet = 1 << (DIGITS[bits] - 1)
    assert m.float_fma(bits, 0, one, 0) == 0
    assert m.float_fma(bits, top, one, top) == top
    assert m.float_fma(bits, top, one, 0) == 0
    assert m.float_fma(bits, one, one, one | top) == 0
    assert m.float_fma(bits, infinity, one | top, one) == infinity | top
    assert m.float_fma(bits, one, one, infinity | top) == infinity | top
    assert m.float_fma(bits, infinity, one, infinity | top) == DEFAULT_NAN[bits]
    assert m.float_fma(bits, infinity, 0, one) == DEFAULT_NAN[bits]
    assert m.float_fma(bits, infinity, 0, infinity | 7) == infinity | quiet | 7
    assert m.float_fma(bits, one, infinity | top | 3, infinity | 7) == infinity | top | quiet | 3
    assert m.float_fma(bits, infinity - 1, infinity - 1, 0) == infinity


@pytest.mark.parametrize("bits", [32, 64])
def test_minimum_and_maximum(bits):
    top, infinity, one = 1 << (bits - 1), INFINITY[bits], m.from_float(bits, 1.0)
    ordered = [infinity | top, one | top, 1 | top, top, 0, 1, one, infinity]
    for i, a in enumerate(ordered):
        for j, b in enumerate(ordered):
            assert m.float_min(bits, a, b) == ordered[min(i, j)]
            assert m.float_max(bits, a, b) == ordered[max(i, j)]
    quiet = 1 << (DIGITS[bits] - 1)
    for function in (m.float_min, m.float_max):
        assert function(bits, one, infinity | 1) == infinity | quiet | 1
        assert function(bits, infinity | top | 2, infinity | 1) == infinity | top | quiet | 2


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize(
    ("function", "exact"),
    [(m.float_floor, math.floor), (m.float_ceil, math.ceil), (m.float_trunc, int), (m.float_nearest, round)],
)
def test_whole_numbers(function, exact, bits):
    pick = random.Random(bits)
    for number in [
        *specials(bits),
        *[m.from_float(bits, half / 2) for half in range(-9, 10)],
        *[some_float(pick, bits) for _ in range(500)],
    ]:
        found = function(bits, number)
        of = m.to_float(bits, number)
        if m.is_nan(bits, number):
            assert found == m.quiet(bits, number)
        elif math.isinf(of):
            assert found == number
        else:
            assert m.to_float(bits, found) == exact(of)
            assert found >> (bits - 1) == (number >> (bits - 1) if exact(of) == 0 else exact(of) < 0)


def counted(bits, a):
    """popcount, trailing and leading zeros, the bytes swapped, all from the digits in text."""
    text = f"{a:0{bits}b}"
    swapped = "".join([text[at : at + 8] for at in range(bits - 8, -1, -8)])
    return [text.count("1"), bits - len(text.rstrip("0")), bits - len(text.lstrip("0")), int(swapped, 2)]


FUNCTIONS = [m.popcount, m.trailing_zeros, m.leading_zeros, m.byte_swap]


def some_numbers(bits):
    pick = random.Random(bits)
    return [0, 1, (1 << bits) - 1, 1 << (bits - 1), *[pick.getrandbits(bits) >> pick.randint(0, bits - 1) for _ in range(60)]]


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_bits_counted_and_moved(bits):
    mask = (1 << bits) - 1
    for a in some_numbers(bits):
        for natural in (a, a - (1 << bits)):  # unsigned and signed
            assert [function(bits, natural) & mask for function in FUNCTIONS] == counted(bits, a)
            for count in (0, 1, bits - 1, bits, bits + 3, -1):
                text = f"{a:0{bits}b}" * 2
                assert m.rotate_left(bits, natural, count) & mask == int(text[count % bits :][:bits], 2)
