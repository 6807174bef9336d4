"""Septet: a compiler one can see through.

    LB  --LBc-->  LA  --LAc-->  IR  --IRc-->  L3  --L3c-->  L2  --L2c-->  L1  --L1c-->  x86-64
    source        flat,         SSA,          legal         virtual       physical      bytes: an ELF file,
    with scopes   typed         optimised     operations    registers     registers     or pages in this process

Every language can be written, printed, checked and run:

    import septet
    program = septet.compile("void main() { print(42) return }", language="lb")
    program.run()                       # natively, in a forked child
    program.interpret("ir").stdout      # in the interpreter of any language on the way
    print(program.text("l2"))           # the program in that language
    program.save("answer")              # a static executable
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["Options", "Program", "Rejected", "Result", "callables", "compile", "read"]

_HOMES = {
    "Options": "septet.base.options",
    "Rejected": "septet.base.diagnostics",
    "Program": "septet.program",
    "Result": "septet.result",
    "callables": "septet.program",
    "compile": "septet.program",
    "read": "septet.program",
}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.diagnostics import Rejected
    from septet.base.options import Options
    from septet.program import Program, callables, compile, read
    from septet.result import Result


def __getattr__(name: str) -> object:
    """The public names are imported when first used, so that `import septet` costs next to nothing."""
    if name in _HOMES:
        value: object = getattr(__import__(_HOMES[name], fromlist=("_",)), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'septet' has no attribute {name!r}")
