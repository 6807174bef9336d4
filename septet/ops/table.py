"""The opcodes of IR and L3 (and LA's operators): one row each.  A row is all there is to say about an opcode.

A row reads `name symbol signature flags`.  The signature lists operand types and the result: equal letters are types that
accept each other, `I` being integers (words, values, pointers, bool), `F` floats, `A` anything; other names are types.
`meaning` computes on natural numbers (see `base.types`) of `n` bits, and is written with operators and with the functions
of `ops.meaning` alone, so that it works on solver terms too; its result is reduced to the result type afterwards.
Flags: `pure` (no effect, may be dropped, repeated or moved), `commutes`, `compares` (result bool, typed by its operands),
`ends` (ends a block), `traps` (may stop the program), `reads`/`writes` (memory), `check` (a safety check with a line).
"""

from __future__ import annotations

from septet.base.types import Type
from septet.ops import meaning as m

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FLAGS = ("pure", "commutes", "compares", "ends", "traps", "reads", "writes", "check")


class Op:
    """An opcode.  Compared by identity; properties are attributes, so no pass keeps a list of its own."""

    __slots__ = ("name", "symbol", "code", "operands", "result", "meaning", "_functions", *FLAGS)
    pure: bool
    commutes: bool
    compares: bool
    ends: bool
    traps: bool
    reads: bool
    writes: bool
    check: bool

    def __init__(self, row: str, meaning: Callable[..., Any] | None = None) -> None:
        head, _, flags = row.partition(";")
        self.name, self.symbol, *signature = head.split()
        if self.symbol == ".":
            self.symbol = ""  # printed as a word, not between its operands
        arrow = signature.index("->")
        self.operands = tuple(signature[:arrow])
        self.result = signature[arrow + 1]
        self.meaning = meaning
        self._functions: dict[Type, Callable[..., int]] = {}
        for flag in FLAGS:
            setattr(self, flag, flag in flags.split())
        assert set(flags.split()) <= set(FLAGS), row
        self.code = len(OPS)  # dense, so that tables can be lists
        OPS.append(self)
        NAMED[self.name] = self
        if self.symbol:
            SYMBOL.setdefault(self.symbol, []).append(self)

    def __repr__(self) -> str:
        return self.name

    def function(self, type: Type) -> Callable[..., int]:
        """The opcode on natural numbers of `type` (for comparisons the operands' type), result reduced; raises Trap."""
        found = self._functions.get(type)
        if found is None:
            assert self.meaning is not None, self.name
            found = self._functions[type] = m.reduced(self.meaning, type, self.compares)
        return found


OPS: list[Op] = []
NAMED: dict[str, Op] = {}
SYMBOL: dict[str, list[Op]] = {}

# Leaves: no instruction computes them.
CONST = Op("const . -> A; pure")
PARAM = Op("param . -> A; pure")
SYMBOL_ADDRESS = Op("address . -> A; pure")  # of a function or of data

# Integers.
ADD = Op("add + I I -> I; pure commutes", lambda n, a, b: a + b)
SUB = Op("sub - I I -> I; pure", lambda n, a, b: a - b)
MUL = Op("mul * I I -> I; pure commutes", lambda n, a, b: a * b)
MUL_HIGH = Op("mul-high . I I -> I; pure commutes", lambda n, a, b: m.high(n, a, b))  # the upper n bits of the product
DIV = Op("div / I I -> I; traps", lambda n, a, b: m.quotient(a, b))
REM = Op("rem % I I -> I; traps", lambda n, a, b: m.remainder(a, b))
AND = Op("and & I I -> I; pure commutes", lambda n, a, b: a & b)
OR = Op("or | I I -> I; pure commutes", lambda n, a, b: a | b)
XOR = Op("xor ^ I I -> I; pure commutes", lambda n, a, b: a ^ b)
SHL = Op("shl << I I -> I; pure", lambda n, a, b: a << (b & (n - 1)))
SHR = Op("shr >> I I -> I; pure", lambda n, a, b: a >> (b & (n - 1)))  # arithmetic where the type is signed
NOT = Op("not . I -> I; pure", lambda n, a: ~a)
NEG = Op("neg . I -> I; pure", lambda n, a: -a)

# Comparisons: in the natural order of the operands' type, so unsigned where that is unsigned.
EQ = Op("eq = I I -> bool; pure commutes compares", lambda n, a, b: a == b)
NE = Op("ne != I I -> bool; pure commutes compares", lambda n, a, b: a != b)
LT = Op("lt < I I -> bool; pure compares", lambda n, a, b: a < b)
LE = Op("le <= I I -> bool; pure compares", lambda n, a, b: a <= b)
GT = Op("gt > I I -> bool; pure compares", lambda n, a, b: a > b)
GE = Op("ge >= I I -> bool; pure compares", lambda n, a, b: a >= b)

# Floats: IEEE 754, round to nearest even; NaNs as x86-64's SSE makes them.
FADD = Op("fadd + F F -> F; pure", lambda n, a, b: m.float_add(n, a, b))
FSUB = Op("fsub - F F -> F; pure", lambda n, a, b: m.float_sub(n, a, b))
FMUL = Op("fmul * F F -> F; pure", lambda n, a, b: m.float_mul(n, a, b))
FDIV = Op("fdiv / F F -> F; pure", lambda n, a, b: m.float_div(n, a, b))
FNEG = Op("fneg . F -> F; pure", lambda n, a: a ^ (1 << (n - 1)))
FABS = Op("fabs . F -> F; pure", lambda n, a: a & ((1 << (n - 1)) - 1))
FSQRT = Op("sqrt . F -> F; pure", lambda n, a: m.float_sqrt(n, a))
FEQ = Op("feq = F F -> bool; pure commutes compares", lambda n, a, b: m.float_eq(n, a, b))
FNE = Op("fne != F F -> bool; pure commutes compares", lambda n, a, b: 1 - m.float_eq(n, a, b))
FLT = Op("flt < F F -> bool; pure compares", lambda n, a, b: m.float_lt(n, a, b))
FLE = Op("fle <= F F -> bool; pure compares", lambda n, a, b: m.float_le(n, a, b))
FGT = Op("fgt > F F -> bool; pure compares", lambda n, a, b: m.float_lt(n, b, a))
FGE = Op("fge >= F F -> bool; pure compares", lambda n, a, b: m.float_le(n, b, a))

# Between types.  CONVERT keeps the value where it can: integers modulo 2^n, floats to integers towards zero and
# saturating (NaN to 0), to floats rounding to nearest even.  BITCAST keeps the bits.
CONVERT = Op("convert . A -> A; pure")  # ops.meaning.convert(from, to)
BITCAST = Op("bitcast . A -> A; pure")  # ops.meaning.bitcast(from, to)
UNTAG = Op("untag . I -> I; pure", lambda n, a: a >> 1)  # an encoded integer's number
TAG = Op("tag . I -> I; pure", lambda n, a: a + a + 1)  # a number's encoded integer
SELECT = Op("select . bool A A -> A; pure")  # the second if the first is 1, else the third

# Memory.  LOAD and STORE address base + offset in bytes and name an alias class.
LOAD = Op("load . I -> A; reads")
STORE = Op("store . I A -> void; writes")
COPY = Op("copy . A -> A; pure")  # L3 alone: IR has no copies

# Arrays and tuples (IR's `arrays` phase).  Indices are raw, lengths and sizes encoded.
ELEMENT = Op("element . A -> A; reads")  # base, index, ... -> element
SET_ELEMENT = Op("set-element . A -> void; writes")  # base, index, ..., new element
LENGTH = Op("length . A -> int64; reads")
NEW_ARRAY = Op("new-array . A -> A; traps writes")
NEW_TUPLE = Op("new-tuple . A -> A; traps writes")

# Checks: nothing where all is well, a run-time error with their line where not.  They read no memory but descriptors,
# which never change.
CHECK_NULL = Op("check-null . A -> void; check traps")  # v: not the null word
CHECK_KIND = Op("check-kind . A -> void; check traps")  # v: a reference (so not null) with the descriptor wanted
CHECK_INDEX = Op("check-index . I I -> void; check traps")  # encoded index, encoded length: 0 <= index < length
CHECK_LENGTH = Op("check-length . I -> void; check traps")  # encoded number of elements: 0 <= n < 2^31
CHECK_DIVISOR = Op("check-divisor . I -> void; check traps")  # n: not 0

# Calls and control.
PHI = Op("phi . A -> A; pure")
CALL = Op("call . A -> A; traps reads writes")  # direct, of a function or of the runtime
CALL_INDIRECT = Op("call-indirect . A -> A; traps reads writes")  # the first operand is the function's address
SYSCALL = Op("syscall . A -> i64; traps reads writes")  # number and up to six arguments, all words
BR = Op("br . -> void; ends")
BR_IF = Op("br-if . A -> void; ends")  # to the first target if the operand is 1, else to the second
RETURN = Op("return . A -> void; ends")
LABEL = Op("label . -> void")  # L3 alone

FLOAT_TWIN = {
    ADD: FADD, SUB: FSUB, MUL: FMUL, DIV: FDIV, NEG: FNEG, EQ: FEQ, NE: FNE, LT: FLT, LE: FLE, GT: FGT, GE: FGE,
}  # fmt: skip
"""The float opcode that has an integer opcode's symbol."""


def infix(symbol: str, type: Type) -> Op | None:
    """The opcode written `symbol` between operands of `type`."""
    found = SYMBOL.get(symbol)
    if found is None:
        return None
    return FLOAT_TWIN.get(found[0]) if type.is_float else found[0]
