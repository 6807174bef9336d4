"""What the interpreters of L2 and L1 make of each instruction, compared with what this machine's processor makes of it."""

import ctypes
import mmap
import platform
import random
import sys
from array import array

import pytest

from septet.base.symbols import LABEL, symbol
from septet.base.types import U8
from septet.base.words import wrap
from septet.x86 import forms, semantics, steps
from septet.x86.blocks import Prepared
from septet.x86.encode import encode, encode_form
from septet.x86.instructions import Instruction, Mem
from septet.x86.memory import MemorySteps
from septet.x86.prepare import Translator
from septet.x86.registers import GENERAL, RAX, RCX, RDI, REGISTERS, RSI, RSP, VECTOR, XMM
from septet.x86.rows import FAMILIES

NATIVE = sys.platform == "linux" and platform.machine() == "x86_64"
SKIPPED = (
    "jmp jmp-indirect call ret syscall ud2 int3 cpuid rdtsc pause push pop clc stc cmc cld std rcl rcr shld shrd repne-scasb"
    " repe-cmpsb rcl8 rcr8 rcl32 rcr32 rcl16 rcr16 shld32 shrd32 shld16 shrd16 mfence sfence lfence prefetcht0 prefetcht1"
    " prefetcht2 prefetchnta nop long-nop long-nop16 data16-nop"
).split()
NAMES = [name for name in FAMILIES if name not in SKIPPED and not forms.op(name).jumps]
CONVERTS = ("sqrts", "rounds", "cvt")  # leave the upper part of a vector register as it was; the interpreters clear it

WORDS = [0, 1, 2, -1, -2, 127, 128, 255, 1 << 15, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, -(1 << 63), 63, 64, 33]
DOUBLES = [
    0, 1 << 63, 0x3FF0000000000000, 0xBFF0000000000000, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000001,
    0xFFF0000000000123, 0x7FF0000000000001, 0x3FE0000000000000, 0x4004000000000000, 0x43E0000000000000, 0x47F0000000000000, 1,
    0x3F8000003F800000, 0x7F800001FFC00000, 0x4B000001BF000000, 0x5F0000007F7FFFFF, 0x00000001BFC00000, 0x4020000040200000,
]  # fmt: skip


class Buffer:
    """Memory at its real addresses, for both sides."""

    def __init__(self) -> None:
        self.content = ctypes.create_string_buffer(4096)
        self.address = ctypes.addressof(self.content)
        self.stack_top = 1 << 62
        self.words = memoryview(array("q", [0]))
        self.top = 0

    def load(self, address, type):
        size = type.bits // 8
        at = address - self.address
        assert 0 <= at <= 4096 - size
        return type.wrap(int.from_bytes(self.content.raw[at : at + size], "little"))

    def store(self, address, type, number):
        ctypes.memmove(address, number.to_bytes(type.bits // 8, "little", signed=type.signed), type.bits // 8)

    def load_word(self, address):
        at = address - self.address
        assert 0 <= at <= 4088
        return wrap(int.from_bytes(self.content.raw[at : at + 8], "little"))

    def store_word(self, address, word):
        ctypes.memmove(address, word.to_bytes(8, "little", signed=True), 8)


class Processor:
    """Runs single instructions natively.  The state is 16 general words, the flags, a spare word and 16 vector registers."""

    def __init__(self) -> None:
        self.code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self.state = ctypes.create_string_buffer(8 * 18 + 16 * 16)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.code))
        self.call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)

    def assemble(self, code: bytes) -> None:
        op = forms.op
        saved = [REGISTERS[number] for number in (3, 5, 12, 13, 14, 15)]
        general = [register for register in REGISTERS[:16] if register not in (RSP, RDI)]
        out = [encode(op("push"), (register,)) for register in [*saved, RDI]]
        out += [encode(op("push"), (Mem(RDI, 8 * 16),)), b"\x9d"]  # popfq
        out += [encode(op("movups"), (register, Mem(RDI, 144 + 16 * register.number))) for register in XMM]
        out += [encode(op("mov"), (register, Mem(RDI, 8 * register.number))) for register in [*general, RDI]]
        out += [code, encode(op("xchg"), (Mem(RSP, 0), RDI))]
        out += [encode(op("mov"), (Mem(RDI, 8 * register.number), register)) for register in general]
        out += [b"\x9c", encode(op("pop"), (Mem(RDI, 8 * 16),))]  # pushfq
        out += [encode(op("pop"), (RAX,)), encode(op("mov"), (Mem(RDI, 8 * RDI.number), RAX))]
        out += [encode(op("movups"), (Mem(RDI, 144 + 16 * register.number), register)) for register in XMM]
        out += [encode(op("pop"), (register,)) for register in reversed(saved)] + [b"\xfc\xc3"]  # cld, ret
        self.code.seek(0)
        self.code.write(b"".join(out))

    def run(self, cells, flags):
        words = [cells[number] for number in range(16)]
        raw = b"".join([word.to_bytes(8, "little", signed=True) for word in words])
        raw += (flags | 2).to_bytes(8, "little") + bytes(8)
        raw += b"".join([cells[16 + number].to_bytes(16, "little") for number in range(16)])
        ctypes.memmove(self.state, raw, len(raw))
        self.call(ctypes.addressof(self.state))
        raw = self.state.raw
        general = [int.from_bytes(raw[8 * n : 8 * n + 8], "little", signed=True) for n in range(16)]
        vectors = [int.from_bytes(raw[144 + 16 * n : 160 + 16 * n], "little") for n in range(16)]
        return general + vectors, int.from_bytes(raw[128:136], "little") & semantics.ALL_FLAGS


def operands_of(form, pick, address_at):
    """Random operands for a form, or None where it has none to try."""
    operands = []
    for place in form.places:
        if place.memory >= 0 and (place.bank < 0 or pick.random() < 0.3):
            operands.append(Mem(REGISTERS[address_at], pick.choice([0, 16, 32])))
        elif place.fixed is not None:
            operands.append(place.fixed)
        elif place.bank == GENERAL:
            operands.append(pick.choice([REGISTERS[n] for n in range(16) if n not in (RSP.index, address_at)]))
        elif place.bank == VECTOR:
            operands.append(pick.choice(XMM[:5]))
        elif place.high >= place.low:
            operands.append(pick.choice([place.low, place.high, 1, pick.randint(place.low, place.high)]))
        else:
            return None
    return tuple(operands)


def interpreted(instruction, cells, flags, buffer):
    """The cells and flags after an instruction."""
    label = symbol(LABEL, "l")
    body = [instruction, Instruction(forms.LABEL, (label, 0)), Instruction(forms.op("jb"), (label,))]
    function = Prepared("f", 0, 0, 1, body)
    cells = cells + [flags] + [None] * 3 + [0]
    assert len(cells) == steps.VARIABLES
    Translator(cells, MemorySteps(buffer, 1 << 61), {}, lambda name: 0).prepare(function)
    for step, d, a, b in function.entry.steps:
        step(cells, d, a, b)
    return cells[:32], steps.flags_now(cells)


def would_trap_or_be_undefined(instruction, cells, buffer):
    op, name = instruction.op, instruction.op.name
    source = instruction.operands[-1] if instruction.operands else None
    if name.startswith(("div", "idiv")):
        value = buffer.load_word(cells[source[0].index] + source[3]) if isinstance(source, Mem) else cells[source.index]
        return semantics.division(op.width, cells[0], cells[2], value, name[0] == "i") is None
    if name.startswith(("bsf", "bsr")):
        value = buffer.load_word(cells[source[0].index] + source[3]) if isinstance(source, Mem) else cells[source.index]
        return not value & ((1 << op.width) - 1)
    in_memory = any(isinstance(operand, Mem) for operand in instruction.operands)
    # Bit strings in memory are nothing that the interpreters have.
    return in_memory and name.startswith("bt") and not isinstance(source, int)


def random_word(pick):
    kind = pick.random()
    return pick.choice(WORDS) if kind < 0.5 else wrap(pick.getrandbits(64)) if kind < 0.8 else pick.randint(-300, 300)


def random_vector(pick):
    return sum([(pick.choice(DOUBLES) if pick.random() < 0.7 else pick.getrandbits(64)) << shift for shift in (0, 64)])


def prepare_state(name, pick, buffer, address_at):
    cells = [random_word(pick) for _ in range(16)] + [random_vector(pick) for _ in range(16)]
    cells[RSP.index] = 0
    cells[address_at] = buffer.address + 256
    if name.startswith("rep-"):
        cells[RCX.index] = pick.randint(0, 5)
        cells[RDI.index] = buffer.address + 256 + pick.randint(0, 40)
        cells[RSI.index] = buffer.address + 256 + pick.randint(0, 40)
    if name.startswith(("div", "idiv")) and pick.random() < 0.8:
        cells[2] = pick.choice([0, -1, 1])
    words = [pick.choice(DOUBLES) if pick.random() < 0.5 else pick.getrandbits(64) for _ in range(64)]
    content = b"".join([word.to_bytes(8, "little") for word in words])
    return cells, bytes(128) + content + bytes(4096 - 128 - 512)


def low_bits_of(name):
    """How many low bits of a vector target are compared."""
    if not name.startswith(CONVERTS):
        return 128
    return 32 if name.endswith(("ss", "ss32")) else 64


@pytest.mark.skipif(not NATIVE, reason="runs x86-64 machine code")
@pytest.mark.parametrize("name", NAMES)
def test_same_as_processor(name, request):
    pick = random.Random(name)
    try:
        processor = Processor()
    except (OSError, PermissionError):
        pytest.skip("this process may not make executable pages")
    buffer = Buffer()
    shapes, trials = (8, 100) if request.config.getoption("--whole") else (4, 12)
    op = forms.op(name)
    for form in op.forms:
        for _ in range(shapes):
            # What is at the address must stay there while rax and rdx, or rcx, rsi and rdi, get their values.
            address_at = 13 if name.startswith("rep-") else pick.choice([3, 6, 13])
            instruction = Instruction(op, operands_of(form, pick, address_at))
            processor.assemble(encode_form(form, instruction.operands))
            for _ in range(trials):
                same_once(instruction, processor, buffer, prepare_state(name, pick, buffer, address_at), pick.getrandbits(12))


def same_once(instruction, processor, buffer, state, flags):
    cells, content = state
    flags &= semantics.ALL_FLAGS
    ctypes.memmove(buffer.address, content, len(content))
    if would_trap_or_be_undefined(instruction, cells, buffer):
        return
    found, found_flags = interpreted(instruction, cells, flags, buffer)
    found_memory = buffer.content.raw
    ctypes.memmove(buffer.address, content, len(content))
    wanted, wanted_flags = processor.run(cells, flags)
    what = f"{instruction!r} {cells} {flags:#x}"
    assert buffer.content.raw == found_memory, what
    compare(instruction, found, wanted, what)
    defined = semantics.ALL_FLAGS & ~((found_flags if found_flags is not None else semantics.UNDEFINED) >> 16)
    assert ((found_flags or 0) ^ wanted_flags) & defined == 0, f"flags {found_flags} {wanted_flags:#x} {what}"


def compare(instruction, found, wanted, what):
    bits = low_bits_of(instruction.op.name)
    for register in REGISTERS:
        if register is RSP:
            continue
        a, b = found[register.index], wanted[register.index]
        if register.bank == VECTOR and register in instruction.operands[:1]:
            a, b = a & ((1 << bits) - 1), b & ((1 << bits) - 1)
        assert a == b, f"{register}: {a:#x} {b:#x} {what}"


@pytest.mark.parametrize("mnemonic", sorted(steps.QUICK))
def test_quick_steps_mean_the_same(mnemonic):
    pick = random.Random(mnemonic)
    for _ in range(500):
        x, y = random_word(pick), random_word(pick)
        cells = [x, y, None]
        steps.QUICK[mnemonic](cells, 2, 0, 1)
        assert cells[2] == wrap(semantics.RESULTS[mnemonic](64, x, y))


def test_reading_an_undefined_flag():
    cells = [0] * 32 + [semantics.OVERFLOW << 16]
    with pytest.raises(steps.Undefined):
        steps.holds(cells, "l")
    assert not steps.holds(cells, "b")


def test_a_word_that_nothing_wrote_is_not_read():
    for step in (steps.move, steps.add, steps.imul, steps.bit_and, steps.sar, steps.compare("="), steps.compare("<u")):
        with pytest.raises(TypeError):
            step([None, 1, 0], 2, 0, 1)


def test_buffer_is_byte_wise():
    buffer = Buffer()
    buffer.store_word(buffer.address, 0x1FF)
    assert buffer.load(buffer.address + 1, U8) == 1
