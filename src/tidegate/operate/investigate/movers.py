"""Which signals moved first, and where in the calls between services they stand."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.operate.investigate.values import Movement, Signal

MOST = 12


def order_movers(signals: Sequence[Signal], calls: Sequence[tuple[str, str]]) -> tuple[Movement, ...]:
    """Groups of signals by onset, the first group first; signals whose uncertainties overlap are in one group."""
    groups: list[list[Signal]] = []
    reach = float("-inf")
    for signal in sorted(signals, key=lambda one: (one.onset - one.spread, one.service, one.metric)):
        if signal.onset - signal.spread <= reach:
            groups[-1].append(signal)
        else:
            groups.append([signal])
            reach = float("-inf")
        reach = max(reach, signal.onset + signal.spread)
    return tuple(_movement(group, calls) for group in groups[:MOST])


# Private


def _movement(group: Sequence[Signal], calls: Sequence[tuple[str, str]]) -> Movement:
    services = sorted({signal.service for signal in group})
    deepest = [one for one in services if not any(caller == one and callee in services for caller, callee in calls)]
    says = f"{_listing(services)} moved" if len(services) == 1 else f"{_listing(services)} moved together"
    if deepest and len(deepest) < len(services):
        says += f"; the others call {_listing(deepest)}"
    return Movement(at=min(signal.onset for signal in group), signals=tuple(group), says=says)


def _listing(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
