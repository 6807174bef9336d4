"""Runs IR programs of either phase.  A step is an instruction that is no phi.

Each function is prepared once, when first called.  Its values, constants among them, get numbered slots of a frame, a list; a
block becomes segments that end at calls; a step is a tuple (how, target slot, operand slots, function).  Numbers in slots are
natural for their value's type; where an operation takes them as another type's, a conversion comes first.
"""

from __future__ import annotations

from septet.base.source import line_of
from septet.base.symbols import DATA, FUNCTION, ROUTINE, External
from septet.base.types import I64, INT64, VOID, Type
from septet.base.words import encode
from septet.ir import nodes as ir
from septet.ir.steps import ARITHMETIC, Context, check, convert, divide, element, length, load, new, select, set_element, store
from septet.ops import table as ops
from septet.runtime.model import BASE, Fault, Inconclusive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from septet.base.symbols import Line
    from septet.runtime.model import Runtime

    Step = tuple[int, int, Any, int, Callable[..., Any]]

DEEPEST = 1_000_000  # frames
UNLIMITED = 1 << 62  # steps
BINARY, UNARY, MANY = range(3)  # how a step applies its function
JUMP, BRANCH, RETURN, CALL, CALL_INDIRECT, CALL_C = range(6)  # Segment.kind


class Segment:
    """Steps in a row and what comes after them."""

    __slots__ = ("steps", "cost", "kind", "slot", "yes", "no", "code", "args", "next")

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.cost = 0  # instructions
        self.kind = JUMP
        self.slot = 0  # BRANCH: the condition; RETURN: the result; calls: where the result goes
        self.yes: tuple[Segment, list[int], list[int]] = (
            self,
            [],
            [],
        )  # where to go on, and slots of phis and of their operands
        self.no = self.yes
        self.code: Code | None = None  # CALL: what
        self.args: list[int] = []  # calls: slots of the arguments, the address first for CALL_INDIRECT
        self.next = self  # calls: where to go on after the return


class Code:
    """A function, prepared when `first` is there."""

    __slots__ = ("function", "first", "template", "wraps")

    def __init__(self, function: ir.Function) -> None:
        self.function = function
        self.first: Segment | None = None
        self.template: list[int] = []  # a new frame; parameters come first
        self.wraps = [value.type.wrap for value in function.parameters]


class Machine:
    """Runs one program."""

    def __init__(self, program: ir.Program, runtime: Runtime) -> None:
        self.runtime = runtime
        self.context = Context(runtime, BASE)
        self.codes = {name: Code(function) for name, function in program.functions.items()}
        self.addresses = {
            (FUNCTION, name): runtime.define_function(name, len(function.parameters), function.line)
            for name, function in program.functions.items()
        }
        for name, data in program.data.items():
            address = runtime.define_data(data)
            self.addresses[DATA, name] = runtime.load_word(address) if isinstance(data, External) else address

    def run(self, limit: int, name: str = "main", args: Sequence[int] = ()) -> int:
        """Execute function `name` to its end, with numbers natural for its parameters; the number that it gives."""
        left = limit
        stack: list[tuple[list[int], Segment]] = []
        segment, frame = self.enter(self.codes[name])
        frame[1 : len(args) + 1] = args
        while True:
            left -= segment.cost
            if left < 0:
                raise Inconclusive("steps")
            for how, target, a, b, function in segment.steps:
                if how == BINARY:
                    frame[target] = function(frame[a], frame[b])
                elif how == UNARY:
                    frame[target] = function(frame[a])
                else:
                    frame[target] = function(*[frame[slot] for slot in a])
            kind = segment.kind
            if kind <= BRANCH:
                segment, targets, sources = segment.yes if kind == JUMP or frame[segment.slot] else segment.no
                if targets:
                    for target, number in zip(targets, [frame[source] for source in sources], strict=True):
                        frame[target] = number
            elif kind == RETURN:
                number = frame[segment.slot]
                if not stack:
                    return number
                frame, segment = stack.pop()
                frame[segment.slot] = number
                segment = segment.next
            else:
                if len(stack) >= DEEPEST:
                    raise Inconclusive("stack")
                args = [frame[slot] for slot in segment.args]
                external = self.runtime.external(args[0]) if kind == CALL_C else None
                if external is not None:
                    frame[segment.slot] = self.external(external, args[1:])
                    segment = segment.next
                    continue
                stack.append((frame, segment))
                code = segment.code or self.called(args)
                segment, frame = self.enter(code)
                frame[1 : len(args) + 1] = args

    def external(self, external: External, args: list[int]) -> int:
        """What a function of C gives."""
        if len(args) != len(external.parameters):
            raise Fault(f"call of @{external.name} with {len(args)} arguments, not {len(external.parameters)}")
        numbers = [type.wrap(arg) for type, arg in zip(external.parameters, args, strict=True)]
        return self.runtime.call_external(external, numbers)

    def enter(self, code: Code) -> tuple[Segment, list[int]]:
        """Where `code` starts, and a frame for it."""
        if code.first is None:
            Preparation(self, code).run()
            assert code.first is not None
        return code.first, code.template.copy()

    def called(self, args: list[int]) -> Code:
        """The function whose address is the first of `args`; the rest become numbers of its parameters' types."""
        address = args.pop(0)
        name = self.runtime.function_at.get(address)
        if name is None:
            raise Fault(f"call of {address:#x}, where no function is")
        code = self.codes[name]
        if len(args) != len(code.wraps):
            raise Fault(f"call of @{name} with {len(args)} arguments, not {len(code.wraps)}")
        args[:] = [wrap(arg) for wrap, arg in zip(code.wraps, args, strict=True)]
        return code


class Preparation:
    """Prepares one function.  Slot 0 is for what nobody reads."""

    def __init__(self, machine: Machine, code: Code) -> None:
        self.machine = machine
        self.runtime = machine.runtime
        self.code = code
        self.function = code.function
        self.template = code.template
        self.template.append(0)
        self.slots: dict[object, int] = {}
        self.starts = {block: Segment() for block in self.function.blocks}
        self.here = Segment()
        self.positions: dict[ir.Block, dict[ir.Block, int]] = {}  # where a predecessor stands in a block's first phi

    def run(self) -> None:
        """Fill in the code."""
        for value in self.function.parameters:
            self.slots[value] = self.new_slot()
        for block in self.function.blocks:
            self.here = self.starts[block]
            for value in block.body:
                self.here.cost += 1
                self.value(value)
            self.end(block)
        self.code.first = self.starts[self.function.blocks[0]]

    def new_slot(self, number: int = 0) -> int:
        """A slot that holds `number` when the function is entered."""
        self.template.append(number)
        return len(self.template) - 1

    def target(self, value: ir.Value) -> int:
        """The slot for a value's result."""
        if value.type is VOID:
            return 0
        slot = self.slots.get(value)
        if slot is None:
            slot = self.slots[value] = self.new_slot()
        return slot

    def read(self, value: ir.Value, type: Type) -> int:
        """The slot that has `value` as a number natural for `type`."""
        converts = value.type is not type and value.type.is_word and type.is_word and value.type.signed != type.signed
        if value.op is ops.CONST or value.op is ops.SYMBOL_ADDRESS:
            key = (value, converts)
            slot = self.slots.get(key)
            if slot is None:
                number = self.constant(value)
                slot = self.slots[key] = self.new_slot(type.wrap(number) if converts else number)
            return slot
        slot = self.target(value)
        if converts:
            to = self.new_slot()
            self.here.steps.append((UNARY, to, slot, 0, type.wrap))
            return to
        return slot

    def constant(self, value: ir.Value) -> int:
        """The number of a value that stands in no block."""
        if isinstance(value, ir.Const):
            return value.number
        if isinstance(value, ir.Line):
            return self.resolved(value.line)
        assert isinstance(value, ir.Address)
        return self.machine.addresses[value.symbol.kind, value.symbol.name]

    def line(self, value: ir.Value) -> int:
        """The encoded absolute line of an instruction."""
        if isinstance(value, ir.Check) and value.line is not None:
            return encode(value.line) if isinstance(value.line, int) else self.resolved(value.line)
        return encode(self.function.line + line_of(value.span))

    def resolved(self, where: Line) -> int:
        """The encoded absolute line of a line of some function."""
        function = self.machine.codes[where.function].function if where.function else self.function
        return encode(function.line + where.line)

    def step(self, value: ir.Value, args: list[int], function: Callable[..., Any]) -> None:
        """Append a step."""
        target = self.target(value)
        if len(args) == 2:
            self.here.steps.append((BINARY, target, args[0], args[1], function))
        elif len(args) == 1:
            self.here.steps.append((UNARY, target, args[0], 0, function))
        else:
            self.here.steps.append((MANY, target, args, 0, function))

    def signed(self, value: ir.Value) -> None:
        """Make the result of the last step, a signed word, one of an unsigned type if need be."""
        if value.type.is_word and not value.type.signed:
            self.here.steps.append((UNARY, self.target(value), self.target(value), 0, value.type.wrap))

    def value(self, value: ir.Value) -> None:
        """Append the steps of one instruction."""
        op = value.op
        special = _SPECIAL.get(op)
        if special is not None:
            special(self, value)
        elif not op.ends:
            type = value.on if isinstance(value, ir.Compare) else value.type
            args = [self.read(arg, type) for arg in value.args]
            function = ARITHMETIC.get((op, type.signed)) if type.is_word else None
            self.step(value, args, function or op.function(type))

    def words(self, value: ir.Value) -> None:
        """An operation on words that gives a word or nothing."""
        args = [self.read(arg, INT64) for arg in value.args]
        self.step(value, args, _MAKE[value.op](self.machine.context, value, self.line(value)))
        self.signed(value)

    def same(self, value: ir.Value) -> None:
        """An operation whose operands are read as what they are, or as what the result is where that is a word as well."""
        args = [self.read(arg, value.type if value.type.accepts(arg.type) else arg.type) for arg in value.args]
        self.step(value, args, _MAKE[value.op](self.machine.context, value, self.line(value)))

    def own(self, value: ir.Value) -> None:
        """An operation whose operands are read as what they are."""
        args = [self.read(arg, arg.type) for arg in value.args]
        self.step(value, args, _MAKE[value.op](self.machine.context, value, self.line(value)))

    def lanes(self, value: ir.Value) -> None:
        """A vector that is made of lanes, or one that a lane is put in."""
        wanted = {"V": value.type, "K": I64, "E": value.type.element}
        args = [self.read(arg, wanted[letter]) for letter, arg in zip(value.op.operands, value.args, strict=True)]
        self.step(value, args, value.op.function(value.type, value.type))

    def store(self, value: ir.Value) -> None:
        """A store; words are stored as signed ones."""
        assert isinstance(value, ir.Memory)
        args = [self.read(value.args[0], INT64), self.read(value.args[1], INT64 if value.on.is_word else value.on)]
        self.step(value, args, store(self.machine.context, value))

    def call(self, value: ir.Value) -> None:
        """Append a call: of a routine as a step, of a function as the end of the segment."""
        assert isinstance(value, ir.Call)
        callee = value.callee
        if callee is not None and callee.kind == ROUTINE:
            name, call = callee.name, self.runtime.call
            args = [self.read(arg, INT64) for arg in value.args]
            self.step(value, args, lambda *words: call(name, list(words)))
            self.signed(value)
            return
        segment = self.here
        if callee is None:
            self.indirect(value, CALL_INDIRECT)
            return
        segment.kind = CALL
        code = segment.code = self.machine.codes[callee.name]
        parameters = code.function.parameters
        self.leave(value, [self.read(arg, p.type) for arg, p in zip(value.args, parameters, strict=True)])

    def indirect(self, value: ir.Value, kind: int) -> None:
        """End the segment with a call of the address in the first operand."""
        self.here.kind = kind
        self.leave(value, [self.read(arg, INT64 if arg.type.is_word else arg.type) for arg in value.args])

    def leave(self, value: ir.Value, args: list[int]) -> None:
        """End the segment with a call whose arguments are in those slots."""
        segment = self.here
        segment.args = args
        segment.slot = self.target(value)
        self.here = segment.next = Segment()
        if value.type.is_word:
            self.here.steps.append((UNARY, segment.slot, segment.slot, 0, value.type.wrap))

    def call_c(self, value: ir.Value) -> None:
        """Append a call by C's convention."""
        self.indirect(value, CALL_C)

    def syscall(self, value: ir.Value) -> None:
        """System calls are not modelled."""

        def stop(*args: int) -> int:
            raise Inconclusive("system calls: an interpreter makes none")

        self.step(value, [], stop)

    # Ends of blocks.

    def end(self, block: ir.Block) -> None:
        """Say where control goes from `block`."""
        segment = self.here
        last = block.body[-1]
        if last.op is ops.RETURN:
            segment.kind = RETURN
            result = self.function.result
            segment.slot = self.read(last.args[0], result) if last.args else self.new_slot()
            return
        assert isinstance(last, ir.Branch)
        edges = [self.edge(block, target) for target in last.targets]
        segment.yes, segment.no = edges[0], edges[-1]
        if last.op is ops.BR_IF:
            segment.kind = BRANCH
            segment.slot = self.read(last.args[0], last.args[0].type)

    def edge(self, block: ir.Block, to: ir.Block) -> tuple[Segment, list[int], list[int]]:
        """Where the edge leads, and the slots of the phis there and of what they get."""
        if not to.phis:
            return self.starts[to], [], []
        positions = self.positions.get(to)
        if positions is None:
            positions = self.positions[to] = {b: index for index, b in enumerate(to.phis[0].blocks)}
        at = positions[block]
        args = [phi.args[at if phi.blocks[at] is block else phi.blocks.index(block)] for phi in to.phis]
        sources = [self.read(arg, phi.type) for phi, arg in zip(to.phis, args, strict=True)]
        return self.starts[to], [self.target(phi) for phi in to.phis], sources


def run(program: ir.Program, runtime: Runtime, steps: int | None = None) -> None:
    """Execute `main` to its end.  Raises Exit after a run-time error, Inconclusive when steps, heap or stack ran out, Fault
    after a wild access."""
    Machine(program, runtime).run(UNLIMITED if steps is None else steps)
    runtime.flush()


_INWARD = [op for op in ops.OPS if "V" in op.operands and op.inward]
_MAKE: dict[ops.Op, Callable[[Context, Any, int], Callable[..., Any]]] = {
    ops.LOAD: load,
    ops.ELEMENT: element,
    ops.SET_ELEMENT: set_element,
    ops.LENGTH: length,
    ops.NEW_ARRAY: new,
    ops.NEW_TUPLE: new,
    ops.CHECK_NULL: check,
    ops.CHECK_KIND: check,
    ops.CHECK_INDEX: check,
    ops.CHECK_LENGTH: check,
    ops.CHECK_DIVISOR: check,
    ops.CHECK_CONVERT: check,
    ops.DIV: divide,
    ops.REM: divide,
    ops.SELECT: select,
    ops.CONVERT: convert,
    ops.BITCAST: convert,
    **dict.fromkeys(_INWARD, convert),
}
_WORDS = [ops.LOAD, ops.ELEMENT, ops.SET_ELEMENT, ops.LENGTH, ops.NEW_ARRAY, ops.NEW_TUPLE]
_WORDS += [ops.CHECK_NULL, ops.CHECK_KIND, ops.CHECK_INDEX, ops.CHECK_LENGTH]
_SPECIAL: dict[ops.Op, Callable[[Preparation, ir.Value], None]] = {
    **dict.fromkeys(_WORDS, Preparation.words),
    ops.STORE: Preparation.store,
    ops.CHECK_DIVISOR: Preparation.own,
    ops.CHECK_CONVERT: Preparation.own,
    ops.DIV: Preparation.same,
    ops.REM: Preparation.same,
    ops.SELECT: Preparation.same,
    ops.CONVERT: Preparation.own,
    ops.BITCAST: Preparation.own,
    **dict.fromkeys(_INWARD, Preparation.own),
    ops.SPLAT: Preparation.lanes,
    ops.INSERT: Preparation.lanes,
    ops.CALL: Preparation.call,
    ops.CALL_INDIRECT: Preparation.call,
    ops.CALL_C: Preparation.call_c,
    ops.SYSCALL: Preparation.syscall,
}
