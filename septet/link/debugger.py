"""Tells a debugger of code that was loaded into this process, by GDB's JIT interface (which lldb knows too).

The debugger sets a breakpoint in `__jit_debug_register_code` and reads the list that `__jit_debug_descriptor` begins.  Both
must be symbols of an object that it knows, so a shared object with these two, and nothing else, is written and loaded when they
are first wanted.  See "JIT Compilation Interface" in GDB's manual.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from ctypes import CDLL, Array, c_char
    from typing import Any

    from septet.link.code import Code
    from septet.link.layout import Image

_REGISTER, _UNREGISTER = 1, 2
_INTERFACE: list[Interface] = []


class Registered:
    """Loaded code that a debugger has been told of: an entry of its list, and the object file in memory it points to."""

    __slots__ = ("entry", "symbols")

    def __init__(self, entry: Any, symbols: Array[c_char]) -> None:
        self.entry = entry
        self.symbols = symbols


def register(address: int, image: Image, codes: Iterable[Code], source: str = "") -> Registered:
    """Tell of `image`, loaded at `address`: names and frames of all its functions, lines of `codes` in file `source`.

    OSError where the interface's shared object cannot be written or loaded.
    """
    from septet.link import dwarf, elf

    parts = dwarf.sections(dwarf.extents(image, codes), source, address + image.start)
    prepare()
    return _INTERFACE[0].add(elf.in_memory(image, parts, address))


def prepare() -> None:
    """Load the interface, if it is not there yet; a process that forks does so before.  OSError as `register`."""
    if not _INTERFACE:
        _INTERFACE.append(Interface())


def unregister(registered: Registered) -> None:
    """Tell that this code is gone, or about to go."""
    _INTERFACE[0].remove(registered)


class Interface:
    """The two symbols, and the list of what is loaded."""

    def __init__(self) -> None:
        from ctypes import POINTER, Structure, c_char_p, c_uint32, c_uint64, c_void_p, pointer

        class Entry(Structure):
            pass

        Entry._fields_ = [("next", POINTER(Entry)), ("previous", POINTER(Entry)), ("symbols", c_char_p), ("size", c_uint64)]

        class Descriptor(Structure):
            _fields_ = [
                ("version", c_uint32), ("action", c_uint32), ("relevant", POINTER(Entry)), ("first", POINTER(Entry)),
            ]  # fmt: skip

        self._entry, self._pointer, self._null = Entry, pointer, POINTER(Entry)()
        library = _load()
        self._descriptor = Descriptor.in_dll(library, "__jit_debug_descriptor")
        self._descriptor.version = 1
        self._tell = library["__jit_debug_register_code"]
        self._tell.restype = c_void_p

    def add(self, symbols: bytes) -> Registered:
        """Put an object file first in the list."""
        from ctypes import c_char_p, cast, create_string_buffer

        buffer = create_string_buffer(symbols, len(symbols))
        entry = self._entry(self._descriptor.first, self._null, cast(buffer, c_char_p), len(symbols))
        if entry.next:
            entry.next.contents.previous = self._pointer(entry)
        self._descriptor.first = self._pointer(entry)
        self._say(_REGISTER, entry)
        return Registered(entry, buffer)

    def remove(self, registered: Registered) -> None:
        """Take it out of the list."""
        entry = registered.entry
        if entry.previous:
            entry.previous.contents.next = entry.next
        else:
            self._descriptor.first = entry.next
        if entry.next:
            entry.next.contents.previous = entry.previous
        self._say(_UNREGISTER, entry)

    def _say(self, action: int, entry: Any) -> None:
        self._descriptor.action = action
        self._descriptor.relevant = self._pointer(entry)
        self._tell()
        self._descriptor.action = 0


def _load() -> CDLL:
    """Write and load the shared object; it stays while the process does, for debuggers that come later."""
    import atexit
    import os
    from ctypes import CDLL
    from tempfile import mkstemp

    descriptor, path = mkstemp(prefix="septet-jit-", suffix=".so")
    with open(descriptor, "wb") as file:
        file.write(interface_object())
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            os.unlink(path)

    atexit.register(remove)
    return CDLL(path)


def interface_object() -> bytes:
    """The shared object: a function that returns, and 24 bytes."""
    from septet.link import shared
    from septet.link.block import PAGE
    from septet.link.layout import Image

    function, datum = shared.Exported("__jit_debug_register_code"), shared.Exported("__jit_debug_descriptor", is_function=False)
    linkage = shared.Linkage(_SONAME, [function, datum])
    start = shared.start(linkage, ())
    writable = (start + 2 * PAGE) & -PAGE
    function.at, function.size, datum.at, datum.size = start, 1, writable, 24
    image = Image(bytes(start) + _RETURN, start, start, [], [], writable, 24, [], [])
    return shared.shared_object(image, linkage, ())


_SONAME = "septet-jit.so"
_RETURN = b"\xc3"
