"""What each instruction of a body does, in the form that colouring works on: numbers of variables and sets of registers."""

from __future__ import annotations

from septet.base.symbols import ROUTINE, Symbol
from septet.l2.allocate.access import ARGUMENT_BITS, implicit, renamed
from septet.l2.allocate.busy import TRACKED
from septet.l2.allocate.moves import remade
from septet.l2.allocate.spill import reload
from septet.x86.forms import LABEL, ROOTS
from septet.x86.instructions import Instruction, Mem, Variable
from septet.x86.registers import MASK, RSP, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l2.allocate.spill import Fresh

    Effect = tuple[list[int], list[int], int, int]

NOTHING: Effect = ([], [], 0, 0)


class Plan:
    """The body, and for each instruction (variables read, variables written, registers read, registers written).

    Variables keep their numbers when others are spilled; those that were spilled stay in the list, unused.  `named` are the
    registers that instructions name or use besides their operands; `anywhere` the positions of those instructions, until the
    first replacement, that want no register for what they name.
    """

    __slots__ = ("body", "effects", "variables", "number", "named", "anywhere")

    def __init__(self, body: list[Instruction]) -> None:
        self.body = body
        self.effects: list[Effect] = []
        self.variables: list[Variable] = []
        self.number: dict[Variable, int] = {}
        self.named = 0
        self.anywhere: list[int] = []
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
            if op is ROOTS:
                self.anywhere.append(len(self.effects))
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
                if operand is not RSP and operand.bank != MASK:  # type: ignore[union-attr]
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

    def constants(self, classes: dict[int, int]) -> dict[int, Instruction]:
        """Of the variables that `classes` sorts into classes, the classes whose members only ever have one and the same
        constant, and an instruction that makes it."""
        found: dict[int, Instruction | None] = {}
        for position, (uses, defs, _, _) in enumerate(self.effects):
            for variable in defs:
                one = classes.get(variable)
                if one is None:
                    continue
                instruction = self.body[position]
                if instruction.op.is_move and len(uses) == 1 and classes.get(uses[0]) == one:
                    continue
                known = found.get(one, instruction)
                if known is None or not remade(instruction) or instruction.op is not known.op:
                    found[one] = None
                else:
                    found[one] = instruction if instruction.operands[1] == known.operands[1] else None
        return {one: instruction for one, instruction in found.items() if instruction is not None}

    def replace(
        self,
        home: dict[object, Register | Mem],
        constants: dict[object, Instruction],
        temporaries: Fresh,
        starts: list[int],
    ) -> list[int]:
        """Replace the variables in `home` by what it says, through temporaries where necessary, and make `constants` again
        wherever they are used.

        `starts`, the positions where blocks start, are brought up to date.  Gives the numbers of the blocks that changed.
        """
        hit = bytearray(len(self.variables))
        for variable in (*home, *constants):
            number = self.number.get(variable)  # type: ignore[call-overload]
            if number is not None:
                hit[number] = 1
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
                news: list[Instruction] = []
                old = (
                    self._with_constants(self.body[position], constants, temporaries, news)
                    if constants
                    else self.body[position]
                )
                if old is not None:
                    news += reload(old, home, temporaries)
                for new in news:
                    effect = self.effect(new)
                    body.append(new)
                    effects.append((effect[0], effect[1], effect[2] | read, effect[3]) if new.op.is_call else effect)
            if done != start:
                changed.append(block)
            body += self.body[done:end]
            effects += self.effects[done:end]
        self.body = body
        self.effects = effects
        self.anywhere = []
        return changed

    def _with_constants(
        self, old: Instruction, constants: dict[object, Instruction], temporaries: Fresh, made: list[Instruction]
    ) -> Instruction | None:
        """An instruction with temporaries for constants, which are made by what is added to `made`; None where the constant
        is all that it wrote."""
        op, operands = old.op, old.operands
        if op.access[:1] == ("w",) and operands[0] in constants:
            return None
        if op.is_move and operands[1] in constants:
            constant = constants[operands[1]]
            if operands[0].__class__ is not Mem:
                return Instruction(constant.op, (operands[0], *constant.operands[1:]), old.span, old.by)
        if op is ROOTS:
            return Instruction(op, tuple([operand for operand in operands if operand not in constants]), old.span, old.by)
        known: dict[object, Variable] = {}
        changed = []
        for operand in operands:
            for cell in operand[:2] if operand.__class__ is Mem else (operand,):
                if cell in constants and cell not in known:
                    known[cell] = temporary = temporaries.take(cell.bank)  # type: ignore[assignment,union-attr]
                    constant = constants[cell]
                    made.append(Instruction(constant.op, (temporary, *constant.operands[1:]), old.span))
            changed.append(renamed(operand, known) if known else operand)
        return Instruction(op, tuple(changed), old.span, old.by) if known else old
