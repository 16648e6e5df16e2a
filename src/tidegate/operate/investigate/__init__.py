"""What can be said of an incident as soon as it is there: read it from the top. No model is asked, none is believed."""

from __future__ import annotations

from tidegate.operate.investigate.conflicts import find_conflicts
from tidegate.operate.investigate.looks import suggest
from tidegate.operate.investigate.movers import order_movers
from tidegate.operate.investigate.past import find_similar
from tidegate.operate.investigate.target import find_target
from tidegate.operate.investigate.timeline import lay_timeline
from tidegate.operate.investigate.values import Case, Investigation

__all__ = ["Case", "Investigation", "investigate"]


def investigate(case: Case) -> Investigation:
    """Everything that the case shows, in the order in which a person asks; each statement names what it was read from.

    The same case gives the same answer. What is missing is among `unknowns`, and makes nothing else certain.
    """
    movers = order_movers(case.signals, case.calls)
    conflicts = find_conflicts(case)
    target = find_target(case)
    return Investigation(
        timeline=lay_timeline(case),
        movers=movers,
        conflicts=conflicts,
        similar=find_similar(case.words(), case.past),
        ranking=case.ranking,
        target=target,
        looks=suggest(case, movers, conflicts, target),
        unknowns=tuple(dict.fromkeys((*case.unknowns, *case.ranking.unknowns))),
    )
