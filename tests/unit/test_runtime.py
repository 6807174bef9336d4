"""The native runtime: the same output as the model's, and what it does where the system is unkind."""

import os
import pty
import resource
import subprocess
import sys
import time

import pytest

from septet.base.files import write
from septet.base.options import Options
from septet.base.source import Source
from septet.base.symbols import Data
from septet.base.types import BOOL, F32, F64, I8, I16, I64, PTR, U8, U32, U64
from septet.base.words import encode, wrap
from septet.l1.lower import lower_program
from septet.l1.text import parse
from septet.link import elf, jit, layout
from septet.runtime import image as runtime_image
from septet.runtime import model
from septet.x86.abi import ARGUMENTS, ARRAY, FUNCTION, TUPLE, descriptor


def link(text):
    program = parse(Source(text))
    return layout.link(lower_program(program, Options()), program.data, program.entry)


def capture(text, stdin=b"", timeout=60):
    return jit.capture(link(text), stdin, timeout)


def executable(text, path):
    write(str(path), elf.executable(link(text)), executable=True)
    return str(path)


def calls(name, arguments):
    """An L1 program that calls one routine with these words and prints what it gives."""
    loads = "\n".join(f"{register} <- {word}" for register, word in zip(ARGUMENTS, arguments, strict=False))
    return f"(@m (@m 0 0 {loads} call {name} {len(arguments)} rdi <- rax call print 1 return))"


def modelled(name, arguments, stdin=b""):
    runtime = model.Runtime(stdin)
    status = 0
    try:
        runtime.print_value(runtime.call(name, list(arguments)))
    except model.Exit as end:
        status = end.status
    return bytes(runtime.output), bytes(runtime.errors), status


NUMBERS = [0, 1, -1, 9, 10, -10, 99, 100, 12345678901234567, (1 << 62) - 1, -(1 << 62)]
ERRORS = [
    ("tensor-error", (encode(7),)),
    *[("tensor-error", (encode(7), encode(length), encode(index))) for length, index in ((1, 1), (3, -1), (5, 9), (5, 2))],
    *[("tuple-error", (encode(7), encode(length), encode(index))) for length, index in ((1, 1), (3, -1), (5, 9), (5, 2))],
    *[("tensor-error", (encode(8), encode(2), encode(n), encode(i))) for n, i in ((1, 1), (3, -1), (5, 9), (5, 2))],
    *[("tensor-error", args) for args in ((2,), (2, 1, 1), (1, 2, 1), (1, 1, 2), (1, 1, 1, 2), (1, 2, 1, 1), (0, 0, 0, 0))],
    *[("tuple-error", args) for args in ((2, 1, 1), (1, 2, 1), (1, 1, 2))],
    *[("kind-error", (encode(3), value, descriptor(TUPLE))) for value in (0, 1, 5, -7)],
    *[("kind-error", (encode(3), value, descriptor(ARRAY, 2))) for value in (0, 5)],
    *[("kind-error", (encode(3), value, descriptor(FUNCTION, arity))) for value in (0, 5) for arity in (0, 1, 2)],
    *[("length-error", (encode(4), encode(n))) for n in (-1, 1, 1 << 40)],
    *[("dimension-error", (encode(4), encode(n), encode(i))) for n, i in ((1, 1), (2, -1), (3, 7))],
    ("division-error", (encode(1 << 30),)),
    *[("conversion-error", (line,)) for line in (encode(1 << 30), 2)],
    *[("allocate", args) for args in ((2, 1), (-1, 1), (-9, 1, 3), (wrap(1 << 63), 1), (encode(-(1 << 62)), 1))],
]


@pytest.mark.parametrize("name, arguments", [("print", (encode(n),)) for n in NUMBERS] + [("print", (0,)), *ERRORS])
def test_agrees_with_the_model(name, arguments):
    done = capture(calls(name, arguments))
    assert (done.stdout, done.stderr, done.status) == modelled(name, arguments)


def test_kinds_of_objects():
    """kind-error tells arrays, tuples, functions and plain objects apart."""
    for kind, said in (
        (descriptor(ARRAY, 1), b"an array of 1 dimension "),
        (descriptor(ARRAY, 3), b"an array of 3 dimensions "),
        (descriptor(TUPLE), b"a tuple "),
        (descriptor(1), b"an object without a kind "),
    ):
        make = f"rdi <- 3 rsi <- 1 rdx <- {kind} call allocate 3 rdi <- 9 rsi <- rax rdx <- 260 call kind-error 3"
        done = capture(f"(@m (@m 0 0 {make} return))")
        assert done.stdout == b"ERROR: instruction at line 4 attempted to use " + said + b"as a function of 1 argument\n"
    done = capture("(@m (@m 0 0 rdi <- 9 rsi <- @f rdx <- 3 call kind-error 3 return) (@f 2 0 return))")
    assert b"attempted to use a function of 2 arguments as a tuple" in done.stdout


OBJECTS = """(@m (@m 0 4
    rdi <- 7 rsi <- 1 rdx <- 3 call allocate 3 mem rsp 0 <- rax
    rdi <- 1 rsi <- 5 call allocate 2 mem rsp 8 <- rax
    rdi <- 3 rsi <- mem rsp 8 call allocate 2 mem rsp 16 <- rax
    rdi <- mem rsp 0 rcx <- mem rsp 16 mem rdi 8 <- rcx
    rcx <- @m mem rdi 16 <- rcx mem rdi 24 <- 0
    call print 1
    rdi <- mem rsp 0 mem rdi 16 <- rdi call print 1 return))"""


def test_prints_objects():
    """Nesting, nil, code, an empty object, and an object in itself as far as four levels deep."""
    done = capture(OBJECTS)
    first, second = done.stdout.decode().splitlines()
    assert first == "{s:3, {s:1, {s:0}}, <code>, nil}"
    inner = "{s:3, {s:1, ...}, {s:3, ..., ..., ...}, nil}"
    level = f"{{s:3, {{s:1, {{s:0}}}}, {inner}, nil}}"
    assert second == f"{{s:3, {{s:1, {{s:0}}}}, {level}, nil}}"


INPUTS = [
    b"5\n", b"-7\n", b"+8\n", b"  \t\v\f 42\n", b"x\n", b"\n", b"12x3\n", b"- 5\n", b"--5\n", b"007\n", b"1\r\n2\r\n",
    b"3\r4\r",
    b"9223372036854775807\n", b"9223372036854775808\n", b"-9223372036854775808\n", b"-9223372036854775809\n", b"5", b" ", b"",
    b"4611686018427387904\n", b"1" * 40 + b"\n", b"-" + b"9" * 40 + b"\n", b"0" * 5000 + b"7\n", b"1\0002\n", b"\xff\n", b"\r",
    b"1000000000000000000\n", b"9999999999999999999\n", b"18446744073709551616\n", b"18446744073709551617\n",
]  # fmt: skip
READ_ALL = "(@m (@m 0 0 :again call input 0 rdi <- rax call print 1 goto :again))"


@pytest.mark.parametrize("stdin", INPUTS)
def test_input(stdin):
    """Every line until the end of the input, which is an error, as the model reads them."""
    runtime = model.Runtime(stdin)
    with pytest.raises(model.Exit):
        while True:
            runtime.print_value(runtime.read_input())
    done = capture(READ_ALL, stdin)
    assert (done.stdout, done.stderr, done.status) == (bytes(runtime.output), bytes(runtime.errors), 1)


def test_input_in_pieces():
    """The model reads from a function as it reads from bytes."""
    pieces = iter([b"1", b"2\r", b"\n3", b"\n", b"4", b""])
    runtime = model.Runtime(lambda: next(pieces, b""))
    assert [runtime.read_input() >> 1 for _ in range(4)] == [12, 0, 3, 4]
    with pytest.raises(model.Exit):
        runtime.read_input()


def test_much_input_and_output():
    count = 200_000
    text = f"""(@m (@m 0 1 mem rsp 0 <- 0 :again call input 0 rdi <- rax call print 1
        mem rsp 0 += 1 rax <- mem rsp 0 cjump rax < {count} :again return))"""
    numbers = b"".join(b"%d\n" % (number * 977 % 100_003) for number in range(count))
    image = link(text)
    done = jit.capture(image, numbers, 60)
    assert done.stdout == numbers and done.status == 0


# Memory

ALLOCATE_FOR_EVER = "(@m (@m 0 0 rbx <- 1 :again rdi <- 2000001 rsi <- rbx call allocate 2 rbx <- rax goto :again))"
HUGE = "(@m (@m 0 0 rdi <- {} rsi <- 1 call allocate 2 rdi <- 3 call print 1 return))"


@pytest.mark.parametrize("words", [1 << 40, 1 << 55, 1 << 56, 1 << 61, (1 << 62) - 1])
def test_huge_allocation(words):
    done = capture(HUGE.format(encode(words)))
    assert (done.stdout, done.stderr, done.status) == (b"", b"septet: out of memory\n", 1)


def test_address_space_limit(tmp_path):
    path = executable(ALLOCATE_FOR_EVER, tmp_path / "a")
    limit = 1 << 30
    done = subprocess.run(
        [path], capture_output=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    )
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"septet: out of memory\n", 1)


def test_objects_keep_what_is_in_them():
    """Objects of many sizes, across chunks: each is filled, and none overlaps the next."""
    text = """(@m (@m 0 3 rbx <- 1 mem rsp 0 <- 0
        :again rdi <- rbx rsi <- rbx call allocate 2
        r12 <- mem rsp 0 cjump rax <u r12 :bad
        rcx <- mem rax 0 rdx <- rbx rdx >>= 1 cjump rcx != rdx :bad
        cjump rcx = 0 :next
        r12 @ rax rcx 8 r13 <- mem r12 0 cjump r13 != rbx :bad r13 <- mem rax 8 cjump r13 != rbx :bad
        :next rcx @ rax rcx 8 mem rsp 0 <- rcx
        rbx += 14 cjump rbx < 12001 :again
        rdi <- 3 call print 1 return
        :bad rdi <- 5 call print 1 return))"""
    assert capture(text).stdout == b"1\n"


def recursive(depth):
    return f"""(@m (@m 0 0 rdi <- {depth} call @f (rdi) rdi <- rax call print 1 return)
        (@f 1 1 mem rsp 0 <- rdi cjump rdi = 0 :end rdi -= 1 call @f (rdi) rax += 2 return :end rax <- 1 return))"""


def test_deep_recursion():
    assert capture(recursive(100_000)).stdout == b"100000\n"


def test_endless_recursion_is_stopped():
    done = capture(recursive(1 << 40))
    assert (done.stdout, done.stderr, done.status) == (b"", b"septet: stack overflow\n", 1)


# The model's memory


NATURAL = [(I8, -5), (U8, 250), (I16, -300), (U32, 1 << 31), (I64, -1), (U64, 1 << 63), (BOOL, 1), (F32, 0x7FC00000)]


@pytest.mark.parametrize("type, number", [*NATURAL, (F64, 1 << 63), (PTR, 1 << 63)])
@pytest.mark.parametrize("offset", [0, 1, 5])
def test_model_keeps_numbers(type, number, offset):
    runtime = model.Runtime()
    address = runtime.define_data(Data("x", 24)) + offset
    runtime.store(address, type, number)
    assert runtime.load(address, type) == number
    assert runtime.load(address + type.bits // 8 + (type.bits < 8), U8) == 0
    runtime.store_word(address, -2)
    assert runtime.load_word(address) == -2 and runtime.load(address, I64) == -2


def test_model_faults_where_nothing_is():
    runtime = model.Runtime()
    data = runtime.define_data(Data("x", 16, b"abc"))
    assert runtime.load_word(data) == 0x636261
    for address in (0, 1, -8, data + 16, data + 9, model.BASE - 8, runtime.stack_top, runtime.stack_top - 7, 1 << 62, -1 << 63):
        for attempt in (
            lambda at: runtime.load_word(at),
            lambda at: runtime.store_word(at, 1),
            lambda at: runtime.load(at, I64),
        ):
            with pytest.raises(model.Fault):
                attempt(address)
    runtime.store_word(runtime.stack_top - 8, 7)
    assert runtime.load_word(runtime.stack_top - 8) == 7


def test_model_objects():
    runtime = model.Runtime(heap_limit=1 << 20)
    array, pair = runtime.new_array([encode(2), encode(3)]), runtime.new_tuple(encode(2))
    function = runtime.define_function("f", 3, 17)
    assert [runtime.descriptor(word) for word in (array, pair, function)] == [
        descriptor(ARRAY, 2),
        descriptor(TUPLE),
        descriptor(FUNCTION, 3),
    ]
    assert runtime.load(function - 4, U32) == encode(17) and runtime.function_at[function] == "f" and function % 16 == 0
    assert [runtime.descriptor(word) for word in (0, 1, 4, -8, 1 << 40, array + 1)] == [0] * 6
    assert runtime.load_word(array) == 8
    runtime.print_value(array)
    assert runtime.output == b"{s:8, 2, 3, 0, 0, 0, 0, 0, 0}\n"
    with pytest.raises(model.Inconclusive):
        runtime.new_tuple(encode(1 << 17))


def test_model_with_little_address_space():
    script = "from septet.runtime.model import Runtime; print(Runtime().call('allocate', [7, 1]) > 0)"
    limit = 900 << 20
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.stdout == b"True\n", done.stderr


# Files that are not files

PRINT_FOR_EVER = "(@m (@m 0 0 :again rdi <- 11 call print 1 goto :again))"
PRINT_ONE = "(@m (@m 0 0 rdi <- 11 call print 1 return))"


def test_closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert jit.run(link(PRINT_FOR_EVER), 0, writer).signal == 13
    finally:
        os.close(writer)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_full_device(tmp_path):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([executable(PRINT_ONE, tmp_path / "a")], stdout=full, stderr=subprocess.PIPE)
    assert (done.stderr, done.returncode) == (b"septet: cannot write the output: no space is left on the device\n", 1)


def test_closed_files(tmp_path):
    path = executable(PRINT_ONE, tmp_path / "a")
    done = subprocess.run(["/bin/sh", "-c", f"{path} >&-"], capture_output=True)
    assert (done.stderr, done.returncode) == (b"septet: cannot write the output: error 9\n", 1)
    path = executable(READ_ALL, tmp_path / "b")
    done = subprocess.run(["/bin/sh", "-c", f"{path} <&-"], capture_output=True)
    assert (done.stderr, done.returncode) == (b"septet: cannot read the input: error 9\n", 1)


def test_pipe_that_does_not_block(tmp_path):
    """A full pipe that was opened not to block is waited for."""
    path = executable(
        "(@m (@m 0 0 rbx <- 0 :again rdi <- 11 call print 1 rbx++ cjump rbx < 100000 :again return))", tmp_path / "a"
    )
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with subprocess.Popen([path], stdout=writer) as child:
        os.close(writer)
        time.sleep(0.2)
        with open(reader, "rb") as file:
            assert file.read() == b"5\n" * 100_000
    assert child.returncode == 0


def test_terminal(tmp_path):
    """On a terminal each line is seen when it is printed; everywhere, before input is read."""
    path = executable("(@m (@m 0 0 rdi <- 11 call print 1 call input 0 rdi <- rax call print 1 return))", tmp_path / "a")
    master, slave = pty.openpty()
    with subprocess.Popen([path], stdin=slave, stdout=slave, stderr=slave) as child:
        os.close(slave)
        assert os.read(master, 100) == b"5\r\n"
        os.write(master, b"77\n")
        seen = b""
        while seen.count(b"77\r\n") < 2:
            seen += os.read(master, 100)
        assert child.wait(10) == 0
    os.close(master)


def test_output_before_input_through_pipes(tmp_path):
    path = executable("(@m (@m 0 0 rdi <- 11 call print 1 call input 0 rdi <- rax call print 1 return))", tmp_path / "a")
    with subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"5\n"
        child.stdin.write(b"8\n")
        child.stdin.close()
        assert child.stdout.read() == b"8\n"


def test_needs_no_environment(tmp_path):
    path = executable(PRINT_ONE, tmp_path / "a")
    done = subprocess.run([path], capture_output=True, env={})
    assert done.stdout == b"5\n" and os.stat(path).st_mode & 0o111


def test_hello_is_small(tmp_path):
    path = executable(PRINT_ONE, tmp_path / "a")
    assert os.path.getsize(path) < 16384


# The image


def test_generated_module_is_the_same_runtime():
    made: dict[str, object] = {}
    exec(runtime_image.generate(), made)
    built = runtime_image.build()
    assert made["DIGEST"] == runtime_image.digest()
    assert made["CONTENT"] == built.content
    assert made["REFERENCES"] == built.references and made["WRITABLE"] == built.writable
    assert runtime_image.build().content == built.content


def test_registers_are_zero_at_the_start(tmp_path):
    """In this process as in an executable, whatever was in them before."""
    registers = "rax rcx rdx rbx rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
    either = "\n".join(f"or rax, {register}" for register in registers[1:])
    floats = "\n".join(f"movqr rcx, xmm{number}\nor rax, rcx" for number in range(16))
    text = f"(@m (@m 0 0\n{either}\n{floats}\nrdi <- rax rdi <<= 1 rdi++ call print 1 return))"
    assert capture(text).stdout == b"0\n"
    assert subprocess.run([executable(text, tmp_path / "a")], capture_output=True).stdout == b"0\n"
