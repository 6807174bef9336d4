"""LB's data: the flat statements it shares with LA (`ops.statements`), scopes and control statements.

Names are bound while parsing: operands are `Variable` objects already, so shadowing is gone from the data; two variables of
a function may still bear one name.
"""

from __future__ import annotations

from septet.ops.statements import Statement, Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.source import Source
    from septet.base.types import Type
    from septet.ops.table import Op


class If(Statement):
    """`if (t op t) :then :other`."""

    __slots__ = ("op", "left", "right", "then", "other")

    def __init__(
        self, op: Op, left: Variable | int | str, right: Variable | int | str, then: str, other: str, span: int
    ) -> None:
        self.op = op
        self.left = left
        self.right = right
        self.then = then
        self.other = other
        self.span = span


class While(If):
    """`while (t op t) :begin :end`: a jump like `if`; `then` and `other` also delimit, textually, what `continue` and
    `break` refer to."""

    __slots__ = ()


class Continue(Statement):
    """`continue`: to the test of the enclosing loop."""

    __slots__ = ()

    def __init__(self, span: int) -> None:
        self.span = span


class Break(Statement):
    """`break`: to the end label of the enclosing loop."""

    __slots__ = ()

    def __init__(self, span: int) -> None:
        self.span = span


class Scope(Statement):
    """`{ ... }`: delimits declarations, not control flow."""

    __slots__ = ("body",)

    def __init__(self, body: list[Statement], span: int) -> None:
        self.body = body
        self.span = span


class Function:
    """A function; `body` is the outermost scope's statements."""

    __slots__ = ("name", "result", "parameters", "body", "line", "column")

    def __init__(
        self, name: str, result: Type, parameters: list[Variable], body: list[Statement], line: int = 1, column: int = 1
    ) -> None:
        self.name = name
        self.result = result
        self.parameters = parameters
        self.body = body
        self.line = line  # absolute line of the header, a link-time fact
        self.column = column


class Program:
    """Functions by name, in program order; execution starts at `main`."""

    __slots__ = ("functions", "source")

    def __init__(self, functions: dict[str, Function], source: Source | None = None) -> None:
        self.functions = functions
        self.source = source
