"""Turning instructions on vector and mask registers into steps."""

from __future__ import annotations

from functools import cache

from septet.x86 import forms, steps
from septet.x86.instructions import Mem
from septet.x86.registers import GENERAL, MASK, VECTOR, XMM
from septet.x86.steps import SCRATCH
from septet.x86.vectors import FLAGS, MOVES, SCALARS, VECTORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.x86.instructions import Instruction, Op
    from septet.x86.prepare import Translator

_CLEAR = {"vzeroupper": 128, "vzeroall": 0}  # what stays of each register, in bits
_ALIGNED_MOVES = ("movaps", "movdqa")


def vector(translator: Translator, instruction: Instruction, mnemonic: str) -> None:
    """Add the steps of an instruction on vector or mask registers, as its row in `vectors` says."""
    op = instruction.op
    names = (op.name, mnemonic) if op.name[0] != "v" else (op.name, op.name[1:], mnemonic, mnemonic[1:])
    found = [name for name in names if name in MOVES or name in SCALARS or name in VECTORS or name in FLAGS]
    if op.name in _CLEAR:
        translator.emit(steps.clear_above, _CLEAR[op.name], 0, 0, instruction)
    elif not found:
        translator.unknown(instruction)
    elif found[0] in MOVES:
        _move(translator, instruction, MOVES[found[0]] or _length(op))
    elif found[0] in FLAGS:
        n, flags = FLAGS[found[0]]
        n = n or _length(op)
        a, b = _vector_operand(translator, instruction, 0), _vector_operand(translator, instruction, 1)
        translator.emit(steps.record_vectors(flags, n), 0, a, b, instruction)
    else:
        _computed(translator, instruction, found[0])


def _computed(translator: Translator, instruction: Instruction, name: str) -> None:
    op, target = instruction.op, instruction.operands[0]
    bank = _banks(op)[0]
    read = tuple([_vector_operand(translator, instruction, index) for index, access in enumerate(op.access) if "r" in access])
    read += tuple([register.index for register in XMM if op.reads & register.bit])
    legacy = bank == VECTOR and _is_legacy(op)
    d = SCRATCH if isinstance(target, Mem) else translator.cell(target)
    if name in SCALARS and bank == VECTOR:
        n, count, function = SCALARS[name]
        above = d if legacy or "r" in op.access[0] else read[0]
        translator.emit(steps.scalar(function, n, count, legacy), d, above, read, instruction)
    else:
        function = _function(_variant(instruction, name), _length(op))
        bits = op.width if bank == GENERAL and d != SCRATCH else 0
        translator.emit(steps.whole(function, bits, legacy and translator.mixed), d, 0, read, instruction)
    if d == SCRATCH:
        n = _memory_bits(op, 0)
        if n == 64:
            translator.emit(steps.extend(64, True), SCRATCH, SCRATCH, 0, instruction)
        translator.write(target, n, SCRATCH, instruction)


def _vector_operand(translator: Translator, instruction: Instruction, index: int) -> int:
    """The cell of an operand that is read; memory is loaded, from an aligned address where the processor wants that."""
    operand = instruction.operands[index]
    op = instruction.op
    if not isinstance(operand, Mem):
        return translator.cell(operand)
    n = _memory_bits(op, index)
    if n == 128 and _is_legacy(op):
        translator.emit(translator.memory.aligned, translator.where(operand), operand[3], n // 8, instruction)
    return translator.read(operand, n, SCRATCH, instruction, _banks(op)[index] == GENERAL)


def _move(translator: Translator, instruction: Instruction, n: int) -> None:
    """Moves of `n` bits between vector registers, mask registers, memory and general registers."""
    target, source = instruction.operands
    op = instruction.op
    memory = target if isinstance(target, Mem) else source if isinstance(source, Mem) else None
    if memory is not None and n >= 128 and op.name.removeprefix("v").startswith(_ALIGNED_MOVES):
        translator.emit(translator.memory.aligned, translator.where(memory), memory[3], n // 8, instruction)
    if isinstance(target, Mem):
        cell = translator.cell(source)
        if n <= 64:
            translator.emit(steps.extend(n, True), SCRATCH, cell, 0, instruction)
            cell = SCRATCH
        translator.write(target, n, cell, instruction)
        return
    d = translator.cell(target)
    keeps = target.bank == VECTOR and translator.mixed and _is_legacy(op)  # type: ignore[union-attr]
    if isinstance(source, Mem):
        translator.read(source, n, SCRATCH if keeps else d, instruction, False)
        if keeps:
            translator.emit(steps.low_bits_kept(n), d, SCRATCH, 0, instruction)
    elif n == 64 and target.bank == GENERAL:  # type: ignore[union-attr]
        translator.emit(steps.extend(64, True), d, translator.cell(source), 0, instruction)
    else:
        translator.emit((steps.low_bits_kept if keeps else steps.low_bits)(n), d, translator.cell(source), 0, instruction)


@cache
def _is_legacy(op: Op) -> bool:
    """Whether it is neither VEX nor EVEX: it keeps what is above 128 bits, and wants its memory aligned."""
    return op.forms[0].scheme == forms.LEGACY


def _banks(op: Op) -> tuple[int, ...]:
    """The bank of each operand."""
    banks: tuple[int, ...] = op.banks  # type: ignore[attr-defined]  # an opcode of the table
    return banks


@cache
def _length(op: Op) -> int:
    """The vector length in bits."""
    return 128 << max([form.length for form in op.forms]) if not _is_legacy(op) else 128


@cache
def _memory_bits(op: Op, index: int) -> int:
    """How many bits operand `index` has where it is memory."""
    return max([form.places[index].memory for form in op.forms])


def _variant(instruction: Instruction, name: str) -> str:
    """The name of the row: with an immediate, with memory or into a mask it may have one of its own."""
    if isinstance(instruction.operands[-1], int) and name + " imm" in VECTORS:
        return name + " imm"
    if name + " m" in VECTORS and any(isinstance(operand, Mem) for operand in instruction.operands):
        return name + " m"
    return name + " k" if _banks(instruction.op)[0] == MASK and name + " k" in VECTORS else name


@cache
def _function(name: str, length: int) -> Callable[..., int]:
    """What the row of that name computes for a vector length."""
    return VECTORS[name](length)
