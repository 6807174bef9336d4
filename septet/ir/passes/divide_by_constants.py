"""Divisions by constants become multiplications by the reciprocal.

    u32 %q <- %n / 10       =>       u32 %h <- mul-high %n, 3435973837
                                     u32 %q <- %h >> 3

Trigger: an integer division or remainder by a constant.  Phase words.  Gain: a division takes 20 to 40 cycles, what stands for
it 5 to 8.  Guard: powers of two have tiles of their own, and stay.  Level 2.  (Granlund, Montgomery: Division by Invariant
Integers using Multiplication, 1994; Warren: Hacker's Delight, chapter 10.)

Why it is right.  Numbers have N bits; d > 0 is no power of two; M is an integer with M * d = 2^(N+s) + e, 0 < e.  Then M * n
/ 2^(N+s) = n/d + (e/d) (n / 2^(N+s)).
* Unsigned, 0 <= n < 2^u: if e <= 2^(N+s-u), the last term is less than 1/d.  The fraction of n/d is at most (d-1)/d, so the
  floors of both agree.  With u = N some s up to log2 d, rounded up, will do, as e < d; then M has N + 1 bits at most.  If it
  has that many, M = 2^N + m, and with h = floor(m * n / 2^N) the quotient is (((n - h) >> 1) + h) >> (s - 1), where nothing
  overflows.  If d is even, n and d are halved first until d is odd; u is less than N then, a smaller s does, and M has N
  bits.
* Signed, -2^(N-1) <= n < 2^(N-1): if e <= 2^(s+1), the last term is less than 1/d for n >= 0, so floors agree; for n < 0 it
  is between -1/d and 0, 0 left out, so the floor is one less than n/d rounded towards zero, and 1, that is minus n >> (N-1),
  is added. s < log2 d does, so M has N bits; where it is 2^(N-1) or more, it stands as M - 2^N, and n is added to the high
  product. A negative d negates the quotient.
* The remainder is n - d * quotient.
Every division is replaced once, by at most eight operations.
"""

from __future__ import annotations

from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.forward import forward, resolve
from septet.ir.nodes import Const, Value
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.base.types import Type
    from septet.ir.nodes import Function

NAME = "divide-by-constants"
KEEPS = (Dominators, PostDominators, Loops)


def run(function: Function, facts: Facts) -> bool:
    """Replace what divisions by constants there are; whether there were any."""
    changed = False
    for block in function.blocks:
        for value in block.body:
            if (value.op is ops.DIV or value.op is ops.REM) and _is_wanted(value):
                break
        else:
            continue
        body: list[Value] = []
        for value in block.body:
            if (value.op is ops.DIV or value.op is ops.REM) and _is_wanted(value) and facts.fuel.spend():
                name = "division" if value.op is ops.DIV else "remainder"
                facts.remark(function.name, value.span, f"{name} made a multiplication", "its divisor is a constant")
                forward(value, _Sequence(value, body).result())
                changed = True
            else:
                body.append(value)
        block.body = body
    if changed:
        resolve(function)
    return changed


def _is_wanted(value: Value) -> bool:
    """Whether a division of one number is by a constant, and neither by zero nor by plus or minus a power of two."""
    divisor = value.args[1]
    if not isinstance(divisor, Const) or value.type.bits < 8 or value.type.lanes > 1:
        return False
    size = abs(divisor.number)
    return size & (size - 1) != 0


def unsigned_multiplier(divisor: int, bits: int, used: int) -> tuple[int, int]:
    """An (M, s) with floor(n / divisor) = floor(M * n / 2^(bits + s)) for all n < 2^used: the one with the least s."""
    shift = 0
    while True:
        power = 1 << (bits + shift)
        multiplier = power // divisor + 1
        if multiplier * divisor - power <= 1 << (bits + shift - used):
            return multiplier, shift
        shift += 1


def signed_multiplier(divisor: int, bits: int) -> tuple[int, int]:
    """An (M, s) with n / divisor, rounded towards zero, = floor(M * n / 2^(bits + s)) + (n < 0) for all signed n of `bits`
    bits: the one with the least s."""
    shift = 0
    while True:
        power = 1 << (bits + shift)
        multiplier = power // divisor + 1
        if multiplier * divisor - power <= 2 << shift:
            return multiplier, shift
        shift += 1


class _Sequence:
    """The operations that stand for one division, put at the end of `body`."""

    def __init__(self, value: Value, body: list[Value]) -> None:
        self.value = value
        self.type: Type = value.type
        self.body = body

    def emit(self, op: ops.Op, left: Value, right: Value | int) -> Value:
        """A new value of the type divided in."""
        operand = Const(self.type, self.type.wrap(right)) if isinstance(right, int) else right
        value = Value(op, self.type, [left, operand], self.value.span, NAME, self.value.name)
        self.body.append(value)
        return value

    def result(self) -> Value:
        """The quotient, or the remainder."""
        number, divisor = self.value.args
        assert isinstance(divisor, Const)
        quotient = (self.signed if self.type.signed else self.unsigned)(number, divisor.number)
        if self.value.op is ops.DIV:
            return quotient
        return self.emit(ops.SUB, number, self.emit(ops.MUL, quotient, divisor.number))

    def unsigned(self, number: Value, divisor: int) -> Value:
        """floor(number / divisor)."""
        bits = self.type.bits
        multiplier, shift = unsigned_multiplier(divisor, bits, bits)
        twos = (divisor & -divisor).bit_length() - 1
        if multiplier >> bits and twos:
            multiplier, shift = unsigned_multiplier(divisor >> twos, bits, bits - twos)
            number = self.emit(ops.SHR, number, twos)
        high = self.emit(ops.MUL_HIGH, number, multiplier & ((1 << bits) - 1))
        if multiplier >> bits:
            half = self.emit(ops.SHR, self.emit(ops.SUB, number, high), 1)
            return self.emit(ops.SHR, self.emit(ops.ADD, half, high), shift - 1)
        return self.emit(ops.SHR, high, shift) if shift else high

    def signed(self, number: Value, divisor: int) -> Value:
        """number / divisor, rounded towards zero."""
        bits = self.type.bits
        multiplier, shift = signed_multiplier(abs(divisor), bits)
        high = self.emit(ops.MUL_HIGH, number, multiplier)
        if multiplier >> (bits - 1):  # it is negative as a signed number: 2^bits too small
            high = self.emit(ops.ADD, high, number)
        if shift:
            high = self.emit(ops.SHR, high, shift)
        sign = self.emit(ops.SHR, number, bits - 1)  # -1 or 0
        if divisor < 0:
            return self.emit(ops.SUB, sign, high)
        return self.emit(ops.SUB, high, sign)
