"""The order within blocks: programs do the same in the new one, and nothing depends on what is behind it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from septet.base.options import Options
from septet.base.source import Source
from septet.l1 import interpret, text
from septet.l1.lower import improved
from septet.l1.nodes import Program
from septet.l1.peephole import improve
from septet.l1.schedule import schedule
from septet.l2 import lower
from septet.l2.text import parse
from septet.runtime.model import Inconclusive

sys.path.insert(0, str(Path(__file__).parent.parent))

from random_pressure import Generator, output  # noqa: E402


@pytest.mark.parametrize("seed", range(12))
def test_random_programs(seed: int) -> None:
    generator = Generator(seed)
    source = Source(generator.program())
    program = lower.lower_program(parse(source), Options(2, target=generator.target))
    try:
        expected = output(interpret, program)
    except Inconclusive:
        pytest.skip("too many steps")
    better = {name: improved(function, 2) for name, function in program.functions.items()}
    assert any(better[name].body != function.body for name, function in program.functions.items())
    assert output(interpret, Program(program.entry, better, program.data)) == expected


def test_no_instruction_is_lost() -> None:
    generator = Generator(5)
    program = lower.lower_program(parse(Source(generator.program())), Options(2, target=generator.target))
    for function in program.functions.values():
        before = list(function.body)
        after = schedule(function.body, function.slots)
        assert function.body == before
        assert sorted(map(id, after)) == sorted(map(id, before))
        assert schedule(before, function.slots) == after


@pytest.mark.parametrize(
    "body",
    [
        "rax <- mem rdi 0 rax += 1 return",  # too short
        "rax += 1 rcx += 1 rdx += 1 rsi += 1 return",  # nothing to gain
        "push rax rcx <- mem rdi 0 rcx += 1 pop rax return",  # the stack moves
        "mem rdi 0 <- rax rcx <- mem rsi 0 rcx += 1 mem rdi 0 <- rcx return",  # one place in memory, perhaps
    ],
)
def test_what_keeps_its_order(body: str) -> None:
    function = text.parse(Source(f"(@main (@main 0 0 {body}))")).functions["main"]
    assert schedule(function.body, 0) is function.body


def test_what_is_as_good_stays_as_it_is() -> None:
    function = text.parse(Source("(@main (@main 0 0 rax += 1 return))")).functions["main"]
    function.body = function.body[1:]
    assert improve(function.body) is function.body and improved(function, 2) is function
