"""The bytes of a function's jumps, the shortest that reach, and padding in front of loops.

jump over 40 bytes     eb 28          jump over 400 bytes     e9 90 01 00 00
"""

from __future__ import annotations

from itertools import accumulate
from struct import pack

from septet.base.symbols import LABEL, Symbol
from septet.l1.loop_alignment import innermost, nops, padding

TYPE_CHECKING = False
if TYPE_CHECKING:
    Jump = tuple[int, int, Symbol]  # number of the piece that it ends, condition code, target
    Labels = dict[str, tuple[int, int]]  # number of the piece behind the label, how many jumps are before
    Reach = tuple[int, int, int, int, int]  # number of the jump, where it ends, target, jumps before the target, code

ALWAYS, NEVER = 16, 17  # beside the sixteen condition codes
_SHORT = [bytes((0x70 + code,)) for code in range(16)] + [b"\xeb"]
_LONG = [bytes((0x0F, 0x80 + code)) for code in range(16)] + [b"\xe9"]
_LONG_SIZE = [6] * 16 + [5]


def add_jumps(pieces: list[bytes], jumps: list[Jump], labels: Labels, align: bool) -> list[tuple[int, Symbol]]:
    """Append every jump to its piece, and put padding into the pieces of loops' labels where `align` says so.

    All jumps start short; those that do not reach grow, until all do.  One to the next instruction vanishes.  The result are
    the jumps whose targets are elsewhere: number of the piece, which ends with four bytes to be filled in, and target.
    """
    gone = {number for number, jump in enumerate(jumps) if _vanishes(number, jump, pieces, labels)}
    sizes = [
        0 if number in gone else 2 if target.kind == LABEL and target.name in labels else _LONG_SIZE[code]
        for number, (_, code, target) in enumerate(jumps)
    ]
    here = _reaches(pieces, jumps, labels, gone)
    ends = _grow(here, sizes)
    if align and _pad(pieces, jumps, labels, here, ends):
        here = _reaches(pieces, jumps, labels, gone)
        ends = _grow(here, sizes)
    distance = {number: there + ends[before] - end - ends[number + 1] for number, end, there, before, _ in here}
    elsewhere = []
    for number, (index, code, target) in enumerate(jumps):
        if number in distance:
            away = distance[number]
            pieces[index] += _SHORT[code] + pack("<b", away) if sizes[number] == 2 else _LONG[code] + pack("<i", away)
        elif sizes[number]:
            pieces[index] += _LONG[code] + bytes(4)
            elsewhere.append((index, target))
    return elsewhere


def _vanishes(number: int, jump: Jump, pieces: list[bytes], labels: Labels) -> bool:
    """Whether a jump goes to what follows it."""
    index, _, target = jump
    found = labels.get(target.name) if target.kind == LABEL else None
    return found is not None and found[1] == number + 1 and not any(pieces[index + 1 : found[0]])


def _reaches(pieces: list[bytes], jumps: list[Jump], labels: Labels, gone: set[int]) -> list[Reach]:
    """The jumps in this function; places are as if jumps had no bytes."""
    fixed = [0, *accumulate(map(len, pieces))]
    found: list[Reach] = []
    for number, (index, code, target) in enumerate(jumps):
        if number not in gone and target.kind == LABEL and target.name in labels:
            at, before = labels[target.name]
            found.append((number, fixed[index + 1], fixed[at], before, code))
    return found


def _grow(jumps: list[Reach], sizes: list[int]) -> list[int]:
    """Set `sizes` so that every jump reaches; the sums of the sizes, from 0 on.

    Growing one can push others out of reach.  Few rounds do in practice; after some, all that are left grow, so that the time
    stays linear.
    """
    rounds = 0
    while True:
        ends = [0, *accumulate(sizes)]
        short = []
        grown = False
        for jump in jumps:
            number, end, there, before, code = jump
            if -128 <= there + ends[before] - end - ends[number + 1] <= 127 and rounds < 30:
                short.append(jump)
            else:
                sizes[number] = _LONG_SIZE[code]
                grown = True
        if not grown:
            return ends
        jumps = short
        rounds += 1


def _pad(pieces: list[bytes], jumps: list[Jump], labels: Labels, reaches: list[Reach], ends: list[int]) -> bool:
    """Put padding in front of innermost loops where it pays; whether there is any."""
    origins: dict[int, int] = {}
    label: dict[int, int] = {}
    for number, end, there, before, _ in reaches:
        target, origin = there + ends[before], end + ends[number + 1]
        if target < origin:
            label[target] = labels[jumps[number][2].name][0] - 1
            origins[target] = max(origins.get(target, 0), origin)
    shift = 0
    for first, last in innermost(origins):
        pad = padding(first + shift, last - first)
        if pad:
            pieces[label[first]] = nops(pad)
            shift += pad
    return shift > 0
