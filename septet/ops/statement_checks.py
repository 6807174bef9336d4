"""What must hold of the statements that LB and LA share; their verifiers' docstrings are the specification."""

from __future__ import annotations

from septet.base.diagnostics import Diagnostic, did_you_mean
from septet.base.source import column_of, line_of, locate, span
from septet.base.types import CODE, INT64, TUPLE, VOID, Type
from septet.ops.statements import (
    Assign,
    Call,
    Declare,
    Jump,
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
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Protocol

    from septet.base.source import Place, Source

    Operand = Variable | int | str

    class Function(Protocol):
        """A function of LB or LA."""

        name: str
        result: Type
        parameters: list[Variable]
        line: int
        column: int

    class Program(Protocol):
        """A program of LB or LA."""

        source: Source | None

        @property
        def functions(self) -> Mapping[str, Function]: ...


HINTS = 20  # of one function, that take a search through all names


def main_problems(program: Program) -> Iterator[Diagnostic]:
    """What is wrong with the program's entry."""
    main = program.functions.get("main")
    if main is None:
        hint = did_you_mean("main", program.functions)
        yield Diagnostic("there is no function 'main'", None, hint or "execution starts at 'main'")
    elif main.parameters:
        place = locate(program.source, main.line, span(0, main.column), "main")
        yield Diagnostic("'main' has parameters, but nobody gives it arguments", place)


class Checker:
    """Checks one function's statements in order; what is wrong gathers in `found`."""

    __slots__ = ("function", "program", "found", "known", "labels", "jumps", "hints")
    fewer = False  # whether a function called by name may be given fewer arguments than it has parameters

    def __init__(self, function: Function, program: Program) -> None:
        self.function = function
        self.program = program
        self.found: list[Diagnostic] = []
        self.known: dict[Variable, None] = dict.fromkeys(function.parameters)  # the variables that may be named here
        self.labels: dict[str, Statement] = {}
        self.jumps: list[tuple[str, Statement]] = []
        self.hints = 0

    # Complaining

    def place(self, statement: Statement, text: str = "", after: str = "") -> Place | None:
        """Where `text` stands in a statement, behind `after` if that is there."""
        source, first, where = self.program.source, self.function.line, statement.span
        number = first + line_of(where)
        if after and source and 0 < number <= len(source.lines):
            at = source.lines[number - 1].find(after, max(column_of(where) - 1, 0))
            if at >= 0:
                where = span(line_of(where), at + len(after) + 1)
        return locate(source, first, where, text)

    def complain(self, statement: Statement, text: str, message: str, hint: str = "") -> None:
        """Complain about `text` within `statement`: an operand, so what follows the arrow if a variable is assigned to."""
        after = "<-" if getattr(statement, "target", None) is not None else ""
        self.found.append(Diagnostic(message, self.place(statement, text, after), hint))

    def complain_of_target(self, statement: Statement, target: Variable, message: str) -> None:
        """Complain about the variable assigned to."""
        self.found.append(Diagnostic(message, self.place(statement, target.name)))

    def meant(self, name: str, known: list[str]) -> str:
        """A hint which of `known` was meant by `name`; only for the first names, as it takes long."""
        self.hints += 1
        return did_you_mean(name, known) if self.hints <= HINTS else ""

    def strange(self, s: Statement, operand: Operand, functions: bool = False) -> None:
        """Complain about an operand that is no variable known here and no number; function names are fine if `functions`."""
        if isinstance(operand, Variable):
            self.complain(s, operand.name, f"variable '{operand.name}' is not declared here")
        elif not isinstance(operand, str):
            return
        elif operand not in self.program.functions:
            hint = self.meant(operand, [v.name for v in self.known] + list(self.program.functions))
            self.complain(s, operand, f"there is no variable or function '{operand[:200]}'", hint)
        elif not functions:
            self.complain(s, operand, f"'{operand}' is a function, where a variable or a number is wanted")

    def mismatch(self, s: Statement, operand: Operand, wanted: Type, what: str) -> None:
        """Complain if `operand`, which is not a variable of type `wanted`, may not stand for `what`, which has that type."""
        if isinstance(operand, Variable):
            if operand in self.known:
                self.complain(s, operand.name, f"'{operand.name}' is {operand.type}, but {what} is {wanted}")
            else:
                self.strange(s, operand)
        elif isinstance(operand, str):
            self.strange(s, operand, functions=True)
            if wanted is not CODE and operand in self.program.functions:
                self.complain(s, operand, f"'{operand}' is a function, but {what} is {wanted}")
        elif wanted is not INT64:
            self.complain(s, str(operand), f"{operand} is a number, but {what} is {wanted}")

    # What statements are made of

    def value(self, s: Statement, operand: Operand, wanted: Type, what: str) -> None:
        """`operand` may be given to `what`, which is of type `wanted`."""
        if not (operand.__class__ is Variable and operand.type is wanted and operand in self.known):
            self.mismatch(s, operand, wanted, what)

    def target(self, s: Statement, target: Variable, given: Type, what: str) -> None:
        """`target` may be given `what`, which is of type `given`."""
        if target not in self.known:
            self.strange(s, target)
        elif target.type is not given:
            self.complain_of_target(s, target, f"'{target.name}' is {target.type}, but {what} is {given}")

    def numbers(self, s: Statement, left: Operand, right: Operand) -> None:
        """Both may be operands of arithmetic: numbers, and variables of any type."""
        known = self.known
        if left not in known and left.__class__ is not int:
            self.strange(s, left)
        if right not in known and right.__class__ is not int:
            self.strange(s, right)

    def element(self, s: Load | Store) -> Type | None:
        """The type of what `s` loads or stores, None for any; indices checked."""
        base, indices = s.base, s.indices
        if base not in self.known:
            self.strange(s, base)
            return None
        rank = base.type.rank or (base.type is TUPLE and 1)
        if not rank:
            self.complain(s, base.name, f"'{base.name}' is {base.type}, which has no elements")
            return None
        if len(indices) != rank:
            kind = "a tuple" if base.type is TUPLE else f"{base.type}"
            message = f"'{base.name}' is {kind} and takes {_count(rank, 'index', 'indices')}, not {len(indices)}"
            self.complain(s, base.name, message)
        for index in indices:
            if index.__class__ is not int:
                self.value(s, index, INT64, "an index")
        return None if base.type is TUPLE else INT64

    # Statements

    def declare(self, s: Declare) -> None:
        """`type a, b`."""
        for variable in s.variables:
            if variable.type is VOID:
                self.complain(s, "void", "a variable cannot be void")
            self.known[variable] = None

    def assign(self, s: Assign) -> None:
        """`x <- t`."""
        target = s.target
        if target not in self.known:
            self.strange(s, target)
        else:
            self.value(s, s.value, target.type, f"'{target.name}'")

    def operate(self, s: Operate) -> None:
        """`x <- t op t`."""
        target, left, right, known = s.target, s.left, s.right, self.known
        if target.type is not INT64 or target not in known:
            self.target(s, target, INT64, "the result")
        if left not in known and left.__class__ is not int:
            self.strange(s, left)
        if right not in known and right.__class__ is not int:
            self.strange(s, right)

    def load(self, s: Load) -> None:
        """`x <- a[t]...`."""
        type = self.element(s)
        self.target(s, s.target, type or s.target.type, "the element")

    def store(self, s: Store) -> None:
        """`a[t]... <- t`."""
        type = self.element(s)
        if type:
            self.value(s, s.value, type, "the element")
        elif s.value not in self.known:
            self.strange(s, s.value, functions=True)

    def length(self, s: Length) -> None:
        """`x <- length a t?`."""
        base, dimension = s.base, s.dimension
        self.target(s, s.target, INT64, "the length")
        if base not in self.known:
            self.strange(s, base)
        elif base.type is TUPLE:
            if dimension is not None:
                self.complain(s, base.name, "a tuple has no dimensions", f"write 'length {base.name}'")
        elif not base.type.rank:
            self.complain(s, base.name, f"'{base.name}' is {base.type}, which has no length")
        elif dimension is None:
            self.complain(s, base.name, "the dimension is missing", f"write 'length {base.name} 0' for the first")
        elif isinstance(dimension, int):
            if not 0 <= dimension <= base.type.rank:
                message = f"'{base.name}' has {_count(base.type.rank, 'dimension', 'dimensions')}, the first being 0"
                self.complain(s, str(dimension), message)
        else:
            self.value(s, dimension, INT64, "a dimension")

    def call(self, s: Call) -> None:
        """`f(...)` or `x <- f(...)`."""
        callee, target = s.callee, s.target
        if target is not None and target not in self.known:
            self.strange(s, target)
        if isinstance(callee, Variable):
            if callee.type is not CODE or callee not in self.known:
                self.value(s, callee, CODE, "what is called")
            for arg in s.args:
                if arg not in self.known:
                    self.strange(s, arg, functions=True)
            return
        function = self.program.functions.get(callee)
        if function is None:
            known = list(self.program.functions) + [v.name for v in self.known if v.type is CODE]
            hint = "'return' takes no parentheses" if callee == "return" else self.meant(callee, known)
            self.complain(s, callee, f"there is no function '{callee[:200]}'", hint)
            return
        parameters = function.parameters
        if len(s.args) != len(parameters) and not (self.fewer and len(s.args) < len(parameters)):
            wants = _count(len(parameters), "argument", "arguments")
            self.complain(s, callee, f"'{callee}' takes {wants}, not {len(s.args)}", _signature(function))
        for parameter, arg in zip(parameters, s.args, strict=False):
            self.value(s, arg, parameter.type, f"parameter '{parameter.name}'")
        if target is not None and function.result is not VOID:
            self.target(s, target, function.result, f"the result of '{callee}'")

    def runtime_call(self, s: RuntimeCall) -> None:
        """`print(t)`, `x <- input()`."""
        if s.target is not None:
            self.target(s, s.target, INT64, f"the result of '{s.name}'")
        wants = 1 if s.name == "print" else 0
        if len(s.args) != wants:
            self.complain(s, s.name, f"'{s.name}' takes {_count(wants, 'argument', 'arguments')}, not {len(s.args)}")
        for arg in s.args:
            if arg not in self.known:
                self.strange(s, arg, functions=True)

    def new_array(self, s: NewArray) -> None:
        """`x <- new Array(t, ...)`."""
        target, rank = s.target, len(s.sizes)
        if target not in self.known:
            self.strange(s, target)
        elif target.type.rank != rank:
            what = f"an array of {_count(rank, 'dimension', 'dimensions')}"
            self.complain_of_target(s, target, f"'{target.name}' is {target.type}, which cannot hold {what}")
        for size in s.sizes:
            self.value(s, size, INT64, "a size")

    def new_tuple(self, s: NewTuple) -> None:
        """`x <- new Tuple(t)`."""
        self.target(s, s.target, TUPLE, "a new tuple")
        self.value(s, s.size, INT64, "a size")

    def label(self, s: Label) -> None:
        """`:name`."""
        if s.name in self.labels:
            other = self.place(self.labels[s.name], ":" + s.name)
            also = [(other, "it stands here already")] if other else []
            message = f"label ':{s.name[:200]}' stands twice in this function"
            self.found.append(Diagnostic(message, self.place(s), "", also))
        else:
            self.labels[s.name] = s

    def jump(self, s: Jump) -> None:
        """`goto :label`, `br :label`."""
        self.jumps.append((s.label, s))

    def return_(self, s: Return) -> None:
        """`return t?`."""
        value, result = s.value, self.function.result
        if value is None:
            return
        if result is VOID:
            if value not in self.known:
                self.strange(s, value, functions=True)
            self.complain(s, str(value), f"'{self.function.name}' is void, so it returns nothing")
        else:
            self.value(s, value, result, f"the result of '{self.function.name}'")

    def finish(self) -> None:
        """Check what can be checked only when all statements were seen."""
        for label, s in self.jumps:
            if label not in self.labels:
                hint = self.meant(label, list(self.labels))
                self.complain(s, ":" + label, f"there is no label ':{label[:200]}' in this function", hint)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _signature(function: Function) -> str:
    return f"{function.result} {function.name}({', '.join(f'{p.type} {p.name}' for p in function.parameters)})"


CHECKS: dict[type[Statement], Callable[[Any, Any], None]] = {
    Declare: Checker.declare,
    Assign: Checker.assign,
    Operate: Checker.operate,
    Load: Checker.load,
    Store: Checker.store,
    Length: Checker.length,
    Call: Checker.call,
    RuntimeCall: Checker.runtime_call,
    NewArray: Checker.new_array,
    NewTuple: Checker.new_tuple,
    Label: Checker.label,
    Jump: Checker.jump,
    Return: Checker.return_,
}
"""How each statement is checked."""
