"""What was said of a change: one assessment for each key, so that the same question asked twice is one decision."""

from __future__ import annotations

import zlib

from msgspec import Struct
from sqlalchemy import Connection, Float, and_, cast, func, or_, select, update

from tidegate.errors import InternalError
from tidegate.store.rows import changed, every, insert_once, one, present, select_as
from tidegate.store.tables import assessments, changes

MOST = 100
LARGEST_DOCUMENT = 256 * 1024 * 1024
UNRATED = 2.0
"""Where a change stands in the queue that was not rated, or not assessed: before every rated one."""


class NewAssessment(Struct, frozen=True):
    """`key` is what it follows from; `risk` a number as text, None where it was not rated; `document` plain JSON."""

    change: int
    key: str
    base: str
    head: str
    merge_tree: str
    policy: str
    facts: str
    verdict: str
    risk: str | None
    document: bytes


class Assessment(Struct, frozen=True):
    id: int
    change: int
    key: str
    base: str
    head: str
    merge_tree: str
    policy: str
    facts: str
    verdict: str
    risk: str | None
    made_at: str
    entry: int | None


class Put(Struct, frozen=True):
    assessment: Assessment
    new: bool


class Queued(Struct, frozen=True):
    """An open change, what was last said of it (None: nothing yet), and where it stands: the larger, the earlier."""

    change: int
    rank: float
    assessment: int | None
    verdict: str | None
    risk: str | None
    current: bool
    """Whether the assessment is of the head that the change has now."""


class Filter(Struct, frozen=True):
    """Which open changes; None is any. `verdicts` "" stands for those that were not assessed."""

    repository: int | None = None
    author: str | None = None
    target: str | None = None
    verdicts: tuple[str, ...] = ()


def put(connection: Connection, assessment: NewAssessment, at: str) -> Put:
    """Writes it once: where its key is there, what is there is answered, and nothing is written."""
    values = {name: getattr(assessment, name) for name in assessment.__struct_fields__}
    values["document"] = zlib.compress(assessment.document)
    new = insert_once(connection, assessments, {**values, "made_at": at})
    return Put(present(by_key(connection, assessment.key)), new)


def get(connection: Connection, identifier: int) -> Assessment | None:
    return one(connection, Assessment, select_as(Assessment, assessments).where(assessments.c.id == identifier))


def by_key(connection: Connection, key: str) -> Assessment | None:
    return one(connection, Assessment, select_as(Assessment, assessments).where(assessments.c.key == key))


def latest(connection: Connection, change: int, *, head: str | None = None) -> Assessment | None:
    """The last that was made of the change; of this head of it, where one is given."""
    query = select_as(Assessment, assessments).where(assessments.c.change == change)
    if head is not None:
        query = query.where(assessments.c.head == head)
    return one(connection, Assessment, query.order_by(assessments.c.id.desc()).limit(1))


def last_of_changes(connection: Connection, repository: int, *, most: int = MOST) -> tuple[Assessment, ...]:
    """The last that was made of each of the newest changes of a repository which have any, the oldest change first."""
    mine = select(func.max(assessments.c.id)).join(changes, changes.c.id == assessments.c.change)
    newest = mine.where(changes.c.repository == repository).group_by(changes.c.id).order_by(changes.c.id.desc())
    query = select_as(Assessment, assessments).where(assessments.c.id.in_(newest.limit(most)))
    return every(connection, Assessment, query.order_by(assessments.c.change))


def of_change(
    connection: Connection, change: int, *, before: int | None = None, most: int = MOST
) -> tuple[Assessment, ...]:
    """The newest first, from before the one with id `before`."""
    query = select_as(Assessment, assessments).where(assessments.c.change == change)
    if before is not None:
        query = query.where(assessments.c.id < before)
    return every(connection, Assessment, query.order_by(assessments.c.id.desc()).limit(most))


def document(connection: Connection, identifier: int) -> bytes | None:
    """The JSON of facts and verdict. InternalError where what is kept is damaged."""
    kept = connection.execute(select(assessments.c.document).where(assessments.c.id == identifier)).scalar()
    if kept is None:
        return None
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(kept, LARGEST_DOCUMENT)
    except zlib.error as error:
        raise InternalError("a kept assessment is damaged", where=f"assessment {identifier}") from error
    if not unpacker.eof:
        raise InternalError("a kept assessment is cut off or too large", where=f"assessment {identifier}")
    return plain


def set_entry(connection: Connection, identifier: int, entry: int) -> bool:
    """Says where the ledger holds it, once. False where another entry is said already."""
    free = or_(assessments.c.entry.is_(None), assessments.c.entry == entry)
    mine = update(assessments).where(assessments.c.id == identifier, free)
    return changed(connection, mine.values(entry=entry)) == 1


def unrecorded(connection: Connection, older_than: str, *, most: int = MOST) -> tuple[Assessment, ...]:
    """Those that no entry of the ledger is said for: a worker died between the two."""
    open_ = (assessments.c.entry.is_(None), assessments.c.made_at < older_than)
    return every(connection, Assessment, select_as(Assessment, assessments).where(*open_).order_by("id").limit(most))


def queue(
    connection: Connection, wanted: Filter, *, after: tuple[float, int] | None = None, most: int = MOST
) -> tuple[Queued, ...]:
    """Open changes, the riskiest first; one without a rating comes before all rated ones.

    `after` is the (rank, change) of the last one of the page before.
    """
    others = assessments.alias()
    last = select(func.max(others.c.id)).where(others.c.change == changes.c.id).correlate(changes).scalar_subquery()
    rank = func.coalesce(cast(assessments.c.risk, Float), UNRATED).label("rank")
    current = func.coalesce(assessments.c.head == changes.c.head, False)
    query = (
        select(changes.c.id, rank, assessments.c.id, assessments.c.verdict, assessments.c.risk, current)
        .select_from(changes.outerjoin(assessments, assessments.c.id == last))
        .where(changes.c.state == "open")
        .order_by(rank.desc(), changes.c.id)
        .limit(most)
    )
    for column, value in ((changes.c.repository, wanted.repository), (changes.c.author, wanted.author)):
        if value is not None:
            query = query.where(column == value)
    if wanted.target is not None:
        query = query.where(changes.c.target == wanted.target)
    if wanted.verdicts:
        query = query.where(func.coalesce(assessments.c.verdict, "").in_(wanted.verdicts))
    if after is not None:
        place = func.coalesce(cast(assessments.c.risk, Float), UNRATED)
        query = query.where(or_(place < after[0], and_(place == after[0], changes.c.id > after[1])))
    return tuple(
        Queued(change, rank, assessment, verdict, risk, bool(fits))
        for change, rank, assessment, verdict, risk, fits in connection.execute(query)
    )
