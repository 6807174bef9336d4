"""The course's own tests, where they are at hand: every program prints what the course says, in every stage and natively.

One program in eight is run, all of them with `--whole`.  Errors end with status 1 here and with 0 in the course.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import COURSE, Sample, samples

import septet
from septet.base.source import Source
from septet.l2 import oracles

STEPS = 1_000_000
LANGUAGES = ("LB", "LA", "IR", "L3", "L2", "L1")
UNSPECIFIED = {"y2024b_test272.L3": "its branches depend on a variable that it never wrote"}
DUMPS = ("liveness", "interference", "spill")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the programs: every eighth, or all."""
    step = 1 if metafunc.config.getoption("--whole") else 8
    if "way" in metafunc.fixturenames:
        chosen = [sample for language in LANGUAGES for sample in samples(COURSE / language)[::step]]
        cases = [pytest.param(sample, way, id=f"{sample.path.name}-{way}") for sample in chosen for way in sample.ways()]
        metafunc.parametrize(("sample", "way"), cases)
    elif "heavy" in metafunc.fixturenames:
        chosen = samples(COURSE / "performance")[::step]
        metafunc.parametrize("heavy", [pytest.param(sample, id=sample.path.name) for sample in chosen])
    elif "dump" in metafunc.fixturenames:
        files = [path for kind in DUMPS for path in sorted((COURSE / f"L2_{kind}").glob("*.L2f"))[::step]]
        metafunc.parametrize("dump", [pytest.param(path, id=f"{path.parent.name}-{path.name}") for path in files])


def status_of(stdout: str) -> int:
    """The exit status of a program that prints this."""
    return int(stdout.rpartition("\n")[0].rpartition("\n")[2].startswith("ERROR: "))


def test_course_program(sample: Sample, way: str, tmp_path: Path) -> None:
    if sample.path.name in UNSPECIFIED:
        pytest.skip(UNSPECIFIED[sample.path.name])
    result = sample.run(way, tmp_path, STEPS)
    if result.inconclusive:
        pytest.skip(f"out of {result.inconclusive}")
    assert result.stdout == sample.stdout
    assert result.status == status_of(sample.stdout)


def test_course_performance(heavy: Sample) -> None:
    result = septet.read(str(heavy.path), opt=2).run(stdin=heavy.stdin, capture=True)
    assert result.stdout == heavy.stdout
    assert result.status == status_of(heavy.stdout)


def test_course_dump_of_l2(dump: Path) -> None:
    made = getattr(oracles, dump.parent.name.removeprefix("L2_"))(Source.read(str(dump)))
    assert made.split() == dump.with_suffix(".out").read_text().split()
