"""What incidents teach: which of them came from a file that is about to be changed, and how far traces are believed."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.operate.calibration import Calibration, Claim, calibrate
from tidegate.server.production.document import read_kept
from tidegate.store import incidents, outcomes
from tidegate.store.incidents import Incident, Resolution, Severity

MOST_CLAIMS = 500


class RecentIncident(Struct, frozen=True, kw_only=True):
    """An incident that a change of the file is thought to have caused. Times are Unix seconds.

    `commit` is that change and `change` its title; `probability`: that it is the cause, 1 where `confirmed` by a
    person. `lines` are those that the trace names in what was asked for, as `path:line`, with who or what wrote them.
    """

    id: int
    title: str
    severity: Severity
    environment: str
    service: str
    started: float
    ended: float | None
    resolution: Resolution
    commit: str
    change: str
    probability: float
    confirmed: bool
    lines: tuple[str, ...]


def recent_incidents(
    connection: Connection, path: str, *, repository: int | None = None, most: int = 20
) -> tuple[RecentIncident, ...]:
    """Incidents whose cause touched the file, or a file in the folder, the last first; `path` "" is any.

    Those that are settled: over, or confirmed. An incident with several likely causes is there for each of them.
    """
    return tuple(
        _recent(connection, incident, outcome, path)
        for incident, outcome in outcomes.incidents_at(connection, path, repository=repository, most=most)
    )


def trace_calibration(connection: Connection) -> Calibration:
    """Whether traces are as sure as they may be, by the causes that people confirmed: of the last 500 at most."""
    claims: list[Claim] = []
    untraced = 0
    for incident in outcomes.incidents_confirmed(connection, most=MOST_CLAIMS):
        claim = _claim(connection, incident)
        claims += [claim] if claim is not None else []
        untraced += claim is None
    return calibrate(claims, unconfirmed=outcomes.count_unconfirmed(connection), untraced=untraced)


# Private


def _recent(connection: Connection, incident: Incident, outcome: outcomes.Outcome, path: str) -> RecentIncident:
    kept = read_kept(incidents.document(connection, incident.id))
    here = path.strip("/")
    return RecentIncident(
        id=incident.id,
        title=incident.title,
        severity=incident.severity,
        environment=incident.environment,
        service=incident.service,
        started=incident.started,
        ended=incident.ended,
        resolution=incident.resolution,
        commit=outcome.revision,
        change=next((one.title for one in kept.changes if one.commit == outcome.revision), ""),
        probability=outcome.weight,
        confirmed=incident.cause == outcome.revision,
        lines=tuple(
            f"{one.path}:{one.line} {one.tool or one.human}".rstrip()
            for one in kept.lines
            if one.commit == outcome.revision and (not here or one.path == here or one.path.startswith(here + "/"))
        ),
    )


def _claim(connection: Connection, incident: Incident) -> Claim | None:
    """What the trace was surest of; None where it said nothing."""
    ranking = read_kept(incidents.document(connection, incident.id)).investigation.ranking
    if not ranking.suspects and not ranking.hypotheses:
        return None
    first = ranking.suspects[0] if ranking.suspects else None
    if first is not None and first.probability >= ranking.none:
        return Claim(first.probability, incident.cause == first.change)
    named = any(one.change == incident.cause for one in ranking.suspects)
    return Claim(ranking.none, not named and not outcomes.is_commit(incident.cause))
