"""What the compiler says about bad input: where, what is wrong, what was expected, what may have been meant."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from septet.base.source import Place

MOST = 20  # diagnostics reported in one go
WIDTH = 100  # columns of a source line shown around the caret
_BOLD, _RED, _BLUE, _OFF = "\x1b[1m", "\x1b[1;31m", "\x1b[1;34m", "\x1b[0m"


class Diagnostic:
    """One complaint.  `also` are further places with a remark each (the other of two declarations, say)."""

    __slots__ = ("message", "place", "hint", "also")

    def __init__(
        self, message: str, place: Place | None = None, hint: str = "", also: Sequence[tuple[Place, str]] = ()
    ) -> None:
        self.message = message
        self.place = place
        self.hint = hint
        self.also = also

    def render(self, color: bool = False) -> str:
        """The diagnostic as text: `file:line:column: error: message`, the line, a caret, then hint and other places."""
        bold, red, blue, off = (_BOLD, _RED, _BLUE, _OFF) if color else ("", "", "", "")
        where = f"{_where(self.place)}: " if self.place else ""
        out = [f"{bold}{where}{red}error:{off}{bold} {self.message}{off}"]
        if self.place:
            out += _excerpt(self.place, red, off)
        if self.hint:
            out.append(f"  {blue}help:{off} {self.hint}")
        for place, remark in self.also:
            out.append(f"{bold}{_where(place)}: {blue}note:{off} {remark}")
            out += _excerpt(place, blue, off)
        return "\n".join(out)


class Rejected(Exception):
    """The input is not a program: `diagnostics` says why."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics[0].message if diagnostics else "rejected")
        self.diagnostics = list(diagnostics)

    def __str__(self) -> str:
        return self.render()

    def render(self, color: bool = False) -> str:
        """All diagnostics as text, at most `MOST` of them."""
        shown = [d.render(color) for d in self.diagnostics[:MOST]]
        if len(self.diagnostics) > MOST:
            shown.append(f"... and {len(self.diagnostics) - MOST} more errors")
        return "\n".join(shown)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest of `known` to `name`, or nothing."""
    if len(name) > 64:
        return ""
    from difflib import get_close_matches

    near = get_close_matches(name, [k for k in known if len(k) <= 64][:5000], 1, 0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def _where(place: Place) -> str:
    return f"{_printable(place.source.name)}:{place.line}:{place.column}"


def _printable(text: str) -> str:
    """`text` with everything a terminal could choke on replaced, one character for one."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in text)


def _excerpt(place: Place, ink: str, off: str) -> list[str]:
    lines = place.source.lines
    if not 1 <= place.line <= len(lines):
        return []
    line = lines[place.line - 1]
    at = min(place.column - 1, len(line))
    start = max(0, at - WIDTH // 2) if at > WIDTH - 10 else 0
    shown = _printable(line[start : start + WIDTH].rstrip("\r"))
    before = shown[: at - start]
    marked = shown[at - start : at - start + place.length]
    lead, tail = "..." * (start > 0), "..." * (len(line) > start + WIDTH)
    gutter = f"{place.line:5} | "
    pad = " " * (len(gutter) + len(lead)) + "".join("\t" if c == "\t" else " " * _columns(c) for c in before)
    caret = "^" + "~" * (sum(map(_columns, marked)) - 1)
    return [f"{gutter}{lead}{shown}{tail}", f"{pad}{ink}{caret}{off}"]


def _columns(character: str) -> int:
    """How many columns of a terminal a character takes."""
    if character.isascii():
        return 1
    from unicodedata import combining, east_asian_width

    return 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
