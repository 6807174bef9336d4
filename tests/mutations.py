"""Mutated programs: every language must answer each with a diagnostic or a right program, quickly, and never break.

python tests/mutations.py 20000 [SEED] [--run]     all six languages, that many inputs in all; prints what went wrong

With --run every accepted mutant also runs, in its language's interpreter and natively, and must do the same.  Left out are
those that the interpreter says are broken, those that do not end, those that show where objects lie, and below LA, where
nothing is checked, those that die of an address.
"""

from __future__ import annotations

import contextlib
import random
import re
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import septet
from septet.base.diagnostics import Rejected
from septet.base.words import encode
from septet.link.jit import Loaded
from septet.pipeline import LANGUAGES, NAMED
from septet.runtime.model import Exit, Fault, Inconclusive, Runtime

SECONDS = 2.0
STEPS = 1_000_000
SEGMENTATION_FAULT = 11
STDIN = b"1\n2\n3\n" * 50
NUMBERS = (0, 1, 2, 3, 7, 8, 16, 63, 64, 65, 127, 128, 255, 256, 32768, 65535, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, 2**63)
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


def other_number(text: str, pick: random.Random) -> str:
    """A number where another stood."""
    spots = list(re.finditer(r"(?<![\w%@:.])-?\d+(?![\w.])", text))
    if not spots:
        return text
    spot = pick.choice(spots)
    number = pick.choice((pick.choice(NUMBERS), int(spot[0]) + pick.choice((-1, 1))))
    return text[: spot.start()] + str(pick.choice((number, number, -number))) + text[spot.end() :]


def other_token(text: str, pick: random.Random) -> str:
    """A name, number or symbol where another of its sort stood."""
    tokens = _tokens(text)
    at = pick.randrange(len(tokens))

    def sort(token: str) -> str:
        return token[0] if token[0] in "%@: \n\t" else "name" if token[0].isalnum() else "symbol"

    tokens[at] = pick.choice([token for token in tokens if sort(token) == sort(tokens[at])])
    return "".join(tokens)


def move_line(text: str, pick: random.Random) -> str:
    """A line somewhere near, or twice, or left out."""
    lines = text.splitlines(keepends=True)
    at = pick.randrange(len(lines))
    line = lines[at]
    if pick.random() < 0.7:
        del lines[at]
    if pick.random() < 0.7:
        lines.insert(max(0, at + pick.randrange(-3, 4)), line)
    return "".join(lines)


def full_nesting(text: str, pick: random.Random) -> str:
    """50,000 scopes, or the like, in each other and all closed, at the end of a line."""
    ends = [found.start() for found in re.finditer("\n", text)] or [0]
    at = pick.choice(ends)
    opened, closed = pick.choice(("{}", "{}", "()", "[]"))
    return text[:at] + " " + opened * 50_000 + closed * 50_000 + text[at:]


def long_blank(text: str, pick: random.Random) -> str:
    """A megabyte of blanks, or of a comment, at the end of a line: the program is the same."""
    ends = [found.start() for found in re.finditer("\n", text)] or [0]
    at = pick.choice(ends)
    return text[:at] + pick.choice((" " * 1_000_000, " //" + "x" * 1_000_000)) + text[at:]


def long_name(text: str, pick: random.Random) -> str:
    """A name of 100,000 letters instead of one, everywhere."""
    names = re.findall(r"[A-Za-z_]\w*", text)
    name = pick.choice(names) if names else "x"
    return re.sub(rf"\b{name}\b", name * (100_000 // len(name) // (text.count(name) or 1) + 1), text)


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


COMMON = (flip_byte, drop_token, double_token, swap_tokens, cut, other_number, other_token, other_token, move_line)
RARE = (long_literal, deep_nesting, full_nesting, long_line, long_blank, long_name)


class Different(Exception):
    """A mutant behaves natively otherwise than in its language's interpreter."""


class TooSlow(Exception):
    """An input took longer than it may."""


def _alarm(*_: object) -> None:
    raise TooSlow


def answer(text: str, language: str, run: bool) -> str:
    """How the compiler answers: "rejected", "accepted" or with `run` "run"; what breaks it is raised."""
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        program = septet.compile(text, language=language, opt=0)
        program.codes  # noqa: B018 - compiles every function
    except Rejected as problem:
        problem.render()
        return "rejected"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "run" if run and _runs_alike(program) else "accepted"


def _runs_alike(program: septet.Program) -> bool:
    """Whether a program ends in its language's interpreter; Different where it then does otherwise natively."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        wanted = program.interpret(stdin=STDIN, steps=STEPS)
    except (Fault, TooSlow):
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if wanted.inconclusive:
        return False
    with Loaded(program.image) as loaded:
        native = loaded.capture(STDIN, SECONDS)
    found = (native.stdout.decode("utf-8", "replace"), native.status)
    if native.signal == SEGMENTATION_FAULT and program.language not in ("lb", "la"):
        return False
    if native.timed_out or found != (wanted.stdout, wanted.status):
        if not native.timed_out and any(_elsewhere(program, words) != wanted.stdout for words in (1, 3, 123_457)):
            return False
        raise Different(f"natively {found!r:.100}, interpreted {(wanted.stdout, wanted.status)!r:.100}")
    return True


def _elsewhere(program: septet.Program, words: int) -> str:
    """What the program's interpreter prints where functions, objects and the stack lie elsewhere, by `words`."""
    runtime = Runtime(STDIN, heap_limit=(1 << 29) + (words << 12))
    runtime.allocate(encode(words), 0)
    with contextlib.suppress(Exit, Fault, Inconclusive):
        NAMED[program.language].room("interpret").run(program.stage(program.language), runtime, STEPS)
    return bytes(runtime.output).decode("utf-8", "replace")


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


def trial(language: str, count: int, seed: int = 0, run: bool = False) -> tuple[dict[str, int], list[str]]:
    """Mutate and try `count` programs: how many were rejected, accepted and run, and a line for each that broke something."""
    counts = {"rejected": 0, "accepted": 0, "run": 0}
    broken = []
    for number, (name, text) in enumerate(mutants(language, count, seed)):
        try:
            counts[answer(text, language, run)] += 1
        except (Exception, RecursionError) as problem:  # noqa: BLE001 - whatever it is, it is the finding
            broken.append(f"{language} {number} {name}: {type(problem).__name__}: {problem}"[:300])
    return counts, broken


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument != "--run"]
    total = numbers[0] if numbers else 600
    seed = numbers[1] if len(numbers) > 1 else 0
    began = time.perf_counter()
    found: list[str] = []
    for language in LANGUAGES:
        counts, broken = trial(language, total // len(LANGUAGES), seed, "--run" in sys.argv)
        found += broken
        print(language, counts, f"broken {len(broken)}", flush=True)
    print("\n".join(found[:60]))
    print(f"{len(found)} broken of {total} in {time.perf_counter() - began:.0f} s")
    sys.exit(bool(found))
