"""The collector: what it keeps, what it frees, and what it says when memory or the stack is really out."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import pytest
import random_allocation
from conftest import NATIVE

from septet.base.diagnostics import Rejected
from septet.base.options import Options
from septet.base.source import Source
from septet.base.symbols import FUNCTION, symbol
from septet.ir import roots
from septet.link import maps
from septet.pipeline import NAMED
from septet.program import Program, language_of

pytestmark = pytest.mark.skipif(not NATIVE, reason="machine code does not run here")

PROGRAMS = Path(__file__).parent / "programs"
SAMPLE = 12  # random programs
WHOLE = 40  # times as many with --whole
LONGEST = 5  # seconds that a program may take with stress; those that take longer are left out

KEEP = """// %s allocated, little of it kept
void main () {
  int64 i, x
  tuple ring, t
  ring <- new Tuple(1000)
  while (i < %d) :more :done
  :more
  t <- new Tuple(10)
  t[3] <- i
  x <- i & 511
  ring[x] <- t
  i <- i + 1
  continue
  :done
  t <- ring[77]
  x <- t[3]
  print(x)
}
"""

DEEP = """// a list of a million nodes, the first element of each the next node, is kept over many collections
void main () {
  int64 i, n, k
  tuple list, node
  list <- new Tuple(2)
  while (i < 1000000) :more :made
  :more
  node <- new Tuple(2)
  node[0] <- list
  node[1] <- i
  list <- node
  i <- i + 1
  continue
  :made
  i <- 0
  while (i < 3000000) :waste :wasted
  :waste
  node <- new Tuple(3)
  node[k] <- i
  k <- i & 1
  i <- i + 1
  continue
  :wasted
  n <- node[0]
  i <- 0
  while (i < 999999) :count :counted
  :count
  list <- list[0]
  i <- i + 1
  continue
  :counted
  k <- list[1]
  print(k)
}
"""

RECURSION = """// recursion without an end
int64 f (int64 n) {
  int64 r
  n <- n + 1
  r <- f(n)
  r <- r + n
  return r
}
void main () {
  print(7)
  f(1)
}
"""


def built(text: str, path: Path, language: str = "lb", **options: int) -> str:
    """An executable of the program, in folder `path`."""
    program = Program(Source(text), language, Options(**options))  # type: ignore[arg-type]
    program.save(str(path / "program"), debug=False)
    return str(path / "program")


def run(path: str, **more: object) -> tuple[bytes, bytes, int]:
    done = subprocess.run([path], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, **more)  # type: ignore[call-overload]
    return done.stdout, done.stderr, done.returncode


@pytest.mark.parametrize("opt", [0, 2])
def test_the_programs_do_the_same_with_a_collection_at_every_allocation(opt: int, tmp_path: Path) -> None:
    ran = 0
    for path in sorted(PROGRAMS.iterdir()):
        if path.suffix in (".lb", ".la", ".ir", ".l3") and ("new " in (text := path.read_text()) or "allocate" in text):
            stdin = path.with_suffix(".in")
            found = []
            for stress in (False, True):
                program = Program(Source.read(str(path)), language_of(str(path)), Options(opt, gc_stress=stress))
                try:
                    program.save(str(tmp_path / "program"), debug=False)
                except Rejected:  # it needs another target
                    break
                given = stdin.read_bytes() if stdin.exists() else b""
                try:
                    done = subprocess.run([tmp_path / "program"], input=given, capture_output=True, timeout=LONGEST)
                except subprocess.TimeoutExpired:
                    break
                found.append((done.stdout, done.stderr, done.returncode))
            else:
                ran += 1
                assert found[0] == found[1], path.name
    assert ran > 50


def test_random_programs_do_the_same_with_a_collection_at_every_allocation(pytestconfig: pytest.Config) -> None:
    for seed in range(SAMPLE * (WHOLE if pytestconfig.getoption("--whole") else 1)):
        assert not random_allocation.difference(seed)


def test_a_missing_root_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = maps._map
    monkeypatch.setattr(maps, "_map", lambda frame, places: whole(frame, places[:-1]))
    assert random_allocation.difference(0, (2,))


def test_a_missing_base_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(PROGRAMS / "collector_derived_pointers.ir")
    monkeypatch.setattr(roots, "_DERIVES", ())
    runs = [Program(Source.read(path), "ir", Options(2, gc_stress=stress)).run(b"", capture=True) for stress in (False, True)]
    assert runs[0].stdout != runs[1].stdout


@pytest.mark.parametrize("opt", [0, 2])
def test_memory_stays_bounded(opt: int, tmp_path: Path) -> None:
    path = built(KEEP % ("400 MB", 4_000_000), tmp_path, opt=opt)
    most = (1 << 28) + (1 << 27)  # the stack, and what the heap may take
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most))  # noqa: E731
    assert run(path, preexec_fn=limit) == (b"%d\n" % (3_999_999 - (3_999_999 - 77) % 512), b"", 0)


def test_deep_lists_do_not_overflow(tmp_path: Path) -> None:
    assert run(built(DEEP, tmp_path)) == (b"0\n", b"", 0)


def test_the_limit_is_kept(tmp_path: Path) -> None:
    assert run(built(KEEP % ("40 MB", 400_000), tmp_path, heap_limit=1 << 20))[2] == 0
    large = "// too much\nvoid main () {\n int64[] a\n print(1)\n a <- new Array(1000000)\n print(a)\n}\n"
    message = b"septet: out of memory: the heap is limited to 1048576 bytes\n"
    assert run(built(large, tmp_path, heap_limit=1 << 20)) == (b"1\n", message, 1)
    assert run(built(large, tmp_path, heap_limit=1))[2] == 1  # not "none"
    assert run(built(KEEP % ("40 MB", 400_000), tmp_path, heap_limit=1 << 100))[2] == 0


@pytest.mark.parametrize("opt", [0, 2])
def test_running_out_of_stack_says_so(opt: int, tmp_path: Path) -> None:
    expected = (b"7\n", b"septet: stack overflow\n", 1)
    assert run(built(RECURSION, tmp_path, opt=opt)) == expected
    inside = Program(Source(RECURSION), "lb", Options(opt)).run(b"", capture=True)
    assert (inside.stdout.encode(), inside.stderr.encode(), inside.status) == expected


def test_other_faults_stay_what_they_are(tmp_path: Path) -> None:
    text = "(@main (@main 0 0 rax <- 8 rdi <- mem rax 0 call print 1 return))"
    assert run(built(text, tmp_path, "l1")) == (b"", b"", -11)


def test_programs_that_do_not_allocate_have_no_maps() -> None:
    program = Program(Source("void main () {\n print(1)\n}\n"), "lb", Options())
    assert not any(code.maps for code in program.codes)
    assert maps.NAME not in [name for name, _, _ in program.image.constants]


@pytest.mark.parametrize("stage", ["l3", "l2", "l1"])
def test_roots_survive_as_text(stage: str) -> None:
    path = str(PROGRAMS / "collector_derived_pointers.ir")
    program = Program(Source.read(path), "ir", Options(2))
    text = program.text(stage)
    assert "roots" in text
    again = Program(Source(text), stage, Options(2))
    assert [code.maps for code in again.codes] == [code.maps for code in program.codes]


def test_a_phi_of_derived_pointers_gets_one_of_their_bases() -> None:
    path = str(PROGRAMS / "collector_derived_pointers.ir")
    program = Program(Source.read(path), "ir", Options(0)).stage("ir")
    found = roots.Roots(program.functions["either"])
    assert [[join.name for join in joins] for joins in found.joins.values()] == [["base"]]
    assert not roots.Roots(program.functions["inside"]).joins
    lowered = NAMED["ir"].room("lower").lower(program.functions["either"], program, Options(0))
    assert len(program.functions["either"].blocks[3].phis) == 1  # unchanged
    assert any(each.name.startswith("base") for i in lowered.body if str(i.op) == "roots" for each in i.args)


def test_only_calls_that_may_collect_have_roots() -> None:
    text = "void f () {\n print(1)\n}\nvoid g () {\n tuple t\n t <- new Tuple(3)\n print(t)\n}\nvoid main () {\n f()\n g()\n}\n"
    program = Program(Source(text), "lb", Options(0)).stage("ir")
    calls = roots.sites(program.functions["main"], program, 2)
    assert [call.callee for call in calls] == [symbol(FUNCTION, "g")]
    assert len(roots.sites(program.functions["main"], program, 1)) == 2  # where functions are lowered one by one
