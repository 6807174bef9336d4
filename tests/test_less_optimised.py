"""Programs stay right with any pass left out, and when a function's rewrites stop at any number, as in `why-wrong`.

A sample of the programs and numbers; all of them with `--whole`.
"""

from __future__ import annotations

import pytest
import random_loops
import random_programs
from conftest import HERE, NATIVE, Sample, samples
from stages_alike import STDIN

import septet
from septet.base.options import Options
from septet.base.source import Source
from septet.pipeline import PASSES, Step, Watcher
from septet.program import Program
from septet.watchers import Check

pytestmark = pytest.mark.skipif(not NATIVE, reason="native code needs Linux on x86-64")

PROGRAMS = [sample for sample in samples(HERE / "programs") if sample.language in ("lb", "la", "ir")]
NAMES = sorted({row.name for row in PASSES if row.level})
NUMBERS = 20  # for each program, of those up to which its functions' rewrites may go
RANDOM = [(random_programs.program, 3), (random_programs.program, 8), (random_loops.program, 5), (random_loops.program, 12)]


class Applications(Watcher):
    """How many applications each function has had in all."""

    def __init__(self) -> None:
        self.most: dict[str, int] = {}

    def __call__(self, step: Step) -> None:
        if step.stage == "ir":
            self.most[step.function.name] = max(self.most.get(step.function.name, 0), step.applications)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_pass(name: str, pytestconfig: pytest.Config) -> None:
    whole = pytestconfig.getoption("--whole")
    for sample in PROGRAMS if whole else PROGRAMS[NAMES.index(name) % 20 :: 20]:
        assert_right(sample, Options(2, without=(name,)))


@pytest.mark.parametrize("opt", [2, 3])
@pytest.mark.parametrize("part", range(4))
def test_stopped_at_a_number(part: int, opt: int, pytestconfig: pytest.Config) -> None:
    whole = pytestconfig.getoption("--whole")
    for sample in PROGRAMS[part::4] if whole else PROGRAMS[part * 7 + opt :: 60]:
        for fuel in fuels(sample.path.read_text(), sample.language, opt, whole):
            assert_right(sample, Options(opt, fuel=fuel))


@pytest.mark.parametrize("opt", [2, 3])
@pytest.mark.parametrize(("program", "number"), RANDOM)
def test_random_programs_stopped_at_a_number(program, number: int, opt: int, pytestconfig: pytest.Config) -> None:  # type: ignore[no-untyped-def]
    text = program(number)
    wanted = septet.compile(text, opt=0).interpret("lb", STDIN)
    for fuel in fuels(text, "lb", opt, pytestconfig.getoption("--whole")):
        found = septet.compile(text, opt=opt, fuel=fuel, watchers=[Check()]).run(stdin=STDIN, capture=True)
        assert (found.stdout, found.stderr, found.status) == (wanted.stdout, wanted.stderr, wanted.status), fuel


def fuels(text: str, language: str, opt: int, whole: bool) -> list[tuple[tuple[str, int], ...]]:
    """Limits for one function at a time, from 0 to as many applications as it has."""
    applications = Applications()
    septet.compile(text, language=language, opt=opt, watchers=[applications]).codes  # noqa: B018
    found: list[tuple[tuple[str, int], ...]] = [
        ((name, number),) for name, most in applications.most.items() for number in range(most + 1)
    ]
    return found if whole else found[:: max(1, len(found) // NUMBERS)]


def assert_right(sample: Sample, options: Options) -> None:
    """Under `options` every step makes what verifiers accept, and the program does what its files say."""
    source = Source(sample.path.read_text(), sample.path.name)
    result = Program(source, sample.language, options, [Check()]).run(stdin=sample.stdin, capture=True)
    assert (result.stdout, result.status) == (sample.stdout, sample.status), (sample.path.name, options.fuel)
