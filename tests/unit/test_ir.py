"""IR: verifying, running, recognising checks, passes, and lowering to L3."""

from __future__ import annotations

import gc
import random
from pathlib import Path

import pytest
from effort import calls
from flat_programs import complaints, course, stdin_of
from ir_programs import Random, copy, everywhere, lowered, main, outcome, read

from septet.base.facts import Facts
from septet.base.graph import dominators
from septet.base.options import Fuel, Options
from septet.base.source import Source
from septet.base.types import BOOL, I64, INT64, VOID
from septet.ir import interpret, lower, text, verify
from septet.ir.analyses.loops import depths
from septet.ir.nodes import Block, Branch, Check, Const, Function, Phi, Program, Value
from septet.ir.passes import dead_code, linearise, simplify
from septet.ops import table as ops

# Running


@pytest.mark.parametrize("path", course("IR"), ids=lambda path: path.name)
def test_course_programs_run_alike_after_every_pass_and_in_l3(path: Path) -> None:
    end, printed = everywhere(read(path.read_text()), stdin_of(path), 30_000)
    wanted = path.with_suffix(".out").read_text()
    if end in ("end", "exit 1"):
        assert printed.split() == wanted.split()
    else:
        assert wanted.startswith(printed)


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_run_alike_after_every_pass_and_in_l3(seed: int) -> None:
    everywhere(read(Random(seed).program()))
    gc.collect()


def test_recursion_is_not_pythons() -> None:
    program = (
        "define int64 @down (i64 %n) {\n:e\n%c <- %n < 1\nbr %c :o :m\n:m\ni64 %k <- %n - 1\n%r <- call @down(%k)\n"
        "%r <- %r + 2\nreturn %r\n:o\nreturn 1\n}\n"
    )
    assert everywhere(read(program + main("%x <- call @down(9000)\ncall print(%x)"))) == ("end", "9000\n")
    deep = read(program + main("%x <- call @down(3000000)"))
    assert outcome(interpret.run, deep, steps=1 << 40)[0] == "Inconclusive: out of stack"


def test_steps_run_out() -> None:
    program = read("define void @main () {\n:e\nbr :l\n:l\nbr :l\n}")
    assert outcome(interpret.run, program, steps=1000) == ("Inconclusive: out of steps", "")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("int64[] %a <- new Array(7)\n%x <- %a[1000000]", "access to address"),
        ("int64[] %a <- 0\n%a[0] <- 5", "access to address"),
        ("code %f <- 24\ncall %f()", "where no function is"),
        ("code %f <- @main\ncall %f(5)", "with 1 arguments, not 0"),
    ],
)
def test_wild_accesses_are_faults(body: str, message: str) -> None:
    end, _ = outcome(interpret.run, text.parse(Source(main(body))))
    assert end.startswith("Fault: ") and message in end


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("tuple %t <- 0\ncheck-null %t", "line 4 attempted to access an array, a tuple, or a tensor that has not"),
        ("tuple %t <- 0\ncheck-null %t at 40", "line 40 attempted to access an array"),
        ("tuple %t <- new Tuple(7)\ncheck-kind %t array 1 at 9", "line 9"),
        ("check-index 7, 7, array", "line 3 attempted to use position 3 in an array that only has 3 elements"),
        ("check-index -3, 7, 2", "line 3 attempted to use the negative index -2 in the dimension 2"),
        ("check-index 3, 3, tuple", "line 3 attempted to use position 1 in a tuple that only has 1 element"),
        ("check-index 5, 5, dimensions", "line 3"),
        ("check-length -1", "line 3"),
        ("check-length 4294967297", "line 3"),
        ("i64 %d <- 0\ni64 %x <- 1 / %d", "line 4"),
        ("i8 %d <- 0\ni8 %x <- 1 % %d", "line 4"),
        ("check-divisor i64 0 at 12", "line 12"),
    ],
)
def test_run_time_errors(body: str, wanted: str) -> None:
    end, printed = everywhere(read(main(body)))
    assert end == "exit 1" and wanted in printed and printed.count("\n") == 1


def test_checks_that_hold_say_nothing() -> None:
    body = (
        "tuple %t <- new Tuple(7)\nint64[][] %a <- new Array(5, 7)\ncode %f <- @main\ncheck-null %t\ncheck-kind %t tuple\n"
        "check-kind %a array 2\ncheck-kind %f code 0\ncheck-index 5, 7, array\ncheck-index 1, 3, 1\ncheck-length 4294967295\n"
        "check-divisor u8 1\ncall print(3)"
    )
    assert everywhere(read(main(body))) == ("end", "1\n")


def test_arrays_and_tuples() -> None:
    body = (
        "int64[][] %a <- new Array(5, 7)\n%i <- 1\n%a[%i][2] <- 9\n%x <- %a[1][2]\ncall print(%x)\ncall print(%a)\n"
        "%n <- length %a 0\ncall print(%n)\n%n <- length %a %i\ncall print(%n)\ntuple %t <- new Tuple(5)\n%t[0] <- %a\n"
        "int64[][] %b <- %t[0]\n%b[0][0] <- 11\n%x <- %a[0][0]\ncall print(%x)\n%n <- length %t\ncall print(%n)\n"
        "int64 %w <- %t[0]\nint64[][] %d <- %w\n%x <- %d[0][0]\ncall print(%x)"
    )
    wanted = "4\n{s:8, 2, 3, 0, 0, 0, 0, 0, 4}\n2\n3\n5\n2\n5\n"
    assert everywhere(read(main(body))) == ("end", wanted)


# Verifying


def test_a_program_has_a_main_without_parameters() -> None:
    assert complaints(text, verify, "define void @mian () {\n:e\nreturn\n}") == ["the program has no function '@main'"]
    assert "has parameters" in complaints(text, verify, "define void @main (int64 %a) {\n:e\nreturn\n}")[0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("call @g()", "there is no function '@g'"),
        ("call @main(5)", "'@main' takes 0 arguments, not 1"),
        ("call print()", "'print' takes 1 arguments, not 0"),
        ("call print(u8 5)", "'call' wants a word, but '5' is u8"),
        ("call print(@g)", "there is no function or data '@g'"),
        ("int64[] %a <- 0\n%x <- %a[1][2]", "int64[] is accessed with 2 indices"),
        ("%a <- 0\n%x <- %a[1]", "int64 is no array and no tuple"),
        ("int64[] %a <- 0\n%x <- length %a 1", "'length' of dimension 1 of something of type int64[]"),
        ("tuple %a <- 0\n%x <- length %a 0", "'length' of dimension 0 of something of type tuple"),
        ("f64 %a <- 1.5\nf64 %x <- %a + f32 1.5", "'fadd' wants f64, but '1.5' is f32"),
        ("u8 %a <- 1\nu8 %x <- bitcast i64 5", "a bitcast from i64 to u8 changes the width"),
        ("f64 %a <- 1.5\nf64 %x <- not %a", "there is no 'not' on f64"),
        ("i64 %a <- 1\nstore.f64 %a <- %a", "'store' wants f64, but '1' is i64"),
        ("i64 %a <- 1\nstore %a <- 5 in length", "is not into what 'allocate' made in this block"),
        ("i64 %r <- syscall()", "a system call has a number"),
        ("check-null f64 1.5", "'check-null' is not of f64, as '1.5' is"),
        ("i8x2 %x <- load 8", "which no value can be"),
    ],
)
def test_what_is_not_well_formed(body: str, message: str) -> None:
    assert any(message in complaint for complaint in complaints(text, verify, main(body)))


def broken(change: object) -> list[str]:
    """What the verifier says about a program after a change."""
    program = read("define int64 @main () {\n:e\n%c <- call input()\nbr %c :a :b\n:a\n%x <- %c + 1\nbr :b\n:b\nreturn %c\n}")
    function = program.functions["main"]
    change(function)  # type: ignore[operator]
    return [d.message for d in verify.problems(program)]


def test_what_text_cannot_say() -> None:
    def move_up(f: Function) -> None:
        f.blocks[2].body[-1].args = [f.blocks[1].body[0]]

    def no_end(f: Function) -> None:
        f.blocks[1].body.pop()

    def elsewhere(f: Function) -> None:
        last = f.blocks[1].body[-1]
        assert isinstance(last, Branch)
        last.targets = [Block("x")]

    def wrong_phi(f: Function) -> None:
        f.blocks[2].phis.append(Phi(INT64, [Const(INT64, 1)], [f.blocks[0]]))

    def back_to_entry(f: Function) -> None:
        last = f.blocks[1].body[-1]
        assert isinstance(last, Branch)
        last.targets = [f.blocks[0]]

    def twice(f: Function) -> None:
        f.blocks[1].body.insert(0, f.blocks[1].body[0])

    def lost_operand(f: Function) -> None:
        f.blocks[2].body[-1].args = [Value(ops.NOT, INT64, [])]

    def wrong_class(f: Function) -> None:
        f.blocks[1].body.insert(0, Value(ops.LT, BOOL, [Const(I64, 1), Const(I64, 2)]))

    def too_large(f: Function) -> None:
        f.blocks[2].body[-1].args = [Const(INT64, 1 << 63)]

    def unreachable(f: Function) -> None:
        block = Block("u")
        block.body = [Value(ops.RETURN, VOID, [Const(INT64, 1)])]
        f.blocks.append(block)

    wanted = {
        move_up: "is not dominated by its operand",
        no_end: "does not end with",
        elsewhere: "is no block of this function",
        wrong_phi: "but the predecessors are",
        back_to_entry: "has predecessors",
        twice: "stands twice",
        lost_operand: "that stands nowhere",
        wrong_class: "is a Value",
        too_large: "is no number of type",
        unreachable: "nothing leads to block ':u'",
    }
    for change, message in wanted.items():
        assert any(message in found for found in broken(change)), (message, broken(change))


def test_array_operations_belong_to_the_arrays_phase() -> None:
    program = "define void @main () words {\n:e\nint64[] %a <- new Array(5)\nreturn\n}"
    assert any("stands in a function of phase words" in found for found in complaints(text, verify, program))


# Recognising checks

BOUNDS = """define void @main () {{
:entry
{base}
%i <- call input()
%j <- %i >> 1
%n <- length {what}
%m <- %n >> 1
%e <- %j << 1
%e <- %e + 1
%c <- %j {first}
br %c {order}
:upper
%d <- %j < %m
br %d :inside :bad
:bad
call {error}
br :inside
:inside
call print(%e)
return
}}"""


def checks(program: str) -> list[tuple[str, int, int | None]]:
    """The checks in a program, with detail and line."""
    parsed = read(program)
    return [(v.op.name, v.detail, v.line) for v in parsed.functions["main"].values() if isinstance(v, Check)]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, [("check-index", -1, 12)]),
        ({"first": "< 0", "order": ":bad :upper"}, [("check-index", -1, 12)]),
        (
            {"base": "int64[] %t <- new Array(9)", "what": "%t 0", "error": "tensor-error(25, %n, %e)"},
            [("check-index", -2, 12)],
        ),
        (
            {"base": "int64[][] %t <- new Array(9, 7)", "what": "%t 1", "error": "tensor-error(25, 3, %n, %e)"},
            [("check-index", 1, 12)],
        ),
        ({"error": "tuple-error(24, %n, %e)"}, []),  # the line is not encoded
        ({"error": "tuple-error(25, %e, %n)"}, []),
        ({"error": "tuple-error(25, %n, %j)"}, []),
        ({"first": "> 0"}, []),
        ({"first": ">= 1"}, []),
        ({"order": ":bad :upper"}, []),
        ({"base": "%s <- call input()\nint64[] %t <- new Array(%s)", "what": "%t 0", "error": "tensor-error(25, %n, %e)"}, []),
    ],
)
def test_bounds_tests(changes: dict[str, str], wanted: list[tuple[str, int, int | None]]) -> None:
    parts = {"base": "tuple %t <- new Tuple(9)", "what": "%t", "first": ">= 0", "order": ":upper :bad"}
    program = BOUNDS.format(**(parts | {"error": "tuple-error(25, %n, %e)"} | changes))
    assert checks(program) == wanted
    for given in (b"2\n", b"-1\n", b"7\n", b"-9223372036854775808\n"):
        end, printed = everywhere(read(program), given)
        number = int(given)
        if "error" not in changes and not changes:
            assert (end == "end") == (number % (1 << 63) < 4) and ("line 12" in printed) == (end != "end")


def test_an_index_that_may_lose_bits_stays_a_branch() -> None:
    assert checks(BOUNDS.replace("%j <- %i >> 1", "%j <- %i << 1").format(
        base="tuple %t <- new Tuple(9)", what="%t", first=">= 0", order=":upper :bad", error="tuple-error(25, %n, %e)"
    )) == []  # fmt: skip


def test_null_tests() -> None:
    program = (
        "define void @f (tuple %t) {{\n:e\n%c <- %t = 0\nbr %c {}\n:none\ncall tensor-error({})\nbr :some\n:some\n"
        "call print(3)\nreturn\n}}\ndefine void @main () {{\n:e\ncall @f(0)\nreturn\n}}"
    )

    def found(order: str, line: int) -> list[int | None]:
        parsed = read(program.format(order, line))
        assert everywhere(parsed)[0] == ("exit 1" if order == ":none :some" else "end")
        return [v.line for v in parsed.functions["f"].values() if v.op is ops.CHECK_NULL and isinstance(v, Check)]

    assert found(":none :some", 25) == [12]
    assert found(":none :some", 24) == []
    assert found(":some :none", 25) == []


# Passes and lowering


def test_fuel_stops_anywhere_and_the_program_still_means_the_same() -> None:
    program = read(Random(7).program())
    wanted = outcome(interpret.run, program)
    used = []
    for limit in range(0, 60, 3):
        changed = copy(program)
        for function in changed.functions.values():
            fuel = Fuel(limit)
            for module in (simplify, linearise, simplify, dead_code):
                module.run(function, Facts(changed, fuel, function=function))
            used.append(fuel.used)
        assert [d.render() for d in verify.problems(changed)] == []
        assert outcome(interpret.run, changed) == wanted
    assert max(used) > 40


def test_without_fuel_nothing_changes() -> None:
    program = read(Random(3).program())
    before = text.print_program(program)
    for function in program.functions.values():
        assert not simplify.run(function, Facts(program, Fuel(0), function=function))
        assert not dead_code.run(function, Facts(program, Fuel(0), function=function))
    assert text.print_program(program) == before


def test_every_instruction_below_has_the_span_of_what_it_came_from() -> None:
    program = read(main("int64[] %a <- new Array(7)\n%i <- call input()\ncheck-index %i, 7, array\n%a[%i] <- 5"))
    spans = {value.span for value in program.functions["main"].values()}
    assert all(instruction.span in spans for instruction in lowered(program).functions["main"].body)


def test_depths_of_loops() -> None:
    program = read(
        "define void @main () {\n:e\n%i <- call input()\nbr :a\n:a\nbr :b\n:b\n%i <- %i - 1\n%c <- %i & 1\nbr %c :b :x\n"
        ":x\n%d <- %i < 0\nbr %d :out :a\n:out\nreturn\n}"
    )
    assert depths(program.functions["main"]) == [0, 1, 2, 1, 0]


def nested(count: int) -> Program:
    """A main with `count` loops, a third of them within others, and `count` ways to one exit."""
    lines = ["define void @main () {", ":entry", "%x <- call input()", "br :l0"]
    for n in range(count):
        lines += [f":l{n}", f"%x <- %x + {n}", "%y <- %x * 3", "%c <- %y < 100", f"br %c :m{n} :out", f":m{n}"]
        lines += ["%d <- %x & 1", f"br %d :l{n - n % 3} :l{n + 1}"]
    return text.parse(Source("\n".join([*lines, f":l{count}", "br :out", ":out", "call print(%x)", "return", "}"])))


def test_large_functions_take_linear_work() -> None:
    def work(program: Program) -> None:
        lower.lower_program(program, Options())
        for function in program.functions.values():
            for module in (simplify, linearise, simplify, dead_code):
                module.run(function, Facts(program, Fuel(), function=function))
        assert not list(verify.problems(program))

    work(nested(100))
    few, many = (calls(lambda count=count: work(nested(count))) for count in (300, 3000))  # type: ignore[misc]
    assert many < 14 * few


@pytest.mark.parametrize("seed", range(40))
def test_dominators_by_their_definition(seed: int) -> None:
    r = random.Random(seed)
    count = r.randint(1, 12)
    successors = [[r.randrange(count) for _ in range(r.choice([0, 1, 1, 2, 2]))] for _ in range(count)]

    def reached(without: int) -> set[int]:
        found: set[int] = set()
        todo = [] if without == 0 else [0]
        while todo:
            node = todo.pop()
            if node not in found and node != without:
                found.add(node)
                todo += successors[node]
        return found

    all_of_them = reached(-1)
    above = {node: {d for d in all_of_them if d != node and node not in reached(d)} for node in all_of_them}
    for node, parent in enumerate(dominators(successors)):
        if node not in all_of_them:
            assert parent == -1
        elif node:
            assert above[node] == above[parent] | {parent}
