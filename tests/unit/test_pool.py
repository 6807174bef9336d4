"""Constants in memory: as text, checked, and placed behind the code that reads them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from septet.base.diagnostics import Rejected
from septet.base.options import Options
from septet.base.source import Source
from septet.l1 import verify
from septet.l1.lower import lower_program
from septet.l1.text import parse, print_program
from septet.link import assembly, elf, jit, layout
from septet.link.code import Code
from septet.x86 import targets
from septet.x86.instructions import Pool

THREE = 0x4008000000000000
DOUBLES = f"""
  movsd xmm0, pool 8 {THREE:#x}
  mulsd xmm0, pool 8 {THREE:#x}
  addss xmm1, pool 4 0x3f800000
  andps xmm2, pool 16 0x7fffffffffffffff
  imul rax, pool 8 5
  cvttsd2si rdi, xmm0
  rdi += rdi
  rdi++
  call print 1
  return
"""


def program(body: str) -> str:
    return f"(@main\n  (@main 0 0\n{body}  )\n)\n"


def codes(body: str) -> list[Code]:
    return lower_program(parse(Source(program(body))), Options())


def test_a_constant_is_its_bytes() -> None:
    one = Pool(b"\0\0\x80?")
    assert one == Pool((0x3F800000).to_bytes(4, "little")) and hash(one) == hash(Pool(bytes(one)))
    assert repr(one) == "pool 4 0x3f800000" and one.content == b"\0\0\x80?"
    with pytest.raises(ValueError, match="has 4, 8, 16, 32 or 64 bytes, not 5"):
        Pool(bytes(5))


def test_text_both_ways() -> None:
    text = program(f"    addsd xmm0, pool 8 {THREE:#x}\n    vmovups512 xmm1, pool 64 {(1 << 511) + 7:#x}\n    return\n")
    read = parse(Source(text))
    assert print_program(read, notes=False) == text
    assert list(verify.problems(read)) == []


@pytest.mark.parametrize(
    ("instruction", "message"),
    [
        ("addsd xmm0, pool 4 1", "'addsd' reads a constant of 8 bytes as operand 2, not of 4"),
        ("addsd xmm0, pool 8 0x10000000000000000", "the number does not fit in 8 bytes"),
        ("addsd xmm0, pool 8 99999999999999999999999", "the number does not fit in 8 bytes"),
        ("addsd xmm0, pool 7 1", "expected 4, 8, 16, 32 or 64"),
        ("addsd xmm0, pool 8 x", "expected the number that the constant is"),
        ("movsd pool 8 1, xmm0", "'movsd' writes operand 1, but a constant cannot be written"),
        ("rax += pool 4 1", "'add' reads a constant of 8 bytes as operand 2, not of 4"),
        ("lea rax, pool 8 1", "'lea' cannot take these operands"),
    ],
)
def test_what_is_wrong_with_it(instruction: str, message: str) -> None:
    try:
        problems = [problem.message for problem in verify.problems(parse(Source(program(instruction + "\nreturn\n"))))]
    except Rejected as rejected:
        problems = [str(rejected)]
    assert message in "; ".join(problems)


def test_constants_stand_behind_the_code_once_and_aligned() -> None:
    (code,) = codes(DOUBLES)
    assert code.alignment == 16 and code.end < len(code.content)
    gap = -code.end % 16
    pool = code.content[code.constants :]
    assert code.content[code.end : code.constants] == b"\xcc" * gap
    numbers = [(16, 0x7FFFFFFFFFFFFFFF), (8, THREE), (8, 5), (4, 0x3F800000)]
    assert pool == b"".join([number.to_bytes(size, "little") for size, number in numbers])
    (code,) = codes("vmovaps256 xmm0, pool 32 1\nvmovaps512 xmm0, pool 64 2\nreturn\n")
    assert code.alignment == 64 and code.content[-96:] == (2).to_bytes(64, "little") + (1).to_bytes(32, "little")


def test_they_are_read() -> None:
    made = codes(DOUBLES)
    image = layout.link(made, {}, "main")
    assert jit.capture(image, b"", 30).stdout == b"9\n"
    assert "main.constants" in [name for name, _, _ in image.constants]
    listing = assembly.listing(image, made)
    assert "mulsd xmm0, QWORD PTR [rip+main.constants+16]" in listing and ".byte" not in listing


def test_aligned_loads_of_long_constants() -> None:
    if "avx" in targets.missing("x86-64-v3"):
        pytest.skip("no AVX")
    body = "".join([f"vmovaps256 xmm{n}, pool 32 {n + 1:#x}\n" for n in range(5)])
    body += "vmovq rdi, xmm4\n".replace("vmovq", "vmovqr") + "rdi += rdi\nrdi++\ncall print 1\nreturn\n"
    assert jit.capture(layout.link(codes(body), {}, "main"), b"", 30).stdout == b"5\n"


@pytest.mark.skipif(not shutil.which("as") or not shutil.which("ld"), reason="no assembler")
def test_the_assembler_listing_keeps_them(tmp_path: Path) -> None:
    made = codes(DOUBLES)
    (tmp_path / "p.s").write_text(assembly.assembly(layout.link(made, {}, "main"), made))
    subprocess.run(["as", "--64", "-o", str(tmp_path / "p.o"), str(tmp_path / "p.s")], check=True)
    subprocess.run(["ld", "-N", "-o", str(tmp_path / "p"), str(tmp_path / "p.o")], check=True)
    assert subprocess.run([str(tmp_path / "p")], capture_output=True, timeout=30, check=True).stdout == b"9\n"
    assert elf.HEADER
