"""IR's text: all layouts are read, what is printed reads back to the same, and what is wrong is said where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from flat_programs import complaints, course, same
from ir_programs import Random, main, read

from septet.base.source import Source
from septet.base.types import BOOL, I64, INT64
from septet.ir import text, verify
from septet.ir.nodes import Address, Compare, Const, Memory, Phi
from septet.ops import table as ops


def round_trip(program: str) -> str:
    """What a program prints as, which must read back to the very same program."""
    first = read(program)
    for notes in (True, False):
        printed = text.print_program(first, notes)
        second = text.parse(Source(printed), notes)
        assert text.print_program(second, notes) == printed
    return text.print_program(first, notes=False)


@pytest.mark.parametrize("path", course("IR"), ids=lambda path: path.name)
def test_course_programs_are_read_and_verified_and_read_back(path: Path) -> None:
    round_trip(path.read_text())


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_read_back(seed: int) -> None:
    round_trip(Random(seed).program())


def test_the_program_itself_is_rebuilt() -> None:
    program = read(main("int64[] %a <- new Array(7)\n%a[0] <- 5\nint64 %x <- %a[0]\ncall print(%x)"))
    program = text.parse(Source(text.print_program(program)))  # now every value has a name
    again = text.parse(Source(text.print_program(program)))
    for name, function in program.functions.items():
        other = again.functions[name]
        assert function.line == other.line and function.phase == other.phase
        assert [same(a.body, b.body) for a, b in zip(function.blocks, other.blocks, strict=True)] == [True]


@pytest.mark.parametrize(
    "layout",
    [
        "define void @main(){:entry int64%x %x<-5 br:l :l call print(%x)return}",
        "define void @main ( ) {\r\n:entry\r\n%x <-5\r\nbr :l\r\n// a comment\r\n:l\r\ncall print (%x) // one\r\nreturn}\r\n",
        "define\nvoid\n@main\n(\n)\n{\n:entry\n%x\n<-\n5\nbr\n:l\n:l\ncall\nprint\n(\n%x\n)\nreturn\n}",
    ],
)
def test_layouts(layout: str) -> None:
    wanted = "define void @main () {\n  :entry\n    br :l\n  :l\n    call print(5)\n    return\n}\n"
    assert round_trip(layout) == wanted


def test_less_than_a_negative_number_and_subtraction() -> None:
    program = read(main("int64 %x <-5\n%c <- %x<-5\n%d <- %x -1\n%e <- %x--1\ncall print(%c)\ncall print(%d)\ncall print(%e)"))
    operations = [v for v in program.functions["main"].values() if v.op in (ops.LT, ops.SUB)]
    assert [(v.op, [a.number for a in v.args if isinstance(a, Const)]) for v in operations] == [
        (ops.LT, [5, -5]),
        (ops.SUB, [5, 1]),
        (ops.SUB, [5, -1]),
    ]


def test_a_condition_that_is_no_bool_is_compared_with_1() -> None:
    program = read("define void @main () {\n:e\n%x <- call input()\nbr %x :a :b\n:a\nreturn\n:b\nreturn\n}")
    test = program.functions["main"].blocks[0].body[1]
    assert isinstance(test, Compare) and test.op is ops.EQ and test.type is BOOL


def test_a_comparison_for_an_integer_is_converted_and_used_as_a_condition_without() -> None:
    printed = round_trip("define void @main () {\n:e\n%x <- 1 < 2\nbr %x :a :b\n:a\ncall print(%x)\nreturn\n:b\nreturn\n}")
    assert "bool %v <- 1 <.int64 2\n    int64 %x <- convert %v\n    br %v :a :b" in printed


def test_types_of_operations() -> None:
    body = "u64 %w <- 5\nbool %a <- %w < 7\nbool %b <- %w <.i64 7\nbool %c <- 1.5 <.f64 2.0\ni64 %s <- %w >>.i64 1"
    values = list(read(main(body)).functions["main"].values())
    assert [str(v.on) for v in values if isinstance(v, Compare)] == ["u64", "i64", "f64"]
    assert values[3].type is I64


def test_memory_operations_and_data() -> None:
    body = "i8 %x <- load @d + 3 in bytes\nstore.i8 @d - 8 <- %x in bytes\n"
    body += "int64 %y <- load @d\nstore @d <- %y\nstore.f64 @d <- 1.5"
    program = read('data @d 16 "a\\x00\\n\\"\\\\z"\n' + main(body))
    assert program.data["d"].content == b'a\0\n"\\z'
    accesses = [v for v in program.functions["main"].values() if isinstance(v, Memory)]
    assert [(str(v.on), v.offset, v.alias) for v in accesses] == [
        ("i8", 3, "bytes"), ("i8", -8, "bytes"), ("int64", 0, "any"), ("int64", 0, "any"), ("f64", 0, "any"),
    ]  # fmt: skip
    assert isinstance(accesses[0].args[0], Address)
    round_trip(text.print_program(program))


def test_literal_text_keeps_what_it_says() -> None:
    program = (
        "define int64 @main () {\n  :entry\n    br :b\n  :b\n    int64 %x <- phi (:entry 5)\n"
        "    int64 %y <- phi (:entry 7)\n    int64 %z <- %x + %y\n    return %z\n}\n"
    )
    assert round_trip(program) == program


def test_phis_among_assignments() -> None:
    program = (
        "define int64 @main () {\n:e\n%i <- 0\n%i <- 1\nbr :l\n:l\n%x <- phi (:e 5, :l %i)\n%i <- %i + %x\n"
        "%c <- %i < 40\nbr %c :l :o\n:o\nreturn %i\n}"
    )
    phis = [v for v in read(program).functions["main"].values() if isinstance(v, Phi)]
    assert len(phis) == 2 and phis[0].args[0] is not phis[1].args[0]


def test_a_void_function_gives_0_and_its_result_is_dropped() -> None:
    printed = round_trip("define void @f () {\n:e\nreturn 5\n}\ndefine int64 @main () {\n:e\n%x <- call @f()\nreturn %x\n}")
    assert "    return\n" in printed and "    call @f()\n    return 0\n" in printed


def test_notes_carry_spans_and_lines() -> None:
    program = read("\n\n" + main("  call print(5)"))
    assert program.functions["main"].line == 3
    again = text.parse(Source("// moved\n" * 9 + text.print_program(program)))
    assert again.functions["main"].line == 3
    assert [v.span for v in again.functions["main"].values()] == [v.span for v in program.functions["main"].values()]
    assert text.parse(Source("\n" + text.print_program(program)), notes=False).functions["main"].line == 2


def test_an_entry_that_is_a_target_gets_a_block_in_front() -> None:
    program = read("define void @main () {\n:e\n%x <- call input()\nbr %x :e :o\n:o\nreturn\n}")
    assert [block.name for block in program.functions["main"].blocks] == ["start", "e", "o"]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("%x <- %y +", "4:1 expected a variable or a number, found 'return'"),
        ("%x <- lenght %y", "3:7 'lenght' is no operation"),
        ("call prnt(5)", "3:6 there is no routine 'prnt'"),
        ("int46 %x <- 5", "3:1 there is no type 'int46'"),
        ("br :entri", "3:4 there is no label ':entri' in '@main'"),
        ("i32x2 %x <- {1, 2 3}", "3:19 expected '}', found '3'"),
        ("u8 %x <- 256", "3:10 '256' is no number of type u8, or does not fit"),
        ("i64 %x <- 1.5", "3:11 '1.5' is no number of type i64"),
        ("f64 %x <- 1.5\ni64 %y <- %x", "4:11 this is of type f64, not i64"),
        ("f64 %x <- 1.5\n%x <- %x & %x", "4:1 there is no '&' for type f64"),
        ("int64 %x <- 1\nu8 %x <- 2", "4:1 '%x' is of type int64, not u8"),
        ("new Tuple(3)", "3:1 'new' starts no instruction"),
        ("%x <- new Tuple(3, 4)", "3:7 a tuple has one size"),
        ("%x <- 99999999999999999999", "3:7 '99999999999999999999' is no number of type int64, or does not fit"),
        ("$", "3:1 expected an instruction, found '$'"),
    ],
)
def test_complaints(body: str, wanted: str) -> None:
    assert wanted in complaints(text, verify, f"define void @main () {{\n:entry\n{body}\nreturn\n}}")


def test_several_complaints_in_one_go() -> None:
    program = (
        "define void @main () {\n:e\n%x <- \n%y <- 5 5\ncall prnt()\nreturn\n}\nnonsense\ndefine void @f () {\n:e\nbr :g\n}"
    )
    assert len(complaints(text, verify, program)) >= 4


@pytest.mark.parametrize(
    "program",
    ["", "define", "define void @main () {", "define void @main () { :e", "data @x", "data @x 4 \"12345\"", "}" * 5,
     "define void @main () {\n}", "define void @main () {\n:e\n}", "define void @main () {\n:e\nreturn\n:e\nreturn\n}",
     "define void @main () {\nreturn\n}", "define void @f (int64 %a, int64 %a) {\n:e\nreturn\n}"],
)  # fmt: skip
def test_broken_programs_are_complained_about(program: str) -> None:
    assert complaints(text, verify, program)


def test_functions_as_arguments_and_line_operands() -> None:
    printed = round_trip(
        "define void @g () {\n:e\nreturn\n}\ndefine void @f (int64 %a, code %b) {\n:e\ncall %b()\nreturn\n}\n"
        + main("call @f(%x, @g)\ncall tensor-error(line 2)")
    )
    assert "call @f(0, @g)" in printed and "call tensor-error(line 2)" in printed


def test_a_literal_keeps_a_type_of_its_own() -> None:
    program = read(main("i64 %x <- int64 5 + 6\nint64 %y <- tag int64 7"))
    values = list(program.functions["main"].values())
    assert [arg.type for arg in values[0].args] == [INT64, I64]
    round_trip(text.print_program(program))
