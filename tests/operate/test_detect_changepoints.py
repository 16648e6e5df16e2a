"""Change points: noise has none, a step is found where it is, and odd series do no harm."""

from __future__ import annotations

import numpy as np
import pytest
from bench.production.quiet import noise
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.operate.detect.changepoints import change_points, noise_of, onset_shares
from tidegate.telemetry.series import Series


def line(values: np.ndarray) -> Series:
    return Series(name="x", labels={}, times=np.arange(len(values)) * 10.0, values=np.asarray(values, dtype=float))


def autoregression(seed: int, phi: float, count: int = 1000) -> np.ndarray:
    return noise(np.random.default_rng(seed), count, phi=phi)


@pytest.mark.parametrize("phi", [0.0, 0.3, 0.6])
def test_noise_has_no_change_and_a_step_of_one_and_a_half_deviations_is_found(phi: float) -> None:
    false = found = 0
    for seed in range(120):
        values = autoregression(seed, phi)
        false += bool(change_points(line(values)))
        place = 150 + 5 * seed
        values[place:] += 1.5
        found += any(abs(one.index - place) <= 25 for one in change_points(line(values)))
    assert false <= 1
    assert found >= 108


def test_a_change_tells_from_what_to_what_and_when() -> None:
    values = autoregression(1, 0.3)
    values[400:] += 5.0
    (one,) = change_points(line(values))
    assert abs(one.index - 400) <= 2
    assert one.at == one.index * 10.0
    assert one.earliest <= 4000.0 <= one.latest
    assert one.latest - one.earliest <= 100.0
    assert (one.before, one.after) == pytest.approx((0.0, 5.0), abs=0.3)
    assert one.strength > 1


def test_a_short_plateau_has_two_edges_and_a_lone_spike_none() -> None:
    values = autoregression(2, 0.0)
    values[700] = 60.0
    assert change_points(line(values)) == ()
    values[300:330] += 6.0
    assert [one.index for one in change_points(line(values))] == pytest.approx([300, 330], abs=1)


@settings(max_examples=20)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.booleans())
def test_units_and_the_direction_of_up_do_not_matter(offset: float, factor: float, mirrored: bool) -> None:
    values = autoregression(4, 0.3, 300)
    values[120:] += 4.0
    places = [one.index for one in change_points(line(values))]
    moved = offset + factor * values * (-1 if mirrored else 1)
    assert [one.index for one in change_points(line(moved))] == places


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(0),
        np.zeros(5),
        np.zeros(500),
        np.full(500, 1e9),
        np.full(500, np.nan),
        np.random.default_rng(1).standard_cauchy(500),
        np.random.default_rng(1).poisson(0.05, 500),
        np.arange(500) % 2,
        autoregression(1, 0.0, 500) * 1e290,
    ],
    ids=["empty", "five", "zeros", "flat", "nothing", "Cauchy", "rare", "alternating", "huge"],
)
def test_what_has_no_change_of_level_has_no_change_point(values: np.ndarray) -> None:
    assert change_points(line(values)) == ()


def test_a_change_without_any_noise_is_found() -> None:
    assert [one.index for one in change_points(line(np.repeat([0.0, 1.0], 50)))] == [50]


def test_points_that_were_not_measured_are_left_out() -> None:
    values = autoregression(5, 0.0, 400)
    values[200:] += 6.0
    values[::7] = np.nan
    (one,) = change_points(line(values))
    assert one.at == pytest.approx(2000.0, abs=30.0)


def test_too_much_or_crooked_input_is_refused() -> None:
    with pytest.raises(InputError, match="at most 200000"):
        change_points(line(np.zeros(200_001)))
    with pytest.raises(InputError, match="one time for each value"):
        change_points(Series(name="x", labels={}, times=np.zeros(3), values=np.zeros(4)))
    with pytest.raises(InputError, match="not ascending"):
        change_points(Series(name="x", labels={}, times=np.array([2.0, 1.0]), values=np.zeros(2)))


def test_the_autocorrelation_is_read_from_noise_with_a_step_in_it() -> None:
    for phi in (0.0, 0.3, 0.6, 0.8):
        values = autoregression(6, phi, 4000)
        values[2000:] += 10.0
        assert noise_of(values).phi == pytest.approx(phi, abs=0.06)


def test_the_shares_of_where_it_began_make_one() -> None:
    values = autoregression(7, 0.3, 100)
    values[60:] += 8.0
    shares = onset_shares(values, noise_of(values))
    assert shares.sum() == pytest.approx(1.0)
    assert shares[58:63].sum() > 0.9
