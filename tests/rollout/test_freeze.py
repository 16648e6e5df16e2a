"""When a freeze holds: over time zones, summer time, weeks, months and years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.rollout.freeze import Freeze, Period, make_period

BERLIN = "Europe/Berlin"


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def holds(period: Period, text: str) -> bool:
    return period.holds(at(text), at(text)) is not None


@pytest.mark.parametrize(
    ("moment", "frozen"),
    [
        ("2026-03-06T14:59:59+00:00", False),  # Friday 15:59:59 in Berlin, winter
        ("2026-03-06T15:00:00+00:00", True),
        ("2026-03-09T06:59:59+00:00", True),  # Monday 07:59:59
        ("2026-03-09T07:00:00+00:00", False),
        ("2026-03-27T15:00:00+00:00", True),  # into the weekend in which the clock goes forward
        ("2026-03-30T05:59:59+00:00", True),
        ("2026-03-30T06:00:00+00:00", False),  # Monday 08:00 is an hour earlier now
        ("2026-07-03T13:59:59+00:00", False),
        ("2026-07-03T14:00:00+00:00", True),
        ("2026-10-26T06:59:59+00:00", True),  # the clock went back
        ("2026-10-26T07:00:00+00:00", False),
    ],
)
def test_a_weekend_keeps_the_clock_of_its_zone(moment: str, frozen: bool) -> None:
    assert holds(make_period("week", "Fri 16:00", "Mon 08:00", BERLIN, "f"), moment) is frozen


def test_clock_times_that_come_twice_or_never_make_it_longer() -> None:
    twice = make_period("", "2026-10-25T02:30", "2026-10-25T12:00", BERLIN, "f")
    assert holds(twice, "2026-10-25T00:30:00+00:00")  # the first 02:30
    until = make_period("", "2026-10-24T12:00", "2026-10-25T02:30", BERLIN, "f")
    assert holds(until, "2026-10-25T01:29:59+00:00")  # before the second 02:30
    never = make_period("", "2026-03-29T02:30", "2026-03-29T12:00", BERLIN, "f")
    assert holds(never, "2026-03-29T00:30:00+00:00")
    ends = make_period("", "2026-03-28T12:00", "2026-03-29T02:30", BERLIN, "f")
    assert holds(ends, "2026-03-29T01:29:59+00:00")
    starts, stops = make_period("", "2026-03-29T02:30", "2026-10-25T02:30", BERLIN, "f").inner()
    assert (starts, stops) == (at("2026-03-29T01:30:00+00:00"), at("2026-10-25T00:30:00+00:00"))  # leave is shorter


@pytest.mark.parametrize(
    ("every", "starts", "until", "yes", "no"),
    [
        ("year", "12-20", "01-03", ["2026-12-20T00:00+00:00", "2027-01-03T23:59+00:00"], ["2027-01-04T00:00+00:00"]),
        ("year", "02-29", "02-29", ["2028-02-29T12:00+00:00", "2027-02-28T12:00+00:00"], ["2028-03-01T00:00+00:00"]),
        ("month", "-1", "-1", ["2026-02-28T01:00+00:00", "2026-04-30T01:00+00:00"], ["2026-04-29T23:59+00:00"]),
        ("month", "28 18:00", "2 06:00", ["2026-02-28T18:00+00:00", "2026-03-02T05:59+00:00"], ["2026-03-02T06:00Z"]),
        ("month", "31", "31", ["2026-04-30T12:00+00:00", "2026-05-31T12:00+00:00"], ["2026-05-30T12:00+00:00"]),
        ("day", "18:00", "08:00", ["2026-03-04T18:00+00:00", "2026-03-05T07:59+00:00"], ["2026-03-05T12:00+00:00"]),
        ("day", "12:00", "13:00", ["2026-03-04T12:00+00:00"], ["2026-03-04T13:00+00:00", "2026-03-04T11:59+00:00"]),
        ("week", "Sat", "Sun", ["2026-03-07T00:00+00:00", "2026-03-08T23:59+00:00"], ["2026-03-09T00:00+00:00"]),
        ("week", "Mon 09:00", "Mon 08:00", ["2026-03-04T12:00+00:00"], ["2026-03-02T08:30+00:00"]),
        ("", "2026-12-20", "2026-12-24", ["2026-12-24T23:59+00:00"], ["2026-12-25T00:00+00:00"]),
        ("", "2026-12-20T10:00+09:00", "2026-12-20T12:00Z", ["2026-12-20T01:00Z"], ["2026-12-20T00:59Z"]),
    ],
)
def test_periods_that_come_again(every: str, starts: str, until: str, yes: list[str], no: list[str]) -> None:
    period = make_period(every, starts, until, "UTC", "f")  # type: ignore[arg-type]
    assert [text for text in yes if not holds(period, text)] == []
    assert [text for text in no if holds(period, text)] == []


@given(
    zone=st.sampled_from(["UTC", BERLIN, "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]),
    minutes=st.integers(0, 60 * 24 * 365 * 3),
    begin=st.tuples(st.integers(0, 6), st.integers(0, 23)),
    end=st.tuples(st.integers(0, 6), st.integers(0, 23)),
)
def test_a_week_is_as_the_clock_on_the_wall_says(
    zone: str, minutes: int, begin: tuple[int, int], end: tuple[int, int]
) -> None:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    wall = moment.astimezone(ZoneInfo(zone))
    here = (wall.weekday(), wall.hour)
    inside = begin <= here < end if begin < end else here >= begin or here < end
    text = [f"{names[day]} {hour:02}:00" for day, hour in (begin, end)]
    period = make_period("week", text[0], text[1], zone, "f")
    found = period.holds(moment.timestamp(), moment.timestamp()) is not None
    near_change = len({(moment + timedelta(hours=h)).astimezone(ZoneInfo(zone)).utcoffset() for h in (-26, 26)}) > 1
    assert found or not inside  # never shorter
    assert found == inside or near_change


@given(st.floats(0, 4e9), st.floats(0, 3600), st.floats(0, 3600))
def test_a_clock_that_may_be_off_by_more_is_never_freer(now: float, skew: float, more: float) -> None:
    freeze = Freeze("f", (), (make_period("day", "10:00", "10:30", BERLIN, "f"),))
    if freeze.ends("e", now - skew, now + skew) is not None:
        assert freeze.ends("e", now - skew - more, now + skew + more) is not None
