"""Which stage, pass and rewrite first changes what a program does: bisection by fuel.

The program is run in the interpreter of every language on its way down; the first that does not do what is expected names the
compiler that made it.  If that is IRc, which passes go before, they are bisected: first how many functions, in program order,
may be optimised until it goes wrong, then how many rewrites the last of these may have.  (Whalley: Automatic isolation of
compiler errors, 1994.)  A wrong run is one with other output, error text or status; one that runs out of steps, heap or stack
says nothing.
"""

from __future__ import annotations

from septet.base.options import Options
from septet.pipeline import LANGUAGES, NAMED, STAGES, Step, Watcher
from septet.program import Program
from septet.runtime.model import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.source import Source

    Outcome = tuple[str, str, int | None]

SECONDS = 10.0  # that a native run may take
STEPS = 20_000_000  # that an interpreter may take


class Inconclusive(Exception):  # noqa: N818
    """There is nothing to compare with."""


class _Applications(Watcher):
    """Notes for one function, after each pass, how many applications there have been and what the function is then."""

    def __init__(self, function: str) -> None:
        self.function = function
        self.steps: list[tuple[str, int]] = []
        self.texts: list[str] = []

    def __call__(self, step: Step) -> None:
        if step.stage == "ir" and step.function.name == self.function and step.name != "LAc":
            self.steps.append((step.name, step.applications))
            self.texts.append(NAMED["ir"].room("text").print_function(step.function, notes=False))


class Search:
    """One program, what it reads, and what it is expected to do."""

    def __init__(self, source: Source, language: str, options: Options, stdin: bytes, expected: str | None) -> None:
        self.source = source
        self.language = language
        self.options = options
        self.stdin = stdin
        if expected is None:
            outcome = self.outcome(self.program(options.with_(opt=0)), language)
            if outcome is None:
                raise Inconclusive(f"the {language.upper()} interpreter does not come to an end; say what is right by --expect")
            self.expected: Outcome = outcome
        else:
            self.expected = (expected, "", None)
        self.output_alone = expected is not None

    def program(self, options: Options, watcher: Watcher | None = None) -> Program:
        """The program under other options."""
        return Program(self.source, self.language, options, [watcher] if watcher else [])

    def outcome(self, program: Program, stage: str) -> Outcome | None:
        """What a run of `program` at `stage` (x86: natively) does; None where that says nothing."""
        if stage == "x86":
            from septet.link.jit import Loaded
            from septet.x86.targets import require

            require(program.options.target)
            with Loaded(program.image, addresses=program.addresses) as loaded:
                end = loaded.capture(self.stdin, SECONDS)
            if end.timed_out:
                return None
            return end.stdout.decode("utf-8", "replace"), end.stderr.decode("utf-8", "replace"), end.status
        try:
            result = program.interpret(stage, self.stdin, STEPS)
        except Fault as fault:
            return "", f"fault: {fault}", None
        return None if result.inconclusive else (result.stdout, result.stderr, result.status)

    def wrong(self, program: Program, stage: str) -> bool:
        """Whether the program surely does something else than expected at `stage`."""
        outcome = self.outcome(program, stage)
        if outcome is None:
            return False
        return outcome[0] != self.expected[0] if self.output_alone else outcome != self.expected

    def run(self) -> str:
        """What the search found, in a few lines; "" where nothing is wrong."""
        program = self.program(self.options)
        for stage in (*LANGUAGES[LANGUAGES.index(self.language) :], "x86"):
            if self.wrong(program, stage):
                break
        else:
            return ""
        if stage == self.language:
            return f"The program itself does something else than expected, in the {stage.upper()} interpreter."
        compiler = next(row.compiler for row in STAGES if row.next == stage)
        if compiler != "IRc":
            return f"{compiler} is wrong: the program is right before it, and wrong in {stage.upper()} after it."
        return self.passes(stage)

    def passes(self, stage: str) -> str:
        """Which pass and rewrite is wrong, or IRc itself."""
        names = list(self.program(self.options).stage("ir").functions)

        def limited(fuel: tuple[tuple[str, int], ...]) -> bool:
            return self.wrong(self.program(self.options.with_(fuel=fuel)), stage)

        if limited(tuple((name, 0) for name in names)):
            return "IRc or the pass linearise is wrong: the program is right in IR and wrong in L3 without any rewrite."
        count = _first(lambda k: limited(tuple((name, 0) for name in names[k:])), len(names))
        guilty, none = names[count - 1], tuple((name, 0) for name in names[count:])
        full = _Applications(guilty)
        self.program(self.options.with_(fuel=none), full).stage("l3")
        most = max(spent for _, spent in full.steps)
        number = _first(lambda n: limited(((guilty, n), *none)), most)
        before, after = _Applications(guilty), _Applications(guilty)
        self.program(self.options.with_(fuel=((guilty, number - 1), *none)), before).stage("l3")
        self.program(self.options.with_(fuel=((guilty, number), *none)), after).stage("l3")
        at = next(index for index, (one, two) in enumerate(zip(before.texts, after.texts, strict=False)) if one != two)
        report = [
            f"Pass {after.steps[at][0]} is wrong: rewrite {number - 1} of function {guilty} changes what the program does.",
            f"(--fuel {guilty}:{number - 1} is right, --fuel {guilty}:{number} is wrong)",
            "",
            *_difference(before.texts[at], after.texts[at]),
        ]
        return "\n".join(report)


def _first(wrong: Callable[[int], bool], most: int) -> int:
    """A number n, at most `most`, with wrong(n) and not wrong(n - 1), if not wrong(0) and wrong(most)."""
    right, bad = 0, most
    while bad - right > 1:
        middle = (right + bad) // 2
        if wrong(middle):
            bad = middle
        else:
            right = middle
    return bad


def _difference(before: str, after: str) -> list[str]:
    from difflib import unified_diff

    return list(unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=2))
