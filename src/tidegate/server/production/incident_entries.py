"""What the ledger says of incidents: that each was opened, and with its causes that it is over. Once each."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from tidegate.errors import TidegateError
from tidegate.ledger.fields import Subject
from tidegate.ledger.predicates.incident import Incident as IncidentStatement
from tidegate.ledger.statements import Statement
from tidegate.server.entries import append, keep_body, name_of, time_at, time_of
from tidegate.server.logs import log_failure
from tidegate.server.production.confirming import is_commit
from tidegate.server.production.tracing import find_repository
from tidegate.server.service import Service
from tidegate.server.work.record import uri_of
from tidegate.store import deployments, incidents
from tidegate.store.clock import later
from tidegate.store.incidents import Incident

LATE_SECONDS = 3600.0
MOST_LATE = 50


def put_incident(service: Service, identifier: int) -> None:
    """Enters what it is now, once for each beginning and end. Of no incident nothing is said."""
    with service.database.read() as connection:
        incident = incidents.get(connection, identifier)
        repository = _repository_of(connection, incident) if incident is not None else ""
    if incident is None:
        return
    over = incident.state == "resolved" and incident.ended is not None
    at = time_at(incident.ended) if over and incident.ended is not None else time_of(incident.opened_at)
    key = f"incident:{incident.id}:{'resolved' if over else 'opened'}:{at}"
    known = service.log.find(key)
    entry = known.index if known is not None else _append(service, incident, key, (at, repository))
    if incident.entry != entry:
        service.database.change(lambda connection: incidents.set_entry(connection, incident.id, entry))


def put_ended(service: Service) -> int:
    """Enters the end of those that somebody ended of late, where the ledger did not take it then; how many."""
    since = later(service.now(), -LATE_SECONDS)
    with service.database.read() as connection:
        ended = [one for one in incidents.page(connection, state="resolved", most=MOST_LATE) if one.changed_at > since]
    new = 0
    for one in ended:
        try:
            put_incident(service, one.id)
            new += 1
        except TidegateError as error:  # the others are entered all the same
            log_failure(error, f"incident {one.id}")
    return new


# Private


def _append(service: Service, incident: Incident, key: str, said_of: tuple[str, str]) -> int:
    at, repository = said_of
    over = incident.state == "resolved"
    now = service.now()
    summary = service.database.change(
        lambda connection: keep_body(connection, f"incident-{incident.id}", "incident", incident.title.encode(), now)
    )
    causes = (incident.cause,) if is_commit(incident.cause) else (incident.revision,) if incident.revision else ()
    said = IncidentStatement(
        id=f"incident-{incident.id}",
        state="resolved" if over else "opened",
        severity=incident.severity,
        repository=repository or service.config.url,
        opened=time_at(incident.started),
        at=at,
        summary=summary,
        environment=name_of(incident.environment) if incident.environment else None,
        causes=causes if over else (),
    )
    subject = Subject(digest={"sha256": hashlib.sha256(incident.key.encode()).hexdigest()})
    return append(service, key, Statement((subject,), said), f"incident-{incident.id}")


def _repository_of(connection: Connection, incident: Incident) -> str:
    suspect = deployments.get(connection, incident.deployment) if incident.deployment is not None else None
    repository = find_repository(connection, suspect.repository) if suspect is not None else None
    return uri_of(repository) if repository is not None else ""
