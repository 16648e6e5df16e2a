"""From a deployment to what is learnt of it: deployed, an alert, over, an outcome on record, a label for the model."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from demo.incident.changes import BAD, GOOD
from demo.incident.repository import Shop, Written
from msgspec import Struct
from starlette.testclient import TestClient

from tests.server.conftest import bearer, token_for
from tests.server.test_production_story import DEPLOYED, _alert, _deploy, _spans, _trace
from tidegate.change.git import open_repository
from tidegate.ledger.predicates.outcome import TYPE
from tidegate.ledger.predicates.outcome import Outcome as OutcomeStatement
from tidegate.ledger.statements import read_statement
from tidegate.risk.knowledge import read_kept
from tidegate.risk.labels.told import read_outcomes
from tidegate.server.app import make_app
from tidegate.server.mirrors import Mirrors
from tidegate.server.production.loop import Lookout
from tidegate.server.production.outcome_entries import record, record_outcomes
from tidegate.server.production.outcomes import sweep_outcomes
from tidegate.server.service import Service
from tidegate.server.work.journey import Way
from tidegate.store import accounts, incidents, outcomes, repositories
from tidegate.store.clock import later, now
from tidegate.store.repositories import NewRepository

Run = Callable[..., subprocess.CompletedProcess[str]]
DAY = 86400.0
AGO = -20 * DAY
"""The bad revision came so long before now."""


class Told(Struct):
    way: Way
    shop: Shop
    bad: Written
    good: tuple[Written, ...]

    def look(self, seconds: float) -> None:
        """So many seconds after the deployment, without a Prometheus."""
        Lookout(self.way, None, lambda: DEPLOYED + AGO + seconds).look()

    def stands(self) -> dict[str, tuple[str, str, float]]:
        with self.way.service.database.read() as connection:
            found = outcomes.page(connection)
        return {one.revision: (one.result, one.by, one.weight) for one in found}

    def recorded(self) -> list[OutcomeStatement]:
        entries = self.way.service.log.entries(predicate=TYPE, most=100)
        said = [read_statement(base64.b64decode(json.loads(one.envelope)["payload"])).predicate for one in entries]
        return [one for one in said if isinstance(one, OutcomeStatement)]


@pytest.fixture
def told(service: Service, tmp_path: Path) -> Told:
    shop = Shop(tmp_path / "shop", 5)
    first = shop.head()
    written = [shop.write(edit, agent=edit is BAD[3]) for edit in (GOOD[1], BAD[3], GOOD[3], GOOD[2])]
    mirrors = Mirrors(service.config.data / "mirrors")
    mirror = mirrors.path_of("github", "acme/shop")
    subprocess.run(["git", "clone", "-q", "--mirror", str(shop.path), str(mirror)], check=True)
    with service.database.write() as connection:
        new = NewRepository("github", "acme/shop", "https://example.com/shop", "main")
        repositories.add(connection, new, service.now())
    _deploy(service, "first", "payments", first, "", AGO - 1000)
    _spans(service, AGO - 500, {})
    _deploy(service, "bad", "payments", shop.head(), first, AGO + 0)
    return Told(Way(service, mirrors), shop, written[1], (written[0], *written[2:]))


def failing(told: Told) -> None:
    """The bad change fails, is rolled back, and the alert is over."""
    _spans(told.way.service, AGO + 30, {"payments": _trace(told)})  # type: ignore[arg-type]
    _alert(told.way.service, AGO + 70, None)
    told.look(80)
    _deploy(told.way.service, "back", "payments", told.shop.git("rev-parse", "main~4"), told.shop.head(), AGO + 120)
    _alert(told.way.service, AGO + 70, AGO + 150)


def test_before_the_bake_window_is_over_nothing_is_said_of_a_change(told: Told) -> None:
    told.look(6 * DAY)
    assert told.stands() == {}
    assert told.recorded() == []

    told.look(8 * DAY)
    assert told.stands() == {one.commit: ("clean", "", 1.0) for one in (told.bad, *told.good)}
    assert {(one.result, one.days, one.weight) for one in told.recorded()} == {("clean", 7, 1000)}

    _alert(told.way.service, AGO + 9 * DAY, None)
    before = told.stands()
    told.look(9 * DAY + 60)
    assert told.stands() == before


def test_an_incident_weighs_on_whom_its_trace_suspects_until_a_person_says_who_it_was(told: Told) -> None:
    failing(told)
    told.look(160)
    assert told.stands() == {}, "it is not over, and so is nothing else"
    told.look(300)
    result, by, weight = told.stands()[told.bad.commit]
    assert (result, by) == ("incident", "incident-1")
    assert 0.5 < weight < 1
    assert sum(one[2] for one in told.stands().values()) <= 1.001
    (said,) = [one for one in told.recorded() if one.commit == told.bad.commit]
    assert (said.result, said.weight, said.environment) == ("incident", round(weight * 1000), "production")
    with told.way.service.database.read() as connection:
        (incident,) = incidents.page(connection)
    assert [each.index for each in said.evidence] == [incident.entry]

    count = len(told.recorded())
    for _ in range(2):
        told.look(300)
        sweep_outcomes(told.way, None, DEPLOYED + AGO + 5000.0)
    assert len(told.recorded()) == count, "nothing is said twice"

    wrong = told.good[0].commit
    _confirm(told, wrong)
    told.look(9000)
    assert told.stands()[wrong] == ("incident", "incident-1", 1.0)
    assert told.bad.commit not in told.stands()
    last = {one.commit: (one.result, one.weight) for one in told.recorded()}
    assert last[told.bad.commit] == ("incident", 0)
    assert last[wrong] == ("incident", 1000)

    _confirm(told, "certificate")
    told.look(18000)
    assert told.stands() == {}
    assert {one.commit: one.weight for one in told.recorded()}[wrong] == 0


def test_what_was_rolled_back_without_an_incident_shares_the_weight(told: Told) -> None:
    _deploy(told.way.service, "back", "payments", told.shop.git("rev-parse", "main~4"), told.shop.head(), AGO + 120)
    told.look(300)
    with told.way.service.database.read() as connection:
        found = outcomes.page(connection)
    assert {(one.result, one.by, one.weight) for one in found} == {("rolled-back", "deployment-3", 0.25)}
    assert len(found) == 4


def test_a_fix_that_was_deployed_soon_after_is_an_outcome_with_its_redeploys(told: Told) -> None:
    told.shop.git("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "revert", "--no-edit", told.bad.commit)
    mirror = told.way.mirrors.path_of("github", "acme/shop")
    subprocess.run(["git", "-C", str(mirror), "fetch", "-q", "origin"], check=True)
    _deploy(told.way.service, "fix", "payments", told.shop.head(), told.bad.commit, AGO + 600)
    told.look(700)
    assert told.stands() == {told.bad.commit: ("reverted", told.shop.head(), 1.0)}
    (said,) = told.recorded()
    assert (said.result, said.redeploys, said.days) == ("reverted", 1, 0)


def test_many_workers_say_it_once_and_the_last_entry_is_what_stands(told: Told) -> None:
    at = DEPLOYED + AGO + 8 * DAY
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: sweep_outcomes(told.way, None, at), range(4)))
    assert sorted(one.commit for one in told.recorded()) == sorted(told.stands())
    assert len(told.recorded()) == 4

    with told.way.service.database.read() as connection:
        old = outcomes.page(connection)[0]
    with told.way.service.database.write() as connection:
        known = {
            name: getattr(old, name) for name in ("repository", "environment", "revision", "by", "deployed", "known")
        }
        outcomes.put(connection, outcomes.NewOutcome(**known, result="clean", weight=1.0, redeploys=2), later(now(), 1))
    record(told.way.service, old)  # a worker that read the row before, and comes late
    while record_outcomes(told.way.service):
        pass
    assert [one.redeploys for one in told.recorded() if one.commit == old.revision][-1] == 2


def test_while_an_incident_has_just_begun_nothing_else_takes_the_time(told: Told) -> None:
    _alert(told.way.service, AGO + 8 * DAY, None)
    told.look(8 * DAY + 60)
    assert told.stands() == {}
    told.look(8 * DAY + 4000)
    assert len(told.stands()) == 4, "also while it goes on"


def test_where_the_mirror_cannot_be_read_nothing_is_said_and_it_is_tried_again(told: Told) -> None:
    mirror = told.way.mirrors.path_of("github", "acme/shop")
    mirror.rename(mirror.with_suffix(".away"))
    told.look(8 * DAY)
    assert told.stands() == {}
    mirror.with_suffix(".away").rename(mirror)
    told.look(8 * DAY + 60)
    assert told.stands() == {}, "not at once"
    told.look(8 * DAY + 1000)
    assert len(told.stands()) == 4


def test_a_deployment_that_cannot_be_read_makes_nothing_clean(told: Told) -> None:
    _deploy(told.way.service, "odd", "payments", "f" * 40, told.shop.head(), AGO + 600)
    told.look(8 * DAY)
    assert told.stands() == {}


def test_an_entry_is_made_of_a_row_that_was_left_without_one(told: Told) -> None:
    told.look(8 * DAY)
    with told.way.service.database.write() as connection:
        connection.exec_driver_sql("UPDATE outcomes SET entry = NULL")
    count = len(told.recorded())
    assert record_outcomes(told.way.service) == 4
    assert len(told.recorded()) == count
    assert record_outcomes(told.way.service) == 0


def test_what_incidents_teach_is_told_by_file_and_held_against_what_people_confirm(told: Told) -> None:
    failing(told)
    told.look(300)
    admin = _token(told)
    with TestClient(make_app(told.way.service, pages=False), base_url="http://127.0.0.1:8787") as client:

        def get(asked: str, **query: str) -> dict[str, Any]:
            answer = client.get(f"/api/v1{asked}", headers=bearer(admin), params=query)
            assert answer.status_code == 200, answer.text
            return dict(answer.json())

        (found,) = get("/outcomes", commit=told.bad.commit)["items"]
        assert (found["result"], found["repository"], found["by"]) == ("incident", "acme/shop", "incident-1")
        assert get("/outcomes", environment="test")["items"] == []
        first = get("/incidents/recent", path="shop/payments.py")["items"][0]
        assert (first["commit"], first["change"]) == (told.bad.commit, told.bad.edit.title)
        assert (first["resolution"], first["confirmed"], first["service"]) == ("roll_back", False, "payments")
        assert first["lines"]
        assert all(line.startswith("shop/payments.py:") for line in first["lines"])
        assert get("/incidents/recent", path="shop")["items"][0] == first
        assert get("/incidents/recent", path="nothing.py")["items"] == []
        assert get("/incidents/recent", path="shop", slug="acme/shop")["items"][0] == first
        unknown = client.get("/api/v1/incidents/recent", headers=bearer(admin), params={"slug": "acme/other"})
        assert (unknown.status_code, unknown.json()["title"]) == (404, "there is no such repository")
        nothing = get("/incidents/calibration")
        assert (nothing["n"], nothing["ece"], nothing["unconfirmed"]) == (0, None, 1)

        _confirm(told, told.bad.commit)
        said = get("/incidents/calibration")
        assert (said["n"], said["right"]["count"], said["unconfirmed"]) == (1, 1, 0)
        assert said["ece"] == pytest.approx(1 - said["said"])
        _confirm(told, "certificate")
        assert get("/incidents/calibration")["right"]["count"] == 0
        for wrong in ({"commit": "x"}, {"result": "good"}, {"after": -1}, {"most": 1000}, {"path": "x"}):
            answer = client.get("/api/v1/outcomes", headers=bearer(admin), params=wrong)
            assert answer.status_code in (400, 422), wrong


def test_what_was_exported_teaches_a_model(told: Told, tmp_path: Path, tidegate: Run) -> None:
    """The last step: the label of the incident's cause is in what the model learns from."""
    failing(told)
    told.look(300)
    token = _token(told)
    file = tmp_path / "outcomes.json"
    with _serving(told.way.service) as url:
        env = {"TIDEGATE_TOKEN": token}
        done = tidegate("outcomes", "export", "--server", url, "-o", str(file), cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        assert done.stderr == "2 outcomes: 2 of incidents\n"
        other = ("--repository", "acme/other")
        empty = tidegate("outcomes", "export", "--server", url, *other, cwd=tmp_path, env=env)
        assert json.loads(empty.stdout)["outcomes"] == []
    (outcome,) = [one for one in read_outcomes(file) if one.commit == told.bad.commit]
    assert (outcome.kind, outcome.by) == ("incident", "incident-1")
    trained = tidegate("risk", "train", "--outcomes", str(file), "--format", "json", cwd=told.shop.path)
    assert trained.returncode == 0, trained.stderr
    with open_repository(told.shop.path) as repository:
        known = read_kept(repository)
    assert known is not None
    (label,) = [one for one in known.labels if one.source == "incident" and one.commit == told.bad.commit]
    assert label.confidence == outcome.confidence == told.stands()[told.bad.commit][2]
    tried = tidegate("policy", "backtest", "--outcomes", str(file), "--format", "json", cwd=told.shop.path)
    assert json.loads(tried.stdout)["incidents"]["total"] == 1
    refused = tidegate("risk", "train", "--outcomes", str(told.shop.path / "README.md"), cwd=told.shop.path)
    assert refused.returncode == 2


@contextmanager
def _serving(service: Service) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(make_app(service), host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def _token(told: Told) -> str:
    with told.way.service.database.write() as connection:
        person = accounts.add_person(connection, "viewer", "V", "viewer", now()).id
        return token_for(told.way.service, person, ("changes:read",), connection=connection)


def _confirm(told: Told, cause: str) -> None:
    with told.way.service.database.write() as connection:
        (incident,) = incidents.page(connection)
        person = accounts.add_person(connection, f"p{cause}", "P", "reviewer", now()).id
        incidents.confirm(connection, incident.id, cause, person, now())
