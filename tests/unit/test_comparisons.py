"""Comparisons that are known already: left out where the flags still say it, and nowhere else."""

from __future__ import annotations

import pytest

from septet.base.source import Source
from septet.l1 import text
from septet.l1.comparisons import share
from septet.x86 import spell


def shared(body: str) -> str:
    """The instructions of a function without such comparisons."""
    function = text.parse(Source(f"(@main (@main 0 8 {body} return))")).functions["main"]
    before = list(function.body)
    lines = spell.spell_function("", 0, 0, 1, share(function.body), False).split("\n")[1:-3]
    assert function.body == before
    return " ; ".join([line.strip() for line in lines])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("cjump rax < rcx :l cjump rax = rcx :m :l :m", "cmp rax, rcx ; jl :l ; je :m ; :l ; :m"),
        ("cjump rax < rcx :l cjump rcx < rax :m :l :m", "cmp rax, rcx ; jl :l ; jg :m ; :l ; :m"),
        ("cjump rax <u 5 :l cjump rax = 5 :m :l :m", "cmp rax, 5 ; jb :l ; je :m ; :l ; :m"),
        ("cjump rax < 0 :l cjump rax = 0 :m :l :m", "test rax, rax ; jl :l ; je :m ; :l ; :m"),
        (
            "cmp rax, rcx rdx <- rax cmovg rdx, rcx cmp rax, rcx cmovl rax, rcx",
            "cmp rax, rcx ; rdx <- rax ; cmovg rdx, rcx ; cmovl rax, rcx",
        ),
        (
            "cjump rax < 1 :l cjump rax < 2 :m cjump rax = 2 :l :l :m",
            "cjump rax < 1 :l ; cmp rax, 2 ; jl :m ; je :l ; :l ; :m",
        ),
    ],
)
def test_shared(given: str, wanted: str) -> None:
    assert shared(given) == wanted


@pytest.mark.parametrize(
    "body",
    [
        "cjump rax < rcx :l ; :m ; cjump rax = rcx :m ; :l",  # another way leads there
        "cjump rax < rcx :l ; rcx <- 1 ; cjump rax = rcx :l ; :l",
        "cjump rax < rcx :l ; rdx += 1 ; cjump rax = rcx :l ; :l",  # other flags
        "cjump rax < rcx :l ; call print 1 ; cjump rax = rcx :l ; :l",
        "cjump rax < 5 :l ; cjump rax = 6 :l ; :l",
        "cmp rax, rcx ; setl rdx ; cmp rcx, rax ; setl rsi",  # the other way round
        "cmp32 rax, rcx ; setl rdx ; cmp rax, rcx ; setl rsi",  # of other widths
        "cmp rax, mem rdi 0 ; setl rdx ; cmp rax, mem rdi 0 ; setl rsi",
        "cmp rax, rcx ; cmovl rax, rcx ; cmp rax, rcx ; setl rsi",
        "cmp rax, rcx ; cqo ; cmp rax, rdx ; setl rsi",
    ],
)
def test_not_shared(body: str) -> None:
    assert shared(body.replace(";", "")) == body
