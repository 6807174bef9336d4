"""Printing the statements that LB and LA share, and function headers: what `statement_text` reads back."""

from __future__ import annotations

from septet.base.notes import write
from septet.ops.statements import (
    Assign,
    Call,
    Declare,
    Label,
    Length,
    Load,
    NewArray,
    NewTuple,
    Operate,
    Return,
    RuntimeCall,
    Statement,
    Store,
    Variable,
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.base.types import Type

    Operand = Variable | int | str


def spell(operand: Operand) -> str:
    """The text of an operand."""
    return operand.name if isinstance(operand, Variable) else str(operand)


def header(name: str, result: Type, parameters: list[Variable], line: int, column: int, notes: bool) -> str:
    """The line that starts a function."""
    text = f"{result} {name}({', '.join(f'{p.type} {p.name}' for p in parameters)}) {{"
    if notes:
        text += write(0, line=line) if column == 1 else write(0, line=line, column=column)
    return text


def _list(operands: list[Operand]) -> str:
    return ", ".join(map(spell, operands))


def _indices(operands: list[Operand]) -> str:
    return "".join(f"[{spell(index)}]" for index in operands)


def _declare(s: Declare) -> str:
    return f"{s.variables[0].type} {', '.join(v.name for v in s.variables)}"


def _length(s: Length) -> str:
    dimension = "" if s.dimension is None else f" {spell(s.dimension)}"
    return f"{s.target.name} <- length {s.base.name}{dimension}"


def _call(s: Call) -> str:
    call = f"{spell(s.callee)}({_list(s.args)})"
    return f"{s.target.name} <- {call}" if s.target else call


def _runtime_call(s: RuntimeCall) -> str:
    call = f"{s.name}({_list(s.args)})"
    return f"{s.target.name} <- {call}" if s.target else call


def _return(s: Return) -> str:
    return "return" if s.value is None else f"return {spell(s.value)}"


FORMATS: dict[type[Statement], Callable[[Any], str]] = {
    Declare: _declare,
    Assign: lambda s: f"{s.target.name} <- {spell(s.value)}",
    Operate: lambda s: f"{s.target.name} <- {spell(s.left)} {s.op.symbol} {spell(s.right)}",
    Load: lambda s: f"{s.target.name} <- {s.base.name}{_indices(s.indices)}",
    Store: lambda s: f"{s.base.name}{_indices(s.indices)} <- {spell(s.value)}",
    Length: _length,
    Call: _call,
    RuntimeCall: _runtime_call,
    NewArray: lambda s: f"{s.target.name} <- new Array({_list(s.sizes)})",
    NewTuple: lambda s: f"{s.target.name} <- new Tuple({spell(s.size)})",
    Label: lambda s: f":{s.name}",
    Return: _return,
}
"""How each statement is printed, but for jumps, which LB and LA spell differently."""
