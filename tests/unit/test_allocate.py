"""L2c: what its functions do afterwards, on the interpreters and by the checker, and how long it takes."""

import random
from pathlib import Path

import pytest
from effort import calls

from septet.base.diagnostics import Rejected
from septet.base.options import Options
from septet.base.source import Source
from septet.l1 import interpret as l1_interpret
from septet.l1 import text as l1_text
from septet.l2 import interpret, lower, text
from septet.l2.allocate.check import Mismatch, check
from septet.l2.allocate.clean import clean
from septet.runtime.model import Exit, Fault, Inconclusive, Runtime
from septet.x86 import forms
from septet.x86.instructions import Instruction, Mem, Variable
from septet.x86.registers import RSP, XMM

COURSE = Path(__file__).parents[3] / "shared" / "course"
PROGRAMS = sorted((COURSE / "L2").glob("*.L2")) if COURSE.is_dir() else []
LEVELS = (0, 1, 2)


def read(source, recognise=True):
    return text.parse(Source(source), recognise=recognise)


def output(module, program, stdin=b"", steps=1_000_000):
    runtime = Runtime(stdin=stdin)
    try:
        module.run(program, runtime, steps)
    except Exit as end:
        return bytes(runtime.output), end.status
    return bytes(runtime.output), 0


def allocate(program, level):
    """The program in L1, after the checker has agreed."""
    lowered = lower.lower_program(program, Options(opt=level))
    for name, function in lowered.functions.items():
        check(program.functions[name], function)
        assert not any(isinstance(cell, Variable) for i in function.body for o in i.operands for cell in parts(o))
    return lowered


def parts(operand):
    return operand[:2] if isinstance(operand, Mem) else (operand,)


def agrees(source, recognise=True):
    """The same program in L1 at each level, after it was seen to do the same."""
    program = read(source, recognise)
    expected = output(interpret, program)
    results = []
    for level in LEVELS:
        lowered = allocate(program, level)
        assert output(l1_interpret, lowered) == expected
        results.append(lowered)
    return results


def main_of(body, more=""):
    return f"(@main\n(@main 0\n{body}\nreturn)\n{more})"


def show(variable):
    return f"rdi <- {variable}\nrdi <<= 1\nrdi += 1\ncall print 1\n"


@pytest.mark.skipif(not PROGRAMS, reason="the course's tests are not here")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("path", PROGRAMS[::5], ids=lambda path: path.name)
def test_course(path, level):
    for recognise in (True, False):
        program = text.parse(Source.read(str(path)), recognise=recognise)
        lowered = allocate(program, level)
    given = path.with_suffix(".in")
    try:
        found, _ = output(l1_interpret, lowered, given.read_bytes() if given.exists() else b"")
    except Inconclusive:
        return
    assert found == path.with_suffix(".out").read_bytes()


def test_many_live_across_calls():
    names = [f"%v{i}" for i in range(30)]
    body = "%n <- rax\n" + "\n".join([f"{name} <- %n\n{name} *= {i * i}" for i, name in enumerate(names)])
    body = "call input 0\n" + body + "\nrdi <- 1\ncall print 1\n" + "".join([show(name) for name in names])
    for lowered in agrees(main_of(body)):
        assert 24 <= lowered.functions["main"].slots <= 36


def test_constants_are_made_again():
    """Nothing is stored of what can be made where it is used."""
    names = [f"%v{i}" for i in range(30)]
    body = "".join([f"{name} <- {i * i}\n" for i, name in enumerate(names)])
    body += "rdi <- 1\ncall print 1\n" + "".join([show(name) for name in names])
    program = read(main_of(body))
    lowered = allocate(program, 2)
    assert output(l1_interpret, lowered) == output(interpret, program)
    assert lowered.functions["main"].slots <= 6
    slots = [o for i in lowered.functions["main"].body for o in i.operands if isinstance(o, Mem) and o[0] is RSP]
    assert len(slots) <= 12  # callee-saved registers, once each way


def test_ten_parameters():
    registers = "rdi rsi rdx rcx r8 r9".split()
    call = ["mem rsp -8 <- :ret"] + [f"{register} <- {i + 1}" for i, register in enumerate(registers)]
    call += [f"mem rsp {-16 - 8 * i} <- {i + 7}" for i in range(4)] + ["call @f 10", ":ret", show("rax")]
    names = [f"%p{i}" for i in range(10)]
    callee = [f"{name} <- {register}" for name, register in zip(names, registers, strict=False)]
    callee += [f"{name} <- stack-arg {8 * (9 - i)}" for i, name in enumerate(names) if i >= 6]
    callee += ["rdi <- 1", "call print 1", "rax <- 0"] + [f"rax *= 10\nrax += {name}" for name in names]
    source = main_of("\n".join(call), "(@f 10\n" + "\n".join(callee) + "\nreturn)")
    for recognise in (True, False):
        for lowered in agrees(source, recognise):
            assert forms.STACK_ARG not in [i.op for i in lowered.functions["f"].body]


@pytest.mark.parametrize(
    "shift",
    [
        "%x <<= %n",
        "%x <<= %x",
        "rcx <- 7\n%x <<= %n\n%x += rcx",
        "rcx <- 7\nrcx <<= %n\n%x <- rcx",
        "rcx <- %p\nmem rcx 8 <<= %n\n%x <- mem rcx 8",
        "rcx <- 5\n%m <- 3\n%x <<= %m\n%x >>= rcx",
        "rdi <- %x\nrdi >>= %n\n%x <- rdi",
    ],
)
def test_shift_counts(shift):
    body = f"rdi <- 5\nrsi <- 9\ncall allocate 2\n%p <- rax\n%x <- 13\n%n <- 3\n{shift}\n{show('%x')}{show('%n')}"
    agrees(main_of(body))


@pytest.mark.parametrize(
    "use",
    [
        "%x &= 5000000000",
        "%x <- %x < 5000000000",
        "cjump 5000000000 < %x :skip\n%x <- 1\n:skip",
        "cjump 5000000000 < 6000000000 :skip\n%x <- 1\n:skip",
        "mem %p 8 <- 5000000000\n%x <- mem %p 8",
        "imul %x, %y, 5000000000",
        "mem %p 8 += 5000000000\n%x <- mem %p 8",
        "add32 %x, 4294967295",
    ],
)
def test_wide_immediates(use):
    agrees(main_of(f"rdi <- 5\nrsi <- 9\ncall allocate 2\n%p <- rax\n%x <- 7000000000\n%y <- 3\n{use}\n{show('%x')}"))


def test_labels_and_functions_as_words():
    body = f"%f <- @f\nmem rsp -8 <- :back\nrdi <- 4\ncall %f 1\n:back\n{show('rax')}"
    agrees(main_of(body, "(@f 1 rax <- rdi rax++ return)"))
    agrees(main_of(body, "(@f 1 rax <- rdi rax++ return)"), recognise=False)


def test_a_callee_may_read_registers_that_the_call_does_not_say():
    """Such a value is not overwritten on the way to the call."""
    body = "%a <- 1\n%b <- 2\nmem rsp -8 <- :r\nrdx <- 13\n%c <- %a\n%c += %b\n%d <- %c\n%d += %a\nrdi <- %d\ncall @f 1\n:r"
    callee = f"(@f 1 rdi += rdx\n%x <- rdi\n{show('%x')}return)"
    program = read(main_of(body, callee))
    for level in LEVELS:
        runtime = Runtime()
        body = allocate(program, level).functions["main"].body
        (at,) = [n for n, i in enumerate(body) if i.op is forms.MOV and i.operands[1] == 13]
        written = [i.operands[0].name for i in body[at + 1 :] if i.operands and not isinstance(i.operands[0], tuple | int)]
        assert "rdx" not in written
        assert runtime.output == b""


def test_all_caller_saved_registers_are_named():
    names = [f"%v{i}" for i in range(20)]
    body = "".join([f"{name} <- {i}\n" for i, name in enumerate(names)])
    body += "rdi <- 5\nrsi <- 1\ncall allocate 2\n"
    body += "rax <- 39\nrdi <- 1\nrsi <- 2\nrdx <- 3\nr10 <- 4\nr8 <- 5\nr9 <- 6\nrcx <- 7\nr11 <- 8\n"
    body += "".join([f"rax += {r}\n" for r in "rdi rsi rdx r10 r8 r9 rcx r11".split()]) + "%v0 <- rax\n"
    agrees(main_of(body + "".join([show(name) for name in names])))


def test_no_register_left():
    names = "rax rcx rdx rbx rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
    body = "%x <- 1\n%y <- 2\n" + "".join([f"{name} <- {i}\n" for i, name in enumerate(names)]) + "%x *= %y\n"
    body += "".join([f"%x += {name}\n" for name in names]) + show("%x")
    for level in LEVELS:
        with pytest.raises(Rejected, match="registers"):
            lower.lower_program(read(main_of(body)), Options(opt=level))


def test_vectors():
    names = [f"%x{i}" for i in range(40)]
    body = "".join([f"%n <- {i}\ncvtsi2sd {name}, %n\n" for i, name in enumerate(names)])
    body += "".join([f"mulsd {a}, {b}\nmovaps {b}, {c}\n" for a, b, c in zip(names, names[7:], names[19:], strict=False)])
    body += "".join([f"cvttsd2si %r, {name}\n{show('%r')}" for name in names[:1]])
    body += "%n <- 3\ncvtsi2sd %z, %n\nrdi <- 1\ncall print 1\naddsd %z, %z\n"
    body += f"movaps %w, %z\nsqrtsd %w, %w\nmovqr %n, %w\n{show('%n')}"
    for lowered in agrees(main_of(body)):
        assert forms.MOVSD in [i.op for i in lowered.functions["main"].body]


def test_whole_vectors_keep_all_their_bits():
    body = "rdi <- 9\nrsi <- 5\ncall allocate 2\n%p <- rax\nmem %p 8 <- 1\nmem %p 16 <- 2\nmovups %v, mem %p 8\n"
    body += "paddq %v, %v\nrdi <- 3\ncall print 1\npaddq %v, %v\nmovups mem %p 24, %v\n"
    body += "%a <- mem %p 24\n%b <- mem %p 32\n" + show("%a") + show("%b")
    agrees(main_of(body))


def test_two_results_have_two_registers():
    """Even where one of them is not used, before and behind the other, and where the second is read as well."""
    both = "%u <- 9223372036854775807\nrdx <- %u\nmulx {}, {}, {}\n"
    body = both.format("%h", "%l", "%u") + show("%h") + both.format("%h", "%l", "%u") + show("%l")
    body += "%l <- 5\n" + both.format("%h", "%l", "%l") + show("%h") + show("%l") + both.format("%h", "%h", "%u") + show("%h")
    agrees(main_of(body))


@pytest.mark.parametrize("level", LEVELS)
def test_a_vector_in_two_registers_is_returned_with_the_others_restored(level):
    body = "%k <- rdi\ncall print 1\nmovq %v, %k\nmovaps xmm0, %v\nmovaps xmm1, %v\nreturn xmm0 xmm1"
    function = allocate(read(f"(@main (@main 0 return) (@f 1\n{body}\n))"), level).functions["f"]
    assert function.body[0].operands[1] is function.body[-2].operands[0]


@pytest.mark.parametrize("level", LEVELS)
def test_results_of_floats(level):
    program = read("(@main (@main 0 return) (@f 0 movsd %x, mem rdi 8 addsd %x, %x movaps xmm0, %x return xmm0))")
    body = allocate(program, level).functions["f"].body
    assert [i.op.name for i in body] == ["movsd", "addsd", "return"]
    assert body[1].operands == (XMM[0], XMM[0])


@pytest.mark.parametrize("level", LEVELS)
def test_moves_vanish(level):
    program = read("(@main (@main 0 return) (@f 2 %a <- rdi %b <- rsi %c <- %a %c += %b rax <- %c return))")
    assert len(allocate(program, level).functions["f"].body) <= 3


def test_values_of_a_reused_variable_are_apart():
    """Split, the first `%t` can be rdi and the second rsi; together they could be neither."""
    source = "(@main (@main 0 return) (@f 0 %t <- 1 rdi <- %t %t <- 2 rsi <- %t call @g (rdi, rsi) return) (@g 2 return))"
    assert len(allocate(read(source), 2).functions["f"].body) == 4


@pytest.mark.parametrize("level", LEVELS)
def test_inserted_instructions_have_spans(level):
    names = [f"%v{i}" for i in range(30)]
    body = "\n".join([f"{name} <- {i}" for i, name in enumerate(names)]) + "\nrdi <- 1\ncall print 1\n"
    program = read(main_of(body + "\n".join([f"%v0 *= {name}" for name in names])))
    assert all(i.span for i in allocate(program, level).functions["main"].body)


def test_the_input_is_not_changed():
    program = read(main_of("%x <- 1\n%n <- 2\n%x <<= %n\n" + show("%x")))
    before = text.print_program(program)
    for level in LEVELS:
        allocate(program, level)
    assert text.print_program(program) == before


@pytest.mark.parametrize("level", LEVELS)
def test_the_result_is_l1(level):
    program = read(random_program(random.Random(3), 30, 100))
    lowered = allocate(program, level)
    again = l1_text.parse(Source(l1_text.print_program(lowered)), recognise=False)
    assert l1_text.print_program(again) == l1_text.print_program(lowered)


# Random programs

OPERATIONS = ["{v} <- {t}", "{v} += {t}", "{v} -= {t}", "{v} *= {t}", "{v} &= {t}", "{v} <<= {v}", "{v} >>= 3", "{v}++"]
OPERATIONS += ["{v} <- {t} < {t}", "{v} <- {t} >=u {t}", "{v} @ {v} {v} 4", "imul {v}, {v}, 7", "xchg {v}, {v}"]
OPERATIONS += ["add32 {v}, {v}", "mov32 {v}, {v}", "movzx8 {v}, {v}", "movsx32 {v}, {v}", "neg {v}", "shl32 {v}, 3"]
OPERATIONS += ["cmp {v}, {t}\ncmovl {v}, {v}", "cmp {v}, {v}\nsetl %bit\nmovzx8 {v}, %bit", "bt {v}, 5\ncmovb {v}, {v}"]
OPERATIONS += ["{v} <- mem %p {m}", "mem %p {m} <- {v}", "{v} += mem %p {m}", "mem %p {m} -= {v}"]
OPERATIONS += ["%i <- {v}\n%i &= 7\nmem %p %i*8 8 <- {v}\nadd {v}, mem %p %i*8 16\nsub mem %p %i*8 8, {v}"]
OPERATIONS += ["rax <- {v}\ncqo\n%d <- {v}\n%d &= 255\n%d += 2\nidiv %d\n{v} <- rax\n{v} <- rdx"]
OPERATIONS += ["rdi <- {v}\nrsi <- {v}\nmem rsp -8 <- :r{n}\ncall @f 2\n:r{n}\n{v} <- rax", "rdi <- {v}\ncall @f (rdi)"]
OPERATIONS += ["cjump {t} <= {t} :l{n}\n{v} += {t}\n{v} -= {v}\n:l{n}", "cjump {t} = {t} :l{n}\n{v} *= {t}\n:l{n}"]
FLOATS = ["addsd {x}, {x}", "mulsd {x}, {x}", "movaps {x}, {x}", "movqr {v}, {x}", "movq {x}, {v}", "cvtsi2sd {x}, {v}"]
FLOATS += ["movsd {x}, mem %p {m}", "movsd mem %p {m}, {x}", "ucomisd {x}, {x}\nsetb %bit\nmovzx8 {v}, %bit"]


def random_program(rng, variables, length, floats=False):
    names = [f"%v{i}" for i in range(variables)]
    vectors = [f"%x{i}" for i in range(variables // 2 + 1)]
    operations = [o for o in OPERATIONS if "call" not in o] + FLOATS if floats else OPERATIONS
    out = ["rdi <- 41\nrsi <- 1\ncall allocate 2\n%p <- rax"]
    out += [f"{name} <- {rng.choice([i, -i, rng.getrandbits(62)])}" for i, name in enumerate(names)]
    out += [f"cvtsi2sd {name}, {rng.choice(names)}" for name in vectors if floats]
    loops = []
    for n in range(length):
        template = rng.choice(operations)
        while "{" in template:
            for kind, choices in (("{v}", names), ("{x}", vectors), ("{m}", range(8, 160, 8)), ("{n}", [n])):
                template = template.replace(kind, str(rng.choice(choices)), 1 if kind != "{n}" else -1)
            numbers = [0, 1, -1, rng.getrandbits(31), -rng.getrandbits(31), rng.getrandbits(62)]
            template = template.replace("{t}", str(rng.choice([*names, *numbers])), 1)
        out.append(template)
        if rng.random() < 0.05 and len(loops) < 2:
            loops.append(n)
            out.append(f"%c{n} <- 0\n:loop{n}")
        elif rng.random() < 0.05 and loops:
            out.append(f"%c{loops[-1]}++\ncjump %c{loops[-1]} < 3 :loop{loops.pop()}")
    out += [f"%c{n}++\ncjump %c{n} < 3 :loop{n}" for n in reversed(loops)]
    out += [f"movqr %q, {name}\n%v0 *= 7\n%v0 += %q" for name in vectors if floats]
    out += [f"%v0 *= 31\n%v0 += {name}" for name in names] + [f"%v0 += mem %p {m}" for m in range(8, 160, 8)]
    return main_of("\n".join(out) + "\n" + show("%v0"), "(@f 2\n%s <- rdi\n%s *= 3\n%s &= 1023\nrax <- %s\nreturn)")


@pytest.mark.parametrize("seed", range(24))
def test_random_programs(seed):
    rng = random.Random(seed)
    agrees(random_program(rng, rng.choice([3, 10, 20, 50]), rng.choice([20, 100, 250]), seed % 3 == 0), seed % 2 == 0)


# The checker must notice what goes wrong


@pytest.mark.parametrize("seed", range(60))
def test_the_checker_notices(seed):
    """Change one register or slot in an allocated function.  What runs differently must not pass the checker."""
    rng = random.Random(seed)
    program = read(random_program(rng, 20, 40))
    lowered = lower.lower_program(program, Options(opt=seed % 3))
    function = lowered.functions["main"]
    at = rng.choice([n for n, i in enumerate(function.body) if i.op is forms.MOV])
    old = function.body[at]
    operands = list(old.operands)
    number = rng.randrange(2)
    operands[number] = (
        Mem(RSP, 8 * rng.randrange(function.slots)) if rng.random() < 0.5 else forms.NAMED[rng.choice(["rbx", "r9"])]
    )
    if all(isinstance(operand, Mem) for operand in operands):
        return
    function.body[at] = Instruction(old.op, tuple(operands), old.span)
    try:
        check(program.functions["main"], function)
    except Mismatch:
        return
    try:
        assert output(l1_interpret, lowered) == output(interpret, program)
    except Fault as fault:  # what nothing uses may be loaded from where nothing is
        assert "reads a stack slot that nothing wrote" in str(fault)


# Time


def worst(kind, n):
    """Functions that have been slow in some allocator or other."""
    if kind == "all live at once":
        return [f"%v{i} <- {i}" for i in range(n)] + ["rax <- 0"] + [f"rax += %v{i}" for i in range(n)]
    if kind == "live through many blocks":
        out = [f"%v{i} <- {i}" for i in range(n // 4)]
        for i in range(n // 4):
            out += [f"cjump %v{i} < {i} :l{i}", f"%v{(i * 7) % (n // 4)} += %v{i}", f":l{i}"]
        return out + [f"rax += %v{i}" for i in range(n // 4)]
    if kind == "moves of one variable":
        return ["%h <- 1"] + [f"%a{i} <- %h\n%a{i} += {i}\n%h += %a{i}" for i in range(n // 3)]
    if kind == "blocks backward":
        out = [f":l{i}\n%x{i} <- rdi\n%y += %x{i}\ngoto :l{i + 1}" for i in range(n // 4 - 1, -1, -1)]
        return ["%y <- 0", "goto :l0", *out, f":l{n // 4}", "rdi <- %y"]
    assert kind == "nested loops"
    out = [f"%i{i} <- 0\n:h{i}" for i in range(n // 40)]
    return out + [f"%i{i} += 1\ncjump %i{i} < 9 :h{i}" for i in range(n // 40 - 1, -1, -1)]


KINDS = ["all live at once", "live through many blocks", "moves of one variable", "blocks backward", "nested loops"]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_work_is_linear(kind, level):
    def work(n):
        program = read("(@f (@f 2\n" + "\n".join(worst(kind, n)) + "\nreturn))")
        return calls(lambda: lower.lower(program.functions["f"], program, Options(opt=level)))

    work(100)
    assert work(10_000) < 16 * work(1_250)


# Ways out before calls

EARLY = """(@main (@main 0 rdi <- 9 call @fib (rdi) %r <- rax rdi <- %r rdi <<= 1 rdi += 1 call print 1 return)
(@fib 1
  %n <- rdi
  cjump %n >= 2 :large
  goto :small
  :large
  %m <- %n
  %m -= 1
  rdi <- %m
  call @fib (rdi)
  %a <- rax
  %m <- %n
  %m -= 2
  rdi <- %m
  call @fib (rdi)
  %n <- rax
  %n += %a
  :small
  rax <- %n
  return))"""


def test_early_returns_save_nothing():
    program = read(EARLY)
    lowered = allocate(program, 2)
    assert output(l1_interpret, lowered) == output(interpret, program)
    body = lowered.functions["fib"].body
    first = next(number for number, i in enumerate(body) if i.op is forms.RETURN)
    assert not any(isinstance(operand, Mem) for i in body[: first + 1] for operand in i.operands)
    assert sum(i.op is forms.RETURN for i in body) == 2


@pytest.mark.parametrize("kind", ["save", "restore"])
def test_the_checker_knows_callee_saved_registers(kind):
    program = read(EARLY)
    function = allocate(program, 2).functions["fib"]
    slot = 0 if kind == "save" else 1
    at = [n for n, i in enumerate(function.body) if i.op is forms.MOV and isinstance(i.operands[slot], Mem)]
    del function.body[at[-1]]
    with pytest.raises(Mismatch, match="return"):
        check(program.functions["fib"], function)


def test_large_ends_are_not_copied():
    program = read(EARLY.replace("rax <- %n\n", "rax <- %n\n" + "%n *= 3\n%n += rax\nrax <- %n\n" * 9))
    lowered = allocate(program, 2)
    assert output(l1_interpret, lowered) == output(interpret, program)
    assert sum(i.op is forms.RETURN for i in lowered.functions["fib"].body) == 1


# Vectors of all sizes


def wide(count, size):
    """A program with that many vectors of `size` bytes alive across a call."""
    suffix = {32: "256", 64: "512"}[size]
    names = [f"%v{i}" for i in range(count)]
    body = "rdi <- 41\nrsi <- 9\ncall allocate 2\n%p <- rax\n"
    body += "".join([f"mem %p 16 <- {i}\nvmovups{suffix} {name}, mem %p 8\n" for i, name in enumerate(names)])
    body += "rdi <- 3\ncall print 1\n"
    body += "".join(
        [f"vmovaps{suffix} %t, {name}\nvpaddq{suffix} %s, %t, {name}\nvmovups{suffix} mem %p 8, %s\n" for name in names]
    )
    return main_of(body + "%r <- mem %p 16\n" + show("%r"))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("size", "target"), [(32, "x86-64-v3"), (64, "x86-64-v4")])
def test_slots_are_as_wide_as_their_variables(level, size, target):
    program = read(wide(5, size))
    lowered = lower.lower_program(program, Options(opt=level, target=target))
    function = lowered.functions["main"]
    check(program.functions["main"], function)
    assert output(l1_interpret, lowered) == output(interpret, program)
    assert 5 * size <= 8 * function.slots <= 6 * size + 32
    function.slots -= 1  # what is written behind the last slot is noticed
    with pytest.raises(Mismatch):
        check(program.functions["main"], function)


@pytest.mark.parametrize("level", LEVELS)
def test_the_checker_notices_slots_that_overlap(level):
    program = read(wide(5, 32))
    function = lower.lower_program(program, Options(opt=level, target="x86-64-v3")).functions["main"]
    at = next(n for n, i in enumerate(function.body) if i.op.name == "vmovups256" and isinstance(i.operands[0], Mem))
    old = function.body[at]
    slot = old.operands[0]
    for number, instruction in enumerate(function.body):
        moved = [Mem(RSP, slot[3] + 8) if operand == slot else operand for operand in instruction.operands]
        function.body[number] = Instruction(instruction.op, tuple(moved), instruction.span)
    with pytest.raises(Mismatch):
        check(program.functions["main"], function)


@pytest.mark.parametrize("level", LEVELS)
def test_a_float_moved_about_has_a_slot_of_8_bytes(level):
    body = "%n <- 3\ncvtsi2sd %x, %n\nmovaps %y, %x\nrdi <- 3\ncall print 1\naddsd %y, %y\ncvttsd2si %r, %y\n" + show("%r")
    program = read(main_of(body))
    assert "movsd" in [i.op.name for i in allocate(program, level).functions["main"].body]


@pytest.mark.parametrize("level", LEVELS)
def test_roots_are_named_where_they_are(level):
    """In a slot or in a register, but never loaded to be named."""
    names = [f"%v{i}" for i in range(20)]
    body = "".join([f"{name} <- rax\n{name} += {i}\n" for i, name in enumerate(names)])
    body = "call input 0\n" + body + f"rdi <- 3\ncall print 1\nroots {', '.join(names)}\n" + "".join([show(n) for n in names])
    program = read(main_of(body))
    body = allocate(program, level).functions["main"].body
    at = next(n for n, i in enumerate(body) if i.op.name == "roots")
    assert body[at - 1].op is forms.CALL
    assert any(isinstance(operand, Mem) for operand in body[at].operands)


def test_loops_have_registers_for_what_is_spilled_around_them():
    names = [f"%v{i}" for i in range(18)]
    body = "call input 0\n" + "".join([f"{name} <- rax\n{name} += {i}\n" for i, name in enumerate(names)])
    body += "%i <- 0\n%s <- 0\ngoto :loop\n:loop\n" + "".join([f"%s += {name}\n" for name in names[:4]])
    body += "%i++\ncjump %i < 9 :loop\n" + "".join([f"%s ^= {name}\n".replace("^=", "+=") for name in names]) + show("%s")
    program = read(main_of(body))
    lowered = allocate(program, 3)
    assert output(l1_interpret, lowered) == output(interpret, program)
    body = lowered.functions["main"].body
    start = next(n for n, i in enumerate(body) if i.op is forms.LABEL)
    end = next(n for n, i in enumerate(body) if i.op.jumps and n > start)
    assert not any(isinstance(operand, Mem) for i in body[start:end] for operand in i.operands)


def cleaned(body):
    return [repr(i)[1:-1] for i in clean(l1_text.parse(Source(f"(@main (@main 0 4 {body} return))")).functions["main"].body)][
        :-1
    ]


def test_slots_whose_content_is_at_hand_are_not_loaded():
    store, load = "mem rsp 8 <- rax\n", "rcx <- mem rsp 8\n"
    assert cleaned(store + "rax <- mem rsp 8") == cleaned(store)
    assert cleaned(store + load) == cleaned(store + "rcx <- rax")
    assert cleaned(load + "mem rsp 8 <- rcx") == cleaned(load)
    for change in ("rax += 1", "mem rsp 8 += 1", "call print 1", ":l", "cqo\nrax <- rdx"):
        assert cleaned(store + change + "\n" + load)[-1] == cleaned(load)[0]
    for change in ("rdx += rax", "mem rsp 16 <- rdx", "rdx <- mem rsp 0"):
        assert cleaned(store + change + "\n" + load)[-1] == cleaned("rcx <- rax")[0]
