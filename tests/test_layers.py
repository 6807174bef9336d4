"""The import graph is the architecture: what each file may import (docs/ARCHITECTURE.md, "Walls")."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "septet"
NEXT = {"lb": "la", "la": "ir", "ir": "l3", "l3": "l2", "l2": "l1", "l1": "link"}
MACHINE = {"l3", "l2", "l1"}
# What a language may import of another, beside the next one's nodes in lower.py: file -> modules.
GRANTED = {
    "ir/build.py": {"septet.program", "septet.py.load"},  # Module.compile() and .program(), imported when called
    "ir/steps.py": {"septet.runtime.model"},  # the other half of ir/interpret.py
    "l2/allocate/check.py": {"septet.l1.nodes"},  # compares L2c's two ends
    "la/lower.py": {"septet.ir.ssa", "septet.x86.abi"},
    "l1/lower.py": {"septet.link.code"},
}
OUTSIDE = {"explorer", "bench", "prove"}  # nothing the compiler needs imports these


def imports(path: Path) -> set[str]:
    """The full names of septet's modules that a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "septet":
            found |= {
                f"{node.module}.{name.name}"
                if (ROOT.parent / Path(*node.module.split("."), f"{name.name}.py")).exists()
                else node.module
                for name in node.names
            }
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.split(".")[0] == "septet"}
    return found


FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("name", [f for f in FILES if f.split("/")[0] in NEXT])
def test_a_language_imports_itself_what_all_share_and_the_next_ones_nodes_to_lower(name: str) -> None:
    here, *_, file = name.split("/")
    for module in imports(ROOT / name):
        folder = (module.split(".") + [""])[1]
        allowed = folder in {here, "base", "ops"} or (folder == "x86" and here in MACHINE)
        allowed |= folder == "x86" and module == "septet.x86.abi" and here == "ir"  # descriptors
        allowed |= module in GRANTED.get(name, set())
        allowed |= file == "lower.py" and module == f"septet.{NEXT[here]}.nodes"
        allowed |= file == "interpret.py" and module == "septet.runtime.model"
        assert allowed, f"{name} imports {module}"


@pytest.mark.parametrize("folder", ["base", "ops", "x86"])
def test_what_all_share_imports_nothing_above_it(folder: str) -> None:
    below = {"base": {"base"}, "ops": {"base", "ops"}, "x86": {"base", "ops", "x86"}}[folder]
    for path in (ROOT / folder).rglob("*.py"):
        for module in imports(path):
            assert (module.split(".") + [""])[1] in below, f"{path} imports {module}"


HOSTS = {"py", "program.py", "ir/build.py"}  # what knows that functions can be called from Python


@pytest.mark.parametrize("name", FILES)
def test_the_stages_do_not_know_who_calls_their_functions(name: str) -> None:
    if name.split("/")[0] in HOSTS or name in HOSTS:
        return
    for module in imports(ROOT / name):
        assert module.split(".")[1:2] != ["py"], f"{name} imports {module}"


@pytest.mark.parametrize("name", [f for f in FILES if f.startswith("py/")])
def test_callables_are_made_of_ir_and_l1(name: str) -> None:
    allowed = {"py", "base", "ops", "ir", "l1", "x86", "link", "pipeline", "runtime"}
    for module in imports(ROOT / name):
        assert module.split(".")[1] in allowed, f"{name} imports {module}"


@pytest.mark.parametrize("name", FILES)
def test_nothing_the_compiler_needs_imports_what_stands_outside(name: str) -> None:
    if name.split("/")[0] in OUTSIDE | {"__main__.py"}:  # nothing imports the command line
        return
    for module in imports(ROOT / name):
        assert (module.split(".") + [""])[1] not in OUTSIDE | {"__main__"}, f"{name} imports {module}"


@pytest.mark.parametrize("name", FILES)
def test_files_are_of_readable_size(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").count("\n") <= 800, name
