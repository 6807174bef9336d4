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
    from collections.abc import Iterable, Iterator
    from typing import Any

    from septet.base.diagnostics import Diagnostic
    from septet.base.facts import Facts
    from septet.base.remarks import Remark
    from septet.link.code import Code
    from septet.ops.table import Op


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
    """An IR pass: `septet.ir.passes.<module>.run(function, facts)`.  It runs from -O `level` up.

    Its module may say `KEEPS`: the analyses that hold after it as they did before; and `IDEMPOTENT`: that right after it there
    is nothing left for it to do.  A pass does not run again on a function that has not changed since it had nothing to do.
    """

    __slots__ = ("name", "level", "why", "_needs")

    def __init__(self, name: str, level: int, why: str) -> None:
        self.name = name
        self.level = level
        self.why = why
        self._needs: frozenset[Op] | None = None  # the opcodes that `NEEDS` says, once asked for

    @property
    def module(self) -> Any:
        """The pass itself."""
        return module(f"septet.ir.passes.{self.name.replace('-', '_')}")

    def has_work(self, facts: Facts) -> bool:
        """Whether the function has any of the opcodes that the pass needs to have something to do."""
        needs = self._needs
        if needs is None:
            if self.name not in NEEDS:
                return True
            table = module("septet.ops.table")
            names = NEEDS[self.name].split()
            flags = [name for name in names if name in table.FLAGS]
            wanted = [table.NAMED[name] for name in names if name not in flags]
            wanted += [op for flag in flags for op in table.OPS if getattr(op, flag)]
            needs = self._needs = frozenset(wanted)
        return not needs.isdisjoint(facts.opcodes())


PASSES = (
    Pass("known-words", 2, "words that are surely encoded integers need no repair, and references no test of their kind"),
    Pass("parameters", 2, "constants that all callers pass, before anything is computed and inlining weighs the body"),
    Pass("simplify", 1, "checks and lengths are single operations here: repeated ones go before they are expanded"),
    Pass("control-flow", 2, "fewer and larger blocks, for everything behind it"),
    Pass("direct-calls", 2, "before inlining, which wants to know the callee"),
    Pass("tail-recursion", 2, "a loop can be inlined and optimised as one"),
    Pass("inline", 2, "everything behind it sees callees and callers together"),
    Pass("sccp", 2, "constants that came in as arguments decide branches"),
    Pass("known-words", 2, "arguments are known in bodies that came in"),
    Pass("simplify", 2, "what inlined bodies repeat, and constants that came in as arguments"),
    Pass("direct-calls", 3, "functions that came in as arguments"),
    Pass("inline", 3, "and their bodies"),
    Pass("control-flow", 2, "the edges of inlined bodies"),
    Pass("scalar-replacement", 2, "objects that inlining brought home"),
    Pass("jump-threading", 2, "before loops are rotated, as it may not cross their headers"),
    Pass("rotate", 2, "loops test last, so that what they do surely can be done before them"),
    Pass("unroll", 2, "short loops with a known number of rounds, before anything is moved out of them"),
    Pass("redundant-loads", 2, "elements known from loads and stores before"),
    Pass("range-checks", 2, "checks that ranges prove need no loop versions"),
    Pass("invariant-motion", 2, "lengths and checks leave loops, so that versioning finds bounds before them"),
    Pass("simplify", 2, "what came together in front of loops"),
    Pass("unswitch", 2, "one choice before a loop instead of one in every round; conditions are before it now"),
    Pass("versioning", 2, "loops without checks, where one test before them shows that none can fail"),
    Pass("store-promotion", 2, "elements that loops without checks write in one place, after they leave the loop"),
    Pass("dead-stores", 2, "after the loads that kept stores alive are gone"),
    Pass("loop-deletion", 2, "loops that are left with nothing to do"),
    Pass("control-flow", 2, "blocks that passes left empty"),
    Pass("linearise", 0, "from the arrays phase to the words phase; every level needs it"),
    Pass("simplify", 1, "address arithmetic that linearising made"),
    Pass("dead-code", 2, "what simplifying left without a use is no user of what it was made of"),
    Pass("divide-by-constants", 2, "before what it makes is moved out of loops"),
    Pass("reassociate", 2, "corrections of tagged sums become one; what stays the same in a loop comes together"),
    Pass("invariant-motion", 2, "addresses of rows leave inner loops"),
    Pass("decode-phis", 2, "products are as they stay, and what does not change is outside"),
    Pass("strength-reduction", 2, "products with a loop's counter become sums, once all that is invariant is outside"),
    Pass("partial-unroll", 2, "several rounds at a time, once addresses are counters and pointers"),
    Pass("if-conversion", 2, "small choices without a branch"),
    Pass("control-flow", 2, "blocks that passes left empty"),
    Pass("sink", 2, "what one way alone needs is computed there"),
    Pass("dead-code", 1, "what simplifying left without a use"),
    Pass("placement", 2, "the last word about the order of blocks"),
)

NEEDS = {
    "known-words": "or and check-kind check-null",
    "control-flow": "br br-if",
    "direct-calls": "call-indirect check-kind",
    "tail-recursion": "call",
    "inline": "call",
    "scalar-replacement": "new-array new-tuple",
    "jump-threading": "br-if",
    "rotate": "br-if",
    "unroll": "br-if",
    "redundant-loads": "element load",
    "range-checks": "check length",
    "invariant-motion": "br br-if",
    "unswitch": "br-if",
    "versioning": "check",
    "store-promotion": "set-element",
    "dead-stores": "set-element store new-array new-tuple",
    "loop-deletion": "br-if",
    "divide-by-constants": "div rem",
    "decode-phis": "mul",
    "strength-reduction": "load store",
    "partial-unroll": "br-if",
    "if-conversion": "br-if",
    "sink": "br-if",
    "placement": "br-if",
}
"""Opcodes, and flags of opcodes: a pass has nothing to do in a function with none of these, and is not imported for it."""

PROGRAM_LEVEL = 2  # from here up functions are optimised callees first, with summaries of them and facts of the whole program

GENERATED = {
    "ir_rules": ("septet.ir.rule_compiler",),
    "ir_rules_vectors": ("septet.ir.rule_compiler", "vectors"),
    "l3_tiles": ("septet.l3.select", "l3_tiles"),
    "l3_tiles_bits": ("septet.l3.select", "l3_tiles_bits"),
    "l3_tiles_sse_floats": ("septet.l3.select", "l3_tiles_sse_floats"),
    "l3_tiles_avx_floats": ("septet.l3.select", "l3_tiles_avx_floats"),
    "l3_tiles_sse_vectors": ("septet.l3.select", "l3_tiles_sse_vectors"),
    "l3_tiles_avx_vectors": ("septet.l3.select", "l3_tiles_avx_vectors"),
    "l1_peephole": ("septet.l1.peephole_compiler",),
    "runtime_image": ("septet.runtime.image",),
}
"""What the build puts into `septet._generated`: the module whose `generate` gives the text, and what that is asked for."""


def generated(name: str) -> str:
    """The text of a generated module (see `base.generated`)."""
    home, *arguments = GENERATED[name]
    text: str = module(home).generate(*arguments)
    return text


class Step:
    """What a watcher sees after each step: `name` (a compiler or a pass) made `function`, which is now in `stage`; a compiler
    made it of `before`, in the stage above.

    `program` is what it belongs to.  Compiling function by function it has no functions; it is whole, with the functions as
    they were before the stage's passes, for watchers that say `whole = True` (see `Watcher`).
    """

    __slots__ = ("stage", "name", "function", "program", "nanoseconds", "changed", "applications", "before")

    def __init__(
        self,
        stage: str,
        name: str,
        function: Any,
        program: Any,
        nanoseconds: int,
        changed: bool = True,
        applications: int = 0,
        before: Any = None,
    ) -> None:
        self.stage = stage
        self.name = name
        self.function = function
        self.program = program
        self.nanoseconds = nanoseconds
        self.changed = changed
        self.before = before
        self.applications = applications  # after a pass: how many rule and pass applications the function has had


class Watcher:
    """Base of what hangs on the pipeline's hook."""

    whole = False  # whether it needs each stage's program whole, so that all functions take each step together
    recheck = False  # whether the analyses that a pass keeps are computed anew after it, and compared

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

    __slots__ = ("options", "watchers", "remarks", "fuel", "rows")

    def __init__(self, options: Options, watchers: Iterable[Watcher] = ()) -> None:
        self.options = options
        self.watchers = tuple(watchers)
        self.remarks: list[Remark] = []
        self.fuel = dict(options.fuel)
        rows = [row for row in PASSES if row.level <= options.opt and (row.name not in options.without or not row.level)]
        names = [row.name for row in rows]
        middle = names.index("linearise")
        self.rows = {"arrays": rows[:middle], "words": rows[middle:]}

    def lower(self, program: Any, start: str, end: str) -> Any:
        """`program` of stage `start` as one of stage `end`, all functions taking each step together."""
        stage = NAMED[start]
        if start == "ir":
            program = self._complete(program)
        while stage.name != end:
            below = self._empty_below(stage, program)
            above = {function.name: function for function in self._ready(stage, program, copy=True)}
            made = {name: self._down(stage, function, program) for name, function in above.items()}
            for name in program.functions:
                below.functions[name] = made[name][0]
            for name in program.functions:
                self._tell(Step(stage.next, stage.compiler, made[name][0], below, made[name][1], before=above[name]))
            program = below
            stage = NAMED[stage.next]
        return program

    def compile(self, program: Any, start: str) -> list[Code]:
        """Machine code for every function of `program`, in program order; one function at a time where watchers allow it."""
        stages = list(NAMED)
        end = "la" if start == "lb" else start
        if self.options.opt >= PROGRAM_LEVEL and stages.index(start) < stages.index("ir"):
            end = "ir"
        if any(watcher.whole for watcher in self.watchers):
            end = "l1"
        collecting = gc.isenabled()
        gc.disable()  # a compile makes much that lives long, and cleans up after itself
        try:
            program, given = self.lower(program, start, end), start == end
            contexts = self._contexts(program, end)
            stage = NAMED[end]
            made = {f.name: self._through(f, stage, contexts) for f in self._ready(stage, program, copy=given)}
            return [made[function.name] for function in program.functions.values()]
        finally:
            if collecting:
                gc.enable()

    def _through(self, function: Any, stage: Stage, contexts: dict[str, Any]) -> Code:
        """One function, which its stage's passes have seen, from `stage` to machine code."""
        while True:
            above = function
            function, spent = self._down(stage, above, contexts[stage.name])
            if stage.name == "ir":
                for block in above.blocks:  # blocks and branches refer to each other in circles
                    block.body = block.phis = []
            self._tell(Step(stage.next, stage.compiler, function, contexts.get(stage.next), spent, before=above))
            if stage.next == "x86":
                code: Code = function
                return code
            stage = NAMED[stage.next]
            if stage.name == "ir":
                self._passes(function, self._facts(function, contexts["ir"], None), ("arrays", "words"))

    def _complete(self, program: Any) -> Any:
        """`program`, in IR, with functions for operations that the target has no instruction for."""
        targets = module("septet.x86.targets")
        if targets.features(self.options.target) & targets.FEATURES["fma"]:
            return program
        return module("septet.ir.library").complete(program)

    def _ready(self, stage: Stage, program: Any, copy: bool) -> Iterator[Any]:
        """The functions of `program` after this level's passes, in the order in which they are done; with `copy` those of
        `program` stay as they are."""
        functions = program.functions
        if stage.name != "ir":
            yield from functions.values()
            return
        if copy:
            copy_function = module("septet.ir.copy").copy_function
            functions = {name: copy_function(function) for name, function in functions.items()}
            program = with_functions(program, functions)
        if self.options.opt < PROGRAM_LEVEL:
            for function in functions.values():
                self._passes(function, self._facts(function, program, None), ("arrays", "words"))
                yield function
            return
        whole = module("septet.ir.whole")
        known = whole.known(program)
        graph = whole.CallGraph(program)
        for component in graph.components:
            facts = [self._facts(functions[name], program, known) for name in component]
            whole.foresee(facts, known, graph)
            for each in facts:
                self._passes(each.function, each, ("arrays",))
            whole.summarise(facts, known, graph)
            for each in facts:
                self._passes(each.function, each, ("words",))
                yield each.function

    def _facts(self, function: Any, program: Any, known: Any) -> Any:
        fuel = Fuel(self.fuel.get(function.name))
        facts = module("septet.base.facts").Facts
        return facts(program, fuel, self.remarks, function=function, opt=self.options.opt, known=known)

    def _passes(self, function: Any, facts: Any, phases: tuple[str, ...]) -> None:
        """Run this level's passes of those phases on `function`."""
        recheck = any(watcher.recheck for watcher in self.watchers)
        for phase in phases:
            if phase == "arrays" and function.phase == "words":
                continue
            for row in self.rows[phase]:
                facts.by = row.name
                began = perf_counter_ns()
                changed = facts.done.get(row.name) != facts.changes and row.has_work(facts) and row.module.run(function, facts)
                if changed:
                    facts.drop(getattr(row.module, "KEEPS", ()), recheck)
                    facts.changes += 1
                if not changed or getattr(row.module, "IDEMPOTENT", False):
                    facts.done[row.name] = facts.changes
                spent = perf_counter_ns() - began
                self._tell(Step("ir", row.name, function, facts.program, spent, changed, facts.fuel.used))

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
