"""Instructions whose variables are in memory: use the memory where a form of the instruction allows it, else load and store.

%x += %y      both spilled     r10 <- mem rsp 8 ; mem rsp 0 += r10
%x *= %y      both spilled     r10 <- mem rsp 0 ; r10 *= mem rsp 8 ; mem rsp 0 <- r10
"""

from __future__ import annotations

from septet.x86.forms import CJUMP, CMP, JCC, LEA, LEGACY, MOV, ROOTS, SWAPPED
from septet.x86.instructions import Instruction, Mem, Variable
from septet.x86.registers import GENERAL, RAX, RSP, VECTOR, Register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l2.allocate.moves import Moves
    from septet.x86.forms import Operand
    from septet.x86.instructions import Op

    Cell = Variable | Register

CONDITION_OF = {op: condition for condition, op in CJUMP.items()}
BIT_TESTS = frozenset(stem + width for stem in ("bt", "bts", "btr", "btc") for width in ("", "32", "16"))
ANY_SLOT = Mem(RSP, 0)


class Scratch:
    """Registers kept free to load spilled variables into, two of each bank: they are enough for every instruction."""

    __slots__ = ("registers", "free", "moves")
    few = True

    def __init__(self, registers: list[list[Register]], moves: Moves) -> None:
        self.registers = registers
        self.moves = moves
        self.begin()

    def begin(self) -> None:
        """Begin an instruction."""
        general, vector = self.registers
        self.free = [general.copy(), vector.copy()]

    def take(self, bank: int) -> Cell:
        """A register that this instruction has not taken yet."""
        return self.free[bank].pop(0)

    def give(self, cell: Cell) -> None:
        """Give a register back."""
        self.free[cell.bank].insert(0, cell)  # type: ignore[arg-type]


class Fresh:
    """Makes variables to load spilled ones into, which must not be spilled themselves."""

    __slots__ = ("made", "moves")
    few = False

    def __init__(self, moves: Moves) -> None:
        self.moves = moves
        self.made: dict[Variable, None] = {}

    def begin(self) -> None:
        """Begin an instruction."""

    def take(self, bank: int) -> Cell:
        """A new variable."""
        variable = Variable("spilled", bank)
        self.made[variable] = None
        return variable

    def give(self, cell: Cell) -> None:
        """Take no notice that a variable is not needed any more."""


def foldable(op: Op, operands: tuple[Operand, ...], number: int) -> bool:
    """Whether operand `number`, a variable, may be its stack slot instead; the others are as they will be.

    A 32-bit write would not clear a slot's upper half, and bit tests with the bit's number in a register reach beyond it.
    More than 64 bits must be aligned but for VEX instructions that are no moves.
    """
    how = op.access[number] if number < len(op.access) else ""
    if not how or how == "a" or op.name in BIT_TESTS or op.reads & RSP.bit:
        return False
    candidate = (*operands[:number], ANY_SLOT, *operands[number + 1 :])
    for form in op.forms:
        if form.takes(candidate):
            width = form.places[number].memory
            if how == "w" and form.places[number].bank == VECTOR and op.widths[number] < max(op.widths):
                continue  # it would clear the rest of a register
            if how[-1] == "w" and width != 64 and not (width in (8, 16) and (how == "rw" or op.name[:3] == "set")):
                continue
            if width in (8, 16, 32, 64) or width > 64 and form.scheme != LEGACY and op.name[:4] != "vmov":
                return True
    return False


class Reload:
    """One instruction some of whose variables are in memory, on its way to several."""

    __slots__ = ("instruction", "home", "temporaries", "before", "after", "loaded", "stored")

    def __init__(self, instruction: Instruction, home: dict[object, Register | Mem], temporaries: Scratch | Fresh) -> None:
        self.instruction = instruction
        self.home = home
        self.temporaries = temporaries
        self.before: list[Instruction] = []
        self.after: list[Instruction] = []
        self.loaded: dict[Cell, Cell] = {}  # where spilled variables have been loaded to
        self.stored: list[Cell] = []  # what is stored after

    def expand(self) -> list[Instruction]:
        """The instructions.  Variables without a home stay what they are."""
        instruction = self.instruction
        self.temporaries.begin()
        operands = [self._home(operand) if operand.__class__ is not Mem else operand for operand in instruction.operands]
        if instruction.op.is_move and operands[0] == operands[1]:
            return []
        if instruction.op is ROOTS:
            self._emit(self.before, instruction.op, tuple(operands))
            return self.before
        if instruction.op.is_move and Mem not in [operand.__class__ for operand in instruction.operands]:
            if instruction.operands[0].bank == VECTOR:  # type: ignore[union-attr]
                return self._vector_move(operands)
        direct = [n for n, o in enumerate(instruction.operands) if o.__class__ is Variable and operands[n].__class__ is Mem]
        for number, operand in enumerate(instruction.operands):
            if operand.__class__ is Mem:
                operands[number] = self._address(operand, direct)
        folded = self._fold(operands, direct)
        access = instruction.op.access or ("r",) * len(operands)
        for number in sorted(direct, key=lambda number: access[number] == "w"):  # what is only written can share a register
            if number != folded:
                operands[number] = self._temporary(number)
        self._emit(self.before, instruction.op, tuple(operands))
        return self.before + self.after

    def _vector_move(self, operands: list[Operand]) -> list[Instruction]:
        """A move from or to memory, or both.  The slots may be too small for the opcode's own memory forms."""
        target, source = operands
        into, out_of = self.instruction.operands
        if target.__class__ is Mem and source.__class__ is Mem:
            source = self._load(out_of)  # type: ignore[arg-type]
        stored = into if target.__class__ is Mem else out_of
        self._emit(self.before, self._move(stored), (target, source))  # type: ignore[arg-type]
        return self.before

    def _home(self, operand: Operand) -> Operand:
        return self.home.get(operand, operand)

    def _emit(self, where: list[Instruction], op: Op, operands: tuple[Operand, ...]) -> None:
        where.append(Instruction(op, operands, self.instruction.span))

    def _move(self, variable: Cell) -> Op:
        return self.temporaries.moves.of(variable)  # type: ignore[arg-type]

    def _load(self, variable: Cell) -> Cell:
        found = self.loaded.get(variable)
        if found is None:
            found = self.loaded[variable] = self.temporaries.take(variable.bank)
            self._emit(self.before, self._move(variable), (found, self._home(variable)))
        return found

    def _address(self, memory: Mem, direct: list[int]) -> Mem:
        """A memory operand with its base and index in registers."""
        base, index, scale, displacement = memory
        both = True
        parts: list[Cell] = []
        for cell in (base, index) if index is not None else (base,):
            place = self._home(cell)
            if place.__class__ is Mem:
                parts.append(self._load(cell))
            else:
                parts.append(place)  # type: ignore[arg-type]
                both = False
        result = Mem(parts[0], displacement, parts[1] if index is not None else None, scale)
        if not (both and index is not None and parts[0] is not parts[1] and self.temporaries.few):
            return result
        access = self.instruction.op.access
        operands = self.instruction.operands
        if all(access[n] == "w" or operands[n] in self.loaded or operands[n].bank != GENERAL for n in direct):  # type: ignore[union-attr]
            return result
        self._emit(self.before, LEA, (parts[0], result))
        self.temporaries.give(parts[1])
        self.loaded.clear()
        self.loaded[ADDRESS] = parts[0]
        return Mem(parts[0])

    def _fold(self, operands: list[Operand], direct: list[int]) -> int:
        """The number of the operand that stays in memory, or -1."""
        originals = self.instruction.operands
        if any(operand.__class__ is Mem for operand in originals):
            return -1
        shown = tuple([originals[n] if n in direct else operand for n, operand in enumerate(operands)])
        for number in direct:
            variable = originals[number]
            if originals.count(variable) == 1 and foldable(self.instruction.op, shown, number):
                return number
        return -1

    def _temporary(self, number: int) -> Cell:
        """The temporary that stands for a spilled operand, loaded before and stored after as the operand is used."""
        op = self.instruction.op
        operands = self.instruction.operands
        variable = operands[number]
        assert isinstance(variable, Variable)
        access = op.access or ("r",) * len(operands)
        ways = [access[n] for n, operand in enumerate(operands) if operand is variable]
        if ways == ["w"] and variable not in self.loaded:
            reusable = [cell for cell in self.loaded.values() if cell.bank == variable.bank and cell not in self.stored]
            temporary = reusable[0] if reusable and self.temporaries.few else self.temporaries.take(variable.bank)
        else:
            temporary = self._load(variable)
        if any(way[-1] == "w" for way in ways) and temporary not in self.stored:
            self.stored.append(temporary)
            self._emit(self.after, self._move(variable), (self._home(variable), temporary))
        return temporary


ADDRESS = Variable("")  # stands for an address that was computed


def reload(instruction: Instruction, home: dict[object, Register | Mem], temporaries: Scratch | Fresh) -> list[Instruction]:
    """The instructions that do what `instruction` does where `home` says which variables are in which memory or register."""
    result: list[Instruction] = []
    condition = CONDITION_OF.get(instruction.op)
    if condition is None:
        if len(instruction.operands) == 2:
            reload_pair(instruction, home, temporaries, result)
            return result
        return Reload(instruction, home, temporaries).expand()
    left, right, label = instruction.operands
    if isinstance(left, int):
        left, right, condition = right, left, SWAPPED[condition]
    reload_pair(Instruction(CMP, (left, right), instruction.span), home, temporaries, result)
    result.append(Instruction(JCC[condition], (label,), instruction.span))
    return result


def readdress(
    instruction: Instruction, home: dict[object, Register | Mem], temporaries: Scratch | Fresh, out: list[Instruction]
) -> None:
    """`reload` for an instruction with two operands, one of which is a memory operand: adds to `out`."""
    get = home.get
    first, second = instruction.operands
    memory, other = (first, second) if first.__class__ is Mem else (second, first)
    base, index, scale, displacement = memory  # type: ignore[misc]
    base, index, other = get(base, base), get(index, index), get(other, other)
    if base.__class__ is Mem or index.__class__ is Mem or other.__class__ is Mem:
        if other.__class__ is Mem or base is index:
            out += Reload(instruction, home, temporaries).expand()
            return
        temporaries.begin()
        if base.__class__ is Mem:
            base, slot = temporaries.take(GENERAL), base
            out.append(Instruction(MOV, (base, slot), instruction.span))
        if index.__class__ is Mem:
            index, slot = temporaries.take(GENERAL), index
            out.append(Instruction(MOV, (index, slot), instruction.span))
    memory = tuple.__new__(Mem, (base, index, scale, displacement))
    operands = (memory, other) if first.__class__ is Mem else (other, memory)
    out.append(Instruction(instruction.op, operands, instruction.span))


def reload_pair(
    instruction: Instruction, home: dict[object, Register | Mem], temporaries: Scratch | Fresh, out: list[Instruction]
) -> None:
    """`reload` for an instruction with two operands, at least one of which is memory or lives there: adds to `out`.

    These are nearly all, so that the simple ones among them have a shorter way.
    """
    op = instruction.op
    first, second = instruction.operands
    if first.__class__ is Mem or second.__class__ is Mem:
        readdress(instruction, home, temporaries, out)
        return
    target, source = home.get(first, first), home.get(second, second)
    both = target.__class__ is Mem and source.__class__ is Mem and isinstance(first, Variable) and first.bank == GENERAL
    if both and op.access[1:2] == ("r",) and fits(op, 0, RAX):
        if op.is_move and target == source:
            return
        temporaries.begin()
        temporary = temporaries.take(GENERAL)
        out.append(Instruction(MOV, (temporary, source), instruction.span))
        out.append(Instruction(op, (target, temporary), instruction.span))
    elif fits(op, 0, source) if target.__class__ is Mem else fits(op, 1, target):
        out.append(Instruction(op, (target, source), instruction.span))
    else:
        out += Reload(instruction, home, temporaries).expand()


_FITS: dict[tuple[Op, int, int], bool] = {}


def fits(op: Op, number: int, other: object) -> bool:
    """Whether operand `number` of an instruction with two may be a stack slot where the other is this register, variable or
    small number; False where it takes a closer look to say."""
    if other.__class__ is Register:
        kind = other.bank
    elif other.__class__ is Variable:
        kind = other.bank + 16  # some forms take one register alone
    elif other.__class__ is int and 0 <= other < 128:
        kind = -1
    else:
        return False
    found = _FITS.get((op, number, kind))
    if found is None:
        found = foldable(op, (ANY_SLOT, other) if number == 0 else (other, ANY_SLOT), number)
        _FITS[op, number, kind] = found
    return found
