"""L3's text, both ways.

The course's syntax, with a type in front of a definition that is not `int64`, and a type after an operation (`>>.u64`,
`load.u8`, `convert.f32`) where it is not the obvious one: the target's, or for comparisons, `convert` and what makes scalars
of vectors that of the first operand that is a variable.
"""

from __future__ import annotations

from septet.base import notes as note
from septet.base.literals import read
from septet.base.scan import (
    ARROW,
    BRACKETS,
    CLOSE_BRACE,
    END,
    FLOAT,
    FUNCTION,
    LABEL,
    NAME,
    NUMBER,
    OPEN_BRACE,
    PERCENT,
    STRING,
    VARIABLE,
    Cursor,
    Scanner,
    SyntaxProblem,
    line_operand,
)  # fmt: skip
from septet.base.source import span
from septet.base.symbols import DATA, ROUTINE, Data, External, Symbol, symbol
from septet.base.symbols import FUNCTION as FUNCTION_SYMBOL
from septet.base.symbols import LABEL as LABEL_SYMBOL
from septet.base.types import I64, INT, INT64, U64, VALUE, VECTOR, VOID, named
from septet.l3.nodes import Branch, Call, Function, Instruction, Label, Memory, Program, Variable
from septet.l3.spell import TYPES, WORDS, print_function, print_program, unescaped
from septet.ops import table as ops
from septet.ops.routines import ROUTINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.source import Source
    from septet.base.symbols import Line
    from septet.base.types import Type
    from septet.ops.table import Op

    Operand = Variable | int | Symbol | Line

__all__ = ["parse", "print_function", "print_program"]

_SCANNER = Scanner(PERCENT, "+ - * / % & | ^ << >> = != < <= > >= -- .")


def parse(source: Source, notes: bool = True) -> Program:
    """The program that `source` spells.  With `notes`, its `//@` notes say where things come from."""
    return _Parser(source, notes).program()


class _Constant:
    """A literal whose type is not known yet."""

    __slots__ = ("text", "at")

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at  # index of its first token


class _Parser(Cursor):
    """Parses one source; `variables` are those of the function it is in."""

    __slots__ = ("notes", "variables", "functions", "data", "first_line", "noted")

    def __init__(self, source: Source, notes: bool) -> None:
        super().__init__(_SCANNER.scan(source))
        self.notes = self.tokens.notes if notes else {}
        self.variables: dict[str, Variable] = {}
        self.functions: dict[str, tuple[Function, int]] = {}
        self.data: dict[str, tuple[Data, int]] = {}
        self.first_line = 1
        self.noted = False  # whether this function's header has a note: then what has none has no span

    # The program

    def program(self) -> Program:
        """The whole program."""
        while self.kind != END:
            start = self.at
            try:
                if self.accept("define"):
                    self.function()
                elif self.accept("data"):
                    self.datum()
                elif self.accept("declare"):
                    self.external()
                else:
                    self.fail("'define', 'data' or 'declare'")
            except SyntaxProblem:
                self.at = self.tokens.next_line(max(self.at, start))
                while self.kind != END and (self.text not in ("define", "data", "declare") or self.same_line()):
                    self.at = self.tokens.next_line(self.at)
        self.tokens.reject()
        functions = {name: function for name, (function, _) in self.functions.items()}
        for function in functions.values():
            self.settle(function)
        return Program(functions, {name: data for name, (data, _) in self.data.items()}, self.tokens.source)

    def settle(self, function: Function) -> None:
        """Turn `@name` into the address of data where that is what it is, and `:f`, which older course programs have for the
        address of a function, into `@f`."""
        labels: set[str] | None = None
        for instruction in function.body:
            args = instruction.args
            for index, arg in enumerate(args):
                if type(arg) is not Symbol:
                    continue
                if arg.kind == FUNCTION_SYMBOL and arg.name in self.data:
                    args[index] = symbol(DATA, arg.name)
                elif arg.kind == LABEL_SYMBOL and arg.name in self.functions:
                    if labels is None:
                        labels = {i.name for i in function.body if type(i) is Label}
                    if arg.name not in labels:
                        args[index] = symbol(FUNCTION_SYMBOL, arg.name)

    def datum(self) -> None:
        """`data @name SIZE "bytes"`, after `data`."""
        name, at = self.new_name("the name of the data")
        size = self.number("the size in bytes", 0, 1 << 31)
        content = b""
        if self.kind == STRING and self.same_line():
            content = unescaped(self.text)
            if len(content) > size:
                self.tokens.complain(self.at, f"these are {len(content)} bytes, which is more than {size}")
            self.at += 1
        self.data[name] = Data(name, size, content), at

    def external(self) -> None:
        """`declare TYPE @name (TYPE, ...)`, after `declare`."""
        result = self.type("the type of the result")
        name, at = self.new_name("the function's name")
        parameters: list[Type] = []
        self.expect("(")
        while not self.accept(")"):
            if parameters:
                self.expect(",")
            parameters.append(self.type("the type of a parameter"))
        self.data[name] = External(name, result, parameters), at

    def new_name(self, what: str) -> tuple[str, int]:
        """A `@name` that must not have been defined yet, and the index of its token."""
        at = self.at
        name = self.take(FUNCTION, what)[1:]
        before = self.functions.get(name) or self.data.get(name)
        if before:
            also = (self.tokens.place(before[1]), "it is defined here as well")
            self.tokens.complain(at, f"'@{name}' is defined twice", "", also)
        return name, at

    # Functions

    def function(self) -> None:
        """`define TYPE @f (TYPE %a, ...) { ... }`, after `define`."""
        self.first_line = self.line
        result = INT64 if self.kind == FUNCTION else self.type("a type or the function's name")
        name, at = self.new_name("the function's name")
        self.variables = {}
        self.expect("(")
        parameters: list[Variable] = []
        while not self.accept(")"):
            if parameters:
                self.expect(",")
            kind = INT64 if self.kind == VARIABLE else self.type("a parameter")
            parameter = Variable(self.take(VARIABLE, "a parameter")[1:], kind)
            if parameter.name in self.variables:
                self.tokens.complain(self.at - 1, f"two parameters are called '%{parameter.name}'")
            self.variables[parameter.name] = parameter
            parameters.append(parameter)
        header = self.notes.get(self.first_line)
        if header is None:
            header = self.notes.get(self.line, "")
        items = note.read(header)[1]
        self.noted = "line" in items
        convention = "c" if self.accept("c") else ""
        self.expect("{")
        self.declare()
        body: list[Instruction] = []
        function = Function(name, result, parameters, body, note.number(items, "line", self.first_line))
        function.convention = convention
        while not self.accept("}"):
            if self.kind == END or self.text == "define" and not self.same_line():
                self.fail("'}' at the end of the function")
            self.one(function)
        self.functions[name] = function, at

    def declare(self) -> None:
        """Make the variables of this function that have a type in front somewhere."""
        texts, kinds, variables, lines = self.texts, self.kinds, self.variables, self.tokens.lines
        depth = 0  # of braces: vector constants have some
        for index in range(self.at, len(kinds) - 1):
            kind = kinds[index]
            if kind != VARIABLE:
                if kind == OPEN_BRACE:
                    depth += 1
                elif kind == CLOSE_BRACE:
                    if not depth:
                        break
                    depth -= 1
                continue
            start = index - 1
            while kinds[start] == BRACKETS:
                start -= 1
            if kinds[start] != NAME or texts[start - 1] == "." or lines[start] != lines[index]:
                continue
            found = named("".join(texts[start:index]))
            if found is None:
                continue
            name = texts[index][1:]
            variable = variables.setdefault(name, Variable(name, found))
            if variable.type is not found:
                self.tokens.complain(start, f"'%{name}' is {variable.type} elsewhere in this function, not {found}")

    def one(self, function: Function) -> None:
        """One instruction, added to the body; or a complaint, and on to the next line."""
        start = self.at
        try:
            made = self.instruction(function)
        except SyntaxProblem:
            self.at = max(self.at, start)
            if self.text != "}":
                self.at = self.tokens.next_line(self.at)
            return
        if made is None:
            return
        line = self.tokens.lines[start]
        text = self.notes.get(line)
        if text is not None:
            made.span, items = note.read(text)
            made.by = items.get("by", "")
            if type(made) is Label:
                made.depth = note.number(items, "depth", 0)
        if text is None and not self.noted or text is not None and not self.noted and not made.span:
            made.span = span(line - self.first_line, self.tokens.column(start))
        function.body.append(made)

    def instruction(self, function: Function) -> Instruction | None:
        """One instruction; None for a mere declaration."""
        kind, text = self.kind, self.text
        if kind == LABEL:
            self.at += 1
            return Label(text[1:])
        if kind == VARIABLE:
            return self.definition(self.variable())
        if kind == NAME:
            self.at += 1
            if text == "br":
                args = [] if self.kind == LABEL else [self.settled(self.operand(), INT64)]
                label = self.take(LABEL, "a label")[1:]
                return Branch(ops.BR_IF if args else ops.BR, args, label)
            if text == "return":
                returned = self.same_line() and self.text != "}"
                args = [self.settled(self.operand(), function.result)] if returned else []
                return Instruction(ops.RETURN, VOID, None, args)
            if text == "store":
                return self.store()
            if text == "call":
                return self.call(None)
            if text == "syscall":
                return Instruction(ops.SYSCALL, I64, None, self.arguments())
            if text == "roots":
                return self.roots()
            self.at -= 1
            self.type("an instruction")
            variable = self.variable()
            return self.definition(variable) if self.kind == ARROW else None
        self.fail("an instruction")
        return None

    def definition(self, target: Variable) -> Instruction:
        """`<- ...`."""
        self.expect("<-")
        if self.kind == NAME and self.text != "line":
            word, at = self.text, self.at
            self.at += 1
            if word == "load":
                kind = self.suffix() or target.type
                base, offset = self.address()
                return Memory(ops.LOAD, kind, target, [base], offset, self.alias())
            if word == "call":
                return self.call(target)
            if word == "syscall":
                return Instruction(ops.SYSCALL, I64, target, self.arguments())
            found = WORDS.get(word)
            if found is not None:
                return self.word(target, *found)
            self.at = at
        left = self.operand()
        found_infix = ops.infix("-" if self.text == "--" else self.text, INT64) if self.same_line() else None
        if found_infix is None:
            return Instruction(ops.COPY, target.type, target, [self.settled(left, target.type)])
        symbol_at, text = self.at, self.text
        self.at += 1
        given = self.suffix()
        right = self.operand("-" if text == "--" else "")
        kind = given or target.type
        if found_infix.compares:
            first = left if isinstance(left, Variable) else right
            kind = given or (first.type if isinstance(first, Variable) else INT64)
        op = ops.infix(found_infix.symbol, kind)
        if op is None:
            self.tokens.complain(symbol_at, f"there is no '{text}' on {kind}")
            raise SyntaxProblem
        return Instruction(op, kind, target, [self.settled(left, kind), self.settled(right, kind)])

    def word(self, target: Variable, op: Op, count: int) -> Instruction:
        """An operation written as a word, after it."""
        kind = self.suffix()
        args = [self.operand()]
        while len(args) < count:
            self.expect(",")
            args.append(self.lanes() if op is ops.SHUFFLE and len(args) == 2 else self.operand())
        if kind is None:
            kind = target.type
            if op.inward:
                first = next((arg for arg in args if isinstance(arg, Variable)), None)
                kind = first.type if first else INT64
        if op is ops.NEG and kind.element.is_float:
            op = ops.FNEG
        made = Instruction(op, kind, target, [])
        for arg, letter in zip(args, op.operands, strict=True):
            made.args.append(self.settled(arg, TYPES[letter](made) if letter in TYPES else kind))
        return made

    def lanes(self) -> _Constant:
        """`(4, 5, ...)`, the lanes that a shuffle gives, as a constant vector."""
        at = self.at
        self.expect("(")
        lanes = [self.number("the number of a lane", 0, 127)]
        while not self.accept(")"):
            self.expect(",")
            lanes.append(self.number("the number of a lane", 0, 127))
        return _Constant("{" + ",".join(map(str, lanes)) + "}", at)

    def roots(self) -> Instruction:
        """Variables, after `roots`."""
        args: list[Operand] = []
        while self.same_line() and self.kind == VARIABLE and self.kinds[self.at + 1] != ARROW:
            args.append(self.variable())
            if not self.accept(","):
                break
        return Instruction(ops.ROOTS, VOID, None, args)

    def store(self) -> Instruction:
        """`TYPE base + offset <- what in CLASS`, after `store` and without a blank before the type."""
        kind = self.suffix() or INT64
        base, offset = self.address()
        self.expect("<-")
        what = self.settled(self.operand(), kind)
        return Memory(ops.STORE, kind, None, [base, what], offset, self.alias())

    def address(self) -> tuple[Operand, int]:
        """`base`, `base + offset` or `base - offset`."""
        base = self.settled(self.operand(), INT64)
        if self.same_line() and self.text in ("+", "-"):
            sign = -1 if self.text == "-" else 1
            self.at += 1
            return base, sign * self.number("an offset", -(1 << 62), 1 << 62)
        return base, 0

    def alias(self) -> str:
        """`in CLASS`, or the class of what may be anything."""
        if self.same_line() and self.accept("in"):
            return self.take(NAME, "an alias class")
        return "any"

    def call(self, target: Variable | None) -> Instruction:
        """`callee(args)` or `c %callee(args)`, after `call`."""
        text = self.text
        if text == "c" and self.kind == NAME:
            self.at += 1
            called = self.variable()
            return Instruction(ops.CALL_C, target.type if target else VOID, target, [called, *self.arguments()])
        callee: Symbol | Variable
        if self.kind == VARIABLE:
            callee = self.variable()
        elif self.kind == FUNCTION:
            self.at += 1
            callee = symbol(FUNCTION_SYMBOL, text[1:])
        elif self.kind == NAME:
            if text not in ROUTINES:
                from septet.base.diagnostics import did_you_mean

                hint = did_you_mean(text, ROUTINES)
                self.tokens.complain(self.at, f"there is no routine '{text}'; functions have an @ in front", hint)
                raise SyntaxProblem
            self.at += 1
            callee = symbol(ROUTINE, text)
        else:
            self.fail("what to call: a function, a variable or a routine")
        return Call(callee, target, self.arguments())

    def arguments(self) -> list[Operand]:
        """`(t, ...)`."""
        self.expect("(")
        args: list[Operand] = []
        while not self.accept(")"):
            if args:
                self.expect(",")
            arg = self.operand()  # a constant may be a number of any integer type: which one is the callee's affair
            args.append(self.settled(arg, INT64 if type(arg) is _Constant and arg.text[0] == "-" else U64))
        return args

    # Operands and types

    def variable(self) -> Variable:
        """The variable here."""
        name = self.take(VARIABLE, "a variable")[1:]
        found = self.variables.get(name)
        if found is None:
            found = self.variables[name] = Variable(name)
        return found

    def operand(self, sign: str = "") -> Operand | _Constant:
        """A variable, an address, a line or a constant, which gets `sign` in front."""
        kind, text, at = self.kind, self.text, self.at
        if kind == OPEN_BRACE:
            return _Constant(self.braced(), at)
        if text in ("-", "+") and not sign:
            sign = text
            self.at += 1
            kind, text = self.kind, self.text
        if kind in (NUMBER, FLOAT):
            self.at += 1
            return _Constant(sign + text, at)
        if self.at == at and not sign:
            self.at += 1
            if kind == VARIABLE:
                self.at -= 1
                return self.variable()
            if kind == FUNCTION:
                return symbol(FUNCTION_SYMBOL, text[1:])
            if kind == LABEL:
                return symbol(LABEL_SYMBOL, text[1:])
            if text == "line":
                return line_operand(self, -(1 << 31))
        self.at = at
        self.fail("an operand")
        raise AssertionError

    def settled(self, operand: Operand | _Constant, kind: Type) -> Operand:
        """`operand`, of which a constant is made a number of `kind`."""
        if type(operand) is not _Constant:
            assert not isinstance(operand, _Constant)
            return operand
        if kind.kind in (INT, VALUE) and "x" not in operand.text and ("." in operand.text or "e" in operand.text):
            self.tokens.complain(operand.at, f"a {kind} has no fraction")
            raise SyntaxProblem
        value = read(operand.text, kind)
        if value is None and kind.is_word:
            value = read(operand.text, I64)  # a word's bits may be written either way
            value = None if value is None else kind.wrap(value)
        if value is None and kind.kind == VECTOR:
            self.tokens.complain(operand.at, f"{operand.text[:40]} is no {kind}")
            raise SyntaxProblem
        if value is None:
            self.tokens.complain(operand.at, f"{operand.text[:40]} is no {kind}: it must be between {kind.low} and {kind.high}")
            raise SyntaxProblem
        return value

    def suffix(self) -> Type | None:
        """`.TYPE`, or nothing."""
        return self.type("a type") if self.same_line() and self.accept(".") else None

    def type(self, what: str) -> Type:
        """The type here."""
        end = self.at + 1
        found = None
        if self.kind == NAME:
            while self.kinds[end] == BRACKETS:
                end += 1
            found = named("".join(self.texts[self.at : end]))
        if found is None:
            self.fail(what)
            raise AssertionError
        self.at = end
        return found
