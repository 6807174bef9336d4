"""What a function does to the rest of the program, as its callers need it: its effects, what it keeps, what it gives back.

Summaries are made callees first.  Of a callee without one everything is possible: `component_summaries` makes those of mutually
recursive functions together, from the optimistic end, so that a recursive call alone adds nothing but that it may not return.
"""

from __future__ import annotations

from septet.base.symbols import ROUTINE
from septet.base.types import INT64, TUPLE, VOID
from septet.ir.analyses.escape import Escape, callees
from septet.ir.analyses.ranges import Ranges
from septet.ir.analyses.representation import ODD, Words
from septet.ir.copy import copy_function
from septet.ir.fold import divides
from septet.ir.nodes import Call, Const, Memory
from septet.ops import table as ops
from septet.ops.table import CALL, CALL_INDIRECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from septet.ir.nodes import Function, Value

EVERYTHING = frozenset(("any",))  # `any`: all alias classes
NOTHING: frozenset[str] = frozenset()
LARGEST_BODY = 240  # of a function that may be inlined: `cost`
_LONGEST = 1 << 32  # encoded
_CONSTANT_CLASSES = ("length", "descriptor")


class Summary:
    """One function.

    `reads`, `writes`: alias classes of memory that others can see.  `prints`: may print or read input.  `may_fail`: may end the
    program with a run-time error.  `ends`: comes to an end, whatever it is given (a return or an error).  `allocates`: makes
    objects.  `escapes`: bit i says that the object parameter i refers to may be kept in memory or returned.  `returned`: the
    least and greatest number the result can be as a word, or None.  `constant`: the one number that it returns, or None.
    `returns_parameter`: the index of the parameter that it returns, or None.  `odd_result`: the result is an encoded integer.
    `body`: a copy that may be inlined, or None; `cost`: how many values of it become instructions.
    """

    __slots__ = (
        "reads", "writes", "prints", "may_fail", "ends", "allocates", "escapes", "returned", "constant", "returns_parameter",
        "odd_result", "body", "cost",
    )  # fmt: skip

    def __init__(self) -> None:
        self.reads = NOTHING
        self.writes = NOTHING
        self.prints = False
        self.may_fail = False
        self.ends = True
        self.allocates = False
        self.escapes = 0
        self.returned: tuple[int, int] | None = None
        self.constant: int | None = None
        self.returns_parameter: int | None = None
        self.odd_result = False
        self.body: Function | None = None
        self.cost = 0

    @property
    def pure(self) -> bool:
        """Whether a call does nothing but compute its result, from operands and memory."""
        return self.ends and not (self.writes or self.prints or self.may_fail)

    def state(self) -> tuple[object, ...]:
        """Everything but the body, to compare."""
        return tuple(getattr(self, name) for name in self.__slots__ if name != "body")


def summarise(function: Function, facts: Any) -> Summary:
    """The summary of `function` as it is; of recursive calls that nothing is known of, everything is possible."""
    summary = Summary()
    _Effects(function, facts, summary).find()
    _results(function, facts, summary)
    summary.escapes |= _kept_parameters(function, facts)
    summary.cost = sum([len(block.body) for block in function.blocks]) + sum([len(block.phis) for block in function.blocks])
    if summary.cost <= LARGEST_BODY:
        summary.body = copy_function(function)
    return summary


def component_summaries(functions: Sequence[Function], facts: Any) -> dict[str, Summary]:
    """Effects of functions that call each other, without bodies: the least that fits all of them together.

    `facts` knows the callees outside.  They hold for these functions and for whatever passes make of them.
    """
    found = {function.name: Summary() for function in functions}
    for summary in found.values():
        summary.ends = False  # it may call itself for ever
    inner = _Among(facts, found)
    changed = True
    while changed:
        changed = False
        for function in functions:
            summary = found[function.name]
            before = summary.state()
            _Effects(function, inner, summary).find()
            summary.escapes |= _kept_parameters(function, inner)
            if summary.state() != before:
                changed = True
    for function in functions:
        _results(function, inner, found[function.name])
    return found


class _Among:
    """Facts that know the summaries of a component so far as well."""

    __slots__ = ("_facts", "_found", "words")

    def __init__(self, facts: Any, found: dict[str, Summary]) -> None:
        self._facts = facts
        self._found = found
        self.words = getattr(facts, "words", None)

    def summary(self, name: str) -> Summary | None:
        """The summary of a function in or outside the component."""
        found: Summary | None = self._found.get(name) or self._facts.summary(name)
        return found


class _Effects:
    """Adds the effects of one function to a summary."""

    __slots__ = ("function", "facts", "summary", "reads", "writes")

    def __init__(self, function: Function, facts: Any, summary: Summary) -> None:
        self.function = function
        self.facts = facts
        self.summary = summary
        self.reads = dict.fromkeys(summary.reads)
        self.writes = dict.fromkeys(summary.writes)

    def find(self) -> None:
        """Look at every value."""
        summary = self.summary
        for block in self.function.blocks:
            for value in block.body:
                op = value.op
                if op.pure or op.ends:
                    continue
                if op.check:
                    summary.may_fail = True
                elif op is ops.ELEMENT:
                    self.reads[element_class(value)] = None
                elif op is ops.SET_ELEMENT:
                    self.writes[element_class(value)] = None
                elif isinstance(value, Memory):
                    if value.alias not in _CONSTANT_CLASSES:
                        (self.reads if op is ops.LOAD else self.writes)[value.alias] = None
                elif op is CALL or op is CALL_INDIRECT:
                    assert isinstance(value, Call)
                    self.call(value)
                elif op is ops.NEW_ARRAY or op is ops.NEW_TUPLE:
                    self.allocation(value.args)
                elif op is not ops.LENGTH and not divides(value):
                    self.other(value)
        if summary.ends and _has_cycle(self.function):
            summary.ends = False
        summary.reads = EVERYTHING if "any" in self.reads else frozenset(self.reads)
        summary.writes = EVERYTHING if "any" in self.writes else frozenset(self.writes)

    def allocation(self, sizes: Sequence[Value]) -> None:
        """New objects; sizes that may be too large end the program."""
        self.summary.allocates = True
        if not all(isinstance(size, Const) and 0 <= size.number < _LONGEST and size.number & 1 for size in sizes):
            self.summary.may_fail = True

    def other(self, value: Value) -> None:
        """Divisions; and system calls and functions of C, which may do anything."""
        self.summary.may_fail = True
        if value.op is ops.CALL_C or value.op is ops.SYSCALL:
            self.anything()

    def anything(self) -> None:
        """What is not known may do anything."""
        summary = self.summary
        self.reads["any"] = self.writes["any"] = None
        summary.prints = summary.may_fail = summary.allocates = True
        summary.ends = False

    def call(self, call: Call) -> None:
        """What a callee does."""
        summary = self.summary
        callee = call.callee
        if callee is not None and callee.kind == ROUTINE:
            self.routine(call, callee.name)
            return
        found = callees(call, self.facts)
        if found is None:
            self.anything()
            return
        for its in found:
            self.reads.update(dict.fromkeys(sorted(its.reads)))
            self.writes.update(dict.fromkeys(sorted(its.writes)))
            summary.prints |= its.prints
            summary.may_fail |= its.may_fail
            summary.allocates |= its.allocates
            summary.ends &= its.ends

    def routine(self, call: Call, name: str) -> None:
        """What a routine of the runtime does.  Printing reads what it is given."""
        summary = self.summary
        if name == "allocate":
            self.allocation(call.args[:1])
            return
        summary.may_fail |= name != "print"
        if name == "print" or name == "input":
            summary.prints = True
        if name == "print" and not _is_number(call.args[0]):
            self.reads["any"] = None


def element_class(value: Value) -> str:
    """The alias class of an array operation: that of the loads and stores it becomes."""
    return "tuple" if value.args[0].type is TUPLE else "element"


def _is_number(value: Value) -> bool:
    """Whether a word that is printed is an encoded integer, which can be seen at once."""
    return value.op is ops.TAG or isinstance(value, Const) and value.number & 1 == 1


def _has_cycle(function: Function) -> bool:
    """Whether control can come to a block again."""
    state = dict.fromkeys(function.blocks, 0)  # 1: on the way, 2: done
    entry = function.blocks[0]
    state[entry] = 1
    stack = [(entry, iter(entry.successors))]
    while stack:
        block, rest = stack[-1]
        for target in rest:
            seen = state[target]
            if seen == 1:
                return True
            if not seen:
                state[target] = 1
                stack.append((target, iter(target.successors)))
                break
        else:
            state[block] = 2
            stack.pop()
    return False


def _kept_parameters(function: Function, facts: Any) -> int:
    """Bit i for each parameter i that memory or the result may refer to after a call."""
    if not function.parameters:
        return 0
    escape = Escape(function, facts)
    return (escape.kept | escape.returned) >> 1 & ((1 << len(function.parameters)) - 1)


def _results(function: Function, facts: Any, summary: Summary) -> None:
    """What is known of the result."""
    if function.result is VOID:
        return
    returns = [block.body[-1].args[0] for block in function.blocks if block.body[-1].op is ops.RETURN]
    if not returns:
        return
    first = returns[0]
    if isinstance(first, Const) and all(isinstance(value, Const) and value.number == first.number for value in returns):
        summary.constant = first.number
        summary.returned = (first.number, first.number)
        summary.odd_result = function.result is INT64 and first.number & 1 == 1
        return
    if first.op is ops.PARAM and all(value is first for value in returns):
        summary.returns_parameter = function.parameters.index(first)
    if function.result.is_word:
        own = getattr(facts, "function", None) is function
        words = facts.get(Words) if own else Words(function, facts)
        summary.odd_result = all(words.mask(value) == ODD for value in returns)
        if function.result.signed and own:
            summary.returned = _range(function, facts.get(Ranges))


def _range(function: Function, ranges: Ranges) -> tuple[int, int] | None:
    """The least and the greatest word that is returned; None where that is all that there are."""
    type = function.result
    low, high = type.high, type.low
    for block in function.blocks:
        last = block.body[-1]
        if last.op is ops.RETURN:
            value = last.args[0]
            if not (value.type.is_word and value.type.signed):
                return None
            least, most = ranges.at(value, block)
            low, high = min(low, least), max(high, most)
    return (low, high) if low > type.low or high < type.high else None
