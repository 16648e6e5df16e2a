"""Repositories in which agents write a large share: ranking and calibration on the newest 20 %, beside lines-added.

    python -m bench.risk.ai_era [FOLDER]

FOLDER holds tables of the same columns (default: ai_era of the shared data). Labels count from `known` on. Every
project is answered with a prior of the other projects of the folder and of the public sets (leave one project out).
Young repositories have few changes: where the calibration has seen fewer than 300 no probability is said, and the
error is not counted; `luck` is the error that perfect probabilities would show on so few changes.
Reference: lines-added .7275, Kamei's features .7269, everything .732 (12 repositories).
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.risk.protocol import answers, captures, figures, heading, line, mean, mean_line, prior_without, verdict
from bench.risk.tables import ai_era, commit_guru, issta21


def main() -> int:
    projects = ai_era(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    pool = [*projects, *commit_guru(), *issta21()]
    print(heading())
    found = []
    for project in projects:
        forward = answers(project, project.targets, prior_without(project.name, pool))
        found.append(figures(project, forward))
        print(line(project.name, found[-1]), flush=True)
        print(f"{'':<29}captured {captures(project, forward.raw)}")
        if found[-1].auc < found[-1].lines_added:
            print(f"{'':<29}nothing here beats the lines added")
    print(mean_line(found))
    area, error = mean(part.auc for part in found), mean(part.ece for part in found)
    lines = mean(part.lines_added for part in found)
    return verdict(
        [
            ("mean AUC", area, 0.735, area >= 0.735),
            ("mean AUC over lines-added", area - lines, 0.0, area >= lines),
            ("mean calibration error", error, 0.04, error <= 0.04),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
