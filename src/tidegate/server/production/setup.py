"""Where production is measured, and by which queries: the file that TIDEGATE_PRODUCTION_FILE names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tidegate.errors import InputError
from tidegate.operate.detect.regression import Direction, Kind
from tidegate.operate.outcomes import BAKE_SECONDS

LARGEST_BYTES = 1 << 20
MOST_POINTS = 10_000
_Name = Annotated[str, Meta(min_length=1, max_length=100)]
_Query = Annotated[str, Meta(min_length=1, max_length=10_000)]


class Metric(Struct, frozen=True, forbid_unknown_fields=True):
    """One query that answers a series for each service, with the service in the label `service`.

    `{window}` stands for the time over which rates are taken. `requests` counts what was served, for the guard against
    low traffic.
    """

    name: _Name
    query: _Query
    kind: Kind = "rate"
    direction: Direction = "up"
    requests: str = ""
    tolerance: Annotated[float, Meta(ge=0)] | None = None


Word: TypeAlias = Literal["signed", "gated", "told"]
Words: TypeAlias = Annotated[tuple[Word, ...], Meta(min_length=1, max_length=3)]


class Trust(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose word on what ran somewhere a gate takes, by the tier of the environment that is asked for.

    `signed`: of senders that sign. `gated`: of deployments that a gate of this service let go. `told`: of whoever may
    write events.
    """

    critical: Words = ("signed", "gated")
    high: Words = ("signed", "gated")
    medium: Words = ("signed", "gated")
    low: Words = ("signed", "gated")

    def of(self, tier: str) -> frozenset[Word]:
        """Those of this tier; of one that is none, those of the highest."""
        return frozenset(getattr(self, tier) if tier in self.__struct_fields__ else self.critical)


_SERVED = "sum by (service) (rate(http_requests_total[{window}]))"
_FAILED = 'sum by (service) (rate(http_requests_total{code=~"5.."}[{window}]))'
_BUCKETS = "sum by (service, le) (rate(http_request_duration_seconds_bucket[{window}]))"
USUAL = (
    Metric("errors", f"({_FAILED} or 0 * {_SERVED}) / ({_SERVED} > 0)", "rate", "up", _SERVED, 0.01),
    Metric("latency", f"histogram_quantile(0.9, {_BUCKETS})", "latency", "up", _SERVED, 0.2),
)
"""What most client libraries call them: the share of requests that fail, and the slowest tenth."""


class Production(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`step`: seconds between two points, as often as Prometheus scrapes. `history` and `watch`: seconds before and
    after a deployment that are read. `environments`: those that are watched, all where there are none. `bake`: seconds
    in production after which a change of which nothing was seen counts as clean. `trust`: whose word gates take.
    `calendar_hosts`: hosts, with their port where it is not the usual one, that calendars are fetched from.
    """

    prometheus: Annotated[str, Meta(pattern=r"^https?://")]
    step: Annotated[float, Meta(ge=1, le=3600)] = 15.0
    history: Annotated[float, Meta(ge=60, le=14 * 86400)] = 86400.0
    watch: Annotated[float, Meta(ge=60, le=7 * 86400)] = 3600.0
    environments: tuple[str, ...] = ()
    bake: Annotated[float, Meta(ge=3600, le=90 * 86400)] = BAKE_SECONDS
    metric: tuple[Metric, ...] = USUAL
    trust: Trust = Trust()
    calendar_hosts: Annotated[tuple[_Name, ...], Meta(max_length=20)] = ()

    @property
    def reads(self) -> float:
        """Seconds of history that fit into one answer of Prometheus, beside what is watched."""
        return max(min(self.history, MOST_POINTS * self.step - self.watch), 60 * self.step)

    def watches(self, environment: str) -> bool:
        return not self.environments or environment in self.environments

    def fill(self, query: str) -> str:
        """The query with its window: two points are needed for a rate, and the next may be late."""
        return query.replace("{window}", f"{max(round(3 * self.step), 3)}s")


def read_production(path: Path) -> Production:
    """What the file says. InputError with the place of what is wrong in it."""
    where = f"TIDEGATE_PRODUCTION_FILE={path}"
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError("is too large", where=where, mend="keep it under 1 MB")
        found = msgspec.toml.decode(path.read_bytes(), type=Production)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=where) from error
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise InputError(str(error), where=where, mend="docs/production.md has an example") from error
    names = [one.name for one in found.metric]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two metrics are named {twice}", where=where, mend="give each a name of its own")
    return found
