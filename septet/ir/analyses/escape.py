"""Which objects leave the function: who else may hold a reference to what was made here, or to what a parameter refers to.

Each parameter and each allocation is a root, with a bit of its own; a value's roots are those that it may have been made
from, through phis, choices, casts and arithmetic, but not through memory.  A root is *kept* where one of its values is stored,
or passed to a call that may keep it; *returned* where one is returned.  What is loaded or comes from a call is `FOREIGN`: it
can be anything but an allocation of this function that is not kept.  One walk over the blocks, repeated while phis grow; where
nothing is made, only for who asks what becomes of parameters: everything else is foreign.
"""

from __future__ import annotations

from septet.base.graph import reverse_postorder
from septet.base.symbols import ROUTINE
from septet.ir.nodes import Call
from septet.ops import table as ops
from septet.ops.table import CALL, CALL_INDIRECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.ir.nodes import Block, Function, Value

FOREIGN = 1  # bit 0
_OUTSIDE = (ops.CALL_C, ops.SYSCALL)  # may keep what they are given, and give anything
_BASES = (ops.ELEMENT, ops.LENGTH, ops.LOAD)  # give something else than what they are applied to
_RAW = (ops.UNTAG, ops.TAG)


class Escape:
    """`allocations`: the roots made here, by value, in program order; `parameters`: the mask of all of theirs."""

    __slots__ = ("allocations", "parameters", "_kept", "_returned", "_roots", "_facts", "_function")

    def __init__(self, function: Function, facts: Any = None) -> None:
        self._facts = facts
        self._kept = 0
        self._returned = 0
        self._function: Function | None = function  # until all is found
        self.allocations: dict[Value, int] = {}
        self._roots: dict[Value, int] = {}
        bit = 2
        for parameter in function.parameters:
            self._roots[parameter] = FOREIGN | bit
            bit <<= 1
        self.parameters = bit - 2  # the mask of all of them
        for block in function.blocks:
            for value in block.body:
                if allocates(value):
                    self.allocations[value] = self._roots[value] = bit
                    bit <<= 1
        if self.allocations:
            self._find()

    @property
    def kept(self) -> int:
        """The roots that memory may refer to, or a callee may keep."""
        self._find()
        return self._kept

    @property
    def returned(self) -> int:
        """The roots that may be returned."""
        self._find()
        return self._returned

    def _find(self) -> None:
        """Find the roots of all values and what becomes of them, if that is not done yet."""
        function = self._function
        if function is not None:
            self._function = None
            self._spread(function)
            for block in function.blocks:
                self._uses(block)

    def roots(self, value: Value) -> int:
        """What `value` may refer to, or be made from."""
        if not self.allocations:
            return FOREIGN
        return self._roots.get(value, FOREIGN)

    def escapes(self, value: Value) -> bool:
        """Whether anybody else may get hold of an object that `value` may refer to."""
        mask = self.roots(value)
        return mask & (FOREIGN | self._kept | self._returned) != 0

    def private(self, value: Value) -> bool:
        """Whether `value` refers to objects made here that nothing in memory refers to, and no callee keeps."""
        mask = self.roots(value)
        return mask != 0 and not mask & (FOREIGN | self._kept)

    def may_be_same(self, value: Value, other: Value) -> bool:
        """Whether two references may be to one object."""
        return value is other or self.may_share(self.roots(value), self.roots(other))

    def may_share(self, a: int, b: int) -> bool:
        """Whether references with these roots may be to one object."""
        if a & b & ~self.parameters:
            return True  # both foreign, or of one allocation
        return bool(a & FOREIGN and b & self._kept or b & FOREIGN and a & self._kept)

    def _spread(self, function: Function) -> None:
        roots = self._roots
        blocks = function.blocks
        if len(blocks) > 1:
            number = {block: index for index, block in enumerate(blocks)}
            order = reverse_postorder([[number[to] for to in block.successors] for block in blocks])
            blocks = [blocks[index] for index in order]
        joins = [block for block in blocks if block.phis]
        get = roots.get
        growing = True
        while growing:
            growing = False
            for block in blocks:
                for phi in block.phis:
                    mask = 0
                    for arg in phi.args:
                        mask |= get(arg, 0)
                    roots[phi] = mask
                for value in block.body:
                    op = value.op
                    if op.pure and not op.compares:
                        if op in _RAW:
                            continue
                        mask = 0
                        for arg in value.args:
                            mask |= get(arg, 0)
                        if mask:
                            roots[value] = mask
                    elif op in _BASES or op in _OUTSIDE or isinstance(value, Call) and value not in self.allocations:
                        roots[value] = FOREIGN
            for block in joins:
                for phi in block.phis:
                    mask = 0
                    for arg in phi.args:
                        mask |= get(arg, 0)
                    if mask & ~roots[phi]:
                        growing = True

    def _uses(self, block: Block) -> None:
        """Note what the values of a block keep or return."""
        roots = self._roots
        for value in block.body:
            op = value.op
            if op is ops.SET_ELEMENT or op is ops.STORE:
                self._kept |= roots.get(value.args[-1], 0)
            elif op is CALL or op is CALL_INDIRECT:
                assert isinstance(value, Call)
                self._kept |= self._kept_by(value)
            elif op in _OUTSIDE:
                for arg in value.args:
                    self._kept |= roots.get(arg, 0)
            elif op is ops.RETURN:
                for arg in value.args:
                    self._returned |= roots.get(arg, 0)

    def _kept_by(self, call: Call) -> int:
        """The roots that a call may keep or give back."""
        callee = call.callee
        if callee is not None and callee.kind == ROUTINE:
            return 0
        summaries = callees(call, self._facts)
        escapes = -1
        if summaries is not None:
            escapes = 0
            for summary in summaries:
                escapes |= summary.escapes
        mask = 0
        for index, arg in enumerate(call.args if callee is not None else call.args[1:]):
            if escapes >> index & 1:
                mask |= self._roots.get(arg, 0)
        return mask


def allocates(value: Value) -> bool:
    """Whether `value` is a new object."""
    op = value.op
    if op is ops.NEW_ARRAY or op is ops.NEW_TUPLE:
        return True
    if op is not CALL:
        return False
    assert isinstance(value, Call)
    return value.callee is not None and value.callee.kind == ROUTINE and value.callee.name == "allocate"


def callees(call: Call, facts: Any) -> list[Any] | None:
    """The summaries of all functions that a call may reach; None where one of them is not known.

    An indirect call reaches the functions of its arity that have an address, as `facts.words` has found them.
    """
    if facts is None:
        return None
    if call.callee is not None:
        names = [call.callee.name]
    else:
        words = getattr(facts, "words", None)
        if words is None:
            return None
        names = words.taken.get(len(call.args) - 1, [])
    found = [facts.summary(name) for name in names]
    return None if None in found else found
