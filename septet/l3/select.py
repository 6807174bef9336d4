"""From the tile table to Python: one function an opcode, which tests the tiles that may stand at it and emits the first.

`python -m septet.l3.select` prints what is generated.  A generated function is called as `select_add(s, i, at)`: `s` is the
selection of one function (`trees.Selection`), `i` the instruction to select for, `at` its index.  Inside, `a01` is operand 1
of the operation that defines operand 0 of `i`; that operation is `n0` and its index `p0`.  Functions run from the last
instruction to the first (see `trees`), so they append what they emit in reverse.
"""

from __future__ import annotations

import re

from septet.l3.tiles import ADDRESSES, TILES
from septet.ops import table as ops
from septet.x86 import forms
from septet.x86.registers import NAMED, VECTOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l3.tiles import Tile

    Pattern = str | list["Pattern"]
    Step = tuple[str, str]  # ("if", condition) or ("do", statement)

COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
GROUPS = (
    {"word": "{}.is_word", "sword": "{}.is_word and {}.signed", "uword": "{}.is_word and not {}.signed"},
    {"narrow": "{} in NARROW"}
    | {name: f"{{}} is {name.upper()}" for name in ("i8", "i16", "i32", "u8", "u16", "u32")}
    | {f"bits{bits}": f"{{}}.bits == {bits} and not {{}}.is_float" for bits in (8, 16, 32)},
    {"bool": "{} is BOOL"},
    {"float": "{}.is_float", "f32": "{} is F32", "f64": "{} is F64"},
    {"int": "not {}.is_float"},
    {"any": "True"},
)  # the classes, in groups of which the first contains the others; groups are tried in this order
TEST = {name: test for group in GROUPS for name, test in group.items()}
LOW, HIGH = -0x80000000, 0x7FFFFFFF
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


def parse(pattern: str) -> Pattern:
    """'(add.word x (shl y k))' as ['add.word', 'x', ['shl', 'y', 'k']]."""
    tokens = re.findall(r"[()]|[^\s()]+", pattern)
    stack: list[list[Pattern]] = [[]]
    for token in tokens:
        if token == "(":
            stack.append([])
        elif token == ")":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    return stack[0][0]


def head(pattern: Pattern) -> tuple[str, str]:
    """The opcode and the class of a pattern that is an operation."""
    name, _, kind = str(pattern[0]).partition(".")
    return name, kind or "word"


def size(pattern: Pattern) -> int:
    """How many operations a pattern covers."""
    return 0 if isinstance(pattern, str) else 1 + sum(map(size, pattern[1:]))


def _is_leaf(pattern: Pattern, letters: str) -> bool:
    return isinstance(pattern, str) and pattern[0] in letters


def turned(pattern: Pattern, is_root: bool = True) -> list[Pattern]:
    """The pattern, and what it becomes when operands of commuting operations change places.

    At the root there is no need to where both are leaves, or one a constant: numbers have been brought to the right there.
    """
    if isinstance(pattern, str):
        return [pattern]
    found: list[list[Pattern]] = [[pattern[0]]]
    for operand in pattern[1:]:
        found = [[*start, turn] for start in found for turn in turned(operand, False)]
    op = ops.NAMED.get(head(pattern)[0])
    if op is not None and op.commutes and len(pattern) == 3:
        left, right = pattern[1], pattern[2]
        leaves = isinstance(left, str) and isinstance(right, str)
        alike = _is_leaf(left, "xy") and _is_leaf(right, "xy")
        constant = _is_leaf(left, "kn0") or _is_leaf(right, "kn0")
        if not (alike or is_root and (leaves or constant)):
            found += [[name, b, a] for name, a, b in found]
    return list(found)


class _Match:
    """The steps that test for one pattern, and where its letters are bound."""

    __slots__ = ("steps", "at", "covered", "kinds", "loads", "compare")

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.at: dict[str, str] = {}  # letter -> the name of the operand
        self.kinds: dict[str, str] = {}  # letter -> where the type of its operation is
        self.loads: dict[str, str] = {}  # a memory operand's letter -> the instruction with its offset
        self.covered: list[str] = []  # the indices of the inner operations
        self.compare = ""  # the comparison that is cc, and its type, as `n0.op n0.type`

    def operation(self, pattern: Pattern, path: str, node: str) -> None:
        """Steps for an operation, found to be instruction `node`, and for everything inside."""
        assert not isinstance(pattern, str)
        name, _ = head(pattern)
        kind = f"{node}.type" if path else "T"
        if name == "compare":
            self.compare = f"{node}.op {kind}"
        operands = [f"a{path}{n}" for n in range(len(pattern) - 1)]
        if path:
            self.steps.append(("do", f"{', '.join(operands)}{',' * (len(operands) == 1)} = {node}.args"))
        inner = []
        for n, operand in enumerate(pattern[1:]):
            if isinstance(operand, str):
                self.leaf(operand, operands[n], kind, node)
            else:
                inner.append((operand, f"{path}{n}"))
        for operand, where in inner:
            if path:
                self.steps.append(("do", f"p{where} = inner_get(a{where})"))
            self.steps.append(("if", f"p{where} is not None"))
            self.steps.append(("do", f"n{where} = body[p{where}]"))
            inner_name, inner_class = head(operand)
            self.steps.append(("if", _is(f"n{where}", inner_name)))
            if inner_class != "any":
                self.steps.append(("if", TEST[inner_class].replace("{}", f"n{where}.type")))
            self.covered.append(f"p{where}")
            self.operation(operand, where, f"n{where}")

    def leaf(self, text: str, operand: str, kind: str, node: str) -> None:
        """Steps for an operand that is no operation."""
        if text in self.at:
            self.steps.append(("if", f"{operand} is {self.at[text]}"))
            if text == "m":
                self.steps.append(("if", f"{node}.offset == {self.loads[text]}.offset"))
            return
        if text.lstrip("-").isdigit():
            self.steps.append(("if", f"{operand} == {text}"))
            return
        self.at[text] = operand
        self.kinds[text] = kind
        if text[0] in "kn":
            self.steps.append(("if", f"type({operand}) is int and {LOW} <= {operand} <= {HIGH}"))
        elif text == "c":
            self.steps.append(("if", f"type({operand}) is int"))
        elif text == "m":
            self.loads[text] = node

    def spell(self, code: str) -> str:
        """Python `code` with letters replaced by the operands they are bound to."""
        return re.sub(r"(?<![\w.])[a-z]\d?(?!\w)", lambda m: self.at.get(m[0], m[0]), code)

    def finish(self, when: str) -> None:
        """The tile's condition, and that what is inside may move to here."""
        if when:
            for name, code in (("D", "d.type"), ("A", "(a0.type if type(a0) is Variable else T)"), ("negate", "s.negate")):
                when = re.sub(rf"\b{name}\b", code, when)
            self.steps.append(("if", self.spell(when)))
        for index in self.covered:
            self.steps.append(("if", f"movable({index}, at)"))


def _is(node: str, name: str) -> str:
    return f"{node}.op in SIGNED" if name == "compare" else f"{node}.op is ops.{_constant(name)}"


def _constant(name: str) -> str:
    """How the opcode `name` is called in `ops.table`."""
    op = ops.NAMED[name]
    return next(key for key, value in vars(ops).items() if value is op)


class _Body:
    """The Python that emits what a tile gives."""

    def __init__(self, gives: str, match: _Match, root: str) -> None:
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
                match = _Match()
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
    out = ["def address(s, a, offset, at):", "    regs = s.regs; inner_get = s.inner.get", "    p = inner_get(a)"]
    out += ["    if p is not None:", "        i = s.body[p]", "        T = i.type"]
    out += ["        if T.is_word and len(i.args) == 2:", "            a0, a1 = i.args; body = s.body; covered = s.covered"]
    out.append("            if type(a0) is int and i.op.commutes: a0, a1 = a1, a0")
    out += ["            movable = s.movable", "            p0 = inner_get(a0); p1 = inner_get(a1)"]
    choices: list[tuple[list[Step], list[str]]] = []
    for row in ADDRESSES:
        pattern = parse(row.pattern)
        if isinstance(pattern, str):
            continue
        for turn in turned(pattern):
            match = _Match()
            match.steps.append(("if", _is("i", head(turn)[0])))
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
    for name in by_root:
        for member in COMPARISONS if name == "compare" else (name,):
            function = f"select_{name.replace('-', '_')}"
            code.append(f"SELECT[ops.{_constant(member)}.code] = {function}")
    for name in folded:
        for member in COMPARISONS if name == "compare" else (name,):
            code.append(f"FOLDED[ops.{_constant(member)}.code] = 1")
    used = dict.fromkeys(re.findall(r"\bX_(\w+)", "\n".join(code)))
    opcodes = [f'X_{name} = op("{name}")' for name in used]
    return HEAD + "\n".join([*opcodes, "", *code]) + "\n"


if __name__ == "__main__":
    print(generate())
