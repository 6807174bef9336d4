"""What operations on vectors become for which a target has no tile: other operations, in the end scalar ones, lane by lane.

A rule takes the legaliser, the operation, the type it works in, its target and its operands; it gives whether it made anything.
"""

from __future__ import annotations

from septet.base.types import BOOL, F64, I8, I16, I32, I64, U8, U16, U32, U64, VECTOR, truth, vector
from septet.l3.nodes import Variable
from septet.l3.shapes import each
from septet.ops import table as ops
from septet.ops.meaning import int_to_float

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.types import Type
    from septet.l3.legalise import Legaliser, Operand
    from septet.ops.table import Op

    Rule = Callable[["Legaliser", "Op", "Type", "Variable | None", "list[Operand]"], bool]

RULES: dict[Op, Rule] = {}
_SIGNED = {8: I8, 16: I16, 32: I32, 64: I64}
_UNSIGNED = {8: U8, 16: U16, 32: U32, 64: U64}


def rule(*names: Op) -> Callable[[Rule], Rule]:
    """Add a rule for these opcodes."""

    def add(function: Rule) -> Rule:
        for op in names:
            RULES[op] = function
        return function

    return add


def signed(kind: Type) -> Type:
    """The vector of signed integers with lanes as wide."""
    return vector(_SIGNED[kind.element.bits], kind.lanes)


def unsigned(kind: Type) -> Type:
    """The vector of unsigned integers with lanes as wide."""
    return vector(_UNSIGNED[kind.element.bits], kind.lanes)


def ones(kind: Type) -> int:
    """All bits of a vector."""
    return (1 << kind.bits) - 1


def same(kind: Type, lane: int) -> int:
    """The constant with `lane` in every lane."""
    bits = kind.element.bits
    return each(lane & (1 << bits) - 1, bits, kind.bits)


def cast(to: Legaliser, operand: Operand, kind: Type) -> Operand:
    """The bits of an operand as a vector of another type."""
    if type(operand) is Variable and operand.type is not kind:
        return to.make(ops.BITCAST, kind, [operand])
    return operand


@rule(ops.NE, ops.LT, ops.LE, ops.GT, ops.GE)
def _compare(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    """By `eq` and the signed `gt`, which are what there is."""
    a, b = args
    assert target is not None
    mask = truth(kind)
    if op is ops.NE:
        to.put(ops.NOT, mask, target, [to.make(ops.EQ, kind, args, mask)])
    elif op is ops.LT:
        to.put(ops.GT, kind, target, [b, a])
    elif op is ops.LE:
        to.put(ops.NOT, mask, target, [to.make(ops.GT, kind, [a, b], mask)])
    elif op is ops.GE:
        to.put(ops.NOT, mask, target, [to.make(ops.GT, kind, [b, a], mask)])
    elif not kind.element.signed:
        flip = same(kind, 1 << kind.element.bits - 1)
        flipped = [arg ^ flip if type(arg) is int else to.make(ops.XOR, kind, [arg, flip]) for arg in args]
        to.put(op, signed(kind), target, [cast(to, arg, signed(kind)) for arg in flipped])
    else:
        return False
    return True


@rule(ops.FGT, ops.FGE)
def _float_compare(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    to.put(ops.FLT if op is ops.FGT else ops.FLE, kind, target, args[::-1])
    return True


@rule(ops.SELECT)
def _select(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    """By a bool: by a mask that is the same in all lanes."""
    choice = args[0]
    if type(choice) is Variable and choice.type.kind == VECTOR:
        return False
    if type(choice) is not Variable:
        to.put(ops.COPY, kind, target, [args[1] if choice == 1 else args[2]])
        return True
    words = vector(I64, max(kind.bits // 64, 2))
    word = to.make(ops.NEG, I64, [to.make(ops.CONVERT, choice.type, [choice], I64)])
    mask: Operand = to.make(ops.SPLAT, words, [word])
    if kind.bits == 64:
        mask = to.make(ops.BITCAST, truth(kind), [word])
    to.put(op, kind, target, [cast(to, mask, truth(kind)), *args[1:]])
    return True


@rule(ops.MIN, ops.MAX)
def _minimum(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    choice = to.make(ops.GT, kind, args if op is ops.MAX else args[::-1], truth(kind))
    to.put(ops.SELECT, kind, target, [choice, *args])
    return True


@rule(ops.IABS)
def _absolute(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    if not kind.element.signed:
        to.put(ops.COPY, kind, target, args)
        return True
    sign = to.make(ops.GT, kind, [0, args[0]], truth(kind))
    to.put(ops.SUB, kind, target, [to.make(ops.XOR, kind, [args[0], sign]), sign])
    return True


@rule(ops.TAG, ops.UNTAG)
def _tag(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    one = same(kind, 1)
    if op is ops.UNTAG:
        to.put(ops.SHR, kind, target, [args[0], one])
    else:
        to.put(ops.ADD, kind, target, [to.make(ops.ADD, kind, [args[0], args[0]]), one])
    return True


@rule(ops.ROTL, ops.ROTR)
def _rotate(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    value, count = args
    assert target is not None
    plain = unsigned(kind)
    value = cast(to, value, plain)
    back: Operand
    if type(count) is int:
        bits, lane_bits = count.to_bytes(kind.bits // 8, "little"), kind.element.bits
        step = lane_bits // 8
        lanes = [int.from_bytes(bits[n : n + step], "little") for n in range(0, len(bits), step)]
        back = sum([(-lane & lane_bits - 1) << n * lane_bits for n, lane in enumerate(lanes)])
    else:
        count = cast(to, count, plain)
        back = to.make(ops.SUB, plain, [0, count])
    left, right = (count, back) if op is ops.ROTL else (back, count)
    parts = [to.make(ops.SHL, plain, [value, left]), to.make(ops.SHR, plain, [value, right])]
    to.put(ops.BITCAST, kind, target, [to.make(ops.OR, plain, list(parts))])
    return True


@rule(ops.SHL, ops.SHR)
def _shift(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    """Of bytes, and of words where only longer lanes can be shifted: by what each of them is extended to."""
    value, count = args
    bits = kind.element.bits
    if bits > 16 or not to.has(op, vector(_SIGNED[32], 4)) or kind.bits * 2 > 512:
        return False
    wide = vector((_SIGNED if kind.element.signed else _UNSIGNED)[2 * bits], kind.lanes)
    plain = unsigned(wide)
    longer = to.make(ops.CONVERT, kind, [value], wide)
    mask = same(kind, bits - 1)
    masked = count & mask if type(count) is int else to.make(ops.AND, kind, [count, mask])
    counts = to.make(ops.CONVERT, unsigned(kind), [cast(to, masked, unsigned(kind))], plain)
    shifted = to.make(op, wide, [longer, cast(to, counts, wide)])
    to.put(ops.CONVERT, wide, target, [shifted])
    return True


# Counting bits, by sums of ever longer fields (Warren, Hacker's Delight, section 5)


@rule(ops.POPCOUNT)
def _popcount(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    plain = unsigned(kind)
    x = cast(to, args[0], plain)
    half = to.make(ops.AND, plain, [to.make(ops.SHR, plain, [x, same(plain, 1)]), ones(plain) // 3])
    x = to.make(ops.SUB, plain, [x, half])
    threes = ones(plain) // 5
    upper = to.make(ops.AND, plain, [to.make(ops.SHR, plain, [x, same(plain, 2)]), threes])
    x = to.make(ops.ADD, plain, [to.make(ops.AND, plain, [x, threes]), upper])
    x = to.make(ops.ADD, plain, [x, to.make(ops.SHR, plain, [x, same(plain, 4)])])
    x = to.make(ops.AND, plain, [x, ones(plain) // 17])
    step = 8
    while step < kind.element.bits:
        x = to.make(ops.ADD, plain, [x, to.make(ops.SHR, plain, [x, same(plain, step)])])
        step *= 2
    if kind.element.bits > 8:
        x = to.make(ops.AND, plain, [x, same(plain, 2 * kind.element.bits - 1)])
    assert target is not None
    to.put(ops.BITCAST, kind, target, [x])
    return True


@rule(ops.CTZ)
def _trailing_zeros(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    below = to.make(ops.SUB, kind, [args[0], same(kind, 1)])
    to.put(ops.POPCOUNT, kind, target, [to.make(ops.AND, kind, [to.make(ops.NOT, kind, [args[0]]), below])])
    return True


@rule(ops.CLZ)
def _leading_zeros(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    plain = unsigned(kind)
    x = cast(to, args[0], plain)
    step = 1
    while step < kind.element.bits:
        x = to.make(ops.OR, plain, [x, to.make(ops.SHR, plain, [x, same(plain, step)])])
        step *= 2
    x = to.make(ops.POPCOUNT, plain, [to.make(ops.NOT, plain, [x])])
    assert target is not None
    to.put(ops.BITCAST, kind, target, [x])
    return True


@rule(ops.BYTE_SWAP)
def _byte_swap(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    if kind.element.bits == 8:
        to.put(ops.COPY, kind, target, args)
        return True
    width = kind.element.bits // 8
    plain = vector(U8, kind.bits // 8)
    value = cast(to, args[0], plain)
    lanes = bytes([n - n % width + width - 1 - n % width for n in range(plain.lanes)])
    swapped = to.make(ops.SHUFFLE, plain, [value, value, int.from_bytes(lanes, "little")])
    to.put(ops.BITCAST, kind, target, [swapped])
    return True


# Conversions


@rule(ops.CONVERT)
def _convert(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> bool:
    """Of integers by shuffles; of integers and floats by way of what there are instructions for."""
    assert target is not None
    made = target.type
    a, b = kind.element, made.element
    (value,) = args
    if not a.is_float and not b.is_float:
        if a.bits == b.bits:
            to.put(ops.BITCAST, made, target, [value])
        elif a.bits > b.bits:
            _cut_off(to, kind, target, value)
        else:
            _extend(to, kind, target, value)
        return True
    if a.is_float and b.is_float:
        return a is b and bool(_copied(to, kind, target, value))
    if not a.is_float:
        if a.bits < 32:
            middle = vector(I32, kind.lanes)
            if middle.bits > 512:
                return False
            to.put(op, middle, target, [to.make(op, kind, [value], middle)])
            return True
        if a is I32 and b is F64 or a is U32 and b is F64:
            return _to_doubles(to, kind, target, value)
        return False
    if b.bits < 32:
        return _to_narrow(to, kind, target, value)
    doubles = vector(F64, kind.lanes)
    if a.bits < b.bits == 64 and doubles.bits <= 512:
        to.put(op, doubles, target, [to.make(op, kind, [value], doubles)])
        return True
    return False


def _copied(to: Legaliser, kind: Type, target: Variable, value: Operand) -> bool:
    to.put(ops.COPY, kind, target, [value])
    return True


def _cut_off(to: Legaliser, kind: Type, target: Variable, value: Operand) -> None:
    """The low parts of the lanes."""
    made = target.type
    ratio = kind.element.bits // made.element.bits
    parts = vector(made.element, kind.lanes * ratio)
    index = bytes([n * ratio for n in range(kind.lanes)])
    if parts.lanes > 64 or parts.element.bits * parts.lanes > 512:
        raise AssertionError(kind)
    shown = cast(to, value, parts)
    to.put(ops.SHUFFLE, parts, target, [shown, shown, int.from_bytes(index, "little")])


def _extend(to: Legaliser, kind: Type, target: Variable, value: Operand) -> None:
    """Twice as wide: the lanes between zeros, or between their signs."""
    made = target.type
    a, b = kind.element, made.element
    if b.bits > 2 * a.bits:
        middle = vector((_SIGNED if a.signed else _UNSIGNED)[2 * a.bits], kind.lanes)
        to.put(ops.CONVERT, middle, target, [to.make(ops.CONVERT, kind, [value], middle)])
        return
    upper: Operand = 0
    if a.signed:
        upper = to.make(ops.GT, kind, [0, value], truth(kind))
    pairs = bytes([n // 2 + kind.lanes * (n % 2) for n in range(2 * kind.lanes)])
    doubled = vector(a, 2 * kind.lanes)
    made_up = to.make(ops.SHUFFLE, kind, [value, upper, int.from_bytes(pairs, "little")], doubled)
    to.put(ops.BITCAST, made, target, [made_up])


def _to_doubles(to: Legaliser, kind: Type, target: Variable, value: Operand) -> bool:
    """From unsigned 32-bit integers: as the low bits of 2^52, which is subtracted then."""
    if kind.element is I32:
        return False
    made = target.type
    words = vector(U64, kind.lanes)
    if words.bits > 512:
        return False
    wide = to.make(ops.CONVERT, kind, [value], words)
    magic = same(words, 0x4330000000000000)
    biased = to.make(ops.BITCAST, made, [to.make(ops.OR, words, [wide, magic])])
    to.put(ops.FSUB, made, target, [biased, magic])
    return True


def _to_narrow(to: Legaliser, kind: Type, target: Variable, value: Operand) -> bool:
    """Floats to 8 and 16 bits: between the ends of the range first, NaNs as 0, then by way of 32 bits."""
    made = target.type
    b = made.element
    bits = kind.element.bits
    low, high = (same(kind, int_to_float(number, bits)) for number in (b.low, b.high))
    known = to.make(ops.FEQ, kind, [value, value], truth(kind))
    clean = to.make(ops.SELECT, kind, [known, value, 0])
    above = to.make(ops.FLT, kind, [low, clean], truth(kind))
    clean = to.make(ops.SELECT, kind, [above, clean, low])
    below = to.make(ops.FLT, kind, [clean, high], truth(kind))
    clean = to.make(ops.SELECT, kind, [below, clean, high])
    middle = vector(I32, kind.lanes)
    if middle.bits < 64:
        return False
    to.put(ops.CONVERT, middle, target, [to.make(ops.CONVERT, kind, [clean], middle)])
    return True


# Lane by lane


def by_lanes(to: Legaliser, op: Op, kind: Type, target: Variable | None, args: list[Operand]) -> None:
    """Take each lane out, do the operation on scalars, and put the results together."""
    assert target is not None
    made = target.type
    scalar = kind.element
    result = BOOL if op.compares else made.element
    value: Operand = 0
    for n in range(made.lanes):
        lanes = [_lane(to, arg, kind, n) for arg in args]
        one = Variable(to.fresh("lane"), result)
        to.append(op, scalar, one, lanes)
        if op.compares:
            one = to.make(ops.NEG, made.element, [to.make(ops.CONVERT, BOOL, [one], made.element)])
        value = to.make(ops.INSERT, made, [value, n, one])
    to.put(ops.COPY, made, target, [value])


def _lane(to: Legaliser, operand: Operand, kind: Type, n: int) -> Operand:
    if type(operand) is Variable:
        return to.make(ops.EXTRACT, operand.type, [operand, n], operand.type.element)
    assert type(operand) is int
    bits = kind.element.bits
    return kind.element.wrap(operand >> n * bits & (1 << bits) - 1)
