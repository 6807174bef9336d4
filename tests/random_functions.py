"""Random functions made by the builder of `septet.ir`, and whether native code does as the interpreter when Python calls them.

python tests/random_functions.py 1000 [FIRST]      prints the modules that differ at some level
python tests/random_functions.py --show 17         module 17

    --target x86-64-v3    for processors of that level; else this machine's

Functions of up to ten parameters of every scalar type and buffers; variables, loops, branches, vectors, calls and recursion;
divisions, checked conversions and indices that now and then raise.  What is compared: results bit by bit, exceptions with their
messages, and what buffers hold afterwards.
"""

from __future__ import annotations

import random
import struct
import sys
import time
from array import array
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from septet import ir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LEVELS = (0, 1, 2, 3)
INTEGERS = (ir.i8, ir.i16, ir.i32, ir.i64, ir.u8, ir.u16, ir.u32, ir.u64)
FLOATS = (ir.f32, ir.f64)
SCALARS = (*INTEGERS, *FLOATS, ir.bool)
CODES = {"i8": "b", "i16": "h", "i32": "i", "i64": "q", "u8": "B", "u16": "H", "u32": "I", "u64": "Q", "f32": "f", "f64": "d"}
VECTORS = [ir.VectorType(type, bits // type.bits) for type in (*INTEGERS, *FLOATS) for bits in (128, 256, 512)]
BUFFERS = (ir.i8, ir.u16, ir.i32, ir.i64, ir.u64, ir.f32, ir.f64)
LENGTH = 8  # of most buffers
EDGES = (0.0, -0.0, 1.0, -1.5, 0.1, 1e30, -3e9, 7.5, 1e-40, float("inf"), float("nan"))
CALLS = 6  # of each function
BINARY = ("add", "sub", "mul", "and_", "or_", "xor", "shl", "shr", "lshr", "ashr", "rotl", "rotr", "min", "max", "mul_high")
DIVIDE = ("div", "rem", "sdiv", "udiv", "srem", "urem")
UNARY = ("neg", "abs", "not_", "ctpop", "cttz", "ctlz", "bswap")
BINARY_FLOAT = ("fadd", "fsub", "fmul", "fdiv", "fmin", "fmax", "copysign")
UNARY_FLOAT = ("fneg", "fabs", "sqrt", "floor", "ceil", "ftrunc", "nearest")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def number(type: Any, pick: random.Random) -> Any:
    """A number of a scalar type, often one at an end of its range."""
    if type is ir.bool:
        return pick.random() < 0.5
    if type in FLOATS:
        value = pick.choice((*EDGES, pick.uniform(-9, 9)))
        return struct.unpack("f", struct.pack("f", value))[0] if type is ir.f32 else value
    near = pick.choice((type.low, type.high, 0, 0, 0, 1 << pick.randrange(type.bits - 1)))
    return min(max(near + pick.randrange(-9, 10), type.low), type.high)


class Body:
    """Makes the body of one function."""

    def __init__(self, function: Any, callees: list[Any], pick: random.Random) -> None:
        self.function = function
        self.callees = callees
        self.pick = pick
        self.b = ir.Builder(function.append_basic_block("entry"))
        self.depth = 0
        self.left = pick.randrange(6, 30)
        self.vectors = pick.sample(VECTORS, 3)
        self.buffers = [arg for arg in function.args if not hasattr(arg, "op")]
        self.slots = {type: [self.b.alloca(type) for _ in range(2)] for type in (*SCALARS, *self.vectors)}
        for type, slots in self.slots.items():
            given = [arg for arg in function.args if getattr(arg, "type", None) is type]
            for slot in slots:
                self.b.store(pick.choice(given) if given else self.constant(type), slot)

    def constant(self, type: Any) -> Any:
        if type in self.vectors:
            return self.b.splat(ir.Constant(type.element, number(type.element, self.pick)), type)
        return ir.Constant(type, number(type, self.pick))

    def value(self, type: Any) -> Any:
        """Something of that type."""
        if self.pick.random() < 0.2:
            return self.constant(type)
        return self.b.load(self.pick.choice(self.slots[type]))

    def keep(self, value: Any) -> None:
        self.b.store(value, self.pick.choice(self.slots[value.type]))

    def type(self) -> Any:
        return self.pick.choice(self.vectors) if self.pick.random() < 0.25 else self.pick.choice(SCALARS[:-1])

    # Statements

    def binary(self) -> None:
        type = self.type()
        names = BINARY_FLOAT if type.element in FLOATS else BINARY
        self.keep(getattr(self.b, self.pick.choice(names))(self.value(type), self.value(type)))

    def unary(self) -> None:
        type = self.type()
        names = UNARY_FLOAT if type.element in FLOATS else UNARY
        self.keep(getattr(self.b, self.pick.choice(names))(self.value(type)))

    def fused(self) -> None:
        type = self.pick.choice(FLOATS)
        self.keep(self.b.fma(self.value(type), self.value(type), self.constant(type)))

    def divide(self) -> None:
        type = self.pick.choice(INTEGERS)
        divisor = self.value(type)
        if self.pick.random() < 0.8:
            divisor = self.b.or_(divisor, 1)
        self.keep(getattr(self.b, self.pick.choice(DIVIDE))(self.value(type), divisor))

    def compare(self) -> None:
        type = self.pick.choice(SCALARS[:-1])
        names = ("fcmp_ordered", "fcmp_unordered") if type in FLOATS else ("icmp", "icmp_signed", "icmp_unsigned")
        compared = getattr(self.b, self.pick.choice(names))(self.pick.choice(COMPARISONS), self.value(type), self.value(type))
        self.keep(compared)
        if self.pick.random() < 0.5:
            self.keep(self.b.select(compared, self.value(type), self.value(type)))

    def convert(self) -> None:
        source, to = self.pick.choice(SCALARS), self.pick.choice(SCALARS[:-1])
        if self.pick.random() < 0.1 and to in INTEGERS and source is not ir.bool:
            self.keep(self.b.checked_convert(self.value(source), to))
        else:
            self.keep(self.b.convert(self.value(source), to))

    def lanes(self) -> None:
        type = self.pick.choice(self.vectors)
        lane = self.pick.randrange(type.lanes)
        what = self.pick.randrange(4)
        if what == 0:
            self.keep(self.b.extract_element(self.value(type), lane))
        elif what == 1:
            self.keep(self.b.insert_element(self.value(type), self.value(type.element), lane))
        elif what == 2:
            wanted = [self.pick.randrange(2 * type.lanes) for _ in range(type.lanes)]
            self.keep(self.b.shuffle_vector(self.value(type), self.value(type), wanted))
        else:
            self.keep(self.b.splat(self.value(type.element), type))

    def element(self) -> None:
        if not self.buffers:
            return
        buffer = self.pick.choice(self.buffers)
        type = buffer.element
        index = self.value(ir.i64)
        if self.pick.random() < 0.9:
            index = self.b.and_(index, LENGTH - 1)
        self.b.check_index(index, buffer.length)
        place = self.b.gep(buffer.data, [index], type)
        if self.pick.random() < 0.5 and buffer.type.writable:
            self.b.store(self.value(type), place)
        else:
            self.keep(self.b.load(place, type))

    def call(self) -> None:
        if self.callees:
            callee = self.pick.choice(self.callees)
            args = []
            for parameter in callee.type.parameters:
                if isinstance(parameter, ir.Buffer):
                    fitting = [arg for arg in self.buffers if arg.type is parameter]
                    if not fitting:
                        return
                    args.append(self.pick.choice(fitting))
                else:
                    args.append(self.value(parameter))
            result = self.b.call(callee, args)
            if result.type is not ir.void:
                self.keep(result)

    def branch(self) -> None:
        if self.depth < 3:
            self.depth += 1
            with self.b.if_else(self.value(ir.bool)) as (then, other):
                with then:
                    self.statements(4)
                    if self.pick.random() < 0.1:
                        self.finish()
                with other:
                    self.statements(4)
            self.depth -= 1

    def loop(self) -> None:
        if self.depth < 2:
            self.depth += 1
            type = self.pick.choice(INTEGERS)
            stop = ir.Constant(type, self.pick.choice((1, 3, LENGTH)))
            with self.b.loop(stop, ir.Constant(type, 0)) as index:
                self.b.store(index, self.slots[type][0])
                self.statements(5)
            self.depth -= 1

    def statements(self, most: int) -> None:
        for _ in range(self.pick.randrange(1, most + 1)):
            self.left -= 1
            self.pick.choice(STATEMENTS)(self)

    def finish(self) -> None:
        result = self.function.type.result
        if result is ir.void:
            self.b.ret_void()
        else:
            self.b.ret(self.value(result))

    def make(self) -> None:
        """The whole body; one that recurs begins by returning where its first parameter is not above 0."""
        first = self.function.args[0] if self.function.args else None
        if self.pick.random() < 0.2 and getattr(first, "type", None) in INTEGERS and not self.buffers:
            less = self.b.min(first, 5)
            with self.b.if_then(self.b.icmp("<=", less, 0)):
                self.finish()
            args = [self.value(type) for type in self.function.type.parameters[1:]]
            result = self.b.call(self.function, [self.b.sub(less, 1), *args])
            if result.type is not ir.void:
                self.keep(result)
        while self.left > 0:
            self.statements(8)
        self.finish()


STATEMENTS = (
    [Body.binary] * 8
    + [Body.unary, Body.compare, Body.convert, Body.element] * 3
    + [Body.divide, Body.lanes, Body.branch] * 2
    + [Body.loop, Body.call, Body.fused]
)


def module(seed: int) -> Any:
    """Random module `seed`; the same on every run."""
    pick = random.Random(f"functions {seed}")
    made = ir.Module(f"random{seed}", path="random_functions")
    buffers = [ir.Buffer(type, writable=pick.random() < 0.7) for type in BUFFERS]
    callees: list[Any] = []
    for count in range(pick.randrange(1, 4)):
        parameters = [pick.choice(SCALARS) for _ in range(pick.choice((0, 1, 2, 3, 5, 10)))]
        if pick.random() < 0.6:
            parameters += pick.choices(buffers, k=pick.randrange(1, 3))
        type = ir.FunctionType(pick.choice((*SCALARS, *SCALARS, ir.void)), parameters)
        function = ir.Function(made, type, f"f{count}", line=count + 1)
        Body(function, list(callees), pick).make()
        callees.append(function)
    return made


def arguments(function: Any, pick: random.Random) -> list[Any]:
    """Arguments of a call from Python; a buffer's elements as an array."""
    made: list[Any] = []
    for type in function.type.parameters:
        if isinstance(type, ir.Buffer):
            length = pick.choice((LENGTH, LENGTH, LENGTH, LENGTH, LENGTH // 2, 0))
            made.append(array(CODES[str(type.element)], [number(type.element, pick) for _ in range(length)]))
        else:
            made.append(number(type, pick))
    if made and pick.random() < 0.03:
        made[pick.randrange(len(made))] = pick.choice((1 << 70, "text", None, -1e400))
    return made


def done(callable: Callable[..., Any], args: list[Any]) -> tuple[Any, ...]:
    """What a call does, as something that is equal where calls do the same."""
    given = [array(arg.typecode, arg) if isinstance(arg, array) else arg for arg in args]
    try:
        result = callable(*given)
    except Exception as problem:
        return type(problem).__name__, str(problem), *_bits(given)
    return type(result).__name__, *_bits([result, *given])


def _bits(values: list[Any]) -> list[Any]:
    return [
        struct.pack("d", value) if isinstance(value, float) else value.tobytes() if isinstance(value, array) else value
        for value in values
    ]


def disagreements(seed: int, target: str = "native", levels: tuple[int, ...] = LEVELS) -> list[str]:
    """The calls of module `seed` that do not do the same natively as in the interpreter."""
    made = module(seed)
    pick = random.Random(f"arguments {seed}")
    calls = [(name, arguments(function, pick)) for name, function in made.functions.items() for _ in range(CALLS)]
    interpreted = made.compile(opt=0, how="interpreter")
    wanted = [done(interpreted[name], args) for name, args in calls]
    found = []
    for level in levels:
        native = made.compile(opt=level, target=target, how="stub")
        for (name, args), want in zip(calls, wanted, strict=True):
            got = done(native[name], args)
            if got != want:
                found.append(f"-O{level} {name}{tuple(args)}: {got}, not {want}")
    return found


def main(words: list[str]) -> int:
    """The command line; 1 if something differs."""
    target = "native"
    if "--target" in words:
        at = words.index("--target")
        target = words[at + 1]
        words = words[:at] + words[at + 2 :]
    if words[:1] == ["--show"]:
        print(module(int(words[1])))
        return 0
    count = int(words[0]) if words else 100
    first = int(words[1]) if len(words) > 1 else 0
    began = time.perf_counter()
    different = 0
    for seed in range(first, first + count):
        try:
            bad = disagreements(seed, target)
        except Exception as problem:
            bad = [f"{type(problem).__name__}: {problem}"]
        if bad:
            different += 1
            print(f"{seed}: {len(bad)} calls, {bad[0]}", flush=True)
    print(f"{count} modules, {different} different, {time.perf_counter() - began:.0f} s")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
