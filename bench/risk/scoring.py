"""What one change costs: scored and explained, warm, whole process, in a repository that was learnt from.

    python -m bench.risk.scoring FOLDER [CHANGE]      a repository in which `tidegate risk train` was run

Bars for one of 50,000 commits: under 300 ms CPU without reach, git's processes included; `check` pays at most 200 ms
more where something was learnt than where nothing was. Beside: `git show --stat` of the same commit, and `tidegate
--version`. What was learnt is moved away for the last figure, and brought back.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Figure, measure, row, tidegate
from tidegate.change.git import open_repository
from tidegate.risk.history.mine import store_folder

BAR_SECONDS = 0.3
BAR_LEARNT = 0.2
RUNS = 7


def main(arguments: Sequence[str] = ()) -> int:
    if not arguments:
        print("risk: name a repository that was learnt from: python -m bench.risk.scoring FOLDER")
        return 2
    return _measure(Path(arguments[0]).resolve(), arguments[1] if len(arguments) > 1 else "HEAD~1..HEAD")


# Private


def _measure(folder: Path, change: str) -> int:
    bare = measure([tidegate(), "--version"], cwd=folder, runs=RUNS)
    shown = measure(["git", "show", "--stat", change.rpartition("..")[2]], cwd=folder, runs=RUNS)
    peer = f"git show --stat {shown.cpu * 1000:.0f} ms, tidegate --version {bare.cpu * 1000:.0f} ms"
    scored = _run(folder, "risk", change, "--no-reach")
    whole = _run(folder, "risk", change)
    checked = _run(folder, "check", change)
    with tempfile.TemporaryDirectory() as kept:
        with open_repository(folder, bare=True) as repository:
            history = store_folder(repository)
        away = Path(shutil.move(history, kept))
        try:
            plain = _run(folder, "check", change)
        finally:
            shutil.move(away, history)
    cost = checked.best - plain.best
    print(row("risk --no-reach", scored, f"{BAR_SECONDS * 1000:.0f} ms", peer))
    print(row("risk", whole, "", "with how far it reaches"))
    print(row("check", checked, "", f"of it risk {cost * 1000:.0f} ms, bar {BAR_LEARNT * 1000:.0f} ms"))
    print(row("check, nothing learnt", plain, ""))
    failed = scored.exit_code != 0 or whole.exit_code != 0
    return int(failed or scored.best > BAR_SECONDS or cost > BAR_LEARNT)


def _run(folder: Path, *arguments: str) -> Figure:
    return measure([tidegate(), *arguments, "--repo", str(folder)], cwd=folder, runs=RUNS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
