"""Bringing SSA form back where values have got several definitions: every use gets the one that reaches it.

    :a                        :a                         after `%x` of :a was copied to :b as `%y` and :b was made lead to :c
      %x <- ...                 %x <- ...
      br :c                     br :c                    redefine(function, {%x: {:a: %x, :b: %y}}, NAME)
    :c                   =>   :b
      print(%x)                 %y <- ...
                                br :c
                              :c
                                %z <- phi (:a %x, :b %y)
                                print(%z)

Phis come where Cytron and others (Efficiently Computing Static Single Assignment Form, 1991) put them, on the iterated
dominance frontier of the definitions, but only those that a use needs.  Near-linear in the function and what is redefined.
"""

from __future__ import annotations

from septet.ir.analyses.dominators import Dominators
from septet.ir.forward import resolve
from septet.ir.nodes import Phi
from septet.ir.phis import remove_redundant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Block, Function, Value

    Versions = dict[Value, dict[Block, Value]]


def redefine(function: Function, versions: Versions, by: str, dominators: Dominators | None = None) -> None:
    """Let every use of a key of `versions` name the definition that reaches it.

    `versions[v]` says, by block, which value takes the place of `v` at the end of that block; `v` itself where it still
    stands.  Uses in the block in which `v` still stands keep it; all others find what holds at their block's beginning, a
    phi's operand what holds at the end of the predecessor.  New phis say `by`.  `dominators`: of the function as it is.
    What takes a value's place may have versions itself, as long as that does not go around in a circle.
    """
    if not versions:
        return
    repair = _Repair(function, versions, by, dominators or Dominators(function))
    get = versions.get
    for block in function.blocks:
        for phi in block.phis:
            for position, arg in enumerate(phi.args):
                ends = get(arg)
                if ends is not None:
                    phi.args[position] = repair.at_end(arg, ends, phi.blocks[position])
        for value in block.body:
            for arg in value.args:
                ends = get(arg)
                if ends is not None and ends.get(block) is not arg:
                    value.args = [
                        repair.at_start(arg, found, block)
                        if (found := get(arg)) is not None and found.get(block) is not arg
                        else arg
                        for arg in value.args
                    ]
                    break
    repair.finish()


class _Repair:
    """The state of one repair: what is known about the blocks' beginnings."""

    def __init__(self, function: Function, versions: Versions, by: str, dominators: Dominators) -> None:
        self.function = function
        self.versions = versions
        self.by = by
        self.parent = dominators.parent
        self.before: dict[Block, list[Block]] = {block: [] for block in function.blocks}
        for block in function.blocks:
            for target in block.successors:
                self.before[target].append(block)
        self.frontier = self._frontier()
        self.starts: dict[Value, dict[Block, Value]] = {}  # what takes a value's place at the beginning of a block
        self.joins: dict[Value, set[Block]] = {}  # where a value needs a phi, should anyone ask
        self.made: list[tuple[Value, Block, Phi]] = []  # phis, and the values in whose place they are

    def _frontier(self) -> dict[Block, list[Block]]:
        """The dominance frontier of each block (Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm, 2001)."""
        result: dict[Block, list[Block]] = {}
        for block, origins in self.before.items():
            if len(origins) > 1:
                top = self.parent[block]
                for origin in origins:
                    while origin is not top:
                        found = result.setdefault(origin, [])
                        if found and found[-1] is block:
                            break
                        found.append(block)
                        origin = self.parent[origin]
        return result

    def _joins(self, value: Value, ends: dict[Block, Value]) -> set[Block]:
        """The iterated dominance frontier of the definitions."""
        found = self.joins.get(value)
        if found is None:
            found = self.joins[value] = set()
            todo = list(ends)
            while todo:
                for block in self.frontier.get(todo.pop(), ()):
                    if block not in found:
                        found.add(block)
                        todo.append(block)
        return found

    def at_end(self, value: Value, ends: dict[Block, Value], block: Block) -> Value:
        """What takes the place of `value` at the end of `block`."""
        return self._here(value, ends[block], block) if block in ends else self.at_start(value, ends, block)

    def _here(self, value: Value, found: Value, block: Block) -> Value:
        """`found`, the version of `value` at the end of `block`; if it has versions itself, the one that holds there."""
        ends = self.versions.get(found)
        if found is value or ends is None or ends.get(block) is found:
            return found
        return self.at_end(found, ends, block)

    def at_start(self, value: Value, ends: dict[Block, Value], block: Block) -> Value:
        """What takes the place of `value` at the beginning of `block`."""
        joins = self._joins(value, ends)
        starts = self.starts.setdefault(value, {})
        way: list[Block] = []
        found: Value | None = None
        while found is None:
            found = starts.get(block)
            if found is None:
                way.append(block)
                if block in joins:
                    phi = Phi(value.type, [], [], value.span, self.by, value.name)
                    block.phis.append(phi)
                    self.made.append((value, block, phi))
                    found = phi
                else:
                    block = self.parent[block]
                    if block in ends:
                        found = self._here(value, ends[block], block)
        for passed in way:
            starts[passed] = found
        return found

    def finish(self) -> None:
        """Give the new phis their operands, which may need more phis, and take out those that are not needed."""
        done = 0
        phis: list[Value] = []
        while done < len(self.made):
            value, block, phi = self.made[done]
            done += 1
            phis.append(phi)
            ends = self.versions[value]
            phi.blocks = list(self.before[block])
            phi.args = [self.at_end(value, ends, origin) for origin in phi.blocks]
        if phis and remove_redundant(phis):
            resolve(self.function)
