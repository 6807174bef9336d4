"""L2c: L2 to L1.  Variables get registers and stack slots.

    (@f 1                        (@f 1 1
      %n <- rdi                    mem rsp 0 <- rbx
      call @g (rdi)                rbx <- rdi
      rax += %n                    call @g (rdi)
      return)          becomes     rax += rbx
                                   rbx <- mem rsp 0
                                   return)

-O0 and -O1 scan intervals.  Higher levels colour an interference graph, set ways out before all calls apart, where nothing is
saved, make constants again instead of keeping them in memory, and straighten jumps; -O3 gives what is spilled another chance in
each loop.  No instruction but moves is deleted.
"""

from __future__ import annotations

from septet.base.diagnostics import Diagnostic, Rejected
from septet.base.source import locate
from septet.l1.nodes import Function, Program
from septet.l2.jumps import straighten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from septet.base.options import Options
    from septet.l2 import nodes
    from septet.l2.allocate.rewrite import Allocated
    from septet.x86.instructions import Instruction

GIANT = 200_000  # instructions of a function above which colouring would take too long


def lower(function: nodes.Function, program: nodes.Program, options: Options) -> Function:
    """The function with every variable in a register or a stack slot.

    Rejected where instructions name so many registers at once that none is left for a variable, even to load it.
    """
    if not function.body:
        return Function(function.name, function.words, 0, [], function.line, function.arity)
    for allocated in _attempts(function.body, options):
        if allocated is not None:
            body, slots = allocated
            if options.opt >= 2:
                body = straighten(body)
            return Function(function.name, function.words, slots, body, function.line, function.arity)
    place = locate(program.source, function.line, function.body[0].span)
    raise Rejected([Diagnostic(f"@{function.name} names so many registers that none is left for its variables", place)])


def _attempts(body: list[Instruction], options: Options) -> Iterator[Allocated | None]:
    """Allocate in one way and then, if that gives nothing, in the other."""
    quick = options.opt < 2 or len(body) > GIANT
    if not quick:
        from septet.l2.allocate import coloring

        yield coloring.allocate(body, options.target, options.opt > 2)
    from septet.l2.allocate import linear_scan

    yield linear_scan.allocate(body, options.target)
    if quick:
        from septet.l2.allocate import coloring

        yield coloring.allocate(body, options.target, False)


def lower_program(program: nodes.Program, options: Options) -> Program:
    """Every function, in program order."""
    functions = {name: lower(function, program, options) for name, function in program.functions.items()}
    return Program(program.entry, functions, program.data, program.source)
