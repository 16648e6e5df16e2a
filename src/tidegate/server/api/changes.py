"""Changes, what was said of them, and asking again."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from tidegate.server.api.endpoint import Ask, Endpoint, Nothing, Raw
from tidegate.server.api.paging import DEFAULT, Id, Most, Paging, found
from tidegate.server.api.problems import Problem
from tidegate.server.forge import values as forge
from tidegate.store import assessments, changes, inbox, repositories
from tidegate.store.assessments import Filter
from tidegate.store.changes import Change

_CURSOR = re.compile(r"(-?[0-9]{1,3}(?:\.[0-9]{1,20})?(?:e-[0-9]{1,3})?)~([0-9]{1,18})")


class ChangeShown(Struct, frozen=True):
    """A change as its forge described it when it was last read."""

    id: int
    repository: int
    number: int
    title: str
    author: str
    target: str
    base: str
    head: str
    state: Literal["open", "merged", "closed"]
    opened_at: str
    read_at: str


class AssessmentShown(Struct, frozen=True):
    """What was said of one state of a change. `entry` is its index in the ledger; null: not recorded yet."""

    id: int
    change: int
    base: str
    head: str
    merge_tree: str
    policy: str
    facts: str
    verdict: str
    risk: str | None
    made_at: str
    entry: int | None


class QueuedShown(Struct, frozen=True):
    """`verdict` null: not assessed yet. `current`: whether the verdict is of the head that the change has now."""

    change: ChangeShown
    verdict: str | None
    risk: str | None
    current: bool


class Queue(Struct, frozen=True):
    """The riskiest first; one that was not rated comes before all rated ones."""

    items: tuple[QueuedShown, ...]
    next: str | None


class QueueQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`repository` 0 and empty texts: any. `verdict` "none": not assessed yet. `after`: the `next` of a page."""

    repository: Id = 0
    author: Annotated[str, Meta(max_length=200)] = ""
    target: Annotated[str, Meta(max_length=500)] = ""
    verdict: Literal["", "pass", "hold", "block", "none"] = ""
    after: Annotated[str, Meta(max_length=60)] = ""
    most: Most = DEFAULT


class FindQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """A change as its forge calls it: OWNER/NAME and the number of the pull or merge request."""

    forge: Literal["github", "gitlab"]
    slug: Annotated[str, Meta(min_length=1, max_length=300)]
    number: Id


class ChangePage(Struct, frozen=True):
    change: ChangeShown
    latest: AssessmentShown | None


class AssessmentPage(Struct, frozen=True):
    """The newest first."""

    items: tuple[AssessmentShown, ...]
    next: int | None


class Asked(Struct, frozen=True):
    """`new` is false where the same was asked a moment ago: it is being worked on."""

    new: bool


def queue(ask: Ask[QueueQuery, Nothing]) -> Queue:
    """Open changes."""
    query = ask.query
    verdicts = () if not query.verdict else ("" if query.verdict == "none" else query.verdict,)
    wanted = Filter(query.repository or None, query.author or None, query.target or None, verdicts)
    with ask.service.database.read() as connection:
        rows = assessments.queue(connection, wanted, after=_after(query.after), most=query.most)
        items = tuple(
            QueuedShown(shown(found(changes.get(connection, row.change), "change")), row.verdict, row.risk, row.current)
            for row in rows
        )
    last = f"{rows[-1].rank!r}~{rows[-1].change}" if len(rows) == query.most else None
    return Queue(items, last)


def change(ask: Ask[Nothing, Nothing]) -> ChangePage:
    """One change and what was last said of it."""
    with ask.service.database.read() as connection:
        row = found(changes.get(connection, ask.path["change"]), "change")
        latest = assessments.latest(connection, row.id)
    return ChangePage(shown(row), None if latest is None else shown_assessment(latest))


def find(ask: Ask[FindQuery, Nothing]) -> ChangePage:
    """The change of a pull or merge request."""
    query = ask.query
    with ask.service.database.read() as connection:
        repository = found(repositories.find(connection, query.forge, query.slug), "change")
        row = found(changes.find(connection, repository.id, query.number), "change")
        latest = assessments.latest(connection, row.id)
    return ChangePage(shown(row), None if latest is None else shown_assessment(latest))


def all_assessments(ask: Ask[Paging, Nothing]) -> AssessmentPage:
    """Everything that was ever said of a change."""
    query = ask.query
    with ask.service.database.read() as connection:
        row = found(changes.get(connection, ask.path["change"]), "change")
        rows = assessments.of_change(connection, row.id, before=query.after or None, most=query.most)
    return AssessmentPage(tuple(map(shown_assessment, rows)), rows[-1].id if len(rows) == query.most else None)


def assessment(ask: Ask[Nothing, Nothing]) -> AssessmentShown:
    """What was said, in a few words."""
    with ask.service.database.read() as connection:
        return shown_assessment(found(assessments.get(connection, ask.path["assessment"]), "assessment"))


def document(ask: Ask[Nothing, Nothing]) -> Raw:
    """All facts and the whole verdict, as they were kept: `tidegate schema check` describes them."""
    with ask.service.database.read() as connection:
        return Raw(found(assessments.document(connection, ask.path["assessment"]), "assessment"), "application/json")


def assess(ask: Ask[Nothing, Nothing]) -> Asked:
    """Goes the way of a delivery of the forge, so that it is not lost; the forge is asked how the change stands."""
    service, now = ask.service, ask.service.now()
    with service.database.read() as connection:
        row = found(changes.get(connection, ask.path["change"]), "change")
        repository = found(repositories.get(connection, row.repository), "repository")
    if repository.removed_at is not None or row.state != "open":
        raise Problem(409, "this change is not looked after any more")
    name = f"tidegate-ask-{row.id}-{row.head}-{now[:16]}"  # to the minute: asked again at once, it is the same
    hint = forge.Delivery(name, "again", repository.slug, "asked", row.number, row.head)
    asked = inbox.Delivery(repository.forge, name, hint.event, repository.slug, msgspec.json.encode(hint))
    new = service.database.change(lambda connection: inbox.receive(connection, asked, now))
    if new:
        service.wake()
    return Asked(new)


def shown(row: Change) -> ChangeShown:
    return ChangeShown(**{name: getattr(row, name) for name in ChangeShown.__struct_fields__})


def shown_assessment(row: assessments.Assessment) -> AssessmentShown:
    return AssessmentShown(**{name: getattr(row, name) for name in AssessmentShown.__struct_fields__})


# Private


def _after(text: str) -> tuple[float, int] | None:
    if not text:
        return None
    matched = _CURSOR.fullmatch(text)
    if matched is None:
        raise Problem(422, "`after` is not the `next` of a page")
    return float(matched[1]), int(matched[2])


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/changes",
        needs="changes:read",
        summary="Open changes, the riskiest first",
        handler=queue,
        query=QueueQuery,
        answer=Queue,
    ),
    Endpoint(
        method="GET",
        path="/pull",
        needs="changes:read",
        summary="The change of a pull or merge request",
        handler=find,
        query=FindQuery,
        answer=ChangePage,
        problems=(404,),
    ),
    Endpoint(
        method="GET",
        path="/changes/{change:int}",
        needs="changes:read",
        summary="A change and its latest verdict",
        handler=change,
        answer=ChangePage,
    ),
    Endpoint(
        method="GET",
        path="/changes/{change:int}/assessments",
        needs="changes:read",
        summary="All verdicts on a change, the newest first",
        handler=all_assessments,
        query=Paging,
        answer=AssessmentPage,
    ),
    Endpoint(
        method="POST",
        path="/changes/{change:int}/assessments",
        needs="changes:assess",
        summary="Ask for a new verdict",
        handler=assess,
        answer=Asked,
        status=202,
        problems=(409,),
    ),
    Endpoint(
        method="GET",
        path="/assessments/{assessment:int}",
        needs="changes:read",
        summary="A verdict",
        handler=assessment,
        answer=AssessmentShown,
    ),
    Endpoint(
        method="GET",
        path="/assessments/{assessment:int}/document",
        needs="changes:read",
        summary="All facts and the whole verdict",
        handler=document,
        answer=dict[str, Any],
    ),
)
