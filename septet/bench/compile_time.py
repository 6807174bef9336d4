"""How long programs take to compile, step by step, and how much memory that takes.

Each program is compiled in a forked child of its own: once for its peak memory, then again and again for its times.  Importing
the compiler, and in a checkout generating its tables, is not measured.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import traceback
from time import perf_counter_ns

from septet.base.options import Options
from septet.base.source import Source
from septet.bench.measure import Figures
from septet.bench.programs import Item, Trouble
from septet.bench.report import table
from septet.program import Program
from septet.watchers import Time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

FRONT, LINK, REST = "read", "link", "the rest"

_WARM = """int64 warm(int64[] a, tuple t) {
  int64 i, s, n
  n <- length a 0
  while (i < n) :body :done
  :body
  s <- a[i]
  a[i] <- i
  t[0] <- s
  i <- i + 1
  continue
  :done
  return s
}
void main() {
  int64[] a
  tuple t
  int64 s
  a <- new Array(3)
  t <- new Tuple(1)
  s <- warm(a, t)
  print(s)
}
"""


class Compiled:
    """How compiling one program went: seconds of each run, its lines, bytes of code, nanoseconds of each step (averages over
    the runs, in the order of the steps), and the peak memory of the whole process in megabytes."""

    __slots__ = ("figures", "lines", "size", "steps", "megabytes")

    def __init__(self, figures: Figures, lines: int, size: int, steps: dict[str, float], megabytes: float) -> None:
        self.figures = figures
        self.lines = lines
        self.size = size
        self.steps = steps
        self.megabytes = megabytes


def measure(item: Item, way: str, options: Options, runs: int) -> Compiled:
    """Compile `item` `runs` times.  Rejected, OSError, Trouble."""
    source = Source.read(item.path)
    Program(source, item.language, options)  # what is wrong with it is said here
    found = _in_child(lambda: _compile(source, item.language, options, runs))
    figures = Figures(item.name, way, found["times"])
    return Compiled(figures, len(source.lines), found["size"], found["steps"], found["megabytes"])


def report(found: Sequence[Compiled]) -> str:
    """A row a program, then a row a step for all of them together."""
    rows = []
    for each in found:
        median = each.figures.median
        rows.append(
            [
                each.figures.program,
                f"{each.lines:,}",
                f"{median * 1e3:.2f}",
                f"{each.figures.minimum * 1e3:.2f}",
                f"{each.figures.maximum * 1e3:.2f}",
                f"{each.lines / median:,.0f}" if median else "",
                f"{each.size:,}",
                f"{each.megabytes:.1f}",
            ]
        )
    programs = table(["program", "lines", "median ms", "min", "max", "lines/s", "bytes", "peak MB"], rows)
    lines = sum(each.lines for each in found)
    steps: dict[str, float] = {}
    for each in found:
        for name, spent in each.steps.items():
            steps[name] = steps.get(name, 0.0) + spent
    total = sum(steps.values()) or 1
    rows = [
        [name, f"{spent / 1e6:.2f}", f"{spent / total:.1%}", f"{spent / 1e3 / max(lines, 1):.2f}"]
        for name, spent in steps.items()
    ]
    rows.append(["all", f"{total / 1e6:.2f}", "", f"{total / 1e3 / max(lines, 1):.2f}"])
    speed = f"{lines:,} lines, {lines / (total / 1e9):,.0f} lines/s"
    return f"{programs}\n\n{table(['step', 'ms', 'share', 'us/line'], rows)}\n\n{speed}"


def csv(found: Sequence[Compiled]) -> str:
    """A line a program and step, milliseconds; the step `all` is the whole."""
    lines = ["program,way,lines,bytes,peak_megabytes,step,milliseconds"]
    for each in found:
        start = f"{each.figures.program},{each.figures.way},{each.lines},{each.size},{each.megabytes:.2f}"
        lines += [f"{start},{name},{spent / 1e6:.4f}" for name, spent in each.steps.items()]
        lines.append(f"{start},all,{each.figures.median * 1e3:.4f}")
    return "\n".join(lines) + "\n"


def _compile(source: Source, language: str, options: Options, runs: int) -> dict[str, Any]:
    _ = Program(Source(_WARM), "lb", options).image
    size = sum(len(code.content) for code in Program(source, language, options).codes)
    megabytes = _peak_memory()
    times: list[float] = []
    steps: list[dict[str, int]] = []
    for _ in range(runs):
        gc.collect()
        watch = Time()
        began = perf_counter_ns()
        program = Program(source, language, options, [watch])
        read = perf_counter_ns()
        _ = program.codes
        compiled = perf_counter_ns()
        _ = program.image
        ended = perf_counter_ns()
        times.append((ended - began) / 1e9)
        rest = compiled - read - sum(watch.spent.values())
        steps.append({FRONT: read - began, **watch.spent, REST: rest, LINK: ended - compiled})
    average = {name: statistics.fmean(each.get(name, 0) for each in steps) for name in steps[0]}
    return {"times": times, "steps": average, "size": size, "megabytes": megabytes}


def _in_child(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` returns, called in a forked child.  Trouble where it fails there."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with open(writer, "w", encoding="utf-8") as pipe:
                json.dump(work(), pipe)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader, encoding="utf-8") as pipe:
        text = pipe.read()
    if os.waitpid(child, 0)[1]:
        raise Trouble("the compiler failed")
    found: dict[str, Any] = json.loads(text)
    return found


def _peak_memory() -> float:
    """The most memory that this process has had, in megabytes; 0 where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            line = next(line for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0.0
    return int(line.split()[1]) / 1024
