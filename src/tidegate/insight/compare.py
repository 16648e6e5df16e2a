"""AI against human changes, like with like: within one repository and among changes of about the same size.

Agents get other work than people; a bare comparison of two rates says as much about the work as about who did it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from tidegate.insight.intervals import risk_ratio
from tidegate.insight.measures import Columns, columns_of
from tidegate.insight.values import WRITERS, Figure, Shipped, Writer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 5
Event: TypeAlias = Literal["repaired", "debugged", "unreviewed"]
WORDS: Mapping[Event, str] = {"repaired": "repairs", "debugged": "production debugging", "unreviewed": "no review"}


class Grouped(Struct, frozen=True):
    """Changes as columns, with numbers for their repositories, tools and models."""

    columns: Columns
    repositories: NDArray[np.int64]
    tools: NDArray[np.str_]
    models: NDArray[np.str_]


def compare(
    shipped: Sequence[Shipped],
    one: Writer = "ai",
    other: Writer = "human",
    *,
    tool: str = "",
    model: str = "",
    event: Event = "repaired",
) -> Figure:
    """How many times the risk of the event (repair) of `other`'s changes `one`'s have, by repository and size.

    `tool` or `model` narrow the first group. Changes of which the event is not known, pending ones for a repair, and
    those of other writers, are left out and counted.
    """
    return compare_in(grouped(shipped), one, other, tool=tool, model=model, event=event)


def grouped(shipped: Sequence[Shipped], columns: Columns | None = None) -> Grouped:
    """The changes, ready to be compared in several ways."""
    import numpy as np

    number = {name: place for place, name in enumerate(sorted({each.repository for each in shipped}))}
    return Grouped(
        columns if columns is not None else columns_of(shipped),
        np.array([number[each.repository] for each in shipped], dtype=np.int64),
        np.array([each.tool for each in shipped], dtype=np.str_),
        np.array([each.model for each in shipped], dtype=np.str_),
    )


def compare_in(
    changes: Grouped,
    one: Writer = "ai",
    other: Writer = "human",
    *,
    tool: str = "",
    model: str = "",
    event: Event = "repaired",
) -> Figure:
    """As `compare`."""
    import numpy as np

    happened, writer = changes.columns[event], changes.columns["writer"]
    first = writer == WRITERS.index(one)
    for wanted, named in ((tool, changes.tools), (model, changes.models)):
        first = first & (named == wanted) if wanted else first
    mine = (first | (writer == WRITERS.index(other))) & ~np.isnan(happened)
    strata = _strata(changes.repositories[mine], changes.columns["size"][mine])
    count = int(strata.max(initial=-1)) + 1
    table = []
    for group in (first[mine], ~first[mine]):
        hits = np.bincount(strata[group], weights=happened[mine][group], minlength=count)
        table += [hits.astype(int).tolist(), np.bincount(strata[group], minlength=count).tolist()]
    used = [row for row in zip(*table, strict=True) if row[1] or row[3]]
    words = f"{WORDS[event]} of {model or tool or one} against {other}"
    return risk_ratio(words, used, left_out=len(mine) - int(mine.sum()))


# Private


def _strata(repositories: NDArray[np.int64], sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """One number for each repository and fifth of its sizes; where many are alike there are fewer."""
    import numpy as np

    order = np.lexsort((sizes, repositories))
    counts = np.bincount(repositories)
    starts = np.cumsum(counts) - counts
    place = np.zeros(len(sizes), dtype=np.int64)
    for part in range(1, BINS):
        edge = np.zeros(len(counts))
        there = counts > 0
        edge[there] = sizes[order][(starts + counts * part // BINS)[there]]
        place += sizes >= edge[repositories]
    return repositories * BINS + place
