"""L3's data: functions of flat lists of instructions, labels among them; control falls through.

Operands are `Variable` objects, ints (natural for the type they are used in, so bit patterns for floats), `Symbol`s (the
address of a function, of data, of a label) and `Line`s.
"""

from __future__ import annotations

from septet.base.types import INT64, VOID
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.source import Source
    from septet.base.symbols import Data, Line, Symbol
    from septet.base.types import Type
    from septet.ops.table import Op


class Variable:
    """A variable of one function."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: Type = INT64) -> None:
        self.name = name
        self.type = type

    def __repr__(self) -> str:
        return f"%{self.name}"


class Instruction:
    """One operation.  `type` is what it works in: the operands' type for comparisons and what else is `inward`, the type in
    memory for LOAD and STORE, else the result's.  RETURN has one operand or none.  The lanes that a SHUFFLE gives are the bytes
    of its third operand, a number.  A CALL_C's first operand is the variable with the address that it calls; its type is the
    result's, or VOID."""

    __slots__ = ("op", "type", "target", "args", "span", "by")

    def __init__(
        self,
        op: Op,
        type: Type,
        target: Variable | None,
        args: list[Variable | int | Symbol | Line],
        span: int = 0,
        by: str = "",
    ) -> None:
        self.op = op
        self.type = type
        self.target = target
        self.args = args
        self.span = span
        self.by = by  # the pass that last made it; "" for the compiler that made the function

    def __repr__(self) -> str:
        return f"<{self.target} <- {self.op} {self.args}>"


class Memory(Instruction):
    """LOAD (args: base) or STORE (args: base, what), `offset` bytes past the base, in alias class `alias`."""

    __slots__ = ("offset", "alias")

    def __init__(
        self,
        op: Op,
        type: Type,
        target: Variable | None,
        args: list[Variable | int | Symbol | Line],
        offset: int = 0,
        alias: str = "any",
        span: int = 0,
        by: str = "",
    ) -> None:
        super().__init__(op, type, target, args, span, by)
        self.offset = offset
        self.alias = alias


class Call(Instruction):
    """CALL of `callee`, a function or a routine; or CALL_INDIRECT of the address in variable `callee`."""

    __slots__ = ("callee",)

    def __init__(
        self,
        callee: Symbol | Variable,
        target: Variable | None,
        args: list[Variable | int | Symbol | Line],
        span: int = 0,
        by: str = "",
    ) -> None:
        op = ops.CALL_INDIRECT if isinstance(callee, Variable) else ops.CALL
        super().__init__(op, target.type if target else VOID, target, args, span, by)
        self.callee = callee


class Label(Instruction):
    """`:name`; `depth` is how many loops it is in."""

    __slots__ = ("name", "depth")

    def __init__(self, name: str, depth: int = 0, span: int = 0, by: str = "") -> None:
        super().__init__(ops.LABEL, VOID, None, [], span, by)
        self.name = name
        self.depth = depth


class Branch(Instruction):
    """BR, or BR_IF (args[0] is 1) that falls through otherwise, to `label`."""

    __slots__ = ("label",)

    def __init__(self, op: Op, args: list[Variable | int | Symbol | Line], label: str, span: int = 0, by: str = "") -> None:
        super().__init__(op, VOID, None, args, span, by)
        self.label = label


class Function:
    """A function; labels and variables are its own.

    `written` says that no variable can be read before it is written, which is so of all that came from SSA form; where it is
    False nobody knows yet.  It changes nothing but the time it takes to find out.
    """

    __slots__ = ("name", "result", "parameters", "body", "line", "written", "convention")

    def __init__(self, name: str, result: Type, parameters: list[Variable], body: list[Instruction], line: int = 1) -> None:
        self.name = name
        self.result = result
        self.parameters = parameters
        self.body = body
        self.line = line
        self.written = False
        self.convention = ""  # "c": parameters are where C's convention has them


class Program:
    """Functions and data by name, in program order; execution starts at `main`."""

    __slots__ = ("functions", "data", "source")

    def __init__(self, functions: dict[str, Function], data: dict[str, Data], source: Source | None = None) -> None:
        self.functions = functions
        self.data = data
        self.source = source
