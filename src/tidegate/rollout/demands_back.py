"""What the gate demands of what is taken away: that it ran before, and that nothing irreversible was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.facts import Unknown
from tidegate.policy.case import listing, short
from tidegate.rollout.bench import Bench, all_of, moment, name_of, names_of, obligation, set_aside
from tidegate.rollout.gate import ChangeCase, Changes, Obligation, State
from tidegate.rollout.hits import irreversible


def going_back(bench: Bench, changes: Changes) -> Iterator[Obligation]:
    """What is asked of a roll-back: that it goes to what ran, and that everything can be taken back. No freeze holds
    it, and nobody has to be asked."""
    text = f"{short(bench.question.revision) or 'it'} ran in {bench.question.environment} before"
    ran = [
        one
        for one in bench.situation.deployments or ()
        if (one.environment, one.service) == (bench.question.environment, bench.question.service)
        and one.revision == bench.question.revision
        and one.status == "succeeded"
        and one.action != "remove"
        and one.started <= bench.early
    ]
    believed = [one for one in ran if one.believed]
    if bench.situation.deployments is None:
        why = "nobody knows what ran there"
        yield obligation("ran-before", text, "unknown", why, "report deployments: docs/gates.md")
    elif not ran:
        why = "no deployment of it that succeeded there is known"
        yield obligation("ran-before", text, "unmet", why, "roll back to a revision that ran there")
    elif not believed:
        why = "that it ran there is told by nobody who counts, and no gate let it go there"
        yield obligation("ran-before", text, "unknown", why, "roll back to a revision that a gate let go there")
    else:
        since = max(one.started for one in believed)
        yield obligation("ran-before", text, "met", f"it was deployed there at {moment(since)}")
    yield reversal(bench, changes.goes)


def reversal(bench: Bench, goes: Sequence[ChangeCase]) -> Obligation:
    text = f"{all_of(goes)} can be taken away"
    unknown = [case for case in goes if isinstance(irreversible(case.facts), Unknown)]
    stuck = [(case, said) for case in goes if (said := irreversible(case.facts)) and not isinstance(said, Unknown)]
    step = "look at it, and have two people write an [[exception]] that covers reversal"
    state: State = "met"
    why = "nothing in it is known to be irreversible"
    if stuck:
        case, said = stuck[0]
        state, why = "unmet", f"{name_of(case)} did what cannot be undone: {listing(said, 3)}"
    elif unknown:
        state, why = "unknown", f"nobody knows what {names_of(unknown)} did to the world"
    return set_aside(bench, obligation("reversal", text, state, why, step), "reversal")
