"""Random LB programs that are loops over arrays, some of whose indices are out of range in some round.

python tests/random_loops.py 1000 [FIRST]     programs FIRST, FIRST + 1, ...; prints those that some stage runs otherwise
python tests/random_loops.py --show 17        program 17

Loops count up or down, by one or more or by a variable, from and to constants, variables, or what depends on the loops around
them; they run not at all, once, or a few times, and may be left in the middle.  Indices are sums of counters and constants.
"""

from __future__ import annotations

import random
import sys

from stages_alike import report

WIDE = ("4611686018427387903", "-4611686018427387904", "4611686018427387900", "2147483648", "-1")


class Maker:
    """Makes the body of one function `work(int64[] a, int64[][] m, int64 n, int64 k)`."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.lines: list[str] = []
        self.labels = 0
        self.counters: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append("  " + line)

    def label(self) -> str:
        self.labels += 1
        return f":l{self.labels}"

    def bound(self, near: tuple[str, ...] = ("0", "1", "n")) -> str:
        """Where a loop begins or ends, most often at one of `near`."""
        choice = self.pick.random()
        if choice < 0.6:
            return self.pick.choice(near)
        if choice < 0.7:
            return self.pick.choice(("n", "k", "rows", "size"))
        if choice < 0.85 and self.counters:
            return self.pick.choice(self.counters)
        return str(self.pick.randrange(-2, 10)) if choice < 0.97 else self.pick.choice(WIDE)

    def index(self) -> str:
        """A variable with an index in it."""
        pick = self.pick
        known = [*self.counters, "k"]
        self.say(f"x <- {pick.choice(known)} {pick.choice('+-')} {pick.choice((0, 0, 0, 0, 1))}")
        if pick.random() < 0.1:
            self.say(f"x <- {pick.choice(('x', pick.choice(known)))} {pick.choice('+-*')} {pick.choice((*known, '2', 'x'))}")
        name = f"i{pick.randrange(3)}"
        self.say(f"{name} <- x")
        return name

    def statement(self) -> None:
        pick = self.pick
        kind = pick.random()
        if kind < 0.3:
            self.say(f"s <- a[{self.index()}]")
        elif kind < 0.5:
            self.say(f"a[{self.index()}] <- s")
        elif kind < 0.65:
            self.say(f"t <- m[{self.index()}][{self.index()}]")
        elif kind < 0.75:
            self.say(f"m[{self.index()}][{self.index()}] <- t")
        elif kind < 0.8:
            self.say("print(s)")
        elif kind < 0.9:
            self.say("s <- s + t")
        else:
            self.say(f"t <- length {pick.choice(('a', 'm'))} 0")

    def block(self, depth: int) -> None:
        pick = self.pick
        for _ in range(pick.randrange(1, 4)):
            kind = pick.random()
            if depth and kind < 0.4:
                self.loop(depth)
            elif depth and kind < 0.5 and self.counters:
                then, after = self.label(), self.label()
                self.say(
                    f"if ({pick.choice((*self.counters, 'k'))} {pick.choice(('<', '=', '>'))} {self.bound()}) {then} {after}"
                )
                self.say(then)
                self.block(0)
                self.say(after)
            else:
                self.statement()

    def loop(self, depth: int) -> None:
        """A loop of at most some forty rounds, for a second counter counts them."""
        pick = self.pick
        counter, rounds = f"c{self.labels}", f"r{self.labels}"
        body, after = self.label(), self.label()
        up = pick.random() < 0.7
        step = pick.choice(("1", "1", "1", "2", "3", "k", *self.counters[:1]))
        guarded = step not in "123" or pick.random() < 0.3
        self.say(f"int64 {counter}, {rounds}")
        low, high = ("0", "0", "1", "2"), ("n", "n", "n", "rows", "size")
        start, end = (low, high) if up else (high, low)
        self.say(f"{counter} <- {self.bound(start)}")
        self.say(f"{rounds} <- 0")
        test = pick.choice(("<", "<=") if up else (">", ">="))
        if pick.random() < 0.5:
            self.say(f"while ({counter} {test} {self.bound(end)}) {body} {after}")
        else:
            self.say(f"while ({self.bound(end)} {'>' if up else '<'} {counter}) {body} {after}")
        self.say(body)
        self.counters.append(counter)
        if guarded or pick.random() < 0.2:
            stop, on = self.label(), self.label()
            self.say(f"{rounds} <- {rounds} + 1")
            self.say(f"if ({rounds} > {pick.choice((1, 5, 40))}) {stop} {on}")
            self.say(stop)
            self.say("break")
            self.say(on)
        self.block(depth - 1)
        if not guarded and pick.random() < 0.1:
            self.say("print(s)")
        self.say(f"{counter} <- {counter} {'+' if up else '-'} {step}")
        if pick.random() < 0.1:
            self.say(f"if (s = {pick.randrange(5)}) {after} {(on := self.label())}")
            self.say(on)
        self.say("continue")
        self.say(after)
        self.counters.pop()


def program(seed: int) -> str:
    """The text of program `seed`."""
    maker = Maker(seed)
    pick = maker.pick
    maker.block(3)
    size, rows, columns = pick.randrange(4, 12), pick.randrange(4, 9), pick.randrange(4, 9)
    array = "a <- new Array(size)" if pick.random() < 0.97 else "size <- 3"
    calls = "\n".join(
        f"  work(a, m, {min(size, rows, columns) + less}, {pick.randrange(0, 4)})"
        for less in (-2, -1, pick.randrange(2), pick.randrange(3))
    )
    body = "\n".join(maker.lines)
    return f"""void work(int64[] a, int64[][] m, int64 n, int64 k) {{
  int64 s, t, x, i0, i1, i2, rows, size
  rows <- length m 0
  size <- length a 0
  s <- 1
{body}
  print(s)
  print(t)
}}
void main() {{
  int64[] a
  int64[][] m
  int64 size
  size <- {size}
  {array}
  m <- new Array({rows}, {columns})
{calls}
  print(a)
  print(m)
}}
"""


if __name__ == "__main__":
    sys.exit(report(program, "lb", sys.argv[1:]))
