"""Approvals and emergencies in the service: whoever must not is refused, whatever they send."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from msgspec.structs import replace
from sqlalchemy import select
from webauthn.helpers import encode_cbor

from tests.approvals.keys import Authenticator, FileKey, HardwareKey, url64
from tests.approvals.world import make_keys, make_repo
from tests.repos import Repo
from tests.server.conftest import token_for
from tidegate.assess import Request, assess
from tidegate.change.approvals import repository_uri
from tidegate.change.facts_digest import facts_digest
from tidegate.change.git import Repository, open_repository
from tidegate.change.read import Question
from tidegate.cli.approve_remote import TOKEN, approve_at
from tidegate.errors import InputError
from tidegate.facts import to_document
from tidegate.ledger.approval import Terms, decode, encode, parse_key, seal, signed_bytes
from tidegate.ledger.dsse import read_envelope
from tidegate.ledger.notes import decode_base64
from tidegate.ledger.predicates.approval import Approval as Entered
from tidegate.ledger.predicates.break_glass import BreakGlass
from tidegate.ledger.statements import read_statement
from tidegate.report.document import render_json
from tidegate.report.style import PLAIN
from tidegate.server import approve, emergency
from tidegate.server.again import ask_about_ended
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.server.app import make_app
from tidegate.server.auth import webauthn
from tidegate.server.auth.permissions import PERMISSIONS
from tidegate.server.forge.publish import Said, make_check, make_let_through
from tidegate.server.service import Service
from tidegate.server.standing import approvers_of, look
from tidegate.server.work.record import read_document
from tidegate.store import accounts, approvals, assessments, changes, repositories
from tidegate.store import keys as kept_keys
from tidegate.store.assessments import NewAssessment
from tidegate.store.clock import later, now
from tidegate.store.repositories import NewRepository
from tidegate.store.tables import deliveries

ROLES = {"bob": "approver", "carol": "approver", "alice": "approver", "mallory": "admin", "zoe": "approver"}
ACCOUNTS = {"bob": "bob", "carol": "carol", "alice": "alice", "mallory": "mallory", "bobby": "bob-work"}


class Shop(msgspec.Struct):
    """A service that looks after a repository with one change."""

    service: Service
    repo: Repo
    repository: repositories.Repository
    change: int
    people: Mapping[str, Who]
    keys: Mapping[str, Any]

    def offer(self, person: str) -> approve.Offer:
        return approve.what_to_sign(self.service, self.people[person], self.change)

    def seal(self, payload: bytes, key: str) -> bytes:
        maker = self.keys[key]
        return seal(payload, parse_key(maker.line), maker.sign(signed_bytes(payload)))

    def signed(self, person: str, key: str = "", **changed: str) -> bytes:
        """What `tidegate approve --server` hands in."""
        terms = replace(decode(self.offer(person).payload), **changed)
        return self.seal(encode(terms), key or person)

    def record(self, person: str, envelope: bytes) -> approvals.Approval:
        return approve.record(self.service, self.people[person], self.change, envelope)

    def refused(self, person: str, envelope: bytes) -> tuple[int, str]:
        with pytest.raises(Problem) as found:
            self.record(person, envelope)
        return found.value.status, f"{found.value.title} {found.value.detail}"

    def live(self) -> tuple[approvals.Approval, ...]:
        with self.service.database.read() as connection:
            return approvals.live(connection, self.change, self.service.now())

    def assessed_again(self) -> str:
        """Puts another assessment of the change's head on record, with what is handed in now; its verdict."""
        at = self.service.now()
        with open_repository(self.mirror, bare=True) as repository:
            folder = self.mirror.parent / "given"
            folder.mkdir(exist_ok=True)
            for number, each in enumerate(self.live()):
                (folder / f"{number}.json").write_bytes(each.envelope)
            settings = look(self.service, self.change).settings
            known = approvers_of(self.service, settings, self.repository)
            reviews = folder.parent / "reviews.json"
            reviews.write_text("[]")
            request = Request(
                Question(pr=pull_of(self.mirror, repository)),
                "merge",
                f"{later(at, 1)[:19]}Z",
                {},
                reviews=reviews,
                approvals=(folder,),
                approvers=known,
            )
            found = assess(request, repository)
        return next(rule for rule in found.verdict.rules if rule.id == "signed").obligations[0].state

    @property
    def mirror(self) -> Path:
        return self.service.config.data / "mirrors" / "github" / "acme" / "shop.git"


@pytest.fixture(scope="session")
def shop_keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return dict(make_keys(tmp_path_factory.mktemp("shop")))


@pytest.fixture(scope="session")
def shop_repo(shop_keys: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return make_repo(tmp_path_factory.mktemp("shop") / "repo", {k: v for k, v in shop_keys.items() if k != "lost"})


@pytest.fixture
def shop(service: Service, shop_repo: Repo, shop_keys: dict[str, Any], said: NewAssessment) -> Shop:
    mirror = service.config.data / "mirrors" / "github" / "acme" / "shop.git"
    mirror.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", "--mirror", str(shop_repo.path), str(mirror)], check=True)
    head = shop_repo.head("feature")
    with service.database.write() as connection:
        new = NewRepository("github", "acme/shop", "https://github.example/acme/shop.git", "main")
        repository = repositories.add(connection, new, now())
        read = changes.Read(repository.id, 1, "Pay", "mallory", "main", "", head, "open", "{}", now(), now())
        change = changes.keep(connection, read).change.id
        assessments.put(connection, replace(said, change=change), now())
        people = {}
        for name in (*ROLES, "bobby", "robot"):
            role = ROLES.get(name, "agent" if name == "robot" else "approver")
            person = accounts.add_person(connection, name, name.title(), role, now())
            people[name] = Who(person.id, name, role, None, f"session of {name}")
            if name in ACCOUNTS:
                accounts.add_identity(connection, person.id, "forge", "github.example", ACCOUNTS[name], now())
            if name in shop_keys:
                line = parse_key(shop_keys[name].line)
                new_key = kept_keys.NewKey(person.id, "ssh", line.fingerprint, line.line.encode(), "mine")
                kept_keys.add(connection, new_key, now())
    return Shop(service, shop_repo, repository, change, people, shop_keys)


def pull_of(mirror: Path, repository: Repository) -> Path:
    """The forge's description of the change, which also names the repository."""
    path = mirror.parent / "pull.json"
    ends = {
        end: {"sha": repository.resolve(f"refs/heads/{name}"), "ref": name, "repo": {"full_name": "acme/shop"}}
        for end, name in (("base", "main"), ("head", "feature"))
    }
    times = dict.fromkeys(("created_at", "updated_at"), "2026-01-01T00:00:00Z")
    said = {"number": 1, "title": "Pay", "body": "", "user": {"login": "mallory", "type": "User"}, "labels": []}
    path.write_text(json.dumps({**said, **ends, **times, "state": "open"}))
    return path


@pytest.fixture(scope="session")
def said(shop_repo: Repo, tmp_path_factory: pytest.TempPathFactory) -> NewAssessment:
    """What an assessment says of the change: it is the same for every test."""
    mirror = tmp_path_factory.mktemp("said") / "shop.git"
    subprocess.run(["git", "clone", "-q", "--mirror", str(shop_repo.path), str(mirror)], check=True)
    with open_repository(mirror, bare=True) as repository:
        request = Request(Question(pr=pull_of(mirror, repository)), "merge", f"{now()[:19]}Z", {})
        found = assess(request, repository)
        merged = repository.merge_trees("refs/heads/main", "refs/heads/feature")
    return NewAssessment(
        change=0,
        key="a key",
        base=found.facts.change.base,
        head=found.facts.change.head,
        merge_tree=merged,
        policy=found.verdict.policy_digest,
        facts=facts_digest(to_document(found.facts)),
        verdict=found.verdict.outcome,
        risk=None,
        document=render_json(found.facts, found.verdict, PLAIN).encode(),
    )


def payload_of(envelope: bytes) -> bytes:
    return decode_base64(read_envelope(envelope).payload.encode())


def test_what_is_offered_is_what_is_shown(shop: Shop) -> None:
    offer = shop.offer("bob")
    terms = decode(offer.payload)
    assert terms.text == offer.text
    assert (terms.repository, terms.person, terms.evidence) == (repository_uri("acme/shop"), "bob", "ssh")
    with shop.service.database.read() as connection:
        latest = assessments.latest(connection, shop.change)
    assert latest is not None
    assert (terms.facts, terms.policy, terms.merge_tree) == (latest.facts, latest.policy, latest.merge_tree)
    assert offer.refusal == ""
    assert "you helped to make it" in shop.offer("alice").refusal


def test_an_approval_is_recorded_once_and_stands_in_the_ledger_without_a_name(shop: Shop) -> None:
    envelope = shop.signed("bob")
    first, second = shop.record("bob", envelope), shop.record("bob", envelope)
    assert first == second
    assert first.entry is not None
    entry = shop.service.log.entry(first.entry)
    assert entry is not None
    said = read_statement(payload_of(entry.envelope)).predicate
    assert isinstance(said, Entered)
    assert (said.evidence, said.head, said.merge_tree) == ("ssh", first.head, first.merge_tree)
    assert b"bob" not in payload_of(entry.envelope)
    assert len(shop.service.log.entries(subject=first.head)) == 1


def test_a_recorded_approval_counts_at_the_next_assessment_and_a_revoked_one_does_not(shop: Shop) -> None:
    kept = shop.record("bob", shop.signed("bob"))
    assert [each.id for each in shop.live()] == [kept.id]
    assert shop.assessed_again() == "met"
    approve.revoke(shop.service, shop.people["bob"], kept.id, "I saw something")
    assert shop.live() == ()
    with pytest.raises(Problem, match="before you took"):
        shop.record("bob", kept.envelope)
    assert shop.service.log.find(f"revocation/approval/{kept.id}") is not None


def test_a_revoked_key_takes_its_approvals_along(shop: Shop) -> None:
    kept = shop.record("bob", shop.signed("bob"))
    late = shop.signed("bob", at=kept.at)
    shop.service.database.change(lambda c: kept_keys.revoke(c, kept.with_key or 0, shop.service.now()))
    assert shop.live() == ()
    assert shop.refused("bob", late)[0] == 403


def test_a_signed_withdrawal_takes_back(shop: Shop) -> None:
    shop.record("bob", shop.signed("bob"))
    back = shop.record("bob", shop.signed("bob", word="withdrawn"))
    assert back.revoked_at is not None
    assert shop.live() == ()


OTHER = {"head": "ab" * 20, "merge_tree": "ab" * 20, "base": "ab" * 20, "policy": "ab" * 32, "facts": "ab" * 32}
BOUND = {**OTHER, "repository": "repo:acme/other", "target": "refs/heads/next", "stage": "push"}


@pytest.mark.parametrize("field", BOUND)
def test_an_approval_of_anything_else_is_refused(shop: Shop, field: str) -> None:
    status, why = shop.refused("bob", shop.signed("bob", **{field: BOUND[field]}))
    assert status == 409
    assert field.replace("_", " ") in why
    assert shop.live() == ()


def test_who_must_not_approve_is_refused(shop: Shop) -> None:
    for person, why in (("mallory", "prompted"), ("alice", "prompted")):
        status, said = shop.refused(person, shop.signed(person))
        assert status == 403
        assert why in said
    honest = shop.signed("bob")
    for person, why in (("carol", "no key of carol|it speaks for bob|bob"), ("zoe", "none of your accounts")):
        status, said = shop.refused(person, honest)
        assert status == 403
        assert any(part in said for part in why.split("|"))
    assert "never an agent" in shop.refused("robot", honest)[1]
    assert shop.live() == ()


def test_an_approval_out_of_time_is_refused(shop: Shop) -> None:
    def at(seconds: float) -> str:
        return f"{later(shop.service.now(), seconds)[:19]}Z"

    for changed in ({"at": at(600)}, {"at": at(-200_000)}, {"at": at(-4000), "expires": at(-10)}):
        assert shop.refused("bob", shop.signed("bob", **changed))[0] == 409


def test_a_damaged_or_foreign_document_is_refused(shop: Shop) -> None:
    honest = shop.signed("bob")
    hardware = shop.keys["bob hardware"]
    assert isinstance(hardware, HardwareKey)
    untouched = shop.signed("bob", evidence="sk-ssh")
    payload = payload_of(untouched)
    unfelt = seal(payload, parse_key(hardware.line), hardware.sign(signed_bytes(payload), flags=0))
    key = shop.keys["bob"]
    assert isinstance(key, FileKey)
    git = seal(payload_of(honest), parse_key(key.line), key.sign(signed_bytes(payload_of(honest)), "git"))
    for document in (
        b"",
        b"{}",
        honest[:-2],
        honest + b" ",
        honest.replace(b'"sig":"', b'"sig":"A'),
        unfelt,
        git,
        untouched,
    ):
        assert shop.refused("bob", document)[0] == 403
    assert shop.refused("bob", b"x" * 100_000)[0] == 413
    mislabelled = honest.replace(parse_key(key.line).fingerprint.encode(), b"SHA256:somebody")
    assert shop.refused("bob", mislabelled)[0] == 403


def test_two_accounts_of_one_person_are_one_person(shop: Shop) -> None:
    shop.record("bob", shop.signed("bob"))
    asked = emergency.ask(shop.service, shop.people["bob"], shop.change, "production is down now", 1)
    with pytest.raises(Problem, match="not another account"):
        emergency.confirm(shop.service, shop.people["bobby"], asked.id)


def test_a_closed_change_is_not_approved(shop: Shop) -> None:
    envelope = shop.signed("bob")
    with shop.service.database.write() as connection:
        row = changes.get(connection, shop.change)
        assert row is not None
        values = {name: getattr(row, name) for name in changes.Read.__struct_fields__}
        changes.keep(connection, changes.Read(**{**values, "state": "merged", "read_at": now()}))
    assert shop.refused("bob", envelope)[0] == 409


# Breaking the glass


def test_two_people_let_one_state_through_and_the_record_says_so(shop: Shop) -> None:
    asked = emergency.ask(shop.service, shop.people["bob"], shop.change, "production is down now", 1)
    standing = look(shop.service, shop.change)
    state = (standing.change.head, standing.merge_tree)
    assert emergency.let_through(shop.service, shop.change, *state) is None
    confirmed = emergency.confirm(shop.service, shop.people["carol"], asked.id)
    with pytest.raises(Problem, match="confirmed before"):
        emergency.confirm(shop.service, shop.people["carol"], asked.id)
    said = emergency.let_through(shop.service, shop.change, *state)
    assert isinstance(said, BreakGlass)
    assert "signed" in said.waived
    assert len(set(said.people)) == 2
    assert emergency.let_through(shop.service, shop.change, "ab" * 20, state[1]) is None
    assert emergency.let_through(shop.service, shop.change, state[0], "ab" * 20) is None
    assert confirmed.entry is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [("bob", "bob"), ("bob", "bobby"), ("bob", "mallory"), ("bob", "alice"), ("bob", "robot")],
)
def test_nobody_else_confirms(shop: Shop, first: str, second: str) -> None:
    asked = emergency.ask(shop.service, shop.people[first], shop.change, "production is down now", 1)
    with pytest.raises(Problem) as found:
        emergency.confirm(shop.service, shop.people[second], asked.id)
    assert found.value.status == 403
    standing = look(shop.service, shop.change)
    assert emergency.let_through(shop.service, shop.change, standing.change.head, standing.merge_tree) is None


def test_an_account_that_nobody_knows_is_no_second_person(shop: Shop) -> None:
    """Whoever signs in by another provider has a second account, and breaks the glass alone by the two."""
    with shop.service.database.write() as connection:
        again = accounts.add_person(connection, "bob-again", "Bob", "approver", now())
    who = Who(again.id, again.name, again.role, None, "session of bob-again")
    asked = emergency.ask(shop.service, shop.people["bob"], shop.change, "production is down now", 1)
    with pytest.raises(Problem, match="other one of the two"):
        emergency.confirm(shop.service, who, asked.id)
    with pytest.raises(Problem, match="other one of the two"):
        emergency.ask(shop.service, who, shop.change, "production is down now", 1)


def test_nobody_asks_who_must_not(shop: Shop) -> None:
    for who in (
        shop.people["mallory"],
        shop.people["alice"],
        shop.people["robot"],
        replace(shop.people["bob"], session=""),
    ):
        with pytest.raises(Problem) as found:
            emergency.ask(shop.service, who, shop.change, "production is down now", 1)
        assert found.value.status == 403
    for reason, hours in (("", 1), ("down", 1), ("production is down", 0), ("production is down", 1000)):
        with pytest.raises(Problem) as found:
            emergency.ask(shop.service, shop.people["bob"], shop.change, reason, hours)
        assert found.value.status == 422


def test_what_was_pushed_meanwhile_is_not_let_through(shop: Shop) -> None:
    asked = emergency.ask(shop.service, shop.people["bob"], shop.change, "production is down now", 1)
    pushed = shop.repo.head("main")
    with shop.service.database.write() as connection:
        row = changes.get(connection, shop.change)
        assert row is not None
        values = {name: getattr(row, name) for name in changes.Read.__struct_fields__}
        changes.keep(connection, changes.Read(**{**values, "head": pushed, "read_at": now()}))
    with pytest.raises(Problem) as found:
        emergency.confirm(shop.service, shop.people["carol"], asked.id)
    assert found.value.status == 409


# Authenticators in the console


SITE = "https://gate.example.com"


@pytest.fixture
def console(shop: Shop) -> Shop:
    """The same, where browsers know authenticators."""
    config = replace(shop.service.config, url=SITE)
    return Shop(replace(shop.service, config=config), shop.repo, shop.repository, shop.change, shop.people, shop.keys)


def registered(shop: Shop, person: str, key: Authenticator, **lies: Any) -> kept_keys.Key:
    """Does what a browser does to register an authenticator."""
    options = webauthn.begin_registration(shop.service, shop.people[person])
    return webauthn.finish_registration(
        shop.service, shop.people[person], created(key, options["challenge"], **lies), "x"
    )


def created(
    key: Authenticator, challenge: str, *, flags: int = 0x45, origin: str = SITE, rp_id: str = ""
) -> dict[str, Any]:
    numbers = key.private.public_key().public_numbers()
    cose = encode_cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
    data = hashlib.sha256((rp_id or "gate.example.com").encode()).digest() + bytes([flags]) + bytes(4) + bytes(16)
    data += len(key.credential).to_bytes(2, "big") + key.credential + cose
    client = {"type": "webauthn.create", "challenge": challenge, "origin": origin, "crossOrigin": False}
    response = {
        "clientDataJSON": url64(json.dumps(client).encode()),
        "attestationObject": url64(encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})),
    }
    name = url64(key.credential)
    return {"id": name, "rawId": name, "type": "public-key", "response": response}


def answered(key: Authenticator, payload: bytes, **lies: Any) -> dict[str, Any]:
    made = key.sign(signed_bytes(payload), **lies)
    response = {
        "authenticatorData": made.authenticator_data,
        "clientDataJSON": made.client_data,
        "signature": made.signature,
    }
    name = url64(key.credential)
    return {"id": name, "rawId": name, "type": "public-key", "response": response}


def offered(shop: Shop, person: str, key: kept_keys.Key) -> bytes:
    return approve.what_to_sign(shop.service, shop.people[person], shop.change, key.id).payload


def in_browser(shop: Shop, person: str, key: int, payload: bytes, credential: dict[str, Any]) -> approvals.Approval:
    return approve.record_from_browser(shop.service, shop.people[person], shop.change, payload, key, credential)


def test_an_authenticator_is_registered_and_approves(console: Shop) -> None:
    key = Authenticator.make(SITE)
    kept = registered(console, "bob", key)
    payload = offered(console, "bob", kept)
    asked = webauthn.question(console.service, kept, signed_bytes(payload))
    assert asked["userVerification"] == "required"
    assert asked["challenge"] == url64(hashlib.sha256(signed_bytes(payload)).digest())
    approval = in_browser(console, "bob", kept.id, payload, answered(key, payload))
    assert (approval.evidence, approval.with_key) == ("webauthn", kept.id)
    assert console.assessed_again() == "met"


@pytest.mark.parametrize(
    "lies",
    [
        {"flags": 1},
        {"flags": 4},
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"kind": "webauthn.create"},
        {"challenge": b"of something else"},
        {"more": {"crossOrigin": True}},
    ],
    ids=["no verification", "no touch", "origin", "site", "kind", "challenge", "inside a page"],
)
def test_an_authenticator_that_lies_is_refused(console: Shop, lies: dict[str, Any]) -> None:
    key = Authenticator.make(SITE)
    kept = registered(console, "bob", key)
    payload = offered(console, "bob", kept)
    with pytest.raises(Problem) as found:
        in_browser(console, "bob", kept.id, payload, answered(key, payload, **lies))
    assert found.value.status == 403
    assert console.live() == ()


def test_an_assertion_counts_once_and_for_one_statement(console: Shop) -> None:
    key = Authenticator.make(SITE)
    kept = registered(console, "bob", key)
    payload = offered(console, "bob", kept)
    other = encode(replace(decode(payload), expires=f"{later(now(), 3 * 86400)[:19]}Z"))
    with pytest.raises(Problem) as found:
        in_browser(console, "bob", kept.id, payload, answered(key, other))
    assert found.value.status == 403
    key.counter = 5
    in_browser(console, "bob", kept.id, payload, answered(key, payload))
    for counter in (5, 4, 0):
        key.counter = counter
        with pytest.raises(Problem) as found:
            in_browser(console, "bob", kept.id, payload, answered(key, payload))
        assert found.value.status in (403, 409)


def test_an_authenticator_of_somebody_else_is_refused(console: Shop) -> None:
    key = Authenticator.make(SITE)
    kept = registered(console, "bob", key)
    payload = offered(console, "bob", kept)
    with pytest.raises(Problem) as found:
        in_browser(console, "carol", kept.id, payload, answered(key, payload))
    assert found.value.status == 404
    another = Authenticator.make(SITE)
    with pytest.raises(Problem) as found:
        in_browser(console, "bob", kept.id, payload, answered(another, payload))
    assert found.value.status == 403
    token = replace(console.people["bob"], session="")
    with pytest.raises(Problem) as found:
        approve.record_from_browser(console.service, token, console.change, payload, kept.id, answered(key, payload))
    assert found.value.status == 403
    maker = Authenticator.make(SITE)
    maker.credential = b"of the maker"
    theirs = registered(console, "mallory", maker)
    own = offered(console, "mallory", theirs)
    with pytest.raises(Problem) as found:
        in_browser(console, "mallory", theirs.id, own, answered(maker, own))
    assert found.value.status == 403
    assert console.live() == ()


@pytest.mark.parametrize("lies", [{"flags": 0x41}, {"origin": "https://evil.example"}, {"rp_id": "evil.example"}])
def test_a_registration_that_lies_is_refused(console: Shop, lies: dict[str, Any]) -> None:
    with pytest.raises(Problem) as found:
        registered(console, "bob", Authenticator.make(SITE), **lies)
    assert found.value.status == 403


def test_a_registration_is_answered_once_and_by_its_own_session(console: Shop) -> None:
    bob, carol, key = console.people["bob"], console.people["carol"], Authenticator.make(SITE)
    challenge = webauthn.begin_registration(console.service, bob)["challenge"]
    with pytest.raises(Problem):
        webauthn.finish_registration(console.service, carol, created(key, challenge), "x")
    webauthn.finish_registration(console.service, bob, created(key, challenge), "x")
    with pytest.raises(Problem):
        webauthn.finish_registration(console.service, bob, created(key, challenge), "x")


def test_where_browsers_know_no_authenticators_it_is_said(shop: Shop) -> None:
    with pytest.raises(Problem, match="only on https"):
        webauthn.begin_registration(shop.service, shop.people["bob"])


# From the command line


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """The service on a port of this machine."""
    server = uvicorn.Server(uvicorn.Config(make_app(shop.service), host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def test_an_approval_is_signed_and_handed_in_from_the_command_line(
    shop: Shop, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with shop.service.database.write() as connection:
        given = {TOKEN: token_for(shop.service, shop.people["bob"].person, PERMISSIONS, connection=connection)}
    asked: list[Terms] = []
    said = approve_at(address, str(shop.change), shop.keys["bob"].path, given, asked.append)
    assert "handed in" in said
    assert [each.text for each in asked] == [shop_text(capsys)]
    (live,) = shop.live()
    assert (live.evidence, live.person) == ("ssh", shop.people["bob"].person)
    with pytest.raises(InputError, match="0 of your keys are registered there"):
        approve_at(address, str(shop.change), shop.keys["carol"].path, given, asked.append)
    with pytest.raises(InputError, match="no API token"):
        approve_at(address, str(shop.change), shop.keys["bob"].path, {TOKEN: "secret"}, asked.append)


def shop_text(capsys: pytest.CaptureFixture[str]) -> str:
    """What was shown under `What you sign`."""
    _, _, shown = capsys.readouterr().out.partition("What you sign\n")
    return "".join(f"{line.removeprefix('  ')}\n" for line in shown.rstrip().splitlines())


def test_a_maker_is_told_before_anything_is_signed(shop: Shop, address: str) -> None:
    with shop.service.database.write() as connection:
        given = {TOKEN: token_for(shop.service, shop.people["alice"].person, PERMISSIONS, connection=connection)}
    with pytest.raises(InputError, match="you helped to make it"):
        approve_at(address, str(shop.change), shop.keys["alice"].path, given, lambda _: pytest.fail("nothing to ask"))


@pytest.mark.parametrize("server", ["http://gate.example.com", "ftp://127.0.0.1", "gate.example.com"])
def test_a_token_is_never_sent_in_the_open(server: str) -> None:
    with pytest.raises(InputError, match="https"):
        approve_at(server, "1", None, {TOKEN: "tg_secret"}, lambda _: None)


# What follows at the forge


def asked_for(shop: Shop) -> list[str]:
    with shop.service.database.read() as connection:
        return [str(row) for row in connection.execute(select(deliveries.c.delivery).order_by("id")).scalars()]


def test_whatever_changes_the_verdict_has_the_change_looked_at_again(shop: Shop) -> None:
    kept = shop.record("bob", shop.signed("bob"))
    shop.record("bob", kept.envelope)
    approve.revoke(shop.service, shop.people["bob"], kept.id, "I saw something")
    asked = emergency.ask(shop.service, shop.people["bob"], shop.change, "production is down now", 1)
    emergency.confirm(shop.service, shop.people["carol"], asked.id)
    about = f"tidegate-again-{shop.change}"
    expected = [f"{about}-approval-{kept.id}", f"{about}-approval-{kept.id}-revoked", f"{about}-emergency-{asked.id}"]
    assert asked_for(shop) == expected
    assert ask_about_ended(shop.service) == 0
    tomorrow = replace(shop.service, now=lambda: later(now(), 7200))
    assert ask_about_ended(tomorrow) == 1
    assert ask_about_ended(tomorrow) == 0
    assert asked_for(shop) == [*expected, f"{about}-emergency-{asked.id}-ended"]
    standing = look(shop.service, shop.change)
    assert emergency.let_through(tomorrow, shop.change, standing.change.head, standing.merge_tree) is None


def test_a_check_that_was_let_through_says_so_first(said: NewAssessment) -> None:
    kept = read_document(said.document)
    check = make_check(kept.facts, kept.verdict, Said("key", said.head, "https://gate.example.com/changes/1"))
    assert check.conclusion == "action_required"
    passed = make_let_through(check, "2026-03-01T16:00:00Z")
    assert passed.conclusion == "success"
    assert passed.title.startswith("Let through by two people until 2026-03-01T16:00:00Z; ")
    assert check.summary in passed.summary
