"""What a well-formed LA program is.

Of the program (`main_problems`): there is a function `main`, without parameters.
Of each function:
* `declare`: one variable at a time, not void; no two variables and parameters have the same name.
* every statement: a variable named is a parameter or declared before, in the order of the text; a function named exists.
* `assign`, `call` (arguments of functions called by name, and results), `return_`: both sides have the same type; a number is
  int64, a function's name is code.  A void function's result may go anywhere; `return` alone may stand in any function.
* `operate`: the result is int64; operands are numbers or variables of any type, compared as words.
* `load`, `store`: as many indices as the array has dimensions, one for a tuple, each int64; array elements are int64, tuple
  elements anything.
* `length`: of an array, with a dimension that is int64 and, if literal, at most the rank (there, as programs of the course
  have it, the length is 0); of a tuple, without one.
* `call`: of a function by name with at most as many arguments as parameters (those missing are initial values: programs of
  the course leave some out); of a code variable with any.
* `runtime_call`: `print` has one argument of any type, `input` none; results are int64.
* `new_array`, `new_tuple`: the variable has the type made; sizes are int64.
* `branch`: the condition is int64.
* `label`, `jump`, `branch`: each label stands once; those jumped to stand in the function.
"""

from __future__ import annotations

from septet.base.diagnostics import Diagnostic
from septet.base.types import INT64
from septet.la.nodes import Branch
from septet.ops.statement_checks import CHECKS, Checker, main_problems
from septet.ops.statements import Declare, Statement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from septet.la.nodes import Function, Program


def problems(program: Program) -> Iterator[Diagnostic]:
    """Everything wrong with `program`."""
    yield from main_problems(program)
    for function in program.functions.values():
        yield from function_problems(function, program)


def function_problems(function: Function, program: Program) -> Iterator[Diagnostic]:
    """Everything wrong with `function` of `program`."""
    checker = _Checker(function, program)
    checks = _CHECKS
    for statement in function.body:
        checks[type(statement)](checker, statement)
        if checker.found:
            yield from checker.found
            checker.found.clear()
    checker.finish()
    yield from checker.found


class _Checker(Checker):
    """Adds LA's branches, and names that are unique in their function."""

    __slots__ = ("names",)
    fewer = True

    def __init__(self, function: Function, program: Program) -> None:
        super().__init__(function, program)
        self.names = {parameter.name for parameter in function.parameters}

    def declare(self, s: Declare) -> None:
        super().declare(s)
        if len(s.variables) != 1:
            self.complain(s, s.variables[1].name, "LA declares one variable at a time")
        for variable in s.variables:
            if variable.name in self.names:
                self.complain(s, variable.name, f"'{variable.name}' is declared twice in one function")
            self.names.add(variable.name)

    def branch(self, s: Branch) -> None:
        """`br t :then :other`."""
        self.value(s, s.condition, INT64, "a condition")
        self.jumps.append((s.then, s))
        self.jumps.append((s.other, s))


_CHECKS: dict[type[Statement], Callable[[Any, Any], None]] = {**CHECKS, Declare: _Checker.declare, Branch: _Checker.branch}
