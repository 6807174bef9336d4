"""What hangs on the pipeline's hook for the command line: --check, --dump and --time."""

from __future__ import annotations

import sys

from septet.base.diagnostics import Diagnostic
from septet.pipeline import LANGUAGES, NAMED, PASSES, STAGES, Step, Watcher, module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class BrokenStep(Exception):  # noqa: N818
    """A compiler or a pass made something that its language's verifier refuses."""


class Check(Watcher):
    """Verifies each function after each step, the analyses that passes keep, and what L2c made by an independent checker."""

    whole = True
    recheck = True

    def __call__(self, step: Step) -> None:
        if step.stage == "x86":
            return
        verify = NAMED[step.stage].room("verify")
        bad: Diagnostic | None = next(verify.function_problems(step.function, step.program), None)
        if bad is not None:
            raise BrokenStep(f"{step.name} broke {step.function.name}: {bad.message}")
        if step.stage == "l1" and step.before is not None:
            checker = module("septet.l2.allocate.check")
            try:
                checker.check(step.before, step.function)
            except checker.Mismatch as mismatch:
                raise BrokenStep(f"{step.name} broke {mismatch}") from None


class Dump(Watcher):
    """Prints each function on stderr after the step called `name`: a pass, or the compiler into a language."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, step: Step) -> None:
        if self.name in (step.name, step.stage) and step.stage != "x86" and not (step.stage == self.name == "ir" != step.name):
            text = NAMED[step.stage].room("text").print_function(step.function)
            sys.stderr.write(f"// {step.function.name} after {step.name}\n{text}\n")


class Time(Watcher):
    """Adds up the time of each step."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self.count: dict[str, int] = {}

    def __call__(self, step: Step) -> None:
        self.spent[step.name] = self.spent.get(step.name, 0) + step.nanoseconds
        self.count[step.name] = self.count.get(step.name, 0) + 1

    def report(self) -> str:
        """A table: step, functions, milliseconds, share."""
        total = sum(self.spent.values()) or 1
        lines = [f"{'step':12} {'functions':>9} {'ms':>9}  share"]
        for name, spent in self.spent.items():
            lines.append(f"{name:12} {self.count[name]:9} {spent / 1e6:9.2f} {spent / total:6.1%}")
        return "\n".join([*lines, f"{'all':12} {'':9} {total / 1e6:9.2f}"])


def chosen(check: bool, dumps: Sequence[str], time: bool) -> list[Watcher]:
    """The watchers that the command line asks for.  Usage where a dump names nothing."""
    known = {*LANGUAGES, *(stage.compiler for stage in STAGES), *(row.name for row in PASSES)}
    for name in dumps:
        if name not in known:
            from septet.arguments import Usage
            from septet.base.diagnostics import did_you_mean

            raise Usage(f"--dump {name!r} is no language and no pass. {did_you_mean(name, known)}".rstrip())
    watchers: list[Watcher] = []
    if time:
        watchers.append(Time())
    watchers += [Dump(name) for name in dumps]
    if check:
        watchers.append(Check())
    return watchers


def report(watchers: Sequence[Watcher]) -> str:
    """What the Time watcher among `watchers` measured."""
    return "\n".join(watcher.report() for watcher in watchers if isinstance(watcher, Time))
