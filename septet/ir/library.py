"""Functions for operations that the target has no instruction for: calls of them take the operations' places.

That is before all passes, so that there is nothing special about them, and they are inlined where that pays.  They are
written in IR, in `library.ir`; so far there is one operation, `fma`.
"""

from __future__ import annotations

import os

from septet.base.names import Fresh
from septet.base.source import Source
from septet.base.symbols import FUNCTION, symbol
from septet.base.types import F32, F64, I64
from septet.ir.copy import copy_function
from septet.ir.nodes import Call, Const, Function, Program, Value
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.symbols import Symbol
    from septet.base.types import Type

_NAMES = {F32: "fma_f32", F64: "fma_f64"}
_PARSED: dict[str, Function] = {}


def complete(program: Program) -> Program:
    """`program` with calls where it has an `fma`, and the functions called; itself where it has none.  It is not changed."""
    using = [function for function in program.functions.values() if _fused(function)]
    if not using:
        return program
    fresh = Fresh([*program.functions, *program.data])
    functions = dict(program.functions)
    callees: dict[Type, Symbol] = {}
    for function in using:
        for value in _fused(function):
            element = value.type.element
            if element not in callees:
                callees[element] = symbol(FUNCTION, fresh(_NAMES[element]))
        functions[function.name] = _calling(function, callees)
    for element, callee in callees.items():
        made = copy_function(_library()[_NAMES[element]])
        made.name = callee.name
        made.line = using[0].line
        functions[callee.name] = made
    new = Program(functions, program.data, program.source, program.hosted)
    new.collecting = program.collecting
    return new


def _fused(function: Function) -> list[Value]:
    fma = ops.FMA
    return [value for block in function.blocks for value in block.body if value.op is fma]


def _library() -> dict[str, Function]:
    """The library's functions; what they do is said to be of their first line."""
    if not _PARSED:
        from septet.ir.text import parse

        with open(os.path.join(os.path.dirname(__file__), "library.ir"), encoding="utf-8") as file:
            _PARSED.update(parse(Source(file.read(), "library.ir")).functions)
        for function in _PARSED.values():
            for value in function.values():
                value.span = 0
    return _PARSED


def _calling(function: Function, callees: dict[Type, Symbol]) -> Function:
    """A copy of a function that calls these instead."""
    made = copy_function(function)
    instead: dict[Value, Value] = {}
    for block in made.blocks:
        body: list[Value] = []
        for value in block.body:
            if value.op is ops.FMA:
                called = _call(value, value.args, callees) if value.type.lanes == 1 else _by_lanes(value, body, callees)
                body.append(called)
                instead[value] = called
            else:
                body.append(value)
        block.body = body
    for value in made.values():
        value.args = [instead.get(arg, arg) for arg in value.args]
    return made


def _call(value: Value, args: list[Value], callees: dict[Type, Symbol], name: str = "") -> Value:
    element = value.type.element
    return Call(ops.CALL, element, callees[element], args, value.span, value.by, name or value.name)


def _by_lanes(value: Value, body: list[Value], callees: dict[Type, Symbol]) -> Value:
    """What puts the results for all lanes together; all but the last operation are appended to `body`."""
    kind, span, by = value.type, value.span, value.by
    found = value.args[2]
    for lane in range(kind.lanes):
        number = Const(I64, lane)
        lanes = [Value(ops.EXTRACT, kind.element, [arg, number], span, by, "lane") for arg in value.args]
        one = _call(value, list(lanes), callees, "fused")
        if lane:
            body.append(found)
        found = Value(ops.INSERT, kind, [found, number, one], span, by, value.name)
        body += [*lanes, one]
    return found
