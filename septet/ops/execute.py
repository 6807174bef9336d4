"""Executing the statements that LB and LA share.

Each function is prepared once, when it is first called: its variables and constants get slots in a frame (a list of words),
each statement becomes a closure on frames, and straight lines of closures become blocks.  `Machine.run` goes from block to
block with a stack of its own, so that the program's recursion is not Python's.

Words are as in `base.words`: arithmetic works on word >> 1 and gives 2r+1, whatever the words are.  Literals take part in
it with all their 64 bits.
"""

from __future__ import annotations

from septet.base.descriptors import FUNCTION, descriptor
from septet.base.source import line_of
from septet.base.types import INT64, TUPLE
from septet.base.words import encode
from septet.ops import statement_actions as actions
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
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    Operand = Variable | int | str
    Frame = list[int]

    class Words(Protocol):
        """Memory as words."""

        def __getitem__(self, index: int, /) -> int: ...
        def __setitem__(self, index: int, word: int, /) -> None: ...

    class Runtime(Protocol):
        """What is used of runtime.model's Runtime."""

        @property
        def words(self) -> Words: ...

        def call(self, name: str, args: list[int]) -> int: ...
        def print_value(self, word: int) -> None: ...
        def read_input(self) -> int: ...
        def new_array(self, sizes: list[int]) -> int: ...
        def new_tuple(self, size: int) -> int: ...
        def define_function(self, name: str, arity: int, line: int) -> int: ...

    class Function(Protocol):
        """A function of LB or LA."""

        name: str
        parameters: list[Variable]
        line: int


GOES_ON, TESTS, CALLS, CALLS_VALUE, RETURNS = range(5)  # Block.kind
DEEPEST = 1_000_000  # frames
UNLIMITED = 1 << 62  # steps


class Block:
    """Statements in a row and what comes after them."""

    __slots__ = ("actions", "cost", "kind", "next", "other", "test", "code", "moves", "slot", "callee", "line")

    def __init__(self) -> None:
        self.actions: list[Callable[[Frame], object]] = []
        self.cost = 0  # statements
        self.kind = -1  # while it is open
        self.next: Block = self  # where to go on; after a call, when it has returned
        self.other: Block = self  # TESTS: where to go if `test` fails
        self.test: Callable[[Frame], object] = bool
        self.code: Code | None = None  # CALLS: what
        self.moves: list[tuple[int, int]] = []  # calls: which slot of the callee gets which of the caller
        self.slot = 0  # calls: where the result goes; RETURNS: the value
        self.callee = 0  # CALLS_VALUE: the slot of the function's address
        self.line = 0  # CALLS_VALUE: encoded


class Code:
    """A function, prepared when `entry` is called for."""

    __slots__ = ("function", "address", "frame", "entry")

    def __init__(self, function: Function, address: int) -> None:
        self.function = function
        self.address = address
        self.frame: Frame = []  # what to start with: parameters, variables, constants
        self.entry: Block | None = None


class Machine:
    """A program being run."""

    __slots__ = ("runtime", "words", "origin", "stop", "codes", "at", "prepare", "arrays", "tuples")

    def __init__(
        self,
        functions: Mapping[str, Function],
        runtime: Runtime,
        origin: int,
        stop: Callable[[str], Exception],
        prepare: Callable[[Machine, Any, Code], None],
    ) -> None:
        """`origin` is the address of `runtime.words[0]`; `stop` makes the exception for what ran out; `prepare` fills Codes."""
        self.runtime = runtime
        self.words = runtime.words
        self.origin = origin
        self.stop = stop
        self.prepare = prepare
        self.codes: dict[str, Code] = {}
        self.at: dict[int, Code] = {}  # by address
        for name, function in functions.items():
            code = Code(function, runtime.define_function(name, len(function.parameters), function.line))
            self.codes[name] = self.at[code.address] = code
        # What objects look like never changes.  By rank, by address: index of the first element in `words`, the lengths.
        self.arrays: dict[int, dict[int, tuple[int, ...]]] = {}
        self.tuples: dict[int, tuple[int, ...]] = {}

    def run(self, steps: int | None = None) -> None:
        """Execute `main`.  A step is a statement."""
        left = UNLIMITED if steps is None else steps
        stack: list[tuple[Frame, Block]] = []
        code = self.codes["main"]
        block = self.enter(code)
        frame = code.frame.copy()
        while True:
            left -= block.cost
            if left < 0:
                raise self.stop("steps")
            for action in block.actions:
                action(frame)
            kind = block.kind
            if kind == TESTS:
                block = block.next if block.test(frame) else block.other
            elif kind == GOES_ON:
                block = block.next
            elif kind == RETURNS:
                value = frame[block.slot]
                if not stack:
                    return
                frame, block = stack.pop()
                frame[block.slot] = value
                block = block.next
            else:
                code = block.code or self.called(block, frame)
                if len(stack) >= DEEPEST:
                    raise self.stop("stack")
                stack.append((frame, block))
                entry = code.entry or self.enter(code)
                callee = code.frame.copy()
                for to, source in block.moves:
                    callee[to] = frame[source]
                frame = callee
                block = entry

    def enter(self, code: Code) -> Block:
        """The first block of a function."""
        self.prepare(self, code.function, code)
        assert code.entry is not None
        return code.entry

    def called(self, block: Block, frame: Frame) -> Code:
        """The function that a value refers to, which is checked."""
        value = frame[block.callee]
        code = self.at.get(value)
        if code is None or len(code.function.parameters) != len(block.moves):
            wanted = descriptor(FUNCTION, len(block.moves))
            self.runtime.call("kind-error", [block.line, value, wanted])
            raise AssertionError("kind-error returned")
        return code


class Preparation:
    """Prepares one function.  A language adds its own statements."""

    __slots__ = ("machine", "code", "line", "slots", "frame", "labels", "block")

    def __init__(self, machine: Machine, function: Function, code: Code) -> None:
        self.machine = machine
        self.code = code
        self.line = function.line
        self.slots: dict[Variable | tuple[int], int] = {}
        self.frame = code.frame
        self.labels: dict[str, Block] = {}
        self.block = code.entry = Block()
        for parameter in function.parameters:
            self.slots[parameter] = len(self.frame)
            self.frame.append(1 if parameter.type is INT64 else 0)

    def constant(self, word: int) -> int:
        """The slot of a constant."""
        key = (word,)
        found = self.slots.get(key)
        if found is None:
            found = self.slots[key] = len(self.frame)
            self.frame.append(word)
        return found

    def slot(self, operand: Operand) -> int:
        """The slot of an operand."""
        if isinstance(operand, Variable):
            found = self.slots.get(operand)
            if found is None:
                found = self.slots[operand] = len(self.frame)
                self.frame.append(1 if operand.type is INT64 else 0)
            return found
        if isinstance(operand, int):
            return self.constant(encode(operand))
        return self.constant(self.machine.codes[operand].address)

    def number(self, operand: Operand) -> int:
        """The slot of an operand of arithmetic, where a literal counts with all its bits."""
        return self.constant(2 * operand + 1) if isinstance(operand, int) else self.slot(operand)

    def error_line(self, s: Statement) -> int:
        """The encoded absolute line of a statement."""
        return encode(self.line + line_of(s.span))

    def do(self, action: Callable[[Frame], object]) -> None:
        """Add to the block."""
        self.block.actions.append(action)
        self.block.cost += 1

    # Blocks

    def end(self, kind: int) -> Block:
        """End the block; gives it.  What follows is in a new one."""
        block = self.block
        block.kind = kind
        block.cost += 1
        self.block = Block()
        return block

    def target(self, label: str) -> Block:
        """The block that a label starts."""
        found = self.labels.get(label)
        if found is None:
            found = self.labels[label] = Block()
        return found

    def start(self, block: Block) -> None:
        """Go on in `block`, which control falls into."""
        self.block.kind = GOES_ON
        self.block.next = block
        self.block = block

    def test(self, test: Callable[[Frame], object], then: str, other: str) -> None:
        """End the block with a test."""
        block = self.end(TESTS)
        block.test = test
        block.next = self.target(then)
        block.other = self.target(other)

    def finish(self) -> None:
        """End the function with a return."""
        self.return_(Return(None, 0))

    # Statements

    def declare(self, s: Declare) -> None:
        """`type a, b`."""
        for variable in s.variables:
            self.do(actions.copy(self.slot(variable), self.constant(1 if variable.type is INT64 else 0)))

    def assign(self, s: Assign) -> None:
        """`x <- t`."""
        self.do(actions.copy(self.slot(s.target), self.slot(s.value)))

    def operate(self, s: Operate) -> None:
        """`x <- t op t`."""
        make = actions.compare if s.op.compares else actions.operate
        self.do(make(s.op, self.slot(s.target), self.number(s.left), self.number(s.right)))

    def access(self, s: Load | Store) -> tuple[actions.Errors, dict[int, tuple[int, ...]], int, list[int]]:
        """What LOAD and STORE have in common: errors, the table of shapes, the slots of base and indices."""
        rank = s.base.type.rank
        table = self.machine.tuples if s.base.type is TUPLE else self.machine.arrays.setdefault(rank, {})
        errors = actions.Errors(self.machine.runtime, self.error_line(s), rank)
        return errors, table, self.slot(s.base), [self.slot(index) for index in s.indices]

    def load(self, s: Load) -> None:
        """`x <- a[t]...`."""
        make = actions.load if len(s.indices) == 1 else actions.load_many
        self.do(make(*self.access(s), self.slot(s.target), self.machine.words))

    def store(self, s: Store) -> None:
        """`a[t]... <- t`."""
        make = actions.store if len(s.indices) == 1 else actions.store_many
        self.do(make(*self.access(s), self.slot(s.value), self.machine.words))

    def length(self, s: Length) -> None:
        """`x <- length a t?`."""
        rank = s.base.type.rank
        table = self.machine.arrays.setdefault(rank, {}) if rank else self.machine.tuples
        errors = actions.Errors(self.machine.runtime, self.error_line(s), rank)
        slots = self.slot(s.target), self.slot(s.base)
        dimension = 0 if s.dimension is None else s.dimension
        if isinstance(dimension, int):
            self.do(actions.length(errors, table, *slots, dimension))
        else:
            self.do(actions.length_of(errors, table, *slots, self.slot(dimension)))

    def call(self, s: Call) -> None:
        """`f(...)`, `x <- f(...)`."""
        moves = [(number, self.slot(arg)) for number, arg in enumerate(s.args)]
        nowhere = self.constant(1 << 64)  # no word: a slot that nothing reads
        target = self.slot(s.target) if s.target else nowhere
        if isinstance(s.callee, Variable):
            callee = self.slot(s.callee)
            block = self.end(CALLS_VALUE)
            block.callee = callee
            block.line = self.error_line(s)
        else:
            block = self.end(CALLS)
            block.code = self.machine.codes[s.callee]
        block.moves = moves
        block.slot = target
        block.next = self.block

    def runtime_call(self, s: RuntimeCall) -> None:
        """`print(t)`, `x <- input()`."""
        target = self.slot(s.target) if s.target else -1
        if s.name == "print":
            self.do(actions.print_(self.machine.runtime, self.slot(s.args[0]), target))
        else:
            self.do(actions.input_(self.machine.runtime, target))

    def new_array(self, s: NewArray) -> None:
        """`x <- new Array(...)`."""
        m = self.machine
        errors = actions.Errors(m.runtime, self.error_line(s), len(s.sizes))
        table = m.arrays.setdefault(len(s.sizes), {})
        sizes = [self.slot(size) for size in s.sizes]
        self.do(actions.new_array(errors, table, self.slot(s.target), sizes, m.origin))

    def new_tuple(self, s: NewTuple) -> None:
        """`x <- new Tuple(t)`."""
        m = self.machine
        errors = actions.Errors(m.runtime, self.error_line(s), 0)
        self.do(actions.new_tuple(errors, m.tuples, self.slot(s.target), self.slot(s.size), m.origin))

    def label(self, s: Label) -> None:
        """`:name`."""
        self.start(self.target(s.name))
        self.block.cost += 1

    def jump(self, s: Jump) -> None:
        """`goto :label`, `br :label`."""
        self.end(GOES_ON).next = self.target(s.label)

    def return_(self, s: Return) -> None:
        """`return t?`."""
        slot = self.constant(0) if s.value is None else self.slot(s.value)
        self.end(RETURNS).slot = slot


STATEMENTS: dict[type[Statement], Callable[[Any, Any], None]] = {
    Declare: Preparation.declare,
    Assign: Preparation.assign,
    Operate: Preparation.operate,
    Load: Preparation.load,
    Store: Preparation.store,
    Length: Preparation.length,
    Call: Preparation.call,
    RuntimeCall: Preparation.runtime_call,
    NewArray: Preparation.new_array,
    NewTuple: Preparation.new_tuple,
    Label: Preparation.label,
    Jump: Preparation.jump,
    Return: Preparation.return_,
}
"""How each statement is prepared."""
