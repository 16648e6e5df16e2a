"""The clock of an exercise: it follows from what happened, whatever happened when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.server.drills import tiny
from tidegate.server.drill.course import Course, course_of, due, next_minute, seconds_of
from tidegate.store.clock import later
from tidegate.store.drills import Event, Kind

BEGIN = "2026-03-01T09:00:00.000000Z"


def events(*turns: tuple[Kind, float, str]) -> list[Event]:
    return [
        Event(number, 1, f"turn:{number}", kind, 1, "session", "", said, later(BEGIN, at), None)
        for number, (kind, at, said) in enumerate(turns)
    ]


def at(seconds: float) -> float:
    return seconds_of(BEGIN) + seconds


def test_time_to_decide_stands_still_with_a_pause_and_is_never_set_forward() -> None:
    course = course_of(events(("start", 0, ""), ("pause", 60, ""), ("resume", 600, ""), ("skip", 630, "300")))
    assert (course.second(at(700)), course.acted(at(700))) == (370.0, 160.0)
    assert (course.second(at(300)), course.acted(at(300))) == (60.0, 60.0)
    assert course.came(1, at(700)) == 60.0
    assert course.came(2, at(700)) == 90.0  # the facilitator set the clock over it
    assert course.came(5, at(700)) == 90.0
    assert course.came(6, at(700)) == 150.0
    assert course.came(7, at(700)) is None


def test_nothing_comes_before_it_began_or_after_it_ended() -> None:
    assert course_of([]).came(0, at(0)) is None
    over = course_of(events(("start", 0, ""), ("end", 90, "")))
    assert (over.state, over.second(at(9_000)), over.came(2, at(9_000))) == ("over", 90.0, None)


def test_a_clock_that_is_behind_takes_nothing_back() -> None:
    """Of two machines one is five seconds behind."""
    course = course_of(events(("start", 10, ""), ("pause", 5, ""), ("resume", 6, ""), ("end", 70, "")))
    assert course.second(at(100)) == 60.0


def test_what_is_due_is_said_to_the_moment() -> None:
    scenario = tiny(injects=(0, 2), decisions=((1, 3),))
    course = course_of(events(("start", 0, "")))
    assert due(scenario, course, later(BEGIN, 30)) == tuple(later(BEGIN, each) for each in (60, 120, 240))
    assert next_minute(scenario, course, at(30)) == 1
    assert due(scenario, course, later(BEGIN, 90)) == tuple(later(BEGIN, each) for each in (120, 240))
    paused = course_of(events(("start", 0, ""), ("pause", 30, "")))
    assert due(scenario, paused, later(BEGIN, 40)) == ()
    assert next_minute(scenario, course, at(130)) is None


@given(st.lists(st.tuples(st.sampled_from(["pause", "resume", "skip"]), st.floats(0, 400)), max_size=12))
def test_both_clocks_only_go_forward_and_what_came_stays(turns: list[tuple[Kind, float]]) -> None:
    moment, made = 0.0, [("start", 0.0, "")]
    for kind, wait in turns:
        moment += wait
        made.append((kind, moment, str(int(moment) * 2)))
    every = events(*made)  # type: ignore[arg-type]
    course = course_of(every)
    looks = [at(moment * step / 10) for step in range(13)]
    for one in (course.second, course.acted):
        told = [one(look) for look in looks]
        assert told == sorted(told)
    assert all(course.acted(look) <= course.second(look) + 1e-6 for look in looks)
    for minute in range(0, 20, 3):
        came = course.came(minute, looks[-2])
        assert came is None or course.came(minute, looks[-1]) == came
    assert isinstance(course_of(every[:1]), Course)
