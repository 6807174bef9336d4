"""From the arrays phase to the words phase: arrays and tuples become addresses, loads and stores.

    int64 %x <- %m[%i][%j]           int64 %n <- load %m + 16 in length
                                     i64 %row <- %i * (untag %n)
                                     ptr %r <- %m + (%row << 3)
                                     ptr %at <- %r + (%j << 3)
                                     int64 %x <- load %at + 24 in element

    int64 %n <- length %t            i64 %size <- load %t in length
                                     int64 %n <- tag %size

Where things are (bytes from the reference; k dimensions): -8 the descriptor, 0 the number of words that follow, raw;
8*(1+d) the length of dimension d, encoded; 8*(1+k) the elements, the last index counting fastest; in a tuple, 8 the elements.
An address is computed once where a block and those it dominates need it several times; so are the products of lengths and
indices in it.  Trigger: any operation of the arrays phase.  Gain: addresses are values, which passes see.  Guard: this pass is
mandatory, so it asks for no fuel.  Level 0: it always runs.
"""

from __future__ import annotations

from septet.base.graph import dominators
from septet.base.scopes import Scopes
from septet.base.symbols import ROUTINE, symbol
from septet.base.types import I64, INT64, PTR, TUPLE
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.representation import Words
from septet.ir.forward import forward, resolve
from septet.ir.nodes import WORDS, Call, Const, Length, Memory, Value
from septet.ops import table as ops
from septet.x86 import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.base.facts import Facts
    from septet.ir.nodes import Function

NAME = "linearise"
KEEPS = (Dominators, PostDominators, Loops)
_ALLOCATE = symbol(ROUTINE, "allocate")
_ZERO = Const(INT64, 1)  # what new elements are: the encoded number 0
_TWO, _THREE = Const(I64, 2), Const(I64, 3)


class _Known:
    """What has been computed on every way to here: by array and dimension the length, by length its number, by array and
    indices the product of all but the last with lengths, or the address of an element and the offset to add to it."""

    __slots__ = ("table", "scopes", "parity", "words")

    def __init__(self, words: Words | None) -> None:
        self.table: dict[Any, Any] = {}
        self.scopes = Scopes()
        self.parity: Callable[[Value], int | None] = words.parity if words is not None else lambda value: None
        self.words = words

    def learn(self, key: object, what: object) -> None:
        """Note something, unless it is known already."""
        if key not in self.table:
            self.table[key] = what
            self.scopes.learned.append((self.table, key))


def run(function: Function, facts: Facts | None = None) -> bool:
    """Bring `function` into the words phase."""
    if function.phase == WORDS:
        return False
    expand = _EXPAND.get
    changed = False
    known = _Known(facts.get(Words) if facts is not None and facts.words is not None else None)
    blocks = function.blocks
    number = {block: index for index, block in enumerate(blocks)}
    parents = dominators([[number[target] for target in block.successors] for block in blocks])
    for index, block in enumerate(blocks):
        known.scopes.enter(index, parents[index])
        body: list[Value] = []
        for value in block.body:
            expansion = expand(value.op)
            if expansion is None:
                body.append(value)
            else:
                changed = True
                made = expansion(value, body, known)
                made.name = value.name
                forward(value, made)
                if known.words is not None:
                    known.words.replaced(value, made)
        block.body = body
    if changed:
        resolve(function)
    function.phase = WORDS
    return changed


# Each expansion appends what stands for `value` to `body`; the last is the result.


def _element(value: Value, body: list[Value], known: _Known) -> Value:
    base = value.args[0]
    at, offset = _address(base, value.args[1:], value.span, body, known)
    alias = "tuple" if base.type is TUPLE else "element"
    made = Memory(ops.LOAD, value.type, [at], offset, alias, value.span, NAME)
    body.append(made)
    return made


def _set_element(value: Value, body: list[Value], known: _Known) -> Value:
    base = value.args[0]
    at, offset = _address(base, value.args[1:-1], value.span, body, known)
    alias = "tuple" if base.type is TUPLE else "element"
    made = Memory(ops.STORE, INT64, [at, value.args[-1]], offset, alias, value.span, NAME)
    body.append(made)
    return made


def _address(base: Value, indices: list[Value], span: int, body: list[Value], known: _Known) -> tuple[Value, int]:
    """The address of an element as a value and an offset."""
    key = (base, *indices)
    found: tuple[Value, int] | None = known.table.get(key)
    if found is None:
        header = 8 if base.type is TUPLE else 8 * (1 + len(indices))
        row = _row(key[:-1], span, body, known) if len(indices) > 1 else base
        found = _at(row, indices[-1], header, span, body, known)
        known.learn(key, found)
    return found


def _row(key: tuple[Value, ...], span: int, body: list[Value], known: _Known) -> Value:
    """The address of the object moved on by the words before the row that all indices but the last name; `key` is the object
    and these indices."""
    base, index = key[:2]
    row: Value | None = known.table.get((key, "row"))
    if row is None:
        for dimension in range(1, len(key)):
            if not (isinstance(index, Const) and index.number == 0):
                index = _rows(key[: dimension + 1], index, span, body, known)
            if dimension + 1 < len(key):
                index = _plus(index, key[dimension + 1], span, body)
        if isinstance(index, Const) and index.number == 0:
            return base
        byte = Value(ops.SHL, I64, [index, _THREE], span, NAME)
        row = Value(ops.ADD, PTR, [base, byte], span, NAME)
        body += (byte, row)
        known.learn((key, "row"), row)
    return row


def _rows(key: tuple[Value, ...], index: Value, span: int, body: list[Value], known: _Known) -> Value:
    """`index`, made of the first indices, times the length of the next dimension; `key` is the array and these indices."""
    product: Value | None = known.table.get((key, "product"))
    if product is None:
        base, dimension = key[0], len(key) - 1
        length = known.table.get((base, dimension))
        if length is None:
            length = Memory(ops.LOAD, INT64, [base], 8 * (1 + dimension), "length", span, NAME)
            body.append(length)
            known.learn((base, dimension), length)
        number = known.table.get(length)
        if number is None:
            number = Value(ops.UNTAG, I64, [length], span, NAME)
            body.append(number)
            known.learn(length, number)
        product = _times(index, number, span, body)
        known.learn((key, "product"), product)
    return product


def _at(base: Value, index: Value, header: int, span: int, body: list[Value], known: _Known) -> tuple[Value, int]:
    """The address of a word of an object: `index` words behind `header` bytes.  A word of known parity counts as it is: four
    times 2n + 1 is 8n + 4, four times 2n is 8n."""
    if isinstance(index, Const):
        offset = header + 8 * index.number
        if -(1 << 31) <= offset < 1 << 31:
            return base, offset
    count = _THREE
    if index.op is ops.UNTAG:
        parity = known.parity(index.args[0])
        if parity is not None:
            index, count, header = index.args[0], _TWO, header - 4 * parity
    byte = Value(ops.SHL, I64, [index, count], span, NAME)
    body.append(byte)
    at = Value(ops.ADD, PTR, [base, byte], span, NAME)
    body.append(at)
    return at, header


def _times(left: Value, right: Value, span: int, body: list[Value]) -> Value:
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(I64, I64.wrap(left.number * right.number))
    if isinstance(left, Const) and left.number == 1:
        return right
    if isinstance(right, Const) and right.number == 1:
        return left
    if isinstance(left, Const):
        left, right = right, left
    made = Value(ops.MUL, I64, [left, right], span, NAME)
    body.append(made)
    return made


def _plus(left: Value, right: Value, span: int, body: list[Value]) -> Value:
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(I64, I64.wrap(left.number + right.number))
    if isinstance(left, Const) and left.number == 0:
        return right
    if isinstance(right, Const) and right.number == 0:
        return left
    if isinstance(left, Const):
        left, right = right, left
    made = Value(ops.ADD, I64, [left, right], span, NAME)
    body.append(made)
    return made


def _length(value: Value, body: list[Value], known: _Known) -> Value:
    assert isinstance(value, Length)
    base = value.args[0]
    if len(value.args) == 1 and value.dimension >= 0:
        made: Value = Memory(ops.LOAD, value.type, [base], 8 * (1 + value.dimension), "length", value.span, NAME)
        known.learn((base, value.dimension), made)
    elif len(value.args) == 1:
        size = Memory(ops.LOAD, I64, [base], 0, "length", value.span, NAME)
        body.append(size)
        made = Value(ops.TAG, value.type, [size], value.span, NAME)
    else:
        at, offset = _at(base, value.args[1], 8, value.span, body, known)
        made = Memory(ops.LOAD, value.type, [at], offset, "length", value.span, NAME)
    body.append(made)
    return made


def _new_array(value: Value, body: list[Value], known: _Known) -> Value:
    span = value.span
    sizes = value.args
    count: Value = Const(I64, 1)
    for size in sizes:
        count = _times(count, _untag(size, span, body), span, body)
    words = _plus(count, Const(I64, len(sizes)), span, body)
    made = _allocate(value, _tag(words, span, body), abi.descriptor(abi.ARRAY, len(sizes)), body)
    for number, size in enumerate(sizes, 1):
        body.append(Memory(ops.STORE, INT64, [made, size], 8 * number, "length", span, NAME))
    return made


def _new_tuple(value: Value, body: list[Value], known: _Known) -> Value:
    return _allocate(value, value.args[0], abi.descriptor(abi.TUPLE), body)


def _untag(size: Value, span: int, body: list[Value]) -> Value:
    if isinstance(size, Const):
        return Const(I64, I64.wrap(size.number) >> 1)
    made = Value(ops.UNTAG, I64, [size], span, NAME)
    body.append(made)
    return made


def _tag(number: Value, span: int, body: list[Value]) -> Value:
    if isinstance(number, Const):
        return Const(INT64, INT64.wrap(2 * number.number + 1))
    made = Value(ops.TAG, INT64, [number], span, NAME)
    body.append(made)
    return made


def _allocate(value: Value, words: Value, descriptor: int, body: list[Value]) -> Value:
    made = Call(ops.CALL, value.type, _ALLOCATE, [words, _ZERO, Const(I64, descriptor)], value.span, NAME)
    body.append(made)
    return made


_EXPAND: dict[ops.Op, Callable[[Value, list[Value], _Known], Value]] = {
    ops.ELEMENT: _element,
    ops.SET_ELEMENT: _set_element,
    ops.LENGTH: _length,
    ops.NEW_ARRAY: _new_array,
    ops.NEW_TUPLE: _new_tuple,
}
