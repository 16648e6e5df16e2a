"""People, what is theirs, and how long a session or a token opens anything."""

from __future__ import annotations

import pytest

from tests.store.world import at, small_world
from tidegate.errors import InputError
from tidegate.store import accounts, keys
from tidegate.store.accounts import NewToken, Session
from tidegate.store.engine import Database
from tidegate.store.keys import NewKey


def test_a_name_is_one_persons(database: Database) -> None:
    with database.write() as connection:
        assert not accounts.has_people(connection)
        world = small_world(connection)
        assert accounts.has_people(connection)
        with pytest.raises(InputError, match="named ada already"):
            accounts.add_person(connection, "ada", "Another", "viewer", at(1))
        ada = accounts.person(connection, world.ada)
        assert ada is not None
        assert (ada.name, ada.shown, ada.role, ada.disabled_at) == ("ada", "Ada", "approver", None)
        assert accounts.person_named(connection, "ADA") is None
        assert [each.name for each in accounts.people_page(connection, after=world.ada)] == ["ben"]


def test_a_person_changes_role_and_name(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        assert accounts.change_person(connection, world.ben, role="admin")
        assert accounts.change_person(connection, world.ben, shown="Benjamin")
        assert not accounts.change_person(connection, world.ben)
        assert not accounts.change_person(connection, 987654, role="admin")
        ben = accounts.person(connection, world.ben)
        assert ben is not None
        assert (ben.shown, ben.role) == ("Benjamin", "admin")


def test_an_account_is_one_persons(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        first = accounts.add_identity(connection, world.ada, "forge", "github.example", "ada-l", at(1))
        assert accounts.add_identity(connection, world.ada, "forge", "github.example", "ada-l", at(2)) == first
        with pytest.raises(InputError, match="another person"):
            accounts.add_identity(connection, world.ben, "forge", "github.example", "ada-l", at(3))
        owner = accounts.person_of(connection, "forge", "github.example", "ada-l")
        assert owner is not None
        assert owner.id == world.ada
        assert accounts.person_of(connection, "forge", "gitlab.example", "ada-l") is None
        assert accounts.identities_of(connection, world.ada) == (first,)
        assert accounts.remove_identity(connection, first.id)
        assert not accounts.remove_identity(connection, first.id)
        assert (
            accounts.add_identity(connection, world.ben, "forge", "github.example", "ada-l", at(4)).person == world.ben
        )


def session(person: int, name: str, *, until: float = 60) -> Session:
    return Session(name, person, "csrf", at(0), at(0), at(until))


def test_a_session_ends_by_time_by_hand_by_password_and_with_its_person(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        for name in ("s1", "s2"):
            accounts.open_session(connection, session(world.ada, name))
        accounts.open_session(connection, session(world.ben, "s3", until=5))
        assert accounts.live_session(connection, "s1", at(59)) == session(world.ada, "s1")
        assert accounts.live_session(connection, "s1", at(60)) is None
        assert accounts.live_session(connection, "s9", at(1)) is None
        assert accounts.end_session(connection, "s2")
        assert accounts.live_session(connection, "s2", at(1)) is None
        assert accounts.sweep_sessions(connection, at(5)) == 1
        assert accounts.password_hash(connection, world.ada) is None
        accounts.set_password(connection, world.ada, "argon2id$1", at(1))
        assert accounts.live_session(connection, "s1", at(2)) is None
        accounts.set_password(connection, world.ada, "argon2id$2", at(3))
        assert accounts.password_hash(connection, world.ada) == "argon2id$2"


def test_a_session_is_seen_forward_only(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        accounts.open_session(connection, session(world.ada, "s1"))
        assert accounts.see_session(connection, "s1", at(10), at(70))
        assert not accounts.see_session(connection, "s1", at(9), at(999))
        kept = accounts.live_session(connection, "s1", at(65))
        assert kept is not None
        assert (kept.seen_at, kept.expires_at) == (at(10), at(70))


def test_who_is_disabled_gets_in_by_nothing_and_comes_back_without_their_sessions(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        accounts.open_session(connection, session(world.ada, "s1"))
        token = accounts.add_token(connection, NewToken(world.ada, "t1", "laptop", ("read",), at(60)), at(0))
        assert accounts.disable(connection, world.ada, at(1))
        assert not accounts.disable(connection, world.ada, at(2))
        accounts.open_session(connection, session(world.ada, "s2"))
        assert accounts.live_session(connection, "s1", at(2)) is None
        assert accounts.live_session(connection, "s2", at(2)) is None
        assert accounts.live_token(connection, "t1", at(2)) is None
        assert accounts.enable(connection, world.ada)
        assert not accounts.enable(connection, world.ada)
        assert accounts.live_session(connection, "s1", at(2)) is None
        assert accounts.tokens_of(connection, world.ada)[0].id == token.id
        assert accounts.live_token(connection, "t1", at(2)) is None


def test_a_token_opens_until_it_expires_or_is_revoked(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        made = accounts.add_token(connection, NewToken(world.ada, "t1", "ci", ("read", "approve"), at(60)), at(0))
        assert made.scopes == ("read", "approve")
        with pytest.raises(InputError, match="already"):
            accounts.add_token(connection, NewToken(world.ben, "t1", "ci", (), at(60)), at(0))
        assert accounts.live_token(connection, "t1", at(59)) == made
        assert accounts.live_token(connection, "t1", at(60)) is None
        accounts.use_token(connection, made.id, at(2))
        assert accounts.tokens_of(connection, world.ada)[0].used_at == at(2)
        assert accounts.revoke_token(connection, made.id, at(3))
        assert not accounts.revoke_token(connection, made.id, at(4))
        assert accounts.live_token(connection, "t1", at(1)) is None
        assert accounts.tokens_of(connection, world.ada)[0].revoked_at == at(3)


def test_a_key_is_added_once_and_a_copied_authenticator_is_noticed(database: Database) -> None:
    with database.write() as connection:
        world = small_world(connection)
        key = keys.add(connection, NewKey(world.ada, "webauthn", "SHA256:x", b"\0\1", "yubikey"), at(0))
        for person in (world.ada, world.ben):
            with pytest.raises(InputError, match="added before"):
                keys.add(connection, NewKey(person, "ssh", "SHA256:x", b"other", "again"), at(1))
        assert [keys.count_use(connection, key.id, uses) for uses in (0, 0, 5, 5, 4, 0, 6)] == [
            True,
            True,
            True,
            False,
            False,
            False,
            True,
        ]
        assert keys.revoke(connection, key.id, at(2))
        assert not keys.revoke(connection, key.id, at(3))
        assert not keys.count_use(connection, key.id, 7)
        kept = keys.by_fingerprint(connection, "SHA256:x")
        assert kept is not None
        assert (kept.revoked_at, kept.uses, kept.public) == (at(2), 6, b"\0\1")
        assert keys.of_person(connection, world.ada) == (kept,)
        assert keys.get(connection, key.id) == kept
