"""Names the compiler makes: fresh in their function, and the same on every run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Fresh:
    """Makes names that no one in the function has used yet: the stem itself, then `stem_1`, `stem_2`, and so on."""

    __slots__ = ("taken", "last")

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self.last: dict[str, int] = {}

    def __call__(self, stem: str) -> str:
        """A name not handed out or taken before, made from `stem`."""
        taken = self.taken
        name = stem
        if name in taken:
            number = self.last.get(stem, 0)
            while name in taken:
                number += 1
                name = f"{stem}_{number}"
            self.last[stem] = number
        taken.add(name)
        return name
