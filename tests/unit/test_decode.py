"""The decoder against the encoder, the GNU tools and a disassembler."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from instruction_cases import FORMS, WHOLE, cases, few, reading
from test_encode import SPELLED, iced

from septet.x86.decode import decode, disassemble
from septet.x86.encode import RIP, encode, encode_form, nops
from septet.x86.forms import CALL, JMP, LEA, Form, form_for, op
from septet.x86.instructions import Mem
from septet.x86.registers import RAX, RBX, RCX

if TYPE_CHECKING:
    from septet.x86.forms import Operand


def tried(form: Form) -> Iterable[tuple[Operand, ...]]:
    """What a form is decoded with: some twenty cases; when WHOLE every case, but every seventh of the many with VEX or EVEX."""
    return islice(cases(form), 0, None, 7 if form.scheme else 1) if WHOLE else few(form)


def test_decoding_undoes_encoding() -> None:
    for form in FORMS:
        for operands in tried(form):
            code = encode_form(form, operands)
            read, got, length = decode(b"\x90" + code + b"\x90", 1)
            assert length == len(code)
            assert encode_form(read, got) == code
            if not form.encode_only:
                assert (read.op, got) == (form.op, operands) or read.op.name in ("imul", "movq"), form


def test_what_is_emitted_round_trips() -> None:
    for form in FORMS:
        for operands in tried(form):
            if form_for(form.op, operands) or form.op.jumps:
                code = encode(form.op, operands)
                read, got, length = decode(code)
                assert length == len(code)
                assert encode(read.op, got) == code, (form, operands)


def test_listing() -> None:
    code = encode(op("mov"), (RAX, Mem(RBX, 16, RCX, 8))) + encode(LEA, (RAX, Mem(RIP, 9))) + encode(JMP, (-2,)) + b"\x06"
    assert list(disassemble(code, 0x1000)) == [
        (0, 5, "mov rax, QWORD PTR [rbx+rcx*8+16]"),
        (5, 7, "lea rax, [rip+9]"),
        (12, 2, "jmp 0x100c"),
        (14, 1, ".byte 0x06"),
    ]


def test_names() -> None:
    names = {0x1015: "data", 0x1007: "loop"}
    code = encode(LEA, (RAX, Mem(RIP, 14))) + encode(CALL, (-5,)) + encode(CALL, (0,))
    shown = [text for _, _, text in disassemble(code, 0x1000, names.get)]
    assert shown == ["lea rax, [rip+data]", "call loop", "call 0x1011"]


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"\x48",
        b"\x48\x8b",
        b"\x48\x8b\x04",
        b"\x66\x66",
        b"\x0f",
        b"\xe8\0\0\0",
        b"\x8b\x04\x25\0\0\0\0",
        b"\xc5",
        b"\xc4\xe1",
        b"\x62\xf1\x7d",
        b"\xc5\xf9\x58",
    ],
)
def test_what_cannot_be_decoded(code: bytes) -> None:
    with pytest.raises(ValueError):
        decode(code)


# Prefixes, so that noise behind them is often an instruction
STARTS = [b"", b"\x48", b"\x0f", b"\x66\x0f", b"\xf2\x0f", b"\x4c\x0f", b"\x66\x0f\x38", b"\xc5", b"\xc5\xf9", b"\xc4\xe2"]
STARTS += [b"\xc4\xe3\x75", b"\xc4\x42\xf5", b"\x62\xf1\x7d\x48", b"\x62\xd2\xf5\x28", b"\x62\xb2\xf5\x49", b"\x62\xf3\x75\x08"]


def test_any_bytes_can_be_listed() -> None:
    """And what is decoded out of noise is what another disassembler makes of it."""
    module, formatter = iced()
    noise = random.Random(7)
    known = 0
    for _ in range(2_000_000 if WHOLE else 30_000):
        code = noise.choice(STARTS) + noise.randbytes(12)
        try:
            form, operands, length = decode(code)
        except ValueError:
            continue
        known += 1
        other = next(iter(module.Decoder(64, code)))
        wanted = reading(form, operands, length).lower()
        got = formatter.format(other)
        assert other.len == length, (code.hex(" "), wanted, got)
        if not form.places or form.places[0].is_label or form.mnemonic in ("imul", "mov"):
            continue
        assert SPELLED.get(wanted, wanted) == got, code.hex(" ")
    assert known > 1000
    everything = noise.randbytes(5000)
    assert sum([length for _, length, _ in disassemble(everything)]) == len(everything)


def test_padding_decodes() -> None:
    for count in range(1, 10):
        assert [length for _, length, _ in disassemble(nops(count))] == [count]


def sample() -> list[bytes]:
    """Some twenty instructions of each form but jumps, whose targets the tools write otherwise."""
    chosen = [form for form in FORMS if not (form.places and form.places[0].is_label)]
    return [encode_form(form, operands) for form in chosen for operands in few(form)]


# Comparisons by the number that instructions encode, as objdump writes them
FLOAT_COMPARISONS = (
    "eq lt le unord neq nlt nle ord eq_uq nge ngt false neq_oq ge gt true eq_os lt_oq le_oq unord_s neq_us nlt_uq nle_uq ord_s"
    " eq_us nge_uq ngt_uq false_os neq_os ge_oq gt_oq true_us"
).split()
INTEGER_COMPARISONS = "eq lt le false neq nlt nle true".split()


def plain_comparison(text: str) -> str:
    """A comparison with a number for what it asks: `cmpltsd xmm1,xmm2` is `cmpsd xmm1,xmm2,1`."""
    found = re.fullmatch(r"(v?cmp)([a-z_]+?)([sp][sd]) (.*)", text)
    if found and found[2] in FLOAT_COMPARISONS:
        return f"{found[1]}{found[3]} {found[4]},{FLOAT_COMPARISONS.index(found[2])}"
    found = re.fullmatch(r"(vpcmp)([a-z]+?)(u?[bwdq]) (k.*)", text)
    if found and found[2] in INTEGER_COMPARISONS:
        return f"{found[1]}{found[3]} {found[4]},{INTEGER_COMPARISONS.index(found[2])}"
    return text


def plain(text: str) -> str:
    """A listing's text with all numbers decimal, and one spelling."""
    text = text.partition("#")[0].strip().lower().replace("movabs", "mov").removeprefix("{evex} ")
    text = re.sub(r"\s*,\s*", ",", re.sub(r"\s+", " ", text))
    text = re.sub(r"(?<![\w])0x[0-9a-f]+", lambda number: str(int(number[0], 16)), text)
    text = re.sub(r"^(p?blendvp?[sdb] [^,]+,[^,]+),xmm0$", r"\1", text)  # always xmm0, and not written here
    text = re.sub(r"rip\+(\d{20})", lambda number: f"rip-{(1 << 64) - int(number[1])}", text)
    return plain_comparison(text.replace("+0]", "]").replace("-0]", "]"))


def same(a: str, b: str) -> bool:
    """Whether two texts are the same but for negative immediates, which objdump shows as what they are modulo their width."""
    left, right = (re.split(r"(?<![\w])(-?\d+)(?![\w])", text) for text in (a, b))
    moduli = (0, 1 << 8, 1 << 16, 1 << 32, 1 << 64)
    return left[::2] == right[::2] and all(int(y) - int(x) in moduli for x, y in zip(left[1::2], right[1::2], strict=True))


@pytest.mark.skipif(not shutil.which("objdump"), reason="no objdump")
def test_listing_agrees_with_objdump(tmp_path: Path) -> None:
    code = b"".join(sample())
    (tmp_path / "code").write_bytes(code)
    command = ["objdump", "-D", "-b", "binary", "-mi386:x86-64", "-Mintel", "--no-show-raw-insn", str(tmp_path / "code")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    theirs = [plain(line.split(":\t", 1)[1]) for line in shown.splitlines() if ":\t" in line]
    ours = [plain(text) for _, _, text in disassemble(code)]
    assert len(ours) == len(theirs)
    wrong = [pair for pair in zip(ours, theirs, strict=True) if not same(*pair) and not pair[0].startswith(("rep", "data16"))]
    print(f"{len(ours)} instructions, {len(wrong)} differences from objdump")
    assert not wrong, wrong[:10]


@pytest.mark.skipif(not shutil.which("as") or not shutil.which("objcopy"), reason="no assembler")
def test_the_assembler_takes_the_listing(tmp_path: Path) -> None:
    """It gives the same instructions back, if not always in the same form."""
    instructions = sample()
    texts = [next(disassemble(code))[2] for code in instructions]
    (tmp_path / "code.s").write_text(".intel_syntax noprefix\n" + "\n".join(texts) + "\n")
    subprocess.run(["as", "--64", "-o", str(tmp_path / "code.o"), str(tmp_path / "code.s")], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", str(tmp_path / "code.o"), str(tmp_path / "code")], check=True)
    module, formatter = iced()
    theirs = [formatter.format(i) for i in module.Decoder(64, (tmp_path / "code").read_bytes())]
    ours = [formatter.format(i) for i in module.Decoder(64, b"".join(instructions))]
    wrong = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1] and pair != ("xchg rax, rax", "nop")]
    assert not wrong, wrong[:10]
