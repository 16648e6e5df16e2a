"""What the service knows of changes beside its ledger: the forge's word for an audit, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from tidegate.change.approvals import repository_uri, target_ref
from tidegate.change.codeowners import NO_OWNERS
from tidegate.errors import InputError, TidegateError
from tidegate.ledger.evidence.pack import Facts
from tidegate.ledger.evidence.values import Click, Emergency, Merge, World
from tidegate.policy.approvals import read_makers
from tidegate.policy.case import Case, UnknownFactError
from tidegate.policy.document import conform
from tidegate.policy.identities import Identities
from tidegate.server.forge.merged import MergedAs
from tidegate.server.standing import MAKERS, name_in
from tidegate.settings import Settings
from tidegate.store import assessments, changes, emergencies, repositories
from tidegate.store.changes import Change
from tidegate.store.clock import moment_of
from tidegate.store.engine import Database
from tidegate.store.erasure import PSEUDONYM
from tidegate.store.repositories import Repository
from tidegate.store.tables import assessments as assessment_rows
from tidegate.store.tables import changes as change_rows
from tidegate.store.tables import values

PAGE = 500
SETTLE_SECONDS = 3_600.0
"""An assessment that has no entry yet may still get one; after this it is a gap."""


def repository_of(database: Database, uri: str) -> Repository:
    """The repository that statements name so. InputError where the service looks after none, or after two."""
    with database.read() as connection:
        found = [each for each in _repositories(connection) if repository_uri(each.slug) == uri]
    if len(found) != 1:
        raise InputError(
            f"{len(found)} repositories are called so", where=uri, mend="write it as statements do: repo:OWNER/NAME"
        )
    return found[0]


def read_world(database: Database, uri: str, settings: Settings, now: str) -> World:
    """Merged changes with their makers, declared emergencies, and decisions that never reached the ledger.

    `settings` are those of the protected branch: its identity map says who is who. Branches are for the caller.
    """
    repository = repository_of(database, uri)
    with database.read() as connection:
        reading = _Reading(connection, repository, settings)
        merges = tuple(reading.merge(change) for change in reading.merged())
        return World(
            repository=uri,
            branches=(),
            merges=merges,
            emergencies=tuple(reading.emergencies()),
            unrecorded=tuple(reading.unrecorded(now)),
        )


def facts_of(database: Database, uri: str) -> Facts:
    """Answers the document that was kept for a facts digest of this repository."""
    repository = repository_of(database, uri)

    def read(digest: str) -> bytes | None:
        with database.read() as connection:
            mine = change_rows.c.repository == repository.id
            query = (
                select(assessment_rows.c.id)
                .join(change_rows, change_rows.c.id == assessment_rows.c.change)
                .where(mine, assessment_rows.c.facts == digest)
                .order_by(assessment_rows.c.id.desc())
                .limit(1)
            )
            found = connection.execute(query).scalar()
            return None if found is None else assessments.document(connection, found)

    return read


# Private


class _Said(MergedAs, frozen=True):
    """What `changes.forge_state` keeps of it."""

    updated_at: str = ""


class _Review(Struct, frozen=True):
    """What is read of a review in kept facts."""

    person: str
    kind: str
    state: str
    commit: str
    at: str
    evidence: str = ""


class _Reading:
    def __init__(self, connection: Connection, repository: Repository, settings: Settings) -> None:
        self._connection = connection
        self._repository = repository
        self._settings = settings
        self._pseudonyms = self._read_pseudonyms()

    def merged(self) -> Iterator[Change]:
        last = 0
        while page := changes.page(self._connection, repository=self._repository.id, after=last, most=PAGE):
            last = page[-1].id
            yield from (change for change in page if change.state == "merged")

    def merge(self, change: Change) -> Merge:
        said = _state(change.forge_state)
        document = self._document(change)
        names, unknown = self._makers(document)
        return Merge(
            number=change.number,
            target=target_ref(change.target),
            head=change.head,
            commit=said.merge_commit,
            at=moment_of(said.merged_at or said.updated_at or change.read_at).timestamp(),
            makers=tuple(sorted({each for name in names for each in self._known_as(name)})),
            unknown_lines=unknown,
            title=change.title,
            clicks=tuple(self._clicks(document)),
        )

    def emergencies(self) -> Iterator[Emergency]:
        last = 0
        while page := emergencies.page(self._connection, after=last, most=PAGE):
            last = page[-1].id
            for each in page:
                change = changes.get(self._connection, each.change)
                if change is not None and change.repository == self._repository.id:
                    at = moment_of(each.asked_at).timestamp()
                    yield Emergency(change.head, at, each.confirmed_by is not None)

    def unrecorded(self, now: str) -> Iterator[str]:
        for made in assessments.unrecorded(self._connection, now, most=PAGE):
            change = changes.get(self._connection, made.change)
            late = moment_of(now).timestamp() - moment_of(made.made_at).timestamp() > SETTLE_SECONDS
            if late and change is not None and change.repository == self._repository.id:
                yield made.head

    def _document(self, change: Change) -> Mapping[str, Any] | None:
        made = assessments.latest(self._connection, change.id, head=change.head)
        try:
            kept = assessments.document(self._connection, made.id) if made is not None else None
            facts = msgspec.json.decode(kept).get("facts") if kept is not None else None
        except (TidegateError, msgspec.DecodeError, UnicodeDecodeError, AttributeError):
            return None
        return facts if isinstance(facts, dict) else None

    def _makers(self, document: Mapping[str, Any] | None) -> tuple[tuple[str, ...], int | None]:
        """Who made it, by the identity map, and how many lines nobody speaks for; None where neither could be told."""
        if document is None:
            return (), None
        try:
            case = Case(conform(document), NO_OWNERS, self._settings, "")
            names = read_makers(case, MAKERS, Identities(self._settings)).people
        except (UnknownFactError, InputError):
            return (), None
        provenance = document.get("provenance", {})
        lines = provenance.get("lines", {}) if isinstance(provenance, dict) else {}
        unknown = lines.get("unknown") if isinstance(lines, dict) else None
        return tuple(names), unknown if isinstance(unknown, int) else None

    def _clicks(self, document: Mapping[str, Any] | None) -> Iterator[Click]:
        """Approvals of the forge as the facts hold them, each by whom the identity map says that it is."""
        review = (document or {}).get("review", {})
        reviews = review.get("reviews", ()) if isinstance(review, dict) else ()
        for each in reviews:
            try:
                fact = msgspec.convert(each, _Review)
                at = moment_of(fact.at).timestamp()
            except (msgspec.ValidationError, ValueError):
                continue
            if fact.state == "approved" and fact.evidence in ("", "forge-click"):
                person = next(iter(self._known_as(fact.person)), "") if fact.person else ""
                yield Click(person, fact.commit, at, bot=fact.kind == "bot")

    def _known_as(self, name: str) -> tuple[str, ...]:
        """The person's pseudonyms; who never had one is known by the name, which stays out of every pack."""
        return self._pseudonyms.get(name) or (f"name:{name}",)

    def _read_pseudonyms(self) -> dict[str, tuple[str, ...]]:
        """Pseudonyms by the name that the identity map gives their person."""
        found: dict[str, tuple[str, ...]] = {}
        query = select(values.c.name, values.c.value).where(values.c.name.like(f"{PSEUDONYM}%"))
        for row, pseudonym in self._connection.execute(query):
            number = row.removeprefix(PSEUDONYM)
            name = name_in(self._connection, self._settings, self._repository, int(number)) if number.isdigit() else ""
            if name:
                found[name] = (*found.get(name, ()), pseudonym)
        return found


def _repositories(connection: Connection) -> Sequence[Repository]:
    found: list[Repository] = []
    while page := repositories.page(connection, after=found[-1].id if found else 0):
        found += page
    return found


def _state(text: str) -> _Said:
    try:
        return msgspec.json.decode(text, type=_Said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Said()
