"""The graph of blocks tidied: chains become one block, blocks with nothing but a jump go, decided branches become jumps.

    :a                                        :a
      br %c :b :d                               br %c :c :d
    :b                                 =>     :c
      br :c                                     call print(3)
    :c                                          return
      call print(3)
      br :e
    :e
      return

Both phases, level 2.  Trigger: one of
* A branch on a comparison of what a bool was made into (`convert`, `tag`) branches on the bool; on its opposite, the other way.
* A branch on a constant, or on what the branches above have decided, becomes a jump.  Of two operands it is known in which of
  the orders <, = and > they may be; every comparison on the way down the dominator tree leaves fewer of them.
* A block without phis and with nothing but a jump is left out, and the jumps to it go where it leads; not where that is the
  head of a loop, whose other passes want one block in front and one at the end, and not where phis would have to tell apart two
  edges from one block.
* A block whose only successor has no other predecessor takes that in; phis there are other names.
Gain: a jump or a branch each, and larger blocks for other passes.  Guard: nothing is duplicated; every application removes a
branch, an edge or a block, or shortens a chain of operations.
"""

from __future__ import annotations

from septet.base.types import BOOL
from septet.ir.analyses.dominators import Dominators
from septet.ir.forward import forward, resolve, stands_for
from septet.ir.nodes import Branch, Compare, Const, Value
from septet.ir.unreachable import drop_edge, drop_unreachable
from septet.ops import table as ops
from septet.ops.table import BR, BR_IF, CONST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

    from septet.base.facts import Facts
    from septet.ir.nodes import Block, Function

NAME = "control-flow"
IDEMPOTENT = True
LESS, SAME, MORE = 1, 2, 4
ORDERS = {
    ops.LT: LESS, ops.LE: LESS | SAME, ops.EQ: SAME, ops.NE: LESS | MORE, ops.GE: SAME | MORE, ops.GT: MORE,
}  # fmt: skip
"""In which orders of its operands a comparison is true."""
_TURNED = [0, 4, 2, 6, 1, 5, 3, 7]  # the orders of the operands the other way round


def run(function: Function, facts: Facts) -> bool:
    """Tidy the blocks of `function`; whether anything changed."""
    changed = False
    if len(function.blocks) == 1:
        return False
    if _shorten(function, facts):
        changed = True
    if _decide(function, facts):
        changed = True
        drop_unreachable(function)
        facts.drop()
    if _straighten(function, facts):
        changed = True
    if changed:
        facts.drop()
    return changed


# What a branch branches on


def plain(condition: Value) -> tuple[Value, bool]:
    """The bool that `condition` says in other words, or the constant that it always is; and whether it says the opposite."""
    opposite = False
    while True:
        op = condition.op
        if op in ORDERS and isinstance(condition, Compare):
            left, right = condition.args
            if left.op is CONST:
                break
            if not isinstance(right, Const):
                break
            source, numbers = _made_of_bool(left)
            if source is None:
                break
            compare = op.function(condition.on)
            no, yes = (compare(condition.on.wrap(number), right.number) for number in numbers)
            if no == yes:
                return Const(BOOL, no ^ opposite), False
            condition = source
            opposite ^= yes == 0
        elif op is ops.NOT and condition.type is BOOL:
            condition = condition.args[0]
            opposite = not opposite
        elif op is ops.XOR and condition.type is BOOL and isinstance(condition.args[1], Const):
            opposite ^= condition.args[1].number == 1
            condition = condition.args[0]
        else:
            break
    return condition, opposite


def _made_of_bool(value: Value) -> tuple[Value | None, tuple[int, int]]:
    """The bool that `value` was converted from, and what `value` is for 0 and for 1; None if it is no such thing."""
    if value.type is BOOL:
        return value, (0, 1)
    if value.op is ops.TAG:
        inner = value.args[0]
        if inner.op is ops.CONVERT and inner.args[0].type is BOOL and inner.type.bits > 1 and value.type.bits > 2:
            return inner.args[0], (1, 3)
    elif value.op is ops.CONVERT and value.args[0].type is BOOL and not value.type.is_float:
        return value.args[0], (0, 1)
    return None, (0, 0)


def _shorten(function: Function, facts: Facts) -> bool:
    """Let branches look through what was made of bools."""
    changed = False
    for block in function.blocks:
        last = block.body[-1]
        if last.op is BR_IF and isinstance(last, Branch):
            condition = last.args[0]
            better, opposite = plain(condition)
            if better is not condition and facts.fuel.spend():
                targets = last.targets[::-1] if opposite else last.targets
                block.body[-1] = Branch(BR_IF, [better], targets, last.span, NAME)
                changed = True
    return changed


# What branches above have decided


def operand_key(value: Value) -> Hashable:
    """Equal for operands that are the same: a constant's number, else the value itself."""
    return value.number if isinstance(value, Const) else value


class Decided:
    """What is known of conditions: by identity, and for comparisons of integers the orders that are left."""

    __slots__ = ("truth", "orders", "_undo")

    def __init__(self) -> None:
        self.truth: dict[Value, bool] = {}
        self.orders: dict[tuple[Hashable, ...], int] = {}
        self._undo: list[tuple[dict[Value, bool], Value] | tuple[tuple[Hashable, ...], int]] = []

    def mark(self) -> int:
        """Where to go back to with `back`."""
        return len(self._undo)

    def back(self, mark: int) -> None:
        """Forget what was learned since `mark`."""
        undo = self._undo
        while len(undo) > mark:
            first, second = undo.pop()
            if isinstance(first, dict):
                del first[second]  # type: ignore[arg-type]
            else:
                self.orders[first] = second  # type: ignore[assignment]

    def learn(self, condition: Value, truth: bool) -> None:
        """`condition` is `truth` from here on."""
        if condition not in self.truth:
            self.truth[condition] = truth
            self._undo.append((self.truth, condition))
        orders = ORDERS.get(condition.op)
        if orders is not None and isinstance(condition, Compare):
            left, right = (operand_key(arg) for arg in condition.args)
            if not truth:
                orders ^= 7
            for key, left_over in ((condition.on, left, right), orders), ((condition.on, right, left), _TURNED[orders]):
                before = self.orders.get(key, 7)
                self._undo.append((key, before))
                self.orders[key] = before & left_over

    def of(self, condition: Value) -> bool | None:
        """What `condition` is known to be; None where that is not known."""
        found = self.truth.get(condition)
        if found is not None:
            return found
        orders = ORDERS.get(condition.op)
        if orders is not None and isinstance(condition, Compare):
            left, right = condition.args
            known = self.orders.get((condition.on, operand_key(left), operand_key(right)), 7)
            if known & orders == 0:
                return False
            if known & ~orders == 0:
                return True
        return None


def _decide(function: Function, facts: Facts) -> bool:
    """Make jumps of the branches on constants, and of those that a branch above decides."""
    seen: set[Hashable] = set()
    again = constant = False
    for block in function.blocks:
        last = block.body[-1]
        if last.op is BR_IF:
            condition = last.args[0]
            keys: list[Hashable] = [condition]
            if isinstance(condition, Compare):
                pair = [operand_key(arg) for arg in condition.args]
                keys += [(condition.on, *pair), (condition.on, *reversed(pair))]
            again = again or any(key in seen for key in keys)
            constant = constant or condition.op is CONST
            seen.update(keys)
    if not again and not constant:
        return False
    if again:
        return _walk(function, facts)
    changed = False
    for block in function.blocks:
        if _jump(block, None, facts, function):
            changed = True
    return changed


def _walk(function: Function, facts: Facts) -> bool:
    """Down the dominator tree with what is decided."""
    changed = False
    children = facts.get(Dominators).children
    before: dict[Block, list[Block]] = {block: [] for block in function.blocks}
    for block in function.blocks:
        for target in block.successors:
            before[target].append(block)
    decided = Decided()
    todo: list[tuple[Block, int]] = [(function.blocks[0], -1)]
    while todo:
        block, mark = todo.pop()
        if mark >= 0:
            decided.back(mark)
            continue
        todo.append((block, decided.mark()))
        todo += [(child, -1) for child in reversed(children[block])]
        if len(before[block]) == 1:
            above = before[block][0].body[-1]
            if above.op is BR_IF and isinstance(above, Branch) and above.args[0].op is not CONST:
                decided.learn(above.args[0], above.targets[0] is block)
        if _jump(block, decided, facts, function):
            changed = True
    return changed


def _jump(block: Block, decided: Decided | None, facts: Facts, function: Function) -> bool:
    """Make a jump of the branch that `block` ends in, if that is decided."""
    last = block.body[-1]
    if last.op is not BR_IF or not isinstance(last, Branch):
        return False
    condition = last.args[0]
    if isinstance(condition, Const):
        truth: bool | None = condition.number == 1
    else:
        truth = decided.of(condition) if decided else None
    if truth is None or not facts.fuel.spend():
        return False
    keep, drop = last.targets if truth else reversed(last.targets)
    drop_edge(block, drop)
    block.body[-1] = Branch(BR, [], [keep], last.span, NAME)
    if condition.op is not CONST:
        facts.remark(function.name, last.span, "branch removed", "branches before it decide it")
    return True


# Blocks


def _straighten(function: Function, facts: Facts) -> bool:
    """Leave out empty blocks, and take in only successors."""
    before: dict[Block, list[Block]] = {block: [] for block in function.blocks}
    empty: dict[Block, None] = {}  # what empty blocks lead to
    alone = False
    for block in function.blocks:
        targets = block.successors
        for target in targets:
            before[target].append(block)
        if len(targets) == 1:
            alone = True
            if len(block.body) == 1 and not block.phis:
                empty[targets[0]] = None
    if not alone:
        return False
    gone: set[Block] = set()
    changed = renamed = False
    if empty:
        heads = loop_heads(function)
        for target in empty:
            if target not in heads and target not in gone and _leave_out(function, target, before, gone, facts):
                changed = True
    for block in function.blocks:
        while block not in gone and len(block.body[-1].args) == 0 and block.body[-1].op is BR:
            (next_block,) = block.successors
            if len(before[next_block]) != 1 or next_block is block or not facts.fuel.spend():
                break
            renamed = _take_in(block, next_block, before) or renamed
            gone.add(next_block)
            changed = True
    if renamed:
        resolve(function)
    if changed:
        function.blocks = [block for block in function.blocks if block not in gone]
    return changed


def loop_heads(function: Function) -> set[Block]:
    """The blocks that a depth-first search comes back to: every loop has one."""
    entry = function.blocks[0]
    heads: set[Block] = set()
    open: dict[Block, bool] = {entry: True}
    stack = [(entry, iter(entry.successors))]
    while stack:
        block, rest = stack[-1]
        for target in rest:
            state = open.get(target)
            if state is None:
                open[target] = True
                stack.append((target, iter(target.successors)))
                break
            if state:
                heads.add(target)
        else:
            open[block] = False
            stack.pop()
    return heads


def _leave_out(function: Function, target: Block, before: dict[Block, list[Block]], gone: set[Block], facts: Facts) -> bool:
    """Leave out the empty blocks that lead to `target`, and the empty ones that lead to those; whether any jump changed.

    `place` says for each predecessor of `target`, old and new, at which position its operands are in the phis as they were.
    """
    entry = function.blocks[0]
    phis = target.phis
    order = phis[0].blocks if phis else before[target]
    place = {block: position for position, block in enumerate(order)}
    old = [phi.args if phi.blocks == order else [phi.args[phi.blocks.index(block)] for block in order] for phi in phis]
    todo = [block for block in order if _is_empty(block, target, entry)]
    changed = False
    while todo:
        block = todo.pop()
        position = place[block]
        stay: list[Block] = []
        for above in before[block]:
            last = above.body[-1]
            assert isinstance(last, Branch)
            twice = above in place
            if twice and not all(_same(args[position], args[place[above]]) for args in old) or not facts.fuel.spend():
                stay.append(above)
                continue
            changed = True
            if twice:
                above.body[-1] = Branch(BR, [], [target], last.span, NAME)
            else:
                targets = [target if to is block else to for to in last.targets]
                above.body[-1] = Branch(last.op, last.args, targets, last.span, NAME)
                place[above] = position
                if _is_empty(above, target, entry):
                    todo.append(above)
        before[block] = stay
        if not stay:
            gone.add(block)
            del place[block]
    if list(place) != list(order):
        before[target] = list(place)
        for phi, args in zip(phis, old, strict=True):
            phi.args = [args[position] for position in place.values()]
            phi.blocks = list(place)
    return changed


def _is_empty(block: Block, target: Block, entry: Block) -> bool:
    """Whether `block` does nothing but jump to `target`."""
    return len(block.body) == 1 and not block.phis and block is not target and block is not entry and block.body[0].op is BR


def _same(left: Value, right: Value) -> bool:
    return left is right or isinstance(left, Const) and isinstance(right, Const) and left.number == right.number


def _take_in(block: Block, next_block: Block, before: dict[Block, list[Block]]) -> bool:
    """Join two blocks of which control goes from the first to the second alone; whether phis were renamed."""
    body = block.body
    body.pop()
    for phi in next_block.phis:
        (arg,) = phi.args
        if stands_for(phi.type, arg.type):
            forward(phi, arg)
        else:
            cast = Value(ops.BITCAST, phi.type, [arg], phi.span, NAME, phi.name)
            body.append(cast)
            forward(phi, cast)
    body += next_block.body
    for target in next_block.successors:
        before[target] = [block if above is next_block else above for above in before[target]]
        for phi in target.phis:
            phi.blocks = [block if above is next_block else above for above in phi.blocks]
    return bool(next_block.phis)
