"""The routines of the runtime that programs call: one row each, for every stage's verifier and interpreter.

All operands are words: numbers encoded (2n+1), lines encoded absolute lines.
"""

from __future__ import annotations


class Routine:
    """A routine: how many arguments it may have, and whether it never returns."""

    __slots__ = ("name", "arities", "ends")

    def __init__(self, name: str, arities: tuple[int, ...], ends: bool = False) -> None:
        self.name = name
        self.arities = arities
        self.ends = ends


ROUTINES = {
    routine.name: routine
    for routine in (
        Routine("print", (1,)),  # value; gives 1
        Routine("input", (0,)),  # gives the number read
        Routine("allocate", (2, 3)),  # number of words, what to fill them with[, raw descriptor]; gives the object's address
        Routine("tensor-error", (1, 3, 4), ends=True),  # line[, [dimension,] length, index]; alone: not allocated
        Routine("tuple-error", (3,), ends=True),  # line, length, index
        Routine("kind-error", (3,), ends=True),  # line, the value, the descriptor wanted (raw): nil or of another kind
        Routine("length-error", (2,), ends=True),  # line, the number of elements wanted
        Routine("dimension-error", (3,), ends=True),  # line, the number of dimensions there are, the one asked for
        Routine("division-error", (1,), ends=True),  # line
        Routine("trap", (5,), ends=True),  # of hosted functions: context, kind (`trap_kind`), line, two words of the routine's
        Routine("conversion-error", (1,), ends=True),  # line
    )
}

TRAPS = (*[name for name, routine in ROUTINES.items() if routine.ends and name != "trap"], "stack-error")
"""The ways in which a hosted function may fail: as an error routine would say, or by calls that go too deep."""


def trap_kind(name: str, count: int) -> int:
    """The kind that a hosted function gives `trap` where another one calls the routine `name` with `count` arguments."""
    return TRAPS.index(name) << 3 | count
