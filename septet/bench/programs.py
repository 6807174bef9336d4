"""Finding programs to measure: with what they read, what they should print, and their C twins."""

from __future__ import annotations

import os

from septet.arguments import Usage
from septet.pipeline import LANGUAGES


class Trouble(Exception):  # noqa: N818
    """A measurement that cannot be made; the text says why."""


class Item:
    """A program to measure: its name, file and language, the file it reads ("": nothing), the output that is right (None:
    not known) and its twin in C ("": there is none)."""

    __slots__ = ("name", "path", "language", "stdin", "expected", "twin")

    def __init__(self, name: str, path: str, language: str, stdin: str, expected: bytes | None, twin: str) -> None:
        self.name = name
        self.path = path
        self.language = language
        self.stdin = stdin
        self.expected = expected
        self.twin = twin


def collect(operands: list[str], twins: list[str], small: bool = False) -> list[Item]:
    """The programs that `operands`, files and folders, name, in order.

    Beside NAME.lb stand NAME.in and NAME.out; with `small` NAME.small.in and NAME.small.out, where they exist.  NAME.c is
    looked for beside it and in the folders `twins`.  Usage, Trouble, OSError.
    """
    paths: list[str] = []
    for operand in operands:
        if os.path.isdir(operand):
            found = sorted(name for name in os.listdir(operand) if _language(name))
            if not found:
                raise Trouble(f"{operand}: no programs there")
            paths += [os.path.join(operand, name) for name in found]
        else:
            paths.append(operand)
    stems = [_stem(path) for path in paths]
    names = [stem if stems.count(stem) == 1 else os.path.basename(path) for stem, path in zip(stems, paths, strict=True)]
    return [_item(name, path, twins, small) for name, path in zip(names, paths, strict=True)]


def _item(name: str, path: str, twins: list[str], small: bool) -> Item:
    language = _language(path)
    if not language:
        raise Usage(f"cannot tell the language of {path!r}: no extension of {' '.join('.' + name for name in LANGUAGES)}")
    os.stat(path)
    base = path.rpartition(".")[0]
    if small and os.path.exists(base + ".small.out"):
        base += ".small"
    expected = None
    if os.path.exists(base + ".out"):
        with open(base + ".out", "rb") as file:
            expected = file.read()
    folders = [os.path.dirname(path), *twins]
    found = (os.path.join(folder, _stem(path) + ".c") for folder in folders)
    twin = next((twin for twin in found if os.path.exists(twin)), "")
    return Item(name, path, language, base + ".in" if os.path.exists(base + ".in") else "", expected, twin)


def _language(path: str) -> str:
    stem, _, extension = path.rpartition(".")
    return extension.lower() if stem and extension.lower() in LANGUAGES else ""


def _stem(path: str) -> str:
    return os.path.basename(path).rpartition(".")[0]
