"""The functions that the interpreter's steps apply: on numbers natural for their types, with the runtime's memory."""

from __future__ import annotations

import operator

from septet.base.words import MASK, SIGN, wrap
from septet.ir.nodes import OF_ARRAY, OF_DIMENSIONS, OF_TUPLE
from septet.ops import meaning
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

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


def load(runtime: Runtime, value: Memory, line: int) -> Function:
    """From base + offset; words as signed ones."""
    offset = value.offset
    if value.on.is_word:
        word = runtime.load_word
        return lambda base: word(base + offset)
    narrow, on = runtime.load, value.on
    return lambda base: narrow(base + offset, on)


def store(runtime: Runtime, value: Memory) -> Function:
    """To base + offset; words come as signed ones."""
    offset = value.offset
    if value.on.is_word:
        word = runtime.store_word
        return lambda base, what: word(base + offset, what)
    narrow, on = runtime.store, value.on
    return lambda base, what: narrow(base + offset, on, what)


def element(runtime: Runtime, value: Value, line: int) -> Function:
    """The element at raw indices of an array or tuple."""
    load_word = runtime.load_word
    rank = value.args[0].type.rank
    if rank <= 1:
        header = 8 * (1 + rank)
        return lambda base, index: load_word(base + header + 8 * index)
    return lambda base, *indices: load_word(_place(load_word, base, indices))


def set_element(runtime: Runtime, value: Value, line: int) -> Function:
    """Its counterpart, with the new element as the last operand."""
    load_word, store_word = runtime.load_word, runtime.store_word
    rank = value.args[0].type.rank
    if rank <= 1:
        header = 8 * (1 + rank)
        return lambda base, index, what: store_word(base + header + 8 * index, what)
    return lambda base, *rest: store_word(_place(load_word, base, rest[:-1]), rest[-1])


def _place(load_word: Callable[[int], int], base: int, indices: tuple[int, ...]) -> int:
    """The address of an element of an array of several dimensions, computed as words."""
    at = indices[0]
    for dimension, index in enumerate(indices[1:], 2):
        at = wrap(wrap(at * (load_word(base + 8 * dimension) >> 1)) + index)
    return wrap(base + 8 * (1 + len(indices)) + wrap(8 * at))


def length(runtime: Runtime, value: Length, line: int) -> Function:
    """The encoded length of a dimension, or of a tuple."""
    load_word = runtime.load_word
    if len(value.args) > 1:
        return lambda base, dimension: load_word(wrap(base + 8 + 8 * dimension))
    if value.dimension < 0:
        return lambda base: wrap(2 * load_word(base) + 1)
    offset = 8 * (1 + value.dimension)
    return lambda base: load_word(base + offset)


def new(runtime: Runtime, value: Value, line: int) -> Function:
    """A new array or tuple."""
    if value.op is ops.NEW_TUPLE:
        return runtime.new_tuple
    return lambda *sizes: runtime.new_array(list(sizes))


def check(runtime: Runtime, value: Check, line: int) -> Function:
    """A check; its error does not return."""
    return _CHECKS[value.op](runtime.call, runtime, value.detail, line)


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


_CHECKS: dict[ops.Op, Callable[[Function, Runtime, int, int], Function]] = {
    ops.CHECK_NULL: _null,
    ops.CHECK_KIND: _kind,
    ops.CHECK_INDEX: _index,
    ops.CHECK_LENGTH: _length,
    ops.CHECK_DIVISOR: _divisor,
}


def divide(runtime: Runtime, value: Value, line: int) -> Function:
    """A quotient or remainder; an error where the divisor is 0."""
    function = value.op.function(value.type)
    error = runtime.call
    return lambda a, b: function(a, b) if b else error("division-error", [line])


def select(runtime: Runtime, value: Value, line: int) -> Function:
    """The second operand if the first is 1, else the third."""
    return lambda condition, then, other: then if condition else other


def convert(runtime: Runtime, value: Value, line: int) -> Function:
    """From the operand's type to the result's."""
    source, target = value.args[0].type, value.type
    if value.op is ops.BITCAST:
        return meaning.bitcast(source, target)
    return int if source.bits == 1 and target.is_word else meaning.convert(source, target)
