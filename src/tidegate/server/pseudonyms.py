"""How statements call whoever an account, an address or a name stands for, and how erasing a person finds them again.

Somebody of the service has one pseudonym. Whoever the service does not know gets one for the marks that they are known
by: it is found again by a keyed digest of each, and forgotten with the person.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from msgspec import Struct
from sqlalchemy import Connection, delete, func, select

from tidegate.change.approvals import repository_uri
from tidegate.change.people import noreply_account, plain_account
from tidegate.ledger import bodies
from tidegate.ledger.bodies import Body
from tidegate.ledger.commitments import new_pseudonym
from tidegate.server.entries import pseudonym_of
from tidegate.settings import Settings, folded
from tidegate.store import accounts, values
from tidegate.store.erasure import PSEUDONYM, person_behind
from tidegate.store.repositories import Repository
from tidegate.store.rows import every, select_as
from tidegate.store.tables import identities
from tidegate.store.tables import repositories as repository_rows
from tidegate.store.tables import values as rows

KNOWN = "known/"
"""Rows of `values`: the pseudonym of a mark, by the mark's digest."""


class Mark(Struct, frozen=True):
    """One thing that a person is known by, compared as it stands: an account, an e-mail address, a name somewhere."""

    kind: str
    issuer: str
    subject: str


def marks_of(text: str, repository: Repository, settings: Settings | None = None) -> tuple[Mark, ...]:
    """The marks of a person as facts write one: a key of `[people]`, `Name <email>` or `@account`.

    The settings say which accounts and addresses a key stands for; without them it is a name in its repository.
    """
    entry = settings.people.get(text) if settings is not None else None
    found: list[Mark] = []
    if entry is not None:
        found += [mark for mail in entry.emails for mark in _of_email(mail)]
        found += [mark for account in entry.accounts for mark in _of_account(account, repository)]
    elif text.startswith("@"):
        found += _of_account(text, repository)
    elif match := re.search(r"<([^<>]+)>\s*\Z", text):
        found += _of_email(match[1])
    elif "@" in text and " " not in text:
        found += _of_email(text)
    if entry is not None or not found:
        found.append(Mark("name", repository_uri(repository.slug), folded(text.strip())))
    return tuple(dict.fromkeys(found))


def marks_of_payee(text: str) -> tuple[Mark, ...]:
    """The marks of a person as a bill writes one: an e-mail address, an `@account` at GitHub, or a name of its own."""
    name = text.strip()
    if name.startswith("@"):
        return tuple(Mark("forge", issuer, plain_account(name)) for issuer in ("github", "github.com"))
    if "@" in name and " " not in name:
        return tuple(_of_email(name))
    return (Mark("name", "costs", folded(name)),)


def pseudonym_of_marks(connection: Connection, marks: Iterable[Mark], shown: str, at: str) -> str:
    """How statements call whoever has these marks: as the person of the service whose accounts they are, where they
    are one person's, else by a pseudonym of the marks. `shown` stands in a body that can be erased."""
    wanted = tuple(marks)
    people = _people_with(connection, wanted)
    if len(people) == 1 and (person := accounts.person(connection, people.pop())) is not None:
        return pseudonym_of(connection, person.id, person.name, at)
    names = [_row(connection, mark, at) for mark in wanted]
    known = next((found for name in names if (found := values.read(connection, name)) is not None), None)
    pseudonym = known or values.write_once(connection, names[0], new_pseudonym(), at)
    for name in names:
        values.write_once(connection, name, pseudonym, at)
    if known is None:
        bodies.keep(connection, Body(pseudonym, "person", shown.encode("utf-8", "replace")), at)
    return pseudonym


def pseudonyms_of(connection: Connection, person: int) -> tuple[str, ...]:
    """All by which statements call somebody of the service: their own, and those that their accounts had before."""
    own = values.read(connection, f"{PSEUDONYM}{person}")
    marks = [mark for each in accounts.identities_of(connection, person) for mark in _of_identity(each)]
    return tuple(dict.fromkeys((*((own,) if own else ()), *_known(connection, marks))))


def whose(connection: Connection, text: str) -> tuple[str, ...]:
    """The pseudonyms of whoever is meant by a pseudonym, a name to sign in by, an address, an `@account` or a key of
    `[people]`; none where nobody is."""
    if text.startswith("person:"):
        person = person_behind(connection, text)
        return tuple(dict.fromkeys((text, *(pseudonyms_of(connection, person) if person else ()))))
    named = accounts.person_named(connection, text)
    people = {named.id} if named is not None else set()
    found: list[str] = []
    for repository in _repositories(connection):
        marks = marks_of(text, repository)
        people |= _people_with(connection, marks)
        found += _known(connection, marks)
    found += _known(connection, marks_of_payee(text))
    return tuple(dict.fromkeys((*(each for one in sorted(people) for each in pseudonyms_of(connection, one)), *found)))


def forget(connection: Connection, pseudonym: str) -> None:
    """From now on nobody can tell whose it was."""
    connection.execute(delete(rows).where(rows.c.name.like(f"{KNOWN}%"), rows.c.value == pseudonym))


# Private

_SALT = "known-salt"


def _of_email(mail: str) -> Iterator[Mark]:
    plain = folded(mail.strip())
    yield Mark("email", "", plain)
    if account := noreply_account(plain):
        for issuer in ("github", "github.com") if plain.endswith("github.com") else ("gitlab", "gitlab.com"):
            yield Mark("forge", issuer, plain_account(account))


def _of_account(account: str, repository: Repository) -> Iterator[Mark]:
    host = urlsplit(repository.clone_url).hostname or ""
    for issuer in dict.fromkeys((repository.forge, host, "github.com" if repository.forge == "github" else "")):
        if issuer:
            yield Mark("forge", issuer, plain_account(account))


def _of_identity(identity: accounts.Identity) -> Iterator[Mark]:
    if identity.kind == "email":
        yield from _of_email(identity.subject)
    elif identity.kind == "forge":
        yield Mark("forge", identity.issuer, plain_account(identity.subject))


def _people_with(connection: Connection, marks: Iterable[Mark]) -> set[int]:
    """Whose accounts these are: several where they are of several people."""
    found: set[int] = set()
    for mark in marks:
        same = (identities.c.kind == mark.kind, identities.c.issuer == mark.issuer)
        query = select(identities.c.person).where(*same, func.lower(identities.c.subject) == mark.subject)
        found.update(connection.execute(query).scalars())
    return found


def _known(connection: Connection, marks: Iterable[Mark]) -> tuple[str, ...]:
    if values.read(connection, _SALT) is None:
        return ()
    found = (values.read(connection, _row(connection, mark, "")) for mark in marks)
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _row(connection: Connection, mark: Mark, at: str) -> str:
    """Keyed, so that what is left in old copies of one table tells nobody's address."""
    salt = values.read(connection, _SALT) or values.write_once(connection, _SALT, secrets.token_hex(32), at)
    text = "\0".join((mark.kind, mark.issuer, mark.subject)).encode("utf-8", "surrogateescape")
    return f"{KNOWN}{hmac.new(salt.encode(), text, hashlib.sha256).hexdigest()}"


def _repositories(connection: Connection) -> Iterator[Repository]:
    """Also those that are not looked after any more."""
    yield from every(connection, Repository, select_as(Repository, repository_rows).order_by("id"))
