"""Encoded integers that a loop hands on, and that every round decodes, are handed on decoded.

    :loop                                          :loop
      int64 %x <- phi (:before 1, :loop %z)          i64 %n <- phi (:before 0, :loop %w)
      i64 %even <- %x - 1                            i64 %even <- %n << 1
      i64 %raw <- untag %x                           i64 %m <- %even * %n
      i64 %m <- %even * %raw               =>        i64 %t <- %m >> 21
      i64 %s <- %m >> 20                             i64 %w <- %t + %d             (%d is %c >> 1, before the loop)
      i64 %y <- %s | 1
      int64 %z <- %y + %c

Trigger: a phi of a loop's head, surely odd, that the loop only decodes, or makes even by taking 1 away; what comes back is made
by sums, differences and products in which every term's parity is known.  A decoded phi is right modulo 2^63 only, as sums wrap
there: that is enough for doubling it, and for products with even numbers, which is all that may be done with it.  Gain: the
decoding, and the encoding at the end of a round, which stand on the path from one round to the next.  Guard: fewer operations
are left in the loop.  Level 2, phase words.  Ends: every application takes a phi with such uses away.
"""

from __future__ import annotations

from septet.base.types import I64, VOID
from septet.ir.analyses.dominators import Dominators, PostDominators
from septet.ir.analyses.loops import Loops
from septet.ir.analyses.representation import Words
from septet.ir.analyses.uses import Uses
from septet.ir.forward import forward, resolve
from septet.ir.loop_shape import operand_for
from septet.ir.nodes import WORDS, Const, Phi, Value
from septet.ops import table as ops
from septet.ops.table import ADD, MUL, OR, SHL, SHR, SUB, TAG, UNTAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.analyses.loops import Loop
    from septet.ir.nodes import Block, Function

NAME = "decode-phis"
KEEPS = (Dominators, PostDominators, Loops)
DEEP = 6  # operations from a round's end to its leaves


def run(function: Function, facts: Facts) -> bool:
    """Decode the phis where that pays; whether there were any."""
    if function.phase != WORDS:
        return False
    loops = [loop for loop in facts.get(Loops).loops if loop.natural and loop.preheader is not None and len(loop.latches) == 1]
    changed = False
    for loop in loops:
        if not any(value.op is MUL for block in loop.own for value in block.body):
            continue
        for phi in list(loop.header.phis):
            if phi.type.is_word and phi.type.lanes == 1 and len(phi.args) == 2:
                web = _Web(phi, loop, facts)
                if web.pays() and facts.fuel.spend():
                    what = "integer handed on decoded"
                    facts.remark(function.name, phi.span, what, "every round decodes it", saved=web.gone - web.made)
                    web.change()
                    resolve(function)
                    facts.drop((*KEEPS, Words))
                    changed = True
    return changed


class _Web:
    """A phi and what is computed for its next round: each value of the web has a half, which is it shifted right by 1, modulo
    2^63."""

    __slots__ = ("phi", "loop", "uses", "words", "begin", "again", "inner", "leaves", "kept", "made", "gone", "_halves")

    def __init__(self, phi: Phi, loop: Loop, facts: Facts) -> None:
        assert loop.preheader is not None
        self.phi = phi
        self.loop = loop
        self.uses: Uses = facts.get(Uses)
        self.words: Words = facts.get(Words)
        self.begin = operand_for(phi, loop.preheader)
        self.again = operand_for(phi, loop.latches[0])
        self.inner: dict[Value, None] = {}  # operations that are done on halves instead, and go
        self.leaves: dict[Value, None] = {}  # values in the loop that are halved themselves
        self.kept: dict[Value, None] = {}  # those of the two before that others use, for whom they are encoded
        self.made = 0  # operations in the loop
        self.gone = 0
        self._halves: dict[Value, Value] = {}

    def pays(self) -> bool:
        """Whether the phi can be decoded, and fewer operations are left in the loop then."""
        if not self._decoded() or not self.words.odd(self.phi) or not self._walk(self.again, DEEP):
            return False
        return self.again in self.inner and self.made < self.gone

    def _decoded(self) -> bool:
        """Whether the loop needs no more of the phi than its half modulo 2^63."""
        phi = self.phi
        users = self.uses.of(phi)
        for user in users:
            if not self._inside(user):
                return False
            if user.op is UNTAG:
                for product in self.uses.of(user):
                    if product.op is not MUL or not any(self.words.parity(arg) == 0 for arg in product.args):
                        return False
                self.gone += 1
            elif not _makes_even(user, phi):
                return False
        return bool(users)

    def _inside(self, value: Value) -> bool:
        return self.uses.block_of(value) in self.loop.blocks

    def _walk(self, value: Value, deep: int) -> bool:
        """Note what the half of `value` takes; False where nobody knows it."""
        if value is self.phi or value in self.inner or value in self.leaves or not self._inside(value):
            return True
        if value.op is ops.PHI or value.type.bits != 64 or value.type.lanes > 1:
            return False
        others = len(self.uses.of(value)) > 1
        if deep and (value is self.again or not others or _makes_even(value, self.phi)):
            args = self._halved(value)
            if args is not None:
                self.inner[value] = None
                self.made += not self._is_free(value)
                self.gone += not others or value is self.again
                if others and value is self.again:
                    self.kept[value] = None
                    self.made += 1
                return all(self._walk(arg, deep - 1) for arg in args)
        self.leaves[value] = None
        if value.op is TAG:
            return True
        self.made += 1
        if _is_encoding(value):
            self.gone += 1 + (len(self.uses.of(value.args[0])) == 1)
            if others:
                self.kept[value] = None
                self.made += 1
        return True

    def _is_free(self, value: Value) -> bool:
        """Whether the half of a sum is that of its first term."""
        right = value.args[1]
        return value.op is ADD and isinstance(right, Const) and right.number >> 1 == -self._carry(value)

    def _carry(self, value: Value) -> int:
        """What the half of a sum or difference is more than that of the halves."""
        odd, other = (self.words.parity(arg) for arg in value.args)
        return (1 if odd and other else 0) if value.op is ADD else (-1 if other and not odd else 0)

    def _halved(self, value: Value) -> list[Value] | None:
        """The operands of an operation whose halves make its half; None where it cannot be done on halves."""
        if value.op is ADD or value.op is SUB:
            return value.args if all(self.words.parity(arg) is not None for arg in value.args) else None
        if value.op is MUL:
            return [arg for arg in value.args if self.words.parity(arg) == 0][:1] or None
        return None

    def change(self) -> None:
        """Put the decoded phi in the phi's place."""
        phi, loop = self.phi, self.loop
        before = loop.preheader
        assert before is not None
        new = Phi(I64, [], [before, loop.latches[0]], phi.span, NAME, phi.name)
        self._halves[phi] = new
        new.args = [self._half(self.begin), self._half(self.again)]
        for user in self.uses.of(phi):
            if user.op is UNTAG:
                forward(user, new)
            elif user not in self.inner or len(self.uses.of(user)) > 1:
                user.op, user.args, user.by = SHL, [new, Const(I64, 1)], NAME
        shifts = [value.args[0] for value in self.leaves if _is_encoding(value)]
        for value in self.kept:
            word = Value(TAG, value.type, [self._halves[value]], value.span, NAME, value.name)
            self._put(word, self._halves[value])
            forward(value, word)
        loop.header.phis[loop.header.phis.index(phi)] = new
        self._sweep({*self.inner, *self.leaves, *shifts})

    def _half(self, value: Value) -> Value:
        """The half of `value`, computed right behind it, or before the loop."""
        found = self._halves.get(value)
        if found is None:
            found = self._halves[value] = self._made(value)
        return found

    def _made(self, value: Value) -> Value:
        if isinstance(value, Const):
            return Const(I64, I64.wrap(value.number) >> 1)
        if not self._inside(value):
            before = self.loop.preheader
            assert before is not None
            half = Value(SHR, I64, [value, Const(I64, 1)], self.phi.span, NAME)
            before.body.insert(-1, half)
            return half
        if value not in self.inner:
            if value.op is TAG:
                return value.args[0]
            source, count = value, 1
            if _is_encoding(value):
                (source, by) = value.args[0].args
                assert isinstance(by, Const)
                count = by.number + 1
            return self._put(Value(SHR, I64, [source, Const(I64, count)], value.span, NAME), value)
        left, right = value.args
        if value.op is MUL:
            if self.words.parity(left) != 0:
                left, right = right, left
            return self._put(Value(MUL, I64, [self._half(left), right], value.span, NAME), value)
        if self._is_free(value):
            return self._half(left)
        carry = self._carry(value)
        left, right = self._half(left), self._half(right)
        if isinstance(right, Const) and value.op is ADD:
            right, carry = Const(I64, I64.wrap(right.number + carry)), 0
        total = self._put(Value(value.op, I64, [left, right], value.span, NAME), value)
        return self._put(Value(ADD, I64, [total, Const(I64, carry)], value.span, NAME), total) if carry else total

    def _put(self, made: Value, behind: Value) -> Value:
        """Put a value behind another one of the loop."""
        block = self.uses.blocks[behind]
        block.body.insert(block.body.index(behind) + 1, made)
        self.uses.blocks[made] = block
        return made

    def _sweep(self, candidates: set[Value]) -> None:
        """Take away what has no users any more, the last operations first."""
        blocks: list[Block] = list(self.loop.blocks)
        for _ in range(DEEP + 2):
            used = {arg for block in blocks for value in (*block.phis, *block.body) for arg in value.args}
            gone = {value for value in candidates if value not in used and value.op is not ops.COPY and value.type is not VOID}
            gone = {value for value in gone if not any(not self._inside(user) for user in self.uses.of(value))}
            if not gone:
                return
            for block in blocks:
                block.body = [value for value in block.body if value not in gone]
            candidates -= gone


def _makes_even(value: Value, phi: Value) -> bool:
    """Whether `value` is a sum of the phi and -1."""
    return value.op is ADD and value.args[0] is phi and isinstance(value.args[1], Const) and value.args[1].number == -1


def _is_encoding(value: Value) -> bool:
    """Whether `value` is a shifted word with its lowest bit set."""
    if value.op is not OR or not isinstance(value.args[1], Const) or value.args[1].number != 1:
        return False
    shift = value.args[0]
    return shift.op is SHR and shift.type.signed and isinstance(shift.args[1], Const) and 0 < shift.args[1].number < 63
