"""From a program of IR to callables of Python.

    load(program)["dot"](x, y)

How they are called: by stubs in machine code, where the interpreter is a CPython that these were tried with; else by ctypes,
with all checks in Python; and where no native code runs at all, in the interpreter of IR.  All three take the same arguments
and raise the same exceptions.

Code is made for the machine it is loaded on (`target="native"`), as it is never kept; every operation is exact, so the numbers
are the same for every target.
"""

from __future__ import annotations

import gc

from septet.base.diagnostics import Rejected
from septet.base.lasting import settle
from septet.base.options import Options
from septet.pipeline import Compilation, module
from septet.py.failures import failure
from septet.py.hosted import guard, hosted
from septet.py.signatures import Signature, arity, checked, signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from septet.base.source import Source
    from septet.ir.nodes import Program
    from septet.link.hosted import HostedImage, Pages
    from septet.pipeline import Watcher
    from septet.py.hosted import Hosted

WAYS = ("stub", "ctypes", "interpreter")


class Callables:
    """Callables by name: `callables["dot"]`, `callables.dot`.  Each keeps the code alive by itself.

    `way` is how they are called (one of `WAYS`), `note` why that is not `stub`.
    """

    def __init__(
        self,
        name: str,
        functions: dict[str, Callable[..., Any]],
        way: str,
        note: str = "",
        entries: Mapping[str, int] | None = None,
    ) -> None:
        self._name = name
        self._functions = functions
        self._entries = entries or {}
        self.way = way
        self.note = note
        for each, function in functions.items():
            if not each.startswith("_") and each not in ("way", "note", "address"):
                setattr(self, each, function)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        found = self._functions.get(name)
        if found is None:
            from septet.base.diagnostics import did_you_mean

            hint = did_you_mean(name, self._functions)
            raise KeyError(f"no function {name!r} in {self._name!r}" + (f"; {hint}" if hint else ""))
        return found

    def address(self, name: str) -> int:
        """Where C may call function `name`, which is of C's convention; as long as this or one of its callables lives.

        For `ctypes.CFUNCTYPE(...)(address)`, cffi, or a C function that wants a callback.  ValueError for other functions.
        """
        self[name]
        found = self._entries.get(name)
        if found is None:
            why = "nothing native was made" if self.way == "interpreter" else "it is not of C's convention (convention='c')"
            raise ValueError(f"C cannot call {name!r}: {why}")
        return found

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)  # as where this is being copied, and has nothing yet
        raise AttributeError(f"no function {name!r} in {self._name!r}, which has {', '.join(self._functions)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __contains__(self, name: object) -> bool:
        return name in self._functions

    def __repr__(self) -> str:
        note = f", by {self.way}: {self.note}" if self.note else ""
        return f"<callables of {self._name}: {', '.join(self._functions)}{note}>"


def load(
    program: Program,
    *,
    functions: Iterable[str] = (),
    opt: int = 2,
    target: str = "native",
    signatures: Mapping[str, Any] | None = None,
    release_gil: Iterable[str] = (),
    name: str = "septet",
    path: str = "",
    how: str = "",
    options: Options | None = None,
    watchers: Iterable[Watcher] = (),
) -> Callables:
    """Callables of `functions`, or else of all functions of `program`, which is well formed and stays as it is.

    `signatures` say for functions by name what Python passes, where `Buffer`s are among it (`signatures.signature`); those in
    `release_gil` let other threads run; `how` says which of `WAYS` is wanted.
    Rejected where a function cannot be called from Python, ValueError where what is asked for does not exist.
    """
    if how and how not in WAYS:
        raise ValueError(f"how is {how!r}, not one of {', '.join(WAYS)}")
    collecting = gc.isenabled()
    gc.disable()  # much is made that lives until the end, and a collection in between would look at all of it
    try:
        return _load(
            program, tuple(functions), opt, target, signatures or {}, set(release_gil), name, path, how, options, watchers
        )
    finally:
        if not _IMPORTED:
            settle()
            _IMPORTED.append(True)
        if collecting:
            gc.enable()


_IMPORTED: list[bool] = []  # whether this process has been here: then there is nothing left to import


def _load(
    program: Program,
    functions: tuple[str, ...],
    opt: int,
    target: str,
    signatures: Mapping[str, Any],
    released: set[str],
    name: str,
    path: str,
    how: str,
    options: Options | None,
    watchers: Iterable[Watcher],
) -> Callables:
    names = list(dict.fromkeys(functions)) or [each for each in program.functions if each.isidentifier()]
    for what, named in (("signatures", signatures), ("release_gil", released)):
        for each in named:
            if each not in program.functions:
                raise ValueError(f"{what} names {each!r}, which is no function of the program")
    made = hosted(program, names)
    called = {each: signature(program.functions[each], signatures.get(each), name, path, each in released) for each in names}
    way, note = _way(how)
    if way != "interpreter":
        if options is None:
            options = Options(opt, target=module("septet.x86.targets").canonical(target))
        jit = module("septet.link.jit")
        try:
            functions_made, entries = _native(made, called, options, watchers, way)
            return Callables(name, functions_made, way, note, entries)
        except jit.CannotExecute as problem:
            if how:
                raise
            way, note = "interpreter", str(problem)
    fallback = module("septet.py.fallback")
    return Callables(name, {each: fallback.interpreted(made, one) for each, one in called.items()}, way, note)


def parsed(source: Source) -> Program:
    """The functions that a text in IR has, with or without a `main`.  Rejected where it is not well formed."""
    from septet.ir.text import parse
    from septet.ir.verify import function_problems

    program = parse(source)
    bad = [problem for function in program.functions.values() for problem in function_problems(function, program)]
    if bad:
        raise Rejected(bad)
    return program


def _way(how: str) -> tuple[str, str]:
    """How to call, and why so where that is not the usual way."""
    import sys

    if how:
        return how, "" if how == "stub" else "asked for"
    if sys.implementation.name != "cpython" or not sys.platform.startswith("linux"):
        return "interpreter", f"native code is for CPython on Linux, not for {sys.implementation.name} on {sys.platform}"
    note = module("septet.py.api").why_not()
    return ("ctypes", note) if note else ("stub", "")


def _native(
    made: Hosted, called: dict[str, Signature], options: Options, watchers: Iterable[Watcher], way: str
) -> tuple[dict[str, Callable[..., Any]], dict[str, int]]:
    """Native code for a hosted program, loaded; and where C may call its functions."""
    compilation = Compilation(options, watchers)
    low = compilation.lower(made.program, "ir", "l1")
    for name in made.recursive:
        guard(low.functions[name])
    stubs = module("septet.py.stubs")
    wide = any(i.op.name.endswith(("256", "512")) for function in low.functions.values() for i in function.body)
    loader = _Stubs(made, wide) if way == "stub" else module("septet.py.fallback").Bridges(made)
    for each in called.values():
        function = loader.function(stubs, each)
        low.functions[function.name] = function
    image = module("septet.link.hosted").link(compilation.compile(low, "l1"), low.data, low.source.name if low.source else "")
    pages = module("septet.link.hosted").Pages(image)
    functions: dict[str, Callable[..., Any]] = loader.functions(image, called, pages)
    entries = {name: pages.address + entry for name, entry, _ in image.functions if name in called and called[name].by_c}
    return functions, entries


class _Stubs:
    """Makes builtins."""

    def __init__(self, made: Hosted, wide: bool) -> None:
        self.made = made
        self.wide = wide
        self.api = module("septet.py.api")
        self.helpers: dict[str, tuple[_Slow, Any]] = {}
        self.limited = limited(made)

    def function(self, stubs: Any, signature: Signature) -> Any:
        """The stub of one function."""
        name = signature.name
        slow, fails = _Slow(signature), trapped(signature)
        self.helpers[name] = slow, fails
        host = self.api.process().host
        context, limit = name in self.made.contexts, name in self.limited
        return stubs.stub(signature, context, limit, self.wide, host, id(slow), id(fails))

    def functions(self, image: HostedImage, called: dict[str, Signature], pages: Pages) -> dict[str, Callable[..., Any]]:
        """The builtins, which own the pages together."""
        owner = self.api.NativeCode(pages)
        owner.kept.append(self.helpers)
        entries = {name: entry for name, entry, _ in image.functions}
        result = {}
        for name, one in called.items():
            function = self.api.builtin(one, pages.address + entries[f"{name}.stub"], owner)
            self.helpers[name][0].of(function)
            result[name] = function
        return result


def limited(made: Hosted) -> set[str]:
    """The functions that are recursive or call one that is: they need to know how deep the stack is."""
    if not made.recursive:
        return set()
    from septet.ir.analyses.call_graph import CallGraph

    graph = CallGraph(made.program)
    found = set(made.recursive)
    for component in graph.components:  # callees first
        found.update([name for name in component if not found.isdisjoint(graph.calls(name))])
    return found


class _Slow:
    """Takes the arguments that a stub does not: as what they are meant to be, or with an exception that says what is wrong."""

    __slots__ = ("signature", "function")

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.function: Callable[[], Any] = lambda: None

    def of(self, function: Any) -> None:
        """Whose arguments they are: held weakly, as `function` owns this."""
        from _weakref import ref  # `weakref` takes longer to import than a call of this

        self.function = ref(function)

    def __call__(self, *args: Any) -> Any:
        signature = self.signature
        if len(args) != len(signature.parameters):
            raise TypeError(arity(signature, len(args)))
        taken = checked(signature, args)
        if all(one is other for one, other in zip(taken, args, strict=True)):
            raise TypeError(f"{signature.name}() does not take these arguments")  # else this would go on for ever
        return self.function()(*taken)


def trapped(signature: Signature) -> Callable[[int, int, int, int], None]:
    """What raises the exception for a failure: kind, encoded line, two words; kind 0 is a result that is no number."""
    name, path = signature.name, signature.path

    def fails(kind: int, line: int, what: int, other: int) -> None:
        if not kind:
            raise TypeError(f"{name}() gave a reference, which Python cannot take")
        raise failure(name, path, kind, line, what, other) from None

    return fails
