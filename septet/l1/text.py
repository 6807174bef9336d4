"""L1 text: reading and printing programs and functions."""

from __future__ import annotations

from septet.l1.nodes import Function, Program
from septet.x86 import spell, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.source import Source


def parse(source: Source, notes: bool = True, recognise: bool = True) -> Program:
    """The program that `source` spells.  Raises Rejected with all that is wrong with it.

    `notes`: honour `//@` notes.  `recognise`: turn calls with explicit return labels into real ones.
    """
    reader = text.read(source, False, notes)
    if recognise:
        text.recognise(reader.functions)
    functions = {parsed.name: _function(parsed) for parsed in reader.functions}
    return Program(reader.entry, functions, reader.data, None if reader.noted() else source)


def parse_fragment(source: Source) -> tuple[Function, list[str]]:
    """One function alone, its instructions as they stand, and the words that follow it in the text.  Raises Rejected."""
    parsed, words = text.read_fragment(source, False)
    return _function(parsed), words


def _function(parsed: text.Parsed) -> Function:
    return Function(parsed.name, parsed.words, parsed.slots, parsed.body, parsed.line, parsed.arity)


def print_program(program: Program, notes: bool = True) -> str:
    """The program's text; without `notes` it is plain L1."""
    functions = [print_function(function, notes) for function in program.functions.values()]
    return spell.spell_program(program.entry, program.data, functions)


def print_function(function: Function, notes: bool = True) -> str:
    """The text of one function, in lines."""
    head = f"@{function.name} {function.words} {function.slots}"
    return spell.spell_function(head, function.words, function.arity, function.line, function.body, notes)
