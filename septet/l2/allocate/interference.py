"""The interference graph of a function's variables, by bank, and what colouring wants to know besides.

Registers are no nodes.  A variable has the set of the registers that it must not be in, because they are live or clobbered
somewhere while it lives.
"""

from __future__ import annotations

from bisect import bisect

from septet.base.bits import members
from septet.l2.allocate.liveness import block_starts, loop_depths, solve, successors
from septet.x86.forms import CALL_ERROR
from septet.x86.instructions import Variable
from septet.x86.registers import RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.l2.allocate.plan import Plan

REGISTER_BITS = (1 << 32) - 1
CROWD = 64  # more variables of a bank that live at once are not worth a graph: the cheapest go to memory at once
DEEPEST = 6  # loops deeper than this count like this
MOST_BITS = 1 << 28  # of a function's live sets
NEVER = 1 << 60  # the cost of what must not be spilled


class TooLarge(Exception):
    """The function has too many variables in too many blocks."""


class Graph:
    """The graph: `near[v]` are the variables that v interferes with, `barred[v]` the registers.

    `cost[v]` is how often v is used, by loop depth.  `moves` are (how often, v, other variable or -1 - register's index).
    `crowded` are variables that are to be spilled whatever colouring says; they are not in the graph.
    """

    __slots__ = (
        "plan", "near", "barred", "cost", "moves", "crowded", "crossing", "crossed", "crowd_bits", "starts", "ends", "weights",
        "into", "out", "lost",
    )  # fmt: skip

    def __init__(self, plan: Plan, unspillable: dict[Variable, None]) -> None:
        self.plan = plan
        count = len(plan.variables)
        self.near: list[set[int]] = [set() for _ in range(count)]
        self.barred = [0] * count
        self.cost = [0] * count
        self.moves: list[tuple[int, int, int]] = []
        self.crowded: dict[int, None] = {}
        self.crossing: dict[int, int] = {}  # variables that some block reads before writing, and their bits in sets
        self.crowd_bits = 0
        self.lost = 0  # the bits of variables that were spilled and taken up again as temporaries
        self.starts = block_starts(plan.body)
        self.ends = [*self.starts[1:], len(plan.body)]
        after = successors(plan.body, self.starts)
        self.weights = [10 ** min(depth, DEEPEST) for depth in loop_depths(plan.body, self.starts, after)]
        for block, end in enumerate(self.ends):
            if plan.body[end - 1].op is CALL_ERROR:
                self.weights[block] = 0  # this happens once at most
        gens, kills = self._summaries()
        self.into, self.out = solve(gens, kills, after)  # of each block
        self.crossed = list(self.crossing)
        for position in plan.anywhere:
            for number in plan.effects[position][0]:
                self.cost[number] -= self.weights[bisect(self.starts, position) - 1]
        for variable in unspillable:
            self.cost[plan.number[variable]] = NEVER
        for block in range(len(self.starts) - 1, -1, -1):
            self._walk(block)
        for number in self.crowded:
            for other in self.near[number]:
                self.near[other].discard(number)

    def _summaries(self) -> tuple[list[int], list[int]]:
        """What each block reads before writing it, and what it writes; registers, and variables that cross blocks.  Counts
        costs on the way."""
        effects, cost, crossing = self.plan.effects, self.cost, self.crossing
        blocks: list[tuple[dict[int, None], dict[int, None], int, int]] = []
        for start, end, weight in zip(self.starts, self.ends, self.weights, strict=True):
            upward: dict[int, None] = {}
            done: dict[int, None] = {}
            gen = kill = 0
            for uses, defs, read, written in effects[start:end]:
                for variable in uses:
                    cost[variable] += weight
                    if variable not in done:
                        upward[variable] = None
                        if variable not in crossing:
                            crossing[variable] = len(crossing) + 32
                for variable in defs:
                    cost[variable] += weight
                    done[variable] = None
                if read:
                    gen |= read & ~kill
                kill |= written
            blocks.append((upward, done, gen, kill))
        if len(crossing) * len(blocks) > MOST_BITS:
            raise TooLarge
        gens, kills = [], []
        for upward, done, gen, kill in blocks:
            for variable in upward:
                gen |= 1 << crossing[variable]
            for variable in done:
                if variable in crossing:
                    kill |= 1 << crossing[variable]
            gens.append(gen)
            kills.append(kill)
        return gens, kills

    def grow(self) -> None:
        """Make room for the temporaries that have been put into blocks."""
        self.ends = [*self.starts[1:], len(self.plan.body)]
        more = len(self.plan.variables) - len(self.near)
        self.near += [set() for _ in range(more)]
        self.barred += [0] * more
        self.cost += [NEVER] * more

    def take_up(self, blocks: list[int], old: int, find: Callable[[int], int], color: list[int]) -> None:
        """Find out what interferes with the temporaries, which have the numbers from `old` on and are in `blocks`.

        `find` gives the variable that another has been coalesced into.  What has a color already is no node any more.
        """
        for number in range(old, len(self.near)):
            self.barred[number] = 0
        for block in blocks:
            self._take_up(block, old, find, color)

    def _take_up(self, block: int, old: int, find: Callable[[int], int], color: list[int]) -> None:
        """Go through a block as `_walk` does, for what interferes with variables from number `old` on."""
        near, barred, crossed, variables = self.near, self.barred, self.crossed, self.plan.variables
        registers = self.out[block] & REGISTER_BITS
        live = {find(crossed[number]) for number in members((self.out[block] & ~self.lost) >> 32)}
        new: set[int] = set()  # those from `old` on; no block ends with one live
        for uses, defs, read, written in reversed(self.plan.effects[self.starts[block] : self.ends[block]]):
            if written:
                for variable in new:
                    barred[variable] |= written
            if len(defs) > 1:
                for variable in defs:
                    (new if variable >= old else live).add(find(variable) if variable < old else variable)
            for variable in defs:
                others = new
                if variable >= old:
                    new.discard(variable)
                    others = live | new
                    barred[variable] |= registers | written
                else:
                    variable = find(variable)
                    live.discard(variable)
                bank = variables[variable].bank
                for other in others:
                    if variables[other].bank != bank:
                        continue
                    if color[other]:
                        barred[variable] |= color[other]
                    elif color[variable]:
                        barred[other] |= color[variable]
                    else:
                        near[variable].add(other)
                        near[other].add(variable)
            registers &= ~written
            for variable in uses:
                if variable >= old:
                    new.add(variable)
                else:
                    live.add(find(variable))
            registers |= read

    def variables_of(self, blocks: list[int]) -> set[int]:
        """The variables that are used or written in some blocks."""
        found: set[int] = set()
        for block in blocks:
            for uses, defs, _, _ in self.plan.effects[self.starts[block] : self.ends[block]]:
                found.update(uses)
                found.update(defs)
        return found

    def extents(self) -> list[tuple[int, int]]:
        """The stretch of positions in which each variable is used or live."""
        first = [-1] * len(self.near)
        last = [0] * len(self.near)
        for position, (uses, defs, _, _) in enumerate(self.plan.effects):
            for variable in uses + defs:
                if first[variable] < 0:
                    first[variable] = position
                last[variable] = position
        crossing = [-1] * 32 + list(self.crossing)
        seen = REGISTER_BITS
        for block, live in enumerate(self.into):
            for number in members(live & ~seen):
                first[crossing[number]] = min(first[crossing[number]], self.starts[block])
            seen |= live
        seen = REGISTER_BITS
        for block in range(len(self.into) - 1, -1, -1):
            live = self.into[block] | self.out[block]
            for number in members(live & ~seen):
                end = self.ends[block] if self.out[block] >> number & 1 else self.starts[block]
                last[crossing[number]] = max(last[crossing[number]], end)
            seen |= live
        return list(zip(first, last, strict=True))

    def _walk(self, block: int) -> None:
        """Go backward through a block with the set of what is live, and connect what is written with it."""
        near, barred, crowded, variables = self.near, self.barred, self.crowded, self.plan.variables
        start, end, weight = self.starts[block], self.ends[block], self.weights[block]
        body, effects = self.plan.body[start:end], self.plan.effects[start:end]
        live_registers = self.out[block] & REGISTER_BITS
        live: tuple[set[int], set[int]] = (set(), set())
        for number in members((self.out[block] & ~self.crowd_bits) >> 32):
            variable = self.crossed[number]
            live[variables[variable].bank].add(variable)
        for bank in live:
            self._relieve(bank)
        for instruction, (uses, defs, read, written) in zip(reversed(body), reversed(effects), strict=True):
            around = live_registers
            copied = -1
            if (uses or read) and instruction.op.is_move:
                copied, around = self._move(instruction.operands, uses, defs, weight, live_registers)
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
                if copied in bank:
                    bank = bank - {copied}
                near[variable] |= bank
                for other in bank:
                    near[other].add(variable)
                barred[variable] |= around | written
            for variable in uses:
                if variable not in crowded:
                    bank = live[variables[variable].bank]
                    bank.add(variable)
                    if len(bank) > CROWD:
                        self._relieve(bank)
            live_registers |= read

    def _move(
        self, operands: tuple[object, ...], uses: list[int], defs: list[int], weight: int, live_registers: int
    ) -> tuple[int, int]:
        """Note a move.  Its ends do not interfere by it: the variable that is copied, and the registers live around it
        without the one that is copied."""
        target, source = operands
        if target.__class__ is Variable and source.__class__ is Variable:
            if defs[0] not in self.crowded and uses[0] not in self.crowded:
                self.moves.append((weight, defs[0], uses[0]))
            return uses[0], live_registers
        if target.__class__ is Variable and source.__class__ is Register:
            if source is RSP:
                return -1, live_registers
            self.moves.append((weight, defs[0], -1 - source.index))
            return -1, live_registers & ~source.bit
        if target.__class__ is Register and source.__class__ is Variable:
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
            place = self.crossing.get(variable)
            if place is not None:
                self.crowd_bits |= 1 << place
