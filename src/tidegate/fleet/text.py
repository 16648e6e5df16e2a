"""A fleet as one table, and what its repositories say together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidegate.facts import to_json
from tidegate.fleet.work import SCHEMA, Row
from tidegate.report.escape import json_line, terminal
from tidegate.report.layout import cut, grouped, pad, paint, wrap
from tidegate.report.style import Style

_NAME = 28


def render_fleet(rows: Sequence[Row], style: Style) -> str:
    """A line for each repository in the order of the list, then the fleet, then what failed and why."""
    good = [row for row in rows if not row.failure]
    bad = [row for row in rows if row.failure]
    head = pad("repository", _NAME) + "  changes  matured  repaired    AUC  lines  off by"
    lines = [paint(head, style, "bold"), *(_line(row, style) for row in good)]
    blocks = [lines, _together(good, style), _tried(good, style), _failures(bad, style)]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


def render_fleet_json(rows: Sequence[Row]) -> str:
    """All rows for machines."""
    return json_line(to_json({"schema": SCHEMA, "repositories": rows}).decode()) + "\n"


# Private


def _line(row: Row, style: Style) -> str:
    name = pad(cut(terminal(row.name, unicode=style.unicode), _NAME, style), _NAME)
    figures, found = row.figures, row.evaluation
    if figures is None or found is None:
        return name
    share = f"{figures.repaired / figures.matured:.0%}" if figures.matured else "-"
    scores = (_number(found.auc), _number(found.lines_added_auc), _number(found.calibration_error))
    counts = f"{figures.changes:>8,} {figures.matured:>8,} {share:>9}"
    return f"{name} {counts}  {scores[0]:>5}  {scores[1]:>5}  {scores[2]:>6}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _together(rows: Sequence[Row], style: Style) -> list[str]:
    judged = [row.evaluation for row in rows if row.evaluation is not None and row.evaluation.auc is not None]
    matured = sum(row.figures.matured for row in rows if row.figures)
    repaired = sum(row.figures.repaired for row in rows if row.figures)
    parts = [f"{grouped(len(rows), 'repository') if len(rows) == 1 else f'{len(rows):,} repositories'}"]
    if matured:
        parts.append(f"{repaired:,} of {matured:,} matured changes had to be repaired ({repaired / matured:.0%})")
    if judged:
        parts.append(
            f"mean AUC {_mean(one.auc for one in judged)}, lines added {_mean(one.lines_added_auc for one in judged)}"
        )
        parts.append(f"probabilities off by {_mean(one.calibration_error for one in judged)} on average")
    if len(judged) < len(rows):
        parts.append(f"{len(rows) - len(judged):,} with too few changes to judge the answers by")
    return wrap("; ".join(parts), style.width)


def _tried(rows: Sequence[Row], style: Style) -> list[str]:
    """What the policy would have done, for each repository with changes that can be judged, and in all."""
    tried = [(row, row.tried) for row in rows if row.tried is not None and row.tried.changes]
    if not tried:
        return []
    head = pad("policy tried on", _NAME) + "  changes  repaired  held  caught  delayed  hours"
    lines = [paint(head, style, "bold")]
    for row, one in tried:
        name = pad(cut(terminal(row.name, unicode=style.unicode), _NAME, style), _NAME)
        shares = (one.whole.held, one.whole.caught, one.whole.delayed)
        held, caught, delayed = (f"{share.value:.0%}" if share.total else "-" for share in shares)
        lines.append(
            f"{name} {one.changes:>8,} {one.repaired:>9,} {held:>5} {caught:>7} {delayed:>8} {one.whole.hours:>6,.0f}"
        )
    stopped, changes = (sum(one.whole.held.count for _, one in tried), sum(one.changes for _, one in tried))
    found, repaired = (sum(one.whole.caught.count for _, one in tried), sum(one.repaired for _, one in tried))
    said = f"in all {stopped:,} of {changes:,} changes held, among them {found:,} of the {repaired:,} repaired later"
    return [*lines, *wrap(said, style.width)]


def _mean(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.3f}" if known else "not known"


def _failures(rows: Sequence[Row], style: Style) -> list[str]:
    lines = [paint("Not read", style, "bold")] if rows else []
    for row in rows:
        lines += wrap(terminal(f"{row.name}: {row.failure}", unicode=style.unicode), style.width, "  ", "    ")
    return lines
