"""Peephole optimisation: short sequences of instructions that may be something better, by the rows of `peephole_rules`.

    rax <- rdi                      lea rax, mem rdi 1
    rax += 1                        rcx &= 7
    rcx &= 7           becomes      je :even
    cjump rcx = 0 :even

A row is matched where all its instructions stand behind each other; after each change the instruction in front is looked at
again (McKeeman, Peephole optimization, 1965; rows as in Davidson and Fraser, 1980).  `peephole_compiler` makes Python of the
rows, which is built into the wheel.
"""

from __future__ import annotations

from septet.base.generated import load
from septet.x86 import forms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from septet.x86.instructions import Instruction, Mem
    from septet.x86.registers import Register

LOOKS = 32  # instructions that are looked at to see whether the flags are read


def _generate() -> str:
    from septet.l1.peephole_compiler import generate

    return generate()


def improve(body: list[Instruction]) -> list[Instruction]:
    """The body after all rules; `body` itself where none fits."""
    table = load("l1_peephole", _generate).TABLE
    code = Code(body)
    done, rest = code.done, code.rest
    label = forms.LABEL
    changed = False
    while rest:
        instruction = rest[-1]
        rows = table.get(instruction.op.name)
        if rows is not None:
            found = None
            if len(rest) > 1:
                pair = rows.get(rest[-2].op.name)
                if pair is not None:
                    found = pair(code, instruction.operands, rest[-2].operands)
            if found is None and None in rows:
                found = rows[None](code, instruction.operands)
            if found is not None:
                size, given = found
                del rest[-size:]
                rest += given[::-1]
                if done:
                    rest.append(done.pop())
                changed = True
                continue
        elif instruction.op is label:
            code.passed[instruction.operands[0]] = len(done)
        done.append(rest.pop())
    return done if changed else body


class Code:
    """A body that is gone through: `done` is the part in front, `rest` the other one, the next instruction last."""

    __slots__ = ("done", "rest", "passed", "_ahead")

    def __init__(self, body: list[Instruction]) -> None:
        self.done: list[Instruction] = []
        self.rest = body[::-1]
        self.passed: dict[Any, int] = {}  # where labels stand in `done`
        self._ahead: dict[Any, int] | None = None  # where they stand, or stood, in `rest`

    def flags_are_free(self, size: int) -> bool:
        """Whether nothing behind the next `size` instructions reads the flags before something sets them; where the last of
        these is a branch, also where it goes."""
        before = self.rest[-size]
        at = len(self.done) + size
        if before.op.jumps and not self._free_from(self._place(before.operands[-1])):
            return False
        return before.op.ends or self._free_from(at)

    def _free_from(self, at: int) -> bool:
        done, rest = self.done, self.rest
        passed = len(done)
        last = passed + len(rest) - 1
        for _ in range(LOOKS):
            if not 0 <= at <= last:
                return False
            instruction = done[at] if at < passed else rest[last - at]
            op = instruction.op
            if op.reads_flags:
                return False
            if op.writes_flags:
                return True
            if op is forms.JMP:
                at = self._place(instruction.operands[0])
            elif op.ends:
                return False
            else:
                at += 1
        return False

    def _place(self, label: object) -> int:
        """How many instructions are in front of a label; -1 where there is no such label."""
        done, rest = self.done, self.rest
        at = self.passed.get(label, -1)
        if 0 <= at < len(done) and _is_label(done[at], label):
            return at
        if self._ahead is None:
            self._ahead = {i.operands[0]: at for at, i in enumerate(rest) if i.op is forms.LABEL}
        at = self._ahead.get(label, -1)
        if 0 <= at < len(rest) and _is_label(rest[at], label):
            return len(done) + len(rest) - 1 - at
        return -1


def _is_label(instruction: Instruction, label: object) -> bool:
    return instruction.op is forms.LABEL and instruction.operands[0] is label


def uses(memory: Mem, register: Register) -> bool:
    """Whether the address of a memory operand is computed from a register."""
    return memory[0] is register or memory[1] is register
