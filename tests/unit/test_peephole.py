"""Peephole rules: both sides of each do the same to registers, memory and flags, whatever these are; what must not be done."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from septet.base.source import Source
from septet.base.symbols import LABEL, ROUTINE, symbol
from septet.l1 import interpret, text
from septet.l1.nodes import Function, Program
from septet.l1.peephole import Code, improve
from septet.l1.peephole_compiler import changes_flags, generate, instructions
from septet.l1.peephole_rules import RULES
from septet.runtime.model import Exit, Fault, Runtime
from septet.x86 import forms, spell
from septet.x86.instructions import Instruction, Mem, Pool
from septet.x86.registers import NAMED, RDI, RSP, XMM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.l1.peephole_rules import Rule

GOLDEN = Path(__file__).parent.parent / "golden" / "l1" / "peephole"
REGISTERS = [NAMED[name] for name in ("rax", "rcx", "rbx", "r12", "r13")]
NUMBERS = [0, 1, -1, 2, 3, 7, 40, 63, -8, 127, -128, 255, 0x7FFFFFFF, -0x7FFFFFFF, -0x80000000]
WORDS = [0, 1, 2, -1, 5, 63, 64, 1 << 31, 1 << 63, (1 << 63) - 1]
WORK, SEEN = 16, 40  # words of the frame that sequences work on, and behind them what is seen of everything
TRIES = 400


def instance(rule: Rule, rng: random.Random) -> tuple[list[Instruction], list[Instruction]] | None:
    """Both sides of a rule with random operands; None where none were found that fit."""
    find = instructions(rule.find)
    table: dict[str, Any] = {}
    exec(generate([rule]), table)
    row = table["TABLE"][find[0][0].name][find[1][0].name if len(find) > 1 else None]
    for _ in range(TRIES):
        few = rng.sample(REGISTERS, rng.choice([1, 2, 3, 5]))
        names: dict[str, Any] = {name: rng.choice(few) for name in "abc"}
        names |= {name: rng.choice(XMM[:3]) for name in "uv"}
        names |= {name: rng.choice(NUMBERS) for name in "kn"}
        names["t"] = rng.choice([rng.choice(few), rng.choice(NUMBERS)])
        names["m"] = rng.choice([Mem(RSP, 8 * rng.randrange(WORK)), Mem(rng.choice(few), 8)])
        names["l"] = symbol(LABEL, "taken")
        code = [Instruction(op, tuple([operand(text, names) for text in operands])) for op, operands in find]
        behind = [Instruction(forms.LABEL, (names["l"], 0)), Instruction(forms.CMP, (REGISTERS[0], 5))]
        found = row(Code(code + behind), *[i.operands for i in code])
        if found is not None:
            assert found[0] == len(code)
            return code, found[1]
    return None


def operand(text: str, names: dict[str, Any]) -> Any:
    """An operand of a rule, where its names are these."""
    if text[0] in "%:{":
        return names[text.strip("%:{}")]
    kind, *parts = text.split()
    if kind == "pool":
        return Pool(int(parts[1], 0).to_bytes(int(parts[0]), "little"))
    if kind != "mem":
        return int(text)
    index, _, scale = parts[1].partition("*") if len(parts) > 2 else ("", "", "")
    rest = (operand(index, names), int(scale)) if index else ()
    return Mem(operand(parts[0], names), operand(parts[-1], names), *rest)


def program(code: list[Instruction], words: list[int], flags: bool) -> Program:
    """A program that fills registers and memory, runs `code`, then prints all of them, and with `flags` these too."""
    mov = forms.MOV
    body = [Instruction(mov, (Mem(RSP, 8 * at), word)) for at, word in enumerate(_small(words[:WORK]))]
    for number in range(3):
        body += [Instruction(mov, (RDI, words[number])), Instruction(forms.MOVQ, (XMM[number], RDI))]
    body += [Instruction(mov, (register, word)) for register, word in zip(REGISTERS, words, strict=False)]
    body.append(Instruction(forms.CMP, (REGISTERS[0], 5)))
    body += [Instruction(mov, (Mem(RSP, 8 * WORK), 1)), *code, Instruction(mov, (Mem(RSP, 8 * WORK), 2))]
    body.append(Instruction(forms.LABEL, (symbol(LABEL, "taken"), 0)))
    at = WORK + 1
    for name in ("sete", "sets", "setb", "seto") if flags else ():
        body += [Instruction(mov, (Mem(RSP, 8 * at), 0)), Instruction(forms.op(name), (Mem(RSP, 8 * at),))]
        at += 1
    for register in REGISTERS:
        body.append(Instruction(mov, (Mem(RSP, 8 * at), register)))
        at += 1
    for number in range(3):
        body.append(Instruction(forms.op("movups"), (Mem(RSP, 8 * at), XMM[number])))
        at += 2
    for seen in range(at):
        for shifts in ([(forms.SAR, 32), (forms.SHL, 1)], [(forms.SHL, 32), (forms.SHR, 31)]):
            body.append(Instruction(mov, (RDI, Mem(RSP, 8 * seen))))
            body += [Instruction(op, (RDI, by)) for op, by in shifts]
            body += [Instruction(forms.INC, (RDI,)), Instruction(forms.CALL, (symbol(ROUTINE, "print"), RDI))]
    body.append(Instruction(forms.RETURN, ()))
    return Program("main", {"main": Function("main", 0, SEEN, body)}, {})


def _small(words: list[int]) -> list[int]:
    return [(word + (1 << 31)) % (1 << 32) - (1 << 31) for word in words]


def output(program: Program) -> str | None:
    """What it prints; None where it faults."""
    runtime = Runtime()
    try:
        with suppress(Exit):
            interpret.run(program, runtime, 10_000)
    except Fault:
        return None
    return bytes(runtime.output).decode()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_both_sides_do_the_same(rule: Rule) -> None:
    rng = random.Random(rule.name)
    ran = 0
    for _ in range(6):
        found = instance(rule, rng)
        assert found is not None, "no operands fit"
        find, give = found
        words = [rng.choice([*WORDS, rng.getrandbits(64), rng.getrandbits(8)]) for _ in range(WORK)]
        words = [(word + (1 << 63)) % (1 << 64) - (1 << 63) for word in words]
        flags = not changes_flags(rule)
        expected = output(program(find, words, flags))
        if expected is None:  # a wild address
            continue
        ran += 1
        assert output(program(give, words, flags)) == expected, (find, give, words)
    assert ran


def test_every_rule_has_a_golden_test() -> None:
    golden = "".join([path.read_text() for path in GOLDEN.iterdir()])
    assert [rule.name for rule in RULES if f"(@{rule.name.replace('-', '_')} " not in golden] == []


def test_no_rule_makes_more_instructions() -> None:
    for rule in RULES:
        assert len(instructions(rule.give)) <= len(instructions(rule.find)), rule.name


def improved(body: str) -> str:
    """The instructions of a function after all rules, as text."""
    given = text.parse(Source(f"(@main (@main 0 8 {body} return))")).functions["main"]
    before = list(given.body)
    result = improve(given.body)
    assert given.body == before, "the body that was given has changed"
    lines = spell.spell_function("", 0, 0, 1, result, False).split("\n")[1:-3]
    return " ; ".join([line.strip() for line in lines if line.strip()])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("rax <- 0", "xor32 rax, rax"),
        ("rax <- 0 goto :l rbx <- 1 :l rcx += rbx", "xor32 rax, rax ; goto :l ; rbx <- 1 ; :l ; rcx += rbx"),
        ("cmp rbx, rcx rax <- 0 jl :l :l", "cmp rbx, rcx ; rax <- 0 ; jl :l ; :l"),  # the flags are read
        ("cmp rbx, rcx rax <- 0 goto :l :l sete rdx", "cmp rbx, rcx ; rax <- 0 ; goto :l ; :l ; sete rdx"),
        ("rax <- rbx rbx <- rax rax <- rbx", "rax <- rbx"),
        ("rax <- mem rax 8 rbx <- mem rax 8", "rax <- mem rax 8 ; rbx <- mem rax 8"),  # another address
        ("rax += rbx cjump rax <= 0 :l :l", "rax += rbx ; cjump rax <= 0 :l ; :l"),  # wrong where the sum overflows
        ("rax += rbx cjump rax < 0 :l :l", "rax += rbx ; js :l ; :l"),
        ("rax <- rbx rax += 1 cjump rax = 0 :l :l", "lea rax, mem rbx 1 ; cjump rax = 0 :l ; :l"),
    ],
)
def test_places(given: str, wanted: str) -> None:
    assert improved(given) == wanted
