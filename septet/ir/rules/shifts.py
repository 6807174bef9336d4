"""Shifts; counts are taken modulo the width."""

from __future__ import annotations

from septet.ops.rules import rule

BOTH = "0 <= k < T.bits and 0 <= n < T.bits"

rule("shl-zero", "(shl x 0)", "x")
rule("shr-zero", "(shr x 0)", "x")
rule("zero-shl", "(shl 0 x)", "0")
rule("zero-shr", "(shr 0 x)", "0")
rule("ones-shr", "(shr -1 x)", "-1", "T.signed")

# One after the other

rule("shl-shl", "(shl (shl x k) n)", "(shl x {k + n})", f"{BOTH} and k + n < T.bits")
rule("shr-shr", "(shr (shr x k) n)", "(shr x {k + n})", f"{BOTH} and k + n < T.bits")
rule("shr-shr-sign", "(shr (shr x k) n)", "(shr x {T.bits - 1})", f"T.signed and {BOTH} and k + n >= T.bits")
rule("shr-shl-known", "(shr (shl x k) k)", "x", "not T.signed and 0 < k < T.bits and zeros(x, -1 << T.bits - k)")
rule("shr-shl-natural", "(shr (shl x k) k)", "x", "T.signed and 0 < k < T.bits and zeros(x, -1 << T.bits - k - 1)")
rule("shr-shl-same", "(shr (shl x k) k)", "(and x {(1 << T.bits - k) - 1})", "not T.signed and 0 < k < T.bits")
rule("shl-shr-known", "(shl (shr x k) k)", "x", "0 < k < T.bits and zeros(x, (1 << k) - 1)")
rule("shl-shr-same", "(shl (shr x k) k)", "(and x {-1 << k})", "0 < k < T.bits")
rule("shl-shr-less", "(shl (shr x k) n)", "(and (shr x {k - n}) {-1 << n})", "0 < n < k < T.bits")
rule("shl-shr-more", "(shl (shr x k) n)", "(and (shl x {n - k}) {-1 << n})", "0 < k < n < T.bits")

# With masks and other constants

rule("shl-and-kept", "(shl (and x k) n)", "(shl x n)", "0 < n < T.bits and T.wrap(~k << n) == 0")
rule("shr-and-kept", "(shr (and x k) n)", "(shr x n)", "0 < n < T.bits and T.wrap(~k) >> n == 0")
rule("shr-or-kept", "(shr (or x k) n)", "(shr x n)", "0 < n < T.bits and k >> n == 0")
rule("shr-xor-kept", "(shr (xor x k) n)", "(shr x n)", "0 < n < T.bits and k >> n == 0")
rule("shl-or-kept", "(shl (or x k) n)", "(shl x n)", "0 < n < T.bits and T.wrap(k << n) == 0")
rule("shl-xor-kept", "(shl (xor x k) n)", "(shl x n)", "0 < n < T.bits and T.wrap(k << n) == 0")
rule("shl-add-kept", "(shl (add x k) n)", "(shl x n)", "0 < n < T.bits and T.wrap(k << n) == 0")
rule("shl-sum-with-constant", "(shl (add x k) n)", "(add (shl x n) {k << n})",
     "0 < n < T.bits and T.wrap(k << n) != 0 and -0x80000000 <= k << n <= 0x7fffffff")  # fmt: skip
rule("shr-nothing-left", "(shr x k)", "0", "0 < k < T.bits and zeros(x, -1 << k)")
rule("shl-nothing-left", "(shl x k)", "0", "0 < k < T.bits and zeros(x, (1 << T.bits - k) - 1)")

# Of both operands

rule("and-shls", "(and (shl x y) (shl z y))", "(shl (and x z) y)")
rule("or-shls", "(or (shl x y) (shl z y))", "(shl (or x z) y)")
rule("xor-shls", "(xor (shl x y) (shl z y))", "(shl (xor x z) y)")
rule("add-shls", "(add (shl x y) (shl z y))", "(shl (add x z) y)")
rule("sub-shls", "(sub (shl x y) (shl z y))", "(shl (sub x z) y)")
rule("and-shrs", "(and (shr x y) (shr z y))", "(shr (and x z) y)")
rule("or-shrs", "(or (shr x y) (shr z y))", "(shr (or x z) y)")
rule("xor-shrs", "(xor (shr x y) (shr z y))", "(shr (xor x z) y)")
rule("neg-shl", "(neg (shl x y))", "(shl (neg x) y)")
rule("not-shr", "(not (shr (not x) y))", "(shr x y)", "T.signed")
rule("power-times", "(mul (shl 1 x) y)", "(shl y x)")

# Counts

rule("shl-count-masked", "(shl x (and y k))", "(shl x y)", "T.bits > 1 and k & T.bits - 1 == T.bits - 1")
rule("shr-count-masked", "(shr x (and y k))", "(shr x y)", "T.bits > 1 and k & T.bits - 1 == T.bits - 1")
rule("shl-count-round", "(shl x (add y k))", "(shl x y)", "k % T.bits == 0")
rule("shr-count-round", "(shr x (add y k))", "(shr x y)", "k % T.bits == 0")
rule("shl-count-minus", "(shl x (sub k y))", "(shl x (neg y))", "k != 0 and k % T.bits == 0")
rule("shr-count-minus", "(shr x (sub k y))", "(shr x (neg y))", "k != 0 and k % T.bits == 0")
