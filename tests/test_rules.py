"""The rewrite rules: each is proved, and applies in a program under tests/programs.

What tries every number of few bits always runs; what asks solvers runs where z3 is installed, at 64 bits and for what takes no
seconds, and with `--whole` for all rules at all widths.  `--whole` also tries every number of 16 bits for rules with written
arguments, which takes half an hour on one core.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from conftest import NATIVE

from septet.base.facts import Facts
from septet.base.options import Fuel
from septet.base.source import Source
from septet.base.types import BOOL, F32, F64, I8, I16, U8, U32
from septet.ir import door, text
from septet.ir.passes import simplify
from septet.ir.rules import TOPICS, all_rules
from septet.ops import meaning
from septet.ops import table as ops
from septet.ops.rules import Rule
from septet.prove import command, native
from septet.prove.rules import ARGUMENTS, Counterexample, Proof, by_native_loops, exhaustive, prove, solved

RULES = {rule.name: rule for rule in all_rules()}
PROGRAMS = Path(__file__).parent / "programs"
needs_native = pytest.mark.skipif(not NATIVE, reason="native code needs Linux on x86-64")
SLOW = ("div", "rem-", "shr", "power", "quotient", "known-smaller", "shl-mul", "mul-shl", "popcount", "convert-trunc")
"""In names of rules whose proofs take seconds each."""
WRONG = [
    ("lost-operand", "(sub (add x y) y)", "y", ""),
    ("shifts-lose-bits", "(shr (shl x k) k)", "x", "0 < k < T.bits"),
    ("sum-may-wrap", "(order (add x k) n)", "(order x {n - k})", ""),
    ("not-known", "(and x k)", "x", "zeros(x, k)"),
    ("lowest-negated", "(div (neg x) k)", "(div x {-k})", "T.signed and k != 0"),
]


@pytest.mark.parametrize("name", RULES)
def test_every_number_at_few_bits(name: str) -> None:
    """No number of 8 bits (4 where there are many operands) makes a difference."""
    answer = exhaustive(RULES[name])
    assert isinstance(answer, Proof), str(answer)


@pytest.mark.parametrize("name", RULES)
def test_solver(name: str, pytestconfig: pytest.Config) -> None:
    """No number of full width makes a difference."""
    pytest.importorskip("z3")
    whole = pytestconfig.getoption("--whole")
    tried = exhaustive(RULES[name])
    assert isinstance(tried, Proof)
    if not whole and any(part in name for part in SLOW):
        pytest.skip("takes seconds")
    answer = solved(RULES[name]) if whole else solved(RULES[name], (64,) if tried.cases else (64, 32))
    assert isinstance(answer, Proof), str(answer)
    assert answer.cases


@pytest.mark.parametrize("row", WRONG, ids=[row[0] for row in WRONG])
def test_wrong_rules_are_refuted(row: tuple[str, str, str, str]) -> None:
    """Rules that are wrong have counterexamples, from loops and from solvers alike."""
    answer = exhaustive(Rule(*row))
    assert isinstance(answer, Counterexample)
    assert row[0] in str(answer) and "x = " in str(answer)
    pytest.importorskip("z3")
    assert isinstance(solved(Rule(*row), (8,)), Counterexample)
    assert isinstance(prove(Rule(*row), ()), Counterexample)


@needs_native
@pytest.mark.parametrize("name", ARGUMENTS)
def test_every_number_at_16_bits(name: str, pytestconfig: pytest.Config) -> None:
    """No number of 16 bits makes a difference to what no solver proves at full width."""
    if not pytestconfig.getoption("--whole"):
        pytest.skip("takes minutes")
    answer = by_native_loops(RULES[name])
    assert isinstance(answer, Proof), str(answer)
    assert answer.cases


@needs_native
def test_native_loops_find_what_is_wrong() -> None:
    """The loops come to the end for a rule that holds, and stop at the numbers for which one is wrong."""
    holds = native.tried(Rule("holds", "(mul x k)", "(shl x 3)", "k == 8"))
    assert isinstance(holds, native.Tried) and (holds.types, holds.numbers) == (2, 2 << 16)
    found = native.tried(Rule("wrong", "(div x k)", "(shr x 1)", "k == 2"))
    assert isinstance(found, native.Difference) and "T is i16: k = 2, x = -32767" in str(found)
    odd = native.tried(Rule("odd", "(shl (untag x) k)", "(add x -1)", "k == 1 and odd(x)"))
    assert isinstance(odd, native.Tried) and odd.numbers == 1 << 16
    assert isinstance(native.tried(Rule("even", "(shl (untag x) k)", "(add x -1)", "k == 1")), native.Difference)


def test_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`septet prove` says how each rule was proved; where one is wrong, the numbers, and status 1."""
    assert command.prove_rules(["add-zero", "rem-negative"], (), natively=False) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("add-zero      exhaustive at 8 bits, 3 cases, ") and said[-1].startswith("2 of 2 rules hold (")
    with pytest.raises(command.NoRule, match="did you mean 'add-zero'"):
        command.prove_rules(["add-zeros"], (), natively=False)
    monkeypatch.setattr(command, "_has_solver", lambda: False)
    assert command.prove_rules(["fneg-fneg"], (64,), natively=False) == 0
    both = capsys.readouterr()
    assert "z3 is not installed" in both.err and len(both.err.splitlines()) == 1
    assert "0 of 1 rules hold, 1 not tried without solvers" in both.out
    monkeypatch.setattr(command, "_chosen", lambda names: [Rule(*WRONG[1])])
    assert command.prove_rules([], (), natively=False) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "shifts-lose-bits  WRONG" and said[2].strip().startswith("is wrong where T is ")


def test_wrong_rules_about_floats_are_refuted() -> None:
    """IEEE algebra is not that of numbers: signed zeros, NaNs, rounding."""
    pytest.importorskip("z3")
    for find, give in (
        ("(fadd.float x 0)", "x"),
        ("(fsub.float x x)", "0"),
        ("(fneg.float (fsub x y))", "(fsub y x)"),
        ("(fadd.float x (fneg y))", "(fsub x y)"),
        ("(feq.float x x)", "1"),
    ):
        assert isinstance(solved(Rule("wrong", find, give), (16,)), Counterexample), find


def test_count() -> None:
    """As many rules as there should be, with names of their own, the arguments being about rules that exist."""
    assert len(RULES) >= 200
    assert len(RULES) == len(all_rules())
    assert set(ARGUMENTS) <= set(RULES)


def test_every_rule_applies_in_a_program() -> None:
    """Each rule applies when the programs of its topic are simplified."""
    counts = door.count_rules()
    try:
        for topic in TOPICS:
            program = text.parse(Source.read(str(PROGRAMS / f"rule_{topic}.ir")), notes=False)
            for function in program.functions.values():
                simplify.run(function, Facts(program, Fuel(), by="simplify", function=function))
    finally:
        door.fired = None
    assert [name for name in RULES if name not in counts] == []


EDGES = {
    64: [
        0,
        1 << 63,
        0x3FF0 << 48,
        0xBFF0 << 48,
        0x7FF0 << 48,
        0xFFF0 << 48,
        0x7FF8 << 48,
        0x7FF0_0000_0000_0001,
        1,
        0x43E0 << 48,
    ],
    32: [0, 1 << 31, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 1, 0x4F000000, 0x33800000],
}


@pytest.mark.parametrize("op", [op for op in ops.OPS if set(op.operands) == {"F"}], ids=str)
@pytest.mark.parametrize("type", [F64, F32], ids=str)
def test_solver_meaning_of_floats(op: ops.Op, type: object) -> None:
    """The second column of meanings gives what the first gives."""
    z3 = pytest.importorskip("z3")
    from septet.prove.terms import apply

    assert type is F64 or type is F32
    chooser = random.Random(f"{op}{type}")
    for _ in range(25):
        args = [chooser.choice(EDGES[type.bits]) for _ in op.operands]
        if chooser.random() < 0.4:
            args[0] = chooser.getrandbits(type.bits)
        term = apply(op, type, [z3.BitVecVal(arg, type.bits) for arg in args], [type] * len(args), type)
        assert z3.simplify(term).as_long() == op.function(type)(*args), (op, [hex(arg) for arg in args])


@pytest.mark.parametrize("target", [F64, F32, I16, U8, U32, BOOL], ids=str)
@pytest.mark.parametrize("source", [F64, F32, I8, I16, U32], ids=str)
def test_solver_meaning_of_conversions(source: object, target: object) -> None:
    """Conversions of the solver are the interpreter's."""
    z3 = pytest.importorskip("z3")
    from septet.base.types import Type
    from septet.prove.terms import converted

    assert isinstance(source, Type) and isinstance(target, Type)
    if source.is_float and target is BOOL:
        pytest.skip("saturates like the others")
    chooser = random.Random(f"{source}{target}")
    for _ in range(40):
        number = chooser.getrandbits(source.bits)
        if source.is_float and chooser.random() < 0.6:
            number = chooser.choice(EDGES[source.bits])
        wanted = meaning.convert(source, target)(source.wrap(number) if not source.is_float else number)
        found = z3.simplify(converted(z3.BitVecVal(number, source.bits), source, target)).as_long()
        assert found == wanted & (1 << target.bits) - 1, (hex(number), found, wanted)


@pytest.mark.parametrize("op", [ops.DIV, ops.REM], ids=str)
def test_solver_meaning_of_division(op: ops.Op) -> None:
    """Quotients and remainders of the solver are the interpreter's, for all numbers of 4 bits."""
    z3 = pytest.importorskip("z3")
    from septet.prove.cases import small
    from septet.prove.terms import apply

    for type in small(4):
        for a in range(16):
            for b in range(1, 16):
                term = apply(op, type, [z3.BitVecVal(a, 4), z3.BitVecVal(b, 4)], [type, type], type)
                assert z3.simplify(term).as_long() == op.function(type)(type.wrap(a), type.wrap(b)) & 15


COUNTS = (ops.MIN, ops.MAX, ops.IABS, ops.POPCOUNT, ops.CTZ, ops.CLZ, ops.BYTE_SWAP, ops.ROTL, ops.ROTR)


@pytest.mark.parametrize("op", COUNTS, ids=str)
@pytest.mark.parametrize("type", [BOOL, I8, U8, I16, U32], ids=str)
def test_solver_meaning_of_counts(op: ops.Op, type: object) -> None:
    """What the solver takes for choices, rotations and counts of bits is what the interpreter does."""
    z3 = pytest.importorskip("z3")
    from septet.base.types import Type
    from septet.prove.terms import apply

    assert isinstance(type, Type)
    chooser = random.Random(f"{op}{type}")
    for _ in range(40):
        args = [chooser.choice((0, type.low, type.high, 1, type.wrap(chooser.getrandbits(type.bits)))) for _ in op.operands]
        mask = (1 << type.bits) - 1
        term = apply(op, type, [z3.BitVecVal(arg, type.bits) for arg in args], [type] * len(args), type)
        assert z3.simplify(term).as_long() == op.function(type)(*args) & mask, args
