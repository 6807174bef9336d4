"""What LAc wants to know about a function before it begins."""

from __future__ import annotations

from septet.base.graph import dominators
from septet.la.nodes import Branch
from septet.ops.statements import Assign, Call, Declare, Jump, Label, Load, Return, Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.la.nodes import Function

_CONTROL = frozenset((Declare, Label, Branch, Jump, Return))


def unsure(function: Function) -> set[Variable]:
    """The variables that may hold something else than their type says: parameters, what is loaded or comes from calls, and
    what such variables are copied to."""
    copies: dict[Variable, list[Variable]] = {}
    found = set(function.parameters)
    for s in function.body:
        kind = s.__class__
        if kind is Load or kind is Call:
            if s.target is not None:  # type: ignore[attr-defined]
                found.add(s.target)  # type: ignore[attr-defined]
        elif kind is Assign and s.value.__class__ is Variable:  # type: ignore[attr-defined]
            copies.setdefault(s.value, []).append(s.target)  # type: ignore[attr-defined]
    if copies:
        todo = [variable for variable in copies if variable in found]
        while todo:
            for target in copies.get(todo.pop(), ()):
                if target not in found:
                    found.add(target)
                    todo.append(target)
    return found


def survey(function: Function) -> tuple[dict[str, int], list[Variable], dict[str, str]]:
    """How many edges lead to each label, those from code that cannot be reached counted; the variables declared in the body;
    and of each label that can be reached its parent in the dominator tree, where the empty name is the function's entry."""
    edges: dict[str, int] = {}
    variables: list[Variable] = []
    after: dict[str, list[str]] = {"": []}
    here = after[""]
    for s in function.body:
        kind = s.__class__
        if kind not in _CONTROL:
            continue
        if kind is Declare:
            variables += s.variables  # type: ignore[attr-defined]
        elif kind is Label:
            name = s.name  # type: ignore[attr-defined]
            edges[name] = edges.get(name, 0) + 1
            here.append(name)
            here = after[name] = []
        elif kind is Branch:
            for name in (s.then, s.other):  # type: ignore[attr-defined]
                edges[name] = edges.get(name, 0) + 1
                here.append(name)
            here = []
        elif kind is Jump:
            name = s.label  # type: ignore[attr-defined]
            edges[name] = edges.get(name, 0) + 1
            here.append(name)
            here = []
        else:
            here = []
    names = list(after)
    number = {name: index for index, name in enumerate(names)}
    above = dominators([[number[name] for name in targets] for targets in after.values()])
    return edges, variables, {name: names[parent] for name, parent in zip(names, above, strict=True) if parent >= 0}
