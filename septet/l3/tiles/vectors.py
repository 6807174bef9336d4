"""Tiles of vectors: memory, logic, integers.  `vector_floats` has those of floats, `shuffles` what a SHUFFLE becomes.

What has no tile here for some target is expanded, in the end lane by lane (see `legalise`).
"""

from __future__ import annotations

from functools import partial

from septet.l3.tiles.table import tile, topic

topic("vectors")

V4 = "avx512f avx512bw avx512dq avx512vl"
NEEDS = {128: "", 256: "avx2", 512: V4}
LETTER = {8: "b", 16: "w", 32: "d", 64: "q"}
SIZES = (128, 256, 512)


def x86(name: str, size: int) -> str:
    """The instruction on registers of that many bits; of 128, the name of SSE stands for AVX's too."""
    return name if size == 128 else f"v{name}{size}"


def splat(lane: int, bits: int, size: int) -> str:
    """A constant in memory with `lane` in every lane of `bits`."""
    return f"pool {size // 8} {sum([lane << n for n in range(0, size, bits)]):#x}"


def both(needs: str, more: str) -> str:
    """The features of both."""
    return " ".join(dict.fromkeys(f"{needs} {more}".split()))


def binary(op: str, kind: str, name: str, size: int, needs: str = "", cost: int = 1) -> None:
    """An operation that is one instruction, whose second operand may be in memory; SSE's must be aligned, so AVX's alone."""
    needs = both(NEEDS[size], needs)
    tile(f"{op}-{kind}", f"({op}.{kind} u p)", f"{x86(name, size)} %d, %u, %p", cost, needs=needs)
    load = f"(load.v{size} m)"
    whole = "T.bits > 64" if size == 128 else ""
    tile(f"{op}-{kind}-memory", f"({op}.{kind} u {load})", f"{x86(name, size)} %d, %u, %m", cost, whole, both(needs, "avx"))


# Memory, copies, casts.  A vector of 64 bits is read and written alone, as there may be nothing behind it.

tile("load-v64", "(load.v128 m)", "movq %d, %m", 1, "T.bits == 64")
tile("load-v128", "(load.v128 m)", "movups %d, %m", 1, "T.bits == 128")
tile("store-v64", "(store.v128 m u)", "movqr %m, %u", 1, "T.bits == 64")
tile("store-v128", "(store.v128 m u)", "movups %m, %u", 1, "T.bits == 128")
tile("copy-v128", "(copy.v128 u)", "movaps %d, %u")
tile("constant-v128-twice", "(copy.v128 c)", "movddup %d, pool 8 {c & (1 << 64) - 1}", 0, "repeated(c, 128, 64)", "sse3")
tile("constant-v128", "(copy.v128 c)", "movups %d, pool 16 {c}", 0)
for _size in (256, 512):
    _needs = "avx" if _size == 256 else V4
    tile(f"load-v{_size}", f"(load.v{_size} m)", f"vmovups{_size} %d, %m", needs=_needs)
    tile(f"store-v{_size}", f"(store.v{_size} m u)", f"vmovups{_size} %m, %u", needs=_needs)
    tile(f"copy-v{_size}", f"(copy.v{_size} u)", f"vmovaps{_size} %d, %u", needs=_needs)
    _gives = f"vbroadcastsd{_size} %d, pool 8 {{c & (1 << 64) - 1}}"
    tile(f"constant-v{_size}-repeated", f"(copy.v{_size} c)", _gives, 0, f"repeated(c, {_size}, 64)", _needs)
    tile(f"constant-v{_size}", f"(copy.v{_size} c)", f"vmovups{_size} %d, pool {_size // 8} {{c}}", 0, needs=_needs)
    tile(f"cast-v{_size}", f"(bitcast.v{_size} u)", f"vmovaps{_size} %d, %u", needs=_needs)
tile("cast-word-to-v64", "(bitcast.v128 x)", "movq %d, %x", 2, "A.kind < 2")
tile("cast-v128", "(bitcast.v128 u)", "movaps %d, %u", 1, "A.kind >= 2")
tile("cast-v64-to-f64", "(bitcast.f64 u)", "movaps %d, %u", 1, "A.kind == VECTOR")
tile("cast-v64-to-word", "(bitcast.word u)", "movqr %d, %u", 2, "A.kind == VECTOR")

# Logic

for _size in SIZES:
    _q = "q" if _size == 512 else ""
    for _op, _x86 in (("and", "pand"), ("or", "por"), ("xor", "pxor")):
        binary(_op, f"v{_size}", _x86 + _q, _size)
    _ones = f"pool {_size // 8} {(1 << _size) - 1:#x}"
    tile(f"not-v{_size}", f"(not.v{_size} u)", f"{x86('pxor' + _q, _size)} %d, %u, {_ones}", 1, needs=NEEDS[_size])
    tile(
        f"and-not-v{_size}",
        f"(and.v{_size} (not.v{_size} u) p)",
        f"{x86('pandn' + _q, _size)} %d, %u, %p",
        1,
        needs=NEEDS[_size],
    )

# Addition, multiplication, minimum, maximum

MINIMA = {"s16": "", "u8": "", "s8": "sse4.1", "s32": "sse4.1", "u16": "sse4.1", "u32": "sse4.1", "s64": V4, "u64": V4}
for _size in SIZES:
    for _bits, _letter in LETTER.items():
        _kind = f"i{_bits}v{_size}"
        binary("add", _kind, f"padd{_letter}", _size)
        binary("sub", _kind, f"psub{_letter}", _size)
        _zero = f"{'movups' if _size == 128 else f'vmovups{_size}'} %f, pool {_size // 8} 0"
        tile(f"neg-{_kind}", f"(neg.{_kind} u)", f"{_zero} ; {x86('psub' + _letter, _size)} %d, %f, %u", 2, needs=NEEDS[_size])
        if _bits < 64:
            _abs = f"{x86('pabs' + _letter, _size)} %d, %u"
            tile(f"iabs-s{_bits}v{_size}", f"(iabs.s{_bits}v{_size} u)", _abs, 1, needs=both(NEEDS[_size], "ssse3"))
        _copy = f"{'movaps' if _size == 128 else f'vmovaps{_size}'} %d, %u"
        tile(f"iabs-u{_bits}v{_size}", f"(iabs.u{_bits}v{_size} u)", _copy, 1,
             needs=NEEDS[_size])  # fmt: skip
        for _sign in "su":
            for _op in ("min", "max"):
                _name = f"p{_op}{_sign}{_letter}"
                if _bits == 64 and _size == 128:
                    _gives = f"v{_name} %d, %u, %p"
                    tile(f"{_op}-{_sign}64v128", f"({_op}.{_sign}64v128 u p)", _gives, 3, needs=V4)
                elif _sign + str(_bits) in MINIMA:
                    binary(_op, f"{_sign}{_bits}v{_size}", _name, _size,
                           MINIMA[f"{_sign}{_bits}"])  # fmt: skip
    tile(f"iabs-s64v{_size}", f"(iabs.s64v{_size} u)", f"vpabsq{_size if _size > 128 else ''} %d, %u", 1, needs=V4)
    binary("mul", f"i16v{_size}", "pmullw", _size, cost=5)
    binary("mul", f"i32v{_size}", "pmulld", _size, "sse4.1", cost=10)
    tile(f"mul-i64v{_size}-dq", f"(mul.i64v{_size} u p)", f"vpmullq{_size if _size > 128 else ''} %d, %u, %p", 15, needs=V4)
    _and, _or = (x86(name + ("q" if _size == 512 else ""), _size) for name in ("pand", "por"))
    _x = partial(x86, size=_size)
    if _size < 512:
        tile(
            f"mul-i64v{_size}",
            f"(mul.i64v{_size} u v)",
            f"{_x('psrlq')} %f, %u, 32 ; {_x('pmuludq')} %f, %f, %v ; {_x('psrlq')} %g, %v, 32 ; {_x('pmuludq')} %g, %g, %u ;"
            f"{_x('paddq')} %f, %f, %g ; {_x('psllq')} %f, %f, 32 ; {_x('pmuludq')} %g, %u, %v ; {_x('paddq')} %d, %f, %g",
            20,
            needs=NEEDS[_size],
        )
    tile(
        f"mul-i8v{_size}",
        f"(mul.i8v{_size} u v)",
        f"{_x('psrlw')} %f, %u, 8 ; {_x('psrlw')} %g, %v, 8 ; {_x('pmullw')} %f, %f, %g ; {_x('psllw')} %f, %f, 8 ;"
        f"{_x('pmullw')} %g, %u, %v ; {_and} %g, %g, {splat(0xFF, 16, _size)} ; {_or} %d, %f, %g",
        10,
        needs=NEEDS[_size],
    )
    binary("mul-high", f"s16v{_size}", "pmulhw", _size, cost=5)
    binary("mul-high", f"u16v{_size}", "pmulhuw", _size, cost=5)
    for _sign, _name in (("u", "pmuludq"), ("s", "pmuldq")):
        tile(
            f"mul-high-{_sign}32v{_size}",
            f"(mul-high.{_sign}32v{_size} u v)",
            f"{_x(_name)} %f, %u, %v ; {_x('pshufd')} %g, %u, 0xf5 ; {_x('pshufd')} %h, %v, 0xf5 ; {_x(_name)} %g, %g, %h ;"
            f"{_x('psrlq')} %f, %f, 32 ; {_and} %g, %g, {splat(0xFFFFFFFF << 32, 64, _size)} ; {_or} %d, %f, %g",
            12,
            needs=both(NEEDS[_size], "sse4.1" if _sign == "s" else ""),
        )
tile(
    "mul-i32v128-pairs",
    "(mul.i32v128 u v)",
    "pmuludq %f, %u, %v ; pshufd %g, %u, 0xf5 ; pshufd %h, %v, 0xf5 ; pmuludq %g, %g, %h ;"
    "pshufd %f, %f, 8 ; pshufd %g, %g, 8 ; punpckldq %d, %f, %g",
    14,
)

# Comparisons, which give masks.  Only these two are there, so `expand` makes the others of them; AVX-512 has all.

for _size in (128, 256):
    for _bits, _letter in LETTER.items():
        _eq, _gt = {64: ("sse4.1", "sse4.2")}.get(_bits, ("", ""))
        binary("eq", f"i{_bits}v{_size}", f"pcmpeq{_letter}", _size, _eq)
        binary("gt", f"s{_bits}v{_size}", f"pcmpgt{_letter}", _size, _gt)
tile("eq-i64v128-halves", "(eq.i64v128 u v)", "pcmpeqd %f, %u, %v ; pshufd %g, %f, 0xb1 ; pand %d, %f, %g", 4)
tile(
    "gt-s64v128-halves",
    "(gt.s64v128 u v)",
    "psubq %f, %v, %u ; pcmpeqd %g, %u, %v ; pand %f, %f, %g ; pcmpgtd %g, %u, %v ; por %f, %f, %g ; pshufd %d, %f, 0xf5",
    6,
)
PREDICATES = {"eq": 0, "lt": 1, "le": 2, "ne": 4, "ge": 5, "gt": 6}
for _bits, _letter in LETTER.items():
    for _sign in "su":
        _kind = f"{_sign}{_bits}v512"
        _compare = f"vpcmp{'u' if _sign == 'u' else ''}{_letter}512 k1, %u, "
        for _op, _imm in PREDICATES.items():
            tile(f"{_op}-{_kind}", f"({_op}.{_kind} u p)", f"{_compare}%p, {_imm} ; vpmovm2{_letter}512 %d, k1", 4, needs=V4)
            for _root in (f"i{_bits}v512", f"f{_bits}v512") if _bits > 16 else (f"i{_bits}v512",):
                tile(
                    f"select-{_op}-{_kind}-{_root[0]}",
                    f"(select.{_root} ({_op}.{_kind} u p) w u2)",
                    f"{_compare}%p, {_imm} ; vpblendm{_letter}512 %d, k1, %u2, %w",
                    4,
                    needs=V4,
                )

# Selection by the sign bits of a mask

for _bits, _letter in LETTER.items():
    _spread = {  # the sign of each lane to all of its bits
        8: "movups %f, pool 16 0 ; pcmpgtb %f, %f, %w ; ", 16: "psraw %f, %w, 15 ; ", 32: "psrad %f, %w, 31 ; ",
        64: "psrad %f, %w, 31 ; pshufd %f, %f, 0xf5 ; ",
    }[_bits]  # fmt: skip
    _logic = "pand %g, %f, %u ; pandn %f, %f, %v ; por %d, %f, %g"
    for _kind in (f"i{_bits}", f"f{_bits}") if _bits > 16 else (f"i{_bits}",):
        tile(f"select-{_kind}v128", f"(select.{_kind}v128 w u v)", _spread + _logic, 6)
        for _op in ("eq", "gt"):
            _lanes = f"{'i' if _op == 'eq' else 's'}{_bits}v128"
            if _bits < 64:
                _gives = f"pcmp{_op}{_letter} %f, %u, %p ; pand %g, %f, %w ; pandn %f, %f, %u2 ; por %d, %f, %g"
                tile(f"select-{_op}-{_kind}v128", f"(select.{_kind}v128 ({_op}.{_lanes} u p) w u2)", _gives, 4)
        for _size in (128, 256):
            _w = "" if _size == 128 else "256"
            _blendv = {8: f"vpblendvb{_w}", 16: f"vpblendvb{_w}", 32: f"vblendvps{_w}", 64: f"vblendvpd{_w}"}[_bits]
            _first = f"vpsraw{_w} %f, %w, 15 ; " if _bits == 16 else ""
            _mask = "%f" if _first else "%w"
            _needs = "avx" if _size == 128 or _bits > 16 and _kind[0] == "f" else "avx2"
            _gives = f"{_first}{_blendv} %d, %v, %u, {_mask}"
            tile(f"select-{_kind}v{_size}-blend", f"(select.{_kind}v{_size} w u v)", _gives, 3,
                 needs=_needs)  # fmt: skip
            for _op in ("eq", "gt"):
                _lanes = f"{'i' if _op == 'eq' else 's'}{_bits}v{_size}"
                _gives = f"vpcmp{_op}{_letter}{_w} %f, %u, %p ; {_blendv} %d, %u2, %w, %f"
                tile(f"select-{_op}-{_kind}v{_size}-blend", f"(select.{_kind}v{_size} ({_op}.{_lanes} u p) w u2)", _gives, 3,
                     needs=both("avx", NEEDS[_size]))  # fmt: skip
        _gives = f"vpmov{_letter}2m512 k1, %w ; vpblendm{_letter}512 %d, k1, %v, %u"
        tile(f"select-{_kind}v512", f"(select.{_kind}v512 w u v)", _gives,
             4, needs=V4)  # fmt: skip

# Selection that is a minimum or a maximum.  Up to 256 bits `lt` has become `gt` by now, and unsigned lanes are flipped.

for _size in SIZES:
    for _bits, _letter in LETTER.items():
        for _sign in "su" if _size == 512 else "s":
            for _op, _order, _name in (("gt", "u v", "max"), ("gt", "v u", "min"), ("lt", "u v", "min"), ("lt", "v u", "max")):
                if _op == "lt" and _size < 512:
                    continue
                _p = f"p{_name}{_sign}{_letter}"
                _p = f"v{_p}" if _bits == 64 and _size == 128 else x86(_p, _size)
                _kind = f"{_sign}{_bits}v{_size}"
                _pattern = f"(select.{_kind} ({_op}.{_kind} u v) {_order})"
                tile(f"{_name}-of-{_op}-{_kind}", _pattern, f"{_p} %d, %u, %v", 2,
                     needs=both(NEEDS[_size], MINIMA[f"{_sign}{_bits}"]))  # fmt: skip

# Shifts by the same constant in every lane

_SPLAT = "type(c) is int and is_splat(c, T)"
_N = "(lane(c, T) & (T.element.bits - 1))"
_COUNT = f"{{{_N}}}"
for _size in SIZES:
    _and, _xor = (x86(name + ("q" if _size == 512 else ""), _size) for name in ("pand", "pxor"))
    for _bits, _letter in LETTER.items():
        _needs = NEEDS[_size]
        for _op, _sign, _name in (("shl", "i", "psll"), ("shr", "u", "psrl"), ("shr", "s", "psra")):
            _kind = f"{_sign}{_bits}v{_size}"
            _row = f"{_op}-{_kind}-constant", f"({_op}.{_kind} u c)"
            _shift = f"{x86(_name + _letter, _size)} %d, %u, {_COUNT}"
            if _bits > 16 and _bits < 64 or _bits == 16 or _bits == 64 and _name != "psra":
                tile(*_row, _shift, 1, _SPLAT, _needs)
                continue
            _top = f"pool {_size // 8} {{each(1 << T.element.bits - 1 - {_N}, {_bits}, {_size})}}"
            if _bits == 64:
                if _size == 512:
                    tile(*_row, f"vpsraq512 %d, %u, {_COUNT}", 1, _SPLAT, _needs)
                    continue
                _sub = f"{x86('psubq', _size)} %d, %f, {_top}"
                tile(*_row, f"{x86('psrlq', _size)} %f, %u, {_COUNT} ; {_xor} %f, %f, {_top} ; {_sub}", 3, _SPLAT, _needs)
                continue
            _kept = f"255 << {_N} & 255" if _op == "shl" else f"255 >> {_N}"
            _kept = f"pool {_size // 8} {{each({_kept}, 8, {_size})}}"
            if _sign != "s":
                _word = x86("psllw" if _op == "shl" else "psrlw", _size)
                tile(*_row, f"{_word} %f, %u, {_COUNT} ; {_and} %d, %f, {_kept}", 2, _SPLAT, _needs)
            else:
                _gives = f"{x86('psrlw', _size)} %f, %u, {_COUNT} ; {_and} %f, %f, {_kept} ; {_xor} %f, %f, {_top} ; "
                tile(*_row, f"{_gives}{x86('psubb', _size)} %d, %f, {_top}", 4, _SPLAT, _needs)

# Shifts by a count in each lane, taken modulo the lane's bits; and rotations

for _size in SIZES:
    _w = "" if _size == 128 else str(_size)
    _and = "vpandq512" if _size == 512 else f"vpand{_w}"
    for _bits, _letter in ((32, "d"), (64, "q"), (16, "w")):
        _mask = f"{_and} %f, %v, {splat(_bits - 1, _bits, _size)} ; "
        for _op, _sign, _name in (("shl", "i", "psllv"), ("shr", "u", "psrlv"), ("shr", "s", "psrav")):
            _needs = V4 if _bits == 16 or _size == 512 or _bits == 64 and _name == "psrav" else "avx2"
            _gives = f"{_mask}v{_name}{_letter}{_w} %d, %u, %f"
            tile(f"{_op}-{_sign}{_bits}v{_size}", f"({_op}.{_sign}{_bits}v{_size} u v)", _gives, 2, needs=_needs)
        if _bits != 16:
            for _op, _name in (("rotate-left", "vprol"), ("rotate-right", "vpror")):
                _kind = f"i{_bits}v{_size}"
                tile(f"{_op}-{_kind}", f"({_op}.{_kind} u p)", f"{_name}v{_letter}{_w} %d, %u, %p", 2, needs=V4)
            tile(f"clz-i{_bits}v{_size}", f"(count-leading-zeros.i{_bits}v{_size} u)", f"vplzcnt{_letter}{_w} %d, %u", 4,
                 needs=f"{V4} avx512cd")  # fmt: skip

# Single lanes

for _sign in "su":
    for _bits in (8, 16, 32):
        _kind = f"{_sign}{_bits}v"
        _pextr = f"pextr{LETTER[_bits]}"
        _fit = {("s", 8): " ; movsx8 %d, %d", ("s", 16): " ; movsx16 %d, %d", ("s", 32): " ; movsx32 %d, %d"}.get(
            (_sign, _bits), ""
        )
        _each = 128 // _bits
        _41 = "" if _bits == 16 else "sse4.1"
        tile(f"extract-{_kind}128", f"(extract.{_kind}128 u k)", f"{_pextr} %d, %u, {{k}}{_fit}", 3, needs=_41)
        _far = f"%f, %u, {{k // {_each}}} ; v{_pextr} %d, %f, {{k % {_each}}}{_fit}"
        tile(f"extract-{_kind}256", f"(extract.{_kind}256 u k)", f"vextracti128 {_far}", 6, needs="avx2")
        tile(f"extract-{_kind}512", f"(extract.{_kind}512 u k)", f"vextracti32x4 {_far}", 6, needs=V4)
    tile(f"extract-{_sign}8v128-even", f"(extract.{_sign}8v128 u k)",
         f"pextrw %d, %u, {{k // 2}} ; mov{_sign.replace('u', 'z').replace('s', 's')}x8 %d, %d", 5, "k % 2 == 0")  # fmt: skip
    tile(f"extract-{_sign}8v128-odd", f"(extract.{_sign}8v128 u k)",
         f"pextrw %d, %u, {{k // 2}} ; shr %d, 8 ; mov{_sign.replace('u', 'z')}x8 %d, %d", 6, "k % 2 == 1")  # fmt: skip
    _fit = " ; movsx32 %d, %d" if _sign == "s" else ""
    tile(f"extract-{_sign}32v128-first", f"(extract.{_sign}32v128 u k)", f"movdr %d, %u{_fit}", 2, "k == 0")
    tile(f"extract-{_sign}32v128-move", f"(extract.{_sign}32v128 u k)", f"pshufd %f, %u, {{k}} ; movdr %d, %f{_fit}", 4)
tile("extract-i64v128-first", "(extract.i64v128 u k)", "movqr %d, %u", 2, "k == 0")
tile("extract-i64v128-move", "(extract.i64v128 u k)", "pshufd %f, %u, 0xee ; movqr %d, %f", 4)
tile("extract-i64v128", "(extract.i64v128 u k)", "pextrq %d, %u, {k}", 3, needs="sse4.1")
for _size, _extract, _needs in ((256, "vextracti128", "avx2"), (512, "vextracti32x4", V4)):
    _far = f"{_extract} %f, %u, {{k // 2}} ; vpextrq %d, %f, {{k % 2}}"
    tile(f"extract-i64v{_size}", f"(extract.i64v{_size} u k)", _far, 6, needs=_needs)
    _far = f"{_extract} %f, %u, {{k // 2}} ; vpermilpd %d, %f, {{k % 2}}"
    tile(f"extract-f64v{_size}", f"(extract.f64v{_size} u k)", _far, 4, needs=_needs)
    _far = f"{_extract} %f, %u, {{k // 4}} ; vpermilps %d, %f, {{k % 4}}"
    tile(f"extract-f32v{_size}", f"(extract.f32v{_size} u k)", _far, 4, needs=_needs)
    tile(f"extract-f32v{_size}-first", f"(extract.f32v{_size} u k)", "vmovaps %d, %u", 1, "k == 0", _needs)
    tile(f"extract-f64v{_size}-first", f"(extract.f64v{_size} u k)", "vmovaps %d, %u", 1, "k == 0", _needs)
tile("extract-f64v128-first", "(extract.f64v128 u k)", "movaps %d, %u", 1, "k == 0")
tile("extract-f32v128-first", "(extract.f32v128 u k)", "movaps %d, %u", 1, "k == 0")
tile("extract-f64v128", "(extract.f64v128 u k)", "unpckhpd %d, %u, %u", 2)
tile("extract-f32v128", "(extract.f32v128 u k)", "pshufd %d, %u, {k}", 2)

for _kind, _gives, _needs in (
    ("i8", "pinsrb %d, %u, %x, {k}", "sse4.1"), ("i16", "pinsrw %d, %u, %x, {k}", ""),
    ("i32", "pinsrd %d, %u, %x, {k}", "sse4.1"),
    ("i64", "pinsrq %d, %u, %x, {k}", "sse4.1"), ("f32", "insertps %d, %u, %v, {k << 4}", "sse4.1"),
):  # fmt: skip
    _count = 128 // int(_kind[1:])
    _operand = "v" if _kind[0] == "f" else "x"
    tile(f"insert-{_kind}v128", f"(insert.{_kind}v128 u k {_operand})", _gives, 3, needs=_needs)
    for _size, _out, _in, _feature in (
        (256, "vextracti128", "vinserti128", "avx2"),
        (512, "vextracti32x4", "vinserti32x4", V4),
    ):
        _inner = "v" + _gives.replace("%d, %u", "%f, %f").replace("k", f"k % {_count}", 1).replace(
            "{k % 4 << 4}", "{(k % 4) << 4}"
        )
        _far = f"{_out} %f, %u, {{k // {_count}}} ; {_inner} ; {_in} %d, %u, %f, {{k // {_count}}}"
        tile(f"insert-{_kind}v{_size}", f"(insert.{_kind}v{_size} u k {_operand})", _far, 8, needs=_feature)
for _size, _out, _in, _feature in ((256, "vextracti128", "vinserti128", "avx2"), (512, "vextracti32x4", "vinserti32x4", V4)):
    for _at, _inner in ((0, "vshufpd %f, %v, %f, 2"), (1, "vunpcklpd %f, %f, %v")):
        _far = f"{_out} %f, %u, {{k // 2}} ; {_inner} ; {_in} %d, %u, %f, {{k // 2}}"
        tile(f"insert-f64v{_size}-{_at}", f"(insert.f64v{_size} u k v)", _far, 8, f"k % 2 == {_at}", _feature)
tile("insert-f64v128-low", "(insert.f64v128 u k v)", "shufpd %d, %v, %u, 2", 2, "k == 0")
tile("insert-f64v128-high", "(insert.f64v128 u k v)", "unpcklpd %d, %u, %v", 2, "k == 1")
tile("insert-i64v128-low", "(insert.i64v128 u k x)", "movq %f, %x ; shufpd %d, %f, %u, 2", 4, "k == 0")
tile("insert-i64v128-high", "(insert.i64v128 u k x)", "movq %f, %x ; punpcklqdq %d, %u, %f", 4, "k == 1")
_HALVES = "pinsrw %f, %u, %a, {2 * k} ; shr %a, 16 ; pinsrw %d, %f, %a, {2 * k + 1}"
tile("insert-i32v128-halves", "(insert.i32v128 u k x)", f"%a <- %x ; {_HALVES}", 7)
tile("insert-f32v128-halves", "(insert.f32v128 u k v)", f"movdr %a, %v ; {_HALVES}", 8)
_PAIR = "%b <- %x ; %b &= 255 ; pextrw %a, %u, {k // 2} ; "
tile(
    "insert-i8v128-even",
    "(insert.i8v128 u k x)",
    _PAIR + "%a &= 65280 ; or %a, %b ; pinsrw %d, %u, %a, {k // 2}",
    9,
    "k % 2 == 0",
)
tile("insert-i8v128-odd", "(insert.i8v128 u k x)", _PAIR + "%a &= 255 ; %b <<= 8 ; or %a, %b ; pinsrw %d, %u, %a, {k // 2}", 9,
     "k % 2 == 1")  # fmt: skip

# The same in all lanes

for _kind, _gives in (
    ("i8", "movd %f, %x ; punpcklbw %f, %f, %f ; pshuflw %f, %f, 0 ; pshufd %d, %f, 0"),
    ("i16", "movd %f, %x ; pshuflw %f, %f, 0 ; pshufd %d, %f, 0"),
    ("i32", "movd %f, %x ; pshufd %d, %f, 0"),
    ("i64", "movq %f, %x ; punpcklqdq %d, %f, %f"),
):
    tile(f"splat-{_kind}v128", f"(splat.{_kind}v128 x)", _gives, 5)
tile("splat-f64v128", "(splat.f64v128 u)", "unpcklpd %d, %u, %u", 2)
tile("splat-f32v128", "(splat.f32v128 u)", "shufps %d, %u, %u, 0", 2)
for _bits, _letter in LETTER.items():
    for _size in SIZES:
        _w = "" if _size == 128 else str(_size)
        _move = "vmovq" if _bits == 64 else "vmovd"
        _feature = V4 if _size == 512 else "avx2"
        _kind = f"i{_bits}v{_size}"
        if _size < 512:
            _gives = f"{_move} %f, %x ; vpbroadcast{_letter}{_w} %d, %f"
            tile(f"splat-{_kind}-broadcast", f"(splat.{_kind} x)", _gives, 4, needs=_feature)
        tile(f"splat-{_kind}-direct", f"(splat.{_kind} x)", f"vpbroadcast{_letter}r{_w} %d, %x", 3, needs=V4)
        for _sign in "iu":
            _load = f"(load.{_sign}{_bits} m)" if _bits < 64 else "(load.word m)"
            if _bits < 64 or _sign == "i":
                tile(f"splat-{_sign}{_bits}v{_size}-load", f"(splat.{_kind} {_load})", f"vpbroadcast{_letter}{_w} %d, %m", 3,
                     needs=_feature)  # fmt: skip
for _size, _needs in ((256, "avx2"), (512, V4)):
    for _bits, _letter in ((64, "d"), (32, "s")):
        tile(f"splat-f{_bits}v{_size}", f"(splat.f{_bits}v{_size} u)", f"vbroadcasts{_letter}{_size} %d, %u", 3, needs=_needs)
        _load = f"(splat.f{_bits}v{_size} (load.f{_bits} m))"
        tile(f"splat-f{_bits}v{_size}-load", _load, f"vbroadcasts{_letter}{_size} %d, %m", 3,
             needs=_needs)  # fmt: skip
tile("splat-f64v128-load", "(splat.f64v128 (load.f64 m))", "movddup %d, %m", 3, needs="sse3")
tile("splat-f32v128-load", "(splat.f32v128 (load.f32 m))", "vbroadcastss %d, %m", 3, needs="avx2")

# Sign bits

_LOW = "T.bits == 64"
for _bits, _x86, _first in (
    (64, "movmskpd", ""), (32, "movmskps", ""), (8, "pmovmskb", ""), (16, "pmovmskb", "packsswb %f, %u, %u ; "),
):  # fmt: skip
    for _kind in (f"i{_bits}", f"f{_bits}") if _bits > 16 else (f"i{_bits}",):
        _from = "%f" if _first else "%u"
        _pattern = f"(sign-bits.{_kind}v128 u)"
        if _bits == 16:
            tile(f"sign-bits-{_kind}v128", _pattern, f"{_first}{_x86} %a, {_from} ; movzx8 %d, %a", 5, "T.bits == 128")
        else:
            tile(f"sign-bits-{_kind}v128", _pattern, f"{_x86} %d, %u", 3, "T.bits == 128")
        if _bits < 64:
            tile(f"sign-bits-{_kind}v64", _pattern, f"{_first}{_x86} %d, {_from} ; %d &= {{(1 << T.lanes) - 1}}", 4, _LOW)
        if _bits != 16:
            _v = f"v{_x86}256 %d, %u"
        else:
            _v = "vextracti128 %f, %u, 1 ; vpacksswb %f, %u, %f ; vpmovmskb %d, %f"
        tile(f"sign-bits-{_kind}v256", f"(sign-bits.{_kind}v256 u)", _v, 4, needs="avx2" if _kind[0] == "i" else "avx")
        _m = f"vpmov{LETTER[_bits]}2m512 k1, %u ; kmovq %d, k1"
        tile(f"sign-bits-{_kind}v512", f"(sign-bits.{_kind}v512 u)", _m, 5, needs=V4)

# Counting bits that are 1: of half bytes by table, then sums of what belongs to a lane (Mula)

_COUNTS = bytes([n.bit_count() for n in range(16)])
_SUMS = {
    8: "", 16: "; {pmaddubsw} %d, %d, {bytes}", 32: "; {pmaddubsw} %d, %d, {bytes} ; {pmaddwd} %d, %d, {words}",
    64: "; {psadbw} %d, %d, {zero}",
}  # fmt: skip
for _size in SIZES:
    _names = {name: x86(name, _size) for name in ("psrlw", "pshufb", "paddb", "pmaddubsw", "pmaddwd", "psadbw")}
    _names["pand"] = x86("pand" + ("q" if _size == 512 else ""), _size)
    _names["table"] = splat(int.from_bytes(_COUNTS, "little"), 128, _size)
    _names |= {
        "low": splat(15, 8, _size),
        "bytes": splat(1, 8, _size),
        "words": splat(1, 16, _size),
        "zero": splat(0, 8, _size),
    }
    _names["load"] = "movups" if _size == 128 else f"vmovups{_size}"
    _gives = (
        "{load} %h, {table} ; {pand} %f, %u, {low} ; {psrlw} %g, %u, 4 ; {pand} %g, %g, {low} ; "
        "{pshufb} %i, %h, %f ; {pshufb} %j, %h, %g ; {paddb} %d, %i, %j "
    )
    for _bits in LETTER:
        _kind = f"i{_bits}v{_size}"
        tile(f"popcount-{_kind}", f"(popcount.{_kind} u)", (_gives + _SUMS[_bits]).format(**_names), 8,
             needs=both(NEEDS[_size], "ssse3"))  # fmt: skip
