"""The options of a compilation: one frozen object, whose digest is part of every cache key."""

from __future__ import annotations


class Options:
    """What may change the bytes that come out.  Frozen: `with_(opt=2)` gives another one."""

    __slots__ = ("opt", "fuel", "without", "target", "heap_limit", "gc_stress")
    opt: int  # -O level, 0 to 3
    fuel: tuple[tuple[str, int], ...]  # (function, how many rule and pass applications it may have)
    without: tuple[str, ...]  # names of passes that do not run
    target: str  # whose instructions may be used (see `x86.targets`)
    heap_limit: int  # bytes that the heap may have; 0 where only the machine limits it
    gc_stress: bool  # whether every allocation collects

    def __init__(
        self,
        opt: int = 2,
        fuel: tuple[tuple[str, int], ...] = (),
        without: tuple[str, ...] = (),
        target: str = "x86-64-v1",
        heap_limit: int = 0,
        gc_stress: bool = False,
    ) -> None:
        if opt not in (0, 1, 2, 3):
            raise ValueError(f"opt is {opt!r}, not 0, 1, 2 or 3")
        object.__setattr__(self, "opt", opt)
        object.__setattr__(self, "fuel", fuel)
        object.__setattr__(self, "without", without)
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "heap_limit", heap_limit)
        object.__setattr__(self, "gc_stress", gc_stress)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("options are frozen; use with_()")

    def with_(
        self,
        *,
        opt: int | None = None,
        fuel: tuple[tuple[str, int], ...] | None = None,
        without: tuple[str, ...] | None = None,
        target: str | None = None,
        heap_limit: int | None = None,
        gc_stress: bool | None = None,
    ) -> Options:
        """These options with some replaced."""
        return Options(
            self.opt if opt is None else opt,
            self.fuel if fuel is None else fuel,
            self.without if without is None else without,
            self.target if target is None else target,
            self.heap_limit if heap_limit is None else heap_limit,
            self.gc_stress if gc_stress is None else gc_stress,
        )

    def digest(self) -> str:
        """A hexadecimal digest of every option, the same on every machine."""
        from hashlib import sha256

        return sha256(repr([getattr(self, slot) for slot in self.__slots__]).encode()).hexdigest()


class Fuel:
    """Counts the rule and pass applications of one function, from 0, and refuses those past the limit."""

    __slots__ = ("used", "limit")

    def __init__(self, limit: int | None = None) -> None:
        self.used = 0
        self.limit = limit

    def spend(self) -> bool:
        """Take the next number; False where the application with that number must not happen."""
        self.used += 1
        return self.limit is None or self.used <= self.limit
