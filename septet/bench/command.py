"""The command `septet bench`."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile

from septet.arguments import Usage
from septet.base.files import write
from septet.bench import history, report
from septet.bench.measure import Figures, check_machine, interleaved
from septet.bench.programs import Item, Trouble, collect
from septet.bench.ways import Missing, Way, septet_way, way_of
from septet.x86.targets import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What is measured in a checkout where no file is named.
_HERE = ("bench/kernels", "../shared/course/performance")
_TWINS_HERE = ("bench/course",)


def bench(operands: list[str], values: dict[str, list[str]], without: tuple[str, ...], target: str) -> int:
    """Measure what the command line asks for; the exit status, 1 where something is wrong or got worse.

    Usage, Rejected, OSError.
    """
    try:
        return _Bench(operands, values, without, target).run()
    except Trouble as problem:
        print(f"septet: {problem}", file=sys.stderr)
        return 1


class _Bench:
    """One call of the command."""

    def __init__(self, operands: list[str], values: dict[str, list[str]], without: tuple[str, ...], target: str) -> None:
        self.values = values
        self.command = "septet bench " + " ".join(operands + [f"--{key} {v}".rstrip() for key in values for v in values[key]])
        self.compiling, self.checking = "compile" in values, "checks" in values
        self.kind = "compile" if self.compiling else "run"
        if self.compiling and self.checking:
            raise Usage("--compile or --checks, not both")
        self.runs = self._number("runs", 5, 1)
        self.warmups = self._number("warmup", 1, 0)
        self.limit = self._number("limit", 60, 1)
        self.budget = self._budget()
        self.subject = septet_way(int(self._last("opt", "2")), without, target)
        self.rivals = self._rivals()
        self._check_plain()
        operands = operands or [folder for folder in _HERE if os.path.isdir(folder)]
        if not operands:
            raise Usage("what files? usage: septet bench [FILE... | DIR...]")
        twins = values.get("twins", []) + [folder for folder in _TWINS_HERE if os.path.isdir(folder)]
        if self.subject.options is not None and self.kind == "run":
            require(self.subject.options.target)
        self.items = collect(operands, twins, "small" in values)
        self._find_out_early()

    def run(self) -> int:
        """Measure, print, write files; the exit status."""
        if self.checking:
            return self._checks()
        return self._compile_time() if self.compiling else self._run_time()

    def _checks(self) -> int:
        from septet.bench import checks

        assert self.subject.options is not None
        found = [checks.find(item, self.subject.options) for item in self.items]
        print(checks.report(found))
        self._write_csv(checks.csv(found))
        return 0

    def _compile_time(self) -> int:
        from septet.bench import compile_time

        assert self.subject.options is not None
        found = [compile_time.measure(item, self.subject.name, self.subject.options, self.runs) for item in self.items]
        print(compile_time.report(found))
        self._write_csv(compile_time.csv(found))
        return self._remember([each.figures for each in found])

    def _run_time(self) -> int:
        check_machine()
        folder = tempfile.mkdtemp(prefix="septet-bench-")
        try:
            results = [self._measure(item, folder) for item in self.items]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        ways = [self.subject.name, *(way.name for way in self.rivals)]
        print(report.run_table(results, ways))
        self._write_csv(report.run_csv(results))
        if "plot" in self.values:
            from septet.bench.plot import plot

            plot(self._last("plot", ""), results, ways, f"septet bench, medians of {self.runs}")
        figures = [found for result in results for found in result.values()]
        status = self._remember(figures)
        wrong = [found for found in figures if found.problem]
        for found in wrong:
            print(f"septet: {found.program}: {found.way}: {found.problem}", file=sys.stderr)
        for item in self.items:
            if item.expected is None:
                print(f"septet: note: {item.name}: no expected output beside it; not checked", file=sys.stderr)
        return 1 if wrong else status

    def _measure(self, item: Item, folder: str) -> dict[str, Figures]:
        """Build and run `item` in all ways."""
        built: dict[str, str] = {}
        for number, way in enumerate([self.subject, *self.rivals]):
            path = os.path.join(folder, f"program{number}")
            try:
                way.build(item, path)
                built[way.name] = path
            except Missing:
                continue
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{item.name}")
            sys.stderr.flush()
        found = interleaved(item, built, self.runs, self.warmups, self.limit)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
        return found

    def _remember(self, figures: list[Figures]) -> int:
        """Compare with the baseline, then save; 1 where something got worse."""
        worse = 0
        if self.before is not None:
            old, before = self.before
            text, worse = history.compare(figures, before, self.budget)
            print(
                f"\nagainst {self._last('baseline', '')} of {old.get('date', 'unknown date')}, budget {self.budget:.1%}\n{text}"
            )
            if old.get("machine") != history.machine():
                print("septet: note: the baseline was measured on another machine", file=sys.stderr)
            if worse:
                print(f"septet: {worse} worse than the budget allows", file=sys.stderr)
        if "save" in self.values:
            history.save(self._last("save", ""), self.kind, self.command, figures)
        return 1 if worse else 0

    def _rivals(self) -> list[Way]:
        found: dict[str, Way] = {}
        for name in [name for text in self.values.get("against", []) for name in text.split(",") if name]:
            way = way_of(name)
            if way is None:
                raise Usage(
                    f"--against {name!r}: a rival is like gcc-O2, gcc-O3-native, clang-O2, septet-O0, septet-O2-without-PASS"
                )
            if not way.installed():
                print(f"septet: note: {way.command[0]} is not installed; {name} is left out", file=sys.stderr)
            elif name != self.subject.name:
                found[name] = way
        return list(found.values())

    def _check_plain(self) -> None:
        """Usage where an option says nothing in this mode."""
        for key in ("against", "plot", "warmup", "limit", "small", "twins"):
            if key in self.values and (self.compiling or self.checking):
                raise Usage(f"--{key} is for run time")
        for key in ("save", "baseline", "budget", "runs"):
            if key in self.values and self.checking:
                raise Usage(f"--{key} measures nothing with --checks")
        if "plot" in self.values and not re.search(r"\.(svg|html?)$", self._last("plot", ""), re.IGNORECASE):
            raise Usage("--plot wants a file called .svg or .html")
        if "budget" in self.values and "baseline" not in self.values:
            raise Usage("--budget needs a --baseline")

    def _find_out_early(self) -> None:
        """Trouble, OSError where a file that is needed after measuring, or what draws, is not there."""
        self.before = history.load(self._last("baseline", ""), self.kind) if "baseline" in self.values else None
        if "plot" in self.values:
            from septet.bench.plot import check

            check(self._last("plot", ""))

    def _budget(self) -> float:
        text = self._last("budget", "5%")
        found = re.fullmatch(r"(\d{1,4}(?:\.\d+)?)%?", text)
        if not found:
            raise Usage(f"--budget wants percent, such as 5%, not {text!r}")
        return float(found[1]) / 100

    def _number(self, key: str, otherwise: int, least: int) -> int:
        text = self._last(key, str(otherwise))
        if not (text.isdecimal() and text.isascii() and len(text) < 7) or int(text) < least:
            raise Usage(f"--{key} wants a number from {least} up, not {text!r}")
        return int(text)

    def _last(self, key: str, otherwise: str) -> str:
        return self.values[key][-1] if key in self.values else otherwise

    def _write_csv(self, text: Any) -> None:
        if "csv" in self.values:
            write(self._last("csv", ""), text.encode())
