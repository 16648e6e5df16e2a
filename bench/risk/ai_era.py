"""Repositories in which agents write a large share: ranking and calibration on the newest 20 %, beside lines-added.

    python -m bench.risk.ai_era [--inside] [FOLDER]

FOLDER holds tables of the same columns (default: ai_era of the shared data). Labels count from `known` on. Every
project is answered with a prior of the other projects of the folder, of ours and of the public sets (leave one out).
Settings were chosen with `--inside`: it judges the last quarter of the oldest 80 % and never sees the rest.

Two protocols are printed, lines-added beside each:
- *as the baseline*: as the published baseline was measured. Changes of tests alone are left out, for no repair is ever
  traced to them and a feature that finds them would look like progress (the trainer leaves them out, too); so are those
  of bots, and those of the newest 60 days, whose repairs are yet to come. Projects with fewer than 15 repaired changes
  among the judged are shown and not counted.
- *every row* of the tables, those with no repair possible and those with no repair yet as well. What tells changes of
  tests alone (`TESTS`) is not read there: it gained .08 by the trap above, and `find_leaks` names it.

Features are Kamei's fourteen and those of the other columns that our own features have as well (`ALSO`). `luck` is the
calibration error that perfect probabilities would show on so few changes; the error over all changes together has less
of it. Where the calibration has seen fewer than 300 changes no probability is said, and the error is not counted.
Reference, as the baseline, 12 repositories: lines-added .7275, Kamei's features .7269, everything .732.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.risk.protocol import (
    answers,
    captures,
    figures,
    heading,
    line,
    mean,
    mean_line,
    pooled,
    prior_without,
    verdict,
)
from bench.risk.tables import Project, ai_era, commit_guru, issta21

ALSO = {
    "burst1h": "burst_hour",
    "lph": "pace",
    "fam": "familiar_share",
    "newf": "new_share",
    "ndom": "domains",
    "crit": "critical",
    "testr": "test_share",
    "hastest": "test_files",
    "msglen": "message_length",
    "conc24": "others_day",
    "conc7": "others_week",
    "fix180": "fixes_180",
}
"""Further columns that are known before merge, and the feature of the product that each stands for."""
BASELINE = "as the baseline"
TESTS = ("testr", "hastest")
FEWEST_REPAIRED = 15


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--inside", action="store_true", help="judge inside the oldest 80 %%")
    told = parser.parse_args()
    bars: list[tuple[str, float, float, bool]] = []
    for title, settled in ((BASELINE, True), ("every row", False)):
        also = [name for name in ALSO if settled or name not in TESTS]
        projects = ai_era(told.folder, also, settled)
        names = {project.name for project in projects}
        ours = [project for project in ai_era(None, also, settled) if project.name not in names]
        bars += _judge(title, projects, [*projects, *ours, *commit_guru(), *issta21()], told.inside)
    return verdict(bars)


def _judge(
    title: str, projects: list[Project], pool: list[Project], inside: bool
) -> list[tuple[str, float, float, bool]]:
    print(f"\n{title}\n{heading()}")
    found, answered = [], []
    for whole in projects:
        project = whole.first(whole.split) if inside else whole
        forward = answers(project, project.targets, prior_without(project.name, pool, project.frame.names))
        one = figures(project, forward)
        print(line(project.name, one), flush=True)
        print(f"{'':<29}captured {captures(project, forward.raw)}")
        if one.auc < one.lines_added:
            print(f"{'':<29}nothing here beats the lines added")
        if title == BASELINE and project.truth[project.split :].sum() < FEWEST_REPAIRED:
            print(f"{'':<29}not counted: too few repaired changes among the judged")
            continue
        found.append(one)
        answered.append((project, forward))
    if not found:
        raise SystemExit("no project has enough repaired changes to be judged")
    print(mean_line(found))
    together = pooled(answered)
    print(f"{'all changes together':<76} ECE {together.ece:.4f}, luck {together.floor:.4f}, n {together.changes}")
    area, error = mean(part.auc for part in found), mean(part.ece for part in found)
    lines = mean(part.lines_added for part in found)
    return [
        (f"{title}: mean AUC", area, 0.735, area >= 0.735),
        (f"{title}: mean AUC over lines-added", area - lines, 0.0, area >= lines),
        (f"{title}: mean calibration error", error, 0.04, error <= 0.04),
        (f"{title}: calibration error of all changes together", together.ece, 0.04, together.ece <= 0.04),
    ]


if __name__ == "__main__":
    sys.exit(main())
