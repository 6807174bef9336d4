"""Encoded integers: the word 2n + 1 stands for n.  LAc decodes with `untag` or by taking 1 away, and encodes with `tag`."""

from __future__ import annotations

from septet.ops.rules import rule

# Decoded and encoded again

rule("untag-or", "(untag (or x k))", "(untag x)", "T.bits > 1 and k == 1")
rule("untag-and", "(untag (and x k))", "(untag x)", "T.bits > 1 and T.wrap(~k) == 1")
rule("untag-xor", "(untag (xor x k))", "(untag x)", "T.bits > 1 and k == 1")
rule("untag-even-plus-one", "(untag (add x 1))", "(untag x)", "even(x)")
rule("shr-even-plus-one", "(shr (add x 1) k)", "(shr x k)", "0 < k < T.bits and even(x)")
rule("untag-odd-minus-one", "(untag (add x -1))", "(untag x)", "odd(x)")
rule("tag-untag-odd", "(tag (untag x))", "x", "T.bits > 1 and odd(x)")
rule("tag-untag", "(tag (untag x))", "(or x 1)", "T.bits > 1")
rule("untag-tag-natural", "(untag (tag x))", "x", "T.bits > 1 and T.signed and zeros(x, 3 << T.bits - 2)")
rule("untag-tag-unsigned", "(untag (tag x))", "x", "not T.signed and zeros(x, 1 << T.bits - 1)")
rule("untag-tag-negative", "(untag (tag x))", "x", "T.bits > 1 and T.signed and ones(x, 3 << T.bits - 2)")
rule("untag-is-zero", "(untag x)", "0", "zeros(x, ~1)")
rule("shr-untag", "(shr (untag x) k)", "(shr x {k + 1})", "0 <= k < T.bits - 1")
rule("untag-shr", "(untag (shr x k))", "(shr x {k + 1})", "0 <= k < T.bits - 1")
rule("shr-tag", "(shr (tag x) k)", "(shr (shl x 1) k)", "0 < k < T.bits")

# Bit 0 is there, or not

rule("or-one-even", "(or x 1)", "(add x 1)", "T.bits > 1 and even(x)")
rule("clear-odd", "(and x k)", "(add x -1)", "T.bits > 1 and T.wrap(~k) == 1 and odd(x)")
rule("or-one-minus-one", "(add (or x 1) -1)", "(and x -2)", "T.bits > 1")
rule("clear-plus-one", "(add (and x k) 1)", "(or x 1)", "T.wrap(~k) == 1")
rule("tag-minus-one", "(add (tag x) k)", "(add (shl x 1) {k + 1})", "T.bits > 1")
rule("tag-clear", "(and (tag x) k)", "(and (shl x 1) k)", "T.bits > 1 and not k & 1")
rule("twice-plus-one", "(add (shl x 1) 1)", "(tag x)", "T.bits > 1")
rule("twice-untag", "(shl (untag x) 1)", "(and x -2)", "T.bits > 1")

# Arithmetic on encoded integers

rule("add-tags", "(add (tag x) (tag y))", "(shl (add (add x y) 1) 1)", "T.bits > 1")
rule("sub-tags", "(sub (tag x) (tag y))", "(shl (sub x y) 1)", "T.bits > 1")
rule("tag-sum-with-constant", "(tag (add x k))", "(add (shl x 1) {2 * k + 1})", "T.bits > 1 and k != 0")
rule("neg-tag", "(neg (tag x))", "(tag (not x))")
rule("not-tag", "(not (tag x))", "(shl (not x) 1)", "T.bits > 1")
rule("scale-odd", "(shl (untag x) k)", "(add (shl x {k - 1}) {-(1 << k - 1)})", "0 < k < 31 and k < T.bits and odd(x)")
rule("times-odd", "(mul (untag x) k)", "(add (mul x {k // 2}) {-(k // 2)})", "k % 2 == 0 and odd(x)")
rule("difference-of-untags-odd", "(tag (sub (untag x) (untag y)))", "(add (sub x y) 1)", "odd(x) and odd(y)")
rule("tag-sum-of-untags-odd", "(tag (add (untag x) (untag y)))", "(add (add x y) -1)", "odd(x) and odd(y)")
rule("tag-sum-of-untag-odd", "(tag (add (untag x) y))", "(add (shl y 1) x)", "T.bits > 1 and odd(x)")
rule("tag-untag-minus-from-odd", "(tag (sub k (untag x)))", "(sub {2 * k + 2} x)", "odd(x)")
rule("tag-neg-untag-odd", "(tag (neg (untag x)))", "(sub 2 x)", "T.bits > 1 and odd(x)")
