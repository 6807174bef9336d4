"""Conditions and computed constants of rules as solver terms.

They are Python expressions on natural numbers, which have no width.  Here they are computed in bit-vectors of twice the width
and some more, where nothing that a rule's condition lets through overflows.  What is concrete (types, numbers) stays Python's.
"""

from __future__ import annotations

import ast
import operator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.base.types import Type
    from septet.prove.cases import Case

BINARY = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
COMPARE = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
}  # fmt: skip


class Condition:
    """Computes expressions for one case.  `numbers` are terms of `width` bits by the names of constants, `bits` the terms of
    operands by name, `types` those operands' types."""

    def __init__(self, case: Case, width: int, numbers: dict[str, Any], bits: dict[str, Any], types: dict[str, Type]) -> None:
        self.case = case
        self.width = width
        self.numbers = numbers
        self.bits = bits
        self.types = types

    def value(self, code: str) -> Any:
        """What the expression is: a Python object or a term."""
        return self._of(ast.parse(code, mode="eval").body)

    def number(self, code: str) -> Any:
        """What the expression is, as a term of `width` bits."""
        return self._wide(self.value(code))

    def holds(self, code: str) -> Any:
        """Whether the expression is true: True, False or a term."""
        return _truth(self.value(code))

    def _wide(self, value: Any) -> Any:
        import z3

        return z3.BitVecVal(int(value), self.width) if isinstance(value, int) else value

    def _of(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            return getattr(self._of(node.value), node.attr)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node.op, self._of(node.operand))
        if isinstance(node, ast.BinOp):
            return self._binary(type(node.op), self._of(node.left), self._of(node.right))
        if isinstance(node, ast.BoolOp):
            return self._bool(node)
        if isinstance(node, ast.IfExp):
            return self._of(node.body) if self._of(node.test) else self._of(node.orelse)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        assert isinstance(node, ast.Call), ast.dump(node)
        return self._call(node)

    def _name(self, name: str) -> Any:
        from septet.base import types

        if name in self.numbers:
            return self.numbers[name]
        if name in self.case:
            return self.case[name]
        return self.bits[name] if name in self.bits else getattr(types, name)

    def _unary(self, op: ast.unaryop, value: Any) -> Any:
        import z3

        if isinstance(op, ast.Not):
            truth = _truth(value)
            return z3.Not(truth) if z3.is_expr(truth) else not truth
        return -value if isinstance(op, ast.USub) else ~value

    def _binary(self, op: type[ast.operator], left: Any, right: Any) -> Any:
        import z3

        if isinstance(left, int) and isinstance(right, int):
            shifts = op in (ast.LShift, ast.RShift)
            return 0 if shifts and right < 0 else BINARY[op](left, right)  # where that is so, another condition fails
        left, right = self._wide(left), self._wide(right)
        if op in (ast.FloorDiv, ast.Mod):
            rest = z3.SRem(left, right)
            off = z3.And(rest != 0, (rest < 0) != (right < 0))
            if op is ast.Mod:
                return z3.If(off, rest + right, rest)
            return z3.If(off, left / right - 1, left / right)
        return BINARY[op](left, right)

    def _bool(self, node: ast.BoolOp) -> Any:
        import z3

        both = isinstance(node.op, ast.And)
        parts = []
        for part in node.values:
            truth = _truth(self._of(part))
            if not z3.is_expr(truth):
                if truth != both:
                    return not both
                continue
            parts.append(truth)
        return (z3.And if both else z3.Or)(*parts) if parts else both

    def _compare(self, node: ast.Compare) -> Any:
        import z3

        parts = []
        left = self._of(node.left)
        for op, after in zip(node.ops, node.comparators, strict=True):
            right = self._of(after)
            parts.append(COMPARE[type(op)](left, right))
            left = right
        terms = [part for part in parts if z3.is_expr(part)]
        if not all(part for part in parts if not z3.is_expr(part)):
            return False
        return z3.And(*terms) if terms else True

    def _call(self, node: ast.Call) -> Any:
        import z3

        if isinstance(node.func, ast.Attribute):
            owner = self._of(node.func.value)
            if node.func.attr == "wrap":
                return owner.wrap(arg) if isinstance(arg := self._of(node.args[0]), int) else self._wrap(owner, arg)
            assert node.func.attr == "bit_length"
            if isinstance(owner, int):
                return owner.bit_length()
            size = z3.If(owner < 0, -owner, owner)
            length = z3.BitVecVal(0, self.width)
            for bit in range(self.width - 1):
                length = z3.If(z3.Extract(bit, bit, size) == 1, z3.BitVecVal(bit + 1, self.width), length)
            return length
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name == "abs":
            value = self._of(node.args[0])
            return abs(value) if isinstance(value, int) else z3.If(value < 0, -value, value)
        assert isinstance(node.args[0], ast.Name)
        leaf = node.args[0].id
        bits, width = self.bits[leaf], self.types[leaf].bits
        mask = z3.Extract(width - 1, 0, self._wide(self._of(node.args[1]))) if len(node.args) > 1 else None
        return {
            "odd": lambda: bits & 1 == 1,
            "even": lambda: bits & 1 == 0,
            "natural": lambda: z3.Extract(width - 1, width - 1, bits) == 0,
            "zeros": lambda: bits & mask == 0,
            "ones": lambda: bits & mask == mask,
        }[name]()

    def _wrap(self, type: Type, value: Any) -> Any:
        import z3

        low = z3.Extract(type.bits - 1, 0, value)
        return (z3.SignExt if type.signed else z3.ZeroExt)(self.width - type.bits, low)


def _truth(value: Any) -> Any:
    import z3

    if z3.is_bv(value):
        return value != 0
    return value if z3.is_expr(value) else bool(value)
