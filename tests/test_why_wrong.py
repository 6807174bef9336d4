"""`septet why-wrong` names what is wrong, and `septet explain` says what was done: with passes that lie planted here."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import pytest
from conftest import NATIVE

import septet
from septet import explain, pipeline
from septet.base.facts import Facts
from septet.base.options import Options
from septet.base.source import Source
from septet.ir.nodes import Const, Function
from septet.ops import table as ops
from septet.prove.why_wrong import Search

PROGRAM = """int64 twice(int64 n) {
  int64 r
  r <- n * 2
  r <- r + n
  return r
}
void main() {
  int64 a
  a <- 20
  a <- a + 1
  a <- twice(a)
  print(a)
}
"""
NAME = "off-by-one"
COMPUTES = (ops.ADD, ops.SUB, ops.MUL, ops.AND)


def plant(monkeypatch: pytest.MonkeyPatch, only: str) -> None:
    """A pass that changes the constants that function `only` computes with."""
    lying = ModuleType("septet.ir.passes.off_by_one")

    def run(function: Function, facts: Facts) -> bool:
        changed = False
        for value in function.values():
            if value.op in COMPUTES and isinstance(right := value.args[1], Const) and facts.fuel.spend():
                if function.name == only:
                    value.args = [value.args[0], Const(right.type, right.number + 2)]
                    changed = True
        return changed

    lying.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, lying.__name__, lying)
    monkeypatch.setattr(pipeline, "PASSES", (*pipeline.PASSES, pipeline.Pass(NAME, 1, "wrong")))


def search(text: str, options: Options, expected: str | None = None) -> str:
    return Search(Source(text), "lb", options, b"", expected).run()


@pytest.mark.skipif(not NATIVE, reason="native code needs Linux on x86-64")
def test_a_right_program_is_right() -> None:
    assert search(PROGRAM, Options(1)) == ""


def test_the_wrong_pass_and_rewrite_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "twice")
    found = search(PROGRAM, Options(1))
    assert found.startswith(f"Pass {NAME} is wrong: rewrite ")
    assert "of function twice" in found
    assert any(line.startswith("+") and "+++" not in line for line in found.splitlines())


def test_a_pass_left_out_is_not_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "twice")
    assert search(PROGRAM, Options(0)) == ""
    assert search(PROGRAM, Options(1, without=(NAME,))) == ""


def test_the_program_itself_is_wrong() -> None:
    assert "The program itself" in search(PROGRAM, Options(1), expected="64\n")


def test_explain_prints_every_line_and_its_remarks() -> None:
    program = septet.compile("void main() {\n  int64[] a\n  a <- new Array(3)\n  a[1] <- 2\n  print(a)\n}\n", opt=1)
    lines = explain.report(program).splitlines()
    assert [line.partition("| ")[2] for line in lines if line[0].isdigit()] == program.source.lines
    assert any("removed" in line for line in lines if not line[0].isdigit())
    assert explain.report(program, 3).splitlines()[0] == "3 |   a <- new Array(3)"
    rows = json.loads(explain.as_json(program))
    assert {row["line"] for row in rows} == {4}
    assert set(rows[0]) == {"function", "line", "column", "pass", "what", "why", "numbers"}
