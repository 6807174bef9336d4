"""What a compilation imports: start-up time is a number of modules, so what does not run is not there.

The generated tables are given to the new process as a wheel has them: making them imports much more.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from septet.base.options import Options
from septet.base.source import Source
from septet.ops.table import FLAGS, NAMED
from septet.pipeline import GENERATED, NEEDS, PASSES, Compilation, Pass, generated, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts

ROOT = Path(__file__).parent.parent
LOOP = """
from septet import ir
module = ir.Module("loops")
function = ir.Function(module, ir.FunctionType(ir.i64, [ir.i64], names=["n"]), "f")
b = ir.Builder(function.append_basic_block("entry"))
with b.loop(function.args[0]) as i:
    total = i.carry(1, ir.i64, "total")
    sum = b.add(b.xor(b.mul(i, i), 3), b.shl(i, 2))
    total.update(b.add(total, b.or_(b.select(b.icmp_signed(">", sum, 100), b.lshr(sum, 3), sum), 1)))
b.ret(b.srem(total, 1000))
assert module.compile(opt=2, target="x86-64-v1").f(10) > 0
"""
NOT_FOR_NUMBERS = (
    "septet.ir.analyses.alias septet.ir.analyses.summaries septet.ir.passes.inline septet.ir.passes.versioning septet.ir.text"
    " septet.ir.interpret septet.ops.rules septet.link.elf septet.link.dwarf septet.runtime septet.x86.rows_avx"
    " septet.l1.frames septet.l2.allocate.linear_scan septet.l2.allocate.check septet.program septet.__main__"
).split()
SLOW = "argparse dataclasses enum importlib.util inspect json pathlib re subprocess typing".split()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `_generated`, as a wheel's `septet` is."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "_generated").mkdir()
    for name in GENERATED:
        if not name.endswith(("floats", "vectors")):
            (folder / "_generated" / f"{name}.py").write_text(generated(name), encoding="utf-8")
    return folder


def imported(code: str, tables: Path) -> set[str]:
    """The modules that are there after `code` and were not before, in a process of its own."""
    head = f"import sys; before = set(sys.modules); import septet; septet.__path__.append({str(tables)!r})\n"
    tail = "\nprint('@', *set(sys.modules) - before)"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-S", "-c", head + code + tail]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return set(done.stdout.rpartition("@")[2].split())


def test_from_the_builder_to_a_callable(tables: Path) -> None:
    if not sys.platform.startswith("linux") or os.uname().machine != "x86_64":
        pytest.skip("native code runs on Linux on x86-64 alone")
    found = imported(LOOP, tables)
    assert sorted(found & {*NOT_FOR_NUMBERS, *SLOW}) == []
    assert len([name for name in found if name.split(".")[0] == "septet"]) <= 145


def test_the_package_alone(tables: Path) -> None:
    assert imported("", tables) - {"__future__"} == {"septet"}


def test_needs_name_passes_and_opcodes() -> None:
    assert sorted(NEEDS.keys() - {row.name for row in PASSES}) == []
    for needs in NEEDS.values():
        assert sorted(set(needs.split()) - NAMED.keys() - set(FLAGS)) == []


@pytest.mark.parametrize("language", ["lb", "ir"])
def test_a_pass_without_what_it_needs_has_nothing_to_do(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    has_work = Pass.has_work
    left_out: set[str] = set()

    def checked(row: Pass, facts: Facts) -> bool:
        if has_work(row, facts):
            return True
        left_out.add(row.name)
        assert not row.module.run(facts.function, facts), f"{row.name} changes {facts.function.name}"
        return False

    monkeypatch.setattr(Pass, "has_work", checked)
    for path in sorted((ROOT / "tests" / "programs").glob(f"*.{language}"))[::4]:
        Compilation(Options(3)).compile(load(Source(path.read_text(encoding="utf-8"), str(path)), language), language)
    assert len(left_out) > len(NEEDS) // 2
