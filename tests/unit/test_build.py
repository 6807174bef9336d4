"""The builder: what it builds is what its calls say, reads back from its text, and is wrong where the call is wrong."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from septet import ir
from septet.base.source import Source
from septet.ir import text
from septet.ir.build_types import signed, unsigned
from septet.ir.verify import function_problems


def function(result: Any = ir.i64, parameters: Any = (ir.i64, ir.i64), name: str = "f") -> tuple[Any, Any]:
    """A function of a new module, and a builder in its entry."""
    made = ir.Function(ir.Module("test"), ir.FunctionType(result, parameters), name)
    return made, ir.Builder(made.append_basic_block("entry"))


def body(made: Any) -> list[str]:
    """The lines of a function's text, without its header and end."""
    return [line.strip() for line in str(made).splitlines()[1:-1]]


def reads_back(module: Any) -> None:
    """The text of a module is well-formed IR, and printing it gives it again."""
    printed = str(module)
    program = text.parse(Source(printed))
    assert [p.render() for f in program.functions.values() for p in function_problems(f, program)] == []
    assert text.print_program(program, notes=False) == printed


def test_what_is_built_is_what_the_text_says() -> None:
    made, b = function()
    x, y = made.args
    b.ret(b.add(b.mul(x, 3), y, name="sum"))
    assert body(made) == [":entry", "i64 %v <- %a0 * 3", "i64 %sum <- %v + %a1", "return %sum"]
    reads_back(made.module)


def test_a_loop_with_an_accumulator() -> None:
    made, b = function(ir.f64, [ir.Buffer(ir.f64)])
    (x,) = made.args
    with b.loop(x.length) as i:
        total = i.carry(0.0, ir.f64, "total")
        total.update(b.fadd(total, b.load(b.gep(x, [i], ir.f64), ir.f64)))
    b.ret(total)
    reads_back(made.module)
    assert body(made)[3:5] == [
        "i64 %i <- phi (:entry 0, :i_body %v_5)",
        "f64 %total <- phi (:entry 0.0, :i_body %v_4)",
    ]


def test_variables_become_phis_where_they_are_needed() -> None:
    made, b = function()
    x, y = made.args
    best, unused = b.alloca(ir.i64, "best"), b.alloca(ir.i64, "unused")
    b.store(x, best)
    b.store(1, unused)
    with b.if_then(b.icmp_signed("<", x, y)):
        b.store(y, best)
    b.ret(b.load(best))
    assert "store" not in str(made) and "unused" not in str(made)
    assert "i64 %best <- phi (:entry %a0, :entry_if %a1)" in body(made)
    reads_back(made.module)


def test_a_variable_in_a_loop() -> None:
    made, b = function(ir.i64, [ir.i64])
    (n,) = made.args
    count = b.alloca(ir.i64)
    with b.loop(n) as i:
        even = b.icmp("==", b.and_(i, 1), 0)
        with b.if_then(even):
            b.store(b.add(b.load(count), i), count)
    b.ret(b.load(count))
    assert made.module.compile(opt=1).f(11) == sum(range(0, 11, 2))


def test_if_else_and_switch() -> None:
    made, b = function(ir.i64, [ir.i64])
    (n,) = made.args
    two, other, end = (b.append_basic_block(name) for name in ("two", "other", "end"))
    choice = b.switch(n, other, [(2, two)])
    choice.add_case(5, two)
    b.position_at_end(two)
    with b.if_else(b.icmp(">", n, 3)) as (then, otherwise):
        with then:
            b.ret(50)
        with otherwise:
            b.ret(20)
    b.position_at_end(other)
    b.branch(end)
    b.position_at_end(end)
    b.ret(0)
    f = made.module.compile(opt=0).f
    assert [f(k) for k in (2, 5, 7)] == [20, 50, 0]


def test_unreachable_blocks_go() -> None:
    made, b = function(ir.i64, [])
    b.ret(1)
    b.position_at_end(b.append_basic_block("never"))
    b.ret(2)
    assert len(made.module.finished().functions["f"].blocks) == 1


def test_positions() -> None:
    made, b = function()
    x, y = made.args
    last = b.sub(x, y)
    b.position_before(last)
    b.add(x, y, name="first")
    b.position_after(last)
    b.ret(last)
    b.position_at_start(made.entry_basic_block)
    b.xor(x, y, name="zeroth")
    assert [line.split()[1] for line in body(made)[1:4]] == ["%zeroth", "%first", "%v"]


def test_signedness_follows_the_name() -> None:
    made, b = function()
    x, y = made.args
    b.ret(b.add(b.udiv(x, y), b.ashr(b.bitcast(x, ir.u64), 1)))
    assert "u64 %v <- %a0 / %a1" in str(made)
    f = made.module.compile().f
    assert f(-1, 2) == (1 << 63) - 1 + -1


def _another_buffer(f: Any, b: Any) -> None:
    wants = ir.Function(f.module, ir.FunctionType(ir.void, [ir.Buffer(ir.f64)]), "g")
    gives = ir.Function(f.module, ir.FunctionType(ir.void, [ir.Buffer(ir.u8)]), "h")
    ir.Builder(gives.append_basic_block()).call(wants, gives.args)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda f, b: b.add(f.args[0], 1.5), "add in '@f': a constant of type i64 is an int, not 1.5"),
        (lambda f, b: b.add(1, 2), "a number alone has no type"),
        (lambda f, b: b.fadd(f.args[0], f.args[0]), "fadd in '@f', block ':entry': works on floats, but '%a0' is i64"),
        (lambda f, b: b.add(f.args[0], b.trunc(f.args[1], ir.i32)), "add in '@f' wants i64, but '%convert' is i32"),
        (lambda f, b: b.trunc(f.args[0], ir.i64), "trunc in '@f', block ':entry': i64 is not narrower than i64"),
        (lambda f, b: b.ret(b.fneg(ir.Constant(ir.f64, 1.0))), "ret in '@f' wants i64, but '%fneg' is f64"),
        (lambda f, b: b.ret_void(), "the function gives i64"),
        (lambda f, b: b.cbranch(f.args[0], b.append_basic_block(), b.append_basic_block()), "cbranch in '@f' wants bool"),
        (lambda f, b: b.branch("there"), "branch in '@f' leads to a block, not to 'there'"),
        (lambda f, b: b.bitcast(f.args[0], ir.f32), "i64 has 64 bits, f32 32"),
        (lambda f, b: b.call(f, [f.args[0]]), "call of '@f' in '@f' takes 2 arguments, not 1"),
        (lambda f, b: b.store(1, f.args[0]), "store in '@f': 1 alone has no type"),
        (lambda f, b: b.add(b.alloca(ir.i64, "x"), 1), "the variable '%x' is for load and store alone"),
        (lambda f, b: b.load(f.args[0], "i64"), "loads something of a type"),
        (lambda f, b: b.extract_element(f.args[0], 0), "works on a vector, but '%a0' is i64"),
        (lambda f, b: ir.FunctionType(int), "the result type is <class 'int'>, not a type"),
        (lambda f, b: ir.Buffer(ir.ptr), "the elements of a buffer"),
        (lambda f, b: ir.Constant(ir.i8, "a"), "a constant of type i8 is an int, not 'a'"),
        (lambda f, b: b.convert(f.args[0], "f64"), "convert in '@f', block ':entry': 'f64' is no type"),
        (lambda f, b: b.bitcast(f.args[0], 64), "64 is no type"),
        (lambda f, b: b.splat(f.args[0], 4), "4 is no type"),
        (lambda f, b: b.trunc(f.args[0], 8), "8 is no type"),
        (lambda f, b: b.store(1, b.inttoptr(f.args[0]), "i64"), "'i64' is no type"),
        (lambda f, b: b.gep(b.inttoptr(f.args[0]), [1], ir.void), "there are no elements of type void"),
        (lambda f, b: b.phi("i64"), "a phi chooses values of a type, not of 'i64'"),
        (lambda f, b: b.position_before(1), "an instruction, not 1"),
        (lambda f, b: b.check_index(*[b.splat(f.args[0], ir.VectorType(ir.i64, 2))] * 2), "works on one number, not i64x2"),
        (lambda f, b: b.loop(b.sitofp(f.args[0], ir.f64)).__enter__(), "counts integers, not f64"),
        (_another_buffer, "wants a buffer of f64, not a buffer of u8; a tuple"),
        (lambda f, b: ir.ExternalFunction(f.module, ir.FunctionType(ir.f64), "g", "sin"), "a capsule, not 'sin'"),
        (lambda f, b: copy.deepcopy(f.module), "cannot be copied or pickled"),
    ],
)
def test_wrong_types_are_type_errors(build: Any, message: str) -> None:
    made, b = function()
    with pytest.raises(TypeError) as caught:
        build(made, b)
    assert message in str(caught.value)


def _after_the_end(f: Any, b: Any) -> None:
    b.ret(f.args[0])
    b.add(f.args[0], 1)


def _of_another_function(f: Any, b: Any) -> None:
    other = ir.Function(f.module, ir.FunctionType(ir.i64, [ir.i64]), "g")
    b.add(other.args[0], 1)


@pytest.mark.parametrize(
    "build, message",
    [
        (_after_the_end, "'add' in '@f': block ':entry' has ended with 'return', made at "),
        (_of_another_function, "add in '@f': '%a0' is a value of '@g', not of this function"),
        (lambda f, b: b.add(f.args[0], 1 << 64), "18446744073709551616 is no number of type i64"),
        (lambda f, b: b.icmp_signed("<>", *f.args), "there is no comparison '<>'"),
        (lambda f, b: b.branch(f.entry_basic_block), "leads to the entry ':entry'"),
        (lambda f, b: b.call("g", []), "has no function '@g'"),
        (lambda f, b: ir.Function(f.module, ir.FunctionType(ir.i64), "f"), "has a '@f' already"),
        (lambda f, b: ir.Function(f.module, ir.FunctionType(ir.i64), "a b"), "is no name of a function"),
        (lambda f, b: ir.IntType(24), "not of 24"),
        (lambda f, b: ir.VectorType(ir.f64, 3), "no vector of 3 lanes"),
        (lambda f, b: ir.Constant(ir.VectorType(ir.f64, 2), [1.0]), "has 2 lanes, not 1"),
        (lambda f, b: ir.Builder().add(1, 2), "stands in no block yet"),
        (lambda f, b: f.module.program(), "has no function 'main'"),
        (lambda f, b: ir.VectorType(ir.f64, 4.0), "no vector of 4.0 lanes"),
        (lambda f, b: ir.IntType("8"), "not of '8'"),
        (lambda f, b: ir.Constant(ir.f32, 10**400), "an int of 1329 bits is too large"),
        (lambda f, b: b.load(b.inttoptr(f.args[0]), ir.i64, offset=1 << 31), "an offset is an int of 32 bits"),
        (lambda f, b: b.gep(b.inttoptr(f.args[0]), f.args[1], ir.i8), "takes a list of one index"),
        (lambda f, b: b.shuffle_vector(*[b.splat(1, ir.VectorType(ir.i64, 8))] * 2, range(16)), "no vector of 16 lanes of i64"),
        (lambda f, b: ir.ExternalFunction(f.module, ir.FunctionType(ir.f64), "g", -1), "-1 is no address"),
    ],
)
def test_what_cannot_be_is_a_value_error(build: Any, message: str) -> None:
    made, b = function()
    with pytest.raises(ValueError) as caught:
        build(made, b)
    assert message in str(caught.value)


def test_a_block_that_does_not_end() -> None:
    made, b = function()
    b.add(*made.args)
    with pytest.raises(ir.Malformed, match="in '@f', block ':entry' does not end"):
        made.module.compile()


def test_a_phi_that_does_not_cover_its_predecessors_is_named_with_its_line() -> None:
    made, b = function(ir.i64, [ir.bool])
    one, two = b.append_basic_block("one"), b.append_basic_block("two")
    b.cbranch(made.args[0], one, two)
    b.position_at_end(one)
    b.branch(two)
    b.position_at_end(two)
    chosen = b.phi(ir.i64, "chosen")  # this line
    chosen.add_incoming(1, one)
    b.ret(chosen)
    with pytest.raises(ir.Malformed) as caught:
        made.module.compile()
    assert "'%chosen' chooses between :one, but the predecessors are :entry, :one" in str(caught.value)
    assert "# this line" in str(caught.value)


def test_a_use_that_is_not_dominated_is_named_with_its_line() -> None:
    made, b = function(ir.i64, [ir.bool])
    with b.if_then(made.args[0]):
        inner = b.add(ir.Constant(ir.i64, 1), 2, name="inner")
    b.ret(inner)  # that line
    with pytest.raises(ValueError) as caught:
        made.module.compile()
    assert "in '@f', 'return' is not dominated by its operand '%inner'" in str(caught.value)
    assert "# that line" in str(caught.value)


def test_a_compilers_own_lines_and_names() -> None:
    module = ir.Module("mine", path="my.language")
    made = ir.Function(module, ir.FunctionType(ir.i64, [ir.i64, ir.i64], names=["größe", "1st"]), "f", line=10)
    b = ir.Builder(made.append_basic_block("start.here"))
    b.line = 12
    b.ret(b.sdiv(*made.args))
    assert [value.name for value in made.parameters] == ["gr__e", "_1st"]
    reads_back(module)
    with pytest.raises(ZeroDivisionError, match=r"in f, my\.language:12"):
        module.compile().f(1, 0)


def test_data_and_addresses() -> None:
    module = ir.Module("data")
    table = module.add_data("table", bytes(range(10, 20)))
    counter = module.add_data("counter", size=8)
    made = ir.Function(module, ir.FunctionType(ir.i64, [ir.i64]), "f")
    b = ir.Builder(made.append_basic_block())
    count = b.add(b.load(counter, ir.i64), 1)
    b.store(count, counter)
    b.ret(b.add(b.zext(b.load(b.gep(table, made.args, ir.u8), ir.u8), ir.i64), b.mul(count, 100)))
    reads_back(module)
    f = module.compile().f
    assert [f(0), f(9)] == [110, 219]


def test_a_whole_program() -> None:
    made, b = function(ir.void, [], "main")
    b.ret_void()
    program = made.module.program()
    assert program.interpret().status == 0
    assert "define void @main" in program.text("ir")


INTEGERS = [ir.i8, ir.i16, ir.i32, ir.i64, ir.u8, ir.u16, ir.u32, ir.u64]
FLOATS = [ir.f32, ir.f64]
VECTORS = [ir.VectorType(ir.i32, 4), ir.VectorType(ir.u8, 16), ir.VectorType(ir.f64, 2), ir.VectorType(ir.f32, 8)]
BINARY = "add sub mul and_ or_ xor shl lshr ashr rotl rotr min max sdiv udiv srem urem div rem mul_high".split()
UNARY = "neg not_ abs ctpop cttz ctlz bswap".split()
FLOAT_BINARY = "fadd fsub fmul fdiv fmin fmax copysign".split()
FLOAT_UNARY = "fneg fabs sqrt floor ceil ftrunc nearest".split()


def random_module(seed: int, parameters: Any = None) -> Any:
    """A module of one function that does some of everything with random operands, and gives what depends on many."""
    choose = random.Random(seed)
    types = [*INTEGERS, *FLOATS, *VECTORS]
    made = ir.Function(ir.Module(f"random{seed}"), ir.FunctionType(ir.u64, parameters or choose.choices(types, k=4)), "f")
    b = ir.Builder(made.append_basic_block("entry"))
    values = list(made.args)
    values += [ir.Constant(type, 1.5 if type.element in FLOATS else 3) for type in types]
    for _ in range(30):
        values.append(_random_value(choose, b, values))
        if choose.random() < 0.1:
            with b.if_then(b.icmp("<", *[_any_of(choose, values, ir.i64)] * 2)):
                _random_value(choose, b, values)
    total = ir.Constant(ir.u64, 0)
    for value in values[-12:]:
        one = b.extract_element(value, 1) if value.type.lanes > 1 else value
        if one.type in FLOATS:
            one = b.bitcast(one, ir.u64 if one.type.bits == 64 else ir.u32)
        total = b.xor(b.mul(total, 31), b.convert(one, ir.u64))
    b.ret(total)
    return made.module


def _any_of(choose: Any, values: list[Any], type: Any) -> Any:
    return choose.choice([value for value in values if value.type is type])


def _random_value(choose: Any, b: Any, values: list[Any]) -> Any:
    one = choose.choice(values)
    type = one.type
    other = _any_of(choose, values, type)
    is_float = type.element in FLOATS
    roll = choose.randrange(6)
    if roll == 0:
        mask = b.fcmp_ordered("<", one, other) if is_float else b.icmp_unsigned("<", one, other)
        return b.select(mask, one, other)
    if roll == 1 and type.lanes > 1:
        return b.insert_element(one, b.extract_element(other, 0), type.lanes - 1)
    if roll == 1 and type.bits == 64:
        return b.bitcast(one, choose.choice([ir.i64, ir.u64, ir.f64]))
    if roll == 2 and type.lanes > 1:
        return b.shuffle_vector(one, other, [choose.randrange(2 * type.lanes) for _ in range(type.lanes)])
    if roll == 2:
        target = choose.choice(INTEGERS if is_float else FLOATS)
        return b.fptosi(one, target) if is_float else b.sitofp(one, target)
    if roll == 3:
        return getattr(b, choose.choice(FLOAT_UNARY if is_float else UNARY))(one)
    return getattr(b, choose.choice(FLOAT_BINARY if is_float else BINARY))(one, other)


@pytest.mark.parametrize("seed", range(60))
def test_random_modules_read_back_from_their_text(seed: int) -> None:
    module = random_module(seed)
    reads_back(module)
    module.finished()


ARGUMENTS = [
    [-7, 300, -70000, 1 << 40, 200, 60000, 4_000_000_000, (1 << 64) - 5, 2.5, -0.75],
    [0] * 8 + [0.0, -0.0],
    [-128, -(1 << 15), -(1 << 31), -(1 << 63), 255, 65535, (1 << 32) - 1, (1 << 64) - 1, float("inf"), float("nan")],
]


def outcome(function: Any, args: list[Any]) -> Any:
    """What a call gives, or the exception it ends in."""
    try:
        return function(*args)
    except ArithmeticError as problem:
        return type(problem)


@pytest.mark.parametrize("seed", range(12))
def test_random_functions_do_natively_what_the_interpreter_says(seed: int) -> None:
    module = random_module(seed, [*INTEGERS, *FLOATS])
    expected = [outcome(module.compile(how="interpreter").f, args) for args in ARGUMENTS]
    for opt, target in ((0, "native"), (2, "native"), (2, "x86-64-v1"), (3, "native")):
        function = module.compile(opt=opt, target=target).f
        assert [outcome(function, args) for args in ARGUMENTS] == expected, (opt, target)


def test_twins() -> None:
    assert signed(ir.u8) is ir.i8 and unsigned(ir.i64) is ir.u64 and unsigned(ir.f64) is ir.f64 and signed(ir.ptr) is ir.i64
    assert unsigned(ir.VectorType(ir.i32, 4)) is ir.VectorType(ir.u32, 4)
