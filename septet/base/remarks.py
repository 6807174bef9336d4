"""Remarks: what a pass did or refused that a user could care about, as data."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.symbols import Line


class Remark:
    """`by` a pass, about the code at `span` of function `function`: what was done (or not), why, and the numbers behind it.

    `origin` is the line of the function that the code was inlined from, where it was and that is known."""

    __slots__ = ("by", "function", "span", "what", "why", "numbers", "origin")

    def __init__(
        self,
        by: str,
        function: str,
        span: int,
        what: str,
        why: str = "",
        numbers: dict[str, int] | None = None,
        origin: Line | None = None,
    ) -> None:
        self.by = by
        self.function = function
        self.span = span
        self.what = what
        self.why = why
        self.numbers = numbers or {}
        self.origin = origin
