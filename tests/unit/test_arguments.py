"""What callers have in common."""

from __future__ import annotations

from septet.base.source import Source
from septet.ir.analyses.arguments import Arguments
from septet.ir.nodes import Address, Const
from septet.ir.text import parse

PROGRAM = """
define void @main () {
  :entry
    %n <- call input()
    %a <- call @same(%n, 7, @twice, 5)
    %b <- call @same(%a, 7, @twice, 9)
    call @nobody(3)
    call @nobody(5)
    call @once(3)
    return
}
define int64 @same (int64 %x, int64 %k, code %f, int64 %d) {
  :entry
    bool %c <- %x < %k
    br %c :end :more
  :end
    return %d
  :more
    %y <- %x - 2
    %r <- call @same(%y, %k, %f, %d)
    return %r
}
define int64 @nobody (int64 %x) {
  :entry
    return 5
}
define void @once (int64 %x) {
  :entry
    call print(%x)
    return
}
define int64 @twice (int64 %x) {
  :entry
    return %x
}
define void @never (int64 %x) {
  :entry
    return
}
"""


def found() -> Arguments:
    return Arguments(parse(Source(PROGRAM)))


def test_counts_and_addresses() -> None:
    known = found()
    assert [known.count(name) for name in ("main", "same", "nobody", "once", "twice", "never")] == [0, 3, 2, 1, 0, 0]
    assert [known.taken(name) for name in ("main", "same", "once", "twice")] == [True, False, False, True]


def test_constants() -> None:
    known = found()
    first, second, third, fourth = known.constants("same")
    assert first is None and fourth is None
    assert isinstance(second, Const) and second.number == 7
    assert isinstance(third, Address) and third.symbol.name == "twice"
    assert known.constants("nobody") == [None]  # different ones
    assert known.constants("twice") == [None]  # its address is taken
    assert known.constants("never") == [None]  # nobody says anything


def test_what_nobody_looks_at() -> None:
    known = found()
    assert [known.ignored(name) for name in ("same", "nobody", "once")] == [[False, False, False, False], [True], [False]]
    assert [known.result_used(name) for name in ("main", "same", "nobody", "twice")] == [True, True, False, True]
