"""What a value is when its operands are constants, or are made right above: constant folding alone (rules say the rest)."""

from __future__ import annotations

from septet.ir.nodes import Compare, Const, Length, Value
from septet.ops import meaning
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass


def divides(value: Value) -> bool:
    """Whether `value` is a division that cannot fail, by a constant."""
    if value.op is not ops.DIV and value.op is not ops.REM:
        return False
    divisor = value.args[1]
    if not isinstance(divisor, Const):
        return False
    return divisor.number != 0 if value.type.lanes == 1 else all(meaning.unpacked(value.type, divisor.number))


def computed(value: Value) -> int | None:
    """The number that a pure operation, or a division that cannot fail, is if all its operands are constants; else None."""
    numbers = []
    for arg in value.args:
        if type(arg) is not Const:
            return None
        numbers.append(arg.number)
    op, type_ = value.op, value.type
    source = value.args[0].type
    if op is ops.SELECT and source.lanes == 1:
        return type_.wrap(numbers[1] if numbers[0] else numbers[2])
    if op.between is not None:
        return int(op.between(source, type_)(*numbers))
    if op.meaning is None:
        return None
    on = value.on if isinstance(value, Compare) else type_
    return op.function(on)(*[on.wrap(number) for number in numbers])


def known_length(value: Value) -> Value | None:
    """The size that what was made right above has, for its length; None where it was not."""
    assert isinstance(value, Length)
    base = value.args[0]
    if base.op is ops.NEW_ARRAY and len(value.args) == 1 and 0 <= value.dimension < len(base.args):
        return base.args[value.dimension]
    return base.args[0] if base.op is ops.NEW_TUPLE else None
