"""Tiles of integer operations beyond the plain ones: minimum, counting bits, swapping bytes, rotations; and BMI.

They are in a generated module of their own, so that a program without them, for a target without features, does not load it.
"""

from __future__ import annotations

from septet.l3.tiles.table import tile, topic

topic("bits")

SIGNED, UNSIGNED = ("sword", "snarrow"), ("uword", "unarrow", "bool")
ZERO_EXTENDED = {"i8": "movzx8", "u8": "movzx8", "i16": "movzx16", "u16": "movzx16", "i32": "mov32", "u32": "mov32"}

# Minimum, maximum, absolute value.  Narrow numbers are compared as the words they are extended to.

for _classes, _above, _below in ((SIGNED, "g", "l"), (UNSIGNED, "a", "b")):
    for _class in _classes:
        tile(f"min-{_class}", f"(min.{_class} x y)", f"cmp %x, %y ; %d <- %x ; cmov{_above} %d, %y", 3)
        tile(f"max-{_class}", f"(max.{_class} x y)", f"cmp %x, %y ; %d <- %x ; cmov{_below} %d, %y", 3)
tile("iabs-sword", "(iabs.sword x)", "%d <- %x ; neg %d ; cmovs %d, %x", 3)
tile("iabs-snarrow", "(iabs.snarrow x)", "%d <- %x ; neg %d ; cmovs %d, %x ; fit %d, %d", 4)
for _class in UNSIGNED:
    tile(f"iabs-{_class}", f"(iabs.{_class} s)", "%d <- %s")

# Counting bits that are 1, by sums of ever longer fields (Warren, Hacker's Delight, section 5)

_SUM = """
    %b <- %a ; shr %b, 1 ; %e <- 0x5555555555555555 ; and %b, %e ; sub %a, %b ;
    %e <- 0x3333333333333333 ; %b <- %a ; shr %b, 2 ; and %b, %e ; and %a, %e ; add %a, %b ;
    %b <- %a ; shr %b, 4 ; add %a, %b ; %e <- 0x0f0f0f0f0f0f0f0f ; and %a, %e ;
    %e <- 0x0101010101010101 ; imul %a, %e ; shr %a, 56 ; %d <- %a
"""
tile("popcount-sums", "(popcount x)", f"%a <- %x ; {_SUM}", 18)
tile("popcount", "(popcount x)", "popcnt %d, %x", 3, needs="popcnt")
tile("popcount-memory", "(popcount (load m))", "popcnt %d, %m", 3, needs="popcnt")
for _type, _move in ZERO_EXTENDED.items():
    tile(f"popcount-{_type}-sums", f"(popcount.{_type} x)", f"{_move} %a, %x ; {_SUM}", 18)
    if _type[1:] == "32":
        tile(f"popcount-{_type}", f"(popcount.{_type} x)", "popcnt32 %d, %x", 3, needs="popcnt")
        tile(f"popcount-{_type}-memory", f"(popcount.{_type} (load.{_type} m))", "popcnt32 %d, %m", 3, needs="popcnt")
    else:
        tile(f"popcount-{_type}", f"(popcount.{_type} x)", f"{_move} %a, %x ; popcnt32 %d, %a", 4, needs="popcnt")

# Counting zeros.  What is searched has a 1 at the place that is the answer where all bits are 0.

tile("trailing-zeros-search", "(count-trailing-zeros x)", "%b <- 64 ; bsf %a, %x ; cmove %a, %b ; %d <- %a", 5)
tile("trailing-zeros", "(count-trailing-zeros x)", "tzcnt %d, %x", 3, needs="bmi1")
tile("trailing-zeros-memory", "(count-trailing-zeros (load m))", "tzcnt %d, %m", 3, needs="bmi1")
tile("trailing-zeros-narrow", "(count-trailing-zeros.narrow x)", "%a <- {1 << T.bits} ; or %a, %x ; bsf %d, %a", 5)
tile("trailing-zeros-bits32", "(count-trailing-zeros.bits32 x)", "tzcnt32 %d, %x", 3, needs="bmi1")
tile("leading-zeros-search", "(count-leading-zeros x)", "%b <- 127 ; bsr %a, %x ; cmove %a, %b ; xor %a, 63 ; %d <- %a", 6)
tile("leading-zeros", "(count-leading-zeros x)", "lzcnt %d, %x", 3, needs="lzcnt")
tile("leading-zeros-memory", "(count-leading-zeros (load m))", "lzcnt %d, %m", 3, needs="lzcnt")
for _type, _move in ZERO_EXTENDED.items():
    _gives = f"{_move} %a, %x ; lea %a, mem %a %a*1 1 ; bsr %b, %a ; %a <- {_type[1:]} ; sub %a, %b ; %d <- %a"
    tile(f"leading-zeros-{_type}-search", f"(count-leading-zeros.{_type} x)", _gives, 7)
    if _type[1:] == "32":
        tile(f"leading-zeros-{_type}", f"(count-leading-zeros.{_type} x)", "lzcnt32 %d, %x", 3, needs="lzcnt")
    else:
        _gives = f"{_move} %a, %x ; lzcnt32 %d, %a ; %d -= {32 - int(_type[1:])}"
        tile(f"leading-zeros-{_type}", f"(count-leading-zeros.{_type} x)", _gives, 5, needs="lzcnt")
tile("popcount-bool", "(popcount.bool s)", "%d <- %s")
for _op in ("count-trailing-zeros", "count-leading-zeros"):
    tile(f"{_op}-bool", f"({_op}.bool s)", "%d <- %s ; xor %d, 1", 2)

# Swapping bytes

tile("byte-swap", "(byte-swap s)", "%d <- %s ; bswap %d", 3)
tile("byte-swap-load", "(byte-swap (load m))", "movbe %d, %m", 3, needs="movbe")
tile("byte-swap-store", "(store m (byte-swap x))", "movbe %m, %x", 3, needs="movbe")
tile("byte-swap-u32", "(byte-swap.u32 s)", "%d <- %s ; bswap32 %d", 3)
tile("byte-swap-i32", "(byte-swap.i32 s)", "%d <- %s ; bswap32 %d ; fit %d, %d", 4)
tile("byte-swap-u32-load", "(byte-swap.u32 (load.u32 m))", "movbe32 %d, %m", 3, needs="movbe")
for _type in ("u32", "i32"):
    tile(f"byte-swap-{_type}-store", f"(store.{_type} m (byte-swap.{_type} x))", "movbe32 %m, %x", 3, needs="movbe")
tile("byte-swap-bits16", "(byte-swap.bits16 s)", "%d <- %s ; bswap32 %d ; shr32 %d, 16 ; fit %d, %d", 5)
tile("byte-swap-bits8", "(byte-swap.bits8 s)", "%d <- %s")
tile("byte-swap-bool", "(byte-swap.bool s)", "%d <- %s")

# Rotations.  The machine takes counts modulo 64, or modulo 32, which is as good where there are fewer bits.

for _op, _x86 in (("rotate-left", "rol"), ("rotate-right", "ror")):
    tile(f"{_op}-constant", f"({_op} s k)", f"%d <- %s ; {_x86} %d, {{k & 63}}", 2)
    _away = "k & 63" if _x86 == "ror" else "-k & 63"
    tile(f"{_op}-constant-copy", f"({_op} x k)", f"rorx %d, %x, {{{_away}}}", 1, needs="bmi2")
    tile(f"{_op}-memory", f"({_op} (load m) k)", f"rorx %d, %m, {{{_away}}}", 1, needs="bmi2")
    tile(_op, f"({_op} s y)", f"rcx <- %y ; %d <- %s ; {_x86} %d, rcx", 3)
    for _bits, _width in (("bits8", "8"), ("bits16", "16"), ("bits32", "32")):
        tile(
            f"{_op}-{_bits}-constant",
            f"({_op}.{_bits} s k)",
            f"%d <- %s ; {_x86}{_width} %d, {{k & {int(_width) - 1}}} ; fit %d, %d",
            3,
        )
        tile(f"{_op}-{_bits}", f"({_op}.{_bits} s y)", f"rcx <- %y ; %d <- %s ; {_x86}{_width} %d, rcx ; fit %d, %d", 4)
    tile(f"{_op}-bool", f"({_op}.bool s t)", "%d <- %s")

# BMI: what has three operands, leaves flags alone, or takes two operations in

tile("and-not", "(and (not x) y)", "andn %d, %x, %y", 1, needs="bmi1")
tile("and-not-memory", "(and (not x) (load m))", "andn %d, %x, %m", 1, needs="bmi1")
tile("and-not-narrow", "(and.narrow (not.narrow x) y)", "andn %d, %x, %y", 1, needs="bmi1")
tile("clear-lowest", "(and x (sub x 1))", "blsr %d, %x", 1, needs="bmi1")
tile("clear-lowest-added", "(and x (add x -1))", "blsr %d, %x", 1, needs="bmi1")
tile("isolate-lowest", "(and x (neg x))", "blsi %d, %x", 1, needs="bmi1")
tile("isolate-lowest-subtracted", "(and x (sub 0 x))", "blsi %d, %x", 1, needs="bmi1")
tile("mask-to-lowest", "(xor x (sub x 1))", "blsmsk %d, %x", 1, needs="bmi1")
for _op, _class, _x86 in (("shl", "word", "shlx"), ("shr", "sword", "sarx"), ("shr", "uword", "shrx")):
    tile(f"{_x86}", f"({_op}.{_class} x y)", f"{_x86} %d, %x, %y", 1, needs="bmi2")
    tile(f"{_x86}-memory", f"({_op}.{_class} (load.{_class} m) y)", f"{_x86} %d, %m, %y", 1, needs="bmi2")
for _op, _x86 in (("shl", "shlx32"), ("shr", "shrx32")):
    tile(f"{_x86}", f"({_op}.u32 x y)", f"{_x86} %d, %x, %y", 1, needs="bmi2")
tile("mulx", "(mul-high.uword s y)", "rdx <- %s ; mulx %d, %a, %y", 4, needs="bmi2")
