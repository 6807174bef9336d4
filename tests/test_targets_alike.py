"""Programs do the same for every level of x86-64 that this machine has.

A sample at one level of optimisation each; with `--whole` all programs, the course's too, at all of them.
"""

from __future__ import annotations

import pytest
import random_ir
from conftest import COURSE, HERE, LEVELS, NATIVE, Sample, samples
from stages_alike import difference, natively

from septet.base.options import Options
from septet.base.source import Source
from septet.link.jit import Loaded
from septet.program import Program
from septet.x86 import targets

OTHERS = [target for target in targets.LEVELS if target != targets.BASELINE and NATIVE and not targets.missing(target)]
ONE_IN = 20  # programs
RANDOM = 3  # random programs for each target
WHOLE = 100  # times as many with --whole

pytestmark = pytest.mark.skipif(not OTHERS, reason="this machine has the baseline alone, or none")


def run(sample: Sample, target: str, opt: int) -> tuple[str, int]:
    """What a program prints natively, and its status."""
    program = Program(Source.read(str(sample.path)), sample.language, Options(opt, target=target))
    with Loaded(program.image) as loaded:
        end = loaded.capture(sample.stdin, 60.0)
    return end.stdout.decode(), end.status


def needs(sample: Sample, target: str) -> bool:
    """Whether the program is for a higher level."""
    return bool(targets.features(sample.target) & ~targets.features(target))


@pytest.mark.parametrize("target", OTHERS)
def test_programs_do_the_same(target: str, pytestconfig: pytest.Config) -> None:
    whole = pytestconfig.getoption("--whole")
    for number, sample in enumerate(samples(HERE / "programs")):
        if needs(sample, target) or not whole and (number + OTHERS.index(target)) % ONE_IN:
            continue
        for opt in LEVELS if whole else [number // ONE_IN % len(LEVELS)]:
            assert run(sample, target, opt) == (sample.stdout, sample.status), f"{sample.path.name} at -O{opt}"


@pytest.mark.parametrize("target", OTHERS)
def test_programs_of_the_course_do_the_same(target: str, pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("--whole"):
        pytest.skip("takes minutes")
    for language in ("LB", "LA", "IR", "L3", "L2", "L1"):
        for sample in samples(COURSE / language):
            for opt in LEVELS:
                assert run(sample, target, opt)[0] == sample.stdout, f"{sample.path.name} at -O{opt}"


@pytest.mark.parametrize("target", targets.LEVELS)
def test_random_programs_do_the_same(target: str, pytestconfig: pytest.Config) -> None:
    if targets.missing(target):
        pytest.skip(f"this machine is no {target}")
    first = 1_000_000 * [*targets.LEVELS].index(target)
    for number in range(first, first + RANDOM * (WHOLE if pytestconfig.getoption("--whole") else 1)):
        found = natively(random_ir.program(number), "ir", target)
        assert not difference(found), f"program {number}"
