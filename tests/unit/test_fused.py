"""`fma` where the target has no instruction for it: calls of functions that are right to the last bit."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from random import Random

import pytest

import septet
from septet.base.source import Source
from septet.base.symbols import FUNCTION, symbol
from septet.ir.library import complete
from septet.ir.nodes import Call
from septet.ir.text import parse
from septet.ir.verify import problems
from septet.ops import meaning
from septet.ops import table as ops
from septet.program import callables
from septet.x86.targets import missing

LOOP = """
define void @run (ptr %p, ptr %q, i64 %n) words {
  :entry
    i64 %i <- 0
    br :loop
  :loop
    TYPE %a <- load %p
    TYPE %b <- load %p + SIZE
    TYPE %c <- load %p + 2*SIZE
    TYPE %r <- fma %a, %b, %c
    store.TYPE %q <- %r
    %p <- %p + 3*SIZE
    %q <- %q + SIZE
    %i <- %i + 1
    bool %more <- %i < %n
    br %more :loop :done
  :done
    return
}
"""
FRACTION = {64: 52, 32: 23}
CODES = {64: "Q", 32: "I"}


def loop(bits: int) -> str:
    """A function that does `fma` on `%n` triples in memory."""
    size = bits // 8
    text = LOOP.replace("TYPE", f"f{bits}")
    return text.replace("3*SIZE", str(3 * size)).replace("2*SIZE", str(2 * size)).replace("SIZE", str(size))


class Triples:
    """Operands that make an `fma` hard: ends of ranges, subnormals, long runs of a bit, sums that nearly cancel."""

    def __init__(self, bits: int, seed: int) -> None:
        self.bits = bits
        self.random = Random(seed)

    def one(self) -> int:
        """The bits of one float."""
        r, fraction = self.random, FRACTION[self.bits]
        most = (1 << self.bits - 1 - fraction) - 1
        middle = most >> 1
        sign = r.getrandbits(1) << self.bits - 1
        kind = r.randrange(12)
        if kind == 0:
            infinity, one = most << fraction, middle << fraction
            smallest = 1 << fraction  # of those that are not subnormal
            return sign | r.choice([0, 1, 2, smallest - 1, smallest, one - 1, one, infinity - 1, infinity, infinity | 5])
        if kind == 1:
            return sign | r.getrandbits(fraction)
        if kind < 4:
            run = (1 << r.randrange(fraction + 1)) - 1 if kind == 2 else 1
            return sign | r.randrange(1, most) << fraction | run << r.randrange(fraction) & (1 << fraction) - 1
        near = 8 * fraction // 7
        exponent = r.randrange(1, most) if kind < 6 else r.randrange(middle - near, middle + near)
        return sign | exponent << fraction | r.getrandbits(fraction)

    def triple(self) -> tuple[int, int, int]:
        """Three operands, the third often close to the product of the others, or of some other scale."""
        r, bits = self.random, self.bits
        a, b, kind = self.one(), self.one(), self.random.randrange(6)
        if kind < 3:
            return a, b, self.one()
        c = meaning.float_mul(bits, a, b) ^ r.getrandbits(1) << bits - 1
        if kind == 4:
            c += r.randrange(-4, 5)
        if kind == 5:
            c += r.randrange(-2 * FRACTION[bits] - 6, 2 * FRACTION[bits] + 7) << FRACTION[bits]
        return a, b, c & (1 << bits) - 1

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Without those of several NaNs, of which nothing says which it is."""
        while True:
            found = self.triple()
            if sum([meaning.is_nan(self.bits, x) for x in found]) < 2:
                yield found


def computed(bits: int, triples: list[tuple[int, int, int]], target: str, opt: int = 2) -> list[int]:
    """What the machine gives."""
    given = array(CODES[bits], [x for triple in triples for x in triple])
    made = array(CODES[bits], bytes(len(triples) * bits // 8))
    run = callables(loop(bits), target=target, opt=opt).run
    run(given.buffer_info()[0], made.buffer_info()[0], len(triples))
    return list(made)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("opt", range(4))
def test_every_triple_gives_what_fma_means(bits: int, opt: int, pytestconfig: pytest.Config) -> None:
    count = 250_000 if pytestconfig.getoption("--whole") else 2_500
    triples = [triple for _, triple in zip(range(count), Triples(bits, opt), strict=False)]
    for triple, found in zip(triples, computed(bits, triples, "x86-64-v1", opt), strict=True):
        assert found == meaning.float_fma(bits, *triple), [hex(x) for x in triple]


@pytest.mark.skipif(bool(missing("x86-64-v3")), reason="no fma")
@pytest.mark.parametrize("bits", [32, 64])
def test_the_instruction_gives_the_same(bits: int) -> None:
    triples = [triple for _, triple in zip(range(20_000), Triples(bits, 9), strict=False)]
    assert computed(bits, triples, "x86-64-v2") == computed(bits, triples, "x86-64-v3")


VECTORS = """define {kind} @f ({kind} %a, {kind} %b, {kind} %c) {{
  :entry
    {kind} %r <- fma %a, %b, %c
    {kind} %s <- fma %r, %r, %a
    return %s
}}
define int64 @main () {{
  :entry
    {kind} %r <- call @f({a}, {b}, {c})
    u64x{words} %bits <- bitcast %r
    u64 %sum <- reduce-xor %bits
    u64 %low <- %sum & 0xffffffff
    u64 %high <- %sum >> 32
    int64 %x <- tag %low
    int64 %y <- tag %high
    call print(%x)
    call print(%y)
    return
}}
"""


@pytest.mark.parametrize("kind", ["f32x4", "f32x8", "f64x2", "f64x4", "f64x8"])
@pytest.mark.parametrize("target", ["x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4"])
def test_vectors_lane_by_lane(kind: str, target: str) -> None:
    lanes = int(kind[4:])
    a, b, c = (f"{{{', '.join(str(x * (n + 1) / 3) for n in range(lanes))}}}" for x in (1.0, 0.1, -3.7))
    text = VECTORS.format(kind=kind, a=a, b=b, c=c, words=int(kind[1:3]) * lanes // 64)
    program = septet.compile(text, language="ir", opt=1, target=target)
    assert program.image
    if missing(target):
        pytest.skip("not this machine's")
    assert program.run().stdout == septet.compile(text, language="ir", opt=1).interpret("ir").stdout


CLASHING = """
define f64 @fma_f64 (f64 %x, f64x2 %v) {
  :entry
    f64 %y <- fma %x, %x, %x
    f64x2 %w <- fma %v, %v, %v
    f64 %z <- extract %w, 1
    %z <- %z + %y
    return %z
}
define int64 @main () {
  :entry
    f64 %x <- call @fma_f64(1.5, {1.0, 2.0})
    i64 %y <- convert %x
    return %y
}
"""


def test_the_program_stays_and_names_do_not_clash() -> None:
    program = parse(Source(CLASHING))
    made = complete(program)
    assert list(made.functions) == ["fma_f64", "main", "fma_f64_1"]
    assert any(value.op is ops.FMA for value in program.functions["fma_f64"].values())
    called = [value for value in made.functions["fma_f64"].values() if isinstance(value, Call)]
    assert [value.callee for value in called] == [symbol(FUNCTION, "fma_f64_1")] * 3
    assert not any(value.op is ops.FMA for function in made.functions.values() for value in function.values())
    assert not list(problems(made))
    assert complete(made) is made
