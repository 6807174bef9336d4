"""parse(print(p)) is p: the text of every stage of every program, with its notes, reads back to what prints the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import septet
from septet.base.source import Source
from septet.pipeline import LANGUAGES, NAMED

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted(p for p in (ROOT / "tests" / "programs").iterdir() if p.suffix[1:] in LANGUAGES)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_every_stage_reads_back(path: Path) -> None:
    program = septet.read(str(path), opt=1)
    for language in LANGUAGES[LANGUAGES.index(program.language) :]:
        room = NAMED[language].room("text")
        for notes in (True, False):
            text = program.text(language, notes)
            assert room.print_program(room.parse(Source(text)), notes) == text, language
