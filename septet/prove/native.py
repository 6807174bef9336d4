"""Every number of 16 bits, by native code: loops that Septet itself compiles at -O0, where no rule applies.

The rules with written arguments (`prove.rules.ARGUMENTS`) are about quotients, remainders and products, where solvers take
too long at full width.  Here each is tried for all numbers of 16 bits, in i16 and u16.  One name and one constant are 2^32
pairs.  Two constants that a rule ties to each other (k n <= T.high, n divides k) are all such pairs, with all x for each.  Two
that it does not tie would be 2^48 cases; those rules are tried in the steps of their argument, which have a name and a constant
each: see STEPS.
"""

from __future__ import annotations

from time import perf_counter

from septet.base.types import I16, U16, Type
from septet.ops.rules import CONSTANTS, Rule, Tree
from septet.ops.table import NAMED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from septet.ops.rules import Leaf

    Row = dict[str, int]  # what one loop over x is given: constants, computed constants, and "first", "last", "low", "high"

TYPES = (I16, U16)
SECONDS = 3600.0  # for one rule in one type
_SMALL_REMAINDER = Rule("|x % k| < |k|", "(rem x k)", "x", "k != 0")
STEPS: dict[str, tuple[Rule, ...]] = {
    "rem-rem-smaller": (_SMALL_REMAINDER, Rule("x % k is x for |x| < |k|", "(rem x k)", "x", "k != 0")),
    "div-rem-smaller": (_SMALL_REMAINDER, Rule("x / k is 0 for |x| < |k|", "(div x k)", "0", "k != 0")),
    "div-div-out": (
        Rule("|x / k| <= (T.high + 1) // k", "(div x k)", "x", "k > 0"),
        Rule("x / k is 0 for |x| < |k|", "(div x k)", "0", "k != 0"),
    ),
    "equal-multiples": (Rule("x k inv(k) is x", "(mul (mul x k) {pow(k, -1, 1 << T.bits)})", "x", "k & 1"),),
}
"""By rule: what its argument takes for granted, each with one name and one constant; together they give the rule.

`div-div-out`: k n > T.high + 1 gives (T.high + 1) // k < n, so x / k is smaller than n.  `rem-rem-smaller`, `div-rem-smaller`:
x % k is smaller than k, and that not larger than n.  `equal-multiples`: what can be undone keeps numbers different.
"""


class Difference:
    """Where the sides of a rule, or a step of its argument, differ."""

    __slots__ = ("rule", "type", "numbers")

    def __init__(self, rule: Rule, type: Type, numbers: dict[str, int]) -> None:
        self.rule = rule
        self.type = type
        self.numbers = numbers

    def __str__(self) -> str:
        numbers = ", ".join(f"{name} = {number}" for name, number in self.numbers.items())
        return f"{self.rule!r}\n  is wrong where T is {self.type}: {numbers}"


class Tried:
    """That all numbers were tried: in how many types, how many combinations of them, in how many seconds."""

    __slots__ = ("types", "numbers", "seconds")

    def __init__(self, types: int, numbers: int, seconds: float) -> None:
        self.types = types
        self.numbers = numbers
        self.seconds = seconds


def tried(rule: Rule, types: Iterable[Type] = TYPES) -> Tried | Difference:
    """Try every number of 16 bits.  CannotExecute where this machine does not run native code; TimeoutError after SECONDS."""
    start = perf_counter()
    numbers = 0
    seen: dict[Type, None] = {}
    for step in STEPS.get(rule.name, (rule,)):
        for type in types:
            rows = list(_rows(step, type))
            if not rows:
                continue
            found = _run(step, type, rows)
            if found is not None:
                return Difference(step, type, found)
            seen[type] = None
            numbers += sum((row["last"] - row["first"]) // (1 + ("odd(x)" in step.when)) + 1 for row in rows)
    return Tried(len(seen), numbers, perf_counter() - start)


def _rows(rule: Rule, type: Type) -> Iterator[Row]:
    """What every loop is given: all constants that the condition lets through."""
    names = [name for name in rule.leaves if name in CONSTANTS]
    when = compile(" and ".join(part for part in rule.when.split(" and ") if part != "odd(x)") or "True", rule.name, "eval")
    computed = {f"e{number}": compile(code, rule.name, "eval") for number, code in enumerate(_computed(rule))}
    first = type.low | 1 if "odd(x)" in rule.when else type.low
    for row in _pairs(rule, type) if len(names) > 1 else ({"k": k} for k in range(type.low, type.high + 1)):
        scope = {**row, "T": type}
        if eval(when, scope):
            row |= {name: type.wrap(eval(code, scope)) for name, code in computed.items()}
            yield row | _limits(rule, type, row["k"], first)


def _limits(rule: Rule, type: Type, k: int, first: int) -> Row:
    """From where to where x goes, and between what the left side must be, where a step says that."""
    size = abs(k) - 1
    whole = {"first": first, "last": type.high}
    if rule.name.endswith("for |x| < |k|"):
        return {"first": max(type.low, -size), "last": min(type.high, size)}
    if rule is _SMALL_REMAINDER:
        return whole | {"low": max(type.low, -size), "high": min(type.high, size)}
    if rule.name.startswith("|x / k|"):
        size = (type.high + 1) // k
        return whole | {"low": max(type.low, -size), "high": min(type.high, size)}
    return whole


def _pairs(rule: Rule, type: Type) -> Iterator[Row]:
    """The pairs of constants that a rule ties to each other; of divisors those that `rem-negative` does not make positive."""
    if "k * n <= T.high" in rule.when:
        for k in range(1, type.high + 1):
            for n in range(1, type.high // k + 1):
                yield {"k": k, "n": n}
        return
    assert "k % n == 0" in rule.when, rule
    for n in range(1, type.high + 1):
        for k in (*range(n, type.high + 1, n), *([type.low] if type.signed and not type.low % n else [])):
            yield {"k": k, "n": n}
    if type.signed:
        yield {"k": type.low, "n": type.low}


def _computed(rule: Rule) -> list[str]:
    """The expressions of computed constants, in the order in which `_Text` comes to them."""
    found: list[str] = []

    def walk(tree: Tree | Leaf) -> None:
        if isinstance(tree, Tree):
            for arg in tree.args:
                walk(arg)
        elif isinstance(tree, str) and tree[0] == "{":
            found.append(tree[1:-1])

    walk(rule.tree)
    walk(rule.result)
    return found


class _Text:
    """The IR of both sides of a rule."""

    def __init__(self, type: Type) -> None:
        self.type = type
        self.lines: list[str] = []
        self.computed = 0

    def of(self, tree: Tree | Leaf) -> str:
        """The operand that stands for `tree`, whose operations are added to `lines`."""
        if isinstance(tree, int):
            return f"{self.type} {self.type.wrap(tree)}"
        if isinstance(tree, str):
            if tree[0] != "{":
                return f"%{tree}"
            self.computed += 1
            return f"%e{self.computed - 1}"
        args = [self.of(arg) for arg in tree.args]
        name = f"%t{len(self.lines)}"
        op = NAMED[tree.op]
        said = f"{args[0]} {op.symbol} {args[1]}" if op.symbol else f"{op.name} {args[0]}"
        self.lines.append(f"{self.type} {name} <- {said}")
        return name


_READ = "    int64 %word <- call input()\n    i64 %raw <- untag %word\n"
_PROGRAM = """define void @main() {{
  :entry
{count}    i64 %left <- %raw
    br :rows
  :rows
    bool %more <- %left > i64 0
    br %more :row :done
  :row
    i64 %left <- %left - 1
{given}    br :test
  :test
    bool %go <- %i <= %last
    br %go :try :rows
  :try
    {type} %x <- convert %i
{sides}
    br %bad :wrong :step
  :step
    i64 %i <- %i + {step}
    br :test
  :wrong
    int64 %shown <- tag %left
    call print(%shown)
    int64 %shown <- tag %i
    call print(%shown)
    return
  :done
    call print(1)
    return
}}
"""


def program(rule: Rule, type: Type, names: list[str]) -> str:
    """The IR program that reads rows of `names` and tries every x for each; it prints 0, or the rows left and a wrong x."""
    text = _Text(type)
    find = text.of(rule.tree)
    if "low" in names:
        ends = [f"bool %under <- {find} < %low", f"bool %over <- {find} > %high", "bool %bad <- %under | %over"]
    else:
        ends = [f"bool %bad <- {find} != {text.of(rule.result)}"]
    given = ""
    for name in names:
        target = {"first": "i64 %i <- %raw", "last": "i64 %last <- %raw"}.get(name, f"{type} %{name} <- convert %raw")
        given += f"{_READ}    {target}\n"
    step = 2 if "odd(x)" in rule.when else 1
    sides = "\n".join(f"    {line}" for line in text.lines + ends)
    return _PROGRAM.format(count=_READ, given=given, type=type, sides=sides, step=step)


def _run(rule: Rule, type: Type, rows: list[Row]) -> dict[str, int] | None:
    """Numbers for which the sides differ, if there are any."""
    from septet.base.options import Options
    from septet.base.source import Source
    from septet.link.jit import Loaded
    from septet.program import Program

    names = list(rows[0])
    given = "\n".join([str(len(rows)), *(str(row[name]) for row in rows for name in names), ""])
    code = Program(Source(program(rule, type, names)), "ir", Options(0), [])
    with Loaded(code.image) as loaded:
        end = loaded.capture(given.encode(), SECONDS)
    if end.timed_out:
        raise TimeoutError(f"{rule.name}: not done after {SECONDS:.0f} seconds")
    said = end.stdout.decode().split()
    if said == ["0"]:
        return None
    assert len(said) == 2, (said, end.stderr, end.signal)
    row = rows[len(rows) - 1 - int(said[0])]
    return {**{name: number for name, number in row.items() if name in CONSTANTS}, "x": int(said[1])}
