"""`tidegate serve` as a person starts it: quickly, with one password once, in a folder of its own, ended in order."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from httpx2 import Client, HTTPError

from tidegate.cli.main import COMMANDS
from tidegate.cli.serve import EXTRA, serve
from tidegate.errors import InputError

LONGEST_SECONDS = 3.0
PASSWORD = re.compile(r"password ([a-z0-9]{6}(?:-[a-z0-9]{6}){3})$", re.MULTILINE)


class Running:
    """The service as a process. `seconds` is what it took until it answered, in seconds of its CPU and of the clock."""

    def __init__(self, folder: Path, **changed: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.out, self.err = folder / "out", folder / "err"
        given = {
            "TIDEGATE_HOME": str(folder / "data"),
            "TIDEGATE_PORT": str(self.port),
            **changed,
        }
        environment = environ(given)
        began = time.monotonic()
        with self.out.open("ab") as out, self.err.open("ab") as err:
            command = [sys.executable, "-c", "from tidegate.cli.main import main; main()", "serve"]
            self.process = subprocess.Popen(command, env=environment, stdout=out, stderr=err)
        self.client = Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False)
        self._wait()
        self.seconds = time.monotonic() - began
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        self.cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _wait(self) -> None:
        ends = time.monotonic() + 30
        while time.monotonic() < ends and self.process.poll() is None:
            try:
                if self.client.get("/health").status_code == 200:
                    return
            except HTTPError:
                time.sleep(0.01)
        raise AssertionError(self.err.read_text())

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.client.close()
        return self.process.wait(30)


def environ(given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TIDEGATE_")}
    return {**kept, **given}


def test_a_fresh_service(tmp_path: Path) -> None:
    """Answers soon, tells one password once, keeps to its folder, works, and ends in order."""
    first = Running(tmp_path)
    try:
        assert min(first.seconds, first.cpu) < LONGEST_SECONDS  # CPU: what it takes where nobody else computes
        told = first.out.read_text()
        assert f"http://localhost:{first.port}" in told
        assert len(PASSWORD.findall(told)) == 1
        assert PASSWORD.findall(told)[0] not in first.err.read_text()
        check_modes(tmp_path / "data")
        wait_for_worker(first)
        assert upgraded(first) == 401  # an answer like any other, and no switch of protocols
        with pytest.raises(AssertionError, match="cannot listen"):
            Running(tmp_path, TIDEGATE_PORT=str(first.port), TIDEGATE_HOME=str(tmp_path / "other"))
        assert not (tmp_path / "other").exists()
    finally:
        assert first.stop() == 0
    again = Running(tmp_path, TIDEGATE_WORKERS="0")
    assert again.stop(signal.SIGINT) == 0
    assert len(PASSWORD.findall(first.out.read_text())) == 1
    events = [json.loads(line)["event"] for line in first.err.read_text().splitlines() if line.startswith("{")]
    assert events.count("start") == events.count("stop") == 2
    assert events[-1] == "stop"
    assert "failure" not in events


def upgraded(service: Running) -> int:
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    asked = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": key}
    return service.client.get("/api/v1/me", headers=asked).status_code


def check_modes(data: Path) -> None:
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for name in ("ledger.key", "tidegate.db"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600


def wait_for_worker(service: Running) -> None:
    ends = time.monotonic() + 60
    while service.client.get("/ready").json() != {"status": "ready", "witnesses": "none", "workers": 1}:
        assert time.monotonic() < ends, service.err.read_text()
        time.sleep(0.2)


def test_a_new_password_for_somebody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tidegate.server.start import first_admin
    from tidegate.store.migrate import prepare_database

    database = prepare_database(f"sqlite:///{tmp_path}/tidegate.db")
    first = first_admin(database)
    assert first
    assert first_admin(database) == ""
    database.close()
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    done = CliRunner().invoke(serve, ["--new-password", "admin"], standalone_mode=False)
    assert done.return_value == 0
    assert re.search(r"password of admin is now \S{27}$", done.output)
    assert first not in done.output
    refused = CliRunner().invoke(serve, ["--new-password", "nobody"], standalone_mode=False)
    assert isinstance(refused.exception, InputError)


def test_it_does_not_listen_beyond_this_machine_in_the_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "data"))
    refused = CliRunner().invoke(serve, ["--host", "0.0.0.0"], standalone_mode=False)
    assert isinstance(refused.exception, InputError)
    assert "without https" in refused.exception.what
    assert not (tmp_path / "data").exists()


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {extra}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from tidegate.cli.main import main
main()
"""


def run_without_the_extra(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT.format(extra=sorted(EXTRA)), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environ({}), check=False)


def test_without_its_extra_one_sentence_says_what_to_install() -> None:
    done = run_without_the_extra("serve")
    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0
    assert "pip install 'tidegate[server]'" in done.stderr


def test_the_base_commands_want_nothing_of_it() -> None:
    """Every command tells its help without the extra, and none of them has loaded any of it."""
    told = (
        "import importlib, sys\nfrom tidegate.cli.main import COMMANDS, tidegate\n"
        "for name in COMMANDS:\n    tidegate.get_command(None, name)\n"
        "print(*sorted({one.partition('.')[0] for one in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, env=environ({}), check=True)
    assert not EXTRA & set(done.stdout.split())
    assert "msgspec" in done.stdout
    for name in ("check", "serve"):
        assert name in COMMANDS
        assert run_without_the_extra(name, "--help").returncode == 0
