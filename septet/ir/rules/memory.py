"""Addresses of loads and stores."""

from __future__ import annotations

from septet.ops.rules import rule

FITS = "-0x80000000 <= o + n <= 0x7fffffff"

rule("load-displaced", "(load@o.any (add x n))", "(load@{o + n} x)", FITS)
rule("store-displaced", "(store@o.any (add x n) y)", "(store@{o + n} x y)", FITS)
