"""Everything there is with vectors, of every type, for every target and at every level: the machine does what L3's interpreter
does.  A sample of the combinations; all of them with `--whole`."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
from vector_programs import TYPES, Program

import septet
from septet.base.types import Type
from septet.link.jit import Loaded
from septet.x86.targets import missing

TARGETS = ("x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4")
FLOATS = [kind for kind in TYPES if kind.element.is_float]
COMBINATIONS = {  # of what each test takes; and one in how many is in the sample
    "test_vectors": ("kind target", list(product(TYPES, TARGETS)), 7),
    "test_vectors_at_every_level": ("kind target opt", list(product(TYPES, TARGETS, range(4))), 19),
    "test_fused_multiplication_and_addition": ("kind target", list(product(FLOATS, TARGETS[2:])), 3),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names, rows, step = COMBINATIONS[metafunc.function.__name__]
    every = 1 if metafunc.config.getoption("--whole") else step
    metafunc.parametrize(names.split(), rows[::every], ids=lambda value: str(value))


@cache
def expected(text: str) -> str:
    """What L3's interpreter prints."""
    result = septet.compile(text, language="l3", opt=0).interpret("l3")
    assert result.status == 0
    return result.stdout


def output(text: str, target: str, language: str = "l3", opt: int = 0) -> str:
    """What the machine prints.  Skips where it cannot run code for the target, after making it."""
    image = septet.compile(text, language=language, opt=opt, target=target).image
    if missing(target):
        pytest.skip(f"this machine has no {', '.join(missing(target))}")
    with Loaded(image) as loaded:
        return loaded.capture(b"", 60.0).stdout.decode()


def test_vectors(kind: Type, target: str) -> None:
    text = Program(kind).text()
    assert output(text, target) == expected(text)


def test_vectors_at_every_level(kind: Type, target: str, opt: int) -> None:
    program = Program(kind, 2).ir()
    assert output(program, target, "ir", opt) == expected(Program(kind, 2).text())


def test_fused_multiplication_and_addition(kind: Type, target: str) -> None:
    text = Program(kind, 1, fused=True).text()
    assert output(text, target) == expected(text)
