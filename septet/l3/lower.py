"""L3c: from L3 to L2, which removes machine-independent operations.

Operations are selected for by `select`'s functions, which come from the table in `tiles`.  What is here is what no table
says: control, calls, parameters, and the names of labels, which are program-wide in L2.
"""

from __future__ import annotations

from septet.base.generated import load
from septet.base.symbols import LABEL, Symbol, symbol
from septet.base.types import FLOAT, INT64, VECTOR
from septet.l2 import nodes as l2
from septet.l3.nodes import Branch, Call, Label, Variable
from septet.l3.trees import Elsewhere, Selection
from septet.l3.unwritten import initial, never_returns, unwritten
from septet.ops import table as ops
from septet.x86 import abi, forms
from septet.x86.abi import ARGUMENTS, FLOAT_ARGUMENTS, FLOAT_RESULT, RESULT, c_caller
from septet.x86.instructions import Instruction, Mem
from septet.x86.registers import GENERAL, R8, R9, R10, RAX, RDI, RDX, RSI, RSP, XMM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from septet.base.options import Options
    from septet.base.symbols import Line
    from septet.base.types import Type
    from septet.l3 import nodes as l3
    from septet.ops.table import Op
    from septet.x86.instructions import Op as MachineOp
    from septet.x86.instructions import Variable as Virtual
    from septet.x86.registers import Register

    Operand = Variable | int | Symbol | Line
    Select = Callable[[Selection, l3.Instruction, int], None]
    Legal = dict[Op, Callable[[int, Type, Type | None], object]]

EXTEND = {
    (1, False): forms.MOVZX8, (8, True): forms.MOVSX8, (16, True): forms.MOVSX16, (32, True): forms.MOVSX32,
    (8, False): forms.MOVZX8, (16, False): forms.MOVZX16, (32, False): forms.MOV32,
}  # fmt: skip
"""By bits and signedness: what makes a number of a register whose other bits C leaves open."""
_SYSCALL = forms.op("syscall")
BASELINE = "x86-64-v1"
IN_VECTORS = (FLOAT, VECTOR)  # the kinds of types that are in vector registers
_SYSCALL_ARGUMENTS = [RAX, RDI, RSI, RDX, R10, R8, R9]
_TILES: dict[tuple[str, bool], Tiles] = {}  # those used so far


def lower_program(program: l3.Program, options: Options) -> l2.Program:
    """The L2 program that does what `program` does."""
    functions = {name: lower(function, program, options) for name, function in program.functions.items()}
    return l2.Program("main", functions, dict(program.data), program.source)


def lower(function: l3.Function, program: l3.Program, options: Options) -> l2.Function:
    """The L2 function that does what `function` of `program` does."""
    features = 1
    if options.target != BASELINE:
        from septet.x86 import targets

        features = targets.features(options.target)
    try:
        return _select(Selection(function, features, _tiles("integers" if features == 1 else "bits", features)))
    except Elsewhere:
        pass
    kinds = {i.type.kind for i in function.body}.union([v.type.kind for v in function.parameters], [function.result.kind])
    kinds.update([i.target.type.kind for i in function.body if i.target is not None])
    tiles = _tiles("vectors" if VECTOR in kinds else "floats" if FLOAT in kinds else "bits", features)
    try:
        if VECTOR in kinds:
            from septet.l3.legalise import legal

            function = legal(function, features, tiles.legal, program)
        return _select(Selection(function, features, tiles))
    except Elsewhere as problem:
        raise _rejected(problem.args[0], function, program, options.target) from None


def _rejected(i: l3.Instruction, function: l3.Function, program: l3.Program, target: str) -> Exception:
    """What to say of an operation that the target has nothing for."""
    from septet.base.diagnostics import Diagnostic, Rejected
    from septet.base.source import locate

    place = locate(program.source, function.line, i.span)
    return Rejected([Diagnostic(f"'{i.op}' needs target x86-64-v3; this is for {target}", place)])


def _select(s: Selection) -> l2.Function:
    """Select for a whole function.  Elsewhere if there are no tiles for something in it."""
    _end(s)
    _body(s)
    _unwritten(s)
    words = _parameters(s)
    function = s.function
    body = s.finish()
    if s.has_vectors:
        body = _without_upper_halves(body, function.result)
    return l2.Function(function.name, words, body, function.line, len(function.parameters))


def _without_upper_halves(body: list[Instruction], result: Type) -> list[Instruction]:
    """Where more than 128 bits of vector registers may be in use, that they are not in callees and callers: vzeroupper in front
    of calls and returns, but where such a vector is passed.  SSE instructions, which others may consist of, are slow otherwise.
    """
    wide = [i.op.name.endswith(("256", "512")) for i in body]
    if True not in wide:
        return body
    made: list[Instruction] = []
    for at, i in enumerate(body):
        leaves = (
            i.op is forms.RETURN and result.bits <= 128 or i.op.is_call and not i.op.ends and not _passes_wide(body, wide, at)
        )
        if leaves:
            made.append(Instruction(forms.op("vzeroupper"), (), i.span))
        made.append(i)
    return made


def _passes_wide(body: list[Instruction], wide: list[bool], at: int) -> bool:
    """Whether a move in front of the call at `at` puts more than 128 bits into an argument's register."""
    passed = [operand for operand in body[at].operands[1:] if operand in FLOAT_ARGUMENTS]
    for before in range(at - 1, max(at - 32, -1), -1):
        if wide[before] and body[before].operands[0] in passed:
            return True
        if body[before].op is forms.LABEL or body[before].op.is_call:
            return False
    return False


class Tiles:
    """Generated modules that belong together: their functions by opcode; for what no tile is for, `table` has those here."""

    __slots__ = ("tiled", "table", "folded", "vex", "has_vectors", "legal")

    def __init__(self, name: str, before: Tiles | None, vex: bool) -> None:
        made = load(name, lambda: _generate(name))
        if before is None:
            self.tiled: list[Select] = [select or _elsewhere for select in made.SELECT]
            self.folded = made.FOLDED
        else:
            made.NEXT[:] = before.tiled
            self.tiled = [select or last for select, last in zip(made.SELECT, before.tiled, strict=True)]
            self.folded = bytearray(map(max, made.FOLDED, before.folded))
        self.table = self.tiled[:]
        for op, select in _OWN.items():
            self.table[op.code] = select
        self.vex = vex
        self.has_vectors = hasattr(made, "LEGAL")
        self.legal: Legal = getattr(made, "LEGAL", {})


def _generate(name: str) -> str:
    from septet.l3.select import generate

    return generate(name)


def _tiles(topic: str, features: int) -> Tiles:
    """The tiles for integers, for those and more of their bits, for floats besides, or for all and vectors."""
    vex = False
    if topic in ("floats", "vectors") and features != 1:
        from septet.x86.targets import has_vex

        vex = has_vex(features)
    found = _TILES.get((topic, vex))
    if found is None:
        encoding = "avx" if vex else "sse"
        if topic == "integers":
            found = Tiles("l3_tiles", None, False)
        elif topic == "bits":
            found = Tiles("l3_tiles_bits", _tiles("integers", features), False)
        else:
            found = Tiles(f"l3_tiles_{encoding}_{topic}", _tiles("bits" if topic == "floats" else "floats", features), vex)
        _TILES[topic, vex] = found
    return found


def _elsewhere(s: Selection, i: l3.Instruction, at: int) -> None:
    raise Elsewhere(i)


def _body(s: Selection) -> None:
    """Select for every instruction that no tile has covered, from the last to the first."""
    body, covered, table, pending, out = s.body, s.covered, s.table, s.pending, s.out
    _enter(s)
    for at in range(len(body) - 1, -1, -1):
        if covered[at]:
            continue
        i = body[at]
        table[i.op.code](s, i, at)
        if pending:
            for instruction in pending:
                instruction.span = i.span
            pending.reverse()
            out.extend(pending)
            pending.clear()


# Control


def _enter(s: Selection) -> None:
    """Note the label that the block now selected for begins with."""
    s.start = s.starts.pop()
    label = s.body[s.start] if s.start >= 0 else None
    s.depth = label.depth if type(label) is Label else 0


def _label(s: Selection, i: l3.Instruction, at: int) -> None:
    assert isinstance(i, Label)
    s.append(Instruction(forms.LABEL, (_symbol(s, i.name), i.depth), i.span))
    _enter(s)


def _symbol(s: Selection, name: str) -> Symbol:
    return symbol(LABEL, s.prefix + name)


def _follows(s: Selection, at: int, name: str) -> bool:
    """Whether label `name` is among those that stand right behind `at`."""
    body = s.body
    for index in range(at + 1, len(body)):
        label = body[index]
        if type(label) is not Label:
            return False
        if label.name == name:
            return True
    return False


def _jump(s: Selection, i: l3.Instruction, at: int) -> None:
    """`br :l`, which is nothing where :l stands next.  Behind a branch to what stands next, it turns that branch around."""
    assert isinstance(i, Branch)
    if _follows(s, at, i.label):
        return
    before = s.body[at - 1] if at else None
    if type(before) is Branch and before.op is ops.BR_IF and _follows(s, at, before.label):
        s.turned = i.label
        return
    s.append(Instruction(forms.JMP, (_symbol(s, i.label),), i.span))


def _branch(s: Selection, i: l3.Instruction, at: int) -> None:
    """`br t :l`."""
    assert isinstance(i, Branch)
    s.negate = s.turned is not None
    label = s.turned or i.label
    s.turned = None
    if not s.negate and _follows(s, at, label):
        return
    s.target = _symbol(s, label)
    (arg,) = i.args
    if type(arg) is Variable:
        s.tiled[ops.BR_IF.code](s, i, at)
    elif (arg == 1) is not s.negate:
        s.append(Instruction(forms.JMP, (s.target,), i.span))


def _end(s: Selection) -> None:
    """A return of 0 for who falls off the end."""
    last = s.body[-1] if s.body else None
    if last is not None and (last.op.ends and last.op is not ops.BR_IF or never_returns(last)):
        return
    _give(s, s.function.result, 0, last.span if last else 0)


def _return(s: Selection, i: l3.Instruction, at: int) -> None:
    """`return` or `return t`."""
    if len(i.args) > 1:  # a vector in several registers
        results = XMM[: len(i.args)]
        s.append(Instruction(forms.RETURN, tuple(results), i.span))
        for register, arg in zip(results, i.args, strict=True):
            s.append(Instruction(s.move(i.type), (register, _vector(s, arg, i.type)), i.span))
    else:
        _give(s, s.function.result, i.args[0] if i.args else 0, i.span)


def _give(s: Selection, kind: Type, result: Operand, span: int) -> None:
    """Return `result`."""
    if kind.kind in IN_VECTORS:
        s.append(Instruction(forms.RETURN, (FLOAT_RESULT,), span))
        s.append(Instruction(_move(s, kind), (FLOAT_RESULT, _vector(s, result, kind)), span))
    else:
        s.append(Instruction(forms.RETURN, (), span))
        s.append(Instruction(forms.MOV, (RESULT, _word(s, result)), span))


def _word(s: Selection, operand: Operand) -> Virtual | int | Symbol | Line:
    """An operand as mov takes it."""
    return s.regs[operand] if type(operand) is Variable else s.source(operand)


def _vector(s: Selection, operand: Operand, kind: Type) -> Virtual:
    """A float or vector operand in a vector register."""
    return s.regs[operand] if type(operand) is Variable else s.float(operand, kind)


def _move(s: Selection, kind: Type) -> MachineOp:
    """What copies a vector register with something of that kind in it.  Elsewhere where that is not known yet."""
    if kind.kind == VECTOR and not s.has_vectors:
        raise Elsewhere
    return s.move(kind)


# Calls


def _places(kinds: list[Type]) -> list[Register | int]:
    """Where arguments of these types go: a register, or a number on the stack."""
    return abi.places([kind.kind in IN_VECTORS for kind in kinds])


def _call(s: Selection, i: l3.Instruction, at: int) -> None:
    """Arguments into their places, the call, and its result out of rax or xmm0."""
    assert isinstance(i, Call)
    span, append, args = i.span, s.append, i.args
    if i.target is not None:
        in_vectors = i.target.type.kind in IN_VECTORS
        for variable, register in zip(getattr(i, "more", ()), XMM[1:], strict=False):
            append(Instruction(_move(s, variable.type), (s.regs[variable], register), span))
        move, result = (_move(s, i.target.type), FLOAT_RESULT) if in_vectors else (forms.MOV, RESULT)
        append(Instruction(move, (s.regs[i.target], result), span))
    behind = s.body[at + 1] if at + 1 < len(s.body) else i
    if behind.op is ops.ROOTS:
        append(Instruction(forms.ROOTS, tuple([s.regs[root] for root in behind.args]), span))
    kinds = [arg.type if type(arg) is Variable else INT64 for arg in args]
    callee = i.callee if isinstance(i.callee, Symbol) else s.regs[i.callee]
    op = forms.CALL_ERROR if never_returns(i) else forms.CALL
    if len(args) <= len(ARGUMENTS) and not [kind for kind in kinds if kind.kind in IN_VECTORS]:
        registers = ARGUMENTS[: len(args)]
        append(Instruction(op, (callee, *registers), span))
        regs = s.regs
        for register, arg in zip(reversed(registers), reversed(args), strict=True):
            append(Instruction(forms.MOV, (register, regs[arg] if type(arg) is Variable else s.source(arg)), span))
        return
    places = _places(kinds)
    append(Instruction(op, (callee, *[place for place in places if type(place) is not int]), span))
    _arguments(s, args, kinds, places, span)


def _call_c(s: Selection, i: l3.Instruction, at: int) -> None:
    """A call by C's convention: the same places, the callee in rax, and a routine on the way that aligns the stack."""
    span, append = i.span, s.append
    callee, *args = i.args
    if i.target is not None:
        kind = i.type
        register = s.regs[i.target]
        if kind.kind in IN_VECTORS:
            append(Instruction(_move(s, kind), (register, FLOAT_RESULT), span))
        else:
            append(Instruction(EXTEND.get((kind.bits, kind.signed), forms.MOV), (register, RESULT), span))
    kinds = [arg.type if type(arg) is Variable else INT64 for arg in args]
    places = _places(kinds)
    used = [place for place in places if type(place) is not int]
    append(Instruction(forms.CALL_C, (c_caller(len(places) - len(used)), RAX, *used), span))
    append(Instruction(forms.MOV, (RAX, s.regs[callee]), span))
    _arguments(s, args, kinds, places, span)


def _arguments(s: Selection, args: list[Operand], kinds: list[Type], places: list[Register | int], span: int) -> None:
    """Arguments into their places."""
    for arg, kind, place in zip(reversed(args), reversed(kinds), reversed(places), strict=True):
        if type(place) is int:
            _to_stack(s, arg, kind, Mem(RSP, -16 - 8 * place), span)
        elif kind.kind in IN_VECTORS:
            s.append(Instruction(_move(s, kind), (place, s.regs[arg]), span))
        else:
            s.append(Instruction(forms.MOV, (place, _word(s, arg)), span))


def _to_stack(s: Selection, arg: Operand, kind: Type, place: Mem, span: int) -> None:
    """Store an argument below rsp."""
    if type(arg) is Variable and kind.is_float:
        s.append(Instruction(s.load(kind), (place, s.regs[arg]), span))
    else:
        what = arg if isinstance(arg, int) and -(1 << 31) <= arg < 1 << 31 else s.regs[arg]
        s.append(Instruction(forms.MOV, (place, what), span))


def _roots(s: Selection, i: l3.Instruction, at: int) -> None:
    """Nothing: the call in front of it emits it, so that it comes before the move of the call's result."""


def _syscall(s: Selection, i: l3.Instruction, at: int) -> None:
    """The number in rax, up to six arguments in registers, the others 0."""
    span, append = i.span, s.append
    if i.target is not None:
        append(Instruction(forms.MOV, (s.regs[i.target], RAX), span))
    append(Instruction(_SYSCALL, (), span))
    args = [*i.args, *[0] * (len(_SYSCALL_ARGUMENTS) - len(i.args))]
    for register, arg in zip(reversed(_SYSCALL_ARGUMENTS), reversed(args), strict=True):
        append(Instruction(forms.MOV, (register, _word(s, arg)), span))


# The entry


def _parameters(s: Selection) -> int:
    """Parameters out of their places; gives how many word parameters the L2 function has.

    Floats past the eighth are on the stack even where an argument register is free.  Those registers then count as word
    parameters, for `x86.abi.stack_words` to be right.
    """
    parameters = s.function.parameters
    places = _places([parameter.type for parameter in parameters])
    on_stack = sum([type(place) is int for place in places])
    words = 0
    from_c = s.function.convention == "c"
    for parameter, place in zip(reversed(parameters), reversed(places), strict=True):
        register = s.regs[parameter]
        if not isinstance(place, int):
            words += place.bank == GENERAL
            kind = parameter.type
            extend = EXTEND.get((kind.bits, kind.signed), forms.MOV) if from_c else forms.MOV
            s.append(Instruction(extend if place.bank == GENERAL else _move(s, kind), (register, place)))
            continue
        if from_c:
            _from_c(s, parameter, 8 + 8 * place)
            continue
        read = s.general() if parameter.type.is_float else register
        if read is not register:
            s.append(Instruction(_from_general(s, parameter.type), (register, read)))
        s.append(Instruction(forms.STACK_ARG, (read, 8 * (on_stack - 1 - place))))
    return len(ARGUMENTS) + on_stack if on_stack and not from_c else words


def _from_c(s: Selection, parameter: Variable, at: int) -> None:
    """A parameter that C has put on the stack, `at` bytes above where the return address is; narrow ones are not extended."""
    kind, register = parameter.type, s.regs[parameter]
    read = s.general() if kind.is_float else register
    if kind.is_float:
        s.append(Instruction(_from_general(s, kind), (register, read)))
    elif (kind.bits, kind.signed) in EXTEND:
        s.append(Instruction(EXTEND[kind.bits, kind.signed], (register, register)))
    s.append(Instruction(forms.STACK_ARG, (read, at)))


def _unwritten(s: Selection) -> None:
    """Let variables that may be read before they are written begin as L3 says."""
    for variable in () if s.function.written else reversed(unwritten(s.function)):
        if variable.type.kind in IN_VECTORS:
            _move(s, variable.type)
            s.append(Instruction(s.load(variable.type), (s.regs[variable], s.pool(0, variable.type))))
        else:
            s.append(Instruction(forms.MOV, (s.regs[variable], initial(variable.type))))


def _from_general(s: Selection, kind: Type) -> MachineOp:
    """The instruction that copies a float from a general register."""
    return forms.op(("vmov" if s.vex else "mov") + ("q" if kind.bits == 64 else "d"))


def _shuffle(s: Selection, i: l3.Instruction, at: int) -> None:
    if not s.has_vectors:
        raise Elsewhere(i)
    from septet.l3 import shuffles

    shuffles.select(s, i, at)


_OWN: dict[Op, Select] = {
    ops.LABEL: _label, ops.BR: _jump, ops.BR_IF: _branch, ops.RETURN: _return,
    ops.CALL: _call, ops.CALL_INDIRECT: _call, ops.CALL_C: _call_c, ops.SYSCALL: _syscall, ops.ROOTS: _roots,
    ops.SHUFFLE: _shuffle,
}  # fmt: skip
