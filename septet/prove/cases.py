"""Which types the type variables of a rule may be: the cases that a proof goes through."""

from __future__ import annotations

from itertools import product

from septet.base.types import BOOL, F32, F64, FLOAT, I8, I16, I32, I64, INT, U8, U16, U32, U64, VECTOR, Type, named, vector
from septet.ops.rules import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from septet.ops.rules import Rule

    Case = dict[str, Type]  # by type variable (T A B C and inner ones, X Y .. of operands) and by type's name

LANE = Type("lane", INT, 1)  # the number of a lane: in proofs vectors have two
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
        "vector": [vector(type, 2) for type in integers + floats if type is not BOOL],
    }[kind]


def small_types(kind: str, bits: int, several: bool) -> list[Type]:
    """Types of few bits for a class; with `several` type variables, of several widths."""
    if kind == "bool":
        return [BOOL]
    if kind == "float" or named(kind) in (F32, F64):
        return []
    if kind == "vector":
        return [_pair(type) for type in small(2)]
    signed, unsigned = small(bits)
    if kind in ("sword", "i64"):
        return [signed]
    if kind == "uword":
        return [unsigned]
    types = [signed, unsigned]
    if several:
        types += [type for width in (2, 4) if width < bits for type in small(width)]
    return types if kind in ("word", "narrow") else [BOOL, *types]


_PAIRS: dict[Type, Type] = {}


def _pair(element: Type) -> Type:
    """The vector of two such lanes."""
    found = _PAIRS.get(element)
    if found is None:
        found = _PAIRS[element] = Type(f"{element}x2", VECTOR, 2 * element.bits, lanes=2, element=element)
    return found


def cases(rule: Rule, choices: dict[str, list[Type]]) -> Iterator[Case]:
    """Every way to choose a type for each variable, types that have to fit being equal or words of one width."""
    names = list(choices)
    for chosen in product(*choices.values()):
        case = dict(zip(names, chosen, strict=True))
        if "bitcast" in rule.find and len({type.bits for type in chosen}) > 1:
            continue
        if _lanes_fit(rule, case) and all(
            fits(case.get(one) or _fixed(one), case.get(other) or _fixed(other)) for one, other in rule.alike
        ):
            yield case


def with_vectors(choices: dict[str, list[Type]], rule: Rule, vectors: list[Type]) -> None:
    """Let operands of any type be vectors as well, where the rule is about vectors."""
    if "vector" in rule.types.values():
        for name, kind in rule.types.items():
            if kind == "any" and name[-1] in "XYZ":
                choices[name] = choices[name] + vectors


def _lanes_fit(rule: Rule, case: Case) -> bool:
    """Whether what vectors are made of, or taken apart to, is of their lanes' type."""
    if "vector" not in rule.types.values():
        return True
    sides = [side for side in (rule.tree, rule.result) if isinstance(side, Tree)]
    for tree in [part for side in sides for part in (side, *side.inner())]:
        of = [arg.result if isinstance(arg, Tree) else rule.leaves[str(arg)] for arg in tree.args]
        if tree.op in ("splat", "insert"):
            whole, lane = case[tree.on], case[of[-1]]
        elif tree.op == "extract" or tree.op.startswith("reduce-"):
            whole, lane = case[of[0]], case[tree.on]
        elif tree.op == "convert" and case[tree.on].lanes != case[of[0]].lanes:
            return False
        else:
            continue
        if whole.element is not lane or whole.lanes == 1:
            return False
    return True


def fits(one: Type, other: Type) -> bool:
    """Whether operands of one type may stand where the other is wanted."""
    return one is other or one.is_word and other.is_word and one.bits == other.bits


def _fixed(name: str) -> Type:
    found = named(name)
    assert found is not None, name
    return found
