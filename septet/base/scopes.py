"""What is known where: facts found in a block hold in all blocks that it dominates, and nowhere else."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Scopes:
    """Takes what tables learn in a block out of them again when a block is entered that the first does not dominate.

    Blocks may come in any order.  One whose parent in the dominator tree has not come yet, or has been left for good, begins
    with empty tables.  Every fact goes in and out once, so this takes linear time.
    """

    __slots__ = ("learned", "open")

    def __init__(self) -> None:
        self.learned: list[tuple[dict[Any, Any], Any]] = []  # tables and keys; whoever enters a fact appends it here
        self.open: dict[object, int] = {}  # the blocks facts of which hold, outermost first; how many facts were there before

    def enter(self, block: object, parent: object) -> None:
        """Go on in `block`, whose parent in the dominator tree is `parent`: itself for the entry, -1 where it has none."""
        learned, open = self.learned, self.open
        known = parent in open
        while open and (not known or next(reversed(open)) != parent):
            _, before = open.popitem()
            while len(learned) > before:
                table, key = learned.pop()
                del table[key]
        open[block] = len(learned)

    def close(self) -> None:
        """Control does not go on: what is learned before the next block is entered holds nowhere."""
        self.open.setdefault(None, len(self.learned))
