"""Random L3 programs, for tests that compare two ways to run them."""

from __future__ import annotations

from random import Random

from septet.base.literals import spell
from septet.base.types import BOOL, F32, F64, I8, I16, I32, I64, INT64, PTR, U8, U16, U32, U64, Type
from septet.ops import table as ops

INTEGERS = [I8, I16, I32, I64, U8, U16, U32, U64, INT64, PTR, BOOL]
FLOATS = [F32, F64]
TYPES = INTEGERS + FLOATS
BINARY = [ops.ADD, ops.SUB, ops.MUL, ops.AND, ops.OR, ops.XOR, ops.SHL, ops.SHR, ops.DIV, ops.REM, ops.MUL_HIGH]
COMPARISONS = [ops.EQ, ops.NE, ops.LT, ops.LE, ops.GT, ops.GE]
FLOAT_PATTERNS = [
    0, 1 << 63, 0x3FF0000000000000, 0xBFF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000,
    0x43E0000000000000, 0x43F0000000000000, 0xC3E0000000000000, 0x41EFFFFFFFF00000, 0x4059000000000000, 1, 0x7FEFFFFFFFFFFFFF,
    0xFFF8000000000001, 0x43DFFFFFFFFFFFFF, 0x40DFFFF000000000, 0x40E0000000000000,
]  # fmt: skip


class Writer:
    """Writes one program: straight lines of operations on every type, with loads, stores, branches and calls among them."""

    def __init__(self, seed: int, length: int = 40) -> None:
        self.random = Random(seed)
        self.lines: list[str] = []
        self.known: dict[Type, list[str]] = {kind: [] for kind in TYPES}
        self.unused: dict[Type, list[str]] = {kind: [] for kind in TYPES}
        self.count = 0
        self.length = length

    def program(self) -> str:
        """The text of the program."""
        self.lines += ["%m <- call allocate(41, 1)"]
        for kind in TYPES:
            self.define(kind, self.number(kind))
        for _ in range(self.length):
            self.random.choice(
                [
                    self.binary,
                    self.binary,
                    self.binary,
                    self.unary,
                    self.compare,
                    self.convert,
                    self.select,
                    self.load,
                    self.store,
                ]
                + [self.update, self.branch, self.call, self.bitcast]
            )()
        for kind in TYPES:
            for name in self.known[kind]:
                self.show(kind, name)
        body = "\n".join("  " + line for line in self.lines)
        return f"define @main () {{\n{body}\n  return\n}}\n" + "\n".join(self.identity(kind) for kind in TYPES)

    def identity(self, kind: Type) -> str:
        """A function that gives back one of many parameters."""
        return f"define {kind} @id_{kind} ({kind} %a, f64 %b, i64 %c, {kind} %d) {{\n  return %d\n}}\n"

    # Operands

    def number(self, kind: Type) -> str:
        """A constant."""
        r = self.random
        if kind.is_float:
            pattern = r.choice(FLOAT_PATTERNS) if r.random() < 0.7 else r.getrandbits(64)
            return spell(pattern if kind is F64 else _single(pattern), kind)
        choices = [kind.low, kind.high, 0, 1, kind.high >> 1, r.randint(0, 9), r.randint(kind.low, kind.high), 8]
        return str(kind.wrap(r.choice(choices)))

    def operand(self, kind: Type, constants: float = 0.2) -> str:
        """A constant or a variable, more likely one that has not been used."""
        r = self.random
        if r.random() < constants:
            return self.number(kind)
        if self.unused[kind] and r.random() < 0.7:
            return self.unused[kind].pop()
        return r.choice(self.known[kind])

    def define(self, kind: Type, text: str) -> str:
        """A definition, of a new variable or now and then of one there is already."""
        if self.known[kind] and self.random.random() < 0.15:
            name = self.random.choice(self.known[kind])
            if name in self.unused[kind]:
                self.unused[kind].remove(name)
        else:
            name = f"%v{self.count}"
            self.count += 1
            self.known[kind].append(name)
        self.lines.append(f"{kind} {name} <- {text}")
        if name not in self.unused[kind]:
            self.unused[kind].append(name)
        return name

    # Instructions

    def binary(self) -> None:
        r = self.random
        kind = r.choice(TYPES)
        if kind.is_float:
            self.define(kind, f"{self.operand(kind)} {r.choice('+-*/')} {self.operand(kind)}")
            return
        op = r.choice(BINARY)
        right = self.operand(kind, 0.4)
        if op.traps:
            if right[0] == "%":
                right = self.define(kind, f"{right} |.{kind} 1")
            elif right == "0":
                right = "1"
        left = self.operand(kind)
        self.define(kind, f"{left} {op.symbol} {right}" if op.symbol else f"{op.name} {left}, {right}")

    def unary(self) -> None:
        r = self.random
        kind = r.choice(TYPES)
        op = r.choice(["neg", "abs", "sqrt", "copy"] if kind.is_float else ["neg", "not", "tag", "untag", "copy"])
        self.define(kind, f"{op} {self.operand(kind)}")

    def compare(self) -> None:
        kind = self.random.choice(TYPES)
        self.define(self.random.choice([BOOL, BOOL, BOOL, I64, I32]), self.comparison(kind))

    def comparison(self, kind: Type) -> str:
        """The right side of a definition that compares."""
        op = self.random.choice(COMPARISONS)
        return f"{self.operand(kind)} {op.symbol}.{kind} {self.operand(kind)}"

    def convert(self) -> None:
        source, target = self.random.choice(TYPES), self.random.choice(TYPES)
        self.define(target, f"convert.{source} {self.operand(source)}")

    def bitcast(self) -> None:
        source = self.random.choice(TYPES)
        target = self.random.choice([kind for kind in TYPES if kind.bits == source.bits])
        self.define(target, f"bitcast {self.operand(source, 0)}")

    def select(self) -> None:
        kind = self.random.choice(TYPES)
        if self.random.random() < 0.5:
            self.define(BOOL, self.comparison(self.random.choice(TYPES)))
        self.define(kind, f"select {self.operand(BOOL)}, {self.operand(kind)}, {self.operand(kind)}")

    def address(self) -> str:
        """A base and an offset inside the object that %m is."""
        r = self.random
        form = r.randrange(6)
        offset = f" + {r.randrange(0, 5) * 8}"
        if form == 0:
            return "%m" + offset
        index = self.define(I64, f"{self.operand(I64)} & 7")
        self.unused[I64].remove(index)
        scaled = self.temporary(f"{index} << 3" if form & 1 else f"{index} * 8" if form & 2 else f"8 * {index}")
        base = self.temporary(f"%m + {r.randrange(0, 5) * 8}") if form > 3 else "%m"
        return self.temporary(r.choice([f"{base} + {scaled}", f"{scaled} + {base}"])) + offset

    def temporary(self, text: str) -> str:
        """A variable that is used once."""
        name = f"%v{self.count}"
        self.count += 1
        self.lines.append(f"i64 {name} <- {text}")
        return name

    def load(self) -> None:
        kind = self.random.choice(TYPES)
        address = self.address()
        self.define(kind, f"load {address}")

    def store(self) -> None:
        kind = self.random.choice(TYPES)
        address = self.address()
        self.lines.append(f"store.{kind} {address} <- {self.operand(kind)}")

    def update(self) -> None:
        kind = self.random.choice([kind for kind in INTEGERS if kind is not BOOL])
        address = self.address()
        loaded = f"%v{self.count}"
        changed = f"%v{self.count + 1}"
        self.count += 2
        sides = [loaded, self.operand(kind)]
        self.random.shuffle(sides)
        self.lines.append(f"{kind} {loaded} <- load {address}")
        self.lines.append(f"{kind} {changed} <- {sides[0]} {self.random.choice('+-&|^')} {sides[1]}")
        self.lines.append(f"store.{kind} {address} <- {changed}")

    def branch(self) -> None:
        r = self.random
        label = f":l{self.count}"
        self.count += 1
        condition = self.define(BOOL, self.comparison(r.choice(TYPES)))
        self.unused[BOOL].remove(condition)
        if r.random() < 0.5:
            self.lines.append(f"br {condition} {label}")
        else:
            self.lines += [f"br {condition} {label}_then", f"br {label}", f"{label}_then"]
        known = {kind: list(names) for kind, names in self.known.items()}
        self.binary()
        self.known = known
        self.unused = {kind: [] for kind in TYPES}
        self.lines.append(label)

    def call(self) -> None:
        kind = self.random.choice(TYPES)
        args = [self.operand(kind, 0) if kind.is_float else self.operand(kind), self.operand(F64, 0), self.operand(I64)]
        self.define(kind, f"call @id_{kind}({', '.join([*args, self.operand(kind, 0)])})")

    def show(self, kind: Type, name: str) -> None:
        """Print all bits of a variable."""
        self.count += 1
        self.lines += shown(kind, name, f"s{self.count}")


def shown(kind: Type, name: str, stem: str) -> list[str]:
    """Lines that print all bits of a variable; their variables' names begin with `stem`."""
    lines = []
    if kind.lanes > 1:
        words = [f"%{stem}_word{number}" for number in range(kind.bits // 64)]
        if len(words) == 1:
            lines.append(f"u64 {words[0]} <- bitcast {name}")
        else:
            lines.append(f"u64x{len(words)} %{stem}_words <- bitcast {name}")
            lines += [f"u64 {word} <- extract %{stem}_words, {number}" for number, word in enumerate(words)]
        for number, word in enumerate(words):
            lines += shown(U64, word, f"{stem}_{number}")
        return lines
    if kind.is_float:
        bits = U64 if kind is F64 else U32
        lines.append(f"{bits} %{stem}_bits <- bitcast {name}")
        name = f"%{stem}_bits"
    lines.append(f"i64 %{stem}_word <- convert {name}")
    for part, text in (("high", ">> 32"), ("low", "& 4294967295")):
        lines.append(f"i64 %{stem}_{part} <- %{stem}_word {text}")
        lines.append(f"%{stem}_{part}_tagged <- tag %{stem}_{part}")
        lines.append(f"call print(%{stem}_{part}_tagged)")
    return lines


def _single(pattern: int) -> int:
    """The pattern of an f32 with something of the f64 `pattern`'s character."""
    exponent = (pattern >> 52 & 0x7FF) - 1023 + 127
    exponent = 255 if pattern >> 52 & 0x7FF == 0x7FF else max(0, min(254, exponent))
    return (pattern >> 63) << 31 | exponent << 23 | (pattern >> 29 & 0x7FFFFF)
