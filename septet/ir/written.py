"""IR as it is written: functions of labelled blocks of statements over variables, before there are values."""

from __future__ import annotations

from septet.ir.nodes import ARRAYS, OWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.symbols import Line
    from septet.base.types import Type

_ESCAPED = {"n": b"\n", '"': b'"', "\\": b"\\"}
_DIGITS = "0123456789abcdefABCDEF"
LINE = -1  # Operand.kind beside VARIABLE, FUNCTION, NUMBER and FLOAT


class Operand:
    """A variable, number, function name or line as written; `type` where one is written in front of it."""

    __slots__ = ("kind", "text", "type", "at")

    def __init__(self, kind: int, text: str, at: int, type: Type | None = None) -> None:
        self.kind = kind
        self.text = text  # without the sigil; numbers with their sign
        self.at = at  # its token
        self.type = type


class LineOperand(Operand):
    """A line as written; its text is the number."""

    __slots__ = ("where",)

    def __init__(self, where: Line, at: int) -> None:
        super().__init__(LINE, str(where.line), at)
        self.where = where


class Statement:
    """An instruction as written.  `shape` says which, and what the other attributes mean: see `elaborate`."""

    __slots__ = ("shape", "at", "target", "type", "word", "args", "labels", "offset", "on", "line")

    def __init__(self, shape: str, at: int, word: str = "", args: list[Operand] | None = None) -> None:
        self.shape = shape
        self.at = at
        self.target = ""  # the variable assigned to
        self.type: Type | None = None  # the type written in front of it
        self.word = word  # the operator, opcode, routine or alias class
        self.args = args or []
        self.labels: list[tuple[str, int]] = []  # names and tokens
        self.offset = 0  # of a memory access; the detail of a check
        self.on: Type | None = None  # the type written after the operator or after `store`
        self.line: int | Line | None = None  # of a check, as `nodes.Check.line`


class BlockText:
    """A block as written."""

    __slots__ = ("name", "at", "statements")

    def __init__(self, name: str, at: int) -> None:
        self.name = name
        self.at = at
        self.statements: list[Statement] = []  # the last is a `br` or a `return`


class FunctionText:
    """A function as written."""

    __slots__ = ("name", "at", "result", "parameters", "phase", "convention", "blocks", "line", "first", "noted", "complete")

    def __init__(self, name: str, at: int, result: Type) -> None:
        self.name = name
        self.at = at
        self.result = result
        self.parameters: list[tuple[str, Type, int]] = []
        self.phase = ARRAYS
        self.convention = OWN
        self.blocks: list[BlockText] = []
        self.line = 1  # what the function's first line is taken to be
        self.first = 1  # the line that its header is on here
        self.complete = False  # whether its end was found
        self.noted = False  # whether it was printed with notes: then an instruction without a span has none


def unescaped(text: str) -> bytes | None:
    """The bytes that a string literal spells, given without its quotes; None where an escape is wrong."""
    out = bytearray()
    at = 0
    while at < len(text):
        if text[at] != "\\":
            character = text[at]
            out += character.encode("utf-8", "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass")
            at += 1
            continue
        escape, digits = text[at + 1], text[at + 2 : at + 4]
        if escape in _ESCAPED:
            out += _ESCAPED[escape]
            at += 2
        elif escape == "x" and len(digits) == 2 and all(digit in _DIGITS for digit in digits):
            out.append(int(digits, 16))
            at += 4
        else:
            return None
    return bytes(out)
