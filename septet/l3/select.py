"""From the tile table to Python: one function an opcode, which tests the tiles that may stand at it and emits the first.

`python -m septet.l3.select [MODULE]` prints what is generated.  A generated function is called as `select_add(s, i, at)`: `s`
is the selection of one function (`trees.Selection`), `i` the instruction to select for, `at` its index.  Inside, `a01` is
operand 1 of the operation that defines operand 0 of `i`; that operation is `n0` and its index `p0`.  Functions run from the
last instruction to the first (see `trees`), so they append what they emit in reverse.

There are several modules, so that a program pays for the tiles that it may need alone.  Where no tile of one fits, it hands on
to the next, in `NEXT`; the last, of integers without further features, gives up by raising `Elsewhere`.
"""

from __future__ import annotations

import re

from septet.l3.patterns import (
    COMPARISONS,
    GROUPS,
    HIGH,
    LOW,
    TEST,
    Match,
    constant_name,
    head,
    is_operation,
    parse,
    size,
    turned,
)
from septet.l3.templates import Body
from septet.l3.tiles import ADDRESSES, TILES
from septet.ops import table as ops
from septet.x86.targets import LEVELS, VEX, bits_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l3.patterns import Pattern, Step
    from septet.l3.tiles import Tile

MODULES = {
    "l3_tiles": ("integers", False),
    "l3_tiles_bits": ("bits", False),
    "l3_tiles_sse_floats": ("floats", False),
    "l3_tiles_avx_floats": ("floats", True),
    "l3_tiles_sse_vectors": ("vectors", False),
    "l3_tiles_avx_vectors": ("vectors", True),
}
"""The generated modules: which tiles each has, and whether in AVX's encoding."""

_AVX_ONLY = bits_of(f"{LEVELS['x86-64-v3']} {LEVELS['x86-64-v4']}") & ~bits_of("bmi1 bmi2 lzcnt movbe")

HEAD = '''"""What `septet.l3.select` makes of the tile table."""
from septet.base.types import BOOL, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, VECTOR
from septet.l3.nodes import Variable
from septet.ops import table as ops
from septet.x86.forms import CJUMP, CMOVCC, JCC, LABEL, NEGATED, SET, SETCC, op
from septet.x86.instructions import Instruction, Mem
from septet.x86.registers import RAX, RCX, RDX

new = tuple.__new__
FIT = {I8: op("movsx8"), I16: op("movsx16"), I32: op("movsx32"), U8: op("movzx8"), U16: op("movzx16"), U32: op("mov32")}
NARROW = frozenset(FIT)
SIGNED = {ops.EQ: "=", ops.NE: "!=", ops.LT: "<", ops.LE: "<=", ops.GT: ">", ops.GE: ">="}
UNSIGNED = {ops.EQ: "=", ops.NE: "!=", ops.LT: "<u", ops.LE: "<=u", ops.GT: ">u", ops.GE: ">=u"}
NEXT = []
'''

FLOAT_HEAD = """
from septet.l3.shapes import SHAPE, each, is_splat, lane, repeated
from septet.ops.meaning import int_to_float
from septet.x86.instructions import Pool
from septet.x86.registers import NAMED

XMM0, K1, K2 = NAMED["xmm0"], NAMED["k1"], NAMED["k2"]
"""

_HAND_ON = {"integers": "from septet.l3.trees import Elsewhere", "bits": "from septet.l3.shapes import SHAPE"}


class _Writer:
    """Writes one module."""

    def __init__(self, topic: str, vex: bool) -> None:
        self.topic = topic
        self.vex = vex
        self.pools: dict[str, str] = {}
        self.tiles = [tile for tile in TILES if tile.topic == topic and (vex or not bits_of(tile.needs) & _AVX_ONLY)]

    def text(self) -> str:
        """The module."""
        by_root: dict[str, list[Tile]] = {}
        folded: dict[str, None] = {}
        for tile in self.tiles:
            pattern = parse(tile.pattern)
            by_root.setdefault(head(pattern)[0], []).append(tile)
            todo = list(pattern[1:])
            while todo:
                part = todo.pop()
                if not isinstance(part, str):
                    folded.setdefault(head(part)[0])
                    todo += part[1:]
        code = self.address() if self.topic == "integers" else ["from septet._generated.l3_tiles import address", ""]
        for name, tiles in by_root.items():
            code += self.function(name, tiles)
        code.append("SELECT = [None] * len(ops.OPS)")
        code.append("FOLDED = bytearray(len(ops.OPS))")
        for table, names in (("SELECT", list(by_root)), ("FOLDED", list(folded))):
            for name in names:
                value = f"select_{name.replace('-', '_')}" if table == "SELECT" else "1"
                for member in COMPARISONS if name == "compare" else (name,):
                    code.append(f"{table}[ops.{constant_name(member)}.code] = {value}")
        if self.topic == "vectors":
            code += self.legal()
        used = dict.fromkeys(re.findall(r"\bX_(\w+)", "\n".join(code)))
        opcodes = [f'X_{name} = op("{name}")' for name in used]
        constants = [f"{name} = Pool({content})" for content, name in self.pools.items()]
        heads = [HEAD, FLOAT_HEAD if self.topic in ("floats", "vectors") else "", _HAND_ON.get(self.topic, ""), ""]
        return "\n".join([*heads, *opcodes, *constants, "", *code]) + "\n"

    def function(self, name: str, tiles: list[Tile]) -> list[str]:
        """The function that selects for opcode `name`."""
        patterns = [(tile, parse(tile.pattern)) for tile in tiles]
        arity = max(len(pattern) for _, pattern in patterns) - 1
        op = ops.NAMED.get(name)
        operands = [f"a{n}" for n in range(arity)]
        out = [
            f"def select_{name.replace('-', '_')}(s, i, at):",
            "    T = i.type; d = i.target; span = i.span; append = s.append",
        ]
        out.append(f"    {', '.join(operands)}{',' * (arity == 1)} = i.args")
        out.append("    regs = s.regs")
        if any(tile.needs for tile in tiles):
            out.append("    features = s.features")
        if op is not None and op.commutes and name not in COMPARISONS:
            out += ["    if type(a0) is int or a1 is d:", "        a0, a1 = a1, a0"]
        turns = [turn for _, pattern in patterns for turn in turned(pattern)]
        inner = [n for n in range(arity) if any(not isinstance(turn[n + 1], str) for turn in turns)]
        if inner:
            out.append("    inner_get = s.inner.get; body = s.body; covered = s.covered; movable = s.movable")
            out += [f"    p{n} = inner_get(a{n})" for n in inner]
        for number in range(len(GROUPS)):
            here = [(tile, pattern) for tile, pattern in patterns if _group(head(pattern)[1]) == number]
            here.sort(key=lambda row: (-size(row[1]), row[0].cost))
            if here:
                out += self.group(name, number, here, inner)
        if self.topic == "integers":
            return [*out, "    raise Elsewhere(i)", ""]
        if self.topic == "vectors":
            out.append("    assert SHAPE[T] < 0, i")
        return [*out, f"    NEXT[{'i.op' if name == 'compare' else f'ops.{constant_name(name)}'}.code](s, i, at)", ""]

    def group(self, name: str, number: int, tiles: list[tuple[Tile, Pattern]], inner: list[int]) -> list[str]:
        """The part of a function for one group of classes."""
        whole = next(iter(GROUPS[number]))
        out = [f"    if {TEST[whole].replace('{}', 'T')}:"]
        large = [(tile, pattern) for tile, pattern in tiles if size(pattern) > 1]
        for rows, indent in ((large, 3), (tiles[len(large) :], 2)):
            if rows and indent == 3:
                out.append(f"        if {' or '.join(f'p{n} is not None' for n in inner)}:")
            choices: list[tuple[list[Step], list[str]]] = []
            for tile, pattern in rows:
                for turn in turned(pattern):
                    match = Match()
                    if tile.needs:
                        match.steps.append(("if", self.has(tile.needs)))
                    kind = head(turn)[1]
                    if kind != whole:
                        match.steps.append(("if", TEST[kind].replace("{}", "T")))
                    match.operation(turn, "", "i")
                    match.finish(tile.when)
                    body = Body(tile.gives, match, name, self.vex, self.pools)
                    choices.append((match.steps, [f"# {tile.name}", *body.source()]))
            out += _tree(choices, indent)
        return out

    def has(self, needs: str) -> str:
        """The condition that the target has those features, of which this module may take some for granted."""
        bits = bits_of(needs) & ~(VEX if self.vex else 0)
        if not bits:
            return "True"
        return f"features & {bits}" if bits & (bits - 1) == 0 else f"features & {bits} == {bits}"

    def address(self) -> list[str]:
        """The function that makes a memory operand of operand `a` and an offset."""
        out = """def address(s, a, offset, at):
    regs = s.regs; inner_get = s.inner.get
    p = inner_get(a)
    if p is not None:
        i = s.body[p]
        T = i.type
        if T.is_word and len(i.args) == 2:
            a0, a1 = i.args; body = s.body; covered = s.covered; movable = s.movable
            if type(a0) is int and i.op.commutes: a0, a1 = a1, a0
            p0 = inner_get(a0); p1 = inner_get(a1)""".split("\n")
        choices: list[tuple[list[Step], list[str]]] = []
        for row in ADDRESSES:
            pattern = parse(row.pattern)
            if isinstance(pattern, str):
                continue
            for turn in turned(pattern):
                match = Match()
                match.steps.append(("if", is_operation("i", head(turn)[0])))
                match.operation(turn, "", "i")
                match.finish(row.when)
                match.steps.append(("if", "movable(p, at)"))
                body = Body("", match, "", False, self.pools)
                start, displacement = body.address(row.gives)
                match.steps.append(("do", f"displacement = {displacement} + offset"))
                match.steps.append(("if", f"{LOW} <= displacement <= {HIGH}"))
                marks = [f"covered[{index}] = 1" for index in ["p", *match.covered]]
                choices.append(
                    (match.steps, [f"# {row.name}", *marks, *body.lines, f"return new(Mem, ({start}, displacement))"])
                )
        out += _tree(choices, 3)
        return [
            *out,
            f"    if {LOW} <= offset <= {HIGH}:",
            "        return new(Mem, (regs[a], None, 1, offset))",
            "    return s.far(a, offset)",
            "",
        ]

    def legal(self) -> list[str]:
        """`LEGAL`: by opcode the conditions, of features, type T and target type D, under which some tile fits any operands."""
        rows: dict[str, dict[str, None]] = {}
        for tile in self.tiles:
            pattern = parse(tile.pattern)
            name, kind = head(pattern)
            letters = [part for part in pattern[1:] if isinstance(part, str)]
            constant = "k" if name in ("extract", "insert") else ""
            free = all(part[0] in "xyzstuvwpqm" + constant for part in letters) and len(set(letters)) == len(letters)
            names = set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", tile.when))
            if size(pattern) == 1 and free and not names & {*letters, "d", "A", "negate"}:
                when = f" and ({tile.when})" if tile.when else ""
                condition = f"{self.has(tile.needs)} and {TEST[kind].replace('{}', 'T')}{when}"
                for member in COMPARISONS if name == "compare" else (name,):
                    rows.setdefault(member, {})[condition] = None
        out = ["LEGAL = {"]
        for name, conditions in rows.items():
            text = " or ".join([f"({one})" for one in conditions])
            out.append(f"    ops.{constant_name(name)}: lambda features, T, D: {text},")
        return [*out, "}"]


def _tree(tiles: list[tuple[list[Step], list[str]]], indent: int) -> list[str]:
    """Nested conditions that try each (steps, body) in order; neighbours share the steps that they begin with."""
    out: list[str] = []
    pad = "    " * indent
    at = 0
    while at < len(tiles):
        steps, body = tiles[at]
        if not steps:
            out += [pad + line for line in body]
            at += 1
            continue
        end = at
        while end < len(tiles) and tiles[end][0] and tiles[end][0][0] == steps[0]:
            end += 1
        rest = [(steps[1:], body) for steps, body in tiles[at:end]]
        kind, code = steps[0]
        if kind == "do":
            out += [pad + code, *_tree(rest, indent)]
        else:
            while rest[0][0] and rest[0][0][0][0] == "if" and all(steps[:1] == rest[0][0][:1] for steps, _ in rest):
                code += f" and {rest[0][0][0][1]}"
                rest = [(steps[1:], body) for steps, body in rest]
            out += [f"{pad}if {code}:", *_tree(rest, indent + 1)]
        at = end
    return out


def _group(kind: str) -> int:
    return next(n for n, group in enumerate(GROUPS) if kind in group)


def generate(name: str = "l3_tiles") -> str:
    """The text of the generated module of that name."""
    return _Writer(*MODULES[name]).text()


if __name__ == "__main__":
    import sys

    print(generate(*sys.argv[1:]))
