"""What the few operations above a value say about its bits: the questions that rewrite rules may ask (`ops.rules`).

Cheap by design: `DEPTH` operations deep.  What was found for a value is remembered in a dict that the asker brings (rewriting
does not change what a value is, so it stays true); what is known from elsewhere can stand in it already.  The analysis of whole
functions is `analyses.known_bits`.
"""

from __future__ import annotations

from septet.ir.nodes import Const
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Value

    Found = dict[Value, tuple[int, int]]

DEPTH = 4
TELLING = frozenset({
    ops.CONST, ops.TAG, ops.UNTAG, ops.AND, ops.OR, ops.XOR, ops.ADD, ops.SUB, ops.MUL, ops.SHL, ops.SHR, ops.CONVERT,
    ops.SELECT,
})  # fmt: skip
"""The opcodes that say anything about bits."""


def known(value: Value, found: Found, depth: int = DEPTH) -> tuple[int, int]:
    """The bits of `value` that are surely 0, and those that are surely 1, as masks of its type's width."""
    bits = found.get(value)
    if bits is not None:
        return bits
    op = value.op
    full = (1 << value.type.bits) - 1
    if isinstance(value, Const):
        return ~value.number & full, value.number & full
    if depth == 0 or not value.args:
        return 0, 0
    args = value.args
    if op is ops.TAG:
        zeros, ones = known(args[0], found, depth - 1)
        return zeros << 1 & full, (ones << 1 | 1) & full
    if op is ops.AND or op is ops.OR or op is ops.XOR or op is ops.ADD or op is ops.SUB or op is ops.MUL:
        zeros, ones = known(args[1], found, depth - 1)
        if not zeros and not ones and op is not ops.AND and op is not ops.OR and op is not ops.MUL:
            return 0, 0
        return _combined(op, known(args[0], found, depth - 1), (zeros, ones), full)
    if op is ops.SHL or op is ops.SHR or op is ops.UNTAG:
        return _shifted(value, found, depth, full)
    if op is ops.CONVERT:
        return _converted(value, found, depth, full)
    if op is ops.SELECT:
        zeros, ones = known(args[1], found, depth - 1)
        if zeros or ones:
            more, other = known(args[2], found, depth - 1)
            return zeros & more, ones & other
    return 0, 0


def _combined(op: ops.Op, left: tuple[int, int], right: tuple[int, int], full: int) -> tuple[int, int]:
    """The known bits of an operation on operands with these known bits."""
    zeros, ones = left
    more, other = right
    if op is ops.AND:
        return zeros | more, ones & other
    if op is ops.OR:
        return zeros & more, ones | other
    if op is ops.XOR:
        return zeros & more | ones & other, zeros & other | ones & more
    if op is ops.MUL:
        low = _trailing(zeros) + _trailing(more)
        return ((1 << low) - 1) & full, 1 & ones & other
    low = min(_trailing(zeros | ones), _trailing(more | other))  # the low bits of a sum are those of the operands' low bits
    mask = (1 << low) - 1
    number = (ones & mask) + (other & mask) if op is ops.ADD else (ones & mask) - (other & mask)
    return ~number & mask & full, number & mask & full


def _trailing(bits: int) -> int:
    """How many of the lowest bits are 1."""
    return (~bits & (bits + 1)).bit_length() - 1


def _shifted(value: Value, found: Found, depth: int, full: int) -> tuple[int, int]:
    """The known bits of a shift by a constant."""
    if value.op is ops.UNTAG:
        count = 1
    elif isinstance(value.args[1], Const):
        count = value.args[1].number & (value.type.bits - 1)
    else:
        return 0, 0
    zeros, ones = known(value.args[0], found, depth - 1)
    if value.op is ops.SHL:
        return (zeros << count | (1 << count) - 1) & full, ones << count & full
    top = full & ~(full >> count)
    if not value.type.signed:
        return zeros >> count | top, ones >> count
    sign = (full >> 1) + 1
    return zeros >> count | (top if zeros & sign else 0), ones >> count | (top if ones & sign else 0)


def _converted(value: Value, found: Found, depth: int, full: int) -> tuple[int, int]:
    """The known bits of a conversion between integers."""
    source = value.args[0].type
    if source.is_float or value.type.is_float or source.lanes > 1:
        return 0, 0
    zeros, ones = known(value.args[0], found, depth - 1)
    top = full & ~((1 << source.bits) - 1)
    if not source.signed:
        return (zeros | top) & full, ones & full
    sign = 1 << (source.bits - 1)
    return (zeros | (top if zeros & sign else 0)) & full, (ones | (top if ones & sign else 0)) & full


def _bits(found: Found, value: Value) -> tuple[int, int]:
    bits = found.get(value)
    if bits is None:
        bits = found[value] = known(value, found)
    return bits


def zeros(found: Found, value: Value, mask: int) -> bool:
    """Whether the bits in `mask` are surely 0."""
    return not mask & ((1 << value.type.bits) - 1) & ~_bits(found, value)[0]


def ones(found: Found, value: Value, mask: int) -> bool:
    """Whether the bits in `mask` are surely 1."""
    return not mask & ((1 << value.type.bits) - 1) & ~_bits(found, value)[1]


def odd(found: Found, value: Value) -> bool:
    """Whether bit 0 is surely 1."""
    return _bits(found, value)[1] & 1 == 1


def even(found: Found, value: Value) -> bool:
    """Whether bit 0 is surely 0."""
    return _bits(found, value)[0] & 1 == 1


def natural(found: Found, value: Value) -> bool:
    """Whether the highest bit is surely 0."""
    return _bits(found, value)[0] >> (value.type.bits - 1) & 1 == 1
