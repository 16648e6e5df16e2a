"""Alerts and errors in plain JSON beside deployments, for a sender that no other reader knows."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.operate.frames import read_traces
from tidegate.operate.intake.reading import labels_of
from tidegate.operate.values import Alert, ErrorReport, Frame, Severity
from tidegate.rollout.intake import plain
from tidegate.rollout.intake.plain import SENDER
from tidegate.rollout.intake.reading import commit, digest, moment_or, name, parse, text, url
from tidegate.rollout.values import DeploymentEvent, NotUsed

MOST_FRAMES = 400


class PlainAlert(Struct, tag_field="type", tag="alert", forbid_unknown_fields=True):
    """`key` names the alert in every message about it. Times are RFC 3339 or Unix seconds; no `ended`: it goes on."""

    key: str
    name: str
    started: str | float | None = None
    ended: str | float | None = None
    at: str | float | None = None
    service: str = ""
    environment: str = ""
    severity: Severity = "medium"
    summary: str = ""
    labels: dict[str, str] = {}
    revision: str = ""
    url: str = ""


class PlainError(Struct, tag_field="type", tag="error", forbid_unknown_fields=True):
    """`trace` is a stack trace as text; or `frames`, the innermost call last. `key` groups equal errors."""

    kind: str
    message: str = ""
    key: str = ""
    at: str | float | None = None
    count: int = 1
    trace: str = ""
    frames: list[Frame] = []
    service: str = ""
    environment: str = ""
    revision: str = ""
    url: str = ""


_ALERT = msgspec.json.Decoder(PlainAlert)
_ERROR = msgspec.json.Decoder(PlainError)


def read(
    body: bytes,
    headers: Mapping[str, str],  # noqa: ARG001 one form
) -> tuple[Alert | ErrorReport | DeploymentEvent | NotUsed, ...]:
    """What it says, one object or a list of them, each with its `type`."""
    return tuple(_read_one(each) for each in plain.parts_of(body))


# Private


def _read_one(body: bytes) -> Alert | ErrorReport | DeploymentEvent | NotUsed:
    match plain.type_of(body):
        case "alert":
            return _alert(parse(_ALERT, body, SENDER))
        case "error":
            return _error(parse(_ERROR, body, SENDER))
    return plain.read_one(body)


def _alert(given: PlainAlert) -> Alert:
    if not given.key or not given.name:
        raise InputError("an alert without its key or its name", where="key")
    started = moment_or(given.started, 0.0, "started")
    ended = None if given.ended in (None, "") else moment_or(given.ended, 0.0, "ended")
    return Alert(
        key=name(given.key),
        sender=SENDER,
        name=name(given.name),
        started=started,
        ended=ended,
        service=name(given.service),
        environment=name(given.environment),
        severity=given.severity,
        summary=text(given.summary),
        labels=labels_of(given.labels),
        revision=_commit(given.revision),
        url=url(given.url),
        at=moment_or(given.at, started if ended is None else ended, "at"),
    )


def _error(given: PlainError) -> ErrorReport:
    if not given.kind:
        raise InputError("an error without its kind", where="kind")
    if given.count < 1 or given.count > 10**15:
        raise InputError(f"an error that happened {given.count} times", where="count")
    frames = tuple(given.frames[-MOST_FRAMES:])
    if not frames and given.trace:
        traces = read_traces(given.trace)
        frames = traces[-1].frames if traces else ()
    at = moment_or(given.at, 0.0, "at")
    last = frames[-1] if frames else None
    return ErrorReport(
        key=name(given.key) or digest(given.kind, given.service, last.file if last else "", last.line if last else 0),
        sender=SENDER,
        kind=name(given.kind),
        message=text(given.message),
        first=at,
        last=at,
        frames=tuple(
            Frame(file=text(each.file, 1000), line=max(0, each.line), function=text(each.function, 300), own=each.own)
            for each in frames
        ),
        count=given.count,
        service=name(given.service),
        environment=name(given.environment),
        revision=_commit(given.revision),
        url=url(given.url),
    )


def _commit(given: str) -> str:
    if given and not commit(given):
        raise InputError(f"{given!r:.80} is no whole commit", where="revision", mend="report: git rev-parse HEAD")
    return commit(given)
