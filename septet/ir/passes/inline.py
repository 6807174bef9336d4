"""Calls become the bodies of the functions they call.

    define int64 @f (int64 %n) {              define int64 @f (int64 %n) {
      :entry                                    :entry
        int64 %a <- call @twice(%n)      =>       int64 %b <- %n << 1
        return %a                                 return %b

Phase: that of the caller, which must be the body's.  Trigger: a direct call of a function whose summary has a body (bodies
come from `facts.summary(callee)`, callees first, already optimised; they are copied and never changed).

The model.  A body costs one a value, but a call `_CALL` and one an argument.  From that comes off what the call itself costs,
and what is expected to fold: for every use (none in calls, stores and phis) of a parameter that gets a constant `_CONSTANT`, an
array or tuple made in the caller `_FRESH`, a function that the body calls `_FUNCTION`; at most a third of the cost.  What is
left must be at most the limit: `_LIMITS` of the level; half as much again for a leaf; half as much again for each of the first
two loops around the call; half for what runs once (in no loop, in `main`), else twice as much for the only call of the function
in the program.  Gain: the call, its moves and the registers it destroys, and all that the passes after this one then see.

A small function that calls itself gets its own body, as it was before, in the place of these calls, up to `_LEVELS` times: half
of the calls or fewer are left, and none for what ends the recursion.

Guard: no other body that calls itself, none that never returns.  Provable end: only calls that stood in the function before are
looked at, not those that come with bodies.  Growth: a function that calls itself, `_RECURSIVE` values at most, to `_UNROLLED`;
all other bodies together cost at most `_GROWTH` of the level, with the size of the caller; calls in the most loops, then the
cheapest ones, come first.  Level: 2, and more of it at 3.

A run-time error inside a body keeps its line: copied checks say `line N of @callee` where they said nothing, and a division
whose divisor is not known gets a check of its own in front.  Everything else gets the span of the call.
"""

from __future__ import annotations

from septet.base.names import Fresh
from septet.base.source import line_of
from septet.base.symbols import FUNCTION
from septet.base.symbols import Line as Where
from septet.base.types import VOID
from septet.ir.analyses.loops import depths
from septet.ir.analyses.summaries import LARGEST_BODY
from septet.ir.copy import copy_blocks, copy_function
from septet.ir.fold import divides
from septet.ir.forward import final, forward, resolve, stands_for
from septet.ir.nodes import Address, Block, Branch, Call, Check, Const, Line, Phi, Value
from septet.ir.splice import may_cut, rename_before
from septet.ops import table as ops
from septet.ops.table import (
    BITCAST,
    CALL,
    CALL_INDIRECT,
    CHECK_DIVISOR,
    CONST,
    COPY,
    DIV,
    NEW_ARRAY,
    NEW_TUPLE,
    REM,
    RETURN,
    STORE,
)  # fmt: skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from septet.base.facts import Facts
    from septet.base.types import Type
    from septet.ir.nodes import Function

NAME = "inline"

_CALL = 6  # what a call costs, arguments apart
_CONSTANT, _FRESH, _FUNCTION = 3, 3, 20  # what folds for each use of such an argument
_LIMITS = (0, 0, 32, 120)  # by level
_GROWTH = ((0, 0), (0, 0), (80, 1), (600, 4))  # by level: this much, and this many times the caller's values
_LARGEST = 20_000  # values; no caller grows past it
_RECURSIVE, _UNROLLED = (
    (0, 0, 40, 60),
    (0, 0, 100, 200),
)  # by level: values of a function that gets its own body, before and after
_LEVELS = 2
_MOST_CALLS = 3  # of itself in a function that gets its own body


class _Body:
    """What matters of a body."""

    __slots__ = ("cost", "uses", "called", "leaf", "recursive", "returns")

    def __init__(self, body: Function, size: int) -> None:
        self.cost = size
        self.uses: dict[Value, int] = dict.fromkeys(body.parameters, 0)  # of parameters, where something may fold
        self.called: dict[Value, None] = {}  # parameters that are called
        self.leaf = True
        self.recursive = False
        self.returns = False
        uses = self.uses
        for block in body.blocks:
            for value in block.body:
                op = value.op
                if op is CALL or op is CALL_INDIRECT:
                    self._call(value, body.name)
                elif op is RETURN:
                    self.returns = True
                elif op is not STORE:
                    for arg in value.args:
                        if arg in uses:
                            uses[arg] += 1

    def _call(self, value: Value, name: str) -> None:
        assert isinstance(value, Call)
        self.cost += _CALL + len(value.args) - 1
        if value.callee is None:
            self.leaf = False
            self.called[value.args[0]] = None
        elif value.callee.kind == FUNCTION:
            self.leaf = False
            self.recursive = self.recursive or value.callee.name == name


class _Site:
    """A call that may become a body."""

    __slots__ = ("call", "depth", "body", "cost", "net", "limit")

    def __init__(self, call: Call, depth: int, body: Function, cost: int, net: int, limit: int) -> None:
        self.call = call
        self.depth = depth
        self.body = body
        self.cost = cost
        self.net = net  # cost without what is saved
        self.limit = limit  # what that may be at most


def run(function: Function, facts: Facts) -> bool:
    """Inline into `function`; whether anything was."""
    unrolled = _unroll_recursion(function, facts)
    chosen = _Choice(function, facts).chosen()
    if chosen:
        _Splicing(function).all(chosen)
        resolve(function)
    return unrolled or bool(chosen)


def _unroll_recursion(function: Function, facts: Facts) -> bool:
    """Put the body of a small function in the place of its calls of itself; whether there were any."""
    level = min(facts.opt, len(_LIMITS) - 1)
    calls = _calls_of_itself(function)
    size = _size(function)
    if not calls or len(calls) > _MOST_CALLS or size > _RECURSIVE[level]:
        return False
    body = copy_function(function)
    changed = False
    for _ in range(_LEVELS):
        if _size(function) + len(calls) * size > _UNROLLED[level]:
            break
        calls = [call for call in calls if facts.fuel.spend()]
        if not calls:
            break
        for call in calls:
            facts.remark(function.name, call.span, f"{call.callee} inlined into itself", f"size {size}", size=size)
        _Splicing(function).all(dict.fromkeys(calls, body))
        resolve(function)
        changed = True
        calls = _calls_of_itself(function)
    return changed


def _calls_of_itself(function: Function) -> list[Call]:
    """The calls of a function by itself that can be cut out of their blocks."""
    return [
        value
        for block in function.blocks
        for value in block.body
        if isinstance(value, Call)
        and value.callee is not None
        and value.callee.kind == FUNCTION
        and value.callee.name == function.name
        and may_cut(block)
    ]


def _size(function: Function) -> int:
    return sum([len(block.body) for block in function.blocks])


class _Choice:
    """Which calls of one function are inlined."""

    def __init__(self, function: Function, facts: Facts) -> None:
        self.function = function
        self.facts = facts
        self.level = min(facts.opt, len(_LIMITS) - 1)
        self.known: dict[Function, _Body] = facts.known.bodies
        self.cuts: dict[Block, bool] = {}

    def chosen(self) -> dict[Value, Function]:
        """The bodies of the calls to inline, within the limit of growth."""
        function, facts = self.function, self.facts
        calls = [
            (index, value)
            for index, block in enumerate(function.blocks)
            for value in block.body
            if value.op is CALL and value.callee.kind == FUNCTION and self.possible(value)  # type: ignore[attr-defined]
        ]
        if not calls:
            return {}
        depth = depths(function)
        sites = [site for index, call in calls if (site := self.site(function.blocks[index], call, depth[index])) is not None]
        sites.sort(key=lambda site: (-site.depth, site.net))  # stable: else in program order
        size = _size(function)
        least, times = _GROWTH[self.level]
        left = min(least + times * size, _LARGEST - size)
        result: dict[Value, Function] = {}
        for site in sites:
            call = site.call
            if site.cost > left:
                self.refuse(call, "the function has grown enough", cost=site.cost, left=left)
            elif facts.fuel.spend():
                left -= site.cost
                result[call] = site.body
                why = f"cost {site.net} <= {site.limit}"
                facts.remark(function.name, call.span, f"{call.callee} inlined", why, cost=site.net, limit=site.limit)
        return result

    def refuse(self, call: Call, why: str, **numbers: int) -> None:
        """Remark that a call stays."""
        self.facts.remark(self.function.name, call.span, f"{call.callee} not inlined", why, **numbers)

    def possible(self, call: Value) -> bool:
        """Whether there is a body, which is not too large wherever the call stands and whatever it is given."""
        assert isinstance(call, Call) and call.callee is not None
        summary = self.facts.summary(call.callee.name)
        if call.by == NAME and call.callee.name == self.function.name:
            return False  # what is left of a call that was inlined
        if summary is None:
            self.refuse(call, "it calls itself" if call.callee.name == self.function.name else "it may call this one")
            return False
        if summary.body is None:
            large = summary.cost > LARGEST_BODY
            why = f"cost {summary.cost} > {LARGEST_BODY}" if large else "it calls itself"
            self.refuse(call, why, cost=summary.cost)
            return False
        return self.worth(call, summary.cost, 2)

    def worth(self, call: Call, cost: int, depth: int) -> bool:
        """Whether a call so deep in loops can be worth it, whatever the body, of that cost, turns out to be."""
        assert call.callee is not None
        net = cost - _CALL - len(call.args) - (cost // 3 if any(_is_special(arg) for arg in call.args) else 0)
        limit = self.limit(call.callee.name, depth, True)
        if net > limit:
            self.refuse(call, f"cost {net} > {limit}", cost=net, limit=limit)
        return net <= limit

    def site(self, block: Block, call: Value, depth: int) -> _Site | None:
        """The call, if nothing but the limit of growth speaks against inlining it."""
        assert isinstance(call, Call) and call.callee is not None
        name = call.callee.name
        summary = self.facts.summary(name)
        body, cost = summary.body, summary.cost
        if depth < 2 and not self.worth(call, cost, depth):
            return None
        about = self.known.get(body)
        if about is None:
            about = self.known[body] = _Body(body, cost)
        why = self.obstacle(block, body, about)
        if why:
            self.refuse(call, why)
            return None
        net = about.cost - _CALL - len(call.args) - min(self.saved(call, body, about), about.cost // 3)
        limit = self.limit(name, depth, about.leaf)
        if net > limit:
            self.refuse(call, f"cost {net} > {limit}", cost=net, limit=limit)
            return None
        return _Site(call, depth, body, about.cost, net, limit)

    def obstacle(self, block: Block, body: Function, about: _Body) -> str:
        """Why a body cannot be inlined, whatever it costs; "" where it can."""
        if body.phase != self.function.phase:
            return f"it is in phase {body.phase}"
        if about.recursive:
            return "it calls itself"
        if not about.returns:
            return "it never returns"
        if len(body.blocks) > 1 and not self.may_cut(block):
            return "an object is being made around it"
        return ""

    def may_cut(self, block: Block) -> bool:
        """Whether a body of several blocks may stand in `block`; each is looked at once."""
        found = self.cuts.get(block)
        if found is None:
            found = self.cuts[block] = may_cut(block)
        return found

    def limit(self, name: str, depth: int, leaf: bool) -> int:
        """How much a body may cost here, what is saved taken off."""
        halves = 2 + leaf + min(depth, 2)
        limit = _LIMITS[self.level] * halves // 2
        callers = self.facts.arguments
        if not depth and self.function.name == "main":
            limit //= 2
        elif callers is not None and callers.count(name) == 1 and not callers.taken(name):
            limit *= 2
        return limit

    def saved(self, call: Call, body: Function, about: _Body) -> int:
        """What folds in the body because of what is known of the arguments."""
        saved = 0
        for parameter, arg in zip(body.parameters, call.args, strict=True):
            if arg.op is CONST:
                saved += _CONSTANT * about.uses[parameter]
            elif arg.op is NEW_ARRAY or arg.op is NEW_TUPLE:
                saved += _FRESH * about.uses[parameter]
            elif arg.__class__ is Address and parameter in about.called:
                saved += _FUNCTION
        return saved


def _is_special(arg: Value) -> bool:
    """Whether it helps a body to know an argument."""
    return arg.op is CONST or arg.op is NEW_ARRAY or arg.op is NEW_TUPLE or arg.__class__ is Address


class _Splicing:
    """Puts bodies in the place of calls of one function."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.fresh = Fresh(block.name for block in function.blocks)
        self.blocks: list[Block] = []  # of the function as it will be

    def all(self, chosen: Mapping[Any, Function]) -> None:
        """Replace the calls in `chosen`.  Users of their results are left to `resolve`."""
        blocks = self.blocks
        for block in self.function.blocks:
            blocks.append(block)
            values = block.body
            if not any(value in chosen for value in values):
                continue
            here = block
            here.body = []
            for value in values:
                body = chosen.get(value)
                if body is None:
                    here.body.append(value)
                else:
                    assert isinstance(value, Call)
                    here = self.splice(here, value, body)
            if here is not block:
                rename_before(here.successors, block, here)
        self.function.blocks = blocks

    def splice(self, here: Block, call: Call, body: Function) -> Block:
        """Put `body` at the end of `here`; the block in which it goes on after that, with its end missing."""
        made: dict[Value, Value] = {}
        for parameter, arg in zip(body.parameters, call.args, strict=True):
            made[parameter] = _as(parameter.type, arg, call.span, here.body)
        copies = copy_blocks(body.blocks, made)
        entry, *others = copies.values()
        rename_before(entry.successors, entry, here)
        for block in copies.values():
            _settle(block, call, body.name)
            block.name = self.fresh(block.name)
        here.body += entry.body
        self.blocks += others
        return self.after(call, body, [block for block in (here, *others) if block.body[-1].op is RETURN])

    def after(self, call: Call, body: Function, returns: list[Block]) -> Block:
        """The block where control goes on, in which the call's result is known."""
        results = [block.body.pop().args for block in returns]
        end = returns[0]
        if len(returns) > 1:
            end = Block(self.fresh(f"after_{body.name}"))
            self.blocks.append(end)
            for block in returns:
                block.body.append(Branch(ops.BR, [], [end], call.span, NAME))
        if call.type is VOID:
            return end
        if body.result is VOID:
            forward(call, Const(call.type, 0))
        elif len(returns) > 1:
            phi = Phi(call.type, [args[0] for args in results], returns, call.span, NAME, call.name)
            end.phis.append(phi)
            forward(call, phi)
        else:
            forward(call, _as(call.type, results[0][0], call.span, end.body))
        return end


def _as(type: Type, value: Value, span: int, out: list[Value]) -> Value:
    """`value` as one of `type`, which accepts it: a BITCAST at the end of `out` where its own type would mislead."""
    if value.op is COPY:
        value = final(value)
    if stands_for(type, value.type):
        return value
    if isinstance(value, Const):
        return Const(type, type.wrap(value.number))
    cast = Value(BITCAST, type, [value], span, NAME, value.name)
    out.append(cast)
    return cast


def _settle(block: Block, call: Call, callee: str) -> None:
    """Make a copied block one of the caller: spans, and lines that were the callee's own."""
    span = call.span
    for phi in block.phis:
        phi.span = span
        phi.by = NAME
        phi.args = [_line(arg, callee) if arg.__class__ is Line else arg for arg in phi.args]
    guarded: set[Value] = set()
    kept: list[Value] = []
    for value in block.body:
        op = value.op
        if op.check:
            assert isinstance(value, Check)
            if value.line is None:
                value.line = Where(line_of(value.span), callee)
            elif not isinstance(value.line, int) and not value.line.function:
                value.line = Where(value.line.line, callee)
            if op is CHECK_DIVISOR:
                guarded.add(value.args[0])
        elif (op is DIV or op is REM) and not divides(value) and value.args[1] not in guarded:
            guarded.add(value.args[1])
            kept.append(Check(CHECK_DIVISOR, [value.args[1]], 0, span, NAME, Where(line_of(value.span), callee)))
        for arg in value.args:
            if arg.__class__ is Line:
                value.args = [_line(arg, callee) if arg.__class__ is Line else arg for arg in value.args]
                break
        value.span = span
        value.by = NAME
        kept.append(value)
    block.body = kept


def _line(value: Any, callee: str) -> Value:
    where = value.line
    return value if where.function else Line(Where(where.line, callee))
