"""Log lines grouped by what they say, whatever their numbers: which are new, which grew, which have gone."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from msgspec import Struct

from tidegate.operate.symptoms.values import LogLine, LogPattern

MOST_LINES = 100_000
LONGEST = 1000
LEAST_TIME = 300.0
_VARIABLE = re.compile(r"[\w.-]+|<\w{1,80}>|'[^']{1,80}'|\"[^\"]{1,80}\"")
_DIGIT = re.compile(r"\d")
_BAD = frozenset({"warn", "warning", "error", "err", "fatal", "critical", "panic", "alert", "emergency", "severe"})


class Signature(Struct, frozen=True, kw_only=True):
    """Lines of one service that say the same. `early`: how many of them came in the first third of the time."""

    service: str
    text: str
    bad: bool
    count: int
    early: int
    first: float
    last: float
    lines: tuple[LogLine, ...]
    source: str = ""

    @property
    def is_bad_news(self) -> bool:
        """A warning or worse that the first third of the time did not know."""
        return self.bad and self.early == 0


def group(lines: Sequence[LogLine], until: float = math.inf, kept: int = 8) -> tuple[Signature, ...]:
    """The signatures of log lines, by the time that they first came; of each at most `kept` lines are kept.

    The early part is the first third of the time up to `until`, the time of the alert; in five minutes there is none.
    """
    lines = lines[:MOST_LINES]
    if not lines:
        return ()
    start, end = min(line.at for line in lines), min(until, max(line.at for line in lines))
    early = start + (end - start) / 3 if end - start >= LEAST_TIME else start
    groups: dict[tuple[str, str, bool], list[LogLine]] = {}
    for line in lines:
        groups.setdefault((line.service, shape(line.message), line.severity.lower() in _BAD), []).append(line)
    found = [_sign(key, members, early, kept) for key, members in groups.items()]
    return tuple(sorted(found, key=lambda one: (one.first, one.service, one.text)))


def shape(message: str) -> str:
    """The message without what differs from line to line."""
    return _VARIABLE.sub(_mask, message[:LONGEST])


def is_news(pattern: LogPattern) -> bool:
    """Whether a counted pattern is new or at least three times as frequent as before."""
    return pattern.count > 0 and (pattern.before <= 0 or pattern.count >= 3 * pattern.before)


# Private


def _mask(match: re.Match[str]) -> str:
    text = match.group()
    return "*" if text[0] in "<'\"" or _DIGIT.search(text) else text


def _sign(key: tuple[str, str, bool], lines: list[LogLine], early: float, kept: int) -> Signature:
    lines = sorted(lines, key=lambda line: (line.at, line.message))
    return Signature(
        service=key[0],
        text=lines[-1].message[:LONGEST],
        bad=key[2],
        count=len(lines),
        early=sum(line.at < early for line in lines),
        first=lines[0].at,
        last=lines[-1].at,
        lines=tuple(lines[-kept:]),
        source=lines[-1].source,
    )
