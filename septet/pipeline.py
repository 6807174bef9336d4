"""The pipeline: stages, passes, their order and the -O levels.  The file to read first.

    LB --LBc--> LA --LAc--> IR --passes, IRc--> L3 --L3c--> L2 --L2c--> L1 --L1c--> x86-64

Everything that walks the stages (the command line, the API, the tests) walks these two tables.  Functions are compiled one
by one, from the source language to bytes, and what is between is dropped; `watch` sees every step.
"""

from __future__ import annotations

import gc
import sys
from time import perf_counter_ns

from septet.base.diagnostics import Rejected
from septet.base.options import Fuel, Options
from septet.base.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from septet.base.diagnostics import Diagnostic
    from septet.base.remarks import Remark
    from septet.link.code import Code


class Stage:
    """A language: its folder under `septet`, what its programs are, and the compiler that leaves it."""

    __slots__ = ("name", "about", "compiler", "next")

    def __init__(self, name: str, about: str, compiler: str, next: str) -> None:
        self.name = name
        self.about = about
        self.compiler = compiler
        self.next = next

    def room(self, name: str) -> Any:
        """Module `name` (nodes, text, verify, interpret, lower) of this language, imported when first asked for."""
        return module(f"septet.{self.name}.{name}")


STAGES = (
    Stage("lb", "source: scopes, if, while, arrays, tuples", "LBc", "la"),
    Stage("la", "typed and flat: one operation a line", "LAc", "ir"),
    Stage("ir", "SSA values in a graph of basic blocks", "IRc", "l3"),
    Stage("l3", "legal three-address operations", "L3c", "l2"),
    Stage("l2", "x86-64 instructions over variables", "L2c", "l1"),
    Stage("l1", "x86-64 instructions over registers and stack slots", "L1c", "x86"),
)
NAMED = {stage.name: stage for stage in STAGES}
LANGUAGES = tuple(NAMED)  # the six languages with text; the seventh, x86, is bytes


class Pass:
    """An IR pass: `septet.ir.passes.<module>.run(function, facts)`.  It runs from -O `level` up."""

    __slots__ = ("name", "level", "why")

    def __init__(self, name: str, level: int, why: str) -> None:
        self.name = name
        self.level = level
        self.why = why

    @property
    def run(self) -> Callable[[Any, Any], bool]:
        """The pass itself."""
        run: Callable[[Any, Any], bool] = module(f"septet.ir.passes.{self.name.replace('-', '_')}").run
        return run


PASSES = (
    Pass("simplify", 1, "checks and lengths are single operations here: repeated ones go before they are expanded"),
    Pass("linearise", 0, "from the arrays phase to the words phase; every level needs it"),
    Pass("simplify", 1, "address arithmetic that linearising made"),
    Pass("dead-code", 1, "what simplifying left without a use"),
)


GENERATED = {"l3_tiles": "septet.l3.select", "runtime_image": "septet.runtime.image"}
"""What the build puts into `septet._generated`: the text that the module's `generate()` gives (see `base.generated`)."""


class Step:
    """What a watcher sees after each step: `name` (a compiler or a pass) made `function`, which is now in `stage`.

    `program` is what it belongs to.  Compiling function by function it has no functions; it is whole, with the functions as
    they were before the stage's passes, for watchers that say `whole = True` (see `Watcher`).
    """

    __slots__ = ("stage", "name", "function", "program", "nanoseconds", "changed")

    def __init__(self, stage: str, name: str, function: Any, program: Any, nanoseconds: int, changed: bool = True) -> None:
        self.stage = stage
        self.name = name
        self.function = function
        self.program = program
        self.nanoseconds = nanoseconds
        self.changed = changed


class Watcher:
    """Base of what hangs on the pipeline's hook."""

    whole = False  # whether it needs each stage's program whole, so that all functions take each step together

    def __call__(self, step: Step) -> None:
        """Called after every step."""


def module(name: str) -> Any:
    """The module of that full name, imported if it is not yet."""
    return sys.modules.get(name) or __import__(name, fromlist=("_",))


def load(source: Source, language: str) -> Any:
    """The program that `source` holds, parsed and verified.  Rejected says everything that is wrong with it."""
    text, verify = NAMED[language].room("text"), NAMED[language].room("verify")
    program = text.parse(source)
    bad = list(_first(verify.problems(program)))
    if bad and "//@" in source.text:  # notes speak of another file: complain about places in this one
        bad = list(_first(verify.problems(text.parse(source, notes=False)))) or bad
    if bad:
        raise Rejected(bad)
    return program


def _first(diagnostics: Iterator[Diagnostic], most: int = 100) -> Iterator[Diagnostic]:
    for _, diagnostic in zip(range(most), diagnostics, strict=False):
        yield diagnostic


class Compilation:
    """One program on its way down: options, watchers, fuel and remarks."""

    __slots__ = ("options", "watchers", "remarks", "fuel")

    def __init__(self, options: Options, watchers: Iterable[Watcher] = ()) -> None:
        self.options = options
        self.watchers = tuple(watchers)
        self.remarks: list[Remark] = []
        self.fuel = dict(options.fuel)

    def lower(self, program: Any, start: str, end: str) -> Any:
        """`program` of stage `start` as one of stage `end`, all functions taking each step together."""
        stage = NAMED[start]
        while stage.name != end:
            below = self._empty_below(stage, program)
            made = [
                (function, self._down(stage, self._optimised(stage, function, program, copy=True), program))
                for function in program.functions.values()
            ]
            for function, (lowered, _) in made:
                below.functions[function.name] = lowered
            for _, (lowered, spent) in made:
                self._tell(Step(stage.next, stage.compiler, lowered, below, spent))
            program = below
            stage = NAMED[stage.next]
        return program

    def compile(self, program: Any, start: str) -> list[Code]:
        """Machine code for every function of `program`, in program order; one function at a time where watchers allow it."""
        end = "l1" if any(watcher.whole for watcher in self.watchers) else "la" if start == "lb" else start
        program, start = self.lower(program, start, end), end
        contexts = self._contexts(program, start)
        collecting = gc.isenabled()
        gc.disable()  # a compile makes much that lives long, and cleans up after itself
        try:
            return [self._through(function, start, contexts) for function in program.functions.values()]
        finally:
            if collecting:
                gc.enable()

    def _through(self, function: Any, start: str, contexts: dict[str, Any]) -> Code:
        """One function from stage `start` to machine code."""
        stage = NAMED[start]
        while True:
            above = self._optimised(stage, function, contexts[stage.name], copy=stage.name == start)
            function, spent = self._down(stage, above, contexts[stage.name])
            if stage.name == "ir":
                for block in above.blocks:  # blocks and branches refer to each other in circles
                    block.body = block.phis = []
            self._tell(Step(stage.next, stage.compiler, function, contexts.get(stage.next), spent))
            if stage.next == "x86":
                code: Code = function
                return code
            stage = NAMED[stage.next]

    def _optimised(self, stage: Stage, function: Any, program: Any, copy: bool) -> Any:
        """`function` after this level's passes; with `copy` it is left as it was and a copy changed."""
        if stage.name != "ir":
            return function
        if copy:
            function = module("septet.ir.copy").copy_function(function)
        facts = module("septet.base.facts").Facts(program, Fuel(self.fuel.get(function.name)), self.remarks)
        for row in PASSES:
            if row.level <= self.options.opt and not (row.name == "linearise" and function.phase == "words"):
                facts.by = row.name
                began = perf_counter_ns()
                changed = row.run(function, facts)
                self._tell(Step("ir", row.name, function, program, perf_counter_ns() - began, changed))
        return function

    def _down(self, stage: Stage, function: Any, program: Any) -> tuple[Any, int]:
        """`function` in the next language, and the nanoseconds it took."""
        began = perf_counter_ns()
        return stage.room("lower").lower(function, program, self.options), perf_counter_ns() - began

    def _tell(self, step: Step) -> None:
        for watch in self.watchers:
            watch(step)

    def _contexts(self, program: Any, start: str) -> dict[str, Any]:
        """For each stage from `start` down a program with what is program-wide, but for `start` without functions."""
        contexts = {start: program}
        stage = NAMED[start]
        while stage.next != "x86":
            contexts[stage.next] = program = self._empty_below(stage, program)
            stage = NAMED[stage.next]
        return contexts

    def _empty_below(self, stage: Stage, program: Any) -> Any:
        """A program of the next stage with the data and entry of `program` and no functions yet."""
        return stage.room("lower").lower_program(with_functions(program, {}), self.options)


def with_functions(program: Any, functions: dict[str, Any]) -> Any:
    """`program` with other functions."""
    new = object.__new__(type(program))
    for slot in program.__slots__:
        setattr(new, slot, getattr(program, slot))
    new.functions = functions
    return new
