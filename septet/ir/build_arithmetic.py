"""The builder's arithmetic: one method an operation, named as llvmlite names it, or else as IR does.

Types carry signedness, so `add` of u8 and of i8 are the same method; where a name says which is meant (`udiv`, `ashr`,
`icmp_unsigned`), operands of the other kind are taken as their bits, and the result is of the operands' type.  Every operation
on integers and floats works on vectors, lane by lane.
"""

from __future__ import annotations

from septet.base.types import BOOL, FLOAT, INT, VALUE, VECTOR, Type, truth
from septet.ir import nodes
from septet.ir.build_types import signed, unsigned
from septet.ir.build_values import Emitter, called, plain
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from septet.ops.table import Op

    Value = nodes.Value

_COMPARE = {"==": ops.EQ, "!=": ops.NE, "<": ops.LT, "<=": ops.LE, ">": ops.GT, ">=": ops.GE}
_INVERSE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
KINDS = {"integers": (INT, VALUE), "floats": (FLOAT,)}


def _spells(op: str, known: Sequence[str]) -> ValueError:
    return ValueError(f"there is no comparison {op!r}; there are {' '.join(known)}")


class Arithmetic(Emitter):
    """What computes and compares."""

    # What most methods are made of.

    def _type(self, what: str, kind: str, values: Sequence[Any]) -> Type:
        """The type of the first operand that has one, which must be of integers or floats, alone or in vectors."""
        for value in map(plain, values):
            if isinstance(value, nodes.Value):
                if value.type.element.kind not in KINDS[kind]:
                    raise self.wrong(what, f"works on {kind}, but {called(value)} is {value.type}")
                return value.type
        given = ", ".join(map(repr, values))
        raise self.wrong(what, f"{given}: a number alone has no type; give a value or ir.Constant(type, ...)")

    def _do(self, op: Op, kind: str, values: Sequence[Any], name: str, what: str = "") -> Value:
        """An operation whose operands and result are of one type."""
        what = what or op.name
        type = self._type(what, kind, values)
        return self.emit(nodes.Value(op, type, [self.operand(value, type, what) for value in values]), name)

    def _as(self, op: Op, what: str, signs: bool, values: Sequence[Any], name: str) -> Value:
        """An operation on integers taken as signed or unsigned ones; of the operands' type."""
        type = self._type(what, "integers", values)
        wanted = (signed if signs else unsigned)(type)
        args = [self._bits(self.operand(value, type, what), wanted) for value in values]
        made = self.emit(nodes.Value(op, wanted, args), name)
        return made if wanted is type else self._bits(made, type, True)

    def _bits(self, value: Value, type: Type, exactly: bool = False) -> Value:
        """`value` as one of `type` with the same bits; any word stands for another one unless it is wanted `exactly`."""
        if value.type is type or not exactly and type.accepts(value.type):
            return value
        if isinstance(value, nodes.Const) and type.kind == INT:
            return nodes.Const(type, type.wrap(value.number))
        return self.emit(nodes.Value(ops.BITCAST, type, [value]))

    def _compare(self, op: Op, on: Type, args: list[Value], name: str) -> Value:
        return self.emit(nodes.Compare(op, on, args), name)

    # Integers.

    def add(self, a: Any, b: Any, name: str = "") -> Value:
        """a + b, modulo 2^n."""
        return self._do(ops.ADD, "integers", (a, b), name)

    def sub(self, a: Any, b: Any, name: str = "") -> Value:
        """a - b, modulo 2^n."""
        return self._do(ops.SUB, "integers", (a, b), name)

    def mul(self, a: Any, b: Any, name: str = "") -> Value:
        """a * b, modulo 2^n."""
        return self._do(ops.MUL, "integers", (a, b), name)

    def mul_high(self, a: Any, b: Any, name: str = "") -> Value:
        """The upper half of a * b."""
        return self._do(ops.MUL_HIGH, "integers", (a, b), name)

    def div(self, a: Any, b: Any, name: str = "") -> Value:
        """a / b towards zero, by the type's signedness; division by 0 is an error."""
        return self._do(ops.DIV, "integers", (a, b), name)

    def rem(self, a: Any, b: Any, name: str = "") -> Value:
        """a - a / b * b, by the type's signedness; division by 0 is an error."""
        return self._do(ops.REM, "integers", (a, b), name)

    def sdiv(self, a: Any, b: Any, name: str = "") -> Value:
        """a / b towards zero, of signed numbers; division by 0 is an error."""
        return self._as(ops.DIV, "sdiv", True, (a, b), name)

    def udiv(self, a: Any, b: Any, name: str = "") -> Value:
        """a / b, of unsigned numbers; division by 0 is an error."""
        return self._as(ops.DIV, "udiv", False, (a, b), name)

    def srem(self, a: Any, b: Any, name: str = "") -> Value:
        """The remainder of `sdiv`."""
        return self._as(ops.REM, "srem", True, (a, b), name)

    def urem(self, a: Any, b: Any, name: str = "") -> Value:
        """The remainder of `udiv`."""
        return self._as(ops.REM, "urem", False, (a, b), name)

    def neg(self, a: Any, name: str = "") -> Value:
        """-a, modulo 2^n."""
        return self._do(ops.NEG, "integers", (a,), name)

    def abs(self, a: Any, name: str = "") -> Value:
        """The distance from 0; the lowest number stays."""
        return self._do(ops.IABS, "integers", (a,), name)

    def min(self, a: Any, b: Any, name: str = "") -> Value:
        """The smaller one, by the type's signedness."""
        return self._do(ops.MIN, "integers", (a, b), name)

    def max(self, a: Any, b: Any, name: str = "") -> Value:
        """The greater one, by the type's signedness."""
        return self._do(ops.MAX, "integers", (a, b), name)

    # Bits.

    def and_(self, a: Any, b: Any, name: str = "") -> Value:
        """The bits that both have."""
        return self._do(ops.AND, "integers", (a, b), name)

    def or_(self, a: Any, b: Any, name: str = "") -> Value:
        """The bits that one has."""
        return self._do(ops.OR, "integers", (a, b), name)

    def xor(self, a: Any, b: Any, name: str = "") -> Value:
        """The bits that one alone has."""
        return self._do(ops.XOR, "integers", (a, b), name)

    def not_(self, a: Any, name: str = "") -> Value:
        """The bits that it has not."""
        return self._do(ops.NOT, "integers", (a,), name)

    def shl(self, a: Any, count: Any, name: str = "") -> Value:
        """a << count; counts are taken modulo the width."""
        return self._do(ops.SHL, "integers", (a, count), name)

    def shr(self, a: Any, count: Any, name: str = "") -> Value:
        """a >> count, by the type's signedness; counts are taken modulo the width."""
        return self._do(ops.SHR, "integers", (a, count), name)

    def lshr(self, a: Any, count: Any, name: str = "") -> Value:
        """a >> count, with zeros coming in."""
        return self._as(ops.SHR, "lshr", False, (a, count), name)

    def ashr(self, a: Any, count: Any, name: str = "") -> Value:
        """a >> count, with copies of the sign coming in."""
        return self._as(ops.SHR, "ashr", True, (a, count), name)

    def rotl(self, a: Any, count: Any, name: str = "") -> Value:
        """a rotated to the left."""
        return self._do(ops.ROTL, "integers", (a, count), name)

    def rotr(self, a: Any, count: Any, name: str = "") -> Value:
        """a rotated to the right."""
        return self._do(ops.ROTR, "integers", (a, count), name)

    def ctpop(self, a: Any, name: str = "") -> Value:
        """How many bits are 1."""
        return self._do(ops.POPCOUNT, "integers", (a,), name)

    def cttz(self, a: Any, name: str = "") -> Value:
        """How many zeros stand at the low end; the width for 0."""
        return self._do(ops.CTZ, "integers", (a,), name)

    def ctlz(self, a: Any, name: str = "") -> Value:
        """How many zeros stand at the high end; the width for 0."""
        return self._do(ops.CLZ, "integers", (a,), name)

    def bswap(self, a: Any, name: str = "") -> Value:
        """The bytes in the opposite order."""
        return self._do(ops.BYTE_SWAP, "integers", (a,), name)

    # Floats.

    def fadd(self, a: Any, b: Any, name: str = "") -> Value:
        """a + b."""
        return self._do(ops.FADD, "floats", (a, b), name)

    def fsub(self, a: Any, b: Any, name: str = "") -> Value:
        """a - b."""
        return self._do(ops.FSUB, "floats", (a, b), name)

    def fmul(self, a: Any, b: Any, name: str = "") -> Value:
        """a * b."""
        return self._do(ops.FMUL, "floats", (a, b), name)

    def fdiv(self, a: Any, b: Any, name: str = "") -> Value:
        """a / b."""
        return self._do(ops.FDIV, "floats", (a, b), name)

    def fneg(self, a: Any, name: str = "") -> Value:
        """-a: the sign bit flipped."""
        return self._do(ops.FNEG, "floats", (a,), name)

    def fabs(self, a: Any, name: str = "") -> Value:
        """a without its sign."""
        return self._do(ops.FABS, "floats", (a,), name)

    def fma(self, a: Any, b: Any, c: Any, name: str = "") -> Value:
        """a * b + c, rounded once."""
        return self._do(ops.FMA, "floats", (a, b, c), name)

    def sqrt(self, a: Any, name: str = "") -> Value:
        """The square root."""
        return self._do(ops.FSQRT, "floats", (a,), name)

    def fmin(self, a: Any, b: Any, name: str = "") -> Value:
        """IEEE 754-2019 minimum: a NaN wins, -0 is less than 0."""
        return self._do(ops.FMIN, "floats", (a, b), name)

    def fmax(self, a: Any, b: Any, name: str = "") -> Value:
        """IEEE 754-2019 maximum: a NaN wins, -0 is less than 0."""
        return self._do(ops.FMAX, "floats", (a, b), name)

    def floor(self, a: Any, name: str = "") -> Value:
        """The whole number below, as a float."""
        return self._do(ops.FLOOR, "floats", (a,), name)

    def ceil(self, a: Any, name: str = "") -> Value:
        """The whole number above, as a float."""
        return self._do(ops.CEIL, "floats", (a,), name)

    def ftrunc(self, a: Any, name: str = "") -> Value:
        """The whole number towards zero, as a float."""
        return self._do(ops.TRUNC, "floats", (a,), name)

    def nearest(self, a: Any, name: str = "") -> Value:
        """The nearest whole number, as a float; ties to even."""
        return self._do(ops.NEAREST, "floats", (a,), name)

    def copysign(self, a: Any, b: Any, name: str = "") -> Value:
        """a with the sign of b."""
        return self._do(ops.COPYSIGN, "floats", (a, b), name)

    # Comparisons: bool, or for vectors a mask, whose lanes are 0 and -1.

    def icmp_signed(self, op: str, a: Any, b: Any, name: str = "") -> Value:
        """Compare integers as signed ones."""
        return self._icmp("icmp_signed", signed, op, a, b, name)

    def icmp_unsigned(self, op: str, a: Any, b: Any, name: str = "") -> Value:
        """Compare integers as unsigned ones."""
        return self._icmp("icmp_unsigned", unsigned, op, a, b, name)

    def icmp(self, op: str, a: Any, b: Any, name: str = "") -> Value:
        """Compare integers by their type's signedness."""
        return self._icmp("icmp", lambda type: type, op, a, b, name)

    def _icmp(self, what: str, sign: Any, op: str, a: Any, b: Any, name: str) -> Value:
        if op not in _COMPARE:
            raise _spells(op, list(_COMPARE))
        type = self._type(what, "integers", (a, b))
        on: Type = sign(type)
        return self._compare(_COMPARE[op], on, [self._bits(self.operand(value, type, what), on) for value in (a, b)], name)

    def fcmp_ordered(self, op: str, a: Any, b: Any, name: str = "") -> Value:
        """Compare floats; false where one is a NaN.  `ord`: none is."""
        type = self._type("fcmp_ordered", "floats", (a, b))
        args = [self.operand(value, type, "fcmp_ordered") for value in (a, b)]
        if op == "ord":
            ordered = [self._compare(ops.FEQ, type, [arg, arg], "") for arg in args]
            return self.emit(nodes.Value(ops.AND, truth(type), list(ordered)), name)
        if op not in _COMPARE:
            raise _spells(op, [*_COMPARE, "ord"])
        if op == "!=":
            apart = [self._compare(each, type, args, "") for each in (ops.FLT, ops.FGT)]
            return self.emit(nodes.Value(ops.OR, truth(type), list(apart)), name)
        return self._compare(ops.FLOAT_TWIN[_COMPARE[op]], type, args, name)

    def fcmp_unordered(self, op: str, a: Any, b: Any, name: str = "") -> Value:
        """Compare floats; true where one is a NaN.  `uno`: one is."""
        if op == "!=":
            type = self._type("fcmp_unordered", "floats", (a, b))
            return self._compare(ops.FNE, type, [self.operand(value, type, "fcmp_unordered") for value in (a, b)], name)
        if op != "uno" and op not in _COMPARE:
            raise _spells(op, [*_COMPARE, "uno"])
        return self.not_(self.fcmp_ordered("ord" if op == "uno" else _INVERSE[op], a, b), name)

    def select(self, condition: Any, then: Any, other: Any, name: str = "") -> Value:
        """`then` where the condition holds, else `other`: a bool for all, or a mask for each lane."""
        values = [value for value in map(plain, (then, other)) if isinstance(value, nodes.Value)]
        if not values:
            raise self.wrong("select", f"{then!r}, {other!r}: a number alone has no type")
        type = values[0].type
        chooses = plain(condition)
        masks = isinstance(chooses, nodes.Value) and chooses.type.kind == VECTOR and type.kind == VECTOR
        args = [self.operand(chooses, truth(type) if masks else BOOL, "select")]
        args += [self.operand(value, type, "select") for value in (then, other)]
        return self.emit(nodes.Value(ops.SELECT, type, args), name)
