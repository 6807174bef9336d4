"""LA's text: reading it with names bound on the way, and printing it one instruction a line.

The printed lines are those of the course's own LB compiler, which run-time errors of LA programs report: a line for the
header, one for each instruction, one for the closing brace, and an empty one between functions.
"""

from __future__ import annotations

from septet.base.notes import write
from septet.base.scan import ARROW, LABEL, OPEN_BRACE, OPEN_BRACKET, OPEN_PAREN
from septet.la.nodes import Branch, Function, Program
from septet.ops.statement_parts import FIRST_FREE, scanner
from septet.ops.statement_print import FORMATS, header, spell
from septet.ops.statement_text import Reader
from septet.ops.statements import Jump, Statement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.base.scan import Tokens
    from septet.base.source import Source

BR = FIRST_FREE
SCANNER = scanner({"br": BR})


def parse(source: Source, notes: bool = True) -> Program:
    """The program that `source` spells.  Raises Rejected with every syntax error found."""
    reader = _Reader(SCANNER.scan(source), notes)
    return Program({read[0]: Function(*read) for read in reader.functions()}, source)


class _Reader(Reader):
    """Adds LA's branches."""

    __slots__ = ("depth",)
    jump_word = "br"

    def __init__(self, tokens: Tokens, notes: bool) -> None:
        super().__init__(tokens, notes)
        self.depth = 0  # how many scopes are open, though LA has none
        self.starts[BR] = self.branch
        self.starts[OPEN_BRACE] = self.open

    def begin_body(self) -> None:
        """Start with an empty body."""
        self.depth = 0
        super().begin_body()

    def open(self, i: int, place: int) -> int:
        """`{`, which is wrong."""
        self.tokens.complain(i, "LA has no scopes")
        self.depth += 1
        return i + 1

    def close(self, i: int, place: int) -> int:
        """`}`."""
        if self.depth:
            self.depth -= 1
            return i + 1
        return super().close(i, place)

    def branch(self, i: int, place: int) -> int:
        """`br :label` or `br t :then :other`."""
        kinds = self.kinds
        kind = kinds[i + 1]
        if kind == LABEL:
            return self.jump(i, place)
        if kind in (ARROW, OPEN_PAREN, OPEN_BRACKET):
            return self.named(i, place)
        condition = self.operand(i + 1)
        at = self.at
        if kinds[at] != LABEL or kinds[at + 1] != LABEL:
            raise self.fail(at if kinds[at] != LABEL else at + 1, "a label")
        self.add(Branch(condition, self.texts[at][1:], self.texts[at + 1][1:], place))
        return at + 2


def print_program(program: Program, notes: bool = True) -> str:
    """The text of `program`; with `notes`, where each statement came from."""
    return "\n".join(print_function(function, notes) for function in program.functions.values())


def print_function(function: Function, notes: bool = True) -> str:
    """The text of `function`, ending in a newline."""
    f = function
    out = [header(f.name, f.result, f.parameters, f.line, f.column, notes)]
    if notes:
        out += [f"  {_FORMATS[type(s)](s)}{write(s.span)}" for s in f.body]
    else:
        out += [f"  {_FORMATS[type(s)](s)}" for s in f.body]
    out.append("}\n")
    return "\n".join(out)


_FORMATS: dict[type[Statement], Callable[[Any], str]] = {
    **FORMATS,
    Jump: lambda s: f"br :{s.label}",
    Branch: lambda s: f"br {spell(s.condition)} :{s.then} :{s.other}",
}
