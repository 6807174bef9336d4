"""From the builder to a callable: milliseconds for a loop of 15 lines at -O2, first in a process and warm, and an import.

    python bench/builder.py [--python PYTHON] [--rounds 11]

Each round starts new processes, one a way, interleaved; medians of the rounds, and of the warm compilations the median too.
llvmlite and Numba stand beside it where they are installed.  Use an installed wheel: a source checkout generates tables first.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from typing import Any

WARM = 20  # compilations of different functions behind the first


def with_septet(k: int) -> Any:
    """The loop, built and compiled; `k` makes it another one each time."""
    from septet import ir

    module = ir.Module(f"loop{k}")
    function = ir.Function(module, ir.FunctionType(ir.i64, [ir.i64], names=["n"]), "f")
    (n,) = function.args
    b = ir.Builder(function.append_basic_block("entry"))
    with b.loop(n) as i:
        total = i.carry(k, ir.i64, "total")
        square = b.mul(i, i)
        mixed = b.xor(square, 3 + k)
        sum = b.add(mixed, b.shl(i, 2))
        less = b.select(b.icmp_signed(">", sum, 100), b.sub(sum, square), sum)
        low = b.or_(b.and_(less, 0xFFFF), 1)
        total.update(b.add(b.add(total, low), b.lshr(sum, 3)))
    b.ret(b.srem(total, 1000))
    return module.compile(opt=2).f


def with_llvmlite(k: int) -> Any:
    """The same loop by llvmlite, at -O2, called by ctypes."""
    from ctypes import CFUNCTYPE, c_int64

    import llvmlite.binding as llvm
    from llvmlite import ir

    if not _ENGINES:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
    i64 = ir.IntType(64)
    module = ir.Module(f"loop{k}")
    function = ir.Function(module, ir.FunctionType(i64, [i64]), f"f{k}")
    entry, loop, body, done = (function.append_basic_block(name) for name in ("entry", "loop", "body", "done"))
    b = ir.IRBuilder(entry)
    b.branch(loop)
    b.position_at_end(loop)
    i, total = b.phi(i64), b.phi(i64)
    i.add_incoming(i64(0), entry)
    total.add_incoming(i64(k), entry)
    b.cbranch(b.icmp_signed("<", i, function.args[0]), body, done)
    b.position_at_end(body)
    square = b.mul(i, i)
    sum = b.add(b.xor(square, i64(3 + k)), b.shl(i, i64(2)))
    less = b.select(b.icmp_signed(">", sum, i64(100)), b.sub(sum, square), sum)
    low = b.or_(b.and_(less, i64(0xFFFF)), i64(1))
    total.add_incoming(b.add(b.add(total, low), b.lshr(sum, i64(3))), body)
    i.add_incoming(b.add(i, i64(1)), body)
    b.branch(loop)
    b.position_at_end(done)
    b.ret(b.srem(total, i64(1000)))
    parsed = llvm.parse_assembly(str(module))
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    passes.getModulePassManager().run(parsed, passes)
    engine = llvm.create_mcjit_compiler(parsed, machine)
    engine.finalize_object()
    _ENGINES.append(engine)
    return CFUNCTYPE(c_int64, c_int64)(engine.get_function_address(f"f{k}"))


_ENGINES: list[Any] = []


def with_numba(k: int) -> Any:
    """The same loop by Numba, from Python's source."""
    from numba import int64, njit

    def f(n: int) -> int:
        total = k
        for i in range(n):
            square = i * i
            sum = (square ^ (3 + k)) + (i << 2)
            less = sum - square if sum > 100 else sum
            total += ((less & 0xFFFF) | 1) + (sum >> 3)
        return total % 1000

    return njit(int64(int64))(f)


WAYS = {"septet": with_septet, "llvmlite": with_llvmlite, "numba": with_numba}


def measure(way: str) -> None:
    """In a process of its own: print the milliseconds of the first and of the warm compilations."""
    make = WAYS[way]
    times = []
    for k in range(WARM + 1):
        began = time.perf_counter()
        make(k)(10)
        times.append((time.perf_counter() - began) * 1e3)
    print(json.dumps([times[0], statistics.median(times[1:])]))


def run(command: list[str]) -> tuple[float, str | None]:
    """The milliseconds that a process takes, and what it prints; None where it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (time.perf_counter() - began) * 1e3, done.stdout if done.returncode == 0 else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--measure", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    first: dict[str, list[float]] = {}
    warm: dict[str, list[float]] = {}
    starts: dict[str, list[float]] = {"pass": [], "import septet": []}
    for _ in range(options.rounds):
        for code, taken in starts.items():
            taken.append(run([options.python, "-c", code])[0])
        for way in WAYS:
            _, printed = run([options.python, __file__, "--measure", way])
            if printed is not None:
                one, more = json.loads(printed)
                first.setdefault(way, []).append(one)
                warm.setdefault(way, []).append(more)
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, medians of {options.rounds}")
    for way in first:
        print(f"{way:10} first {statistics.median(first[way]):8.1f} ms, warm {statistics.median(warm[way]):8.1f} ms")
    floor = statistics.median(starts["pass"])
    print(f"import septet {statistics.median(starts['import septet']) - floor:.1f} ms above python -c pass ({floor:.1f} ms)")


if __name__ == "__main__":
    main()
