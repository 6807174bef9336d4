"""Importing without Python's collector, which would look again and again at what is there until the end anyway."""

from __future__ import annotations

import gc


def settle() -> None:
    """Count all objects that are there as old.

    Freezing and unfreezing moves them to the oldest generation, in no time; not where the program has frozen some of its own.
    """
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()


class Lasting:
    """`with Lasting():` around imports: what is made inside counts as old afterwards, and is not looked at soon."""

    __slots__ = ("_collecting",)

    def __enter__(self) -> None:
        self._collecting = gc.isenabled()
        gc.disable()

    def __exit__(self, *what: object) -> None:
        settle()
        if self._collecting:
            gc.enable()
