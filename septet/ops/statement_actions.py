"""The closures that `execute` makes of statements: each takes a frame (a list of words) and does one thing to it.

Arguments named after parts of statements are slots: indices into frames.  A shape is the index in memory, counted in words,
of an object's first element, and then its lengths.
"""

from __future__ import annotations

from septet.base.descriptors import ARRAY, TUPLE, descriptor
from septet.base.words import encode, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.ops.execute import Runtime, Words
    from septet.ops.table import Op

    Frame = list[int]
    Action = Callable[[Frame], object]
    Shapes = dict[int, tuple[int, ...]]

LONGEST = 1 << 31  # no object has so many elements


class Errors:
    """The run-time errors of one statement about arrays of `rank` dimensions, or tuples where that is 0.

    Each method prints its error and raises what `Runtime.call` raises.
    """

    __slots__ = ("runtime", "line", "rank")

    def __init__(self, runtime: Runtime, line: int, rank: int) -> None:
        self.runtime = runtime
        self.line = line
        self.rank = rank

    def stop(self, routine: str, *args: int) -> Exception:
        """Call an error routine, which does not return."""
        self.runtime.call(routine, [self.line, *args])
        return AssertionError(f"{routine} returned")

    def kind(self, value: int) -> Exception:
        """`value` is not a reference to what is wanted."""
        return self.stop("kind-error", value, descriptor(ARRAY, self.rank) if self.rank else descriptor(TUPLE))

    def position(self, dimension: int, length: int, index: int) -> Exception:
        """The word `index` is not below `length`."""
        if self.rank == 0:
            return self.stop("tuple-error", encode(length), index | 1)
        if self.rank == 1:
            return self.stop("tensor-error", encode(length), index | 1)
        return self.stop("tensor-error", encode(dimension), encode(length), index | 1)


def copy(target: int, value: int) -> Action:
    """x <- t"""

    def action(f: Frame) -> None:
        f[target] = f[value]

    return action


def operate(op: Op, target: int, left: int, right: int) -> Action:
    """x <- t op t"""
    meaning = op.meaning
    assert meaning is not None

    def action(f: Frame) -> None:
        word = 2 * meaning(64, f[left] >> 1, f[right] >> 1) + 1
        f[target] = word if -0x8000000000000000 <= word <= 0x7FFFFFFFFFFFFFFF else wrap(word)

    return action


def compare(op: Op, target: int, left: int, right: int) -> Action:
    """x <- t cmp t"""
    meaning = op.meaning
    assert meaning is not None

    def action(f: Frame) -> None:
        f[target] = 3 if meaning(64, f[left] >> 1, f[right] >> 1) else 1

    return action


def holds(op: Op, left: int, right: int) -> Action:
    """Whether t cmp t."""
    meaning = op.meaning
    assert meaning is not None
    return lambda f: meaning(64, f[left] >> 1, f[right] >> 1)


def load(errors: Errors, shapes: Shapes, base: int, indices: list[int], target: int, words: Words) -> Action:
    """x <- a[t]"""
    (slot,) = indices

    def action(f: Frame) -> None:
        shape = shapes.get(f[base])
        if shape is None:
            raise errors.kind(f[base])
        first, length = shape
        index = f[slot] >> 1
        if not 0 <= index < length:
            raise errors.position(0, length, f[slot])
        f[target] = words[first + index]

    return action


def store(errors: Errors, shapes: Shapes, base: int, indices: list[int], value: int, words: Words) -> Action:
    """a[t] <- t"""
    (slot,) = indices

    def action(f: Frame) -> None:
        shape = shapes.get(f[base])
        if shape is None:
            raise errors.kind(f[base])
        first, length = shape
        index = f[slot] >> 1
        if not 0 <= index < length:
            raise errors.position(0, length, f[slot])
        words[first + index] = f[value]

    return action


def _position(errors: Errors, shapes: Shapes, base: int, indices: list[int], f: Frame) -> int:
    """Where in memory a[t][t]... is, after its checks."""
    shape = shapes.get(f[base])
    if shape is None:
        raise errors.kind(f[base])
    number = 0
    for dimension, slot in enumerate(indices, 1):
        index = f[slot] >> 1
        length = shape[dimension]
        if not 0 <= index < length:
            raise errors.position(dimension - 1, length, f[slot])
        number = number * length + index
    return shape[0] + number


def load_many(errors: Errors, shapes: Shapes, base: int, indices: list[int], target: int, words: Words) -> Action:
    """x <- a[t][t]..."""

    def action(f: Frame) -> None:
        f[target] = words[_position(errors, shapes, base, indices, f)]

    return action


def store_many(errors: Errors, shapes: Shapes, base: int, indices: list[int], value: int, words: Words) -> Action:
    """a[t][t]... <- t"""

    def action(f: Frame) -> None:
        words[_position(errors, shapes, base, indices, f)] = f[value]

    return action


def length(errors: Errors, shapes: Shapes, target: int, base: int, dimension: int) -> Action:
    """x <- length a 2, where the dimension may be the rank: there the length is 0"""

    def action(f: Frame) -> None:
        shape = shapes.get(f[base])
        if shape is None:
            raise errors.kind(f[base])
        f[target] = 2 * shape[dimension + 1] + 1 if dimension + 1 < len(shape) else 1

    return action


def length_of(errors: Errors, shapes: Shapes, target: int, base: int, dimension: int) -> Action:
    """x <- length a t"""

    def action(f: Frame) -> None:
        shape = shapes.get(f[base])
        if shape is None:
            raise errors.kind(f[base])
        asked = f[dimension] >> 1
        if not 0 <= asked < errors.rank:
            raise errors.stop("dimension-error", encode(errors.rank), f[dimension] | 1)
        f[target] = 2 * shape[asked + 1] + 1

    return action


def _checked(errors: Errors, number: int) -> int:
    if not 0 <= number < LONGEST:
        raise errors.stop("length-error", encode(number))
    return number


def new_array(errors: Errors, shapes: Shapes, target: int, sizes: list[int], origin: int) -> Action:
    """x <- new Array(t, ...): every size is checked, then the products of the first two, three, ... but not of all."""
    runtime = errors.runtime

    def action(f: Frame) -> None:
        lengths = [_checked(errors, f[size] >> 1) for size in sizes]
        product = lengths[0]
        for number in lengths[1:-1]:
            product = _checked(errors, product * number)
        address = runtime.new_array([encode(number) for number in lengths])
        shapes[address] = ((address - origin >> 3) + 1 + len(lengths), *lengths)
        f[target] = address

    return action


def new_tuple(errors: Errors, shapes: Shapes, target: int, size: int, origin: int) -> Action:
    """x <- new Tuple(t)"""
    runtime = errors.runtime

    def action(f: Frame) -> None:
        number = _checked(errors, f[size] >> 1)
        address = f[target] = runtime.new_tuple(encode(number))
        shapes[address] = ((address - origin >> 3) + 1, number)

    return action


def print_(runtime: Runtime, value: int, target: int) -> Action:
    """print(t), which gives 1 (the word); a negative target is none."""
    show = runtime.print_value
    if target < 0:
        return lambda f: show(f[value])

    def action(f: Frame) -> None:
        show(f[value])
        f[target] = 1

    return action


def input_(runtime: Runtime, target: int) -> Action:
    """x <- input(); a negative target is none."""
    read = runtime.read_input

    def action(f: Frame) -> None:
        word = read()
        if target >= 0:
            f[target] = word

    return action
