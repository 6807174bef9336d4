"""What the optimiser did and did not do, beside the source: the report of `septet explain`."""

from __future__ import annotations

from septet.base.source import column_of, line_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.base.remarks import Remark
    from septet.program import Program


def places(program: Program) -> list[tuple[int, int, Remark]]:
    """Every remark about the program with its absolute line and column (0 where it is about a function), in that order."""
    program.codes  # noqa: B018 - compiling makes the remarks
    first = {name: function.line for name, function in program.stage(program.language).functions.items()}
    found = [
        (first.get(remark.function, 1) + line_of(remark.span), column_of(remark.span), number, remark)
        for number, remark in enumerate(program.remarks)
    ]
    return [(line, column, remark) for line, column, _, remark in sorted(found, key=lambda each: each[:3])]


def report(program: Program, only: int | None = None) -> str:
    """The program's lines, each with what was done and refused there and why; with `only`, that line alone."""
    remarks: dict[int, dict[str, None]] = {}
    for line, column, remark in places(program):
        remarks.setdefault(line, {})[sentence(column, remark)] = None
    lines = program.source.lines
    width = len(str(len(lines)))
    out: list[str] = []
    for number, text in enumerate(lines, 1):
        if only is None or number == only:
            out.append(f"{number:{width}} | {text}")
            out += [f"{'':{width}} |     {said}" for said in remarks.get(number, ())]
    return "\n".join(out)


def sentence(column: int, remark: Remark) -> str:
    """One remark in words: `12: check-index removed (index in [0, n-1]) [range-checks]`."""
    where = f"{column}: " if column else ""
    why = f" ({remark.why})" if remark.why else ""
    return f"{where}{remark.what}{why} [{remark.by}]"


def as_json(program: Program, only: int | None = None) -> str:
    """The remarks as a JSON list of objects: function, line, column, pass, what, why, numbers."""
    from json import dumps

    rows: list[dict[str, Any]] = [
        {
            "function": remark.function,
            "line": line,
            "column": column,
            "pass": remark.by,
            "what": remark.what,
            "why": remark.why,
            "numbers": remark.numbers,
        }
        for line, column, remark in places(program)
        if only is None or line == only
    ]
    return dumps(rows, indent=1)
