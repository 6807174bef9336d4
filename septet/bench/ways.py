"""Ways to make an executable of a program: Septet at a level, or a C compiler on the program's twin.

septet-O2   septet-O2-x86-64-v3-without-inline   gcc-O2   gcc-12-O3-native   clang-O2
"""

from __future__ import annotations

import re
import shutil
import subprocess

from septet.base.options import Options
from septet.base.source import Source
from septet.bench.programs import Item, Trouble
from septet.program import Program
from septet.x86.targets import BASELINE, canonical

_SEPTET = re.compile(r"septet-O([0-3])(?:-(x86-64-v[1-4][a-z0-9+.]*|native))?(?:-without-([a-z0-9,-]+))?")
_C = re.compile(r"((?:gcc|clang|cc)(?:-\d+)?)-O([0-3sz]|fast)(-native)?")


class Missing(Exception):  # noqa: N818
    """This program cannot be built this way: it has no twin."""


class Way:
    """A way to build: its `name`; Septet's `options`, or a C compiler's command line."""

    __slots__ = ("name", "options", "command")

    def __init__(self, name: str, options: Options | None, command: list[str]) -> None:
        self.name = name
        self.options = options
        self.command = command

    def installed(self) -> bool:
        """Whether there is such a compiler on this machine."""
        return not self.command or shutil.which(self.command[0]) is not None

    def build(self, item: Item, out: str) -> None:
        """Write the executable `out` for `item`.  Missing, Trouble, Rejected, OSError."""
        if self.options is not None:
            Program(Source.read(item.path), item.language, self.options).save(out)
            return
        if not item.twin:
            raise Missing
        done = subprocess.run([*self.command, "-o", out, item.twin], capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise Trouble(f"{item.twin}: {self.name} refuses it: {(done.stderr.splitlines() or ['no reason given'])[0]}")


def septet_way(opt: int, without: tuple[str, ...] = (), target: str = BASELINE) -> Way:
    """Septet at -O `opt` for `target`, leaving out the passes `without`."""
    name = f"septet-O{opt}" + (f"-{target}" if target != BASELINE else "")
    name += f"-without-{','.join(without)}" if without else ""
    return Way(name, Options(opt, without=without, target=target), [])


def way_of(text: str) -> Way | None:
    """The way that is called `text`; None where there is no such way."""
    found = _SEPTET.fullmatch(text)
    if found:
        from septet.pipeline import PASSES

        without = tuple(found[3].split(",")) if found[3] else ()
        known = {row.name for row in PASSES if row.level}
        try:
            target = canonical(found[2]) if found[2] else BASELINE
        except ValueError:
            return None
        return septet_way(int(found[1]), without, target) if known.issuperset(without) else None
    found = _C.fullmatch(text)
    if found:
        native = ["-march=native"] if found[3] else []
        return Way(text, None, [found[1], f"-O{found[2]}", *native, "-w"])
    return None
