"""The map of an environment as values, and what sources state before it is made. Times are Unix seconds."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

SourceKind: TypeAlias = Literal["code", "state", "plan", "deployments", "spans", "targets", "rules", "alerts"]
"""code: the repository. state, plan: of Terraform. targets, rules: of Prometheus. alerts: of monitoring tools."""

ServiceKind: TypeAlias = Literal["service", "job", "function", "image", "external", "target", "peer"]
"""image: built here, and deployed by nothing here. external: deployed here, built elsewhere. target: all that is known
is that it is scraped. peer: all that is known is the name by which others call it."""

ContradictionKind: TypeAlias = Literal["owner", "tier", "revision", "health", "removed", "alert"]
"""Two sources say different things of one service: who owns it, how much it matters, which revision runs there, whether
it answers, whether it is there at all, whether an alert fires."""

DriftKind: TypeAlias = Literal[
    "in no code", "not seen", "not applied", "changed by hand", "call in no code", "rule in no code", "rule not loaded"
]
"""in no code: it is there, and no code says so. not seen: code says so, and it is not there. not applied: code says so,
and the state has none."""


class Said(Struct, frozen=True, kw_only=True):
    """Who says something, and where it can be read. `guess` says what was guessed to take it so, "" where nothing."""

    source: SourceKind
    where: str
    seen: float | None = None
    guess: str = ""


class Fact(Struct, frozen=True, kw_only=True):
    """A value, and everybody who says so."""

    value: str
    said: tuple[Said, ...]

    @property
    def guessed(self) -> bool:
        """Whether nobody says so without a guess."""
        return all(one.guess for one in self.said)


class Name(Struct, frozen=True, kw_only=True):
    """A name by which a source knows a service, and the rule that makes it the same: see docs/environment.md."""

    name: str
    source: SourceKind
    rule: str
    guess: bool = False


class Route(Struct, frozen=True, kw_only=True):
    """Where the world calls in. `handler` is a place in the code, `calls` were seen in spans, `failed` of them.

    `rules` are the alert rules that watch it; () where none does, or where no rules were read.
    """

    method: str
    path: str
    said: tuple[Said, ...]
    handler: str = ""
    calls: int = 0
    failed: int = 0
    rules: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{'ANY' if self.method == '*' else self.method} {self.path}".strip()


class Call(Struct, frozen=True, kw_only=True):
    """The service calls `target`, a service of the map. `calls` were seen, 0 where only code or settings say so."""

    target: str
    said: tuple[Said, ...]
    calls: int = 0
    failed: int = 0
    first: float | None = None
    last: float | None = None

    @property
    def guessed(self) -> bool:
        """Whether nobody says so without a guess."""
        return all(one.guess for one in self.said)


class Watch(Struct, frozen=True, kw_only=True):
    """An alert rule that watches the service. "presence": it notices only that the service is gone."""

    rule: str
    said: Said
    scope: Literal["requests", "presence", "other"] = "other"
    why: str = ""
    severity: str = ""


class Service(Struct, frozen=True, kw_only=True):
    """One service. `owners`, `tiers`, `revisions`: what sources say, the one to believe first; () where nobody does.

    `said` is who says that it exists; `watches` are the rules, () where none is or none were read. `first` and `last`:
    when it was seen at work; None: never, or nobody looked.
    """

    name: str
    kind: ServiceKind
    said: tuple[Said, ...]
    names: tuple[Name, ...] = ()
    owners: tuple[Fact, ...] = ()
    tiers: tuple[Fact, ...] = ()
    revisions: tuple[Fact, ...] = ()
    routes: tuple[Route, ...] = ()
    calls: tuple[Call, ...] = ()
    watches: tuple[Watch, ...] = ()
    first: float | None = None
    last: float | None = None

    @property
    def owner(self) -> str:
        """Who answers for it, "" where nobody is named."""
        return self.owners[0].value if self.owners else ""

    @property
    def tier(self) -> str:
        """How much it matters, "" where nobody says so (and then it counts as critical)."""
        return self.tiers[0].value if self.tiers else ""


class Contradiction(Struct, frozen=True, kw_only=True):
    """Two sources disagree about a service. `says` is the sentence; both sides keep their source."""

    kind: ContradictionKind
    service: str
    says: str
    left: Fact
    right: Fact


class Drift(Struct, frozen=True, kw_only=True):
    """What is there and what is written have come apart. `name` is of a service, a rule or a resource."""

    kind: DriftKind
    name: str
    says: str
    said: tuple[Said, ...]


class UnmonitoredRoute(Struct, frozen=True, kw_only=True):
    """A route of a service that no alert rule watches."""

    service: str
    route: str


class SourceRead(Struct, frozen=True, kw_only=True):
    """A source that was read, and what it had to say, in words: "12 services, 30 routes"."""

    source: SourceKind
    where: str
    says: str


class Map(Struct, frozen=True, kw_only=True):
    """What runs in an environment ("" where none was named). Lists are ordered by name.

    `unowned` and `unmonitored` are names of services; `unmonitored` and `unmonitored_routes` are empty where no alert
    rules were read, and `unknowns` says so: what was not asked, could not be read, or has a name that fits several.
    """

    environment: str
    sources: tuple[SourceRead, ...]
    services: tuple[Service, ...]
    contradictions: tuple[Contradiction, ...] = ()
    unowned: tuple[str, ...] = ()
    unmonitored: tuple[str, ...] = ()
    unmonitored_routes: tuple[UnmonitoredRoute, ...] = ()
    drift: tuple[Drift, ...] = ()
    unknowns: tuple[str, ...] = ()
