"""Incidents of our own making, drawn in a few lines each: what broke, what the signals said, which changes were there.

None is taken from a public set. Half of them were caused by a change, half by none; every one has a change nearby that
looks guilty and is not.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tidegate.operate.suspects import Candidate
from tidegate.operate.symptoms.values import LogLine, Span, Symptoms
from tidegate.operate.values import Alert
from tidegate.rollout.values import Deployment
from tidegate.telemetry.series import Series

START = 1_780_000_000.0
MINUTE = 60.0


class Incident(NamedTuple):
    """A drawn incident. `truth` is the commit that caused it, or the kinds of cause that count as right."""

    name: str
    symptoms: Symptoms
    candidates: tuple[Candidate, ...]
    truth: str
    kinds: frozenset[str]


def move(service: str, metric: str, before: float, after: float, at: float, ramp: float = 0.0) -> Series:
    """Two hours of minutes around `before`, then around `after` from minute `at` on, at once or over `ramp` minutes."""
    dice = random.Random(zlib.crc32(f"{service} {metric}".encode()))
    times = np.arange(120.0)
    part = np.clip((times - at) / ramp, 0, 1) if ramp else (times >= at).astype(float)
    level = before + (after - before) * part
    noise = np.array([dice.gauss(0, 0.03) for _ in times])
    return Series(name=metric, labels={"service": service}, times=START + times * MINUTE, values=level * (1 + noise))


def lines(
    service: str, severity: str, message: str, at: float, every: float = 0.5, until: float = 112.0
) -> list[LogLine]:
    """The message again and again from minute `at`; `{n}` in it is a running number."""
    count = max(1, math.ceil((until - at) / every))
    return [
        LogLine(
            at=START + (at + number * every) * MINUTE,
            service=service,
            severity=severity,
            message=message.replace("{n}", str(7000 + 13 * number)),
            source="logs",
        )
        for number in range(count)
    ]


def change(commit: str, live: float | None, service: str, path: str, message: str, diff: str | None) -> Candidate:
    """A commit made ten minutes before minute `live`, at which a deployment of `service` carried it."""
    deployment = None
    if live is not None:
        deployment = Deployment(
            id=f"deploy-{commit}",
            environment="production",
            service=service,
            status="succeeded",
            started=START + live * MINUTE,
            revision=commit,
        )
    made = START + ((live if live is not None else 60.0) - 10.0) * MINUTE
    services = (service,) if live is not None else ()
    return Candidate(
        commit=commit, at=made, message=message, files=(path,), diff=diff, deployment=deployment, services=services
    )


CROWD = (
    change("crowd-docs", None, "", "docs/runbook.md", "docs: extend the runbook", "+Call the owner first.\n"),
    change("crowd-tests", None, "", "pkg/money/money_test.go", "test: more currencies", None),
    change("crowd-ci", None, "", ".github/workflows/ci.yml", "ci: cache", "+  cache: true\n"),
    change("crowd-lint", None, "", "pkg/id/id.go", "style: gofmt", "-a:=1\n+a := 1\n"),
    change("crowd-cert", None, "", "deploy/staging/tls.yaml", "chore: rotate the staging certificate", None),
    change(
        "crowd-probe", None, "", "internal/health/ready.go", "feat: readyz", "+func Ready(w W) { w.WriteHeader(200) }\n"
    ),
)

TIDY_CLIENT = (
    "-\tres, err := c.http.Do(req)\n-\tif err != nil {\n-\t\treturn nil, err\n-\t}\n-\treturn parse(res)\n"
    "+\treturn c.send(req)\n+}\n+\n+func (c *Client) send(req *http.Request) (*Answer, error) {\n"
    "+\tres, err := c.http.Do(req)\n+\tif err != nil {\n+\t\treturn nil, err\n+\t}\n+\treturn parse(res)\n"
)
TIDY_HANDLER = (
    "-\tvar in OrderIn\n"
    "-\tif err := json.NewDecoder(r.Body).Decode(&in); err != nil {\n-\t\thttp.Error(w, err.Error(), 400)\n"
    "-\t\treturn\n-\t}\n+\tin, err := decode[OrderIn](r)\n+\tif err != nil {\n"
    "+\t\twriteError(w, 400, err)\n+\t\treturn\n+\t}\n"
)
BUMP = "-\tgithub.com/aws/aws-sdk-go-v2 v1.30.3\n+\tgithub.com/aws/aws-sdk-go-v2 v1.30.4\n"


def incident(
    name: str,
    truth: str,
    alert: tuple[str, str, str, float],
    series: list[Series],
    logs: list[LogLine],
    candidates: list[Candidate],
    *,
    calls: tuple[tuple[str, str], ...] = (),
    spans: tuple[Span, ...] = (),
    flags: Mapping[str, float] | None = None,
) -> Incident:
    """An incident whose `alert` is (service, metric, summary, minute); `truth`: a commit, or kinds joined by a bar."""
    service, metric, summary, at = alert
    symptoms = Symptoms(
        alert=Alert(
            key=name,
            sender="test",
            name=f"{service}-{metric}",
            started=START + at * MINUTE,
            service=service,
            summary=summary,
        ),
        logs=tuple(logs),
        series=tuple(series),
        spans=spans,
        calls=calls,
    )
    turned = [
        Candidate(commit=f"flag:{flag}", at=START + when * MINUTE, message=flag, services=(service,), kind="flag")
        for flag, when in (flags or {}).items()
    ]
    known = {one.commit for one in candidates}
    kinds = frozenset() if truth in known else frozenset(truth.split("|"))
    return Incident(name, symptoms, (*CROWD, *candidates, *turned), truth, kinds)
