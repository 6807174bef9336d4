"""Lines of other functions: where they come from, and that they are known only when linking."""

from __future__ import annotations

import pytest
from ir_programs import read

import septet
from septet.base.source import Source
from septet.base.symbols import Line
from septet.ir import text, verify
from septet.ir.nodes import Check

PROGRAM = """define void @main () {
  :entry
    i64 %z
    check-divisor 5 at 12
    check-divisor 5 at line 3
    check-divisor %z at line 2 of @other
    call print(line 7 of @other)
    return
}
GAP
define void @other () {
  :entry
    return
}
"""


def test_text() -> None:
    function = read(PROGRAM.replace("GAP\n", "")).functions["main"]
    lines = [value.line for value in function.values() if isinstance(value, Check)]
    assert lines == [12, Line(3), Line(2, "other")]
    assert "at line 2 of @other" in text.print_function(function) and "print(line 7 of @other)" in text.print_function(function)


def test_the_other_function_must_exist() -> None:
    program = text.parse(Source(PROGRAM.replace("GAP\n", "").replace("of @other", "of @others")))
    assert [problem.hint for problem in verify.problems(program)] == ["did you mean 'other'?"] * 2


@pytest.mark.parametrize("gap", [0, 1, 100])
def test_a_line_more_changes_the_error_and_no_function(gap: int) -> None:
    program = septet.compile(PROGRAM.replace("GAP\n", "\n" * gap), language="ir", opt=0)
    without = septet.compile(PROGRAM.replace("GAP\n", ""), language="ir", opt=0)
    for stage in ("ir", "l3", "l2", "l1"):
        assert program.interpret(stage).stdout.endswith(f"at line {12 + gap} attempted to divide by zero\n")
    assert program.run(capture=True).stdout.endswith(f"at line {12 + gap} attempted to divide by zero\n")
    assert [code.content for code in program.codes] == [code.content for code in without.codes]
