"""What a well-formed LB program is.

Of the program (`main_problems`): there is a function `main`, without parameters.
Of each function:
* `declare`: no variable is void; no two of one scope have the same name.
* every statement: a variable named is a parameter, or declared before in a scope around it; a function named exists.
* `assign`, `call` (arguments of functions called by name, and results), `return_`: both sides have the same type; a number is
  int64, a function's name is code.  A void function's result may go anywhere; `return` alone may stand in any function.
* `operate`, `conditional`: the result is int64; operands are numbers or variables of any type, compared as words.
* `load`, `store`: as many indices as the array has dimensions, one for a tuple, each int64; array elements are int64, tuple
  elements anything.
* `length`: of an array, with a dimension that is int64 and, if literal, at most the rank (there, as programs of the course
  have it, the length is 0); of a tuple, without one.
* `call`: of a function by name with as many arguments as parameters; of a code variable with any.
* `runtime_call`: `print` has one argument of any type, `input` none; results are int64.
* `new_array`, `new_tuple`: the variable has the type made; sizes are int64.
* `label`, `jump`, `conditional`: each label stands once; those jumped to stand in the function.
* `loop_jump`: `continue` and `break` are within a loop (see `lb.loops`).
"""

from __future__ import annotations

from septet.base.diagnostics import Diagnostic
from septet.lb.loops import loops
from septet.lb.nodes import Break, Continue, If, Scope, While
from septet.ops.statement_checks import CHECKS, Checker, main_problems
from septet.ops.statements import Declare, Statement, Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from septet.lb.nodes import Function, Program


def problems(program: Program) -> Iterator[Diagnostic]:
    """Everything wrong with `program`."""
    yield from main_problems(program)
    for function in program.functions.values():
        yield from function_problems(function, program)


def function_problems(function: Function, program: Program) -> Iterator[Diagnostic]:
    """Everything wrong with `function` of `program`."""
    checker = _Checker(function, program)
    checks = _CHECKS
    scopes = [(iter(function.body), checker.own)]
    while scopes:
        for statement in scopes[-1][0]:
            check = checks.get(type(statement))
            if check:
                check(checker, statement)
                if checker.found:
                    yield from checker.found
                    checker.found.clear()
            elif isinstance(statement, Scope):
                checker.own = {}
                scopes.append((iter(statement.body), checker.own))
                break
        else:
            for variable in scopes.pop()[1].values():
                checker.known.pop(variable, None)
            if scopes:
                checker.own = scopes[-1][1]
    checker.finish()
    if checker.loop_jumps:
        belongs = loops(function)
        for statement in checker.loop_jumps:
            if statement not in belongs:
                word = "continue" if isinstance(statement, Continue) else "break"
                checker.complain(statement, word, f"'{word}' outside of any loop")
    yield from checker.found


class _Checker(Checker):
    """Adds LB's scopes and control statements."""

    __slots__ = ("own", "loop_jumps")

    def __init__(self, function: Function, program: Program) -> None:
        super().__init__(function, program)
        self.own: dict[str, Variable] = {}  # declared in this scope
        self.loop_jumps: list[Statement] = []

    def declare(self, s: Declare) -> None:
        super().declare(s)
        for variable in s.variables:
            if variable.name in self.own:
                self.complain(s, variable.name, f"'{variable.name}' is declared twice in one scope")
            self.own[variable.name] = variable

    def conditional(self, s: If) -> None:
        """`if` and `while`."""
        self.numbers(s, s.left, s.right)
        self.jumps.append((s.then, s))
        self.jumps.append((s.other, s))

    def loop_jump(self, s: Statement) -> None:
        """`continue` and `break`."""
        self.loop_jumps.append(s)


_CHECKS: dict[type[Statement], Callable[[Any, Any], None]] = {
    **CHECKS,
    Declare: _Checker.declare,
    If: _Checker.conditional,
    While: _Checker.conditional,
    Continue: _Checker.loop_jump,
    Break: _Checker.loop_jump,
}
