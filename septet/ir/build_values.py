"""What the builder takes for operands, and how it puts instructions into blocks."""

from __future__ import annotations

from septet.base.types import VOID, Type
from septet.ir import nodes
from septet.ir.build import Block, BufferArgument, ExternalFunction, Function, clean
from septet.ir.build_slots import Slot
from septet.ir.build_types import number
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    V = TypeVar("V", bound=nodes.Value)

_NOWHERE = (ops.CONST, ops.SYMBOL_ADDRESS)


def plain(value: Any) -> Any:
    """A value for what stands for one: the address of a buffer or of a function."""
    if isinstance(value, BufferArgument):
        return value.data
    return value.address if isinstance(value, Function | ExternalFunction) else value


def operand(function: Function, value: Any, type: Type | None, what: str) -> nodes.Value:
    """`value` as an operand of `what` in `function`, where something of `type` is wanted, if that is said."""
    value = plain(value)
    if not isinstance(value, nodes.Value):
        if type is None:
            raise TypeError(
                f"{what} in '@{function.name}': {value!r} alone has no type; give a value or ir.Constant(type, ...)"
            )
        try:
            return nodes.Const(type, number(type, value))
        except (TypeError, ValueError) as problem:
            raise problem.__class__(f"{what} in '@{function.name}': {problem}") from None
    if isinstance(value, Slot):
        raise TypeError(f"{what} in '@{function.name}': the variable '%{value.name}' is for load and store alone")
    if value.op not in _NOWHERE and value not in function.known:
        raise _foreign(function, value, what)
    if type is not None and not type.accepts(value.type):
        raise TypeError(
            f"{what} in '@{function.name}' wants {type}, but {called(value)} is {value.type}{function.where(value)}"
        )
    return value


def called(value: nodes.Value) -> str:
    """How to speak of a value."""
    if isinstance(value, nodes.Const):
        return f"the constant {value.number}"
    return f"{value.symbol}" if isinstance(value, nodes.Address) else f"'%{value.name or value.op.name}'"


def _foreign(function: Function, value: nodes.Value, what: str) -> ValueError:
    for other in function.module.functions.values():
        if value in other.known:
            place = f"a value of '@{other.name}'{other.where(value)}"
            return ValueError(f"{what} in '@{function.name}': {called(value)} is {place}, not of this function")
    if value.type is VOID:
        return ValueError(f"{what} in '@{function.name}': '{value.op}' gives no value")
    return ValueError(f"{what} in '@{function.name}': {called(value)} is no value of this module")


class Scope:
    """What a `with` enters and leaves: the two halves of a generator that yields once.  An exception inside leaves the second
    half out, as what it would finish is not whole."""

    __slots__ = ("_halves",)

    def __init__(self, halves: Iterator[Any]) -> None:
        self._halves = halves

    def __enter__(self) -> Any:
        return next(self._halves)

    def __exit__(self, problem: object, *_: object) -> None:
        if problem is None:
            next(self._halves, None)


def scope(halves: Callable[P, Iterator[Any]]) -> Callable[P, Scope]:
    """Makes a method that yields once one that gives a `Scope` (contextlib's takes longer to import than a compilation)."""

    def make(*args: P.args, **named: P.kwargs) -> Scope:
        return Scope(halves(*args, **named))

    make.__doc__ = halves.__doc__
    return make


class Emitter:
    """Puts instructions at one place of a block.

    `line`: the line of the module's source that what is built next comes from; None for the line of Python that calls.
    """

    def __init__(self, block: Block | None = None) -> None:
        self._block: Block | None = None
        self._at: int | None = None  # None: at the end
        self.line: int | None = None
        if block is not None:
            self.position_at_end(block)

    @property
    def block(self) -> Block:
        """Where instructions go."""
        if self._block is None:
            raise ValueError("the builder stands in no block yet: position_at_end(block)")
        return self._block

    basic_block = block

    @property
    def function(self) -> Function:
        """The function that is being built."""
        return self.block.function

    @property
    def module(self) -> Any:
        """Its module."""
        return self.block.function.module

    def position_at_end(self, block: Block) -> None:
        """Go on at the end of `block`."""
        if not isinstance(block, Block):
            raise TypeError(f"a builder stands in a block, not in {block!r}")
        self._block, self._at = block, None

    def position_at_start(self, block: Block) -> None:
        """Go on in front of what `block` has, behind its phis."""
        self.position_at_end(block)
        self._at = 0

    def position_before(self, value: nodes.Value) -> None:
        """Go on in front of an instruction."""
        self._block, self._at = self._find(value)

    def position_after(self, value: nodes.Value) -> None:
        """Go on behind an instruction."""
        block, at = self._find(value)
        if value.op.ends:
            raise ValueError(f"nothing comes behind '{value.op}', which ends ':{block.name}'")
        self._block, self._at = block, at + 1

    def _find(self, value: nodes.Value) -> tuple[Block, int]:
        if not isinstance(value, nodes.Value):
            raise TypeError(f"a builder stands before or behind an instruction, not {value!r}")
        for block in self.function.blocks:
            if value in block.phis:
                return block, 0  # type: ignore[return-value]
            if value in block.body:
                return block, block.body.index(value)  # type: ignore[return-value]
        raise ValueError(f"{called(value)} stands in no block of '@{self.function.name}'")

    def operand(self, value: Any, type: Type | None, what: str) -> nodes.Value:
        """`value` as an operand: a value of this function, or a number where its type is clear."""
        return operand(self.block.function, value, type, what)

    def emit(self, value: V, name: str = "") -> V:
        """Put an instruction at the builder's place.  ValueError where the block has ended."""
        block = self.block
        function = block.function
        if self._at is None:
            if block.is_terminated:
                last = block.body[-1]
                raise ValueError(
                    f"'{value.op}' in '@{function.name}': block ':{block.name}' has ended"
                    f" with '{last.op}'{function.where(last)}"
                )
            block.body.append(value)
        elif value.op.ends and (self._at < len(block.body) or block.is_terminated):
            raise ValueError(f"'{value.op}' in '@{function.name}' would stand in the middle of ':{block.name}'")
        else:
            block.body.insert(self._at, value)
            self._at += 1
        value.span = function.span_here(self.line)
        if name:
            value.name = clean(name, "value")
        if value.type is not VOID:
            function.known.add(value)
        return value

    def typed(self, what: str, type: Any) -> Type:
        """`type`, which must be one.  TypeError otherwise."""
        if not isinstance(type, Type):
            raise self.wrong(what, f"{type!r} is no type")
        return type

    def wrong(self, what: str, message: str) -> TypeError:
        """That operands of `what` are of wrong types."""
        return TypeError(f"{what} in '@{self.function.name}', block ':{self.block.name}': {message}")
