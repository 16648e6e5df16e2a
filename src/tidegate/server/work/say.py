"""Says at the forge what was decided last, and nothing that was decided before it; a pass only when it may be released.

Whoever says something looks afterwards whether it is still the last decision, so the last word at the forge is the
last one here, however many workers there are and whenever one of them dies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.errors import InternalError
from tidegate.server.emergency import let_through
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.publish import Said, make_check, make_comment, make_let_through, make_waiting
from tidegate.server.forge.values import Forge
from tidegate.server.service import Service
from tidegate.server.work.record import put_entries, read_document
from tidegate.store import assessments, changes, publications, repositories
from tidegate.store.assessments import Assessment
from tidegate.store.changes import Change
from tidegate.store.publications import Publication

Ending: TypeAlias = Literal["said", "waiting", "nothing"]
WITNESS_SECONDS = 2.0
WAITING = "waiting for a witness of the ledger"
_ROUNDS = 5


class Place(Struct, frozen=True):
    """A change, where it is, and the forge that knows it."""

    change: Change
    slug: str
    forge: Forge


def say(service: Service, change_id: int, *, again: bool = False) -> Ending:
    """Brings the forge up to the last decision. `waiting`: it is a pass that no quorum of witnesses has seen yet.

    `again` says it although it was said: somebody else reported under our name. May raise ForgeError.
    """
    for _ in range(_ROUNDS):
        place, last = _look(service, change_id)
        if place is None or last is None:
            return "nothing"
        ending = _say(service, place, last, again=again)
        now = _look(service, change_id)[1]
        if now is not None and now.id == last.id:
            return ending
    raise ForgeError("decisions follow each other faster than they can be said", retry_after=5)


def releasable(service: Service, assessment: Assessment, seconds: float = WITNESS_SECONDS) -> bool:
    """Whether the decision may be told: a pass waits for its witnesses, everything else is told at once."""
    entry = put_entries(service, assessment)
    return assessment.verdict != "pass" or service.log.wait_witnessed(entry, seconds)


# Private


def _look(service: Service, change_id: int) -> tuple[Place | None, Assessment | None]:
    with service.database.read() as connection:
        change = changes.get(connection, change_id)
        repository = repositories.get(connection, change.repository) if change else None
        last = assessments.latest(connection, change_id)
    forge = service.forges.get(repository.forge) if repository else None
    if change is None or repository is None or forge is None or repository.removed_at is not None:
        return None, last
    return Place(change, repository.slug, forge), last


def _say(service: Service, place: Place, last: Assessment, *, again: bool) -> Ending:
    with service.database.read() as connection:
        document = assessments.document(connection, last.id)
        check, comment = (publications.by_key(connection, f"{kind}:{last.key}") for kind in ("check", "comment"))
    if document is None or check is None or comment is None:
        raise InternalError("a decision has lost what is to be said of it", where=f"assessment {last.id}")
    kept = read_document(document)
    said = Said(last.key, last.head, f"{service.config.url}/changes/{place.change.id}")
    made = make_check(kept.facts, kept.verdict, said)
    emergency = let_through(service, place.change.id, last.head, last.merge_tree) if last.verdict != "pass" else None
    if emergency is not None:
        made = make_let_through(made, emergency.expires)
    if not releasable(service, last):
        if check.state == "new" and check.attempts == 0:
            place.forge.put_check(place.slug, make_waiting(made, WAITING), None)
            service.database.change(lambda connection: publications.failed(connection, check.id, WAITING))
        return "waiting"
    if check.state != "sent" or again:
        _keep(service, check, lambda: place.forge.put_check(place.slug, made, check.forge_id))
    if comment.state != "sent":
        body = make_comment(kept.facts, kept.verdict, said)
        _keep(service, comment, lambda: place.forge.put_comment(place.slug, place.change.number, body))
    service.database.change(lambda connection: _drop_earlier(connection, last))
    return "said"


def _keep(service: Service, publication: Publication, send: Callable[[], str]) -> None:
    """Sends it, and notes that it was sent or why it was not."""
    try:
        forge_id = send()
    except ForgeError as error:
        problem, for_good = str(error)[:500], error.retry_after is None
        service.database.change(
            lambda connection: publications.failed(connection, publication.id, problem, for_good=for_good)
        )
        raise
    service.database.change(lambda connection: publications.sent(connection, publication.id, forge_id, service.now()))


def _drop_earlier(connection: Connection, last: Assessment) -> None:
    """What was never sent of earlier decisions is not sent any more."""
    for earlier in assessments.of_change(connection, last.change, before=last.id, most=20):
        for kind in ("check", "comment"):
            row = publications.by_key(connection, f"{kind}:{earlier.key}")
            if row is not None and row.state == "new":
                publications.failed(connection, row.id, "overtaken by a later decision", for_good=True)
