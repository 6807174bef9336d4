"""A program as users of the package hold it: compiled, run, interpreted, printed, saved."""

from __future__ import annotations

import sys

from septet.base.diagnostics import Rejected
from septet.base.options import Options
from septet.base.source import Source
from septet.pipeline import LANGUAGES, NAMED, Compilation, Watcher, load, module
from septet.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from septet.base.remarks import Remark
    from septet.link.code import Code
    from septet.link.layout import Image
    from septet.py.load import Callables


BASELINE = "x86-64-v1"


def compile(
    source: str,
    *,
    language: str = "lb",
    opt: int = 2,
    name: str = "<text>",
    fuel: tuple[tuple[str, int], ...] = (),
    without: tuple[str, ...] = (),
    target: str = BASELINE,
    watchers: Iterable[Watcher] = (),
    library: bool = False,
) -> Program:
    """The program that `source` is, in `language` (lb, la, ir, l3, l2 or l1), for `target` (`x86-64-v1` to `-v4`, `native`).

    A `library` needs no `main`, and all its functions may be called from outside.  Rejected says what is wrong with the source;
    ValueError that there is no such language or target.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}, not one of {', '.join(LANGUAGES)}")
    return Program(Source(source, name), language, Options(opt, fuel, without, _target(target)), watchers, library)


def read(path: str, *, language: str = "", opt: int = 2, target: str = BASELINE, library: bool = False) -> Program:
    """The program in file `path`, in the language of its extension or in `language`.  OSError, ValueError, Rejected."""
    language = language or language_of(path)
    return Program(Source.read(path), language, Options(opt, target=_target(target)), library=library)


def callables(source: str, *, name: str = "<text>", **how: Any) -> Callables:
    """The functions of a text in IR, which needs no `main`, as callables of Python (`septet.py.load.load` says what may be
    asked for: `functions`, `signatures`, `opt`, `target`).  Rejected says what is wrong with it."""
    loader = module("septet.py.load")
    made: Callables = loader.load(loader.parsed(Source(source, name)), path=name, **how)
    return made


def built(program: Any, source: Source, opt: int, target: str) -> Program:
    """The program that well-formed IR is, made by `septet.ir`'s builder from `source`.  Rejected where it has no good
    `main`."""
    made = Program.__new__(Program)
    program.source = source
    bad = list(module("septet.ir.verify").problems(program))
    if bad:
        raise Rejected(bad)
    made._begin(source, "ir", Options(opt, target=_target(target)), (), program)
    return made


def _target(name: str) -> str:
    """The target called `name`, as options have it.  ValueError where there is none."""
    if name == BASELINE:
        return name
    canonical: str = module("septet.x86.targets").canonical(name)
    return canonical


def language_of(path: str) -> str:
    """The language that the extension of `path` names, in upper or lower case.  ValueError where it names none."""
    extension = path.rpartition(".")[2].lower()
    if extension not in LANGUAGES:
        known = " ".join(f".{language}" for language in LANGUAGES)
        raise ValueError(f"cannot tell the language of {path!r}: no extension of {known}")
    return extension


class Program:
    """A verified program and everything that can be made of it.  Stages are made when first asked for."""

    def __init__(
        self, source: Source, language: str, options: Options, watchers: Iterable[Watcher] = (), library: bool = False
    ) -> None:
        read = module("septet.link.library").load if library else load
        self._begin(source, language, options, watchers, read(source, language))
        self.library = library

    def _begin(self, source: Source, language: str, options: Options, watchers: Iterable[Watcher], program: Any) -> None:
        self.language = language
        self.options = options
        self.source = source
        self.needs: tuple[str, ...] = ()  # libraries that a shared object depends on, beside C's
        self.library = False  # whether it has no `main`, but functions for others
        self._compilation = Compilation(options, watchers)
        self._stages: dict[str, Any] = {language: program}
        self._codes: list[Code] | None = None
        self._image: Image | None = None

    @property
    def functions(self) -> list[str]:
        """The names of the program's functions, in its order."""
        return list(self._stages[self.language].functions)

    @property
    def watchers(self) -> tuple[Watcher, ...]:
        """What is told of every step of this program's compilation."""
        return self._compilation.watchers

    @property
    def remarks(self) -> list[Remark]:
        """What the passes that have run so far had to say."""
        return self._compilation.remarks

    def stage(self, name: str) -> Any:
        """The program as data of language `name`, this one or a later one."""
        if name not in self._stages:
            order = list(LANGUAGES)
            if name not in order or order.index(name) < order.index(self.language):
                raise ValueError(f"a program in {self.language} has no stage {name!r}")
            above = order[order.index(name) - 1]
            self._stages[name] = self._compilation.lower(self.stage(above), above, name)
        return self._stages[name]

    def callables(self, *functions: str, **how: Any) -> Callables:
        """These functions, or all, as callables of Python (`septet.py.load.load` says what else may be asked for).  They share
        nothing with a run.  Rejected where one prints, reads input or allocates."""
        made: Callables = module("septet.py.load").load(
            self.stage("ir"), functions=functions, options=self.options, path=self.source.name, watchers=self.watchers, **how
        )
        return made

    def text(self, stage: str, notes: bool = True) -> str:
        """The program in language `stage`; `x86` gives a listing.  Without `notes` nothing of spans and passes is kept."""
        if stage == "x86":
            listing: str = module("septet.link.assembly").listing(self.image, self.codes)
            return listing
        text: str = NAMED[stage].room("text").print_program(self.stage(stage), notes)
        return text

    @property
    def codes(self) -> list[Code]:
        """The machine code of every function, before linking."""
        if self._codes is None:
            foreign = module("septet.link.foreign")
            self._codes = foreign.with_callers(self._compilation.compile(self._stages[self.language], self.language))
            foreign.check_callbacks(self._stages[self.language].functions, self._codes)
        return self._codes

    @property
    def _data(self) -> Any:
        """The program's data, as far as it is linked."""
        return module("septet.link.foreign").without_unused(getattr(self._stages[self.language], "data", {}), self.codes)

    @property
    def externals(self) -> Any:
        """The functions of C that its code uses."""
        return module("septet.link.foreign").externals(self._data, self.codes)

    @property
    def addresses(self) -> dict[str, int]:
        """Where these are in this process.  Rejected where one is in none of its libraries."""
        found: dict[str, int] = module("septet.link.foreign").addresses(self.externals)
        return found

    @property
    def entry(self) -> str:
        """The name of the function that a run starts with."""
        return getattr(self._stages[self.language], "entry", "main")

    @property
    def image(self) -> Image:
        """The program linked with the runtime: what is loaded, and what the executable holds."""
        if self._image is None:
            collection = module("septet.link.maps").collection(self.options)
            self._image = module("septet.link.layout").link(self.codes, self._data, self.entry, collection=collection)
        return self._image

    def interpret(self, stage: str = "", stdin: bytes | str = b"", steps: int | None = None) -> Result:
        """Run the program in the interpreter of `stage` (its own language by default), at most `steps` instructions.

        Fault (`septet.runtime.model`) where the program does what only a broken one does.
        """
        model = module("septet.runtime.model")
        errors = bytearray()
        runtime = model.Runtime(_bytes(stdin), None, errors.extend)
        status: int | None = 0
        gave_up = ""
        try:
            NAMED[stage or self.language].room("interpret").run(self.stage(stage or self.language), runtime, steps)
            runtime.flush()
        except model.Exit as end:
            status = end.status
        except model.Inconclusive as end:
            status, gave_up = None, end.reason
        return Result(status, bytes(runtime.output), bytes(errors), gave_up)

    def run(self, stdin: bytes | str | None = None, capture: bool = False) -> Result:
        """Run the program natively, in a forked child.

        Its streams are this process's; with `stdin` given it reads that, with `capture` its output is in the result.  Where
        `sys.stdout` was replaced, what the program writes goes there.  Elsewhere than on Linux on x86-64 the IR interpreter
        runs it.
        """
        from septet.execute import run

        redirected = not capture and not _is_descriptor(sys.stdout, 1)
        result = run(self, None if stdin is None else _bytes(stdin), capture or redirected)
        if redirected:
            sys.stdout.write(result.stdout)
        return result

    def save(self, path: str, kind: str = "exe", *, debug: bool = True) -> None:
        """Write the program to `path`: `exe` a static executable, `obj` an ELF relocatable, `asm` an assembler listing, `so` a
        shared object of its functions with machine types, `header` a C header that declares those.

        Executables and objects have names, lines and frames for debuggers; without `debug` they have not.  A library's `obj` is
        of what it exports.
        """
        content = self.file(kind, path.rpartition("/")[2], debug=debug)
        module("septet.base.files").write(path, content, executable=kind in ("exe", "so"))

    def file(self, kind: str, name: str, *, debug: bool = True) -> bytes:
        """What `save` would write to a file called `name`.  ValueError where there is no such kind."""
        if kind in ("so", "header") or self.library:
            program = self if self.library else Program(self.source, self.language, self.options, self.watchers, True)
            program.needs = self.needs
            exported = program._exported(kind, name, debug)
            self._compilation.remarks = program.remarks
            return exported
        if kind == "asm":
            module("septet.link.foreign").refuse(self.externals, "a listing has no library of C")
            text: str = module("septet.link.assembly").assembly(self.image, self.codes, self.source if self.line_file else None)
            return text.encode("utf-8", "surrogateescape")
        if kind not in ("exe", "obj"):
            raise ValueError(f"kind is {kind!r}, not exe, obj, asm, so or header")
        elf = module("septet.link.elf")
        externals = self.externals
        if kind == "exe":
            module("septet.link.foreign").refuse(externals, "an executable has no library of C")
        parts = self._debugging(elf.ADDRESS + elf.HEADER if kind == "exe" else 0) if debug else None
        if kind == "exe":
            return elf.executable(self.image, parts)  # type: ignore[no-any-return]
        entries = {name: (first, last - first) for name, first, last in self.image.functions}
        functions = self._stages[self.language].functions
        visible = [(name, *entries[name]) for name, f in functions.items() if getattr(f, "convention", "")]
        visible.append(("_start", self.image.entry, 0))
        names = [external.name for external in externals]
        return elf.relocatable(self.image, parts, visible, externals=names)  # type: ignore[no-any-return]

    def _exported(self, kind: str, name: str, debug: bool) -> bytes:
        """The content of a library's file.  Rejected where nothing can be exported."""
        if kind not in ("so", "header", "obj"):
            raise ValueError(f"kind is {kind!r}, but a library can be so, obj or header")
        program = self._stages[self.language]
        library = module("septet.link.library").Library(program, self.codes)
        self._compilation.remarks = [remark for remark in self.remarks if remark.by != "library"] + library.remarks
        source = self.line_file if debug else ""
        content: bytes | str
        if kind == "header":
            content = library.header(name)
        elif kind == "so":
            content = library.shared_object(self._data, name, source, self.needs)
        else:
            content = library.relocatable(self._data, source)
        return content.encode() if isinstance(content, str) else content

    @property
    def line_file(self) -> str:
        """The name of the file that lines are of; "" where that is not known, in a text whose notes speak of another file."""
        source = getattr(self._stages[self.language], "source", self.source)
        return source.name if source is not None else ""

    def _debugging(self, text: int) -> Any:
        """The sections for debuggers, with .text at that address."""
        dwarf = module("septet.link.dwarf")
        return dwarf.sections(dwarf.extents(self.image, self.codes), self.line_file, text)


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _is_descriptor(stream: Any, number: int) -> bool:
    """Whether Python's `stream` is the plain file descriptor `number`."""
    if stream is None:
        return True
    try:
        found: int = stream.fileno()
    except (OSError, AttributeError, ValueError):  # io.UnsupportedOperation is an OSError and a ValueError
        return False
    return found == number
