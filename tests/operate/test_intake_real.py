"""A real Alertmanager tells what it was told: an alert that fires, and the same one when it is over."""

from __future__ import annotations

import json
import os
import queue
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tidegate.operate.folding import fold_alerts
from tidegate.operate.intake import alertmanager
from tidegate.operate.values import Alert

PROGRAM = shutil.which("prometheus-alertmanager")


def test_what_a_running_alertmanager_sends(tmp_path: Path) -> None:
    if PROGRAM is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("not run: Alertmanager is missing")
    with _receiver() as (address, received), _alertmanager(tmp_path, address) as url:
        started = datetime.now(UTC) - timedelta(seconds=30)
        labels = {"alertname": "HighErrorRatio", "service": "pay", "severity": "page", "env": "production"}
        alert = {"labels": labels, "annotations": {"summary": "22 % fail"}, "startsAt": started.isoformat()}
        _post(f"{url}/api/v2/alerts", [alert])
        (fired,) = _read(received)
        ended = datetime.now(UTC)
        _post(f"{url}/api/v2/alerts", [{**alert, "endsAt": ended.isoformat()}])
        (over,) = _read(received)
    assert (fired.name, fired.service, fired.environment, fired.severity) == (
        "HighErrorRatio",
        "pay",
        "production",
        "critical",
    )
    assert fired.summary == "22 % fail"
    assert fired.ended is None
    assert fired.started == pytest.approx(started.timestamp(), abs=0.001)
    assert over.ended == pytest.approx(ended.timestamp(), abs=0.001)
    assert fold_alerts([over, fired, over]) == fold_alerts([fired, over])
    assert [each.ended for each in fold_alerts([over, fired])] == [over.ended]


# Private


@contextmanager
def _receiver() -> Iterator[tuple[str, queue.Queue[bytes]]]:
    received: queue.Queue[bytes] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _alertmanager(folder: Path, receiver: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = folder / "alertmanager.yml"
    config.write_text(
        "route: {receiver: us, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
        f"receivers: [{{name: us, webhook_configs: [{{url: '{receiver}'}}]}}]\n"
    )
    arguments = [
        str(PROGRAM),
        f"--config.file={config}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(arguments, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_for(f"http://{address}/-/ready")
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")


def _post(url: str, document: object) -> None:
    body = json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200


def _read(received: queue.Queue[bytes]) -> list[Alert]:
    found = alertmanager.read(received.get(timeout=20), {})
    return [each for each in found if isinstance(each, Alert)]
