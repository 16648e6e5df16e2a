"""Where the level of a series changed for good, with a penalty that grows with the series' own autocorrelation.

Seeded binary segmentation with the narrowest interval first (Kovács, Bühlmann, Li and Munk 2023; Baranowski, Chen and
Fryzlewicz 2019). The penalty is 3 log n (1 + phi) / (1 - phi), the noise that a first-order autoregression makes; phi
is read from the first differences, which steps hardly touch, and from what the steps leave over.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tidegate.errors import InputError
from tidegate.operate.detect.views import Floats
from tidegate.telemetry.series import Series

Places = NDArray[np.int64]

LEAST = 6
LARGEST = 200_000
_PENALTY = 3.0
_DECAY = math.sqrt(0.5)
_ROBUST = 11


class ChangePoint(Struct, frozen=True, kw_only=True):
    """The level was `before` until the point at `index`, which is the first with the level `after`.

    `earliest` to `latest` (Unix seconds) hold the true moment with 90 %; `strength` is the statistic over its penalty,
    which is over 1; `phi` is the autocorrelation that was allowed for.
    """

    index: int
    at: float
    before: float
    after: float
    earliest: float
    latest: float
    strength: float
    phi: float


class Noise(Struct, frozen=True, kw_only=True):
    """What a series does when nothing happens: its variance, its first autocorrelation, and what both make of a mean.

    `long` is the variance of the sum of n points over n, for large n.
    """

    variance: float
    phi: float

    @property
    def long(self) -> float:
        return self.variance * (1.0 + self.phi) / (1.0 - self.phi)


def change_points(series: Series, *, penalty: float = _PENALTY) -> tuple[ChangePoint, ...]:
    """All change points of the level, in order; points that were not measured are left out.

    Fewer than 12 measured points have none. Raises InputError over 200,000 points or where times and values differ in
    length.
    """
    times, values = measured(series)
    if len(values) > LARGEST:
        raise InputError(f"{len(values)} points", where=f"series {series.name}", mend=f"give at most {LARGEST}")
    if len(values) < 2 * LEAST:
        return ()
    calm = _calm(values)
    noise = noise_of(calm)
    cuts = _segment(calm, penalty * math.log(len(calm)) * noise.long)
    if cuts:
        noise = _after_cuts(calm, cuts, noise)
        cuts = _keep(calm, cuts, penalty * math.log(len(calm)) * noise.long)
    edges = [0, *cuts, len(calm)]
    bar = penalty * math.log(len(calm)) * noise.long
    return tuple(_point(times, calm, edges[k - 1 : k + 2], noise, bar) for k in range(1, len(edges) - 1))


def measured(series: Series) -> tuple[Floats, Floats]:
    """The finite points of a series. Raises InputError where it is not two arrays of one length, by time."""
    times, values = np.asarray(series.times, dtype=float), np.asarray(series.values, dtype=float)
    if times.ndim != 1 or times.shape != values.shape:
        what = f"{times.shape} times and {values.shape} values"
        raise InputError(what, where=f"series {series.name}", mend="give one time for each value")
    fine = np.isfinite(values) & np.isfinite(times)
    if (np.diff(times[fine]) < 0).any():
        raise InputError("the times are not ascending", where=f"series {series.name}", mend="sort the points by time")
    return times[fine], np.clip(values[fine], -1e100, 1e100)


def noise_of(values: Floats) -> Noise:
    """From the differences of neighbours: for a first-order autoregression their correlation is -(1 - phi) / 2.

    The estimate of phi is raised by one standard error, so that noise is rather thought too large than too small.
    """
    steps = np.diff(values)
    scale = _spread(steps)
    steps = np.clip(steps, -4.0 * scale, 4.0 * scale)
    power = float(np.mean(steps**2))
    if power == 0.0:
        return Noise(variance=_floor(values), phi=0.0)
    phi = 1.0 + 2.0 * float(np.mean(steps[1:] * steps[:-1])) / power + 1.0 / math.sqrt(len(values))
    phi = min(max(phi, 0.0), 0.95)
    return Noise(variance=max(power / (2.0 * (1.0 - phi)), _floor(values)), phi=phi)


def onset_shares(values: Floats, noise: Noise, *, edge: int = LEAST // 2) -> Floats:
    """How probable each place is as the first point after one single step, all together 1: exp(half the statistic).

    No place is nearer to either end than `edge` points, where there are twice as many.
    """
    edge = min(edge, len(values) // 2)
    with np.errstate(over="ignore"):  # a series that never moved has hardly any noise: every step is certain
        power = np.minimum(_profile(values) / (2.0 * noise.long), 1e300)
    power[:edge] = -np.inf
    power[len(values) - edge + 1 :] = -np.inf
    shares: Floats = np.exp(power - power.max())
    shares /= shares.sum()
    return shares


# Private


def _floor(values: Floats) -> float:
    """Nothing is measured to more than nine digits: below that, a difference is arithmetic."""
    return (1e-9 * (float(np.max(np.abs(values))) if len(values) else 0.0) + 1e-90) ** 2


def _spread(values: Floats) -> float:
    middle = np.median(values)
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return spread if spread > 0 else float(np.std(values))


def _calm(values: Floats) -> Floats:
    """Lone spikes are cut to 4 standard deviations around the running median: they are no change of level."""
    half = _ROBUST // 2
    padded = np.concatenate((np.repeat(values[:1], half), values, np.repeat(values[-1:], half)))
    middle = np.median(sliding_window_view(padded, _ROBUST), axis=1)
    reach = 4.0 * _spread(values - middle)
    return np.clip(values, middle - reach, middle + reach)


def _segment(values: Floats, bar: float) -> list[int]:
    """The narrowest seeded interval whose best cut is over the bar, then the next that holds no cut yet."""
    sums = np.concatenate(([0.0], np.cumsum(values - values.mean())))
    found: list[tuple[int, float, int, int, int]] = []
    for starts, length in _layers(len(values)):
        power, places = _best(sums, starts, length)
        for place in np.flatnonzero(power > bar):
            start = int(starts[place])
            found.append((length, -float(power[place]), start, start + length, start + int(places[place])))
    cuts: list[int] = []
    for _, _, start, end, cut in sorted(found):
        if not any(start < other < end for other in cuts):
            cuts.append(cut)
    return _keep(values, sorted(cuts), bar)


def _layers(count: int) -> list[tuple[Places, int]]:
    layers: list[tuple[Places, int]] = []
    length = float(count)
    while length >= 2 * LEAST:
        size = math.ceil(length)
        pieces = 1 if size == count else 2 * math.ceil(count / length) - 1
        starts = np.unique(np.floor(np.linspace(0, count - size, pieces)).astype(np.int64))
        layers.append((starts, size))
        length *= _DECAY
    return layers


def _best(sums: Floats, starts: Places, length: int) -> tuple[Floats, Places]:
    """Of each interval, the largest squared difference of means, weighted, and where it is cut for it."""
    at = np.arange(LEAST // 2, length - LEAST // 2 + 1)
    left = sums[starts[:, None] + at] - sums[starts][:, None]
    whole = (sums[starts + length] - sums[starts])[:, None]
    power = (left - whole * at / length) ** 2 * length / (at * (length - at))
    best = power.argmax(axis=1)
    return power[np.arange(len(starts)), best], at[best]


def _keep(values: Floats, cuts: list[int], bar: float) -> list[int]:
    """Each cut moved to the best place between its neighbours; the weakest goes while one is below the bar."""
    cuts = sorted(set(cuts))
    while cuts:
        edges = [0, *cuts, len(values)]
        moved = [_relocate(values, edges[k - 1], edges[k + 1]) for k in range(1, len(edges) - 1)]
        weakest = min(range(len(moved)), key=lambda k: moved[k][0])
        if moved[weakest][0] > bar:
            return sorted({place for _, place in moved})
        del cuts[weakest]
    return []


def _relocate(values: Floats, start: int, end: int) -> tuple[float, int]:
    power = _profile(values[start:end])
    place = int(power.argmax())
    return float(power[place]), start + place


def _profile(values: Floats) -> Floats:
    """For each place as the first point of the second part: the weighted squared difference of the two means."""
    count = len(values)
    power = np.zeros(count)
    if count < 2:
        return power
    at = np.arange(1, count)
    left = np.cumsum(values - values.mean())[:-1]
    power[1:] = left**2 * count / (at * (count - at))
    return power


def _after_cuts(values: Floats, cuts: list[int], noise: Noise) -> Noise:
    """The noise around the levels, where that is more: differences miss what comes slowly."""
    rest = np.concatenate([part - part.mean() for part in np.split(values, cuts)])
    power = float(np.mean(rest**2))
    if power == 0.0:
        return noise
    phi = min(max(float(np.mean(rest[1:] * rest[:-1])) / power, 0.0), 0.95)
    other = Noise(variance=power, phi=phi)
    return other if other.long > noise.long else noise


def _point(times: Floats, values: Floats, edges: list[int], noise: Noise, bar: float) -> ChangePoint:
    start, cut, end = edges
    part = values[start:end]
    sums = np.cumsum(onset_shares(part, noise))
    low, high = start + int(np.searchsorted(sums, 0.05)), start + int(np.searchsorted(sums, 0.95))
    return ChangePoint(
        index=cut,
        at=float(times[cut]),
        before=float(np.median(values[start:cut])),
        after=float(np.median(values[cut:end])),
        earliest=float(times[min(low, cut)]),
        latest=float(times[min(max(high, cut), end - 1)]),
        strength=float(_profile(part)[cut - start]) / bar,
        phi=round(noise.phi, 6),
    )
