"""Options of the test suite, and the programs that its tests run."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import pytest

import septet
from septet.pipeline import LANGUAGES
from septet.x86.targets import BASELINE, missing

HERE = Path(__file__).parent
COURSE = HERE.parent.parent / "shared" / "course"
NATIVE = sys.platform == "linux" and platform.machine() == "x86_64"
LEVELS = (0, 1, 2, 3)  # the -O levels
ONE_IN = 8  # of the programs, how many run in the interpreters of what the higher levels make
SECONDS = 60  # that compiling and running a program once may take before it counts as hanging


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--whole`: the whole of the course's tests instead of a sample."""
    parser.addoption("--whole", action="store_true", help="run all tests of the course, not one in eight")


class Sample:
    """A program in a file, with what it reads and what it must write and end with."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.language = path.suffix[1:].lower()
        self.stdout = path.with_suffix(".out").read_bytes().decode()
        given = path.with_suffix(".in")
        self.stdin = given.read_bytes() if given.exists() else b""
        status = path.with_suffix(".status")
        self.status = int(status.read_text()) if status.exists() else 0
        target = path.with_suffix(".target")  # the level of x86-64 that it needs
        self.target = target.read_text().strip() if target.exists() else BASELINE

    def ways(self) -> list[str]:
        """The ways to run the program: `la`, `l3-O1` and so on in interpreters, `native-O1` here, `static-O1` as a file.

        What stands above the passes, `ir` and before, is the same at every level.  Natively all programs run at all levels.
        """
        stages = LANGUAGES[LANGUAGES.index(self.language) :]
        levels = LEVELS if crc32(self.path.name.encode()) % ONE_IN == 0 else LEVELS[:2]
        ways = [stage for stage in stages if stage in ("lb", "la", "ir")]
        ways += [f"{stage}-O{level}" for stage in stages if stage not in ways for level in levels]
        if NATIVE and not missing(self.target):
            ways += [f"native-O{level}" for level in LEVELS] + [f"static-O{level}" for level in levels[1::2]]
        return ways

    def run(self, way: str, directory: Path, steps: int | None = None) -> septet.Result:
        """Run the program one way; `directory` is for the executable.  TimeoutError where it hangs."""
        with limited(SECONDS):
            return self._run(way, directory, steps)

    def _run(self, way: str, directory: Path, steps: int | None) -> septet.Result:
        how, _, level = way.partition("-O")
        program = compiled(self.path, int(level or 0), self.target)
        if how == "native":
            return program.run(stdin=self.stdin, capture=True)
        if how != "static":
            return program.interpret(how, stdin=self.stdin, steps=steps)
        file = directory / "program"
        program.save(str(file))
        done = subprocess.run([file], input=self.stdin, capture_output=True, check=False)
        return septet.Result(done.returncode, done.stdout, done.stderr)


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in what is done inside when it has taken that long."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"not done after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@lru_cache(maxsize=4)
def compiled(path: Path, level: int, target: str = BASELINE) -> septet.Program:
    """The program in a file; the tests of one program mostly come one after the other."""
    return septet.read(str(path), opt=level, target=target)


def samples(folder: Path) -> list[Sample]:
    """The programs of a folder, sorted by name."""
    found = [path for path in folder.iterdir() if path.suffix[1:].lower() in LANGUAGES] if folder.is_dir() else []
    return [Sample(path) for path in sorted(found)]
