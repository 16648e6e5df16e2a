"""`tidegate gate --server` and `tidegate deploy --server` against a small service that keeps one change."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.repos import Repo
from tests.rollout.helpers import facts
from tidegate.cli.deploy import deploy
from tidegate.cli.gate import gate
from tidegate.errors import InputError
from tidegate.rollout.intake.plain import read_one
from tidegate.rollout.values import DeploymentEvent

DOCUMENT = '[environments.production]\ntier = "low"\n'


class Service:
    """What the API answers, by path, and what was sent to it."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str, bytes]] = []


@pytest.fixture
def service() -> Iterator[tuple[Service, str]]:
    kept = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def _answer(self, body: bytes) -> None:
            kept.asked.append((self.path, self.headers["authorization"], body))
            found = kept.answers.get(self.path)
            content = json.dumps(found if found is not None else {"title": "there is no such thing"}).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield kept, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.setenv("TIDEGATE_TOKEN", "t0ken")
    repo = Repo.init(tmp_path / "r")
    repo.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    repo.commit("Begin", {"tidegate.toml": 'policy.pack = "none"\n', ".tidegate/rollout.toml": DOCUMENT})
    repo.commit("Add b (#7)", {"b.py": "b = 1\n"})
    return repo


def run(command: Any, *arguments: str) -> Any:
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_facts_that_a_service_keeps_are_judged(repo: Repo, service: tuple[Service, str]) -> None:
    kept, url = service
    tree = repo.head("HEAD^{tree}")
    known = facts(change__base=repo.head("HEAD~1"), change__head="f" * 40, change__head_tree=tree)
    options = ("--environment", "production", "--from", "HEAD~1", "--assess", "0", "--repo", str(repo.path))
    assert run(gate, *options, "--server", url).return_value == 1  # the service knows nothing of it
    kept.answers["/api/v1/pull?forge=github&slug=acme%2Fshop&number=7"] = {"change": {}, "latest": {"id": 3}}
    verdict = {"outcome": "pass", "stage": "merge", "policy_digest": "p"}
    kept.answers["/api/v1/assessments/3/document"] = {"facts": known, "verdict": verdict}
    done = run(gate, *options, "--server", url)
    assert done.return_value == 0, done.output
    kept.answers["/api/v1/assessments/3/document"]["verdict"]["outcome"] = "block"
    assert "blocked" in run(gate, *options, "--server", url).output
    kept.answers["/api/v1/assessments/3/document"]["facts"]["change"]["head_tree"] = "0" * 40  # of another state
    assert "nothing is known of 1 change" in run(gate, *options, "--server", url).output
    assert {token for _, token, _ in kept.asked} == {"Bearer t0ken"}


def test_a_deployment_is_told_to_a_service(repo: Repo, service: tuple[Service, str]) -> None:
    kept, url = service
    kept.answers["/api/v1/events/plain"] = {"taken": 1}
    options = ("--environment", "production", "--share", "0.1", "--actor", "alice", "--repo", str(repo.path))
    begun = run(deploy, "start", *options, "--name", "d-1", "--server", url, "--now", "2026-03-04T12:00:00Z")
    assert begun.exit_code == 0, begun.exception
    ended = run(deploy, "finish", "d-1", "--status", "rolled_back", "--environment", "production", "--server", url)
    assert ended.exit_code == 0, ended.exception
    told = [read_one(body) for _, _, body in kept.asked]
    assert [(e.deployment, e.status) for e in told if isinstance(e, DeploymentEvent)] == [
        ("d-1", "started"),
        ("d-1", "rolled_back"),
    ]
    first = told[0]
    assert isinstance(first, DeploymentEvent)
    assert (first.revision, first.share, first.at) == (repo.head(), 0.1, 1772625600.0)
    assert not (repo.path / ".git/tidegate").exists()
    del kept.answers["/api/v1/events/plain"]
    refused = run(deploy, "start", *options, "--server", url)
    assert isinstance(refused.exception, InputError)
