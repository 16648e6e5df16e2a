"""Who moved first, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.errors import InputError
from tidegate.operate.detect.movers import first_movers
from tidegate.telemetry.series import Series


def moving(name: str, onset: float, *, step: float = 15.0, size: float = 8.0) -> Series:
    times = np.arange(0.0, 3600.0, step)
    values = np.random.default_rng(sum(map(ord, name))).standard_normal(len(times)) + size * (times >= onset)
    return Series(name=name, labels={"job": name}, times=times, values=values)


STILL = [moving(f"still-{number}", np.inf) for number in range(5)]


def test_they_are_in_the_order_in_which_they_moved() -> None:
    found = first_movers([moving("c", 2400), *STILL, moving("a", 1800), moving("b", 2100)], start=0, end=3600)
    assert [one.name for one in found] == ["a", "b", "c"]
    assert found[0].first > 0.99
    assert found[0].at == pytest.approx(1800, abs=30)
    assert all(one.earliest <= one.at <= one.latest for one in found)
    assert found[0].labels == {"job": "a"}
    assert (found[0].before, found[0].after) == pytest.approx((0, 8), abs=0.5)


def test_a_slow_scrape_leaves_it_open_who_was_first() -> None:
    found = first_movers([moving("fast", 1830, step=10), moving("slow", 1820, step=300)], start=0, end=3600)
    assert {one.name for one in found} == {"fast", "slow"}
    assert min(one.first for one in found) > 0.05
    assert sum(one.first for one in found) <= 1.0 + 1e-9
    slow = next(one for one in found if one.name == "slow")
    assert slow.latest - slow.earliest > 200


def test_only_what_moved_in_the_window_counts() -> None:
    assert first_movers([*STILL, moving("a", 1800)], start=2000, end=3600) == ()
    assert first_movers([], start=0, end=1) == ()
    blank = Series(name="blank", labels={}, times=np.arange(100.0), values=np.full(100, np.nan))
    assert first_movers([blank], start=0, end=100) == ()


def test_the_order_of_the_input_changes_nothing() -> None:
    parts = [moving("a", 1800), moving("b", 1830), *STILL, moving("c", 1800)]
    assert first_movers(parts, start=0, end=3600) == first_movers(parts[::-1], start=0, end=3600)


def test_an_empty_window_and_too_many_series_are_refused() -> None:
    with pytest.raises(InputError, match="window is empty"):
        first_movers(STILL, start=5, end=5)
    with pytest.raises(InputError, match="at most 2000"):
        first_movers(STILL * 500, start=0, end=1)
