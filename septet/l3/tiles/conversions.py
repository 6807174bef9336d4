"""Tiles of conversions between integers and scalar floats, and of casts."""

from __future__ import annotations

from septet.l3.tiles.table import tile, topic

topic("floats")

tile("cast-float", "(bitcast.float u)", "movaps %d, %u", 1, "A.is_float")
tile("cast-to-f64", "(bitcast.f64 x)", "movq %d, %x", 2, "A.kind < 2")
tile("cast-to-f32", "(bitcast.f32 x)", "movd %d, %x", 2, "A.kind < 2")
tile("cast-from-f64", "(bitcast.word u)", "movqr %d, %u", 2, "A.is_float")
tile("cast-f32-to-u32", "(bitcast.u32 u)", "movdr %d, %u", 2, "A.is_float")
tile("cast-f32-to-i32", "(bitcast.i32 u)", "movdr %d, %u ; fit %d, %d", 2, "A.is_float")

# From integers to floats.  A word of 2^63 or more is halved first, its lowest bit kept for the rounding, and doubled after.

_HALVED = """
    {convert} %f, %x ; movqr %a, %f ; %b <- %x ; shr %b, 1 ; %e <- %x ; %e &= 1 ; or %b, %e ; {convert} %g, %b ;
    {add} %g, %g, %g ; movqr %b, %g ; test %x, %x ; cmovs %a, %b ; movq %d, %a
"""
for _type, _sd in (("F64", "sd"), ("F32", "ss")):
    for _class in ("sword", "narrow", "bool"):
        tile(f"{_class}-to-{_type.lower()}", f"(convert.{_class} x)", f"cvtsi2{_sd} %d, %x", 5, f"D is {_type}")
    _gives = _HALVED.format(convert=f"cvtsi2{_sd}", add=f"add{_sd}")
    tile(f"uword-to-{_type.lower()}", "(convert.uword x)", _gives, 20, f"D is {_type}")
    _direct = f"vmovsd %j, pool 8 0 ; vcvtusi2{_sd} %d, %j, %x"
    tile(f"uword-to-{_type.lower()}-direct", "(convert.uword x)", _direct, 5, f"D is {_type}", "avx512f")

# From floats to integers, by way of f64: what is past an end becomes that end, a NaN becomes 0.

_TO_SIGNED = """
    cvttsd2si %a, %f ; %b <- {highest} ; ucomisd %f, pool 8 {two_63} ; cmovae %a, %b ;
    %b <- 0 ; ucomisd %f, %f ; cmovp %a, %b ; %d <- %a
"""
_TO_UNSIGNED = """
    subsd %h, %f, pool 8 {two_63} ; cvttsd2si %e, %h ; %b <- {sign} ; xor %e, %b ;
    cvttsd2si %a, %f ; ucomisd %f, pool 8 {two_63} ; cmovae %a, %e ;
    %b <- -1 ; ucomisd %f, pool 8 {two_64} ; cmovae %a, %b ;
    %b <- 0 ; ucomisd %f, pool 8 0 ; cmovb %a, %b ; %d <- %a
"""
_TO_NARROW = """
    maxsd %h, %f, pool 8 {int_to_float(D.low, 64)} ; minsd %h, %h, pool 8 {int_to_float(D.high, 64)} ; cvttsd2si %a, %h ;
    %b <- 0 ; ucomisd %f, %f ; cmovp %a, %b ; %d <- %a
"""
_TWO_63, _TWO_64 = "0x43e0000000000000", "0x43f0000000000000"
for _type, _first in (("f64", "movaps %f, %u ; "), ("f32", "cvtss2sd %f, %u ; ")):
    _gives = _first + _TO_SIGNED.format(two_63=_TWO_63, highest=(1 << 63) - 1)
    tile(f"{_type}-to-signed", f"(convert.{_type} u)", _gives, 20, "D.is_word and D.signed")
    _gives = _first + _TO_UNSIGNED.format(two_63=_TWO_63, sign=-1 << 63, two_64=_TWO_64)
    tile(f"{_type}-to-unsigned", f"(convert.{_type} u)", _gives, 25, "D.is_word and not D.signed")
    _sd = "sd" if _type == "f64" else "ss"  # `max` gives its second operand where the first is a NaN
    _gives = f"max{_sd} %f, %u, pool {int(_type[1:]) // 8} 0 ; vcvtt{_sd}2usi %d, %f"
    tile(f"{_type}-to-unsigned-direct", f"(convert.{_type} u)", _gives, 7, "D.is_word and not D.signed", "avx512f")
    tile(f"{_type}-to-narrow", f"(convert.{_type} u)", _first + _TO_NARROW, 20, "not D.is_word and not D.is_float")
tile("f64-to-f32", "(convert.f64 u)", "cvtsd2ss %d, %u", 5, "D is F32")
tile("f32-to-f64", "(convert.f32 u)", "cvtss2sd %d, %u", 5, "D is F64")
tile("f64-to-f64", "(convert.f64 u)", "movaps %d, %u", 5, "D is F64")
tile("f32-to-f32", "(convert.f32 u)", "movaps %d, %u", 5, "D is F32")
