"""Debugging information: that gdb and perf know where they are, in executables and in loaded code."""

from __future__ import annotations

import io
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import septet
from septet.link import debugger, dwarf, elf

ROOT = Path(__file__).parent.parent.parent
PROGRAM = """// functions that call each other, so that no level inlines them all
int64 down(int64 n, int64 k) {
  int64 a, b
  if (n = 0) :end :more
  :more
  n <- n - 1
  a <- up(n, k)
  b <- up(n, a)
  a <- a + b
  return a
  :end
  print(k)
  return k
}
int64 up(int64 n, int64 k) {
  int64 a
  k <- k + 1
  a <- down(n, k)
  a <- a + n
  print(a)
  return a
}
void main() {
  int64 s
  s <- down(3, 1)
  print(s)
  return
}
"""
PRINT, AFTER, IN_UP, IN_DOWN, IN_MAIN = 12, 13, 18, 7, 25  # lines
needs_gdb = pytest.mark.skipif(shutil.which("gdb") is None, reason="needs gdb")
needs_readelf = pytest.mark.skipif(shutil.which("readelf") is None, reason="needs readelf")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `down.lb` is, and what is made of it."""
    path = tmp_path_factory.mktemp("debug")
    (path / "down.lb").write_text(PROGRAM)
    for level in (0, 2):
        septet.read(str(path / "down.lb"), opt=level).save(str(path / f"down{level}"))
    return path


def gdb(folder: Path, commands: str, *words: str) -> str:
    """What gdb says, run in `folder`; skips where it may not run programs."""
    (folder / "script").write_text("set debuginfod enabled off\nset breakpoint pending on\n" + commands)
    done = subprocess.run(
        ["gdb", "-q", "-batch", "-nx", "-x", "script", "--args", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("processes cannot be traced here")
    return done.stdout + done.stderr


def frames(said: str) -> list[tuple[str, int]]:
    """Function and line of each frame of a backtrace."""
    rows = [line.split(" in ")[-1] for line in said.splitlines() if line.startswith("#")]
    rows = [row.split(maxsplit=1)[1] if row.startswith("#") else row for row in rows]
    return [(row.split()[0], int(row.rpartition(":")[2])) for row in rows if "down.lb:" in row]


BACKTRACE = [("down", PRINT), *[("up", IN_UP), ("down", IN_DOWN)] * 3, ("main", IN_MAIN)]


@needs_gdb
@pytest.mark.parametrize("level", [0, 2])
def test_gdb_in_an_executable(folder: Path, level: int) -> None:
    said = gdb(folder, f"break down.lb:{PRINT}\nrun\nbacktrace\n", f"./down{level}")
    assert frames(said) == BACKTRACE
    said = gdb(folder, f"break down.lb:{PRINT}\nrun\nnext\ninfo symbol $pc\nfinish\nstep\nframe\n", f"./down{level}")
    assert f"{AFTER}\t  return k" in said
    assert "down + " in said
    assert f"up () at {folder}/down.lb:" in said


@needs_gdb
def test_gdb_in_loaded_code(folder: Path) -> None:
    """`septet run` under gdb: the program is in a forked child, and gdb is told without being asked."""
    commands = f"set follow-fork-mode child\nbreak down.lb:{PRINT}\nrun\nbacktrace\nnext\nstep\nbacktrace 1\nkill\n"
    said = gdb(folder, commands, sys.executable, "-m", "septet", "run", f"{folder}/down.lb")
    assert frames(said)[: len(BACKTRACE)] == BACKTRACE
    assert f"{AFTER}\t  return k" in said
    assert frames(said)[-1][0] == "up"


WORK = """// a function for Python
define i64 @work (i64 %n) words {
  :entry
    i64 %i <- 0
    i64 %s <- 7
    br :next
  :next
    bool %more <- %i < %n
    br %more :one :done
  :one
    %s <- %s * 3
    %s <- %s & 1023
    %i <- %i + 1
    br :next
  :done
    return %s
}
"""


@needs_gdb
def test_gdb_in_a_function_called_from_python(folder: Path) -> None:
    """Frames hold through the stub into the interpreter."""
    (folder / "work.ir").write_text(WORK)
    (folder / "call.py").write_text(
        "from septet.program import callables\nprint(callables(open('work.ir').read(), name='work.ir').work(10))\n"
    )
    said = gdb(folder, "break work.ir:12\nrun\nbacktrace\nkill\n", sys.executable, "call.py")
    rows = [line for line in said.splitlines() if line.startswith("#")]
    assert rows[0].startswith("#0  work () at work.ir:12") and " in work.stub () " in rows[1]
    assert len(rows) > 5 and " main " in rows[-1] or " in _start ()" in rows[-1]


def test_what_perf_is_told(tmp_path: Path) -> None:
    """The file, read as perf would."""
    script = (
        "from septet.link import profile\nfrom septet.program import callables\n"
        "print(profile.start().path)\ncallables(open('work.ir').read(), name='work.ir').work(10)\n"
    )
    (tmp_path / "work.ir").write_text(WORK)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    content = (tmp_path / done.stdout.strip()).read_bytes()
    assert struct.unpack_from("<IIII", content) == (0x4A695444, 1, 40, 62)
    at, names, lines = 40, [], []
    while at < len(content):
        kind, size, _ = struct.unpack_from("<IIQ", content, at)
        if kind == 0:
            names.append(content[at + 56 : content.index(b"\0", at + 56)].decode())
        else:
            lines.append(struct.unpack_from("<QI", content, at + 32)[1])
        at += size
    assert at == len(content) and names[:2] == ["work", "work.stub"] and lines[0] == 2


STEPS = """set backtrace past-main on
set backtrace past-entry on
break main
run
python
def check():
    first, wrong, deepest = None, 0, 0
    for number in range(1200):
        try:
            frame, depth = gdb.newest_frame(), 1
        except gdb.error:
            break
        while frame is not None and frame.name() != "main":
            frame, depth = frame.older(), depth + 1
        if frame is None:
            break
        saved = [int(frame.older().read_register(name)) for name in "rsp rbx rbp r12 r13 r14 r15".split()]
        first = first or saved
        wrong += saved != first
        deepest = max(deepest, depth)
        gdb.execute("stepi", to_string=True)
    print("checked", number, "deepest", deepest, "wrong", wrong)
check()
end
"""


@needs_gdb
@pytest.mark.parametrize("level", [0, 2])
def test_frames_hold_at_every_instruction(folder: Path, level: int) -> None:
    """From wherever it is, the runtime included, gdb finds `main` and what its caller's registers were."""
    said = gdb(folder, STEPS, f"./down{level}")
    if "Python scripting is not supported" in said:
        pytest.skip("this gdb has no Python")
    assert "checked 1199 deepest 11 wrong 0" in said or "checked 1199 deepest 12 wrong 0" in said, said[-2000:]


@pytest.mark.skipif(shutil.which("perf") is None, reason="needs perf")
def test_perf_names_functions_of_loaded_code(tmp_path: Path) -> None:
    (tmp_path / "hot.lb").write_text(
        "// a loop that takes a while\nvoid main() {\n  int64 i, s\n  s <- 7\n  while (i < 100000000) :body :done\n  :body\n"
        "  s <- s * 3\n  s <- s & 1023\n  i <- i + 1\n  continue\n  :done\n  print(s)\n  return\n}\n"
    )

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=environment)

    run = (sys.executable, "-m", "septet", "run", "--perf", "hot.lb")
    if call("perf", "record", "-k", "mono", "-e", "cpu-clock", "-o", "recorded", *run).returncode:
        pytest.skip("perf may not record here")
    assert list(tmp_path.glob("jit-*.dump"))
    if call("perf", "inject", "--jit", "-i", "recorded", "-o", "injected").returncode:
        pytest.skip("perf cannot inject here")
    report = call("perf", "report", "-i", "injected", "--stdio", "--sort", "dso,symbol").stdout
    assert any("jitted-" in line and "[.] main" in line for line in report.splitlines()), report


@needs_readelf
@pytest.mark.parametrize("kind", ["exe", "obj"])
def test_readelf_complains_of_nothing(folder: Path, kind: str) -> None:
    path = folder / f"checked.{kind}"
    septet.read(str(folder / "down.lb")).save(str(path), kind)
    done = subprocess.run(
        ["readelf", "-aW", "--debug-dump=info,abbrev,decodedline,frames", str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0 and not done.stderr
    assert "DW_TAG_subprogram" in done.stdout and "DW_CFA_def_cfa_offset: 16" in done.stdout


def test_lines_by_another_reader(folder: Path) -> None:
    elffile = pytest.importorskip("elftools.elf.elffile")
    file = elffile.ELFFile(io.BytesIO((folder / "down0").read_bytes()))
    information = file.get_dwarf_info()
    (unit,) = information.iter_CUs()
    assert unit.get_top_DIE().attributes["DW_AT_name"].value.decode() == f"{folder}/down.lb"
    names = {
        die.attributes["DW_AT_name"].value.decode(): die.attributes["DW_AT_decl_line"].value
        for die in unit.get_top_DIE().iter_children()
    }
    assert names == {"down": 2, "up": 15, "main": 23}
    lines = {entry.state.line for entry in information.line_program_for_CU(unit).get_entries() if entry.state is not None}
    assert {2, 4, 6, 7, 8, 9, 10, 12, 13, 15, 17, 18, 19, 20, 21, 23, 25, 26, 27} - lines <= {4, 6, 9, 10, 17, 27}
    assert lines <= set(range(1, 29))


def test_it_is_behind_what_is_loaded_and_reproducible(folder: Path) -> None:
    one, other = (septet.compile(PROGRAM, name="down.lb") for _ in range(2))
    whole, stripped = one.file("exe", ""), one.file("exe", "", debug=False)
    assert whole == other.file("exe", "") and str(ROOT).encode() not in whole
    same = bytearray(whole[: len(stripped)])
    same[40:48], same[58:64] = stripped[40:48], stripped[58:64]  # where the sections are
    assert same == stripped == one.image.content


def test_leb128() -> None:
    assert [dwarf.uleb(n) for n in (0, 127, 128, 624485)] == [b"\0", b"\x7f", b"\x80\x01", b"\xe5\x8e\x26"]
    assert [dwarf.sleb(n) for n in (0, 63, 64, -1, -64, -65)] == [b"\0", b"\x3f", b"\xc0\0", b"\x7f", b"\x40", b"\xbf\x7f"]


def test_what_is_registered_is_a_list(folder: Path) -> None:
    """The debugger's list while images come and go, read as a debugger would."""
    program = septet.compile(PROGRAM)

    def registered() -> list[int]:
        found, entry = [], debugger._INTERFACE[0]._descriptor.first
        while entry:
            found.append(entry.contents.size)
            entry = entry.contents.next
        return found

    debugger.prepare()
    before = registered()
    one = debugger.register(0x10000000, program.image, program.codes, "down.lb")
    two = debugger.register(0x20000000, program.image, program.codes, "down.lb")
    assert registered()[2:] == before and bytes(one.symbols)[:4] == b"\x7fELF"
    debugger.unregister(one)
    assert registered()[1:] == before
    debugger.unregister(two)
    assert registered() == before


def test_objects_about_loaded_code() -> None:
    elffile = pytest.importorskip("elftools.elf.elffile")
    program = septet.compile(PROGRAM)
    parts = dwarf.sections(dwarf.extents(program.image, program.codes), "down.lb", 0x70000000 + program.image.start)
    file = elffile.ELFFile(io.BytesIO(elf.in_memory(program.image, parts, 0x70000000)))
    entry = next(first for name, first, _ in program.image.functions if name == "up")
    (symbol,) = file.get_section_by_name(".symtab").get_symbol_by_name("up")
    assert symbol["st_value"] == 0x70000000 + entry


def test_assembly_has_the_source_between(folder: Path) -> None:
    program = septet.compile(PROGRAM, name="12 down.lb")
    program.save(str(folder / "down.s"), "asm")
    text = (folder / "down.s").read_text()
    assert f"  # 12 down.lb:{PRINT}: print(k)\n" in text
    if shutil.which("as") is None or shutil.which("ld") is None:
        pytest.skip("needs binutils")
    subprocess.run(["as", "down.s", "-o", "down.o"], cwd=folder, check=True)
    subprocess.run(["ld", "down.o", "-o", "assembled"], cwd=folder, check=True)
    assert subprocess.run([folder / "assembled"], capture_output=True, text=True).stdout == program.run(capture=True).stdout
