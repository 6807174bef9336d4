"""Values without a use go, if they have no effect; and phis that only each other use.

    i64 %a <- %n * 2
    i64 %b <- %n + 1           =>     i64 %b <- %n + 1
    call print(%b)                    call print(%b)

What must stay (calls, stores, checks, ends of blocks) is marked, then all that it uses, and what they use; the rest is dead.
"""

from __future__ import annotations

from septet.ir.fold import divides
from septet.ops.table import LENGTH, LOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Function, Value

NAME = "dead-code"


def run(function: Function, facts: Facts) -> bool:
    """Take out what is dead; whether there was any."""
    live: set[Value] = set()
    todo: list[Value] = []
    for block in function.blocks:
        for value in block.body:
            if not _may_go(value):
                live.add(value)
                todo.append(value)
    while todo:
        for arg in todo.pop().args:
            if arg not in live:
                live.add(arg)
                todo.append(arg)
    spared: list[Value] = []
    changed = False
    for block in function.blocks:
        dead = [value for value in [*block.phis, *block.body] if value not in live]
        for value in dead:
            if facts.fuel.spend():
                changed = True
            else:
                spared.append(value)
    if not changed:
        return False
    while spared:  # and so is what they use
        value = spared.pop()
        if value not in live:
            live.add(value)
            spared += value.args
    for block in function.blocks:
        block.phis = [phi for phi in block.phis if phi in live]
        block.body = [value for value in block.body if value in live]
    return True


def _may_go(value: Value) -> bool:
    """Whether nobody notices if the value is not computed."""
    op = value.op
    return op.pure or op is LOAD or op is LENGTH or divides(value)
