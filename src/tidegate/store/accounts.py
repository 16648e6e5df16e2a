"""People, the accounts that are theirs, their passwords, sessions and tokens. Secrets are kept as digests only."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, json
from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from tidegate.errors import InputError
from tidegate.store.rows import changed, every, insert_once, one, present, select_as, upsert
from tidegate.store.tables import identities, passwords, people, sessions, tokens

MOST = 100


class Person(Struct, frozen=True):
    id: int
    name: str
    shown: str
    role: str
    created_at: str
    disabled_at: str | None


class Identity(Struct, frozen=True):
    """An account of a person: at a forge, at a provider of sign-in, or an e-mail address."""

    id: int
    person: int
    kind: str
    issuer: str
    subject: str
    added_at: str


class Session(Struct, frozen=True):
    digest: str
    person: int
    csrf: str
    created_at: str
    seen_at: str
    expires_at: str


class NewToken(Struct, frozen=True):
    person: int
    digest: str
    label: str
    scopes: tuple[str, ...]
    expires_at: str


class Token(Struct, frozen=True):
    id: int
    person: int
    digest: str
    label: str
    scopes: tuple[str, ...]
    created_at: str
    expires_at: str
    used_at: str | None
    revoked_at: str | None


# People


def add_person(connection: Connection, name: str, shown: str, role: str, at: str) -> Person:
    """InputError where the name is taken."""
    if not insert_once(connection, people, {"name": name, "shown": shown, "role": role, "created_at": at}):
        raise InputError(f"there is a person named {name} already")
    return present(person_named(connection, name))


def person(connection: Connection, identifier: int) -> Person | None:
    return one(connection, Person, select_as(Person, people).where(people.c.id == identifier))


def person_named(connection: Connection, name: str) -> Person | None:
    return one(connection, Person, select_as(Person, people).where(people.c.name == name))


def people_page(connection: Connection, *, after: int = 0, most: int = MOST) -> tuple[Person, ...]:
    """By id, from after `after`."""
    return every(connection, Person, select_as(Person, people).where(people.c.id > after).order_by("id").limit(most))


def lock_admins(connection: Connection) -> tuple[int, ...]:
    """Who is an admin and not disabled; nobody else changes that before this transaction ends."""
    living = select(people.c.id).where(people.c.role == "admin", people.c.disabled_at.is_(None))
    return tuple(connection.execute(living.order_by(people.c.id).with_for_update()).scalars())


def has_people(connection: Connection) -> bool:
    """Whether anybody is there yet."""
    return connection.execute(select(people.c.id).limit(1)).first() is not None


def change_person(
    connection: Connection, identifier: int, *, shown: str | None = None, role: str | None = None
) -> bool:
    values = {name: value for name, value in (("shown", shown), ("role", role)) if value is not None}
    return bool(values) and changed(connection, update(people).where(people.c.id == identifier).values(**values)) == 1


def disable(connection: Connection, identifier: int, at: str) -> bool:
    """Ends the person's sessions and tokens too. False where they were disabled before, or are not there."""
    end_sessions(connection, identifier)
    connection.execute(
        update(tokens).where(tokens.c.person == identifier, tokens.c.revoked_at.is_(None)).values(revoked_at=at)
    )
    active = update(people).where(people.c.id == identifier, people.c.disabled_at.is_(None))
    return changed(connection, active.values(disabled_at=at)) == 1


def enable(connection: Connection, identifier: int) -> bool:
    away = update(people).where(people.c.id == identifier, people.c.disabled_at.is_not(None))
    return changed(connection, away.values(disabled_at=None)) == 1


# Identities


def add_identity(connection: Connection, owner: int, kind: str, issuer: str, subject: str, at: str) -> Identity:
    """The person's account; the one that is there where it is theirs already. InputError where it is another's."""
    insert_once(
        connection,
        identities,
        {"person": owner, "kind": kind, "issuer": issuer, "subject": subject, "added_at": at},
    )
    found = present(_identity(connection, kind, issuer, subject))
    if found.person != owner:
        raise InputError(f"the account {subject} belongs to another person", mend="take it from them first")
    return found


def identities_of(connection: Connection, owner: int) -> tuple[Identity, ...]:
    return every(
        connection, Identity, select_as(Identity, identities).where(identities.c.person == owner).order_by("id")
    )


def identities_of_all(connection: Connection, owners: Sequence[int]) -> dict[int, tuple[Identity, ...]]:
    """Of each of these people who has any, in one question."""
    query = select_as(Identity, identities).where(identities.c.person.in_(owners)).order_by("id")
    found: dict[int, tuple[Identity, ...]] = {}
    for each in every(connection, Identity, query):
        found[each.person] = (*found.get(each.person, ()), each)
    return found


def person_of(connection: Connection, kind: str, issuer: str, subject: str) -> Person | None:
    """Whose account it is; None where it is nobody's that we know, and so counts as nobody's."""
    found = _identity(connection, kind, issuer, subject)
    return None if found is None else person(connection, found.person)


def remove_identity(connection: Connection, identifier: int) -> bool:
    return connection.execute(delete(identities).where(identities.c.id == identifier)).rowcount == 1


# Passwords


def set_password(connection: Connection, owner: int, hashed: str, at: str) -> None:
    """`hashed` is argon2id in its own text form. The person's sessions end."""
    statement = upsert(connection, passwords).values(person=owner, hash=hashed, changed_at=at)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["person"], set_={"hash": hashed, "changed_at": at})
    )
    end_sessions(connection, owner)


def password_hash(connection: Connection, owner: int) -> str | None:
    return connection.execute(select(passwords.c.hash).where(passwords.c.person == owner)).scalar()


# Sessions


def open_session(connection: Connection, session: Session, most: int = MOST) -> None:
    """Of more than `most` of one person those end that were not used for the longest time."""
    connection.execute(insert(sessions).values(**_values(session)))
    mine = sessions.c.person == session.person
    others = select(sessions.c.digest).where(mine, sessions.c.digest != session.digest)
    kept = others.order_by(sessions.c.seen_at.desc(), sessions.c.digest).limit(most - 1)
    connection.execute(
        delete(sessions).where(mine, sessions.c.digest != session.digest, sessions.c.digest.not_in(kept))
    )


def live_session(connection: Connection, digest: str, at: str) -> Session | None:
    """The session of a cookie's digest, unless it expired or its person is disabled."""
    query = select_as(Session, sessions).join(people, people.c.id == sessions.c.person)
    live = (sessions.c.digest == digest, sessions.c.expires_at > at, people.c.disabled_at.is_(None))
    return one(connection, Session, query.where(*live))


def see_session(connection: Connection, digest: str, at: str, expires_at: str) -> bool:
    """Says that it was used, and until when it lives now. A clock that goes back changes nothing."""
    mine = update(sessions).where(sessions.c.digest == digest, sessions.c.seen_at <= at)
    return changed(connection, mine.values(seen_at=at, expires_at=expires_at)) == 1


def end_session(connection: Connection, digest: str) -> bool:
    return connection.execute(delete(sessions).where(sessions.c.digest == digest)).rowcount == 1


def end_sessions(connection: Connection, owner: int) -> int:
    return connection.execute(delete(sessions).where(sessions.c.person == owner)).rowcount


def sweep_sessions(connection: Connection, at: str) -> int:
    """Forgets those that expired; how many there were."""
    return connection.execute(delete(sessions).where(sessions.c.expires_at <= at)).rowcount


# Tokens


def add_token(connection: Connection, token: NewToken, at: str) -> Token:
    """InputError where a token with this digest is there."""
    values = {**_values(token), "scopes": json.encode(token.scopes).decode(), "created_at": at}
    try:
        with connection.begin_nested():
            identifier = connection.execute(insert(tokens).values(**values).returning(tokens.c.id)).scalar_one()
    except IntegrityError as error:
        raise InputError("this token is there already, or its person is not") from error
    return present(_token(connection, identifier))


def live_token(connection: Connection, digest: str, at: str) -> Token | None:
    """The token of this digest, unless it expired, was revoked, or its person is disabled."""
    query = select(tokens.c.id).join(people, people.c.id == tokens.c.person)
    live = (tokens.c.digest == digest, tokens.c.expires_at > at, tokens.c.revoked_at.is_(None))
    found = connection.execute(query.where(*live, people.c.disabled_at.is_(None))).scalar()
    return None if found is None else _token(connection, found)


def tokens_of(connection: Connection, owner: int) -> tuple[Token, ...]:
    """The person's, the newest first: those that are live, and those that ended last."""
    query = select_as(Token, tokens).where(tokens.c.person == owner).order_by(tokens.c.id.desc())
    return tuple(_token_of(*row) for row in connection.execute(query))


def count_live_tokens(connection: Connection, owner: int, at: str) -> int:
    live = (tokens.c.person == owner, tokens.c.expires_at > at, tokens.c.revoked_at.is_(None))
    return connection.execute(select(func.count()).where(*live)).scalar_one()


def drop_ended_tokens(connection: Connection, owner: int, at: str, *, keep: int) -> int:
    """Forgets the person's tokens that ended, but for the `keep` that were made last; how many there were."""
    ended = and_(tokens.c.person == owner, or_(tokens.c.expires_at <= at, tokens.c.revoked_at.is_not(None)))
    last = select(tokens.c.id).where(ended).order_by(tokens.c.id.desc()).limit(keep)
    return connection.execute(delete(tokens).where(ended, tokens.c.id.not_in(last))).rowcount


def use_token(connection: Connection, identifier: int, at: str) -> None:
    connection.execute(update(tokens).where(tokens.c.id == identifier).values(used_at=at))


def revoke_token(connection: Connection, identifier: int, at: str) -> bool:
    live = update(tokens).where(tokens.c.id == identifier, tokens.c.revoked_at.is_(None))
    return changed(connection, live.values(revoked_at=at)) == 1


# Private


def _identity(connection: Connection, kind: str, issuer: str, subject: str) -> Identity | None:
    same = (identities.c.kind == kind, identities.c.issuer == issuer, identities.c.subject == subject)
    return one(connection, Identity, select_as(Identity, identities).where(*same))


def _token(connection: Connection, identifier: int) -> Token | None:
    row = connection.execute(select_as(Token, tokens).where(tokens.c.id == identifier)).first()
    return None if row is None else _token_of(*row)


def _token_of(
    id: int,
    person: int,
    digest: str,
    label: str,
    scopes: str,
    *times: str,
) -> Token:
    return Token(id, person, digest, label, json.decode(scopes, type=tuple[str, ...]), *times)


def _values(value: Struct) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__struct_fields__}
