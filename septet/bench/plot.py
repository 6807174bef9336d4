"""A run as a picture: bars of the ratios to each rival, as HTML (nothing needed) or SVG (needs matplotlib)."""

from __future__ import annotations

from html import escape
from importlib.util import find_spec

from septet.base.files import write
from septet.bench.measure import Figures
from septet.bench.programs import Trouble
from septet.bench.report import geometric_mean, ratio, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLE = """body { font: 14px sans-serif; margin: 2em; max-width: 60em }
table { border-collapse: collapse; width: 100% } td { padding: 2px 8px; white-space: nowrap }
td.bar { width: 60% } td.bar div { background: #4878a8; height: 12px } td.bar div.one { background: #c0c0c0 }
th { text-align: left; padding: 10px 8px 2px }"""


def check(path: str) -> None:
    """Trouble where a picture in the format of `path` cannot be drawn here."""
    if not _is_html(path) and not find_spec("matplotlib"):
        raise Trouble(f"--plot {path} needs matplotlib, which is not installed; a .html file does without")


def plot(path: str, results: Sequence[dict[str, Figures]], ways: Sequence[str], title: str) -> None:
    """Write the picture to `path`, in the format of its extension.  OSError; Trouble where that cannot be done."""
    if _is_html(path):
        write(path, _html(results, ways, title).encode())
    else:
        _svg(path, results, ways, title)


def _is_html(path: str) -> bool:
    return path.lower().endswith((".html", ".htm"))


def _bars(results: Sequence[dict[str, Figures]], first: str, way: str) -> list[tuple[str, float, str]]:
    """(name, height, label) for each program; ratios to `way`, or seconds where it is the first itself."""
    bars = []
    for result in results:
        own = result[first]
        if way == first:
            if own.times:
                bars.append((own.program, own.median, seconds(own.median)))
            continue
        times = ratio(own, result.get(way))
        if times is not None:
            bars.append((own.program, times, f"{times:.2f}"))
    mean = geometric_mean(results, first, way) if way != first else None
    return [*bars, ("geometric mean", mean, f"{mean:.2f}")] if mean else bars


def _heading(first: str, way: str) -> str:
    return f"{first}: seconds" if way == first else f"time of {first} / time of {way}"


def _html(results: Sequence[dict[str, Figures]], ways: Sequence[str], title: str) -> str:
    rows = []
    for way in ways[1:] or ways:
        bars = _bars(results, ways[0], way)
        longest = max((height for _, height, _ in bars), default=0.0) or 1.0
        rows.append(f"<tr><th colspan=3>{escape(_heading(ways[0], way))}</th></tr>")
        for name, height, label in bars:
            bar = f'<div style="width: {height / longest:.1%}"></div>'
            rows.append(f"<tr><td>{escape(name)}</td><td>{label}</td><td class=bar>{bar}</td></tr>")
    body = "\n".join(rows)
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f"<!DOCTYPE html>\n{head}\n<h1>{escape(title)}</h1>\n<table>\n{body}\n</table>\n"


def _svg(path: str, results: Sequence[dict[str, Figures]], ways: Sequence[str], title: str) -> None:
    from matplotlib.figure import Figure  # type: ignore[import-not-found, unused-ignore]

    shown = list(ways[1:] or ways)
    figure = Figure(figsize=(9, 0.3 * (len(results) + 3) * len(shown)), layout="constrained")
    figure.suptitle(title)
    for axes, way in zip(figure.subplots(len(shown), squeeze=False)[:, 0], shown, strict=True):
        bars = _bars(results, ways[0], way)
        drawn = axes.barh([name for name, _, _ in bars], [height for _, height, _ in bars], color="#4878a8")
        axes.bar_label(drawn, [label for _, _, label in bars], padding=3)
        axes.invert_yaxis()
        axes.set_title(_heading(ways[0], way))
        if way != ways[0]:
            axes.axvline(1, color="#808080", linewidth=1)
    figure.savefig(path)
