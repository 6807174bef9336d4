"""The range of a result by the ranges of the operands, for each operation that `analyses.ranges` sees through.

    ADD  (1, 5, 1), (2, 2, 0)  ->  (3, 7, 1)          low, high and parity (0 even, 1 odd, 2 either)

A result that may wrap is anything that its type has; its parity does not depend on wrapping.
"""

from __future__ import annotations

from septet.base.types import BOOL, INT, VALUE
from septet.ops import table as ops
from septet.ops.meaning import quotient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.types import Type
    from septet.ir.nodes import Value

    Range = tuple[int, int, int]


def top(type: Type, parity: int = 2) -> Range:
    """Every number of `type` of that parity."""
    if parity == 1 and type.high > 1:
        return (type.low | 1, type.high, 1)
    return (type.low, type.high, parity)


def _fit(type: Type, low: int, high: int, parity: int) -> Range:
    """A result that is exact where it does not wrap."""
    if low < type.low or high > type.high:
        return top(type, parity)
    if parity != 2:
        low, high = low + ((low ^ parity) & 1), high - ((high ^ parity) & 1)
    return (low, high, parity) if low <= high else top(type, parity)


def _sum_parity(a: int, b: int) -> int:
    return 2 if a == 2 or b == 2 else a ^ b


def _add(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, q) = ranges
    return _fit(value.type, a + c, b + d, _sum_parity(p, q))


def _sub(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, q) = ranges
    if value.args[0] is value.args[1]:
        return (0, 0, 0)
    return _fit(value.type, a - d, b - c, _sum_parity(p, q))


def _mul(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, q) = ranges
    products = (a * c, a * d, b * c, b * d)
    return _fit(value.type, min(products), max(products), 0 if p == 0 or q == 0 else 1 if p == q == 1 else 2)


def _and(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, q) = ranges
    parity = 0 if p == 0 or q == 0 else 1 if p == q == 1 else 2
    if c == d and c < 0 and c & -c == -c:  # clears low bits
        return _fit(value.type, a & c, b & c, parity)
    if a >= 0 or c >= 0:
        return _fit(value.type, 0, min([high for low, high in ((a, b), (c, d)) if low >= 0]), parity)
    return top(value.type, parity)


def _or(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, q) = ranges
    parity = 1 if p == 1 or q == 1 else 0 if p == q == 0 else 2
    if c == d == 1:
        return _fit(value.type, a | 1, b | 1, 1)
    if a >= 0 and c >= 0:
        return _fit(value.type, max(a, c), (1 << (b | d).bit_length()) - 1, parity)
    return top(value.type, parity)


def _xor(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, q) = ranges
    if a >= 0 and c >= 0:
        return _fit(value.type, 0, (1 << (b | d).bit_length()) - 1, _sum_parity(p, q))
    return top(value.type, _sum_parity(p, q))


def _shl(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, _) = ranges
    if not 0 <= c <= d < value.type.bits:
        return top(value.type)
    return _fit(value.type, min(a << c, a << d), max(b << c, b << d), 0 if c > 0 else p if d == 0 else 2)


def _shr(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, _) = ranges
    if not 0 <= c <= d < value.type.bits:
        c, d = 0, value.type.bits - 1
    return _fit(value.type, min(a >> c, a >> d), max(b >> c, b >> d), p if d == 0 else 2)


def _untag(value: Value, ranges: list[Range]) -> Range:
    return _fit(value.type, ranges[0][0] >> 1, ranges[0][1] >> 1, 2)


def _tag(value: Value, ranges: list[Range]) -> Range:
    return _fit(value.type, 2 * ranges[0][0] + 1, 2 * ranges[0][1] + 1, 1)


def _neg(value: Value, ranges: list[Range]) -> Range:
    return _fit(value.type, -ranges[0][1], -ranges[0][0], ranges[0][2])


def _not(value: Value, ranges: list[Range]) -> Range:
    low, high, parity = ranges[0]
    if value.type is BOOL:
        return top(BOOL)
    mask = 0 if value.type.signed else value.type.high + 1
    return _fit(value.type, mask + ~high, mask + ~low, 2 if parity == 2 else 1 - parity)


def _div(value: Value, ranges: list[Range]) -> Range:
    (a, b, _), (c, d, _) = ranges
    if c <= 0 <= d:
        return top(value.type)
    found = [quotient(n, m) for n in (a, b) for m in (c, d)]
    return _fit(value.type, min(found), max(found), 2)


def _rem(value: Value, ranges: list[Range]) -> Range:
    (a, b, _), (c, d, _) = ranges
    most = max(abs(c), abs(d)) - 1
    if most < 0:
        return top(value.type)
    return _fit(value.type, max(a, -most) if a < 0 else 0, min(b, most) if b > 0 else 0, 2)


def _convert(value: Value, ranges: list[Range]) -> Range:
    source = value.args[0].type
    if source.kind not in (INT, VALUE) or value.type is BOOL:
        return top(value.type)
    return _fit(value.type, *ranges[0])


def _select(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, q) = ranges[1:]
    first, second = value.args[1].type, value.args[2].type
    if first.signed != value.type.signed or second.signed != value.type.signed:
        return top(value.type)
    return _fit(value.type, min(a, c), max(b, d), p if p == q else 2)


def _min(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, q) = ranges
    return _fit(value.type, min(a, c), min(b, d), p if p == q else 2)


def _max(value: Value, ranges: list[Range]) -> Range:
    (a, b, p), (c, d, q) = ranges
    return _fit(value.type, max(a, c), max(b, d), p if p == q else 2)


def _absolute(value: Value, ranges: list[Range]) -> Range:
    a, b, p = ranges[0]
    return _fit(value.type, max(a, -b, 0), max(-a, b), p)


def _counted(value: Value, ranges: list[Range]) -> Range:
    return _fit(value.type, 0, value.type.bits, 2)


STEPS: dict[ops.Op, Callable[[Value, list[Range]], Range]] = {
    ops.ADD: _add, ops.SUB: _sub, ops.MUL: _mul, ops.AND: _and, ops.OR: _or, ops.XOR: _xor, ops.SHL: _shl, ops.SHR: _shr,
    ops.UNTAG: _untag, ops.TAG: _tag, ops.NEG: _neg, ops.NOT: _not, ops.DIV: _div, ops.REM: _rem, ops.CONVERT: _convert,
    ops.SELECT: _select, ops.MIN: _min, ops.MAX: _max, ops.IABS: _absolute, ops.POPCOUNT: _counted, ops.CTZ: _counted,
    ops.CLZ: _counted,
}  # fmt: skip
