"""Padding in front of loops: where it pays, what it is made of, and that jumps still reach."""

from __future__ import annotations

import random

import pytest

import septet
from septet.l1.loop_alignment import LARGEST, LINE, MOST, innermost, nops, padding


def test_loops_that_hold_others_are_left_out() -> None:
    assert innermost({10: 90, 20: 40, 50: 80, 100: 120}) == [(20, 40), (50, 80), (100, 120)]
    assert innermost({}) == []


def test_padding_saves_a_line_or_is_not_there() -> None:
    for start in range(2 * LINE):
        for size in (1, 20, 64, 65, 100, LARGEST):
            pad = padding(start, size)
            lines = [(at + size) // LINE - at // LINE for at in (start, start + pad)]  # a branch at the very end counts beyond
            assert 0 <= pad <= MOST
            assert lines[1] == lines[0] - (1 if pad else 0)
    assert padding(63, LARGEST + 1) == 0


def test_nops_have_the_length_asked_for() -> None:
    assert [len(nops(size)) for size in range(64)] == list(range(64))


def test_nops_are_one_instruction_each() -> None:
    iced = pytest.importorskip("iced_x86")
    for size in range(1, 10):
        (instruction,) = iced.Decoder(64, nops(size))
        assert instruction.mnemonic == iced.Mnemonic.NOP


def test_padded_programs_do_what_they_did() -> None:
    """Loops behind more and more instructions, so that every place of a loop in a line occurs, with jumps over paddings."""
    chosen = random.Random(7)
    for _ in range(40):
        before = "".join(f"  x <- x + {chosen.randrange(1 << chosen.choice((6, 30)))}\n" for _ in range(chosen.randrange(40)))
        source = (
            "void main() {\n  int64 x, i, j\n  x <- input()\n"
            + before
            + "  while (i < 10) :outer :done\n  :outer\n  j <- 0\n  while (j < 3) :inner :after\n  :inner\n"
            + "  x <- x * 3\n  x <- x & 65535\n  j <- j + 1\n  continue\n  :after\n  i <- i + 1\n  continue\n"
            + "  :done\n  print(x)\n  return\n}\n"
        )
        program = septet.compile(source, language="lb", opt=2)
        assert program.run(b"5\n", capture=True).stdout == program.interpret("lb", b"5\n").stdout
