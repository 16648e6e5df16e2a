"""What became of changes, in the ledger: the word of each row once, and another entry where more is known."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import Connection

from tidegate.errors import InternalError, TidegateError
from tidegate.ledger.fields import EntryRef, Subject
from tidegate.ledger.predicates.outcome import Outcome as OutcomeStatement
from tidegate.ledger.statements import Statement
from tidegate.server.entries import append, past_of
from tidegate.server.logs import log_failure
from tidegate.server.service import Service
from tidegate.server.work.record import uri_of
from tidegate.store import deployments, incidents, outcomes, repositories
from tidegate.store.clock import text_of
from tidegate.store.outcomes import Outcome

MOST_RECORDED = 500
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+\-]{0,127}")


def record_outcomes(service: Service) -> int:
    """Puts what the ledger does not hold on record, each as it stands now; how many."""
    with service.database.read() as connection:
        found = outcomes.unrecorded(connection, most=MOST_RECORDED)
    count = 0
    for one in found:
        try:
            record(service, one)
            count += 1
        except TidegateError as error:  # the others are recorded all the same
            log_failure(error, f"outcome {one.id}")
    return count


def record(service: Service, one: Outcome) -> None:
    """Puts it on record as it was read; where it says something else by now, that is recorded after it."""
    with service.database.read() as connection:
        repository = repositories.get(connection, one.repository)
        about = _entry_of(connection, one.by)
    if repository is None:
        raise InternalError("an outcome lost its repository", where=f"outcome {one.id}")
    evidence = service.log.entry(about) if about is not None else None
    said = OutcomeStatement(
        repository=uri_of(repository),
        commit=one.revision,
        result=one.result,
        days=max(int((one.known - one.deployed) // 86400), 0),
        at=past_of(text_of(datetime.fromtimestamp(one.known, UTC)), service.now()),
        environment=one.environment if _ENVIRONMENT.fullmatch(one.environment) else None,
        weight=round(1000 * one.weight),
        redeploys=one.redeploys,
        evidence=(EntryRef(index=evidence.index, leaf=evidence.leaf.hex()),) if evidence is not None else (),
    )
    statement = Statement((Subject(digest={"gitCommit": one.revision}),), said)
    entry = append(service, f"outcome:{one.id}:{one.changed_at}", statement, one.revision)
    kept = service.database.change(lambda connection: outcomes.set_entry(connection, one, entry))
    if not kept:  # another worker said something else meanwhile: of the entries the last one must be what stands
        service.database.change(lambda connection: outcomes.say_again(connection, one.id, service.now()))


# Private


def _entry_of(connection: Connection, by: str) -> int | None:
    """The entry of the incident or the deployment that says it, where the ledger holds one."""
    kind, _, number = by.partition("-")
    if kind == "incident":
        incident = incidents.get(connection, int(number))
        return incident.entry if incident is not None else None
    if kind == "deployment":
        deployment = deployments.get(connection, int(number))
        return deployment.entry if deployment is not None else None
    return None
