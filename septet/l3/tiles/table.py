"""The table of tiles: which machine instructions each operation becomes, one row a tile; and the notation of the rows.

A row is `tile(name, pattern, gives, cost, when, needs)`.  `select.py` compiles the rows to Python: one function an opcode,
which tries the tiles that cover most operations first, and among those the cheapest.  A tile that `needs` features
(`x86.targets`) is tried for targets that have them all.

A pattern is an operation `(OPCODE.CLASS operand ...)`, with operations in it whose results nothing else uses.  `compare` is
every comparison of integers; it is `cc` in what the tile gives.  CLASS says what types the tile is for: a type's name, `word`
(64 bits), `sword`, `uword` (signed, unsigned words), `narrow` (8, 16, 32-bit integers), `snarrow`, `unarrow`, `bits8` and so
on (signed or not), `int` (all integers), `float`; where it is left out, `word`.  Classes of vectors have the bits of the
register behind a `v`: `v128` any vector, `i32v128` one of 32-bit integers, `s32v128` and `u32v128` of signed and unsigned
ones, `f64v256`.  A vector of 64 bits is in the low half of a 128-bit register, and in its classes.
Commuting operations match both ways round.  Operands are

    x y z    a general register           u v w  a vector register        m    a memory operand: any address below
    t        a register or a number of 32 bits      s    whatever mov takes: also a big number, an address, a line
    p q      a vector register, or a constant in memory (`Pool`), which stands where a memory operand may
    k n      a number of 32 bits          c      any number               5    that number

and anything that is not in a register already is put into one for x, y, z, t, u, v and w.

What a tile gives is L2 text, instructions divided by `;`.  %d is the result, %x an operand, %m a memory operand, {k + 1} a
number computed from numbers; `pool 8 {k}` a constant of 8 bytes in memory; %a %b %e are new general variables, %f %g %h %i %j
new vector variables, :over is a new label.  Moves from a variable to itself are left out, and where %d is an operand that is
still to be read, a new variable stands in.  `fit %d, %x` extends the low bits of %x to the canonical form of its narrow type.
A branch's own label is :l; a branch that is taken if its operand is *not* 1 uses the second of `ja/jbe`, and the opposite
of cc.

Instructions on vector registers are written once for both encodings, with the mnemonics of SSE and as many operands as AVX
has: `addsd %d, %u, %v` is `vaddsd` with AVX, else `movaps %d, %u ; addsd %d, %v`.  An instruction that AVX alone has is
written with its `v`, in a tile that needs it.

`when` is a Python condition on these names (variables compare by `is`), on T, the operation's type, and D, the target's.
"""

from __future__ import annotations


class Tile:
    """One row.  `cost` is in units of a simple instruction and decides between tiles that cover as much."""

    __slots__ = ("name", "pattern", "gives", "cost", "when", "needs", "topic")

    def __init__(self, name: str, pattern: str, gives: str, cost: int, when: str, needs: str, topic: str) -> None:
        self.name = name
        self.pattern = pattern
        self.gives = gives
        self.cost = cost
        self.when = when
        self.needs = needs
        self.topic = topic


TILES: list[Tile] = []
ADDRESSES: list[Tile] = []
_TOPIC = ["integers"]


def topic(name: str) -> None:
    """Say which of the generated modules (`select.MODULES`) the tiles behind belong to: integers, bits, floats or vectors."""
    _TOPIC[0] = name


def tile(name: str, pattern: str, gives: str, cost: int = 1, when: str = "", needs: str = "") -> None:
    """Add a tile to the table."""
    TILES.append(Tile(name, pattern, gives, cost, when, needs, _TOPIC[0]))


def address(name: str, pattern: str, gives: str, when: str = "", cost: int = 2) -> None:
    """Add an addressing mode to the table; where the pattern is an operation it is a tile as well, by `lea`."""
    ADDRESSES.append(Tile(name, pattern, gives, cost, when, "", _TOPIC[0]))
    if name != "base":
        tile(f"lea-{name}", pattern, f"lea %d, {gives}", cost, when)
