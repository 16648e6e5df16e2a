"""The folds of alerts and errors, as `rollout/deployments.py` folds deployments: order and repeats change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, structs

from tidegate.operate.values import Alert, ErrorReport, Frame
from tidegate.rollout.intake.reading import digest
from tidegate.rollout.stamped import Stamp, later, said, stamped


class AlertProgress(Struct, frozen=True):
    """All that the fold needs of the messages about one alert. Joining is associative, commutative and idempotent."""

    sender: str
    key: str
    started: float
    words: Mapping[str, Stamp]


class ErrorProgress(Struct, frozen=True):
    """The same of one group of errors."""

    sender: str
    key: str
    first: float
    last: float
    count: int
    words: Mapping[str, Stamp]


def fold_alerts(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """The alerts as all these messages tell, by when they started."""
    known: dict[tuple[str, str], AlertProgress] = {}
    for alert in alerts:
        key = (alert.sender, alert.key)
        mine = progress_of_alert(alert)
        known[key] = joined_alert(known[key], mine) if key in known else mine
    return tuple(sorted(map(alert_of, known.values()), key=lambda each: (each.started, each.sender, each.key)))


def fold_errors(errors: Iterable[ErrorReport]) -> tuple[ErrorReport, ...]:
    """The groups of errors as all these messages tell, by when they began."""
    known: dict[tuple[str, str], ErrorProgress] = {}
    for error in errors:
        key = (error.sender, error.key)
        mine = progress_of_error(error)
        known[key] = joined_error(known[key], mine) if key in known else mine
    return tuple(sorted(map(error_of, known.values()), key=lambda each: (each.first, each.sender, each.key)))


def progress_of_alert(alert: Alert) -> AlertProgress:
    """What one message says. Of two at one time, the one that says it is over is the later."""
    values: dict[str, Any] = {name: getattr(alert, name) for name in _ALERT_WORDS}
    values["labels"] = dict(sorted(alert.labels.items())) or None
    over = {"ended": [alert.ended]}  # that it goes on is a word too
    order = ("1" if alert.ended is not None else "0") + event_key(alert)
    return AlertProgress(alert.sender, alert.key, alert.started, stamped({**values, **over}, alert.at, order))


def joined_alert(one: AlertProgress, other: AlertProgress) -> AlertProgress:
    """What both say of one alert."""
    return structs.replace(one, started=min(one.started, other.started), words=later(one.words, other.words))


def alert_of(progress: AlertProgress) -> Alert:
    """The alert as it is told now: the last word on everything, since the first time that it began."""
    words: dict[str, Any] = {name: said(progress.words, name) for name in _ALERT_WORDS}
    (ended,) = said(progress.words, "ended", [None])
    return Alert(
        sender=progress.sender,
        key=progress.key,
        started=progress.started,
        ended=ended,
        labels=said(progress.words, "labels", {}),
        at=progress.words["ended"][0],
        **words,
    )


def progress_of_error(error: ErrorReport) -> ErrorProgress:
    """What one message says."""
    values: dict[str, Any] = {name: getattr(error, name) for name in _ERROR_WORDS}
    values["frames"] = [structs.asdict(frame) for frame in error.frames] or None
    last = error.first if error.last is None else error.last
    words = stamped(values, last, event_key(error))
    return ErrorProgress(error.sender, error.key, error.first, last, error.count, words)


def joined_error(one: ErrorProgress, other: ErrorProgress) -> ErrorProgress:
    """What both say of one group. A count is what its sender counted, so that the larger one holds."""
    return structs.replace(
        one,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        count=max(one.count, other.count),
        words=later(one.words, other.words),
    )


def error_of(progress: ErrorProgress) -> ErrorReport:
    """The group as it is told now."""
    words: dict[str, Any] = {name: said(progress.words, name) for name in _ERROR_WORDS}
    return ErrorReport(
        sender=progress.sender,
        key=progress.key,
        first=progress.first,
        last=progress.last,
        count=progress.count,
        frames=msgspec.convert(said(progress.words, "frames", []), tuple[Frame, ...]),
        **words,
    )


def event_key(value: Alert | ErrorReport) -> str:
    """A name for just this message: the same said again is the same message."""
    return digest(msgspec.json.encode(value, order="sorted").decode())


# Private

_ALERT_WORDS = ("name", "service", "environment", "severity", "summary", "revision", "url")
_ERROR_WORDS = ("kind", "message", "service", "environment", "revision", "url")
