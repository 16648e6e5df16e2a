"""What is known of an application that wants a place, and the answer: a tier, with the evidence for every criterion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

Tier: TypeAlias = Literal["T0", "T1", "T2", "T3"]
TIERS: tuple[Tier, ...] = ("T0", "T1", "T2", "T3")
TITLES: Mapping[str, str] = {
    "T0": "sandbox: thrown away, no data, no network",
    "T1": "own namespace, for a test inside the company",
    "T2": "internal, shared with others",
    "T3": "production-critical",
}

Axis: TypeAlias = Literal["data", "exposure", "blast radius", "provenance", "verification", "ownership", "operations"]
AXES: tuple[Axis, ...] = (
    "data",
    "exposure",
    "blast radius",
    "provenance",
    "verification",
    "ownership",
    "operations",
)
State: TypeAlias = Literal["met", "unmet", "unknown"]
DataClass: TypeAlias = Literal["none", "internal", "personal", "regulated"]
CLASSES: tuple[DataClass, ...] = ("none", "internal", "personal", "regulated")


class Seen(Struct, frozen=True, order=True):
    """Something that stands in the application. Paths are from its top folder; line 0 means the whole file.

    `text` never holds the value of a secret.
    """

    path: str
    line: int = 0
    text: str = ""

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    def __str__(self) -> str:
        return f"{self.place} {self.text}".strip()


class Host(Struct, frozen=True, order=True):
    """A machine that it calls: `name` may begin with `*.`. `why` says how it is known."""

    name: str
    port: int
    why: str
    seen: Seen


class Wanted(Struct, frozen=True, order=True):
    """A variable of the environment that it reads. Its value is looked for nowhere."""

    name: str
    secret: bool
    seen: Seen


class Route(Struct, frozen=True, order=True):
    """A way in over HTTP or RPC. `guard` is where it asks who is there; None where no such place was found.

    `open_by_name` says why nobody expects one: a health check, a sign-in.
    """

    name: str
    seen: Seen
    guard: Seen | None = None
    open_by_name: str = ""
    tested: bool = False


class Field(Struct, frozen=True, order=True):
    """A column or field that says what kind of data is held."""

    data: DataClass
    name: str
    seen: Seen


class Authors(Struct, frozen=True):
    """Who wrote it, by its commits. `unnamed` are commits of agents that no person answers for, `bots` counts those
    of other machines. Of the `undeclared` no note, trailer or record says who or what wrote them.
    `latest` is when a person last did, RFC 3339."""

    commits: int = 0
    people: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    bots: int = 0
    undeclared: int = 0
    agents: tuple[str, ...] = ()
    latest: str = ""
    active: tuple[str, ...] = ()


class Verified(Struct, frozen=True):
    """What the checks of the code say: keys in it, packages, calls without a time limit, what it does to a cloud."""

    secrets: tuple[Seen, ...] = ()
    packages: int = 0
    dependency_faults: tuple[Seen, ...] = ()
    unlocked: tuple[Seen, ...] = ()
    fragile: tuple[Seen, ...] = ()
    effects: tuple[Seen, ...] = ()


class Operated(Struct, frozen=True):
    """What it brings to be run: recipes of images, health routes, logging, documents, ports."""

    builds: tuple[Seen, ...] = ()
    health: tuple[Seen, ...] = ()
    logs: tuple[Seen, ...] = ()
    runbooks: tuple[Seen, ...] = ()
    port: int = 0


class Application(Struct, frozen=True):
    """Everything that was read of an application at one commit. Nothing of it was executed.

    `unknowns` names what could not be told by area, with the reason: no criterion that rests on such an area is met.
    """

    name: str
    commit: str = ""
    folder: str = ""
    files: int = 0
    languages: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    other_entries: tuple[tuple[str, Seen, bool], ...] = ()
    hosts: tuple[Host, ...] = ()
    named_only: tuple[Host, ...] = ()
    dynamic: tuple[Seen, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    stores: tuple[Seen, ...] = ()
    fields: tuple[Field, ...] = ()
    uploads: tuple[Seen, ...] = ()
    executions: tuple[Seen, ...] = ()
    verified: Verified = Verified()
    authors: Authors = Authors()
    owners: tuple[str, ...] = ()
    unowned: tuple[str, ...] = ()
    owners_from: str = ""
    tests: int = 0
    operated: Operated = Operated()
    unknowns: Mapping[str, str] = {}

    @property
    def data(self) -> DataClass:
        """The gravest class that was found; a store whose columns say nothing is internal."""
        found = [one.data for one in self.fields] + (["internal"] if self.stores else [])
        return max(found, key=CLASSES.index, default="none")


class Criterion(Struct, frozen=True):
    """One thing that a tier asks for, and whether it is so. Unknown counts as unmet.

    `step` is what makes it so, and `effort` how much that takes, 1 the least.
    """

    id: str
    axis: Axis
    tier: Tier
    title: str
    state: State
    evidence: tuple[str, ...]
    step: str = ""
    effort: int = 1


class Placement(Struct, frozen=True):
    """The answer. `axes` is the tier that each axis earns; `tier` the lowest of them, never a mean.

    `damage` says for each tier what it could do there; `steps` what raises it to `next`, the easiest first.
    """

    schema: str
    tier: Tier
    title: str
    axes: dict[str, Tier]
    next: str
    steps: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    damage: dict[str, tuple[str, ...]]
    declared: str
    application: Application
    read_at: str
