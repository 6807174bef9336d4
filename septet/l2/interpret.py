"""Running L2: variables belong to an activation, registers and the stack to the program."""

from __future__ import annotations

from septet.runtime.model import Fault, Inconclusive
from septet.x86.blocks import Prepared
from septet.x86.machine import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l2.nodes import Program
    from septet.runtime.model import Runtime


def run(program: Program, runtime: Runtime, steps: int | None = None) -> None:
    """Execute from the entry to its return.

    Raises Exit, Inconclusive (out of steps, heap or stack) and Fault: a wild access, or a read of a variable that nothing
    wrote or of a register that a call clobbered.
    """
    functions = [
        (Prepared(function.name, function.words, 0, function.line, function.body), function.arity)
        for function in program.functions.values()
    ]
    Machine(runtime, functions, program.data, Fault, Inconclusive).run(program.entry, steps)
