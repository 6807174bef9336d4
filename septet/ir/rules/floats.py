"""Floats, bit for bit: signed zeros, infinities, and NaNs as SSE makes them.

So there is no reassociation, and `x + -0.0` is x only where x cannot be a signalling NaN, which every operation makes quiet.
"""

from __future__ import annotations

from septet.ops.rules import rule

rule("fneg-fneg", "(fneg.float (fneg x))", "x")
rule("fabs-fneg", "(fabs.float (fneg x))", "(fabs x)")
rule("fabs-fabs", "(fabs.float (fabs x))", "(fabs x)")
rule("fmul-two", "(fmul.float x k)", "(fadd x x)", "k == (0x4000000000000000 if T.bits == 64 else 0x40000000)")
rule("fdiv-power", "(fdiv.float x k)", "(fmul x {(2046 << 52) - k if T.bits == 64 else (254 << 23) - k})",
     "k & (1 << (52 if T.bits == 64 else 23)) - 1 == 0 and "
     "0 < k >> (52 if T.bits == 64 else 23) < (2046 if T.bits == 64 else 254)")  # fmt: skip
ZERO_MINUS = "k == 1 << T.bits - 1"
for _op in ("fadd", "fsub", "fmul", "fdiv"):
    rule(f"{_op}-plus-minus-zero", f"(fadd.float ({_op} x y) k)", f"({_op} x y)", ZERO_MINUS)
    rule(f"{_op}-minus-zero", f"(fsub.float ({_op} x y) 0)", f"({_op} x y)")
    rule(f"{_op}-times-one", f"(fmul.float ({_op} x y) k)", f"({_op} x y)",
         "k == (0x3ff0000000000000 if T.bits == 64 else 0x3f800000)")  # fmt: skip
rule("flt-self", "(flt.float x x)", "0")
rule("fgt-self", "(fgt.float x x)", "0")
rule("fle-self", "(fle.float x x)", "(feq x x)")
rule("fge-self", "(fge.float x x)", "(feq x x)")
for _type in ("f64", "f32"):
    rule(f"not-feq-{_type}", f"(not.bool (feq.{_type} x y))", f"(fne.{_type} x y)")
    rule(f"not-fne-{_type}", f"(not.bool (fne.{_type} x y))", f"(feq.{_type} x y)")
rule("feq-fneg-fneg", "(feq.float (fneg x) (fneg y))", "(feq x y)")
rule("fne-fneg-fneg", "(fne.float (fneg x) (fneg y))", "(fne x y)")
rule("flt-fneg-fneg", "(flt.float (fneg x) (fneg y))", "(fgt x y)")
rule("fle-fneg-fneg", "(fle.float (fneg x) (fneg y))", "(fge x y)")
rule("fgt-fneg-fneg", "(fgt.float (fneg x) (fneg y))", "(flt x y)")
rule("fge-fneg-fneg", "(fge.float (fneg x) (fneg y))", "(fle x y)")
rule("flt-fabs-zero", "(flt.float (fabs x) 0)", "0")
rule("fge-fabs-zero", "(fge.float (fabs x) 0)", "(feq x x)")
rule("feq-fabs-zero", "(feq.float (fabs x) 0)", "(feq x 0)")

# To whole numbers, and signs

for _whole in ("floor", "ceil", "trunc", "nearest"):
    for _inner in ("floor", "ceil", "trunc", "nearest"):
        rule(f"{_whole}-{_inner}", f"({_whole}.float ({_inner} x))", f"({_inner} x)")
rule("floor-fneg", "(floor.float (fneg x))", "(fneg (ceil x))")
rule("ceil-fneg", "(ceil.float (fneg x))", "(fneg (floor x))")
rule("copysign-self", "(copysign.float x x)", "x")
rule("copysign-fneg", "(copysign.float (fneg x) y)", "(copysign x y)")
rule("copysign-fabs", "(copysign.float (fabs x) y)", "(copysign x y)")
rule("copysign-copysign", "(copysign.float (copysign x y) z)", "(copysign x z)")
rule("copysign-of-copysign", "(copysign.float x (copysign y z))", "(copysign x z)")
rule("copysign-constant", "(copysign.float x k)", "(fabs x)", "k >> T.bits - 1 == 0")
rule("fabs-copysign", "(fabs.float (copysign x y))", "(fabs x)")
rule("fmin-fmin", "(fmin.float x (fmin x y))", "(fmin x y)")
rule("fmax-fmax", "(fmax.float x (fmax x y))", "(fmax x y)")
rule("fmin-fnegs", "(fmin.float (fneg x) (fneg y))", "(fneg (fmax x y))")
rule("fmax-fnegs", "(fmax.float (fneg x) (fneg y))", "(fneg (fmin x y))")
rule("convert-trunc", "(convert (trunc.float x))", "(convert x)")
