"""Opcodes by name, and the forms each has, both read from the table in `rows.py` when they are first asked for."""

from __future__ import annotations

from septet.base.symbols import Symbol
from septet.x86.abi import CALLEE_SAVED_BITS, CALLER_SAVED_BITS
from septet.x86.instructions import Mem, Op, Pool, Variable
from septet.x86.registers import GENERAL, MASK, NAMED, NAMES, RAX, REGISTERS, VECTOR, Register
from septet.x86.rows import BASELINE_OPCODES, FAMILIES, NARROW, family_of, read_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from septet.base.symbols import Line

    Operand = Variable | Register | int | Mem | Pool | Symbol | Line

LABEL_BANK = -1  # Place.bank of a label, an immediate or memory alone
LEGACY, VEX, EVEX = range(3)  # Form.scheme
_LENGTHS = ("256", "512")
_VECTORS = {"xmm": 128, "ymm": 256, "zmm": 512}
_MAPS = {"0F": 1, "0F38": 2, "0F3A": 3}
_PP = {"66": 1, "F3": 2, "F2": 3}


class Place:
    """What may stand as one operand of a form: `r/m64`, `imm8`, `cl`, `xmm1(8)`, `ymm3/m256`, `k1`, `{k1}`.

    `bank` and `width` (bits) are of the register, if it can be one; `fixed` is the one register, if there is but one.
    `memory` is the width of the memory operand it can be (0: lea's, any), else -1.  An immediate or displacement is in
    low..high (low > high where it can be none) and takes `bytes` bytes.  `names` is how many bytes of the operand are meant,
    and `chooses` says that it is a mask which chooses lanes: `{k1}`, any but k0.
    """

    __slots__ = ("text", "bank", "width", "fixed", "memory", "low", "high", "bytes", "is_label", "names", "chooses")

    def __init__(self, text: str) -> None:
        text, _, named = text.partition("(")
        self.text = text
        self.bank = LABEL_BANK
        self.width = 0
        self.fixed: Register | None = None
        self.memory = -1
        self.low, self.high = 0, -1
        self.bytes = 0
        self.is_label = text[:3] == "rel"
        self.chooses = text[0] == "{"
        register, slash, memory = text.partition("/")
        if "imm" in text:
            width = int(text[text.index("imm") + 3 :])
            self.bytes = width // 8
            self.low, self.high = (0, (1 << width) - 1) if text[0] == "u" else (-1 << (width - 1), (1 << (width - 1)) - 1)
        elif self.is_label:
            width = int(text[3:])
            self.bytes = width // 8
            self.low, self.high = -1 << (width - 1), (1 << (width - 1)) - 1
        elif text == "1":
            self.low = self.high = 1
        elif slash or text[0] == "m":
            self.memory = int((memory or text)[1:] or 0)
            if slash:
                self._register(register if register != "r" else f"r{self.memory}")
        else:
            self._register(text)
        self.names = int(named[:-1]) if named else max(self.memory, 0) // 8 if self.memory >= 0 else self.width // 8

    def _register(self, text: str) -> None:
        if text[:3] in _VECTORS:
            self.bank, self.width = VECTOR, _VECTORS[text[:3]]
        elif text[0] in "k{":
            self.bank, self.width = MASK, 64
        elif text[0] == "r" and text[1:].isdigit():
            self.bank, self.width = GENERAL, int(text[1:])
        else:
            self.bank = GENERAL
            for self.width, names in NAMES.items():
                if text in names:
                    self.fixed = REGISTERS[names.index(text)]
                    break

    def number(self, value: int, width: int) -> int:
        """An immediate as this place holds it: for a signed one, a number of `width` bits is taken either way."""
        if self.low < 0 and 1 << (width - 1) <= value < 1 << width:
            return value - (1 << width)
        return value

    def takes(self, operand: Operand, width: int) -> bool:
        """Whether the operand may stand here, in a form that computes on `width` bits.  A variable may be in any register."""
        if isinstance(operand, Variable):
            return operand.bank == self.bank
        if isinstance(operand, Register):
            if self.chooses and operand.number == 0:
                return False
            return operand.bank == self.bank and (self.fixed is None or operand is self.fixed)
        if isinstance(operand, int):
            return self.low <= self.number(operand, width) <= self.high and not self.is_label
        if isinstance(operand, Mem):
            return self.memory >= 0
        if isinstance(operand, Pool):
            return self.memory == 8 * len(operand)
        return self.is_label and isinstance(operand, Symbol)


_PLACES: dict[str, Place] = {}


class Form:
    """One row: an instruction with fixed kinds of operands, and how it is encoded.

    `prefix`, then REX (with W if `wide`), `opcode`, ModRM if `modrm` (with `digit` in its reg field unless that is -1), the
    immediate or displacement in `places[immediate].bytes` bytes.  `reg`, `rm`, `plus` (the register in the opcode's low bits)
    and `immediate` say which operand is encoded there, -1 for none.  `number_at` is the operand that is a number, encoded or
    not (`1`).  `width` is that of the first register or memory place, which the form computes on.

    Where `scheme` is VEX or EVEX, a prefix of that name says what the others do, and more: `pp` is 0 to 3 for no prefix, 66, F3
    and F2, `map` 1 to 3 for 0F, 0F 38 and 0F 3A, `length` 0 to 2 for 128, 256 and 512 bits; `wide` is its W, which only counts
    where `ignores_w` is false.  `vvvv`, `is4` (the upper half of an immediate) and `mask` say which operand is encoded there.
    """

    __slots__ = (
        "op", "mnemonic", "places", "code", "prefix", "wide", "opcode", "modrm", "digit", "reg", "rm", "plus", "immediate",
        "number_at", "width", "encode_only", "scheme", "pp", "map", "length", "ignores_w", "vvvv", "is4", "mask",
    )  # fmt: skip

    def __init__(self, op: Opcode, mnemonic: str, places: tuple[Place, ...], code: str, number: int, encode_only: bool) -> None:
        self.op = op
        self.mnemonic = mnemonic
        self.places = places
        self.code = code
        self.encode_only = encode_only
        self.reg = self.rm = self.plus = self.immediate = self.number_at = self.digit = -1
        self.vvvv = self.is4 = self.mask = -1
        self.modrm = self.wide = self.ignores_w = False
        self.scheme = LEGACY
        prefix: list[int] = []
        opcode: list[int] = []
        for token in code.split():
            if token == "REX.W":
                self.wide = True
            elif "VEX" in token:
                self._vector(token)
            elif token == "/is4":
                self.is4 = 0
            elif token[0] == "/":
                self.modrm = True
                self.digit = -1 if token == "/r" else number if token == "/n" else int(token[1])
            elif token[-2:] in ("rb", "rw", "rd"):
                opcode.append(int(token[:2], 16))
                self.plus = 0
            elif token[-1] == "n":
                opcode.append(int(token[:2], 16) + number * (8 if token[-2] == "8" else 1))
            elif token[0] not in "ic":  # not ib, iw, id, io, cb, cd
                byte = int(token, 16)
                (prefix if byte in (0x66, 0xF0, 0xF2, 0xF3) and not opcode and not self.scheme else opcode).append(byte)
        self.prefix = bytes(prefix)
        self.opcode = bytes(opcode)
        self._fields()

    def _vector(self, token: str) -> None:
        """Take a prefix in, as the manual writes it: `VEX.256.66.0F38.W0`; no length is 128."""
        scheme, *parts = token.split(".")
        self.scheme = VEX if scheme == "VEX" else EVEX
        self.pp = self.length = 0
        for part in parts:
            if part in _MAPS:
                self.map = _MAPS[part]
            elif part in _PP:
                self.pp = _PP[part]
            elif part[0] == "W":
                self.wide, self.ignores_w = part == "W1", part == "WIG"
            else:
                self.length = {"256": 1, "L1": 1, "512": 2}[part]

    @property
    def needs(self) -> int:
        """The features without which no processor has this form."""
        return self.op.needs

    def _fields(self) -> None:
        """Find which operand is in which field, and the width."""
        self.width = 0
        lone = self.modrm and self.digit < 0
        for index, place in enumerate(self.places):
            if place.low <= place.high:
                self.number_at = index
            if place.bytes:
                self.immediate = index
            elif place.memory >= 0 or (self.digit >= 0 and place.bank >= 0 and place.fixed is None):
                self.rm = index
            elif place.bank >= 0 and place.fixed is None:
                if self.plus >= 0:
                    self.plus = index
                elif self.reg >= 0:
                    self.rm = index
                else:
                    self.reg = index
            if not self.width:
                self.width = place.width or max(place.memory, 0)
        self.width = self.width or 64
        if self.scheme:
            self._vector_fields()
        elif lone and self.rm < 0:
            self.rm = self.reg

    def _vector_fields(self) -> None:
        """The same for VEX and EVEX: ModRM's rm is what can be memory, else the last register; reg, vvvv and is4 are the other
        registers in this order, but vvvv comes first where reg is a digit, and what chooses lanes is in none of these."""
        registers = [i for i, place in enumerate(self.places) if place.bank >= 0 or place.memory >= 0]
        self.reg = -1
        for index in registers:
            if self.places[index].chooses:
                self.mask = index
        if self.mask >= 0:
            registers.remove(self.mask)
        if self.modrm:
            self.rm = next((i for i in registers if self.places[i].memory >= 0), registers[-1 - (self.is4 >= 0)])
            registers.remove(self.rm)
            if self.digit < 0:
                self.reg = registers.pop(0)
        if registers:
            self.vvvv = registers.pop(0)
        if registers:
            self.is4 = registers.pop(0)

    def takes(self, operands: tuple[Operand, ...]) -> bool:
        """Whether these operands, perhaps with variables in them, fit this form."""
        if len(operands) != len(self.places):
            return False
        return all(place.takes(operand, self.width) for place, operand in zip(self.places, operands, strict=True))

    def __repr__(self) -> str:
        return f"{self.mnemonic} {', '.join([place.text for place in self.places])} | {self.code}"


class Opcode(Op):
    """An opcode of the table.  What needs its rows is read from them when first asked for.

    `bank` and `width` are those of its first operand's register or memory place; `banks` is each operand's bank, LABEL_BANK
    where there is no register; `latency` is in cycles.
    """

    __slots__ = ("latency", "banks")
    latency: int
    banks: tuple[int, ...]

    def __getattr__(self, name: str) -> object:
        if name not in ("forms", "bank", "banks", "width", "widths"):
            raise AttributeError(name)
        self.forms = forms = _read_forms(self) if self.name in FAMILIES else ()
        best = max(forms, key=lambda form: sum([place.bank >= 0 for place in form.places])) if forms else None
        self.banks = tuple([place.bank for place in best.places]) if best else ()
        self.bank = self.banks[0] if self.banks and self.banks[0] >= 0 else GENERAL
        self.width = best.width if best else 64
        self.widths = tuple([max(form.places[i].names for form in forms) for i in range(len(self.access))] if forms else ())
        return getattr(self, name)


def _read_forms(op: Opcode) -> tuple[Form, ...]:
    mnemonic, number, _, _, _, rows = FAMILIES[op.name]
    digits = int(number, 16) if number else 0
    narrow = NARROW.get(op.name)
    forms = []
    for row in rows.strip().split("\n"):
        instruction, code, *rest = row.split("|")
        if narrow == "32":
            instruction = instruction.replace("64", "32").replace("rax", "eax")
            code = code.replace("REX.W ", "").replace(".W1", ".W0")
        elif narrow in _LENGTHS or "VEX." in code:
            from septet.x86.lengths import lengthen

            instruction, code = lengthen(instruction, code, narrow or "")
        elif narrow:
            instruction = instruction.replace("64", "16").replace("imm32", "imm16").replace("rax", "ax")
            code = code.replace("REX.W ", "66 ").replace("id", "iw")
        name, _, texts = instruction.strip().partition(" ")
        name = mnemonic if name == "{}" else name
        places = []
        for text in texts.split(","):
            text = text.strip()
            if text:
                if text not in _PLACES:
                    _PLACES[text] = Place(text)
                places.append(_PLACES[text])
        forms.append(Form(op, name.replace("-", " "), tuple(places), code.strip(), digits, bool(rest)))
    return tuple(forms)


OPS: dict[str, Op] = {}  # those asked for so far; `op` makes the others


def op(name: str, operands: int = -1) -> Opcode:
    """The opcode of that name; KeyError if there is none.  With 1 or 3 operands, `imul` is `imul1` or `imul3`."""
    found = OPS.get(name)
    if found is None:
        family = family_of(name)
        if family is None:
            raise KeyError(name)
        mnemonic, _, access, effects, latency, _ = family
        found = _make(name, tuple(access.split()), effects, latency)
    if operands != -1 and operands != len(found.access) and family_of(name + str(operands)):
        return op(name + str(operands))
    return found  # type: ignore[return-value]


def _make(name: str, access: tuple[str, ...], effects: str = "", latency: int = 1, reads: int = 0, writes: int = 0) -> Opcode:
    made = Opcode()
    OPS[name] = made
    made.name = name
    made.access = access
    made.reads = reads
    made.writes = writes
    made.latency = latency
    made.needs = 0
    made.reads_flags = made.writes_flags = made.is_move = made.is_call = made.jumps = made.ends = False
    for effect in effects.split():
        kind, _, value = effect.partition("=")
        if kind == "flags":
            made.reads_flags = "r" in value
            made.writes_flags = "w" in value
        elif kind == "reads":
            made.reads = sum([NAMED[register].bit for register in value.split(",")])
        elif kind == "writes":
            made.writes = sum([NAMED[register].bit for register in value.split(",")])
        elif kind == "needs":
            made.needs = _needs(value, NARROW.get(name, ""))
        elif kind == "move":
            made.is_move = True
        elif kind == "call":
            made.is_call = True
        elif kind == "jumps":
            made.jumps = True
        else:
            made.ends = True
    return made


def _needs(value: str, length: str) -> int:
    """The features that `needs=` names for a vector length: one for all lengths, or one each of 128, 256 and 512, between `/`.
    With `+vl`, what is shorter than 512 bits needs avx512vl too."""
    from septet.x86.targets import FEATURES

    value, _, shorter = value.partition("+")
    each = value.split("/")
    bits = FEATURES[each[_LENGTHS.index(length) + 1 if length in _LENGTHS and len(each) > 1 else 0]]
    return bits | (FEATURES["avx512vl"] if shorter and length != "512" else 0)


def known(name: str) -> bool:
    """Whether there is an opcode of that name in the table."""
    return family_of(name) is not None


def names() -> list[str]:
    """The names of all opcodes: compounds, the baseline in the order of the table, the others by the alphabet."""
    read_all()
    every = list(FAMILIES)
    return [name for name in OPS if name not in FAMILIES] + every[:BASELINE_OPCODES] + sorted(every[BASELINE_OPCODES:])


def forms_of_all() -> Iterator[Form]:
    """Every form of every opcode, in the order of the table."""
    for name in names():
        yield from op(name).forms


def form_for(op: Op, operands: tuple[Operand, ...]) -> Form | None:
    """The first form of the opcode that takes these operands, which may be variables; None where no form does."""
    for form in op.forms:
        if form.takes(operands):
            return form
    return None


# Conditions, as comparisons write them, with the code that jumps and sets have for them
CONDITIONS = {"<": "l", "<=": "le", "=": "e", ">": "g", ">=": "ge", "!=": "ne", "<u": "b", "<=u": "be", ">u": "a", ">=u": "ae"}
NEGATED = {"<": ">=", "<=": ">", "=": "!=", ">": "<=", ">=": "<", "!=": "=", "<u": ">=u", "<=u": ">u", ">u": "<=u", ">=u": "<u"}
SWAPPED = {"<": ">", "<=": ">=", "=": "=", ">": "<", ">=": "<=", "!=": "!=", "<u": ">u", "<=u": ">=u", ">u": "<u", ">=u": "<=u"}

# The compounds: the course's instructions that are not one machine instruction.
LABEL = _make("label", ("-", "-"))  # label, loop depth
CJUMP: dict[str, Op] = {c: _make("cjump" + c, ("r", "r", "-"), "flags=w jumps") for c in CONDITIONS}  # a, b, label
SET: dict[str, Op] = {c: _make("set" + c, ("w", "r", "r"), "flags=w") for c in CONDITIONS}  # w, a, b
CALL = _make("call", (), "flags=w call", 3, 0, CALLER_SAVED_BITS)  # callee, then registers, all read
CALL_ERROR = _make("call-error", (), "flags=w call ends", 3, 0, CALLER_SAVED_BITS)  # as CALL, of a routine that never returns
CALL_C = _make("call-c", (), "flags=w call", 3, 0, CALLER_SAVED_BITS)  # `abi.c_caller`, rax with the callee, registers read
CALL_JUMP = _make("call-jump", ("r", "-"), "flags=w call", 3, 0, CALLER_SAVED_BITS)  # callee, N: reads min(N, 6) arguments
RETURN = _make("return", (), "flags=w ends", 3, RAX.bit | CALLEE_SAVED_BITS)  # nothing, or xmm0
STACK_ARG = _make("stack-arg", ("w", "-"))  # w, M
ROOTS = _make("roots", ())  # behind a call: where values are that live across it, registers or stack slots

MOV, MOV32, MOV16, MOV8 = op("mov"), op("mov32"), op("mov16"), op("mov8")
MOVZX8, MOVZX16, MOVSX8, MOVSX16, MOVSX32 = op("movzx8"), op("movzx16"), op("movsx8"), op("movsx16"), op("movsx32")
ADD, SUB, AND, OR, XOR, CMP, TEST = op("add"), op("sub"), op("and"), op("or"), op("xor"), op("cmp"), op("test")
IMUL, IMUL3, NEG, NOT, INC, DEC = op("imul"), op("imul3"), op("neg"), op("not"), op("inc"), op("dec")
SHL, SAR, SHR, LEA, XCHG, CQO, IDIV, DIV = (
    op("shl"), op("sar"), op("shr"), op("lea"), op("xchg"), op("cqo"), op("idiv"), op("div"),
)  # fmt: skip
JMP, RET = op("jmp"), op("ret")
JCC: dict[str, Op] = {c: op("j" + code) for c, code in CONDITIONS.items()}  # by condition, as CJUMP
SETCC: dict[str, Op] = {c: op("set" + code) for c, code in CONDITIONS.items()}
CMOVCC: dict[str, Op] = {c: op("cmov" + code) for c, code in CONDITIONS.items()}
MOVAPS, MOVSD, MOVSS, MOVQ, MOVQR = op("movaps"), op("movsd"), op("movss"), op("movq"), op("movqr")
