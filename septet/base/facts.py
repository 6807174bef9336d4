"""What a pass may read besides the function it changes, and where it says what it did."""

from __future__ import annotations

from septet.base.remarks import Remark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.base.options import Fuel


class Facts:
    """Given to every pass.  `program` is for reading signatures and data alone."""

    __slots__ = ("program", "fuel", "remarks", "by")

    def __init__(self, program: Any, fuel: Fuel, remarks: list[Remark] | None = None, by: str = "") -> None:
        self.program = program
        self.fuel = fuel
        self.remarks = [] if remarks is None else remarks
        self.by = by  # the name of the pass that is running

    def remark(self, function: str, span: int, what: str, why: str = "", **numbers: int) -> None:
        """Say once that something was done or refused at `span`, and why."""
        self.remarks.append(Remark(self.by, function, span, what, why, numbers))
