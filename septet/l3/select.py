"""From the tile table to Python: one function an opcode, which tests the tiles that may stand at it and emits the first.

`python -m septet.l3.select` prints what is generated.  A generated function is called as `select_add(s, i, at)`: `s` is the
selection of one function (`trees.Selection`), `i` the instruction to select for, `at` its index.  Inside, `a01` is operand 1
of the operation that defines operand 0 of `i`; that operation is `n0` and its index `p0`.  Functions run from the last
instruction to the first (see `trees`), so they append what they emit in reverse.
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
from septet.l3.tiles import ADDRESSES, TILES
from septet.ops import table as ops
from septet.x86 import forms
from septet.x86.registers import NAMED, VECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l3.patterns import Pattern, Step
    from septet.l3.tiles import Tile

SUGAR = {"+=": "add", "-=": "sub", "*=": "imul", "&=": "and", "<<=": "shl", "<-": "mov"}

HEAD = '''"""What `septet.l3.select` makes of the tile table."""
from septet.base.types import BOOL, F32, F64, I8, I16, I32, U8, U16, U32
from septet.base.words import wrap
from septet.l3.nodes import Variable
from septet.ops import table as ops
from septet.ops.meaning import int_to_float
from septet.x86.forms import CJUMP, CMOVCC, JCC, LABEL, NEGATED, SET, SETCC, op
from septet.x86.instructions import Instruction, Mem
from septet.x86.registers import RAX, RCX, RDX

new = tuple.__new__
FIT = {I8: op("movsx8"), I16: op("movsx16"), I32: op("movsx32"), U8: op("movzx8"), U16: op("movzx16"), U32: op("mov32")}
NARROW = frozenset(FIT)
SIGNED = {ops.EQ: "=", ops.NE: "!=", ops.LT: "<", ops.LE: "<=", ops.GT: ">", ops.GE: ">="}
UNSIGNED = {ops.EQ: "=", ops.NE: "!=", ops.LT: "<u", ops.LE: "<=u", ops.GT: ">u", ops.GE: ">=u"}


def to_float(number):
    return wrap(int_to_float(number, 64))

'''


class _Body:
    """The Python that emits what a tile gives."""

    def __init__(self, gives: str, match: Match, root: str) -> None:
        self.match = match
        self.root = root
        self.lines: list[str] = []
        self.ready: dict[str, str] = {}  # template name -> Python name
        self.code = [self.instruction(part.strip()) for part in gives.split(";") if part.strip()]

    def source(self) -> list[str]:
        """The lines, without indentation; what is emitted last is appended first."""
        out = [f"covered[{index}] = 1" for index in self.match.covered] + self.lines
        dangers = self.dangers()
        target = "rd"
        if dangers:
            target = "rw"
            bank = "vector" if self.is_vector() else "general"
            out += ["rw = rd", f"if {' or '.join(dangers)}:", f"    rw = s.{bank}()", "if rw is not rd:"]
            move = "movaps" if bank == "vector" else "mov"
            out.append(f"    append(Instruction({_opcode(move)}, (rd, rw), span))")
        for op, operands, _ in reversed(self.code):
            texts = [target if text == "rd" else text for text in operands]
            made = f"append(Instruction({op}, ({', '.join(texts)}{',' * (len(texts) == 1)}), span))"
            if op in (_opcode("mov"), _opcode("movaps")) and _is_variable(texts[0]) and _is_variable(texts[1]):
                made = f"if {texts[0]} is not {texts[1]}: {made}"
            out.append(made)
        return [*out, "return"]

    def is_vector(self) -> bool:
        """Whether the result is in a vector register."""
        for _, operands, op in self.code:
            if operands and operands[0] == "rd" and op is not None:
                return op.banks[0] == VECTOR
        return False

    def dangers(self) -> list[str]:
        """Conditions under which the target is an operand that is still read after the target was first written."""
        written = False
        found: dict[str, None] = {}
        for _, operands, _ in self.code:
            for text in operands if written else ():
                for name in re.findall(r"\br[a-z]\d?\b", text):
                    if name == "rm":
                        found["rd is rm[0] or rd is rm[1]"] = None
                    elif name[1:] in self.match.at:
                        found[f"rd is {name}"] = None
            written = written or bool(operands) and operands[0] == "rd"
        return list(found)

    def instruction(self, text: str) -> tuple[str, list[str], forms.Opcode | None]:
        """One instruction of the template: its opcode as Python, its operands as Python, and the opcode where it is fixed."""
        words = text.split()
        if words[0] == "cjump":
            a, b, label = self.operand(words[1]), self.operand(words[3]), self.operand(words[4])
            return _either(words[2], lambda c: f"CJUMP[{self.condition(c)}]"), [a, b, label], None
        if words[0][0] == ":":
            return "LABEL", [self.operand(words[0]), "s.depth"], None
        if len(words) > 1 and words[1] in SUGAR:
            if "cc" in words:
                return f"SET[{self.condition('cc')}]", [self.operand(words[n]) for n in (0, 2, 4)], None
            target, _, what = text.partition(words[1])
            return self.made(SUGAR[words[1]], [target.strip(), what.strip()])
        name, _, rest = text.partition(" ")
        return self.made(name, [part.strip() for part in rest.split(",")] if rest else [])

    def made(self, name: str, operands: list[str]) -> tuple[str, list[str], forms.Opcode | None]:
        texts = [self.operand(operand) for operand in operands]
        if name == "fit":
            return "FIT[d.type]", texts, forms.op("movzx8")
        for stem, table in (("jcc", "JCC"), ("setcc", "SETCC"), ("cmovcc", "CMOVCC")):
            if name == stem:
                return f"{table}[{self.condition('cc')}]", texts, forms.op("cmove") if stem == "cmovcc" else None
        return _either(name, _opcode), texts, forms.op(name.split("/")[0])

    def condition(self, text: str) -> str:
        """A condition as Python."""
        if text != "cc":
            return repr(text)
        if "cc" not in self.ready:
            op, kind = self.match.compare.split()
            self.ready["cc"] = "cc"
            self.lines.append(f"cc = (SIGNED if {kind}.signed else UNSIGNED)[{op}]")
            if self.root == "br-if":
                self.lines.append("if s.negate: cc = NEGATED[cc]")
        return "cc"

    def operand(self, text: str) -> str:
        """An operand as Python; puts it in a register before, where that is called for."""
        if text[0] == "%":
            return self.variable(text[1:])
        if text[0] == "{":
            return self.match.spell(re.sub(r"\bD\b", "d.type", text[1:-1]))
        if text[:4] == "mem ":
            return self.memory(text)
        if text == ":l":
            return "s.target"
        if text[0] == ":":
            if text not in self.ready:
                self.ready[text] = text[1:]
                self.lines.append(f"{text[1:]} = s.label()")
            return text[1:]
        if text in NAMED:
            return text.upper()
        number = int(text)
        return repr(number - (1 << 64) if number >> 63 == 1 else number)

    def memory(self, text: str) -> str:
        """`mem %x %y*SCALE DISPLACEMENT` as Python."""
        start, displacement = self.address(text)
        return f"new(Mem, ({start}, {displacement}))"

    def address(self, text: str) -> tuple[str, str]:
        """The Python for base, index and scale, and that for the displacement, of `mem %x %y*SCALE DISPLACEMENT`."""
        found = re.fullmatch(r"mem (%\w+)(?: (%\w+)\*(\S+|\{.*?\}))? (\S+|\{.*\})", text)
        assert found is not None, text
        base, index, scale, displacement = found.groups()
        more = f"{self.variable(index[1:])}, {self.operand(scale)}" if index else "None, 1"
        return f"{self.variable(base[1:])}, {more}", self.operand(displacement)

    def variable(self, name: str) -> str:
        """The Python name of template variable `name`, after making it."""
        if name in self.ready:
            return self.ready[name]
        python = self.ready[name] = f"r{name}"
        at = self.match.at.get(name)
        if name == "d":
            value = "regs[d]"
        elif at is None:
            value = "s.vector()" if name[0] in "fgh" else "s.general()"
        elif name == "m":
            value = f"address(s, {at}, {self.match.loads[name]}.offset, at)"
        elif name[0] in "kn":
            value = at
        elif name == "c":
            value = f"s.source({at})"
        elif name[0] == "t":
            value = f"{at} if type({at}) is int and {LOW} <= {at} <= {HIGH} else regs[{at}]"
        elif name[0] == "s":
            value = f"regs[{at}] if type({at}) is Variable else s.source({at})"
        elif name[0] in "uv":
            value = f"regs[{at}] if type({at}) is Variable else s.float({at}, {self.match.kinds[name]})"
        else:
            value = f"regs[{at}]"
        self.lines.append(f"{python} = {value}")
        return python


def _is_variable(text: str) -> bool:
    return re.fullmatch(r"r[a-z]\d?", text) is not None and text != "rm"


def _either(text: str, spell: object) -> str:
    """`a/b` as Python: b where the branch is negated."""
    assert callable(spell)
    first, slash, second = text.partition("/")
    return f"({spell(second)} if s.negate else {spell(first)})" if slash else str(spell(first))


def _opcode(name: str) -> str:
    forms.op(name)
    return "X_" + name


# Functions


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


def _function(name: str, tiles: list[Tile]) -> list[str]:
    """The function that selects for opcode `name`."""
    patterns = [(tile, parse(tile.pattern)) for tile in tiles]
    arity = max(len(pattern) for _, pattern in patterns) - 1
    op = ops.NAMED.get(name)
    operands = [f"a{n}" for n in range(arity)]
    out = [f"def select_{name.replace('-', '_')}(s, i, at):", "    T = i.type; d = i.target; span = i.span; append = s.append"]
    out.append(f"    {', '.join(operands)}{',' * (arity == 1)} = i.args")
    out.append("    regs = s.regs")
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
            out += _class(name, number, here, inner)
    return [*out, "    raise AssertionError(i)", ""]


def _class(name: str, number: int, tiles: list[tuple[Tile, Pattern]], inner: list[int]) -> list[str]:
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
                kind = head(turn)[1]
                if kind != whole:
                    match.steps.append(("if", TEST[kind].replace("{}", "T")))
                match.operation(turn, "", "i")
                match.finish(tile.when)
                choices.append((match.steps, [f"# {tile.name}", *_Body(tile.gives, match, name).source()]))
        out += _tree(choices, indent)
    return out


def _address() -> list[str]:
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
            body = _Body("", match, "")
            start, displacement = body.address(row.gives)
            match.steps.append(("do", f"displacement = {displacement} + offset"))
            match.steps.append(("if", f"{LOW} <= displacement <= {HIGH}"))
            marks = [f"covered[{index}] = 1" for index in ["p", *match.covered]]
            choices.append((match.steps, [f"# {row.name}", *marks, *body.lines, f"return new(Mem, ({start}, displacement))"]))
    out += _tree(choices, 3)
    return [
        *out,
        f"    if {LOW} <= offset <= {HIGH}:",
        "        return new(Mem, (regs[a], None, 1, offset))",
        "    return s.far(a, offset)",
        "",
    ]


def generate() -> str:
    """The generated module."""
    by_root: dict[str, list[Tile]] = {}
    folded: dict[str, None] = {}
    for tile in TILES:
        pattern = parse(tile.pattern)
        by_root.setdefault(head(pattern)[0], []).append(tile)
        todo = list(pattern[1:])
        while todo:
            part = todo.pop()
            if not isinstance(part, str):
                folded.setdefault(head(part)[0])
                todo += part[1:]
    code = _address()
    for name, tiles in by_root.items():
        code += _function(name, tiles)
    code.append("SELECT = [None] * len(ops.OPS)")
    code.append("FOLDED = bytearray(len(ops.OPS))")
    for table, names in (("SELECT", list(by_root)), ("FOLDED", list(folded))):
        for name in names:
            value = f"select_{name.replace('-', '_')}" if table == "SELECT" else "1"
            for member in COMPARISONS if name == "compare" else (name,):
                code.append(f"{table}[ops.{constant_name(member)}.code] = {value}")
    used = dict.fromkeys(re.findall(r"\bX_(\w+)", "\n".join(code)))
    opcodes = [f'X_{name} = op("{name}")' for name in used]
    return HEAD + "\n".join([*opcodes, "", *code]) + "\n"


if __name__ == "__main__":
    print(generate())
