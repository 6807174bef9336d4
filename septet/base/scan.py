"""From text to tokens, for all six languages: parallel lists, one `findall` a line.

A token is known by its index.  `kinds[i]` is a small int, `texts[i]` the text, `lines[i]` the line, 1-based; columns are
found again on demand.  The lists end with one `END` token.  Comments are dropped; trailing `//@` notes are kept by line.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from septet.base.diagnostics import MOST, Diagnostic, Rejected
from septet.base.source import Place, Source
from septet.base.symbols import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

END, NAME, NUMBER, VARIABLE, FUNCTION, LABEL, STRING, FLOAT, BAD, ARROW, OPERATOR, PUNCTUATION = range(12)
OPEN_BRACKET, CLOSE_BRACKET, OPEN_PAREN, CLOSE_PAREN, OPEN_BRACE, CLOSE_BRACE, COMMA, BRACKETS = range(12, 20)
SYMBOLS: dict[str, int] = {
    "<-": ARROW,
    "[": OPEN_BRACKET,
    "]": CLOSE_BRACKET,
    "(": OPEN_PAREN,
    ")": CLOSE_PAREN,
    "{": OPEN_BRACE,
    "}": CLOSE_BRACE,
    ",": COMMA,
    "[]": BRACKETS,
}
NOTE = "//@"


class _Kinds(dict[str, int]):
    """The kind of each token text; what is not in the table is classified once, by its first character."""

    __slots__ = ()

    def __missing__(self, text: str) -> int:
        first = text[0]
        if "0" <= first <= "9":
            kind = NUMBER if text.isdigit() or text.startswith("0x") and "." not in text else FLOAT
        elif first.isalpha() or first == "_":
            kind = NAME
        elif len(text) > 1 and first in "%@:":
            kind = VARIABLE if first == "%" else FUNCTION if first == "@" else LABEL
        elif first == '"':
            kind = STRING
        else:
            kind = BAD
        self[text] = kind
        return kind


class Scanner:
    """How a language is cut into tokens: a pattern for one token, and the kinds of its symbols."""

    __slots__ = ("find", "match", "kinds")

    def __init__(self, pattern: str, operators: str) -> None:
        """`pattern` must match every character that is not a blank; `operators` are the operator tokens, blank-separated."""
        compiled = re.compile(pattern, re.ASCII)
        self.find = compiled.findall
        self.match = compiled.finditer
        self.kinds: Mapping[str, int] = SYMBOLS | dict.fromkeys(operators.split(), OPERATOR)

    def scan(self, source: Source) -> Tokens:
        """The tokens of `source`.  Never fails: what belongs to no token is a `BAD` one."""
        texts: list[str] = []
        lines: list[int] = []
        notes: dict[int, str] = {}
        find = self.find
        number = 0
        for line in source.lines:
            number += 1
            found = find(line)
            if not found:
                continue
            if found[-1][:2] == "//":
                comment = found.pop()
                if comment[:3] == NOTE:
                    notes[number] = comment[3:].strip()
            texts += found
            lines += [number] * len(found)
        kinds = list(map(_Kinds(self.kinds).__getitem__, texts))
        kinds.append(END)
        texts.append("")
        lines.append(max(number, 1))
        return Tokens(self, source, kinds, texts, lines, notes)


class Tokens:
    """The tokens of one source, and what parsers need to complain about them."""

    __slots__ = ("scanner", "source", "kinds", "texts", "lines", "notes", "diagnostics")

    def __init__(
        self,
        scanner: Scanner,
        source: Source,
        kinds: list[int],
        texts: list[str],
        lines: list[int],
        notes: dict[int, str],
    ) -> None:
        self.scanner = scanner
        self.source = source
        self.kinds = kinds
        self.texts = texts
        self.lines = lines
        self.notes = notes  # text of the //@ note of a line, without the //@
        self.diagnostics: list[Diagnostic] = []

    def place(self, index: int) -> Place:
        """Where token `index` stands."""
        line = self.lines[index]
        text = self.source.lines[line - 1]
        if self.kinds[index] == END:
            return Place(self.source, line, len(text) + 1)
        nth = index - bisect_left(self.lines, line)
        for n, match in enumerate(self.scanner.match(text)):
            if n == nth:
                return Place(self.source, line, match.start() + 1, len(match[0]))
        raise AssertionError(f"token {index} is not on line {line}")

    def column(self, index: int) -> int:
        """The column of token `index`, 1-based; quick where it is the first of its line."""
        lines = self.lines
        line = lines[index]
        if index == 0 or lines[index - 1] != line:
            text = self.source.lines[line - 1]
            return len(text) - len(text.lstrip()) + 1
        return self.place(index).column

    def complain(self, index: int, message: str, hint: str = "", *also: tuple[Place, str]) -> None:
        """Note that something is wrong at token `index`; raises Rejected when there are more complaints than anyone reads."""
        self.diagnostics.append(Diagnostic(message, self.place(index), hint, also))
        if len(self.diagnostics) > MOST:
            raise Rejected(self.diagnostics)

    def spelled(self, index: int) -> str:
        """How to speak of token `index` in a message."""
        if self.kinds[index] == END:
            return "the end of the file"
        text = self.texts[index]
        return f"'{text if len(text) <= 40 else text[:37] + '...'}'"

    def wanted(self, index: int, what: str) -> None:
        """Complain that `what` was expected where token `index` stands."""
        self.complain(index, f"expected {what}, found {self.spelled(index)}")

    def next_line(self, index: int) -> int:
        """The index of the first token on a later line than token `index`'s."""
        return min(bisect_left(self.lines, self.lines[index] + 1, index), len(self.kinds) - 1)

    def reject(self) -> None:
        """Raise Rejected if anything was complained about."""
        if self.diagnostics:
            raise Rejected(self.diagnostics)


class SyntaxProblem(Exception):
    """Raised inside a parser after the complaint was noted, to get to where parsing can go on."""


class Cursor:
    """A position in tokens, for the parsers that need not be the fastest: IR, L3, L2 and L1."""

    __slots__ = ("tokens", "kinds", "texts", "at")

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.at = 0

    @property
    def kind(self) -> int:
        """The kind of the token here."""
        return self.kinds[self.at]

    @property
    def text(self) -> str:
        """The text of the token here."""
        return self.texts[self.at]

    @property
    def line(self) -> int:
        """The line of the token here."""
        return self.tokens.lines[self.at]

    def same_line(self) -> bool:
        """Whether the token here stands on the line of the one before it."""
        return self.at > 0 and self.tokens.lines[self.at] == self.tokens.lines[self.at - 1]

    def accept(self, text: str) -> bool:
        """Step over the token here if it is `text`."""
        if self.texts[self.at] == text and self.kinds[self.at] != END:
            self.at += 1
            return True
        return False

    def braced(self) -> str:
        """The text of numbers between braces, with commas between them and perhaps signs: the lanes of a vector."""
        start = self.at
        self.expect("{")
        while True:
            if self.text in ("-", "+"):
                self.at += 1
            if self.kind not in (NUMBER, FLOAT):
                self.fail("a number")
            self.at += 1
            if not self.accept(","):
                break
        self.expect("}")
        return "".join(self.texts[start : self.at])

    def expect(self, text: str) -> None:
        """Step over `text`, or complain and raise SyntaxProblem."""
        if not self.accept(text):
            self.fail(f"'{text}'")

    def take(self, kind: int, what: str) -> str:
        """The text of the token here, of `kind`, stepped over; or complain that `what` was expected."""
        if self.kinds[self.at] != kind:
            self.fail(what)
        self.at += 1
        return self.texts[self.at - 1]

    def fail(self, what: str) -> None:
        """Complain that `what` was expected here, and raise SyntaxProblem."""
        self.tokens.wanted(self.at, what)
        raise SyntaxProblem

    def number(self, what: str = "a number", low: int = -(1 << 63), high: int = (1 << 63) - 1) -> int:
        """An integer literal, sign included, between `low` and `high`."""
        start = self.at
        negative = False
        if self.text in ("-", "+"):
            negative = self.text == "-"
            self.at += 1
        if self.kind != NUMBER:
            self.at = start
            self.fail(what)
        value = literal(self.text)
        if value is None or not low <= (value := -value if negative else value) <= high:
            self.tokens.complain(start, f"the number does not fit: it must be between {low} and {high}")
            raise SyntaxProblem
        self.at += 1
        return value


def line_operand(cursor: Cursor, low: int = 0) -> Line:
    """What follows the word `line`: a relative line from `low` on, and `of @f` where it is not one of the function here."""
    number = cursor.number("a line, counted from the function's first,", low, 1 << 31)
    if cursor.text == "of" and cursor.kinds[cursor.at + 1] == FUNCTION:
        cursor.at += 2
        return Line(number, cursor.texts[cursor.at - 1][1:])
    return Line(number)


def literal(text: str) -> int | None:
    """The number that `text` (decimal, or hexadecimal after 0x) spells; None where it has over 64 significant bits."""
    digits = text.lstrip("0")
    if text.startswith("0x"):
        return int(text, 16) if len(text) <= 18 else None
    return int(digits or "0") if len(digits) <= 20 else None


PERCENT = r"//[^\n]*|\"(?:[^\"\\]|\\.)*\"|[%@:][A-Za-z_]\w*|[A-Za-z_]\w*(?:-[A-Za-z]\w*)*|" + (
    r"0x[0-9A-Fa-f]+|\d+(?:\.\d*(?:[eE][-+]?\d+)?|[eE][-+]?\d+)?|<-|<<|>>|<=|>=|!=|\+\+|--|\+=|-=|\*=|&=|\[\]|\S"
)
"""The tokens of IR, L3, L2 and L1, which mark variables with %, functions with @ and labels with a colon."""
