"""Burn rates by the workbook's rules, the guard against low traffic, and counters."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.errors import InputError
from tidegate.operate.detect.burn import WINDOWS, Burn, Guard, burn_rates, increases
from tidegate.telemetry.series import Series

NOW = 4 * 86_400.0
MINUTE = 60.0


def counts(values: np.ndarray | float, *, since: float = 0.0) -> Series:
    times = np.arange(since + MINUTE, NOW + 1, MINUTE)
    return Series(name="requests", labels={}, times=times, values=np.broadcast_to(values, times.shape).astype(float))


def burns(share: float, *, last: float = NOW, requests: float = 600.0, guard: Guard | None = None) -> tuple[Burn, ...]:
    """`share` of the requests fail in the last seconds; the objective is .999."""
    total = counts(requests)
    errors = counts(np.where(total.times > NOW - last, share, 0.0) * requests)
    return burn_rates(errors, total, objective=0.999, now=NOW, guard=guard)


def firing(found: tuple[Burn, ...]) -> list[float]:
    return [one.window.factor for one in found if one.firing]


def test_the_windows_are_those_of_the_workbook() -> None:
    told = [(one.factor, one.long / 3600, one.short / 60) for one in WINDOWS]
    assert told == [(14.4, 1, 5), (6, 6, 30), (3, 24, 120), (1, 72, 360)]


@pytest.mark.parametrize(
    ("share", "factors"),
    [(0.0009, []), (0.0011, [1]), (0.0031, [3, 1]), (0.0061, [6, 3, 1]), (0.0145, [14.4, 6, 3, 1])],
)
def test_a_steady_share_of_errors_fires_the_rules_that_it_passes(share: float, factors: list[float]) -> None:
    found = burns(share)
    assert firing(found) == factors
    assert all((one.long, one.short) == pytest.approx((share / 0.001,) * 2) for one in found)


def test_what_is_over_does_not_fire_and_what_is_sudden_fires_the_fast_rule_first() -> None:
    total = counts(600.0)
    late = (total.times > NOW - 3600) & (total.times <= NOW - 400)
    over = burn_rates(counts(late * 60.0), total, objective=0.999, now=NOW)
    assert 14.4 not in firing(over)
    assert over[0].short == 0.0
    assert firing(burns(0.2, last=600)) == [14.4]


def test_three_requests_are_no_burn_rate() -> None:
    held = burns(0.5, requests=2.0)[0]
    assert (held.firing, held.held) == (False, "only 10 requests in the last 5 min, fewer than 20")
    assert held.short == pytest.approx(500.0)
    few = burns(0.05, requests=8.0)[0]
    assert few.held == "only 2 errors in the last 5 min, fewer than 5"
    assert burns(0.5, requests=2.0, guard=Guard(requests=5, errors=2))[0].firing


def test_no_data_is_said_and_is_no_rate() -> None:
    none = Series(name="r", labels={}, times=np.zeros(0), values=np.zeros(0))
    found = burn_rates(none, none, objective=0.99, now=NOW)
    assert all(one.long is None and one.short is None and not one.firing for one in found)
    assert found[0].held == "no data for 100% of the last 1 h"
    young = counts(600.0, since=NOW - 7200)
    told = burn_rates(counts(60.0, since=NOW - 7200), young, objective=0.999, now=NOW)
    assert firing(told) == [14.4]
    assert told[3].held == "no data for 97% of the last 3 d"


def test_a_counter_that_is_reset_counts_on() -> None:
    counter = Series(name="c", labels={}, times=np.arange(6.0), values=np.array([5.0, 7.0, np.nan, 9.0, 2.0, 3.0]))
    found = increases(counter)
    assert found.values.tolist() == [2.0, 2.0, 2.0, 1.0]
    assert found.times.tolist() == [1.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize(
    ("errors", "total", "objective", "says"),
    [
        (counts(1.0), counts(2.0), 1.0, "the objective is 1.0"),
        (counts(1.0), counts(2.0), float("nan"), "the objective is nan"),
        (counts(-1.0), counts(2.0), 0.9, "a count is negative"),
        (counts(1.0, since=600.0), counts(2.0), 0.9, "not measured at the same times"),
    ],
)
def test_what_cannot_be_is_refused(errors: Series, total: Series, objective: float, says: str) -> None:
    with pytest.raises(InputError, match=says):
        burn_rates(errors, total, objective=objective, now=NOW)
