"""In which service an incident began: what the alert, moved series, failing spans and new errors each say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tidegate.operate.symptoms.onset import Move
from tidegate.operate.symptoms.signatures import Signature
from tidegate.operate.symptoms.values import Span, Symptoms

_CUT_OFF = re.compile(r"cancell?ed|context canceled|client (?:closed|disconnected|gave up)|broken pipe", re.IGNORECASE)
"""Words of a victim: whoever called it hung up, and it did not fail by itself."""


class Origin(Struct, frozen=True, kw_only=True):
    """`shares`: how much of the evidence names each service, together 1; `calls`: who calls whom."""

    shares: Mapping[str, float]
    calls: Mapping[str, frozenset[str]]

    @property
    def first(self) -> str:
        """The service that most of the evidence names."""
        return min(self.shares, key=lambda name: (-self.shares[name], name)) if self.shares else ""

    def distance(self, service: str) -> int | None:
        """How many calls lead from where it began to `service`; 0 is the same, None is not called by it."""
        seen = {self.first}
        front = set(seen)
        for steps in range(12):
            if service in front:
                return steps
            front = {callee for caller in front for callee in self.calls.get(caller, frozenset())} - seen
            seen |= front
            if not front:
                return None
        return None

    def reaches(self, service: str) -> bool:
        """Whether calls lead from `service` to where it began: then it is a victim rather than the cause."""
        seen, front = {service}, {service}
        while front:
            front = {callee for caller in front for callee in self.calls.get(caller, frozenset())} - seen
            seen |= front
        return self.first in seen


def locate(symptoms: Symptoms, moves: Sequence[Move], signatures: Sequence[Signature]) -> Origin:
    """The services that the evidence names, with their shares."""
    votes: dict[str, float] = {}
    _vote(votes, symptoms.alert.service, 1.5)
    for move in moves[:1]:
        _vote(votes, move.service, 1.0)
    for service in _deepest(symptoms.spans):
        _vote(votes, service, 1.0)
    news = [one for one in signatures if one.is_bad_news and not _CUT_OFF.search(one.text)]
    for one in news[:1]:
        _vote(votes, one.service, 1.0)
    for error in symptoms.errors:
        _vote(votes, error.service, 1.0 / len(symptoms.errors))
    whole = sum(votes.values())
    shares = {name: votes[name] / whole for name in sorted(votes)} if whole else {}
    return Origin(shares=shares, calls=_calls(symptoms))


# Private


def _vote(votes: dict[str, float], service: str, weight: float) -> None:
    if service:
        votes[service] = votes.get(service, 0.0) + weight


def _deepest(spans: Sequence[Span]) -> Iterable[str]:
    """The services of failing spans that no failing span of theirs explains, those cut off by a caller left out."""
    failing = [span for span in spans if span.failed and not _CUT_OFF.search(" ".join(span.fields.values()))]
    parents = {span.parent for span in failing if span.parent}
    return sorted({span.service for span in failing if span.id not in parents})


def _calls(symptoms: Symptoms) -> dict[str, frozenset[str]]:
    edges: dict[str, set[str]] = {}
    for caller, callee in symptoms.calls:
        edges.setdefault(caller, set()).add(callee)
    by_id = {span.id: span for span in symptoms.spans}
    for span in symptoms.spans:
        parent = by_id.get(span.parent)
        if parent is not None and parent.service != span.service:
            edges.setdefault(parent.service, set()).add(span.service)
    return {caller: frozenset(callees) for caller, callees in edges.items()}
