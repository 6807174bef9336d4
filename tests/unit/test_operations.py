"""Every operation on every type: what `ops.table` says is what interpreters, constant folding and the machine do."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import random_ir
from conftest import NATIVE
from stages_alike import outcomes

from septet.base.literals import spell
from septet.base.types import BOOL, F32, I64, U8, U32, U64, VECTOR, Type, named, truth, vector
from septet.ops import meaning
from septet.ops import table as ops
from septet.x86.targets import BASELINE, LEVELS, missing

TYPES = [*random_ir.TYPES, *random_ir.VECTORS]
NAMES = {ops.FNEG: "neg", ops.FABS: "abs"}
USUAL = ("bool", "i8", "u32", "i64", "f32", "f64", "u8x16", "i16x8", "i32x4", "u64x2", "f32x4", "f64x2", "f64x4", "i64x8")
STEPS = 1 << 20

Row = tuple[str, Type, int]  # an operation, its result's type, and the result


def of(name: str) -> Type:
    found = named(name)
    assert found is not None
    return found


def number(type: Type, pick: random.Random) -> int:
    """A number of `type`, often one at an end of its range."""
    if type.kind == VECTOR:
        return meaning.packed(type, [number(type.element, pick) for _ in range(type.lanes)])
    if type.is_float:
        return meaning.from_float(type.bits, pick.choice((0.0, -0.0, 1.5, -2.5, 0.5, 3e9, -1e30, 1e-40, 7.0, float("inf"))))
    near = pick.choice((type.low, type.high, 0, 1 << pick.randrange(type.bits)))
    return type.wrap(near + pick.randrange(-2, 3))


def lanewise(type: Type, args: list[int]) -> Iterator[Row]:
    """Operations on numbers, and lane by lane."""
    letter = "F" if type.element.is_float else "I"
    texts = [spell(arg, type) if position else "%a" for position, arg in enumerate(args)]
    for op in ops.OPS:
        if op.meaning is None or set(op.operands) != {letter} or op.check:
            continue
        if op.name.startswith("mul-high") and type.bits == 1:
            continue
        operands = args[: len(op.operands)]
        if op is ops.DIV or op is ops.REM:
            operands[1] |= meaning.packed(type, [1] * type.lanes) if type.lanes > 1 else 1
        names = [f"%{name}" for name in "abc"]
        if op is ops.DIV or op is ops.REM:
            names[1] = f"{type} {spell(operands[1], type)}"
        text = (
            f"{names[0]} {op.symbol}.{type} {names[1]}"
            if op.symbol
            else f"{NAMES.get(op, op.name)} " + ", ".join(names[: len(operands)])
        )
        if op.symbol and not op.compares:
            text = f"{names[0]} {op.symbol} {names[1]}"
        made = truth(type) if op.compares else type
        yield text, made, op.function(type)(*operands)
    assert texts


def between(type: Type, args: list[int], pick: random.Random) -> Iterator[Row]:
    """Operations between types, and on vectors as wholes."""
    for name in TYPES:
        to = of(name)
        if to.lanes == type.lanes and not (to is BOOL and type.is_float):
            yield "convert %a", to, meaning.convert(type, to)(args[0])
        if to.bits == type.bits and to is not type and BOOL not in (to, type):
            yield "bitcast %a", to, meaning.bitcast(type, to)(args[0])
    yield "select %yes, %a, %b", type, args[0]
    if type.kind != VECTOR:
        return
    lane, lanes = type.element, type.lanes
    mask = ops.LT.function(I64)(0, 1)
    assert mask == 1
    order = ops.FLT if lane.is_float else ops.LT
    mask = order.function(type)(args[0], args[1])
    yield "select %mask, %a, %b", type, meaning.select(truth(type), type)(mask, args[0], args[1])
    at = pick.randrange(lanes)
    one = meaning.unpacked(type, args[0])[at]
    yield f"extract %a, {at}", lane, one
    yield "splat %one", type, meaning.splat(lane, type)(meaning.unpacked(type, args[0])[0])
    yield f"insert %b, {at}, %one", type, meaning.insert(type, type)(args[1], at, meaning.unpacked(type, args[0])[0])
    yield "sign-bits %a", U64, meaning.sign_bits(type, U64)(args[0])
    for op in ops.OPS:
        if op.result == ("FE" if lane.is_float else "IE"):
            yield f"{op} %a", lane, op.function(type, lane)(args[0])
    for start, step in ((0, 1), (1, 2), (lanes - 1, -1), (lanes // 2, 1), (0, 0), (lanes, 1), (3, 5)):
        wanted = [(start + step * n) % (2 * lanes) for n in range(lanes)]
        packed = meaning.packed(vector(U8, lanes), wanted)
        yield f"shuffle %a, %b, ({', '.join(map(str, wanted))})", type, meaning.shuffle(type, type)(*args[:2], packed)


def shown(name: str, type: Type, value: int) -> tuple[list[str], list[str]]:
    """Lines that print a value's bits, and what they print."""
    lines: list[str] = []
    words = max(type.bits // 64, 1)
    if type.kind == VECTOR:
        to = vector(U64, words) if words > 1 else U64
        lines.append(f"{to} {name}_b <- bitcast {name}" if to is not type else f"{to} {name}_b <- {name}")
        for word in range(words) if words > 1 else ():
            lines += [f"u64 {name}_{word} <- extract {name}_b, {word}", f"call @show({name}_{word})"]
        if words == 1:
            lines.append(f"call @show({name}_b)")
    else:
        if type.is_float:
            lines.append(f"u{type.bits} {name}_f <- bitcast {name}")
            name += "_f"
        lines += [f"u64 {name}_w <- convert {name}", f"call @show({name}_w)"]
    bits = value & (1 << 64 * words) - 1
    said = []
    for word in range(words):
        part = bits >> 64 * word & (1 << 64) - 1
        said += [str(part >> 32), str(part & 0xFFFFFFFF)]
    return lines, said


def program(type: Type) -> tuple[str, str]:
    """A program that does every operation on `type`, and what it prints."""
    texts, said = [random_ir.HEAD], []
    calls = []
    for round_number in range(3):
        pick = random.Random(f"{type} {round_number}")
        args = [number(type, pick) for _ in range(3)]
        body = []
        if type.kind == VECTOR:
            body += [f"{truth(type)} %mask <- %a <.{type} %b", f"{type.element} %one <- extract %a, 0"]
        rows = [*lanewise(type, args), *between(type, args, pick)]
        for count, (text, made, value) in enumerate(rows):
            lines, words = shown(f"%r{count}", made, value)
            body += [f"{made} %r{count} <- {text}", *lines]
            said += words
        texts.append(
            f"define void @round{round_number}({type} %a, {type} %b, {type} %c, bool %yes) words {{\n  :entry\n    "
            + "\n    ".join(body)
            + "\n    return\n}\n"
        )
        calls.append(f"    call @round{round_number}({', '.join(f'{type} {spell(arg, type)}' for arg in args)}, bool 1)\n")
    texts.append("define void @main() words {\n  :entry\n" + "".join(calls) + "    return\n}\n")
    return "".join(texts), "".join(f"{word}\n" for word in said)


@pytest.mark.parametrize("name", TYPES)
def test_every_operation_in_ir_and_l3(name: str) -> None:
    text, said = program(of(name))
    found = outcomes(text, "ir", STEPS, last="l3")
    assert found
    assert [way for way, outcome in found.items() if outcome != (said, 0)] == []


@pytest.mark.parametrize("target", LEVELS)
@pytest.mark.parametrize("name", TYPES)
def test_every_operation_everywhere(name: str, target: str, pytestconfig: pytest.Config) -> None:
    if name not in USUAL and not pytestconfig.getoption("--whole"):
        pytest.skip("takes minutes")
    if target != BASELINE and missing(target):
        pytest.skip(f"this machine is no {target}")
    text, said = program(of(name))
    found = outcomes(text, "ir", STEPS, native=NATIVE, target=target)
    assert found
    assert [way for way, outcome in found.items() if outcome != (said, 0)] == []


@pytest.mark.parametrize("name", ["i8", "u16", "i64", "f32", "f64"])
def test_checked_conversions(name: str) -> None:
    """A number that the type does not have ends the program, where it stands."""
    source = of(name)
    for target in (of(other) for other in random_ir.INTEGERS):
        edges = {target.low - 1, target.low, target.high, target.high + 1, 0}
        numbers = {edge for edge in edges if source.low <= edge <= source.high}
        if source.is_float:
            near = [float(edge) + part for edge in edges for part in (-1.0, -0.5, 0.0, 0.5, 1.0)]
            numbers = {meaning.from_float(source.bits, value) for value in [*near, float("inf"), float("nan")]}
        good = sorted(value for value in numbers if meaning.is_in(value, source, target))
        bad = sorted(numbers - set(good))
        head = f"define void @f({source} %x) words {{\n  :entry\n    check-convert %x {target}\n"
        head += "    call print(3)\n    return\n}\n"
        calls = "".join(f"    call @f({source} {spell(value, source)})\n" for value in good)
        for last in bad or [None]:
            end = f"    call @f({source} {spell(last, source)})\n" if last is not None else ""
            found = outcomes(f"{head}define void @main() {{\n  :entry\n{calls}{end}    return\n}}\n", "ir", STEPS, last="l3")
            line = "ERROR: instruction at line 3 attempted to convert a number that is out of range\n"
            wanted = "1\n" * len(good) + (line if last is not None else ""), int(last is not None)
            assert {way: outcome for way, outcome in found.items() if outcome != wanted} == {}


def test_f32_is_observed_as_it_is() -> None:
    """What the programs print of a float are its bits."""
    lines, said = shown("%x", F32, meaning.from_float(32, 1.0))
    assert lines[0] == "u32 %x_f <- bitcast %x" and said == ["0", str(0x3F800000)] and of("u32") is U32
