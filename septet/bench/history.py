"""Results kept in files, and compared with earlier ones.

{"format": 1, "kind": "run", "date": ..., "machine": {...}, "interpreter": ..., "septet": ..., "command": ...,
 "results": [{"program": "matmul", "way": "septet-O2", "times": [0.583, 0.581], "problem": ""}, ...]}
"""

from __future__ import annotations

import json
import os
import platform
import time

from septet import __version__
from septet.base.files import write
from septet.bench.measure import Figures
from septet.bench.programs import Trouble
from septet.bench.report import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

FORMAT = 1


def save(path: str, kind: str, command: str, results: Sequence[Figures]) -> None:
    """Write `results` of `kind` ("run" or "compile") to `path`.  OSError."""
    content = {
        "format": FORMAT,
        "kind": kind,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
        "septet": __version__,
        "command": command,
        "results": [
            {"program": found.program, "way": found.way, "times": found.times, "problem": found.problem} for found in results
        ],
    }
    write(path, (json.dumps(content, indent=1) + "\n").encode())


def machine() -> dict[str, Any]:
    """The processor, how many of them, and the system."""
    cpu = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            cpu = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), cpu)
    except OSError:
        pass
    return {"cpu": cpu, "cores": os.cpu_count() or 1, "system": f"{platform.system()} {platform.release()}"}


def load(path: str, kind: str) -> tuple[dict[str, Any], list[Figures]]:
    """What `save` wrote to `path`.  OSError; Trouble where the file is none of those, or of another kind."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise Trouble(f"{path}: format {content['format']}, not {FORMAT}")
        found = [
            Figures(str(r["program"]), str(r["way"]), list(map(float, r["times"])), str(r["problem"]))
            for r in content["results"]
        ]
        was = content["kind"]
    except (ValueError, KeyError, TypeError):
        raise Trouble(f"{path}: not a result that septet bench --save wrote") from None
    if was != kind:
        raise Trouble(f"{path}: measures {was} time, not {kind} time")
    return content, found


def compare(results: Sequence[Figures], old: Sequence[Figures], budget: float) -> tuple[str, int]:
    """A table of what Septet's figures were and are, and how many got worse by more than `budget` (0.05: 5%).

    Worse is what both the median and the minimum say: one slow run on a busy machine is not a regression.  A program that went
    right and now does not is one; a rival's figures are not compared.
    """
    before = {(found.program, found.way): found for found in old if found.times}
    rows, worse = [], 0
    for found in results:
        was = before.get((found.program, found.way))
        if was is None or not found.way.startswith("septet"):
            continue
        if not found.times:
            worse += 1
            rows.append([found.program, found.way, f"{was.median:.4f}", "", found.problem, "REGRESSION"])
            continue
        change = found.median / was.median - 1 if was.median else 0.0
        slower = found.median > was.median * (1 + budget) and found.minimum > was.minimum * (1 + budget)
        worse += slower
        verdict = "REGRESSION" if slower else "better" if change < -budget else ""
        rows.append([found.program, found.way, f"{was.median:.4f}", f"{found.median:.4f}", f"{change:+.1%}", verdict])
    if not rows:
        raise Trouble("nothing here was measured in the baseline too")
    return table(["program", "way", "was s", "is s", "change", ""], rows), worse
