"""Targets: their names, what they have, and what is said where this machine or the target lacks something."""

from __future__ import annotations

import subprocess
import sys

import pytest

import septet
from septet.base.options import Options
from septet.x86 import targets

LEVELS = ["x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4"]
PROGRAM = "void main() { print(42) return }"
FUSED = """define f64 @f (f64 %x, f64 %y) {
:entry
  f64 %z <- fma %x, %y, %x
  return %z
}
define void @main () {
:entry
  f64 %z <- call @f(2.0, 3.0)
  return
}
"""


def test_every_level_has_what_those_before_it_have() -> None:
    for low, high in zip(LEVELS, LEVELS[1:], strict=False):
        assert targets.features(low) & ~targets.features(high) == 0
        assert targets.features(low) != targets.features(high)


def test_names_are_canonical() -> None:
    for level in LEVELS:
        assert targets.named(targets.features(level)) == level
    assert targets.canonical("x86-64-v2+lzcnt") == "x86-64-v2+lzcnt"
    assert targets.canonical("x86-64-v1+sse3+ssse3+sse4.1+sse4.2+popcnt") == "x86-64-v2"
    assert targets.canonical("native") == targets.native() == targets.canonical(targets.native())
    assert targets.missing(targets.native()) == []


@pytest.mark.parametrize(
    ("name", "what"),
    [("x86-64-v9", "did you mean 'x86-64-v4'"), ("v3", "there are x86-64-v1"), ("x86-64-v3+avx512", "did you mean 'avx512f'")],
)
def test_there_is_no_such_target(name: str, what: str) -> None:
    with pytest.raises(ValueError, match=what.replace(".", "[.]")):
        septet.compile(PROGRAM, target=name)
    done = subprocess.run([sys.executable, "-m", "septet", "run", "--target", name, "x.lb"], capture_output=True, text=True)
    assert done.returncode == 2 and what in done.stderr


def test_the_target_is_part_of_the_digest() -> None:
    assert len({Options(target=level).digest() for level in LEVELS}) == 4
    assert Options(1).with_(target=LEVELS[2]).with_(opt=2).target == LEVELS[2]


def test_what_this_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    program = septet.compile(PROGRAM, target="x86-64-v3")
    monkeypatch.setattr(targets, "machine", lambda: targets.features("x86-64-v2"))
    with pytest.raises(septet.Rejected, match="cannot run code for x86-64-v3: it has no avx, avx2"):
        program.run(capture=True)


def test_what_the_target_lacks() -> None:
    program = septet.compile(FUSED, language="ir", opt=0, target="x86-64-v3")
    assert "vfmadd" in program.text("l2")
    below = septet.compile(program.text("l3"), language="l3", opt=0)
    with pytest.raises(septet.Rejected, match=r"(?s)<text>:3:3: .*'fma' needs target x86-64-v3"):
        below.text("l2")
    assert "call @fma_f64" in septet.compile(FUSED, language="ir", opt=0).text("l2")


@pytest.mark.parametrize("target", LEVELS[2:])
def test_code_for_avx_has_nothing_of_sse(target: str) -> None:
    text = septet.compile(
        """define f64 @f (f64 %x, f64 %y) {
           :entry
             f64 %a <- sqrt %x
             f64 %b <- fmin %a, %y
             f64 %c <- floor %b
             bool %less <- %a < %c
             f64 %d <- select %less, %b, %y
             i64 %n <- convert %d
             f64 %e <- convert %n
             return %e
           }
           define void @main () {
           :entry
             f64 %z <- call @f(2.0, 3.0)
             return
           }""",
        language="ir",
        opt=1,
        target=target,
    ).text("l1", notes=False)
    for line in text.splitlines():
        if "xmm" in line and not line.strip().startswith(("call", "return")):
            assert line.split()[0][0] == "v", line
