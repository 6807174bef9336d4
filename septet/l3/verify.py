"""What a well-formed L3 program is, one line an invariant, with the check that holds it.

* `_program`: there is a function `main`, and it has no parameters.
* `_labels`: a label stands once in its function.
* `_names`: labels, functions and data that are named exist.
* `_operation`: the opcode is one of L3's: no phi, no array operation, no check; and it has its number of operands.
* `_operand`: where a type is wanted an operand has it, or both are 64-bit words; a constant is one of its numbers.
* `_result`: a result goes to a variable of its type (words to words); a comparison's to any integer variable, of vectors to a
  mask.
* `_lanes`: what takes vectors apart or puts them together is of their lanes' type; a lane is named by a number that it has.
* `_memory`: an address is a word; a narrower integer may be loaded into a word, and any integer be stored in part.
* `_call`: a function gets as many arguments as it has parameters, of their types, floats and vectors in variables, no vector
  after eight others; a routine, words.
* `_branch`: what decides a branch is an integer.
* `_return`: what is returned has the function's result type; a bare return gives 0.
* `_cast`: a bitcast keeps the width; a conversion is between numbers, or vectors of equally many.
* `_variable`: variables are words, integers, floats, and vectors of 64 to 512 bits; two of a function never share a name.
* `_roots`: roots are variables.
"""

from __future__ import annotations

from septet.base.diagnostics import Diagnostic, did_you_mean
from septet.base.source import locate
from septet.base.symbols import DATA, FUNCTION, LABEL, ROUTINE, Line, Symbol, symbol
from septet.base.types import BOOL, FLOAT, I64, INT, INT64, LEAST_VECTOR, MOST_VECTOR, U64, VALUE, VECTOR, VOID, truth
from septet.l3.nodes import Branch, Call, Label, Memory, Variable
from septet.ops import table as ops
from septet.ops.routines import ROUTINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from septet.base.source import Place
    from septet.base.types import Type
    from septet.l3.nodes import Function, Instruction, Program
    from septet.ops.table import Op

    Operand = Variable | int | Symbol | Line


def problems(program: Program) -> Iterator[Diagnostic]:
    """Everything that is wrong with a program."""
    yield from _program(program)
    for function in program.functions.values():
        yield from function_problems(function, program)


def function_problems(function: Function, program: Program) -> Iterator[Diagnostic]:
    """Everything that is wrong with one function of `program`."""
    return _Checker(function, program).problems()


def _program(program: Program) -> Iterator[Diagnostic]:
    main = program.functions.get("main")
    if main is None:
        yield Diagnostic("the program has no function 'main'", None, did_you_mean("main", program.functions))
    elif main.parameters:
        yield Diagnostic("'main' has parameters, but nobody calls it with any")


def _is_integer(type: Type) -> bool:
    return type.kind in (INT, VALUE)


def _names_lanes(number: int, count: int, whole: Type) -> bool:
    """Whether the bytes of `number` are `count` lanes of two vectors `whole`."""
    return 0 <= number < 1 << 8 * count and all(lane < 2 * whole.lanes for lane in number.to_bytes(count, "little"))


class _Checker:
    """Checks one function."""

    __slots__ = ("function", "program", "labels", "variables")

    def __init__(self, function: Function, program: Program) -> None:
        self.function = function
        self.program = program
        self.labels: dict[str, Label] = {}
        self.variables: dict[str, Variable] = {}

    def problems(self) -> Iterator[Diagnostic]:
        """Everything that is wrong with the function."""
        yield from self._labels()
        for parameter in self.function.parameters:
            yield from self._variable(parameter, None)
        yield from self._vectors(self.function.parameters, None)
        for instruction in self.function.body:
            if instruction.target is not None:
                yield from self._variable(instruction.target, instruction)
            for arg in instruction.args:
                if type(arg) is Variable:
                    yield from self._variable(arg, instruction)
                elif type(arg) is Symbol:
                    yield from self._names(arg, instruction)
                elif type(arg) is Line and arg.function:
                    yield from self._names(symbol(FUNCTION, arg.function), instruction)
            yield from _CHECKS.get(instruction.op, _Checker._operation)(self, instruction)

    def _at(self, i: Instruction, text: str = "") -> Place | None:
        return locate(self.program.source, self.function.line, i.span, text)

    def _labels(self) -> Iterator[Diagnostic]:
        for instruction in self.function.body:
            if type(instruction) is Label:
                before = self.labels.setdefault(instruction.name, instruction)
                if before is not instruction:
                    there = self._at(before)
                    also = [(there, "it stands here as well")] if there else []
                    yield Diagnostic(f"label ':{instruction.name}' stands twice", self._at(instruction), "", also)

    def _variable(self, variable: Variable, i: Instruction | None) -> Iterator[Diagnostic]:
        if self.variables.setdefault(variable.name, variable) is not variable:
            yield Diagnostic(f"two variables are called {variable!r}", self._at(i, repr(variable)) if i else None)
        type = variable.type
        if type is VOID or type.kind == VECTOR and not LEAST_VECTOR <= type.bits <= MOST_VECTOR:
            yield Diagnostic(f"{variable!r} is {variable.type}, which no variable can be", self._at(i) if i else None)

    def _names(self, name: Symbol, i: Instruction) -> Iterator[Diagnostic]:
        if name.kind == LABEL:
            yield from self._label(name.name, i)
        elif name.kind in (FUNCTION, DATA):
            known = self.program.functions if name.kind == FUNCTION else self.program.data
            if name.name not in known:
                hint = did_you_mean(name.name, known)
                yield Diagnostic(f"there is no function or data '@{name.name}'", self._at(i, f"@{name.name}"), hint)

    def _label(self, name: str, i: Instruction) -> Iterator[Diagnostic]:
        if name not in self.labels:
            hint = did_you_mean(name, self.labels)
            yield Diagnostic(f"there is no label ':{name}' in this function", self._at(i, f":{name}"), hint)

    def _operand(self, arg: Operand, wanted: Type, i: Instruction) -> Iterator[Diagnostic]:
        if type(arg) is Variable:
            if not wanted.accepts(arg.type):
                yield Diagnostic(f"{arg!r} is {arg.type}, but {wanted} is wanted", self._at(i, repr(arg)))
        elif isinstance(arg, int):
            if not wanted.low <= arg <= wanted.high and not (wanted.is_float and 0 <= arg < 1 << wanted.bits):
                yield Diagnostic(f"{arg} is not between {wanted.low} and {wanted.high}, as a {wanted} is", self._at(i))
        elif not wanted.is_word:
            yield Diagnostic(f"{arg!r} is a word, but {wanted} is wanted", self._at(i, repr(arg)))

    def _result(self, made: Type, i: Instruction) -> Iterator[Diagnostic]:
        target = i.target
        if target is not None and not target.type.accepts(made):
            yield Diagnostic(f"this makes {made}, but {target!r} is {target.type}", self._at(i, repr(target)))

    def _operation(self, i: Instruction) -> Iterator[Diagnostic]:
        op = i.op
        if op not in _OPERATIONS or i.target is None or len(i.args) != max(len(op.operands), 1):
            yield Diagnostic(f"'{op}' with {len(i.args)} operands is no operation of L3", self._at(i))
            return
        lane = i.type.element
        if op.operands[0] == "I" and not _is_integer(lane) or op.operands[0] == "F" and not lane.is_float:
            yield Diagnostic(f"there is no '{op}' on {i.type}", self._at(i))
        for arg in i.args:
            yield from self._operand(arg, i.type, i)
        if not op.compares:
            yield from self._result(i.type, i)
        elif i.type.kind == VECTOR or not _is_integer(i.target.type):
            yield from self._result(truth(i.type), i)

    def _lanes(self, i: Instruction) -> Iterator[Diagnostic]:
        op, whole = i.op, i.type
        if i.target is None or len(i.args) != len(op.operands):
            yield Diagnostic(f"'{op}' with {len(i.args)} operands is no operation of L3", self._at(i))
            return
        made = i.target.type
        results = {"V": whole, "E": whole.element, "IE": whole.element, "FE": whole.element, "u64": U64}
        if whole.kind != VECTOR or op.result in ("IE", "FE") and whole.element.is_float != (op.result == "FE"):
            yield Diagnostic(f"there is no '{op}' on {whole}", self._at(i))
            return
        if op is not ops.SHUFFLE:
            yield from self._result(results[op.result], i)
        elif made.kind != VECTOR or made.element is not whole.element:
            yield Diagnostic(f"there is no '{op}' of {whole} that gives {made}", self._at(i))
            return
        for letter, arg in zip(op.operands, i.args, strict=True):
            if letter == "K" and not (isinstance(arg, int) and 0 <= arg < whole.lanes):
                yield Diagnostic(f"{arg!r} is no lane of {whole}", self._at(i))
            elif letter == "L" and not (isinstance(arg, int) and _names_lanes(arg, made.lanes, whole)):
                yield Diagnostic(f"{arg!r} does not name {made.lanes} lanes of two {whole}", self._at(i))
            elif letter in "VE":
                yield from self._operand(arg, whole if letter == "V" else whole.element, i)

    def _roots(self, i: Instruction) -> Iterator[Diagnostic]:
        for arg in i.args:
            if type(arg) is not Variable:
                yield Diagnostic(f"{arg!r} is no variable, as a root is", self._at(i))

    def _select(self, i: Instruction) -> Iterator[Diagnostic]:
        if i.target is None or len(i.args) != 3:
            yield Diagnostic("'select' has three operands and a result", self._at(i))
            return
        choice = i.args[0]
        if i.type.kind != VECTOR or not (type(choice) is Variable and choice.type is truth(i.type)):
            yield from self._operand(choice, BOOL, i)
        for arg in i.args[1:]:
            yield from self._operand(arg, i.type, i)
        yield from self._result(i.type, i)

    def _cast(self, i: Instruction) -> Iterator[Diagnostic]:
        if i.target is None or len(i.args) != 1:
            yield Diagnostic(f"'{i.op}' has one operand and a result", self._at(i))
            return
        (arg,) = i.args
        if i.op is ops.CONVERT:
            yield from self._operand(arg, i.type, i)
            if i.target.type.lanes != i.type.lanes:
                yield Diagnostic(f"there is no conversion from {i.type} to {i.target.type}", self._at(i))
            return
        yield from self._result(i.type, i)
        if type(arg) is Variable:
            if arg.type.bits != i.type.bits:
                message = f"{arg!r} has {arg.type.bits} bits, but a {i.type} has {i.type.bits}"
                yield Diagnostic(message, self._at(i, repr(arg)), "'convert' changes the width")
        else:
            yield from self._operand(arg, i.type, i)

    def _memory(self, i: Instruction) -> Iterator[Diagnostic]:
        if not isinstance(i, Memory) or len(i.args) != (1 if i.op is ops.LOAD else 2):
            yield Diagnostic(f"'{i.op}' has a base address, an offset and, if it stores, what it stores", self._at(i))
            return
        yield from self._operand(i.args[0], INT64, i)
        if i.op is ops.STORE:
            what = i.args[1]
            if not (type(what) is Variable and _is_integer(what.type) and _is_integer(i.type)):
                yield from self._operand(what, i.type, i)
        elif i.target is not None and not (i.target.type.is_word and _is_integer(i.type)):
            yield from self._result(i.type, i)

    def _call(self, i: Instruction) -> Iterator[Diagnostic]:
        if not isinstance(i, Call):
            yield Diagnostic("a call has something that it calls", self._at(i))
            return
        callee = i.callee
        yield from self._vectors([arg for arg in i.args if type(arg) is Variable], i)
        if type(callee) is Variable:
            yield from self._variable(callee, i)
            yield from self._operand(callee, INT64, i)
        elif isinstance(callee, Symbol) and callee.kind == ROUTINE:
            yield from self._routine(callee.name, i)
        elif isinstance(callee, Symbol):
            yield from self._direct(callee, i)

    def _vectors(self, variables: list[Variable], i: Instruction | None) -> Iterator[Diagnostic]:
        vectors = [variable.type.kind == VECTOR for variable in variables if variable.type.kind in (FLOAT, VECTOR)]
        if any(vectors[8:]):
            message = f"in '@{self.function.name}', a vector comes after eight floats and vectors"
            yield Diagnostic(message, self._at(i) if i else None)

    def _routine(self, name: str, i: Instruction) -> Iterator[Diagnostic]:
        routine = ROUTINES[name]
        if len(i.args) not in routine.arities:
            wanted = " or ".join(map(str, routine.arities))
            yield Diagnostic(f"'{name}' takes {wanted} arguments, not {len(i.args)}", self._at(i, name))
        for arg in i.args:
            yield from self._operand(arg, INT64, i)
        yield from self._result(INT64, i)

    def _direct(self, callee: Symbol, i: Instruction) -> Iterator[Diagnostic]:
        function = self.program.functions.get(callee.name) if callee.kind == FUNCTION else None
        if function is None:
            hint = did_you_mean(callee.name, self.program.functions)
            yield Diagnostic(f"there is no function '@{callee.name}'", self._at(i, f"@{callee.name}"), hint)
            return
        if len(i.args) != len(function.parameters):
            count = len(function.parameters)
            there = locate(self.program.source, function.line, 1)
            also = [(there, f"it has {count} parameters")] if there else []
            message = f"'@{function.name}' takes {count} arguments, not {len(i.args)}"
            yield Diagnostic(message, self._at(i, f"@{callee.name}"), "", also)
            return
        for arg, parameter in zip(i.args, function.parameters, strict=True):
            if parameter.type.kind in (FLOAT, VECTOR) and type(arg) is not Variable:
                yield Diagnostic(f"argument {arg} is a word: a {parameter.type} must come from a variable", self._at(i))
            yield from self._operand(arg, parameter.type, i)
        yield from self._result(INT64 if function.result is VOID else function.result, i)

    def _syscall(self, i: Instruction) -> Iterator[Diagnostic]:
        if not 1 <= len(i.args) <= 7:
            yield Diagnostic("a system call has a number and up to six arguments", self._at(i))
        for arg in i.args:
            yield from self._operand(arg, I64, i)
        yield from self._result(I64, i)

    def _call_c(self, i: Instruction) -> Iterator[Diagnostic]:
        """What C's convention passes are words, integers and floats, floats in variables."""
        if not i.args or type(i.args[0]) is not Variable:
            yield Diagnostic("a call by C's convention is of an address in a variable", self._at(i))
            return
        yield from self._operand(i.args[0], INT64, i)
        for variable in (*i.args[1:], i.target):
            if type(variable) is Variable and variable.type.kind == VECTOR:
                yield Diagnostic(f"{variable!r} is {variable.type}, which C's convention does not pass", self._at(i))
        if i.target is not None:
            yield from self._result(i.type, i)

    def _branch(self, i: Instruction) -> Iterator[Diagnostic]:
        if not isinstance(i, Branch) or len(i.args) != (i.op is ops.BR_IF):
            yield Diagnostic(f"'{i.op}' has a label and, if it decides, what decides it", self._at(i))
            return
        yield from self._label(i.label, i)
        for arg in i.args:
            if type(arg) is Variable and not _is_integer(arg.type):
                yield Diagnostic(f"{arg!r} is {arg.type}, but an integer is wanted", self._at(i, repr(arg)))

    def _return(self, i: Instruction) -> Iterator[Diagnostic]:
        result = self.function.result
        if len(i.args) > (result is not VOID):
            yield Diagnostic(f"this returns something, but the function's result is {result}", self._at(i))
            return
        for arg in i.args:
            yield from self._operand(arg, result, i)

    def _nothing(self, i: Instruction) -> Iterator[Diagnostic]:
        return iter(())


_OPERATIONS = frozenset(
    {ops.COPY, ops.TAG, ops.UNTAG} | {op for op in ops.OPS if op.meaning is not None and op.operands[0] in "IF"}
)
_CHECKS: dict[Op, Callable[[_Checker, Instruction], Iterator[Diagnostic]]] = {
    ops.SELECT: _Checker._select,
    ops.CONVERT: _Checker._cast,
    ops.BITCAST: _Checker._cast,
    ops.LOAD: _Checker._memory,
    ops.STORE: _Checker._memory,
    ops.CALL: _Checker._call,
    ops.CALL_INDIRECT: _Checker._call,
    ops.CALL_C: _Checker._call_c,
    ops.SYSCALL: _Checker._syscall,
    ops.BR: _Checker._branch,
    ops.BR_IF: _Checker._branch,
    ops.RETURN: _Checker._return,
    ops.LABEL: _Checker._nothing,
    ops.ROOTS: _Checker._roots,
    **{op: _Checker._lanes for op in ops.OPS if "V" in (*op.operands, op.result)},
}
