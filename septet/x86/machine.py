"""The machine that L2 and L1 programs are interpreted on: registers, variables, stack and control.

Calls are strict: after one, no caller-saved register but rax and xmm0 holds anything, nor do the flags; a stack slot holds
nothing until it is written.  Whatever computes with nothing is a fault.
"""

from __future__ import annotations

from septet.base.symbols import DATA, FUNCTION, LABEL, Symbol
from septet.base.types import I64
from septet.x86 import forms, steps
from septet.x86.abi import CALLEE_SAVED, places
from septet.x86.blocks import (
    BRANCH,
    C_CALL,
    CALL,
    FLAG_BRANCH,
    JUMP_CALL,
    NEXT,
    RETURN,
    ROUTINE_CALL,
    VALUE_CALL,
    VALUE_JUMP,
    Block,
    Prepared,
)
from septet.x86.instructions import Mem, Variable
from septet.x86.memory import MemorySteps
from septet.x86.prepare import Translator
from septet.x86.registers import REGISTERS, XMM, Register
from septet.x86.spell import spell
from septet.x86.steps import FLAGS, RAX, RSP, SCRATCH, VARIABLES, Undefined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from septet.base.symbols import Data, External
    from septet.x86.instructions import Instruction
    from septet.x86.memory import Memory

    class Runtime(Memory, Protocol):
        """What the machine needs of the runtime."""

        def call(self, name: str, args: list[int]) -> int: ...
        def define_function(self, name: str, arity: int, line: int) -> int: ...
        def define_code(self, key: object) -> int: ...
        def define_data(self, data: Data) -> int: ...
        def external(self, address: int) -> External | None: ...
        def call_external(self, external: External, numbers: Sequence[int]) -> int: ...

    # Where to go on after a call: the block that called, its function, that one's variables, rsp before the call.
    Frame = tuple[Block, Prepared, list[Any], int]

STACK_BYTES = 1 << 28
DEEPEST = 1_000_000  # frames
_XMM0 = XMM[0].index


class Machine:
    """One run of one program."""

    def __init__(
        self,
        runtime: Runtime,
        functions: list[tuple[Prepared, int]],
        data: dict[str, Data],
        fault: type[Exception],
        exhausted: type[Exception],
    ) -> None:
        """`functions` come with their arities.  `fault` is raised, with a text, where the program did what no correct one
        does, and by the runtime at wild accesses; `exhausted` where "steps" or "stack" ran out."""
        self.runtime = runtime
        self.fault = fault
        self.exhausted = exhausted
        self.memory = MemorySteps(runtime, runtime.stack_top - STACK_BYTES)
        self.functions = {function.name: function for function, _ in functions}
        self.data = {name: runtime.define_data(datum) for name, datum in data.items()}
        self.at: dict[int, Prepared] = {}  # functions by address
        for function, arity in functions:
            function.address = runtime.define_function(function.name, arity, function.line)
            self.at[function.address] = function
        self.label_addresses: dict[str, int] = {}
        self.labels_at: dict[int, str] = {}
        most = max([self._scan(function.body) for function in self.functions.values()], default=0)
        nothing: list[Any] = [None]
        self.cells = nothing * (VARIABLES + most)
        for register in CALLEE_SAVED:
            self.cells[register.index] = 0
        self.cells[steps.ZERO] = 0
        self.cells[RSP] = runtime.stack_top - 16
        self.home: dict[str, Prepared] = {}  # the functions of labels, by the label's name
        mixed = any(i.op.name[0] == "v" for function in self.functions.values() for i in function.body)
        self.translator = Translator(self.cells, self.memory, self.functions, self._resolve, mixed)

    def _scan(self, body: list[Instruction]) -> int:
        """How many variables a function has.  Labels that are used as values get their addresses, in front of the heap."""
        found: set[Variable] = set()
        for instruction in body:
            for operand in instruction.operands:
                if isinstance(operand, Variable):
                    found.add(operand)
                elif isinstance(operand, Mem):
                    found.update([part for part in operand[:2] if isinstance(part, Variable)])
                elif instruction.op is forms.MOV and isinstance(operand, Symbol) and operand.kind == LABEL:
                    self._resolve(operand)
        return len(found)

    def _resolve(self, name: Symbol) -> int:
        """The address of a function, data or label."""
        if name.kind == LABEL:
            found = self.label_addresses.get(name.name)
            if found is None:
                found = self.label_addresses[name.name] = self.runtime.define_code(name)
                self.labels_at[found] = name.name
            return found
        if name.kind == DATA and name.name in self.data:
            return self.data[name.name]
        if name.kind == FUNCTION and name.name in self.functions:
            return self.functions[name.name].address
        raise self.fault(f"there is no {name!r}")

    def run(self, entry: str, limit: int | None) -> None:
        """Execute from function `entry` to its return.  Raises `fault`, `exhausted`, and what the runtime raises."""
        function = self.functions[entry]
        frames: list[Frame] = []
        block, function = self._enter(function, None, function, frames)
        cells, call = self.cells, self.runtime.call
        left = float("inf") if limit is None else limit
        step = d = a = b = None
        try:
            while True:
                left -= block.count
                if left < 0:
                    raise self.exhausted("steps")
                for step, d, a, b in block.steps:
                    step(cells, d, a, b)
                step = None
                kind = block.kind
                if kind == BRANCH:
                    block = block.taken if block.test(cells[block.a], cells[block.b]) else block.next
                elif kind == NEXT:
                    block = block.next
                elif kind == CALL:
                    target = block.target
                    assert target is not None
                    block, function = self._enter(target, block, function, frames)
                elif kind == RETURN:
                    if not frames:
                        return
                    block, function = self._return(block, frames)
                elif kind == ROUTINE_CALL:
                    arguments = [cells[argument] for argument in block.arguments]
                    if None in arguments:
                        raise TypeError
                    cells[RAX] = call(block.name, arguments)
                    _clobber(cells)
                    block = block.next
                elif kind == FLAG_BRANCH:
                    block = block.taken if steps.holds(cells, block.name) else block.next
                elif kind in (VALUE_CALL, JUMP_CALL):
                    block, function = self._enter(self._callee(cells[block.a]), block, function, frames)
                elif kind == C_CALL:
                    external = self.runtime.external(cells[RAX] or 0)
                    if external is not None:
                        self._call_external(external)
                        block = block.next
                    elif block.arguments[0]:
                        raise Undefined("passes words on the stack as C does, which native code alone can")
                    else:
                        block, function = self._enter(self._callee(cells[RAX]), block, function, frames)
                elif kind == VALUE_JUMP:
                    block, function = self._land(cells[block.a], function)
                else:
                    raise Undefined("runs" if block.end else "runs off the end of the function")
        except TypeError:
            raise self.fault(self._complain(function, block, (step, d, a, b), "")) from None
        except (Undefined, self.fault) as problem:
            raise self.fault(self._complain(function, block, (step, d, a, b), str(problem))) from None

    def _enter(self, target: Prepared, caller: Block | None, function: Prepared, frames: list[Frame]) -> tuple[Block, Prepared]:
        """Call `target` from block `caller` of `function`: where to go on."""
        cells, memory = self.cells, self.memory
        before = cells[RSP]
        assert type(before) is int
        rsp = before - 8 - target.frame
        if rsp < memory.low or len(frames) >= DEEPEST:
            raise self.exhausted("stack")
        cells[RSP] = rsp
        if caller is not None:
            variables = cells[VARIABLES : VARIABLES + len(function.blank)] if function.blank else function.blank
            frames.append((caller, function, variables, before))
        if target.slots:
            memory.unwritten.update(range(rsp, rsp + 8 * target.slots, 8))
            memory.unwritten.difference_update(memory.below)
        memory.below.clear()
        if target.entry is None:
            self.translator.prepare(target)
        if target.blank:
            cells[VARIABLES : VARIABLES + len(target.blank)] = target.blank
        assert target.entry is not None
        return target.entry, target

    def _return(self, block: Block, frames: list[Frame]) -> tuple[Block, Prepared]:
        """Return from a function to where it was called: where to go on."""
        cells = self.cells
        caller, function, variables, before = frames.pop()
        at = cells[RSP] + block.a
        cells[RSP] = at + 8
        _clobber(cells)
        if variables:
            cells[VARIABLES : VARIABLES + len(variables)] = variables
        if caller.kind != JUMP_CALL:
            if at + 8 != before:
                raise Undefined(f"leaves rsp {at + 8 - before} bytes from where it was at the call")
            return caller.next, function
        self.memory.load(cells, SCRATCH, steps.ZERO, at)
        return self._land(cells[SCRATCH], function)

    def _call_external(self, external: External) -> None:
        """Call a function of C with what registers and the stack hold."""
        cells, numbers = self.cells, []
        for type, place in zip(external.parameters, places([type.is_float for type in external.parameters]), strict=True):
            if isinstance(place, Register):
                held = cells[place.index]
            else:
                self.memory.load(cells, SCRATCH, RSP, -16 - 8 * place)
                held = cells[SCRATCH]
            if held is None:
                raise TypeError
            low = held & (1 << type.bits) - 1
            numbers.append(low if type.is_float else type.wrap(low))
        self.memory.below.clear()
        result = self.runtime.call_external(external, numbers)
        _clobber(cells)
        cells[RAX] = None if external.result.is_float else I64.wrap(result)
        cells[_XMM0 : _XMM0 + 4] = [result if external.result.is_float else None, None, None, None]

    def _callee(self, word: object) -> Prepared:
        """The function whose address is `word`."""
        if word is None:
            raise TypeError
        assert type(word) is int
        found = self.at.get(word)
        if found is None:
            raise Undefined(f"calls {word:#x}, where no function is")
        return found

    def _land(self, word: object, function: Prepared) -> tuple[Block, Prepared]:
        """Where to go on after a jump to address `word` from `function`, whose variables are at hand."""
        if word is None:
            raise TypeError
        assert type(word) is int
        name = self.labels_at.get(word)
        if name is None:
            raise Undefined(f"goes to {word:#x}, where no label is")
        found = function.labels.get(name)
        if found is not None:
            return found, function
        if not self.home:
            for other in self.functions.values():
                for instruction in other.body:
                    if instruction.op is forms.LABEL:
                        label = instruction.operands[0]
                        assert isinstance(label, Symbol)
                        self.home[label.name] = other
        target = self.home.get(name)
        if target is None:
            raise Undefined(f"goes to ':{name}', which is nowhere")
        if target.entry is None:
            self.translator.prepare(target)
        if target.variables or function.variables:
            raise Undefined(f"goes to ':{name}', which is in another function")
        return target.labels[name], target

    def _complain(self, function: Prepared, block: Block, current: tuple[object, ...], what: str) -> str:
        """What went wrong in `block`, in words.  `current` is the step last taken; `what` is empty where nothing was read."""
        instruction = None
        found = [number for number, item in enumerate(block.steps) if item == current]
        if found:
            instruction = block.origins[found[0]]
        nothing = self._nothing_read(function, instruction) if instruction else ""
        if block.end is not None and (instruction is None or not what and not nothing):
            instruction = block.end
            nothing = self._nothing_read(function, instruction)
        text = f"'{spell(instruction)}' " if instruction else ""
        if not what:
            if not nothing:
                raise AssertionError(f"a step failed in @{function.name}: {text}")
            what = f"reads {nothing}, which nothing defined" + (
                "" if nothing[0] == "%" else " (calls define rax and xmm0 alone)"
            )
        return f"in @{function.name}: {text}{what}"

    def _nothing_read(self, function: Prepared, instruction: Instruction) -> str:
        """The first register or variable that an instruction reads and that holds nothing."""
        access = instruction.op.access
        for number, operand in enumerate(instruction.operands):
            if isinstance(operand, Mem):
                parts: list[Any] = [operand[0], operand[1]]
            elif number >= len(access) or "r" in access[number]:
                parts = [operand]
            else:
                continue
            for part in parts:
                if isinstance(part, Register) and self.cells[part.index] is None:
                    return part.name
                if isinstance(part, Variable) and self.cells[function.variables[part]] is None:
                    return f"%{part.name}"
        for register in REGISTERS:
            if instruction.op.reads & register.bit and self.cells[register.index] is None:
                return register.name
        return ""


_TWO, _SIX, _OTHERS = [None] * 2, [None] * 6, [None] * (FLAGS - 19)


def _clobber(cells: list[Any]) -> None:
    """Leave nothing in the caller-saved registers but the results, rax and xmm0 to xmm3, nor in the flags."""
    cells[1:3] = _TWO
    cells[6:12] = _SIX
    cells[20 : FLAGS + 1] = _OTHERS
