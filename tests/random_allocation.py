"""Random LB programs that allocate all the time, and whether they do the same with a collection at every allocation.

python tests/random_allocation.py 1000 [FIRST]      python tests/random_allocation.py --show 17

Lists, trees, arrays and matrices are made, changed, passed, returned and printed; references live in variables, in loops whose
indices become pointers, across calls and in recursion.  With stress the collector overwrites what is dead, so that a root that
was missed shows at once.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

import septet
from septet.base.options import Options
from septet.base.source import Source
from septet.program import Program

LENGTH = 6  # of every array; matrices are 3 by 4, and tuples have four elements: number, array, tuple, matrix
NUMBERS, ARRAYS, TUPLES, MATRICES = "xyzw", "ab", "tuv", "mn"
SECONDS = 20  # for one run


class Generator:
    """Makes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.labels = 0
        self.counters = 0
        self.functions = self.random.randint(1, 4)

    def program(self) -> str:
        """The text of a program."""
        bodies = [self.function(number) for number in range(self.functions)]
        self.lines = []
        self.begin()
        self.statements(self.random.randint(12, 30), 3)
        for name in TUPLES + ARRAYS + MATRICES:
            self.emit(f"print({name})")
        counters = self.declare()
        main = "void main () {\n" + counters + "\n".join(self.lines) + "\n}\n"
        return "// made by tests/random_allocation.py\n" + "".join(bodies) + main

    def function(self, number: int) -> str:
        """A function that calls itself, with one less, and the functions before it."""
        self.lines = []
        self.counters = 0
        self.begin("d", "p", "q")
        self.callable = number + 1
        self.statements(self.random.randint(5, 12), 2)
        name = self.random.choice(TUPLES)
        self.emit(f"x <- {name}[0]", "x <- x + d", f"{name}[0] <- x", f"return {name}")
        return f"tuple f{number} (int64 d, tuple p, int64[] q) {{\n" + self.declare() + "\n".join(self.lines) + "\n}\n"

    def declare(self) -> str:
        counters = "".join(f", i{number}" for number in range(self.counters))
        return f"  int64 {', '.join(NUMBERS)}, c{counters}\n  int64[] a, b\n  tuple t, u, v\n  int64[][] m, n\n"

    def emit(self, *lines: str) -> None:
        self.lines += [f"  {line}" for line in lines]

    def begin(self, depth: str = "", given: str = "", array: str = "") -> None:
        """Give every variable a value."""
        self.callable = self.functions
        for number, name in enumerate(NUMBERS):
            self.emit(f"{name} <- {number + 1}")
        for name in ARRAYS:
            self.emit(f"{name} <- new Array({LENGTH})")
        for name in MATRICES:
            self.emit(f"{name} <- new Array(3, 4)")
        for name in TUPLES:
            self.tuple(name)
        if given:
            self.emit(f"{self.random.choice(TUPLES)} <- {given}", f"{self.random.choice(ARRAYS)} <- {array}")
            enough, more = self.label(), self.label()
            self.emit(f"if ({depth} > 0) :{more} :{enough}", f":{enough}", f"return {given}", f":{more}")

    def tuple(self, name: str) -> None:
        """A new tuple in a variable; its third element is a tuple or nil (the number 0)."""
        pick = self.random.choice
        self.emit(f"{name} <- new Tuple(4)", f"{name}[0] <- {pick(NUMBERS)}")
        self.emit(f"{name}[1] <- {pick(ARRAYS)}", f"{name}[3] <- {pick(MATRICES)}")
        other = pick(TUPLES[: TUPLES.index(name)] or name)
        self.emit(f"{name}[2] <- {other}")

    def label(self) -> str:
        self.labels += 1
        return f"l{self.labels}"

    def statements(self, count: int, depth: int) -> None:
        for _ in range(count):
            kind = self.random.choice(KINDS if depth else KINDS[:-2])
            kind(self, depth)

    # Statements

    def compute(self, depth: int) -> None:
        pick = self.random.choice
        left, right = pick(NUMBERS), pick([*NUMBERS, "3", "7"])
        self.emit(f"{left} <- {pick(NUMBERS)} {pick('+-*')} {right}", f"{left} <- {left} & 65535")

    def read(self, depth: int) -> None:
        pick = self.random.choice
        x, k = pick(NUMBERS), self.random.randrange(3)
        self.emit(pick([f"{x} <- {pick(ARRAYS)}[{k}]", f"{x} <- {pick(MATRICES)}[{k}][{k + 1}]", f"{x} <- {pick(TUPLES)}[0]"]))

    def write(self, depth: int) -> None:
        pick = self.random.choice
        x, k = pick(NUMBERS), self.random.randrange(3)
        self.emit(pick([f"{pick(ARRAYS)}[{k}] <- {x}", f"{pick(MATRICES)}[{k}][{k + 1}] <- {x}", f"{pick(TUPLES)}[0] <- {x}"]))

    def make(self, depth: int) -> None:
        pick = self.random.choice
        kind = self.random.randrange(4)
        if kind == 0:
            self.emit(f"{pick(ARRAYS)} <- new Array({LENGTH})")
        elif kind == 1:
            self.emit(f"{pick(MATRICES)} <- new Array(3, 4)")
        else:
            self.tuple(pick(TUPLES))

    def move(self, depth: int) -> None:
        """References from here to there: into tuples, out of them, between variables."""
        pick = self.random.choice
        t, u = pick(TUPLES), pick(TUPLES)
        self.emit(
            pick(
                [
                    f"{t}[2] <- {u}", f"{t}[1] <- {pick(ARRAYS)}", f"{t}[3] <- {pick(MATRICES)}", f"{t} <- {u}",
                    f"{pick(ARRAYS)} <- {t}[1]", f"{pick(MATRICES)} <- {t}[3]", f"{t} <- {u}[2]",
                ]
            )
        )  # fmt: skip

    def call(self, depth: int) -> None:
        if self.callable:
            pick = self.random.choice
            callee = self.random.randrange(self.callable)
            recursive = self.callable <= callee + 1 and "  return p" in self.lines
            amount = "c" if recursive else str(self.random.randint(0, 3))
            if recursive:
                self.emit("c <- d - 1")
            elif "  return p" in self.lines:  # no more work below than here
                self.emit("c <- d - 1")
                amount = "c"
            self.emit(f"{pick(TUPLES)} <- f{callee}({amount}, {pick(TUPLES)}, {pick(ARRAYS)})")

    def show(self, depth: int) -> None:
        self.emit(f"print({self.random.choice(NUMBERS + ARRAYS + TUPLES)})")

    def choose(self, depth: int) -> None:
        pick = self.random.choice
        then, other, end = self.label(), self.label(), self.label()
        self.emit(f"if ({pick(NUMBERS)} < {pick(NUMBERS)}) :{then} :{other}", f":{then}")
        self.statements(2, depth - 1)
        self.emit(f"goto :{end}", f":{other}")
        self.statements(2, depth - 1)
        self.emit(f":{end}")

    def loop(self, depth: int) -> None:
        """Over an array or a row of a matrix, with statements inside."""
        pick = self.random.choice
        i = f"i{self.counters}"
        self.counters += 1
        top, body, end = self.label(), self.label(), self.label()
        where, limit = pick([(f"{pick(ARRAYS)}[{i}]", LENGTH), (f"{pick(MATRICES)}[{self.random.randrange(3)}][{i}]", 4)])
        self.emit(f"{i} <- 0", f":{top}", f"if ({i} < {limit}) :{body} :{end}", f":{body}")
        x = pick(NUMBERS)
        self.emit(f"{x} <- {where}", f"{x} <- {x} + {i}")
        self.statements(self.random.randint(0, 3), depth - 1)
        self.emit(f"{where} <- {x}", f"{i} <- {i} + 1", f"goto :{top}", f":{end}")


KINDS = (
    Generator.compute, Generator.read, Generator.write, Generator.make, Generator.make, Generator.move, Generator.move,
    Generator.call, Generator.show, Generator.choose, Generator.loop,
)  # fmt: skip


def generate(seed: int) -> str:
    """The program with number `seed`."""
    return Generator(seed).program()


def difference(seed: int, levels: tuple[int, ...] = (0, 1, 2, 3)) -> str:
    """What stress changes in the program with that number, at some level; "" if nothing."""
    text = generate(seed)
    expected: bytes | None = None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program"
        for opt in levels:
            for stress in (False, True) if expected is None else (True,):
                Program(Source(text, f"random{seed}.lb"), "lb", Options(opt, gc_stress=stress)).save(str(path), debug=False)
                try:
                    run = subprocess.run([path], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
                except subprocess.TimeoutExpired:
                    return ""
                found = run.stdout + b"status %d\n" % run.returncode
                if expected is None:
                    expected = found
                elif found != expected:
                    return f"program {seed} at -O{opt} with a collection at every allocation:\n{found.decode()[-300:]}"
    return ""


def main() -> int:
    """The command line above."""
    if sys.argv[1:2] == ["--show"]:
        print(generate(int(sys.argv[2])))
        return 0
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    bad = 0
    for seed in range(first, first + count):
        try:
            found = difference(seed)
        except septet.Rejected as problem:
            found = f"program {seed}: {problem}"
        if found:
            bad += 1
            print(found)
    print(f"{count} programs, {bad} different")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
