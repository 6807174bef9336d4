"""SSE2's packed integers, comparisons and conversions; SSE3, SSSE3, SSE4.1 and SSE4.2."""

from __future__ import annotations

from septet.x86.rows import family

_PS, _PD = "{} xmm1, xmm2/m128 | 0F 00+n /r", "{} xmm1, xmm2/m128 | 66 0F 00+n /r"
_38, _3A = "{} xmm1, xmm2/m128 | 66 0F 38 00+n /r", "{} xmm1, xmm2/m128, uimm8 | 66 0F 3A 00+n /r ib"

# SSE2

family("cmpsd", "", "rw r r", "", 4, "{} xmm1(8), xmm2/m64, uimm8 | F2 0F C2 /r ib")
family("cmpss", "", "rw r r", "", 4, "{} xmm1(4), xmm2/m32, uimm8 | F3 0F C2 /r ib")
family("cmpps", "", "rw r r", "", 4, "{} xmm1, xmm2/m128, uimm8 | 0F C2 /r ib")
family("cmppd", "", "rw r r", "", 4, "{} xmm1, xmm2/m128, uimm8 | 66 0F C2 /r ib")
family("unpckhps=15", "", "rw r", "", 1, _PS)
family("unpckhpd=15", "", "rw r", "", 1, _PD)
family("shufpd", "", "rw r r", "", 1, "{} xmm1, xmm2/m128, uimm8 | 66 0F C6 /r ib")
family("movhlps=2 movlhps=6", "", "rw r", "", 1, "{} xmm1, xmm2 | 0F 10+n /r")
family("movmskps", "", "w r", "", 3, "{} r32, xmm1 | 0F 50 /r")
family("movmskpd", "", "w r", "", 3, "{} r32, xmm1 | 66 0F 50 /r")
family("pmovmskb", "", "w r", "", 3, "{} r32, xmm1 | 66 0F D7 /r")
family("cvtdq2ps", "", "w r", "", 4, "{} xmm1, xmm2/m128 | 0F 5B /r")
family("cvtdq2pd", "", "w r", "", 5, "{} xmm1, xmm2/m64 | F3 0F E6 /r")
family("cvttps2dq", "", "w r", "", 4, "{} xmm1, xmm2/m128 | F3 0F 5B /r")
family("cvtps2dq", "", "w r", "", 4, "{} xmm1, xmm2/m128 | 66 0F 5B /r")
family("cvttpd2dq", "", "w r", "", 5, "{} xmm1, xmm2/m128 | 66 0F E6 /r")
family("cvtpd2dq", "", "w r", "", 5, "{} xmm1, xmm2/m128 | F2 0F E6 /r")
family("cvtps2pd", "", "w r", "", 5, "{} xmm1, xmm2/m64 | 0F 5A /r")
family("cvtpd2ps", "", "w r", "", 5, "{} xmm1, xmm2/m128 | 66 0F 5A /r")
family(
    "paddsb=EC paddsw=ED paddusb=DC paddusw=DD psubsb=E8 psubsw=E9 psubusb=D8 psubusw=D9 pminub=DA pmaxub=DE pminsw=EA"
    " pmaxsw=EE pavgb=E0 pavgw=E3 pcmpgtb=64 pcmpgtw=65 pcmpgtd=66 packsswb=63 packuswb=67 packssdw=6B punpcklbw=60"
    " punpcklwd=61 punpckldq=62 punpckhbw=68 punpckhwd=69 punpckhdq=6A punpckhqdq=6D",
    "", "rw r", "", 1, _PD,
)  # fmt: skip
family("pmullw=D5 pmulhw=E5 pmulhuw=E4 pmaddwd=F5 psadbw=F6 pmuludq=F4", "", "rw r", "", 5, _PD)
family("psllw=6 psrlw=2 psraw=4", "", "rw r", "", 1, """
    {} xmm1, uimm8      | 66 0F 71 /n ib
    {} xmm1, xmm2/m128  | 66 0F C1+8n /r
""")  # fmt: skip
family("pslld=6 psrld=2 psrad=4", "", "rw r", "", 1, """
    {} xmm1, uimm8      | 66 0F 72 /n ib
    {} xmm1, xmm2/m128  | 66 0F C2+8n /r
""")  # fmt: skip
family("psllq=6 psrlq=2", "", "rw r", "", 1, """
    {} xmm1, uimm8      | 66 0F 73 /n ib
    {} xmm1, xmm2/m128  | 66 0F C3+8n /r
""")  # fmt: skip
family("pslldq=7 psrldq=3", "", "rw r", "", 1, "{} xmm1, uimm8 | 66 0F 73 /n ib")
family("pshufhw", "", "w r r", "", 1, "{} xmm1, xmm2/m128, uimm8 | F3 0F 70 /r ib")
family("pshuflw", "", "w r r", "", 1, "{} xmm1, xmm2/m128, uimm8 | F2 0F 70 /r ib")
family("pinsrw", "", "rw r r", "", 2, "{} xmm1, r32/m16, uimm8 | 66 0F C4 /r ib")
family("pextrw", "", "w r r", "", 3, "{} r32, xmm1, uimm8 | 66 0F C5 /r ib")

# SSE3 and SSSE3

family("haddps=7C hsubps=7D addsubps=D0", "", "rw r", "needs=sse3", 6, "{} xmm1, xmm2/m128 | F2 0F 00+n /r")
family("haddpd=7C hsubpd=7D addsubpd=D0", "", "rw r", "needs=sse3", 6, _PD)
family("movddup", "", "w r", "needs=sse3", 1, "{} xmm1, xmm2/m64 | F2 0F 12 /r")
family("movsldup=2 movshdup=6", "", "w r", "needs=sse3", 1, "{} xmm1, xmm2/m128 | F3 0F 10+n /r")
family("pshufb=0 psignb=8 psignw=9 psignd=A", "", "rw r", "needs=ssse3", 1, _38)
family("phaddw=1 phaddd=2 phsubw=5 phsubd=6", "", "rw r", "needs=ssse3", 3, _38)
family("pmaddubsw=4 pmulhrsw=B", "", "rw r", "needs=ssse3", 5, _38)
family("pabsb=1C pabsw=1D pabsd=1E", "", "w r", "needs=ssse3", 1, _38)
family("palignr=F", "", "rw r r", "needs=ssse3", 1, _3A)

# SSE4.1 and SSE4.2

_41 = "needs=sse4.1"
family("pminsb=38 pminsd=39 pminuw=3A pminud=3B pmaxsb=3C pmaxsd=3D pmaxuw=3E pmaxud=3F", "", "rw r", _41, 1, _38)
family("pcmpeqq=29 packusdw=2B", "", "rw r", _41, 1, _38)
family("pmuldq=28", "", "rw r", _41, 5, _38)
family("pmulld=40", "", "rw r", _41, 10, _38)
family("pmovsxbw=20 pmovsxwd=23 pmovsxdq=25 pmovzxbw=30 pmovzxwd=33 pmovzxdq=35", "", "w r", _41, 1, _38.replace("m128", "m64"))
family("pmovsxbd=21 pmovsxwq=24 pmovzxbd=31 pmovzxwq=34", "", "w r", _41, 1, _38.replace("m128", "m32"))
family("pmovsxbq=22 pmovzxbq=32", "", "w r", _41, 1, _38.replace("m128", "m16"))
family("pblendvb=10 blendvps=14 blendvpd=15", "", "rw r", "reads=xmm0 needs=sse4.1", 2, _38)
family("blendps=C blendpd=D pblendw=E", "", "rw r r", _41, 1, _3A)
family("roundps=8 roundpd=9", "", "w r r", _41, 8, _3A)
family("ptest=17", "", "r r", "flags=w needs=sse4.1", 4, _38)
family("insertps", "", "rw r r", _41, 1, "{} xmm1, xmm2/m32, uimm8 | 66 0F 3A 21 /r ib")
family("extractps", "", "w r r", _41, 3, "{} r/m32, xmm1, uimm8 | 66 0F 3A 17 /r ib")
family("pinsrb", "", "rw r r", _41, 2, "{} xmm1, r32/m8, uimm8 | 66 0F 3A 20 /r ib")
family("pinsrd", "", "rw r r", _41, 2, "{} xmm1, r/m32, uimm8 | 66 0F 3A 22 /r ib")
family("pinsrq", "", "rw r r", _41, 2, "{} xmm1, r/m64, uimm8 | 66 REX.W 0F 3A 22 /r ib")
family("pextrb", "", "w r r", _41, 3, "{} r32/m8, xmm1, uimm8 | 66 0F 3A 14 /r ib")
family("pextrd", "", "w r r", _41, 3, "{} r/m32, xmm1, uimm8 | 66 0F 3A 16 /r ib")
family("pextrq", "", "w r r", _41, 3, "{} r/m64, xmm1, uimm8 | 66 REX.W 0F 3A 16 /r ib")
family("pcmpgtq=37", "", "rw r", "needs=sse4.2", 3, _38)
