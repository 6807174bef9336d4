"""Ranges, relations and known bits, and that no run of a random program leaves what they say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

import random_ir
import random_programs
from bounded_loops import program as bounded_loops
from ir_programs import outcome, read

from septet.base.facts import Facts
from septet.base.options import Fuel, Options
from septet.base.source import Source
from septet.base.types import I64, INT, VALUE
from septet.ir import interpret, verify
from septet.ir.analyses.conditions import END
from septet.ir.analyses.known_bits import KnownBits
from septet.ir.analyses.liveness import Liveness
from septet.ir.analyses.ranges import Ranges
from septet.ir.analyses.relations import Relations
from septet.ir.analyses.uses import Uses
from septet.ir.copy import copy_function
from septet.ir.nodes import Block, Check, Compare, Const, Function, Phi, Program, Value
from septet.ir.passes import range_checks, reassociate, sccp
from septet.ops import table as ops
from septet.pipeline import Compilation, load

MOST = (1 << 63) - 1


def function(body: str, parameters: str = "") -> Function:
    """The function of these lines; their first label is :entry."""
    made = f"define void @f ({parameters}) {{\n{body}\n}}\ndefine void @main () {{\n :entry\n return\n}}\n"
    return read(made).functions["f"]


def names(function: Function) -> dict[str, Value]:
    """The values by their names."""
    return {value.name: value for value in [*function.parameters, *function.values()]}


def block(function: Function, name: str) -> Block:
    return next(block for block in function.blocks if block.name == name)


def counted(start: str, guard: str, step: str, parameters: str = "int64 %n") -> tuple[int, int]:
    """The range of %i in the loop's body."""
    f = function(
        f"""  :entry
    br :while
  :while
    int64 %i <- phi (:entry {start}, :body %j)
    bool %c <- {guard}
    br %c :body :end
  :body
    int64 %k <- %i + i64 0
    int64 %j <- {step}
    br :while
  :end
    return""",
        parameters,
    )
    assert Ranges(f).at(names(f)["i"], block(f, "body")) == Ranges(f).of(names(f)["k"])
    return Ranges(f).of(names(f)["k"])


def test_counted_loops() -> None:
    """Encoded numbers are odd, so that a step of one cannot wrap below any bound."""
    assert counted("1", "%i < 101", "%i + i64 2") == (1, 99)
    assert counted("1", "%i < %n", "%i + i64 2") == (1, MOST - 2)
    assert counted("1", "%i <= 101", "%i + i64 2") == (1, 101)
    assert counted("101", "%i >= 1", "%i - i64 2") == (1, 101)
    assert counted("-7", "%i < 9", "%i + i64 6") == (-7, 7)


def test_wrapping_is_seen() -> None:
    """A step that may jump over the greatest number gives up the lower bound."""
    assert counted("1", "%i <= %n", "%i + i64 2") == (-MOST, MOST)
    assert counted("1", "%i < %n", "%i + i64 4")[0] < 0
    assert counted("1", "%i >= %n", "%i - i64 2")[1] == MOST
    assert counted("2", "%i < 100", "%i * 3") == (2, 98)
    assert counted("1", "%i < 4611686018427387905", "%i * 3")[0] < 0


def test_branches_sharpen() -> None:
    """What a comparison says holds where only it leads to."""
    f = function(
        """  :entry
    bool %c <- %x >= 5
    br %c :high :low
  :high
    bool %d <- %x < %y
    br %d :less :end
  :less
    i64 %z <- %y - %x
    br :end
  :low
    br :end
  :end
    return""",
        "i64 %x, i64 %y",
    )
    named, ranges = names(f), Ranges(f)
    assert ranges.of(named["x"]) == (-MOST - 1, MOST)
    assert ranges.at(named["x"], block(f, "high")) == (5, MOST)
    assert ranges.at(named["x"], block(f, "low")) == (-MOST - 1, 4)
    assert ranges.at(named["y"], block(f, "less")) == (6, MOST)
    assert ranges.of(named["z"]) == (7 - MOST, MOST - 5)
    assert ranges.at(named["x"], block(f, "end")) == (-MOST - 1, MOST)


def test_relations() -> None:
    """Chains of comparisons, sums and phis; and what a wrapped difference does not say."""
    f = function(
        """  :entry
    bool %c <- %x < %y
    br %c :less :end
  :less
    bool %d <- %y <= %z
    br %d :chain :end
  :chain
    i64 %up <- %x + 1
    i64 %down <- %x - 1
    br :end
  :end
    return""",
        "i64 %x, i64 %y, i64 %z",
    )
    named, relations = names(f), Relations(f)
    there = (block(f, "chain"), END, [])
    assert relations.below(named["x"], named["z"], -1, there)
    assert not relations.below(named["x"], named["z"], -2, there)
    assert relations.below(named["up"], named["z"], 0, there)
    assert not relations.below(named["up"], named["z"], -1, there)
    assert not relations.below(named["down"], named["x"], 0, there)
    assert not relations.below(named["x"], named["z"], -1, (block(f, "less"), END, []))
    assert not relations.below(named["z"], named["x"], MOST, there)


def test_known_bits() -> None:
    """Carries, shifts, and a phi of odd numbers."""
    f = function(
        """  :entry
    i64 %odd <- %x | 1
    i64 %even <- %odd + %odd
    i64 %low <- %x & 12
    i64 %sum <- %low + 3
    i64 %half <- %sum >> 1
    i64 %minus <- neg %even
    i64 %times <- %low * 6
    br :while
  :while
    i64 %i <- phi (:entry 1, :body %j)
    bool %c <- %i < %x
    br %c :body :end
  :body
    i64 %j <- %i + %even
    br :while
  :end
    return""",
        "i64 %x",
    )
    named, bits = names(f), KnownBits(f)
    mask = (1 << 64) - 1
    assert bits.of(named["odd"]) == (0, 1)
    assert bits.of(named["even"])[0] & 1
    assert bits.of(named["low"]) == (mask ^ 12, 0)
    assert bits.of(named["sum"]) == (mask ^ 15, 3)
    assert bits.of(named["half"]) == (mask ^ 7, 1)
    assert bits.of(named["minus"])[0] & 1
    assert bits.of(named["times"])[0] & 7 == 7
    assert bits.of(named["i"]) == (0, 1)
    assert bits.of(Const(I64, -2)) == (1, mask - 1)


def test_liveness_and_uses() -> None:
    """A phi's operand is live at the end of its block, the phi itself from its own on."""
    f = function(
        """  :entry
    br :while
  :while
    i64 %i <- phi (:entry 1, :body %j)
    bool %c <- %i < %x
    br %c :body :end
  :body
    i64 %j <- %i + %i
    br :while
  :end
    return""",
        "i64 %x",
    )
    named, live, uses = names(f), Liveness(f), Uses(f)

    def spelled(bits: int) -> list[str]:
        return sorted(value.name for value in live.values if bits >> live.number[value] & 1)

    assert spelled(live.live_in(block(f, "entry"))) == ["x"]
    assert spelled(live.live_in(block(f, "while"))) == ["x"]
    assert spelled(live.live_in(block(f, "body"))) == ["i", "x"]
    assert spelled(live.live_out(block(f, "body"))) == ["j", "x"]
    assert spelled(live.live_in(block(f, "end"))) == []
    assert uses.of(named["i"]) == [named["c"], named["j"], named["j"]]
    assert uses.block_of(named["j"]) is block(f, "body")
    assert uses.block_of(named["x"]) is None
    assert uses.of(Const(I64, 1)) == []


def asserted(function: Function) -> None:
    """Let the program fail with a division by zero where a value is not what the analyses say."""
    ranges, bits = Ranges(function), KnownBits(function)
    for block in function.blocks:
        body: list[Value] = []
        for value in [*block.phis, *block.body]:
            if isinstance(value, Check) and value.op is ops.CHECK_INDEX:
                low, high, _ = ranges.here(value.args[0], (block, block.body.index(value), []))
                assert_in(value.args[0], low, high, body)
            if not isinstance(value, Phi):
                body.append(value)
            if value.type.kind in (INT, VALUE) and value.type.bits > 1:
                low, high, parity = ranges.range(value)
                assert_in(value, low, high, body)
                zeros, ones = bits.of(value)
                for mask, wanted in ((zeros | ones, ones), (1, parity if parity < 2 else None)):
                    if wanted is not None:
                        wrap = value.type.wrap
                        body.append(Value(ops.AND, value.type, [value, Const(value.type, wrap(mask))]))
                        assert_that(Compare(ops.EQ, value.type, [body[-1], Const(value.type, wrap(wanted))]), body)
        block.body = [value for value in body if not value.op.ends] + [value for value in body if value.op.ends]


def assert_in(value: Value, low: int, high: int, body: list[Value]) -> None:
    assert value.type.low <= low <= high <= value.type.high
    assert_that(Compare(ops.GE, value.type, [value, Const(value.type, low)]), body)
    assert_that(Compare(ops.LE, value.type, [value, Const(value.type, high)]), body)


def assert_that(compare: Compare, body: list[Value]) -> None:
    number = Value(ops.CONVERT, I64, [compare])
    body += [compare, number, Check(ops.CHECK_DIVISOR, [number])]


def ir(text: str, language: str) -> Program:
    program = load(Source(text), language)
    lowered: Program = program if language == "ir" else Compilation(Options(opt=0)).lower(program, language, "ir")
    return lowered


def copied(program: Program) -> Program:
    functions = {name: copy_function(function) for name, function in program.functions.items()}
    return Program(functions, program.data, program.source)


STDIN = b"1\n-7\n4611686018427387904\n12x\n\n99999999999999999999\n0\n3\n"
RANDOM = [
    *[(number, bounded_loops, "lb") for number in range(60)],
    *[(number, random_programs.program, "lb") for number in range(15)],
    *[(number, random_ir.program, "ir") for number in range(15)],
]


@pytest.mark.parametrize(("number", "make", "language"), RANDOM, ids=lambda part: getattr(part, "__module__", str(part)))
def test_random_programs(number: int, make: object, language: str) -> None:
    """Values are what is said of them, and passes that believe it change nothing that can be seen."""
    program = ir(make(number), language)  # type: ignore[operator]
    first = outcome(interpret.run, program, STDIN, 30_000)
    if first[0].startswith("Inconclusive"):
        return
    checked = copied(program)
    for function in checked.functions.values():
        asserted(function)
    assert outcome(interpret.run, checked, STDIN, 2_000_000) == first
    changed = copied(program)
    for function in changed.functions.values():
        for module in (sccp, reassociate, range_checks):
            module.run(function, Facts(changed, Fuel(), function=function))
            assert [problem.message for problem in verify.function_problems(function, changed)] == []
    assert outcome(interpret.run, changed, STDIN, 30_000) == first
