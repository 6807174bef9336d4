"""Sums, differences, products and quotients of integers, which wrap."""

from __future__ import annotations

from septet.ops.rules import rule

# Nothing added, taken away, multiplied

rule("add-zero", "(add x 0)", "x")
rule("sub-zero", "(sub x 0)", "x")
rule("sub-self", "(sub x x)", "0")
rule("mul-zero", "(mul x 0)", "0")
rule("mul-one", "(mul x 1)", "x")

# Constants come together, and differences with one are sums

rule("add-add-constants", "(add (add x k) n)", "(add x {k + n})")
rule("sub-constant", "(sub x k)", "(add x {-k})", "k != -0x80000000")
rule("add-constant-minus", "(add (sub k x) n)", "(sub {k + n} x)")
rule("add-sum-and-difference", "(add (sub x y) (sub y z))", "(sub x z)")

# What is added and taken away again

rule("add-sub-same", "(add (sub x y) y)", "x")
rule("sub-add-same", "(sub (add x y) y)", "x")
rule("sub-sub-same", "(sub (sub x y) x)", "(neg y)")
rule("sub-from-sum", "(sub x (add x y))", "(neg y)")
rule("sub-from-difference", "(sub x (sub x y))", "y")
rule("sub-sums-same", "(sub (add x y) (add x z))", "(sub y z)")
rule("sub-differences-same-left", "(sub (sub x y) (sub x z))", "(sub z y)")
rule("sub-differences-same-right", "(sub (sub x y) (sub z y))", "(sub x z)")
rule("sub-sum-and-difference", "(sub (add x y) (sub x z))", "(add y z)")

# Constants go outwards, where they meet others

rule("add-sum-with-constant", "(add (add x k) y)", "(add (add x y) k)")
rule("sub-sum-with-constant", "(sub (add x k) y)", "(add (sub x y) k)")
rule("sub-from-sum-with-constant", "(sub x (add y k))", "(add (sub x y) {-k})", "k != -0x80000000")
rule("add-constant-minus-other", "(add x (sub k y))", "(add (sub x y) k)")
rule("sub-constant-minus-other", "(sub x (sub k y))", "(add (add x y) {-k})", "k != -0x80000000")
rule("sub-from-constant-minus", "(sub (sub k x) y)", "(sub k (add x y))")

# Negation

rule("zero-minus", "(sub 0 x)", "(neg x)")
rule("neg-neg", "(neg (neg x))", "x")
rule("neg-difference", "(neg (sub x y))", "(sub y x)")
rule("neg-sum-with-constant", "(neg (add x k))", "(sub {-k} x)")
rule("add-neg", "(add x (neg y))", "(sub x y)")
rule("sub-neg", "(sub x (neg y))", "(add x y)")
rule("mul-minus-one", "(mul x -1)", "(neg x)")
rule("mul-neg-constant", "(mul (neg x) k)", "(mul x {-k})")
rule("mul-neg-neg", "(mul (neg x) (neg y))", "(mul x y)")
rule("neg-mul-constant", "(neg (mul x k))", "(mul x {-k})")

# Complements: ~x is -x - 1

rule("add-not-one", "(add (not x) 1)", "(neg x)")
rule("not-neg", "(not (neg x))", "(add x -1)")
rule("neg-not", "(neg (not x))", "(add x 1)")
rule("not-sum-with-constant", "(not (add x k))", "(sub {~k} x)")
rule("not-constant-minus", "(not (sub k x))", "(add x {~k})")
rule("minus-one-minus", "(sub -1 x)", "(not x)")
rule("add-not-same", "(add x (not x))", "-1")
rule("add-not-constant", "(add (not x) k)", "(sub {k - 1} x)")
rule("constant-minus-not", "(sub k (not x))", "(add x {k + 1})")
rule("sub-not-not", "(sub (not x) (not y))", "(sub y x)")

# Products

rule("mul-power", "(mul x k)", "(shl x {k.bit_length() - 1})", "k > 1 and k & (k - 1) == 0")
rule("mul-mul-constants", "(mul (mul x k) n)", "(mul x {k * n})")
rule("mul-shl-constants", "(mul (shl x k) n)", "(mul x {n << k})", "0 <= k < T.bits")
rule("shl-mul-constants", "(shl (mul x k) n)", "(mul x {k << n})", "0 <= n < T.bits")
rule("add-multiple-same", "(add (mul x k) x)", "(mul x {k + 1})")
rule("sub-multiple-same", "(sub (mul x k) x)", "(mul x {k - 1})")
rule("sub-from-multiple-same", "(sub x (mul x k))", "(mul x {1 - k})")
rule("add-multiples", "(add (mul x k) (mul x n))", "(mul x {k + n})")
rule("sub-multiples", "(sub (mul x k) (mul x n))", "(mul x {k - n})")
rule("add-products-same", "(add (mul x y) (mul x z))", "(mul x (add y z))")
rule("sub-products-same", "(sub (mul x y) (mul x z))", "(mul x (sub y z))")
rule("mul-sum-with-constant", "(mul (add x k) n)", "(add (mul x n) {k * n})", "-0x80000000 <= k * n <= 0x7fffffff")
rule("add-self", "(add x x)", "(shl x 1)", "T.bits > 1")
rule("sub-twice-same", "(sub (shl x 1) x)", "x", "T.bits > 1")

# Sums and differences of the same bits

rule("add-and-or", "(add (and x y) (or x y))", "(add x y)")
rule("add-and-xor", "(add (and x y) (xor x y))", "(or x y)")
rule("sub-or-and", "(sub (or x y) (and x y))", "(xor x y)")
rule("sub-or-xor", "(sub (or x y) (xor x y))", "(and x y)")
rule("sub-and-constant", "(sub x (and x k))", "(and x {~k})")
rule("add-ands-apart", "(add (and x k) (and x n))", "(and x {k | n})", "k & n == 0")
