"""Where things stand in a source text.

A *span* is one int: the line relative to the first line of the function it is in (the header's line is 0), and the
column, 1-based, in characters.  Being relative, it does not change when lines are inserted above the function.
0 means unknown; every real span is positive because columns start at 1.
"""

from __future__ import annotations

COLUMN_BITS = 16
COLUMN_MASK = (1 << COLUMN_BITS) - 1


def span(line: int, column: int) -> int:
    """The span of `column` (1-based) on relative `line`; columns past 65535 are kept as 65535."""
    return line << COLUMN_BITS | min(column, COLUMN_MASK)


def line_of(place: int) -> int:
    """The relative line of a span."""
    return place >> COLUMN_BITS


def column_of(place: int) -> int:
    """The column of a span, 1-based; 0 where unknown."""
    return place & COLUMN_MASK


class Source:
    """A text and the name it is shown under.  Lines and columns are 1-based."""

    __slots__ = ("name", "text", "_lines")

    def __init__(self, text: str, name: str = "<text>") -> None:
        self.name = name
        self.text = text
        self._lines: list[str] | None = None

    @property
    def lines(self) -> list[str]:
        """The text's lines, without their ends."""
        if self._lines is None:
            self._lines = self.text.split("\n")
        return self._lines

    @classmethod
    def read(cls, path: str) -> Source:
        """The source in file `path`.  Bytes that are not UTF-8 become lone surrogates.  OSError as `open` raises it."""
        with open(path, "rb") as file:
            return cls(file.read().decode("utf-8", "surrogateescape"), path)


class Place:
    """A piece of one line of a source: where a diagnostic points."""

    __slots__ = ("source", "line", "column", "length")

    def __init__(self, source: Source, line: int, column: int, length: int = 1) -> None:
        self.source = source
        self.line = line
        self.column = column
        self.length = length


def locate(source: Source | None, first_line: int, place: int, text: str = "") -> Place | None:
    """Where a span of the function whose header is on `first_line` stands in `source`; `text`, looked for from there on in
    that line, narrows it down.  None without a source or a span."""
    if source is None or not place:
        return None
    number = first_line + line_of(place)
    column = max(column_of(place), 1)
    if not text or number > len(source.lines):
        return Place(source, number, column)
    import re

    found = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(text)}(?![A-Za-z0-9_])").search(source.lines[number - 1], column - 1)
    return Place(source, number, found.start() + 1, len(text)) if found else Place(source, number, column)
