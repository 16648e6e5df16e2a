"""How unusual a service was during an incident against its own quiet time, in spreads and in seconds or failures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.telemetry.series import Series

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

LEAST_QUIET = 10
MOST_SPREADS = 1e6


class Reading(Struct, frozen=True, kw_only=True):
    """One service: the most spreads that a series of it left its usual, and the extra that it caused.

    `extra`: seconds of waiting, or failed requests, beyond the usual in the worst interval, None where requests or the
    mean are not measured; `noise` is what chance makes of it.
    """

    service: str
    spreads: float
    series: str
    extra: float | None
    noise: float


def read_services(
    incident: Sequence[Series], quiet: Sequence[Series], metric: str, services: Iterable[str]
) -> dict[str, Reading]:
    """The readings of services in one kind of series: those whose name is `metric`, each statistic apart.

    Series carry the labels `service` and `statistic`; requests are those named `requests`. More is worse, but for a
    metric of availability or success. An InputError where no series of the metric is there at all.
    """
    wanted = set(services)
    now = {_key(one): one for one in incident if one.labels.get("service", "") in wanted}
    before = {_key(one): one.values for one in quiet}
    if not any(key[1] == metric for key in now):
        raise InputError(f"no series is named {metric}", mend="name the metric that the incident was seen in")
    less_is_worse = bool(re.search(r"availab|success|hit|healthy|ready", metric))
    return {name: _read(name, metric, now, before, less_is_worse) for name in sorted(wanted)}


# Private

_Key = tuple[str, str, str]


def _key(one: Series) -> _Key:
    return one.labels.get("service", ""), one.name, one.labels.get("statistic", "")


def _read(
    name: str, metric: str, now: Mapping[_Key, Series], before: Mapping[_Key, NDArray[float64]], less_is_worse: bool
) -> Reading:
    import numpy as np

    best, shown = 0.0, ""
    for key in sorted(now):
        if key[0] != name or key[1] != metric or (usual := _usual(before.get(key))) is None:
            continue
        values = now[key].values[np.isfinite(now[key].values)]
        if len(values):
            away = usual[0] - values if less_is_worse else values - usual[0]
            spreads = min(MOST_SPREADS, float(np.max(away)) / usual[1])
            best, shown = max((best, shown), (spreads, f"{key[1]} {key[2]}".strip()))
    extra, noise = _extra(name, metric, now, before, less_is_worse)
    return Reading(service=name, spreads=best, series=shown, extra=extra, noise=noise)


def _extra(
    name: str, metric: str, now: Mapping[_Key, Series], before: Mapping[_Key, NDArray[float64]], less_is_worse: bool
) -> tuple[float | None, float]:
    import numpy as np

    mean, requests = now.get((name, metric, "Average")), now.get((name, "requests", "Sum"))
    usual = _usual(before.get((name, metric, "Average")))
    if mean is None or requests is None or usual is None or len(mean.values) != len(requests.values):
        return None, 0.0
    both = np.isfinite(mean.values) & np.isfinite(requests.values)
    if not both.any():
        return None, 0.0
    values, counts = mean.values[both], requests.values[both]
    # Availability is in per cent: a hundredth of it is the share of failed requests.
    away = (usual[0] - values) / 100 if less_is_worse else values - usual[0]
    spread = usual[1] / 100 if less_is_worse else usual[1]
    return float(np.max(away * counts)), float(spread * np.median(counts))


def _usual(values: NDArray[float64] | None) -> tuple[float, float] | None:
    """Median and spread; the spread is never nothing, or a series that never moved would be infinitely unusual."""
    import numpy as np

    if values is None:
        return None
    values = values[np.isfinite(values)]
    if len(values) < LEAST_QUIET:
        return None
    middle = float(np.median(values))
    deviation = 1.4826 * float(np.median(np.abs(values - middle)))
    return middle, max(float(np.std(values)), deviation, 1e-9 + 0.01 * abs(middle))
