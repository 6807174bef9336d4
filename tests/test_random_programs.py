"""A sample of random LB and IR programs at every stage, level and natively; `--whole` runs many more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import random_ir
import random_loops
import random_programs
from conftest import NATIVE
from stages_alike import STEPS, difference, outcomes

SAMPLES = {"programs": (random_programs.program, 20), "loops": (random_loops.program, 20), "ir": (random_ir.program, 10)}
WHOLE = 20  # times as many with --whole


@pytest.mark.parametrize("kind", SAMPLES)
def test_random_programs_run_alike(kind: str, pytestconfig: pytest.Config) -> None:
    program, count = SAMPLES[kind]
    language = "ir" if kind == "ir" else "lb"
    if pytestconfig.getoption("--whole"):
        count *= WHOLE
    ran = 0
    for number in range(count):
        found = outcomes(program(number), language, STEPS, native=NATIVE)
        assert not difference(found), f"program {number} ({kind})"
        ran += bool(found)
    assert ran > count * 0.9


@pytest.mark.parametrize("program", [random_programs.program, random_loops.program, random_ir.program])
def test_random_programs_are_the_same_on_every_run(program: Callable[[int], str]) -> None:
    assert program(5) == program(5) != program(6)
