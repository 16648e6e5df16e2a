"""The clock of an exercise, from what happened in it: no process remembers it, and every one of them tells the same.

Two times run. That of the exercise is the minute on which things are seen; the facilitator may set it forward. That in
which people could act stands still with every pause and is never set: the time to decide is counted in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.drill.values import Decision, Inject, Scenario
from tidegate.store.clock import later, moment_of
from tidegate.store.drills import Event, State

TURNS = ("start", "pause", "resume", "skip", "end")


class Stretch(Struct, frozen=True):
    """A time in which the clock runs. Seconds: `begin` and `end` of Unix (None: it runs still), `second` of the
    exercise and `acted` of its people at its beginning."""

    begin: float
    end: float | None
    second: float
    acted: float

    def lasts(self, at: float) -> float:
        return max(0.0, (at if self.end is None else min(at, self.end)) - self.begin)


class Course(Struct, frozen=True):
    """How the clock went. `state`: ready, running, paused or over."""

    stretches: tuple[Stretch, ...]
    state: State

    def second(self, at: float) -> float:
        """Of the exercise at a moment."""
        found = self._then(at)
        return 0.0 if found is None else found.second + found.lasts(at)

    def acted(self, at: float) -> float:
        """How long people could act until a moment."""
        found = self._then(at)
        return 0.0 if found is None else found.acted + found.lasts(at)

    def came(self, minute: int, at: float) -> float | None:
        """How long people could act until this minute came; None where it has not come."""
        for one in self.stretches:
            if one.second >= minute * 60:
                return one.acted
            if one.second + one.lasts(at) >= minute * 60:
                return one.acted + minute * 60 - one.second
        return None

    def _then(self, at: float) -> Stretch | None:
        """The last that had begun."""
        return next((one for one in reversed(self.stretches) if one.begin <= at), None)


def course_of(events: Sequence[Event]) -> Course:
    """The course so far. A moment that lies before the one before it, of a machine whose clock is behind, is that."""
    found: list[Stretch] = []
    state: State = "ready"
    last = 0.0
    for event in events:
        if event.kind not in TURNS:
            continue
        last = at = max(last, seconds_of(event.at))
        state = _AFTER.get(event.kind, state)
        before = found[-1] if found else Stretch(at, at, 0.0, 0.0)
        second, acted = before.second + before.lasts(at), before.acted + before.lasts(at)
        if found and before.end is None:
            found[-1] = Stretch(before.begin, at, before.second, before.acted)
        if event.kind == "skip":
            second = max(second, float(event.said))
        if event.kind != "end":
            found.append(Stretch(at, None if state == "running" else at, second, acted))
    return Course(tuple(found), state)


def next_minute(scenario: Scenario, course: Course, at: float) -> int | None:
    """The minute of what comes next; None where everything has come."""
    return min((one.minute for one in _beats(scenario) if course.came(one.minute, at) is None), default=None)


def due(scenario: Scenario, course: Course, now: str) -> tuple[str, ...]:
    """The moments at which something will be seen or asked, or a time to decide is up, if the clock runs on."""
    if course.state != "running":
        return ()
    at = seconds_of(now)
    waits = set()
    for one in _beats(scenario):
        came = course.came(one.minute, at)
        until = one.minute * 60 - course.second(at) if came is None else 0.0
        waits.add(until)
        if isinstance(one, Decision):
            waits.add(until + one.minutes * 60 - (course.acted(at) - came if came is not None else 0.0))
    return tuple(later(now, wait) for wait in sorted(waits) if wait > 0)


def seconds_of(at: str) -> float:
    """A time of the tables in Unix seconds."""
    return moment_of(at).timestamp()


# Private

_AFTER: Mapping[str, State] = {"start": "running", "resume": "running", "pause": "paused", "end": "over"}


def _beats(scenario: Scenario) -> Iterator[Inject | Decision]:
    yield from scenario.injects
    yield from scenario.decisions
