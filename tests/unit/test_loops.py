"""Loops, and how far their induction variables go."""

from __future__ import annotations

import pytest
from ir_programs import read

from septet.base.facts import Facts
from septet.base.options import Fuel
from septet.ir.analyses.induction import Inductions
from septet.ir.analyses.loops import Loops, depths
from septet.ir.nodes import Function


def function(body: str, parameters: str = "int64 %n, int64 %m") -> Function:
    program = read(f"define int64 @f ({parameters}) {{\n{body}\n}}\ndefine void @main () {{\n:entry\nreturn\n}}")
    return program.functions["f"]


NEST = """
  :entry
    br :outer
  :outer
    int64 %i <- phi (:entry 1, :more %i2)
    br :inner
  :inner
    int64 %j <- phi (:outer %i, :inner %j2)
    int64 %j2 <- %j + 2
    bool %c <- %j2 < %n
    br %c :inner :more
  :more
    int64 %i2 <- %i + 4
    bool %d <- %i2 <= %n
    br %d :outer :out
  :out
    return %n
"""

TWO_ENTRIES = """
  :entry
    bool %c <- %n < %m
    br %c :left :right
  :left
    bool %d <- %n = 3
    br %d :right :out
  :right
    bool %e <- %n = 5
    br %e :left :out
  :out
    return %n
"""


def test_a_nest() -> None:
    f = function(NEST)
    inner, outer = Loops(f).loops
    assert [block.name for block in outer.blocks] == ["outer", "inner", "more"]
    assert [block.name for block in outer.own] == ["outer", "more"]
    assert inner.parent is outer and outer.children == [inner] and (inner.depth, outer.depth) == (2, 1)
    assert inner.preheader is outer.header and [block.name for block in outer.latches] == ["more"]
    assert [(a.name, b.name) for a, b in inner.exits] == [("inner", "more")]
    assert inner.natural and outer.natural
    assert depths(f) == [0, 1, 2, 1, 0]
    loops = Loops(f)
    assert loops.contains(loops.loops[1], f.blocks[2]) and not loops.contains(loops.loops[0], f.blocks[1])


def test_a_loop_with_two_entries_is_not_natural() -> None:
    loops = Loops(function(TWO_ENTRIES)).loops
    assert len(loops) == 1 and not loops[0].natural


def test_no_loops() -> None:
    assert Loops(function(":entry\nreturn %n")).loops == []


def inductions(body: str) -> tuple[Inductions, Function]:
    f = function(body)
    return Facts(None, Fuel(), function=f).get(Inductions), f


def test_bounds_in_a_nest() -> None:
    found, f = inductions(NEST)
    i, j = (found.of(block.phis[0]) for block in f.blocks[1:3])
    assert i is not None and j is not None
    assert (i.constant_step, j.constant_step) == (4, 2)
    assert i.most is not None and list(i.most.terms.values()) == [1] and i.most.number == 0  # %i2 <= %n
    assert j.most is not None and j.most.number == -1  # %j2 < %n
    assert j.begin.terms == {i.phi: 1} and not j.reaches


@pytest.mark.parametrize(
    ("test", "bounded"),
    [("%j > %m", True), ("%m <= %j", True), ("%j < %m", False), ("%j != %m", False), ("%j >.u64 %m", False)],
)
def test_a_variable_that_falls(test: str, bounded: bool) -> None:
    found, f = inductions(
        f"""
  :entry
    br :loop
  :loop
    int64 %i <- phi (:entry %n, :loop %j)
    int64 %j <- %i - 2
    bool %c <- {test}
    br %c :loop :out
  :out
    return %n
"""
    )
    variable = found.of(f.blocks[1].phis[0])
    assert variable is not None and variable.constant_step == -2
    assert variable.most is None and (variable.least is not None) == bounded
