"""Counts what is known of a change once it is merged, from what was said of it last and what people did before.

What is kept is small, and made anew from the same sources wherever a later version counts otherwise. People stand in it
under the pseudonyms that the ledger uses.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from tidegate.change.people import People
from tidegate.change.scrutiny import GLANCE_SECONDS, READ_BY_PEOPLE
from tidegate.errors import InputError, InternalError
from tidegate.facts import AgentFact, CommitFact, DebtFacts, Lines, Unknown
from tidegate.server.entries import pseudonym_of
from tidegate.server.forge.merged import MergedAs
from tidegate.server.hunks import CONTEXT
from tidegate.server.mirrors import open_mirrors
from tidegate.server.pseudonyms import marks_of, pseudonym_of_marks
from tidegate.server.service import Service
from tidegate.settings import Settings
from tidegate.store import accounts, approvals, assessments, landed, looks, repositories
from tidegate.store.changes import Change
from tidegate.store.clock import moment_of
from tidegate.store.landed import Landed
from tidegate.store.looks import PAGE
from tidegate.store.repositories import Repository

VERSION = 1
MOST_SECONDS = 2.0
"""So long at once: what is left over is done the next time."""
BATCH = 100
MOST_COMMITS = 50


def keep_landed(service: Service, seconds: float = MOST_SECONDS) -> int:
    """Counts merged changes that nothing is counted of yet; how many. Done twice, each is there once."""
    until = time.monotonic() + seconds
    done = after = 0
    while time.monotonic() < until:
        with service.database.read() as connection:
            found = landed.missing(connection, VERSION, after=after, most=BATCH)
        if not found:
            break
        teams = _Teams(service)

        def work(connection: Connection, found: Sequence[Change] = found, teams: _Teams = teams) -> None:
            counter = _Counter(connection, service.now(), teams)
            for change in found:
                landed.put(connection, counter.count(change), service.now())

        service.database.change(work)
        after = found[-1].id
        done += len(found)
    return done


# Private


class _Merged(MergedAs, frozen=True):
    updated_at: str = ""


class _File(Struct, frozen=True):
    kind: str
    added: int
    deleted: int
    generated: bool
    vendored: bool


class _Change(Struct, frozen=True):
    author: str = ""
    commits: tuple[CommitFact, ...] = ()
    files: tuple[_File, ...] = ()
    source_lines_added: int = 0
    source_lines_deleted: int = 0


class _Provenance(Struct, frozen=True):
    lines: Lines = Lines()
    source_lines: Lines = Lines()
    agents: tuple[AgentFact, ...] = ()


class _Verification(Struct, frozen=True):
    status: str = "unknown"
    unknowns: tuple[Unknown, ...] = ()
    cloned_lines: int = 0
    debt: DebtFacts = DebtFacts()


class _Reviewed(Struct, frozen=True):
    account: str = ""
    kind: str = ""
    at: str = ""


class _Review(Struct, frozen=True):
    status: str = "unknown"
    reviews: tuple[_Reviewed, ...] = ()


class _Facts(Struct, frozen=True):
    change: _Change = _Change()
    provenance: _Provenance = _Provenance()
    verification: _Verification = _Verification()
    review: _Review = _Review()


class _Document(Struct, frozen=True):
    facts: _Facts = _Facts()


_DECODER = msgspec.json.Decoder(_Document)


class _Teams:
    """Who is of which team, as the settings of a repository say."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[int, Settings | None] = {}

    def team(self, repository: Repository, base: str, account: str) -> str:
        """The first team by name that the account is of; "" where the settings name none, or cannot be read."""
        settings = self._settings(repository, base)
        if settings is None or not settings.teams or not account:
            return ""
        mine = {People(settings).of_account(account), account, f"@{account}"} - {""}
        return next((team for team, members in sorted(settings.teams.items()) if mine & set(members)), "")

    # Private

    def _settings(self, repository: Repository, base: str) -> Settings | None:
        from tidegate.change.configuration import read_settings

        if repository.id not in self._known:
            try:
                with open_mirrors(self._service.config).open(repository.forge, repository.slug) as mirror:
                    self._known[repository.id] = read_settings(mirror, base, {}).settings
            except InputError:
                self._known[repository.id] = None
        return self._known[repository.id]


class _Counter:
    def __init__(self, connection: Connection, now: str, teams: _Teams) -> None:
        self._connection = connection
        self._now = now
        self._teams = teams
        self._repositories: dict[int, Repository | None] = {}
        self._names: dict[tuple[int, str], str] = {}

    def count(self, change: Change) -> Landed:
        repository = self._repository(change.repository)
        merged = _merged(change.forge_state)
        at = _seconds(merged.merged_at) or _seconds(merged.updated_at) or _seconds(change.read_at) or 0.0
        facts = self._facts(change)
        author = self._account(repository, change.author)
        reviewers = self._reviewers(change, repository, facts, (author, at))
        effort, tests = _effort(facts.change.files)
        lines = facts.provenance.source_lines if facts.provenance.source_lines.added else facts.provenance.lines
        reviewed, seconds = self._read(change, author, at)
        agent = facts.provenance.agents[0] if facts.provenance.agents else None
        debt = _known(facts.verification, "verification.debt")
        return Landed(
            change=change.id,
            repository=change.repository,
            version=VERSION,
            at=at,
            began=min((each for each in (_seconds(c.authored_at) for c in facts.change.commits) if each), default=None),
            revision=merged.merge_commit,
            commits=" ".join(dict.fromkeys((change.head, *(c.oid for c in facts.change.commits[-MOST_COMMITS:])))),
            author=author,
            team=self._teams.team(repository, change.base, change.author) if repository else "",
            merged_by=self._account(repository, merged.merged_by),
            tool=agent.tool if agent else "",
            model=agent.model if agent else "",
            size=facts.change.source_lines_added + facts.change.source_lines_deleted,
            effort=effort,
            ai=lines.ai,
            human=lines.human,
            mixed=lines.mixed,
            unknown=lines.unknown,
            tests=tests,
            complexity=facts.verification.debt.complexity_added if debt else None,
            cloned=facts.verification.cloned_lines if _known(facts.verification, "verification.cloned_lines") else None,
            todos=facts.verification.debt.todos_added if debt else None,
            reviewers=reviewers,
            reviewed=None if reviewed is None else min(reviewed, effort),
            seconds=seconds,
        )

    # Private

    def _repository(self, number: int) -> Repository | None:
        if number not in self._repositories:
            self._repositories[number] = repositories.get(self._connection, number)
        return self._repositories[number]

    def _facts(self, change: Change) -> _Facts:
        """What was said of its head; of another head it would be of another change."""
        last = assessments.latest(self._connection, change.id, head=change.head)
        try:
            text = assessments.document(self._connection, last.id) if last is not None else None
            return _DECODER.decode(text).facts if text is not None else _Facts()
        except (InternalError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _Facts()

    def _account(self, repository: Repository | None, account: str) -> str:
        """The pseudonym of whoever has this account at the forge of the repository."""
        plain = account.strip().lstrip("@")
        if not plain or repository is None:
            return ""
        key = (repository.id, plain)
        if key not in self._names:
            marks = marks_of(f"@{plain}", repository)
            self._names[key] = pseudonym_of_marks(self._connection, marks, f"@{plain}", self._now)
        return self._names[key]

    def _person(self, number: int) -> str:
        person = accounts.person(self._connection, number)
        return pseudonym_of(self._connection, number, person.name, self._now) if person is not None else ""

    def _reviewers(
        self, change: Change, repository: Repository | None, facts: _Facts, by: tuple[str, float]
    ) -> str | None:
        """People who reviewed it before it was merged, here or at the forge, the author left out."""
        author, at = by
        said = [each for each in facts.review.reviews if each.kind == "human" and _before(each.at, at)]
        found = [self._account(repository, each.account) for each in said]
        signed = [each for each in approvals.of_change(self._connection, change.id) if _before(each.at, at)]
        found += [self._person(each.person) for each in signed]
        others = sorted(set(found) - {author, ""})
        if not others and facts.review.status == "unknown":
            return None
        return " ".join(others)

    def _read(self, change: Change, author: str, at: float) -> tuple[int | None, float | None]:
        """Lines of the head that others had before their eyes, and for how long they read, whatever the head was.

        The lines around a hunk are taken off, lines that are gone are not counted: it is rather too few than too many.
        """
        seen = [look for look in looks.of_change(self._connection, change.id) if _before(look.first_at, at)]
        own = {each for each in {look.person for look in seen} if self._person(each) == author}
        others = [look for look in seen if look.person not in own and look.hunk != PAGE]
        if not others:
            return None, None
        hunks = {look.hunk for look in others if look.head == change.head and look.seconds >= GLANCE_SECONDS}
        return sum(map(_lines, hunks)), sum(look.seconds for look in others)


def _lines(hunk: str) -> int:
    first, _, last = hunk.rpartition(":")[2].partition("-")
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        return 0
    return max(min(int(last), 10**7) - min(int(first), 10**7) + 1 - 2 * CONTEXT, 1)


def _effort(files: Iterable[_File]) -> tuple[int, int]:
    """Changed lines that people write and read, and those of tests among them."""
    mine = [file for file in files if file.kind in READ_BY_PEOPLE and not file.generated and not file.vendored]
    return sum(f.added + f.deleted for f in mine), sum(f.added + f.deleted for f in mine if f.kind == "test")


def _known(section: _Verification, path: str) -> bool:
    return section.status != "unknown" and not any(each.path in (path, "verification") for each in section.unknowns)


def _before(text: str, at: float) -> bool:
    said = _seconds(text)
    return said is not None and said <= at + 1


def _merged(text: str) -> _Merged:
    try:
        return msgspec.json.decode(text, type=_Merged)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Merged()


def _seconds(text: str) -> float | None:
    try:
        return moment_of(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None
