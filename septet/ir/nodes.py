"""IR's data: functions of basic blocks of values, in SSA form.

A value is an instruction and its result.  Identity is equality.  Constants and addresses of symbols are values that stand in
no block.  Operands are always values; a block's phis come first and its last value is its only terminator.
"""

from __future__ import annotations

from septet.base.symbols import Data, Symbol
from septet.base.types import BOOL, INT64, VOID, Type, truth
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from septet.base.source import Source
    from septet.base.symbols import Line as Where
    from septet.ops.table import Op

ARRAYS, WORDS = "arrays", "words"  # Function.phase
OWN, C = "", "c"  # Function.convention: called by Septet's own, or by C's
OF_TUPLE, OF_ARRAY, OF_DIMENSIONS = -1, -2, -3  # Check.detail: index into a tuple, a 1-D array, a number of dimensions


class Value:
    """One instruction; what it needs beyond operands is in the subclasses."""

    __slots__ = ("op", "type", "args", "span", "by", "name")

    def __init__(self, op: Op, type: Type, args: list[Value], span: int = 0, by: str = "", name: str = "") -> None:
        self.op = op
        self.type = type  # of the result; VOID where there is none
        self.args = args
        self.span = span
        self.by = by  # the pass that last made it; "" for the compiler that made the function
        self.name = name  # a wish: printing makes it unique

    def __repr__(self) -> str:
        return f"<{self.op} {self.type} {self.name}>"


class Const(Value):
    """A constant: `number` is natural for the type."""

    __slots__ = ("number",)

    def __init__(self, type: Type, number: int) -> None:
        super().__init__(ops.CONST, type, [])
        self.number = number


class Address(Value):
    """The address of a function or of data."""

    __slots__ = ("symbol",)

    def __init__(self, symbol: Symbol, type: Type) -> None:
        super().__init__(ops.SYMBOL_ADDRESS, type, [])
        self.symbol = symbol


class Compare(Value):
    """A comparison, of type bool or a mask; `on` is the type that its operands are compared in."""

    __slots__ = ("on",)

    def __init__(self, op: Op, on: Type, args: list[Value], span: int = 0, by: str = "", name: str = "") -> None:
        super().__init__(op, BOOL if on.lanes == 1 else truth(on), args, span, by, name)
        self.on = on


class Memory(Value):
    """LOAD (type is the result's) or STORE (args: base, what; `on` is the type in memory) at base + offset bytes."""

    __slots__ = ("on", "offset", "alias")

    def __init__(
        self, op: Op, on: Type, args: list[Value], offset: int = 0, alias: str = "any", span: int = 0, by: str = ""
    ) -> None:
        super().__init__(op, on if op is ops.LOAD else VOID, args, span, by)
        self.on = on
        self.offset = offset
        self.alias = alias  # accesses of different classes, neither being `any`, never overlap


class Check(Value):
    """A CHECK_ opcode.  `detail`: for check-index the dimension, or one of the constants below; for check-kind the
    descriptor wanted (`x86.abi.descriptor`); for check-convert which of `types.INTEGERS`; else 0.  The line is the span's, or
    `line` where that is not None: an absolute one, or one of the function that the check was inlined from."""

    __slots__ = ("detail", "line")

    def __init__(
        self, op: Op, args: list[Value], detail: int = 0, span: int = 0, by: str = "", line: int | Where | None = None
    ) -> None:
        super().__init__(op, VOID, args, span, by)
        self.detail = detail
        self.line = line


class Length(Value):
    """`length a d` with a literal dimension, or a tuple's length where `dimension` is -1; with args[1] a computed one."""

    __slots__ = ("dimension",)

    def __init__(self, type: Type, args: list[Value], dimension: int, span: int = 0, by: str = "") -> None:
        super().__init__(ops.LENGTH, type, args, span, by)
        self.dimension = dimension


class Call(Value):
    """CALL of `callee`, a function or a routine of the runtime.  CALL_INDIRECT has none: args[0] is the address.
    CALL_C is a plain `Value`, its args[0] too an address, its arguments and result of machine types."""

    __slots__ = ("callee",)

    def __init__(
        self, op: Op, type: Type, callee: Symbol | None, args: list[Value], span: int = 0, by: str = "", name: str = ""
    ) -> None:
        super().__init__(op, type, args, span, by, name)
        self.callee = callee


class Line(Value):
    """The encoded absolute line that `line` says: a constant that linking fixes."""

    __slots__ = ("line",)

    def __init__(self, line: Where) -> None:
        super().__init__(ops.CONST, INT64, [])
        self.line = line


class Phi(Value):
    """A choice by predecessor: args[i] comes from blocks[i].  Every predecessor stands once."""

    __slots__ = ("blocks",)

    def __init__(self, type: Type, args: list[Value], blocks: list[Block], span: int = 0, by: str = "", name: str = "") -> None:
        super().__init__(ops.PHI, type, args, span, by, name)
        self.blocks = blocks


class Branch(Value):
    """BR (one target) or BR_IF (args[0]; then, other)."""

    __slots__ = ("targets",)

    def __init__(self, op: Op, args: list[Value], targets: list[Block], span: int = 0, by: str = "") -> None:
        super().__init__(op, VOID, args, span, by)
        self.targets = targets


class Block:
    """A basic block.  The function's first is the entry and has no predecessors."""

    __slots__ = ("name", "phis", "body")

    def __init__(self, name: str) -> None:
        self.name = name
        self.phis: list[Phi] = []
        self.body: list[Value] = []  # the last is a Branch or a RETURN

    @property
    def successors(self) -> list[Block]:
        """Where control goes next, then-target first."""
        last = self.body[-1]
        return last.targets if isinstance(last, Branch) else []

    def __repr__(self) -> str:
        return f":{self.name}"


class Function:
    """A function in SSA form, in phase `arrays` or `words`.  One of convention C is called by C, or as C calls (CALL_C)."""

    __slots__ = ("name", "result", "parameters", "blocks", "line", "phase", "convention")

    def __init__(
        self, name: str, result: Type, parameters: list[Value], blocks: list[Block], line: int = 1, phase: str = ARRAYS
    ) -> None:
        self.name = name
        self.result = result
        self.parameters = parameters  # PARAM values, with names
        self.blocks = blocks
        self.line = line
        self.phase = phase
        self.convention = OWN

    def values(self) -> Iterator[Value]:
        """Every value in a block, phis included, in program order."""
        for block in self.blocks:
            yield from block.phis
            yield from block.body


class Program:
    """Functions and data by name, in program order.

    In a `hosted` program every function may be called from outside, and one that may fail has `ptr %context` as its first
    parameter, for the runtime of its host to know where to go (`py.hosted`).
    """

    __slots__ = ("functions", "data", "source", "hosted", "collecting")

    def __init__(
        self,
        functions: dict[str, Function],
        data: dict[str, Data],
        source: Source | None = None,
        hosted: bool = False,
    ) -> None:
        self.functions = functions
        self.data = data
        self.source = source
        self.hosted = hosted
        self.collecting: frozenset[str] | None = None  # the functions that may collect; None: not looked at yet
