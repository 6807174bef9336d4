"""What a pass may read besides the function it changes, and where it says what it did."""

from __future__ import annotations

from septet.base.remarks import Remark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeVar

    from septet.base.options import Fuel

    Analysis = TypeVar("Analysis")


class Known:
    """What is known about a program besides its functions: a summary of each function whose arrays phase is done, and facts
    found in all functions together before the first pass.  Empty where a level does without."""

    __slots__ = ("summaries", "words", "arguments", "bodies")

    def __init__(self) -> None:
        self.summaries: dict[str, Any] = {}
        self.words: Any = None  # which words are surely encoded integers (ir.analyses.representation)
        self.arguments: Any = None  # what constants callers pass (ir.analyses.arguments)
        self.bodies: dict[Any, Any] = {}  # what inlining has found out about the summaries' bodies


class Stale(Exception):  # noqa: N818
    """A pass said that it keeps an analysis, and did not."""


class Facts:
    """Given to every pass.  `program` is for reading signatures and data alone."""

    __slots__ = (
        "program", "fuel", "remarks", "by", "opt", "function", "known", "used", "changes", "done", "_analyses", "_opcodes",
    )  # fmt: skip

    def __init__(
        self,
        program: Any,
        fuel: Fuel,
        remarks: list[Remark] | None = None,
        by: str = "",
        *,
        function: Any = None,
        opt: int = 2,
        known: Known | None = None,
    ) -> None:
        self.program = program
        self.fuel = fuel
        self.remarks = [] if remarks is None else remarks
        self.by = by  # the name of the pass that is running
        self.opt = opt  # the -O level, for limits on growth
        self.function = function  # the one that is being changed
        self.known = known or Known()
        self.used: dict[str, None] = {}  # the functions whose summaries were asked for
        self.changes = 0  # how many passes have changed the function
        self.done: dict[str, int] = {}  # for a pass, how many had when it had nothing to do, or nothing any more
        self._analyses: dict[Any, Any] = {}
        self._opcodes: tuple[int, set[Any]] = (-1, set())

    @property
    def words(self) -> Any:
        """Which words are surely encoded integers or references of their kind; None where that was not found out."""
        return self.known.words

    @property
    def arguments(self) -> Any:
        """The constants that callers pass; None where that was not found out."""
        return self.known.arguments

    def get(self, kind: type[Analysis]) -> Analysis:
        """Analysis `kind` of the function as it is now: computed if it is not known, or has been dropped since."""
        found: Analysis | None = self._analyses.get(kind)
        if found is None:
            found = self._analyses[kind] = kind(self.function, self)  # type: ignore[call-arg]
        return found

    def drop(self, keeps: Sequence[Any] = (), recheck: bool = False) -> None:
        """Forget all analyses but those in `keeps` and those that last, as the function has changed.

        One that `LASTS` speaks of each value by itself, and goes on to answer as long as values mean what they did (see
        `forget`).  With `recheck` those that stay are computed anew and compared, by their `state()` or by what says `agrees`:
        Stale where one is not what it was."""
        kept = {kind: found for kind, found in self._analyses.items() if kind in keeps or getattr(kind, "LASTS", False)}
        self._analyses = kept
        if recheck:
            for kind, found in kept.items():
                fresh = kind(self.function, self)
                if not found.agrees(fresh) if kind not in keeps else found.state() != fresh.state():
                    raise Stale(f"{self.by} does not keep {kind.__name__} in {self.function.name}")

    def forget(self, kind: Any) -> None:
        """Forget an analysis that lasts: values mean something else now."""
        self._analyses.pop(kind, None)

    def opcodes(self) -> set[Any]:
        """The opcodes that stand in the function's blocks, as it is between two passes."""
        if self._opcodes[0] != self.changes:
            found: set[Any] = set()
            for block in self.function.blocks:
                found.update([value.op for value in block.body])
            self._opcodes = self.changes, found
        return self._opcodes[1]

    def summary(self, name: str) -> Any:
        """What is known about function `name`; None where nothing is: it is in this function's component, or not there."""
        self.used[name] = None
        return self.known.summaries.get(name)

    def remark(self, function: str, span: int, what: str, why: str = "", **numbers: int) -> None:
        """Say once that something was done or refused at `span`, and why."""
        self.remarks.append(Remark(self.by, function, span, what, why, numbers))

    def remark_check(self, function: str, check: Any, done: str, why: str) -> None:
        """Say what was done to a check, or not, and why; of one that was inlined, from where."""
        origin = check.line if getattr(check.line, "function", "") else None
        self.remarks.append(Remark(self.by, function, check.span, f"{check.op} {done}", why, None, origin))
