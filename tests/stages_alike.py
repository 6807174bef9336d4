"""Whether every stage and the machine run a program alike; for random programs (random_programs.py, random_ir.py)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import septet
from septet.base.options import Options
from septet.base.source import Source
from septet.link.jit import Loaded
from septet.pipeline import LANGUAGES, NAMED, Compilation, load
from septet.program import Program
from septet.runtime.model import Exit, Fault, Inconclusive, Runtime
from septet.watchers import Check
from septet.x86.targets import BASELINE

STEPS = 100_000  # of the program's own interpreter; one that needs more is left out
MORE = 60  # times the steps that later stages may take
SECONDS = 10.0  # that a native run may take
STDIN = b"1\n-7\n4611686018427387904\n12x\n\n99999999999999999999\n0\n3\n" * 4

Outcome = tuple[str, int | None] | str  # standard output and status, or why there are none


def outcomes(
    text: str, language: str, steps: int, native: bool = True, last: str = "", target: str = BASELINE
) -> dict[str, Outcome]:
    """What each way of running `text` gives, its own language's interpreter first; where `last` is a language, no further
    than that.  `target` is what native code is for.

    Empty where that does not come to an end within `steps`, or says that the program is broken.
    """
    found: dict[str, Outcome] = {}
    if last:
        return _lowered(text, language, steps, last)
    for level in (0, 1, 2, 3):
        compiled = septet.compile(text, language=language, opt=level, target=target, watchers=[Check()] if level == 3 else [])
        for stage in LANGUAGES[LANGUAGES.index(language) :]:
            if level and stage in ("lb", "la", "ir", language):
                continue  # the same at every level
            outcome = _interpreted(compiled, stage, steps if stage == language else steps * MORE)
            if not found and isinstance(outcome, str):
                return {}
            found[f"{stage}-O{level}"] = outcome
        if native:
            with Loaded(compiled.image) as loaded:
                end = loaded.capture(STDIN, SECONDS)
            found[f"native-O{level}"] = "time" if end.timed_out else (end.stdout.decode("utf-8", "replace"), end.status)
    return found


def natively(text: str, language: str, target: str) -> dict[str, Outcome]:
    """What the interpreter of the program's own language gives, then native code for `target` at every level, which is checked
    on the way: less than `outcomes`, and many times faster.  Empty as there."""
    source = Source(text, "<text>")
    found = {language: _run(load(source, language), language, STEPS)}
    if isinstance(found[language], str):
        return {}
    for level in (0, 1, 2, 3):
        program = Program(source, language, Options(level, target=target), [Check()])
        with Loaded(program.image) as loaded:
            end = loaded.capture(STDIN, SECONDS)
        found[f"native-O{level}"] = "time" if end.timed_out else (end.stdout.decode("utf-8", "replace"), end.status)
    return found


def _lowered(text: str, language: str, steps: int, last: str) -> dict[str, Outcome]:
    source = Source(text, "<text>")
    program = load(source, language)
    found = {language: _run(program, language, steps)}
    if isinstance(found[language], str):
        return {}
    for level in (0, 1, 2, 3):
        watchers = [Check()] if level == 3 else []
        lowered = Compilation(Options(opt=level), watchers).lower(program, language, last)
        found[f"{last}-O{level}"] = _run(lowered, last, steps * MORE)
    return found


def _run(program: Any, language: str, steps: int) -> Outcome:
    runtime = Runtime(STDIN)
    try:
        NAMED[language].room("interpret").run(program, runtime, steps)
    except Exit as end:
        return runtime.output.decode(), end.status
    except Inconclusive as end:
        return end.reason
    except Fault as fault:
        return f"fault: {fault}"
    return runtime.output.decode(), 0


def _interpreted(program: septet.Program, stage: str, steps: int) -> Outcome:
    try:
        result = program.interpret(stage, STDIN, steps)
    except Fault as fault:
        return f"fault: {fault}"
    return result.inconclusive or (result.stdout, result.status)


def difference(found: dict[str, Outcome]) -> str:
    """The ways of running that do not do as the first of them; "" where all agree."""
    wanted = next(iter(found.values()), None)
    return ", ".join(way for way, outcome in found.items() if outcome != wanted)


def report(program: Callable[[int], str], language: str, arguments: list[str]) -> int:
    """The command line: make and run programs, and print what differs; 1 if anything does."""
    if arguments[:1] == ["--show"]:
        print(program(int(arguments[1])), end="")
        return 0
    last = ""
    if "--to" in arguments:
        at = arguments.index("--to")
        last = arguments[at + 1]
        arguments = arguments[:at] + arguments[at + 2 :]
    target = BASELINE
    if "--target" in arguments:
        at = arguments.index("--target")
        target = arguments[at + 1]
        arguments = arguments[:at] + arguments[at + 2 :]
    count = int(arguments[0]) if arguments else 100
    first = int(arguments[1]) if len(arguments) > 1 else 0
    began = time.perf_counter()
    different = left_out = failed = 0
    for number in range(first, first + count):
        try:
            found = outcomes(program(number), language, STEPS, last=last, target=target)
        except septet.Rejected as problem:
            found = {language: "", "compiler": problem.render()}
        except Exception as problem:
            found = {language: "", "compiler": f"{type(problem).__name__}: {problem}"}
        left_out += not found
        failed += next(iter(found.values()), "")[-1:] == (1,)
        if bad := difference(found):
            different += 1
            print(f"{number}: {bad}", flush=True)
            if "compiler" in found:
                print(found["compiler"])
    seconds = time.perf_counter() - began
    print(f"{count} programs, {different} different, {failed} ended by an error, {left_out} left out, {seconds:.0f} s")
    return bool(different)
