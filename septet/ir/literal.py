"""Whether text that assigns to variables is in SSA form as it stands."""

from __future__ import annotations

from septet.base.scan import VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.written import FunctionText


def is_literal(text: FunctionText, parents: list[int]) -> bool:
    """Whether every variable has one definition, and that dominates its uses.  `parents`: the blocks' immediate dominators."""
    defined: dict[str, tuple[int, int]] = {name: (0, -1) for name, _, _ in text.parameters}
    for index, block in enumerate(text.blocks):
        if parents[index] < 0:
            continue
        for position, statement in enumerate(block.statements):
            if statement.target and statement.shape != "declare":
                if statement.target in defined:
                    return False
                defined[statement.target] = (index, -1 if statement.shape == "phi" else position)
    enter, leave = _intervals(parents)
    number = {block.name: index for index, block in enumerate(text.blocks)}
    for index, block in enumerate(text.blocks):
        if parents[index] < 0:
            continue
        for position, statement in enumerate(block.statements):
            is_phi = statement.shape == "phi"
            for which, arg in enumerate(statement.args):
                if arg.kind != VARIABLE:
                    continue
                home, place = defined.get(arg.text, (-1, 0))
                user = number[statement.labels[which][0]] if is_phi else index
                if home < 0 or not (enter[home] <= enter[user] and leave[user] <= leave[home]):
                    return False
                if home == user and place >= position and not is_phi:
                    return False
    return True


def _intervals(parents: list[int]) -> tuple[list[int], list[int]]:
    """For a tree given by parents, numbers such that a is above b, or b, iff enter[a] <= enter[b] and leave[b] <= leave[a]."""
    children: list[list[int]] = [[] for _ in parents]
    for node, parent in enumerate(parents):
        if node and parent >= 0:
            children[parent].append(node)
    enter, leave = [0] * len(parents), [0] * len(parents)
    clock = 0
    todo = [0]
    while todo:
        node = todo.pop()
        clock += 1
        if node < 0:
            leave[~node] = clock
        else:
            enter[node] = clock
            todo.append(~node)
            todo += children[node]
    return enter, leave
