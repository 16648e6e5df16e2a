"""What was known of past changes at a moment, and what silence about a young one is worth.

A change that nobody has repaired yet is no good change: some repairs take years. The delay curve says which share of
repairs is known after which time; silence counts by that share.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tidegate.risk.features.frame import Floats, Targets, Times
from tidegate.risk.labels.delay import DAY, USUAL

FEWEST = 30
RECENT = 0.5
MATURE = 0.9


class DelayCurve(NamedTuple):
    """The share of repairs that is known `ages` seconds after the change, rising to 1."""

    ages: Floats
    shares: Floats

    def share(self, age: Floats) -> Floats:
        """The share known at each age; before the first step it is 0, after the last 1."""
        places = np.searchsorted(self.ages, age, "right")
        found: Floats = np.concatenate([[0.0], self.shares])[places]
        return found


class Seen(NamedTuple):
    """What was known at a moment of the changes up to then.

    `truth` is the confidence that a change had to be repaired, 0 where nothing said so yet; `known` says whether
    something did. `ripe` is the share of repairs that would have been known by then: 1 makes silence an acquittal.
    """

    truth: Floats
    known: Floats
    ripe: Floats

    def weights(self, chance: Floats) -> Floats:
        """What each row counts in learning, for changes whose probability is `chance`.

        A known repair counts whole. Silence of a change with probability p counts F (1 - p) / (1 - p F), F being the
        share of repairs known at its age: then both kinds are thinned alike by F, and no rate is too high or too low.
        (Filling in the unseen repairs instead (EM) is as right on paper, but lets a model believe its own guesses of
        young changes: it said twice too much where features drift with time.)
        """
        silent = self.ripe * (1.0 - chance) / np.maximum(1.0 - chance * self.ripe, 1e-9)
        return np.where(self.known > 0, 1.0, np.maximum(silent, 1e-6))

    def rows(self, start: int, stop: int) -> Seen:
        """The same for some rows in a row."""
        return Seen(self.truth[start:stop], self.known[start:stop], self.ripe[start:stop])

    @property
    def matured(self) -> int:
        """How many changes had their time: a labelled one counts whole, another by the share known at its age."""
        return int(self.ripe.sum())

    @property
    def share(self) -> float:
        """The share of changes that are repaired in the end, as far as can be told."""
        return min(0.9, max(0.01, self.repaired / max(1.0, float(self.ripe.sum()))))

    @property
    def repaired(self) -> float:
        """How many are known to have been repaired, by confidence."""
        return float(self.truth.sum())


def seen_at(at: Times, targets: Targets, now: int) -> Seen:
    """What was known at `now`, with the delay curve as it stood then."""
    known = (targets.known_at >= 0) & (targets.known_at <= now) & (targets.repaired > 0)
    curve = fit_curve(at[known], targets.known_at[known], now, float(now - at.min()) if len(at) else 0.0)
    ripe = curve.share(np.maximum(now - at, 0).astype(np.float64))
    return Seen(
        np.where(known, np.clip(targets.repaired, 0.0, 1.0), 0.0),
        known.astype(np.float64),
        np.where(known, 1.0, ripe),
    )


def fit_curve(at: Times, known_at: Times, now: int, horizon: float) -> DelayCurve:
    """The delay curve of repairs known by `now`, corrected for those that are still to come.

    Young changes can only show quick repairs; the estimate for such right-truncated data is Lynden-Bell's (1971). A
    repair that takes longer than the history is old (`horizon`, in seconds) cannot be seen and is not guessed: the
    curve reaches 1 within it. (Drawn on to where the usual curve ends, it said three times too much of young
    histories.) With few repairs it is the usual curve, cut there. Only the newer half of the repairs count: projects
    find their faults faster as they grow.
    """
    if len(at) < FEWEST:
        return _usual(horizon)
    recent = np.argsort(at, kind="stable")[-max(FEWEST, round(len(at) * RECENT)) :]
    at, known_at = at[recent], known_at[recent]
    delays = np.maximum(known_at - at, 0).astype(np.float64)
    limits = np.maximum(now - at, delays)
    ages, counts = np.unique(delays, return_counts=True)
    ended = np.searchsorted(np.sort(limits), ages, "left")
    at_risk = np.maximum(np.cumsum(counts) - ended, np.maximum(counts, FEWEST / 3))
    left = np.clip(1.0 - counts / at_risk, 1e-6, 1.0)
    return DelayCurve(ages, np.append(np.cumprod(left[::-1])[::-1][1:], 1.0))


# Private


def _usual(horizon: float) -> DelayCurve:
    ages = np.array([day for day, _ in USUAL]) * DAY
    shares = np.array([share for _, share in USUAL])
    fine = np.unique(np.append(np.linspace(0.0, ages[-1], 400), min(max(horizon, 0.0), ages[-1])))
    fine = fine[fine <= max(horizon, 0.0)]
    found = np.interp(fine, ages, shares)
    return DelayCurve(fine, found / found[-1])
