"""Shared objects, library objects and C headers: functions with machine types, called from C and from ctypes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import septet
from septet.base.diagnostics import Rejected

LIBRARY = """// a library
define i64 @add (i64 %a, i64 %b) words {
  :entry
    i64 %c <- %a + %b
    return %c
}
define f64 @scale (i32 %k, f64 %x) words {
  :entry
    f64 %y <- convert %k
    f64 %z <- %x * %y
    return %z
}
define i64 @weigh (i8 %a, u8 %b, i16 %c, u16 %d, i32 %e, u32 %f, i16 %g, f32 %x, u8 %h, i64 %i) words {
  :entry
    i64 %sum <- convert %a
    i64 %t <- convert %b
    %sum <- %sum * 3
    %sum <- %sum + %t
    i64 %u <- convert %c
    %sum <- %sum * 3
    %sum <- %sum + %u
    i64 %v <- convert %d
    %sum <- %sum * 3
    %sum <- %sum + %v
    i64 %w <- convert %e
    %sum <- %sum * 3
    %sum <- %sum + %w
    i64 %y <- convert %f
    %sum <- %sum * 3
    %sum <- %sum + %y
    i64 %z <- convert %g
    %sum <- %sum * 3
    %sum <- %sum + %z
    i64 %p <- convert %x
    %sum <- %sum * 3
    %sum <- %sum + %p
    i64 %q <- convert %h
    %sum <- %sum * 3
    %sum <- %sum + %q
    %sum <- %sum * 3
    %sum <- %sum + %i
    return %sum
}
define i64 @quotient (i64 %a, i64 %b) words {
  :entry
    check-divisor %b
    i64 %c <- %a / %b
    return %c
}
define bool @less (f32 %a, f32 %b) words {
  :entry
    bool %c <- %a < %b
    return %c
}
define void @show (i64 %n) words {
  :entry
    int64 %t <- tag %n
    call print(%t)
    return
}
define void @count (ptr %counter) words {
  :entry
    i64 %n <- load %counter
    %n <- %n + 1
    store.i64 %counter <- %n
    i64 %all <- load @total
    %all <- %all + 1
    store.i64 @total <- %all
    return
}
define i64 @counted () words {
  :entry
    i64 %all <- load @total
    return %all
}
data @total 8
define int64 @boxed (int64 %n) words {
  :entry
    return %n
}
define void @allocating () words {
  :entry
    ptr %p <- call allocate(5, 1)
    return
}
define void @register () words {
  :entry
    return
}
"""
HEADER = """#ifndef LIB_H
#define LIB_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int64_t add(int64_t a, int64_t b);
double scale(int32_t k, double x);
int64_t weigh(int8_t a, uint8_t b, int16_t c, uint16_t d, int32_t e, uint32_t f, int16_t g, float x, uint8_t h, int64_t i);
int64_t quotient(int64_t a, int64_t b);
bool less(float a, float b);
void show(int64_t n);
void count(void *counter);
int64_t counted(void);

#ifdef __cplusplus
}
#endif

#endif
"""
CALLER = """#include <stdio.h>
#include "lib.h"

int main(void) {
    int64_t counter = 40;
    count(&counter);
    count(&counter);
    printf("%ld %g %ld %ld %d %d %ld %ld\\n", (long)add(2, 3), scale(-3, 1.5),
           (long)weigh(-1, 200, -300, 60000, -70000, 4000000000u, -7, 2.5f, 255, 1L << 40),
           (long)quotient(-7, 2), less(1, 2), less(2, 1), (long)counter, (long)counted());
    fflush(stdout);
    show(42);
    return 0;
}
"""
ARGUMENTS = (-1, 200, -300, 60000, -70000, 4000000000, -7, 2, 255, 1 << 40)
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def weighed() -> int:
    total = 0
    for argument in ARGUMENTS:
        total = 3 * total + argument
    return total


@pytest.fixture(scope="module", params=[0, 2])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared")
    program = septet.compile(LIBRARY, language="ir", name="lib.ir", opt=request.param, library=True)
    for kind, name in (("so", "lib.so"), ("header", "lib.h"), ("obj", "lib.o")):
        program.save(str(path / name), kind)
    (path / "main.c").write_text(CALLER)
    return path


def test_the_header(folder: Path) -> None:
    assert (folder / "lib.h").read_text() == HEADER


def test_ctypes(folder: Path) -> None:
    library = ctypes.CDLL(str(folder / "lib.so"))
    library.add.restype = library.weigh.restype = ctypes.c_int64
    library.add.argtypes = [ctypes.c_int64] * 2
    assert library.add(2**62, 2**61) == 2**62 + 2**61
    library.scale.restype, library.scale.argtypes = ctypes.c_double, [ctypes.c_int32, ctypes.c_double]
    assert library.scale(-3, 1.5) == -4.5
    library.weigh.argtypes = [
        ctypes.c_int8, ctypes.c_uint8, ctypes.c_int16, ctypes.c_uint16, ctypes.c_int32, ctypes.c_uint32, ctypes.c_int16,
        ctypes.c_float, ctypes.c_uint8, ctypes.c_int64,
    ]  # fmt: skip
    assert library.weigh(*ARGUMENTS) == weighed()
    library.less.restype, library.less.argtypes = ctypes.c_bool, [ctypes.c_float] * 2
    assert library.less(1, 2) is True and library.less(2, 1) is False
    assert not hasattr(library, "boxed") and not hasattr(library, "runtime.print")


@needs_gcc
@pytest.mark.parametrize("how", ["so", "obj"])
def test_called_from_c(folder: Path, how: str) -> None:
    """Output is written at the end of the process, behind what C wrote."""
    files = {"so": ["-L.", "-l:lib.so", f"-Wl,-rpath,{folder}"], "obj": ["lib.o"]}[how]
    subprocess.run(["gcc", "-Wall", "-Werror", "-O2", "main.c", *files, "-o", how], cwd=folder, check=True)
    done = subprocess.run([folder / how], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"5 -4.5 {weighed()} -3 1 0 42 2\n42\n" and done.returncode == 0


def test_a_failed_check_ends_the_process(folder: Path) -> None:
    script = f"import ctypes; ctypes.CDLL({str(folder / 'lib.so')!r}).quotient(1, 0)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stdout.endswith("attempted to divide by zero\n")


def test_what_is_left_out_is_said() -> None:
    program = septet.compile(LIBRARY, language="ir", library=True)
    program.file("header", "lib.h")
    said = {remark.function: remark.why for remark in program.remarks if remark.by == "library"}
    assert said == {
        "boxed": "a parameter or the result is a value: a tagged integer or a reference",
        "allocating": "it allocates",
        "register": "that is no name for a function in C",
    }


def test_nothing_to_export() -> None:
    with pytest.raises(Rejected, match="no machine types"):
        septet.compile("void main() {\n  return\n}\n").file("so", "lib.so")
    boxed = "define int64 @f (int64 %n) words {\n  :entry\n    return %n\n}\n"
    with pytest.raises(Rejected, match="f not exported"):
        septet.compile(boxed, language="ir", library=True).file("so", "lib.so")


def test_a_library_is_no_program() -> None:
    with pytest.raises(ValueError, match="a library can be so, obj or header"):
        septet.compile(LIBRARY, language="ir", library=True).file("exe", "lib")


def test_callers_outside_may_pass_anything() -> None:
    """Nothing is concluded from the calls that the library itself makes, nor from there being none."""
    text = """define i64 @twice (i64 %n) words {
      :entry
        i64 %m <- %n * 2
        return %m
    }
    define i64 @main () words {
      :entry
        i64 %m <- call @twice(21)
        return %m
    }"""
    program = septet.compile(text, language="ir", library=True)
    code = next(code for code in program.codes if code.name == "twice")
    assert code.content[0] != 0xB8  # not the constant 42


@pytest.mark.skipif(shutil.which("readelf") is None, reason="needs readelf")
def test_readelf_complains_of_nothing(folder: Path) -> None:
    for name in ("lib.so", "lib.o"):
        done = subprocess.run(["readelf", "-aW", "--debug-dump", folder / name], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr


def test_dependencies_and_names_by_another_reader(folder: Path) -> None:
    elffile = pytest.importorskip("elftools.elf.elffile")
    with open(folder / "lib.so", "rb") as stream:
        file = elffile.ELFFile(stream)
        dynamic = {tag.entry.d_tag: tag for tag in file.get_section_by_name(".dynamic").iter_tags()}
        assert dynamic["DT_SONAME"].soname == "lib.so" and "DT_NEEDED" not in dynamic and "DT_TEXTREL" not in dynamic
        names = [symbol.name for symbol in file.get_section_by_name(".dynsym").iter_symbols()]
        assert names[1:] == ["add", "scale", "weigh", "quotient", "less", "show", "count", "counted"]


def test_cffi(folder: Path) -> None:
    cffi = pytest.importorskip("cffi")
    interface = cffi.FFI()
    interface.cdef("int64_t add(int64_t a, int64_t b); double scale(int32_t k, double x);")
    library = interface.dlopen(str(folder / "lib.so"))
    assert library.add(2, 3) == 5 and library.scale(2, 0.5) == 1.0


CALLBACK = """define i64 @apply (ptr %f, i64 %n) words {
  :entry
    i64 %i <- 0
    i64 %sum <- 0
    br :next
  :next
    bool %more <- %i < %n
    br %more :one :done
  :one
    i64 %r <- call %f(%i)
    %sum <- %sum + %r
    %i <- %i + 1
    br :next
  :done
    return %sum
}
"""
CALLED = """#include <stdio.h>
#include "apply.h"

__attribute__((force_align_arg_pointer)) static int64_t digits(int64_t n) {
    char text[40];
    return snprintf(text, sizeof text, "%f", (double)n * 1e3) + n * n;
}

int main(void) {
    printf("%ld\\n", (long)apply((void *)digits, 10));
    return 0;
}
"""


@needs_gcc
def test_callbacks(tmp_path: Path) -> None:
    """C functions that align the stack themselves may be called back."""
    program = septet.compile(CALLBACK, language="ir", library=True)
    program.save(str(tmp_path / "apply.so"), "so")
    program.save(str(tmp_path / "apply.h"), "header")
    (tmp_path / "main.c").write_text(CALLED)
    words = ["gcc", "-O2", "main.c", "-L.", "-l:apply.so", f"-Wl,-rpath,{tmp_path}", "-o", "main"]
    subprocess.run(words, cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "main"], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{sum(len(f'{n * 1000.0:f}') + n * n for n in range(10))}\n"
