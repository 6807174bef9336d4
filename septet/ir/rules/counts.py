"""Least and greatest, absolute values, rotations, and counts of bits."""

from __future__ import annotations

from septet.ops.rules import rule

# Least and greatest

rule("min-self", "(min x x)", "x")
rule("max-self", "(max x x)", "x")
rule("min-highest", "(min x k)", "x", "k == T.high")
rule("max-lowest", "(max x k)", "x", "k == T.low")
rule("min-lowest", "(min x k)", "k", "k == T.low")
rule("max-highest", "(max x k)", "k", "k == T.high")
rule("min-max-same", "(min x (max x y))", "x")
rule("max-min-same", "(max x (min x y))", "x")
rule("min-min-same", "(min x (min x y))", "(min x y)")
rule("max-max-same", "(max x (max x y))", "(max x y)")
rule("min-min-lesser-inside", "(min (min x k) n)", "(min x k)", "k <= n")
rule("min-min-lesser-outside", "(min (min x k) n)", "(min x n)", "n < k")
rule("max-max-greater-inside", "(max (max x k) n)", "(max x k)", "k >= n")
rule("max-max-greater-outside", "(max (max x k) n)", "(max x n)", "n > k")
rule("min-nots", "(min (not x) (not y))", "(not (max x y))")
rule("max-nots", "(max (not x) (not y))", "(not (min x y))")

# Absolute values

rule("iabs-iabs", "(iabs (iabs x))", "(iabs x)")
rule("iabs-neg", "(iabs (neg x))", "(iabs x)", "T.signed")
rule("iabs-unsigned", "(iabs x)", "x", "not T.signed")
rule("iabs-natural", "(iabs x)", "x", "T.bits > 1 and natural(x)")

# Rotations

rule("rotate-left-zero", "(rotate-left x 0)", "x")
rule("rotate-right-constant", "(rotate-right x k)", "(rotate-left x {-k})")
rule("rotate-rotate", "(rotate-left (rotate-left x k) n)", "(rotate-left x {k + n})", "T.bits > 1")
rule("rotate-left-neg", "(rotate-left x (neg y))", "(rotate-right x y)")
rule("rotate-right-neg", "(rotate-right x (neg y))", "(rotate-left x y)")
rule("rotate-left-back", "(rotate-left (rotate-right x y) y)", "x")
rule("rotate-right-back", "(rotate-right (rotate-left x y) y)", "x")
rule("rotate-of-shifts", "(or (shl x k) (shr x n))", "(rotate-left x k)", "not T.signed and 0 < k < T.bits and k + n == T.bits")
rule("rotate-of-shifts-xor", "(xor (shl x k) (shr x n))", "(rotate-left x k)",
     "not T.signed and 0 < k < T.bits and k + n == T.bits")  # fmt: skip
rule("rotate-of-shifts-add", "(add (shl x k) (shr x n))", "(rotate-left x k)",
     "not T.signed and 0 < k < T.bits and k + n == T.bits")  # fmt: skip
rule("rotate-of-counts", "(or (shl x y) (shr x (neg y)))", "(rotate-left x y)", "not T.signed")
rule("rotate-not", "(not (rotate-left (not x) y))", "(rotate-left x y)")

# Counts and orders of bits

rule("byte-swap-twice", "(byte-swap (byte-swap x))", "x")
rule("popcount-byte-swap", "(popcount (byte-swap x))", "(popcount x)")
rule("popcount-is-zero", "(eq (popcount x) 0)", "(eq x 0)", "T.bits > 2")
rule("popcount-is-not-zero", "(ne (popcount x) 0)", "(ne x 0)", "T.bits > 2")
rule("trailing-zeros-of-neg", "(count-trailing-zeros (neg x))", "(count-trailing-zeros x)")
