"""What replays found of the faults of `commits.py`, and of each that they missed, why.

python -m bench.production.commits_causes OUT
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from bench.production.commits_plant import FIT, KEPT_BACK, Project


def cause(row: dict[str, Any]) -> str:
    """Why a fault was missed, from its replays: kind, of, outcome, clean, whether the culprit was gone, each test."""
    told = [(one[4], set(dict(one[5]).values()) if len(one) > 5 else {one[2]}) for one in row["replays"]]
    gone = [outcomes for is_gone, outcomes in told if is_gone]
    if row["proved"] or any("passed" in outcomes for is_gone, outcomes in told if not is_gone):
        return "it began to fail at another change: that undid what the culprit mends, or laid it bare"
    if gone and all(outcomes == {"same"} for outcomes in gone):
        return (
            "without the culprit it fails just as with it: the fault undoes a mend, or the test is of the new feature"
        )
    if not any("passed" in outcomes for outcomes in gone):
        return "its tests work at no other revision that was replayed"
    return "six replays did not come to it"


def show(name: str, projects: tuple[Project, ...], out: Path) -> None:
    rows: list[dict[str, Any]] = []
    for project in projects:
        file = out / f"{project.name}.proofs.json"
        found = json.loads(file.read_bytes()) if file.exists() else []
        rows += found
        if found:
            print(f"  {project.name:12} {_figures(found)}")
        for row in found:
            if row["after"] != row["culprit"]:
                print(f"    fault {row['number']:2}: {cause(row)} (answer at {row['sure']:.2f})")
    if rows:
        print(f"{name}: {_figures(rows)}")
        for why, count in Counter(cause(row) for row in rows if row["after"] != row["culprit"]).most_common():
            print(f"  {count:3} {why}")


def _figures(rows: list[dict[str, Any]]) -> str:
    before, after = (sum(row[key] == row["culprit"] for row in rows) for key in ("before", "after"))
    proved = [row for row in rows if row["proved"]]
    sure = [row for row in rows if row["sure"] >= 0.8]
    said, told = sum(row["after"] == row["culprit"] for row in sure), sum(r["proved"] == r["culprit"] for r in proved)
    replays = sum(len(row["replays"]) for row in rows) / len(rows)
    text = f"first before {before}/{len(rows)}, after {after}/{len(rows)} ({after / len(rows):.3f}); "
    return f"{text}>=.8: {said}/{len(sure)}; proved {told}/{len(proved)}; {replays:.1f} replays"


def main() -> int:
    out = Path(sys.argv[1])
    show("fit", FIT, out)
    show("kept back", KEPT_BACK, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
