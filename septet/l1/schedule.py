"""The order of instructions within blocks: what others wait for longest comes first.

    rax <- mem rdi 0                     rax <- mem rdi 0
    rax += rsi                           rcx <- mem rdi 8
    rcx <- mem rdi 8          becomes    rax += rsi
    rcx += rsi                           rcx += rsi

List scheduling (Gibbons and Muchnick, Efficient instruction scheduling for a pipelined architecture, 1986): of the instructions
whose operands are there, the next is the one from which the longest way leads to the end of the block, by the latencies of the
forms; of equals the one that was first.  A block whose order is as good as the new one by the same reckoning keeps it.

An order is kept between instructions that use the same register, the flags, or memory that may be the same, where one writes.
Memory is surely not the same at two places from one base and index, both unchanged between; and a stack slot is nothing else's
where no address in the frame is kept.  Calls, jumps, labels and whatever moves the stack stay where they are.
"""

from __future__ import annotations

from heapq import heappop, heappush

from septet.l1.tail_calls import keeps_addresses
from septet.x86 import forms
from septet.x86.instructions import Mem, Pool
from septet.x86.registers import RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from septet.x86.instructions import Instruction, Op

    # base, index, scale, first byte, last + 1, is read, is written
    Memory = tuple[Register, Register | None, int, int, int, bool, bool]
    # the registers read, those written, as bits; latency; places in memory
    Needs = tuple[tuple[int, ...], tuple[int, ...], int, tuple[Memory, ...]]
    Access = tuple[
        tuple[object, ...], int, int, bool
    ]  # the address but for its displacement, first byte, last + 1, in the frame

LOAD = 4  # cycles until a load's value is there, beside those of the instruction
ISSUE = 4  # instructions that begin in a cycle
SHORTEST = 4  # instructions of a block that is worth a look
LONGEST = 128  # of a longer run each part of that length is scheduled by itself, so that the time stays linear
_FIXED = frozenset(
    "push pop syscall cpuid rdtsc pause mfence sfence lfence int3 cld std vzeroupper vzeroall"
    " rep-movsb rep-movsq rep-stosb rep-stosq repne-scasb repe-cmpsb lock-cmpxchg lock-xadd".split()
)
_ZEROING = ("xor32", "xorps", "vxorps")  # of a register with itself: nothing is read


def schedule(body: list[Instruction], slots: int, least: int = 0) -> list[Instruction]:
    """The body with the instructions of its blocks in at least `least` loops in a better order; `body` itself where there is
    none.  The first `slots` words of the frame are the function's own."""
    frame = None
    depth: object = 0  # loops around the place
    result: list[Instruction] = []
    start = 0
    changed = False
    fixed = _IS_FIXED
    for position, instruction in enumerate(body):
        op = instruction.op
        stays = fixed.get(op)
        if stays is None:
            stays = fixed[op] = _stays(op)
        if not stays and position - start < LONGEST:
            continue
        end = position
        if op.reads_flags and end > start and body[end - 1].op.writes_flags:
            end -= 1  # what a branch asks about stays in front of it: processors make one of the two
        if end - start >= SHORTEST and depth >= least:  # type: ignore[operator]
            if frame is None:
                frame = 0 if keeps_addresses(body) else 8 * slots
            behind = body[end].op
            order = _order(body[start:end], behind.reads_flags or not behind.writes_flags, frame)
            if order is not None:
                result += [body[start + number] for number in order]
                changed = True
                start = end
        last = position + bool(stays)
        result += body[start:last]
        start = last
        if op is forms.LABEL:
            depth = instruction.operands[1]
    return result + body[start:] if changed else body


_IS_FIXED: dict[Op, bool] = {}


def _stays(op: Op) -> bool:
    """Whether an instruction of that opcode is the end of a run."""
    if op.is_call or op.jumps or op.ends or op is forms.LABEL or op is forms.ROOTS or op.name in _FIXED:
        return True
    return bool((op.reads | op.writes) & RSP.bit)


class _Graph:
    """What has to come before what, in a run of instructions: for each how many, and which wait for it with how many cycles
    between."""

    __slots__ = ("after", "waits", "latency")

    def __init__(self, count: int) -> None:
        self.after: list[dict[int, int]] = [{} for _ in range(count)]
        self.waits = [0] * count
        self.latency = [0] * count

    def add(self, first: int, then: int, cycles: int) -> None:
        """`then` begins no earlier than `cycles` after `first`."""
        known = self.after[first].get(then)
        if known is None:
            self.waits[then] += 1
            self.after[first][then] = cycles
        elif known < cycles:
            self.after[first][then] = cycles


def _order(run: list[Instruction], flags: bool, frame: int) -> list[int] | None:
    """A better order; None where there is none.  `flags`: what follows may need the flags."""
    graph = _depends(run, flags, frame)
    if graph is None:
        return None
    count = len(run)
    heights = [0] * count
    for number in range(count - 1, -1, -1):
        own = graph.latency[number]
        for then, cycles in graph.after[number].items():
            own = max(own, cycles + heights[then])
        heights[number] = own
    now = _length(graph, range(count))
    if now <= max(heights):  # no order is shorter than the longest way
        return None
    order = _listed(graph, heights)
    return order if _length(graph, order) < now else None


def _listed(graph: _Graph, heights: list[int]) -> list[int]:
    """List scheduling by `heights`."""
    waits = graph.waits[:]
    ready = [(-heights[number], number) for number, left in enumerate(waits) if not left]
    ready.sort()  # a heap
    later: list[tuple[int, int]] = []  # cycle in which it may begin, instruction
    earliest = [0] * len(waits)
    order: list[int] = []
    cycle = 0
    while ready or later:
        while later and later[0][0] <= cycle:
            number = heappop(later)[1]
            heappush(ready, (-heights[number], number))
        for _ in range(ISSUE):
            if not ready:
                break
            number = heappop(ready)[1]
            order.append(number)
            for then, cycles in graph.after[number].items():
                earliest[then] = max(earliest[then], cycle + cycles)
                waits[then] -= 1
                if not waits[then]:
                    heappush(later, (earliest[then], then))
        cycle = cycle + 1 if ready or not later else max(cycle + 1, later[0][0])
    return order


def _length(graph: _Graph, order: list[int] | range) -> int:
    """The cycles that a run takes in that order, where instructions begin in order."""
    begins = [0] * len(graph.waits)
    cycle = begun = end = 0
    for number in order:
        at = begins[number]
        if at > cycle:
            cycle, begun = at, 0
        elif begun == ISSUE:
            cycle, begun = cycle + 1, 0
        begun += 1
        end = max(end, cycle + graph.latency[number])
        for then, cycles in graph.after[number].items():
            begins[then] = max(begins[then], cycle + cycles)
    return end


def _depends(run: list[Instruction], flags: bool, frame: int) -> _Graph | None:
    """The graph of a run.  None where some instruction is not known well enough."""
    graph = _Graph(len(run))
    latencies, add = graph.latency, graph.add
    writers: dict[int, int] = {}  # by register, as a bit
    readers: dict[int, list[int]] = {}
    loads: list[tuple[int, Access]] = []
    stores: list[tuple[int, Access]] = []
    setters: list[int] = []
    known = _NEEDS
    for number, instruction in enumerate(run):
        op = instruction.op
        needs = known.get((op, instruction.operands))
        if needs is None:
            needs = _noted(instruction)
        if needs is _UNKNOWN:
            return None
        read, written, latency, memory = needs
        latencies[number] = latency
        for base, index, scale, first, last, reads, writes in memory:
            at_base = writers.get(base.bit, -1)
            at_index = -1 if index is None else writers.get(index.bit, -1)
            inside = base is RSP and index is None and first >= 0 and last <= frame
            place = (base, at_base, index, at_index, scale), first, last, inside
            for at, other in stores:
                if _meet(place, other):
                    add(at, number, LOAD if reads else 0)
            if writes:
                for at, other in loads:
                    if at != number and _meet(place, other):
                        add(at, number, 0)
                stores.append((number, place))
            else:
                loads.append((number, place))
        if op.writes_flags or op.reads_flags:
            setters.append(number)
        for bit in read:
            writer = writers.get(bit)
            if writer is not None:
                add(writer, number, latencies[writer])
            since = readers.get(bit)
            if since is None:
                readers[bit] = [number]
            else:
                since.append(number)
        for bit in written:
            for reader in readers.pop(bit, ()):
                if reader != number:
                    add(reader, number, 0)
            writer = writers.get(bit)
            if writer is not None:
                add(writer, number, 0)
            writers[bit] = number
    _keep_flags(graph, run, setters, flags)
    return graph


_NEEDS: dict[tuple[Op, tuple[Any, ...]], Needs] = {}
_KEPT = 1 << 16  # instructions that `_NEEDS` knows
_UNKNOWN: Needs = ((), (), 0, ())


def _noted(instruction: Instruction) -> Needs:
    """What an instruction needs, kept for the next one that is the same; `_UNKNOWN` where it is not known well enough."""
    if len(_NEEDS) >= _KEPT:
        _NEEDS.clear()
    found = _NEEDS[instruction.op, instruction.operands] = _needs(instruction.op, instruction.operands)
    return found


def _needs(op: Op, operands: tuple[Any, ...]) -> Needs:
    if len(op.access) != len(operands):
        return _UNKNOWN
    read, written = op.reads, op.writes
    zeroed = op.name in _ZEROING and operands[-1] is operands[0]
    latency: int = op.latency  # type: ignore[attr-defined]
    memory: list[Memory] = []
    for number, (access, operand) in enumerate(zip(op.access, operands, strict=True)):
        if isinstance(operand, Register):
            if access != "w" and not zeroed:
                read |= operand.bit
            if "w" in access:
                written |= operand.bit
                if operand is RSP:
                    return _UNKNOWN
        elif isinstance(operand, Mem):
            base, index, scale, displacement = operand
            assert isinstance(base, Register) and (index is None or isinstance(index, Register))
            read |= base.bit | (index.bit if index is not None else 0)
            if access == "a":
                continue
            if access != "w":
                latency += LOAD
            end = displacement + (op.widths[number] or 64)
            memory.append((base, index, scale, displacement, end, access != "w", "w" in access))
        elif isinstance(operand, Pool):
            latency += LOAD
    return tuple(_bits(read)), tuple(_bits(written)), latency, tuple(memory)


def _keep_flags(graph: _Graph, run: list[Instruction], setters: list[int], flags: bool) -> None:
    """Between an instruction that sets flags which others read, and the last of these, nothing else sets them; others may come
    in any order.  `flags`: those set last are read behind the run."""
    before: list[int] = []  # who used the flags last where it mattered
    dead: list[int] = []  # who set them since, for nothing
    live = -1  # who set those that are read now
    group: list[int] = []
    for position, number in enumerate(setters):
        op = run[number].op
        if op.reads_flags and live >= 0:
            graph.add(live, number, graph.latency[live])
        if not op.writes_flags:
            group.append(number)
            continue
        if group:
            before, dead, group, live = group, [], [], -1
        for other in before:
            graph.add(other, number, 0)
        is_live = flags if position + 1 == len(setters) else run[setters[position + 1]].op.reads_flags
        if is_live or op.reads_flags:
            for other in dead:
                graph.add(other, number, 0)
            dead, live, group = [], number, [number]
        else:
            dead.append(number)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit


def _meet(one: Access, other: Access) -> bool:
    """Whether two accesses may be of the same memory."""
    if one[0] == other[0]:
        return one[1] < other[2] and other[1] < one[2]
    return not (one[3] or other[3])
