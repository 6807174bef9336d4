"""A sample of mutated programs in each language; `python tests/mutations.py 20000` tries many more."""

from __future__ import annotations

import pytest
from mutations import trial

from septet.pipeline import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_mutated_programs_are_answered(language: str, pytestconfig: pytest.Config) -> None:
    counts, broken = trial(language, 3300 if pytestconfig.getoption("--whole") else 150)
    assert not broken, "\n".join(broken)
    assert counts["rejected"] > 20
