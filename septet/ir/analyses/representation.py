"""What words are: surely encoded integers (odd), or surely null or references to objects of one kind.

A function alone knows little about its parameters, the results of its calls, and what it reads from arrays and tuples.
`WordFacts` looks at all functions of a program at once, before any pass: a parameter is what all calls pass, a result what all
returns give, an element what all stores put there (a tuple's by constant index).  It starts from "nothing yet" and adds what it
meets until nothing is new, so that what only goes round in circles stays what it was.  `Words` then is what one function's
values are, given those facts; it is computed from the function as it stands, so passes may have changed it.

A word's mask is the set of what it may be: `ODD`, `NULL`, an object of some descriptor (one bit each), or `EVEN`, any other
word.  Element accesses are taken to stay inside objects of their base's type: LAc has them checked.  Functions are entered by
calls alone, and function addresses come from nowhere but `Address` values.
"""

from __future__ import annotations

from septet.base.graph import reverse_postorder
from septet.base.symbols import FUNCTION, ROUTINE
from septet.base.types import TUPLE, VOID
from septet.ir.analyses.call_graph import CallGraph
from septet.ir.nodes import Address, Call, Const, Line
from septet.ops import table as ops
from septet.ops.table import CONST, PHI, SYMBOL_ADDRESS
from septet.x86 import abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.ir.nodes import Block, Function, Program, Value

ODD, NULL, EVEN = 1, 2, 4  # bits of a mask; those above stand for descriptors
ANY = ODD | EVEN
MOST_ROUNDS = 12  # over a program, or over the blocks of a function, before everything that still changes counts as any word

# By the parities that two operands may have (1: odd, 2: even), what the result may be.
_SUM = [0] * 16
_PRODUCT = [0] * 16
_UNION = [0] * 16
for _a in range(4):
    for _b in range(4):
        for _x in (1, 0):
            for _y in (1, 0):
                if _a & (2 - _x) and _b & (2 - _y):
                    _SUM[4 * _a + _b] |= ODD if _x ^ _y else EVEN
                    _PRODUCT[4 * _a + _b] |= ODD if _x & _y else EVEN
                    _UNION[4 * _a + _b] |= ODD if _x | _y else EVEN
_PARITY = {
    ops.ADD: _SUM,
    ops.SUB: _SUM,
    ops.XOR: _SUM,
    ops.MUL: _PRODUCT,
    ops.AND: _PRODUCT,
    ops.OR: _UNION,
}


class WordFacts:
    """What holds in every function of `program`, whose functions are as their compiler made them.

    `parameters`: a mask for each parameter of each function; `results`: one for each function's result.  Without a program,
    what holds in all programs: nothing.
    """

    __slots__ = (
        "parameters", "results", "bits", "elements", "objects", "fields", "anywhere", "fields_all", "lengths",
        "indirect", "indirect_results", "taken", "arities", "returns_nothing", "_changed", "_limit",
    )  # fmt: skip

    def __init__(self, program: Program | None) -> None:
        self.bits: dict[int, int] = {}  # of each descriptor, its bit in masks
        self.parameters: dict[str, list[int]] = {}
        self.results: dict[str, int] = {}
        self.elements: dict[int, int] = {}  # of arrays, by rank; numbers at first
        self.objects = 0 if program else ANY  # what may stand in any object, put there without the program saying in which
        self.fields: dict[int, int] = {}  # of tuples, by constant index
        self.anywhere = ODD  # in a tuple, at an index that is no constant
        self.fields_all = ODD  # all of the two before
        self.lengths = 0 if program else ANY  # lengths of arrays
        self.indirect: dict[int, list[int]] = {}  # by arity, what indirect calls pass
        self.indirect_results: dict[int, int] = {}
        self.taken: dict[int, list[str]] = {}
        self.arities: dict[str, int] = {}
        self._changed = False
        self._limit = 0  # bits that whatever changes gets as well
        if program is not None:
            self._solve(program)

    def bit(self, descriptor: int) -> int:
        """The bit that stands for objects with that descriptor."""
        found = self.bits.get(descriptor)
        if found is None:
            found = self.bits[descriptor] = 8 << len(self.bits)
        return found

    def _solve(self, program: Program) -> None:
        """Visit all functions, callers first, then callees first, and so on until nothing is new."""
        graph = CallGraph(program)
        self.taken = graph.taken
        order = [program.functions[name] for component in reversed(graph.components) for name in component]
        for function in order:
            self.arities[function.name] = len(function.parameters)
            self.parameters[function.name] = [ANY if program.hosted else 0] * len(function.parameters)
            self.results[function.name] = NULL if function.result is VOID else 0
        for arity in self.taken:
            self.indirect[arity] = [0] * arity
            self.indirect_results[arity] = 0
        blocks = {function.name: _in_order(function) for function in order}
        self._changed = True
        rounds = 0
        while self._changed:
            self._changed = False
            for function in order:
                _Walk(function, self, blocks[function.name], True).down()
            order.reverse()
            rounds += 1
            if rounds == MOST_ROUNDS:
                self._give_up()
                return
        self._spread()

    def _give_up(self) -> None:
        """Know nothing."""
        self.parameters = {name: [ANY] * len(masks) for name, masks in self.parameters.items()}
        self.results = dict.fromkeys(self.results, ANY)
        self.objects = self.lengths = ANY
        self.indirect_results = dict.fromkeys(self.indirect_results, ANY)

    def _spread(self) -> None:
        """Give what indirect calls pass to the functions that they may reach."""
        for arity, names in self.taken.items():
            for name in names:
                self.parameters[name] = [a | b for a, b in zip(self.parameters[name], self.indirect[arity], strict=True)]

    # What a walk asks.

    def parameter(self, name: str, index: int) -> int:
        """The mask of a parameter."""
        found = self.parameters.get(name)
        if found is None or index >= len(found):
            return ANY
        mask = found[index]
        arity = len(found)
        if arity in self.indirect and name in self.taken[arity]:
            mask |= self.indirect[arity][index]
        return mask

    def element(self, base: Value, index: Value) -> int:
        """The mask of an element; `index` is that of a tuple."""
        if base.type is not TUPLE:
            return self.objects | self.elements.get(base.type.rank, ODD)
        if index.__class__ is Const:
            return self.objects | self.anywhere | self.fields.get(index.number, 0)
        return self.objects | self.fields_all

    def called(self, call: Call) -> int:
        """The mask of a call's result."""
        callee = call.callee
        if callee is None:
            return self.indirect_results.get(len(call.args) - 1, ANY if not self.parameters else 0)
        if callee.kind == ROUTINE:
            return ODD if callee.name == "input" or callee.name == "print" else ANY
        return self.results.get(callee.name, ANY)

    # What a walk says.

    def returned(self, name: str, mask: int) -> None:
        """That function `name` may return this."""
        if mask & ~self.results[name]:
            self.results[name] |= mask
            self._changed = True

    def collect_results(self, arity: int) -> None:
        """Look at what functions of that arity that have an address return."""
        mask = 0
        for name in self.taken.get(arity, ()):
            mask |= self.results[name]
        if mask & ~self.indirect_results.get(arity, 0):
            self.indirect_results[arity] |= mask
            self._changed = True

    def passed(self, call: Call, masks: list[int]) -> None:
        """That a call passes these."""
        if call.callee is None:
            known = self.indirect.get(len(masks) - 1)
            masks = masks[1:]
            if known is not None:
                self.collect_results(len(masks))
        elif call.callee.kind == FUNCTION:
            known = self.parameters.get(call.callee.name)
        else:
            if call.callee.name == "allocate":
                self.poison(masks[1])
            return
        if known is None:
            return
        for index, mask in enumerate(masks):
            if mask & ~known[index]:
                known[index] |= mask
                self._changed = True

    def stored(self, base: Value, index: Value, mask: int) -> None:
        """That an element may become this."""
        if base.type is not TUPLE:
            rank = base.type.rank
            if mask & ~self.elements.get(rank, ODD):
                self.elements[rank] = self.elements.get(rank, ODD) | mask
                self._changed = True
            return
        if index.__class__ is Const:
            number: int = index.number
            if mask & ~self.fields.get(number, 0):
                self.fields[number] = self.fields.get(number, 0) | mask
                self._changed = True
        elif mask & ~self.anywhere:
            self.anywhere |= mask
            self._changed = True
        self.fields_all |= mask

    def poison(self, mask: int) -> None:
        """That any element of any object may become this."""
        if mask & ~self.objects or mask & ~self.lengths:
            self.objects |= mask
            self.lengths |= mask
            self._changed = True

    def sized(self, mask: int) -> None:
        """That an array may have a length like this."""
        if mask & ~self.lengths:
            self.lengths |= mask
            self._changed = True


_NOTHING = WordFacts(None)


class Words:
    """What the values of `function` are.  `facts.words` holds for the program, or is None where nobody knows.

    It lasts: what a value may be stays true while passes change others, and those that they make are looked at when asked for.
    """

    __slots__ = ("_words", "_walk")
    LASTS = True

    def __init__(self, function: Function, facts: Any) -> None:
        words = getattr(facts, "words", None)
        self._words: WordFacts = _NOTHING if words is None else words
        self._walk = _Walk(function, self._words, _in_order(function), False)
        self._walk.down()

    def mask(self, value: Value) -> int:
        """The set of what `value` may be."""
        found = self._walk.masks.get(value)
        return self._walk.later(value) if found is None else found

    def odd(self, value: Value) -> bool:
        """Whether `value` surely is an odd word, an encoded integer."""
        return self.mask(value) == ODD

    def parity(self, value: Value) -> int | None:
        """1 where `value` surely is an odd word, 0 where it surely is even, None where that is not known."""
        mask = self.mask(value)
        return 1 if mask == ODD else 0 if mask and not mask & ODD else None

    def replaced(self, value: Value, by: Value) -> None:
        """Note that what was `value` is `by`, which says less about itself."""
        if value in self._walk.masks:
            self._walk.masks[by] = self._walk.masks[value]

    def kind(self, value: Value) -> int:
        """The descriptor of the objects that `value` surely refers to where it is not null; 0 if that is not sure."""
        mask = self.mask(value) & ~NULL
        if mask > EVEN:
            for descriptor, bit in self._words.bits.items():
                if bit == mask:
                    return descriptor
        return 0

    def agrees(self, other: Words) -> bool:
        """Whether no value is surely odd for one and surely even for the other."""
        masks = other._walk.masks
        for value, mask in self._walk.masks.items():
            its = masks.get(value, ANY)
            if mask and its and not (mask & its & ODD or mask > ODD and its > ODD):
                return False
        return True


class _Walk:
    """Computes the masks of one function's values; with `tell` the facts learn what it passes, stores and returns."""

    __slots__ = ("function", "words", "blocks", "tell", "masks", "floor")

    def __init__(self, function: Function, words: WordFacts, blocks: list[Block], tell: bool) -> None:
        self.function = function
        self.words = words
        self.blocks = blocks
        self.tell = tell
        self.masks: dict[Value, int] = {}
        self.floor = 0  # what every phi may be

    def down(self) -> None:
        """Visit the blocks in reverse postorder until no phi grows."""
        name, words, masks = self.function.name, self.words, self.masks
        for index, parameter in enumerate(self.function.parameters):
            masks[parameter] = words.parameter(name, index)
        joins = [block for block in self.blocks if block.phis]
        for rounds in range(MOST_ROUNDS + 1):
            if rounds == MOST_ROUNDS:
                self.floor = ANY
            for block in self.blocks:
                if block.phis:
                    self.phis(block)
                self.values(block)
            if self.floor or not any(self.join(phi) & ~masks[phi] for block in joins for phi in block.phis):
                break
        if self.tell:
            self.say()

    def later(self, value: Value) -> int:
        """The mask of a value that came into the function since `down`: by the values that it is made of, as far as those are
        new as well.  Their phis grow from nothing until they agree."""
        masks = self.masks
        order: list[Value] = []  # operands first, but for phis
        seen: set[Value] = set()
        todo = [(value, False)]
        while todo:
            at, ready = todo.pop()
            if ready:
                order.append(at)
            elif at not in seen:
                seen.add(at)
                todo.append((at, True))
                todo += [(arg, False) for arg in at.args if arg not in masks and arg not in seen]
        self.floor = 0
        for rounds in range(MOST_ROUNDS + 1):
            if rounds == MOST_ROUNDS:
                self.floor = ANY
            changed = False
            for at in order:
                mask = self.one(at)
                if mask != masks.get(at):
                    masks[at] = mask
                    changed = changed or rounds > 0 or at.op is PHI
            if not changed:
                break
        return masks[value]

    def one(self, value: Value) -> int:
        """What a value is by what its operands are."""
        op = value.op
        if op is PHI:
            return self.masks.get(value, 0) | self.join(value)
        table = _PARITY.get(op)
        if table is not None:
            a, b = self.of(value.args[0]), self.of(value.args[1])
            return table[((a & 1) + 2 * (a > 1)) * 4 + (b & 1) + 2 * (b > 1)]
        transfer = _TRANSFER.get(op)
        if transfer is not None:
            return transfer(self, value)
        return self.of(value) if op is CONST or op is SYMBOL_ADDRESS else ANY

    def of(self, value: Value) -> int:
        """The mask of a value; 0 where nothing is known to come there yet."""
        found = self.masks.get(value)
        if found is None:
            found = 0
            kind = value.__class__
            if kind is Const:
                number: int = value.number  # type: ignore[attr-defined]
                found = self.masks[value] = ODD if number & 1 else EVEN if number else NULL
            elif kind is Address:
                arity = self.words.arities.get(value.symbol.name)  # type: ignore[attr-defined]
                function = value.symbol.kind == FUNCTION and arity is not None  # type: ignore[attr-defined]
                found = self.words.bit(abi.descriptor(abi.FUNCTION, arity)) if function and arity is not None else ANY
                self.masks[value] = found
            elif kind is Line:
                found = ODD
        return found

    def join(self, phi: Value) -> int:
        """What a phi may be."""
        mask = self.floor
        for arg in phi.args:
            mask |= self.of(arg)
        return mask

    def phis(self, block: Block) -> None:
        """The phis of a block."""
        masks = self.masks
        for phi in block.phis:
            masks[phi] = masks.get(phi, 0) | self.join(phi)

    def values(self, block: Block) -> None:
        """The values of a block's body."""
        masks, get = self.masks, _TRANSFER.get
        of = self.of
        for value in block.body:
            op = value.op
            table = _PARITY.get(op)
            if table is not None:
                left, right = value.args
                a = masks.get(left)
                if a is None:
                    a = of(left)
                b = masks.get(right)
                if b is None:
                    b = of(right)
                masks[value] = table[((a & 1) + 2 * (a > 1)) * 4 + (b & 1) + 2 * (b > 1)]
            else:
                transfer = get(op)
                if transfer is not None:
                    masks[value] = transfer(self, value)
                elif value.type is not VOID:
                    masks[value] = ANY

    def say(self) -> None:
        """Tell the facts what this function does to what others see."""
        words, of = self.words, self.of
        for block in self.blocks:
            for value in block.body:
                op = value.op
                if op is ops.SET_ELEMENT:
                    words.stored(value.args[0], value.args[1], of(value.args[-1]))
                elif op is ops.CALL or op is ops.CALL_INDIRECT:
                    assert isinstance(value, Call)
                    words.passed(value, [of(arg) for arg in value.args])
                elif op is ops.NEW_ARRAY:
                    for arg in value.args:
                        words.sized(of(arg))
                elif op is ops.STORE or op is ops.CALL_C or op is ops.SYSCALL:
                    words.poison(ANY)
                elif op is ops.RETURN and value.args and self.function.result is not VOID:
                    words.returned(self.function.name, of(value.args[0]))


def _in_order(function: Function) -> list[Block]:
    """The blocks so that each comes after those that dominate it."""
    blocks = function.blocks
    if len(blocks) == 1:
        return blocks
    number = {block: index for index, block in enumerate(blocks)}
    return [blocks[index] for index in reverse_postorder([[number[to] for to in block.successors] for block in blocks])]


def _choice(walk: _Walk, value: Value) -> int:
    return walk.of(value.args[1]) | walk.of(value.args[2])


def _same(walk: _Walk, value: Value) -> int:
    source = value.args[0]
    return walk.of(source) if source.type.is_word and value.type.is_word else ANY


def _negated(walk: _Walk, value: Value) -> int:
    mask = walk.of(value.args[0])
    return mask & ODD | (EVEN if mask > 1 else 0)


def _flipped(walk: _Walk, value: Value) -> int:
    mask = walk.of(value.args[0])
    return (EVEN if mask & ODD else 0) | (ODD if mask > 1 else 0)


def _shifted(walk: _Walk, value: Value) -> int:
    left, right = value.args
    if value.type.lanes > 1:
        return ANY
    if isinstance(right, Const) and right.number & (value.type.bits - 1):
        return EVEN
    return ANY if walk.of(left) & ODD else EVEN


def _odd(walk: _Walk, value: Value) -> int:
    return ODD


def _element(walk: _Walk, value: Value) -> int:
    return walk.words.element(value.args[0], value.args[1])


def _length(walk: _Walk, value: Value) -> int:
    return ODD if value.args[0].type is TUPLE else walk.words.lengths


def _new_array(walk: _Walk, value: Value) -> int:
    return walk.words.bit(abi.descriptor(abi.ARRAY, len(value.args)))


def _new_tuple(walk: _Walk, value: Value) -> int:
    return walk.words.bit(abi.descriptor(abi.TUPLE))


def _call(walk: _Walk, value: Value) -> int:
    assert isinstance(value, Call)
    return walk.words.called(value)


_TRANSFER: dict[ops.Op, Callable[[_Walk, Value], int]] = {
    ops.SELECT: _choice,
    ops.CONVERT: _same,
    ops.BITCAST: _same,
    ops.NEG: _negated,
    ops.NOT: _flipped,
    ops.SHL: _shifted,
    ops.TAG: _odd,
    ops.ELEMENT: _element,
    ops.LENGTH: _length,
    ops.NEW_ARRAY: _new_array,
    ops.NEW_TUPLE: _new_tuple,
    ops.CALL: _call,
    ops.CALL_INDIRECT: _call,
}
