"""Which loop each `continue` and `break` of an LB function belongs to.

It is decided by the text: going through the statements in order, a loop opens at the begin label of a `while` and closes
at its end label, wherever the `while` itself stands; `continue` and `break` belong to the loop opened last and still open.
"""

from __future__ import annotations

from septet.lb.nodes import Break, Continue, Scope, While
from septet.ops.statements import Label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from septet.lb.nodes import Function
    from septet.ops.statements import Statement


def loops(function: Function) -> dict[Statement, While]:
    """The `while` of each Continue and Break; those outside of all loops are left out."""
    begins: dict[str, list[While]] = {}
    ends: dict[str, list[While]] = {}
    marks: list[Statement] = []
    for statement in flattened(function.body):
        kind = type(statement)
        if kind is While:
            assert isinstance(statement, While)
            begins.setdefault(statement.then, []).append(statement)
            ends.setdefault(statement.other, []).append(statement)
        elif kind is Label or kind is Continue or kind is Break:
            marks.append(statement)
    found: dict[Statement, While] = {}
    opened: list[While] = []  # innermost last; closed ones among them are dropped when they come to the top
    state: dict[While, bool] = {}  # whether a loop that has been opened is still open
    for mark in marks:
        if isinstance(mark, Label):
            for loop in begins.get(mark.name, ()):
                opened.append(loop)
                state[loop] = True
            for loop in ends.get(mark.name, ()):
                if loop in state:
                    state[loop] = False
        else:
            while opened and not state[opened[-1]]:
                opened.pop()
            if opened:
                found[mark] = opened[-1]
    return found


def flattened(body: list[Statement]) -> Iterator[Statement]:
    """The statements of `body` in order, scopes replaced by what is in them."""
    rest = [iter(body)]
    while rest:
        for statement in rest[-1]:
            if isinstance(statement, Scope):
                rest.append(iter(statement.body))
                break
            yield statement
        else:
            rest.pop()
