"""The opcode table's meanings on solver terms (z3), for proofs at full width.

A `Term` stands where a meaning expects a natural number: it has the operators that meanings are written with, and knows
whether its bits are read as a signed number, so that `>>`, `<` and the rest mean what they mean in the interpreters.  What
Python's operators cannot say to a solver, division (it branches) and floats, has a second meaning here; tests hold the two
together.
"""

from __future__ import annotations

from septet.base.types import Type
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SORTS = {32: (8, 24), 64: (11, 53), 16: (5, 11)}  # bits of exponent and significand, the hidden one counted


class Term:
    """A bit-vector `bits` of z3, read as signed or not."""

    __slots__ = ("bits", "signed")

    def __init__(self, bits: Any, signed: bool) -> None:
        self.bits = bits
        self.signed = signed

    def __add__(self, other: Any) -> Term:
        return Term(self.bits + _bits(other), self.signed)

    def __sub__(self, other: Any) -> Term:
        return Term(self.bits - _bits(other), self.signed)

    def __rsub__(self, other: int) -> Term:
        return Term(other - self.bits, self.signed)

    def __mul__(self, other: Any) -> Term:
        return Term(self.bits * _bits(other), self.signed)

    def __and__(self, other: Any) -> Term:
        return Term(self.bits & _bits(other), self.signed)

    def __or__(self, other: Any) -> Term:
        return Term(self.bits | _bits(other), self.signed)

    def __xor__(self, other: Any) -> Term:
        return Term(self.bits ^ _bits(other), self.signed)

    def __lshift__(self, other: Any) -> Term:
        return Term(self.bits << _bits(other), self.signed)

    def __rshift__(self, other: Any) -> Term:
        import z3

        return Term(self.bits >> _bits(other) if self.signed else z3.LShR(self.bits, _bits(other)), self.signed)

    def __invert__(self) -> Term:
        return Term(~self.bits, self.signed)

    def __neg__(self) -> Term:
        return Term(-self.bits, self.signed)

    def __abs__(self) -> Term:
        import z3

        return Term(z3.If(self.bits < 0, -self.bits, self.bits), True) if self.signed else self

    def __eq__(self, other: object) -> Any:
        return self.bits == _bits(other)

    def __ne__(self, other: object) -> Any:
        return self.bits != _bits(other)

    def __lt__(self, other: Any) -> Any:
        import z3

        return self.bits < _bits(other) if self.signed else z3.ULT(self.bits, _bits(other))

    def __le__(self, other: Any) -> Any:
        import z3

        return self.bits <= _bits(other) if self.signed else z3.ULE(self.bits, _bits(other))

    def __gt__(self, other: Any) -> Any:
        import z3

        return self.bits > _bits(other) if self.signed else z3.UGT(self.bits, _bits(other))

    def __ge__(self, other: Any) -> Any:
        import z3

        return self.bits >= _bits(other) if self.signed else z3.UGE(self.bits, _bits(other))

    __hash__ = None  # type: ignore[assignment]


def _bits(other: Any) -> Any:
    return other.bits if isinstance(other, Term) else other


def apply(op: ops.Op, type: Type, args: list[Any], sources: list[Type], result: Type) -> Any:
    """The bits (of z3) that `op` gives from the bits `args` of the types `sources`.

    `type` is what the operation works in: the operands' for a comparison, else the result's."""
    import z3

    if op is ops.SELECT:
        return z3.If(args[0] == 1, args[1], args[2])
    if op is ops.BITCAST:
        return args[0]
    if op is ops.CONVERT:
        return converted(args[0], sources[0], result)
    if op.between is not None:
        return _LANES[op](sources[0], result, *args)
    found = SOLVER.get(op)
    if found is not None:
        bits = found(type, *args)
    else:
        assert op.meaning is not None, op.name
        bits = op.meaning(type.bits, *[Term(arg, type.signed) for arg in args])
        if isinstance(bits, Term):
            bits = bits.bits
    return z3.If(bits, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)) if z3.is_bool(bits) else bits


def extended(bits: Any, source: Type, width: int) -> Any:
    """An integer of type `source` as one of `width` bits, the value kept modulo 2^width."""
    import z3

    if width <= source.bits:
        return z3.Extract(width - 1, 0, bits)
    extend = z3.SignExt if source.signed else z3.ZeroExt
    return extend(width - source.bits, bits)


def converted(bits: Any, source: Type, target: Type) -> Any:
    """`ops.meaning.convert` on terms."""
    import z3

    if not source.is_float and not target.is_float:
        return extended(bits, source, target.bits)
    nearest = z3.RNE()
    if not source.is_float:
        extend = z3.fpSignedToFP if source.signed else z3.fpUnsignedToFP
        return z3.fpToIEEEBV(extend(nearest, bits, sort(target)))
    number = float_of(source, bits)
    if target is source:
        return bits
    if target.is_float:
        return z3.If(z3.fpIsNaN(number), _nan_resized(bits, target), z3.fpToIEEEBV(z3.fpFPToFP(nearest, number, sort(target))))
    towards_zero = z3.RTZ()
    convert = z3.fpToSBV if target.signed else z3.fpToUBV
    low, high = (z3.fpSignedToFP(nearest, z3.BitVecVal(end, 72), sort(source)) for end in (target.low, target.high))
    inside = convert(towards_zero, number, z3.BitVecSort(target.bits))
    past = z3.If(number <= low, z3.BitVecVal(target.low, target.bits), inside)
    past = z3.If(number >= high, z3.BitVecVal(target.high, target.bits), past)
    return z3.If(z3.fpIsNaN(number), z3.BitVecVal(0, target.bits), past)


def _nan_resized(bits: Any, target: Type) -> Any:
    import z3

    if target.bits == 64:
        return z3.Concat(z3.Extract(31, 31, bits), z3.BitVecVal(0xFFF, 12), z3.Extract(21, 0, bits), z3.BitVecVal(0, 29))
    return z3.Concat(z3.Extract(63, 63, bits), z3.BitVecVal(0x1FF, 9), z3.Extract(50, 29, bits))


def sort(type: Type) -> Any:
    """The solver's sort of a float type."""
    import z3

    return z3.FPSort(*SORTS[type.bits])


def float_of(type: Type, bits: Any) -> Any:
    """The float whose pattern is `bits`."""
    import z3

    return z3.fpBVToFP(bits, sort(type))


def _rounded(function: str) -> Callable[..., Any]:
    """An operation of the solver, NaNs made as SSE makes them."""

    def solver(type: Type, *args: Any) -> Any:
        import z3

        numbers = [float_of(type, arg) for arg in args]
        made = getattr(z3, function)(z3.RNE(), *numbers)
        exponent, significand = SORTS[type.bits]
        default = z3.BitVecVal(((1 << exponent + 2) - 1) << significand - 2, type.bits)
        quiet = z3.BitVecVal(1 << significand - 2, type.bits)
        result = z3.If(z3.fpIsNaN(made), default, z3.fpToIEEEBV(made))
        for arg, number in reversed(list(zip(args, numbers, strict=True))):
            result = z3.If(z3.fpIsNaN(number), arg | quiet, result)
        return result

    return solver


def _compared(function: str) -> Callable[..., Any]:
    def solver(type: Type, *args: Any) -> Any:
        import z3

        return getattr(z3, function)(*[float_of(type, arg) for arg in args])

    return solver


def _quotient(type: Type, a: Any, b: Any) -> Any:
    import z3

    return a / b if type.signed else z3.UDiv(a, b)


def _remainder(type: Type, a: Any, b: Any) -> Any:
    import z3

    return z3.SRem(a, b) if type.signed else z3.URem(a, b)


def _high(type: Type, a: Any, b: Any) -> Any:
    import z3

    extend = z3.SignExt if type.signed else z3.ZeroExt
    return z3.Extract(2 * type.bits - 1, type.bits, extend(type.bits, a) * extend(type.bits, b))


def _chosen(is_less: bool) -> Callable[..., Any]:
    """The lesser or the greater one."""

    def solver(type: Type, a: Any, b: Any) -> Any:
        import z3

        less = a < b if type.signed else z3.ULT(a, b)
        return z3.If(less, a, b) if is_less else z3.If(less, b, a)

    return solver


def _popcount(type: Type, a: Any) -> Any:
    import z3

    total = z3.BitVecVal(0, type.bits)
    for bit in range(type.bits):
        total += z3.ZeroExt(type.bits - 1, z3.Extract(bit, bit, a)) if type.bits > 1 else a
    return total


def _zeros(order: Callable[[int], range]) -> Callable[..., Any]:
    """How many zeros come before the first one in an order of bits, which is given from its end."""

    def solver(type: Type, a: Any) -> Any:
        import z3

        found = z3.BitVecVal(type.bits, type.bits)
        bits = order(type.bits)
        for bit in bits:
            zeros = bit if bits.step < 0 else type.bits - 1 - bit
            found = z3.If(z3.Extract(bit, bit, a) == 1, z3.BitVecVal(zeros, type.bits), found)
        return found

    return solver


def _byte_swap(type: Type, a: Any) -> Any:
    import z3

    return z3.Concat(*[z3.Extract(at + 7, at, a) for at in range(0, type.bits, 8)]) if type.bits > 8 else a


def _rotated(function: str) -> Callable[..., Any]:
    def solver(type: Type, a: Any, b: Any) -> Any:
        import z3

        return getattr(z3, function)(a, b) if type.bits > 1 else a

    return solver


def _whole(mode: str) -> Callable[..., Any]:
    """A float rounded to a whole number."""

    def solver(type: Type, a: Any) -> Any:
        import z3

        number = float_of(type, a)
        made = z3.fpToIEEEBV(z3.fpRoundToIntegral(getattr(z3, mode)(), number))
        return z3.If(z3.fpIsNaN(number), a | z3.BitVecVal(1 << SORTS[type.bits][1] - 2, type.bits), made)

    return solver


def _extreme(is_least: bool) -> Callable[..., Any]:
    """The lesser or the greater float: a NaN wins, -0 is less than +0."""

    def solver(type: Type, a: Any, b: Any) -> Any:
        import z3

        x, y = float_of(type, a), float_of(type, b)
        less = z3.Or(z3.fpLT(x, y), z3.And(z3.fpEQ(x, y), z3.fpIsNegative(x)))
        chosen = z3.If(less, a, b) if is_least else z3.If(less, b, a)
        quiet = z3.BitVecVal(1 << SORTS[type.bits][1] - 2, type.bits)
        return z3.If(z3.fpIsNaN(x), a | quiet, z3.If(z3.fpIsNaN(y), b | quiet, chosen))

    return solver


def _fma(type: Type, a: Any, b: Any, c: Any) -> Any:
    import z3

    numbers = [float_of(type, arg) for arg in (a, b, c)]
    made = z3.fpFMA(z3.RNE(), *numbers)
    exponent, significand = SORTS[type.bits]
    default = z3.BitVecVal(((1 << exponent + 2) - 1) << significand - 2, type.bits)
    result = z3.If(z3.fpIsNaN(made), default, z3.fpToIEEEBV(made))
    for arg, number in reversed(list(zip((a, b, c), numbers, strict=True))):
        result = z3.If(z3.fpIsNaN(number), arg | z3.BitVecVal(1 << significand - 2, type.bits), result)
    return result


def _splat(source: Type, target: Type, a: Any) -> Any:
    import z3

    return z3.Concat(*[a] * target.lanes)


def _extract(source: Type, target: Type, a: Any, lane: Any) -> Any:
    import z3

    parts = _parts(source, a)
    return z3.If(lane == 0, parts[0], parts[1])


def _insert(source: Type, target: Type, a: Any, lane: Any, new: Any) -> Any:
    import z3

    low, high = _parts(source, a)
    return z3.If(lane == 0, z3.Concat(high, new), z3.Concat(new, low))


def _reduced(op: ops.Op) -> Callable[..., Any]:
    def solver(source: Type, target: Type, a: Any) -> Any:
        low, high = _parts(source, a)
        return apply(op, target, [high, low], [target, target], target)

    return solver


def _parts(type: Type, bits: Any) -> list[Any]:
    """The lanes of a vector."""
    import z3

    width = type.element.bits
    return [z3.Extract(at + width - 1, at, bits) for at in range(0, type.bits, width)]


_LANES: dict[ops.Op, Callable[..., Any]] = {
    ops.SPLAT: _splat,
    ops.EXTRACT: _extract,
    ops.INSERT: _insert,
    **{ops.NAMED[f"reduce-{name}"]: _reduced(ops.NAMED[name]) for name in ("add", "mul", "and", "or", "xor", "min", "max")},
}
"""Operations on vectors of two lanes, as rules are proved with."""

SOLVER: dict[ops.Op, Callable[..., Any]] = {
    ops.MUL_HIGH: _high,
    ops.MIN: _chosen(True),
    ops.MAX: _chosen(False),
    ops.POPCOUNT: _popcount,
    ops.CTZ: _zeros(lambda bits: range(bits - 1, -1, -1)),
    ops.CLZ: _zeros(lambda bits: range(bits)),
    ops.BYTE_SWAP: _byte_swap,
    ops.ROTL: _rotated("RotateLeft"),
    ops.ROTR: _rotated("RotateRight"),
    ops.FMA: _fma,
    ops.FMIN: _extreme(True),
    ops.FMAX: _extreme(False),
    ops.FLOOR: _whole("RTN"),
    ops.CEIL: _whole("RTP"),
    ops.TRUNC: _whole("RTZ"),
    ops.NEAREST: _whole("RNE"),
    ops.DIV: _quotient,
    ops.REM: _remainder,
    ops.FADD: _rounded("fpAdd"),
    ops.FSUB: _rounded("fpSub"),
    ops.FMUL: _rounded("fpMul"),
    ops.FDIV: _rounded("fpDiv"),
    ops.FSQRT: _rounded("fpSqrt"),
    ops.FEQ: _compared("fpEQ"),
    ops.FNE: _compared("fpNEQ"),
    ops.FLT: _compared("fpLT"),
    ops.FLE: _compared("fpLEQ"),
    ops.FGT: _compared("fpGT"),
    ops.FGE: _compared("fpGEQ"),
}
"""The second column of the opcode table's meanings: on solver terms, for what branches or rounds.  Divisors are not 0."""
