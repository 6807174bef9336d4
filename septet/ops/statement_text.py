"""The text of the statements that LB and LA share: reading them at speed, and printing them.

A statement's shape is decided by the kinds of its first tokens; no word is reserved, so a keyword followed by `<-`, `(` or
`[` is a name.  Names are bound while reading, with one dict that scopes restore when they close; number texts are kept in
it too, so that one look-up serves for nearly every operand.
"""

from __future__ import annotations

from septet.base.diagnostics import did_you_mean
from septet.base.notes import number as note_number
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
from septet.base.source import COLUMN_BITS, COLUMN_MASK, span
from septet.base.types import CODE, INT64, TUPLE, VOID, Type, array
from septet.ops import table as ops
from septet.ops.statements import (
    Assign,
    Call,
    Declare,
    Jump,
    Label,
    Length,
    Load,
    NewArray,
    NewTuple,
    Operate,
    Return,
    RuntimeCall,
    Statement,
    Store,
    Variable,
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.scan import Tokens
    from septet.base.source import Place
    from septet.ops.table import Op

    Operand = Variable | int | str
    Handler = Callable[[int, int], int]
    Read = tuple[str, Type, list[Variable], list[Statement], int, int]  # what a Function is made of

TYPE, NO_TYPE, RETURN, WORD, FIRST_FREE = range(20, 25)  # kinds of keywords; a language's own start at FIRST_FREE
KINDS = 32
IS_NAME = [kind == NAME or kind >= TYPE for kind in range(KINDS)]
PATTERN = r"//[^\n]*|:[A-Za-z_]\w*|[A-Za-z_]\w*|\d+|<-|<<|>>|<=|>=|\[\]|\S"
OPERATORS: dict[str, Op] = {
    op.symbol: op
    for op in (ops.ADD, ops.SUB, ops.MUL, ops.AND, ops.SHL, ops.SHR, ops.LT, ops.LE, ops.EQ, ops.GE, ops.GT)
}
WORDS = {"int64": TYPE, "tuple": TYPE, "code": TYPE, "void": NO_TYPE, "return": RETURN, "length": WORD, "new": WORD}
UNUSUAL = frozenset((OPEN_PAREN, ARROW, BRACKETS))  # what makes `x <- t` something else, operators and indices apart
TYPES = {"int64": INT64, "tuple": TUPLE, "code": CODE, "void": VOID}


def scanner(keywords: dict[str, int]) -> Scanner:
    """The scanner of a language that has the shared words and `keywords`, each of its own kind."""
    made = Scanner(PATTERN, " ".join(OPERATORS))
    made.kinds = {**made.kinds, **WORDS, **keywords}
    return made


class Reader:
    """Reads functions of shared statements.  A language adds handlers to `starts`, by the kind of a statement's first token.

    A handler is given the index of that token and the statement's span, adds to the body, and returns the index of what
    follows, or -1 with `at` set when the function has ended.
    """

    __slots__ = (
        "tokens", "kinds", "texts", "lines", "names", "get", "own", "body", "add", "starts", "at", "failed", "first",
        "notes", "noted", "columns", "column_line",
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
        self.body: list[Statement] = []
        self.add = self.body.append
        self.at = 0  # where reading goes on, for what returns something else
        self.failed = 0  # the token complained about when SyntaxProblem was raised
        self.first = 1  # the line in this text of the function's header
        self.notes = tokens.notes if notes else {}
        self.noted: dict[int, int] = {}  # the span that a line's note tells
        self.columns: list[int] = []  # of the tokens on line `column_line`
        self.column_line = 0
        for line, text in self.notes.items():
            place = read_note(text)[0]
            if place:
                self.noted[line] = place
        self.starts: list[Handler] = [self.no_statement] * KINDS
        self.starts[NAME] = self.named
        self.starts[TYPE] = self.declaration
        self.starts[NO_TYPE] = self.void
        self.starts[WORD] = self.named
        self.starts[RETURN] = self.return_
        self.starts[LABEL] = self.label
        self.starts[CLOSE_BRACE] = self.close
        self.starts[END] = self.unclosed

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

    # Statements

    def statements(self, i: int) -> int:
        """Read from token `i` to the brace that closes the function; gives the index of what follows."""
        kinds, lines, starts, noted = self.kinds, self.lines, self.starts, self.noted
        texts = self.tokens.source.lines
        first = self.first
        while i >= 0:
            line = lines[i]
            if lines[i - 1] != line:
                text = texts[line - 1]
                column = len(text) - len(text.lstrip()) + 1
                place = (line - first << COLUMN_BITS) + (column if column < COLUMN_MASK else COLUMN_MASK)
                if noted:
                    place = noted.get(line, place)
            else:
                place = self.place(i)
            try:
                i = starts[kinds[i]](i, place)
            except SyntaxProblem:
                i = self.resume(i)
        return self.at

    def named(self, i: int, place: int) -> int:
        """A statement that starts with a name: `x <- ...`, `f(...)` or `a[t] <- ...`."""
        kinds = self.kinds
        if kinds[i + 1] != ARROW:
            return self.call_or_store(i, place)
        texts = self.texts
        get = self.get
        target = get(texts[i])
        value = get(texts[i + 2])
        if value is None or target is None:
            return self.assignment(i, place)
        kind = kinds[i + 3]
        if kind == OPERATOR:
            right = get(texts[i + 4])
            if right is None:
                right = self.operand(i + 4)
                self.add(Operate(target, OPERATORS[texts[i + 3]], value, right, place))  # type: ignore[arg-type]
                return self.at
            self.add(Operate(target, OPERATORS[texts[i + 3]], value, right, place))  # type: ignore[arg-type]
            return i + 5
        if kind == OPEN_BRACKET:
            if kinds[i + 2] == NUMBER:
                raise self.fail(i + 3, "an operator")
            indices = self.indices(i + 3)
            self.add(Load(target, value, indices, place))  # type: ignore[arg-type]
            return self.at
        if kind in UNUSUAL or kinds[i + 2] == WORD:
            return self.assignment(i, place)
        self.add(Assign(target, value, place))  # type: ignore[arg-type]
        return i + 3

    def assignment(self, i: int, place: int) -> int:
        """Any statement that starts with `x <-`."""
        kinds, texts = self.kinds, self.texts
        target = self.variable(i)
        first = i + 2
        text = texts[first]
        if IS_NAME[kinds[first]]:
            kind = kinds[first + 1]
            if kind == OPEN_PAREN:
                self.call(target, first, place)
                return self.at
            if kind == OPEN_BRACKET:
                base = self.variable(first)
                self.add(Load(target, base, self.indices(first + 1), place))
                return self.at
            if IS_NAME[kind] and kinds[first] == WORD:
                if self.get(text) is None or self.lines[first] == self.lines[first + 1]:
                    return self.length(target, first, place) if text == "length" else self.new(target, first, place)
        left = self.operand(first)
        after = self.at
        kind = kinds[after]
        if kind == OPERATOR:
            right = self.operand(after + 1)
            self.add(Operate(target, OPERATORS[texts[after]], left, right, place))
        elif kind == ARROW:
            right = self.less_than_negative(i, after)
            self.add(Operate(target, ops.LT, left, right, place))
        elif kind == BRACKETS:
            raise self.fail(after, "an index")
        elif kind == OPEN_BRACKET or kind == OPEN_PAREN:
            raise self.fail(after, "an operator")
        else:
            self.add(Assign(target, left, place))
        return self.at

    def less_than_negative(self, start: int, arrow: int) -> int:
        """The number in `x <- y <-5`, which means y < -5: token `arrow` is its `<-`."""
        lines = self.lines
        if lines[start] == lines[arrow] and self.kinds[arrow + 1] == NUMBER:
            return self.number(arrow + 1, negative=True)
        if lines[start] != lines[arrow - 1]:
            raise self.fail(arrow - 1, "a value after '<-'")
        raise self.fail(arrow, "an operator or the next statement")

    def call_or_store(self, i: int, place: int) -> int:
        """`f(...)` or `a[t]... <- t`; or no statement at all."""
        kind = self.kinds[i + 1]
        if kind == OPEN_PAREN:
            self.call(None, i, place)
            return self.at
        if kind == OPEN_BRACKET:
            base = self.variable(i)
            indices = self.indices(i + 1)
            if self.kinds[self.at] != ARROW:
                raise self.fail(self.at, "'<-'")
            self.add(Store(base, indices, self.operand(self.at + 1), place))
            return self.at
        return self.no_statement(i, place)

    def no_statement(self, i: int, place: int) -> int:
        """Complain about what stands where a statement should."""
        texts, kinds = self.texts, self.kinds
        if IS_NAME[kinds[i]]:
            if texts[i + 1] == "=":
                raise self.fail(i + 1, "'<-'", "assignment is written '<-'; '=' compares")
            if IS_NAME[kinds[i + 1]] and self.lines[i] == self.lines[i + 1]:
                hint = did_you_mean(texts[i], ("int64", "tuple", "code"))
                raise self.problem(i, f"{self.tokens.spelled(i)} is not a type or the start of a statement", hint)
            if kinds[i + 1] == BRACKETS:
                raise self.fail(i + 1, "an index")
            raise self.fail(i + 1, "'<-', '(' or '[' after a name")
        raise self.fail(i, "a statement")

    def call(self, target: Variable | None, i: int, place: int) -> None:
        """`f(...)`, token `i` being the callee's name."""
        text = self.texts[i]
        args = self.arguments(i + 2)
        if text == "print" or text == "input":
            self.add(RuntimeCall(target, text, args, place))
        else:
            self.add(Call(target, self.get(text, text), args, place))  # type: ignore[arg-type]

    def length(self, target: Variable, i: int, place: int) -> int:
        """`length a t?`; the dimension stands on the same line."""
        base = self.variable(i + 1)
        self.at = i + 2
        dimension = self.operand(i + 2) if self.lines[i + 2] == self.lines[i + 1] and self.is_operand(i + 2) else None
        self.add(Length(target, base, dimension, place))
        return self.at

    def new(self, target: Variable, i: int, place: int) -> int:
        """`new Array(...)` or `new Tuple(t)`."""
        text = self.texts[i + 1]
        if text != "Array" and text != "Tuple":
            raise self.fail(i + 1, "'Array' or 'Tuple' after 'new'")
        if self.kinds[i + 2] != OPEN_PAREN:
            raise self.fail(i + 2, "'('")
        sizes = self.arguments(i + 3)
        if text == "Array":
            if not sizes:
                raise self.fail(i + 3, "the size of a dimension")
            self.add(NewArray(target, sizes, place))
        elif len(sizes) != 1:
            raise self.problem(i + 3, f"a tuple has one size, not {len(sizes)}")
        else:
            self.add(NewTuple(target, sizes[0], place))
        return self.at

    def declaration(self, i: int, place: int) -> int:
        """`type a, b`."""
        kinds = self.kinds
        kind = kinds[i + 1]
        if kind != BRACKETS and not IS_NAME[kind]:
            return self.named(i, place)
        type = self.type(i)
        at = self.at
        if kinds[at + 1] == OPEN_PAREN and IS_NAME[kinds[at]]:
            return self.void(i, place)
        variables = [self.declare(at, type, place)]
        at += 1
        while kinds[at] == COMMA:
            variables.append(self.declare(at + 1, type, place))
            at += 2
        self.add(Declare(variables, place))
        return at

    def void(self, i: int, place: int) -> int:
        """A name, or the header of another function: a brace is missing before it."""
        kinds = self.kinds
        if kinds[i + 1] in (ARROW, OPEN_PAREN, OPEN_BRACKET):
            return self.named(i, place)
        at = i + 1
        while kinds[at] == BRACKETS:
            at += 1
        if not IS_NAME[kinds[at]] or kinds[at + 1] != OPEN_PAREN:
            return self.no_statement(i, place)
        self.tokens.complain(i, f"expected '}}' before function '{self.texts[at]}'")
        self.at = i
        return -1

    def unclosed(self, i: int, place: int) -> int:
        """The file ends within a function."""
        self.tokens.wanted(i, "'}'")
        self.at = i
        return -1

    def close(self, i: int, place: int) -> int:
        """The `}` that ends the function."""
        self.restore()
        self.at = i + 1
        return -1

    def restore(self) -> None:
        """Forget what this scope declared."""
        names = self.names
        for name, (_, hidden) in self.own.items():
            if hidden is None:
                del names[name]
            else:
                names[name] = hidden

    def label(self, i: int, place: int) -> int:
        """`:name`."""
        self.add(Label(self.texts[i][1:], place))
        return i + 1

    def jump(self, i: int, place: int) -> int:
        """`goto :label` or `br :label`."""
        if self.kinds[i + 1] != LABEL:
            return self.named(i, place)
        self.add(Jump(self.texts[i + 1][1:], place))
        return i + 2

    def return_(self, i: int, place: int) -> int:
        """`return t?`; the value stands on the same line."""
        kind = self.kinds[i + 1]
        if kind == ARROW or kind == OPEN_PAREN or kind == OPEN_BRACKET:
            return self.named(i, place)
        self.at = i + 1
        value = self.operand(i + 1) if self.lines[i] == self.lines[i + 1] and self.is_operand(i + 1) else None
        self.add(Return(value, place))
        return self.at

    # Parts of statements

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
        self.tokens.complain(i, f"the number does not fit: it must be between {INT64.low} and {INT64.high}")
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

    def type(self, i: int) -> Type:
        """The type at token `i`; sets `at`."""
        kinds = self.kinds
        if kinds[i] != TYPE and kinds[i] != NO_TYPE:
            raise self.fail(i, "a type", did_you_mean(self.texts[i], TYPES))
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

    # Functions

    def functions(self) -> list[Read]:
        """All functions of the text.  Raises Rejected where anything was wrong."""
        found: list[Read] = []
        seen: dict[str, int] = {}
        i = 0
        while self.kinds[i] != END:
            try:
                read = self.function(i, seen)
            except SyntaxProblem:
                i = self.next_header(max(i + 1, self.failed))
                continue
            found.append(read)
            i = self.at
        if not found and not self.tokens.diagnostics:
            self.tokens.wanted(i, "a function")
        self.tokens.reject()
        return found

    def function(self, i: int, seen: dict[str, int]) -> Read:
        """The function whose header starts at token `i`; sets `at`."""
        if self.tokens.diagnostics:
            self.names.clear()
        self.own = {}
        self.first = self.lines[i]
        result = self.type(i)
        name = self.texts[self.at]
        if not IS_NAME[self.kinds[self.at]]:
            raise self.fail(self.at, "the name of a function")
        if name in seen:
            also = (self.tokens.place(seen[name]), "the other one is here")
            self.tokens.complain(self.at, f"there are two functions '{name[:200]}'", "", also)
        seen.setdefault(name, self.at)
        line, column = self.lines[i], min(self.tokens.column(i), COLUMN_MASK)
        if line in self.notes:
            items = read_note(self.notes[line])[1]
            column = note_number(items, "column", 1 if "line" in items else column)
            line = note_number(items, "line", line)
        parameters = self.parameters(self.at + 1, span(0, column))
        if self.kinds[self.at] != OPEN_BRACE:
            raise self.fail(self.at, "'{'")
        self.begin_body()
        body = self.body
        self.at = self.statements(self.at + 1)
        return name, result, parameters, body, line, column

    def begin_body(self) -> None:
        """Start with an empty body."""
        self.body = []
        self.add = self.body.append

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

    def next_header(self, i: int) -> int:
        """The first token from `i` on that looks like the start of a function's header, or the end."""
        kinds = self.kinds
        while kinds[i] != END:
            if kinds[i] == TYPE or kinds[i] == NO_TYPE:
                at = i + 1
                while kinds[at] == BRACKETS:
                    at += 1
                if IS_NAME[kinds[at]] and kinds[at + 1] == OPEN_PAREN:
                    return i
            i += 1
        return i
