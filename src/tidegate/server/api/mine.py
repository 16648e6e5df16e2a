"""Who I am here, my keys and my tokens: each person's own, nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct
from sqlalchemy import Connection

from tidegate.server.acts import Act, acting
from tidegate.server.api.endpoint import Ask, Endpoint, Nothing
from tidegate.server.api.paging import Id, Line, found
from tidegate.server.api.problems import Problem
from tidegate.server.auth.permissions import PERMISSIONS, Permission, allows
from tidegate.server.auth.session import make_token
from tidegate.store import accounts, keys
from tidegate.store.accounts import Token

MOST_REPOSITORIES = 50


class Me(Struct, frozen=True):
    """`permissions` are those of this very request: of the role, and of the token where one was sent."""

    id: int
    name: str
    role: str
    permissions: tuple[str, ...]


class TokenShown(Struct, frozen=True):
    """A token without what it is: that was shown once."""

    id: int
    label: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: str
    used_at: str | None
    revoked_at: str | None


class Tokens(Struct, frozen=True):
    items: tuple[TokenShown, ...]


class NewToken(Struct, frozen=True, forbid_unknown_fields=True):
    """`scopes` are permissions; one that the person has not is refused. It lives `days`.

    With `repositories`, by id, it speaks for these alone, and only where something is told or asked about one.
    """

    label: Line
    scopes: Annotated[tuple[Permission, ...], Meta(min_length=1, max_length=len(PERMISSIONS))]
    days: Annotated[int, Meta(ge=1, le=366)] = 90
    repositories: Annotated[tuple[Id, ...], Meta(max_length=MOST_REPOSITORIES)] = ()


class TokenMade(Struct, frozen=True):
    """`token` is shown here and never again."""

    token: str
    kept: TokenShown


class KeyShown(Struct, frozen=True):
    """A public key that approvals are signed with."""

    id: int
    person: int
    kind: str
    fingerprint: str
    label: str
    added_at: str
    revoked_at: str | None


class Keys(Struct, frozen=True):
    items: tuple[KeyShown, ...]


def me(ask: Ask[Nothing, Nothing]) -> Me:
    """Whoever asks."""
    who = ask.who
    return Me(who.person, who.name, who.role, tuple(each for each in PERMISSIONS if allows(who.role, who.scopes, each)))


def tokens(ask: Ask[Nothing, Nothing]) -> Tokens:
    """The newest first, also those that were revoked."""
    with ask.service.database.read() as connection:
        return Tokens(tuple(map(shown_token, accounts.tokens_of(connection, ask.who.person))))


def add_token(ask: Ask[Nothing, NewToken]) -> TokenMade:
    """Only from a browser's session: a token that leaked must not make others that outlive it."""
    require_session(ask)
    if refused := [each for each in ask.body.scopes if not allows(ask.who.role, None, each)]:
        raise Problem(403, f"the role {ask.who.role} does not have {refused[0]}")
    text, kept = make_token(ask.service, ask.who, ask.who.person, ask.body)
    return TokenMade(text, shown_token(kept))


def revoke_token(ask: Ask[Nothing, Nothing]) -> None:
    """At once, and for good. Twice is once."""

    def work(connection: Connection) -> tuple[None, Sequence[Act]]:
        mine = {token.id for token in accounts.tokens_of(connection, ask.who.person)}
        found(ask.path["token"] in mine or None, "token of yours")
        revoked = accounts.revoke_token(connection, ask.path["token"], ask.service.now())
        return None, acts_of_token(ask.who.person, ask.path["token"]) if revoked else ()

    acting(ask.service, ask.who, work)


def my_keys(ask: Ask[Nothing, Nothing]) -> Keys:
    """Also those that were revoked."""
    with ask.service.database.read() as connection:
        return Keys(tuple(map(shown_key, keys.of_person(connection, ask.who.person))))


def revoke_key(ask: Ask[Nothing, Nothing]) -> None:
    """What it signed from now on counts for nothing. Twice is once."""

    def work(connection: Connection) -> tuple[None, Sequence[Act]]:
        key = found(keys.get(connection, ask.path["key"]), "key of yours")
        found(key.person == ask.who.person or None, "key of yours")
        revoked = keys.revoke(connection, key.id, ask.service.now())
        return None, acts_of_key(key) if revoked else ()

    acting(ask.service, ask.who, work)


def acts_of_token(person: int, token: int) -> tuple[Act, ...]:
    return (Act(action="token-revoked", whom=person, token=token),)


def acts_of_key(key: keys.Key) -> tuple[Act, ...]:
    return (Act(action="key-revoked", whom=key.person, key=key.fingerprint),)


def require_session(ask: Ask[Any, Any]) -> None:
    """Problem 403 where a token asks for what only the person at a browser may."""
    if not ask.who.session:
        raise Problem(403, "this takes a browser's session, not a token", mend="do it in the console")


def shown_token(token: Token) -> TokenShown:
    """Without the digest: nobody needs it."""
    return TokenShown(
        token.id, token.label, token.scopes, token.created_at, token.expires_at, token.used_at, token.revoked_at
    )


def shown_key(key: keys.Key) -> KeyShown:
    return KeyShown(key.id, key.person, key.kind, key.fingerprint, key.label, key.added_at, key.revoked_at)


ENDPOINTS = (
    Endpoint(method="GET", path="/me", needs=None, summary="Who I am here", handler=me, answer=Me),
    Endpoint(
        method="GET", path="/tokens", needs="tokens:write", summary="My API tokens", handler=tokens, answer=Tokens
    ),
    Endpoint(
        method="POST",
        path="/tokens",
        needs="tokens:write",
        summary="Make an API token, which is shown once",
        handler=add_token,
        body=NewToken,
        answer=TokenMade,
        status=201,
        problems=(409,),
    ),
    Endpoint(
        method="DELETE",
        path="/tokens/{token:int}",
        needs="tokens:write",
        summary="Revoke a token of mine",
        handler=revoke_token,
    ),
    Endpoint(
        method="GET", path="/keys", needs=None, summary="My keys, which sign approvals", handler=my_keys, answer=Keys
    ),
    Endpoint(
        method="DELETE",
        path="/keys/{key:int}",
        needs="approvals:write",
        summary="Revoke a key of mine",
        handler=revoke_key,
    ),
)
