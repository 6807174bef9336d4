"""Quotients and remainders by constants, rounded towards zero."""

from __future__ import annotations

from septet.ops.rules import rule

POWER = "k > 1 and k & (k - 1) == 0"

rule("div-one", "(div x 1)", "x")
rule("rem-one", "(rem x 1)", "0")
rule("div-minus-one", "(div x -1)", "(neg x)", "T.signed")
rule("rem-minus-one", "(rem x -1)", "0", "T.signed")
rule("div-power", "(div x k)", "(shr x {k.bit_length() - 1})", f"{POWER} and (not T.signed or natural(x))")
rule("rem-power", "(rem x k)", "(and x {k - 1})", f"{POWER} and (not T.signed or natural(x))")
rule("rem-negative", "(rem x k)", "(rem x {-k})", "T.low < k < 0")
rule("neg-div", "(neg (div x k))", "(div x {-k})", "T.signed and k != 0 and k != T.low")
rule("div-div", "(div (div x k) n)", "(div x {k * n})", "k > 0 and n > 0 and k * n <= T.high")
rule("div-div-out", "(div (div x k) n)", "0", "k > 0 and n > 0 and k * n > T.high + 1")
rule("rem-rem-divisor", "(rem (rem x k) n)", "(rem x n)", "k != 0 and n != 0 and k % n == 0")
rule("rem-rem-smaller", "(rem (rem x k) n)", "(rem x k)", "0 < abs(k) < abs(n)")
rule("div-rem-smaller", "(div (rem x k) n)", "0", "0 < abs(k) <= abs(n)")
rule("sub-quotient-times", "(sub x (mul (div x k) k))", "(rem x k)", "k != 0")
rule("add-quotient-and-remainder", "(add (mul (div x k) k) (rem x k))", "x", "k != 0")
rule("divisible-by-power", "(equality (rem x k) 0)", "(equality (and x {k - 1}) 0)", POWER)
rule("quotient-is-zero", "(eq (div x k) 0)", "(lt x k)", "not T.signed and k > 0")
rule("quotient-is-not-zero", "(ne (div x k) 0)", "(ge x k)", "not T.signed and k > 0")
rule("div-known-smaller", "(div x k)", "0", "k > 0 and zeros(x, -1 << k.bit_length() - 1)")
rule("rem-known-smaller", "(rem x k)", "x", "k > 0 and zeros(x, -1 << k.bit_length() - 1)")
