"""How a run of a program ended."""

from __future__ import annotations


class Result:
    """How a run ended: its exit status (128 + n after signal n, None where it did not end), and what it wrote."""

    __slots__ = ("status", "signal", "stdout", "stderr", "inconclusive")

    def __init__(
        self, status: int | None, stdout: bytes = b"", stderr: bytes = b"", inconclusive: str = "", signal: int = 0
    ) -> None:
        self.status = status
        self.signal = signal  # that ended a native run, or 0
        self.stdout = stdout.decode("utf-8", "replace")
        self.stderr = stderr.decode("utf-8", "replace")
        self.inconclusive = inconclusive  # why an interpreter gave up: "steps", "heap" or "stack"

    def __repr__(self) -> str:
        return f"Result(status={self.status}, stdout={self.stdout!r})"
