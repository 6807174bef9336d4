"""Running executables and measuring the processor time that they take.

What is measured is user-mode processor time of the whole process, as the kernel accounts for it: other load on the machine
disturbs it little, starting Python and compiling are not in it, and reading and writing count for what the program itself does.
Runs of different ways are interleaved, so that a machine that gets slower meanwhile is unfair to none.
"""

from __future__ import annotations

import os
import select
import signal
import statistics
import sys

from septet.bench.programs import Item, Trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Figures:
    """The times of one program made in one way, in seconds, in the order of the runs, and what was wrong ("": nothing)."""

    __slots__ = ("program", "way", "times", "problem")

    def __init__(self, program: str, way: str, times: Sequence[float] = (), problem: str = "") -> None:
        self.program = program
        self.way = way
        self.times = list(times)
        self.problem = problem

    @property
    def average(self) -> float:
        """The arithmetic mean."""
        return statistics.fmean(self.times)

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.times)

    @property
    def minimum(self) -> float:
        """The shortest time."""
        return min(self.times)

    @property
    def maximum(self) -> float:
        """The longest time."""
        return max(self.times)


def interleaved(item: Item, executables: dict[str, str], runs: int, warmups: int, limit: float) -> dict[str, Figures]:
    """Run each of `executables` (way -> path) `warmups` + `runs` times in turn.

    A way whose output is wrong, that a signal ends or that takes longer than `limit` seconds is not run again.
    """
    figures = {way: Figures(item.name, way) for way in executables}
    for number in range(warmups + runs):
        order = list(executables)
        for way in order if number % 2 == 0 else reversed(order):
            found = figures[way]
            if found.problem:
                continue
            seconds, status, output = run(executables[way], item.stdin, limit)
            found.problem = _problem(item, status, output)
            if number >= warmups:
                found.times.append(seconds)
    for found in figures.values():
        if found.problem:
            found.times.clear()
    return figures


def run(executable: str, stdin: str, limit: float) -> tuple[float, int | None, bytes]:
    """Run `executable` on the file `stdin`: user-mode seconds, its status as wait gives it (None: it was stopped after `limit`
    seconds), and its output.  Trouble where the system refuses to run it."""
    output = os.memfd_create("output")
    try:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, stdin or os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        try:
            child = os.posix_spawn(executable, [executable], {}, file_actions=actions)
        except OSError as problem:
            raise Trouble(f"{executable} cannot be run: {problem.strerror}") from None
        stopped = not _ends(child, limit)
        _, status, usage = os.wait4(child, 0)
        os.lseek(output, 0, os.SEEK_SET)
        with open(output, "rb", closefd=False) as file:
            return usage.ru_utime, None if stopped else status, file.read()
    finally:
        os.close(output)


def check_machine() -> None:
    """Trouble where this machine cannot run what Septet makes."""
    if not sys.platform.startswith("linux") or os.uname().machine != "x86_64":
        raise Trouble("measuring run time needs Linux on x86-64; --compile and --checks do without")


def _ends(child: int, limit: float) -> bool:
    """Whether `child` ends within `limit` seconds; else, and where this process is interrupted, it is killed."""
    descriptor = os.pidfd_open(child)
    ended = False
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        ended = bool(poll.poll(limit * 1000))
    finally:
        if not ended:
            os.kill(child, signal.SIGKILL)
        os.close(descriptor)
    return ended


def _problem(item: Item, status: int | None, output: bytes) -> str:
    if status is None:
        return "too slow"
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    if item.expected is not None and output != item.expected:
        return "wrong output"
    if item.expected is None and os.WEXITSTATUS(status):
        return f"status {os.WEXITSTATUS(status)}"
    return ""
