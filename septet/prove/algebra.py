"""Proofs by algebra: two sides that are the same polynomial over the whole numbers are equal modulo every power of two.

Solvers take long for products of 64 bits, and most rules about products are of this kind.  A side is made a polynomial with
whole coefficients: a dict from monomials (sorted names) to their factors.  `x << k` is x times 2^k, `~x` is -x - 1, and the
encoded number is 2x + 1.
"""

from __future__ import annotations

import ast

from septet.ops.rules import CONSTANTS, Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ops.rules import Leaf, Rule

    Polynomial = dict[tuple[str, ...], int]


class NotPolynomial(Exception):
    """That a side of the rule is none."""


def is_identity(rule: Rule) -> bool:
    """Whether both sides are the same polynomial, whatever the condition."""
    try:
        return _of(rule, rule.tree) == _of(rule, rule.result)
    except NotPolynomial:
        return False


def _of(rule: Rule, tree: Tree | Leaf) -> Polynomial:
    """One side as a polynomial."""
    if isinstance(tree, int):
        return _number(tree)
    if isinstance(tree, str):
        return _expression(ast.parse(tree[1:-1], mode="eval").body) if tree[0] == "{" else {(tree,): 1}
    args = tree.args
    if tree.op == "shl":
        count = args[1]
        if not isinstance(count, str) or count not in CONSTANTS or f"0 <= {count} < T.bits" not in rule.when:
            raise NotPolynomial
        return _times(_of(rule, args[0]), {(f"2^{count}",): 1})
    made = [_of(rule, arg) for arg in args]
    if tree.op == "neg":
        return _scaled(made[0], -1)
    if tree.op == "not":
        return _plus(_scaled(made[0], -1), _number(-1))
    if tree.op == "tag":
        return _plus(_scaled(made[0], 2), _number(1))
    if tree.op == "add":
        return _plus(*made)
    if tree.op == "sub":
        return _plus(made[0], _scaled(made[1], -1))
    if tree.op == "mul":
        return _times(*made)
    raise NotPolynomial


def _expression(node: ast.expr) -> Polynomial:
    """A computed constant as a polynomial."""
    if isinstance(node, ast.Constant):
        return _number(int(node.value))  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return {(node.id,): 1}
    if isinstance(node, ast.UnaryOp):
        value = _scaled(_expression(node.operand), -1)
        return _plus(value, _number(-1)) if isinstance(node.op, ast.Invert) else value
    if not isinstance(node, ast.BinOp):
        raise NotPolynomial
    left = _expression(node.left)
    if isinstance(node.op, ast.LShift) and isinstance(node.right, ast.Name):
        return _times(left, {(f"2^{node.right.id}",): 1})
    right = _expression(node.right)
    if isinstance(node.op, ast.Mult):
        return _times(left, right)
    if isinstance(node.op, ast.Add):
        return _plus(left, right)
    if isinstance(node.op, ast.Sub):
        return _plus(left, _scaled(right, -1))
    raise NotPolynomial


def _number(number: int) -> Polynomial:
    return {(): number} if number else {}


def _plus(left: Polynomial, right: Polynomial) -> Polynomial:
    total = {key: left.get(key, 0) + right.get(key, 0) for key in {**left, **right}}
    return {key: factor for key, factor in total.items() if factor}


def _scaled(polynomial: Polynomial, factor: int) -> Polynomial:
    return {key: factor * old for key, old in polynomial.items()}


def _times(left: Polynomial, right: Polynomial) -> Polynomial:
    total: Polynomial = {}
    for one, factor in left.items():
        for other, more in right.items():
            total = _plus(total, {tuple(sorted(one + other)): factor * more})
    return total
