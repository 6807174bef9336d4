"""The linker: objects of gcc and of ours put together, by it and by ld."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import septet
from septet.base.diagnostics import Rejected
from septet.base.files import write
from septet.link.relocate import Object, link

ROOT = Path(__file__).parent.parent.parent
LIBRARY = """// what C calls
define i64 @add (i64 %a, i64 %b) words {
  :entry
    i64 %c <- %a + %b
    return %c
}
define void @show (i64 %n) words {
  :entry
    int64 %t <- tag %n
    call print(%t)
    return
}
"""
MAIN = """
long add(long, long);
void show(long);
static long counter = 5;
extern long other(long);
extern long table[3];
extern long nowhere(void) __attribute__((weak));
long uninitialised[100];
long tentative;
static const char *const names[] = {"ab\\n", "cd\\n"};
static long (*const pointers[])(long, long) = {add, 0};

static void put(const char *text, long n) {
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(1L), "D"(1L), "S"(text), "d"(n) : "rcx", "r11", "memory");
}

int main(int argc, char **argv) {
    counter += other(argc) + table[2];
    uninitialised[7] = pointers[argc - 1](counter, 1);
    tentative = nowhere ? 1000 : 1;
    put(names[argc], 3);
    show(add(uninitialised[7], tentative));
    return argv[0] != 0 ? 56 : 0;
}
"""
OTHER = """
long table[3] = {1, 2, 30};
__attribute__((weak)) long other(long n) { return n; }
"""
STRONG = """
extern long table[];
long other(long n) { return n * 100 + table[1]; }
"""
WAYS = ["-O0 -g", "-O2", "-O2 -fPIC", "-O2 -fno-pic", "-O2 -fcommon"]
pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


def objects(folder: Path, flags: str) -> list[tuple[str, bytes]]:
    """C's objects and ours."""
    files = []
    for name, text in (("main", MAIN), ("other", OTHER), ("strong", STRONG)):
        (folder / f"{name}.c").write_text(text)
        words = ["gcc", *flags.split(), "-fno-stack-protector", "-c", f"{name}.c", "-o", f"{name}.o"]
        subprocess.run(words, cwd=folder, check=True)
        files.append((f"{name}.o", (folder / f"{name}.o").read_bytes()))
    return [*files, ("lib.o", septet.compile(LIBRARY, language="ir", name="lib.ir", library=True).file("obj", "lib.o"))]


def run(path: Path) -> tuple[str, int]:
    done = subprocess.run([path], capture_output=True, text=True, timeout=60)
    return done.stdout, done.returncode


@pytest.mark.parametrize("flags", WAYS)
def test_with_objects_of_gcc(tmp_path: Path, flags: str) -> None:
    files = objects(tmp_path, flags)
    for order in (files, files[::-1]):
        write(str(tmp_path / "linked"), link(order), executable=True)
        assert run(tmp_path / "linked") == ("cd\n139\n", 56)  # the library's output comes when C's `main` has returned


def test_a_program_alone_as_ld_does_it(tmp_path: Path) -> None:
    program = septet.compile("void main() {\n  print(7)\n  return\n}\n", name="seven.lb")
    program.save(str(tmp_path / "seven.o"), "obj")
    write(str(tmp_path / "ours"), link([("seven.o", (tmp_path / "seven.o").read_bytes())]), executable=True)
    assert run(tmp_path / "ours") == ("7\n", 0)
    subprocess.run(["ld", "seven.o", "-o", "theirs"], cwd=tmp_path, check=True)
    assert run(tmp_path / "theirs") == ("7\n", 0)


def test_what_readelf_says(tmp_path: Path) -> None:
    write(str(tmp_path / "linked"), link(objects(tmp_path, "-O0 -g")), executable=True)
    done = subprocess.run(
        ["readelf", "-aW", "--debug-dump=info,decodedline,frames", "linked"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    for name in ("lib.ir", "main.c", "strong.c"):
        assert name in done.stdout


def rejected(files: list[tuple[str, bytes]]) -> list[str]:
    with pytest.raises(Rejected) as caught:
        link(files)
    return [diagnostic.message for diagnostic in caught.value.diagnostics]


def test_what_is_wrong(tmp_path: Path) -> None:
    files = dict(objects(tmp_path, "-O2"))
    missing = rejected([("main.o", files["main.o"]), ("strong.o", files["strong.o"])])
    assert sorted(missing) == [
        "'add' is used in main.o but not defined",
        "'show' is used in main.o but not defined",
        "'table' is used in main.o but not defined",
        "'table' is used in strong.o but not defined",
    ]
    twice = [("main.o", files["main.o"]), ("other.o", files["other.o"]), ("lib.o", files["lib.o"]), ("more.o", files["lib.o"])]
    assert rejected(twice)[:2] == [f"'{name}' is defined twice: in lib.o and in more.o" for name in ("add", "show")]
    assert rejected([("lib.o", files["lib.o"])]) == ["no file has '_start' or 'main', where execution could start"]
    assert rejected([("main.c", MAIN.encode())]) == ["main.c is no relocatable ELF object for x86-64"]
    assert "damaged" in rejected([("cut.o", files["main.o"][:200])])[0]


@pytest.mark.parametrize("seed", range(4))
def test_damaged_objects_are_linked_or_refused(tmp_path: Path, seed: int) -> None:
    files = dict(objects(tmp_path, "-O1 -g"))
    good, pick, refused = files.pop("main.o"), random.Random(seed), 0
    table = int.from_bytes(good[40:48], "little")  # of sections
    for number in range(60):
        content = bytearray(good[: pick.randrange(len(good))] if number % 4 == 0 else good)
        for _ in range(pick.choice((1, 2, 20)) if number % 4 and content else 0):
            at = pick.randrange((0, 0, table, 40)[number % 4], (0, len(content), len(content), 64)[number % 4])
            content[at] = pick.choice((0, 1, 128, 255, content[at] ^ 1 << pick.randrange(8)))
        try:
            link([("main.o", bytes(content)), *files.items()])
        except Rejected as problem:
            refused += bool(problem.render())
    assert refused > 15


def test_names_that_are_no_text_are_kept() -> None:
    lib = septet.compile(LIBRARY, language="ir", name="lib.ir", library=True).file("obj", "lib.o")
    main = septet.compile("void main() {\n return\n}\n").file("obj", "main.o")
    linked = link([("main.o", main), ("lib.o", lib.replace(b"\0show\0", b"\0sh\xffw\0"))])
    assert b"\0sh\xffw\0" in linked


def test_thread_local_variables_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.c").write_text("__thread int mine; int main(void) { return mine; }\n")
    subprocess.run(["gcc", "-c", "t.c"], cwd=tmp_path, check=True)
    assert "each thread's own" in rejected([("t.o", (tmp_path / "t.o").read_bytes())])[0]


def test_our_objects_are_read_as_they_were_written() -> None:
    content = septet.compile(LIBRARY, language="ir", library=True).file("obj", "lib.o")
    visible = [symbol.name for symbol in Object("lib.o", content).symbols if symbol.binding]
    assert visible == ["add", "show"]


def build(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "septet", "build", "--color", "never", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env=environment)


def test_the_command_links_objects_and_sources(tmp_path: Path) -> None:
    objects(tmp_path, "-O2")
    (tmp_path / "lib.ir").write_text(LIBRARY)
    done = build(tmp_path, "main.o", "other.o", "strong.o", "lib.ir", "-o", "linked")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert run(tmp_path / "linked") == ("cd\n139\n", 56)
    done = build(tmp_path, "main.o", "other.o", "-o", "linked2")
    assert done.returncode == 1 and "'add' is used in main.o but not defined" in done.stderr
    assert not (tmp_path / "linked2").exists()


def test_what_the_command_refuses(tmp_path: Path) -> None:
    (tmp_path / "lib.ir").write_text(LIBRARY)
    (tmp_path / "lib.o").write_bytes(b"")
    for words, message in (
        (("lib.ir", "lib.o"), "the output would overwrite lib.o"),
        (("lib.ir", "lib.o", "--emit", "so"), "several files"),
        (("lib.ir", "--library"), "--library is for obj"),
    ):
        done = build(tmp_path, *words, *(("-o", "lib.o") if "overwrite" in message else ()))
        assert done.returncode == 2 and message in done.stderr
    assert build(tmp_path, "lib.o", "-o", "out").stderr == "error: lib.o is no relocatable ELF object for x86-64\n"
