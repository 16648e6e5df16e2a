"""A person says that an incident is over, how it ended and by which deployment. What alerts said before stays."""

from __future__ import annotations

from sqlalchemy import Connection

from tidegate.errors import TidegateError
from tidegate.server.api.endpoint import Who
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.logs import log, log_failure
from tidegate.server.production.incident_entries import put_incident
from tidegate.server.service import Service
from tidegate.store import deployments, incidents
from tidegate.store.clock import moment_of
from tidegate.store.incidents import Incident, Resolution


def end_by_hand(service: Service, who: Who, identifier: int, resolution: Resolution, by: int | None = None) -> Incident:
    """The incident, over as of now. `by`: the deployment that ended it.

    Twice is once: one that is over stays as it ended first. Problem 404; 422 for a deployment that cannot have.
    Whoever asks has been found to have `incidents:write`.
    """
    now = service.now()
    at = moment_of(now).timestamp()
    with service.database.read() as connection:
        incident = found(incidents.get(connection, identifier), "incident")
        deployment = deployments.get(connection, by) if by is not None else None
    if (resolution == "none") != (by is None):
        raise Problem(422, "a roll-back and a fix name their deployment, and nothing else does")
    if by is not None and (deployment is None or deployment.environment != incident.environment):
        raise Problem(422, "there is no such deployment in the environment of this incident")

    def work(connection: Connection) -> bool:
        return incidents.resolve(connection, identifier, max(at, incident.started), resolution, now, by=by)

    if service.database.change(work):
        log("incident-over", incident=identifier, resolution=resolution, person=who.person)
    try:
        put_incident(service, identifier)
    except TidegateError as error:  # the worker's next look enters it
        log_failure(error, f"incident {identifier}")
    with service.database.read() as connection:
        return found(incidents.get(connection, identifier), "incident")
