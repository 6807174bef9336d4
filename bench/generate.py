"""Make an LB program of a given size: functions of loops, branches, arithmetic, arrays, tuples and calls.

    python bench/generate.py 50000 > /tmp/big.lb

At least 6 tokens and 0.3 array accesses a line on average (`--statistics` prints both).  The same arguments give the same
program.  It terminates quickly when run and prints one number a function called from main.
"""

from __future__ import annotations

import random
import re
import sys


class Writer:
    """Writes one program, function by function."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.functions: list[str] = []

    def program(self, lines: int) -> str:
        """The text of a program of about `lines` lines."""
        while len(self.lines) < lines - 12:
            self.function(f"work{len(self.functions)}")
        self.main()
        return "\n".join(self.lines) + "\n"

    def function(self, name: str) -> None:
        """One function `int64 name(int64[] a, int64[][] m, int64 n, int64 k)` of about 60 lines."""
        pick = self.random
        out = self.lines.append
        out(f"int64 {name}(int64[] a, int64[][] m, int64 n, int64 k) {{")
        out("  int64 sum, low, high, step, last")
        out("  sum <- k + " + str(pick.randrange(1000)))
        out("  low <- n - 1")
        out("  high <- n * 2")
        out("  step <- k & 7")
        for loop in range(pick.randrange(2, 4)):
            self.loop(loop)
        if self.functions:
            other = pick.choice(self.functions[-20:])
            out("  if (k > 0) :deeper :flat")
            out("  :deeper")
            out("  last <- k - 1")
            out(f"  last <- {other}(a, m, n, 0)")
            out("  sum <- sum + last")
            out("  :flat")
        out("  sum <- sum & 1048575")
        out("  return sum")
        out("}")
        self.functions.append(name)

    def loop(self, number: int) -> None:
        """A counted loop over the array, with a conditional inside."""
        pick = self.random
        out = self.lines.append
        constant = pick.randrange(2, 50)
        out("  {")
        out("    int64 i, x, y, t")
        out("    i <- 0")
        out(f"    while (i < n) :body{number} :done{number}")
        out(f"    :body{number}")
        for _ in range(pick.randrange(12, 22)):
            out(
                "    "
                + pick.choice(
                    (
                        "x <- a[i]",
                        "a[i] <- y",
                        "y <- m[i][0]",
                        "m[0][i] <- x",
                        "x <- m[i][low]",
                        "m[i][i] <- sum",
                        "m[low][i] <- t",
                        "t <- m[i][i]",
                        f"a[{constant & 15}] <- x",
                        "t <- x * y",
                        "t <- t & 65535",
                        "sum <- sum + t",
                        f"y <- {pick.choice(self.functions[:3])}(a, m, 1, 0)" if self.functions else "y <- y * y",
                    )
                )
            )
        out("    t <- m[i][0]")
        out(f"    if (t > {constant}) :above{number} :below{number}")
        out(f"    :above{number}")
        out(f"    t <- t - {constant}")
        out("    m[i][0] <- t")
        out("    y <- m[i][low]")
        out("    sum <- sum + y")
        out(f"    :below{number}")
        out("    i <- i + 1")
        out("    continue")
        out(f"    :done{number}")
        out("  }")

    def main(self) -> None:
        """The entry: runs some of the functions on one array."""
        out = self.lines.append
        out("void main() {")
        out("  int64[] a")
        out("  int64[][] m")
        out("  int64 r")
        out("  a <- new Array(16)")
        out("  m <- new Array(16, 16)")
        for name in self.functions[-4:]:
            out(f"  r <- {name}(a, m, 16, 1)")
            out("  print(r)")
        out("  return")
        out("}")


def statistics(text: str) -> str:
    """Lines, tokens a line and array accesses a line of an LB program."""
    lines = text.count("\n")
    tokens = len(re.findall(r"[A-Za-z_]\w*|\d+|<-|<<|>>|<=|>=|\[\]|:\w+|\S", text))
    accesses = len(re.findall(r"\w\[\w", text))
    return f"{lines} lines, {tokens / lines:.2f} tokens a line, {accesses / lines:.3f} array accesses a line"


def generate(lines: int, seed: int = 1) -> str:
    """An LB program of about `lines` lines."""
    return Writer(seed).program(lines)


if __name__ == "__main__":
    made = generate(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 1)
    if "--statistics" in sys.argv:
        print(statistics(made), file=sys.stderr)
    sys.stdout.write(made)
