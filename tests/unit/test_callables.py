"""Callables: every type, every error, threads, lifetimes, and the same behaviour however they are called."""

from __future__ import annotations

import copy
import gc
import inspect
import math
import pickle
import struct
import subprocess
import sys
import threading
import weakref
from array import array
from typing import Any

import pytest

import septet
from septet import ir

WAYS = ["stub", "ctypes", "interpreter"]
NATIVE = WAYS[:2]
INTEGERS = [ir.i8, ir.i16, ir.i32, ir.i64, ir.u8, ir.u16, ir.u32, ir.u64]


def make(result: Any, parameters: Any, build: Any, module: Any = None, name: str = "f", names: Any = (), **how: Any) -> Any:
    """A function whose body is what `build(builder, *args)` gives, if it gives something."""
    made = ir.Function(module or ir.Module("test"), ir.FunctionType(result, parameters, names), name, **how)
    b = ir.Builder(made.append_basic_block("entry"))
    value = build(b, *made.args)
    if not b.block.is_terminated:
        b.ret(value)
    return made


def compiled(result: Any, parameters: Any, build: Any, how: str = "stub", **more: Any) -> Any:
    """The same as a callable."""
    return make(result, parameters, build, **more).module.compile(how=how)["f"]


def same(b: Any, x: Any) -> Any:
    return x


class Index:
    def __init__(self, number: Any) -> None:
        self.number = number

    def __index__(self) -> int:
        if isinstance(self.number, Exception):
            raise self.number
        return self.number


class Float(float):
    pass


# Types


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("type", INTEGERS, ids=str)
def test_integers_of_every_width(type: Any, how: str) -> None:
    f = compiled(type, [type], same, how)
    for number in (0, 1, type.low, type.high, -1 if type.signed else 200):
        assert f(number) == number and f(Index(number)) == number
    assert f(True) == 1
    for number in (type.low - 1, type.high + 1, 1 << 64, -(1 << 64), 1 << 200):
        with pytest.raises(OverflowError, match=rf"f\(\) argument 'a0' is .*, not in the range of {type}, {type.low} to"):
            f(number)
    for wrong in (1.0, "1", None, [1], 1j):
        with pytest.raises(TypeError, match=r"f\(\) argument 'a0' must be int, not "):
            f(wrong)


@pytest.mark.parametrize("how", WAYS)
def test_floats(how: str) -> None:
    f = compiled(ir.f64, [ir.f64], same, how)
    for number in (0.0, -0.0, -1.0, 1e308, math.inf, 5, True, Float(2.5), Index(7)):
        expected = float(number.number if isinstance(number, Index) else number)
        assert struct.pack("d", f(number)) == struct.pack("d", expected)
    assert math.isnan(f(math.nan))
    for wrong in ("1.0", None, 1j):
        with pytest.raises(TypeError, match="must be float"):
            f(wrong)
    with pytest.raises(OverflowError):
        f(10**400)
    narrow = compiled(ir.f32, [ir.f32], same, how)
    assert narrow(0.1) == struct.unpack("f", struct.pack("f", 0.1))[0] and narrow(-1.0) == -1.0 and narrow(1e300) == math.inf


@pytest.mark.parametrize("how", WAYS)
def test_bools(how: str) -> None:
    f = compiled(ir.bool, [ir.bool], lambda b, x: b.not_(x), how)
    assert f(True) is False and f(False) is True and f(0) is True and f(1) is False
    for wrong in (2, "yes", None, 1.0):
        with pytest.raises(TypeError, match="must be bool, not"):
            f(wrong)


@pytest.mark.parametrize("how", WAYS)
def test_pointers_and_nothing(how: str) -> None:
    assert compiled(ir.ptr, [ir.ptr], same, how)((1 << 64) - 1) == (1 << 64) - 1

    def nothing(b: Any) -> None:
        b.ret_void()

    f = compiled(ir.void, [], nothing, how)
    before = sys.getrefcount(None)
    for _ in range(1000 if how in NATIVE else 1):
        assert f() is None
    assert abs(sys.getrefcount(None) - before) < 500


@pytest.mark.parametrize("how", WAYS)
def test_values_of_lb(how: str) -> None:
    program = septet.compile("int64 twice(int64 n) { int64 m m <- n + n return m } void main() { print(1) return }")
    twice = program.callables("twice", how=how).twice
    assert twice(21) == 42 and twice(-(1 << 61)) == -(1 << 62)
    for number in (1 << 62, -(1 << 62) - 1):
        with pytest.raises(OverflowError, match="int64"):
            twice(number)
    with pytest.raises(septet.Rejected, match="'@main' prints"):
        program.callables(how=how)


@pytest.mark.parametrize("how", WAYS)
def test_many_arguments_of_both_kinds(how: str) -> None:
    types = [ir.i64, ir.f64, ir.i32, ir.f32] * 5
    weights = [3, 0.5, 5, 0.25] * 5

    def build(b: Any, *args: Any) -> Any:
        total = ir.Constant(ir.f64, 0.0)
        for k, arg in enumerate(args):
            wide = (
                b.sitofp(arg, ir.f64) if arg.type.kind == ir.i64.kind else b.fpext(arg, ir.f64) if arg.type is ir.f32 else arg
            )
            total = b.fadd(total, b.fmul(wide, float(k + 1)))
        return total

    f = compiled(ir.f64, types, build, how)
    assert f(*weights) == sum(weight * (k + 1) for k, weight in enumerate(weights))
    failing = compiled(ir.f64, types, lambda b, *args: b.sitofp(b.sdiv(args[0], b.sext(args[18], ir.i64)), ir.f64), how)
    assert failing(*weights) == 0.0
    with pytest.raises(ZeroDivisionError):
        failing(*weights[:18], 0, 1.0)


def test_too_many_arguments_and_vectors_are_refused() -> None:
    with pytest.raises(septet.Rejected, match="more arguments than Python can pass"):
        compiled(ir.i64, [ir.i64] * 30, lambda b, *args: args[0])
    wide = ir.VectorType(ir.f64, 2)
    with pytest.raises(septet.Rejected, match="parameter 'a0' of '@f' is f64x2, which Python cannot pass or take"):
        compiled(ir.f64, [wide], lambda b, x: b.extract_element(x, 0))
    with pytest.raises(septet.Rejected, match="the result of '@f' is f64x2"):
        compiled(wide, [ir.f64], lambda b, x: b.splat(x, wide))


@pytest.mark.parametrize("how", WAYS)
def test_vectors_inside(how: str) -> None:
    four = ir.VectorType(ir.i32, 4)

    def build(b: Any, x: Any) -> Any:
        return b.reduce("add", b.mul(b.splat(x, four), ir.Constant(four, [1, 2, 3, 4])))

    assert compiled(ir.i32, [ir.i32], build, how)(7) == 70


# Arguments


@pytest.mark.parametrize("how", WAYS)
def test_the_number_of_arguments(how: str) -> None:
    two = compiled(ir.i64, [ir.i64, ir.i64], lambda b, x, y: b.add(x, y), how)
    for args in ((), (1,), (1, 2, 3)):
        with pytest.raises(TypeError, match=rf"f\(\) takes exactly 2 positional arguments \({len(args)} given\)"):
            two(*args)
    with pytest.raises(TypeError, match=r"takes no (keyword )?arguments|unexpected keyword argument"):
        two(1, y=2)
    none = compiled(ir.i64, [], lambda b: 1, how)
    with pytest.raises(TypeError, match=r"takes no arguments \(1 given\)"):
        none(1)


@pytest.mark.parametrize("how", WAYS)
def test_what_an_argument_raises_goes_through(how: str) -> None:
    f = compiled(ir.i64, [ir.i64], same, how)
    with pytest.raises(KeyError, match="mine"):
        f(Index(KeyError("mine")))
    with pytest.raises(LookupError):
        f(Index(LookupError()))


def test_signatures_can_be_looked_at() -> None:
    module = ir.Module("shown")
    make(ir.i64, [ir.i64, ir.f64], lambda b, x, y: x, module, "scale", ["count", "class"], doc="Says how often.\n\nTwice.")
    made = module.compile()
    scale = made["scale"]
    assert scale is made.scale and list(made) == ["scale"] and "scale" in made and len(made) == 1
    assert str(inspect.signature(scale)) == "(count, class_, /)"
    assert (scale.__name__, scale.__module__) == ("scale", "shown")
    assert scale.__doc__ == "scale(count: i64, class_: f64) -> i64\n\nSays how often.\n\nTwice."
    assert "scale" in repr(scale) and "scale" in repr(made)
    with pytest.raises(KeyError, match="did you mean 'scale'"):
        made["scales"]
    with pytest.raises(AttributeError, match="no function 'scales' in 'shown', which has scale"):
        made.scales()
    with pytest.raises(ValueError, match="there is no function '@scales'; did you mean"):
        module.compile(functions=["scales"])


@pytest.mark.parametrize("how", ["stub", "interpreter"])
def test_callables_are_copied_but_native_code_is_not_pickled(how: str) -> None:
    module = ir.Module("copied")
    make(ir.i64, [ir.i64], lambda b, x: x, module, "same")
    made = module.compile(how=how)
    assert copy.copy(made).same(3) == copy.deepcopy(made)["same"](3) == 3
    if how == "stub":
        with pytest.raises(TypeError, match="native code cannot be pickled"):
            pickle.dumps(made.same)


# Buffers


def total(b: Any, x: Any) -> Any:
    with b.loop(x.length) as i:
        sum = i.carry(0, x.element, "sum")
        sum.update(b.add(sum, b.load(b.gep(x, [i], x.element), x.element)))
    return sum


CODES = {"b": ir.i8, "h": ir.i16, "i": ir.i32, "l": ir.i64, "q": ir.i64, "B": ir.u8, "H": ir.u16, "I": ir.u32, "Q": ir.u64}


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("code", CODES)
def test_buffers_of_integers(code: str, how: str) -> None:
    f = compiled(CODES[code], [ir.Buffer(CODES[code])], total, how)
    assert f(array(code, [1, 2, 39])) == 42 and f(array(code)) == 0
    other = "h" if code != "h" else "b"
    with pytest.raises(TypeError, match=f"argument 'a0' must be a buffer of {CODES[code]}, not of elements '{other}'"):
        f(array(other, [1]))
    with pytest.raises(TypeError, match=f"argument 'a0' must be a buffer of {CODES[code]}, not int"):
        f(7)


@pytest.mark.parametrize("how", WAYS)
def test_buffers_of_bytes_and_ctypes(how: str) -> None:
    import ctypes

    f = compiled(ir.u8, [ir.Buffer(ir.u8)], total, how)
    assert f(b"\x01\x02") == f(bytearray(b"\x01\x02")) == f(memoryview(b"\x01\x02")) == 3
    g = compiled(ir.i32, [ir.Buffer(ir.i32)], total, how)
    assert g((ctypes.c_int * 3)(1, 2, 3)) == 6
    with pytest.raises(ValueError, match="must be C-contiguous"):
        f(memoryview(b"abcd")[::2])
    with pytest.raises(TypeError, match="must have 1 dimension, not 2"):
        f(memoryview(b"abcd").cast("B", (2, 2)))


@pytest.mark.parametrize("how", WAYS)
def test_writing_to_buffers(how: str) -> None:
    def double(b: Any, x: Any) -> None:
        with b.loop(x.length) as i:
            at = b.gep(x, [i], ir.f64)
            b.store(b.fmul(b.load(at, ir.f64), 2.0), at)
        b.ret_void()

    f = compiled(ir.void, [ir.Buffer(ir.f64, writable=True)], double, how)
    numbers = array("d", [1, 2.5])
    f(numbers)
    assert list(numbers) == [2, 5]
    numbers.append(3)  # the buffer was let go
    with pytest.raises(ValueError, match="argument 'a0' is read-only, and the function writes to it"):
        f(memoryview(numbers).toreadonly())


@pytest.mark.parametrize("how", WAYS)
def test_buffers_are_let_go_whatever_happens(how: str) -> None:
    def build(b: Any, x: Any, y: Any) -> Any:
        return b.sdiv(x.length, y.length)

    f = compiled(ir.i64, [ir.Buffer(ir.f64), ir.Buffer(ir.f64)], build, how)
    one, none, other = array("d", [1]), array("d"), array("i", [1])
    for second, problem in ((none, ZeroDivisionError), (other, TypeError), (3, TypeError)):
        with pytest.raises(problem):
            f(one, second)
        one.append(2)  # BufferError where one is still held
    assert f(one, one) == 1


@pytest.mark.parametrize("how", WAYS)
def test_two_dimensions(how: str) -> None:
    def corner(b: Any, x: Any) -> Any:
        last = b.sub(b.mul(x.shape[0], x.shape[1]), 1)
        return b.load(b.gep(x, [last], ir.i32), ir.i32)

    f = compiled(ir.i32, [ir.Buffer(ir.i32, ndim=2)], corner, how)
    assert f(memoryview(array("i", range(6))).cast("B").cast("i", (2, 3))) == 5
    with pytest.raises(TypeError, match="must have 2 dimensions, not 1"):
        f(array("i", [1]))


@pytest.mark.parametrize("how", WAYS)
def test_arrays_of_numpy(how: str) -> None:
    np = pytest.importorskip("numpy")
    f = compiled(ir.i64, [ir.Buffer(ir.i64)], total, how)
    assert f(np.arange(10)) == 45
    with pytest.raises(ValueError, match="ascontiguousarray"):
        f(np.arange(10)[::2])
    with pytest.raises(TypeError, match="buffer of i64"):
        f(np.arange(10.0))
    flags = compiled(ir.bool, [ir.bool], same, how)
    assert flags(np.bool_(True)) is True
    assert compiled(ir.u64, [ir.u64], same, how)(np.uint64(1 << 63)) == 1 << 63
    assert compiled(ir.f64, [ir.f64], same, how)(np.float32(0.5)) == 0.5


def test_text_with_buffers() -> None:
    made = septet.callables(
        "define i64 @last (ptr %data, i64 %count) {\n  :entry\n  i64 %k <- %count - 1\n  check-index %k, %count, array\n"
        "  i64 %o <- %k << 3\n  ptr %p <- %data + %o\n  i64 %x <- load %p\n  return %x\n}\n",
        signatures={"last": [ir.Buffer(ir.i64)]},
        release_gil=["last"],
        name="folder/mine.ir",
    )
    assert made.last(array("q", [1, 2, 3])) == 3
    with pytest.raises(IndexError, match=r"index -1 is not in the range of 0 elements \(in last, mine\.ir:4\)"):
        made.last(array("q"))
    with pytest.raises(ValueError, match=r"'@last' takes \(ptr, i64\), which"):
        septet.callables("define i64 @last (ptr %p, i64 %n) { :e return %n }", signatures={"last": [ir.i64]})
    with pytest.raises(septet.Rejected, match="no function '@g'"):
        septet.callables("define i64 @f () { :e i64 %x <- call @g() return %x }")


# Failures


@pytest.mark.parametrize("opt", [0, 1, 2, 3])
@pytest.mark.parametrize("how", NATIVE)
def test_failures_are_exceptions_with_a_line(how: str, opt: int) -> None:
    module = ir.Module("failing")
    divide = make(ir.i64, [ir.i64, ir.i64], lambda b, x, y: b.sdiv(x, y), module, "divide")
    make(ir.i64, [ir.i64, ir.i64], lambda b, x, y: b.add(b.call(divide, [x, y]), b.call(divide, [y, x])), module, "both")
    make(ir.u32, [ir.u32, ir.u32], lambda b, x, y: b.rem(x, y), module, "rest")
    make(ir.i32, [ir.f64], lambda b, x: b.checked_convert(x, ir.i32), module, "whole")

    def index(b: Any, i: Any, n: Any) -> Any:
        b.check_index(i, n)
        return i

    make(ir.i64, [ir.i64, ir.i64], index, module, "index")

    def null(b: Any, p: Any) -> Any:
        b.check_null(p)
        return p

    make(ir.ptr, [ir.ptr], null, module, "null")
    made = module.compile(how=how, opt=opt)
    assert made.divide(-7, 2) == -3 and made.divide(-(1 << 63), -1) == -(1 << 63) and made.both(4, 2) == 2
    assert made.rest(7, 4) == 3 and made.whole(-2.9) == -2 and made.index(3, 4) == 3 and made.null(8) == 8
    for name, args, problem, message in (
        ("divide", (1, 0), ZeroDivisionError, "division by zero"),
        ("both", (0, 1), ZeroDivisionError, "division by zero"),
        ("rest", (1, 0), ZeroDivisionError, "division by zero"),
        ("whole", (1e10,), OverflowError, "not in the range of the integers"),
        ("whole", (math.nan,), OverflowError, "not in the range of the integers"),
        ("index", (4, 4), IndexError, "index 4 is not in the range of 4 elements"),
        ("index", (-1, 4), IndexError, "index -1 is not in the range of 4 elements"),
        ("null", (0,), ValueError, "an address is null"),
    ):
        for _ in range(3):
            with pytest.raises(problem, match=rf"{message} .*\(in {name}, test_callables\.py:\d+\)|{message}"):
                made[name](*args)
    assert made.divide(9, 3) == 3


def fibonacci(b: Any, n: Any) -> Any:
    with b.if_then(b.icmp("<", n, 2)):
        b.ret(n)
    f = b.function
    return b.add(b.call(f, [b.sub(n, 1)]), b.call(f, [b.sub(n, 2)]))


def deep(b: Any, n: Any) -> Any:
    with b.if_then(b.icmp("==", n, 0)):
        b.ret(n)
    rest = b.call(b.function, [b.sub(n, 1)])
    return b.xor(b.mul(rest, 3), n)


@pytest.mark.parametrize("how", NATIVE)
@pytest.mark.parametrize("opt", [0, 2])
def test_recursion_ends_in_an_exception(opt: int, how: str) -> None:
    assert make(ir.i64, [ir.i64], fibonacci).module.compile(how=how, opt=opt).f(20) == 6765
    f = make(ir.i64, [ir.i64], deep).module.compile(how=how, opt=opt).f
    assert f(0) == 0 and f(1000) == f(1000)
    for _ in range(3):
        with pytest.raises(RecursionError, match="deeper than the stack of this thread"):
            f(1 << 40)


@pytest.mark.parametrize("how", NATIVE)
def test_recursion_in_threads_with_small_stacks(how: str) -> None:
    module = ir.Module("deep")
    make(ir.i64, [ir.i64], deep, module, "inner", release_gil=True)
    make(ir.i64, [ir.i64], lambda b, n: b.call("inner", [n]), module, "outer")
    made = module.compile(how=how)
    ends: list[str] = []

    def run() -> None:
        for function in (made.outer, made.inner) * 5:
            try:
                function(1 << 40)
            except RecursionError as problem:
                ends.append(str(problem))

    before = threading.stack_size(128 << 10)
    try:
        threads = [threading.Thread(target=run) for _ in range(8)]
    finally:
        for thread in threads:
            thread.start()
        threading.stack_size(before)
    for thread in threads:
        thread.join()
    assert len(ends) == 80
    run()
    assert len(ends) == 90


@pytest.mark.parametrize("how", NATIVE)
def test_mutual_and_indirect_calls(how: str) -> None:
    module = ir.Module("mutual")
    odd = ir.Function(module, ir.FunctionType(ir.bool, [ir.i64]), "odd")
    even = make(
        ir.bool,
        [ir.i64],
        lambda b, n: b.select(b.icmp("==", n, 0), True, b.call(odd, [b.sub(n, 1)])) if False else _step(b, n, True, odd),
        module,
        "even",
    )
    b = ir.Builder(odd.append_basic_block("entry"))
    b.ret(_step(b, *odd.args, False, even))

    def choose(b: Any, n: Any, which: Any) -> Any:
        return b.call(b.select(which, even.address, odd.address), [n], result=ir.bool)

    make(ir.bool, [ir.i64, ir.bool], choose, module, "choose")
    made = module.compile(how=how)
    assert made.even(10) is True and made.odd(10) is False and made.choose(7, True) is False and made.choose(7, False) is True


def _step(b: Any, n: Any, at_zero: bool, other: Any) -> Any:
    with b.if_then(b.icmp("==", n, 0)):
        b.ret(at_zero)
    return b.call(other, [b.sub(n, 1)])


def test_calls_nest_and_threads_share_nothing() -> None:
    module = ir.Module("threads")
    make(ir.i64, [ir.i64, ir.i64], lambda b, x, y: b.sdiv(x, y), module, "locked")
    make(ir.i64, [ir.i64, ir.i64], lambda b, x, y: b.sdiv(x, y), module, "free", release_gil=True)
    made = module.compile()
    wrong: list[Any] = []

    def work(number: int) -> None:
        for k in range(2000):
            function = made.free if k % 2 else made.locked
            try:
                if function(number * k, k % 7) != (number * k) // (k % 7):
                    wrong.append((number, k))
            except ZeroDivisionError:
                if k % 7:
                    wrong.append(k)

    threads = [threading.Thread(target=work, args=(k + 1,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert made.locked(Index(10), Index(made.locked(9, 3))) == 3


def test_other_threads_run_where_the_lock_is_released() -> None:
    def spin(b: Any, flag: Any) -> Any:
        again, done = b.append_basic_block("again"), b.append_basic_block("done")
        b.branch(again)
        b.position_at_end(again)
        seen = b.load(flag, ir.i64)
        b.cbranch(b.icmp("!=", seen, 0), done, again)
        b.position_at_end(done)
        return seen

    f = make(ir.i64, [ir.Buffer(ir.i64)], lambda b, x: spin(b, x.data), release_gil=True).module.compile(opt=0).f
    flag = array("q", [0])
    timer = threading.Timer(0.05, lambda: memoryview(flag).__setitem__(0, 7))
    timer.start()
    assert f(flag) == 7  # for ever, were the lock held
    timer.join()


# Lifetimes


def mappings() -> int:
    with open("/proc/self/maps") as file:
        return sum("septet" in line for line in file)


def add(k: int = 0) -> Any:
    return compiled(ir.i64, [ir.i64, ir.i64], lambda b, x, y: b.add(b.add(x, y), k))


def test_code_is_freed_with_its_last_reference() -> None:
    gc.collect()
    before = mappings()
    for k in range(1000):
        assert add(k)(1, 2) == 3 + k
    assert mappings() == before  # no collection was needed
    made = make(ir.i64, [ir.i64], same).module.compile()
    f = made.f
    watch = weakref.ref(f)
    assert mappings() == before + 1
    del made
    assert f(5) == 5 and mappings() == before + 1
    del f
    assert watch() is None and mappings() == before


def test_code_can_never_be_written_to() -> None:
    f = add()
    with open("/proc/self/maps") as file:
        assert [line.split()[1] for line in file if "septet" in line] and f(1, 1) == 2
    with open("/proc/self/maps") as file:
        assert not [line for line in file if "septet" in line and "w" in line.split()[1]]


def test_a_function_that_drops_its_last_reference_while_it_runs() -> None:
    held = {"f": make(ir.i64, [ir.i64, ir.i64], lambda b, x, y: b.sdiv(x, y)).module.compile().f}

    class Dropping:
        def __index__(self) -> int:
            held.clear()
            gc.collect()
            add(9)  # something else where it was, perhaps
            return 42

    assert held["f"](Dropping(), 2) == 21
    assert not held
    held["f"] = add(1)
    with pytest.raises(TypeError, match="must be int, not str"):
        held.pop("f")(Dropping(), "x")


def test_references_are_counted() -> None:
    f, number, buffer = add(), 10**12, array("q", [1])
    g = compiled(ir.i64, [ir.Buffer(ir.i64), ir.i64], lambda b, x, y: b.sdiv(x.length, y))
    counted = (f, g, number, buffer)
    before = [sys.getrefcount(each) for each in counted]

    def use() -> None:
        for _ in range(200):
            f(number, number)
            g(buffer, 1)
            for call, args in ((f, (number, "x")), (f, (number,)), (g, (buffer, 0)), (g, (number, 1)), (g, (buffer, buffer))):
                with pytest.raises((TypeError, ZeroDivisionError)):
                    call(*args)

    use()
    gc.collect()
    assert [sys.getrefcount(each) for each in counted] == before


def test_the_other_ways_free_their_code_too() -> None:
    gc.collect()
    before = mappings()
    for how in ("ctypes", "interpreter"):
        for _ in range(20):
            assert compiled(ir.i64, [ir.i64], same, how)(3) == 3
    gc.collect()
    assert mappings() == before


# How they are called


def test_the_way_can_be_chosen_and_is_said() -> None:
    module = make(ir.i64, [ir.i64], same).module
    assert module.compile().way in WAYS
    assert module.compile(how="interpreter").way == "interpreter" and "interpreter" in repr(module.compile(how="interpreter"))
    with pytest.raises(ValueError, match="not one of stub, ctypes, interpreter"):
        module.compile(how="magic")
    with pytest.raises(ValueError, match="target"):
        module.compile(target="pdp11")
    assert str(inspect.signature(module.compile(how="ctypes").f)) == "(a0, /)"


def test_unknown_interpreters_are_called_by_ctypes(monkeypatch: pytest.MonkeyPatch) -> None:
    from septet.py import api

    monkeypatch.setattr(api, "TESTED", ())
    made = make(ir.i64, [ir.i64], same).module.compile()
    assert made.way == "ctypes" and "not among the versions" in made.note and made.f(4) == 4


def test_without_executable_memory_the_interpreter_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from septet.link import hosted, jit

    def refuse(content: bytes) -> int:
        raise jit.CannotExecute("no executable memory: forbidden")

    monkeypatch.setattr(hosted, "sealed", refuse)
    made = make(ir.i64, [ir.i64], fibonacci).module.compile()
    assert made.way == "interpreter" and "forbidden" in repr(made) and made.f(12) == 144


def test_nothing_is_left_when_the_process_ends() -> None:
    script = (
        "from septet import ir\n"
        "f = ir.Function(ir.Module('m'), ir.FunctionType(ir.i64, [ir.i64]), 'f')\n"
        "b = ir.Builder(f.append_basic_block())\n"
        "b.ret(b.add(f.args[0], 1))\n"
        "keep = f.module.compile().f\n"
        "class Late:\n"
        "    def __del__(self): print(keep(41))\n"
        "late = Late()\n"
        "late.itself = late\n"
    )
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("opt", [0, 1, 2, 3])
def test_every_level_and_target_gives_the_same(opt: int) -> None:
    def build(b: Any, x: Any, y: Any) -> Any:
        with b.loop(x.length) as i:
            at = i.carry(0.0, ir.f64, "sum")
            b.check_index(i, y.length)
            one, two = (b.load(b.gep(each, [i], ir.f64), ir.f64) for each in (x, y))
            at.update(b.fadd(b.fmul(one, two), at))
        return at

    module = make(ir.f64, [ir.Buffer(ir.f64), ir.Buffer(ir.f64)], build).module
    x, y = array("d", [0.1 * k for k in range(50)]), array("d", [1.7 / (k + 1) for k in range(50)])
    expected = module.compile(how="interpreter").f(x, y)
    for target in ("x86-64-v1", "native"):
        made = module.compile(opt=opt, target=target)
        assert made.f(x, y) == expected
        with pytest.raises(IndexError):
            made.f(x, y[:20])


@pytest.mark.parametrize("opt", [0, 1, 2, 3])
@pytest.mark.parametrize("how", WAYS)
def test_what_was_written_before_a_failure_is_there(how: str, opt: int) -> None:
    buffer = ir.Buffer(ir.i64, writable=True)
    module = ir.Module("test")

    def overwritten(b: Any, x: Any, at: Any) -> None:
        b.store(1, x.data, ir.i64)
        b.check_index(at, x.length)
        b.store(2, x.data, ir.i64)
        b.ret_void()

    def calling(b: Any, x: Any, at: Any) -> None:
        b.store(7, x.data, ir.i64)
        b.call("overwritten", [x, at])
        b.store(8, x.data, ir.i64)
        b.ret_void()

    def invariant(b: Any, x: Any, at: Any) -> None:
        with b.loop(x.length) as i:
            b.store(i, b.gep(x.data, [b.sub(x.length, b.add(i, 1))], ir.i64))
            b.check_index(at, x.length)
        b.ret_void()

    for build in (overwritten, calling, invariant):
        make(ir.void, [buffer, ir.i64], build, module, build.__name__)
    native = module.compile(how=how, opt=opt)
    for name, well, badly in (("overwritten", 2, 1), ("calling", 8, 1), ("invariant", 2, 9)):
        x = array("q", [9, 9, 9])
        native[name](x, 1)
        assert x[0] == well, name
        x = array("q", [9, 9, 9])
        with pytest.raises(IndexError):
            native[name](x, 3)
        assert x[0] == badly, name
        assert x[2] == (0 if name == "invariant" else 9)


@pytest.mark.parametrize("asked", [{"signatures": {"sum": []}}, {"release_gil": ["sum"]}])
def test_names_that_no_function_has_are_told(asked: dict[str, object]) -> None:
    """A misspelt name does not go unheard."""
    text = "define i64 @total (i64 %x) words {\n  :entry\n  return %x\n}\n"
    with pytest.raises(ValueError, match="'sum', which is no function"):
        septet.callables(text, **asked)
