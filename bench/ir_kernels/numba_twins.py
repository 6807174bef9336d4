"""The kernels of `build.py` as a user of Numba writes them, plain loops; `make(fastmath)` compiles them when first called."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def dot(x, y, n, rounds):
    sum = 0.0
    for r in range(rounds):
        start = r & 7
        for i in range(n):
            sum += x[start + i] * y[i]
    return sum


def saxpy(a, x, y, n, rounds):
    for r in range(rounds):
        start = r & 7
        for i in range(n):
            y[i] = a * x[start + i] + y[i]


def matmul(a, b, c, n):
    for i in range(n):
        for j in range(n):
            sum = 0.0
            for k in range(n):
                sum += a[i * n + k] * b[k * n + j]
            c[i * n + j] = sum


def matmul_rows(a, b, c, n):
    for i in range(n):
        for j in range(n):
            c[i * n + j] = 0.0
        for k in range(n):
            factor = a[i * n + k]
            for j in range(n):
                c[i * n + j] += factor * b[k * n + j]


def nbody(p, v, m, n, steps, dt):
    for _ in range(steps):
        for i in range(n):
            x, y, z = p[4 * i], p[4 * i + 1], p[4 * i + 2]
            vx, vy, vz = v[4 * i], v[4 * i + 1], v[4 * i + 2]
            mine = m[i]
            for j in range(i + 1, n):
                dx, dy, dz = x - p[4 * j], y - p[4 * j + 1], z - p[4 * j + 2]
                square = dx * dx + dy * dy + dz * dz
                much = dt / (square * square**0.5)
                vx -= dx * m[j] * much
                vy -= dy * m[j] * much
                vz -= dz * m[j] * much
                v[4 * j] += dx * mine * much
                v[4 * j + 1] += dy * mine * much
                v[4 * j + 2] += dz * mine * much
            v[4 * i], v[4 * i + 1], v[4 * i + 2] = vx, vy, vz
        for i in range(4 * n):
            p[i] += dt * v[i]


def spectral(x, out, n):
    for i in range(n):
        sum = 0.0
        for j in range(n):
            sum += x[j] / float(((i + j) * (i + j + 1) >> 1) + i + 1)
        out[i] = sum


def mandelbrot(out, n, limit):
    step = 3.0 / n
    for i in range(n):
        cy = i * step - 1.5
        for j in range(n):
            cx = j * step - 2.0
            x = y = 0.0
            count = 0
            while count < limit:
                xx, yy = x * x, y * y
                if not xx + yy <= 4.0:
                    break
                product = x * y
                x, y = xx - yy + cx, product + product + cy
                count += 1
            out[i * n + j] = count


def stencil(x, to, n):
    for i in range(1, n - 1):
        for j in range(1, n - 1):
            at = i * n + j
            to[at] = (x[at] + (x[at - 1] + x[at + 1]) + x[at - n] + x[at + n]) * 0.2


def prefix(x, to, n, rounds):
    for r in range(rounds):
        start = r & 7
        sum = 0
        for i in range(n):
            sum += x[start + i]
            to[i] = sum


def _network(exchanges: Any) -> str:
    lines = ["def network(x, to, n):", "    for i in range(n):", "        for j in range(16):", "            at = i * 128 + j"]
    lines += [f"            r{row} = x[at + {16 * row}]" for row in range(8)]
    for low, high in exchanges:
        lines.append(f"            r{low}, r{high} = min(r{low}, r{high}), max(r{low}, r{high})")
    lines += [f"            to[at + {16 * row}] = r{row}" for row in range(8)]
    return "\n".join(lines)


def polynomial(c, x, to, n):
    for i in range(n):
        at = x[i]
        value = c[0]
        for k in range(1, 16):
            value = value * at + c[k]
        to[i] = value


def make(vectors: bool) -> dict[str, Callable[..., Any]]:
    """All kernels by name; beside kernels with vectors they may be vectorised and contracted as LLVM likes.  ImportError."""
    import numba  # type: ignore[import-not-found]
    from build import EXCHANGES

    space: dict[str, Any] = {}
    exec(_network(EXCHANGES), space)
    plain = (
        dot,
        saxpy,
        matmul_rows if vectors else matmul,
        nbody,
        spectral,
        mandelbrot,
        stencil,
        prefix,
        space["network"],
        polynomial,
    )
    made = {function.__name__: numba.njit(fastmath=vectors)(function) for function in plain}
    made["matmul"] = made.pop("matmul_rows", None) or made["matmul"]
    return made
