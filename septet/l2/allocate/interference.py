"""The interference graph of a function's variables, by bank, and what colouring wants to know besides.

Registers are no nodes.  A variable has the set of the registers that it must not be in, because they are live or clobbered
somewhere while it lives.
"""

from __future__ import annotations

from septet.base.bits import members
from septet.base.symbols import ROUTINE, Symbol
from septet.l2.allocate.access import ARGUMENT_BITS, accesses, implicit
from septet.l2.allocate.busy import TRACKED
from septet.l2.allocate.liveness import block_starts, loop_depths, solve, successors
from septet.x86.forms import LABEL
from septet.x86.instructions import Variable
from septet.x86.registers import RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.instructions import Instruction

REGISTER_BITS = (1 << 32) - 1
CROWD = 64  # more variables of a bank that live at once are not worth a graph: the cheapest go to memory at once
DEEPEST = 6  # loops deeper than this count like this
MOST_BITS = 1 << 28  # of a function's live sets
NEVER = 1 << 60  # the cost of what must not be spilled


class TooLarge(Exception):
    """The function has too many variables in too many blocks."""


class Plan:
    """What each instruction does, by number of variable: reads, writes, and sets of registers read and written."""

    __slots__ = ("variables", "number", "uses", "defs", "reads", "writes", "named")

    def __init__(self, body: list[Instruction]) -> None:
        self.variables: list[Variable] = []
        self.number: dict[Variable, int] = {}
        self.uses: list[list[int]] = []
        self.defs: list[list[int]] = []
        self.reads: list[int] = []
        self.writes: list[int] = []
        self.named = 0
        unread = 0  # argument registers that a move wrote and nothing has read yet: a callee may look for them
        for instruction in body:
            op = instruction.op
            if op is LABEL:
                unread = 0
                self._append([], [], 0, 0)
                continue
            uses, defs, read, written = self._one(instruction)
            unread &= ~read
            if op.is_call:
                callee = instruction.operands[0]
                if not (isinstance(callee, Symbol) and callee.kind == ROUTINE):
                    read |= unread
                unread = 0
                written = 0 if op.ends else written
            elif written:
                unread = unread | written & ARGUMENT_BITS[6] if op.is_move else unread & ~written
            self._append(uses, defs, read, written)

    def _append(self, uses: list[int], defs: list[int], read: int, written: int) -> None:
        self.uses.append(uses)
        self.defs.append(defs)
        self.reads.append(read)
        self.writes.append(written)

    def _one(self, instruction: Instruction) -> tuple[list[int], list[int], int, int]:
        op = instruction.op
        read, written = implicit(instruction) if op.reads or op.writes or op.is_call else (0, 0)
        if not op.is_call and not op.ends:
            self.named |= read | written
        reads, writes = accesses(instruction)
        uses: list[int] = []
        defs: list[int] = []
        for cell in reads:
            if cell.__class__ is Variable:
                uses.append(self._number(cell))
            else:
                read |= cell.bit  # type: ignore[union-attr]
                self.named |= cell.bit  # type: ignore[union-attr]
        for cell in writes:
            if cell.__class__ is Variable:
                defs.append(self._number(cell))
            else:
                written |= cell.bit  # type: ignore[union-attr]
                self.named |= cell.bit  # type: ignore[union-attr]
        return uses, defs, read & TRACKED, written

    def _number(self, variable: Variable) -> int:
        number = self.number.get(variable)
        if number is None:
            number = self.number[variable] = len(self.variables)
            self.variables.append(variable)
        return number


class Graph:
    """The graph: `near[v]` are the variables that v interferes with, `barred[v]` the registers.

    `cost[v]` is how often v is used, by loop depth.  `moves` are (how often, v, other variable or -1 - register's index).
    `crowded` are variables that are to be spilled whatever colouring says; they are not in the graph.
    """

    __slots__ = (
        "plan", "near", "barred", "cost", "moves", "crowded", "extent", "starts", "ends", "out", "crossing",
        "place_of", "crowd_bits", "depth",
    )  # fmt: skip

    def __init__(self, body: list[Instruction], unspillable: dict[Variable, None]) -> None:
        self.plan = plan = Plan(body)
        count = len(plan.variables)
        self.near: list[set[int]] = [set() for _ in range(count)]
        self.barred = [0] * count
        self.cost = [0] * count
        self.moves: list[tuple[int, int, int]] = []
        self.crowded: dict[int, None] = {}
        self.extent: list[tuple[int, int]] = [(0, 0)] * count
        self.out: list[int] = []  # of each block: what is live at its end; bit n + 32 is variable crossing[n]
        self.crossing: list[int] = []
        self.place_of: dict[int, int] = {}  # the bits of `out`, by variable
        self.crowd_bits = 0
        self.starts = block_starts(body)
        self.ends = [*self.starts[1:], len(body)]
        self._flow(body)
        self._costs(unspillable)
        for block in range(len(self.starts) - 1, -1, -1):
            self._walk(body, block)
        for variable in self.crowded:
            for other in self.near[variable]:
                self.near[other].discard(variable)

    def _flow(self, body: list[Instruction]) -> None:
        """Liveness, of registers and of the variables that some block reads before writing."""
        plan = self.plan
        upward: list[dict[int, None]] = []
        written: list[dict[int, None]] = []
        register_gen, register_kill = [], []
        crossing: dict[int, int] = {}
        for start, end in zip(self.starts, self.ends, strict=True):
            up: dict[int, None] = {}
            done: dict[int, None] = {}
            gen = kill = 0
            for position in range(start, end):
                for variable in plan.uses[position]:
                    if variable not in done:
                        up[variable] = None
                        if variable not in crossing:
                            crossing[variable] = len(crossing) + 32
                for variable in plan.defs[position]:
                    done[variable] = None
                gen |= plan.reads[position] & ~kill
                kill |= plan.writes[position]
            upward.append(up)
            written.append(done)
            register_gen.append(gen)
            register_kill.append(kill)
        if len(crossing) * len(upward) > MOST_BITS:
            raise TooLarge
        gens, kills = [], []
        for up, done, gen, kill in zip(upward, written, register_gen, register_kill, strict=True):
            for variable in up:
                gen |= 1 << crossing[variable]
            for variable in done:
                if variable in crossing:
                    kill |= 1 << crossing[variable]
            gens.append(gen)
            kills.append(kill)
        after = successors(body, self.starts)
        into, out = solve(gens, kills, after)
        self.depth = loop_depths(body, self.starts, after)
        self.crossing = list(crossing)
        self.place_of = crossing
        self.out = out
        self._extents(into, out, self.crossing)

    def _extents(self, into: list[int], out: list[int], crossing: list[int]) -> None:
        """The stretch of positions in which each variable is used or live."""
        plan = self.plan
        first = [-1] * len(plan.variables)
        last = [0] * len(plan.variables)
        for position, (uses, defs) in enumerate(zip(plan.uses, plan.defs, strict=True)):
            for variable in uses + defs:
                if first[variable] < 0:
                    first[variable] = position
                last[variable] = position
        seen = 0
        for block, live in enumerate(into):
            live >>= 32
            for number in members(live & ~seen):
                first[crossing[number]] = min(first[crossing[number]], self.starts[block])
            seen |= live
        seen = 0
        for block in range(len(into) - 1, -1, -1):
            live = into[block] >> 32 | out[block] >> 32
            for number in members(live & ~seen):
                end = self.ends[block] if out[block] >> 32 + number & 1 else self.starts[block]
                last[crossing[number]] = max(last[crossing[number]], end)
            seen |= live
        self.extent = list(zip(first, last, strict=True))

    def _costs(self, unspillable: dict[Variable, None]) -> None:
        plan, cost = self.plan, self.cost
        for block, (start, end) in enumerate(zip(self.starts, self.ends, strict=True)):
            weight = 10 ** min(self.depth[block], DEEPEST)
            for position in range(start, end):
                for variable in plan.uses[position]:
                    cost[variable] += weight
                for variable in plan.defs[position]:
                    cost[variable] += weight
        for one in unspillable:
            number = plan.number.get(one)
            if number is not None:
                cost[number] = NEVER

    def _walk(self, body: list[Instruction], block: int) -> None:
        """Go backward through a block with the set of what is live, and connect what is written with it."""
        plan, near, barred, crowded = self.plan, self.near, self.barred, self.crowded
        variables = plan.variables
        weight = 10 ** min(self.depth[block], DEEPEST)
        live_registers = self.out[block] & REGISTER_BITS
        live: tuple[set[int], set[int]] = (set(), set())
        for number in members((self.out[block] & ~self.crowd_bits) >> 32):
            variable = self.crossing[number]
            live[variables[variable].bank].add(variable)
        for bank in live:
            self._relieve(bank)
        for position in range(self.ends[block] - 1, self.starts[block] - 1, -1):
            uses, defs, written = plan.uses[position], plan.defs[position], plan.writes[position]
            around = live_registers
            copied = -1
            if body[position].op.is_move and (uses or plan.reads[position]):
                copied, around = self._move(body[position], position, weight, live_registers)
            if written:
                for bank in live:
                    for variable in bank:
                        if variable != copied:
                            barred[variable] |= written
                live_registers &= ~written
            if len(defs) > 1:
                for variable in defs:
                    live[variables[variable].bank].add(variable)
            for variable in defs:
                if variable in crowded:
                    continue
                bank = live[variables[variable].bank]
                bank.discard(variable)
                others = bank - {copied} if copied in bank else bank
                near[variable] |= others
                for other in others:
                    near[other].add(variable)
                barred[variable] |= around | written
            for variable in uses:
                if variable not in crowded:
                    bank = live[variables[variable].bank]
                    bank.add(variable)
                    if len(bank) > CROWD:
                        self._relieve(bank)
            live_registers |= plan.reads[position]

    def _move(self, instruction: Instruction, position: int, weight: int, live_registers: int) -> tuple[int, int]:
        """Note a move.  Its ends do not interfere by it: the variable that is copied, and the registers live around it
        without the one that is copied."""
        plan = self.plan
        uses, defs = plan.uses[position], plan.defs[position]
        target, source = instruction.operands
        if target.__class__ is Variable and source.__class__ is Variable:
            if defs[0] not in self.crowded and uses[0] not in self.crowded:
                self.moves.append((weight, defs[0], uses[0]))
            return uses[0], live_registers
        if target.__class__ is Variable and isinstance(source, Register):
            if source is RSP:
                return -1, live_registers
            self.moves.append((weight, defs[0], -1 - source.index))
            return -1, live_registers & ~source.bit
        if isinstance(target, Register) and source.__class__ is Variable:
            self.moves.append((weight, uses[0], -1 - target.index))
            return uses[0], live_registers
        return -1, live_registers

    def _relieve(self, live: set[int]) -> None:
        """Where a crowd lives at once, send the cheapest to memory."""
        if len(live) <= CROWD:
            return
        cost = self.cost
        for variable in sorted(live, key=lambda variable: (cost[variable], variable))[: len(live) - CROWD]:
            live.discard(variable)
            self.crowded[variable] = None
            place = self.place_of.get(variable)
            if place is not None:
                self.crowd_bits |= 1 << place
