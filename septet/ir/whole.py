"""What is found out about a program as a whole, for the levels that optimise callees before callers."""

from __future__ import annotations

from septet.base.facts import Known
from septet.ir.analyses.call_graph import CallGraph
from septet.ir.analyses.representation import WordFacts
from septet.ir.nodes import ARRAYS
from septet.ops.table import CALL, CALL_INDIRECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Function, Program


def known(program: Program) -> Known:
    """What holds in all functions of `program`, none of which a pass has seen."""
    found = Known()
    found.words = WordFacts(program)
    if not program.hosted:  # anything may call a hosted function
        from septet.ir.analyses.arguments import Arguments

        found.arguments = Arguments(program)
    return found


def foresee(component: list[Facts], known: Known, graph: CallGraph) -> None:
    """Note what calls among the functions of a recursive component may do, before a pass sees them."""
    functions = [facts.function for facts in component if facts.function.phase == ARRAYS]
    if functions and graph.recursive(functions[0].name):
        from septet.ir.analyses.summaries import component_summaries

        known.summaries.update(component_summaries(functions, component[0]))


def summarise(component: list[Facts], known: Known, graph: CallGraph) -> None:
    """Note the summaries of the functions of a component, whose arrays phase is done, if anything calls them."""
    functions = [facts.function for facts in component if facts.function.phase == ARRAYS]
    if not any(graph.called(function.name) for function in functions):
        return
    from septet.ir.analyses.summaries import component_summaries
    from septet.ir.analyses.summaries import summarise as summarise_one

    if len(functions) == 1 and not (graph.recursive(functions[0].name) and _still_calls(functions[0])):
        known.summaries[functions[0].name] = summarise_one(functions[0], component[0])
    elif functions:
        known.summaries.update(component_summaries(functions, component[0]))


def _still_calls(function: Function) -> bool:
    """Whether a function that is a component of its own may call itself; its tail calls are loops by now."""
    return any(
        value.op is CALL_INDIRECT or value.op is CALL and value.callee.name == function.name  # type: ignore[attr-defined]
        for block in function.blocks
        for value in block.body
    )
