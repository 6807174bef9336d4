"""The checks that the verifiers of L2 and L1 share; their docstrings say what each one holds."""

from __future__ import annotations

from septet.base.diagnostics import Diagnostic, did_you_mean
from septet.base.source import locate
from septet.base.symbols import DATA, FUNCTION, LABEL, ROUTINE, Line, Symbol, symbol
from septet.base.words import fits
from septet.ops.routines import ROUTINES
from septet.x86 import forms
from septet.x86.abi import CALLEE_SAVED, RESULTS, c_words
from septet.x86.instructions import Mem, Pool, Variable
from septet.x86.registers import GENERAL, MASK, RAX, RSP, VECTOR, Register
from septet.x86.rows import FAMILIES
from septet.x86.spell import spell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Protocol

    from septet.base.source import Place, Source
    from septet.base.symbols import Data
    from septet.x86.forms import Operand
    from septet.x86.instructions import Instruction, Op

    class Function(Protocol):
        """What is checked of an L2 or L1 function."""

        name: str
        words: int
        arity: int
        line: int
        body: list[Instruction]


class Checker:
    """Checks functions of one program.  `virtual`: variables are allowed (L2)."""

    def __init__(
        self, functions: Mapping[str, Function], data: Mapping[str, Data], source: Source | None, virtual: bool
    ) -> None:
        self.functions = functions
        self.data = data
        self.source = source
        self.virtual = virtual
        self.function: Function
        self._labels: set[str] | None = None  # of the whole program, once asked for

    def program(self, entry: str) -> Iterator[Diagnostic]:
        """entry, names, data, labels."""
        if entry not in self.functions:
            yield Diagnostic(f"the entry function '@{entry}' is not declared", None, did_you_mean(entry, self.functions))
        for name, function in self.functions.items():
            if function.name != name:
                yield Diagnostic(f"the function known as '@{name}' is called '@{function.name}'")
        for name, data in self.data.items():
            if data.name != name:
                yield Diagnostic(f"the data known as '@{name}' is called '@{data.name}'")
            if name in self.functions:
                yield Diagnostic(f"'@{name}' is both data and a function")
            if not 0 <= len(data.content) <= data.size:
                yield Diagnostic(f"data '@{name}' has {len(data.content)} bytes of content in {data.size}")
        yield from self._labels_twice(self.functions.values())

    def labels_of(self, function: Function) -> Iterator[Diagnostic]:
        """labels, of one function alone."""
        yield from self._labels_twice([function])

    def _labels_twice(self, functions: Iterable[Function]) -> Iterator[Diagnostic]:
        first: dict[Operand, tuple[Function, Instruction]] = {}
        for function in functions:
            for instruction in function.body:
                if instruction.op is forms.LABEL:
                    other = first.setdefault(instruction.operands[0], (function, instruction))
                    if other[1] is not instruction:
                        name = repr(instruction.operands[0])
                        place = locate(self.source, other[0].line, other[1].span, name)
                        self.function = function
                        also = [(place, "first declared here")] if place else []
                        yield self._problem(instruction, f"label '{name}' is declared twice", name, "", also)

    def body(self, function: Function) -> Iterator[Diagnostic]:
        """words, ends, targets, symbols, operands."""
        self.function = function
        if not 0 <= function.words <= function.arity:
            yield Diagnostic(f"'@{function.name}' has {function.words} word parameters of {function.arity} in all")
        labels = {instruction.operands[0] for instruction in function.body if instruction.op is forms.LABEL}
        for instruction in function.body:
            op = instruction.op
            if op.jumps and (len(instruction.operands) < 1 or instruction.operands[-1] not in labels):
                yield self._bad_target(instruction, labels)
            found = self._symbols(instruction) or self._operands(instruction)
            if found is not None:
                yield found
        last = function.body[-1] if function.body else None
        if last is None or not last.op.ends:
            text = f"control runs off the end of '@{function.name}'"
            yield self._problem(last, text) if last else Diagnostic(text)

    def _problem(
        self,
        instruction: Instruction,
        message: str,
        text: str = "",
        hint: str = "",
        also: Sequence[tuple[Place, str]] = (),
    ) -> Diagnostic:
        place = locate(self.source, self.function.line, instruction.span, text)
        if place is None:
            message = f"in '@{self.function.name}', at '{spell(instruction)}': {message}"
        return Diagnostic(message, place, hint, also)

    def _bad_target(self, instruction: Instruction, labels: set[Operand]) -> Diagnostic:
        label = instruction.operands[-1] if instruction.operands else None
        if not isinstance(label, Symbol) or label.kind != LABEL:
            return self._problem(instruction, "expected a label to go to")
        if label.name in self._all_labels():
            return self._problem(instruction, f"label '{label!r}' is in another function", repr(label))
        known = [name.name for name in labels if isinstance(name, Symbol)]
        return self._problem(
            instruction, f"there is no label '{label!r}'", repr(label), did_you_mean(label.name, sorted(known))
        )

    def _all_labels(self) -> set[str]:
        if self._labels is None:
            self._labels = set()
            for function in self.functions.values():
                for instruction in function.body:
                    label = instruction.operands[0] if instruction.op is forms.LABEL else None
                    if isinstance(label, Symbol):
                        self._labels.add(label.name)
        return self._labels

    def _symbols(self, instruction: Instruction) -> Diagnostic | None:
        """Whether every name in an instruction has been declared."""
        for operand in instruction.operands:
            if isinstance(operand, Line) and operand.function:
                operand = symbol(FUNCTION, operand.function)
            if not isinstance(operand, Symbol):
                continue
            known: Iterable[str] = ()
            if instruction.op is forms.CALL_C:
                continue
            if operand.kind == FUNCTION and operand.name not in self.functions:
                known = self.functions
                what = "function"
            elif operand.kind == DATA and operand.name not in self.data:
                known = self.data
                what = "data"
            elif operand.kind == LABEL and not instruction.op.jumps and operand.name not in self._all_labels():
                known = sorted(self._all_labels())
                what = "label"
            else:
                continue
            hint = did_you_mean(operand.name, known)
            return self._problem(instruction, f"there is no {what} '{operand!r}'", repr(operand), hint)
        return None

    # Operands

    def _operands(self, instruction: Instruction) -> Diagnostic | None:
        """Whether an opcode can take its operands."""
        op, operands = instruction.op, instruction.operands
        for operand in operands:
            found = self._storage(operand)
            if found:
                return self._problem(instruction, found, repr(operand) if not isinstance(operand, Mem) else "")
        message = ""
        if op.name in FAMILIES and op is not forms.CALL:
            if not self._fits_form(instruction):
                message = self._why_not(instruction)
        elif op is forms.LABEL:
            if len(operands) != 2 or not isinstance(operands[0], Symbol) or operands[0].kind != LABEL:
                message = "expected a label and its loop depth"
        elif op.is_call:
            message = self._call(instruction)
        elif op is forms.RETURN:
            if operands != tuple(RESULTS[: len(operands)]):
                message = "a function returns nothing, or xmm0, or xmm0 to xmm3"
        elif op is forms.STACK_ARG:
            message = self._stack_arg(operands)
        elif op is forms.ROOTS:
            message = self._roots(operands)
        else:
            message = self._comparison(instruction)
        return self._problem(instruction, message) if message else None

    def _storage(self, operand: Operand) -> str:
        """What is wrong with a variable or with memory, whatever the opcode."""
        if isinstance(operand, Variable) and not self.virtual:
            return f"L1 has no variables, but '{operand!r}' stands here"
        if not isinstance(operand, Mem):
            return ""
        base, index, scale, displacement = operand
        if scale not in (1, 2, 4, 8):
            return f"the scale {scale} of '{operand!r}' is not 1, 2, 4 or 8"
        if not fits(displacement, 32):
            return f"the displacement {displacement} does not fit in 32 bits"
        if index is RSP:
            return "rsp cannot be an index"
        for part in (base, index):
            if isinstance(part, Variable) and not self.virtual:
                return f"L1 has no variables, but '{part!r}' stands here"
            if part is not None and part.bank != GENERAL:
                return f"'{part!r}' is a vector register, but addresses are made of general ones"
        return ""

    def _fits_form(self, instruction: Instruction) -> bool:
        op, operands = instruction.op, instruction.operands
        if op.jumps:
            return len(operands) == 1  # to a label, as was seen before
        if op is forms.MOV and len(operands) == 2 and isinstance(operands[1], Symbol | Line):
            target = operands[0]
            return isinstance(target, Mem) or isinstance(target, Register | Variable) and target.bank == GENERAL
        if any(isinstance(operand, Pool) and "w" in how for operand, how in zip(operands, op.access, strict=False)):
            return False
        return forms.form_for(op, operands) is not None

    def _why_not(self, instruction: Instruction) -> str:
        """Why no form of an opcode takes its operands."""
        op, operands = instruction.op, instruction.operands
        if len(operands) != len(op.access):
            return f"'{op.name}' takes {len(op.access)} operands, not {len(operands)}"
        for number, operand in enumerate(operands):
            if isinstance(operand, Pool) and "w" in op.access[number]:
                return f"'{op.name}' writes operand {number + 1}, but a constant cannot be written"
            if isinstance(operand, int):
                zeroed = (*operands[:number], 0, *operands[number + 1 :])
                if forms.form_for(op, zeroed) is not None:
                    return f"the number {operand} does not fit: '{op.name}' cannot hold it"
            elif isinstance(operand, Register | Variable):
                possible = [form.places[number].bank for form in op.forms if form.places[number].bank >= 0]
                if possible and operand.bank not in possible:
                    return f"expected {_BANKS[possible[0]]} as operand {number + 1} of '{op.name}', found '{operand!r}'"
            elif isinstance(operand, Pool):
                sizes = {form.places[number].memory // 8 for form in op.forms if form.places[number].memory > 0}
                if sizes and len(operand) not in sizes:
                    size = " or ".join(map(str, sorted(sizes)))
                    return f"'{op.name}' reads a constant of {size} bytes as operand {number + 1}, not of {len(operand)}"
        if sum([isinstance(operand, Mem | Pool) for operand in operands]) > 1:
            return f"'{op.name}' cannot have two memory operands"
        return f"'{op.name}' cannot take these operands; it has the forms {_forms(op)}"

    def _call(self, instruction: Instruction) -> str:
        op, operands = instruction.op, instruction.operands
        callee = operands[0] if operands else None
        if op is forms.CALL_C:
            if not isinstance(callee, Symbol) or c_words(callee) < 0 or operands[1:2] != (RAX,):
                return "expected how many words are on the stack, and rax among the registers"
        elif isinstance(callee, Symbol) and callee.kind == ROUTINE:
            routine = ROUTINES.get(callee.name)
            if routine is None:
                return f"there is no routine '{callee.name}'"
            if routine.ends != (op is forms.CALL_ERROR):
                return f"'{callee.name}' {'never returns' if routine.ends else 'returns'}, which this kind of call denies"
            if len(operands) - 1 not in routine.arities:
                wanted = " or ".join(map(str, routine.arities))
                return f"'{callee.name}' takes {wanted} arguments, not {len(operands) - 1}"
        elif op is forms.CALL_ERROR:
            return "only routines that never return are called so"
        elif not isinstance(callee, Symbol) or callee.kind != FUNCTION:
            if not isinstance(callee, Register | Variable) or callee.bank != GENERAL:
                return "expected a function or a general register to call"
        if op is forms.CALL_JUMP:
            number = operands[1] if len(operands) == 2 else None
            return "" if isinstance(number, int) and number >= 0 else "expected the number of arguments"
        if all(isinstance(operand, Register) for operand in operands[1:]):
            return ""
        return "only registers can be arguments"

    def _stack_arg(self, operands: tuple[Operand, ...]) -> str:
        if not self.virtual:
            return "L1 has no 'stack-arg': stack arguments are at 'mem rsp', above the slots"
        target, at = operands if len(operands) == 2 else (None, None)
        if not isinstance(target, Register | Variable) or target.bank != GENERAL:
            return "expected a general register or a variable"
        if not isinstance(at, int) or at < 0 or at % 8:
            return f"stack arguments are at multiples of 8 from 0 on, not at {at!r}"
        return ""

    def _roots(self, operands: tuple[Operand, ...]) -> str:
        for operand in operands:
            if isinstance(operand, Mem):
                if operand[0] is not RSP or operand[1] is not None or operand[3] < 0 or operand[3] % 8 or self.virtual:
                    return f"no stack slot: '{operand!r}'"
            elif not isinstance(operand, Variable) and operand not in CALLEE_SAVED:
                return f"expected what keeps its value across a call, found '{operand!r}'"
        return ""

    def _comparison(self, instruction: Instruction) -> str:
        """`cjump` and `w <- t cmp t`."""
        op, operands = instruction.op, instruction.operands
        if len(operands) != 3:
            return f"'{op.name}' takes 3 operands, not {len(operands)}"
        compared = operands[:2] if op.jumps else operands[1:]
        if not op.jumps and not _is_general(operands[0]):
            return f"expected a general register, found '{operands[0]!r}'"
        for operand in compared:
            if not isinstance(operand, int) and not _is_general(operand):
                return f"expected a general register or a number to compare, found '{operand!r}'"
        if all(isinstance(operand, int) for operand in compared):
            return ""  # decided when compiled
        for operand in compared:
            if isinstance(operand, int) and not fits(operand, 32):
                return f"the number {operand} does not fit in 32 bits"
        return ""


def _is_general(operand: Operand) -> bool:
    return isinstance(operand, Register | Variable) and operand.bank == GENERAL


_BANKS = {GENERAL: "a general register", VECTOR: "a vector register", MASK: "a mask register"}


def _forms(op: Op) -> str:
    texts = ["(" + ", ".join([place.text for place in form.places]) + ")" for form in op.forms if not form.encode_only]
    return " ".join(texts)
