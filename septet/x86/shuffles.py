"""What instructions compute that move lanes about: a row for each mnemonic, as in `vectors`."""

from __future__ import annotations

from septet.x86.lanes import FLOATS, INTEGERS, across, bitwise, blocks, broadcast, joiner, saturated, splitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from septet.x86.lanes import Function, Meaning

    Lanes = Sequence[int]

SHUFFLES: dict[str, Meaning] = {}

_WORD = (1 << 64) - 1


def _interleaved(at: int) -> Callable[[Lanes, Lanes], Iterable[int]]:
    """`unpck`: the lower (at = 0) or the upper (at = 1) halves of a and b, taken in turn."""

    def unpack(a: Lanes, b: Lanes) -> Iterable[int]:
        half = len(a) // 2
        return [row[at * half + i] for i in range(half) for row in (a, b)]

    return unpack


def _packed(n: int, is_signed: bool) -> Meaning:
    """`pack`: two vectors of signed lanes as one of lanes half as wide, saturated."""
    return blocks(n, lambda a, b: [saturated(n // 2, x, is_signed) for x in (*a, *b)], n // 2, signed=True)


for _name, _n in (("bw", 8), ("wd", 16), ("dq", 32), ("qdq", 64)):
    SHUFFLES[f"punpckl{_name}"] = blocks(_n, _interleaved(0))
    SHUFFLES[f"punpckh{_name}"] = blocks(_n, _interleaved(1))
for _letter, _n in FLOATS:
    SHUFFLES[f"unpcklp{_letter}"] = blocks(_n, _interleaved(0))
    SHUFFLES[f"unpckhp{_letter}"] = blocks(_n, _interleaved(1))


def _picked(n: int, start: int = 0, count: int = 4) -> Meaning:
    """`pshufd`, `pshuflw`, `vpermilps`: `count` lanes of each 128 bits, from `start` on, chosen among themselves."""

    def pick(a: Lanes, control: int) -> Lanes:
        chosen = [a[start + (control >> 2 * i & 3)] for i in range(count)]
        return [*a[:start], *chosen, *a[start + count :]]

    return blocks(n, pick, extras=1)


def _shuffled_bytes(a: Lanes, b: Lanes) -> Iterable[int]:
    return [0 if index & 128 else a[index & 15] for index in b]


def _one_of_pair(a: Lanes, b: Lanes, control: int) -> Iterable[int]:
    """`shufpd` and `vpermilpd`: of each 128 bits one of a, then one of b; a bit of the immediate for each."""
    return [(b if i & 1 else a)[i & ~1 | control >> i & 1] for i in range(len(a))]


def _aligned(a: Lanes, b: Lanes, control: int) -> Iterable[int]:
    """`palignr`, `valignd`: a above b, shifted right by so many lanes."""
    return ([*b, *a] + [0] * 256)[control : control + len(a)]


def _inserted(n: int) -> Meaning:
    """The low `n` bits of the second operand as the lane that the immediate numbers."""

    def make(length: int) -> Function:
        mask = (1 << n) - 1

        def insert(a: int, b: int, control: int) -> int:
            shift = control % (length // n) * n
            return a & ((1 << length) - 1) & ~(mask << shift) | (b & mask) << shift

        return insert

    return make


def _extracted(n: int) -> Meaning:
    """The lane of `n` bits that the immediate numbers."""
    return lambda length: lambda a, control: a >> control % (length // n) * n & ((1 << n) - 1)


def _insertps(meant: int) -> Meaning:
    """Bits 6 and 7 of the immediate number the second operand's lane, bits 4 and 5 the first's, the others clear lanes."""
    split, join = splitter(32, 128), joiner(32, 128)

    def insert(a: int, b: int, control: int) -> int:
        row = list(split(a))
        row[control >> 4 & 3] = split(b)[(control & meant) >> 6]
        return join([0 if control >> i & 1 else lane for i, lane in enumerate(row)])

    return lambda length: insert


def _two_blocks(a: Lanes, b: Lanes, control: int) -> Iterable[int]:
    """`vperm2f128`: each 128 bits chosen among the four, or 0."""
    return [0 if control >> shift & 8 else (*a, *b)[control >> shift & 3] for shift in (0, 4)]


def _shuffled_blocks(a: Lanes, b: Lanes, control: int) -> Iterable[int]:
    """`vshuff64x2`: the lower half of the result from a, the upper from b."""
    width = 1 if len(a) == 2 else 2
    return [(a if i < len(a) // 2 else b)[control >> i * width & len(a) - 1] for i in range(len(a))]


def _permuted(indices: Lanes, a: Lanes) -> Iterable[int]:
    return [a[index % len(a)] for index in indices]


def _permuted_two(a: Lanes, indices: Lanes, b: Lanes) -> Iterable[int]:
    both = (*a, *b)
    return [both[index % len(both)] for index in indices]


def _shuffled_floats(a: Lanes, b: Lanes, control: int) -> Iterable[int]:
    """`shufps`: two of a, then two of b."""
    return [row[control >> 2 * i & 3] for i, row in enumerate((a, a, b, b))]


SHUFFLES |= {
    "packsswb": _packed(16, True),
    "packuswb": _packed(16, False),
    "packssdw": _packed(32, True),
    "packusdw": _packed(32, False),
    "pshufb": blocks(8, _shuffled_bytes),
    "pshufd": _picked(32),
    "pshuflw": _picked(16, 0),
    "pshufhw": _picked(16, 4),
    "permilps imm": _picked(32),
    "permilpd imm": across(64, lambda a, control: _one_of_pair(a, a, control), extras=1),
    "permilps": blocks(32, lambda a, b: [a[index & 3] for index in b]),
    "permilpd": blocks(64, lambda a, b: [a[index >> 1 & 1] for index in b]),
    "shufps": blocks(32, _shuffled_floats, extras=1),
    "shufpd": across(64, _one_of_pair, extras=1),
    "palignr": blocks(8, _aligned, extras=1),
    "alignd": across(32, lambda a, b, control: _aligned(a, b, control % len(a)), extras=1),
    "alignq": across(64, lambda a, b, control: _aligned(a, b, control % len(a)), extras=1),
    "pslldq": blocks(8, lambda a, count: ([0] * min(count, 16) + [*a])[:16], extras=1),
    "psrldq": blocks(8, lambda a, count: ([*a] + [0] * 16)[min(count, 16) :][:16], extras=1),
    "movddup": blocks(64, lambda a: [a[0], a[0]]),
    "movsldup": blocks(32, lambda a: [a[0], a[0], a[2], a[2]]),
    "movshdup": blocks(32, lambda a: [a[1], a[1], a[3], a[3]]),
    "movhlps": bitwise(lambda a, b: a >> 64 << 64 | b >> 64 & _WORD),
    "movlhps": bitwise(lambda a, b: a & _WORD | b << 64),
    "insertps": _insertps(255),
    "insertps m": _insertps(63),
    "extractps": _extracted(32),
    "broadcastss": broadcast(32),
    "broadcastsd": broadcast(64),
    "perm2f128": across(128, _two_blocks, extras=1),
    "perm2i128": across(128, _two_blocks, extras=1),
    "permd": across(32, _permuted),
    "permps": across(32, _permuted),
    "permq": across(64, lambda a, control: [a[control >> 2 * i & 3] for i in range(4)], extras=1, block=256),
    "permpd": across(64, lambda a, control: [a[control >> 2 * i & 3] for i in range(4)], extras=1, block=256),
    "permqv": across(64, _permuted),
    "permpdv": across(64, _permuted),
    "permw": across(16, _permuted),
}
for _letter, _n in INTEGERS:
    SHUFFLES[f"pinsr{_letter}"] = _inserted(_n)
    SHUFFLES[f"pextr{_letter}"] = _extracted(_n)
for _name, _n in (("w", 16), ("d", 32), ("q", 64), ("ps", 32), ("pd", 64)):
    SHUFFLES[f"permt2{_name}"] = across(_n, _permuted_two)
    SHUFFLES[f"permi2{_name}"] = across(_n, lambda indices, a, b: _permuted_two(a, indices, b))
for _name, _n in (
    ("f128", 128), ("i128", 128), ("f32x4", 128), ("i32x4", 128), ("f64x4", 256), ("i64x4", 256),
):  # fmt: skip
    SHUFFLES[f"insert{_name}"] = _inserted(_n)
    SHUFFLES[f"extract{_name}"] = _extracted(_n)
    SHUFFLES[f"broadcast{_name}"] = broadcast(_n)
for _name in ("f32x4", "i32x4", "f64x2", "i64x2"):
    SHUFFLES[f"shuf{_name}"] = across(128, _shuffled_blocks, extras=1)
