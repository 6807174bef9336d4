"""Which function calls which, callees first.

An indirect call may reach every function of that arity whose address is taken anywhere in the program.  Such calls go through
one node an arity, so that the graph is no larger than the program.  Components: Tarjan, Depth-First Search and Linear Graph
Algorithms (1972).
"""

from __future__ import annotations

from septet.base.symbols import FUNCTION
from septet.ir.nodes import Address, Call
from septet.ops.table import CALL, CALL_INDIRECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Function, Program

    Node = str | int  # a function's name; or an arity, for the indirect calls with so many arguments


class CallGraph:
    """The call graph of a program.

    `components`: lists of names in program order, callees before callers; mutually recursive functions share one.
    `taken`: the functions whose address is taken, by arity, in program order.
    """

    __slots__ = ("components", "taken", "_edges", "_recursive", "_called")

    def __init__(self, program: Program) -> None:
        functions = program.functions
        addressed: dict[str, None] = {}
        self._edges: dict[Node, list[Node]] = {
            name: list(_callees(function, addressed)) for name, function in functions.items()
        }
        self.taken: dict[int, list[str]] = {}
        for name, function in functions.items():
            if name in addressed:
                self.taken.setdefault(len(function.parameters), []).append(name)
        for edges in list(self._edges.values()):
            for target in edges:
                if isinstance(target, int) and target not in self._edges:
                    self._edges[target] = list(self.taken.get(target, ()))
        self._called = {callee for edges in self._edges.values() for callee in edges}
        place = {name: index for index, name in enumerate(functions)}
        self._recursive: set[str] = {name for name in functions if name in self._edges[name]}
        self.components: list[list[str]] = []
        for component in _components(self._edges):
            names = [node for node in component if isinstance(node, str)]
            names.sort(key=place.__getitem__)
            if len(component) > 1:
                self._recursive.update(names)
            if names:
                self.components.append(names)

    def calls(self, name: str) -> list[str]:
        """The functions that `name` may call itself, indirect calls included, each once, as first met."""
        found: dict[str, None] = {}
        for target in self._edges[name]:
            for callee in self._edges[target] if isinstance(target, int) else (target,):
                assert isinstance(callee, str)
                found[callee] = None
        return list(found)

    def called(self, name: str) -> bool:
        """Whether anything in the program may call it."""
        return name in self._called

    def recursive(self, name: str) -> bool:
        """Whether a call of `name` may lead to another one of it before it returns."""
        return name in self._recursive


def _callees(function: Function, addressed: dict[str, None]) -> dict[Node, None]:
    """The nodes that `function` calls; the functions whose address it takes are added to `addressed`."""
    found: dict[Node, None] = {}
    for block in function.blocks:
        for value in (*block.phis, *block.body) if block.phis else block.body:
            op = value.op
            if op is CALL:
                assert isinstance(value, Call) and value.callee is not None
                if value.callee.kind == FUNCTION:
                    found[value.callee.name] = None
            elif op is CALL_INDIRECT:
                found[len(value.args) - 1] = None
            for arg in value.args:
                if arg.__class__ is Address and arg.symbol.kind == FUNCTION:
                    addressed[arg.symbol.name] = None
    return found


def _components(edges: dict[Node, list[Node]]) -> list[list[Node]]:
    """The strongly connected components of a graph, each after those it leads to."""
    number: dict[Node, int] = {}
    low: dict[Node, int] = {}
    stack: list[Node] = []
    result: list[list[Node]] = []
    done = len(edges) + 1
    for root in edges:
        if root in number:
            continue
        walk = [(root, iter(edges[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        while walk:
            node, rest = walk[-1]
            for target in rest:
                seen = number.get(target)
                if seen is None:
                    number[target] = low[target] = len(number)
                    stack.append(target)
                    walk.append((target, iter(edges.get(target, ()))))
                    break
                if seen < low[node]:
                    low[node] = seen
            else:
                walk.pop()
                if walk and low[node] < low[walk[-1][0]]:
                    low[walk[-1][0]] = low[node]
                if low[node] == number[node]:
                    at = _place(stack, node)
                    component = stack[at:]
                    del stack[at:]
                    for member in component:
                        number[member] = done
                    result.append(component)
    return result


def _place(stack: list[Node], node: Node) -> int:
    """Where `node` stands, looked for from the top: what is above it goes with it."""
    at = len(stack) - 1
    while stack[at] != node:
        at -= 1
    return at
