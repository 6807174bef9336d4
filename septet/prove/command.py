"""The command `septet prove`: a line a rule, saying how it was proved and how long that took."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ops.rules import Rule
    from septet.prove.rules import Answer


class NoRule(Exception):  # noqa: N818
    """There is no rule of that name."""


def prove_rules(names: list[str], widths: tuple[int, ...], natively: bool) -> int:
    """Prove the rules of those names, all where there are none, and print what came out; 1 where one is wrong or unproved.

    Solvers are asked at `widths`, where they are installed.  Raises NoRule."""
    from septet.prove.rules import WIDTHS

    rules = _chosen(names)
    if widths and not _has_solver():
        print("septet: z3 is not installed (pip install z3-solver): numbers of few bits alone are tried", file=sys.stderr)
        widths = ()
    if natively and not _runs_natively():
        print("septet: native code does not run here: 16 bits are not tried", file=sys.stderr)
        natively = False
    width = max(len(rule.name) for rule in rules)
    wrong = unknown = untried = 0
    seconds = 0.0
    for rule in rules:
        answer = _answer(rule, tuple(dict.fromkeys(w for w in WIDTHS if w in widths)), natively)
        if answer.holds:
            seconds += answer.seconds  # type: ignore[union-attr]
            untried += not answer.cases  # type: ignore[union-attr]
            print(f"{rule.name:{width}}  {_how(answer)}", flush=True)
        elif hasattr(answer, "numbers"):
            wrong += 1
            print(f"{rule.name:{width}}  WRONG\n  {answer}", flush=True)
        else:
            unknown += 1
            print(f"{rule.name:{width}}  NOT PROVED\n  {answer}", flush=True)
    counts = [f"{len(rules) - wrong - unknown - untried} of {len(rules)} rules hold"]
    counts += [f"{wrong} wrong"] if wrong else []
    counts += [f"{unknown} not proved"] if unknown else []
    counts += [f"{untried} not tried without solvers"] if untried else []
    print(f"{', '.join(counts)} ({seconds:.1f} s)")
    return 1 if wrong or unknown else 0


def _chosen(names: list[str]) -> list[Rule]:
    from septet.base.diagnostics import did_you_mean
    from septet.ir.rules import all_rules

    known = {rule.name: rule for rule in all_rules()}
    for name in names:
        if name not in known:
            raise NoRule(f"there is no rule {name!r}. {did_you_mean(name, known)}".rstrip())
    return [known[name] for name in dict.fromkeys(names or known)]


def _answer(rule: Rule, widths: tuple[int, ...], natively: bool) -> Answer:
    from septet.prove.rules import prove

    return prove(rule, widths, natively)


def _how(answer: Answer) -> str:
    from septet.prove.rules import ARGUMENTS, Proof

    assert isinstance(answer, Proof)
    if not answer.cases:
        return "not tried: it is about floats or addresses alone, which --solver proves"
    said = f"{answer.how}, {answer.cases} {'case' if answer.cases == 1 else 'cases'}, {answer.seconds:.2f} s"
    return f"{said}\n  argument: {why}" if "argument" in answer.how and (why := ARGUMENTS.get(answer.rule.name)) else said


def _has_solver() -> bool:
    try:
        import z3  # noqa: F401
    except ImportError:
        return False
    return True


def _runs_natively() -> bool:
    import platform

    return sys.platform == "linux" and platform.machine() == "x86_64"
