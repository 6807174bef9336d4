"""How fast Septet compiles: the front end alone, and LB to machine code at -O0, at three sizes.

    python bench/compile_speed.py [--opt 0] [--rounds 5]

Prints lines/s, peak memory, and microseconds an IR value and a machine instruction by stage.  One core, medians.
"""

from __future__ import annotations

import argparse
import gc
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "bench"))

from generate import generate  # noqa: E402

from septet.base.options import Options  # noqa: E402
from septet.base.source import Source  # noqa: E402
from septet.lb import text as lb_text  # noqa: E402
from septet.pipeline import Compilation, Step, Watcher, load  # noqa: E402
from septet.x86.decode import disassemble  # noqa: E402


def front_end(lines: int, rounds: int) -> tuple[float, float]:
    """Median seconds to lex and parse a program, and its megabytes."""
    source = generate(lines)
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        lb_text.parse(Source(source))
        times.append(time.perf_counter() - began)
    return statistics.median(times), len(source) / 1e6


class Sizes(Watcher):
    """A watcher that counts what each step made and how long it took."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self.made: dict[str, int] = {}

    def __call__(self, step: Step) -> None:
        self.spent[step.name] = self.spent.get(step.name, 0) + step.nanoseconds
        function = step.function
        if step.stage == "ir":
            size = sum(len(block.phis) + len(block.body) for block in function.blocks)
        elif step.stage == "x86":
            size = sum(1 for _ in disassemble(function.content))
        else:
            size = len(function.body)
        self.made[step.name] = self.made.get(step.name, 0) + size


def whole(lines: int, opt: int) -> None:
    """Compile once in this process and print the figures (run in a process of its own, for its peak memory).

    A small program is compiled first: importing the compiler, and in a checkout generating its tables, is not measured here.
    """
    Compilation(Options(opt)).compile(load(Source(generate(200)), "lb"), "lb")
    source = generate(lines)
    base = peak_memory()
    began = time.perf_counter()
    program = load(Source(source), "lb")
    Compilation(Options(opt)).compile(program, "lb")
    spent = time.perf_counter() - began
    print(source.count("\n"), spent, peak_memory(), base)


def peak_memory() -> float:
    """The most memory that this process has had, in megabytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        (line,) = (line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def by_stage(lines: int, opt: int) -> None:
    """Print microseconds by step, for each thing the step made."""
    sizes = Sizes()
    program = load(Source(generate(lines)), "lb")
    Compilation(Options(opt), [sizes]).compile(program, "lb")
    instructions = sizes.made["L1c"]
    print(f"{'step':12} {'ms':>8} {'made':>9} {'us each':>8} {'us/machine instruction':>23}")
    for name, spent in sizes.spent.items():
        made = max(sizes.made[name], 1)
        print(f"{name:12} {spent / 1e6:8.1f} {sizes.made[name]:9} {spent / made / 1e3:8.2f} {spent / instructions / 1e3:23.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--opt", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    gc.disable()
    if options.one:
        whole(options.one, options.opt)
        return
    interpreter = f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}"
    print(f"{interpreter}, one core, medians of {options.rounds}")
    seconds, megabytes = front_end(50_000, options.rounds)
    print(f"front end, 50,000 lines: {50_000 / seconds:,.0f} lines/s, {megabytes / seconds:.1f} MB/s")
    for lines in (1_000, 10_000, 50_000):
        runs = []
        for _ in range(options.rounds):
            command = [sys.executable, __file__, "--one", str(lines), "--opt", str(options.opt)]
            runs.append([float(x) for x in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()])
        real, spent, peak, base = (statistics.median(column) for column in zip(*runs, strict=True))
        print(
            f"-O{options.opt} {real:7,.0f} lines: {spent * 1e3:8.1f} ms, {real / spent:9,.0f} lines/s, "
            f"peak {peak:6.1f} MB, {(peak - base) / real * 1000:5.2f} MB per 1,000 lines"
        )
    by_stage(10_000, options.opt)


if __name__ == "__main__":
    main()
