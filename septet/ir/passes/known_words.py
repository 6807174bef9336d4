"""Precautions against words that may be anything go, where a look at the whole program says what they are.

    int64 %w <- %v | 1                 (every use of %w is %v)
    i64 %e <- %v & -2           =>     i64 %e <- %v - 1
    check-kind %t tuple                check-null %t

Trigger: %v is an encoded integer, %t null or a reference to an object of that kind (`ir.analyses.representation`), whatever
calls pass and return and whatever is in arrays and tuples.  A check goes where the reference is not null either.
Cost: one walk over the function.  Gain: an instruction for each use of a parameter, a call's result or an element; a check of a
kind loads the descriptor, a check for null is a comparison.
Guard: none, every change makes less.  Phase arrays; it runs early, and once is enough.  Level 2.
"""

from __future__ import annotations

from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.representation import EVEN, NULL, Words
from septet.ir.forward import forward, resolve, stands_for
from septet.ir.nodes import Check, Const
from septet.ops import table as ops
from septet.x86 import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Function, Value

NAME = "known-words"
IDEMPOTENT = True
KEEPS = (Dominators, PostDominators, Loops)


def run(function: Function, facts: Facts) -> bool:
    """Use what is known of words; whether anything changed."""
    candidates = [
        value
        for block in function.blocks
        for value in block.body
        if (op := value.op) is ops.OR or op is ops.AND or op is ops.CHECK_KIND or op is ops.CHECK_NULL
    ]
    if not candidates:
        return False
    words = facts.get(Words)
    gone: set[Value] = set()
    changed = False
    for value in candidates:
        if isinstance(value, Check):
            if _checked(value, words, function.name, facts, gone):
                changed = True
        elif isinstance(value.args[1], Const) and words.odd(value.args[0]):
            if _odd(value, facts):
                changed = True
    if changed:
        resolve(function)
    if gone:
        for block in function.blocks:
            block.body = [value for value in block.body if value not in gone]
    return changed


def _odd(value: Value, facts: Facts) -> bool:
    """`odd | 1` or `odd & -2`."""
    word, constant = value.args
    assert isinstance(constant, Const)
    if value.op is ops.OR and constant.number == 1 and stands_for(value.type, word.type):
        if facts.fuel.spend():
            forward(value, word)
            return True
    elif value.op is ops.AND and constant.number == value.type.wrap(-2):
        if facts.fuel.spend():
            value.op = ops.SUB
            value.args = [word, Const(value.type, 1)]
            value.by = NAME
            return True
    return False


def _checked(check: Check, words: Words, name: str, facts: Facts, gone: set[Value]) -> bool:
    """A check that a word is a reference, perhaps of a kind."""
    word = check.args[0]
    mask = words.mask(word)
    sure = mask != 0 and not mask & (NULL | EVEN)
    if check.op is ops.CHECK_KIND:
        if words.kind(word) != check.detail:
            return False
        if not sure:
            if check.detail & 255 == abi.FUNCTION or not facts.fuel.spend():
                return False  # the error for a function that is null is that of the check for its kind
            check.op, check.detail, check.by = ops.CHECK_NULL, 0, NAME
            facts.remark(name, check.span, "check-kind made a check-null", "the program passes and stores nothing else here")
            return True
    if not sure or not facts.fuel.spend():
        return False
    facts.remark_check(name, check, "removed", "the program passes and stores nothing else here")
    gone.add(check)
    return True
