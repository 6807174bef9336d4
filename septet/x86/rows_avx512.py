"""AVX-512: what exists only there.  Rows are for 128 bits, as the head of `rows.py` says.

Of its masks only these uses are here: comparisons give one, a blend chooses by one (`{k1}`), and they are moved, combined, and
turned into vectors and back.
"""

from __future__ import annotations

from septet.x86.rows import family

_ALL = "128 256 512"
_F, _BW, _DQ = "needs=avx512f+vl", "needs=avx512bw+vl", "needs=avx512dq+vl"
_0F = "{} xmm1, xmm2, xmm3/m128 | EVEX.66.0F.%s 00+n /r"
_38 = "{} xmm1, xmm2, xmm3/m128 | EVEX.66.0F38.%s 00+n /r"
_3A = "{} xmm1, xmm2, xmm3/m128, uimm8 | EVEX.66.0F3A.%s 00+n /r ib"

# Arithmetic

family("vpmullq=40", _ALL, "w r r", _DQ, 15, _38 % "W1")
family("vpminsq=39 vpminuq=3B vpmaxsq=3D vpmaxuq=3F", _ALL, "w r r", _F, 3, _38 % "W1")
family("vpabsq", _ALL, "w r", _F, 1, "{} xmm1, xmm2/m128 | EVEX.66.0F38.W1 1F /r")
family("vplzcntd", _ALL, "w r", "needs=avx512cd+vl", 4, "{} xmm1, xmm2/m128 | EVEX.66.0F38.W0 44 /r")
family("vplzcntq", _ALL, "w r", "needs=avx512cd+vl", 4, "{} xmm1, xmm2/m128 | EVEX.66.0F38.W1 44 /r")
family("vpternlogd=25", _ALL, "rw r r r", _F, 1, _3A % "W0")
family("vpternlogq=25", _ALL, "rw r r r", _F, 1, _3A % "W1")
family("vrndscaleps", _ALL, "w r r", _F, 8, "{} xmm1, xmm2/m128, uimm8 | EVEX.66.0F3A.W0 08 /r ib")
family("vrndscalepd", _ALL, "w r r", _F, 8, "{} xmm1, xmm2/m128, uimm8 | EVEX.66.0F3A.W1 09 /r ib")

# Shifts and rotations

family("vpsraq=4", _ALL, "w r r", _F, 1, """
    {} xmm1, xmm2, uimm8        | EVEX.66.0F.W1 72 /n ib
    {} xmm1, xmm2, [xmm3/m128]  | EVEX.66.0F.W1 C2+8n /r
""")  # fmt: skip
family("vpsravq=46", _ALL, "w r r", _F, 1, _38 % "W1")
family("vpsrlvw=10 vpsravw=11 vpsllvw=12", _ALL, "w r r", _BW, 1, _38 % "W1")
family("vprord=0 vprold=1", _ALL, "w r r", _F, 1, "{} xmm1, xmm2, uimm8 | EVEX.66.0F.W0 72 /n ib")
family("vprorq=0 vprolq=1", _ALL, "w r r", _F, 1, "{} xmm1, xmm2, uimm8 | EVEX.66.0F.W1 72 /n ib")
family("vprorvd=14 vprolvd=15", _ALL, "w r r", _F, 1, _38 % "W0")
family("vprorvq=14 vprolvq=15", _ALL, "w r r", _F, 1, _38 % "W1")

# Conversions

family("vcvtqq2pd", _ALL, "w r", _DQ, 4, "{} xmm1, xmm2/m128 | EVEX.F3.0F.W1 E6 /r")
family("vcvtqq2ps", _ALL, "w r", _DQ, 5, "{} xmm1(8), xmm2/m128 | EVEX.0F.W1 5B /r")
family("vcvtuqq2pd", _ALL, "w r", _DQ, 4, "{} xmm1, xmm2/m128 | EVEX.F3.0F.W1 7A /r")
family("vcvtuqq2ps", _ALL, "w r", _DQ, 5, "{} xmm1(8), xmm2/m128 | EVEX.F2.0F.W1 7A /r")
family("vcvtudq2pd", _ALL, "w r", _F, 5, "{} xmm1, xmm2/m64 | EVEX.F3.0F.W0 7A /r")
family("vcvtudq2ps", _ALL, "w r", _F, 4, "{} xmm1, xmm2/m128 | EVEX.F2.0F.W0 7A /r")
family("vcvttpd2uqq=78 vcvttpd2qq=7A", _ALL, "w r", _DQ, 4, "{} xmm1, xmm2/m128 | EVEX.66.0F.W1 00+n /r")
family("vcvttps2uqq=78 vcvttps2qq=7A", _ALL, "w r", _DQ, 5, "{} xmm1, xmm2/m64 | EVEX.66.0F.W0 00+n /r")
family("vcvttpd2udq", _ALL, "w r", _F, 5, "{} xmm1(8), xmm2/m128 | EVEX.0F.W1 78 /r")
family("vcvttps2udq", _ALL, "w r", _F, 4, "{} xmm1, xmm2/m128 | EVEX.0F.W0 78 /r")
family("vcvtusi2sd", "64", "w r r", "needs=avx512f", 5, "{} xmm1(8), xmm2(8), r/m64 | EVEX.F2.0F.W1 7B /r")
family("vcvtusi2sd", "32", "w r r", "needs=avx512f", 5, "{} xmm1(8), xmm2(8), r/m32 | EVEX.F2.0F.W0 7B /r")
family("vcvtusi2ss", "64 32", "w r r", "needs=avx512f", 5, "{} xmm1(4), xmm2(4), r/m64 | EVEX.F3.0F.W1 7B /r")
family("vcvttsd2usi", "", "w r", "needs=avx512f", 6, "{} r64, xmm1/m64 | EVEX.F2.0F.W1 78 /r")
family("vcvttsd2usi", "32", "w r", "needs=avx512f", 6, "{} r32, xmm1/m64 | EVEX.F2.0F.W0 78 /r")
family("vcvttss2usi", "", "w r", "needs=avx512f", 6, "{} r64, xmm1/m32 | EVEX.F3.0F.W1 78 /r")
family("vcvttss2usi", "32", "w r", "needs=avx512f", 6, "{} r32, xmm1/m32 | EVEX.F3.0F.W0 78 /r")

# Narrowing: cut off, saturated as signed numbers, saturated as unsigned ones


def narrowing(kind: str, base: int, lanes: str) -> str:
    """The names of the moves of one kind that narrow such lanes, `wb db`."""
    order = "wb db qb dw qw qd".split()
    return " ".join([f"vpmov{kind}{lane}={base + order.index(lane):X}" for lane in lanes.split()])


for _kind, _base in ("", 0x30), ("s", 0x20), ("us", 0x10):
    family(narrowing(_kind, _base, "wb"), _ALL, "w r", _BW, 4, "{} xmm1/m64, xmm2 | EVEX.F3.0F38.W0 00+n /r")
    family(narrowing(_kind, _base, "dw qd"), _ALL, "w r", _F, 4, "{} xmm1/m64, xmm2 | EVEX.F3.0F38.W0 00+n /r")
    family(narrowing(_kind, _base, "db qw"), _ALL, "w r", _F, 4, "{} xmm1/m32, xmm2 | EVEX.F3.0F38.W0 00+n /r")
    family(narrowing(_kind, _base, "qb"), _ALL, "w r", _F, 4, "{} xmm1/m16, xmm2 | EVEX.F3.0F38.W0 00+n /r")

# Lanes

family("vmovdqa64", "512", "w r", "needs=avx512f", 1, """
    {} xmm1, xmm2/m128 | EVEX.66.0F.W1 6F /r
    {} m128, xmm1      | EVEX.66.0F.W1 7F /r
""")  # fmt: skip
family("vmovdqu64", "512", "w r", "needs=avx512f", 1, """
    {} xmm1, xmm2/m128 | EVEX.F3.0F.W1 6F /r
    {} m128, xmm1      | EVEX.F3.0F.W1 7F /r
""")  # fmt: skip
family("valignd=3", _ALL, "w r r r", _F, 3, _3A % "W0")
family("valignq=3", _ALL, "w r r r", _F, 3, _3A % "W1")
family("vpermqv", "256 512", "w r r", _F, 3, "vpermq xmm1, xmm2, xmm3/m128 | EVEX.66.0F38.W1 36 /r")
family("vpermpdv", "256 512", "w r r", _F, 3, "vpermpd xmm1, xmm2, xmm3/m128 | EVEX.66.0F38.W1 16 /r")
family("vpermw=8D", _ALL, "w r r", _BW, 6, _38 % "W1")
family("vpermi2d=76 vpermi2ps=77 vpermt2d=7E vpermt2ps=7F", _ALL, "rw r r", _F, 3, _38 % "W0")
family("vpermi2q=76 vpermi2pd=77 vpermt2q=7E vpermt2pd=7F", _ALL, "rw r r", _F, 3, _38 % "W1")
family("vpermi2w=75 vpermt2w=7D", _ALL, "rw r r", _BW, 7, _38 % "W1")
family("vpbroadcastbr", _ALL, "w r", _BW, 3, "vpbroadcastb xmm1, r32 | EVEX.66.0F38.W0 7A /r")
family("vpbroadcastwr", _ALL, "w r", _BW, 3, "vpbroadcastw xmm1, r32 | EVEX.66.0F38.W0 7B /r")
family("vpbroadcastdr", _ALL, "w r", _F, 3, "vpbroadcastd xmm1, r32 | EVEX.66.0F38.W0 7C /r")
family("vpbroadcastqr", _ALL, "w r", _F, 3, "vpbroadcastq xmm1, r64 | EVEX.66.0F38.W1 7C /r")
_512 = "needs=avx512f"
family("vbroadcastf32x4=1A vbroadcasti32x4=5A", "", "w r", _512, 1, "{} zmm1, m128 | EVEX.512.66.0F38.W0 00+n /r")
family("vbroadcastf64x4=1B vbroadcasti64x4=5B", "", "w r", _512, 1, "{} zmm1, m256 | EVEX.512.66.0F38.W1 00+n /r")
family(
    "vinsertf32x4=18 vinserti32x4=38",
    "",
    "w r r r",
    _512,
    3,
    "{} zmm1, zmm2, xmm3/m128, uimm8 | EVEX.512.66.0F3A.W0 00+n /r ib",
)
family(
    "vinsertf64x4=1A vinserti64x4=3A",
    "",
    "w r r r",
    _512,
    3,
    "{} zmm1, zmm2, ymm3/m256, uimm8 | EVEX.512.66.0F3A.W1 00+n /r ib",
)
family("vextractf32x4=19 vextracti32x4=39", "", "w r r", _512, 3, "{} xmm1/m128, zmm2, uimm8 | EVEX.512.66.0F3A.W0 00+n /r ib")
family("vextractf64x4=1B vextracti64x4=3B", "", "w r r", _512, 3, "{} ymm1/m256, zmm2, uimm8 | EVEX.512.66.0F3A.W1 00+n /r ib")
_128S = "{} zmm1, zmm2, zmm3/m512, uimm8 | EVEX.512.66.0F3A.%s 00+n /r ib"
family("vshuff32x4=23 vshufi32x4=43", "", "w r r r", _512, 3, _128S % "W0")
family("vshuff64x2=23 vshufi64x2=43", "", "w r r r", _512, 3, _128S % "W1")

# Masks

_COMPARE = "{} k1, xmm2, xmm3/m128, uimm8 | EVEX.66.0F3A.%s 00+n /r ib"
_TEST = "{} k1, xmm2, xmm3/m128 | EVEX.%s.0F38.%s 00+n /r"
_BLEND = "{} xmm1, {k1}, xmm2, xmm3/m128 | EVEX.66.0F38.%s 00+n /r"
family("vcmpps", "512", "w r r r", _512, 4, "{} k1, xmm2, xmm3/m128, uimm8 | EVEX.0F.W0 C2 /r ib")
family("vcmppd", "512", "w r r r", _512, 4, "{} k1, xmm2, xmm3/m128, uimm8 | EVEX.66.0F.W1 C2 /r ib")
family("vpcmpub=3E vpcmpb=3F", _ALL, "w r r r", _BW, 3, _COMPARE % "W0")
family("vpcmpuw=3E vpcmpw=3F", _ALL, "w r r r", _BW, 3, _COMPARE % "W1")
family("vpcmpud=1E vpcmpd=1F", _ALL, "w r r r", _F, 3, _COMPARE % "W0")
family("vpcmpuq=1E vpcmpq=1F", _ALL, "w r r r", _F, 3, _COMPARE % "W1")
family("vptestmb=26", _ALL, "w r r", _BW, 3, _TEST % ("66", "W0"))
family("vptestmw=26", _ALL, "w r r", _BW, 3, _TEST % ("66", "W1"))
family("vptestmd=27", _ALL, "w r r", _F, 3, _TEST % ("66", "W0"))
family("vptestmq=27", _ALL, "w r r", _F, 3, _TEST % ("66", "W1"))
family("vptestnmb=26", _ALL, "w r r", _BW, 3, _TEST % ("F3", "W0"))
family("vptestnmw=26", _ALL, "w r r", _BW, 3, _TEST % ("F3", "W1"))
family("vptestnmd=27", _ALL, "w r r", _F, 3, _TEST % ("F3", "W0"))
family("vptestnmq=27", _ALL, "w r r", _F, 3, _TEST % ("F3", "W1"))
family("vpblendmd=64 vblendmps=65", _ALL, "w r r r", _F, 1, _BLEND % "W0")
family("vpblendmq=64 vblendmpd=65", _ALL, "w r r r", _F, 1, _BLEND % "W1")
family("vpblendmb=66", _ALL, "w r r r", _BW, 1, _BLEND % "W0")
family("vpblendmw=66", _ALL, "w r r r", _BW, 1, _BLEND % "W1")
family("vpmovm2b=28", _ALL, "w r", _BW, 3, "{} xmm1, k1 | EVEX.F3.0F38.W0 00+n /r")
family("vpmovm2w=28", _ALL, "w r", _BW, 3, "{} xmm1, k1 | EVEX.F3.0F38.W1 00+n /r")
family("vpmovm2d=38", _ALL, "w r", _DQ, 3, "{} xmm1, k1 | EVEX.F3.0F38.W0 00+n /r")
family("vpmovm2q=38", _ALL, "w r", _DQ, 3, "{} xmm1, k1 | EVEX.F3.0F38.W1 00+n /r")
family("vpmovb2m=29", _ALL, "w r", _BW, 3, "{} k1, xmm1 | EVEX.F3.0F38.W0 00+n /r")
family("vpmovw2m=29", _ALL, "w r", _BW, 3, "{} k1, xmm1 | EVEX.F3.0F38.W1 00+n /r")
family("vpmovd2m=39", _ALL, "w r", _DQ, 3, "{} k1, xmm1 | EVEX.F3.0F38.W0 00+n /r")
family("vpmovq2m=39", _ALL, "w r", _DQ, 3, "{} k1, xmm1 | EVEX.F3.0F38.W1 00+n /r")

_MASKS = {  # the lanes it is about: what it needs, the prefix of moves to general registers, and of everything else
    "b": ("needs=avx512dq", "VEX.66.0F.W0", "66.0F.W0", "r32"),
    "w": ("needs=avx512f", "VEX.0F.W0", "0F.W0", "r32"),
    "d": ("needs=avx512bw", "VEX.F2.0F.W0", "66.0F.W1", "r32"),
    "q": ("needs=avx512bw", "VEX.F2.0F.W1", "0F.W1", "r64"),
}
for _lane, (_needs, _general, _prefix, _register) in _MASKS.items():
    family(f"kmov{_lane}", "", "w r", _needs, 3, f"""
        {{}} k1, k2            | VEX.{_prefix} 90 /r
        {{}} k1, {_register}   | {_general} 92 /r
        {{}} {_register}, k1   | {_general} 93 /r
    """)  # fmt: skip
    family(f"kortest{_lane}=98", "", "r r", "flags=w " + _needs, 1, f"{{}} k1, k2 | VEX.{_prefix} 00+n /r")
    family(f"knot{_lane}", "", "w r", _needs, 1, f"{{}} k1, k2 | VEX.{_prefix} 44 /r")
    _names = f"kand{_lane}=41 kandn{_lane}=42 kor{_lane}=45 kxnor{_lane}=46 kxor{_lane}=47"
    family(_names, "", "w r r", _needs, 1, f"{{}} k1, k2, k3 | VEX.L1.{_prefix} 00+n /r")
