"""The rewrite rules of the IR, by topic.  `ops.rules` has the notation.

from septet.ops.rules import rule

rule("add-zero", "(add x 0)", "x")
rule("sub-add-same", "(sub (add x y) y)", "x")
"""

from __future__ import annotations

from septet.ops.rules import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.ops.rules import Rule

TOPICS = (
    "integers", "division", "bits", "shifts", "counts", "tags", "comparisons", "selections", "conversions", "floats", "vectors",
    "memory",
)  # fmt: skip
"""The modules of rules, in the order in which rules are tried."""


def all_rules() -> list[Rule]:
    """The rules of all topics, in the order in which they are tried."""
    for topic in TOPICS:
        __import__(f"{__name__}.{topic}")
    return RULES
