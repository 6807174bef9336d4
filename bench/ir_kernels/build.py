"""The kernels of `bench/ir_speed.py`, built with `septet.ir`: each once with scalars and once with explicit vectors.

Every function works on buffers that the caller owns.  Those that would be over too soon take `rounds`; a round begins at
another element (`r & 7`), so that no compiler does them all at once.
"""

from __future__ import annotations

from septet import ir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

F32, F64, I32, I64 = ir.f32, ir.f64, ir.i32, ir.i64


def module(vectors: bool, bits: int) -> ir.Module:
    """All kernels, with scalars or with vectors of `bits` bits."""
    made = ir.Module("vectors" if vectors else "scalars")
    for kernel in (VECTOR if vectors else SCALAR).values():
        kernel(made, bits)
    return made


def _function(module: ir.Module, name: str, result: Any, parameters: dict[str, Any]) -> tuple[Any, ir.Builder]:
    function = ir.Function(module, ir.FunctionType(result, list(parameters.values()), list(parameters)), name)
    return function, ir.Builder(function.append_basic_block("entry"))


def _read(element: Any) -> Any:
    return ir.Buffer(element)


def _write(element: Any) -> Any:
    return ir.Buffer(element, writable=True)


def _multiply_add(b: ir.Builder, x: Any, y: Any, z: Any) -> Any:
    """x y + z: fused in vectors of 256 bits and more, for all machines that have these can do that."""
    return b.fma(x, y, z) if x.type.bits >= 256 else b.fadd(z, b.fmul(x, y))


# Dot product


def dot(module: ir.Module, bits: int) -> None:
    """sum of x[i] * y[i], rounds times."""
    function, b = _function(module, "dot", F64, {"x": _read(F64), "y": _read(F64), "n": I64, "rounds": I64})
    x, y, n, rounds = function.args
    with b.loop(rounds, name="r") as r:
        total = r.carry(0.0, F64)
        at = b.gep(x.data, [b.and_(r, 7)], F64)
        with b.loop(n) as i:
            sum = i.carry(total, F64)
            product = b.fmul(b.load(b.gep(at, [i], F64), F64), b.load(b.gep(y.data, [i], F64), F64))
            sum.update(b.fadd(sum, product))
        total.update(sum)
    b.ret(total)


def dot_vector(module: ir.Module, bits: int) -> None:
    """The same with four vectors of sums; n is a multiple of four vectors."""
    lanes = bits // 64
    vector = ir.VectorType(F64, lanes)
    function, b = _function(module, "dot", F64, {"x": _read(F64), "y": _read(F64), "n": I64, "rounds": I64})
    x, y, n, rounds = function.args
    zero = ir.Constant(vector, 0.0)
    with b.loop(rounds, name="r") as r:
        total = r.carry(0.0, F64)
        at = b.gep(x.data, [b.and_(r, 7)], F64)
        with b.loop(n, step=4 * lanes) as i:
            sums = [i.carry(zero, vector) for _ in range(4)]
            left, right = b.gep(at, [i], F64), b.gep(y.data, [i], F64)
            for k, sum in enumerate(sums):
                offset = k * lanes * 8
                sum.update(_multiply_add(b, b.load(left, vector, offset=offset), b.load(right, vector, offset=offset), sum))
        both = b.fadd(b.fadd(sums[0], sums[1]), b.fadd(sums[2], sums[3]))
        total.update(b.fadd(total, b.reduce("add", both)))
    b.ret(total)


# y <- a x + y


def saxpy(module: ir.Module, bits: int) -> None:
    """y[i] += a * x[i], in single precision."""
    function, b = _function(module, "saxpy", ir.void, {"a": F32, "x": _read(F32), "y": _write(F32), "n": I64, "rounds": I64})
    a, x, y, n, rounds = function.args
    with b.loop(rounds, name="r") as r:
        at = b.gep(x.data, [b.and_(r, 7)], F32)
        with b.loop(n) as i:
            to = b.gep(y.data, [i], F32)
            b.store(b.fadd(b.fmul(a, b.load(b.gep(at, [i], F32), F32)), b.load(to, F32)), to)
    b.ret()


def saxpy_vector(module: ir.Module, bits: int) -> None:
    """The same a vector at a time; n is a multiple of two vectors."""
    lanes = bits // 32
    vector = ir.VectorType(F32, lanes)
    function, b = _function(module, "saxpy", ir.void, {"a": F32, "x": _read(F32), "y": _write(F32), "n": I64, "rounds": I64})
    a, x, y, n, rounds = function.args
    factor = b.splat(a, vector)
    with b.loop(rounds, name="r") as r:
        at = b.gep(x.data, [b.and_(r, 7)], F32)
        with b.loop(n, step=2 * lanes) as i:
            origin, to = b.gep(at, [i], F32), b.gep(y.data, [i], F32)
            for offset in (0, lanes * 4):
                new = _multiply_add(b, factor, b.load(origin, vector, offset=offset), b.load(to, vector, offset=offset))
                b.store(new, to, offset=offset)
    b.ret()


# Products of square matrices


def matmul(module: ir.Module, bits: int) -> None:
    """c = a b, three loops, each sum in one register."""
    function, b = _function(module, "matmul", ir.void, {"a": _read(F64), "b": _read(F64), "c": _write(F64), "n": I64})
    left, right, c, n = function.args
    with b.loop(n) as i:
        row = b.gep(left.data, [b.mul(i, n)], F64)
        with b.loop(n, name="j") as j:
            column = b.gep(right.data, [j], F64)
            with b.loop(n, name="k") as k:
                sum = k.carry(0.0, F64)
                other = b.load(b.gep(column, [b.mul(k, n)], F64), F64)
                sum.update(b.fadd(sum, b.fmul(b.load(b.gep(row, [k], F64), F64), other)))
            b.store(sum, b.gep(c.data, [b.add(b.mul(i, n), j)], F64))
    b.ret()


def matmul_vector(module: ir.Module, bits: int) -> None:
    """c = a b, a vector of a row of c at a time; n is a multiple of a vector."""
    lanes = bits // 64
    vector = ir.VectorType(F64, lanes)
    function, b = _function(module, "matmul", ir.void, {"a": _read(F64), "b": _read(F64), "c": _write(F64), "n": I64})
    left, right, c, n = function.args
    with b.loop(n) as i:
        row = b.gep(left.data, [b.mul(i, n)], F64)
        with b.loop(n, step=lanes, name="j") as j:
            column = b.gep(right.data, [j], F64)
            with b.loop(n, name="k") as k:
                sum = k.carry(ir.Constant(vector, 0.0), vector)
                factor = b.splat(b.load(b.gep(row, [k], F64), F64), vector)
                sum.update(_multiply_add(b, factor, b.load(b.gep(column, [b.mul(k, n)], F64), vector), sum))
            b.store(sum, b.gep(c.data, [b.add(b.mul(i, n), j)], F64))
    b.ret()


def blocked(module: ir.Module, bits: int) -> None:
    """c = a b, four by two sums at a time; n is a multiple of four."""
    _blocked(module, 4, 2, F64, 1)


def blocked_vector(module: ir.Module, bits: int) -> None:
    """c = a b, four rows of two vectors of sums at a time; n is a multiple of four and of two vectors."""
    _blocked(module, 4, 2, ir.VectorType(F64, bits // 64), bits // 64)


def _blocked(module: ir.Module, rows: int, columns: int, type: Any, lanes: int) -> None:
    function, b = _function(module, "blocked", ir.void, {"a": _read(F64), "b": _read(F64), "c": _write(F64), "n": I64})
    left, right, c, n = function.args
    with b.loop(n, step=rows) as i:
        starts = [b.gep(left.data, [b.mul(b.add(i, row), n)], F64) for row in range(rows)]
        with b.loop(n, step=columns * lanes, name="j") as j:
            column = b.gep(right.data, [j], F64)
            with b.loop(n, name="k") as k:
                sums = [[k.carry(ir.Constant(type, 0.0), type) for _ in range(columns)] for _ in range(rows)]
                at = b.gep(column, [b.mul(k, n)], F64)
                others = [b.load(at, type, offset=8 * lanes * number) for number in range(columns)]
                for start, line in zip(starts, sums, strict=True):
                    factor = b.load(b.gep(start, [k], F64), F64)
                    if lanes > 1:
                        factor = b.splat(factor, type)
                    for other, sum in zip(others, line, strict=True):
                        sum.update(_multiply_add(b, factor, other, sum))
            for row, line in enumerate(sums):
                to = b.gep(c.data, [b.add(b.mul(b.add(i, row), n), j)], F64)
                for number, sum in enumerate(line):
                    b.store(sum, to, offset=8 * lanes * number)
    b.ret()


# Bodies that attract each other: positions, velocities (four f64 each, the last 0) and masses


def nbody(module: ir.Module, bits: int) -> None:
    """`steps` steps of dt, coordinate by coordinate."""
    function, b = _function(
        module, "nbody", ir.void, {"p": _write(F64), "v": _write(F64), "m": _read(F64), "n": I64, "steps": I64, "dt": F64}
    )
    p, v, m, n, steps, dt = function.args
    with b.loop(steps, name="s"):
        with b.loop(n) as i:
            four = b.mul(i, 4)
            at, speed = b.gep(p.data, [four], F64), b.gep(v.data, [four], F64)
            mine = b.load(b.gep(m.data, [i], F64), F64)
            place, first = ([b.load(start, F64, offset=8 * d) for d in range(3)] for start in (at, speed))
            with b.loop(n, b.add(i, 1), name="j") as j:
                fast = [j.carry(component, F64) for component in first]
                there = b.mul(j, 4)
                other, its_speed = b.gep(p.data, [there], F64), b.gep(v.data, [there], F64)
                its = b.load(b.gep(m.data, [j], F64), F64)
                far = [b.fsub(place[d], b.load(other, F64, offset=8 * d)) for d in range(3)]
                square = b.fadd(b.fadd(b.fmul(far[0], far[0]), b.fmul(far[1], far[1])), b.fmul(far[2], far[2]))
                much = b.fdiv(dt, b.fmul(square, b.sqrt(square)))
                for d in range(3):
                    fast[d].update(b.fsub(fast[d], b.fmul(b.fmul(far[d], its), much)))
                    old = b.load(its_speed, F64, offset=8 * d)
                    b.store(b.fadd(old, b.fmul(b.fmul(far[d], mine), much)), its_speed, offset=8 * d)
            for d in range(3):
                b.store(fast[d], speed, offset=8 * d)
        with b.loop(b.mul(n, 4)) as i:
            to = b.gep(p.data, [i], F64)
            b.store(b.fadd(b.load(to, F64), b.fmul(dt, b.load(b.gep(v.data, [i], F64), F64))), to)
    b.ret()


def nbody_vector(module: ir.Module, bits: int) -> None:
    """The same with a vector for the coordinates of a body."""
    vector = ir.VectorType(F64, 4)
    function, b = _function(
        module, "nbody", ir.void, {"p": _write(F64), "v": _write(F64), "m": _read(F64), "n": I64, "steps": I64, "dt": F64}
    )
    p, v, m, n, steps, dt = function.args
    with b.loop(steps, name="s"):
        with b.loop(n) as i:
            four = b.mul(i, 4)
            at, speed = b.gep(p.data, [four], F64), b.gep(v.data, [four], F64)
            mine = b.load(b.gep(m.data, [i], F64), F64)
            place, first = b.load(at, vector), b.load(speed, vector)
            with b.loop(n, b.add(i, 1), name="j") as j:
                fast = j.carry(first, vector)
                there = b.mul(j, 4)
                its_speed = b.gep(v.data, [there], F64)
                far = b.fsub(place, b.load(b.gep(p.data, [there], F64), vector))
                square = b.reduce("add", b.fmul(far, far))
                much = b.fdiv(dt, b.fmul(square, b.sqrt(square)))
                its = b.splat(b.fmul(b.load(b.gep(m.data, [j], F64), F64), much), vector)
                fast.update(b.fsub(fast, b.fmul(far, its)))
                mass = b.splat(b.fmul(mine, much), vector)
                b.store(b.fadd(b.load(its_speed, vector), b.fmul(far, mass)), its_speed)
            b.store(fast, speed)
        with b.loop(b.mul(n, 4), step=4) as i:
            to = b.gep(p.data, [i], F64)
            speed = b.load(b.gep(v.data, [i], F64), vector)
            b.store(b.fadd(b.load(to, vector), b.fmul(b.splat(dt, vector), speed)), to)
    b.ret()


# Spectral norm: products with the matrix 1 / ((i + j)(i + j + 1)/2 + i + 1)


def spectral(module: ir.Module, bits: int) -> None:
    """out = A x."""
    function, b = _function(module, "spectral", ir.void, {"x": _read(F64), "out": _write(F64), "n": I64})
    x, out, n = function.args
    with b.loop(n) as i:
        with b.loop(n, name="j") as j:
            sum = j.carry(0.0, F64)
            diagonal = b.add(i, j)
            half = b.shr(b.mul(diagonal, b.add(diagonal, 1)), 1)
            divisor = b.sitofp(b.add(b.add(half, i), 1), F64)
            sum.update(b.fadd(sum, b.fdiv(b.load(b.gep(x.data, [j], F64), F64), divisor)))
        b.store(sum, b.gep(out.data, [i], F64))
    b.ret()


def spectral_vector(module: ir.Module, bits: int) -> None:
    """The same for a vector of j at a time, all in floats, which are exact here; n is a multiple of a vector."""
    lanes = bits // 64
    vector = ir.VectorType(F64, lanes)
    one, half = ir.Constant(vector, 1.0), ir.Constant(vector, 0.5)
    function, b = _function(module, "spectral", ir.void, {"x": _read(F64), "out": _write(F64), "n": I64})
    x, out, n = function.args
    with b.loop(n) as i:
        row = b.splat(b.sitofp(i, F64), vector)
        first = b.fadd(row, ir.Constant(vector, [float(lane) for lane in range(lanes)]))
        with b.loop(n, step=lanes, name="j") as j:
            sum = j.carry(ir.Constant(vector, 0.0), vector)
            diagonal = j.carry(first, vector)
            product = b.fmul(b.fmul(diagonal, b.fadd(diagonal, one)), half)
            divisor = b.fadd(b.fadd(product, row), one)
            sum.update(b.fadd(sum, b.fdiv(b.load(b.gep(x.data, [j], F64), vector), divisor)))
            diagonal.update(b.fadd(diagonal, ir.Constant(vector, float(lanes))))
        b.store(b.reduce("add", sum), b.gep(out.data, [i], F64))
    b.ret()


# The Mandelbrot set: rounds until a point leaves, over a square from (-2, -1.5) with side 3


def mandelbrot(module: ir.Module, bits: int) -> None:
    """out[i n + j] = how many rounds point (j, i) stays within radius 2, at most `limit`."""
    function, b = _function(module, "mandelbrot", ir.void, {"out": _write(I64), "n": I64, "limit": I64})
    out, n, limit = function.args
    step = b.fdiv(3.0, b.sitofp(n, F64))
    with b.loop(n) as i:
        cy = b.fadd(b.fmul(b.sitofp(i, F64), step), -1.5)
        with b.loop(n, name="j") as j:
            cx = b.fadd(b.fmul(b.sitofp(j, F64), step), -2.0)
            before = b.block
            test, more, done = (b.append_basic_block(name) for name in ("test", "more", "done"))
            b.branch(test)
            b.position_at_end(test)
            x, y, count = b.phi(F64, "x"), b.phi(F64, "y"), b.phi(I64, "count")
            xx, yy = b.fmul(x, x), b.fmul(y, y)
            inside = b.fcmp_ordered("<=", b.fadd(xx, yy), 4.0)
            b.cbranch(b.and_(inside, b.icmp("<", count, limit)), more, done)
            b.position_at_end(more)
            product = b.fmul(x, y)
            new = (b.fadd(b.fsub(xx, yy), cx), b.fadd(b.fadd(product, product), cy), b.add(count, 1))
            b.branch(test)
            for phi, first, next in zip((x, y, count), (0.0, 0.0, 0), new, strict=True):
                phi.add_incoming(first, before)
                phi.add_incoming(next, more)
            b.position_at_end(done)
            b.store(count, b.gep(out.data, [b.add(b.mul(i, n), j)], I64))
    b.ret()


def mandelbrot_vector(module: ir.Module, bits: int) -> None:
    """The same for a vector of points at a time; n is a multiple of a vector."""
    lanes = bits // 64
    vector, integers = ir.VectorType(F64, lanes), ir.VectorType(I64, lanes)
    function, b = _function(module, "mandelbrot", ir.void, {"out": _write(I64), "n": I64, "limit": I64})
    out, n, limit = function.args
    step = b.splat(b.fdiv(3.0, b.sitofp(n, F64)), vector)
    ramp = ir.Constant(vector, [float(lane) for lane in range(lanes)])
    with b.loop(n) as i:
        cy = b.fadd(b.fmul(b.splat(b.sitofp(i, F64), vector), step), ir.Constant(vector, -1.5))
        with b.loop(n, step=lanes, name="j") as j:
            cx = b.fadd(b.fmul(b.fadd(b.splat(b.sitofp(j, F64), vector), ramp), step), ir.Constant(vector, -2.0))
            before = b.block
            test, more, done = (b.append_basic_block(name) for name in ("test", "more", "done"))
            b.branch(test)
            b.position_at_end(test)
            x, y, count, round = b.phi(vector, "x"), b.phi(vector, "y"), b.phi(integers, "count"), b.phi(I64, "round")
            xx, yy = b.fmul(x, x), b.fmul(y, y)
            inside = b.fcmp_ordered("<=", b.fadd(xx, yy), ir.Constant(vector, 4.0))
            some = b.icmp("!=", b.sign_bits(inside), 0)
            b.cbranch(b.and_(some, b.icmp("<", round, limit)), more, done)
            b.position_at_end(more)
            product = b.fmul(x, y)
            new = (
                b.fadd(b.fsub(xx, yy), cx),
                b.fadd(b.fadd(product, product), cy),
                b.sub(count, inside),
                b.add(round, 1),
            )
            b.branch(test)
            for phi, first, next in zip(
                (x, y, count, round), (_zero(vector), _zero(vector), _zero(integers), 0), new, strict=True
            ):
                phi.add_incoming(first, before)
                phi.add_incoming(next, more)
            b.position_at_end(done)
            b.store(count, b.gep(out.data, [b.add(b.mul(i, n), j)], I64))
    b.ret()


def _zero(type: Any) -> Any:
    return ir.Constant(type, 0)


# A five-point stencil on a square


def stencil(module: ir.Module, bits: int) -> None:
    """to = a fifth of a point and its four neighbours, for all inner points."""
    function, b = _function(module, "stencil", ir.void, {"x": _read(F64), "to": _write(F64), "n": I64})
    x, to, n = function.args
    last = b.sub(n, 1)
    with b.loop(last, 1) as i:
        row = b.mul(i, n)
        with b.loop(last, 1, name="j") as j:
            at = b.gep(x.data, [b.add(row, j)], F64)
            above, below = b.gep(at, [b.neg(n)], F64), b.gep(at, [n], F64)
            sides = b.fadd(b.load(at, F64, offset=-8), b.load(at, F64, offset=8))
            sum = b.fadd(b.fadd(b.fadd(b.load(at, F64), sides), b.load(above, F64)), b.load(below, F64))
            b.store(b.fmul(sum, 0.2), b.gep(to.data, [b.add(row, j)], F64))
    b.ret()


def stencil_vector(module: ir.Module, bits: int) -> None:
    """The same a vector at a time; n - 2 is a multiple of a vector."""
    lanes = bits // 64
    vector = ir.VectorType(F64, lanes)
    function, b = _function(module, "stencil", ir.void, {"x": _read(F64), "to": _write(F64), "n": I64})
    x, to, n = function.args
    last = b.sub(n, 1)
    with b.loop(last, 1) as i:
        row = b.mul(i, n)
        with b.loop(last, 1, step=lanes, name="j") as j:
            at = b.gep(x.data, [b.add(row, j)], F64)
            above, below = b.gep(at, [b.neg(n)], F64), b.gep(at, [n], F64)
            sides = b.fadd(b.load(at, vector, offset=-8), b.load(at, vector, offset=8))
            sum = b.fadd(b.fadd(b.fadd(b.load(at, vector), sides), b.load(above, vector)), b.load(below, vector))
            b.store(b.fmul(sum, ir.Constant(vector, 0.2)), b.gep(to.data, [b.add(row, j)], F64))
    b.ret()


# Prefix sums


def prefix(module: ir.Module, bits: int) -> None:
    """to[i] = x[0] + ... + x[i]."""
    function, b = _function(module, "prefix", ir.void, {"x": _read(I64), "to": _write(I64), "n": I64, "rounds": I64})
    x, to, n, rounds = function.args
    with b.loop(rounds, name="r") as r:
        start = b.gep(x.data, [b.and_(r, 7)], I64)
        with b.loop(n) as i:
            sum = i.carry(0, I64)
            new = b.add(sum, b.load(b.gep(start, [i], I64), I64))
            b.store(new, b.gep(to.data, [i], I64))
            sum.update(new)
    b.ret()


def prefix_vector(module: ir.Module, bits: int) -> None:
    """The same: sums within a vector by moving it up 1, 2, 4 ... lanes, then the last sum so far is added to all."""
    lanes = bits // 64
    vector = ir.VectorType(I64, lanes)
    zero = ir.Constant(vector, 0)
    function, b = _function(module, "prefix", ir.void, {"x": _read(I64), "to": _write(I64), "n": I64, "rounds": I64})
    x, to, n, rounds = function.args
    with b.loop(rounds, name="r") as r:
        start = b.gep(x.data, [b.and_(r, 7)], I64)
        with b.loop(n, step=lanes) as i:
            last = i.carry(zero, vector)
            sums = b.load(b.gep(start, [i], I64), vector)
            by = 1
            while by < lanes:
                sums = b.add(
                    sums, b.shuffle_vector(zero, sums, [lanes + lane - by if lane >= by else 0 for lane in range(lanes)])
                )
                by *= 2
            sums = b.add(sums, last)
            b.store(sums, b.gep(to.data, [i], I64))
            last.update(b.shuffle_vector(sums, sums, [lanes - 1] * lanes))
    b.ret()


# Batcher's network for eight: 19 exchanges

EXCHANGES = (
    (0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7), (1, 2), (5, 6), (0, 4), (1, 5), (2, 6), (3, 7), (2, 4),
    (3, 5), (1, 2), (3, 4), (5, 6),
)  # fmt: skip


def network(module: ir.Module, bits: int) -> None:
    """Sort columns of eight, `width` columns side by side, for `n` such blocks."""
    _network(module, 1, I32)


def network_vector(module: ir.Module, bits: int) -> None:
    """The same, a vector of columns at a time."""
    _network(module, bits // 32, ir.VectorType(I32, bits // 32))


def _network(module: ir.Module, lanes: int, type: Any) -> None:
    width = 16
    function, b = _function(module, "network", ir.void, {"x": _read(I32), "to": _write(I32), "n": I64})
    x, to, n = function.args
    with b.loop(n) as i:
        block = b.mul(i, 8 * width)
        with b.loop(width, step=lanes, name="j") as j:
            origin = b.gep(x.data, [b.add(block, j)], I32)
            goal = b.gep(to.data, [b.add(block, j)], I32)
            rows = [b.load(origin, type, offset=4 * width * row) for row in range(8)]
            for low, high in EXCHANGES:
                rows[low], rows[high] = b.min(rows[low], rows[high]), b.max(rows[low], rows[high])
            for number, row in enumerate(rows):
                b.store(row, goal, offset=4 * width * number)
    b.ret()


# A polynomial of degree 15 by Horner's rule


def polynomial(module: ir.Module, bits: int) -> None:
    """to[i] = c[0] x[i]^15 + ... + c[15]."""
    function, b = _function(module, "polynomial", ir.void, {"c": _read(F64), "x": _read(F64), "to": _write(F64), "n": I64})
    c, x, to, n = function.args
    with b.loop(n) as i:
        at = b.load(b.gep(x.data, [i], F64), F64)
        value = b.load(c.data, F64)
        for k in range(1, 16):
            value = b.fadd(b.fmul(value, at), b.load(c.data, F64, offset=8 * k))
        b.store(value, b.gep(to.data, [i], F64))
    b.ret()


def polynomial_vector(module: ir.Module, bits: int) -> None:
    """The same for four vectors at a time; n is a multiple of four vectors."""
    lanes = bits // 64
    vector = ir.VectorType(F64, lanes)
    function, b = _function(module, "polynomial", ir.void, {"c": _read(F64), "x": _read(F64), "to": _write(F64), "n": I64})
    c, x, to, n = function.args
    with b.loop(n, step=4 * lanes) as i:
        origin, goal = b.gep(x.data, [i], F64), b.gep(to.data, [i], F64)
        places = [b.load(origin, vector, offset=8 * lanes * k) for k in range(4)]
        values = [b.splat(b.load(c.data, F64), vector)] * 4
        for k in range(1, 16):
            constant = b.splat(b.load(c.data, F64, offset=8 * k), vector)
            values = [_multiply_add(b, value, place, constant) for value, place in zip(values, places, strict=True)]
        for number, value in enumerate(values):
            b.store(value, goal, offset=8 * lanes * number)
    b.ret()


SCALAR = {
    "dot": dot, "saxpy": saxpy, "matmul": matmul, "blocked": blocked, "nbody": nbody, "spectral": spectral,
    "mandelbrot": mandelbrot, "stencil": stencil, "prefix": prefix, "network": network, "polynomial": polynomial,
}  # fmt: skip
VECTOR = {
    "dot": dot_vector, "saxpy": saxpy_vector, "matmul": matmul_vector, "blocked": blocked_vector, "nbody": nbody_vector,
    "spectral": spectral_vector, "mandelbrot": mandelbrot_vector, "stencil": stencil_vector, "prefix": prefix_vector,
    "network": network_vector, "polynomial": polynomial_vector,
}  # fmt: skip
