"""Running a whole program: in this process's memory, else as an executable, else in the IR interpreter."""

from __future__ import annotations

import os
import sys

from septet.link.jit import CannotExecute, Finished, Loaded, content_of, is_traced
from septet.pipeline import LANGUAGES, NAMED, module
from septet.result import Result
from septet.x86.targets import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.program import Program


def run(program: Program, stdin: bytes | None = None, capture: bool = False, debug: bool = False, perf: bool = False) -> Result:
    """Run `program` natively in a forked child; fall back, with one note on stderr, where that is refused.

    With `debug`, or where a debugger runs this process, it is told of the code; with `perf` the child writes jit-PID.dump here.

    Without `stdin` and `capture` the streams are this process's.  A child that a signal ended gives status 128 + signal.
    Rejected where the program is for a target that this machine lacks something of.
    """
    if not sys.platform.startswith("linux") or os.uname().machine != "x86_64":
        return _interpret(program, stdin, capture, "native code needs Linux on x86-64")
    require(program.options.target)
    debug = debug or is_traced()
    addresses = program.addresses
    try:
        loaded = Loaded(program.image, breakable=debug, addresses=addresses)
    except CannotExecute as problem:
        return _as_executable(program, stdin, capture, str(problem))
    with loaded:
        if debug:
            module("septet.link.debugger").prepare()
        if debug or perf:
            loaded.before = lambda: _tell(loaded, program, debug, perf)
        return _result(loaded.capture(stdin) if capture or stdin is not None else loaded.run(), capture)


def _tell(loaded: Loaded, program: Program, debug: bool, perf: bool) -> None:
    """In the child that will run the program: tell gdb and perf of its code."""
    what = loaded.address, loaded.image, program.codes, program.line_file
    if debug:
        module("septet.link.debugger").register(*what)
    if perf:
        try:
            module("septet.link.profile").JitDump(os.environ.get("JITDUMPDIR", ".")).add(*what)
        except OSError as problem:
            _note(f"nothing for perf: {problem.strerror}")


def interpret_here(program: Program, stage: str, steps: int | None) -> int:
    """Run `program` in the interpreter of `stage` on this process's streams; the exit status, 1 where it gave up."""
    model = module("septet.runtime.model")
    out, error = sys.stdout.buffer, sys.stderr.buffer

    def write(content: bytes) -> None:
        out.write(content)
        out.flush()

    def complain(text: str) -> int:
        sys.stderr.write(f"septet: {text}\n")
        return 1

    runtime = model.Runtime(
        _more_input, write, lambda content: (error.write(content), error.flush()), line_buffered=sys.stdout.isatty()
    )
    try:
        NAMED[stage].room("interpret").run(program.stage(stage), runtime, steps)
        runtime.flush()
    except model.Exit as end:
        status: int = end.status
        return status
    except model.Inconclusive as end:
        runtime.flush()
        return complain(f"the {stage.upper()} interpreter ran out of {end.reason}")
    except model.Fault as fault:
        runtime.flush()
        return complain(f"the program is broken: {fault}")
    return 0


def _as_executable(program: Program, stdin: bytes | None, capture: bool, why: str) -> Result:
    """Run `program` as an executable in a temporary folder, and in the IR interpreter where that is refused too."""
    from shutil import rmtree
    from tempfile import mkdtemp

    folder = mkdtemp(prefix="septet-")
    try:
        path = os.path.join(folder, "program")
        program.save(path)
        note = f"{why}; running an executable instead"
        return _spawn(path, stdin, capture, note)
    except OSError as problem:
        return _interpret(program, stdin, capture, f"{why}, and executables are refused ({problem.strerror})")
    finally:
        rmtree(folder, ignore_errors=True)


def _spawn(path: str, stdin: bytes | None, capture: bool, note: str) -> Result:
    """Run the executable at `path`.  OSError where the system refuses to."""
    streams = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
    try:
        actions: list[tuple[int, int, int]] = []
        if stdin is not None:
            with open(streams[0], "wb", closefd=False) as file:
                file.write(stdin)
            os.lseek(streams[0], 0, os.SEEK_SET)
            actions.append((os.POSIX_SPAWN_DUP2, streams[0], 0))
        if capture:
            actions += [(os.POSIX_SPAWN_DUP2, streams[1], 1), (os.POSIX_SPAWN_DUP2, streams[2], 2)]
        sys.stdout.flush()
        child = os.posix_spawn(path, [path], os.environ, file_actions=actions, setsigdef=_catchable())
        _note(note)
        finished = Finished(os.waitpid(child, 0)[1])
        if capture:
            finished.stdout, finished.stderr = (content_of(stream) for stream in streams[1:])
        return _result(finished, capture)
    finally:
        for stream in streams:
            os.close(stream)


def _catchable() -> list[int]:
    import signal

    return [signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ]


def _interpret(program: Program, stdin: bytes | None, capture: bool, why: str) -> Result:
    stage = program.language if LANGUAGES.index(program.language) > LANGUAGES.index("ir") else "ir"
    _note(f"{why}; running in the {stage.upper()} interpreter")
    if capture or stdin is not None:
        result = program.interpret(stage, b"" if stdin is None and not capture else _all_input(stdin))
        if not capture:
            sys.stdout.write(result.stdout)
            sys.stderr.write(result.stderr)
        return result
    return Result(interpret_here(program, stage, None))


def _all_input(stdin: bytes | None) -> bytes:
    return sys.stdin.buffer.read() if stdin is None else stdin


def _more_input() -> bytes:
    """Some more of this process's standard input; nothing at its end, or where it is closed."""
    return b"" if sys.stdin is None else os.read(sys.stdin.fileno(), 1 << 16)


def _note(text: str) -> None:
    sys.stderr.write(f"septet: note: {text}\n")
    sys.stderr.flush()


def _result(finished: Finished, capture: bool) -> Result:
    if finished.signal in _SIGNALS and not capture:
        _note(f"the program was stopped by {_SIGNALS[finished.signal]}")
    return Result(finished.status, finished.stdout, finished.stderr, signal=finished.signal)


_SIGNALS = {
    4: "SIGILL (an illegal instruction)",
    7: "SIGBUS (no memory behind an address)",
    8: "SIGFPE (a division by zero or one that overflows)",
    9: "SIGKILL (perhaps for want of memory)",
    11: "SIGSEGV (a wild address)",
}
