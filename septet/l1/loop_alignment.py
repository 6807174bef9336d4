"""Where padding in front of innermost loops pays: a short loop is best fetched from as few cache lines as can be.

    :loop at 63, ends at 102      two lines of 64 bytes a round      =>      a byte of padding: one line

A branch whose last byte is a line's last counts as being in the next line too: predictors find branches by where they end.

A processor takes instructions from one line, or half of one, a cycle, and finds decoded ones by line: a loop of a few
instructions that lies across two lines may take twice as long (Intel 64 and IA-32 optimization reference manual, 3.4.2).
Function entries are aligned to `LINE` where this counts (see `link.layout`).
"""

from __future__ import annotations

LINE = 64
LARGEST = 256  # bytes of a loop above which a line more or less does not count
MOST = 31  # bytes of padding, which the way into the loop goes through


def innermost(ends: dict[int, int]) -> list[tuple[int, int]]:
    """The loops that hold no other, as (first, end) in order; `ends` gives for each loop's first byte its end."""
    loops = sorted(ends.items())
    return [(first, end) for at, (first, end) in enumerate(loops) if at + 1 == len(loops) or loops[at + 1][0] >= end]


def padding(start: int, size: int) -> int:
    """How many bytes in front of a loop of `size` bytes that would begin at `start` let it touch fewer lines; 0 where none."""
    if size > LARGEST:
        return 0
    lines = (start + size) // LINE - start // LINE + 1
    pad = -start % LINE
    return pad if lines > size // LINE + 1 and pad <= MOST else 0


def nops(size: int) -> bytes:
    """That many bytes of instructions that do nothing, as few as can be: the manual's recommended sequences."""
    return _NOPS[9] * (size // 9) + _NOPS[size % 9]


_NOPS = [
    bytes.fromhex(text)
    for text in (
        "", "90", "6690", "0f1f00", "0f1f4000", "0f1f440000", "660f1f440000", "0f1f8000000000", "0f1f840000000000",
        "660f1f840000000000",
    )
]  # fmt: skip
