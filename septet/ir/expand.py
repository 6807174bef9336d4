"""How checks become comparisons and branches to cold blocks that call the error routines."""

from __future__ import annotations

from septet.base.source import line_of
from septet.base.symbols import ROUTINE, Line, symbol
from septet.base.types import I64, INT64, INTEGERS, U32, U64, truth
from septet.base.words import encode
from septet.ir import nodes as ir
from septet.ops import meaning
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.ir.lower import Lowering, Operand

_TENSOR, _TUPLE, _KIND, _LENGTH, _DIMENSION, _DIVISION, _CONVERSION = (
    symbol(ROUTINE, f"{name}-error") for name in ("tensor", "tuple", "kind", "length", "dimension", "division", "conversion")
)


def _line(check: ir.Check) -> Operand:
    return _where(check.span, check.line)


def _where(span: int, line: int | Line | None) -> Operand:
    """The encoded line of a check."""
    if line is None:
        return Line(line_of(span))
    return encode(line) if isinstance(line, int) else line


def _null(lowering: Lowering, value: ir.Value) -> None:
    assert isinstance(value, ir.Check)
    word = lowering.operand(value.args[0], INT64)
    label = lowering.error(_TENSOR, (_line(value),), value.span)
    lowering.leave(ops.EQ, value.args[0].type, word, 0, label, value.span)


def _kind(lowering: Lowering, value: ir.Value) -> None:
    """Not a reference: one of the low three bits set, or null.  Else the descriptor is 8 bytes before where it points."""
    assert isinstance(value, ir.Check)
    span = value.span
    word = lowering.operand(value.args[0], INT64)
    label = lowering.error(_KIND, (_line(value), word, value.detail), span)
    low = lowering.compute(ops.AND, I64, "low", [word, 7], I64, span)
    lowering.leave(ops.NE, I64, low, 0, label, span)
    lowering.leave(ops.EQ, value.args[0].type, word, 0, label, span)
    kind = lowering.descriptor(word, span)
    lowering.leave(ops.NE, U32, kind, value.detail, label, span)


def _index(lowering: Lowering, value: ir.Value) -> None:
    """0 <= i < n of encoded numbers, n not negative, is i < n of the words as unsigned ones."""
    assert isinstance(value, ir.Check)
    span = value.span
    index, length = (lowering.operand(arg, INT64) for arg in value.args)
    line = _line(value)
    detail = value.detail
    if detail == ir.OF_TUPLE:
        label = lowering.error(_TUPLE, (line, length, index), span)
    elif detail == ir.OF_ARRAY:
        label = lowering.error(_TENSOR, (line, length, index), span)
    elif detail == ir.OF_DIMENSIONS:
        label = lowering.error(_DIMENSION, (line, length, index), span)
    else:
        label = lowering.error(_TENSOR, (line, encode(detail), length, index), span)
    left, right = (U64.wrap(word) if isinstance(word, int) else word for word in (index, length))
    lowering.leave(ops.GE, U64, left, right, label, span)


def _length(lowering: Lowering, value: ir.Value) -> None:
    """0 <= n < 2^31 of the encoded number is that nothing stands in the upper half of the word."""
    assert isinstance(value, ir.Check)
    word = lowering.operand(value.args[0], INT64)
    label = lowering.error(_LENGTH, (_line(value), word), value.span)
    what = U64.wrap(word) if isinstance(word, int) else word
    high = lowering.compute(ops.SHR, U64, "high", [what, 32], U64, value.span)
    lowering.leave(ops.NE, U64, high, 0, label, value.span)


def _divisor(lowering: Lowering, value: ir.Value) -> None:
    assert isinstance(value, ir.Check)
    check_divisor(lowering, value.args[0], value.span, value.line)


def check_divisor(lowering: Lowering, divisor: ir.Value, span: int, line: int | Line | None) -> None:
    """To the division error where `divisor` is 0."""
    label = lowering.error(_DIVISION, (_where(span, line),), span)
    lowering.checked.add(divisor)
    type = divisor.type
    number = lowering.operand(divisor, type)
    if type.lanes > 1:
        mask = lowering.compute(ops.EQ, type, "zeros", [number, 0], truth(type), span)
        number = lowering.compute(ops.SIGN_BITS, truth(type), "lanes", [mask], U64, span)
        lowering.leave(ops.NE, U64, number, 0, label, span)
    else:
        lowering.leave(ops.EQ, type, number, 0, label, span)


def _conversion(lowering: Lowering, value: ir.Value) -> None:
    """Below the type's numbers, or above them; of floats that which rounds to one of these towards zero is between."""
    assert isinstance(value, ir.Check)
    span, source, target = value.span, value.args[0].type, INTEGERS[value.detail]
    number = lowering.operand(value.args[0], source)
    label = lowering.error(_CONVERSION, (_line(value),), span)
    if not source.is_float:
        if source.low < target.low:
            lowering.leave(ops.LT, source, number, target.low, label, span)
        if source.high > target.high:
            lowering.leave(ops.GT, source, number, target.high, label, span)
        return
    lowering.leave(ops.FNE, source, number, number, label, span)
    below = meaning.from_float(source.bits, float(target.low - 1))
    if meaning.to_float(source.bits, below) == target.low - 1:
        lowering.leave(ops.FLE, source, number, below, label, span)
    else:  # no float is between the two
        lowering.leave(ops.FLT, source, number, meaning.from_float(source.bits, float(target.low)), label, span)
    lowering.leave(ops.FGE, source, number, meaning.from_float(source.bits, float(target.high + 1)), label, span)


EXPANSIONS: dict[ops.Op, Callable[[Lowering, ir.Value], None]] = {
    ops.CHECK_NULL: _null,
    ops.CHECK_KIND: _kind,
    ops.CHECK_INDEX: _index,
    ops.CHECK_LENGTH: _length,
    ops.CHECK_DIVISOR: _divisor,
    ops.CHECK_CONVERT: _conversion,
}
