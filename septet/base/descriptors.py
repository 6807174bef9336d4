"""Descriptors: what stands 8 bytes in front of every object and function.

The low 32 bits say what it is; the high 32 bits are a function's encoded first line, and reserved for the collector in
objects.
"""

from __future__ import annotations

RAW, ARRAY, TUPLE, FUNCTION = range(1, 5)  # low byte


def descriptor(kind: int, count: int = 0) -> int:
    """The low 32 bits of a descriptor: an array's rank or a function's arity goes above the kind."""
    return count << 8 | kind
