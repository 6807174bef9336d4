"""The patterns of the tile table: read, turned around, and made into the steps that test for them."""

from __future__ import annotations

import re

from septet.l3.shapes import tests
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    Pattern = str | list["Pattern"]
    Step = tuple[str, str]  # ("if", condition) or ("do", statement)

COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
SIGN = {"s": "{} in NARROW and {}.signed", "u": "{} in NARROW and not {}.signed"}
GROUPS: tuple[dict[str, str], ...] = (
    *tests(),
    {"word": "{}.is_word", "sword": "{}.is_word and {}.signed", "uword": "{}.is_word and not {}.signed"},
    {"narrow": "{} in NARROW"}
    | {f"{sign}narrow": test for sign, test in SIGN.items()}
    | {name: f"{{}} is {name.upper()}" for name in ("i8", "i16", "i32", "u8", "u16", "u32")}
    | {f"bits{bits}": f"{{}}.bits == {bits} and not {{}}.is_float" for bits in (8, 16, 32)},
    {"bool": "{} is BOOL"},
    {"float": "{}.is_float", "f32": "{} is F32", "f64": "{} is F64"},
    {"int": "{}.kind < 2"},
    {"any": "True"},
)  # the classes, in groups of which the first contains the others; groups are tried in this order
TEST = {name: test for group in GROUPS for name, test in group.items()}
LOW, HIGH = -0x80000000, 0x7FFFFFFF


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


class Match:
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
            self.steps.append(("if", is_operation(f"n{where}", inner_name)))
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
        if re.fullmatch(r"-?[0-9]\w*", text):
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
            when = self.spell(when)
            self.steps.append(("if", f"({when})" if " or " in when else when))
        for index in self.covered:
            self.steps.append(("if", f"movable({index}, at)"))


def is_operation(node: str, name: str) -> str:
    """The condition that instruction `node` is operation `name` of a pattern."""
    return f"{node}.op in SIGNED" if name == "compare" else f"{node}.op is ops.{constant_name(name)}"


def constant_name(name: str) -> str:
    """How the opcode `name` is called in `ops.table`."""
    op = ops.NAMED[name]
    return next(key for key, value in vars(ops).items() if value is op)
