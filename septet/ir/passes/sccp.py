"""Constants found through phis and branches at once: sparse conditional constant propagation.

    :entry                                             :entry
      br :while                                          br :while
    :while                                             :while
      int64 %x <- phi (:entry 3, :next %y)               %c <- %n < 100
      %c <- %n < 100                                     br %c :body :end
      br %c :body :end                                 :body
    :body                                        =>      br :next
      bool %d <- %x = 3                                :next
      br %d :next :other                                 ...
    :other                                               br :while
      br :next
    :next
      int64 %y <- phi (:body %x, :other 5)

Trigger: a phi that chooses among equal constants on the edges that can be taken, where an edge can be taken if its branch is
not known to go the other way (Wegman, Zadeck: Constant Propagation with Conditional Branches, 1991): both are found together,
from the assumption that nothing can be reached and everything is constant.  Cost: linear, every value changes state at most
twice; gain: code that never runs goes, and what is left is computed at compile time.  Guard: an operation that would trap is
no constant.  Both phases; level 2.  It replaces values by constants and drops edges, so the function shrinks and it ends.
"""

from __future__ import annotations

from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.uses import Uses
from septet.ir.fold import computed, divides
from septet.ir.forward import forward, resolve
from septet.ir.nodes import Branch, Const, Phi
from septet.ir.unreachable import drop_edge, drop_unreachable
from septet.ops import table as ops
from septet.ops.table import BR_IF, CONST, PHI

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value

NAME = "sccp"
KEEPS = (Dominators, PostDominators, Loops)
VARIES = None  # the state of a value that is no constant; one not seen yet has no state
_FOLDS = [op.meaning is not None or op.between is not None for op in ops.OPS]


def run(function: Function, facts: Facts) -> bool:
    """Propagate constants in `function`; whether any were found."""
    if not _may_find(function):
        return False
    search = _Search(function, facts.get(Uses))
    search.run(function.blocks[0])
    changed = False
    for value, number in search.state.items():
        if number is not None and facts.fuel.spend():
            if value.op is PHI:
                facts.remark(function.name, value.span, "always the same", "every way here brings one constant")
            forward(value, Const(value.type, number))
            changed = True
    if changed:
        resolve(function)
    dropped = False
    for block in function.blocks:
        last = block.body[-1]
        if last.op is BR_IF and isinstance(last, Branch) and block in search.reached:
            taken = [target for target in last.targets if (block, target) in search.edges]
            if len(taken) == 1 and facts.fuel.spend():
                drop_edge(block, last.targets[last.targets[0] is taken[0]])
                block.body[-1] = Branch(ops.BR, [], taken, last.span, NAME)
                facts.remark(function.name, last.span, "branch removed", "it always goes one way")
                dropped = True
    if dropped:
        drop_unreachable(function)
        facts.drop()
    return changed or dropped


def _may_find(function: Function) -> bool:
    """Whether there is a phi of a constant, or a branch on one: where values are folded already, others begin there."""
    for block in function.blocks:
        for phi in block.phis:
            if any(arg.op is CONST for arg in phi.args):
                return True
        last = block.body[-1]
        if last.op is BR_IF and last.args[0].op is CONST:
            return True
    return False


class _Search:
    """The two work lists, of edges and of values, and what is known."""

    __slots__ = ("state", "reached", "edges", "_uses", "_blocks", "_todo", "_values", "_waiting")

    def __init__(self, function: Function, uses: Uses) -> None:
        self.state: dict[Value, int | None] = dict.fromkeys(function.parameters, VARIES)
        self.reached: set[Block] = set()
        self.edges: set[tuple[Block, Block]] = set()
        self._uses = uses.users
        self._blocks = uses.blocks
        self._todo: list[Block] = []  # reached, and not yet looked at
        self._waiting: set[Value] = set()  # looked at before all operands were
        self._values: list[Value] = []  # what uses something that has changed

    def run(self, entry: Block) -> None:
        """Find everything."""
        self.reached.add(entry)
        self._todo.append(entry)
        while self._todo or self._values:
            while self._values:
                value = self._values.pop()
                if self._blocks[value] in self.reached:
                    self._visit(value)
            if self._todo:
                block = self._todo.pop()
                for phi in block.phis:
                    self._visit(phi)
                for value in block.body:
                    self._visit(value)

    def _visit(self, value: Value) -> None:
        """Bring the state of `value` up to date with those of its operands."""
        op = value.op
        if op.ends:
            self._leave(value)
            return
        state = self.state
        if state.get(value, 0) is VARIES:
            return
        if op is PHI:
            new = self._chosen(value)
        elif _FOLDS[op.code]:
            numbers = []
            for arg in value.args:
                if arg.op is CONST:
                    number = arg.number if isinstance(arg, Const) else VARIES
                elif arg in state:
                    number = state[arg]
                elif arg.op is ops.SYMBOL_ADDRESS:
                    number = VARIES
                else:  # not seen yet
                    self._waiting.add(value)
                    return
                if number is None:
                    self._becomes(value, VARIES)
                    return
                numbers.append(number)
            new = self._computed(value, numbers)
        else:
            new = VARIES
        self._becomes(value, new)

    def _becomes(self, value: Value, new: int | None | str) -> None:
        """Give `value` a state, and let its users look again if that is news."""
        state = self.state
        if new == "unseen":
            return
        assert not isinstance(new, str)
        users = self._uses.get(value, ())
        if value not in state:
            state[value] = new
            self._values += [user for user in users if user.op is PHI or user in self._waiting]  # others come in their turn
        elif state[value] != new:
            state[value] = VARIES
            self._values += users

    def _chosen(self, phi: Value) -> int | None | str:
        """What a phi chooses on the edges that can be taken."""
        assert isinstance(phi, Phi)
        block = self._blocks[phi]
        found: int | None | str = "unseen"
        for arg, before in zip(phi.args, phi.blocks, strict=True):
            if (before, block) not in self.edges:
                continue
            if isinstance(arg, Const):
                number: int | None = arg.number
            elif arg in self.state:
                number = self.state[arg]
            elif arg.op is CONST or arg.op is ops.SYMBOL_ADDRESS:
                return VARIES
            else:
                continue
            if number is None:
                return VARIES
            number = phi.type.wrap(number)
            if found != "unseen" and found != number:
                return VARIES
            found = number
        return found

    def _computed(self, value: Value, numbers: list[int]) -> int | None:
        """The result of an operation on constants; VARIES where it would trap."""
        op = value.op
        args = value.args
        value.args = [Const(arg.type, number) for arg, number in zip(args, numbers, strict=True)]
        try:
            return VARIES if (op is ops.DIV or op is ops.REM) and not divides(value) else computed(value)
        finally:
            value.args = args

    def _leave(self, last: Value) -> None:
        """Follow the edges that a terminator can take."""
        if not isinstance(last, Branch):
            return
        targets = last.targets
        if last.op is BR_IF:
            condition = last.args[0]
            if isinstance(condition, Const):
                number: int | None = condition.number
            elif condition in self.state:
                number = self.state[condition]
            else:
                return
            if number is not VARIES:
                targets = [targets[0] if number else targets[1]]
        block = self._blocks[last]
        for target in targets:
            if (block, target) not in self.edges:
                self.edges.add((block, target))
                if target in self.reached:
                    for phi in target.phis:
                        self._visit(phi)
                else:
                    self.reached.add(target)
                    self._todo.append(target)
