"""Alerts become incidents: one for what belongs together, opened once, over when nothing of it fires any more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeAlias

from sqlalchemy import Connection

from tidegate.operate.resolution import Resolution, find_resolution
from tidegate.rollout.values import Deployment
from tidegate.server.logs import log
from tidegate.server.production.watching import deployment_of
from tidegate.server.service import Service
from tidegate.store import alerts, deployments, incidents, measurements, regressions
from tidegate.store.alerts import Alert
from tidegate.store.incidents import Incident, NewIncident

TakesBack: TypeAlias = Callable[[str, Deployment, Sequence[Deployment]], Collection[str]]
OLD_SECONDS = 86400.0
"""Alerts that fired this long ago are history that somebody sends us; they open nothing."""
TOGETHER_SECONDS = 900.0
"""What begins this soon after an open incident at a service that calls, or is called by, its services belongs to it."""
CALM_SECONDS = 30.0
"""An incident is over when nothing of it has fired for this long."""
ERRORS_BEFORE_SECONDS = 120.0
MOST_OF_ONE_SENDER = 50
"""Incidents that are open for alerts of one sender. What more comes joins the last of them: a sender that goes wild, or
is somebody else, must not bury what others report."""
MOST_OPEN = 1_000


def open_incidents(service: Service, now: float) -> tuple[int, ...]:
    """Puts alerts that belong to no incident into one, which is opened where none fits; the incidents that are new.

    Some of each sender at a time: the next look goes on.
    """
    with service.database.read() as connection:
        loose = alerts.loose(connection, now - OLD_SECONDS, now + 60)
    opened = []
    for alert in loose:
        at = service.now()
        found, new = service.database.change(partial(_place, alert=alert, at=at))
        if new:
            opened.append(found)
            log("incident", incident=found, service=alert.service, environment=alert.environment)
    return tuple(opened)


def to_attend(connection: Connection, after: int, most: int) -> tuple[Incident, ...]:
    """Open incidents for one look: the latest, and as many that go on below the one with id `after`, from the top again
    at the end. However many are open, each has its turn."""
    still_open = incidents.page(connection, state="open", most=MOST_OPEN)
    latest, rest = still_open[: most // 2], still_open[most // 2 :]
    below = [one for one in rest if one.id < after] or list(rest)
    return (*latest, *below[: most - len(latest)])


def join_evidence(service: Service, incident: Incident, now: float) -> None:
    """Counts errors and regressions to the incident that happened where and while it lasted."""

    def work(connection: Connection) -> None:
        near = _near(connection, incident.environment, _services(connection, incident))
        until = incident.ended or now
        found = [
            one.id
            for one in alerts.errors_between(connection, incident.started - ERRORS_BEFORE_SECONDS, until)
            if one.incident is None and one.environment in ("", incident.environment) and one.service in (*near, "")
        ]
        alerts.join(connection, incident.id, errors_of=found)
        recent = deployments.between(connection, incident.started - OLD_SECONDS, until)
        here = {one.id for one in recent if one.environment == incident.environment}
        noticed = regressions.of_deployments(connection, here)
        mine = [
            one.id
            for one in noticed
            if one.incident is None and one.service in near and abs(one.moved - incident.started) < TOGETHER_SECONDS
        ]
        regressions.put_into(connection, incident.id, mine)

    service.database.change(work)


def end_incident(
    service: Service, incident: Incident, now: float, takes_back: TakesBack = lambda *_: ()
) -> Resolution | None:
    """Ends it where all its alerts are over since a while, and says what ended it where that is known.

    `takes_back`: which deployments revert a culprit of a suspect, by id.
    """
    with service.database.read() as connection:
        mine, _ = alerts.of_incident(connection, incident.id)
        ends = [one.ended for one in mine]
        if not mine or any(end is None or end > now - CALM_SECONDS for end in ends):
            return None
        ended = max(end for end in ends if end is not None)
        nearby = deployments.between(connection, incident.started - OLD_SECONDS, ended + 1)
        suspect = deployments.get(connection, incident.deployment) if incident.deployment else None
    here = [deployment_of(one) for one in nearby if one.environment == incident.environment]
    blamed = None if suspect is None else deployment_of(suspect)
    back = takes_back(incident.cause or incident.revision, blamed, here) if blamed is not None else ()
    found = find_resolution(incident.started, ended, blamed, here, takes_back=back)
    kind: incidents.Resolution = found.kind if found else "none"
    by = int(found.deployment.id) if found else None
    at = service.now()
    service.database.change(lambda connection: incidents.resolve(connection, incident.id, ended, kind, at, by=by))
    log("incident-over", incident=incident.id, resolution=kind)
    return found


# Private


def _place(connection: Connection, alert: Alert, at: str) -> tuple[int, bool]:
    """The incident of the alert, and whether it was opened for it."""
    still_open = incidents.page(connection, state="open", most=MOST_OPEN)
    known = _lasting(connection, alert, still_open) or _of_a_wild_sender(alert, still_open)
    if known is not None:
        alerts.join(connection, known.id, of=(alert.id,))
        if known.state == "resolved" and alert.ended is None:
            incidents.reopen(connection, known.id, at)
        return known.id, False
    title = alert.name + (f" of {alert.service}" if alert.service else "")
    new = NewIncident(
        key=f"{alert.sender}/{alert.key}",
        title=title,
        severity=alert.severity,
        started=alert.started,
        environment=alert.environment,
        service=alert.service,
    )
    opened = incidents.open_incident(connection, new, at)
    alerts.join(connection, opened.incident.id, of=(alert.id,))
    return opened.incident.id, opened.new


def _of_a_wild_sender(alert: Alert, still_open: Sequence[Incident]) -> Incident | None:
    """The last incident of a sender of whom too many are open."""
    theirs = [one for one in still_open if one.key.startswith(f"{alert.sender}/")]
    if len(theirs) < MOST_OF_ONE_SENDER:
        return None
    return next((one for one in theirs if one.environment == alert.environment), theirs[0])


def _lasting(connection: Connection, alert: Alert, still_open: Sequence[Incident]) -> Incident | None:
    """The open incident that this alert belongs to: of the same service, or of one that it calls or is called by."""
    candidates = [
        one
        for one in still_open
        if one.environment == alert.environment and one.started - TOGETHER_SECONDS <= alert.started
    ]
    of = alerts.services_of(connection, [one.id for one in candidates])
    soon = [one for one in candidates if alert.started - one.started <= TOGETHER_SECONDS]
    calls = _calls(connection, alert.environment) if soon else ()
    for one in candidates:
        services = of.get(one.id, frozenset()) | {one.service}
        if alert.service in services or (one in soon and alert.service in _within(calls, services)):
            return one
    return incidents.lasting(connection, alert.environment, alert.service, alert.started) if alert.ended else None


def _services(connection: Connection, incident: Incident) -> frozenset[str]:
    mine, _ = alerts.of_incident(connection, incident.id)
    return frozenset((incident.service, *(one.service for one in mine)))


def _near(connection: Connection, environment: str, services: Collection[str]) -> frozenset[str]:
    """These, what they call, all the way down, and what calls them."""
    return _within(_calls(connection, environment), services)


def _calls(connection: Connection, environment: str) -> tuple[tuple[str, str], ...]:
    return tuple((one.caller, one.callee) for one in measurements.edges(connection, environment=environment))


def _within(calls: Sequence[tuple[str, str]], services: Collection[str]) -> frozenset[str]:
    found, edge = set(services), set(services)
    while edge:
        edge = {callee for caller, callee in calls if caller in edge} - found
        found |= edge
    return frozenset(found | {caller for caller, callee in calls if callee in services})
