"""Arithmetic on 64-bit words held as signed Python integers, and the encoding of LB's 63-bit integers."""

from __future__ import annotations

MASK = (1 << 64) - 1
SIGN = 1 << 63


def wrap(number: int) -> int:
    """`number` as a signed 64-bit word."""
    if -SIGN <= number < SIGN:
        return number
    number &= MASK
    return number - (1 << 64) if number & SIGN else number


def encode(number: int) -> int:
    """The word that stands for LB's integer `number`: 2n+1, which loses the top bit."""
    return wrap(2 * number + 1)


def decode(word: int) -> int:
    """The number that an encoded word stands for (an arithmetic shift, so any word has one)."""
    return word >> 1


def fits(number: int, bits: int) -> bool:
    """Whether `number` is a signed integer of `bits` bits."""
    return -(1 << (bits - 1)) <= number < 1 << (bits - 1)
