"""Chains of one integer operation regrouped: constants merged, equal terms cancelled, what a loop does not change put together.

    i64 %s <- %a + %b                  i64 %s <- %a + %b
    int64 %t <- %s - 1                 i64 %u <- %s + %c
    i64 %u <- %t + %c           =>     int64 %v <- %u - 2
    int64 %v <- %u - 1

Trigger: sums and differences, products, and chains of `&`, `|` or `^`, in one block, whose inner values have no other user
(Briggs, Cooper: Effective Partial Redundancy Elimination, 1994, section 3.1, with loops for ranks).  Cost: linear; gain: an
operation for each constant, and those that invariant motion can then take out of the loop.  Guard: a chain is rebuilt only
where the operations that are left in its loop become fewer; integers alone, on which everything here is exact modulo 2^n.
Both phases; level 2.  Every application lowers that count and none adds operations, so it ends.
"""

from __future__ import annotations

from septet.base.types import BOOL, I64, INT, VALUE
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.uses import Uses
from septet.ir.forward import forward, resolve, stands_for
from septet.ir.nodes import Const, Value
from septet.ops import table as ops
from septet.ops.table import ADD, AND, MUL, OR, SUB, XOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.base.types import Type
    from septet.ir.nodes import Block, Function

NAME = "reassociate"
KEEPS = (Dominators, PostDominators, Loops)
LONGEST = 32  # terms of a chain that is looked at
_FAMILY = {ADD: ADD, SUB: ADD, MUL: MUL, AND: AND, OR: OR, XOR: XOR}
_NEUTRAL = {ADD: 0, MUL: 1, AND: -1, OR: 0, XOR: 0}


def run(function: Function, facts: Facts) -> bool:
    """Regroup the chains of `function`; whether there were any to gain from."""
    uses = facts.get(Uses)
    roots = [
        (block, value)
        for block in function.blocks
        for value in block.body
        if value.op in _FAMILY and _has_inner(value, block, uses) and not _is_inner(value, block, uses)
    ]
    if not roots:
        return False
    loops = facts.get(Loops)
    changed: dict[Block, dict[Value, list[Value]]] = {}
    for block, root in roots:
        chain = _Chain(root, block, uses, loops)
        made = chain.rebuilt()
        if made is not None and facts.fuel.spend():
            changed.setdefault(block, {})[root] = made[:-1] if isinstance(made[-1], Const) or made[-1] in chain.terms else made
            what = f"{root.op} regrouped"
            forward(root, made[-1])
            for inner in chain.inner:
                changed[block][inner] = []
            saved = chain.before - chain.after
            facts.remark(function.name, root.span, what, "operations saved in its loop", saved=saved)
    for block, news in changed.items():
        body: list[Value] = []
        for value in block.body:
            if value in news:
                body += news[value]
            else:
                body.append(value)
        block.body = body
    if changed:
        resolve(function)
    return bool(changed)


def _is_inner(value: Value, block: Block, uses: Uses) -> bool:
    """Whether `value` is part of a chain that goes on."""
    users = uses.of(value)
    if len(users) != 1:
        return False
    user = users[0]
    return (
        _FAMILY.get(user.op) is _FAMILY[value.op]
        and uses.blocks[user] is block
        and uses.blocks.get(value) is block
        and user.type.bits == value.type.bits
        and user.type is not BOOL
        and user.type.kind in (INT, VALUE)
    )


def _has_inner(value: Value, block: Block, uses: Uses) -> bool:
    return any(arg.op in _FAMILY and uses.blocks.get(arg) is block and _is_inner(arg, block, uses) for arg in value.args)


class _Chain:
    """The terms of one chain: how often each is taken (a difference takes one -1 times), and a constant."""

    __slots__ = ("root", "family", "inner", "terms", "constant", "before", "after", "_loop", "_uses")

    def __init__(self, root: Value, block: Block, uses: Uses, loops: Loops) -> None:
        self.root = root
        self.family = family = _FAMILY[root.op]
        self.inner: list[Value] = []
        self.terms: dict[Value, int] = {}
        self.constant = _NEUTRAL[family]
        self._uses = uses
        self._loop = loops.innermost(block)
        todo = [(root, 1)]
        while todo and len(self.terms) <= LONGEST:
            value, sign = todo.pop()
            if value is root or value.op in _FAMILY and _is_inner(value, block, uses) and _FAMILY[value.op] is family:
                if value is not root:
                    self.inner.append(value)
                left, right = value.args
                todo.append((right, -sign if value.op is SUB else sign))
                todo.append((left, sign))
            elif isinstance(value, Const):
                self.constant = _merged(family, root.type, self.constant, sign * root.type.wrap(value.number))
            else:
                self.terms[value] = self.terms.get(value, 0) + sign
        self.before = self.after = -1 if todo else sum(not self._stays(value) for value in [root, *self.inner])

    def _stays(self, value: Value) -> bool:
        """Whether `value` does not change in the loop around the chain, or only by terms that do not."""
        if self._loop is None:
            return False
        todo = [value]
        inner = set(self.inner)
        while todo:
            value = todo.pop()
            if value is self.root or value in inner:
                todo += value.args
            else:
                block = self._uses.block_of(value)
                if block is not None and block in self._loop.blocks:
                    return False
        return True

    def rebuilt(self) -> list[Value] | None:
        """The operations that make the same of fewer, the last being the result (a term or a constant where none are needed);
        None where that gains nothing."""
        if self.before < 0:
            return None
        family, type = self.family, self.root.type
        plus: list[Value] = []
        minus: list[Value] = []
        for term, times in self.terms.items():
            if family in (AND, OR):
                times = 1
            elif family is XOR:
                times %= 2
            if abs(times) > LONGEST or family is ADD and abs(times) > 2:
                return None
            (plus if times > 0 else minus).extend([term] * abs(times))
        if family in (AND, MUL) and type.wrap(self.constant) == 0 or family is OR and type.wrap(self.constant) == type.wrap(-1):
            return [Const(type, type.wrap(self.constant))]
        constant = Const(I64 if type.is_value else type, type.wrap(self.constant))
        neutral = constant.number == type.wrap(_NEUTRAL[family])
        steady = [(term, sign) for sign, terms in ((1, plus), (-1, minus)) for term in terms if self._stays(term)]
        moving = [(term, sign) for sign, terms in ((1, plus), (-1, minus)) for term in terms if not self._stays(term)]
        first = [] if neutral or not steady else [(constant, 1)]
        last = [] if neutral or steady else [(constant, 1)]
        order = sorted(steady, key=_negative) + first + sorted(moving, key=_negative) + last
        if not order:
            return [Const(type, constant.number)]
        self.after = len(moving) + len(last) - (not steady)
        made = self._made(order)
        if self.after >= self.before or len(made) > 1 + len(self.inner):
            return None
        return made if stands_for(type, made[-1].type) else None

    def _made(self, order: list[tuple[Value, int]]) -> list[Value]:
        """The operations that join the terms one after the other."""
        root, family = self.root, self.family
        value, sign = order[0]
        rest = order[1:]
        made: list[Value] = []
        if sign < 0:
            at = next((at for at, (_, sign) in enumerate(rest) if sign > 0), None)
            if at is None:
                value = Const(root.type, 0)
                rest = order
            else:
                (value, _), rest[at] = rest[at], order[0]
        type: Type = root.type
        for term, sign in rest:
            op = family if sign > 0 else SUB
            if isinstance(term, Const) and family is ADD and type.signed and type.low < term.number < 0:
                op, term = SUB, Const(term.type, -term.number)
            if isinstance(value, Const) and op.commutes:
                value, term = term, value
            value = Value(op, I64 if type.is_value else type, [value, term], root.span, NAME)
            made.append(value)
        if not made:
            return [value]
        value.type = type
        value.name = root.name
        return made


def _negative(term: tuple[Value, int]) -> bool:
    return term[1] < 0


def _merged(family: ops.Op, type: Type, left: int, right: int) -> int:
    """Two constants of a chain joined."""
    return type.wrap(family.function(type)(type.wrap(left), type.wrap(right)))
