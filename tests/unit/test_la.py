"""LA: reading, verifying, running, and lowering to IR."""

from __future__ import annotations

from pathlib import Path

import pytest
from flat_programs import complaints, course, run, same, stdin_of

from septet.base.options import Options
from septet.base.source import Source
from septet.base.types import BOOL, I8
from septet.ir import interpret as ir_interpret
from septet.ir.nodes import Check, Compare, Const, Function, Value
from septet.la import interpret, text, verify
from septet.la.lower import lower_program
from septet.ops import table as ops

STEPS = 200_000
OPTIONS = Options()


def lowered(program: str) -> Function:
    """The IR of an LA program's first function."""
    parsed = text.parse(Source(program))
    assert not list(verify.problems(parsed))
    return next(iter(lower_program(parsed, OPTIONS).functions.values()))


def prints(program: str, stdin: bytes = b"") -> tuple[str, int]:
    """What an LA program prints and its exit status, the same in LA and in IR."""
    parsed = text.parse(Source(program))
    assert not list(verify.problems(parsed))
    found = run(interpret, parsed, stdin)
    assert found is not None
    assert run(ir_interpret, lower_program(parsed, OPTIONS), stdin) == found
    return found


def body(statements: str) -> str:
    """A program with these statements in `main`."""
    return f"void main() {{\n{statements}\n}}\n"


@pytest.mark.parametrize("path", course("LA"), ids=lambda path: path.name)
def test_course_programs_round_trip_and_run(path: Path) -> None:
    program = text.parse(Source.read(str(path)))
    assert not list(verify.problems(program))
    assert same(program.functions, text.parse(Source(text.print_program(program))).functions)
    got = run(interpret, program, stdin_of(path), STEPS)
    if got is not None:
        assert got[0].split() == path.with_suffix(".out").read_text().split()
        assert run(ir_interpret, lower_program(program, OPTIONS), stdin_of(path)) == got


# Reading and verifying


def test_no_word_is_reserved() -> None:
    program = "int64 if\nint64 br\nint64 return\nint64 continue\nint64 length\nint64 new\nif <- br = return\nbr <- 3\n"
    program += (
        "br if :br :if\n:br\nbr br :if :br\n:if\nlength <- new\nnew <- length\nlength <- length + 1\nreturn <- 5\nprint(return)"
    )
    assert complaints(text, verify, body(program)) == []


WRONG = [
    ("int64 x, y", "2:10 LA declares one variable at a time"),
    ("int64 x\nint64 x", "3:7 'x' is declared twice"),
    ("goto :a", "2:1 this is no jump"),
    ("br 1 :a", "3:1 expected a label, found '}'"),
    ("br 1 :a :a", "2:6 there is no label ':a' in this function"),
    ("int64[] a\nbr a :b :b\n:b", "3:4 'a' is int64[], but a condition is int64"),
    ("{ }", "2:1 LA has no scopes"),
    ("int64 x\nx <- f(1, 2)", "3:6 'f' takes 1 argument, not 2"),
]


@pytest.mark.parametrize(("statements", "complaint"), WRONG)
def test_complaints(statements: str, complaint: str) -> None:
    assert complaints(text, verify, body(statements) + "int64 f(int64 x) { return x }\n")[0] == complaint


def test_notes_carry_places_and_lines() -> None:
    program = "int64 f(int64 x) {  //@ line=40\n  x <- 1  //@ 7:3\n  return x\n}\nvoid main() {\n}\n"
    function = text.parse(Source(program)).functions["f"]
    assert (function.line, [s.span >> 16 for s in function.body]) == (40, [7, 2])
    plain = text.parse(Source(program), notes=False).functions["f"]
    assert (plain.line, [s.span >> 16 for s in plain.body]) == (1, [1, 2])


def test_missing_arguments_are_initial_values() -> None:
    assert prints("void f(int64 x, int64[] a, int64 y) { print(x) print(a) print(y) }\n" + body("f(7)")) == ("7\nnil\n0\n", 0)


# Lowering: the identities, for every pair of 8-bit words


def evaluate(function: Function, words: list[int]) -> int:
    """What a function of one block returns, computed on 8-bit words."""
    numbers: dict[Value, int] = dict(zip(function.parameters, words, strict=True))

    def number(value: Value) -> int:
        return I8.wrap(value.number) if isinstance(value, Const) else numbers[value]

    (block,) = function.blocks
    for value in block.body:
        args = [number(arg) for arg in value.args]
        if value.op is ops.RETURN:
            return args[0]
        if value.op is ops.CONVERT:
            assert value.args[0].type is BOOL
            numbers[value] = args[0]
        else:
            numbers[value] = value.op.function(I8)(*args)
    raise AssertionError("no return")


def recipe(op: ops.Op, left: int, right: int) -> int:
    """What LA means, at 8 bits: compute with numbers, encode the result."""
    assert op.meaning is not None
    return I8.wrap(2 * int(op.meaning(8, left, right)) + 1)


OPERATORS = [ops.infix(symbol, I8) for symbol in "+ - * & << >> < <= = >= >".split()]


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_arithmetic_on_any_words(op: ops.Op) -> None:
    function = lowered(f"int64 f(int64 a, int64 b) {{ int64 x x <- a {op.symbol} b return x }} void main() {{}}")
    for a in range(-128, 128):
        for b in range(-128, 128):
            assert evaluate(function, [a, b]) == recipe(op, a >> 1, b >> 1), (a, b)


@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_arithmetic_with_literals(op: ops.Op) -> None:
    for n in range(-64, 64):
        for text_, swap in ((f"a {op.symbol} {n}", False), (f"{n} {op.symbol} a", True)):
            function = lowered(f"int64 f(int64 a) {{ int64 x x <- {text_} return x }} void main() {{}}")
            for a in (-128, -127, -2, -1, 0, 1, 2, 3, 7, 64, 126, 127):
                left, right = (n, a >> 1) if swap else (a >> 1, n)
                assert evaluate(function, [a]) == recipe(op, left, right), (text_, a)


def test_literals_count_with_all_their_bits() -> None:
    program = "int64 x\nint64 y\ny <- 4611686018427387903\n"
    for expression in (
        "9223372036854775807 >> 1",
        "y < 9223372036854775807",
        "9223372036854775807 >> y",
        "-9223372036854775808 > y",
    ):
        program += f"x <- {expression}\nprint(x)\n"
    assert prints(body(program)) == ("4611686018427387903\n1\n0\n0\n", 0)


# Lowering: shapes


def checks(function: Function) -> list[str]:
    """The names of a function's checks, in order."""
    return [value.op.name for value in function.values() if isinstance(value, Check)]


def test_a_variable_that_only_holds_new_arrays_is_checked_for_null() -> None:
    program = "void f() {\nint64[] a\nint64[] b\nbr 1 :x :y\n:x\na <- new Array(3)\n:y\nb <- a\nb[1] <- 2\n}\nvoid main() {}"
    assert checks(lowered(program)) == ["check-null", "check-index"]


def test_parameters_and_what_came_out_of_tuples_are_checked_by_kind() -> None:
    program = "void f(tuple t) {\nint64[] a\na <- t[0]\na[0] <- 1\na[0] <- 2\n}\nvoid main() {}"
    assert checks(lowered(program)) == ["check-kind", "check-index", "check-kind", "check-index"]


def test_a_check_is_not_repeated_in_a_block() -> None:
    program = "int64 f(int64[][] a, int64 i) {\nint64 x\nx <- a[i][i]\na[i][i] <- x\na[i][0] <- x\nreturn x\n}\nvoid main() {}"
    assert checks(lowered(program)) == ["check-kind", "check-index", "check-index", "check-index"]


def test_sizes_and_products_are_checked() -> None:
    program = "void f(int64 n) {\nint64[][][] a\na <- new Array(n, 5, n)\n}\nvoid main() {}"
    assert checks(lowered(program)) == ["check-length", "check-length"]


def test_branches_use_the_comparison_itself() -> None:
    function = lowered("void f(int64 n) {\nint64 c\nc <- n < 3\nbr c :a :b\n:a\nprint(c)\n:b\n}\nvoid main() {}")
    branch = function.blocks[0].body[-1]
    assert branch.op is ops.BR_IF
    assert isinstance(branch.args[0], Compare)
    assert branch.args[0].op is ops.LT


def test_odd_words_are_made_once_a_block() -> None:
    function = lowered("int64 f(int64 n) {\nint64 x\nx <- n + n\nx <- n + x\nx <- x * n\nreturn x\n}\nvoid main() {}")
    assert [value.op for value in function.values()].count(ops.OR) == 1


def test_what_cannot_be_reached_is_dropped() -> None:
    function = lowered("int64 f() {\nint64 x\nreturn 1\nx <- x + 1\nprint(x)\n:a\nbr :a\n}\nvoid main() {}")
    assert len(function.blocks) == 1
    assert [value.op for value in function.values()] == [ops.RETURN]


# Meaning

ERRORS = [
    ("int64[] a\na[0] <- 1", "ERROR: instruction at line 3 attempted to access an array"),
    ("int64[] a\na <- new Array(2)\na[2] <- 1", "ERROR: instruction at line 4 attempted to use position 2 in an array"),
    ("int64[][] a\na <- new Array(2, 1)\na[1][1] <- 1", "position 1 in the dimension 1 of a tensor that only has 1 element"),
    ("tuple t\nt <- new Tuple(1)\nt[-1] <- 1", "ERROR: instruction at line 4 attempted to use the negative index -1"),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "message"), ERRORS)
def test_run_time_errors(statements: str, message: str) -> None:
    output, status = prints(body(f"{statements}\nprint(1)"))
    assert status == 1
    assert message in output
    assert output.endswith("\n")


MISUSED = [
    "int64[] a\na <- t[0]\na[0] <- 1",
    "int64[][] a\na <- t[1]\nx <- length a 0",
    "tuple u\nu <- t[1]\nx <- length u",
    "code c\nc <- t[0]\nc()",
    "code c\nc <- t[2]\nc(1)",
    "int64[] a\na <- t[1]\nx <- length a x",
    "int64[] a\na <- new Array(-1)",
    "int64[][][] a\na <- new Array(2147483647, 2147483647, 0)",
]


@pytest.mark.parametrize("statements", MISUSED)
def test_misuse_is_a_run_time_error(statements: str) -> None:
    start = "int64 x\ntuple t\nint64[] b\nt <- new Tuple(3)\nb <- new Array(1)\nt[1] <- b\nt[2] <- main\nx <- 7\n"
    assert prints(body(start + statements))[1] == 1


def test_words_of_any_kind_in_number_variables() -> None:
    program = "int64 x\nint64 y\ntuple t\nint64[] a\nt <- new Tuple(2)\na <- new Array(1)\nt[0] <- a\nx <- t[0]\n"
    program += "y <- x = a\nprint(y)\ny <- x - a\nprint(y)\ny <- a = 0\nprint(y)\nt[1] <- x\na <- t[1]\na[0] <- 5\nprint(a)\n"
    program += "br x :z :z\n:z\nx <- t = t\nprint(x)"
    assert prints(body(program)) == ("1\n0\n0\n{s:2, 1, 5}\n1\n", 0)


def test_void_results_and_bare_returns_are_null() -> None:
    program = "void v() { }\nint64 b() { return }\nint64 e() { }\n"
    calls = "int64 x\ncode c\n"
    calls += "x <- v()\nprint(x)\nx <- b()\nprint(x)\nx <- e()\nprint(x)\nc <- v\nx <- c()\nprint(x)\nx <- x + 1\nprint(x)"
    assert prints(program + body(calls)) == ("nil\n" * 4 + "1\n", 0)


def test_conditions_are_one_or_not() -> None:
    program = "int64 x\n" + "".join(
        f"x <- {n}\nbr x :a{i} :b{i}\n:a{i}\nprint({n})\n:b{i}\n" for i, n in enumerate((0, 1, 2, -1, 3))
    )
    assert prints(body(program)) == ("1\n", 0)


def test_length_of_the_dimension_after_the_last_is_zero() -> None:
    assert prints(body("int64[] a\nint64 x\na <- new Array(4)\nx <- length a 1\nprint(x)\nx <- length a 0\nprint(x)")) == (
        "0\n4\n",
        0,
    )
