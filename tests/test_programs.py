"""Every program in tests/programs does what its .out, .in and .status files say, in every stage and natively."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import HERE, Sample, samples

STEPS = 20_000_000
PROGRAMS = samples(HERE / "programs")
CASES = [pytest.param(sample, way, id=f"{sample.path.name}-{way}") for sample in PROGRAMS for way in sample.ways()]


@pytest.mark.parametrize(("sample", "way"), CASES)
def test_program(sample: Sample, way: str, tmp_path: Path) -> None:
    result = sample.run(way, tmp_path, STEPS)
    assert not result.inconclusive
    assert result.stdout == sample.stdout
    assert result.status == sample.status


def test_there_is_a_program_in_every_language() -> None:
    assert {sample.language for sample in PROGRAMS} == {"lb", "la", "ir", "l3", "l2", "l1"}


def test_every_program_says_what_it_is_for() -> None:
    for sample in PROGRAMS:
        first = sample.path.read_text().partition("\n")[0]
        assert first.startswith("// ") and len(first) > 10, sample.path.name
