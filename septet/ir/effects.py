"""What single operations do besides computing their result, and which of them may write what a load reads."""

from __future__ import annotations

from septet.base.symbols import ROUTINE
from septet.ir.fold import divides
from septet.ir.nodes import Call, Const, Memory
from septet.ops import table as ops
from septet.ops.table import CALL, CALL_INDIRECT, ELEMENT, LOAD, NEW_ARRAY, NEW_TUPLE, PARAM, SET_ELEMENT, STORE, UNTAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Function, Value

UNCHANGING = ("length", "descriptor")  # alias classes of what never changes once made


class Effect:
    """What an operation does.  `stops`: control may not come to the next one; `shows`: it may print or read input, or write
    what a hosted function's caller sees even where it fails; `writes`: alias classes of memory that it may write."""

    __slots__ = ("stops", "shows", "writes")

    def __init__(self, stops: bool, shows: bool, writes: frozenset[str]) -> None:
        self.stops = stops
        self.shows = shows
        self.writes = writes


_CALLS = (CALL, CALL_INDIRECT, ops.CALL_C, ops.SYSCALL)
_NOTHING = Effect(False, False, frozenset())
_STOPS = Effect(True, False, frozenset())
_SHOWS = Effect(False, True, frozenset())
_ELEMENT = Effect(False, False, frozenset(("element",)))
_TUPLE = Effect(False, False, frozenset(("tuple",)))
_ANYTHING = Effect(True, True, frozenset(("any",)))
_ROUTINES = {"print": _SHOWS, "input": Effect(True, True, frozenset()), "allocate": _NOTHING}


class Effects:
    """The effects of the operations of one function, callees' by their summaries.

    Running out of memory is not an effect: what may move over an allocation may be executed before the program ends so.
    """

    __slots__ = ("facts",)

    def __init__(self, function: Function, facts: Facts) -> None:
        self.facts = facts

    def of(self, value: Value) -> Effect:
        """What `value` does."""
        op = value.op
        if op.check:
            return _STOPS
        if op is SET_ELEMENT:
            return _ELEMENT if value.args[0].type.rank else _TUPLE
        if isinstance(value, Memory) and op is STORE:
            return Effect(False, self.facts.program.hosted, frozenset((value.alias,)))
        if op is CALL and isinstance(value, Call) and value.callee is not None:
            if value.callee.kind == ROUTINE:
                return _ROUTINES.get(value.callee.name, _ANYTHING)
            summary = self.facts.summary(value.callee.name)
            if summary is None:
                return _ANYTHING
            shows = summary.prints or self.facts.program.hosted and bool(summary.writes)
            return Effect(summary.may_fail or not summary.ends, shows, summary.writes)
        if op is CALL or op is CALL_INDIRECT or op is ops.CALL_C or op is ops.SYSCALL:
            return _ANYTHING
        return _STOPS if op.traps and op is not NEW_ARRAY and op is not NEW_TUPLE and not divides(value) else _NOTHING

    def writes(self, loop: Loop) -> list[Value]:
        """What may write memory in a loop, inner loops included, but for the filling in of new objects."""
        found: list[Value] = []
        for block in loop.blocks:
            for value in block.body:
                op = value.op
                if op is SET_ELEMENT or op is STORE or op in _CALLS:
                    if self.of(value).writes:
                        found.append(value)
        return found

    def may_write(self, write: Value, load: Value) -> bool:
        """Whether `write` may change what `load`, an ELEMENT or LOAD, reads."""
        if isinstance(load, Memory):
            alias = load.alias
        else:
            alias = "element" if load.args[0].type.rank else "tuple"
        if alias in UNCHANGING:
            return False
        classes = self.of(write).writes
        if alias not in classes and "any" not in classes and alias != "any":
            return False
        if write.op is SET_ELEMENT and load.op is ELEMENT:
            return _meet(write, load)
        if write.op is STORE and load.op is LOAD and isinstance(write, Memory) and isinstance(load, Memory):
            apart = abs(write.offset - load.offset) * 8 >= max(write.on.bits, load.on.bits)
            return not (write.args[0] is load.args[0] and apart)
        return True


def _meet(write: Value, load: Value) -> bool:
    """Whether two accesses of phase arrays may be to the same element."""
    one, other = write.args[0], load.args[0]
    if one.type is not other.type or one is not other and _distinct(one, other):
        return False
    if one is not other:
        return True
    indices = zip(write.args[1:-1], load.args[1:], strict=True)
    return not any(isinstance(a, Const) and isinstance(b, Const) and a.number != b.number for a, b in indices)


def _distinct(one: Value, other: Value) -> bool:
    """Whether two objects, neither of them the other's value, are never the same: one is made here, the other elsewhere.

    The same value may be different objects in different rounds of a loop: a new object is new in every round, but what was
    made in the round before may come back through a phi, which is neither new nor a parameter."""
    new = (NEW_ARRAY, NEW_TUPLE)
    return one.op in new and (other.op in new or other.op is PARAM) or one.op is PARAM and other.op in new


def number_of(raw: Value) -> Value | None:
    """The encoded integer that a raw index was made from; None where that cannot be seen."""
    return raw.args[0] if raw.op is UNTAG else None


def is_allocation(value: Value) -> bool:
    """Whether `value` is a new object of phase words."""
    return value.op is CALL and isinstance(value, Call) and value.callee is not None and value.callee.name == "allocate"
