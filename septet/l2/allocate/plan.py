"""What each instruction of a body does, in the form that colouring works on: numbers of variables and sets of registers."""

from __future__ import annotations

from septet.base.symbols import ROUTINE, Symbol
from septet.l2.allocate.access import ARGUMENT_BITS, implicit
from septet.l2.allocate.busy import TRACKED
from septet.l2.allocate.spill import reload
from septet.x86.forms import LABEL
from septet.x86.instructions import Mem, Variable
from septet.x86.registers import RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l2.allocate.spill import Fresh
    from septet.x86.instructions import Instruction

    Effect = tuple[list[int], list[int], int, int]

NOTHING: Effect = ([], [], 0, 0)


class Plan:
    """The body, and for each instruction (variables read, variables written, registers read, registers written).

    Variables keep their numbers when others are spilled; those that were spilled stay in the list, unused.  `named` are the
    registers that instructions name or use besides their operands.
    """

    __slots__ = ("body", "effects", "variables", "number", "named")

    def __init__(self, body: list[Instruction]) -> None:
        self.body = body
        self.effects: list[Effect] = []
        self.variables: list[Variable] = []
        self.number: dict[Variable, int] = {}
        self.named = 0
        unread = 0  # argument registers that a move wrote and nothing has read yet: a callee may look for them
        for instruction in body:
            op = instruction.op
            if op is LABEL:
                unread = 0
                self.effects.append(NOTHING)
                continue
            effect = self.effect(instruction)
            _, _, read, written = effect
            unread &= ~read
            if op.is_call:
                callee = instruction.operands[0]
                if unread and not (isinstance(callee, Symbol) and callee.kind == ROUTINE):
                    effect = (effect[0], effect[1], read | unread, written)
                unread = 0
            elif written:
                unread = unread | written & ARGUMENT_BITS[6] if op.is_move else unread & ~written
            self.effects.append(effect)

    def effect(self, instruction: Instruction) -> Effect:
        """What one instruction does.  Nothing is live behind a call that never comes back, so it clobbers nothing."""
        op = instruction.op
        operands = instruction.operands
        read = written = named = 0
        if op.reads or op.writes or op.is_call:
            read, written = implicit(instruction)
            if op.ends:
                written = 0
            elif not op.is_call:
                named = read | written
        uses: list[int] = []
        defs: list[int] = []
        numbered = self.number.get
        for how, operand in zip(op.access or ("r",) * len(operands), operands, strict=False):
            kind = operand.__class__
            if kind is Variable:
                number = numbered(operand)  # type: ignore[arg-type]
                if number is None:
                    number = self._number(operand)  # type: ignore[arg-type]
                if how != "w":
                    uses.append(number)
                if how != "r":
                    defs.append(number)
            elif kind is Register:
                if operand is not RSP:
                    named |= operand.bit  # type: ignore[union-attr]
                    if how[0] == "r":
                        read |= operand.bit  # type: ignore[union-attr]
                    if how[-1] == "w":
                        written |= operand.bit  # type: ignore[union-attr]
            elif kind is Mem:
                for cell in operand[:2]:  # type: ignore[index]
                    if cell.__class__ is Variable:
                        number = numbered(cell)
                        uses.append(self._number(cell) if number is None else number)
                    elif cell is not None and cell is not RSP:
                        named |= cell.bit  # type: ignore[union-attr]
                        read |= cell.bit  # type: ignore[union-attr]
        self.named |= named
        return uses, defs, read & TRACKED, written

    def _number(self, variable: Variable) -> int:
        number = self.number[variable] = len(self.variables)
        self.variables.append(variable)
        return number

    def replace(self, home: dict[object, Register | Mem], temporaries: Fresh, starts: list[int]) -> list[int]:
        """Replace the variables in `home` by what it says, through temporaries where necessary.

        `starts`, the positions where blocks start, are brought up to date.  Gives the numbers of the blocks that changed.
        """
        hit = bytearray(len(self.variables))
        for variable in home:
            hit[self.number[variable]] = 1  # type: ignore[index]
        body: list[Instruction] = []
        effects: list[Effect] = []
        changed: list[int] = []
        for block, (start, end) in enumerate(zip(list(starts), [*starts[1:], len(self.body)], strict=True)):
            starts[block] = len(body)
            done = start  # up to where instructions have been taken over
            for position in range(start, end):
                uses, defs, read, _ = self.effects[position]
                for number in uses:
                    if hit[number]:
                        break
                else:
                    for number in defs:
                        if hit[number]:
                            break
                    else:
                        continue
                body += self.body[done:position]
                effects += self.effects[done:position]
                done = position + 1
                for new in reload(self.body[position], home, temporaries):
                    effect = self.effect(new)
                    body.append(new)
                    effects.append((effect[0], effect[1], effect[2] | read, effect[3]) if new.op.is_call else effect)
            if done != start:
                changed.append(block)
            body += self.body[done:end]
            effects += self.effects[done:end]
        self.body = body
        self.effects = effects
        return changed
