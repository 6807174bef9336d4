"""Random IR programs over all scalar types, and whether every stage and the machine run them alike.

python tests/random_ir.py 1000 [FIRST]      python tests/random_ir.py --show 17      as random_programs.py

Functions of up to 12 parameters with variables of every type, every operation, loops that count, and memory of every width.
"""

from __future__ import annotations

import random
import sys

from stages_alike import report

INTEGERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")
FLOATS = ("f32", "f64")
TYPES = (*INTEGERS, *FLOATS, "bool")
BITS = {type: int(type[1:]) for type in TYPES[:-1]}
INFIX = ("+", "-", "*", "&", "|", "^", "<<", ">>", "/", "%")
COMPARISONS = ("<", "<=", "=", "!=", ">=", ">")
BYTES = 64  # of the memory that a function may use
HEAD = """define void @show(u64 %x) {
  :entry
  u64 %h <- %x >> 32
  u64 %l <- %x & 4294967295
  int64 %vh <- tag %h
  int64 %vl <- tag %l
  call print(%vh)
  call print(%vl)
  return
}
"""


def literal(type: str, pick: random.Random) -> str:
    """A number of that type, often one at an end of its range."""
    if type == "bool":
        return str(pick.randrange(2))
    if type in FLOATS:
        special = {"f32": ("0x7fc00000", "0x7f800000", "0xff800000"), "f64": ("0x7ff8000000000000", "0xfff0000000000000")}
        if pick.random() < 0.1:
            return pick.choice(special[type])
        return pick.choice(
            ("0.0", "-0.0", "1.0", "-1.5", "0.5", "3.25", "1000000.0", "-2147483648.0", "9.5e18", "1e-30", "255.5")
        )
    bits = BITS[type]
    low, high = (0, (1 << bits) - 1) if type[0] == "u" else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    near = pick.choice((low, high, 0, 0, 0, high // 2, 1 << pick.randrange(bits)))
    return str(min(max(near + pick.randrange(-3, 4), low), high))


class Function:
    """Makes one function."""

    def __init__(self, name: str, parameters: list[str], result: str, others: list[Function], pick: random.Random) -> None:
        self.name = name
        self.parameters = parameters
        self.result = result
        self.others = others
        self.pick = pick
        self.lines: list[str] = []
        self.names: dict[str, list[str]] = {type: [f"%{type}_{n}" for n in range(pick.randrange(1, 4))] for type in TYPES}
        self.made = 0
        self.depth = 0
        self.left = pick.randrange(10, 50)

    def say(self, line: str) -> None:
        self.lines.append("  " + line)

    def fresh(self) -> str:
        self.made += 1
        return f"n{self.made}"

    def variable(self, type: str) -> str:
        return self.pick.choice(self.names[type])

    def operand(self, type: str) -> str:
        return self.variable(type) if self.pick.random() < 0.75 else literal(type, self.pick)

    def define(self, type: str, what: str) -> None:
        self.say(f"{type} {self.variable(type)} <- {what}")

    # Statements

    def infix(self) -> None:
        pick = self.pick
        type = pick.choice(TYPES[:-1]) if pick.random() < 0.95 else "bool"
        op = pick.choice(INFIX[:3] + INFIX[8:9] if type in FLOATS else INFIX[3:6] if type == "bool" else INFIX)
        left, right = self.operand(type), self.operand(type)
        if op in "/%" and type in INTEGERS:
            if pick.random() < 0.6:
                right = literal(type, pick)
            elif pick.random() < 0.95:
                right = self._odd(type, right)
            if right == "0":
                right = "3"
        self.define(type, f"{left} {op} {right}")

    def _odd(self, type: str, value: str) -> str:
        self.say(f"{type} {(name := '%' + self.fresh())} <- {value} | 1")
        return name

    def comparison(self) -> None:
        type = self.pick.choice(TYPES)
        self.define("bool", f"{self.variable(type)} {self.pick.choice(COMPARISONS)}.{type} {self.operand(type)}")

    def unary(self) -> None:
        type = self.pick.choice(TYPES[:-1])
        op = self.pick.choice(("neg", "abs", "sqrt") if type in FLOATS else ("neg", "not"))
        self.define(type, f"{op} {self.variable(type)}")

    def select(self) -> None:
        type = self.pick.choice(TYPES)
        self.define(type, f"select {self.variable('bool')}, {self.operand(type)}, {self.operand(type)}")

    def convert(self) -> None:
        to, source = self.pick.choice(TYPES), self.pick.choice(TYPES)
        if to == "bool":
            return
        same = to != source and source != "bool" and BITS[to] == BITS[source]
        word = "bitcast" if same and self.pick.random() < 0.5 else "convert"
        self.define(to, f"{word} {self.variable(source)}")

    def memory(self) -> None:
        type = self.pick.choice(TYPES[:-1])
        base, offset = "%memory", self.pick.randrange(BYTES - 7)
        if self.pick.random() < 0.4:
            self.say(f"i64 {(index := '%' + self.fresh())} <- {self.variable('i64')} & {BYTES // 2 - 1}")
            scale = self.pick.choice((1, 2, 4, 8))
            self.say(f"i64 {(scaled := '%' + self.fresh())} <- {index} * {scale}")
            self.say(f"ptr {(base := '%' + self.fresh())} <- %memory + {scaled}")
        if self.pick.random() < 0.5:
            self.say(f"store.{type} {base} + {offset} <- {self.operand(type)}")
        else:
            self.define(type, f"load {base} + {offset}")

    def change_memory(self) -> None:
        type = self.pick.choice(TYPES[:-1])
        place = f"%memory + {self.pick.randrange(BYTES - 7)}"
        self.say(f"{type} {(name := '%' + self.fresh())} <- load {place}")
        op = self.pick.choice(("+", "-", "*") if type in FLOATS else INFIX[:6])
        self.say(f"{type} {(new := '%' + self.fresh())} <- {name} {op} {self.operand(type)}")
        self.say(f"store.{type} {place} <- {new}")

    def call(self) -> None:
        if not self.others:
            return
        callee = self.pick.choice(self.others)
        args = ", ".join(self._argument(type) for type in callee.parameters)
        if callee.result == "void" or self.pick.random() < 0.1:
            self.say(f"call @{callee.name}({args})")
        else:
            self.define(callee.result, f"call @{callee.name}({args})")

    def _argument(self, type: str) -> str:
        return self.variable(type) if self.pick.random() < 0.7 else literal(type, self.pick)

    def show(self) -> None:
        self.show_variable(self.pick.choice(TYPES))

    def show_variable(self, type: str, name: str = "") -> None:
        """Print a variable's bits, NaNs all alike."""
        name = name or self.variable(type)
        if type in FLOATS:
            self.say(f"f64 {(wide := '%' + self.fresh())} <- convert {name}")
            self.say(f"u64 {(word := '%' + self.fresh())} <- bitcast {wide}")
        else:
            self.say(f"u64 {(word := '%' + self.fresh())} <- convert {name}")
        self.say(f"call @show({word})")

    # Control

    def statements(self, most: int) -> None:
        for _ in range(self.pick.randrange(1, most + 1)):
            self.left -= 1
            self.pick.choice(STATEMENTS)(self)

    def branch(self) -> None:
        if self.depth >= 3:
            return
        then, other, end = self.fresh(), self.fresh(), self.fresh()
        self.say(f"br {self.variable('bool')} :{then} :{other}")
        self.depth += 1
        for label in (then, other):
            self.say(f":{label}")
            self.statements(3)
            self.say(f"br :{end}")
        self.depth -= 1
        self.say(f":{end}")

    def loop(self) -> None:
        if self.depth >= 2:
            return
        head, body, end = self.fresh(), self.fresh(), self.fresh()
        type = self.pick.choice(INTEGERS)
        self.say(f"{type} %{head} <- 0")
        self.say(f"br :{head}")
        self.say(f":{head}")
        self.say(f"bool %{body} <- %{head} < {self.pick.choice((1, 2, 5))}")
        self.say(f"br %{body} :{body} :{end}")
        self.say(f":{body}")
        self.depth += 1
        self.statements(5)
        self.depth -= 1
        self.say(f"{type} %{head} <- %{head} + 1")
        self.say(f"br :{head}")
        self.say(f":{end}")

    def text(self) -> str:
        self.say(f"ptr %object <- call allocate({2 * (BYTES + 256) // 8 + 1}, 1)")
        self.say("ptr %memory <- %object + 8")
        for type, names in self.names.items():
            for name in names:
                source = [f"%p{n}" for n, its in enumerate(self.parameters) if its == type and self.pick.random() < 0.7]
                self.say(f"{type} {name} <- {source[0] if source else literal(type, self.pick)}")
        while self.left > 0:
            self.statements(10)
        for type, names in self.names.items():
            for name in names if self.name == "main" else names[:1]:
                self.show_variable(type, name)
        self.say(f"return {self.operand(self.result)}" if self.result != "void" else "return")
        parameters = ", ".join(f"{type} %p{n}" for n, type in enumerate(self.parameters))
        return "\n".join([f"define {self.result} @{self.name}({parameters}) {{", "  :entry", *self.lines, "}", ""])


STATEMENTS = (
    [Function.infix] * 10
    + [Function.comparison, Function.convert, Function.memory] * 3
    + [Function.select, Function.change_memory, Function.branch, Function.unary] * 2
    + [Function.loop, Function.show, Function.call]
)


def program(number: int) -> str:
    """Random program `number`; the same on every run."""
    pick = random.Random(f"ir {number}")
    functions: list[Function] = []
    texts = []
    for at in range(pick.randrange(0, 4)):
        parameters = [pick.choice(TYPES) for _ in range(pick.choice((0, 1, 2, 4, 7, 12)))]
        function = Function(f"f{at}", parameters, pick.choice((*TYPES, "void")), list(functions), pick)
        texts.append(function.text())
        functions.append(function)
    return "".join([HEAD, *texts, Function("main", [], "void", functions, pick).text()])


if __name__ == "__main__":
    sys.exit(report(program, "ir", sys.argv[1:]))
