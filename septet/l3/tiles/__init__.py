"""The tiles: which machine instructions each operation becomes.  `table` has the notation, the other modules the rows."""

from __future__ import annotations

from septet.l3.tiles import bits, conversions, floats, integers, vector_conversions, vector_floats, vectors
from septet.l3.tiles.table import ADDRESSES, TILES, Tile

__all__ = [
    "ADDRESSES",
    "TILES",
    "Tile",
    "bits",
    "conversions",
    "floats",
    "integers",
    "vector_conversions",
    "vector_floats",
    "vectors",
]
