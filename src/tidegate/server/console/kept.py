"""What is kept of changes, read for the pages: the change, the last that was said of it, its lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from tidegate.change.diff import read_diff
from tidegate.change.git import Repository as Git
from tidegate.change.values import FileChange
from tidegate.errors import TidegateError
from tidegate.facts import AccountableFact, Facts
from tidegate.policy.verdict import Verdict
from tidegate.server.api.paging import found
from tidegate.server.cache import Cache
from tidegate.server.config import Config
from tidegate.server.hunks import ReadHunk, reading_order
from tidegate.server.mirrors import Mirrors
from tidegate.server.service import Service
from tidegate.store import accounts, assessments, changes, repositories
from tidegate.store.assessments import Assessment
from tidegate.store.changes import Change
from tidegate.store.repositories import Repository

T = TypeVar("T")

LARGEST_FILE = 1 << 20
"""Bytes of a file whose surroundings are shown."""
MOST_FILES = 300


class Document(Struct, frozen=True):
    """What was said of one state of a change, whole."""

    facts: Facts
    verdict: Verdict


class _Author(Struct, frozen=True):
    author: str = ""


class _Makers(Struct, frozen=True):
    prompters: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    accountable: tuple[AccountableFact, ...] = ()


class _BriefFacts(Struct, frozen=True):
    change: _Author = _Author()
    provenance: _Makers = _Makers()


class Brief(Struct, frozen=True):
    """The few parts of a document that a list of changes needs."""

    verdict: Verdict
    facts: _BriefFacts = _BriefFacts()

    @property
    def makers(self) -> frozenset[str]:
        """See `makers_of`."""
        return makers_of(self.facts)


class _Weighed(Struct, frozen=True):
    verdict: msgspec.Raw


class Opened(Struct, frozen=True):
    """A change as a page needs it. `document` None: not assessed yet, or what is kept cannot be read (`problem`)."""

    change: Change
    repository: Repository
    assessment: Assessment | None
    document: Document | None
    problem: str = ""

    @property
    def current(self) -> bool:
        """Whether what was said is of the head that the change has now."""
        return self.assessment is not None and self.assessment.head == self.change.head


def open_change(cache: Cache, connection: Connection, identifier: int) -> Opened:
    """Problem 404 where there is none."""
    change = found(changes.get(connection, identifier), "change")
    repository = found(repositories.get(connection, change.repository), "repository")
    last = assessments.latest(connection, change.id)
    if last is None:
        return Opened(change, repository, None, None)
    document, _ = cache.get(("document", last.id), lambda: _document(connection, last.id), lambda made: made[1])
    return Opened(change, repository, last, document, "" if document else "what is kept of its assessment is damaged")


def brief(cache: Cache, connection: Connection, assessment: int | None) -> Brief | None:
    """None where nothing was said yet, or it cannot be read."""
    if assessment is None:
        return None
    found, _ = cache.get(("brief", assessment), lambda: _brief(connection, assessment), lambda made: made[1])
    return found


def marks_of(connection: Connection, person: int) -> frozenset[str]:
    """All names under which a change may speak of a person, folded."""
    known = accounts.person(connection, person)
    names = [] if known is None else [known.name]
    names += [identity.subject for identity in accounts.identities_of(connection, person)]
    return frozenset(name.casefold() for name in names)


def makers_of(facts: Facts | _BriefFacts) -> frozenset[str]:
    """Everybody who opened, wrote, prompted, or answers for part of the change."""
    made = facts.provenance
    return frozenset((facts.change.author, *made.prompters, *made.authors, *(each.person for each in made.accountable)))


def is_one_of(marks: frozenset[str], people: Iterable[str]) -> bool:
    """Whether one of these texts (a login, an address, `Name <address>`) is a mark of the person."""
    return any(not marks.isdisjoint(_names(text)) for text in people)


def read_hunks(service: Service, opened: Opened) -> tuple[ReadHunk, ...]:
    """The hunks of the assessed state in reading order, with their lines where this machine holds them."""
    if opened.document is None or opened.assessment is None:
        return ()
    key = ("hunks", opened.assessment.id, opened.repository.slug)
    hunks, _ = service.cache.get(key, lambda: _read_hunks(service.config, opened), lambda made: made[1])
    return hunks


# Private

OPENED = 6
"""Bytes of memory for one of JSON, as it was measured of facts and verdicts."""
NEVER = -1


def _document(connection: Connection, assessment: int) -> tuple[Document | None, int]:
    """With its size for the cache; what is damaged is read again the next time."""
    kept = assessments.document(connection, assessment) or b""
    document = _decode(kept, Document)
    return document, OPENED * len(kept) if document else NEVER


def _brief(connection: Connection, assessment: int) -> tuple[Brief | None, int]:
    kept = assessments.document(connection, assessment) or b""
    found, weighed = _decode(kept, Brief), _decode(kept, _Weighed)
    return found, OPENED * len(bytes(weighed.verdict)) if found and weighed else NEVER


def _read_hunks(config: Config, opened: Opened) -> tuple[tuple[ReadHunk, ...], int]:
    """With their size for the cache: lines that are not at hand now may be later."""
    assert opened.document is not None  # noqa: S101 the caller looked
    facts, repository = opened.document.facts, opened.repository
    try:
        with Mirrors(config.data / "mirrors").open(repository.forge, repository.slug) as git:
            files = read_diff(git, facts.change.base_tree or git.empty_tree, facts.change.head_tree).files
            contents = _contents(git, files)
    except TidegateError:
        return reading_order(facts, (), {}), NEVER
    hunks = reading_order(facts, files, contents)
    lines = (len(line.text) + 200 for hunk in hunks for stretch in hunk.stretches for line in stretch.lines)
    return hunks, sum(lines) + 2000 * len(hunks)


def _names(text: str) -> set[str]:
    folded = text.casefold().strip()
    name, _, address = folded.partition("<")
    return {folded.lstrip("@"), address.rstrip("> ").strip()} - {""} if address else {name.lstrip("@")}


def _decode(kept: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(kept, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _contents(git: Git, files: Sequence[FileChange]) -> Mapping[bytes, Sequence[bytes]]:
    """The lines at the head of the files that have some, without their line breaks."""
    wanted = [file for file in files if file.hunks and file.status != "deleted"][:MOST_FILES]
    blobs = git.read_blobs([file.new_oid for file in wanted], LARGEST_FILE)
    return {
        file.path: blob.content.removesuffix(b"\n").split(b"\n")
        for file, blob in zip(wanted, blobs, strict=True)
        if blob.kind == "blob" and blob.content
    }
