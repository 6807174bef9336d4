"""The SSA builder: minimal, also where loops have several entries; linear; nothing for what cannot be reached."""

from __future__ import annotations

import random
import sys

import pytest
from effort import calls
from ir_programs import lowered, outcome

from septet.base.symbols import ROUTINE, symbol
from septet.base.types import BOOL, I64, INT64, TUPLE, VOID
from septet.base.words import wrap
from septet.ir import interpret, verify
from septet.ir.copies import in_sequence
from septet.ir.nodes import Branch, Call, Compare, Const, Function, Program, Value
from septet.ir.ssa import Builder, OpenBlock
from septet.l3 import interpret as l3_interpret
from septet.ops import table as ops
from septet.ops.statements import Variable

PRINT = symbol(ROUTINE, "print")


def phis(function: Function) -> int:
    """How many phis a function has."""
    return sum(len(block.phis) for block in function.blocks)


def well_formed(function: Function) -> Function:
    """`function`, which must be well formed."""
    assert [d.message for d in verify.function_problems(function, Program({function.name: function}, {}))] == []
    return function


def diamond(known: bool) -> Builder:
    """x is written in one branch, y in none, z nowhere; all are read after the join."""
    x, y, z = (Variable(name, INT64) for name in "xyz")
    b = Builder("f", INT64)
    then, other, join = b.block("then", 1 if known else -1), b.block("other", -1), b.block("join", 2 if known else -1)
    b.start(b.new_block("entry"))
    b.write(x, b.parameter("a", INT64))
    b.write(y, b.const(INT64, 5))
    b.branch(b.const(BOOL, 1), then, other)
    b.start(then)
    b.write(x, b.emit(Value(ops.ADD, INT64, [b.read(x), b.read(y)])))
    b.jump(join)
    b.start(other)
    b.jump(join)
    b.start(join)
    total = b.emit(Value(ops.ADD, INT64, [b.read(x), b.read(y)]))
    b.ret(b.emit(Value(ops.ADD, INT64, [total, b.read(z)])))
    return b


@pytest.mark.parametrize("known", [True, False])
def test_one_phi_where_one_is_needed(known: bool) -> None:
    function = well_formed(diamond(known).finish())
    assert phis(function) == 1
    last = function.blocks[-1].body[-2]
    assert isinstance(last.args[1], Const) and last.args[1].number == 0  # z was never written
    assert function.blocks[-1].phis[0].blocks == [function.blocks[1], function.blocks[2]]


def test_code_that_cannot_be_reached_vanishes() -> None:
    x = Variable("x", INT64)
    b = Builder("f", INT64)
    entry, loop, out = b.block("entry"), b.block("loop", 2), b.block("out", 2)
    b.start(entry)
    b.write(x, b.const(INT64, 1))
    b.jump(out)
    b.emit(Value(ops.ADD, INT64, [b.read(x), b.read(x)]))
    b.jump(loop)
    b.start(loop)
    b.write(x, b.emit(Value(ops.ADD, INT64, [b.read(x), b.read(x)])))
    b.branch(b.const(BOOL, 1), loop, out)
    b.start(out)
    b.ret(b.read(x))
    function = well_formed(b.finish())
    assert [block.name for block in function.blocks] == ["entry", "out"] and not phis(function)


def test_a_loop_that_nothing_enters() -> None:
    x = Variable("x", INT64)
    b = Builder("f", VOID)
    lost = b.block("lost", 1)
    b.start(b.block("entry"))
    b.ret()
    b.start(lost)
    b.emit(Value(ops.ADD, INT64, [b.read(x), b.read(x)]))
    b.jump(lost)
    assert len(well_formed(b.finish()).blocks) == 1


def test_no_phi_round_a_loop_with_two_entries_that_writes_nothing() -> None:
    x = Variable("x", INT64)
    b = Builder("f", INT64)
    left, right, out = b.block("left"), b.block("right"), b.block("out")
    b.start(b.block("entry"))
    b.write(x, b.parameter("a", INT64))
    b.branch(b.const(BOOL, 1), left, right)
    for here, there in ((left, right), (right, left)):
        b.start(here)
        b.emit(Call(ops.CALL, VOID, None, [b.read(x)]))
        b.branch(b.const(BOOL, 1), there, out)
    b.start(out)
    b.ret(b.read(x))
    assert phis(b.finish()) == 0


def test_equal_targets_are_a_jump() -> None:
    b = Builder("f", VOID)
    out = b.block("out", 2)
    b.start(b.block("entry"))
    b.branch(b.const(BOOL, 1), out, out)
    b.start(out)
    b.ret()
    first = well_formed(b.finish()).blocks[0].body[-1]
    assert isinstance(first, Branch) and first.op is ops.BR


def test_a_tuple_variable_holds_tuples() -> None:
    t = Variable("t", TUPLE)
    b = Builder("f", INT64)
    b.start(b.block("entry"))
    b.write(t, b.parameter("a", INT64))
    assert b.read(t).type is TUPLE


def random_function(seed: int, count: int) -> Function:
    """A function over four variables with an arbitrary graph of blocks, which counts down so that it ends."""
    r = random.Random(seed)
    variables = [Variable(name, INT64) for name in "abcd"]
    fuel = Variable("fuel", I64)
    b = Builder("main", INT64)
    edges = [[r.randrange(1, count), r.randrange(1, count)] for _ in range(count)]
    arriving = [sum(targets.count(index) for targets in edges) for index in range(count)]
    known = r.random() < 0.5
    blocks: list[OpenBlock] = [b.block(f"b{i}", arriving[i] if known else -1) for i in range(count)]
    out = b.block("out")
    for index, block in enumerate(blocks):
        b.start(block)
        if index == 0:
            b.write(fuel, b.const(I64, 60))
        for _ in range(r.randrange(4)):
            x, y, z = r.choices(variables, k=3)
            b.write(x, b.emit(Value(r.choice([ops.ADD, ops.SUB, ops.XOR]), INT64, [b.read(y), b.read(z)], name=x.name)))
            b.write(y, b.emit(Value(ops.ADD, INT64, [b.read(y), b.const(INT64, r.randrange(9))], name=y.name)))
        b.write(fuel, b.emit(Value(ops.SUB, I64, [b.read(fuel), b.const(I64, 1)])))
        more = b.new_block("more", 1)
        b.branch(b.emit(Compare(ops.GT, I64, [b.read(fuel), b.const(I64, 0)])), more, out)
        b.start(more)
        x = r.choice(variables)
        then, other = (blocks[i] for i in edges[index])
        b.branch(b.emit(Compare(ops.LT, INT64, [b.read(x), b.const(INT64, 7)])), then, other)
    b.start(out)
    for x in variables:
        word = b.emit(Value(ops.TAG, INT64, [b.read(x)]))
        b.emit(Call(ops.CALL, VOID, PRINT, [word]))
    b.ret(b.read(variables[0]))
    return b.finish()


def simulated(seed: int, count: int) -> str:
    """What the function of `random_function` prints, worked out with variables instead of values."""
    r = random.Random(seed)
    state = dict.fromkeys("abcd", 0)
    edges = [[r.randrange(1, count), r.randrange(1, count)] for _ in range(count)]
    r.random()
    code = []
    for index in range(count):
        steps = []
        for _ in range(r.randrange(4)):
            x, y, z = r.choices("abcd", k=3)
            steps.append((x, y, z, r.choice(["+", "-", "^"]), r.randrange(9)))
        code.append((steps, r.choice("abcd"), edges[index]))
    at, fuel = 0, 60
    while True:
        steps, test, targets = code[at]
        for x, y, z, op, n in steps:
            a, b = state[y], state[z]
            state[x] = wrap(a + b if op == "+" else a - b if op == "-" else a ^ b)
            state[y] = wrap(state[y] + n)
        fuel -= 1
        if fuel <= 0:
            return "".join(f"{wrap(2 * number + 1) >> 1}\n" for number in state.values())
        at = targets[0] if state[test] < 7 else targets[1]


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_mean_what_they_say(seed: int) -> None:
    count = 2 + seed % 9
    function = well_formed(random_function(seed, count))
    function.result = INT64
    program = Program({"main": function}, {})
    wanted = ("end", simulated(seed, count))
    assert outcome(interpret.run, program) == wanted
    assert outcome(l3_interpret.run, lowered(program)) == wanted


def test_long_chains_take_linear_work_and_no_recursion() -> None:
    def build(count: int) -> None:
        x = Variable("x", INT64)
        b = Builder("f", INT64)
        b.start(b.new_block("entry"))
        b.write(x, b.parameter("a", INT64))
        for _ in range(count):
            then, join = b.new_block("then", 1), b.new_block("join", 2)
            b.branch(b.const(BOOL, 1), then, join)
            b.start(then)
            b.jump(join)
            b.start(join)
        b.ret(b.read(x))
        assert phis(b.finish()) == 0

    assert sys.getrecursionlimit() < 20_000
    build(1000)
    assert calls(lambda: build(20_000)) < 12 * calls(lambda: build(2_000))


@pytest.mark.parametrize("seed", range(200))
def test_copies_at_once_as_copies_in_sequence(seed: int) -> None:
    r = random.Random(seed)
    names = [f"v{n}" for n in range(r.randint(1, 7))]
    targets = r.sample(names, r.randint(1, len(names)))
    pairs = [(target, r.choice([*names, 7])) for target in targets]
    state: dict[object, object] = {name: f"old {name}" for name in names} | {7: 7}
    wanted = dict(state) | {target: state[source] for target, source in pairs}
    made = iter(range(99))
    copies = in_sequence(pairs, lambda v: f"spare{next(made)}")
    for target, source in copies:
        state[target] = state[source]
    assert {name: state[name] for name in names} == {name: wanted[name] for name in names}
    cycles = len(copies) - len([p for p in pairs if p[0] != p[1]])
    assert cycles <= len(pairs) // 2
