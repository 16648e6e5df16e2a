"""What Debian's Prometheus says of itself: targets that answer and do not, rules, and the series that they read."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tidegate.errors import InputError
from tidegate.operate.environment.prometheus import read_prometheus
from tidegate.operate.environment.sources import Given, learn
from tidegate.operate.environment.values import Map

METRICS = b"""http_requests_total{service="cart",route="/cart"} 1
http_requests_total{service="pay",route="/pay"} 1
"""
RULES = """groups:
- name: shop
  rules:
  - {record: 'shop:requests', expr: 'sum by (service) (http_requests_total)'}
  - {alert: Errors, expr: 'sum by (service) (rate(http_requests_total{code=~"5.."}[1m])) > 1'}
  - {alert: PayOnly, expr: 'sum by (service) (http_requests_total{route="/pay"}) > 0', for: 0s}
  - {alert: Gone, expr: 'absent(up{service="ledger"})'}
  - {alert: Volume, expr: 'shop:requests > 1000'}
  - {alert: Never, expr: 'no_such_metric > 1'}
"""


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(METRICS)))
        self.end_headers()
        self.wfile.write(METRICS)

    def log_message(self, format: str, *args: object) -> None:
        pass


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not shutil.which("prometheus"):
        if os.environ.get("CI") == "true":
            pytest.fail("Prometheus is missing: apt-get install prometheus")
        pytest.skip("not run: Prometheus is missing")
    folder = tmp_path_factory.mktemp("prometheus")
    exporter = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    threading.Thread(target=exporter.serve_forever, daemon=True).start()
    (folder / "rules.yml").write_text(RULES)
    jobs = {
        "shop": (f"127.0.0.1:{exporter.server_port}", {}),
        "dead": (f"127.0.0.1:{free_port()}", {"service": "ledger"}),
    }
    scraped = [
        {"job_name": job, "honor_labels": True, "static_configs": [{"targets": [target], "labels": labels}]}
        for job, (target, labels) in jobs.items()
    ]
    configured = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": scraped,
    }
    (folder / "prometheus.yml").write_text(json.dumps(configured))
    address = f"127.0.0.1:{free_port()}"
    options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
    server = subprocess.Popen(["prometheus", *options, "--log.level=error"], cwd=folder)
    try:
        wait_for(f"http://{address}/api/v1/alerts", b'"PayOnly"')
        wait_for(f"http://{address}/api/v1/targets?state=active", b'"down"')
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(10)
        exporter.shutdown()
        exporter.server_close()


def wait_for(url: str, words: bytes) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if words in answer.read():
                    return
        except OSError:
            pass
        assert time.monotonic() < deadline, f"{url} does not say {words!r}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def found(url: str) -> Map:
    return learn(Given(servers=(read_prometheus(url),)))


def test_who_is_watched_by_what_rules_read(found: Map) -> None:
    """The series of one target are of two services, as those of a collector are."""
    assert {one.name: sorted(watch.rule for watch in one.watches) for one in found.services} == {
        "cart": ["Errors", "Volume"],
        "ledger": ["Gone"],
        "pay": ["Errors", "PayOnly", "Volume"],
        "shop": [],
    }
    assert found.unmonitored == ("shop",)
    seen = {one.name: one.said[0].seen is not None for one in found.services}
    assert (seen["shop"], seen["ledger"]) == (True, False)
    assert any("rule Never reads no series now" in one for one in found.unknowns)


def test_one_route_is_not_all(url: str) -> None:
    server = read_prometheus(url)
    rules = {one.name: one for one in server.rules}
    assert set(rules) == {"Errors", "PayOnly", "Gone", "Volume", "Never"}
    assert [dict(one.labels) for one in rules["PayOnly"].firing or ()] == [{"alertname": "PayOnly", "service": "pay"}]
    assert server.covered['http_requests_total{route="/pay"}'] == ({"service": "pay", "route": "/pay", "job": "shop"},)
    assert server.unknowns == ()


def test_what_answers_otherwise_is_said() -> None:
    other = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        with pytest.raises(InputError, match="no answer of Prometheus"):
            read_prometheus(f"http://127.0.0.1:{other.server_port}")
    finally:
        other.shutdown()
        other.server_close()
