"""What is known of an incident, and what follows from it. Times are Unix seconds; `source` says what was read."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from tidegate.operate.values import Alert, ErrorReport, Ranking, Severity
from tidegate.rollout.values import Deployment

MomentKind = Literal["deployment", "gate", "flag", "infrastructure", "signal", "alert", "error", "person", "over"]


class Moment(Struct, frozen=True, kw_only=True):
    """Something that happened at a time."""

    at: float
    kind: MomentKind
    says: str
    source: str
    service: str = ""


class Signal(Struct, frozen=True, kw_only=True):
    """A measured quantity that moved. `spread`: seconds within which it began; `sure`: probability that it did."""

    service: str
    metric: str
    onset: float
    before: float
    after: float
    source: str
    spread: float = 0.0
    sure: float = 1.0


class Movement(Struct, frozen=True, kw_only=True):
    """Signals that began together, as far as can be told: those of one group are not ordered among each other."""

    at: float
    signals: tuple[Signal, ...]
    says: str


class Past(Struct, frozen=True, kw_only=True):
    """An incident that is over. `cause`: the commit, or the word for a cause that is no change; "" where unknown."""

    id: str
    title: str
    service: str
    started: float
    words: str
    cause: str = ""
    resolution: str = ""


class Similar(Struct, frozen=True, kw_only=True):
    """A past incident like this one, 0 to 1, and the words that both have."""

    past: Past
    likeness: float
    shared: tuple[str, ...]


class Conflict(Struct, frozen=True, kw_only=True):
    """Two things that cannot both be the whole truth."""

    one: str
    other: str
    sources: tuple[str, ...]


class Look(Struct, frozen=True, kw_only=True):
    """What to look at next, why, and the command for it where there is one."""

    says: str
    why: str
    command: str = ""


class Target(Struct, frozen=True, kw_only=True):
    """What to roll back to. `revision` is "" where nothing is known to have been sound; `warnings` come first."""

    service: str
    revision: str
    says: str
    warnings: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Case(Struct, frozen=True, kw_only=True):
    """One incident as it is known at `now`. `effects`: what cannot be undone, in words, by the revision that does it.

    `calls` are edges from a caller to what it calls. `others` are moments from elsewhere: gates, flags, infrastructure.
    """

    id: str
    title: str
    severity: Severity
    environment: str
    service: str
    started: float
    now: float
    ranking: Ranking
    ended: float | None = None
    deployments: tuple[Deployment, ...] = ()
    alerts: tuple[Alert, ...] = ()
    errors: tuple[ErrorReport, ...] = ()
    signals: tuple[Signal, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()
    others: tuple[Moment, ...] = ()
    past: tuple[Past, ...] = ()
    effects: tuple[tuple[str, str], ...] = ()
    unknowns: tuple[str, ...] = ()

    def words(self) -> str:
        """What it is about, as text to compare with others."""
        errors = (f"{error.kind} {error.message}" for error in self.errors[:20])
        alerts = (f"{alert.name} {alert.summary}" for alert in self.alerts[:20])
        return "\n".join((self.title, self.service, *alerts, *errors))


class Investigation(Struct, frozen=True, kw_only=True):
    """The answer. `target` is None where the suspect is no deployment, or nothing is suspected enough."""

    timeline: tuple[Moment, ...]
    movers: tuple[Movement, ...]
    conflicts: tuple[Conflict, ...]
    similar: tuple[Similar, ...]
    ranking: Ranking
    target: Target | None
    looks: tuple[Look, ...]
    unknowns: tuple[str, ...] = ()
