"""Tiles of words and narrow integers: addresses, memory, arithmetic, shifts, division, comparisons, branches, selection."""

from __future__ import annotations

from septet.l3.tiles.table import address, tile, topic

topic("integers")

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
BOTH_FIT = "D.kind < 2 and (D.is_word or D.low <= T.low and T.high <= D.high)"

tile("load", "(load m)", "%d <- %m")
tile("store", "(store m t)", "%m <- %t")
for _type in LOADS:
    tile(f"load-{_type}", f"(load.{_type} m)", f"{LOADS[_type]} %d, %m")
    tile(f"store-{_type}", f"(store.{_type} m t)", f"{STORES[_type]} %m, %t")
    tile(f"load-converted-{_type}", f"(convert.{_type} (load.{_type} m))", f"{LOADS[_type]} %d, %m", when=BOTH_FIT)
tile("load-bool", "(load.bool m)", "movzx8 %d, %m ; %d &= 1", 2)
tile("store-bool", "(store.bool m t)", "mov8 %m, %t")

# Copies, constants, casts that change nothing

tile("copy", "(copy.int s)", "%d <- %s")

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
_ODD, _POWER = "k // (k & -k)", "(k & -k)"  # the factors of `k`
_TWICE = f"lea %d, mem %x %x*{{{_ODD} - 1}} 0 ; %d <<= {{{_POWER}.bit_length() - 1}}"
tile("multiply-scaled-power", "(mul x k)", _TWICE, 1, f"k > 0 and k % 2 == 0 and {_ODD} in (3, 5, 9)")
_ODD, _POWER = "(k - 1) // (k - 1 & 1 - k)", "(k - 1 & 1 - k)"  # and those of `k - 1`
_TWICE = f"lea %a, mem %x %x*{{{_ODD} - 1}} 0 ; lea %d, mem %x %a*{{{_POWER}}} 0"
tile("multiply-scaled-plus", "(mul x k)", _TWICE, 1, f"k > 1 and {_POWER} in (2, 4, 8) and {_ODD} in (3, 5, 9)")
tile("multiply-power-minus", "(mul x k)", "%d <- %x ; %d <<= {k.bit_length()} ; %d -= %x", 1, "k > 6 and k & (k + 1) == 0")
tile(
    "multiply-power-plus",
    "(mul x k)",
    "%d <- %x ; %d <<= {k.bit_length() - 1} ; %d += %x",
    1,
    "k > 16 and (k - 1 & k - 2) == 0",
)
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
_HIGH_BIT = "c >> 31 > 0 and c & (c - 1) == 0 or c == -1 << 63"  # a bit that no immediate of 32 bits has alone
_BIT = "{(c & (1 << 64) - 1).bit_length() - 1}"
for _op, _jump in (("eq", "jae/jb"), ("ne", "jb/jae")):
    tile(f"branch-bit-{_op}", f"(br-if.any ({_op} (and x (shl 1 y)) 0))", f"bt %x, %y ; {_jump} :l")
    tile(f"branch-bit-shifted-{_op}", f"(br-if.any ({_op} (and (shr x y) 1) 0))", f"bt %x, %y ; {_jump} :l")
    tile(f"branch-high-bit-{_op}", f"(br-if.any ({_op} (and x c) 0))", f"bt %x, {_BIT} ; {_jump} :l", 0, _HIGH_BIT)
for _op, _inner, _x86 in (("or", "(shl 1 y)", "bts"), ("xor", "(shl 1 y)", "btc"), ("and", "(not (shl 1 y))", "btr")):
    tile(f"{_op}-bit", f"({_op} s {_inner})", f"%d <- %s ; {_x86} %d, %y", 2)
for _op, _x86 in (("or", "bts"), ("xor", "btc")):
    tile(f"{_op}-high-bit", f"({_op} s c)", f"%d <- %s ; {_x86} %d, {_BIT}", 1, _HIGH_BIT)
tile("select", "(select.int x y s)", "%d <- %s ; test %x, %x ; cmovne %d, %y", 3)
tile("select-compare", "(select.int (compare.int x t) y s)", "%d <- %s ; cmp %x, %t ; cmovcc %d, %y", 3)
for _op, _move in (("eq", "cmove"), ("ne", "cmovne")):
    tile(f"select-test-{_op}", f"(select.int ({_op} (and x t) 0) y s)", f"%d <- %s ; test %x, %t ; {_move} %d, %y", 3)
for _type, _width in {"word": "", **WIDTHS}.items():
    for _name, _pattern, _operands in (
        ("memory-right", f"(compare.{_type} x (load.{_type} m))", "%x, %m"),
        ("memory-left", f"(compare.{_type} (load.{_type} m) t)", "%m, %t"),
    ):
        tile(f"branch-compare-{_name}-{_type}", f"(br-if.any {_pattern})", f"cmp{_width} {_operands} ; jcc :l", 2)
        tile(f"compare-{_name}-{_type}", _pattern, f"cmp{_width} {_operands} ; setcc %d ; movzx8 %d, %d", 3)
        _gives = f"%d <- %s ; cmp{_width} {_operands} ; cmovcc %d, %y"
        tile(f"select-compare-{_name}-{_type}", f"(select.int {_pattern} y s)", _gives, 4)

# Conversions and casts between integers: a word, or one that has all of the other's numbers, needs nothing.

tile("widen", "(convert.int s)", "%d <- %s", 1, BOTH_FIT)
tile("narrow", "(convert.int x)", "fit %d, %x", 2, "D in NARROW")
tile("to-bool", "(convert.int s)", "%d <- %s ; %d &= 1", 3, "D is BOOL")
tile("cast-word", "(bitcast.word s)", "%d <- %s", 1, "A.kind < 2")
tile("cast-narrow", "(bitcast.narrow x)", "fit %d, %x", 1, "A.kind < 2")
tile("cast-bool", "(bitcast.bool s)", "%d <- %s", 1)
