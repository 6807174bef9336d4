"""Calls of known functions through their address become calls by name.

    check-kind code @f code 1
    int64 %y <- call code @f(%x)         =>     int64 %y <- call @f(%x)

    code %g <- select %c, @f, @h                br %c :f :h
    int64 %y <- call %g(%x)              =>   :f
                                                int64 %a <- call @f(%x)
                                                br :called
                                              :h
                                                int64 %b <- call @h(%x)
                                                br :called
                                              :called
                                                int64 %y <- phi (:f %a, :h %b)

Phase: both.  Trigger: what is called is the address of a function, or phis and selects that choose between two.  A check of
the kind of what is surely a function with so many parameters goes as well; where the number is wrong it stays, and so does the
call, which it never lets run.  Guard: the function takes what it is given and gives what is wanted.  Cost: for a choice of two,
a comparison, which predicts as well as the indirect jump.  Gain: the call can be inlined, and its effects are known.
Growth: a call and a jump an application; end: each takes an indirect call away.  Level: 2.
"""

from __future__ import annotations

from septet.base.names import Fresh
from septet.base.symbols import FUNCTION
from septet.base.types import CODE, INT64, VOID
from septet.ir.forward import forward, resolve
from septet.ir.nodes import Address, Block, Branch, Call, Check, Compare, Phi
from septet.ir.splice import may_cut, rename_before
from septet.ops.table import BR, BR_IF, CALL, CALL_INDIRECT, CHECK_KIND, EQ, PHI, SELECT
from septet.x86 import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.base.symbols import Symbol
    from septet.ir.nodes import Function, Value

NAME = "direct-calls"

_NEAR = 16  # phis and selects that are looked through


def run(function: Function, facts: Facts) -> bool:
    """Make calls direct in `function`; whether any were, or checks went."""
    found = [block for block in function.blocks for value in block.body if value.op is CALL_INDIRECT or value.op is CHECK_KIND]
    if not found:
        return False
    return _Walk(function, facts).blocks(dict.fromkeys(found))


def targets(value: Value) -> list[Symbol]:
    """The functions that `value` chooses from, at most two, in the order met; none where it may be anything else."""
    found: dict[Symbol, None] = {}
    seen: dict[Value, None] = {value: None}
    todo = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, Address) and value.symbol.kind == FUNCTION:
            found[value.symbol] = None
        elif (value.op is PHI or value.op is SELECT) and len(seen) <= _NEAR:
            for arg in reversed(value.args[value.op is SELECT :]):
                if arg not in seen:
                    seen[arg] = None
                    todo.append(arg)
        else:
            return []
    return list(found) if len(found) <= 2 else []


class _Walk:
    """The state of one run."""

    def __init__(self, function: Function, facts: Facts) -> None:
        self.function = function
        self.facts = facts
        self.made: list[Block] = []  # the function's blocks as they will be
        self.fresh: Fresh | None = None

    def blocks(self, wanted: dict[Block, None]) -> bool:
        """Look at the blocks `wanted`."""
        changed = False
        for block in self.function.blocks:
            self.made.append(block)
            if block in wanted and self.block(block):
                changed = True
        self.function.blocks = self.made
        if changed:
            resolve(self.function)
        return changed

    def block(self, block: Block) -> bool:
        """Look at one block; whether anything changed."""
        changed = False
        cut = may_cut(block)
        values = block.body
        here = block
        here.body = []
        for value in values:
            if value.op is CHECK_KIND and self.holds(value):
                changed = True
                continue
            if value.op is CALL_INDIRECT:
                assert isinstance(value, Call)
                found = targets(value.args[0])
                if self.may(value, found, cut):
                    changed = True
                    here = self.direct(here, value, found)
                    continue
            here.body.append(value)
        if here is not block:
            rename_before(here.successors, block, here)
        return changed

    def may(self, call: Call, found: list[Symbol], cut: bool) -> bool:
        """Whether a call becomes one of the functions `found`; `cut`: its block may be cut in two."""
        if not found or not all(self.fits(call, symbol.name) for symbol in found) or len(found) > 1 and not cut:
            return False
        if not self.facts.fuel.spend():
            return False
        why = f"it is {' or '.join(map(repr, found))}"
        self.facts.remark(self.function.name, call.span, "call made direct", why, targets=len(found))
        return True

    def holds(self, check: Value) -> bool:
        """Whether a check of kind goes: what it looks at is surely a function of that many parameters."""
        assert isinstance(check, Check)
        functions = self.facts.program.functions
        found = targets(check.args[0])
        for symbol in found:
            if check.detail != abi.descriptor(abi.FUNCTION, len(functions[symbol.name].parameters)):
                return False
        if not found or not self.facts.fuel.spend():
            return False
        self.facts.remark_check(self.function.name, check, "removed", f"it is {found[0]}")
        return True

    def fits(self, call: Call, name: str) -> bool:
        """Whether function `name` takes the arguments of `call`, and gives a result of its type."""
        function = self.facts.program.functions[name]
        args = call.args[1:]
        if len(args) != len(function.parameters):
            return False
        result = INT64 if function.result is VOID else function.result
        return (call.type is VOID or call.type.accepts(result)) and all(
            parameter.type.accepts(arg.type) for parameter, arg in zip(function.parameters, args, strict=True)
        )

    def direct(self, here: Block, call: Call, found: list[Symbol]) -> Block:
        """Put calls of the functions `found` at the end of `here` in the place of `call`; the block that control goes on in."""
        span = call.span
        if len(found) == 1:
            made = Call(CALL, call.type, found[0], call.args[1:], span, NAME, call.name)
            here.body.append(made)
            forward(call, made)
            return here
        if self.fresh is None:
            self.fresh = Fresh(block.name for block in self.function.blocks)
        test = Compare(EQ, CODE, [call.args[0], Address(found[0], CODE)], span, NAME)
        ways = [Block(self.fresh(symbol.name)) for symbol in found]
        end = Block(self.fresh("called"))
        here.body += (test, Branch(BR_IF, [test], ways, span, NAME))
        calls: list[Value] = []
        for way, symbol in zip(ways, found, strict=True):
            calls.append(Call(CALL, call.type, symbol, call.args[1:], span, NAME, call.name))
            way.body = [calls[-1], Branch(BR, [], [end], span, NAME)]
        self.made += (*ways, end)
        if call.type is not VOID:
            phi = Phi(call.type, calls, ways, span, NAME, call.name)
            end.phis.append(phi)
            forward(call, phi)
        return end
