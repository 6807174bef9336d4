"""Golden tests: a file says what to run, then what is given, `----`, and what must come out.

    # run: simplify dead-code          passes of septet/ir/passes by name; `fuel=N` limits their applications;
                                       `whole`: what follows knows the program's facts and, callees first, summaries
    # run: LBc                         a compiler, from the file's language to the next; `-O1` for another level than 0,
                                       `--target=x86-64-v3` for another target than the baseline
    define int64 @f (int64 %a) { ... }
    ----
    define int64 @f (int64 %a) { ... }

They lie in tests/golden/<language>/<pass or compiler>/.  `BLESS=1 pytest tests/test_golden.py` rewrites the second half of
every file: look at the difference before you commit it.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import pytest

import septet
from septet.base.facts import Facts, Known
from septet.base.options import Fuel, Options
from septet.base.source import Source
from septet.ir import text, verify, whole
from septet.ir.analyses.call_graph import CallGraph
from septet.l1.peephole import improve
from septet.l1.schedule import schedule
from septet.pipeline import LANGUAGES, NAMED, Compilation
from septet.x86.decode import disassemble

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(path for path in GOLDEN.rglob("*.*") if path.suffix[1:] in LANGUAGES)


def after_passes(names: list[str], given: str) -> str:
    """The IR that comes of running passes on a program, which is verified after each."""
    program = text.parse(Source(given), notes=False)
    fuel = Fuel()
    known = Known()
    for name in names:
        if name == "whole":
            known, graph = whole.known(program), CallGraph(program)
            for component in graph.components:
                functions = [program.functions[name] for name in component]
                whole.summarise([Facts(program, fuel, function=one, known=known) for one in functions], known, graph)
            continue
        if name.startswith("fuel="):
            fuel = Fuel(int(name[5:]))
            continue
        run = import_module(f"septet.ir.passes.{name.replace('-', '_')}").run
        for function in program.functions.values():
            before = text.print_function(function)
            changed = run(function, Facts(program, fuel, by=name, function=function, known=known))
            assert changed or text.print_function(function) == before, f"{name} says that it changed nothing"
            assert [problem.message for problem in verify.function_problems(function, program)] == []
    return text.print_program(program, notes=False)


def after_compiler(language: str, options: Options, given: str) -> str:
    """The text in the next language; for L1 the bytes and instructions of each function before linking."""
    if language == "l1":
        lines = []
        for code in septet.compile(given, language=language, opt=options.opt, target=options.target).codes:
            lines.append(f"{code.name}:")
            for offset, length, instruction in disassemble(code.content):
                lines.append(f"  {offset:3x}  {code.content[offset : offset + length].hex(' '):30} {instruction}")
        return "\n".join(lines) + "\n"
    stage = NAMED[language]
    program = stage.room("text").parse(Source(given), notes=False)
    below = Compilation(options).lower(program, language, stage.next)
    printed: str = NAMED[stage.next].room("text").print_program(below, notes=False)
    return printed


def after_improvement(names: list[str], given: str) -> str:
    """The L1 that comes of what L1c does before it encodes: `peephole`, `schedule`."""
    program = NAMED["l1"].room("text").parse(Source(given), notes=False)
    for function in program.functions.values():
        if "peephole" in names:
            function.body = improve(function.body)
        if "schedule" in names:
            function.body = schedule(function.body, function.slots)
    printed: str = NAMED["l1"].room("text").print_program(program, notes=False)
    return printed


def apply(language: str, words: list[str], given: str) -> str:
    """What the header of a golden file in `language` asks for."""
    if words[0] == NAMED[language].compiler:
        options = Options(0)
        for word in words[1:]:
            options = options.with_(target=word[9:]) if word[:9] == "--target=" else options.with_(opt=int(word[2:]))
        return after_compiler(language, options, given)
    if language == "l1":
        return after_improvement(words, given)
    return after_passes(words, given)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(GOLDEN).as_posix())
def test_golden(path: Path) -> None:
    header, _, rest = path.read_text().partition("\n")
    given, _, wanted = rest.partition("----\n")
    got = apply(path.suffix[1:], header.removeprefix("# run:").split(), given)
    if os.environ.get("BLESS"):
        path.write_text(f"{header}\n{given}----\n{got}")
    else:
        assert got == wanted


def test_every_language_has_golden_files() -> None:
    assert {path.suffix[1:] for path in FILES} == set(LANGUAGES)
