"""People, the accounts that are theirs, their keys and tokens: what an admin sees to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.ledger.keys import read_software_key
from tidegate.server import erasure
from tidegate.server.acts import Act, acting
from tidegate.server.api import mine
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.mine import Keys, NewToken, TokenMade, Tokens, shown_key, shown_token
from tidegate.server.api.paging import Line, Paging, found, next_of
from tidegate.server.api.problems import Problem
from tidegate.server.auth.passwords import hash_password, make_password
from tidegate.server.auth.permissions import Role, allows, granted
from tidegate.server.auth.session import make_token
from tidegate.server.entries import pseudonym_of
from tidegate.server.pseudonyms import pseudonyms_of
from tidegate.store import accounts, keys
from tidegate.store.accounts import Identity, Person


class People(Struct, frozen=True):
    items: tuple[Person, ...]
    next: int | None


class PersonPage(Struct, frozen=True):
    """A person and the accounts that are theirs: two accounts of one person are one person."""

    person: Person
    identities: tuple[Identity, ...]


class NewPerson(Struct, frozen=True, forbid_unknown_fields=True):
    """`name` is what they sign in by; `shown` what others see of them."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$(?!\n)")]
    shown: Line
    role: Role


class ChangedPerson(Struct, frozen=True, forbid_unknown_fields=True):
    """`disabled` ends sessions and tokens; what the person did stays in the record."""

    shown: Line
    role: Role
    disabled: bool = False


class PasswordMade(Struct, frozen=True):
    """Shown here and never again. All sessions of the person ended."""

    password: str


class Erasing(Struct, frozen=True, forbid_unknown_fields=True):
    """On what ground; and once more the name, so that nobody erases the wrong person."""

    ground: Literal["request", "retention", "secret", "error"]
    name: Line


class ErasedShown(Struct, frozen=True):
    """How many bodies are gone; `entry` says so in the ledger; `left` names where bytes may be left."""

    count: int
    entry: int
    left: tuple[str, ...]


class NewIdentity(Struct, frozen=True, forbid_unknown_fields=True):
    """`issuer` is the host of the forge, or the issuer of the sign-in; "" for an e-mail address."""

    kind: Literal["forge", "email", "oidc"]
    issuer: Annotated[str, Meta(max_length=300, pattern=r"^[!-~]*$(?!\n)")]
    subject: Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[!-~]+$(?!\n)")]


def listed(ask: Ask[Paging, Nothing]) -> People:
    """By id, also those who are disabled."""
    with ask.service.database.read() as connection:
        items = accounts.people_page(connection, after=ask.query.after, most=ask.query.most)
    return People(items, next_of(items, ask.query.most, lambda each: each.id))


def one(ask: Ask[Nothing, Nothing]) -> PersonPage:
    """One person."""
    with ask.service.database.read() as connection:
        person = _person(connection, ask.path["person"])
        return PersonPage(person, accounts.identities_of(connection, person.id))


def add(ask: Ask[Nothing, NewPerson]) -> Person:
    """Without a password: they get one by its own question, or sign in by the provider."""

    def work(connection: Connection) -> tuple[Person, Sequence[Act]]:
        if accounts.person_named(connection, ask.body.name) is not None:
            raise Problem(409, "somebody has this name already")
        _check_reach(ask, ask.body.role)
        made = accounts.add_person(connection, ask.body.name, ask.body.shown, ask.body.role, ask.service.now())
        return made, (Act(action="person-added", whom=made.id, role=made.role),)

    return acting(ask.service, ask.who, work)


def change(ask: Ask[Nothing, ChangedPerson]) -> Person:
    """Nobody takes the role of admin from themselves, or disables themselves: somebody must be left.

    Of two admins who take it from each other at once one is too late. A token gives and takes no role that may do more
    than the token itself, and never that of admin.
    """

    def work(connection: Connection) -> tuple[Person, Sequence[Act]]:
        if ask.who.person not in accounts.lock_admins(connection):
            raise Problem(403, "you are no admin any more")
        person, body = _person(connection, ask.path["person"]), ask.body
        if person.id == ask.who.person and (body.disabled or body.role != person.role):
            raise Problem(409, "nobody changes their own role", mend="ask another admin")
        _check_reach(ask, person.role, body.role)
        accounts.change_person(connection, person.id, shown=body.shown, role=body.role)
        if body.disabled:
            accounts.disable(connection, person.id, ask.service.now())
        else:
            accounts.enable(connection, person.id)
        after = _person(connection, person.id)
        return after, _changes(person, after)

    return acting(ask.service, ask.who, work)


def new_password(ask: Ask[Nothing, Nothing]) -> PasswordMade:
    """Made here, so that it is a good one. An agent has none: it works by tokens."""
    password = make_password()
    hashed = hash_password(password)

    def work(connection: Connection) -> tuple[None, Sequence[Act]]:
        person = _person(connection, ask.path["person"])
        if person.role == "agent":
            raise Problem(409, "an agent has no password", mend="make a token for it")
        accounts.set_password(connection, person.id, hashed, ask.service.now())
        return None, (Act(action="password-reset", whom=person.id),)

    mine.require_session(ask)
    acting(ask.service, ask.who, work)
    return PasswordMade(password)


def add_identity(ask: Ask[Nothing, NewIdentity]) -> Identity:
    """An account of the person. 409 where it is another's. Whoever has it may sign in by it: for a token the same
    bounds hold as for roles."""

    def work(connection: Connection) -> tuple[Identity, Sequence[Act]]:
        person, body = _person(connection, ask.path["person"]), ask.body
        _check_reach(ask, person.role)
        try:
            added = accounts.add_identity(
                connection, person.id, body.kind, body.issuer, body.subject, ask.service.now()
            )
        except InputError as error:
            raise Problem(409, error.what, mend=error.mend) from error
        return added, (Act(action="account-added", whom=person.id),)

    return acting(ask.service, ask.who, work)


def remove_identity(ask: Ask[Nothing, Nothing]) -> None:
    """From now on it is nobody's, and counts as nobody's."""

    def work(connection: Connection) -> tuple[None, Sequence[Act]]:
        person = _person(connection, ask.path["person"])
        _check_reach(ask, person.role)
        theirs = {each.id for each in accounts.identities_of(connection, person.id)}
        found(ask.path["identity"] in theirs or None, "account of this person")
        accounts.remove_identity(connection, ask.path["identity"])
        return None, (Act(action="account-removed", whom=person.id),)

    acting(ask.service, ask.who, work)


def their_keys(ask: Ask[Nothing, Nothing]) -> Keys:
    """Also those that were revoked."""
    with ask.service.database.read() as connection:
        person = _person(connection, ask.path["person"])
        return Keys(tuple(map(shown_key, keys.of_person(connection, person.id))))


def revoke_key(ask: Ask[Nothing, Nothing]) -> None:
    """Of somebody who lost it, or left. Twice is once."""

    def work(connection: Connection) -> tuple[None, Sequence[Act]]:
        person = _person(connection, ask.path["person"])
        key = found(keys.get(connection, ask.path["key"]), "key of this person")
        found(key.person == person.id or None, "key of this person")
        revoked = keys.revoke(connection, key.id, ask.service.now())
        return None, mine.acts_of_key(key) if revoked else ()

    acting(ask.service, ask.who, work)


def their_tokens(ask: Ask[Nothing, Nothing]) -> Tokens:
    """The newest first."""
    with ask.service.database.read() as connection:
        person = _person(connection, ask.path["person"])
        return Tokens(tuple(map(shown_token, accounts.tokens_of(connection, person.id))))


def add_token(ask: Ask[Nothing, NewToken]) -> TokenMade:
    """For an agent only: nobody holds a token that speaks for another human."""
    mine.require_session(ask)
    with ask.service.database.read() as connection:
        person = _person(connection, ask.path["person"])
    if person.role != "agent" or person.disabled_at is not None:
        raise Problem(409, "only an agent's tokens are made by somebody else")
    if refused := [each for each in ask.body.scopes if not allows(person.role, None, each)]:
        raise Problem(409, f"an agent does not have {refused[0]}")
    text, kept = make_token(ask.service, ask.who, person.id, ask.body)
    return TokenMade(text, shown_token(kept))


def revoke_token(ask: Ask[Nothing, Nothing]) -> None:
    """At once, and for good. Twice is once."""

    def work(connection: Connection) -> tuple[None, Sequence[Act]]:
        person = _person(connection, ask.path["person"])
        theirs = {token.id for token in accounts.tokens_of(connection, person.id)}
        found(ask.path["token"] in theirs or None, "token of this person")
        revoked = accounts.revoke_token(connection, ask.path["token"], ask.service.now())
        return None, mine.acts_of_token(person.id, ask.path["token"]) if revoked else ()

    acting(ask.service, ask.who, work)


def erase(ask: Ask[Nothing, Erasing]) -> ErasedShown:
    """What the ledger only commits to is gone for good, and every proof stays valid. Again is allowed, to finish."""
    mine.require_session(ask)
    now, service = ask.service.now(), ask.service

    def work(connection: Connection) -> tuple[str, ...]:
        person = _person(connection, ask.path["person"])
        if person.name != ask.body.name:
            raise Problem(409, "this is not the name of that person")
        own = pseudonym_of(connection, person.id, person.name, now)
        return (*(each for each in pseudonyms_of(connection, person.id) if each != own), own)

    owners = service.database.change(work)
    _, _, signer = read_software_key(service.config.data / "ledger.key")
    gone = erasure.erase(service.database, service.log, signer, owners, ask.body.ground, now)
    return ErasedShown(gone.count, gone.entry, gone.left)


# Private


def _check_reach(ask: Ask[Any, Any], *roles: str) -> None:
    """Problem 403 where a token would give, take or lend what it may not do itself: it could make itself more."""
    if ask.who.session:
        return
    for role in roles:
        if role == "admin" or not all(allows(ask.who.role, ask.who.scopes, each) for each in granted(role)):
            raise Problem(403, f"this token may not touch the role {role}", mend="do it in the console")


def _changes(before: Person, after: Person) -> tuple[Act, ...]:
    acts = []
    if before.role != after.role:
        acts.append(Act(action="role-changed", whom=after.id, before=before.role, role=after.role))
    if (before.disabled_at is None) != (after.disabled_at is None):
        acts.append(Act(action="person-enabled" if after.disabled_at is None else "person-disabled", whom=after.id))
    return tuple(acts)


def _person(connection: Connection, identifier: int) -> Person:
    return found(accounts.person(connection, identifier), "person")


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/people",
        needs="settings:read",
        summary="People",
        handler=listed,
        query=Paging,
        answer=People,
    ),
    Endpoint(
        method="POST",
        path="/people",
        needs="settings:write",
        summary="Add a person or an agent",
        handler=add,
        body=NewPerson,
        answer=Person,
        status=201,
        problems=(409,),
    ),
    Endpoint(
        method="GET",
        path="/people/{person:int}",
        needs="settings:read",
        summary="A person and their accounts",
        handler=one,
        answer=PersonPage,
    ),
    Endpoint(
        method="PUT",
        path="/people/{person:int}",
        needs="settings:write",
        summary="Change a person's role, or disable them",
        handler=change,
        body=ChangedPerson,
        answer=Person,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/people/{person:int}/password",
        needs="settings:write",
        summary="Make a new password, which is shown once",
        handler=new_password,
        answer=PasswordMade,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/people/{person:int}/erasure",
        needs="people:erase",
        summary="Erase what the ledger only commits to",
        handler=erase,
        body=Erasing,
        answer=ErasedShown,
        problems=(409,),
    ),
    Endpoint(
        method="POST",
        path="/people/{person:int}/identities",
        needs="settings:write",
        summary="Say that an account is this person's",
        handler=add_identity,
        body=NewIdentity,
        answer=Identity,
        status=201,
        problems=(409,),
    ),
    Endpoint(
        method="DELETE",
        path="/people/{person:int}/identities/{identity:int}",
        needs="settings:write",
        summary="Say that an account is not this person's any more",
        handler=remove_identity,
    ),
    Endpoint(
        method="GET",
        path="/people/{person:int}/keys",
        needs="settings:read",
        summary="A person's keys",
        handler=their_keys,
        answer=Keys,
    ),
    Endpoint(
        method="DELETE",
        path="/people/{person:int}/keys/{key:int}",
        needs="settings:write",
        summary="Revoke a person's key",
        handler=revoke_key,
    ),
    Endpoint(
        method="GET",
        path="/people/{person:int}/tokens",
        needs="settings:write",
        summary="A person's tokens",
        handler=their_tokens,
        answer=Tokens,
    ),
    Endpoint(
        method="POST",
        path="/people/{person:int}/tokens",
        needs="settings:write",
        summary="Make a token for an agent, which is shown once",
        handler=add_token,
        body=NewToken,
        answer=TokenMade,
        status=201,
        problems=(409,),
    ),
    Endpoint(
        method="DELETE",
        path="/people/{person:int}/tokens/{token:int}",
        needs="settings:write",
        summary="Revoke a person's token",
        handler=revoke_token,
    ),
)
