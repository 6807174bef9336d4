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

from septet.base.diagnostics import Diagnostic, Rejected
from septet.base.source import locate
from septet.l1.nodes import Function, Program
from septet.l2.allocate.coloring import Coloring, NoRegister
from septet.l2.allocate.interference import Graph, TooLarge
from septet.l2.allocate.intervals import intervals
from septet.l2.allocate.legalise import legalise
from septet.l2.allocate.linear_scan import REGISTER_OF_BIT, scan, scratch_registers
from septet.l2.allocate.plan import Plan
from septet.l2.allocate.rewrite import END, Frame, rewrite
from septet.l2.allocate.slots import Slots
from septet.l2.allocate.spill import Fresh, Scratch
from septet.l2.allocate.webs import split_webs
from septet.x86.instructions import Mem
from septet.x86.registers import bits_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.options import Options
    from septet.l2 import nodes
    from septet.l2.allocate.slots import Extent
    from septet.x86.registers import Register

GIANT = 200_000  # instructions of a function above which colouring would take too long
ROUNDS = 12  # of colouring and spilling; each but the last spills something


def lower(function: nodes.Function, program: nodes.Program, options: Options) -> Function:
    """The function with every variable in a register or a stack slot.

    Rejected where instructions name so many registers at once that none is left for a variable, even to load it.
    """
    if not function.body:
        return Function(function.name, function.words, 0, [], function.line, function.arity)
    ways = [by_linear_scan, by_coloring] if options.opt == 0 or len(function.body) > GIANT else [by_coloring, by_linear_scan]
    for way in ways:
        allocated = way(function)
        if allocated is not None:
            return allocated
    place = locate(program.source, function.line, function.body[0].span)
    raise Rejected([Diagnostic(f"@{function.name} names so many registers that none is left for its variables", place)])


def lower_program(program: nodes.Program, options: Options) -> Program:
    """Every function, in program order."""
    functions = {name: lower(function, program, options) for name, function in program.functions.items()}
    return Program(program.entry, functions, program.data, program.source)


def by_linear_scan(function: nodes.Function) -> Function | None:
    """Allocate by linear scan: fast, and good enough for code that nobody waits for.  None where no register is left."""
    body = function.body
    found = intervals(body)
    if found is None:
        body = legalise(body)
        found = intervals(body, legal=True)
        assert found is not None
    scratch = scratch_registers(found.named)
    reserved = bits_of(scratch[0] + scratch[1])
    place, spilled = scan(found, reserved)
    if spilled and (len(scratch[0]) < 2 or len(scratch[1]) < 2):
        return None
    used = reduce(or_, place, reserved if spilled else 0)
    place_of: list[object] = [REGISTER_OF_BIT.get(bit) for bit in place]
    slots = Slots()
    if spilled:
        extents = [(found.start[piece], found.end[piece], found.variables[piece].bank, piece) for piece in spilled]
        for piece, home in slots.assign(extents, body).items():
            place_of[piece] = home
    places = [place_of[piece] for piece in found.same]
    homes = [
        (position, found.variables[start:end], places[start:end])
        for position, start, end in zip(found.starts, found.first, found.first[1:], strict=False)
        if start < end
    ]
    frame = Frame(function, slots.count, used, found.has_arguments)
    return rewrite(body, [*homes, END], frame, Scratch(scratch, slots.vector_move))  # type: ignore[list-item]


def by_coloring(function: nodes.Function) -> Function | None:
    """Allocate by colouring; None where that comes to no end."""
    plan = Plan(split_webs(legalise(function.body)))
    temporaries = Fresh()
    slots = Slots()
    for _ in range(ROUNDS):
        try:
            graph = Graph(plan, temporaries.made)
            coloring = Coloring(graph)
            coloring.run()
        except (NoRegister, TooLarge):
            return None
        if not coloring.spilled:
            break
        home = _homes(graph, coloring, slots)
        temporaries.vector_move = slots.vector_move
        plan.replace(home, temporaries)
    else:
        return None
    color = coloring.color
    places: list[Register | Mem] = [REGISTER_OF_BIT[bit] for bit in color]
    frame = Frame(function, slots.count, reduce(or_, color, 0), arguments=True)
    return rewrite(plan.body, [(1, plan.variables, places), END], frame, temporaries)


def _homes(graph: Graph, coloring: Coloring, slots: Slots) -> dict[object, Register | Mem]:
    """A slot for each variable that found no colour; one for all that were coalesced."""
    spilled = dict.fromkeys([coloring.find(number) for number in coloring.spilled])
    variables = graph.plan.variables
    extents: dict[int, Extent] = {}
    together: list[tuple[int, int]] = []  # variable, what it has been coalesced into
    for number, (start, end) in enumerate(graph.extents()):
        one = coloring.find(number)
        if one in spilled:
            together.append((number, one))
            known = extents.get(one, (start, end))
            extents[one] = (min(start, known[0]), max(end, known[1]), variables[one].bank, one)
    homes = slots.assign(list(extents.values()), graph.plan.body)
    return {variables[number]: homes[one] for number, one in together}
