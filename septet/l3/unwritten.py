"""Which variables of a function may be read before they are written.  L3 says what they read; in L2 somebody must write it.

A forward analysis of what is certainly written at each label.  Only variables that are read somewhere in a stretch (from one
label to the next) without having been written in it before are numbered, so sets stay small.
"""

from __future__ import annotations

from septet.base.bits import members
from septet.base.symbols import ROUTINE, Symbol
from septet.l3.nodes import Branch, Call, Label, Variable
from septet.ops import table as ops
from septet.ops.routines import ROUTINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.types import Type
    from septet.l3.nodes import Function, Instruction


def never_returns(i: Instruction) -> bool:
    """Whether an instruction is a call of a routine that ends the program."""
    return type(i) is Call and type(i.callee) is Symbol and i.callee.kind == ROUTINE and ROUTINES[i.callee.name].ends


def initial(type: Type) -> int:
    """What a variable that was never written reads: a value is the word 1, the encoded 0 that LA begins with; others are 0."""
    return 1 if type.is_value else 0


def unwritten(function: Function) -> list[Variable]:
    """The variables that may be read before they are written, in the order in which they are read first."""
    number, reads = _reads(function)
    if not number:
        return []
    edges, ends = _edges(function, number)
    everything = (1 << len(number)) - 1
    written = [everything] * len(reads)  # what is certainly written where a stretch begins
    written[0] = sum([1 << number[parameter] for parameter in function.parameters if parameter in number])
    todo = [0]
    waiting = bytearray(len(reads))
    while todo:
        stretch = todo.pop()
        waiting[stretch] = 0
        here = written[stretch]
        for target, bits in edges[stretch]:
            before = written[target]
            after = before & (here | bits)
            if after != before or not ends[target]:
                written[target] = after
                ends[target] = 1
                if not waiting[target]:
                    waiting[target] = 1
                    todo.append(target)
    found = 0
    for stretch, bits in enumerate(reads):
        found |= bits & ~written[stretch]
    variables = list(number)
    return [variables[n] for n in members(found)]


def _reads(function: Function) -> tuple[dict[Variable, int], list[int]]:
    """The variables that are read in some stretch but not written in it before, numbered; and which ones, by stretch."""
    number: dict[Variable, int] = {}
    reads: list[int] = []
    bits = 0
    written: set[object] = set(function.parameters)
    label = ops.LABEL
    for i in function.body:
        if i.op is label:
            reads.append(bits)
            bits = 0
            written = set()
            continue
        for arg in i.args:
            if arg not in written and type(arg) is Variable:
                bits |= 1 << number.setdefault(arg, len(number))
        if type(i) is Call and type(i.callee) is Variable and i.callee not in written:
            bits |= 1 << number.setdefault(i.callee, len(number))
        if i.target is not None:
            written.add(i.target)
    reads.append(bits)
    return number, reads


def _edges(function: Function, number: dict[Variable, int]) -> tuple[list[list[tuple[int, int]]], bytearray]:
    """From each stretch the stretches control may go to, with what the stretch has written by then; and a flag for each
    stretch that says whether it was reached, 0 for all but the first."""
    stretches = {i.name: n for n, i in enumerate([i for i in function.body if type(i) is Label], 1)}
    edges: list[list[tuple[int, int]]] = [[]]
    bits = 0
    falls = True
    for i in function.body:
        kind = type(i)
        if kind is Label:
            if falls:
                edges[-1].append((len(edges), bits))
            edges.append([])
            bits = 0
            falls = True
            continue
        if not falls:
            continue
        if kind is Branch:
            edges[-1].append((stretches[i.label], bits))  # type: ignore[attr-defined]
        target = i.target
        if target is not None and target in number:
            bits |= 1 << number[target]
        falls = not i.op.ends or i.op is ops.BR_IF
        if kind is Call and never_returns(i):
            falls = False
    reached = bytearray(len(edges))
    reached[0] = 1
    return edges, reached
