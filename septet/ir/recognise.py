"""Course-form checks, which are branches to calls of error routines, become the check operations they mean.

    bool %c <- %a = 0                              check-null %a at 12
    br %c :none :some                              br :some
  :none                                      =>  :some
    call tensor-error(25)
    br :some

    bool %c <- %i >= 0                             br :upper
    br %c :upper :bad                            :upper
  :upper                                           bool %d <- %i < %n
    bool %d <- %i < %n                             check-index %j, %m, tuple at 12
    br %d :inside :bad                             br :inside
  :bad                                       =>
    call tuple-error(25, %m, %j)

Either test may be the other way round.  This is done where it cannot change what the program does: lines and dimensions are
encoded constants; %j is certainly the encoded number whose number is %i, and %m an encoded length, not negative, whose number
is %n.  (The length of an array may be negative in the course's IR, `new Array(-1)` makes one; where the sizes are not known
such tests stay branches.)
"""

from __future__ import annotations

from septet.base.symbols import ROUTINE
from septet.ir.nodes import OF_ARRAY, OF_TUPLE, Branch, Call, Check, Compare, Const, Length, Phi, Value
from septet.ir.unreachable import drop_edge, drop_unreachable
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Block, Function

    Error = tuple[str, list[Value]]  # a routine and its arguments

_MOST_LINES = 1 << 31


def recognise_checks(function: Function) -> bool:
    """Replace the checks in `function` that are branches; whether there were any."""
    if not any(value.op is ops.CALL and _is_error(value) for block in function.blocks for value in block.body):
        return False
    before: dict[Block, int] = dict.fromkeys(function.blocks, 0)
    for block in function.blocks:
        for target in block.successors:
            before[target] += 1
    changed = False
    for block in function.blocks:
        if block.body[-1].op is ops.BR_IF and (_null(block) or _bounds(block, before)):
            changed = True
    if changed:
        drop_unreachable(function)
    return changed


def _is_error(value: Value) -> bool:
    return (
        isinstance(value, Call)
        and value.callee is not None
        and value.callee.kind == ROUTINE
        and value.callee.name
        in (
            "tensor-error",
            "tuple-error",
        )
    )


def _error(block: Block, target: Block) -> Error | None:
    """The error routine that is called, and its arguments, if control goes from `block` to `target`."""
    call = target.body[0]
    if not isinstance(call, Call) or call.callee is None or not _is_error(call):
        return None
    return call.callee.name, [
        arg.args[arg.blocks.index(block)] if isinstance(arg, Phi) and arg in target.phis else arg for arg in call.args
    ]


def _encoded(value: Value) -> int | None:
    """The number that an encoded constant stands for, where it can be a line or a dimension."""
    if isinstance(value, Const) and value.number & 1 and 0 <= value.number >> 1 < _MOST_LINES:
        return value.number >> 1
    return None


def _leave(block: Block, error: Block, go_on: Block, check: Check | None) -> None:
    """End `block` with `check` and a jump to `go_on`, with no edge to `error` any more."""
    last = block.body.pop()
    if check is not None:
        block.body.append(check)
    block.body.append(Branch(ops.BR, [], [go_on], last.span, last.by))
    drop_edge(block, error)


def _null(block: Block) -> bool:
    """`v = 0` to a call of tensor-error with a line alone."""
    last = block.body[-1]
    assert isinstance(last, Branch)
    test = last.args[0]
    then, other = last.targets
    error = _error(block, then)
    if error is None or error[0] != "tensor-error" or len(error[1]) != 1 or not isinstance(test, Compare):
        return False
    line = _encoded(error[1][0])
    zero = test.args[1]
    if line is None or test.op is not ops.EQ or not isinstance(zero, Const) or zero.number or not test.on.is_word:
        return False
    _leave(block, then, other, Check(ops.CHECK_NULL, [test.args[0]], 0, last.span, last.by, line))
    return True


def _test(block: Block, inside: ops.Op, outside: ops.Op) -> tuple[Value, Value, Block, Block] | None:
    """Left and right operand of the signed comparison that ends `block`, and where it leads if `inside` holds and if not."""
    last = block.body[-1]
    if not isinstance(last, Branch) or last.op is not ops.BR_IF:
        return None
    test = last.args[0]
    if not isinstance(test, Compare) or not test.on.is_word or not test.on.signed:
        return None
    then, other = last.targets
    if test.op is inside:
        return *_pair(test), then, other
    return (*_pair(test), other, then) if test.op is outside else None


def _pair(test: Compare) -> tuple[Value, Value]:
    return test.args[0], test.args[1]


def _bounds(block: Block, before: dict[Block, int]) -> bool:
    """`i >= 0`, then `i < n`, both with the same call of an error routine otherwise."""
    lower = _test(block, ops.GE, ops.LT)
    if lower is None:
        return False
    index, zero, middle, below = lower
    if before[middle] != 1 or middle.phis or not all(value.op.pure for value in middle.body[:-1]):
        return False
    upper = _test(middle, ops.LT, ops.GE)
    if upper is None or upper[0] is not index or not isinstance(zero, Const) or zero.number:
        return False
    _, length, inside, above = upper
    error, same = _error(block, below), _error(middle, above)
    if error is None or same is None or error[0] != same[0] or not _equal(error[1], same[1]):
        return False
    check = _index_check(error, index, length, middle.body[-1])
    if check is None:
        return False
    _leave(block, below, middle, None)
    _leave(middle, above, inside, check)
    return True


def _equal(left: list[Value], right: list[Value]) -> bool:
    return len(left) == len(right) and all(
        a is b or isinstance(a, Const) and isinstance(b, Const) and a.number == b.number
        for a, b in zip(left, right, strict=True)
    )


def _index_check(error: Error, index: Value, length: Value, last: Value) -> Check | None:
    """The check that calls `error` unless 0 <= index < length."""
    name, args = error
    if len(args) < 3 or name == "tuple-error" and len(args) != 3:
        return None
    line = _encoded(args[0])
    detail: int | None = OF_TUPLE if name == "tuple-error" else OF_ARRAY if len(args) == 3 else _encoded(args[1])
    size, encoded = args[-2:]
    if line is None or detail is None or not _is_length(size) or not _untags(length, size) or not _encodes(encoded, index):
        return None
    return Check(ops.CHECK_INDEX, [encoded, size], detail, last.span, last.by, line)


def _is_length(value: Value) -> bool:
    """Whether `value` is certainly the encoding of a number that is not negative."""
    if isinstance(value, Const):
        return value.number > 0 and value.number & 1 == 1
    if not isinstance(value, Length):
        return False
    base = value.args[0]
    if base.op is ops.NEW_ARRAY:
        return len(value.args) == 1 and _is_length(base.args[value.dimension])
    return value.dimension < 0


def _untags(number: Value, word: Value) -> bool:
    """Whether `number` is word >> 1."""
    if isinstance(number, Const):
        return isinstance(word, Const) and number.number == word.number >> 1
    return number.args[:1] == [word] and (number.op is ops.UNTAG or number.op is ops.SHR and _is(number.args[1], 1))


def _encodes(word: Value, number: Value) -> bool:
    """Whether `word` is certainly 2 * number + 1, nothing lost."""
    if isinstance(number, Const):
        return isinstance(word, Const) and word.number == 2 * number.number + 1
    if not (number.op is ops.UNTAG or number.op is ops.SHR and number.type.signed and _is(number.args[1], 1)):
        return False  # only then does it surely have 63 bits
    if word.op is ops.TAG:
        return word.args[0] is number
    if word.op is not ops.ADD or not _is(word.args[1], 1):
        return False
    shift = word.args[0]
    return shift.op is ops.SHL and shift.args[0] is number and _is(shift.args[1], 1)


def _is(value: Value, number: int) -> bool:
    return isinstance(value, Const) and value.number == number
