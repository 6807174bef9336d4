"""How long a whole process takes above `python -c pass`: hello world through `septet run -O0`, nothing cached; `import septet`.

    python bench/startup.py [--septet PATH_TO_THE_INSTALLED_COMMAND] [--rounds 21]

Runs are interleaved; medians in milliseconds.  Use an installed wheel: a source checkout generates its tables at every start.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELLO = "void main() {\n  print(42)\n  return\n}\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--septet", default=shutil.which("septet"))
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    python = str(Path(options.septet).parent / "python") if options.septet else sys.executable
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder) / "hello.lb"
        hello.write_text(HELLO)
        commands = {
            "python -c pass": [python, "-c", "pass"],
            "python -c 'import septet'": [python, "-c", "import septet"],
            "septet run -O0 hello.lb": [options.septet, "run", "-O0", str(hello)],
            "septet run -O2 hello.lb": [options.septet, "run", "-O2", str(hello)],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(options.rounds + 1):
            for name, command in commands.items():
                began = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                if number:
                    times[name].append((time.perf_counter() - began) * 1e3)
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, medians of {options.rounds}")
    floor = statistics.median(times["python -c pass"])
    for name, taken in times.items():
        print(f"{name:28} {statistics.median(taken):7.1f} ms, {statistics.median(taken) - floor:6.1f} above python -c pass")


if __name__ == "__main__":
    main()
