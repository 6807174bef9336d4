"""Remarks: what a pass did or refused that a user could care about, as data."""

from __future__ import annotations


class Remark:
    """`by` a pass, about the code at `span` of function `function`: what was done (or not), why, and the numbers behind it."""

    __slots__ = ("by", "function", "span", "what", "why", "numbers")

    def __init__(
        self, by: str, function: str, span: int, what: str, why: str = "", numbers: dict[str, int] | None = None
    ) -> None:
        self.by = by
        self.function = function
        self.span = span
        self.what = what
        self.why = why
        self.numbers = numbers or {}
