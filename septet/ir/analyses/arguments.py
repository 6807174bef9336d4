"""What all callers of a function have in common: the constants they pass, and whether they use its result.

    call @f(%x, 3)                  @f: count 2, not taken, constants [None, 3], the result is used
    int64 %y <- call @f(%z, 3)

This is of the whole program as it is before the first pass.  Passes repeat calls and take them out, but make none that passes
anything else.  A function whose address is taken, or that is called as C calls, may be called with anything, and `main` by the
system.  A recursive call that
passes a parameter on to itself says nothing about it.  A hosted function may be called with anything too, and uses its context
without naming it.  Linear time.
"""

from __future__ import annotations

from septet.base.symbols import FUNCTION
from septet.base.types import VOID
from septet.ir.nodes import Address, C, Call, Const
from septet.ops.table import CALL, PARAM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Function, Program, Value


class _Callers:
    """The calls of one function."""

    __slots__ = ("count", "taken", "result", "seen", "differ")

    def __init__(self, function: Function, hosted: bool) -> None:
        self.count = 0
        self.taken = hosted or function.name == "main"
        self.result = False
        self.seen: list[Value | None] = [None] * len(function.parameters)
        self.differ = 0  # a bit for each parameter that different things are passed for

    def add(self, call: Call, own: list[Value]) -> None:
        """One more call; what stands in `own` is passed on to the same parameter."""
        self.count += 1
        if call.type is not VOID:
            self.result = True
        seen = self.seen
        for index, arg in enumerate(call.args[: len(seen)]):
            if self.differ >> index & 1 or own and own[index] is arg:
                continue
            before = seen[index]
            if before is None and (arg.__class__ is Const or arg.__class__ is Address):
                seen[index] = arg
            elif before is None or not _equal(before, arg):
                self.differ |= 1 << index


class Arguments:
    """The callers of every function of `program`."""

    __slots__ = ("_callers", "_ignored")

    def __init__(self, program: Program, facts: Facts | None = None) -> None:
        hosted = program.hosted
        callers = self._callers = {
            name: _Callers(function, hosted or function.convention == C) for name, function in program.functions.items()
        }
        used: dict[Value, None] = {}
        for function in program.functions.values():
            name = function.name
            for block in function.blocks:
                for value in (*block.phis, *block.body) if block.phis else block.body:
                    for arg in value.args:
                        if arg.op is PARAM:
                            used[arg] = None
                        elif arg.__class__ is Address and arg.symbol.kind == FUNCTION:
                            callers[arg.symbol.name].taken = True
                    if value.op is CALL and value.callee.kind == FUNCTION:  # type: ignore[attr-defined]
                        assert isinstance(value, Call) and value.callee is not None
                        called = callers[value.callee.name]
                        called.add(value, function.parameters if value.callee.name == name else [])
        self._ignored = {
            name: [parameter not in used and not hosted for parameter in function.parameters]
            for name, function in program.functions.items()
        }

    def count(self, name: str) -> int:
        """How many calls of it there are by name."""
        return self._callers[name].count

    def taken(self, name: str) -> bool:
        """Whether there may be other calls than those: its address is taken, or it is `main`."""
        return self._callers[name].taken

    def constants(self, name: str) -> list[Value | None]:
        """For each parameter the constant (or address) that all calls pass for it, or None."""
        callers = self._callers[name]
        if callers.taken or not callers.count:
            return [None] * len(callers.seen)
        return [None if callers.differ >> index & 1 else value for index, value in enumerate(callers.seen)]

    def ignored(self, name: str) -> list[bool]:
        """For each parameter whether the function never uses it."""
        return self._ignored[name]

    def result_used(self, name: str) -> bool:
        """Whether any call may use its result."""
        return self._callers[name].result or self._callers[name].taken


def _equal(one: Value, other: Value) -> bool:
    if isinstance(one, Const):
        return isinstance(other, Const) and one.number == other.number and one.type is other.type
    return isinstance(one, Address) and isinstance(other, Address) and one.symbol is other.symbol and one.type is other.type
