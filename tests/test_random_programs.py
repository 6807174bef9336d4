"""A sample of random LB and IR programs at every stage and natively; `--whole` runs many more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import random_ir
import random_programs
from conftest import NATIVE
from stages_alike import STEPS, difference, outcomes

SAMPLES = {"lb": (random_programs.program, 30), "ir": (random_ir.program, 15)}
WHOLE = 20  # times as many with --whole


@pytest.mark.parametrize("language", SAMPLES)
def test_random_programs_run_alike(language: str, pytestconfig: pytest.Config) -> None:
    program, count = SAMPLES[language]
    if pytestconfig.getoption("--whole"):
        count *= WHOLE
    ran = 0
    for number in range(count):
        found = outcomes(program(number), language, STEPS, native=NATIVE)
        assert not difference(found), f"program {number} ({language})"
        ran += bool(found)
    assert ran > count * 0.9


@pytest.mark.parametrize("program", [random_programs.program, random_ir.program])
def test_random_programs_are_the_same_on_every_run(program: Callable[[int], str]) -> None:
    assert program(5) == program(5) != program(6)
