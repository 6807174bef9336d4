"""What each pass is worth: the kernels' run time and the compile time with that pass alone left out.

    python bench/pass_worth.py                       all passes at -O2, a table in Markdown
    python bench/pass_worth.py --runs 3 --opt 3 inline versioning

Run time is user-mode processor time of bench/kernels, runs with and without a pass interleaved; where leaving it out changes
no byte of a kernel it is not run again.  Compile time is processor time for a generated program (bench/generate.py).
"""

from __future__ import annotations

import argparse
import gc
import math
import platform
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from generate import generate

from septet.base.options import Options
from septet.base.source import Source
from septet.bench.measure import run
from septet.pipeline import PASSES, Compilation, load
from septet.program import Program

KERNELS = sorted((Path(__file__).parent / "kernels").glob("*.lb"))
LINES = 3000  # of the generated program
LIMIT = 60.0  # seconds a kernel may take


def executables(options: Options, folder: Path) -> dict[str, Path]:
    """Every kernel compiled under `options`, by name."""
    made = {}
    for kernel in KERNELS:
        path = made[kernel.stem] = folder / kernel.stem
        Program(Source.read(str(kernel)), "lb", options).save(str(path))
    return made


def seconds(executable: Path, kernel: str) -> float:
    """One run's processor time; the output must be right."""
    folder = KERNELS[0].parent
    taken, status, output = run(str(executable), str(folder / f"{kernel}.in"), LIMIT)
    assert status == 0, (kernel, status)
    assert output == (folder / f"{kernel}.out").read_bytes(), kernel
    return taken


def compile_seconds(options: Options, text: str) -> float:
    """Processor time to compile `text` once, parsing left out."""
    program = load(Source(text), "lb")
    gc.collect()
    began = time.process_time()
    Compilation(options).compile(program, "lb")
    return time.process_time() - began


def worth(base: dict[str, Path], without: dict[str, Path], runs: int) -> tuple[float, str, float, int]:
    """The geometric mean of time without over time with; the kernel that loses most, and how much; how many differ."""
    logs, most, loser, differ = [], 1.0, "", 0
    for kernel, path in base.items():
        other = without[kernel]
        if other.read_bytes() == path.read_bytes():
            logs.append(0.0)
            continue
        differ += 1
        pairs = [(seconds(path, kernel), seconds(other, kernel)) for _ in range(runs)]
        ratio = min(pair[1] for pair in pairs) / max(min(pair[0] for pair in pairs), 1e-3)
        logs.append(math.log(ratio))
        if ratio > most:
            most, loser = ratio, kernel
    return math.exp(sum(logs) / len(logs)), loser, most, differ


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("passes", nargs="*", help="these passes alone")
    parser.add_argument("--opt", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2)
    arguments = parser.parse_args()
    names = list(dict.fromkeys(row.name for row in PASSES if 0 < row.level <= arguments.opt))
    names = [name for name in names if not arguments.passes or name in arguments.passes]
    text = generate(LINES)
    print(f"CPython {platform.python_version()}, {platform.machine()}, -O{arguments.opt}, {arguments.runs} runs each\n")
    print("| without | run time | worst kernel | kernels changed | compile time |")
    print("|---|--:|---|--:|--:|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "base")
        folder.mkdir()
        options = Options(arguments.opt)
        base = executables(options, folder)
        compile_seconds(options, text)
        for name in names:
            left_out = options.with_(without=(name,))
            other = Path(scratch, name)
            other.mkdir()
            mean, loser, most, differ = worth(base, executables(left_out, other), arguments.runs)
            times = [(compile_seconds(options, text), compile_seconds(left_out, text)) for _ in range(arguments.runs)]
            compile_ratio = min(pair[1] for pair in times) / min(pair[0] for pair in times)
            worst = f"{loser} {most:.2f}" if loser else ""
            print(f"| {name} | {mean:.3f} | {worst} | {differ} | {compile_ratio:.3f} |", flush=True)


if __name__ == "__main__":
    main()
