"""Which run-time checks the innermost loops of a program still make, after all passes of a level.

A loop is innermost where no loop is inside it.  Passes may make copies of a loop: one that checks nothing and is taken where a
test before it shows that nothing can fail, and one that is taken otherwise.  A check in the second kind is counted apart: what
only the else-edges of those tests lead to.
"""

from __future__ import annotations

from septet.base.options import Options
from septet.base.source import Source, column_of, line_of
from septet.bench.programs import Item
from septet.bench.report import table
from septet.ir import nodes as ir
from septet.ir.analyses.loops import Loops
from septet.ops import table as ops
from septet.pipeline import Step, Watcher
from septet.program import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NAMES = {
    ops.CHECK_NULL: "null",
    ops.CHECK_KIND: "null or kind",
    ops.CHECK_INDEX: "index",
    ops.CHECK_LENGTH: "size",
    ops.CHECK_DIVISOR: "divisor",
    ops.CHECK_CONVERT: "conversion",
}


class Left:
    """A check left in an innermost loop of `function`, whose header is `loop`: on `line`, at `column` (0: not known), of a
    `kind`.  `fallback`: it is in a copy of the loop for when a test before it fails."""

    __slots__ = ("function", "loop", "line", "column", "kind", "fallback")

    def __init__(self, function: str, loop: str, line: int, column: int, kind: str, fallback: bool) -> None:
        self.function = function
        self.loop = loop
        self.line = line
        self.column = column
        self.kind = kind
        self.fallback = fallback


class Found:
    """The innermost loops of a program: how many, and the checks left in them."""

    __slots__ = ("item", "loops", "left")

    def __init__(self, item: Item, loops: int, left: list[Left]) -> None:
        self.item = item
        self.loops = loops
        self.left = left


class _Last(Watcher):
    """Keeps each function as the last pass left it, and the checks that `versioning` left in slow copies."""

    whole = True

    def __init__(self) -> None:
        self.functions: dict[str, ir.Function] = {}
        self.slow: dict[ir.Value, None] = {}

    def __call__(self, step: Step) -> None:
        if step.stage == "ir":
            self.functions[step.function.name] = step.function
            if step.name == "versioning" and step.changed:
                fast = _fast(step.function)
                values = (value for block in step.function.blocks if block not in fast for value in block.body)
                self.slow.update((value, None) for value in values if value.op in _NAMES)


def find(item: Item, options: Options) -> Found:
    """The checks left in the innermost loops of `item`.  Rejected, OSError."""
    last = _Last()
    Program(Source.read(item.path), item.language, options, [last]).stage("l3")
    loops = 0
    left: list[Left] = []
    for function in last.functions.values():
        innermost = [loop for loop in Loops(function).loops if not loop.children]
        loops += len(innermost)
        left += _left(function, last, [(str(loop.header), list(loop.blocks)) for loop in innermost])
    left.sort(key=lambda check: (check.line, check.column))
    return Found(item, loops, left)


def _left(function: ir.Function, last: _Last, loops: list[tuple[str, list[ir.Block]]]) -> Iterator[Left]:
    fast = _fast(function)
    for header, blocks in loops:
        for block in blocks:
            for value in block.body:
                if isinstance(value, ir.Check):
                    line, column = _place(value, function, last.functions)
                    slow = block not in fast or value in last.slow
                    yield Left(function.name, header, line, column, _NAMES[value.op], slow)


def _fast(function: ir.Function) -> dict[ir.Block, None]:
    """The blocks that can be reached where all tests of the pass `versioning` hold."""
    found = {function.blocks[0]: None}
    todo = [function.blocks[0]]
    while todo:
        block = todo.pop()
        end = block.body[-1]
        targets = block.successors
        for target in targets[:1] if end.op is ops.BR_IF and end.by == "versioning" else targets:
            if target not in found:
                found[target] = None
                todo.append(target)
    return found


def _place(check: ir.Check, function: ir.Function, functions: dict[str, ir.Function]) -> tuple[int, int]:
    """The absolute line and the column of `check` of `function`; the column of what was inlined is not known."""
    if isinstance(check.line, int):
        return check.line, 0
    if check.line is not None:
        return functions.get(check.line.function, function).line + check.line.line, 0
    return (function.line + line_of(check.span), column_of(check.span)) if check.span else (0, 0)


def report(found: Sequence[Found]) -> str:
    """A row a program with counts, then a line a check."""
    rows, lines = [], []
    for each in found:
        hot = [check for check in each.left if not check.fallback]
        rows.append([each.item.name, str(each.loops), str(len(hot)), str(len(each.left) - len(hot))])
        for check in each.left:
            note = ", in the slow copy of the loop" if check.fallback else ""
            place = f"{each.item.path}:{check.line}" + (f":{check.column}" if check.column else "")
            lines.append(f"{place}: {check.kind} check in the loop {check.loop} of {check.function}{note}")
    total = [sum(int(row[column]) for row in rows) for column in (1, 2, 3)]
    counts = table(["program", "innermost loops", "checks", "in slow copies"], [*rows, ["all", *map(str, total)]])
    return "\n".join([counts, *([""] if lines else []), *lines])


def csv(found: Sequence[Found]) -> str:
    """A line a check."""
    lines = ["program,function,line,column,kind,slow_copy"]
    for each in found:
        for c in each.left:
            lines.append(f"{each.item.name},{c.function},{c.line},{c.column},{c.kind},{int(c.fallback)}")
    return "\n".join(lines) + "\n"
