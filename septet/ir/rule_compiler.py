"""From the rewrite rules to Python: one function an opcode, which tests the rules that may apply and does what the first says.

`python -m septet.ir.rule_compiler` prints what is generated.  A function is called as `rules_add(door, value)`: `door` is the
`ir.door.Door` through which it makes what the rule gives.  It returns what stands for `value`, or `value` itself where that has
been changed in place, or None where no rule applies.  Inside, `a01` is operand 1 of operand 0 of `value`, and `k01` its number.
"""

from __future__ import annotations

import re

from septet.base.types import named
from septet.ir.rules import all_rules
from septet.ops import table as ops
from septet.ops.rules import FREE, ROOT_ONLY, SIGN_SENSITIVE, Tree, concrete, is_constant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ops.rules import Leaf, Rule

    Step = tuple[str, str]  # ("if", condition) or ("do", statement)
    Entry = tuple[list[Step], list[str]]  # what to test and bind, then what to do

TEST = {
    "word": "{}.is_word",
    "sword": "{}.is_word and {}.signed",
    "uword": "{}.is_word and not {}.signed",
    "narrow": "{}.kind == 1 and 8 <= {}.bits <= 32",
    "int": "{}.kind <= 1",
    "float": "{}.is_float",
    "vector": "{}.kind == 3",
    "any": "",
}

ANY = ("select", "load", "store", *FREE)  # opcodes for more than integers
NESTED = r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))*"  # text with brackets in brackets

HEAD = '''"""What `septet.ir.rule_compiler` makes of the rewrite rules."""
from septet.base.types import BOOL, CODE, F32, F64, I8, I16, I32, I64, INT64, PTR, TUPLE, U8, U16, U32, U64
from septet.ir.door import by_lanes
from septet.ir.forward import stands_for
from septet.ir.nearby import TELLING, even, natural, odd, ones, zeros
from septet.ir.nodes import Const
from septet.ops import table as ops
'''


class _Match:
    """The steps that test for one rule, and where its names are bound."""

    def __init__(self, row: Rule, tree: Tree) -> None:
        self.row = row
        self.steps: list[Step] = []
        self.at: dict[str, str] = {}  # name -> the Python name of its value
        self.numbers: dict[str, str] = {}  # name of a constant -> the Python name of its number
        self.types = {"T": "T"}  # type variable -> Python
        self.found: list[tuple[Tree, str]] = []  # the operations inside, and where they are
        self._operation(tree, "", "value", "")

    def _operation(self, tree: Tree, path: str, node: str, around: str) -> None:
        """Steps for the operands of `tree`, which is `node`; the operand's opcodes come first."""
        operands = [f"a{path}{n}" for n in range(len(tree.args))]
        if path:
            self._type(tree, node, around)
            self.steps.append(("do", f"{', '.join(operands)}{',' * (len(operands) == 1)} = {node}.args"))
        else:
            kind = self.row.types["T"]
            if kind not in ("int", "vector") or kind == "int" and tree.op in ANY:
                self._if(_class("T", kind))
        constants = [(n, arg) for n, arg in enumerate(tree.args) if not isinstance(arg, Tree) and is_constant(arg)]
        inner = [(n, arg) for n, arg in enumerate(tree.args) if isinstance(arg, Tree)]
        for n, _ in constants:
            self._if(f"type({operands[n]}) is Const")
        for n, arg in inner:
            self._if(f"{operands[n]}.op is {_opcode(arg.op)}" if path else f"o{n} is {_opcode(arg.op)}")
        wanted = self.row.operands(tree)
        for n, number in constants:
            self._constant(number, operands[n], wanted[n], path + str(n))
        for n, leaf in enumerate(tree.args):
            if isinstance(leaf, str) and not is_constant(leaf):
                if leaf in self.at:
                    self._if(f"{operands[n]} is {self.at[leaf]}")
                else:
                    self.at[leaf] = operands[n]
        for n, arg in inner:
            self.found.append((arg, operands[n]))
            self._operation(arg, path + str(n), operands[n], wanted[n] or "")

    def _type(self, tree: Tree, node: str, around: str) -> None:
        """Steps for the type of an operation inside."""
        compares = _compares(tree)
        python = f"{node}.on" if compares else f"{node}.type"
        if tree.on in self.types and not compares and tree.on == around:
            if tree.op in SIGN_SENSITIVE:
                self._if(f"{python}.signed == {self.types[tree.on]}.signed")
        elif tree.on in self.types:
            self._if(f"{python} is {self.types[tree.on]}")
        elif named(tree.on):
            if around != tree.on or tree.kind:
                self._if(f"{python} is {tree.on.upper()}")
        else:
            self.types[tree.on] = python
            self._if(_class(python, self.row.types[tree.on]))

    def _constant(self, leaf: Leaf, operand: str, wanted: str | None, path: str) -> None:
        """Steps for a constant operand."""
        number = f"k{path}"
        around = self.type(wanted) if wanted and wanted not in ("bool", "lane") else ""
        wrapped = f"{number} = {operand}.number"
        if around:
            wrapped += f" if {operand}.type is {around} else {around}.wrap({operand}.number)"
        self.steps.append(("do", wrapped))
        if isinstance(leaf, int):
            self._if(f"{number} == {leaf if leaf in (0, 1) or not around else f'{around}.wrap({leaf})'}")
        elif leaf in self.numbers:
            self._if(f"{number} == {self.numbers[leaf]}")
        else:
            self.at[leaf] = operand
            self.numbers[leaf] = number

    def _if(self, condition: str) -> None:
        if condition:
            self.steps.append(("if", condition))

    def type(self, name: str) -> str:
        """Type variable or type's name `name` as Python."""
        if name in self.types:
            return self.types[name]
        return f"{self.at[name.lower()]}.type" if name.lower() in self.at and len(name) == 1 else name.upper()

    def spell(self, code: str) -> str:
        """A Python expression of the table, with its names replaced by what they are bound to."""

        def bound(found: re.Match[str]) -> str:
            name = found[0]
            if name in self.numbers:
                return self.numbers[name]
            if name == "o":
                return "value.offset"
            return self.at[name] if name in self.at else self.type(name)

        code = re.sub(r"(?<![\w.])[A-Za-z](?!\w)", bound, code)
        asked = rf"\b(odd|even|zeros|ones|natural)\((\w+)({NESTED})\)"
        return re.sub(asked, r"(\2.op in TELLING and \1(door.bits, \2\3))", code)

    def finish(self) -> list[str]:
        """Add the last conditions; the statements that do what the rule says."""
        row = self.row
        if row.when:
            self._if(f"({self.spell(row.when)})" if " or " in row.when else self.spell(row.when))
        if row.extra:
            self.steps += [("if", f"door.once({node})") for _, node in self.found]
        given = row.result
        if isinstance(given, Tree) and given.op in ROOT_ONLY:
            return self._in_place(given)
        name = f'"{row.name}"'
        if isinstance(given, Tree):
            node = self._same(given)
        else:
            node = None if given in self.numbers else self.at.get(str(given))
        if node is not None:
            self._if(f"({node}.type is value.type or stands_for(value.type, {node}.type))")
            return [f"if door.apply({name}): return {node}"]
        if not isinstance(given, Tree):
            return [f"if door.apply({name}): return {self._number(given, 'value.type')}"]
        return [f"by = door.apply({name})", *self._change(given)]

    def _change(self, given: Tree) -> list[str]:
        """Statements that make the root what is given: in place where it stays of the same kind."""
        compares = _compares(given)
        if compares != _compares(self.row.tree) or self.row.tree.op in ROOT_ONLY:
            return [f"if by: return {self._make(given)}"]
        change = f"value.args = [{', '.join(self._operands(given))}]; value.op = {_opcode(given.op)}; value.by = by"
        if compares and given.on != "T":
            change += f"; value.on = {self.type(given.on)}"
        return [f"if by: {change}; return value"]

    def _in_place(self, given: Tree) -> list[str]:
        """Statements that change the root."""
        body = [f"value.args = [{', '.join(self._operands(given))}]", "value.by = by"]
        if given.offset:
            offset = self.spell(given.offset.strip("{}"))
            self.steps.append(("do", f"offset = {offset}"))
            self._if("-0x80000000 <= offset <= 0x7FFFFFFF")
            body.append("value.offset = offset")
        return [f'by = door.apply("{self.row.name}")', "if by:", *[f"    {line}" for line in body], "    return value"]

    def _same(self, tree: Tree) -> str | None:
        """Where `tree` stands in what was found, if it does."""
        return next((node for found, node in self.found if found == tree), None)

    def _number(self, leaf: Leaf, type: str) -> str:
        """A constant of `type` as Python."""
        if leaf in (0, 1):
            return f"door.const({type}, {leaf})"
        text = self.numbers.get(leaf) or self.spell(leaf.strip("{}")) if isinstance(leaf, str) else str(leaf)
        return f"door.const({type}, {type}.wrap({text}))"

    def _operands(self, tree: Tree) -> list[str]:
        made = []
        for arg, wanted in zip(tree.args, self.row.operands(tree), strict=True):
            if isinstance(arg, Tree):
                made.append(self._same(arg) or self._make(arg))
            elif isinstance(arg, str) and arg in self.at and (arg not in self.numbers or wanted in (None, "lane")):
                made.append(self.at[arg])
            else:
                made.append(self._number(arg, self.type(wanted or "T")))
        return made

    def _make(self, tree: Tree) -> str:
        """An expression that makes operation `tree`."""
        compares = _compares(tree)
        how = "compare" if compares else "make"
        on = self.type(tree.on)
        if tree is self.row.result and not compares:
            on = "value.type" if tree.on == self.row.tree.result else on
        return f"door.{how}({_opcode(tree.op)}, {on}, [{', '.join(self._operands(tree))}], value.span, by)"


def _class(python: str, kind: str) -> str:
    return TEST[kind].replace("{}", python) if kind in TEST else f"{python} is {kind.upper()}"


def _compares(tree: Tree) -> bool:
    """Whether it is a comparison, of integers or of floats."""
    return tree.is_comparison or ops.NAMED[tree.op].compares


def _opcode(name: str) -> str:
    return "ops." + next(key for key, value in vars(ops).items() if value is ops.NAMED[name])


def turned(tree: Tree | Leaf, names: list[str]) -> list[Tree | Leaf]:
    """The pattern, and what it becomes when operands of commuting operations change places; constants go to the right.

    `names` are all the names in the pattern: two that stand nowhere else need not change places.
    """
    if not isinstance(tree, Tree):
        return [tree]
    rows: list[list[Tree | Leaf]] = [[]]
    for arg in tree.args:
        rows = [[*row, turn] for row in rows for turn in turned(arg, names)]
    if ops.NAMED[tree.op].commutes:
        left, right = tree.args
        alone = all(isinstance(arg, str) and names.count(arg) == 1 for arg in tree.args)
        if not isinstance(left, Tree) and is_constant(left):
            rows = [row[::-1] for row in rows]
        elif not (alone or left == right or not isinstance(right, Tree) and is_constant(right)):
            rows += [row[::-1] for row in rows]
    made: list[Tree | Leaf] = []
    for row in rows:
        turn = Tree(tree.op, tree.kind, row, tree.offset)
        turn.on = tree.on
        made.append(turn)
    return made


def _names(tree: Tree | Leaf) -> list[str]:
    if isinstance(tree, Tree):
        return [name for arg in tree.args for name in _names(arg)]
    return [tree] if isinstance(tree, str) else []


def entries(row: Rule) -> list[tuple[Tree, Entry]]:
    """For each way to match `row` the pattern and the steps."""
    found: list[tuple[Tree, Entry]] = []
    for _, one in concrete(row):
        for turn in turned(one.tree, _names(one.tree)):
            assert isinstance(turn, Tree)
            match = _Match(one, turn)
            body = match.finish()
            found.append((turn, (match.steps, [f"# {row.name}", *body])))
    return found


def _tree(rows: list[Entry], indent: int) -> list[str]:
    """Nested conditions that try all entries; those that begin with the same step share it."""
    out: list[str] = []
    pad = "    " * indent
    done = False
    groups: dict[Step, list[Entry]] = {}
    for steps, body in rows:
        if steps:
            groups.setdefault(steps[0], []).append((steps[1:], body))
        elif not done:  # the same rule, turned around, asks the same
            done = True
            out += [pad + line for line in body]
    inner: dict[str, list[Step]] = {}  # by operand: the steps that ask for its opcode
    for step in groups:
        found = re.fullmatch(r"(o\d) is ops\.\w+", step[1])
        inner.setdefault(found[1] if found else "", []).append(step)
    for operand, steps in sorted(inner.items()):  # with constants first: they say most
        deeper = indent
        if operand and len(steps) > 2:
            names = ", ".join(step[1].split(" is ")[1] for step in steps)
            out.append(f"{pad}if {operand} in {{{names}}}:")
            deeper += 1
        for number, step in enumerate(steps):
            made = _group(step, groups[step], deeper)
            if operand and number:
                made[0] = made[0].replace("if", "elif", 1)
            out += made
    return out


def _group(step: Step, rest: list[Entry], indent: int) -> list[str]:
    """The entries that begin with `step`."""
    kind, code = step
    pad = "    " * indent
    if kind == "do":
        return [pad + code, *_tree(rest, indent)]
    while all(steps and steps[0] == rest[0][0][0] for steps, _ in rest) and rest[0][0][0][0] == "if":
        more = rest[0][0][0][1]
        code += f" and {more}"
        rest = [(steps[1:], body) for steps, body in rest]
    return [f"{pad}if {code}:", *_tree(rest, indent + 1)]


def _function(name: str, rows: list[tuple[Tree, Entry]], elsewhere: str) -> list[str]:
    """The function of the rules for opcode `name`; those for vectors are `elsewhere`, if that says anything."""
    op = ops.NAMED[name]
    out = [f"def rules_{name.replace('-', '_')}(door, value):"]
    out.append(f"    T = value.{'on' if op.compares or name in ('load', 'store') else 'type'}")
    if elsewhere:
        out += ["    if T.kind == 3:", f"        return {elsewhere}"]
    if not rows:
        return [*out, "    return None", ""]
    arity = len(rows[0][0].args)
    out.append("    " + ", ".join(f"a{n}" for n in range(arity)) + "," * (arity == 1) + " = value.args")
    body = _tree([entry for _, entry in rows], 1)
    text = "\n".join(body)
    out += [f"    o{n} = a{n}.op" for n in range(arity) if f"o{n} " in text]
    return [*out, *body, "    return None", ""]


def generate(types: str = "numbers") -> str:
    """The generated module: of the rules for `numbers`, or of those for `vectors`, which few programs need."""
    by_root: dict[str, tuple[list[tuple[Tree, Entry]], list[tuple[Tree, Entry]]]] = {}
    for row in all_rules():
        is_vector = row.types["T"] == "vector"
        for tree, entry in [] if is_vector else entries(row):
            by_root.setdefault(tree.op, ([], []))[0].append((tree, entry))
        for tree, entry in entries(row.of_vectors()) if is_vector or row.lanewise() else []:
            by_root.setdefault(tree.op, ([], []))[1].append((tree, entry))
    code: list[str] = []
    named: list[str] = []
    for name, both in by_root.items():
        rows, vectors = both
        elsewhere = ""
        if types == "vectors":
            rows = vectors if name not in ROOT_ONLY else []
        elif name not in ROOT_ONLY:
            elsewhere = "by_lanes(door, value)" if vectors else "None"
        if rows or elsewhere:
            rows.sort(key=lambda row: -sum(1 for _ in row[0].inner()))
            code += _function(name, rows, elsewhere)
            named.append(name)
    code.append("RULES = [None] * len(ops.OPS)")
    code += [f"RULES[{_opcode(name)}.code] = rules_{name.replace('-', '_')}" for name in named]
    text = "\n".join(code)
    text, used = _short(text)
    sets = dict.fromkeys(re.findall(r"in (\{[A-Z_, ]+\})", text))
    named_sets = [f"SET{number} = frozenset({members})" for number, members in enumerate(sets)]
    for number, members in enumerate(sets):
        text = text.replace(f" in {members}:", f" in SET{number}:")
    return HEAD + "\n".join([*(f"{short} = ops.{name}" for name, short in used.items()), *named_sets]) + "\n\n\n" + text + "\n"


def _short(text: str) -> tuple[str, dict[str, str]]:
    """`text` with the opcodes as globals of their own, and these."""
    used = {name: name if name != "CONST" else "OP_CONST" for name in dict.fromkeys(re.findall(r"\bops\.([A-Z_0-9]+)\b", text))}
    used.pop("OPS", None)
    return re.sub(r"\bops\.([A-Z_0-9]+)\b", lambda m: used.get(m[1], m[0]), text), used


if __name__ == "__main__":
    print(generate())
