"""The example in docs/howto/build-ir.md does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

GUIDE = Path(__file__).parent.parent.parent / "docs" / "howto" / "build-ir.md"


def test_the_example_runs() -> None:
    example = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    scope: dict[str, Any] = {}
    exec(compile(example[1], str(GUIDE), "exec"), scope)
    numbers = scope["array"]("d", [1, 2, 3])
    assert scope["native"].dot(numbers, numbers) == 14.0
