"""Vectors and their lanes.  What `Rule.lanewise` says of the other topics holds for vectors too."""

from __future__ import annotations

from septet.ops.rules import rule

rule("extract-splat", "(extract.any (splat.vector x) k)", "x")
rule("extract-insert-same", "(extract.any (insert.vector x k y) k)", "y")
rule("extract-insert-other", "(extract.any (insert.vector x k y) n)", "(extract x n)", "k != n")
rule("insert-insert-same", "(insert.vector (insert x k y) k z)", "(insert x k z)")
rule("insert-extracted", "(insert.vector x k (extract.any x k))", "x")
rule("insert-splat-same", "(insert.vector (splat x) k x)", "(splat x)")
rule("select-same-vector", "(select.vector x y y)", "y")
rule("bitcast-same-vector", "(bitcast.vector x)", "x", "T is X")
rule("convert-same-vector", "(convert.vector x)", "x", "T is X")
for _op in ("and", "or", "min", "max"):
    rule(f"reduce-{_op}-splat", f"(reduce-{_op}.any (splat.vector x))", "x")
