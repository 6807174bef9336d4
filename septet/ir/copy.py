"""A copy of a function, or of blocks of it, that passes may change.  Constants and addresses, which nothing changes, are
shared."""

from __future__ import annotations

from septet.ir.nodes import Block, Branch, Call, Check, Compare, Function, Length, Memory, Phi, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def copy_function(function: Function) -> Function:
    """A copy that shares nothing that passes change."""
    made: dict[Value, Value] = {value: _value(value) for value in function.parameters}
    blocks = copy_blocks(function.blocks, made)
    parameters = [made[value] for value in function.parameters]
    copy = Function(function.name, function.result, parameters, list(blocks.values()), function.line, function.phase)
    copy.convention = function.convention
    return copy


def copy_blocks(originals: list[Block], made: dict[Value, Value]) -> dict[Block, Block]:
    """Copies of `originals` by what they are copies of; `made` says what stands for values outside, and learns those inside.

    Branches to other blocks lead where they led, and phis keep operands from other blocks.
    """
    blocks = {block: Block(block.name) for block in originals}
    copiers = _COPIERS
    for block, new in blocks.items():
        for phi in block.phis:
            copy = made[phi] = Phi(phi.type, phi.args, phi.blocks, phi.span, phi.by, phi.name)
            new.phis.append(copy)
        append = new.body.append
        for value in block.body:
            value_copy = made[value] = copiers[type(value)](value)
            append(value_copy)
    get = made.get
    for new in blocks.values():
        for phi in new.phis:
            phi.args = [get(arg, arg) for arg in phi.args]
            phi.blocks = [blocks.get(block, block) for block in phi.blocks]
        for value in new.body:
            value.args = [get(arg, arg) for arg in value.args]
        last = new.body[-1]
        if isinstance(last, Branch):
            last.targets = [blocks.get(target, target) for target in last.targets]
    return blocks


def copy_value(value: Value) -> Value:
    """A copy of a value that is no phi, with the same operands."""
    return _COPIERS[type(value)](value)


def _value(v: Value) -> Value:
    return Value(v.op, v.type, v.args, v.span, v.by, v.name)


def _compare(v: Compare) -> Value:
    return Compare(v.op, v.on, v.args, v.span, v.by, v.name)


def _memory(v: Memory) -> Value:
    new = Memory(v.op, v.on, v.args, v.offset, v.alias, v.span, v.by)
    new.name = v.name
    return new


def _check(v: Check) -> Value:
    return Check(v.op, v.args, v.detail, v.span, v.by, v.line)


def _length(v: Length) -> Value:
    new = Length(v.type, v.args, v.dimension, v.span, v.by)
    new.name = v.name
    return new


def _call(v: Call) -> Value:
    return Call(v.op, v.type, v.callee, v.args, v.span, v.by, v.name)


def _branch(v: Branch) -> Value:
    return Branch(v.op, v.args, v.targets, v.span, v.by)


_COPIERS: dict[type, Callable[..., Value]] = {
    Value: _value,
    Compare: _compare,
    Memory: _memory,
    Check: _check,
    Length: _length,
    Call: _call,
    Branch: _branch,
}
