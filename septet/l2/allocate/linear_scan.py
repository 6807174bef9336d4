"""Linear scan register allocation (Poletto and Sarkar 1999) over intervals and gaps in which registers are busy.

Intervals are visited by their start.  One takes a free register that is not busy while it lives, if it can one that makes a
move vanish; where there is none, of the intervals that live here the one that ends last goes to memory.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from septet.l2.allocate.access import GENERAL_BITS, REGISTER_OF_BIT, VECTOR_BITS
from septet.l2.allocate.intervals import intervals
from septet.l2.allocate.moves import Moves
from septet.l2.allocate.rewrite import END, Frame, rewrite
from septet.l2.allocate.slots import Slots
from septet.l2.allocate.spill import Scratch
from septet.x86.abi import CALLEE_SAVED, CALLEE_SAVED_BITS, CALLER_SAVED_BITS
from septet.x86.registers import R10, R11, REGISTERS, VECTOR, XMM, bits_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l2.allocate.intervals import Intervals
    from septet.l2.allocate.rewrite import Allocated
    from septet.x86.instructions import Instruction
    from septet.x86.registers import Register

FAN = 32  # how many entries of one level a `_Busy` entry of the next covers


def allocate(body: list[Instruction], target: str) -> Allocated | None:
    """Allocate by linear scan: fast, and good enough for code that nobody waits for.  None where no register is left."""
    found = intervals(body)
    if found is None:
        from septet.l2.allocate.legalise import legalise

        body = legalise(body)
        found = intervals(body, legal=True)
        assert found is not None
    scratch = scratch_registers(found.named)
    reserved = bits_of(scratch[0] + scratch[1])
    place, spilled = scan(found, reserved)
    if spilled and (len(scratch[0]) < 2 or len(scratch[1]) < 2):
        return None
    place_of: list[object] = [REGISTER_OF_BIT.get(bit) for bit in place]
    slots = Slots()
    moves = Moves(target)
    if spilled:
        variables = found.variables
        if any(variables[piece].bank == VECTOR for piece in spilled):
            moves.measure(body)
        extents = [(found.start[piece], found.end[piece], moves.words(variables[piece]), piece) for piece in spilled]
        for piece, home in slots.assign(extents).items():
            place_of[piece] = home
    places = [place_of[piece] for piece in found.same]
    homes = [
        (position, found.variables[start:end], places[start:end])
        for position, start, end in zip(found.starts, found.first, found.first[1:], strict=False)
        if start < end
    ]
    frame = Frame(slots.count, reduce(or_, place, reserved if spilled else 0), found.has_arguments)
    return rewrite(body, [*homes, END], frame, Scratch(scratch, moves))  # type: ignore[list-item]


def scratch_registers(named: int) -> list[list[Register]]:
    """Two registers of each bank to load spilled variables into, which instructions do not name: r10 and r11, xmm14 and xmm15,
    or others if those are named.  Fewer where there are no two."""
    general = [R10, R11, *[r for r in REGISTERS[:10] if r.bit & CALLER_SAVED_BITS], *reversed(CALLEE_SAVED)]
    return [[r for r in registers if not r.bit & named][:2] for registers in (general, [*XMM[14:], *XMM[13::-1]])]


def scan(found: Intervals, reserved: int) -> tuple[list[int], list[int]]:
    """A register for every interval, as its bit, or 0; and those that have none.  `reserved` registers are not given away."""
    start, end, same, hints = found.start, found.end, found.same, found.hint
    barred = found.barred.get
    variables = found.variables
    blocked_in = _Levels(found.busy).union
    busy = found.busy
    allowed = [bits & ~reserved & ~(found.named & CALLEE_SAVED_BITS) for bits in (GENERAL_BITS, VECTOR_BITS)]
    free = allowed[0] | allowed[1]
    cheap = CALLER_SAVED_BITS  # prefer registers that need not be saved
    dying = [0] * len(busy)
    holder: dict[int, int] = {}  # the piece that holds a register, by its bit
    place = [0] * len(start)
    spilled: list[int] = []
    worth: list[float] = []  # how much each interval deserves its register; made when there is not one for all
    now = 0
    for piece in sorted([piece for piece, one in enumerate(same) if piece == one], key=start.__getitem__):
        first = start[piece]
        while now < first:
            now += 1
            free |= dying[now]
        last = end[piece]
        if last <= first + 1:
            last = first + 1
            blocked = busy[first]
        else:
            blocked = blocked_in(first, last)
        candidates = allowed[variables[piece].bank] & ~(blocked | barred(piece, 0))
        available = candidates & free
        if available:
            hint = hints[piece]
            bit = available & (place[same[hint]] if hint >= 0 else 1 << -2 - hint if hint < -1 else 0)
            bit = bit or available & cheap or available
            bit &= -bit
            if not bit & cheap:
                cheap |= bit
        else:
            if not worth:
                worth = _worth(found)
            bit = _evict(candidates, holder, worth, worth[piece])
            if not bit:
                spilled.append(piece)
                continue
            loser = holder[bit]
            dying[end[loser]] &= ~bit
            place[loser] = 0
            spilled.append(loser)
        free &= ~bit
        holder[bit] = piece
        place[piece] = bit
        dying[last] |= bit
    return place, spilled


def _worth(found: Intervals) -> list[float]:
    """For each interval, in how many blocks its variable occurs for each gap that it takes a register from others."""
    uses = [0] * len(found.same)
    for one in found.same:
        uses[one] += 1
    return [used / (last - first + 1) for used, first, last in zip(uses, found.start, found.end, strict=True)]


def _evict(candidates: int, holder: dict[int, int], worth: list[float], least: float) -> int:
    """The register, among those that are taken, of the interval of the least worth, if that is below `least`; else 0."""
    best = 0
    while candidates:
        bit = candidates & -candidates
        candidates ^= bit
        if worth[holder[bit]] < least:
            least = worth[holder[bit]]
            best = bit
    return best


class _Levels:
    """Unions of stretches of a long list, with the help of lists of the unions of 32 entries, 1024 entries, and so on."""

    __slots__ = ("levels",)

    def __init__(self, busy: list[int]) -> None:
        self.levels = [busy]

    def union(self, start: int, end: int) -> int:
        """The union of the entries from start to end - 1."""
        result = 0
        level = 0
        while end - start > 2 * FAN:
            if level + 1 == len(self.levels):
                row = self.levels[level]
                self.levels.append([reduce(or_, row[at : at + FAN], 0) for at in range(0, len(row), FAN)])
            row = self.levels[level]
            above, below = -(-start // FAN), end // FAN
            result |= reduce(or_, row[start : above * FAN], 0) | reduce(or_, row[below * FAN : end], 0)
            start, end = above, below
            level += 1
        return result | reduce(or_, self.levels[level][start:end], 0)
