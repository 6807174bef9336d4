"""What all callers pass, and what no callee or caller looks at, need not be passed, computed or looked at.

    call @f(%x, 3)                                   call @f(%x, 0)
    ...                                              ...
    define int64 @f (int64 %a, int64 %b) {     =>    define int64 @f (int64 %a, int64 %b) {
      :entry                                           :entry
        %c <- %a + %b                                    %c <- %a + 3
        return %c                                        return 0

Trigger: all calls in the program pass the same constant for a parameter, which is that constant then; a function never uses a
parameter, and the argument for it is 0; no call uses a function's result, and it returns 0.  Signatures stay: what is passed
for nothing costs an instruction.  Phase: both; early, as what it is told of callers (`facts.arguments`) is of the program
before any pass. Guard: the function's address is not taken, so these are all the calls.  Cost: none.  Gain: what folds then,
and what was computed only to be passed or returned.  End, growth: each use is replaced once, by a constant.  Level: 2.
"""

from __future__ import annotations

from septet.base.symbols import FUNCTION
from septet.base.types import VOID
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.nodes import Address, Const
from septet.ops.table import CALL, RETURN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.base.types import Type
    from septet.ir.analyses.arguments import Arguments
    from septet.ir.nodes import Function, Value

NAME = "parameters"
KEEPS = (Dominators, PostDominators, Loops)


def run(function: Function, facts: Facts) -> bool:
    """Use what is known of the callers and callees of `function`; whether anything changed."""
    known: Arguments | None = facts.arguments
    if known is None:
        return False
    changed = _constants(function, known, facts)
    if function.result is not VOID and not known.result_used(function.name) and _no_result(function, facts):
        changed = True
    if _no_arguments(function, known, facts):
        changed = True
    return changed


def _constants(function: Function, known: Arguments, facts: Facts) -> bool:
    """Let constants stand for the parameters that are always the same."""
    stands: dict[Value, Value] = {}
    ignored = known.ignored(function.name)
    for index, (parameter, constant) in enumerate(zip(function.parameters, known.constants(function.name), strict=True)):
        if constant is not None and not ignored[index] and facts.fuel.spend():
            stands[parameter] = _typed(constant, parameter.type)
            facts.remark(function.name, 0, f"parameter %{parameter.name} is a constant", "all calls pass the same")
    if not stands:
        return False
    changed = False
    for block in function.blocks:
        for value in (*block.phis, *block.body):
            for arg in value.args:
                if arg in stands:
                    value.args = [stands.get(arg, arg) for arg in value.args]
                    value.by = NAME
                    changed = True
                    break
    return changed


def _typed(constant: Value, type: Type) -> Value:
    """A constant or an address as one of `type`."""
    if isinstance(constant, Const):
        return Const(type, type.wrap(constant.number)) if constant.type.is_word else constant
    assert isinstance(constant, Address)
    return Address(constant.symbol, type)


def _no_result(function: Function, facts: Facts) -> bool:
    """Return 0 everywhere."""
    changed = False
    for block in function.blocks:
        last = block.body[-1]
        if last.op is RETURN and last.args[0].__class__ is not Const and facts.fuel.spend():
            last.args = [Const(function.result, 0)]
            last.by = NAME
            changed = True
    if changed:
        facts.remark(function.name, 0, "result not computed", "no call uses it")
    return changed


def _no_arguments(function: Function, known: Arguments, facts: Facts) -> bool:
    """Pass 0 for what callees do not use."""
    changed = False
    for block in function.blocks:
        for value in block.body:
            if value.op is not CALL or value.callee.kind != FUNCTION:  # type: ignore[attr-defined]
                continue
            callee = facts.program.functions[value.callee.name]  # type: ignore[attr-defined]
            for index, ignored in enumerate(known.ignored(callee.name)):
                if ignored and value.args[index].__class__ is not Const and facts.fuel.spend():
                    value.args = [*value.args[:index], Const(callee.parameters[index].type, 0), *value.args[index + 1 :]]
                    value.by = NAME
                    changed = True
    return changed
