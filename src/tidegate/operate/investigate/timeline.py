"""What happened when: deployments, signals, alerts and errors in one order."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.operate.investigate.values import Case, Moment
from tidegate.operate.values import Alert, ErrorReport
from tidegate.rollout.values import Deployment

MOST = 500
_ENDS = {"succeeded": "succeeded", "failed": "failed", "rolled_back": "was rolled back", "cancelled": "was cancelled"}


def lay_timeline(case: Case) -> tuple[Moment, ...]:
    """Oldest first; of more than 500 moments those nearest to the start of the incident."""
    moments = [*_deployed(case), *_signalled(case), *_alerted(case), *_failed(case), *case.others]
    if case.ended is not None:
        moments.append(Moment(at=case.ended, kind="over", says="The incident is over", source=f"incident {case.id}"))
    nearest = sorted(moments, key=lambda one: (abs(one.at - case.started), one.kind, one.says))[:MOST]
    return tuple(sorted(nearest, key=lambda one: (one.at, one.kind, one.says)))


def name_of(deployment: Deployment) -> str:
    """A deployment in a few words: `payments 3f2a91c04d1e to production`."""
    revision = deployment.revision[:12] or deployment.artifact or "an unnamed revision"
    return f"{deployment.service} {revision} to {deployment.environment}"


# Private


def _deployed(case: Case) -> Iterator[Moment]:
    for one in case.deployments:
        by = f" by {one.actor}" if one.actor else ""
        source = one.url or f"deployment {one.id}"
        yield Moment(
            at=one.started,
            kind="deployment",
            says=f"Deployment of {name_of(one)} began{by}",
            source=source,
            service=one.service,
        )
        if one.finished is not None and one.status in _ENDS:
            says = f"Deployment of {name_of(one)} {_ENDS[one.status]}"
            yield Moment(at=one.finished, kind="deployment", says=says, source=source, service=one.service)


def _signalled(case: Case) -> Iterator[Moment]:
    for one in case.signals:
        moved = "rose" if one.after > one.before else "fell"
        says = f"{one.metric} of {one.service} {moved} from {one.before:.4g} to {one.after:.4g}"
        yield Moment(at=one.onset, kind="signal", says=says, source=one.source, service=one.service)


def _alerted(case: Case) -> Iterator[Moment]:
    for one in case.alerts:
        of = f" for {one.service}" if one.service else ""
        says = f"Alert {one.name} fired{of}"
        yield Moment(at=one.started, kind="alert", says=says, source=_source(one), service=one.service)
        if one.ended is not None:
            yield Moment(at=one.ended, kind="over", says=f"Alert {one.name} ended{of}", source=_source(one))


def _failed(case: Case) -> Iterator[Moment]:
    for one in case.errors:
        where = f" in {one.service}" if one.service else ""
        says = f"First {one.kind or 'error'}{where}: {one.message[:160]}" if one.message else f"First {one.kind}{where}"
        yield Moment(at=one.first, kind="error", says=says, source=_source(one), service=one.service)


def _source(one: Alert | ErrorReport) -> str:
    return one.url or f"{one.sender} {one.key}"
