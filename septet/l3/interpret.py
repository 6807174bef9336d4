"""Runs L3 programs.

A function is prepared once: variables and constants become numbered slots of a list, and the body stretches of plain
operations, each an opcode's function from `ops.table` with the slots it reads and writes, that end where control may go
elsewhere.  A variable that was not written reads what `unwritten.initial` says.
"""

from __future__ import annotations

from septet.base.symbols import DATA, FUNCTION, LABEL, ROUTINE, Symbol
from septet.base.types import I64, U64, VOID
from septet.base.words import encode, wrap
from septet.l3.nodes import Branch, Call, Label, Memory, Variable
from septet.l3.unwritten import initial
from septet.ops import meaning as m
from septet.ops import table as ops
from septet.runtime.model import Fault, Inconclusive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.symbols import Line
    from septet.base.types import Type
    from septet.l3.nodes import Function, Instruction, Program
    from septet.runtime.model import Runtime

    Operand = Variable | int | Symbol | Line
    Plain = tuple[int, int, Callable[..., int] | None, int, int, list[int]]  # arity, target slot, function, slots
    Slots = list[int]
    Fixes = list[tuple[int, Callable[[int], int]]]  # words that pass a call as signed ones: which, and how to change them

MOST_FRAMES = 1_000_000
JUMP, JUMP_IF, GIVE, CALL, CALL_INDIRECT, CALL_ROUTINE, CALL_C = range(7)


def run(program: Program, runtime: Runtime, steps: int | None = None) -> None:
    """Run a verified program to its end; `steps` is how many instructions it may take.

    Raises what `runtime.model` defines: Exit after a run-time error, Inconclusive where steps, heap or stack ran out, Fault.
    """
    machine = _Machine(program, runtime)
    try:
        machine.run(steps)
    except m.Trap as trap:
        raise Fault(str(trap)) from None
    runtime.flush()


class _Stretch:
    """Plain operations, and then what control does: `kind` says what `a`, `b` and the rest mean.

    JUMP: to stretch a.  JUMP_IF: to a if slot `slot` is 1, else to b.  GIVE: return slot `slot`.  CALL: of `function` with
    `args`, then to a.
    """

    __slots__ = ("plain", "kind", "a", "b", "slot", "function", "args", "target", "fixes", "fix", "count")

    def __init__(self) -> None:
        self.plain: list[Plain] = []
        self.kind = GIVE
        self.a = self.b = self.slot = self.count = 0
        self.function: str | None = None
        self.args: list[int] = []
        self.target = 0  # slot of a call's result
        self.fixes: Fixes = []  # for arguments
        self.fix: Callable[[int], int] | None = None  # for the result


class _Prepared:
    """A function ready to run: its stretches, the initial contents of its slots, where its parameters go."""

    __slots__ = ("stretches", "slots", "parameters", "fixes")

    def __init__(self) -> None:
        self.stretches: list[_Stretch] = []
        self.slots: Slots = []
        self.parameters: list[int] = []
        self.fixes: Fixes = []


class _Machine:
    """One run."""

    __slots__ = ("program", "runtime", "prepared", "addresses")

    def __init__(self, program: Program, runtime: Runtime) -> None:
        self.program = program
        self.runtime = runtime
        self.prepared: dict[str, _Prepared] = {}
        self.addresses: dict[tuple[int, str], int] = {}
        for data in program.data.values():
            self.addresses[DATA, data.name] = runtime.define_data(data)
        for function in program.functions.values():
            arity = len(function.parameters)
            self.addresses[FUNCTION, function.name] = runtime.define_function(function.name, arity, function.line)

    def function(self, name: str) -> _Prepared:
        """The function of that name, prepared when it is first called."""
        found = self.prepared.get(name)
        if found is None:
            found = self.prepared[name] = _Preparation(self, self.program.functions[name]).prepare()
        return found

    def run(self, steps: int | None) -> None:
        """Run `main`."""
        left = float("inf") if steps is None else steps
        frames: list[tuple[list[_Stretch], Slots, _Stretch]] = []
        prepared = self.function("main")
        stretches, slots = prepared.stretches, prepared.slots[:]
        stretch = stretches[0]
        while True:
            left -= stretch.count
            if left < 0:
                raise Inconclusive("steps")
            for arity, target, function, a, b, more in stretch.plain:
                if arity == 2:
                    slots[target] = function(slots[a], slots[b])  # type: ignore[misc]
                elif arity == 1:
                    slots[target] = function(slots[a])  # type: ignore[misc]
                elif arity == 0:
                    slots[target] = slots[a]
                else:
                    slots[target] = function(*[slots[n] for n in more])  # type: ignore[misc]
            kind = stretch.kind
            if kind == JUMP:
                stretch = stretches[stretch.a]
            elif kind == JUMP_IF:
                stretch = stretches[stretch.a if slots[stretch.slot] == 1 else stretch.b]
            elif kind == GIVE:
                if not frames:
                    return
                result = slots[stretch.slot]
                if stretch.fix:
                    result = stretch.fix(result)
                stretches, slots, stretch = frames.pop()
                slots[stretch.target] = stretch.fix(result) if stretch.fix else result
                stretch = stretches[stretch.a]
            else:
                args = [slots[n] for n in stretch.args]
                for index, fix in stretch.fixes:
                    args[index] = fix(args[index])
                if kind == CALL_ROUTINE:
                    result = self.runtime.call(stretch.function or "", args)
                    slots[stretch.target] = stretch.fix(result) if stretch.fix else result
                    stretch = stretches[stretch.a]
                    continue
                external = self.runtime.external(slots[stretch.slot]) if kind == CALL_C else None
                if external is not None:
                    numbers = [type.wrap(arg) for type, arg in zip(external.parameters, args, strict=True)]
                    slots[stretch.target] = self.runtime.call_external(external, numbers)
                    stretch = stretches[stretch.a]
                    continue
                prepared = self.callee(stretch, slots)
                if len(frames) >= MOST_FRAMES:
                    raise Inconclusive("stack")
                frames.append((stretches, slots, stretch))
                stretches, slots = prepared.stretches, prepared.slots[:]
                if len(args) != len(prepared.parameters):
                    raise Fault(f"a function of {len(prepared.parameters)} parameters is called with {len(args)} arguments")
                for index, fix in prepared.fixes:
                    args[index] = fix(args[index])
                for n, arg in zip(prepared.parameters, args, strict=True):
                    slots[n] = arg
                stretch = stretches[0]

    def callee(self, stretch: _Stretch, slots: Slots) -> _Prepared:
        """The function that a stretch ends in a call of."""
        name = stretch.function
        if name is None:
            word = slots[stretch.slot]
            name = self.runtime.function_at.get(word)
            if name is None:
                raise Fault(f"a call of {word}, which is no function")
        return self.prepared.get(name) or self.function(name)


class _Preparation:
    """Prepares one function."""

    __slots__ = ("machine", "of", "prepared", "variables", "constants", "stretch", "labels", "nowhere")

    def __init__(self, machine: _Machine, function: Function) -> None:
        self.machine = machine
        self.of = function
        self.prepared = _Prepared()
        self.variables: dict[Variable, int] = {}
        self.constants: dict[int, int] = {}
        self.labels: dict[str, int] = {}
        self.stretch = _Stretch()
        self.nowhere = self.constant(0, is_shared=False)  # the slot for results that nobody wants

    def prepare(self) -> _Prepared:
        """The prepared function."""
        done = self.prepared
        for index, parameter in enumerate(self.of.parameters):
            done.parameters.append(self.slot(parameter))
            if parameter.type.is_word and not parameter.type.signed:
                done.fixes.append((index, parameter.type.wrap))
        jumps: list[tuple[_Stretch, str]] = []
        for i in self.of.body:
            if type(i) is Label:
                self.end(JUMP)
                self.labels[i.name] = len(done.stretches)
            elif type(i) is Branch:
                jumps.append((self.stretch, i.label))
                self.branch(i)
            elif i.op is ops.RETURN:
                self.stretch.slot = self.slot(i.args[0] if i.args else 0)
                if self.of.result.is_word and not self.of.result.signed:
                    self.stretch.fix = wrap
                self.end(GIVE)
            elif isinstance(i, Call):
                self.call(i, i.callee, i.args, CALL)
            elif i.op is ops.CALL_C:
                self.call(i, i.args[0], i.args[1:], CALL_C)
            elif i.op is ops.ROOTS:
                continue
            else:
                self.stretch.plain.append(self.plain(i))
        self.stretch.slot = self.slot(0)
        self.end(GIVE)
        for stretch, label in jumps:
            stretch.a = self.labels[label]
        return done

    def end(self, kind: int) -> _Stretch:
        """Finish the stretch being made; it goes on to the next one."""
        stretch = self.stretch
        stretch.kind = kind
        stretch.count = len(stretch.plain) + 1
        self.prepared.stretches.append(stretch)
        stretch.a = stretch.b = len(self.prepared.stretches)
        self.stretch = _Stretch()
        return stretch

    def slot(self, operand: Operand) -> int:
        """The slot of an operand."""
        if type(operand) is Variable:
            found = self.variables.get(operand)
            if found is None:
                found = self.variables[operand] = self.constant(initial(operand.type), is_shared=False)
            return found
        if isinstance(operand, int):
            return self.constant(operand)
        if isinstance(operand, Symbol):
            key = operand.kind, operand.name if operand.kind != LABEL else f"{self.of.name} {operand.name}"
            addresses = self.machine.addresses
            if key not in addresses:
                addresses[key] = self.machine.runtime.define_code(key)
            return self.constant(addresses[key])
        of = self.machine.program.functions[operand.function] if operand.function else self.of  # type: ignore[union-attr]
        return self.constant(encode(of.line + operand.line))  # type: ignore[union-attr]

    def constant(self, number: int, is_shared: bool = True) -> int:
        """A slot that begins as `number`."""
        slot = self.constants.get(number) if is_shared else None
        if slot is None:
            slot = len(self.prepared.slots)
            self.prepared.slots.append(number)
            if is_shared:
                self.constants[number] = slot
        return slot

    # Instructions

    def branch(self, i: Branch) -> None:
        """End a stretch with a branch."""
        if i.op is ops.BR_IF:
            self.stretch.slot = self.slot(i.args[0])
        self.end(JUMP_IF if i.op is ops.BR_IF else JUMP)

    def call(self, i: Instruction, callee: Operand, args: list[Operand], kind: int) -> None:
        """End a stretch with a call."""
        stretch = self.stretch
        if type(callee) is Variable:
            kind = kind if kind == CALL_C else CALL_INDIRECT
            stretch.slot = self.slot(callee)
        elif isinstance(callee, Symbol):
            stretch.function = callee.name
            if callee.kind == ROUTINE:
                kind = CALL_ROUTINE
        stretch.args = [self.slot(wrap(arg) if isinstance(arg, int) else arg) for arg in args]
        for index, arg in enumerate(args):
            if type(arg) is Variable and arg.type.is_word and not arg.type.signed:
                stretch.fixes.append((index, wrap))
        stretch.target = self.nowhere
        if i.target is not None:
            stretch.target = self.slot(i.target)
            if i.target.type.is_word and not i.target.type.signed:
                stretch.fix = i.target.type.wrap
        self.end(kind)

    def plain(self, i: Instruction) -> Plain:
        """An instruction that control goes straight through."""
        target = self.nowhere if i.target is None else self.slot(i.target)
        args = [self.slot(arg) for arg in i.args]
        function = self.meaning(i)
        if function is None:
            return 0, target, None, args[0], 0, args
        if len(args) > 2:
            return 3, target, function, 0, 0, args
        return len(args), target, function, args[0], args[-1], args

    def meaning(self, i: Instruction) -> Callable[..., int] | None:
        """What an instruction does to natural numbers; None where it copies."""
        op, kind = i.op, i.type
        wanted = [kind] * len(i.args)
        made = kind
        if isinstance(i, Memory):
            return self.memory(i)
        function: Callable[..., int] | None
        if op is ops.COPY:
            function = None
        elif op is ops.SELECT:
            choice = i.args[0]
            is_mask = type(choice) is Variable and choice.type.lanes > 1
            function = op.function(choice.type, kind) if is_mask else _select  # type: ignore[union-attr]
            wanted[0] = VOID
        elif op is ops.BITCAST:
            arg = i.args[0]
            wanted[0] = arg.type if type(arg) is Variable else kind
            function = op.function(wanted[0], kind)
        elif op.between is not None:
            assert i.target is not None
            wanted = [kind.element if letter == "E" else VOID if letter in "KL" else kind for letter in op.operands]
            made = U64 if op is ops.SIGN_BITS else kind.element if op.result in ("E", "IE", "FE") else i.target.type
            function = op.function(kind, made)
        elif op is ops.SYSCALL:
            function = _refuse_syscall
            made = I64
        else:
            function = op.function(kind)
            made = VOID if op.compares else kind  # 0 and 1 are natural for every type
        return _between(function, [_fix(a.type if type(a) is Variable else w, w) for a, w in zip(i.args, wanted, strict=True)],
                        None if i.target is None else _fix(made, i.target.type))  # fmt: skip

    def memory(self, i: Memory) -> Callable[..., int]:
        """A load or a store."""
        runtime, offset, kind = self.machine.runtime, i.offset, i.type
        if i.op is ops.LOAD:
            fix = None if i.target is None else _fix(kind, i.target.type)
            return _between(_load(runtime, kind, offset), [None], fix) or m.quotient
        what = i.args[1]
        fix = _fix(what.type, kind) if type(what) is Variable else None
        return _between(_store(runtime, kind, offset), [None, fix], None) or m.quotient


def _fix(given: Type, wanted: Type) -> Callable[[int], int] | None:
    """How a natural number of `given` becomes that of `wanted`; None where it is the same."""
    if given is wanted or VOID in (given, wanted) or wanted.low <= given.low and given.high <= wanted.high:
        return None
    return wanted.wrap


def _between(
    function: Callable[..., int] | None, fixes: list[Callable[[int], int] | None], fix: Callable[[int], int] | None
) -> Callable[..., int] | None:
    """`function` with its arguments and its result changed as `fixes` and `fix` say; None stands for what copies."""
    if not any(fixes) and fix is None:
        return function
    changes = [change or _same for change in fixes]
    inner = function or _same
    last = fix or _same
    return lambda *args: last(inner(*[change(arg) for change, arg in zip(changes, args, strict=True)]))


def _same(number: int) -> int:
    return number


def _select(condition: int, a: int, b: int) -> int:
    return a if condition == 1 else b


def _refuse_syscall(*args: int) -> int:
    raise Fault("a system call, which only native programs make")


def _load(runtime: Runtime, kind: Type, offset: int) -> Callable[[int], int]:
    if kind.is_word and kind.signed:
        load_word = runtime.load_word
        return (lambda base: load_word(base + offset)) if offset else load_word
    load = runtime.load
    return lambda base: load(base + offset, kind)


def _store(runtime: Runtime, kind: Type, offset: int) -> Callable[[int, int], int]:
    store_word, store = runtime.store_word, runtime.store
    if kind.is_word and kind.signed:
        return lambda base, word: store_word(base + offset, word) or 0
    return lambda base, number: store(base + offset, kind, number) or 0
