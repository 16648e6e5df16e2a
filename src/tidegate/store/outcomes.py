"""What became of what was deployed: one row for a commit, an environment and whatever says it; the last word stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs
from sqlalchemy import Connection, Select, func, or_, select, update

from tidegate.store.incidents import Incident
from tidegate.store.rows import changed, every, insert_once, select_as, upsert, wrote
from tidegate.store.tables import culprit_paths, incidents, outcomes

Result: TypeAlias = Literal["clean", "reverted", "fixed", "incident", "rolled-back"]
MOST = 100
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class NewOutcome(Struct, frozen=True, kw_only=True):
    """`by` names what says it: `incident-3`, `deployment-7`, a commit that mends it, "" of what is clean.

    `weight`: how sure it is that this commit is meant, 0 to 1. `deployed` and `known` in Unix seconds.
    """

    repository: int
    environment: str
    revision: str
    by: str
    result: Result
    weight: float
    deployed: float
    known: float
    redeploys: int = 0


class Outcome(Struct, frozen=True):
    id: int
    repository: int
    environment: str
    revision: str
    by: str
    result: Result
    weight: float
    deployed: float
    known: float
    redeploys: int
    changed_at: str
    entry: int | None


def is_commit(cause: str) -> bool:
    """Whether a cause is a change, and not a word for what is none."""
    return _COMMIT.fullmatch(cause) is not None


def put(connection: Connection, given: NewOutcome, at: str) -> bool:
    """Whether it says something new: the same again changes nothing, anything else is written over what was said."""
    key = ("repository", "environment", "revision", "by")
    values = structs.asdict(given)
    said = {name: value for name, value in values.items() if name not in key}
    statement = upsert(connection, outcomes).values(**values, changed_at=at)
    differs = or_(*(outcomes.c[name] != value for name, value in said.items()))
    again = statement.on_conflict_do_update(
        index_elements=list(key), set_={**said, "changed_at": at, "entry": None}, where=differs
    )
    return wrote(connection, again)


def take_back(connection: Connection, found: Iterable[Outcome], at: str) -> int:
    """Says of each that it is not so after all, unless something else was said meanwhile; how many were taken back."""
    count = 0
    for one in found:
        same = (outcomes.c.id == one.id, outcomes.c.changed_at == one.changed_at, outcomes.c.weight > 0)
        taken = update(outcomes).where(*same).values(weight=0.0, changed_at=at, entry=None)
        count += changed(connection, taken)
    return count


def page(
    connection: Connection,
    *,
    after: int = 0,
    repository: int | None = None,
    environment: str | None = None,
    result: Result | None = None,
    revision: str | None = None,
    most: int = MOST,
) -> tuple[Outcome, ...]:
    """What stands, by id, from after `after`; what was taken back is left out."""
    query = _all().where(outcomes.c.id > after, outcomes.c.weight > 0).order_by(outcomes.c.id).limit(most)
    wanted = {"repository": repository, "environment": environment, "result": result, "revision": revision}
    for name, value in wanted.items():
        if value is not None:
            query = query.where(outcomes.c[name] == value)
    return every(connection, Outcome, query)


def said_by(connection: Connection, environment: str, by: Collection[str]) -> tuple[Outcome, ...]:
    """What these say there and stands."""
    mine = (outcomes.c.environment == environment, outcomes.c.by.in_(by), outcomes.c.weight > 0)
    return every(connection, Outcome, _all().where(*mine).order_by(outcomes.c.id))


def clean(connection: Connection, repository: int, environment: str, revisions: Collection[str]) -> tuple[Outcome, ...]:
    """Those of these commits that are said to be clean there."""
    here = (outcomes.c.repository == repository, outcomes.c.environment == environment, outcomes.c.by == "")
    mine = (*here, outcomes.c.revision.in_(revisions), outcomes.c.weight > 0)
    return every(connection, Outcome, _all().where(*mine).order_by(outcomes.c.id))


def unrecorded(connection: Connection, *, most: int = MOST) -> tuple[Outcome, ...]:
    """What the ledger does not hold as it stands now."""
    return every(connection, Outcome, _all().where(outcomes.c.entry.is_(None)).order_by(outcomes.c.id).limit(most))


def set_entry(connection: Connection, outcome: Outcome, entry: int) -> bool:
    """Says where the ledger holds it; not where something else was said meanwhile."""
    same = (outcomes.c.id == outcome.id, outcomes.c.changed_at == outcome.changed_at)
    return changed(connection, update(outcomes).where(*same).values(entry=entry)) == 1


def say_again(connection: Connection, identifier: int, at: str) -> None:
    """Has it put on record once more as it stands."""
    connection.execute(update(outcomes).where(outcomes.c.id == identifier).values(entry=None, changed_at=at))


def keep_paths(connection: Connection, incident: int, revision: str, paths: Iterable[str]) -> None:
    """The files that a cause of the incident touched."""
    for path in paths:
        insert_once(connection, culprit_paths, {"incident": incident, "revision": revision, "path": path})


def has_paths(connection: Connection, incident: int, revision: str) -> bool:
    mine = (culprit_paths.c.incident == incident, culprit_paths.c.revision == revision)
    return connection.execute(select(culprit_paths.c.path).where(*mine).limit(1)).first() is not None


def incidents_lately(
    connection: Connection, since: float, changed_since: str, *, most: int = 1000
) -> tuple[Incident, ...]:
    """Incidents that began, or of which anything became known, since then; the last first."""
    late = or_(incidents.c.started >= since, incidents.c.changed_at >= changed_since)
    query = select_as(Incident, incidents).where(late).order_by(incidents.c.id.desc()).limit(most)
    return every(connection, Incident, query)


def incidents_confirmed(connection: Connection, *, most: int = MOST) -> tuple[Incident, ...]:
    """Incidents of which a person said what they were, the last first."""
    mine = incidents.c.confirmed_by.is_not(None)
    query = select_as(Incident, incidents).where(mine).order_by(incidents.c.id.desc()).limit(most)
    return every(connection, Incident, query)


def count_unconfirmed(connection: Connection) -> int:
    """Incidents that are over and of which nobody said what they were."""
    mine = (incidents.c.confirmed_by.is_(None), incidents.c.state == "resolved")
    return connection.execute(select(func.count()).where(*mine)).scalar_one()


def incidents_at(
    connection: Connection, path: str, *, repository: int | None = None, most: int = MOST
) -> tuple[tuple[Incident, Outcome], ...]:
    """Incidents whose causes, as they are known now, touched the file, or a file in the folder; the last first.

    An incident that has several such causes is there for each of them, the surest first.
    """
    here = path.strip("/")
    at = or_(
        culprit_paths.c.path == here,
        *((culprit_paths.c.path.startswith(here + "/", autoescape=True),) if here else (culprit_paths.c.path != "",)),
    )
    pairs = select(culprit_paths.c.incident, culprit_paths.c.revision).where(at).distinct().subquery()
    query = (
        select(
            *(incidents.c[name] for name in Incident.__struct_fields__),
            *(outcomes.c[name] for name in Outcome.__struct_fields__),
        )
        .join(pairs, pairs.c.incident == incidents.c.id)
        .join(outcomes, (outcomes.c.revision == pairs.c.revision) & (outcomes.c.environment == incidents.c.environment))
        .where(outcomes.c.weight > 0, outcomes.c.by == "incident-" + incidents.c.id.cast(outcomes.c.by.type))
        .order_by(incidents.c.started.desc(), incidents.c.id.desc(), outcomes.c.weight.desc(), outcomes.c.id)
        .limit(most)
    )
    if repository is not None:
        query = query.where(outcomes.c.repository == repository)
    width = len(Incident.__struct_fields__)
    return tuple((Incident(*row[:width]), Outcome(*row[width:])) for row in connection.execute(query))


# Private


def _all() -> Select[Any]:
    return select_as(Outcome, outcomes)
