"""The service at the root: a cascade of thresholds down the calls, and whose own extra nobody below explains."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.operate.services.unusual import Reading, read_services
from tidegate.operate.values import Evidence
from tidegate.telemetry.series import Series

THRESHOLDS = (10.0, 5.0, 3.0, 2.0, 1.0)
"""Spreads, from sure to weak: the trail is first followed where every step of it is clearly unusual."""
NOISES = 2.0
MOST_TRAILS = 20_000
MOST_SERVICES = 2_000

Calls = Mapping[str, Collection[str]]


class ServiceSuspect(Struct, frozen=True, kw_only=True):
    """A service that may be at the root, most suspect first in an answer. `place`: the sum of its two ranks."""

    service: str
    place: int
    evidence: tuple[Evidence, ...]


def locate_cause(
    target: str,
    metric: str,
    incident: Sequence[Series],
    quiet: Sequence[Series],
    calls: Calls,
    outside: Collection[str] = (),
) -> tuple[ServiceSuspect, ...]:
    """The services that `target` reaches by calls, the likeliest root of its trouble in `metric` first.

    `quiet` are the same series in a time without trouble, at least ten points each. `outside` are names that only their
    callers measure: such a view repeats what stands behind it, and comes after the services that speak for themselves.
    """
    reached = sorted(_reach(target, calls))
    if len(reached) > MOST_SERVICES:
        raise InputError(f"{len(reached)} services are within reach", where=target, mend="hand in a part of the graph")
    readings = read_services(incident, quiet, metric, reached)
    virtual = frozenset(outside)
    trail, sums = _follow(target, readings, calls, virtual)
    own = _own_extra(readings, calls, virtual)
    by_own = sorted(reached, key=lambda name: (name in virtual, -own[name], -readings[name].spreads, name))
    places = {name: trail.index(name) + by_own.index(name) for name in reached}
    order = sorted(reached, key=lambda name: (places[name], by_own.index(name), name))
    return tuple(
        ServiceSuspect(
            service=name, place=places[name], evidence=tuple(_explain(readings[name], sums.get(name), own[name]))
        )
        for name in order
    )


# Private


def _reach(target: str, calls: Calls) -> set[str]:
    seen, front = {target}, {target}
    while front:
        front = {callee for name in front for callee in calls.get(name, ())} - seen
        seen |= front
    return seen


def _follow(
    target: str, readings: Mapping[str, Reading], calls: Calls, virtual: Collection[str]
) -> tuple[list[str], dict[str, float]]:
    """All services in the order of the cascade, and the greatest sum of spreads on a trail to each end."""
    order: list[str] = []
    best: dict[str, float] = {}
    for threshold in THRESHOLDS:
        ends = _ends(target, readings, calls, virtual, threshold)
        for name in sorted(ends, key=lambda name: (name in virtual, -ends[name], name)):
            if name not in best:
                order.append(name)
                best[name] = ends[name]
    rest = sorted(readings.keys() - best.keys(), key=lambda name: (name in virtual, -readings[name].spreads, name))
    return [*order, *rest], best


def _ends(
    target: str, readings: Mapping[str, Reading], calls: Calls, virtual: Collection[str], threshold: float
) -> dict[str, float]:
    """The services where trails of unusual services end: nothing that they call is unusual."""
    ends: dict[str, float] = {}
    stack: list[tuple[str, frozenset[str], float]] = [(target, frozenset({target}), 0.0)]
    for _ in range(MOST_TRAILS):
        if not stack:
            break
        name, path, above = stack.pop()
        below = [c for c in sorted(calls.get(name, ())) if c not in path and readings[c].spreads >= threshold]
        whole = above + readings[name].spreads
        if not any(callee not in virtual for callee in below) and (
            name != target or readings[name].spreads >= threshold
        ):
            ends[name] = max(ends.get(name, 0.0), whole)
        stack += [(callee, path | {callee}, whole) for callee in below]
    return ends


def _own_extra(readings: Mapping[str, Reading], calls: Calls, virtual: Collection[str]) -> dict[str, float]:
    """What each added beyond chance and beyond what it calls, less where its series hardly left their usual."""
    own = {}
    for name, one in readings.items():
        below = math.fsum(_beyond(readings[c]) for c in set(calls.get(name, ())) if c not in virtual and c != name)
        own[name] = max(0.0, _beyond(one) - below) * (1 - math.exp(-max(0.0, one.spreads) / 5))
    return own


def _beyond(one: Reading) -> float:
    return max(0.0, one.extra - NOISES * one.noise) if one.extra is not None else 0.0


def _explain(one: Reading, trail: float | None, own: float) -> list[Evidence]:
    found = []
    if one.series:
        says = f"{one.series} left its usual by {one.spreads:.1f} spreads"
        found.append(Evidence(kind="unusual", weight=min(3.0, one.spreads / 10), says=says, source=one.series))
    if trail is not None:
        says = "a trail of unusual services ends here"
        found.append(Evidence(kind="trail", weight=1.0, says=says, source=one.service))
    if own > 0:
        says = f"{own:.3g} of extra time or failures are its own, not of what it calls"
        found.append(Evidence(kind="own", weight=1.0, says=says, source=one.series))
    return found
