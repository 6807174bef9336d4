"""The runtime as every interpreter uses it: output, input, memory and the run-time errors, in Python.

What it prints is byte for byte what the native runtime (`output.ir` and its neighbours) prints.  Memory is one stretch of
virtual addresses: functions, data and the heap grow up from `BASE`, the stack grows down from its end.
"""

from __future__ import annotations

import mmap
import re
from array import array

from septet.base.symbols import External
from septet.base.words import decode, encode, wrap
from septet.runtime import texts
from septet.x86.abi import ARRAY, FUNCTION, TUPLE, descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from septet.base.symbols import Data
    from septet.base.types import Type

BASE = 1 << 22  # the lowest address there is
STACK_BYTES = 1 << 28
DEEPEST = 4  # print shows values nested this deep as `...`
BUFFER = 1 << 16  # bytes of output kept before they are written
PAST_HEAP = 4096  # bytes past the last object that may be accessed, as they may natively: old course programs do so
_LINE = re.compile(rb"[^\r\n]*[\r\n]?")
_NUMBER = re.compile(rb"[ \t\v\f]*([+-]?)0*([0-9]*)")
_NORESERVE = 0x4000


class Exit(Exception):
    """The program ended before its end, with `status`: a run-time error, or input past the end of the input."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class Inconclusive(Exception):
    """The run used up what it was given of `reason`: steps, heap or stack."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"out of {reason}")
        self.reason = reason


class Fault(Exception):
    """The program did what no correct program does: a wild access, a read of a clobbered register, and the like."""


class Runtime:
    """One run's output, input and memory.

    `stdin` is all of the input, or a function that gives more of it (b"" at its end).  Output goes to `write` in pieces, or
    is collected in `output` where `write` is None; messages for people go to `error`, or to `errors`.
    """

    def __init__(
        self,
        stdin: bytes | Callable[[], bytes] = b"",
        write: Callable[[bytes], object] | None = None,
        error: Callable[[bytes], object] | None = None,
        heap_limit: int = 1 << 30,
        line_buffered: bool = False,
    ) -> None:
        self.output = bytearray()  # what is not yet written, or everything where `write` is None
        self.errors = bytearray()
        self.function_at: dict[int, str] = {}
        self.code_at: dict[int, object] = {}
        self.line_buffered = line_buffered
        self._write = write
        self._error = error
        self._input = stdin if isinstance(stdin, bytes) else b""
        self._more = None if isinstance(stdin, bytes) else stdin
        self._position = 0
        self._map, heap_limit = _reserve_memory(heap_limit)
        size = len(self._map)
        self.bytes = memoryview(self._map)
        self.words = self.bytes.cast("q")  # words[(address - BASE) >> 3]
        self.top = BASE + 8  # the end of functions, data and heap
        self.stack_top = BASE + size
        self._stack_low = self.stack_top - STACK_BYTES
        self._heap_left = heap_limit
        self._end = 0  # the end of what may be accessed past the heap
        self._routines: dict[str, Callable[..., int]] = {
            "print": self._print,
            "input": self.read_input,
            "allocate": self.allocate,
            "tensor-error": self._tensor_error,
            "tuple-error": self._tuple_error,
            "kind-error": self._kind_error,
            "length-error": self._length_error,
            "dimension-error": self._dimension_error,
            "division-error": self._division_error,
            "conversion-error": self._conversion_error,
        }

    def call(self, name: str, args: list[int]) -> int:
        """The result of routine `name` on words.  The error routines print their line and raise Exit(1)."""
        return self._routines[name](*args)

    # Output

    def flush(self) -> None:
        """Hand what was printed to `write`, if there is one."""
        if self._write is not None and self.output:
            piece = bytes(self.output)
            self.output.clear()
            self._write(piece)

    def _say(self, text: str) -> None:
        self.output += text.encode()
        if self._write is not None and (self.line_buffered or len(self.output) >= BUFFER):
            self.flush()

    def _stop(self, text: str) -> Exit:
        self._say(text + "\n")
        self.flush()
        return Exit(1)

    def _warn(self, text: str) -> Exit:
        self.flush()
        message = f"septet: {text}\n".encode()
        if self._error is not None:
            self._error(message)
        self.errors += message
        return Exit(1)

    def print_value(self, word: int) -> None:
        """Print a value and the end of the line."""
        if word & 1:
            self._say(f"{word >> 1}\n")
        else:
            self._spell(word, 0)
            self._say("\n")

    def _print(self, word: int) -> int:
        self.print_value(word)
        return 1

    def _spell(self, word: int, depth: int) -> None:
        if depth >= DEEPEST:
            self._say("...")
        elif word & 1:
            self._say(str(word >> 1))
        elif word == 0:
            self._say("nil")
        elif word in self.function_at or word in self.code_at:
            self._say("<code>")
        else:
            size = self.load_word(word)
            self._say(f"{{s:{size}")
            if depth == DEEPEST - 1 and size > 0:
                self._check(word, 8 * (size + 1))
                self._say(", ..." * size)
            else:
                for at in range(word + 8, word + 8 * (size + 1), 8):
                    self._say(", ")
                    self._spell(self.load_word(at), depth + 1)
            self._say("}")

    # Input

    def read_input(self) -> int:
        """The number on the next line of the input, encoded.  Raises Exit(1) where there is no further line."""
        found = _LINE.match(self._input, self._position)
        assert found is not None
        while self._more is not None and (not found[0] or found[0][-1] not in b"\r\n"):
            self.flush()
            piece = self._more()
            if not piece:
                self._more = None
                break
            self._input = found[0] + piece
            self._position = 0
            found = _LINE.match(self._input)
            assert found is not None
        if not found[0]:
            raise self._warn("input() past the end of the input")
        self._position = found.end()
        return encode(_number(found[0]))

    # Memory

    def allocate(self, size: int, fill: int, descriptor: int = 0) -> int:
        """The address of a new object of encoded `size` words, each `fill`.  Inconclusive where the heap is used up.

        Without a descriptor objects stand side by side, as the course's runtime has them: some of its programs read past one.
        """
        if not size & 1:
            raise self._stop(f"allocate called with size input that was not an encoded integer, {size}")
        count = size >> 1
        if count < 0:
            raise self._stop(f"allocate called with size of {count}")
        before = 8 if descriptor else 0
        needed = before + 8 * (max(count, 1) + 1)
        if needed > self._heap_left:
            raise Inconclusive("heap")
        self._heap_left -= needed
        address = self._reserve(needed, 8) + before
        self._end = self.top + PAST_HEAP
        at = (address - BASE) >> 3
        if descriptor:
            self.words[at - 1] = descriptor
        self.words[at] = count
        if fill:
            end = at + 1 + max(count, 1)
            self.words[at + 1 : end] = array("q", (fill,)) * (end - at - 1)
        return address

    def new_array(self, sizes: list[int]) -> int:
        """The address of a new array with these encoded lengths, every element the number 0."""
        count = 1
        for size in sizes:
            count = wrap(count * decode(size))
        address = self.allocate(encode(wrap(count + len(sizes))), 1, descriptor(ARRAY, len(sizes)))
        for number, size in enumerate(sizes, 1):
            self.store_word(address + 8 * number, size)
        return address

    def new_tuple(self, size: int) -> int:
        """The address of a new tuple of encoded `size`, every element the number 0."""
        return self.allocate(size, 1, descriptor(TUPLE))

    def descriptor(self, word: int) -> int:
        """The descriptor (see `x86.abi`) of what `word` refers to; 0 where it refers to nothing."""
        if word & 7 or not BASE < word < self.top:
            return 0
        return self.words[(word - BASE - 8) >> 3] & 0xFFFFFFFF

    def load_word(self, address: int) -> int:
        """The signed word at `address`, aligned or not.  Fault where nothing is."""
        if not address & 7 and BASE <= address < self.top:
            return self.words[(address - BASE) >> 3]
        at = self._check(address, 8)
        return int.from_bytes(self.bytes[at : at + 8], "little", signed=True)

    def store_word(self, address: int, word: int) -> None:
        """Put a signed word at `address`, aligned or not.  Fault where nothing may be."""
        if not address & 7 and BASE <= address < self.top:
            self.words[(address - BASE) >> 3] = word
        else:
            at = self._check(address, 8)
            self.bytes[at : at + 8] = word.to_bytes(8, "little", signed=True)

    def load(self, address: int, type: Type) -> int:
        """The number of `type`, natural for it, at `address`.  Fault where nothing is."""
        size = (type.bits + 7) >> 3
        at = self._check(address, size)
        return type.wrap(int.from_bytes(self.bytes[at : at + size], "little"))

    def store(self, address: int, type: Type, number: int) -> None:
        """Put a number that is natural for `type` at `address`.  Fault where nothing may be."""
        size = (type.bits + 7) >> 3
        at = self._check(address, size)
        self.bytes[at : at + size] = number.to_bytes(size, "little", signed=type.signed)

    def _check(self, address: int, size: int) -> int:
        """The offset of `size` bytes at `address` in the memory; Fault where they are not all in use."""
        if BASE <= address <= max(self.top, self._end) - size or self._stack_low <= address <= self.stack_top - size:
            return address - BASE
        raise Fault(f"access to address {address:#x}, where nothing is")

    def _reserve(self, size: int, alignment: int) -> int:
        address = (self.top + alignment - 1) & -alignment
        if address + size > self._stack_low:
            raise Inconclusive("heap")
        self.top = (address + size + 7) & -8
        return address

    # Code and data

    def define_function(self, name: str, arity: int, line: int) -> int:
        """The address of a new function: a readable descriptor and encoded line stand in front of it, no code behind it."""
        address = self._reserve(32, 16) + 16
        self.words[(address - BASE - 8) >> 3] = wrap(encode(line) << 32 | descriptor(FUNCTION, arity))
        self.function_at[address] = name
        return address

    def define_code(self, key: object) -> int:
        """An address of its own for a label or the like; `code_at` gives `key` back."""
        address = self._reserve(16, 16) + 8
        self.code_at[address] = key
        return address

    def define_data(self, data: Data) -> int:
        """The address of `data`'s bytes in memory."""
        address = self._reserve(max(data.size, 1), 16)
        at = address - BASE
        self.bytes[at : at + len(data.content)] = data.content
        if isinstance(data, External):
            self.store_word(address, self.define_code(data))
        return address

    def external(self, address: int) -> External | None:
        """The function of C that stands for `address`, if one does."""
        found = self.code_at.get(address)
        return found if isinstance(found, External) else None

    def call_external(self, external: External, numbers: Sequence[int]) -> int:
        """Call a function of C (`runtime.foreign.call`).  Fault where that cannot be done."""
        from septet.runtime import foreign

        return foreign.call(external, numbers)

    # Run-time errors

    def _decode(self, signature: str, args: tuple[int, ...]) -> list[int]:
        for position, word in enumerate(args):
            if not word & 1:
                raise self._stop(texts.NOT_ENCODED.format(("first", "second", "third", "forth")[position], signature))
        return [word >> 1 for word in args]

    def _tensor_error(self, *args: int) -> int:
        if len(args) == 1:
            (line,) = self._decode("tensor-error (line)", args)
            raise self._stop(texts.not_allocated(line))
        if len(args) == 3:
            line, length, index = self._decode("tensor-error (line, length, index)", args)
            raise self._stop(texts.array_position(line, length, index))
        line, dimension, length, index = self._decode("tensor-error (line, dimension, length, index)", args)
        raise self._stop(texts.tensor_position(line, dimension, length, index))

    def _tuple_error(self, *args: int) -> int:
        line, length, index = self._decode("tuple-error (line, length, index)", args)
        raise self._stop(texts.tuple_position(line, length, index))

    def _kind_error(self, line: int, value: int, wanted: int) -> int:
        (number,) = self._decode("kind-error (line, value, kind)", (line,))
        if value == 0 and wanted & 255 != FUNCTION:
            raise self._stop(texts.not_allocated(number))
        raise self._stop(texts.kind(number, value, self.descriptor(value), wanted))

    def _length_error(self, *args: int) -> int:
        line, length = self._decode("length-error (line, length)", args)
        raise self._stop(texts.length(line, length))

    def _dimension_error(self, *args: int) -> int:
        line, dimensions, dimension = self._decode("dimension-error (line, dimensions, dimension)", args)
        raise self._stop(texts.dimension(line, dimensions, dimension))

    def _division_error(self, *args: int) -> int:
        (line,) = self._decode("division-error (line)", args)
        raise self._stop(texts.division(line))

    def _conversion_error(self, *args: int) -> int:
        (line,) = self._decode("conversion-error (line)", args)
        raise self._stop(texts.conversion(line))


def _reserve_memory(heap_limit: int) -> tuple[mmap.mmap, int]:
    """Addresses for the heap and all else, and the limit of the heap, lower where the system gives less.  Pages that nobody
    touches cost nothing."""
    while True:
        size = (heap_limit + STACK_BYTES + (1 << 26) + 4095) & -4096
        try:
            if hasattr(mmap, "MAP_PRIVATE"):
                return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE), heap_limit
            return mmap.mmap(-1, size), heap_limit
        except OSError:
            heap_limit //= 2
            if heap_limit < 1 << 20:
                raise Inconclusive("heap") from None


def _number(line: bytes) -> int:
    """What C's atoll makes of a line: blanks, a sign, digits; anything else ends it; it saturates at 64 bits."""
    found = _NUMBER.match(line)
    assert found is not None
    sign, digits = found.groups()
    if len(digits) > 19:
        digits = b"9" * 19
    number = int(digits or b"0")
    return max(-number, -(1 << 63)) if sign == b"-" else min(number, (1 << 63) - 1)
