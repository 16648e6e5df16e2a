"""The watch after a deployment: bad ones are suspected soon with a reason, quiet ones are not, doubt is said."""

from __future__ import annotations

import numpy as np
import pytest
from bench.production.quiet import DAY, service
from msgspec.structs import replace

from tidegate.errors import InputError
from tidegate.operate.detect.regression import Budget, Regression, Watched
from tidegate.operate.detect.watch import watch
from tidegate.rollout.values import Deployment
from tidegate.telemetry.series import Series

STEP = 15.0
AT = DAY + 3600.0
FAULT = AT + 300.0


def deployed(name: str = "shop") -> Deployment:
    return Deployment(id="deploy-7", environment="production", service=name, status="succeeded", started=AT)


def latency(
    seed: int = 1, *, factor: float = 1.0, since: float = FAULT, until: float = AT + 900, history: float = AT
) -> Watched:
    times = np.arange(AT - history + STEP, until, STEP)
    values = 0.12 * np.exp(0.1 * np.random.default_rng(seed).standard_normal(len(times)))
    values[times >= since] *= factor
    return Watched(
        service="shop",
        metric="p95",
        kind="latency",
        series=Series(name="latency:p95", labels={}, times=times, values=values),
    )


def answer(one: Watched, *others: Watched, now: float = AT + 900, budget: Budget | None = None) -> Regression:
    return watch(deployed(), (one, *others), now=now, budget=budget)[0]


def test_a_doubled_latency_is_suspected_in_three_samples_with_its_evidence() -> None:
    found = answer(latency(factor=2.0))
    assert found.status == "suspected"
    assert (found.deployment, found.service, found.metric, found.held) == ("deploy-7", "shop", "p95", "")
    assert found.raised_at is not None
    assert FAULT <= found.raised_at <= FAULT + 2 * STEP
    assert (found.before, found.after) == pytest.approx((0.12, 0.24), rel=0.05)
    assert found.moved == pytest.approx(FAULT, abs=STEP)
    assert found.earliest is not None
    assert found.latest is not None
    assert found.earliest <= FAULT <= found.latest
    assert found.sure > 0.999
    (reason,) = found.evidence
    assert reason.says.startswith("p95 of shop went from 0.12")
    assert reason.source == "latency:p95"


def test_what_was_suspected_once_stays_suspected_whenever_one_looks_again() -> None:
    one = latency(factor=1.5)
    looked = [answer(one, now=now) for now in np.arange(AT + STEP, AT + 900, 4 * STEP)]
    statuses = [found.status for found in looked]
    first = statuses.index("suspected")
    assert set(statuses[:first]) == {"quiet"}
    assert set(statuses[first:]) == {"suspected"}
    assert len({found.raised_at for found in looked[first:]}) == 1


def test_quiet_services_stay_within_the_budget() -> None:
    raised = 0
    for seed in range(3):
        metrics = service(seed, step=STEP, span=2 * DAY, heavy=seed % 2 == 1)
        for at in (DAY + 1000.0, 1.4 * DAY, 1.9 * DAY):
            answers = watch(replace(deployed(), started=at), metrics, now=at + 3600)
            assert {one.status for one in answers} <= {"quiet", "held", "suspected"}
            raised += any(one.status == "suspected" for one in answers)
    assert raised == 0


def test_errors_in_a_service_with_little_traffic_are_seen_too() -> None:
    metrics = service(3, step=STEP, span=AT + 900)
    errors = metrics[0]
    assert errors.requests is not None
    values = errors.series.values.copy()
    late = errors.series.times >= FAULT
    served = errors.requests.values[late]
    values[late] = np.random.default_rng(1).binomial(served.astype(int), 0.1) / np.maximum(served, 1)
    bad = replace(errors, series=Series(name="e", labels={}, times=errors.series.times, values=values))
    found = next(one for one in watch(deployed(), (bad, *metrics[1:]), now=AT + 900) if one.metric == "errors")
    assert found.status == "suspected"
    assert found.raised_at is not None
    assert found.raised_at <= FAULT + 4 * STEP
    few = Series(name="r", labels={}, times=errors.series.times, values=np.where(late, 0.1, errors.requests.values))
    held = answer(replace(bad, requests=few))
    assert held.status != "suspected"


def test_a_throughput_that_falls_is_bad_where_down_is_bad() -> None:
    one = latency(factor=0.5)
    assert answer(one).status == "quiet"
    assert answer(replace(one, direction="down", kind="count")).status == "suspected"
    assert answer(replace(one, direction="either")).status == "suspected"


HELD = {
    "before the deployment": (latency(factor=2.0, since=AT - 450),),
    "less than the 90% that matter": (replace(latency(factor=1.5), tolerance=0.9),),
    "out of its reach moved as well": (
        latency(factor=2.0),
        *(replace(latency(seed, factor=2.0), service=f"other-{seed}", distance=None) for seed in (2, 3)),
    ),
    "fewer than 20": (
        replace(
            latency(factor=2.0),
            requests=Series(name="r", labels={}, times=np.array([FAULT + 60]), values=np.array([12.0])),
        ),
    ),
}


@pytest.mark.parametrize("why", HELD)
def test_what_is_held_back_says_why(why: str) -> None:
    (found,) = watch(deployed(), HELD[why], now=AT + 900)
    assert found.status == "held"
    assert why in found.held
    assert found.evidence


def test_no_data_is_unknown_and_never_quiet() -> None:
    assert answer(latency(until=AT)).held == "no data since the deployment"
    assert answer(latency(history=21 * STEP)).held == "only 20 points before the deployment, fewer than 30"
    stopped = answer(latency(until=AT + 300))
    assert (stopped.status, stopped.held) == ("unknown", "no data for the last 615 s")
    blank = latency()
    nothing = Series(name="", labels={}, times=blank.series.times, values=np.full(len(blank.series.times), np.nan))
    assert answer(replace(blank, series=nothing)).status == "unknown"
    went_bad_and_silent = answer(latency(factor=2.0, until=AT + 400))
    assert went_bad_and_silent.status == "suspected"


def test_an_hour_of_history_is_enough_for_a_large_step() -> None:
    found = answer(latency(factor=2.0, history=3600))
    assert found.status == "suspected"
    assert found.raised_at is not None
    assert found.raised_at <= FAULT + 10 * STEP


def test_more_metrics_and_a_smaller_budget_want_more_evidence() -> None:
    one = latency(factor=1.25)
    late = answer(one, budget=Budget(alarms_per_week=1e-9)).raised_at or np.inf
    soon = answer(one).raised_at
    assert soon is not None
    assert soon < late
    many = [replace(latency(seed), metric=f"m{seed}") for seed in range(2, 14)]
    among = next(found for found in watch(deployed(), (one, *many), now=AT + 900) if found.metric == "p95")
    assert soon <= (among.raised_at or np.inf) < np.inf


@pytest.mark.parametrize(
    "values", [np.zeros(6060), np.full(6060, 1e300), np.random.default_rng(1).standard_cauchy(6060), -np.ones(6060)]
)
@pytest.mark.parametrize("kind", ["rate", "latency", "count"])
def test_odd_series_are_answered_quietly(values: np.ndarray, kind: str) -> None:
    times = np.arange(6060) * STEP
    one = Watched(service="a", metric="m", kind=kind, series=Series(name="", labels={}, times=times, values=values))  # type: ignore[arg-type]
    assert answer(one, now=times[-1]).status == "quiet"


def test_a_budget_that_is_none_is_refused() -> None:
    for wrong in (Budget(alarms_per_week=0), Budget(span=-1), Budget(alarms_per_week=30), Budget(soon=float("nan"))):
        with pytest.raises(InputError, match="watch budget"):
            answer(latency(), budget=wrong)
    with pytest.raises(InputError, match="one time for each value"):
        answer(replace(latency(), series=Series(name="x", labels={}, times=np.zeros(3), values=np.zeros(4))))


def test_a_short_past_judges_a_quarter_of_its_length_and_says_so() -> None:
    found = answer(latency(history=1200))
    assert found.status == "unknown"
    assert found.held.endswith("so short a past allows to judge the first 270 s and no more")
    assert answer(latency(history=1200, factor=2.0, since=AT + 60)).status == "suspected"


def test_the_slope_of_the_day_is_no_regression_where_only_an_hour_is_known() -> None:
    for seed in range(12):
        metrics = service(seed, step=STEP, span=7200)
        answers = watch(replace(deployed(), started=3600), metrics, now=7200)
        assert "suspected" not in {one.status for one in answers}
