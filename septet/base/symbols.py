"""Names with an address: functions, data, labels, and routines of the runtime; and what is fixed only when linking."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from septet.base.types import Type

FUNCTION, DATA, LABEL, ROUTINE = range(4)  # Symbol.kind
SIGIL = ("@", "@", ":", "")


class Symbol:
    """A name with an address.  There is one object a kind and name (see `symbol`), compared by identity.

    Functions and data are program-wide and share a namespace; labels are a function's in IR and L3, the program's in L2 and
    L1; routines (`print`, `tensor-error`) are the runtime's and can clash with nothing.
    """

    __slots__ = ("kind", "name")

    def __init__(self, kind: int, name: str) -> None:
        self.kind = kind
        self.name = name

    def __repr__(self) -> str:
        return SIGIL[self.kind] + self.name


_KNOWN: dict[tuple[int, str], Symbol] = {}


def symbol(kind: int, name: str) -> Symbol:
    """The symbol of that kind and name."""
    found = _KNOWN.get((kind, name))
    if found is None:
        found = _KNOWN[kind, name] = Symbol(kind, name)
    return found


class Line:
    """An operand: the encoded (2n+1) absolute line of relative line `line` of a function: of the one it stands in, written
    `line 5`, or of the one called `function`, written `line 5 of @f`, for what was inlined from there.

    It is known only when linking, which is why a line inserted above a function changes none of its bytes.
    """

    __slots__ = ("line", "function")

    def __init__(self, line: int, function: str = "") -> None:
        self.line = line
        self.function = function  # "" for the one it stands in

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and other.line == self.line and other.function == self.function

    def __hash__(self) -> int:
        return hash((Line, self.line, self.function))

    def __repr__(self) -> str:
        return f"line {self.line} of @{self.function}" if self.function else f"line {self.line}"


class Data:
    """Named bytes: `size` of them, `content` and then zeros.  Data with content is constant, other data writable."""

    __slots__ = ("name", "size", "content")

    def __init__(self, name: str, size: int, content: bytes = b"") -> None:
        self.name = name
        self.size = size
        self.content = content  # b"" for writable, zero-initialised data


class External(Data):
    """A function of C that is declared here and defined elsewhere: `declare f64 @sin (f64)`.

    It stands among a program's data, as the eight bytes that hold its address once it is linked or loaded: from L3 down `@sin`
    is the address of these.  In IR it is the function's own.  `address`, where it is not 0, is where the function is in this
    process.
    """

    __slots__ = ("result", "parameters", "address")

    def __init__(self, name: str, result: Type, parameters: Sequence[Type], address: int = 0) -> None:
        super().__init__(name, 8)
        self.result = result
        self.parameters = tuple(parameters)
        self.address = address

    def __repr__(self) -> str:
        return f"declare {self.result} @{self.name} ({', '.join(map(str, self.parameters))})"
