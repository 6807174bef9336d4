"""What collecting costs: 10 GB allocated with 10 MB of it live, and trees that are built and dropped.

    python bench/collector.py [--opt 2]

Prints the allocated bytes a second, how often the program was stopped and for how long, and the most memory that it had.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from septet.base.options import Options  # noqa: E402
from septet.base.source import Source  # noqa: E402
from septet.link.layout import link  # noqa: E402
from septet.link.maps import REPORT, Collection  # noqa: E402
from septet.program import Program  # noqa: E402

RING = """// a ring of 95,000 tuples of 104 bytes, 10 MB; one after the other is replaced, 96 million in all, 10 GB
void main () {
  int64 i, at, x
  tuple ring, t
  ring <- new Tuple(95000)
  while (i < 96000000) :more :done
  :more
  t <- new Tuple(11)
  t[3] <- i
  ring[at] <- t
  at <- at + 1
  if (at = 95000) :first :next
  :first
  at <- 0
  :next
  i <- i + 1
  continue
  :done
  t <- ring[77]
  x <- t[3]
  print(x)
}
"""
TREES = """// forty trees of 131,071 tuples of 40 bytes, one kept
tuple make (int64 depth) {
  tuple tree, child
  tree <- new Tuple(3)
  tree[0] <- depth
  if (depth > 0) :more :leaf
  :more
  depth <- depth - 1
  child <- make(depth)
  tree[1] <- child
  child <- make(depth)
  tree[2] <- child
  :leaf
  return tree
}
void main () {
  int64 i, x
  tuple kept, tree
  kept <- make(16)
  while (i < 40) :more :done
  :more
  tree <- make(16)
  i <- i + 1
  continue
  :done
  x <- kept[0]
  print(x)
  x <- tree[0]
  print(x)
}
"""
PROGRAMS = (("ring", RING, 96_000_000 * 104), ("trees", TREES, 41 * 131_071 * 40))


def main() -> None:
    """The command line above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--opt", type=int, default=2)
    opt = parser.parse_args().opt
    print(f"{'program':8} {'MB/s':>7} {'seconds':>8} {'stops':>6} {'longest ms':>10} {'share':>6} {'peak MB':>8}")
    for name, text, allocated in PROGRAMS:
        program = Program(Source(text), "lb", Options(opt))
        image = link(program.codes, {}, program.entry, collection=Collection(0, REPORT))
        program._image = image
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / name)
            program.save(path)
            done = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True)
        stops, total, longest = map(int, re.findall(r"(\d+)", done.stderr.splitlines()[0]))
        seconds, peak = map(float, done.stderr.splitlines()[1].split())
        print(
            f"{name:8} {allocated / seconds / 1e6:7.0f} {seconds:8.2f} {stops:6} {longest / 1e6:10.2f}"
            f" {total / 1e9 / seconds:6.1%} {peak:8.1f}"
        )


PEAK = """
import os, resource, sys, time
began = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], {})
peak = 0
while True:
    try:
        with open(f"/proc/{child}/status") as file:
            for line in file:
                if line.startswith("VmHWM"):
                    peak = max(peak, int(line.split()[1]))
    except OSError:
        pass
    if os.waitpid(child, os.WNOHANG)[0]:
        break
    time.sleep(0.005)
print(time.perf_counter() - began, peak / 1024, file=sys.stderr)
"""

if __name__ == "__main__":
    main()
