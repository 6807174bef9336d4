"""L3 programs that do everything there is with vectors of one type, and print all bits of what comes out."""

from __future__ import annotations

from random import Random

from l3_programs import FLOAT_PATTERNS, _single

from septet.base.types import F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, Type, truth, vector

ELEMENTS = [I8, U8, I16, U16, I32, U32, I64, U64, F32, F64]
SIZES = (64, 128, 256, 512)
TYPES = [vector(element, size // element.bits) for element in ELEMENTS for size in SIZES if 2 <= size // element.bits <= 64]

INTEGER_BINARY = [
    "+", "-", "*", "&", "|", "^", "<<", ">>", "min", "max", "mul-high", "rotate-left", "rotate-right",
    "=", "!=", "<", "<=", ">", ">=",
]  # fmt: skip
INTEGER_UNARY = ["not", "neg", "iabs", "popcount", "count-trailing-zeros", "count-leading-zeros", "byte-swap", "tag", "untag"]
FLOAT_BINARY = ["+", "-", "*", "/", "fmin", "fmax", "copysign", "=", "!=", "<", "<=", ">", ">="]
FLOAT_UNARY = ["neg", "abs", "sqrt", "floor", "ceil", "trunc", "nearest"]
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
REDUCTIONS = ["reduce-add", "reduce-mul", "reduce-min", "reduce-max"]
SHOW = """define @show (u64 %x) {
  u64 %h <- %x >> 32
  int64 %h2 <- tag %h
  call print(%h2)
  u64 %l <- %x & 4294967295
  int64 %l2 <- tag %l
  call print(%l2)
  return
}
"""


class Program:
    """Writes one program: a function of three vectors in memory, and a main that stores them and calls it."""

    def __init__(self, kind: Type, seed: int = 0, fused: bool = False) -> None:
        self.kind = kind
        self.random = Random(f"{kind}{seed}")
        self.lines: list[str] = []
        self.count = 0
        self.fused = fused

    def text(self) -> str:
        """The program."""
        for number in range(3):
            for word, value in enumerate(self.words()):
                self.lines.append(f"store.u64 %m + {64 * number + 8 * word + 8} <- {value}")
        for number, name in enumerate(("%a", "%b", "%c")):
            self.lines.append(f"{self.kind} {name} <- load %m + {64 * number + 8}")
        (self.floats if self.kind.element.is_float else self.integers)()
        self.lanes()
        self.conversions()
        self.memory()
        body = "\n".join("  " + line for line in self.lines)
        kind = self.kind
        calls = f"define {kind} @second ({kind} %x, i64 %n, {kind} %y, f64 %f, {kind} %z) {{\n  return %y\n}}\n"
        return f"define @main () {{\n  ptr %m <- call allocate(81, 1)\n{body}\n  return\n}}\n{calls}{SHOW}"

    def ir(self) -> str:
        """The program in IR, which wants every block to have a label and an end."""
        text = self.text().replace("{\n", "{\n:entry\n").replace("br %go :again\n", "br %go :again :done\n:done\n")
        text = text.replace("  :again\n", "  br :again\n:again\n")
        return text.replace("define @", "define int64 @")

    def words(self) -> list[int]:
        """The bits of one operand."""
        r, element = self.random, self.kind.element
        value = 0
        for lane in range(self.kind.lanes):
            if element is F64:
                bits = r.choice(FLOAT_PATTERNS + [0x4002000000000000, 0xC0080000F0000000, 0xBFE0000000000000] * 4)
            elif element is F32:
                bits = r.choice([*map(_single, FLOAT_PATTERNS), *[0x40200000, 0xC0600000, 0xBF000000, 0x3EAAAAAB] * 3])
            else:
                bits = r.choice([0, 1, element.high, element.low, r.getrandbits(element.bits), 7, -1, 3])
            value |= (bits & (1 << element.bits) - 1) << element.bits * lane
        return [value >> 64 * n & (1 << 64) - 1 for n in range(self.kind.bits // 64)]

    def define(self, kind: Type, text: str) -> str:
        """A new variable, whose bits are printed."""
        name = f"%v{self.count}"
        self.count += 1
        self.lines.append(f"{kind} {name} <- {text}")
        self.show(kind, name)
        return name

    def show(self, kind: Type, name: str) -> None:
        """Print all bits of a variable."""
        stem = f"%s{self.count}"
        self.count += 1
        if kind.lanes == 1:
            if kind.is_float:
                self.lines.append(f"{'u64' if kind is F64 else 'u32'} {stem}b <- bitcast {name}")
                name = f"{stem}b"
            self.lines += [f"u64 {stem} <- convert {name}", f"call @show({stem})"]
            return
        if kind.bits == 64:
            self.lines += [f"u64 {stem} <- bitcast {name}", f"call @show({stem})"]
            return
        self.lines.append(f"u64x{kind.bits // 64} {stem} <- bitcast {name}")
        for lane in range(kind.bits // 64):
            self.lines += [f"u64 {stem}_{lane} <- extract {stem}, {lane}", f"call @show({stem}_{lane})"]

    def binary(self, ops: list[str]) -> None:
        """Operations on two vectors, and on one and a constant."""
        for op in ops:
            made = truth(self.kind) if op in COMPARISONS else self.kind
            for right in ("%b", "{" + ", ".join([self.constant()] * self.kind.lanes) + "}"):
                self.define(made, f"{op} %a, {right}" if op[0].isalpha() else f"%a {op}.{self.kind} {right}")

    def constant(self) -> str:
        """A constant for a lane."""
        return "1.5" if self.kind.element.is_float else "3"

    def integers(self) -> None:
        kind = self.kind
        self.binary(INTEGER_BINARY)
        for op in INTEGER_UNARY:
            self.define(kind, f"{op} %a")
        self.lines.append(f"{kind} %odd <- %b | {{{', '.join(['1'] * kind.lanes)}}}")
        for op in "/%":
            self.define(kind, f"%c {op} %odd")
        for op in [*REDUCTIONS, "reduce-and", "reduce-or", "reduce-xor"]:
            self.define(kind.element, f"{op} %a")
        self.define(kind, "%a & %c")
        self.lines.append(f"{kind} %nb <- not %b")
        self.define(kind, "%nb & %c")

    def floats(self) -> None:
        self.binary(FLOAT_BINARY)
        for op in FLOAT_UNARY:
            self.define(self.kind, f"{op} %a")
        for op in REDUCTIONS:
            self.define(self.kind.element, f"f{op} %b")
        if self.fused:
            self.lines.append(f"{self.kind} %na <- neg %c")
            for text in ("fma %c, %c, %c", "fma %c, %na, %c", "fma %c, %c, %na"):
                self.define(self.kind, text)

    def lanes(self) -> None:
        """What moves lanes."""
        kind, r = self.kind, self.random
        mask = truth(kind)
        self.lines.append(f"{mask} %mask <- %a <.{kind} %b")
        self.define(kind, "select %mask, %b, %c")
        self.lines.append(f"{mask} %mask2 <- %b >=.{kind} %c")
        self.lines.append(f"{mask} %mask3 <- not %mask2")
        self.define(kind, "select %mask3, %a, %c")
        self.define(U64, "sign-bits %c")
        for number in (0, 1):
            self.lines.append(f"bool %choice{number} <- %m {'!='[number:]}.ptr 0")
            self.define(kind, f"select %choice{number}, %a, %b")
        last = kind.lanes - 1
        for lane in sorted({0, 1, last, last // 2, r.randrange(kind.lanes)}):
            name = self.define(kind.element, f"extract %a, {lane}")
            self.define(kind, f"insert %b, {last - lane}, {name}")
        self.define(kind, f"splat {name}")
        for lanes in (2, 4, 8, 16, 32, 64):
            if 64 <= lanes * kind.element.bits <= 512:
                made = vector(kind.element, lanes)
                for wanted in self.orders(lanes):
                    self.define(made, f"shuffle %a, %b, ({', '.join(map(str, wanted))})")
                self.define(made, f"shuffle %c, %c, ({', '.join([str(r.randrange(kind.lanes)) for _ in range(lanes)])})")

    def orders(self, lanes: int) -> list[list[int]]:
        """Lanes to shuffle to."""
        n, r = self.kind.lanes, self.random
        return [
            [r.randrange(2 * n) for _ in range(lanes)],
            [k % (2 * n) for k in range(lanes)],
            [(n - 1 - k) % n for k in range(lanes)],
            [k % n + n * (k % 2) for k in range(lanes)],
            [k // 2 % n + n * (k % 2) for k in range(lanes)],
            [(n // 2 + k) % (2 * n) for k in range(lanes)],
            [(k + 1) % (2 * n) for k in range(lanes)],
            [0] * lanes,
            [k * 2 % (2 * n) for k in range(lanes)],
        ]

    def conversions(self) -> None:
        kind = self.kind
        for element in ELEMENTS:
            if 64 <= element.bits * kind.lanes <= 512:
                self.define(vector(element, kind.lanes), "convert %a")
                self.define(vector(element, kind.lanes), "convert %c")
        for element in (I32, F64, U8):
            if kind.bits // element.bits > 1:
                self.define(vector(element, kind.bits // element.bits), "bitcast %c")

    def memory(self) -> None:
        """Loads that operations take in, stores, calls, and a loop."""
        kind = self.kind
        self.lines.append(f"{kind} %mem <- load %m + 24")
        self.define(kind, f"%b {'+' if not kind.element.is_float else '*'} %mem")
        self.lines.append(f"{kind} %mem2 <- load %m + 40")
        self.define(kind, "%mem2 - %c")
        self.lines.append(f"store.{kind} %m + 208 <- %c")
        self.lines.append(f"{kind} %again <- load %m + 208")
        self.show(kind, "%again")
        self.lines.append(f"{kind.element} %one <- load %m + 16")
        self.define(kind, "splat %one")
        self.lines.append("f64 %half <- 0.5")
        self.define(kind, "call @second(%a, 5, %c, %half, %b)")
        self.lines += ["i64 %i <- 0", f"{kind} %x <- %a", ":again", f"{kind} %x <- %x + %b", "i64 %i <- %i + 1"]
        self.lines += ["bool %go <- %i < 3", "br %go :again"]
        self.show(kind, "%x")
