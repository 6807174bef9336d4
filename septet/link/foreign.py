"""Calls between programs and C: the routines that calls by C's convention go through, and where functions of C are.

A program keeps its stack 8-aligned, C 16-aligned; and the k-th argument on the stack, which C has at rsp + 8k when it is
called, a program leaves at rsp - 16 - 8k.  `c_caller(n)` is called as a program's function is, with n words on the stack and
the callee in rax:

    call-c.1:   test rsp, 8
                jne other
                sub rsp, 16             rsp stays 16-aligned, and the argument that was below it is above
                mov r11, [rsp + 8]
                mov [rsp], r11
                call rax
                add rsp, 16
                ret
    other:      the same with 8 bytes more

Either way its frame has a size that is known, so that unwinding needs no frame pointer.  Functions' addresses are in eight
bytes each among the program's writable data, filled by whoever loads it: here, by the dynamic linker, or by ld.
"""

from __future__ import annotations

from struct import pack

from septet.base.diagnostics import Diagnostic, Rejected, did_you_mean
from septet.base.symbols import DATA, FUNCTION, ROUTINE, External
from septet.link.code import Code
from septet.x86 import forms
from septet.x86.abi import c_caller, c_words
from septet.x86.encode import encode
from septet.x86.instructions import Mem
from septet.x86.registers import R11, RSP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from septet.base.symbols import Data
    from septet.link.code import Frame

_TEST = b"\x40\xf6\xc4\x08"  # test spl, 8
_CALL_RAX, _JMP_RAX, _JNE, _RET = b"\xff\xd0", b"\xff\xe0", b"\x0f\x85", b"\xc3"
_COMMON = (
    "abort abs acos asin atan atan2 atoi cbrt ceil cos cosh exp exp2 expm1 fabs floor fmod free getenv hypot labs log".split()
)
_COMMON += (
    "log10 log1p log2 malloc memcmp memcpy memset pow putchar puts qsort rand realloc sin sinh sqrt strlen tan tanh".split()
)


def with_callers(codes: Iterable[Code]) -> list[Code]:
    """The code of a program's functions, with that of the routines that they call functions of C through."""
    made = list(codes)
    targets = {r.target for code in made for r in code.relocations if r.target.kind == FUNCTION}
    wanted = sorted({c_words(target) for target in targets})
    if not wanted or wanted[-1] < 0:
        return made
    present = {code.name for code in made}
    return made + [_caller(words) for words in wanted if words >= 0 and c_caller(words).name not in present]


def _caller(words: int) -> Code:
    """`c_caller(words)`."""
    parts = [_half(words, 16 * words), _half(words, 16 * words + 8) if words else (_JMP_RAX, 0, 0, 0)]
    content = _TEST + _JNE + pack("<i", len(parts[0][0]))
    frames: list[Frame] = [(0, 8, ())]
    for part, size, first, last in parts:
        if size:
            frames += [(len(content) + first, 8 + size, ()), (len(content) + last, 8, ())]
        content += part
    frames = [frame for frame in frames if frame[0] < len(content)]
    return Code(c_caller(words).name, words, 0, content, [], {}, [], lambda: frames)


def _half(words: int, size: int) -> tuple[bytes, int, int, int]:
    """The way through it with a frame of `size` bytes, which is that size from and to these places in it."""
    if not size:
        return _CALL_RAX + _RET, 0, 0, 0
    enter, leave = encode(forms.SUB, (RSP, size)), encode(forms.ADD, (RSP, size))
    content = enter
    for k in range(words):
        content += encode(forms.MOV, (R11, Mem(RSP, size - 8 - 8 * k)))
        content += encode(forms.MOV, (Mem(RSP, 8 * k), R11))
    content += _CALL_RAX + leave
    return content + _RET, size, len(enter), len(content)


def externals(data: Mapping[str, Data], codes: Iterable[Code]) -> list[External]:
    """The functions of C among `data` whose addresses the code uses."""
    declared = [item for item in data.values() if isinstance(item, External)]
    if not declared:
        return []
    used = {r.target.name for code in codes for r in code.relocations if r.target.kind == DATA}
    return [item for item in declared if item.name in used]


def without_unused(data: Mapping[str, Data], codes: Iterable[Code]) -> dict[str, Data]:
    """`data` but for functions of C that the code does not use: nothing need define these."""
    used = externals(data, codes)
    return {name: item for name, item in data.items() if not isinstance(item, External) or item in used}


def addresses(wanted: Iterable[External]) -> dict[str, int]:
    """Where functions of C are in this process.  Rejected where one is in none of its libraries."""
    wanted = list(wanted)
    if not wanted:
        return {}
    from septet.runtime.foreign import find

    found = {external.name: external.address or find(external.name) for external in wanted}
    missing = [name for name, address in found.items() if not address]
    if missing:
        how = "give its address (ir.ExternalFunction(..., address=)), or load its library first: LD_PRELOAD, or ctypes.CDLL"
        raise Rejected(
            [
                Diagnostic(
                    f"'@{name}' is declared, but no library of this process has it", None, did_you_mean(name, _COMMON) or how
                )
                for name in missing
            ]
        )
    return found


def refuse(wanted: Iterable[External], what: str) -> None:
    """Rejected where functions of C are used that `what` cannot have."""
    problems = [
        Diagnostic(
            f"'@{external.name}' is declared, but {what}",
            None,
            "septet build FILE OBJECT.o links objects that define it; --emit so or --emit obj leave it to C's linker",
        )
        for external in wanted
    ]
    if problems:
        raise Rejected(problems)


def check_callbacks(functions: Mapping[str, object], codes: Iterable[Code]) -> None:
    """Rejected where a function that C calls may allocate: the collector knows no frames of C."""
    entries = [name for name, function in functions.items() if getattr(function, "convention", "")]
    if not entries:
        return
    known = {code.name: code for code in codes}
    problems = []
    for entry in entries:
        todo, seen = [entry], {entry}
        for name in todo:
            targets = [r.target for r in known[name].relocations] if name in known else []
            if any(target.kind == ROUTINE and target.name.startswith("allocate") for target in targets):
                problems.append(
                    Diagnostic(f"'@{entry}' is called by C, and '@{name}' allocates: the collector knows no frames of C")
                )
                break
            for target in targets:
                if target.kind == FUNCTION and target.name not in seen:
                    seen.add(target.name)
                    todo.append(target.name)
    if problems:
        raise Rejected(problems)
