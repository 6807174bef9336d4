"""The parts that the statements of LB and LA are read from: operands, types, names and places, and complaints about them.

Names are bound while reading, with one dict that scopes restore when they close; number texts are kept in it too, so that
one look-up serves for nearly every operand.
"""

from __future__ import annotations

from septet.base.diagnostics import did_you_mean
from septet.base.notes import read as read_note
from septet.base.scan import (
    ARROW,
    BRACKETS,
    CLOSE_BRACE,
    CLOSE_BRACKET,
    CLOSE_PAREN,
    COMMA,
    END,
    LABEL,
    NAME,
    NUMBER,
    OPEN_BRACE,
    OPEN_BRACKET,
    OPEN_PAREN,
    OPERATOR,
    Scanner,
    SyntaxProblem,
    literal,
)  # fmt: skip
from septet.base.source import span
from septet.base.types import CODE, INT64, TUPLE, VOID, Type, array
from septet.ops import table as ops
from septet.ops.statements import Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.scan import Tokens
    from septet.base.source import Place
    from septet.ops.table import Op

    Operand = Variable | int | str

TYPE, NO_TYPE, RETURN, WORD, FIRST_FREE = range(20, 25)  # kinds of keywords; a language's own start at FIRST_FREE
KINDS = 32
IS_NAME = [kind == NAME or kind >= TYPE for kind in range(KINDS)]
PATTERN = r"//[^\n]*|:[A-Za-z_]\w*|[A-Za-z_]\w*|\d+|<-|<<|>>|<=|>=|\[\]|\S"
OPERATORS: dict[str, Op] = {
    op.symbol: op for op in (ops.ADD, ops.SUB, ops.MUL, ops.AND, ops.SHL, ops.SHR, ops.LT, ops.LE, ops.EQ, ops.GE, ops.GT)
}
WORDS = {"int64": TYPE, "tuple": TYPE, "code": TYPE, "void": NO_TYPE, "return": RETURN, "length": WORD, "new": WORD}
TYPES = {"int64": INT64, "tuple": TUPLE, "code": CODE, "void": VOID}


def scanner(keywords: dict[str, int]) -> Scanner:
    """The scanner of a language that has the shared words and `keywords`, each of its own kind."""
    made = Scanner(PATTERN, " ".join(OPERATORS))
    made.kinds = {**made.kinds, **WORDS, **keywords}
    return made


class Parts:
    """A position-free reader of the parts of statements: its methods take the index of a token."""

    __slots__ = (
        "tokens", "kinds", "texts", "lines", "names", "get", "own", "at", "failed", "first", "notes", "noted", "columns",
        "column_line",
    )  # fmt: skip

    def __init__(self, tokens: Tokens, notes: bool) -> None:
        self.tokens = tokens
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.lines = tokens.lines
        for _ in range(5):  # so that looking ahead needs no test for the end
            self.kinds.append(END)
            self.texts.append("")
            self.lines.append(self.lines[-1])
        self.names: dict[str, Variable | int] = {}  # what a text stands for as an operand
        self.get = self.names.get
        self.own: dict[str, tuple[int, Variable | int | None]] = {}  # declared in this scope: its token, what it hides
        self.at = 0  # where reading goes on, for what returns something else
        self.failed = 0  # the token complained about when SyntaxProblem was raised
        self.first = 1  # the line in this text of the function's header
        self.notes = tokens.notes if notes else {}
        self.noted: dict[int, int] = {}  # the span that a line's note tells
        self.columns: list[int] = []  # of the tokens on line `column_line`, after the index of the first
        self.column_line = 0
        for line, text in self.notes.items():
            place = read_note(text)[0]
            if place:
                self.noted[line] = place

    # Complaining

    def fail(self, index: int, what: str, hint: str = "") -> SyntaxProblem:
        """Note that `what` was expected at token `index`; gives the exception to raise."""
        return self.problem(index, f"expected {what}, found {self.tokens.spelled(index)}", hint)

    def problem(self, index: int, message: str, hint: str = "", *also: tuple[Place, str]) -> SyntaxProblem:
        """Complain about token `index`; gives the exception to raise."""
        self.failed = index
        self.tokens.complain(index, message, hint, *also)
        return SyntaxProblem()

    def resume(self, start: int) -> int:
        """Where to go on after a problem in the statement that starts at token `start`: the next brace or line."""
        kinds, lines = self.kinds, self.lines
        at = max(self.failed, start)
        if at > start and lines[at] != lines[at - 1]:
            return at
        line = lines[at]
        if at == start and kinds[at] != END:
            at += 1
        while lines[at] == line and kinds[at] not in (OPEN_BRACE, CLOSE_BRACE, END):
            at += 1
        return at

    # Places

    def place(self, index: int) -> int:
        """The span of token `index`, which may stand anywhere in its line."""
        line = self.lines[index]
        found = self.noted.get(line)
        return found if found else span(line - self.first, self.column(index))

    def column(self, index: int) -> int:
        """The column of token `index`; one scan of its line serves all its tokens."""
        line = self.lines[index]
        if line != self.column_line:
            from bisect import bisect_left

            self.column_line = line
            text = self.tokens.source.lines[line - 1]
            self.columns = [match.start() + 1 for match in self.tokens.scanner.match(text)]
            self.columns.insert(0, bisect_left(self.lines, line))
        nth = index - self.columns[0] + 1
        return self.columns[nth] if nth < len(self.columns) else len(self.tokens.source.lines[line - 1]) + 1

    # Operands

    def operand(self, i: int) -> Operand:
        """The variable, number or function name at token `i`; sets `at`."""
        text = self.texts[i]
        kind = self.kinds[i]
        self.at = i + 1
        if kind == NUMBER:
            return self.number(i, negative=False)
        if IS_NAME[kind]:
            return self.get(text, text)
        if (text == "-" or text == "+") and self.kinds[i + 1] == NUMBER:
            return self.number(i + 1, text == "-")
        raise self.fail(i, "a variable, a number or a function")

    def number(self, i: int, negative: bool) -> int:
        """The number token `i` spells, which a minus sign may stand before; sets `at`."""
        text = self.texts[i]
        value = literal(text)
        self.at = i + 1
        if value is not None:
            if negative:
                value = -value
            if INT64.low <= value <= INT64.high:
                if not negative:
                    self.names[text] = value
                return value
        self.tokens.complain(i - negative, f"the number does not fit: it must be between {INT64.low} and {INT64.high}")
        return 0

    def is_operand(self, i: int) -> bool:
        """Whether an optional operand, rather than the next statement, is at token `i`."""
        kinds = self.kinds
        if not IS_NAME[kinds[i]]:
            return kinds[i] == NUMBER or kinds[i] == OPERATOR and kinds[i + 1] == NUMBER
        if self.lines[i] != self.lines[i + 1]:
            return True
        after = kinds[i + 1]
        if after in (ARROW, OPEN_PAREN, OPEN_BRACKET, BRACKETS):
            return False
        return not IS_NAME[after] and after != LABEL or self.get(self.texts[i]) is not None

    def variable(self, i: int) -> Variable:
        """The variable that token `i` names, which must be one."""
        text = self.texts[i]
        if not IS_NAME[self.kinds[i]]:
            raise self.fail(i, "a variable")
        found = self.get(text)
        if found is None:
            known = [name for name in self.names if not name[0].isdigit()]
            self.tokens.complain(i, f"there is no variable '{text[:200]}' here", did_you_mean(text, known))
            found = self.names[text] = Variable(text, INT64)  # complain once
        return found  # type: ignore[return-value]

    def indices(self, i: int) -> list[Operand]:
        """`[t]...` from token `i` on, which is a bracket; sets `at`."""
        kinds, texts, get = self.kinds, self.texts, self.get
        found: list[Operand] = []
        while kinds[i] == OPEN_BRACKET:
            value: Operand | None = get(texts[i + 1])
            i += 2
            if value is None:
                value = self.operand(i - 1)
                i = self.at
            if kinds[i] != CLOSE_BRACKET:
                raise self.fail(i, "']'")
            found.append(value)
            i += 1
        self.at = i
        return found

    def arguments(self, i: int) -> list[Operand]:
        """`t, ...)` from token `i` on, which follows the parenthesis; sets `at`."""
        kinds, texts, get = self.kinds, self.texts, self.get
        found: list[Operand] = []
        if kinds[i] == CLOSE_PAREN:
            self.at = i + 1
            return found
        while True:
            value: Operand | None = get(texts[i])
            i += 1
            if value is None:
                value = self.operand(i - 1)
                i = self.at
            found.append(value)
            kind = kinds[i]
            if kind == CLOSE_PAREN:
                self.at = i + 1
                return found
            if kind != COMMA:
                raise self.fail(i, "',' or ')'")
            i += 1

    # Types and names

    def type(self, i: int, what: str = "a type") -> Type:
        """The type at token `i`; sets `at`."""
        kinds = self.kinds
        if kinds[i] != TYPE and kinds[i] != NO_TYPE:
            raise self.fail(i, what, did_you_mean(self.texts[i], TYPES))
        at = i + 1
        while kinds[at] == BRACKETS:
            at += 1
        self.at = at
        found = TYPES[self.texts[i]]
        if at == i + 1:
            return found
        if found is not INT64:
            raise self.problem(i + 1, f"there are no arrays of {found.name}", "arrays hold int64; a tuple holds anything")
        return array(at - i - 1)

    def declare(self, i: int, type: Type, place: int) -> Variable:
        """Make a variable of the name at token `i`."""
        text = self.texts[i]
        if not IS_NAME[self.kinds[i]]:
            raise self.fail(i, "the name of a variable")
        if text in self.own:
            also = (self.tokens.place(self.own[text][0]), "it is declared here already")
            self.tokens.complain(i, f"'{text[:200]}' is declared twice", "", also)
        else:
            self.own[text] = (i, self.names.get(text))
        made = self.names[text] = Variable(text, type, place)
        return made

    def parameters(self, i: int, place: int) -> list[Variable]:
        """`(type x, ...)`; sets `at`."""
        kinds = self.kinds
        if kinds[i] != OPEN_PAREN:
            raise self.fail(i, "'('")
        found: list[Variable] = []
        i += 1
        if kinds[i] == CLOSE_PAREN:
            self.at = i + 1
            return found
        while True:
            type = self.type(i)
            if type is VOID:
                raise self.fail(i, "the type of a parameter")
            i = self.at
            found.append(self.declare(i, type, place))
            kind = kinds[i + 1]
            i += 2
            if kind == CLOSE_PAREN:
                self.at = i
                return found
            if kind != COMMA:
                raise self.fail(i - 1, "',' or ')'")

    def restore(self) -> None:
        """Forget what this scope declared."""
        names = self.names
        for name, (_, hidden) in self.own.items():
            if hidden is None:
                del names[name]
            else:
                names[name] = hidden
