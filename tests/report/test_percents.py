"""Shares of one whole, in per cent that add up to 100."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.report.layout import percent, percents


@pytest.mark.parametrize(
    ("shares", "shown"),
    [
        ((0.985, 0.0075, 0.0075), (98, 1, 1)),
        ((0.335, 0.335, 0.33), (34, 33, 33)),
        ((0.999, 0.001), (99, 1)),
        ((1.0, 0.0), (100, 0)),
        ((0.5, 0.5), (50, 50)),
        ((0.97, 0.006, 0.006, 0.006, 0.006, 0.006), (95, 1, 1, 1, 1, 1)),
    ],
)
def test_they_add_up(shares: tuple[float, ...], shown: tuple[int, ...]) -> None:
    assert percents(shares) == tuple(f"{each:3d} %" for each in shown)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=99).filter(any))
def test_whatever_they_are_they_add_up_and_none_is_lost(weights: list[int]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    shown = [int(text.removesuffix(" %")) for text in percents(shares)]
    assert sum(shown) == 100
    assert [each > 0 for each in shown] == [share > 0 for share in shares]


def test_what_is_no_whole_stands_by_itself() -> None:
    assert percents((0.3, 0.3)) == (percent(0.3), percent(0.3))
    assert percents([1 / 150] * 150) == (percent(1 / 150),) * 150
