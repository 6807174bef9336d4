"""What words are in a whole program; what functions do and keep."""

from __future__ import annotations

from ir_programs import read

from septet.base.facts import Facts, Known
from septet.base.options import Fuel
from septet.base.types import INT64
from septet.ir.analyses.call_graph import CallGraph
from septet.ir.analyses.escape import Escape
from septet.ir.analyses.representation import ANY, NULL, ODD, WordFacts, Words
from septet.ir.analyses.summaries import Summary, component_summaries, summarise
from septet.ir.nodes import Block, Const, Phi, Program, Value
from septet.ops import table as ops
from septet.x86 import abi


def value(program: Program, function: str, name: str) -> Value:
    return next(v for v in program.functions[function].values() if v.name == name)


def words(program: Program, function: str) -> Words:
    known = Known()
    known.words = WordFacts(program)
    return Words(program.functions[function], Facts(program, Fuel(), known=known))


def summaries(program: Program) -> dict[str, Summary]:
    known = Known()
    known.words = WordFacts(program)
    for component in CallGraph(program).components:
        functions = [program.functions[name] for name in component]
        known.summaries |= component_summaries(functions, Facts(program, Fuel(), known=known))
        for function in functions:
            known.summaries[function.name] = summarise(function, Facts(program, Fuel(), function=function, known=known))
    return known.summaries


WORDS = """
define void @main () {
  :entry
    tuple %t <- new Tuple(9)
    %t[0] <- 7
    %t[1] <- %t
    tuple %u <- new Tuple(9)
    int64 %n <- call input()
    %u[0] <- %n
    int64 %r <- call @sum(%u, 21)
    int64 %q <- call @pick(%t)
    code %f <- @take
    int64 %i <- call %f(%q)
    return
}
define int64 @sum (tuple %t, int64 %n) {
  :entry
    bool %c <- %n < 3
    br %c :zero :more
  :zero
    return 1
  :more
    int64 %x <- %t[0]
    int64 %w <- %x | 1
    int64 %m <- %n - i64 2
    int64 %r <- call @sum(%t, %m)
    i64 %e <- %r & -2
    int64 %s <- %w + %e
    return %s
}
define int64 @pick (tuple %t) {
  :entry
    int64 %x <- %t[1]
    int64 %y <- %t[2]
    return %x
}
define int64 @take (int64 %n) {
  :entry
    return %n
}
"""


def test_a_recursive_function_keeps_its_integers() -> None:
    program = read(WORDS)
    facts = WordFacts(program)
    tuple_bit = facts.bits[abi.descriptor(abi.TUPLE)]
    assert facts.parameters["sum"] == [tuple_bit, ODD]
    assert facts.results["sum"] == ODD
    inner = words(program, "sum")
    assert inner.odd(value(program, "sum", "x")) and inner.odd(value(program, "sum", "r"))
    assert inner.kind(program.functions["sum"].parameters[0]) == abi.descriptor(abi.TUPLE)


def test_a_reference_from_a_tuple_is_no_integer() -> None:
    program = read(WORDS)
    pick = words(program, "pick")
    assert not pick.odd(value(program, "pick", "x")) and not pick.kind(value(program, "pick", "x"))
    assert pick.odd(value(program, "pick", "y"))
    assert not words(program, "main").odd(value(program, "main", "q"))
    assert not words(program, "take").odd(program.functions["take"].parameters[0])  # called through its address


def test_stores_whose_place_is_not_known_count_everywhere() -> None:
    program = read("""
define void @main () {
  :entry
    tuple %t <- new Tuple(9)
    int64 %n <- call input()
    i64 %i <- untag %n
    %t[%i] <- %t
    int64 %x <- %t[3]
    int64[] %a <- new Array(9)
    %a[%i] <- 0
    int64 %y <- %a[0]
    int64[][] %m <- new Array(9, 9)
    int64 %z <- %m[0][0]
    return
}
""")
    main = words(program, "main")
    assert [main.odd(value(program, "main", name)) for name in "xyz"] == [False, False, True]
    assert main.mask(value(program, "main", "y")) == ODD | NULL


def test_memory_that_is_written_as_such() -> None:
    program = read("""
define void @main () {
  :entry
    int64[] %a <- new Array(9)
    ptr %p <- %a + 16
    store.i64 %p <- 4
    int64 %x <- %a[0]
    return
}
""")
    assert words(program, "main").mask(value(program, "main", "x")) == ANY | ODD


def test_effects() -> None:
    found = summaries(
        read("""
define void @main () {
  :entry
    int64 %x <- call @even(9)
    call print(%x)
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
    return %x
}
define int64 @get (int64[] %a, int64 %i, tuple %t) {
  :entry
    check-null %a
    int64 %x <- %a[0]
    %t[0] <- %x
    return %x
}
define tuple @keep (tuple %t, tuple %u, tuple %v) {
  :entry
    %t[0] <- %u
    return %v
}
define tuple @pass (tuple %t, tuple %u) {
  :entry
    tuple %x <- call @keep(%t, %u, 0)
    return %u
}
define int64 @seven () {
  :entry
    tuple %t <- new Tuple(9)
    return 7
}
define int64 @small (int64 %n, bool %b) {
  :entry
    int64 %m <- %n & 15
    br %b :one :two
  :one
    return 31
  :two
    return %m
}
define int64 @for_ever () {
  :entry
    br :loop
  :loop
    br :loop
}
""")
    )
    even = found["even"]
    assert not (even.reads or even.writes or even.prints or even.may_fail or even.ends)
    get = found["get"]
    assert (get.reads, get.writes) == ({"element"}, {"tuple"})
    assert get.may_fail and get.ends and not get.prints and not get.escapes
    assert found["keep"].escapes == 0b110
    assert found["keep"].returns_parameter == 2
    assert found["pass"].escapes == 0b10
    seven = found["seven"]
    assert seven.constant == 7 and seven.odd_result and seven.pure and seven.allocates
    assert not found["for_ever"].ends
    assert found["small"].returned == (0, 31) and found["seven"].returned == (7, 7)
    assert found["main"].prints and found["main"].reads == {"any"}
    assert seven.body is not None and seven.cost == 2


def test_indirect_calls_do_what_their_targets_may_do() -> None:
    program = read("""
define void @main () {
  :entry
    tuple %t <- new Tuple(9)
    call @choose(3, %t)
    return
}
define void @choose (int64 %n, tuple %t) {
  :entry
    bool %c <- %n < 5
    code %f <- select %c, @one, @two
    call %f(%n, %t)
    return
}
define void @one (int64 %n, tuple %t) {
  :entry
    %t[0] <- %n
    return
}
define void @two (int64 %n, tuple %t) {
  :entry
    int64 %x <- %t[1]
    %t[1] <- %t
    return
}
""")
    found = summaries(program)
    choose = found["choose"]
    assert (choose.reads, choose.writes, choose.prints, choose.ends) == ({"tuple"}, {"tuple"}, False, True)
    assert choose.escapes == 0b11


def test_what_nobody_else_gets_hold_of() -> None:
    program = read("""
define tuple @f (tuple %p, bool %b) {
  :entry
    tuple %own <- new Tuple(9)
    tuple %kept <- new Tuple(9)
    tuple %given <- new Tuple(9)
    br %b :one :two
  :one
    br :two
  :two
    tuple %some <- phi (:entry %own, :one %given)
    %p[0] <- %kept
    %own[0] <- 1
    tuple %loaded <- %p[0]
    return %given
}
define void @main () {
  :entry
    return
}
""")
    function = program.functions["f"]
    escape = Escape(function)
    own, kept, given, some, loaded = (value(program, "f", name) for name in ("own", "kept", "given", "some", "loaded"))
    assert [escape.private(v) for v in (own, kept, given, some, loaded)] == [True, False, True, True, False]
    assert [escape.escapes(v) for v in (own, kept, given, some, loaded)] == [False, True, True, True, True]
    parameter = function.parameters[0]
    assert not escape.may_be_same(own, kept) and not escape.may_be_same(own, parameter)
    assert escape.may_be_same(own, some) and escape.may_be_same(loaded, kept) and escape.may_be_same(loaded, parameter)
    assert not escape.may_be_same(loaded, given)


def test_new_values_are_looked_at_when_asked_for() -> None:
    program = read(WORDS)
    function = program.functions["main"]
    found = words(program, "main")
    one, two = Const(INT64, 1), Const(INT64, 2)
    first, phi = Block("first"), Phi(INT64, [], [])
    next = Value(ops.ADD, INT64, [phi, two])
    phi.args, phi.blocks = [one, next], [function.blocks[0], first]
    assert found.odd(next) and found.odd(phi)
    flips = Phi(INT64, [], [])
    other = Value(ops.ADD, INT64, [flips, one])
    flips.args, flips.blocks = [one, other], [function.blocks[0], first]
    assert found.mask(flips) == ANY
    assert found.agrees(words(program, "main"))
