"""Judges a canary by a document of the protected branch and the Prometheus of this service. It only says; nobody acts.

Where nothing could be measured the canary is held: no data is never good news, and never a reason to roll back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection

from tidegate import __version__
from tidegate.change.git import open_repository
from tidegate.errors import InputError, InternalError, TidegateError
from tidegate.ledger.fields import Subject
from tidegate.ledger.predicates.canary import Canary as CanaryStatement
from tidegate.ledger.statements import Statement
from tidegate.rollout.canary.courses import judgement_with_courses
from tidegate.rollout.canary.document import LARGEST_BYTES, CanaryDocument, parse_document
from tidegate.rollout.canary.values import Judgement, Measured
from tidegate.server.api.problems import Problem
from tidegate.server.entries import append, name_of, time_at, time_of
from tidegate.server.logs import log, log_failure
from tidegate.server.mirrors import Mirrors
from tidegate.server.production.setup import read_production
from tidegate.server.rollout.protected import bring_protected
from tidegate.server.service import Service
from tidegate.server.work.record import uri_of
from tidegate.store import canaries, deployments, repositories
from tidegate.store.canaries import Canary, NewCanary, Verdict
from tidegate.store.clock import moment_of
from tidegate.store.repositories import Repository

FOLDER = ".tidegate/canaries"
QUERY_SECONDS = 10.0
FRESH_SECONDS = 900.0
"""A judgement that is older says nothing of the canary as it is now."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SAID: Mapping[Verdict, Literal["promote", "hold", "roll-back"]] = {
    "promote": "promote",
    "hold": "hold",
    "roll_back": "roll-back",
}
_VERDICTS: dict[str, Verdict] = {"promote": "promote", "hold": "hold", "roll back": "roll_back"}


class Asked(Struct, frozen=True, kw_only=True):
    """`name` is the document's in `.tidegate/canaries`, without `.toml`. `start` and `end` are Unix seconds; without a
    `start` it is when the deployment of this revision began there."""

    repository: int
    name: str
    environment: str
    service: str = ""
    revision: str = ""
    start: float | None = None
    end: float | None = None


def judge_canary(service: Service, asked: Asked, asked_by: str, mirrors: Mirrors | None = None) -> Canary:
    """Judges and keeps it. Problem 404 for an unknown repository or document, 409 where the protected branch cannot be
    read or nobody measures production, 422 where nobody says when the canary began."""
    with service.database.read() as connection:
        repository = repositories.get(connection, asked.repository)
        began = _began(connection, asked)
    if repository is None or repository.removed_at is not None:
        raise Problem(404, "there is no such repository")
    if service.config.production is None:
        raise Problem(409, "this service measures no production", mend="set TIDEGATE_PRODUCTION_FILE")
    tip, document = _read(service, repository, asked, mirrors)
    now = moment_of(service.now()).timestamp()
    until = min(asked.end, now) if asked.end is not None else document.end if document.end is not None else now
    since = asked.start if asked.start is not None else document.start if document.start is not None else began
    if since is None:
        raise Problem(422, "nobody says when the canary began", mend="send start, or report its deployment")
    since += document.warmup
    if not 0 <= since < until:
        raise Problem(422, "the canary ends before it begins")
    judged, measured = _judge(service, document, since, until)
    new = NewCanary(
        repository=repository.id,
        name=asked.name,
        environment=asked.environment,
        service=asked.service,
        revision=asked.revision,
        rules=tip,
        verdict=_VERDICTS[judged.decision],
        since=since,
        until=until,
        document=judgement_with_courses(judged, measured),
        asked_by=asked_by,
    )
    at = service.now()

    def work(connection: Connection) -> Canary | None:
        return canaries.get(connection, canaries.put(connection, new, at))

    kept = service.database.change(work)
    assert kept is not None  # noqa: S101 written in the same transaction
    log("canary", canary=kept.id, environment=kept.environment, service=kept.service, verdict=kept.verdict)
    try:
        put_entry(service, kept)
    except TidegateError as error:  # it waits in its row until the worker's next look
        log_failure(error, f"canary {kept.id}")
    return kept


def put_canaries(service: Service) -> int:
    """Enters judgements whose entry could not be written when they were made; how many."""
    with service.database.read() as connection:
        waiting = canaries.unrecorded(connection)
    new = 0
    for one in waiting:
        try:
            put_entry(service, one)
            new += 1
        except InputError as error:  # the others are entered all the same
            log_failure(error, f"canary {one.id}")
    return new


def put_entry(service: Service, judged: Canary) -> int:
    """The index of the judgement in the ledger, which holds it once. InternalError where its repository is lost."""
    with service.database.read() as connection:
        repository = repositories.get(connection, judged.repository)
        document = canaries.document(connection, judged.id)
    if repository is None:
        raise InternalError("a canary lost its repository", where=f"canary {judged.id}")
    said = CanaryStatement(
        repository=uri_of(repository),
        name=judged.name,
        environment=name_of(judged.environment),
        verdict=_SAID[judged.verdict],
        judgement=hashlib.sha256(document).hexdigest(),
        rules=judged.rules,
        tool=f"tidegate/{__version__}",
        at=time_of(judged.judged_at),
        begins=time_at(judged.since),
        ends=time_at(judged.until),
        service=judged.service,
        commit=judged.revision,
    )
    about = judged.revision or judged.rules
    subject = Subject(digest={"gitCommit": about}, uri=uri_of(repository))
    entry = append(service, f"canary/{judged.id}", Statement((subject,), said), about)
    service.database.change(lambda connection: canaries.set_entry(connection, judged.id, entry))
    return entry


def is_bad(connection: Connection, environment: str, service: str, revision: str, now: str) -> tuple[bool, str]:
    """Whether the last judgement of this very revision there is fresh and says to roll back; and what it says."""
    if not revision:
        return False, "nobody says which revision the canary is"
    last = canaries.last(connection, environment, service, revision)
    if last is None:
        return False, "no canary of this revision was judged there"
    age = moment_of(now).timestamp() - moment_of(last.judged_at).timestamp()
    if not -60.0 <= age <= FRESH_SECONDS:
        return False, f"canary {last.id} was judged too long ago"
    return last.verdict == "roll_back", f"canary {last.id}: {last.verdict.replace('_', ' ')}"


# Private


def _began(connection: Connection, asked: Asked) -> float | None:
    if not asked.revision:
        return None
    here = deployments.page(connection, environment=asked.environment, service=asked.service)
    return next((one.started for one in here if one.revision == asked.revision), None)


def _read(
    service: Service, repository: Repository, asked: Asked, mirrors: Mirrors | None
) -> tuple[str, CanaryDocument]:
    if not _NAME.fullmatch(asked.name):
        raise Problem(422, "this is no name of a canary document", detail=asked.name[:100])
    path = f"{FOLDER}/{asked.name}.toml"
    brought = bring_protected(service, repository, mirrors)
    try:
        with open_repository(brought.path, bare=True) as clone:
            listed = clone.run("ls-tree", "-z", "--full-tree", "--end-of-options", brought.tip, "--", path)
            described = listed.partition(b"\t")[0].decode("ascii", "replace").split(" ")
            if not listed or described[0] not in ("100644", "100755"):
                raise Problem(404, "there is no such canary document", detail=f"{path} at {brought.tip[:12]}")
            (blob,) = clone.read_blobs([described[2]], limit=LARGEST_BYTES)
    except TidegateError as error:
        raise Problem(409, "the protected branch cannot be read now", mend="ask again") from error
    if blob.kind != "blob":
        raise Problem(422, f"the canary document is {blob.kind.replace('-', ' ')}", detail=path)
    return brought.tip, parse_document(blob.content, path)


def _judge(
    service: Service, document: CanaryDocument, since: float, until: float
) -> tuple[Judgement, tuple[Measured, ...]]:
    """The judgement, and what it was judged by."""
    from tidegate.rollout.canary.sequential import judge
    from tidegate.rollout.canary.sources import ask_prometheus

    assert service.config.production is not None  # noqa: S101 asked before
    try:
        url = read_production(service.config.production).prometheus
        measured = ask_prometheus(document, url, since, until, QUERY_SECONDS)
    except InputError as error:
        why = f"nothing could be measured: {error.what}"
        held = Judgement(judge="sequential", decision="hold", reasons=(why,), metrics=(), start=since, end=until)
        return held, ()
    return judge(measured, since, until, document.error_rate), tuple(measured)
