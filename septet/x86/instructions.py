"""Machine instructions as L2 and L1 hold them: an opcode and operands.

An opcode stands for all forms of one mnemonic with the same operand widths (`add`, `add32`, `movzx8`), or is a *compound*:
one of the course's instructions that take several machine instructions (`cjump`, `w <- t < t`, `call u N`, `return`).
Operands are `Variable` (L2 alone), `Register`, int, `Mem`, `Pool`, `Symbol` and `Line`.
"""

from __future__ import annotations

from septet.x86.registers import GENERAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.symbols import Line, Symbol
    from septet.x86.forms import Form
    from septet.x86.registers import Register


class Variable:
    """A virtual register of one function, of bank GENERAL or VECTOR."""

    __slots__ = ("name", "bank", "index")

    def __init__(self, name: str, bank: int = GENERAL) -> None:
        self.name = name
        self.bank = bank
        self.index = -1  # scratch for whoever numbers the variables of a function

    def __repr__(self) -> str:
        return f"%{self.name}"


class Mem(tuple["Register | Variable", "Register | Variable | None", int, int]):
    """A memory operand (base, index, scale, displacement): base + index*scale + displacement.  Compared by value.

    How many bytes are meant is the opcode's affair.
    """

    __slots__ = ()

    def __new__(
        cls, base: Register | Variable, displacement: int = 0, index: Register | Variable | None = None, scale: int = 1
    ) -> Mem:
        return tuple.__new__(cls, (base, index, scale, displacement))

    def __repr__(self) -> str:
        base, index, scale, displacement = self
        middle = f" {index!r}*{scale}" if index is not None else ""
        return f"mem {base!r}{middle} {displacement}"


class Pool(bytes):
    """A constant of 4, 8, 16, 32 or 64 bytes, read from memory: it stands where a memory operand of its size may be read.

    L1c puts the constants of a function behind its code.  Compared by value.
    """

    __slots__ = ()

    def __new__(cls, content: bytes) -> Pool:
        if len(content) not in POOL_SIZES:
            raise ValueError(f"a constant in memory has 4, 8, 16, 32 or 64 bytes, not {len(content)}")
        return bytes.__new__(cls, content)

    @property
    def content(self) -> bytes:
        """The bytes."""
        return self

    def __repr__(self) -> str:
        return f"pool {len(self)} {int.from_bytes(self, 'little'):#x}"


POOL_SIZES = (4, 8, 16, 32, 64)


class Op:
    """A machine opcode.  `access` says for each operand whether it is read (`r`), written (`w`), both (`rw`) or, for a
    memory operand, merely addressed (`a`: lea); `reads`, `writes` are the registers it uses besides, as bit sets.

    `widths` are the bytes that it names of each operand: of a vector register, 4 or 8 where it is a scalar in it; 0 for a
    label, an immediate and memory that is only addressed.  `needs` are the features (`targets.FEATURES`) without which no
    processor has it.
    """

    __slots__ = (
        "name", "access", "reads", "writes", "reads_flags", "writes_flags", "forms", "is_move", "is_call", "jumps", "ends",
        "bank", "width", "widths", "needs",
    )  # fmt: skip
    name: str
    access: tuple[str, ...]
    reads: int
    writes: int
    reads_flags: bool
    writes_flags: bool
    is_move: bool  # copies operand 1 to operand 0, whole registers of one bank
    is_call: bool
    jumps: bool  # the last operand is a label that control may go to
    ends: bool  # control never falls through
    forms: tuple[Form, ...]
    bank: int
    width: int
    widths: tuple[int, ...]
    needs: int

    def __repr__(self) -> str:
        return self.name


class Instruction:
    """One instruction."""

    __slots__ = ("op", "operands", "span", "by")

    def __init__(
        self,
        op: Op,
        operands: tuple[Variable | Register | int | Mem | Pool | Symbol | Line, ...],
        span: int = 0,
        by: str = "",
    ) -> None:
        self.op = op
        self.operands = operands
        self.span = span
        self.by = by  # the pass that last made it; "" for the compiler that made the function

    def __repr__(self) -> str:
        return f"<{self.op} {self.operands}>"
