"""The types of LA, IR, L3 and L2: the course's value types and the machine's.

A *value* type (`int64`, `int64[]`, `tuple`, `code`) is a 64-bit word that may be a tagged integer or a
reference; every other type is plain data.  A Python number that stands for something of a type is *natural*
for it: signed for `i8`..`i64` and values, unsigned for `u8`..`u64`, `ptr` and `bool`, and the unsigned bit
pattern for `f32`, `f64` and vectors.
"""

from __future__ import annotations

VALUE, INT, FLOAT, VECTOR, NOTHING = range(5)  # Type.kind


class Type:
    """One type; there is one object a type, compared by identity."""

    __slots__ = (
        "name", "kind", "bits", "signed", "rank", "lanes", "element", "is_value", "is_word", "is_float", "low", "high",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: int,
        bits: int,
        signed: bool = False,
        rank: int = 0,
        lanes: int = 1,
        element: Type | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.bits = bits
        self.signed = signed
        self.rank = rank  # dimensions of an array value, else 0
        self.lanes = lanes
        self.element = element or self  # of a vector
        self.is_value = kind == VALUE
        self.is_word = bits == 64 and kind in (VALUE, INT)  # held in a general register as 64 plain bits
        self.is_float = kind == FLOAT
        self.low = -(1 << (bits - 1)) if signed else 0
        self.high = (1 << (bits - signed)) - 1 if bits else 0

    def __repr__(self) -> str:
        return self.name

    def wrap(self, number: int) -> int:
        """`number` reduced to the natural number of this type that has the same low bits."""
        if self.low <= number <= self.high:
            return number
        number &= (1 << self.bits) - 1
        return number - (1 << self.bits) if number > self.high else number

    def accepts(self, other: Type) -> bool:
        """Whether something of type `other` may stand where this type is wanted: the same, or both 64-bit words."""
        return self is other or (self.is_word and other.is_word)


VOID = Type("void", NOTHING, 0)
INT64 = Type("int64", VALUE, 64, signed=True)
TUPLE = Type("tuple", VALUE, 64, signed=True)
CODE = Type("code", VALUE, 64, signed=True)
I8, I16, I32, I64 = (Type(f"i{n}", INT, n, signed=True) for n in (8, 16, 32, 64))
U8, U16, U32, U64 = (Type(f"u{n}", INT, n) for n in (8, 16, 32, 64))
BOOL = Type("bool", INT, 1)
PTR = Type("ptr", INT, 64)
F32 = Type("f32", FLOAT, 32)
F64 = Type("f64", FLOAT, 64)

C_KINDS = (INT, FLOAT)  # kinds of types that functions of C may take and give
INTEGERS = (I8, I16, I32, I64, U8, U16, U32, U64)

_NAMED: dict[str, Type] = {
    t.name: t for t in (VOID, INT64, TUPLE, CODE, I8, I16, I32, I64, U8, U16, U32, U64, BOOL, PTR, F32, F64)
}


def array(rank: int) -> Type:
    """The type of an array value with `rank` dimensions, `int64[]` for one."""
    name = "int64" + "[]" * rank
    found = _NAMED.get(name)
    if found is None:
        found = _NAMED[name] = Type(name, VALUE, 64, signed=True, rank=rank)
    return found


def vector(element: Type, lanes: int) -> Type:
    """The type of `lanes` elements of a machine type side by side, spelled `f64x4`."""
    name = f"{element.name}x{lanes}"
    found = _NAMED.get(name)
    if found is None:
        found = _NAMED[name] = Type(name, VECTOR, element.bits * lanes, lanes=lanes, element=element)
    return found


_MASKS = {8: I8, 16: I16, 32: I32, 64: I64}
LEAST_VECTOR, MOST_VECTOR = 64, 512  # bits of the vectors that values can be


def truth(type: Type) -> Type:
    """What comparing operands of `type` gives: bool, or for vectors a mask, signed lanes of 0 or -1."""
    return BOOL if type.lanes == 1 else vector(_MASKS[type.element.bits], type.lanes)


def named(text: str) -> Type | None:
    """The type spelled `text` (`int64[][]`, `u8`, `f32x4`), or None where there is none."""
    found = _NAMED.get(text)
    if found is not None:
        return found
    if text.startswith("int64[]") and text[5:] == "[]" * (len(text[5:]) // 2):
        return array(len(text[5:]) // 2)
    head, cross, tail = text.rpartition("x")
    if cross and head in _NAMED and tail in ("2", "4", "8", "16", "32", "64"):
        element = _NAMED[head]
        if element.kind in (INT, FLOAT) and element is not BOOL and element.bits * int(tail) <= 512:
            return vector(element, int(tail))
    return None
