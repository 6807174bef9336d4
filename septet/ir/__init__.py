"""IR: typed SSA in a graph of basic blocks, where optimisation happens, in two phases: `arrays`, then `words`.

define int64 @main() {
  :entry
  i64 %x <- 40 + 2
  int64 %y <- tag %x
  call print(%y)
  return %y
}

`Module`, `Function`, `Builder` and the types below build it from Python (`septet.ir.build`).
"""

from __future__ import annotations

__all__ = [
    "Block", "Buffer", "BufferArgument", "Builder", "Constant", "DoubleType", "ExternalFunction", "FloatType", "Function",
    "FunctionType", "IRBuilder", "IntType", "Malformed", "Module", "Phi", "PointerType", "VectorType", "VoidType",
    "bool", "f32", "f64", "i16", "i32", "i64", "i8", "ptr", "u16", "u32", "u64", "u8", "void",
]  # fmt: skip

_HOMES = {
    **dict.fromkeys(
        ("Block", "BufferArgument", "ExternalFunction", "Function", "Malformed", "Module", "Phi"), "septet.ir.build"
    ),
    **dict.fromkeys(("Builder", "IRBuilder"), "septet.ir.build_control"),
}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.types import BOOL as bool
    from septet.base.types import F32 as f32
    from septet.base.types import F64 as f64
    from septet.base.types import I8 as i8
    from septet.base.types import I16 as i16
    from septet.base.types import I32 as i32
    from septet.base.types import I64 as i64
    from septet.base.types import PTR as ptr
    from septet.base.types import U8 as u8
    from septet.base.types import U16 as u16
    from septet.base.types import U32 as u32
    from septet.base.types import U64 as u64
    from septet.base.types import VOID as void
    from septet.ir.build import Block, BufferArgument, ExternalFunction, Function, Malformed, Module, Phi
    from septet.ir.build_control import Builder, IRBuilder
    from septet.ir.build_types import (
        Buffer,
        Constant,
        DoubleType,
        FloatType,
        FunctionType,
        IntType,
        PointerType,
        VectorType,
        VoidType,
    )


def __getattr__(name: str) -> object:
    """The builder is imported when first used: compiling text needs none of it."""
    value: object
    if name not in __all__:
        raise AttributeError(f"module 'septet.ir' has no attribute {name!r}")
    if name[0].islower():
        value = __import__("septet.base.types", fromlist=("_",)).named(name)
    else:
        from septet.base.lasting import Lasting

        with Lasting():
            value = getattr(__import__(_HOMES.get(name, "septet.ir.build_types"), fromlist=("_",)), name)
    globals()[name] = value
    return value
