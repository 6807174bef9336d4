"""What the collector must find across a call: the references that live there, and the objects that derived pointers are of.

A word of a value type, and an address that was loaded, passed or returned, is a *base*: the collector checks itself whether it
is a reference.  A machine word that is computed from a base by sums, bit casts and the like has that base; nothing moves, so
all that such a *derived* pointer needs is that its base stays alive (Diwan, Moss and Hudson 1992).

    ptr %p <- phi %a :entry, %q :loop        %p, %q: base %a
    ptr %q <- %p + 8                         call @f() ; roots %a        where %q lives across the call

A phi of words with different bases gets a phi of the bases beside it (as LLVM's statepoints have it).  Liveness is solved on
blocks by dataflow, with sets that are ints.
"""

from __future__ import annotations

from septet.base.bits import members
from septet.base.graph import solve
from septet.base.symbols import ROUTINE
from septet.base.types import INT64, PTR
from septet.ir.nodes import Call, Const, Phi
from septet.ops import table as ops
from septet.ops.table import CALL, CALL_INDIRECT, LOAD, PHI

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.ir.nodes import Block, Function, Program, Value

    Bases = tuple[Value, ...]

_DERIVES = frozenset((ops.ADD, ops.SUB, ops.AND, ops.OR, ops.BITCAST, ops.CONVERT, ops.SELECT, ops.MIN, ops.MAX))
_FRESH = frozenset((ops.PARAM, LOAD, CALL, CALL_INDIRECT))  # what gives a word that is derived from nothing in the function
_NEVER = (ops.TAG, ops.CONST, ops.SYMBOL_ADDRESS)  # what gives values that are no references
_ALLOCATES = (ops.NEW_ARRAY, ops.NEW_TUPLE, CALL_INDIRECT)
WHOLE = 2  # the -O level from which what functions of the program do is known
MOST = 4  # bases that one word may have


def with_roots(function: Function, program: Program, opt: int) -> tuple[Function, dict[Value, list[Value]]]:
    """The roots of the calls that may collect, and the function: a copy, if there had to be phis of bases."""
    found = sites(function, program, opt)
    if not found:
        return function, {}
    roots = Roots(function)
    if roots.joins:
        from septet.ir.copy import copy_function

        function = copy_function(function)
        found = sites(function, program, opt)
        roots = Roots(function)
        roots.insert()
    return function, roots.find(found)


def sites(function: Function, program: Program, opt: int) -> list[Call]:
    """The calls that may collect, in program order.  Which functions may is asked from `WHOLE` up; below, programs are lowered
    function by function, and all may.  A hosted one has no collector."""
    if program.hosted:
        return []
    found = [value for block in function.blocks for value in block.body if value.op is CALL or value.op is CALL_INDIRECT]
    collecting: frozenset[str] | None = None
    if found and opt >= WHOLE:
        collecting = program.collecting
        if collecting is None:
            collecting = program.collecting = _collecting(program)
    return [call for call in found if isinstance(call, Call) and _may_collect(call, program, collecting)]


def _may_collect(call: Call, program: Program, collecting: frozenset[str] | None) -> bool:
    callee = call.callee
    if callee is None:
        return True
    if callee.kind == ROUTINE:
        return callee.name == "allocate"
    return collecting is None or callee.name in collecting or callee.name not in program.functions


def _collecting(program: Program) -> frozenset[str]:
    """The functions of a program that may collect: those that allocate, or call one that does or one that nobody knows."""
    callers: dict[str, list[str]] = {}
    todo: list[str] = []
    for name, function in program.functions.items():
        for value in function.values():
            op = value.op
            if op is CALL:
                callee = value.callee  # type: ignore[attr-defined]
                if callee.kind != ROUTINE and callee.name in program.functions:
                    callers.setdefault(callee.name, []).append(name)
                elif callee.kind != ROUTINE or callee.name == "allocate":
                    todo.append(name)
            elif op in _ALLOCATES:
                todo.append(name)
    found: dict[str, None] = {}
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = None
            todo += callers.get(name, ())
    return frozenset(found)


class Roots:
    """The roots of calls that may collect.

    `bases` are those of every word that has any.  `joins` are the phis of words with different bases, with the phis of these,
    which `insert` puts into the function; `find` comes then, and gives for each call what must be found across it.
    """

    __slots__ = ("function", "bases", "joins", "_seen")

    def __init__(self, function: Function) -> None:
        self.function = function
        self.bases: dict[Value, Bases] = {}
        self.joins: dict[Phi, list[Phi]] = {}
        self._seen: set[Value] = set(function.parameters)  # what has been looked at, of all words
        self._find_bases()

    def insert(self) -> None:
        """Put the phis of bases into the function."""
        null = Const(INT64, 0)
        for block in self.function.blocks:
            for phi in list(block.phis):
                for number, join in enumerate(self.joins.get(phi, ())):
                    for arg in phi.args:
                        bases = self.bases.get(arg, ())
                        join.args.append(bases[number] if number < len(bases) else null)
                    block.phis.append(join)
                    self.bases[join] = (join,)

    def _find_bases(self) -> None:
        """Go through the blocks until nothing changes.  A phi has the bases that all its operands have that have been seen."""
        bases, seen = self.bases, self._seen
        for parameter in self.function.parameters:
            if parameter.type.is_value or parameter.type is PTR:
                bases[parameter] = (parameter,)
        derived = self._values()
        changed = True
        while changed:
            changed = False
            for value in derived:
                if isinstance(value, Phi):
                    changed = self._join(value) or changed
                    continue
                seen.add(value)
                found = self._of(value)
                if found and bases.get(value) != found:
                    bases[value] = found
                    changed = True

    def _values(self) -> list[Value]:
        """Note the bases of all words of value types; gives the other words that may have any, in program order."""
        bases, seen = self.bases, self._seen
        derived: list[Value] = []
        for block in self.function.blocks:
            for phi in block.phis:
                if phi.type.is_value:
                    bases[phi] = (phi,)
                    seen.add(phi)
                elif phi.type.is_word:
                    derived.append(phi)
            for value in block.body:
                type = value.type
                if type.is_value:
                    seen.add(value)
                    if value.op not in _NEVER and not (value.op is LOAD and value.alias == "length"):  # type: ignore[attr-defined]
                        bases[value] = (value,)
                elif type.is_word and (value.op in _DERIVES or type is PTR):
                    derived.append(value)
        return derived

    def _of(self, value: Value) -> Bases:
        """The bases of a word that is of no value type."""
        op, type = value.op, value.type
        if op in _DERIVES:
            found: Bases = ()
            for arg in value.args[:1] if op is ops.SUB else value.args:
                its = self.bases.get(arg)
                if its and its != found:
                    found = tuple(dict.fromkeys(found + its)) if found else its
            return found if len(found) <= MOST else (value,)
        return (value,) if type is PTR and op in _FRESH else ()

    def _join(self, phi: Phi) -> bool:
        """Bring the bases of a phi, which is of no value type, up to date; whether they changed."""
        bases, seen = self.bases, self._seen
        before = bases.get(phi)
        first = phi not in seen
        seen.add(phi)
        joined = self.joins.get(phi)
        known = [bases.get(arg, ()) for arg in phi.args if arg in seen or arg.op not in _DERIVES and arg.op is not PHI]
        if joined is None and all(each == known[0] for each in known):
            if known and known[0]:
                bases[phi] = known[0]
            return first or before != bases.get(phi)
        joined = self.joins.setdefault(phi, [])
        while len(joined) < max(map(len, known)):
            joined.append(Phi(INT64, [], list(phi.blocks), phi.span, "", "base"))
        bases[phi] = tuple(joined)
        return first or before != bases[phi]

    def find(self, sites: list[Call]) -> dict[Value, list[Value]]:
        """The roots of each of `sites`."""
        blocks = self.function.blocks
        index_of = {block: index for index, block in enumerate(blocks)}
        home = self._homes()
        upward: list[dict[Value, None]] = [{} for _ in blocks]  # the words that a block reads and another one writes
        ends: list[dict[Value, None]] = [{} for _ in blocks]  # what phis read at a block's end
        for index, block in enumerate(blocks):
            reads = upward[index]
            for phi in block.phis:
                for arg, before in zip(phi.args, phi.blocks, strict=True):
                    if arg in home:
                        ends[index_of[before]][arg] = None
            get = home.get
            reads.update({arg: None for value in block.body for arg in value.args if get(arg, index) != index})
        for index, read in enumerate(ends):
            upward[index].update({word: None for word in read if home[word] != index})
        out = self._solve(upward, home, index_of)
        wanted = dict.fromkeys(sites)
        calls = wanted.keys()
        found: dict[Value, list[Value]] = {}
        for index, block in enumerate(blocks):
            if not calls.isdisjoint(block.body):
                self._walk(block, {**out(index), **ends[index]}, wanted, found)
        return found

    def _homes(self) -> dict[Value, int]:
        """The number of the block that writes each word that has bases."""
        bases = self.bases
        home = {parameter: -1 for parameter in self.function.parameters if parameter in bases}
        for index, block in enumerate(self.function.blocks):
            home.update({value: index for value in block.phis if value in bases})
            home.update({value: index for value in block.body if value in bases})
        return home

    def _solve(
        self, upward: list[dict[Value, None]], home: dict[Value, int], index_of: dict[Block, int]
    ) -> Callable[[int], dict[Value, None]]:
        """Solve liveness of the words that cross blocks: what gives those live at the end of a block, in a fixed order."""
        words = list(dict.fromkeys([word for reads in upward for word in reads]))
        bit = {word: 1 << number for number, word in enumerate(words)}
        gens = [sum([bit[word] for word in reads]) for reads in upward]
        kills = [0] * len(gens)
        for word in words:
            if home[word] >= 0:
                kills[home[word]] |= bit[word]
        after = [[index_of[target] for target in block.successors] for block in self.function.blocks]
        _, out = solve(gens, kills, after)
        return lambda index: {words[number]: None for number in members(out[index])}

    def _walk(self, block: Block, live: dict[Value, None], wanted: dict[Call, None], found: dict[Value, list[Value]]) -> None:
        """Go backward through a block with what is live."""
        bases = self.bases
        for value in reversed(block.body):
            live.pop(value, None)
            if value in wanted:
                found[value] = list(dict.fromkeys([base for word in live for base in bases[word]]))
            for arg in value.args:
                if arg in bases:
                    live[arg] = None
