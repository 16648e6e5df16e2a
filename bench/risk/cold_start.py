"""Cold start: what a project is told by a prior of all others, with none and with 300 labels of its own.

    python -m bench.risk.cold_start

For each project a prior is trained on the others (both collections together, the same code that trains the prior which
ships). Scored are the newest 20 %: by what a repository without labels is answered, ranks read from the older rows
without their labels; and calibrated on the last 300 rows before the split, whose labels are then its only own ones.
Reference: .783 / .739 without labels, calibration error .132 / .091 uncalibrated, .037 / .048 after 500.
"""

from __future__ import annotations

import sys

import numpy as np

from bench.risk.protocol import mean, prior_without, verdict
from bench.risk.tables import Project, commit_guru, issta21
from tidegate.risk.model import metrics
from tidegate.risk.model.calibration import fit_platt
from tidegate.risk.model.ladder import learn
from tidegate.risk.model.linear import sigmoid
from tidegate.risk.model.maturity import Seen

OWN = 300


def main() -> int:
    sets = {"Commit Guru": (commit_guru(), 0.775), "issta21": (issta21(), 0.735)}
    pool = [project for projects, _ in sets.values() for project in projects]
    bars: list[tuple[str, float, float, bool]] = []
    print(f"{'project':<28} {'prior':>6} {'lines':>6} {'300':>6} {'ECE raw':>8} {'ECE 300':>8} {'luck':>6}")
    for title, (projects, least) in sets.items():
        rows = [_one(project, pool) for project in projects]
        means = [mean(row[column] for row in rows) for column in range(6)]
        print(_line(f"mean of {title}", means))
        bars += [
            (f"{title}: AUC without own labels", means[0], least, means[0] >= least),
            (f"{title}: calibration error after {OWN} own labels", means[4], 0.05, means[4] <= 0.05),
        ]
    return verdict(bars)


def _one(project: Project, pool: list[Project]) -> list[float]:
    split = project.split
    prior = prior_without(project.name, pool)
    before, after = project.frame.rows(0, split), project.frame.values[split:]
    truth = project.truth[split:]
    nothing = np.zeros(split)
    without = learn(before, Seen(nothing, nothing, nothing), prior)
    alone = without.raw(after)
    own = project.truth[split - OWN : split]
    seen = Seen(own, own, np.ones(OWN))
    mine = learn(project.frame.rows(split - OWN, split), seen, prior)
    platt = fit_platt(without.raw(before.values[-OWN:]), seen, np.ones(OWN))
    chance = platt.chance(alone)
    found = [
        metrics.auc(alone, truth),
        metrics.auc(project.frame.column("la")[split:], truth),
        metrics.auc(mine.raw(after), truth),
        metrics.calibration_error(sigmoid(alone), truth),
        metrics.calibration_error(chance, truth),
        metrics.calibration_floor(chance),
    ]
    print(_line(project.name, found), flush=True)
    return found


def _line(name: str, row: list[float]) -> str:
    return f"{name[:28]:<28} {row[0]:6.4f} {row[1]:6.4f} {row[2]:6.4f} {row[3]:8.4f} {row[4]:8.4f} {row[5]:6.4f}"


if __name__ == "__main__":
    sys.exit(main())
