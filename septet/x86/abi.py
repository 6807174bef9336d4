"""The calling convention inside a program.

Words go in the argument registers, then on the stack; floats in xmm0..xmm7, then on the stack, one 8-byte slot each.  With S
the caller's rsp before the call, the return address is at S-8 and the k-th stack argument (from 0) at S-16-8k, below rsp: the
callee moves rsp under them with its frame.  Results come in rax or xmm0, a vector that takes several registers in xmm0 to
xmm3.  The stack is 8-aligned, not 16-aligned.
"""

from __future__ import annotations

from septet.base.descriptors import ARRAY as ARRAY
from septet.base.descriptors import FUNCTION as FUNCTION
from septet.base.descriptors import RAW as RAW
from septet.base.descriptors import TUPLE as TUPLE
from septet.base.descriptors import descriptor as descriptor
from septet.base.symbols import FUNCTION as FUNCTION_SYMBOL
from septet.base.symbols import symbol
from septet.x86.registers import (
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    RAX,
    RBP,
    RBX,
    RCX,
    RDI,
    RDX,
    RSI,
    XMM,
    bits_of,
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.symbols import Symbol
    from septet.x86.registers import Register

ARGUMENTS = [RDI, RSI, RDX, RCX, R8, R9]
FLOAT_ARGUMENTS = XMM[:8]
RESULT = RAX
FLOAT_RESULT = XMM[0]
RESULTS = XMM[:4]
CALLEE_SAVED = [RBX, RBP, R12, R13, R14, R15]
CALLER_SAVED = [RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11]
CALLEE_SAVED_BITS = bits_of(CALLEE_SAVED)
CALLER_SAVED_BITS = bits_of(CALLER_SAVED) | bits_of(XMM)  # no vector register survives a call


_C_CALLER = "call-c."  # no name that a program can have


def c_caller(words: int) -> Symbol:
    """The routine that calls the function at rax as C does (`link.foreign`), with that many words on the stack."""
    return symbol(FUNCTION_SYMBOL, f"{_C_CALLER}{words}")


def c_words(caller: Symbol) -> int:
    """How many words `c_caller(...)` passes on the stack; -1 where `caller` is something else."""
    return int(caller.name[len(_C_CALLER) :]) if caller.name.startswith(_C_CALLER) else -1


def stack_words(words: int) -> int:
    """How many of `words` word parameters (those that are not in vector registers) are on the stack."""
    return max(words - len(ARGUMENTS), 0)


def places(floats: list[bool]) -> list[Register | int]:
    """Where arguments go, by whether each is a float (or a vector): a register, or the number of a place on the stack."""
    result: list[Register | int] = []
    words, vectors, on_stack = iter(ARGUMENTS), iter(FLOAT_ARGUMENTS), 0
    for is_float in floats:
        register = next(vectors if is_float else words, None)
        result.append(on_stack if register is None else register)
        on_stack += register is None
    return result
