"""Build hook: puts into the wheel what a source checkout generates in memory at every start."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Writes `septet/_generated/<name>.py` for every generated module, each with the digest of its sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generate the modules into a temporary folder and have the wheel include them (not an editable install)."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from septet.pipeline import GENERATED, generated

        folder = Path(tempfile.mkdtemp(prefix="septet-generated-"))
        for name in GENERATED:
            path = folder / f"{name}.py"
            path.write_text(generated(name), encoding="utf-8")
            build_data["force_include"][str(path)] = f"septet/_generated/{name}.py"
