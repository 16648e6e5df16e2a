"""The run task from end to end: a platform on loopback, in the shapes that it documents, the gate, the callback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
from msgspec.structs import replace

from tests.server import test_gates
from tests.server.forges import SLUG
from tests.server.test_gates import House
from tests.server.test_run_task import KEY, _deleted, _plan, _signed
from tidegate.errors import InputError
from tidegate.server.api.problems import Problem
from tidegate.server.config import Hcp, Secrets, read_config
from tidegate.server.rollout import run_tasks

app_key, running, fake = test_gates.app_key, test_gates.running, test_gates.fake
received, github = test_gates.received, test_gates.github
source, house = test_gates.source, test_gates.house
CALLBACK = "/api/v2/task-results/5ea8d46c-2ceb-42cd-83f2-82e54697bddd/callback"
PLAN = "/api/v2/plans/plan-6AFmRJW1PFJ7qbAh/json-output"
KEPT = "/_archivist/v1/object/dmF1bHQ6djE6"
TOKEN = "4QEuyyxug1f2rw.atlasv1.iDyxqhXGVZ0ykes53YdQyHyYtFOrdAWNBxcVUgWvzb64NFHjcquu8gJMEdUwoSLRu4Q"


class Platform(ThreadingHTTPServer):
    """HCP Terraform, as far as a run task sees it. `answers` are the statuses of the next callbacks."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan = _plan()
        self.sends_to = KEPT
        self.answers: list[int] = []
        self.seen: list[tuple[str, str, str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def told(self, seconds: float = 20) -> dict[str, Any]:
        """What the callback was told, once it was; `{}` for nothing."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for method, path, _, body in self.seen:
                if (method, path) == ("PATCH", CALLBACK):
                    return cast("dict[str, Any]", json.loads(body)["data"])
            time.sleep(0.02)
        return {}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        platform = self._note(b"")
        if self.path == PLAN:
            self.send_response(307)
            self.send_header("Location", platform.sends_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._say(200, platform.plan if self.path == KEPT else b"{}")

    def do_PATCH(self) -> None:
        platform = self._note(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/vnd.api+json"
        self._say(platform.answers.pop(0) if platform.answers else 200, b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _note(self, body: bytes) -> Platform:
        platform = cast("Platform", self.server)
        platform.seen.append((self.command, self.path, self.headers.get("Authorization", ""), body))
        return platform

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def platform() -> Iterator[Platform]:
    server = Platform()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def asked(house: House, platform: Platform) -> House:
    """The service, which this platform may ask."""
    hcp = Hcp(platform.url, Secrets((KEY,)))
    return house.with_service(config=replace(house.service.config, hcp=hcp))


def send(house: House, query: str = "?environment=staging&service=", **changed: Any) -> Any:
    """A request as the platform documents it."""
    task = {
        "payload_version": 1,
        "stage": "post_plan",
        "access_token": TOKEN,
        "capabilities": {"outcomes": True},
        "configuration_version_id": "cv-ntv3HbhJqvFzamy7",
        "is_speculative": False,
        "organization_name": "hashicorp",
        "plan_json_api_url": f"https://app.terraform.io{PLAN}",
        "run_app_url": "https://app.terraform.io/app/hashicorp/my-workspace/runs/run-i3Df5to9ELvibKpQ",
        "run_created_at": "2021-09-02T14:47:13.036Z",
        "run_created_by": "username",
        "run_id": "run-i3Df5to9ELvibKpQ",
        "run_message": "Triggered via UI",
        "task_result_callback_url": f"https://app.terraform.io{CALLBACK}",
        "task_result_enforcement_level": "mandatory",
        "task_result_id": "taskrs-2nH5dncYoXaMVQmJ",
        "vcs_branch": "main",
        "vcs_commit_url": f"https://example.test/{SLUG}/commit/{house.new}",
        "vcs_pull_request_url": None,
        "vcs_repo_url": f"https://example.test/{SLUG}",
        "workspace_id": "ws-ck4G5bb1Yei5szRh",
        "workspace_name": "tfr_github_0",
        "workspace_working_directory": "/terraform",
    }
    body = json.dumps(task | changed).encode()
    headers = {"x-tfc-task-signature": _signed(body), "content-type": "application/json"}
    return house.client.post(run_tasks.PATH + query, content=body, headers=headers)


def test_a_run_passes_where_its_plan_and_the_gate_do(asked: House, platform: Platform) -> None:
    asked.assessed()
    asked.deployed("staging", asked.old)
    answer = send(asked)
    assert (answer.status_code, answer.json()) == (200, {"taken": True})
    told = platform.told()
    assert told["type"] == "task-results"
    assert told["attributes"]["status"] == "passed", told
    bearers = {path: bearer for _, path, bearer, _ in platform.seen}
    assert bearers == {PLAN: f"Bearer {TOKEN}", KEPT: "", CALLBACK: f"Bearer {TOKEN}"}


def test_a_run_that_the_gate_holds_fails_and_says_why(asked: House, platform: Platform) -> None:
    asked.deployed("staging", asked.old)
    assert send(asked).status_code == 200
    told = platform.told()
    assert told["attributes"]["status"] == "failed"
    assert "is held before staging" in told["attributes"]["message"]
    shown = [one["attributes"]["outcome-id"] for one in told["relationships"]["outcomes"]["data"]]
    assert "GATE-1" in shown


def test_a_bad_plan_fails_where_the_gate_lets_go(asked: House, platform: Platform) -> None:
    asked.assessed()
    asked.deployed("staging", asked.old)
    platform.plan = _plan(_deleted())
    assert send(asked).status_code == 200
    assert platform.told()["attributes"]["status"] == "failed"


@pytest.mark.parametrize(
    "changed",
    [
        {"query": ""},  # its workspace is no environment
        {"vcs_commit_url": None},
        {"vcs_commit_url": "https://example.test/x/commit/" + "9" * 40},
        {"vcs_repo_url": "https://example.test/octo/unheard-of"},
        {"query": "?environment=nowhere"},
        {"plan_json_api_url": "https://app.terraform.io/api/v2/admin"},
        {"plan_json_api_url": ""},
        {"stage": "pre_plan"},
    ],
    ids=repr,
)
def test_what_is_not_known_fails(asked: House, platform: Platform, changed: dict[str, Any]) -> None:
    asked.assessed()
    asked.deployed("staging", asked.old)
    assert send(asked, **changed).status_code == 200
    assert platform.told()["attributes"]["status"] == "failed"


def test_a_speculative_plan_deploys_nothing_and_asks_no_gate(asked: House, platform: Platform) -> None:
    assert send(asked, is_speculative=True).status_code == 200
    assert platform.told()["attributes"]["status"] == "passed"


@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/latest/meta-data", "http://127.0.0.1:9/", "//evil.example/", "file:///etc/passwd"]
)
def test_a_plan_is_fetched_from_nowhere_else(asked: House, platform: Platform, where: str) -> None:
    asked.assessed()
    asked.deployed("staging", asked.old)
    platform.sends_to = where
    assert send(asked).status_code == 200
    assert platform.told()["attributes"]["status"] == "failed"
    assert {path for _, path, _, _ in platform.seen} == {PLAN, CALLBACK}


def test_where_the_platform_keeps_plans() -> None:
    hosted, own = Hcp("https://app.terraform.io"), Hcp("https://tfe.example.com")
    at = run_tasks._store
    archive = "https://archivist.terraform.io/v1/object/x"
    assert at(hosted, hosted.url + PLAN, archive) == archive
    assert at(own, own.url + PLAN, KEPT) == own.url + KEPT
    for hcp, url in (
        (hosted, "http://archivist.terraform.io/x"),
        (hosted, "https://archivist.terraform.io:8443/x"),
        (hosted, "https://archivist.terraform.io@evil.example/x"),
        (hosted, "https://archivist.terraform.io.evil.example/x"),
        (own, "https://archivist.terraform.io/x"),
        (own, "https://[/x"),
    ):
        with pytest.raises(Problem):
            at(hcp, hcp.url + PLAN, url)


def test_the_callback_is_tried_again_and_the_token_is_never_logged(
    asked: House, platform: Platform, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_tasks, "PAUSE_SECONDS", 0.01)
    platform.answers = [503, 429, 200]
    assert send(asked, is_speculative=True).status_code == 200
    ends = time.monotonic() + 20
    while len([one for one in platform.seen if one[0] == "PATCH"]) < 3 and time.monotonic() < ends:
        time.sleep(0.02)
    assert len([one for one in platform.seen if one[0] == "PATCH"]) == 3
    out = "".join(capfd.readouterr())
    assert TOKEN not in out
    assert KEPT not in out


def test_who_did_not_sign_is_refused_and_a_test_is_answered(asked: House, house: House, platform: Platform) -> None:
    def post(at: House, body: bytes, signature: str) -> int:
        answer = at.client.post(run_tasks.PATH, content=body, headers={"x-tfc-task-signature": signature})
        return int(answer.status_code)

    assert send(asked, access_token="test-token").json() == {"taken": False}
    assert post(asked, b"{}", "00") == 401
    assert post(asked, b"{", _signed(b"{")) == 400
    assert post(asked, b" " * (2 << 20), "00") == 413
    assert send(asked, task_result_callback_url="https://evil.example/api/v2/x").status_code == 400
    assert post(house, b"{}", _signed(b"{}")) == 404, "nobody set it up"
    assert platform.seen == []


@pytest.mark.parametrize(
    "given",
    [
        {"TIDEGATE_HCP_URL": "https://tfe.example.com"},
        {"TIDEGATE_HCP_HMAC_KEY": "short"},
        {"TIDEGATE_HCP_HMAC_KEY": "k" * 40, "TIDEGATE_HCP_URL": "ftp://tfe.example.com"},
        {"TIDEGATE_HCP_HMAC_KEY": "k" * 40, "TIDEGATE_HCP_URL": "https://me@tfe.example.com"},
    ],
)
def test_half_a_set_up_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(InputError):
        read_config(given)


def test_a_whole_set_up() -> None:
    found = read_config({"TIDEGATE_HCP_HMAC_KEY": "k" * 40}).hcp
    assert found is not None
    assert (found.url, found.keys.accepted) == ("https://app.terraform.io", (b"k" * 40,))
