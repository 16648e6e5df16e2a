"""What time it is, in the one form that the tables keep: RFC 3339 in UTC with microseconds, which sorts as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], str]
"""Answers the time now; whoever needs one takes it as an argument."""


def now() -> str:
    """The system's clock. It is no evidence: order in the ledger is the index, and time is what witnesses sign."""
    return text_of(datetime.now(UTC))


def text_of(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def moment_of(text: str) -> datetime:
    """ValueError where the text is no time with an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without an offset: {text}")
    return moment.astimezone(UTC)


def later(text: str, seconds: float) -> str:
    """`seconds` after `text`; before it where they are negative."""
    return text_of(moment_of(text) + timedelta(seconds=seconds))


def seconds_between(earlier: str, after: str) -> float:
    """Negative where `after` comes first."""
    return (moment_of(after) - moment_of(earlier)).total_seconds()
