"""Which bits of each value are surely 0, and which surely 1.

    i64 %w <- %x | 1            of(%w): bit 0 is 1
    i64 %d <- %w + %w           of(%d): bit 0 is 0
    i64 %m <- %d & 255          of(%m): bit 0 and bits 8 to 63 are 0

Forward, from the assumption that every bit that has not been seen is known (so phis of loops keep what all ways round agree
on), in sweeps over the program until nothing changes; phis that change in too many sweeps become unknown.  Sums by the
carries that are possible at least and at most, as LLVM's KnownBits::computeForAddCarry.
"""

from __future__ import annotations

from septet.base.types import BOOL, INT, VALUE
from septet.ir.nodes import Const, Phi
from septet.ops import table as ops
from septet.ops.table import CONST, PHI

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.facts import Facts
    from septet.base.types import Type
    from septet.ir.nodes import Function, Value

    Bits = tuple[int, int]  # masks: surely 0, surely 1

SWEEPS = 8


class KnownBits:
    """The masks of every value of a function; nothing is known of floats and vectors."""

    __slots__ = ("_known",)

    def __init__(self, function: Function, facts: Facts | None = None) -> None:
        known: dict[Value, Bits] = {}
        self._known = known
        step_of = _STEPS
        sweep = 0
        changed = True
        while changed:
            changed = False
            sweep += 1
            for block in function.blocks:
                for phi in block.phis:
                    new = self._joined(phi) if sweep <= SWEEPS else (0, 0)
                    if new is not None and known.get(phi) != new:
                        known[phi] = new
                        changed = True
                for value in block.body:
                    step = step_of.get(value.op)
                    if step is None:
                        continue
                    args = [self.of(arg) for arg in value.args]
                    new = step(value, args, (1 << value.type.bits) - 1) if value.type.lanes == 1 else (0, 0)
                    if known.get(value) != new:
                        known[value] = new
                        changed = True

    def of(self, value: Value) -> Bits:
        """The bits of `value` that are surely 0, and those that are surely 1, as masks as wide as its type."""
        if value.op is CONST and isinstance(value, Const):
            mask = (1 << value.type.bits) - 1
            return (~value.number & mask, value.number & mask)
        return self._known.get(value) or _leaf(value)

    def state(self) -> dict[Value, Bits]:
        """All that is known, to compare."""
        return self._known

    def _joined(self, phi: Phi) -> Bits | None:
        """What all operands of a phi that have been seen agree on."""
        zeros = ones = mask = (1 << phi.type.bits) - 1
        seen = False
        for arg in phi.args:
            if arg in self._known or arg.op is not PHI and arg.op not in _STEPS:
                zero, one = self.of(arg)
                zeros, ones = zeros & zero, ones & one
                seen = True
        if not seen:
            return None
        old = self._known.get(phi, (mask, mask))
        return (zeros & old[0], ones & old[1])


def _leaf(value: Value) -> Bits:
    if value.op is ops.LENGTH:
        return (((1 << 64) - 1) ^ ((1 << 32) - 1), 1)
    return (0, 0)


def _add(value: Value, args: list[Bits], mask: int) -> Bits:
    return _sum(args[0], args[1], 0, mask)


def _sub(value: Value, args: list[Bits], mask: int) -> Bits:
    zeros, ones = args[1]
    return _sum(args[0], (ones, zeros), 1, mask)


def _neg(value: Value, args: list[Bits], mask: int) -> Bits:
    zeros, ones = args[0]
    return _sum((mask, 0), (ones, zeros), 1, mask)


def _sum(left: Bits, right: Bits, carry: int, mask: int) -> Bits:
    """left + right + carry: a bit is known where both operands' are, and the carry into it."""
    most = (~left[0] & mask) + (~right[0] & mask) + carry
    least = left[1] + right[1] + carry
    no_carry = ~(most ^ left[0] ^ right[0])  # the carries in if all that may be 1 is, and the operands' bits are 0: none
    with_carry = least ^ left[1] ^ right[1]
    known = (left[0] | left[1]) & (right[0] | right[1]) & (no_carry | with_carry) & mask
    return (~most & known, least & known)


def _mul(value: Value, args: list[Bits], mask: int) -> Bits:
    """The zeros at the end add up; the product of the odd parts is odd."""
    low = _trailing(args[0], mask) + _trailing(args[1], mask)
    zeros = ((1 << low) - 1) & mask
    ones = args[0][1] & args[1][1] & 1
    return (zeros, ones)


def _trailing(bits: Bits, mask: int) -> int:
    """How many zeros a value surely ends in."""
    rest = ~bits[0] & mask
    return (rest & -rest).bit_length() - 1 if rest else mask.bit_length()


def _and(value: Value, args: list[Bits], mask: int) -> Bits:
    return (args[0][0] | args[1][0], args[0][1] & args[1][1])


def _or(value: Value, args: list[Bits], mask: int) -> Bits:
    return (args[0][0] & args[1][0], args[0][1] | args[1][1])


def _xor(value: Value, args: list[Bits], mask: int) -> Bits:
    (a, b), (c, d) = args
    return (a & c | b & d, a & d | b & c)


def _not(value: Value, args: list[Bits], mask: int) -> Bits:
    return (args[0][1], args[0][0])


def _shl(value: Value, args: list[Bits], mask: int) -> Bits:
    count = _count(value)
    if count < 0:
        return (0, 0)
    zeros, ones = args[0]
    return ((zeros << count | (1 << count) - 1) & mask, ones << count & mask)


def _shr(value: Value, args: list[Bits], mask: int) -> Bits:
    count = _count(value)
    return (0, 0) if count < 0 else _shifted(value.type, args[0], count, mask)


def _shifted(type: Type, bits: Bits, count: int, mask: int) -> Bits:
    zeros, ones = bits
    top = mask ^ (mask >> count)
    sign = (mask + 1) >> 1
    zeros_in = top if not type.signed or zeros & sign else 0
    ones_in = top if type.signed and ones & sign else 0
    return (zeros >> count | zeros_in, ones >> count | ones_in)


def _count(value: Value) -> int:
    count = value.args[1]
    return count.number & (value.type.bits - 1) if isinstance(count, Const) else -1


def _untag(value: Value, args: list[Bits], mask: int) -> Bits:
    return _shifted(value.type, args[0], 1, mask)


def _tag(value: Value, args: list[Bits], mask: int) -> Bits:
    zeros, ones = args[0]
    return (zeros << 1 & mask, (ones << 1 | 1) & mask)


def _convert(value: Value, args: list[Bits], mask: int) -> Bits:
    source = value.args[0].type
    if source.kind not in (INT, VALUE) or value.type.kind not in (INT, VALUE):
        return (0, 0)
    zeros, ones = args[0]
    if value.type.bits <= source.bits:
        return (zeros & mask, ones & mask)
    top = mask ^ ((1 << source.bits) - 1)
    sign = 1 << (source.bits - 1)
    signed = source.signed and source is not BOOL
    return (zeros | (top if not signed or zeros & sign else 0), ones | (top if signed and ones & sign else 0))


def _select(value: Value, args: list[Bits], mask: int) -> Bits:
    return (args[1][0] & args[2][0], args[1][1] & args[2][1])


def _either(value: Value, args: list[Bits], mask: int) -> Bits:
    return (args[0][0] & args[1][0], args[0][1] & args[1][1])


def _counted(value: Value, args: list[Bits], mask: int) -> Bits:
    return (mask & -1 << value.type.bits.bit_length(), 0)  # at most the width


_STEPS: dict[ops.Op, Callable[[Value, list[Bits], int], Bits]] = {
    ops.ADD: _add, ops.SUB: _sub, ops.MUL: _mul, ops.AND: _and, ops.OR: _or, ops.XOR: _xor, ops.SHL: _shl, ops.SHR: _shr,
    ops.UNTAG: _untag, ops.TAG: _tag, ops.NEG: _neg, ops.NOT: _not, ops.CONVERT: _convert, ops.SELECT: _select,
    ops.POPCOUNT: _counted, ops.CTZ: _counted, ops.CLZ: _counted, ops.MIN: _either, ops.MAX: _either,
}  # fmt: skip
