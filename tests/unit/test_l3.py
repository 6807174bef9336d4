"""L3: its text, what its verifier refuses, how it runs, and what L3c keeps safe."""

from __future__ import annotations

from typing import Any

import pytest
from l3_programs import Writer

from septet.base.diagnostics import Rejected
from septet.base.options import Options
from septet.base.source import Source
from septet.l2 import interpret as l2_interpret
from septet.l2.text import parse as parse_l2
from septet.l2.text import print_program as print_l2
from septet.l3 import interpret
from septet.l3.lower import lower, lower_program
from septet.l3.nodes import Program
from septet.l3.text import parse, print_program
from septet.l3.trees import label_prefix
from septet.l3.unwritten import unwritten
from septet.l3.verify import problems
from septet.runtime.model import Exit, Fault, Inconclusive, Runtime

EVERYTHING = r"""
data @greeting 16 "a\"b\\\n\x00\xff"
data @room 24

define f64 @f (%a, f64 %b, u8 %c, int64[][] %d) {
  u16 %never
  %x <- 5
  i64 %t <- %x >> 1
  i64 %t2 <- %a >>.u64 1
  bool %c1 <- %t >=.u64 %a
  bool %c2 <- 1.0 <.f64 2.5
  bool %c3 <- %b != -0.0
  f64 %r <- sqrt %b
  f64 %n <- neg %r
  f64 %o <- abs %n
  f64 %inf <- 0x7ff0000000000000
  f32 %s <- convert %b
  i32 %i <- convert.i64 7
  i64 %bits <- bitcast %b
  %v <- tag %t
  u64 %u <- untag %v
  u64 %u2 <- 18446744073709551615
  i64 %q <- select %c1, %t, -3
  f64 %q2 <- select 1, %b, 2.0
  ptr %p <- @greeting
  %g <- @f
  %l <- :end
  i8 %y <- load %p + 3 in tuple
  %y3 <- load %p in tuple
  i64 %y2 <- load.u8 %p - 3
  store.i8 @room + 8 <- %y in bytes
  store %p <- -1
  store.f64 %p <- 1.5
  store.u64 %p <- 18446744073709551615
  u16 %w <- not %never
  %k <- line 5
  call tensor-error(line 3)
  %z <- call %g(%a, %b, %c, %d)
  i64 %sys <- syscall(1, %x, @room, 8)
  call print(%z)
  br %c1 :end
  br :end
:end
  return 2.5
}
define void @g () {
  return
}
define @main () {
  return 0
}
"""


def program(text: str) -> Program:
    """A program that the verifier accepts."""
    made = parse(Source(text))
    assert [d.message for d in problems(made)] == []
    return made


def shape(thing: Any) -> Any:
    """All that a program consists of, for comparing."""
    if isinstance(thing, (str, int, bytes)) or thing is None:
        return thing
    if isinstance(thing, (list, tuple)):
        return [shape(part) for part in thing]
    if isinstance(thing, dict):
        return [(key, shape(value)) for key, value in thing.items()]
    if type(thing).__name__ in ("Type", "Op", "Symbol", "Source"):
        return repr(thing) if type(thing).__name__ != "Source" else ""
    slots = [slot for base in type(thing).__mro__ for slot in getattr(base, "__slots__", ())]
    return [type(thing).__name__, *[shape(getattr(thing, slot)) for slot in slots]]


def run(made: Program, stdin: bytes = b"", steps: int | None = None) -> str:
    """What the program prints, in L3's interpreter and, lowered, in L2's."""
    outputs = []
    for lowered in (False, True):
        runtime = Runtime(stdin, heap_limit=1 << 20)
        try:
            if lowered:
                l2_interpret.run(lower_program(made, Options(opt=0)), runtime, steps)
            else:
                interpret.run(made, runtime, steps)
        except Exit:
            pass
        outputs.append(runtime.output.decode())
    assert outputs[0] == outputs[1]
    return outputs[0]


def l2_text(text: str, name: str = "main") -> list[str]:
    """The lines of a function in L2, without its header."""
    lowered = print_l2(lower_program(program(text), Options(opt=0)), notes=False)
    body = lowered[lowered.index(f"(@{name} ", 2) :].split("\n")[1:]
    return [line.strip().rstrip(")") for line in body]


# Text


def test_text_round_trip() -> None:
    made = program(EVERYTHING)
    text = print_program(made)
    again = parse(Source(text))
    assert shape(again) == shape(made)
    assert print_program(again) == text
    plain = print_program(made, notes=False)
    assert "//@" not in plain
    assert print_program(parse(Source(plain)), notes=False) == plain


def test_notes_are_ignored_on_request() -> None:
    text = print_program(program(EVERYTHING)).replace("line=", "line=9")
    assert parse(Source(text)).functions["f"].line > 90
    assert parse(Source(text), notes=False).functions["f"].line < 90


def test_spans_and_passes_survive() -> None:
    made = program("define @main () {\n  %x <- 1\n:l\n  br :l\n}\n")
    body = made.functions["main"].body
    assert [i.span >> 16 for i in body] == [1, 2, 3]
    body[0].span, body[0].by = 0, "fold"
    body[1].depth = 2  # type: ignore[attr-defined]
    again = parse(Source(print_program(made))).functions["main"].body
    assert [(i.span, i.by) for i in again] == [(i.span, i.by) for i in body]
    assert again[1].depth == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "op", "args"),
    [
        ("%x<-%y -1", "sub", "[%y, 1]"),
        ("%x <- %y --1", "sub", "[%y, -1]"),
        ("%x <- -1", "copy", "[-1]"),
        ("%x<-%y<<%z // shift", "shl", "[%y, %z]"),
        ("%x <- 007 < +7", "lt", "[7, 7]"),
        ("br:l", "br", "[]"),
        ("br %x :l", "br-if", "[%x]"),
        ("%x <-load %y", "load", "[%y]"),
        ("store %x<-:l", "store", "[%x, :l]"),
        ("call print (1)", "call", "[1]"),
        ("call %x( %y ,3 )", "call-indirect", "[%y, 3]"),
        ("return %x", "return", "[%x]"),
    ],
)
def test_course_layout(line: str, op: str, args: str) -> None:
    made = program(f"define @main(\n)\n{{ // here\r\n\t:l\r\n{line}\r\n}}")
    instruction = made.functions["main"].body[1]
    assert (instruction.op.name, repr(instruction.args)) == (op, args)


def test_a_function_may_be_named_as_a_label() -> None:
    made = program("define @main () {\n %f <- :g\n call %f()\n return\n}\ndefine @g () {\n call print(5)\n return\n}\n")
    assert run(made) == "2\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%x <- ", "expected an operand"),
        ("%x + 1", "expected '<-'"),
        ("br %x", "expected a label"),
        ("%x <- call prin(1)", "there is no routine 'prin'"),
        ("i64 %x <- 1.5", "a i64 has no fraction"),
        ("u8 %x <- 256", "256 is no u8"),
        ("f64 %x <- %f & %f", "there is no '&' on f64"),
        ("%x <- 99999999999999999999999", "is no int64"),
        ("i63 %x <- 1", "expected an instruction"),
        ("u8 %f <- 1", "'%f' is f64 elsewhere in this function, not u8"),
        ("%x <- \x00", "expected an operand"),
        ("i32x2 %x <- {1, 2 3}", "expected '}', found '3'"),
        ("f64x2 %x <- {1.0, {2.0}", "expected a number, found '{'"),
        ("f64x2 %x <- {1.0, --2.0}", "expected a number, found '--'"),
        ("f32x2 %x <- {1.0, 0+0}", "expected '}', found '+'"),
        ("i32x2 %x <- {1.5, 2}", "{1.5,2} is no i32x2"),
    ],
)
def test_parser_refuses(line: str, message: str) -> None:
    text = f"define @main () {{\n  f64 %f <- 1.5\n  {line}\n  %ok <- 1\n  %bad <- <\n}}\n"
    with pytest.raises(Rejected) as caught:
        parse(Source(text))
    messages = [d.message for d in caught.value.diagnostics]
    assert any(message in m for m in messages), messages
    assert any("'<'" in m for m in messages), "it must go on after an error"


@pytest.mark.parametrize(
    "text", ["define", "define @f", "define @f (", "define @f () {", "}", "data @x", "%x <- 1", "define @f (%a,"]
)
def test_parser_ends(text: str) -> None:
    with pytest.raises(Rejected):
        parse(Source(text))


def test_functions_are_defined_once() -> None:
    with pytest.raises(Rejected) as caught:
        parse(Source("define @f () {\n return\n}\ndata @f 8\n"))
    (diagnostic,) = caught.value.diagnostics
    assert "defined twice" in diagnostic.message
    assert diagnostic.also


# Verifier


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("br :nowhere", "there is no label ':nowhere'"),
        (":l\n:l", "label ':l' stands twice"),
        ("%x <- @nothing", "there is no function or data '@nothing'"),
        ("call @nothing()", "there is no function '@nothing'"),
        ("call @g(1)", "takes 2 arguments, not 1"),
        ("call @g(1, 2)", "must come from a variable"),
        ("call @g(%f, %f)", "%f is f64, but int64 is wanted"),
        ("call print()", "'print' takes 1 arguments, not 0"),
        ("%x <- %f + 1", "%f is f64, but int64 is wanted"),
        ("u8 %u <- 1\ni16 %z <- %u + 1", "%u is u8, but i16 is wanted"),
        ("i64 %x <- bitcast %s", "has 32 bits"),
        ("br %f :l\n:l", "an integer is wanted"),
        ("return %f", "%f is f64, but int64 is wanted"),
        ("u8 %u <- load.i64 %f", "%f is f64"),
        ("i64 %x <- select %f, 1, 2", "%f is f64, but bool is wanted"),
        ("i64 %x <- syscall()", "a system call has a number"),
    ],
)
def test_verifier_refuses(line: str, message: str) -> None:
    text = f"define @g (%a, f64 %b) {{\n return\n}}\ndefine @main () {{\n f64 %f <- 1.5\n f32 %s <- 1.5\n {line}\n return\n}}\n"
    found = [d.message for d in problems(parse(Source(text)))]
    assert any(message in m for m in found), found


def test_a_program_has_a_main() -> None:
    assert "'main'" in next(problems(parse(Source("define @mian () {\n return\n}\n")))).message


# Running


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ("%x <- %never + 2\ncall print(%x)", "1\n"),
        ("br 2 :no\ncall print(3)\n:no\nbr 1 :yes\ncall print(5)\n:yes\ncall print(7)", "1\n3\n"),
        ("%x <- 5 < 3\n%y <- tag %x\ncall print(%y)", "0\n"),
        ("%x <- call print(3)\ncall print(%x)", "1\n0\n"),
        ("call tensor-error(line 1)\ncall print(3)", "ERROR: instruction at line 8"),
        ("%x <- 1 << 65\n%y <- tag %x\ncall print(%y)", "2\n"),
        ("f64 %n <- 0x7ff8000000000000\nbool %c <- %n = %n\nbr %c :end\ncall print(3)\n:end", "1\n"),
        ("f64 %n <- 0x7ff8000000000000\nbool %c <- %n != %n\nbr %c :yes\nbr :end\n:yes\ncall print(3)\n:end", "1\n"),
        (
            "i64 %m <- -9223372036854775808\ni64 %d <- 0 - 1\ni64 %r <- %m % %d\n%y <- tag %r\ncall print(%y)",
            "0\n",
        ),
        ("store @room + 8 <- 7\n%x <- load @room + 8\ncall print(%x)", "3\n"),
    ],
)
def test_runs(body: str, output: str) -> None:
    made = program(f"data @room 16\n\n\n\n\n\ndefine @main () {{\n{body}\n}}\n")
    assert run(made).startswith(output)


def test_many_arguments_of_all_kinds() -> None:
    words, floats = 9, 11
    parameters = [f"%w{n}" for n in range(words)] + [f"f64 %f{n}" for n in range(floats)] + ["f32 %g", "u8 %b"]
    lines = []
    for n in range(words):
        lines.append(f"call print(%w{n})")
    for n in range(floats):
        lines += [f"i64 %i{n} <- convert %f{n}", f"%t{n} <- tag %i{n}", f"call print(%t{n})"]
    lines += [
        "i64 %ig <- convert %g",
        "%tg <- tag %ig",
        "call print(%tg)",
        "i64 %ib <- convert %b",
        "%tb <- tag %ib",
        "call print(%tb)",
    ]
    main = [f"f64 %f{n} <- {n + 100}.5" for n in range(floats)] + ["f32 %g <- 7.5"]
    main.append(
        f"call @f({', '.join([*[str(2 * n + 1) for n in range(words)], *[f'%f{n}' for n in range(floats)], '%g', '200'])})"
    )
    for count in (words, 2):
        text = f"define @f ({', '.join(parameters[words - count :])}) {{\n{chr(10).join(lines[words - count :])}\n}}\n"
        call = main[:-1] + [main[-1].replace("(1, 3, 5, 7, 9, 11, 13, ", "(" if count == 2 else "(1, 3, 5, 7, 9, 11, 13, ")]
        made = program(text + f"define @main () {{\n{chr(10).join(call)}\n}}\n")
        assert run(made).split() == [str(n) for n in [*range(words - count, words), *range(100, 100 + floats), 7, 200]]


def test_deep_recursion() -> None:
    text = """define @f (%n) {
      bool %c <- %n = 0
      br %c :end
      %m <- %n - 1
      %r <- call @f(%m)
      %s <- %r + 2
      return %s
      :end
      return 1
    }
    define @main () {
      %r <- call @f(100000)
      call print(%r)
    }"""
    assert run(program(text)) == "100000\n"


def test_runs_that_do_not_end_well() -> None:
    with pytest.raises(Inconclusive):
        interpret.run(program("define @main () {\n:l\n br :l\n}"), Runtime(), 1000)
    with pytest.raises(Inconclusive):
        interpret.run(program("define @main () {\n call @main()\n}"), Runtime())
    for line in ("%x <- load 8", "call %x()", "%x <- 1 / 0", "%x <- syscall(60, 0)"):
        with pytest.raises(Fault):
            interpret.run(program(f"define @main () {{\n {line}\n}}"), Runtime())


# Lowering


@pytest.mark.parametrize(
    "body",
    [
        "i64 %p <- %a + 8\n%a <- 0\n%x <- load %p",  # the base changes before the use
        "%x <- load %a + 8\nstore %a + 8 <- 9\n%y <- %x + 2\ncall print(%y)",  # the memory changes
        "%x <- load %a + 8\n%n <- call @g(%a)\n%y <- %x + 2\ncall print(%y)",  # a call may change it
        "%x <- load %a + 8\n%y <- %x + 2\nstore %a + 16 <- 5\nstore %a + 8 <- %y",  # no read-modify-write across a store
        "i64 %t <- %k + 4\n%k <- 9\nbool %c <- %t < 9\nbr %c :end\ncall print(3)\n:end",
        "i64 %t <- %k << 3\n:l\ni64 %u <- %t + %k\n%w <- tag %u\ncall print(%w)\n%k <- %k + 1\nbool %c <- %k < 5\nbr %c :l",
        "%k <- %b - %k\n%b <- %k - %b\n%w <- tag %k\ncall print(%w)\n%w <- tag %b\ncall print(%w)",
        "%k <- %b << %k\n%w <- tag %k\ncall print(%w)",
        "%a2 <- %a + 8\n%a2 <- load %a2\ncall print(%a2)",
        "%a3 <- %a\n%l <- load %a3 + 8\n%a3 <- %b + %l\n%w <- tag %a3\ncall print(%w)",
    ],
)
def test_nothing_moves_where_it_may_not(body: str) -> None:
    text = f"""define @g (%a) {{
      store %a + 8 <- 77
      return 1
    }}
    define @main () {{
      %a <- call allocate(9, 5)
      %k <- 3
      %b <- 5
      {body}
      %one <- load %a + 8
      call print(%one)
      %two <- load %a + 16
      call print(%two)
    }}"""
    if "%a <- 0" in body:
        text = text.replace("%one <- load %a + 8", "%one <- 1").replace("%two <- load %a + 16", "%two <- 1")
    run(program(text))


def test_trees_are_covered() -> None:
    text = """define @f (%a, %i, %n) {
      :top
      bool %c <- %i < %n
      br %c :more
      br :done
      :more
      i64 %t <- %i << 3
      i64 %p <- %a + %t
      %v <- load %p + 16
      %w <- %v + 2
      store %a + 24 <- %w
      i64 %old <- load %a + 8
      i64 %new <- %old + 1
      store.i64 %a + 8 <- %new
      %i <- %i + 1
      br :top
      :done
      return %i
    }
    define @main () {
      return
    }"""
    assert l2_text(text, "f")[3:15] == [
        ":f__top", "cjump %i >= %n :f__done", ":f__more", "%w <- mem %a %i*8 16", "%w += 2", "mem %a 24 <- %w",
        "mem %a 8 += 1", "%i += 1", "goto :f__top", ":f__done", "rax <- %i", "return",
    ]  # fmt: skip


def test_lowering_one_function_needs_no_other() -> None:
    made = program(Writer(1).program())
    whole = lower_program(made, Options())
    alone = Program({}, made.data, made.source)
    for name, function in made.functions.items():
        assert repr(lower(function, alone, Options()).body) == repr(whole.functions[name].body)


def test_lowered_text_round_trip() -> None:
    for seed in range(5):
        lowered = lower_program(program(Writer(seed).program()), Options())
        text = print_l2(lowered)
        assert print_l2(parse_l2(Source(text))) == text


def test_labels_never_clash() -> None:
    names = ["a", "a_", "a__", "_a", "__a", "a_b", "a__b", "_", "__", "a_u", "b"]
    made = {label_prefix(function) + label for function in names for label in names}
    assert len(made) == len(names) ** 2


def test_unwritten() -> None:
    text = """define @main () {
      br %a :one
      %b <- 1
      %c <- 1
      br :two
      :one
      %b <- 2
      :two
      %x <- %b + %c
      br %x :three
      %d <- 1
      br :three
      :three
      call tensor-error(%d)
      :never
      %y <- %e + 1
    }"""
    assert [v.name for v in unwritten(program(text).functions["main"])] == ["a", "c", "d"]
