"""L1c: L1 to machine code.  Each instruction becomes its bytes, jumps the shortest that reach, symbols relocations.

What instructions become is kept by opcode and operands for as long as the process lives: programs repeat themselves, and
looking up is five times faster than encoding.

    (@f 1 1                              sub rsp, 8
      mem rsp 0 <- rdi                   mov [rsp], rdi
      rax <- 3 < rdi          becomes    xor eax, eax ; cmp rdi, 3 ; setg al
      cjump rax = 1 :l                   cmp rax, 1 ; je l
      :l
      return)                            add rsp, 8 ; ret
"""

from __future__ import annotations

from functools import partial
from itertools import accumulate
from struct import pack_into

from septet.base.diagnostics import Diagnostic, Rejected
from septet.base.source import locate
from septet.base.symbols import FUNCTION, LABEL, ROUTINE, Line, Symbol, symbol
from septet.base.words import MASK
from septet.l1.jumps import ALWAYS, NEVER, add_jumps
from septet.l1.loop_alignment import LINE
from septet.l1.nodes import Function
from septet.l1.tail_calls import keeps_addresses, restores
from septet.link.code import Code, Relocation
from septet.x86 import abi, forms
from septet.x86.encode import RIP, encode, encode_rip
from septet.x86.forms import CONDITIONS, SWAPPED
from septet.x86.instructions import Mem, Pool
from septet.x86.registers import RAX, RCX, RDX, RSP, Register
from septet.x86.rows import CONDITION_CODES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.base.options import Options
    from septet.l1.nodes import Program
    from septet.link.code import Frame
    from septet.x86.instructions import Instruction, Op

    Operands = tuple[Any, ...]

PEEPHOLE = 1  # the -O level from which instructions are looked at in twos
COMPARISONS = 2  # the -O level from which what was just compared is not compared again
SCHEDULE = 2  # the -O level from which the order within blocks changes, in loops; above it everywhere
TAIL_CALLS = 2  # the -O level from which the last call of a function is a jump
_KEPT = 1 << 16  # encodings kept of one opcode
_XOR32, _JMP_INDIRECT = forms.op("xor32"), forms.op("jmp-indirect")
_CODE = {condition: CONDITION_CODES.index(code) for condition, code in CONDITIONS.items()}
_HERE = Mem(RIP, 0)  # its displacement is the last 4 bytes of the instruction
_HEADER_LINE = -4  # where a function's encoded line is, from its entry


def lower(function: Function, program: Program, options: Options) -> Code:
    """The machine code of one function.  Rejected where an operand does not fit any form of its instruction."""
    if options.opt >= PEEPHOLE:
        function = improved(function, options.opt)
    return _Assembly(function, program, options.opt >= TAIL_CALLS).code()


def improved(function: Function, opt: int) -> Function:
    """The function in better instructions and, where the level says so, in a better order."""
    from septet.l1.peephole import improve

    body = improve(function.body)
    if opt >= COMPARISONS:
        from septet.l1.comparisons import share

        body = share(body)
    if opt >= SCHEDULE:
        from septet.l1.schedule import schedule

        body = schedule(body, function.slots, 0 if opt > SCHEDULE else 1)
    if body is function.body:
        return function
    return Function(function.name, function.words, function.slots, body, function.line, function.arity)


def lower_program(program: Program, options: Options) -> list[Code]:
    """The machine code of every function, in program order."""
    return [lower(function, program, options) for function in program.functions.values()]


class _Assembly:
    """The code of one function while it is made: `pieces[0]` is the prologue, `pieces[i + 1]` the bytes of instruction i,
    without its jump, if it is one."""

    __slots__ = (
        "function", "program", "frame", "pieces", "jumps", "labels", "relocations", "references", "problems", "tails", "dead",
        "leaves", "aligns", "constants", "maps",
    )  # fmt: skip

    def __init__(self, function: Function, program: Program, tails: bool) -> None:
        self.function = function
        self.program = program
        self.frame = 8 * (function.slots + abi.stack_words(function.words))
        self.pieces = [encode(forms.SUB, (RSP, self.frame)) if self.frame else b""]
        self.jumps: list[tuple[int, int, Symbol]] = []  # number of the piece, condition code, target
        self.labels: dict[str, tuple[int, int]] = {}  # number of the piece behind, how many jumps are before
        self.relocations: list[tuple[int, int, Symbol, int]] = []  # number of the piece, offset in it, target, addend
        self.references: list[tuple[int, int, str]] = []  # the same to labels of this function; "" is its header's line
        self.constants: list[tuple[int, int, Pool]] = []  # number of the piece, offset of the displacement in it, what is there
        self.problems: list[Diagnostic] = []
        self.maps: list[tuple[int, list[Any]]] = []  # number of the piece behind a call, where what lives across it is
        self.dead: list[tuple[int, int]] = []  # pieces that nothing leads to, from the first to the one behind the last
        self.leaves: list[tuple[int, int, int]] = []  # instruction that leaves, where in it, CFA - rsp behind
        self.aligns = tails  # loops
        self.tails: bool | None = None if tails else False  # whether calls may become jumps; None: not looked at yet

    def code(self) -> Code:
        """Encode everything, then place it."""
        pieces = self.pieces
        append = pieces.append
        encodings = _ENCODINGS
        body = self.function.body
        for instruction in body:
            op = instruction.op
            known = encodings.get(op)
            if known is None:
                special = _SPECIAL.get(op)
                if special is not None:
                    append(self._special(special, instruction))
                    continue
                if op.jumps:
                    self._jump_on(op, instruction.operands)
                    append(b"")
                    continue
                known = encodings[op] = {}
            piece = known.get(instruction.operands)
            append(piece if piece is not None else self._encode(instruction, known))
        if self.problems:
            raise Rejected(self.problems)
        return self._place()

    def _encode(self, instruction: Instruction, known: dict[Operands, bytes]) -> bytes:
        """What is not kept yet."""
        op = instruction.op
        operands: Operands = instruction.operands
        try:
            if op is forms.MOV and isinstance(operands[1], Symbol | Line):
                return self._address(operands[0], operands[1])
            if op is forms.MOV and operands[1] == 0 and isinstance(operands[0], Register):
                return self._clear(operands[0])
            if op in _SET:
                piece = _set(op, operands)
            elif op.is_move and operands[0] is operands[1]:
                piece = b""
            elif Pool in map(type, operands):
                return self._with_constant(op, operands)
            else:
                piece = encode(op, _shift(op, operands))
        except ValueError as problem:
            self._complain(instruction, str(problem))
            return b""
        if len(known) >= _KEPT:
            known.clear()
        known[operands] = piece
        return piece

    def _with_constant(self, op: Op, operands: Operands) -> bytes:
        """An instruction that reads a constant of this function's pool."""
        piece, offset = encode_rip(op, tuple([_HERE if isinstance(operand, Pool) else operand for operand in operands]))
        self.constants += [(len(self.pieces), offset, operand) for operand in operands if isinstance(operand, Pool)]
        return piece

    def _clear(self, register: Register) -> bytes:
        """`register` <- 0: by xor, which changes the flags, where an instruction soon sets them and none reads them before."""
        start = len(self.pieces)
        for following in self.function.body[start : start + 4]:
            op = following.op
            if op.reads_flags or op is forms.JMP:
                break
            if op.writes_flags:
                return encode(_XOR32, (register, register))
        return encode(forms.MOV, (register, 0))

    def _special(self, make: Callable[[_Assembly, Operands], bytes], instruction: Instruction) -> bytes:
        try:
            return make(self, instruction.operands)
        except ValueError as problem:
            self._complain(instruction, str(problem))
            return b""

    def _complain(self, instruction: Instruction, message: str) -> None:
        self.problems.append(
            Diagnostic(message, locate(self.program.source, self.function.line, instruction.span))
        )  # fmt: skip

    # Instructions that are not the same bytes everywhere

    def _label(self, operands: Operands) -> bytes:
        self.labels[operands[0].name] = (len(self.pieces) + 1, len(self.jumps))  # behind its own piece, which may be padding
        return b""

    def _jump(self, code: int, target: Symbol) -> None:
        self.jumps.append((len(self.pieces), code, target))

    def _jump_on(self, op: Op, operands: Operands) -> None:
        self._jump(CONDITION_CODES.index(op.name[1:]), operands[0])

    def _goto(self, operands: Operands) -> bytes:
        self._jump(ALWAYS, operands[0])
        return b""

    def _return(self, operands: Operands) -> bytes:
        if not self.frame:
            return b"\xc3"
        leave = encode(forms.ADD, (RSP, self.frame))
        self.leaves.append((len(self.pieces) - 1, len(leave), 8))
        return leave + b"\xc3"

    def _stack_argument(self, operands: Operands) -> bytes:
        return encode(forms.MOV, (operands[0], Mem(RSP, operands[1] + 8 * self.function.slots)))

    def _call(self, operands: Operands) -> bytes:
        callee = operands[0]
        if not isinstance(callee, Symbol):
            return encode(forms.CALL, (callee,))
        if callee.kind == ROUTINE:
            callee = symbol(ROUTINE, f"{callee.name}/{len(operands) - 1}")
        elif self.tails is not False:
            piece = self._tail_call(len(self.pieces) - 1)
            if piece:
                self.relocations.append((len(self.pieces), len(piece) - 4, callee, -4))
                return piece
        self.relocations.append((len(self.pieces), 1, callee, -4))
        return b"\xe8\0\0\0\0"

    def _call_c(self, operands: Operands) -> bytes:
        self.relocations.append((len(self.pieces), 1, operands[0], -4))
        return b"\xe8\0\0\0\0"

    def _tail_call(self, at: int) -> bytes:
        """The call that is instruction `at` as a jump, if nothing but a return follows; else nothing."""
        body = self.function.body
        found = restores(body, at)
        if found is None:
            return b""
        if self.tails is None:
            self.tails = not keeps_addresses(body)
        if not self.tails:
            return b""
        loads, end = found
        self.dead.append((at + 2, end + 1))
        leave = b"".join([encode(load.op, load.operands) for load in loads])
        if self.frame:
            leave += encode(forms.ADD, (RSP, self.frame))
            self.leaves.append((at, len(leave), 8))
        return leave + b"\xe9\0\0\0\0"

    def _roots(self, operands: Operands) -> bytes:
        """Where the values are that live across the call in front of this."""
        self.maps.append((len(self.pieces), list(operands)))
        return b""

    def _call_jump(self, operands: Operands) -> bytes:
        """The caller has stored the return address below the stack: move over it and go."""
        callee = operands[0]
        over = encode(forms.SUB, (RSP, 8))
        self.leaves.append((len(self.pieces) - 1, len(over), self.frame + 16))
        if not isinstance(callee, Symbol):
            return over + encode(_JMP_INDIRECT, (callee,))
        self.relocations.append((len(self.pieces), len(over) + 1, callee, -4))
        return over + b"\xe9\0\0\0\0"

    def _address(self, to: Register | Mem, what: Symbol | Line) -> bytes:
        """`to` <- the address of a symbol, or an encoded line.  To store it, some register waits in its place meanwhile."""
        if isinstance(to, Register):
            return self._address_in(to, what, b"")
        spare = next(r for r in (RAX, RCX, RDX) if r is not to[0] and r is not to[1])
        return self._address_in(spare, what, encode(forms.MOV, (to, spare))) + encode(forms.XCHG, (to, spare))

    def _address_in(self, register: Register, what: Symbol | Line, before: bytes) -> bytes:
        index = len(self.pieces)
        if isinstance(what, Line):
            load = before + encode(forms.MOV32, (register, _HERE))
            if what.function:
                self.relocations.append((index, len(load) - 4, symbol(FUNCTION, what.function), _HEADER_LINE - 4))
            else:
                self.references.append((index, len(load) - 4, ""))
            return load + encode(forms.LEA, (register, Mem(register, 2 * what.line))) if what.line else load
        lea = before + encode(forms.LEA, (register, _HERE))
        if what.kind == LABEL:
            self.references.append((index, len(lea) - 4, what.name))
        else:
            self.relocations.append((index, len(lea) - 4, what, -4))
        return lea

    # Placing

    def _loops(self) -> bool:
        """Whether any jump goes back."""
        labels = self.labels
        return any(target.kind == LABEL and labels.get(target.name, (1 << 60, 0))[0] <= at for at, _, target in self.jumps)

    def _place(self) -> Code:
        function = self.function
        pieces = self.pieces
        for first, last in self.dead:
            pieces[first:last] = [b""] * (last - first)
        for index, goal in add_jumps(pieces, self.jumps, self.labels, self.aligns):
            self.relocations.append((index, len(pieces[index]) - 4, goal, -4))
        starts = [0, *accumulate(map(len, pieces))]
        labels = {name: starts[index] for name, (index, _) in self.labels.items()}
        relocations = [Relocation(starts[index] + offset, to, addend) for index, offset, to, addend in self.relocations]
        content = b"".join(pieces)
        if self.references:
            filled = bytearray(content)
            for index, offset, name in self.references:
                field = starts[index] + offset
                target = labels.get(name) if name else _HEADER_LINE
                if target is None:
                    relocations.append(Relocation(field, symbol(LABEL, name)))
                else:
                    pack_into("<i", filled, field, target - field - 4)
            content = bytes(filled)
        alignment = LINE if self.aligns and self._loops() else 16
        end = constants = len(content)
        if self.constants:
            from septet.l1 import pool

            uses = [(starts[index] + offset, starts[index + 1], constant) for index, offset, constant in self.constants]
            content, constants, wanted = pool.append(content, uses)
            alignment = max(alignment, wanted)
        del starts[0]
        places: list[tuple[int, int, str]] = []
        span, by = -1, ""
        for start, end, i in zip(starts, starts[1:], function.body, strict=False):
            if (i.span != span or i.by != by) and end > start:
                span, by = i.span, i.by
                places.append((start, span, by))
        code = Code(
            function.name, function.arity, function.line, content, relocations, labels, places,
            partial(_frames, function, starts, self.leaves), alignment, end, constants,
        )  # fmt: skip
        code.maps = [(starts[index - 1], operands) for index, operands in self.maps if not self._is_dead(index)]
        return code

    def _is_dead(self, index: int) -> bool:
        return any(first <= index < last for first, last in self.dead)


def _frames(function: Function, starts: list[int], leaves: list[tuple[int, int, int]]) -> list[Frame]:
    """`Code.frames`, for those who ask."""
    from septet.l1.frames import offsets

    return offsets(function, starts, leaves)


def _compare(condition: str, a: Any, b: Any) -> tuple[bytes, int]:
    """Code that sets the flags, and the condition code to ask for; or no code, and ALWAYS or NEVER."""
    if isinstance(a, int):
        if isinstance(b, int):
            return b"", ALWAYS if _holds(condition, a, b) else NEVER
        a, b = b, a
        condition = SWAPPED[condition]
    if b == 0 and isinstance(a, Register):
        return encode(forms.TEST, (a, a)), _CODE[condition]
    return encode(forms.CMP, (a, b)), _CODE[condition]


def _holds(condition: str, a: int, b: int) -> bool:
    if condition[-1] == "u":
        a, b = a & MASK, b & MASK
        condition = condition[:-1]
    return {"<": a < b, "<=": a <= b, "=": a == b, ">": a > b, ">=": a >= b, "!=": a != b}[condition]


def _set(op: Op, operands: Operands) -> bytes:
    """`w <- a cmp b`.  The register is cleared first where the comparison does not need it, else extended after."""
    to, a, b = operands
    code, wanted = _compare(_SET[op], a, b)
    if wanted >= ALWAYS:
        return encode(forms.MOV, (to, int(wanted == ALWAYS)))
    setcc = encode(forms.op("set" + CONDITION_CODES[wanted]), (to,))
    if any(to is part for operand in (a, b) for part in (operand if isinstance(operand, Mem) else (operand,))):
        return code + setcc + encode(forms.MOVZX8, (to, to))
    return encode(_XOR32, (to, to)) + code + setcc


def _jump_if(condition: str) -> Callable[[_Assembly, Operands], bytes]:
    """What encodes `cjump a cmp b :l` for one comparison."""
    known: dict[Operands, tuple[bytes, int]] = {}

    def encode_jump(assembly: _Assembly, operands: Operands) -> bytes:
        a, b, target = operands
        found = known.get((a, b))
        if found is None:
            if len(known) >= _KEPT:
                known.clear()
            found = known[a, b] = _compare(condition, a, b)
        if found[1] != NEVER:
            assembly._jump(found[1], target)
        return found[0]

    return encode_jump


def _shift(op: Op, operands: Operands) -> Operands:
    """The same operands; but a shift count of any size as the 6 bits of it that count."""
    if op in _SHIFTS and isinstance(operands[1], int) and not 0 <= operands[1] < 256:
        return (operands[0], operands[1] & 63)
    return operands


_ENCODINGS: dict[Op, dict[Operands, bytes]] = {}
_SET: dict[Op, str] = {op: condition for condition, op in forms.SET.items()}
_SHIFTS = (forms.SHL, forms.SAR, forms.SHR, forms.op("rol"), forms.op("ror"))
_SPECIAL: dict[Op, Callable[[_Assembly, Operands], bytes]] = {
    forms.LABEL: _Assembly._label,
    forms.JMP: _Assembly._goto,
    forms.RETURN: _Assembly._return,
    forms.STACK_ARG: _Assembly._stack_argument,
    forms.ROOTS: _Assembly._roots,
    forms.CALL: _Assembly._call,
    forms.CALL_ERROR: _Assembly._call,
    forms.CALL_C: _Assembly._call_c,
    forms.CALL_JUMP: _Assembly._call_jump,
    **{op: _jump_if(condition) for condition, op in forms.CJUMP.items()},
}
