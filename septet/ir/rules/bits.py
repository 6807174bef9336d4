"""And, or, exclusive or, complement."""

from __future__ import annotations

from septet.ops.rules import rule

# Nothing changed, or everything

rule("and-zero", "(and x 0)", "0")
rule("and-ones", "(and x -1)", "x")
rule("and-self", "(and x x)", "x")
rule("or-zero", "(or x 0)", "x")
rule("or-ones", "(or x -1)", "-1")
rule("or-self", "(or x x)", "x")
rule("xor-zero", "(xor x 0)", "x")
rule("xor-self", "(xor x x)", "0")
rule("xor-ones", "(xor x -1)", "(not x)")
rule("not-not", "(not (not x))", "x")

# Known bits

rule("and-keeps-all", "(and x k)", "x", "zeros(x, ~k)")
rule("and-keeps-none", "(and x k)", "0", "zeros(x, k)")
rule("and-keeps-known-ones", "(and x k)", "k", "ones(x, k)")
rule("or-there-already", "(or x k)", "x", "ones(x, k)")
rule("or-all-known", "(or x k)", "k", "zeros(x, ~k)")
rule("and-or-known", "(and (or x y) k)", "(and x k)", "zeros(y, k)")
rule("and-xor-known", "(and (xor x y) k)", "(and x k)", "zeros(y, k)")
rule("and-low-sum-known", "(and (add x y) k)", "(and x k)", "k & k + 1 == 0 and zeros(y, k)")
rule("and-low-difference-known", "(and (sub x y) k)", "(and x k)", "k & k + 1 == 0 and zeros(y, k)")
rule("xor-set-known", "(xor x k)", "(add x {-k})", "T.bits > 1 and ones(x, k)")

# Constants come together

rule("and-and-constants", "(and (and x k) n)", "(and x {k & n})")
rule("or-or-constants", "(or (or x k) n)", "(or x {k | n})")
rule("xor-xor-constants", "(xor (xor x k) n)", "(xor x {k ^ n})")
rule("or-and-covered", "(or (and x k) n)", "(or x n)", "T.wrap(k | n) == T.wrap(-1)")
rule("or-and-overlapping", "(or (and x k) n)", "(or (and x {k & ~n}) n)", "k & n != 0 and T.wrap(k | n) != T.wrap(-1)")
rule("or-xor-covered", "(or (xor x k) n)", "(or x n)", "k & ~n == 0")
rule("not-xor-constant", "(not (xor x k))", "(xor x {~k})")
rule("xor-not-constant", "(xor (not x) k)", "(xor x {~k})")
rule("and-and-constant-out", "(and (and x k) y)", "(and (and x y) k)")
rule("or-or-constant-out", "(or (or x k) y)", "(or (or x y) k)")
rule("xor-xor-constant-out", "(xor (xor x k) y)", "(xor (xor x y) k)")

# Absorption and distribution

rule("and-or-same", "(and x (or x y))", "x")
rule("or-and-same", "(or x (and x y))", "x")
rule("and-and-same", "(and x (and x y))", "(and x y)")
rule("or-or-same", "(or x (or x y))", "(or x y)")
rule("and-not-same", "(and x (not x))", "0")
rule("or-not-same", "(or x (not x))", "-1")
rule("xor-not-same", "(xor x (not x))", "-1")
rule("and-xor-same", "(and x (xor x y))", "(and x (not y))")
rule("or-xor-same", "(or x (xor x y))", "(or x y)")
rule("and-or-not-same", "(and x (or (not x) y))", "(and x y)")
rule("or-and-not-same", "(or x (and (not x) y))", "(or x y)")
rule("xor-xor-same", "(xor x (xor x y))", "y")
rule("xor-and-same", "(xor x (and x y))", "(and x (not y))")
rule("xor-or-same", "(xor x (or x y))", "(and y (not x))")
rule("xor-or-and", "(xor (or x y) (and x y))", "(xor x y)")
rule("or-xor-and", "(or (xor x y) (and x y))", "(or x y)")
rule("xor-xor-and", "(xor (xor x y) (and x y))", "(or x y)")
rule("xor-xor-or", "(xor (xor x y) (or x y))", "(and x y)")
rule("and-not-not", "(and (not x) (not y))", "(not (or x y))")
rule("or-not-not", "(or (not x) (not y))", "(not (and x y))")
rule("xor-not-not", "(xor (not x) (not y))", "(xor x y)")
rule("and-ors-same", "(and (or x y) (or x z))", "(or x (and y z))")
rule("or-ands-same", "(or (and x y) (and x z))", "(and x (or y z))")
rule("xor-ands-same", "(xor (and x y) (and x z))", "(and x (xor y z))")
rule("or-and-and-not", "(or (and x y) (and x (not y)))", "x")
rule("and-or-or-not", "(and (or x y) (or x (not y)))", "x")
rule("xor-ors-not", "(xor (and x y) (and x (not y)))", "x")
