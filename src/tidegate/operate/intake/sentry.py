"""Issues and errors with their stack traces as Sentry sends them: docs.sentry.io/organization/integrations, "Webhooks".

Resources `event_alert`, `error`, `issue` and `metric_alert`; service hooks; and the legacy webhook plugin, whose event
stands at the top. Signed: `Sentry-Hook-Signature` is the HMAC-SHA256 of the body. Frames have the innermost call last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.operate.intake.reading import severity_of
from tidegate.operate.values import Alert, ErrorReport, Frame
from tidegate.rollout.intake.reading import (
    commit,
    digest,
    first,
    header,
    is_mac,
    moment,
    moment_or,
    name,
    parse,
    text,
    url,
)
from tidegate.rollout.values import NotUsed

SENDER = "sentry"
SIGNATURE = "sentry-hook-signature"
MOST_FRAMES = 400


class _Frame(Struct):
    filename: str | None = None
    abs_path: str | None = None
    function: str | None = None
    lineno: int | None = None
    in_app: bool | None = None


class _Stack(Struct):
    frames: list[_Frame] | None = None


class _Exception(Struct):
    type: str | None = None
    value: str | None = None
    stacktrace: _Stack | None = None


class _Exceptions(Struct):
    values: list[_Exception] | None = None


class _Event(Struct):
    event_id: str | None = None
    issue_id: str | int | None = None
    timestamp: float | str | None = None
    datetime: str | None = None
    release: str | dict[str, Any] | None = None
    environment: str | None = None
    project: str | int | None = None
    project_name: str | None = None
    tags: list[Any] | dict[str, Any] | None = None
    title: str | None = None
    message: str | None = None
    culprit: str | None = None
    web_url: str | None = None
    exception: _Exceptions | None = None


class _Project(Struct):
    slug: str = ""


class _Issue(Struct, rename={"first_seen": "firstSeen", "last_seen": "lastSeen"}):
    id: str | int = ""
    title: str | None = None
    culprit: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    count: str | int | None = None
    permalink: str | None = None
    web_url: str | None = None
    project: _Project | None = None
    metadata: dict[str, Any] | None = None


class _Rule(Struct):
    name: str | None = None
    environment: str | None = None


class _Metric(Struct):
    id: str | int = ""
    title: str | None = None
    date_started: str | None = None
    date_closed: str | None = None
    alert_rule: _Rule | None = None


class _Data(Struct):
    event: _Event | None = None
    error: _Event | None = None
    issue: _Issue | None = None
    metric_alert: _Metric | None = None
    description_text: str | None = None
    web_url: str | None = None


class _Message(Struct):
    action: str = ""
    data: _Data | None = None
    event: _Event | None = None  # service hooks, and the legacy plugin
    id: str | int | None = None
    project: str | int | None = None
    project_slug: str | None = None
    url: str | None = None


_DECODER = msgspec.json.Decoder(_Message)


def read(body: bytes, headers: Mapping[str, str]) -> tuple[Alert | ErrorReport | NotUsed, ...]:
    """What the message says."""
    message = parse(_DECODER, body, SENDER)
    data = message.data or _Data()
    event = data.event or data.error or message.event
    if event is not None:
        return (_error(event, message),)
    if data.issue is not None:
        return (_issue(data.issue),)
    if data.metric_alert is not None:
        return (_metric(data.metric_alert, message.action, data),)
    kind = f"{header(headers, 'sentry-hook-resource')} {message.action}".strip() or "unknown"
    return (NotUsed(sender=SENDER, key=digest(body.decode("utf-8", "replace")), type=name(kind)),)


def is_signed(body: bytes, headers: Mapping[str, str], secrets: Sequence[bytes]) -> bool:
    """Whether a holder of one of the secrets signed these very bytes."""
    given = header(headers, SIGNATURE)
    return any([is_mac(given, secret, body) for secret in secrets])  # noqa: C419 all are compared


# Private


def _error(event: _Event, message: _Message) -> ErrorReport:
    raised = (event.exception.values if event.exception else None) or []
    last = raised[-1] if raised else _Exception()  # of a chain of causes the last is the one that was not caught
    stack = next((each.stacktrace for each in reversed(raised) if each.stacktrace and each.stacktrace.frames), None)
    at = moment(event.timestamp if event.timestamp is not None else event.datetime, "event.timestamp")
    kind = name(last.type or event.title) or "error"
    group = event.issue_id or message.id
    tags = _tags(event.tags)
    service = first(tags, ("service", "app", "component")) or message.project_slug or event.project_name
    return ErrorReport(
        key=name(str(group)) if group else digest(kind, event.culprit, event.project),
        sender=SENDER,
        kind=kind,
        message=text(last.value or event.message or event.title),
        first=at,
        last=at,
        frames=tuple(_frame(each) for each in (stack.frames or [])[-MOST_FRAMES:]) if stack else (),
        service=name(service or (str(event.project) if event.project is not None else "")),
        environment=name(event.environment or first(tags, ("environment",))),
        revision=_revision(event.release) or commit(first(tags, ("release", "revision"))),
        url=url(event.web_url or message.url),
    )


def _frame(given: _Frame) -> Frame:
    return Frame(
        file=text(given.filename or given.abs_path, 1000),
        line=given.lineno if given.lineno and 0 < given.lineno < 1 << 31 else 0,
        function=text(given.function, 300),
        own=given.in_app is not False,
    )


def _issue(issue: _Issue) -> ErrorReport:
    started = moment(issue.first_seen, "issue.firstSeen")
    count = str(issue.count or 1)
    if not count.isascii() or not count.isdigit() or len(count) > 15:
        raise InputError(f"{count!r:.40} is no number", where="issue.count")
    metadata = issue.metadata or {}
    return ErrorReport(
        key=name(str(issue.id)),
        sender=SENDER,
        kind=name(first(metadata, ("type",)) or issue.title) or "error",
        message=text(first(metadata, ("value",)) or issue.title),
        first=started,
        last=moment_or(issue.last_seen, started, "issue.lastSeen"),
        count=max(1, int(count)),
        service=name(issue.project.slug if issue.project else ""),
        url=url(issue.web_url or issue.permalink),
    )


def _metric(metric: _Metric, action: str, data: _Data) -> Alert:
    started = moment(metric.date_started, "metric_alert.date_started")
    rule = metric.alert_rule or _Rule()
    ended = moment_or(metric.date_closed, started, "metric_alert.date_closed") if action == "resolved" else None
    return Alert(
        key=name(str(metric.id)),
        sender=SENDER,
        name=name(rule.name or metric.title) or "metric alert",
        started=started,
        ended=ended,
        environment=name(rule.environment),
        severity=severity_of(action),
        summary=text(data.description_text or metric.title),
        url=url(data.web_url),
        at=started if ended is None else ended,
    )


def _tags(given: list[Any] | dict[str, Any] | None) -> dict[str, str]:
    pairs: list[Any] = list(given.items()) if isinstance(given, dict) else list(given or [])
    found: dict[str, str] = {}
    for pair in pairs[:200]:
        if isinstance(pair, dict):
            pair = (pair.get("key"), pair.get("value"))
        if isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(each, str) for each in pair):
            found[pair[0]] = pair[1]
    return found


def _revision(release: str | dict[str, Any] | None) -> str:
    """A release is a commit, or `PROJECT@COMMIT`, or an object that names one."""
    if isinstance(release, dict):
        release = first(release, ("ref", "version"))
    return commit((release or "").rpartition("@")[2].rpartition("+")[2])
