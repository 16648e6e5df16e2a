"""What is measured of changes beside delivery: each measure is a share, or a ratio of two sums, over the same columns.

A ratio of sums takes the change for the unit and not the line: lines of one change share their fate and their reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from tidegate.insight.values import WRITERS, Figure, Row, Shipped, Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]
    Codes: TypeAlias = NDArray[np.int64]

Columns: TypeAlias = "Mapping[str, Array]"
"""One number a change under each name; NaN where it is not known, or where the question does not arise."""


class Measure(Struct, frozen=True):
    """`share`: the changes for which `top` is 1, of those where it is known. `ratio`: the sum of `top` over that of
    `bottom`, times `scale`, of changes where both are known; of unit "share" it is between 0 and 1."""

    name: str
    unit: str
    kind: Literal["share", "ratio"]
    top: str
    bottom: str = "one"
    scale: float = 1.0


REPAIRED = Measure("changes repaired", "share", "share", "repaired")
DEBUGGED = Measure("changes debugged in production", "share", "share", "debugged")
SCRUTINY = (
    Measure("lines reviewed", "share", "ratio", "reviewed", "effort"),
    Measure("review per 100 lines", "seconds", "ratio", "seconds", "effort", 100.0),
    Measure("landed without a review", "share", "share", "unreviewed"),
    Measure("merged by the author", "share", "share", "own"),
)
UPKEEP = (
    Measure("test lines of all lines", "share", "ratio", "tests", "effort"),
    Measure("changes that touch tests", "share", "share", "tested"),
)
DEBT = (
    Measure("complexity added", "per 100 lines", "ratio", "complexity", "added", 100.0),
    Measure("duplicated lines", "share", "ratio", "cloned", "added"),
    Measure("notes to do added", "per 1,000 lines", "ratio", "todos", "added", 1000.0),
)
WRITTEN = (
    Measure("lines by agents", "share", "ratio", "ai", "added"),
    Measure("lines of unknown writers", "share", "ratio", "unknown", "added"),
)


def columns_of(shipped: Sequence[Shipped]) -> Columns:
    """Of the changes, in their order."""
    import numpy as np

    nan = float("nan")
    rows = [_row(one, nan) for one in shipped]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(_NAMES))
    return {name: table[:, place] for place, name in enumerate(_NAMES)}


def by_writer(columns: Columns, measures: Sequence[Measure]) -> Table | None:
    """All changes, and those of each writer of whom there are any; None where nothing of it is known."""
    import numpy as np

    writers = columns["writer"].astype(np.int64)
    whole = tuple(figures_of(each, columns, np.zeros_like(writers), 1)[0] for each in measures)
    if not any(figure.n for figure in whole):
        return None
    split = [figures_of(each, columns, writers, len(WRITERS)) for each in measures]
    present = sorted(set(writers.tolist()))
    rows = tuple(Row(group=WRITERS[number], figures=tuple(one[number] for one in split)) for number in present)
    return Table(by="writer", whole=Row(group="all", figures=whole), rows=rows)


def figures_of(measure: Measure, columns: Columns, groups: Codes, count: int) -> list[Figure]:
    """The measure for each of `count` groups. `groups` numbers the changes from 0; those below 0 are in none."""
    import numpy as np

    from tidegate.insight.ratios import ratios, shares

    top, bottom = columns[measure.top], columns[measure.bottom]
    known = ~(np.isnan(top) | np.isnan(bottom)) & (groups >= 0)
    mine = groups[known]
    left_out = np.bincount(groups[groups >= 0], minlength=count) - np.bincount(mine, minlength=count)
    if measure.kind == "share":
        return shares(measure.name, top[known], mine, left_out)
    pairs = (top[known] * measure.scale, bottom[known])
    return ratios(measure.name, measure.unit, pairs, mine, left_out)


# Private

_NAMES = (
    *("writer", "one", "landed", "lead", "repaired", "debugged"),
    *("reviewed", "seconds", "unreviewed", "own", "size", "effort", "tests", "tested"),
    *("complexity", "cloned", "todos", "added", "ai", "unknown"),
)
_WRITER = {writer: number for number, writer in enumerate(WRITERS)}


def _row(one: Shipped, nan: float) -> tuple[float, ...]:
    bad = one.fate not in ("clean", "pending")
    effort = one.size if one.effort is None else one.effort
    added = sum(one.lines.values())
    alone = one.reviewers is not None and not [person for person in one.reviewers if person != one.author]
    lead = one.deployed - one.began if one.deployed is not None and one.began is not None else nan
    return (
        _WRITER[one.writer],
        1.0,
        one.landed,
        lead if lead >= 0 else nan,
        nan if one.fate == "pending" else float(bad),
        _number(one.debugged, nan),
        nan if one.reviewed is None else float(min(one.reviewed, effort)),
        _number(one.seconds, nan),
        nan if one.reviewers is None else float(alone),
        float(one.merged_by == one.author) if one.merged_by and one.author else nan,
        float(one.size),
        float(effort),
        nan if one.test_lines is None else float(min(one.test_lines, effort)),
        nan if one.test_lines is None or not effort else float(one.test_lines > 0),
        _number(one.complexity, nan),
        nan if one.cloned is None else float(min(one.cloned, added)),
        _number(one.todos, nan),
        float(added),
        float(one.lines.get("ai", 0)),
        float(one.lines.get("unknown", 0)),
    )


def _number(value: float | None, nan: float) -> float:
    return nan if value is None else float(value)
