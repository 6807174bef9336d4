"""The notation of the rewrite rules of the IR: which values are another, simpler one.  `ir.rule_compiler` makes Python of it.

A row is `rule(name, find, give, when)`: where `find` stands, `give` may stand.

    rule("add-zero", "(add x 0)", "x")
    rule("add-chain", "(add (add x k) n)", "(add x {k + n})")
    rule("multiply-by-power", "(mul x k)", "(shl x {k.bit_length() - 1})", "k > 1 and k & (k - 1) == 0")
    rule("not-compare", "(xor.bool (compare.A x y) 1)", "(opposite.A x y)")
    rule("load-displaced", "(load@o.any (add x n))", "(load@{o + n} x)")

An operation is `(OPCODE.TYPE operand ...)`; its operands are

    x y z u v w   any value, the same one where a name stands twice      5 -1    that number, wrapped to the type it stands in
    k n m c       any constant, as a natural number of its type          {k + n} a number computed from constants, wrapped

Commuting operations match both ways round, and constants stand on the right of them and of comparisons.  `compare`, `equality`
(eq ne) and `order` (lt le gt ge) match each of their comparisons, at most one of these a rule; the same word in what is given
is the comparison that was found, `opposite` the one that is true where it is false, `swapped` that for exchanged operands.
`load@o`, `store@o` name the offset; alias class and type in memory stay.  `load`, `store` and `br-if` stand at the root alone,
and give another of their kind.

TYPE is a class: a type's name, `word` (64 bits), `sword`, `uword` (signed, unsigned words), `narrow` (8, 16, 32 bits), `int`
(all integers: values, pointers and bool too; if left out, this), `float`, `vector`, `any`, which is none of the vectors but for
memory.  What holds for the numbers of every type `int` or `float` alike, with no constants but 0 and -1, is used on vectors of
them too (`Rule.lanewise`).  T is the type of the root: what it gives,
for a comparison what it compares, for memory what is in memory.  Inside, where TYPE is left out, it is that of the operation
around it; a letter A B C names a type of its own, `(convert (convert.A x))`, any integer one that fits there.  Operands of
`convert` and `bitcast` have their own types, named by the letter in upper case: X for x.  In what is given TYPE is such a
letter or a type's name.  Words of different types accept each other: types that have to fit are equal, or words; then an
operation that looks at the sign (`shr untag div rem`) is only found where the signedness is the same.

`when` is a Python condition on constants, on types (T, A, X: `.bits .signed .is_word .is_float .low .high`, `is`), and on

    odd(x) even(x)    bit 0 is surely 1, surely 0           zeros(x, mask) ones(x, mask)    these bits are surely 0, 1
    natural(x)        surely not negative, read as signed

which look at a few operations above x.  Every rule is proved (`prove.rules`); a rule must never make code worse: the operations
given cost no more than the root of what is found.  Where they cost more, the rule is tried only if the operations inside are
used nowhere else, and then they cost no more than all that is found (`extra`); other rules are refused when the table is built.
"""

from __future__ import annotations

import re

from septet.base.types import named
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Leaf = str | int  # a name, a number, "{expression}"

VALUES, CONSTANTS = "xyzuvw", "knmc"
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
FAMILIES = {"compare": COMPARISONS, "equality": ("eq", "ne"), "order": ("lt", "le", "gt", "ge")}
OPPOSITE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
SWAPPED = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}
CLASSES = ("word", "sword", "uword", "narrow", "int", "float", "vector", "any")
SIGN_SENSITIVE = ("shr", "untag", "div", "rem")
VECTORS = ("extract", "sign-bits", "shuffle", *(op.name for op in ops.OPS if op.result in ("IE", "FE")))
FREE = ("convert", "bitcast", "br-if", *VECTORS)  # operands have types of their own
COST = {"mul": 3, "div": 24, "rem": 24, "fdiv": 12, "sqrt": 16, "fadd": 4, "fsub": 4, "fmul": 4,
        "select": 2, "bitcast": 0,
        "min": 2, "max": 2, "iabs": 2, "popcount": 3, "count-trailing-zeros": 2, "count-leading-zeros": 2, "fma": 4, "fmin": 6,
        "fmax": 6, "floor": 4, "ceil": 4, "trunc": 4, "nearest": 4, "copysign": 3}  # fmt: skip
ROOT_ONLY = ("load", "store", "br-if")


class Tree:
    """An operation of a pattern.  `on` is its type variable, or a type's name: what it works on (see `Rule.types`)."""

    __slots__ = ("op", "kind", "args", "offset", "on")

    def __init__(self, op: str, kind: str, args: list[Tree | Leaf], offset: str = "") -> None:
        self.op = op  # an opcode's name, a family of comparisons, `opposite` or `swapped`
        self.kind = kind  # what is written as TYPE; "" if nothing
        self.args = args
        self.offset = offset  # a name, or "{expression}"; "" if none is written
        self.on = ""

    def __repr__(self) -> str:
        return f"({self.op}{'.' * bool(self.kind)}{self.kind} {' '.join(map(str, self.args))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and (self.op, self.on, self.args) == (other.op, other.on, other.args)

    __hash__ = None  # type: ignore[assignment]

    @property
    def is_comparison(self) -> bool:
        """Whether it compares integers."""
        return self.op in COMPARISONS or self.op in FAMILIES or self.op in ("opposite", "swapped")

    @property
    def result(self) -> str:
        """The type variable, or type's name, of what it gives."""
        compares = self.is_comparison or ops.NAMED[self.op].compares
        return "bool" if compares else self.on

    def inner(self) -> Iterator[Tree]:
        """The operations inside, outer ones first."""
        for arg in self.args:
            if isinstance(arg, Tree):
                yield arg
                yield from arg.inner()


class Rule:
    """One row.

    `tree` is `find` parsed, `result` is `give` parsed.  `types` has the class of every type variable; `alike` the pairs of them
    that accept each other (are the same type, or both words); `leaves` the type variable, or type's name, of every name.
    `extra` says that the operations inside must be used nowhere else.
    """

    __slots__ = ("name", "find", "give", "when", "tree", "result", "types", "alike", "leaves", "extra")

    def __init__(self, name: str, find: str, give: str, when: str = "") -> None:
        self.name = name
        self.find = find
        self.give = give
        self.when = when
        tree = parse(find)
        assert isinstance(tree, Tree), f"{name}: nothing to find"
        self.tree = tree
        self.result = parse(give)
        self.types: dict[str, str] = {}
        self.alike: list[tuple[str, str]] = []
        self.leaves: dict[str, str] = {}
        self._type_found(tree, None)
        self._type_given(self.result, tree.result)
        self.extra = self._costs_more()

    def __repr__(self) -> str:
        return f"{self.name}: {self.find} => {self.give}" + (f" when {self.when}" if self.when else "")

    def fail(self, why: str) -> None:
        """Refuse the row."""
        raise ValueError(f"rule {self!r}: {why}")

    def lanewise(self) -> bool:
        """Whether what the rule says of numbers holds of vectors of them: it says the same of every width and sign, and its
        constants are the same in every lane and in all of the vector."""
        trees = [part for side in (self.tree, self.result) if isinstance(side, Tree) for part in (side, *side.inner())]
        leaves = [leaf for tree in trees for leaf in tree.args if not isinstance(leaf, Tree)] + [self.result]
        return (
            self.types in ({"T": "int"}, {"T": "float"})
            and self.when in ("", "T.bits > 1")
            and all(tree.on == "T" and _is_lanewise(tree) for tree in trees)
            and all(leaf in (0, -1) or isinstance(leaf, Tree) or str(leaf) in VALUES for leaf in leaves)
        )

    def of_vectors(self) -> Rule:
        """The rule where T is a vector."""
        made = _copy(self)
        made.types = {**self.types, "T": "vector"}
        return made

    def family(self) -> Tree | None:
        """The operation that stands for several comparisons, if there is one."""
        return next((part for part in (self.tree, *self.tree.inner()) if part.op in FAMILIES), None)

    def _type_found(self, tree: Tree, around: str | None) -> None:
        """Give every operation of `find` its type variable; `around` is what this one must fit, None for anything."""
        kind = tree.kind
        if tree is self.tree:
            tree.on = self._variable("T", kind or "int")
        elif tree.op in ROOT_ONLY:
            self.fail(f"{tree.op} stands at the root alone")
        elif kind in ("A", "B", "C"):
            tree.on = self._variable(kind, "int")
        elif kind or around is None or tree.is_comparison:
            tree.on = kind if named(kind) else self._variable(f"T{len(self.types)}", kind or "int")
        else:
            tree.on = around
        if around is not None:
            self._fits(tree.result, around)
        for arg, wanted in zip(tree.args, self.operands(tree), strict=True):
            if isinstance(arg, Tree):
                self._type_found(arg, wanted)
            elif isinstance(arg, str):
                own = wanted or self._variable(arg.upper(), "any")
                if self.leaves.setdefault(arg, own) != own:
                    self._fits(self.leaves[arg], own)
            elif wanted is None:
                self.fail(f"the type of {arg} is not known")

    def _type_given(self, tree: Tree | Leaf, around: str | None) -> None:
        """Give every operation of `give` its type variable, and see that operands fit."""
        if not isinstance(tree, Tree):
            if isinstance(tree, str) and tree[0] != "{":
                if tree not in self.leaves:
                    self.fail(f"{tree} is not found")
                if around is not None and tree is not self.result and not self._is_alike(self.leaves[tree], around):
                    self.fail(f"{tree} is of type {self.leaves[tree]}, not {around}")
            elif around is None:
                self.fail(f"the type of {tree} is not known")
            return
        family = self.family()
        if tree.kind:
            if named(tree.kind) is None and tree.kind not in self.types:
                self.fail(f"{tree.kind} is no type that is found")
            tree.on = tree.kind
        elif tree.op in ("opposite", "swapped") or tree.op in FAMILIES:
            tree.on = family.on if family else ""
        elif tree is self.result and (tree.is_comparison == self.tree.is_comparison):
            tree.on = self.tree.on
        elif around is None or tree.is_comparison:
            self.fail(f"the type of {tree} is not known")
        else:
            tree.on = around or ""
        if around is not None and not self._is_alike(tree.result, around):
            self.fail(f"{tree} is of type {tree.result}, not {around}")
        for arg, wanted in zip(tree.args, self.operands(tree), strict=True):
            self._type_given(arg, wanted)

    def _variable(self, name: str, kind: str) -> str:
        if kind not in CLASSES and named(kind) is None:
            self.fail(f"{kind} is no class")
        self.types.setdefault(name, kind)
        return name

    def _fits(self, one: str, other: str) -> None:
        if not self._is_alike(one, other):
            self.alike.append((one, other))

    def _is_alike(self, one: str, other: str) -> bool:
        same = self.types.get(one, one) == self.types.get(other, other) and named(self.types.get(one, one)) is not None
        said = f"{one} is {other.upper()}" in self.when.split(" and ")  # X is BOOL
        return one == other or same or said or (one, other) in self.alike or (other, one) in self.alike

    def operands(self, tree: Tree) -> list[str | None]:
        """For each operand the type variable that it must fit, or None."""
        if tree.op in FREE:
            return [None, "lane"] if tree.op == "extract" else [None] * len(tree.args)
        if tree.op == "select":
            return [None if tree.kind == "vector" else "bool", tree.on, tree.on]
        if tree.op in ("splat", "insert"):
            return [tree.on, "lane", None] if tree.op == "insert" else [None]
        if tree.op in ("load", "store"):
            return ["i64"] if tree.op == "load" else ["i64", tree.on]
        alike: list[str | None] = [tree.on]
        return alike * len(tree.args)

    def _costs_more(self) -> bool:
        """Whether `give` costs more than the root of `find` alone.  Refuses the row where it costs more than all of `find`."""
        given = [self.result, *self.result.inner()] if isinstance(self.result, Tree) else []
        found = [*self.tree.inner()]
        costs = sum(self._cost(part) for part in given if part not in found)
        if costs > self._cost(self.tree) + sum(map(self._cost, found)):
            self.fail("it gives more than it finds")
        return costs > self._cost(self.tree)

    def _cost(self, tree: Tree) -> int:
        return COST.get(tree.op, 1)


RULES: list[Rule] = []


def rule(name: str, find: str, give: str, when: str = "") -> None:
    """Add a rule to the table.  ValueError where the row makes no sense."""
    row = Rule(name, find, give, when)
    if any(other.name == name for other in RULES):
        row.fail("the name stands twice")
    RULES.append(row)


def parse(text: str) -> Tree | Leaf:
    """'(add.word x (shl y {k}))' as a tree.  ValueError where brackets or names are wrong."""
    tokens = re.findall(r"[()]|\{[^}]*\}|(?:[^\s(){}]|\{[^}]*\})+", text)
    stack: list[list[Tree | Leaf]] = [[]]
    heads: list[str] = []
    await_head = False
    for token in tokens:
        if await_head:
            heads.append(token)
            await_head = False
        elif token == "(":
            stack.append([])
            await_head = True
        elif token == ")":
            if not heads:
                raise ValueError(f"{text}: a bracket too much")
            args = stack.pop()
            stack[-1].append(_operation(text, heads.pop(), args))
        else:
            stack[-1].append(_leaf(text, token))
    if len(stack) != 1 or len(stack[0]) != 1:
        raise ValueError(f"{text}: not one tree")
    return stack[0][0]


def _operation(text: str, head: str, args: list[Tree | Leaf]) -> Tree:
    found = re.fullmatch(r"([a-z-]+)(?:@([a-z]|\{.*\}))?(?:\.(\w+))?", head)
    if found is None:
        raise ValueError(f"{text}: {head} is no operation")
    op, offset, kind = found[1], found[2] or "", found[3] or ""
    known = ops.NAMED.get(op)
    if op in FAMILIES or op in ("opposite", "swapped"):
        arity = 2
    elif known is None:
        raise ValueError(f"{text}: there is no opcode {op}")
    else:
        arity = 1 if op == "br-if" else len(known.operands)
    if len(args) != arity:
        raise ValueError(f"{text}: {op} has {arity} operands")
    if (op in ("load", "store")) != bool(offset):
        raise ValueError(f"{text}: write load@o, store@o, and offsets nowhere else")
    return Tree(op, kind, args, offset)


def _leaf(text: str, token: str) -> Leaf:
    if re.fullmatch(r"-?\d+|-?0x[0-9a-f]+", token):
        return int(token, 0)
    if token[0] == "{" or re.fullmatch(rf"[{VALUES}{CONSTANTS}]", token):
        return token
    raise ValueError(f"{text}: {token} is no operand")


def is_constant(leaf: Leaf) -> bool:
    """Whether a leaf is a constant: a number, a name of one, or computed."""
    return isinstance(leaf, int) or leaf[0] == "{" or leaf in CONSTANTS


def _is_lanewise(tree: Tree) -> bool:
    if tree.is_comparison or tree.op in ROOT_ONLY:
        return False
    op = ops.NAMED[tree.op]
    return op.pure and not op.compares and {*op.operands, op.result} in ({"I"}, {"F"})


def _copy(row: Rule) -> Rule:
    made: Rule = object.__new__(Rule)
    for slot in Rule.__slots__:
        setattr(made, slot, getattr(row, slot))
    return made


def concrete(row: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule for each comparison that it is for, as (comparison, rule); ("", row) where it has no family of them."""
    family = row.family()
    if family is None:
        yield "", row
        return
    for name in FAMILIES[family.op]:
        words = dict.fromkeys(FAMILIES, name) | {"opposite": OPPOSITE[name], "swapped": SWAPPED[name]}
        made = _copy(row)
        tree = _spelled(row.tree, words)
        assert isinstance(tree, Tree)
        made.tree = tree
        made.result = _spelled(row.result, words)
        yield name, made


def _spelled(tree: Tree | Leaf, words: dict[str, str]) -> Tree | Leaf:
    """`tree` with each word for comparisons replaced."""
    if not isinstance(tree, Tree):
        return tree
    made = Tree(words.get(tree.op, tree.op), tree.kind, [_spelled(arg, words) for arg in tree.args], tree.offset)
    made.on = tree.on
    return made
