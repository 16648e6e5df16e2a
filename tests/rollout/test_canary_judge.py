"""Our judge: right about what is worse, silent about what is not, and never content with no data."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.rollout.canary.sequential import judge
from tidegate.rollout.canary.values import Judgement, Kind, Measured, Metric, judgement_json
from tidegate.telemetry.series import Series

START, STEP, NOW = 1_700_000_000.0, 15.0, 41
END = START + STEP * (NOW - 1)
PAST = START + STEP * np.arange(-240, NOW)
SINCE = PAST[240:]


def test_equal_canaries_are_not_rolled_back_however_often_one_looks() -> None:
    """40 canaries of 20 metrics, memory .8, asked every two minutes: at 2 % a count above 4 has odds of 1 in 1,000."""
    rng = np.random.default_rng(1)
    false = 0
    for _ in range(40):
        measured = [_service(rng, 0.8, name=f"m{i}") for i in range(20)]
        false += any(judge(measured, START, START + 60 * minute).decision == "roll back" for minute in (2, 4, 6, 8, 10))
    assert false <= 4


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_a_latency_of_half_as_much_again_is_found_in_ten_minutes(phi: float) -> None:
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(40):
        measured = [_service(rng, phi, 1.5 if i == 0 else 1.0, f"m{i}") for i in range(20)]
        judged = judge(measured, START, END)
        found += judged.metrics[0].state == "regressed" and judged.decision == "roll back"
    assert found >= 32  # .9 of 40 less two standard errors


def test_a_quiet_equal_canary_is_promoted_and_says_what_it_would_have_found() -> None:
    measured = [_service(np.random.default_rng(3), 0.3)]
    judged = judge(measured, START, END)
    assert (judged.decision, judged.exit_code) == ("promote", 0)
    assert judged.metrics[0].says == "no worse than tolerated; 50 % would have been found"
    low, high = judged.metrics[0].low, judged.metrics[0].high
    assert low is not None
    assert high is not None
    assert low < 0 < high


def test_too_few_points_are_held_with_the_time_that_is_missing() -> None:
    rng = np.random.default_rng(4)
    early = judge([_service(rng, 0.8)], START, START + 75)
    assert early.decision == "hold"
    assert early.metrics[0].wait is not None
    assert 30 < early.metrics[0].wait < 3600
    assert "not yet ruled out" in early.reasons[0]


def test_what_moves_both_is_no_regression() -> None:
    rng = np.random.default_rng(5)
    one = _service(rng, 0.3)
    rush = np.where(PAST >= START + 120, 4.0, 1.0)
    moved = Measured(
        metric=one.metric,
        canary=tuple(_series(s.times, s.values * rush[240:]) for s in one.canary),
        baseline=tuple(_series(s.times, s.values * rush) for s in one.baseline),
    )
    assert judge([moved], START, END).decision == "promote"


def test_better_is_not_worse_unless_either_way_is_asked() -> None:
    rng = np.random.default_rng(6)
    assert judge([_service(rng, 0.3, 0.5)], START, END).decision == "promote"
    either = _service(rng, 0.3, 0.5, direction="either")
    assert judge([either], START, END).decision == "roll back"
    fewer = _service(rng, 0.3, 0.5, direction="decrease")
    assert judge([fewer], START, END).decision == "roll back"


def test_a_difference_within_the_tolerance_is_tolerated() -> None:
    rng = np.random.default_rng(7)
    measured = [_service(rng, 0.3, 1.2, tolerance=0.3, detect=1.0)]
    assert judge(measured, START, END).decision == "promote"


def test_what_is_not_critical_holds_and_does_not_roll_back() -> None:
    rng = np.random.default_rng(8)
    measured = [_service(rng, 0.3, 2.0, "extra", critical=False), _service(rng, 0.3)]
    judged = judge(measured, START, END)
    assert judged.decision == "hold"
    assert judged.reasons[0].endswith("not critical")
    assert judge([_service(rng, 0.3, critical=False)], START, END).decision == "hold"


def test_one_bad_scrape_is_no_regression() -> None:
    rng = np.random.default_rng(9)
    one = _service(rng, 0.3)
    values = one.canary[0].values.copy()
    values[20] *= 50
    spiked = Measured(metric=one.metric, canary=(_series(SINCE, values), *one.canary[1:]), baseline=one.baseline)
    assert judge([spiked], START, END).decision == "promote"


@pytest.mark.parametrize("factor", [2.0, 1e3, 1e30, 1e200])
@pytest.mark.parametrize("onset", [0, 240])
def test_however_large_a_regression_is_it_is_one(factor: float, onset: float) -> None:
    rng = np.random.default_rng(10)
    one = _service(rng, 0.3)
    grown = tuple(_series(s.times, np.where(s.times >= START + onset, s.values * factor, s.values)) for s in one.canary)
    assert judge([Measured(metric=one.metric, canary=grown, baseline=one.baseline)], START, END).decision == "roll back"


def test_what_differed_before_the_start_is_not_held_against_it() -> None:
    rng = np.random.default_rng(11)
    slow = _noise(rng, 1, PAST, 0.3)[0] * 1.4
    base = _noise(rng, 1, PAST, 0.3)[0]
    always = Measured(metric=Metric(name="m"), canary=(_series(PAST, slow),), baseline=(_series(PAST, base),))
    assert judge([always], START, END).decision != "roll back"
    worse = np.where(PAST >= START, slow * 1.8, slow)
    now = Measured(metric=Metric(name="m"), canary=(_series(PAST, worse),), baseline=(_series(PAST, base),))
    assert judge([now], START, END).decision == "roll back"


def test_the_hour_of_the_day_is_taken_off_where_the_days_before_tell_it() -> None:
    """The canary's region wakes up at the start, as on each of three days before."""
    rng = np.random.default_rng(12)
    times = START + 300.0 * np.arange(-3 * 288, 24)
    morning = np.where((times - START) % 86_400 < 7_200, 2.0, 1.0)
    canary, base = (_noise(rng, 1, times, 0.0)[0] for _ in range(2))
    usual = Measured(
        metric=Metric(name="m"), canary=(_series(times, canary * morning),), baseline=(_series(times, base),)
    )
    assert judge([usual], START, times[-1]).decision != "roll back"
    worse = np.where(times >= START, 2.5, 1.0)
    seen = Measured(
        metric=Metric(name="m"), canary=(_series(times, canary * morning * worse),), baseline=(_series(times, base),)
    )
    assert judge([seen], START, times[-1]).decision == "roll back"


# No data


@pytest.mark.parametrize(
    ("canary", "baseline", "says"),
    [
        ((), (), "the canary has no values since its start"),
        ((([], []),), ((PAST, np.ones(281)),), "the canary has no values since its start"),
        (((SINCE, np.full(41, np.nan)),), ((PAST, np.ones(281)),), "the canary has no values since its start"),
        (((SINCE, np.full(41, np.inf)),), ((PAST, np.ones(281)),), "the canary has no values since its start"),
        (((SINCE, np.ones(41)),), (), "the baseline has no values beside the canary's"),
        (((SINCE, np.ones(41)),), ((PAST[:100], np.ones(100)),), "the baseline has no values beside the canary's"),
        (((SINCE[:1], np.ones(1)),), ((PAST, np.ones(281)),), "1 moments of both sides are too few"),
        (((SINCE[:9], np.ones(9)),), ((PAST, np.ones(281)),), "the canary has values in only 9 of 40 moments"),
        (
            ((SINCE, np.ones(41)), (SINCE[:5], np.ones(5))),
            ((PAST, np.ones(281)),),
            "a replica of the canary has values in only 5 of 40 moments",
        ),
        (((SINCE, np.ones(41)), ([], [])), ((PAST, np.ones(281)),), "a replica of the canary has values in only 0"),
    ],
)
def test_no_data_is_held(canary: Any, baseline: Any, says: str) -> None:
    one = Measured(
        metric=Metric(name="m"),
        canary=tuple(_series(*each) for each in canary),
        baseline=tuple(_series(*each) for each in baseline),
    )
    judged = judge([one], START, END)
    assert judged.decision == "hold"
    assert judged.reasons[0].startswith(f"m: {says}")


def test_no_metrics_are_held() -> None:
    assert judge([], START, END).decision == "hold"


FEW = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=5)
MOMENTS = st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=5)


@settings(max_examples=30)
@given(FEW, FEW, MOMENTS, st.sampled_from(["latency", "rate", "count"]), st.booleans())
def test_nothing_that_is_measured_breaks_it(canary: Any, baseline: Any, times: Any, kind: Kind, strange: bool) -> None:
    when = np.sort(np.resize(times, 41)) if strange else SINCE
    canary, baseline = np.resize(canary, 41), np.resize(baseline, 41)
    metric = Metric(name="m", kind=kind, direction="increase", detect=0.05 if kind == "count" else 0.5)
    requests = (_series(SINCE, np.full(41, 30.0)),) if kind == "count" else ()
    one = Measured(
        metric=metric,
        canary=(_series(when, canary),),
        baseline=(_series(SINCE, baseline),),
        canary_requests=requests,
        baseline_requests=requests,
    )
    judged = judge([one], START, END)
    again = json.loads(judgement_json(judged))
    assert again["decision"] in ("promote", "hold", "roll back")
    assert judgement_json(judged) == judgement_json(judge([one], START, END))


# Counts


def test_failures_of_a_small_canary_are_seen_within_sixty_requests() -> None:
    rng = np.random.default_rng(13)
    times = START + np.arange(60.0)
    seen = 0
    for _ in range(100):
        failed = (rng.random(60) < 0.1).astype(float)
        judged = judge([_counted(times, failed, 1.0, rng)], START, times[-1], error_rate=0.001)
        seen += judged.decision == "roll back"
    assert seen >= 90  # 95 of 100 less two standard errors


def test_failures_as_at_the_baseline_are_fine_once_there_are_enough_requests() -> None:
    rng = np.random.default_rng(14)
    few = judge([_counted(SINCE[:5], np.zeros(5), 2.0, rng)], START, END)
    assert few.decision == "hold"
    assert few.metrics[0].requests is not None
    assert 50 < few.metrics[0].requests < 300
    assert "requests more" in few.reasons[0]
    many = judge([_counted(SINCE, rng.binomial(100, 0.001, 41).astype(float), 100.0, rng)], START, END)
    assert many.decision == "promote"


def test_failures_that_both_have_are_no_regression() -> None:
    rng = np.random.default_rng(15)
    one = _counted(SINCE, np.full(41, 6.0), 30.0, rng)
    both = Measured(
        metric=one.metric,
        canary=one.canary,
        baseline=(_series(PAST, np.where(PAST >= START, 114.0, one.baseline[0].values)),),
        canary_requests=one.canary_requests,
        baseline_requests=one.baseline_requests,
    )
    assert judge([both], START, END).decision != "roll back"


def test_failures_in_bunches_count_for_less() -> None:
    """The baseline's failures come twenty at a time: one such bunch on the canary is what it does anyway."""
    rng = np.random.default_rng(16)
    bunch = np.zeros(41)
    bunch[20] = 20
    one = _counted(SINCE, bunch, 30.0, rng)
    bunched = (rng.random(281) < 0.2) * 20.0
    usual = Measured(
        metric=one.metric,
        canary=one.canary,
        baseline=(_series(PAST, bunched),),
        canary_requests=one.canary_requests,
        baseline_requests=one.baseline_requests,
    )
    assert judge([usual], START, END).decision != "roll back"
    assert judge([one], START, END).decision == "roll back"


@pytest.mark.parametrize(
    ("failed", "says"),
    [
        (np.full(41, np.nan), "hold values that are no counts"),
        (np.full(41, -1.0), "hold values that are no counts"),
        (None, "no failures are told on either side"),
    ],
)
def test_failures_that_are_no_counts_are_no_data(failed: Any, says: str) -> None:
    one = _counted(SINCE, np.zeros(41) if failed is None else failed, 30.0, np.random.default_rng(17))
    if failed is None:
        one = Measured(
            metric=one.metric,
            canary=(),
            baseline=(),
            canary_requests=one.canary_requests,
            baseline_requests=one.baseline_requests,
        )
    judged = judge([one], START, END)
    assert judged.decision == "hold"
    assert says in judged.reasons[0]


def test_a_baseline_that_fails_itself_lets_nothing_through() -> None:
    one = _counted(SINCE, np.full(41, 30.0), 30.0, np.random.default_rng(18))
    down = Measured(
        metric=one.metric,
        canary=one.canary,
        baseline=one.baseline_requests,
        canary_requests=one.canary_requests,
        baseline_requests=one.baseline_requests,
    )
    assert judge([down], START, END).decision == "hold"


def test_the_json_is_plain_and_complete() -> None:
    judged = judge([_service(np.random.default_rng(19), 0.3, 2.0)], START, END)
    found = json.loads(judgement_json(judged))
    assert found["schema"] == "tidegate.canary/1"
    assert found["decision"] == "roll back"
    assert math.isclose(found["metrics"][0]["change"], 1.0, abs_tol=0.2)
    assert isinstance(judged, Judgement)


# Private


def _series(times: Any, values: Any) -> Series:
    return Series(name="", labels={}, times=np.array(times, dtype=float), values=np.array(values, dtype=float))


def _noise(rng: np.random.Generator, replicas: int, times: Any, phi: float) -> Any:
    """Values around .1 with 15 % of noise that remembers, and replicas that lie 3 % apart."""
    fresh = rng.standard_normal((replicas, len(times)))
    noise = fresh.copy()
    for i in range(1, len(times)):
        noise[:, i] = phi * noise[:, i - 1] + math.sqrt(1 - phi * phi) * fresh[:, i]
    return 0.1 * np.exp(0.15 * noise + 0.03 * rng.standard_normal((replicas, 1)))


def _service(rng: np.random.Generator, phi: float, factor: float = 1.0, name: str = "m", **settings: Any) -> Measured:
    values = _noise(rng, 9, PAST, phi)
    return Measured(
        metric=Metric(name=name, **settings),
        canary=tuple(_series(SINCE, row[240:] * factor) for row in values[:3]),
        baseline=tuple(_series(PAST, row) for row in values[3:]),
    )


def _counted(times: Any, failed: Any, requests: float, rng: np.random.Generator) -> Measured:
    """A canary that gets 5 % of the traffic; at the baseline one of a thousand fails."""
    past = np.concatenate((START - 15.0 * np.arange(240, 0, -1), times))
    sizes = np.concatenate((np.full(240, 170.0), np.full(len(times), 19 * requests)))
    return Measured(
        metric=Metric(name="errors", kind="count", detect=0.05),
        canary=(_series(times, failed),),
        baseline=(_series(past, rng.binomial(sizes.astype(int), 0.001)),),
        canary_requests=(_series(times, np.full(len(times), requests)),),
        baseline_requests=(_series(past, sizes),),
    )
