"""Proofs of the rewrite rules: every rule is an obligation from the meanings in `ops.table`.

    from septet.prove.rules import prove, named_rule
    print(prove(named_rule("sub-add-same")))

Four kinds of proof, for every choice of types that a rule is for:

* `exhaustive`: all numbers at 8 bits for up to two names, at 4 bits for up to five, at 2 bits for more;
* `solver`: that no numbers of 1, 8, 16, 32 and 64 bits make a difference, constants and what is known of operands included;
  z3 first, bitwuzla where z3 takes too long, and then case by case where a constant has few possible numbers;
* `algebra`: that both sides are the same polynomial, so equal at every width (`prove.algebra`); solvers see 1 and 8 bits;
* `argument`: what neither solver can do at full width is in ARGUMENTS with the reason; solvers see 1 and 8 bits, and
  `native` tries every number of 16 bits (`prove.native`).

Rules about memory are proved as equality of the addresses; what is read or written there does not change.
"""

from __future__ import annotations

import re
from time import perf_counter

from septet.base.types import BOOL, I64, Type
from septet.ops.rules import CONSTANTS, Rule, Tree, concrete
from septet.ops.table import NAMED
from septet.prove.algebra import is_identity
from septet.prove.cases import LANE, cases, full_types, small_types, with_vectors
from septet.prove.conditions import Condition
from septet.prove.exhaustive import Loops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from septet.ops.rules import Leaf
    from septet.prove.cases import Case

WIDTHS = (64, 32, 16, 8, 1)
NARROW = 8  # bits that solvers see of what algebra or an argument proves
MILLISECONDS = 2500  # for one question to z3
PATIENCE = 20000  # milliseconds for one question to bitwuzla, and to z3 where it has to do at few bits
SECONDS = 30  # for all the numbers of a constant that are tried one by one
MOST_SPLIT = 200  # numbers of a constant that are tried one by one

_SIZES = "|a / b| is |a| // |b| and |a % b| is |a| mod |b|, with signs that depend on the signs of a and b alone"
ARGUMENTS: dict[str, str] = {
    "rem-negative": f"{_SIZES}; the sign of a % b is that of a, so b and -b give the same.",
    "neg-div": f"{_SIZES}; changing the sign of b changes that of a / b.  -(lowest / 1) and lowest / -1 both wrap to lowest.",
    "div-div": "For positive k and n, |x| // k // n is |x| // (k n) (Knuth, TAOCP 1, 1.2.4, exercise 35), and the signs agree.",
    "div-div-out": "As div-div; |x| is at most T.high + 1, which is less than k n.",
    "rem-rem-divisor": "x = q k + r, and n divides k, so x and r are the same modulo n; r has the sign of x or is 0.",
    "rem-rem-smaller": f"{_SIZES}; |x % k| < |k| < |n|.",
    "div-rem-smaller": f"{_SIZES}; |x % k| < |k| <= |n|.",
    "sub-quotient-times": "x = (x / k) k + x % k defines the remainder; both sides wrap alike where x is lowest and k is -1.",
    "add-quotient-and-remainder": "As sub-quotient-times.",
    "times-odd": "2 untag(x) is x - 1 for odd x, so with k = 2 j untag(x) k is (x - 1) j.",
    "equal-multiples": "An odd number has an inverse modulo 2^n, so multiplying by it loses nothing.",
}
"""By rule: why it holds at every width, where solvers take too long at 32 and 64 bits."""


class Proof:
    """That a rule holds."""

    __slots__ = ("rule", "how", "cases", "seconds")
    holds = True

    def __init__(self, rule: Rule, how: str, cases: int, seconds: float) -> None:
        self.rule = rule
        self.how = how
        self.cases = cases  # choices of comparison and types
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.rule.name}: {self.how}, {self.cases} cases, {self.seconds:.2f} s"


class Counterexample:
    """Numbers for which a rule is wrong."""

    __slots__ = ("rule", "case", "numbers")
    holds = False

    def __init__(self, rule: Rule, case: Case, numbers: dict[str, int]) -> None:
        self.rule = rule
        self.case = case
        self.numbers = numbers

    def __str__(self) -> str:
        types = ", ".join(f"{name} is {type}" for name, type in self.case.items() if len(name) == 1)
        numbers = ", ".join(f"{name} = {number}" for name, number in self.numbers.items())
        return f"{self.rule!r}\n  is wrong where {types}: {numbers}"


class Unknown:
    """That no solver could tell."""

    __slots__ = ("rule", "case")
    holds = False

    def __init__(self, rule: Rule, case: Case) -> None:
        self.rule = rule
        self.case = case

    def __str__(self) -> str:
        return f"{self.rule!r}\n  no solver could tell for {self.case}"


Answer = Proof | Counterexample | Unknown


def named_rule(name: str) -> Rule:
    """The rule of that name.  KeyError where there is none."""
    from septet.ir.rules import all_rules

    return {rule.name: rule for rule in all_rules()}[name]


def prove(rule: Rule, widths: tuple[int, ...] = WIDTHS, natively: bool = False) -> Answer:
    """Prove `rule` by trying every number at few bits, then by solver at `widths`; no solver is needed for no widths.

    `natively`, where it stands in ARGUMENTS, by trying every number at 16 bits too, which takes minutes."""
    answers = [exhaustive(rule)]
    if widths and answers[0].holds:
        answers.append(solved(rule, widths))
    if natively and rule.name in ARGUMENTS and answers[-1].holds:
        answers.append(by_native_loops(rule))
    last = answers[-1]
    proofs = [answer for answer in answers if isinstance(answer, Proof)]
    if not isinstance(last, Proof) or len(proofs) < 2:
        return last
    how = "; ".join(proof.how for proof in proofs if proof.cases)
    return Proof(rule, how, sum(proof.cases for proof in proofs), sum(proof.seconds for proof in proofs))


def by_native_loops(rule: Rule) -> Answer:
    """Try every number at 16 bits.  CannotExecute where this machine does not run native code."""
    from septet.prove.native import Difference, tried

    found = tried(rule)
    if isinstance(found, Difference):
        return Counterexample(found.rule, {"T": found.type}, found.numbers)
    return Proof(rule, f"every number at 16 bits natively ({found.numbers:,} of them)", found.types, found.seconds)


def exhaustive(rule: Rule) -> Answer:
    """Try every number at few bits; 0 cases where the rule is about floats or memory alone."""
    start = perf_counter()
    done = 0
    bits = small_bits(rule)
    for row in rows(rule):
        if is_memory(row) or any(part.on in ("f32", "f64") for part in (row.tree, *row.tree.inner())):
            continue
        choices = {name: small_types(kind, bits, len(row.types) > 1) for name, kind in row.types.items()}
        with_vectors(choices, row, small_types("vector", bits, True))
        for case in cases(row, choices):
            types = leaf_types(row, case, bits)
            if types is None:
                continue
            numbers = Loops(row, case, types).counterexample()
            if numbers is not None:
                return Counterexample(row, case, numbers)
            done += 1
    return Proof(rule, f"exhaustive at {bits} bits", done, perf_counter() - start)


def small_bits(rule: Rule) -> int:
    """The width at which every number can be tried."""
    names = len(rule.leaves)
    return 8 if names <= 2 else 4 if names <= 5 else 2


def rows(rule: Rule) -> Iterator[Rule]:
    """The rule for each comparison it stands for."""
    for _, row in concrete(rule):
        yield row


def is_memory(rule: Rule) -> bool:
    """Whether the rule changes a load or store."""
    return rule.tree.op in ("load", "store")


def leaf_types(rule: Rule, case: Case, bits: int = 0) -> dict[str, Type] | None:
    """The type of every name; None where it has none at so few bits."""
    from septet.base.types import named

    found: dict[str, Type] = {}
    for name, variable in rule.leaves.items():
        type = LANE if variable == "lane" else case.get(variable) or named(variable)
        if type is None or bits and type.bits > bits:
            return None
        found[name] = type
    return found


def solved(rule: Rule, widths: tuple[int, ...] = WIDTHS) -> Answer:
    """Ask the solvers at full width."""
    start = perf_counter()
    why = (
        "algebra" if "mul" in rule.find and all(map(is_identity, rows(rule))) else "argument" if rule.name in ARGUMENTS else ""
    )
    if why:
        widths = tuple(width for width in widths if width <= NARROW) or (NARROW,)
    done = 0
    used: dict[str, None] = {}
    seen: dict[int, None] = {}
    for row in rows(rule):
        asked = widths if len(row.types) == 1 else (*{**dict.fromkeys(widths), 1: None},)
        choices = {name: full_types(kind, asked) for name, kind in row.types.items()}
        with_vectors(choices, row, full_types("vector", asked))
        for case in cases(row, choices):
            types = leaf_types(row, case)
            assert types is not None
            question = Question(row, case, types)
            if not question.possible():
                continue
            answer = question.answer()
            if not isinstance(answer, str):
                return answer
            used[answer] = None
            seen |= dict.fromkeys(type.bits for name, type in case.items() if len(name) == 1)
            done += 1
    how = f"{' and '.join(used)} at {' '.join(map(str, sorted(seen)))} bits" if used else "no such numbers"
    if why:
        how = f"{why}; {how}"
    return Proof(rule, how, done, perf_counter() - start)


class Question:
    """One case of a rule as a question to solvers: are there numbers for which the sides differ?"""

    def __init__(self, rule: Rule, case: Case, types: dict[str, Type]) -> None:
        import z3

        self.rule = rule
        self.case = case
        self.types = types
        self.width = 2 * max([64 if is_memory(rule) else 1, *[type.bits for type in types.values()]]) + 12
        self.bits = {name: z3.BitVec(name, type.bits) for name, type in types.items()}
        wide = {
            name: (z3.SignExt if type.signed else z3.ZeroExt)(self.width - type.bits, self.bits[name])
            for name, type in types.items() if name in CONSTANTS
        }  # fmt: skip
        if is_memory(rule):
            wide["o"] = z3.SignExt(self.width - 32, z3.BitVec("o", 32))
        for name in types:
            case = case if name.upper() in case else {**case, name.upper(): types[name]}
        self.condition = Condition(case, self.width, wide, self.bits, types)
        self.assumed = self.condition.holds(rule.when) if rule.when else True

    def possible(self) -> bool:
        """Whether the condition, as far as it is about types, holds in this case."""
        return self.assumed is not False

    def answer(self) -> str | Counterexample | Unknown:
        """How it was proved, or why not."""
        import z3

        differ = self._differ()
        asked = z3.And(self.assumed, differ) if self.assumed is not True else differ
        solver = z3.SolverFor("QF_BV") if not self._has_floats() else z3.Solver()
        few = max(type.bits for type in self.types.values()) <= 16
        solver.set("timeout", PATIENCE if few else MILLISECONDS)
        solver.add(asked)
        status = solver.check()
        if status == z3.unsat:
            return "z3"
        if status == z3.sat:
            return Counterexample(self.rule, self.case, self._numbers(solver.model()))
        if _bitwuzla(solver.to_smt2()) == "unsat":
            return "bitwuzla"
        return "z3 by cases" if self._by_cases(differ) else Unknown(self.rule, self.case)

    def _has_floats(self) -> bool:
        return any(type.is_float for type in self.types.values()) or any(
            isinstance(part, Tree) and self._named(part.on).is_float for part in (self.rule.tree, *self.rule.tree.inner())
        )

    def _by_cases(self, differ: Any) -> bool:
        """Whether a constant has few possible numbers, and the rule holds for each."""
        import z3

        for name in self.types:
            if name not in CONSTANTS:
                continue
            few = z3.Solver()
            few.set("timeout", MILLISECONDS)
            few.add(self.assumed)
            chosen: list[Any] = []
            while len(chosen) <= MOST_SPLIT and few.check() == z3.sat:
                number = few.model().eval(self.bits[name], model_completion=True)
                chosen.append(number)
                few.add(self.bits[name] != number)
            if few.check() != z3.unsat:
                continue
            end = perf_counter() + SECONDS
            for number in chosen:
                if perf_counter() > end:
                    return False
                one = z3.Solver()
                one.set("timeout", MILLISECONDS)
                one.add(z3.simplify(z3.substitute(z3.And(self.assumed, differ), (self.bits[name], number))))
                if one.check() != z3.unsat and _bitwuzla(one.to_smt2()) != "unsat":
                    return False
            return True
        return False

    def _numbers(self, model: Any) -> dict[str, int]:
        return {
            name: self.types[name].wrap(model.eval(term, model_completion=True).as_long()) for name, term in self.bits.items()
        }

    def _differ(self) -> Any:
        rule = self.rule
        if is_memory(rule):
            assert isinstance(rule.result, Tree)
            return self._address(rule.tree) != self._address(rule.result)
        found = self._term(rule.tree, None)
        given = self._term(rule.result, self._named(rule.tree.result))
        return found != given

    def _address(self, tree: Tree) -> Any:
        import z3

        offset = self.condition.number(tree.offset.strip("{}"))
        return self._term(tree.args[0], I64) + z3.Extract(63, 0, offset)

    def _named(self, name: str) -> Type:
        if name in ("bool", "lane"):
            return BOOL if name == "bool" else LANE
        return self.case.get(name) or self.types.get(name.lower()) or _by_name(name)

    def _term(self, tree: Tree | Leaf, wanted: Type | None) -> Any:
        """The bits of one side of the rule."""
        import z3

        from septet.prove.terms import apply

        if isinstance(tree, Tree):
            type = self._named(tree.on)
            operands = [self._named(name) if name else None for name in self.rule.operands(tree)]
            args = [self._term(arg, want) for arg, want in zip(tree.args, operands, strict=True)]
            sources = [self._type(arg) if want is None else want for arg, want in zip(tree.args, operands, strict=True)]
            return apply(NAMED[tree.op], type, args, sources, type)
        if isinstance(tree, str) and tree[0] != "{":
            return self.bits[tree]
        assert wanted is not None
        if isinstance(tree, int):
            return z3.BitVecVal(tree, wanted.bits)
        return z3.Extract(wanted.bits - 1, 0, self.condition.number(tree[1:-1]))

    def _type(self, tree: Tree | Leaf) -> Type:
        if isinstance(tree, Tree):
            return self._named(tree.result)
        assert isinstance(tree, str)
        return self.types[tree]


def _by_name(name: str) -> Type:
    from septet.base.types import named

    found = named(name)
    assert found is not None, name
    return found


def _bitwuzla(text: str) -> str:
    """What bitwuzla says to a question in SMT-LIB; "unknown" where it is not installed or takes too long."""
    try:
        import bitwuzla
    except ImportError:
        return "unknown"
    options = bitwuzla.Options()
    options.set(bitwuzla.Option.TIME_LIMIT_PER, PATIENCE)
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    text = re.sub(r"\b(bv[su](?:div|rem|mod))_i\b", r"\1", text)  # z3's own spelling of division by what is not 0
    try:
        parser.parse(text.replace("(check-sat)", ""), True, False)
    except bitwuzla.BitwuzlaException:  # an operation that is z3's alone
        return "unknown"
    return str(parser.bitwuzla().check_sat()).rpartition(".")[2].lower()
