"""The functions of C that CPython calls, as L1: they take Python's objects apart, call a hosted function, and make one of what
it gives.

    PyObject *stub(PyObject *self, PyObject *const *args, Py_ssize_t nargs)          METH_FASTCALL

The usual arguments are converted here, by the C API; for all others the stub asks a Python function (`slow`), which takes them
after all or raises.  A frame, from rsp: what callee-saved registers held, native arguments, the context, buffers, the result.

A hosted function that fails comes back through `trap` as if it had returned, with the context saying so; callee-saved registers
hold anything then, so nothing is kept in one across the call.
"""

from __future__ import annotations

from septet.base.symbols import FUNCTION, LABEL, symbol
from septet.base.types import BOOL, F32, FLOAT, INT64, PTR, U64, VALUE, VOID, Type
from septet.ir.build_types import Buffer
from septet.l1.nodes import Function
from septet.py.hosted import CONTEXT_SIZE, KIND, LIMIT, LINE, OTHER, RESUME, WHAT
from septet.py.signatures import ORDERS, formats
from septet.x86 import abi, forms
from septet.x86.instructions import Instruction, Mem
from septet.x86.registers import R8, R9, RAX, RBX, RCX, RDI, RDX, RSI, RSP, XMM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from septet.py.signatures import Parameter, Signature
    from septet.x86.registers import Register

_BUFFER_SIZE = 80  # sizeof(Py_buffer)
_POINTER, _OBJECT, _ITEM_SIZE, _NDIM, _FORMAT, _SHAPE = 0, 8, 24, 36, 40, 48  # offsets in one
_WRITABLE, _CONTIGUOUS_WITH_FORMAT = 1, 0x3C  # PyBUF_WRITABLE; PyBUF_C_CONTIGUOUS | PyBUF_FORMAT
_MINUS_ONE = 0xBFF0000000000000
ROWS = 64  # of the table of stack limits: thread state's id, limit
_FROM_WORD: dict[int, str] = {8: "8", 16: "16", 32: "32"}


class Host:
    """Where things of this process are: `api` the addresses of C functions by name, and addresses of objects."""

    __slots__ = ("api", "objects", "limits")

    def __init__(self, api: Callable[[str], int], objects: dict[str, int], limits: int) -> None:
        self.api = api
        self.objects = objects
        self.limits = limits  # the address of the table of stack limits


class _Body:
    """The body of a function of L1 while it is made."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.out: list[Instruction] = []
        self.cold: list[Callable[[], None]] = []
        self.count = 0

    def add(self, op: str, *operands: Any) -> None:
        self.out.append(Instruction(forms.op(op), operands))

    def label(self, stem: str) -> Any:
        self.count += 1
        return symbol(LABEL, f"{self.name}.{stem}.{self.count}")

    def here(self, label: Any) -> None:
        self.out.append(Instruction(forms.LABEL, (label, 0)))

    def jump(self, label: Any) -> None:
        self.out.append(Instruction(forms.JMP, (label,)))

    def leave(self) -> None:
        self.out.append(Instruction(forms.RETURN, ()))

    def invoke(
        self, function: str, context: Callable[[], Mem] | None, native: list[Type], at: Callable[[int], Mem], by_c: bool
    ) -> None:
        """Call a hosted function: its context, then native arguments from their slots; `by_c`: by C's convention."""
        if context is not None:
            self.add("lea", RAX, Mem(RSP, -8))  # where the return address will be
            base, _, _, offset = context()
            self.add("mov", Mem(base, offset + RESUME), RAX)
            self.add("mov", Mem(base, offset + KIND), 0)
        places = abi.places(([False] if context is not None else []) + [type.kind == FLOAT for type in native])
        first = 0 if context is None else 1
        order = sorted(range(len(native)), key=lambda k: isinstance(places[k + first], int), reverse=True)
        for k in order:  # those on the stack go through rax, before what may be the base of the slots is overwritten
            place = places[k + first]
            if isinstance(place, int):
                self.add("mov", RAX, at(k))
                self.add("mov", Mem(RSP, -16 - 8 * place), RAX)
            elif native[k].kind == FLOAT:
                self.add("movss" if native[k] is F32 else "movsd", place, at(k))
            else:
                self.add("mov", place, at(k))
        if context is not None:
            base, _, _, offset = context()
            self.add("lea", RDI, Mem(base, offset))
        used = [place for place in places if not isinstance(place, int)]
        target = symbol(FUNCTION, function)
        if by_c:
            self.add("mov", RAX, target)
            self.out.append(Instruction(forms.CALL_C, (abi.c_caller(len(places) - len(used)), RAX, *used)))
        else:
            self.out.append(Instruction(forms.CALL, (target, *used)))

    def extend(self, type: Type, to: Register, source: Register | Mem) -> None:
        """`to` <- the number of `type` whose bits are the low ones of `source`."""
        width = _FROM_WORD.get(type.bits)
        if type is BOOL:
            self.add("movzx8", to, source)
        elif width is None or type.kind == FLOAT:
            self.add("mov", to, source)
        elif type.signed:
            self.add(f"movsx{width}", to, source)
        else:
            self.add("mov32" if width == "32" else f"movzx{width}", to, source)


class _Stub(_Body):
    """One stub."""

    def __init__(
        self, signature: Signature, context: bool, limited: bool, wide: bool, host: Host, slow: int, trapped: int
    ) -> None:
        super().__init__(f"{signature.name}.stub")
        self.wide = wide
        self.signature = signature
        self.context = context
        self.limited = limited
        self.host = host
        self.slow = slow
        self.trapped = trapped
        self.native = signature.native
        self.saved = abi.CALLEE_SAVED if context else [RBX]
        self.arguments = 8 * len(self.saved)
        self.frame = self.arguments + 8 * len(self.native)
        if context:
            self.context_at = self._room(CONTEXT_SIZE)
        self.views = [self._room(_BUFFER_SIZE) for p in signature.parameters if isinstance(p.type, Buffer)]
        self.result_at = self._room(8)
        self.thread_at = self._room(8) if signature.release_gil else 0
        if not self.frame & 8:
            self._room(8)  # the stack is 16-aligned at calls
        self.to_slow, self.to_fail, self.out_of_here = self.label("slow"), self.label("fail"), self.label("leave")

    def _room(self, size: int) -> int:
        self.frame += size
        return self.frame - size

    def call(self, name: str, *registers: Register) -> None:
        """Call a function of the C API."""
        self.add("mov", RAX, self.host.api(name))
        self.out.append(Instruction(forms.CALL, (RAX, *registers)))

    def argument(self, k: int) -> Mem:
        """The slot of native argument k."""
        return Mem(RSP, self.arguments + 8 * k)

    def function(self) -> Function:
        """The whole stub."""
        signature = self.signature
        for k, register in enumerate(self.saved):
            self.add("mov", Mem(RSP, 8 * k), register)
        arity = self.label("arity")
        self.add("cmp", RDX, len(signature.parameters))
        self.add("jne", arity)
        self.add("mov", RBX, RSI)
        for at in self.views:
            self.add("mov", Mem(RSP, at + _OBJECT), 0)
        native, views = 0, iter(self.views)
        for k, parameter in enumerate(signature.parameters):
            self._take(k, parameter, native, views)
            native += len(parameter.native)
        if self.limited:
            self._limit()
        if signature.release_gil:
            self.call("PyEval_SaveThread")
            self.add("mov", Mem(RSP, self.thread_at), RAX)
        context = (lambda: Mem(RSP, self.context_at)) if self.context else None
        self.invoke(signature.name, context, self.native, self.argument, signature.by_c)
        if self.wide:
            self.add("vzeroupper")  # C's SSE instructions are slow where upper halves are in use
        self._finish()
        self.here(self.out_of_here)
        for k, register in enumerate(self.saved):
            self.add("mov", register, Mem(RSP, 8 * k))
        self.leave()
        while self.cold:
            self.cold.pop(0)()
        self._refuse(arity)
        return Function(self.name, 3, self.frame // 8, self.out)

    # Arguments.

    def _take(self, k: int, parameter: Parameter, native: int, views: Any) -> None:
        """Argument k, object of `args`, into its native slots."""
        type = parameter.type
        self.add("mov", RDI, Mem(RBX, 8 * k))
        if isinstance(type, Buffer):
            self._take_buffer(type, native, next(views))
        elif type is BOOL:
            self._take_bool(native)
        elif type.kind == FLOAT:
            self._take_float(type, native)
        else:
            self._take_int(type, native)

    def _take_bool(self, native: int) -> None:
        done = self.label("bool")
        self.add("mov", RCX, 0)
        self.add("mov", RAX, self.host.objects["True"])
        self.add("cmp", RDI, RAX)
        self.add("sete", RCX)
        self.add("mov", self.argument(native), RCX)
        self.add("je", done)
        self.add("mov", RAX, self.host.objects["False"])
        self.add("cmp", RDI, RAX)
        self.add("jne", self.to_slow)
        self.here(done)

    def _take_float(self, type: Type, native: int) -> None:
        self.call("PyFloat_AsDouble", RDI)
        back = self.label("float")
        self.add("movqr", RAX, XMM[0])
        self.add("mov", RCX, _MINUS_ONE)
        self.add("cmp", RAX, RCX)
        self._unless_failed("je", back, "float")
        if type is F32:
            self.add("cvtsd2ss", XMM[0], XMM[0])
            self.add("movss", self.argument(native), XMM[0])
        else:
            self.add("movsd", self.argument(native), XMM[0])

    def _take_int(self, type: Type, native: int) -> None:
        large = type is U64 or type is PTR
        self.call("PyLong_AsUnsignedLongLong" if large else "PyLong_AsLongLong", RDI)
        self.add("cmp", RAX, -1)
        self._unless_failed("je", self.label("int"), "int")
        if type is INT64:
            self.add("add", RAX, RAX)
            self.add("jo", self.to_slow)
            self.add("or", RAX, 1)
        elif type.bits < 64:
            self.extend(type, RCX, RAX)
            self.add("cmp", RCX, RAX)
            self.add("jne", self.to_slow)
        self.add("mov", self.argument(native), RAX)

    def _unless_failed(self, condition: str, back: Any, what: str) -> None:
        """Where what was given is -1: go to `to_slow` if that means an error, else come back with it."""
        check = self.label("check")
        self.add(condition, check)
        self.here(back)

        def cold() -> None:
            self.here(check)
            self.call("PyErr_Occurred")
            self.add("test", RAX, RAX)
            self.add("jne", self.to_slow)
            self.add("mov", RAX, _MINUS_ONE if what == "float" else -1)
            if what == "float":
                self.add("movq", XMM[0], RAX)
            self.jump(back)

        self.cold.append(cold)

    def _take_buffer(self, type: Buffer, native: int, view: int) -> None:
        self.add("lea", RSI, Mem(RSP, view))
        self.add("mov", RDX, _CONTIGUOUS_WITH_FORMAT | (_WRITABLE if type.writable else 0))
        self.call("PyObject_GetBuffer", RDI, RSI, RDX)
        self.add("test", RAX, RAX)
        self.add("jne", self.to_slow)
        self.add("cmp32", Mem(RSP, view + _NDIM), type.ndim)
        self.add("jne", self.to_slow)
        self.add("cmp", Mem(RSP, view + _ITEM_SIZE), max(type.element.bits // 8, 1))
        self.add("jne", self.to_slow)
        self.add("mov", RCX, Mem(RSP, view + _FORMAT))
        self.add("test", RCX, RCX)
        self.add("je", self.to_slow)
        once, twice, right = self.label("format"), self.label("order"), self.label("right")
        self.add("movzx16", RAX, Mem(RCX))
        for again in (False, True):
            for character in formats(type.element):
                self.add("cmp", RAX, ord(character))
                self.add("je", right)
            if not again:
                self.add("movzx8", RDX, Mem(RCX))
                for order in ORDERS:
                    self.add("cmp", RDX, ord(order))
                    self.add("je", once)
                self.jump(self.to_slow)
                self.here(once)
                self.add("movzx16", RAX, Mem(RCX, 1))
        self.jump(self.to_slow)
        self.here(twice)
        self.here(right)
        self.add("mov", RAX, Mem(RSP, view + _POINTER))
        self.add("mov", self.argument(native), RAX)
        self.add("mov", RCX, Mem(RSP, view + _SHAPE))
        for k in range(type.ndim):
            self.add("mov", RAX, Mem(RCX, 8 * k))
            self.add("mov", self.argument(native + 1 + k), RAX)

    def _limit(self) -> None:
        """The lowest rsp of this thread into the context, from a table that a Python function fills."""
        again, learn = self.label("again"), self.label("learn")
        self.here(again)
        self.call("PyThreadState_Get")
        self.add("mov", RDI, RAX)
        self.call("PyThreadState_GetID", RDI)
        self.add("mov", RCX, RAX)
        self.add("and", RCX, ROWS - 1)
        self.add("shl", RCX, 4)
        self.add("mov", RDX, self.host.limits)
        self.add("add", RDX, RCX)
        self.add("cmp", Mem(RDX), RAX)
        self.add("jne", learn)
        self.add("mov", RAX, Mem(RDX, 8))
        self.add("mov", Mem(RSP, self.context_at + LIMIT), RAX)

        def cold() -> None:
            self.here(learn)
            self.add("mov", RDI, self.host.objects["learn"])
            self.add("mov", RSI, 0)
            self._call_function(RDI, RSI)
            self.add("test", RAX, RAX)
            self.add("je", self.to_fail)
            self.add("mov", RDI, RAX)
            self.call("Py_DecRef", RDI)
            self.jump(again)

        self.cold.append(cold)

    def _call_function(self, *registers: Register) -> None:
        """PyObject_CallFunction, which has variable arguments: al says how many of them are in vector registers."""
        self.add("mov", R9 if R9 not in registers else RBX, self.host.api("PyObject_CallFunction"))
        self.add("mov", RAX, 0)
        self.out.append(Instruction(forms.CALL, (R9 if R9 not in registers else RBX, *registers)))

    # The result.

    def _finish(self) -> None:
        """What comes behind the call: the lock, a failure, the buffers, the result as an object in rax."""
        signature, result = self.signature, self.signature.result
        if signature.release_gil or self.views:
            if result.kind == FLOAT:
                self.add("movsd", Mem(RSP, self.result_at), XMM[0])
            else:
                self.add("mov", Mem(RSP, self.result_at), RAX)
        if signature.release_gil:
            self.add("mov", RDI, Mem(RSP, self.thread_at))
            self.call("PyEval_RestoreThread", RDI)
        if self.context:
            failed = self.label("failed")
            self.add("cmp", Mem(RSP, self.context_at + KIND), 0)
            self.add("jne", failed)
            self.cold.append(lambda: self._failed(failed))
        self._release()
        if signature.release_gil or self.views:
            if result.kind == FLOAT:
                self.add("movsd", XMM[0], Mem(RSP, self.result_at))
            else:
                self.add("mov", RAX, Mem(RSP, self.result_at))
        self._box(result)

    def _release(self) -> None:
        for view in self.views:
            self.add("lea", RDI, Mem(RSP, view))
            self.call("PyBuffer_Release", RDI)

    def _box(self, result: Type) -> None:
        if result is VOID:
            self.add("mov", RDI, self.host.objects["None"])
            self.call("Py_IncRef", RDI)
            self.add("mov", RAX, self.host.objects["None"])
        elif result.kind == FLOAT:
            if result is F32:
                self.add("cvtss2sd", XMM[0], XMM[0])
            self.call("PyFloat_FromDouble")
        elif result.kind == VALUE:
            reference = self.label("reference")
            self.add("mov", RDI, RAX)
            self.add("sar", RDI, 1)
            self.add("and", RAX, 1)
            self.add("je", reference)
            self.call("PyLong_FromLongLong", RDI)
            self.cold.append(lambda: self._reference(reference))
        else:
            self.extend(result, RDI, RAX)
            large = result is U64 or result is PTR
            box = "PyBool_FromLong" if result is BOOL else "PyLong_FromUnsignedLongLong" if large else "PyLong_FromLongLong"
            self.call(box, RDI)

    # What hardly ever happens.

    def _reference(self, label: Any) -> None:
        """The result is a value that is no number: let Python say so, with a kind that no failure has."""
        self.here(label)
        for register in (RDX, RCX, R8, R9):
            self.add("mov", register, 0)
        self._tell()

    def _failed(self, label: Any) -> None:
        self.here(label)
        self._release()
        for register, at in ((RDX, KIND), (RCX, LINE), (R8, WHAT), (R9, OTHER)):
            self.add("mov", register, Mem(RSP, self.context_at + at))
        self._tell()

    def _tell(self) -> None:
        """Have `trapped` raise; it is given four words."""
        self.add("mov", RDI, self.trapped)
        self.add("mov", RSI, self.host.objects["LLLL"])
        self._call_function(RDI, RSI, RDX, RCX, R8, R9)
        self.jump(self.out_of_here)

    def _refuse(self, arity: Any) -> None:
        """What the stub does not take: by number of arguments, and by an argument, which may have raised something."""
        self.here(self.to_slow)
        ask = self.label("ask")
        known = self.label("known")
        self.call("PyErr_Occurred")
        self.add("test", RAX, RAX)
        self.add("je", ask)
        for name in ("TypeError", "OverflowError", "BufferError", "ValueError"):
            self.add("mov", RCX, self.host.objects[name])
            self.add("cmp", RAX, RCX)
            self.add("je", known)
        self.here(self.to_fail)
        self._release()
        self.add("mov", RAX, 0)
        self.jump(self.out_of_here)
        self.here(known)
        self.call("PyErr_Clear")
        self.here(ask)
        self._release()
        self.add("mov", RSI, RBX)
        self.add("mov", RDX, len(self.signature.parameters))
        self.here(arity)
        self.add("mov", RDI, self.slow)
        self.add("mov", RCX, 0)
        self.call("PyObject_Vectorcall", RDI, RSI, RDX, RCX)
        self.jump(self.out_of_here)


def stub(signature: Signature, context: bool, limited: bool, wide: bool, host: Host, slow: int, trapped: int) -> Function:
    """The stub of a hosted function, called `NAME.stub`; `context`: it takes one, `limited`: with a stack limit in it, `wide`:
    more than 128 bits of a vector register may be in use behind it.

    `slow` is the address of a Python function of the same arguments, `trapped` of one that raises for the kind, line and words
    of a failure.
    """
    return _Stub(signature, context, limited, wide, host, slow, trapped).function()


def bridge(signature: Signature, context: bool) -> Function:
    """A function `NAME.bridge` of C for `ctypes`: void f(word *block).

    The block is a context, whose limit is set, then the native arguments; the first of these becomes the result.
    """
    body = _Body(f"{signature.name}.bridge")
    saved = abi.CALLEE_SAVED
    for k, register in enumerate(saved):
        body.add("mov", Mem(RSP, 8 * k), register)
    own = 8 * len(saved)
    body.add("mov", Mem(RSP, own), RDI)
    body.add("mov", RBX, RDI)
    at = (lambda: Mem(RBX, 0)) if context else None
    body.invoke(signature.name, at, signature.native, lambda k: Mem(RBX, CONTEXT_SIZE + 8 * k), signature.by_c)
    body.add("mov", RBX, Mem(RSP, own))
    if signature.result.kind == FLOAT:
        body.add("movss" if signature.result is F32 else "movsd", Mem(RBX, CONTEXT_SIZE), XMM[0])
    elif signature.result is not VOID:
        body.extend(signature.result, RAX, RAX)
        body.add("mov", Mem(RBX, CONTEXT_SIZE), RAX)
    for k, register in enumerate(saved):
        body.add("mov", register, Mem(RSP, 8 * k))
    body.leave()
    return Function(body.name, 1, len(saved) + 1, body.out)
