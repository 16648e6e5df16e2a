"""Gates and canaries with what is outside: a real Prometheus, and the commands against a running server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner
from msgspec.structs import replace

from tests.rollout import test_canary_prometheus as measured
from tests.server import test_gates
from tests.server.conftest import bearer
from tests.server.forges import SLUG
from tests.server.test_gates import House
from tests.telemetry.real_prometheus import run_prometheus
from tidegate.cli.deploy import deploy
from tidegate.cli.gate import gate
from tidegate.errors import InputError
from tidegate.ledger.predicates.canary import Canary as CanaryStatement
from tidegate.server.app import make_app
from tidegate.store import deployments

app_key, running, fake = test_gates.app_key, test_gates.running, test_gates.fake
received, github = test_gates.received, test_gates.github
source, house = test_gates.source, test_gates.house
START = measured.START


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    budget = (
        f"# TYPE budget_left gauge\nbudget_left 0.5 {time.time() - 30:.0f}\nbudget_left 0.5 {time.time() + 200:.0f}\n"
    )
    with run_prometheus(tmp_path_factory.mktemp("prometheus"), measured._past() + budget) as url:
        yield url


def measuring(house: House, folder: Path, url: str) -> House:
    path = folder / "production.toml"
    path.write_text(f'prometheus = "{url}"\n')
    return house.with_service(config=replace(house.service.config, production=path))


def judge(house: House, **more: Any) -> Any:
    body = {"repository": house.repository.id, "name": "shop", "environment": "production", "service": "shop"}
    return house.post("/canaries/judge", **{**body, "start": START, "end": START + 600, "revision": house.new, **more})


def test_a_bad_canary_is_judged_and_flagger_is_told(house: House, tmp_path: Path, prometheus: str) -> None:
    house = measuring(house, tmp_path, prometheus)
    judged = judge(house)
    assert judged.status_code == 201, judged.text
    assert judged.json()["canary"]["verdict"] == "roll_back"
    assert judged.json()["judgement"]["decision"] == "roll back"
    (said,) = house.said(CanaryStatement)
    assert (said.verdict, said.commit, said.rules) == ("roll-back", house.new, house.new)
    assert judged.json()["canary"]["entry"] is not None
    hook: dict[str, Any] = {"name": "shop", "namespace": "production", "metadata": {"revision": house.new}}
    assert house.post("/gates/flagger/rollback", **hook).status_code == 200
    page = house.client.get("/api/v1/canaries?service=shop", headers=bearer(house.tokens["ann"])).json()
    assert [(row["verdict"], row["rules"]) for row in page["items"]] == [("roll_back", house.new)]
    shown = house.client.get(f"/api/v1/canaries/{page['items'][0]['id']}", headers=bearer(house.tokens["ann"]))
    assert shown.json() == judged.json()


def test_what_cannot_be_measured_is_held(house: House, tmp_path: Path, prometheus: str) -> None:
    assert judge(house).status_code == 409  # nobody measures
    house = measuring(house, tmp_path, "http://127.0.0.1:9")
    judged = judge(house)
    assert judged.status_code == 201
    assert judged.json()["canary"]["verdict"] == "hold"
    hook: dict[str, Any] = {"name": "shop", "namespace": "production", "metadata": {"revision": house.new}}
    assert house.post("/gates/flagger/rollback", **hook).status_code == 409


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"name": "none"}, 404),
        ({"name": "../../tidegate"}, 422),
        ({"repository": 99}, 404),
        ({"start": START + 700}, 422),
        ({"start": None}, 422),
    ],
    ids=repr,
)
def test_a_wrong_question_is_no_judgement(house: House, tmp_path: Path, given: dict[str, Any], status: int) -> None:
    house = measuring(house, tmp_path, "http://127.0.0.1:9")
    assert judge(house, **given).status_code == status


def test_the_error_budget_is_asked_of_the_prometheus_of_the_service(
    house: House, tmp_path: Path, prometheus: str
) -> None:
    house.assessed()
    house.deployed("budgeted", house.old)
    assert test_gates._open(house.ask("budgeted")) == {"budget"}
    away = measuring(house, tmp_path, "http://127.0.0.1:9")
    assert test_gates._open(away.ask("budgeted")) == {"budget"}
    assert measuring(house, tmp_path, prometheus).ask("budgeted").status_code == 200


def test_a_pipeline_asks_and_reports_by_the_commands(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.assessed()
    house.deployed("staging", house.old)
    monkeypatch.setenv("TIDEGATE_TOKEN", house.tokens["admin"])
    where = ["--environment", "staging"]
    asking = ["--recorded", "--to", house.new, "--repository", SLUG, "--actor", "pipeline"]
    with serving(house) as url:
        held = CliRunner().invoke(gate, [*where, *asking, "--server", url, "--service", "other"])
        assert "HELD  other to staging" in held.output
        let = CliRunner().invoke(gate, [*where, *asking, "--server", url])
        assert "PASS  staging: nothing is in the way" in let.output
        begun = CliRunner().invoke(
            deploy, ["start", *where, "--revision", house.new, "--server", url, "--repo", str(house.repo.path)]
        )
        assert begun.exit_code == 0, begun.output
        (name,) = [line for line in begun.output.splitlines() if not line.startswith("{")]  # its log is here too
        with house.service.database.read() as connection:
            found = deployments.by_key(connection, f"plain/{name}")
        assert found is not None
        assert (found.status, found.revision) == ("started", house.new)
        ended = CliRunner().invoke(deploy, ["finish", name, *where, "--server", url])
        assert ended.exit_code == 0, ended.output
        with house.service.database.read() as connection:
            found = deployments.by_key(connection, f"plain/{name}")
        assert found is not None
        assert found.status == "succeeded"
        monkeypatch.setenv("TIDEGATE_TOKEN", "tg_wrong")
        refused = CliRunner().invoke(gate, [*where, *asking, "--server", url])
        assert isinstance(refused.exception, InputError)
    nobody = CliRunner().invoke(gate, [*where, *asking])
    assert isinstance(nobody.exception, InputError)


def test_a_sender_that_knows_no_headers_has_its_token_in_the_url(house: House) -> None:
    for token, status in ((house.tokens["admin"], 200), ("tg_wrong", 401), ("", 401)):
        assert house.client.get("/api/v1/gates", auth=("token", token)).status_code == status


# Private


@contextmanager
def serving(house: House) -> Iterator[str]:
    """The service on a port of its own."""
    config = uvicorn.Config(make_app(house.service, pages=False), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ends = time.monotonic() + 20
    while not server.started and time.monotonic() < ends:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
