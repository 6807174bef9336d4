"""The one door by which values enter a function: fold, then rules, then value numbering, then append.

Whoever makes values through a door (`make`, `compare`) gets the simplest that stands for them; `settle` does the same for a
value that is there already.  A rule that applies makes its values through the door too, so rules apply to what rules give.

That ends: a value that is settled has `MOST` applications, its own and those for what is made on the way, and no more.  Rules
never give operations that cost more than what goes (`ops.rules`), so few values ever come near it.

The door knows the values of the blocks that dominate the one being filled (`remember` and `forget`); equal values are told by
`key` (Briggs, Cooper, Simpson: Value Numbering, 1997, section 4).
"""

from __future__ import annotations

from septet.base.generated import load
from septet.ir.fold import computed, divides, known_length
from septet.ir.forward import final, stands_for
from septet.ir.nodes import Address, Compare, Const, Length, Line, Memory, Value
from septet.ops import table as ops
from septet.ops.table import CONST, COPY, DIV, LENGTH, LOAD, REM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

    from septet.base.facts import Facts
    from septet.base.types import Type
    from septet.ir.nodes import Function
    from septet.ops.table import Op

CONSTANT_CLASSES = ("length", "descriptor")  # alias classes of what never changes once made
MOST = 16  # applications of rules for one value that is settled
SWAPPED = {ops.LT: ops.GT, ops.GT: ops.LT, ops.LE: ops.GE, ops.GE: ops.LE}

fired: dict[str, int] | None = None
"""How often each rule applied; counted where this is a dict (`count_rules`)."""


def count_rules() -> dict[str, int]:
    """Start to count which rules apply, from 0; the dict that will have the counts."""
    global fired
    fired = {}
    return fired


def _generate() -> str:
    from septet.ir.rule_compiler import generate

    return generate()


def _generate_vectors() -> str:
    from septet.ir.rule_compiler import generate

    return generate("vectors")


def by_lanes(door: Door, value: Value) -> Value | None:
    """What the rules for vectors say about a vector."""
    found: Value | None = load("ir_rules_vectors", _generate_vectors).RULES[value.op.code](door, value)
    return found


class _Tables:
    """The rules by opcode, and for every opcode whether `settle` can do anything about it; made when first needed."""

    rules: list[Callable[[Door, Value], Value | None] | None] = []
    enters = bytearray()


def _tables() -> type[_Tables]:
    if not _Tables.rules:
        rules = load("ir_rules", _generate).RULES
        keyed = (LOAD, LENGTH, DIV, REM)
        _Tables.enters = bytearray(op.pure or op in keyed or rules[op.code] is not None for op in ops.OPS)
        _Tables.rules = rules
    return _Tables


class Door:
    """The door into one function."""

    __slots__ = (
        "by", "function", "spend", "rules", "body", "left", "changed", "constants", "addresses", "known", "undo", "stores",
        "uses", "bits", "enters", "leaves",
    )  # fmt: skip

    def __init__(self, function: Function, facts: Facts, by: str) -> None:
        """A door for pass `by`.  Its values go to `body`, which is to be set first."""
        self.by = by
        self.function = function
        self.spend = facts.fuel.spend
        tables = _tables()
        self.rules = tables.rules
        self.enters = tables.enters  # by opcode: whether `settle` can do anything about it
        self.body: list[Value] = []  # where made values are appended
        self.left = MOST
        self.changed = False  # whether a rule applied, or a value was changed in place
        self.constants: dict[tuple[Type, int], Const] = {}
        self.leaves: dict[Value, Const] = {}  # constants by themselves: those that stand for their equals
        self.addresses: dict[Hashable, Value] = {}
        self.known: dict[Hashable, Value] = {}  # values by what they compute
        self.undo: list[Hashable] = []  # keys of `known`, newest last
        self.stores: dict[Value, int] = {}  # how often lengths or descriptors were stored at a base so far
        self.uses: dict[Value, int] | None = None
        self.bits: dict[Value, tuple[int, int]] = {}  # what `ir.nearby` has found

    # What rules call

    def apply(self, name: str) -> str:
        """Whether rule `name` may apply now: what its values carry as `by`, or ""."""
        if self.left <= 0 or not self.spend():
            return ""
        self.left -= 1
        self.changed = True
        if fired is not None:
            fired[name] = fired.get(name, 0) + 1
        return f"{self.by}:{name}"

    def const(self, type: Type, number: int) -> Const:
        """The one constant of that type and (natural) number."""
        found = self.constants.get((type, number))
        if found is None:
            found = self.constants[type, number] = Const(type, number)
            self.leaves[found] = found
        return found

    def make(self, op: Op, type: Type, args: list[Value], span: int = 0, by: str = "") -> Value:
        """What stands for a new operation of that type; operands have to be final (see `canonical`)."""
        value = Value(op, type, args, span, by or self.by)
        found = self.settle(value)
        if found is value:
            self.body.append(value)
        return found

    def compare(self, op: Op, on: Type, args: list[Value], span: int = 0, by: str = "") -> Value:
        """What stands for a new comparison of operands of type `on`."""
        value = Compare(op, on, args, span, by or self.by)
        found = self.settle(value)
        if found is value:
            self.body.append(value)
        return found

    def once(self, value: Value) -> bool:
        """Whether `value` was used at one place alone when this was first asked.  Wrong answers only cost speed."""
        if self.uses is None:
            self.uses = _count(self.function)
        return self.uses.get(value) == 1

    # The door

    def settle(self, value: Value) -> Value:
        """What stands for `value`, whose operands are final: another one, or itself, simplified in place and remembered."""
        while True:
            op = value.op
            args = value.args
            if args and args[0].op is CONST and type(args[0]) is Const:
                if self._turn(value):
                    args = value.args
                    op = value.op
                if op.pure or divides(value):
                    number = computed(value)
                    if number is not None and self.spend():
                        return self.const(value.type, number)
            elif op is LENGTH:
                found = known_length(value)
                if found is not None and stands_for(value.type, found.type) and self.spend():
                    return found
            rules = self.rules[op.code]
            if rules is None:
                break
            found = rules(self, value)
            if found is None:
                break
            if found is not value:
                return found
        key = (op, value.type, *value.args) if op.pure and not op.compares else self.key(value)
        if key is None:
            return value
        found = self.known.get(key)
        if found is None:
            self.known[key] = value
            self.undo.append(key)
            return value
        return found if self.spend() else value

    def equal(self, key: Hashable, value: Value) -> Value:
        """The value remembered by `key`; if there is none `value`, which is from now on."""
        found = self.known.get(key)
        if found is None:
            self.known[key] = found = value
            self.undo.append(key)
        return found

    def _turn(self, value: Value) -> bool:
        """Put a constant operand of what commutes, or compares, to the right."""
        op = value.op
        if not op.commutes and op not in SWAPPED or type(value.args[1]) is Const or not self.spend():
            return False
        value.args = [value.args[1], value.args[0]]
        value.op = SWAPPED.get(op, op)
        value.by = self.by
        self.changed = True
        return True

    def key(self, value: Value) -> Any:
        """What `value`, a comparison or not pure, computes: equal for values that compute the same; None for the others."""
        op = value.op
        args = value.args
        if op.compares:
            assert isinstance(value, Compare)
            return (op, value.on, *args)
        if op is LOAD:
            assert isinstance(value, Memory)
            if value.alias not in CONSTANT_CLASSES:
                return None
            return (op, value.on, args[0], value.offset, self.stores.get(args[0], 0))
        if op is LENGTH:
            assert isinstance(value, Length)
            return (op, value.type, value.dimension, *args)
        return (op, value.type, *args) if op is DIV or op is REM else None  # one that fails does so before its equal

    def remember(self, key: Hashable, value: Value) -> None:
        """Let `value` be known by `key` in this block and those it dominates."""
        self.known[key] = value
        self.undo.append(key)

    def forget(self, mark: int) -> None:
        """Forget what was remembered since `undo` had length `mark`."""
        for key in self.undo[mark:]:
            del self.known[key]
        del self.undo[mark:]

    def canonical(self, arg: Value) -> Value:
        """What stands for an operand: equal constants and addresses are one object."""
        op = arg.op
        if op is COPY:
            arg = final(arg)
            op = arg.op
        if op is CONST:
            if isinstance(arg, Const):
                found = self.leaves.get(arg)
                if found is None:
                    found = self.leaves[arg] = self.constants.setdefault((arg.type, arg.number), arg)
                return found
            assert isinstance(arg, Line)
            return self.addresses.setdefault(arg.line, arg)
        if isinstance(arg, Address):
            return self.addresses.setdefault((arg.symbol, arg.type), arg)
        return arg


def _count(function: Function) -> dict[Value, int]:
    """How often each value is an operand."""
    uses: dict[Value, int] = {}
    get = uses.get
    for block in function.blocks:
        for values in (block.phis, block.body):
            for value in values:
                for arg in value.args:
                    uses[arg] = get(arg, 0) + 1
    return uses
