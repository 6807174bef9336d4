"""IR as text: the course's IR with types, SSA, checks and memory operations (`docs/languages/ir.md`)."""

from __future__ import annotations

from septet.base import literals
from septet.base import notes as note_text
from septet.base.names import Fresh
from septet.base.symbols import FUNCTION, External
from septet.base.types import BOOL, CODE, I64, INT64, INTEGERS, PTR, VOID, Type
from septet.ir.nodes import (
    OF_ARRAY,
    OF_DIMENSIONS,
    OF_TUPLE,
    WORDS,
    Address,
    Branch,
    C,
    Call,
    Check,
    Compare,
    Const,
    Length,
    Line,
    Memory,
    Phi,
    Program,
    Value,
)
from septet.ops import table as ops
from septet.x86 import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.source import Source
    from septet.base.symbols import Data
    from septet.ir.nodes import Function

_DETAILS = {OF_TUPLE: "tuple", OF_ARRAY: "array", OF_DIMENSIONS: "dimensions"}
_KINDS = {abi.RAW: "raw", abi.ARRAY: "array", abi.TUPLE: "tuple", abi.FUNCTION: "code"}
_OPERAND_TYPE = {ops.UNTAG: INT64, ops.TAG: I64, ops.CONVERT: INT64, ops.BITCAST: INT64}  # of plain literals
_SPELLED = {ops.FNEG: "neg", ops.FABS: "abs"}


def parse(source: Source, notes: bool = True) -> Program:
    """The program that `source` spells, in SSA form.  Raises Rejected.  Without `notes`, spans are places in this text."""
    from septet.ir.read import program

    return program(source, notes)


def print_program(program: Program, notes: bool = True) -> str:
    """The text of a program."""
    parts = ["".join(f"{print_data(data)}\n" for data in program.data.values())] if program.data else []
    parts += [print_function(function, notes) for function in program.functions.values()]
    return "\n".join(parts)


def print_data(data: Data) -> str:
    """`data @name SIZE "content"`, or the declaration of a function of C."""
    if isinstance(data, External):
        return repr(data)
    text = f"data @{data.name} {data.size}"
    return f'{text} "{_escaped(data.content)}"' if data.content else text


def _escaped(content: bytes) -> str:
    special = {10: "\\n", 34: '\\"', 92: "\\\\"}
    return "".join(special.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in content)


def print_function(function: Function, notes: bool = True) -> str:
    """The text of a function, with a line end."""
    return Printer(function, notes).text()


class Printer:
    """Prints one function; gives every value and block a name of its own first."""

    __slots__ = ("function", "notes", "names", "labels")

    def __init__(self, function: Function, notes: bool = True) -> None:
        self.function = function
        self.notes = notes
        fresh = Fresh()
        self.names: dict[Value, str] = {value: fresh(value.name or "v") for value in function.parameters}
        for value in function.values():
            if value.type is not VOID:
                self.names[value] = fresh(value.name or "v")
        fresh = Fresh()
        self.labels = {block: fresh(block.name or "b") for block in function.blocks}

    def text(self) -> str:
        """The whole function."""
        function = self.function
        parameters = ", ".join(f"{value.type} %{self.names[value]}" for value in function.parameters)
        phase = " words" if function.phase == WORDS else ""
        phase += " c" if function.convention == C else ""
        note = note_text.write(0, line=function.line) if self.notes else ""
        lines = [f"define {function.result} @{function.name} ({parameters}){phase} {{{note}"]
        for block in function.blocks:
            lines.append(f"  :{self.labels[block]}")
            for value in [*block.phis, *block.body]:
                note = note_text.write(value.span, value.by) if self.notes else ""
                lines.append(f"    {self.value(value)}{note}")
        lines.append("}\n")
        return "\n".join(lines)

    def value(self, value: Value) -> str:
        """One instruction."""
        printer = _PRINTERS.get(value.op)
        right = printer(self, value) if printer else self._usual(value)
        return f"{value.type} %{self.names[value]} <- {right}" if value.type is not VOID else right

    def operand(self, value: Value, type: Type = INT64) -> str:
        """An operand where a plain number would be read as one of `type`."""
        name = self.names.get(value)
        if name is not None:
            return f"%{name}"
        if isinstance(value, Const):
            text = literals.spell(value.number, value.type)
            return text if value.type is type else f"{value.type} {text}"
        if isinstance(value, Address):
            usual = CODE if value.symbol.kind == FUNCTION else PTR
            return repr(value.symbol) if value.type is usual else f"{value.type} {value.symbol}"
        if isinstance(value, Line):
            return repr(value.line)
        return f"%?{value.name}"  # belongs to no block: a broken function, printed to be looked at

    def _list(self, values: list[Value], type: Type = INT64) -> str:
        return "(" + ", ".join(self.operand(value, type) for value in values) + ")"

    def _usual(self, value: Value) -> str:
        op = value.op
        if op.symbol:
            on = value.on if isinstance(value, Compare) else value.type
            left, right = value.args
            suffix = f".{on}" if isinstance(value, Compare) and self._implied(value.args) is not on else ""
            return f"{self.operand(left, on)} {op.symbol}{suffix} {self.operand(right, on)}"
        type = _OPERAND_TYPE.get(op, value.type)
        return f"{_SPELLED.get(op, op.name)} " + ", ".join(self.operand(arg, type) for arg in value.args)

    def _lanes(self, value: Value) -> str:
        """An operation on a vector that is not done lane by lane."""
        op, args = value.op, value.args
        usual = {"V": VOID if op.inward else value.type, "K": I64, "E": value.type.element}
        texts = [self.operand(arg, usual[letter]) for letter, arg in zip(op.operands, args, strict=True) if letter != "L"]
        if op is ops.SHUFFLE and isinstance(args[2], Const):
            texts.append("(" + literals.spell(args[2].number, args[2].type)[1:-1] + ")")
        return f"{op} " + ", ".join(texts)

    def _implied(self, args: list[Value]) -> Type | None:
        """The type of the first operand that is a variable."""
        return next((arg.type for arg in args if arg in self.names), None)

    def _select(self, value: Value) -> str:
        choice, *rest = value.args
        return f"select {self.operand(choice, BOOL)}, " + ", ".join(self.operand(arg, value.type) for arg in rest)

    def _element(self, value: Value) -> str:
        base, *indices = value.args if value.op is ops.ELEMENT else value.args[:-1]
        text = self._base(base) + "".join(f"[{self.operand(index, I64)}]" for index in indices)
        return text if value.op is ops.ELEMENT else f"{text} <- {self.operand(value.args[-1])}"

    def _base(self, value: Value) -> str:
        return self.operand(value, VOID)

    def _length(self, value: Value) -> str:
        assert isinstance(value, Length)
        text = f"length {self.operand(value.args[0])}"
        if len(value.args) > 1:
            return f"{text} {self.operand(value.args[1], VOID)}"
        return text if value.dimension < 0 else f"{text} {value.dimension}"

    def _new(self, value: Value) -> str:
        return f"new {'Array' if value.op is ops.NEW_ARRAY else 'Tuple'}{self._list(value.args)}"

    def _call(self, value: Value) -> str:
        assert isinstance(value, Call)
        if value.callee is not None:
            return f"call {value.callee}{self._list(value.args)}"
        callee, *args = value.args
        text = f"{callee.type} {callee.symbol}" if isinstance(callee, Address) else self.operand(callee, VOID)
        return f"call {text}{self._list(args)}"

    def _call_c(self, value: Value) -> str:
        callee, *args = value.args
        arguments = ", ".join([self.operand(arg, VOID) for arg in args])
        return f"call c {self.operand(callee, VOID if not isinstance(callee, Address) else callee.type)}({arguments})"

    def _syscall(self, value: Value) -> str:
        return f"syscall{self._list(value.args, I64)}"

    def _phi(self, value: Value) -> str:
        assert isinstance(value, Phi)
        pairs = zip(value.blocks, value.args, strict=True)
        return "phi (" + ", ".join(f":{self._label(b)} {self.operand(arg, value.type)}" for b, arg in pairs) + ")"

    def _label(self, block: object) -> str:
        return self.labels.get(block, "?")  # type: ignore[call-overload, no-any-return]

    def _load(self, value: Value) -> str:
        assert isinstance(value, Memory)
        return f"load {self._address(value)}{_alias(value)}"

    def _store(self, value: Value) -> str:
        assert isinstance(value, Memory)
        suffix = "" if value.on is INT64 else f".{value.on}"
        return f"store{suffix} {self._address(value)} <- {self.operand(value.args[1], value.on)}{_alias(value)}"

    def _address(self, value: Memory) -> str:
        base = self.operand(value.args[0], PTR)
        return f"{base} {'+' if value.offset > 0 else '-'} {abs(value.offset)}" if value.offset else base

    def _check(self, value: Value) -> str:
        assert isinstance(value, Check)
        text = f"{value.op} " + ", ".join(self.operand(arg) for arg in value.args)
        if value.op is ops.CHECK_INDEX:
            text += f", {_DETAILS.get(value.detail, value.detail)}"
        elif value.op is ops.CHECK_KIND:
            kind = value.detail & 255
            text += f" {_KINDS.get(kind, kind)}" + ("" if kind == abi.TUPLE else f" {value.detail >> 8}")
        elif value.op is ops.CHECK_CONVERT:
            text += f" {INTEGERS[value.detail]}"
        return text if value.line is None else f"{text} at {value.line}"

    def _branch(self, value: Value) -> str:
        assert isinstance(value, Branch)
        condition = f"{self.operand(value.args[0], BOOL)} " if value.args else ""
        return f"br {condition}" + " ".join(f":{self._label(target)}" for target in value.targets)

    def _return(self, value: Value) -> str:
        return f"return {self.operand(value.args[0], self.function.result)}" if value.args else "return"


def _alias(value: Memory) -> str:
    return "" if value.alias == "any" else f" in {value.alias}"


_PRINTERS: dict[ops.Op, Callable[[Printer, Value], str]] = {
    ops.SELECT: Printer._select,
    ops.ELEMENT: Printer._element,
    ops.SET_ELEMENT: Printer._element,
    ops.LENGTH: Printer._length,
    ops.NEW_ARRAY: Printer._new,
    ops.NEW_TUPLE: Printer._new,
    ops.CALL: Printer._call,
    ops.CALL_INDIRECT: Printer._call,
    ops.CALL_C: Printer._call_c,
    ops.SYSCALL: Printer._syscall,
    ops.PHI: Printer._phi,
    ops.LOAD: Printer._load,
    ops.STORE: Printer._store,
    ops.CHECK_NULL: Printer._check,
    ops.CHECK_KIND: Printer._check,
    ops.CHECK_INDEX: Printer._check,
    ops.CHECK_LENGTH: Printer._check,
    ops.CHECK_DIVISOR: Printer._check,
    ops.CHECK_CONVERT: Printer._check,
    **{op: Printer._lanes for op in ops.OPS if "V" in (*op.operands, op.result)},
    ops.BR: Printer._branch,
    ops.BR_IF: Printer._branch,
    ops.RETURN: Printer._return,
}
