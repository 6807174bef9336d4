"""The types, function types and constants of the builder, under the names that users of llvmlite's `ir` know.

    FunctionType(i64, [i64, Buffer(f64)], names=["n", "weights"])

A type is the type itself (`septet.base.types`): there is one object a type, and it carries its signedness.  Pointers have none
of what they point to: loads, stores and `gep` are told.
"""

from __future__ import annotations

from struct import pack

from septet.base.types import BOOL, F32, F64, FLOAT, I64, INT, PTR, VALUE, VECTOR, VOID, Type, named, vector
from septet.ir.nodes import Const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def IntType(bits: int, signed: bool = True) -> Type:  # noqa: N802
    """The integers of 8, 16, 32 or 64 bits; of one bit, `bool`."""
    found = BOOL if bits == 1 else named(f"{'i' if signed else 'u'}{bits}")
    if not isinstance(bits, int) or found is None or found.kind != INT:
        raise ValueError(f"there are integers of 1, 8, 16, 32 and 64 bits, not of {bits!r}")
    return found


def FloatType() -> Type:  # noqa: N802
    """IEEE 754 binary32."""
    return F32


def DoubleType() -> Type:  # noqa: N802
    """IEEE 754 binary64."""
    return F64


def VoidType() -> Type:  # noqa: N802
    """The result of a function that gives none."""
    return VOID


def PointerType(to: Type | None = None) -> Type:  # noqa: N802
    """An address.  What it points to is not part of the type."""
    return PTR


def VectorType(element: Type, lanes: int) -> Type:  # noqa: N802
    """`lanes` numbers side by side: 2 to 64 of them, of 64 to 512 bits in all."""
    if not isinstance(element, Type) or element.kind not in (INT, FLOAT) or element in (BOOL, PTR):
        raise TypeError(f"the lanes of a vector are integers or floats, not {element!r}")
    if not isinstance(lanes, int) or lanes not in (2, 4, 8, 16, 32, 64) or not 64 <= element.bits * lanes <= 512:
        raise ValueError(f"there is no vector of {lanes!r} lanes of {element}: 2 to 64 lanes, 64 to 512 bits")
    return vector(element, lanes)


class Buffer:
    """A parameter that takes an object with the buffer protocol (an array of NumPy, a memoryview, bytes, array.array ...).

    Inside, it is `.data`, a pointer to the first element, and `.shape`, as many i64 as there are dimensions; `.length` is the
    first of them.  The elements stand one behind the other, the last index counting fastest.  The caller's object must have
    these elements, be C-contiguous, have that many dimensions, and let itself be written to where the parameter is `writable`.
    """

    __slots__ = ("element", "writable", "ndim")

    def __init__(self, element: Type, writable: bool = False, ndim: int = 1) -> None:
        if not isinstance(element, Type) or element.kind not in (INT, FLOAT) or element is PTR:
            raise TypeError(f"the elements of a buffer are integers, floats or bools, not {element!r}")
        if not isinstance(ndim, int) or not 1 <= ndim <= 8:
            raise ValueError(f"a buffer has 1 to 8 dimensions, not {ndim!r}")
        self.element = element
        self.writable = writable
        self.ndim = ndim

    def __repr__(self) -> str:
        return f"{'writable ' if self.writable else ''}buffer of {self.element}" + (f", {self.ndim}-d" if self.ndim > 1 else "")

    @property
    def native(self) -> tuple[Type, ...]:
        """The types of what stands for it inside."""
        return (PTR, *[I64] * self.ndim)


class FunctionType:
    """A result type and parameter types; parameters may be `Buffer`s.  `names` are the parameters', `a0`, `a1` ... without."""

    __slots__ = ("result", "parameters", "names")

    def __init__(self, result: Type, parameters: Sequence[Type | Buffer] = (), names: Sequence[str] = ()) -> None:
        if not isinstance(result, Type):
            raise TypeError(f"the result type is {result!r}, not a type")
        for index, parameter in enumerate(parameters):
            if not isinstance(parameter, (Type, Buffer)) or parameter is VOID:
                raise TypeError(f"parameter {index} is {parameter!r}, not a type or a Buffer")
        if names and len(names) != len(parameters):
            raise ValueError(f"{len(names)} names for {len(parameters)} parameters")
        self.result = result
        self.parameters = tuple(parameters)
        self.names = tuple(names)

    def __repr__(self) -> str:
        return f"{self.result} ({', '.join(map(repr, self.parameters))})"


def Constant(type: Type, value: Any) -> Const:  # noqa: N802
    """The constant `value` of `type`: an int, a float, a bool; for vectors a sequence with one for each lane, or one for all.

    TypeError where that is no such thing, ValueError where it is out of range.
    """
    if not isinstance(type, Type):
        raise TypeError(f"a constant needs a type, not {type!r}")
    return Const(type, number(type, value))


def number(type: Type, value: Any) -> int:
    """The natural number of `type` that stands for `value`."""
    if type.kind == VECTOR:
        element = type.element
        lanes = list(value) if hasattr(value, "__len__") else [value] * type.lanes
        if len(lanes) != type.lanes:
            raise ValueError(f"{type} has {type.lanes} lanes, not {len(lanes)}")
        low = (1 << element.bits) - 1
        return sum([(number(element, lane) & low) << index * element.bits for index, lane in enumerate(lanes)])
    if type.kind == FLOAT:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise TypeError(f"a constant of type {type} is a float, not {value!r}")
        try:
            return bits_of_float(type, float(value))
        except OverflowError:
            raise ValueError(f"an int of {int(value).bit_length()} bits is too large for a constant of type {type}") from None
    if type.kind not in (INT, VALUE):
        raise TypeError(f"there are no constants of type {type}")
    if not hasattr(value, "__index__"):
        raise TypeError(f"a constant of type {type} is an int, not {value!r}")
    found = int(value.__index__())
    if not type.low <= found <= type.high:
        raise ValueError(f"{found} is no number of type {type}, which has {type.low} to {type.high}")
    return found


def bits_of_float(type: Type, value: float) -> int:
    """The bit pattern of `value`, rounded to `type`; what is too large for f32 is infinite."""
    if type is F64:
        return int.from_bytes(pack("<d", value), "little")
    try:
        return int.from_bytes(pack("<f", value), "little")
    except OverflowError:
        return 0x7F800000 if value > 0 else 0xFF800000


def signed(type: Type) -> Type:
    """The type with the same bits whose numbers are signed."""
    return _twin(type, "u", "i")


def unsigned(type: Type) -> Type:
    """The type with the same bits whose numbers are unsigned."""
    return _twin(type, "i", "u")


def _twin(type: Type, old: str, new: str) -> Type:
    element = type.element
    if element is PTR or element.kind == VALUE:
        found = named(f"{new}64")
    elif element.kind == INT and element.name[0] == old:
        found = named(new + type.name[1:])
    else:
        return type
    assert found is not None
    return found
