"""Golden tests: a file says what to run, then what is given, `----`, and what must come out.

    # run: simplify dead-code          passes of septet/ir/passes by name, or `lower`; `fuel=N` limits their applications
    define int64 @f (int64 %a) { ... }
    ----
    define int64 @f (int64 %a) { ... }

`BLESS=1 pytest tests/test_golden.py` rewrites the second half of every file: look at the difference before you commit it.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import pytest

from septet.base.facts import Facts
from septet.base.options import Fuel, Options
from septet.base.source import Source
from septet.ir import text, verify
from septet.ir.lower import lower_program
from septet.l3 import text as l3_text

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.rglob("*.ir"))


def apply(names: list[str], given: str) -> str:
    """The text that comes of running passes on a program, which is verified after each."""
    program = text.parse(Source(given), notes=False)
    fuel = Fuel()
    for name in names:
        if name.startswith("fuel="):
            fuel = Fuel(int(name[5:]))
            continue
        if name == "lower":
            return l3_text.print_program(lower_program(program, Options()), notes=False)
        run = import_module(f"septet.ir.passes.{name.replace('-', '_')}").run
        for function in program.functions.values():
            before = text.print_function(function)
            changed = run(function, Facts(program, fuel, by=name))
            assert changed or text.print_function(function) == before, f"{name} says that it changed nothing"
            assert [problem.message for problem in verify.function_problems(function, program)] == []
    return text.print_program(program, notes=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(GOLDEN).as_posix())
def test_golden(path: Path) -> None:
    header, _, rest = path.read_text().partition("\n")
    given, _, wanted = rest.partition("----\n")
    got = apply(header.removeprefix("# run:").split(), given)
    if os.environ.get("BLESS"):
        path.write_text(f"{header}\n{given}----\n{got}")
    else:
        assert got == wanted
