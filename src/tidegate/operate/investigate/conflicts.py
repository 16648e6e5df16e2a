"""What the sources say that cannot all be the whole truth. Each is shown beside its opposite; none is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.operate.investigate.timeline import name_of
from tidegate.operate.investigate.values import Case, Conflict
from tidegate.operate.values import Alert
from tidegate.rollout.values import Deployment

LEAST_SUSPECTED = 0.3
MOST = 50
SLACK_SECONDS = 5.0
"""Clocks of different machines differ by this much."""


def find_conflicts(case: Case) -> tuple[Conflict, ...]:
    """In the order of the rules below, at most 50."""
    found = [*_alert_without_signal(case), *_stale_revision(case), *_alerts_at_odds(case), *_suspect_too_late(case)]
    return tuple(found[:MOST])


# Private


def _alert_without_signal(case: Case) -> Iterator[Conflict]:
    """An alert fires for a service of which nothing that we watch moved, while we watch others."""
    moved = {signal.service for signal in case.signals}
    for alert in case.alerts:
        if alert.service and moved and alert.service not in moved:
            yield Conflict(
                one=f"{alert.sender} says that {alert.name} fires for {alert.service}",
                other=f"no watched series of {alert.service} moved; those of {', '.join(sorted(moved))} did",
                sources=(_source(alert), *sorted({one.source for one in case.signals})[:5]),
            )


def _stale_revision(case: Case) -> Iterator[Conflict]:
    """Errors come from a revision that should not be running."""
    for error in case.errors:
        runs = _running(case, error.service, error.first)
        if runs is None or not error.revision or not runs.revision:
            continue
        if not _same(runs.revision, error.revision):
            yield Conflict(
                one=f"{error.sender} says that {error.kind or 'an error'} came from revision {error.revision[:12]}",
                other=f"{name_of(runs)} was what ran there then: an instance is stale, or a deployment was not told",
                sources=(error.url or f"{error.sender} {error.key}", runs.url or f"deployment {runs.id}"),
            )


def _alerts_at_odds(case: Case) -> Iterator[Conflict]:
    """One tool says that it is over while another says that it goes on."""
    for one in case.alerts:
        for other in case.alerts:
            over = one.ended is not None and other.ended is None and one.ended > other.started
            if over and one.service == other.service and one.sender != other.sender:
                yield Conflict(
                    one=f"{one.sender} says that {one.name} is over",
                    other=f"{other.sender} says that {other.name} still fires for {other.service or 'the same'}",
                    sources=(_source(one), _source(other)),
                )


def _suspect_too_late(case: Case) -> Iterator[Conflict]:
    """What is suspected was deployed after it began."""
    by_id = {one.id: one for one in case.deployments}
    began = min([case.started, *(alert.started for alert in case.alerts)])
    for suspect in case.ranking.suspects[:3]:
        deployment = by_id.get(suspect.deployment)
        late = deployment is not None and deployment.started > began + SLACK_SECONDS
        if deployment is not None and late and suspect.probability >= LEAST_SUSPECTED:
            yield Conflict(
                one=f"{suspect.change[:12]} is suspected with {suspect.probability:.0%}",
                other=f"it was deployed {deployment.started - began:.0f} s after the first alert",
                sources=(deployment.url or f"deployment {deployment.id}",),
            )


def _running(case: Case, service: str, at: float) -> Deployment | None:
    here = [
        one
        for one in case.deployments
        if one.service == service and one.status in ("succeeded", "started") and (one.finished or one.started) <= at
    ]
    return max(here, key=lambda one: (one.started, one.id), default=None)


def _same(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _source(alert: Alert) -> str:
    return alert.url or f"{alert.sender} {alert.key}"
