"""Whether the probabilities of traces mean what they say: what each trace said first, held against its confirmed cause.

A trace is made from what was known before anybody confirmed anything, so that nothing is judged by what it learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tidegate.policy.backtest.statistics import share
from tidegate.policy.backtest.values import Share

BINS = 10


class Claim(Struct, frozen=True):
    """What a trace was surest of (a commit, or none of the changes), how sure, and whether that was confirmed."""

    probability: float
    right: bool


class Bin(Struct, frozen=True, kw_only=True):
    """The claims with a probability from `low` to under `high` (1 is in the last)."""

    low: float
    high: float
    n: int
    said: float
    right: float


class Calibration(Struct, frozen=True, kw_only=True):
    """`ece`: the expected calibration error over ten bins of equal width, 0 to 1; None where nothing is confirmed.

    With few claims it is far from 0 by chance alone: read it with `n` and the interval of `right`. `brier` is the mean
    squared difference. `unconfirmed` are incidents that are over and of which nobody said what they were.
    """

    n: int
    right: Share
    said: float | None
    ece: float | None
    brier: float | None
    bins: tuple[Bin, ...]
    unconfirmed: int = 0
    untraced: int = 0


def calibrate(claims: Sequence[Claim], *, unconfirmed: int = 0, untraced: int = 0) -> Calibration:
    """How well what was said fits what was confirmed. `untraced`: confirmed, but nothing was said of them."""
    n = len(claims)
    groups: dict[int, list[Claim]] = {}
    for one in claims:
        groups.setdefault(min(int(one.probability * BINS), BINS - 1), []).append(one)
    bins = tuple(_bin(number, groups[number]) for number in sorted(groups))
    return Calibration(
        n=n,
        right=share(sum(one.right for one in claims), n),
        said=_rounded(sum(one.probability for one in claims) / n) if n else None,
        ece=_rounded(sum(one.n * abs(one.said - one.right) for one in bins) / n) if n else None,
        brier=_rounded(sum((one.probability - one.right) ** 2 for one in claims) / n) if n else None,
        bins=bins,
        unconfirmed=unconfirmed,
        untraced=untraced,
    )


# Private


def _bin(number: int, claims: Sequence[Claim]) -> Bin:
    n = len(claims)
    return Bin(
        low=number / BINS,
        high=(number + 1) / BINS,
        n=n,
        said=_rounded(sum(one.probability for one in claims) / n),
        right=_rounded(sum(one.right for one in claims) / n),
    )


def _rounded(value: float) -> float:
    return round(value, 6)
