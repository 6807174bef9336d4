"""The functions that the interpreter's steps apply: on numbers natural for their types, with the runtime's memory."""

from __future__ import annotations

import operator

from septet.base.types import INTEGERS
from septet.base.words import MASK, SIGN, wrap
from septet.ir.nodes import OF_ARRAY, OF_DIMENSIONS, OF_TUPLE
from septet.ops import meaning
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.base.types import Type
    from septet.ir.nodes import Check, Length, Memory, Value
    from septet.runtime.model import Runtime

    Function = Callable[..., Any]


def _add(a: int, b: int) -> int:
    total = a + b
    return total if -SIGN <= total < SIGN else wrap(total)


def _sub(a: int, b: int) -> int:
    total = a - b
    return total if -SIGN <= total < SIGN else wrap(total)


def _mul(a: int, b: int) -> int:
    product = a * b
    return product if -SIGN <= product < SIGN else wrap(product)


def _shl(a: int, b: int) -> int:
    return wrap(a << (b & 63))


def _shr(a: int, b: int) -> int:
    return a >> (b & 63)


def _untag(a: int) -> int:
    return a >> 1


def _tag(a: int) -> int:
    return wrap(a + a + 1)


_BOTH: dict[ops.Op, Function] = {
    ops.AND: operator.and_,
    ops.OR: operator.or_,
    ops.XOR: operator.xor,
    ops.SHR: _shr,
    ops.UNTAG: _untag,
    ops.EQ: operator.eq,
    ops.NE: operator.ne,
    ops.LT: operator.lt,
    ops.LE: operator.le,
    ops.GT: operator.gt,
    ops.GE: operator.ge,
}
ARITHMETIC: dict[tuple[ops.Op, bool], Function] = {
    (op, signed): function for op, function in _BOTH.items() for signed in (False, True)
} | {(ops.ADD, True): _add, (ops.SUB, True): _sub, (ops.MUL, True): _mul, (ops.SHL, True): _shl, (ops.TAG, True): _tag}
"""What table.Op.function gives, quicker, for words: by opcode and whether the type is signed."""


class Context:
    """The runtime of a run, and the address of its first word of memory."""

    __slots__ = ("runtime", "origin")

    def __init__(self, runtime: Runtime, origin: int) -> None:
        self.runtime = runtime
        self.origin = origin


def load(context: Context, value: Memory, line: int) -> Function:
    """From base + offset; words as signed ones."""
    offset = value.offset
    if value.on.is_word:
        return _load_at(context, offset, 0)
    narrow, on = context.runtime.load, value.on
    return lambda base: narrow(base + offset, on)


def store(context: Context, value: Memory) -> Function:
    """To base + offset; words come as signed ones."""
    offset = value.offset
    if value.on.is_word:
        return _store_at(context, offset)
    narrow, on = context.runtime.store, value.on
    return lambda base, what: narrow(base + offset, on, what)


def _load_at(context: Context, offset: int, scale: int) -> Function:
    """The word at base + offset, or with a scale at base + offset + scale * index: memory in use is read at once."""
    runtime, origin = context.runtime, context.origin
    words, load_word = runtime.words, runtime.load_word

    def plain(base: int) -> int:
        at = base + offset
        if at & 7 or not origin <= at < runtime.top:
            return load_word(at)
        return words[(at - origin) >> 3]

    def indexed(base: int, index: int) -> int:
        at = base + offset + scale * index
        if at & 7 or not origin <= at < runtime.top:
            return load_word(at)
        return words[(at - origin) >> 3]

    return indexed if scale else plain


def _store_at(context: Context, offset: int) -> Function:
    runtime, origin = context.runtime, context.origin
    words, store_word = runtime.words, runtime.store_word

    def function(base: int, what: int) -> None:
        at = base + offset
        if at & 7 or not origin <= at < runtime.top:
            store_word(at, what)
        else:
            words[(at - origin) >> 3] = what

    return function


def element(context: Context, value: Value, line: int) -> Function:
    """The element at raw indices of an array or tuple."""
    load_word = context.runtime.load_word
    rank = value.args[0].type.rank
    if rank <= 1:
        return _load_at(context, 8 * (1 + rank), 8)
    return lambda base, *indices: load_word(_place(load_word, base, indices))


def set_element(context: Context, value: Value, line: int) -> Function:
    """Its counterpart, with the new element as the last operand."""
    load_word, store_word = context.runtime.load_word, context.runtime.store_word
    rank = value.args[0].type.rank
    if rank <= 1:
        header = 8 * (1 + rank)
        store_at = _store_at(context, header)
        return lambda base, index, what: store_at(base + 8 * index, what)
    return lambda base, *rest: store_word(_place(load_word, base, rest[:-1]), rest[-1])


def _place(load_word: Callable[[int], int], base: int, indices: tuple[int, ...]) -> int:
    """The address of an element of an array of several dimensions, computed as words."""
    at = indices[0]
    for dimension, index in enumerate(indices[1:], 2):
        at = wrap(wrap(at * (load_word(base + 8 * dimension) >> 1)) + index)
    return wrap(base + 8 * (1 + len(indices)) + wrap(8 * at))


def length(context: Context, value: Length, line: int) -> Function:
    """The encoded length of a dimension, or of a tuple."""
    load_word = context.runtime.load_word
    if len(value.args) > 1:
        return lambda base, dimension: load_word(wrap(base + 8 + 8 * dimension))
    if value.dimension < 0:
        return lambda base: wrap(2 * load_word(base) + 1)
    return _load_at(context, 8 * (1 + value.dimension), 0)


def new(context: Context, value: Value, line: int) -> Function:
    """A new array or tuple."""
    if value.op is ops.NEW_TUPLE:
        return context.runtime.new_tuple
    new_array = context.runtime.new_array
    return lambda *sizes: new_array(list(sizes))


def check(context: Context, value: Check, line: int) -> Function:
    """A check; its error does not return."""
    if value.op is ops.CHECK_CONVERT:
        return _conversion(context.runtime.call, value.args[0].type, INTEGERS[value.detail], line)
    if value.args[0].type.lanes > 1:
        return _divisors(context.runtime.call, value.args[0].type, line)
    return _CHECKS[value.op](context.runtime.call, context.runtime, value.detail, line)


def _null(error: Function, runtime: Runtime, detail: int, line: int) -> Function:
    return lambda word: 0 if word else error("tensor-error", [line])


def _kind(error: Function, runtime: Runtime, detail: int, line: int) -> Function:
    def function(word: int) -> int:
        if runtime.descriptor(word) != detail:
            error("kind-error", [line, word, detail])
        return 0

    return function


def _index(error: Function, runtime: Runtime, detail: int, line: int) -> Function:
    def function(index: int, size: int) -> int:
        if index & MASK >= size & MASK:
            if detail == OF_TUPLE:
                error("tuple-error", [line, size, index])
            if detail == OF_DIMENSIONS:
                error("dimension-error", [line, size, index])
            error("tensor-error", [line, size, index] if detail == OF_ARRAY else [line, 2 * detail + 1, size, index])
        return 0

    return function


def _length(error: Function, runtime: Runtime, detail: int, line: int) -> Function:
    return lambda number: 0 if 0 <= number < 1 << 32 else error("length-error", [line, number])


def _divisor(error: Function, runtime: Runtime, detail: int, line: int) -> Function:
    return lambda number: 0 if number else error("division-error", [line])


def _divisors(error: Function, type: Type, line: int) -> Function:
    return lambda number: 0 if all(meaning.unpacked(type, number)) else error("division-error", [line])


def _conversion(error: Function, source: Type, target: Type, line: int) -> Function:
    return lambda number: 0 if meaning.is_in(number, source, target) else error("conversion-error", [line])


_CHECKS: dict[ops.Op, Callable[[Function, Runtime, int, int], Function]] = {
    ops.CHECK_NULL: _null,
    ops.CHECK_KIND: _kind,
    ops.CHECK_INDEX: _index,
    ops.CHECK_LENGTH: _length,
    ops.CHECK_DIVISOR: _divisor,
}


def divide(context: Context, value: Value, line: int) -> Function:
    """A quotient or remainder; an error where the divisor is 0."""
    function = value.op.function(value.type)
    error = context.runtime.call
    type = value.type
    if type.lanes > 1:
        return lambda a, b: function(a, b) if all(meaning.unpacked(type, b)) else error("division-error", [line])
    return lambda a, b: function(a, b) if b else error("division-error", [line])


def select(context: Context, value: Value, line: int) -> Function:
    """The second operand if the first is 1, else the third."""
    return value.op.function(value.args[0].type, value.type)


def convert(context: Context, value: Value, line: int) -> Function:
    """From the first operand's type to the result's."""
    source, target = value.args[0].type, value.type
    return int if value.op is ops.CONVERT and source.bits == 1 and target.is_word else value.op.function(source, target)
