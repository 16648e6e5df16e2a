"""Reads a folder of root-cause-bench (alert, logs, metrics, traces, patterns, commits, deploys, flags) as values."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from tidegate.operate.suspects import Candidate
from tidegate.operate.symptoms.values import LogLine, LogPattern, Span, Symptoms
from tidegate.operate.values import Alert
from tidegate.rollout.values import Deployment
from tidegate.telemetry.series import Series

Record = dict[str, Any]


class Folder(Struct, frozen=True, kw_only=True):
    """The raw records of one incident, before they become values: what the mutants change."""

    name: str
    alert: Record
    logs: list[Record]
    metrics: list[Record]
    traces: list[Record]
    patterns: list[Record]
    commits: list[Record]
    deploys: list[Record]
    flags: list[Record]


def read_folder(folder: Path) -> Folder:
    """The records of an incident; a part that is not there is empty."""
    data = folder / "data"
    logs = data / "logs.ndjson"
    metrics = data / "metrics.csv"
    return Folder(
        name=folder.name,
        alert=json.loads((data / "alert.json").read_text()),
        logs=[json.loads(line) for line in logs.read_text().splitlines() if line.strip()] if logs.exists() else [],
        metrics=list(csv.DictReader(metrics.read_text().splitlines())) if metrics.exists() else [],
        traces=_list(data / "traces.json"),
        patterns=_list(data / "patterns.json"),
        commits=_list(data / "context" / "commits.json"),
        deploys=_list(data / "context" / "deploys.json"),
        flags=_list(data / "context" / "flags.json"),
    )


def as_symptoms(folder: Folder) -> Symptoms:
    """What the incident shows."""
    alert = folder.alert
    return Symptoms(
        alert=Alert(
            key=f"{alert['monitor']}@{alert['fired_at']}",
            sender="bench",
            name=alert["monitor"],
            started=seconds(alert["fired_at"]),
            service=alert.get("service", ""),
            summary=alert.get("summary", ""),
            labels={"metric": alert.get("metric", "")},
        ),
        logs=tuple(_log(one) for one in folder.logs),
        patterns=tuple(_pattern(one) for one in folder.patterns),
        series=_series(folder.metrics),
        spans=tuple(_span(one) for one in folder.traces),
    )


def as_candidates(folder: Folder, *, flags: bool = True) -> tuple[Candidate, ...]:
    """The commits, each with the first deployment of it, and the flags that were turned."""
    deployed = {
        one["commit_sha"]: one for one in sorted(folder.deploys, key=lambda one: one["timestamp"], reverse=True)
    }
    commits = [_candidate(one, deployed.get(one["sha"])) for one in folder.commits]
    turned = [
        Candidate(
            commit=f"flag:{one['flag']}",
            at=seconds(one["timestamp"]),
            author=one.get("actor", ""),
            message=f"{one['flag']} {one.get('change', '')}",
            services=(one.get("service", ""),),
            kind="flag",
        )
        for one in folder.flags
    ]
    return (*commits, *(turned if flags else []))


def seconds(text: str) -> float:
    """An ISO time in Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


# Private


def _list(path: Path) -> list[Record]:
    return list(json.loads(path.read_text())) if path.exists() else []


def _log(one: Record) -> LogLine:
    known = {"timestamp", "service", "severity_text", "msg", "trace_id"}
    return LogLine(
        at=seconds(one["timestamp"]),
        service=one.get("service", ""),
        severity=one.get("severity_text", ""),
        message=one.get("msg", ""),
        fields={key: str(value) for key, value in one.items() if key not in known},
        source="logs.ndjson",
    )


def _pattern(one: Record) -> LogPattern:
    delta = int(str(one.get("delta_vs_baseline", "0")).replace("+", ""))
    return LogPattern(
        service=one.get("service", ""),
        text=one["signature"],
        count=one["count"],
        before=max(0, one["count"] - delta),
        negative=one.get("sentiment") == "negative",
        source="patterns.json",
    )


def _series(rows: list[Record]) -> tuple[Series, ...]:
    grouped: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows:
        point = (seconds(row["timestamp"]), float(row["value"] or "nan"))
        grouped.setdefault((row["service"], row["metric"]), []).append(point)
    return tuple(
        Series(
            name=metric,
            labels={"service": service},
            times=np.array([at for at, _ in sorted(points)]),
            values=np.array([value for _, value in sorted(points)]),
        )
        for (service, metric), points in sorted(grouped.items())
    )


def _span(one: Record) -> Span:
    known = {"trace_id", "span_id", "parent_id", "service", "name", "start", "duration_ms", "status", "attributes"}
    fields = {**{key: value for key, value in one.items() if key not in known}, **one.get("attributes", {})}
    return Span(
        id=one["span_id"],
        service=one["service"],
        operation=one["name"],
        started=seconds(one["start"]),
        seconds=float(one["duration_ms"]) / 1000,
        failed=one.get("status") == "ERROR",
        parent=one.get("parent_id") or "",
        trace=one.get("trace_id", ""),
        fields={key: str(value) for key, value in fields.items()},
        source="traces.json",
    )


def _candidate(one: Record, deploy: Mapping[str, Any] | None) -> Candidate:
    deployment = None
    if deploy is not None:
        deployment = Deployment(
            id=deploy.get("version", one["sha"]),
            environment="production",
            service=deploy["service"],
            status="succeeded",
            started=seconds(deploy["timestamp"]),
            revision=one["sha"],
        )
    return Candidate(
        commit=one["sha"],
        at=seconds(one["timestamp"]),
        author=one.get("author", ""),
        message=one.get("message", ""),
        files=tuple(one.get("files_changed", ())),
        diff=one.get("diff"),
        deployment=deployment,
        services=(deployment.service,) if deployment is not None else (),
    )
