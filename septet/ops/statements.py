"""The flat statements that LB and LA share: one operation each, on variables, literals and function names.

Operands are `Variable` objects, Python ints (literals, any 64-bit value) or strings (names of functions).
Statements are never changed once made, so LB and LA programs share those that mean the same in both.
`span` is the statement's place (see `base.source`).
"""

from __future__ import annotations

from septet.base.types import Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ops.table import Op


class Variable:
    """A variable or parameter.  Its name is unique in an LA function, and in LB among those visible at one place."""

    __slots__ = ("name", "type", "span")

    def __init__(self, name: str, type: Type, span: int = 0) -> None:
        self.name = name
        self.type = type
        self.span = span  # where it is declared

    def __repr__(self) -> str:
        return self.name


class Statement:
    """Base of all statements."""

    __slots__ = ("span",)
    span: int


class Declare(Statement):
    """`type a, b`: makes the variables, with initial values, each time it is executed.  LA declares one at a time."""

    __slots__ = ("variables",)

    def __init__(self, variables: list[Variable], span: int) -> None:
        self.variables = variables
        self.span = span


class Assign(Statement):
    """`x <- t`."""

    __slots__ = ("target", "value")

    def __init__(self, target: Variable, value: Variable | int | str, span: int) -> None:
        self.target = target
        self.value = value
        self.span = span


class Operate(Statement):
    """`x <- t op t`."""

    __slots__ = ("target", "op", "left", "right")

    def __init__(self, target: Variable, op: Op, left: Variable | int | str, right: Variable | int | str, span: int) -> None:
        self.target = target
        self.op = op
        self.left = left
        self.right = right
        self.span = span


class Load(Statement):
    """`x <- a[t]...[t]`."""

    __slots__ = ("target", "base", "indices")

    def __init__(self, target: Variable, base: Variable, indices: list[Variable | int | str], span: int) -> None:
        self.target = target
        self.base = base
        self.indices = indices
        self.span = span


class Store(Statement):
    """`a[t]...[t] <- t`."""

    __slots__ = ("base", "indices", "value")

    def __init__(self, base: Variable, indices: list[Variable | int | str], value: Variable | int | str, span: int) -> None:
        self.base = base
        self.indices = indices
        self.value = value
        self.span = span


class Length(Statement):
    """`x <- length a t` (array) or `x <- length t` (tuple; then `dimension` is None)."""

    __slots__ = ("target", "base", "dimension")

    def __init__(self, target: Variable, base: Variable, dimension: Variable | int | str | None, span: int) -> None:
        self.target = target
        self.base = base
        self.dimension = dimension
        self.span = span


class Call(Statement):
    """`f(...)` or `x <- f(...)`, of a function by name or of the function that a variable holds."""

    __slots__ = ("target", "callee", "args")

    def __init__(
        self,
        target: Variable | None,
        callee: Variable | str,
        args: list[Variable | int | str],
        span: int,
    ) -> None:
        self.target = target
        self.callee = callee
        self.args = args
        self.span = span


class RuntimeCall(Statement):
    """`print(t)` or `x <- input()`: always the runtime's, whatever the program calls its own things."""

    __slots__ = ("target", "name", "args")

    def __init__(self, target: Variable | None, name: str, args: list[Variable | int | str], span: int) -> None:
        self.target = target
        self.name = name  # "print" or "input"
        self.args = args
        self.span = span


class NewArray(Statement):
    """`x <- new Array(t, ...)`."""

    __slots__ = ("target", "sizes")

    def __init__(self, target: Variable, sizes: list[Variable | int | str], span: int) -> None:
        self.target = target
        self.sizes = sizes
        self.span = span


class NewTuple(Statement):
    """`x <- new Tuple(t)`."""

    __slots__ = ("target", "size")

    def __init__(self, target: Variable, size: Variable | int | str, span: int) -> None:
        self.target = target
        self.size = size
        self.span = span


class Label(Statement):
    """`:name`."""

    __slots__ = ("name",)

    def __init__(self, name: str, span: int) -> None:
        self.name = name
        self.span = span


class Jump(Statement):
    """`goto :label` in LB, `br :label` in LA."""

    __slots__ = ("label",)

    def __init__(self, label: str, span: int) -> None:
        self.label = label
        self.span = span


class Return(Statement):
    """`return` or `return t`."""

    __slots__ = ("value",)

    def __init__(self, value: Variable | int | str | None, span: int) -> None:
        self.value = value
        self.span = span
