"""The encoder against an independent disassembler, on every form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from instruction_cases import FORMS, cases, few, reading

from septet.base.symbols import LABEL, symbol
from septet.x86.encode import RIP, Unencodable, encode, encode_form, encode_rip, jump_near, jump_short, nops
from septet.x86.forms import ADD, CALL, CJUMP, IMUL, JMP, LEA, MOV, MOV32, SHL, Form, form_for, names, op
from septet.x86.instructions import Mem, Pool, Variable
from septet.x86.registers import MASKS, R8, R12, RAX, RBX, RCX, RDI, RDX, RSI, RSP, VECTOR, XMM
from septet.x86.targets import FEATURES

if TYPE_CHECKING:
    from septet.x86.forms import Operand

# How iced writes what has more than one spelling
SPELLED = {
    "data16 nop": "xchg ax, ax",
    "rep movsb": "rep movsb byte ptr [rdi], byte ptr [rsi]",
    "rep movsq": "rep movsq qword ptr [rdi], qword ptr [rsi]",
    "rep stosb": "rep stosb byte ptr [rdi]",
    "rep stosq": "rep stosq qword ptr [rdi]",
    "repne scasb": "repne scasb byte ptr [rdi]",
    "repe cmpsb": "repe cmpsb byte ptr [rsi], byte ptr [rdi]",
}


def iced() -> tuple[Any, Any]:
    """The module, and a formatter that writes as `septet.x86.decode.text` does, in lower case."""
    module = pytest.importorskip("iced_x86")
    formatter = module.Formatter(module.FormatterSyntax.INTEL)
    formatter.number_base = 10
    formatter.space_after_operand_separator = True
    formatter.memory_size_options = module.MemorySizeOptions.ALWAYS
    formatter.signed_immediate_operands = True
    formatter.rip_relative_addresses = True
    formatter.always_show_scale = True
    formatter.show_branch_size = False
    formatter.branch_leading_zeros = False
    formatter.use_pseudo_ops = False
    return module, formatter


def expected(form: Form, operands: tuple[Operand, ...], end: int) -> str:
    """What iced makes of the instruction."""
    wanted = reading(form, operands, end).lower()
    if form.mnemonic == "imul" and len(operands) == 2 and isinstance(operands[1], int):
        target, number = wanted.removeprefix("imul ").split(", ")
        return f"imul {target}, {target}, {number}"
    if form.places and form.places[0].is_label:
        name, _, target = wanted.partition(" ")
        return f"{name} {int(target, 16)}"
    return SPELLED.get(wanted, wanted)


def differences(form: Form, encodings: list[tuple[tuple[Operand, ...], bytes]]) -> list[str]:
    """Where iced reads other instructions in the encodings than were asked for."""
    module, formatter = iced()
    found = []
    for operands, code in encodings:
        read = list(module.Decoder(64, code))
        got = "; ".join([formatter.format(instruction) for instruction in read])
        if got != expected(form, operands, len(code)):
            found.append(f"{form!r}: {operands} gives {code.hex(' ')}, which is {got}")
    return found


def test_every_form_reads_back(record_property: Any) -> None:
    iced()
    count = 0
    wrong: list[str] = []
    for form in FORMS:
        encodings = [(operands, encode_form(form, operands)) for operands in cases(form)]
        count += len(encodings)
        wrong += differences(form, encodings)
    record_property("instructions", count)
    print(f"{len(FORMS)} forms, {count} instructions, {len(wrong)} differences")
    assert not wrong, "\n".join(wrong[:10])


def test_the_shortest_form_is_chosen() -> None:
    for form in FORMS:
        for operands in few(form):
            code = encode(form.op, operands)
            others = [other for other in form.op.forms if other.takes(operands)]
            assert len(code) <= min([len(encode_form(other, operands)) for other in others], default=len(code)), (
                form,
                operands,
            )


def test_the_chosen_form_reads_back() -> None:
    iced()
    for form in FORMS:
        encodings = [(operands, encode(form.op, operands)) for operands in few(form) if form_for(form.op, operands)]
        if form.encode_only or form.mnemonic in ("mov", "movq") or form.op.name.startswith(("test", "xchg")):
            continue  # these may be encoded as an instruction that reads otherwise
        assert not differences(form, encodings)


@pytest.mark.parametrize(
    ("name", "operands", "code"),
    [
        ("add", (RAX, 5), "48 83 c0 05"),
        ("add", (RAX, 500), "48 05 f4 01 00 00"),
        ("add", (RBX, 500), "48 81 c3 f4 01 00 00"),
        ("add", (RAX, (1 << 64) - 1), "48 83 c0 ff"),
        ("and32", (RBX, 0xFFFFFFF0), "83 e3 f0"),
        ("mov", (RAX, 0xFFFFFFFF), "b8 ff ff ff ff"),
        ("mov", (R8, -1), "49 c7 c0 ff ff ff ff"),
        ("mov", (RAX, 1 << 40), "48 b8 00 00 00 00 00 01 00 00"),
        ("shl", (RDX, 1), "48 d1 e2"),
        ("shl", (RDX, RCX), "48 d3 e2"),
        ("imul", (R8, 100), "4d 6b c0 64"),
        ("mov8", (Mem(RBX), RSI), "40 88 33"),
        ("mov8", (Mem(RBX), RDX), "88 13"),
        ("setb", (RDI,), "40 0f 92 c7"),
        ("mov", (RAX, Mem(R12)), "49 8b 04 24"),
        ("mov", (RAX, Mem(R12, 8, RBX, 8)), "49 8b 44 dc 08"),
        ("movq", (XMM[9], Mem(RSP)), "f3 44 0f 7e 0c 24"),
        ("call", (RAX,), "ff d0"),
        ("vaddsd", (XMM[1], XMM[2], XMM[3]), "c5 eb 58 cb"),
        ("vaddpd256", (XMM[1], XMM[2], Mem(R12, 1)), "c4 c1 6d 58 4c 24 01"),
        ("vaddpd512", (XMM[8], XMM[9], Mem(RBX, 64)), "62 71 b5 48 58 43 01"),
        ("vaddpd512", (XMM[8], XMM[9], Mem(RBX, 65)), "62 71 b5 48 58 83 41 00 00 00"),
        ("vblendvpd", (XMM[0], XMM[1], XMM[2], XMM[9]), "c4 e3 71 4b c2 90"),
        ("vpcmpd512", (MASKS[1], XMM[2], XMM[3], 6), "62 f3 6d 48 1f cb 06"),
        ("vblendmpd512", (XMM[0], MASKS[1], XMM[2], XMM[3]), "62 f2 ed 49 65 c3"),
        ("kmovq", (RAX, MASKS[3]), "c4 e1 fb 93 c3"),
        ("shlx", (RAX, RBX, RCX), "c4 e2 f1 f7 c3"),
        ("jmp", (-2,), "eb fe"),
    ],
)
def test_known_bytes(name: str, operands: tuple[Operand, ...], code: str) -> None:
    assert encode(op(name), operands).hex(" ") == code


@pytest.mark.parametrize(
    ("name", "operands", "message"),
    [
        ("add", (RAX, 1 << 40), "1099511627776 is not in -2147483648..2147483647"),
        ("mov", (RAX, 1 << 64), "is not in"),
        ("shl", (RAX, 256), "256 is not in 0..255"),
        ("shl", (RAX, RDX), "the forms are"),
        ("add", (RAX, XMM[0]), "the forms are"),
        ("add", (RAX,), "the forms are"),
        ("lea", (RAX, RBX), "the forms are lea r64, m"),
        ("vblendmpd512", (XMM[0], MASKS[0], XMM[2], XMM[3]), "the forms are"),
        ("kmovq", (RAX, XMM[0]), "the forms are"),
        ("vaddsd", (XMM[0], XMM[1], Pool(bytes(8))), "the forms are"),
        ("mov", (RAX, Variable("x")), "the forms are"),
        ("jmp", (symbol(LABEL, "here"),), "the forms are"),
        ("mov", (RAX, Mem(RBX, 1 << 31)), "more than 32 bits"),
        ("mov", (RAX, Mem(RBX, 0, RSP, 2)), "cannot be the index"),
        ("mov", (RAX, Mem(RBX, 0, RCX, 3)), "cannot be the index"),
        ("mov", (RAX, Mem(XMM[0])), "cannot be the base"),
        ("mov", (RAX, Mem(Variable("x"))), "cannot be the base"),
        ("cjump<", (RAX, RBX, symbol(LABEL, "here")), "is not one machine instruction"),
    ],
)
def test_what_cannot_be_encoded(name: str, operands: tuple[Operand, ...], message: str) -> None:
    with pytest.raises(Unencodable, match=message.replace("..", r"\.\.")):
        encode(op(name), operands)


def test_rip_relative() -> None:
    assert encode_rip(LEA, (R8, Mem(RIP, 0))) == (b"\x4c\x8d\x05\0\0\0\0", 3)
    assert encode_rip(MOV32, (RAX, Mem(RIP, 4))) == (b"\x8b\x05\x04\0\0\0", 2)
    assert encode_rip(op("vaddpd256"), (XMM[1], XMM[2], Mem(RIP, 4))) == (b"\xc5\xed\x58\x0d\x04\0\0\0", 4)
    for name, operands in (
        ("vblendvpd", (XMM[1], XMM[2], Mem(RIP, 4), XMM[3])),
        ("vpcmpd512", (MASKS[1], XMM[2], Mem(RIP, 4), 5)),
    ):
        code, offset = encode_rip(op(name), operands)
        assert code[offset : offset + 4] == b"\x04\0\0\0" and len(code) == offset + 5
    assert encode_rip(MOV, (Mem(RIP, 0), 1)) == (b"\x48\xc7\x05\0\0\0\0\x01\0\0\0", 3)


def test_jumps() -> None:
    assert (jump_short(JMP), jump_near(JMP), jump_near(CALL)) == (b"\xeb", b"\xe9", b"\xe8")
    assert (jump_short(op("jb")), jump_near(op("jb"))) == (b"\x72", b"\x0f\x82")
    with pytest.raises(Unencodable):
        jump_short(CALL)
    with pytest.raises(Unencodable):
        jump_near(CJUMP["<"])


def test_nops() -> None:
    module, _ = iced()
    for count in range(30):
        code = nops(count)
        assert len(code) == count
        assert all(i.mnemonic in (module.Mnemonic.NOP, module.Mnemonic.XCHG) for i in module.Decoder(64, code))


def test_the_table_is_consistent() -> None:
    assert len(FORMS) >= 300
    for name in names():
        opcode = op(name)
        assert opcode.name == name
        for form in opcode.forms:
            assert opcode is CALL or len(form.places) == len(opcode.access), form
            for place, access in zip(form.places, opcode.access, strict=False):
                assert (access == "-") == place.is_label, form
                assert "w" not in access or place.bank >= 0 or place.memory >= 0, form
                assert access != "a" or place.bank < 0, form
    with pytest.raises(KeyError):
        op("add128")


def test_facts_agree_with_iced() -> None:
    """What processors must have for it, which operands are read and written, and what becomes of the flags."""
    module, _ = iced()
    features = {value: name for name, value in vars(module.CpuidFeature).items() if isinstance(value, int)}
    spelled = {name.upper().replace(".", "_"): bit for name, bit in FEATURES.items() if name != "sse2"}
    reads, writes = [
        {value for name, value in vars(module.OpAccess).items() if what in name.split("_")} for what in ("READ", "WRITE")
    ]
    facts = module.InstructionInfoFactory()
    wrong = []
    for form in FORMS:
        instruction = next(iter(module.Decoder(64, encode_form(form, few(form)[-1]))))
        needed = sum([spelled.get(features[feature], 0) for feature in instruction.cpuid_features()])
        if needed != form.needs and not form.mnemonic.startswith("vbroadcasts"):  # of memory, they are older than of registers
            wrong.append(f"{form} needs {[name for name, bit in FEATURES.items() if bit & needed]}")
        if not form.needs and VECTOR not in form.op.banks:
            continue  # iced says more of these, or less, than counts here
        flags = (instruction.rflags_read & 0x3F, instruction.rflags_modified & 0x3F)
        if flags != (0, 0) and (flags[0] != 0, flags[1] != 0) != (form.op.reads_flags, form.op.writes_flags):
            wrong.append(f"{form} has other flags")
        info = facts.info(instruction)
        ours = [access for index, access in enumerate(form.op.access) if index != form.mask]
        for index, access in enumerate(ours):
            theirs = info.op_access(index)
            keeps = access == "w" and form.places[index].names < 16  # what is above a scalar, of which nobody knows here
            read = theirs in reads and not keeps
            if form.places[index].bytes == 0 and ("r" in access, "w" in access) != (read, theirs in writes):
                wrong.append(f"{form}: operand {index} is not {access}")
    assert not wrong, "\n".join(wrong[:10])


def test_vector_lengths() -> None:
    """What follows from a row for 128 bits."""
    names = ("vaddpd", "vaddpd256", "vaddpd512", "vcvtdq2pd512", "vpsllw512", "vpmovqd256", "vcvtpd2ps512")
    assert [repr(op(name).forms[-1]) for name in names] == [
        "vaddpd xmm1, xmm2, xmm3/m128 | VEX.66.0F.WIG 58+n /r",
        "vaddpd ymm1, ymm2, ymm3/m256 | VEX.256.66.0F.WIG 58+n /r",
        "vaddpd zmm1, zmm2, zmm3/m512 | EVEX.512.66.0F.W1 58+n /r",
        "vcvtdq2pd zmm1, ymm2/m256 | EVEX.512.F3.0F.W0 E6 /r",
        "vpsllw zmm1, zmm2, xmm3/m128 | EVEX.512.66.0F.WIG C1+8n /r",
        "vpmovqd xmm1/m128, ymm2 | EVEX.256.F3.0F38.W0 00+n /r",
        "vcvtpd2ps ymm1, zmm2/m512 | EVEX.512.66.0F.W1 5A /r",
    ]
    assert (
        op("vaddpd512").needs == FEATURES["avx512f"] and op("vpmullq256").needs == FEATURES["avx512dq"] | FEATURES["avx512vl"]
    )
    assert (op("addsd").widths, op("vaddss").widths, op("vpmovqd512").widths) == ((8, 8), (4, 4, 4), (32, 64))
    assert (op("mov32").widths, op("lea").widths, op("jmp").widths) == ((4, 4), (8, 0), (0,))
    assert op("vmovaps512").is_move and not op("vmovups512").is_move


def test_facts_of_opcodes() -> None:
    assert (ADD.access, ADD.writes_flags, ADD.bank, ADD.width) == (("rw", "r"), True, 0, 64)
    assert op("idiv").reads == RAX.bit | RDX.bit == op("idiv").writes
    assert op("syscall").writes == RAX.bit | RCX.bit | op("nop").writes | 1 << 11
    assert op("cvttsd2si").banks == (0, 1)
    assert op("addsd").bank == VECTOR
    assert op("adc").reads_flags and op("cmovl").reads_flags and not ADD.reads_flags
    assert op("imul", 3) is op("imul3") and op("imul", 2) is IMUL and op("imul", 1) is op("imul1")
    assert MOV.is_move and op("movaps").is_move and not op("mov32").is_move
    assert JMP.ends and JMP.jumps and op("jb").jumps and not op("jb").ends and op("ud2").ends
    assert form_for(SHL, (Variable("x"), Variable("y"))) is not None
    assert form_for(SHL, (Variable("x"), 1000)) is None
