"""The instruction forms of x86-64: one row a form, in the notation of the Intel manual, and the opcodes made of them.

A family is (names, widths, access, effects, latency, rows).  In a name such as `add=0` the number, hexadecimal, is what stands
for `n` in the rows' opcode column (`/n`, `05+8n`, `40+n`); in the rows `{}` is the name.  A width is put behind the name to
make the opcode, but for 64.  Where there are 64 and others, the rows are those of 64 bits, and the others follow from them.

* access, an operand each: `r`, `w`, `rw`; `a` for memory that is only addressed; `-` for a label.
* effects: `flags=r|w|rw`, `reads=` and `writes=` registers that are not operands, `needs=` (below), `move`, `call`, `jumps`,
  `ends`.
* latency: cycles from register to register on a recent core (Zen 4 and Ice Lake, by the tables of uops.info and of Agner Fog).
  A load adds about 4.
* rows: `mnemonic places | opcode`, then `| encode` where another row is the one to decode to.  Beyond the manual: `uimm8` and
  `uimm32` are immediates that are not sign-extended, and with `/r` a lone register place stands in both fields of ModRM.

What is above a narrow result: 32-bit operations clear the upper half of the register; `set` leaves bits 8 to 63 of it
undefined; other 8 and 16-bit operations keep them (which is why `insert8` is `rw`).

Vector instructions: where the widths are among 128, 256 and 512, the row is that of 128 bits, and the others follow.  A width
is put behind the name but for 128.

    vaddpd xmm1, xmm2, xmm3/m128 | VEX.66.0F.WIG.W1 58 /r     of widths 128 256 512 stands for
    vaddpd    xmm1, xmm2, xmm3/m128 | VEX.66.0F.WIG 58 /r
    vaddpd256 ymm1, ymm2, ymm3/m256 | VEX.256.66.0F.WIG 58 /r
    vaddpd512 zmm1, zmm2, zmm3/m512 | EVEX.512.66.0F.W1 58 /r

* What grows with the vector is every vector register and its memory, `xmm2/m64` to `xmm2/m128` and `ymm2/m256`; but not a
  place in brackets, `[xmm3/m128]`.  `xmm1(8)` is a register of which 8 bytes are meant, and they grow too.
* Where EVEX has another W than VEX, it stands behind VEX's.  512 bits are always EVEX, others where the row says so.
* `k1` is a mask register, `{k1}` one that chooses lanes.
* effects: `needs=` is the feature of `targets.FEATURES` without which there is no such instruction; `a/b/c` are those of 128,
  256 and 512 bits; `+vl` adds avx512vl to what is shorter than 512.

The table goes on in the files named in `_MORE`, which are read in turn until they have an opcode that is asked for and not
here: a program that has none of them does not pay for them.
"""

from __future__ import annotations

CONDITION_CODES = "o no b ae e ne be a s ns p np l ge le g".split()  # by the number that instructions encode

Family = tuple[str, str, str, str, int, str]  # mnemonic, number, access, effects, latency, rows
FAMILIES: dict[str, Family] = {}  # by opcode, in the order of the table: those read so far, see `family_of`
NARROW: dict[str, str] = {}  # of opcodes that follow from the rows of 64-bit or 128-bit families: their width
_MORE = {False: ["bits", "sse"], True: ["avx", "avx_integer", "avx512"]}  # the files to be read yet, by `_is_avx`


def family_of(opcode: str) -> Family | None:
    """The family of an opcode of that name, from whichever file has it."""
    more = _MORE[_is_avx(opcode)]
    while opcode not in FAMILIES and more:
        _read_next(more)
    return FAMILIES.get(opcode)


def read_all() -> None:
    """Read the whole table."""
    for more in _MORE.values():
        while more:
            _read_next(more)


def _is_avx(opcode: str) -> bool:
    """Whether a name looks like that of a vector instruction with VEX or EVEX: the others have no `v` or `k` in front."""
    return opcode[:1] in ("v", "k")


def _read_next(more: list[str]) -> None:
    __import__(f"septet.x86.rows_{more.pop(0)}")


def family(names: str, widths: str, access: str, effects: str, latency: int, rows: str) -> None:
    """Add a family of opcodes to the table; see the head of this file."""
    first = widths.split(" ", 1)[0]
    plain = first if first == "64" else "128"
    follow = first in ("64", "128", "256", "512")
    for member in names.split():
        name, _, number = member.partition("=")
        entry = (name, number, access, effects, latency, rows)
        for width in widths.split() or ("",):
            opcode = name if width == plain else name + width
            FAMILIES[opcode] = entry
            if follow and width != plain:
                NARROW[opcode] = width


def conditional(stem: str) -> str:
    """The names of a family with a member for each condition."""
    return " ".join([f"{stem}{code}={number:x}" for number, code in enumerate(CONDITION_CODES)])


# Integer arithmetic

_ALU = """
    {} r/m64, imm8  | REX.W 83 /n ib
    {} rax, imm32   | REX.W 05+8n id
    {} r/m64, imm32 | REX.W 81 /n id
    {} r/m64, r64   | REX.W 01+8n /r
    {} r64, r/m64   | REX.W 03+8n /r
"""
_ALU_8 = """
    {} al, imm8     | 04+8n ib
    {} r/m8, imm8   | 80 /n ib
    {} r/m8, r8     | 00+8n /r
    {} r8, r/m8     | 02+8n /r
"""
family("add=0 or=1 and=4 sub=5 xor=6", "64 32 16", "rw r", "flags=w", 1, _ALU)
family("add=0 or=1 and=4 sub=5 xor=6", "8", "rw r", "flags=w", 1, _ALU_8)
family("adc=2 sbb=3", "64 32 16", "rw r", "flags=rw", 1, _ALU)
family("adc=2 sbb=3", "8", "rw r", "flags=rw", 1, _ALU_8)
family("cmp=7", "64 32 16", "r r", "flags=w", 1, _ALU)
family("cmp=7", "8", "r r", "flags=w", 1, _ALU_8)

family("test", "64 32 16", "r r", "flags=w", 1, """
    test rax, imm32   | REX.W A9 id
    test r/m64, imm32 | REX.W F7 /0 id
    test r/m64, r64   | REX.W 85 /r
    test r64, m64     | REX.W 85 /r    | encode
""")  # fmt: skip
family("test", "8", "r r", "flags=w", 1, """
    test al, imm8     | A8 ib
    test r/m8, imm8   | F6 /0 ib
    test r/m8, r8     | 84 /r
    test r8, m8       | 84 /r          | encode
""")  # fmt: skip

family("inc=0 dec=1", "64 32 16", "rw", "flags=w", 1, "{} r/m64 | REX.W FF /n")
family("inc=0 dec=1", "8", "rw", "flags=w", 1, "{} r/m8 | FE /n")
family("neg=3", "64 32 16", "rw", "flags=w", 1, "{} r/m64 | REX.W F7 /n")
family("neg=3", "8", "rw", "flags=w", 1, "{} r/m8 | F6 /n")
family("not=2", "64 32 16", "rw", "", 1, "{} r/m64 | REX.W F7 /n")
family("not=2", "8", "rw", "", 1, "{} r/m8 | F6 /n")

family("imul", "64 32", "rw r", "flags=w", 3, """
    imul r64, r/m64        | REX.W 0F AF /r
    imul r64, imm8         | REX.W 6B /r ib | encode
    imul r64, imm32        | REX.W 69 /r id | encode
""")  # fmt: skip
family("imul", "16", "rw r", "flags=w", 3, "imul r16, r/m16 | 66 0F AF /r")
family("imul3", "64 32", "w r r", "flags=w", 3, """
    imul r64, r/m64, imm8  | REX.W 6B /r ib
    imul r64, r/m64, imm32 | REX.W 69 /r id
""")  # fmt: skip
family("imul1=5", "64 32", "r", "flags=w reads=rax writes=rax,rdx", 4, "imul r/m64 | REX.W F7 /n")
family("mul=4", "64 32", "r", "flags=w reads=rax writes=rax,rdx", 4, "{} r/m64 | REX.W F7 /n")
family("div=6 idiv=7", "64 32", "r", "flags=w reads=rax,rdx writes=rax,rdx", 18, "{} r/m64 | REX.W F7 /n")
family("cqo", "", "", "reads=rax writes=rdx", 1, "cqo | REX.W 99")
family("cdq", "", "", "reads=rax writes=rdx", 1, "cdq | 99")
family("cdqe", "", "", "reads=rax writes=rax", 1, "cdqe | REX.W 98")
family("cwde", "", "", "reads=rax writes=rax", 1, "cwde | 98")

# Shifts and bits

_SHIFT = """
    {} r/m64, 1     | REX.W D1 /n
    {} r/m64, uimm8 | REX.W C1 /n ib
    {} r/m64, cl    | REX.W D3 /n
"""
_SHIFT_8 = """
    {} r/m8, 1      | D0 /n
    {} r/m8, uimm8  | C0 /n ib
    {} r/m8, cl     | D2 /n
"""
family("rol=0 ror=1 shl=4 shr=5 sar=7", "64 32 16", "rw r", "flags=w", 1, _SHIFT)
family("rol=0 ror=1 shl=4 shr=5 sar=7", "8", "rw r", "flags=w", 1, _SHIFT_8)
family("rcl=2 rcr=3", "64 32 16", "rw r", "flags=rw", 2, _SHIFT)
family("rcl=2 rcr=3", "8", "rw r", "flags=rw", 2, _SHIFT_8)
family("shld=A4 shrd=AC", "64 32 16", "rw r r", "flags=w", 3, """
    {} r/m64, r64, uimm8 | REX.W 0F 00+n /r ib
    {} r/m64, r64, cl    | REX.W 0F 01+n /r
""")  # fmt: skip

family("popcnt=B8", "64 32", "w r", "flags=w needs=popcnt", 1, "{} r64, r/m64 | F3 REX.W 0F 00+n /r")
family("tzcnt=BC", "64 32", "w r", "flags=w needs=bmi1", 2, "{} r64, r/m64 | F3 REX.W 0F 00+n /r")
family("lzcnt=BD", "64 32", "w r", "flags=w needs=lzcnt", 1, "{} r64, r/m64 | F3 REX.W 0F 00+n /r")
family("bsf=BC bsr=BD", "64 32", "w r", "flags=w", 3, "{} r64, r/m64 | REX.W 0F 00+n /r")
family("bswap", "64 32", "rw", "", 2, "{} r64 | REX.W 0F C8+rd")
_BIT_ROWS = """
    {} r/m64, uimm8 | REX.W 0F BA /n ib
    {} r/m64, r64   | REX.W 0F 83+8n /r
"""
family("bt=4", "64 32 16", "r r", "flags=w", 1, _BIT_ROWS)
family("bts=5 btr=6 btc=7", "64 32 16", "rw r", "flags=w", 1, _BIT_ROWS)

# Moves

family("mov", "64", "w r", "move", 1, """
    mov r/m64, r64   | REX.W 89 /r
    mov r64, r/m64   | REX.W 8B /r
    mov r64, uimm32  | B8+rd id        | encode
    mov r/m64, imm32 | REX.W C7 /0 id
    mov r64, imm64   | REX.W B8+rd io
""")  # fmt: skip
family("mov32", "", "w r", "", 1, """
    mov r/m32, r32   | 89 /r
    mov r32, r/m32   | 8B /r
    mov r32, imm32   | B8+rd id
    mov r/m32, imm32 | C7 /0 id
""")  # fmt: skip
family("mov16", "", "w r", "", 1, """
    mov m16, r16     | 66 89 /r
    mov m16, imm16   | 66 C7 /0 iw
""")  # fmt: skip
family("mov8", "", "w r", "", 1, """
    mov m8, r8       | 88 /r
    mov m8, imm8     | C6 /0 ib
""")  # fmt: skip
family("insert16", "", "rw r", "", 1, """
    mov r16, r/m16   | 66 8B /r
    mov r16, imm16   | 66 B8+rw iw
""")  # fmt: skip
family("insert8", "", "rw r", "", 1, """
    mov r8, r/m8     | 8A /r
    mov r8, imm8     | B0+rb ib
""")  # fmt: skip
family("movzx8", "", "w r", "", 1, "movzx r32, r/m8 | 0F B6 /r")
family("movzx16", "", "w r", "", 1, "movzx r32, r/m16 | 0F B7 /r")
family("movsx8", "", "w r", "", 1, "movsx r64, r/m8 | REX.W 0F BE /r")
family("movsx16", "", "w r", "", 1, "movsx r64, r/m16 | REX.W 0F BF /r")
family("movsx32", "", "w r", "", 1, "movsxd r64, r/m32 | REX.W 63 /r")
family("lea", "64 32", "w a", "", 1, "lea r64, m | REX.W 8D /r")
family("xchg", "64 32 16", "rw rw", "", 2, """
    xchg r/m64, r64  | REX.W 87 /r
    xchg r64, m64    | REX.W 87 /r     | encode
""")  # fmt: skip
family("xchg", "8", "rw rw", "", 2, """
    xchg r/m8, r8    | 86 /r
    xchg r8, m8      | 86 /r           | encode
""")  # fmt: skip
family("cmpxchg", "64 32 16", "rw r", "flags=w reads=rax writes=rax", 6, "cmpxchg r/m64, r64 | REX.W 0F B1 /r")
family("cmpxchg", "8", "rw r", "flags=w reads=rax writes=rax", 6, "cmpxchg r/m8, r8 | 0F B0 /r")
family("xadd", "64 32 16", "rw rw", "flags=w", 4, "xadd r/m64, r64 | REX.W 0F C1 /r")
family("xadd", "8", "rw rw", "flags=w", 4, "xadd r/m8, r8 | 0F C0 /r")
family("lock-cmpxchg", "64 32", "rw r", "flags=w reads=rax writes=rax", 18, "lock-cmpxchg m64, r64 | F0 REX.W 0F B1 /r")
family("lock-xadd", "64 32", "rw rw", "flags=w", 18, "lock-xadd m64, r64 | F0 REX.W 0F C1 /r")
family(conditional("cmov"), "64 32 16", "rw r", "flags=r", 1, "{} r64, r/m64 | REX.W 0F 40+n /r")
family(conditional("set"), "", "w", "flags=r", 1, "{} r/m8 | 0F 90+n /0")
family("push", "", "r", "reads=rsp writes=rsp", 1, """
    push r64         | 50+rd
    push imm8        | 6A ib
    push imm32       | 68 id
    push m64         | FF /6
""")  # fmt: skip
family("pop", "", "w", "reads=rsp writes=rsp", 1, """
    pop r64          | 58+rd
    pop m64          | 8F /0
""")  # fmt: skip

# Control, the system, strings

family(conditional("j"), "", "-", "flags=r jumps", 1, """
    {} rel8          | 70+n cb
    {} rel32         | 0F 80+n cd
""")  # fmt: skip
family("jmp", "", "-", "jumps ends", 1, """
    jmp rel8         | EB cb
    jmp rel32        | E9 cd
""")  # fmt: skip
family("jmp-indirect", "", "r", "ends", 1, "jmp r/m64 | FF /4")
family("call", "", "", "call flags=w", 3, """
    call rel32       | E8 cd
    call r/m64       | FF /2
""")  # fmt: skip
family("ret", "", "", "ends reads=rsp writes=rsp", 3, "ret | C3")
family("syscall", "", "", "flags=w reads=rax,rdi,rsi,rdx,r10,r8,r9 writes=rax,rcx,r11", 100, "syscall | 0F 05")
family("ud2", "", "", "ends", 1, "ud2 | 0F 0B")
family("int3", "", "", "", 1, "int3 | CC")
family("nop", "", "", "", 1, "nop | 90")
family("data16-nop", "", "", "", 1, "data16-nop | 66 90")
family("long-nop", "", "a", "", 1, "nop m32 | 0F 1F /0")
family("long-nop16", "", "a", "", 1, "nop m16 | 66 0F 1F /0")
family("pause", "", "", "", 40, "pause | F3 90")
family("cpuid", "", "", "reads=rax,rcx writes=rax,rbx,rcx,rdx", 100, "cpuid | 0F A2")
family("rdtsc", "", "", "writes=rax,rdx", 25, "rdtsc | 0F 31")
family("mfence=F0 sfence=F8 lfence=E8", "", "", "", 30, "{} | 0F AE 00+n")
family("prefetcht0=1 prefetcht1=2 prefetcht2=3 prefetchnta=0", "", "a", "", 1, "{} m8 | 0F 18 /n")
family("clc=F8 stc=F9 cmc=F5 cld=FC std=FD", "", "", "flags=rw", 1, "{} | 00+n")

family("rep-movsb", "", "", "reads=rdi,rsi,rcx writes=rdi,rsi,rcx", 30, "rep-movsb | F3 A4")
family("rep-movsq", "", "", "reads=rdi,rsi,rcx writes=rdi,rsi,rcx", 30, "rep-movsq | F3 REX.W A5")
family("rep-stosb", "", "", "reads=rdi,rax,rcx writes=rdi,rcx", 30, "rep-stosb | F3 AA")
family("rep-stosq", "", "", "reads=rdi,rax,rcx writes=rdi,rcx", 30, "rep-stosq | F3 REX.W AB")
family("repne-scasb", "", "", "flags=w reads=rdi,rax,rcx writes=rdi,rcx", 30, "repne-scasb | F2 AE")
family("repe-cmpsb", "", "", "flags=w reads=rdi,rsi,rcx writes=rdi,rsi,rcx", 30, "repe-cmpsb | F3 A6")

# Floats: the low 32 or 64 bits of a vector register.  What stands above them is nothing anybody reads.

family("addsd=0 mulsd=1 subsd=4 minsd=5 maxsd=7", "", "rw r", "", 4, "{} xmm1(8), xmm2/m64 | F2 0F 58+n /r")
family("addss=0 mulss=1 subss=4 minss=5 maxss=7", "", "rw r", "", 4, "{} xmm1(4), xmm2/m32 | F3 0F 58+n /r")
family("divsd", "", "rw r", "", 13, "{} xmm1(8), xmm2/m64 | F2 0F 5E /r")
family("divss", "", "rw r", "", 11, "{} xmm1(4), xmm2/m32 | F3 0F 5E /r")
family("sqrtsd", "", "w r", "", 16, "{} xmm1(8), xmm2/m64 | F2 0F 51 /r")
family("sqrtss", "", "w r", "", 12, "{} xmm1(4), xmm2/m32 | F3 0F 51 /r")
family("roundsd", "", "w r r", "needs=sse4.1", 8, "{} xmm1(8), xmm2/m64, uimm8 | 66 0F 3A 0B /r ib")
family("roundss", "", "w r r", "needs=sse4.1", 8, "{} xmm1(4), xmm2/m32, uimm8 | 66 0F 3A 0A /r ib")
family("ucomisd=0 comisd=1", "", "r r", "flags=w", 3, "{} xmm1(8), xmm2/m64 | 66 0F 2E+n /r")
family("ucomiss=0 comiss=1", "", "r r", "flags=w", 3, "{} xmm1(4), xmm2/m32 | 0F 2E+n /r")
family("cvtsi2sd", "64 32", "w r", "", 5, "{} xmm1(8), r/m64 | F2 REX.W 0F 2A /r")
family("cvtsi2ss", "64 32", "w r", "", 5, "{} xmm1(4), r/m64 | F3 REX.W 0F 2A /r")
family("cvttsd2si=0 cvtsd2si=1", "", "w r", "", 6, "{} r64, xmm1/m64 | F2 REX.W 0F 2C+n /r")
family("cvttsd2si=0 cvtsd2si=1", "32", "w r", "", 6, "{} r32, xmm1/m64 | F2 0F 2C+n /r")
family("cvttss2si=0 cvtss2si=1", "", "w r", "", 6, "{} r64, xmm1/m32 | F3 REX.W 0F 2C+n /r")
family("cvttss2si=0 cvtss2si=1", "32", "w r", "", 6, "{} r32, xmm1/m32 | F3 0F 2C+n /r")
family("cvtsd2ss", "", "w r", "", 5, "{} xmm1(4), xmm2/m64 | F2 0F 5A /r")
family("cvtss2sd", "", "w r", "", 5, "{} xmm1(8), xmm2/m32 | F3 0F 5A /r")
family("movsd", "", "w r", "", 1, """
    movsd xmm1(8), m64     | F2 0F 10 /r
    movsd m64, xmm1(8)     | F2 0F 11 /r
""")  # fmt: skip
family("movss", "", "w r", "", 1, """
    movss xmm1(4), m32     | F3 0F 10 /r
    movss m32, xmm1(4)     | F3 0F 11 /r
""")  # fmt: skip
family("movq", "", "w r", "", 2, """
    movq xmm1(8), xmm2/m64 | F3 0F 7E /r
    movq xmm1(8), r/m64    | 66 REX.W 0F 6E /r
""")  # fmt: skip
family("movqr", "", "w r", "", 2, """
    movq m64, xmm1(8)      | 66 0F D6 /r
    movq r/m64, xmm1(8)    | 66 REX.W 0F 7E /r
""")  # fmt: skip
family("movd", "", "w r", "", 2, "movd xmm1(4), r/m32 | 66 0F 6E /r")
family("movdr", "", "w r", "", 2, "movd r/m32, xmm1(4) | 66 0F 7E /r")

# Whole vector registers

family("movaps", "", "w r", "move", 1, """
    movaps xmm1, xmm2/m128 | 0F 28 /r
    movaps m128, xmm1      | 0F 29 /r
""")  # fmt: skip
family("movups", "", "w r", "", 1, """
    movups xmm1, xmm2/m128 | 0F 10 /r
    movups m128, xmm1      | 0F 11 /r
""")  # fmt: skip
family("movdqa", "", "w r", "", 1, """
    movdqa xmm1, xmm2/m128 | 66 0F 6F /r
    movdqa m128, xmm1      | 66 0F 7F /r
""")  # fmt: skip
family("movdqu", "", "w r", "", 1, """
    movdqu xmm1, xmm2/m128 | F3 0F 6F /r
    movdqu m128, xmm1      | F3 0F 7F /r
""")  # fmt: skip
family("andps=54 andnps=55 orps=56 xorps=57 unpcklps=14", "", "rw r", "", 1, "{} xmm1, xmm2/m128 | 0F 00+n /r")
family("andpd=54 andnpd=55 orpd=56 xorpd=57 unpcklpd=14", "", "rw r", "", 1, "{} xmm1, xmm2/m128 | 66 0F 00+n /r")
family("addps=0 mulps=1 subps=4 minps=5 maxps=7", "", "rw r", "", 4, "{} xmm1, xmm2/m128 | 0F 58+n /r")
family("addpd=0 mulpd=1 subpd=4 minpd=5 maxpd=7", "", "rw r", "", 4, "{} xmm1, xmm2/m128 | 66 0F 58+n /r")
family("divps", "", "rw r", "", 11, "{} xmm1, xmm2/m128 | 0F 5E /r")
family("divpd", "", "rw r", "", 13, "{} xmm1, xmm2/m128 | 66 0F 5E /r")
family("sqrtps", "", "w r", "", 12, "{} xmm1, xmm2/m128 | 0F 51 /r")
family("sqrtpd", "", "w r", "", 16, "{} xmm1, xmm2/m128 | 66 0F 51 /r")
family(
    "pand=DB pandn=DF por=EB pxor=EF paddb=FC paddw=FD paddd=FE paddq=D4 psubb=F8 psubw=F9 psubd=FA psubq=FB"
    " pcmpeqb=74 pcmpeqw=75 pcmpeqd=76 punpcklqdq=6C",
    "", "rw r", "", 1, "{} xmm1, xmm2/m128 | 66 0F 00+n /r",
)  # fmt: skip
family("pshufd", "", "w r r", "", 1, "{} xmm1, xmm2/m128, uimm8 | 66 0F 70 /r ib")
family("shufps", "", "rw r r", "", 1, "{} xmm1, xmm2/m128, uimm8 | 0F C6 /r ib")

BASELINE_OPCODES = len(FAMILIES)  # how many opcodes there are before more files are read
