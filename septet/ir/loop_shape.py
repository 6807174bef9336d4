"""Changing the shape of loops: blocks on edges, preheaders, single latches.

:a   br :loop                            :a   br :p
:b   br %c :loop :out            =>      :b   br %c :p :out
:loop                                    :p   br :loop
  %i <- phi (:a 0, :b 5, :more %j)         %x <- phi (:a 0, :b 5)
                                         :loop
                                           %i <- phi (:more %j, :p %x)
"""

from __future__ import annotations

from septet.base.names import Fresh
from septet.ir.clone import move_edge
from septet.ir.nodes import Block, Branch, Phi
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.analyses.loops import Loop, Loops
    from septet.ir.nodes import Function, Value


class Shape:
    """One function's graph while a pass changes it.  `close` puts the blocks in order; until then the function's list is old.

    `before` are the predecessors, kept up to date by what is done here, and so is which loop a block is in.
    """

    __slots__ = ("function", "loops", "before", "by", "fresh", "changed", "_next", "_last")

    def __init__(self, function: Function, loops: Loops, by: str) -> None:
        blocks = function.blocks
        self.function = function
        self.loops = loops
        self.before = loops.before
        self.by = by
        self.fresh = Fresh(block.name for block in blocks)
        self.changed = False
        self._next: dict[Block, Block | None] = dict(zip(blocks, [*blocks[1:], None], strict=True))
        self._last = {block: previous for previous, block in zip([None, *blocks[:-1]], blocks, strict=True)}

    def insert_before(self, place: Block, block: Block, loop: Loop | None) -> None:
        """Let the new `block`, which is in `loop`, stand before `place`."""
        previous = self._last[place]
        assert previous is not None  # nothing stands before the entry
        self.insert_after(previous, block, loop)

    def insert_after(self, place: Block, block: Block, loop: Loop | None) -> None:
        """Let the new `block`, which is in `loop`, stand after `place`."""
        following = self._next[place]
        self._next[place], self._next[block] = block, following
        self._last[block] = place
        if following is not None:
            self._last[following] = block
        self.loops.place(block, loop)
        self.before.setdefault(block, [])
        self.changed = True

    def move_after(self, place: Block, block: Block) -> None:
        """Let `block`, which is not the entry, stand after `place`."""
        if place is block or self._next[place] is block:
            return
        previous, following = self._last[block], self._next[block]
        assert previous is not None
        self._next[previous] = following
        if following is not None:
            self._last[following] = previous
        self.insert_after(place, block, self.loops.innermost(block))

    def close(self) -> None:
        """Give the function its blocks, in order."""
        block: Block | None = self.function.blocks[0]
        blocks: list[Block] = []
        while block is not None:
            blocks.append(block)
            block = self._next[block]
        self.function.blocks = blocks

    def join(self, target: Block, origins: list[Block], name: str, loop: Loop | None) -> Block:
        """A new block, standing before `target` and in `loop`, that the edges from `origins` to `target` now lead through."""
        new = Block(self.fresh(name))
        for phi in target.phis:
            pairs = list(zip(phi.blocks, phi.args, strict=True))
            through = {origin: arg for origin, arg in pairs if origin in origins}
            args = [through[origin] for origin in origins]
            arg = args[0]
            if any(other is not arg for other in args):
                arg = Phi(phi.type, args, list(origins), phi.span, self.by, phi.name)
                new.phis.append(arg)
            rest = [(origin, other) for origin, other in pairs if origin not in through]
            phi.blocks = [*(origin for origin, _ in rest), new]
            phi.args = [*(other for _, other in rest), arg]
        for origin in origins:
            move_edge(origin, target, new)
        new.body.append(Branch(ops.BR, [], [target], target.body[0].span, self.by))
        self.insert_before(target, new, loop)
        self.before[new] = list(origins)
        self.before[target] = [*(origin for origin in self.before[target] if origin not in origins), new]
        return new

    def preheader(self, loop: Loop) -> Block:
        """The preheader of a natural loop, made if there is none."""
        header = loop.header
        outside = [block for block in self.before[header] if not self.loops.contains(loop, block)]
        if len(outside) == 1 and len(outside[0].successors) == 1:
            loop.preheader = outside[0]
        else:
            loop.preheader = self.join(header, outside, f"{header.name}_entry", loop.parent)
        return loop.preheader

    def latch(self, loop: Loop) -> Block:
        """The only latch of a loop, made if there are several; it stands behind the last of them."""
        if len(loop.latches) > 1:
            origins = loop.latches
            latch = self.join(loop.header, loop.latches, f"{loop.header.name}_next", loop)
            self.move_after(origins[-1], latch)
            loop.latches = [latch]
        return loop.latches[0]

    def reach(self, block: Block, origin: Block) -> None:
        """Note that there is an edge from `origin` to `block` now."""
        self.before[block] = [*self.before[block], origin]

    def replace_latch(self, header: Block, old: Block, new: Block) -> None:
        """Where `header` is a loop's, note that its back edge from `old` comes from `new` now."""
        loop = self.loops.innermost(header)
        if loop is not None and loop.header is header:
            loop.latches = [new if latch is old else latch for latch in loop.latches]


def operand_for(phi: Phi, block: Block) -> Value:
    """What a phi gets from predecessor `block`."""
    return phi.args[phi.blocks.index(block)]
