"""Makes a program hosted: its functions are called from Python, and what goes wrong in them becomes an exception there.

    define i64 @f (i64 %a) {                define i64 @f (ptr %context, i64 %a) {
      :entry                                  :entry
        i64 %b <- call @g(%a)         =>        i64 %b <- call @g(%context, %a)
        i64 %c <- 7 / %b                        i64 %c <- 7 / %b
        return %c                               return %c

A function that may fail (it divides, checks, recurses, calls what may fail, calls indirectly, or is called so) has a hidden
first parameter: the address of a context that the caller from Python keeps on its stack.  Checks stay what they are, for the
optimiser to move and remove; IRc makes them call `trap` with the context, which goes back to where that caller left off
(`link.hosted`). A recursive function compares the stack pointer with the context's limit when it is entered.

There is no other runtime: printing, input and allocation are refused here.
"""

from __future__ import annotations

from septet.base.diagnostics import Diagnostic, Rejected, did_you_mean
from septet.base.source import line_of, locate
from septet.base.symbols import FUNCTION, LABEL, ROUTINE, Line, symbol
from septet.base.types import I64, INT64, PTR, VOID
from septet.base.words import encode
from septet.ir.analyses.call_graph import CallGraph
from septet.ir.copy import copy_function
from septet.ir.nodes import OWN, Address, Call, Check, Const, Function, Program, Value
from septet.ops import table as ops
from septet.ops.routines import ROUTINES, TRAPS, trap_kind
from septet.x86 import abi, forms
from septet.x86.instructions import Instruction, Mem
from septet.x86.registers import R8, RCX, RDI, RDX, RSI, RSP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from septet.l1 import nodes as l1

CONTEXT = "context"
RESUME, LIMIT, KIND, LINE, WHAT, OTHER = range(
    0, 48, 8
)  # offsets in a context: rsp to return with, lowest rsp, what went wrong
CONTEXT_SIZE = 48
_TRAP = symbol(ROUTINE, "trap")
_NEEDS_RUNTIME = {
    "print": "prints",
    "input": "reads input",
    "allocate": "allocates",
    ops.NEW_ARRAY.name: "makes an array",
    ops.NEW_TUPLE.name: "makes a tuple",
}


class Hosted:
    """A hosted program: `contexts` are the functions with a context, `recursive` those that check the stack."""

    __slots__ = ("program", "contexts", "recursive")

    def __init__(self, program: Program, contexts: set[str], recursive: set[str]) -> None:
        self.program = program
        self.contexts = contexts
        self.recursive = recursive


def hosted(program: Program, names: Iterable[str]) -> Hosted:
    """The functions called `names`, and what they reach, as a hosted program; `program` is not changed.

    Rejected where one needs a runtime, ValueError where there is none of that name.
    """
    graph = CallGraph(program)
    reached = _reached(program, graph, names)
    problems = [problem for name in reached for problem in _needing_a_runtime(program.functions[name], program)]
    if problems:
        raise Rejected(problems)
    taken = {callee for name in reached for callee in _addressed(program.functions[name])}
    taken -= _by_c(program)
    contexts = _with_context(program, graph, reached, taken)
    problems = [_called_by_c(program.functions[name], program) for name in reached if name in contexts & _by_c(program)]
    if problems:
        raise Rejected(problems)
    functions = {name: _rewritten(program.functions[name], contexts) for name in program.functions if name in reached}
    recursive = {name for name in reached if graph.recursive(name)}
    return Hosted(Program(functions, program.data, program.source, hosted=True), contexts, recursive)


def _reached(program: Program, graph: CallGraph, names: Iterable[str]) -> dict[str, None]:
    todo = list(names)
    for name in todo:
        if name not in program.functions:
            hint = did_you_mean(name, program.functions)
            raise ValueError(f"there is no function '@{name}'" + (f"; {hint}" if hint else ""))
    reached: dict[str, None] = dict.fromkeys(todo)
    while todo:
        name = todo.pop()
        found = graph.calls(name) + _addressed(program.functions[name])
        for callee in found:
            if callee not in reached:
                reached[callee] = None
                todo.append(callee)
    return reached


def _addressed(function: Function) -> list[str]:
    """The functions whose address it takes."""
    return [
        arg.symbol.name
        for value in function.values()
        for arg in value.args
        if isinstance(arg, Address) and arg.symbol.kind == FUNCTION
    ]


def _needing_a_runtime(function: Function, program: Program) -> list[Diagnostic]:
    found: dict[str, Diagnostic] = {}
    for value in function.values():
        name = value.op.name
        if isinstance(value, Call) and value.callee is not None and value.callee.kind == ROUTINE:
            name = value.callee.name
        what = _NEEDS_RUNTIME.get(name)
        if what and what not in found:
            found[what] = Diagnostic(
                f"'@{function.name}' {what}, and nothing does that for a function called from Python",
                locate(program.source, function.line, value.span),
                "leave it out of the functions asked for, pass it a Buffer to write to, or run the whole program",
            )
    return list(found.values())


def _by_c(program: Program) -> set[str]:
    """The functions that C calls."""
    return {name for name, function in program.functions.items() if function.convention != OWN}


def _called_by_c(function: Function, program: Program) -> Diagnostic:
    """That a function which C calls may fail: between it and who would raise the exception are frames of C."""
    return Diagnostic(
        f"'@{function.name}' is called by C, and may fail, recurse or call indirectly: nothing is raised through C's frames",
        locate(program.source, function.line, 1),
        "check before C is called, and give C's caller a result that says what went wrong",
    )


def _with_context(program: Program, graph: CallGraph, reached: Iterable[str], taken: set[str]) -> set[str]:
    """The functions that get a context: those that may fail themselves, and those that call one of them."""
    contexts = {name for name in reached if name in taken or graph.recursive(name) or _may_fail(program.functions[name])}
    for component in graph.components:  # callees first
        for name in component:
            if name in reached and not contexts.isdisjoint(graph.calls(name)):
                contexts.add(name)
    return contexts


def _may_fail(function: Function) -> bool:
    for value in function.values():
        op = value.op
        if op.check or op is ops.CALL_INDIRECT:
            return True
        if op is ops.DIV or op is ops.REM:
            divisor = value.args[1]
            if not isinstance(divisor, Const) or divisor.type.lanes > 1 or not divisor.number:
                return True
        elif isinstance(value, Call) and value.callee is not None and value.callee.kind == ROUTINE:
            return True
    return False


def _rewritten(function: Function, contexts: set[str]) -> Function:
    """A copy of `function` that takes a context, if it is among those that do, and passes it on."""
    copy = copy_function(function)
    if function.name not in contexts:
        return copy
    context = Value(ops.PARAM, PTR, [], name=CONTEXT)
    copy.parameters.insert(0, context)
    for block in copy.blocks:
        for position, value in enumerate(block.body):
            if isinstance(value, Check) and value.op is ops.CHECK_KIND and value.detail & 255 == abi.FUNCTION:
                value.detail += 1 << 8  # one more parameter
            elif not isinstance(value, Call):
                continue
            elif value.callee is None:
                value.args = [value.args[0], context, *value.args[1:]]
            elif value.callee.kind == ROUTINE:
                block.body[position] = _trap(value, context)
            elif value.callee.name in contexts:
                value.args = [context, *value.args]
    return copy


def _trap(call: Call, context: Value) -> Call:
    """A call of an error routine as one of `trap`."""
    assert call.callee is not None and ROUTINES[call.callee.name].ends
    kind = Const(I64, trap_kind(call.callee.name, len(call.args)))
    line = call.args[0] if call.args else Const(INT64, encode(line_of(call.span)))
    rest = [*call.args[1:][-2:], Const(INT64, 0), Const(INT64, 0)][:2]
    return Call(ops.CALL, VOID, _TRAP, [context, kind, line, *rest], call.span, call.by)


def guard(function: l1.Function) -> None:
    """Have a recursive function of L1 fail where its frame would reach below the context's limit."""
    label = symbol(LABEL, f"{function.name}_too_deep")
    kind = TRAPS.index("stack-error") << 3
    function.body[:0] = [
        Instruction(forms.CMP, (RSP, Mem(RDI, LIMIT))),
        Instruction(forms.op("jb"), (label,)),
    ]
    function.body += [
        Instruction(forms.LABEL, (label, 0)),
        Instruction(forms.MOV, (RSI, kind)),
        Instruction(forms.MOV, (RDX, Line(0))),
        Instruction(forms.MOV, (RCX, 0)),
        Instruction(forms.MOV, (R8, 0)),
        Instruction(forms.CALL_ERROR, (_TRAP, RDI, RSI, RDX, RCX, R8)),
    ]
