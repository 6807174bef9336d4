"""What register allocation leaves behind: spills, reloads, moves and constants made again, linear scan against colouring.

    python bench/allocation.py [-O2] [FILE...]        the kernels where no files are named

A *spill* stores a register to a stack slot, a *reload* loads one, a *folded* slot is the memory operand of an instruction that
does something else, a *save* is a spill or a reload of a callee-saved register's entry value, a *move* copies a register, and
a *remat* is a constant or an address that is made more often than in L2.  Each stands plain, then weighted by 10^loop depth.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from septet.base.options import Options
from septet.base.source import Source
from septet.l2.allocate import coloring, linear_scan
from septet.l2.allocate.liveness import block_starts, loop_depths, successors
from septet.l2.allocate.moves import MOVED_BYTES, remade
from septet.l2.jumps import straighten
from septet.program import Program, language_of
from septet.x86.abi import CALLEE_SAVED
from septet.x86.forms import MOV
from septet.x86.instructions import Instruction, Mem
from septet.x86.registers import RSP, Register

KINDS = ("spill", "reload", "folded", "save", "move", "remat", "instruction")
Counts = dict[str, list[int]]


def main(arguments: list[str]) -> None:
    """Print the table."""
    levels = [argument for argument in arguments if argument[:2] == "-O"]
    files = [argument for argument in arguments if argument[:2] != "-O"]
    paths = files or sorted(map(str, (Path(__file__).parent / "kernels").glob("*.lb")))
    options = Options(int(levels[-1][2:])) if levels else Options()
    print(f"{'program':14} {'':9}" + "".join([f"{kind:>20}" for kind in KINDS]))
    total = {allocator: _nothing() for allocator in ("linear", "coloring")}
    for path in paths:
        found = allocations(path, options)
        for allocator, counts in found.items():
            _show(Path(path).stem, allocator, counts)
            for kind in KINDS:
                total[allocator][kind] = [a + b for a, b in zip(total[allocator][kind], counts[kind], strict=True)]
    for allocator, counts in total.items():
        _show("all", allocator, counts)


def _show(name: str, allocator: str, counts: Counts) -> None:
    print(f"{name:14} {allocator:9}" + "".join([f"{f'{plain} {weighted}':>20}" for plain, weighted in counts.values()]))


def _nothing() -> Counts:
    return {kind: [0, 0] for kind in KINDS}


def allocations(path: str, options: Options) -> dict[str, Counts]:
    """The counts of the two allocators for a program."""
    program = Program(Source.read(path), language_of(path), options)
    found = {"linear": _nothing(), "coloring": _nothing()}
    for function in program.stage("l2").functions.values():
        for allocator, allocate in (("linear", linear_scan.allocate), ("coloring", coloring.allocate)):
            allocated = allocate(function.body, options.target)
            if allocated is None:
                raise SystemExit(f"{path}: @{function.name} cannot be allocated by {allocate.__module__}")
            count(function.body, -1, found[allocator])
            body, slots = allocated
            count(straighten(body), slots, found[allocator])
    return found


def count(body: list[Instruction], slots: int, counts: Counts) -> None:
    """Add up what an L1 body has; for an L2 body, of -1 slots, take away the constants that it makes."""
    kept = _kept(body, slots)
    starts = block_starts(body)
    depths = loop_depths(body, starts, successors(body, starts))
    for start, end, depth in zip(starts, [*starts[1:], len(body)], depths, strict=True):
        for instruction in body[start:end]:
            sign = -1 if slots < 0 else 1
            for kind in _kinds(instruction, slots, kept):
                if sign > 0 or kind == "remat":
                    counts[kind][0] += sign
                    counts[kind][1] += sign * 10**depth


def _slot(operand: object, slots: int) -> int:
    """The offset of the stack slot that an operand is; -1 where it is none."""
    if isinstance(operand, Mem) and operand[0] is RSP and operand[1] is None and 0 <= operand[3] < 8 * slots:
        return operand[3]
    return -1


def _kept(body: list[Instruction], slots: int) -> set[int]:
    """The slots that hold the entry value of a callee-saved register: all that is done is to copy that register."""
    users: dict[int, set[object]] = {}
    for instruction in body:
        for number, operand in enumerate(instruction.operands):
            if (at := _slot(operand, slots)) >= 0:
                other = instruction.operands[1 - number] if instruction.op is MOV else None
                users.setdefault(at, set()).add(other)
    return {at for at, found in users.items() if len(found) == 1 and next(iter(found)) in CALLEE_SAVED}


def _kinds(instruction: Instruction, slots: int, kept: set[int]) -> list[str]:
    op, operands = instruction.op, instruction.operands
    kinds = ["instruction"] if op.name != "label" else []
    here = [_slot(operand, slots) >= 0 for operand in operands]
    if remade(instruction):
        kinds.append("remat")
    elif any(here):
        if op.name not in MOVED_BYTES or not isinstance(operands[1 - here.index(True)], Register):
            kinds.append("folded")
        elif _slot(operands[here.index(True)], slots) in kept:
            kinds.append("save")
        else:
            kinds.append("spill" if here[0] else "reload")
    elif op.is_move and isinstance(operands[0], Register) and isinstance(operands[1], Register):
        kinds.append("move")
    return kinds


if __name__ == "__main__":
    main(sys.argv[1:])
