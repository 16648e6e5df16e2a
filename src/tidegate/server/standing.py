"""What an approval of a change is bound to right now, and who may give one: read from the mirror and the record.

Who is who is decided by the repository's own identity map at its target branch; a person of the service is that
entry's which lists their account at the forge or their address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from tidegate.change.approvals import repository_uri
from tidegate.change.codeowners import NO_OWNERS
from tidegate.change.configuration import read_settings
from tidegate.change.facts_digest import facts_digest
from tidegate.change.people import is_bot_account, plain_account
from tidegate.errors import InputError
from tidegate.policy.approvals import Makers, read_makers
from tidegate.policy.case import Case, UnknownFactError
from tidegate.policy.document import conform
from tidegate.policy.identities import Identities
from tidegate.server.api.problems import Problem
from tidegate.server.mirrors import open_mirrors
from tidegate.server.service import Service
from tidegate.settings import Settings, folded
from tidegate.store import accounts, assessments, changes, keys, repositories
from tidegate.store.assessments import Assessment
from tidegate.store.changes import Change
from tidegate.store.keys import Key
from tidegate.store.repositories import Repository

MAKERS = ("author", "prompter", "committer")


class Standing(Struct, frozen=True):
    """A change as it stands, and what was last said of its head. `merge_tree` is of its target branch as fetched."""

    change: Change
    repository: Repository
    assessment: Assessment
    document: Mapping[str, Any]
    settings: Settings
    merge_tree: str
    facts: str

    @property
    def uri(self) -> str:
        return repository_uri(self.repository.slug)


def look(service: Service, change_id: int) -> Standing:
    """Problem 404 where there is no such change; 409 where there is nothing yet that could be approved."""
    with service.database.read() as connection:
        change = changes.get(connection, change_id)
        if change is None:
            raise Problem(404, "there is no such change")
        repository = repositories.get(connection, change.repository)
        assessment = assessments.latest(connection, change.id, head=change.head)
        kept = assessments.document(connection, assessment.id) if assessment else None
    if repository is None or change.state != "open":
        raise Problem(409, "the change is not open")
    if assessment is None or kept is None:
        raise Problem(409, "its head was not assessed yet", mend="ask for an assessment, and wait for it")
    document = _facts(kept)
    settings, merged = _read(service, repository, change)
    return Standing(change, repository, assessment, document, settings, merged, facts_digest(document))


def name_of(service: Service, standing: Standing, person: int) -> str:
    """Who this person is in the repository's identity map; "" where it knows none of their accounts."""
    with service.database.read() as connection:
        return name_in(connection, standing.settings, standing.repository, person)


def makers_of(standing: Standing) -> Makers:
    """Who made the change. Problem 409 where that could not be told."""
    case = Case(conform(standing.document), NO_OWNERS, standing.settings, standing.assessment.policy)
    try:
        return read_makers(case, MAKERS, Identities(standing.settings))
    except UnknownFactError as error:
        raise Problem(409, "it is not known who made the change", detail=str(error.unknown)) from error


def approvers_of(service: Service, settings: Settings, repository: Repository) -> dict[str, tuple[str, ...]]:
    """The live keys of the register, by the name that the repository's identity map gives their person."""
    found: dict[str, tuple[str, ...]] = {}
    with service.database.read() as connection:
        for person in _everybody(connection):
            name = name_in(connection, settings, repository, person.id) if may_sign(person) else ""
            lines = tuple(line_of(key) for key in keys.of_person(connection, person.id) if key.revoked_at is None)
            if name and lines:
                found[name] = (*found.get(name, ()), *lines)
    return found


def may_sign(person: accounts.Person) -> bool:
    """An agent never signs, whatever keys it has; nor does somebody who left."""
    return person.role in ("approver", "admin") and person.disabled_at is None


def line_of(key: Key) -> str:
    """The key as settings would hold it. An authenticator's has more lines: see `auth/webauthn.py`."""
    return key.public.decode().split("\n", 1)[0]


def name_in(connection: Connection, settings: Settings, repository: Repository, person: int) -> str:
    """Who this person is in the identity map; "" where it knows none of their accounts.

    Of two entries that both fit neither is meant: nobody could tell which of them approves.
    """
    host = urlsplit(repository.clone_url).hostname or ""
    issuers = {repository.forge, host, "github.com" if repository.forge == "github" else ""} - {""}
    owned, mails = set(), set()
    for identity in accounts.identities_of(connection, person):
        if identity.kind == "forge" and identity.issuer in issuers and not is_bot_account(identity.subject):
            owned.add(plain_account(identity.subject))
        elif identity.kind == "email":
            mails.add(folded(identity.subject))
    names = {
        name
        for name, entry in settings.people.items()
        if owned & {plain_account(account) for account in entry.accounts}
        or mails & {folded(mail) for mail in entry.emails}
    }
    return names.pop() if len(names) == 1 else ""


# Private


def _facts(kept: bytes) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(kept)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(409, "its assessment cannot be read", mend="ask for another assessment") from error
    facts = document.get("facts") if isinstance(document, dict) else None
    if not isinstance(facts, dict):
        raise Problem(409, "its assessment says nothing of the change", mend="ask for another assessment")
    return facts


def _read(service: Service, repository: Repository, change: Change) -> tuple[Settings, str]:
    try:
        with open_mirrors(service.config).open(repository.forge, repository.slug) as mirror:
            tip = mirror.resolve(f"refs/heads/{change.target}")
            settings = read_settings(mirror, tip, {}).settings
            return settings, mirror.merge_trees(tip, mirror.resolve(change.head))
    except InputError as error:
        raise Problem(409, "the change cannot be read from its mirror", mend="ask for an assessment") from error


def _everybody(connection: Connection) -> Sequence[accounts.Person]:
    people: list[accounts.Person] = []
    while page := accounts.people_page(connection, after=people[-1].id if people else 0):
        people += page
    return people
