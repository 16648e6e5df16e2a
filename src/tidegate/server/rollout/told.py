"""What the ledger says of deployments: that they began and how they ended, and the gate's pass that they rest on.

One without a pass is entered all the same: evidence packs list it as `deployed-without-decision`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.ledger.fields import EntryRef, Subject
from tidegate.ledger.predicates.deployment import Deployment as DeploymentStatement
from tidegate.ledger.statements import Statement
from tidegate.server.entries import append, name_of, time_at
from tidegate.server.logs import log_failure
from tidegate.server.rollout.about import find_repository
from tidegate.server.rollout.decide import put_entry
from tidegate.server.rollout.trust import rests_on
from tidegate.server.service import Service
from tidegate.server.work.record import uri_of
from tidegate.store import deployments, gates
from tidegate.store.clock import later, moment_of
from tidegate.store.deployments import Deployment

LOOK_BACK_SECONDS = 7 * 86_400.0
MOST = 1000
UNRECORDED_SECONDS = 60.0
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_IMAGE = re.compile(r"sha256:([0-9a-f]{64})")
Result: TypeAlias = Literal["started", "succeeded", "failed", "rolled-back"]
_RESULTS: Mapping[str, Result] = {"started": "started", "succeeded": "succeeded", "rolled_back": "rolled-back"}


def put_deployments(service: Service) -> int:
    """Enters what was told of the last week and is not in the ledger yet; how many entries are new."""
    now = moment_of(service.now()).timestamp()
    with service.database.read() as connection:
        recent = deployments.between(connection, now - LOOK_BACK_SECONDS, now, most=MOST)
    new = 0
    for one in reversed(recent):
        if (one.entry is None or one.status == "rolled_back") and _OID.fullmatch(one.revision):
            try:
                new += _put(service, one)
            except InputError as error:  # what one sender wrote keeps nothing else from being recorded
                log_failure(error, f"deployment {one.id}")
    return new


def put_gates(service: Service) -> int:
    """Enters decisions whose entry could not be written when they were made; how many."""
    with service.database.read() as connection:
        waiting = gates.unrecorded(connection, later(service.now(), -UNRECORDED_SECONDS))
    return sum(put_entry(service, one.id) is not None for one in waiting)


# Private


def _put(service: Service, one: Deployment) -> int:
    ended = one.status != "started"
    new = _enter(service, one, "started", one.started)
    if ended:
        new += _enter(service, one, one.status, one.finished if one.finished is not None else one.started)
        entry = service.log.find(_key(one, one.status))
        if entry is not None:
            service.database.change(lambda connection: deployments.set_entry(connection, one.id, entry.index))
    return new


def _key(one: Deployment, status: str) -> str:
    return f"deployment/{one.id}/{status}"


def _enter(service: Service, one: Deployment, status: str, at: float) -> int:
    if service.log.find(_key(one, status)) is not None:
        return 0
    with service.database.read() as connection:
        repository = find_repository(connection, one.repository)
        index = _pass_of(connection, one)
    if repository is None:
        return 0
    decision = service.log.entry(index) if index is not None else None
    said = DeploymentStatement(
        repository=uri_of(repository),
        commit=one.revision,
        environment=name_of(one.environment),
        result=_RESULTS.get(status, "failed"),
        at=time_at(at),
        run=one.url if re.fullmatch(r"https?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", one.url) else "",
        decision=EntryRef(index=decision.index, leaf=decision.leaf.hex()) if decision is not None else None,
    )
    image = _IMAGE.search(one.artifact)
    subjects = [Subject(digest={"gitCommit": one.revision}, uri=uri_of(repository))]
    if image:
        subjects.append(Subject(digest={"sha256": image[1]}))
    append(service, _key(one, status), Statement(tuple(subjects), said), one.revision)
    return 1


def _pass_of(connection: Connection, one: Deployment) -> int | None:
    """The entry of the pass that it rests on: of this revision and place, answered before it began."""
    found = gates.passed(connection, one.environment, one.service, one.revision)
    return next((passed.entry for passed in found if rests_on(passed, one.started)), None)
