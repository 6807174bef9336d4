"""Replacing values: a value that another one stands for becomes a COPY of it, and one sweep makes all users forget it.

Between passes no COPY is left: whoever forwards values calls `resolve` before returning.
"""

from __future__ import annotations

from septet.base.types import TUPLE
from septet.ops.table import COPY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.types import Type
    from septet.ir.nodes import Function, Value


def stands_for(wanted: Type, type: Type) -> bool:
    """Whether a value of `type` may take the place of one of type `wanted` everywhere: the same type; or words of the same
    signedness, unless accesses go by the wanted type, that of an array or a tuple."""
    return wanted is type or (
        wanted.is_word and type.is_word and wanted.signed == type.signed and not wanted.rank and wanted is not TUPLE
    )


def forward(value: Value, to: Value) -> None:
    """Let `to` stand for `value` from now on; see `stands_for`.  `to` must not lead back to `value`."""
    value.op = COPY
    value.args = [to]


def final(value: Value) -> Value:
    """What stands for `value`; chains are shortened on the way, so that long ones are walked once."""
    if value.op is not COPY:
        return value
    end = value.args[0]
    while end.op is COPY:
        end = end.args[0]
    while value.args[0] is not end:
        value.args, value = [end], value.args[0]
    return end


def resolve(function: Function) -> None:
    """Take the forwarded values out of their blocks and let no operand name one."""
    for block in function.blocks:
        if block.phis:
            block.phis = [phi for phi in block.phis if phi.op is not COPY]
            for phi in block.phis:
                for position, arg in enumerate(phi.args):
                    if arg.op is COPY:
                        phi.args[position] = final(arg)
        forwarded = False
        for value in block.body:
            for arg in value.args:
                if arg.op is COPY:
                    if value.op is COPY:
                        forwarded = True
                    else:
                        value.args = [final(arg) for arg in value.args]
                    break
            else:
                if value.op is COPY:
                    forwarded = True
        if forwarded:
            block.body = [value for value in block.body if value.op is not COPY]
