"""Rows of vector instructions, written for 128 bits, as those of 128, 256 and 512 bits."""

from __future__ import annotations

_SPELLED = {128: "xmm", 256: "ymm", 512: "zmm"}


def lengthen(instruction: str, code: str, length: str) -> tuple[str, str]:
    """A row for vectors of `length` bits, or of 128 where that is "": the instruction and its code as in the manual."""
    times = int(length or 128) // 128
    name, _, texts = instruction.strip().partition(" ")
    places = ", ".join([_longer(text.strip(), times) for text in texts.split(",")])
    prefix, rest = code.strip().split(" ", 1)
    scheme, *parts = prefix.split(".")
    scheme = "EVEX" if length == "512" else scheme
    if len(parts) > 1 and parts[-2][0] == "W":
        del parts[-2 if scheme == "EVEX" else -1]
    if length:
        parts.insert(0, length)
    return f"{name} {places}", f"{'.'.join([scheme, *parts])} {rest}"


def _longer(place: str, times: int) -> str:
    """A place of a row for 128 bits, in vectors so many times longer: `xmm2/m64` four times longer is `ymm2/m256`."""
    if place[:1] == "[":
        return place[1:-1]
    register, slash, memory = place.partition("/")
    if not slash and place[:1] == "m":
        return f"m{times * int(place[1:])}"
    if times == 1 or register[:3] != "xmm":
        return place
    register, named, size = register[3:].rstrip(")").partition("(")
    bits = times * (int(memory[1:]) if slash else 8 * int(size or 16))
    spelled = _SPELLED[max(bits, 128)] + register
    return f"{spelled}/m{bits}" if slash else f"{spelled}({bits // 8})" if named else spelled
