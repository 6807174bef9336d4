"""The lines that run-time errors print, without their ends, as the native runtime prints them; one function an error.

All arguments are plain numbers, not encoded ones.
"""

from __future__ import annotations

from septet.x86.abi import ARRAY, FUNCTION, TUPLE

NOT_ENCODED = 'ERROR: the {} input of a call to "{}" is not encoded'
AT = "ERROR: instruction at line {} attempted to "


def not_allocated(line: int) -> str:
    """Something was done to null."""
    return AT.format(line) + "access an array, a tuple, or a tensor that has not been allocated"


def array_position(line: int, length: int, index: int) -> str:
    """`index` is outside a one-dimensional array of `length` elements."""
    return _position(line, length, index, "tensor-error", "an array")


def tuple_position(line: int, length: int, index: int) -> str:
    """`index` is outside a tuple of `length` elements."""
    return _position(line, length, index, "tuple-error", "a tuple")


def tensor_position(line: int, dimension: int, length: int, index: int) -> str:
    """`index` is outside a dimension with `length` elements of an array of several dimensions."""
    if index < 0:
        return AT.format(line) + f"use the negative index {index} in the dimension {dimension}"
    if index < length:
        return (
            'ERROR: a call to "tensor-error (line, dimension, length, index)" is incorrect, index is within the accepted range'
        )
    return AT.format(line) + (
        f"use position {index} in the dimension {dimension} of a tensor that only has {_count(length, 'element')}"
        " in that dimension"
    )


def kind(line: int, value: int, found: int, wanted: int) -> str:
    """A word whose descriptor is `found` (any if it is not a reference) was used as something else."""
    what = "nil" if value == 0 else "an integer" if value & 7 else _kind(found)
    return AT.format(line) + f"use {what} as {_kind(wanted)}"


def length(line: int, length: int) -> str:
    """An array or tuple cannot have `length` elements."""
    return AT.format(line) + f"allocate an array or a tuple of {_count(length, 'element')}"


def dimension(line: int, dimensions: int, dimension: int) -> str:
    """An array of `dimensions` dimensions does not have that one."""
    if dimension < 0:
        return AT.format(line) + f"use the negative dimension {dimension}"
    return AT.format(line) + f"use dimension {dimension} of an array that only has {_count(dimensions, 'dimension')}"


def division(line: int) -> str:
    """A division by zero."""
    return AT.format(line) + "divide by zero"


def conversion(line: int) -> str:
    """A conversion of a number that the type does not have."""
    return AT.format(line) + "convert a number that is out of range"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _position(line: int, length: int, index: int, routine: str, what: str) -> str:
    if index < 0:
        return AT.format(line) + f"use the negative index {index}"
    if index < length:
        return (
            f'ERROR: the call triggered by line {line} to "{routine}(line, length, index)" is incorrect, '
            f"the index {index} is within the accepted range (the length is {length})"
        )
    return AT.format(line) + f"use position {index} in {what} that only has {_count(length, 'element')}"


def _kind(descriptor: int) -> str:
    kind, count = descriptor & 255, descriptor >> 8
    if kind == ARRAY:
        return f"an array of {_count(count, 'dimension')}"
    if kind == TUPLE:
        return "a tuple"
    if kind == FUNCTION:
        return f"a function of {_count(count, 'argument')}"
    return "an object without a kind"
