"""LA's data: functions of flat statements (`ops.statements`) and two-way branches."""

from __future__ import annotations

from septet.ops.statements import Statement, Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.source import Source
    from septet.base.types import Type


class Branch(Statement):
    """`br t :a :b`: to `then` where t's number is 1, else to `other`."""

    __slots__ = ("condition", "then", "other")

    def __init__(self, condition: Variable | int | str, then: str, other: str, span: int) -> None:
        self.condition = condition
        self.then = then
        self.other = other
        self.span = span


class Function:
    """A function: flat statements in order; labels have function scope."""

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
        self.source = source  # the text it was read from, for diagnostics
