"""Copies that happen all at once, as copies one after the other."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def in_sequence(pairs: list[tuple[Any, Any]], temporary: Callable[[Any], Any]) -> list[tuple[Any, Any]]:
    """`pairs` of a variable and what it gets, all hashable, reordered so that every variable is read before it is overwritten.

    A target stands once.  In a cycle (`a, b <- b, a`) one value is moved to a `temporary` first.  Linear time; the method is
    that of Leroy and others, Tilting at Windmills with Coq (2008): first what nobody reads any more, then break a cycle.
    """
    pairs = [pair for pair in pairs if pair[0] is not pair[1]]
    source_of: dict[Any, Any] = dict(pairs)
    readers: dict[Any, int] = dict.fromkeys(source_of, 0)
    for _, source in pairs:
        if source in readers:
            readers[source] += 1
    if not any(readers.values()):
        return pairs
    result: list[tuple[Any, Any]] = []
    ready = [target for target, count in readers.items() if not count]
    moved: dict[Any, Any] = {}
    for first in source_of:
        while True:
            while ready:
                target = ready.pop()
                source = source_of[target]
                readers[target] = -1  # done
                if source in readers:
                    result.append((target, moved.get(source, source)))
                    if source not in moved:
                        readers[source] -= 1
                        if not readers[source]:
                            ready.append(source)
                else:
                    result.append((target, source))
            if readers[first] < 0:
                break
            spare = moved[first] = temporary(first)
            result.append((spare, first))
            readers[first] = 0
            ready.append(first)
    return result
