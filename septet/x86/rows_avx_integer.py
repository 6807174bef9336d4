"""AVX and AVX2, and the same on 512 bits: integers.  Rows are for 128 bits, as the head of `rows.py` says."""

from __future__ import annotations

from septet.x86.rows import family

_ALL = "128 256 512"
_SHORT = "needs=avx/avx2/avx512bw"  # lanes of 8 and 16 bits
_LONG = "needs=avx/avx2/avx512f"
_WIG = "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F.WIG 00+n /r"
_W0 = "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F.WIG.W0 00+n /r"
_W1 = "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F.WIG.W1 00+n /r"
_38_WIG = "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F38.WIG 00+n /r"
_38_W0 = "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F38.WIG.W0 00+n /r"
_38_W1 = "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F38.WIG.W1 00+n /r"

# Arithmetic

_SATURATING = "vpaddsb=EC vpaddsw=ED vpaddusb=DC vpaddusw=DD vpsubsb=E8 vpsubsw=E9 vpsubusb=D8 vpsubusw=D9"
_SHORT_MINIMA = "vpminub=DA vpmaxub=DE vpminsw=EA vpmaxsw=EE"
family("vpaddb=FC vpaddw=FD vpsubb=F8 vpsubw=F9", _ALL, "w r r", _SHORT, 1, _WIG)
family(f"{_SATURATING} {_SHORT_MINIMA} vpavgb=E0 vpavgw=E3", _ALL, "w r r", _SHORT, 1, _WIG)
family("vpaddd=FE vpsubd=FA", _ALL, "w r r", _LONG, 1, _W0)
family("vpaddq=D4 vpsubq=FB", _ALL, "w r r", _LONG, 1, _W1)
family("vpmullw=D5 vpmulhw=E5 vpmulhuw=E4 vpmaddwd=F5 vpsadbw=F6", _ALL, "w r r", _SHORT, 5, _WIG)
family("vpmulhrsw=0B vpmaddubsw=04", _ALL, "w r r", _SHORT, 5, _38_WIG)
family("vpmuludq=F4", _ALL, "w r r", _LONG, 5, _W1)
family("vpmuldq=28", _ALL, "w r r", _LONG, 5, _38_W1)
family("vpmulld=40", _ALL, "w r r", _LONG, 10, _38_W0)
family("vpminsb=38 vpmaxsb=3C vpminuw=3A vpmaxuw=3E", _ALL, "w r r", _SHORT, 1, _38_WIG)
family("vpminsd=39 vpminud=3B vpmaxsd=3D vpmaxud=3F", _ALL, "w r r", _LONG, 1, _38_W0)
family("vpabsb=1C vpabsw=1D", _ALL, "w r", _SHORT, 1, "{} xmm1, xmm2/m128 | VEX.66.0F38.WIG 00+n /r")
family("vpabsd", _ALL, "w r", _LONG, 1, "{} xmm1, xmm2/m128 | VEX.66.0F38.WIG.W0 1E /r")
family("vpsignb=8 vpsignw=9 vpsignd=A", "128 256", "w r r", "needs=avx/avx2/", 1, _38_WIG)
family("vphaddw=1 vphaddd=2 vphsubw=5 vphsubd=6", "128 256", "w r r", "needs=avx/avx2/", 3, _38_WIG)

# Comparisons and logic

_SHORT_COMPARISONS = "vpcmpeqb=74 vpcmpeqw=75 vpcmpeqd=76 vpcmpgtb=64 vpcmpgtw=65 vpcmpgtd=66"
family(f"{_SHORT_COMPARISONS} vpand=DB vpandn=DF vpor=EB vpxor=EF", "128 256", "w r r", "needs=avx/avx2/", 1, _WIG)
family("vpcmpeqq=29", "128 256", "w r r", "needs=avx/avx2/", 1, _38_WIG)
family("vpcmpgtq=37", "128 256", "w r r", "needs=avx/avx2/", 3, _38_WIG)
family("vpandd=DB vpandnd=DF vpord=EB vpxord=EF", "512", "w r r", "needs=avx512f", 1, _W0)
family("vpandq=DB vpandnq=DF vporq=EB vpxorq=EF", "512", "w r r", "needs=avx512f", 1, _W1)
family("vptest", "128 256", "r r", "flags=w needs=avx", 4, "{} xmm1, xmm2/m128 | VEX.66.0F38.WIG 17 /r")
family("vpmovmskb", "128 256", "w r", "needs=avx/avx2/", 3, "{} r32, xmm1 | VEX.66.0F.WIG D7 /r")

# Shifts, by a number or by the low 64 bits of a register, and each lane by its own count

family("vpsllw=6 vpsrlw=2 vpsraw=4", _ALL, "w r r", _SHORT, 1, """
    {} xmm1, xmm2, uimm8        | VEX.66.0F.WIG 71 /n ib
    {} xmm1, xmm2, [xmm3/m128]  | VEX.66.0F.WIG C1+8n /r
""")  # fmt: skip
family("vpslld=6 vpsrld=2 vpsrad=4", _ALL, "w r r", _LONG, 1, """
    {} xmm1, xmm2, uimm8        | VEX.66.0F.WIG.W0 72 /n ib
    {} xmm1, xmm2, [xmm3/m128]  | VEX.66.0F.WIG.W0 C2+8n /r
""")  # fmt: skip
family("vpsllq=6 vpsrlq=2", _ALL, "w r r", _LONG, 1, """
    {} xmm1, xmm2, uimm8        | VEX.66.0F.WIG.W1 73 /n ib
    {} xmm1, xmm2, [xmm3/m128]  | VEX.66.0F.WIG.W1 C3+8n /r
""")  # fmt: skip
family("vpslldq=7 vpsrldq=3", _ALL, "w r r", _SHORT, 1, "{} xmm1, xmm2, uimm8 | VEX.66.0F.WIG 73 /n ib")
family(
    "vpsrlvd=45 vpsravd=46 vpsllvd=47",
    _ALL,
    "w r r",
    "needs=avx2/avx2/avx512f",
    1,
    "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F38.W0 00+n /r",
)
family(
    "vpsrlvq=45 vpsllvq=47", _ALL, "w r r", "needs=avx2/avx2/avx512f", 1, "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F38.W1 00+n /r"
)

# Lanes

family("vpacksswb=63 vpackuswb=67 vpunpcklbw=60 vpunpcklwd=61 vpunpckhbw=68 vpunpckhwd=69", _ALL, "w r r", _SHORT, 1, _WIG)
family("vpackssdw=6B", _ALL, "w r r", _SHORT, 1, _W0)
family("vpackusdw=2B", _ALL, "w r r", _SHORT, 1, _38_W0)
family("vpunpckldq=62 vpunpckhdq=6A", _ALL, "w r r", _LONG, 1, _W0)
family("vpunpcklqdq=6C vpunpckhqdq=6D", _ALL, "w r r", _LONG, 1, _W1)
family("vpshufb=0", _ALL, "w r r", _SHORT, 1, _38_WIG)
family("vpshufd", _ALL, "w r r", _LONG, 1, "{} xmm1, xmm2/m128, uimm8 | VEX.66.0F.WIG.W0 70 /r ib")
family("vpshufhw", _ALL, "w r r", _SHORT, 1, "{} xmm1, xmm2/m128, uimm8 | VEX.F3.0F.WIG 70 /r ib")
family("vpshuflw", _ALL, "w r r", _SHORT, 1, "{} xmm1, xmm2/m128, uimm8 | VEX.F2.0F.WIG 70 /r ib")
family("vpalignr", _ALL, "w r r r", _SHORT, 1, "{} xmm1, xmm2, xmm3/m128, uimm8 | VEX.66.0F3A.WIG 0F /r ib")
family("vpblendw", "128 256", "w r r r", "needs=avx/avx2/", 1, "{} xmm1, xmm2, xmm3/m128, uimm8 | VEX.66.0F3A.WIG 0E /r ib")
family("vpblendd", "128 256", "w r r r", "needs=avx2", 1, "{} xmm1, xmm2, xmm3/m128, uimm8 | VEX.66.0F3A.W0 02 /r ib")
family("vpblendvb", "128 256", "w r r r", "needs=avx/avx2/", 2, "{} xmm1, xmm2, xmm3/m128, xmm4 | VEX.66.0F3A.W0 4C /r /is4")
_EXTEND = "{} xmm1, xmm2/%s | VEX.66.0F38.WIG%s 00+n /r"
family("vpmovsxbw=20 vpmovzxbw=30", _ALL, "w r", _SHORT, 1, _EXTEND % ("m64", ""))
family("vpmovsxbd=21 vpmovzxbd=31 vpmovsxwq=24 vpmovzxwq=34", _ALL, "w r", _LONG, 1, _EXTEND % ("m32", ""))
family("vpmovsxbq=22 vpmovzxbq=32", _ALL, "w r", _LONG, 1, _EXTEND % ("m16", ""))
family("vpmovsxwd=23 vpmovzxwd=33", _ALL, "w r", _LONG, 1, _EXTEND % ("m64", ""))
family("vpmovsxdq=25 vpmovzxdq=35", _ALL, "w r", _LONG, 1, _EXTEND % ("m64", ".W0"))
_BROADCAST = "{} xmm1, [xmm2/%s] | VEX.66.0F38.%s 00+n /r"
family("vpbroadcastb=78", _ALL, "w r", "needs=avx2/avx2/avx512bw", 3, _BROADCAST % ("m8", "W0"))
family("vpbroadcastw=79", _ALL, "w r", "needs=avx2/avx2/avx512bw", 3, _BROADCAST % ("m16", "W0"))
family("vpbroadcastd=58", _ALL, "w r", "needs=avx2/avx2/avx512f", 3, _BROADCAST % ("m32", "W0"))
family("vpbroadcastq=59", _ALL, "w r", "needs=avx2/avx2/avx512f", 3, _BROADCAST % ("m64", "W0.W1"))
family("vpinsrb", "", "w r r r", "needs=avx", 2, "{} xmm1, xmm2, r32/m8, uimm8 | VEX.66.0F3A.W0 20 /r ib")
family("vpinsrw", "", "w r r r", "needs=avx", 2, "{} xmm1, xmm2, r32/m16, uimm8 | VEX.66.0F.W0 C4 /r ib")
family("vpinsrd", "", "w r r r", "needs=avx", 2, "{} xmm1, xmm2, r/m32, uimm8 | VEX.66.0F3A.W0 22 /r ib")
family("vpinsrq", "", "w r r r", "needs=avx", 2, "{} xmm1, xmm2, r/m64, uimm8 | VEX.66.0F3A.W1 22 /r ib")
family("vpextrb", "", "w r r", "needs=avx", 3, "{} r32/m8, xmm1, uimm8 | VEX.66.0F3A.W0 14 /r ib")
family("vpextrw", "", "w r r", "needs=avx", 3, """
    {} r32, xmm1, uimm8 | VEX.66.0F.W0 C5 /r ib
    {} m16, xmm1, uimm8 | VEX.66.0F3A.W0 15 /r ib
""")  # fmt: skip
family("vpextrd", "", "w r r", "needs=avx", 3, "{} r/m32, xmm1, uimm8 | VEX.66.0F3A.W0 16 /r ib")
family("vpextrq", "", "w r r", "needs=avx", 3, "{} r/m64, xmm1, uimm8 | VEX.66.0F3A.W1 16 /r ib")
family("vbroadcasti128", "", "w r", "needs=avx2", 1, "{} ymm1, m128 | VEX.256.66.0F38.W0 5A /r")
family("vperm2i128", "", "w r r r", "needs=avx2", 3, "{} ymm1, ymm2, ymm3/m256, uimm8 | VEX.256.66.0F3A.W0 46 /r ib")
family("vinserti128", "", "w r r r", "needs=avx2", 3, "{} ymm1, ymm2, xmm3/m128, uimm8 | VEX.256.66.0F3A.W0 38 /r ib")
family("vextracti128", "", "w r r", "needs=avx2", 3, "{} xmm1/m128, ymm2, uimm8 | VEX.256.66.0F3A.W0 39 /r ib")
family("vpermq", "256 512", "w r r", _LONG, 3, "{} xmm1, xmm2/m128, uimm8 | VEX.66.0F3A.W1 00 /r ib")
family("vpermd", "256 512", "w r r", _LONG, 3, "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F38.W0 36 /r")
