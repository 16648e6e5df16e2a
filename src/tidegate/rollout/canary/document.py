"""The canary document: what is compared with what. One small TOML file, docs/canary.md.

step = "15s"
history = "1h"

[[metric]]
name = "latency_p95"
canary = 'histogram_quantile(0.95, sum by (le, pod) (rate(seconds_bucket{track="canary"}[1m])))'
baseline = 'histogram_quantile(0.95, sum by (le, pod) (rate(seconds_bucket{track="stable"}[1m])))'
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.rollout.canary.values import Direction, Kind, Metric
from tidegate.settings import convert, read_toml

LARGEST_BYTES = 1 << 20
MOST_METRICS = 2_000
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}

Queries = str | tuple[str, ...]


class Question(NamedTuple):
    """One metric and its queries: of Prometheus, or the names of series in a file. Several are several replicas."""

    metric: Metric
    canary: tuple[str, ...]
    baseline: tuple[str, ...]
    canary_requests: tuple[str, ...]
    baseline_requests: tuple[str, ...]


class CanaryDocument(NamedTuple):
    """`start` and `end` in Unix seconds where they are written; `step`, `history` and `warmup` in seconds. With
    `before`, what the canary's queries give before its start is the same replicas on the old revision."""

    questions: tuple[Question, ...]
    start: float | None
    end: float | None
    step: float
    history: float
    warmup: float
    before: bool
    error_rate: float
    prometheus: str


def parse_document(content: bytes, where: str) -> CanaryDocument:
    """The document in a TOML text. Raises InputError that names the key and what it may be."""
    if len(content) > LARGEST_BYTES:
        raise InputError(f"larger than {LARGEST_BYTES >> 20} MB", where=where, mend="name a canary document")
    try:
        raw = convert(read_toml(content, where), _Document, where)
    except InputError as error:
        mend = error.mend.replace("docs/settings.md", "docs/canary.md")
        raise InputError(error.what.replace("setting", "key"), where=where, mend=mend) from error
    if not raw.metric:
        raise InputError("no metric", where=where, mend="write a [[metric]] with name, canary and baseline")
    if len(raw.metric) > MOST_METRICS:
        raise InputError(f"{len(raw.metric)} metrics, {MOST_METRICS} at most", where=where, mend="split the document")
    names = [one.name for one in raw.metric]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise InputError(f"two metrics are called {twice}", where=where, mend="name each once")
    if not 1e-6 <= raw.error_rate <= 0.5:
        raise InputError(f"error_rate {raw.error_rate:g}", where=where, mend="write 0.000001 to 0.5")
    step = read_duration(raw.step, f"{where}: step")
    history = read_duration(raw.history, f"{where}: history") if raw.history not in ("0", "0s") else 0.0
    return CanaryDocument(
        questions=tuple(_question(one, f"{where}: metric {one.name or '?'}") for one in raw.metric),
        start=_moment(raw.start, f"{where}: start"),
        end=_moment(raw.end, f"{where}: end"),
        step=step,
        history=round(history / step) * step,
        warmup=read_duration(raw.warmup, f"{where}: warmup") if raw.warmup not in ("0", "0s") else 0.0,
        before=raw.before,
        error_rate=raw.error_rate,
        prometheus=raw.prometheus,
    )


def read_duration(text: str, where: str) -> float:
    """Seconds of `15s`, `10m`, `1h`, `7d`. Raises InputError for anything else and for 0."""
    read = _DURATION.fullmatch(text)
    if not read or float(read[1]) == 0:
        raise InputError(f"{text!r} is no length of time", where=where, mend="write 15s, 10m, 1h or 7d")
    return float(read[1]) * _UNITS[read[2]]


def read_moment(text: str, where: str) -> float:
    """Unix seconds of Unix seconds or ISO 8601 (UTC where no zone is written). Raises InputError."""
    try:
        moment = float(text)
    except ValueError:
        try:
            read = datetime.fromisoformat(text)
            moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            moment = math.nan
    if not 0 <= moment <= 1e11:
        raise InputError(f"{text!r} is no moment", where=where, mend="write 2026-11-21T10:00:00Z or Unix seconds")
    return moment


# Private


class _Metric(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    canary: Queries
    baseline: Queries
    canary_requests: Queries = ()
    baseline_requests: Queries = ()
    kind: Kind = "latency"
    direction: Direction | None = None
    critical: bool = True
    tolerance: float = 0.1
    detect: float | None = None


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    metric: tuple[_Metric, ...] = ()
    start: object = None
    end: object = None
    step: str = "15s"
    history: str = "1h"
    warmup: str = "0s"
    before: bool = False
    error_rate: float = 0.02
    prometheus: str = ""


def _question(raw: _Metric, where: str) -> Question:
    detect = raw.detect if raw.detect is not None else 0.05 if raw.kind == "count" else 0.5
    direction = raw.direction or ("either" if raw.kind == "rate" else "increase")
    _check(raw, direction, detect, where)
    metric = Metric(
        name=raw.name,
        kind=raw.kind,
        direction=direction,
        critical=raw.critical,
        tolerance=raw.tolerance,
        detect=detect,
    )
    sides = (raw.canary, raw.baseline, raw.canary_requests, raw.baseline_requests)
    return Question(metric, *((side,) if isinstance(side, str) else side for side in sides))


def _check(raw: _Metric, direction: Direction, detect: float, where: str) -> None:
    if not raw.name.strip() or len(raw.name) > 200:
        raise InputError("a metric without a name, or with a very long one", where=where, mend="name it in a few words")
    if not raw.canary or not raw.baseline:
        raise InputError("nothing to compare", where=where, mend="write a query for canary and one for baseline")
    if not 0 <= raw.tolerance <= 10 or not math.isfinite(detect):
        raise InputError(f"tolerance {raw.tolerance:g}", where=where, mend="0.1 tolerates ten percent")
    if raw.kind == "count":
        if not (raw.canary_requests and raw.baseline_requests):
            raise InputError(
                "a count without its requests",
                where=where,
                mend="write canary_requests and baseline_requests beside the failures",
            )
        if direction != "increase" or not 0 < detect < 1:
            raise InputError(
                "a count looks for more failures, detect is a share", where=where, mend="leave direction, detect = 0.05"
            )
        return
    if raw.canary_requests or raw.baseline_requests:
        raise InputError("requests belong to a count", where=where, mend='write kind = "count"')
    if not raw.tolerance < detect <= 100 or (direction != "increase" and not detect < 1):
        raise InputError(
            f"detect {detect:g} beside tolerance {raw.tolerance:g}",
            where=where,
            mend="what must be found is more than what is tolerated, and a decrease less than 1",
        )


def _moment(raw: object, where: str) -> float | None:
    if raw is None:
        return None
    return read_moment(raw.isoformat() if isinstance(raw, datetime) else str(raw), where)
