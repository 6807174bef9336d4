"""Tiles of vectors of floats."""

from __future__ import annotations

from septet.l3.tiles.floats import Format, arithmetic, fused
from septet.l3.tiles.table import tile, topic
from septet.l3.tiles.vectors import SIZES, V4, both

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
    for _order, _x86, _operands in (("u v", "min", "%u, %v"), ("v u", "max", "%v, %u")):
        _pattern = f"(select.{_k} (flt.{_k} u v) {_order})"
        tile(f"{_x86}-of-flt-{_k}", _pattern, f"{_f.x86(_x86)} %d, {_operands}", 2, needs=_f.needs)
