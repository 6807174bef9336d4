"""The builder's conversions, vectors, memory and checks."""

from __future__ import annotations

from septet.base.types import BOOL, FLOAT, I64, INT, INTEGERS, PTR, U8, U64, VALUE, VECTOR, Type, vector
from septet.ir import nodes
from septet.ir.build import clean
from septet.ir.build_arithmetic import KINDS, Arithmetic
from septet.ir.build_slots import Slot
from septet.ir.build_types import VectorType, number, signed, unsigned
from septet.ir.build_values import called
from septet.ops import table as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Value = nodes.Value


class Operations(Arithmetic):
    """What converts, works on vectors, reads and writes memory, and checks."""

    # Conversions.

    def _converted(self, what: str, value: Any, to: Type, source: str, target: str) -> Value:
        """The operand of a conversion, whose types must be of those kinds and have equally many lanes."""
        found = self.operand(value, None, what)
        self.typed(what, to)
        if found.type.element.kind not in KINDS[source] or to.element.kind not in KINDS[target]:
            raise self.wrong(what, f"makes {target} of {source}, not {to} of {found.type}")
        if found.type.lanes != to.lanes:
            raise self.wrong(what, f"{found.type} and {to} do not have equally many lanes")
        return found

    def _convert(self, value: Value, to: Type, name: str) -> Value:
        return self.emit(nodes.Value(ops.CONVERT, to, [value]), name)

    def _narrower(self, what: str, value: Any, to: Type, kind: str) -> Value:
        found = self._converted(what, value, to, kind, kind)
        if to.bits >= found.type.bits:
            raise self.wrong(what, f"{to} is not narrower than {found.type}")
        return found

    def _wider(self, what: str, value: Any, to: Type, kind: str) -> Value:
        found = self._converted(what, value, to, kind, kind)
        if to.bits <= found.type.bits:
            raise self.wrong(what, f"{to} is not wider than {found.type}")
        return found

    def trunc(self, value: Any, type: Type, name: str = "") -> Value:
        """An integer modulo 2^n, of fewer bits."""
        return self._convert(self._narrower("trunc", value, type, "integers"), type, name)

    def zext(self, value: Any, type: Type, name: str = "") -> Value:
        """An integer with zeros in front."""
        found = self._wider("zext", value, type, "integers")
        return self._convert(self._bits(found, unsigned(found.type), True), type, name)

    def sext(self, value: Any, type: Type, name: str = "") -> Value:
        """An integer with copies of its sign in front."""
        found = self._wider("sext", value, type, "integers")
        if found.type is BOOL:
            return self.neg(self._convert(found, type, ""), name)
        return self._convert(self._bits(found, signed(found.type), True), type, name)

    def fptrunc(self, value: Any, type: Type, name: str = "") -> Value:
        """The nearest float of fewer bits."""
        return self._convert(self._narrower("fptrunc", value, type, "floats"), type, name)

    def fpext(self, value: Any, type: Type, name: str = "") -> Value:
        """The same number as a float of more bits."""
        return self._convert(self._wider("fpext", value, type, "floats"), type, name)

    def sitofp(self, value: Any, type: Type, name: str = "") -> Value:
        """The nearest float to a signed integer."""
        found = self._converted("sitofp", value, type, "integers", "floats")
        return self._convert(self._bits(found, signed(found.type), True), type, name)

    def uitofp(self, value: Any, type: Type, name: str = "") -> Value:
        """The nearest float to an unsigned integer."""
        found = self._converted("uitofp", value, type, "integers", "floats")
        return self._convert(self._bits(found, unsigned(found.type), True), type, name)

    def fptosi(self, value: Any, type: Type, name: str = "") -> Value:
        """A float towards zero as a signed integer; the nearest there is where it is too large, 0 for a NaN."""
        return self._saturated("fptosi", value, type, signed(type), name)

    def fptoui(self, value: Any, type: Type, name: str = "") -> Value:
        """A float towards zero as an unsigned integer; the nearest there is where it is out of range, 0 for a NaN."""
        return self._saturated("fptoui", value, type, unsigned(type), name)

    def _saturated(self, what: str, value: Any, type: Type, to: Type, name: str) -> Value:
        made = self._convert(self._converted(what, value, type, "floats", "integers"), to, name)
        return made if to is type else self._bits(made, type, True)

    def convert(self, value: Any, type: Type, name: str = "") -> Value:
        """IR's `convert`: keeps the number where it can; integers modulo 2^n, floats to integers towards zero and
        saturating."""
        found = self.operand(value, None, "convert")
        self.typed("convert", type)
        if found.type.lanes != type.lanes:
            raise self.wrong("convert", f"{found.type} and {type} do not have equally many lanes")
        return self._convert(found, type, name)

    def checked_convert(self, value: Any, type: Type, name: str = "") -> Value:
        """The integer of `type` that a number is, towards zero; an error (OverflowError) where there is none."""
        found = self.operand(value, None, "checked_convert")
        if type not in INTEGERS or found.type.kind not in (INT, VALUE, FLOAT):
            raise self.wrong("checked_convert", f"makes an integer of a number, not {type} of {found.type}")
        self.emit(nodes.Check(ops.CHECK_CONVERT, [found], INTEGERS.index(type)))
        return self._convert(found, type, name)

    def bitcast(self, value: Any, type: Type, name: str = "") -> Value:
        """The same bits as another type of the same width."""
        found = self.operand(value, None, "bitcast")
        self.typed("bitcast", type)
        if found.type.bits != type.bits:
            raise self.wrong("bitcast", f"{found.type} has {found.type.bits} bits, {type} {type.bits}")
        return self.emit(nodes.Value(ops.BITCAST, type, [found]), name)

    def ptrtoint(self, value: Any, type: Type = I64, name: str = "") -> Value:
        """An address as a 64-bit integer."""
        return self.bitcast(value, type, name)

    def inttoptr(self, value: Any, type: Type = PTR, name: str = "") -> Value:
        """A 64-bit integer as an address."""
        return self.bitcast(value, type, name)

    # Vectors.

    def _vector(self, what: str, value: Any) -> Value:
        found = self.operand(value, None, what)
        if found.type.kind != VECTOR:
            raise self.wrong(what, f"works on a vector, but {called(found)} is {found.type}")
        return found

    def _lane(self, what: str, type: Type, lane: Any) -> nodes.Const:
        index = lane.number if isinstance(lane, nodes.Const) else lane
        if not isinstance(index, int):
            raise self.wrong(what, f"a lane is a constant, not {lane!r}")
        if not 0 <= index < type.lanes:
            raise ValueError(f"{what} in '@{self.function.name}': {type} has no lane {index}")
        return nodes.Const(I64, index)

    def splat(self, value: Any, type: Type, name: str = "") -> Value:
        """The vector of `type` that has `value` in all lanes."""
        if self.typed("splat", type).kind != VECTOR:
            raise self.wrong("splat", f"makes a vector, not {type}")
        return self.emit(nodes.Value(ops.SPLAT, type, [self.operand(value, type.element, "splat")]), name)

    def extract_element(self, value: Any, lane: Any, name: str = "") -> Value:
        """One lane of a vector."""
        found = self._vector("extract_element", value)
        args = [found, self._lane("extract_element", found.type, lane)]
        return self.emit(nodes.Value(ops.EXTRACT, found.type.element, args), name)

    def insert_element(self, value: Any, element: Any, lane: Any, name: str = "") -> Value:
        """A vector with another number in one lane."""
        found = self._vector("insert_element", value)
        new = self.operand(element, found.type.element, "insert_element")
        args = [found, self._lane("insert_element", found.type, lane), new]
        return self.emit(nodes.Value(ops.INSERT, found.type, args), name)

    def shuffle_vector(self, a: Any, b: Any, lanes: Sequence[int], name: str = "") -> Value:
        """The vector of these lanes of a and b: those of b are counted behind those of a."""
        one = self._vector("shuffle_vector", a)
        other = self.operand(b, one.type, "shuffle_vector")
        if not all(isinstance(lane, int) and 0 <= lane < 2 * one.type.lanes for lane in lanes):
            raise ValueError(f"shuffle_vector in '@{self.function.name}': no lanes {list(lanes)} of two {one.type}")
        result = VectorType(one.type.element, len(lanes))
        chosen = vector(U8, len(lanes))
        return self.emit(nodes.Value(ops.SHUFFLE, result, [one, other, nodes.Const(chosen, number(chosen, lanes))]), name)

    def reduce(self, op: str, value: Any, name: str = "") -> Value:
        """One number of all lanes, by halves: `add`, `mul`, `min`, `max`; of integers also `and`, `or`, `xor`."""
        found = self._vector("reduce", value)
        prefix = "freduce-" if found.type.element.kind == FLOAT else "reduce-"
        opcode = ops.NAMED.get(f"{prefix}{op}")
        if opcode is None:
            known = [each.removeprefix(prefix) for each in ops.NAMED if each.startswith(prefix)]
            raise ValueError(f"there is no reduction {op!r} of {found.type}; there are {' '.join(known)}")
        return self.emit(nodes.Value(opcode, found.type.element, [found]), name)

    def sign_bits(self, value: Any, name: str = "") -> Value:
        """A u64 whose bit i is the sign of lane i."""
        return self.emit(nodes.Value(ops.SIGN_BITS, U64, [self._vector("sign_bits", value)]), name)

    # Memory.

    def alloca(self, type: Type, name: str = "") -> Slot:
        """A variable of the function, for `load` and `store` alone: it has no address (`build_slots`)."""
        if not isinstance(type, Type) or type.kind not in (INT, FLOAT, VECTOR, VALUE):
            raise self.wrong("alloca", f"a variable is of a type, not {type!r}")
        slot = Slot(type, clean(name, "variable"))
        self.function.slots.add(slot)
        return slot

    def load(self, address: Any, type: Type | None = None, name: str = "", offset: int = 0) -> Value:
        """What of `type` stands at an address, `offset` bytes further on; or what a variable holds."""
        if isinstance(address, Slot):
            type = self._slot(address, type, "load")
            return self.emit(nodes.Memory(ops.LOAD, type, [address]), name or address.name)
        if not isinstance(type, Type) or type.kind not in (INT, FLOAT, VECTOR, VALUE):
            raise self.wrong("load", f"loads something of a type, not {type!r}")
        place = [self.operand(address, PTR, "load")]
        return self.emit(nodes.Memory(ops.LOAD, type, place, self._offset("load", offset)), name)

    def store(self, value: Any, address: Any, type: Type | None = None, offset: int = 0) -> None:
        """Put a value at an address, `offset` bytes further on, or into a variable.  A plain number at an address needs its
        `type`."""
        if isinstance(address, Slot):
            type = self._slot(address, type, "store")
            self.emit(nodes.Memory(ops.STORE, type, [address, self.operand(value, type, "store")]))
            return
        found = self.operand(value, None if type is None else self.typed("store", type), "store")
        args = [self.operand(address, PTR, "store"), found]
        self.emit(nodes.Memory(ops.STORE, type or found.type, args, self._offset("store", offset)))

    def _offset(self, what: str, offset: Any) -> int:
        if not isinstance(offset, int) or not -(1 << 31) <= offset < 1 << 31:
            raise ValueError(f"{what} in '@{self.function.name}': an offset is an int of 32 bits, not {offset!r}")
        return offset

    def _slot(self, slot: Slot, type: Type | None, what: str) -> Type:
        """The type of a variable, which must be this function's, and of `type` where that is said."""
        if slot not in self.function.slots:
            raise ValueError(f"{what} in '@{self.function.name}': '%{slot.name}' is a variable of another function")
        if type is not None and type is not slot.holds:
            raise self.wrong(what, f"'%{slot.name}' is {slot.holds}, not {type}")
        return slot.holds

    def gep(self, address: Any, indices: Sequence[Any], type: Type, name: str = "") -> Value:
        """The address of an element: the index counts elements of `type` from `address`."""
        if not isinstance(indices, (list, tuple)) or len(indices) != 1:
            raise ValueError(f"gep in '@{self.function.name}' takes a list of one index, not {indices!r}")
        base = self.operand(address, PTR, "gep")
        if self.typed("gep", type).kind not in (INT, FLOAT, VECTOR, VALUE):
            raise self.wrong("gep", f"there are no elements of type {type}")
        size = max(type.bits // 8, 1)
        index = indices[0]
        if isinstance(index, int):
            by: Value = nodes.Const(PTR, number(I64, index * size) & PTR.high)
        else:
            found = self.operand(index, None, "gep")
            if found.type.kind != INT or found.type is BOOL:
                raise self.wrong("gep", f"an index is an integer, but {called(found)} is {found.type}")
            by = found if found.type.bits == 64 else self._convert(found, I64, "")
            by = by if size == 1 else self.emit(nodes.Value(ops.SHL, I64, [by, nodes.Const(I64, size.bit_length() - 1)]))
        return self.emit(nodes.Value(ops.ADD, PTR, [base, by]), name)

    # Checks: nothing where all is well, an exception in Python where not.

    def check_index(self, index: Any, length: Any) -> None:
        """IndexError unless 0 <= index < length; the length is not negative."""
        type = self._type("check_index", "integers", (index, length))
        if type.kind == VECTOR:
            raise self.wrong("check_index", f"works on one number, not {type}")
        args = [self.operand(value, type, "check_index") for value in (index, length)]
        words = [arg if arg.type.is_word else self._convert(arg, I64, "") for arg in args]
        self.emit(nodes.Check(ops.CHECK_INDEX, words, nodes.OF_ARRAY))

    def check_divisor(self, value: Any) -> None:
        """ZeroDivisionError where it is 0.  Divisions check this themselves."""
        type = self._type("check_divisor", "integers", (value,))
        if type.kind == VECTOR:
            raise self.wrong("check_divisor", f"works on one number, not {type}")
        self.emit(nodes.Check(ops.CHECK_DIVISOR, [self.operand(value, type, "check_divisor")]))

    def check_null(self, address: Any) -> None:
        """ValueError where it is the address 0."""
        self.emit(nodes.Check(ops.CHECK_NULL, [self.operand(address, PTR, "check_null")]))
