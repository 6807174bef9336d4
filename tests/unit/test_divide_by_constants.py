"""Divisions by constants: every number of 8 bits by every divisor, every number of 16 by some, edges; and proofs."""

from __future__ import annotations

import importlib.util

import pytest

from septet.base.facts import Facts
from septet.base.options import Fuel
from septet.base.types import I8, I16, I32, I64, U8, U16, U32, U64, Type
from septet.ir.nodes import Block, Const, Function, Value
from septet.ir.passes import divide_by_constants
from septet.ops import table as ops

DIVISORS = (3, 5, 6, 7, 10, 11, 12, 14, 25, 28, 100, 125, 641, 1000, 4095, 4097, 10922, 21845, 32767)


def replaced(type: Type, divisor: int, op: ops.Op = ops.DIV) -> tuple[Value, list[Value]]:
    """The parameter, and the operations that stand for its division; the last is a return of the result."""
    number = Value(ops.PARAM, type, [], name="n")
    quotient = Value(op, type, [number, Const(type, divisor)])
    block = Block("entry")
    block.body = [quotient, Value(ops.RETURN, type, [quotient])]
    function = Function("f", type, [number], [block], phase="words")
    assert divide_by_constants.run(function, Facts(None, Fuel(), function=function))
    return number, block.body


def computed(type: Type, divisor: int, numbers: object, op: ops.Op = ops.DIV) -> list[int]:
    """What the operations give for numbers."""
    number, body = replaced(type, divisor, op)
    found = []
    for n in numbers:  # type: ignore[attr-defined]
        known = {number: n}
        for value in body[:-1]:
            args = [arg.number if isinstance(arg, Const) else known[arg] for arg in value.args]
            known[value] = value.op.function(type)(*args)
        found.append(known[body[-1].args[0]])
    return found


def wanted(type: Type, divisor: int, numbers: object, op: ops.Op = ops.DIV) -> list[int]:
    function = op.function(type)
    return [function(n, divisor) for n in numbers]  # type: ignore[attr-defined]


def divisors(type: Type) -> list[int]:
    """Those that are replaced: neither 0 nor, but for the sign, a power of two."""
    return [d for d in range(type.low, type.high + 1) if abs(d) & (abs(d) - 1)]


@pytest.mark.parametrize("type", [I8, U8], ids=str)
def test_all_of_eight_bits(type: Type) -> None:
    numbers = range(type.low, type.high + 1)
    for op in (ops.DIV, ops.REM):
        for divisor in divisors(type):
            assert computed(type, divisor, numbers, op) == wanted(type, divisor, numbers, op), divisor


@pytest.mark.parametrize("type", [I16, U16], ids=str)
def test_sixteen_bits(type: Type) -> None:
    numbers = range(type.low, type.high + 1)
    for divisor in (7, 28, 641) if type is U16 else (7, -10, 10922):
        assert computed(type, divisor, numbers) == wanted(type, divisor, numbers), divisor


@pytest.mark.parametrize("type", [I16, U16, I32, U32, I64, U64], ids=str)
def test_edges(type: Type) -> None:
    """Around the multiples of the divisor at the ends of the range, where a wrong multiplier shows first."""
    some = [d for d in (*DIVISORS, type.high, type.high - 1, type.high // 3, type.high // 2 + 2) if d <= type.high]
    if type.signed:
        some += [-d for d in some]
    for divisor in some:
        size = abs(divisor)
        last, first = type.high // size * size, -(-type.low // size) * size
        near = {base + step for base in (last, last - size, first, 0, size, type.low, type.high) for step in (-1, 0, 1)}
        numbers = sorted(n for n in near if type.low <= n <= type.high)
        for op in (ops.DIV, ops.REM):
            assert computed(type, divisor, numbers, op) == wanted(type, divisor, numbers, op), divisor


@pytest.mark.parametrize("type", [I8, U8, I16, U16, I32, U32, I64, U64], ids=str)
def test_multipliers(type: Type) -> None:
    """The conditions that the argument in the module rests on, for numbers of any width."""
    bits = type.bits
    for divisor in [d for d in divisors(I16 if bits > 16 else type) if d > 0] + [type.high]:
        if type.signed:
            multiplier, shift = divide_by_constants.signed_multiplier(divisor, bits)
            assert 0 < multiplier * divisor - (1 << (bits + shift)) <= 2 << shift and multiplier < 1 << bits
        else:
            multiplier, shift = divide_by_constants.unsigned_multiplier(divisor, bits, bits)
            assert 0 < multiplier * divisor - (1 << (bits + shift)) <= 1 << shift and multiplier < 2 << bits
            twos = (divisor & -divisor).bit_length() - 1
            if twos:
                assert divide_by_constants.unsigned_multiplier(divisor >> twos, bits, bits - twos)[0] < 1 << bits


@pytest.mark.skipif(importlib.util.find_spec("z3") is None, reason="z3 is not installed")
@pytest.mark.parametrize(("type", "divisor"), [(U16, 7), (U16, 28), (I16, -7), (I16, 10)], ids=str)
def test_proved(type: Type, divisor: int) -> None:
    """The operations and the division are equal as terms of a solver."""
    import z3

    from septet.prove.terms import apply

    number, body = replaced(type, divisor)
    n = z3.BitVec("n", type.bits)
    known = {number: n}
    for value in body[:-1]:
        args = [z3.BitVecVal(arg.number, type.bits) if isinstance(arg, Const) else known[arg] for arg in value.args]
        known[value] = apply(value.op, type, args, [type, type], type)
    direct = apply(ops.DIV, type, [n, z3.BitVecVal(divisor, type.bits)], [type, type], type)
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    solver.add(known[body[-1].args[0]] != direct)
    assert solver.check() == z3.unsat
