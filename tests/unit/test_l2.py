"""L2: text both ways, the verifier, and the interpreter."""

import random
import re
from pathlib import Path

import pytest

from septet.base.diagnostics import Rejected
from septet.base.source import Source, column_of, line_of
from septet.base.symbols import FUNCTION, LABEL, Data, Line, symbol
from septet.l2 import interpret, verify
from septet.l2.nodes import Function, Program
from septet.l2.text import parse, parse_fragment, print_function, print_program
from septet.runtime.model import Exit, Fault, Inconclusive, Runtime
from septet.x86 import forms
from septet.x86.instructions import Instruction, Mem, Pool, Variable
from septet.x86.registers import GENERAL, MASKS, RAX, RCX, RDI, RSI, RSP, VECTOR, XMM

COURSE = Path(__file__).parents[3] / "shared" / "course"


def read(text: str, **options: bool) -> Program:
    return parse(Source(text, "t.L2"), **options)


def main_of(body: str) -> Program:
    return read(f"(@main\n(@main 0\n{body}\n))")


def shape(program: Program) -> object:
    """All there is to a program, comparable."""
    functions = [
        (f.name, f.words, f.arity, f.line, [(repr(i), i.span, i.by, banks(i)) for i in f.body])
        for f in program.functions.values()
    ]
    return program.entry, functions, [(d.name, d.size, d.content) for d in program.data.values()]


def banks(instruction: Instruction) -> list[int]:
    return [operand.bank for operand in instruction.operands if isinstance(operand, Variable)]


def outcome(program: Program, stdin: bytes = b"", steps: int | None = 100_000) -> str:
    assert list(verify.problems(program)) == []
    runtime = Runtime(stdin=stdin)
    interpret.run(program, runtime, steps)
    return runtime.output.decode()


EVERYTHING = """\
(@go
  (data @counter 8)
  (data @text 16 "a\\x00\\n\\"\\\\z")
  (@go 0  //@ line=12 arity=2
    :start  //@ 1:3 depth=2
    %x <- 5  //@ 2:3 by=fold
    %x <- -9223372036854775808
    %x <- @other
    %x <- @counter
    %x <- :start
    %x <- line 7
    %y <- mem %x 8
    %y <- mem %x %i*8 -16
    mem %x 8 <- %y
    mem rsp -8 <- :start
    %x += %y
    %x -= mem rsp 8
    mem rsp 0 += 5
    %x *= 3
    %x &= 255
    %x <<= rcx
    %x >>= 3
    %x++
    mem %x 8 --
    %x @ rdi %i 8
    lea %x, mem rdi %i*4 12
    lea32 %x, mem rdi 12
    %x <- %y < 5
    %x <- 3 >=u %y
    cjump %x != 7 :start
    cjump 1 <=u 2 :start
    goto :start
    call @other (rdi, rsi, xmm0)
    call %x ()
    call @other 8
    call print 1
    call input 0
    call tensor-error 3
    imul %x, %y, 5
    movsx8 %x, mem rdi 3
    mov8 mem rdi 3, 5
    addsd %f, mem rsp 8
    movaps xmm3, %f
    cvttsd2si %x, %f
    ucomisd %f, xmm1
    jbe :start
    setp %x
    cmovb %x, mem %y 0
    shld %x, %y, rcx
    cqo
    syscall
    rep-movsb
    return xmm0
  )
  (@other 8
    %a <- stack-arg 8
    return
  )
)
"""


def test_printing_gives_back_the_text():
    program = read(EVERYTHING)
    printed = print_program(program)
    expected = EVERYTHING.replace("(@other 8\n", "(@other 8  //@ line=55\n")
    assert re.sub(r" +//@ \d+:\d+$", "", printed, flags=re.M).splitlines() == expected.splitlines()


def test_reading_what_was_printed():
    program = read(EVERYTHING)
    again = read(print_program(program))
    assert shape(again) == shape(program)
    assert shape(read(print_program(again))) == shape(program)
    plain = print_program(program, notes=False)
    assert "//@" not in plain
    assert print_program(read(plain), notes=False) == plain


def test_notes_win_over_places():
    go = read(EVERYTHING).functions["go"]
    assert (go.line, go.words, go.arity) == (12, 0, 2)
    label, move, other = go.body[:3]
    assert label.operands == (symbol(LABEL, "start"), 2)
    assert (line_of(move.span), column_of(move.span), move.by) == (2, 3, "fold")
    assert other.span == 0  # the places of this text are not those that the header's note tells of
    unnoted = read(EVERYTHING, notes=False).functions["go"]
    assert (unnoted.line, unnoted.arity, unnoted.body[0].operands[1]) == (4, 0, 0)
    assert (line_of(unnoted.body[1].span), column_of(unnoted.body[1].span)) == (2, 5)


def test_every_opcode_survives_printing():
    pick = random.Random(5)
    general = [Variable("a"), Variable("b"), RDI, RCX]
    vector = [Variable("v", VECTOR), Variable("w", VECTOR), XMM[2]]
    body = [Instruction(forms.MOV, (general[0], 1)), Instruction(forms.MOV, (general[1], 1))]
    body += [Instruction(forms.MOVSD, (variable, Mem(RSP, 8))) for variable in vector[:2]]
    for name in forms.names():
        op = forms.op(name)
        if name in ("call", "jmp", "jmp-indirect") or op.jumps:
            continue
        access = op.access
        for form in op.forms:
            operands: list[object] = []
            for place, how in zip(form.places, access, strict=True):
                if how == "r" and place.memory in (32, 64, 128, 256, 512) and pick.random() < 0.3:
                    operands.append(Pool(pick.randbytes(place.memory // 8)))
                elif place.memory >= 0 and (place.bank < 0 or pick.random() < 0.5):
                    operands.append(Mem(general[0], pick.randint(-99, 99), pick.choice([None, general[1]]), 1))
                elif place.bank >= 0:
                    operands.append(place.fixed or pick.choice((general, vector, MASKS[1:])[place.bank]))
                else:
                    operands.append(pick.randint(place.low, place.high))
            operands = [Mem(o[0], o[3], o[1], 4 if o[1] else 1) if isinstance(o, Mem) else o for o in operands]
            body.append(Instruction(op, tuple(operands), by="x"))
    function = Function("f", 0, [*body, Instruction(forms.RETURN, ())], 3)
    program = Program("f", {"f": function}, {})
    again = read(print_program(program))
    assert shape(again) == shape(program)
    assert list(verify.problems(again)) == []


@pytest.mark.parametrize(
    "text",
    [
        "(@main (@main 0 rdi<-85 rdi <-rdi call print 1 return))",
        "(@main\r\n(@main\r\n\t0\r\n\trdi <- +85 // that many\r\n\tcall print 1\r\n\treturn))\r\n",
        "(@main\n(\n@main\n0\nrdi\n<-\n85\ncall\nprint\n1\nreturn\n)\n)",
        "(@main (@main 0 rdi<-80 rdi+=5 rdi<<=0 rdi ++ rdi-- call print 1 return ) )",
        "(@main (@main 0 rdi <- 85 cjump rdi<-5:x call print 1 :x return))",
        "(@main (@main 0 rdi <- 85 rsi<-rdi<-5 cjump rsi=1:x call print 1 :x return))",
        "(@main (@main 0 rsi <- 5 rdi<-5 rdi @rdi rsi 8 rdi +=40 call print 1 return))",
        "(@main (@main 0 mem rsp 8<-85 rdi<-mem rsp 8 call print 1 return))",
    ],
)
def test_layouts(text):
    assert outcome(read(text)) == "42\n"


def test_course_calls_become_real_ones():
    text = "%x <- 1\nmem rsp -16 <- 9\nmem rsp -8 <- :r\nrdi <- 3\ncall @main 7\n:r\nreturn"
    ops = [instruction.op for instruction in main_of(text).functions["main"].body]
    assert ops == [forms.MOV, forms.MOV, forms.MOV, forms.CALL, forms.RETURN]
    call = main_of(text).functions["main"].body[3]
    assert [repr(operand) for operand in call.operands] == ["@main", "rdi", "rsi", "rdx", "rcx", "r8", "r9"]
    literal = read(f"(@main (@main 0 {text}))", recognise=False).functions["main"].body
    assert [i.op for i in literal[2:]] == [forms.MOV, forms.MOV, forms.CALL_JUMP, forms.LABEL, forms.RETURN]


@pytest.mark.parametrize(
    "body",
    [
        "mem rsp -8 <- :r\ncall @main 0\n%x <- 1\n:r\nreturn",  # does not come back to the next instruction
        "mem rsp -8 <- :r\n:l\ncall @main 0\n:r\nreturn",  # another block
        "mem rsp -8 <- :r\ncall @main 0\n:r\ngoto :r",  # the label has another use
        "mem rsp -8 <- :r\ncall print 1\ncall @main 0\n:r\nreturn",  # the store is overwritten
        "mem rsp -8 <- :r\n%x <- mem rsp -8\ncall @main 0\n:r\nreturn",  # the store is read
        "mem rsp -8 <- :r\nrsp -= 8\ncall @main 0\n:r\nreturn",
        "%x <- :r\nmem rsp -8 <- %x\ncall @main 0\n:r\nreturn",
    ],
)
def test_what_is_not_a_plain_call(body):
    assert forms.CALL_JUMP in [instruction.op for instruction in main_of(body).functions["main"].body]


def test_fragment():
    function, words = parse_fragment(Source("(@f\n2\n%x <- rdi\nmem rsp -8 <- :r\ncall @g 0\n:r\nreturn)\n\n%x\n%S\n"))
    assert words == ["%x", "%S"]
    assert len(function.body) == 5 and function.words == 2
    assert print_function(function, notes=False).startswith("  (@f 2\n    %x <- rdi\n")


# What is wrong with a text


def complaints(text: str) -> str:
    with pytest.raises(Rejected) as caught:
        read(text)
    return caught.value.render()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("%x <- foo", "t.L2:3:7: error: expected a register, a number, memory, a function or a label, found 'foo'"),
        ("%x <- rbz", "did you mean 'rbx'?"),
        ("%x <- eax", "registers have their 64-bit names: 'rax'"),
        ("sbu %x, 5", "t.L2:3:1: error: there is no instruction 'sbu'"),
        ("adddd %x, 5", "did you mean 'paddd'?"),
        ("%x <- \u00b2", "found '\u00b2'"),  # a digit to Python, but not here
        ("%x += ", "expected an operand, found 'return'"),
        ("%x <- " + "9" * 5000, "the number does not fit"),
        ("mem %x 4294967296 <- 1", "the number does not fit"),
        ("mem %x %y*3 8 <- 1", "expected 1, 2, 4 or 8, found '3'"),
        ("mem %x %y 8 <- 1", "expected '*' and 1, 2, 4 or 8 after the index"),
        ("mem 5 8 <- 1", "expected a register or a variable, found '5'"),
        ("cjump %x 5 :l", "expected a comparison"),
        ("cjump %x < 5 l", "t.L2:3:14: error: expected a label, found 'l'"),
        ("call main 0", "functions are written '@main'"),
        ("call prnt 1", "did you mean 'print'?"),
        ("call print 2", "'print' takes 1 arguments, not 2"),
        ("call tensor-error 2", "'tensor-error' takes 1 or 3 or 4 arguments, not 2"),
        ("call @main (rdi, foo)", "t.L2:3:18: error: expected a register, found 'foo'"),
        ("add %x", "'add' takes 2 operands, found 1"),
        (":a\n:a", "t.L2:3:1: note: first declared here"),
        ("%x 5", "expected '<-'"),
    ],
)
def test_syntax(body, message):
    text = complaints(f"(@main\n(@main 0\n{body}\nreturn))")
    assert message in text
    assert "^" in text


def test_several_complaints_in_one_go():
    text = complaints("(@main\n(@main 0\n%x <- foo\n%y <- 1\nbar %x\nreturn)\n(@main 0\nbaz)\n)")
    assert re.findall(r"t.L2:(\d+):\d+: error", text) == ["3", "5", "7", "8"]
    assert "'@main' is declared twice" in text and "t.L2:2:2: note: first declared here" in text


@pytest.mark.parametrize(
    "text", ["", "(", "(@main", "(@main (@main", "(@main (@main 0", "(@main (@main 0 call @f (", "(@main (@f 0 mem"]
)
def test_a_text_that_ends_too_early_is_told_once(text):
    assert complaints(text).count("found the end of the file") == 1


def test_hostile_text_is_rejected_quickly():
    pick = random.Random(1)
    head = "(@main\n(@main 0\n"
    for text in (
        "(" * 100_000,
        head + "%x <- %y + 1 " * 80_000,
        head + '"\\' * 300_000,
        head + "%x <- " + "9" * 5000,
        head + "foo\n" * 100_000,
        "".join([chr(pick.randrange(1, 256)) for _ in range(300_000)]),
        head + "".join([pick.choice("()@%:<-+= \n0aR") for _ in range(300_000)]),
    ):
        assert complaints(text)


# The verifier


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("goto :nowhere", "there is no label ':nowhere'"),
        (":loop\ncjump 1 = 1 :lop\ngoto :loop", "did you mean 'loop'?"),
        ("%x <- :gone\nreturn", "there is no label ':gone'"),
        ("call @min ()\nreturn", "did you mean 'main'?"),
        ("%x <- 1", "control runs off the end of '@main'"),
        ("%x += 4294967296\nreturn", "the number 4294967296 does not fit: 'add' cannot hold it"),
        ("cjump %x < 4294967296 :a\n:a\nreturn", "the number 4294967296 does not fit in 32 bits"),
        ("mem %x 0 <- mem %y 0\nreturn", "'mov' cannot have two memory operands"),
        ("%x <- xmm0\nreturn", "expected a general register as operand 2 of 'mov', found 'xmm0'"),
        ("addsd %x, %y\n%x += 1\nreturn", "expected a general register as operand 1 of 'add', found '%x'"),
        ("%x <- stack-arg 4\nreturn", "stack arguments are at multiples of 8"),
        ("%x <- mem rdi rsp*8 0\nreturn", "rsp cannot be an index"),
        ("shl %x, rdx\nreturn", "'shl' cannot take these operands"),
        ("5 <- %x\nreturn", ""),
        ("return xmm", ""),
        ("return xmm0xmm1", ""),
    ],
)
def test_verifier(body, message):
    if body.startswith("return"):
        assert "there is no instruction 'xmm" in complaints(f"(@main\n(@main 0\n{body}))")
        return
    if not message:
        assert "expected an instruction" in complaints(f"(@main\n(@main 0\n{body}))")
        return
    found = list(verify.problems(main_of(body)))
    assert message in "\n".join([problem.render() for problem in found])


def test_verifier_finds_what_text_cannot_say():
    function = Function("f", 2, [Instruction(forms.CALL_ERROR, (symbol(FUNCTION, "f"),))], arity=1)
    other = Function("g", 0, [Instruction(forms.LABEL, (symbol(LABEL, "l"), 0))] * 1 + [Instruction(forms.RETURN, (RAX,))])
    third = Function("h", 0, [Instruction(forms.LABEL, (symbol(LABEL, "l"), 0)), Instruction(forms.RETURN, ())])
    program = Program("main", {"f": function, "g": other, "x": third}, {"d": Data("d", 1, b"ab"), "f": Data("f", 8)})
    text = "\n".join([problem.message for problem in verify.problems(program)])
    for message in (
        "the entry function '@main' is not declared",
        "the function known as '@x' is called '@h'",
        "'@f' is both data and a function",
        "data '@d' has 2 bytes of content in 1",
        "label ':l' is declared twice",
        "'@f' has 2 word parameters of 1 in all",
        "only routines that never return are called so",
        "a function returns nothing, or xmm0",
    ):
        assert message in text
    assert list(verify.function_problems(third, program)) == []


# The interpreter


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("%x += 1\nreturn", "in @main: '%x += 1' reads %x, which nothing defined"),
        ("%x <- %y\nreturn", "'%x <- %y' reads %y"),
        ("cjump %x = 0 :a\n:a\nreturn", "'cjump %x = 0 :a' reads %x"),
        ("rdi <- 3\ncall print 1\nrax <- rdi\nreturn", "reads rdi"),
        ("rdi <- 3\ncall print 1\ncall print 1\nreturn", "'call print 1' reads rdi"),
        ("rdi <- 3\nrcx <- 1\ncall print 1\nmem rsp -24 <- rcx\nreturn", "reads rcx"),
        ("%x <- mem rsp 4096\nreturn", "access to address"),
        ("%x <- 64\n%x <- mem %x 0\nreturn", "in @main: '%x <- mem %x 0' access to address 0x40"),
        ("%x <- 1\n%x *= 3\njs :a\n:a\nreturn", "'js :a' reads flags that are undefined there"),
        ("%x <- 1\ncall %x ()\nreturn", "calls 0x1, where no function is"),
        ("rdi <- 1\ncall print 1\njs :a\n:a\nreturn", "reads flags that are undefined"),
        ("rsp -= 8\ncall @f ()\nreturn)\n(@f 0\nrsp -= 8\nreturn", "leaves rsp -8 bytes from where it was at the call"),
        ("rax <- 1\nrdx <- 0\n%z <- 0\ndiv %z\nreturn", "divides by zero"),
        ("syscall\nreturn", "'syscall' is not an instruction that can be interpreted"),
        ("mem rsp -8 <- 5\ncall @f 0\nreturn)\n(@f 0\nreturn", "goes to 0x5, where no label is"),
        ("ud2", "'ud2' runs"),
    ],
)
def test_faults(body, message):
    with pytest.raises(Fault) as caught:
        outcome(main_of(body))
    assert message in str(caught.value)


def test_limits():
    with pytest.raises(Inconclusive) as caught:
        outcome(main_of(":a\ngoto :a"))
    assert caught.value.reason == "steps"
    with pytest.raises(Inconclusive) as caught:
        outcome(main_of("call @main ()\nreturn"), steps=None)
    assert caught.value.reason == "stack"
    assert outcome(main_of("%x <- 1\n%x <- 2\nreturn"), steps=3) == ""
    with pytest.raises(Inconclusive):
        outcome(main_of("%x <- 1\n%x <- 2\nreturn"), steps=2)


def test_deep_recursion_keeps_variables_apart():
    text = """(@main (@main 0 rdi <- 100000 call @sum (rdi) rdi <- rax rdi <<= 1 rdi++ call print 1 return)
    (@sum 1 %n <- rdi rax <- 0 cjump %n = 0 :done rdi <- %n rdi -= 1 call @sum (rdi) rax += %n :done return))"""
    assert outcome(read(text), steps=None) == "5000050000\n"


def test_calls_of_every_kind():
    text = """(@main
    (@main 0
      %f <- @ninth
      mem rsp -8 <- :r1 mem rsp -16 <- 7 mem rsp -24 <- 8 mem rsp -32 <- 17
      rdi <- 1 rsi <- 2 rdx <- 3 rcx <- 4 r8 <- 5 r9 <- 6
      call %f 9
      :r1
      rdi <- rax call print 1
      %r <- :r2  mem rsp -16 <- 7 mem rsp -24 <- 8 mem rsp -32 <- 19 mem rsp -8 <- %r
      call @ninth 9
      :r2
      rdi <- rax call print 1
      movq xmm0, %r
      cvtsi2sd xmm0, %r
      %three <- 3
      cvtsi2sd %d, %three
      movaps xmm0, %d
      call @twice (xmm0)
      cvttsd2si rdi, xmm0
      rdi <<= 1 rdi++
      call print 1
      return)
    (@ninth 9 rax <- stack-arg 0 return)
    (@twice 0 addsd xmm0, xmm0 return xmm0))"""
    assert outcome(read(text)) == "8\n9\n6\n"
    assert outcome(read(text, recognise=False)) == "8\n9\n6\n"


def test_data_lines_and_errors():
    program = main_of("%d <- @d\n%x <- mem %d 0\n%x++\nmem %d 0 <- %x\nrdi <- line 4\ncall tensor-error 1")
    program = read(print_program(program, notes=False).replace("(@main\n", '(@main\n(data @d 8 "\\x01")\n', 1))
    runtime = Runtime()
    with pytest.raises(Exit):
        interpret.run(program, runtime)
    assert b"at line 7 " in runtime.output  # the function's header is on line 3
    assert program.functions["main"].body[4].operands[1] == Line(4)


def test_narrow_and_flag_instructions():
    text = """%x <- 511 mov8 mem rsp -64, %x movsx8 %y, mem rsp -64 cmp8 %x, 255
    %z <- 0 sete %z add32 %x, -512 lea32 %w, mem %y 0
    rdi @ %z %y 2  rdi <<= 1  rdi++  call print 1
    rdi <- %x  rdi <<= 1  rdi++  call print 1
    rdi <- %w  rdi <<= 1  rdi++  call print 1  return"""
    assert outcome(main_of(text)) == f"-1\n{(1 << 32) - 1}\n{(1 << 32) - 1}\n"


def test_input_and_its_end():
    program = main_of("call input 0\nrdi <- rax\ncall print 1\ncall input 0\nreturn")
    runtime = Runtime(stdin=b"77\n")
    with pytest.raises(Exit) as caught:
        interpret.run(program, runtime)
    assert runtime.output == b"77\n" and caught.value.status == 1


PROGRAMS = sorted((COURSE / "L2").glob("*.L2")) if COURSE.is_dir() else []


@pytest.mark.skipif(not PROGRAMS, reason="the course's tests are not here")
@pytest.mark.parametrize("path", PROGRAMS[::6], ids=lambda path: path.name)
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


def test_variables_are_per_function():
    program = read("(@main (@main 0 %x <- 1 return) (@f 0 addsd %x, %x return))")
    first = program.functions["main"].body[0].operands[0]
    second = program.functions["f"].body[0].operands[0]
    assert first is not second
    assert isinstance(first, Variable) and first.bank == GENERAL
    assert isinstance(second, Variable) and second.bank == VECTOR
    assert RSI not in (first, second)


@pytest.mark.parametrize(("page", "output"), [("l2", "40\n"), ("l1", "42\n2\n")])
def test_the_documentation_is_right(page, output):
    text = (Path(__file__).parents[2] / "docs" / "languages" / f"{page}.md").read_text()
    (example,) = re.findall(r"```\n(\(@main\n.*?)```", text, re.S)
    from septet.l1 import interpret as l1_interpret
    from septet.l1 import text as l1_text

    runtime = Runtime()
    if page == "l2":
        interpret.run(read(example), runtime)
    else:
        l1_interpret.run(l1_text.parse(Source(example)), runtime)
    assert runtime.output.decode() == output
