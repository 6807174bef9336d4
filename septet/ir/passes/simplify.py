"""Constants computed, trivial operations and repeated ones removed, checks among them.

    i64 %a <- 2 + 3                   i64 %c <- %n + 5
    i64 %b <- %n + %a                 check-null %t
    i64 %c <- %n + %a          =>     i64 %d <- %c * %c
    check-null %t
    check-null %t
    i64 %d <- %b * %c

One walk down the dominator tree: on the way every value goes through the door (`ir.door`): it is folded, rewritten by the rules
(`ir.rules`), then looked up among the values of the blocks above that compute the same from the same operands.  A check that an
equal one dominates, or that cannot fail, goes.  Lengths and descriptors never change once made, so loads of them count as
computing.  A branch on a constant becomes a jump.

Trigger: a rule, or an equal value above.  Gain: whatever it saves; a rule never makes code worse.  Guard: loads of what may
change stay.  Both phases, level 1.  A value made by a rule says so: `by=simplify:add-zero`.
"""

from __future__ import annotations

from septet.base.symbols import ROUTINE
from septet.base.types import INTEGERS
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.representation import Words
from septet.ir.door import CONSTANT_CLASSES, MOST, Door
from septet.ir.forward import forward, resolve, stands_for
from septet.ir.nodes import Address, Branch, Call, Check, Const, Memory
from septet.ir.unreachable import drop_edge, drop_unreachable
from septet.ops import table as ops
from septet.ops.meaning import is_in, unpacked
from septet.ops.table import CONST, COPY, STORE, SYMBOL_ADDRESS
from septet.x86.abi import ARRAY, TUPLE, descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function, Value

NAME = "simplify"
IDEMPOTENT = True
KEEPS = (Dominators, PostDominators, Loops)  # where no branch goes
_TOLD = frozenset((ops.ELEMENT, ops.LOAD, ops.CALL, ops.CALL_INDIRECT, ops.LENGTH))  # what only `Words` knows about


def run(function: Function, facts: Facts) -> bool:
    """Simplify `function`; whether anything changed."""
    changed = _Walk(function, facts).down()
    if changed:
        resolve(function)
    if _fold_branches(function, facts):
        facts.drop()
        changed = True
    return changed


class _Walk:
    """The state of one walk: what has been computed in the blocks above is known to the door."""

    def __init__(self, function: Function, facts: Facts) -> None:
        self.function = function
        self.facts = facts
        self.spend = facts.fuel.spend
        self.door = Door(function, facts, NAME)
        self.known = self.door.known
        self.changed = False
        self.odd: Callable[[Value], bool] | None = None  # where facts say it of words that no operation nearby says it of
        if facts.words is not None:
            self.odd = odd = facts.get(Words).odd
            for parameter in function.parameters:
                if odd(parameter):
                    self.door.bits[parameter] = (0, 1)

    def down(self) -> bool:
        """Visit every block, dominators first."""
        children = self.facts.get(Dominators).children
        door = self.door
        todo: list[tuple[Block, int]] = [(self.function.blocks[0], -1)]
        while todo:
            block, mark = todo.pop()
            if mark >= 0:
                door.forget(mark)
                continue
            todo.append((block, len(door.undo)))
            todo += [(child, -1) for child in reversed(children[block])]
            self.phis(block)
            self.values(block)
        return self.changed or door.changed

    def phis(self, block: Block) -> None:
        """Phis that choose between equal values, or between themselves and one other, and repeated phis."""
        canonical = self.door.canonical
        odd = self.odd
        for phi in block.phis:
            if odd is not None and odd(phi):
                self.door.bits[phi] = (0, 1)
            phi.args = [canonical(arg) for arg in phi.args]
            others = [arg for arg in phi.args if arg is not phi]
            if others and all(arg is others[0] for arg in others) and stands_for(phi.type, others[0].type):
                found = others[0]
            else:
                found = self.door.equal((block, phi.type, *phi.args, *phi.blocks), phi)
            if found is not phi and self.spend():
                forward(phi, found)
                self.changed = True

    def values(self, block: Block) -> None:
        """Let every value through the door, and checks that can fail."""
        door = self.door
        canonical, settle, enters, leaves = door.canonical, door.settle, door.enters, door.leaves
        odd, bits = self.odd, door.bits
        kept: list[Value] = []
        door.body = kept
        for value in block.body:
            op = value.op
            args = value.args
            for arg in args:
                at = arg.op
                if at is CONST and leaves.get(arg) is not arg or at is COPY or at is SYMBOL_ADDRESS:
                    value.args = args = [canonical(arg) for arg in args]
                    break
            if op.check:
                assert isinstance(value, Check)
                if self.is_needed(value):
                    kept.append(value)
                continue
            if op is STORE and isinstance(value, Memory) and value.alias in CONSTANT_CLASSES:
                door.stores[args[0]] = door.stores.get(args[0], 0) + 1
            if op in _TOLD and odd is not None and odd(value):
                bits[value] = (0, 1)
            if not enters[op.code]:
                kept.append(value)
                continue
            door.left = MOST
            found = settle(value)
            if found is value:
                kept.append(value)
            else:
                forward(value, found)
                self.changed = True
        if len(kept) != len(block.body) or door.changed:
            block.body = kept

    def is_needed(self, check: Check) -> bool:
        """Whether a check can fail, for all that is known here; it is known from now on that it did not."""
        op = check.op
        key: Hashable = (op, *check.args, check.detail if op is ops.CHECK_KIND or op is ops.CHECK_CONVERT else 0)
        made = key in self.known or (op is ops.CHECK_NULL and ("reference", check.args[0]) in self.known)
        if made or _cannot_fail(check):
            if self.spend():
                self.changed = True
                why = "an equal one comes before it" if made else _why(check)
                self.facts.remark_check(self.function.name, check, "removed", why)
                return False
            return True
        self.door.remember(key, check)
        if op is ops.CHECK_KIND and ("reference", check.args[0]) not in self.known:
            self.door.remember(("reference", check.args[0]), check)
        return True


def _why(check: Check) -> str:
    """Why a check never fails whose operands say so."""
    op, value = check.op, check.args[0]
    if op is ops.CHECK_NULL or op is ops.CHECK_KIND:
        return "it is an object that was just made, or a function"
    if op is ops.CHECK_CONVERT and not isinstance(value, Const):
        return f"{INTEGERS[check.detail]} has all of {value.type}"
    number = value.number >> 1 if isinstance(value, Const) and op is not ops.CHECK_DIVISOR else None
    if op is ops.CHECK_INDEX and isinstance(check.args[1], Const):
        return f"index {number}, length {check.args[1].number >> 1}"
    return "it is a constant in range"


def _cannot_fail(check: Check) -> bool:
    """Whether a check's operands alone say that it never fails."""
    op = check.op
    value = check.args[0]
    if op is ops.CHECK_NULL or op is ops.CHECK_KIND:
        if value.op is ops.NEW_ARRAY:
            return op is ops.CHECK_NULL or check.detail == descriptor(ARRAY, len(value.args))
        if value.op is ops.NEW_TUPLE:
            return op is ops.CHECK_NULL or check.detail == descriptor(TUPLE)
        made = isinstance(value, Call) and value.callee is not None and value.callee.kind == ROUTINE
        return op is ops.CHECK_NULL and (made and isinstance(value, Call) and _allocates(value) or isinstance(value, Address))
    if op is ops.CHECK_CONVERT:
        type = INTEGERS[check.detail]
        if isinstance(value, Const):
            return is_in(value.number, value.type, type)
        return not value.type.is_float and type.low <= value.type.low and value.type.high <= type.high
    if not isinstance(value, Const):
        return False
    if op is ops.CHECK_LENGTH:
        return 0 <= value.number < 1 << 32
    if op is ops.CHECK_DIVISOR:
        return value.number != 0 if value.type.lanes == 1 else all(unpacked(value.type, value.number))
    length = check.args[1]
    return isinstance(length, Const) and 0 <= value.number < length.number


def _allocates(call: Call) -> bool:
    return call.callee is not None and call.callee.name == "allocate"


def _fold_branches(function: Function, facts: Facts) -> bool:
    """Turn branches on constants into jumps, and take out what nothing leads to any more."""
    changed = False
    for block in function.blocks:
        last = block.body[-1]
        if last.op is ops.BR_IF and isinstance(last, Branch):
            condition = last.args[0]
            if isinstance(condition, Const) and facts.fuel.spend():
                keep, drop = last.targets if condition.number else reversed(last.targets)
                drop_edge(block, drop)
                block.body[-1] = Branch(ops.BR, [], [keep], last.span, NAME)
                changed = True
    if changed:
        drop_unreachable(function)
    return changed
