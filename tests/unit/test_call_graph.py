"""The call graph: components callees first, indirect calls by arity."""

from __future__ import annotations

from ir_programs import read

from septet.ir.analyses.call_graph import CallGraph

PROGRAM = """
define void @main () {
  :entry
    call @even(9)
    code %f <- @leaf
    int64 %x <- call %f(1)
    return
}
define int64 @even (int64 %n) {
  :entry
    int64 %x <- call @odd(%n)
    return %x
}
define int64 @odd (int64 %n) {
  :entry
    int64 %x <- call @even(%n)
    int64 %y <- call @leaf(%n)
    return %x
}
define int64 @leaf (int64 %n) {
  :entry
    return %n
}
define int64 @self (int64 %n) {
  :entry
    int64 %x <- call @self(%n)
    return %x
}
define int64 @pair (int64 %n, int64 %m) {
  :entry
    return %n
}
"""


def test_components_come_callees_first() -> None:
    graph = CallGraph(read(PROGRAM))
    assert graph.components == [["leaf"], ["even", "odd"], ["main"], ["self"], ["pair"]]
    assert [graph.recursive(name) for name in ("main", "even", "odd", "leaf", "self")] == [False, True, True, False, True]


def test_indirect_calls_reach_what_has_an_address() -> None:
    graph = CallGraph(read(PROGRAM))
    assert graph.taken == {1: ["leaf"]}
    assert graph.calls("main") == ["even", "leaf"]
    assert graph.calls("odd") == ["even", "leaf"]


def test_recursion_through_an_address() -> None:
    graph = CallGraph(
        read("""
define void @main () {
  :entry
    call @f(@f)
    return
}
define void @f (code %g) {
  :entry
    call %g(%g)
    return
}
""")
    )
    assert graph.components == [["f"], ["main"]]
    assert graph.recursive("f") and not graph.recursive("main")


def test_a_long_chain() -> None:
    count = 5_000
    parts = ["define void @main () {\n:entry\ncall @f0()\nreturn\n}\n"]
    parts += [f"define void @f{n} () {{\n:entry\ncall @f{n + 1}()\nreturn\n}}\n" for n in range(count)]
    parts.append(f"define void @f{count} () {{\n:entry\nreturn\n}}\n")
    graph = CallGraph(read("".join(parts)))
    assert [len(component) for component in graph.components] == [1] * (count + 2)
    assert graph.components[0] == [f"f{count}"]
    assert graph.components[-1] == ["main"]
