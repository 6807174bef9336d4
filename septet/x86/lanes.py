"""Vectors as numbers: how what happens in a lane becomes what happens in a register.

A vector is the unsigned number of its bits, lane 0 lowest.  What an instruction computes is a `Meaning`: from the vector length
in bits (128, 256, 512) it makes the function of the operands read, in their order.  Operands may have bits above those that are
meant; results have none above the vector length.  Trailing operands that are not taken apart into lanes, immediates mostly, are
`extras`.
"""

from __future__ import annotations

from functools import cache
from itertools import repeat
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Function = Callable[..., int]
    Meaning = Callable[[int], Function]
    Lanes = Sequence[int]

_CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}


FLOATS = (("s", 32), ("d", 64))
INTEGERS = (("b", 8), ("w", 16), ("d", 32), ("q", 64))
"""The last letters of mnemonics, and the bits of the lanes that they mean."""


@cache
def splitter(n: int, length: int, signed: bool = False) -> Callable[[int], tuple[int, ...]]:
    """The function that gives the `n`-bit lanes of the low `length` bits."""
    mask, size = (1 << length) - 1, length // 8
    if n in _CODES:
        code = _CODES[n].lower() if signed else _CODES[n]
        unpack = Struct(f"<{length // n}{code}").unpack
        return lambda vector: unpack((vector & mask).to_bytes(size, "little"))
    lane, shifts = (1 << n) - 1, range(0, length, n)
    return lambda vector: tuple([vector >> shift & lane for shift in shifts])


@cache
def joiner(n: int, length: int) -> Callable[[Iterable[int]], int]:
    """The function that puts `n`-bit lanes together, of each its low bits."""
    mask = (1 << n) - 1
    if n in _CODES:
        pack = Struct(f"<{length // n}{_CODES[n]}").pack
        return lambda lanes: int.from_bytes(pack(*[lane & mask for lane in lanes]), "little")

    def join(lanes: Iterable[int]) -> int:
        vector = 0
        for number, lane in enumerate(lanes):
            vector |= (lane & mask) << n * number
        return vector

    return join


def resized(n: int, to: int, lane: Callable[..., int], signed: bool = False, extras: int = 0) -> Meaning:
    """`lane(n, a, b, ..., *extras)` in each lane, whose operands have `n` bits and whose result has `to`.

    The wider of the two fill the vector length; results above which nothing stands are zero there."""

    def make(length: int) -> Function:
        count = length // max(n, to)
        split, join = splitter(n, count * n, signed), joiner(to, count * to)
        width = repeat(n)

        def plain(*operands: int) -> int:
            return join(map(lane, width, *map(split, operands)))

        def controlled(*operands: int) -> int:
            fixed = [repeat(operand) for operand in operands[-extras:]]
            return join(map(lane, width, *map(split, operands[:-extras]), *fixed))

        return controlled if extras else plain

    return make


def lanes(n: int, lane: Callable[..., int], signed: bool = False, extras: int = 0) -> Meaning:
    """`lane(n, a, b, ..., *extras)` in each lane of `n` bits."""
    return resized(n, n, lane, signed, extras)


def across(
    n: int, function: Callable[..., Iterable[int]], to: int = 0, extras: int = 0, block: int = 0, signed: bool = False
) -> Meaning:
    """The lanes that `function(lanes of a, lanes of b, ..., *extras)` makes, of `to` bits, or `n`; block by block of `block`
    bits, or of the whole vector at once."""
    to = to or n

    def make(length: int) -> Function:
        size = min(block, length) or length
        split, join = splitter(n, size, signed), joiner(to, size)

        def whole(*operands: Any) -> int:
            vectors = operands[: len(operands) - extras]
            fixed = operands[len(operands) - extras :]
            result = 0
            for at in range(0, length, size):
                result |= join(function(*[split(vector >> at) for vector in vectors], *fixed)) << at
            return result

        return whole

    return make


def blocks(
    n: int, function: Callable[..., Iterable[int]], to: int = 0, extras: int = 0, signed: bool = False
) -> Meaning:  # fmt: skip
    """`across`, in each 128 bits for themselves: how most instructions that move lanes were widened."""
    return across(n, function, to, extras, 128, signed)


def bitwise(function: Callable[..., int]) -> Meaning:
    """`function` on whole registers, of which it gives any number of bits."""

    def make(length: int) -> Function:
        mask = (1 << length) - 1
        return lambda *operands: function(*operands) & mask

    return make


def to_mask(n: int, lane: Callable[..., int], signed: bool = False, extras: int = 0) -> Meaning:
    """The number whose bit i is whether `lane(n, a, b, ..., *extras)` holds of lanes i."""

    def make(length: int) -> Function:
        split = splitter(n, length, signed)

        def gather(*operands: int) -> int:
            vectors = operands[: len(operands) - extras]
            fixed = operands[len(operands) - extras :]
            mask = 0
            for number, row in enumerate(zip(*map(split, vectors), strict=True)):
                if lane(n, *row, *fixed):
                    mask |= 1 << number
            return mask

        return gather

    return make


def from_mask(n: int, lane: Callable[..., int]) -> Meaning:
    """`lane(n, chosen, a, b, ...)` in each lane, where `chosen` is the lane's bit of the first operand."""

    def make(length: int) -> Function:
        split, join = splitter(n, length), joiner(n, length)
        numbers = range(length // n)

        def spread(mask: int, *operands: int) -> int:
            return join(map(lane, repeat(n), [mask >> number & 1 for number in numbers], *map(split, operands)))

        return spread

    return make


def broadcast(n: int) -> Meaning:
    """The low `n` bits in every lane."""

    def make(length: int) -> Function:
        mask = (1 << n) - 1
        ones = ((1 << length) - 1) // mask
        return lambda a: (a & mask) * ones

    return make


def saturated(n: int, number: int, is_signed: bool) -> int:
    """The nearest number that `n` bits hold, signed or unsigned."""
    low, high = (-1 << (n - 1), (1 << (n - 1)) - 1) if is_signed else (0, (1 << n) - 1)
    return max(low, min(high, number))
