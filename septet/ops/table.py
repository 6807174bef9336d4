"""The opcodes of IR and L3 (and LA's operators): one row each.  A row is all there is to say about an opcode.

A row reads `name symbol signature flags`.  The signature lists operand types and the result: equal letters are types that
accept each other; other names are types.

    I   integers (words, values, pointers, bool) and vectors of them     V W   vectors, each letter one type
    F   floats and vectors of them                                       E     the type of V's lanes: IE integers, FE floats
    A   anything                                                         K     the constant number of one of V's lanes, an i64
    C   bool, or where A is a vector the mask for it                     L     constant lanes, a u8xN where W has N

What is defined for integers and floats is done lane by lane on vectors of them.  Comparing vectors gives a mask
(`base.types.truth`): lanes of 0 or -1, as wide as those compared.

`meaning` computes on natural numbers (see `base.types`) of `n` bits, and is written with operators and with the functions
of `ops.meaning` alone, so that it works on solver terms too; its result is reduced to the result type afterwards.  Where
the types say more than a width, `between(first operand's type, result type)` is the function on natural numbers.
Flags: `pure` (no effect, may be dropped, repeated or moved), `commutes`, `compares` (gives bool or a mask, typed by its
operands), `inward` (typed by its first operand, whose type its text and L3 name where it must be named), `ends` (ends a
block), `traps` (may stop the program), `reads`/`writes` (memory), `check` (a safety check with a line).
"""

from __future__ import annotations

from septet.base.types import Type
from septet.ops import meaning as m

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FLAGS = ("pure", "commutes", "compares", "inward", "ends", "traps", "reads", "writes", "check")


class Op:
    """An opcode.  Compared by identity; properties are attributes, so no pass keeps a list of its own."""

    __slots__ = ("name", "symbol", "code", "operands", "result", "meaning", "between", "_functions", *FLAGS)
    pure: bool
    commutes: bool
    compares: bool
    inward: bool
    ends: bool
    traps: bool
    reads: bool
    writes: bool
    check: bool

    def __init__(
        self,
        row: str,
        meaning: Callable[..., Any] | None = None,
        between: Callable[[Type, Type], Callable[..., int]] | None = None,
    ) -> None:
        head, _, flags = row.partition(";")
        self.name, self.symbol, *signature = head.split()
        if self.symbol == ".":
            self.symbol = ""  # printed as a word, not between its operands
        arrow = signature.index("->")
        self.operands = tuple(signature[:arrow])
        self.result = signature[arrow + 1]
        self.meaning = meaning
        self.between = between
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

    def function(self, type: Type, result: Type | None = None) -> Callable[..., int]:
        """The opcode on natural numbers of `type` (for comparisons the operands' type), result reduced; raises Trap.

        Where the row has `between`: from a first operand of `type` to `result`."""
        if self.between is not None:
            return self.between(type, result or type)
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

FMA = Op("fma . F F F -> F; pure", lambda n, a, b, c: m.float_fma(n, a, b, c))  # a * b + c, rounded once
FMIN = Op("fmin . F F -> F; pure", lambda n, a, b: m.float_min(n, a, b))  # IEEE 754-2019 minimum: a NaN wins, -0 < +0
FMAX = Op("fmax . F F -> F; pure", lambda n, a, b: m.float_max(n, a, b))
FLOOR = Op("floor . F -> F; pure", lambda n, a: m.float_floor(n, a))  # to whole numbers, as floats
CEIL = Op("ceil . F -> F; pure", lambda n, a: m.float_ceil(n, a))
TRUNC = Op("trunc . F -> F; pure", lambda n, a: m.float_trunc(n, a))  # towards zero
NEAREST = Op("nearest . F -> F; pure", lambda n, a: m.float_nearest(n, a))  # ties to even
COPYSIGN = Op("copysign . F F -> F; pure", lambda n, a, b: a & ((1 << (n - 1)) - 1) | b & (1 << (n - 1)))

# More of integers.  Counts of bits are numbers of the same type.
MIN = Op("min . I I -> I; pure commutes", lambda n, a, b: m.minimum(a, b))  # in the natural order of the type
MAX = Op("max . I I -> I; pure commutes", lambda n, a, b: m.maximum(a, b))
IABS = Op("iabs . I -> I; pure", lambda n, a: abs(a))  # the lowest number stays
POPCOUNT = Op("popcount . I -> I; pure", lambda n, a: m.popcount(n, a))  # how many bits are 1
CTZ = Op("count-trailing-zeros . I -> I; pure", lambda n, a: m.trailing_zeros(n, a))  # n for 0
CLZ = Op("count-leading-zeros . I -> I; pure", lambda n, a: m.leading_zeros(n, a))  # n for 0
BYTE_SWAP = Op("byte-swap . I -> I; pure", lambda n, a: m.byte_swap(n, a))
ROTL = Op("rotate-left . I I -> I; pure", lambda n, a, b: m.rotate_left(n, a, b))
ROTR = Op("rotate-right . I I -> I; pure", lambda n, a, b: m.rotate_left(n, a, -b))

# Between types.  CONVERT keeps the value where it can: integers modulo 2^n, floats to integers towards zero and
# saturating (NaN to 0), to floats rounding to nearest even; vectors of equally many lanes.  BITCAST keeps the bits.
CONVERT = Op("convert . A -> A; pure inward", between=m.convert)
BITCAST = Op("bitcast . A -> A; pure", between=m.bitcast)
UNTAG = Op("untag . I -> I; pure", lambda n, a: a >> 1)  # an encoded integer's number
TAG = Op("tag . I -> I; pure", lambda n, a: a + a + 1)  # a number's encoded integer
SELECT = Op("select . C A A -> A; pure", between=m.select)  # the second if the first is 1, else the third; by lanes with a mask

# Vectors.  A mask's lanes are looked at by their sign bits.  Reductions halve: upper half op lower half, until one lane.
SPLAT = Op("splat . E -> V; pure", between=m.splat)
EXTRACT = Op("extract . V K -> E; pure inward", between=m.extract)
INSERT = Op("insert . V K E -> V; pure", between=m.insert)  # the third operand in lane K
SHUFFLE = Op("shuffle . V V L -> W; pure inward", between=m.shuffle)  # lanes of the two one after the other
SIGN_BITS = Op("sign-bits . V -> u64; pure inward", between=m.sign_bits)  # bit i is the sign of lane i
REDUCE_ADD, REDUCE_MUL, REDUCE_AND, REDUCE_OR, REDUCE_XOR, REDUCE_MIN, REDUCE_MAX = (
    Op(f"reduce-{op.name} . V -> IE; pure inward", between=m.reduction(op.meaning)) for op in (ADD, MUL, AND, OR, XOR, MIN, MAX)
)
FREDUCE_ADD, FREDUCE_MUL, FREDUCE_MIN, FREDUCE_MAX = (
    Op(f"f{name} . V -> FE; pure inward", between=m.reduction(op.meaning))
    for op, name in ((FADD, "reduce-add"), (FMUL, "reduce-mul"), (FMIN, "reduce-min"), (FMAX, "reduce-max"))
)

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
CHECK_DIVISOR = Op("check-divisor . I -> void; check traps")  # n: not 0, in no lane
CHECK_CONVERT = Op("check-convert . A -> void; check traps inward")  # a number that, towards zero, an integer type has

# Calls and control.
PHI = Op("phi . A -> A; pure")
CALL = Op("call . A -> A; traps reads writes")  # direct, of a function or of the runtime
CALL_INDIRECT = Op("call-indirect . A -> A; traps reads writes")  # the first operand is the function's address
CALL_C = Op("call-c . A -> A; traps reads writes")  # by C's convention; the first operand is the function's address
SYSCALL = Op("syscall . A -> i64; traps reads writes")  # number and up to six arguments, all words
BR = Op("br . -> void; ends")
BR_IF = Op("br-if . A -> void; ends")  # to the first target if the operand is 1, else to the second
RETURN = Op("return . A -> void; ends")
LABEL = Op("label . -> void")  # L3 alone
ROOTS = Op("roots . -> void")  # L3 alone, any operands: what the collector finds across the call in front of it

FLOAT_TWIN = {
    ADD: FADD, SUB: FSUB, MUL: FMUL, DIV: FDIV, NEG: FNEG, EQ: FEQ, NE: FNE, LT: FLT, LE: FLE, GT: FGT, GE: FGE,
}  # fmt: skip
"""The float opcode that has an integer opcode's symbol."""


def infix(symbol: str, type: Type) -> Op | None:
    """The opcode written `symbol` between operands of `type`."""
    found = SYMBOL.get(symbol)
    if found is None:
        return None
    return FLOAT_TWIN.get(found[0]) if type.element.is_float else found[0]
