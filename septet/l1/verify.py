"""What well-formed L1 is.  This docstring is the specification; each line names the check that holds it.

entry     the entry function is declared                                                     (x86.check, Checker.program)
names     functions and data stand under their own names, and share no name
data      the content of data is no longer than its size
labels    a label is declared once in the program
words     a function has between 0 and `arity` word parameters, and no negative number of slots
targets   what jumps goes to a label of the same function                                    (Checker.body)
symbols   functions, data and labels that are used are declared
ends      the last instruction of a function never falls through
variables there are none, and no `stack-arg`
operands  some form of the opcode takes the operands: kinds and banks of registers, numbers within what it can encode;
          memory has a general base and index (not rsp), a scale of 1, 2, 4 or 8 and a displacement of 32 bits;
          a routine is called with a number of arguments that it takes; arguments and `return`'s operand are registers;
          the numbers of a comparison have 32 bits
"""

from __future__ import annotations

from septet.x86.check import Checker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from septet.base.diagnostics import Diagnostic
    from septet.l1.nodes import Function, Program


def problems(program: Program) -> Iterator[Diagnostic]:
    """Everything wrong with a program, lazily."""
    checker = Checker(program.functions, program.data, program.source, False)
    yield from checker.program(program.entry)
    for function in program.functions.values():
        yield from checker.body(function)


def function_problems(function: Function, program: Program) -> Iterator[Diagnostic]:
    """Everything wrong with one function of a program, lazily."""
    checker = Checker(program.functions, program.data, program.source, False)
    yield from checker.labels_of(function)
    yield from checker.body(function)
