"""The table of peephole rules: what a few instructions in a row may be instead; and the notation of the rows.

A row is `rule(name, find, give, when)`: where `find` stands, `give` may stand.

    rule("move-add", "mov %a, %b ; add %a, {k}", "lea %a, mem %b {k}")

Instructions are L1 text, divided by `;`, with

    %a %b %c    a general register but rsp, the same one where a name stands twice        %u    a vector register
    %t          a general register or a number                                    %m    a memory operand
    {k} {n}     a number; in what is given, a number computed from such           :l    a label

Different names may be the same register: `when`, a Python condition, says where that must not be (`a is not b`; `uses(m, a)`:
the address m is computed from a).  Where `find` or `give` changes the flags, nothing behind may read them, which need not be
said.
A rule makes code shorter or faster, never longer in both; `tests/unit/test_peephole.py` runs both sides of each.
"""

from __future__ import annotations


class Rule:
    """One row."""

    __slots__ = ("name", "find", "give", "when")

    def __init__(self, name: str, find: str, give: str, when: str) -> None:
        self.name = name
        self.find = find
        self.give = give
        self.when = when


RULES: list[Rule] = []


def rule(name: str, find: str, give: str, when: str = "True") -> None:
    """Add a row to the table."""
    RULES.append(Rule(name, find, give, when))


# Moves

rule("move-to-itself", "mov %a, %a", "")
rule("move-back", "mov %a, %b ; mov %b, %a", "mov %a, %b")
rule("overwritten", "mov %a, %b ; mov %a, {k}", "mov %a, {k}")
rule("overwritten-by-move", "mov %a, %b ; mov %a, %c", "mov %a, %c", "c is not a")
rule("overwritten-by-load", "mov %a, %b ; mov %a, %m", "mov %a, %m", "not uses(m, a)")
rule("overwritten-number", "mov %a, {k} ; mov %a, {n}", "mov %a, {n}")
rule("clear", "mov %a, 0", "xor32 %a, %a")

# Memory that was just written or read

rule("stored-then-loaded", "mov %m, %a ; mov %b, %m", "mov %m, %a ; mov %b, %a")
rule("loaded-then-stored", "mov %a, %m ; mov %m, %a", "mov %a, %m", "not uses(m, a)")
rule("loaded-twice", "mov %a, %m ; mov %b, %m", "mov %a, %m ; mov %b, %a", "not uses(m, a)")
rule("stored-twice", "mov %m, %a ; mov %m, %b", "mov %m, %b")

# Sums in one instruction, and in the shortest

rule("move-add", "mov %a, %b ; add %a, {k}", "lea %a, mem %b {k}", "a is not b")
rule("move-add-register", "mov %a, %b ; add %a, %c", "lea %a, mem %b %c*1 0", "a is not b and a is not c")
rule("move-subtract", "mov %a, %b ; sub %a, {k}", "lea %a, mem %b {-k}", "a is not b and k != -0x80000000")
rule("move-increment", "mov %a, %b ; inc %a", "lea %a, mem %b 1", "a is not b")
rule("move-decrement", "mov %a, %b ; dec %a", "lea %a, mem %b -1", "a is not b")
rule("move-double", "mov %a, %b ; shl %a, 1", "lea %a, mem %b %b*1 0", "a is not b")
rule("address-of-nothing", "lea %a, mem %b 0", "mov %a, %b")
rule("address-increment", "lea %a, mem %a 1", "inc %a")
rule("address-decrement", "lea %a, mem %a -1", "dec %a")
rule("address-add", "lea %a, mem %a %b*1 0", "add %a, %b", "a is not b")
rule("address-add-index", "lea %a, mem %b %a*1 0", "add %a, %b", "a is not b")
rule("add-one", "add %a, 1", "inc %a")
rule("subtract-one", "sub %a, 1", "dec %a")

# Products and shifts by constants

rule("times-zero", "imul3 %a, %b, 0", "xor32 %a, %a")
rule("times-one", "imul3 %a, %b, 1", "mov %a, %b")
rule("times-minus-one", "imul3 %a, %a, -1", "neg %a")
rule("times-three", "imul3 %a, %b, 3", "lea %a, mem %b %b*2 0")
rule("times-five", "imul3 %a, %b, 5", "lea %a, mem %b %b*4 0")
rule("times-nine", "imul3 %a, %b, 9", "lea %a, mem %b %b*8 0")
for _opcode in ("shl", "sar", "shr"):
    rule(
        f"{_opcode}-by-constant", f"mov %a, {{k}} ; {_opcode}x %a, %b, %a", f"mov %a, %b ; {_opcode} %a, {{k}}",
        "a is not b and 0 <= k < 64",
    )  # fmt: skip

# Flags that are set already: all of them by logic, and by sums whether the result is 0 or negative

_SIGNS = {"=": "je", "!=": "jne", "<": "js", ">=": "jns"}
for _opcode in ("and", "or", "xor"):
    for _condition, _jump in {**_SIGNS, "<=": "jle", ">": "jg"}.items():
        for _right, _kind in (("%t", ""), ("%m", "-memory")):
            _instruction = f"{_opcode} %a, {_right}"
            rule(f"{_opcode}{_kind}-{_jump}", f"{_instruction} ; cjump{_condition} %a, 0, :l", f"{_instruction} ; {_jump} :l")
for _opcode in ("add", "sub", "neg", "inc", "dec"):
    for _condition, _jump in _SIGNS.items():
        for _right, _kind in (("",) * 2,) if _opcode in ("neg", "inc", "dec") else ((", %t", ""), (", %m", "-memory")):
            _instruction = f"{_opcode} %a{_right}"
            rule(f"{_opcode}{_kind}-{_jump}", f"{_instruction} ; cjump{_condition} %a, 0, :l", f"{_instruction} ; {_jump} :l")

# Vector registers: zeros, and ones in all places, without memory

for _load in ("movsd", "movss", "movups"):
    _size = {"movsd": 8, "movss": 4, "movups": 16}[_load]
    rule(f"{_load}-zeros", f"{_load} %u, pool {_size} 0", "xorps %u, %u")
    rule(f"v{_load}-zeros", f"v{_load} %u, pool {_size} 0", "vxorps %u, %u, %u")
for _size in (32, 64):
    rule(f"vmovups{_size * 8}-zeros", f"vmovups{_size * 8} %u, pool {_size} 0", "vxorps %u, %u, %u")
rule("movups-ones", f"movups %u, pool 16 {(1 << 128) - 1:#x}", "pcmpeqd %u, %u")
rule("vmovups-ones", f"vmovups %u, pool 16 {(1 << 128) - 1:#x}", "vpcmpeqd %u, %u, %u")
rule("vmovups256-ones", f"vmovups256 %u, pool 32 {(1 << 256) - 1:#x}", "vpcmpeqd256 %u, %u, %u")
