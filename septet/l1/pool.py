"""The constants of a function, which stand behind its code and are addressed relative to rip.

    mulsd xmm0, pool 8 0x4000000000000000        mulsd xmm0, [rip+...]
    return                                  =>   ret
                                                 int3 ... ; 00 00 00 00 00 00 00 40

Each content is there once.  The largest come first, each at a multiple of its size.
"""

from __future__ import annotations

from struct import pack_into

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.instructions import Pool

    Use = tuple[int, int, Pool]  # offset of a 4-byte displacement, of the end of its instruction, what it addresses

_GAP = b"\xcc"  # running into a constant stops the program


def append(content: bytes, uses: list[Use]) -> tuple[bytes, int, int]:
    """The code with its constants behind it and their displacements filled in; where they begin; and the alignment that its
    entry must have."""
    constants = sorted(dict.fromkeys([constant for _, _, constant in uses]), key=len, reverse=True)
    alignment = max(len(constants[0]), 16)
    at = -(-len(content) // len(constants[0])) * len(constants[0])
    filled = bytearray(content + _GAP * (at - len(content)))
    places = {}
    for constant in constants:
        places[constant] = len(filled)
        filled += constant
    for field, end, constant in uses:
        pack_into("<i", filled, field, places[constant] - end)
    return bytes(filled), at, alignment
