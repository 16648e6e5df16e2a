"""What a canary is asked and what is said of it, as values. Times are Unix seconds, shares 0 to 1."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from tidegate.telemetry.series import Series

Kind = Literal["latency", "rate", "count"]
Direction = Literal["increase", "decrease", "either"]
Decision = Literal["promote", "hold", "roll back"]
State = Literal["fine", "regressed", "undecided", "no data"]


class Metric(Struct, frozen=True, kw_only=True):
    """One question: is this worse on the canary?

    `latency` and `rate` are levels (seconds, requests a second, CPU, memory): `tolerance` and `detect` are relative, .1
    is ten percent. `count` is failures out of requests: `tolerance` is relative to the share that fails at the
    baseline, `detect` is a share of the requests. A difference within `tolerance` is no regression; one of `detect`
    must be found before a canary is promoted. `direction` is the way to the worse.
    """

    name: str
    kind: Kind = "latency"
    direction: Direction = "increase"
    critical: bool = True
    tolerance: float = 0.1
    detect: float = 0.5


class Measured(Struct, frozen=True, kw_only=True, eq=False):
    """What was measured for one metric: one series for each replica, or one in all.

    Points before the start of the canary are history: the null is learned from them. Of a `count`, `canary` and
    `baseline` are the failures in each step and `..._requests` the requests in the same steps.
    """

    metric: Metric
    canary: tuple[Series, ...]
    baseline: tuple[Series, ...]
    canary_requests: tuple[Series, ...] = ()
    baseline_requests: tuple[Series, ...] = ()


class MetricResult(Struct, frozen=True, kw_only=True):
    """What is said of one metric.

    `canary` and `baseline` are typical values (the share that fails, of a count); `change` is their ratio less one as
    estimated, `low` and `high` its interval, valid whenever one looks. `evidence` is the decimal logarithm of the
    e-value against "no worse than tolerated"; `wait` is about how many more seconds would settle it, `requests` how
    many more requests of the canary. `classification` and `groups` are Kayenta's.
    """

    name: str
    kind: Kind
    critical: bool
    state: State
    says: str
    points: int = 0
    canary: float | None = None
    baseline: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    evidence: float | None = None
    wait: float | None = None
    requests: int | None = None
    classification: str = ""
    groups: tuple[str, ...] = ()


class GroupScore(Struct, frozen=True):
    """The score of one of Kayenta's groups, 0 to 100."""

    name: str
    score: float


class Judgement(Struct, frozen=True, kw_only=True):
    """The verdict on a canary at one moment, with everything that a person needs to check it.

    `error_rate` is how often a canary like its baseline would be rolled back, over all metrics and all looks together
    (0 where the judge promises none). `score` and `classification` are Kayenta's. Nothing is executed.
    """

    judge: Literal["sequential", "kayenta"]
    decision: Decision
    reasons: tuple[str, ...]
    metrics: tuple[MetricResult, ...]
    start: float
    end: float
    error_rate: float = 0.0
    score: float | None = None
    classification: str = ""
    group_scores: tuple[GroupScore, ...] = ()
    schema: Literal["tidegate.canary/1"] = "tidegate.canary/1"

    @property
    def exit_code(self) -> int:
        return 0 if self.decision == "promote" else 1


def judgement_json(judgement: Judgement) -> bytes:
    """The judgement as canonical JSON, for the ledger: the same judgement, the same bytes."""
    return msgspec.json.encode(judgement, order="deterministic")
