"""Conversions between types, and what a bool becomes as a number."""

from __future__ import annotations

from septet.ops.rules import rule

KEPT = "not X.is_float and A.low <= X.low and X.high <= A.high"  # A has every number of X

rule("convert-same", "(convert.any x)", "x", "T is X")
rule("bitcast-same", "(bitcast.any x)", "x", "T is X")
rule("bitcast-bitcast", "(bitcast.any (bitcast.A x))", "(bitcast x)")
rule("convert-kept", "(convert (convert.A x))", "(convert x)", KEPT)
rule("convert-cut", "(convert (convert.A x))", "(convert x)", "not X.is_float and A.bits >= T.bits")
rule("convert-kept-float", "(convert.float (convert.A x))", "(convert x)", KEPT)
rule("convert-by-f64", "(convert (convert.f64 x))", "(convert x)",
     "not X.is_float and X.bits <= 32 and T.low <= X.low and X.high <= T.high")  # fmt: skip
rule("convert-by-f32", "(convert (convert.f32 x))", "(convert x)",
     "not X.is_float and X.bits <= 16 and T.low <= X.low and X.high <= T.high")  # fmt: skip
rule("convert-f32-by-f64", "(convert.f32 (convert.f64 x))", "(convert x)", "not X.is_float and X.bits <= 32")
rule("convert-and", "(convert (and.A x k))", "(convert x)", "T.bits <= A.bits and ~k & (1 << T.bits) - 1 == 0")
rule("convert-or", "(convert (or.A x k))", "(convert x)", "T.bits <= A.bits and k & (1 << T.bits) - 1 == 0")
rule("convert-xor", "(convert (xor.A x k))", "(convert x)", "T.bits <= A.bits and k & (1 << T.bits) - 1 == 0")
rule("convert-add", "(convert (add.A x k))", "(convert x)", "T.bits <= A.bits and k & (1 << T.bits) - 1 == 0")
rule("convert-odd", "(convert.bool x)", "1", "not X.is_float and odd(x)")
rule("convert-even", "(convert.bool x)", "0", "not X.is_float and even(x)")

# A bool as a number is 0 or 1

rule("bool-is-one", "(eq (convert x) 1)", "x", "X is BOOL")
rule("bool-is-not-zero", "(ne (convert x) 0)", "x", "X is BOOL")
rule("bool-is-zero", "(eq (convert x) 0)", "(not x)", "X is BOOL")
rule("bool-is-not-one", "(ne (convert x) 1)", "(not x)", "X is BOOL")
rule("bool-lt-one", "(lt (convert x) 1)", "(not x)", "X is BOOL and T.bits > 1")
rule("bool-gt-zero", "(gt (convert x) 0)", "x", "X is BOOL")
rule("bool-xor-one", "(xor (convert x) 1)", "(convert (not.bool x))", "X is BOOL")
rule("one-minus-bool", "(sub 1 (convert x))", "(convert (not.bool x))", "X is BOOL")
rule("and-bools", "(and (convert x) (convert y))", "(convert (and.bool x y))", "X is BOOL and Y is BOOL")
rule("or-bools", "(or (convert x) (convert y))", "(convert (or.bool x y))", "X is BOOL and Y is BOOL")
rule("xor-bools", "(xor (convert x) (convert y))", "(convert (xor.bool x y))", "X is BOOL and Y is BOOL")
rule("equal-bools", "(equality (convert x) (convert y))", "(equality.bool x y)", "X is BOOL and Y is BOOL")
rule("select-bools", "(select x (convert y) (convert z))", "(convert (select.bool x y z))", "Y is BOOL and Z is BOOL")
rule("equal-tagged-bools", "(equality (tag (convert x)) (tag (convert y)))", "(equality.bool x y)",
     "T.bits > 1 and X is BOOL and Y is BOOL")  # fmt: skip
rule("bool-times", "(mul (convert x) y)", "(select x y 0)", "X is BOOL")
rule("bool-mask", "(and (neg (convert x)) y)", "(select x y 0)", "X is BOOL")
