"""Runs images in this process: the code in pages that can never become writable, each run in a forked child.

The code is a file in memory (memfd), filled through one mapping, which goes, then sealed against writing, and only after that
mapped again, readable and executable: Linux then refuses to make the mapping writable.  (Mapped before the seal, or from a
writable descriptor without one, `mprotect` could.)  The writable region is fresh private memory at the distance that the ELF
file has.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # without the enums of `signal`, which take longer than a run
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from ctypes import CDLL

    from septet.link.layout import Image

GUARD = 1 << 24  # bytes in front of an image that nothing is in: where a frame larger than the code would reach
_NONE, _READ, _WRITE, _EXECUTE = 0, 1, 2, 4
_SHARED, _PRIVATE, _FIXED, _ANONYMOUS, _NORESERVE = 1, 2, 0x10, 0x20, 0x4000
_HUGE_PAGE = 1 << 21
_MFD_CLOEXEC, _MFD_ALLOW_SEALING, _MFD_EXEC = 1, 2, 0x10
_ADD_SEALS, _SEAL_SHRINK, _SEAL_GROW, _SEAL_FUTURE_WRITE = 1033, 2, 4, 0x10
_CANNOT_START = 127
_SET_PARENT_DEATH_SIGNAL = 1
_RESET = (2, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 25)  # INT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM XFSZ
_IGNORED_BY_PYTHON = (13, 25)  # PIPE and XFSZ

_LIBC: list[CDLL] = []


class CannotExecute(Exception):
    """This system does not let a process make executable memory (or is not Linux on x86-64)."""


class Finished:
    """How a run ended: exit `status`, or else the `signal` that ended it; and what was captured.

    `timed_out` runs were ended after their time by SIGKILL.
    """

    __slots__ = ("status", "signal", "stdout", "stderr", "timed_out")

    def __init__(self, wait_status: int, stdout: bytes = b"", stderr: bytes = b"", timed_out: bool = False) -> None:
        self.signal = os.WTERMSIG(wait_status) if os.WIFSIGNALED(wait_status) else 0
        self.status = 128 + self.signal if self.signal else os.WEXITSTATUS(wait_status)
        self.stdout = stdout
        self.stderr = stderr
        self.timed_out = timed_out


class Loaded:
    """An image in this process's memory.  `close` it, or use it in a `with`."""

    __slots__ = ("image", "address", "before", "_reserved", "_size")

    def __init__(self, image: Image, breakable: bool = False, addresses: Mapping[str, int] | None = None) -> None:
        """With `breakable` a debugger, and `mprotect`, can change this process's copy of the code.  `addresses` are those of
        functions of C that the program declares.  Raises CannotExecute where the system refuses."""
        self.image = image
        addresses = addresses or {}
        self.before: Callable[[], None] | None = None  # called in the child, before the program starts
        code = (len(image.content) + 4095) & -4096
        self._size = 0
        size = GUARD + image.writable + image.writable_size + 4096 + _HUGE_PAGE
        file = sealed(image.content)
        try:
            self._reserved = map_memory(0, size, _NONE, _PRIVATE | _ANONYMOUS | _NORESERVE)
            self._size = size
            self.address = (self._reserved + GUARD + _HUGE_PAGE - 1) & -_HUGE_PAGE
            map_memory(self.address, code, _READ | _EXECUTE, (_PRIVATE if breakable else _SHARED) | _FIXED, file)
            region = self.address + image.writable
            map_memory(region, image.writable_size, _READ | _WRITE, _PRIVATE | _ANONYMOUS | _NORESERVE | _FIXED)
            fill(self.address, [(at, addresses[name]) for name, at, _ in image.data if name in addresses])
        except OSError as problem:
            self.close()
            raise CannotExecute(f"no executable memory: {problem.strerror}") from problem
        finally:
            os.close(file)

    def __enter__(self) -> Loaded:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        if self._size:
            _libc().munmap(self._reserved, self._size)
            self._size = 0

    def run(
        self, stdin: int = 0, stdout: int = 1, stderr: int = 2, timeout: float | None = None
    ) -> Finished:  # fmt: skip
        """Run the program in a child process with these file descriptors; Ctrl-C ends it and is raised here."""
        from ctypes import CFUNCTYPE

        start = CFUNCTYPE(None)(self.address + self.image.entry)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        # a Ctrl-C that comes meanwhile waits until the child has its default for it and this process waits for the child
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            child = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            raise
        if child == 0:
            try:
                _become_the_program((stdin, stdout, stderr))
                if self.before is not None:
                    self.before()
                start()
            finally:
                os._exit(_CANNOT_START)
        return _wait(child, timeout, lambda: signal.pthread_sigmask(signal.SIG_SETMASK, blocked))

    def capture(self, stdin: bytes | None = None, timeout: float | None = None) -> Finished:
        """Run the program on these bytes (or on this process's input), and collect its output in memory."""
        files = [os.memfd_create(name, _MFD_CLOEXEC) for name in ("stdin", "stdout", "stderr")]
        try:
            if stdin is not None:
                _write(files[0], stdin)
                os.lseek(files[0], 0, os.SEEK_SET)
            finished = self.run(0 if stdin is None else files[0], files[1], files[2], timeout)
            finished.stdout, finished.stderr = content_of(files[1]), content_of(files[2])
            return finished
        finally:
            for file in files:
                os.close(file)


def run(image: Image, stdin: int = 0, stdout: int = 1, stderr: int = 2) -> Finished:
    """Run an image in a child process of this one.  Raises CannotExecute."""
    with Loaded(image) as loaded:
        return loaded.run(stdin, stdout, stderr)


def capture(image: Image, stdin: bytes | None = None, timeout: float | None = None) -> Finished:
    """Run an image in a child process of this one and collect its output.  Raises CannotExecute."""
    with Loaded(image) as loaded:
        return loaded.capture(stdin, timeout)


def become(image: Image, name: str) -> None:
    """Replace this process by the image's program, without ctypes and without a child; returns only by raising
    CannotExecute.  The caller has flushed its streams."""
    file = sealed(image.content)
    try:
        _default_signals()
        os.execve(file, [name], dict(os.environ))
    except OSError as problem:
        os.close(file)
        raise CannotExecute(f"cannot execute from memory: {problem.strerror}") from problem


def is_traced() -> bool:
    """Whether a debugger runs this process."""
    try:
        with open("/proc/self/status", "rb") as file:
            return b"TracerPid:\t0\n" not in file.read()
    except OSError:
        return False


def sealed(content: bytes) -> int:
    """A descriptor of a file in memory with this content, which can never be written again.  Raises CannotExecute."""
    if not sys.platform.startswith("linux") or os.uname().machine != "x86_64" or sys.maxsize < 1 << 32:
        raise CannotExecute("native code runs on Linux on x86-64 alone")
    from fcntl import fcntl

    flags = _MFD_CLOEXEC | _MFD_ALLOW_SEALING
    try:
        try:
            file = os.memfd_create("septet", flags | _MFD_EXEC)
        except OSError:  # Linux before 6.3 does not know the flag
            file = os.memfd_create("septet", flags)
    except OSError as problem:
        raise CannotExecute(f"no executable memory: {problem.strerror}") from problem
    try:
        os.ftruncate(file, len(content))
        _write(file, content)
        fcntl(file, _ADD_SEALS, _SEAL_SHRINK | _SEAL_GROW | _SEAL_FUTURE_WRITE)
    except OSError as problem:
        os.close(file)
        raise CannotExecute(f"no executable memory: {problem.strerror}") from problem
    return file


def _libc() -> CDLL:
    if not _LIBC:
        from ctypes import CDLL, c_int, c_long, c_size_t, c_void_p

        libc = CDLL(None, use_errno=True)
        libc.mmap.restype = c_void_p
        libc.mmap.argtypes = [c_void_p, c_size_t, c_int, c_int, c_int, c_long]
        libc.munmap.argtypes = [c_void_p, c_size_t]
        _LIBC.append(libc)
    return _LIBC[0]


def map_memory(address: int, size: int, protection: int, flags: int, file: int = -1) -> int:
    """mmap, which may map pages past the end of a file, unlike Python's; OSError where it fails."""
    found: int | None = _libc().mmap(address, size, protection, flags, file, 0)
    if found is None or found == (1 << 64) - 1:
        from ctypes import get_errno

        raise OSError(get_errno(), os.strerror(get_errno()))
    return found


def fill(base: int, words: Iterable[tuple[int, int]]) -> None:
    """Write words at offsets from address `base`."""
    for at, word in words:
        from ctypes import c_uint64

        c_uint64.from_address(base + at).value = word


def _write(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def content_of(file: int) -> bytes:
    """All bytes of a file, wherever its position is."""
    size = os.fstat(file).st_size
    pieces = []
    at = 0
    while at < size:
        piece = os.pread(file, size - at, at)
        if not piece:
            break
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def _become_the_program(files: tuple[int, int, int]) -> None:
    """In the child: its descriptors at 0, 1 and 2, and its signals as a new program has them."""
    copies = [(number, os.dup(file)) for number, file in enumerate(files) if file != number]
    for number, copy in copies:
        os.dup2(copy, number)
        os.close(copy)
    _libc().prctl(_SET_PARENT_DEATH_SIGNAL, 9, 0, 0, 0)  # do not outlive the process that waits
    _default_signals()


def _default_signals() -> None:
    """Undo what Python and its programs have done to signals; those that the parent of this process ignores stay ignored."""
    for number in _RESET:
        if signal.getsignal(number) is not signal.SIG_IGN or number in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _wait(child: int, timeout: float | None, unblock: Callable[[], object]) -> Finished:
    try:
        unblock()
        if timeout is None or _ends_within(child, timeout):
            return Finished(os.waitpid(child, 0)[1])
        os.kill(child, 9)
        return Finished(os.waitpid(child, 0)[1], timed_out=True)
    except BaseException as problem:
        _end(child, 2 if isinstance(problem, KeyboardInterrupt) else 9)
        raise


def _end(child: int, signal: int) -> None:
    """End a child that may have ended, and been waited for, just before."""
    try:
        os.kill(child, signal)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def _ends_within(child: int, timeout: float) -> bool:
    from select import POLLIN, poll

    file = os.pidfd_open(child)
    try:
        poller = poll()
        poller.register(file, POLLIN)
        return bool(poller.poll(timeout * 1000))
    finally:
        os.close(file)
