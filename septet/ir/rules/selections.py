"""Selection."""

from __future__ import annotations

from septet.ops.rules import rule

rule("select-same", "(select.any x y y)", "y")
rule("select-true", "(select.any 1 x y)", "x")
rule("select-false", "(select.any 0 x y)", "y")
rule("select-not", "(select.any (not x) y z)", "(select x z y)")
rule("select-again-then", "(select.any x (select x y z) w)", "(select x y w)")
rule("select-again-else", "(select.any x y (select x z w))", "(select x y w)")
rule("select-and", "(select.any x (select y z w) w)", "(select (and x y) z w)")
rule("select-or", "(select.any x z (select y z w))", "(select (or x y) z w)")
rule("select-equal", "(select (eq.A x y) x y)", "y")
rule("select-different", "(select (ne.A x y) x y)", "x")
for _op, _then, _else in (("lt", "min", "max"), ("le", "min", "max"), ("gt", "max", "min"), ("ge", "max", "min")):
    rule(f"select-{_op}-{_then}", f"(select ({_op}.A x y) x y)", f"({_then} x y)", "A is T and T.bits > 1")
    rule(f"select-{_op}-{_else}", f"(select ({_op}.A x y) y x)", f"({_else} x y)", "A is T and T.bits > 1")

# Of bool

rule("select-true-false", "(select.bool x 1 0)", "x")
rule("select-false-true", "(select.bool x 0 1)", "(not x)")
rule("select-or-false", "(select.bool x y 0)", "(and x y)")
rule("select-true-or", "(select.bool x 1 y)", "(or x y)")
rule("select-false-or", "(select.bool x 0 y)", "(and (not x) y)")
rule("select-or-true", "(select.bool x y 1)", "(or (not x) y)")
rule("select-condition-else", "(select.bool x y x)", "(and x y)")
rule("select-condition-then", "(select.bool x x y)", "(or x y)")
rule("select-flipped", "(select.bool x (not y) y)", "(xor x y)")
rule("select-equal-bool", "(select.bool x y (not y))", "(eq.T x y)")

# Between numbers

rule("select-one-zero", "(select x 1 0)", "(convert x)", "T.bits > 1")
rule("select-zero-one", "(select x 0 1)", "(convert (not.bool x))", "T.bits > 1")
rule("select-ones-zero", "(select x -1 0)", "(neg (convert x))", "T.bits > 1")
rule("select-successor", "(select x k n)", "(add (convert x) n)", "T.bits > 1 and k == n + 1 and n != 0")
rule("select-predecessor", "(select x k n)", "(sub n (convert x))", "T.bits > 1 and k == n - 1 and n != 0")
rule("select-power-zero", "(select x k 0)", "(shl (convert x) {k.bit_length() - 1})", "k > 1 and k & (k - 1) == 0")
rule("select-three-one", "(select x 3 1)", "(tag (convert x))", "T.bits > 1")
rule("eq-select-then", "(eq (select x k n) k)", "x", "k != n")
rule("eq-select-else", "(eq (select x k n) n)", "(not x)", "k != n")
rule("ne-select-then", "(ne (select x k n) k)", "(not x)", "k != n")
rule("ne-select-else", "(ne (select x k n) n)", "x", "k != n")
rule("eq-select-neither", "(eq (select x k n) m)", "0", "k != m and n != m")
rule("ne-select-neither", "(ne (select x k n) m)", "1", "k != m and n != m")

# What both sides do is done once

rule("select-adds", "(select x (add y z) (add y w))", "(add y (select x z w))")
rule("select-subs-left", "(select x (sub y z) (sub y w))", "(sub y (select x z w))")
rule("select-subs-right", "(select x (sub z y) (sub w y))", "(sub (select x z w) y)")
rule("select-muls", "(select x (mul y z) (mul y w))", "(mul y (select x z w))")
rule("select-ands", "(select x (and y z) (and y w))", "(and y (select x z w))")
rule("select-ors", "(select x (or y z) (or y w))", "(or y (select x z w))")
rule("select-xors", "(select x (xor y z) (xor y w))", "(xor y (select x z w))")
rule("select-negs", "(select x (neg y) (neg z))", "(neg (select x y z))")
rule("select-nots", "(select x (not y) (not z))", "(not (select x y z))", "T.bits > 1")
rule("select-tags", "(select x (tag y) (tag z))", "(tag (select x y z))")
rule("select-untags", "(select x (untag y) (untag z))", "(untag (select x y z))")
