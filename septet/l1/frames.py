"""How to unwind the frames of an L1 function: where its caller's frame ends, and where the caller's registers are.

The *canonical frame address* (CFA) is rsp as the caller had it before its call: the return address is at CFA - 8.

    (@f 1 1                              at @f          rsp + 8
      mem rsp 0 <- rbx                   sub rsp, 8     rsp + 16
      rbx <- rdi                         mov [rsp], rbx rsp + 16, rbx at CFA - 16
      call @g (rdi)         becomes      ...
      rbx <- mem rsp 0                   add rsp, 8     rsp + 8
      return)                            ret

A callee-saved register's *save* is a store into a slot while the register still has what the caller left in it; so saves and
restores anywhere in a function are found, whoever put them there, by a forward dataflow analysis over the body.
"""

from __future__ import annotations

from septet.x86 import abi, forms
from septet.x86.instructions import Mem
from septet.x86.registers import RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from septet.l1.nodes import Function
    from septet.x86.instructions import Instruction

    Saved = tuple[tuple[int, int], ...]  # register number, offset from the CFA; by number
    Row = tuple[int, int, Saved]  # a position, CFA - rsp from there on, what is saved
    State = tuple[int, Saved]  # the callee-saved registers that have their entry values, as bits; what is saved

_CALLEE_SAVED = abi.CALLEE_SAVED_BITS
_EVERY = tuple(sorted(register.number for register in abi.CALLEE_SAVED))


def size(function: Function) -> int:
    """CFA - rsp in the body of `function`: its slots, its arguments on the stack, its return address."""
    return 8 * (function.slots + abi.stack_words(function.words)) + 8


def unwind(function: Function) -> list[Row]:
    """For the instructions of the body, from which on what holds in front of them: (instruction, CFA - rsp, saved).

    The first row is for instruction 0, behind the prologue.  Instructions that nothing leads to are as the one before.
    """
    frame = size(function)
    body = function.body
    saves = [
        i
        for i in body
        if i.op is forms.MOV and i.operands[1].__class__ is Register and i.operands[0].__class__ is Mem and _saves(i)
    ]
    if not saves:
        return [(0, frame, ())]
    rows: list[Row] = []
    previous: Saved | None = None
    for position, saved in _states(_Graph(body), frame):
        if saved != previous:
            if rows and rows[-1][0] == position:
                rows.pop()
            rows.append((position, frame, saved))
            previous = saved
    return rows


def offsets(function: Function, starts: Sequence[int], leaves: Sequence[tuple[int, int, int]]) -> list[Row]:
    """The rows of `function` by offset in its code: `starts[i]` is where instruction i begins, and behind the last where the
    code ends; a leave (instruction, length, CFA - rsp) is one whose first bytes take the frame off."""
    rows: list[Row] = [(0, 8, ())]
    body = unwind(function)
    out = {i: (length, left) for i, length, left in leaves if starts[i + 1] > starts[i]}  # those that are not dead
    changes = {index: (frame, saved) for index, frame, saved in body}
    frame, saved = body[0][1:]
    for index in sorted({*changes, *out, *(index + 1 for index in out)}):
        frame, saved = changes.get(index, (frame, saved))
        if index < len(starts):
            _append(rows, starts[index], frame, saved)
            if index in out:
                length, left = out[index]
                _append(rows, starts[index] + length, left, ())
    end = starts[-1] if len(starts) else 0
    return [row for row in rows if row[0] < end or row[0] == 0]


def _append(rows: list[Row], offset: int, frame: int, saved: Saved) -> None:
    if rows[-1][0] == offset:
        rows.pop()
    if not rows or rows[-1][1:] != (frame, saved):
        rows.append((offset, frame, saved))


def _saves(instruction: Instruction) -> bool:
    (base, index, _, _), register = instruction.operands  # type: ignore[misc]
    return base is RSP and index is None and bool(register.bit & _CALLEE_SAVED)  # type: ignore[union-attr]


class _Graph:
    """The blocks of a body: where each begins, what happens in it to registers and slots, and where it goes."""

    __slots__ = ("starts", "events", "after")

    def __init__(self, body: list[Instruction]) -> None:
        label, mov = forms.LABEL, forms.MOV
        self.starts = [0]
        self.events: list[list[tuple[int, Instruction]]] = [[]]
        self.after: list[list[int]] = []
        blocks: dict[str, int] = {}
        jumps: list[list[str]] = []
        leaving: list[str] = []
        falls: list[bool] = []

        def close(position: int, falls_through: bool) -> None:
            jumps.append(leaving[:])
            falls.append(falls_through)
            leaving.clear()
            self.starts.append(position)
            self.events.append([])

        for position, i in enumerate(body):
            op = i.op
            if op is label:
                if position > self.starts[-1]:
                    close(position, True)
                blocks[i.operands[0].name] = len(self.starts) - 1  # type: ignore[union-attr]
            elif op.jumps:
                leaving.append(i.operands[-1].name)  # type: ignore[union-attr]
                close(position + 1, not op.ends)
            elif op.ends:
                close(position + 1, False)
            elif op is mov or op.writes & _CALLEE_SAVED or op.access and "w" in op.access[0]:
                if _matters(i):
                    self.events[-1].append((position, i))
        close(len(body), False)
        for number, (names, on) in enumerate(zip(jumps, falls, strict=True)):
            self.after.append([blocks[name] for name in names if name in blocks] + ([number + 1] if on else []))


def _matters(instruction: Instruction) -> bool:
    """Whether it writes a callee-saved register or a slot."""
    if instruction.op.writes & _CALLEE_SAVED:
        return True
    for access, operand in zip(instruction.op.access, instruction.operands, strict=False):
        if "w" in access:
            if operand.__class__ is Register:
                if operand.bit & _CALLEE_SAVED:
                    return True
            elif operand.__class__ is Mem and operand[0] is RSP:
                return True
    return False


def _states(graph: _Graph, frame: int) -> Iterator[tuple[int, Saved]]:
    """From each position on where it may change, what is saved."""
    entry: list[State | None] = [None] * len(graph.starts)
    entry[0] = (_CALLEE_SAVED, ())
    work = [0]
    while work:
        number = work.pop()
        state = entry[number]
        assert state is not None
        if number >= len(graph.after):
            continue
        for _, instruction in graph.events[number]:
            state = _step(state, instruction, frame)
        for target in graph.after[number]:
            known = entry[target]
            met = state if known is None else _meet(known, state)
            if met != known:
                entry[target] = met
                work.append(target)
    for number, start in enumerate(graph.starts):
        state = entry[number]
        if state is None or number >= len(graph.after):
            continue
        yield start, state[1]
        for position, instruction in graph.events[number]:
            state = _step(state, instruction, frame)
            yield position + 1, state[1]


def _meet(one: State, other: State) -> State:
    return one[0] & other[0], tuple([pair for pair in one[1] if pair in other[1]])


def _step(state: State, instruction: Instruction, frame: int) -> State:
    """What holds behind an instruction, of what held in front of it."""
    intact, saved = state
    op, operands = instruction.op, instruction.operands
    if op is forms.MOV:
        to, value = operands
        if to.__class__ is Mem and to[0] is RSP and to[1] is None:
            at = to[3] - frame
            kept = tuple([pair for pair in saved if not at - 8 < pair[1] < at + 8])
            if isinstance(value, Register) and value.bit & intact and all(number != value.number for number, _ in kept):
                kept = tuple(sorted((*kept, (value.number, at))))
            return intact, kept
        if isinstance(to, Register):
            if value.__class__ is Mem and value[0] is RSP and value[1] is None:
                if (to.number, value[3] - frame) in saved:
                    return intact | to.bit, saved
            return intact & ~to.bit, saved
    intact &= ~op.writes
    widths = getattr(op, "widths", ())
    for number, (access, operand) in enumerate(zip(op.access, operands, strict=False)):
        if "w" not in access:
            continue
        if isinstance(operand, Register):
            intact &= ~operand.bit
        elif operand.__class__ is Mem and operand[0] is RSP:
            at = operand[3] - frame
            width = widths[number] if number < len(widths) else 64
            saved = tuple([pair for pair in saved if not at - 8 < pair[1] < at + width])
    return intact, saved
