"""What the tests of IR share: reading, running, and random typed programs."""

from __future__ import annotations

import random
from typing import Any

from septet.base.facts import Facts
from septet.base.options import Fuel, Options
from septet.base.source import Source
from septet.base.types import Type, named
from septet.ir import interpret, text, verify
from septet.ir.copy import copy_function
from septet.ir.lower import lower_program
from septet.ir.nodes import Program
from septet.ir.passes import dead_code, linearise, simplify
from septet.l3 import interpret as l3_interpret
from septet.l3 import verify as l3_verify
from septet.runtime.model import Exit, Fault, Inconclusive, Runtime

PASSES = {"simplify": simplify, "linearise": linearise, "again": simplify, "dead-code": dead_code}
STEPS = 300_000
INTEGERS = "i8 i16 i32 i64 u8 u16 u32 u64 int64 bool".split()
FLOATS = ["f32", "f64"]


def read(program: str) -> Program:
    """A program, which must be well formed."""
    parsed = text.parse(Source(program))
    assert [d.render() for d in verify.problems(parsed)] == []
    return parsed


def main(body: str) -> str:
    """A program whose `main` has these instructions."""
    return "define void @main () {\n  :entry\n" + body + "\n  return\n}\n"


def outcome(run: Any, program: Any, stdin: bytes = b"", steps: int = STEPS) -> tuple[str, str]:
    """How a run ends, and what it prints."""
    runtime = Runtime(stdin, heap_limit=1 << 24)
    end = "end"
    try:
        run(program, runtime, steps)
    except Exit as exit:
        end = f"exit {exit.status}"
    except (Fault, Inconclusive) as problem:
        end = f"{type(problem).__name__}: {problem}"
    return end, runtime.output.decode()


def copy(program: Program) -> Program:
    """A copy whose functions passes may change."""
    functions = {name: copy_function(function) for name, function in program.functions.items()}
    return Program(functions, program.data, program.source)


def everywhere(program: Program, stdin: bytes = b"", steps: int = STEPS) -> tuple[str, str]:
    """How a program's run ends and what it prints: the same after every pass and in L3."""

    def check(run: Any, below: Any, what: str) -> None:
        found = outcome(run, below, stdin, steps)
        if first[0].startswith("Inconclusive") or found[0].startswith("Inconclusive"):
            length = min(len(first[1]), len(found[1]))
            assert found[1][:length] == first[1][:length], what
        else:
            assert found == first, what

    first = outcome(interpret.run, program, stdin, steps)
    before = text.print_program(program)
    check(l3_interpret.run, lowered(program), "lower")
    changed = copy(program)
    assert text.print_program(changed) == before
    for name, module in PASSES.items():
        for function in changed.functions.values():
            module.run(function, Facts(changed, Fuel(), function=function))
        assert [d.render() for d in verify.problems(changed)] == [], name
        check(interpret.run, changed, name)
        printed = text.print_program(changed)
        assert text.print_program(text.parse(Source(printed))) == printed, name
    check(l3_interpret.run, lowered(changed), "lower after the passes")
    assert text.print_program(program) == before
    return first


def lowered(program: Program) -> Any:
    """The L3 program, which must be well formed."""
    below = lower_program(program, Options())
    assert [d.render() for d in l3_verify.problems(below)] == []
    return below


class Random:
    """Makes random programs over variables of all types: straight lines, branches, loops that end, calls and memory."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.labels = 0
        self.types = self.random.sample(INTEGERS, 4) + self.random.sample(FLOATS, 1) + ["i64"]

    def program(self) -> str:
        """The text of a program whose `main` calls two functions and prints what they give."""
        self.types = list(dict.fromkeys(self.types))
        parts = ['data @bytes 64 "some bytes"\ndata @room 64\n']
        for name in ("f", "g"):
            self.lines = []
            self.declare()
            self.block(3)
            self.print_all()
            body = "\n".join(self.lines)
            parts.append(f"define i64 @{name} (i64 %p, i64 %q) {{\n:entry\n{body}\nreturn %i64_0\n}}\n")
        calls = [f"i64 %x{n} <- call @{f}({self.number('i64')}, {self.number('i64')})" for n, f in enumerate("fgfg")]
        parts.append("define void @main () {\n:entry\n" + "\n".join(calls) + "\nreturn\n}\n")
        return "\n".join(parts)

    def declare(self) -> None:
        """Two variables of each type, from the parameters."""
        for type in self.types:
            source = "%q" if type == "i64" else "convert %p"
            self.lines += [f"{type} %{type}_0 <- {source}", f"{type} %{type}_1 <- {self.number(type)}"]

    def number(self, type: str) -> str:
        """A literal of a type, small or at the edge."""
        choose = self.random.choice
        if type in FLOATS:
            return choose(
                ["0.0", "-0.0", "1.5", "-2.25", "1e30", "3.0", "0x7ff8000000000000" if type == "f64" else "0x7fc00000"]
            )
        known: Type = named(type)  # type: ignore[assignment]
        edge = [known.low, known.high, 0, 1, known.high // 2]
        return str(choose([*edge, self.random.randint(max(known.low, -9), min(known.high, 9))]))

    def variable(self, type: str) -> str:
        """A variable of a type."""
        return f"%{type}_{self.random.randint(0, 1)}"

    def operand(self, type: str) -> str:
        """A variable or a literal of a type."""
        return self.variable(type) if self.random.random() < 0.75 else self.number(type)

    def fresh(self) -> str:
        """A new label."""
        self.labels += 1
        return f"l{self.labels}"

    def block(self, depth: int) -> None:
        """Some statements."""
        for _ in range(self.random.randint(2, 6)):
            kind = self.random.random()
            if kind < 0.72 or not depth:
                self.statement()
            elif kind < 0.9:
                self.branch(depth)
            else:
                self.loop(depth)

    def statement(self) -> None:
        """One operation."""
        choose = self.random.choice
        type = choose(self.types)
        other = choose(self.types)
        target = f"{type} {self.variable(type)}"
        a, b = self.operand(type), self.operand(type)
        arithmetic = "+ - * /".split() if type in FLOATS else "+ - * / % & | ^ << >>".split()
        forms = [
            f"{target} <- {a} {choose(arithmetic)} {b}",
            f"{target} <- convert {self.variable(other)}",
            f"{target} <- {choose(['neg', 'sqrt', 'abs'] if type in FLOATS else ['neg', 'not'])} {a}",
            f"{target} <- {self.variable(type)}",
            f"{target} <- load @bytes + {self.random.randint(0, 48)}",
            f"store.{type} @room + {8 * self.random.randint(0, 5)} <- {a} in {choose(['any', 'other'])}",
            f"{target} <- load @room + {8 * self.random.randint(0, 5)}",
        ]
        line = choose(forms)
        if type == "bool" and "load" in line:
            line = forms[3]
        self.lines.append(line)
        if "bool" in self.types and self.random.random() < 0.3:
            flag = self.variable("bool")
            self.lines.append(f"bool {flag} <- {self.variable(type)} {choose('= != < <= > >='.split())} {b}")
            self.lines.append(f"{target} <- select {flag}, {a}, {b}")

    def branch(self, depth: int) -> None:
        """An if."""
        type = self.random.choice(self.types)
        then, other, join = self.fresh(), self.fresh(), self.fresh()
        self.lines.append(f"bool %c <- {self.variable(type)} {self.random.choice(['<', '>=', '='])} {self.operand(type)}")
        self.lines.append(f"br %c :{then} :{self.random.choice([other, join])}")
        self.lines.append(f":{then}")
        self.block(depth - 1)
        self.lines += [f"br :{join}", f":{other}"]
        self.block(depth - 1)
        self.lines += [f"br :{join}", f":{join}"]

    def loop(self, depth: int) -> None:
        """A loop of a few rounds."""
        head, body, out = self.fresh(), self.fresh(), self.fresh()
        counter = f"%n{self.labels}"
        self.lines += [f"i64 {counter} <- 0", f"br :{head}", f":{head}", f"bool %c <- {counter} < 3", f"br %c :{body} :{out}"]
        self.lines.append(f":{body}")
        self.block(depth - 1)
        self.lines += [f"i64 {counter} <- {counter} + 1", f"br :{head}", f":{out}"]

    def print_all(self) -> None:
        """Print every variable."""
        for type in self.types:
            for number in (0, 1):
                source = f"%{type}_{number}"
                if type in FLOATS:
                    bits = "i32" if type == "f32" else "i64"
                    self.lines.append(f"{bits} %{bits}_bits <- bitcast {source}")
                    source = f"%{bits}_bits"
                self.lines += [f"i64 %number <- convert {source}", "int64 %shown <- tag %number", "call print(%shown)"]
