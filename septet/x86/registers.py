"""The registers of x86-64: sixteen general ones, sixteen vector ones, whatever their length, and eight mask ones."""

from __future__ import annotations

GENERAL, VECTOR, MASK = range(3)  # Register.bank


class Register:
    """A physical register, compared by identity.  `index` numbers all registers: general 0..15, vector 16..31, mask 32..39."""

    __slots__ = ("name", "number", "bank", "index", "bit")

    def __init__(self, name: str, number: int, bank: int) -> None:
        self.name = name
        self.number = number  # as instructions encode it
        self.bank = bank
        self.index = number + 16 * bank
        self.bit = 1 << self.index  # in sets of registers

    def __repr__(self) -> str:
        return self.name


NAMES_64 = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
NAMES_32 = "eax ecx edx ebx esp ebp esi edi r8d r9d r10d r11d r12d r13d r14d r15d".split()
NAMES_16 = "ax cx dx bx sp bp si di r8w r9w r10w r11w r12w r13w r14w r15w".split()
NAMES_8 = "al cl dl bl spl bpl sil dil r8b r9b r10b r11b r12b r13b r14b r15b".split()
NAMES = {64: NAMES_64, 32: NAMES_32, 16: NAMES_16, 8: NAMES_8}

REGISTERS = [Register(name, number, GENERAL) for number, name in enumerate(NAMES_64)]
REGISTERS += [Register(f"xmm{number}", number, VECTOR) for number in range(16)]
REGISTERS += [Register(f"k{number}", number, MASK) for number in range(8)]
NAMED = {register.name: register for register in REGISTERS}

RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 = REGISTERS[:16]
XMM = REGISTERS[16:32]
MASKS = REGISTERS[32:]  # no variable lives in one


def bits_of(registers: list[Register]) -> int:
    """A set of registers as an int, bit `index` for each."""
    return sum(register.bit for register in registers)
