"""The same input and options give the same bytes, however and wherever they are compiled."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import septet
from septet.pipeline import LANGUAGES

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted((ROOT / "tests" / "programs").glob("*.lb"))
SCRIPT = """
import hashlib, sys, septet
for path in sys.argv[1:]:
    for opt in (0, 1, 2, 3):
        program = septet.read(path, opt=opt)
        print(path, opt, hashlib.sha256(program.image.content).hexdigest())
"""


def digest(program: septet.Program) -> str:
    return hashlib.sha256(program.image.content).hexdigest()


def test_same_bytes_under_five_hash_seeds() -> None:
    outputs = set()
    for seed in ("0", "1", "7", "1234", "4294967295"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *map(str, PROGRAMS[::9])],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT,
        )  # fmt: skip
        outputs.add(done.stdout)
    assert len(outputs) == 1


@pytest.mark.parametrize("opt", [0, 1, 2, 3])
@pytest.mark.parametrize("path", PROGRAMS[::4], ids=lambda path: path.stem)
def test_through_files_or_in_one_go(path: Path, opt: int) -> None:
    source = path.read_text(encoding="utf-8")
    whole = septet.compile(source, language="lb", opt=opt)
    text = source
    for language, below in zip(LANGUAGES, LANGUAGES[1:], strict=False):
        text = septet.compile(text, language=language, opt=opt).text(below)
    staged = septet.compile(text, language="l1", opt=opt)
    assert staged.image.content == whole.image.content


@pytest.mark.parametrize("path", PROGRAMS[::4], ids=lambda path: path.stem)
def test_a_line_inserted_above_changes_no_function(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    before = septet.compile(source, language="lb")
    after = septet.compile("\n" + source, language="lb")
    assert [code.content for code in before.codes] == [code.content for code in after.codes]
    assert [code.line + 1 for code in before.codes] == [code.line for code in after.codes]
