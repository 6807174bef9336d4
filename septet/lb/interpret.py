"""Runs LB programs as they stand: scopes, `while`, `continue` and all.  A step is a statement."""

from __future__ import annotations

from septet.lb.loops import flattened, loops
from septet.lb.nodes import Break, Continue, If, While
from septet.ops import statement_actions as actions
from septet.ops.execute import GOES_ON, STATEMENTS, Block, Code, Machine, Preparation
from septet.runtime.model import BASE, Inconclusive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.lb.nodes import Function, Program
    from septet.ops.statements import Statement
    from septet.runtime.model import Runtime


def run(program: Program, runtime: Runtime, steps: int | None = None) -> None:
    """Execute `main` to its end.  Raises Exit after a run-time error, Inconclusive when steps, heap or stack ran out."""
    Machine(program.functions, runtime, BASE, Inconclusive, _prepare).run(steps)
    runtime.flush()


def _prepare(machine: Machine, function: Function, code: Code) -> None:
    preparation = _Preparation(machine, function, code)
    for statement in flattened(function.body):
        _STATEMENTS[type(statement)](preparation, statement)
    preparation.finish()


class _Preparation(Preparation):
    """Adds LB's control statements."""

    __slots__ = ("loops", "tests")

    def __init__(self, machine: Machine, function: Function, code: Code) -> None:
        super().__init__(machine, function, code)
        self.loops = loops(function)
        self.tests: dict[Statement, Block] = {}  # of each loop, the block that its `while` starts

    def condition(self, s: If) -> None:
        """`if (t op t) :then :other`."""
        self.test(actions.holds(s.op, self.number(s.left), self.number(s.right)), s.then, s.other)

    def loop(self, s: While) -> None:
        """`while (t op t) :begin :end`."""
        self.start(self.tests.setdefault(s, Block()))
        self.condition(s)

    def continue_(self, s: Continue) -> None:
        """`continue`."""
        self.end(GOES_ON).next = self.tests.setdefault(self.loops[s], Block())

    def break_(self, s: Break) -> None:
        """`break`."""
        self.end(GOES_ON).next = self.target(self.loops[s].other)


_STATEMENTS: dict[type[Statement], Callable[[Any, Any], None]] = {
    **STATEMENTS,
    If: _Preparation.condition,
    While: _Preparation.loop,
    Continue: _Preparation.continue_,
    Break: _Preparation.break_,
}
