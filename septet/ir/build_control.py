"""The builder: what leads from block to block, calls, phis, and the shapes that make several blocks at once.

with builder.loop(n) as i:                       # 0, 1 ... n-1
    total = i.carry(0.0, ir.f64, "total")        # what goes round with the loop
    total.update(builder.fadd(total, builder.load(builder.gep(a, [i], ir.f64), ir.f64)))
builder.ret(total)                               # behind the loop it is what the last round left
"""

from __future__ import annotations

from septet.base.symbols import FUNCTION, symbol
from septet.base.types import BOOL, C_KINDS, I64, INT, PTR, VOID, Type
from septet.ir import nodes
from septet.ir.build import Block, BufferArgument, ExternalFunction, Function, Phi, clean, unknown_function
from septet.ir.build_operations import Operations
from septet.ir.build_types import Buffer
from septet.ir.build_values import operand, plain, scope
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    Value = nodes.Value


class Carried(Phi):
    """What goes round with a loop."""

    __slots__ = ("next",)

    def __init__(self, function: Function, type: Type, name: str) -> None:
        super().__init__(function, type, name)
        self.next: Value = self

    def update(self, value: Any) -> None:
        """What it is in the next round, and behind the loop."""
        self.next = operand(self.function, value, self.type, "update")


class LoopIndex(Phi):
    """The index of a loop that `Builder.loop` makes."""

    __slots__ = ("header", "before", "carried")

    def __init__(self, header: Block, before: Block, type: Type, name: str) -> None:
        super().__init__(header.function, type, name)
        self.header = header
        self.before = before
        self.carried: list[Carried] = []

    def carry(self, initial: Any, type: Type | None = None, name: str = "") -> Carried:
        """Something that is `initial` in the first round, and then what `update` said in the one before."""
        value = operand(self.function, initial, type, "carry")
        phi = Carried(self.function, type or value.type, clean(name, "value"))
        phi.span = self.span
        phi.add_incoming(value, self.before)
        self.header.phis.append(phi)
        self.function.known.add(phi)
        self.carried.append(phi)
        return phi


class Switch:
    """A choice between blocks by an integer.  `block` is where control goes to `default` from, so far."""

    def __init__(self, builder: Builder, value: Value, default: Block) -> None:
        self._builder = builder
        self._value = value
        self._seen: set[int] = set()
        self.block = builder.block
        self.default = default

    def add_case(self, value: Any, block: Block) -> None:
        """Go on in `block` where it is the constant `value`."""
        builder, found = self._builder, self._value
        wanted = builder.operand(value, found.type, "switch")
        name = builder.function.name
        if not isinstance(wanted, nodes.Const):
            raise TypeError(f"switch in '@{name}': a case is a constant, not {value!r}")
        if wanted.number in self._seen:
            raise ValueError(f"switch in '@{name}' has two cases {wanted.number}")
        self._seen.add(wanted.number)
        other = builder.append_basic_block(f"{self.block.name}_case")
        with builder.goto_block(self.block):
            builder.position_at_end(self.block)
            self.block.body.pop()
            builder.cbranch(builder.icmp("==", found, wanted), block, other)
            builder.position_at_end(other)
            builder.branch(self.default)
        self.block = other


class Builder(Operations):
    """Builds the body of a function, an instruction a method call.  Numbers may stand for operands whose type is clear."""

    def append_basic_block(self, name: str = "") -> Block:
        """A new block, the last of the function."""
        return self.function.append_basic_block(name)

    # Ends of blocks.

    def _target(self, block: Any, what: str) -> Block:
        if not isinstance(block, Block):
            raise TypeError(f"{what} in '@{self.function.name}' leads to a block, not to {block!r}")
        if block.function is not self.function:
            raise ValueError(f"{what} in '@{self.function.name}': ':{block.name}' is a block of '@{block.function.name}'")
        if block is self.function.blocks[0]:
            raise ValueError(f"{what} in '@{self.function.name}' leads to the entry ':{block.name}', where nothing may lead")
        return block

    def branch(self, block: Block) -> None:
        """Go on in `block`."""
        self.emit(nodes.Branch(ops.BR, [], [self._target(block, "branch")]))

    def cbranch(self, condition: Any, then: Block, other: Block) -> None:
        """Go on in `then` where the bool holds, else in `other`."""
        targets: list[nodes.Block] = [self._target(block, "cbranch") for block in (then, other)]
        decides = self.operand(condition, BOOL, "cbranch")
        if then is other:
            self.emit(nodes.Branch(ops.BR, [], targets[:1]))
        else:
            self.emit(nodes.Branch(ops.BR_IF, [decides], targets))

    def switch(self, value: Any, default: Block, cases: Sequence[tuple[Any, Block]] = ()) -> Switch:
        """Go on in the block of the case that `value` equals, else in `default`: comparisons, one after the other.  Cases may
        be added to what this gives (`add_case`).  Phis of the targets are better filled when all are there: each comparison
        stands in a block of its own."""
        found = self.operand(value, None, "switch")
        self.branch(self._target(default, "switch"))
        made = Switch(self, found, default)
        for case, block in cases:
            made.add_case(case, block)
        return made

    def ret(self, value: Any = None) -> None:
        """Return `value`, which is of the function's result type."""
        result = self.function.result
        if value is None:
            self.ret_void()
        elif result is VOID:
            raise self.wrong("ret", "the function gives nothing")
        else:
            self.emit(nodes.Value(ops.RETURN, VOID, [self.operand(value, result, "ret")]))

    def ret_void(self) -> None:
        """Return from a function that gives nothing."""
        if self.function.result is not VOID:
            raise self.wrong("ret_void", f"the function gives {self.function.result}")
        self.emit(nodes.Value(ops.RETURN, VOID, []))

    # Phis and calls.

    def phi(self, type: Type, name: str = "") -> Phi:
        """A phi of the builder's block; its `add_incoming` says what it is on the way from each block in front."""
        phi = Phi(self.function, type, clean(name, "value"))
        phi.span = self.function.span_here(self.line)
        self.block.phis.append(phi)
        self.function.known.add(phi)
        return phi

    def call(
        self,
        function: Any,
        args: Sequence[Any] = (),
        name: str = "",
        *,
        result: Type | None = None,
        convention: str = nodes.OWN,
    ) -> Value:
        """Call a function of the module, by itself or by name; or one whose address a value is, which gives `result`, and is
        one of C where `convention` is "c".

        A parameter that is a `Buffer` takes such a parameter of this function, or a tuple of a pointer and lengths.
        """
        if isinstance(function, str):
            if function not in self.module.functions:
                raise unknown_function(self.module, function)
            function = self.module.functions[function]
        if isinstance(function, ExternalFunction) or isinstance(function, Function) and function.convention == nodes.C:
            return self._declared(function, args, name)
        if isinstance(function, Function):
            return self._direct(function, args, name)
        if convention == nodes.C:
            return self._call_c(function, [self.operand(arg, None, "call") for arg in args], result, name)
        address = self.operand(function, None, "call")
        if not address.type.is_word:
            raise self.wrong("call", f"calls a function or an address, not {address.type}")
        values = [address, *[self.operand(arg, None, "call") for arg in args]]
        return self.emit(nodes.Call(ops.CALL_INDIRECT, I64 if result is None else result, None, values), name)

    def _declared(self, function: ExternalFunction | Function, args: Sequence[Any], name: str) -> Value:
        what, wanted = f"call of '@{function.name}'", function.type.parameters
        if function.module is not self.module:
            raise ValueError(f"{what} in '@{self.function.name}': it is a function of module {function.module.name!r}")
        if len(args) != len(wanted):
            raise TypeError(f"{what} in '@{self.function.name}' takes {len(wanted)} arguments, not {len(args)}")
        values = [self.operand(arg, type, what) for arg, type in zip(args, wanted, strict=True)]  # type: ignore[arg-type]
        return self._call_c(function, values, function.type.result, name)

    def _call_c(self, function: Any, values: list[Value], result: Type | None, name: str) -> Value:
        callee = self.operand(function, PTR, "call")
        for value in (callee, *values):
            if value.type.kind not in C_KINDS:
                raise self.wrong("call", f"a function of C takes no {value.type}")
        return self.emit(nodes.Value(ops.CALL_C, I64 if result is None else result, [callee, *values]), name)

    def _direct(self, function: Function, args: Sequence[Any], name: str) -> Value:
        what = f"call of '@{function.name}'"
        if function.module is not self.module:
            raise ValueError(f"{what} in '@{self.function.name}': it is a function of module {function.module.name!r}")
        wanted = function.type.parameters
        if len(args) != len(wanted):
            raise TypeError(f"{what} in '@{self.function.name}' takes {len(wanted)} arguments, not {len(args)}")
        values: list[Value] = []
        for parameter, arg in zip(wanted, args, strict=True):
            if isinstance(parameter, Buffer):
                pieces = self._pieces(what, parameter, arg)
                if len(pieces) != len(parameter.native):
                    raise self.wrong(what, f"a {parameter!r} is {len(parameter.native)} values, not {len(pieces)}")
                values += [self.operand(piece, type, what) for piece, type in zip(pieces, parameter.native, strict=True)]
            else:
                values.append(self.operand(arg, parameter, what))
        return self.emit(nodes.Call(ops.CALL, function.result, symbol(FUNCTION, function.name), values), name)

    def _pieces(self, what: str, wanted: Buffer, arg: Any) -> tuple[Any, ...]:
        """What an argument for a buffer consists of."""
        if isinstance(arg, BufferArgument):
            given = arg.type
            if given.element is not wanted.element or given.ndim != wanted.ndim or wanted.writable and not given.writable:
                raise self.wrong(what, f"wants a {wanted!r}, not a {given!r}; a tuple (data, length) passes any address")
            return (arg.data, *arg.shape)
        if not isinstance(arg, (tuple, list)):
            raise self.wrong(what, f"a {wanted!r} is a buffer, or a tuple of a pointer and lengths, not {arg!r}")
        return tuple(arg)

    # Several blocks at once.

    @scope
    def goto_block(self, block: Block) -> Iterator[None]:
        """Build in `block`, in front of its end if it has one, and come back."""
        before = self._block, self._at
        self.position_at_end(block)
        if block.is_terminated:
            self._at = len(block.body) - 1
        yield
        self._block, self._at = before

    @scope
    def goto_entry_block(self) -> Iterator[None]:
        """Build in the function's entry, and come back."""
        with self.goto_block(self.function.blocks[0]):  # type: ignore[arg-type]
            yield

    @scope
    def if_then(self, condition: Any, likely: bool | None = None) -> Iterator[Block]:
        """What is done where the condition holds.  `likely` changes nothing: it is there for code written for llvmlite."""
        stem = self.block.name
        then, after = self.append_basic_block(f"{stem}_if"), self.append_basic_block(f"{stem}_endif")
        self.cbranch(condition, then, after)
        self.position_at_end(then)
        yield after
        if not self.block.is_terminated:
            self.branch(after)
        self.position_at_end(after)

    @scope
    def if_else(self, condition: Any, likely: bool | None = None) -> Iterator[tuple[Any, Any]]:
        """Two contexts: what is done where the condition holds, and what where not.  `likely` changes nothing."""
        stem = self.block.name
        then, other, after = (self.append_basic_block(f"{stem}_{end}") for end in ("if", "else", "endif"))
        self.cbranch(condition, then, other)
        yield self._arm(then, after), self._arm(other, after)
        self.position_at_end(after)

    @scope
    def _arm(self, block: Block, after: Block) -> Iterator[Block]:
        self.position_at_end(block)
        yield after
        if not self.block.is_terminated:
            self.branch(after)

    @scope
    def loop(self, stop: Any, start: Any = 0, step: int = 1, name: str = "i") -> Iterator[LoopIndex]:
        """For the index from `start` to before `stop`, by `step`; its `carry` makes what changes from round to round."""
        if not isinstance(step, int) or not step:
            raise ValueError(f"loop in '@{self.function.name}': the step is {step!r}, not a number other than 0")
        typed = [value.type for value in map(plain, (stop, start)) if isinstance(value, nodes.Value)]
        type = typed[0] if typed else I64
        if type.kind != INT or type is BOOL:
            raise self.wrong("loop", f"counts integers, not {type}")
        first, last = (self.operand(value, type, "loop") for value in (start, stop))
        stem = clean(name, "value")
        header, body, after = (self.append_basic_block(f"{stem}_{end}") for end in ("loop", "body", "end"))
        index = LoopIndex(header, self.block, type, stem)
        index.span = self.function.span_here(self.line)
        header.phis.append(index)
        self.function.known.add(index)
        index.add_incoming(first, self.block)
        self.branch(header)
        self.position_at_end(header)
        self.cbranch(self.icmp("<" if step > 0 else ">", index, last), body, after)
        self.position_at_end(body)
        yield index
        index.add_incoming(self.add(index, step), self.block)
        for phi in index.carried:
            phi.add_incoming(phi.next, self.block)
        self.branch(header)
        self.position_at_end(after)


IRBuilder = Builder
