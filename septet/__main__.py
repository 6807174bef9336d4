"""The command line: reads the arguments, calls the API, prints.  `septet --help` says what there is."""

from __future__ import annotations

import sys

from septet.arguments import Command, Option, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from septet.pipeline import Stage
    from septet.program import Program

LEVELS = ("0", "1", "2", "3")
SIX = ("lb", "la", "ir", "l3", "l2", "l1")

_OPT = Option("-O --opt", "how much to optimise (default 2)", choices=LEVELS)
_LANGUAGE = Option("--language", "the file's language, where its extension does not say", choices=SIX)
_COLOR = Option("--color", "colour in diagnostics (default auto)", choices=("auto", "always", "never"))
_OUT = Option("-o --output", "where to write", "OUT")
_TARGET = Option("--target", "whose instructions to use: x86-64-v1 (default) to -v4, or native: this machine's", "TARGET")
_STRIP = Option("--strip", "without names, lines and frames for debuggers")
_COMMON = [_OPT, _TARGET, _LANGUAGE, _COLOR]
_COLLECT = [
    Option("--heap-limit", "how large the heap may become: bytes, or with K, M or G", "SIZE"),
    Option("--gc-stress", "collect garbage at every allocation, and overwrite it"),
]
_WITHOUT = Option("--without", "leave a pass out", "PASS")
_WATCH = [
    Option("--check", "verify the program after every step"),
    Option("--dump", "print every function after that language's compiler or that pass, on stderr", "STAGE|PASS"),
    Option("--time", "say where the time went, on stderr"),
    Option("--fuel", "let FUNCTION have only N rule and pass applications", "FUNCTION:N"),
    _WITHOUT,
]

COMMANDS = {
    command.name.partition(" ")[2]: command
    for command in (
        Command(
            "septet run",
            "Run a program natively, or in a language's interpreter; stdin and stdout are the program's.",
            "FILE",
            [
                *_COMMON,
                Option("--at", "in the interpreter of that language instead", choices=(*SIX, "x86")),
                Option("--steps", "at most so many instructions in an interpreter", "N"),
                Option("-g --debug", "tell gdb of the code even if it attaches later (under gdb it is told anyway)"),
                Option("--perf", "write jit-PID.dump for perf; see docs/howto/debug.md"),
                *_COLLECT,
                *_WATCH,
            ],
        ),
        Command(
            "septet build",
            "Write a static executable, an object file, a shared object or its C header, or an assembler listing;"
            " link several files, sources and objects (.o), into an executable.",
            "FILE...",
            [
                *_COMMON,
                _OUT,
                Option("--emit", "what to write (default exe)", choices=("exe", "obj", "so", "header", "asm")),
                Option("--needs", "for so: a library that it depends on, beside C's (may be repeated)", "LIB"),
                Option("--library", "for obj: the functions with machine types, for other files to call, and no program"),
                _STRIP,
                *_COLLECT,
                *_WATCH,
            ],
            most=10_000,
        ),
        Command(
            "septet lower",
            "Print the program in a later language.",
            "FILE",
            [
                *_COMMON,
                Option("--to", "the language to stop at (default: the next one)", choices=(*SIX, "x86")),
                Option("--plain", "without the notes that keep lines and passes"),
                _OUT,
                *_WATCH,
            ],
        ),
        Command("septet check", "Parse and verify.", "FILE", [_TARGET, _LANGUAGE, _COLOR]),
        Command(
            "septet explain",
            "Print the program with what the optimiser did and did not do, and why.",
            "FILE",
            [
                *_COMMON,
                Option("--line", "that line alone", "N"),
                Option("--json", "as a list of objects: function, line, column, pass, what, why, numbers"),
                _OUT,
                _WITHOUT,
            ],
        ),
        Command(
            "septet why-wrong",
            "Name the first stage, pass and rewrite that changes what the program does.",
            "FILE",
            [
                *_COMMON,
                Option("--stdin", "what the program reads (default: nothing)", "FILE"),
                Option("--expect", "what it should print (default: what its own language's interpreter prints)", "FILE"),
                _WITHOUT,
            ],
        ),
        Command(
            "septet bench",
            "Measure programs: how fast they run and compile, and which checks they still make; see docs/howto/measure.md.",
            "[FILE... | DIR...]",
            [
                _OPT,
                _TARGET,
                _COLOR,
                Option("--against", "rivals: gcc-O2,gcc-O3-native,clang-O2,septet-O0,septet-O2-without-PASS,...", "WAYS"),
                Option("--twins", "where NAME.c is, if not beside NAME.lb", "DIR"),
                Option("--small", "with NAME.small.in and NAME.small.out, where they exist"),
                Option("--runs", "measured runs (default 5)", "N"),
                Option("--warmup", "runs before those (default 1)", "N"),
                Option("--limit", "stop a run after so many seconds (default 60)", "N"),
                Option("--compile", "the time and memory of compiling instead, by step"),
                Option("--checks", "the run-time checks left in innermost loops instead"),
                Option("--csv", "write the figures", "FILE"),
                Option("--plot", "draw the figures: .html, or .svg with matplotlib", "FILE"),
                Option("--save", "keep the result", "FILE"),
                Option("--baseline", "compare with a result that was kept; status 1 where something is slower", "FILE"),
                Option("--budget", "how much slower is allowed (default 5%)", "N%"),
                _WITHOUT,
            ],
            most=10_000,
            least=0,
        ),
        Command(
            "septet prove",
            "Prove rewrite rules (default: all) by trying every number at few bits, and say how, and how long it took.",
            "[RULE...]",
            [
                Option("--solver", "by z3 and bitwuzla too, at full width"),
                Option("--width", "by solver at that width alone (may be repeated)", choices=("1", "8", "16", "32", "64")),
                Option("--native", "those with written arguments by every number at 16 bits too, which takes minutes each"),
                _COLOR,
            ],
            most=10_000,
            least=0,
        ),
    )
}
LATER = ("validate", "fuzz", "reduce", "cache", "explore")
GENERAL = """usage: septet COMMAND FILE [options]

A compiler one can see through: LB, LA, IR, L3, L2, L1 and x86-64, each readable, checked and runnable.

commands:
  run      run a program natively, or in a language's interpreter
  build    write a static executable, an object file, a shared object, or an assembler listing
  lower    print the program in a later language
  check    parse and verify
  explain  print the program with what the optimiser did and did not do, and why
  why-wrong  name the first stage, pass and rewrite that changes what the program does
  bench    measure how fast programs run and compile
  prove    prove the rewrite rules

The six compilers on their own: LBc LAc IRc L3c L2c L1c FILE [-o OUT].
'septet COMMAND --help' shows a command's options; 'septet --version' the version."""


def main() -> None:
    """The `septet` command."""
    sys.exit(septet(sys.argv[1:]))


def septet(words: list[str]) -> int:
    """Run the command line `words`; the exit status."""
    _prepare(words)
    if not words or words[0] in ("-h", "--help", "help"):
        print(GENERAL)
        return 0 if words else 2
    if words[0] == "--version":
        from septet import __version__

        print(f"septet {__version__}")
        return 0
    name = words[0]
    command = COMMANDS.get(name)
    if command is None:
        if name in LATER:
            return _usage(f"'{name}' is not there yet")
        from septet.base.diagnostics import did_you_mean

        hint = did_you_mean(name, [*COMMANDS, *LATER])
        return _usage(f"no command '{name}'" + (f"; {hint}" if hint else "; see septet --help"))
    return _guarded(command, words[1:], WORK[name])


def _guarded(command: Command, words: list[str], work: Callable[[list[str], dict[str, list[str]]], int]) -> int:
    """Parse `words`, do the work, and answer bad usage and bad input the way every command does."""
    from septet.base.diagnostics import Rejected

    color = "auto"
    try:
        operands, values = command.parse(words)
        if "help" in values:
            print(command.help())
            return 0
        color = _last(values, "color", "auto")
        return work(operands, values)
    except Usage as problem:
        return _usage(str(problem))
    except Rejected as problem:
        print(problem.render(_wants_color(color)), file=sys.stderr)
        return 1
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        print(f"septet: {where}{problem.strerror or problem}", file=sys.stderr)
        return 1


def _run(operands: list[str], values: dict[str, list[str]]) -> int:
    from septet.execute import interpret_here, run

    program = _program(operands[0], values)
    at = _last(values, "at", "x86")
    if at != "x86":
        _reachable(program, at)
        status = interpret_here(program, at, _number(values, "steps"))
        _finish(program, values)
        return status
    result = run(program, debug="debug" in values, perf="perf" in values)
    _finish(program, values)
    if result.signal in (2, 13):  # Ctrl-C and a closed pipe: end as the program did, so that shells see it
        _die_of(result.signal)
    return result.status or 0


def _build(operands: list[str], values: dict[str, list[str]]) -> int:
    kind = _last(values, "emit", "exe")
    path = operands[0]
    stem = path.rpartition(".")[0] or path
    out = _last(values, "output", stem + {"exe": "", "obj": ".o", "so": ".so", "header": ".h", "asm": ".s"}[kind])
    if out in operands:
        raise Usage(f"the output would overwrite {out}; give another with -o")
    library = kind in ("so", "header") or "library" in values
    if library and kind in ("exe", "asm"):
        raise Usage(f"--library is for obj, so and header, not for {kind}")
    if len(operands) > 1 or path.endswith(".o"):
        if kind != "exe":
            raise Usage(f"several files, and objects, are linked to an executable; {kind} takes one source")
        return _link(operands, out, values)
    program = _program(path, values, library)
    if "needs" in values and kind != "so":
        raise Usage(f"--needs is for so, not for {kind}")
    program.needs = tuple(values.get("needs", ()))
    program.save(out, kind, debug="strip" not in values)
    _not_exported(program)
    _finish(program, values)
    return 0


def _link(paths: list[str], out: str, values: dict[str, list[str]]) -> int:
    """Link files to an executable: objects as they are, sources compiled, those in IR without `main` as libraries."""
    from septet.base.files import write
    from septet.base.source import Source
    from septet.link.library import is_library
    from septet.link.relocate import link

    files = []
    for path in paths:
        if path.endswith(".o"):
            with open(path, "rb") as file:
                files.append((path, file.read()))
            continue
        library = path.endswith((".ir", ".IR")) and is_library(Source.read(path), "ir")
        program = _program(path, values, library)
        files.append((path, program.file("obj", path, debug="strip" not in values)))
        _not_exported(program)
        _finish(program, values)
    write(out, link(files), executable=True)
    return 0


def _not_exported(program: Program) -> None:
    for remark in program.remarks:
        if remark.by == "library":
            print(f"septet: note: {remark.what}: {remark.why}", file=sys.stderr)


def _lower(operands: list[str], values: dict[str, list[str]]) -> int:
    from septet.pipeline import NAMED

    program = _program(operands[0], values)
    to = _last(values, "to", NAMED[program.language].next)
    if to != "x86":
        _reachable(program, to)
    _put(program.text(to, notes="plain" not in values), _last(values, "output", ""))
    _finish(program, values)
    return 0


def _check(operands: list[str], values: dict[str, list[str]]) -> int:
    _program(operands[0], values)
    return 0


def _explain(operands: list[str], values: dict[str, list[str]]) -> int:
    from septet import explain

    program = _program(operands[0], values)
    only = _number(values, "line")
    if only is not None and not 1 <= only <= len(program.source.lines):
        raise Usage(f"--line {only}: the program has {len(program.source.lines)} lines")
    text = (explain.as_json if "json" in values else explain.report)(program, only)
    _put(text + "\n", _last(values, "output", ""))
    return 0


def _why_wrong(operands: list[str], values: dict[str, list[str]]) -> int:
    from septet.prove.why_wrong import Inconclusive, Search

    program = _program(operands[0], values)
    texts: dict[str, bytes] = {}
    for key in ("stdin", "expect"):
        if key in values:
            with open(values[key][-1], "rb") as file:
                texts[key] = file.read()
    expected = texts["expect"].decode("utf-8", "replace") if "expect" in texts else None
    try:
        found = Search(program.source, program.language, program.options, texts.get("stdin", b""), expected).run()
    except Inconclusive as problem:
        print(f"septet: {problem}", file=sys.stderr)
        return 1
    print(found or "Nothing is wrong: every language's interpreter and the machine do what is expected.")
    return 1 if found else 0


def _bench(operands: list[str], values: dict[str, list[str]]) -> int:
    from septet.bench.command import bench

    return bench(operands, values, tuple(map(_pass, values.get("without", []))), _target(values))


def _prove(operands: list[str], values: dict[str, list[str]]) -> int:
    from septet.prove.command import NoRule, prove_rules

    widths = tuple(map(int, values.get("width", []))) or ((64, 32, 16, 8, 1) if "solver" in values else ())
    try:
        return prove_rules(operands, widths, "native" in values)
    except NoRule as problem:
        raise Usage(str(problem)) from None


def _program(path: str, values: dict[str, list[str]], library: bool = False) -> Program:
    """The program in file `path` ("-": standard input), verified."""
    from septet.base.options import Options
    from septet.base.source import Source
    from septet.program import Program, language_of

    try:
        language = _last(values, "language", "") or language_of(path)
    except ValueError as problem:
        raise Usage(f"{problem}; --language says it") from None
    target = _target(values)
    if path == "-":
        source = Source(sys.stdin.buffer.read().decode("utf-8", "surrogateescape"), "<stdin>")
    else:
        source = Source.read(path)
    watchers = []
    if any(key in values for key in ("check", "dump", "time")):
        from septet.watchers import chosen

        watchers = chosen("check" in values, values.get("dump", []), "time" in values)
    without = tuple(map(_pass, values.get("without", [])))
    fuel = tuple(map(_fuel, values.get("fuel", [])))
    limit = _size(_last(values, "heap-limit", "0"))
    options = Options(int(_last(values, "opt", "2")), fuel, without, target, limit, "gc-stress" in values)
    return Program(source, language, options, watchers, library)


def _finish(program: Program, values: dict[str, list[str]]) -> None:
    if "time" in values:
        from septet.watchers import report

        print(report(program.watchers), file=sys.stderr)


def _reachable(program: Program, stage: str) -> None:
    if SIX.index(stage) < SIX.index(program.language):
        raise Usage(f"a program in {program.language} cannot go back to {stage}")


def _fuel(text: str) -> tuple[str, int]:
    function, colon, number = text.rpartition(":")
    if not colon or not (number.isdecimal() and len(number) < 19):
        raise Usage(f"--fuel wants FUNCTION:N, not {text!r}")
    return function, int(number)


def _pass(name: str) -> str:
    """The name of a pass that may be left out.  Usage where there is no such pass."""
    from septet.pipeline import PASSES

    known = {row.name for row in PASSES if row.level}
    if name not in known:
        from septet.base.diagnostics import did_you_mean

        raise Usage(f"--without {name!r} is no pass that can be left out. {did_you_mean(name, known)}".rstrip())
    return name


def _target(values: dict[str, list[str]]) -> str:
    """The target that is asked for, by its canonical name.  Usage where there is none."""
    if "target" not in values:
        return "x86-64-v1"
    from septet.x86.targets import canonical

    try:
        return canonical(values["target"][-1])
    except ValueError as problem:
        raise Usage(f"--target: {problem}") from None


def _size(text: str) -> int:
    """A number of bytes, perhaps with K, M or G behind it.  Usage where it is none."""
    digits, factor = (text[:-1], 1024 ** (1 + "KMG".index(text[-1]))) if text[-1:] in ("K", "M", "G") else (text, 1)
    if not (digits.isdecimal() and len(digits) < 13):
        raise Usage(f"--heap-limit wants a number of bytes, as in 64M, not {text!r}")
    return int(digits) * factor


def _number(values: dict[str, list[str]], key: str) -> int | None:
    text = _last(values, key, "")
    if text and not (text.isdecimal() and len(text) < 19):
        raise Usage(f"--{key} wants a number, not {text!r}")
    return int(text) if text else None


def _last(values: dict[str, list[str]], key: str, otherwise: str) -> str:
    return values[key][-1] if key in values else otherwise


def _put(text: str, path: str) -> None:
    """`text` to file `path`, or to standard output where there is no path."""
    if path and path != "-":
        from septet.base.files import write

        write(path, text.encode("utf-8", "surrogateescape"))
    else:
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.buffer.flush()


def _usage(text: str) -> int:
    print(f"septet: {text}", file=sys.stderr)
    return 2


def _wants_color(choice: str) -> bool:
    import os

    return choice == "always" or (choice == "auto" and sys.stderr.isatty() and not os.environ.get("NO_COLOR"))


def _die_of(number: int) -> None:
    """End this process by a signal."""
    import os
    import signal

    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _prepare(words: list[str]) -> None:
    """Die of a closed pipe like any program; turn an error of the compiler itself into a saved reproducer and status 70."""
    import signal

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

    def internal_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        from septet.crash import report

        if issubclass(kind, KeyboardInterrupt):
            _die_of(signal.SIGINT)
        report(words, error)

    sys.excepthook = internal_error


def _compiler(name: str) -> None:
    """One of the six compilers: FILE in its language to the next one's text."""
    from septet.pipeline import STAGES

    stage = next(stage for stage in STAGES if stage.compiler == name)
    _prepare([name, *sys.argv[1:]])
    options = [_OPT, _TARGET, _COLOR, _OUT, Option("--plain", "without the notes that keep lines and passes")]
    if name == "L2c":
        options += [Option(f"--{what}", f"print the course's {what} dump instead") for what in ("liveness", "interference")]
        options.append(Option("--spill", "print the function with the file's variable spilled instead"))
    if name == "L1c":
        options.append(_STRIP)
    about = f"Compile {stage.name.upper()} to {stage.next.upper() if stage.next != 'x86' else 'an executable'}."
    sys.exit(_guarded(Command(name, about, "FILE", options), sys.argv[1:], lambda o, v: _compile_stage(stage, o, v)))


def _compile_stage(stage: Stage, operands: list[str], values: dict[str, list[str]]) -> int:
    path = operands[0]
    for what in ("liveness", "interference", "spill"):
        if what in values:
            from septet.base.source import Source
            from septet.l2 import oracles

            _put(getattr(oracles, what)(Source.read(path)), _last(values, "output", ""))
            return 0
    program = _program(path, {**values, "language": [stage.name]})
    stem = path.rpartition(".")[0] or path
    if stage.next == "x86":
        out = _last(values, "output", stem)
        if out == path:
            raise Usage(f"the output would overwrite {path}; give another with -o")
        program.save(out, debug="strip" not in values)
    else:
        _put(program.text(stage.next, notes="plain" not in values), _last(values, "output", ""))
    return 0


WORK = {
    "run": _run,
    "build": _build,
    "lower": _lower,
    "check": _check,
    "explain": _explain,
    "why-wrong": _why_wrong,
    "bench": _bench,
    "prove": _prove,
}


def lbc() -> None:
    """The LB compiler."""
    _compiler("LBc")


def lac() -> None:
    """The LA compiler."""
    _compiler("LAc")


def irc() -> None:
    """The IR compiler."""
    _compiler("IRc")


def l3c() -> None:
    """The L3 compiler."""
    _compiler("L3c")


def l2c() -> None:
    """The L2 compiler."""
    _compiler("L2c")


def l1c() -> None:
    """The L1 compiler."""
    _compiler("L1c")


if __name__ == "__main__":
    main()
