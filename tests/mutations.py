"""Mutated programs: every language must answer each with a diagnostic or a right program, quickly, and never break.

python tests/mutations.py 20000        all six languages, that many inputs in all; prints what went wrong and a count
"""

from __future__ import annotations

import random
import re
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import septet
from septet.base.diagnostics import Rejected
from septet.pipeline import LANGUAGES

SECONDS = 2.0
TOKEN = re.compile(r"\s+|[%@:]?\w+|<-|<<|>>|<=|>=|.", re.ASCII)
PROGRAMS = Path(__file__).parent / "programs"


def flip_byte(text: str, pick: random.Random) -> str:
    """One character replaced by any byte."""
    at = pick.randrange(len(text))
    return text[:at] + chr(pick.randrange(256)) + text[at + 1 :]


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(text)


def drop_token(text: str, pick: random.Random) -> str:
    """One token left out."""
    tokens = _tokens(text)
    del tokens[pick.randrange(len(tokens))]
    return "".join(tokens)


def double_token(text: str, pick: random.Random) -> str:
    """One token twice."""
    tokens = _tokens(text)
    at = pick.randrange(len(tokens))
    tokens.insert(at, tokens[at] + " ")
    return "".join(tokens)


def swap_tokens(text: str, pick: random.Random) -> str:
    """Two tokens exchanged."""
    tokens = _tokens(text)
    a, b = pick.randrange(len(tokens)), pick.randrange(len(tokens))
    tokens[a], tokens[b] = tokens[b], tokens[a]
    return "".join(tokens)


def long_literal(text: str, pick: random.Random) -> str:
    """A number of 5,000 digits where one stood."""
    spots = list(re.finditer(r"(?<![\w%@:])\d+", text))
    if not spots:
        return text + "9" * 5000
    spot = pick.choice(spots)
    return text[: spot.start()] + "7" * 5000 + text[spot.end() :]


def deep_nesting(text: str, pick: random.Random) -> str:
    """100,000 openings of one kind in the middle."""
    at = pick.randrange(len(text))
    return text[:at] + pick.choice("({[") * 100_000 + text[at:]


def long_line(text: str, pick: random.Random) -> str:
    """A line of a megabyte."""
    at = pick.randrange(len(text))
    return text[:at] + pick.choice(("x ", "+1 ", "a", "7,", "// ")) * 350_000 + text[at:]


def cut(text: str, pick: random.Random) -> str:
    """The end left out."""
    return text[: pick.randrange(len(text))]


COMMON = (flip_byte, drop_token, double_token, swap_tokens, cut)
RARE = (long_literal, deep_nesting, long_line)


class TooSlow(Exception):
    """An input took longer than it may."""


def _alarm(*_: object) -> None:
    raise TooSlow


def answer(text: str, language: str, run: bool) -> str:
    """How the compiler answers: "rejected" or "accepted"; what breaks it is raised."""
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        program = septet.compile(text, language=language, opt=0)
        program.codes  # noqa: B018 - compiles every function
        if run:
            native = program.run(stdin=b"1\n2\n3\n" * 50, capture=True)
            assert native.status is not None
        return "accepted"
    except Rejected as problem:
        problem.render()
        return "rejected"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def corpus(language: str) -> list[str]:
    """The programs to mutate: ours in that language, and LB ones lowered to it."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(PROGRAMS.glob(f"*.{language}"))]
    if language != "lb":
        for path in sorted(PROGRAMS.glob("*.lb"))[::4]:
            program = septet.read(str(path), opt=0)
            texts.append(program.text(language, notes=len(texts) % 2 == 0))
    return [text for text in texts if len(text) < 20_000]


def mutants(language: str, count: int, seed: int = 0) -> list[tuple[str, str]]:
    """`count` mutated programs of `language`, each with the name of its last mutation; the same on every run."""
    pick = random.Random(f"{language} {seed}")
    texts = corpus(language)
    made = []
    for number in range(count):
        text = pick.choice(texts)
        mutation = pick.choice(RARE) if number % 50 == 0 else pick.choice(COMMON)
        for _ in range(pick.randrange(1, 4) if mutation in COMMON else 1):
            text = mutation(text, pick) or " "
            name = mutation.__name__
            mutation = pick.choice(COMMON)
        made.append((name, text))
    return made


def trial(language: str, count: int, seed: int = 0) -> tuple[dict[str, int], list[str]]:
    """Mutate and try `count` programs: how many were rejected and accepted, and a line for each that broke something."""
    counts = {"rejected": 0, "accepted": 0}
    broken = []
    for number, (name, text) in enumerate(mutants(language, count, seed)):
        try:
            counts[answer(text, language, run=False)] += 1
        except (Exception, RecursionError) as problem:  # noqa: BLE001 - whatever it is, it is the finding
            broken.append(f"{language} {number} {name}: {type(problem).__name__}: {problem}"[:300])
    return counts, broken


if __name__ == "__main__":
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    began = time.perf_counter()
    found: list[str] = []
    for language in LANGUAGES:
        counts, broken = trial(language, total // len(LANGUAGES), seed)
        found += broken
        print(language, counts, f"broken {len(broken)}", flush=True)
    print("\n".join(found[:60]))
    print(f"{len(found)} broken of {total} in {time.perf_counter() - began:.0f} s")
    sys.exit(bool(found))
