"""LBc: from LB to LA.  Scopes vanish, so variables that share a name with another one are renamed; `if`, `while`, `goto`,
`continue` and `break` become labels and branches; declarations declare one variable each.

    while (i < n) :body :done    =>    :while
                                       int64 c
                                       c <- i < n
                                       br c :body :done

Statements that mean the same in both languages and name no renamed variable are shared with the LB program.
"""

from __future__ import annotations

from septet.base.names import Fresh
from septet.base.types import INT64
from septet.la.nodes import Branch
from septet.la.nodes import Function as LaFunction
from septet.la.nodes import Program as LaProgram
from septet.lb.loops import flattened, loops
from septet.lb.nodes import Break, Continue, If, While
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
    from septet.lb.nodes import Function, Program

    Operand = Variable | int | str


def lower_program(program: Program, options: Options) -> LaProgram:
    """The LA program that does what `program` does."""
    return LaProgram({name: lower(function, program, options) for name, function in program.functions.items()}, program.source)


def lower(function: Function, program: Program, options: Options) -> LaFunction:
    """The LA function that does what `function`, which is verified, does."""
    return _Lowering(function).run()


class _Lowering:
    """Lowers one function."""

    __slots__ = ("function", "body", "add", "statements", "loops", "heads", "renamed", "fresh", "fresh_label")

    def __init__(self, function: Function) -> None:
        self.function = function
        self.body: list[Statement] = []
        self.add = self.body.append
        self.statements = list(flattened(function.body))
        self.loops: dict[Statement, While] = {}
        self.heads: dict[While, str] = {}  # the label in front of a `while`
        self.renamed: dict[Variable | int | str | None, Variable] = {}
        self.fresh = Fresh()
        self.fresh_label = Fresh()

    def run(self) -> LaFunction:
        """The LA function."""
        self.survey()
        handlers = _RENAMING if self.renamed else _SHARING
        add = self.add
        for statement in self.statements:
            handler = handlers.get(statement.__class__)
            if handler is None:
                add(statement)
            else:
                handler(self, statement)
        f = self.function
        parameters = [self.renamed.get(p, p) for p in f.parameters]
        return LaFunction(f.name, f.result, parameters, self.body, f.line, f.column)

    def survey(self) -> None:
        """Find the names in use, and new ones for the variables that need them and for the `while`s."""
        variables = list(self.function.parameters)
        labels: list[str] = []
        whiles: list[While] = []
        functions: dict[str, None] = {}
        leaves = False
        for s in self.statements:
            kind = s.__class__
            if kind is Declare:
                variables += s.variables  # type: ignore[attr-defined]
            elif kind is Label:
                labels.append(s.name)  # type: ignore[attr-defined]
            elif kind is While:
                whiles.append(s)  # type: ignore[arg-type]
            elif kind is Continue or kind is Break:
                leaves = True
            elif kind in _NAMING:
                _NAMING[kind](s, functions)
        taken = set(functions)
        for variable in variables:
            if variable.name in taken:
                self.renamed[variable] = variable  # for now
            else:
                taken.add(variable.name)
        taken |= {"print", "input"}
        self.fresh.taken = taken
        for variable in self.renamed.values():
            self.renamed[variable] = Variable(self.fresh(variable.name), variable.type, variable.span)
        self.fresh_label.taken = set(labels)
        if leaves:
            self.loops = loops(self.function)
        for s in whiles:
            self.heads[s] = self.fresh_label("while")

    # Statements that LA has not

    def conditional(self, s: If) -> None:
        """`if` and `while`."""
        place = s.span
        if s.__class__ is While:
            self.add(Label(self.heads[s], place))
        condition = Variable(self.fresh("c"), INT64, place)
        self.add(Declare([condition], place))
        get = self.renamed.get
        self.add(Operate(condition, s.op, get(s.left, s.left), get(s.right, s.right), place))
        self.add(Branch(condition, s.then, s.other, place))

    def continue_(self, s: Continue) -> None:
        """`continue`."""
        self.add(Jump(self.heads[self.loops[s]], s.span))

    def break_(self, s: Break) -> None:
        """`break`."""
        self.add(Jump(self.loops[s].other, s.span))

    def declare(self, s: Declare) -> None:
        """`type a, b`."""
        if len(s.variables) == 1 and s.variables[0] not in self.renamed:
            self.add(s)
            return
        get = self.renamed.get
        for variable in s.variables:
            self.add(Declare([get(variable, variable)], s.span))

    # Statements that name a renamed variable

    def operand(self, operand: Operand) -> Operand:
        """What stands for `operand`."""
        return self.renamed.get(operand, operand)

    def variable(self, variable: Variable) -> Variable:
        """What stands for `variable`."""
        return self.renamed.get(variable, variable)

    def target(self, variable: Variable | None) -> Variable | None:
        """What stands for the target of a call."""
        return self.renamed.get(variable, variable)

    def operands(self, operands: list[Operand]) -> list[Operand]:
        """What stands for `operands`; the list itself if nothing changes."""
        renamed = self.renamed
        for operand in operands:
            if operand in renamed:
                return [renamed.get(o, o) for o in operands]
        return operands

    def assign(self, s: Assign) -> None:
        """`x <- t`."""
        changed = s.target in self.renamed or s.value in self.renamed
        self.add(Assign(self.variable(s.target), self.operand(s.value), s.span) if changed else s)

    def operate(self, s: Operate) -> None:
        """`x <- t op t`."""
        renamed = self.renamed
        if s.target in renamed or s.left in renamed or s.right in renamed:
            s = Operate(self.variable(s.target), s.op, self.operand(s.left), self.operand(s.right), s.span)
        self.add(s)

    def load(self, s: Load) -> None:
        """`x <- a[t]...`."""
        indices = self.operands(s.indices)
        changed = indices is not s.indices or s.target in self.renamed or s.base in self.renamed
        self.add(Load(self.variable(s.target), self.variable(s.base), indices, s.span) if changed else s)

    def store(self, s: Store) -> None:
        """`a[t]... <- t`."""
        indices = self.operands(s.indices)
        changed = indices is not s.indices or s.base in self.renamed or s.value in self.renamed
        self.add(Store(self.variable(s.base), indices, self.operand(s.value), s.span) if changed else s)

    def length(self, s: Length) -> None:
        """`x <- length a t?`."""
        renamed = self.renamed
        if s.target in renamed or s.base in renamed or s.dimension in renamed:
            dimension = None if s.dimension is None else self.operand(s.dimension)
            s = Length(self.variable(s.target), self.variable(s.base), dimension, s.span)
        self.add(s)

    def call(self, s: Call) -> None:
        """`f(...)`."""
        args = self.operands(s.args)
        if args is not s.args or s.target in self.renamed or s.callee in self.renamed:
            s = Call(self.target(s.target), self.renamed.get(s.callee, s.callee), args, s.span)
        self.add(s)

    def runtime_call(self, s: RuntimeCall) -> None:
        """`print(t)`, `x <- input()`."""
        args = self.operands(s.args)
        if args is not s.args or s.target in self.renamed:
            s = RuntimeCall(self.target(s.target), s.name, args, s.span)
        self.add(s)

    def new_array(self, s: NewArray) -> None:
        """`x <- new Array(...)`."""
        sizes = self.operands(s.sizes)
        changed = sizes is not s.sizes or s.target in self.renamed
        self.add(NewArray(self.variable(s.target), sizes, s.span) if changed else s)

    def new_tuple(self, s: NewTuple) -> None:
        """`x <- new Tuple(t)`."""
        changed = s.target in self.renamed or s.size in self.renamed
        self.add(NewTuple(self.variable(s.target), self.operand(s.size), s.span) if changed else s)

    def return_(self, s: Return) -> None:
        """`return t?`."""
        self.add(Return(self.renamed[s.value], s.span) if s.value in self.renamed else s)


_SHARING: dict[type[Statement], Callable[[_Lowering, Any], None]] = {
    Declare: _Lowering.declare,
    If: _Lowering.conditional,
    While: _Lowering.conditional,
    Continue: _Lowering.continue_,
    Break: _Lowering.break_,
}
"""What is done to the statements of a function in which no variable is renamed; others are shared."""

_RENAMING: dict[type[Statement], Callable[[_Lowering, Any], None]] = {
    **_SHARING,
    Assign: _Lowering.assign,
    Operate: _Lowering.operate,
    Load: _Lowering.load,
    Store: _Lowering.store,
    Length: _Lowering.length,
    Call: _Lowering.call,
    RuntimeCall: _Lowering.runtime_call,
    NewArray: _Lowering.new_array,
    NewTuple: _Lowering.new_tuple,
    Return: _Lowering.return_,
}
"""What is done where some variable is renamed."""


def _note(operands: list[Operand], names: dict[str, None]) -> None:
    for operand in operands:
        if operand.__class__ is str:
            names[operand] = None


def _name_assign(s: Assign, names: dict[str, None]) -> None:
    if s.value.__class__ is str:
        names[s.value] = None


def _name_store(s: Store, names: dict[str, None]) -> None:
    if s.value.__class__ is str:
        names[s.value] = None


def _name_call(s: Call, names: dict[str, None]) -> None:
    _note(s.args, names)
    if s.callee.__class__ is str:
        names[s.callee] = None


def _name_runtime_call(s: RuntimeCall, names: dict[str, None]) -> None:
    _note(s.args, names)


def _name_return(s: Return, names: dict[str, None]) -> None:
    if s.value.__class__ is str:
        names[s.value] = None


_NAMING: dict[type[Statement], Callable[[Any, dict[str, None]], None]] = {
    Assign: _name_assign,
    Store: _name_store,
    Call: _name_call,
    RuntimeCall: _name_runtime_call,
    Return: _name_return,
}
"""Where the statements that may name functions as values or callees put those names."""
