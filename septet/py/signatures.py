"""What a callable takes and gives, in Python's terms; and everything that Python says of it, errors included.

    parameter           takes                                           inside
    i8 ... u64          int, or what has __index__; checked range       a word
    ptr                 int, an address                                 a word
    bool                bool, or 0 and 1                                a word
    f32, f64            float, int, or what has __float__               a float
    int64               int of 63 bits (a value of LB and LA)           a word, encoded
    Buffer              an object with the buffer protocol              a pointer and lengths

Native stubs do the usual cases themselves; whatever they cannot take comes here, to be taken after all or to be explained.
"""

from __future__ import annotations

from keyword import iskeyword
from operator import index

from septet.base.diagnostics import Diagnostic, Rejected
from septet.base.names import Fresh
from septet.base.types import BOOL, FLOAT, INT, INT64, VALUE, VOID, Type
from septet.ir.build_types import Buffer
from septet.ir.nodes import OWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from septet.ir.nodes import Function

_FORMATS = {
    (True, 1): "b", (True, 2): "h", (True, 4): "il", (True, 8): "lqn",
    (False, 1): "B", (False, 2): "H", (False, 4): "IL", (False, 8): "LQN",
}  # fmt: skip
ORDERS = "@=<"  # in front of a format; native, standard, little-endian: all the same here
MOST_ON_STACK = 14  # arguments that fit below the stack pointer, where no signal handler writes


def formats(element: Type) -> str:
    """The format characters (of `struct`) that elements of a buffer may have; their size says the rest."""
    if element is BOOL:
        return "?"
    if element.kind == FLOAT:
        return "d" if element.bits == 64 else "f"
    return _FORMATS[element.signed, element.bits // 8]


class Parameter:
    """One parameter: `type` is a Type or a Buffer."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: Type | Buffer) -> None:
        self.name = name
        self.type = type

    @property
    def native(self) -> tuple[Type, ...]:
        """What stands for it inside."""
        return self.type.native if isinstance(self.type, Buffer) else (self.type,)


class Signature:
    """A callable's parameters and result.  `path` is where its lines are counted."""

    __slots__ = ("name", "parameters", "result", "doc", "release_gil", "module", "path", "by_c")

    def __init__(
        self, name: str, parameters: list[Parameter], result: Type, doc: str, release_gil: bool, module: str, path: str
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.result = result
        self.doc = doc
        self.release_gil = release_gil
        self.module = module
        self.path = path
        self.by_c = False  # whether it is called by C's convention

    @property
    def native(self) -> list[Type]:
        """The types of what is passed to the function."""
        return [type for parameter in self.parameters for type in parameter.native]

    @property
    def text(self) -> str:
        """The parameters as `inspect.signature` reads them."""
        names = ", ".join([parameter.name for parameter in self.parameters])
        return f"({names}, /)" if names else "()"

    @property
    def documentation(self) -> str:
        """The docstring."""
        shown = ", ".join([f"{parameter.name}: {parameter.type}" for parameter in self.parameters])
        return f"{self.name}({shown}) -> {self.result}" + (f"\n\n{self.doc}" if self.doc else "")


def signature(function: Function, given: Any, module: str, path: str, release_gil: bool = False) -> Signature:
    """The signature of `function` of a module: as given (types and Buffers, a FunctionType, or the builder's function), or else
    as its parameters' types say.

    Rejected where it has something that Python cannot pass, ValueError where what is given is not what the function takes.
    """
    doc, release_gil = getattr(given, "doc", ""), release_gil or getattr(given, "release_gil", False)
    given = getattr(given, "type", given)
    given = getattr(given, "parameters", given)
    types: Sequence[Type | Buffer] = [value.type for value in function.parameters] if given is None else given
    parameters: list[Parameter] = []
    fresh, at = Fresh(), 0
    for type in types:
        name = function.parameters[at].name if at < len(function.parameters) else ""
        name = fresh(f"{name}_" if iskeyword(name) else name or f"a{at}")
        parameters.append(Parameter(name, type))
        at += len(parameters[-1].native)
    found = Signature(function.name, parameters, function.result, doc, release_gil, module, path)
    found.by_c = function.convention != OWN
    native = [value.type for value in function.parameters]
    if len(native) != at or not all(wanted.accepts(type) for wanted, type in zip(native, found.native, strict=True)):
        shown = ", ".join(map(str, native))
        raise ValueError(f"'@{function.name}' takes ({shown}), which {', '.join(map(repr, types))} is not")
    for what, type in [*((f"parameter '{p.name}'", t) for p in parameters for t in p.native), ("the result", found.result)]:
        if type.kind not in (INT, FLOAT) and type is not INT64 and (type is not VOID or what != "the result"):
            what = f"{what} of '@{function.name}' is {type}, which Python cannot pass or take"
            raise Rejected([Diagnostic(what, None, "pass a Buffer, or numbers; inner functions take anything")])
    words = sum([type.kind != FLOAT for type in found.native]) + 1
    if max(words - 6, 0) + max(len(found.native) + 1 - words - 8, 0) > MOST_ON_STACK:
        raise Rejected([Diagnostic(f"'@{function.name}' takes more arguments than Python can pass to it")])
    return found


# Arguments


def checked(signature: Signature, args: tuple[Any, ...]) -> list[Any]:
    """The arguments as ints, floats, bools and memoryviews that the function surely takes.

    TypeError, OverflowError or ValueError (read-only or not contiguous) where they are no such thing, by parameter.
    """
    if len(args) != len(signature.parameters):
        raise TypeError(arity(signature, len(args)))
    return [_argument(signature.name, parameter, arg) for parameter, arg in zip(signature.parameters, args, strict=True)]


def arity(signature: Signature, given: int) -> str:
    """That there are too few or too many arguments, in CPython's words."""
    count = len(signature.parameters)
    if not count:
        return f"{signature.name}() takes no arguments ({given} given)"
    if count == 1:
        return f"{signature.name}() takes exactly one argument ({given} given)"
    return f"{signature.name}() takes exactly {count} positional arguments ({given} given)"


def _argument(function: str, parameter: Parameter, arg: Any) -> Any:
    type = parameter.type
    what = f"{function}() argument '{parameter.name}'"
    if isinstance(type, Buffer):
        return _buffer(what, type, arg)
    given = arg.__class__.__name__
    if type.kind == FLOAT:
        if not hasattr(arg, "__float__") and not hasattr(arg, "__index__"):
            raise TypeError(f"{what} must be float, not {given}")
        return float(arg)
    if type is BOOL:
        if arg.__class__.__name__ in ("bool", "bool_"):  # NumPy's too
            return bool(arg)
        if not hasattr(arg, "__index__") or index(arg) not in (0, 1):
            raise TypeError(f"{what} must be bool, not {given if not hasattr(arg, '__index__') else arg!r}")
        return bool(arg)
    if not hasattr(arg, "__index__"):
        raise TypeError(f"{what} must be int, not {given}")
    number = index(arg)
    low, high = (type.low >> 1, type.high >> 1) if type is INT64 else (type.low, type.high)
    if not low <= number <= high:
        raise OverflowError(f"{what} is {_short(number)}, not in the range of {type}, {low} to {high}")
    return number


def _short(number: int) -> str:
    return str(number) if -(1 << 128) < number < 1 << 128 else f"an int of {number.bit_length()} bits"


def _buffer(what: str, type: Buffer, arg: Any) -> memoryview:
    try:
        view = memoryview(arg)
    except TypeError:
        raise TypeError(f"{what} must be a {type}, not {arg.__class__.__name__}") from None
    size = 1 if type.element is BOOL else type.element.bits // 8
    format = view.format.lstrip(ORDERS) if view.format[:1] in ORDERS else view.format
    if view.itemsize != size or format not in formats(type.element) or len(format) != 1:
        raise TypeError(f"{what} must be a {type}, not of elements {view.format!r} of {view.itemsize} bytes")
    if view.ndim != type.ndim:
        raise TypeError(f"{what} must have {type.ndim} dimension{'s' * (type.ndim > 1)}, not {view.ndim}")
    if not view.c_contiguous:
        raise ValueError(f"{what} must be C-contiguous; numpy.ascontiguousarray makes a copy that is")
    if type.writable and view.readonly:
        raise ValueError(f"{what} is read-only, and the function writes to it")
    return view


# Words


def words(signature: Signature, arg: Any, parameter: Parameter, address: Any) -> list[int | float]:
    """What stands inside for an argument that `checked` gave; `address` says where a memoryview's elements are."""
    if isinstance(parameter.type, Buffer):
        return [address(arg), *arg.shape]
    return [2 * arg + 1 if parameter.type is INT64 else arg]


def given(signature: Signature, number: int) -> Any:
    """What Python gets for the natural number of the result."""
    type = signature.result
    if type is VOID:
        return None
    if type is BOOL:
        return bool(number)
    if type.kind == FLOAT:
        from struct import pack, unpack

        return unpack("<d", pack("<Q", number))[0] if type.bits == 64 else unpack("<f", pack("<I", number))[0]
    if type.kind == VALUE:
        if not number & 1:
            raise TypeError(f"{signature.name}() gave a reference, which Python cannot take")
        return number >> 1
    return int(number)  # the interpreter may have computed a bool
