"""The door into a function, and the notation of the rules that it applies."""

from __future__ import annotations

import pytest

from septet.base.facts import Facts
from septet.base.options import Fuel
from septet.base.types import BOOL, I64, U64
from septet.ir import door as doors
from septet.ir.door import MOST, Door
from septet.ir.nodes import Block, Const, Function, Program, Value
from septet.ir.rules import all_rules
from septet.ops import table as ops
from septet.ops.rules import Rule


def open_door(fuel: int | None = None) -> tuple[Door, Value, Value]:
    x, y = (Value(ops.PARAM, I64, [], name=name) for name in "xy")
    function = Function("f", I64, [x, y], [Block("entry")])
    door = Door(function, Facts(Program({}, {}), Fuel(fuel), function=function), "test")
    return door, x, y


def test_constants_are_folded() -> None:
    door, _, _ = open_door()
    made = door.make(ops.ADD, I64, [door.const(I64, (1 << 63) - 1), door.const(I64, 1)])
    assert isinstance(made, Const)
    assert made.number == -(1 << 63)
    assert not door.body


def test_rules_apply_to_what_rules_give_and_values_say_so() -> None:
    door, x, _ = open_door()
    first = door.make(ops.ADD, I64, [x, door.const(I64, 5)])
    second = door.make(ops.SUB, I64, [first, door.const(I64, 3)])
    assert second.op is ops.ADD
    assert second.args[0] is x
    assert second.by.startswith("test:")
    assert door.make(ops.SUB, I64, [second, door.const(I64, 2)]) is x


def test_equal_values_are_one() -> None:
    door, x, y = open_door()
    assert door.make(ops.MUL, I64, [x, y]) is door.make(ops.MUL, I64, [x, y])
    assert door.compare(ops.LT, I64, [x, y]) is not door.compare(ops.LT, U64, [x, y])
    assert door.compare(ops.LT, I64, [door.const(I64, 3), x]) is door.compare(ops.GT, I64, [x, door.const(I64, 3)])


def test_what_is_forgotten_is_made_again() -> None:
    door, x, y = open_door()
    made = door.make(ops.MUL, I64, [x, y])
    door.forget(0)
    assert door.make(ops.MUL, I64, [x, y]) is not made


def test_without_fuel_nothing_happens() -> None:
    door, x, _ = open_door(fuel=0)
    made = door.make(ops.ADD, I64, [x, door.const(I64, 0)])
    assert made.op is ops.ADD
    assert door.body == [made]


def test_no_more_rules_than_the_limit_apply() -> None:
    door, x, _ = open_door()
    door.left = 0
    assert door.make(ops.ADD, I64, [x, door.const(I64, 0)]).op is ops.ADD
    assert MOST > 0


def test_rules_are_counted() -> None:
    counts = doors.count_rules()
    try:
        door, x, _ = open_door()
        assert door.make(ops.XOR, I64, [x, x]) is door.const(I64, 0)
        assert counts == {"xor-self": 1}
    finally:
        doors.fired = None


@pytest.mark.parametrize(
    ("find", "give"),
    [
        ("(add x y", "x"),
        ("(add x)", "x"),
        ("(plus x y)", "x"),
        ("(add x y)", "z"),
        ("(add x q)", "x"),
        ("(add x y)", "(mul x y)"),
        ("(convert (convert x))", "(add x x)"),
        ("(load (add x n))", "(load x)"),
        ("(add (load@o x) y)", "y"),
    ],
)
def test_rows_that_make_no_sense_are_refused(find: str, give: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Rule("wrong", find, give)


def test_rules_that_give_more_ask_whether_what_is_inside_goes() -> None:
    assert Rule("outwards", "(add (add x k) y)", "(add (add x y) k)").extra
    assert not Rule("together", "(add (add x k) n)", "(add x {k + n})").extra


def test_every_rule_has_a_type_for_everything() -> None:
    for row in all_rules():
        for part in (row.tree, *row.tree.inner()):
            assert part.on, row
        assert BOOL.name not in row.leaves, row
