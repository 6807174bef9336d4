"""IR text: whole programs, of what `parse` reads and `elaborate` makes of it."""

from __future__ import annotations

from septet.ir.elaborate import Elaborator
from septet.ir.nodes import Program
from septet.ir.parse import Parser
from septet.ir.recognise import recognise_checks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.scan import Tokens
    from septet.base.source import Source
    from septet.base.symbols import Data
    from septet.ir.nodes import Function


def program(source: Source, use_notes: bool) -> Program:
    """The program that `source` spells.  Raises Rejected."""
    parser = Parser(source, use_notes)
    tokens = parser.program()
    data: dict[str, Data] = {}
    places: dict[str, int] = {}
    for entry, at in parser.data:
        _name(tokens, places, entry.name, at)
        data[entry.name] = entry
    for text in parser.functions:
        _name(tokens, places, text.name, text.at)
    signatures = {text.name: (text.result, [type for _, type, _ in text.parameters]) for text in parser.functions}
    functions: dict[str, Function] = {}
    for text in parser.functions:
        if not text.blocks or not text.complete:
            continue
        function = Elaborator(text, tokens, use_notes, data, signatures).function()
        if function is not None:
            function.convention = text.convention
            recognise_checks(function)
            functions[text.name] = function
    tokens.reject()
    return Program(functions, data, source)


def _name(tokens: Tokens, places: dict[str, int], name: str, at: int) -> None:
    """Note that token `at` names something; complain if something else has the name."""
    if name in places:
        tokens.complain(at, f"'@{name}' stands twice", "", (tokens.place(places[name]), "the other one"))
    places[name] = at
