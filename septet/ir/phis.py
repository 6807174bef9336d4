"""Phis that are not needed: those that choose between themselves and one other value, alone or as a group.

    :loop                                              :loop
      %a <- phi (:entry %x, :loop %b)         =>         (every use of %a or %b is %x)
      %b <- phi (...%a, %x)

The strongly connected components of the phis are looked at, operands first; one whose only operand from outside is a single
value is that value.  Otherwise what lies inside it is looked at alone.  Braun et al., Simple and Efficient Construction of
Static Single Assignment Form (2013), algorithm 5: the result is minimal even where loops have several entries.
"""

from __future__ import annotations

from septet.ir.forward import final, forward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Value


def remove_redundant(phis: list[Value]) -> bool:
    """Forward the phis among `phis` that are not needed; whether there were any.  Each must choose between other values."""
    changed = False
    todo = [phis]
    while todo:
        for component in _components(todo.pop()):
            inside = set(component)
            outside: dict[Value, None] = {}
            inner: list[Value] = []
            for phi in component:
                args = phi.args = [final(arg) for arg in phi.args]
                others = [arg for arg in args if arg not in inside]
                if others:
                    outside.update(dict.fromkeys(others))
                else:
                    inner.append(phi)
            if len(outside) == 1:
                changed = True
                for phi in component:
                    forward(phi, next(iter(outside)))
            elif outside and inner:
                todo.append(inner)
    return changed


def _components(phis: list[Value]) -> list[list[Value]]:
    """The strongly connected components among `phis`, each after those its operands are in (Tarjan 1972)."""
    number: dict[Value, int] = dict.fromkeys(phis, 0)  # 0: not seen yet
    low: dict[Value, int] = {}
    stack: list[Value] = []
    result: list[list[Value]] = []
    component: list[Value]
    count = 0
    done = len(phis) + 1  # the number of those already in a component
    for root in phis:
        if number[root]:
            continue
        walk = [(root, iter(root.args))]
        count += 1
        number[root] = low[root] = count
        stack.append(root)
        while walk:
            phi, rest = walk[-1]
            for arg in rest:
                arg = final(arg)
                seen = number.get(arg, done)
                if seen == 0:
                    count += 1
                    number[arg] = low[arg] = count
                    stack.append(arg)
                    walk.append((arg, iter(arg.args)))
                    break
                if seen < low[phi]:
                    low[phi] = seen
            else:
                walk.pop()
                if walk and low[phi] < low[walk[-1][0]]:
                    low[walk[-1][0]] = low[phi]
                if low[phi] == number[phi]:
                    component = []
                    while not component or component[-1] is not phi:
                        member = stack.pop()
                        number[member] = done
                        component.append(member)
                    component.reverse()
                    result.append(component)
    return result
