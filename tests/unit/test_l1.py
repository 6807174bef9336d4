"""L1: text both ways, the verifier, and the interpreter, where they differ from L2's."""

from pathlib import Path

import pytest

from septet.base.diagnostics import Rejected
from septet.base.source import Source
from septet.l1 import interpret, verify
from septet.l1.nodes import Program
from septet.l1.text import parse, parse_fragment, print_program
from septet.runtime.model import Exit, Fault, Inconclusive, Runtime
from septet.x86.instructions import Instruction, Variable

COURSE = Path(__file__).parents[3] / "shared" / "course"


def read(text: str, **options: bool) -> Program:
    return parse(Source(text, "t.L1"), **options)


def main_of(body: str, slots: int = 0) -> Program:
    return read(f"(@main\n(@main 0 {slots}\n{body}\n))")


def outcome(program: Program, steps: int | None = 100_000) -> str:
    assert list(verify.problems(program)) == []
    runtime = Runtime()
    interpret.run(program, runtime, steps)
    return runtime.output.decode()


def shape(program: Program) -> object:
    functions = program.functions.values()
    return [(f.name, f.words, f.slots, f.arity, f.line, [(repr(i), i.span, i.by) for i in f.body]) for f in functions]


TEXT = """\
(@go
  (@go 0 2  //@ line=9 arity=1
    mem rsp 8 <- 5  //@ 1:3 by=spill
    rdi <- mem rsp 8  //@ 2:3
    mem rsp -8 <- :r  //@ 3:3
    call @f 1  //@ 4:3
    :r  //@ 5:3 depth=1
    goto :r  //@ 6:3
  )
  (@f 1 0  //@ line=20
    rax <- 9223372036854775807  //@ 1:3
    return  //@ 2:3
  )
)
"""


def test_text_both_ways():
    program = read(TEXT)
    assert print_program(program) == TEXT
    assert shape(read(print_program(program))) == shape(program)
    function = program.functions["go"]
    assert (function.slots, function.words, function.arity, function.line) == (2, 0, 1, 9)


def test_fragment():
    function, words = parse_fragment(Source("(@f 1 3 return) a b"))
    assert (function.slots, words) == (3, ["a", "b"])


def test_there_are_no_variables():
    with pytest.raises(Rejected) as caught:
        read("(@main (@main 0 0\n%x <- 5\nrdi <- 1 return))")
    assert "expected a register, found '%x'" in str(caught.value) and "L1 has no variables" in str(caught.value)
    program = main_of("rdi <- 5\nreturn")
    move = program.functions["main"].body[0]
    program.functions["main"].body[0] = Instruction(move.op, (Variable("x"), 5))
    assert "L1 has no variables" in next(verify.problems(program)).message


def test_the_header_has_two_numbers():
    with pytest.raises(Rejected) as caught:
        read("(@main (@main 0\nrdi <- 1 return))")
    assert "expected the number of stack slots, found 'rdi'" in str(caught.value)


def test_no_stack_arg():
    found = [problem.message for problem in verify.problems(main_of("rdi <- stack-arg 0\nreturn"))]
    assert found == ["L1 has no 'stack-arg': stack arguments are at 'mem rsp', above the slots"]


def test_slots_and_stack_arguments():
    text = """(@main
    (@main 0 1
      mem rsp 0 <- 11
      mem rsp -16 <- 14
      mem rsp -24 <- 16
      mem rsp -8 <- :r
      call @f 8
      :r
      rax += mem rsp 0
      rdi <- rax
      call print 1
      return)
    (@f 8 2
      mem rsp 0 <- 100
      rax <- mem rsp 16
      rax += mem rsp 24
      rax += mem rsp 0
      return))"""
    assert outcome(read(text)) == f"{(14 + 16 + 100 + 11) >> 1}\n"
    assert outcome(read(text, recognise=False)) == f"{(14 + 16 + 100 + 11) >> 1}\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("rdi <- mem rsp 0\nreturn", "'rdi <- mem rsp 0' reads a stack slot that nothing wrote"),
        ("movzx8 rdi, mem rsp 3\nreturn", "reads a stack slot that nothing wrote"),
        ("mem rsp 0 <- 5\nrdi <- mem rsp 4\nreturn", "reads a stack slot that nothing wrote"),
        ("rdi <- 1\ncall print 1\nrdi <- r8\nreturn", "reads r8, which nothing defined"),
        ("rbx <- 1\nrdi <- rsp\nrdi += rbx\nmem rdi 4096 <- rbx\nreturn", "access to address"),
    ],
)
def test_faults(body, message):
    with pytest.raises(Fault) as caught:
        outcome(main_of(body, 2))
    assert message in str(caught.value)


def test_slots_are_blank_in_every_activation():
    text = "(@main (@main 0 0 call @f () call @g () return) (@f 0 1 mem rsp 0 <- 1 return) (@g 0 1 rax <- mem rsp 0 return))"
    with pytest.raises(Fault):
        outcome(read(text))


def test_what_a_caller_stores_below_its_stack_is_there():
    text = "(@main (@main 0 0 mem rsp -16 <- 9 call @f () rdi <- rax call print 1 return) (@f 0 1 rax <- mem rsp 0 return))"
    assert outcome(read(text)) == "4\n"


def test_registers_stay_over_calls_as_agreed():
    text = """(@main (@main 0 0 rbx <- 6 rdx <- 9 call @f () rbx += rax rdi <- rbx call print 1 return)
    (@f 0 1 mem rsp 0 <- rbx rbx <- rdx rax <- rbx rbx <- mem rsp 0 return))"""
    assert outcome(read(text)) == "7\n"


def test_push_and_pop():
    text = "rdi <- 5\npush rdi\npush 9\npop rsi\npop rdi\nrdi += rsi\nrdi++\ncall print 1\nreturn"
    assert outcome(main_of(text)) == "7\n"


def test_functions_written_with_a_colon():
    program = read("(@main (@main 0 0 rdi <- :f call rdi () rdi <- rax call print 1 return) (@f 0 0 rax <- 9 return))")
    assert outcome(program) == "4\n"
    assert "rdi <- @f" in print_program(program)


PROGRAMS = sorted((COURSE / "L1").glob("*.L1")) if COURSE.is_dir() else []


@pytest.mark.skipif(not PROGRAMS, reason="the course's tests are not here")
@pytest.mark.parametrize("path", PROGRAMS[::8], ids=lambda path: path.name)
def test_course(path):
    for recognise in (True, False):
        program = parse(Source.read(str(path)), recognise=recognise)
        assert list(verify.problems(program)) == []
        assert shape(read(print_program(program), recognise=False)) == shape(program)
        given = path.with_suffix(".in")
        runtime = Runtime(stdin=given.read_bytes() if given.exists() else b"")
        try:
            interpret.run(program, runtime, 1_000_000)
        except Inconclusive:
            continue
        except Exit:
            pass
        assert bytes(runtime.output) == path.with_suffix(".out").read_bytes()
