"""Course-form checks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ir.nodes import Function


def recognise_checks(function: Function) -> bool:
    return False
