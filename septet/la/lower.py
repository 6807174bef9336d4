"""LAc: from LA to IR.  Values become words, and the safety of LA becomes check operations.

An int n is the word 2n+1.  Arithmetic is done on words as they are; with w = v|1 for a word v that may be even (what LA
computes with is v>>1, which is w>>1):

    a + b  = wa + wb - 1                 a << n = ((wa - 1) << n) + 1
    a - b  = wa - wb + 1                 a >> n = (wa >> n) | 1
    a * b  = (wa - 1) * (wb >> 1) + 1    a & b  = wa & wb
    a < b  = 2 * (wa < wb) + 1           (n is wn >> 1, of which IR's shifts use the low six bits)

where w - 1 is v & -2 and w >> 1 is v >> 1.  What was computed or checked in a block is known in those it dominates.

A literal that needs all 64 bits takes part as it is in comparisons and on the left of >>; elsewhere its top bit is lost.

An int64 variable surely holds odd words, and an array or tuple variable surely a reference of its own kind or null, if all
that is ever assigned to it is of that sort: `unsure` finds the others.  Those are checked by kind, the sure ones for null.
"""

from __future__ import annotations

from septet.base.descriptors import ARRAY, FUNCTION, TUPLE, descriptor
from septet.base.scopes import Scopes
from septet.base.symbols import FUNCTION as FUNCTION_SYMBOL
from septet.base.symbols import ROUTINE, symbol
from septet.base.types import BOOL, I64, INT64, VOID
from septet.base.types import TUPLE as TUPLE_TYPE
from septet.base.words import encode, fits
from septet.ir import nodes as ir
from septet.ir.ssa import Builder
from septet.la.nodes import Branch
from septet.la.survey import survey, unsure
from septet.ops import table as ops
from septet.ops.statements import (
    Assign,
    Call,
    Declare,
    Jump,
    Label,
    Length,
    Load,
    NewArray,
    NewTuple,
    Operate,
    Return,
    RuntimeCall,
    Statement,
    Store,
    Variable,
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.base.options import Options
    from septet.ir.ssa import OpenBlock
    from septet.la.nodes import Function, Program
    from septet.ops.table import Op

    Operand = Variable | int | str

LONGEST = 1 << 31  # no object has so many elements
_PRINT, _INPUT = symbol(ROUTINE, "print"), symbol(ROUTINE, "input")


def lower_program(program: Program, options: Options) -> ir.Program:
    """The IR program, in the arrays phase, that does what `program` does."""
    functions = {name: lower(function, program, options) for name, function in program.functions.items()}
    return ir.Program(functions, {}, program.source)


def lower(function: Function, program: Program, options: Options) -> ir.Function:
    """The IR function that does what `function`, which is verified, does."""
    return _Lowering(function, program).run()


class _Lowering:
    """Lowers one function."""

    __slots__ = (
        "function", "program", "builder", "const", "read", "unsure", "blocks", "bools", "odds", "raws", "lengths", "checked",
        "scopes", "learned", "parents",
    )  # fmt: skip

    def __init__(self, function: Function, program: Program) -> None:
        self.function = function
        self.program = program
        self.unsure = unsure(function)
        self.blocks: dict[str, OpenBlock] = {}
        self.bools: dict[ir.Value, ir.Value] = {}  # of each encoded comparison, the comparison
        # What is known on every way to here:
        self.odds: dict[ir.Value, ir.Value] = {}  # v|1 of words v that may be even
        self.raws: dict[ir.Value, ir.Value] = {}  # v>>1
        self.lengths: dict[tuple[ir.Value, int], ir.Value] = {}  # of an object's dimension
        self.checked: dict[object, bool] = {}  # what need not be checked again
        self.scopes = Scopes()
        self.learned = self.scopes.learned
        self.parents: dict[str, str] = {}  # of each label that can be reached: what dominates it

    def run(self) -> ir.Function:
        """The IR function."""
        f = self.function
        edges, variables, self.parents = survey(f)
        b = self.builder = Builder(f.name, f.result, f.line, labels=edges)
        self.const, self.read = b.const, b.read
        self.blocks = {name: b.block(name, count) for name, count in edges.items()}
        b.start(b.new_block("entry"))
        self.scopes.enter("", "")
        for parameter in f.parameters:
            b.write(parameter, b.parameter(parameter.name, parameter.type))
        for variable in variables:
            b.write(variable, b.const(variable.type, 1 if variable.type is INT64 else 0))
        lowerings = _LOWERINGS
        for s in f.body:
            lowerings[s.__class__](self, s)
        if not b.ended:
            self.return_(Return(None, 0))
        return b.finish()

    # Operands

    def word(self, operand: Operand) -> ir.Value:
        """The word that an operand is."""
        if isinstance(operand, Variable):
            return self.read(operand)
        if isinstance(operand, int):
            return self.const(INT64, encode(operand))
        return self.builder.address(symbol(FUNCTION_SYMBOL, operand))

    def odd(self, operand: Operand, span: int) -> ir.Value:
        """The word of an operand of arithmetic, made odd."""
        if operand.__class__ is int:
            return self.const(INT64, encode(operand))
        value = self.read(operand)  # type: ignore[arg-type]
        if operand.type is INT64 and operand not in self.unsure:  # type: ignore[union-attr]
            return value
        found = self.odds.get(value)
        if found is None:
            if isinstance(value, ir.Const) and value.number & 1:
                return value
            found = self.odds[value] = ir.Value(ops.OR, INT64, [value, self.const(I64, 1)], span)
            self.builder.body.append(found)
            self.learned.append((self.odds, value))
        return found

    def raw(self, odd: ir.Value, span: int) -> ir.Value:
        """The number that an odd word stands for."""
        if isinstance(odd, ir.Const):
            return self.const(I64, odd.number >> 1)
        found = self.raws.get(odd)
        if found is None:
            found = self.raws[odd] = ir.Value(ops.UNTAG, I64, [odd], span)
            self.builder.body.append(found)
            self.learned.append((self.raws, odd))
        return found

    def number(self, operand: Operand, span: int) -> ir.Value:
        """The number of an operand of arithmetic."""
        if operand.__class__ is int:
            return self.const(I64, encode(operand) >> 1)
        value = self.read(operand)  # type: ignore[arg-type]
        return self.raw(self.odds.get(value, value), span)

    def even(self, operand: Operand, span: int) -> ir.Value:
        """Twice the number of an operand: its word with the lowest bit cleared."""
        if operand.__class__ is int:
            return self.const(I64, encode(operand) - 1)
        value = self.read(operand)  # type: ignore[arg-type]
        if isinstance(value, ir.Const):
            return self.const(I64, value.number & -2)
        odd = value if operand.type is INT64 and operand not in self.unsure else self.odds.get(value)  # type: ignore[union-attr]
        if odd is None:
            return self.emit(ops.AND, value, self.const(I64, -2), span)
        return self.emit(ops.SUB, odd, self.const(I64, 1), span)

    def is_odd(self, variable: Operand) -> bool:
        """Whether a variable's word is odd for certain, or has been made so."""
        sure = variable.type is INT64 and variable not in self.unsure  # type: ignore[union-attr]
        return sure or self.read(variable) in self.odds  # type: ignore[arg-type]

    def emit(self, op: Op, left: ir.Value, right: ir.Value, span: int) -> ir.Value:
        """An operation on plain words."""
        value = ir.Value(op, I64, [left, right], span)
        self.builder.body.append(value)
        return value

    def result(self, target: Variable, op: Op, left: ir.Value, right: ir.Value, span: int) -> None:
        """The operation whose result, an odd word, `target` gets."""
        value = ir.Value(op, INT64, [left, right], span, "", target.name)
        self.builder.body.append(value)
        self.builder.values[target] = value
        if target in self.unsure:
            self.odds[value] = value

    def define(self, target: Variable, value: ir.Value) -> None:
        """Append `value`, which `target` gets."""
        self.builder.body.append(value)
        self.builder.values[target] = value

    # Assignments and arithmetic

    def declare(self, s: Declare) -> None:
        """`type x`."""
        for variable in s.variables:
            self.builder.values[variable] = self.const(variable.type, 1 if variable.type is INT64 else 0)

    def assign(self, s: Assign) -> None:
        """`x <- t`."""
        self.builder.values[s.target] = self.word(s.value)

    def operate(self, s: Operate) -> None:
        """`x <- t op t`."""
        left, right = s.left, s.right
        if left.__class__ is int and right.__class__ is int:
            assert s.op.meaning is not None
            number = int(s.op.meaning(64, left, right))
            self.builder.values[s.target] = self.const(INT64, encode(number))
        else:
            _OPERATIONS[s.op](self, s)

    def add(self, s: Operate) -> None:
        """wa + wb - 1."""
        left, right, span = s.left, s.right, s.span
        if left.__class__ is int or right.__class__ is Variable and not self.is_odd(left):
            left, right = right, left
        wa = self.odd(left, span)
        if right.__class__ is int or not self.is_odd(right):
            self.result(s.target, ops.ADD, wa, self.even(right, span), span)
        else:
            total = self.emit(ops.ADD, wa, self.odd(right, span), span)
            self.result(s.target, ops.SUB, total, self.const(I64, 1), span)

    def sub(self, s: Operate) -> None:
        """wa - wb + 1."""
        left, right, span = s.left, s.right, s.span
        if right.__class__ is int:
            two = self.const(I64, encode(right) - 1)
            self.result(s.target, ops.SUB, self.odd(left, span), two, span)
        elif left.__class__ is int:
            two = self.const(I64, I64.wrap(encode(left) + 1))
            self.result(s.target, ops.SUB, two, self.odd(right, span), span)
        else:
            difference = self.emit(ops.SUB, self.odd(left, span), self.odd(right, span), span)
            self.result(s.target, ops.ADD, difference, self.const(I64, 1), span)

    def mul(self, s: Operate) -> None:
        """(wa - 1) * (wb >> 1) + 1."""
        left, right, span = s.left, s.right, s.span
        if left.__class__ is int:
            left, right = right, left
        twice = self.even(left, span)
        product = self.emit(ops.MUL, twice, self.number(right, span), span)
        self.result(s.target, ops.ADD, product, self.const(I64, 1), span)

    def and_(self, s: Operate) -> None:
        """wa & wb."""
        left, right = s.left, s.right
        if left.__class__ is int:
            left, right = right, left
        self.result(s.target, ops.AND, self.odd(left, s.span), self.odd(right, s.span), s.span)

    def shl(self, s: Operate) -> None:
        """((wa - 1) << n) + 1."""
        twice = self.even(s.left, s.span)
        shifted = self.emit(ops.SHL, twice, self.count(s.right, s.span), s.span)
        self.result(s.target, ops.ADD, shifted, self.const(I64, 1), s.span)

    def shr(self, s: Operate) -> None:
        """(wa >> n) | 1."""
        if s.left.__class__ is int and not fits(s.left, 63):
            number = self.emit(ops.SHR, self.const(I64, s.left), self.count(s.right, s.span), s.span)
            self.result(s.target, ops.ADD, self.emit(ops.ADD, number, number, s.span), self.const(I64, 1), s.span)
            return
        wa = self.odd(s.left, s.span)
        shifted = self.emit(ops.SHR, wa, self.count(s.right, s.span), s.span)
        self.result(s.target, ops.OR, shifted, self.const(I64, 1), s.span)

    def count(self, operand: Operand, span: int) -> ir.Value:
        """How far to shift."""
        if operand.__class__ is int:
            return self.const(I64, operand & 63)
        return self.number(operand, span)

    def compare(self, s: Operate) -> None:
        """2 * (wa < wb) + 1."""
        span, target = s.span, s.target
        on, args = INT64, [self.odd(s.left, span), self.odd(s.right, span)]
        for at, operand in enumerate((s.left, s.right)):
            if operand.__class__ is int and not fits(operand, 63):
                on, args = I64, [self.raw(args[0], span), self.raw(args[1], span)]
                args[at] = self.const(I64, operand)
        b = self.builder
        compared = ir.Compare(s.op, on, args, span)
        number = ir.Value(ops.CONVERT, I64, [compared], span)
        value = b.values[target] = ir.Value(ops.TAG, INT64, [number], span, "", target.name)
        b.body += (compared, number, value)
        self.bools[value] = compared
        if target in self.unsure:
            self.odds[value] = value

    # Arrays and tuples

    def check(self, what: object) -> None:
        """Note that `what` is checked here."""
        self.checked[what] = True
        self.learned.append((self.checked, what))

    def reference(self, base: Variable, span: int) -> ir.Value:
        """The array or tuple that `base` holds, checked to be one of its type."""
        value = self.read(base)
        if value in self.checked or value.op is ops.NEW_ARRAY or value.op is ops.NEW_TUPLE:
            return value
        self.check(value)
        if base in self.unsure:
            wanted = descriptor(ARRAY, base.type.rank) if base.type.rank else descriptor(TUPLE)
            self.builder.body.append(ir.Check(ops.CHECK_KIND, [value], wanted, span))
        else:
            self.builder.body.append(ir.Check(ops.CHECK_NULL, [value], 0, span))
        return value

    def size(self, base: ir.Value, dimension: int, span: int) -> ir.Value:
        """The encoded length of a dimension of an array, of a tuple where that is -1."""
        if base.op is ops.NEW_ARRAY or base.op is ops.NEW_TUPLE:
            return base.args[max(dimension, 0)]
        key = (base, dimension)
        found = self.lengths.get(key)
        if found is None:
            found = self.lengths[key] = ir.Length(INT64, [base], dimension, span)
            self.builder.body.append(found)
            self.learned.append((self.lengths, key))
        return found

    def element(self, base: Variable, indices: list[Operand], span: int) -> list[ir.Value]:
        """The operands that name an element: the object and raw indices, all checked."""
        value = self.reference(base, span)
        args = [value]
        rank = base.type.rank
        for dimension, index in enumerate(indices):
            odd = self.odd(index, span)
            size = self.size(value, dimension if rank else -1, span)
            key = (odd, size)
            if key not in self.checked:
                self.check(key)
                detail = dimension if rank > 1 else ir.OF_ARRAY if rank else ir.OF_TUPLE
                self.builder.body.append(ir.Check(ops.CHECK_INDEX, [odd, size], detail, span))
            args.append(self.raw(odd, span))
        return args

    def load(self, s: Load) -> None:
        """`x <- a[t]...`."""
        args = self.element(s.base, s.indices, s.span)
        self.define(s.target, ir.Value(ops.ELEMENT, s.target.type, args, s.span, "", s.target.name))

    def store(self, s: Store) -> None:
        """`a[t]... <- t`."""
        args = self.element(s.base, s.indices, s.span)
        args.append(self.word(s.value))
        self.builder.body.append(ir.Value(ops.SET_ELEMENT, VOID, args, s.span))

    def length(self, s: Length) -> None:
        """`x <- length a t?`."""
        span, dimension, rank = s.span, s.dimension, s.base.type.rank
        base = self.reference(s.base, span)
        if dimension is None:
            self.builder.values[s.target] = self.size(base, -1, span)
        elif isinstance(dimension, int):
            known = self.size(base, dimension, span) if dimension < rank else self.const(INT64, 1)
            self.builder.values[s.target] = known
        else:
            odd = self.odd(dimension, span)
            limit = self.const(INT64, encode(rank))
            self.builder.body.append(ir.Check(ops.CHECK_INDEX, [odd, limit], ir.OF_DIMENSIONS, span))
            self.define(s.target, ir.Length(INT64, [base, self.raw(odd, span)], 0, span))

    def checked_size(self, size: ir.Value, span: int) -> ir.Value:
        """`size`, an encoded number of elements, checked to be one."""
        fits = isinstance(size, ir.Const) and 0 <= size.number >> 1 < LONGEST
        if not fits and (ops.CHECK_LENGTH, size) not in self.checked:
            self.check((ops.CHECK_LENGTH, size))
            self.builder.body.append(ir.Check(ops.CHECK_LENGTH, [size], 0, span))
        return size

    def new_array(self, s: NewArray) -> None:
        """`x <- new Array(t, ...)`: every size is checked, then the products of the first two, three, ... but not of all."""
        span = s.span
        sizes = [self.checked_size(self.odd(size, span), span) for size in s.sizes]
        if len(sizes) > 2:
            product = self.raw(sizes[0], span)
            for size in sizes[1:-1]:
                product = self.emit(ops.MUL, product, self.raw(size, span), span)
                encoded = ir.Value(ops.TAG, INT64, [product], span)
                self.builder.body.append(encoded)
                self.checked_size(encoded, span)
        self.define(s.target, ir.Value(ops.NEW_ARRAY, s.target.type, sizes, span, "", s.target.name))

    def new_tuple(self, s: NewTuple) -> None:
        """`x <- new Tuple(t)`."""
        size = self.checked_size(self.odd(s.size, s.span), s.span)
        self.define(s.target, ir.Value(ops.NEW_TUPLE, TUPLE_TYPE, [size], s.span, "", s.target.name))

    # Calls and control

    def call(self, s: Call) -> None:
        """`f(...)`, `x <- f(...)`."""
        args = [self.word(arg) for arg in s.args]
        target = s.target
        type, name = (target.type, target.name) if target else (VOID, "")
        if isinstance(s.callee, Variable):
            callee = self.read(s.callee)
            key = (callee, len(args))
            if key not in self.checked:
                self.check(key)
                wanted = descriptor(FUNCTION, len(args))
                self.builder.body.append(ir.Check(ops.CHECK_KIND, [callee], wanted, s.span))
            made = ir.Call(ops.CALL_INDIRECT, type, None, [callee, *args], s.span, "", name)
        else:
            function = self.program.functions[s.callee]
            for missing in function.parameters[len(args) :]:
                args.append(self.const(missing.type, 1 if missing.type is INT64 else 0))
            if target and function.result is VOID:
                self.builder.values[target] = self.const(type, 0)
                target, type = None, VOID
            made = ir.Call(ops.CALL, type, symbol(FUNCTION_SYMBOL, s.callee), args, s.span, "", name)
        self.builder.body.append(made)
        if target:
            self.builder.values[target] = made

    def runtime_call(self, s: RuntimeCall) -> None:
        """`print(t)`, `x <- input()`."""
        routine = _PRINT if s.name == "print" else _INPUT
        args = [self.word(arg) for arg in s.args]
        if s.target:
            made = ir.Call(ops.CALL, INT64, routine, args, s.span, "", s.target.name)
            self.define(s.target, made)
            self.odds[made] = made
        else:
            self.builder.body.append(ir.Call(ops.CALL, VOID, routine, args, s.span))

    def label(self, s: Label) -> None:
        """`:name`."""
        block = self.blocks[s.name]
        self.builder.jump(block, s.span)
        self.builder.start(block)
        self.scopes.enter(s.name, self.parents.get(s.name, -1))

    def jump(self, s: Jump) -> None:
        """`br :label`."""
        self.builder.jump(self.blocks[s.label], s.span)
        self.scopes.close()

    def branch(self, s: Branch) -> None:
        """`br t :then :other`."""
        condition = s.condition
        if isinstance(condition, int):
            test: ir.Value | None = self.const(BOOL, int(condition == 1))
        else:
            test = self.bools.get(self.word(condition))
        if test is None:
            test = ir.Compare(ops.EQ, INT64, [self.odd(condition, s.span), self.const(INT64, 3)], s.span)
            self.builder.body.append(test)
        self.builder.branch(test, self.blocks[s.then], self.blocks[s.other], s.span)
        self.scopes.close()

    def return_(self, s: Return) -> None:
        """`return t?`; without a value the result is the word 0."""
        result = self.function.result
        if result is VOID:
            self.builder.ret(None, s.span)
        else:
            self.builder.ret(self.const(result, 0) if s.value is None else self.word(s.value), s.span)
        self.scopes.close()


_LOWERINGS: dict[type[Statement], Callable[[_Lowering, Any], None]] = {
    Declare: _Lowering.declare,
    Assign: _Lowering.assign,
    Operate: _Lowering.operate,
    Load: _Lowering.load,
    Store: _Lowering.store,
    Length: _Lowering.length,
    Call: _Lowering.call,
    RuntimeCall: _Lowering.runtime_call,
    NewArray: _Lowering.new_array,
    NewTuple: _Lowering.new_tuple,
    Label: _Lowering.label,
    Jump: _Lowering.jump,
    Branch: _Lowering.branch,
    Return: _Lowering.return_,
}

_OPERATIONS: dict[Op, Callable[[_Lowering, Operate], None]] = {
    ops.ADD: _Lowering.add,
    ops.SUB: _Lowering.sub,
    ops.MUL: _Lowering.mul,
    ops.AND: _Lowering.and_,
    ops.SHL: _Lowering.shl,
    ops.SHR: _Lowering.shr,
    **dict.fromkeys((ops.LT, ops.LE, ops.EQ, ops.GE, ops.GT), _Lowering.compare),
}
