"""`septet explain`: what it says of a program, line by line, without what was taken back and without the same twice."""

from __future__ import annotations

from pathlib import Path

import pytest

import septet
from septet import explain
from septet.base.remarks import Remark
from septet.base.symbols import Line

KERNELS = Path(__file__).parent.parent / "bench" / "kernels"
INLINED = """int64 first(int64[] a, int64 i) {
  int64 v
  v <- a[i]
  return v
}
void main() {
  int64 n, v
  int64[] a
  n <- input()
  a <- new Array(n)
  v <- first(a, n)
  print(v)
  return
}
"""


@pytest.mark.parametrize("opt", [1, 2, 3])
@pytest.mark.parametrize("name", ["dispatch", "lists", "matmul", "quicksort", "sieve"])
def test_no_remark_contradicts_another(name: str, opt: int) -> None:
    """A call is either inlined or not, of every line nothing is said twice, and a reason always stands in brackets."""
    program = septet.read(str(KERNELS / f"{name}.lb"), opt=opt)
    seen: dict[tuple[int, int, str], str] = {}
    for line, column, remark in explain.places(program):
        assert remark.why or remark.by in ("versioning", "parameters"), remark.what
        if remark.what.startswith("@"):
            callee, _, done = remark.what.partition(" ")
            assert seen.setdefault((line, column, callee), done) == done
    lines: list[str] = []
    for text in explain.report(program).splitlines():
        if text.lstrip().startswith("|"):
            assert text not in lines
            lines.append(text)
        else:
            lines = []


def test_what_versioning_removed_is_not_said_to_be_kept() -> None:
    """All checks of matmul's inner loop go."""
    program = septet.read(str(KERNELS / "matmul.lb"), opt=2)
    for number in (46, 47):
        text = explain.report(program, number)
        assert "check-index removed" in text
        assert "kept" not in text


def test_inlined_checks_say_where_they_are_from() -> None:
    program = septet.compile(INLINED, language="lb", opt=2)
    text = explain.report(program, 11)
    assert "3: @first inlined (cost " in text
    assert "3: inlined from @first, line 3: check-index kept (" in text
    assert "inlined from @first, line 3: check-index kept" in explain.as_json(program, 11)


def test_settled() -> None:
    """What later remarks take back goes; two checks of which one went do not hide the other."""

    def remark(what: str, by: str, span: int = 5, origin: Line | None = None) -> Remark:
        return Remark(by, "f", span, what, "why", None, origin)

    once = [remark("@g not inlined", "inline"), remark("@g not inlined", "inline"), remark("@g inlined", "inline")]
    assert explain._settled(once) == [once[2]]
    assert explain._settled(once[:2]) == [once[1]]
    two = [remark(f"check-index {done}", by) for done, by in (*[("kept", "range-checks")] * 2, ("removed", "versioning"))]
    assert explain._settled(two) == two
    assert explain._settled(two[1:]) == two[2:]
    other = [remark("check-index kept", "range-checks"), remark("check-index removed", "versioning", origin=Line(3, "g"))]
    assert explain._settled(other) == other


def test_numbers_for_readers() -> None:
    from septet.ir.passes.range_checks import _numbers

    assert _numbers(2 * 7 + 1, 2 * 7 + 1) == "it is 7"
    assert _numbers(1, 2 * (1 << 31) + 1) == "[0, 2147483648]"
    assert _numbers(-(1 << 63), (1 << 63) - 1) == "[-2^62, 2^62-1]"
    assert _numbers(-(1 << 62) + 1, (1 << 62) + 1) == "[-2^61, 2^61]"
    assert _numbers(2 * (-(1 << 61) + 1) + 1, 2 * 5 + 1) == "[-2^61+1, 5]"
    assert _numbers(2 * (-(1 << 61) - 1) + 1, 2 * 5 + 1) == "[-2^61-1, 5]"
    assert _numbers(2 * 1234567890123456 + 1, 2 * ((1 << 60) + 1) + 1) == "[1234567890123456, 2^60+1]"
