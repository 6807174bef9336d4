"""What a well-formed IR program is, one line an invariant, with the check that holds it.

* `problems`: there is a function `main`, and it has no parameters.
* `_shape`: a function has blocks with names of their own; a block ends with its only terminator; phis stand in `phis` alone, in
  the body nothing that belongs nowhere (constants, parameters, copies); a value stands once.
* `_flow`: branches lead to blocks of the function, a conditional one to two different ones; the entry has no predecessors and
  no phis; every block can be reached.
* `_phi`: a phi has one operand for each predecessor of its block, of its type.
* `_operands`: an operand is a constant, an address, a parameter, or a value whose definition dominates the use.
* `_constant`: a constant is one of the numbers of its type; `_address`, `_line`: a function or data that is named exists.
* `_operation`: an opcode has the operands its row says, of types that its signature allows: equal letters accept each other.
* `_access` (phase arrays): an array of k dimensions is accessed with k indices, a tuple with one; all are words.
* `_length`, `_new` (phase arrays): of an array, a dimension that it has; of a tuple, none; a new array is of its rank.
* `_phase`: in phase words there are no array operations: loads, stores and calls of `allocate` stand for them.
* `_memory`: an address is a word; what is stored is of the type in memory; what is stored in class `length` or `descriptor`
  goes into an object that `allocate` made in the same block, for it never changes afterwards.
* `call`: a function gets as many arguments as it has parameters, of their types; a routine, words; the result is of the
  function's type, or dropped; a function without result gives the word 0.
* `_convert`: between integers, words and floats, or vectors of equally many; a bitcast keeps the width.
* `_lanes`: what takes vectors apart or puts them together is of their lanes' type; a lane is named by a constant that has it.
* `call_c`: what is called by C's convention is an address: of a function that is declared, or of convention C, with operands
  as it says, or any; these and the result are words, integers and floats.
* `convention`: parameters and result of a function of convention C are integers and floats.
* `vectors_first`: of the floats and vectors among the parameters, or arguments, no vector comes after eight others.
* `_branch`: what decides a branch is a bool.  `_return`: what is returned is of the function's result type.
* `_value_type`: values are words, integers, floats, and vectors of 64 to 512 bits.
"""

from __future__ import annotations

from septet.base import types
from septet.base.diagnostics import Diagnostic, did_you_mean
from septet.base.source import locate
from septet.base.symbols import FUNCTION
from septet.base.types import BOOL, FLOAT, I64, INT, INTEGERS, TUPLE, U8, U64, VALUE, VECTOR, VOID, truth, vector
from septet.ir import nodes as ir
from septet.ir.analyses.dominators import Dominators
from septet.ir.verify_calls import CallChecker, spelled
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from septet.base.symbols import Line
    from septet.base.types import Type

    Found = Iterator[Diagnostic]

_ARRAYS = (ops.ELEMENT, ops.SET_ELEMENT, ops.LENGTH, ops.NEW_ARRAY, ops.NEW_TUPLE)
_NOWHERE = (ops.CONST, ops.PARAM, ops.SYMBOL_ADDRESS, ops.COPY, ops.LABEL, ops.ROOTS, ops.PHI)  # stand in no body
_CLASSES: dict[ops.Op, type] = {
    ops.LOAD: ir.Memory,
    ops.STORE: ir.Memory,
    ops.LENGTH: ir.Length,
    ops.CALL: ir.Call,
    ops.CALL_INDIRECT: ir.Call,
    ops.BR: ir.Branch,
    ops.BR_IF: ir.Branch,
    **{op: ir.Check for op in ops.OPS if op.check},
    **{op: ir.Compare for op in ops.OPS if op.compares},
}


def problems(program: ir.Program) -> Found:
    """Everything that is wrong with a program."""
    main = program.functions.get("main")
    if main is None:
        yield Diagnostic("the program has no function '@main'", None, did_you_mean("main", program.functions))
    elif main.parameters:
        yield Diagnostic("'@main' has parameters, but nobody calls it with any", locate(program.source, main.line, 1))
    for function in program.functions.values():
        yield from function_problems(function, program)


def function_problems(function: ir.Function, program: ir.Program) -> Found:
    """Everything that is wrong with one function of `program`."""
    return _Checker(function, program).problems()


_ALLOWED = {"I": (INT, VALUE), "F": (FLOAT,), "A": (INT, VALUE, FLOAT)}  # kinds of types, or of vectors' lanes


def _names_lanes(arg: ir.Value, made: Type, whole: Type) -> bool:
    """Whether `arg` is as many constant lanes as `made` has, each of one of two vectors `whole`."""
    if not isinstance(arg, ir.Const) or arg.type is not vector(U8, made.lanes):
        return False
    return all(lane < 2 * whole.lanes for lane in arg.number.to_bytes(made.lanes, "little"))


class _Checker(CallChecker):
    """Checks one function."""

    def __init__(self, function: ir.Function, program: ir.Program) -> None:
        super().__init__(function, program)
        self.homes: dict[ir.Value, tuple[ir.Block | None, int]] = dict.fromkeys(function.parameters, (None, 0))
        self.dominators: Dominators | None = None
        self.before: dict[ir.Block, list[ir.Block]] = {}

    def problems(self) -> Found:
        """Everything that is wrong with the function; about values only where blocks are in order."""
        bad = False
        for check in (self._shape, self._flow):
            for diagnostic in check():
                bad = True
                yield diagnostic
            if bad:
                return
        self.dominators = Dominators(self.function)
        yield from self.vectors_first(None, self.function.parameters)
        yield from self.convention()
        for value in self.function.parameters:
            yield from self._value_type(value)
        for block in self.function.blocks:
            for phi in block.phis:
                yield from self._phi(block, phi)
                yield from self._value_type(phi)
            for position, value in enumerate(block.body):
                yield from self._operands(block, position, value)
                yield from self._phase(value)
                yield from self._value_type(value)
                yield from _CHECKS.get(value.op, _Checker._operation)(self, value)

    # Blocks.

    def _shape(self) -> Found:
        function = self.function
        names: set[str] = set()
        if not function.blocks:
            yield Diagnostic(f"function '@{function.name}' has no blocks")
        for block in function.blocks:
            if block.name in names:
                yield Diagnostic(f"in '@{function.name}', two blocks are called ':{block.name}'")
            names.add(block.name)
            if not block.body or not block.body[-1].op.ends:
                yield Diagnostic(f"in '@{function.name}', block ':{block.name}' does not end with 'br' or 'return'")
            for position, value in enumerate([*block.phis, *block.body]):
                if value in self.homes:
                    yield self.wrong(value, f"a value of '{value.op}' stands twice")
                self.homes[value] = (block, position - len(block.phis))
                is_phi = value.op is ops.PHI and isinstance(value, ir.Phi)
                if is_phi != (position < len(block.phis)) or not is_phi and value.op in _NOWHERE:
                    yield self.wrong(value, f"a '{value.op}' stands where none may be")
                elif value.op.ends and value is not block.body[-1]:
                    yield self.wrong(value, f"'{value.op}' ends block ':{block.name}' before its end")
                elif not is_phi and type(value) is not _CLASSES.get(value.op, ir.Value):
                    yield self.wrong(value, f"'{value.op}' is a {type(value).__name__}")

    def _flow(self) -> Found:
        function = self.function
        blocks = set(function.blocks)
        self.before = {block: [] for block in function.blocks}
        for block in function.blocks:
            last = block.body[-1]
            targets = block.successors
            if isinstance(last, ir.Branch) and len(targets) != (2 if last.op is ops.BR_IF else 1):
                yield self.wrong(last, f"'{last.op}' has {len(targets)} targets")
            elif len(targets) == 2 and targets[0] is targets[1]:
                yield self.wrong(last, f"both targets of a branch are ':{targets[0].name}'", "that is a jump")
            for target in targets:
                if target not in blocks:
                    yield self.wrong(last, f"':{target.name}' is no block of this function")
                else:
                    self.before[target].append(block)
        entry = function.blocks[0]
        if self.before[entry] or entry.phis:
            yield Diagnostic(f"in '@{function.name}', the entry ':{entry.name}' has predecessors or phis")
        reached = {entry}
        todo = [entry]
        while todo:
            for target in todo.pop().successors:
                if target in blocks and target not in reached:
                    reached.add(target)
                    todo.append(target)
        for block in function.blocks:
            if block not in reached:
                yield Diagnostic(f"in '@{function.name}', nothing leads to block ':{block.name}'")

    # Operands.

    def _phi(self, block: ir.Block, phi: ir.Phi) -> Found:
        if sorted(map(id, phi.blocks)) != sorted(map(id, self.before[block])) or len(phi.args) != len(phi.blocks):
            has = ", ".join(f":{b.name}" for b in phi.blocks) or "none"
            wants = ", ".join(f":{b.name}" for b in self.before[block])
            yield self.wrong(phi, f"'%{phi.name}' chooses between {has}, but the predecessors are {wants}")
            return
        for arg, origin in zip(phi.args, phi.blocks, strict=True):
            yield from self._operand(phi, arg, origin, len(origin.body))
            yield from self.accepts(phi, phi.type, arg)

    def _operands(self, block: ir.Block, position: int, value: ir.Value) -> Found:
        for arg in value.args:
            yield from self._operand(value, arg, block, position)

    def _operand(self, user: ir.Value, arg: ir.Value, block: ir.Block, position: int) -> Found:
        if isinstance(arg, ir.Const):
            yield from self._constant(user, arg)
        elif isinstance(arg, ir.Address):
            yield from self._address(user, arg)
        elif isinstance(arg, ir.Line):
            yield from self._line(user, arg.line)
        elif arg not in self.homes:
            yield self.wrong(user, f"'{user.op}' has an operand '%{arg.name}' that stands nowhere")
        else:
            home, place = self.homes[arg]
            assert self.dominators is not None
            if home is not None and not (place < position if home is block else self.dominators.dominates(home, block)):
                yield self.wrong(user, f"'{user.op}' is not dominated by its operand '%{arg.name}'")

    def _constant(self, user: ir.Value, arg: ir.Const) -> Found:
        if not arg.type.low <= arg.number <= arg.type.high and not (
            arg.type.kind == FLOAT and 0 <= arg.number < 1 << arg.type.bits
        ):
            yield self.wrong(user, f"{arg.number} is no number of type {arg.type}")

    def _address(self, user: ir.Value, arg: ir.Address) -> Found:
        known = self.program.functions if arg.symbol.kind == FUNCTION else self.program.data
        if arg.symbol.name not in known:
            hint = did_you_mean(arg.symbol.name, known)
            message = f"in '@{self.function.name}', there is no function or data '{arg.symbol}'"
            yield Diagnostic(message, self.at(user, repr(arg.symbol)[1:]), hint)

    def _line(self, user: ir.Value, line: Line) -> Found:
        name = line.function
        if name and name not in self.program.functions:
            message = f"in '@{self.function.name}', there is no function '@{name}' with a line {line.line}"
            yield Diagnostic(message, self.at(user, name), did_you_mean(name, self.program.functions))

    def _value_type(self, value: ir.Value) -> Found:
        type = value.type
        bad = (
            not types.LEAST_VECTOR <= type.bits <= types.MOST_VECTOR
            if type.kind == VECTOR
            else type is VOID and value.op is ops.PARAM
        )
        if bad:
            yield self.wrong(value, f"'%{value.name}' is {value.type}, which no value can be")

    def _phase(self, value: ir.Value) -> Found:
        if self.function.phase == ir.WORDS and value.op in _ARRAYS:
            yield self.wrong(value, f"'{value.op}' stands in a function of phase words")

    # Operations.

    def _operation(self, value: ir.Value) -> Found:
        op = value.op
        if len(value.args) != len(op.operands):
            yield from self.counted(value, len(op.operands))
            return
        type = value.on if isinstance(value, ir.Compare) else value.type
        if op.check:
            yield from self._check(value)
            return
        for letter, arg in zip(op.operands, value.args, strict=True):
            if letter == "C":
                if arg.type is not BOOL and (type.kind != VECTOR or arg.type is not truth(type)):
                    yield self.wrong(value, f"'{op}' of {type} does not go by {arg.type}")
            elif type.element.kind not in _ALLOWED[letter]:
                yield self.wrong(value, f"there is no '{op}' on {type}")
                return
            else:
                yield from self.accepts(value, type, arg)
        if op.compares and value.type is not truth(type):
            yield self.wrong(value, f"'{op}' gives {truth(type)}, not {value.type}")

    def _check(self, value: ir.Value) -> Found:
        assert isinstance(value, ir.Check)
        op = value.op
        if value.line is not None and not isinstance(value.line, int):
            yield from self._line(value, value.line)
        if op is ops.CHECK_CONVERT and not 0 <= value.detail < len(INTEGERS):
            yield self.wrong(value, f"'{op}' names no integer type")
        for arg in value.args:
            if op is ops.CHECK_CONVERT:
                right = arg.type.kind in (INT, VALUE, FLOAT)
            elif op is ops.CHECK_DIVISOR:
                right = arg.type.element.kind in (INT, VALUE)
            else:
                right = arg.type.is_word
            if not right:
                yield self.wrong(value, f"'{op}' is not of {arg.type}, as {spelled(arg)} is")

    def _lanes(self, value: ir.Value) -> Found:
        op, args = value.op, value.args
        if len(args) != len(op.operands):
            yield from self.counted(value, len(op.operands))
            return
        whole = args[0].type if op.inward else value.type
        results = {"V": whole, "E": whole.element, "IE": whole.element, "FE": whole.element, "u64": U64, "W": value.type}
        allowed = (FLOAT,) if op.result == "FE" else (INT,) if op.result == "IE" else (INT, FLOAT)
        right = whole.kind == VECTOR and whole.element.kind in allowed and value.type is results[op.result]
        if not right or op is ops.SHUFFLE and (value.type.kind != VECTOR or value.type.element is not whole.element):
            yield self.wrong(value, f"there is no '{op}' on {whole} that gives {value.type}")
            return
        for letter, arg in zip(op.operands, args, strict=True):
            if letter == "K" and not (isinstance(arg, ir.Const) and arg.type is I64 and 0 <= arg.number < whole.lanes):
                yield self.wrong(value, f"'{op}' names no lane of {whole}")
            elif letter == "L" and not _names_lanes(arg, value.type, whole):
                yield self.wrong(value, f"'{op}' does not name {value.type.lanes} lanes of two {whole}")
            elif letter in "VE":
                yield from self.accepts(value, whole if letter == "V" else whole.element, arg)

    def _access(self, value: ir.Value) -> Found:
        count = len(value.args) - (1 if value.op is ops.ELEMENT else 2)
        base = value.args[0].type if value.args else VOID
        rank = 1 if base is TUPLE else base.rank
        if not rank or count != rank:
            what = f"{base} is accessed with {count} indices" if rank else f"{base} is no array and no tuple"
            yield self.wrong(value, what)
        for arg in value.args:
            yield from self.word(value, arg)
        if value.op is ops.ELEMENT and not value.type.is_word:
            yield self.wrong(value, f"an element is a word, not {value.type}")

    def _length(self, value: ir.Value) -> Found:
        assert isinstance(value, ir.Length)
        if not 1 <= len(value.args) <= 2:
            yield from self.counted(value, 1)
            return
        base = value.args[0].type
        if base is TUPLE:
            right = value.dimension < 0 and len(value.args) == 1
        else:
            right = base.rank > 0 and (len(value.args) == 2 or 0 <= value.dimension < base.rank)
        if not right:
            which = f"dimension {value.dimension}" if value.dimension >= 0 else "no dimension"
            yield self.wrong(value, f"'length' of {which} of something of type {base}")
        for arg in value.args:
            yield from self.word(value, arg)
        yield from self.result_word(value)

    def _new(self, value: ir.Value) -> Found:
        count = len(value.args)
        if value.op is ops.NEW_TUPLE and count != 1 or count < 1:
            yield from self.counted(value, 1)
        if value.op is ops.NEW_ARRAY and value.type.rank != count:
            yield self.wrong(value, f"a new array of {count} dimensions is not of type {value.type}")
        for arg in value.args:
            yield from self.word(value, arg)
        yield from self.result_word(value)

    def _memory(self, value: ir.Value) -> Found:
        assert isinstance(value, ir.Memory)
        count = 1 if value.op is ops.LOAD else 2
        if len(value.args) != count:
            yield from self.counted(value, count)
            return
        yield from self.word(value, value.args[0])
        if value.op is ops.STORE:
            yield from self.accepts(value, value.on, value.args[1])
            yield from self._fresh(value)
        elif value.type is not value.on:
            yield self.wrong(value, f"a load of {value.on} gives no {value.type}")

    def _fresh(self, value: ir.Memory) -> Found:
        base = value.args[0]
        if value.alias in ("length", "descriptor"):
            makes = isinstance(base, ir.Call) and base.callee is not None and base.callee.name == "allocate"
            if not makes or self.homes[base][0] is not self.homes[value][0]:
                yield self.wrong(value, f"a store in class {value.alias} is not into what 'allocate' made in this block")

    def _convert(self, value: ir.Value) -> Found:
        if len(value.args) != 1:
            yield from self.counted(value, 1)
        elif value.op is ops.BITCAST and value.args[0].type.bits != value.type.bits:
            yield self.wrong(value, f"a bitcast from {value.args[0].type} to {value.type} changes the width", "use convert")
        elif value.op is ops.CONVERT and value.args[0].type.lanes != value.type.lanes:
            yield self.wrong(value, f"there is no conversion from {value.args[0].type} to {value.type}")

    def _branch(self, value: ir.Value) -> Found:
        yield from self.counted(value, value.op is ops.BR_IF)
        for arg in value.args:
            yield from self.accepts(value, BOOL, arg)

    def _return(self, value: ir.Value) -> Found:
        result = self.function.result
        yield from self.counted(value, result is not VOID)
        if value.args and result is not VOID:
            yield from self.accepts(value, result, value.args[0])


_CHECKS: dict[ops.Op, Callable[[_Checker, ir.Value], Found]] = {
    ops.ELEMENT: _Checker._access,
    ops.SET_ELEMENT: _Checker._access,
    ops.LENGTH: _Checker._length,
    ops.NEW_ARRAY: _Checker._new,
    ops.NEW_TUPLE: _Checker._new,
    ops.LOAD: _Checker._memory,
    ops.STORE: _Checker._memory,
    ops.CALL: _Checker.call,
    ops.CALL_INDIRECT: _Checker.call,
    ops.CALL_C: _Checker.call_c,
    ops.SYSCALL: _Checker.syscall,
    ops.CONVERT: _Checker._convert,
    ops.BITCAST: _Checker._convert,
    **{op: _Checker._lanes for op in ops.OPS if "V" in (*op.operands, op.result)},
    ops.BR: _Checker._branch,
    ops.BR_IF: _Checker._branch,
    ops.RETURN: _Checker._return,
}
