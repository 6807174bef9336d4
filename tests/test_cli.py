"""The command line as a user meets it: exit statuses, diagnostics, files left whole, streams that behave."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HELLO = "void main() {\n  print(42)\n  return\n}\n"
ENDLESS = "void main() {\n  print(1)\n  :again\n  goto :again\n}\n"
DEEP = """int64 down(int64 n) {
  int64 m
  if (n = 0) :end :more
  :more
  m <- n - 1
  m <- down(m)
  m <- m + 1
  return m
  :end
  return 0
}
void main() {
  int64 d
  d <- down(100000)
  print(d)
  return
}
"""


def septet(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "septet", *words], capture_output=True, text=True, cwd=ROOT, timeout=60, **more
    )  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello.lb"
    path.write_text(HELLO)
    return path


@pytest.mark.parametrize("opt", ["0", "1", "2", "3"])
def test_run(hello: Path, opt: str) -> None:
    done = septet("run", f"-O{opt}", str(hello))
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


@pytest.mark.parametrize("stage", ["lb", "la", "ir", "l3", "l2", "l1", "x86"])
def test_run_at_every_stage(hello: Path, stage: str) -> None:
    done = septet("run", "--at", stage, str(hello))
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "")


def test_build_and_run_with_an_empty_path(hello: Path, tmp_path: Path) -> None:
    environment = {"PATH": "", "PYTHONPATH": str(ROOT)}
    out = tmp_path / "hello"
    done = septet("build", str(hello), "-o", str(out), env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert subprocess.run([str(out)], capture_output=True, env={}).stdout == b"42\n"
    assert out.stat().st_size < 32768
    stripped = tmp_path / "stripped"
    septet("build", "--strip", str(hello), "-o", str(stripped), env=environment)
    assert stripped.stat().st_size < 16384
    assert septet("run", str(hello), env=environment).stdout == "42\n"


def test_staged_compilers(hello: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    path = hello
    for compiler, below in (("lbc", "la"), ("lac", "ir"), ("irc", "l3"), ("l3c", "l2"), ("l2c", "l1")):
        out = tmp_path / f"hello.{below}"
        code = f"import sys, septet.__main__ as m; sys.argv[0] = {compiler!r}; m.{compiler}()"
        subprocess.run([sys.executable, "-c", code, str(path), "-o", str(out)], check=True, env=environment)
        path = out
    code = "import septet.__main__ as m; m.l1c()"
    subprocess.run(
        [sys.executable, "-c", code, str(path), "--strip", "-o", str(tmp_path / "staged")], check=True, env=environment
    )
    septet("build", "-O2", "--strip", str(hello), "-o", str(tmp_path / "whole"))
    assert (tmp_path / "staged").read_bytes() == (tmp_path / "whole").read_bytes()


def test_run_time_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.lb"
    path.write_text("void main() {\n  int64[] a\n  print(1)\n  a[0] <- 2\n  return\n}\n")
    done = septet("run", str(path))
    assert done.returncode == 1
    assert done.stdout == (
        "1\nERROR: instruction at line 4 attempted to access an array, a tuple, or a tensor that has not been allocated\n"
    )


def test_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "bad.lb"
    path.write_text("void main() {\n\tint64 counter\n  int64 counter\n  countre <- 1\n  print(counter\n  return\n}\n")
    done = septet("run", str(path), "--color", "never")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") >= 2
    assert f"{path}:3:9: error:" in done.stderr, "the second declaration"
    assert f"{path}:2:8: note:" in done.stderr, "the first one, behind a tab"
    assert "^" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["run"], 2, "what file"),
        (["rnu", "x.lb"], 2, "did you mean 'run'"),
        (["reduce", "x.lb"], 2, "not there yet"),
        (["run", "--ta", "ir", "x.lb"], 2, "did you mean '--at'"),
        (["run", "--at", "l9", "x.lb"], 2, "not one of"),
        (["run", "x.py"], 2, "language"),
        (["run", "missing.lb"], 1, "missing.lb"),
        (["build", "x.lb", "-o", "x.lb"], 2, "overwrite"),
        (["run", "--dump", "nothing", "README.md", "--language", "lb"], 2, "no language and no pass"),
    ],
)
def test_usage(words: list[str], status: int, says: str) -> None:
    done = septet(*words)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "build", "lower", "check"])
def test_help(command: str) -> None:
    done = septet(command, "--help")
    assert done.returncode == 0
    assert "options:" in done.stdout


def test_rejected_input_leaves_the_old_output(hello: Path, tmp_path: Path) -> None:
    out = tmp_path / "kept"
    out.write_text("precious")
    hello.write_text("void main() {")
    assert septet("build", str(hello), "-o", str(out)).returncode == 1
    assert out.read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hello.lb", "kept"]


def test_deep_recursion(tmp_path: Path) -> None:
    path = tmp_path / "deep.lb"
    path.write_text(DEEP)
    for opt in ("-O0", "-O1"):
        assert septet("run", opt, str(path)).stdout == "100000\n"
        septet("build", opt, str(path), "-o", str(tmp_path / "deep"))
        assert subprocess.run([tmp_path / "deep"], capture_output=True, text=True).stdout == "100000\n"


def test_ctrl_c_stops_an_endless_loop(tmp_path: Path) -> None:
    path = tmp_path / "endless.lb"
    path.write_text(ENDLESS)
    child = subprocess.Popen(
        [sys.executable, "-m", "septet", "run", str(path)], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
    )
    time.sleep(1.0)
    os.killpg(child.pid, signal.SIGINT)
    assert child.wait(10) == -signal.SIGINT


def test_closed_pipe_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "many.lb"
    path.write_text("void main() {\n  :again\n  print(1)\n  goto :again\n}\n")
    command = f"{sys.executable} -m septet run {path} | head -n 3"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, timeout=30)
    assert (done.stdout, done.stderr) == ("1\n1\n1\n", "")


def test_full_disk_is_reported(tmp_path: Path, hello: Path) -> None:
    septet("build", str(hello), "-o", str(tmp_path / "hello"))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([tmp_path / "hello"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_a_terminal_gets_each_line_at_once(tmp_path: Path) -> None:
    path = tmp_path / "endless.lb"
    path.write_text(ENDLESS)
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "septet", "run", str(path)], cwd=ROOT, stdout=theirs, start_new_session=True
    )
    assert os.read(ours, 100).startswith(b"1")
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def test_end_of_input(tmp_path: Path) -> None:
    path = tmp_path / "read.lb"
    path.write_text("void main() {\n  int64 x\n  print(7)\n  x <- input()\n  print(x)\n  return\n}\n")
    done = septet("run", str(path), stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert done.stdout == "7\n"
    assert "end of the input" in done.stderr
    assert septet("run", str(path), input="5").stdout == "7\n5\n"


def test_redirected_python_stdout(hello: Path) -> None:
    code = (
        "import contextlib, io, septet\n"
        f"p = septet.read({str(hello)!r})\n"
        "with contextlib.redirect_stdout(io.StringIO()) as caught:\n    p.run()\n"
        "assert caught.getvalue() == '42\\n'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_falls_back_where_executable_memory_is_refused(hello: Path) -> None:
    code = (
        "import os, sys, septet\n"
        "from septet.link import jit\n"
        "import septet.execute as execute\n"
        "class Refused:\n    def __init__(self, image, **how):\n        raise jit.CannotExecute('no executable memory')\n"
        "execute.Loaded = Refused\n"
        f"program = septet.read({str(hello)!r})\n"
        "program.run()\n"
        "def refuse(*a, **k): raise PermissionError(13, 'Permission denied')\n"
        "os.posix_spawn = refuse\n"
        "program.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "42\n42\n")
    first, second = done.stderr.splitlines()
    assert "executable instead" in first
    assert "IR interpreter" in second


def test_internal_errors_save_a_reproducer(hello: Path, tmp_path: Path) -> None:
    code = (
        "import sys, septet.__main__ as m, septet.lb.text as t\n"
        "def broken(*a, **k): raise KeyError('planted')\n"
        "t.parse = broken\n"
        f"sys.argv = ['septet', 'run', {str(hello)!r}]\n"
        "m.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert done.returncode == 70
    assert "Traceback" not in done.stderr
    (saved,) = tmp_path.glob("septet-internal-error-*")
    assert "planted" in saved.read_text() and "print(42)" in saved.read_text()


def test_prove() -> None:
    done = septet("prove", "add-zero", "sub-add-same")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("2 of 2 rules hold")
    done = septet("prove", "add-zeros")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'add-zero'" in done.stderr
