"""The steps that interpreters take: functions `step(cells, d, a, b)` that compute on a list of cells.

Cells are named by their number: the sixteen general registers (signed words), the sixteen vector registers (unsigned numbers
of up to 512 bits), the eight mask registers (unsigned), the flags, then scratch, variables and constants.  `d` is where the
result goes, `a` and `b` are what it is computed from; in steps that use memory, `where` is (base, index, scale).  A cell that
nothing defined holds None, and computing with it raises TypeError.
"""

from __future__ import annotations

from functools import cache

from septet.base.words import wrap
from septet.x86 import semantics
from septet.x86.semantics import UNDEFINED, signed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Step = Callable[[Any, Any, Any, Any], None]

FLAGS = 40  # the cell of the flags: an int (see `semantics`), or (function, width, a, b), or None where undefined
SCRATCH = 41  # three cells
ZERO = 44  # holds 0
VARIABLES = 45  # the first variable's cell
RAX, RDX, RSP = 0, 2, 4
RCX, RSI, RDI = 1, 6, 7
LOW, HIGH = -1 << 63, (1 << 63) - 1


class Undefined(Exception):
    """Something was read that nothing defined; the text says what."""


# General registers


def move(cells: Any, d: int, a: int, b: int) -> None:
    """d <- a."""
    cells[d] = +cells[a]


def add(cells: Any, d: int, a: int, b: int) -> None:
    """d <- a + b."""
    r = cells[a] + cells[b]
    cells[d] = r if LOW <= r <= HIGH else wrap(r)


def sub(cells: Any, d: int, a: int, b: int) -> None:
    """d <- a - b."""
    r = cells[a] - cells[b]
    cells[d] = r if LOW <= r <= HIGH else wrap(r)


def imul(cells: Any, d: int, a: int, b: int) -> None:
    """d <- a * b."""
    r = cells[a] * cells[b]
    cells[d] = r if LOW <= r <= HIGH else wrap(r)


def bit_and(cells: Any, d: int, a: int, b: int) -> None:
    """d <- a & b."""
    cells[d] = cells[a] & cells[b]


def bit_or(cells: Any, d: int, a: int, b: int) -> None:
    """d <- a | b."""
    cells[d] = cells[a] | cells[b]


def bit_xor(cells: Any, d: int, a: int, b: int) -> None:
    """d <- a ^ b; of a register with itself 0, whatever it holds."""
    cells[d] = cells[a] ^ cells[b] if a != b else 0


def shl(cells: Any, d: int, a: int, b: int) -> None:
    """d <- a << b."""
    r = cells[a] << (cells[b] & 63)
    cells[d] = r if LOW <= r <= HIGH else wrap(r)


def sar(cells: Any, d: int, a: int, b: int) -> None:
    """d <- a >> b, arithmetic."""
    cells[d] = cells[a] >> (cells[b] & 63)


QUICK: dict[str, Step] = {
    "add": add,
    "sub": sub,
    "imul": imul,
    "and": bit_and,
    "or": bit_or,
    "xor": bit_xor,
    "shl": shl,
    "sar": sar,
}
"""The steps of the commonest mnemonics on 64 bits; a test holds them to `semantics.RESULTS`."""


def put(cells: Any, n: int, d: int, r: int) -> None:
    """Write the low `n` bits of a result to a general register: 32 bits clear the rest, 8 and 16 keep it."""
    if n == 64:
        cells[d] = wrap(r)
    elif n == 32:
        cells[d] = r & 0xFFFFFFFF
    else:
        mask = (1 << n) - 1
        cells[d] = (cells[d] or 0) & ~mask | r & mask


@cache
def result(mnemonic: str, n: int) -> Step:
    """d <- mnemonic(a, b) on `n` bits."""
    if n == 64 and mnemonic in QUICK:
        return QUICK[mnemonic]
    meaning = semantics.RESULTS[mnemonic]

    def step(cells: Any, d: int, a: int, b: int) -> None:
        put(cells, n, d, meaning(n, cells[a], cells[b]))

    def to_itself(cells: Any, d: int, a: int, b: int) -> None:
        put(cells, n, d, 0 if a == b else cells[a] ^ cells[b])

    def unless_zero(cells: Any, d: int, a: int, b: int) -> None:
        if cells[a] & ((1 << n) - 1):
            put(cells, n, d, meaning(n, cells[a], 0))

    return to_itself if mnemonic == "xor" else unless_zero if mnemonic in ("bsf", "bsr") else step


@cache
def carried(mnemonic: str, n: int) -> Step:
    """d <- mnemonic(a, b, carry): adc and sbb."""
    meaning = semantics.CARRY_RESULTS[mnemonic]

    def step(cells: Any, d: int, a: int, b: int) -> None:
        put(cells, n, d, meaning(n, cells[a], cells[b], flag(cells, semantics.CARRY)))

    return step


@cache
def extend(n: int, is_signed: bool, to: int = 64) -> Step:
    """d <- the low `n` bits of a, extended to `to` bits (then, where that is 32, with zeros)."""
    mask = (1 << n) - 1
    if not is_signed:

        def zero(cells: Any, d: int, a: int, b: int) -> None:
            cells[d] = cells[a] & mask

        return zero

    def sign(cells: Any, d: int, a: int, b: int) -> None:
        put(cells, to, d, signed(n, cells[a]))

    return sign


@cache
def insert(n: int) -> Step:
    """The low `n` bits of d <- those of a; the others stay."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        put(cells, n, d, +cells[a])

    return step


@cache
def compare(condition: str) -> Step:
    """d <- 1 if a `condition` b, else 0."""
    holds = semantics.COMPARISONS[condition]

    def step(cells: Any, d: int, a: int, b: int) -> None:
        cells[d] = 1 if holds(cells[a], cells[b]) else 0

    return step


def address_of(cells: Any, d: int, where: tuple[int, int, int], displacement: int) -> None:
    """d <- the address of memory: lea."""
    base, index, scale = where
    r = cells[base] + cells[index] * scale + displacement
    cells[d] = r if LOW <= r <= HIGH else wrap(r)


def address_of_32(cells: Any, d: int, where: tuple[int, int, int], displacement: int) -> None:
    """d <- the low 32 bits of the address of memory."""
    base, index, scale = where
    cells[d] = (cells[base] + cells[index] * scale + displacement) & 0xFFFFFFFF


@cache
def wide_product(n: int, is_signed: bool) -> Step:
    """rdx:rax <- rax * a, and the flags."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        x, y = cells[RAX], cells[a]
        low, high = semantics.halves(n, semantics.product(n, x, y, is_signed))
        cells[FLAGS] = semantics.product_flags(n, x, y, is_signed)
        put(cells, n, RAX, low)
        put(cells, n, RDX, high)

    return step


@cache
def divide(n: int, is_signed: bool) -> Step:
    """rax, rdx <- quotient and remainder of rdx:rax by a.  Undefined where the processor would trap."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        found = semantics.division(n, cells[RAX], cells[RDX], cells[a], is_signed)
        if found is None:
            raise Undefined("divides by zero, or has a quotient that does not fit")
        cells[FLAGS] = UNDEFINED
        put(cells, n, RAX, found[0])
        put(cells, n, RDX, found[1])

    return step


@cache
def spread_sign(n: int) -> Step:
    """rdx <- the sign of rax in every bit: cqo, cdq."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        put(cells, n, RDX, signed(n, cells[RAX]) >> (n - 1))

    return step


@cache
def exchange(n: int) -> Step:
    """a, b <- b, a."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        x, y = +cells[a], +cells[b]
        put(cells, n, a, y)
        put(cells, n, b, x)

    return step


@cache
def exchange_add(n: int) -> Step:
    """b <- a, a <- a + b, and the flags."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        x, y = cells[a], cells[b]
        cells[FLAGS] = semantics.sum_flags(n, x, y)
        put(cells, n, b, x)
        put(cells, n, a, x + y)

    return step


@cache
def compare_exchange(n: int) -> Step:
    """If a is rax then a <- b, else rax <- a; and the flags of comparing them."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        flags = cells[FLAGS] = semantics.difference_flags(n, cells[RAX], cells[a])
        if flags & semantics.ZERO:
            put(cells, n, a, +cells[b])
        else:
            put(cells, n, RAX, cells[a])

    return step


# Flags


@cache
def record(mnemonic: str, n: int) -> Step:
    """Keep what the flags of mnemonic(a, b) are to be computed from, when something asks for them."""
    if mnemonic in semantics.MIXED_FLAGS:
        mixed = semantics.MIXED_FLAGS[mnemonic]

        def at_once(cells: Any, d: int, a: int, b: int) -> None:
            old = flags_now(cells)
            cells[FLAGS] = mixed(n, cells[a], cells[b], UNDEFINED if old is None else old)

        return at_once
    function = semantics.FLAGS[mnemonic]
    itself = mnemonic in ("xor", "sub")

    def later(cells: Any, d: int, a: int, b: int) -> None:
        if itself and a == b:
            cells[FLAGS] = (function, n, 0, 0)
        else:
            cells[FLAGS] = (function, n, +cells[a], +cells[b])

    return later


@cache
def double_shift(n: int, left: bool) -> Step:
    """d <- a with the bits of b[0] coming in, shifted by b[1], and the flags."""

    def step(cells: Any, d: int, a: int, b: tuple[int, int]) -> None:
        old = flags_now(cells)
        old = UNDEFINED if old is None else old
        r, cells[FLAGS] = semantics.double_shift(n, left, cells[a], cells[b[0]], cells[b[1]], old)
        put(cells, n, d, r)

    return step


@cache
def record_vectors(function: Callable[[int, int, int], int], n: int) -> Step:
    """Keep what the flags of ucomisd, ptest and so on are to be computed from: the low `n` bits of a and b."""
    mask = (1 << n) - 1

    def step(cells: Any, d: int, a: int, b: int) -> None:
        cells[FLAGS] = (function, n, cells[a] & mask, cells[b] & mask)

    return step


def forget_flags(cells: Any, d: int, a: int, b: int) -> None:
    """After this no flag is defined."""
    cells[FLAGS] = None


def flags_now(cells: Any) -> int | None:
    """The flags, computed if need be; None where nothing is known of them."""
    flags = cells[FLAGS]
    if type(flags) is tuple:
        flags = cells[FLAGS] = flags[0](flags[1], flags[2], flags[3])
    known: int | None = flags
    return known


def flag(cells: Any, mask: int) -> int:
    """The flags in `mask`.  Undefined if one of them is."""
    flags = flags_now(cells)
    if flags is None or flags >> 16 & mask:
        raise Undefined("reads flags that are undefined there")
    return flags & mask


def holds(cells: Any, code: str) -> bool:
    """Whether a condition (`b`, `ne`) holds of the flags."""
    mask, test = semantics.CONDITIONS[code]
    return test(flag(cells, mask))


@cache
def set_if(code: str) -> Step:
    """The low 8 bits of d <- 1 if the condition holds, else 0."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        put(cells, 8, d, int(holds(cells, code)))

    return step


@cache
def move_if(code: str, n: int) -> Step:
    """d <- b if the condition holds, else a.  A 32-bit one clears the upper half in either case."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        put(cells, n, d, +cells[b] if holds(cells, code) else +cells[a])

    return step


@cache
def wide_product_into(n: int) -> Step:
    """mulx: (d, a) <- the upper and the lower half of rdx * b.  Where both are one register, it gets the upper."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        low, high = semantics.halves(n, semantics.product(n, cells[RDX], cells[b], False))
        put(cells, n, a, low)
        put(cells, n, d, high)

    return step


@cache
def checksum(n: int) -> Step:
    """d <- crc32(a, `n` bits of b), and the upper half 0."""

    def step(cells: Any, d: int, a: int, b: int) -> None:
        cells[d] = semantics.crc32(n, cells[a], cells[b])

    return step


# Vector and mask registers.  `operands` are the cells of what an instruction reads, in its order.


LOW_128 = (1 << 128) - 1


@cache
def scalar(function: Callable[..., int], n: int, count: int, legacy: bool) -> Step:
    """The low `n` bits of d <- function(of the last `count` operands); what is above is that of operand a: the first, or d
    itself.  VEX clears what is above 128 bits."""

    def binary(cells: Any, d: int, a: int, operands: tuple[int, ...]) -> None:
        cells[d] = (cells[a] or 0) >> n << n | function(cells[operands[-2]], cells[operands[-1]])

    def binary_vex(cells: Any, d: int, a: int, operands: tuple[int, ...]) -> None:
        above = (cells[a] or 0) >> n << n & LOW_128
        cells[d] = above | function(cells[operands[-2]], cells[operands[-1]])

    def step(cells: Any, d: int, a: int, operands: tuple[int, ...]) -> None:
        above = (cells[a] or 0) >> n << n
        if not legacy:
            above &= LOW_128
        cells[d] = above | function(*[+cells[operand] for operand in operands[-count:]])

    if count == 2:
        return binary if legacy else binary_vex
    return step


@cache
def whole(function: Callable[..., int], bits: int, keeps: bool) -> Step:
    """d <- function(of the operands): a general register of `bits` bits, or, where that is 0, a vector or mask register.
    With `keeps`, what d has above 128 bits stays."""

    def value(cells: Any, operands: tuple[int, ...]) -> int:
        try:
            return function(*[+cells[operand] for operand in operands])
        except TypeError:
            return _whatever(function, cells, operands)

    def to_vector(cells: Any, d: int, a: int, operands: tuple[int, ...]) -> None:
        cells[d] = value(cells, operands)

    def to_lower(cells: Any, d: int, a: int, operands: tuple[int, ...]) -> None:
        cells[d] = (cells[d] or 0) >> 128 << 128 | value(cells, operands)

    def to_general(cells: Any, d: int, a: int, operands: tuple[int, ...]) -> None:
        put(cells, bits, d, value(cells, operands))

    return to_general if bits else to_lower if keeps else to_vector


def _whatever(function: Callable[..., int], cells: Any, operands: tuple[int, ...]) -> int:
    """The function's result where one operand holds nothing, perhaps read twice, but does not matter: as in `pxor x, x`."""
    nothing = {operand for operand in operands if cells[operand] is None}
    found = set()
    for guess in (0, (1 << 512) - 1, (1 << 512) // 7, (1 << 512) // 11):
        found.add(function(*[guess if operand in nothing else cells[operand] for operand in operands]))
    if len(nothing) != 1 or len(found) != 1:
        raise TypeError
    return found.pop()


def low_bits(n: int) -> Step:
    """d <- the low `n` bits of a, as an unsigned number."""
    return extend(n, False)


def low_bits_kept(n: int) -> Step:
    """The low 128 bits of d <- the low `n` bits of a, with zeros above them."""
    mask = (1 << n) - 1

    def step(cells: Any, d: int, a: int, b: int) -> None:
        cells[d] = (cells[d] or 0) >> 128 << 128 | cells[a] & mask

    return step


def clear_above(cells: Any, d: int, a: int, b: int) -> None:
    """Clear what the vector registers have above the low `d` bits: vzeroupper, vzeroall."""
    mask = (1 << d) - 1
    for cell in range(16, 32):
        if cells[cell] is not None or not mask:
            cells[cell] = (cells[cell] or 0) & mask
