"""Which types the type variables of a rule may be: the cases that a proof goes through."""

from __future__ import annotations

from itertools import product

from septet.base.types import BOOL, F32, F64, FLOAT, I8, I16, I32, I64, INT, U8, U16, U32, U64, Type, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from septet.ops.rules import Rule

    Case = dict[str, Type]  # by type variable (T A B C and inner ones, X Y .. of operands) and by type's name

F16 = Type("f16", FLOAT, 16)
FULL = (BOOL, I8, U8, I16, U16, I32, U32, I64, U64)
_SMALL: dict[int, tuple[Type, Type]] = {}


def small(bits: int) -> tuple[Type, Type]:
    """A signed and an unsigned integer type of so few bits that all their numbers can be tried; they count as words."""
    if bits not in _SMALL:
        _SMALL[bits] = (Type(f"i{bits}", INT, bits, signed=True), Type(f"u{bits}", INT, bits))
        for type in _SMALL[bits]:
            type.is_word = True
    return _SMALL[bits]


def full_types(kind: str, widths: tuple[int, ...]) -> list[Type]:
    """The machine's types that a class stands for, of the widths asked for (bool is 1, f32 32, ...)."""
    found = named(kind)
    if found is not None:
        return [found]
    integers = [type for type in FULL if type.bits in widths]
    floats = [type for type in (F16, F32, F64) if type.bits in widths and (type is not F16 or widths == (16,))]
    return {
        "word": [type for type in integers if type.is_word],
        "sword": [type for type in integers if type is I64],
        "uword": [type for type in integers if type is U64],
        "narrow": [type for type in integers if 8 <= type.bits <= 32],
        "int": integers,
        "float": floats,
        "any": integers + floats,
    }[kind]


def small_types(kind: str, bits: int, several: bool) -> list[Type]:
    """Types of few bits for a class; with `several` type variables, of several widths."""
    if kind == "bool":
        return [BOOL]
    if kind == "float" or named(kind) in (F32, F64):
        return []
    signed, unsigned = small(bits)
    if kind in ("sword", "i64"):
        return [signed]
    if kind == "uword":
        return [unsigned]
    types = [signed, unsigned]
    if several:
        types += [type for width in (2, 4) if width < bits for type in small(width)]
    return types if kind in ("word", "narrow") else [BOOL, *types]


def cases(rule: Rule, choices: dict[str, list[Type]]) -> Iterator[Case]:
    """Every way to choose a type for each variable, types that have to fit being equal or words of one width."""
    names = list(choices)
    for chosen in product(*choices.values()):
        case = dict(zip(names, chosen, strict=True))
        if "bitcast" in rule.find and len({type.bits for type in chosen}) > 1:
            continue
        if all(fits(case.get(one) or _fixed(one), case.get(other) or _fixed(other)) for one, other in rule.alike):
            yield case


def fits(one: Type, other: Type) -> bool:
    """Whether operands of one type may stand where the other is wanted."""
    return one is other or one.is_word and other.is_word and one.bits == other.bits


def _fixed(name: str) -> Type:
    found = named(name)
    assert found is not None, name
    return found
