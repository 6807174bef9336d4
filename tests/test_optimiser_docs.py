"""docs/optimiser.md and the passes' docstrings: every pass of the pipeline is described, as it is, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from septet.pipeline import PASSES

PAGE = (Path(__file__).parent.parent / "docs" / "optimiser.md").read_text()
LEVELS = {row.name: min(other.level for other in PASSES if other.name == row.name) for row in PASSES}
PARTS = ("trigger", "cost|gain", "guard|limits", "level")


def phases(name: str) -> str:
    """In which phases of IR a pass stands in the pipeline."""
    names = [row.name for row in PASSES]
    middle = names.index("linearise")
    before, after = name in names[:middle], name in names[middle + 1 :]
    return {(True, True): "both phases", (True, False): "phase arrays", (False, True): "phase words"}.get(
        (before, after), "between the phases"
    )


def test_the_catalogue_has_every_pass_and_no_other() -> None:
    assert sorted(re.findall(r"^### (.*)$", PAGE, re.M)) == sorted(LEVELS)
    assert len(PAGE.splitlines()) <= 200
    assert PAGE.count("<!-- worth -->") == 1


@pytest.mark.parametrize("name", LEVELS)
def test_catalogue(name: str) -> None:
    """Each entry says from which level and in which phase the pass runs, and has its parts."""
    entry = PAGE.partition(f"### {name}\n")[2].partition("\n#")[0].partition("<!--")[0]
    assert entry.strip().startswith(f"From -O{LEVELS[name]}, {phases(name)}."), phases(name)
    for part in ("Trigger:", "Gain:", "Guard:"):
        assert part in entry, part


@pytest.mark.parametrize("row", {row.name: row for row in PASSES}.values(), ids=lambda row: row.name)
def test_docstring(row: object) -> None:
    """A pass's docstring opens with one sentence, then an example, then its parts; its level is that of the pipeline."""
    text = row.module.__doc__  # type: ignore[attr-defined]
    sentence, _, rest = text.partition("\n\n")
    assert sentence.count("\n") == 0 and sentence.endswith((".", "themselves"))
    assert rest.startswith("    ") and "=>" in rest or row.name == "linearise" and rest.startswith("    ")  # type: ignore[attr-defined]
    for part in PARTS:
        assert re.search(rf"\b({part})", text, re.I), part
    level = re.search(r"\b[Ll]evel:? (\d)", text)
    assert level is not None and int(level[1]) == LEVELS[row.name]  # type: ignore[attr-defined]
