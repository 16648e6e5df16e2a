"""Delivery by DORA's definitions of January 2026 (dora.dev): how fast changes go out, and what became of them.

Throughput: deployment frequency, lead time, failed deployment recovery time. Instability: change failure rate,
deployment rework rate. Each for all, and by who wrote the changes, tool, model, team and repository.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tidegate.insight.intervals import median, rate, share
from tidegate.insight.ratios import mean
from tidegate.insight.values import WRITERS, Figure, Ran, Row, Shipped, Table, Writer, Written

T = TypeVar("T", Shipped, Ran)
BY = ("writer", "tool", "model", "team", "repository")
SOUND = ("clean", "pending")
NONE = "none"
"""What groups are called that nobody named."""


def deliver(shipped: Sequence[Shipped], ran: Sequence[Ran], days: float, by: str = "writer") -> Table:
    """The figures of all changes and deployments of `days`, and of each group. `by` is one of BY."""
    groups: dict[str, tuple[list[Shipped], list[Ran]]] = {}
    for change in shipped:
        groups.setdefault(_group(change, by), ([], []))[0].append(change)
    for deployment in ran:
        groups.setdefault(_group(deployment, by), ([], []))[1].append(deployment)
    names = sorted(groups, key=_order(by))
    return Table(
        by=by,
        whole=Row(group="all", figures=_figures(shipped, ran, days)),
        rows=tuple(Row(group=name, figures=_figures(*groups[name], days)) for name in names),
    )


def written_by(shipped: Sequence[Shipped], by: str) -> tuple[Written, ...]:
    """Changed lines by writer for each group, in the order of the table's rows."""
    groups: dict[str, dict[Writer, int]] = {}
    for one in shipped:
        lines = groups.setdefault(_group(one, by), dict.fromkeys(WRITERS, 0))
        for writer in WRITERS:
            lines[writer] += one.lines.get(writer, 0)
    return tuple(
        Written(by=by, group=name, lines=tuple(groups[name].items())) for name in sorted(groups, key=_order(by))
    )


# Private


def _figures(shipped: Sequence[Shipped], ran: Sequence[Ran], days: float) -> tuple[Figure, ...]:
    leads = [one.deployed - one.began for one in shipped if one.deployed is not None and one.began is not None]
    judged = [one for one in ran if one.failed is not None]
    failed = [one for one in judged if one.failed]
    recovered = [one.recovered for one in failed if one.recovered is not None]
    known = [one for one in ran if one.rework is not None]
    settled = [one for one in shipped if one.fate != "pending"]
    repaired = [one for one in settled if one.fate != "clean"]
    return (
        rate("deployment frequency", len(ran), days if ran else 0.0),
        median("lead time", [lead for lead in leads if lead >= 0], "seconds", left_out=len(shipped) - len(leads)),
        share("change failure rate", len(failed), len(judged), left_out=len(ran) - len(judged)),
        median("failed deployment recovery time", recovered, "seconds", left_out=len(failed) - len(recovered)),
        share("rework rate", sum(bool(one.rework) for one in known), len(known), left_out=len(ran) - len(known)),
        share("changes repaired", len(repaired), len(settled), left_out=len(shipped) - len(settled)),
        *_aftermath(shipped, len(repaired)),
    )


def _aftermath(shipped: Sequence[Shipped], repaired: int) -> tuple[Figure, Figure]:
    """What repairs took: deployments until a repair held, and looking for the fault in production."""
    again = [float(one.redeploys) for one in shipped if one.redeploys is not None and one.fate not in SOUND]
    known = [bool(one.debugged) for one in shipped if one.debugged is not None]
    return (
        mean("redeploys a repaired change", again, "redeploys", left_out=repaired - len(again)),
        share("changes debugged in production", sum(known), len(known), left_out=len(shipped) - len(known)),
    )


def _group(one: Shipped | Ran, by: str) -> str:
    if by not in BY:
        raise ValueError(f"{by!r} is none of {', '.join(BY)}")
    return str(getattr(one, by)) or NONE


def _order(by: str) -> Callable[[str], tuple[int, str]]:
    """Writers in their own order; everything else by name, the nameless last."""
    if by == "writer":
        return lambda name: (WRITERS.index(name) if name in WRITERS else len(WRITERS), name)
    return lambda name: (name == NONE, name)
