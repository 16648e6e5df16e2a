"""The shop in production: a process for each service at its revision, Prometheus and Alertmanager, and traffic."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.incident.repository import SERVICES, Shop

READY_SECONDS = 15.0
DRAIN_SECONDS = 0.5
RULES = """groups:
- name: shop
  rules:
  - alert: ErrorRatioHigh
    expr: >-
      sum by (service) (rate(http_requests_total{code=~"5.."}[20s]))
      / sum by (service) (rate(http_requests_total[20s])) > 0.05
    for: 8s
    labels: {severity: page, environment: production}
    annotations: {summary: 'errors of {{ $labels.service }} are {{ $value | humanizePercentage }}'}
  - alert: LatencyHigh
    expr: >-
      histogram_quantile(0.9, sum by (service, le) (rate(http_request_duration_seconds_bucket[20s]))) > 0.09
    for: 8s
    labels: {severity: page, environment: production}
    annotations: {summary: 'the slowest tenth of {{ $labels.service }} takes over {{ $value | humanizeDuration }}'}
"""
"""What many teams have (five minutes, for two), scaled from a scrape each 15 s to one each second."""


class Production:
    """Everything runs on loopback below `folder`, and stops at the end of the `with`.

    `collector` is where spans go (OTLP over HTTP), `hook` where Alertmanager tells alerts, each with `token`; without
    them nobody is told. Discovery is a file: a new release is begun, found, and only then the old one is drained.
    """

    def __init__(
        self, folder: Path, shop: Shop, *, collector: str = "", hook: str = "", token: str = "", rate: float = 30.0
    ) -> None:
        self.folder = folder
        self.prometheus = f"http://127.0.0.1:{free_port()}"
        self.alertmanager = f"http://127.0.0.1:{free_port()}"
        self.deployed: dict[str, str] = {}
        self._shop = shop
        self._collector = collector
        self._hook = hook
        self._token = token
        self._rate = rate
        self._running: dict[str, tuple[int, subprocess.Popen[bytes]]] = {}
        self._others: list[subprocess.Popen[bytes]] = []
        self._releases = 0
        self._ended = threading.Event()
        self._traffic: threading.Thread | None = None
        self.asked = 0
        self.refused = 0

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for service in SERVICES:
            self.deploy(service, self._shop.head())
        self._begin_monitoring()
        self._traffic = threading.Thread(target=self._ask, daemon=True)
        self._traffic.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._ended.set()
        if self._traffic is not None:
            self._traffic.join(10)
        for _, process in self._running.values():
            process.kill()
        for process in self._others:
            process.terminate()
        for process in (*self._others, *(process for _, process in self._running.values())):
            process.wait(20)

    def deploy(self, service: str, revision: str) -> None:
        """Brings a revision of a service into production without losing a request."""
        self._releases += 1
        release = self.folder / "releases" / f"{self._releases:03d}-{service}-{revision[:12]}"
        self._shop.lay(revision, release)
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", f"shop.{service}"],
            cwd=release,
            env=self._environment(service, revision, port),
            stderr=(release / "stderr.txt").open("wb"),
        )
        _wait_for(f"http://127.0.0.1:{port}/metrics", process)
        old = self._running.get(service)
        self._running[service] = (port, process)
        self.deployed[service] = revision
        self._write_places()
        if old is not None:
            threading.Thread(target=_drain, args=(old[1],), daemon=True).start()

    # Private

    def _environment(self, service: str, revision: str, port: int) -> Mapping[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "SHOP_SERVICE": service,
            "SHOP_REVISION": revision,
            "SHOP_PORT": str(port),
            "SHOP_PLACES": str(self.folder / "places.json"),
            "SHOP_OTLP": self._collector,
            "SHOP_OTLP_TOKEN": self._token,
        }

    def _write_places(self) -> None:
        places = {service: [[port, 1.0]] for service, (port, _) in self._running.items()}
        targets = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"service": service}}
            for service, (port, _) in sorted(self._running.items())
        ]
        _replace(self.folder / "places.json", json.dumps(places))
        _replace(self.folder / "targets.json", json.dumps(targets))

    def _begin_monitoring(self) -> None:
        (self.folder / "rules.yml").write_text(RULES)
        host = self.alertmanager.removeprefix("http://")
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
            "rule_files: [rules.yml]\n"
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{host}']}}]}}]}}\n"
            "scrape_configs:\n"
            "- job_name: shop\n"
            "  file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]\n"
        )
        receiver = "receivers: [{name: nobody}]\n"
        if self._hook:
            receiver = (
                f"receivers: [{{name: nobody, webhook_configs: [{{url: '{self._hook}', http_config: "
                f"{{authorization: {{type: Bearer, credentials: '{self._token}'}}}}}}]}}]\n"
            )
        (self.folder / "alertmanager.yml").write_text(
            "route: {receiver: nobody, group_by: [alertname, service], group_wait: 0s, group_interval: 1s, "
            "repeat_interval: 1h}\n" + receiver
        )
        self._start("prometheus", "prometheus.yml", "storage.tsdb.path", self.prometheus)
        self._start("prometheus-alertmanager", "alertmanager.yml", "storage.path", self.alertmanager)

    def _start(self, program: str, config: str, storage: str, url: str) -> None:
        found = shutil.which(program)
        if found is None:
            raise FileNotFoundError(f"{program} is not installed: apt-get install {program}")
        arguments = [
            found,
            f"--config.file={self.folder / config}",
            f"--{storage}={self.folder / program}",
            f"--web.listen-address={url.removeprefix('http://')}",
        ]
        if program.endswith("alertmanager"):
            arguments.append("--cluster.listen-address=")
        log = (self.folder / f"{program}.log").open("wb")
        process = subprocess.Popen(arguments, cwd=self.folder, stdout=log, stderr=log)
        self._others.append(process)
        _wait_for(f"{url}/-/ready", process)

    def _ask(self) -> None:
        """People at the storefront: most look around, some fill a cart, a few pay."""
        chance = random.Random(1)
        with ThreadPoolExecutor(12) as people:
            while not self._ended.wait(chance.expovariate(self._rate)):
                people.submit(self._visit, _path(chance))

    def _visit(self, asked: tuple[str, dict[str, str] | None]) -> None:
        path, body = asked
        port = self._running["storefront"][0]
        data = None if body is None else json.dumps(body).encode()
        self.asked += 1
        try:
            with urllib.request.urlopen(
                urllib.request.Request(f"http://127.0.0.1:{port}{path}", data), timeout=5
            ) as got:
                got.read()
        except urllib.error.HTTPError as error:
            self.refused += error.code >= 500
        except (urllib.error.URLError, OSError):
            self.refused += 1


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


# Private


def _path(chance: random.Random) -> tuple[str, dict[str, str] | None]:
    cart = f"cart-{chance.randrange(40)}"
    kind = chance.random()
    if kind < 0.25:
        return chance.choice(("/", "/", f"/?page={chance.randrange(8)}", "/?order=price&page=1")), None
    if kind < 0.5:
        return f"/article?id={chance.randrange(1, 200)}", None
    if kind < 0.7:
        return "/put", {"cart": cart, "article": str(chance.randrange(1, 201))}
    if kind < 0.88:
        return f"/basket?cart={cart}", None
    return "/buy", {"cart": cart}


def _drain(process: subprocess.Popen[bytes]) -> None:
    time.sleep(DRAIN_SECONDS)
    process.terminate()
    process.wait(20)


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.write_text(text)
    fresh.replace(path)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                raise RuntimeError(f"{process.args} ended with {process.returncode}") from None
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"{url} did not answer within {READY_SECONDS:g} s")
