"""Every tile is chosen for some program, and what it gives computes what L3 says; so do random programs.

A sample of the tiles; all of them with `--whole`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import product
from types import ModuleType
from typing import Any

import pytest
from l3_programs import FLOAT_PATTERNS, TYPES, Writer, shown
from vector_programs import TYPES as VECTORS

from septet.base.literals import spell
from septet.base.options import Options
from septet.base.source import Source
from septet.base.types import BOOL, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, Type, named, truth
from septet.l2.interpret import run as run_l2
from septet.l2.nodes import Program as L2Program
from septet.l3 import lower, patterns, select
from septet.l3.interpret import run as run_l3
from septet.l3.nodes import Program
from septet.l3.shapes import each
from septet.l3.text import parse
from septet.l3.tiles import ADDRESSES, TILES, Tile
from septet.l3.verify import problems
from septet.ops import table as ops
from septet.runtime.model import Runtime
from septet.x86 import forms
from septet.x86.targets import bits_of, features

CLASSES: dict[str, list[Type]] = {
    "word": [I64, U64], "sword": [I64], "uword": [U64], "narrow": [I8, U8, I16, U16, I32, U32], "bits8": [I8, U8],
    "bits16": [I16, U16], "bits32": [I32, U32], "bool": [BOOL], "float": [F64, F32], "int": [I64, U64, I32, U8, BOOL],
    "any": [I64], "snarrow": [I8, I16, I32], "unarrow": [U8, U16, U32],
}  # fmt: skip
for _size in (128, 256, 512):
    _every = [kind for kind in VECTORS if kind.bits == _size or kind.bits == 64 and _size == 128]
    CLASSES[f"v{_size}"] = [kind for kind in _every if kind.element in (I32, U8, I64)]
    for _kind in _every:
        _element = _kind.element
        _bits = _element.bits
        for _class in [f"f{_bits}"] if _element.is_float else [f"i{_bits}", ("s" if _element.signed else "u") + str(_bits)]:
            CLASSES.setdefault(f"{_class}v{_size}", []).append(_kind)
LEVELS = ["x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4"]
CASTS = [kind for kind in VECTORS if kind.element in (U8, I32, F64)]
NUMBERS = [3, 1, 2, 8, 5, 9, -1, 0, 7, 16, 10, 11, 15, 17, 1 << 40, -1 << 63]


class Instance:
    """A program whose function `f` is one instance of a pattern, with its leaves as parameters."""

    def __init__(
        self, pattern: Any, root: Type, target: Type, given: Type, number: int = 3, constant: bool = False, same: bool = False
    ) -> None:
        self.target, self.given, self.number, self.constant, self.same = target, given, number, constant, same
        self.lines: list[str] = []
        self.names: dict[str, str] = {}
        self.parameters: dict[str, Type] = {}
        self.count = 0
        self.result = self.root(pattern, root)

    def text(self) -> str:
        """The program: main calls `f` on combinations of numbers and prints what comes back, and what was stored."""
        parameters = ", ".join(f"{kind} {name}" for name, kind in self.parameters.items())
        body = "\n".join("  " + line for line in self.lines)
        main: list[str] = ["%m0 <- call allocate(33, 1)"]
        for row in range(7):
            args = []
            for column, (name, kind) in enumerate(self.parameters.items()):
                if name == "%m":
                    args.append("%m0")
                    continue
                main.append(f"{kind} %a{row}_{column} <- {_number(kind, row + 3 * column)}")
                args.append(f"%a{row}_{column}")
            main.append(f"{self.result} %r{row} <- call @f({', '.join(args)})")
            main += shown(self.result, f"%r{row}", f"r{row}")
        for word in range(9):
            main.append(f"i64 %w{word} <- load %m0 + {8 * word + 8}")
            main += shown(I64, f"%w{word}", f"w{word}")
        rest = "\n".join("  " + line for line in main)
        return f"define {self.result} @f ({parameters}) {{\n{body}\n}}\ndefine @main () {{\n{rest}\n  return\n}}\n"

    def root(self, pattern: Any, kind: Type) -> Type:
        """Write the whole; gives the type of what `f` returns."""
        name, _ = patterns.head(pattern)
        if name == "br-if":
            (operand,) = pattern[1:]
            self.lines.append(f"br {self.operand(operand, self.given)} :yes")
            self.lines += ["br :no", ":yes", "return 5", ":no", "return 3"] if self.same else ["return 3", ":yes", "return 5"]
            return I64
        if name == "store":
            self.inside(pattern, kind)
            self.lines.append("return 0")
            return I64
        target = self.inside(pattern, kind, self.target)
        self.lines.append(f"return {target}")
        return self.target

    def inside(self, pattern: Any, kind: Type, target: Type | None = None) -> str:
        """Write an operation; gives its result's name."""
        name, _ = patterns.head(pattern)
        operands = pattern[1:]
        if name in ("load", "store"):
            if name == "load":
                return self.define(target or kind, f"load.{kind} {self.operand(operands[0], I64)} + 8")
            value = self.operand(operands[1], kind)
            self.lines.append(f"store.{kind} {self.operand(operands[0], I64)} + 8 <- {value}")
            return ""
        if name == "compare":
            name = "lt"
        op = ops.NAMED[name]
        if name == "bitcast":
            return self.define(target or kind, f"bitcast {self.operand(operands[0], self.given)}")
        element = kind.element
        wanted = {
            "select": [truth(kind), kind, kind], "splat": [element], "extract": [kind, I64], "insert": [kind, I64, element],
        }.get(name, [kind] * len(operands))  # fmt: skip
        if name == "select" and operands[0] == "x":
            wanted[0] = BOOL
        args = [self.operand(operand, want) for operand, want in zip(operands, wanted, strict=True)]
        made = target or result_type(op, kind)
        if op.symbol:
            return self.define(
                made,
                f"{args[0]} {op.symbol}.{kind} {args[1]}",
                args[0] if target and self.parameters.get(args[0]) is target and self.same else "",
            )
        word = {"fneg": "neg", "fabs": "abs"}.get(name, name)
        name = args[0] if target and self.parameters.get(args[0]) is target and self.same else ""
        return self.define(made, f"{word}.{kind} {', '.join(args)}", name)

    def define(self, kind: Type, text: str, name: str = "") -> str:
        """A definition."""
        if not name:
            name = f"%v{self.count}"
            self.count += 1
        self.lines.append(f"{kind} {name} <- {text}")
        return name

    def operand(self, pattern: Any, kind: Type) -> str:
        """An operand: a parameter, a number, or the result of an operation written before."""
        if not isinstance(pattern, str):
            types = CLASSES.get(patterns.head(pattern)[1]) or [named(patterns.head(pattern)[1])]
            alike = [
                inner for inner in types if inner and (inner.lanes, inner.bits) in ((kind.lanes, kind.bits), (kind.lanes, 0))
            ]
            inner = kind if kind in types or kind.lanes > 1 and patterns.head(pattern)[1][0] == "v" else (alike or types)[0]
            assert inner is not None
            return self.inside(pattern, inner)
        if re.fullmatch(r"-?[0-9]+", pattern):
            return pattern
        if pattern in self.names:
            return self.names[pattern]
        if pattern[0] in "kn" or pattern == "c" or pattern[0] in "stpq" and self.constant:
            number = self.number if pattern != "n" else 24
            if kind.lanes > 1:
                number = each(number & (1 << kind.element.bits) - 1, kind.element.bits, kind.bits)
            text = spell(number & (1 << kind.bits) - 1 if kind.is_float else kind.wrap(number), kind)
        else:
            text = f"%{pattern}"
            self.parameters[text] = I64 if pattern == "m" else kind
        self.names[pattern] = text
        return text


def result_type(op: ops.Op, kind: Type) -> Type:
    """What an operation of type `kind` gives."""
    if op.compares:
        return truth(kind)
    if op is ops.SIGN_BITS:
        return U64
    return kind.element if op is ops.EXTRACT else kind


def _number(kind: Type, row: int) -> str:
    if kind.lanes > 1:
        return "{" + ", ".join([_number(kind.element, row + 3 * lane) for lane in range(kind.lanes)]) + "}"
    if kind.is_float:
        pattern = FLOAT_PATTERNS[row * 7 % len(FLOAT_PATTERNS)]
        return spell(pattern if kind is F64 else pattern >> 32, kind)
    values = [kind.high, 7, kind.low, 1, 100, kind.high >> 1, kind.low + 1, 3]
    return str(kind.wrap(values[row % len(values)]) or 1)


@pytest.fixture(scope="module")
def chosen() -> Any:
    """The tiles chosen by the lowering, which its generated functions note here; cleared by tests."""
    names: list[str] = []
    generated = {name: found for name in select.MODULES if (found := sys.modules.pop(f"septet._generated.{name}", None))}
    kept = dict(lower._TILES)
    lower._TILES.clear()

    def traced(name: str, generate: Callable[[], str]) -> Any:
        text = re.sub(r"^( *)# (\S+)$", r'\1CHOSEN.append("\2")', generate(), flags=re.M)
        module = ModuleType(name)
        module.__dict__["CHOSEN"] = names
        sys.modules[f"septet._generated.{name}"] = module
        exec(text, module.__dict__)
        return module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lower, "load", traced)
        yield names
    for name in select.MODULES:
        sys.modules.pop(f"septet._generated.{name}", None)
    sys.modules.update({f"septet._generated.{name}": found for name, found in generated.items()})
    lower._TILES.clear()
    lower._TILES.update(kept)


def instances(tile: Tile, pattern: Any) -> Any:
    """Programs that may have the tile chosen, by its pattern or the pattern turned around."""
    kind = patterns.head(pattern)[1]
    roots = CLASSES.get(kind) or [named(kind)]
    targets: Any = TYPES if "D" in tile.when else [None]
    if tile.pattern.startswith("(convert") and "D" not in tile.when:
        targets = TYPES
    if roots[0] is not None and roots[0].lanes > 1:
        givens = [*TYPES, *CASTS] if "bitcast" in tile.pattern else [I64]
        targets = VECTORS if "D" in tile.when else [None]
    else:
        givens = [*TYPES, *CASTS] if "A" in tile.when or "bitcast" in tile.pattern else [I64, BOOL]
    numbers = NUMBERS if re.search(r"\b[kc]\b", tile.pattern) else [3]
    for root, target, given, number, constant, same in product(roots, targets, givens, numbers, (False, True), (False, True)):
        op = ops.NAMED.get(patterns.head(pattern)[0])
        made = BOOL if op is None else result_type(op, root)
        if "bitcast" in tile.pattern and given.bits != root.bits or target is not None and target.lanes != root.lanes:
            continue
        if re.search(r"\b(extract|insert)", tile.pattern) and not 0 <= number < root.lanes:
            continue
        yield Instance(pattern, root, target or made, given, number, constant, same).text()


def output(program: Any, run: Any) -> bytes:
    runtime = Runtime(heap_limit=1 << 20)
    run(program, runtime)
    return bytes(runtime.output)


def lowered(program: Program, target: str = LEVELS[0]) -> L2Program:
    """The L2 program, each of whose instructions there is a form for."""
    made = lower.lower_program(program, Options(opt=0, target=target))
    for function in made.functions.values():
        for i in function.body:
            if i.op.name in forms.FAMILIES and not i.op.is_call:
                assert forms.form_for(i.op, i.operands) or i.op is forms.MOV, i
    return made


STEP = 19  # one tile in so many is in the sample
TURNED = [(tile, turn) for tile in TILES for turn in patterns.turned(patterns.parse(tile.pattern))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "tile" in metafunc.fixturenames:
        step = 1 if metafunc.config.getoption("--whole") else STEP
        names = [f"{tile.name}-{n}" for n, (tile, _) in enumerate(TURNED)]
        metafunc.parametrize(("tile", "pattern"), TURNED[::step], ids=names[::step])


def test_tile(tile: Tile, pattern: Any, chosen: list[str]) -> None:
    needs = bits_of(tile.needs)
    targets = [level for level in LEVELS if needs & ~features(level) == 0]
    tried = 0
    for target in targets[:1] if tile.topic in ("integers", "bits") else [targets[0], targets[max(0, len(targets) - 2)]]:
        for text in instances(tile, pattern):
            program = parse(Source(text))
            bad = list(problems(program))
            if bad and "splat" in tile.pattern:
                continue  # what is loaded is of the other sign
            assert not bad, text
            chosen.clear()
            made = lowered(program, target)
            if tile.name not in chosen:
                continue
            assert output(made, run_l2) == output(program, run_l3), text
            tried += 1
            if tried == 4:
                break
    assert tried, f"nothing makes {tile.name} chosen"


def test_tiles_have_names_of_their_own() -> None:
    names = [tile.name for tile in TILES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", [row for row in ADDRESSES if row.name != "base"], ids=lambda row: row.name)
def test_address(row: Tile, chosen: list[str]) -> None:
    for number in (3, 8):
        instance = Instance(["add", patterns.parse(row.pattern), "0"], I64, I64, I64, number)
        *inner, _, _ = instance.lines
        parameters = ", ".join(f"i64 {name}" for name in instance.parameters)
        body = "\n".join([*inner, f"i64 %l <- load %v{instance.count - 2} - 16", "return %l"])
        args = ", ".join("%p" if name == "%x" else "%i" for name in instance.parameters)
        stores = "\n".join(f"store.i64 %q + {8 * n} <- {2 * n + 1}" for n in range(1, 20))
        text = f"""define i64 @f ({parameters}) {{
            {body}
            }}
            define @main () {{
              %q <- call allocate(41, 1)
              i64 %p <- %q + 32
              i64 %i <- 1 + 1
              {stores}
              i64 %r <- call @f({args})
              {chr(10).join(shown(I64, "%r", "r"))}
            }}"""
        program = parse(Source(text))
        assert not list(problems(program))
        chosen.clear()
        made = lowered(program)
        if row.name in chosen:
            assert output(made, run_l2) == output(program, run_l3)
            return
    raise AssertionError(f"nothing makes {row.name} chosen")


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed: int) -> None:
    text = Writer(seed).program()
    program = parse(Source(text))
    assert not list(problems(program)), text
    assert output(lowered(program), run_l2) == output(program, run_l3), text
