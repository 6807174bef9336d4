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
    first = _first_lines(program)
    found = [
        (first.get(remark.function, 1) + line_of(remark.span), column_of(remark.span), number, remark)
        for number, remark in enumerate(_settled(program.remarks))
    ]
    return [(line, column, remark) for line, column, _, remark in sorted(found, key=lambda each: each[:3])]


def _settled(remarks: list[Remark]) -> list[Remark]:
    """The remarks without those that later ones took back: a check was kept, then removed; a call stayed, then went."""
    later: dict[tuple[object, ...], list[Remark]] = {}
    for remark in remarks:
        subject, _, done = remark.what.rpartition(" ")
        later.setdefault((remark.function, remark.span, remark.origin, subject.removesuffix(" not")), []).append(remark)
    void: dict[Remark, None] = {}
    for key, about in later.items():
        subject = str(key[-1])
        if subject.startswith("@"):
            last = next((remark for remark in about if not remark.what.endswith("not inlined")), about[-1])
            void |= dict.fromkeys(remark for remark in about if remark is not last)
        elif subject.startswith("check-"):
            kept = [remark for remark in about if remark.what.endswith(" kept")]
            gone = [remark for remark in about if remark.by == "versioning" and remark.what.endswith(" removed")]
            if len(kept) <= len(gone):
                void |= dict.fromkeys(kept)
    return [remark for remark in remarks if remark not in void]


def report(program: Program, only: int | None = None) -> str:
    """The program's lines, each with what was done and refused there and why; with `only`, that line alone."""
    remarks: dict[int, dict[str, None]] = {}
    first = _first_lines(program)
    for line, column, remark in places(program):
        remarks.setdefault(line, {})[sentence(column, remark, first)] = None
    lines = program.source.lines
    width = len(str(len(lines)))
    out: list[str] = []
    for number, text in enumerate(lines, 1):
        if only is None or number == only:
            out.append(f"{number:{width}} | {text}")
            out += [f"{'':{width}} |     {said}" for said in remarks.get(number, ())]
    return "\n".join(out)


def _first_lines(program: Program) -> dict[str, int]:
    return {name: function.line for name, function in program.stage(program.language).functions.items()}


def sentence(column: int, remark: Remark, first: dict[str, int]) -> str:
    """One remark in words: `12: check-index removed (index in [0, n-1]) [range-checks]`."""
    where = f"{column}: " if column else ""
    why = f" ({remark.why})" if remark.why else ""
    return f"{where}{_what(remark, first)}{why} [{remark.by}]"


def _what(remark: Remark, first: dict[str, int]) -> str:
    """What was done, and of code that was inlined from elsewhere, where it comes from; `first` has functions' first lines."""
    origin = remark.origin
    if origin is None:
        return remark.what
    return f"inlined from @{origin.function}, line {first.get(origin.function, 1) + origin.line}: {remark.what}"


def as_json(program: Program, only: int | None = None) -> str:
    """The remarks as a JSON list of objects: function, line, column, pass, what, why, numbers."""
    from json import dumps

    first = _first_lines(program)
    rows: list[dict[str, Any]] = [
        {
            "function": remark.function,
            "line": line,
            "column": column,
            "pass": remark.by,
            "what": _what(remark, first),
            "why": remark.why,
            "numbers": remark.numbers,
        }
        for line, column, remark in places(program)
        if only is None or line == only
    ]
    return dumps(rows, indent=1)
