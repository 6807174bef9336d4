"""The steps that use memory (see `steps`); `where` is (base, index, scale), cells and a factor."""

from __future__ import annotations

from septet.base.types import I8, I16, I32, U8, U16, U32
from septet.base.words import MASK, wrap
from septet.x86.steps import RAX, RCX, RDI, RSI, SCRATCH, ZERO, Undefined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from septet.base.types import Type
    from septet.x86.steps import Step

    class Memory(Protocol):
        """What steps need of the runtime."""

        @property
        def stack_top(self) -> int: ...
        @property
        def top(self) -> int: ...
        @property
        def words(self) -> memoryview[int]: ...
        def load_word(self, address: int) -> int: ...
        def store_word(self, address: int, word: int) -> None: ...
        def load(self, address: int, type: Type) -> int: ...
        def store(self, address: int, type: Type, number: int) -> None: ...


PAGE = 4096
BLANK = "reads a stack slot that nothing wrote"
_TYPES = {(8, False): U8, (16, False): U16, (32, False): U32, (8, True): I8, (16, True): I16, (32, True): I32}


class MemorySteps:
    """The steps that use memory.

    `unwritten` holds the addresses of stack slots of frames that nothing wrote yet, `below` those of words that a function
    stored below rsp for the next call.  As memory comes in pages, words just past the heap's end can be used.
    """

    def __init__(self, memory: Memory, low: int) -> None:
        self.memory = memory
        self.low = low  # the stack's lowest address
        self.unwritten: set[int] = set()
        self.below: set[int] = set()
        self._made: dict[tuple[str, int, bool], Step] = {}
        self._words()

    def _words(self) -> None:
        """`load` and `store`: words at base + displacement, the commonest accesses."""
        memory, low, unwritten, below = self.memory, self.low, self.unwritten, self.below
        words, top = memory.words, memory.stack_top
        origin = top - 8 * len(words)

        def load(cells: Any, d: int, a: int, b: int) -> None:
            address = cells[a] + b
            if low <= address < top and not address & 7:
                if address in unwritten:
                    raise Undefined(BLANK)
                cells[d] = words[(address - origin) >> 3]
            elif origin <= address < memory.top + PAGE and not address & 7:
                cells[d] = words[(address - origin) >> 3]
            elif unwritten and not unwritten.isdisjoint((address & -8, (address + 7) & -8)):
                raise Undefined(BLANK)
            else:
                cells[d] = memory.load_word(address)

        def store(cells: Any, d: int, a: int, b: int) -> None:
            address = cells[d] + a
            if low <= address < top and not address & 7:
                words[(address - origin) >> 3] = cells[b]
                if address in unwritten:
                    unwritten.remove(address)
            elif origin <= address < memory.top + PAGE and not address & 7:
                words[(address - origin) >> 3] = cells[b]
            else:
                memory.store_word(address, +cells[b])

        def store_below(cells: Any, d: int, a: int, b: int) -> None:
            store(cells, d, a, b)
            below.add(cells[d] + a)

        self.load = load
        self.store = store
        self.store_below = store_below

    def loading(self, n: int, is_signed: bool = True) -> Step:
        """d <- the `n` bits at `where` + displacement, as a signed or unsigned number."""
        made = self._made.get(("load", n, is_signed))
        if made is None:
            made = self._made["load", n, is_signed] = self._loading(n, is_signed)
        return made

    def storing(self, n: int) -> Step:
        """The `n` bits at `where` + displacement <- those of b: step(cells, where, displacement, b)."""
        made = self._made.get(("store", n, False))
        if made is None:
            made = self._made["store", n, False] = self._storing(n)
        return made

    def _loading(self, n: int, is_signed: bool) -> Step:
        low, unwritten, load_word, load = self.low, self.unwritten, self.memory.load_word, self.memory.load

        def word(cells: Any, d: int, where: tuple[int, int, int], displacement: int) -> None:
            base, index, scale = where
            address = wrap(cells[base] + cells[index] * scale + displacement)
            if address >= low and unwritten and not unwritten.isdisjoint((address & -8, (address + 7) & -8)):
                raise Undefined(BLANK)
            r = load_word(address)
            cells[d] = r if is_signed else r & MASK

        if n == 64:
            return word
        if n > 64:
            displacements = range(0, n // 8, 8)

            def words(cells: Any, d: int, where: tuple[int, int, int], displacement: int) -> None:
                vector = 0
                for offset in displacements:
                    word(cells, SCRATCH + 2, where, displacement + offset)
                    vector |= (cells[SCRATCH + 2] & MASK) << 8 * offset
                cells[d] = vector

            return words
        type = _TYPES[n, is_signed]

        def narrow(cells: Any, d: int, where: tuple[int, int, int], displacement: int) -> None:
            base, index, scale = where
            address = wrap(cells[base] + cells[index] * scale + displacement)
            if address >= low and address & -8 in unwritten:
                raise Undefined(BLANK)
            cells[d] = load(address, type)

        return narrow

    def _storing(self, n: int) -> Step:
        low, unwritten, store_word, store = self.low, self.unwritten, self.memory.store_word, self.memory.store

        def word(cells: Any, where: tuple[int, int, int], displacement: int, b: int) -> None:
            base, index, scale = where
            address = wrap(cells[base] + cells[index] * scale + displacement)
            store_word(address, wrap(+cells[b]))
            if address >= low:
                unwritten.difference_update((address & -8, (address + 7) & -8))

        if n == 64:
            return word
        if n > 64:
            displacements = range(0, n // 8, 8)

            def words(cells: Any, where: tuple[int, int, int], displacement: int, b: int) -> None:
                vector = +cells[b]
                for offset in displacements:
                    cells[SCRATCH + 2] = wrap(vector >> 8 * offset & MASK)
                    word(cells, where, displacement + offset, SCRATCH + 2)

            return words
        type = _TYPES[n, False]
        mask = (1 << n) - 1

        def narrow(cells: Any, where: tuple[int, int, int], displacement: int, b: int) -> None:
            base, index, scale = where
            address = wrap(cells[base] + cells[index] * scale + displacement)
            store(address, type, cells[b] & mask)
            if address >= low:
                unwritten.discard(address & -8)

        return narrow

    def aligned(self, cells: Any, where: tuple[int, int, int], displacement: int, size: int) -> None:
        """Nothing where `where` + displacement is a multiple of `size`; the processor traps where it is not."""
        base, index, scale = where
        if (cells[base] + cells[index] * scale + displacement) % size:
            raise Undefined(f"uses memory at an address that is no multiple of {size}")

    def string(self, name: str) -> Step:
        """rep-movsb, rep-movsq, rep-stosb and rep-stosq, upwards."""
        size = 8 if name[-1] == "q" else 1
        load, store = self.loading(size * 8, False), self.storing(size * 8)
        source, target = (RSI, ZERO, 1), (RDI, ZERO, 1)
        copies = "movs" in name

        def step(cells: Any, d: int, a: int, b: int) -> None:
            for _ in range(cells[RCX] & MASK):
                if copies:
                    load(cells, SCRATCH, source, 0)
                    cells[RSI] = wrap(cells[RSI] + size)
                store(cells, target, 0, SCRATCH if copies else RAX)
                cells[RDI] = wrap(cells[RDI] + size)
                cells[RCX] = wrap(cells[RCX] - 1)

        return step
