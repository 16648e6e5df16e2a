"""Label delay: training on what was known at the time, held against training on every label there will ever be.

    python -m bench.risk.delay

Split at 60 %, judged on the rows from 60 to 80 %, whose labels are mature. The same learner is trained on the first
60 % three times: with oracle labels, with those known at the split where silence counts as innocence (what everybody
does), and as Tidegate does it. Each is calibrated on forward answers with the same kind of labels. In Commit Guru's
tables only half of the repaired changes have a date (of the fix that names them); the others get, one for one and in
order, the delays of the dated ones of the same project that are nearest before them in time. ai_era has all dates.
Reference (14 projects): AUC gap .012 to .021, Brier gap .015 to .044.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from bench.risk.protocol import mean, verdict
from bench.risk.tables import Project, ai_era, commit_guru
from tidegate.risk.features.frame import Floats, Targets
from tidegate.risk.model import metrics
from tidegate.risk.model.forward import run_forward

FEWEST = 1000


class Gap(NamedTuple):
    """AUC and Brier with oracle labels, with silence as innocence, and with the delay curve."""

    oracle: tuple[float, float]
    naive: tuple[float, float]
    curve: tuple[float, float]


def main() -> int:
    bars: list[tuple[str, float, float, bool]] = []
    dated = [project for project in ai_era() if len(project.frame.ids) >= FEWEST]
    for title, projects in (("Commit Guru", [_all_dated(one) for one in commit_guru()]), ("ai_era", dated)):
        print(f"\n{title:<28} {'oracle':>15} {'silence is good':>15} {'delay curve':>15}   (AUC, Brier)")
        found = [_one(project) for project in projects]
        areas = [mean(part[column][0] for part in found) for column in range(3)]
        errors = [mean(part[column][1] for part in found) for column in range(3)]
        print(f"{'mean':<28}", *(f"{area:7.4f} {error:7.4f}" for area, error in zip(areas, errors, strict=True)))
        bars += [
            (f"{title}: AUC lost to delay", areas[0] - areas[2], 0.01, areas[0] - areas[2] <= 0.01),
            (f"{title}: Brier lost to delay", errors[2] - errors[0], 0.02, errors[2] - errors[0] <= 0.02),
        ]
    return verdict(bars)


def _one(project: Project) -> Gap:
    rows = len(project.frame.ids)
    split, stop = int(0.6 * rows), int(0.8 * rows)
    now = int(project.frame.at[split])
    known = (project.targets.known_at >= 0) & (project.targets.known_at <= now)
    at_once = Targets(np.where(known, 1.0, 0.0), np.where(known, project.frame.at, -1))
    gap = Gap(*(_figures(project, targets, split, stop) for targets in (project.oracle, at_once, project.targets)))
    print(f"{project.name[:28]:<28}", *(f"{area:7.4f} {error:7.4f}" for area, error in gap), flush=True)
    return gap


def _figures(project: Project, targets: Targets, split: int, stop: int) -> tuple[float, float]:
    """One model and one calibration, both as they stood at the split, on the rows after it."""
    edges = [*(int(edge) for edge in np.linspace(0.3 * split, split, 5)), stop]
    frame = project.frame.rows(0, stop)
    forward = run_forward(frame, targets.rows(0, stop), edges, None, refreshes=1)
    truth: Floats = project.truth[split:stop]
    return metrics.auc(forward.raw[split:], truth), metrics.brier(forward.chance[split:], truth)


def _all_dated(project: Project) -> Project:
    """The project with a delay for every repaired change."""
    at, known = project.frame.at, project.targets.known_at.copy()
    delay = known - at
    pool = delay[(known >= 0) & (delay > 0)].tolist()
    for turn, row in enumerate(np.flatnonzero((known >= 0) & (delay == 0))):
        place = int(((known >= 0) & (delay > 0))[:row].sum())
        known[row] = at[row] + (pool[(max(place, 1) - 1 - turn % 50) % len(pool)] if pool else 0)
    return project._replace(targets=Targets(project.targets.repaired, known))


if __name__ == "__main__":
    sys.exit(main())
