"""From the peephole rules to Python: one function for each pair of opcodes that rules begin with, and for each single one.

`python -m septet.l1.peephole_compiler` prints what is generated.  A function is called as `mov_add(code, x, y)`: `x` and `y`
are the operands of the next two instructions of `code`, a `peephole.Code`.  It returns how many instructions go, and which
come, by the first rule that fits; None where none does.  `TABLE` has the functions of an opcode, by name, by that of the
instruction behind, and under None the one that looks at the opcode alone.
"""

from __future__ import annotations

import re

from septet.l1.peephole_rules import RULES
from septet.x86 import forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from septet.l1.peephole_rules import Rule
    from septet.x86.instructions import Op

HEAD = '''"""What `septet.l1.peephole_compiler` makes of the peephole rules."""
from septet.base.symbols import Symbol
from septet.l1.peephole import uses
from septet.x86.forms import CJUMP, op
from septet.x86.instructions import Instruction, Mem, Pool
from septet.x86.registers import REGISTERS, RSP, XMM, Register

BY = "peephole"
GENERAL = frozenset(REGISTERS[:16]) - {RSP}
VECTOR = frozenset(XMM)
LOW, HIGH = -(1 << 31), (1 << 31) - 1
TABLE = {}
'''

_CLASS, _CONTENT = range(1, 3)  # when a condition may be asked; 0: at once


def instructions(text: str) -> list[tuple[Op, list[str]]]:
    """Opcodes and the texts of their operands, of one side of a rule."""
    found: list[tuple[Op, list[str]]] = []
    for instruction in text.split(";"):
        name, _, operands = instruction.strip().partition(" ")
        if name:
            op = forms.CJUMP[name[5:]] if name[:5] == "cjump" else forms.op(name)
            found.append((op, [operand.strip() for operand in operands.split(",")] if operands else []))
    return found


def changes_flags(rule: Rule) -> bool:
    """Whether one side of a rule writes flags: then nobody may read them behind it."""
    return any(op.writes_flags for op, _ in instructions(rule.find) + instructions(rule.give))


class _Row:
    """A rule as Python: `tests` in the order in which they are asked, and `given`, what comes."""

    def __init__(self, rule: Rule) -> None:
        find = instructions(rule.find)
        self.ops = tuple([op for op, _ in find])
        self.at: dict[str, str] = {}  # name in the rule -> where the first operand of that name is
        self.numbers: set[str] = set()
        self._tests: list[tuple[int, str]] = []
        for letter, (op, operands) in zip("xy", find, strict=False):
            assert len(operands) == len(op.access), rule.name
            for number, text in enumerate(operands):
                self._operand(text, f"{letter}{number}", 0)
        self.tests = [test for _, test in sorted(self._tests, key=lambda entry: entry[0])]
        if rule.when != "True":
            self.tests.append(f"({self._spell(rule.when)})" if " or " in rule.when else self._spell(rule.when))
        if changes_flags(rule):
            self.tests.append(f"code.flags_are_free({len(find)})")
        made = []
        for op, operands in instructions(rule.give):
            texts = "".join([f"{self._given(text)}, " for text in operands])
            made.append(
                f"Instruction({_opcode(op)}, ({texts.strip() if len(operands) == 1 else texts[:-2]}), code.rest[-1].span, BY)"
            )
        self.given = f"{len(find)}, [{', '.join(made)}]"

    def _test(self, order: int, condition: str) -> None:
        self._tests.append((order, condition))

    def _operand(self, text: str, where: str, order: int) -> None:
        """Tests for the operand that is at `where`."""
        kind, name = text[0], text[1:].rstrip("}")
        if kind in "%{:":
            known = self.at.setdefault(name, where)
            if known is not where:
                same = f"{where} is {known}"
                if kind == "{" or name in "tm":
                    same = f"({same} or {where}.__class__ is {known}.__class__ is not Register and {where} == {known})"
                self._test(order, same)
                return
        if text == "%t":
            self._test(order + _CLASS, f"({where}.__class__ is int or {where}.__class__ is Register and {where} is not RSP)")
        elif text == "%m":
            self._test(order + _CLASS, f"{where}.__class__ is Mem")
        elif kind == "%":
            self._test(
                order + _CLASS, f"{where}.__class__ is Register and {where} in {'VECTOR' if name in 'uvw' else 'GENERAL'}"
            )
        elif kind == "{":
            self._test(order + _CLASS, f"{where}.__class__ is int and LOW <= {where} <= HIGH")
        elif kind == ":":
            self._test(order + _CLASS, f"{where}.__class__ is Symbol")
        elif text[:4] == "mem ":
            self._memory(text, where, order)
        elif text[:5] == "pool ":
            self._test(order + _CLASS, f"{where}.__class__ is Pool and {where} == {_pool(text)}")
        else:
            self._test(order + _CLASS, f"{where} == {text} and {where}.__class__ is int")

    def _memory(self, text: str, where: str, order: int) -> None:
        base, index, scale, displacement = _address(text)
        self._test(order + _CLASS, f"{where}.__class__ is Mem and {where}[1] is {'not ' if index else ''}None")
        self._operand(base, f"{where}[0]", order + _CONTENT)
        if index:
            self._operand(index, f"{where}[1]", order + _CONTENT)
            self._operand(scale, f"{where}[2]", order + _CONTENT)
        self._operand(displacement, f"{where}[3]", order + _CONTENT)

    def _spell(self, code: str) -> str:
        """A Python expression of the table, with its names replaced by where they are."""
        return re.sub(r"\b[a-z]\b", lambda found: self.at[found[0]], code)

    def _given(self, text: str) -> str:
        """What makes an operand."""
        if text[0] in "%:":
            return self.at[text[1:]]
        if text[0] == "{":
            return self._spell(text[1:-1])
        if text[:4] == "mem ":
            base, index, scale, displacement = _address(text)
            parts = [self._given(part) for part in (base, displacement, index, scale) if part]
            return f"Mem({', '.join(parts)})"
        return _pool(text) if text[:5] == "pool " else text


def _address(text: str) -> tuple[str, str, str, str]:
    """Base, index, scale and displacement of `mem %a %b*2 {k}`; "" for index and scale where there are none."""
    _, base, *indexed, displacement = text.split()
    index, _, scale = indexed[0].partition("*") if indexed else ("", "", "")
    return base, index, scale, displacement


def _pool(text: str) -> str:
    _, size, value = text.split()
    return f"Pool({int(value, 0).to_bytes(int(size), 'little')!r})"


def _opcode(op: Op) -> str:
    """What gives an opcode: a global, but for those of AVX, which are not read for programs that do without."""
    return f"op({op.name!r})" if op.name[0] == "v" else "X_" + _plain(op.name)


def _plain(name: str) -> str:
    for condition, word in (("<=", "le"), (">=", "ge"), ("!=", "ne"), ("<", "lt"), (">", "gt"), ("=", "eq")):
        name = name.replace(condition, word)
    return re.sub(r"\W", "_", name)


def _function(ops: tuple[Op, ...], rows: list[_Row]) -> list[str]:
    out = [f"def {'_'.join([_plain(op.name) for op in ops])}(code, {'x, y' if len(ops) == 2 else 'x'}):"]
    for letter, op in zip("xy", ops, strict=False):
        names = [f"{letter}{number}" for number in range(len(op.access))]
        out.append(f"    {', '.join(names)}{',' * (len(names) == 1)} = {letter}")
    for row in rows:
        out += [f"    if {' and '.join(row.tests)}:", f"        return {row.given}"]
    return [*out, "    return None", ""]


def generate(rules: Iterable[Rule] = RULES) -> str:
    """The generated module of some rules."""
    functions: dict[tuple[Op, ...], list[_Row]] = {}
    given: dict[Op, None] = {}
    for rule in rules:
        row = _Row(rule)
        functions.setdefault(row.ops, []).append(row)
        given.update(dict.fromkeys([op for op, _ in instructions(rule.give)]))
    jumps = {op: condition for condition, op in forms.CJUMP.items()}
    out = [HEAD]
    for op in given:
        if op.name[0] != "v":
            out.append(f"{_opcode(op)} = " + (f"CJUMP[{jumps[op]!r}]" if op in jumps else f"op({op.name!r})"))
    out.append("")
    for ops, rows in functions.items():
        out += _function(ops, rows)
    for ops in functions:
        behind = repr(ops[1].name) if len(ops) == 2 else "None"
        out.append(f"TABLE.setdefault({ops[0].name!r}, {{}})[{behind}] = {'_'.join([_plain(op.name) for op in ops])}")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    print(generate())
