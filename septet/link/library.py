"""Libraries: a program's functions with machine types, for C and whoever calls as C does.

    define i32 @scale (i32 %k, f64 %x) words { ... }           int32_t scale(int32_t k, double x);

An exported function is one whose parameters and result are integers, floats and pointers, and that allocates nothing: what it
would allocate could not be collected, as the collector knows no frames but the program's own.  Septet's convention differs from
System V's in two things, which a function in front of an exported one adapts: integers narrower than a register are extended
there, and arguments on the stack stand above the return address and not below.

`print` writes through the runtime's buffer, which is written when the process ends or the object is unloaded; a failed check
ends the process with its message.
"""

from __future__ import annotations

import re

from septet.base.diagnostics import Diagnostic, Rejected
from septet.base.remarks import Remark
from septet.base.symbols import FUNCTION, ROUTINE, symbol
from septet.base.types import BOOL, F32, F64, FLOAT, INT, PTR, VECTOR, VOID
from septet.link.code import Code, Relocation
from septet.x86 import abi, forms
from septet.x86.encode import encode
from septet.x86.instructions import Mem
from septet.x86.registers import RAX, RSP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from septet.base.source import Source
    from septet.base.types import Type
    from septet.link.layout import Image

CALLERS = "outside callers"  # a function that nothing can name: it takes the address of every other
_FLUSH = "runtime.flush"
_ADAPTED = "{}.exported"
_RET, _CALL, _JUMP = b"\xc3", b"\xe8\0\0\0\0", b"\xe9\0\0\0\0"
_C_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_C_WORDS = frozenset(
    "auto bool break case char const continue default do double else enum extern false float for goto if inline int long main"
    " register restrict return short signed sizeof static struct switch true typedef union unsigned void volatile while".split()
)
_C_TYPES = {VOID: "void", BOOL: "bool", PTR: "void *", F32: "float", F64: "double"}
_EXTEND = {
    (8, True): forms.MOVSX8, (16, True): forms.MOVSX16, (32, True): forms.MOVSX32,
    (8, False): forms.MOVZX8, (16, False): forms.MOVZX16, (32, False): forms.MOV32,
}  # fmt: skip


class Library:
    """What a library exports, and the code it consists of: that of exported functions, of what they call, and adapters."""

    __slots__ = ("exports", "remarks", "codes", "runtime")

    def __init__(self, program: Any, codes: Iterable[Code]) -> None:
        """`program` is in IR, as `load` gave it, and `codes` are its functions'.  Rejected where nothing can be exported."""
        known = {code.name: code for code in codes if code.name != CALLERS}
        self.exports: list[Any] = []
        self.remarks: list[Remark] = []
        for function in program.functions.values():
            if function.name != CALLERS:
                why = _obstacle(function) or _allocates(function.name, known)
                if why:
                    self.remarks.append(Remark("library", function.name, 0, f"{function.name} not exported", why))
                else:
                    self.exports.append(function)
        if not self.exports:
            raise Rejected([Diagnostic(f"{remark.what}: {remark.why}") for remark in self.remarks])
        names = _reached([function.name for function in self.exports], known)
        self.codes = [code for name, code in known.items() if name in names]
        self.runtime = any(r.target.kind == ROUTINE for code in self.codes for r in code.relocations)
        self.codes += [code for code in map(_adapter, self.exports) if code is not None]

    def header(self, name: str) -> str:
        """A C header that declares the exported functions; `name` is the file's, for its guard."""
        guard = re.sub(r"\W", "_", name).upper()
        declarations = "\n".join(map(_declaration, self.exports))
        return (
            f"#ifndef {guard}\n#define {guard}\n\n#include <stdbool.h>\n#include <stdint.h>\n\n"
            f'#ifdef __cplusplus\nextern "C" {{\n#endif\n\n{declarations}\n\n#ifdef __cplusplus\n}}\n#endif\n\n#endif\n'
        )

    def shared_object(self, data: dict[str, Any], soname: str, source: str = "", needs: tuple[str, ...] = ()) -> bytes:
        """The library as a shared object with that SONAME; with `source`, the file's name, there are lines for debuggers."""
        from septet.link import dwarf, foreign, layout, shared

        exports = [shared.Exported(function.name) for function in self.exports]
        runtime = None if self.runtime else layout.no_runtime()
        # where the code begins depends on how large its frames' description is, and that on no address
        image = layout.link(self.codes, data, "", runtime)
        linkage = shared.Linkage(soname, exports, [external.name for external in foreign.externals(data, self.codes)], needs)
        start = shared.start(linkage, dwarf.extents(image, self.codes))
        image = layout.link(self.codes, data, "", runtime, start)
        entries = {name: (first, last - first) for name, first, last in image.functions}
        for export in exports:
            export.at, export.size = entries.get(_ADAPTED.format(export.name)) or entries[export.name]
        finish = entries.get(_FLUSH, (0, 0))[0]
        linkage.imports.update((name, at) for name, at, _ in image.data if name in linkage.imports)
        return shared.shared_object(image, linkage, dwarf.extents(image, self.codes), source, finish)

    def relocatable(self, data: dict[str, Any], source: str = "") -> bytes:
        """The library as an object file, with a global symbol for each exported function."""
        from septet.link import dwarf, elf, foreign, layout

        image: Image = layout.link(self.codes, data, "", None if self.runtime else layout.no_runtime())
        entries = {name: (first, last - first) for name, first, last in image.functions}
        visible = [(f.name, *(entries.get(_ADAPTED.format(f.name)) or entries[f.name])) for f in self.exports]
        parts = dwarf.sections(dwarf.extents(image, self.codes), source) if source else None
        names = [external.name for external in foreign.externals(data, self.codes)]
        return elf.relocatable(image, parts, visible, entries.get(_FLUSH, (0, 0))[0], names)


def is_library(source: Source, language: str) -> bool:
    """Whether a source can be nothing else: it is IR without `main`.  Rejected where it cannot be read."""
    from septet.ir import text

    return language == "ir" and "main" not in text.parse(source).functions


def load(source: Source, language: str) -> Any:
    """The program that `source` holds, in IR, with a function more that makes passes expect calls from outside.

    Unlike `pipeline.load`'s it needs no `main`.  Rejected where anything is wrong, or where the language has no machine types.
    """
    from septet.ir import nodes, text, verify
    from septet.ops import table as ops

    if language != "ir":
        raise Rejected([Diagnostic(f"functions in {language.upper()} have no machine types: only those of IR can be exported")])
    program = text.parse(source)
    wrong = [problem for function in program.functions.values() for problem in verify.function_problems(function, program)]
    if wrong:
        raise Rejected(wrong)
    block = nodes.Block("entry")
    for name in program.functions:
        address = nodes.Address(symbol(FUNCTION, name), PTR)
        block.body.append(nodes.Value(ops.ADD, PTR, [address, nodes.Const(PTR, 1)]))
    block.body.append(nodes.Value(ops.RETURN, VOID, []))
    program.functions[CALLERS] = nodes.Function(CALLERS, VOID, [], [block], phase=nodes.WORDS)
    return program


def _obstacle(function: Any) -> str:
    """Why a function cannot be exported for what it is, or ""."""
    types = [function.result, *(parameter.type for parameter in function.parameters)]
    if not _C_NAME.match(function.name) or function.name in _C_WORDS:
        return "that is no name for a function in C"
    if any(type.is_value for type in types):
        return "a parameter or the result is a value: a tagged integer or a reference"
    if any(type.kind == VECTOR for type in types):
        return "a parameter or the result is a vector"
    if sum(type.kind == FLOAT for type in types[1:]) > len(abi.FLOAT_ARGUMENTS) and not function.convention:
        return f"it has more than {len(abi.FLOAT_ARGUMENTS)} floats"
    return ""


def _reached(names: Iterable[str], codes: dict[str, Code]) -> set[str]:
    """Those functions, and all that their code refers to."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found and name in codes:
            found.add(name)
            todo += [r.target.name for r in codes[name].relocations if r.target.kind == FUNCTION]
    return found


def _allocates(name: str, codes: dict[str, Code]) -> str:
    """Why a function cannot be exported for what it calls, or ""."""
    for other in sorted(_reached([name], codes)):
        for r in codes[other].relocations:
            if r.target.kind == ROUTINE and r.target.name.startswith("allocate"):
                return "it allocates" if other == name else f"it may call {other}, which allocates"
    return ""


def _adapter(function: Any) -> Code | None:
    """What C calls in place of `function`; None where that may be called itself."""
    if function.convention:
        return None
    registers = iter(abi.ARGUMENTS)
    content = b""
    on_stack = 0
    for parameter in function.parameters:
        type = parameter.type
        if type.kind != INT:
            continue
        bits = max(type.bits, 8)
        register = next(registers, None)
        if register is not None:
            if bits < 64:
                content += encode(_EXTEND[bits, type.signed], (register, register))
            continue
        above = Mem(RSP, 8 + 8 * on_stack)  # the return address is at rsp
        content += encode(_EXTEND[bits, type.signed] if bits < 64 else forms.MOV, (RAX, above))
        content += encode(forms.MOV, (Mem(RSP, -16 - 8 * on_stack), RAX))
        on_stack += 1
    if not content:
        return None
    relocation = Relocation(len(content) + 1, symbol(FUNCTION, function.name))
    content += _CALL + _RET if on_stack else _JUMP
    return Code(_ADAPTED.format(function.name), len(function.parameters), function.line, content, [relocation], {}, [])


def _declaration(function: Any) -> str:
    parameters = []
    for number, parameter in enumerate(function.parameters):
        name = parameter.name if _C_NAME.match(parameter.name) and parameter.name not in _C_WORDS else f"argument_{number}"
        parameters.append(_declare(parameter.type, name))
    return f"{_declare(function.result, function.name)}({', '.join(parameters) or 'void'});"


def _declare(type: Type, name: str) -> str:
    spelled = _C_TYPES.get(type) or f"{'' if type.signed else 'u'}int{type.bits}_t"
    return spelled + name if spelled.endswith("*") else f"{spelled} {name}"
