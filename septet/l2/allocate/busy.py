"""Where the registers that instructions name, use or clobber are busy, gap by gap (see `intervals.py`)."""

from __future__ import annotations

from septet.base.symbols import ROUTINE, Symbol
from septet.l2.allocate.access import ARGUMENT_BITS, accesses, implicit
from septet.l2.allocate.liveness import solve
from septet.x86.abi import CALLEE_SAVED_BITS, CALLER_SAVED_BITS
from septet.x86.forms import CALL_JUMP, STACK_ARG
from septet.x86.instructions import Mem
from septet.x86.registers import RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.x86.instructions import Instruction

TRACKED = ~CALLEE_SAVED_BITS & ~RSP.bit  # of the registers: a callee-saved one that is named anywhere is never allocated


class Busy:
    """Keeps track of the registers that instructions name or clobber, block by block."""

    __slots__ = ("busy", "named", "live", "base", "start", "gen", "kill", "unread", "blocks", "has_arguments")

    def __init__(self, busy: list[int]) -> None:
        self.busy = busy
        self.named = 0
        self.live: dict[int, int] = {}  # the gap from which on a register has the value it has here, by its bit
        self.base = self.start = 0  # the same gap for the other registers; the gap in front of the block
        self.gen = self.kill = 0
        self.has_arguments = False
        self.unread = 0  # argument registers that a move wrote and nothing has read yet
        self.blocks: list[tuple[int, int, dict[int, int], int]] = []  # gen, kill, live, base

    def begin(self, gap: int) -> None:
        """Begin a block behind `gap`."""
        if gap:
            self.end_block()
        self.live = {}
        self.base = self.start = gap
        self.gen = self.kill = self.unread = 0

    def end_block(self) -> None:
        """Note what the block that ends here did."""
        self.blocks.append((self.gen, self.kill, self.live, self.base))

    def touch(self, instruction: Instruction, position: int) -> None:
        """Take note of all registers that an instruction uses."""
        op = instruction.op
        if op.is_move:
            target, source = instruction.operands
            if source.__class__ is Register and source is not RSP:
                bit = source.bit
                self.named |= bit
                self.unread &= ~bit
                self._read(bit, position)
                if target.__class__ is not Mem and target.__class__ is not Register:
                    return
            if target.__class__ is Register and source.__class__ is not Mem:
                bit = target.bit
                self.named |= bit
                self.unread |= bit & ARGUMENT_BITS[6]
                self.kill |= bit
                self.busy[position] |= bit
                self.live[bit] = position
                return
        elif op.is_call and op is not CALL_JUMP:
            self._call(instruction, position)
            return
        self._touch(instruction, position)

    def _call(self, instruction: Instruction, position: int) -> None:
        callee, *registers = instruction.operands
        reads = 0
        for register in registers:
            reads |= register.bit  # type: ignore[union-attr]
        if callee.__class__ is not Symbol:
            reads |= sum([c.bit for c in accesses(instruction)[0] if c.__class__ is Register and c not in registers])
        self.named |= reads
        if self.unread and not (callee.__class__ is Symbol and callee.kind == ROUTINE):
            reads |= self.unread  # the callee may look for more arguments than it is said to have
        if reads:
            self._read(reads, position)
        self._clobber(position, instruction.op.ends)

    def _clobber(self, position: int, ends: bool) -> None:
        """Note a call.  Nothing is live behind one that does not come back."""
        if not ends:
            self.busy[position] |= CALLER_SAVED_BITS
        self.live = {}
        self.base = position
        self.kill |= CALLER_SAVED_BITS
        self.unread = 0

    def _touch(self, instruction: Instruction, position: int) -> None:
        """The same for any instruction."""
        op = instruction.op
        self.has_arguments |= op is STACK_ARG
        reads, writes = implicit(instruction)
        cells, targets = accesses(instruction)
        named = sum([cell.bit for cell in dict.fromkeys(cells) if cell.__class__ is Register])
        written = sum([cell.bit for cell in dict.fromkeys(targets) if cell.__class__ is Register])
        reads = reads & TRACKED | named
        self.named |= named | written | (0 if op.is_call or op.ends else op.reads | op.writes)
        self.unread &= ~(reads | written)
        if op is CALL_JUMP:
            reads |= self.unread
        if reads:
            self._read(reads, position)
        if op is CALL_JUMP:
            self._clobber(position, False)
            return
        writes |= written
        self.kill |= writes
        self.busy[position] |= writes
        while writes:
            bit = writes & -writes
            writes ^= bit
            self.live[bit] = position

    def _read(self, reads: int, position: int) -> None:
        live, busy = self.live, self.busy
        while reads:
            bit = reads & -reads
            reads ^= bit
            gap = live.get(bit, self.base)
            if gap == self.start and not self.kill & bit:
                self.gen |= bit
            while gap < position:
                busy[gap] |= bit
                gap += 1
            live[bit] = position

    def extend(self, starts: list[int], after: list[list[int]]) -> None:
        """Make registers busy through the ends of the blocks that they are live out of."""
        gens = [block[0] for block in self.blocks]
        if not any(gens[1:]) and not (gens and gens[0] and any(0 in targets for targets in after)):
            return
        _, out = solve(gens, [block[1] for block in self.blocks], after)
        busy = self.busy
        for block, bits in enumerate(out):
            _, _, live, base = self.blocks[block]
            while bits:
                bit = bits & -bits
                bits ^= bit
                for gap in range(live.get(bit, base), starts[block + 1]):
                    busy[gap] |= bit
