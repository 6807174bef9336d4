"""CPython from outside, by ctypes: addresses of C functions and objects, how a builtin is made, and how deep a thread's stack
is.

Prototypes are made once a process: making one takes longer than a call.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import byref, c_char_p, c_int, c_size_t, c_ulong, c_void_p, py_object, pythonapi

from septet.py.stubs import ROWS, Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from septet.py.signatures import Signature

TESTED = ((3, 11), (3, 12), (3, 13))  # versions of CPython whose C API the stubs are tried with
_METH_FASTCALL = 0x80
_MARGIN = 1 << 16  # bytes of stack kept for functions that do not recurse, and for signal handlers
_EMPTY = -1


class _MethodDef(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("function", c_void_p), ("flags", c_int), ("doc", c_char_p)]


def why_not() -> str:
    """Why stubs are not for this interpreter, or nothing."""
    if sys.implementation.name != "cpython":
        return f"{sys.implementation.name} is not CPython"
    if "t" in sys.abiflags:
        return "this CPython is free-threaded"
    if sys.version_info[:2] not in TESTED:
        return f"CPython {sys.version_info[0]}.{sys.version_info[1]} is not among the versions that stubs were tried with"
    return ""


class _Process:
    """What is the same for all modules of this process."""

    __slots__ = ("host", "kept", "new", "addresses", "identity", "thread", "getattr", "getstack", "destroy", "own")

    def __init__(self) -> None:
        self.addresses: dict[str, int] = {}
        self.new = pythonapi.PyCFunction_NewEx
        self.new.restype = py_object
        self.new.argtypes = [c_void_p, py_object, py_object]
        limits = (ctypes.c_int64 * (2 * ROWS))(*[_EMPTY] * (2 * ROWS))
        text = ctypes.create_string_buffer(b"LLLL")
        errors = [TypeError, OverflowError, BufferError, ValueError]
        objects = {error.__name__: id(error) for error in errors}
        objects |= {"True": id(True), "False": id(False), "None": id(None), "LLLL": ctypes.addressof(text), "learn": id(learn)}
        self.host = Host(self.address, objects, ctypes.addressof(limits))
        self.kept = (limits, text)
        self.identity: Any = None

    def address(self, name: str) -> int:
        """Where a function of the C API is."""
        found = self.addresses.get(name)
        if found is None:
            pointer = ctypes.cast(getattr(pythonapi, name), c_void_p).value
            assert pointer is not None
            found = self.addresses[name] = pointer
        return found

    def threads(self) -> None:
        """Prepare what asks for a thread's stack."""
        self.thread = pythonapi.PyThreadState_Get
        self.thread.restype = c_void_p
        self.identity = pythonapi.PyThreadState_GetID
        self.identity.restype = ctypes.c_uint64
        self.identity.argtypes = [c_void_p]
        libc = ctypes.CDLL(None)
        self.own = libc.pthread_self
        self.own.restype = c_ulong
        self.getattr, self.getstack, self.destroy = (
            getattr(libc, name) for name in ("pthread_getattr_np", "pthread_attr_getstack", "pthread_attr_destroy")
        )
        self.getattr.argtypes = [c_ulong, c_void_p]
        self.getstack.argtypes = [c_void_p, c_void_p, c_void_p]
        self.destroy.argtypes = [c_void_p]


_PROCESS: list[_Process] = []


def process() -> _Process:
    """What is the same for all modules of this process, made when first asked for."""
    if not _PROCESS:
        _PROCESS.append(_Process())
    return _PROCESS[0]


def lowest() -> int:
    """The lowest address that recursion may bring this thread's stack pointer to: its stack's end, and a margin."""
    here = process()
    if here.identity is None:
        here.threads()
    attributes = ctypes.create_string_buffer(256)
    address, size = c_size_t(), c_size_t()
    if here.getattr(here.own(), attributes):
        raise RecursionError("the stack of this thread has no known end")
    here.getstack(attributes, byref(address), byref(size))
    here.destroy(attributes)
    return address.value + min(_MARGIN, size.value // 4)


def learn() -> None:
    """Put this thread's limit into the table that stubs look it up in, by the number of its state, which is never used
    again."""
    limit = lowest()
    here = process()
    identity = here.identity(here.thread())
    limits = here.kept[0]
    row = 2 * (identity % ROWS)
    limits[row + 1] = limit
    limits[row] = identity


class NativeCode:
    """What functions made of native code have as `__self__`: it keeps the code, and what that refers to, for as long as one of
    them lives."""

    __slots__ = ("pages", "kept", "__weakref__")

    def __init__(self, pages: Any) -> None:
        self.pages = pages
        self.kept: list[Any] = []

    def __repr__(self) -> str:
        return f"native code of {self.pages.size} bytes"

    def __reduce__(self) -> NoReturn:
        raise TypeError("native code cannot be pickled: compile it in each process")


def builtin(signature: Signature, address: int, owner: NativeCode) -> Any:
    """A builtin function whose C function (METH_FASTCALL) is at `address`."""
    doc = f"{signature.name}{signature.text}\n--\n\n{signature.documentation}".encode()
    method = _MethodDef(signature.name.encode(), address, _METH_FASTCALL, doc)
    owner.kept.append(method)
    return process().new(ctypes.addressof(method), owner, signature.module)
