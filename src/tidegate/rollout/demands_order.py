"""What the gate demands of time and place: no freeze holds, and it ran elsewhere first, for long enough."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tidegate.policy.case import count, one_line, short
from tidegate.rollout.bench import OID, Bench, moment, obligation, set_aside
from tidegate.rollout.gate import Obligation
from tidegate.rollout.values import Deployment

STILL_GOING_SECONDS = 86400.0
"""A deployment whose end nobody reported may be still going on for so long."""


def freezes(bench: Bench) -> Iterator[Obligation]:
    name = bench.question.environment
    text = f"no freeze holds for {name}"
    for freeze in bench.document.freezes:
        if not freeze.is_of(name):
            continue
        words = one_line(freeze.name)
        note = f" ({one_line(freeze.note)})" if freeze.note else ""
        if freeze.problem:
            why = f"the calendar of the freeze {words} cannot be read{note}: {one_line(freeze.problem)}"
            found = obligation("freeze", text, "unknown", why, freeze.mend or "mend the calendar")
            yield set_aside(bench, found, "freeze", freeze.name)
        elif (ends := freeze.ends(name, bench.early, bench.late)) is not None:
            event = freeze.event(bench.early, bench.late)
            words += f", {one_line(event, 60)}," if event else ""
            found = Obligation(
                kind="freeze",
                text=text,
                state="unmet",
                why=f"the freeze {words} holds until {moment(ends)}{note}",
                next_step="wait, or have two people write an [[exception]] for it",
                until=ends + bench.skew,
            )
            yield set_aside(bench, found, "freeze", freeze.name)
        elif note:
            yield obligation("freeze", f"the freeze {words} does not hold", "met", one_line(freeze.note))


def order(bench: Bench) -> Iterator[Obligation]:
    for name in bench.environment.after:
        text = f"{name} runs {short(bench.question.revision) or 'it'} first"
        if bench.situation.deployments is None:
            found = obligation(
                "order", text, "unknown", f"nobody knows what runs in {name}", "report deployments: docs/gates.md"
            )
            yield set_aside(bench, found, "order")
            continue
        run = _longest_run(bench, name)
        if run is None:
            why = f"it was not deployed to {name} so that it ran"
            if _longest_run(bench, name, believed=False) is not None:
                why = f"that it ran in {name} is told by nobody who counts, and no gate let it go there"
            found = obligation("order", text, "unmet", why, f"deploy it to {name} first")
            yield set_aside(bench, found, "order")
            continue
        yield obligation("order", text, "met", f"it ran there from {moment(run.since)}")
        if bench.environment.bake_minutes:
            yield set_aside(bench, _bake(bench, name, run), "bake")


# Private


class _Run(Struct, frozen=True):
    """How long a revision ran. `goes_on` is whether it still does."""

    since: float
    seconds: float
    goes_on: bool


def _longest_run(bench: Bench, environment: str, *, believed: bool = True) -> _Run | None:
    here = [
        one
        for one in bench.situation.deployments or ()
        if one.environment == environment and one.service == bench.question.service and one.status != "cancelled"
    ]
    counts = [one for one in here if one.believed is believed]
    runs = [run for one in counts if (run := _run_of(bench, one, here)) is not None]
    return max(runs, key=lambda run: (run.seconds, run.goes_on, -run.since), default=None)


def _run_of(bench: Bench, one: Deployment, here: Sequence[Deployment]) -> _Run | None:
    """How long it certainly ran alone: from its end to the beginning of the next, whatever became of that one."""
    if (
        one.status != "succeeded"
        or one.action == "remove"
        or one.revision != bench.question.revision
        or not OID.fullmatch(one.revision)
    ):
        return None
    since = max(one.started, one.finished if one.finished is not None else one.started)
    if not (math.isfinite(since) and since <= bench.early):
        return None
    until = min((_replaced(one, since, other) for other in here if other.id != one.id), default=math.inf)
    if not until >= since:
        return None
    return _Run(since, min(bench.early, until) - since, until > bench.late)


def _replaced(one: Deployment, since: float, other: Deployment) -> float:
    """When another deployment may have put something else in the place of this one, which ran since then."""
    end = other.started if other.finished is None else max(other.started, other.finished)
    if not (math.isfinite(other.started) and math.isfinite(end)):
        return -math.inf
    if other.started >= one.started:
        return other.started
    if other.finished is None and other.status == "started" and one.started - other.started < STILL_GOING_SECONDS:
        return -math.inf
    return end if end > since else math.inf


def _bake(bench: Bench, name: str, run: _Run) -> Obligation:
    minutes = bench.environment.bake_minutes
    text = f"it ran in {name} for {count(minutes, 'minute')}"
    hours, left = divmod(int(run.seconds // 60), 60)
    ran = f"it ran there for {count(hours, 'hour') if hours > 2 else count(hours * 60 + left, 'minute')}"
    if run.seconds >= minutes * 60:
        return obligation("bake", text, "met", ran)
    step = "wait" if run.goes_on else f"deploy it to {name} again, and let it run"
    found = obligation("bake", text, "unmet", ran, step)
    return replace(found, until=run.since + minutes * 60 + bench.skew) if run.goes_on else found
