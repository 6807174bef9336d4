"""Operands for every instruction form: the registers, memory and numbers at which encodings change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain, product
from math import prod
from typing import TYPE_CHECKING

from septet.x86.decode import text
from septet.x86.encode import RIP
from septet.x86.forms import EVEX, Form, Place, forms_of_all, op
from septet.x86.instructions import Mem
from septet.x86.registers import R12, R13, RAX, RBP, REGISTERS, RSP

if TYPE_CHECKING:
    from septet.x86.forms import Operand

WHOLE = bool(os.environ.get("SEPTET_WHOLE"))  # every memory operand rather than a sample: minutes
FORMS = list(forms_of_all())
LEGACY_FORMS = [form for form in FORMS if not form.scheme]
DISPLACEMENTS = (0, 1, -1, 127, -128, 128, -129, 0x7FFFFFFF, -0x80000000)


def memories() -> Iterator[Mem]:
    """Every base, index, scale and displacement when WHOLE; only the peculiar bases with an index when not."""
    general = REGISTERS[:16]
    for base, displacement in product(general, DISPLACEMENTS):
        yield Mem(base, displacement)
    indexes = [register for register in general if register is not RSP]
    for base, index, scale, displacement in product(general, indexes, (1, 2, 4, 8), DISPLACEMENTS):
        if WHOLE or (base in (RAX, RSP, RBP, R12, R13) and displacement in (0, 127, -0x80000000)):
            yield Mem(base, displacement, index, scale)
    for displacement in DISPLACEMENTS:
        yield Mem(RIP, displacement)


MEMORIES = list(memories())
MOST = 250  # cases of a form with VEX or EVEX, of each kind, where not WHOLE


def memories_of(form: Form, at: int) -> list[Mem]:
    """Those that a form is tried with; where displacements are compressed, also their multiples at which that changes."""
    if not form.scheme:
        return MEMORIES
    found = MEMORIES if WHOLE else MEMORIES[:: len(MEMORIES) // MOST * 2 + 1]
    if form.scheme == EVEX:
        unit = form.places[at].memory // 8
        found = found + [Mem(base, unit * d) for base in REGISTERS[:16:5] for d in (1, -1, 127, -128, 128, -129)]
    return found


def numbers(place: Place) -> list[int]:
    """The ends of an immediate's range, and some in it."""
    known = (place.low, place.low + 1, -1, 0, 1, 100, place.high - 1, place.high)
    return sorted({number for number in known if place.low <= number <= place.high})


def alternatives(place: Place) -> list[Operand]:
    """What may stand in a place, but for memory."""
    if place.fixed is not None:
        return [place.fixed]
    if place.bank >= 0:
        return list(REGISTERS[16 * place.bank + place.chooses : 16 * place.bank + 16])
    return list(numbers(place))


def cases(form: Form) -> Iterator[tuple[Operand, ...]]:
    """Operands of the form: every combination without memory, and all memory with registers and numbers taken in turn."""
    choices = [alternatives(place) for place in form.places]
    at = next((index for index, place in enumerate(form.places) if place.memory >= 0), -1)
    with_memory = (
        tuple([memory if index == at else choice[turn % len(choice)] for index, choice in enumerate(choices)])
        for turn, memory in enumerate(memories_of(form, at) if at >= 0 else ())
    )
    return chain(_without_memory(form, choices), with_memory)


def _without_memory(form: Form, choices: list[list[Operand]]) -> Iterator[tuple[Operand, ...]]:
    """Every combination; of forms with three registers and more a sample when not WHOLE, in which each operand is every one."""
    number = prod(map(len, choices))
    if WHOLE or not form.scheme or number <= MOST:
        return product(*choices)
    return (
        tuple([choice[(turn * step) % len(choice)] for choice, step in zip(choices, (1, 3, 7, 5), strict=False)])
        for turn in range(MOST)
    )


def few(form: Form) -> list[tuple[Operand, ...]]:
    """Some twenty of the cases."""
    every = list(cases(form))
    return every[:: max(len(every) // 20, 1)]


def reading(form: Form, operands: tuple[Operand, ...], end: int) -> str:
    """How the instruction reads to a disassembler that shows immediates as signed numbers."""
    places = zip(form.places, operands, strict=True)
    shown = [o - 256 if isinstance(o, int) and o > 127 and place.text == "uimm8" else o for place, o in places]
    if not form.encode_only:
        return text(form, tuple(shown), end).replace("movabs", "mov")
    other = text(form, tuple(shown), end)
    first, comma, second = other.partition(", ")
    mnemonic, _, register = first.partition(" ")
    if mnemonic == "mov":  # to 64 bits, of a number that has but 32: it is the 32-bit mov
        return text(op("mov32").forms[2], (operands[0], op("mov32").forms[2].places[1].number(int(second), 32)))
    if mnemonic == "imul":
        return other
    return f"{mnemonic} {second}{comma}{register}"
