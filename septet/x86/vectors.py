"""What vector instructions compute: a row for each mnemonic, without the `v` that VEX and EVEX put in front.

`VECTORS` are meanings on whole registers (see `lanes`), `SCALARS` functions of the operands read whose result is the low bits
of a register, above which the first source stands.  A key is what the manual calls the instruction, or the opcode's name where
that has several; ` imm` behind it is the form whose last operand is an immediate, where others have a vector there, ` m` the
one with an operand in memory, and ` k` the one whose result is a mask.

Source: Intel, Software Developer's Manual, volume 2.
"""

from __future__ import annotations

from septet.ops import meaning as m
from septet.x86 import floats
from septet.x86.lanes import FLOATS, INTEGERS, across, bitwise, blocks, broadcast, from_mask, lanes, resized, saturated, to_mask
from septet.x86.semantics import CARRY, ZERO, signed, unsigned
from septet.x86.shuffles import SHUFFLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.x86.lanes import Function, Meaning

VECTORS: dict[str, Meaning] = {**SHUFFLES}
SCALARS: dict[str, tuple[int, int, Function]] = {}
"""(bits of the result, how many of the operands read it is computed from, the function): the last ones of those."""

_WORD = (1 << 64) - 1


# Floats, lane by lane and in the lowest lane alone


def _lowest(n: int, lane: Callable[..., int], sources: int, extras: int = 0) -> tuple[int, int, Function]:
    """A row of `SCALARS`: `lane(n, a, ..., *extras)` of the low `n` bits of the sources."""
    mask = (1 << n) - 1
    if sources == 1 and not extras:
        return n, 1, lambda a: lane(n, a & mask)
    if sources == 2 and not extras:
        return n, 2, lambda a, b: lane(n, a & mask, b & mask)

    def function(*operands: int) -> int:
        return lane(n, *[operand & mask for operand in operands[:sources]], *operands[sources:])

    return n, sources + extras, function


_LANE_BY_LANE: tuple[tuple[str, int, int, Callable[..., int]], ...] = (
    ("add", 2, 0, m.float_add),
    ("sub", 2, 0, m.float_sub),
    ("mul", 2, 0, m.float_mul),
    ("div", 2, 0, m.float_div),
    ("min", 2, 0, floats.smaller),
    ("max", 2, 0, floats.larger),
    ("sqrt", 1, 0, m.float_sqrt),
    ("round", 1, 1, floats.rounded),
    ("rndscale", 1, 1, floats.scaled),
    ("cmp", 2, 1, lambda n, a, b, predicate: floats.compared(n, a, b, predicate & 7)),
    ("vcmp", 2, 1, floats.compared),
    *[
        (f"f{'n' * negate}m{kind}{order}", 3, 0, floats.multiply_add(order, negate, kind == "sub"))
        for negate in (False, True)
        for kind in ("add", "sub")
        for order in ("132", "213", "231")
    ],
)
"""(mnemonic without `ps`, `pd`, `ss` or `sd`, sources, immediates, what happens in a lane)"""

for _letter, _n in FLOATS:
    for _name, _sources, _extras, _function in _LANE_BY_LANE:
        VECTORS[f"{_name}p{_letter}"] = lanes(_n, _function, extras=_extras)
        SCALARS[f"{_name}s{_letter}"] = _lowest(_n, _function, _sources, _extras)
    VECTORS[f"vcmpp{_letter} k"] = to_mask(_n, floats.compared, extras=1)


def _alternating(n: int, even: Callable[..., int], odd: Callable[..., int]) -> Meaning:
    """One operation in lanes 0, 2, ..., another in the others."""
    return across(n, lambda *rows: [(odd if i & 1 else even)(n, *row) for i, row in enumerate(zip(*rows, strict=True))])


def _pairs(n: int, lane: Callable[[int, int, int], int]) -> Meaning:
    """What `hadd` and `phadd` do: neighbours of the first, then of the second operand."""
    return blocks(n, lambda a, b: [lane(n, row[i], row[i + 1]) for row in (a, b) for i in range(0, len(row), 2)])


def _signs(n: int) -> Meaning:
    """The sign of each lane, as the bits of a number."""
    return to_mask(n, lambda n, a: a >> (n - 1))


def _chosen_by_immediate(n: int) -> Meaning:
    """`blend`: the second operand's lane i where bit i of the immediate is set; the bits repeat every 8."""
    return across(n, lambda a, b, control: [(b if control >> (i & 7) & 1 else a)[i] for i in range(len(a))], extras=1)


def _chosen_by_sign(n: int) -> Meaning:
    """`blendv`: the second operand's lane where the third's has its sign set."""
    return lanes(n, lambda n, a, b, c: b if c >> (n - 1) else a)


for _letter, _n in FLOATS:
    VECTORS |= {
        f"addsubp{_letter}": _alternating(_n, m.float_sub, m.float_add),
        f"haddp{_letter}": _pairs(_n, m.float_add),
        f"hsubp{_letter}": _pairs(_n, m.float_sub),
        f"movmskp{_letter}": _signs(_n),
        f"blendp{_letter}": _chosen_by_immediate(_n),
        f"blendvp{_letter}": _chosen_by_sign(_n),
        f"blendmp{_letter}": from_mask(_n, lambda n, chosen, a, b: b if chosen else a),
    }


# Integers, lane by lane


def _shifted_left(n: int, a: int, count: int) -> int:
    count &= _WORD
    return a << count if count < n else 0


def _shifted_right(n: int, a: int, count: int) -> int:
    """On signed or unsigned lanes: what comes in is the sign or 0."""
    return a >> min(count & _WORD, n)


def _rotated_right(n: int, a: int, count: int) -> int:
    return m.rotate_left(n, a, -count)


def _filled_right(n: int, a: int, count: int) -> int:
    return signed(n, a) >> min(count, n)


_ORDERED: tuple[Callable[[int, int], bool], ...] = (
    lambda a, b: a == b,
    lambda a, b: a < b,
    lambda a, b: a <= b,
    lambda a, b: False,
    lambda a, b: a != b,
    lambda a, b: a >= b,
    lambda a, b: a > b,
    lambda a, b: True,
)


def _related(n: int, a: int, b: int, predicate: int) -> bool:
    return _ORDERED[predicate & 7](a, b)


for _letter, _n in INTEGERS:
    VECTORS |= {
        f"padd{_letter}": lanes(_n, lambda n, a, b: a + b),
        f"psub{_letter}": lanes(_n, lambda n, a, b: a - b),
        f"padds{_letter}": lanes(_n, lambda n, a, b: saturated(n, a + b, True), True),
        f"psubs{_letter}": lanes(_n, lambda n, a, b: saturated(n, a - b, True), True),
        f"paddus{_letter}": lanes(_n, lambda n, a, b: saturated(n, a + b, False)),
        f"psubus{_letter}": lanes(_n, lambda n, a, b: saturated(n, a - b, False)),
        f"pavg{_letter}": lanes(_n, lambda n, a, b: a + b + 1 >> 1),
        f"pmins{_letter}": lanes(_n, lambda n, a, b: min(a, b), True),
        f"pmaxs{_letter}": lanes(_n, lambda n, a, b: max(a, b), True),
        f"pminu{_letter}": lanes(_n, lambda n, a, b: min(a, b)),
        f"pmaxu{_letter}": lanes(_n, lambda n, a, b: max(a, b)),
        f"pabs{_letter}": lanes(_n, lambda n, a: abs(a), True),
        f"psign{_letter}": lanes(_n, lambda n, a, b: -a if b < 0 else a if b else 0, True),
        f"pmull{_letter}": lanes(_n, lambda n, a, b: a * b),
        f"pmulh{_letter}": lanes(_n, lambda n, a, b: a * b >> n, True),
        f"pmulhu{_letter}": lanes(_n, lambda n, a, b: a * b >> n),
        f"pcmpeq{_letter}": lanes(_n, lambda n, a, b: -int(a == b)),
        f"pcmpgt{_letter}": lanes(_n, lambda n, a, b: -int(a > b), True),
        f"pcmpeq{_letter} k": to_mask(_n, lambda n, a, b: a == b),
        f"pcmpgt{_letter} k": to_mask(_n, lambda n, a, b: a > b, True),
        f"pcmp{_letter}": to_mask(_n, _related, True, 1),
        f"pcmpu{_letter}": to_mask(_n, _related, extras=1),
        f"ptestm{_letter}": to_mask(_n, lambda n, a, b: a & b != 0),
        f"ptestnm{_letter}": to_mask(_n, lambda n, a, b: a & b == 0),
        f"psll{_letter}": lanes(_n, _shifted_left, extras=1),
        f"psrl{_letter}": lanes(_n, _shifted_right, extras=1),
        f"psra{_letter}": lanes(_n, _shifted_right, True, 1),
        f"psllv{_letter}": lanes(_n, _shifted_left),
        f"psrlv{_letter}": lanes(_n, _shifted_right),
        f"psrav{_letter}": lanes(_n, _filled_right),
        f"prol{_letter}": lanes(_n, m.rotate_left, extras=1),
        f"pror{_letter}": lanes(_n, _rotated_right, extras=1),
        f"prolv{_letter}": lanes(_n, m.rotate_left),
        f"prorv{_letter}": lanes(_n, _rotated_right),
        f"plzcnt{_letter}": lanes(_n, m.leading_zeros),
        f"pmov{_letter}2m": _signs(_n),
        f"pmovm2{_letter}": from_mask(_n, lambda n, chosen: -chosen),
        f"pblendm{_letter}": from_mask(_n, lambda n, chosen, a, b: b if chosen else a),
        f"pbroadcast{_letter}": broadcast(_n),
        f"pbroadcast{_letter}r": broadcast(_n),
    }

VECTORS |= {
    "pmulhrsw": lanes(16, lambda n, a, b: (a * b >> 14) + 1 >> 1, True),
    "pmuludq": lanes(64, lambda n, a, b: unsigned(32, a) * unsigned(32, b)),
    "pmuldq": lanes(64, lambda n, a, b: signed(32, a) * signed(32, b)),
    "pmaddwd": across(16, lambda a, b: [a[i] * b[i] + a[i + 1] * b[i + 1] for i in range(0, len(a), 2)], 32, signed=True),
    "pmaddubsw": lanes(
        16,
        lambda n, a, b: saturated(16, (a & 255) * signed(8, b) + (a >> 8) * signed(8, b >> 8), True),
    ),
    "psadbw": across(
        8, lambda a, b: [sum([abs(a[j] - b[j]) for j in range(i, i + 8)]) for i in range(0, len(a), 8)], 64
    ),
    "phaddw": _pairs(16, lambda n, a, b: a + b),
    "phaddd": _pairs(32, lambda n, a, b: a + b),
    "phsubw": _pairs(16, lambda n, a, b: a - b),
    "phsubd": _pairs(32, lambda n, a, b: a - b),
    "pmovmskb": _signs(8),
    "pblendw": _chosen_by_immediate(16),
    "pblendd": _chosen_by_immediate(32),
    "pblendvb": _chosen_by_sign(8),
}  # fmt: skip


# Bit by bit


def _ternary(a: int, b: int, c: int, table: int) -> int:
    """`vpternlog`: bit `4a + 2b + c` of the table."""
    result = 0
    for row in range(8):
        if table >> row & 1:
            result |= (a if row & 4 else ~a) & (b if row & 2 else ~b) & (c if row & 1 else ~c)
    return result


for _name, _function in (
    ("andps andpd pand pandd pandq", lambda a, b: a & b),
    ("andnps andnpd pandn pandnd pandnq", lambda a, b: ~a & b),
    ("orps orpd por pord porq", lambda a, b: a | b),
    ("xorps xorpd pxor pxord pxorq", lambda a, b: a ^ b),
    ("pternlogd pternlogq", _ternary),
):
    VECTORS |= dict.fromkeys(_name.split(), bitwise(_function))


# Conversions, lane by lane


def _lowered(n: int, to: int, is_signed: bool, saturates: bool) -> Meaning:
    """`vpmov` to narrower lanes."""
    return resized(n, to, (lambda n, a: saturated(to, a, is_signed)) if saturates else lambda n, a: a, is_signed)


for _small, _n in INTEGERS:
    for _large, _to in INTEGERS:
        if _n < _to:
            VECTORS[f"pmovsx{_small}{_large}"] = resized(_n, _to, lambda n, a: a, True)
            VECTORS[f"pmovzx{_small}{_large}"] = resized(_n, _to, lambda n, a: a)
            VECTORS[f"pmov{_large}{_small}"] = _lowered(_to, _n, False, False)
            VECTORS[f"pmovs{_large}{_small}"] = _lowered(_to, _n, True, True)
            VECTORS[f"pmovus{_large}{_small}"] = _lowered(_to, _n, False, True)


def _to_integers(n: int, bits: int, is_signed: bool, truncates: bool) -> Meaning:
    return resized(n, bits, lambda n, a: floats.to_integer(n, a, bits, is_signed, truncates))


def _from_integers(bits: int, n: int, is_signed: bool) -> Meaning:
    return resized(bits, n, lambda bits, a: floats.from_integer(bits, a, n, is_signed))


for _float, _n in (("ps", 32), ("pd", 64)):
    for _integer, _bits in (("dq", 32), ("qq", 64)):
        for _u, _is_signed in (("", True), ("u", False)):
            VECTORS[f"cvt{_u}{_integer}2{_float}"] = _from_integers(_bits, _n, _is_signed)
            VECTORS[f"cvt{_float}2{_u}{_integer}"] = _to_integers(_n, _bits, _is_signed, False)
            VECTORS[f"cvtt{_float}2{_u}{_integer}"] = _to_integers(_n, _bits, _is_signed, True)
VECTORS["cvtpd2ps"] = resized(64, 32, lambda n, a: m.float_to_float(64, 32, a))
VECTORS["cvtph2ps"] = resized(16, 32, lambda n, a: floats.from_half(a))
VECTORS["cvtps2ph"] = resized(32, 16, lambda n, a, control: floats.to_half(a, control), extras=1)
VECTORS["cvtps2pd"] = resized(32, 64, lambda n, a: m.float_to_float(32, 64, a))
SCALARS["cvtsd2ss"] = 32, 1, lambda a: m.float_to_float(64, 32, a & _WORD)
SCALARS["cvtss2sd"] = 64, 1, lambda a: m.float_to_float(32, 64, a & 0xFFFFFFFF)


def _low_to_integer(n: int, bits: int, is_signed: bool, truncates: bool) -> Function:
    mask = (1 << n) - 1
    return lambda a: floats.to_integer(n, a & mask, bits, is_signed, truncates)


def _scalar_conversions(n: int, float: str, bits: int, integer: str, width: str) -> None:
    """Between a float register and a general one of `bits` bits: opcodes, as the mnemonic does not say how wide that is."""
    is_signed = integer == "si"
    SCALARS[f"cvt{integer}2{float}{width}"] = n, 1, lambda a: floats.from_integer(bits, a, n, is_signed)
    VECTORS[f"cvt{float}2{integer}{width}"] = lambda length: _low_to_integer(n, bits, is_signed, False)
    VECTORS[f"cvtt{float}2{integer}{width}"] = lambda length: _low_to_integer(n, bits, is_signed, True)


for _float, _n in (("ss", 32), ("sd", 64)):
    for _width, _bits in (("", 64), ("32", 32)):
        for _integer in ("si", "usi"):
            _scalar_conversions(_n, _float, _bits, _integer, _width)


# Masks and flags


def _tested(zero: int, carry: int) -> int:
    """Zero and carry where these have no bit set; the others are cleared."""
    return (0 if zero else ZERO) | (0 if carry else CARRY)


def _either(n: int, a: int, b: int) -> int:
    """`kortest`: zero where no bit is set in either, carry where all are in both together."""
    return _tested(a | b, ~(a | b) & ((1 << n) - 1))


def _on_masks(n: int, function: Function) -> Meaning:
    """`function` on masks of `n` bits, whatever the vector length."""
    return lambda length: lambda a, *others: unsigned(n, function(unsigned(n, a), *others))


for _letter, _n in INTEGERS:
    VECTORS |= {
        f"kand{_letter}": _on_masks(_n, lambda a, b: a & b),
        f"kandn{_letter}": _on_masks(_n, lambda a, b: ~a & b),
        f"kor{_letter}": _on_masks(_n, lambda a, b: a | b),
        f"kxor{_letter}": _on_masks(_n, lambda a, b: a ^ b),
        f"kxnor{_letter}": _on_masks(_n, lambda a, b: ~(a ^ b)),
        f"knot{_letter}": _on_masks(_n, lambda a: ~a),
    }

FLAGS: dict[str, tuple[int, Callable[[int, int, int], int]]] = {
    "ucomisd": (64, floats.flags), "comisd": (64, floats.flags), "ucomiss": (32, floats.flags), "comiss": (32, floats.flags),
    "ptest": (0, lambda n, a, b: _tested(a & b, b & ~a)),
    **{f"kortest{letter}": (n, _either) for letter, n in INTEGERS},
}  # fmt: skip
"""(bits of the operands, or 0 for the vector length, (bits, a, b) -> flags)"""

MOVES = {
    "movsd": 64, "movss": 32, "movq": 64, "movqr": 64, "movd": 32, "movdr": 32,
    "kmovb": 8, "kmovw": 16, "kmovd": 32, "kmovq": 64,
} | dict.fromkeys(
    ["movaps", "movups", "movdqa", "movdqu", "movdqa64", "movdqu64"], 0
)  # fmt: skip
"""The bits that moves between registers and memory move, with zeros above them; 0 for a whole vector."""
