"""Integer instructions beyond the baseline: BMI1, BMI2, MOVBE, CRC32."""

from __future__ import annotations

from septet.x86.rows import family

family("andn", "64 32", "w r r", "flags=w needs=bmi1", 1, "andn r64, r64, r/m64 | VEX.0F38.W1 F2 /r")
family("bextr", "64 32", "w r r", "flags=w needs=bmi1", 2, "bextr r64, r/m64, r64 | VEX.0F38.W1 F7 /r")
family("blsr=1 blsmsk=2 blsi=3", "64 32", "w r", "flags=w needs=bmi1", 1, "{} r64, r/m64 | VEX.0F38.W1 F3 /n")
family("bzhi", "64 32", "w r r", "flags=w needs=bmi2", 1, "bzhi r64, r/m64, r64 | VEX.0F38.W1 F5 /r")
family("shlx", "64 32", "w r r", "needs=bmi2", 1, "shlx r64, r/m64, r64 | VEX.66.0F38.W1 F7 /r")
family("sarx", "64 32", "w r r", "needs=bmi2", 1, "sarx r64, r/m64, r64 | VEX.F3.0F38.W1 F7 /r")
family("shrx", "64 32", "w r r", "needs=bmi2", 1, "shrx r64, r/m64, r64 | VEX.F2.0F38.W1 F7 /r")
family("rorx", "64 32", "w r r", "needs=bmi2", 1, "rorx r64, r/m64, uimm8 | VEX.F2.0F3A.W1 F0 /r ib")
family("mulx", "64 32", "w w r", "needs=bmi2 reads=rdx", 4, "mulx r64, r64, r/m64 | VEX.F2.0F38.W1 F6 /r")
family("pdep", "64 32", "w r r", "needs=bmi2", 3, "pdep r64, r64, r/m64 | VEX.F2.0F38.W1 F5 /r")
family("pext", "64 32", "w r r", "needs=bmi2", 3, "pext r64, r64, r/m64 | VEX.F3.0F38.W1 F5 /r")
family("movbe", "64 32 16", "w r", "needs=movbe", 2, """
    movbe r64, m64   | REX.W 0F 38 F0 /r
    movbe m64, r64   | REX.W 0F 38 F1 /r
""")  # fmt: skip
family("crc32", "64", "rw r", "needs=sse4.2", 3, "crc32 r64, r/m64 | F2 REX.W 0F 38 F1 /r")
family("crc32", "32", "rw r", "needs=sse4.2", 3, "crc32 r32, r/m32 | F2 0F 38 F1 /r")
family("crc32", "8", "rw r", "needs=sse4.2", 3, "crc32 r32, r/m8 | F2 0F 38 F0 /r")
