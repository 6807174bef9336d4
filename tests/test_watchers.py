"""What hangs on the pipeline's hook, and what the pipeline promises: checks, dumps, times, fuel, remarks, provenance."""

from __future__ import annotations

from pathlib import Path

import pytest

import septet
from septet.base.source import line_of
from septet.pipeline import LANGUAGES, NAMED, STAGES, Step, Watcher
from septet.watchers import BrokenStep, Check, Dump, Time

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted(path for path in (ROOT / "tests" / "programs").iterdir() if path.suffix[1:] in ("lb", "la", "ir"))
SOURCE = """int64 twice(int64[] a, int64 i) {
  int64 x, y
  x <- a[i]
  y <- 5
  y <- y - 3
  x <- x * y
  return x
}
void main() {
  int64[] a
  int64 r
  a <- new Array(3)
  a[1] <- 21
  r <- twice(a, 1)
  print(r)
  return
}
"""


class Names(Watcher):
    """Keeps the names of all steps."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def __call__(self, step: Step) -> None:
        self.seen.append((step.name, step.function.name))


class Honest(Watcher):
    """Notices a pass that changes a function and does not say so."""

    def __init__(self) -> None:
        self.before: dict[str, str] = {}

    def __call__(self, step: Step) -> None:
        if step.stage == "ir":
            text = NAMED["ir"].room("text").print_function(step.function).replace(") words {", ") {")
            name = step.function.name
            assert step.changed or self.before.get(name, text) == text, f"{step.name} says that it changed nothing in {name}"
            self.before[name] = text


def assert_steps_are_right(path: Path, opt: int) -> None:
    """Every step of a compilation makes what verifiers accept, and watching changes nothing."""
    source, language = path.read_text(encoding="utf-8"), path.suffix[1:]
    checked = septet.compile(source, language=language, opt=opt, watchers=[Check(), Honest()])
    plain = septet.compile(source, language=language, opt=opt)
    assert [code.content for code in checked.codes] == [code.content for code in plain.codes]


@pytest.mark.parametrize("opt", [0, 1, 2])
@pytest.mark.parametrize("path", PROGRAMS[::9], ids=lambda path: path.name)
def test_every_step_makes_what_its_verifier_accepts(path: Path, opt: int) -> None:
    assert_steps_are_right(path, opt)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_every_step_of_the_highest_level_makes_what_its_verifier_accepts(path: Path) -> None:
    assert_steps_are_right(path, 3)


def test_check_notices_a_broken_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from septet.ir.passes import dead_code

    def broken(function, facts):  # type: ignore[no-untyped-def]
        function.blocks[-1].body.pop()
        return True

    monkeypatch.setattr(dead_code, "run", broken)
    with pytest.raises(BrokenStep, match="dead-code broke"):
        septet.compile(SOURCE, opt=1, watchers=[Check()]).codes  # noqa: B018


def test_watchers_see_every_step_of_every_function() -> None:
    names = Names()
    septet.compile(SOURCE, opt=0, watchers=[names]).codes  # noqa: B018
    for function in ("twice", "main"):
        steps = [name for name, of in names.seen if of == function]
        assert [name for name in steps if name != "linearise"] == [stage.compiler for stage in STAGES]


def test_dump_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    time = Time()
    septet.compile(SOURCE, opt=1, watchers=[Dump("simplify"), Dump("l2"), time]).codes  # noqa: B018
    said = capsys.readouterr().err
    assert said.count("after simplify") == 4, "two functions, two places in the pipeline"
    assert said.count("after L3c") == 2
    assert "L2c" in time.report() and "all" in time.report()


def test_fuel_stops_at_each_application() -> None:
    def text(limit: int | None) -> str:
        fuel = () if limit is None else (("twice", limit),)
        return septet.compile(SOURCE, opt=1, fuel=fuel).text("l3", notes=False)

    whole = text(None)
    variants = [text(limit) for limit in range(12)]
    assert variants[0] != whole, "without fuel nothing is simplified"
    assert whole in variants, "with enough of it everything is"
    for limit in range(12):
        fuelled = septet.compile(SOURCE, opt=1, fuel=(("twice", limit),))
        assert fuelled.run(capture=True).stdout == "42\n"


def test_remarks_say_what_was_removed_and_where() -> None:
    program = septet.compile(SOURCE, opt=1)
    program.codes  # noqa: B018
    removed = [remark for remark in program.remarks if remark.what == "check-index removed"]
    assert [(remark.function, line_of(remark.span), remark.by) for remark in removed] == [("main", 4, "simplify")]


def test_every_byte_has_its_line() -> None:
    program = septet.compile(SOURCE, opt=0)
    twice, main = program.codes
    assert twice.places[0][0] == main.places[0][0] == 0
    lines = {line_of(span) for _, span, _ in twice.places if span}
    assert {2, 5, 6} <= lines <= set(range(8))
    assert (twice.line, main.line) == (1, 9)


def test_instructions_carry_spans_at_every_stage() -> None:
    program = septet.compile(SOURCE, opt=0)
    for language in LANGUAGES[2:]:
        for function in program.stage(language).functions.values():
            body = list(function.values()) if language == "ir" else function.body
            spans = [i.span for i in body if i.span]
            assert len(spans) > len(body) // 2, (language, function.name)
