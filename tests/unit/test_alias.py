"""Which accesses may be to one place, and where contents are known."""

from __future__ import annotations

import random

from ir_programs import outcome, read

from septet.base.facts import Facts
from septet.base.options import Fuel
from septet.ir import interpret, text, verify
from septet.ir.analyses.alias import Alias
from septet.ir.analyses.available import Available
from septet.ir.copy import copy_function
from septet.ir.nodes import Program, Value
from septet.ir.passes import dead_stores, redundant_loads, scalar_replacement

MAIN = "define void @main () {\n:entry\nreturn\n}\n"


def accesses(body: str) -> tuple[Alias, dict[str, Value]]:
    """The alias analysis of @f, and its loads by name."""
    program = read(body + MAIN)
    function = program.functions["f"]
    return Alias(function, Facts(program, Fuel(), function=function)), {v.name: v for v in function.values() if v.name}


def test_indices() -> None:
    alias, by = accesses("""
define int64 @f (int64[] %p, int64[] %q, int64 %i, tuple %t, int64[][] %m) {
  :entry
    i64 %n <- untag %i
    int64 %j <- %i + 2
    i64 %k <- untag %j
    i64 %l <- %n + 1
    i64 %o <- %k - 3
    int64 %pn <- %p[%n]
    int64 %pk <- %p[%k]
    int64 %pl <- %p[%l]
    int64 %po <- %p[%o]
    int64 %p0 <- %p[0]
    int64 %p1 <- %p[1]
    int64 %qn <- %q[%n]
    int64 %qk <- %q[%k]
    int64 %q1 <- %q[1]
    int64 %t0 <- %t[0]
    int64 %m0 <- %m[%n][0]
    int64 %m1 <- %m[%k][1]
    int64 %m2 <- %m[%k][%n]
    return 1
}
""")

    def may(one: str, other: str) -> bool:
        assert alias.may_alias(by[one], by[other]) == alias.may_alias(by[other], by[one])
        return alias.may_alias(by[one], by[other])

    assert may("pn", "pn") and may("pk", "pl") and may("pn", "p0") and may("pn", "qn") and may("p1", "q1")
    assert not may("pn", "pk") and not may("pn", "pl") and not may("pn", "po") and not may("pk", "po")
    assert not may("p0", "p1") and not may("p0", "q1") and not may("pn", "qk")
    assert not may("p0", "t0") and not may("pn", "m0") and not may("m0", "m1") and not may("m0", "m2") and may("m1", "m2")
    assert alias.location(by["pk"]) is alias.location(by["pl"])


def test_words() -> None:
    alias, by = accesses("""
data @d 64
define void @f (ptr %p, int64[] %a, int64 %i) words {
  :entry
    i64 %x <- load %p + 8 in any
    i32 %low <- load %p + 8 in any
    i32 %high <- load %p + 12 in any
    i64 %y <- load %p + 16 in any
    ptr %r <- %p + 8
    i64 %z <- load %r in any
    i64 %d <- load @d + 8 in any
    i64 %n <- untag %i
    i64 %b <- %n << 3
    ptr %at <- %a + %b
    int64 %e <- load %at + 16 in element
    int64 %g <- load %at + 24 in element
    int64 %t <- load %at + 16 in tuple
    i64 %l <- %n + 1
    i64 %c <- %l << 3
    ptr %to <- %a + %c
    int64 %h <- load %to + 16 in element
    return
}
""")

    def may(one: str, other: str) -> bool:
        return alias.may_alias(by[one], by[other])

    assert may("x", "low") and may("x", "high") and may("high", "x") and not may("low", "high") and not may("x", "y")
    assert alias.location(by["z"]) is alias.location(by["x"]) and may("x", "d")
    assert not may("e", "g") and alias.location(by["h"]) is alias.location(by["g"]) and not may("e", "t") and may("e", "x")


def test_what_is_available() -> None:
    program = read(
        """
define int64 @f (int64[] %a, int64[] %b, bool %c) {
  :entry
    %a[0] <- 7
    %a[1] <- 9
    br %c :then :join
  :then
    %b[1] <- 1
    br :join
  :join
    int64 %x <- %a[0]
    int64 %y <- %a[1]
    return %x
}
"""
        + MAIN
    )
    function = program.functions["f"]
    alias = Alias(function)
    found = Available(function, alias)
    by = {v.name: v for v in function.values()}
    x, y = alias.location(by["x"]), alias.location(by["y"])
    assert x is not None and y is not None
    start = found.start[function.blocks[2]]
    assert start >> x.number & 1 and not start >> y.number & 1


class Maker:
    """Makes functions that do random things with a few objects, and print what they hold."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def index(self) -> str:
        return self.pick.choice(["0", "1", "2", "%i0", "%i1", "%i2"])

    def object(self) -> str:
        return self.pick.choice(["%a", "%b", "%c", "%d"])

    def lines(self, count: int) -> list[str]:
        result = []
        for _ in range(count):
            kind = self.pick.random()
            if kind < 0.45:
                result.append(f"{self.object()}[{self.index()}] <- %x{self.pick.randrange(3)}")
            elif kind < 0.85:
                result.append(f"int64 %x{self.pick.randrange(3)} <- {self.object()}[{self.index()}]")
            elif kind < 0.9:
                result.append(f"int64[] {self.object()} <- new Array(13)")
            elif kind < 0.94:
                result.append(f"int64[] {self.object()} <- {self.object()}")
            elif kind < 0.97:
                result.append(f"call @touch({self.object()})")
            else:
                name = self.name()
                result += [f"int64 %{name} <- {self.object()}[{self.index()}]", f"call print(%{name})"]
        return result

    def block(self, depth: int) -> list[str]:
        result = self.lines(self.pick.randrange(1, 6))
        if not depth:
            return result
        label = self.name()
        if self.pick.random() < 0.5:
            result += [f"bool %f <- %x0 < {self.pick.randrange(9)}", f"br %f :t{label} :e{label}", f":t{label}"]
            result += [*self.block(depth - 1), f"br :e{label}", f":e{label}"]
        else:
            result += [f"i64 %n{label} <- 0", f"br :h{label}", f":h{label}", f"bool %f <- %n{label} < 3"]
            result += [f"br %f :b{label} :o{label}", f":b{label}", *self.block(depth - 1)]
            result += ["i64 %i0 <- %i1", f"i64 %n{label} <- %n{label} + 1", f"i64 %i1 <- %n{label}", "i64 %i2 <- %i1 + 1"]
            result += [f"br :h{label}", f":o{label}"]
        return result + self.block(depth - 1)

    def program(self) -> str:
        start = [f"int64[] %{name} <- {self.pick.choice(['new Array(13)', '%p', '%q'])}" for name in "abcd"]
        start += ["int64 %x0 <- 3", "int64 %x1 <- 5", "int64 %x2 <- 7", "i64 %i0 <- 1", "i64 %i1 <- 2", "i64 %i2 <- 3"]
        end = ["call print(%p)", "call print(%q)", f"call print({self.object()})", "call print(%x0)", "call print(%x1)"]
        body = "\n".join([*start, *self.block(2), *end])
        return f"""
define void @main () {{
  :entry
    int64[] %p <- new Array(13)
    int64[] %q <- new Array(13)
    call @f(%p, %q)
    call @f(%p, %p)
    call print(%p)
    return
}}
define void @touch (int64[] %p) {{
  :entry
    int64 %x <- %p[1]
    %p[0] <- %x
    return
}}
define void @f (int64[] %p, int64[] %q) {{
:entry
{body}
return
}}
"""


def test_random_functions() -> None:
    for seed in range(120):
        program = read(Maker(seed).program())
        wanted = outcome(interpret.run, program)
        changed = Program({n: copy_function(f) for n, f in program.functions.items()}, program.data, program.source)
        for module in (redundant_loads, dead_stores, scalar_replacement, redundant_loads, dead_stores):
            for function in changed.functions.values():
                module.run(function, Facts(changed, Fuel(), function=function))
                assert [d.render() for d in verify.function_problems(function, changed)] == [], seed
            assert outcome(interpret.run, changed) == wanted, (seed, module.NAME, text.print_program(changed))
