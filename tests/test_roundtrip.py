"""parse(print(p)) is p: the text of every stage of every program, with its notes, reads back to what prints the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import septet
from septet.base.options import Options
from septet.base.source import Source
from septet.pipeline import LANGUAGES, NAMED, Step, Watcher, with_functions
from septet.program import Program

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted(p for p in (ROOT / "tests" / "programs").iterdir() if p.suffix[1:] in LANGUAGES)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_every_stage_reads_back(path: Path) -> None:
    program = septet.read(str(path), opt=1)
    for language in LANGUAGES[LANGUAGES.index(program.language) :]:
        for notes in (True, False):
            assert_reads_back(language, program.text(language, notes), notes)


class Last(Watcher):
    """Keeps each function's IR after all passes."""

    whole = True

    def __init__(self) -> None:
        self.texts: dict[str, tuple[str, str]] = {}
        self.program = None

    def __call__(self, step: Step) -> None:
        if step.stage == "ir":
            self.program = step.program
            printed = NAMED["ir"].room("text").print_function
            self.texts[step.function.name] = (printed(step.function), printed(step.function, notes=False))


@pytest.mark.parametrize("path", PROGRAMS[::3], ids=lambda path: path.name)
def test_what_the_highest_level_makes_reads_back(path: Path) -> None:
    last = Last()
    program = Program(Source.read(str(path)), path.suffix[1:], Options(3), [last])
    for language in LANGUAGES[max(LANGUAGES.index(program.language), LANGUAGES.index("l3")) :]:
        assert_reads_back(language, program.text(language), True)
    if last.program is not None:
        data = NAMED["ir"].room("text").print_program(with_functions(last.program, {}), False)
        for at, notes in enumerate((True, False)):
            text = "".join([data, *[f"\n{texts[at]}" for texts in last.texts.values()]])
            room = NAMED["ir"].room("text")
            read = room.parse(Source(text))
            printed = [room.print_function(function, notes) for function in read.functions.values()]
            assert printed == [texts[at] for texts in last.texts.values()]


def assert_reads_back(language: str, text: str, notes: bool) -> None:
    """Parsing and printing `text` gives it back."""
    room = NAMED[language].room("text")
    assert room.print_program(room.parse(Source(text)), notes) == text, language
