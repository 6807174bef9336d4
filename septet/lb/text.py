"""LB's text: reading it with names bound on the way, and printing it with scopes indented."""

from __future__ import annotations

from septet.base.notes import write
from septet.base.scan import ARROW, CLOSE_PAREN, COMMA, LABEL, NUMBER, OPEN_BRACE, OPEN_BRACKET, OPEN_PAREN, OPERATOR
from septet.lb.nodes import Break, Continue, Function, If, Program, Scope, While
from septet.ops import table as ops
from septet.ops.statement_parts import FIRST_FREE, OPERATORS, scanner
from septet.ops.statement_print import FORMATS, header, spell
from septet.ops.statement_text import Reader
from septet.ops.statements import Jump, Statement, Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from septet.base.scan import Tokens
    from septet.base.source import Source
    from septet.ops.table import Op

    Operand = Variable | int | str

IF, WHILE, GOTO, CONTINUE, BREAK = range(FIRST_FREE, FIRST_FREE + 5)
SCANNER = scanner({"if": IF, "while": WHILE, "goto": GOTO, "continue": CONTINUE, "break": BREAK})
DEEPEST = 40  # no line is indented by more levels
COMPARISONS = {symbol: op for symbol, op in OPERATORS.items() if op.compares}


def parse(source: Source, notes: bool = True) -> Program:
    """The program that `source` spells.  Raises Rejected with every syntax error found."""
    reader = _Reader(SCANNER.scan(source), notes)
    return Program({read[0]: Function(*read) for read in reader.functions()}, source)


class _Reader(Reader):
    """Adds LB's scopes and control statements."""

    __slots__ = ("scopes",)
    jump_word = "goto"

    def __init__(self, tokens: Tokens, notes: bool) -> None:
        super().__init__(tokens, notes)
        self.scopes: list[tuple[list[Statement], dict[str, Any]]] = []  # the enclosing bodies and what they declared
        self.starts[IF] = self.starts[WHILE] = self.conditional
        self.starts[GOTO] = self.jump
        self.starts[CONTINUE] = self.starts[BREAK] = self.loop_jump
        self.starts[OPEN_BRACE] = self.open

    def begin_body(self) -> None:
        """Start with an empty body, a scope of its own within that of the parameters."""
        self.scopes = []
        self.open_scope([])

    def open(self, i: int, place: int) -> int:
        """`{`."""
        scope = Scope([], place)
        self.add(scope)
        self.open_scope(scope.body)
        return i + 1

    def open_scope(self, body: list[Statement]) -> None:
        """Go on in `body`."""
        self.scopes.append((self.body, self.own))
        self.body = body
        self.add = body.append
        self.own = {}

    def close(self, i: int, place: int) -> int:
        """`}`, of a scope or of the function."""
        self.restore()
        self.body, self.own = self.scopes.pop()
        self.add = self.body.append
        if self.scopes:
            return i + 1
        return super().close(i, place)

    def conditional(self, i: int, place: int) -> int:
        """`if (t op t) :then :other`, or `while` alike; or a call of a function that bears this name."""
        kinds, texts, get = self.kinds, self.texts, self.get
        if kinds[i + 1] != OPEN_PAREN or kinds[i + 2] == CLOSE_PAREN:
            return self.named(i, place)
        left: Operand | None = get(texts[i + 2])
        right: Operand | None
        at = i + 3
        if left is None:
            left = self.operand(i + 2)
            at = self.at
        op = COMPARISONS.get(texts[at])
        if op is None:
            if self.is_call(at):
                return self.named(i, place)
            op, right = self.less_than(at)
            at = self.at
        else:
            if texts[at + 1] == "=":
                raise self.fail(at + 1, "a value", "equality is written '='")
            right = get(texts[at + 1])
            at += 2
            if right is None:
                right = self.operand(at - 1)
                at = self.at
        if kinds[at] != CLOSE_PAREN:
            raise self.fail(at, "')'")
        if kinds[at + 1] != LABEL or kinds[at + 2] != LABEL:
            raise self.fail(at + 1 if kinds[at + 1] != LABEL else at + 2, "a label")
        made = If if kinds[i] == IF else While
        self.add(made(op, left, right, texts[at + 1][1:], texts[at + 2][1:], place))
        return at + 3

    def is_call(self, at: int) -> bool:
        """Whether `if (t` goes on, at token `at`, as a call."""
        kinds = self.kinds
        if kinds[at] == COMMA:
            return True
        return kinds[at] == CLOSE_PAREN and not (kinds[at + 1] == LABEL and self.lines[at] == self.lines[at + 1])

    def less_than(self, at: int) -> tuple[Op, int]:
        """`<-5` after an operand, which means < -5; anything else there is no comparison."""
        if self.kinds[at] == ARROW and self.kinds[at + 1] == NUMBER:
            return ops.LT, self.number(at + 1, negative=True)
        hint = "equality is written '='" if self.kinds[at] == OPERATOR or self.texts[at] == "!" else ""
        raise self.fail(at, "a comparison", hint)

    def loop_jump(self, i: int, place: int) -> int:
        """`continue` or `break`."""
        kind = self.kinds[i + 1]
        if kind in (ARROW, OPEN_PAREN, OPEN_BRACKET):
            return self.named(i, place)
        self.add(Continue(place) if self.kinds[i] == CONTINUE else Break(place))
        return i + 1


def print_program(program: Program, notes: bool = True) -> str:
    """The text of `program`; with `notes`, where each statement came from."""
    return "\n".join(print_function(function, notes) for function in program.functions.values())


def print_function(function: Function, notes: bool = True) -> str:
    """The text of `function`, ending in a newline."""
    f = function
    out = [header(f.name, f.result, f.parameters, f.line, f.column, notes)]
    rest: list[Iterator[Statement]] = [iter(f.body)]
    while rest:
        indent = "  " * min(len(rest), DEEPEST)
        for statement in rest[-1]:
            note = write(statement.span) if notes else ""
            if isinstance(statement, Scope):
                out.append(f"{indent}{{{note}")
                rest.append(iter(statement.body))
                break
            out.append(f"{indent}{_FORMATS[type(statement)](statement)}{note}")
        else:
            rest.pop()
            out.append("  " * min(len(rest), DEEPEST) + "}")
    out.append("")
    return "\n".join(out)


def _conditional(s: If) -> str:
    word = "while" if isinstance(s, While) else "if"
    return f"{word} ({spell(s.left)} {s.op.symbol} {spell(s.right)}) :{s.then} :{s.other}"


_FORMATS: dict[type[Statement], Callable[[Any], str]] = {
    **FORMATS,
    Jump: lambda s: f"goto :{s.label}",
    If: _conditional,
    While: _conditional,
    Continue: lambda s: "continue",
    Break: lambda s: "break",
}
