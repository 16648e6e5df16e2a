"""What admins do is on record: by whom and to whom, with no secret in it, and also where something died in between."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from starlette.testclient import TestClient

from tests.server.conftest import Made
from tests.server.test_api_use import Caller
from tidegate.ledger.dsse import read_envelope
from tidegate.ledger.fields import StatementError
from tidegate.ledger.predicates.admin_action import AdminAction
from tidegate.ledger.statements import read_statement
from tidegate.server import acts
from tidegate.server.acts import Act, acting, enter_all, note, note_settings
from tidegate.server.api.endpoint import Who
from tidegate.server.config import Secrets
from tidegate.server.pseudonyms import pseudonyms_of
from tidegate.server.service import Service
from tidegate.server.start import first_admin, new_password
from tidegate.store import keys
from tidegate.store.clock import later, now
from tidegate.store.keys import NewKey
from tidegate.store.tables import values

FINGERPRINT = "SHA256:" + "B" * 43


@pytest.fixture
def admin(client: TestClient, made: Made) -> Caller:
    return Caller(client, made, "admin", at_browser=True)


def payloads(service: Service) -> list[bytes]:
    return [
        base64.b64decode(read_envelope(entry.envelope).payload)
        for entry in service.log.entries(subject="admin-action", most=100)
    ]


def said(service: Service) -> Iterator[AdminAction]:
    for payload in payloads(service):
        says = read_statement(payload).predicate
        assert isinstance(says, AdminAction)
        yield says


def own(service: Service, person: int) -> str:
    with service.database.read() as connection:
        return pseudonyms_of(connection, person)[0]


def waiting(service: Service) -> int:
    with service.database.read() as connection:
        return len(connection.execute(select(values.c.name).where(values.c.name.like("act/%"))).all())


def test_every_deed_is_an_entry_with_who_did_it_and_no_secret(admin: Caller, made: Made) -> None:
    service, ada = made.service, made.world.ada
    secret = []
    robot = admin("POST", "/people", {"name": "robot", "shown": "Robby", "role": "agent"}, status=201)["id"]
    admin("PUT", f"/people/{ada}", {"shown": "Ada L.", "role": "reviewer"})
    admin("PUT", f"/people/{ada}", {"shown": "Ada", "role": "reviewer", "disabled": True})
    admin("PUT", f"/people/{ada}", {"shown": "Ada", "role": "reviewer"})
    secret.append(admin("POST", f"/people/{ada}/password")["password"])
    account = {"kind": "email", "issuer": "", "subject": "ada@shop.example"}
    identity = admin("POST", f"/people/{ada}/identities", account, status=201)["id"]
    admin("DELETE", f"/people/{ada}/identities/{identity}", status=204)
    theirs = admin("POST", f"/people/{robot}/tokens", {"label": "ci", "scopes": ["evidence:write"]}, status=201)
    mine = admin("POST", "/tokens", {"label": "home", "scopes": ["changes:read"]}, status=201)
    secret += [theirs["token"], mine["token"]]
    for _ in range(2):  # twice is once
        admin("DELETE", f"/people/{robot}/tokens/{theirs['kept']['id']}", status=204)
        admin("DELETE", f"/tokens/{mine['kept']['id']}", status=204)
    with service.database.write() as connection:
        key = keys.add(connection, NewKey(ada, "ssh", FINGERPRINT, b"ssh-ed25519 AAAA", "laptop"), now()).id
    admin("DELETE", f"/people/{ada}/keys/{key}", status=204)
    new = {"forge": "github", "slug": "acme/new", "clone_url": "https://git.example/acme/new.git"}
    repository = admin("POST", "/repositories", new, status=201)["id"]
    admin("DELETE", f"/repositories/{repository}", status=204)
    found = list(said(service))
    assert [each.action for each in found] == [
        "person-added",
        "role-changed",
        "person-disabled",
        "person-enabled",
        "password-reset",
        "account-added",
        "account-removed",
        "token-made",
        "token-made",
        "token-revoked",
        "token-revoked",
        "key-revoked",
        "repository-added",
        "repository-removed",
    ]
    me = own(service, made.people["admin"])
    assert {(each.person, each.through) for each in found} == {(me, "session")}
    assert [found[at].whom for at in (0, 1, 7, 8)] == [own(service, robot), own(service, ada), own(service, robot), me]
    assert (found[1].before, found[1].role, found[11].key) == ("approver", "reviewer", FINGERPRINT)
    assert (found[7].token, found[7].scopes) == (theirs["kept"]["id"], ("evidence:write",))
    assert found[12].repository == "repo:acme/new"
    everything = b"".join(payloads(service))
    for text in (*secret, "Ada", "ada@", "robot", "Robby", "laptop", "home"):
        assert text.encode() not in everything
    assert waiting(service) == 0


def test_what_was_refused_is_no_deed(admin: Caller, made: Made) -> None:
    admin("POST", "/people", {"name": "ada", "shown": "Ada", "role": "viewer"}, status=409)
    admin("PUT", f"/people/{made.people['admin']}", {"shown": "I", "role": "viewer"}, status=409)
    admin("PUT", f"/people/{made.world.ada}", {"shown": "Another", "role": "approver"})
    admin("DELETE", f"/people/{made.world.ada}/tokens/99", status=404)
    assert list(said(made.service)) == []


def test_a_deed_is_noted_with_what_it_does_and_entered_once_whoever_dies(made: Made) -> None:
    service, who = made.service, Who(made.people["admin"], "admin", "admin", None, "s")
    with service.database.write() as connection:
        note(connection, Act(action="password-reset", whom=made.world.ada), later(now(), -7200), who)
    assert (service.log.size(), waiting(service)) == (0, 1)  # and here the process dies
    for _ in range(2):
        enter_all(service)
    (says,) = said(service)
    assert (says.action, says.whom) == ("password-reset", own(service, made.world.ada))
    assert says.recorded > says.at, "said late, it says so"
    assert waiting(service) == 0


def test_a_deed_that_fails_is_not_noted(made: Made) -> None:
    def work(_: object) -> tuple[None, tuple[Act, ...]]:
        raise StatementError("no")

    with pytest.raises(StatementError):
        acting(made.service, Who(made.people["admin"], "admin", "admin"), work)
    assert waiting(made.service) == 0


def test_where_the_ledger_does_not_sign_it_waits(admin: Caller, made: Made) -> None:
    """Whoever mends a ledger must be able to sign in."""
    service = made.service
    admin("POST", f"/people/{made.world.ada}/password")
    outside = service.config.data / "ledger.checkpoint"
    kept = outside.read_bytes()
    outside.unlink()
    from tidegate.server.start import open_service

    with open_service(service.config) as again:
        assert again.log.refusal() is not None
        other = replace(made, service=again)
        with again.database.write() as connection:
            note(connection, Act(action="password-reset", whom=made.world.ben), again.now(), None)
        enter_all(other.service)
        assert waiting(again) == 1
    outside.write_bytes(kept)
    with open_service(service.config) as again:
        enter_all(again)
        assert [each.through for each in said(again)] == ["session", "command"]


def test_commands_on_the_machine_are_deeds_too(service: Service) -> None:
    assert first_admin(service.database)
    new_password(service.database, "admin")
    enter_all(service)
    assert [(each.action, each.through, each.person) for each in said(service)] == [
        ("person-added", "command", ""),
        ("password-reset", "command", ""),
    ]


def test_other_settings_than_at_the_last_start_are_on_record_without_secrets(service: Service) -> None:
    for _ in range(2):
        note_settings(service)
    config = replace(service.config, quorum=1, witnesses=("w+1+x https://w.example",))
    note_settings(replace(service, config=config))
    secret = replace(config, sign_in=replace(config.sign_in, secret=Secrets((b"a secret of a provider",))))
    note_settings(replace(service, config=secret))
    enter_all(service)
    found = list(said(service))
    assert [each.action for each in found] == ["settings-changed"] * 2
    assert found[1].settings == acts.digest_of_settings(secret) != found[0].settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "role-changed", "role": "admin"},
        {"action": "token-made"},
        {"action": "key-added", "whom": "person:" + "1" * 32},
        {"action": "repository-added"},
        {"action": "settings-changed"},
        {"action": "person-added"},
        {"action": "person-added", "whom": "person:" + "1" * 32, "through": "command"},
        {"action": "person-added", "whom": "person:" + "1" * 32, "person": ""},
    ],
)
def test_a_deed_says_which_one_and_by_whom(wrong: dict[str, str]) -> None:
    fields = {"through": "session", "person": "person:" + "2" * 32, "at": "2027-01-15T08:00:00Z", **wrong}
    with pytest.raises(StatementError):
        AdminAction(**fields)  # type: ignore[arg-type]
