"""A loop with a branch on a condition that is the same in every round becomes two loops behind one branch.

    :before                                   :before
      br :loop                                  bool %c <- %k > 3
    :loop                                       br %c :loop_entry :loop_other
      %i <- phi (:before 1, :more %j)         :loop_entry
      bool %c <- %k > 3                         br :loop
      br %c :one :two                         :loop                                  (:loop_other leads to a loop like it
    :one                                =>      %i <- phi (:loop_entry 1, :more %j)   with :two_1 in the place of :one)
      call print(%i)                            br :one
      br :more                                :one
    :two                                        call print(%i)
      br :more                                  br :more
    :more                                     :more
      ...                                       ...

Trigger: a branch in a natural loop on a condition that can be computed before it, of operands that are there; the outermost
such loop is taken.  Gain: the branch, in every round; each of the loops is simpler, and the next passes see that.  Cost: a
second copy of the loop.  Guard: at most LARGEST values are copied a loop and TOTAL a function (TINY and TINY_TOTAL below -O3).
Level 2, phase arrays.  Ends: in one round of the pass a nest of loops is looked at once, and there are at most ROUNDS.
"""

from __future__ import annotations

from septet.base.types import VOID
from septet.ir.analyses.loops import Loops
from septet.ir.clone import clone_blocks, copy_edge
from septet.ir.copy import copy_value
from septet.ir.loop_shape import Shape
from septet.ir.nodes import ARRAYS, Block, Branch, Compare, Const
from septet.ir.redefine import redefine
from septet.ir.unreachable import drop_edge, drop_unreachable
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Function, Value
    from septet.ir.redefine import Versions

NAME = "unswitch"
LARGEST = 150
TOTAL = 600
TINY = 30
TINY_TOTAL = 90
ROUNDS = 4
DEEPEST = 6  # operations that are copied before a loop, one inside the other


def run(function: Function, facts: Facts) -> bool:
    """Unswitch what can be unswitched; whether there was anything."""
    if function.phase != ARRAYS:
        return False
    left = TOTAL if facts.opt >= 3 else TINY_TOTAL
    refused: dict[Value, None] = {}
    changed = False
    for _ in range(ROUNDS):
        loops = facts.get(Loops)
        if not loops.loops:
            break
        unswitching = _Unswitching(function, facts, loops, left, refused)
        if not unswitching.run():
            break
        left = unswitching.left
        changed = True
        facts.drop()
        redefine(function, unswitching.versions, NAME)
        facts.drop()
    return changed


class _Unswitching:
    """One round over a function: at most one loop of each nest."""

    def __init__(self, function: Function, facts: Facts, loops: Loops, left: int, refused: dict[Value, None]) -> None:
        self.function = function
        self.facts = facts
        self.loops = loops
        self.left = left
        self.refused = refused  # branches that a remark has been made for
        self.largest = LARGEST if facts.opt >= 3 else TINY
        self.versions: Versions = {}
        self.home: dict[Value, Block] = {}

    def run(self) -> bool:
        """Whether anything changed."""
        branches: list[tuple[Loop, Branch]] = []
        for loop in self.loops.loops:
            for block in loop.own:
                last = block.body[-1]
                if last.op is ops.BR_IF and isinstance(last, Branch) and not isinstance(last.args[0], Const):
                    branches.append((loop, last))
        if not branches:
            return False
        for loop in self.loops.loops:
            for block in loop.own:
                for value in (*block.phis, *block.body):
                    self.home[value] = block
        wanted: dict[Loop, tuple[Loop, Branch]] = {}  # by outermost loop
        for inner, branch in branches:
            self._look_at(inner, branch, wanted)
        if not wanted:
            return False
        shape = Shape(self.function, self.loops, NAME)
        for loop, _ in wanted.values():
            shape.preheader(loop)
        for loop, branch in wanted.values():
            self._unswitch(loop, branch, shape)
        shape.close()
        drop_unreachable(self.function)
        return True

    def _look_at(self, inner: Loop, branch: Branch, wanted: dict[Loop, tuple[Loop, Branch]]) -> None:
        """Note the branch, if a loop around it is to be unswitched."""
        found: Loop | None = None
        loop: Loop | None = inner
        least = size = 0
        while loop is not None and loop.natural and self._available(branch.args[0], loop):
            around = sum([len(block.body) for block in loop.blocks])
            least = least or around
            if around > min(self.largest, self.left):
                break
            found, size = loop, around
            loop = loop.parent
        if found is None:
            if least and branch not in self.refused:
                self.refused[branch] = None
                limit = min(self.largest, self.left)
                self.facts.remark(
                    self.function.name, branch.span, "loop not unswitched", f"size {least} > {limit}", size=least, limit=limit
                )
            return
        outermost = found
        while outermost.parent is not None:
            outermost = outermost.parent
        if outermost not in wanted and self.facts.fuel.spend():
            wanted[outermost] = found, branch
            self.left -= size
            why = "the condition is the same in every round"
            self.facts.remark(self.function.name, branch.span, "loop unswitched", why, size=size)

    def _available(self, value: Value, loop: Loop, depth: int = 0) -> bool:
        """Whether `value` is the same in every round and can be computed before the loop."""
        home = self.home.get(value)
        if home is None or not self.loops.contains(loop, home):
            return True
        if not value.op.pure or value.op is ops.PHI or depth > DEEPEST:
            return False
        return all(self._available(arg, loop, depth + 1) for arg in value.args)

    def _before(self, value: Value, loop: Loop, block: Block, made: dict[Value, Value]) -> Value:
        """`value`, computed at the end of `block`, before the loop."""
        home = self.home.get(value)
        if home is None or not self.loops.contains(loop, home):
            return value
        found = made.get(value)
        if found is None:
            found = made[value] = copy_value(value)
            found.args = [self._before(arg, loop, block, made) for arg in value.args]
            found.by = NAME
            block.body.append(found)
        return found

    def _unswitch(self, loop: Loop, branch: Branch, shape: Shape) -> None:
        before, header = loop.preheader, loop.header
        assert before is not None
        condition = branch.args[0]
        same = [block for block in loop.blocks if _decides(block, condition)]
        values: dict[Value, Value] = {}
        copies = clone_blocks(loop.blocks, values, shape.fresh)
        for block, target in loop.exits:
            copy_edge(target, block, copies[block], values)
        for block, copy in copies.items():
            for value in (*block.phis, *block.body):
                if value.type is not VOID:
                    self.versions[value] = {block: value, copy: values[value]}
        entries = []
        for name, start in (("entry", header), ("other", copies[header])):
            entry = Block(shape.fresh(f"{header.name}_{name}"))
            entry.body.append(Branch(ops.BR, [], [start], branch.span, NAME))
            for phi in start.phis:
                phi.blocks = [entry if block is before else block for block in phi.blocks]
            entries.append(entry)
        before.body.pop()
        early = self._before(condition, loop, before, {})
        before.body.append(Branch(ops.BR_IF, [early], list(entries), branch.span, NAME))
        for block in same:
            _settle(block, 0)
            _settle(copies[block], 1)
        shape.insert_before(header, entries[0], loop.parent)
        place = next(reversed(loop.blocks))
        for block in (entries[1], *copies.values()):
            shape.insert_after(place, block, loop.parent)
            place = block


def _decides(block: Block, condition: Value) -> bool:
    """Whether a block ends with a branch on the condition, or on one that is written like it."""
    last = block.body[-1]
    if last.op is not ops.BR_IF:
        return False
    other = last.args[0]
    if other is condition:
        return True
    if not isinstance(other, Compare) or not isinstance(condition, Compare):
        return False
    if other.op is not condition.op or other.on is not condition.on:
        return False
    return all(_alike(one, two) for one, two in zip(other.args, condition.args, strict=True))


def _alike(one: Value, two: Value) -> bool:
    if isinstance(one, Const) and isinstance(two, Const):
        return one.number == two.number and one.type is two.type
    return one is two


def _settle(block: Block, way: int) -> None:
    """Let a block's branch always go one way."""
    last = block.body[-1]
    assert isinstance(last, Branch)
    drop_edge(block, last.targets[1 - way])
    block.body[-1] = Branch(ops.BR, [], [last.targets[way]], last.span, NAME)
