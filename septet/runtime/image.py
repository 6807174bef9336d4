"""The native runtime as one block of machine code: compiled by Septet from the sources in this folder.

A wheel brings it ready made in `septet._generated`; a checkout compiles it in memory, once a process.
"""

from __future__ import annotations

import os

from septet.base import generated
from septet.base.symbols import DATA, FUNCTION, symbol
from septet.link.block import ALIGNMENT, place
from septet.link.layout import OUTSIDE, Runtime
from septet.link.maps import sites

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.symbols import Data, Symbol
    from septet.link.code import Code
    from septet.link.maps import Map

SOURCES = (
    "start.L1", "output.ir", "input.ir", "heap.ir", "machine.ir", "collector.ir", "bitmaps.ir", "frames.ir", "stack.ir",
    "errors.ir",
)  # fmt: skip
IR_OPT = 1  # passes of one function alone, as its functions have callers that they cannot see
OPT = 2  # from L3 down
PREFIX = "runtime."  # of its names in images; programs' names have no dots
ROUTINE_FUNCTIONS = {
    "print/1": "print",
    "input/0": "input_number",
    "allocate/2": "allocate_2",
    "allocate/3": "allocate_3",
    "tensor-error/1": "tensor_error_1",
    "tensor-error/3": "tensor_error_3",
    "tensor-error/4": "tensor_error_4",
    "tuple-error/3": "tuple_error_3",
    "kind-error/3": "kind_error_3",
    "length-error/2": "length_error_2",
    "dimension-error/3": "dimension_error_3",
    "division-error/1": "division_error_1",
    "conversion-error/1": "conversion_error_1",
}
"""The function of each routine, by the routine's name and number of arguments."""

_LOADED: list[Runtime] = []


def load() -> Runtime:
    """The runtime, made once a process."""
    if not _LOADED:
        module = generated.load("runtime_image", generate)
        _LOADED.append(
            Runtime(
                module.CONTENT,
                module.SYMBOLS,
                module.FUNCTIONS,
                module.CONSTANTS,
                module.REFERENCES,
                module.CALLS,
                module.WRITABLE,
                module.ENTRY,
                module.FRAMES,
                module.MAPS,
            )
        )
    return _LOADED[0]


def generate() -> str:
    """The source text of a Python module that holds the runtime, and in DIGEST what it was made from."""
    runtime = build()
    rows = (
        ("DIGEST", digest()),
        ("CONTENT", runtime.content),
        ("SYMBOLS", runtime.symbols),
        ("FUNCTIONS", runtime.functions),
        ("CONSTANTS", runtime.constants),
        ("REFERENCES", runtime.references),
        ("CALLS", runtime.calls),
        ("WRITABLE", runtime.writable),
        ("ENTRY", runtime.entry),
        ("FRAMES", runtime.frames),
        ("MAPS", runtime.maps),
    )
    text = "".join([f"{name} = {value!r}\n" for name, value in rows])
    return f'"""The runtime\'s machine code.  Made by septet.runtime.image.generate; do not edit."""\n\n{text}'


def digest() -> str:
    """A hexadecimal digest of the runtime's sources."""
    from hashlib import sha256

    return sha256("\0".join([source(name) for name in SOURCES]).encode()).hexdigest()


def source(name: str) -> str:
    """The text of one of the runtime's sources."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def build() -> Runtime:
    """The runtime, compiled from its sources.  Rejected where they are wrong."""
    codes, data = _compile()
    block = place(codes, data)
    writable = _writable(data)
    offsets = {symbol(DATA, name): offset for name, offset, _ in writable}
    entries = block.symbols
    references = [(where, offsets[target] + addend) for where, target, addend in block.open if target in offsets]
    calls = [where for where, target, _ in block.open if target is OUTSIDE]
    block.relocate([relocation for relocation in block.open if relocation[1] in entries])
    return Runtime(
        bytes(block.content),
        {name: entries[symbol(FUNCTION, function)] for name, function in ROUTINE_FUNCTIONS.items()},
        [(PREFIX + name, first, last) for name, first, last in block.functions],
        [(PREFIX + item.name, entries[symbol(DATA, item.name)], item.size) for item in data if item.content]
        + [(PREFIX + name, at, size) for name, at, size in block.constants],
        references,
        calls,
        [(PREFIX + name, offset, size) for name, offset, size in writable],
        entries[symbol(FUNCTION, "start")],
        {PREFIX + code.name: code.frames for code in codes},
        _maps(codes, entries),
    )


def _maps(codes: list[Code], entries: dict[Symbol, int]) -> list[tuple[int, Map]]:
    """The stack maps of the functions that call the collector."""
    reach = {symbol(FUNCTION, "collect")}
    size = 0
    while len(reach) > size:
        size = len(reach)
        reach.update([symbol(FUNCTION, code.name) for code in codes if any(r.target in reach for r in code.relocations)])
    inside = [code for code in codes if symbol(FUNCTION, code.name) in reach]
    return [(entries[symbol(FUNCTION, code.name)] + offset, map) for code in inside for offset, map in sites(code)]


def _compile() -> tuple[list[Code], list[Data]]:
    """Machine code of every function, and all data, the stack first."""
    from septet.base.options import Options
    from septet.base.source import Source
    from septet.pipeline import Compilation, module

    options = Options(OPT)
    start = module("septet.l1.text").parse(Source(source(SOURCES[0]), SOURCES[0]))
    rest = module("septet.ir.text").parse(Source("\n".join([source(name) for name in SOURCES[1:]]), "runtime.ir"))
    codes = module("septet.l1.lower").lower_program(start, options)
    low = Compilation(Options(IR_OPT)).lower(rest, "ir", "l3")
    return codes + Compilation(options).compile(low, "l3"), list(({**start.data, **rest.data}).values())


def _writable(data: list[Data]) -> list[tuple[str, int, int]]:
    """Where the writable data go: the stack, then small things before large ones, so that small programs touch few pages."""
    stack, *rest = [item for item in data if not item.content]
    result = []
    at = 0
    for item in [stack, *sorted(rest, key=lambda item: item.size >= 4096)]:
        result.append((item.name, at, item.size))
        at += -(-item.size // ALIGNMENT) * ALIGNMENT
    return result
