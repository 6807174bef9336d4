"""The syntax that L2 and L1 share: reading functions, data and whole programs.  `syntax.py` reads single instructions.

Line ends are blanks here, as in the course's compilers: an instruction ends where its last operand does.  After an error
reading goes on with the next line, or the next function.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from septet.base import notes
from septet.base.diagnostics import Diagnostic, Rejected
from septet.base.scan import CLOSE_PAREN, END, FUNCTION, LABEL, NAME, OPEN_PAREN, STRING, SyntaxProblem
from septet.base.source import span
from septet.base.symbols import FUNCTION as FUNCTION_SYMBOL
from septet.base.symbols import LABEL as LABEL_SYMBOL
from septet.base.symbols import Data, External, Symbol, symbol
from septet.base.types import named
from septet.x86 import forms
from septet.x86.abi import ARGUMENTS
from septet.x86.instructions import Instruction, Mem
from septet.x86.registers import RSP
from septet.x86.syntax import MOST_WORDS, SCANNER, InstructionReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.source import Source
    from septet.base.types import Type
    from septet.x86.forms import Operand
    from septet.x86.instructions import Op

_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([n\"\\]))|\\")


class Parsed:
    """A function as read: what its header says, and its instructions."""

    __slots__ = ("name", "words", "slots", "arity", "line", "body", "noted")

    def __init__(self, name: str, words: int, slots: int, line: int) -> None:
        self.name = name
        self.words = words
        self.slots = slots
        self.arity = words
        self.line = line
        self.body: list[Instruction] = []
        self.noted = False  # its header has a note that says which line it was on elsewhere


class Reader(InstructionReader):
    """Reads one source.  `virtual`: there are variables (L2); else headers also say how many stack slots there are (L1)."""

    __slots__ = ("source", "notes", "entry", "functions", "heads", "labels", "columns_of", "columns")

    def __init__(self, source: Source, virtual: bool, with_notes: bool) -> None:
        super().__init__(SCANNER.scan(source), virtual)
        self.source = source
        self.notes: dict[int, str] = self.tokens.notes if with_notes else {}
        self.entry = ""
        self.functions: list[Parsed] = []
        self.heads: dict[str, int] = {}  # functions and data by name: the token that declares them
        self.labels: dict[str, int] = {}  # labels by token text: the token that declares them
        self.columns_of = 0  # the line of which `columns` has the column of every token
        self.columns: list[int] = []

    # Programs

    def program(self) -> None:
        """Read a whole program, into `entry`, `functions` and `data`.  Raises Rejected."""
        tokens = self.tokens
        try:
            self._data_names()
            self.expect("(")
            self.entry = self.take(FUNCTION, "the name of the entry function")[1:]
        except SyntaxProblem:
            self._skip_to_function()
        while self.kind != CLOSE_PAREN:
            start = self.at
            try:
                if self.kind == END:
                    self.fail("a function, or the ')' that closes the program")
                self._part()
            except SyntaxProblem:
                self.at = max(self.at, start + (self.kinds[start] != END))
                self._skip_to_function()
                if self.kind == END:
                    break
        if self.kind == CLOSE_PAREN:
            self.at += 1
            if self.kind != END:
                tokens.wanted(self.at, "the end of the file")
        self._reject()
        self._functions_as_labels()

    def _reject(self) -> None:
        """Raise Rejected if anything is wrong.  That the file ends too early is said once."""
        kept: list[Diagnostic] = []
        early = False
        for diagnostic in self.tokens.diagnostics:
            if not diagnostic.message.endswith("found the end of the file") or not early:
                kept.append(diagnostic)
            early = early or diagnostic.message.endswith("found the end of the file")
        if kept:
            raise Rejected(kept)

    def _functions_as_labels(self) -> None:
        """Read `w <- :f` as `w <- @f` where `f` is a function and no label: until 2022 the course wrote functions so."""
        for function in self.functions:
            for number, instruction in enumerate(function.body):
                if instruction.op is forms.MOV:
                    target, source = instruction.operands
                    if isinstance(source, Symbol) and source.kind == LABEL_SYMBOL and f":{source.name}" not in self.labels:
                        if source.name in self.heads and source.name not in self.data:
                            operands = (target, symbol(FUNCTION_SYMBOL, source.name))
                            function.body[number] = Instruction(forms.MOV, operands, instruction.span, instruction.by)

    def _part(self) -> None:
        following = self.kinds[self.at + 1] if self.kind == OPEN_PAREN else END
        if following == FUNCTION:
            self.functions.append(self.function())
        elif following == NAME and self.texts[self.at + 1] == "data":
            self._datum()
        elif following == NAME and self.texts[self.at + 1] == "declare":
            self._external()
        else:
            self.fail("a function, '(@', or the ')' that closes the program")

    def _skip_to_function(self) -> None:
        kinds = self.kinds
        at = self.at
        while kinds[at] != END and not (kinds[at] == OPEN_PAREN and kinds[at + 1] == FUNCTION):
            at += 1
        self.at = at

    def _data_names(self) -> None:
        """Note which names are data, so that they can be used before they are declared."""
        texts = self.texts
        found = []
        for word, names in (("data", 1), ("declare", 2)):  # how far behind the word the name is
            at = -1
            for _ in range(texts.count(word)):
                at = texts.index(word, at + 1)
                if at and texts[at - 1] == "(" and self.kinds[at + names] == FUNCTION:
                    found.append((at, texts[at + names][1:]))
        for _, name in sorted(found):
            self.data.setdefault(name, Data("", 0))

    def _declare(self, what: str) -> str:
        at = self.at
        name = self.take(FUNCTION, f"the name of the {what}")[1:]
        if name in self.heads:
            first = self.tokens.place(self.heads[name])
            self.tokens.complain(at, f"'@{name}' is declared twice", "", (first, "first declared here"))
        else:
            self.heads[name] = at
        return name

    def _datum(self) -> None:
        self.at += 2
        name = self._declare("data")
        size = self.number("the size in bytes", 0, 1 << 40)
        content = b""
        if self.kind == STRING:
            content = self._string()
            if len(content) > size:
                self.tokens.complain(self.at - 1, f"the string has {len(content)} bytes, but the data only {size}")
        self.expect(")")
        self.data[name] = Data(name, size, content)

    def _external(self) -> None:
        self.at += 2
        result = self._type()
        name = self._declare("function")
        parameters: list[Type] = []
        self.expect("(")
        while not self.accept(")"):
            if parameters:
                self.expect(",")
            parameters.append(self._type())
        self.expect(")")
        self.data[name] = External(name, result, parameters)

    def _type(self) -> Type:
        found = named(self.text) if self.kind == NAME else None
        if found is None:
            self.fail("a type")
            raise AssertionError
        self.at += 1
        return found

    def _string(self) -> bytes:
        text = self.text
        ends = text[-1] == '"' and len(text) > 1 and (len(text) - len(text[:-1].rstrip("\\"))) % 2 == 1
        problems: list[str] = [] if ends else ["the string does not end on this line"]

        def one(match: re.Match[str]) -> str:
            if match[1]:
                return chr(int(match[1], 16))
            if not match[2]:
                problems.append('a backslash must be followed by x and two hexadecimal digits, or by n, " or \\')
                return ""
            return "\n" if match[2] == "n" else match[2]

        body = text[1:-1]
        plain = body.encode("utf-8", "surrogateescape").decode("latin-1")
        content = _ESCAPE.sub(one, plain).encode("latin-1")
        for problem in problems[:1]:
            self.tokens.complain(self.at, problem)
            raise SyntaxProblem
        self.at += 1
        return content

    def noted(self) -> bool:
        """Whether some function's spans are those of another text, which its notes tell of."""
        return any(function.noted for function in self.functions)

    # Functions

    def function(self) -> Parsed:
        """The function that starts here."""
        first = self.tokens.lines[self.at]
        self.expect("(")
        first = self.line
        name = self._declare("function")
        words = self.number("the number of parameters", 0, MOST_WORDS)
        slots = 0 if self.virtual else self.number("the number of stack slots", 0, MOST_WORDS)
        function = Parsed(name, words, slots, first)
        note = self.notes.get(first)
        if note is not None:
            _, items = notes.read(note)
            function.noted = "line" in items
            function.line = notes.number(items, "line", first)
            function.arity = notes.number(items, "arity", words)
        self.variables = {}
        self._body(function, first)
        return function

    def _body(self, function: Parsed, first: int) -> None:
        kinds, lines, statement = self.kinds, self.tokens.lines, self.statement
        append = function.body.append
        noted = self.notes
        while True:
            start = self.at
            kind = kinds[start]
            if kind == CLOSE_PAREN:
                self.at += 1
                return
            if kind == END or kind == OPEN_PAREN and kinds[start + 1] == FUNCTION:
                self.tokens.wanted(start, f"an instruction, or the ')' that closes '@{function.name}',")
                return
            try:
                if kind == LABEL:
                    op: Op = forms.LABEL
                    operands: tuple[Operand, ...] = (self._label(), 0)
                else:
                    op, operands = statement()
            except SyntaxProblem:
                self._recover(start)
                continue
            line = lines[start]
            note = noted.get(line) if noted else None
            if note is None:
                append(Instruction(op, operands, 0 if function.noted else span(line - first, self._column(start))))
                continue
            place, items = notes.read(note)
            if op is forms.LABEL and "depth" in items:
                operands = (operands[0], notes.number(items, "depth", 0))
            place = place or (0 if function.noted else span(line - first, self._column(start)))
            append(Instruction(op, operands, place, items.get("by", "")))

    def _label(self) -> Operand:
        text = self.text
        first = self.labels.setdefault(text, self.at)
        if first != self.at:
            self.tokens.complain(
                self.at, f"label '{text}' is declared twice", "", (self.tokens.place(first), "first declared here")
            )
        self.at += 1
        return symbol(LABEL_SYMBOL, text[1:])

    def _column(self, index: int) -> int:
        """The column of a token; many on one line are found together."""
        lines = self.tokens.lines
        line = lines[index]
        if index == 0 or lines[index - 1] != line:
            return self.tokens.column(index)
        if self.columns_of != line:
            self.columns_of = line
            self.columns = [match.start() + 1 for match in SCANNER.match(self.source.lines[line - 1])]
        first = index
        while first and lines[first - 1] == line and index - first < 8:
            first -= 1
        if first and lines[first - 1] == line:
            first = bisect_left(lines, line)
        return self.columns[index - first]

    def _recover(self, start: int) -> None:
        """Go to where the next instruction may start: the next line, or a ')' that closes the function."""
        kinds, lines = self.kinds, self.tokens.lines
        line = lines[max(self.at, start)]
        if self.at > start and lines[self.at] != lines[self.at - 1]:
            line = lines[self.at - 1]  # what was missing at the end of a line does not spoil the next one
        depth = 0
        at = start
        while kinds[at] != END and lines[at] <= line:
            if kinds[at] == OPEN_PAREN:
                depth += 1
            elif kinds[at] == CLOSE_PAREN:
                if depth == 0:
                    break
                depth -= 1
            at += 1
        self.at = at


def read(source: Source, virtual: bool, with_notes: bool) -> Reader:
    """A whole program, read: see `Reader.program`."""
    reader = Reader(source, virtual, with_notes)
    reader.program()
    return reader


def read_fragment(source: Source, virtual: bool) -> tuple[Parsed, list[str]]:
    """One function alone, and the words that follow it.  Raises Rejected."""
    reader = Reader(source, virtual, True)
    try:
        function = reader.function()
    except SyntaxProblem:
        reader.tokens.reject()
        raise
    reader.tokens.reject()
    return function, reader.texts[reader.at : -1]


# Calls


def recognise(functions: list[Parsed]) -> None:
    """Turn the course's calls, `mem rsp -8 <- :ret ... call u N :ret`, into real ones where nothing else uses `:ret`.

    The store must be in the same block, and nothing between it and the call may touch that word or move rsp.
    """
    uses: dict[Operand, int] = {}
    for function in functions:
        for instruction in function.body:
            for operand in instruction.operands:
                if isinstance(operand, Symbol) and operand.kind == LABEL_SYMBOL and instruction.op is not forms.LABEL:
                    uses[operand] = uses.get(operand, 0) + 1
    for function in functions:
        function.body = _with_real_calls(function.body, uses)


def _with_real_calls(body: list[Instruction], uses: dict[Operand, int]) -> list[Instruction]:
    result: list[Instruction] = []
    stored: Operand | None = None  # the label that was stored, by the instruction at `store` of `result`
    store = -1
    skip = False
    for number, instruction in enumerate(body):
        op, operands = instruction.op, instruction.operands
        if skip:
            skip = False
            continue
        if op is forms.MOV and operands[0] == RETURN_ADDRESS:
            label = operands[1]
            stored = label if isinstance(label, Symbol) and label.kind == LABEL_SYMBOL and uses[label] == 1 else None
            store = len(result)
        elif op is forms.CALL_JUMP and stored is not None:
            following = body[number + 1] if number + 1 < len(body) else None
            if following is not None and following.op is forms.LABEL and following.operands[0] is stored:
                del result[store]
                count = operands[1]
                assert isinstance(count, int)
                instruction = Instruction(forms.CALL, (operands[0], *ARGUMENTS[:count]), instruction.span, instruction.by)
                skip = True
            stored = None
        elif stored is not None and (op.is_call or op.jumps or op.ends or op is forms.LABEL or _disturbs(instruction)):
            stored = None
        result.append(instruction)
    return result


RETURN_ADDRESS = Mem(RSP, -8)


def _disturbs(instruction: Instruction) -> bool:
    """Whether an instruction may use the word below rsp, or changes rsp."""
    if (instruction.op.writes | instruction.op.reads) & RSP.bit:
        return True
    for number, operand in enumerate(instruction.operands):
        if operand is RSP and (number == 0 or "w" in instruction.op.access[number]):
            return True
        if (
            isinstance(operand, Mem)
            and operand[0] is RSP
            and (operand[1] is not None or -24 < operand[3] < 0 and operand[3] != -16)
        ):
            return True
    return False
