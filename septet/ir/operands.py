"""The operands of IR text: types, variables, numbers, vectors' lanes, addresses and lines."""

from __future__ import annotations

from septet.base.diagnostics import did_you_mean
from septet.base.scan import (
    BRACKETS,
    CLOSE_PAREN,
    FLOAT,
    FUNCTION,
    LABEL,
    NAME,
    NUMBER,
    OPEN_BRACE,
    VARIABLE,
    Cursor,
    SyntaxProblem,
    line_operand,
)  # fmt: skip
from septet.base.types import Type, named
from septet.ir.written import LineOperand, Operand


class OperandParser(Cursor):
    """Reads what instructions are applied to."""

    __slots__ = ()

    def type(self) -> Type:
        """A type, arrays' brackets included."""
        at = self.at
        text = self.take(NAME, "a type")
        while self.kind == BRACKETS:
            text += "[]"
            self.at += 1
        type = named(text)
        if type is None:
            known = "int64 int64[] tuple code void i8 i16 i32 i64 u8 u16 u32 u64 bool ptr f32 f64".split()
            self.tokens.complain(at, f"there is no type '{text}'", did_you_mean(text, known))
            raise SyntaxProblem
        return type

    def starts_type(self, before: int) -> bool:
        """Whether a type and, behind it, a token of kind `before` come here."""
        at = self.at + 1
        while self.kinds[at] == BRACKETS:
            at += 1
        return self.kinds[at] == before

    def operand(self, what: str = "a variable or a number") -> Operand:
        """A variable, a number, the address of a function or of data, or a line; the latter with a type in front if need be."""
        at = self.at
        kind = self.kind
        if kind == VARIABLE:
            self.at += 1
            return Operand(VARIABLE, self.texts[at][1:], at)
        type = None
        if kind == NAME:
            if self.text == "line" and self.kinds[at + 1] == NUMBER:
                self.at += 1
                return LineOperand(line_operand(self), at)
            type = named(self.text) if self.kinds[at + 1] != BRACKETS else None
            if type is None and self.kinds[at + 1] != BRACKETS:
                self.fail(what)
            type = self.type()
            kind = self.kind
        if kind == FUNCTION:
            self.at += 1
            return Operand(FUNCTION, self.texts[self.at - 1][1:], at, type)
        if kind == OPEN_BRACE:
            return Operand(NUMBER, self.braced(), at, type)
        sign = ""
        if self.text in ("-", "+"):
            sign = "-" if self.text == "-" else ""
            self.at += 1
        if self.kind not in (NUMBER, FLOAT):
            self.at = at
            self.fail(what)
        self.at += 1
        return Operand(self.kinds[self.at - 1], sign + self.texts[self.at - 1], at, type)

    def operands(self) -> list[Operand]:
        """Operands between parentheses."""
        self.expect("(")
        args: list[Operand] = []
        while self.kind != CLOSE_PAREN:
            if args:
                self.expect(",")
            args.append(self.operand())
        self.at += 1
        return args

    def several(self, count: int) -> list[Operand]:
        """So many operands between commas."""
        args = [self.operand()]
        while len(args) < count:
            self.expect(",")
            args.append(self.operand())
        return args

    def label(self) -> tuple[str, int]:
        """A label's name, and its token."""
        return self.take(LABEL, "a label")[1:], self.at - 1

    def suffix(self) -> Type | None:
        """The type after a dot, if there is one."""
        return self.type() if self.accept(".") else None

    def indices(self) -> list[Operand]:
        """Operands, each in brackets."""
        indices: list[Operand] = []
        while self.accept("["):
            indices.append(self.operand())
            self.expect("]")
        return indices
