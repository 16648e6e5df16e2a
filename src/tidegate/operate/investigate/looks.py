"""What to look at next. Rules in the order in which they help; each says why it is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tidegate.operate.investigate.values import Case, Conflict, Look, Movement, Target

MOST = 6
CERTAIN = 0.8
CLOSE = 2.0
"""Two suspects of which neither is this many times as probable as the other are not told apart."""

_CAUSES: Mapping[str, str] = {
    "load": "the requests per second of what is called from outside, against the same hour of last week",
    "certificate": "the expiry dates of the certificates on the way, and the clocks",
    "dns": "what the names resolve to, and how long the resolver takes",
    "dependency": "the status pages and the error codes of what is called outside",
    "secret": "which credential was refused, and when it was last changed",
    "quota": "the quotas of the account and how much of them is used",
    "neighbour": "what else runs on the same nodes, and what it takes of them",
    "platform": "the nodes and the events of the scheduler",
    "data": "the first record that failed, and whether the same one fails again",
    "work": "the scheduled jobs that ran then",
}
"""By the kinds of `operate/evidence/kinds.py`."""


def suggest(
    case: Case, movers: Sequence[Movement], conflicts: Sequence[Conflict], target: Target | None
) -> tuple[Look, ...]:
    """At most six, the most useful first."""
    found = [
        *_at_suspect(case, target),
        *_at_causes(case),
        *_at_first_mover(case, movers),
        *_at_conflict(conflicts),
        *_at_what_is_missing(case),
    ]
    return tuple(found[:MOST])


# Private


def _at_suspect(case: Case, target: Target | None) -> Iterator[Look]:
    suspects = case.ranking.suspects
    if not suspects or suspects[0].probability < case.ranking.none:
        return
    first = suspects[0]
    if target is not None and target.revision:
        why = f"{first.change[:12]} is the cause with {first.probability:.0%}"
        yield Look(says=f"Roll {target.service} back to {target.revision[:12]}", why="; ".join((why, *target.warnings)))
    if first.probability < CERTAIN:
        yield Look(
            says="Prove it: replay what fails with the suspects taken back one after another",
            why=f"the first suspect has {first.probability:.0%}, less than would settle it",
            command="tidegate incident trace --replay COMMAND",
        )
    second = suspects[1] if len(suspects) > 1 else None
    if second is not None and first.probability < CLOSE * second.probability:
        mine = {one.kind for one in first.evidence}
        apart = next((one for one in second.evidence if one.kind not in mine), None)
        why = f"{first.probability:.0%} and {second.probability:.0%} are not far apart"
        if apart is not None:
            why += f"; only the second has this: {apart.says}"
        yield Look(says=f"Compare {first.change[:12]} with {second.change[:12]}", why=why)


def _at_causes(case: Case) -> Iterator[Look]:
    for cause in case.ranking.hypotheses:
        if cause.probability >= 0.2:
            where = _CAUSES.get(cause.kind, f"what speaks for {cause.kind.replace('_', ' ')}")
            why = f"{cause.probability:.0%} that it is none of the changes but {cause.kind.replace('_', ' ')}"
            yield Look(says=f"Look at {where}", why=why)


def _at_first_mover(case: Case, movers: Sequence[Movement]) -> Iterator[Look]:
    if movers and case.service and all(one.service != case.service for one in movers[0].signals):
        first = movers[0].signals[0]
        early = case.started - first.onset
        says = f"Look at {first.service}: its {first.metric} moved first"
        yield Look(says=says, why=f"{max(early, 0):.0f} s before the alert for {case.service}")


def _at_conflict(conflicts: Sequence[Conflict]) -> Iterator[Look]:
    if conflicts:
        yield Look(says="Settle what the sources disagree on", why=f"{conflicts[0].one}, but {conflicts[0].other}")


def _at_what_is_missing(case: Case) -> Iterator[Look]:
    if not case.errors:
        yield Look(
            says="Send stack traces, as OTLP spans or from the error tracker",
            why="without one the lines are guessed from times and words",
        )
    if not case.deployments:
        yield Look(
            says="Tell Tidegate of deployments", why="no deployment is known here", command="tidegate deploy start"
        )
    elif all(not one.revision for one in case.deployments):
        yield Look(says="Send the commit with each deployment", why="no deployment names the commit that it brought")
