"""Public feature sets: ranking and calibration on the newest 20 % of each project, with refits as time goes.

    python -m bench.risk.public

Every project is split by time. The newest 20 % are answered in six blocks, each by a model of all earlier rows; the
calibration is refitted three times a block, on answers that earlier models gave. Each has the prior of all other
projects in its blend, as a repository has the one that ships. Labels count from when they were known
where the table says so. Settings were chosen on the first 80 % (the last quarter of it as test), never on the rest.
Reference on these and more projects: blend .805 / .760, LApredict .764 / .725, DeepJIT .706, calibration .025 to .29.
"""

from __future__ import annotations

import sys

from bench.risk.protocol import (
    Figures,
    answers,
    captures,
    figures,
    heading,
    line,
    mean,
    mean_line,
    prior_without,
    verdict,
)
from bench.risk.tables import Project, commit_guru, issta21

CALIBRATION = 0.03


def main() -> int:
    bars: list[tuple[str, float, float, bool]] = []
    guru, issta = commit_guru(), issta21()
    pool = [*guru, *issta]
    for title, projects, least in (("Commit Guru", guru, 0.805), ("issta21", issta, 0.755)):
        bars += _judge(title, projects, least, pool)
    return verdict(bars)


def _judge(
    title: str, projects: list[Project], least: float, pool: list[Project]
) -> list[tuple[str, float, float, bool]]:
    print(f"\n{title}\n{heading()}")
    found: list[Figures] = []
    for project in projects:
        forward = answers(project, project.targets, prior_without(project.name, pool))
        found.append(figures(project, forward))
        print(line(project.name, found[-1]), flush=True)
        print(f"{'':<29}captured {captures(project, forward.raw)}")
    print(mean_line(found))
    area, error = mean(part.auc for part in found), mean(part.ece for part in found)
    worst = min(part.auc - part.lines_added for part in found)
    return [
        (f"{title}: mean AUC", area, least, area >= least),
        (f"{title}: mean calibration error", error, CALIBRATION, error <= CALIBRATION),
        (f"{title}: least gain over lines-added", worst, 0.0, worst >= 0.0),
    ]


if __name__ == "__main__":
    sys.exit(main())
