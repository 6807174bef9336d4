"""Frames: what L1c says of where a function's caller and its registers are."""

from __future__ import annotations

from septet.base.options import Options
from septet.base.source import Source
from septet.l1.frames import size, unwind
from septet.l1.lower import lower_program
from septet.l1.text import parse

RBX, RBP = 3, 5


def frames(function: str, more: str = "", opt: int = 2) -> list:
    """`Code.frames` of the first function."""
    program = parse(Source(f"(@f {function} {more})"))
    return lower_program(program, Options(opt))[0].frames


def test_no_frame() -> None:
    assert frames("(@f 0 0 rax <- 1 return)") == [(0, 8, ())]


def test_a_frame_and_its_end() -> None:
    assert frames("(@f 0 2 rax <- 1 return)") == [(0, 8, ()), (4, 24, ()), (13, 8, ())]


def test_a_saved_register() -> None:
    body = "(@f 1 1 mem rsp 0 <- rbx rbx <- rdi rax <- rbx rbx <- mem rsp 0 return)"
    assert frames(body) == [(0, 8, ()), (4, 16, ()), (8, 16, ((RBX, -16),)), (22, 8, ())]


def test_arguments_on_the_stack_are_in_the_frame() -> None:
    function = parse(Source("(@f (@f 8 1 mem rsp 0 <- rbx rbx <- 1 rbx <- mem rsp 0 return))")).functions["f"]
    assert size(function) == 8 * (1 + 2) + 8
    assert unwind(function)[1] == (1, 32, ((RBX, -32),))


def test_what_was_changed_is_not_saved() -> None:
    """A spilled variable in a callee-saved register is no save, and neither is what overwrites one."""
    body = "(@f 1 2 mem rsp 0 <- rbx rbx <- rdi mem rsp 8 <- rbx mem rsp 0 <- rdi return)"
    saved = [row[2] for row in frames(body)]
    assert saved == [(), (), ((RBX, -24),), (), ()]


def test_saves_in_one_branch() -> None:
    """Where the ways meet again only what was saved on all of them is."""
    body = """(@f 1 1
        cjump rdi = 0 :end
        mem rsp 0 <- rbx
        rbx <- rdi
        rdi <- rbx
        rbx <- mem rsp 0
        :end
        rax <- 1
        return)"""
    program = parse(Source(f"(@f {body})"))
    assert unwind(program.functions["f"]) == [(0, 16, ()), (2, 16, ((RBX, -16),)), (5, 16, ())]


def test_loops() -> None:
    body = """(@f 1 2
        mem rsp 0 <- rbx
        mem rsp 8 <- rbp
        :loop
        rbx <- rdi
        rbp <- rdi
        rdi--
        cjump rdi != 0 :loop
        rbx <- mem rsp 0
        rbp <- mem rsp 8
        return)"""
    program = parse(Source(f"(@f {body})"))
    assert [row[2] for row in unwind(program.functions["f"])] == [(), ((RBX, -24),), ((RBX, -24), (RBP, -16))]


def test_tail_calls_take_the_frame_off() -> None:
    body = "(@f 1 1 mem rsp 0 <- rbx rbx <- rdi rdi <- rbx call @g (rdi) rbx <- mem rsp 0 return)"
    more = "(@g 1 0 rax <- rdi return)"
    rows = frames(body, more)
    assert rows[-1][1:] == (8, ()) and rows[-2] == (8, 16, ((RBX, -16),))
    assert [row[1] for row in frames(body, more, opt=0)] == [8, 16, 16, 8]


def test_calls_by_jump_move_over_the_return_address() -> None:
    body = "(@f 0 0 rax <- :back mem rsp -8 <- rax rcx <- @g call rcx 1 :back return)"
    assert [row[1] for row in frames(body, "(@g 1 0 rax <- rdi return)")] == [8, 16, 8]
