"""Runs LA programs.  A step is an instruction."""

from __future__ import annotations

from septet.la.nodes import Branch
from septet.ops.execute import STATEMENTS, Code, Machine, Preparation
from septet.runtime.model import BASE, Inconclusive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.la.nodes import Function, Program
    from septet.ops.statements import Statement
    from septet.runtime.model import Runtime


def run(program: Program, runtime: Runtime, steps: int | None = None) -> None:
    """Execute `main` to its end.  Raises Exit after a run-time error, Inconclusive when steps, heap or stack ran out."""
    Machine(program.functions, runtime, BASE, Inconclusive, _prepare).run(steps)
    runtime.flush()


def _prepare(machine: Machine, function: Function, code: Code) -> None:
    preparation = _Preparation(machine, function, code)
    for statement in function.body:
        _STATEMENTS[type(statement)](preparation, statement)
    preparation.finish()


class _Preparation(Preparation):
    """Adds LA's branches."""

    __slots__ = ()

    def branch(self, s: Branch) -> None:
        """`br t :then :other`."""
        slot = self.number(s.condition)
        self.test(lambda f: f[slot] >> 1 == 1, s.then, s.other)


_STATEMENTS: dict[type[Statement], Callable[[Any, Any], None]] = {**STATEMENTS, Branch: _Preparation.branch}
