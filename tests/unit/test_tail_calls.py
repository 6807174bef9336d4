"""Calls that are the last thing a function does are jumps from -O2 up, and others are not."""

from __future__ import annotations

import pytest

import septet

MAIN = "(@main 0 0 rdi <- 9 call @g (rdi) rdi <- rax call print 1 return)"
PROGRAM = f"(@main {MAIN} (@g 1 SLOTS BODY) (@f 1 0 rax <- rdi return))"
CALL, JUMP = "e800000000", "e900000000"


def g(body: str, slots: int = 0, opt: int = 2) -> str:
    """The code of a function with that body, in a program that prints what it gives for the number 4."""
    program = septet.compile(PROGRAM.replace("SLOTS", str(slots)).replace("BODY", body), language="l1", opt=opt)
    assert program.run(capture=True).stdout == "4\n"
    return program.codes[1].content.hex()


def test_jumps() -> None:
    assert g("call @f (rdi) return") == JUMP
    assert g("mem rsp 0 <- rdi rdi <- mem rsp 0 call @f (rdi) return", 1).endswith("4883c408" + JUMP)
    saved = g("mem rsp 0 <- rbx rbx <- rdi rdi <- rbx call @f (rdi) rbx <- mem rsp 0 return", 1)
    assert saved.endswith("488b1c24" + "4883c408" + JUMP)


def test_what_follows_a_label_stays() -> None:
    body = "cjump rdi < 5 :small call @f (rdi) goto :end :small rax <- 3 :end return"
    assert CALL in g(body)  # a jump is no return
    body = "cjump rdi < 5 :small goto :large :small rax <- 3 goto :end :large call @f (rdi) :end return"
    assert g(body).endswith(JUMP + "c3")


@pytest.mark.parametrize(
    ("body", "slots"),
    [
        ("call @f (rdi) rax += 0 return", 0),  # something follows
        ("rcx <- @f call rcx (rdi) return", 0),
        ("mem rsp 0 <- rdi rsi <- rsp call @f (rdi, rsi) return", 1),  # an address in the frame is passed
        ("lea rsi, mem rsp 8 call @f (rdi, rsi) return", 1),
        ("call @f (rdi, rsi, rdx, rcx, r8, r9) return", 0),  # there may be more on the stack
    ],
)
def test_calls(body: str, slots: int) -> None:
    code = g(body, slots)
    assert JUMP not in code and (CALL in code or "ffd1" in code)


def test_no_jumps_below_o2() -> None:
    assert g("call @f (rdi) return", opt=1) == CALL + "c3"
