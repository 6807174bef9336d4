"""The checks of IR's verifier that are about calls; `verify` says what each of them holds."""

from __future__ import annotations

from septet.base.diagnostics import Diagnostic, did_you_mean
from septet.base.source import locate
from septet.base.symbols import ROUTINE, External
from septet.base.types import C_KINDS, FLOAT, I64, INT64, VECTOR, VOID
from septet.ir import nodes as ir
from septet.ops import table as ops
from septet.ops.routines import ROUTINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from septet.base.source import Place
    from septet.base.types import Type

    Found = Iterator[Diagnostic]


def spelled(arg: ir.Value) -> str:
    """How to speak of an operand."""
    if isinstance(arg, ir.Const):
        from septet.base.literals import spell

        return f"'{spell(arg.number, arg.type)}'"
    return f"'{arg.symbol}'" if isinstance(arg, ir.Address) else f"'%{arg.name}'"


class CallChecker:
    """Checks the calls of one function."""

    def __init__(self, function: ir.Function, program: ir.Program) -> None:
        self.function = function
        self.program = program

    def at(self, value: ir.Value, text: str = "") -> Place | None:
        """Where a value comes from."""
        return locate(self.program.source, self.function.line, value.span, text)

    def wrong(self, value: ir.Value, message: str, hint: str = "") -> Diagnostic:
        """That something is wrong with `value`."""
        return Diagnostic(f"in '@{self.function.name}', {message}", self.at(value), hint)

    def accepts(self, user: ir.Value, wanted: Type, arg: ir.Value) -> Found:
        """That an operand may stand where `wanted` is."""
        if not wanted.accepts(arg.type):
            yield self.wrong(user, f"'{user.op}' wants {wanted}, but {spelled(arg)} is {arg.type}")

    def word(self, user: ir.Value, arg: ir.Value) -> Found:
        """That an operand is a word."""
        if not arg.type.is_word:
            yield self.wrong(user, f"'{user.op}' wants a word, but {spelled(arg)} is {arg.type}")

    def counted(self, value: ir.Value, count: int) -> Found:
        """That there are that many operands."""
        if len(value.args) != count:
            yield self.wrong(value, f"'{value.op}' has {len(value.args)} operands, not {count}")

    def vectors_first(self, value: ir.Value | None, values: list[ir.Value]) -> Found:
        """That of floats and vectors no vector comes after eight others; `values` are parameters, or arguments of `value`."""
        vectors = [arg.type.kind == VECTOR for arg in values if arg.type.kind in (FLOAT, VECTOR)]
        if any(vectors[8:]):
            message = f"in '@{self.function.name}', a vector comes after eight floats and vectors"
            yield Diagnostic(message, self.at(value) if value is not None else None)

    def result_word(self, value: ir.Value) -> Found:
        """That the result is a word."""
        if not value.type.is_word:
            yield self.wrong(value, f"'{value.op}' gives a word, not {value.type}")

    def call(self, value: ir.Value) -> Found:
        """A direct or indirect call by the own convention."""
        assert isinstance(value, ir.Call)
        callee = value.callee
        if callee is None:
            yield from self.vectors_first(value, value.args[1:])
        if value.op is ops.CALL_INDIRECT:
            if callee is not None or not value.args:
                yield self.wrong(value, "an indirect call is of the address in its first operand")
            else:
                yield from self.word(value, value.args[0])
        elif callee is None:
            yield self.wrong(value, "a direct call has a callee")
        elif callee.kind == ROUTINE:
            yield from self._routine(value, callee.name)
        else:
            yield from self._direct(value, callee.name)

    def call_c(self, value: ir.Value) -> Found:
        """A call of a function of C: of an external one, of one of convention C, or of an address."""
        if not value.args or not value.args[0].type.is_word:
            yield self.wrong(value, "what is called by C's convention is an address, the first operand")
            return
        callee, *args = value.args
        name = callee.symbol.name if isinstance(callee, ir.Address) else ""
        known = self.program.data.get(name) or self.program.functions.get(name)
        for arg in args:
            if arg.type.kind not in C_KINDS and not arg.type.is_word:
                yield self.wrong(value, f"{spelled(arg)} is {arg.type}, which a function of C does not take")
        if value.type is not VOID and value.type.kind not in C_KINDS and not value.type.is_word:
            yield self.wrong(value, f"a function of C does not give {value.type}")
        if isinstance(known, ir.Function):
            if known.convention != ir.C:
                yield self.wrong(
                    value, f"'@{name}' is not of C's convention", f"'define ... @{name} (...) words c' makes it so"
                )
            yield from self._as_declared(value, name, [parameter.type for parameter in known.parameters], known.result)
        elif isinstance(known, External):
            yield from self._as_declared(value, name, list(known.parameters), known.result)
        elif known is not None:
            yield self.wrong(value, f"'@{name}' is data, no function")

    def _as_declared(self, value: ir.Value, name: str, parameters: list[Type], result: Type) -> Found:
        args = value.args[1:]
        if len(args) != len(parameters):
            yield self.wrong(value, f"'@{name}' takes {len(parameters)} arguments, not {len(args)}")
            return
        for wanted, arg in zip(parameters, args, strict=True):
            yield from self.accepts(value, wanted, arg)
        if value.type is not VOID and not value.type.accepts(result):
            yield self.wrong(value, f"'@{name}' gives {result}, not {value.type}")

    def convention(self) -> Found:
        """A function that C calls takes and gives what C knows."""
        function = self.function
        for type in (function.result, *[parameter.type for parameter in function.parameters]):
            if function.convention == ir.C and type.kind not in C_KINDS and type is not VOID:
                message = f"'@{function.name}' is of C's convention, which knows no {type}"
                yield Diagnostic(message, locate(self.program.source, function.line, 1))

    def _routine(self, value: ir.Value, name: str) -> Found:
        routine = ROUTINES.get(name)
        if routine is None:
            yield self.wrong(value, f"there is no routine '{name}'", did_you_mean(name, ROUTINES))
            return
        if len(value.args) not in routine.arities:
            wanted = " or ".join(map(str, routine.arities))
            yield self.wrong(value, f"'{name}' takes {wanted} arguments, not {len(value.args)}")
        for arg in value.args:
            yield from self.word(value, arg)
        if value.type is not VOID:
            yield from self.result_word(value)

    def _direct(self, value: ir.Value, name: str) -> Found:
        function = self.program.functions.get(name)
        if function is None:
            message = f"in '@{self.function.name}', there is no function '@{name}'"
            yield Diagnostic(message, self.at(value, name), did_you_mean(name, self.program.functions))
            return
        if function.convention == ir.C:
            yield self.wrong(value, f"'@{name}' is of C's convention", f"'call c @{name}(...)' calls it")
        parameters = function.parameters
        if len(parameters) != len(value.args):
            there = locate(self.program.source, function.line, 1)
            also = [(there, f"it has {len(parameters)} parameters")] if there else []
            message = f"in '@{self.function.name}', '@{name}' takes {len(parameters)} arguments, not {len(value.args)}"
            yield Diagnostic(message, self.at(value, name), "", also)
            return
        for parameter, arg in zip(parameters, value.args, strict=True):
            yield from self.accepts(value, parameter.type, arg)
        result = INT64 if function.result is VOID else function.result
        if value.type is not VOID and not value.type.accepts(result):
            yield self.wrong(value, f"'@{name}' gives {function.result}, not {value.type}")

    def syscall(self, value: ir.Value) -> Found:
        """A system call."""
        if not 1 <= len(value.args) <= 7:
            yield self.wrong(value, "a system call has a number and up to six arguments")
        for arg in value.args:
            yield from self.word(value, arg)
        if not I64.accepts(value.type):
            yield self.wrong(value, f"a system call gives a word, not {value.type}")
