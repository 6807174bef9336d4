"""Command-line arguments from a table: parsing, help, and what to say when they are wrong.

`argparse` would cost more to import than a small program takes to compile and run.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Usage(Exception):  # noqa: N818
    """The arguments are wrong; the text says how."""


class Option:
    """`-o OUT`: its spellings, the name of its value (`""`: it has none), what it does, and the values it may have."""

    __slots__ = ("spellings", "metavar", "about", "choices")

    def __init__(self, spellings: str, about: str, metavar: str = "", choices: Sequence[str] = ()) -> None:
        self.spellings = spellings.split()
        self.metavar = metavar or ("|".join(choices) if choices else "")
        self.about = about
        self.choices = choices

    @property
    def key(self) -> str:
        """The name its value is found under: the longest spelling without dashes."""
        return max(self.spellings, key=len).lstrip("-")


class Command:
    """A command: what it is called, does, takes (`least` to `most` operands), and its options."""

    __slots__ = ("name", "about", "operands", "options", "most", "least")

    def __init__(self, name: str, about: str, operands: str, options: Sequence[Option], most: int = 1, least: int = 1) -> None:
        self.name = name
        self.about = about
        self.operands = operands
        self.options = options
        self.most = most
        self.least = least

    def help(self) -> str:
        """The text for `--help`."""
        rows = [(", ".join(o.spellings) + (f" {o.metavar}" if o.metavar else ""), o.about) for o in self.options]
        rows.append(("-h, --help", "show this text"))
        width = max(len(left) for left, _ in rows)
        lines = [f"usage: {self.name} {self.operands} [options]", "", self.about, "", "options:"]
        return "\n".join(lines + [f"  {left:{width}}  {right}" for left, right in rows])

    def parse(self, words: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
        """The operands and the options' values, in order, of `words`.  Usage where they do not fit."""
        operands: list[str] = []
        values: dict[str, list[str]] = {}
        rest = list(reversed(words))
        while rest:
            word = rest.pop()
            if word == "--":
                operands += reversed(rest)
                break
            if not word.startswith("-") or word == "-":
                operands.append(word)
                continue
            option, value = self._match(word)
            if option.metavar:
                if value is None:
                    if not rest:
                        raise Usage(f"{word} needs a value: {option.metavar}")
                    value = rest.pop()
                if option.choices and value not in option.choices:
                    raise Usage(f"{word}: {value!r} is not one of {', '.join(option.choices)}")
            elif value is not None:
                raise Usage(f"{word.partition('=')[0]} takes no value")
            values.setdefault(option.key, []).append(value or "")
        if "help" not in values:
            if len(operands) < self.least:
                raise Usage(f"what file? usage: {self.name} {self.operands}")
            if len(operands) > self.most:
                raise Usage(f"one file at a time: {operands[self.most]!r} is one too many")
        return operands, values

    def _match(self, word: str) -> tuple[Option, str | None]:
        head, equals, tail = word.partition("=")
        for option in (*self.options, Option("-h --help", "")):
            if word in option.spellings:
                return option, None
            if equals and head in option.spellings and head.startswith("--"):
                return option, tail
            if option.metavar and not word.startswith("--") and word[:2] in option.spellings:
                return option, word[2:]
        from septet.base.diagnostics import did_you_mean

        hint = did_you_mean(head, [s for o in self.options for s in o.spellings])
        raise Usage(f"no option {head!r}" + (f"; {hint}" if hint else f"; see {self.name} --help"))
