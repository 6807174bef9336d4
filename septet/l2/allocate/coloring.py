"""Graph-colouring register allocation: Briggs, Cooper and Torczon (1994), with George's test for registers.

Rounds of: build the graph; coalesce moves where that cannot make it harder to colour; take away nodes that always find a
colour, or else the cheapest for how much it is in the way; give colours in the opposite order; spill what found none.
"""

from __future__ import annotations

from functools import reduce
from heapq import heapify, heappop, heappush
from operator import or_

from septet.l2.allocate.interference import NEVER, Graph, TooLarge
from septet.l2.allocate.legalise import legalise
from septet.l2.allocate.linear_scan import GENERAL_BITS, REGISTER_OF_BIT, VECTOR_BITS
from septet.l2.allocate.plan import Plan
from septet.l2.allocate.rewrite import END, Frame, rewrite
from septet.l2.allocate.slots import Slots
from septet.l2.allocate.spill import Fresh
from septet.l2.allocate.webs import split_webs
from septet.x86.abi import CALLEE_SAVED_BITS, CALLER_SAVED_BITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l2.allocate.rewrite import Allocated
    from septet.l2.allocate.slots import Extent
    from septet.x86.instructions import Instruction, Mem
    from septet.x86.registers import Register

ROUNDS = 12  # of colouring and spilling; each but the last spills something
WIDE = 400  # neighbours of two variables together above which a coalescing is not tried


class NoRegister(Exception):
    """An instruction needs more registers than there are free around it.  The argument is the variable left over."""


def allocate(body: list[Instruction]) -> Allocated | None:
    """Allocate by colouring; None where that comes to no end."""
    plan = Plan(split_webs(legalise(body)))
    temporaries = Fresh()
    slots = Slots()
    for _ in range(ROUNDS):
        try:
            graph = Graph(plan, temporaries.made)
            coloring = Coloring(graph)
            coloring.run()
        except (NoRegister, TooLarge):
            return None
        if not coloring.spilled:
            break
        home = _homes(graph, coloring, slots)
        temporaries.vector_move = slots.vector_move
        plan.replace(home, temporaries)
    else:
        return None
    color = coloring.color
    places: list[Register | Mem] = [REGISTER_OF_BIT[bit] for bit in color]
    frame = Frame(slots.count, reduce(or_, color, 0), arguments=True)
    return rewrite(plan.body, [(1, plan.variables, places), END], frame, temporaries)


def _homes(graph: Graph, coloring: Coloring, slots: Slots) -> dict[object, Register | Mem]:
    """A slot for each variable that found no colour; one for all that were coalesced."""
    spilled = dict.fromkeys([coloring.find(number) for number in coloring.spilled])
    variables = graph.plan.variables
    extents: dict[int, Extent] = {}
    together: list[tuple[int, int]] = []  # variable, what it has been coalesced into
    for number, (start, end) in enumerate(graph.extents()):
        one = coloring.find(number)
        if one in spilled:
            together.append((number, one))
            known = extents.get(one, (start, end))
            extents[one] = (min(start, known[0]), max(end, known[1]), variables[one].bank, one)
    homes = slots.assign(list(extents.values()), graph.plan.body)
    return {variables[number]: homes[one] for number, one in together}


class Coloring:
    """One round.  After `run`, `color[v]` is the bit of v's register, and `spilled` the variables without one."""

    __slots__ = (
        "graph", "near", "free", "alias", "gone", "color", "stack", "spilled", "friends", "cost", "degree", "cheap",
    )  # fmt: skip

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.near = graph.near
        self.cost = graph.cost
        count = len(graph.near)
        saved = graph.plan.named & CALLEE_SAVED_BITS
        banks = (GENERAL_BITS & ~saved, VECTOR_BITS)
        self.free = [banks[v.bank] & ~barred for v, barred in zip(graph.plan.variables, graph.barred, strict=True)]
        self.alias = list(range(count))
        self.gone = bytearray(count)  # coalesced, coloured while coalescing, or spilled beforehand
        self.color = [0] * count
        self.stack: list[int] = []
        self.spilled: list[int] = []
        self.friends: list[list[int]] = [[] for _ in range(count)]  # other ends of moves: variables, or -1 - register's index
        self.degree: list[int] = []
        self.cheap = CALLER_SAVED_BITS

    def run(self) -> None:
        """Colour the graph."""
        for variable in self.graph.crowded:
            self.gone[variable] = 1
            self.spilled.append(variable)
        self._coalesce()
        self._simplify()
        self._select()
        for variable in range(len(self.alias)):
            one = self.find(variable)
            if one != variable:
                self.color[variable] = self.color[one]

    def find(self, variable: int) -> int:
        """The variable that this one has been coalesced into."""
        alias = self.alias
        while alias[variable] != variable:
            alias[variable] = alias[alias[variable]]
            variable = alias[variable]
        return variable

    # Coalescing

    def _coalesce(self) -> None:
        """Coalesce the ends of moves, those in deep loops first, as long as something changes."""
        moves = sorted([move for move in self.graph.moves if not self._crowded(move)], key=lambda move: -move[0])
        for _, one, other in moves:
            self.friends[one].append(other)
            if other >= 0:
                self.friends[other].append(one)
        for _ in range(3):
            left = [move for move in moves if not self._try(move[1], move[2])]
            if len(left) == len(moves):
                return
            moves = left

    def _crowded(self, move: tuple[int, int, int]) -> bool:
        return bool(self.gone[move[1]] or move[2] >= 0 and self.gone[move[2]])

    def _try(self, one: int, other: int) -> bool:
        """Coalesce if it is safe; whether the move is dealt with."""
        one = self.find(one)
        if other >= 0:
            other = self.find(other)
            if self.color[other]:
                one, other = other, one
            if self.color[one]:
                if self.color[other]:
                    return True
                return self._into_register(other, self.color[one])
            return one == other or self._together(one, other)
        if self.color[one]:
            return True
        return self._into_register(one, 1 << -1 - other)

    def _constrained(self, variable: int) -> bool:
        """Whether a variable may not find a colour when its turn comes."""
        return len(self.near[variable]) >= self.free[variable].bit_count()

    def _into_register(self, variable: int, bit: int) -> bool:
        """Give a variable a register already, if no neighbour minds (George's test)."""
        free = self.free
        near = self.near[variable]
        if not free[variable] & bit or len(near) > WIDE:
            return False
        for other in near:
            if free[other] & bit and (self._constrained(other) or free[other] == bit):
                return False
        for other in near:
            free[other] &= ~bit
            self.near[other].discard(variable)
        self.near[variable] = set()
        self.color[variable] = bit
        self.gone[variable] = 1
        return True

    def _together(self, one: int, other: int) -> bool:
        """Make two variables one, if they will find a colour for sure (Briggs' test)."""
        near, free = self.near, self.free
        mine, yours = near[one], near[other]
        if other in mine or len(mine) + len(yours) > WIDE or (self.cost[one] == NEVER) != (self.cost[other] == NEVER):
            return False
        both = free[one] & free[other]
        room = both.bit_count()
        hard = 0
        for neighbour in mine | yours:
            shared = neighbour in mine and neighbour in yours
            if len(near[neighbour]) - shared >= free[neighbour].bit_count():
                hard += 1
                if hard >= room:
                    return False
        if not room:
            return False
        for neighbour in yours:
            near[neighbour].discard(other)
            near[neighbour].add(one)
        mine |= yours
        near[other] = set()
        free[one] = both
        self.cost[one] = min(self.cost[one] + self.cost[other], NEVER)
        self.friends[one] += self.friends[other]
        self.alias[other] = one
        self.gone[other] = 1
        return True

    # Colouring

    def _simplify(self) -> None:
        """Order the variables on the stack: on top, so first to choose, those that are hard to colour."""
        near, free, gone = self.near, self.free, self.gone
        degree = self.degree = [len(neighbours) for neighbours in near]
        room = [bits.bit_count() for bits in free]
        alive = [variable for variable in range(len(near)) if not gone[variable]]
        easy = [variable for variable in alive if degree[variable] < room[variable]]
        taken = bytearray(len(near))
        heap = [(self._ratio(variable), variable) for variable in alive if degree[variable] >= room[variable]]
        heapify(heap)
        while True:
            while easy:
                variable = easy.pop()
                if taken[variable]:
                    continue
                taken[variable] = 1
                self.stack.append(variable)
                for other in near[variable]:
                    degree[other] -= 1
                    if degree[other] == room[other] - 1 and not taken[other]:
                        easy.append(other)
            if not heap:
                return
            ratio, variable = heappop(heap)
            if taken[variable]:
                continue
            now = self._ratio(variable)
            if now > 1.1 * ratio + 1e-9:
                heappush(heap, (now, variable))
            else:
                easy.append(variable)

    def _ratio(self, variable: int) -> float:
        """How bad it is to spill a variable, for how many others it is in the way of."""
        return self.cost[variable] / (self.degree[variable] + 1)

    def _select(self) -> None:
        """Give colours in the opposite order."""
        color, near, free = self.color, self.near, self.free
        for variable in reversed(self.stack):
            available = free[variable]
            for other in near[variable]:
                available &= ~color[other]
            if available:
                bit = color[variable] = self._choice(variable, available)
                if not bit & self.cheap:
                    self.cheap |= bit
            elif self.cost[variable] < NEVER:
                self.spilled.append(variable)
            else:
                self._make_room(variable)

    def _choice(self, variable: int, available: int) -> int:
        """The best of the registers that are available: one that makes a move vanish, one that need not be saved."""
        for friend in self.friends[variable]:
            wanted = 1 << -1 - friend if friend < 0 else self.color[self.find(friend)]
            if wanted & available:
                return wanted
        available = available & self.cheap or available
        return available & -available

    def _make_room(self, variable: int) -> None:
        """What must not be spilled has found no colour: spill its cheapest neighbour that has one it could have."""
        others = [o for o in self.near[variable] if self.color[o] & self.free[variable] and self.cost[o] < NEVER]
        if not others:
            raise NoRegister(variable)
        loser = min(others, key=lambda other: (self.cost[other], other))
        self.spilled.append(loser)
        self.color[loser] = 0
