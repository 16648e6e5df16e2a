"""What one change costs: scored and explained, warm, whole process, in a repository that was learnt from.

    python -m bench.risk.scoring FOLDER [CHANGE]      a repository in which `tidegate risk train` was run
    python -m bench.risk.scoring                      one generated: 50,000 commits, of which 400 fixes are traced

Bars: under 300 ms CPU without reach, git's processes included; `check` pays at most 200 ms for risk where something was
learnt,. Beside: `git show --stat` of the same commit, and Tidegate saying its version.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Figure, measure, row, tidegate
from bench.risk.mining import generate

COMMITS = 50_000
BAR_SECONDS = 0.3
BAR_LEARNT = 0.2
RUNS = 7


def main(arguments: Sequence[str] = ()) -> int:
    if arguments:
        return _measure(Path(arguments[0]).resolve(), arguments[1] if len(arguments) > 1 else "HEAD~1..HEAD")
    with tempfile.TemporaryDirectory() as made:
        folder = generate(Path(made) / "repo", COMMITS)
        subprocess.run([tidegate(), "risk", "train", "--repo", folder], check=True, stdout=subprocess.DEVNULL)
        return _measure(folder, "HEAD~1..HEAD")


# Private


def _measure(folder: Path, change: str) -> int:
    bare = measure([tidegate(), "--version"], cwd=folder, runs=RUNS)
    shown = measure(["git", "show", "--stat", change.rpartition("..")[2]], cwd=folder, runs=RUNS)
    peer = f"git show --stat {shown.cpu * 1000:.0f} ms, tidegate --version {bare.cpu * 1000:.0f} ms"
    scored = _run(folder, "risk", change, "--no-reach")
    whole = _run(folder, "risk", change)
    checked = _run(folder, "check", change)
    with tempfile.TemporaryDirectory() as kept:
        history = folder / "tidegate" / "history"
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
