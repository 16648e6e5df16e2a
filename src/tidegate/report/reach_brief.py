"""Reach in three lines, for the check: how far, what is behind it, how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tidegate.facts import Facts, Unknown
from tidegate.report.escape import terminal
from tidegate.report.layout import cut, grouped, paint, percent
from tidegate.report.style import Style


class Reach(Protocol):
    """What the facts say about reach."""

    @property
    def symbols(self) -> int: ...
    @property
    def reached(self) -> int: ...
    @property
    def entry_points(self) -> Sequence[str]: ...
    @property
    def services(self) -> Sequence[str]: ...
    @property
    def critical_services(self) -> Sequence[str]: ...
    @property
    def owners(self) -> Sequence[str]: ...
    @property
    def tests(self) -> int: ...
    @property
    def unresolved_share(self) -> float: ...
    @property
    def unknowns(self) -> Sequence[Unknown]: ...


def render_reach(facts: Facts, style: Style) -> list[str]:
    """The part of a check about reach: at most three lines, one where it is unknown, none where nothing was asked."""
    reach = facts.reach
    reasons = [unknown.reason for unknown in reach.unknowns]
    if reach.status == "unknown":
        if reasons == ["not collected"]:
            return []
        said = terminal(f"Reach  unknown: {'; '.join(reasons) or 'no reason given'}", unicode=style.unicode)
        line = cut(said, style.width, style)
        return [paint("Reach", style, "bold") + line[len("Reach") :]]
    if not reach.symbols:
        alone = f"  nothing: {grouped(reach.silent, 'symbol')} changed in documentation or format alone"
        return [paint("Reach", style, "bold") + cut(alone, style.width - len("Reach"), style)] if reach.silent else []
    return render_reach_brief(reach, style)


def render_reach_brief(reach: Reach, style: Style) -> list[str]:
    """At most three lines, each as wide as the terminal at most: totals, what it comes to, what is not known.

    An empty answer with something unknown is never said to be nothing.
    """
    lines = [_totals(reach), _behind(reach), _doubt(reach)]
    shown = [cut(terminal(line, unicode=style.unicode), style.width, style) for line in lines if line]
    head = "Reach"
    return [paint(head, style, "bold") + shown[0][len(head) :], *shown[1:]]


# Private

_MOST = 4


def _totals(reach: Reach) -> str:
    parts = [grouped(reach.reached, "symbol")] if reach.reached else []
    parts += [grouped(len(reach.services), "service")] if reach.services else []
    parts += [grouped(len(reach.entry_points), "entry point")] if reach.entry_points else []
    parts += [grouped(len(reach.owners), "owner")] if reach.owners else []
    parts += [grouped(reach.tests, "test")] if reach.tests else []
    affected = ", ".join(parts) or ("unknown" if reach.unknowns else "nothing")
    return f"Reach  {grouped(reach.symbols, 'symbol')} -> {affected}"


def _behind(reach: Reach) -> str:
    critical = set(reach.critical_services)
    named = [f"{name} (critical)" for name in reach.services if name in critical]
    named += [name for name in reach.services if name not in critical]
    named += list(reach.entry_points)
    return f"  {_some(named)}" if named else ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return ", ".join(terminal(name, 40) for name in names[:_MOST]) + more


def _doubt(reach: Reach) -> str:
    parts = [f"{percent(reach.unresolved_share).strip()} of calls unresolved"] if reach.unresolved_share else []
    parts += [unknown.reason for unknown in reach.unknowns[:2]]
    more = len(reach.unknowns) - 2
    parts += [f"{more} more unknown"] if more > 0 else []
    return f"  not known: {'; '.join(parts)}" if parts else ""
