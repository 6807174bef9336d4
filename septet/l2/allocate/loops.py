"""Spilled variables that loops read get another chance there: a variable of their own for the loop, loaded before it.

    mem rsp 0 <- ...                           mem rsp 0 <- ...
    ...                                        ...
    :loop                                      %x' <- mem rsp 0
    rax <- mem rsp 0                           :loop
    mem %p %i*8 8 <- rax         becomes       mem %p %i*8 8 <- %x'
    ...                                        ...
    cjump %i < %n :loop                        cjump %i < %n :loop

What the loop writes is stored as well at once, so that nothing is to be done on its ways out.  If the new variable finds no
register either it lives in the old one's slot, and nothing has changed.
"""

from __future__ import annotations

from septet.base.graph import dominators, predecessors
from septet.l2.allocate.access import accesses, renamed
from septet.x86.forms import JMP, MOV, ROOTS
from septet.x86.instructions import Instruction, Variable
from septet.x86.registers import GENERAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l2.allocate.interference import Graph

MOST = 20_000  # blocks of all loops together


class Loop:
    """A natural loop: its blocks, and those from which it is entered, which lead nowhere else."""

    __slots__ = ("header", "blocks", "entrances")

    def __init__(self, header: int, blocks: set[int], entrances: list[int]) -> None:
        self.header = header
        self.blocks = blocks
        self.entrances = entrances


def natural_loops(after: list[list[int]], above: list[int]) -> list[Loop]:
    """The loops of a graph with immediate dominators `above`, inner ones first.  Left out are those entered from where control
    could also go elsewhere; and all of them where they are nested so deep that they have too many blocks together."""
    before = predecessors(after)
    enters, leaves = _numbered(above)
    found: list[Loop] = []
    size = 0
    for header in range(len(after)):
        first, last = enters[header], leaves[header]
        todo = [block for block in before[header] if first <= enters[block] <= last]
        if not todo or not first:
            continue
        blocks = {header}
        while todo:
            block = todo.pop()
            if block not in blocks:
                blocks.add(block)
                todo += [other for other in before[block] if enters[other]]
        size += len(blocks)
        if size > MOST:
            return []
        entrances = [block for block in before[header] if block not in blocks and enters[block]]
        if entrances and all(len(after[block]) == 1 for block in entrances):
            found.append(Loop(header, blocks, entrances))
    return sorted(found, key=lambda loop: (len(loop.blocks), loop.header))


def _numbered(above: list[int]) -> tuple[list[int], list[int]]:
    """For each block the number, from 1, by which a walk of the dominator tree enters it, and the last in its subtree; 0 for
    unreachable ones.  A block dominates those that are entered within it."""
    below: list[list[int]] = [[] for _ in above]
    for block, parent in enumerate(above):
        if block and parent >= 0:
            below[parent].append(block)
    enters, leaves = [0] * len(above), [0] * len(above)
    order: list[int] = []
    todo = [0]
    while todo:
        block = todo.pop()
        order.append(block)
        enters[block] = leaves[block] = len(order)
        todo += below[block]
    for block in reversed(order):
        if block:
            leaves[above[block]] = max(leaves[above[block]], leaves[block])
    return enters, leaves


class Splitter:
    """Splits classes of variables that are to be spilled; `classes` has the class of each of their members, by number."""

    __slots__ = ("graph", "classes", "above", "loops", "written", "parts", "parents")

    def __init__(self, graph: Graph, classes: dict[int, int], after: list[list[int]]) -> None:
        self.graph = graph
        self.classes = classes
        self.above = dominators(after)
        self.loops = natural_loops(after, self.above)
        self.written: dict[int, set[int]] = {}  # class: the blocks that write it
        self.parts: dict[tuple[int, int], Variable] = {}  # (class, block): what stands for the class there
        self.parents: dict[Variable, int] = {}  # what was made: of which class it is a part

    def run(self) -> list[Instruction] | None:
        """The body with such variables, or None where there are none."""
        graph, variables = self.graph, self.graph.plan.variables
        reads = self._uses()
        live: dict[int, int] = {}  # class: the bits of its members in sets
        for variable, one in self.classes.items():
            place = graph.crossing.get(variable)
            if place is not None:
                live[one] = live.get(one, 0) | 1 << place
        innermost: dict[int, int] = {}
        for number, loop in enumerate(self.loops):
            for block in loop.blocks:
                innermost.setdefault(block, number)
        loads: dict[int, list[tuple[int, Variable]]] = {}  # block: classes to load at its end
        for one, blocks in reads.items():
            if one not in live or variables[one].bank != GENERAL:
                continue
            for number in sorted({innermost[block] for block in blocks if block in innermost}):
                loop = self.loops[number]
                if not graph.into[loop.header] & live[one] or not self._surely(one, loop.header):
                    continue
                if any((one, block) in self.parts for block in loop.blocks):
                    continue
                part = Variable(variables[one].name)
                self.parents[part] = one
                for block in loop.blocks:
                    self.parts[one, block] = part
                for block in loop.entrances:
                    loads.setdefault(block, []).append((one, part))
        return self._rewritten(loads) if self.parts else None

    def _uses(self) -> dict[int, set[int]]:
        """The blocks that read each class; finds those that write it as well."""
        graph, get = self.graph, self.classes.get
        reads: dict[int, set[int]] = {}
        for block, (start, end) in enumerate(zip(graph.starts, graph.ends, strict=True)):
            for position in range(start, end):
                uses, defs, _, _ = graph.plan.effects[position]
                for variable in uses:
                    one = get(variable)
                    if one is not None and graph.plan.body[position].op is not ROOTS:
                        reads.setdefault(one, set()).add(block)
                for variable in defs:
                    one = get(variable)
                    if one is not None:
                        self.written.setdefault(one, set()).add(block)
        return reads

    def _surely(self, one: int, block: int) -> bool:
        """Whether a class is written on every way to a block."""
        written = self.written.get(one, set())
        while block:
            block = self.above[block]
            if block in written:
                return True
        return False

    def _rewritten(self, loads: dict[int, list[tuple[int, Variable]]]) -> list[Instruction]:
        graph = self.graph
        variables = graph.plan.variables
        by_block: dict[int, dict[int, Variable]] = {}
        for (one, block), part in self.parts.items():
            by_block.setdefault(block, {})[one] = part
        result: list[Instruction] = []
        for block, (start, end) in enumerate(zip(graph.starts, graph.ends, strict=True)):
            body = graph.plan.body[start:end]
            parts = by_block.get(block)
            if parts is not None:
                names: dict[object, Variable] = {variables[v]: parts[one] for v, one in self.classes.items() if one in parts}
                body = _renamed(body, names)
            if block in loads:
                at = len(body) - (body[-1].op is JMP)
                body[at:at] = [Instruction(MOV, (part, variables[one]), body[-1].span) for one, part in loads[block]]
            result += body
        return result


def _renamed(body: list[Instruction], names: dict[object, Variable]) -> list[Instruction]:
    """A block of a loop with the loop's variables, each stored behind every instruction that writes it."""
    result: list[Instruction] = []
    for instruction in body:
        operands = tuple([renamed(operand, names) for operand in instruction.operands])
        if operands == instruction.operands:
            result.append(instruction)
        elif not instruction.op.is_move or operands[0] is not operands[1]:
            result.append(Instruction(instruction.op, operands, instruction.span, instruction.by))
            for cell in dict.fromkeys(accesses(instruction)[1]):
                if cell in names:
                    result.append(Instruction(MOV, (cell, names[cell]), instruction.span))
    return result
