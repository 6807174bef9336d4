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
from septet.x86.instructions import Instruction, Mem, Pool
from septet.x86.memory import MemorySteps
from septet.x86.prepare import Translator
from septet.x86.registers import GENERAL, MASK, MASKS, RAX, RCX, RDI, REGISTERS, RSI, RSP, VECTOR, XMM
from septet.x86.rows import FAMILIES
from septet.x86.targets import FEATURES, machine

NATIVE = sys.platform == "linux" and platform.machine() == "x86_64"
SKIPPED = (
    "jmp jmp-indirect call ret syscall ud2 int3 cpuid rdtsc pause push pop cld std repne-scasb repe-cmpsb mfence sfence lfence"
    " prefetcht0 prefetcht1 prefetcht2 prefetchnta nop long-nop long-nop16 data16-nop"
).split()
forms.names()  # reads the whole table
NAMES = [name for name in FAMILIES if name not in SKIPPED and not forms.op(name).jumps]
HAS = machine() if NATIVE else 0
LENGTH = (
    512 if HAS & FEATURES["avx512bw"] else 256 if HAS & FEATURES["avx"] else 128
)  # bits of vector registers that are looked at

WORDS = [0, 1, 2, -1, -2, 127, 128, 255, 1 << 15, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, -(1 << 63), 63, 64, 33]
DOUBLES = [
    0, 1 << 63, 0x3FF0000000000000, 0xBFF0000000000000, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000001,
    0xFFF0000000000123, 0x7FF0000000000001, 0x3FE0000000000000, 0x4004000000000000, 0x43E0000000000000, 0x47F0000000000000, 1,
    0x3F8000003F800000, 0x7F800001FFC00000, 0x4B000001BF000000, 0x5F0000007F7FFFFF, 0x00000001BFC00000, 0x4020000040200000,
]  # fmt: skip


class Buffer:
    """Memory at its real addresses, for both sides; it begins at a multiple of 64."""

    def __init__(self) -> None:
        self.space = ctypes.create_string_buffer(4096 + 64)
        self.address = (ctypes.addressof(self.space) + 63) & -64
        self.content = (ctypes.c_char * 4096).from_address(self.address)
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
    """Runs single instructions natively.

    The state is 16 general words, the flags, a spare word, 16 vector registers of 64 bytes and 8 mask registers."""

    SIZE = 8 * 18 + 64 * 16 + 8 * 8

    def __init__(self) -> None:
        self.code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self.state = ctypes.create_string_buffer(self.SIZE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.code))
        self.call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)
        self.move = forms.op({512: "vmovups512", 256: "vmovups256", 128: "movups"}[LENGTH])
        self.masks = MASKS if LENGTH == 512 else []

    def assemble(self, code: bytes) -> None:
        op = forms.op
        saved = [REGISTERS[number] for number in (3, 5, 12, 13, 14, 15)]
        general = [register for register in REGISTERS[:16] if register not in (RSP, RDI)]
        vectors = [(register, Mem(RDI, 144 + 64 * register.number)) for register in XMM]
        masks = [(register, Mem(RDI, 1168 + 8 * register.number)) for register in self.masks]
        out = [encode(op("push"), (register,)) for register in [*saved, RDI]]
        out += [encode(op("push"), (Mem(RDI, 8 * 16),)), b"\x9d"]  # popfq
        out += [encode(self.move, place) for place in vectors] + self.through(RAX, masks)
        out += [encode(op("mov"), (register, Mem(RDI, 8 * register.number))) for register in [*general, RDI]]
        out += [code, encode(op("xchg"), (Mem(RSP, 0), RDI))]
        out += [encode(op("mov"), (Mem(RDI, 8 * register.number), register)) for register in general]
        out += [b"\x9c", encode(op("pop"), (Mem(RDI, 8 * 16),))]  # pushfq
        out += [encode(op("pop"), (RAX,)), encode(op("mov"), (Mem(RDI, 8 * RDI.number), RAX))]
        out += [encode(self.move, place[::-1]) for place in vectors]
        out += self.through(RAX, masks, store=True)
        out += [encode(op("vzeroupper"), ())] if LENGTH > 128 else []
        out += [encode(op("pop"), (register,)) for register in reversed(saved)] + [b"\xfc\xc3"]  # cld, ret
        self.code.seek(0)
        self.code.write(b"".join(out))

    @staticmethod
    def through(register, masks, store=False):
        """Loads or stores of mask registers."""
        out = []
        for mask, place in masks:
            steps = [(forms.MOV, (register, place)), (forms.op("kmovq"), (mask, register))]
            out += [encode(op, operands[::-1] if store else operands) for op, operands in (steps[::-1] if store else steps)]
        return out

    def run(self, cells, flags):
        words = [cells[number] for number in range(16)]
        raw = b"".join([word.to_bytes(8, "little", signed=True) for word in words])
        raw += (flags | 2).to_bytes(8, "little") + bytes(8)
        raw += b"".join([cells[16 + number].to_bytes(64, "little") for number in range(16)])
        raw += b"".join([cells[32 + number].to_bytes(8, "little") for number in range(8)])
        ctypes.memmove(self.state, raw, len(raw))
        self.call(ctypes.addressof(self.state))
        raw = self.state.raw
        general = [int.from_bytes(raw[8 * n : 8 * n + 8], "little", signed=True) for n in range(16)]
        vectors = [int.from_bytes(raw[144 + 64 * n : 208 + 64 * n], "little") for n in range(16)]
        masks = [int.from_bytes(raw[1168 + 8 * n : 1176 + 8 * n], "little") for n in range(8)]
        return general + vectors + masks, int.from_bytes(raw[128:136], "little") & semantics.ALL_FLAGS


def operands_of(form, pick, address_at):
    """Random operands for a form, or None where it has none to try."""
    operands = []
    for place in form.places:
        if place.memory >= 0 and (place.bank < 0 or pick.random() < 0.3):
            operands.append(Mem(REGISTERS[address_at], pick.choice([0, 16, 32] if place.memory <= 128 else [0, 64, 128])))
        elif place.fixed is not None:
            operands.append(place.fixed)
        elif place.bank == GENERAL:
            operands.append(pick.choice([REGISTERS[n] for n in range(16) if n not in (RSP.index, address_at)]))
        elif place.bank == VECTOR:
            operands.append(pick.choice(XMM[:5] if pick.random() < 0.8 else XMM))
        elif place.bank == MASK:
            operands.append(pick.choice(MASKS[1:] if place.chooses else MASKS))
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
    return cells[: steps.FLAGS], steps.flags_now(cells)


def would_trap_or_be_undefined(instruction, cells, buffer):
    op, name = instruction.op, instruction.op.name
    source = instruction.operands[-1] if instruction.operands else None
    if name.startswith(("div", "idiv")):
        value = buffer.load_word(cells[source[0].index] + source[3]) if isinstance(source, Mem) else cells[source.index]
        return semantics.division(op.width, cells[0], cells[2], value, name[0] == "i") is None
    if name.startswith(("bsf", "bsr")):
        value = buffer.load_word(cells[source[0].index] + source[3]) if isinstance(source, Mem) else cells[source.index]
        return not value & ((1 << op.width) - 1)
    if name in ("shld16", "shrd16"):
        return (source if isinstance(source, int) else cells[source.index]) & 31 > 16
    in_memory = any(isinstance(operand, Mem) for operand in instruction.operands)
    # Bit strings in memory are nothing that the interpreters have.
    return in_memory and name.startswith("bt") and not isinstance(source, int)


def random_word(pick):
    kind = pick.random()
    return pick.choice(WORDS) if kind < 0.5 else wrap(pick.getrandbits(64)) if kind < 0.8 else pick.randint(-300, 300)


def random_vector(pick):
    words = [pick.choice(DOUBLES) if pick.random() < 0.7 else pick.getrandbits(64) for _ in range(LENGTH // 64)]
    return sum([word << 64 * number for number, word in enumerate(words)])


def random_mask(pick):
    return pick.choice([0, (1 << 64) - 1, 255, (1 << 16) - 1, (1 << 32) - 1, pick.getrandbits(64), pick.getrandbits(8)])


def straight(instruction, buffer, cells):
    """The steps of an instruction, and the cells with what constants they need."""
    function = Prepared("f", 0, 0, 1, [instruction])
    Translator(cells, MemorySteps(buffer, 1 << 61), {}, lambda name: 0).prepare(function)
    return function.entry.steps


def run_straight(op, operands, cells):
    """The cells after one instruction; cells that are not given hold nothing."""
    cells = [cells.get(cell) for cell in range(steps.VARIABLES)]
    cells[steps.ZERO] = 0
    for step, d, a, b in straight(Instruction(forms.op(op), operands), Buffer(), cells):
        step(cells, d, a, b)
    return cells


def prepare_state(name, pick, buffer, address_at):
    cells = [random_word(pick) for _ in range(16)] + [random_vector(pick) for _ in range(16)]
    cells += [random_mask(pick) if LENGTH == 512 else 0 for _ in range(8)]
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


@pytest.mark.skipif(not NATIVE, reason="runs x86-64 machine code")
@pytest.mark.parametrize("name", NAMES)
def test_same_as_processor(name, request):
    if forms.op(name).needs & ~HAS:
        pytest.skip("this machine lacks it")
    pick = random.Random(name)
    try:
        processor = Processor()
    except (OSError, PermissionError):
        pytest.skip("this process may not make executable pages")
    buffer = Buffer()
    shapes, trials = (8, 100) if request.config.getoption("--whole") else (3, 10)
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
    compare(found, wanted, what)
    defined = semantics.ALL_FLAGS & ~((found_flags if found_flags is not None else semantics.UNDEFINED) >> 16)
    assert ((found_flags or 0) ^ wanted_flags) & defined == 0, f"flags {found_flags} {wanted_flags:#x} {what}"


def compare(found, wanted, what):
    for register in REGISTERS:
        if register is not RSP:
            a, b = found[register.index], wanted[register.index]
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
    cells = [0] * steps.FLAGS + [semantics.OVERFLOW << 16]
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


@pytest.mark.parametrize("name", NAMES)
def test_every_form_can_be_interpreted(name, monkeypatch):
    def unknown(self, instruction):
        pytest.fail(f"nothing says what {instruction} does")

    monkeypatch.setattr(Translator, "unknown", unknown)
    pick = random.Random(name)
    for form in forms.op(name).forms:
        instruction = Instruction(form.op, operands_of(form, pick, RSI.index))
        assert straight(instruction, Buffer(), [0] * steps.VARIABLES) or name.startswith(("prefetch", "nop"))


ONES = (1 << 128) - 1


@pytest.mark.parametrize(
    ("op", "operands", "result"),
    [
        ("pxor", (XMM[1], XMM[1]), 0),
        ("vpxor", (XMM[1], XMM[2], XMM[2]), 0),
        ("vxorps256", (XMM[1], XMM[2], XMM[2]), 0),
        ("vpsubq", (XMM[1], XMM[2], XMM[2]), 0),
        ("pcmpeqd", (XMM[1], XMM[1]), ONES),
        ("vpcmpeqb256", (XMM[1], XMM[2], XMM[2]), ONES | ONES << 128),
        ("vpternlogd", (XMM[1], XMM[1], XMM[1], 255), ONES),
        ("vpternlogd512", (XMM[1], XMM[1], XMM[1], 0), 0),
    ],
)
def test_a_result_that_does_not_depend_on_what_is_read(op, operands, result):
    assert run_straight(op, operands, {})[XMM[1].index] == result


@pytest.mark.parametrize(
    ("op", "operands"),
    [
        ("pxor", (XMM[1], XMM[2])),
        ("vpxor", (XMM[1], XMM[2], XMM[3])),
        ("vpaddd", (XMM[1], XMM[2], XMM[2])),
        ("vpternlogd", (XMM[1], XMM[1], XMM[1], 150)),
        ("vaddsd", (XMM[1], XMM[2], XMM[2])),
        ("vmovaps256", (XMM[1], XMM[2])),
        ("vptest", (XMM[1], XMM[1])),
        ("vpmovm2q512", (XMM[1], MASKS[1])),
        ("kmovq", (RAX, MASKS[1])),
    ],
)
def test_a_vector_that_nothing_wrote_is_not_read(op, operands):
    with pytest.raises(TypeError):
        run_straight(op, operands, {})


def test_what_is_above_a_scalar_need_not_be_defined():
    cells = run_straight("vsqrtsd", (XMM[1], XMM[2], XMM[3]), {XMM[3].index: 0x4010000000000000})
    assert cells[XMM[1].index] == 0x4000000000000000


def test_vzeroupper_defines_nothing():
    cells = run_straight("vzeroupper", (), {XMM[1].index: (1 << 512) - 1})
    assert cells[XMM[1].index] == ONES
    assert cells[XMM[2].index] is None


@pytest.mark.parametrize(
    ("op", "target", "content", "result"),
    [
        ("movsd", XMM[1], bytes([0, 0, 0, 0, 0, 0, 0xF0, 0xBF]), 0xBFF0000000000000),
        ("vmovups256", XMM[1], bytes(range(32)), int.from_bytes(bytes(range(32)), "little")),
        ("vpbroadcastd512", XMM[1], bytes([1, 0, 0, 0x80]), 0x80000001 * ((1 << 512) // 0xFFFFFFFF)),
        ("mov", RAX, bytes([255] * 8), -1),
    ],
)
def test_constants_in_memory(op, target, content, result):
    assert run_straight(op, (target, Pool(content)), {})[target.index] == result


@pytest.mark.parametrize(
    ("op", "operands", "faults"),
    [
        ("movaps", (XMM[1], Mem(RSI, 8)), True),
        ("movups", (XMM[1], Mem(RSI, 8)), False),
        ("addpd", (XMM[1], Mem(RSI, 8)), True),
        ("addpd", (XMM[1], Mem(RSI, 16)), False),
        ("vaddpd", (XMM[1], XMM[1], Mem(RSI, 8)), False),
        ("vmovaps256", (Mem(RSI, 16), XMM[1]), True),
        ("vmovaps512", (Mem(RSI, 64), XMM[1]), False),
        ("vmovups512", (Mem(RSI, 8), XMM[1]), False),
    ],
)
def test_memory_that_must_be_aligned(op, operands, faults):
    buffer = Buffer()
    cells = [0] * steps.VARIABLES
    cells[RSI.index] = buffer.address
    made = straight(Instruction(forms.op(op), operands), buffer, cells)
    if faults:
        with pytest.raises(steps.Undefined, match="multiple of"):
            made[0][0](cells, *made[0][1:])
    else:
        for step, d, a, b in made:
            step(cells, d, a, b)
