"""What instruction selection knows about one function while it runs.

The trees are not built: an operation is part of the tree of the instruction that uses its result if that is its only use, it
stands in the same block, and nothing in between changes what it computes.  Selection goes through the body backwards, so a
tile that starts at the root of a tree marks the inner operations it covers before they are reached, and those that no tile
covered stay where they were.  That is maximal munch without recursion, in linear time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import chain

from septet.base.names import Fresh
from septet.base.symbols import LABEL, Symbol, symbol
from septet.base.types import FLOAT
from septet.l3.nodes import Call, Label, Variable
from septet.ops import table as ops
from septet.x86 import forms
from septet.x86.instructions import Instruction as Machine
from septet.x86.instructions import Mem, Pool
from septet.x86.instructions import Variable as Virtual
from septet.x86.registers import GENERAL, VECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.symbols import Line
    from septet.base.types import Type
    from septet.l3.lower import Tiles
    from septet.l3.nodes import Function
    from septet.x86.instructions import Op

    Operand = Variable | int | Symbol | Line

_MOVDDUP = 1 << 1  # the feature `sse3` of `x86.targets`, which need not be imported for this


class Elsewhere(Exception):  # noqa: N818
    """No tile of the modules used so far is for some operation here."""


class _Registers(dict["Operand", Virtual]):
    """The virtual register of each variable, made when first asked for; a new one, loaded before, of anything else."""

    __slots__ = ("selection",)

    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self.selection = selection

    def __missing__(self, operand: Operand) -> Virtual:
        if type(operand) is Variable:
            made = self[operand] = Virtual(operand.name, GENERAL if operand.type.kind < FLOAT else VECTOR)
            return made
        selection = self.selection
        made = selection.general()
        selection.pending.append(Machine(forms.MOV, (made, selection.source(operand))))
        return made


class Selection:
    """The state of selecting for one function; the generated functions work on it.

    `out` is what was emitted so far, the last instruction first; `pending` what must come before what was emitted last.
    """

    __slots__ = (
        "function", "body", "uses", "inner", "where", "stores", "covered", "regs", "out", "append", "pending", "made",
        "labels", "starts", "start", "depth", "negate", "target", "turned", "prefix", "features", "vex", "table", "tiled",
        "has_vectors",
    )  # fmt: skip

    def __init__(self, function: Function, features: int, tiles: Tiles) -> None:
        self.function = function
        self.features = features  # of the target, a bit set (see `x86.targets`)
        self.vex = tiles.vex  # whether vector registers are worked on in AVX's encoding
        self.has_vectors = tiles.has_vectors  # whether the tiles include those of vectors
        self.table = tiles.table
        self.tiled = tiles.tiled
        self.prefix = label_prefix(function.name)
        self.body = function.body
        self.covered = bytearray(len(function.body))
        self.regs = _Registers(self)
        self.out: list[Machine] = []
        self.append = self.out.append
        self.pending: list[Machine] = []
        self.made: list[Virtual] = []  # the registers that no variable of L3 is
        self.labels: Fresh | None = None
        self.start = -1  # the index of the label before the instruction selected for
        self.depth = 0  # and its loop depth
        self.negate = False  # whether the branch selected for is taken where its operand is not 1
        self.target: Symbol | None = None  # and where it goes
        self.turned: str | None = None  # where the branch before goes instead, if its operand is not 1
        self._scan(tiles.folded)

    def _scan(self, folded: bytearray) -> None:
        """Find out where variables are defined, how often they are used, and which operations may be inner ones."""
        body = self.body
        uses = self.uses = Counter(chain.from_iterable([i.args for i in body]))
        where: dict[Operand, int | list[int]] = dict.fromkeys(self.function.parameters, -1)
        inner: dict[Operand, int] = {}  # variable -> the index of the only definition, where the only use may take it in
        stores: list[int] = []
        starts = [-1]
        label = ops.LABEL
        index = -1
        for i in body:
            index += 1
            op = i.op
            target = i.target
            if target is not None:
                before = where.get(target)
                if before is None:
                    where[target] = index
                    if folded[op.code] and uses[target] == 1:
                        inner[target] = index
                elif type(before) is int:
                    where[target] = [before, index]
                    inner.pop(target, None)
                else:
                    before.append(index)  # type: ignore[union-attr]
            elif op is label:
                starts.append(index)
                continue
            if op.writes:
                stores.append(index)
                if type(i) is Call and type(i.callee) is Variable:
                    uses[i.callee] += 1
                    inner.pop(i.callee, None)
        self.where = where
        self.inner = inner
        self.stores = stores
        self.starts = starts

    def movable(self, index: int, at: int) -> bool:
        """Whether the operation at `index` computes the same at the later `at`, and control goes from there to here."""
        if not self.start <= index < at:
            return False
        if index + 1 == at:
            return True
        where = self.where
        i = self.body[index]
        for arg in i.args:
            defined = where.get(arg)
            if type(defined) is int:
                if index < defined < at:
                    return False
            elif defined is not None:
                later = bisect_right(defined, index)  # type: ignore[arg-type]
                if later < len(defined) and defined[later] < at:  # type: ignore[arg-type, index]
                    return False
        if i.op.reads:
            later = bisect_right(self.stores, index)
            return later == len(self.stores) or self.stores[later] >= at
        return True

    # Operands

    def general(self) -> Virtual:
        """A new general register."""
        made = Virtual("", GENERAL)
        self.made.append(made)
        return made

    def vector(self) -> Virtual:
        """A new vector register."""
        made = Virtual("", VECTOR)
        self.made.append(made)
        return made

    def source(self, operand: Operand) -> int | Symbol | Line:
        """What is not a variable, as an operand of mov."""
        if type(operand) is int:
            return operand - (1 << 64) if operand >> 63 == 1 else operand
        if type(operand) is Symbol and operand.kind == LABEL:
            return symbol(LABEL, self.prefix + operand.name)
        assert type(operand) is not Variable
        return operand  # type: ignore[return-value]

    def float(self, number: Operand, kind: Type) -> Virtual:
        """A new vector register that a constant of a float or vector type is loaded into."""
        made = self.vector()
        load, pool = self.load(kind), self.pool(number, kind)
        if kind.lanes > 1 and self.features & _MOVDDUP:
            from septet.l3.shapes import repeated

            if repeated(number, 8 * len(pool), 64):  # type: ignore[arg-type]
                load, pool = self._broadcast(kind), Pool(pool[:8])
        self.pending.append(Machine(load, (made, pool)))
        return made

    def _broadcast(self, kind: Type) -> Op:
        """The instruction that loads 64 bits of memory into all places of a vector."""
        if kind.bits > 128:
            return forms.op(f"vbroadcastsd{kind.bits}")
        return forms.op("vmovddup" if self.vex else "movddup")

    def pool(self, number: Operand, kind: Type) -> Pool:
        """A constant in memory of a float or vector type; those of 64 bits are of 128, as that is what instructions read."""
        assert type(number) is int, number
        size = kind.bits // 8
        return Pool(number.to_bytes(size if kind.lanes == 1 else max(size, 16), "little"))

    def load(self, kind: Type) -> Op:
        """The instruction that loads a constant of a float or vector type from memory."""
        if kind.lanes == 1:
            return forms.op(("vmovs" if self.vex else "movs") + ("d" if kind.bits == 64 else "s"))
        if not self.vex:
            return forms.op("movups")
        return forms.op("vmovups" if kind.bits <= 128 else f"vmovups{kind.bits}")

    def move(self, kind: Type) -> Op:
        """The instruction that copies all of a vector register that something of this type is in."""
        if not self.vex:
            return forms.MOVAPS
        return forms.op("vmovaps" if kind.bits <= 128 else f"vmovaps{kind.bits}")

    def far(self, base: Operand, offset: int) -> Mem:
        """The memory operand of an offset that fits no displacement."""
        register = self.regs[base]
        made = self.general()
        self.pending.append(Machine(forms.MOV, (made, self.source(offset))))
        return Mem(register, 0, made, 1)

    def label(self) -> Symbol:
        """A new label."""
        if self.labels is None:
            self.labels = Fresh(i.name for i in self.body if type(i) is Label)
        return symbol(LABEL, self.prefix + self.labels("over"))

    def finish(self) -> list[Machine]:
        """All that was emitted, in order; the new registers get their names now, so that they are numbered in order too."""
        if self.made:
            fresh = Fresh(register.name for register in self.regs.values())
            for register in reversed(self.made):
                register.name = fresh("t" if register.bank == GENERAL else "f")
        self.regs = _NO_REGISTERS  # they refer back: a circle that would keep the function in memory
        self.out.reverse()
        return self.out


_NO_REGISTERS = _Registers(None)  # type: ignore[arg-type]


def label_prefix(function: str) -> str:
    """What goes before a label of a function to make its program-wide name: the function's name and two underscores.

    No two labels get the same name: the first two neighbouring underscores are where the function's name ends.  One that has
    such in it, or ends in an underscore, is written with `_u` for each of its underscores, after two underscores.
    """
    if "__" in function or function[-1] == "_":
        function = "__" + function.replace("_", "_u")
    return f"{function}__"
