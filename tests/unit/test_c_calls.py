"""Calls between programs and C, both ways: by System V's convention, whatever the parameters are."""

from __future__ import annotations

import ctypes
import math
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import septet
from septet import ir
from septet.base.diagnostics import Rejected
from septet.runtime.model import Fault

LEVELS = (0, 1, 2, 3)
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")

MATHS = """
declare f64 @sin (f64)
declare f64 @pow (f64, f64)
declare i32 @abs (i32)

define void @show (f64 %x) words {
  :entry
    f64 %y <- %x * 1000000.0
    i64 %z <- convert %y
    int64 %w <- tag %z
    call print(%w)
    return
}

define void @main () words {
  :entry
    f64 %x <- call c @sin(0.5)
    call @show(%x)
    f64 %y <- call c @pow(%x, 3.5)
    call @show(%y)
    i32 %k <- call c @abs(-7)
    f64 %z <- convert %k
    call @show(%z)
    ptr %f <- ptr @sin
    f64 %t <- call c %f(f64 0.5)
    call @show(%t)
    return
}
"""
SHOWN = f"479425\n{int(math.pow(math.sin(0.5), 3.5) * 1000000)}\n7000000\n479425\n"

SORT = """
declare void @qsort (ptr, i64, i64, ptr)
data @array 24

define i32 @compare (ptr %a, ptr %b) words c {
  :entry
    i32 %x <- load %a
    i32 %y <- load %b
    bool %less <- %x < %y
    bool %more <- %x > %y
    i32 %l <- convert %less
    i32 %m <- convert %more
    i32 %d <- %m - %l
    return %d
}

define void @main () words {
  :entry
    store.i32 @array <- 5
    store.i32 @array + 4 <- -3
    store.i32 @array + 8 <- 4
    store.i32 @array + 12 <- 2147483647
    store.i32 @array + 16 <- -2147483648
    call c @qsort(@array, 5, 4, ptr @compare)
    br :next
  :next
    i64 %i <- phi (:entry i64 0, :next %more)
    i64 %at <- %i << 2
    ptr %p <- ptr @array + %at
    i32 %e <- load %p
    i64 %n <- convert %e
    int64 %w <- tag %n
    call print(%w)
    i64 %more <- %i + 1
    bool %again <- %more < 5
    br %again :next :done
  :done
    return
}
"""


@pytest.mark.parametrize("opt", LEVELS)
def test_functions_of_libm_in_every_language_and_natively(opt: int) -> None:
    program = septet.compile(MATHS, language="ir", opt=opt)
    for stage in ("ir", "l3", "l2", "l1"):
        text = program.text(stage)
        assert septet.compile(text, language=stage).text(stage) == text
        assert program.interpret(stage).stdout == SHOWN
    assert program.run(capture=True).stdout == SHOWN


@pytest.mark.parametrize("opt", LEVELS)
def test_qsort_calls_our_comparator(opt: int) -> None:
    program = septet.compile(SORT, language="ir", opt=opt)
    assert program.run(capture=True).stdout == "-2147483648\n-3\n4\n5\n2147483647\n"
    with pytest.raises(Fault, match="@qsort takes or gives an address"):
        program.interpret("l1")


def test_what_is_not_defined_is_named() -> None:
    text = "declare f64 @sinn (f64)\ndefine void @main () { :entry f64 %x <- call c @sinn(0.5) return }"
    with pytest.raises(Rejected, match="'@sinn' is declared, but no library(.|\n)*sin"):
        septet.compile(text, language="ir").run(capture=True)
    with pytest.raises(Rejected, match="'@sinn' is declared, but an executable has no library of C"):
        septet.compile(text, language="ir").file("exe", "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("declare f64x4 @f (f64)", "a function of C, which knows no f64x4"),
        ("declare f64 @f (int64)", "a function of C, which knows no int64"),
        ("declare f64 @f (f64) define void @main () { :a call c @f(1.0, 2) return }", "takes 1 arguments, not 2"),
        ("declare f64 @f (f64) define void @main () { :a i64 %x <- call c @f(1.0) return }", "gives f64, not i64"),
        ("define void @f () words c { :a return } define void @main () { :a call @f() return }", "'call c @f(...)' calls it"),
        ("define void @f () { :a return } define void @main () { :a call c @f() return }", "is not of C's convention"),
        ("define void @f (int64 %x) words c { :a return } define void @main () { :a return }", "knows no int64"),
        ("define void @main () { :a f32x4 %v <- splat 1.0 call c 8(%v) return }", "which a function of C does not take"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(Rejected, match=message.replace("(...)", ".*")):
        septet.compile(text, language="ir")


def test_a_run_time_error_below_frames_of_c_ends_the_program() -> None:
    divides = "i32 %zero <- %x - %x i32 %d <- %y / %zero"
    program = septet.compile(SORT.replace("i32 %d <- %m - %l", divides), language="ir")
    result = program.run(capture=True)
    assert result.status == 1 and "line 13 attempted to divide by zero" in result.stdout


def test_a_trap_behind_a_call_of_c_is_an_exception() -> None:
    text = """
    declare i64 @labs (i64)
    define i64 @f (i64 %x) words { :a i64 %y <- call c @labs(%x) i64 %z <- %x / %y i64 %w <- call c @labs(%z) return %w }
    """
    for opt in LEVELS:
        f = septet.callables(text, opt=opt).f
        assert f(-5) == 1
        with pytest.raises(ZeroDivisionError):
            f(0)


def test_machine_languages_want_the_callee_in_rax() -> None:
    with pytest.raises(Rejected, match="how many words are on the stack, and rax"):
        septet.compile("(@main (@main 0 call-c 0 (rdi) return))", language="l2")


def test_a_function_that_c_calls_may_not_allocate() -> None:
    text = """
    define void @f () c { :a int64[] %x <- new Array(%n) int64 %n <- 3 return }
    define void @main () { :a call c @f() return }
    """
    with pytest.raises(Rejected, match="the collector knows no frames of C"):
        septet.compile(text, language="ir", opt=0).run(capture=True)


# Signatures

TYPES = {
    "i8": "int8_t", "i16": "int16_t", "i32": "int32_t", "i64": "int64_t", "u8": "uint8_t", "u16": "uint16_t",
    "u32": "uint32_t", "u64": "uint64_t", "bool": "bool", "f32": "float", "f64": "double", "ptr": "void *",
}  # fmt: skip
LIMITS = {"i": lambda n: (-(1 << n - 1), (1 << n - 1) - 1), "u": lambda n: (0, (1 << n) - 1)}
COUNT = 40


def value(rng: random.Random, type: str) -> int | float:
    if type == "bool":
        return rng.randrange(2)
    if type == "ptr":
        return rng.randrange(1 << 48)
    bits = int(type[1:])
    if type[0] == "f":
        return struct.unpack("<f", struct.pack("<f", rng.uniform(-1e6, 1e6)))[0]
    low, high = LIMITS[type[0]](bits)
    return rng.choice([low, high, rng.randint(low, high)])


def bits(type: str, number: int | float) -> int:
    """What stands in a word that a number of that type was put in, extended."""
    if type == "f64":
        return struct.unpack("<Q", struct.pack("<d", number))[0]
    if type == "f32":
        return struct.unpack("<I", struct.pack("<f", number))[0]
    return int(number) & 0xFFFFFFFFFFFFFFFF


def spelled(type: str, number: int | float) -> str:
    """In C."""
    if type == "ptr":
        return f"(void *){number}ull"
    if type == "f32":
        return f"{float(number).hex()}f"
    if type == "f64":
        return float(number).hex()
    return f"(int64_t){number & 0xFFFFFFFFFFFFFFFF}ull" if type[0] == "i" else f"{number}ull"


def keep(types: list[str], name: str) -> str:
    """C that puts arguments into `seen`, in a function that faults where its stack is not aligned."""
    body = 'float v[4] __attribute__((aligned(16))); __asm__ volatile ("movaps %%xmm15, %0" : "=m"(v));'
    for k, type in enumerate(types):
        if type == "f32" or type == "f64":
            body += f" seen[{k}] = 0; memcpy(&seen[{k}], &a{k}, sizeof a{k});"
        else:
            body += f" seen[{k}] = (uint64_t){'(int64_t)' if type[0] == 'i' else ''}a{k};"
    return body


class Signature:
    def __init__(self, rng: random.Random, number: int) -> None:
        self.number = number
        many = rng.random() < 0.5
        self.types = [rng.choice(list(TYPES)) for _ in range(rng.randrange(9, 24) if many else rng.randrange(9))]
        self.result = rng.choice([*TYPES, "void"])
        self.values = [value(rng, type) for type in self.types]
        self.given = value(rng, self.result) if self.result != "void" else 0

    def c(self) -> str:
        parameters = ", ".join(f"{TYPES[type]} a{k}" for k, type in enumerate(self.types)) or "void"
        result = TYPES.get(self.result, "void")
        give = f" return {spelled(self.result, self.given)};" if self.result != "void" else ""
        args = ", ".join(spelled(type, v) for type, v in zip(self.types, self.values, strict=True))
        n = self.number
        got = "f(" + args + ");"
        if self.result in ("f32", "f64"):
            got = f"{result} r = {got} result = 0; memcpy(&result, &r, sizeof r);"
        elif self.result != "void":
            got = f"result = (uint64_t){'(int64_t)' if self.result[0] == 'i' else ''}{got}"
        return (
            f"{result} taken{n}({parameters}) {{ {keep(self.types, 'taken')}{give} }}\n"
            f"void drive{n}({result} (*f)({parameters})) {{ {got} }}\n"
        )

    def ir(self) -> str:
        """`calls` calls C's function with the values and stores its result; `driven` has C call `given`, which stores its
        arguments."""
        n = self.number
        declared = f"declare {self.result} @taken{n} ({', '.join(self.types)})\ndeclare void @drive{n} (ptr)\n"
        args = ", ".join(self.constant(type, v) for type, v in zip(self.types, self.values, strict=True))
        text = f"define void @calls{n} (ptr %to) words {{\n  :entry\n"
        if self.result == "void":
            text += f"    call c @taken{n}({args})\n"
        else:
            text += f"    {self.result} %r <- call c @taken{n}({args})\n" + self.stored("%to", 0, self.result, "%r")
        text += "    return\n}\n"
        parameters = ", ".join(f"{type} %a{k}" for k, type in enumerate(self.types))
        text += f"define {self.result} @given{n} ({parameters}) words c {{\n  :entry\n    ptr %to <- load @place\n"
        for k, type in enumerate(self.types):
            text += self.stored("%to", k, type, f"%a{k}")
        text += f"    return {self.constant(self.result, self.given) if self.result != 'void' else ''}\n}}\n"
        text += (
            f"define void @driven{n} (ptr %to) words {{\n  :entry\n    store.ptr @place <- %to\n"
            f"    call c @drive{n}(ptr @given{n})\n    return\n}}\n"
        )
        return declared + text

    def constant(self, type: str, number: int | float) -> str:
        return f"{type} {number!r}" if type[0] == "f" else f"{type} {number}"

    def stored(self, base: str, k: int, type: str, what: str) -> str:
        name = f"{what}_{k}"
        if type in ("f32", "f64"):
            return f"    store.{type} {base} + {8 * k} <- {what}\n"
        widen = "bitcast" if type in ("u64", "ptr") else "convert"
        return f"    i64 {name} <- {widen} {what}\n    store.i64 {base} + {8 * k} <- {name}\n"


@pytest.fixture(scope="module")
def signatures() -> list[Signature]:
    rng = random.Random(4)
    return [Signature(rng, number) for number in range(COUNT)]


@pytest.fixture(scope="module")
def library(signatures: list[Signature], tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("c")
    source = "#include <stdbool.h>\n#include <stdint.h>\n#include <string.h>\nuint64_t seen[32], result;\n"
    (folder / "taken.c").write_text(source + "".join(signature.c() for signature in signatures))
    subprocess.run(["gcc", "-w", "-O1", "-shared", "-fPIC", "-o", folder / "taken.so", folder / "taken.c"], check=True)
    return ctypes.CDLL(str(folder / "taken.so"), ctypes.RTLD_GLOBAL)


@needs_gcc
@pytest.mark.parametrize("target", ["x86-64-v1", "native"])
@pytest.mark.parametrize("opt", LEVELS)
def test_every_argument_and_result_arrives_both_ways(
    opt: int, target: str, signatures: list[Signature], library: ctypes.CDLL
) -> None:
    text = "data @place 8\n" + "".join(signature.ir() for signature in signatures)
    names = [f"{what}{s.number}" for s in signatures for what in ("calls", "driven")]
    native = septet.callables(text, functions=names, opt=opt, target=target)
    seen = (ctypes.c_uint64 * 32).in_dll(library, "seen")
    result = ctypes.c_uint64.in_dll(library, "result")
    here = (ctypes.c_uint64 * 32)()
    for s in signatures:
        expected = [bits(type, v) for type, v in zip(s.types, s.values, strict=True)]
        ctypes.memset(seen, 0xAA, 256)
        ctypes.memset(here, 0, 256)
        native[f"calls{s.number}"](ctypes.addressof(here))
        assert list(seen[: len(expected)]) == expected, s.types
        if s.result != "void":
            assert here[0] == bits(s.result, s.given), s.result
        ctypes.memset(here, 0, 256)
        native[f"driven{s.number}"](ctypes.addressof(here))
        assert list(here[: len(expected)]) == expected, s.types
        if s.result != "void":
            assert result.value == bits(s.result, s.given), s.result


@needs_gcc
@pytest.mark.parametrize("stage", ["ir", "l3", "l2", "l1"])
def test_interpreters_pass_arguments_as_the_machine_does(stage: str, signatures: list[Signature], library: ctypes.CDLL) -> None:
    seen = (ctypes.c_uint64 * 32).in_dll(library, "seen")
    plain = [s for s in signatures if "ptr" not in (s.result, *s.types)]
    assert len(plain) > 10 and any(len(s.types) > 14 for s in plain)
    for s in plain[:16]:
        main = f"define void @main () words {{ :a call @calls{s.number}(ptr @out) i64 %n <- load @out int64 %w <- tag %n"
        text = f"data @place 8 data @out 8\n{s.ir()}{main} call print(%w) return }}"
        expected = [bits(type, v) for type, v in zip(s.types, s.values, strict=True)]
        ctypes.memset(seen, 0xAA, 256)
        shown = septet.compile(text, language="ir", opt=1).interpret(stage).stdout
        assert list(seen[: len(expected)]) == expected, s.types
        given = bits(s.result, s.given) if s.result != "void" else 0
        assert int(shown) == (given << 1 & 0xFFFFFFFFFFFFFFFF ^ 1 << 63) - (1 << 63) >> 1, s.result


# Files


@needs_gcc
def test_objects_are_linked_without_ld_and_by_it(tmp_path: Path) -> None:
    (tmp_path / "main.ir").write_text(
        "declare i32 @twice (i32, ptr)\n"
        "define i32 @next (i32 %x) words c { :a i32 %y <- %x + 1 return %y }\n"
        "define void @main () words { :a i32 %r <- call c @twice(20, ptr @next) i64 %n <- convert %r int64 %w <- tag %n"
        " call print(%w) return }\n"
    )
    (tmp_path / "twice.c").write_text("int next(int); int twice(int x, int (*f)(int)) { return f(x) + next(x); }\n")
    run = lambda *command: subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)  # noqa: E731
    run("gcc", "-c", "-O1", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "twice.c", "-o", "twice.o")
    run(sys.executable, "-m", "septet", "build", "main.ir", "twice.o", "-o", "ours")
    assert run("./ours").stdout == "42\n"
    run(sys.executable, "-m", "septet", "build", "main.ir", "--emit", "obj")
    run("ld", "main.o", "twice.o", "-o", "theirs")
    assert run("./theirs").stdout == "42\n"
    failed = subprocess.run(
        [sys.executable, "-m", "septet", "build", "main.ir", "main.ir", "-o", "none"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "'twice' is used in main.ir but not defined" in failed.stderr or "defined twice" in failed.stderr


@needs_gcc
def test_shared_objects_and_objects_use_libm(tmp_path: Path) -> None:
    text = """
    declare f64 @sin (f64)
    define f64 @twice_sin (f64 %x) words { :a f64 %y <- call c @sin(%x) f64 %z <- %y + %y return %z }
    """
    library = septet.compile(text, language="ir", library=True)
    library.save(str(tmp_path / "sines.so"), kind="so")
    function = ctypes.CDLL(str(tmp_path / "sines.so")).twice_sin
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    assert round(function(0.5), 6) == 0.958851
    library.save(str(tmp_path / "sines.o"), kind="obj")
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\ndouble twice_sin(double); int main(void) { printf("%.6f\\n", twice_sin(0.5)); return 0; }\n'
    )
    for extra in ([], ["-no-pie"]):
        subprocess.run(["gcc", *extra, "main.c", "sines.o", "-lm", "-o", "main"], cwd=tmp_path, check=True)
        assert subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout == "0.958851\n"


UNWOUND = """
declare i64 @there (i64, i64, i64, i64, i64, i64, i64, i64, i64, ptr)

define i64 @back (i64 %a, i64 %b, i64 %c, i64 %d, i64 %e, i64 %f, i64 %g) words c {
  :entry
    i64 %r <- call @inner(%g)
    i64 %s <- %r + %a
    return %s
}

define i64 @inner (i64 %x) words {
  :entry
    i64 %y <- %x / 3
    return %y
}

define i64 @odd (i64 %k) words {
  :entry
    i64 %r <- call c @there(%k, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, ptr @back)
    i64 %s <- %r + %k
    return %s
}

define void @main () words {
  :entry
    i64 %r <- call @odd(i64 1)
    i64 %s <- call c @there(%r, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, ptr @back)
    i64 %t <- %s + %r
    int64 %w <- tag %t
    call print(%w)
    return
}
"""
THERE = """
typedef long L;
L there(L a, L b, L c, L d, L e, L f, L g, L h, L i, L (*back)(L, L, L, L, L, L, L)) {
    float v[4] __attribute__((aligned(16)));
    __asm__ volatile("movaps %%xmm0, %0" : "=m"(v));
    return back(a + h, b, c, d, e, f, i) + g;
}
"""


@needs_gcc
@pytest.mark.skipif(shutil.which("gdb") is None, reason="needs gdb")
@pytest.mark.parametrize("opt", [0, 2])
def test_gdb_unwinds_through_c_and_back(opt: int, tmp_path: Path) -> None:
    """main -> odd -> C -> back -> inner, whether the stack is 16-aligned in front of the call or not."""
    (tmp_path / "main.ir").write_text(UNWOUND)
    (tmp_path / "there.c").write_text(THERE)
    command = ["gcc", "-c", "-g", "-O1", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "there.c"]
    command.append("-fno-asynchronous-unwind-tables")  # .debug_frame instead of .eh_frame
    subprocess.run(command, cwd=tmp_path, check=True)
    command = [sys.executable, "-m", "septet", "build", f"-O{opt}", "main.ir", "there.o", "-o", "main"]
    if opt:
        command += ["--without", "inline"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout == "58\n"
    steps = "set debuginfod enabled off\nbreak inner\nrun\nbacktrace\nstepi\nstepi\nbacktrace\ncontinue\nbacktrace\n"
    (tmp_path / "script").write_text(steps)
    done = subprocess.run(
        ["gdb", "-q", "-batch", "-nx", "-x", "script", "./main"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("processes cannot be traced here")
    rows = [line for line in done.stdout.splitlines() if line.startswith("#")]
    names = [
        next((name for name in ("inner", "back", "there", "call-c.4", "odd", "main") if f" {name} " in row), "") for row in rows
    ]
    through = ["inner", "back", "there", "call-c.4"]
    assert [name for name in names if name] == [*through, "odd", "main"] * 2 + [*through, "main"]


def test_frames_of_the_routines_on_the_way_are_known_everywhere() -> None:
    from septet.link.code import Code, Relocation
    from septet.link.foreign import with_callers
    from septet.x86.abi import c_caller

    for words in range(6):
        caller = Code("f", 0, 1, bytes(5), [Relocation(1, c_caller(words))], {}, [])
        made = with_callers([caller])
        assert [code.name for code in made] == ["f", f"call-c.{words}"]
        assert with_callers(made) == made
        sizes = {frame for _, frame, _ in made[1].frames}
        assert sizes == {8} | ({8 + 16 * words, 16 + 16 * words} if words else set())
        assert all(saved == () for _, _, saved in made[1].frames)


def test_upper_halves_are_clean_where_others_begin() -> None:
    text = """
    declare f64 @sin (f64)
    define f64 @sum (ptr %p) words {
      :entry
        f64x4 %v <- load %p
        f64 %s <- freduce-add %v
        f64 %t <- call c @sin(%s)
        f64x4 %w <- load %p
        f64 %u <- freduce-add %w
        f64 %r <- %t + %u
        return %r
    }
    define f64x4 @pass (f64x4 %v) words { :entry f64x4 %w <- %v + %v return %w }
    define f64x4 @on (ptr %p) words { :entry f64x4 %v <- load %p f64x4 %w <- call @pass(%v) f64x4 %x <- %w * %w return %x }
    define void @main () words { :entry return }
    """
    program = septet.compile(text, language="ir", opt=1, target="x86-64-v3")
    functions = {name: [i.op.name for i in f.body] for name, f in program.stage("l2").functions.items()}
    ops = functions["sum"]
    assert [ops[at + 1] for at, op in enumerate(ops) if op == "vzeroupper"] == ["call-c", "return"]
    assert "vzeroupper" not in functions["pass"] + functions["on"] + functions["main"]
    plain = septet.compile(text, language="ir", opt=1, target="x86-64-v2")
    assert "vzeroupper" not in [i.op.name for i in plain.stage("l2").functions["sum"].body]


# The builder


@pytest.mark.parametrize("how", ["stub", "ctypes"])
def test_the_builder_calls_c_and_is_called(how: str) -> None:
    module = ir.Module("example")
    sine = ir.ExternalFunction(module, ir.FunctionType(ir.f64, [ir.f64]), "sin")
    function = ir.Function(module, ir.FunctionType(ir.f64, [ir.f64], names=["x"]), "sine", convention="c")
    b = ir.Builder(function.append_basic_block("entry"))
    b.ret(b.fmul(b.call(sine, [function.args[0]]), 2.0))
    native = module.compile(how=how)
    assert round(native.sine(0.5), 6) == 0.958851
    called = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(native.address("sine"))
    assert called(0.5) == native.sine(0.5)


def test_a_function_of_python_is_called_by_its_address() -> None:
    prototype = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 8)
    callback = prototype(lambda *args: sum(k * arg for k, arg in enumerate(args, 1)))
    module = ir.Module("example")
    there = ir.ExternalFunction(module, ir.FunctionType(ir.i64, [ir.i64] * 8), "there", callback)
    for name, indirect in (("direct", False), ("indirect", True)):
        function = ir.Function(module, ir.FunctionType(ir.i64, [ir.i64, ir.ptr]), name)
        b = ir.Builder(function.append_basic_block("entry"))
        args = [b.add(function.args[0], k) for k in range(8)]
        b.ret(b.call(function.args[1], args, result=ir.i64, convention="c") if indirect else b.call(there, args))
    native = module.compile()
    address = ctypes.cast(callback, ctypes.c_void_p).value
    expected = sum(k * (99 + k) for k in range(1, 9))
    assert native.direct(100, address) == native.indirect(100, address) == expected


def test_what_c_calls_may_not_fail_in_hosted_code() -> None:
    module = ir.Module("example")
    function = ir.Function(module, ir.FunctionType(ir.i64, [ir.i64]), "divides", convention="c")
    b = ir.Builder(function.append_basic_block("entry"))
    b.ret(b.sdiv(7, function.args[0]))
    with pytest.raises(Rejected, match="nothing is raised through C's frames"):
        module.compile()


def test_a_module_names_what_is_missing() -> None:
    module = ir.Module("example")
    missing = ir.ExternalFunction(module, ir.FunctionType(ir.void, []), "no_such_function")
    b = ir.Builder(ir.Function(module, ir.FunctionType(ir.void, []), "calls").append_basic_block("entry"))
    b.call(missing)
    b.ret()
    with pytest.raises(Rejected, match="'@no_such_function' is declared, but no library of this process has it"):
        module.compile()
    with pytest.raises(TypeError, match="takes 0 arguments, not 1"):
        b.call(missing, [1])
    with pytest.raises(TypeError, match="knows no f64x4"):
        ir.ExternalFunction(module, ir.FunctionType(ir.void, [ir.VectorType(ir.f64, 4)]), "vectors")


def test_the_interpreter_calls_c_for_callables_too() -> None:
    made = septet.callables(
        "declare f64 @cos (f64) define f64 @f (f64 %x) words { :a f64 %y <- call c @cos(%x) return %y }", how="interpreter"
    )
    assert made.f(0.5) == math.cos(0.5)
    with pytest.raises(ValueError, match="C cannot call 'f': nothing native was made"):
        made.address("f")


@needs_gcc
def test_a_shared_object_needs_other_libraries(tmp_path: Path) -> None:
    (tmp_path / "thrice.c").write_text("int thrice(int x) { return 3 * x; }\n")
    command = ["gcc", "-shared", "-fPIC", "-Wl,-soname,libthrice.so", "thrice.c", "-o", "libthrice.so"]
    subprocess.run(command, cwd=tmp_path, check=True)
    (tmp_path / "six.ir").write_text(
        "declare i32 @thrice (i32)\ndefine i32 @six (i32 %x) { :a i32 %y <- %x + %x i32 %z <- call c @thrice(%y) return %z }\n"
    )
    command = [sys.executable, "-m", "septet", "build", "six.ir", "--emit", "so", "--needs", "libthrice.so"]
    subprocess.run(command, cwd=tmp_path, check=True)
    call = "import ctypes; print(ctypes.CDLL('./six.so').six(7))"
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=tmp_path, env={"LD_LIBRARY_PATH": "."}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "42\n"
