"""Builds IR from Python, in the manner of llvmlite's `ir`: what is wrong is said by the call that is wrong.

    from septet import ir

    module = ir.Module("example")
    function = ir.Function(module, ir.FunctionType(ir.i64, [ir.i64, ir.i64], names=["a", "b"]), "add")
    a, b = function.args
    builder = ir.Builder(function.append_basic_block("entry"))
    builder.ret(builder.add(a, b))
    print(module)                       # the IR as text, which reads back as it was
    add = module.compile()["add"]       # native code, called as a builtin is
    add(40, 2)

What is built is IR's own data (`ir.nodes`), with where in Python each value was made as its span; nothing is optimised here.
"""

from __future__ import annotations

import sys

from septet.base.diagnostics import Diagnostic, Rejected, did_you_mean
from septet.base.source import Source, line_of, span
from septet.base.symbols import DATA, FUNCTION, Data, External, symbol
from septet.base.types import C_KINDS, PTR, VOID, Type
from septet.ir import nodes
from septet.ir.build_slots import Slot, promote
from septet.ir.build_types import Buffer, FunctionType
from septet.ir.copy import copy_function
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, NoReturn

    from septet.program import Program
    from septet.py.load import Callables

_FOLDER = __file__.rpartition("/")[0]
_OWN = {f"{_FOLDER}/build{part}.py" for part in ("", "_arithmetic", "_operations", "_control", "_values")}


class Malformed(Rejected, ValueError):
    """A module that is not well formed: `diagnostics` says why."""


def _caller() -> FrameType:
    """The innermost frame that is not the builder's own."""
    frame = sys._getframe(2)
    while frame.f_code.co_filename in _OWN and frame.f_back is not None:
        frame = frame.f_back
    return frame


def clean(name: object, what: str) -> str:
    """`name` as the text of IR can have it: every character that a name has not becomes `_`."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a {what} is a str, not {name!r}")
    if name.isidentifier() and name.isascii():
        return name
    name = "".join([c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name])
    return f"_{name}" if name[:1].isdigit() else name


class Module:
    """Functions and data that call and name each other.

    `path` is the Python file that values are said to come from, where the module was made; a compiler of another language gives
    its own source instead, and sets `Builder.line`.
    """

    def __init__(self, name: str = "module", path: str = "") -> None:
        self.name = name
        self.path = path or _caller().f_code.co_filename
        self.functions: dict[str, Function] = {}
        self.data: dict[str, Data] = {}

    def __str__(self) -> str:
        from septet.ir.text import print_program

        program = nodes.Program({name: function.shown() for name, function in self.functions.items()}, dict(self.data))
        return print_program(program, notes=False)

    def __repr__(self) -> str:
        return f"<ir.Module {self.name}: {', '.join(self.functions) or 'empty'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a module of IR cannot be copied or pickled: str(module) is its text")

    def add_data(self, name: str, content: bytes = b"", size: int = 0) -> nodes.Value:
        """The address of `size` bytes: constant ones that begin with `content`, or zeros that may be written to."""
        self._take(name)
        size = size or len(content)
        if size < max(len(content), 1):
            raise ValueError(f"data '@{name}' of {size} bytes cannot hold {len(content)}")
        self.data[name] = Data(name, size, bytes(content))
        return nodes.Address(symbol(DATA, name), PTR)

    def _take(self, name: object) -> str:
        """Check that functions and data may have this name."""
        if not isinstance(name, str) or not name or clean(name, "function") != name:
            raise ValueError(f"{name!r} is no name of a function or data: letters, digits and _, no digit first")
        if name in self.functions or name in self.data:
            raise ValueError(f"module {self.name!r} has a '@{name}' already")
        return name

    def finished(self) -> nodes.Program:
        """A checked copy without unreachable blocks.  Malformed where a function is not well formed."""
        from septet.ir.verify import function_problems

        bad = [problem for function in self.functions.values() for problem in function.unfinished()]
        program = nodes.Program({}, dict(self.data), None)
        if not bad:
            for name, function in self.functions.items():
                program.functions[name] = function.copied()
            for copied in program.functions.values():
                bad += function_problems(copied, program)
        if bad:
            program.source = self.source()
            for copied in program.functions.values():
                _name(copied)
            raise Malformed([problem for f in program.functions.values() for problem in function_problems(f, program)] or bad)
        return program

    def source(self) -> Source:
        """The Python source that values come from, as far as there is one."""
        try:
            return Source.read(self.path)
        except OSError:
            return Source("", self.path)

    def compile(self, opt: int = 2, target: str = "native", **how: Any) -> Callables:
        """Native code for all functions, as callables (`septet.py.load.load` says what else may be asked for).

        Malformed where the module is not well formed; Rejected where a function cannot be called from Python.
        """
        from septet.py.load import load

        program = self.finished()
        return load(program, opt=opt, target=target, signatures=self.functions, name=self.name, path=self.path, **how)

    def program(self, opt: int = 2, target: str = "x86-64-v1") -> Program:
        """The whole program that starts at function `main`: to be run, saved, printed in any language."""
        if "main" not in self.functions:
            raise ValueError(f"module {self.name!r} has no function 'main'; compile() makes callables of the others")
        from septet.program import built

        return built(self.finished(), self.source(), opt, target)


def _name(function: nodes.Function) -> None:
    """Give values the names that they are printed with, for messages to name them."""
    from septet.ir.text import Printer

    for value, name in Printer(function).names.items():
        value.name = name


def _reached(function: nodes.Function) -> list[nodes.Block]:
    """The blocks that something leads to, in the function's order; a block that has not ended leads nowhere."""
    reached = dict.fromkeys(function.blocks[:1])
    todo = function.blocks[:1]
    while todo:
        block = todo.pop()
        for target in block.successors if block.body else ():
            if target not in reached:
                reached[target] = None
                todo.append(target)
    return [block for block in function.blocks if block in reached]


class Function(nodes.Function):
    """A function of `module`.  `args` are its parameters: values, and a `BufferArgument` for each `Buffer`."""

    __slots__ = ("module", "type", "args", "known", "slots", "path", "doc", "release_gil", "_names")

    def __init__(
        self,
        module: Module,
        type: FunctionType,
        name: str,
        *,
        doc: str = "",
        release_gil: bool = False,
        line: int = 0,
        convention: str = nodes.OWN,
    ) -> None:
        """`doc` is the callable's docstring; with `release_gil` other threads run meanwhile; `line` is where it begins in the
        source, where that is not the caller's.  Of `convention` "c" is a function whose address is given to C, to be called."""
        if convention not in (nodes.OWN, nodes.C):
            raise ValueError(f"the convention of '@{name}' is {convention!r}, not '' or 'c'")
        if convention == nodes.C and any(isinstance(each, Buffer) for each in getattr(type, "parameters", ())):
            raise TypeError(f"'@{name}' is called by C, which has no buffers: pass a ptr and lengths")
        if not isinstance(module, Module):
            raise TypeError(f"a function stands in a Module, not in {module!r}")
        if not isinstance(type, FunctionType):
            raise TypeError(f"the type of '@{name}' is {type!r}, not a FunctionType")
        module._take(name)
        caller = _caller()
        super().__init__(name, type.result, [], [], line or caller.f_lineno)
        self.convention = convention
        self.module = module
        self.type = type
        self.path = module.path if line else caller.f_code.co_filename
        self.doc = doc
        self.release_gil = release_gil
        self.args: list[Any] = []
        self.known: set[nodes.Value] = set()
        self.slots: set[Slot] = set()
        self._names: dict[str, int] = {}  # of blocks: the last number that was put behind each
        for index, parameter in enumerate(type.parameters):
            stem = clean(type.names[index], "parameter") if type.names else f"a{index}"
            self.args.append(self._parameter(parameter, stem))
        module.functions[name] = self

    def _parameter(self, parameter: Type | Buffer, name: str) -> Any:
        made = []
        for index, native in enumerate(parameter.native if isinstance(parameter, Buffer) else (parameter,)):
            ending = "" if not index else "_length" if index == 1 else f"_length_{index}"
            made.append(nodes.Value(ops.PARAM, native, [], name=name + ending))
        self.parameters += made
        self.known.update(made)
        return BufferArgument(parameter, made) if isinstance(parameter, Buffer) else made[0]

    def append_basic_block(self, name: str = "") -> Block:
        """A new block, the last of the function.  The first one made is where the function starts."""
        stem = clean(name or "block", "block")
        found = stem
        while found in self._names:
            self._names[stem] += 1
            found = f"{stem}_{self._names[stem]}"
        self._names[found] = 0
        block = Block(self, found)
        self.blocks.append(block)
        return block

    def insert_basic_block(self, before: int, name: str = "") -> Block:
        """A new block that stands at that place among the function's blocks."""
        block = self.append_basic_block(name)
        self.blocks.insert(before, self.blocks.pop())
        return block

    @property
    def entry_basic_block(self) -> nodes.Block:
        """Where the function starts."""
        if not self.blocks:
            raise ValueError(f"'@{self.name}' has no blocks yet")
        return self.blocks[0]

    @property
    def address(self) -> nodes.Value:
        """Its address, to be passed on and called indirectly."""
        return nodes.Address(symbol(FUNCTION, self.name), PTR)

    def span_here(self, line: int | None) -> int:
        """The span of what is being built now: of `line` of the module's source, or of the caller's line."""
        if line is None:
            caller = _caller()
            if caller.f_code.co_filename != self.path:
                return 0
            line = caller.f_lineno
        return span(line - self.line, 1) if line >= self.line else 0

    def where(self, value: nodes.Value) -> str:
        """`, made at FILE:LINE`, as far as that is known."""
        return f", made at {self.path}:{self.line + line_of(value.span)}" if value.span else ""

    def unfinished(self) -> list[Diagnostic]:
        """What is missing for the function to be looked at."""
        if not self.blocks:
            return [Diagnostic(f"function '@{self.name}' has no blocks", None, "append_basic_block makes one")]
        return [
            Diagnostic(
                f"in '@{self.name}', block ':{block.name}' does not end",
                None,
                "a block ends with ret, ret_void, branch, cbranch or switch",
            )
            for block in _reached(self)
            if not block.body or not block.body[-1].op.ends
        ]

    def copied(self) -> nodes.Function:
        """A copy in SSA form, without unreachable blocks; all others must have ended."""
        blocks = _reached(self)
        whole = nodes.Function(self.name, self.result, self.parameters, blocks, self.line)
        whole.convention = self.convention
        copy = copy_function(whole)
        if len(blocks) < len(self.blocks):
            here = set(copy.blocks)
            for phi in [phi for block in copy.blocks for phi in block.phis]:
                kept = [(arg, origin) for arg, origin in zip(phi.args, phi.blocks, strict=True) if origin in here]
                phi.args, phi.blocks = [arg for arg, _ in kept], [origin for _, origin in kept]
        if self.slots:
            promote(copy)
        return copy

    def shown(self) -> nodes.Function:
        """What is to be printed: in SSA form, as far as the function is finished."""
        return self if not self.slots or self.unfinished() else self.copied()

    def __str__(self) -> str:
        from septet.ir.text import print_function

        return print_function(self.shown(), notes=False)

    def __repr__(self) -> str:
        return f"<ir.Function @{self.name}: {self.type}>"


class ExternalFunction:
    """A function of C: `builder.call` calls it by C's convention, and `address` is a value, to be passed on.

    Its code is at `address` in this process (an int, a function of ctypes, or a capsule), or else what the process's libraries
    and libm have of that name, or what the program is linked with.
    """

    __slots__ = ("module", "type", "name")

    def __init__(self, module: Module, type: FunctionType, name: str, address: object = None) -> None:
        if not isinstance(module, Module) or not isinstance(type, FunctionType):
            raise TypeError(f"'@{name}' needs a Module and a FunctionType, not {module!r} and {type!r}")
        for each in (type.result, *type.parameters):
            if not isinstance(each, Type) or each.kind not in C_KINDS and (each is not VOID or each in type.parameters):
                raise TypeError(f"'@{name}' is a function of C, which knows no {each!r}")
        module.data[module._take(name)] = External(name, type.result, type.parameters, _machine_address(address))  # type: ignore[arg-type]
        self.module = module
        self.type = type
        self.name = name

    @property
    def address(self) -> nodes.Value:
        """Where it is, to be passed on and called."""
        return nodes.Address(symbol(DATA, self.name), PTR)

    def __repr__(self) -> str:
        return f"<ir.ExternalFunction @{self.name}: {self.type}>"


def _machine_address(given: object) -> int:
    """The address that an int, a function of ctypes or a capsule says; 0 for None."""
    if given is None:
        return 0
    if isinstance(given, int):
        if not 0 < given <= PTR.high:
            raise ValueError(f"{given} is no address")
        return given
    import ctypes
    from _ctypes import CFuncPtr

    if type(given).__name__ == "PyCapsule":
        name, pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
        name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
        pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        return pointer(given, name(given)) or 0
    if not isinstance(given, (CFuncPtr, ctypes.c_void_p)):  # a str too could be cast, to where it does not stay
        raise TypeError(f"an address is an int, a function of ctypes or a capsule, not {given!r}")
    return ctypes.cast(given, ctypes.c_void_p).value or 0


class Block(nodes.Block):
    """A basic block of `function`."""

    __slots__ = ("function",)

    def __init__(self, function: Function, name: str) -> None:
        super().__init__(name)
        self.function = function

    @property
    def is_terminated(self) -> bool:
        """Whether it has its last instruction."""
        return bool(self.body) and self.body[-1].op.ends


class BufferArgument:
    """A buffer inside the function: `data` is the address of its first element, `shape` its extents, `length` the first."""

    __slots__ = ("type", "data", "shape")

    def __init__(self, type: Buffer, values: list[nodes.Value]) -> None:
        self.type = type
        self.data = values[0]
        self.shape = tuple(values[1:])

    @property
    def length(self) -> nodes.Value:
        """How many elements there are in the first dimension."""
        return self.shape[0]

    @property
    def element(self) -> Type:
        """The type of its elements."""
        return self.type.element

    def __repr__(self) -> str:
        return f"<{self.type} %{self.data.name}>"


class Phi(nodes.Phi):
    """A phi that is being built: `add_incoming` says what it is when control comes from a block."""

    __slots__ = ("function",)

    def __init__(self, function: Function, type: Type, name: str) -> None:
        if not isinstance(type, Type) or type is VOID:
            raise TypeError(f"a phi chooses values of a type, not of {type!r}")
        super().__init__(type, [], [], name=name)
        self.function = function

    def add_incoming(self, value: Any, block: nodes.Block) -> None:
        """It is `value` where control comes from `block`."""
        from septet.ir.build_values import operand

        if not isinstance(block, Block) or block.function is not self.function:
            raise ValueError(f"{block!r} is no block of '@{self.function.name}'")
        if block in self.blocks:
            raise ValueError(f"the phi '%{self.name}' has a value for ':{block.name}' already")
        self.args.append(operand(self.function, value, self.type, "phi"))
        self.blocks.append(block)


def unknown_function(module: Module, name: str) -> ValueError:
    """That a module has no such function."""
    hint = did_you_mean(name, module.functions)
    return ValueError(f"module {module.name!r} has no function '@{name}'" + (f"; {hint}" if hint else ""))
