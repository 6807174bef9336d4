"""A program as users of the package hold it: compiled, run, interpreted, printed, saved."""

from __future__ import annotations

import sys

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


def compile(
    source: str,
    *,
    language: str = "lb",
    opt: int = 2,
    name: str = "<text>",
    fuel: tuple[tuple[str, int], ...] = (),
    without: tuple[str, ...] = (),
    watchers: Iterable[Watcher] = (),
) -> Program:
    """The program that `source` is, in `language` (lb, la, ir, l3, l2 or l1).  Rejected says what is wrong with it."""
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}, not one of {', '.join(LANGUAGES)}")
    return Program(Source(source, name), language, Options(opt, fuel, without), watchers)


def read(path: str, *, language: str = "", opt: int = 2) -> Program:
    """The program in file `path`, in the language of its extension or in `language`.  OSError, ValueError, Rejected."""
    language = language or language_of(path)
    return Program(Source.read(path), language, Options(opt))


def language_of(path: str) -> str:
    """The language that the extension of `path` names, in upper or lower case.  ValueError where it names none."""
    extension = path.rpartition(".")[2].lower()
    if extension not in LANGUAGES:
        known = " ".join(f".{language}" for language in LANGUAGES)
        raise ValueError(f"cannot tell the language of {path!r}: no extension of {known}")
    return extension


class Program:
    """A verified program and everything that can be made of it.  Stages are made when first asked for."""

    def __init__(self, source: Source, language: str, options: Options, watchers: Iterable[Watcher] = ()) -> None:
        self.language = language
        self.options = options
        self.source = source
        self._compilation = Compilation(options, watchers)
        self._stages: dict[str, Any] = {language: load(source, language)}
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
            self._codes = self._compilation.compile(self._stages[self.language], self.language)
        return self._codes

    @property
    def entry(self) -> str:
        """The name of the function that a run starts with."""
        return getattr(self._stages[self.language], "entry", "main")

    @property
    def image(self) -> Image:
        """The program linked with the runtime: what is loaded, and what the executable holds."""
        if self._image is None:
            data = getattr(self._stages[self.language], "data", {})
            self._image = module("septet.link.layout").link(self.codes, data, self.entry)
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

    def save(self, path: str, kind: str = "exe") -> None:
        """Write the program to `path`: `exe` a static executable, `obj` an ELF relocatable, `asm` an assembler listing."""
        if kind == "asm":
            content = module("septet.link.assembly").assembly(self.image, self.codes).encode()
        elif kind == "obj":
            content = module("septet.link.elf").relocatable(self.image)
        elif kind == "exe":
            content = module("septet.link.elf").executable(self.image)
        else:
            raise ValueError(f"kind is {kind!r}, not exe, obj or asm")
        module("septet.base.files").write(path, content, executable=kind == "exe")


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
