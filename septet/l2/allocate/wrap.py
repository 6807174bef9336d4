"""Functions that leave early: what they do before their first call is set apart from the rest.

    %n <- rdi                             %n <- rdi
    cjump %n >= 5 :large                  cjump %n >= 5 :large
    goto :small                           rax <- %n
    :large                                return
    %m <- %n              becomes         :large
    ...                                   %n' <- %n
    call @f (rdi)                         %m <- %n'
    ...                                   ...
    :small                                call @f (rdi)
    rax <- %n                             ...
    return                                rax <- %n'
                                          return

So `%n` can stay in rdi, and the callee-saved registers that `%n'` and others need across calls are saved at `:large` and
restored at its return alone: shrink-wrapping (Chow 1988), by copies of what is small as GCC does it.  The place is the last
block that dominates all calls and is in no loop.  What is reached both from there and without going there is copied.
"""

from __future__ import annotations

from bisect import bisect

from septet.base.graph import dominators
from septet.base.symbols import LABEL as LABEL_KIND
from septet.base.symbols import Symbol, symbol
from septet.l2.allocate.access import accesses, renamed
from septet.l2.allocate.liveness import block_starts, solve, successors
from septet.x86.forms import CALL_JUMP, JMP, LABEL, MOV, RETURN
from septet.x86.instructions import Instruction, Variable
from septet.x86.registers import GENERAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    Node = tuple[int, bool]  # a block, and whether it is the one behind the place
    Ways = dict[int, None]  # a set of blocks, in order

COPIED = 24  # instructions that may be copied


class Wrapped:
    """A body with a place, block number `place`, that all calls are behind; `late` are the blocks reached through it alone."""

    __slots__ = ("body", "place", "late")

    def __init__(self, body: list[Instruction], place: int, late: list[bool]) -> None:
        self.body = body
        self.place = place
        self.late = late  # of each block


def wrap(body: list[Instruction]) -> Wrapped | None:
    """Set the early ways out apart; None where there are none before all calls, or where what both share is too large."""
    calls = [position for position, instruction in enumerate(body) if instruction.op.is_call and not instruction.op.ends]
    if not calls or not any(instruction.op.jumps for instruction in body[: calls[0]]):
        return None
    starts = block_starts(body)
    ends = [*starts[1:], len(body)]
    after = successors(body, starts)
    calling = {bisect(starts, call) - 1: None for call in calls}
    if not _leaves(body, ends, _reached(after, 0, calling)) or _moves_its_labels(body):
        return None
    above = dominators(after)
    place = _place(after, above, calling)
    if place <= 0:
        return None
    early = _reached(after, 0, {place: None})
    late = _reached(after, place, {})
    shared = [block for block in early if block in late]
    if not _leaves(body, ends, early) or 0 in late or sum([ends[b] - starts[b] for b in shared]) > COPIED:
        return None
    blocks = [body[start:end] for start, end in zip(starts, ends, strict=True)]
    return _Layout(blocks, early, late, _Names(blocks, after, above, early, late, place)).build(place)


def _leaves(body: list[Instruction], ends: list[int], blocks: Ways) -> bool:
    """Whether the function returns from one of these blocks."""
    return any(body[ends[block] - 1].op is RETURN for block in blocks)


def _moves_its_labels(body: list[Instruction]) -> bool:
    """Whether addresses of labels are taken, so that blocks may be reached unseen."""
    for instruction in body:
        op = instruction.op
        if op is CALL_JUMP or op.name == "jmp-indirect":
            return True
        if not op.jumps and op is not LABEL:
            for operand in instruction.operands:
                if operand.__class__ is Symbol and operand.kind == LABEL_KIND:
                    return True
    return False


def _place(after: list[list[int]], above: list[int], calling: Ways) -> int:
    """The last block that dominates all those that call, and that does not come back to itself."""
    common = -1
    for block in calling:
        if above[block] < 0:
            continue
        if common < 0:
            common = block
        ways = {common: None}
        while common:
            common = above[common]
            ways[common] = None
        common = block
        while common not in ways:
            common = above[common]
    while common > 0 and common in _reached(after, common, {}, again=True):
        common = above[common]
    return common


def _reached(after: list[list[int]], start: int, without: Ways, again: bool = False) -> Ways:
    """The blocks that `start` reaches without going through `without`; itself only where it comes back if `again`."""
    found: Ways = {} if again else {start: None}
    todo = [start]
    while todo:
        for target in after[todo.pop()]:
            if target not in found and target not in without:
                found[target] = None
                todo.append(target)
    return found


class _Names:
    """The names that variables of both parts have behind the place: `carried` are those whose value comes over it."""

    __slots__ = ("renamed", "carried")

    def __init__(
        self,
        blocks: list[list[Instruction]],
        after: list[list[int]],
        above: list[int],
        early: Ways,
        late: Ways,
        place: int,
    ) -> None:
        surely: Ways = {}  # blocks that are on every way to the place
        block = place
        while block:
            block = above[block]
            surely[block] = None
        bits: dict[object, int] = {}
        certain = 0
        for block in early:
            for instruction in blocks[block]:
                for cell in accesses(instruction)[1]:
                    if cell.__class__ is Variable and cell.bank == GENERAL:
                        bit = bits.setdefault(cell, 1 << len(bits))
                        if block in surely:
                            certain |= bit
        gens, kills = [0] * len(blocks), [0] * len(blocks)
        for number in late:
            gen = kill = 0
            for instruction in blocks[number]:
                reads, writes = accesses(instruction)
                for cell in reads:
                    gen |= bits.get(cell, 0) & ~kill
                for cell in writes:
                    kill |= bits.get(cell, 0)
            gens[number], kills[number] = gen, kill
        into, _ = solve(gens, kills, after)
        live = into[place]
        self.renamed = {v: Variable(v.name) for v, bit in bits.items() if not bit & live or bit & certain}  # type: ignore[attr-defined]
        self.carried: list[Variable] = [variable for variable in self.renamed if bits[variable] & live]  # type: ignore[misc]


class _Layout:
    """Puts the blocks in a row again, those that are reached both ways twice."""

    __slots__ = ("blocks", "early", "late", "names", "labels")

    def __init__(self, blocks: list[list[Instruction]], early: Ways, late: Ways, names: _Names) -> None:
        self.blocks = blocks
        self.early = early
        self.late = late
        self.names = names
        self.labels: dict[object, Symbol] = {}  # of copied blocks: that of the copy

    def build(self, place: int) -> Wrapped:
        """The whole body."""
        order = self._order()
        self._label_copies(order)
        body: list[Instruction] = []
        for block, behind in order:
            body += self._block(block, behind, block == place)
        late = [behind for _, behind in order]
        return Wrapped(body, order.index((place, True)), late)

    def _order(self) -> list[Node]:
        """Of the two copies of a block one stands where the original does: the one that what is before falls into.  The other
        follows a jump to it, or else the next end of a block."""
        order: list[Node] = []
        chains: list[tuple[int, list[Node]]] = []  # the other copies, in a row while they fall into each other, and where
        behind = falls = False
        for block, instructions in enumerate(self.blocks):
            both = block in self.early and block in self.late
            behind = falls and behind if both else block in self.late
            if both:
                if not (falls and chains and chains[-1][1][-1][0] == block - 1):
                    chains.append((block, []))
                chains[-1][1].append((block, not behind))
            order.append((block, behind))
            falls = not instructions[-1].op.ends
        for block, chain in chains:
            order[self._after(order, block, chain[0]) : 0] = chain
        return order

    def _after(self, order: list[Node], block: int, head: Node) -> int:
        """Where the chain of copies that begins with `head` goes."""
        first = self.blocks[head[0]][0]
        end = 0
        for index, (other, behind) in enumerate(order):
            last = self.blocks[other][-1]
            if last.op is JMP and behind == head[1] and first.op is LABEL and last.operands[0] is first.operands[0]:
                return index + 1
            if last.op.ends and other >= block and not end:
                end = index + 1
        return end

    def _label_copies(self, order: list[Node]) -> None:
        taken = {i.operands[0] for block in self.blocks for i in block if i.op is LABEL}
        for block, behind in order:
            first = self.blocks[block][0]
            if behind and block in self.early and first.op is LABEL:
                label = first.operands[0]
                name = f"{label.name}_late"  # type: ignore[union-attr]
                while (copy := symbol(LABEL_KIND, name)) in taken:
                    name += "_"
                taken.add(copy)
                self.labels[label] = copy

    def _block(self, block: int, behind: bool, place: bool) -> list[Instruction]:
        """A block as it stands behind the place or before it."""
        instructions = self.blocks[block]
        if not behind:
            return instructions
        names, labels = self.names.renamed, self.labels
        result = []
        for instruction in instructions:
            operands = tuple([labels.get(o) or renamed(o, names) for o in instruction.operands])
            result.append(Instruction(instruction.op, operands, instruction.span, instruction.by))
        if place:
            at = 1 if instructions[0].op is LABEL else 0
            span = instructions[0].span
            result[at:at] = [Instruction(MOV, (names[old], old), span) for old in self.names.carried]
        return result
