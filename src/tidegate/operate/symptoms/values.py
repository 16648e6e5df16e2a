"""What is known of one incident, as values. Times are Unix seconds; an empty text is what nobody said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from tidegate.operate.values import Alert, ErrorReport
from tidegate.telemetry.series import Series

Trend = Literal["new", "more", "fewer", "gone", "same"]


class LogLine(Struct, frozen=True, kw_only=True):
    """One log line. `fields`: what it carries beside the message, as texts."""

    at: float
    service: str
    severity: str
    message: str
    fields: Mapping[str, str] = {}
    source: str = ""


class LogPattern(Struct, frozen=True, kw_only=True):
    """A group of log lines as a log store counted them: now, and `before` in a window of the same length."""

    service: str
    text: str
    count: int
    before: int = 0
    negative: bool = False
    source: str = ""


class Span(Struct, frozen=True, kw_only=True):
    """One span of a trace. `seconds`: how long it took; `parent` is empty for the root."""

    id: str
    service: str
    operation: str
    started: float
    seconds: float
    failed: bool
    parent: str = ""
    trace: str = ""
    fields: Mapping[str, str] = {}
    source: str = ""


class Flag(Struct, frozen=True, kw_only=True):
    """A switch that somebody turned: `change` says from what to what."""

    name: str
    at: float
    service: str = ""
    change: str = ""
    actor: str = ""


class Symptoms(Struct, frozen=True, kw_only=True):
    """All that an incident shows. Series carry the label `service`; `calls` are edges from a caller to what it calls.

    `unknowns`: what could not be read, in words; it is carried into the ranking.
    """

    alert: Alert
    errors: tuple[ErrorReport, ...] = ()
    logs: tuple[LogLine, ...] = ()
    patterns: tuple[LogPattern, ...] = ()
    series: tuple[Series, ...] = ()
    spans: tuple[Span, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()
    unknowns: tuple[str, ...] = ()
