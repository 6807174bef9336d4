"""Random LB functions of loops over arrays, whose indices are mostly in range, often one off or near the ends of integers."""

from __future__ import annotations

import random

EDGES = (0, 1, 2, 3, 5, 7, -1, -2, 4611686018427387903, -4611686018427387904, 2305843009213693952, 4294967296, 2147483648)
STARTS = ("0", "0", "0", "1", "2", "-1", "n - 1", "n", "m", "k", "4611686018427387900", "-3")
GUARDS = ("< n", "< n", "< n", "<= n", "< m", "< k", ">= 0", "> 0", "< 10", "<= last", "< size", ">= k")
STEPS = ("+ 1", "+ 1", "+ 1", "- 1", "- 1", "+ 2", "+ k", "+ i", "* 2", ">> 1", "- k")
INDICES = (
    "i",
    "i",
    "i",
    "j",
    "i + 1",
    "i - 1",
    "j + 1",
    "n - i",
    "last - i",
    "i + j",
    "(",
    "i & 3",
    "i - k",
    "j - i",
    "k",
    "0",
    "i >> 1",
)


def program(number: int) -> str:
    """The program of that number: `main` calls one function on an array and numbers."""
    pick = random.Random(number)
    size = pick.choice((0, 1, 2, 3, 4, 5, 8, 10))
    other = pick.choice((0, 1, 3, 8, 10))
    k = pick.choice(EDGES)
    lines = ["void work(int64[] a, int64 m, int64 k) {", "int64[] b", "int64 n, last, size, i, j, x, y, turns, one"]
    lines += [f"b <- new Array({other})", "size <- length b 0", pick.choice(("n <- length a 0", "n <- m")), "last <- n - 1"]
    if pick.random() < 0.3:
        lines += ["b <- new Array(n)"]
    if pick.random() < 0.3:
        lines += ["if (k > 0) :positive :return", ":return", "return", ":positive"]
    _loop(lines, pick, "i", 0)
    lines += ["print(i)", "return", "}", "void main() {", "int64[] a", f"a <- new Array({size})"]
    lines += [f"work(a, {pick.choice((size, size, other, pick.choice(EDGES)))}, {k})", "print(a)", "return", "}"]
    return "\n".join(lines) + "\n"


def _loop(lines: list[str], pick: random.Random, counter: str, depth: int) -> None:
    name = f"{depth}x{len(lines)}"
    lines += [*_assign(counter, pick.choice(STARTS + (("i", "i", "i + 1") if depth else ()))), "turns <- 0"]
    if pick.random() < 0.8:
        lines += [f"while ({counter} {pick.choice(GUARDS)}) :body{name} :end{name}"]
    else:
        lines += [f"while (turns < 12) :body{name} :end{name}"]
    lines += [f":body{name}", "turns <- turns + 1", f"if (turns > 30) :end{name} :on{name}", f":on{name}"]
    for at in range(pick.randrange(1, 4)):
        if depth < 1 and pick.random() < 0.3:
            _loop(lines, pick, "j", depth + 1)
        if pick.random() < 0.25:
            test = pick.choice(("i < j", "j < n", "i > 0", "j >= 0", "i <= last", "x < n", "k > 0", "j <= i"))
            lines += [f"if ({test}) :then{name}y{at} :else{name}y{at}", f":then{name}y{at}"]
            _access(lines, pick)
            lines += [f":else{name}y{at}"]
        else:
            _access(lines, pick)
    lines += [*_assign(counter, f"{counter} {pick.choice(STEPS)}"), "continue", f":end{name}"]


def _access(lines: list[str], pick: random.Random) -> None:
    index = pick.choice(INDICES)
    array = pick.choice("aaab")
    if index == "(":
        lines += ["x <- i + j", "x <- x >> 1"]
    else:
        lines += _assign("x", index)
    lines += [f"{array}[x] <- i"] if pick.random() < 0.5 else [f"y <- {array}[x]", "print(y)"]


def _assign(target: str, what: str) -> list[str]:
    return [f"{target} <- {what}"]
