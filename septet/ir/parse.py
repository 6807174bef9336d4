"""IR text, first half: from tokens to functions of labelled blocks of statements over variables that may be assigned often.

`elaborate` turns those into SSA form.  All layouts of the course's IR are read: blanks and line ends mean nothing.
"""

from __future__ import annotations

from septet.base import notes as note_text
from septet.base.diagnostics import did_you_mean
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
    OPEN_BRACKET,
    OPERATOR,
    PERCENT,
    STRING,
    VARIABLE,
    Scanner,
    SyntaxProblem,
    Tokens,
    line_operand,
)  # fmt: skip
from septet.base.symbols import Data, External
from septet.base.types import C_KINDS, INTEGERS, VOID, Type, named
from septet.ir.nodes import ARRAYS, OF_ARRAY, OF_DIMENSIONS, OF_TUPLE, WORDS, C
from septet.ir.operands import OperandParser
from septet.ir.written import BlockText, FunctionText, Operand, Statement, unescaped
from septet.ops.routines import ROUTINES
from septet.ops.table import COPY, FABS, OPS, PHI
from septet.x86 import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.source import Source

SCANNER = Scanner(PERCENT, ". + - * / % & | ^ << >> = != < <= > >= ++ --")
INFIX = ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "=", "!=", "<", "<=", ">", ">=")
SPLIT = {"<-": ("<", "-"), "++": ("+", "+"), "--": ("-", "-")}  # tokens that are an operator and a sign after an operand
WORD_OPS = {op.name: op for op in OPS if op.pure and op.operands and not op.symbol and op is not COPY and op is not PHI}
WORD_OPS["abs"] = FABS
DETAILS = {"tuple": OF_TUPLE, "array": OF_ARRAY, "dimensions": OF_DIMENSIONS}
KINDS = {"raw": abi.RAW, "array": abi.ARRAY, "tuple": abi.TUPLE, "code": abi.FUNCTION}
CHECKS = {"check-null": 1, "check-kind": 1, "check-index": 2, "check-length": 1, "check-divisor": 1, "check-convert": 1}


class Parser(OperandParser):
    """Reads a whole program; complaints gather in `tokens`."""

    __slots__ = ("functions", "data", "block", "use_notes")

    def __init__(self, source: Source, use_notes: bool) -> None:
        super().__init__(SCANNER.scan(source))
        self.functions: list[FunctionText] = []
        self.data: list[tuple[Data, int]] = []
        self.block: BlockText | None = None
        self.use_notes = use_notes

    def program(self) -> Tokens:
        """Read everything there is."""
        while self.kind != END:
            try:
                if self.text == "define":
                    self._function()
                elif self.text == "data":
                    self._data()
                elif self.text == "declare":
                    self._external()
                else:
                    self.fail("'define', 'data' or 'declare'")
            except SyntaxProblem:
                self._recover(("define", "data", "declare"))
        return self.tokens

    def _recover(self, keywords: tuple[str, ...]) -> None:
        """Go to the next line that starts with one of `keywords`."""
        while self.kind != END:
            self.at = self.tokens.next_line(self.at)
            if self.text in keywords:
                return

    def _data(self) -> None:
        self.at += 1
        at = self.at
        name = self.take(FUNCTION, "the data's name, like '@table',")[1:]
        size = self.number("the number of bytes", 0, 1 << 40)
        content = b""
        if self.kind == STRING:
            known = unescaped(self.text[1:-1])
            if known is None:
                self.fail('a string whose escapes are \\n, \\", \\\\ and \\x00 to \\xff')
            content = known or b""
            if len(content) > size:
                self.tokens.complain(self.at, f"{len(content)} bytes do not fit in data of {size}")
            self.at += 1
        self.data.append((Data(name, size, content), at))

    def _external(self) -> None:
        """`declare TYPE @name (TYPE, ...)`; the parameters may have names, which mean nothing."""
        self.at += 1
        result = self.type()
        at = self.at
        name = self.take(FUNCTION, "the function's name, like '@sin',")[1:]
        parameters: list[Type] = []
        self.expect("(")
        while not self.accept(")"):
            if parameters:
                self.expect(",")
            parameters.append(self.type())
            if self.kind == VARIABLE:
                self.at += 1
        for type in (result, *parameters):
            if type.kind not in C_KINDS and (type is not VOID or type in parameters):
                self.tokens.complain(at, f"'@{name}' is a function of C, which knows no {type}")
        self.data.append((External(name, result, parameters), at))

    # Functions and blocks.

    def _function(self) -> None:
        self.at += 1
        result = self.type()
        at = self.at
        name = self.take(FUNCTION, "the function's name, like '@f',")[1:]
        function = FunctionText(name, at, result)
        function.line = function.first = self.tokens.lines[at]
        if self.use_notes and function.line in self.tokens.notes:
            _, items = note_text.read(self.tokens.notes[function.line])
            function.noted = "line" in items
            function.line = note_text.number(items, "line", function.line)
        self.expect("(")
        while not self.accept(")"):
            if function.parameters:
                self.expect(",")
            type = self.type()
            place = self.at
            function.parameters.append((self.take(VARIABLE, "a parameter, like '%x',")[1:], type, place))
        if self.accept(WORDS):
            function.phase = WORDS
        else:
            self.accept(ARRAYS)
        if self.accept(C):
            function.convention = C
        self.expect("{")
        self.functions.append(function)
        self._blocks(function)

    def _blocks(self, function: FunctionText) -> None:
        self.block = None
        while not self.accept("}"):
            if self.kind == END or self.text == "define" and not self.same_line():
                self.fail("'}' at the end of the function")
            try:
                if self.kind == LABEL:
                    self._end_block(self.at)
                    self.block = BlockText(self.text[1:], self.at)
                    function.blocks.append(self.block)
                    self.at += 1
                else:
                    self._place(function, self._statement())
            except SyntaxProblem:
                self._next_line()
        self._end_block(self.at - 1)
        function.complete = True
        if not function.blocks:
            self.tokens.complain(function.at, f"function '@{function.name}' has no blocks")

    def _next_line(self) -> None:
        """After a complaint, go on with the next line, or with what closes the function or starts the next."""
        line = self.line
        while self.kind not in (END, CLOSE_BRACE) and self.line == line:
            self.at += 1

    def _place(self, function: FunctionText, statement: Statement) -> None:
        block = self.block
        if block is None or (block.statements and block.statements[-1].shape in ("br", "return")):
            after = "'br' or 'return'" if block else "'{'"
            self.tokens.complain(statement.at, f"expected a label after {after}: every block starts with one")
            block = self.block = BlockText("", statement.at)
            function.blocks.append(block)
        block.statements.append(statement)

    def _end_block(self, at: int) -> None:
        block = self.block
        if block and (not block.statements or block.statements[-1].shape not in ("br", "return")):
            self.tokens.complain(
                at,
                f"block ':{block.name}' does not end with 'br' or 'return'",
                "",
                (self.tokens.place(block.at), "it starts here"),
            )
            block.statements.append(Statement("return", at))

    # Statements.

    def _statement(self) -> Statement:
        at = self.at
        if self.kind == VARIABLE:
            if self.kinds[at + 1] == OPEN_BRACKET:
                return self._store_element()
            return self._assignment(None)
        if self.kind != NAME:
            self.fail("an instruction")
        handler = _STATEMENTS.get(self.text)
        if handler and not (self.kinds[at + 1] == VARIABLE and named(self.text)):
            return handler(self)
        if self.text in CHECKS:
            return self._check()
        if self.starts_type(NUMBER):
            return self._store_element()
        if self.starts_type(VARIABLE):
            type = self.type()
            if self.kinds[self.at + 1] == ARROW:
                return self._assignment(type)
            statement = Statement("declare", self.at)
            statement.target = self.text[1:]
            statement.type = type
            self.at += 1
            return statement
        self.tokens.complain(
            at, f"{self.tokens.spelled(at)} starts no instruction", did_you_mean(self.text, [*_STATEMENTS, *CHECKS])
        )
        raise SyntaxProblem

    def _assignment(self, type: Type | None) -> Statement:
        at = self.at
        name = self.take(VARIABLE, "a variable")[1:]
        self.expect("<-")
        statement = self._right_side()
        statement.at = at if type is None else _type_start(self, at)
        statement.target = name
        statement.type = type
        return statement

    def _right_side(self) -> Statement:
        at = self.at
        if self.kind == NAME:
            handler = _RIGHT_SIDES.get(self.text)
            if handler:
                return handler(self)
            op = WORD_OPS.get(self.text)
            if op is not None:
                self.at += 1
                return Statement("word", at, self.texts[at], self.several(len(op.operands)))
            if self.kinds[self.at + 1] not in (NUMBER, FLOAT, OPERATOR, FUNCTION, BRACKETS, OPEN_BRACE):
                known = [*_RIGHT_SIDES, *WORD_OPS]
                self.tokens.complain(at, f"{self.tokens.spelled(at)} is no operation", did_you_mean(self.text, known))
                raise SyntaxProblem
        left = self.operand("a value")
        if self.kind == OPEN_BRACKET and (left.kind == VARIABLE or left.type is not None):
            return Statement("element", at, "", [left, *self.indices()])
        text = self.text
        if text in SPLIT and self.kind in (ARROW, OPERATOR):
            symbol, sign = SPLIT[text]
            self.at += 1
            right = self.operand()
            if right.kind not in (NUMBER, FLOAT):
                self.at -= 1
                self.fail("a number")
            if sign == "-":
                right.text = right.text[1:] if right.text.startswith("-") else f"-{right.text}"
            return Statement("infix", at, symbol, [left, right])
        if text not in INFIX or self.kind != OPERATOR:
            return Statement("copy", at, "", [left])
        self.at += 1
        statement = Statement("infix", at, text, [left])
        statement.on = self.suffix()
        statement.args.append(self.operand())
        return statement

    def _store_element(self) -> Statement:
        statement = Statement("set-element", self.at, "", [self.operand()])
        statement.args += self.indices()
        self.expect("<-")
        statement.args.append(self.operand("a value"))
        return statement

    def _call(self) -> Statement:
        statement = Statement("call", self.at)
        self.at += 1
        if self.text == C and self.kind == NAME:
            self.at += 1
            statement.shape = "call-c"
            statement.args = [self.operand("what to call"), *self.operands()]
            return statement
        if self.kind == NAME and named(self.text) is None:
            statement.word = self.text
            if self.text not in ROUTINES:
                self.tokens.complain(self.at, f"there is no routine '{self.text}'", did_you_mean(self.text, ROUTINES))
                raise SyntaxProblem
            self.at += 1
            statement.args = self.operands()
        else:
            callee = self.operand("what to call")
            statement.args = [callee, *self.operands()]
        return statement

    def _syscall(self) -> Statement:
        self.at += 1
        return Statement("syscall", self.at - 1, "", self.operands())

    def _new(self) -> Statement:
        at = self.at
        self.at += 1
        word = self.take(NAME, "'Array' or 'Tuple'")
        if word not in ("Array", "Tuple"):
            self.at -= 1
            self.fail("'Array' or 'Tuple'")
        statement = Statement("new", at, word, self.operands())
        if not statement.args or word == "Tuple" and len(statement.args) > 1:
            self.tokens.complain(at, "a tuple has one size" if word == "Tuple" else "an array needs a size a dimension")
            raise SyntaxProblem
        return statement

    def _length(self) -> Statement:
        self.at += 1
        statement = Statement("length", self.at - 1, "", [self.operand()])
        after = self.kinds[self.at + 1] if self.kind != END else END
        # A variable may also be the one that the next instruction assigns to.
        if (
            self.kind == NUMBER
            or (self.kind == NAME and after in (NUMBER, OPERATOR) and self.same_line() and named(self.text) is not None)
            or (self.kind == VARIABLE and after not in (ARROW, OPEN_BRACKET))
        ):
            statement.args.append(self.operand())
        return statement

    def _phi(self) -> Statement:
        statement = Statement("phi", self.at)
        self.at += 1
        self.expect("(")
        while not self.accept(")"):
            if statement.args:
                self.expect(",")
            statement.labels.append(self.label())
            statement.args.append(self.operand())
        return statement

    def _shuffle(self) -> Statement:
        """`shuffle a, b, (lanes)`; the lanes are an operand, a constant vector of u8."""
        statement = Statement("word", self.at, self.text)
        self.at += 1
        statement.args = self.several(2)
        self.expect(",")
        at = self.at
        lanes = [str(lane.text) for lane in self.operands() if lane.kind == NUMBER]
        type = named(f"u8x{len(lanes)}")
        if type is None:
            self.tokens.complain(at, f"a vector of {len(lanes)} lanes: 2, 4, 8, 16, 32 or 64 there may be")
            raise SyntaxProblem
        statement.args.append(Operand(NUMBER, "{" + ",".join(lanes) + "}", at, type))
        return statement

    def _load(self) -> Statement:
        statement = Statement("load", self.at)
        self.at += 1
        self._address(statement)
        self._alias(statement)
        return statement

    def _store(self) -> Statement:
        statement = Statement("store", self.at)
        self.at += 1
        statement.on = self.suffix()
        self._address(statement)
        self.expect("<-")
        statement.args.append(self.operand("a value"))
        self._alias(statement)
        return statement

    def _address(self, statement: Statement) -> None:
        statement.args.append(self.operand("an address"))
        if self.kind == OPERATOR and self.text in ("+", "-"):
            statement.offset = self.number("an offset", -(1 << 31), (1 << 31) - 1)

    def _alias(self, statement: Statement) -> None:
        statement.word = "any"
        if self.kind == NAME and self.text == "in":
            self.at += 1
            statement.word = self.take(NAME, "the name of an alias class")

    def _check(self) -> Statement:
        word = self.text
        statement = Statement("check", self.at, word)
        self.at += 1
        statement.args = self.several(CHECKS[word])
        if word == "check-index":
            self.expect(",")
            if self.kind == NAME and self.text in DETAILS:
                statement.offset = DETAILS[self.text]
                self.at += 1
            else:
                statement.offset = self.number("a dimension, 'tuple', 'array' or 'dimensions'", 0, 1 << 20)
        elif word == "check-kind":
            if self.kind != NAME or self.text not in KINDS:
                self.fail("'array', 'tuple' or 'code'")
            kind = KINDS[self.text]
            self.at += 1
            statement.offset = abi.descriptor(kind, 0 if kind == abi.TUPLE else self.number("a count", 0, 1 << 20))
        elif word == "check-convert":
            type = self.type()
            if type not in INTEGERS:
                self.tokens.complain(self.at - 1, f"{type} is none of {', '.join(map(str, INTEGERS))}")
                raise SyntaxProblem
            statement.offset = INTEGERS.index(type)
        if self.kind == NAME and self.text == "at":
            self.at += 1
            is_relative = self.accept("line")
            statement.line = line_operand(self) if is_relative else self.number("a line", 0, (1 << 31) - 1)
        return statement

    def _branch(self) -> Statement:
        statement = Statement("br", self.at)
        self.at += 1
        if self.kind == LABEL:
            statement.labels = [self.label()]
        else:
            statement.args = [self.operand("a label or a condition")]
            statement.labels = [self.label(), self.label()]
        return statement

    def _return(self) -> Statement:
        statement = Statement("return", self.at)
        self.at += 1
        if self.kind not in (LABEL, CLOSE_BRACE, END):
            statement.args = [self.operand()]
        return statement


def _type_start(parser: Parser, at: int) -> int:
    """The first token of the type that ends in front of token `at`."""
    at -= 1
    while parser.kinds[at] == BRACKETS:
        at -= 1
    return at


_STATEMENTS: dict[str, Callable[[Parser], Statement]] = {
    "br": Parser._branch,
    "return": Parser._return,
    "call": Parser._call,
    "syscall": Parser._syscall,
    "store": Parser._store,
}
_RIGHT_SIDES: dict[str, Callable[[Parser], Statement]] = {
    "call": Parser._call,
    "syscall": Parser._syscall,
    "new": Parser._new,
    "length": Parser._length,
    "phi": Parser._phi,
    "load": Parser._load,
    "shuffle": Parser._shuffle,
}
