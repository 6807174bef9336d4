"""What the tests of LB and LA share: comparing programs, running them, and the course's programs."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

from conftest import COURSE

from septet.base.diagnostics import Rejected
from septet.base.source import Source
from septet.runtime.model import Exit, Inconclusive, Runtime

SAME = ("Op", "Type")  # classes whose objects are compared by identity


def same(a: Any, b: Any, known: dict[int, Any] | None = None) -> bool:
    """Whether two programs are the same: structure, order, names, spans, and which operands are one variable."""
    known = {} if known is None else known
    if type(a) is not type(b):
        return False
    if a is None or isinstance(a, int | str):
        return bool(a == b)
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y, known) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key], known) for key in a)
    if type(a).__name__ in SAME:
        return a is b
    if id(a) in known:
        return known[id(a)] is b
    known[id(a)] = b
    slots = [slot for kind in type(a).__mro__ for slot in getattr(kind, "__slots__", ())]
    return all(same(getattr(a, slot), getattr(b, slot), known) for slot in slots)


def run(interpret: Any, program: Any, stdin: bytes = b"", steps: int | None = None) -> tuple[str, int] | None:
    """What a program prints and its exit status; None where it ran out of something."""
    runtime = Runtime(stdin, heap_limit=1 << 26)
    try:
        interpret.run(program, runtime, steps)
    except Exit as exit:
        return runtime.output.decode(), exit.status
    except Inconclusive:
        gc.collect()
        return None
    return runtime.output.decode(), 0


def complaints(text: Any, verify: Any, program: str) -> list[str]:
    """`line:column message` of everything wrong with a program."""
    try:
        found = list(verify.problems(text.parse(Source(program))))
    except Rejected as rejected:
        found = rejected.diagnostics
    for diagnostic in found:
        diagnostic.render()
    return [f"{d.place.line}:{d.place.column} {d.message}" if d.place else d.message for d in found]


def course(language: str) -> list[Path]:
    """The course's programs in a language, if they are at hand."""
    folders = [COURSE / language, COURSE / "performance"]
    return sorted(path for folder in folders if folder.is_dir() for path in folder.glob(f"*.{language}"))


def stdin_of(path: Path) -> bytes:
    """What a program of the course reads."""
    given = path.with_suffix(".in")
    return given.read_bytes() if given.exists() else b""
