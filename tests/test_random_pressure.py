"""A sample of random programs under register pressure through checker, interpreters and machine; 1,000 with `--whole`."""

from __future__ import annotations

import pytest
import random_pressure
from conftest import NATIVE


def test_random_programs_under_pressure_run_alike(pytestconfig: pytest.Config) -> None:
    for seed in range(1000 if pytestconfig.getoption("--whole") else 25):
        found = random_pressure.disagreement(seed, native=NATIVE)
        assert not found


def test_random_programs_under_pressure_are_the_same_on_every_run() -> None:
    assert random_pressure.Generator(5).program() == random_pressure.Generator(5).program()
