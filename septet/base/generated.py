"""Python that is generated from tables: taken ready-made from the wheel, or generated in memory in a source checkout.

The build writes `septet/_generated/NAME.py`, the same text that `generate` gives here, so that an installed compiler neither
generates nor compiles it when it starts.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def load(name: str, generate: Callable[[], str]) -> ModuleType:
    """The module of that name: `septet._generated.NAME` where the build made one, else what `generate`'s text defines."""
    full = f"septet._generated.{name}"
    found = sys.modules.get(full)
    if found is not None:
        return found
    try:
        __import__(full)
        return sys.modules[full]
    except ModuleNotFoundError as problem:
        if problem.name not in ("septet._generated", full):
            raise
    module = type(sys)(full, "Generated in memory.")
    exec(compile(generate(), f"<generated {name}>", "exec"), module.__dict__)
    sys.modules[full] = module
    return module
