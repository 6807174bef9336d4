"""A sample of random functions made by the builder: native code does as the interpreter; many more with `--whole`."""

from __future__ import annotations

import platform

import pytest
import random_functions
from conftest import NATIVE

from septet import ir
from septet.x86.targets import LEVELS, missing

TARGETS = [target for target in LEVELS if not missing(target)] if NATIVE else []
COUNT = 6  # modules for each target
WHOLE = 60  # times as many with --whole


def _has_stubs() -> bool:
    """Whether functions are called by stubs here: fallbacks are the interpreter itself, or tested elsewhere."""
    return NATIVE and platform.python_implementation() == "CPython" and ir.Module("none").compile().way == "stub"


@pytest.mark.skipif(not _has_stubs(), reason="machine code is not called by stubs here")
@pytest.mark.parametrize("target", TARGETS)
def test_random_functions_do_as_the_interpreter(target: str, pytestconfig: pytest.Config) -> None:
    count = COUNT * (WHOLE if pytestconfig.getoption("--whole") else 1)
    first = 1_000_000 * TARGETS.index(target)
    for seed in range(first, first + count):
        assert random_functions.disagreements(seed, target) == [], f"module {seed}"


def test_random_functions_are_the_same_on_every_run() -> None:
    assert str(random_functions.module(5)) == str(random_functions.module(5)) != str(random_functions.module(6))
