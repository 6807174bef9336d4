"""What keeps the house: lint, format and types are clean, and every language folder has its five rooms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LANGUAGES = ("lb", "la", "ir", "l3", "l2", "l1")


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
    ids=["ruff-check", "ruff-format", "mypy-strict"],
)
def test_clean(command: list[str]) -> None:
    pytest.importorskip(command[0])
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_five_rooms(language: str) -> None:
    folder = ROOT / "septet" / language
    for room in ("nodes", "text", "verify", "interpret", "lower"):
        assert (folder / f"{room}.py").exists()
    opening = (folder / "__init__.py").read_text(encoding="utf-8")
    assert opening.startswith('"""') and opening.count("\n") >= 5, "one sentence and a small program"


def test_architecture_page_is_short() -> None:
    assert (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8").count("\n") <= 200
