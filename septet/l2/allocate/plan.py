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
        for how, operand in zip(op.access or ("r",) * len(operands), operands, strict=False):
            kind = operand.__class__
            if kind is Variable:
                number = self._number(operand)  # type: ignore[arg-type]
                if how[0] == "r":
                    uses.append(number)
                if how[-1] == "w":
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
                        uses.append(self._number(cell))
                    elif cell is not None and cell is not RSP:
                        named |= cell.bit  # type: ignore[union-attr]
                        read |= cell.bit  # type: ignore[union-attr]
        self.named |= named
        return uses, defs, read & TRACKED, written

    def _number(self, variable: Variable) -> int:
        number = self.number.get(variable)
        if number is None:
            number = self.number[variable] = len(self.variables)
            self.variables.append(variable)
        return number

    def replace(self, home: dict[object, Register | Mem], temporaries: Fresh) -> None:
        """Replace the variables in `home` by what it says, through temporaries where necessary."""
        touched = bytearray(len(self.variables))
        for variable in home:
            touched[self.number[variable]] = 1  # type: ignore[index]
        hit = touched.__getitem__
        body: list[Instruction] = []
        effects: list[Effect] = []
        for instruction, effect in zip(self.body, self.effects, strict=True):
            if not any(map(hit, effect[0])) and not any(map(hit, effect[1])):
                body.append(instruction)
                effects.append(effect)
                continue
            for new in reload(instruction, home, temporaries):
                uses, defs, read, written = self.effect(new)
                body.append(new)
                effects.append((uses, defs, read | effect[2] if new.op.is_call else read, written))
        self.body = body
        self.effects = effects
