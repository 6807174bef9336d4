"""The shapes of vectors: what tiles tell apart.  A shape is a number: 8 times that of the register's size, and the lanes'."""

from __future__ import annotations

from septet.base.types import VECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.types import Type

SIZES = (128, 256, 512)  # bits of the registers; a vector of 64 bits is in one of 128
LANES = ("8", "16", "32", "64", "f32", "f64")


class _Shapes(dict["Type", int]):
    """The shape of each type, -1 for what is no vector."""

    def __missing__(self, type: Type) -> int:
        shape = -1
        if type.kind == VECTOR:
            element = type.element
            lanes = LANES.index(element.name if element.is_float else str(element.bits))
            shape = 8 * SIZES.index(max(type.bits, SIZES[0])) + lanes
        self[type] = shape
        return shape


SHAPE = _Shapes()


def tests() -> list[dict[str, str]]:
    """The classes of vectors in tiles, and how each is tested for, in the groups that `patterns` wants."""
    groups = []
    for size, bits in enumerate(SIZES):
        for number, lane in enumerate(LANES):
            test = f"SHAPE[{{}}] == {8 * size + number}"
            if lane[0] == "f":
                groups.append({f"{lane}v{bits}": test})
                continue
            signs = {"s": f"{test} and {{}}.element.signed", "u": f"{test} and not {{}}.element.signed"}
            groups.append({f"i{lane}v{bits}": test} | {f"{sign}{lane}v{bits}": each for sign, each in signs.items()})
        groups.append({f"v{bits}": f"SHAPE[{{}}] // 8 == {size}"})
    return groups


def lane(number: int, type: Type) -> int:
    """The lowest lane of a constant vector."""
    return number & (1 << type.element.bits) - 1


def is_splat(number: int, type: Type) -> bool:
    """Whether all lanes of a constant vector are the same."""
    return number == each(lane(number, type), type.element.bits, type.bits)


def repeated(number: int, size: int, bits: int) -> bool:
    """Whether a constant of `size` bits is one of `bits` again and again, which is neither all zeros nor all ones: those
    there are without memory."""
    part = number & (1 << bits) - 1
    return 0 < part < (1 << bits) - 1 and number == each(part, bits, size)


def each(lane: int, bits: int, size: int) -> int:
    """The constant vector of `size` bits that has `lane` in each of its lanes of `bits`."""
    return lane * (((1 << size) - 1) // ((1 << bits) - 1))
