"""LB: reading, printing, verifying, running, and lowering to LA."""

from __future__ import annotations

from pathlib import Path

import pytest
from flat_programs import complaints, course, run, same, stdin_of

from septet.base.diagnostics import Rejected
from septet.base.options import Options
from septet.base.source import Source
from septet.la import interpret as la_interpret
from septet.la import text as la_text
from septet.la import verify as la_verify
from septet.lb import interpret, text, verify
from septet.lb.loops import flattened, loops
from septet.lb.lower import lower_program
from septet.lb.nodes import Break, Continue, While
from septet.ops.statements import Assign, Declare, Operate, Variable

STEPS = 200_000
OPTIONS = Options()


def prints(program: str, stdin: bytes = b"") -> str:
    """What an LB program prints, the same in LB and in LA."""
    parsed = text.parse(Source(program))
    assert not list(verify.problems(parsed))
    lowered = lower_program(parsed, OPTIONS)
    assert not list(la_verify.problems(lowered))
    found = run(interpret, parsed, stdin)
    assert found is not None
    assert run(la_interpret, lowered, stdin) == found
    return found[0]


def body(statements: str) -> str:
    """A program with these statements in `main`."""
    return f"void main() {{\n{statements}\n}}\n"


# The course


@pytest.mark.parametrize("path", course("LB"), ids=lambda path: path.name)
def test_course_programs_round_trip_and_run(path: Path) -> None:
    program = text.parse(Source.read(str(path)))
    assert not list(verify.problems(program))
    assert same(program.functions, text.parse(Source(text.print_program(program))).functions)
    lowered = lower_program(program, OPTIONS)
    assert not list(la_verify.problems(lowered))
    assert same(lowered.functions, la_text.parse(Source(la_text.print_program(lowered))).functions)
    got = run(interpret, program, stdin_of(path), STEPS)
    if got is None:
        return
    assert run(la_interpret, lowered, stdin_of(path)) == got
    # Two oracles say lines of the LA file, so lines are compared where that file is what is run.
    plain = la_text.parse(Source(la_text.print_program(lowered, notes=False)))
    after = run(la_interpret, plain, stdin_of(path))
    wanted = path.with_suffix(".out").read_text().split()
    assert after is not None
    assert wanted in (got[0].split(), after[0].split())


# Reading

VARIANTS = (
    """
x<-x+1|x <-5|x<-5|x <- y -1|x <- -1|x <- +7|x <- 007|x <- y - -1|x <- y<=3|x <- y=3|x <- y <-5|x<-y<<-1
if(x<=y):a :b|if ( x < 3 ) :a :b|if (x<-5) :a:b|while ( x < x ) :a :b|print (x)
f ( )|f()|m <- new Array(x,y)|m <- new Array (x, y)
goto:a|continue|break|:c|return|{}|{ {int64 z} }|m[1][x] <- -2|x <- m [ x ] [ 1 ]|x <- length m 1|x <- length t
t <- new Tuple(5)|x <- length t
t[0] <- f|x <- input()|x <- g(1, -2, y)|c <- f|c(1)|x <- c()|int64[]q,r|int64[][] q|tuple q|code q|x <- y // note|int64 q w <- y
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("line", VARIANTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_layouts(line: str, newline: str) -> None:
    around = ["int64 x, y, w", "int64[][] m", "tuple t", "code c", "while (x < 9) :a :b", ":a", line, "x <- 0 :b return"]
    functions = ["void f() {}", "int64 g(int64 a, int64 b, int64 d) { return a }"]
    program = newline.join(["int64[]h(int64[]a){ return a }", *functions, "void main()", "{", *around, "}"])
    assert complaints(text, verify, program) == []
    parsed = text.parse(Source(program))
    assert same(parsed.functions, text.parse(Source(text.print_program(parsed))).functions)


def test_no_word_is_reserved() -> None:
    words = "if while goto continue break return input print length new int64 tuple code void br Array Tuple main"
    names = words.split()
    program = f"int64 {', int64 '.join(names)}\n" + "".join(f"{a} <- {b} + 1\n" for a, b in zip(names, names[1:], strict=False))
    program += "".join(f"print({name})\nlength <- {name}\nnew <- {name}\n" for name in names)
    program += "if (if < while) :if :while\n:if\nwhile (continue = break) :while :break\n:while\n:break\nreturn"
    assert complaints(text, verify, body(program.replace(", int64 ", ", "))) == []


def test_identifiers_that_start_with_keywords() -> None:
    assert (
        prints(body("int64 returnx, int64x, iffy, lengthx\nreturnx <- 1\nint64x <- returnx\niffy <- 2\nprint(int64x)")) == "1\n"
    )


def test_optional_operands_stand_on_the_same_line() -> None:
    parsed = text.parse(
        Source("int64 f() {\nint64 x, y\nx <- length\ny <- 3\nreturn\ny <- 4 }\nvoid main() {}\nint64 length() {}")
    )
    kinds = [type(s).__name__ for s in parsed.functions["f"].body]
    assert kinds == ["Declare", "Assign", "Assign", "Return", "Assign"]


def test_literals_fit_int64() -> None:
    assert prints(body("print(9223372036854775807) print(-9223372036854775808)")) == "-1\n0\n"
    for number in ("9223372036854775808", "-9223372036854775809", "9" * 5000):
        assert complaints(text, verify, body(f"print({number})"))[0].startswith("2:7 the number does not fit")


def test_operands_are_the_variables_in_scope() -> None:
    parsed = text.parse(Source(body("int64 x\n{ x <- 1\nint64 x\nx <- 2 }\nx <- 3")))
    assigned = [s.target for s in flattened(parsed.functions["main"].body) if isinstance(s, Assign)]
    assert assigned[0] is assigned[2] is not assigned[1]


def test_spans_do_not_change_when_lines_are_inserted_above() -> None:
    program = body("int64 x\n  x <- 1  x <- 2")
    first, second = (text.parse(Source(source)).functions["main"] for source in (program, "\n// more\n" + program))
    assert (first.line, second.line) == (1, 3)
    assert same(first.body, second.body)
    assert [s.span & 65535 for s in first.body] == [1, 3, 11]


@pytest.mark.parametrize("depth", [1000, 100_000])
def test_deep_nesting(depth: int) -> None:
    program = body("{" * depth + "int64 x print(x)" + "}" * depth)
    assert prints(program) == "0\n"
    parsed = text.parse(Source(program))
    assert text.print_program(text.parse(Source(text.print_program(parsed)))) == text.print_program(parsed)
    assert complaints(text, verify, body("{" * depth))[0].endswith("expected '}', found the end of the file")


# Complaining

WRONG = [
    ("x <- 3", "2:1 there is no variable 'x' here"),
    ("int64 x, x", "2:10 'x' is declared twice"),
    ("int64 x\nx = 3", "3:3 expected '<-', found '='"),
    ("int64 x\nx <-\nx <- 1", "4:1 expected a value after '<-', found 'x'"),
    ("int64 x\nx <- x +\nx <- 1", "3:8 expected a value after '+' on this line"),
    ("int x", "2:1 'int' is not a type or the start of a statement"),
    ("foo", "2:1 a name alone, 'foo', is no statement"),
    ("if (1) :a :b", "2:6 expected a comparison, found ')'"),
    ("if (1 == 1) :a :b", "2:8 expected a value, found '='"),
    ("if (1 < 2) :a", "3:1 expected a label, found '}'"),
    ("goto a", "2:6 expected a label, found 'a'"),
    ("br :a", "2:1 this is no jump"),
    ("tuple[] x", "2:6 there are no arrays of tuple"),
    ("int64 x\nx <- y", "3:6 there is no variable or function 'y'"),
    ("int64 x\nx <- f(1)", "3:6 there is no function 'f'"),
    ("int64 x\nx <- g(1, 2)", "3:6 'g' takes 1 argument, not 2"),
    ("int64[] a\na <- g(1)", "3:1 'a' is int64[], but the result of 'g' is int64"),
    ("int64[] a\ng(a)", "3:3 'a' is int64[], but parameter 'a' is int64"),
    ("int64[] a\na <- 0", "3:6 0 is a number, but 'a' is int64[]"),
    ("code c\nc <- 0", "3:6 0 is a number, but 'c' is code"),
    ("int64 x\nx <- g", "3:6 'g' is a function, but 'x' is int64"),
    ("int64[][] a\nint64 x\nx <- a[1]", "4:6 'a' is int64[][] and takes 2 indices, not 1"),
    ("int64 x\nx <- x[1]", "3:6 'x' is int64, which has no elements"),
    ("int64[] a\nint64 x\nx <- length a 2", "4:15 'a' has 1 dimension, the first being 0"),
    ("int64[] a\na <- new Array(1, 2)", "3:1 'a' is int64[], which cannot hold an array of 2 dimensions"),
    ("return 3", "2:8 'main' is void, so it returns nothing"),
    (":a\n:a", "3:1 label ':a' stands twice in this function"),
    ("goto :nowhere", "2:6 there is no label ':nowhere' in this function"),
    ("continue", "2:1 'continue' outside of any loop"),
    ("{ print(1)", "4:1 expected '}' before function 'g'"),
]


@pytest.mark.parametrize(("statements", "complaint"), WRONG)
def test_complaints(statements: str, complaint: str) -> None:
    found = complaints(text, verify, body(statements) + "int64 g(int64 a) { return a }")
    assert found[0] == complaint


def test_many_complaints_in_one_go() -> None:
    program = (
        body("\n".join(statements for statements, _ in WRONG[:12] if "{" not in statements)) + "\nint64 f( { }\nvoid main() {}"
    )
    assert len(complaints(text, verify, program)) > 10


def test_a_double_declaration_shows_both_places() -> None:
    with pytest.raises(Rejected) as raised:
        text.parse(Source(body("int64 x\nint64[] x")))
    shown = raised.value.render()
    assert "3:9: error: 'x' is declared twice" in shown
    assert "2:7: note: it is declared here already" in shown


def test_programs_without_main() -> None:
    assert complaints(text, verify, "") == ["1:1 expected a function, found the end of the file"]
    assert complaints(text, verify, "void f() {}") == ["there is no function 'main'"]
    assert complaints(text, verify, "void main() {} void main() {}") == ["1:21 there are two functions 'main'"]


# Meaning


def test_scopes() -> None:
    assert prints(body("int64 x { x <- 5 int64 x } print(x)")) == "5\n"
    assert prints(body("int64 i { int64 i i <- 7 { int64 i i <- 8 print(i) } print(i) } print(i)")) == "8\n7\n0\n"
    assert (
        prints("int64 f() { return 9 }\n" + body("code c int64 x { int64 f f <- 1 print(f) }\nc <- f\nx <- c() print(x)"))
        == "1\n9\n"
    )


def test_a_declaration_initialises_each_time() -> None:
    loop = "int64 i\nwhile (i < 3) :b :e\n:b {\n"
    loop += "int64 x\nint64[] a\nprint(x)\nprint(a)\nx <- 5\na <- new Array(1)\n}\ni <- i + 1\ncontinue\n:e"
    assert prints(body(loop)) == "0\nnil\n" * 3


def test_jumping_over_a_declaration_finds_the_initial_value() -> None:
    assert prints(body("goto :a\nint64 x\nint64[] y\n:a\nx <- x + 1\nprint(x)\nprint(y)")) == "1\nnil\n"


def test_loops_are_found_by_the_text() -> None:
    program = """
      while (1 = 1) :a :z  continue
      :a  break  :b  continue  while (2 = 2) :b :y
      :y  continue  :z  break
    """
    function = text.parse(Source(body(program))).functions["main"]
    flat = list(flattened(function.body))
    outer, inner = (s for s in flat if isinstance(s, While))
    belongs = loops(function)
    jumps = [s for s in flat if isinstance(s, Continue | Break)]
    assert [belongs.get(s) for s in jumps] == [None, outer, inner, outer, None]


def test_do_while() -> None:
    assert prints(body("int64 i\n:do { print(i) i <- i + 1 }\nwhile (i < 3) :do :done :done")) == "0\n1\n2\n"


def test_lowering_renames_only_what_it_must_and_shares_the_rest() -> None:
    parsed = text.parse(Source(body("int64 x, c\nx <- 1\n{ int64 x\nx <- 2 }\nif (x < c) :a :b\n:a\n:b")))
    lowered = lower_program(parsed, OPTIONS).functions["main"]
    before = text.print_program(parsed)
    names = [v.name for s in lowered.body if isinstance(s, Declare) for v in s.variables]
    assert names == ["x", "c", "x_1", "c_1"]
    flat = [s for s in flattened(parsed.functions["main"].body) if isinstance(s, Assign)]
    assert lowered.body[2] is flat[0]
    assert lowered.body[4] is not flat[1]
    assert text.print_program(parsed) == before


def test_a_variable_that_hides_a_function_used_elsewhere_is_renamed() -> None:
    program = "int64 f() { return 4 }\n" + body("int64 y\n{ int64 f f <- 2 print(f) }\ny <- f()\nprint(y)")
    lowered = lower_program(text.parse(Source(program)), OPTIONS)
    again = la_text.parse(Source(la_text.print_program(lowered, notes=False)))
    assert run(la_interpret, again) == ("2\n4\n", 0)


def test_lowered_layout_is_the_course_compilers() -> None:
    program = "// one\nvoid main() {\n\n int64 x, y // two\n {\n"
    program += " while (x < 3) :b :e\n :b }\n x <- x + 1 continue\n :e\n}\nvoid f(int64 x) {}"
    lines = la_text.print_program(lower_program(text.parse(Source(program)), OPTIONS), notes=False).splitlines()
    assert [line.strip() for line in lines] == [
        "void main() {", "int64 x", "int64 y", ":while", "int64 c", "c <- x < 3", "br c :b :e", ":b", "x <- x + 1",
        "br :while", ":e", "}", "", "void f(int64 x) {", "}",
    ]  # fmt: skip


def test_statements_keep_their_places_through_lowering() -> None:
    lowered = lower_program(text.parse(Source(body("\nif (1 < 2) :a :b\n:a :b"))), OPTIONS).functions["main"]
    assert [s.span >> 16 for s in lowered.body] == [2, 2, 2, 3, 3]
    assert isinstance(lowered.body[1], Operate)
    assert isinstance(lowered.body[1].target, Variable)


def test_deep_recursion_and_running_out() -> None:
    program = "int64 f(int64 n) { int64 r if (n < 1) :a :b :a return 0 :b n <- n - 1 r <- f(n) return r }\n"
    assert prints(program + body("int64 x x <- f(100000) print(x)")) == "0\n"
    assert run(interpret, text.parse(Source(program + body("int64 x x <- f(1000010)")))) is None
    assert run(interpret, text.parse(Source(body("while (1 = 1) :a :b :a continue :b"))), steps=1000) is None
