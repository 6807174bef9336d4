"""The kernels of `bench/ir_kernels`, with scalars and with vectors, on every target that this machine has and at every level:
what the machine computes is bit for bit what IR's interpreter does, and for some what Python does."""

from __future__ import annotations

import random
import sys
from array import array
from pathlib import Path
from typing import Any

import pytest

from septet.x86 import targets

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "bench" / "ir_kernels"))

import build  # noqa: E402

LEVELS = {"x86-64-v1": 128, "x86-64-v2": 128, "x86-64-v3": 256, "x86-64-v4": 512}
HERE = [target for target in LEVELS if not targets.missing(target)]
CASES = [(target, opt) for target in HERE for opt in ((1, 2, 3) if target in (HERE[0], HERE[-1]) else (2,))]
REFERENCE: dict[tuple[bool, int], dict[str, list[Any]]] = {}


def arguments(name: str) -> list[Any]:
    """Small arguments, of sizes that the widest vectors divide."""
    rng = random.Random(name)

    def floats(count: int, code: str = "d") -> array[Any]:
        return array(code, [rng.uniform(-1, 1) for _ in range(count)])

    zeros = array("d", bytes(8 * 256))
    made: dict[str, list[Any]] = {
        "dot": [floats(72), floats(64), 64, 3],
        "saxpy": [0.25, floats(72, "f"), floats(64, "f"), 64, 3],
        "matmul": [floats(64), floats(64), zeros[:64], 8],
        "blocked": [floats(256), floats(256), zeros, 16],
        "nbody": [_flat(floats(20)), array("d", bytes(160)), floats(5), 5, 3, 0.01],
        "spectral": [floats(16), zeros[:16], 16],
        "mandelbrot": [array("q", bytes(512)), 8, 30],
        "stencil": [floats(100), zeros[:100], 10],
        "prefix": [array("q", [rng.getrandbits(64) - (1 << 63) for _ in range(40)]), array("q", bytes(256)), 32, 3],
        "network": [array("i", [rng.getrandbits(32) - (1 << 31) for _ in range(256)]), array("i", bytes(1024)), 2],
        "polynomial": [floats(16), floats(64), zeros[:64], 64],
    }
    return made[name]


def _flat(places: array[Any]) -> array[Any]:
    """The fourth coordinates are 0."""
    places[3::4] = array("d", bytes(2 * len(places)))
    return places


def results(callables: Any) -> dict[str, list[Any]]:
    """For each kernel what it returns, and its arguments afterwards."""
    found = {}
    for name in build.SCALAR:
        args = arguments(name)
        found[name] = [callables[name](*args), *[arg.tobytes() for arg in args if isinstance(arg, array)]]
    return found


def reference(vectors: bool, bits: int) -> dict[str, list[Any]]:
    """What the interpreter computes."""
    if (vectors, bits) not in REFERENCE:
        REFERENCE[vectors, bits] = results(build.module(vectors, bits).compile(opt=0, how="interpreter"))
    return REFERENCE[vectors, bits]


@pytest.mark.parametrize("vectors", [False, True], ids=["scalars", "vectors"])
@pytest.mark.parametrize(("target", "opt"), CASES)
def test_kernels(target: str, opt: int, vectors: bool) -> None:
    bits = LEVELS[target] if vectors else 128
    assert results(build.module(vectors, bits).compile(opt=opt, target=target)) == reference(vectors, bits)


def test_against_python() -> None:
    """What takes no rounding into account, or rounds as Python does."""
    found = reference(False, 128)
    x, _, n, rounds = arguments("prefix")
    sums, total = [], 0
    for value in x[(rounds - 1) & 7 :][:n]:
        total = (total + value + (1 << 63)) % (1 << 64) - (1 << 63)
        sums.append(total)
    assert found["prefix"][2] == array("q", sums).tobytes()
    rows = array("i", arguments("network")[0])
    for block in range(0, 256, 128):
        for column in range(block, block + 16):
            rows[column : column + 128 : 16] = array("i", sorted(rows[column : column + 128 : 16]))
    assert found["network"][2] == rows.tobytes()
    x, y, n, rounds = arguments("dot")
    sum = 0.0
    for start in range(rounds):
        for left, right in zip(x[start:], y, strict=False):
            sum += left * right
    assert found["dot"][0] == sum
    c, x, to, n = arguments("polynomial")
    for at, point in enumerate(x):
        value = c[0]
        for coefficient in c[1:]:
            value = value * point + coefficient
        to[at] = value
    assert found["polynomial"][3] == to.tobytes()


def test_vectors_agree_with_scalars() -> None:
    """Where nothing is added in another order."""
    for bits in (128, 256, 512):
        scalars, vectors = reference(False, 128), reference(True, bits)
        for name in ("mandelbrot", "stencil", "prefix", "network"):
            assert scalars[name] == vectors[name], (name, bits)
