"""Variables of a function that is being built, and how they become SSA form.

    slot = builder.alloca(ir.i64)                 nothing
    builder.store(0, slot)                =>      nothing
    ... in a loop: load, add, store               phi, add

A slot is no memory: nothing but loads and stores may name it, and when the function is finished they are gone.  Every block
with several predecessors gets a phi for every slot; those that choose between themselves and one value go again (`ir.phis`),
and those that nothing needs are dropped.  A slot that was not stored to reads 0.
"""

from __future__ import annotations

from septet.base.graph import reverse_postorder
from septet.base.types import Type
from septet.ir.forward import forward, resolve
from septet.ir.nodes import Block, Const, Function, Memory, Phi, Value
from septet.ir.phis import remove_redundant
from septet.ops import table as ops


class Slot(Value):
    """A variable of one function, of type `holds`."""

    __slots__ = ("holds",)

    def __init__(self, holds: Type, name: str) -> None:
        super().__init__(ops.PARAM, holds, [], name=name)
        self.holds = holds


def promote(function: Function) -> None:
    """Bring `function`, whose blocks all end and can all be reached, into SSA form."""
    slots = {arg: None for value in function.values() for arg in value.args if isinstance(arg, Slot)}
    if not slots:
        return
    number = {block: index for index, block in enumerate(function.blocks)}
    order = [
        function.blocks[i] for i in reverse_postorder([[number[b] for b in block.successors] for block in function.blocks])
    ]
    before: dict[Block, list[Block]] = {block: [] for block in order}
    for block in order:
        for target in block.successors:
            before[target].append(block)
    first = {slot: Const(slot.holds, 0) for slot in slots if isinstance(slot, Slot)}
    made: dict[Block, dict[Slot, Phi]] = {}
    after: dict[Block, dict[Slot, Value]] = {}
    for block in order:
        now: dict[Slot, Value] = dict(first)
        if len(before[block]) == 1:
            now = dict(after[before[block][0]])
        elif before[block]:
            now = dict(_phis(block, first, made))
        after[block] = _body(block, now)
    phis: dict[Value, None] = {}
    for block, several in made.items():
        for slot, phi in several.items():
            phi.blocks = list(before[block])
            phi.args = [after[origin][slot] for origin in before[block]]
            block.phis.append(phi)
            phis[phi] = None
    remove_redundant(list(phis))
    resolve(function)
    _drop_unused(function, phis)


def _phis(block: Block, first: dict[Slot, Const], made: dict[Block, dict[Slot, Phi]]) -> dict[Slot, Phi]:
    """A phi of `block` for every slot."""
    made[block] = {slot: Phi(slot.holds, [], [], name=slot.name) for slot in first}
    return made[block]


def _body(block: Block, now: dict[Slot, Value]) -> dict[Slot, Value]:
    """What the slots hold behind `block`, whose loads and stores of them are taken out."""
    kept = []
    for value in block.body:
        if isinstance(value, Memory) and isinstance(value.args[0], Slot):
            slot = value.args[0]
            if value.op is ops.LOAD:
                forward(value, now[slot])
            else:
                now[slot] = value.args[1]
        else:
            kept.append(value)
    block.body = kept
    return now


def _drop_unused(function: Function, phis: dict[Value, None]) -> None:
    """Take out those of `phis` that only such phis use."""
    todo = [arg for value in function.values() if value not in phis for arg in value.args if arg in phis]
    needed = dict.fromkeys(todo)
    while todo:
        for arg in todo.pop().args:
            if arg in phis and arg not in needed:
                needed[arg] = None
                todo.append(arg)
    for block in function.blocks:
        block.phis = [phi for phi in block.phis if phi not in phis or phi in needed]
