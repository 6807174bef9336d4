"""The `//@` notes that carry spans and passes through text: `//@ 4:7 by=linearise depth=1`.

The span comes first, as relative line and column; then `key=value` items.  Readers that meet no note use where the text
stands in the file instead.
"""

from __future__ import annotations

from septet.base.source import column_of, line_of, span


def write(place: int, by: str = "", **items: int | str) -> str:
    """The note for a span, a pass and further items, with two blanks in front; nothing where there is nothing to say."""
    words = [f"{line_of(place)}:{column_of(place)}"] if place else []
    if by:
        words.append(f"by={by}")
    words += [f"{key}={value}" for key, value in items.items()]
    return "  //@ " + " ".join(words) if words else ""


def read(text: str) -> tuple[int, dict[str, str]]:
    """The span (0 where there is none) and the items of a note; what is not understood is skipped."""
    place = 0
    items: dict[str, str] = {}
    for word in text.split():
        key, equals, value = word.partition("=")
        if equals:
            items[key] = value
        else:
            line, _, column = word.partition(":")
            if line.isdecimal() and column.isdecimal() and len(line) < 10 and len(column) < 10:
                place = span(int(line), int(column))
    return place, items


def number(items: dict[str, str], key: str, otherwise: int) -> int:
    """The number that `key` has in a note's items, or `otherwise`."""
    value = items.get(key, "")
    return int(value) if value.isdecimal() and len(value) < 10 else otherwise
