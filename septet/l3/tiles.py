"""The tiles: which machine instructions each operation becomes, one row a tile.

A row is `tile(name, pattern, gives, cost, when)`.  `select.py` compiles the rows to Python: one function an opcode, which
tries the tiles that cover most operations first, and among those the cheapest.

A pattern is an operation `(OPCODE.CLASS operand ...)`, with operations in it whose results nothing else uses.  `compare` is
every comparison of integers; it is `cc` in what the tile gives.  CLASS says what types the tile is for: a type's name, `word`
(64 bits), `sword`, `uword` (signed, unsigned words), `narrow` (8, 16, 32-bit integers), `bits8` and so on (either of these),
`int` (all integers), `float`; where it is left out, `word`.  Commuting operations match both ways round.  Operands are

    x y z    a general register           u v    a vector register        m    a memory operand: any address below
    t        a register or a number of 32 bits      s    whatever mov takes: also a big number, an address, a line
    k n      a number of 32 bits          c      any number               5    that number

and anything that is not in a register already is put into one for x, y, z, t, u and v.

What a tile gives is L2 text, instructions divided by `;`.  %d is the result, %x an operand, %m a memory operand, {k + 1} a
number computed from numbers; %a %b %e are new general variables, %f %g %h new vector variables, :over is a new label.
Moves from a variable to itself are left out, and where %d is an operand that is still to be read, a new variable stands in.
`fit %d, %x` extends the low bits of %x to the canonical form of its narrow type.  A branch's own label is :l; a branch that
is taken if its operand is *not* 1 uses the second of `ja/jbe`, and the opposite of cc.

`when` is a Python condition on these names (variables compare by `is`), on T, the operation's type, and D, the target's.
"""

from __future__ import annotations


class Tile:
    """One row.  `cost` is in units of a simple instruction and decides between tiles that cover as much."""

    __slots__ = ("name", "pattern", "gives", "cost", "when")

    def __init__(self, name: str, pattern: str, gives: str, cost: int, when: str) -> None:
        self.name = name
        self.pattern = pattern
        self.gives = gives
        self.cost = cost
        self.when = when


TILES: list[Tile] = []
ADDRESSES: list[Tile] = []


def tile(name: str, pattern: str, gives: str, cost: int = 1, when: str = "") -> None:
    """Add a tile to the table."""
    TILES.append(Tile(name, pattern, gives, cost, when))


def address(name: str, pattern: str, gives: str, when: str = "", cost: int = 2) -> None:
    """Add an addressing mode to the table; where the pattern is an operation it is a tile as well, by `lea`."""
    ADDRESSES.append(Tile(name, pattern, gives, cost, when))
    if name != "base":
        tile(f"lea-{name}", pattern, f"lea %d, {gives}", cost, when)


# Addresses, the largest first

SCALED = "0 <= k <= 3"
FACTOR = "k in (2, 4, 8)"
address("base-scaled-displaced", "(add (add x (shl y k)) n)", "mem %x %y*{1 << k} {n}", SCALED)
address("displaced-base-scaled", "(add (add x n) (shl y k))", "mem %x %y*{1 << k} {n}", SCALED)
address("base-times-displaced", "(add (add x (mul y k)) n)", "mem %x %y*{k} {n}", FACTOR)
address("displaced-base-times", "(add (add x n) (mul y k))", "mem %x %y*{k} {n}", FACTOR)
address("base-scaled", "(add x (shl y k))", "mem %x %y*{1 << k} 0", SCALED)
address("base-times", "(add x (mul y k))", "mem %x %y*{k} 0", FACTOR)
address("base-index-displaced", "(add (add x y) n)", "mem %x %y*1 {n}")
address("displaced-base-index", "(add (add x n) y)", "mem %x %y*1 {n}")
address("base-index-displaced-down", "(sub (add x y) n)", "mem %x %y*1 {-n}", "n > -0x80000000")
address("displaced", "(add x n)", "mem %x {n}", cost=1)
address("displaced-down", "(sub x n)", "mem %x {-n}", "n > -0x80000000", 1)
address("base-index", "(add x y)", "mem %x %y*1 0")
address("base", "x", "mem %x 0")

# Memory

LOADS = {
    "i8": "movsx8", "i16": "movsx16", "i32": "movsx32", "u8": "movzx8", "u16": "movzx16", "u32": "mov32",
}  # fmt: skip
STORES = {"i8": "mov8", "u8": "mov8", "i16": "mov16", "u16": "mov16", "i32": "mov32", "u32": "mov32"}
WIDTHS = {"bits8": "8", "bits16": "16", "bits32": "32"}
BOTH_FIT = "not D.is_float and (D.is_word or D.low <= T.low and T.high <= D.high)"

tile("load", "(load m)", "%d <- %m")
tile("store", "(store m t)", "%m <- %t")
for _type in LOADS:
    tile(f"load-{_type}", f"(load.{_type} m)", f"{LOADS[_type]} %d, %m")
    tile(f"store-{_type}", f"(store.{_type} m t)", f"{STORES[_type]} %m, %t")
    tile(f"load-converted-{_type}", f"(convert.{_type} (load.{_type} m))", f"{LOADS[_type]} %d, %m", when=BOTH_FIT)
tile("load-bool", "(load.bool m)", "movzx8 %d, %m ; %d &= 1", 2)
tile("store-bool", "(store.bool m t)", "mov8 %m, %t")
for _type, _move, _mov in (("f64", "movsd", "mov"), ("f32", "movss", "mov32")):
    tile(f"load-{_type}", f"(load.{_type} m)", f"{_move} %d, %m")
    tile(f"store-{_type}", f"(store.{_type} m u)", f"{_move} %m, %u")
    tile(f"store-constant-{_type}", f"(store.{_type} m t)", f"{_mov} %m, %t", 0, "type(t) is int")

# Copies, constants, casts that change nothing

tile("copy", "(copy.int s)", "%d <- %s")
tile("copy-float", "(copy.float u)", "movaps %d, %u")
tile("constant-f64", "(copy.f64 c)", "%a <- %c ; movq %d, %a", 0)
tile("constant-f32", "(copy.f32 c)", "%a <- %c ; movd %d, %a", 0)

# Addition, subtraction, logic

ALU = {"add": "add", "sub": "sub", "and": "and", "or": "or", "xor": "xor", "mul": "imul"}
COST = {"add": 0, "mul": 4}  # two numbers are added, all else has a lea
for _op, _x86 in ALU.items():
    tile(f"{_op}-to-itself", f"({_op} x t)", f"{_x86} %d, %t", 3 if _op == "mul" else 0, "d is x")
    _when = "type(s) is int" if _op == "add" else ""
    tile(_op, f"({_op} s t)", f"%d <- %s ; {_x86} %d, %t", COST.get(_op, 2), _when)
    tile(f"{_op}-memory", f"({_op} s (load m))", f"%d <- %s ; {_x86} %d, %m", 3)
    if _op != "mul":
        _down = "n > -0x80000000" if _op == "sub" else ""
        tile(f"{_op}-memory-number", f"({_op} (load m) n)", f"%d <- %m ; {_x86} %d, {{n}}", 2, _down)
    tile(f"{_op}-u32", f"({_op}.u32 s t)", f"%d <- %s ; {_x86}32 %d, %t", 2)
    tile(f"{_op}-u32-memory", f"({_op}.u32 s (load.u32 m))", f"%d <- %s ; {_x86}32 %d, %m", 3)
    _fit = "" if _op in ("and", "or", "xor") else " ; fit %d, %d"
    tile(f"{_op}-narrow", f"({_op}.narrow s t)", f"%d <- %s ; {_x86} %d, %t{_fit}", 3)
    _fit = "" if _op in ("and", "or", "xor") else " ; %d &= 1"
    tile(f"{_op}-bool", f"({_op}.bool s t)", f"%d <- %s ; {_x86} %d, %t{_fit}", 3)
    if _op != "mul":
        tile(f"{_op}-in-memory", f"(store m ({_op} (load m) t))", f"{_x86} %m, %t")
        for _type, _width in WIDTHS.items():
            _pattern = f"(store.{_type} m ({_op}.{_type} (load.{_type} m) t))"
            tile(f"{_op}-in-memory-{_type}", _pattern, f"{_x86}{_width} %m, %t")
for _op in ("not", "neg"):
    tile(_op, f"({_op} s)", f"%d <- %s ; {_op} %d", 2)
    tile(f"{_op}-narrow", f"({_op}.narrow s)", f"%d <- %s ; {_op} %d ; fit %d, %d", 3)
    tile(f"{_op}-bool", f"({_op}.bool s)", f"%d <- %s ; {_op} %d ; %d &= 1", 3)
tile("negate-difference", "(sub 0 s)", "%d <- %s ; neg %d", 1)

# Multiplication by constants

tile("multiply-twice", "(mul x 2)", "lea %d, mem %x %x*1 0")
for _factor in (3, 5, 9):
    tile(f"multiply-by-{_factor}", f"(mul x {_factor})", f"lea %d, mem %x %x*{_factor - 1} 0")
tile("multiply-power", "(mul s k)", "%d <- %s ; %d <<= {k.bit_length() - 1}", 1, "k > 2 and k & (k - 1) == 0")
tile("multiply-constant", "(mul x k)", "imul3 %d, %x, {k}", 2)
tile("multiply-memory-constant", "(mul (load m) k)", "imul3 %d, %m, {k}", 2)

# The upper half of a product.  Narrow numbers are held as words, in which their whole product fits.

tile("mul-high-signed", "(mul-high.sword s y)", "rax <- %s ; imul1 %y ; %d <- rdx", 5)
tile("mul-high-unsigned", "(mul-high.uword s y)", "rax <- %s ; mul %y ; %d <- rdx", 5)
tile("mul-high-narrow", "(mul-high.narrow s t)", "%d <- %s ; imul %d, %t ; sar %d, {T.bits}", 4)
tile("mul-high-u32", "(mul-high.u32 s t)", "%d <- %s ; imul %d, %t ; shr %d, 32", 3)
tile("mul-high-bool", "(mul-high.bool s t)", "%d <- 0")

# Shifts.  The machine looks at six bits of a count, or five where the operands have 32 or fewer.

tile("twice", "(shl x 1)", "lea %d, mem %x %x*1 0")
tile("shl-constant", "(shl s k)", "%d <- %s ; %d <<= {k & 63}")
tile("shl", "(shl s y)", "rcx <- %y ; %d <- %s ; %d <<= rcx", 3)
tile("shl-narrow-constant", "(shl.narrow s k)", "%d <- %s ; %d <<= {k & (T.bits - 1)} ; fit %d, %d", 2)
tile("shl-u32", "(shl.u32 s y)", "rcx <- %y ; %d <- %s ; shl32 %d, rcx", 3)
tile("shl-narrow", "(shl.narrow s y)", "rcx <- %y ; rcx &= {T.bits - 1} ; %d <- %s ; %d <<= rcx ; fit %d, %d", 5)
for _class, _shift in (("sword", "sar"), ("uword", "shr")):
    tile(f"{_shift}-constant", f"(shr.{_class} s k)", f"%d <- %s ; {_shift} %d, {{k & 63}}")
    tile(_shift, f"(shr.{_class} s y)", f"rcx <- %y ; %d <- %s ; {_shift} %d, rcx", 3)
    tile(f"untag-{_class}", f"(untag.{_class} s)", f"%d <- %s ; {_shift} %d, 1")
tile("shr-narrow-constant", "(shr.narrow s k)", "%d <- %s ; sar %d, {k & (T.bits - 1)}")
tile("shr-u32", "(shr.u32 s y)", "rcx <- %y ; %d <- %s ; shr32 %d, rcx", 3)
tile("shr-narrow", "(shr.narrow s y)", "rcx <- %y ; rcx &= {T.bits - 1} ; %d <- %s ; sar %d, rcx", 4)
tile("untag-narrow", "(untag.narrow s)", "%d <- %s ; sar %d, 1")
for _op in ("shl", "shr"):
    tile(f"{_op}-bool", f"({_op}.bool s t)", "%d <- %s")  # a count modulo 1
tile("untag-bool", "(untag.bool s)", "%d <- 0")
tile("tag", "(tag x)", "lea %d, mem %x %x*1 1")
tile("tag-narrow", "(tag.narrow x)", "lea %d, mem %x %x*1 1 ; fit %d, %d", 2)
tile("tag-bool", "(tag.bool s)", "%d <- 1")

# Division.  No divisor is 0.  A divisor of -1 is replaced by 1, as the lowest number divided by -1 would trap.

_DIVIDE = "rax <- %s ; cqo ; %a <- 1 ; cmp %y, -1 ; cmovne %a, %y ; idiv %a ; "
_NEGATE = "%b <- rax ; neg %b ; cmp %y, -1 ; cmovne %b, rax ; %d <- %b"
_POWER = "1 < k and k & (k - 1) == 0"
_ROUND = "%a <- %x ; sar %a, 63 ; shr %a, {65 - k.bit_length()} ; "  # 2^n - 1 for negative numbers
tile("div", "(div.sword s y)", _DIVIDE + _NEGATE, 30)
tile("rem", "(rem.sword s y)", _DIVIDE + "%d <- rdx", 26)
for _op, _result in (("div", "rax"), ("rem", "rdx")):
    tile(f"{_op}-constant", f"({_op}.sword s k)", f"rax <- %s ; cqo ; %a <- {{k}} ; idiv %a ; %d <- {_result}", 24, "k != -1")
    tile(f"{_op}-unsigned", f"({_op}.uword s y)", f"rax <- %s ; rdx <- 0 ; div %y ; %d <- {_result}", 24)
    for _type in ("u8", "u16", "u32", "bool"):
        tile(f"{_op}-{_type}", f"({_op}.{_type} s y)", f"rax <- %s ; rdx <- 0 ; div32 %y ; %d <- {_result}", 14)
    _fit = " ; fit %d, %d" if _op == "div" else ""  # the lowest number by -1
    tile(f"{_op}-narrow", f"({_op}.narrow s y)", f"rax <- %s ; cqo ; idiv %y ; %d <- {_result}{_fit}", 24)
tile("div-minus-one", "(div.sword s -1)", "%d <- %s ; neg %d", 2)
tile("rem-minus-one", "(rem.sword s -1)", "%d <- 0", 1)
tile("div-power", "(div.sword x k)", _ROUND + "%a += %x ; sar %a, {k.bit_length() - 1} ; %d <- %a", 5, _POWER)
tile("rem-power", "(rem.sword x k)", _ROUND + "%d <- %x ; %d += %a ; %d &= {k - 1} ; %d -= %a", 6, _POWER)
tile("div-unsigned-power", "(div.uword s k)", "%d <- %s ; shr %d, {k.bit_length() - 1}", 2, "0 < k and k & (k - 1) == 0")
tile("rem-unsigned-power", "(rem.uword s k)", "%d <- %s ; %d &= {k - 1}", 2, "0 < k and k & (k - 1) == 0")

# Comparisons, branches, selection.  Narrow numbers are compared as the words they are extended to.

tile("compare", "(compare.int t t2)", "%d <- %t cc %t2")
tile("branch", "(br-if.any x)", "cjump %x =/!= 1 :l", 1, "x.type is not BOOL")
tile("branch-bool", "(br-if.any x)", "cjump %x !=/= 0 :l", 1, "x.type is BOOL")
tile("branch-compare", "(br-if.any (compare.int t t2))", "cjump %t cc %t2 :l")
for _op, _jump in (("eq", "je/jne"), ("ne", "jne/je")):
    tile(f"branch-test-{_op}", f"(br-if.any ({_op} (and x t) 0))", f"test %x, %t ; {_jump} :l")
tile("select", "(select.int x y s)", "%d <- %s ; test %x, %x ; cmovne %d, %y", 3)
tile("select-compare", "(select.int (compare.int x t) y s)", "%d <- %s ; cmp %x, %t ; cmovcc %d, %y", 3)
for _op, _move in (("eq", "cmove"), ("ne", "cmovne")):
    tile(f"select-test-{_op}", f"(select.int ({_op} (and x t) 0) y s)", f"%d <- %s ; test %x, %t ; {_move} %d, %y", 3)
tile("select-float", "(select.float x u v)",
     "movqr %a, %u ; movqr %b, %v ; test %x, %x ; cmovne %b, %a ; movq %d, %b", 8)  # fmt: skip
for _type, _width in {"word": "", **WIDTHS}.items():
    for _name, _pattern, _operands in (
        ("memory-right", f"(compare.{_type} x (load.{_type} m))", "%x, %m"),
        ("memory-left", f"(compare.{_type} (load.{_type} m) t)", "%m, %t"),
    ):
        tile(f"branch-compare-{_name}-{_type}", f"(br-if.any {_pattern})", f"cmp{_width} {_operands} ; jcc :l", 2)
        tile(f"compare-{_name}-{_type}", _pattern, f"cmp{_width} {_operands} ; setcc %d ; movzx8 %d, %d", 3)
        _gives = f"%d <- %s ; cmp{_width} {_operands} ; cmovcc %d, %y"
        tile(f"select-compare-{_name}-{_type}", f"(select.int {_pattern} y s)", _gives, 4)

# Floats.  `ucomisd` raises carry, zero and parity for a NaN, so that `ja` and `jae` are false then.

for _type, _sd, _and, _sign, _constant in (
    ("f64", "sd", "movq", 1 << 63, (1 << 63) - 1),
    ("f32", "ss", "movd", 1 << 31, (1 << 31) - 1),
):
    for _op, _x86 in (("fadd", "add"), ("fsub", "sub"), ("fmul", "mul"), ("fdiv", "div")):
        tile(f"{_op}-{_type}", f"({_op}.{_type} u v)", f"movaps %d, %u ; {_x86}{_sd} %d, %v", 4)
        tile(f"{_op}-{_type}-memory", f"({_op}.{_type} u (load.{_type} m))", f"movaps %d, %u ; {_x86}{_sd} %d, %m", 4)
    tile(f"sqrt-{_type}", f"(sqrt.{_type} u)", f"sqrt{_sd} %d, %u", 16)
    tile(f"fneg-{_type}", f"(fneg.{_type} u)", f"%a <- {_sign} ; {_and} %f, %a ; xorps %f, %u ; movaps %d, %f", 4)
    tile(f"fabs-{_type}", f"(fabs.{_type} u)", f"%a <- {_constant} ; {_and} %f, %a ; andps %f, %u ; movaps %d, %f", 4)
    for _op, _first, _second, _yes, _no in (
        ("flt", "v", "u", "a", "be"),
        ("fle", "v", "u", "ae", "b"),
        ("fgt", "u", "v", "a", "be"),
        ("fge", "u", "v", "ae", "b"),
    ):
        _compare = f"ucomi{_sd} %{_first}, %{_second} ; "
        tile(f"{_op}-{_type}", f"({_op}.{_type} u v)", _compare + f"set{_yes} %d ; movzx8 %d, %d", 5)
        tile(f"branch-{_op}-{_type}", f"(br-if.any ({_op}.{_type} u v))", _compare + f"j{_yes}/j{_no} :l", 4)
        _inner = f"(load.{_type} m)"
        _pattern = f"({_op}.{_type} u {_inner})" if _first == "u" else f"({_op}.{_type} {_inner} v)"
        _compare = f"ucomi{_sd} %{_first}, %m ; "
        tile(f"branch-{_op}-{_type}-memory", f"(br-if.any {_pattern})", _compare + f"j{_yes}/j{_no} :l", 4)
    _compare = f"ucomi{_sd} %u, %v ; "
    _equal, _differ = "jp :over ; je :l ; :over", "jp :l ; jne :l"
    for _op, _set, _with, _taken, _else in (("feq", "e", "and", _equal, _differ), ("fne", "ne", "or", _differ, _equal)):
        _parity = "np" if _op == "feq" else "p"
        _both = f"set{_parity} %a ; set{_set} %b ; {_with} %a, %b ; movzx8 %d, %a"
        tile(f"{_op}-{_type}", f"({_op}.{_type} u v)", _compare + _both, 6)
        tile(f"branch-{_op}-{_type}", f"(br-if.any ({_op}.{_type} u v))", _compare + _taken, 5, "not negate")
        tile(f"branch-not-{_op}-{_type}", f"(br-if.any ({_op}.{_type} u v))", _compare + _else, 5, "negate")

# Conversions between integers: a word, or one that has all of the other's numbers, needs nothing.

tile("widen", "(convert.int s)", "%d <- %s", 1, BOTH_FIT)
tile("narrow", "(convert.int x)", "fit %d, %x", 2, "D in NARROW")
tile("to-bool", "(convert.int s)", "%d <- %s ; %d &= 1", 3, "D is BOOL")
tile("cast-word", "(bitcast.word s)", "%d <- %s", 1, "not A.is_float")
tile("cast-narrow", "(bitcast.narrow x)", "fit %d, %x", 1, "not A.is_float")
tile("cast-bool", "(bitcast.bool s)", "%d <- %s", 1)
tile("cast-float", "(bitcast.float u)", "movaps %d, %u", 1, "A.is_float")
tile("cast-to-f64", "(bitcast.f64 x)", "movq %d, %x", 2, "not A.is_float")
tile("cast-to-f32", "(bitcast.f32 x)", "movd %d, %x", 2, "not A.is_float")
tile("cast-from-f64", "(bitcast.word u)", "movqr %d, %u", 2, "A.is_float")
tile("cast-f32-to-u32", "(bitcast.u32 u)", "movdr %d, %u", 2, "A.is_float")
tile("cast-f32-to-i32", "(bitcast.i32 u)", "movdr %d, %u ; fit %d, %d", 2, "A.is_float")

# From integers to floats.  A word of 2^63 or more is halved first, its lowest bit kept for the rounding, and doubled after.

_HALVED = """
    {convert} %f, %x ; movqr %a, %f ; %b <- %x ; shr %b, 1 ; %e <- %x ; %e &= 1 ; or %b, %e ; {convert} %g, %b ;
    {add} %g, %g ; movqr %b, %g ; test %x, %x ; cmovs %a, %b ; movq %d, %a
"""
for _type, _sd in (("F64", "sd"), ("F32", "ss")):
    for _class in ("sword", "narrow", "bool"):
        tile(f"{_class}-to-{_type.lower()}", f"(convert.{_class} x)", f"cvtsi2{_sd} %d, %x", 5, f"D is {_type}")
    _gives = _HALVED.format(convert=f"cvtsi2{_sd}", add=f"add{_sd}")
    tile(f"uword-to-{_type.lower()}", "(convert.uword x)", _gives, 20, f"D is {_type}")

# From floats to integers, by way of f64: what is past an end becomes that end, a NaN becomes 0.

_TWO_63, _TWO_64 = 0x43E0000000000000, 0x43F0000000000000
_TO_SIGNED = """
    cvttsd2si %a, %f ; %b <- {two_63} ; movq %g, %b ; %b <- {highest} ; ucomisd %f, %g ; cmovae %a, %b ;
    %b <- 0 ; ucomisd %f, %f ; cmovp %a, %b ; %d <- %a
"""
_TO_UNSIGNED = """
    %b <- {two_63} ; movq %g, %b ; movaps %h, %f ; subsd %h, %g ; cvttsd2si %e, %h ; %b <- {sign} ; xor %e, %b ;
    cvttsd2si %a, %f ; ucomisd %f, %g ; cmovae %a, %e ;
    %b <- {two_64} ; movq %g, %b ; %b <- -1 ; ucomisd %f, %g ; cmovae %a, %b ;
    %b <- 0 ; movq %g, %b ; ucomisd %f, %g ; cmovb %a, %b ; %d <- %a
"""
_TO_NARROW = """
    %b <- {{to_float(D.low)}} ; movq %g, %b ; movaps %h, %f ; maxsd %h, %g ; %b <- {{to_float(D.high)}} ; movq %g, %b ;
    minsd %h, %g ; cvttsd2si %a, %h ; %b <- 0 ; ucomisd %f, %f ; cmovp %a, %b ; %d <- %a
"""
for _type, _first in (("f64", "movaps %f, %u ; "), ("f32", "cvtss2sd %f, %u ; ")):
    _gives = _first + _TO_SIGNED.format(two_63=_TWO_63, highest=(1 << 63) - 1)
    tile(f"{_type}-to-signed", f"(convert.{_type} u)", _gives, 20, "D.is_word and D.signed")
    _gives = _first + _TO_UNSIGNED.format(two_63=_TWO_63, sign=-1 << 63, two_64=_TWO_64)
    tile(f"{_type}-to-unsigned", f"(convert.{_type} u)", _gives, 25, "D.is_word and not D.signed")
    tile(f"{_type}-to-narrow", f"(convert.{_type} u)", _first + _TO_NARROW.format(), 20, "not D.is_word and not D.is_float")
tile("f64-to-f32", "(convert.f64 u)", "cvtsd2ss %d, %u", 5, "D is F32")
tile("f32-to-f64", "(convert.f32 u)", "cvtss2sd %d, %u", 5, "D is F64")
tile("f64-to-f64", "(convert.f64 u)", "movaps %d, %u", 5, "D is F64")
tile("f32-to-f32", "(convert.f32 u)", "movaps %d, %u", 5, "D is F32")
