"""Places hosted code and loads it: functions, constants and `trap` in pages that can never be written to, then pages of
writable data.  There is no runtime, no stack and no entry; nothing in it depends on where it is loaded."""

from __future__ import annotations

import os
import sys

from septet.base.options import Options
from septet.base.symbols import DATA, FUNCTION, ROUTINE, symbol
from septet.l1.lower import lower
from septet.l1.nodes import Function, Program
from septet.link import foreign
from septet.link.block import ALIGNMENT, PAGE, place
from septet.link.jit import CannotExecute, _libc, fill, is_traced, map_memory, sealed
from septet.x86 import forms
from septet.x86.instructions import Instruction, Mem
from septet.x86.registers import R8, RCX, RDI, RDX, RSI, RSP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from septet.base.symbols import Data
    from septet.link.code import Code

TRAP = "trap.5"  # no name that a program can have
_NONE, _READ, _WRITE, _EXECUTE = 0, 1, 2, 4
_SHARED, _PRIVATE, _FIXED, _ANONYMOUS = 1, 2, 0x10, 0x20


def trap() -> Code:
    """The routine `trap`: notes in the context what went wrong, and returns to who made the context.

    (@trap.5 5 0
      mem rdi 16 <- rsi      kind
      mem rdi 24 <- rdx      line
      mem rdi 32 <- rcx      what, and with what
      mem rdi 40 <- r8
      rsp <- mem rdi 0       where that call's return address is
      return)
    """
    body = [Instruction(forms.MOV, (Mem(RDI, 16 + 8 * k), register)) for k, register in enumerate((RSI, RDX, RCX, R8))]
    body += [Instruction(forms.MOV, (RSP, Mem(RDI, 0))), Instruction(forms.RETURN, ())]
    function = Function(TRAP, 5, 0, body)
    return lower(function, Program("", {TRAP: function}, {}), Options(0))


class HostedImage:
    """Linked code: `content`, then at offset `writable` `size - writable` bytes of zeros."""

    __slots__ = ("content", "writable", "size", "functions", "codes", "file", "cells")

    def __init__(
        self,
        content: bytes,
        writable: int,
        size: int,
        functions: list[tuple[str, int, int]],
        codes: list[Code],
        file: str,
        cells: list[tuple[int, int]],
    ) -> None:
        self.content = content
        self.writable = writable
        self.size = size
        self.functions = functions  # name, entry, end
        self.codes = codes
        self.file = file  # what lines are of, for debuggers; ""
        self.cells = cells  # offsets in the writable part, and the addresses of functions of C to put there


def link(codes: Iterable[Code], data: dict[str, Data], file: str = "") -> HostedImage:
    """The image of these functions and data; lines are of `file`.  Rejected where a name is not defined."""
    codes = [*foreign.with_callers(codes), trap()]
    data = foreign.without_unused(data, codes)
    block = place(codes, data.values())
    symbols = block.symbols
    symbols[symbol(ROUTINE, "trap/5")] = symbols[symbol(FUNCTION, TRAP)]
    cells: list[tuple[int, int]] = []
    known = foreign.addresses(foreign.externals(data, codes))
    at = writable = (len(block.content) + PAGE - 1) & -PAGE
    for item in data.values():
        if not item.content:
            symbols[symbol(DATA, item.name)] = at
            if item.name in known:
                cells.append((at, known[item.name]))
            at = -(-(at + item.size) // ALIGNMENT) * ALIGNMENT
    block.relocate(block.open)
    return HostedImage(bytes(block.content), writable, (at + PAGE - 1) & -PAGE, block.functions, codes, file, cells)


class Pages:
    """An image in this process's memory, for as long as this object lives."""

    __slots__ = ("address", "size", "_unmap", "_unregister")

    def __init__(self, image: HostedImage) -> None:
        """CannotExecute where the system refuses."""
        self.size = 0
        traced = is_traced()  # then it must be able to write breakpoints
        file = sealed(image.content)
        try:
            self.address = map_memory(0, image.size, _NONE, _PRIVATE | _ANONYMOUS)
            self.size = image.size
            self._unmap = _libc().munmap
            map_memory(self.address, image.writable, _READ | _EXECUTE, (_PRIVATE if traced else _SHARED) | _FIXED, file)
            if image.size > image.writable:
                region = self.address + image.writable
                map_memory(region, image.size - image.writable, _READ | _WRITE, _PRIVATE | _ANONYMOUS | _FIXED)
            fill(self.address, image.cells)
        except OSError as problem:
            raise CannotExecute(f"no executable memory: {problem.strerror}") from problem
        finally:
            os.close(file)
        self._unregister = announce(self.address, image, traced)

    def __del__(self) -> None:
        if self.size:
            if self._unregister is not None:
                self._unregister()
            self._unmap(self.address, self.size)
            self.size = 0


def announce(address: int, image: HostedImage, traced: bool) -> Callable[[], None] | None:
    """Tell a debugger of an image where there is one, and perf where `profile.start` was called; what takes it back."""
    profile = sys.modules.get("septet.link.profile")
    recording = profile is not None and profile.RECORDING
    if not traced and not recording:
        return None
    from septet.link.layout import Image

    what = Image(image.content, 0, -1, image.functions, [], image.writable, image.size - image.writable, [], [])
    if recording:
        profile.RECORDING[0].add(address, what, image.codes, image.file)  # type: ignore[union-attr]
    if not traced:
        return None
    from septet.link import debugger

    registered = debugger.register(address, what, image.codes, image.file)
    return lambda: debugger.unregister(registered)
