"""L1c, linking, ELF files, listings and the loader: that what comes out runs, and is what it must be byte by byte."""

import ctypes
import errno
import io
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from effort import calls

from septet.base.diagnostics import Rejected
from septet.base.files import write
from septet.base.options import Options
from septet.base.source import Source
from septet.l1.lower import lower_program
from septet.l1.text import parse
from septet.link import assembly, elf, jit, layout

OPTIONS = Options()


def compile(text):
    program = parse(Source(text))
    codes = lower_program(program, OPTIONS)
    return layout.link(codes, program.data, program.entry), codes


def run(text, stdin=b""):
    return jit.capture(compile(text)[0], stdin, 30)


def code(text, name="m"):
    return next(code for code in lower_program(parse(Source(text)), OPTIONS) if code.name == name)


def content(instructions, functions=""):
    """The bytes of @m with these instructions."""
    return code(f"(@m (@m 0 0 {instructions}) {functions})").content.hex()


# L1c


@pytest.mark.parametrize(
    "instructions, bytes",
    [
        ("rax <- 5", "b805000000"),
        ("r8 <- -1", "49c7c0ffffffff"),
        ("rax <- 4294967295", "b8ffffffff"),
        ("rax <- 9223372036854775807", "48b8ffffffffffffff7f"),
        ("rax <- 0 return", "31c0c3"),
        ("rax <- 0 jb :a :a return", "b800000000c3"),  # the flags are still wanted; the jump goes nowhere
        ("rbx <- rbx", ""),
        ("rax <- rdi < 5 return", "31c04883ff050f9cc0c3"),
        ("rdi <- rdi < 5 return", "4883ff05400f9cc7400fb6ffc3"),
        ("rax <- 5 < rdi return", "31c04883ff050f9fc0c3"),
        ("rax <- 3 < 5 return", "b801000000c3"),
        ("rax <- -1 < 5 return", "b801000000c3"),
        ("rax <- -1 <u 5 rbx <- 1", "b800000000bb01000000"),
        ("cjump 3 < 5 :a int3 :a return", "eb01ccc3"),
        ("cjump 5 < 3 :a int3 :a return", "ccc3"),
        ("cjump rax = 0 :a int3 :a return", "4885c07401ccc3"),
        ("goto :a :a return", "c3"),
        (":a goto :a", "ebfe"),
        ("rdi <<= 64", "48c1e740"),
        ("rdi >>= 1", "48d1ff"),
        ("rdi <<= 300", "48c1e72c"),
        ("rdi <<= rcx", "48d3e7"),
        ("rax++ rbx--", "48ffc048ffcb"),
        ("rax @ rdi rsi 8", "488d04f7"),
        ("rax *= 7", "486bc007"),
        ("call rax (rdi)", "ffd0"),
        ("call rax 1", "4883ec08ffe0"),
    ],
)
def test_encodings(instructions, bytes):
    assert content(instructions) == bytes


def test_frames():
    """The frame has the slots, and the arguments on the stack that the callee takes with it."""
    assert code("(@m (@m 8 2 return))").content.hex() == "4883ec20" + "4883c420" + "c3"
    done = run("""(@m (@m 0 1
        rdi <- 1 rsi <- 1 rdx <- 1 rcx <- 1 r8 <- 1 r9 <- 1 mem rsp -16 <- 7 mem rsp -24 <- 5 mem rsp 0 <- 9
        call @f (rdi, rsi, rdx, rcx, r8, r9) rdi <- rax call print 1 rdi <- mem rsp 0 call print 1 return)
        (@f 8 1 mem rsp 0 <- 0 rax <- mem rsp 16 rcx <- mem rsp 8 rax *= 2 rax += rcx return))""")
    assert done.stdout == b"9\n4\n"  # (7*2 + 5) >> 1


@pytest.mark.parametrize("call", ["call @f 1", "rbx <- @f call rbx 1"])
def test_calls_by_jump(call):
    """A return address stored by hand in a way that reading does not recognise."""
    store = "rax <- :back mem rsp -8 <- rax" if "rbx" in call else "mem rsp -8 <- :back"
    done = run(
        f"(@m (@m 0 0 rdi <- 3 {store} goto :on :on {call} :back rdi <- rax call print 1 return) (@f 1 0 rax <- rdi return))"
    )
    assert done.stdout == b"1\n"


def test_addresses_are_stored_without_a_free_register():
    """`mem x M <- @f` keeps every register, the ones that address included."""
    done = run("""(@m (@m 0 1
        rax <- rsp rcx <- 7 rdx <- 9 mem rax 0 <- @f
        rbx <- mem rsp 0 cjump rcx != 7 :bad cjump rdx != 9 :bad cjump rax != rsp :bad
        call rbx () rdi <- rax call print 1 return :bad rdi <- 1 call print 1 return)
        (@f 0 0 rax <- 5 return))""")
    assert done.stdout == b"2\n"


def test_jumps_between_functions():
    done = run("(@m (@m 0 0 rdi <- 5 goto :there :back call print 1 return) (@f 0 0 :there rdi <- 7 goto :back))")
    assert done.stdout == b"3\n"
    done = run(
        "(@m (@m 0 0 rax <- :there mem rsp -8 <- rax rsp -= 8 ret :x return) (@f 0 0 :there rdi <- 7 call print 1 return))"
    )
    assert done.stdout == b"3\n"


def test_lines():
    """`line N` is N lines below the function's header, wherever that is."""
    done = run(
        """

        (@m (@m 0 0 rdi <- line 0
        call print 1
        rdi <- line 40 call print 1 mem rsp -8 <- line 2 rdi <- mem rsp -8 call print 1
        return))"""
    )
    assert done.stdout == b"3\n43\n5\n"


def test_data():
    done = run("""(@m (data @text 8 "\\x07A") (data @words 64) (data @more 8)
        (@m 0 0 rax <- @text movzx8 rdi, mem rax 0 call print 1
        rax <- @words rdi <- mem rax 56 rdi += 1 mem rax 56 <- 3 call print 1
        rax <- @more rdi <- mem rax 0 rdi++ call print 1 return))""")
    assert done.stdout == b"3\n0\n0\n"


@pytest.mark.parametrize("distance", [*range(120, 134), 32700])
def test_jump_reach(distance):
    """Jumps forward and back over `distance` bytes are short where they reach, and land."""
    fill = "nop " * distance
    forward = code(f"(@m (@m 0 0 goto :a {fill} :a return))").content
    assert forward[0] == (0xEB if distance <= 127 else 0xE9)
    assert forward[: 2 if distance <= 127 else 5].hex() == (
        f"eb{distance:02x}" if distance <= 127 else "e9" + distance.to_bytes(4, "little").hex()
    )
    back = code(f"(@m (@m 0 0 :a {fill} goto :a))").content
    short = -(distance + 2) >= -128
    assert back[distance:] == (
        b"\xeb" + (-(distance + 2)).to_bytes(1, "little", signed=True)
        if short
        else b"\xe9" + (-(distance + 5)).to_bytes(4, "little", signed=True)
    )


def test_jumps_that_push_each_other():
    """Many jumps that only just reach: when one grows, the next must; in time linear in their number."""

    def program(count):
        jumps = " ".join(f"cjump rax = {i} :l{i + 25}" + f" :l{i}" for i in range(count))
        ends = " ".join(f":l{i}" for i in range(count, count + 25))
        return f"(@m (@m 0 0 rax <- -1 {jumps} {ends} rdi <- 3 call print 1 return))"

    assert run(program(500)).stdout == b"1\n"
    small, large = (parse(Source(program(count))) for count in (2000, 16000))
    few, many = (calls(lambda parsed=parsed: lower_program(parsed, OPTIONS)) for parsed in (small, large))
    assert many < 12 * few


@pytest.mark.parametrize(
    "instruction",
    [
        "rax += 4294967296",
        "mem rax 0 <- 4294967296",
        "cjump rax < 9223372036854775807 :a :a",
        "rax <- rdi <= 4294967296",
        "addsd rax, rbx",
    ],
)
def test_what_cannot_be_encoded_is_rejected(instruction):
    with pytest.raises(Rejected) as caught:
        lower_program(parse(Source(f"(@m (@m 0 0\n {instruction}\n return))", "file.L1")), OPTIONS)
    assert "file.L1:2:" in caught.value.render()


def test_undefined_names_are_rejected():
    with pytest.raises(Rejected) as caught:
        compile("(@m (@m 0 0 call @nobody () goto :nowhere))")
    assert len(caught.value.diagnostics) == 2
    with pytest.raises(Rejected):
        compile("(@x (@m 0 0 return))")


def test_too_much_data_is_rejected():
    for content in ("", ' "a"'):
        with pytest.raises(Rejected):
            compile(f"(@m (data @x 1099511627776{content}) (@m 0 0 return))")


def test_places():
    """Every instruction that has bytes has its place, in order."""
    made = code("(@m (@m 0 1\n rdi <- 3\n :a\n call print 1\n cjump rax = 1 :b\n :b\n return))")
    assert [(offset, span >> 16) for offset, span, _ in made.places] == [(4, 1), (9, 3), (14, 4), (18, 6)]


# Images

HELLO = "(@m (@m 0 0 rdi <- 11 call print 1 return))"
PROGRAM = """(@m (data @count 8) (data @text 8 "abc")
    (@m 0 1 mem rsp 0 <- 3 :again rax <- @count mem rax 0 += 2 rdi <- mem rax 0 rdi++ call @f (rdi) rdi <- rax call print 1
     mem rsp 0 -= 1 rax <- mem rsp 0 cjump rax > 0 :again rax <- @text movzx8 rdi, mem rax 1 rdi <<= 1 rdi++ call print 1
     rdi <- @rax call print 1 rdi <- line 0 call print 1 mem rsp -8 <- :out goto :go :go call @f 1 :out
     call input 0 rdi <- rax call print 1
     rdi <- 5 rsi <- 7 call allocate 2 rdi <- rax call print 1 rdi <- 1 call tensor-error 1)
    (@f 1 0 rax <- rdi rax += 2 return)
    (@rax 0 0 return))"""
EXPECTED = (
    b"2\n3\n4\n98\n<code>\n2\n42\n{s:2, 3, 3}\n"
    b"ERROR: instruction at line 0 attempted to access an array, a tuple, or a tensor that has not been allocated\n"
)


def spawn(path, stdin=b"42\n"):
    done = subprocess.run([path], input=stdin, capture_output=True, timeout=30)
    return done.stdout, done.returncode


def test_executable_and_process_run_the_same_bytes(tmp_path):
    image, _ = compile(PROGRAM)
    assert elf.executable(image) is image.content
    done = jit.capture(image, b"42\n")
    assert (done.stdout, done.status) == (EXPECTED, 1)
    path = str(tmp_path / "program")
    write(path, elf.executable(image), executable=True)
    assert spawn(path) == (EXPECTED, 1)


def test_executable_by_readelf():
    """Segments: code that cannot be written, data that cannot be executed, a stack that cannot be executed."""
    elffile = pytest.importorskip("elftools.elf.elffile")
    image, _ = compile(PROGRAM)
    file = elffile.ELFFile(io.BytesIO(elf.executable(image)))
    segments = list(file.iter_segments())
    assert [(s["p_type"], s["p_flags"]) for s in segments] == [("PT_LOAD", 5), ("PT_LOAD", 6), ("PT_GNU_STACK", 6)]
    assert segments[1]["p_filesz"] == 0 and segments[1]["p_memsz"] == image.writable_size
    assert segments[0]["p_vaddr"] <= file["e_entry"] < segments[0]["p_vaddr"] + segments[0]["p_filesz"]


def test_entries_are_aligned_behind_their_headers():
    image, codes = compile(PROGRAM)
    entries = {name: first for name, first, _ in image.functions}
    for code in codes:
        assert entries[code.name] % 16 == 0
        header = image.content[entries[code.name] - 8 : entries[code.name]]
        assert header == (code.arity << 8 | 4).to_bytes(4, "little") + (2 * code.line + 1).to_bytes(4, "little")


@pytest.mark.skipif(not shutil.which("ld"), reason="no ld")
def test_relocatable(tmp_path):
    image, _ = compile(PROGRAM)
    path, program = str(tmp_path / "program.o"), str(tmp_path / "program")
    write(path, elf.relocatable(image))
    subprocess.run(["ld", path, "-o", program], check=True)
    assert spawn(program) == (EXPECTED, 1)


def test_relocatable_by_readelf():
    elffile = pytest.importorskip("elftools.elf.elffile")
    image, _ = compile(PROGRAM)
    file = elffile.ELFFile(io.BytesIO(elf.relocatable(image)))
    symbols = {symbol.name: symbol for symbol in file.get_section_by_name(".symtab").iter_symbols()}
    text = file.get_section_by_name(".text")
    for name, first, last in image.functions:
        assert symbols[name]["st_size"] == last - first
        assert text.data()[symbols[name]["st_value"] :][: last - first] == image.content[first:last]
    assert symbols["_start"]["st_info"]["bind"] == "STB_GLOBAL"
    assert file.get_section_by_name(".rela.text").num_relocations() == len(image.references)


@pytest.mark.skipif(not (shutil.which("as") and shutil.which("ld")), reason="no as or ld")
def test_assembly(tmp_path):
    image, codes = compile(PROGRAM)
    source, path, program = (str(tmp_path / name) for name in ("program.s", "program.o", "program"))
    write(source, assembly.assembly(image, codes).encode())
    subprocess.run(["as", source, "-o", path], check=True)
    subprocess.run(["ld", path, "-o", program], check=True)
    assert spawn(program) == (EXPECTED, 1)


def test_listing():
    image, codes = compile(HELLO)
    listing = assembly.listing(image, codes)
    assert (
        "bf 0b 00 00 00" in listing and "mov edi, 11" in listing and "call runtime.print" in listing and "# line 1" in listing
    )


# The loader


def mappings():
    with open("/proc/self/maps") as maps:
        return [line.split() for line in maps]


def test_code_can_never_be_written():
    image, _ = compile(HELLO)
    libc = ctypes.CDLL(None, use_errno=True)
    before = {row[0] for row in mappings()}  # what else is in this process may be less careful
    with jit.Loaded(image) as loaded:
        page = ctypes.c_void_p(loaded.address)
        for protection in (7, 3):
            assert libc.mprotect(page, ctypes.c_size_t(4096), protection) == -1
            assert ctypes.get_errno() == errno.EACCES
        rows = mappings()
        start = f"{loaded.address:x}-"
        assert [row[1] for row in rows if row[0].startswith(start)] == ["r-xs"]
        assert not [row for row in rows if row[1].startswith("rwx") and row[0] not in before]
    file = jit.sealed(b"code")
    for attempt in (lambda: os.write(file, b"x"), lambda: os.ftruncate(file, 0)):
        with pytest.raises(OSError):
            attempt()
    os.close(file)


def test_many_runs_leave_nothing():
    image, _ = compile("(@m (data @n 8) (@m 0 0 rax <- @n mem rax 0 += 2 rdi <- mem rax 0 rdi++ call print 1 return))")

    def resources():
        with open("/proc/self/maps") as maps:
            return len(os.listdir("/proc/self/fd")), len(maps.readlines())

    jit.capture(image)
    before = resources()
    with jit.Loaded(image) as loaded:
        assert [loaded.capture().stdout for _ in range(3)] == [b"1\n"] * 3  # each run has fresh data
    for _ in range(5):
        jit.capture(image)
    assert resources()[0] == before[0] and resources()[1] <= before[1] + 3


def test_captures_without_deadlock():
    """Megabytes both ways at once."""
    text = """(@m (@m 0 1 mem rsp 0 <- 300000 :again call input 0 rdi <- rax call print 1
        mem rsp 0 -= 1 rax <- mem rsp 0 cjump rax > 0 :again return))"""
    numbers = b"".join(b"%d\n" % (number * 1000003) for number in range(300_000))
    assert run(text, numbers).stdout == numbers


def test_timeout():
    image, _ = compile("(@m (@m 0 0 rdi <- 11 call print 1 call input 0 :a goto :a))")
    done = jit.capture(image, b"1\n", timeout=0.3)
    assert done.timed_out and done.signal == 9 and done.stdout == b"5\n"


LOOP = "(@m (@m 0 0 :a goto :a))"


INTERRUPTED = """
import os, sys
sys.path[:0] = {path!r}
from test_link import LOOP, compile
from septet.link import jit
image, _ = compile(LOOP)
print("ready", flush=True)
try:
    jit.run(image)
except KeyboardInterrupt:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        print("interrupted")
"""


def test_interrupt_ends_the_child_and_is_raised():
    """In a process of its own: in this one other threads might take the signal."""
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED.format(path=sys.path)], stdout=subprocess.PIPE, text=True) as done:
        assert done.stdout and done.stdout.readline() == "ready\n"
        time.sleep(0.3)
        done.send_signal(signal.SIGINT)
        try:
            assert done.communicate(timeout=60)[0] == "interrupted\n"
        finally:
            done.kill()


def test_signals_are_at_their_defaults_in_the_child():
    """What a program does on a signal does not depend on the host's handlers."""
    image, _ = compile("(@m (@m 0 0 rax <- 0 rcx <- mem rax 0 return))")
    before = signal.signal(signal.SIGSEGV, lambda *_: None)
    try:
        assert jit.capture(image).signal == signal.SIGSEGV
    finally:
        signal.signal(signal.SIGSEGV, before)


def test_the_child_ends_with_its_parent():
    image, _ = compile(LOOP)
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        jit.run(image, 0, writer)
    time.sleep(0.3)
    os.close(writer)
    os.kill(middle, signal.SIGKILL)
    os.waitpid(middle, 0)
    with open(reader, "rb") as file:
        assert file.read() == b""  # which it is not before the grandchild has closed its end


def test_becoming_the_program():
    """`become` replaces the process."""
    image, _ = compile(PROGRAM)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.memfd_create("empty"), 0)
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            jit.become(image, "program")
        finally:
            os._exit(99)
    os.close(writer)
    with open(reader, "rb") as file:
        assert file.read() == EXPECTED[: EXPECTED.index(b"42\n")] + b"septet: input() past the end of the input\n"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_refusal_is_told(monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    image, _ = compile(HELLO)
    for module, name in ((jit, "map_memory"), (jit.os, "ftruncate")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, refuse)
            with pytest.raises(jit.CannotExecute):
                jit.run(image)
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(jit.CannotExecute):
        jit.run(image)
