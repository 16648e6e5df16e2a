"""The answer to "how far does this reach?": what changed, what can feel it, and how complete the answer is."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

ChangeOf: TypeAlias = Literal[
    "added",
    "deleted",
    "renamed",
    "signature",
    "default",
    "decorator",
    "bases",
    "constant",
    "body",
    "docs",
    "format",
    "file",
    "asked",
]
Evidence: TypeAlias = Literal["static", "recorded"]
EntryKind: TypeAlias = Literal["http", "rpc", "command", "job", "event", "lambda", "api"]
Tier: TypeAlias = Literal["critical", "high", "medium", "low"]


class SymbolId(Struct, frozen=True, order=True):
    """A symbol by its file and its qualified name in it; the name is "" for the whole file."""

    path: str
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.name}" if self.name else self.path


class ChangedSymbol(Struct, frozen=True):
    """One symbol that the change touches, and in which way. `was` is the old symbol where it was renamed or moved.

    `side` is the tree in which `line` to `end_line` count. `what` "docs" and "format" reach nothing, with proof:
    the digests of everything else are equal. "file" is a file without symbols (configuration, SQL, a template) or one
    that could not be read. "asked" is what a person asked about without changing it.
    """

    symbol: SymbolId
    kind: str
    what: ChangeOf
    line: int
    end_line: int
    side: Literal["base", "head"]
    was: SymbolId | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing can feel it."""
        return self.what in ("docs", "format")


class Hop(Struct, frozen=True):
    """One edge of a path: `source` uses `target`. `rule` is how the edge came about; `line` stands in source's file."""

    source: SymbolId
    target: SymbolId
    rule: str
    probability: float
    evidence: Evidence
    line: int


class ReachedSymbol(Struct, frozen=True):
    """A symbol that can feel the change: how likely, over how many hops, and the last hop of its strongest path.

    `toward` is the next symbol on the way back to what changed; following it ends at `origin`, a changed symbol.
    """

    symbol: SymbolId
    kind: str
    line: int
    probability: float
    distance: int
    origin: SymbolId
    toward: SymbolId
    rule: str
    evidence: Evidence
    via_line: int


class ReachedTest(Struct, frozen=True):
    """A test that can execute what changed, the most likely first. `evidence` recorded: a run was seen doing it."""

    symbol: SymbolId
    probability: float
    evidence: Evidence


class EntryPoint(Struct, frozen=True):
    """A place where the world calls in. `name` is how the world calls it: "GET /users/{id}", "app sync", a topic.

    `method` and `path` are of HTTP and RPC; `framework` says what was recognised; `handler` runs when it is called.
    `probability` is that of the change reaching it; `rate` is in requests per second, None where nobody measured.
    `services` are those that serve it.
    """

    kind: EntryKind
    name: str
    method: str
    path: str
    framework: str
    handler: SymbolId
    line: int
    probability: float = 1.0
    rate: float | None = None
    services: tuple[str, ...] = ()


class Service(Struct, frozen=True):
    """A unit that is built and deployed. `source` is the file that says so; unknown tier counts as critical.

    `paths` are the folders and files that build it ("" for the whole repository). `calls` are the services that it
    calls, each with the reason. `rate` is in requests per second, None where nobody measured.
    """

    name: str
    kind: str
    source: str
    paths: tuple[str, ...]
    owner: str = ""
    tier: Tier = "critical"
    tier_known: bool = False
    calls: tuple[ServiceCall, ...] = ()
    hosts: tuple[str, ...] = ()
    rate: float | None = None


class ServiceCall(Struct, frozen=True):
    """One service calls another; `reason` says where that was seen."""

    target: str
    reason: str
    probability: float


class ReachedService(Struct, frozen=True):
    """A service that can feel the change, because it is built from it ("built") or because it calls one that is."""

    service: Service
    probability: float
    how: Literal["built", "calls"]
    reason: str


class Expert(Struct, frozen=True):
    """A person who knows the changed lines. `share` is of the lines with a known origin, weighted by recency."""

    person: str
    share: float
    lines: int
    last_at: str
    reason: str


class CoChange(Struct, frozen=True):
    """Something that usually changes together with `because` and this time did not.

    `support` is the number of commits with both, `confidence` its share of the commits with `because`.
    """

    symbol: SymbolId
    because: SymbolId
    support: int
    commits: int
    confidence: float
    last_at: str


class Completeness(Struct, frozen=True):
    """What the answer does not rest on. An answer of nothing is believed only when nothing here stands against it."""

    files: int = 0
    unread: tuple[tuple[str, str], ...] = ()
    unread_total: int = 0
    unsupported: tuple[tuple[str, int], ...] = ()
    calls: int = 0
    unresolved: int = 0
    boundaries: int = 0
    tests_known: bool = True
    map_age: int | None = None
    truncated: str = ""

    @property
    def unresolved_share(self) -> float:
        """The share of calls that might mean something in this repository and could not be resolved."""
        return self.unresolved / self.calls if self.calls else 0.0


class ReachAnswer(Struct, frozen=True):
    """Everything. Lists are ordered: most likely first, then by name.

    `reached` has what can feel the change without the tests and without what changed; `verdict` "none" is said only
    when the answer is complete, else an empty answer is "unknown".
    """

    asked: str
    base: str
    head: str
    changed: tuple[ChangedSymbol, ...]
    reached: tuple[ReachedSymbol, ...]
    tests: tuple[ReachedTest, ...]
    entry_points: tuple[EntryPoint, ...]
    services: tuple[ReachedService, ...]
    owners: tuple[str, ...]
    experts: tuple[Expert, ...]
    reviewers: tuple[str, ...]
    co_changes: tuple[CoChange, ...]
    completeness: Completeness
    verdict: Literal["some", "none", "unknown"]
    notes: tuple[str, ...] = ()
