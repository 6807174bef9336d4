"""Random L2 programs with more variables alive than there are registers: words, floats and vectors of 16, 32 and 64 bytes,
loops, branches, calls, early returns, fixed registers and two-address instructions.

    python tests/random_pressure.py FIRST COUNT [0]    checks as many programs, from that seed on; 0: not natively
"""

from __future__ import annotations

import random
import sys
from contextlib import suppress
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from septet.base.options import Options
from septet.base.source import Source
from septet.l1 import interpret as l1_interpret
from septet.l2 import interpret, lower, text
from septet.l2.allocate.check import check
from septet.link.jit import Loaded
from septet.program import Program
from septet.runtime.model import Exit, Inconclusive, Runtime
from septet.x86 import targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

LEVELS = (0, 1, 2, 3)
STEPS = 300_000
ROOM = 2048  # bytes that a program may use at %p + 8
WORDS = [
    "{w} <- {u}", "{w} += {t}", "{w} -= {t}", "{w} *= {w}", "{w} &= {t}", "{w} <<= {w}", "{w} >>= 3", "{w}++",
    "{w} <- {t} < {t}", "{w} <- {w} >=u {t}", "{w} @ {w} {w} 4", "lea {w}, mem {w} {w}*2 12", "imul {w}, {w}, 7",
    "xchg {w}, {w}", "add32 {w}, {w}", "movzx8 {w}, {w}", "movsx32 {w}, {w}", "neg {w}", "shl32 {w}, 3", "shr {w}, {w}",
    "cmp {w}, {w}\ncmovl {w}, {w}\ncmp {w}, {w}\ncmovge {w}, {w}", "cmp {w}, {w}\nsetl %bit\nmovzx8 {w}, %bit",
    "{w} <- mem %p {m}", "mem %p {m} <- {w}", "{w} += mem %p {m}", "mem %p {m} -= {w}",
    "%i <- {w}\n%i &= 7\nmem %p %i*8 8 <- {w}\nadd {w}, mem %p %i*8 16\nsub mem %p %i*8 8, {w}",
    "rax <- {w}\ncqo\n%d <- {w}\n%d &= 255\n%d += 2\nidiv %d\n{w} <- rax\n{w} <- rdx",
    "rax <- {w}\nmul {w}\n{w} <- rdx\n{w} <- rax", "rcx <- {w}\nrcx &= 31\nrol {w}, rcx",
    "rdi <- {w}\nrsi <- {w}\ncall @f (rdi, rsi)\n{w} <- rax", "rdi <- {w}\ncall @g (rdi)\n{w} <- rax",
    "cjump {w} <= {t} :a{n}\n{w} += {t}\nrdi <- {w}\ncall @g (rdi)\n{w} <- rax\n:a{n}",
    "cjump {w} = {t} :b{n}\n{w} *= {w}\n{w} -= {w}\n:b{n}", "%e <- {w}\n%e &= 1\ncjump %e > 1 :never",
]  # fmt: skip
FLOATS = [
    "addsd {f}, {f}", "mulsd {f}, {f}", "subsd {f}, mem %p {m}", "movaps {f}, {f}", "movqr {w}, {f}", "cvtsi2sd {f}, {w}",
    "movsd {f}, mem %p {m}", "movsd mem %p {m}, {f}", "ucomisd {f}, {f}\nsetb %bit\nmovzx8 {w}, %bit",
    "movaps xmm0, {f}\nmovaps xmm1, {f}\ncall @h (xmm0, xmm1)\nmovaps {f}, xmm0", "movsd {f}, pool 8 0x3ff8000000000000",
]  # fmt: skip
VECTORS = [
    "paddq {x}, {x}", "pxor {x}, {x}", "psubd {x}, {x}", "movaps {x}, {x}", "movups {x}, mem %p {m}", "movups mem %p {m}, {x}",
    "pshufd {x}, {x}, 27", "movq {x}, {w}\npunpcklqdq {x}, {x}", "movqr {w}, {x}",
    "movups {x}, pool 16 0x102030405060708090a0b0c0d0e0f10",
]  # fmt: skip
AVX_FLOATS = [
    "vaddsd {f}, {f}, {f}", "vmulsd {f}, {f}, {f}", "vsubsd {f}, {f}, mem %p {m}", "vmovaps {f}, {f}", "vmovqr {w}, {f}",
    "vcvtsi2sd {f}, {f}, {w}", "vmovsd {f}, mem %p {m}", "vmovsd mem %p {m}, {f}", "vfmadd231sd {f}, {f}, {f}",
    "vmovaps xmm0, {f}\nvmovaps xmm1, {f}\ncall @h (xmm0, xmm1)\nvmovaps {f}, xmm0", "vmovsd {f}, pool 8 0x3ff8000000000000",
]  # fmt: skip
AVX_VECTORS = [
    "vpaddq{s} {x}, {x}, {x}", "vpsubd{s} {x}, {x}, mem %p {m}", "vmovaps{s} {x}, {x}", "vmovups{s} {x}, mem %p {m}",
    "vmovups{s} mem %p {m}, {x}", "vmovqr {w}, {x}",
]  # fmt: skip
BITWISE = {"": "vpxor {x}, {x}, {x}", "256": "vpxor256 {x}, {x}, {x}", "512": "vpxorq512 {x}, {x}, {x}"}
SIZES = {"x": 16, "y": 32, "z": 64}


class Generator:
    """Makes one program."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.target = self.rng.choice(["x86-64-v1", "x86-64-v1", "x86-64-v3", "x86-64-v4"])
        self.avx = self.target != "x86-64-v1"
        count = self.rng.choice([3, 8, 14, 20, 40])
        self.names = {"w": [f"%w{i}" for i in range(count)], "f": [f"%f{i}" for i in range(self.rng.choice([0, 2, count]))]}
        kinds = {"x86-64-v1": "x", "x86-64-v3": "xy", "x86-64-v4": "xyz"}[self.target]
        for kind in kinds:
            self.names[kind] = [f"%{kind}{i}" for i in range(self.rng.choice([0, 0, 3, 20]))]
        self.lines: list[str] = []
        self.serial = 0
        self.templates = WORDS * 2 + ((AVX_FLOATS if self.avx else FLOATS) if self.names["f"] else [])
        for kind in kinds:
            if self.names[kind]:
                self.templates = self.templates + self._vectors(kind)

    def _vectors(self, kind: str) -> list[str]:
        suffix = {"x": "", "y": "256", "z": "512"}[kind]
        rows = [*AVX_VECTORS, BITWISE[suffix]] if self.avx else VECTORS
        return [row.replace("{s}", suffix).replace("{x}", "{" + kind + "}") for row in rows]

    def fill(self, template: str) -> str:
        """A statement with random names in the places of `{w}`, `{f}`, ..., words or numbers of `{t}`, wide ones of `{u}`."""
        self.serial += 1
        rng = self.rng
        while "{" in template:
            start = template.index("{")
            kind = template[start + 1]
            if kind == "n":
                text = str(self.serial)
            elif kind == "m":
                text = str(rng.randrange(8, ROOM - 64, 8))
            elif kind in "tu":
                numbers = [0, 1, -1, rng.getrandbits(31), -rng.getrandbits(31), rng.getrandbits(62 if kind == "u" else 8)]
                text = str(rng.choice([*self.names["w"], *numbers]))
            else:
                text = rng.choice(self.names[kind])
            template = template.replace("{" + kind + "}", text, -1 if kind == "n" else 1)
        return template

    def block(self, length: int, depth: int) -> None:
        """Statements, with loops of a few rounds in them."""
        for _ in range(length):
            if self.rng.random() < 0.06 and depth < 3:
                self.serial += 1
                counter, label = f"%c{self.serial}", f":loop{self.serial}"
                self.lines.append(f"{counter} <- 0\n{label}")
                self.block(self.rng.randrange(1, 8), depth + 1)
                self.lines.append(f"{counter}++\ncjump {counter} < 3 {label}")
            else:
                self.lines.append(self.fill(self.rng.choice(self.templates)))

    def program(self) -> str:
        """The text."""
        words, floats = self.names["w"], self.names["f"]
        move = "vmovups" if self.avx else "movups"
        lines = self.lines
        lines.append(f"rdi <- {2 * (ROOM // 8) + 1}\nrsi <- 7\ncall allocate 2\n%p <- rax")
        lines += [
            f"{name} <- {self.rng.choice([i, -i, self.rng.getrandbits(62)])}\n{name} += mem %p 16"
            for i, name in enumerate(words)
        ]
        for name in floats:
            zero = f"vmovsd {name}, pool 8 0x0\nvcvtsi2sd {name}, {name}, " if self.avx else f"cvtsi2sd {name}, "
            lines.append(zero + self.rng.choice(words))
        for kind, size in SIZES.items():
            suffix = {16: "", 32: "256", 64: "512"}[size]
            for name in self.names.get(kind, []):
                lines.append(f"mem %p 24 <- {self.rng.choice(words)}\n{move}{suffix} {name}, mem %p 8")
        self.block(self.rng.choice([10, 40, 120]), 0)
        lines.append(f"%s <- {words[0]}")
        lines += [f"%s *= 31\n%s += {name}" for name in words]
        lines += [f"{'vmovqr' if self.avx else 'movqr'} %q, {name}\n%s *= 7\n%s += %q" for name in floats]
        for kind, size in SIZES.items():
            suffix = {16: "", 32: "256", 64: "512"}[size]
            for name in self.names.get(kind, []):
                lines.append(f"{move}{suffix} mem %p 8, {name}")
                lines += [f"%s *= 31\n%s += mem %p {8 + at}" for at in range(0, size, 8)]
        lines += [f"%s *= 31\n%s += mem %p {at}" for at in range(8, ROOM, 200)]
        lines.append("rdi <- %s\nrdi <<= 1\nrdi += 1\ncall print 1\nreturn")
        lines.append(":never\nrdi <- 3\nrsi <- 5\nrdx <- %e\ncall tensor-error 3")
        return "(@main\n(@main 0\n" + "\n".join(lines) + "\n)\n" + self.callees() + ")"

    def callees(self) -> str:
        """A leaf, a recursive function that leaves early, and one of floats."""
        add = "vaddsd %z, %x, %y\nvmovaps xmm0, %z" if self.avx else "addsd %x, %y\nmovaps xmm0, %x"
        move = "vmovaps" if self.avx else "movaps"
        return (
            "(@f 2 %s <- rdi %t <- rsi %s *= 3 %s += %t %s &= 1023 rax <- %s return)\n"
            "(@g 1 %n <- rdi %n &= 7 %a <- %n cjump %n < 1 :g_out %m <- %n %m -= 1 rdi <- %m call @g (rdi) %a <- rax"
            " %n *= 3 %a += %n rdi <- %a rsi <- %n call @f (rdi, rsi) %a += rax :g_out rax <- %a return)\n"
            f"(@h 0 {move} %x, xmm0 {move} %y, xmm1 {add} return xmm0)\n"
        )


def output(module: ModuleType, program: Any) -> str:
    """What an interpreter prints.  Inconclusive where it runs out of steps."""
    runtime = Runtime()
    with suppress(Exit):
        module.run(program, runtime, STEPS)
    return bytes(runtime.output).decode()


def disagreement(seed: int, native: bool = True) -> str:
    """What goes wrong with a program at some level; "" where nothing does.  Mismatch where the checker refuses."""
    generator = Generator(seed)
    source = Source(generator.program())
    program = text.parse(source)
    try:
        expected = output(interpret, program)
    except Inconclusive:
        return ""
    for level in LEVELS:
        options = Options(level, target=generator.target)
        lowered = lower.lower_program(program, options)
        for name, function in lowered.functions.items():
            check(program.functions[name], function)
        found = output(l1_interpret, lowered)
        if found != expected:
            return f"seed {seed} at -O{level}: L1 prints {found!r}, L2 {expected!r}"
        if not native or targets.missing(generator.target):
            continue
        with Loaded(Program(source, "l2", options).image) as loaded:
            ran = loaded.capture(b"", 20)
        if ran.stdout.decode() != expected:
            return f"seed {seed} at -O{level}: the machine prints {ran.stdout!r}, L2 {expected!r}"
    return ""


def main(first: int, count: int, native: int = 1) -> int:
    """Check programs, and say what was found; 1 if there is anything."""
    bad = 0
    for seed in range(first, first + count):
        try:
            found = disagreement(seed, bool(native))
        except Exception as problem:
            found = f"seed {seed}: {type(problem).__name__}: {problem}"
        if found:
            bad += 1
            print(found, flush=True)
    print(f"{count} programs, {bad} bad")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
