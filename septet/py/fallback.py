"""Callables without stubs: by `ctypes`, for interpreters that stubs were not tried with; and in IR's interpreter, where there
is no native code.  Arguments are checked in Python (`py.signatures`), and failures are the same exceptions."""

from __future__ import annotations

from struct import unpack

from septet.base.symbols import Data
from septet.base.types import FLOAT, INT64, VOID, Type
from septet.ir.build_types import Buffer, bits_of_float
from septet.ir.interpret import UNLIMITED, Machine
from septet.ops.routines import trap_kind
from septet.pipeline import module
from septet.py.failures import failure
from septet.py.hosted import CONTEXT_SIZE, KIND, LIMIT, LINE, OTHER, WHAT
from septet.py.load import limited
from septet.py.signatures import Signature, checked, given
from septet.runtime.model import BASE, Inconclusive, Runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.link.hosted import HostedImage, Pages
    from septet.py.hosted import Hosted


def _described(function: Any, signature: Signature) -> Callable[..., Any]:
    """`function` as it shows itself."""
    function.__name__ = function.__qualname__ = signature.name
    function.__module__ = signature.module
    function.__doc__ = signature.documentation
    function.__text_signature__ = signature.text
    return function  # type: ignore[no-any-return]


class Bridges:
    """Makes functions that call native code by `ctypes`, a block of words at a time (`stubs.bridge`)."""

    def __init__(self, made: Hosted) -> None:
        self.made = made
        self.limited = limited(made)

    def function(self, stubs: Any, signature: Signature) -> Any:
        """The bridge of one function."""
        return stubs.bridge(signature, signature.name in self.made.contexts)

    def functions(self, image: HostedImage, called: dict[str, Signature], pages: Pages) -> dict[str, Callable[..., Any]]:
        """The functions, which own the pages together."""
        entries = {name: pages.address + entry for name, entry, _ in image.functions}
        return {
            name: _described(_by_ctypes(signature, entries[f"{name}.bridge"], pages, name in self.limited), signature)
            for name, signature in called.items()
        }


def _by_ctypes(signature: Signature, address: int, pages: object, limit: bool) -> Callable[..., Any]:
    from ctypes import CFUNCTYPE, PYFUNCTYPE, addressof, c_void_p, create_string_buffer

    native = (CFUNCTYPE if signature.release_gil else PYFUNCTYPE)(None, c_void_p)(address)
    lowest = module("septet.py.api").lowest if limit else None
    result = signature.result

    def call(*args: Any) -> Any:
        views: list[Any] = []
        numbers: list[int] = []
        for parameter, arg in zip(signature.parameters, checked(signature, args), strict=True):
            if isinstance(parameter.type, Buffer):
                views.append(_exported(arg, parameter.type.writable))
                numbers += [views[-1].address, *arg.shape]
            else:
                numbers.append(_natural(parameter.type, arg))
        words = b"".join([(number & (1 << 64) - 1).to_bytes(8, "little") for number in numbers])
        block = create_string_buffer(bytes(CONTEXT_SIZE) + words + bytes(8))
        if lowest is not None:
            block[LIMIT : LIMIT + 8] = lowest().to_bytes(8, "little")
        native(addressof(block))
        for view in views:
            view.release()
        kind, line, what, other = (unpack("<q", block.raw[at : at + 8])[0] for at in (KIND, LINE, WHAT, OTHER))
        if kind:
            raise failure(signature.name, signature.path, kind, line, what, other)
        number = int.from_bytes(block.raw[CONTEXT_SIZE : CONTEXT_SIZE + max(result.bits // 8, 1)], "little")
        return given(signature, result.wrap(number) if result.kind != FLOAT and result is not VOID else number)

    call.pages = pages  # type: ignore[attr-defined]
    return call


class _exported:  # noqa: N801
    """The memory of an object, until `release`."""

    def __init__(self, arg: memoryview, writable: bool) -> None:
        from ctypes import byref, c_ssize_t, c_void_p, create_string_buffer, py_object, pythonapi

        self.buffer = create_string_buffer(80)
        pythonapi.PyObject_GetBuffer(py_object(arg), byref(self.buffer), 0x3C | writable)
        self.address = c_void_p.from_buffer(self.buffer).value or 0
        self._release = pythonapi.PyBuffer_Release
        assert c_ssize_t.from_buffer(self.buffer, 16).value == arg.nbytes

    def release(self) -> None:
        """Let it go."""
        from ctypes import byref

        self._release(byref(self.buffer))


def _natural(type: Type, arg: Any) -> int:
    """The natural number of an argument that is no buffer."""
    if type.kind == FLOAT:
        return bits_of_float(type, arg)
    return 2 * int(arg) + 1 if type is INT64 else int(arg)


# In the interpreter


class _Runtime(Runtime):
    """Memory for one call; errors are failures of a hosted function."""

    def call(self, name: str, args: list[int]) -> int:
        """Every routine that a hosted function calls reports an error."""
        if name == "trap":
            raise _Trapped(*args[1:])
        what, other = (*args[1:], 0, 0)[max(len(args) - 3, 0) :][:2]
        raise _Trapped(trap_kind(name, len(args)), args[0], what, other)


class _Trapped(Exception):  # noqa: N818
    """A failure: kind, encoded line, two words."""


def interpreted(made: Hosted, signature: Signature) -> Callable[..., Any]:
    """A function that IR's interpreter runs: slow, but right."""

    def call(*args: Any) -> Any:
        runtime = _Runtime()
        machine = Machine(made.program, runtime)
        numbers: list[int] = [0] if signature.name in made.contexts else []
        copies: list[tuple[int, memoryview]] = []
        for parameter, arg in zip(signature.parameters, checked(signature, args), strict=True):
            if isinstance(parameter.type, Buffer):
                address = runtime.define_data(Data(parameter.name, arg.nbytes, arg.tobytes()))
                numbers += [address, *arg.shape]
                if parameter.type.writable:
                    copies.append((address - BASE, arg))
            else:
                numbers.append(_natural(parameter.type, arg))
        try:
            number = machine.run(UNLIMITED, signature.name, numbers)
        except _Trapped as trap:
            raise failure(signature.name, signature.path, *trap.args) from None
        except Inconclusive as problem:
            raise RecursionError(f"{signature.name}() ran out of {problem.reason}") from None
        finally:
            for at, view in copies:
                view.cast("B")[:] = runtime.bytes[at : at + view.nbytes]
        return given(signature, number)

    return _described(call, signature)
