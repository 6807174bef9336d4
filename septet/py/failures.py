"""What a hosted function's failure is in Python: an exception that says what went wrong and on which line."""

from __future__ import annotations

from septet.ops.routines import TRAPS

_WHAT: dict[str, tuple[type[Exception], str]] = {
    "division-error": (ZeroDivisionError, "division by zero"),
    "tensor-error": (IndexError, "index {1} is not in the range of {0} elements"),
    "tuple-error": (IndexError, "index {1} is not in the range of {0} elements"),
    "dimension-error": (IndexError, "there is no dimension {1} of {0}"),
    "kind-error": (TypeError, "a value is not of the kind that is wanted"),
    "length-error": (ValueError, "there can be no array of that length"),
    "conversion-error": (OverflowError, "a number is not in the range of the integers it is converted to"),
    "stack-error": (RecursionError, "calls go deeper than the stack of this thread"),
}


def failure(name: str, path: str, kind: int, line: int, what: int, other: int) -> Exception:
    """The exception for what `trap` was told in function `name`: the kind, the encoded line, and two words."""
    routine = TRAPS[kind >> 3]
    exception, message = _WHAT[routine]
    if routine == "tensor-error" and kind & 7 == 1:
        exception, message = ValueError, "an address is null"
    number = line >> 1
    place = f", {path.rpartition('/')[2] or '<text>'}:{number}" if number > 0 else ""
    return exception(f"{message.format(what, other)} (in {name}{place})")
