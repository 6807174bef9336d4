"""Conversions of scalars and of vectors, natively, on numbers at the ends of every range.  A sample of the types; all of them
with `--whole`."""

from __future__ import annotations

from ctypes import addressof, create_string_buffer
from itertools import product
from random import Random

import pytest

from septet.base.types import F32, F64, I32, I64, U32, U64, Type, vector
from septet.ops import meaning
from septet.program import callables
from septet.x86.targets import missing

ELEMENTS = (F32, F64, I32, U32, I64, U64)
PAIRS = [(a, b) for a, b in product(ELEMENTS, ELEMENTS) if a is not b and (a.is_float or b.is_float)]
TYPES = PAIRS + [
    (vector(a, lanes), vector(b, lanes))
    for (a, b), lanes in product(PAIRS, (2, 4, 8, 16))
    if lanes * min(a.bits, b.bits) >= 64 and lanes * max(a.bits, b.bits) <= 512
]
COMBINATIONS = [
    (*pair, target)
    for pair, target in product(TYPES, ("x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4"))
    if not missing(target)
]
LOOP = """
define void @run (ptr %p, ptr %q, i64 %n) words {{
  :entry
    i64 %i <- 0
    br :loop
  :loop
    {a} %a <- load %p
    {b} %b <- convert %a
    store.{b} %q <- %b
    %p <- %p + {size_a}
    %q <- %q + {size_b}
    %i <- %i + 1
    bool %more <- %i < %n
    br %more :loop :done
  :done
    return
}}
"""


def numbers(element: Type) -> list[int]:
    """The bits of numbers around powers of two, ends of ranges, ties, NaNs, and some at random."""
    r, bits = Random(str(element)), element.bits
    found = [r.getrandbits(bits) for _ in range(64)]
    for power in (0, 1, 7, 8, 15, 16, 23, 24, 25, 31, 32, 33, 52, 53, 54, 62, 63, 64, 65, 100):
        for near in (-2, -1, 0, 1, 2):
            for sign in (1, -1):
                number = sign * ((1 << power) + near)
                if element.is_float:
                    float_bits = meaning.int_to_float(number, bits)
                    found += [float_bits, float_bits + 1, meaning.float_mul(bits, float_bits, meaning.from_float(bits, 0.5))]
                else:
                    found += [number, number << max(power - 24, 0), (number << 32) + (1 << 31) + near]
    if element.is_float:
        infinity = meaning.from_float(bits, float("inf"))
        sign = 1 << bits - 1
        quiet = (infinity & -infinity) // 2
        found += [0, 1, sign, sign | 1, infinity, infinity | sign, infinity + 1, infinity | sign | 12345, infinity + quiet]
    return [number & (1 << bits) - 1 for number in found]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    step = 1 if metafunc.config.getoption("--whole") else 5
    metafunc.parametrize(("a", "b", "target"), COMBINATIONS[::step], ids=lambda value: str(value))


def test_every_lane_is_converted_as_the_meaning_says(a: Type, b: Type, target: str) -> None:
    given = numbers(a.element)
    given += given[: -len(given) % a.lanes]
    count = len(given) // a.lanes
    source = create_string_buffer(b"".join([x.to_bytes(a.element.bits // 8, "little") for x in given]))
    made = create_string_buffer(len(given) * b.element.bits // 8)
    text = LOOP.format(a=a, b=b, size_a=a.bits // 8, size_b=b.bits // 8)
    callables(text, target=target, opt=1).run(addressof(source), addressof(made), count)
    size = b.element.bits // 8
    convert = meaning.convert(a.element, b.element)
    for n, number in enumerate(given):
        found = int.from_bytes(made.raw[n * size : (n + 1) * size], "little")
        assert found == convert(a.element.wrap(number)) & (1 << b.element.bits) - 1, hex(number)
