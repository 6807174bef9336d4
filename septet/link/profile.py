"""Tells perf of code that was loaded into this process: a jitdump file, from which `perf inject --jit` makes object files.

    perf record -k mono septet run --perf FILE
    perf inject --jit -i perf.data -o perf.jit.data
    perf report -i perf.jit.data

The file names each function, its bytes, its source lines; perf notices it because the process maps a page of it executable.
(A /tmp/perf-PID.map would not do: perf looks there for anonymous memory alone, and the code is in a file in memory.)  Format:
tools/perf/Documentation/jitdump-specification.txt of Linux.
"""

from __future__ import annotations

import os
from struct import pack
from time import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from septet.link.code import Code
    from septet.link.layout import Image

_MAGIC, _VERSION, _HEADER = 0x4A695444, 1, 40
_X86_64 = 62
_LOAD, _LINES = 0, 2  # records
_READ, _EXECUTE, _PRIVATE = 1, 4, 2


RECORDING: list[JitDump] = []  # the one that code which Python functions are made of goes to, if any


def start(folder: str = ".") -> JitDump:
    """From now on tell perf of all code that Python functions are made of.  Raises OSError."""
    if not RECORDING:
        RECORDING.append(JitDump(folder))
    return RECORDING[0]


class JitDump:
    """The file jit-PID.dump of this process, in `folder`.  Raises OSError."""

    def __init__(self, folder: str = ".") -> None:
        from septet.link.jit import map_memory

        self.path = os.path.join(folder, f"jit-{os.getpid()}.dump")
        self._file = open(self.path, "wb")  # noqa: SIM115  # stays open as long as this
        self._file.write(pack("<IIIIIIQQ", _MAGIC, _VERSION, _HEADER, _X86_64, 0, os.getpid(), monotonic_ns(), 0))
        self._file.flush()
        self._count = 0
        with open(self.path, "rb") as file:
            map_memory(0, 4096, _READ | _EXECUTE, _PRIVATE, file.fileno())

    def add(self, address: int, image: Image, codes: Iterable[Code], source: str = "") -> None:
        """Tell of `image`, loaded at `address`: names of all its functions, lines of `codes` in file `source`."""
        known = {code.name: code for code in codes}
        for name, first, last in image.functions:
            if last == first:
                continue
            code = known.get(name)
            if code is not None and source:
                self._lines(address + first, code, source)
            content = image.content[first:last]
            body = pack("<IIQQQQ", os.getpid(), _thread(), address + first, address + first, len(content), self._count)
            self._record(_LOAD, body + name.encode() + b"\0" + content)
            self._count += 1
        self._file.flush()

    def _lines(self, entry: int, code: Code, source: str) -> None:
        name = source.encode("utf-8", "surrogateescape") + b"\0"
        rows = [(0, code.line), *code.lines()]
        body = b"".join(pack("<QII", entry + offset, max(line, 0), 0) + name for offset, line in rows)
        self._record(_LINES, pack("<QQ", entry, len(rows)) + body)

    def _record(self, kind: int, body: bytes) -> None:
        self._file.write(pack("<IIQ", kind, 16 + len(body), monotonic_ns()) + body)


def _thread() -> int:
    from threading import get_native_id

    return get_native_id()
