"""Runs of lines: first and last, both included."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from tidegate.provenance.values import LineRange


def joined(ranges: Iterable[LineRange]) -> tuple[LineRange, ...]:
    """The same lines in ascending runs that neither overlap nor touch."""
    runs: list[LineRange] = []
    for first, last in sorted(ranges):
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    return tuple(runs)


def outside(lines: Sequence[LineRange], others: Sequence[LineRange]) -> tuple[LineRange, ...]:
    """The part of `lines` that `others` do not cover. Both are ascending and without overlap."""
    left: list[LineRange] = []
    index = bisect_left(others, lines[0]) if lines else 0
    index = max(index - 1, 0)
    for first, last in lines:
        while index < len(others) and others[index][1] < first:
            index += 1
        at = index
        while first <= last and at < len(others) and others[at][0] <= last:
            if others[at][0] > first:
                left.append((first, others[at][0] - 1))
            first = others[at][1] + 1
            at += 1
        if first <= last:
            left.append((first, last))
    return tuple(left)
