"""The API as those use it whom it is for: a reviewer, an auditor, an admin."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from starlette.responses import Response
from starlette.testclient import TestClient

from tests.repos import build
from tests.server.conftest import Made, bearer
from tests.store.world import assessed, read
from tidegate.facts import Facts, to_document, to_json
from tidegate.ledger import bodies
from tidegate.ledger.bodies import Body
from tidegate.ledger.checkpoint import open_checkpoint
from tidegate.ledger.keys import parse_vkey
from tidegate.ledger.log import NewEntry
from tidegate.ledger.merkle import leaf_hash, root_of, verify_consistency, verify_inclusion
from tidegate.ledger.quorum import make_quorum
from tidegate.ledger.receipt import parse_receipt, verify_receipt
from tidegate.policy.verdict import Verdict
from tidegate.server.auth.session import CSRF_HEADER, open_session
from tidegate.server.entries import pseudonym_of
from tidegate.server.forge.values import Delivery
from tidegate.store import accounts, assessments, changes, inbox
from tidegate.store.clock import now
from tidegate.store.erasure import person_behind

HEAD = f"{1:040x}"
HUNK = "src/a b.py:1-20"


class Caller:
    """Speaks for a role, by its token; in a browser's session as `at_browser`."""

    def __init__(self, client: TestClient, made: Made, role: str, *, at_browser: bool = False) -> None:
        self._client = client
        self._headers = bearer(made.tokens[role])
        if at_browser:
            response = Response()
            with made.service.database.read() as connection:
                person = accounts.person(connection, made.people[role])
            assert person is not None
            session = open_session(made.service, person, response)
            self._headers = {"cookie": response.headers["set-cookie"].partition(";")[0], CSRF_HEADER: session.csrf}

    def __call__(self, method: str, path: str, body: object = None, *, status: int = 200) -> object:
        given = {} if body is None else {"json": body}
        answer = self._client.request(method, f"/api/v1{path}", headers=self._headers, **given)  # type: ignore[arg-type]
        assert answer.status_code == status, answer.text
        if answer.headers.get("content-type", "").startswith("application/"):
            return answer.content if "octet" in answer.headers["content-type"] else answer.json()
        return answer.text


@pytest.fixture
def reviewer(client: TestClient, made: Made) -> Caller:
    return Caller(client, made, "reviewer")


@pytest.fixture
def admin(client: TestClient, made: Made) -> Caller:
    return Caller(client, made, "admin", at_browser=True)


@pytest.fixture
def many(made: Made) -> Made:
    """Ten open changes: 1 not assessed, 2 to 10 with a risk that falls."""
    with made.service.database.write() as connection:
        for number in range(2, 11):
            row = changes.keep(connection, read(made.world.repository, number)).change
            verdict = "hold" if number % 2 else "pass"
            said = assessed(row.id, f"k{number}", head=row.head, verdict=verdict, risk=str(1 - number / 100))
            assessments.put(connection, said, now())
    return made


def test_the_queue_comes_whole_in_pages_of_any_size(reviewer: Caller, many: Made) -> None:
    for most in (1, 3, 10, 100):
        seen, after = [], ""
        while True:
            page = reviewer("GET", f"/changes?most={most}&after={after}")
            seen += [item["change"]["number"] for item in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert seen == list(range(1, 11))


def test_the_queue_is_filtered(reviewer: Caller, many: Made) -> None:
    def numbers(query: str) -> list[int]:
        return [item["change"]["number"] for item in reviewer("GET", f"/changes?{query}")["items"]]

    assert numbers("verdict=hold") == [3, 5, 7, 9]
    assert numbers("verdict=none") == [1]
    assert numbers("author=nobody") == []
    assert numbers("author=ada&target=main&repository=1&most=2") == [1, 2]
    assert numbers("repository=2") == []


def test_a_change_is_found_by_its_number_at_the_forge(reviewer: Caller, many: Made) -> None:
    found = reviewer("GET", "/pull?forge=github&slug=acme/shop&number=3")
    assert found["change"]["title"] == "Change 3"
    assert found["latest"]["verdict"] == "hold"
    assert found == reviewer("GET", f"/changes/{found['change']['id']}")
    for wrong in ("forge=gitlab&slug=acme/shop&number=3", "forge=github&slug=acme/shop&number=30"):
        reviewer("GET", f"/pull?{wrong}", status=404)


def test_asking_again_goes_the_way_of_a_delivery_once(reviewer: Caller, made: Made) -> None:
    path = f"/changes/{made.world.change}/assessments"
    assert reviewer("POST", path, status=202) == {"new": True}
    with made.service.database.read() as connection:
        kept = inbox.page(connection)
    assert [(each.forge, each.slug, each.state) for each in kept] == [("github", "acme/shop", "new")]
    hint = msgspec.json.decode(kept[0].body, type=Delivery)
    assert (hint.event, hint.pull, hint.commit) == ("again", 1, HEAD)
    with made.service.database.write() as connection:
        changes.keep(connection, read(made.world.repository, 1, minute=2, state="closed"))
    reviewer("POST", path, status=409)


def test_reading_is_credited_as_the_clock_allows(reviewer: Caller, made: Made) -> None:
    path = f"/changes/{made.world.change}"
    assert reviewer("POST", f"{path}/looks", {"head": HEAD, "seconds": {HUNK: 30}}) == {"seconds": {}}
    reviewer("PUT", f"{path}/looks", {"head": HEAD}, status=204)
    credited = reviewer("POST", f"{path}/looks", {"head": HEAD, "seconds": {HUNK: 3000}})["seconds"]
    assert 0 < credited[HUNK] < 20
    reviewer("POST", f"{path}/understood", {"head": HEAD, "hunk": HUNK}, status=204)
    reviewer("POST", f"{path}/understood", {"head": HEAD, "hunk": HUNK}, status=204)
    reviewer("POST", f"{path}/understood", {"head": HEAD, "hunk": "never.py:1-2"}, status=409)
    reviewer("POST", f"{path}/looks", {"head": "f" * 40, "seconds": {HUNK: 1}}, status=409)
    for wrong in ({"": 1}, {"no range": 1}, {HUNK: -1}, {HUNK: 1e9}, {f"a.py:{n}-{n}": 1 for n in range(501)}):
        reviewer("POST", f"{path}/looks", {"head": HEAD, "seconds": wrong}, status=422)
    mine = [look for look in reviewer("GET", f"{path}/looks")["items"] if look["hunk"] == HUNK]
    assert mine[0]["understood_at"]


def test_questions(reviewer: Caller, admin: Caller, made: Made) -> None:
    path = f"/changes/{made.world.change}/questions"
    asked = reviewer("POST", path, {"head": HEAD, "hunk": HUNK, "text": "Why?"}, status=201)
    answered = admin("POST", f"/questions/{asked['id']}/answer", {"text": "Because."})
    assert answered["answered_by"] == made.people["admin"]
    admin("POST", f"/questions/{asked['id']}/answer", {"text": "No."}, status=409)
    assert reviewer("GET", path)["items"] == [answered]


def test_an_auditor_verifies_everything_from_the_api_alone(reviewer: Caller, made: Made, tmp_path: Path) -> None:
    log = made.service.log
    for number in range(300):
        log.submit(NewEntry(f"key {number}", "https://example.test/p", f"s{number % 2}", b'{"n": %d}' % number))
    log.append(NewEntry("last", "https://example.test/p", "s", b"{}"))
    state = reviewer("GET", "/ledger")
    key = parse_vkey(state["key"])
    assert (state["size"], state["refusal"]) == (301, None)
    note = reviewer("GET", "/ledger/checkpoint").encode()
    tree = open_checkpoint(note, key.name, [key]).checkpoint
    assert tree.size == 301

    entry = reviewer("GET", "/ledger/entries/41")
    envelope = base64.b64decode(entry["envelope"])
    assert leaf_hash(envelope).hex() == entry["leaf"]
    proof = reviewer("GET", "/ledger/inclusion?index=41")
    hashes = [base64.b64decode(each) for each in proof["hashes"]]
    verify_inclusion(41, proof["size"], leaf_hash(envelope), hashes, tree.root)
    receipt = parse_receipt(reviewer("GET", "/ledger/entries/41/receipt").encode())
    assert verify_receipt(receipt, envelope, key.name, [key], make_quorum([], 0)).index == 41
    grown = reviewer("GET", "/ledger/consistency?old=41")
    old = root_of(bytes.fromhex(reviewer("GET", f"/ledger/entries/{index}")["leaf"]) for index in range(41))
    verify_consistency(41, 301, old, tree.root, [base64.b64decode(each) for each in grown["hashes"]])

    log.export(tmp_path / "log")
    for path in sorted((tmp_path / "log").rglob("*")):
        if path.is_file():
            said = reviewer("GET", f"/ledger/tiles/{path.relative_to(tmp_path / 'log')}")
            assert (said.encode() if isinstance(said, str) else said) == path.read_bytes()
    found, after = 0, 0
    while after is not None:
        page = reviewer("GET", f"/ledger/entries?subject=s1&start={after}&most=40")
        found, after = found + len(page["items"]), page["next"]
    assert found == 150
    for wrong in ("entries/301", "entries/301/receipt", "tiles/tile/0/002", "tiles/tile/0/000.p/255x"):
        reviewer("GET", f"/ledger/{wrong}", status=404)
    for wrong in (
        "inclusion?index=301",
        "inclusion?index=1&size=302",
        "consistency?old=302",
        "consistency?old=5&new=4",
    ):
        reviewer("GET", f"/ledger/{wrong}", status=422)


def test_an_empty_ledger(reviewer: Caller) -> None:
    assert reviewer("GET", "/ledger")["size"] == 0
    assert reviewer("GET", "/ledger/entries") == {"items": [], "next": None}
    reviewer("GET", "/ledger/checkpoint", status=404)
    reviewer("GET", "/ledger/tiles/checkpoint", status=404)
    reviewer("GET", "/ledger/inclusion?index=0", status=422)


def test_people_and_their_accounts(admin: Caller, made: Made) -> None:
    eve = admin("POST", "/people", {"name": "eve", "shown": "Eve", "role": "agent"}, status=201)["id"]
    robot = f"/people/{eve}"
    account = {"kind": "forge", "issuer": "github.com", "subject": "eve"}
    identity = admin("POST", f"{robot}/identities", account, status=201)
    admin("POST", f"/people/{made.world.ada}/identities", account, status=409)
    assert admin("GET", robot)["identities"] == [identity]
    admin("POST", f"{robot}/password", status=409)
    token = {"label": "ci", "scopes": ["evidence:write"]}
    made_ = admin("POST", f"{robot}/tokens", token, status=201)
    admin("POST", f"{robot}/tokens", {"label": "ci", "scopes": ["approvals:write"]}, status=409)
    admin("POST", f"/people/{made.world.ada}/tokens", token, status=409)
    admin("DELETE", f"/people/{made.world.ada}/tokens/{made_['kept']['id']}", status=404)
    admin("DELETE", f"{robot}/tokens/{made_['kept']['id']}", status=204)
    assert admin("GET", f"{robot}/tokens")["items"][0]["revoked_at"]
    admin("PUT", robot, {"shown": "Eve", "role": "viewer", "disabled": True})
    assert admin("GET", robot)["person"]["disabled_at"]
    admin("DELETE", f"/people/{made.world.ada}/identities/{identity['id']}", status=404)
    admin("DELETE", f"{robot}/identities/{identity['id']}", status=204)
    me = f"/people/{made.people['admin']}"
    admin("PUT", me, {"shown": "I", "role": "viewer"}, status=409)
    admin("PUT", me, {"shown": "I", "role": "admin", "disabled": True}, status=409)
    assert len(admin("POST", f"/people/{made.world.ada}/password")["password"]) == 27


def test_a_token_of_an_admin_does_not_do_what_wants_a_session(client: TestClient, made: Made) -> None:
    by_token = Caller(client, made, "admin")
    ada = f"/people/{made.world.ada}"
    by_token("POST", f"{ada}/password", status=403)
    by_token("POST", f"{ada}/erasure", {"ground": "request", "name": "ada"}, status=403)
    by_token("POST", f"{ada}/tokens", {"label": "x", "scopes": ["changes:read"]}, status=403)
    by_token("POST", "/keys", {"signature": "-----BEGIN SSH SIGNATURE-----", "label": "x"}, status=403)
    by_token("GET", "/key-question", status=403)
    by_token("POST", f"/changes/{made.world.change}/emergencies", {"reason": "the shop is down"}, status=409)


def test_a_person_is_erased_and_every_proof_stays(admin: Caller, made: Made) -> None:
    service = made.service
    with service.database.write() as connection:
        owner = pseudonym_of(connection, made.world.ada, "ada", now())
        kept = bodies.keep(connection, Body(owner, "prompt", b"my secret prompt"), now())
    service.log.append(NewEntry("k", "https://example.test/p", "s", kept.encode()))
    before = admin("GET", "/ledger/entries/0")
    path = f"/people/{made.world.ada}/erasure"
    admin("POST", path, {"ground": "request", "name": "ben"}, status=409)
    erased = admin("POST", path, {"ground": "request", "name": "ada"})
    assert (erased["count"], erased["entry"]) == (2, 1)
    with service.database.read() as connection:
        assert bodies.read(connection, kept) is None
    assert admin("GET", "/ledger/entries/0") == before
    said = base64.b64decode(admin("GET", "/ledger/entries/1")["envelope"])
    assert kept.encode() in base64.b64decode(msgspec.json.decode(said)["payload"])
    assert b"ada" not in said
    assert owner.encode() in base64.b64decode(msgspec.json.decode(said)["payload"])
    assert "ada" not in str(admin("GET", "/people")["items"])
    page = admin("GET", f"/people/{made.world.ada}")
    assert page["person"]["name"] == f"erased-{made.world.ada}"
    assert page["person"]["disabled_at"]
    assert page["identities"] == []
    with service.database.read() as connection:
        assert person_behind(connection, owner) is None


def test_repositories(admin: Caller, made: Made) -> None:
    new = {"forge": "gitlab", "slug": "group/sub/app", "clone_url": "https://git.example/group/sub/app.git"}
    one = admin("POST", "/repositories", new, status=201)
    assert one["main"] == "main"
    assert admin("POST", "/repositories", {**new, "main": "trunk"}, status=201)["id"] == one["id"]
    assert [each["slug"] for each in admin("GET", "/repositories")["items"]] == ["acme/shop", "group/sub/app"]
    admin("DELETE", f"/repositories/{one['id']}", status=204)
    assert admin("GET", f"/repositories/{one['id']}")["removed_at"]
    for wrong in (
        {"clone_url": "file:///etc"},
        {"clone_url": "https://u:p@git.example/x"},
        {"clone_url": "--upload-pack=x"},
        {"slug": "../x"},
        {"slug": "a/-x"},
        {"main": "-x"},
        {"main": "a b"},
    ):
        admin("POST", "/repositories", {**new, **wrong}, status=422)
    assert admin("GET", "/witnesses") == {"items": [], "quorum": 0}


def test_pages_of_people_end(admin: Caller, made: Made) -> None:
    seen, after = [], 0
    while after is not None:
        page = admin("GET", f"/people?most=2&after={after}")
        seen, after = seen + [each["name"] for each in page["items"]], page["next"]
    assert seen == ["ada", "ben", "viewer", "reviewer", "approver", "admin", "agent"]


HISTORY = """
commit Begin
  file src/pay.py
    . def pay(): ...
branch feature
commit Pay twice
  file src/pay.py
    . def pay(): ...
    . pay()
"""


def test_a_change_that_lies_in_a_mirror(admin: Caller, made: Made, tmp_path: Path) -> None:
    """The population of its repository, its hunks, and what other rules would say."""
    repo = build(tmp_path / "repo", HISTORY)
    mirror = made.service.config.data / "mirrors" / "github" / "acme" / "shop.git"
    mirror.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", "--mirror", str(repo.path), str(mirror)], check=True)
    path = f"/repositories/{made.world.repository}/population"
    found = admin("GET", f"{path}?begin=2000-01-01T00:00:00Z&end=2100-01-01T00:00:00Z")
    assert [item["commit"] for item in found["items"]] == [repo.head("main")]
    assert found["items"][0]["exceptions"]  # nothing was decided of it
    for wrong in ("begin=2100-01-01T00:00:00Z&end=2000-01-01T00:00:00Z", "begin=yesterday..&end=tomorrow..."):
        admin("GET", f"{path}?{wrong}", status=422)

    change, rules = f"/changes/{made.world.change}", {"rules": ""}
    admin("GET", f"{change}/hunks", status=409)
    admin("POST", f"{change}/simulation", rules, status=409)
    head = repo.head("feature")
    facts = to_document(Facts(now="2026-01-02T00:00:00Z"))
    verdict = Verdict("pass", "merge", (), "no rules", "")
    document = to_json({"facts": facts, "verdict": verdict})
    with made.service.database.write() as connection:
        changes.keep(connection, read(made.world.repository, 1, minute=3, head=head))
        said = structs.replace(assessed(made.world.change, "k", head=head), document=document)
        assessments.put(connection, said, now())
    assert admin("GET", f"{change}/hunks")["head"] == head
    simulated = admin("POST", f"{change}/simulation", rules)
    assert (simulated["stands"], simulated["verdict"]["outcome"]) == ("pass", "block")  # what is unknown is not safe
    assert admin("GET", "/assessments/1/document") == msgspec.json.decode(document)
    for wrong in ("[[rule]", "[people.x]\nname = 'X'", "[[rule]]\nid = 'x'", "rule = 1"):
        admin("POST", f"{change}/simulation", {"rules": wrong}, status=422)
