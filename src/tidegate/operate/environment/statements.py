"""What a source states of one service, by the name that the source itself uses. Times are Unix seconds."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from tidegate.operate.environment.values import Drift, Said, ServiceKind, SourceRead, Watch


class Exists(Struct, frozen=True, kw_only=True):
    """There is such a service. `hosts` are names that it has in a network. A "package" is none until it is seen."""

    service: str
    kind: ServiceKind | None
    said: Said
    hosts: tuple[str, ...] = ()


class Owns(Struct, frozen=True, kw_only=True):
    """`owners` answer for it: any of them. `people`: they are people, not a team, and so contradict no team."""

    service: str
    owners: tuple[str, ...]
    said: Said
    people: bool = False


class Matters(Struct, frozen=True, kw_only=True):
    """It has this tier."""

    service: str
    tier: str
    said: Said


class Runs(Struct, frozen=True, kw_only=True):
    """This revision of it was put there, or was seen there, at `said.seen`."""

    service: str
    revision: str
    said: Said


class Serves(Struct, frozen=True, kw_only=True):
    """It answers there. An RPC has no method, and the path /package.Service/Method."""

    service: str
    method: str
    path: str
    said: Said
    handler: str = ""
    calls: int = 0
    failed: int = 0


class Uses(Struct, frozen=True, kw_only=True):
    """It calls `target`. `peer`: the target is known by the caller's word for it only."""

    service: str
    target: str
    said: Said
    peer: bool = False
    calls: int = 0
    failed: int = 0
    first: float | None = None
    last: float | None = None


class Watched(Struct, frozen=True, kw_only=True):
    """An alert rule watches it. `routes` are those of it that the rule sees: None is all, where it sees requests."""

    service: str
    watch: Watch
    routes: tuple[tuple[str, str], ...] | None = None


class Answers(Struct, frozen=True, kw_only=True):
    """Its targets answer, or do not: of `targets` so many are `up`, looked at at `said.seen`."""

    service: str
    targets: int
    up: int
    said: Said


class Removed(Struct, frozen=True, kw_only=True):
    """It was taken away at `said.seen`."""

    service: str
    said: Said


class Fires(Struct, frozen=True, kw_only=True):
    """An alert about it is firing since `since`, or was over then."""

    service: str
    alert: str
    firing: bool
    said: Said
    since: float | None = None


class RuleThere(Struct, frozen=True, kw_only=True):
    """There is a rule of this name."""

    rule: str
    said: Said


class Apart(Struct, frozen=True, kw_only=True):
    """A source found by itself that two things have come apart."""

    drift: Drift


class NotKnown(Struct, frozen=True, kw_only=True):
    """What a source could not tell."""

    says: str


class Told(Struct, frozen=True, kw_only=True):
    """The source was read: what it had to say, in words."""

    read: SourceRead


Statement: TypeAlias = (
    Exists
    | Owns
    | Matters
    | Runs
    | Serves
    | Uses
    | Watched
    | Answers
    | Removed
    | Fires
    | RuleThere
    | Apart
    | NotKnown
    | Told
)
About: TypeAlias = Exists | Owns | Matters | Runs | Serves | Uses | Watched | Answers | Removed | Fires
"""Those that are of one service."""
