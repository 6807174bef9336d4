"""Tiles of vectors of floats, and of conversions between vectors."""

from __future__ import annotations

from septet.l3.tiles.floats import Format, arithmetic, fused
from septet.l3.tiles.table import tile, topic
from septet.l3.tiles.vectors import SIZES, V4, both, splat

topic("vectors")

FORMATS = [
    Format(f"f{bits}v{size}", bits, size // bits, size, {128: "", 256: "avx", 512: V4}[size])
    for size in SIZES
    for bits in (64, 32)
]

# Arithmetic, with operands in memory where AVX does not mind how they lie

for _f in FORMATS:
    arithmetic(_f)
    fused(_f)
    _size = int(_f.width or 128)
    for _op, _x86 in (("fadd", "add"), ("fsub", "sub"), ("fmul", "mul"), ("fdiv", "div")):
        _pattern = f"({_op}.{_f.class_} u (load.v{_size} m))"
        tile(f"{_op}-{_f.class_}-memory", _pattern, f"{_f.x86(_x86)} %d, %u, %m", 4, "T.bits > 64", both(_f.needs, "avx"))

# What 512 bits have other instructions for: masks, and rounding

for _bits, _letter, _s in ((64, "q", "d"), (32, "d", "s")):
    _kind, _pd = f"f{_bits}v512", f"p{_s}512"
    for _op, _imm in {"floor": 9, "ceil": 10, "trunc": 11, "nearest": 8}.items():
        tile(f"{_op}-{_kind}-round", f"({_op}.{_kind} u)", f"vrndscale{_pd} %d, %u, {_imm}", 8, needs=V4)
    for _op, _x86, _join in (("fmin", "min", "or"), ("fmax", "max", "and")):
        _both = f"v{_x86}{_pd} %f, %u, %v ; v{_x86}{_pd} %g, %v, %u ; v{_join}{_pd} %f, %f, %g ; "
        _nan = f"vcmp{_pd} k1, %u, %v, 3 ; vadd{_pd} %h, %u, %v ; vblendm{_pd} %d, k1, %f, %h"
        tile(f"{_op}-{_kind}", f"({_op}.{_kind} u v)", _both + _nan, 8, needs=V4)

# Comparisons, and selection by them

PREDICATES = {"feq": 0, "flt": 1, "fle": 2, "fne": 4}
for _f in FORMATS:
    _size, _k = int(_f.width or 128), _f.class_
    for _op, _imm in PREDICATES.items():
        if _size == 512:
            _letter = "q" if _f.bits == 64 else "d"
            _compare = f"vcmp{_f.suffix}512 k1, %u, %p, {_imm} ; "
            tile(f"{_op}-{_k}", f"({_op}.{_k} u p)", f"{_compare}vpmovm2{_letter}512 %d, k1", 5, needs=V4)
            for _root in (_k, f"i{_f.bits}v512"):
                _gives = f"{_compare}vpblendm{_letter}512 %d, k1, %u2, %w"
                tile(f"select-{_op}-{_k}-{_root[0]}", f"(select.{_root} ({_op}.{_k} u p) w u2)", _gives, 5, needs=V4)
            continue
        _compare = f"{_f.x86('cmp')} %d, %u, %p, {_imm}"
        tile(f"{_op}-{_k}", f"({_op}.{_k} u p)", _compare, 4, needs=_f.needs)
        _compare = f"{_f.x86('cmp')} %f, %u, %p, {_imm} ; "
        for _root in (_k, f"i{_f.bits}v{_size}"):
            _pattern = f"(select.{_root} ({_op}.{_k} u p) w u2)"
            if _size == 128:
                _blend = "andps %g, %f, %w ; andnps %f, %f, %u2 ; orps %d, %g, %f"
                tile(f"select-{_op}-{_k}-{_root[0]}", _pattern, _compare + _blend, 7)
            _blend = f"vblendv{_f.packed}{_f.width} %d, %u2, %w, %f"
            tile(f"select-{_op}-{_k}-{_root[0]}-blend", _pattern, _compare + _blend, 5, needs="avx")
    if _size < 512:
        for _op, _order, _x86, _operands in (
            ("flt", "u v", "min", "%u, %v"), ("fgt", "u v", "max", "%u, %v"),
            ("flt", "v u", "max", "%v, %u"), ("fgt", "v u", "min", "%v, %u"),
        ):  # fmt: skip
            _name = f"{_x86}-of-{_op}-{_k}"
            tile(_name, f"(select.{_k} ({_op}.{_k} u v) {_order})", f"{_f.x86(_x86)} %d, {_operands}", 2, needs=_f.needs)

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
            f"{_v}cvttps2dq{_w} %f, %u ; {_v}cmpps{_w} %g, %u, {splat(0x4F000000, 32, _size)}, 5 ; {_xor} %f, %f, %g ; "
            f"{_v}cmpps{_w} %g, %u, %u, 7 ; {_and} %d, %f, %g"
        )
        tile(f"f32v{_size}-to-s32", f"(convert.f32v{_size} u)", _gives, 12, f"{TO[_i32]} and {_signed}", _float_needs)
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
    # doubles to 32-bit integers, between the ends of the range first, where both are numbers of theirs
    if _b < 2:
        _wide = 128 << _b
        _and = f"{_v}andpd{_w}"
        _gives = (
            f"{_v}cmppd{_w} %f, %u, %u, 7 ; {_and} %f, %f, %u ; {_v}minpd{_w} %f, %f, {splat(0x41DFFFFFFFC00000, 64, _wide)} ; "
            f"{_v}maxpd{_w} %f, %f, {splat(0xC1E0000000000000, 64, _wide)} ; {_v}cvttpd2dq{_w} %d, %f"
        )
        tile(f"f64v{_source}-to-s32", f"(convert.f64v{_source} u)", _gives, 14, f"{_where}{TO[2]} and D.element.signed", _needs)
