"""Constants computed, trivial operations and repeated ones removed, checks among them.

    i64 %a <- 2 + 3                   i64 %c <- %n + 5
    i64 %b <- %n + %a                 check-null %t
    i64 %c <- %n + %a          =>     i64 %d <- %c * %c
    check-null %t
    check-null %t
    i64 %d <- %b * %c

One walk down the dominator tree: on the way every value is first folded (`ir.fold`), then looked up among the values of the
blocks above that compute the same from the same operands (Briggs, Cooper, Simpson: Value Numbering, 1997, section 4).  A check
that an equal one dominates, or that cannot fail, goes.  Lengths and descriptors never change once made, so loads of them
count as computing.  A branch on a constant becomes a jump.
"""

from __future__ import annotations

from septet.base.symbols import ROUTINE
from septet.ir.analyses.dominators import Dominators
from septet.ir.fold import divides, simpler
from septet.ir.forward import final, forward, resolve, stands_for
from septet.ir.nodes import Address, Branch, Call, Check, Compare, Const, Length, Line, Memory, Value
from septet.ir.unreachable import drop_edge, drop_unreachable
from septet.ops import table as ops
from septet.ops.table import CONST, COPY, LOAD, STORE
from septet.x86.abi import ARRAY, TUPLE, descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

    from septet.base.facts import Facts
    from septet.base.types import Type
    from septet.ir.nodes import Block, Function

NAME = "simplify"
CONSTANT_CLASSES = ("length", "descriptor")  # alias classes of what never changes once made


def run(function: Function, facts: Facts) -> bool:
    """Simplify `function`; whether anything changed."""
    walk = _Walk(facts)
    changed = walk.down(function)
    if changed:
        resolve(function)
    if _fold_branches(function, facts):
        changed = True
    return changed


class _Walk:
    """The state of one walk: what has been computed in the blocks above."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.function = ""  # the name of the one walked
        self.spend = facts.fuel.spend
        self.constants: dict[tuple[Type, int], Const] = {}
        self.addresses: dict[Hashable, Value] = {}
        self.known: dict[Hashable, Value] = {}  # values by what they compute
        self.undo: list[Hashable] = []  # keys of `known`, newest last
        self.stores: dict[Value, int] = {}  # how often lengths or descriptors were stored at a base so far
        self.changed = False

    def down(self, function: Function) -> bool:
        """Visit every block, dominators first."""
        self.function = function.name
        children = Dominators(function).children
        todo: list[tuple[Block, int]] = [(function.blocks[0], -1)]
        while todo:
            block, mark = todo.pop()
            if mark >= 0:
                for key in self.undo[mark:]:
                    del self.known[key]
                del self.undo[mark:]
                continue
            todo.append((block, len(self.undo)))
            todo += [(child, -1) for child in reversed(children[block])]
            self.phis(block)
            self.values(block)
        return self.changed

    def const(self, type: Type, number: int) -> Const:
        """The one constant of that type and number in this walk."""
        found = self.constants.get((type, number))
        if found is None:
            found = self.constants[type, number] = Const(type, number)
        return found

    def canonical(self, arg: Value) -> Value:
        """What stands for an operand: equal constants and addresses are one object."""
        op = arg.op
        if op is COPY:
            arg = final(arg)
            op = arg.op
        if op is CONST:
            if isinstance(arg, Const):
                return self.const(arg.type, arg.number)
            assert isinstance(arg, Line)
            return self.addresses.setdefault(arg.line, arg)
        if isinstance(arg, Address):
            return self.addresses.setdefault((arg.symbol, arg.type), arg)
        return arg

    def replace(self, value: Value, by: Value) -> bool:
        """Let `by` stand for `value`, if there is fuel."""
        if not self.spend():
            return False
        forward(value, by)
        self.changed = True
        return True

    def phis(self, block: Block) -> None:
        """Phis that choose between equal values, or between themselves and one other, and repeated phis."""
        for phi in block.phis:
            phi.args = [self.canonical(arg) for arg in phi.args]
            others = [arg for arg in phi.args if arg is not phi]
            if others and all(arg is others[0] for arg in others) and stands_for(phi.type, others[0].type):
                if self.replace(phi, others[0]):
                    continue
            self.number(phi, (block, phi.type, *phi.args, *phi.blocks))

    def values(self, block: Block) -> None:
        """Fold, look up, remember: value by value."""
        kept: list[Value] = []
        canonical = self.canonical
        for value in block.body:
            op = value.op
            args = value.args
            for arg in args:
                if arg.op is COPY or arg.op is CONST or arg.op is ops.SYMBOL_ADDRESS:
                    value.args = args = [canonical(arg) for arg in args]
                    break
            if op.check:
                assert isinstance(value, Check)
                if self.is_needed(value):
                    kept.append(value)
                continue
            if op.pure or op is LOAD or op is ops.LENGTH or divides(value):
                self.order(value)
                better = simpler(value, self.const) if op is not LOAD else None
                if better is not None and self.replace(value, better):
                    continue
                key = self.key(value)
                if key is not None and self.number(value, key):
                    continue
            elif op is STORE and isinstance(value, Memory) and value.alias in CONSTANT_CLASSES:
                self.stores[args[0]] = self.stores.get(args[0], 0) + 1
            kept.append(value)
        if len(kept) < len(block.body):
            block.body = kept

    def order(self, value: Value) -> None:
        """A constant operand of what commutes stands on the right."""
        if value.op.commutes and isinstance(value.args[0], Const) and not isinstance(value.args[1], Const):
            if self.spend():
                value.args = [value.args[1], value.args[0]]
                value.by = NAME
                self.changed = True

    def key(self, value: Value) -> Any:
        """What `value` computes: equal for values that compute the same.  None where that is never the same twice."""
        op = value.op
        args = value.args
        if isinstance(value, Memory):
            if value.alias not in CONSTANT_CLASSES:
                return None
            return (op, value.on, args[0], value.offset, self.stores.get(args[0], 0))
        if isinstance(value, Compare):
            return (op, value.on, *args)
        if isinstance(value, Length):
            return (op, value.type, value.dimension, *args)
        return (op, value.type, *args)

    def number(self, value: Value, key: Hashable) -> bool:
        """Whether an earlier value with the same key stands for `value` now; if there is none, remember this one."""
        found = self.known.get(key)
        if found is not None:
            return self.replace(value, found)
        self.known[key] = value
        self.undo.append(key)
        return False

    def is_needed(self, check: Check) -> bool:
        """Whether a check can fail, for all that is known here; it is known from now on that it did not."""
        op = check.op
        key: Hashable = (op, *check.args, check.detail if op is ops.CHECK_KIND else 0)
        made = key in self.known or (op is ops.CHECK_NULL and ("reference", check.args[0]) in self.known)
        if made or _cannot_fail(check):
            if self.spend():
                self.changed = True
                why = "made above" if made else "its operands say that it cannot fail"
                self.facts.remark(self.function, check.span, f"{op} removed", why)
                return False
            return True
        self.known[key] = check
        self.undo.append(key)
        if op is ops.CHECK_KIND and ("reference", check.args[0]) not in self.known:
            self.known["reference", check.args[0]] = check
            self.undo.append(("reference", check.args[0]))
        return True


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
    if not isinstance(value, Const):
        return False
    if op is ops.CHECK_LENGTH:
        return 0 <= value.number < 1 << 32
    if op is ops.CHECK_DIVISOR:
        return value.number != 0
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
