"""Figures as a table, as CSV, and boiled down to geometric means of ratios."""

from __future__ import annotations

import math

from septet.bench.measure import Figures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SHORT = 0.010  # seconds: where everybody is faster than this, a ratio says little and is left out of the means


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text in columns, the first one to the left and the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [f"{row[0]:{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def run_table(results: Sequence[dict[str, Figures]], ways: Sequence[str]) -> str:
    """Run times: a row a program, the first of `ways` in full, the others with the ratio of its median to theirs."""
    first, *others = ways
    head = ["program", f"{first} median", "average", "min", "max"]
    for way in others:
        head += [way, "ratio"]
    rows = []
    for result in results:
        own = result[first]
        row = [own.program, *(_figures(own) or [own.problem, "", "", ""])]
        for way in others:
            rival = result.get(way)
            found = ratio(own, rival)
            row.append("-" if rival is None else rival.problem or seconds(rival.median))
            row.append("" if found is None else f"{found:.2f}" if counts(own, rival) else f"({found:.2f})")
        rows.append(row)
    if others and results:
        row = ["geometric mean", "", "", "", ""]
        for way in others:
            mean = geometric_mean(results, first, way)
            row += ["", f"{mean:.2f}" if mean else "-"]
        rows.append(row)
    return table(head, rows)


def run_csv(results: Sequence[dict[str, Figures]]) -> str:
    """Run times, a line for each program and way, seconds; the ratio is of the first way's median to this one's."""
    lines = ["program,way,runs,average,median,minimum,maximum,ratio,problem"]
    for result in results:
        own = next(iter(result.values()))
        for found in result.values():
            figures = [found.average, found.median, found.minimum, found.maximum] if found.times else []
            cells = [f"{figure:.6f}" for figure in figures] or [""] * 4
            times = ratio(own, found)
            cells.append("" if times is None else f"{times:.4f}")
            lines.append(",".join([_quoted(found.program), _quoted(found.way), str(len(found.times)), *cells, found.problem]))
    return "\n".join(lines) + "\n"


def ratio(own: Figures, rival: Figures | None) -> float | None:
    """How many times as long as `rival` `own` takes, by medians; None where one of them has no time."""
    if rival is None or not rival.times or not own.times or rival.median <= 0:
        return None
    return own.median / rival.median


def counts(own: Figures, rival: Figures | None) -> bool:
    """Whether the ratio of the two says something: one of them takes long enough to be measured."""
    return ratio(own, rival) is not None and rival is not None and max(own.median, rival.median) >= SHORT


def geometric_mean(results: Sequence[dict[str, Figures]], first: str, way: str) -> float | None:
    """The geometric mean of the ratios that count; None where there are none."""
    found = [ratio(result[first], result[way]) for result in results if counts(result[first], result.get(way))]
    logarithms = [math.log(each) for each in found if each]
    return math.exp(math.fsum(logarithms) / len(logarithms)) if logarithms else None


def seconds(time: float) -> str:
    """A time for people: `0.583 s`, `3.20 ms`."""
    return f"{time:.3f} s" if time >= 0.1 else f"{time * 1e3:.2f} ms"


def _figures(found: Figures) -> list[str]:
    return [seconds(time) for time in (found.median, found.average, found.minimum, found.maximum)] if found.times else []


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\n') else cell
