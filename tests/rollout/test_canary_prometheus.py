"""A canary judged from a real Prometheus: pods behind one query, failures as counters, through the command."""

from __future__ import annotations

import json
import math
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.telemetry.real_prometheus import run_prometheus

START = 1_795_255_200
DOCUMENT = """
step = "15s"
history = "30m"

[[metric]]
name = "work"
canary = 'work_seconds{track="canary"}'
baseline = 'work_seconds{track="stable"}'

[[metric]]
name = "errors"
kind = "count"
canary = 'sum(increase(requests_total{track="canary",code="500"}[15s])) or vector(0)'
canary_requests = 'sum(increase(requests_total{track="canary"}[15s]))'
baseline = 'sum(increase(requests_total{track="stable",code="500"}[15s])) or vector(0)'
baseline_requests = 'sum(increase(requests_total{track="stable"}[15s]))'
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_prometheus(tmp_path_factory.mktemp("prometheus"), _past()) as url:
        yield url


def test_a_slow_canary_is_rolled_back(
    tmp_path: Path, prometheus: str, tidegate: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "canary.toml").write_text(DOCUMENT)
    command = ("canary", "judge", "canary.toml", "--prometheus", prometheus, "--start", str(START), "--format", "json")
    done = tidegate(*command, "--end", str(START + 600), cwd=tmp_path)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    work, errors = found["metrics"]
    assert (found["decision"], done.returncode) == ("roll back", 1)
    assert work["state"] == "regressed"
    assert math.isclose(work["change"], 0.5, abs_tol=0.1)
    assert errors["state"] == "fine"
    assert errors["baseline"] < 0.01


def test_the_baseline_against_itself_is_promoted(
    tmp_path: Path, prometheus: str, tidegate: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    content = DOCUMENT.replace('work_seconds{track="canary"}', 'work_seconds{pod=~"s[01]"}')
    (tmp_path / "canary.toml").write_text(
        content.replace('work_seconds{track="stable"}', 'work_seconds{pod=~"s[2-5]"}')
    )
    command = ("canary", "judge", "canary.toml", "--prometheus", prometheus, "--start", str(START))
    done = tidegate(*command, "--end", str(START + 600), cwd=tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.startswith("PROMOTE")


def test_a_query_that_finds_nothing_is_held(
    tmp_path: Path, prometheus: str, tidegate: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "canary.toml").write_text(DOCUMENT.replace('{track="canary"}', '{track="cannary"}'))
    command = ("canary", "judge", "canary.toml", "--prometheus", prometheus, "--start", str(START))
    done = tidegate(*command, "--end", str(START + 600), cwd=tmp_path)
    assert done.returncode == 1
    assert "work: the canary has no values since its start" in done.stdout


# Private


def _past() -> str:
    """Two canary pods, half as slow again, and six stable ones; half an hour before the start and ten minutes after."""
    draw = random.Random(4)
    gauges, counters = [], []
    for pod, track, factor in [
        *((f"c{i}", "canary", 1.5) for i in range(2)),
        *((f"s{i}", "stable", 1) for i in range(6)),
    ]:
        noise, good, bad = 0.0, 0, 0
        for i in range(0 if track == "canary" else -130, 42):
            at = START + 15 * i
            noise = 0.5 * noise + draw.gauss(0, 0.05)
            good += 300
            bad += int(draw.random() < 0.2)
            gauges.append(f'work_seconds{{pod="{pod}",track="{track}"}} {0.1 * factor * math.exp(noise):.5f} {at}\n')
            for j in (0, 7.5):  # increase over 15 s wants two points in it
                for code, count in (("200", good), ("500", bad)):
                    label = f'pod="{pod}",track="{track}",code="{code}"'
                    counters.append(f"requests_total{{{label}}} {count} {at + j}\n")
    return f"# TYPE work_seconds gauge\n{''.join(gauges)}# TYPE requests counter\n{''.join(counters)}"
