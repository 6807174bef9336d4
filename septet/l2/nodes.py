"""L2's data: functions of flat lists of machine instructions (`x86.instructions`) over variables and registers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.source import Source
    from septet.base.symbols import Data
    from septet.x86.instructions import Instruction


class Function:
    """A function with `words` word parameters (all that are not in vector registers) of `arity` in all."""

    __slots__ = ("name", "words", "arity", "body", "line")

    def __init__(self, name: str, words: int, body: list[Instruction], line: int = 1, arity: int = -1) -> None:
        self.name = name
        self.words = words
        self.arity = words if arity < 0 else arity
        self.body = body
        self.line = line


class Program:
    """Functions and data by name, in program order; execution starts at function `entry`.  Labels are program-wide."""

    __slots__ = ("entry", "functions", "data", "source")

    def __init__(self, entry: str, functions: dict[str, Function], data: dict[str, Data], source: Source | None = None) -> None:
        self.entry = entry
        self.functions = functions
        self.data = data
        self.source = source
