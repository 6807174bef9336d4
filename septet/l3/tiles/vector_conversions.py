"""Tiles of conversions between vectors of floats and integers.

The processor gives the same number for all that is out of range, NaNs included: 2^(n-1) of signed integers, all ones of
unsigned ones.  So what is past an end, or a NaN, is dealt with before or after.
"""

from __future__ import annotations

from septet.l3.tiles.table import tile, topic
from septet.l3.tiles.vectors import NEEDS, SIZES, V4, splat, x86

topic("vectors")

ORDERED, UNORDERED, AT_LEAST = 7, 3, 5  # predicates of comparisons; the last is true of NaNs
TWO_31, TWO_52, TWO_63, TWO_84 = 0x41E0000000000000, 0x4330000000000000, 0x43E0000000000000, 0x4530000000000000
TWO_84_52, TWO_84_63_52 = 0x4530000000100000, 0x4530000080100000  # sums of those powers
LOWEST, HIGHEST, HIGHEST_UNSIGNED = 0xC1E0000000000000, 0x41DFFFFFFFC00000, 0x41EFFFFFFFE00000  # of 32 bits
TWO_16_F32, TWO_31_F32 = 0x47800000, 0x4F000000
LOW_32 = 0xFFFFFFFF

# Conversions.  T is what is converted, D what it becomes; the class is of the source.

TO = {n: f"SHAPE[D] == {n}" for n in range(24)}
for _index, _size in enumerate(SIZES):
    _w = "" if _size == 128 else str(_size)
    _v = "v" if _w else ""
    _float_needs = {128: "", 256: "avx", 512: V4}[_size]
    _f32, _f64, _i32, _i64 = (8 * _index + n for n in (4, 5, 2, 3))
    _signed, _unsigned = "D.element.signed", "not D.element.signed"
    # from 32-bit integers
    tile(f"s32v{_size}-to-f32", f"(convert.s32v{_size} u)", f"{_v}cvtdq2ps{_w} %d, %u", 4, TO[_f32], _float_needs)
    tile(f"u32v{_size}-to-f32", f"(convert.u32v{_size} u)", f"vcvtudq2ps{_w} %d, %u", 4, TO[_f32], V4)
    # from floats to 32-bit integers: out of range gives 2^31, whose bits turn around where it was too large; NaNs give 0
    _and, _xor = (f"{_v}{name}ps{_w}" for name in ("and", "xor"))
    if _size < 512:
        _gives = (
            f"{_v}cvttps2dq{_w} %f, %u ; {_v}cmpps{_w} %g, %u, {splat(TWO_31_F32, 32, _size)}, {AT_LEAST} ; "
            f"{_xor} %f, %f, %g ; {_v}cmpps{_w} %g, %u, %u, {ORDERED} ; {_and} %d, %f, %g"
        )
        tile(f"f32v{_size}-to-s32", f"(convert.f32v{_size} u)", _gives, 12, f"{TO[_i32]} and {_signed}", _float_needs)
    else:
        _gives = (
            f"vcvttps2dq512 %f, %u ; vcmpps512 k1, %u, {splat(TWO_31_F32, 32, 512)}, {AT_LEAST} ; "
            f"vpblendmd512 %f, k1, %f, {splat((1 << 31) - 1, 32, 512)} ; "
            f"vcmpps512 k1, %u, %u, {UNORDERED} ; vpblendmd512 %d, k1, %f, {splat(0, 32, 512)}"
        )
        tile("f32v512-to-s32", "(convert.f32v512 u)", _gives, 12, f"{TO[_i32]} and {_signed}", V4)
    # to unsigned ones: `max` gives its second operand where the first is a NaN
    _max = f"{x86('maxps', _size)} %f, %u, {splat(0, 32, _size)} ; "
    tile(f"f32v{_size}-to-u32-direct", f"(convert.f32v{_size} u)", f"{_max}vcvttps2udq{_w} %d, %f", 5,
         f"{TO[_i32]} and {_unsigned}", V4)  # fmt: skip
    if _size < 512:
        _gives = (
            f"{_max}{x86('cvttps2dq', _size)} %g, %f ; {x86('subps', _size)} %f, %f, {splat(TWO_31_F32, 32, _size)} ; "
            f"{x86('cmpps', _size)} %h, %f, {splat(TWO_31_F32, 32, _size)}, {AT_LEAST} ; {x86('cvttps2dq', _size)} %f, %f ; "
            f"{x86('psrad', _size)} %i, %g, 31 ; {x86('pand', _size)} %f, %f, %i ; {x86('por', _size)} %g, %g, %f ; "
            f"{x86('por', _size)} %d, %g, %h"
        )
        tile(f"f32v{_size}-to-u32", f"(convert.f32v{_size} u)", _gives, 14, f"{TO[_i32]} and {_unsigned}", NEEDS[_size])
        # from unsigned ones by halves, whose sum is rounded once
        _gives = (
            f"{x86('psrld', _size)} %f, %u, 16 ; {x86('cvtdq2ps', _size)} %f, %f ; "
            f"{x86('mulps', _size)} %f, %f, {splat(TWO_16_F32, 32, _size)} ; "
            f"{x86('pand', _size)} %g, %u, {splat(0xFFFF, 32, _size)} ; {x86('cvtdq2ps', _size)} %g, %g ; "
            f"{x86('addps', _size)} %d, %f, %g"
        )
        tile(f"u32v{_size}-to-f32-halves", f"(convert.u32v{_size} u)", _gives, 10, TO[_f32], NEEDS[_size])
        # from words: the upper half as low digits of 2^84, the lower as those of 2^52, both exact; their sum is rounded once
        _lower = (
            f"{x86('subpd', _size)} %f, %f, {{}} ; "
            f"{x86('pand', _size)} %g, %u, {splat(LOW_32, 64, _size)} ; "
            f"{x86('por', _size)} %g, %g, {splat(TWO_52, 64, _size)} ; {x86('addpd', _size)} %d, %f, %g"
        )
        _upper = f"{x86('psrlq', _size)} %f, {{}}, 32 ; {x86('por', _size)} %f, %f, {splat(TWO_84, 64, _size)} ; "
        _gives = _upper.format("%u") + _lower.format(splat(TWO_84_52, 64, _size))
        tile(f"u64v{_size}-to-f64-halves", f"(convert.u64v{_size} u)", _gives, 12, f"T.bits > 64 and {TO[_f64]}", NEEDS[_size])
        _flip = f"{x86('pxor', _size)} %f, %u, {splat(1 << 63, 64, _size)} ; "
        _gives = _flip + _upper.format("%f") + _lower.format(splat(TWO_84_63_52, 64, _size))
        tile(f"s64v{_size}-to-f64-halves", f"(convert.s64v{_size} u)", _gives, 13, f"T.bits > 64 and {TO[_f64]}", NEEDS[_size])
    # from doubles to words
    _max = f"{x86('maxpd', _size)} %f, %u, {splat(0, 64, _size)} ; "
    tile(f"f64v{_size}-to-u64", f"(convert.f64v{_size} u)", f"{_max}vcvttpd2uqq{_w} %d, %f", 5, f"{TO[_i64]} and {_unsigned}",
         V4)  # fmt: skip
    if _size < 512:
        _gives = (
            f"vcvttpd2qq{_w} %f, %u ; vcmppd{_w} %g, %u, {splat(TWO_63, 64, _size)}, {AT_LEAST} ; vxorpd{_w} %f, %f, %g ; "
            f"vcmppd{_w} %g, %u, %u, {ORDERED} ; vandpd{_w} %d, %f, %g"
        )
    else:
        _gives = (
            f"vcvttpd2qq512 %f, %u ; vcmppd512 k1, %u, {splat(TWO_63, 64, 512)}, {AT_LEAST} ; "
            f"vpblendmq512 %f, k1, %f, {splat((1 << 63) - 1, 64, 512)} ; "
            f"vcmppd512 k1, %u, %u, {UNORDERED} ; vpblendmq512 %d, k1, %f, {splat(0, 64, 512)}"
        )
    tile(f"f64v{_size}-to-s64", f"(convert.f64v{_size} u)", _gives, 9, f"{TO[_i64]} and {_signed}", V4)
    # between words and doubles
    for _sign, _u in (("s", ""), ("u", "u")):
        tile(f"{_sign}64v{_size}-to-f64", f"(convert.{_sign}64v{_size} u)", f"vcvt{_u}qq2pd{_w} %d, %u", 4, TO[_f64], V4)
# from one size to the next, or from the lower half of a register to all of it
_HALF = (("128", 64, 0, 0, ""), ("128", 128, 0, 1, "avx"), ("256", 256, 1, 2, V4))
for _from, _bits, _a, _b, _needs in _HALF:
    _w = {0: "", 1: "256", 2: "512"}[_b]
    _v = "v" if _w else ""
    _where = f"T.bits == {_bits} and "
    _int_needs = {0: "sse4.1", 1: "avx2", 2: V4}[_b]
    for _lanes, _to, _code in ((32, 64, "dq"), (16, 32, "wd"), (8, 16, "bw")):
        _number = {64: 3, 32: 2, 16: 1}[_to] + 8 * _b
        for _sign, _x in (("s", "sx"), ("u", "zx")):
            _gives = f"{_v}pmov{_x}{_code}{_w} %d, %u"
            tile(f"{_sign}{_lanes}v{_bits}-to-{_to}", f"(convert.{_sign}{_lanes}v{_from} u)", _gives, 2,
                 f"{_where}{TO[_number]}", _int_needs)  # fmt: skip
    _f32_to, _f64_to = 4 + 8 * _b, 5 + 8 * _b
    tile(f"s32v{_bits}-to-f64", f"(convert.s32v{_from} u)", f"{_v}cvtdq2pd{_w} %d, %u", 5, f"{_where}{TO[_f64_to]}", _needs)
    tile(f"u32v{_bits}-to-f64", f"(convert.u32v{_from} u)", f"vcvtudq2pd{_w} %d, %u", 5, f"{_where}{TO[_f64_to]}", V4)
    tile(f"f32v{_bits}-to-f64", f"(convert.f32v{_from} u)", f"{_v}cvtps2pd{_w} %d, %u", 5, f"{_where}{TO[_f64_to]}", _needs)
    # and back
    _source = {0: "128", 1: "256", 2: "512"}[_b]
    _where = f"D.bits == {_bits} and T.bits == {2 * _bits} and "
    _back = {0: 4, 1: 4, 2: 12}[_b]
    tile(f"f64v{_source}-to-f32", f"(convert.f64v{_source} u)", f"{_v}cvtpd2ps{_w} %d, %u", 5, f"{_where}{TO[_back]}", _needs)
    for _lanes, _to, _code in ((64, 2, "qd"), (32, 1, "dw"), (16, 0, "wb")):
        _number = _to + (8 if _b == 2 else 0)
        _w2 = {0: "", 1: "256", 2: "512"}[_b]
        tile(f"i{_lanes}v{_source}-cut-off", f"(convert.i{_lanes}v{_source} u)", f"vpmov{_code}{_w2} %d, %u", 4,
             f"{_where}{TO[_number]}", V4)  # fmt: skip
    # words to 32-bit floats
    for _sign, _u in (("s", ""), ("u", "u")):
        _w2 = {0: "", 1: "256", 2: "512"}[_b]
        tile(f"{_sign}64v{_source}-to-f32", f"(convert.{_sign}64v{_source} u)", f"vcvt{_u}qq2ps{_w2} %d, %u", 5,
             f"{_where}{TO[_back]}", V4)  # fmt: skip
    # doubles to 32-bit integers, between the ends of the range first, where both are numbers of theirs
    _wide = 128 << _b
    _int = TO[2 if _b < 2 else 10]
    _max = f"{x86('maxpd', _wide)} %f, %u, {splat(0, 64, _wide)} ; "
    tile(f"f64v{_source}-to-u32-direct", f"(convert.f64v{_source} u)", f"{_max}vcvttpd2udq{_w} %d, %f", 5,
         f"{_where}{_int} and not D.element.signed", V4)  # fmt: skip
    if _b == 2:
        _gives = (
            f"vcmppd512 k1, %u, %u, {UNORDERED} ; vblendmpd512 %f, k1, %u, {splat(0, 64, 512)} ; "
            f"vminpd512 %f, %f, {splat(HIGHEST, 64, 512)} ; "
            f"vmaxpd512 %f, %f, {splat(LOWEST, 64, 512)} ; vcvttpd2dq512 %d, %f"
        )
        tile("f64v512-to-s32", "(convert.f64v512 u)", _gives, 14, f"{_where}{_int} and D.element.signed", V4)
    else:
        _gives = (  # what is 2^31 or more has its lower digits in the difference
            f"{_max}{x86('minpd', _wide)} %f, %f, {splat(HIGHEST_UNSIGNED, 64, _wide)} ; {x86('cvttpd2dq', _wide)} %g, %f ; "
            f"{x86('subpd', _wide)} %f, %f, {splat(TWO_31, 64, _wide)} ; {x86('cvttpd2dq', _wide)} %f, %f ; "
            f"psrad %h, %g, 31 ; pand %f, %f, %h ; por %d, %f, %g"
        )
        tile(
            f"f64v{_source}-to-u32",
            f"(convert.f64v{_source} u)",
            _gives,
            16,
            f"{_where}{_int} and not D.element.signed",
            _needs,
        )
        _and = f"{_v}andpd{_w}"
        _gives = (
            f"{_v}cmppd{_w} %f, %u, %u, {ORDERED} ; {_and} %f, %f, %u ; "
            f"{_v}minpd{_w} %f, %f, {splat(HIGHEST, 64, _wide)} ; "
            f"{_v}maxpd{_w} %f, %f, {splat(LOWEST, 64, _wide)} ; {_v}cvttpd2dq{_w} %d, %f"
        )
        tile(f"f64v{_source}-to-s32", f"(convert.f64v{_source} u)", _gives, 14, f"{_where}{TO[2]} and D.element.signed", _needs)
