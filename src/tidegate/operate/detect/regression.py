"""What is watched after a deployment, what it may cost, and what is answered, as values. Times are Unix seconds."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from tidegate.operate.values import Evidence
from tidegate.telemetry.series import Series

Direction = Literal["up", "down", "either"]
Kind = Literal["rate", "latency", "count"]
Status = Literal["suspected", "held", "quiet", "unknown"]


class Watched(Struct, frozen=True, kw_only=True):
    """One metric of one service; the series goes back before the deployment, a day where there is one.

    `distance`: calls between the service and the one deployed, 0 for that itself, None for a service out of its reach,
    which is only compared with. `tolerance`: a smaller move does not matter, relative for latency and count, absolute
    for a rate. `requests`: counts per interval, for the guard against low traffic.
    """

    service: str
    metric: str
    series: Series
    direction: Direction = "up"
    kind: Kind = "rate"
    distance: int | None = 0
    tolerance: float | None = None
    requests: Series | None = None


class Budget(Struct, frozen=True, kw_only=True):
    """False alarms that one service may have in a week, and how many watches of it share them.

    Nine tenths are for a change that begins within `soon` seconds of the deployment, the rest until `span`.
    """

    alarms_per_week: float = 0.1
    watches_per_week: float = 20.0
    soon: float = 1800.0
    span: float = 3600.0
    requests: float = 20.0


class Regression(Struct, frozen=True, kw_only=True):
    """What the watch of one metric says. `moved` to `latest` (Unix seconds): when it moved, the range with 90 %.

    `raised_at`: the first point at which the evidence was enough. `sure`: the probability that it moved for the worse,
    from the evidence and the odds before it. `held`: why it is not raised, or why nothing is known.
    """

    status: Status
    deployment: str
    service: str
    metric: str
    sure: float
    held: str = ""
    before: float | None = None
    after: float | None = None
    moved: float | None = None
    earliest: float | None = None
    latest: float | None = None
    raised_at: float | None = None
    evidence: tuple[Evidence, ...] = ()
