"""How L3's programs, functions and instructions are spelled; `text` reads it back."""

from __future__ import annotations

from septet.base import notes as note
from septet.base.literals import spell
from septet.base.symbols import External
from septet.base.types import BOOL, I64, INT64, U8, vector
from septet.l3.nodes import Branch, Call, Function, Instruction, Label, Memory, Program, Variable
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.symbols import Line, Symbol
    from septet.base.types import Type
    from septet.ops.table import Op

    Operand = Variable | int | Symbol | Line

_NAMES = {ops.FNEG: "neg", ops.FABS: "abs"}  # what floats share with integers is spelled alike
_SPELLED: dict[Op, str] = {
    op: _NAMES.get(op, op.name)
    for op in ops.OPS
    if (op.meaning is not None or op.between is not None or op is ops.COPY) and not op.symbol and not op.check
}
WORDS = {word: (op, len(op.operands)) for op, word in _SPELLED.items() if op is not ops.FNEG}
"""The operations written as a word in front of their operands, and how many those are."""
ESCAPES = {"n": 10, '"': 34, "\\": 92}  # what stands for a byte after a backslash


def print_program(program: Program, notes: bool = True) -> str:
    """The text of a program: data, then functions."""
    parts = []
    for data in program.data.values():
        if isinstance(data, External):
            parts.append(f"{data!r}\n")
            continue
        parts.append(f"data @{data.name} {data.size}" + (f" {_escaped(data.content)}" if data.content else "") + "\n")
    if parts:
        parts.append("\n")
    parts.append("\n".join(print_function(function, notes) for function in program.functions.values()))
    return "".join(parts)


def print_function(function: Function, notes: bool = True) -> str:
    """The text of a function."""
    parameters = ", ".join(_typed(v) for v in function.parameters)
    result = "" if function.result is INT64 else f"{function.result} "
    header = f"define {result}@{function.name} ({parameters}){' c' * (function.convention != '')} {{"
    out = [header + (f"  //@ line={function.line}" if notes else "")]
    for variable in _undefined(function):
        out.append(f"  {_typed(variable)}")
    for instruction in function.body:
        text = _TEXT.get(instruction.op, _operation)(instruction, function)
        if notes and (instruction.span or instruction.by):
            text += note.write(instruction.span, instruction.by, **_depth(instruction))
        elif notes and type(instruction) is Label and instruction.depth:
            text += f"  //@ depth={instruction.depth}"
        out.append(text if type(instruction) is Label else "  " + text)
    out.append("}\n")
    return "\n".join(out)


def _depth(instruction: Instruction) -> dict[str, int | str]:
    return {"depth": instruction.depth} if type(instruction) is Label and instruction.depth else {}


def _undefined(function: Function) -> list[Variable]:
    """The variables that are read but never written, and not int64: nothing else says what type they have."""
    seen: dict[Variable, None] = {}
    written = set(function.parameters)
    for instruction in function.body:
        if instruction.target is not None:
            written.add(instruction.target)
        for arg in instruction.args:
            if type(arg) is Variable and arg.type is not INT64:
                seen[arg] = None
    return [variable for variable in seen if variable not in written]


def _typed(variable: Variable) -> str:
    return f"%{variable.name}" if variable.type is INT64 else f"{variable.type} %{variable.name}"


def _spelled(operand: Operand, type: Type) -> str:
    return spell(operand, type) if isinstance(operand, int) else repr(operand)


TYPES: dict[str, Callable[[Instruction], Type]] = {
    "C": lambda i: BOOL,
    "K": lambda i: I64,
    "E": lambda i: i.type.element,
    "L": lambda i: vector(U8, i.target.type.lanes if i.target else 2),
}
"""By letter of an opcode's row: the type of constants where it is not `Instruction.type`."""


def _roots(i: Instruction, function: Function) -> str:
    return f"roots {', '.join(map(repr, i.args))}".rstrip()


def _operation(i: Instruction, function: Function) -> str:
    target, op, kind, args = i.target, i.op, i.type, i.args
    assert target is not None
    usual = target.type
    if op.compares or op.inward:
        first = next((a for a in args if type(a) is Variable), None)
        usual = first.type if first else INT64
    suffix = "" if kind is usual else f".{kind}"
    texts = [_spelled(a, TYPES[letter](i) if letter in TYPES else kind) for a, letter in zip(args, op.operands, strict=True)]
    if op is ops.SHUFFLE:
        texts[2] = f"({texts[2][1:-1]})"
    if op.symbol:
        return f"{_typed(target)} <- {texts[0]} {op.symbol}{suffix} {texts[1]}"
    if op is ops.COPY and not suffix:
        return f"{_typed(target)} <- {texts[0]}"
    return f"{_typed(target)} <- {_SPELLED[op]}{suffix} {', '.join(texts)}"


def _memory(i: Instruction, function: Function) -> str:
    assert isinstance(i, Memory)
    address = _spelled(i.args[0], INT64)
    if i.offset:
        address += f" {'-' if i.offset < 0 else '+'} {abs(i.offset)}"
    alias = "" if i.alias == "any" else f" in {i.alias}"
    if i.op is ops.STORE:
        suffix = "" if i.type is INT64 else f".{i.type}"
        return f"store{suffix} {address} <- {_spelled(i.args[1], i.type)}{alias}"
    assert i.target is not None
    suffix = "" if i.type is i.target.type else f".{i.type}"
    return f"{_typed(i.target)} <- load{suffix} {address}{alias}"


def _call(i: Instruction, function: Function) -> str:
    arguments = ", ".join(map(repr, i.args))
    target = f"{_typed(i.target)} <- " if i.target else ""
    if i.op is ops.CALL_C:
        return f"{target}call c {i.args[0]!r}({', '.join(map(repr, i.args[1:]))})"
    return f"{target}call {i.callee!r}({arguments})" if isinstance(i, Call) else f"{target}syscall({arguments})"


def _branch(i: Instruction, function: Function) -> str:
    assert isinstance(i, Branch)
    return f"br {i.args[0]!r} :{i.label}" if i.args else f"br :{i.label}"


def _return(i: Instruction, function: Function) -> str:
    return f"return {_spelled(i.args[0], function.result)}" if i.args else "return"


def _label(i: Instruction, function: Function) -> str:
    assert isinstance(i, Label)
    return f":{i.name}"


_TEXT = {
    ops.LOAD: _memory, ops.STORE: _memory, ops.CALL: _call, ops.CALL_INDIRECT: _call, ops.CALL_C: _call, ops.SYSCALL: _call,
    ops.ROOTS: _roots, ops.BR: _branch, ops.BR_IF: _branch, ops.RETURN: _return, ops.LABEL: _label,
}  # fmt: skip


def _escaped(content: bytes) -> str:
    """A string literal that stands for `content`."""
    return '"' + "".join(_ESCAPED[byte] for byte in content) + '"'


_ESCAPED = [chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in range(256)]
for _letter, _byte in ESCAPES.items():
    _ESCAPED[_byte] = "\\" + _letter


def unescaped(text: str) -> bytes:
    """The bytes that a string literal, quotes included, stands for."""
    out = bytearray()
    at, end = 1, len(text) - 1
    while at < end:
        character = text[at]
        if character != "\\":
            out += character.encode("utf-8", "surrogateescape")
            at += 1
            continue
        digits = text[at + 2 : at + 4]
        if text[at + 1] == "x" and len(digits) == 2 and all(d in "0123456789abcdefABCDEF" for d in digits):
            out.append(int(digits, 16))
            at += 4
        else:
            found = ESCAPES.get(text[at + 1])
            out += bytes((found,)) if found is not None else text[at + 1].encode("utf-8", "surrogateescape")
            at += 2
    return bytes(out)
