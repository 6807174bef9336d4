"""L2c: L2 to L1.  Variables get registers and stack slots.

    (@f 1                        (@f 1 1
      %n <- rdi                    mem rsp 0 <- rbx
      call @g (rdi)                rbx <- rdi
      rax += %n                    call @g (rdi)
      return)          becomes     rax += rbx
                                   rbx <- mem rsp 0
                                   return)

-O0 scans intervals, higher levels colour an interference graph.  Nothing is deleted but moves from a register to itself.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from septet.l1.nodes import Program
from septet.l2.allocate.coloring import Coloring, NoRegister
from septet.l2.allocate.interference import Graph
from septet.l2.allocate.intervals import intervals
from septet.l2.allocate.legalise import legalise
from septet.l2.allocate.linear_scan import REGISTER_OF_BIT, scan, scratch_registers, share_slots
from septet.l2.allocate.rewrite import Frame, rewrite
from septet.l2.allocate.spill import Fresh, Scratch, reload
from septet.l2.allocate.webs import split_webs
from septet.x86.instructions import Mem
from septet.x86.registers import RSP, bits_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.options import Options
    from septet.l1.nodes import Function
    from septet.l2 import nodes
    from septet.x86.instructions import Instruction
    from septet.x86.registers import Register

GIANT = 200_000  # instructions of a function above which colouring would take too long
ROUNDS = 12  # of colouring and spilling; each but the last spills something


def lower(function: nodes.Function, program: nodes.Program, options: Options) -> Function:
    """The function with every variable in a register or a stack slot."""
    if options.opt == 0 or len(function.body) > GIANT:
        return by_linear_scan(function)
    return by_coloring(function) or by_linear_scan(function)


def lower_program(program: nodes.Program, options: Options) -> Program:
    """Every function, in program order."""
    functions = {name: lower(function, program, options) for name, function in program.functions.items()}
    return Program(program.entry, functions, program.data, program.source)


def by_linear_scan(function: nodes.Function) -> Function:
    """Allocate by linear scan: fast, and good enough for code that has loops to spare."""
    body = function.body
    found = intervals(body)
    if found is None:
        body = legalise(body)
        found = intervals(body, legal=True)
        assert found is not None
    scratch = scratch_registers(found.named)
    assignment = scan(found, bits_of(scratch[0] + scratch[1]))
    places: list[object] = [REGISTER_OF_BIT.get(bit) for bit in assignment.place]
    for piece, slot in assignment.slot.items():
        places[piece] = Mem(RSP, 8 * slot)
    variables = found.variables
    same = found.same
    homes = [
        [(variables[piece], places[same[piece]]) for piece in range(start, end)]
        for start, end in zip(found.first, found.first[1:], strict=False)
    ]
    frame = Frame(function, assignment.slots, assignment.used)
    return rewrite(body, found.starts, homes, frame, Scratch(scratch))  # type: ignore[arg-type]


def by_coloring(function: nodes.Function) -> Function | None:
    """Allocate by colouring; None where that comes to no end in a few rounds."""
    body = split_webs(legalise(function.body))
    fresh = Fresh()
    slots = 0
    for _ in range(ROUNDS):
        graph = Graph(body, fresh.made)
        coloring = Coloring(graph)
        try:
            coloring.run()
        except NoRegister:
            return None
        if not coloring.spilled:
            break
        body, slots = _spill(body, graph, coloring, fresh, slots)
    else:
        return None
    color = coloring.color
    homes = [(variable, REGISTER_OF_BIT[color[number]]) for number, variable in enumerate(graph.plan.variables)]
    frame = Frame(function, slots, reduce(or_, color, 0))
    return rewrite(body, [1], [homes], frame, fresh)  # type: ignore[list-item]


def _spill(body: list[Instruction], graph: Graph, coloring: Coloring, fresh: Fresh, slots: int) -> tuple[list[Instruction], int]:
    """The body with the variables that found no colour in stack slots from number `slots` on, and how many slots there are."""
    spilled = dict.fromkeys([coloring.find(number) for number in coloring.spilled])
    extents: dict[int, tuple[int, int]] = {}
    members: dict[int, list[int]] = {}
    for number in range(len(graph.plan.variables)):
        one = coloring.find(number)
        if one in spilled:
            members.setdefault(one, []).append(number)
            start, end = graph.extent[number]
            if one in extents:
                start, end = min(start, extents[one][0]), max(end, extents[one][1])
            extents[one] = (start, end)
    slot, count = share_slots([(start, end, one) for one, (start, end) in extents.items()])
    home: dict[object, Register | Mem] = {}
    for one, numbers in members.items():
        for number in numbers:
            home[graph.plan.variables[number]] = Mem(RSP, 8 * (slots + slot[one]))
    result: list[Instruction] = []
    uses, defs = graph.plan.uses, graph.plan.defs
    touched = bytearray(len(graph.plan.variables))
    for numbers in members.values():
        for number in numbers:
            touched[number] = 1
    for position, instruction in enumerate(body):
        if any([touched[number] for number in uses[position] + defs[position]]):
            result += reload(instruction, home, fresh)
        else:
            result.append(instruction)
    return result, slots + count
