"""Trying every number: a rule at types of few bits becomes Python loops over tables of what the operations give."""

from __future__ import annotations

import re

from septet.base.types import BOOL, Type
from septet.ops import meaning
from septet.ops import table as ops
from septet.ops.rules import CONSTANTS, Tree
from septet.ops.table import NAMED
from septet.prove.cases import LANE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.ops.rules import Leaf, Rule
    from septet.prove.cases import Case

_FIXED = {"bool": BOOL, "lane": LANE}
_TABLES: dict[tuple[object, ...], list[Any]] = {}
QUERIES = {
    "odd": lambda x: x & 1,
    "even": lambda x: not x & 1,
    "natural": lambda full, x: x <= full >> 1,
    "zeros": lambda x, bits: not x & bits,
    "ones": lambda full, x, bits: not ~x & full & bits,
}
"""What is known of an operand, as a test of its bits."""


def numbers(type: Type) -> range:
    """All natural numbers of a type."""
    return range(type.low, type.high + 1)


def table(op: ops.Op, type: Type, sources: list[Type]) -> list[Any]:
    """What `op` gives, indexed by each operand's bits in turn; None where it traps."""
    key = (op, type, *sources)
    found = _TABLES.get(key)
    if found is None:
        if op is ops.CONVERT:
            function = meaning.convert(sources[0], type)
            found = [function(sources[0].wrap(bits)) & mask(type) for bits in range(1 << sources[0].bits)]
        elif op is ops.BITCAST:
            found = list(range(1 << type.bits))
        elif op.between is not None:
            found = _between(op.between(sources[0], type), sources, mask(type))
        else:
            found = _rows(op, type, [type.wrap(bits) for bits in range(1 << type.bits)])
        _TABLES[key] = found
    return found


def _between(function: Any, sources: list[Type], low: int, *args: int) -> Any:
    """What `function` gives for the operands so far and all numbers of the other ones, by their bits."""
    if not sources:
        return function(*args) & low
    first, *rest = sources
    return [_between(function, rest, low, *args, first.wrap(bits)) for bits in range(1 << first.bits)]


def _rows(op: ops.Op, type: Type, all: list[int]) -> list[Any]:
    function = op.function(type)
    low = 1 if op.compares else mask(type)
    if len(op.operands) == 1:
        return [function(a) & low for a in all]

    def one(a: int, b: int) -> int | None:
        try:
            return function(a, b) & low
        except meaning.Trap:
            return None

    return [[one(a, b) for b in all] for a in all]


def mask(type: Type) -> int:
    """All bits of a type."""
    return (1 << type.bits) - 1


class Loops:
    """The Python of one case of a rule."""

    def __init__(self, rule: Rule, case: Case, types: dict[str, Type]) -> None:
        self.rule = rule
        self.case = case
        self.types = types  # of the names in the rule
        self.globals: dict[str, Any] = {
            "BOOL": BOOL,
            **QUERIES,
            **{name: type for name, type in case.items() if len(name) == 1},
        }
        self.computed: list[str] = []

    def counterexample(self) -> dict[str, int] | None:
        """Numbers for which the two sides differ, if there are any."""
        find = self._code(self.rule.tree, None)
        given = self._code(self.rule.result, self.result())
        lines = ["def run():"]
        depth = 1
        constants = [name for name in self.types if name in CONSTANTS]
        values = [name for name in self.types if name not in CONSTANTS]
        parts = self.rule.when.split(" and ") if " or " not in self.rule.when else [self.rule.when]
        early = [part for part in parts if part and not re.search(rf"\b[{''.join(values) or '_'}]\b", part)]
        late = [part for part in parts if part and part not in early]

        def line(text: str) -> None:
            lines.append("    " * depth + text)

        for name in constants:
            line(f"for {name} in {numbers(self.types[name])!r}:")
            depth += 1
            line(f"{name}_ = {name} & {mask(self.types[name])}")
        if early:
            line(f"if {' and '.join(early)}:")
            depth += 1
        if not late:
            for text in self.computed:
                line(text)
        for name in values:
            line(f"for {name} in range({1 << self.types[name].bits}):")
            depth += 1
        if late:
            line(f"if {' and '.join(self._query(part) for part in late)}:")
            depth += 1
            for text in self.computed:
                line(text)
        line(f"if {find} != {given}: return dict({', '.join(f'{name}={name}' for name in self.types)})")
        exec("\n".join(lines), self.globals)
        found: dict[str, int] | None = self.globals["run"]()
        return found

    def result(self) -> Type:
        """The type of the root."""
        return self.named(self.rule.tree.result)

    def named(self, name: str) -> Type:
        """The type that a type variable, or a type's name, is."""
        return _FIXED.get(name) or self.case.get(name) or self.types[name.lower()]

    def _query(self, code: str) -> str:
        """A condition on the bits of operands."""

        return re.sub(r"\b(ones|natural)\((\w)", lambda m: f"{m[1]}({mask(self.types[m[2]])}, {m[2]}", code)

    def _code(self, tree: Tree | Leaf, wanted: Type | None) -> str:
        """An expression that gives the bits of `tree`."""
        if not isinstance(tree, Tree):
            return self._leaf(tree, wanted)
        type = self.named(tree.on)
        op = NAMED[tree.op]
        operands = [self.named(name) if name else None for name in self.rule.operands(tree)]
        args = [self._code(arg, want) for arg, want in zip(tree.args, operands, strict=True)]
        if op is ops.SELECT:
            return f"({args[1]} if {args[0]} else {args[2]})"
        pairs = zip(tree.args, operands, strict=True)
        sources = [want or self._type(arg) for arg, want in pairs] if op.between is not None else []
        name = f"{op.name}_{type}_{'_'.join(map(str, sources))}".replace("-", "_")
        self.globals[name] = table(op, type, sources)
        return name + "".join(f"[{arg}]" for arg in args)

    def _type(self, tree: Tree | Leaf) -> Type:
        if isinstance(tree, Tree):
            return self.named(tree.result)
        assert isinstance(tree, str)
        return self.types[tree]

    def _leaf(self, leaf: Leaf, wanted: Type | None) -> str:
        if isinstance(leaf, int):
            assert wanted is not None
            return str(leaf & mask(wanted))
        if leaf[0] != "{":
            return f"{leaf}_" if leaf in CONSTANTS else leaf
        assert wanted is not None
        name = f"e{len(self.computed)}"
        self.computed.append(f"{name} = ({leaf[1:-1]}) & {mask(wanted)}")
        return name
