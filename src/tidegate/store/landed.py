"""What is counted of changes that were merged, and what became of them: what insight asks of the tables.

One row a change, made from what is kept of it; a row that an older version made is made anew.
"""

from __future__ import annotations

from msgspec import Struct, structs
from sqlalchemy import Connection, and_, func, or_, select

from tidegate.store.changes import Change
from tidegate.store.rows import every, select_as, upsert
from tidegate.store.tables import attachments, changes, costs, deployments, incidents, landed, outcomes, repositories

MOST = 200_000


class Landed(Struct, frozen=True, gc=False):
    """A merged change. `commits` and `reviewers` have a blank between; people stand under pseudonyms.

    Numbers of lines and of what they add; None where nobody knows. `reviewers` None: nobody knows whether anybody did.
    """

    change: int
    repository: int
    version: int
    at: float
    began: float | None
    revision: str
    commits: str
    author: str
    team: str
    merged_by: str
    tool: str
    model: str
    size: int
    effort: int
    ai: int
    human: int
    mixed: int
    unknown: int
    tests: int
    complexity: int | None
    cloned: int | None
    todos: int | None
    reviewers: str | None
    reviewed: int | None
    seconds: float | None


class Said(Struct, frozen=True, gc=False):
    """An outcome, as far as it is counted."""

    repository: int
    revision: str
    result: str
    weight: float
    deployed: float
    redeploys: int


class Deployed(Struct, frozen=True, gc=False):
    """A deployment, as far as it is counted."""

    id: int
    service: str
    status: str
    action: str
    started: float
    finished: float | None
    repository: str
    revision: str


class Failed(Struct, frozen=True, gc=False):
    """An incident, as far as it is counted."""

    started: float
    ended: float | None
    deployment: int | None
    probability: float | None
    resolved_by: int | None
    cause: str


def put(connection: Connection, row: Landed, at: str) -> None:
    """Writes it, over what an earlier version made of the change."""
    values = structs.asdict(row)
    statement = upsert(connection, landed).values(**values, kept_at=at)
    fresh = {name: statement.excluded[name] for name in (*values, "kept_at") if name != "change"}
    connection.execute(statement.on_conflict_do_update(index_elements=["change"], set_=fresh))


def missing(connection: Connection, version: int, *, after: int = 0, most: int = 200) -> tuple[Change, ...]:
    """Merged changes from after the one with this id that have no row of this version."""
    query = select_as(Change, changes).outerjoin(landed, landed.c.change == changes.c.id)
    old = or_(landed.c.change.is_(None), landed.c.version < version)
    query = query.where(changes.c.state == "merged", changes.c.id > after, old)
    return every(connection, Change, query.order_by(changes.c.id).limit(most))


def count_missing(connection: Connection) -> int:
    """Merged changes that nothing is counted of yet."""
    whole = select(func.count()).select_from(changes).where(changes.c.state == "merged")
    known = select(func.count()).select_from(landed)
    return max(connection.execute(whole).scalar_one() - connection.execute(known).scalar_one(), 0)


def between(
    connection: Connection, since: float, until: float, *, repository: int | None = None, most: int = MOST
) -> tuple[Landed, ...]:
    """Those merged from `since` to before `until`, the last first."""
    query = select_as(Landed, landed).where(landed.c.at >= since, landed.c.at < until)
    if repository is not None:
        query = query.where(landed.c.repository == repository)
    return every(connection, Landed, query.order_by(landed.c.at.desc(), landed.c.change.desc()).limit(most))


def said(
    connection: Connection, environment: str, since: float, *, repository: int | None = None, most: int = 2 * MOST
) -> tuple[Said, ...]:
    """What became there of what was deployed since, and stands; the last deployed first."""
    mine = and_(outcomes.c.environment == environment, outcomes.c.weight > 0, outcomes.c.deployed >= since)
    query = select_as(Said, outcomes).where(mine)
    if repository is not None:
        query = query.where(outcomes.c.repository == repository)
    return every(connection, Said, query.order_by(outcomes.c.deployed.desc(), outcomes.c.id.desc()).limit(most))


def deployed(
    connection: Connection, environment: str, since: float, until: float, *, most: int = MOST
) -> tuple[Deployed, ...]:
    """Deployments to an environment that began then, the last first."""
    mine = and_(deployments.c.environment == environment, deployments.c.started >= since, deployments.c.started < until)
    query = select_as(Deployed, deployments).where(mine)
    return every(
        connection, Deployed, query.order_by(deployments.c.started.desc(), deployments.c.id.desc()).limit(most)
    )


def failed(connection: Connection, environment: str, since: float, *, most: int = MOST) -> tuple[Failed, ...]:
    """Incidents of an environment that began since, the last first."""
    mine = and_(incidents.c.environment == environment, incidents.c.started >= since)
    query = select_as(Failed, incidents).where(mine)
    return every(connection, Failed, query.order_by(incidents.c.started.desc(), incidents.c.id.desc()).limit(most))


def slugs(connection: Connection) -> dict[int, str]:
    """Repositories by number, those that were removed as well."""
    return {row.id: row.slug for row in connection.execute(select(repositories.c.id, repositories.c.slug))}


def newest(connection: Connection) -> str:
    """What changes whenever one of the tables does that are counted here: their newest times and numbers of rows."""
    stamps = (
        (landed, landed.c.kept_at),
        *((each, each.c.changed_at) for each in (outcomes, deployments, incidents, costs)),
    )
    parts = [
        connection.execute(select(func.max(column), func.count()).select_from(table)).one() for table, column in stamps
    ]
    reports = connection.execute(select(func.max(attachments.c.id))).scalar()
    return " ".join((*(f"{row[0] or '-'}/{row[1]}" for row in parts), str(reports or 0)))
