"""IR text, second half: from statements over variables to SSA form.

A function in which every variable has one definition, which dominates its uses, is taken literally: it has the values and
phis it says.  Others are built by `ssa`, and may have phis of their own besides.  Either way a statement becomes the same
values:

* `%x <- %y` makes none, or a BITCAST where the types differ in more than name;
* `int64 %x <- %a < %b` makes a comparison and a CONVERT; `br %x` of an int64 a comparison with 1;
* `return` in a function with a result returns 0; an operand of `return` in one without is dropped;
* the value of a call of a function without result is 0.
"""

from __future__ import annotations

from bisect import bisect_left

from septet.base import literals
from septet.base import notes as note_text
from septet.base.diagnostics import did_you_mean
from septet.base.graph import dominators
from septet.base.scan import FLOAT, FUNCTION, NUMBER, VARIABLE, SyntaxProblem
from septet.base.source import span
from septet.base.symbols import DATA, ROUTINE, External, symbol
from septet.base.symbols import FUNCTION as FUNCTION_SYMBOL
from septet.base.types import BOOL, CODE, I64, INT, INT64, NOTHING, PTR, VALUE, VOID, Type, array
from septet.ir.forward import forward, stands_for
from septet.ir.literal import is_literal
from septet.ir.nodes import Address, Call, Check, Compare, Function, Length, Memory, Phi, Value
from septet.ir.parse import WORD_OPS
from septet.ir.ssa import Builder
from septet.ir.written import LineOperand
from septet.ops import table as ops
from septet.ops.table import COPY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.scan import Tokens
    from septet.base.symbols import Data
    from septet.ir.ssa import OpenBlock
    from septet.ir.written import FunctionText, Operand, Statement

    Signatures = dict[str, tuple[Type, list[Type]]]

_OPERAND_TYPE = {ops.UNTAG: INT64, ops.TAG: I64, ops.CONVERT: INT64, ops.BITCAST: INT64}  # of literals, where not the result's


class Variable:
    """A variable of the text."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: Type) -> None:
        self.name = name
        self.type = type


class Elaborator:
    """Builds one function."""

    def __init__(
        self, text: FunctionText, tokens: Tokens, use_notes: bool, data: dict[str, Data], signatures: Signatures
    ) -> None:
        self.text = text
        self.tokens = tokens
        self.use_notes = use_notes
        self.data = data
        self.signatures = signatures
        self.variables: dict[str, Variable] = {}
        self.builder = Builder(text.name, text.result, text.line, text.phase, [block.name for block in text.blocks])
        self.blocks: dict[str, OpenBlock] = {}
        self.values: dict[str, Value] | None = None  # of variables, where the text is taken literally
        self.phis: list[tuple[Phi, Statement]] = []
        self.span = 0
        self.by = ""
        self.columns: tuple[int, int, list[int]] = (0, 0, [])  # a line, its first token, and where its tokens start

    def function(self) -> Function | None:
        """The function, or None where there were complaints."""
        before = len(self.tokens.diagnostics)
        self._declare()
        if not self._resolve_labels():
            return None
        reached, parents = self._flow()
        literal = is_literal(self.text, parents)
        if literal:
            self.values = {}
        self._enter()
        for index, block in enumerate(self.text.blocks):
            if reached[index]:
                if self.builder.here is not self.blocks[block.name]:
                    self.builder.start(self.blocks[block.name])
                for statement in block.statements:
                    self._statement(statement)
        try:
            self._finish_phis()
        except SyntaxProblem:
            return None
        return None if len(self.tokens.diagnostics) > before else self.builder.finish()

    # What the text says about itself.

    def _declare(self) -> None:
        """Find every variable's type: the first one written, else int64."""
        places: dict[str, int] = {}
        for name, type, at in self.text.parameters:
            if name in self.variables:
                self._complain(at, f"parameter '%{name}' stands twice", places[name], "the other one")
            self.variables[name] = Variable(name, type)
            places[name] = at
        for block in self.text.blocks:
            for statement in block.statements:
                if statement.type is None:
                    continue
                known = self.variables.get(statement.target)
                if known is None:
                    if statement.type is VOID:
                        self.tokens.complain(statement.at, "no variable can be of type void")
                    self.variables[statement.target] = Variable(statement.target, statement.type)
                    places[statement.target] = statement.at
                elif known.type is not statement.type:
                    message = f"'%{statement.target}' is of type {known.type}, not {statement.type}"
                    self._complain(statement.at, message, places[statement.target], "it gets its type here")

    def _complain(self, at: int, message: str, other: int, remark: str) -> None:
        self.tokens.complain(at, message, "", (self.tokens.place(other), remark))

    def _variable(self, name: str) -> Variable:
        variable = self.variables.get(name)
        if variable is None:
            variable = self.variables[name] = Variable(name, INT64)
        return variable

    def _resolve_labels(self) -> bool:
        """Make the blocks; False where labels do not add up."""
        before = len(self.tokens.diagnostics)
        places: dict[str, int] = {}
        for block in self.text.blocks:
            if block.name in places:
                self._complain(block.at, f"label ':{block.name}' stands twice", places[block.name], "the other one")
            places[block.name] = block.at
        for block in self.text.blocks:
            for statement in block.statements:
                for name, at in statement.labels:
                    if name not in places:
                        hint = did_you_mean(name, places)
                        self.tokens.complain(at, f"there is no label ':{name}' in '@{self.text.name}'", hint)
        return len(self.tokens.diagnostics) == before

    def _flow(self) -> tuple[list[bool], list[int]]:
        """Which blocks can be reached, and the immediate dominators; makes the blocks, knowing how many edges they get."""
        number = {block.name: index for index, block in enumerate(self.text.blocks)}
        successors = [[number[name] for name, _ in block.statements[-1].labels] for block in self.text.blocks]
        parents = dominators(successors)
        reached = [parent >= 0 for parent in parents]
        edges = [0] * len(successors)
        for index, targets in enumerate(successors):
            if reached[index]:
                for target in targets:
                    edges[target] += 1
        edges[0] += bool(edges[0])  # then the entry is another block, see _enter
        for index, block in enumerate(self.text.blocks):
            self.blocks[block.name] = self.builder.block(block.name, edges[index])
        return reached, parents

    def _enter(self) -> None:
        """Start the entry, a block of its own where the first one is a target, and define the parameters there."""
        first = self.blocks[self.text.blocks[0].name]
        parameters = [(name, self.builder.parameter(name, type)) for name, type, _ in self.text.parameters]
        self.builder.start(self.builder.new_block("start") if first.waiting else first)
        for name, value in parameters:
            self._define(name, value)
        if first.waiting:
            self.builder.jump(first)

    # Statements.

    def _statement(self, statement: Statement) -> None:
        shape = statement.shape
        if shape == "declare":
            return
        self._note(statement.at)
        try:
            _SHAPES[shape](self, statement)
        except SyntaxProblem:
            if not self.builder.ended and shape in ("br", "return"):
                self.builder.ret()

    def _note(self, at: int) -> None:
        """Take the span and the maker of the statement at token `at` from its note, or the span from where it stands."""
        line = self.tokens.lines[at]
        self.span, self.by = 0, ""
        if self.use_notes and line in self.tokens.notes:
            self.span, items = note_text.read(self.tokens.notes[line])
            self.by = items.get("by", "")
        if not self.span and not self.text.noted:
            if self.columns[0] != line:
                text = self.tokens.source.lines[line - 1]
                first = bisect_left(self.tokens.lines, line)
                self.columns = (line, first, [match.start() + 1 for match in self.tokens.scanner.match(text)])
            self.span = span(line - self.text.first, self.columns[2][at - self.columns[1]])

    def _define(self, name: str, value: Value) -> None:
        type = self._variable(name).type
        if not stands_for(type, value.type):
            value = self.builder.emit(Value(ops.BITCAST, type, [value], self.span, self.by, name))
        if self.values is None:
            if not self.builder.ended:
                self.builder.write(self._variable(name), value)
        else:
            placeholder = self.values.get(name)
            if placeholder is not None:
                forward(placeholder, value)
            self.values[name] = value

    def _emit(self, statement: Statement, value: Value) -> None:
        """Append a value, which the statement's variable gets."""
        value.span = self.span
        value.by = self.by
        self.builder.emit(value)
        if statement.target:
            value.name = statement.target
            self._define(statement.target, value)

    def _read(self, name: str) -> Value:
        if self.values is None:
            return self.builder.read(self._variable(name))
        value = self.values.get(name)
        if value is None:
            value = self.values[name] = Value(COPY, self._variable(name).type, [], name=name)
        return value

    def _target_type(self, statement: Statement) -> Type:
        return self._variable(statement.target).type if statement.target else VOID

    def _type_of(self, operand: Operand) -> Type | None:
        """The type that an operand has by itself: none for plain numbers and addresses."""
        if operand.kind == VARIABLE:
            return self._variable(operand.text).type
        return operand.type

    def _value(self, operand: Operand, type: Type) -> Value:
        """The value of an operand; a number written without type is of `type`."""
        kind = operand.kind
        if kind == VARIABLE:
            return self._read(operand.text)
        if isinstance(operand, LineOperand):
            return self.builder.line(operand.where)
        if kind == FUNCTION:
            is_data = operand.text in self.data
            value = self.builder.address(symbol(DATA if is_data else FUNCTION_SYMBOL, operand.text))
            if operand.type is not None and operand.type is not value.type:
                return Address(symbol(DATA if is_data else FUNCTION_SYMBOL, operand.text), operand.type)
            return value
        type = operand.type or type
        if kind == FLOAT and not type.is_float:
            self.tokens.complain(operand.at, f"'{operand.text}' is no number of type {type}")
            raise SyntaxProblem
        return self.builder.const(type, self._literal(operand, type))

    def _literal(self, operand: Operand, type: Type) -> int:
        """The number, natural for `type`, that an operand which is a number spells."""
        number = literals.read(operand.text, type) if type.kind != NOTHING else None
        if number is None:
            self.tokens.complain(operand.at, f"'{operand.text}' is no number of type {type}, or does not fit")
            raise SyntaxProblem
        return number

    def _copy(self, statement: Statement) -> None:
        type = self._target_type(statement)
        source = self._type_of(statement.args[0]) or type
        if not type.accepts(source):
            self.tokens.complain(
                statement.args[0].at, f"this is of type {source}, not {type}", "convert and bitcast change types"
            )
            raise SyntaxProblem
        self._define(statement.target, self._value(statement.args[0], type))

    def _infix(self, statement: Statement) -> None:
        type = self._target_type(statement)
        compares = ops.SYMBOL[statement.word][0].compares
        first = next((arg for arg in statement.args if arg.kind == VARIABLE), None)
        on = statement.on or (self._type_of(first) if first and compares else None) or (INT64 if compares else type)
        op = ops.infix(statement.word, on)
        if op is None or on is VOID:
            self.tokens.complain(statement.at, f"there is no '{statement.word}' for type {on}")
            raise SyntaxProblem
        args = [self._value(arg, on) for arg in statement.args]
        if not compares:
            self._emit(statement, Value(op, on, args))
            return
        compare = Compare(op, on, args, self.span, self.by)
        if type is compare.type:
            self._emit(statement, compare)
        elif type.kind in (VALUE, INT) and compare.type is BOOL:
            self.builder.emit(compare)
            self._emit(statement, Value(ops.CONVERT, type, [compare]))
        else:
            self.tokens.complain(statement.at, f"a comparison gives {compare.type}, which is no {type}")
            raise SyntaxProblem

    def _word(self, statement: Statement) -> None:
        type = self._target_type(statement)
        op = WORD_OPS[statement.word]
        if type.element.is_float:
            op = ops.FLOAT_TWIN.get(op, op)
        usual = {"C": BOOL, "K": I64, "V": type, "E": type.element}
        if op.inward:
            first = next((arg for arg in statement.args if arg.kind == VARIABLE), None)
            usual["V"] = (self._type_of(first) if first else None) or VOID
        default = _OPERAND_TYPE.get(op, type)
        args = [self._value(arg, usual.get(letter, default)) for letter, arg in zip(op.operands, statement.args, strict=True)]
        self._emit(statement, Value(op, type, args))

    def _element(self, statement: Statement) -> None:
        base, *indices = statement.args
        args = [self._value(base, INT64), *(self._value(index, I64) for index in indices)]
        self._emit(statement, Value(ops.ELEMENT, self._target_type(statement), args))

    def _set_element(self, statement: Statement) -> None:
        base, *indices = statement.args[:-1]
        args = [self._value(base, INT64), *(self._value(index, I64) for index in indices)]
        args.append(self._value(statement.args[-1], INT64))
        self._emit(statement, Value(ops.SET_ELEMENT, VOID, args))

    def _length(self, statement: Statement) -> None:
        args = [self._value(statement.args[0], INT64)]
        dimension = -1
        if len(statement.args) > 1:
            operand = statement.args[1]
            if operand.kind == NUMBER and operand.type is None:
                dimension = self._literal(operand, I64)
            else:
                dimension = 0
                args.append(self._value(operand, I64))
        self._emit(statement, Length(self._target_type(statement), args, dimension))

    def _new(self, statement: Statement) -> None:
        type = self._target_type(statement)
        args = [self._value(arg, INT64) for arg in statement.args]
        if statement.word == "Tuple":
            self._emit(statement, Value(ops.NEW_TUPLE, type, args))
        else:
            rank = len(args)
            self._emit(statement, Value(ops.NEW_ARRAY, type if type.rank == rank else array(rank), args))

    def _call(self, statement: Statement) -> None:
        type = self._target_type(statement)
        if statement.word:
            args = [self._value(arg, INT64) for arg in statement.args]
            self._emit(statement, Call(ops.CALL, type, symbol(ROUTINE, statement.word), args))
            return
        callee, *rest = statement.args
        if callee.kind == FUNCTION and isinstance(self.data.get(callee.text), External):
            self._call_c(statement)
            return
        if callee.kind != FUNCTION or callee.type is not None or callee.text in self.data:
            args = [self._value(callee, CODE), *(self._value(arg, INT64) for arg in rest)]
            self._emit(statement, Call(ops.CALL_INDIRECT, type, None, args))
            return
        result, parameters = self.signatures.get(callee.text, (None, []))
        wanted = [*parameters, *[INT64] * (len(rest) - len(parameters))]
        args = [self._argument(arg, want) for arg, want in zip(rest, wanted[: len(rest)], strict=True)]
        target = statement.target
        if target and result is VOID:
            statement.target = ""
            type = VOID
            self._define(target, self.builder.const(self._variable(target).type, 0))
        self._emit(statement, Call(ops.CALL, type, symbol(FUNCTION_SYMBOL, callee.text), args))

    def _call_c(self, statement: Statement) -> None:
        """A call by C's convention: numbers are of the types that are declared, else int64's, which the verifier refuses."""
        callee, *rest = statement.args
        known = self.data.get(callee.text) if callee.kind == FUNCTION else None
        if isinstance(known, External):
            result, parameters = known.result, list(known.parameters)
        elif callee.kind == FUNCTION:
            result, parameters = self.signatures.get(callee.text, (VOID, []))
        else:
            result, parameters = self._target_type(statement), []
        wanted = [*parameters, *[INT64] * (len(rest) - len(parameters))]
        args = [self._value(arg, want) for arg, want in zip(rest, wanted, strict=False)]
        if statement.target and result is VOID:
            self.tokens.complain(statement.at, "this function gives nothing")
            raise SyntaxProblem
        if statement.target:
            result = self._target_type(statement)
        self._emit(statement, Value(ops.CALL_C, result, [self._value(callee, PTR), *args]))

    def _argument(self, operand: Operand, wanted: Type) -> Value:
        """An argument; literals for words are plain ones unless only an unsigned one has room for them."""
        too_large = operand.kind == NUMBER and not operand.text.startswith(("-", "0x")) and len(operand.text) >= 19
        return self._value(operand, INT64 if wanted.is_word and not (too_large and not wanted.signed) else wanted)

    def _syscall(self, statement: Statement) -> None:
        args = [self._value(arg, I64) for arg in statement.args]
        self._emit(statement, Value(ops.SYSCALL, self._target_type(statement) if statement.target else I64, args))

    def _phi(self, statement: Statement) -> None:
        if self.builder.body or self.builder.ended:
            self.tokens.complain(statement.at, "a phi stands in front of the block's other instructions")
            raise SyntaxProblem
        phi = Phi(self._target_type(statement), [], [], self.span, self.by, statement.target)
        self.builder.here.phis.append(phi)
        self.phis.append((phi, statement))
        self._define(statement.target, phi)

    def _finish_phis(self) -> None:
        """Give the phis of the text their operands: what the variables are at the ends of the predecessors."""
        for phi, statement in self.phis:
            self._note(statement.at)
            for (name, _), operand in zip(statement.labels, statement.args, strict=True):
                block = self.blocks[name]
                if not block.body:
                    continue  # cannot be reached
                if operand.kind == VARIABLE and self.values is None:
                    value = self.builder.read_end(self._variable(operand.text), block)
                else:
                    value = self._value(operand, phi.type)
                phi.blocks.append(block)
                phi.args.append(value)

    def _load(self, statement: Statement) -> None:
        base = self._value(statement.args[0], PTR)
        type = self._target_type(statement)
        self._emit(statement, Memory(ops.LOAD, type, [base], statement.offset, statement.word))

    def _store(self, statement: Statement) -> None:
        on = statement.on or INT64
        args = [self._value(statement.args[0], PTR), self._value(statement.args[1], on)]
        self._emit(statement, Memory(ops.STORE, on, args, statement.offset, statement.word))

    def _check(self, statement: Statement) -> None:
        args = [self._value(arg, INT64) for arg in statement.args]
        self._emit(statement, Check(ops.NAMED[statement.word], args, statement.offset, line=statement.line))

    def _branch(self, statement: Statement) -> None:
        targets = [self.blocks[name] for name, _ in statement.labels]
        body = self.builder.body
        if len(targets) == 1:
            self.builder.jump(targets[0], self.span)
        else:
            self.builder.branch(self._condition(statement.args[0]), targets[0], targets[1], self.span)
        body[-1].by = self.by

    def _condition(self, operand: Operand) -> Value:
        """The bool that says whether an operand is 1."""
        if operand.kind != VARIABLE:
            number = self._literal(operand, I64) if operand.kind == NUMBER else 0
            return self.builder.const(BOOL, int(number == 1))
        value = self._value(operand, BOOL)
        type = self._variable(operand.text).type
        if type is BOOL:
            return value
        if type.kind not in (VALUE, INT):
            self.tokens.complain(operand.at, f"a condition is a bool or an integer, not {type}")
            raise SyntaxProblem
        if value.op is ops.CONVERT and value.args[0].type is BOOL:
            return value.args[0]
        return self.builder.emit(Compare(ops.EQ, type, [value, self.builder.const(type, 1)], self.span, self.by))

    def _return(self, statement: Statement) -> None:
        result = self.text.result
        value: Value | None = None
        if result is not VOID:
            value = self._value(statement.args[0], result) if statement.args else self.builder.const(result, 0)
        body = self.builder.body
        self.builder.ret(value, self.span)
        body[-1].by = self.by


_SHAPES: dict[str, Callable[[Elaborator, Statement], None]] = {
    "copy": Elaborator._copy,
    "infix": Elaborator._infix,
    "word": Elaborator._word,
    "element": Elaborator._element,
    "set-element": Elaborator._set_element,
    "length": Elaborator._length,
    "new": Elaborator._new,
    "call": Elaborator._call,
    "call-c": Elaborator._call_c,
    "syscall": Elaborator._syscall,
    "phi": Elaborator._phi,
    "load": Elaborator._load,
    "store": Elaborator._store,
    "check": Elaborator._check,
    "br": Elaborator._branch,
    "return": Elaborator._return,
}
