"""The streaming detector: the same answers however the stream is cut, few alarms on what it never saw, real changes."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import numpy as np
import pytest
from bench.production import nab
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.operate.detect.stream import QUIET, Detector, anomalies, anomaly_scores, season
from tidegate.telemetry.series import Series

FIVE_MINUTES = 300.0


def stream(values: np.ndarray, step: float = FIVE_MINUTES) -> Series:
    return Series(name="load", labels={}, times=np.arange(len(values)) * step, values=np.asarray(values, dtype=float))


def noisy(seed: int = 1, count: int = 3000) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(count)


@settings(max_examples=8)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=12), st.integers(0, 50))
def test_any_cut_of_a_stream_gives_the_same_alarms_to_the_bit(cuts: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.cumsum(random.standard_normal(3200)) * 0.05 + random.standard_t(3, 3200)
    values[random.random(3200) < 0.03] = np.nan
    values[: seed % 5] = np.nan
    whole = stream(values)
    detector, found, at = Detector(season(whole.times)), [], 0
    while at < len(values):
        size = cuts[len(found) % len(cuts)]
        found += detector.push(whole.times[at : at + size], values[at : at + size])
        at += size
    assert tuple(found) == anomalies(whole)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("spike", lambda x: np.concatenate((x[:2500], [25.0], x[2501:]))),
        ("shift", lambda x: x + np.where(np.arange(len(x)) >= 2500, 6.0, 0.0)),
        ("variance", lambda x: x * np.where(np.arange(len(x)) >= 2500, 6.0, 1.0)),
    ],
)
def test_what_changes_is_found_soon_and_seen_from_the_right_side(kind: str, change: object) -> None:
    assert callable(change)
    found = [one for one in anomalies(stream(change(noisy()))) if one.index >= 2500]
    assert found, kind
    assert found[0].index < 2512
    assert found[0].views[0][1] > 2.0
    assert found[0].at == found[0].index * FIVE_MINUTES


def test_a_day_unlike_the_days_before_is_found_though_no_value_is_new() -> None:
    moments = np.arange(288 * 12)
    values = np.sin(2 * np.pi * moments / 288) * 10 + noisy(3, len(moments)) * 0.3
    values[288 * 10 : 288 * 10 + 144] *= -1
    found = [one for one in anomalies(stream(values)) if one.index >= 288 * 10]
    assert found
    assert found[0].index < 288 * 10 + 60
    assert dict(found[0].views)["season"] > 3.0


NEVER_SEEN = {
    "constant": np.full(4000, 7.0),
    "noise": noisy(5, 4000),
    "huge": noisy(5, 4000) * 1e300,
    "tiny": noisy(5, 4000) * 1e-300,
    "counter": np.arange(4000.0) * 17,
    "ramp with resets": np.arange(4000.0) % 500,
    "sparse": (np.random.default_rng(2).random(4000) < 0.01) * 5.0,
    "two values": np.random.default_rng(3).integers(0, 2, 4000) * 1.0,
    "walk": np.cumsum(noisy(6, 4000)),
    "Cauchy": np.random.default_rng(4).standard_cauchy(4000),
    "alternating": np.arange(4000) % 2 * 1e6,
}


@pytest.mark.parametrize("kind", NEVER_SEEN)
def test_a_kind_of_series_never_seen_makes_few_alarms(kind: str) -> None:
    found = anomalies(stream(NEVER_SEEN[kind], step=10.0))
    assert len(found) <= 6, [one.index for one in found]
    assert all(np.isfinite(one.score) and 0 < one.score <= 12 for one in found)
    assert all(later.index - sooner.index > QUIET for sooner, later in itertools.pairwise(found))


def test_what_grows_without_end_is_raised_once_in_each_quiet_time() -> None:
    found = anomalies(stream(np.exp(np.arange(4000) / 50.0), step=10.0))
    assert 1 <= len(found) <= 4000 / (QUIET + 1)


def test_what_was_not_measured_raises_nothing_and_breaks_nothing() -> None:
    values = noisy()
    values[1000:1200] = np.nan
    values[2000] = np.inf
    assert all(np.isfinite(one.value) for one in anomalies(stream(values)))
    assert anomalies(stream(np.full(500, np.nan))) == ()
    assert anomalies(stream(np.zeros(0))) == ()


def test_the_detector_keeps_no_more_after_a_long_time() -> None:
    detector = Detector(288)
    kept = []
    for _ in range(12):
        detector.push(np.zeros(1000), noisy(1, 1000))
        kept.append(sum(part.nbytes for part in vars(detector).values() if isinstance(part, np.ndarray)))
    assert kept[-1] == kept[5] < 120_000


def test_two_arrays_of_different_length_are_refused() -> None:
    with pytest.raises(InputError, match="one time for each value"):
        anomalies(Series(name="x", labels={}, times=np.zeros(3), values=np.zeros(4)))
    with pytest.raises(InputError, match="not made of numbers"):
        Detector().push(np.array(["a"]), np.array(["b"]))


@pytest.mark.parametrize(("step", "points"), [(300.0, 288), (60.0, 1440), (15.0, 0), (86_400.0, 0), (0.0, 0)])
def test_a_day_is_a_season_where_it_is_2_to_1440_points(step: float, points: int) -> None:
    assert season(np.arange(50) * step) == points


@pytest.mark.conformance
def test_the_numenta_benchmark_is_at_least_60_and_fast(data: Path) -> None:
    corpus = nab.read(data / "prod" / "nab")
    started = time.process_time()
    scores = [anomaly_scores(one.series) for one in corpus]
    spent = time.process_time() - started
    made = nab.score(corpus, scores, threshold=1e-9, profile=nab.STANDARD)
    assert made.normal >= 60
    assert sum(map(len, scores)) / spent >= 100_000


def test_the_scorer_is_0_for_silence_and_100_for_every_window_at_its_start() -> None:
    one = nab.Labelled("a/b.csv", stream(np.zeros(2000)), ((1000, 1099), (1500, 1599)))
    silence, perfect = np.zeros(2000), np.zeros(2000)
    perfect[[1000, 1500]] = 1.0
    assert nab.score([one], [silence], threshold=0.5, profile=nab.STANDARD).normal == 0
    assert nab.score([one], [perfect], threshold=0.5, profile=nab.STANDARD).normal == pytest.approx(100)
    perfect[900] = 1.0
    assert nab.score([one], [perfect], threshold=0.5, profile=nab.STANDARD).normal == pytest.approx(100 - 11 / 4)
    perfect[10] = 1.0
    assert nab.score([one], [perfect], threshold=0.5, profile=nab.STANDARD).false == 1
