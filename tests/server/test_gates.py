"""Gates in the service, with a forge on loopback: asked, decided, recorded, answered; and never opened by a fault."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from demo.forge import FakeForge
from msgspec import Struct
from msgspec.structs import replace
from starlette.testclient import TestClient

from tests.policy.helpers import document_of
from tests.repos import Repo, build
from tests.rollout.test_canary_prometheus import DOCUMENT
from tests.server import forges
from tests.server.conftest import bearer, token_for
from tests.server.forges import SECRET, SLUG, Message
from tidegate.ledger.keys import PublicKey, read_software_key
from tidegate.ledger.predicates.deployment import Deployment
from tidegate.ledger.predicates.deployment_word import DeploymentWord
from tidegate.ledger.predicates.gate import Gate as GateStatement
from tidegate.ledger.statements import open_entry
from tidegate.server.app import make_app
from tidegate.server.auth.permissions import PERMISSIONS
from tidegate.server.config import GitHub, Secrets
from tidegate.server.forge.github import GitHubForge
from tidegate.server.mirrors import open_mirrors
from tidegate.server.production.intake import take
from tidegate.server.rollout.callbacks import answer_callbacks
from tidegate.server.rollout.told import put_deployments
from tidegate.server.service import Service
from tidegate.server.work.journey import Way
from tidegate.store import accounts, assessments, canaries, changes, gates, repositories
from tidegate.store.assessments import NewAssessment
from tidegate.store.canaries import NewCanary, Verdict
from tidegate.store.changes import Read
from tidegate.store.clock import later, now
from tidegate.store.repositories import NewRepository, Repository

app_key, running = forges.app_key, forges.running
fake, received, github = forges.fake, forges.received, forges.github
ROLLOUT = """
[environments.staging]
tier = "low"
[environments.production]
tier = "high"
after = ["staging"]
[environments.frozen]
tier = "low"
[environments.budgeted]
tier = "low"
error_budget.query = "budget_left"
[[freeze]]
name = "for good"
environments = ["frozen"]
from = "2020-01-01"
until = "2090-01-01"
"""
SETTINGS = """
policy.pack = "none"
[people.ann]
name = "Ann Smith"
accounts = ["ann", "ann-at-night"]
[people.bob]
name = "Bob Jones"
accounts = ["bob"]
[people.pipeline]
name = "Pipeline"
accounts = ["deployer[bot]"]
"""
NIGHT = "ann-at-night"


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits on main; the second is a change."""
    script = f"""
commit Open the shop
  file shop.py
    . price = 1
  file .tidegate/rollout.toml
{_lines(ROLLOUT)}
  file tidegate.toml
{_lines(SETTINGS)}
  file .tidegate/canaries/shop.toml
{_lines(DOCUMENT)}
commit Raise the price (#1)
  file shop.py
    . price = 2
"""
    return build(tmp_path_factory.mktemp("gated"), script).path


class House(Struct):
    """The service, its forge, and who asks it: tokens by name."""

    service: Service
    client: TestClient
    fake: FakeForge
    repo: Repo
    repository: Repository
    tokens: dict[str, str]

    @property
    def old(self) -> str:
        return self.repo.head("main~1")

    @property
    def new(self) -> str:
        return self.repo.head("main")

    def post(self, path: str, by: str = "admin", **body: Any) -> Any:
        return self.client.post(f"/api/v1{path}", json=body, headers=bearer(self.tokens[by]))

    def ask(self, environment: str, **more: Any) -> Any:
        given = {"environment": environment, "revision": self.new, "repository": SLUG, "actor": "pipeline", **more}
        return self.post("/gates", **given)

    def tell(self, event: dict[str, Any], *, signed: bool = True) -> None:
        """Told by a sender that signs, or by whoever has a token."""
        if signed:
            take(self.service, "plain", json.dumps(event).encode(), {}, signed=True)
            return
        answer = self.client.post("/api/v1/events/plain", json=event, headers=bearer(self.tokens["admin"]))
        assert answer.status_code == 202, answer.text

    def deployed(
        self, environment: str, revision: str, status: str = "succeeded", ago: float = 600, *, signed: bool = True
    ) -> None:
        name = f"{environment}-{revision[:8]}-{ago:g}"
        said = {"type": "deployment", "deployment": name, "environment": environment, "revision": revision}
        for word in dict.fromkeys(("started", status)):
            at = time.time() - ago + (1 if word != "started" else 0)
            event = {**said, "id": f"{name}-{word}", "at": at, "status": word, "repository": SLUG}
            self.tell(event, signed=signed)

    def assessed(self, verdict: str = "pass") -> None:
        """The change, as it was decided on before it landed."""
        facts = document_of(change__commits=[{"oid": self.new}], change__base=self.old)
        facts["change"]["head_tree"] = self.repo.head("main^{tree}")
        document = {"facts": facts, "verdict": {"outcome": verdict, "stage": "merge", "policy_digest": "d" * 64}}
        read = Read(
            self.repository.id, 1, "Raise the price", "ann", "main", self.old, self.new, "merged", "{}", now(), now()
        )
        with self.service.database.write() as connection:
            change = changes.keep(connection, read).change.id
            new = NewAssessment(
                change=change,
                key=f"k-{verdict}",
                base=self.old,
                head=self.new,
                merge_tree=facts["change"]["head_tree"],
                policy="d" * 64,
                facts="f" * 64,
                verdict=verdict,
                risk=None,
                document=json.dumps(document).encode(),
            )
            made = assessments.put(connection, new, now()).assessment
            assessments.set_entry(connection, made.id, 0)

    def said(self, kind: type) -> list[Any]:
        """What the ledger holds of this kind, in its order, each opened with the log's key."""
        _, _, signer = read_software_key(self.service.config.data / "ledger.key")
        keys = [PublicKey(signer.algorithm, signer.public_key)]
        opened = [open_entry(entry.envelope, keys)[0].predicate for entry in self.service.log.entries(most=100)]
        return [one for one in opened if isinstance(one, kind)]

    def with_service(self, **changed: Any) -> House:
        service = replace(self.service, **changed)
        client = TestClient(make_app(service, pages=False), base_url="http://127.0.0.1:8787")
        return replace(self, service=service, client=client)


@pytest.fixture
def house(service: Service, fake: FakeForge, github: GitHubForge, source: Path) -> Iterator[House]:
    config = replace(service.config, github=GitHub(api=fake.github_api, hooks=Secrets((SECRET.encode(),))))
    found = replace(service, config=config, forges={"github": github})
    tokens = {}
    with found.database.write() as connection:
        new = NewRepository("github", SLUG, f"https://example.test/{SLUG}.git", "main")
        repository = repositories.add(connection, new, now())
        for name, role in (("admin", "admin"), ("ann", "approver"), (NIGHT, "approver"), ("bob", "approver")):
            person = accounts.add_person(connection, name, name.title(), role, now()).id
            if role != "admin":
                accounts.add_identity(connection, person, "forge", "github", name, now())
            tokens[name] = token_for(found, person, PERMISSIONS, connection=connection)
        agent = accounts.add_person(connection, "robot", "Robot", "agent", now()).id
        tokens["robot"] = token_for(found, agent, PERMISSIONS, connection=connection)
    with TestClient(make_app(found, pages=False), base_url="http://127.0.0.1:8787") as client:
        yield House(found, client, fake, Repo(source), repository, tokens)


def test_a_gate_holds_what_is_unknown_and_lets_go_what_is_known(house: House) -> None:
    house.deployed("staging", house.old)
    held = house.ask("staging")
    assert held.status_code == 409
    assert _open(held) == {"facts", "policy"}
    house.assessed()
    let = house.ask("staging")
    assert let.status_code == 200, let.text
    assert (let.json()["outcome"], let.json()["direction"]) == ("pass", "forward")
    assert let.json()["question"]["previous"] == house.old

    again = house.ask("staging")
    assert again.status_code == 200
    first, second = house.said(GateStatement)
    assert (first.outcome, first.unmet) == ("hold", ("facts", "policy"))
    assert (second.outcome, second.commit, second.previous) == ("pass", house.new, house.old)
    page = house.client.get("/api/v1/gates?environment=staging", headers=bearer(house.tokens["ann"])).json()
    assert [(row["outcome"], row["times"]) for row in page["items"]] == [("pass", 2), ("hold", 1)]
    shown = house.client.get(f"/api/v1/gates/{page['items'][0]['id']}", headers=bearer(house.tokens["ann"])).json()
    whole = msgspec.json.encode(shown["decision"])
    assert hashlib.sha256(whole).hexdigest() == second.decision


def test_what_was_blocked_before_it_merged_is_blocked_here(house: House) -> None:
    house.deployed("staging", house.old)
    house.assessed("block")
    assert house.ask("staging").status_code == 403


def test_nobody_can_say_that_it_runs_there_already(house: House) -> None:
    """What was told of deployments counts, not what the question says."""
    assert house.ask("staging", previous=house.new).status_code == 409
    house.deployed("staging", house.old)
    asked = house.ask("staging", previous=house.new)
    assert asked.status_code == 409
    assert asked.json()["question"]["previous"] == house.old


def test_a_step_to_a_part_of_the_traffic_replaces_nothing(house: House) -> None:
    house.deployed("staging", house.old)
    event = {"type": "deployment", "id": "part", "at": time.time() - 60, "deployment": "part", "status": "succeeded"}
    more = {"environment": "staging", "revision": house.new, "share": 0.05}
    house.tell({**event, **more})
    assert house.ask("staging").json()["question"]["previous"] == house.old


def test_production_takes_staging_and_somebody_else(house: House) -> None:
    house.assessed()
    house.deployed("production", house.old)
    assert _open(house.ask("production", actor="bob")) == {"order", "approvals"}
    house.deployed("staging", house.new)
    word = {"repository": house.repository.id, "environment": "production", "revision": house.new}
    assert house.post("/deployment-approvals", "robot", **word).status_code == 403
    assert house.post("/deployment-approvals", "admin", **word).status_code == 403  # nobody in [people]
    assert house.post("/deployment-approvals", "bob", **word).status_code == 201
    assert _open(house.ask("production", actor="bob")) == {"approvals"}
    given = house.post("/deployment-approvals", "ann", **word)
    assert given.status_code == 201
    assert house.ask("production", actor="bob").status_code == 200
    said = house.said(DeploymentWord)
    assert [(one.covers, one.commit, one.through) for one in said] == [("", house.new, "token")] * 2
    assert len({one.person for one in said}) == 2

    path = f"/deployment-approvals/{given.json()['id']}/revocation"
    assert house.post(path, "bob", reason="not mine").status_code == 404
    assert house.post(path, "ann", reason="it was too early").status_code == 200
    assert _open(house.ask("production", actor="bob")) == {"approvals"}
    with house.service.database.write() as connection:
        accounts.disable(connection, 2, now())
    assert house.ask("production", actor="bob").status_code == 409


def test_a_freeze_is_set_aside_by_two_people_and_never_by_two_accounts(house: House) -> None:
    house.assessed()
    house.deployed("frozen", house.old)
    assert _open(house.ask("frozen")) == {"freeze"}
    word = {"repository": house.repository.id, "environment": "frozen", "covers": "freeze", "freeze": "for good"}
    assert house.post("/deployment-exceptions", "ann", **word, reason="because").status_code == 422
    first = house.post("/deployment-exceptions", "ann", **word, reason="invoices are wrong").json()["id"]
    assert house.ask("frozen").status_code == 409
    for same in ("ann", NIGHT):
        assert house.post(f"/deployment-exceptions/{first}/join", same).status_code == 403
    assert house.post(f"/deployment-exceptions/{first}/join", "robot").status_code == 403
    assert house.ask("frozen").status_code == 409
    assert house.post(f"/deployment-exceptions/{first}/join", "bob").status_code == 201
    let = house.ask("frozen")
    assert let.status_code == 200, let.text
    assert house.said(GateStatement)[-1].aside == ("freeze",)
    assert [one.joins is None for one in house.said(DeploymentWord)] == [True, False]


def test_a_second_word_of_the_same_person_is_one_person_to_the_gate(house: House) -> None:
    """Also where it came into the table past the endpoint."""
    from tidegate.store import deployment_approvals as kept

    house.assessed()
    house.deployed("frozen", house.old)
    word = {"repository": house.repository.id, "environment": "frozen", "covers": "freeze"}
    first = house.post("/deployment-exceptions", "ann", **word, reason="invoices are wrong").json()["id"]
    with house.service.database.write() as connection:
        row = kept.get(connection, first)
        assert row is not None
        night = kept.NewWord(
            **{name: getattr(row, name) for name in kept.NewWord.__struct_fields__ if name not in ("person", "joins")},
            person=3,
            joins=first,
        )
        kept.set_entry(connection, kept.put(connection, night, now()).word.id, 1)
    assert house.ask("frozen").status_code == 409


FAULTS = {
    "the forge is away": lambda house, tmp: house.with_service(forges={"github": _away()}),
    "the forge is configured no more": lambda house, tmp: house.with_service(forges={}),
    "the mirror is a file": lambda house, tmp: _spoil(house),
    "the clock says 1999": lambda house, tmp: house.with_service(now=lambda: "1999-01-01T00:00:00.000000Z"),
    "the clock says 3000": lambda house, tmp: house.with_service(now=lambda: "3000-01-01T00:00:00.000000Z"),
    "the ledger cannot be written": lambda house, tmp: _refuse(house),
    "the database lost a table": lambda house, tmp: _drop(house, "gates"),
    "the database lost the assessments": lambda house, tmp: _drop(house, "assessments"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_opens_a_gate(house: House, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house.assessed()
    house.deployed("staging", house.old)
    assert house.ask("staging").status_code == 200
    faulty = FAULTS[fault](house, tmp_path) or house  # type: ignore[no-untyped-call]
    assert faulty.ask("staging", actor="somebody else").status_code in (401, 403, 409, 503)
    hook: dict[str, Any] = {"name": "shop", "namespace": "staging", "metadata": {"service": "", "revision": house.new}}
    metadata = {**hook["metadata"], "repository": SLUG, "actor": "pipeline"}
    for path in (*("confirm-rollout", "confirm-promotion"), "rollback"):
        answer = faulty.post(f"/gates/flagger/{path}", **{**hook, "metadata": metadata})
        assert answer.status_code in (401, 409), (path, answer.text)


@pytest.mark.parametrize(
    "given",
    [
        {"repository": "octo/other"},
        {"environment": "nowhere"},
        {"revision": "9" * 40},
        {"revision": "9" * 64},
        {"environment": "budgeted"},
        {"service": "unheard of"},
        {"environment": "frozen"},
        {"environment": "a" * 3000},
    ],
    ids=repr,
)
def test_what_is_unknown_holds(house: House, given: dict[str, str]) -> None:
    house.assessed()
    for environment in ("staging", "frozen", "budgeted"):
        house.deployed(environment, house.old)
    assert house.ask("staging").status_code == 200
    assert house.ask(**{"environment": "staging", **given}).status_code == 409


def test_a_pass_waits_for_its_witnesses(house: House, tmp_path: Path) -> None:
    house.assessed()
    house.deployed("staging", house.old)
    unseen = house.with_service(log=_Unseen(house.service.log))
    held = unseen.ask("staging")
    assert held.status_code == 409
    assert _open(held) == {"record"}
    assert house.said(GateStatement)[-1].outcome == "pass"
    assert house.ask("staging").status_code == 200  # they saw it meanwhile
    assert len(house.said(GateStatement)) == 1


def test_argo_is_told_in_its_own_words_and_never_an_error(house: House) -> None:
    house.assessed()
    house.deployed("staging", house.old)

    def ask(**query: str) -> Any:
        given = {"environment": "staging", "repository": SLUG, "actor": "pipeline", **query}
        answer = house.client.get("/api/v1/gates/argo", params=given, headers=bearer(house.tokens["admin"]))
        assert answer.status_code == 200
        return answer.json()["data"]

    assert ask(revision=house.new) == {"ok": True, "failed": False, "decision": "pass", "reason": _any}
    assert ask(revision="none") == {"ok": False, "failed": False, "decision": "hold", "reason": _any}
    assert ask(revision=house.new, environment="frozen")["ok"] is False
    refused = house.with_service(forges={})
    house = refused
    assert ask(revision=house.new) == {"ok": False, "failed": False, "decision": "hold", "reason": _any}


def test_flagger_waits_goes_on_and_is_never_rolled_back_by_a_fault(house: House) -> None:
    house.assessed()
    house.deployed("staging", house.old)
    hook: dict[str, Any] = {"name": "shop", "namespace": "test", "phase": "Progressing"}
    metadata = {"environment": "staging", "service": "", "repository": SLUG, "actor": "pipeline"}

    def ask(which: str, **more: str) -> int:
        answer = house.post(f"/gates/flagger/{which}", **hook, metadata={**metadata, "service": "", **more})
        return int(answer.status_code)

    plain = {"environment": "staging", "repository": SLUG}
    event: dict[str, Any] = {
        "name": "",
        "namespace": "staging",
        "metadata": {**plain, "actor": "pipeline", "revision": house.new},
    }
    assert house.post("/gates/flagger/confirm-rollout", **event).status_code == 200
    assert ask("confirm-rollout") == 409  # which revision?
    assert ask("rollback") == 409
    assert house.post("/gates/flagger/rollback").status_code == 409
    assert house.post("/gates/flagger/confirm-rollout").status_code == 409
    assert house.post("/gates/flagger/event", **event).status_code == 404

    def judged(verdict: Verdict, minutes: float) -> int:
        new = NewCanary(
            repository=house.repository.id,
            name="shop",
            environment="staging",
            service="shop",
            revision=house.new,
            rules=house.new,
            verdict=verdict,
            since=0.0,
            until=1.0,
            document=b"{}",
            asked_by="admin",
        )
        with house.service.database.write() as connection:
            canaries.put(connection, new, later(now(), -60 * minutes))
        whole: dict[str, Any] = {**hook, "metadata": {"environment": "staging", "revision": house.new}}
        return int(house.post("/gates/flagger/rollback", **whole).status_code)

    assert judged("roll_back", 60) == 409  # long ago
    assert judged("roll_back", 1) == 200
    assert judged("hold", 0) == 409  # the last word counts
    assert judged("promote", 0) == 409


def test_the_revision_is_the_one_whose_deployment_is_under_way(house: House) -> None:
    house.assessed()
    house.deployed("staging", house.old)
    event: dict[str, Any] = {"name": "", "namespace": "staging", "metadata": {"actor": "pipeline"}}
    assert house.post("/gates/flagger/confirm-rollout", **event).status_code == 409
    house.deployed("staging", house.new, "started", 5)
    assert house.post("/gates/flagger/confirm-rollout", **event).status_code == 200
    house.deployed("staging", house.old, "started", 3)
    assert house.post("/gates/flagger/confirm-rollout", **event).status_code == 409  # one of two


def test_github_hears_it_at_its_callback(house: House, received: Callable[[], list[Message]]) -> None:
    house.assessed()
    name = SLUG.partition("/")[2]
    for where in ("staging", "production"):
        event = {"type": "deployment", "id": where, "at": time.time() - 600, "status": "succeeded"}
        more = {"deployment": where, "environment": where, "service": name, "revision": house.old, "repository": SLUG}
        house.tell({**event, **more})

    def asks(environment: str, revision: str) -> Any:
        asked = house.fake.do.ask_to_deploy(SLUG, environment, revision, by="deployer[bot]")
        house.fake.hooks.settle()
        head, body = received()[-1]
        assert house.client.post("/hooks/github", content=body, headers=head).status_code == 202
        assert house.client.post("/hooks/github", content=body, headers=head).status_code == 202
        clock[0] = now()
        answer_callbacks(way)
        return asked

    clock = [now()]
    way = Way(house.with_service(now=lambda: clock[0]).service, open_mirrors(house.service.config))
    let = asks("staging", house.new)
    assert (let.state, len(let.said)) == ("approved", 1)
    answer_callbacks(way)
    assert len(let.said) == 1
    held = asks("production", house.new)
    assert (held.state, len(held.said)) == ("", 1)
    assert "is held before production" in held.said[0]
    clock[0] = later(clock[0], 60)
    answer_callbacks(way)
    assert len(held.said) == 1  # nothing is new
    house.assessed("block")
    clock[0] = later(clock[0], 60)
    answer_callbacks(way)
    assert (held.state, len(held.said)) == ("rejected", 2)


def test_a_callback_elsewhere_is_refused(house: House, received: Callable[[], list[Message]]) -> None:
    from demo.forge.hooks import github_headers

    for url in ("https://evil.example/", f"https://evil.example/repos/octo/other/actions/runs/1/{_EVENT}", "http://x/"):
        body = json.dumps(
            {
                "action": "requested",
                "environment": "staging",
                "deployment_callback_url": url,
                "repository": {"full_name": SLUG},
                "deployment": {"id": 1, "sha": house.new},
            }
        ).encode()
        headers = github_headers(_EVENT, f"guid-{url}", body, SECRET)
        assert house.client.post("/hooks/github", content=body, headers=headers).status_code == 400


def test_deployments_are_entered_with_the_pass_that_they_rest_on(house: House) -> None:
    house.assessed()
    house.deployed("staging", house.old)
    assert house.ask("staging").status_code == 200
    house.deployed("staging", house.new, ago=-2)
    time.sleep(0.01)
    late = house.with_service(now=lambda: later(now(), 10))
    assert put_deployments(late.service) == 4
    assert put_deployments(late.service) == 0
    said = {(one.commit, one.result): one.decision for one in house.said(Deployment)}
    assert said[house.old, "started"] is None
    assert said[house.old, "succeeded"] is None
    with house.service.database.read() as connection:
        (passed,) = gates.page(connection, outcome="pass")
    decision = said[house.new, "started"]
    assert decision is not None
    assert decision.index == passed.entry
    assert said[house.new, "succeeded"] == decision


# Private

_EVENT = "deployment_protection_rule"


class _Any:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and bool(other)

    __hash__ = None  # type: ignore[assignment]


_any = _Any()


class _Unseen:
    """The same log, whose witnesses saw nothing yet."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def wait_witnessed(self, index: int, timeout: float) -> bool:
        return False


def _refuse(house: House) -> None:
    (house.service.config.data / "ledger.key").unlink()


def _drop(house: House, table: str) -> None:
    with house.service.database.write() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO lost")


def _away() -> GitHubForge:
    return GitHubForge(GitHub(api="http://127.0.0.1:9", token=Secrets((SECRET.encode(),))), forges.QUICK)


def _spoil(house: House) -> None:
    import shutil

    mirror = open_mirrors(house.service.config).path_of("github", SLUG)
    shutil.rmtree(mirror)
    mirror.write_text("no mirror")


def _open(answer: Any) -> set[str]:
    assert answer.status_code == 409, answer.text
    return {one["kind"] for one in answer.json()["obligations"] if one["state"] in ("unmet", "unknown")}


def _lines(text: str) -> str:
    return "\n".join(f"    . {line}" for line in text.strip().splitlines())
