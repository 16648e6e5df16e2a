"""The Numenta Anomaly Benchmark's scorer, written from its published rules (nab/sweeper.py, nab/runner.py, MIT).

A window is worth 1 where it is found at its start, less towards its end, and -1 (`missed`) where it is not found;
an alarm elsewhere costs `alarm`, less shortly behind a window. 0 is to raise nothing, 100 every window at its start
and nothing else. The first 15 % of a series, at most 750 points, do not count.
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tidegate.telemetry.series import Series

Floats = NDArray[np.float64]


class Profile(NamedTuple):
    alarm: float
    missed: float


STANDARD, LOW_FP, LOW_FN = Profile(0.11, 1.0), Profile(0.22, 1.0), Profile(0.11, 2.0)


class Labelled(NamedTuple):
    """`windows`: first and last place of each."""

    name: str
    series: Series
    windows: tuple[tuple[int, int], ...]

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]


class Score(NamedTuple):
    normal: float
    found: int
    windows: int
    false: int


def folder() -> Path:
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("TIDEGATE_DATA") or root.parent / "shared" / "data") / "prod" / "nab"


def read(root: Path) -> list[Labelled]:
    windows = json.loads((root / "combined_windows.json").read_text())
    found = []
    for path in sorted((root / "data").glob("*/*.csv")):
        name = f"{path.parent.name}/{path.name}"
        with path.open(newline="") as lines:
            rows = list(csv.reader(lines))[1:]
        times, values = np.array([_stamp(row[0]) for row in rows]), np.array([float(row[1]) for row in rows])
        edges = [(_place(times, first), _place(times, last)) for first, last in windows[name]]
        found.append(Labelled(name, Series(name=name, labels={}, times=times, values=values), tuple(edges)))
    return found


def score(corpus: Sequence[Labelled], scores: Sequence[Floats], *, threshold: float, profile: Profile) -> Score:
    """Of all series together, normalised as published: 100 (raw - null) / (perfect - null)."""
    raw, found, windows, false = 0.0, 0, 0, 0
    for one, given in zip(corpus, scores, strict=True):
        part = raw_score(one, given >= threshold, profile)
        raw, found, false = raw + part[0], found + part[1], false + part[2]
        windows += len(one.windows)
    null = -profile.missed * windows
    return Score(100.0 * (raw - null) / max(windows - null, 1e-9), found, windows, false)


def raw_score(one: Labelled, alarms: NDArray[np.bool_], profile: Profile) -> tuple[float, int, int]:
    """The sum for one series, the windows found, the alarms outside of them."""
    worth, window = _worth(one)
    alarms = alarms.copy()
    alarms[: _probation(len(alarms))] = False
    outside = alarms & (window < 0)
    total, found = profile.alarm * float(worth[outside].sum()), 0
    for number in range(len(one.windows)):
        inside = alarms & (window == number)
        found += bool(inside.any())
        total += float(worth[inside].max()) if inside.any() else -profile.missed
    return total, found, int(outside.sum())


def best(corpus: Sequence[Labelled], scores: Sequence[Floats], *, profile: Profile) -> tuple[Score, float]:
    """At the threshold that serves the whole corpus best, as the published runner chooses it."""
    candidates = np.unique(np.concatenate([one[one > 0] for one in scores] or [np.zeros(0)]))
    tried = [(score(corpus, scores, threshold=float(at), profile=profile), float(at)) for at in candidates]
    return max([*tried, (Score(0.0, 0, 0, 0), 1.1)], key=lambda pair: pair[0].normal)


# Private


def _worth(one: Labelled) -> tuple[Floats, NDArray[np.int64]]:
    count = len(one.series.values)
    worth, window = np.full(count, -1.0), np.full(count, -1)
    for number, (first, last) in enumerate(one.windows):
        end = one.windows[number + 1][0] if number + 1 < len(one.windows) else count
        width = last - first + 1
        inside = np.arange(first, last + 1)
        worth[inside] = _sigmoid(-(last - inside + 1) / width) / _sigmoid(np.array([-1.0]))[0]
        window[inside] = number
        behind = np.arange(last + 1, end)
        worth[behind] = _sigmoid((behind - last) / (width - 1))
    return worth, window


def _sigmoid(place: Floats) -> Floats:
    return np.where(place > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(place, 4.0))) - 1.0)


def _probation(count: int) -> int:
    return math.ceil(min(math.floor(0.15 * count), 0.15 * 5000))


def _stamp(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _place(times: Floats, text: str) -> int:
    return int(np.flatnonzero(times == _stamp(text))[0])
