"""A service opens what it holds once, closes it, and ends where its work ended for good."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from httpx2 import Client, HTTPError
from msgspec.structs import replace

from tidegate.errors import InputError, InternalError
from tidegate.ledger.keys import KeyKind, make_key, new_key, read_software_key, write_key
from tidegate.server.config import Config, GitLab, Secrets
from tidegate.server.doors import Readiness
from tidegate.server.forge.gitlab import GitLabForge
from tidegate.server.start import open_service
from tidegate.server.work.alone import run_worker
from tidegate.server.work.engine import Bell, Pace, working

QUICK = Pace(again=0.01, tries=3)


def config_of(folder: Path) -> Config:
    return Config(data=folder, database=f"sqlite:///{folder}/tidegate.db")


def broken(folder: Path) -> Config:
    """Where DBOS cannot keep what it must remember."""
    (folder / "tidegate-workflows.db").mkdir(parents=True)
    return config_of(folder)


def test_connections_to_forges_are_closed_with_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[GitLabForge] = []
    real = GitLabForge.close

    def close(self: GitLabForge) -> None:
        closed.append(self)
        real(self)

    monkeypatch.setattr(GitLabForge, "close", close)
    secret = Secrets((b"a secret that is long",))
    gitlab = GitLab(api="https://gitlab.example/api/v4", token=secret, hooks=secret)
    with open_service(replace(config_of(tmp_path), gitlab=gitlab)) as service:
        assert closed == []
    assert closed == [service.forges["gitlab"]]


def _make(path: str, barrier: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    make_key(Path(path), "log.example/main", KeyKind.LOG)
    sys.stdout.write("")


def test_of_many_who_make_the_key_at_once_one_does_and_nobody_sees_half_of_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for number in range(5):
        path = tmp_path / f"{number}.key"
        barrier = context.Barrier(4)
        makers = [context.Process(target=_make, args=(str(path), barrier)) for _ in range(4)]
        for each in makers:
            each.start()
        while not path.exists():
            pass
        first = read_software_key(path)[2].public_key  # what is there is whole
        for each in makers:
            each.join()
            assert each.exitcode == 0
        assert read_software_key(path)[2].public_key == first
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == [f"{number}.key" for number in range(5)]


def test_two_folders_do_not_sign_one_database(tmp_path: Path) -> None:
    """As two hosts that begin at once on one PostgreSQL: each has made a key of its own."""
    first = config_of(tmp_path / "a")
    with open_service(first):
        pass
    second = replace(first, data=tmp_path / "b")
    with pytest.raises(InputError, match="signed by another key"), open_service(second):
        pass
    (second.data / "ledger.key").write_bytes((first.data / "ledger.key").read_bytes())
    with open_service(second) as service:
        assert service.log.size() == 0


def test_a_key_that_is_there_stays(tmp_path: Path) -> None:
    key = new_key()
    write_key(tmp_path / "k", "log.example/main", KeyKind.LOG, key)
    make_key(tmp_path / "k", "log.example/other", KeyKind.LOG)
    assert read_software_key(tmp_path / "k")[:1] == ("log.example/main",)


def test_work_that_fails_for_good_is_told_and_a_lone_worker_ends_by_it(tmp_path: Path) -> None:
    told: list[Exception] = []
    with open_service(broken(tmp_path)) as service:
        with working(service, Bell(), 1, QUICK, told.append):
            ends = time.monotonic() + 20
            while not told and time.monotonic() < ends:
                time.sleep(0.01)
        assert [type(each) for each in told] == [sqlite3.OperationalError]
        failing = replace(service, failing=lambda: "the background work failed for good")
        state = Readiness(failing).look()
        assert (state.status, state.reason) == ("no", "the background work failed for good")
        assert Readiness(service).look().status == "ready"
    secret = Secrets((b"a secret that is long",))
    gitlab = GitLab(api="https://gitlab.example/api/v4", token=secret, hooks=secret)
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(InternalError, match="failed for good") as ended:
            run_worker(replace(config_of(tmp_path), gitlab=gitlab), 1, QUICK)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert ended.value.exit_code == 3


SERVE = """
import sys
from pathlib import Path
from tidegate.errors import TidegateError
from tidegate.server.background import Background
from tidegate.server.config import Config
from tidegate.server.start import serve
from tidegate.server.work.engine import Pace
folder, port = Path(sys.argv[1]), int(sys.argv[2])
config = Config(data=folder, database=f"sqlite:///{folder}/tidegate.db", port=port, url=f"http://127.0.0.1:{port}")
try:
    serve(config, print, Background(1, Pace(again=0.01, tries=3), linger=2.0))
except TidegateError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def test_a_service_whose_work_failed_for_good_says_so_and_ends_with_three(tmp_path: Path) -> None:
    broken(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(tmp_path), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = set()
    with Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        ends = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < ends:
            try:
                answer = client.get("/ready")
            except HTTPError:
                continue
            said.add((answer.status_code, answer.json().get("reason", "")))
            time.sleep(0.05)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3, err
    assert (503, "the background work failed for good (OperationalError)") in said
    assert b"failed for good" in err
