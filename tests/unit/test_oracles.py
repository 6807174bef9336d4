"""The course's dumps: liveness, interference, spilling."""

from pathlib import Path

import pytest

from septet.base.diagnostics import Rejected
from septet.base.source import Source
from septet.l2 import oracles

COURSE = Path(__file__).parents[3] / "shared" / "course"
DUMPS = {"L2_liveness": oracles.liveness, "L2_interference": oracles.interference, "L2_spill": oracles.spill}
FILES = [path for folder in DUMPS for path in sorted((COURSE / folder).glob("*.L2f"))]


@pytest.mark.skipif(not FILES, reason="the course's tests are not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_course(path):
    assert DUMPS[path.parent.name](Source.read(str(path))) == path.with_suffix(".out").read_text()


SAVED = "r12 r13 r14 r15"


def test_liveness():
    dump = oracles.liveness(Source("(@f 2 %x <- rdi %x += rsi cjump %x < 3 :l call print 1 :l rax <- %x return)"))
    into = dump.split("(out")[0].splitlines()[2:-2]
    assert into == [
        f"({SAVED} rbp rbx rdi rsi)",
        f"({SAVED} rbp rbx rdi rsi %x)",
        f"({SAVED} rbp rbx rdi %x)",
        f"({SAVED} rbp rbx rdi %x)",
        f"({SAVED} rbp rbx %x)",
        f"({SAVED} rbp rbx %x)",
        f"({SAVED} rax rbp rbx)",
    ]
    assert dump.endswith("\n()\n)\n\n)\n")


def test_a_shift_count_interferes_with_all_but_rcx():
    dump = oracles.interference(Source("(@f 1 %n <- 3 rdi <<= %n rax <- rdi return)"))
    (line,) = [line for line in dump.splitlines() if line.startswith("%n ")]
    assert "rcx" not in line.split() and "r8" in line.split()


def test_errors_end_the_flow():
    dump = oracles.liveness(Source("(@f 0 %x <- 1 rdi <- 3 call tensor-error 1 rax <- %x return)"))
    assert dump.split("(out")[1].splitlines()[3] == "()"


SPILLED = """\
(@f
\t2 1
\t%s0 <- rdi
\tmem rsp 0 <- %s0
\t%s1 <- mem rsp 0
\t%s1 += %s1
\tmem rsp 0 <- %s1
\t%s2 <- mem rsp 0
\tmem %s2 8 <- %y
\treturn
)
"""


def test_spill():
    source = "(@f 2 %x <- rdi %x += %x mem %x 8 <- %y return)\n%x\n%s\n"
    assert oracles.spill(Source(source)) == SPILLED


@pytest.mark.parametrize("text", ["(@f 0 return)", "(@f 0 return) %x", "(@f 0 return) x y", "(@f 0 %x <- ) %x %s"])
def test_wrong_input_is_rejected(text):
    with pytest.raises(Rejected):
        oracles.spill(Source(text))
