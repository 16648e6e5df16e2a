"""The daily season of a series, as its own past shows it."""

from __future__ import annotations

import itertools

import numpy as np

from tidegate.operate.detect.views import Floats

_DAY = 86_400.0
_BINS = 48
_FEWEST = 3
_HARMONICS = 2


def without_season(times: Floats, values: Floats, known: int) -> Floats:
    """`values` less the daily course of the first `known` points: medians of half hours of the day, smoothed.

    Smoothed to two harmonics for each day that is known, for the course of one day is half noise. The values as they
    are where those points span less than a day, or half an hour of the day has fewer than 3 points.
    """
    if known < _BINS * _FEWEST or times[known - 1] - times[0] < 0.95 * _DAY:
        return values
    bins = (times[:known] % _DAY * (_BINS / _DAY)).astype(int) % _BINS
    order = np.argsort(bins, kind="stable")
    edges = np.searchsorted(bins[order], np.arange(_BINS + 1))
    if np.diff(edges).min() < _FEWEST:
        return values
    levels = np.array([np.median(values[order[a:b]]) for a, b in itertools.pairwise(edges)])
    course = np.fft.rfft(levels)
    days = float(times[known - 1] - times[0]) / _DAY
    course[1 + max(int(_HARMONICS * days), _HARMONICS) :] = 0.0
    levels = np.fft.irfft(course, _BINS)
    centres = (np.arange(_BINS) + 0.5) * (_DAY / _BINS)
    return np.asarray(values - np.interp(times % _DAY, centres, levels, period=_DAY))
