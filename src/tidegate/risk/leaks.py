"""Finds features that know what they must not: the project, the labels, or the future. Part of the trainer.

A popular benchmark is solved at an AUC of .79 by the name of the project alone, and features that decide whether a
change can get a label at all have been taken for progress. Whoever trains asks here first. Imports numpy: load it late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tidegate.risk.features.frame import Floats, Frame, Targets, Times
from tidegate.risk.model.metrics import auc

LARGEST_GAP = 0.03
"""AUC. What a single feature may gain by telling projects apart, or by telling which rows can get a label."""
CERTAIN_GAP = 0.10
"""A gap over this is one, however few projects there are."""
LEAST_CHANCE = 0.01
"""A gap counts when chance explains it less often than this: with few projects, base rates line up with anything."""
FEWEST_ROWS = 100

Kind = Literal["project", "label-universe", "identity", "future", "order"]


class Leak(Struct, frozen=True):
    """One feature (empty: the split itself) that knows what it must not, and how in words. `gain` is what it wins by
    that in AUC, 0 where it cannot be told."""

    feature: str
    kind: Kind
    gain: float
    words: str


def find_leaks(frame: Frame, targets: Targets, projects: Sequence[str] = ()) -> tuple[Leak, ...]:
    """Every feature of a frame that leaks, in the order of the features.

    `projects` names the project of each row where the rows are of several. Without it nothing can be said of features
    that name the project.
    """
    sure = targets.repaired[targets.repaired > 0]
    truth = targets.repaired >= (min(0.5, float(np.median(sure))) if len(sure) else 0.5)
    if len(frame.ids) < FEWEST_ROWS or truth.all() or not truth.any():
        return ()
    codes = np.unique(np.asarray(projects), return_inverse=True)[1] if projects else np.zeros(len(frame.ids), np.int64)
    found: list[Leak] = []
    for number, name in enumerate(frame.names):
        values = frame.values[:, number]
        found += _of_project(name, values, truth, codes)
        found += _of_universe(name, values, truth)
        found += _of_identity(name, values)
        found += _of_future(name, values, frame.at)
    return tuple(found)


def find_order_leaks(train_at: Times, train: Targets, test_at: Times) -> tuple[Leak, ...]:
    """Whether a split lets the future into training: test rows before the last training row, or labels of training rows
    that nobody knew before the first test row."""
    if not len(train_at) or not len(test_at):
        return ()
    first = int(test_at.min())
    early = int((test_at < train_at.max()).sum())
    late = int((train.known_at > first).sum())
    found = []
    if early:
        words = f"{early} of {len(test_at)} test rows are older than the newest training row"
        found.append(Leak("", "order", 0.0, words))
    if late:
        words = f"{late} labels of training rows were not known when the test rows begin"
        found.append(Leak("", "order", 0.0, words))
    return tuple(found)


def find_late_features(then: Frame, now: Frame) -> tuple[Leak, ...]:
    """Features whose value for the same change differs between a frame made then and one made of a longer history: what
    changes afterwards was not known at the time of the change. Rows are matched by id."""
    row_of = {oid: row for row, oid in enumerate(now.ids)}
    pairs = [(row, row_of[oid]) for row, oid in enumerate(then.ids) if oid in row_of]
    if not pairs or then.version != now.version:
        return ()
    old, new = (np.asarray(rows, dtype=np.int64) for rows in zip(*pairs, strict=True))
    found = []
    for name in then.names:
        if name in now.names:
            differs = ~np.isclose(then.column(name)[old], now.column(name)[new], rtol=1e-9, atol=1e-9, equal_nan=True)
            if differs.any():
                words = f"{int(differs.sum())} of {len(pairs)} values changed after the change was made"
                found.append(Leak(name, "future", 0.0, words))
    return tuple(found)


# Private

_PERMUTATIONS = 400
_MOST_VALUES = 60
_SEED = 20


def _auc(score: Floats, truth: NDArray[np.bool_]) -> float:
    """The chance that a repaired row scores above another one, ties half."""
    if truth.all() or not truth.any():
        return 0.5
    return auc(score, truth.astype(np.float64))


def _strength(score: Floats, truth: NDArray[np.bool_]) -> float:
    return abs(_auc(score, truth) - 0.5)


def _known(values: Floats) -> Floats:
    """NaN becomes a value of its own, below all others."""
    finite = np.isfinite(values)
    low = float(values[finite].min()) - 1.0 if finite.any() else 0.0
    return np.where(finite, values, low)


def _of_project(name: str, values: Floats, truth: NDArray[np.bool_], codes: NDArray[np.int64]) -> Iterator[Leak]:
    count = int(codes.max()) + 1
    if count < 2:
        return
    score = _known(values)
    if _between_share(score, codes) > 0.98:
        gain = _strength(_as_rate(score, truth), truth)
        yield Leak(name, "project", gain, "has one value for each project, or nearly: it names the project")
        return
    score = _as_rate(score, truth)
    gap = _strength(score, truth) - _within(score, truth, codes)
    if gap <= LARGEST_GAP:
        return
    if gap > CERTAIN_GAP or _chance_of(gap, score, truth, codes) < LEAST_CHANCE:
        yield Leak(name, "project", gap, f"tells projects apart: its AUC is {gap:.2f} better over all than within them")


def _as_rate(score: Floats, truth: NDArray[np.bool_]) -> Floats:
    """Codes (a few values, more than two) as the repaired share of each, so that their order does not matter; each half
    of the rows by the other half, so that no row sees its own fate."""
    levels, inverse = np.unique(score, return_inverse=True)
    if not 2 < len(levels) <= _MOST_VALUES or not np.all(levels == np.round(levels)):
        return score
    half = np.arange(len(score)) % 2 == 0
    found = np.zeros(len(score))
    for part, other in ((half, ~half), (~half, half)):
        sums = np.bincount(inverse[other], weights=truth[other], minlength=len(levels))
        counts = np.bincount(inverse[other], minlength=len(levels))
        found[part] = ((sums + truth.mean()) / (counts + 1.0))[inverse[part]]
    return found


def _within(score: Floats, truth: NDArray[np.bool_], codes: NDArray[np.int64]) -> float:
    """The mean strength within projects, each by how many pairs of rows it can compare; the direction is the common
    one."""
    total, weights = 0.0, 0.0
    for code in range(int(codes.max()) + 1):
        rows = codes == code
        ones = float(truth[rows].sum())
        weight = ones * (float(rows.sum()) - ones)
        total += weight * _auc(score[rows], truth[rows]) if weight else 0.0
        weights += weight
    return abs(total / weights - 0.5) if weights else 0.0


def _between_share(score: Floats, codes: NDArray[np.int64]) -> float:
    """The share of the variance of its ranks that lies between projects."""
    ranks = np.unique(score, return_inverse=True)[1].astype(np.float64)
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=ranks) / np.maximum(counts, 1)
    whole = float(((ranks - ranks.mean()) ** 2).sum())
    return float((counts * (means - ranks.mean()) ** 2).sum()) / whole if whole else 0.0


def _chance_of(gap: float, score: Floats, truth: NDArray[np.bool_], codes: NDArray[np.int64]) -> float:
    """How often so large a gap comes about by chance: when each project gets the base rate of another one, and its
    repaired rows and the others keep their values. AUC within a project does not hang on its base rate."""
    random = np.random.default_rng(_SEED)
    _, level = np.unique(score, return_inverse=True)
    rows = np.bincount(codes)
    ones = np.bincount(codes, weights=truth)
    within = _within(score, truth, codes)
    base = np.clip(ones / rows, 1e-6, 1 - 1e-6)
    as_large = 0
    for _ in range(_PERMUTATIONS):
        dealt = base[random.permutation(len(base))]
        up = np.where(ones > 0, dealt * rows / np.maximum(ones, 1), 0.0)
        down = np.where(rows > ones, (1 - dealt) * rows / np.maximum(rows - ones, 1), 0.0)
        pooled = _weighted_auc(level, np.where(truth, up[codes], 0.0), np.where(truth, 0.0, down[codes]))
        as_large += abs(pooled - 0.5) - within >= gap - 1e-12
    return max(as_large, 1) / _PERMUTATIONS


def _weighted_auc(level: NDArray[np.int64], up: Floats, down: Floats) -> float:
    ups, downs = np.bincount(level, weights=up), np.bincount(level, weights=down)
    below = np.cumsum(downs) - downs
    return float(((below + downs / 2.0) * ups).sum() / max(float(ups.sum() * downs.sum()), 1e-12))


def _of_universe(name: str, values: Floats, truth: NDArray[np.bool_]) -> Iterator[Leak]:
    """A region of values (one value, missing, or an end) in which next to nothing is ever repaired, or all is."""
    score = _known(values)
    missing = ~np.isfinite(values)
    base = float(truth.mean())
    for what, region, least in _regions(score, missing):
        rows = int(region.sum())
        expected, seen = rows * base, int(truth[region].sum())
        outside = ~region
        if min(rows, int(outside.sum())) < 50 or expected < 10:
            continue
        never = seen <= expected / 20
        always = seen >= 0.98 * rows and base <= 0.6
        if not (never or always):
            continue
        sign = region.astype(np.float64)
        gain = max(_strength(score, truth), _strength(sign, truth)) - _strength(score[outside], truth[outside])
        if always or gain > least:
            fate = "never" if never else "always"
            words = f"where it is {what} ({rows} rows) a change is {fate} repaired: it decides who can get a label"
            yield Leak(name, "label-universe", max(gain, 0.0), words)
            return


def _regions(score: Floats, missing: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.bool_], float]]:
    """What each region is called, its rows, and the least gain that counts; the ends of a range may well be poor."""
    if missing.any():
        yield "missing", missing, LARGEST_GAP
    values, counts = np.unique(score[~missing], return_counts=True)
    common = values[counts >= max(50, len(score) // 100)]
    for value in common[:20]:
        yield f"{value:g}", (score == value) & ~missing, LARGEST_GAP
    if len(values) > 20:
        low, high = np.quantile(score[~missing], [0.05, 0.95])
        yield f"at most {low:g}", (score <= low) & ~missing, CERTAIN_GAP
        yield f"at least {high:g}", (score >= high) & ~missing, CERTAIN_GAP


def _of_identity(name: str, values: Floats) -> Iterator[Leak]:
    """Whole numbers that hardly ever come twice and do not simply count up: a digest, an id of a person or a change."""
    known = values[np.isfinite(values)]
    if len(known) < FEWEST_ROWS or not np.all(known == np.round(known)):
        return
    share = len(np.unique(known)) / len(known)
    counted = abs(float(np.corrcoef(known, np.arange(len(known)))[0, 1])) if share > 0.98 else 1.0
    if share > 0.98 and counted < 0.9:
        yield Leak(name, "identity", 0.0, f"{share:.0%} of its values come once: it is a name, not a measure")


def _of_future(name: str, values: Floats, at: Times) -> Iterator[Leak]:
    """A moment (Unix seconds) that lies after the change."""
    known = np.isfinite(values)
    if (
        not known.any()
        or not np.all((values[known] == -1) | (values[known] > 3e8))
        or float(values[known].max()) > 1e11
    ):
        return
    late = known & (values > at + 1)
    if late.any():
        yield Leak(name, "future", 0.0, f"{int(late.sum())} of its values are moments after the change")
