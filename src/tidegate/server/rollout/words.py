"""What people say for a deployment: yes to a revision, or that a demand is set aside by two of them.

Who is who is decided by the identity map of the repository's protected branch, now and again whenever a gate asks:
somebody who left, or lost their role, has said nothing.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.change.configuration import read_settings
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.ledger.fields import EntryRef, Subject
from tidegate.ledger.predicates.deployment_word import DeploymentWord
from tidegate.ledger.predicates.revocation import Revocation
from tidegate.ledger.statements import Statement
from tidegate.rollout.contracts.request import Asked
from tidegate.rollout.document import LONGEST_EXCEPTION_DAYS, Leave, Unreadable
from tidegate.rollout.gate import SKEW_SECONDS, Approval
from tidegate.rollout.read import read_rollout
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.server.entries import append, keep_body, pseudonym_of, time_of
from tidegate.server.rollout.protected import bring_protected
from tidegate.server.service import Service
from tidegate.server.standing import may_sign, name_in
from tidegate.server.work.record import uri_of
from tidegate.settings import Settings
from tidegate.store import accounts, repositories
from tidegate.store import deployment_approvals as kept
from tidegate.store.clock import moment_of, text_of
from tidegate.store.deployment_approvals import Covers, NewWord, Word
from tidegate.store.repositories import Repository

Through: TypeAlias = Literal["session", "token"]
LONGEST_DAYS = 7
"""Of an approval; of an exception it is LONGEST_EXCEPTION_DAYS."""


class Said(Struct, frozen=True, kw_only=True):
    """What somebody says, for `hours` from now. `covers` "" approves `revision`; else it sets that demand aside."""

    environment: str
    hours: int
    covers: Covers = ""
    service: str = ""
    revision: str = ""
    freeze: str = ""
    reason: str = ""


def say(service: Service, who: Who, repository: int, said: Said) -> Word:
    """Keeps it, and enters it into the ledger. Problem 403 where they may not, 422 where it says too little or too
    much, 409 where the protected branch cannot be read."""
    most = LONGEST_DAYS if not said.covers else LONGEST_EXCEPTION_DAYS
    if not 0 < said.hours <= most * 24:
        raise Problem(422, f"it lasts 1 to {most * 24} hours")
    if said.covers and len(said.reason.split()) < 3:
        raise Problem(422, "an exception has a reason in words")
    if not said.covers and not said.revision:
        raise Problem(422, "an approval is of one revision", mend="write all its digits: git rev-parse")
    place = _repository(service, repository)
    _check_person(service, who, place, said.environment)
    starts = _begins(service.now())
    new = NewWord(
        person=who.person,
        repository=place.id,
        covers=said.covers,
        environment=said.environment,
        service=said.service,
        revision=said.revision,
        freeze=said.freeze,
        reason=said.reason,
        starts=starts,
        ends=starts + said.hours * 3600.0,
    )
    return _keep(service, who, place, new, None)


def join(service: Service, who: Who, exception: int) -> Word:
    """A second person gives the same exception: until the same end, for the same. Problem 403 for one and the same."""
    with service.database.read() as connection:
        first = kept.get(connection, exception)
    if first is None or not first.covers or first.joins is not None:
        raise Problem(404, "there is no such exception")
    now = service.now()
    if first.revoked_at is not None or first.ends <= moment_of(now).timestamp():
        raise Problem(409, "it has ended, or was taken back", mend="ask for another")
    place = _repository(service, first.repository)
    settings = _check_person(service, who, place, first.environment)
    with service.database.read() as connection:
        names = [name_in(connection, settings, place, person) for person in (first.person, who.person)]
    if first.person == who.person or names[0] == names[1]:
        raise Problem(403, "another person has to give it too, not another account")
    new = NewWord(
        person=who.person,
        repository=place.id,
        covers=first.covers,
        environment=first.environment,
        service=first.service,
        revision=first.revision,
        freeze=first.freeze,
        reason=first.reason,
        starts=_begins(now),
        ends=first.ends,
        joins=first.id,
    )
    return _keep(service, who, place, new, first)


def take_back(service: Service, who: Who, word: int, reason: str) -> Word:
    """Whoever said it, or an admin. Twice is once. Problem 404 where it is not theirs."""
    with service.database.read() as connection:
        found = kept.get(connection, word)
    if found is None or (found.person != who.person and who.role != "admin"):
        raise Problem(404, "there is no such word of yours")
    now = service.now()
    if service.database.change(lambda connection: kept.revoke(connection, word, now)) and found.entry is not None:
        _enter_revocation(service, who, (found.entry, word), reason)
    with service.database.read() as connection:
        return kept.get(connection, word) or found


def approvals_in(
    connection: Connection, settings: Settings, repository: Repository, asked: Asked, now: float
) -> tuple[Approval, ...]:
    """The approvals of this deployment, by the names of the identity map. Whether one counts is for the gate."""
    return tuple(
        Approval(
            by=name,
            at=word.starts,
            expires=word.ends,
            revision=word.revision,
            environment=word.environment,
            service=word.service,
        )
        for word, name in _named(connection, settings, repository, asked, now)
        if not word.covers
    )


def leaves_in(
    connection: Connection, settings: Settings, repository: Repository, asked: Asked, now: float
) -> tuple[Leave, ...]:
    """The exceptions that somebody joined, once for each who did. Whether those are two people is for the gate."""
    words = _named(connection, settings, repository, asked, now)
    firsts = {word.id: (word, name) for word, name in words if word.covers and word.joins is None}
    found: list[Leave] = []
    for word, name in words:
        first, by = firsts.get(word.joins, (None, "")) if word.joins is not None else (None, "")
        if first is None or not first.covers:
            continue
        found.append(
            Leave(
                covers=first.covers,
                environment=first.environment,
                people=(by, name),
                reason=first.reason,
                starts=max(first.starts, word.starts),
                ends=min(first.ends, word.ends),
                freeze=first.freeze,
                revision=first.revision,
                origin=f"exception {first.id}",
            )
        )
    return tuple(found)


# Private


def _named(
    connection: Connection, settings: Settings, repository: Repository, asked: Asked, now: float
) -> list[tuple[Word, str]]:
    """What is on record, still holds, and was said by somebody who may: with who that is in the identity map."""
    found: list[tuple[Word, str]] = []
    for word in kept.live(connection, repository.id, asked.environment, now):
        person = accounts.person(connection, word.person)
        if word.entry is None or word.service != asked.service or person is None or not may_sign(person):
            continue
        name = name_in(connection, settings, repository, person.id)
        if name:
            found.append((word, name))
    return found


def _repository(service: Service, identifier: int) -> Repository:
    with service.database.read() as connection:
        found = repositories.get(connection, identifier)
    if found is None or found.removed_at is not None:
        raise Problem(404, "there is no such repository")
    return found


def _check_person(service: Service, who: Who, repository: Repository, environment: str) -> Settings:
    """Problem 403 for an agent, for whoever may not sign, and for somebody whom the protected branch does not know."""
    brought = bring_protected(service, repository)
    try:
        with open_repository(brought.path, bare=True) as clone:
            settings = read_settings(clone, brought.tip, {}).settings
            document = read_rollout(clone, brought.tip)
    except InputError as error:
        raise Problem(409, "the settings of the protected branch are broken", detail=error.what) from error
    if isinstance(document, Unreadable):
        raise Problem(409, document.reason, mend=document.mend)
    if environment not in document.environments:
        raise Problem(422, "the rollout document has no such environment", detail=document.origin)
    with service.database.read() as connection:
        person = accounts.person(connection, who.person)
        if person is None or not may_sign(person):
            raise Problem(403, "only approvers say this, and never an agent")
        if not name_in(connection, settings, repository, who.person):
            raise Problem(
                403,
                "none of your accounts is in [people] on the protected branch",
                mend="have your account at the forge added here, and to tidegate.toml on the protected branch",
            )
    return settings


def _keep(service: Service, who: Who, repository: Repository, new: NewWord, first: Word | None) -> Word:
    now = service.now()

    def work(connection: Connection) -> tuple[Word, str, str]:
        word = kept.put(connection, new, now).word
        person = pseudonym_of(connection, who.person, who.name, now)
        return word, person, keep_body(connection, person, "reason", new.reason.encode(), now)

    word, person, reason = service.database.change(work)
    joined = service.log.entry(first.entry) if first is not None and first.entry is not None else None
    through: Through = "session" if who.session else "token"
    said = DeploymentWord(
        repository=uri_of(repository),
        environment=new.environment,
        person=person,
        through=through,
        at=time_of(now),
        begins=_time(new.starts),
        expires=_time(new.ends),
        reason=reason,
        covers=new.covers,
        commit=new.revision,
        service=new.service,
        freeze=new.freeze,
        joins=EntryRef(index=joined.index, leaf=joined.leaf.hex()) if joined is not None else None,
    )
    digest = {"gitCommit": new.revision} if new.revision else {"sha256": repository_digest(repository)}
    entry = append(service, f"deployment-word/{word.id}", Statement((Subject(digest=digest),), said), new.revision)
    service.database.change(lambda connection: kept.set_entry(connection, word.id, entry))
    with service.database.read() as connection:
        return kept.get(connection, word.id) or word


def repository_digest(repository: Repository) -> str:
    """What a statement is about that is about no commit: the name of the repository."""
    import hashlib

    return hashlib.sha256(uri_of(repository).encode()).hexdigest()


def _enter_revocation(service: Service, who: Who, of: tuple[int, int], reason: str) -> None:
    index, word = of
    entry = service.log.entry(index)
    if entry is None:
        return
    now = service.now()

    def work(connection: Connection) -> tuple[str, str]:
        person = pseudonym_of(connection, who.person, who.name, now)
        return person, keep_body(connection, person, "reason", reason.encode(), now)

    person, committed = service.database.change(work)
    said = Revocation(
        what="deployment-word",
        person=person,
        at=time_of(now),
        reason=committed,
        entry=EntryRef(index=index, leaf=entry.leaf.hex()),
    )
    subject = Subject(digest={"sha256": entry.leaf.hex()})
    append(service, f"revocation/deployment-word/{word}", Statement((subject,), said), entry.subject)


def _begins(now: str) -> float:
    """It holds at once: a gate takes its own clock for wrong by that much, and this is the same clock."""
    return moment_of(now).timestamp() - SKEW_SECONDS


def _time(seconds: float) -> str:
    from datetime import UTC, datetime

    return time_of(text_of(datetime.fromtimestamp(seconds, UTC)))
