"""The text of the statements that LB and LA share, and of functions: reading it at speed.

A statement's shape is decided by the kinds of its first tokens; no word is reserved, so a keyword followed by `<-`, `(` or
`[` is a name.
"""

from __future__ import annotations

from septet.base.diagnostics import did_you_mean
from septet.base.notes import number as note_number
from septet.base.notes import read as read_note
from septet.base.scan import (
    ARROW,
    BRACKETS,
    CLOSE_BRACE,
    COMMA,
    END,
    LABEL,
    NAME,
    NUMBER,
    OPEN_BRACE,
    OPEN_BRACKET,
    OPEN_PAREN,
    OPERATOR,
    SyntaxProblem,
)  # fmt: skip
from septet.base.source import COLUMN_BITS, COLUMN_MASK, span
from septet.base.types import Type
from septet.ops import table as ops
from septet.ops.statement_parts import IS_NAME, KINDS, NO_TYPE, OPERATORS, RETURN, TYPE, WORD, Parts
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

    Operand = Variable | int | str
    Handler = Callable[[int, int], int]
    Read = tuple[str, Type, list[Variable], list[Statement], int, int]  # what a Function is made of

UNUSUAL = frozenset((OPEN_PAREN, ARROW, BRACKETS))  # what makes `x <- t` something else, operators and indices apart


class Reader(Parts):
    """Reads functions of shared statements.  A language adds handlers to `starts`, by the kind of a statement's first token.

    A handler is given the index of that token and the statement's span, adds to the body, and returns the index of what
    follows, or -1 with `at` set when the function has ended.
    """

    __slots__ = ("body", "add", "starts")
    jump_word = ""  # how the language writes jumps

    def __init__(self, tokens: Tokens, notes: bool) -> None:
        super().__init__(tokens, notes)
        self.body: list[Statement] = []
        self.add = self.body.append
        self.starts: list[Handler] = [self.no_statement] * KINDS
        self.starts[NAME] = self.named
        self.starts[TYPE] = self.declaration
        self.starts[NO_TYPE] = self.void
        self.starts[WORD] = self.named
        self.starts[RETURN] = self.return_
        self.starts[LABEL] = self.label
        self.starts[CLOSE_BRACE] = self.close
        self.starts[END] = self.unclosed

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
                return self.assignment(i, place)
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
            if IS_NAME[kind] and kinds[first] == WORD and self.is_word(first):
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
        elif kind in (OPEN_BRACKET, OPEN_PAREN):
            raise self.fail(after, "an operator")
        else:
            self.add(Assign(target, left, place))
        return self.at

    def is_word(self, i: int) -> bool:
        """Whether `length` or `new` at token `i`, which a name follows, is the keyword, not a name itself."""
        if self.lines[i] == self.lines[i + 1]:
            return True
        return self.texts[i + 1] in ("Array", "Tuple") and self.kinds[i + 2] == OPEN_PAREN and self.get(self.texts[i]) is None

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
            if self.lines[i] != self.lines[i + 1]:
                raise self.problem(i, f"a name alone, {self.tokens.spelled(i)}, is no statement")
            if kinds[i + 1] == LABEL:
                raise self.problem(i, "this is no jump", f"a jump is written '{self.jump_word} {texts[i + 1][:200]}'")
            if IS_NAME[kinds[i + 1]]:
                hint = did_you_mean(texts[i], ("int64", "tuple", "code"))
                raise self.problem(i, f"{self.tokens.spelled(i)} is not a type or the start of a statement", hint)
            if kinds[i + 1] == BRACKETS:
                raise self.fail(i + 1, "an index")
            raise self.fail(i + 1, "'<-', '(' or '[' after a name")
        if kinds[i] == ARROW and self.lines[i - 2] != self.lines[i - 1] and kinds[i - 2] == OPERATOR:
            raise self.problem(i - 2, f"expected a value after '{texts[i - 2]}' on this line")
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

    def label(self, i: int, place: int) -> int:
        """`:name`."""
        self.add(Label(self.texts[i][1:], place))
        return i + 1

    def jump(self, i: int, place: int) -> int:
        """`goto :label` or `br :label`."""
        kind = self.kinds[i + 1]
        if kind != LABEL:
            if IS_NAME[kind] and self.lines[i] == self.lines[i + 1]:
                raise self.fail(i + 1, "a label", f"labels are written with a colon: ':{self.texts[i + 1][:200]}'")
            return self.named(i, place)
        self.add(Jump(self.texts[i + 1][1:], place))
        return i + 2

    def return_(self, i: int, place: int) -> int:
        """`return t?`; the value stands on the same line."""
        kind = self.kinds[i + 1]
        if kind in (ARROW, OPEN_PAREN, OPEN_BRACKET):
            return self.named(i, place)
        self.at = i + 1
        value = self.operand(i + 1) if self.lines[i] == self.lines[i + 1] and self.is_operand(i + 1) else None
        self.add(Return(value, place))
        return self.at

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
        result = self.type(i, "a function, which starts with the type of its result")
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
