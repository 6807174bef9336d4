"""AVX, F16C and FMA, and the same on 512 bits: floats.  Rows are for 128 bits, as the head of `rows.py` says."""

from __future__ import annotations

from septet.x86.rows import family

_ALL = "128 256 512"
_AVX = "needs=avx"
_FLOAT = "needs=avx/avx/avx512f"
_MOST = "needs=avx/avx2/avx512f"

# Scalars: the low 32 or 64 bits

_PD = "{} xmm1(8), xmm2(8), xmm3/m64 | VEX.F2.0F.WIG"
_PS = "{} xmm1(4), xmm2(4), xmm3/m32 | VEX.F3.0F.WIG"
family("vaddsd=0 vmulsd=1 vsubsd=4 vminsd=5 vmaxsd=7", "", "w r r", _AVX, 4, _PD + " 58+n /r")
family("vaddss=0 vmulss=1 vsubss=4 vminss=5 vmaxss=7", "", "w r r", _AVX, 4, _PS + " 58+n /r")
family("vdivsd", "", "w r r", _AVX, 13, _PD + " 5E /r")
family("vdivss", "", "w r r", _AVX, 11, _PS + " 5E /r")
family("vsqrtsd", "", "w r r", _AVX, 16, _PD + " 51 /r")
family("vsqrtss", "", "w r r", _AVX, 12, _PS + " 51 /r")
family("vcmpsd", "", "w r r r", _AVX, 4, "{} xmm1(8), xmm2(8), xmm3/m64, uimm8 | VEX.F2.0F.WIG C2 /r ib")
family("vcmpss", "", "w r r r", _AVX, 4, "{} xmm1(4), xmm2(4), xmm3/m32, uimm8 | VEX.F3.0F.WIG C2 /r ib")
family("vroundsd", "", "w r r r", _AVX, 8, "{} xmm1(8), xmm2(8), xmm3/m64, uimm8 | VEX.66.0F3A.WIG 0B /r ib")
family("vroundss", "", "w r r r", _AVX, 8, "{} xmm1(4), xmm2(4), xmm3/m32, uimm8 | VEX.66.0F3A.WIG 0A /r ib")
family("vucomisd=0 vcomisd=1", "", "r r", "flags=w needs=avx", 3, "{} xmm1(8), xmm2/m64 | VEX.66.0F.WIG 2E+n /r")
family("vucomiss=0 vcomiss=1", "", "r r", "flags=w needs=avx", 3, "{} xmm1(4), xmm2/m32 | VEX.0F.WIG 2E+n /r")
family("vcvtsi2sd", "64 32", "w r r", _AVX, 5, "{} xmm1(8), xmm2(8), r/m64 | VEX.F2.0F.W1 2A /r")
family("vcvtsi2ss", "64 32", "w r r", _AVX, 5, "{} xmm1(4), xmm2(4), r/m64 | VEX.F3.0F.W1 2A /r")
family("vcvttsd2si=0 vcvtsd2si=1", "", "w r", _AVX, 6, "{} r64, xmm1/m64 | VEX.F2.0F.W1 2C+n /r")
family("vcvttsd2si=0 vcvtsd2si=1", "32", "w r", _AVX, 6, "{} r32, xmm1/m64 | VEX.F2.0F.W0 2C+n /r")
family("vcvttss2si=0 vcvtss2si=1", "", "w r", _AVX, 6, "{} r64, xmm1/m32 | VEX.F3.0F.W1 2C+n /r")
family("vcvttss2si=0 vcvtss2si=1", "32", "w r", _AVX, 6, "{} r32, xmm1/m32 | VEX.F3.0F.W0 2C+n /r")
family("vcvtsd2ss", "", "w r r", _AVX, 5, "{} xmm1(4), xmm2(4), xmm3/m64 | VEX.F2.0F.WIG 5A /r")
family("vcvtss2sd", "", "w r r", _AVX, 5, "{} xmm1(8), xmm2(8), xmm3/m32 | VEX.F3.0F.WIG 5A /r")
family("vmovsd", "", "w r", _AVX, 1, """
    vmovsd xmm1(8), m64     | VEX.F2.0F.WIG 10 /r
    vmovsd m64, xmm1(8)     | VEX.F2.0F.WIG 11 /r
""")  # fmt: skip
family("vmovss", "", "w r", _AVX, 1, """
    vmovss xmm1(4), m32     | VEX.F3.0F.WIG 10 /r
    vmovss m32, xmm1(4)     | VEX.F3.0F.WIG 11 /r
""")  # fmt: skip
family("vmovq", "", "w r", _AVX, 2, """
    vmovq xmm1(8), xmm2/m64 | VEX.F3.0F.WIG 7E /r
    vmovq xmm1(8), r/m64    | VEX.66.0F.W1 6E /r
""")  # fmt: skip
family("vmovqr", "", "w r", _AVX, 2, """
    vmovq m64, xmm1(8)      | VEX.66.0F.WIG D6 /r
    vmovq r/m64, xmm1(8)    | VEX.66.0F.W1 7E /r
""")  # fmt: skip
family("vmovd", "", "w r", _AVX, 2, "vmovd xmm1(4), r/m32 | VEX.66.0F.W0 6E /r")
family("vmovdr", "", "w r", _AVX, 2, "vmovd r/m32, xmm1(4) | VEX.66.0F.W0 7E /r")

# Whole registers

family("vmovaps", _ALL, "w r", "move " + _FLOAT, 1, """
    vmovaps xmm1, xmm2/m128 | VEX.0F.WIG.W0 28 /r
    vmovaps m128, xmm1      | VEX.0F.WIG.W0 29 /r
""")  # fmt: skip
family("vmovups", _ALL, "w r", _FLOAT, 1, """
    vmovups xmm1, xmm2/m128 | VEX.0F.WIG.W0 10 /r
    vmovups m128, xmm1      | VEX.0F.WIG.W0 11 /r
""")  # fmt: skip
family("vmovdqa", "128 256", "w r", _AVX, 1, """
    vmovdqa xmm1, xmm2/m128 | VEX.66.0F.WIG 6F /r
    vmovdqa m128, xmm1      | VEX.66.0F.WIG 7F /r
""")  # fmt: skip
family("vmovdqu", "128 256", "w r", _AVX, 1, """
    vmovdqu xmm1, xmm2/m128 | VEX.F3.0F.WIG 6F /r
    vmovdqu m128, xmm1      | VEX.F3.0F.WIG 7F /r
""")  # fmt: skip
family("vzeroupper", "", "", _AVX, 1, "{} | VEX.0F.WIG 77")
family("vzeroall", "", "", "needs=avx writes=" + ",".join([f"xmm{n}" for n in range(16)]), 10, "{} | VEX.256.0F.WIG 77")

# Arithmetic

_VPS, _VPD = "{} xmm1, xmm2, xmm3/m128 | VEX.0F.WIG.W0", "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F.WIG.W1"
family("vaddps=0 vmulps=1 vsubps=4 vminps=5 vmaxps=7", _ALL, "w r r", _FLOAT, 4, _VPS + " 58+n /r")
family("vaddpd=0 vmulpd=1 vsubpd=4 vminpd=5 vmaxpd=7", _ALL, "w r r", _FLOAT, 4, _VPD + " 58+n /r")
family("vdivps", _ALL, "w r r", _FLOAT, 11, _VPS + " 5E /r")
family("vdivpd", _ALL, "w r r", _FLOAT, 13, _VPD + " 5E /r")
family("vsqrtps", _ALL, "w r", _FLOAT, 12, "{} xmm1, xmm2/m128 | VEX.0F.WIG.W0 51 /r")
family("vsqrtpd", _ALL, "w r", _FLOAT, 16, "{} xmm1, xmm2/m128 | VEX.66.0F.WIG.W1 51 /r")
family("vandps=54 vandnps=55 vorps=56 vxorps=57", _ALL, "w r r", "needs=avx/avx/avx512dq", 1, _VPS + " 00+n /r")
family("vandpd=54 vandnpd=55 vorpd=56 vxorpd=57", _ALL, "w r r", "needs=avx/avx/avx512dq", 1, _VPD + " 00+n /r")
family("vroundps=8 vroundpd=9", "128 256", "w r r", _AVX, 8, "{} xmm1, xmm2/m128, uimm8 | VEX.66.0F3A.WIG 00+n /r ib")
family("vcmpps", "128 256", "w r r r", _AVX, 4, "{} xmm1, xmm2, xmm3/m128, uimm8 | VEX.0F.WIG C2 /r ib")
family("vcmppd", "128 256", "w r r r", _AVX, 4, "{} xmm1, xmm2, xmm3/m128, uimm8 | VEX.66.0F.WIG C2 /r ib")
family("vhaddps=7C vhsubps=7D vaddsubps=D0", "128 256", "w r r", _AVX, 6, "{} xmm1, xmm2, xmm3/m128 | VEX.F2.0F.WIG 00+n /r")
family("vhaddpd=7C vhsubpd=7D vaddsubpd=D0", "128 256", "w r r", _AVX, 6, "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F.WIG 00+n /r")


def fused(operand: str, odd: int) -> str:
    """The names of fused multiply-adds of one kind of operand; 132, 213 and 231 say which operands are multiplied, and which
    of those three is added: 231 is operand 1 += operand 2 * operand 3."""
    kinds = {"vfmadd": 0x98, "vfmsub": 0x9A, "vfnmadd": 0x9C, "vfnmsub": 0x9E}
    orders = {"132": 0, "213": 0x10, "231": 0x20}
    return " ".join([f"{k}{o}{operand}={kinds[k] + orders[o] + odd:X}" for k in kinds for o in orders])


_FMA = "needs=fma/fma/avx512f"
family(fused("ps", 0), _ALL, "rw r r", _FMA, 4, "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F38.W0 00+n /r")
family(fused("pd", 0), _ALL, "rw r r", _FMA, 4, "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F38.W1 00+n /r")
family(fused("ss", 1), "", "rw r r", "needs=fma", 4, "{} xmm1(4), xmm2(4), xmm3/m32 | VEX.66.0F38.W0 00+n /r")
family(fused("sd", 1), "", "rw r r", "needs=fma", 4, "{} xmm1(8), xmm2(8), xmm3/m64 | VEX.66.0F38.W1 00+n /r")

# Conversions

family("vcvtdq2ps", _ALL, "w r", _FLOAT, 4, "{} xmm1, xmm2/m128 | VEX.0F.WIG.W0 5B /r")
family("vcvtdq2pd", _ALL, "w r", _FLOAT, 5, "{} xmm1, xmm2/m64 | VEX.F3.0F.WIG.W0 E6 /r")
family("vcvttps2dq", _ALL, "w r", _FLOAT, 4, "{} xmm1, xmm2/m128 | VEX.F3.0F.WIG.W0 5B /r")
family("vcvtps2dq", _ALL, "w r", _FLOAT, 4, "{} xmm1, xmm2/m128 | VEX.66.0F.WIG.W0 5B /r")
family("vcvttpd2dq", _ALL, "w r", _FLOAT, 5, "{} xmm1(8), xmm2/m128 | VEX.66.0F.WIG.W1 E6 /r")
family("vcvtpd2dq", _ALL, "w r", _FLOAT, 5, "{} xmm1(8), xmm2/m128 | VEX.F2.0F.WIG.W1 E6 /r")
family("vcvtps2pd", _ALL, "w r", _FLOAT, 5, "{} xmm1, xmm2/m64 | VEX.0F.WIG.W0 5A /r")
family("vcvtpd2ps", _ALL, "w r", _FLOAT, 5, "{} xmm1(8), xmm2/m128 | VEX.66.0F.WIG.W1 5A /r")
family("vcvtph2ps", _ALL, "w r", "needs=f16c/f16c/avx512f", 5, "{} xmm1, xmm2/m64 | VEX.66.0F38.W0 13 /r")
family("vcvtps2ph", _ALL, "w r r", "needs=f16c/f16c/avx512f", 5, "{} xmm1/m64, xmm2, uimm8 | VEX.66.0F3A.W0 1D /r ib")

# Lanes

family("vunpcklps=14 vunpckhps=15", _ALL, "w r r", _FLOAT, 1, _VPS + " 00+n /r")
family("vunpcklpd=14 vunpckhpd=15", _ALL, "w r r", _FLOAT, 1, _VPD + " 00+n /r")
family("vshufps", _ALL, "w r r r", _FLOAT, 1, "{} xmm1, xmm2, xmm3/m128, uimm8 | VEX.0F.WIG.W0 C6 /r ib")
family("vshufpd", _ALL, "w r r r", _FLOAT, 1, "{} xmm1, xmm2, xmm3/m128, uimm8 | VEX.66.0F.WIG.W1 C6 /r ib")
family("vpermilps", _ALL, "w r r", _FLOAT, 1, """
    {} xmm1, xmm2/m128, uimm8 | VEX.66.0F3A.W0 04 /r ib
    {} xmm1, xmm2, xmm3/m128  | VEX.66.0F38.W0 0C /r
""")  # fmt: skip
family("vpermilpd", _ALL, "w r r", _FLOAT, 1, """
    {} xmm1, xmm2/m128, uimm8 | VEX.66.0F3A.W0.W1 05 /r ib
    {} xmm1, xmm2, xmm3/m128  | VEX.66.0F38.W0.W1 0D /r
""")  # fmt: skip
family("vblendps=C vblendpd=D", "128 256", "w r r r", _AVX, 1, "{} xmm1, xmm2, xmm3/m128, uimm8 | VEX.66.0F3A.WIG 00+n /r ib")
family("vblendvps=0 vblendvpd=1", "128 256", "w r r r", _AVX, 2, "{} xmm1, xmm2, xmm3/m128, xmm4 | VEX.66.0F3A.W0 4A+n /r /is4")
family("vmovmskps", "128 256", "w r", _AVX, 3, "{} r32, xmm1 | VEX.0F.WIG 50 /r")
family("vmovmskpd", "128 256", "w r", _AVX, 3, "{} r32, xmm1 | VEX.66.0F.WIG 50 /r")
family("vmovddup", "", "w r", _AVX, 1, "{} xmm1, xmm2/m64 | VEX.F2.0F.WIG 12 /r")
family("vmovsldup=2 vmovshdup=6", _ALL, "w r", _FLOAT, 1, "{} xmm1, xmm2/m128 | VEX.F3.0F.WIG.W0 10+n /r")
family("vmovhlps=2 vmovlhps=6", "", "w r r", _AVX, 1, "{} xmm1, xmm2, xmm3 | VEX.0F.WIG 10+n /r")
family("vinsertps", "", "w r r r", _AVX, 1, "{} xmm1, xmm2, xmm3/m32, uimm8 | VEX.66.0F3A.WIG 21 /r ib")
family("vextractps", "", "w r r", _AVX, 3, "{} r/m32, xmm1, uimm8 | VEX.66.0F3A.WIG 17 /r ib")
family("vbroadcastss", _ALL, "w r", "needs=avx2/avx2/avx512f", 3, "{} xmm1, [xmm2/m32] | VEX.66.0F38.W0 18 /r")
family("vbroadcastsd", "256 512", "w r", _MOST, 3, "{} xmm1, [xmm2/m64] | VEX.66.0F38.W0.W1 19 /r")
family("vbroadcastf128", "", "w r", _AVX, 1, "{} ymm1, m128 | VEX.256.66.0F38.W0 1A /r")
family("vperm2f128", "", "w r r r", _AVX, 3, "{} ymm1, ymm2, ymm3/m256, uimm8 | VEX.256.66.0F3A.W0 06 /r ib")
family("vinsertf128", "", "w r r r", _AVX, 3, "{} ymm1, ymm2, xmm3/m128, uimm8 | VEX.256.66.0F3A.W0 18 /r ib")
family("vextractf128", "", "w r r", _AVX, 3, "{} xmm1/m128, ymm2, uimm8 | VEX.256.66.0F3A.W0 19 /r ib")
family("vpermpd", "256 512", "w r r", _MOST, 3, "{} xmm1, xmm2/m128, uimm8 | VEX.66.0F3A.W1 01 /r ib")
family("vpermps", "256 512", "w r r", _MOST, 3, "{} xmm1, xmm2, xmm3/m128 | VEX.66.0F38.W0 16 /r")
