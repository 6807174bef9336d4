"""Machine instructions as text: how L2 and L1 print them.  `text.py` reads what this prints."""

from __future__ import annotations

from septet.base import notes
from septet.base.symbols import ROUTINE, External, Symbol
from septet.x86.abi import ARGUMENTS, c_words
from septet.x86.forms import (
    ADD,
    AND,
    CALL,
    CALL_C,
    CALL_ERROR,
    CALL_JUMP,
    CJUMP,
    DEC,
    IMUL,
    IMUL3,
    INC,
    JMP,
    LABEL,
    LEA,
    MOV,
    RETURN,
    ROOTS,
    SAR,
    SET,
    SHL,
    STACK_ARG,
    SUB,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.symbols import Data
    from septet.x86.forms import Operand
    from septet.x86.instructions import Instruction, Op

INFIX: dict[Op, str] = {MOV: "<-", ADD: "+=", SUB: "-=", IMUL: "*=", AND: "&=", SHL: "<<=", SAR: ">>="}
"""The opcodes with two operands that the course writes between them."""

_ESCAPES = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n"}


def spell(instruction: Instruction) -> str:
    """The text of one instruction, without its note."""
    op = instruction.op
    operands = instruction.operands
    infix = INFIX.get(op)
    if infix is not None:
        return f"{operands[0]!r} {infix} {operands[1]!r}"
    special = _SPECIAL.get(op)
    if special is not None:
        return special(op, operands)
    if not operands:
        return op.name
    return f"{op.name} {', '.join(map(repr, operands))}"


def _label(op: Op, operands: tuple[Operand, ...]) -> str:
    return repr(operands[0])


def _cjump(op: Op, operands: tuple[Operand, ...]) -> str:
    a, b, label = operands
    return f"cjump {a!r} {op.name[5:]} {b!r} {label!r}"


def _set(op: Op, operands: tuple[Operand, ...]) -> str:
    target, a, b = operands
    return f"{target!r} <- {a!r} {op.name[3:]} {b!r}"


def _lea(op: Op, operands: tuple[Operand, ...]) -> str:
    target, memory = operands
    assert isinstance(memory, tuple)
    base, index, scale, displacement = memory
    if index is None or displacement:
        return f"lea {target!r}, {memory!r}"
    return f"{target!r} @ {base!r} {index!r} {scale}"


def _call(op: Op, operands: tuple[Operand, ...]) -> str:
    callee, *registers = operands
    if isinstance(callee, Symbol) and callee.kind == ROUTINE and registers == ARGUMENTS[: len(registers)]:
        return f"call {callee!r} {len(registers)}"
    return f"call {callee!r} ({', '.join(map(repr, registers))})"


_SPECIAL: dict[Op, Callable[[Op, tuple[Operand, ...]], str]] = {
    LABEL: _label,
    JMP: lambda op, operands: f"goto {operands[0]!r}",
    LEA: _lea,
    INC: lambda op, operands: f"{operands[0]!r}++" if not isinstance(operands[0], tuple) else f"{operands[0]!r} ++",
    DEC: lambda op, operands: f"{operands[0]!r}--" if not isinstance(operands[0], tuple) else f"{operands[0]!r} --",
    IMUL3: lambda op, operands: "imul " + ", ".join(map(repr, operands)),
    CALL: _call,
    CALL_ERROR: _call,
    CALL_C: lambda op, operands: f"call-c {c_words(operands[0])} ({', '.join(map(repr, operands[1:]))})",  # type: ignore[arg-type]
    CALL_JUMP: lambda op, operands: f"call {operands[0]!r} {operands[1]!r}",
    RETURN: lambda op, operands: " ".join(["return", *map(repr, operands)]),
    STACK_ARG: lambda op, operands: f"{operands[0]!r} <- stack-arg {operands[1]!r}",
    ROOTS: lambda op, operands: f"roots {', '.join(map(repr, operands))}".rstrip(),
    **dict.fromkeys(CJUMP.values(), _cjump),
    **dict.fromkeys(SET.values(), _set),
}


def spell_function(head: str, words: int, arity: int, line: int, body: list[Instruction], with_notes: bool) -> str:
    """The text of a function; `head` is what stands after its opening parenthesis.  Ends with a newline."""
    if with_notes:
        head += notes.write(0, line=line) if arity == words else notes.write(0, line=line, arity=arity)
    out = [f"  ({head}"]
    for instruction in body:
        text = "    " + spell(instruction)
        if with_notes:
            if instruction.op is LABEL and instruction.operands[1]:
                text += notes.write(instruction.span, instruction.by, depth=int(instruction.operands[1]))  # type: ignore[arg-type]
            else:
                text += notes.write(instruction.span, instruction.by)
        out.append(text)
    out.append("  )\n")
    return "\n".join(out)


def spell_program(entry: str, data: dict[str, Data], functions: list[str]) -> str:
    """The text of a program whose functions have been spelled."""
    return f"(@{entry}\n{''.join([spell_data(datum) for datum in data.values()])}{''.join(functions)})\n"


def spell_data(data: Data) -> str:
    """The text of one piece of data, a line."""
    content = f' "{escape(data.content)}"' if data.content else ""
    if isinstance(data, External):
        return f"  ({data!r})\n"
    return f"  (data @{data.name} {data.size}{content})\n"


def escape(content: bytes) -> str:
    """Bytes as what stands between the quotes of a string."""
    return "".join([_ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in content])
