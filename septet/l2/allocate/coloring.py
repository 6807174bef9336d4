"""Graph-colouring register allocation: Briggs, Cooper and Torczon (1994), with George's test for registers.

Rounds of: build the graph; coalesce moves where that cannot make it harder to colour; take away nodes that always find a
colour, or else the cheapest for how much it is in the way; give colours in the opposite order; spill what found none.
"""

from __future__ import annotations

from functools import reduce
from heapq import heapify, heappop, heappush
from operator import or_

from septet.l2.allocate.access import GENERAL_BITS, REGISTER_OF_BIT, VECTOR_BITS
from septet.l2.allocate.clean import clean
from septet.l2.allocate.interference import NEVER, Graph, TooLarge
from septet.l2.allocate.legalise import legalise
from septet.l2.allocate.liveness import block_starts, successors
from septet.l2.allocate.loops import Splitter
from septet.l2.allocate.moves import Moves
from septet.l2.allocate.plan import Plan
from septet.l2.allocate.rewrite import END, Frame, rewrite
from septet.l2.allocate.slots import Slots
from septet.l2.allocate.spill import Fresh
from septet.l2.allocate.webs import split_webs
from septet.l2.allocate.wrap import wrap
from septet.x86.abi import CALLEE_SAVED_BITS, CALLER_SAVED_BITS
from septet.x86.registers import VECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l2.allocate.rewrite import Allocated
    from septet.l2.allocate.slots import Extent
    from septet.l2.allocate.wrap import Wrapped
    from septet.x86.instructions import Instruction, Mem
    from septet.x86.registers import Register

ROUNDS = 12  # of colouring and spilling; each but the last spills something
WIDE = 400  # neighbours of two variables together above which a coalescing is not tried


class NoRegister(Exception):
    """An instruction needs more registers than there are free around it.  The argument is the variable left over."""


def allocate(body: list[Instruction], target: str, split: bool = True) -> Allocated | None:
    """Allocate by colouring; None where that comes to no end.  `split` gives what is spilled another chance in loops."""
    body = split_webs(legalise(body))
    wrapped = wrap(body)
    plan = Plan(wrapped.body if wrapped is not None else body)
    temporaries = Fresh(Moves(target))
    spiller = Spiller(temporaries)
    coloring: Coloring | None = None
    changed: list[int] = []
    for number in range(ROUNDS):
        try:
            coloring = _colored(plan, temporaries, coloring, changed, wrapped)
        except (NoRegister, TooLarge):
            return None
        if not coloring.spilled:
            break
        spiller.take(coloring)
        parts = spiller.split(coloring) if split and number == 0 else None
        if parts is None:
            changed = spiller.replace(plan, coloring.graph.starts)
        else:
            plan = Plan(parts)
            spiller.replace(plan, block_starts(parts))
            coloring = None
    else:
        return None
    colored = [(variable, bit) for variable, bit in zip(plan.variables, coloring.color, strict=True) if bit]
    variables = [variable for variable, _ in colored]
    places: list[Register | Mem] = [REGISTER_OF_BIT[bit] for _, bit in colored]
    frame = Frame(spiller.slots.count, reduce(or_, [bit for _, bit in colored], 0), arguments=True)
    if wrapped is not None:
        coloring.move_saves(frame, wrapped)
    result, words = rewrite(plan.body, [(1, variables, places), END], frame, temporaries)
    return clean(result) if spiller.slots.count else result, words


def _colored(plan: Plan, temporaries: Fresh, before: Coloring | None, changed: list[int], wrapped: Wrapped | None) -> Coloring:
    """A round of colouring: of the graph of the round before, where that will do, with what was `changed` since."""
    if before is not None:
        try:
            before.again(changed)
        except NoRegister:
            pass
        else:
            return before
    coloring = Coloring(Graph(plan, temporaries.made))
    if wrapped is not None:
        coloring.early = coloring.graph.variables_of(_early(wrapped))
    coloring.run()
    return coloring


class Spiller:
    """Decides what becomes of variables that found no colour: `home` has their slots, and `constants` what makes those again
    that only ever have one constant.  What was coalesced goes together."""

    __slots__ = ("temporaries", "slots", "home", "constants", "classes", "inherited")

    def __init__(self, temporaries: Fresh) -> None:
        self.temporaries = temporaries
        self.slots = Slots()
        self.home: dict[object, Register | Mem] = {}
        self.constants: dict[object, Instruction] = {}
        self.classes: dict[int, int] = {}  # of those that get slots: what they were coalesced into
        self.inherited: dict[object, Register | Mem] = {}  # of a variable that is a part of another: its slot

    def take(self, coloring: Coloring) -> None:
        """Take up what a round of colouring has spilled."""
        plan, find = coloring.graph.plan, coloring.find
        variables = plan.variables
        spilled = dict.fromkeys([find(number) for number in coloring.spilled])
        classes = {number: one for number in range(len(variables)) if (one := find(number)) in spilled}
        constants = plan.constants(classes)
        self.constants = {variables[number]: constants[one] for number, one in classes.items() if one in constants}
        self.classes = {number: one for number, one in classes.items() if one not in constants}
        self._give_slots(coloring.graph)

    def _give_slots(self, graph: Graph) -> None:
        variables, moves = graph.plan.variables, self.temporaries.moves
        if not moves.sizes and any(variables[number].bank == VECTOR for number in self.classes):
            moves.measure(graph.plan.body)
        homes: dict[int, Register | Mem | None] = {}
        for number, one in self.classes.items():
            known = self.inherited.get(variables[number])
            homes[one] = known if homes.setdefault(one, known) == known else None
        extents: dict[int, Extent] = {}
        stretches = graph.extents()
        for number, one in self.classes.items():
            if homes[one] is None:
                start, end = stretches[number]
                first, last, words, _ = extents.get(one, (start, end, 1, one))
                extents[one] = (min(start, first), max(end, last), max(words, moves.words(variables[number])), one)
        homes.update(self.slots.assign(list(extents.values())))
        self.home = {variables[number]: homes[one] for number, one in self.classes.items()}  # type: ignore[misc]

    def split(self, coloring: Coloring) -> list[Instruction] | None:
        """The body with variables of their own for loops that read what is spilled; None where there are no such loops."""
        graph = coloring.graph
        if not self.classes or max(graph.weights) < 10:
            return None
        splitter = Splitter(graph, self.classes, successors(graph.plan.body, graph.starts))
        body = splitter.run()
        for part, one in splitter.parents.items():
            self.inherited[part] = self.home[graph.plan.variables[one]]
        return body

    def replace(self, plan: Plan, starts: list[int]) -> list[int]:
        """Put everything where it is to be, and bring `starts` up to date; the numbers of the blocks that changed."""
        return plan.replace(self.home, self.constants, self.temporaries, starts)


def _early(wrapped: Wrapped) -> list[int]:
    return [block for block, late in enumerate(wrapped.late) if not late]


class Coloring:
    """One round.  After `run`, `color[v]` is the bit of v's register, and `spilled` the variables without one."""

    __slots__ = (
        "graph", "near", "free", "alias", "gone", "color", "stack", "spilled", "friends", "cost", "degree", "cheap",
        "banks", "left", "forced", "early",
    )  # fmt: skip

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.near = graph.near
        self.cost = graph.cost
        count = len(graph.near)
        saved = graph.plan.named & CALLEE_SAVED_BITS
        banks = self.banks = (GENERAL_BITS & ~saved, VECTOR_BITS)
        self.free = [banks[v.bank] & ~barred for v, barred in zip(graph.plan.variables, graph.barred, strict=True)]
        self.alias = list(range(count))
        self.gone = bytearray(count)  # coalesced, coloured while coalescing, or spilled beforehand
        self.color = [0] * count
        self.stack: list[int] = []
        self.spilled: list[int] = []
        self.friends: list[list[int]] = [[] for _ in range(count)]  # other ends of moves: variables, or -1 - register's index
        self.degree: dict[int, int] = {}  # of variables that are hard to colour
        self.cheap = CALLER_SAVED_BITS
        self.left: list[tuple[int, int, int]] = []  # moves whose ends could not be coalesced
        self.early: set[int] = set()  # variables that are used before what makes saving registers necessary
        self.forced = False  # whether some variable is without a register that must not be spilled

    def run(self) -> None:
        """Colour the graph."""
        for variable in self.graph.crowded:
            self.gone[variable] = 1
            self.spilled.append(variable)
        self._coalesce()
        self._finish()

    def _finish(self) -> None:
        self.forced = False
        self._simplify()
        self._select()
        for variable in range(len(self.alias)):
            one = self.find(variable)
            if one != variable:
                self.color[variable] = self.color[one]

    def again(self, changed: list[int]) -> None:
        """Another round, when the spilled variables have been replaced by temporaries in the blocks `changed`."""
        graph, near, color = self.graph, self.near, self.color
        spilled = dict.fromkeys([self.find(variable) for variable in self.spilled])
        for variable in spilled:
            self.gone[variable] = 1
            for other in near[variable]:
                near[other].discard(variable)
            near[variable] = set()
        for variable, place in graph.crossing.items():
            if self.find(variable) in spilled:
                graph.lost |= 1 << place
        old = len(self.alias)
        count = len(graph.plan.variables)
        color += [0] * (count - old)
        self.alias += range(old, count)
        self.gone += bytes(count - old)
        self.friends += [[] for _ in range(count - old)]
        graph.grow()
        done = not self.forced and self._fill(changed, old)
        self.spilled = []
        if not done:
            for variable in self.stack:
                color[variable] = 0
            graph.take_up(changed, old, self.find, color)
            self._set_free(old)
            self.stack = []
            self.cheap = CALLER_SAVED_BITS
            self.left = [move for move in self.left if not self._crowded(move) and not self._try(move[1], move[2])]
            self._finish()

    def _set_free(self, old: int) -> None:
        variables, barred = self.graph.plan.variables, self.graph.barred
        more = range(old, len(variables))
        self.free[old:] = [self.banks[variables[number].bank] & ~barred[number] for number in more]

    def _fill(self, changed: list[int], old: int) -> bool:
        """Give the temporaries, from number `old` on, registers that are left; whether that can be done."""
        color, near = self.color, self.near
        self.graph.take_up(changed, old, self.find, color)
        self._set_free(old)
        for variable in range(old, len(color)):
            available = self.free[variable]
            for other in near[variable]:
                available &= ~color[other]
            if not available:
                color[old:] = [0] * (len(color) - old)
                return False
            bit = color[variable] = self._choice(variable, available)
            self.cheap |= bit
            self.stack.append(variable)
        return True

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
            done = len(left) == len(moves)
            moves = left
            if done:
                break
        self.left = moves

    def _crowded(self, move: tuple[int, int, int]) -> bool:
        """Whether an end of a move has been spilled."""
        for variable in move[1:]:
            if variable >= 0:
                one = self.find(variable)
                if self.gone[one] and not self.color[one]:
                    return True
        return False

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
        """Make two variables one, if they will find a colour for sure (Briggs' test), or if that makes it no harder to colour
        the graph than one of them did (George's)."""
        near, free = self.near, self.free
        mine, yours = near[one], near[other]
        if other in mine or len(mine) + len(yours) > WIDE or (self.cost[one] == NEVER) != (self.cost[other] == NEVER):
            return False
        both = free[one] & free[other]
        room = both.bit_count()
        if not room or not both & CALLER_SAVED_BITS and (one in self.early) != (other in self.early):
            return False
        if len(mine | yours) >= room and not self._few_hard(mine, yours, room):
            if not (both == free[one] and self._adds_easy(mine, yours) or both == free[other] and self._adds_easy(yours, mine)):
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
        if other in self.early:
            self.early.add(one)
        return True

    def _few_hard(self, mine: set[int], yours: set[int], room: int) -> bool:
        """Whether fewer than `room` neighbours may not find a colour when their turn comes."""
        near, free = self.near, self.free
        hard = 0
        for neighbours, shared in ((mine ^ yours, 0), (mine & yours, 1)):
            for neighbour in neighbours:
                if len(near[neighbour]) - shared >= free[neighbour].bit_count():
                    hard += 1
                    if hard >= room:
                        return False
        return True

    def _adds_easy(self, mine: set[int], yours: set[int]) -> bool:
        """Whether all in `yours` that is not in `mine` finds a colour when its turn comes."""
        near, free = self.near, self.free
        return all(len(near[neighbour]) < free[neighbour].bit_count() for neighbour in yours - mine)

    # Colouring

    def _simplify(self) -> None:
        """Order the variables on the stack: on top, so first to choose, those that are hard to colour.

        Only for these it matters how many neighbours are left.
        """
        near, free, gone, stack = self.near, self.free, self.gone, self.stack
        hard: dict[int, int] = {}  # how many neighbours must go before a variable is easy
        easy: list[int] = []
        for variable, neighbours in enumerate(near):
            if not gone[variable]:
                over = len(neighbours) - free[variable].bit_count() + 1
                if over > 0:
                    hard[variable] = over
                else:
                    easy.append(variable)
        degree = self.degree = {variable: len(near[variable]) for variable in hard}
        heap = [(self._ratio(variable), variable) for variable in hard]
        heapify(heap)
        left = set(hard)
        while left:
            while easy:
                variable = easy.pop()
                stack.append(variable)
                for other in near[variable] & left:
                    degree[other] -= 1
                    hard[other] -= 1
                    if not hard[other]:
                        left.discard(other)
                        easy.append(other)
            while heap:
                ratio, variable = heappop(heap)
                if variable in left:
                    now = self._ratio(variable)
                    if now > 1.1 * ratio + 1e-9:
                        heappush(heap, (now, variable))
                    else:
                        left.discard(variable)
                        easy.append(variable)
                        break
        easy.reverse()
        stack += easy

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
        available = available & (CALLER_SAVED_BITS if variable in self.early else self.cheap) or available
        return available & -available

    def _make_room(self, variable: int) -> None:
        """What must not be spilled has found no colour: spill its cheapest neighbour that has one it could have."""
        others = [o for o in self.near[variable] if self.color[o] & self.free[variable] and self.cost[o] < NEVER]
        if not others:
            raise NoRegister(variable)
        self.forced = True
        loser = min(others, key=lambda other: (self.cost[other], other))
        self.spilled.append(loser)
        self.color[loser] = 0

    def move_saves(self, frame: Frame, wrapped: Wrapped) -> None:
        """Have callee-saved registers saved at the place, but for those that are used before it."""
        graph = self.graph
        used = reduce(or_, [self.color[variable] for variable in graph.variables_of(_early(wrapped))], 0)
        frame.wrap(graph.starts, graph.plan.body, wrapped, used)
