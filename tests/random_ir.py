"""Random IR programs over all types, and whether every stage and the machine run them alike.

python tests/random_ir.py 1000 [FIRST]      python tests/random_ir.py --show 17      as random_programs.py

    --scalar             without vectors
    --to l3              no further than that language
    --target x86-64-v3   for processors of that level

Functions of up to 12 parameters with variables of every type (of vectors, four types a program, of some lane types in several
lengths), every operation, loops that count, and memory of every width.
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
UNARY = ("neg", "not", "iabs", "popcount", "count-trailing-zeros", "count-leading-zeros", "byte-swap")
UNARY_FLOAT = ("neg", "abs", "sqrt", "floor", "ceil", "trunc", "nearest")
BINARY = ("min", "max", "rotate-left", "rotate-right", "mul-high")
BINARY_FLOAT = ("fmin", "fmax", "copysign")
REDUCTIONS = ("reduce-add", "reduce-mul", "reduce-and", "reduce-or", "reduce-xor", "reduce-min", "reduce-max")
REDUCTIONS_FLOAT = ("freduce-add", "freduce-mul", "freduce-min", "freduce-max")
BYTES = 64  # of the memory that a function may use
WIDEST = 64  # bytes of a vector
VECTORS = {
    f"{lane}x{lanes}": (lane, lanes)
    for lane, bits in BITS.items() for lanes in (2, 4, 8, 16, 32, 64) if 64 <= bits * lanes <= 8 * WIDEST
}  # fmt: skip
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


def lane_of(type: str) -> str:
    """The type of a vector's lanes; a scalar type itself."""
    return VECTORS[type][0] if type in VECTORS else type


def bits_of(type: str) -> int:
    """How wide a type is."""
    return BITS[VECTORS[type][0]] * VECTORS[type][1] if type in VECTORS else BITS.get(type, 1)


def mask_of(type: str) -> str:
    """The type of what comparing gives."""
    return f"i{BITS[VECTORS[type][0]]}x{VECTORS[type][1]}" if type in VECTORS else "bool"


def literal(type: str, pick: random.Random) -> str:
    """A number of that type, often one at an end of its range."""
    if type in VECTORS:
        lane, lanes = VECTORS[type]
        if pick.random() < 0.2:
            return f"{type} 0x{pick.getrandbits(bits_of(type)) if lane not in FLOATS else 0:x}"
        one = literal(lane, pick)
        several = [one if pick.random() < 0.3 else literal(lane, pick) for _ in range(lanes)]
        return f"{type} {{{', '.join([one] * lanes if pick.random() < 0.3 else several)}}}"
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

    def __init__(
        self,
        name: str,
        parameters: list[str],
        result: str,
        others: list[Function],
        pick: random.Random,
        vectors: tuple[str, ...],
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.result = result
        self.others = others
        self.pick = pick
        self.lines: list[str] = []
        self.vectors = vectors
        self.statements_made = STATEMENTS + VECTOR_STATEMENTS if vectors else STATEMENTS
        self.names: dict[str, list[str]] = {
            type: [f"%{type}_{n}" for n in range(pick.randrange(1, 4))] for type in (*TYPES, *vectors)
        }
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
        self._infix(self.pick.choice(TYPES[:-1]) if self.pick.random() < 0.95 else "bool")

    def _infix(self, of: str) -> None:
        pick, type = self.pick, lane_of(of)
        op = pick.choice(INFIX[:3] + INFIX[8:9] if type in FLOATS else INFIX[3:6] if type == "bool" else INFIX)
        left, right = self.operand(of), self.operand(of)
        if op in "/%" and of in VECTORS and type in INTEGERS:
            self.say(f"{of} {(ones := '%' + self.fresh())} <- splat 1")
            self.say(f"{of} {(odd := '%' + self.fresh())} <- {self.variable(of)} | {ones}")
            right = odd if pick.random() < 0.95 else right
        elif op in "/%" and type in INTEGERS:
            if pick.random() < 0.6:
                right = literal(type, pick)
            elif pick.random() < 0.95:
                right = self._odd(type, right)
            if right == "0":
                right = "3"
        self.define(of, f"{left} {op} {right}")

    def _odd(self, type: str, value: str) -> str:
        self.say(f"{type} {(name := '%' + self.fresh())} <- {value} | 1")
        return name

    def comparison(self) -> None:
        type = self.pick.choice(TYPES)
        self.define("bool", f"{self.variable(type)} {self.pick.choice(COMPARISONS)}.{type} {self.operand(type)}")

    def unary(self) -> None:
        type = self.pick.choice(TYPES[:-1])
        self.define(type, f"{self.pick.choice(UNARY_FLOAT if type in FLOATS else UNARY)} {self.variable(type)}")

    def binary(self) -> None:
        self._binary(self.pick.choice(TYPES[:-1]))

    def _binary(self, type: str) -> None:
        is_float = lane_of(type) in FLOATS
        if is_float and self.pick.random() < 0.4:
            self.define(type, f"fma {self.variable(type)}, {self.operand(type)}, {self.operand(type)}")
        else:
            op = self.pick.choice(BINARY_FLOAT if is_float else BINARY)
            self.define(type, f"{op} {self.operand(type)}, {self.operand(type)}")

    def checked_convert(self) -> None:
        to, source = self.pick.choice(INTEGERS), self.pick.choice(TYPES[:-1])
        self.say(f"{source} {(name := '%' + self.fresh())} <- {self.operand(source)}")
        if self.pick.random() < 0.9:  # a number that fits
            low = f"{source} 100.5" if source in FLOATS else f"{source} 100"
            self.say(f"{source} {(small := '%' + self.fresh())} <- {'fmin' if source in FLOATS else 'min'} {name}, {low}")
            if source[0] != "u":
                zero = f"{source} -0.5" if source in FLOATS else f"{source} 0"
                self.say(f"{source} {(name := '%' + self.fresh())} <- {'fmax' if source in FLOATS else 'max'} {small}, {zero}")
            else:
                name = small
            if source in FLOATS:
                self._check_number(to, source, name)
                return
        self.say(f"check-convert {name} {to}")
        self.define(to, f"convert {name}")

    def _check_number(self, to: str, source: str, name: str) -> None:
        """A checked conversion of what is 0 where it was a NaN."""
        self.say(f"bool {(there := '%' + self.fresh())} <- {name} = {name}")
        self.say(f"{source} {(number := '%' + self.fresh())} <- select {there}, {name}, {source} 0.0")
        self.say(f"check-convert {number} {to}")
        self.define(to, f"convert {number}")

    # Vectors

    def vector(self) -> str:
        return self.pick.choice(self.vectors)

    def vector_infix(self) -> None:
        self._infix(self.vector())

    def vector_unary(self) -> None:
        type = self.vector()
        self.define(type, f"{self.pick.choice(UNARY_FLOAT if lane_of(type) in FLOATS else UNARY)} {self.variable(type)}")

    def vector_binary(self) -> None:
        self._binary(self.vector())

    def vector_select(self) -> None:
        type = self.vector()
        choice = self.variable("bool")
        if self.pick.random() < 0.8:
            mask = mask_of(type)
            choice = "%" + self.fresh()
            compare = f"{self.variable(type)} {self.pick.choice(COMPARISONS)}.{type} {self.operand(type)}"
            source = self.variable(mask) if mask in self.vectors and self.pick.random() < 0.3 else compare
            self.say(f"{mask} {choice} <- {source}")
            if mask in self.vectors:
                self.define(mask, choice)
        self.define(type, f"select {choice}, {self.operand(type)}, {self.operand(type)}")

    def lanes(self) -> None:
        """To and from the lanes of a vector."""
        pick, type = self.pick, self.vector()
        lane, lanes = VECTORS[type]
        what = pick.randrange(6)
        if what == 0:
            self.define(type, f"splat {self.operand(lane)}")
        elif what == 1:
            self.define(lane, f"extract {self.variable(type)}, {pick.randrange(lanes)}")
        elif what == 2:
            self.define(type, f"insert {self.variable(type)}, {pick.randrange(lanes)}, {self.operand(lane)}")
        elif what == 3:
            to = pick.choice([other for other in self.vectors if VECTORS[other][0] == lane])
            wanted = [pick.randrange(2 * lanes) for _ in range(VECTORS[to][1])]
            if pick.random() < 0.3:  # what processors have instructions for
                start, step = pick.choice(((0, 1), (lanes // 2, 1), (lanes - 1, -1), (0, 2), (1, 2), (lanes, 1), (0, 0)))
                wanted = [(start + step * n) % (2 * lanes) for n in range(len(wanted))]
            source, other = self.variable(type), self.variable(type)
            self.define(to, f"shuffle {source}, {other}, ({', '.join(map(str, wanted))})")
        elif what == 4:
            self.define("u64", f"sign-bits {self.variable(type)}")
        else:
            self.define(lane, f"{pick.choice(REDUCTIONS_FLOAT if lane in FLOATS else REDUCTIONS)} {self.variable(type)}")

    def vector_convert(self) -> None:
        to = self.vector()
        sources = [type for type in self.vectors if VECTORS[type][1] == VECTORS[to][1]]
        alike = [type for type in (*self.vectors, *BITS) if bits_of(type) == bits_of(to) and type != to]
        if alike and self.pick.random() < 0.4:
            self.define(to, f"bitcast {self.variable(self.pick.choice(alike))}")
        else:
            self.define(to, f"convert {self.variable(self.pick.choice(sources))}")

    def vector_memory(self) -> None:
        self._memory(self.vector())

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
        self._memory(self.pick.choice(TYPES[:-1]))

    def _memory(self, type: str) -> None:
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
        self.show_variable(self.pick.choice((*TYPES, *self.vectors)))

    def show_variable(self, type: str, name: str = "") -> None:
        """Print a variable's bits, NaNs all alike."""
        name = name or self.variable(type)
        if type in VECTORS:
            lanes = bits_of(type) // 64
            to = f"u64x{lanes}" if lanes > 1 else "u64"
            if type != to:
                self.say(f"{to} {(word := '%' + self.fresh())} <- bitcast {name}")
                name = word
            for lane in range(lanes):
                if lanes > 1:
                    self.say(f"u64 {(word := '%' + self.fresh())} <- extract {name}, {lane}")
                self.say(f"call @show({word})")
            return
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
            self.pick.choice(self.statements_made)(self)

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
        self.say(f"ptr %object <- call allocate({2 * (BYTES + 256 + WIDEST) // 8 + 1}, 1)")
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
    + [Function.loop, Function.show, Function.call, Function.checked_convert]
    + [Function.binary] * 2
)
VECTOR_STATEMENTS = (
    [Function.vector_infix, Function.lanes] * 5
    + [Function.vector_binary, Function.vector_memory, Function.vector_convert] * 3
    + [Function.vector_select, Function.vector_unary] * 2
)


def program(number: int, vectors: bool = True) -> str:
    """Random program `number`, half of all with vectors; the same on every run."""
    pick = random.Random(f"ir {number}")
    types: list[str] = []
    if vectors and pick.random() < 0.5:
        lane, lanes = VECTORS[pick.choice(list(VECTORS))]
        near = [type for type, its in VECTORS.items() if its[0] == lane or its[1] == lanes]
        types = [f"{lane}x{lanes}", *pick.sample(near, 2), pick.choice(list(VECTORS))]
    kinds = tuple(dict.fromkeys(types))
    functions: list[Function] = []
    texts = []
    for at in range(pick.randrange(0, 4)):
        parameters = [pick.choice((*TYPES, *kinds)) for _ in range(pick.choice((0, 1, 2, 4, 7, 12)))]
        parameters = _without_late_vectors(parameters)
        function = Function(f"f{at}", parameters, pick.choice((*TYPES, "void", *kinds)), list(functions), pick, kinds)
        texts.append(function.text())
        functions.append(function)
    return "".join([HEAD, *texts, Function("main", [], "void", functions, pick, kinds).text()])


def _without_late_vectors(parameters: list[str]) -> list[str]:
    """`parameters` without vectors that come after eight floats and vectors."""
    kept: list[str] = []
    for type in parameters:
        if type not in VECTORS or sum(other in FLOATS or other in VECTORS for other in kept) < 8:
            kept.append(type)
    return kept


if __name__ == "__main__":
    scalar = "--scalar" in sys.argv
    arguments = [word for word in sys.argv[1:] if word != "--scalar"]
    sys.exit(report(lambda number: program(number, not scalar), "ir", arguments))
