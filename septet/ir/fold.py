"""What a value is when its operands are constants, or make it one of them: no rule engine needed.

x + 0  x - 0  x * 1  x | 0  x ^ 0  x << 0  x & x  x | x        x
x * 0  x & 0  x - x  x ^ x                                     0
x = x  x <= x  x >= x                                          1        x != x  x < x  x > x    0
convert and bitcast to the same type, select with equal choices
convert(b) = 1,  convert(b) != 0   of a bool                   b
untag(tag(untag(x)))                                           untag(x)
"""

from __future__ import annotations

from septet.base.types import BOOL
from septet.ir.forward import stands_for
from septet.ir.nodes import Compare, Const, Length, Value
from septet.ops import meaning
from septet.ops import table as ops
from septet.ops.table import CONST, CONVERT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.types import Type

    MakeConst = Callable[[Type, int], Value]

_RIGHT_ZERO = (ops.ADD, ops.SUB, ops.OR, ops.XOR, ops.SHL, ops.SHR)  # x op 0 is x
_REFLEXIVE = {ops.EQ: 1, ops.LE: 1, ops.GE: 1, ops.NE: 0, ops.LT: 0, ops.GT: 0}  # x op x
_CANCELS = (ops.SUB, ops.XOR)  # x op x is 0
_IDEMPOTENT = (ops.AND, ops.OR)  # x op x is x


def divides(value: Value) -> bool:
    """Whether `value` is a division that cannot fail, by a constant."""
    if value.op is not ops.DIV and value.op is not ops.REM:
        return False
    divisor = value.args[1]
    return isinstance(divisor, Const) and divisor.number != 0


def simpler(value: Value, const: MakeConst) -> Value | None:
    """A value that is there already, or a constant made by `const`, that `value` always is; or None."""
    args = value.args
    for arg in args:
        if not isinstance(arg, Const):
            break
    else:
        if args and (value.op.pure or divides(value)):
            return _computed(value, const)
    special = _SPECIAL.get(value.op)
    found = special(value, const) if special else _binary(value, const) if len(args) == 2 else None
    return found if found is not None and stands_for(value.type, found.type) else None


def _computed(value: Value, const: MakeConst) -> Value | None:
    """The constant that an operation on constants is."""
    op, type = value.op, value.type
    numbers = [arg.number for arg in value.args if isinstance(arg, Const)]
    source = value.args[0].type
    if op is CONVERT:
        return const(type, int(meaning.convert(source, type)(numbers[0])))
    if op is ops.BITCAST:
        return const(type, meaning.bitcast(source, type)(numbers[0]))
    if op is ops.SELECT:
        return const(type, type.wrap(numbers[1] if numbers[0] else numbers[2]))
    if op.meaning is None:
        return None
    on = value.on if isinstance(value, Compare) else type
    return const(type, op.function(on)(*[on.wrap(number) for number in numbers]))


def _binary(value: Value, const: MakeConst) -> Value | None:
    op, type = value.op, value.type
    left, right = value.args
    if left is right:
        if op in _REFLEXIVE:
            return const(BOOL, _REFLEXIVE[op])
        if op in _CANCELS:
            return const(type, 0)
        if op in _IDEMPOTENT:
            return left
    if right.op is CONST and isinstance(right, Const):
        number = right.number
        if number == 0:
            if op in _RIGHT_ZERO:
                return left
            if op is ops.MUL or op is ops.AND:
                return const(type, 0)
        elif number == 1 and (op is ops.MUL or op is ops.DIV):
            return left
    return None


def _equal(value: Value, const: MakeConst) -> Value | None:
    left, right = value.args
    if left.op is CONVERT and left.args[0].type is BOOL and isinstance(right, Const):
        if right.number == (value.op is ops.EQ):
            return left.args[0]
    return _binary(value, const)


def _cast(value: Value, const: MakeConst) -> Value | None:
    arg = value.args[0]
    if arg.op is ops.BITCAST and value.op is ops.BITCAST:
        arg = arg.args[0]
    return arg if arg.type is value.type else None


def _select(value: Value, const: MakeConst) -> Value | None:
    condition, then, other = value.args
    if isinstance(condition, Const):
        return then if condition.number else other
    return then if then is other else None


def _untag(value: Value, const: MakeConst) -> Value | None:
    tag = value.args[0]
    if tag.op is ops.TAG and tag.args[0].op is ops.UNTAG:
        return tag.args[0]
    return None


def _length(value: Value, const: MakeConst) -> Value | None:
    """The length of what was just made is its size."""
    assert isinstance(value, Length)
    base = value.args[0]
    if base.op is ops.NEW_ARRAY and len(value.args) == 1 and 0 <= value.dimension < len(base.args):
        return base.args[value.dimension]
    return base.args[0] if base.op is ops.NEW_TUPLE else None


_SPECIAL: dict[ops.Op, Callable[[Value, MakeConst], Value | None]] = {
    ops.EQ: _equal,
    ops.NE: _equal,
    CONVERT: _cast,
    ops.BITCAST: _cast,
    ops.SELECT: _select,
    ops.UNTAG: _untag,
    ops.LENGTH: _length,
}
