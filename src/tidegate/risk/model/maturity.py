"""What was known of past changes at a moment, and what silence about a young one is worth.

A change that nobody has repaired yet is no good change: some repairs take years. The delay curve says which share of
repairs is known after which time; silence counts by that share, and the rest is expected from the model (EM).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tidegate.risk.features.frame import Floats, Targets, Times

DAY = 86_400
FEWEST = 30
THIN = 10
MATURE = 0.9

USUAL_DAYS = (0.0, 1.0, 30.0, 90.0, 365.0, 730.0, 1460.0)
USUAL_SHARES = (0.03, 0.06, 0.22, 0.40, 0.71, 0.85, 1.0)


class DelayCurve(NamedTuple):
    """The share of repairs that is known `ages` seconds after the change, rising to 1."""

    ages: Floats
    shares: Floats

    def share(self, age: Floats) -> Floats:
        """The share known at each age; before the first step it is 0, after the last 1."""
        places = np.searchsorted(self.ages, age, "right")
        return np.concatenate([[0.0], self.shares])[places]

    def maturity(self, share: float = MATURE) -> float:
        """The age at which that share of repairs is known, in seconds."""
        place = int(np.searchsorted(self.shares, share, "left"))
        return float(self.ages[min(place, len(self.ages) - 1)]) if len(self.ages) else 0.0


class Seen(NamedTuple):
    """What was known at a moment of the changes up to then.

    `truth` is the confidence that a change had to be repaired, 0 where nothing said so yet; `known` says whether
    something did. `ripe` is the share of repairs that would have been known by then: 1 makes silence an acquittal.
    """

    truth: Floats
    known: Floats
    ripe: Floats

    def expected(self, chance: Floats) -> Floats:
        """The truth with the future in it, for changes whose probability is `chance` (the E step)."""
        open_still = chance * (1.0 - self.ripe) / np.maximum(1.0 - chance * self.ripe, 1e-9)
        return np.where(self.known > 0, self.truth, open_still)

    def rows(self, start: int, stop: int) -> Seen:
        """The same for some rows in a row."""
        return Seen(self.truth[start:stop], self.known[start:stop], self.ripe[start:stop])

    @property
    def matured(self) -> int:
        """How many changes had their time: a labelled one counts whole, another by the share known at its age."""
        return int(self.ripe.sum())

    @property
    def repaired(self) -> float:
        """How many are known to have been repaired, by confidence."""
        return float(self.truth.sum())


def seen_at(at: Times, targets: Targets, now: int, curve: DelayCurve | None = None) -> Seen:
    """What was known at `now`. The delay curve is that of the same labels unless it is given."""
    known = (targets.known_at >= 0) & (targets.known_at <= now) & (targets.repaired > 0)
    fitted = curve or fit_curve(at[known], targets.known_at[known], now)
    age = np.maximum(now - at, 0).astype(np.float64)
    return Seen(
        np.where(known, np.clip(targets.repaired, 0.0, 1.0), 0.0),
        known.astype(np.float64),
        np.where(known, 1.0, fitted.share(age)),
    )


def usual_curve() -> DelayCurve:
    """The curve of 28,239 changes in 14 projects (ApacheJIT), for a repository that has too few repairs of its own."""
    return DelayCurve(np.array(USUAL_DAYS) * DAY, np.array(USUAL_SHARES))


def fit_curve(at: Times, known_at: Times, now: int) -> DelayCurve:
    """The delay curve of repairs known by `now`, corrected for those that are still to come.

    Young changes can only show quick repairs; the estimate for such right-truncated data is Lynden-Bell's (1971). What
    takes longer than the history is old cannot be seen: the curve ends at 1 with the longest delay that was possible.
    """
    if len(at) < FEWEST:
        return usual_curve()
    delays = np.maximum(known_at - at, 0).astype(np.float64)
    limits = np.maximum(now - at, delays)
    ages, counts = np.unique(delays, return_counts=True)
    started = np.cumsum(counts)
    ended = np.searchsorted(np.sort(limits), ages, "left")
    at_risk = np.maximum(started - ended, np.maximum(counts, THIN))
    left = np.clip(1.0 - counts / at_risk, 1e-6, 1.0)
    return DelayCurve(ages, np.append(np.cumprod(left[::-1])[::-1][1:], 1.0))
