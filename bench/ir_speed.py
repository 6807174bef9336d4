"""The kernels of `bench/ir_kernels` against gcc and Numba, in one process, interleaved.

    python bench/ir_speed.py [KERNEL ...] [--vectors | --scalars] [--target NAME] [--opt N] [--runs N]

Needs NumPy and gcc; Numba where it is there.  Scalar kernels stand beside `gcc -O2 -fno-tree-vectorize`, those with explicit
vectors beside `gcc -O3 -march=native`, both with `-fno-math-errno`.  Numba compiles plain loops: beside scalars without its
vectorisers, as gcc, beside vectors with them and with `fastmath`.
Prints the least processor time of a call, in milliseconds, and ratios of Septet's to the others' (under 1: Septet is faster).
What else runs on the machine makes single runs slower, never faster.
"""

from __future__ import annotations

import argparse
import ctypes
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

LINE, PAGE = 64, 4096
GAP = 3 * LINE  # between arrays, so that none begins where another does in its page
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ir_kernels")
sys.path[:0] = [HERE, os.path.dirname(os.path.dirname(HERE))]

import build  # noqa: E402
import numpy as np  # noqa: E402

from septet.x86 import targets  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def placed(args: list[Any]) -> list[Any]:
    """The arguments with their arrays in one block, each at the beginning of a cache line: every compiler's code gets the same
    places, relative to each other and to lines and pages."""
    sizes = [-(-arg.nbytes // LINE) * LINE + GAP if isinstance(arg, np.ndarray) else 0 for arg in args]
    block = np.zeros(sum(sizes) + PAGE, np.uint8)
    at = -block.ctypes.data % PAGE
    made = []
    for arg, size in zip(args, sizes, strict=True):
        if isinstance(arg, np.ndarray):
            array = block[at : at + arg.nbytes].view(arg.dtype)
            array[:] = arg
            arg = array
        made.append(arg)
        at += size
    return made


def arguments(name: str) -> tuple[list[Any], list[int]]:
    """The arguments of a kernel, and which of them it writes to."""
    args, written = _arguments(name)
    return placed(args), written


def _arguments(name: str) -> tuple[list[Any], list[int]]:
    random = np.random.default_rng(7)
    uniform = random.random
    if name == "dot":
        return [uniform(2056), uniform(2056), 2048, 1000], []
    if name == "saxpy":
        return [np.float32(0.001), uniform(2056, np.float32), uniform(2048, np.float32), 2048, 1000], [2]
    if name in ("matmul", "blocked"):
        n = 128
        return [uniform(n * n), uniform(n * n), np.zeros(n * n), n], [2]
    if name == "nbody":
        n = 64
        place, speed = uniform(4 * n), np.zeros(4 * n)
        place[3::4] = 0
        return [place, speed, uniform(n), n, 50, 1e-6], [0, 1]
    if name == "spectral":
        return [uniform(512), np.zeros(512), 512], [1]
    if name == "mandelbrot":
        return [np.zeros(128 * 128, np.int64), 128, 200], [0]
    if name == "stencil":
        n = 514
        return [uniform(n * n), np.zeros(n * n), n], [1]
    if name == "prefix":
        return [random.integers(-1000, 1000, 2056), np.zeros(2048, np.int64), 2048, 1000], [1]
    if name == "network":
        return [random.integers(-(1 << 31), 1 << 31, 1 << 15, np.int32), np.zeros(1 << 15, np.int32), 256], [1]
    assert name == "polynomial", name
    return [uniform(16), uniform(1 << 14), np.zeros(1 << 14), 1 << 14], [2]


def with_gcc(vectors: bool, bits: int, folder: str) -> Any:
    """The twins as a library."""
    flags = ["-O3", "-march=native", "-DVECTORS", f"-DBITS={bits}"] if vectors else ["-O2", "-fno-tree-vectorize"]
    if vectors:
        flags.append(f"-mprefer-vector-width={bits}")
    path = os.path.join(folder, f"twins{int(vectors)}.so")
    command = ["gcc", *flags, "-fno-math-errno", "-shared", "-fPIC", "-o", path, os.path.join(HERE, "twins.c"), "-lm"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(path)


def as_c(library: Any, name: str, args: list[Any]) -> Callable[[], Any]:
    """A call of the twin; the arguments are converted once."""
    function = getattr(library, name)
    function.restype = ctypes.c_double if name == "dot" else None
    made: list[Any] = []
    for arg in args:
        if isinstance(arg, np.ndarray):
            made.append(ctypes.c_void_p(arg.ctypes.data))
        elif isinstance(arg, np.float32):
            made.append(ctypes.c_float(arg))
        else:
            made.append(ctypes.c_double(arg) if isinstance(arg, float) else ctypes.c_int64(arg))
    return lambda: function(*made)


EXPECTED: dict[str, Callable[..., Any]] = {
    "dot": lambda x, y, n, rounds: sum(np.dot(x[r & 7 :][:n], y[:n]) for r in range(rounds)),
    "matmul": lambda a, b, c, n: a.reshape(n, n) @ b.reshape(n, n),
    "blocked": lambda a, b, c, n: a.reshape(n, n) @ b.reshape(n, n),
    "prefix": lambda x, to, n, rounds: np.cumsum(x[(rounds - 1) & 7 :][:n]),
    "network": lambda x, to, n: np.sort(x.reshape(n, 8, 16), axis=1),
    "polynomial": lambda c, x, to, n: np.polyval(c, x),
}
"""What NumPy says that a kernel returns or writes."""


def same(name: str, ours: list[Any], theirs: list[Any], result: Any, other: Any, exactly: bool, written: list[int]) -> bool:
    """Whether two runs, or a run and NumPy, gave the same; if not `exactly`, sums may come in another order."""
    found = [ours[index] for index in written] or [result]
    expected = [theirs[index] for index in written] or [other]
    if name in EXPECTED and not np.allclose(np.ravel(EXPECTED[name](*ours)), found[0], rtol=1e-9):
        return False
    if exactly:
        return all(np.array_equal(one, two) for one, two in zip(found, expected, strict=True))
    return all(np.allclose(one, two, rtol=1e-4 if name == "saxpy" else 1e-9) for one, two in zip(found, expected, strict=True))


def seconds(call: Callable[[], Any], least: float = 0.002) -> float:
    """The time of one call, of as many as `least` seconds hold."""
    times = 1
    while True:
        began = time.thread_time()
        for _ in range(times):
            call()
        spent = time.thread_time() - began
        if spent >= least:
            return spent / times
        times *= 2


def measure(names: list[str], vectors: bool, options: argparse.Namespace, folder: str) -> list[list[float]]:
    """Measure kernels, print a line each; the ratios to gcc and to Numba."""
    features = targets.features(options.target)
    bits = 512 if features & targets.FEATURES["avx512f"] else 256 if features & targets.FEATURES["avx"] else 128
    compiled = build.module(vectors, bits).compile(opt=options.opt, target=options.target)
    library = with_gcc(vectors, bits, folder)
    try:
        if not vectors:
            os.environ.update(NUMBA_LOOP_VECTORIZE="0", NUMBA_SLP_VECTORIZE="0")
        import numba_twins

        numba = numba_twins.make(vectors)
    except ImportError:
        numba = {}
    ratios: list[list[float]] = [[], []]
    title = f"explicit vectors of {bits} bits" if vectors else "scalars"
    print(f"{title:28} {'Septet':>9} {'gcc':>9} {'Numba':>9}   /gcc /Numba")
    for name in names:
        ours, written = arguments(name)
        theirs, _ = arguments(name)
        third, _ = arguments(name)
        function, twin = compiled[name], as_c(library, name, theirs)
        result = function(*ours)
        if not same(name, ours, theirs, result, twin(), not vectors, written):
            raise SystemExit(f"{name}: the results differ from gcc's or NumPy's")
        calls: list[Callable[[], Any]] = [lambda f=function, a=ours: f(*a), twin]
        if name in numba:
            other = numba[name](*third)
            if not (vectors and name == "mandelbrot") and not same(name, ours, third, result, other, False, written):
                raise SystemExit(f"{name}: the results differ from Numba's")  # `fastmath` may move a point over the rim
            calls.append(lambda f=numba[name], a=third: f(*a))
        times: list[list[float]] = [[] for _ in calls]
        for _ in range(options.runs):
            for call, found in zip(calls, times, strict=True):
                found.append(seconds(call))
        least = [min(found) for found in times]
        quotients = [least[0] / other for other in least[1:]]
        for quotient, found in zip(quotients, ratios, strict=False):
            found.append(quotient)
        row = [f"{value * 1000:9.4f}" for value in least] + ["        -"] * (3 - len(least))
        print(f"{name:28} {' '.join(row)}  {' '.join([f'{quotient:5.2f}' for quotient in quotients])}", flush=True)
    return ratios


def mean(ratios: list[float]) -> str:
    """The geometric mean."""
    return f"{math.exp(statistics.fmean(map(math.log, ratios))):.3f}" if ratios else "-"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="the IR kernels against gcc and Numba")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=", ".join(build.SCALAR))
    parser.add_argument("--vectors", action="store_true", help="only those with explicit vectors")
    parser.add_argument("--scalars", action="store_true", help="only those without")
    parser.add_argument("--target", default=targets.native())
    parser.add_argument("--opt", type=int, default=2)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    if options.target == "native":
        options.target = targets.native()
    names = options.kernels or list(build.SCALAR)
    if options.scalars == options.vectors:  # each in a process of its own: Numba's settings are a process's
        for kind in ("--scalars", "--vectors"):
            given = [arg for arg in sys.argv[1:] if arg not in ("--scalars", "--vectors")]
            subprocess.run([sys.executable, os.path.abspath(__file__), *given, kind], check=True)
        return
    print(f"# {sys.version.split()[0]}, target {options.target}, -O{options.opt}, least of {options.runs}, milliseconds")
    with tempfile.TemporaryDirectory() as folder:
        ratios = measure(names, options.vectors, options, folder)
    print(f"geometric mean: {mean(ratios[0])} of gcc, {mean(ratios[1])} of Numba\n", flush=True)


if __name__ == "__main__":
    main()
