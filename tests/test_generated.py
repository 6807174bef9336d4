"""What a wheel brings ready made is what its sources give now."""

from __future__ import annotations

import importlib

import pytest

from septet.pipeline import GENERATED, module


@pytest.mark.parametrize("name", GENERATED)
def test_generating_twice_gives_the_same(name: str) -> None:
    home = module(GENERATED[name])
    assert home.generate() == home.generate()


@pytest.mark.parametrize("name", GENERATED)
def test_the_wheel_is_fresh(name: str) -> None:
    try:
        shipped = importlib.import_module(f"septet._generated.{name}")
    except ModuleNotFoundError:
        pytest.skip("a source checkout generates in memory")
    if shipped.__spec__ is None:
        pytest.skip("a source checkout generates in memory")
    with open(str(shipped.__file__), encoding="utf-8") as file:
        assert file.read() == module(GENERATED[name]).generate()
