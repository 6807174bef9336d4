"""What a call costs from Python: nanoseconds for functions of two ints, of two floats, and of one array.

    python bench/calls.py [--rounds 15] [--json FILE]

Ours, by its stub and by ctypes, beside a pure Python function, a builtin, and Numba where it is installed.  Runs are
interleaved; the least of the rounds counts, less an empty loop's.
"""

from __future__ import annotations

import argparse
import json
import operator
import platform
from array import array
from ctypes import CFUNCTYPE, c_long, c_void_p, cast
from timeit import Timer
from typing import Any

from septet import ir

CALLS = 200_000


def ours() -> Any:
    """A module with the three functions."""
    module = ir.Module("calls")
    for name, type, add in (("ints", ir.i64, "add"), ("floats", ir.f64, "fadd")):
        function = ir.Function(module, ir.FunctionType(type, [type, type]), name)
        builder = ir.Builder(function.append_basic_block())
        builder.ret(getattr(builder, add)(*function.args))
    function = ir.Function(module, ir.FunctionType(ir.f64, [ir.Buffer(ir.f64)]), "first")
    builder = ir.Builder(function.append_basic_block())
    builder.ret(builder.load(function.args[0], ir.f64))
    function = ir.Function(module, ir.FunctionType(ir.i64, [ir.i64, ir.i64]), "divide")
    builder = ir.Builder(function.append_basic_block())
    builder.ret(builder.sdiv(*function.args))
    function = ir.Function(module, ir.FunctionType(ir.i64, [ir.i64, ir.i64]), "released", release_gil=True)
    builder = ir.Builder(function.append_basic_block())
    builder.ret(builder.add(*function.args))
    return module


def numba() -> Any:
    """Numba's dispatcher of the same functions, or None."""
    try:
        from numba import njit
    except ImportError:
        return None
    return njit(lambda a, b: a + b)


def ways() -> dict[str, dict[str, tuple[Any, tuple[Any, ...]]]]:
    """For each kind of function, the callables and their arguments by name."""
    module = ours()
    stub, by_ctypes = module.compile(), module.compile(how="ctypes")
    numbers = array("d", [1.0, 2.0])
    plain = CFUNCTYPE(c_long, c_long, c_long)(cast(plain_address(), c_void_p).value or 0)
    two, halves = (40, 2), (0.5, 0.25)

    def python(a: Any, b: Any) -> Any:
        return a + b

    found: dict[str, dict[str, tuple[Any, tuple[Any, ...]]]] = {
        "(int, int)": {
            "septet": (stub.ints, two),
            "septet, checked division": (stub.divide, two),
            "septet, lock released": (stub.released, two),
            "septet by ctypes, checked": (by_ctypes.ints, two),
            "ctypes, a bare pointer": (plain, two),
            "Python function": (python, two),
            "operator.add": (operator.add, two),
        },
        "(float, float)": {"septet": (stub.floats, halves), "Python function": (python, halves)},
        "(array of floats)": {"septet": (stub.first, (numbers,)), "memoryview(x)[0]": (lambda x: memoryview(x)[0], (numbers,))},
    }
    njit = numba()
    if njit is not None:
        njit(*two), njit(*halves)
        found["(int, int)"]["Numba"] = (njit, two)
        found["(float, float)"]["Numba"] = (njit, halves)
    return found


def plain_address() -> Any:
    """A C function that takes two longs and returns one: what ctypes costs, whoever made the function."""
    from ctypes import CDLL

    return CDLL(None).labs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", default="")
    options = parser.parse_args()
    timers = {}
    for kind, callables in ways().items():
        for name, (function, args) in callables.items():
            scope = {"f": function, **{f"a{k}": arg for k, arg in enumerate(args)}}
            timers[kind, name] = Timer(f"f({', '.join(f'a{k}' for k in range(len(args)))})", globals=scope)
    times: dict[tuple[str, str], list[float]] = {key: [] for key in timers}
    empty = min(Timer("pass").repeat(options.rounds, CALLS))
    for _ in range(options.rounds):
        for key, timer in timers.items():
            times[key].append((timer.timeit(CALLS) - empty) / CALLS * 1e9)
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, least of {options.rounds}")
    for (kind, name), taken in times.items():
        print(f"{kind:20} {name:28} {min(taken):8.1f} ns")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({f"{kind} {name}": round(min(taken), 1) for (kind, name), taken in times.items()}, file, indent=1)


if __name__ == "__main__":
    main()
