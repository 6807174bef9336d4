"""Everything there is with vectors, of every type and for every target: the machine does what L3's interpreter does."""

from __future__ import annotations

from functools import cache

import pytest
from vector_programs import TYPES, Program

import septet
from septet.base.types import Type
from septet.link.jit import Loaded
from septet.x86.targets import missing

LEVELS = ("x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4")


@cache
def expected(kind: Type) -> str:
    """What L3's interpreter prints."""
    result = septet.compile(Program(kind).text(), language="l3", opt=0).interpret("l3")
    assert result.status == 0
    return result.stdout


def output(text: str, target: str) -> str:
    """What the machine prints.  Skips where it cannot run code for the target, after making it."""
    image = septet.compile(text, language="l3", opt=0, target=target).image
    if missing(target):
        pytest.skip(f"this machine has no {', '.join(missing(target))}")
    with Loaded(image) as loaded:
        return loaded.capture(b"", 60.0).stdout.decode()


@pytest.mark.parametrize("kind", TYPES, ids=repr)
@pytest.mark.parametrize("target", LEVELS)
def test_vectors(kind: Type, target: str) -> None:
    assert output(Program(kind).text(), target) == expected(kind)


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind.element.is_float], ids=repr)
@pytest.mark.parametrize("target", LEVELS[2:])
def test_fused_multiplication_and_addition(kind: Type, target: str) -> None:
    text = Program(kind, 1, fused=True).text()
    assert output(text, target) == septet.compile(text, language="l3", opt=0).interpret("l3").stdout
