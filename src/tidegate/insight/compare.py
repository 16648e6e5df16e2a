"""AI against human changes, like with like: within one repository and among changes of about the same size.

Agents get other work than people; a bare comparison of two rates says as much about the work as about who did it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from msgspec import Struct

from tidegate.insight.intervals import risk_ratio
from tidegate.insight.values import Figure, Shipped, Writer

BINS = 5


class Event(Struct, frozen=True):
    """What may happen to a change: whether it did, None where nobody knows."""

    words: str
    of: Callable[[Shipped], bool | None]


REPAIR = Event("repairs", lambda each: None if each.fate == "pending" else each.fate != "clean")
DEBUGGING = Event("production debugging", lambda each: each.debugged)
UNREVIEWED = Event(
    "no review", lambda each: None if each.reviewers is None else not set(each.reviewers) - {each.author}
)


def compare(
    shipped: Sequence[Shipped],
    one: Writer = "ai",
    other: Writer = "human",
    *,
    tool: str = "",
    model: str = "",
    event: Event = REPAIR,
) -> Figure:
    """How many times the risk of the event (repair) of `other`'s changes `one`'s have, by repository and size.

    `tool` or `model` narrow the first group. Changes of which the event is not known, pending ones for a repair, and
    those of unknown writers, are left out and counted.
    """
    happened = event.of
    mine = [each for each in shipped if each.writer in (one, other) and happened(each) is not None]
    mine = [each for each in mine if each.writer != one or _fits(each, tool, model)]
    edges: dict[str, list[int]] = {}
    for repository in {each.repository for each in mine}:
        edges[repository] = _edges([each.size for each in mine if each.repository == repository])
    strata: dict[tuple[str, int], list[int]] = {}
    for each in mine:
        key = (each.repository, bisect_right(edges[each.repository], each.size))
        counts = strata.setdefault(key, [0, 0, 0, 0])
        place = 0 if each.writer == one else 2
        counts[place] += bool(happened(each))
        counts[place + 1] += 1
    named = model or tool or one
    table = [(a, m, b, k) for a, m, b, k in strata.values()]
    return risk_ratio(f"{event.words} of {named} against {other}", table, left_out=len(shipped) - len(mine))


# Private


def _alone(each: Shipped) -> bool | None:
    return None if each.reviewers is None else not set(each.reviewers) - {each.author}


def _fits(each: Shipped, tool: str, model: str) -> bool:
    return (not tool or each.tool == tool) and (not model or each.model == model)


def _edges(sizes: Sequence[int]) -> list[int]:
    """Where fifths of the sizes end; fewer where many are alike."""
    ordered = sorted(sizes)
    return sorted({ordered[len(ordered) * part // BINS] for part in range(1, BINS)}) if ordered else []
