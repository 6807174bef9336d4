"""Functions of C in this process: where they are, and calls of them for the interpreters.

They are looked for among what the process has loaded, then in libm.  An interpreter's memory is its own, so what takes or gives
an address cannot be called from one.
"""

from __future__ import annotations

from septet.base.types import BOOL, FLOAT, PTR, VOID
from septet.runtime.model import Fault
from septet.x86.abi import places
from septet.x86.registers import Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from septet.base.symbols import External

LIBRARIES = (None, "libm.so.6")  # where functions are looked for; None: this process
_FOUND: dict[str, int] = {}
_CALLERS: dict[int, Callable[..., Any]] = {}  # by how many words are on the stack


def find(name: str) -> int:
    """The address of the function of that name; 0 where there is none."""
    found = _FOUND.get(name)
    if found is None:
        from ctypes import CDLL, c_void_p, cast

        found = 0
        for library in LIBRARIES:
            try:
                found = cast(getattr(CDLL(library), name), c_void_p).value or 0
            except (AttributeError, OSError):
                continue
            break
        if found:
            _FOUND[name] = found
    return found


def call(external: External, numbers: Sequence[int]) -> int:
    """What the function gives for these numbers, natural for its parameters; all are natural, floats' are bit patterns.

    Fault where it is not found, or takes or gives addresses.
    """
    if PTR in (external.result, *external.parameters):
        raise Fault(f"@{external.name} takes or gives an address, and an interpreter's memory is its own: run it natively")
    address = external.address or find(external.name)
    if not address:
        raise Fault(f"@{external.name} is in no library of this process")
    words, reals, stack = [0] * 6, [0] * 8, [0] * len(numbers)
    floats = [type.kind == FLOAT for type in external.parameters]
    used = [0, 0]
    for number, is_float, place in zip(numbers, floats, places(floats), strict=True):
        bits = number & 0xFFFFFFFFFFFFFFFF
        if isinstance(place, Register):
            (reals if is_float else words)[used[is_float]] = bits
            used[is_float] += 1
        else:
            stack[place] = bits
    word, real = call_words(address, words, reals, stack[: len(numbers) - sum(used)])
    result = external.result
    if result is VOID:
        return 0
    if result is BOOL:
        return word & 1
    return real & ((1 << result.bits) - 1) if result.kind == FLOAT else result.wrap(word & ((1 << result.bits) - 1))


def call_words(address: int, words: Sequence[int], reals: Sequence[int], stack: Sequence[int]) -> tuple[int, int]:
    """Call the function at `address` with 6 words in general registers, 8 bit patterns in vector registers, and words on the
    stack; what is in rax and in xmm0 then."""
    from ctypes import c_double, c_uint64

    caller = _CALLERS.get(len(stack))
    if caller is None:
        caller = _CALLERS[len(stack)] = _caller(len(stack))
    patterns = [c_double.from_buffer(c_uint64(real)) for real in reals]
    result = caller(address)(*words, *patterns, *stack)
    return result.word, result.real


def _caller(count: int) -> Callable[..., Any]:
    """The prototype of functions that take that many words on the stack.  A structure of a word and a float comes back in rax
    and xmm0."""
    from ctypes import CFUNCTYPE, Structure, c_double, c_uint64

    class Result(Structure):
        _fields_ = [("word", c_uint64), ("_real", c_double)]

        @property
        def real(self) -> int:
            return int.from_bytes(bytes(self)[8:], "little")

    return CFUNCTYPE(Result, *[c_uint64] * 6, *[c_double] * 8, *[c_uint64] * count)
