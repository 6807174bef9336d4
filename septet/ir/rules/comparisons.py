"""Comparisons: in the order of the type that they compare; equal means equal bits."""

from __future__ import annotations

from septet.ops.rules import rule

# Of a value with itself

rule("eq-self", "(eq x x)", "1")
rule("ne-self", "(ne x x)", "0")
rule("lt-self", "(lt x x)", "0")
rule("le-self", "(le x x)", "1")
rule("gt-self", "(gt x x)", "0")
rule("ge-self", "(ge x x)", "1")

# Equality: what can be undone is

rule("equal-sum-constants", "(equality (add x k) n)", "(equality x {n - k})")
rule("equal-constant-minus", "(equality (sub k x) n)", "(equality x {k - n})")
rule("equal-sum-to-part", "(equality (add x y) x)", "(equality y 0)")
rule("equal-sums", "(equality (add x y) (add x z))", "(equality y z)")
rule("equal-difference-zero", "(equality (sub x y) 0)", "(equality x y)")
rule("equal-difference-to-left", "(equality (sub x y) x)", "(equality y 0)")
rule("equal-differences-left", "(equality (sub x y) (sub x z))", "(equality y z)")
rule("equal-differences-right", "(equality (sub x y) (sub z y))", "(equality x z)")
rule("equal-xor-zero", "(equality (xor x y) 0)", "(equality x y)")
rule("equal-xor-constants", "(equality (xor x k) n)", "(equality x {k ^ n})")
rule("equal-xor-to-part", "(equality (xor x y) x)", "(equality y 0)")
rule("equal-xors", "(equality (xor x y) (xor x z))", "(equality y z)")
rule("equal-neg-constant", "(equality (neg x) k)", "(equality x {-k})")
rule("equal-negs", "(equality (neg x) (neg y))", "(equality x y)")
rule("equal-not-constant", "(equality (not x) k)", "(equality x {~k})")
rule("equal-nots", "(equality (not x) (not y))", "(equality x y)")
rule("equal-multiple-zero", "(equality (mul x k) 0)", "(equality x 0)", "k & 1")
rule("equal-multiples", "(equality (mul x k) (mul y k))", "(equality x y)", "k & 1")
rule("equal-tags", "(equality (tag x) (tag y))", "(equality (shl (xor x y) 1) 0)", "T.bits > 1")

# Equality and bits

rule("equal-bit", "(equality (and x k) k)", "(opposite (and x k) 0)", "k > 0 and k & (k - 1) == 0")
rule("eq-and-outside", "(eq (and x k) n)", "0", "n & ~k != 0")
rule("ne-and-outside", "(ne (and x k) n)", "1", "n & ~k != 0")
rule("eq-or-outside", "(eq (or x k) n)", "0", "k & ~n != 0")
rule("ne-or-outside", "(ne (or x k) n)", "1", "k & ~n != 0")
rule("eq-odd-to-even", "(eq x k)", "0", "not k & 1 and odd(x)")
rule("ne-odd-to-even", "(ne x k)", "1", "not k & 1 and odd(x)")
rule("eq-even-to-odd", "(eq x k)", "0", "k & 1 and even(x)")
rule("ne-even-to-odd", "(ne x k)", "1", "k & 1 and even(x)")
rule("eq-known-clear", "(eq x k)", "0", "k != 0 and zeros(x, k & -k)")
rule("ne-known-clear", "(ne x k)", "1", "k != 0 and zeros(x, k & -k)")

# The ends of the range

rule("lt-lowest", "(lt x k)", "0", "k == T.low")
rule("ge-lowest", "(ge x k)", "1", "k == T.low")
rule("gt-highest", "(gt x k)", "0", "k == T.high")
rule("le-highest", "(le x k)", "1", "k == T.high")
rule("le-lowest", "(le x k)", "(eq x k)", "k == T.low")
rule("gt-lowest", "(gt x k)", "(ne x k)", "k == T.low")
rule("ge-highest", "(ge x k)", "(eq x k)", "k == T.high")
rule("lt-highest", "(lt x k)", "(ne x k)", "k == T.high")
rule("lt-above-lowest", "(lt x k)", "(eq x {k - 1})", "k == T.low + 1")
rule("ge-above-lowest", "(ge x k)", "(ne x {k - 1})", "k == T.low + 1")
rule("gt-below-highest", "(gt x k)", "(eq x {k + 1})", "k == T.high - 1")
rule("le-below-highest", "(le x k)", "(ne x {k + 1})", "k == T.high - 1")

# What is surely not negative, or small

rule("lt-natural", "(lt x k)", "0", "k <= 0 and natural(x)")
rule("ge-natural", "(ge x k)", "1", "k <= 0 and natural(x)")
rule("le-natural", "(le x k)", "0", "k < 0 and natural(x)")
rule("gt-natural", "(gt x k)", "1", "k < 0 and natural(x)")
rule("lt-small", "(lt x k)", "1", "k > 0 and zeros(x, -1 << k.bit_length() - 1)")
rule("ge-small", "(ge x k)", "0", "k > 0 and zeros(x, -1 << k.bit_length() - 1)")
rule("order-sum-constants", "(order (add x k) n)", "(order x {n - k})",
     "T.bits > 1 and 0 <= k <= T.high >> 2 and T.low <= n - k and zeros(x, 3 << T.bits - 2)")  # fmt: skip

# Complements and shifts keep or turn the order

rule("order-nots", "(order (not x) (not y))", "(swapped x y)")
rule("order-not-constant", "(order (not x) k)", "(swapped x {~k})")
rule("lt-shifted", "(lt (shr x k) n)", "(lt x {n << k})", "0 <= k < T.bits and T.low <= n << k <= T.high")
rule("ge-shifted", "(ge (shr x k) n)", "(ge x {n << k})", "0 <= k < T.bits and T.low <= n << k <= T.high")
rule("gt-shifted", "(gt (shr x k) n)", "(ge x {n + 1 << k})", "0 <= k < T.bits and T.low <= n + 1 << k <= T.high")
rule("le-shifted", "(le (shr x k) n)", "(lt x {n + 1 << k})", "0 <= k < T.bits and T.low <= n + 1 << k <= T.high")

# Encoded integers

rule("lt-untag", "(lt (untag x) k)", "(lt x {2 * k})", "T.bits > 1 and T.low <= 2 * k <= T.high")
rule("ge-untag", "(ge (untag x) k)", "(ge x {2 * k})", "T.bits > 1 and T.low <= 2 * k <= T.high")
rule("gt-untag", "(gt (untag x) k)", "(gt x {2 * k + 1})", "T.bits > 1 and T.low <= 2 * k + 1 <= T.high")
rule("le-untag", "(le (untag x) k)", "(le x {2 * k + 1})", "T.bits > 1 and T.low <= 2 * k + 1 <= T.high")
rule("equal-untag-odd", "(equality (untag x) k)", "(equality x {2 * k + 1})", "odd(x) and T.low <= 2 * k + 1 <= T.high")
rule("compare-untags-odd", "(compare (untag x) (untag y))", "(compare x y)", "odd(x) and odd(y)")
rule("equal-tag-constant", "(equality (tag x) k)", "(equality x {(k & (1 << T.bits) - 1) >> 1})",
     "k & 1 and zeros(x, 1 << T.bits - 1)")  # fmt: skip
rule("order-tag-constant", "(order (tag x) k)", "(order x {k >> 1})",
     "T.bits > 1 and k & 1 and zeros(x, 3 << T.bits - 2)")  # fmt: skip
rule("compare-tags", "(compare (tag x) (tag y))", "(compare x y)",
     "T.bits > 1 and zeros(x, 3 << T.bits - 2) and zeros(y, 3 << T.bits - 2)")  # fmt: skip

# Of bool; and of two comparisons of the same

rule("eq-true", "(eq.bool x 1)", "x")
rule("ne-false", "(ne.bool x 0)", "x")
rule("eq-false", "(eq.bool x 0)", "(not x)")
rule("ne-true", "(ne.bool x 1)", "(not x)")
rule("not-compare", "(not.bool (compare.A x y))", "(opposite.A x y)")
rule("lt-and-eq", "(and.bool (lt.A x y) (eq.A x y))", "0")
rule("gt-and-eq", "(and.bool (gt.A x y) (eq.A x y))", "0")
rule("lt-and-gt", "(and.bool (lt.A x y) (gt.A x y))", "0")
rule("lt-or-eq", "(or.bool (lt.A x y) (eq.A x y))", "(le.A x y)")
rule("gt-or-eq", "(or.bool (gt.A x y) (eq.A x y))", "(ge.A x y)")
rule("lt-or-gt", "(or.bool (lt.A x y) (gt.A x y))", "(ne.A x y)")
rule("le-and-ge", "(and.bool (le.A x y) (ge.A x y))", "(eq.A x y)")
rule("le-and-ne", "(and.bool (le.A x y) (ne.A x y))", "(lt.A x y)")
rule("ge-and-ne", "(and.bool (ge.A x y) (ne.A x y))", "(gt.A x y)")
rule("le-or-ge", "(or.bool (le.A x y) (ge.A x y))", "1")
rule("lt-and-ge", "(and.bool (lt.A x y) (ge.A x y))", "0")
rule("gt-and-le", "(and.bool (gt.A x y) (le.A x y))", "0")
rule("lt-or-ge", "(or.bool (lt.A x y) (ge.A x y))", "1")
rule("gt-or-le", "(or.bool (gt.A x y) (le.A x y))", "1")
rule("eq-and-ne", "(and.bool (eq.A x y) (ne.A x y))", "0")
rule("eq-or-ne", "(or.bool (eq.A x y) (ne.A x y))", "1")
